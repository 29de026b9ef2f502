//! Lines that nobody logs in for, from the command line to the router: static addresses and DHCP leases.

use crate::cli::Stage;

const MAC: &str = "AA:BB:CC:00:11:22";
const LIST: &str = "ISOLIR";

/// Three lines by spreadsheet, one of each way onto the network.
fn stage() -> Stage {
    let stage = Stage::bare();
    stage.isp.init();
    let address = stage.router.address().to_string();
    stage.isp.write(crate::cli::SHEETS);
    let routers = format!("kode;site;alamat;username;password\nR1;BDG;{address};isp;rahasia-router\n");
    let lines = "id_pelanggan,paket,router,cara_akses,username,password,ip,mac,mulai\n\
        P001,HOME20,R1,,,,10.20.0.7,,2026-01-01\n\
        P002,HOME10,R1,dhcp,,,10.20.0.8,aa-bb-cc-00-11-22,2026-01-01\n\
        P003,HOME10,R1,,eko@isp,pw-eko-3,10.9.9.9,,2026-01-01\n";
    stage.isp.write(&[("routers.csv", &routers), ("subscriptions.csv", lines)]);
    stage.isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    stage
}

fn felt(stage: &Stage, address: &str) -> (Option<String>, bool) {
    stage.router.felt(address, LIST)
}

#[test]
fn they_are_imported_served_isolated_and_opened() {
    let stage = stage();
    let isp = &stage.isp;
    let lines = isp.json(&["subscription", "list"]);
    let kept: Vec<_> =
        lines.as_array().unwrap().iter().map(|l| (&l["username"], &l["service"], &l["ip_address"])).collect();
    let shown = format!("{kept:?}");
    for part in
        [r#"String("10.20.0.7"), String("static"), String("10.20.0.7")"#, MAC, r#"String("dhcp"), String("10.20.0.8")"#]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains(r#"String("eko@isp"), String("pppoe"), Null"#), "{shown}");

    let plan = isp.ok(&["--lang", "en", "--on", "2026-01-01", "router", "plan", "R1", "--details"]);
    assert!(plan.contains("10.20.0.7") && plan.contains(MAC) && plan.contains("10M/20M"), "{plan}");
    isp.ok(&["--on", "2026-01-01", "run"]);
    stage.router.plug_dhcp(MAC, "10.20.0.200");
    assert_eq!(felt(&stage, "10.20.0.7"), (Some("10M/20M".to_owned()), false));
    assert_eq!(felt(&stage, "10.20.0.8"), (Some("10M/10M".to_owned()), false));
    assert!(isp.json(&["subscription", "list"]).as_array().unwrap().iter().all(|l| l["confirmed"] == "yes"));

    // Nobody pays January: after the grace both are shut in.
    for day in ["2026-01-12", "2026-01-21"] {
        isp.ok(&["--on", day, "run"]);
    }
    assert!(felt(&stage, "10.20.0.7").1 && felt(&stage, "10.20.0.8").1);
    let told = isp.ok(&["--lang", "en", "--on", "2026-01-21", "--at", "13:00", "explain", "P001"]);
    assert!(told.contains("isolated"), "{told}");

    for (customer, amount) in [("P001", "165000"), ("P002", "111000")] {
        isp.ok(&["--on", "2026-01-22", "payment", "add", customer, amount, "--reference", customer]);
    }
    isp.ok(&["--on", "2026-01-22", "--at", "13:00", "deliver"]);
    assert!(!felt(&stage, "10.20.0.7").1 && !felt(&stage, "10.20.0.8").1);
}

#[test]
fn another_way_onto_the_network_leaves_nothing_behind() {
    let stage = stage();
    let isp = &stage.isp;
    let on = |arguments: &[&str]| isp.ok(&[&["--on", "2026-01-02"], arguments].concat());
    on(&["run"]);
    // To another address, to a lease, to PPPoE and back.
    on(&["subscription", "edit", "P001", "--ip-address", "10.20.0.9"]);
    on(&["deliver"]);
    assert_eq!((felt(&stage, "10.20.0.7"), felt(&stage, "10.20.0.9").0.as_deref()), ((None, false), Some("10M/20M")));
    on(&["subscription", "edit", "P001", "--mac", "AA:BB:CC:00:11:33"]);
    on(&["deliver"]);
    assert_eq!(felt(&stage, "10.20.0.9").0, None, "no queue is left, and no box is there yet");
    assert_eq!(stage.router.items("/ip/dhcp-server/lease").len(), 2);
    on(&["subscription", "edit", "P001", "--service", "pppoe", "--new-username", "budi@isp", "--password", "pw"]);
    on(&["deliver"]);
    assert_eq!(
        (stage.router.items("/ip/dhcp-server/lease").len(), stage.profile("budi@isp")),
        (1, "home20".to_owned())
    );
    on(&["subscription", "rename", "P002", "AA:BB:CC:00:11:44"]);
    on(&["deliver"]);
    let leases = stage.router.items("/ip/dhcp-server/lease");
    assert_eq!((leases.len(), leases[0]["mac-address"].as_slice()), (1, &b"AA:BB:CC:00:11:44"[..]));
    on(&["subscription", "edit", "P001", "--ip-address", "10.20.0.7"]);
    on(&["deliver"]);
    assert!(stage.router.secret("budi@isp").is_some_and(|secret| secret.disabled));
    assert_eq!(felt(&stage, "10.20.0.7").0.as_deref(), Some("10M/20M"));
    isp.fails(2, &["subscription", "edit", "P001", "--ip-address", "10.20.0.7"], "cli.usage");
}

#[test]
fn a_replaced_box_takes_its_line_along() {
    let stage = stage();
    let isp = &stage.isp;
    let on = |arguments: &[&str]| isp.ok(&[&["--on", "2026-01-02"], arguments].concat());
    on(&["run"]);
    on(&["cpe", "add", "ONT-1", "--customer", "P002", "--ownership", "lent", "--reason", "pasang"]);
    let arguments = ["device", "replace", "ONT-1", "--with", "ONT-2", "--mac", "aabbcc001155", "--reason", "petir"];
    on(&arguments);
    on(&["deliver"]);
    let leases = stage.router.items("/ip/dhcp-server/lease");
    assert_eq!((leases.len(), leases[0]["mac-address"].as_slice()), (1, &b"AA:BB:CC:00:11:55"[..]));
    let again = ["device", "replace", "SN-1", "--with", "SN-2", "--mac", "aabbcc001166", "--reason", "petir"];
    isp.fails(3, &again, "subscription.not_for_service");
    assert_eq!(isp.json(&["cpe", "list", "--customer", "P001"]).as_array().unwrap().len(), 1, "nothing half done");
}

#[test]
fn what_a_line_cannot_have_is_said() {
    let stage = stage();
    let isp = &stage.isp;
    let add = |more: &[&str]| {
        let arguments = [&["subscription", "add", "P003", "--package", "HOME10", "--router", "R1"], more].concat();
        arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for (more, code) in [
        (&["--ip-address", "10.20.0.7"][..], "cli.exists"),
        (&["--mac", "AABBCC001177", "--ip-address", "10.20.0.7"], "cli.exists"),
        (&["--mac", MAC], "cli.exists"),
        (&["--ip-address", "10.20.0.300"], "subscription.ip_address"),
        (&["--mac", "AA:BB"], "subscription.mac"),
        (&["--service", "static", "--ip-address", "10.20.0.5", "--password", "x"], "subscription.not_for_service"),
        (&["--service", "static"], "value.empty"),
        (&["--username", "x"], "value.empty"),
    ] {
        let arguments = add(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (_, err) = isp.exit(3, &arguments);
        assert!(err.contains(code), "{more:?}: {err}");
    }
    let told = isp.exit(3, &["--lang", "id", "subscription", "password", "P001", "--password", "x"]).1;
    assert!(
        told.contains("saluran IP statis tidak punya") && told.contains("[subscription.not_for_service]"),
        "{told}"
    );
    isp.write(&[(
        "subscriptions.csv",
        "id_pelanggan,paket,router,ip,mac,mulai\nP001,HOME20,R1,10.20.0,,2026-01-01\nP002,HOME10,R1,10.20.0.8,zz,2026-01-01\nP003,HOME10,R1,10.20.0.8,AABBCC001199,2026-01-01\nP003,HOME10,R1,,,2026-01-01\n",
    )]);
    let (_, err) = isp.exit(3, &["--lang", "en", "import", "--subscriptions", "sheets/subscriptions.csv"]);
    for part in ["line 2", "[subscription.ip_address]", "line 3", "[subscription.mac]", "line 5", "[value.empty]"] {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn queues_and_leases_that_are_there_become_lines() {
    let stage = Stage::bare();
    let isp = &stage.isp;
    isp.init();
    let address = stage.router.address().to_string();
    let routers = format!("kode;site;alamat;username;password\nR1;BDG;{address};isp;rahasia-router\n");
    isp.write(&[crate::cli::SHEETS[0], ("routers.csv", &routers)]);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let queue = |name: &str, target: &str, limit: &str| {
        let values = [("name", name.as_bytes()), ("target", target.as_bytes()), ("max-limit", limit.as_bytes())];
        stage.router.force("/queue/simple", &values).unwrap();
    };
    queue("Pak Budi 081234567890", "10.20.0.7/32", "5M/10M");
    queue("Ibu Siti", "10.20.0.6/32", "5M/10M");
    queue("semua", "10.20.0.0/24", "100M/100M");
    let lease =
        [("mac-address", MAC.as_bytes()), ("address", b"10.20.0.8"), ("rate-limit", b"2M/4M"), ("comment", b"Toko")];
    stage.router.force("/ip/dhcp-server/lease", &lease).unwrap();
    stage.router.force("/ip/firewall/address-list", &[("list", b"ISOLIR"), ("address", b"10.20.0.6")]).unwrap();
    isp.ok(&[
        "--on",
        "2026-01-02",
        "router",
        "import-lines",
        "R1",
        "--out",
        "lines.csv",
        "--customers",
        "people.csv",
        "--packages",
        "packages.csv",
        "--price",
        "5M/10M=150000",
        "--price",
        "2M/4M=100000",
    ]);
    let read = |name: &str| std::fs::read_to_string(isp.dir().join(name)).unwrap();
    let (lines, people, packages) = (read("lines.csv"), read("people.csv"), read("packages.csv"));
    assert!(lines.contains("'10.20.0.7,5M/10M,R1,,,2026-01-02,,,static,'10.20.0.7,"), "{lines}");
    assert!(lines.contains(&format!("{MAC},2M/4M,R1,,,2026-01-02,,,dhcp,'10.20.0.8,{MAC}")), "{lines}");
    assert!(lines.contains("diisolir") && !lines.contains("10.20.0.0"), "{lines}");
    assert!(people.contains("Pak Budi") && people.contains("0812-3456-7890"), "{people}");
    assert!(packages.contains("5M/10M,5M/10M,150000"), "{packages}");
    // It imports without a hand, but for the line that is shut in: its package cannot be read.
    let kept: String =
        lines.lines().filter(|line| !line.starts_with("'10.20.0.6")).map(|line| format!("{line}\n")).collect();
    std::fs::write(isp.dir().join("lines.csv"), kept).unwrap();
    isp.ok(&[
        "--on",
        "2026-01-02",
        "import",
        "--packages",
        "packages.csv",
        "--customers",
        "people.csv",
        "--subscriptions",
        "lines.csv",
    ]);
    isp.ok(&["--on", "2026-01-02", "router", "apply", "R1", "--adopt"]);
    assert_eq!(felt(&stage, "10.20.0.7"), (Some("5M/10M".to_owned()), false));
    let told = isp.ok(&["--lang", "en", "--on", "2026-01-02", "router", "import-lines", "R1", "--out", "again.csv"]);
    assert!(told.contains("ours") && !read("again.csv").contains("10.20.0.7"), "{told}");
}

#[test]
fn what_a_router_has_is_taken_over_only_when_asked() {
    let stage = stage();
    let queue =
        [("name", &b"Pak Budi"[..]), ("target", b"10.20.0.7/32"), ("max-limit", b"1M/2M"), ("comment", b"gang 3")];
    stage.router.force("/queue/simple", &queue).unwrap();
    let (_, err) = stage.isp.exit(5, &["--lang", "en", "--on", "2026-01-02", "router", "apply", "R1"]);
    assert!(err.contains("router.account_not_ours") && err.contains("Pak Budi"), "{err}");
    stage.isp.ok(&["--on", "2026-01-02", "router", "apply", "R1", "--adopt"]);
    assert_eq!(felt(&stage, "10.20.0.7"), (Some("10M/20M".to_owned()), false));
    assert!(
        stage
            .router
            .items("/queue/simple")
            .iter()
            .any(|q| q["name"] == b"Pak Budi" && q["comment"].ends_with(b" gang 3"))
    );
}
