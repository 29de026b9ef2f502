//! Every command and argument that this crate sends exists in both known RouterOS versions.

use isp_core::place::RouterEndpoint;
use isp_core::secret::Secret;
use isp_mikrotik::Settings;
use isp_mikrotik::menu::ppp::profile::Terms;
use isp_mikrotik::menu::ppp::secret::{Changes, New};
use isp_mikrotik::menu::ppp::{aaa, active, profile, secret};
use isp_mikrotik::menu::rate::RateLimit;
use isp_mikrotik::menu::{
    self, ItemId, Rows, address_list, connection, firewall, hotspot, ipv6, lease, pool, queue, system,
};
use isp_mikrotik::proto::Command;
use isp_mikrotik::reconcile::redirect::{DesiredRedirect, Family};
use isp_mikrotik::simulator::Version;

fn every_command() -> Vec<Command> {
    let id = ItemId::parse(b"*1A").unwrap();
    let ids = [id.clone(), ItemId::parse(b"*0").unwrap()];
    let password = Secret::new("x");
    let terms = Terms {
        rate_limit: Some("1M/1M".to_owned()),
        address_list: Some("ISOLIR".to_owned()),
        local_address: Some("10.0.0.1".to_owned()),
        remote_address: Some("pool".to_owned()),
        comment: Some("isp:group".to_owned()),
    };
    let changes = Changes {
        password: Some(password.clone()),
        profile: Some("10M".to_owned()),
        remote_address: Some(b"10.0.0.2".to_vec()),
        disabled: Some(true),
        comment: Some(b"x".to_vec()),
    };
    let queue_changes = queue::Changes {
        name: Some("isp-10.0.0.7".to_owned()),
        target: Some("10.0.0.7/32".to_owned()),
        limit: RateLimit::parse(b"1M/1M 2M/2M 1M/1M 8/8"),
        disabled: Some(false),
        comment: Some(b"x".to_vec()),
    };
    let lease_changes = lease::Changes {
        mac: Some("AA:BB:CC:00:11:22".to_owned()),
        address: Some("10.0.0.7".to_owned()),
        rate_limit: Some("1M/1M".to_owned()),
        address_lists: Some(b"ISOLIR".to_vec()),
        blocked: Some(false),
        disabled: Some(false),
        comment: Some(b"x".to_vec()),
    };
    let rows = Rows::Named(&["budi", "siti"]);
    let mut commands = rules();
    commands.extend([
        secret::print(rows),
        secret::add(&New { name: "budi", password: &password, profile: "10M", disabled: true, comment: b"x" }),
        secret::print_of_profile("10M"),
        secret::set(&id, &changes),
        secret::unset_remote_address(&id),
        secret::remove(&ids).unwrap(),
        profile::print(Rows::All),
        profile::add("10M", &terms),
        profile::set(&id, &terms),
        profile::change(&id, &terms, b"isp:group;kick"),
        profile::set_comment(&id, b"isp:group"),
        profile::print_dns("isolir"),
        profile::set_dns(&id, "10.0.0.53,10.0.0.54"),
        aaa::print(),
        active::print(rows),
        active::remove(&ids).unwrap(),
        menu::count(secret::MENU),
        menu::count(profile::MENU),
        menu::count(active::MENU),
        hotspot::user::print(rows),
        hotspot::user::add("budi", &password, "10M", b"x"),
        hotspot::user::set(&id, &changes),
        hotspot::user::set_profile(&id, "isolir"),
        hotspot::user::set_disabled(&id, true),
        hotspot::user::remove(&ids).unwrap(),
        hotspot::profile::print(rows),
        hotspot::profile::add("isolir", "64k/64k", Some("ISOLIR")),
        hotspot::profile::set_rate(&id, "1M/1M"),
        menu::count(hotspot::user::MENU),
        menu::count(hotspot::profile::MENU),
        menu::count(hotspot::active::MENU),
        menu::count(hotspot::cookie::MENU),
        hotspot::active::print_of(&["budi"]),
        hotspot::active::remove(&ids).unwrap(),
        hotspot::cookie::print_of(&["budi"]),
        hotspot::cookie::remove(&ids).unwrap(),
        address_list::print_list("ISOLIR"),
        address_list::count_list("ISOLIR"),
        address_list::add("ISOLIR", "10.0.0.7", b"x"),
        address_list::remove(&ids).unwrap(),
        queue::print(rows),
        queue::print_dynamic(),
        queue::add("budi", "10.0.0.7/32", "1M/1M", b"x"),
        queue::set_limit(&id, "2M/2M"),
        queue::remove(&ids).unwrap(),
        address_list::set_comment(&id, b"x"),
        queue::print_static(),
        queue::count_static(),
        queue::make(&queue_changes),
        queue::change(&id, &queue_changes),
        lease::print(),
        menu::count(lease::MENU),
        lease::add(&lease_changes),
        lease::set(&id, &lease_changes),
        lease::make_static(&id),
        lease::remove(&ids).unwrap(),
        ipv6::count_servers(),
        ipv6::print_prefixes(),
        connection::print(),
        connection::remove(&ids).unwrap(),
        pool::print(rows),
        pool::add("isolir", "10.9.0.2-10.9.0.9"),
        pool::add_marked("isolir", "10.9.0.2-10.9.0.9", "isp:redirect/pool"),
        pool::set_ranges(&id, "10.9.0.2-10.9.0.9"),
        system::resource(),
        system::identity(),
        system::routerboard(),
        system::license(),
    ]);
    commands
}

/// Every rule that is ever written, and what is done to it.
fn rules() -> Vec<Command> {
    let id = ItemId::parse(b"*1A").unwrap();
    let settings: Settings = serde_json::from_str(
        r#"{"redirect":{"portal":"10.0.0.5","portal_ipv6":"2001:db8::5","tls_hosts":["*.xendit.co"],"resolvers":["10.0.0.53"]}}"#,
    )
    .unwrap();
    let router = RouterEndpoint::parse("10.1.0.1", "api", Secret::default()).unwrap();
    let desired = DesiredRedirect::of(&settings, &router).unwrap();
    let mut commands = Vec::new();
    for family in Family::ALL {
        let [lists, nat, filter] = family.menus();
        let of_family = desired.family(family);
        for (menu, rules) in [(nat, &of_family.nat), (filter, &of_family.filter)] {
            commands.extend([firewall::print(menu), menu::count(menu)]);
            commands.extend([firewall::move_before(menu, &id, Some(&id)), firewall::unset(menu, &id, "dst-port")]);
            commands.push(firewall::remove(menu, &id));
            for rule in rules {
                commands.push(firewall::add(menu, &rule.fields, "isp:redirect/x", Some(&id)));
                commands.push(firewall::set(menu, &id, &rule.fields));
            }
        }
        commands.extend([firewall::print_list(lists, "ISP-PORTAL"), firewall::count_list(lists, "ISP-PORTAL")]);
        commands.push(firewall::add_entry(lists, "ISP-PORTAL", "app.midtrans.com", "isp:redirect/host"));
        commands.push(firewall::enable(lists, &id));
    }
    commands
}

fn unknown_arguments(version: Version, command: &Command) -> Vec<String> {
    let (menu, verb) = command.path().rsplit_once('/').unwrap();
    assert!(version.has_command(menu, verb), "{version:?} has no {}", command.path());
    command
        .args()
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .filter(|name| !version.has_argument(menu, verb, name))
        .collect()
}

#[test]
fn every_command_exists_in_both_versions() {
    for version in Version::ALL {
        for command in every_command() {
            assert_eq!(unknown_arguments(version, &command), Vec::<String>::new(), "{version:?}: {command:?}");
        }
    }
}

/// What this crate sends is built in `src/menu`, and nowhere else but for login, cancel and ping.
#[test]
fn no_command_of_the_sources_is_missing_here() {
    let known: Vec<String> = every_command().iter().map(|command| command.path().to_owned()).collect();
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // The protocol and the simulator build commands for their own tests only.
                if !path.ends_with("simulator") && !path.ends_with("proto") {
                    folders.push(path);
                }
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for (line, rest) in code.match_indices("Command::new(\"").map(|(at, found)| {
                let line = code[..at].rsplit('\n').next().unwrap_or_default();
                (line, &code[at + found.len()..])
            }) {
                let sent = rest.split('"').next().unwrap();
                let sent_elsewhere = ["/login", "/cancel"].contains(&sent) || line.trim_start().starts_with("///");
                assert!(sent_elsewhere || known.iter().any(|path| path == sent), "{sent} in {}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn only_the_newer_version_is_asked_for_hidden_passwords() {
    for command in [secret::print_sensitive(Rows::All), hotspot::user::print_sensitive(Rows::All)] {
        assert_eq!(unknown_arguments(Version::V7_9, &command), ["show-sensitive"]);
        assert_eq!(unknown_arguments(Version::V7_21_5, &command), Vec::<String>::new());
    }
}

#[test]
fn a_write_without_an_address_cannot_be_made() {
    assert_eq!(secret::remove(&[]), None);
    assert_eq!(active::remove(&[]), None);
    assert_eq!(ItemId::parse(b"081234567890"), None);
    assert_eq!(ItemId::parse(b"*"), None);
    assert_eq!(ItemId::parse(b"*1,*2"), None);
}
