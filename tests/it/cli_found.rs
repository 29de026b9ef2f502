//! Customers as people call them, in lists and in what changes something; and what the program fills in by itself.

use crate::cli::{Isp, SHEETS};

fn provider() -> Isp {
    let isp = Isp::new();
    isp.ok(&["init"]);
    // Without the expense: the cash that a reversal takes back is there.
    isp.write(&SHEETS[..7]);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-02", "bill"]);
    isp
}

fn codes(rows: &serde_json::Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap()).collect()
}

#[test]
fn a_list_finds_by_id_name_user_name_and_phone_in_any_form() {
    let isp = provider();
    for words in [
        &["list", "--search", "0812-3456-7890"][..],
        &["list", "+62 812 3456 7890"],
        &["find", "6281234567890"],
        &["find", "BUDI@ISP"],
        &["find", "santo"],
        &["list", "p001"],
    ] {
        let found = isp.json(&[&["customer"], words].concat());
        assert_eq!(codes(&found), ["P001"], "{words:?}");
    }
    assert_eq!(codes(&isp.json(&["customer", "find", "@isp"])).len(), 3);
    isp.fails(2, &["customer", "list", "budi", "--search", "budi"], "cli.usage");
}

#[test]
fn what_changes_something_finds_a_customer_too_and_says_whom() {
    let isp = provider();
    let said = isp.ok(&["--on", "2026-01-03", "payment", "add", "budi santoso", "Rp 165.000", "--reference", "K1"]);
    assert!(said.contains("P001 Budi Santoso"), "{said}");
    let said = isp.ok(&["--on", "2026-01-03", "payment", "reverse", "cash", "K1", "--reason", "salah"]);
    assert!(said.contains("P001 Budi Santoso"), "{said}");
    let said = isp.ok(&["--on", "2026-01-03", "subscription", "change-package", "0812 3456 7890", "HOME10"]);
    assert!(said.contains("P001 Budi Santoso"), "{said}");
    let said = isp.ok(&["--on", "2026-01-03", "promise", "add", "siti@isp", "--until", "2026-01-10"]);
    assert!(said.contains("P002 Siti"), "{said}");
    // A part of a name is asked about, and a script has nobody to ask: a name that is cut or mistyped books nothing.
    let said = isp.fails(2, &["payment", "add", "santo", "1000", "--reference", "K2"], "cli.usage");
    assert!(said.contains("P001 Budi Santoso"), "{said}");
    isp.ok(&["payment", "list", "--customer", "santo"]);
    // A whole name does not beat the user name of somebody else.
    isp.ok(&["customer", "add", "P010", "--name", "SITI@ISP", "--address", "Jl. Eropa 5"]);
    let said = isp.fails(2, &["payment", "add", "siti@isp", "1000", "--reference", "K2"], "cli.usage");
    assert!(said.contains("P002 Siti") && said.contains("P010"), "{said}");
    // The ID of one that is the phone number of another books nothing; looking finds the one with the ID.
    isp.ok(&["customer", "add", "081234567890", "--name", "Warga Angka", "--address", "Jl. Eropa 6"]);
    let said = isp.fails(2, &["payment", "add", "081234567890", "1000", "--reference", "K2"], "cli.usage");
    assert!(said.contains("P001 Budi Santoso") && said.contains("081234567890 Warga Angka"), "{said}");
    let said = isp.fails(2, &["promise", "add", "081234567890", "--until", "2026-01-10"], "cli.usage");
    assert!(said.contains("081234567890 Warga Angka"), "{said}");
    let found = isp.json(&["customer", "show", "081234567890"]);
    assert_eq!(found[0]["code"], "081234567890", "{found}");
    isp.ok(&["--on", "2026-01-03", "payment", "add", "Warga Angka", "1000", "--reference", "K3"]);
    // Without the other it is the ID alone.
    isp.ok(&["customer", "edit", "P001", "--phone", "0812 3456 7899"]);
    isp.ok(&["--on", "2026-01-03", "payment", "add", "081234567890", "2000", "--reference", "K4"]);
    isp.ok(&["customer", "edit", "P001", "--phone", "081234567890"]);
    // What is known of a person goes to no other.
    isp.fails(2, &["privacy", "export", "santo", "--to", "keluar"], "cli.usage");
    // Nobody is guessed: several are named, with their names.
    isp.ok(&["customer", "add", "P009", "--name", "Budi Hartono", "--address", "Jl. Eropa 4"]);
    let said = isp.fails(2, &["payment", "add", "budi", "1000", "--reference", "K2"], "cli.usage");
    assert!(said.contains("P001 Budi Santoso, P009 Budi Hartono"), "{said}");
    let (_, err) = isp.exit(4, &["payment", "add", "nobody", "1000", "--reference", "K2"]);
    assert!(err.contains("isp customer find"), "{err}");
    // What cannot be undone wants the ID.
    isp.fails(4, &["customer", "remove", "hartono"], "cli.not_found");
    isp.ok(&["customer", "remove", "P009"]);
}

#[test]
fn cash_gets_the_next_number_of_a_receipt() {
    let isp = provider();
    let add = |amount: &str| isp.ok(&["--on", "2026-01-03", "payment", "add", "P001", amount]);
    assert!(add("65000").contains("KW-20260103-001"));
    assert!(add("100000").contains("KW-20260103-002"));
    isp.ok(&["--on", "2026-01-03", "payment", "reverse", "cash", "KW-20260103-001", "--reason", "salah"]);
    // A number that was used is not given again.
    assert!(add("65000").contains("KW-20260103-003"));
    let said = isp.fails(2, &["payment", "add", "P001", "65000", "--provider", "bca"], "cli.usage");
    assert!(said.contains("--reference"), "{said}");
    // Far more than usual is written where nobody can be asked, and warned of.
    let (_, err) = isp.exit(0, &["--on", "2026-01-04", "payment", "add", "P001", "1650000"]);
    assert!(err.contains("P001 Budi Santoso") && err.contains("isp payment reverse"), "{err}");
    let (_, err) = isp.exit(0, &["--on", "2026-01-04", "payment", "add", "P001", "1650000"]);
    assert!(err.contains("KW-20260104-001"), "{err}");
    let (_, err) = isp.exit(0, &["--on", "2026-01-04", "payment", "add", "P001", "1650000", "--sure"]);
    assert_eq!(err, "");
}

#[test]
fn a_customer_gets_the_next_id_and_a_line_the_only_router() {
    let isp = provider();
    let said = isp.ok(&["customer", "add", "--name", "Tini", "--address", "Jl. Eropa 4"]);
    assert!(said.contains("P004 Tini"), "{said}");
    let line = ["--on", "2026-01-03", "subscription", "add", "tini", "--package", "HOME10", "--username", "tini@isp"];
    isp.ok(&[&line[..], &["--password", "pw-tini-4"]].concat());
    assert_eq!(isp.json(&["subscription", "show", "P004"])[0]["router"], "R1");
    let router = |site| {
        ["router", "add", "R2", "--site", site, "--address", "127.0.0.2", "--username", "isp", "--password", "pw-2"]
    };
    let (_, err) = isp.exit(4, &router("NOWHERE"));
    assert!(err.contains("isp site add"), "{err}");
    isp.ok(&router("BDG"));
    let line = [
        "--on",
        "2026-01-03",
        "subscription",
        "add",
        "P004",
        "--package",
        "HOME10",
        "--username",
        "tini2@isp",
        "--password",
        "x",
    ];
    let said = isp.fails(2, &line, "cli.usage");
    assert!(said.contains("R1, R2"), "{said}");
}

#[test]
fn init_speaks_the_language_and_says_what_comes_next() {
    let isp = Isp::new();
    let said = isp.ok(&["--lang", "id", "init", "satu"]);
    assert!(said.contains("cd satu") && said.contains("isp import"), "{said}");
    let file = std::fs::read_to_string(isp.dir().join("satu/isp.toml")).unwrap();
    assert!(file.starts_with("# Pengaturan isp.") && file.contains("hari dari terbit sampai jatuh tempo"), "{file}");
    let help = isp.ok(&["--lang", "id", "payment", "add", "-h"]);
    assert!(help.contains("[OPSI]") && !help.contains("--key-file"), "{help}");
    assert!(isp.ok(&["--lang", "id", "payment", "add", "--help"]).contains("--key-file"));
    let (_, err) = isp.exit(2, &["--lang", "id", "payment", "add"]);
    assert!(err.contains("Lihat isp help payment add.") && err.contains("isp payment add P001"), "{err}");
}

/// A line that is registered and open is not opened by the days that are lived through; what opens is one that begins.
#[test]
fn a_fresh_database_has_nothing_to_reopen() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let simulate =
        |to| ["--on", "2026-01-01", "--lang", "en", "simulate", "--from", "2026-01-01", "--to", to, "--details"];
    let said = isp.ok(&simulate("2026-01-09"));
    assert!(!said.contains("reopened  2026") && !said.contains("only today"), "{said}");
    let reopened = |said: &str| {
        let line = said.lines().find(|line| line.trim_start().starts_with("reopened")).unwrap().to_owned();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(reopened(&said), "0", "{said}");
    assert_eq!(reopened(&isp.ok(&simulate("2026-01-10"))), "1");
    let header = said.lines().find(|line| line.contains("date")).unwrap();
    assert!(!header.contains("policy"), "{said}");
}
