//! What `isp run` finds on a router that a hand in Winbox changed, and what "confirmed" means then.

use crate::cli::{Isp, SHEETS, Stage};
use isp::mikrotik::Client;
use isp::mikrotik::proto::Command;
use isp::mikrotik::simulator::{SimulatedRouter, Simulation};

/// Changes a property of an object as somebody in Winbox does.
fn by_hand(stage: &Stage, menu: &str, name: &str, change: (&str, &str)) {
    stage.runtime.block_on(async {
        let hand = Client::connect(stage.router.options()).await.unwrap();
        let print = Command::new(&format!("{menu}/print")).proplist(&[".id"]).where_any("name", &[name]);
        let rows = hand.call(&print).await.unwrap().into_rows();
        let id = String::from_utf8(rows[0].value(".id").unwrap().to_vec()).unwrap();
        hand.call(&Command::new(&format!("{menu}/set")).arg(".id", &id).arg(change.0, change.1)).await.unwrap();
    });
}

fn confirmed(stage: &Stage, customer: &str) -> String {
    let lines = stage.isp.json(&["--on", "2026-01-12", "subscription", "list"]);
    let lines = lines.as_array().unwrap();
    let line = lines.iter().find(|line| line["customer"] == customer).unwrap_or_else(|| panic!("{lines:?}"));
    line["confirmed"].as_str().unwrap().to_owned()
}

/// A provider with a pool, whose three lines were served.
fn served() -> Stage {
    let mut stage = Stage::bare();
    stage.isp.set("ISP_MIKROTIK__POOL", "pelanggan");
    stage.isp.set("ISP_MIKROTIK__LOCAL_ADDRESS", "10.20.0.1");
    stage.router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    let stage = stage.provided();
    stage.isp.ok(&["--on", "2026-01-11", "--at", "08:00", "run"]);
    stage
}

#[test]
fn lines_that_were_changed_by_hand_are_brought_back_and_named() {
    let stage = served();
    stage.isp.ok(&["--on", "2026-01-11", "isolate", "P002", "--reason", "sengketa"]);
    stage.isp.ok(&["--on", "2026-01-11", "--at", "09:00", "run"]);
    by_hand(&stage, "/ppp/secret", "siti@isp", ("profile", "home10"));
    by_hand(&stage, "/ppp/secret", "budi@isp", ("disabled", "yes"));
    let run = ["--on", "2026-01-11", "--at", "10:00", "run"];
    let (out, err) = stage.isp.exit(0, &run);
    assert!(
        out.contains("3 langganan dibaca, 2 berbeda, 2 dikembalikan")
            || out.contains("3 lines read, 2 differed, 2 brought back"),
        "{out}"
    );
    assert!(err.contains("siti@isp") && err.contains("budi@isp") && !err.contains("eko@isp"), "{err}");
    assert_eq!(stage.profile("siti@isp"), "isolir");
    assert!(!stage.router.secret("budi@isp").unwrap().disabled);
    assert_eq!((confirmed(&stage, "P001"), confirmed(&stage, "P002")), ("yes".into(), "yes".into()));
    let (out, err) = stage.isp.exit(0, &["--on", "2026-01-11", "--at", "11:00", "run"]);
    assert!(out.contains(" 0 berbeda") || out.contains(" 0 differed"), "{out}{err}");
}

#[test]
fn a_router_that_lost_everything_is_brought_back_by_one_run() {
    let stage = served();
    stage.isp.ok(&["--on", "2026-01-11", "isolate", "P002", "--reason", "sengketa"]);
    stage.isp.ok(&["--on", "2026-01-11", "--at", "09:00", "run"]);
    for name in ["budi@isp", "siti@isp", "eko@isp"] {
        stage.router.force_remove("/ppp/secret", name);
    }
    for name in ["home10", "home20", "isolir"] {
        stage.router.force_remove("/ppp/profile", name);
    }
    stage.isp.exit(0, &["--on", "2026-01-11", "--at", "10:00", "run"]);
    let profiles = ["budi@isp", "siti@isp", "eko@isp"].map(|name| stage.profile(name));
    assert_eq!(profiles, ["home20", "isolir", "home10"]);
}

#[test]
fn what_cannot_be_brought_back_is_named_and_not_confirmed() {
    let stage = served();
    assert_eq!(confirmed(&stage, "P001"), "yes");
    by_hand(&stage, "/ppp/secret", "budi@isp", ("comment", "bukan kami"));
    let (_, err) = stage.isp.exit(5, &["--on", "2026-01-11", "--at", "10:00", "run"]);
    assert!(err.contains("budi@isp") && err.contains("router.account_not_ours"), "{err}");
    assert_eq!(confirmed(&stage, "P001"), "no");
    // `apply` says the same, and what it was refused is not confirmed either.
    let (_, err) = stage.isp.exit(5, &["--on", "2026-01-11", "--at", "11:00", "router", "apply", "R1"]);
    assert!(err.contains("budi@isp"), "{err}");
    assert_eq!(confirmed(&stage, "P001"), "no");
    by_hand(&stage, "/ppp/secret", "siti@isp", ("comment", ""));
    stage.isp.exit(5, &["--on", "2026-01-11", "--at", "11:00", "router", "apply", "R1"]);
    assert_eq!(confirmed(&stage, "P002"), "no", "refused of the same revision");
}

#[test]
fn a_new_speed_of_a_package_waits_for_the_router_and_is_counted() {
    let stage = served();
    let out = stage.isp.ok(&["--on", "2026-01-11", "--at", "08:30", "package", "edit", "HOME10", "--speed", "15M"]);
    assert!(out.contains(" 2 "), "{out}");
    assert_eq!((confirmed(&stage, "P001"), confirmed(&stage, "P003")), ("yes".into(), "no".into()));
    let report = stage.isp.json(&["--on", "2026-01-11", "--at", "09:00", "deliver"]);
    assert_eq!(report[0]["applied"], 2);
    assert_eq!(stage.router.session("eko@isp").unwrap().rate_limit.as_deref(), Some("15M/15M"));
    assert_eq!(confirmed(&stage, "P003"), "yes");
}

#[test]
fn a_check_says_what_keeps_customers_off_line() {
    let stage = Stage::new();
    stage.isp.exit_any(&[0, 5], &["--on", "2026-01-11", "run"]);
    let (out, err) = stage.isp.exit(5, &["router", "check", "R1"]);
    assert!(
        out.contains("7.21.5") && err.contains("router.profile_no_pool") && err.contains("mikrotik.pool"),
        "{out}{err}"
    );
    let stage = served();
    let (_, err) = stage.isp.exit(0, &["router", "check"]);
    assert_eq!(err, "");
}

/// Another router beside that of the stage.
fn another_router(stage: &Stage, identity: &str) -> SimulatedRouter {
    let simulation = Simulation {
        identity: identity.into(),
        serial: Some(format!("{identity}-serial")),
        user: "isp".into(),
        password: "rahasia-router".into(),
        ..Simulation::default()
    };
    let router = stage.runtime.block_on(SimulatedRouter::start(simulation)).unwrap();
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    router
}

/// Sends a router's code to another address.
fn address(stage: &Stage, code: &str, router: &SimulatedRouter) {
    let address = router.address().to_string();
    stage.isp.ok(&["router", "edit", code, "--address", &address, "--password", "rahasia-router"]);
}

#[test]
fn routers_whose_addresses_were_swapped_get_nobody_elses_accounts() {
    let stage = served();
    let isp = &stage.isp;
    let second = another_router(&stage, "menara-2");
    let at = second.address().to_string();
    let add = ["router", "add", "R2", "--site", "BDG", "--address", &at, "--username", "isp"];
    isp.ok(&[&add[..], &["--password", "rahasia-router"]].concat());
    isp.ok(&["--on", "2026-01-11", "--at", "10:00", "run"]);

    address(&stage, "R1", &second);
    address(&stage, "R2", &stage.router);
    isp.ok(&["--on", "2026-01-11", "--at", "10:30", "isolate", "P002", "--reason", "sengketa"]);
    let (_, err) = isp.exit(5, &["--lang", "en", "--on", "2026-01-11", "--at", "11:00", "run"]);
    assert!(err.contains("another machine answers there than before") && err.contains("menara-2"), "{err}");
    assert!(err.contains("it is known as router: R1") && err.contains("isp router confirm"), "{err}");
    for command in [&["router", "apply"][..], &["router", "plan"], &["router", "check"], &["deliver"]] {
        let (_, err) = isp.exit(5, &[&["--on", "2026-01-11", "--at", "12:30"], command].concat());
        assert!(err.contains("bukan mesin yang dulu"), "{command:?}: {err}");
    }
    // Nor are the accounts of one router proposed as lines of the other.
    for command in ["import-secrets", "import-lines"] {
        let propose = ["--on", "2026-01-11", "router", command, "R1", "--out", "proposed.csv"];
        let said = isp.fails(6, &propose, "cli.router");
        assert!(said.contains("bukan mesin yang dulu"), "{command}: {said}");
        assert!(!isp.dir().join("proposed.csv").exists());
    }
    assert_eq!((second.secrets().len(), stage.profile("siti@isp").as_str()), (0, "home10"));

    // The addresses are corrected, and everything goes on.
    address(&stage, "R1", &stage.router);
    address(&stage, "R2", &second);
    isp.ok(&["--on", "2026-01-11", "--at", "13:00", "run"]);
    assert_eq!((second.secrets().len(), stage.profile("siti@isp").as_str()), (0, "isolir"));
    // A new name is no new machine.
    stage.runtime.block_on(async {
        let hand = Client::connect(stage.router.options()).await.unwrap();
        hand.call(&Command::new("/system/identity/set").arg("name", "menara-1-baru")).await.unwrap();
    });
    isp.ok(&["--on", "2026-01-11", "--at", "14:00", "run"]);

    // The router is replaced by a new one: a person says so, and its lines are brought there.
    let new = another_router(&stage, "menara-3");
    address(&stage, "R1", &new);
    isp.exit(5, &["--on", "2026-01-11", "--at", "15:00", "run"]);
    assert_eq!(new.secrets().len(), 0);
    let said = isp.ok(&["--lang", "en", "--on", "2026-01-11", "router", "confirm", "R1"]);
    assert!(said.contains("menara-3 (menara-3-serial)") && said.contains("menara-1-baru"), "{said}");
    isp.ok(&["--on", "2026-01-11", "--at", "16:00", "run"]);
    assert_eq!(new.secrets().len(), 3);
    let said = isp.ok(&["--on", "2026-01-11", "router", "confirm", "R1"]);
    assert!(said.contains("Router R1 adalah menara-3"), "{said}");
}

#[test]
fn a_database_that_was_lost_takes_its_own_marks_back_and_no_others() {
    let stage = served();
    stage.isp.ok(&["--on", "2026-01-11", "isolate", "P002", "--reason", "sengketa"]);
    stage.isp.ok(&["--on", "2026-01-11", "--at", "09:00", "run"]);
    let of_another = b"isp:0123456789ab Bu Rina".as_slice();
    stage.router.force("/ppp/secret", &[("name", b"rina"), ("password", b"x"), ("comment", of_another)]).unwrap();
    by_hand(&stage, "/ppp/secret", "eko@isp", ("password", "diganti"));
    let before: Vec<_> = stage.router.secrets().into_iter().map(|secret| (secret.name, secret.comment)).collect();

    // The same spreadsheets in a new database.
    let mut isp = Isp::new();
    isp.set("ISP_MIKROTIK__POOL", "pelanggan");
    isp.set("ISP_MIKROTIK__LOCAL_ADDRESS", "10.20.0.1");
    isp.init();
    isp.write(SHEETS);
    isp.write(&[("routers.csv", &SHEETS[1].1.replace("127.0.0.1:1", &stage.router.address().to_string()))]);
    isp.ok(&["--on", "2026-01-11", "import", "sheets"]);
    let (_, err) = isp.exit(5, &["--on", "2026-01-11", "--at", "10:00", "run"]);
    assert!(err.contains("router.account_of_another"), "{err}");

    let on = ["--lang", "en", "--on", "2026-01-11"];
    let (out, err) = isp.exit(0, &[&on[..], &["router", "reclaim", "R1"]].concat());
    assert!(out.contains("2 marks on router R1 can be taken") && err.contains("1 marks name lines"), "{out}{err}");
    let now: Vec<_> = stage.router.secrets().into_iter().map(|secret| (secret.name, secret.comment)).collect();
    assert_eq!(now, before, "showing changes nothing");

    let rows = isp.json(&["--on", "2026-01-11", "router", "reclaim", "R1", "--take"]);
    let action = |name: &str| {
        let row = rows.as_array().unwrap().iter().find(|row| row["account"] == name).unwrap();
        row["action"].as_str().unwrap().to_owned()
    };
    assert_eq!(["budi@isp", "siti@isp", "eko@isp", "rina"].map(action), ["take", "take", "leave", "stranger"]);
    // Nothing but the marks changed: who was isolated still is.
    assert_eq!(stage.profile("siti@isp"), "isolir");
    isp.exit(5, &["--on", "2026-01-11", "--at", "11:00", "run"]);
    assert_eq!((stage.profile("siti@isp").as_str(), stage.profile("budi@isp").as_str()), ("home10", "home20"));
    assert!(stage.router.secret("eko@isp").unwrap().password_is("diganti"));

    isp.ok(&["--on", "2026-01-11", "router", "reclaim", "R1", "--take", "--all"]);
    isp.ok(&["--on", "2026-01-11", "--at", "12:00", "run"]);
    assert!(stage.router.secret("eko@isp").unwrap().password_is("pw-eko-3"));
    assert_eq!(stage.router.secret("rina").unwrap().comment, of_another);
    let again = isp.json(&["--on", "2026-01-11", "router", "reclaim", "R1", "--take", "--all"]);
    assert_eq!(again.as_array().map(Vec::len), Some(1), "{again}");
}
