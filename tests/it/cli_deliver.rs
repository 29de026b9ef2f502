//! The binary against a RouterOS and a Cloud API on loopback sockets.

use crate::cli::Stage;
use isp::core::ids::TenantId;

#[test]
fn a_month_on_real_sockets() {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-05", "run"]);
    assert_eq!((stage.profile("budi@isp"), stage.profile("siti@isp")), ("home20".into(), "home10".into()));
    assert!(stage.router.secret("budi@isp").unwrap().password_is("pw-budi-1"));
    let plan = isp.json(&["router", "plan"]);
    assert_eq!((plan[0]["created"].as_i64(), plan[0]["changed"].as_i64()), (Some(0), Some(0)), "{plan}");

    // The 12th: the invoice of P002 falls due in three days. Twice the same day is one message.
    isp.ok(&["--on", "2026-01-12", "run"]);
    isp.ok(&["--on", "2026-01-12", "run"]);
    assert_eq!(stage.messages().len(), 1, "{:?}", stage.messages());

    // The 21st: both are overdue for more than five days.
    isp.ok(&["--on", "2026-01-21", "run"]);
    assert_eq!((stage.profile("budi@isp"), stage.profile("siti@isp")), ("isolir".into(), "isolir".into()));
    let isolated = isp.json(&["subscription", "list", "--access", "isolated"]);
    assert!(isolated.as_array().unwrap().iter().all(|line| line["confirmed"] == "yes"), "{isolated}");

    // A payment while the router is dead is not lost: it reopens when the router is back.
    stage.router.down();
    isp.ok(&["--on", "2026-01-22", "payment", "add", "P001", "165000", "--reference", "KW-1"]);
    isp.exit(5, &["--on", "2026-01-22", "deliver"]);
    assert!(isp.ok(&["--on", "2026-01-22", "explain", "P001"]).starts_with("Layanan terbuka"));
    stage.router_up();
    isp.ok(&["--on", "2026-01-22", "--at", "13:00", "deliver"]);
    assert_eq!((stage.profile("budi@isp"), stage.profile("siti@isp")), ("home20".into(), "isolir".into()));

    // Isolated by hand: only a hand reopens.
    isp.ok(&["--on", "2026-01-23", "--by", "Sari", "isolate", "P001", "--reason", "menjual ulang"]);
    isp.ok(&["--on", "2026-01-23", "deliver"]);
    assert_eq!(stage.profile("budi@isp"), "isolir");
    assert!(isp.ok(&["--on", "2026-01-23", "--at", "13:00", "explain", "P001"]).contains("oleh Sari"));
    isp.ok(&["--on", "2026-01-24", "reopen", "P001", "--reason", "sudah dibicarakan"]);
    isp.ok(&["--on", "2026-01-24", "deliver"]);
    assert_eq!(stage.profile("budi@isp"), "home20");
    assert_eq!(stage.whatsapp.duplicates(), []);
    let unfinished: Vec<_> =
        isp.json(&["outbox", "list", "--topic", "access", "--state", "pending"]).as_array().unwrap().clone();
    assert_eq!(unfinished.len(), 0, "{unfinished:?}");
}

/// What somebody changed on the router is seen and mended; what somebody made by hand is only taken over on request.
#[test]
fn drift_is_planned_and_applied_and_strangers_are_left_alone() {
    let stage = Stage::new();
    let isp = &stage.isp;
    let profile: &[(&str, &[u8])] = &[("name", b"eko@isp"), ("password", b"other"), ("profile", b"default")];
    stage.router.force("/ppp/secret", profile).unwrap();
    let (_, err) = isp.exit(5, &["--on", "2026-01-10", "router", "apply", "R1"]);
    assert!(err.contains("eko@isp") && !err.contains("pw-eko-3"), "{err}");
    assert_eq!((stage.profile("budi@isp"), stage.profile("eko@isp")), ("home20".into(), "default".into()));
    let details = isp.ok(&["router", "plan", "--details"]);
    assert!(details.contains("bentrok") && details.contains("eko@isp"), "{details}");

    let stranger: &[(&str, &[u8])] =
        &[("name", b"rina01"), ("password", b"x"), ("comment", b"Bu Rina - 0812 9999 8888")];
    stage.router.force("/ppp/secret", stranger).unwrap();
    let files = ["--out", "proposed.csv", "--customers", "new.csv", "--packages", "packages.csv"];
    let shown = isp.ok(&[&["--on", "2026-01-10", "router", "import-secrets", "R1"], &files[..]].concat());
    assert!(shown.contains("cocok") && shown.contains("100") && shown.contains("Bu Rina"), "{shown}");
    let file = |name: &str| std::fs::read_to_string(isp.dir().join(name)).unwrap();
    assert!(file("proposed.csv").contains("rina01,default,R1,rina01,x,2026-01-10,,"), "{}", file("proposed.csv"));
    assert_eq!(file("new.csv"), "id_pelanggan,nama,alamat,telepon\nrina01,Bu Rina,Bandung,0812-9999-8888\n");
    assert!(file("packages.csv").contains("default,default,,,default"), "{}", file("packages.csv"));
    // What is proposed is imported as it is, when the price is given.
    let again = ["--out", "s.csv", "--customers", "c.csv", "--packages", "p.csv", "--price", "10M=150000"];
    let wati: &[(&str, &[u8])] =
        &[("name", b"wati"), ("password", b"=1+2"), ("profile", b"10M"), ("disabled", b"true"), ("service", b"pppoe")];
    stage.router.force("/ppp/profile", &[("name", b"10M"), ("rate-limit", b"5M/10M")]).unwrap();
    stage.router.force("/ppp/profile", &[("name", b"ISOLIR"), ("rate-limit", b"64k/64k")]).unwrap();
    stage.router.force("/ppp/secret", wati).unwrap();
    let tunnel: &[(&str, &[u8])] = &[("name", b"vpn-kantor"), ("password", b"x"), ("service", b"l2tp")];
    stage.router.force("/ppp/secret", tunnel).unwrap();
    stage.router.force("/ppp/secret", &[("name", b"off"), ("password", b"y"), ("profile", b"ISOLIR")]).unwrap();
    stage.router.force_remove("/ppp/secret", "rina01");
    stage.router.force_remove("/ppp/secret", "eko@isp");
    let (shown, told) = isp.exit(0, &[&["--on", "2026-01-10", "router", "import-secrets", "R1"], &again[..]].concat());
    assert!(shown.contains("dimatikan") && shown.contains("diisolir") && told.contains("vpn-kantor"), "{shown}{told}");
    assert!(!shown.contains("vpn-kantor") && !file("p.csv").contains("ISOLIR"), "{shown}{}", file("p.csv"));
    let lines = file("s.csv").replace("off,,R1,off", "off,10M,R1,off");
    std::fs::write(isp.dir().join("s.csv"), &lines).unwrap();
    let import = ["--subscriptions", "s.csv", "--customers", "c.csv", "--packages", "p.csv"];
    isp.ok(&[&["--on", "2026-01-10", "import"], &import[..]].concat());
    assert_eq!(isp.json(&["subscription", "show", "wati"])[0]["username"], "wati", "{lines}");
    for name in ["wati", "vpn-kantor", "off"] {
        stage.router.force_remove("/ppp/secret", name);
    }
    isp.ok(&["--on", "2026-01-10", "subscription", "terminate", "wati"]);
    isp.ok(&["--on", "2026-01-10", "subscription", "terminate", "off"]);
    stage.router.force("/ppp/secret", profile).unwrap();

    isp.ok(&["router", "import-secrets", "R1", "--out", "found.csv"]);
    let found = std::fs::read_to_string(isp.dir().join("found.csv")).unwrap();
    assert_eq!(found.lines().count(), 2, "only the account that is not ours: {found}");
    assert!(found.contains(",R1,eko@isp,"), "{found}");
    isp.fails(6, &["router", "import-secrets", "R1", "--out", "found.csv"], "cli.file");

    isp.exit(5, &["--on", "2026-01-10", "run"]);
    isp.ok(&["--on", "2026-01-10", "router", "apply", "R1", "--adopt"]);
    assert_eq!(stage.profile("eko@isp"), "home10");
    stage.router.force_remove("/ppp/secret", "budi@isp");
    assert_eq!(isp.json(&["router", "plan"])[0]["created"], 1);
    isp.ok(&["router", "apply"]);
    assert_eq!(stage.profile("budi@isp"), "home20");
}

/// A router that people filled by hand: what is proposed of it is imported as it is, and leaves nothing to change there.
#[test]
fn what_is_proposed_of_a_filled_router_is_what_the_router_has() {
    let stage = Stage::new();
    let isp = &stage.isp;
    let rates = [("Rumah 10M (#1)", "5M/10M"), ("Ngebut +", "5M/10M 8M/16M 4M/8M 8/8")];
    for (name, rate) in rates {
        stage.router.force("/ppp/profile", &[("name", name.as_bytes()), ("rate-limit", rate.as_bytes())]).unwrap();
    }
    let accounts = [
        ("Pak Budi (RT 3) #2", " dua kata ", rates[0].0),
        ("Pak Budi (RT 3) +2", "=1+2", rates[0].0),
        ("+62 rumah:b", "'x'", rates[1].0),
        ("00:0C:42:AA:BB:01", "00123", rates[1].0),
    ];
    for (name, password, profile) in accounts {
        let values = [("name", name), ("password", password), ("profile", profile), ("service", "pppoe")];
        stage.router.force("/ppp/secret", &values.map(|(key, value)| (key, value.as_bytes()))).unwrap();
    }
    let propose = ["--on", "2026-01-10", "router", "import-secrets", "R1", "--out", "s.csv", "--customers", "c.csv"];
    let prices = ["--packages", "p.csv", "--price", "Rumah 10M (#1)=150000", "--price", "Ngebut +=200000"];
    let shown = isp.ok(&[&propose[..], &prices[..]].concat());
    assert!(shown.contains("Pak Budi (RT 3) #2"), "{shown}");
    let files = ["--subscriptions", "s.csv", "--customers", "c.csv", "--packages", "p.csv"];
    isp.ok(&[&["--on", "2026-01-10", "import"], &files[..]].concat());
    assert_eq!(isp.json(&["subscription", "show", "Pak-Budi-RT-3-2"])[0]["username"], accounts[0].0);
    assert_eq!(isp.json(&["subscription", "show", "Pak-Budi-RT-3-2-2"])[0]["username"], accounts[1].0);
    // Imported twice, nothing changes.
    isp.ok(&[&["--on", "2026-01-10", "import"], &files[..]].concat());

    let before: Vec<_> = accounts.map(|(name, ..)| stage.router.secret(name).unwrap()).into();
    isp.ok(&["--on", "2026-01-10", "router", "apply", "R1", "--adopt"]);
    for ((name, password, profile), old) in accounts.into_iter().zip(before) {
        let now = stage.router.secret(name).unwrap();
        assert_eq!((now.id.as_str(), now.profile.as_str(), now.disabled), (old.id.as_str(), profile, false), "{name}");
        assert!(now.password_is(password), "{name}");
    }
    let plan = isp.json(&["router", "plan"]);
    assert_eq!((plan[0]["created"].as_i64(), plan[0]["changed"].as_i64()), (Some(0), Some(0)), "{plan}");
}

/// More isolations than the breaker lets through: none is done until a person approves.
#[test]
fn a_breaker_stops_and_asks() {
    let stage = Stage::new();
    let mut isp = stage.isp;
    isp.ok(&["--on", "2026-01-05", "run"]);
    isp.set("ISP_POLICY__ISOLATION__BREAKER_COUNT", "1");
    // A dry run says which of them would be held, and what it comes to.
    let dry = isp.ok(&["--lang", "en", "--on", "2026-01-21", "run", "--dry-run"]);
    assert!(dry.contains("held back by the breaker: isp run --approve R1"), "{dry}");
    assert!(dry.contains("2 isolations (2 of them held back)"), "{dry}");
    let dry = isp.ok(&["--lang", "en", "--on", "2026-01-21", "run", "--dry-run", "--approve", "R1"]);
    assert!(dry.contains("2 isolations, ") && !dry.contains("held back"), "{dry}");
    let (_, err) = isp.exit(7, &["--on", "2026-01-21", "run"]);
    assert!(err.contains("--approve") && err.contains("R1"), "{err}");
    assert_eq!(stage.router.secret("budi@isp").unwrap().profile, "home20");
    isp.ok(&["--on", "2026-01-21", "--at", "13:00", "run", "--approve", "R1"]);
    assert_eq!(stage.router.secret("budi@isp").unwrap().profile, "isolir");
}

/// While a run is under way a second one is refused; it is free again when the first is gone.
#[test]
fn a_second_run_is_told_that_the_first_is_under_way() {
    let stage = Stage::new();
    let url = format!("sqlite:{}", stage.isp.dir().join("isp.db").display());
    let vault = isp::store::Vault::from_file(stage.isp.dir().join("isp.key")).unwrap();
    let (store, guard) = stage.runtime.block_on(async {
        let store = isp::store::open(&url, vault).await.unwrap();
        let guard = store.begin_run(TenantId::DEFAULT, isp_core::testing::sample::TERM).await.unwrap();
        (store, guard)
    });
    stage.isp.fails(8, &["--on", "2026-01-05", "run"], "store.busy");
    stage.runtime.block_on(guard.end()).unwrap();
    stage.isp.ok(&["--on", "2026-01-05", "run"]);
    drop(store);
}

/// A simulated router from the command line answers like one, and ends when it is told to.
#[test]
fn a_router_can_be_simulated_from_the_command_line() {
    use isp::mikrotik::menu::{count, counted, ppp::secret, system};
    use isp::mikrotik::{Client, ConnectOptions};
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let isp = crate::cli::Isp::new();
    let arguments = ["--lang", "en", "simulate-router", "--port", "0", "--accounts", "7", "--version", "7.9"];
    let mut child = isp.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address =
        line.split([' ', ',']).find(|word| word.starts_with("127.0.0.1:")).unwrap_or_else(|| panic!("{line}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = ConnectOptions::new(address, "isp", "simulated".to_owned().into());
        let client = Client::connect(options).await.unwrap();
        let resource = system::Resource::from_reply(&client.call(&system::resource()).await.unwrap());
        assert_eq!(resource.version, "7.9 (stable)");
        let asked = count(secret::MENU);
        assert_eq!(counted(&asked, &client.call(&asked).await.unwrap()).unwrap(), 7);
    });
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

/// Taking a router over opens nobody whom its owner had shut out, unless told so.
#[test]
fn adopting_keeps_shut_who_was_shut_out_by_hand() {
    let stage = Stage::new();
    let isp = &stage.isp;
    let secret = |name: &'static [u8], password: &'static [u8]| {
        let values: &[(&str, &[u8])] = &[("name", name), ("password", password), ("disabled", b"true")];
        stage.router.force("/ppp/secret", values).unwrap();
    };
    secret(b"budi@isp", b"pw-budi-1");
    secret(b"siti@isp", b"pw-siti-2");
    let (_, told) = isp.exit(0, &["--on", "2026-01-10", "router", "apply", "R1", "--adopt"]);
    assert!(told.contains("budi@isp") && told.contains("siti@isp"), "{told}");
    assert_eq!((stage.profile("budi@isp"), stage.profile("siti@isp")), ("isolir".into(), "isolir".into()));
    assert!(isp.ok(&["--on", "2026-01-10", "--at", "13:00", "explain", "P001"]).contains("diisolir"));
    isp.ok(&["--on", "2026-01-11", "reopen", "P001", "--reason", "sudah lunas"]);
    isp.ok(&["--on", "2026-01-11", "deliver"]);
    assert_eq!((stage.profile("budi@isp"), stage.profile("siti@isp")), ("home20".into(), "isolir".into()));
    assert!(!stage.router.secret("budi@isp").unwrap().disabled);
}
