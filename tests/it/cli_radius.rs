//! A router whose lines are in FreeRADIUS: a month from the command line, and what it says when RADIUS is not asked.

use crate::cli::Isp;
use crate::radius::Stage;
use isp::mikrotik::simulator::{SimulatedRouter, Simulation};
use tokio::runtime::Runtime;

/// A provider with one line, `budi`, on a router that asks RADIUS.
fn provider(runtime: &Runtime) -> (Isp, Stage, SimulatedRouter) {
    let (stage, router) =
        runtime.block_on(async { (Stage::new().await, SimulatedRouter::start(Simulation::default()).await.unwrap()) });
    let isp = Isp::new();
    isp.init();
    let settings = isp.dir().join("isp.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let (database, port) = (stage.settings.database.reveal(), stage.nas.address().port());
    let radius = format!(
        "\n[radius]\ndatabase = \"{database}\"\n[radius.nas.\"127.0.0.1\"]\nport = {port}\nsecret = \"{}\"\n",
        crate::radius::SECRET
    );
    std::fs::write(settings, text + &radius).unwrap();
    isp.ok(&["site", "add", "A", "--name", "A"]);
    let address = router.address().to_string();
    isp.ok(&[
        "router",
        "add",
        "R1",
        "--site",
        "A",
        "--address",
        &address,
        "--username",
        "api",
        "--password",
        "simulated",
    ]);
    isp.ok(&["--on", "2026-05-01", "package", "add", "P", "--name", "P", "--price", "100000", "--speed", "10/5"]);
    isp.ok(&["customer", "add", "C1", "--name", "Budi", "--address", "Jalan"]);
    isp.write(&[(
        "subscriptions.csv",
        "id_pelanggan,paket,router,username,password,mulai\nC1,P,R1,budi,pw-budi,2026-05-01\n",
    )]);
    isp.ok(&["--on", "2026-05-01", "import", "sheets"]);
    (isp, stage, router)
}

fn confirmed(isp: &Isp) -> String {
    isp.json(&["subscription", "list"])[0]["confirmed"].as_str().unwrap().to_owned()
}

fn group(runtime: &Runtime, stage: &Stage) -> String {
    let sql = "SELECT groupname FROM radusergroup WHERE username = 'budi'";
    runtime.block_on(stage.text(sql))
}

#[test]
fn a_line_in_radius_is_isolated_and_reopened() {
    let runtime = Runtime::new().unwrap();
    let (isp, stage, router) = provider(&runtime);
    isp.ok(&["--on", "2026-05-01", "run"]);
    assert_eq!((group(&runtime, &stage), confirmed(&isp)), ("isp:P".into(), "yes".into()));
    assert!(router.secrets().is_empty(), "nothing of it is on the router");

    stage.nas.dial("budi");
    // Due on the 11th; Monday the 18th is the first day on which isolation is allowed.
    isp.ok(&["--on", "2026-05-18", "run"]);
    assert_eq!((group(&runtime, &stage), confirmed(&isp)), ("isp:isolir".into(), "yes".into()));
    assert!(!stage.nas.is_online("budi"));

    // Paid while the NAS does not answer: the line is not called open before its session is ended.
    stage.nas.dial("budi");
    stage.nas.set_silent(true);
    isp.ok(&["--on", "2026-05-18", "payment", "add", "C1", "111000", "--reference", "T1"]);
    let (_, told) = isp.exit(5, &["--lang", "en", "--on", "2026-05-18", "deliver"]);
    assert!(told.contains("R1") && told.contains("does not answer to Disconnect-Request"), "{told}");
    assert_eq!(confirmed(&isp), "no");
    stage.nas.set_silent(false);
    isp.ok(&["--on", "2026-05-18", "--at", "12:30", "deliver"]);
    assert_eq!((group(&runtime, &stage), confirmed(&isp)), ("isp:P".into(), "yes".into()));
    assert!(!stage.nas.is_online("budi"));
}

/// RADIUS isolates IPv4 only. A router that gives customers IPv6 is named.
#[test]
fn ipv6_of_a_router_whose_lines_are_in_radius_is_told() {
    let runtime = Runtime::new().unwrap();
    let (isp, _stage, router) = provider(&runtime);
    let told = |isp: &Isp| {
        let output = isp.run(&["--lang", "en", "--on", "2026-05-01", "run"]);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    assert!(!told(&isp).contains("IPv6"));
    router.force("/ipv6/dhcp-server", &[("name", b"v6"), ("interface", b"bridge"), ("disabled", b"false")]);
    assert!(told(&isp).contains("IPv6"), "{}", told(&isp));
}

/// RouterOS asks RADIUS only for names that it does not know itself.
#[test]
fn an_account_left_on_the_router_is_never_called_isolated() {
    let runtime = Runtime::new().unwrap();
    let (isp, _stage, router) = provider(&runtime);
    router.force("/ppp/secret", &[("name", b"budi"), ("password", b"pw-budi"), ("profile", b"default")]);
    let (_, told) = isp.exit(5, &["--lang", "en", "--on", "2026-05-01", "run"]);
    assert!(told.contains("budi") && told.contains("on the router itself"), "{told}");
    assert_eq!(confirmed(&isp), "no");

    // Plan and apply would make such accounts, so they keep off.
    for command in ["plan", "apply"] {
        let output = isp.run(&["--lang", "en", "--on", "2026-05-01", "router", command]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("its lines are in RADIUS"), "{command}: {told}");
    }
    assert_eq!(router.secrets().len(), 1);
    router.force_remove("/ppp/secret", "budi");
    isp.ok(&["--on", "2026-05-01", "run"]);
    assert_eq!(confirmed(&isp), "yes");

    let shown = isp.ok(&["config", "show"]);
    assert!(!shown.contains(crate::radius::SECRET), "{shown}");
}

#[test]
fn a_wrong_address_of_a_nas_is_told_and_one_with_a_port_is_taken() {
    let runtime = Runtime::new().unwrap();
    let (isp, stage, router) = provider(&runtime);
    let settings = isp.dir().join("isp.toml");
    let good = std::fs::read_to_string(&settings).unwrap();
    let named = |address: &str| good.replace("[radius.nas.\"127.0.0.1\"]", &format!("[radius.nas.\"{address}\"]"));
    // As `isp router list` shows it.
    std::fs::write(&settings, named(&router.address().to_string())).unwrap();
    isp.ok(&["--on", "2026-05-01", "run"]);
    assert_eq!((group(&runtime, &stage), confirmed(&isp)), ("isp:P".into(), "yes".into()));
    assert!(router.secrets().is_empty());

    std::fs::write(&settings, named("10.9.9.9")).unwrap();
    let output = isp.run(&["--lang", "en", "--on", "2026-05-01", "deliver"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("[radius.nas.\"10.9.9.9\"] fits no router"), "{told}");

    let without = good.lines().filter(|line| !line.starts_with("database = \"postgres")).collect::<Vec<_>>().join("\n");
    std::fs::write(&settings, without).unwrap();
    let told = isp.fails(2, &["--lang", "en", "router", "list"], "cli.config");
    assert!(told.contains("radius.database"), "{told}");
}
