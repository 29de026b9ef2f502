//! Lines that nobody logs in for: static addresses and DHCP leases.

use std::net::Ipv4Addr;

use crate::common::{done, endpoint, group, refused, target};
use isp_core::isolation::Access::{self, Closed, Isolated, Open};
use isp_core::isolation::AccessTarget;
use isp_core::ports::{AccessControl, ApplyOutcome};
use isp_core::subscription::{Account, Mac};
use isp_mikrotik::access::Guarded;
use isp_mikrotik::menu::rate::Burst;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{MikrotikAccess, Settings};

const QUEUES: &str = "/queue/simple";
const LEASES: &str = "/ip/dhcp-server/lease";
const ENTRIES: &str = "/ip/firewall/address-list";
const CONNECTIONS: &str = "/ip/firewall/connection";
const MAC: &str = "AA:BB:CC:00:11:22";
const LIST: &str = "ISOLIR";

async fn start() -> (SimulatedRouter, MikrotikAccess) {
    start_with(Simulation::default(), Settings::default()).await
}

async fn start_with(simulation: Simulation, settings: Settings) -> (SimulatedRouter, MikrotikAccess) {
    (SimulatedRouter::start(simulation).await.unwrap(), MikrotikAccess::new(settings))
}

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 20, 0, last)
}

fn fixed(number: u128, last: u8, desired: Access) -> AccessTarget {
    AccessTarget { account: Account::fixed(ip(last)).unwrap(), ..target(number, "x", desired) }
}

fn dhcp(number: u128, mac: &str, last: Option<u8>, desired: Access) -> AccessTarget {
    let account = Account::dhcp(Mac::parse(mac).unwrap(), last.map(ip)).unwrap();
    AccessTarget { account, ..target(number, "x", desired) }
}

fn now(target: &AccessTarget, desired: Access) -> AccessTarget {
    AccessTarget { desired, ..target.clone() }
}

async fn apply(access: &MikrotikAccess, router: &SimulatedRouter, targets: &[AccessTarget]) -> Vec<ApplyOutcome> {
    access.apply(&endpoint(router), targets).await.unwrap()
}

async fn one(access: &MikrotikAccess, router: &SimulatedRouter, target: &AccessTarget) -> ApplyOutcome {
    apply(access, router, std::slice::from_ref(target)).await.remove(0)
}

async fn seen(access: &MikrotikAccess, router: &SimulatedRouter, target: &AccessTarget) -> Option<Access> {
    let at = chrono::DateTime::from_timestamp(1_767_000_000, 0).unwrap();
    access.observe(&endpoint(router), std::slice::from_ref(target), at).await.unwrap()[0].access
}

/// Some values of every object of a menu that is not dynamic.
fn rows(router: &SimulatedRouter, menu: &str, names: &[&str]) -> Vec<String> {
    let items = router.items(menu).into_iter().filter(|item| item.get("dynamic").is_none_or(|is| is != b"true"));
    let text = |value: Option<&Vec<u8>>| value.map(|value| String::from_utf8_lossy(value).into_owned());
    items.map(|item| names.iter().filter_map(|name| text(item.get(*name))).collect::<Vec<_>>().join(" ")).collect()
}

fn connect(router: &SimulatedRouter, source: &str, destination: &str) {
    let values = [("src-address", source.as_bytes()), ("dst-address", destination.as_bytes())];
    router.force(CONNECTIONS, &values).unwrap();
}

fn mark(number: u128) -> String {
    format!("isp:{number:012x}")
}

#[tokio::test]
async fn a_static_line_has_a_queue_and_is_shut_in_by_its_address() {
    for version in Version::ALL {
        let (router, access) = start_with(Simulation { version, ..Simulation::default() }, Settings::default()).await;
        let line = fixed(1, 7, Open);
        assert_eq!(done(&one(&access, &router, &line).await), (Open, true, "queue 5M/10M"));
        let queue = format!("isp-10.20.0.7 10.20.0.7/32 5000000/10000000 {}", mark(1));
        let queues = || rows(&router, QUEUES, &["name", "target", "max-limit", "comment"]);
        assert_eq!(queues(), [queue.as_str()]);
        assert_eq!(router.felt("10.20.0.7", LIST), (Some("5M/10M".to_owned()), false));

        connect(&router, "10.20.0.7:51234", "1.1.1.1:443");
        connect(&router, "8.8.8.8:99", "10.20.0.7:80");
        connect(&router, "10.20.0.71:51234", "1.1.1.1:443");
        let isolated = now(&line, Isolated);
        assert_eq!(done(&one(&access, &router, &isolated).await), (Isolated, true, "queue 64k/64k, in list ISOLIR"));
        assert_eq!(router.felt("10.20.0.7", LIST), (Some("64k/64k".to_owned()), true));
        assert_eq!(rows(&router, CONNECTIONS, &["src-address"]), ["10.20.0.71:51234"], "the neighbour's goes on");
        assert_eq!(rows(&router, ENTRIES, &["list", "address", "comment"]), [format!("ISOLIR 10.20.0.7 {}", mark(1))]);
        assert_eq!(seen(&access, &router, &isolated).await, Some(Isolated));
        router.reset_counters();
        assert!(!done(&one(&access, &router, &isolated).await).1);
        assert_eq!(router.counters().writes, 0);

        connect(&router, "10.20.0.7:51300", "10.0.0.1:80");
        assert_eq!(done(&one(&access, &router, &line).await), (Open, true, "queue 5M/10M"));
        assert_eq!((router.felt("10.20.0.7", LIST), queues()), ((Some("5M/10M".to_owned()), false), vec![queue]));
        assert_eq!(rows(&router, CONNECTIONS, &["src-address"]).len(), 1);

        // Closed is shut in as well: nothing else can be refused to it.
        assert_eq!(done(&one(&access, &router, &now(&line, Closed)).await).0, Closed);
        assert!(router.felt("10.20.0.7", LIST).1);
    }
}

#[tokio::test]
async fn a_package_s_speed_and_burst_reach_the_queue_and_nobody_is_cut_for_it() {
    let burst = Burst { percent: 200, threshold_percent: 75, seconds: 90 };
    let (router, access) =
        start_with(Simulation::default(), Settings { burst: Some(burst), ..Settings::default() }).await;
    let line = fixed(1, 7, Open);
    one(&access, &router, &line).await;
    let limits = || rows(&router, QUEUES, &["max-limit", "burst-limit", "burst-threshold", "burst-time"]);
    assert_eq!(limits(), ["5000000/10000000 10000000/20000000 3750000/7500000 90s/90s"]);
    router.reset_counters();
    assert!(!done(&one(&access, &router, &line).await).1);
    // The router shows spans of time in its own way.
    connect(&router, "10.20.0.7:51234", "1.1.1.1:443");
    let faster = AccessTarget { group: group("20M", 20), ..line };
    assert_eq!(done(&one(&access, &router, &faster).await), (Open, true, "queue 10M/20M"));
    assert_eq!(rows(&router, CONNECTIONS, &["src-address"]).len(), 1);
}

#[tokio::test]
async fn a_dhcp_line_has_a_lease_that_joins_the_list() {
    for version in Version::ALL {
        let (router, access) = start_with(Simulation { version, ..Simulation::default() }, Settings::default()).await;
        let line = dhcp(1, "aa-bb-cc-00-11-22", Some(7), Open);
        assert_eq!(done(&one(&access, &router, &line).await), (Open, true, "lease 5M/10M, offline"));
        let leases = || rows(&router, LEASES, &["mac-address", "address", "rate-limit", "address-lists", "comment"]);
        let lease = format!("{MAC} 10.20.0.7 5M/10M  {}", mark(1));
        assert_eq!(leases(), [lease.as_str()]);
        router.plug_dhcp(MAC, "10.20.0.200");
        assert_eq!(router.address_of(MAC).as_deref(), Some("10.20.0.7"));

        connect(&router, "10.20.0.7:51234", "1.1.1.1:443");
        let isolated = now(&line, Isolated);
        let answer = "lease 64k/64k, in list ISOLIR, online";
        assert_eq!(done(&one(&access, &router, &isolated).await), (Isolated, true, answer));
        assert_eq!(router.felt("10.20.0.7", LIST), (Some("64k/64k".to_owned()), true));
        assert_eq!(leases(), [format!("{MAC} 10.20.0.7 64k/64k ISOLIR {}", mark(1))]);
        assert!(rows(&router, CONNECTIONS, &["src-address"]).is_empty());
        assert!(rows(&router, ENTRIES, &["address"]).is_empty(), "the lease's own entry is enough");
        assert!(!done(&one(&access, &router, &isolated).await).1);

        assert_eq!(done(&one(&access, &router, &line).await), (Open, true, "lease 5M/10M, online"));
        assert_eq!((router.felt("10.20.0.7", LIST), leases()), ((Some("5M/10M".to_owned()), false), vec![lease]));
        // A box that comes while its line is shut in is shut in from its first packet.
        router.unplug_dhcp(MAC);
        one(&access, &router, &now(&line, Closed)).await;
        router.plug_dhcp(MAC, "10.20.0.200");
        assert!(router.felt("10.20.0.7", LIST).1);
    }
}

#[tokio::test]
async fn what_the_server_gave_by_itself_is_kept_and_shut_in_where_it_is() {
    let (router, access) = start().await;
    router.plug_dhcp(MAC, "10.20.0.200");
    let line = dhcp(1, MAC, None, Isolated);
    assert_eq!(done(&one(&access, &router, &line).await).0, Isolated);
    assert_eq!(rows(&router, LEASES, &["address", "comment"]), [format!("10.20.0.200 {}", mark(1))]);
    assert_eq!(router.felt("10.20.0.200", LIST), (Some("64k/64k".to_owned()), true));
    assert_eq!(done(&one(&access, &router, &now(&line, Open)).await).0, Open);
    assert_eq!(router.felt("10.20.0.200", LIST), (Some("5M/10M".to_owned()), false));
}

#[tokio::test]
async fn a_lease_that_takes_effect_at_renewal_only_lets_nobody_run_free_meanwhile() {
    let simulation = Simulation { leases_take_effect_at_renewal: true, ..Simulation::default() };
    let (router, access) = start_with(simulation, Settings::default()).await;
    let line = dhcp(1, MAC, Some(7), Open);
    one(&access, &router, &line).await;
    router.plug_dhcp(MAC, "10.20.0.200");
    let isolated = now(&line, Isolated);
    assert_eq!(done(&one(&access, &router, &isolated).await).0, Isolated);
    assert!(router.felt("10.20.0.7", LIST).1, "by an entry of the line's own");
    router.renew(MAC);
    assert_eq!(done(&one(&access, &router, &isolated).await).0, Isolated);
    assert!(router.felt("10.20.0.7", LIST).1);
    // And whoever pays is out at once, whatever the lease made before.
    assert_eq!(done(&one(&access, &router, &line).await).0, Open);
    assert!(!router.felt("10.20.0.7", LIST).1);
    router.renew(MAC);
    assert_eq!(seen(&access, &router, &line).await, Some(Open));

    // The same for what the lease itself listed before.
    one(&access, &router, &isolated).await;
    router.unplug_dhcp(MAC);
    router.plug_dhcp(MAC, "10.20.0.200");
    one(&access, &router, &isolated).await;
    assert_eq!(done(&one(&access, &router, &line).await).0, Open);
    assert!(!router.felt("10.20.0.7", LIST).1);
}

#[tokio::test]
async fn another_box_or_address_takes_the_traces_of_the_old_one_along() {
    let (router, access) = start().await;
    // The box is replaced while the line is isolated.
    let line = dhcp(1, MAC, Some(7), Isolated);
    one(&access, &router, &line).await;
    let id = |router: &SimulatedRouter| router.items(LEASES).len();
    let replaced = dhcp(1, "AA:BB:CC:00:11:33", Some(7), Isolated);
    assert_eq!(
        done(&one(&access, &router, &replaced).await),
        (Isolated, true, "lease 64k/64k, in list ISOLIR, offline")
    );
    assert_eq!((rows(&router, LEASES, &["mac-address"]), id(&router)), (vec!["AA:BB:CC:00:11:33".to_owned()], 1));
    let left = AccessTarget { left: true, ..now(&line, Closed) };
    assert_eq!(done(&one(&access, &router, &left).await), (Closed, false, "nothing is left"));
    assert_eq!(seen(&access, &router, &replaced).await, Some(Isolated));

    // A static line moves while it is isolated, and then to a box with a lease.
    let (seven, eight) = (fixed(2, 17, Isolated), fixed(2, 18, Isolated));
    one(&access, &router, &seven).await;
    assert_eq!(done(&one(&access, &router, &eight).await).0, Isolated);
    assert_eq!((router.felt("10.20.0.17", LIST), router.felt("10.20.0.18", LIST).1), ((None, false), true));
    assert_eq!(rows(&router, QUEUES, &["name", "target"]), ["isp-10.20.0.18 10.20.0.18/32"]);
    let leased = dhcp(2, "AA:BB:CC:00:11:44", Some(18), Isolated);
    one(&access, &router, &leased).await;
    let left = AccessTarget { left: true, ..now(&eight, Closed) };
    assert_eq!(done(&one(&access, &router, &left).await), (Closed, true, "nothing is left"));
    assert_eq!(rows(&router, QUEUES, &["target"]), Vec::<String>::new());
    assert_eq!(seen(&access, &router, &leased).await, Some(Isolated));

    // Back to a fixed address: the lease goes, and the line stays shut in.
    one(&access, &router, &eight).await;
    let left = AccessTarget { left: true, ..now(&leased, Closed) };
    one(&access, &router, &left).await;
    assert_eq!(rows(&router, LEASES, &["mac-address"]), ["AA:BB:CC:00:11:33"]);
    assert_eq!(seen(&access, &router, &eight).await, Some(Isolated));

    // To another router: nothing is left here.
    let left = AccessTarget { left: true, ..now(&eight, Closed) };
    one(&access, &router, &left).await;
    assert_eq!((router.felt("10.20.0.18", LIST), rows(&router, QUEUES, &["name"]).len()), ((None, false), 0));
}

#[tokio::test]
async fn who_comes_next_at_an_address_is_open_and_nobody_else_s_is_touched() {
    let (router, access) = start().await;
    one(&access, &router, &fixed(1, 7, Closed)).await;
    one(&access, &router, &dhcp(2, MAC, Some(8), Closed)).await;
    let after = |line: AccessTarget, before: u128| AccessTarget {
        succeeds: vec![target(before, "x", Open).subscription_id],
        ..line
    };
    let lines = [after(fixed(3, 7, Open), 1), after(dhcp(4, "AA:BB:CC:00:11:33", Some(8), Open), 2)];
    for outcome in apply(&access, &router, &lines).await {
        assert_eq!(done(&outcome).0, Open);
    }
    assert_eq!(rows(&router, LEASES, &["mac-address", "comment"]), [format!("AA:BB:CC:00:11:33 {}", mark(4))]);
    assert_eq!((router.felt("10.20.0.7", LIST).1, router.felt("10.20.0.8", LIST).1), (false, false));
    // A line that moved on is not what its successor takes over.
    one(&access, &router, &fixed(5, 20, Isolated)).await;
    one(&access, &router, &fixed(5, 21, Isolated)).await;
    one(&access, &router, &after(fixed(6, 20, Open), 5)).await;
    assert_eq!(seen(&access, &router, &fixed(5, 21, Isolated)).await, Some(Isolated));
    assert_eq!(seen(&access, &router, &fixed(6, 20, Open)).await, Some(Open));
}

#[tokio::test]
async fn what_is_not_ours_stays_as_it_is_unless_it_is_taken_over() {
    let (router, access) = start().await;
    let queue =
        [("name", &b"Pak Budi"[..]), ("target", b"10.20.0.7/32"), ("max-limit", b"1M/2M"), ("comment", b"gang 3")];
    router.force(QUEUES, &queue).unwrap();
    router.force(LEASES, &[("mac-address", MAC.as_bytes()), ("address", b"10.20.0.8"), ("comment", b"toko")]).unwrap();
    router.force(QUEUES, &[("name", b"<pppoe-x>"), ("target", b"10.20.0.9/32"), ("dynamic", b"true")]).unwrap();
    let before = (router.items(QUEUES), router.items(LEASES));
    let lines = [fixed(1, 7, Isolated), dhcp(2, MAC, Some(8), Isolated), dhcp(3, "AA:BB:CC:00:11:33", Some(8), Open)];
    let outcomes = apply(&access, &router, &lines).await;
    assert_eq!(outcomes.iter().map(|o| refused(o)).collect::<Vec<_>>(), ["router.account_not_ours"; 3]);
    assert!(format!("{outcomes:?}").contains("has 10.20.0.8"), "{outcomes:?}");
    assert_eq!((router.items(QUEUES), router.items(LEASES)), before);
    assert!(rows(&router, ENTRIES, &["address"]).is_empty());
    // A queue of a session for the same address is the router's.
    assert_eq!(done(&one(&access, &router, &fixed(4, 9, Open)).await).0, Open);
    assert_eq!(router.items(QUEUES).iter().filter(|item| item["name"] == b"<pppoe-x>").count(), 1);

    let adopt = |line: &AccessTarget| AccessTarget { adopt: true, ..now(line, Open) };
    for line in &lines[..2] {
        assert_eq!(
            done(&one(&access, &router, &adopt(line)).await),
            (Open, true, done(&one(&access, &router, &now(line, Open)).await).2)
        );
    }
    let queues = rows(&router, QUEUES, &["name", "max-limit", "comment"]);
    assert!(queues.contains(&format!("Pak Budi 5000000/10000000 {} gang 3", mark(1))), "{queues:?}");
    assert_eq!(rows(&router, LEASES, &["comment"]), [format!("{} toko", mark(2))]);
}

#[tokio::test]
async fn taking_over_names_who_was_shut_out_by_hand() {
    let (router, access) = start().await;
    for (name, address) in [("a", "10.20.0.7"), ("b", "10.20.0.6")] {
        router.force(QUEUES, &[("name", name.as_bytes()), ("target", format!("{address}/32").as_bytes())]).unwrap();
    }
    router.force(ENTRIES, &[("list", b"ISOLIR"), ("address", b"10.20.0.7")]).unwrap();
    let lease = [("mac-address", MAC.as_bytes()), ("address", &b"10.20.0.8"[..]), ("block-access", b"yes")];
    router.force(LEASES, &lease).unwrap();
    router.force(ENTRIES, &[("list", b"ISOLIR"), ("address", b"10.20.0.9")]).unwrap();
    let lines = [fixed(1, 7, Open), fixed(2, 6, Open), dhcp(3, MAC, Some(8), Open), fixed(4, 9, Open)];
    let adopted = lines.clone().map(|line| AccessTarget { adopt: true, ..line });
    let plan = access.plan_whole(&endpoint(&router), &adopted).await.unwrap();
    let named: Vec<_> = plan.shut_out_by_hand().map(|drift| drift.name.as_str()).collect();
    assert_eq!(named, ["10.20.0.7", MAC, "10.20.0.9"]);
    // Without being asked to take over, nobody is let out of a list that a hand put him in.
    assert_eq!(refused(&one(&access, &router, &lines[3]).await), "router.entry_not_ours");
    assert!(router.felt("10.20.0.9", LIST).1);
    for outcome in apply(&access, &router, &adopted).await {
        assert_eq!(done(&outcome).0, Open);
    }
    for address in ["10.20.0.6", "10.20.0.7", "10.20.0.9"] {
        assert!(!router.felt(address, LIST).1, "{address}");
    }
}

#[tokio::test]
async fn what_hands_changed_is_seen_and_put_right() {
    let (router, access) = start().await;
    let lines = [fixed(1, 7, Isolated), dhcp(2, MAC, Some(8), Isolated)];
    apply(&access, &router, &lines).await;
    router.plug_dhcp(MAC, "10.20.0.200");
    // Somebody opens both by hand, and somebody switches an entry off.
    let client = isp_mikrotik::Client::connect(router.options()).await.unwrap();
    let command = |path: &str| isp_mikrotik::proto::Command::new(path);
    client.call(&command("/ip/firewall/address-list/disable").arg("numbers", "0")).await.unwrap();
    client.call(&command("/ip/dhcp-server/lease/set").arg("numbers", "0").arg("address-lists", "")).await.unwrap();
    for line in &lines {
        assert_ne!(seen(&access, &router, line).await, Some(Isolated));
    }
    let plan = access.plan_whole(&endpoint(&router), &lines).await.unwrap();
    assert_eq!((plan.summary().isolated, plan.summary().kicked), (2, 2), "{plan}");
    match access.apply_within(&endpoint(&router), &lines, 1).await.unwrap() {
        Guarded::Held(held) => assert_eq!(held.summary().isolated, 2),
        other => panic!("{other:?}"),
    }
    for outcome in apply(&access, &router, &lines).await {
        assert_eq!(done(&outcome).0, Isolated);
    }
    assert!(router.felt("10.20.0.7", LIST).1 && router.felt("10.20.0.8", LIST).1);
    // Opened here, shut in by hand: an entry for the line's own address goes, one of another line is told.
    let open = lines.clone().map(|line| now(&line, Open));
    apply(&access, &router, &open).await;
    for address in [&b"10.20.0.7"[..], b"10.20.0.8"] {
        router.force(ENTRIES, &[("list", b"ISOLIR"), ("address", address), ("comment", b"iseng")]).unwrap();
    }
    assert_eq!(seen(&access, &router, &open[0]).await, Some(Isolated));
    for outcome in apply(&access, &router, &open).await {
        assert_eq!(done(&outcome).0, Open);
    }
    assert!(!router.felt("10.20.0.7", LIST).1 && !router.felt("10.20.0.8", LIST).1);
    let strays = access.plan_whole(&endpoint(&router), &open[..1]).await.unwrap();
    assert_eq!(strays.drift.iter().map(|drift| drift.code).collect::<Vec<_>>(), ["router.stray_account"]);
}

/// The connection breaks after each of the writes in turn: nobody is cut who is open before and after, nobody runs free
/// who is isolated before and after, and the next turn ends what the broken one began.
#[tokio::test]
async fn wherever_it_breaks_nobody_is_cut_and_nobody_runs_free() {
    let ways = [
        (fixed(1, 7, Open), fixed(1, 7, Isolated)),
        (fixed(1, 7, Isolated), fixed(1, 7, Open)),
        (fixed(1, 7, Isolated), fixed(1, 8, Isolated)),
        (dhcp(1, MAC, Some(7), Open), dhcp(1, MAC, Some(7), Isolated)),
        (dhcp(1, MAC, Some(7), Isolated), dhcp(1, MAC, Some(7), Open)),
        (dhcp(1, MAC, Some(7), Isolated), dhcp(1, MAC, Some(8), Isolated)),
    ];
    for (way, (from, to)) in ways.iter().enumerate() {
        for lazy in [false, true] {
            for writes in 0..12 {
                for kind in [FaultKind::CutRequest, FaultKind::ReplyLost] {
                    let simulation = Simulation { leases_take_effect_at_renewal: lazy, ..Simulation::default() };
                    let settings = Settings { window: 1, ..Settings::default() };
                    let (router, access) = start_with(simulation, settings).await;
                    one(&access, &router, from).await;
                    router.plug_dhcp(MAC, "10.20.0.200");
                    for last in [7, 8] {
                        connect(&router, &format!("10.20.0.{last}:1"), "1.1.1.1:443");
                    }
                    for verb in ["add", "set", "remove"] {
                        for menu in [QUEUES, LEASES, ENTRIES, CONNECTIONS] {
                            let fault = Fault::new(kind.clone()).on(&format!("{menu}/{verb}"));
                            router.inject(fault.after(writes));
                        }
                    }
                    let broken = access.apply(&endpoint(&router), std::slice::from_ref(to)).await;
                    let ends: Vec<bool> = [from, to]
                        .iter()
                        .filter_map(|line| line.account.address)
                        .map(|address| router.felt(&address.to_string(), LIST).1)
                        .collect();
                    let story = format!("way {way}, lazy {lazy}, {kind:?} after {writes}: {broken:?}, listed {ends:?}");
                    if from.desired == Isolated && to.desired == Isolated {
                        assert!(ends.contains(&true), "{story}");
                    }
                    router.clear_faults();
                    let outcome = one(&access, &router, to).await;
                    assert_eq!(done(&outcome).0, to.desired, "{story}");
                    assert!(!done(&one(&access, &router, to).await).1, "{story}");
                    // A box that has an address already may keep it until it asks again.
                    let there = match to.account.mac() {
                        Some(_) => router.address_of(MAC).unwrap(),
                        None => to.account.username.to_string(),
                    };
                    assert_eq!(router.felt(&there, LIST).1, to.desired == Isolated, "{story}");
                    let running = rows(&router, CONNECTIONS, &["src-address"]);
                    assert!(to.desired == Open || !running.contains(&format!("{there}:1")), "{story}: {running:?}");
                }
            }
        }
    }
}
