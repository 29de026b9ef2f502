//! A copy of a customer's data, its erasure, and the notice when it was lost.

use serde_json::Value;

use crate::cli::{Isp, SHEETS, Stage};
use isp::mikrotik::simulator::{Fault, FaultKind};

fn read(isp: &Isp, file: &str) -> String {
    std::fs::read_to_string(isp.dir().join(file)).unwrap()
}

/// The provider of the spreadsheets with an invoice of 1 January for each.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    isp
}

#[test]
fn a_copy_holds_everything_and_only_its_owner_may_read_it() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-05", "payment", "add", "P001", "100000", "--provider", "cash", "--reference", "K-1"]);
    let out = isp.ok(&["privacy", "export", "P001", "--to", "copy"]);
    assert!(out.contains("copy"), "{out}");
    let data: Value = serde_json::from_str(&read(&isp, "copy/data.json")).unwrap();
    assert_eq!(data["person"][0]["code"], "P001");
    assert_eq!(data["payments"][0]["reference"], "K-1");
    assert_eq!(data["invoices"].as_array().unwrap().len(), 1);
    for part in ["lines", "credit_notes", "requests", "promises", "proofs", "messages", "devices", "events"] {
        assert!(data[part].is_array(), "{part}");
    }
    let page = read(&isp, "copy/data.html");
    let name = data["person"][0]["name"].as_str().unwrap();
    assert!(page.contains(name) && !page.contains("://"), "it opens without a network");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for (file, mode) in [("copy", 0o700), ("copy/data.json", 0o600), ("copy/data.html", 0o600)] {
            let found = std::fs::metadata(isp.dir().join(file)).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{file}");
        }
    }
    // A folder that is there is not written into.
    isp.fails(2, &["privacy", "export", "P001", "--to", "copy"], "cli.usage");
    isp.fails(4, &["privacy", "export", "P999", "--to", "other"], "cli.not_found");
    assert!(!isp.dir().join("other").exists());
}

/// All bytes of the database's files.
fn bytes(isp: &Isp) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(isp.dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("isp.db") {
            all.extend(std::fs::read(path).unwrap());
        }
    }
    assert!(all.starts_with(b"SQLite"));
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

#[test]
fn what_is_not_over_is_named_and_what_is_over_is_erased() {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-01", "run"]);
    let (_, err) = isp.exit(3, &["--lang", "en", "privacy", "erase", "P001", "--reason", "surat"]);
    for what in ["1 lines of P001 have not ended", "P001 owes", "1 lent devices", "customer.still_needed"] {
        assert!(err.contains(what), "{what}: {err}");
    }
    isp.fails(3, &["privacy", "erase", "P002", "--reason", " "], "value.empty");

    let owed = isp.json(&["customer", "show", "P001"])[0]["owed"].as_i64().unwrap().to_string();
    let paid = ["payment", "add", "P001", &owed, "--provider", "bca", "--reference", "FT1"];
    isp.ok(&[&["--on", "2026-01-05"], &paid[..]].concat());
    isp.ok(&["--on", "2026-01-20", "promise", "add", "P001", "--until", "2026-01-22"]);
    let why = ["--reason", "Budi salah ketik, 0812 3456 7890"];
    isp.ok(&[&["--on", "2026-01-20", "promise", "remove", "P001"], &why[..]].concat());
    isp.ok(&["--on", "2026-01-31", "device", "return", "SN-1", "--reason", "rumah Budi Santoso"]);
    isp.ok(&["--on", "2026-02-01", "subscription", "terminate", "P001"]);
    let before = isp.json(&["invoice", "list", "--customer", "P001"]);

    isp.ok(&["--on", "2026-02-01", "run"]);
    let finance = isp.ok(&["--format", "json", "report", "finance", "--from", "2026-01", "--to", "2026-02"]);
    let traces = ["Budi Santoso", "81234567890", "Jl. Merdeka 1"];
    assert!(traces.iter().all(|text| holds(&bytes(isp), text)));
    isp.ok(&["--on", "2026-02-02", "privacy", "erase", "P001", "--reason", "surat 1 Februari"]);

    let left = bytes(isp);
    for text in traces {
        assert!(!holds(&left, text), "{text} is left in the file");
    }
    let show = isp.ok(&["customer", "show", "P001"]);
    assert!(show.contains("(dihapus)"), "{show}");
    let list = isp.json(&["privacy", "list"]);
    assert_eq!((&list[0]["customer"], &list[0]["reason"]), (&Value::from("P001"), &Value::from("surat 1 Februari")));

    // The books say what they said.
    let after = isp.json(&["invoice", "list", "--customer", "P001"]);
    for key in ["invoice", "total", "paid", "open", "period"] {
        assert_eq!(after[0][key], before[0][key], "{key}");
    }
    assert_eq!(isp.ok(&["--format", "json", "report", "finance", "--from", "2026-01", "--to", "2026-02"]), finance);
    isp.ok(&["audit", "verify"]);
    // There is no copy yet, which it says.
    let (doctor, _) = isp.exit(5, &["--format", "json", "--on", "2026-02-02", "doctor"]);
    let doctor: Value = serde_json::from_str(&doctor).unwrap();
    let bad = |row: &&Value| {
        ["ledger", "row.", "invoice", "payment"].iter().any(|of| row["finding"].as_str().unwrap().starts_with(of))
    };
    assert_eq!(doctor.as_array().unwrap().iter().filter(bad).count(), 0, "{doctor}");

    // Nothing is written of the person again: by hand, by a sheet, as a new line, or a second time.
    isp.fails(3, &["customer", "edit", "P001", "--name", "Budi"], "customer.erased");
    let line = [
        "--on",
        "2026-02-02",
        "subscription",
        "add",
        "P001",
        "--package",
        "HOME20",
        "--router",
        "R1",
        "--username",
        "x",
        "--password",
        "y",
    ];
    isp.fails(3, &line, "customer.erased");
    isp.fails(3, &["privacy", "erase", "P001", "--reason", "lagi"], "customer.erased");
    for again in [
        &["promise", "add", "P001", "--until", "2026-02-05"][..],
        &["exemption", "add", "P001", "--until", "2026-02-05", "--reason", "Budi sakit"],
        &["cpe", "add", "SN-9", "--customer", "P001", "--ownership", "milik", "--reason", "x"],
    ] {
        isp.fails(3, &[&["--on", "2026-02-02"], again].concat(), "customer.erased");
    }
    // The router did not hear of it yet, and the name may be taken already.
    assert_eq!(isp.json(&["privacy", "list"])[0]["still_on"], "R1");
    isp.ok(&["--on", "2026-02-02", "customer", "add", "P009", "--name", "Baru", "--address", "Jl. Baru 1"]);
    let taken = ["--router", "R1", "--username", "budi@isp", "--password", "baru"];
    isp.ok(&[&["--on", "2026-02-02", "subscription", "add", "P009", "--package", "HOME20"], &taken[..]].concat());
    isp.ok(&["--on", "2026-02-02", "deliver"]);
    assert_eq!(stage.profile("budi@isp"), "home20");
    let (_, told) = isp.exit(3, &["--on", "2026-02-02", "--lang", "en", "import", "sheets"]);
    assert!(told.contains("customers.csv line 2") && told.contains("was erased; leave the row out"), "{told}");
    assert_eq!(isp.json(&["customer", "show", "P001"])[0]["name"], "(dihapus)");
    isp.ok(&["--on", "2026-02-03", "run"]);
}

#[test]
fn the_account_goes_from_the_router_when_it_answers_again() {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-01", "run"]);
    let owed = isp.json(&["customer", "show", "P001"])[0]["owed"].as_i64().unwrap().to_string();
    let paid = ["payment", "add", "P001", &owed, "--provider", "bca", "--reference", "FT1"];
    isp.ok(&[&["--on", "2026-01-05"], &paid[..]].concat());
    // It had another name before, of which the router keeps a closed account.
    isp.ok(&["--on", "2026-01-06", "subscription", "rename", "P001", "santoso@isp"]);
    isp.ok(&["--on", "2026-01-06", "deliver"]);
    isp.ok(&["--on", "2026-01-31", "device", "return", "SN-1", "--reason", "pindah"]);
    isp.ok(&["--on", "2026-02-01", "subscription", "terminate", "P001"]);
    isp.ok(&["--on", "2026-02-01", "run"]);
    let names = || stage.router.secrets().into_iter().map(|secret| secret.name).collect::<Vec<_>>();
    assert!(names().iter().any(|name| name == "budi@isp") && names().iter().any(|name| name == "santoso@isp"));
    let others = names().len() - 2;

    isp.ok(&["--on", "2026-02-02", "privacy", "erase", "P001", "--reason", "surat 1 Februari"]);
    let refused = FaultKind::Trap("not enough permissions (9)".to_owned());
    for (at, fault, on) in [("13:00", FaultKind::CutRequest, "/"), ("15:00", refused, "/ppp/secret/remove")] {
        stage.router.inject(Fault::new(fault).on(on).always());
        isp.exit(5, &["--on", "2026-02-02", "--at", at, "run"]);
        assert_eq!(isp.json(&["privacy", "list"])[0]["still_on"], "R1");
        stage.router.clear_faults();
    }
    isp.ok(&["--on", "2026-02-02", "--at", "18:00", "run"]);
    assert_eq!(isp.json(&["privacy", "list"])[0]["still_on"], Value::Null);
    assert_eq!(names().len(), others);
    assert!(names().iter().all(|name| name != "budi@isp" && name != "santoso@isp"), "{:?}", names());
    // Asked once more, it says so, and takes the names out of the free pages of the file.
    isp.fails(3, &["privacy", "erase", "P001", "--reason", "lagi"], "customer.erased");
    for name in ["budi@isp", "santoso@isp"] {
        assert!(!holds(&bytes(isp), name), "{name} is left in the file");
    }
    isp.ok(&["--on", "2026-02-03", "run"]);
    isp.ok(&["--on", "2026-02-03", "router", "plan", "R1"]);
}

#[test]
fn a_notice_names_whom_it_is_about_and_until_when_they_are_told() {
    let isp = provider();
    let happened = ["--happened", "laptop <kantor> dicuri", "--measures", "kunci diganti"];
    let known = ["--known", "2026-01-31", "--known-time", "10:00", "--to", "breach"];
    let out = isp.ok(&[&["--lang", "en", "privacy", "breach-report"], &happened[..], &known].concat());
    assert!(out.contains("3 people") && out.contains("2026-02-03 10:00"), "{out}");
    let notice = read(&isp, "breach/notice.html");
    assert!(notice.contains("laptop &lt;kantor&gt; dicuri") && notice.contains("2026-02-03 10:00"), "{notice}");
    assert!(!notice.contains("Budi"), "the notice to the authority names nobody");
    let people = read(&isp, "breach/people.csv");
    assert!(people.contains("Budi Santoso") && people.contains("0812-3456-7890"), "{people}");
    assert!(!people.contains("3273011708450001"), "a NIK is not spread further");
    let site = ["--site", "BDG", "--to", "other"];
    isp.ok(&[&["privacy", "breach-report"], &happened[..], &site].concat());
    isp.fails(
        4,
        &[&["privacy", "breach-report"], &happened[..], &["--site", "X", "--to", "z"]].concat(),
        "cli.not_found",
    );
}
