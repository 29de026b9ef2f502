//! The typed menus against the simulator, on both versions.

use isp_core::secret::Secret;
use isp_mikrotik::menu::address_list::ListEntry;
use isp_mikrotik::menu::hotspot::{self, user::HotspotUser};
use isp_mikrotik::menu::pool::Pool;
use isp_mikrotik::menu::queue::SimpleQueue;
use isp_mikrotik::menu::system::{self, Resource};
use isp_mikrotik::menu::{ItemId, Rows, added, address_list, pool, queue};
use isp_mikrotik::proto::{Command, Row};
use isp_mikrotik::simulator::{SimulatedRouter, Simulation, Version};
use isp_mikrotik::{Client, Error};

async fn each_version() -> Vec<(SimulatedRouter, Client)> {
    let mut started = Vec::new();
    for version in Version::ALL {
        let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
        let client = Client::connect(router.options()).await.unwrap();
        started.push((router, client));
    }
    started
}

async fn rows<T>(client: &Client, command: Command, read: impl Fn(&Row) -> Result<T, Error>) -> Vec<T> {
    client.call(&command).await.unwrap().rows().iter().map(|row| read(row).unwrap()).collect()
}

#[tokio::test]
async fn a_hotspot_user_is_isolated_with_its_session_and_its_cookie() {
    for (router, client) in each_version().await {
        client.call(&hotspot::profile::add("2M", "1M/2M", None)).await.unwrap();
        client.call(&hotspot::profile::add("isolir", "64k/64k", Some("ISOLIR"))).await.unwrap();
        let reply = client.call(&hotspot::user::add("0812", &Secret::new("x"), "2M", b"warung")).await.unwrap();
        let id = added(hotspot::user::MENU, &reply).unwrap();
        router.force(hotspot::active::MENU, &[("user", b"0812"), ("address", b"10.5.0.9")]).unwrap();
        router.force(hotspot::active::MENU, &[("user", b"0813")]).unwrap();
        router.force(hotspot::cookie::MENU, &[("user", b"0812")]).unwrap();

        client.call(&hotspot::user::set_profile(&id, "isolir")).await.unwrap();
        let ids = |row: &Row| Ok(ItemId::parse(row.value(".id").unwrap()).unwrap());
        let cookies = rows(&client, hotspot::cookie::print_of(&["0812"]), ids).await;
        let sessions = rows(&client, hotspot::active::print_of(&["0812"]), ids).await;
        assert_eq!((cookies.len(), sessions.len()), (1, 1));
        client.call(&hotspot::cookie::remove(&cookies).unwrap()).await.unwrap();
        client.call(&hotspot::active::remove(&sessions).unwrap()).await.unwrap();
        assert_eq!(rows(&client, hotspot::active::print_of(&["0812", "0813"]), ids).await.len(), 1);
        let users = rows(&client, hotspot::user::print(Rows::Named(&["0812"])), HotspotUser::from_row).await;
        assert_eq!(
            (&users[0].profile[..], users[0].disabled, &users[0].comment[..]),
            (&b"isolir"[..], false, &b"warung"[..])
        );
        client.call(&hotspot::user::set_disabled(&id, true)).await.unwrap();
        let users = rows(&client, hotspot::user::print(Rows::All), HotspotUser::from_row).await;
        assert!(users[0].disabled);
    }
}

#[tokio::test]
async fn lists_queues_and_pools_are_read_and_written() {
    for (_router, client) in each_version().await {
        client.call(&address_list::add("ISOLIR", "10.0.0.7", b"isp:x")).await.unwrap();
        client.call(&address_list::add("LAIN", "10.0.0.7", b"")).await.unwrap();
        let again = client.call(&address_list::add("ISOLIR", "10.0.0.7", b"")).await.unwrap_err();
        assert_eq!(again.code(), "router.already_exists");
        let entries = rows(&client, address_list::print_list("ISOLIR"), ListEntry::from_row).await;
        assert_eq!((entries.len(), &entries[0].address[..], entries[0].dynamic), (1, &b"10.0.0.7"[..], false));
        client.call(&address_list::remove(&[entries[0].id.clone()]).unwrap()).await.unwrap();
        assert!(rows(&client, address_list::print_list("ISOLIR"), ListEntry::from_row).await.is_empty());

        let reply = client.call(&queue::add("budi", "10.0.0.7/32", "1M/2M", b"")).await.unwrap();
        let id = added(queue::MENU, &reply).unwrap();
        client.call(&queue::set_limit(&id, "64k/64k")).await.unwrap();
        let queues = rows(&client, queue::print(Rows::Named(&["budi"])), SimpleQueue::from_row).await;
        assert_eq!(&queues[0].max_limit[..], b"64000/64000", "the router counts in bits");

        client.call(&pool::add("isolir", "10.9.0.2-10.9.0.9")).await.unwrap();
        let pools = rows(&client, pool::print(Rows::All), Pool::from_row).await;
        assert_eq!(&pools[0].ranges[..], b"10.9.0.2-10.9.0.9");
    }
}

#[tokio::test]
async fn a_router_tells_its_version_and_name() {
    for (_router, client) in each_version().await {
        let resource = Resource::from_reply(&client.call(&system::resource()).await.unwrap());
        assert!(matches!(resource.release(), Some((7, 9 | 21))), "{resource:?}");
        assert_eq!(resource.cpu_load, Some(3));
        let name = system::identity_name(&client.call(&system::identity()).await.unwrap());
        assert_eq!(name, b"simulated");
    }
}
