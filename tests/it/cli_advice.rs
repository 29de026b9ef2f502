//! What the program says beside doing what it was told: what comes next, what is asked, in the language of the output.

use crate::cli::{Isp, SHEETS, Stage};

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp
}

#[test]
fn who_is_reopened_with_arrears_is_told_when_it_ends() {
    let stage = Stage::new();
    let isp = &stage.isp;
    // P002 is billed on 5 January; that is due on the 15th and five days late on the 20th, a Tuesday.
    for day in ["2026-01-05", "2026-01-20"] {
        isp.exit_any(&[0, 5], &["--on", day, "run"]);
    }
    let reopen = ["reopen", "P002", "--reason", "anak sakit"];
    let (out, err) = isp.exit(0, &[&["--lang", "en", "--on", "2026-01-20", "--at", "15:00"], &reopen[..]].concat());
    assert!(out.contains("P002") && err.contains("isolates it again, 2026-01-20 15:00 WIB"), "{out}{err}");
    // Before the hour of isolation it is that hour; never, where nothing is overdue.
    isp.ok(&["--on", "2026-01-20", "--at", "15:00", "isolate", "P002", "--reason", "x"]);
    let (_, err) = isp.exit(0, &[&["--lang", "en", "--on", "2026-01-21", "--at", "07:00"], &reopen[..]].concat());
    assert!(err.contains("isolates it again, 2026-01-21 10:00 WIB"), "{err}");
    isp.ok(&["--on", "2026-01-21", "--at", "15:01", "isolate", "P002", "--reason", "x"]);
    isp.ok(&["--on", "2026-01-21", "--at", "15:02", "payment", "add", "P002", "111000", "--reference", "KW-1"]);
    let (_, err) = isp.exit(0, &[&["--on", "2026-01-21", "--at", "15:03"], &reopen[..]].concat());
    assert_eq!(err, "");
}

#[test]
fn a_late_fee_is_shown_with_its_ppn() {
    let mut isp = provider();
    isp.set("ISP_POLICY__LATE_FEE__AFTER_DAYS", "30");
    isp.set("ISP_POLICY__LATE_FEE__AMOUNT", "{ fixed = 10000 }");
    isp.set("ISP_POLICY__LATE_FEE__WITH_PPN", "true");
    isp.ok(&["--on", "2026-01-05", "bill"]);
    let fees = isp.json(&["--on", "2026-01-20", "late-fee", "list"]);
    let fee = &fees[0];
    assert_eq!((&fee["late_fee"], &fee["ppn"], &fee["total"]), (&10_000.into(), &1_100.into(), &11_100.into()));
}

#[test]
fn a_nik_of_another_customer_is_asked() {
    let isp = provider();
    let nik = "3273011708450001";
    for words in [&["edit", "P002", "--nik", nik][..], &["add", "P009", "--name", "X", "--address", "x", "--nik", nik]]
    {
        let said = isp.fails(3, &[&["customer"], words].concat(), "customer.same_nik");
        assert!(said.contains("P001") && !said.contains(nik), "{said}");
        isp.ok(&[&["customer"], words, &["--sure"]].concat());
    }
    // His own, and what is not about it, is not asked.
    isp.ok(&["customer", "edit", "P001", "--nik", nik, "--name", "Budi"]);
    isp.ok(&["customer", "edit", "P002", "--name", "Siti A"]);
}

#[test]
fn a_phone_number_that_is_cut_short_is_refused() {
    let isp = provider();
    for (phone, whole) in
        [("0812-1000-00", false), ("0812-1000-000", true), ("0811-100-000", true), ("0856-1000-00", false)]
    {
        let edit = ["customer", "edit", "P001", "--phone", phone];
        if whole {
            isp.ok(&edit);
        } else {
            isp.fails(3, &edit, "customer.phone");
        }
    }
}

#[test]
fn many_names_are_counted() {
    let isp = provider();
    for n in 0..14 {
        isp.ok(&["customer", "add", &format!("W{n:02}"), "--name", &format!("Wayan {n}"), "--address", "x"]);
    }
    let said = isp.fails(2, &["--lang", "en", "customer", "show", "Wayan"], "cli.usage");
    assert!(said.contains("W09 Wayan 9, and 4 more"), "{said}");
    let said = isp.fails(2, &["--lang", "id", "customer", "show", "Wayan"], "cli.usage");
    assert!(said.contains("W09 Wayan 9, dan 4 lagi"), "{said}");
}

#[test]
fn help_and_heads_are_in_the_language() {
    let isp = provider();
    let help = isp.ok(&["--lang", "id", "payment", "help"]);
    assert!(help.contains("Mencatat") && !help.contains("Usage"), "{help}");
    assert_eq!(help, isp.ok(&["--lang", "id", "payment", "--help"]));
    isp.write(&[("customers.csv", "id_pelanggan;nama;alamat\nP009;Wayan;Jl. 9\n")]);
    let shown = isp.ok(&["--lang", "id", "import", "--customers", "sheets/customers.csv", "--dry-run"]);
    assert!(shown.contains("baris") && !shown.contains("rincian"), "{shown}");
}

#[test]
fn a_simulated_router_on_a_taken_port_says_so() {
    let isp = Isp::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    isp.fails(6, &["simulate-router", "--port", &port], "cli.router");
    // Also where another simulator has it, which would share it.
    let stage = Stage::bare();
    let port = stage.router.address().port().to_string();
    isp.fails(6, &["simulate-router", "--port", &port], "cli.router");
}

#[test]
fn what_a_router_says_is_said_in_indonesian() {
    let stage = Stage::new();
    // An account of the same name that somebody made before us.
    stage
        .router
        .force("/ppp/secret", &[("name", b"budi@isp".as_slice()), ("password", b"lama"), ("service", b"pppoe")]);
    let (_, err) = stage.isp.exit(5, &["--lang", "id", "--on", "2026-01-05", "run"]);
    let line = err.lines().find(|line| line.contains("budi@isp")).unwrap_or_default();
    assert!(line.contains("bukan milik program ini") && line.contains("[router.account_not_ours]"), "{err}");
}

#[test]
fn a_wish_of_a_line_that_moved_away_is_named_when_it_is_refused() {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.exit_any(&[0, 5], &["--on", "2026-01-05", "run"]);
    isp.ok(&[
        "router",
        "add",
        "R9",
        "--site",
        "BDG",
        "--address",
        "127.0.0.1:1",
        "--username",
        "isp",
        "--password",
        "x",
    ]);
    // A twin of its old account: which one is to be closed nobody knows.
    stage
        .router
        .force("/ppp/secret", &[("name", b"budi@isp".as_slice()), ("password", b"lama"), ("service", b"pppoe")]);
    isp.ok(&["--on", "2026-01-06", "subscription", "move", "P001", "--router", "R9"]);
    let (_, err) = isp.exit(5, &["--lang", "en", "--on", "2026-01-06", "deliver"]);
    assert!(err.contains("Router R1, account budi@isp"), "{err}");
}

/// Who stands in the wrong folder is not led into a new one: a copy that is restored needs its own key.
#[test]
fn in_the_wrong_folder_the_way_back_is_named() {
    let isp = Isp::new();
    let (_, err) = isp.exit(6, &["restore", "salinan.db"]);
    assert!(
        err.contains("tidak ada isp.toml") && err.contains("cd NAMA-FOLDER") && err.contains("salin dulu isp.toml"),
        "{err}"
    );
    assert!(err.contains("[cli.restore_no_settings]") && !isp.dir().join("isp.toml").exists(), "{err}");
    let (_, err) = isp.exit(6, &["--lang", "en", "restore", "copy.db"]);
    assert!(err.contains("copy isp.toml and the key file"), "{err}");
    let (_, err) = isp.exit(6, &["customer", "list"]);
    assert!(err.contains("cd NAMA-FOLDER") && err.contains("--config") && err.contains("[cli.no_settings]"), "{err}");
    // A file that names no database is another thing.
    std::fs::write(isp.dir().join("isp.toml"), "language = \"en\"\n").unwrap();
    isp.exit(6, &["customer", "list"]).1.contains("[cli.database]").then_some(()).unwrap();
}
