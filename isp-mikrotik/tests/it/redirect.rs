//! The way of isolated lines to the page for paying, written to a simulated router and read back.

use std::collections::BTreeMap;
use std::time::Duration;

use isp_core::isolation::Access;
use isp_core::ports::AccessControl;
use isp_mikrotik::access::RedirectReport;
use isp_mikrotik::proto::Command;
use isp_mikrotik::reconcile::redirect::RedirectAction;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation};
use isp_mikrotik::{Client, MikrotikAccess, Settings};

use crate::common::{by_hand, done, endpoint, target};

const FILTER: &str = "/ip/firewall/filter";
const NAT: &str = "/ip/firewall/nat";
const LISTS: &str = "/ip/firewall/address-list";
const FILTER6: &str = "/ipv6/firewall/filter";
const NAT6: &str = "/ipv6/firewall/nat";
const LISTS6: &str = "/ipv6/firewall/address-list";
const MENUS: [&str; 6] = [FILTER, NAT, LISTS, FILTER6, NAT6, LISTS6];

/// The settings of an operator with both families, a payment host and a wildcard.
const WHOLE: &str = r#""portal":"10.0.0.5","portal_ipv6":"2001:db8::5","payment_hosts":["app.midtrans.com"],
    "tls_hosts":["*.xendit.co"],"pool_ranges":"10.9.0.2-10.9.3.254""#;

fn settings(redirect: &str) -> Settings {
    let text = format!(
        r#"{{"redirect":{{{redirect}}},"isolation_pool":"isolir","pool":"pelanggan","local_address":"10.20.0.1"}}"#
    );
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A router as it leaves an operator's hands: it fasttracks, accepts what is established, masquerades, and has a hotspot.
async fn start(simulation: Simulation) -> SimulatedRouter {
    let router = SimulatedRouter::start(simulation).await.unwrap();
    let rule = |menu: &str, values: &[(&str, &[u8])]| drop(router.force(menu, values).unwrap());
    let hotspot = ("hotspot", &b"from-client"[..]);
    rule(
        FILTER,
        &[("chain", b"input"), ("action", b"jump"), ("jump-target", b"hs-input"), hotspot, ("dynamic", b"true")],
    );
    rule(FILTER, &[("chain", b"forward"), ("action", b"jump"), ("jump-target", b"hs-unauth"), ("dynamic", b"true")]);
    rule(FILTER, &[("chain", b"input"), ("action", b"accept"), ("connection-state", b"established,related")]);
    rule(FILTER, &[("chain", b"forward"), ("action", b"fasttrack-connection"), ("connection-state", b"established")]);
    rule(FILTER, &[("chain", b"forward"), ("action", b"accept"), ("connection-state", b"established,related")]);
    rule(NAT, &[("chain", b"dstnat"), ("action", b"jump"), ("jump-target", b"hotspot"), ("dynamic", b"true")]);
    rule(NAT, &[("chain", b"srcnat"), ("action", b"masquerade"), ("comment", b"internet")]);
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.0.250")]).unwrap();
    router
}

async fn keep(router: &SimulatedRouter, redirect: &str) -> RedirectReport {
    MikrotikAccess::new(settings(redirect)).keep_redirect(&endpoint(router)).await.unwrap()
}

fn codes(report: &RedirectReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

type Row = BTreeMap<String, Vec<u8>>;

fn text(row: &Row, name: &str) -> String {
    String::from_utf8(row.get(name).cloned().unwrap_or_default()).unwrap()
}

/// The slots of our rules in their order; a foreign rule is its action in brackets.
fn order(router: &SimulatedRouter, menu: &str, chain: &str) -> Vec<String> {
    let rows = router.items(menu).into_iter().filter(|row| text(row, "chain") == chain);
    rows.map(|row| match text(&row, "comment").strip_prefix("isp:redirect/") {
        Some(slot) => slot.to_owned(),
        None => format!("[{}]", text(&row, "action")),
    })
    .collect()
}

fn ours(router: &SimulatedRouter, menu: &str) -> Vec<Row> {
    router.items(menu).into_iter().filter(|row| text(row, "comment").starts_with("isp:redirect/")).collect()
}

fn foreign(router: &SimulatedRouter) -> Vec<Row> {
    let of =
        |menu: &&str| router.items(menu).into_iter().filter(|row| !text(row, "comment").starts_with("isp:redirect/"));
    MENUS.iter().flat_map(of).collect()
}

/// Carries out a command as somebody in Winbox does.
async fn hand(router: &SimulatedRouter, command: Command) {
    Client::connect(router.options()).await.unwrap().call(&command).await.unwrap();
}

/// The id of our rule.
async fn id(router: &SimulatedRouter, menu: &str, slot: &str) -> String {
    let comment = format!("isp:redirect/{slot}");
    let print = Command::new(&format!("{menu}/print")).proplist(&[".id"]).where_any("comment", &[comment]);
    let rows = Client::connect(router.options()).await.unwrap().call(&print).await.unwrap().into_rows();
    String::from_utf8(rows[0].value(".id").unwrap().to_vec()).unwrap()
}

const FORWARD: [&str; 9] = ["dns-udp", "dns-tcp", "portal", "tls-hello", "tls-learn-1", "tls-1", "quic", "tcp", "rest"];

#[tokio::test]
async fn the_first_turn_writes_all_of_it_in_order_and_the_second_nothing() {
    let router = start(Simulation::default()).await;
    let before = foreign(&router);
    let report = keep(&router, WHOLE).await;
    assert!(!report.failed && report.findings.is_empty(), "{:?}", report.findings);
    let forward = order(&router, FILTER, "forward");
    let own: Vec<String> = FORWARD.iter().map(|slot| (*slot).to_owned()).collect();
    assert_eq!(forward[..2], ["[passthrough]", "[jump]"], "the router's own stay on top");
    assert_eq!(forward[2..11], own[..]);
    assert_eq!(forward[11..], ["[fasttrack-connection]", "[accept]"]);
    let input = order(&router, FILTER, "input");
    assert_eq!(input, ["[jump]", "in-dns-udp", "in-dns-tcp", "in-dhcp", "in-icmp", "in-rest", "[accept]"]);
    assert_eq!(order(&router, NAT, "srcnat"), ["no-nat", "[masquerade]"]);
    assert_eq!(order(&router, NAT, "dstnat"), ["[jump]", "web"]);
    assert_eq!(order(&router, FILTER6, "forward"), own);
    let addresses = |menu| ours(&router, menu).iter().map(|row| text(row, "address")).collect::<Vec<_>>();
    assert_eq!(addresses(LISTS), ["10.0.0.5", "app.midtrans.com"]);
    assert_eq!(addresses(LISTS6), ["2001:db8::5/128", "app.midtrans.com"]);
    for menu in [FILTER, NAT, FILTER6, NAT6] {
        assert!(ours(&router, menu).iter().all(|row| text(row, "src-address-list") == "ISOLIR"), "{menu}");
    }
    let pool = router.items("/ip/pool").into_iter().find(|row| text(row, "name") == "isolir").unwrap();
    assert_eq!(text(&pool, "ranges"), "10.9.0.2-10.9.3.254");
    assert_eq!(foreign(&router), before, "nothing of others was changed");
    router.reset_counters();
    let report = keep(&router, WHOLE).await;
    assert_eq!((report, router.counters().writes), (RedirectReport::default(), 0));
}

#[tokio::test]
async fn without_a_word_in_the_settings_no_rule_is_read() {
    let router = start(Simulation::default()).await;
    let access = MikrotikAccess::new(Settings::default());
    assert!(access.keep_redirect(&endpoint(&router)).await.is_none());
    assert_eq!(access.tend(&endpoint(&router)).await, []);
    access.plan_whole(&endpoint(&router), &[]).await.unwrap();
    let read = router.counters().by_command.keys().any(|path| path.contains("/filter/") || path.contains("/nat/"));
    assert!(!read, "{:?}", router.counters().by_command);
}

#[tokio::test]
async fn what_a_hand_changed_is_shown_by_the_plan_and_mended() {
    let router = start(Simulation::default()).await;
    keep(&router, WHOLE).await;
    let clean = (order(&router, FILTER, "forward"), ours(&router, FILTER), ours(&router, NAT), ours(&router, LISTS));
    by_hand(&router, FILTER, ("comment", "isp:redirect/portal"), ("disabled", "yes")).await;
    by_hand(&router, FILTER, ("comment", "isp:redirect/rest"), ("src-address-list", "")).await;
    by_hand(&router, FILTER, ("comment", "isp:redirect/quic"), ("out-interface", "ether1")).await;
    by_hand(&router, NAT, ("comment", "isp:redirect/web"), ("to-ports", "81")).await;
    by_hand(&router, LISTS, ("comment", "isp:redirect/portal"), ("disabled", "yes")).await;
    let tcp = id(&router, FILTER, "tcp").await;
    hand(&router, Command::new("/ip/firewall/filter/move").arg("numbers", &tcp)).await;
    let dns = id(&router, FILTER, "dns-udp").await;
    hand(&router, Command::new("/ip/firewall/filter/remove").arg(".id", &dns)).await;
    let no_nat = id(&router, NAT, "no-nat").await;
    hand(&router, Command::new("/ip/firewall/nat/move").arg("numbers", &no_nat)).await;
    let twin = [
        ("chain", &b"forward"[..]),
        ("action", b"drop"),
        ("comment", b"isp:redirect/rest"),
        ("src-address-list", b"ISOLIR"),
    ];
    router.force(FILTER, &twin).unwrap();
    let access = MikrotikAccess::new(settings(WHOLE));
    let plan = access.plan_whole(&endpoint(&router), &[]).await.unwrap();
    let shown = plan.to_string();
    for line in [
        r#"~ "/ip/firewall/filter" "portal": disabled yes -> no"#,
        r#"~ "/ip/firewall/filter" "rest": src-address-list  -> ISOLIR"#,
        r#"~ "/ip/firewall/filter" "quic": out-interface ether1 -> "#,
        r#"~ "/ip/firewall/nat" "web": to-ports 81 -> 80"#,
        r#"~ "/ip/firewall/address-list" "10.0.0.5": disabled yes -> no"#,
        r#"~ "/ip/firewall/filter" "tcp": stood below a rule that fasttracks"#,
        r#"+ "/ip/firewall/filter" "dns-udp": was not there"#,
        r#"~ "/ip/firewall/nat" "no-nat": stood below a rule that masquerades"#,
        r#"- "/ip/firewall/filter" "rest": was there twice"#,
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert_eq!(plan.summary().redirect, 9, "{shown}");
    let written = access.keep_redirect(&endpoint(&router)).await.unwrap();
    assert_eq!((written.written.len(), written.failed), (9, false));
    let now = (order(&router, FILTER, "forward"), ours(&router, FILTER), ours(&router, NAT), ours(&router, LISTS));
    assert_eq!(now, clean);
    assert!(access.plan_whole(&endpoint(&router), &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn words_behind_the_mark_stay_and_what_has_no_mark_is_never_touched() {
    let router = start(Simulation::default()).await;
    keep(&router, WHOLE).await;
    by_hand(&router, FILTER, ("comment", "isp:redirect/portal"), ("comment", "isp:redirect/portal jangan dihapus"))
        .await;
    by_hand(&router, FILTER, ("dst-address-list", "ISP-PORTAL"), ("dst-address-list", "LAIN")).await;
    let report = keep(&router, WHOLE).await;
    assert_eq!(report.written.len(), 1);
    let portal = router.items(FILTER).into_iter().find(|row| text(row, "comment").ends_with("jangan dihapus")).unwrap();
    assert_eq!(text(&portal, "dst-address-list"), "ISP-PORTAL");
    // The same without the mark is somebody's own: it stays as it is, and ours comes beside it.
    by_hand(&router, FILTER, ("comment", "isp:redirect/portal jangan dihapus"), ("comment", "punya saya")).await;
    keep(&router, WHOLE).await;
    assert_eq!(router.items(FILTER).iter().filter(|row| text(row, "comment") == "punya saya").count(), 1);
    assert!(order(&router, FILTER, "forward").contains(&"portal".to_owned()));
}

#[tokio::test]
async fn switched_off_takes_ours_away_and_nothing_else() {
    let router = start(Simulation::default()).await;
    let before = foreign(&router);
    keep(&router, WHOLE).await;
    let report = keep(&router, r#""enabled":false"#).await;
    assert!(!report.failed);
    assert_eq!(MENUS.map(|menu| ours(&router, menu).len()), [0; 6]);
    assert_eq!(foreign(&router), before);
    // Sessions may have its addresses.
    assert!(router.items("/ip/pool").iter().any(|row| text(row, "name") == "isolir"));
    router.reset_counters();
    assert_eq!(keep(&router, r#""enabled":false"#).await, RedirectReport::default());
    assert_eq!(router.counters().writes, 0);
}

#[tokio::test]
async fn ipv6_comes_and_goes_with_the_setting() {
    let router = start(Simulation::default()).await;
    keep(&router, WHOLE).await;
    assert!(!ours(&router, FILTER6).is_empty() && !ours(&router, NAT6).is_empty());
    let without = format!(r#"{WHOLE},"ipv6":false"#);
    keep(&router, &without).await;
    assert_eq!([FILTER6, NAT6, LISTS6].map(|menu| ours(&router, menu).len()), [0; 3]);
    assert!(!ours(&router, FILTER).is_empty());
    keep(&router, WHOLE).await;
    assert!(!ours(&router, FILTER6).is_empty());
}

#[tokio::test]
async fn a_router_without_ipv6_nat_gets_the_rest_and_it_is_told() {
    for (without, lacks) in [(NAT6, "/ipv6/firewall/nat"), ("/ipv6", "/ipv6/firewall/filter")] {
        let router = start(Simulation { without: vec![without.to_owned()], ..Simulation::default() }).await;
        let report = keep(&router, WHOLE).await;
        assert_eq!((codes(&report), report.failed), (vec!["router.redirect_lacks"], false));
        assert!(report.findings[0].what.contains(lacks), "{}", report.findings[0].what);
        assert!(!ours(&router, FILTER).is_empty());
        assert_eq!(ours(&router, FILTER6).is_empty(), without == "/ipv6");
        router.reset_counters();
        keep(&router, WHOLE).await;
        assert_eq!(router.counters().writes, 0);
    }
}

#[tokio::test]
async fn two_routers_have_their_own_pages() {
    let (first, second) = (start(Simulation::default()).await, start(Simulation::default()).await);
    let own = format!(
        r#"{WHOLE},"router":{{"{}":{{"portal":"10.7.0.5","port":8080,"pool_ranges":"10.7.9.2-10.7.9.254"}}}}"#,
        second.address()
    );
    let access = MikrotikAccess::new(settings(&own));
    for router in [&first, &second] {
        assert!(!access.keep_redirect(&endpoint(router)).await.unwrap().failed);
    }
    let web = |router| {
        let row = ours(router, NAT).into_iter().find(|row| text(row, "comment").ends_with("/web")).unwrap();
        (text(&row, "to-addresses"), text(&row, "to-ports"))
    };
    assert_eq!((web(&first), web(&second)), (("10.0.0.5".into(), "80".into()), ("10.7.0.5".into(), "8080".into())));
    assert_eq!(text(&ours(&second, LISTS)[0], "address"), "10.7.0.5");
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_shuts_nobody_out_of_the_page() {
    for kind in [FaultKind::CutRequest, FaultKind::ReplyLost] {
        for after in 0..14 {
            let router = start(Simulation::default()).await;
            // It breaks for good, as when the line to the router fails.
            router.inject(Fault::new(kind.clone()).on("/ip/firewall/filter/add").after(after).always());
            let access = MikrotikAccess::new(settings(WHOLE));
            let report = access.keep_redirect(&endpoint(&router)).await.unwrap();
            // What the last of them did is seen over the next connection.
            let got_over = kind == FaultKind::ReplyLost && after == 13;
            assert_eq!(codes(&report).contains(&"router.redirect_unread"), !got_over, "{after}: {:?}", report.findings);
            let forward = order(&router, FILTER, "forward");
            let place = |slot: &str| forward.iter().position(|other| other == slot);
            if let Some(shuts) = ["quic", "tcp", "rest"].iter().filter_map(|slot| place(slot)).min() {
                assert!(place("portal").is_some_and(|portal| portal < shuts), "{after}: {forward:?}");
                assert!(ours(&router, NAT).len() == 2 && ours(&router, LISTS).len() == 2);
            }
            router.clear_faults();
            let report = access.keep_redirect(&endpoint(&router)).await.unwrap();
            assert!(!report.failed, "{:?}", report.findings);
            assert_eq!(order(&router, FILTER, "forward").len(), FORWARD.len() + 4);
            // One cut alone is got over in the same turn.
            keep(&router, r#""enabled":false"#).await;
            router.inject(Fault::new(kind.clone()).on("/ip/firewall/filter/add").after(after.max(1)));
            let report = access.keep_redirect(&endpoint(&router)).await.unwrap();
            assert!(!report.failed, "{after}: {:?}", report.findings);
        }
    }
}

#[tokio::test]
async fn while_the_page_is_refused_nothing_is_shut() {
    let router = start(Simulation::default()).await;
    router.inject(Fault::new(FaultKind::Trap("failure: no".to_owned())).on("/ip/firewall/nat/add").always());
    let report = keep(&router, WHOLE).await;
    assert!(report.failed);
    let told = codes(&report);
    assert!(told.contains(&"router.redirect_refused") && told.contains(&"router.redirect_held"), "{told:?}");
    let forward = order(&router, FILTER, "forward");
    assert!(forward.contains(&"portal".to_owned()) && !forward.contains(&"rest".to_owned()), "{forward:?}");
    assert!(order(&router, FILTER6, "forward").contains(&"rest".to_owned()), "IPv6 has its own page");
    router.clear_faults();
    assert!(!keep(&router, WHOLE).await.failed);
    assert!(order(&router, FILTER, "forward").contains(&"rest".to_owned()));
}

/// Each of what the page needs, its menu, and how many adds of a fresh router come before it there.
const NEEDED: [(&str, &str, usize); 9] = [
    (LISTS, "portal", 0),
    (NAT, "no-nat", 0),
    (NAT, "web", 1),
    (FILTER, "dns-udp", 0),
    (FILTER, "dns-tcp", 1),
    (FILTER, "portal", 2),
    (FILTER, "in-dns-udp", 6),
    (FILTER, "in-dns-tcp", 7),
    (FILTER, "in-dhcp", 8),
];

#[tokio::test]
async fn what_the_page_needs_is_refused_and_nothing_shuts_until_it_is_taken() {
    let whole = start(Simulation::default()).await;
    keep(&whole, WHOLE).await;
    let all = |router: &SimulatedRouter| {
        let chains = [(FILTER, "forward"), (FILTER, "input"), (NAT, "srcnat"), (NAT, "dstnat"), (FILTER6, "forward")];
        chains.map(|(menu, chain)| order(router, menu, chain))
    };
    let shutting = |router: &SimulatedRouter, menu: &str| {
        let both = [order(router, menu, "forward"), order(router, menu, "input")].concat();
        both.into_iter().filter(|slot| ["quic", "tcp", "rest", "in-rest"].contains(&slot.as_str())).count()
    };
    for (menu, slot, before) in NEEDED {
        for standing in [false, true] {
            let case = format!("{menu} {slot}, standing: {standing}");
            let router = start(Simulation::default()).await;
            if standing {
                assert!(!keep(&router, WHOLE).await.failed);
                let gone = id(&router, menu, slot).await;
                hand(&router, Command::new(&format!("{menu}/remove")).arg(".id", &gone)).await;
            }
            let refuse = |after| {
                let refusal = FaultKind::Trap("failure: no".to_owned());
                router.inject(Fault::new(refusal).on(&format!("{menu}/add")).after(after));
            };
            refuse(if standing { 0 } else { before });
            let report = keep(&router, WHOLE).await;
            assert_eq!(codes(&report), ["router.redirect_refused", "router.redirect_held"], "{case}");
            assert!(report.failed && report.findings[1].what.contains(FILTER), "{case}: {:?}", report.findings);
            let has = |router: &SimulatedRouter| {
                let comment = format!("isp:redirect/{slot}");
                ours(router, menu).iter().any(|row| text(row, "comment") == comment)
            };
            assert!(!has(&router), "{case}: it was refused");
            assert_eq!(shutting(&router, FILTER), 0, "{case}");
            assert_eq!(shutting(&router, FILTER6), 4, "{case}: IPv6 has its own page");
            let removed = report.written.iter().filter(|step| matches!(step.action, RedirectAction::Remove { .. }));
            assert_eq!(removed.count(), if standing { 4 } else { 0 }, "{case}");
            // Refused again: told again, and nothing is written.
            let rows = MENUS.map(|menu| router.items(menu));
            refuse(0);
            let report = keep(&router, WHOLE).await;
            assert_eq!(codes(&report), ["router.redirect_refused", "router.redirect_held"], "{case}");
            assert_eq!((report.written, MENUS.map(|menu| router.items(menu))), (Vec::new(), rows), "{case}");
            // The router takes it: everything is there, in its order.
            let report = keep(&router, WHOLE).await;
            assert_eq!((codes(&report), report.failed, has(&router)), (Vec::new(), false, true), "{case}");
            assert_eq!(all(&router), all(&whole), "{case}");
            assert_eq!(keep(&router, WHOLE).await, RedirectReport::default(), "{case}");
        }
    }
}

#[tokio::test]
async fn a_refused_change_of_what_the_page_needs_takes_away_what_shuts() {
    let router = start(Simulation::default()).await;
    keep(&router, WHOLE).await;
    by_hand(&router, FILTER, ("comment", "isp:redirect/portal"), ("disabled", "yes")).await;
    by_hand(&router, NAT, ("comment", "isp:redirect/web"), ("to-ports", "81")).await;
    for menu in [FILTER, NAT] {
        router.inject(Fault::new(FaultKind::Trap("failure: no".to_owned())).on(&format!("{menu}/set")).always());
    }
    let report = keep(&router, WHOLE).await;
    // Two refusals, and one word of what is held.
    assert_eq!(codes(&report), ["router.redirect_refused", "router.redirect_held", "router.redirect_refused"]);
    assert!(!order(&router, FILTER, "forward").contains(&"rest".to_owned()));
    router.clear_faults();
    assert!(!keep(&router, WHOLE).await.failed);
    assert!(order(&router, FILTER, "forward").contains(&"rest".to_owned()));
}

#[tokio::test]
async fn a_foreign_rule_that_keeps_lines_from_the_page_is_told_and_left() {
    let router = start(Simulation::default()).await;
    keep(&router, WHOLE).await;
    let first = id(&router, FILTER, "dns-udp").await;
    let drop = Command::new("/ip/firewall/filter/add").arg("chain", "forward").arg("action", "drop");
    hand(&router, drop.arg("src-address-list", "ISOLIR").arg("comment", "blokir").arg("place-before", &first)).await;
    let web = id(&router, NAT, "web").await;
    let lead = Command::new("/ip/firewall/nat/add").arg("chain", "dstnat").arg("action", "dst-nat");
    let lead = lead.arg("protocol", "tcp").arg("dst-port", "80").arg("to-addresses", "10.9.9.9");
    hand(&router, lead.arg("src-address-list", "ISOLIR").arg("place-before", &web)).await;
    let report = keep(&router, WHOLE).await;
    assert_eq!((codes(&report), report.failed), (vec!["router.redirect_cut"; 2], false));
    assert!(report.findings[0].what.contains(NAT), "{}", report.findings[0].what);
    assert!(report.findings[1].what.contains("blokir"), "{}", report.findings[1].what);
    assert_eq!(report.written, [], "they stay where their owner put them");
}

#[tokio::test]
async fn a_router_that_does_not_keep_a_rule_is_told() {
    let router = start(Simulation::default()).await;
    keep(&router, WHOLE).await;
    by_hand(&router, NAT, ("comment", "isp:redirect/web"), ("to-ports", "81")).await;
    // It says that it did it, and did not.
    router.inject(Fault::new(FaultKind::Ignored).on("/ip/firewall/nat/set").always());
    for standing in [4, 0] {
        let report = keep(&router, WHOLE).await;
        let told = vec!["router.redirect_not_kept", "router.redirect_held"];
        assert_eq!((codes(&report), report.failed), (told, true));
        let removed = report.written.iter().filter(|step| matches!(step.action, RedirectAction::Remove { .. }));
        assert_eq!(removed.count(), standing, "what shuts is taken away once");
        assert!(!order(&router, FILTER, "forward").contains(&"rest".to_owned()));
    }
    router.clear_faults();
    assert!(!keep(&router, WHOLE).await.failed);
    // Something that the page does not need: nothing is taken away.
    by_hand(&router, FILTER, ("comment", "isp:redirect/in-icmp"), ("disabled", "yes")).await;
    router.inject(Fault::new(FaultKind::Ignored).on("/ip/firewall/filter/set").always());
    let report = keep(&router, WHOLE).await;
    assert_eq!((codes(&report), report.failed), (vec!["router.redirect_not_kept"], true));
    assert!(order(&router, FILTER, "forward").contains(&"rest".to_owned()));
}

#[tokio::test]
async fn a_foreign_rule_that_lets_all_of_it_pass_is_told() {
    let router = start(Simulation::default()).await;
    keep(&router, WHOLE).await;
    let first = id(&router, FILTER, "dns-udp").await;
    let add = Command::new("/ip/firewall/filter/add").arg("chain", "forward").arg("comment", "semua boleh");
    hand(&router, add.arg("place-before", &first)).await;
    let report = keep(&router, WHOLE).await;
    assert_eq!((codes(&report), report.failed), (vec!["router.redirect_bypassed"], false));
    assert!(report.findings[0].what.contains("semua boleh"), "{}", report.findings[0].what);
    assert_eq!(report.written, [], "it stays where its owner put it");
}

#[tokio::test]
async fn a_firewall_that_refuses_everything_stops_no_line() {
    let router = start(Simulation::default()).await;
    router.inject(
        Fault::new(FaultKind::Trap("not enough permissions (9)".to_owned())).on("/ip/firewall/filter").always(),
    );
    router.inject(Fault::new(FaultKind::Trap("not enough permissions (9)".to_owned())).on("/ip/firewall/nat").always());
    let access = MikrotikAccess::new(settings(WHOLE));
    let isolated = [target(1, "budi", Access::Isolated), target(2, "siti", Access::Open)];
    let plan = access.plan_whole(&endpoint(&router), &isolated).await.unwrap();
    assert!(plan.drift.iter().any(|drift| drift.code == "router.redirect_unread") && plan.summary().created == 2);
    let outcomes = access.apply(&endpoint(&router), &isolated).await.unwrap();
    assert_eq!(done(&outcomes[0]).0, Access::Isolated);
    assert_eq!(done(&outcomes[1]).0, Access::Open);
    let findings = access.tend(&endpoint(&router)).await;
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["router.redirect_unread"]);
}

#[tokio::test]
async fn a_firewall_that_never_answers_stops_no_line() {
    let router = start(Simulation::default()).await;
    router.inject(Fault::new(FaultKind::Hang).on("/ip/firewall/filter").always());
    let access = MikrotikAccess::new(Settings { deadline: Duration::from_millis(300), ..settings(WHOLE) });
    let isolated = [target(1, "budi", Access::Isolated)];
    let findings = access.tend(&endpoint(&router)).await;
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["router.redirect_unread"]);
    assert_eq!(done(&access.apply(&endpoint(&router), &isolated).await.unwrap()[0]).0, Access::Isolated);
    let plan = access.plan_whole(&endpoint(&router), &isolated).await.unwrap();
    assert!(plan.drift.iter().any(|drift| drift.code == "router.redirect_unread"));
    let survey = access.survey(&endpoint(&router), &isolated, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    assert!(survey.lines[0].as_wanted, "{:?}", survey.lines[0]);
}

#[tokio::test]
async fn the_pool_is_there_before_the_profile_that_names_it() {
    let router = start(Simulation::default()).await;
    let access = MikrotikAccess::new(settings(WHOLE));
    let outcomes = access.apply(&endpoint(&router), &[target(1, "budi", Access::Isolated)]).await.unwrap();
    assert_eq!(done(&outcomes[0]).0, Access::Isolated);
    let session = router.session("budi").unwrap();
    assert!(session.address.unwrap().starts_with("10.9.") && session.address_list.as_deref() == Some("ISOLIR"));
}

#[tokio::test]
async fn isolated_sessions_are_told_the_servers_that_they_may_ask() {
    let router = start(Simulation::default()).await;
    let named = format!(r#"{WHOLE},"resolvers":["10.0.0.53","2001:db8::53","10.0.0.54"]"#);
    let access = MikrotikAccess::new(settings(&named));
    access.apply(&endpoint(&router), &[target(1, "budi", Access::Isolated)]).await.unwrap();
    assert!(!access.keep_redirect(&endpoint(&router)).await.unwrap().failed);
    let servers = |router: &SimulatedRouter| {
        let profiles = router.items("/ppp/profile");
        text(profiles.iter().find(|row| text(row, "name") == "isolir").unwrap(), "dns-server")
    };
    assert_eq!(servers(&router), "10.0.0.53,10.0.0.54");
    assert!(order(&router, FILTER, "forward").contains(&"dns-udp-2".to_owned()));
    assert_eq!(access.keep_redirect(&endpoint(&router)).await.unwrap(), RedirectReport::default());
    // A profile of somebody's own stays as it is.
    by_hand(&router, "/ppp/profile", ("name", "isolir"), ("comment", "punya saya")).await;
    by_hand(&router, "/ppp/profile", ("name", "isolir"), ("dns-server", "8.8.8.8")).await;
    assert_eq!(access.keep_redirect(&endpoint(&router)).await.unwrap(), RedirectReport::default());
    assert_eq!(servers(&router), "8.8.8.8");
}

#[tokio::test]
async fn a_pool_without_our_mark_keeps_its_ranges() {
    let router = start(Simulation::default()).await;
    router.force("/ip/pool", &[("name", b"isolir"), ("ranges", b"192.168.200.2-192.168.200.254")]).unwrap();
    let report = keep(&router, WHOLE).await;
    assert_eq!((codes(&report), report.failed), (vec!["router.redirect_pool"], false));
    let pool = router.items("/ip/pool").into_iter().find(|row| text(row, "name") == "isolir").unwrap();
    assert_eq!(text(&pool, "ranges"), "192.168.200.2-192.168.200.254");
    // With it, the ranges follow the settings.
    by_hand(&router, "/ip/pool", ("name", "isolir"), ("comment", "isp:redirect/pool")).await;
    assert_eq!(keep(&router, WHOLE).await.written.len(), 1);
    let pool = router.items("/ip/pool").into_iter().find(|row| text(row, "name") == "isolir").unwrap();
    assert_eq!(text(&pool, "ranges"), "10.9.0.2-10.9.3.254");
}

#[tokio::test]
async fn an_entry_of_somebodys_own_does_as_well_and_learnt_ones_are_left_alone() {
    let router = start(Simulation::default()).await;
    router.force(LISTS, &[("list", b"ISP-PORTAL"), ("address", b"10.0.0.5"), ("comment", b"punya saya")]).unwrap();
    let learnt = [("list", &b"ISP-PORTAL"[..]), ("address", b"203.0.113.9"), ("dynamic", b"true")];
    router.force(LISTS, &learnt).unwrap();
    // What the router resolved a name to is its own, whatever it writes beside it.
    let resolved = [("list", &b"ISP-PORTAL"[..]), ("address", b"203.0.113.10"), ("comment", b"isp:redirect/host")];
    router.force(LISTS, &[&resolved[..], &[("dynamic", b"true")]].concat()).unwrap();
    assert!(!keep(&router, WHOLE).await.failed);
    let addresses = |router| {
        let fixed = ours(router, LISTS).into_iter().filter(|row| text(row, "dynamic") == "false");
        fixed.map(|row| text(&row, "address")).collect::<Vec<_>>()
    };
    assert_eq!(addresses(&router), ["app.midtrans.com"]);
    assert_eq!(router.items(LISTS).len(), 4);
    // Another page: its entry comes, and the old host goes.
    keep(&router, &WHOLE.replace("app.midtrans.com", "tripay.co.id")).await;
    assert_eq!(addresses(&router), ["tripay.co.id"]);
    assert_eq!(router.items(LISTS).len(), 4);
}

#[tokio::test]
async fn a_pool_of_routeros_6_has_no_comment() {
    let router = start(Simulation::default()).await;
    let refuse = FaultKind::Trap("unknown parameter comment".to_owned());
    router.inject(Fault::new(refuse).on("/ip/pool/add"));
    assert!(!keep(&router, WHOLE).await.failed);
    let pool = router.items("/ip/pool").into_iter().find(|row| text(row, "name") == "isolir").unwrap();
    assert_eq!(text(&pool, "comment"), "");
}
