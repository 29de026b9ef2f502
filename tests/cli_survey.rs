//! What `isp run` finds on a router that a hand in Winbox changed, and what "confirmed" means then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cli;

use cli::Stage;
use isp::mikrotik::Client;
use isp::mikrotik::proto::Command;

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
