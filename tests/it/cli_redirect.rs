//! The rules that lead isolated lines to the page for paying, as an operator sees them.

use std::collections::BTreeMap;

use crate::cli::Stage;
use isp::mikrotik::Client;
use isp::mikrotik::proto::Command;
use isp::mikrotik::simulator::{Fault, FaultKind};

const FILTER: &str = "/ip/firewall/filter";

/// A provider whose router fasttracks, and whose settings name a page for paying.
fn stage() -> Stage {
    let mut stage = Stage::bare();
    for (name, value) in [
        ("ISP_MIKROTIK__POOL", "pelanggan"),
        ("ISP_MIKROTIK__LOCAL_ADDRESS", "10.20.0.1"),
        ("ISP_MIKROTIK__ISOLATION_POOL", "isolir"),
        ("ISP_MIKROTIK__REDIRECT__PORTAL", "10.0.0.5"),
        ("ISP_MIKROTIK__REDIRECT__PORTAL_IPV6", "2001:db8::5"),
        ("ISP_MIKROTIK__REDIRECT__POOL_RANGES", "10.9.0.2-10.9.3.254"),
        ("ISP_MIKROTIK__REDIRECT__PAYMENT_HOSTS", r#"["app.midtrans.com"]"#),
        ("ISP_MIKROTIK__REDIRECT__TLS_HOSTS", r#"["*.xendit.co"]"#),
    ] {
        stage.isp.set(name, value);
    }
    stage.router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    stage.router.force(FILTER, &[("chain", b"forward"), ("action", b"fasttrack-connection")]).unwrap();
    stage.provided()
}

type Row = BTreeMap<String, Vec<u8>>;

fn text(row: &Row, name: &str) -> String {
    String::from_utf8(row.get(name).cloned().unwrap_or_default()).unwrap()
}

/// The filter's rules, ours by their slot and the others by what they do.
fn rules(stage: &Stage) -> Vec<String> {
    let rows = stage.router.items(FILTER).into_iter();
    rows.map(|row| match text(&row, "comment").strip_prefix("isp:redirect/") {
        Some(slot) => slot.to_owned(),
        None => text(&row, "action"),
    })
    .collect()
}

/// Carries out a command on our rule, as somebody in Winbox does.
fn hand(stage: &Stage, command: &str, slot: &str, more: &[(&str, &str)]) {
    stage.runtime.block_on(async {
        let hand = Client::connect(stage.router.options()).await.unwrap();
        let comment = format!("isp:redirect/{slot}");
        let print = Command::new(&format!("{FILTER}/print")).proplist(&[".id"]).where_any("comment", &[comment]);
        let rows = hand.call(&print).await.unwrap().into_rows();
        let id = String::from_utf8(rows[0].value(".id").unwrap().to_vec()).unwrap();
        let named = if command == "move" { "numbers" } else { ".id" };
        let start = Command::new(&format!("{FILTER}/{command}")).arg(named, &id);
        let command = more.iter().fold(start, |command, (name, value)| command.arg(name, value));
        hand.call(&command).await.unwrap();
    });
}

const ON: [&str; 2] = ["--on", "2026-01-11"];

fn on<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&ON, words].concat()
}

#[test]
fn the_plan_shows_what_apply_writes_and_then_nothing_is_left() {
    let stage = stage();
    let plan = stage.isp.json(&on(&["router", "plan", "R1"]));
    assert_eq!(plan[0]["rules"], 37, "{plan}");
    assert_eq!(rules(&stage), ["passthrough", "fasttrack-connection"], "a plan writes nothing");
    let details = stage.isp.ok(&on(&["--lang", "en", "router", "plan", "R1", "--details"]));
    for words in [
        "/ip/firewall/filter portal",
        "chain=forward src-address-list=ISOLIR action=accept dst-address-list=ISP-PORTAL",
        "/ip/firewall/nat web",
        "to-addresses=10.0.0.5 to-ports=80",
        "/ipv6/firewall/nat web",
        "/ip/firewall/address-list app.midtrans.com",
        "/ip/pool isolir",
    ] {
        assert!(details.contains(words), "{words}\n{details}");
    }
    let applied = stage.isp.json(&on(&["router", "apply", "R1"]));
    assert_eq!((&applied[0]["rules"], &applied[0]["confirmed"]), (&37.into(), &3.into()), "{applied}");
    assert_eq!(stage.isp.json(&on(&["router", "plan", "R1"]))[0]["rules"], 0);
    let now = rules(&stage);
    let place = |rule: &str| now.iter().position(|other| other == rule).unwrap_or_else(|| panic!("{rule}: {now:?}"));
    assert_eq!(place("passthrough"), 0, "the router's own stays on top");
    assert!(place("portal") < place("rest") && place("rest") < place("fasttrack-connection"), "{now:?}");
    stage.router.reset_counters();
    assert_eq!(stage.isp.json(&on(&["router", "apply", "R1"]))[0]["rules"], 0);
    assert_eq!(stage.router.counters().writes, 0);
    let (_, err) = stage.isp.exit(0, &on(&["router", "check", "R1"]));
    assert_eq!(err, "");
}

#[test]
fn what_a_hand_changed_is_told_in_both_languages_and_mended_by_a_run() {
    let stage = stage();
    stage.isp.ok(&on(&["router", "apply", "R1"]));
    let clean = rules(&stage);
    hand(&stage, "set", "portal", &[("disabled", "yes")]);
    hand(&stage, "move", "rest", &[]);
    hand(&stage, "remove", "dns-udp", &[]);
    let english = stage.isp.ok(&on(&["--lang", "en", "router", "plan", "R1", "--details"]));
    for words in ["disabled: yes -> no", "below a rule that fasttracks", "/ip/firewall/filter rest", "move"] {
        assert!(english.contains(words), "{words}\n{english}");
    }
    let indonesian = stage.isp.ok(&on(&["--lang", "id", "router", "plan", "R1", "--details"]));
    for words in ["disabled: yes -> no", "di bawah aturan fasttrack", "/ip/firewall/filter rest", "pindahkan", "buat"] {
        assert!(indonesian.contains(words), "{words}\n{indonesian}");
    }
    let json = stage.isp.json(&on(&["router", "plan", "R1", "--details"]));
    let moved = json.as_array().unwrap().iter().find(|row| row["action"] == "move").unwrap();
    assert_eq!(moved["what"], "below_fasttrack", "{moved}");
    let (_, err) = stage.isp.exit(0, &[&ON[..], &["--lang", "id", "--at", "09:00", "run"]].concat());
    assert!(err.contains("router.redirect_mended") && err.contains("sudah dipulihkan"), "{err}");
    assert_eq!(rules(&stage), clean);
    let (_, err) = stage.isp.exit(0, &[&ON[..], &["--at", "10:00", "run"]].concat());
    assert!(!err.contains("redirect"), "{err}");
}

#[test]
fn a_firewall_that_refuses_stops_no_line() {
    let stage = stage();
    let refusal = FaultKind::Trap("not enough permissions (9)".to_owned());
    stage.router.inject(Fault::new(refusal).on("/ip/firewall/nat/add").always());
    let (out, err) = stage.isp.exit(5, &on(&["--lang", "id", "--format", "json", "router", "apply", "R1"]));
    assert!(out.contains("\"confirmed\": 3") || out.contains("\"confirmed\":3"), "{out}");
    assert!(err.contains("router.redirect_refused") && err.contains("router.redirect_held"), "{err}");
    assert!(err.contains("aturan di \"/ip/firewall/filter\" yang menutup akses"), "{err}");
    assert!(err.contains("menolak \"web\": \"not enough permissions (9)\""), "{err}");
    assert!(!rules(&stage).contains(&"rest".to_owned()), "{:?}", rules(&stage));
    stage.isp.ok(&on(&["isolate", "P002", "--reason", "sengketa"]));
    stage.isp.exit(0, &[&ON[..], &["--at", "09:00", "run"]].concat());
    assert_eq!(stage.profile("siti@isp"), "isolir");
    let session = stage.router.session("siti@isp").unwrap();
    assert!(session.address.unwrap().starts_with("10.9."), "the pool was made all the same");
}

#[test]
fn switched_off_it_takes_ours_away_and_unset_it_looks_at_nothing() {
    let mut stage = stage();
    stage.isp.ok(&on(&["router", "apply", "R1"]));
    stage.isp.set("ISP_MIKROTIK__REDIRECT__ENABLED", "false");
    let plan = stage.isp.ok(&on(&["--lang", "id", "router", "plan", "R1", "--details"]));
    assert!(plan.contains("tidak diperlukan lagi"), "{plan}");
    // The pool stays.
    assert_eq!(stage.isp.json(&on(&["router", "apply", "R1"]))[0]["rules"], 36);
    assert_eq!(rules(&stage), ["passthrough", "fasttrack-connection"]);
}

#[test]
fn a_rule_of_the_operators_own_that_cuts_off_the_page_is_told_in_both_languages() {
    let stage = stage();
    stage.isp.ok(&on(&["router", "apply", "R1"]));
    stage.runtime.block_on(async {
        let hand = Client::connect(stage.router.options()).await.unwrap();
        let rows = hand.call(&Command::new(&format!("{FILTER}/print")).proplist(&[".id", "comment"])).await.unwrap();
        let rows = rows.into_rows();
        let first = rows.iter().find(|row| row.value("comment") == Some(&b"isp:redirect/dns-udp"[..])).unwrap();
        let before = String::from_utf8(first.value(".id").unwrap().to_vec()).unwrap();
        let drop = Command::new(&format!("{FILTER}/add")).arg("chain", "forward").arg("action", "drop");
        let drop = drop.arg("src-address-list", "ISOLIR").arg("comment", "blokir \"isolir\"");
        hand.call(&drop.arg("place-before", &before)).await.unwrap();
    });
    for (language, words) in [
        ("en", "with the comment \"blokir 'isolir'\" stands above ours and keeps isolated lines from the page"),
        ("id", "dengan komentar \"blokir 'isolir'\" berada di atas aturan kita dan menghalangi"),
    ] {
        let plan = stage.isp.ok(&on(&["--lang", language, "router", "plan", "R1", "--details"]));
        assert!(plan.contains("router.redirect_cut") && plan.contains(words) && !plan.contains("{}"), "{plan}");
    }
}

#[test]
fn a_table_of_a_router_that_is_not_there_is_told() {
    let stage = stage();
    let file = stage.isp.dir().join("isp.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for (address, port) in
        [(stage.router.address().to_string(), 8080), ("10.99.0.1".into(), 81), ("10.99.0.2:8728".into(), 82)]
    {
        text.push_str(&format!("\n[mikrotik.redirect.router.\"{address}\"]\nport = {port}\n"));
    }
    std::fs::write(&file, text).unwrap();
    for (language, words) in [("en", "fits no router"), ("id", "tidak cocok dengan router mana pun")] {
        for command in ["plan", "apply", "check"] {
            let (_, err) = stage.isp.exit(0, &on(&["--lang", language, "router", command, "R1"]));
            for key in ["10.99.0.1", "10.99.0.2:8728"] {
                assert!(err.contains(&format!("[mikrotik.redirect.router.\"{key}\"] {words}")), "{command}: {err}");
            }
            assert_eq!(err.matches(words).count(), 2, "{command}: {err}");
        }
    }
    let (out, _) = stage.isp.exit(5, &on(&["--format", "json", "doctor", "--offline"]));
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["finding"] == "redirect.no_router").unwrap();
    assert_eq!(row["count"], 2, "{row}");
    let what = row["what"].as_str().unwrap();
    assert!(what.contains(r#"mikrotik.redirect.router."10.99.0.1""#), "{what}");
    assert!(!what.contains(&stage.router.address().to_string()), "{what}");
    // The router's own table holds.
    assert_eq!(stage.isp.json(&on(&["router", "plan", "R1"]))[0]["rules"], 0);
}

#[test]
fn settings_that_cannot_be_meant_are_refused_by_their_key() {
    for (name, value, key, english, indonesian) in [
        ("ISP_MIKROTIK__REDIRECT__PORTAL", "halaman", "mikrotik.redirect.portal", "IPv4", "bukan alamat IPv4"),
        ("ISP_MIKROTIK__REDIRECT__PORT", "0", "mikrotik.redirect.port", "not 1 to 65535", "bukan 1 sampai 65535"),
        ("ISP_MIKROTIK__REDIRECT__PORTAL_LIST", "ISOLIR", "mikrotik.redirect.portal_list", "itself", "sama dengan"),
        (
            "ISP_MIKROTIK__REDIRECT__RESOLVERS",
            r#"["127.0.0.1"]"#,
            "mikrotik.redirect.resolvers",
            "cannot ask",
            "yang tidak bisa ditanya",
        ),
        (
            "ISP_MIKROTIK__REDIRECT__RESOLVERS",
            r#"["10.0.0.9","10.0.0.9"]"#,
            "mikrotik.redirect.resolvers",
            "an address twice",
            "satu alamat dua kali",
        ),
        (
            "ISP_MIKROTIK__REDIRECT__RESOLVERS",
            r#"["2001:db8::53"]"#,
            "mikrotik.redirect.resolvers",
            "no IPv4 address",
            "tidak berisi alamat IPv4",
        ),
        (
            "ISP_MIKROTIK__REDIRECT__TLS_HOSTS",
            r#"["*.com"]"#,
            "mikrotik.redirect.tls_hosts",
            "all names of an ending",
            "semua nama dengan satu akhiran",
        ),
        (
            "ISP_MIKROTIK__REDIRECT__POOL_RANGES",
            "10.9.0.2-10.9.0.9,10.9.0.9-10.9.0.20",
            "mikrotik.redirect.pool_ranges",
            "in two ranges",
            "dalam dua rentang",
        ),
        (
            "ISP_MIKROTIK__REDIRECT__POOL_RANGES",
            "10.0.0.2-10.0.0.250",
            "mikrotik.redirect.pool_ranges",
            "address of the page",
            "alamat halaman",
        ),
        (
            "ISP_MIKROTIK__REDIRECT__PAYMENT_HOSTS",
            r#"["*.midtrans.com"]"#,
            "mikrotik.redirect.payment_hosts",
            "tls_hosts",
            "yang tempatnya di tls_hosts",
        ),
    ] {
        let mut stage = stage();
        stage.isp.set(name, value);
        for (language, words) in [("en", english), ("id", indonesian)] {
            let (_, err) = stage.isp.exit(2, &["--lang", language, "router", "plan"]);
            assert!(err.contains(key) && err.contains(words) && err.contains(name), "{err}");
        }
    }
}
