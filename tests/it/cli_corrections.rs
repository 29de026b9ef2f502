//! What is recorded can be corrected: each noun is shown, edited, ended or taken back by the binary.

use crate::cli::{Isp, SHEETS, Stage};
use serde_json::Value;

/// The provider of the spreadsheets, P001 with an invoice of 1 January.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    isp
}

fn access(isp: &Isp, customer: &str) -> String {
    let lines = isp.json(&["subscription", "show", customer]);
    lines[0]["access"].as_str().unwrap().to_owned()
}

fn id(rows: &Value, at: usize) -> String {
    rows[at]["id"].as_str().unwrap().to_owned()
}

/// What the books say of a month: (account's words, amount).
fn cost(isp: &Isp, word: &str) -> i64 {
    let rows = isp.json(&["--on", "2026-01-31", "report", "profit-loss", "--month", "2026-01"]);
    let mut of_line = rows.as_array().unwrap().iter().filter(|row| row["line"] == word && row["month"] == "2026-01");
    of_line.next().map_or(0, |row| row["amount"].as_i64().unwrap())
}

#[test]
fn an_outage_ends_within_a_day_and_gives_back_what_it_is_worth() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-05", "--at", "08:00", "outage", "add", "BDG", "--note", "kabel putus"]);
    isp.ok(&["--on", "2026-01-05", "--at", "14:00", "outage", "end", "BDG"]);
    let list = isp.json(&["outage", "list"]);
    assert_eq!(list[0]["until"], "2026-01-05 14:00 WIB");
    // Six hours, and eight are the threshold.
    let mut isp = isp;
    isp.set("ISP_POLICY__OUTAGE__MIN_HOURS", "8");
    isp.set("ISP_POLICY__OUTAGE__BY", "hour");
    assert_eq!(isp.json(&["--on", "2026-01-06", "outage", "credit", "BDG"]).as_array().unwrap().len(), 0);
    // It began four hours earlier: ten hours of 1 day in 31 are worth something, once.
    // A time behind the day would be lost, and the whole day given back.
    isp.exit(2, &["outage", "edit", "BDG", "--from", "2026-01-05 04:00"]);
    isp.ok(&["outage", "edit", "BDG", "--from", "2026-01-05", "--from-time", "04:00"]);
    let given = isp.json(&["--on", "2026-01-06", "outage", "credit", "BDG"]);
    let first = given[0]["total"].as_i64().unwrap();
    // Rp165.000 for 31 days: one day is 165000 / 31, ten hours of it are 10 / 24.
    assert_eq!(first, 2_218);
    assert_eq!(isp.json(&["--on", "2026-01-06", "outage", "credit", "BDG"]).as_array().unwrap().len(), 0);
    // Twenty hours in truth: the difference is given, and no more.
    isp.ok(&["outage", "edit", "BDG", "--until", "2026-01-06", "--until-time", "00:00"]);
    let more = isp.json(&["--on", "2026-01-07", "outage", "credit", "BDG"]);
    assert_eq!(first + more[0]["total"].as_i64().unwrap(), 4_435);
    // Taken back: what was given stays, and is named.
    let (out, err) = isp.exit(0, &["outage", "remove", "BDG", "--reason", "salah lokasi", "--by", "Sari"]);
    assert!(out.contains("BDG") && err.matches("NK-202601-").count() == 2, "{out}{err}");
    let shown = isp.json(&["outage", "show", "BDG"]);
    assert_eq!((&shown[0]["state"], &shown[0]["given_back"]), (&"taken_back".into(), &4_435.into()));
    assert!(shown[0]["ended"].as_str().unwrap().contains("Sari: salah lokasi"), "{shown}");
    isp.fails(4, &["outage", "end", "BDG"], "cli.not_found");
    let gone = id(&shown, 0);
    isp.fails(3, &["outage", "edit", "BDG", "--id", &gone, "--note", "x"], "record.ended");
    isp.fails(3, &["outage", "remove", "BDG", "--id", &gone, "--reason", "lagi"], "record.ended");
}

#[test]
fn an_outage_that_is_taken_back_protects_nobody() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-10", "outage", "add", "BDG", "--note", "listrik"]);
    isp.ok(&["--on", "2026-01-19", "enforce"]);
    assert_eq!(access(&isp, "P001"), "open");
    isp.ok(&["--on", "2026-01-19", "--at", "13:00", "outage", "remove", "BDG", "--reason", "salah catat"]);
    isp.ok(&["--on", "2026-01-19", "--at", "13:05", "enforce"]);
    assert_eq!(access(&isp, "P001"), "isolated");
    // What held on that morning is still told.
    let then = isp.ok(&["--lang", "en", "--on", "2026-01-19", "--at", "12:30", "explain", "P001"]);
    assert!(then.contains("the site has an outage"), "{then}");
    // Two that could be meant are not guessed at.
    isp.ok(&["--on", "2026-01-20", "outage", "add", "BDG", "--note", "a"]);
    isp.ok(&["--on", "2026-01-20", "outage", "add", "BDG", "--note", "b"]);
    isp.fails(2, &["--on", "2026-01-21", "outage", "end", "BDG"], "cli.several");
    let second = id(&isp.json(&["outage", "list"]), 0);
    isp.ok(&["--on", "2026-01-21", "outage", "end", "BDG", "--id", &second[second.len() - 6..]]);
    isp.fails(3, &["outage", "edit", "BDG", "--id", &second, "--until", "2026-01-01"], "calendar.empty_period");
}

#[test]
fn promises_and_exemptions_end_and_are_taken_back_and_access_follows_at_once() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-16", "promise", "add", "P001", "--until", "2026-01-25"]);
    isp.ok(&["--on", "2026-01-19", "enforce"]);
    assert_eq!(access(&isp, "P001"), "open");
    isp.fails(3, &["--on", "2026-01-19", "promise", "end", "P001", "--reason", " "], "value.empty");
    let said =
        isp.ok(&["--lang", "en", "--on", "2026-01-19", "--at", "13:00", "promise", "end", "P001", "--reason", "batal"]);
    assert!(said.contains("ends now") && said.contains("1 lines of P001 Budi Santoso isolated"), "{said}");
    assert_eq!(access(&isp, "P001"), "isolated");
    let shown = isp.json(&["promise", "show", "P001"]);
    assert_eq!(shown[0]["state"], "ended");
    let why = isp.ok(&["--lang", "en", "--on", "2026-01-19", "--at", "13:00", "explain", "P001"]);
    assert!(why.contains("ended on 2026-01-19 13:00 WIB"), "{why}");
    isp.fails(4, &["--on", "2026-01-19", "promise", "end", "P001", "--reason", "lagi"], "cli.not_found");
    // One that ended counts against the limit, one that was a mistake does not.
    isp.fails(3, &["--on", "2026-01-20", "promise", "add", "P001", "--until", "2026-01-25"], "promise.too_many");
    isp.ok(&["--on", "2026-01-16", "promise", "add", "P002", "--until", "2026-01-25"]);
    isp.ok(&["--on", "2026-01-16", "promise", "remove", "P002", "--reason", "salah pelanggan"]);
    isp.ok(&["--on", "2026-01-17", "promise", "add", "P002", "--until", "2026-01-26"]);
    assert_eq!(isp.json(&["--on", "2026-01-20", "promise", "list", "--running"]).as_array().unwrap().len(), 1);
    // An exemption opens an isolated line at once; taken back, the line is isolated at once.
    let exempt = ["--on", "2026-01-20", "exemption", "add", "P001", "--until", "2026-12-31", "--reason", "kantor desa"];
    isp.ok(&exempt);
    assert_eq!(access(&isp, "P001"), "open");
    isp.ok(&["--on", "2026-01-20", "--at", "14:00", "exemption", "remove", "P001", "--reason", "salah pelanggan"]);
    assert_eq!(access(&isp, "P001"), "isolated");
    assert_eq!(isp.json(&["exemption", "show", "P001"])[0]["state"], "taken_back");
    assert_eq!(isp.json(&["exemption", "list", "--customer", "P002"]).as_array().unwrap().len(), 0);
}

#[test]
fn an_expense_is_booked_back_and_booked_anew_never_twice() {
    let isp = provider();
    let rows = isp.json(&["expense", "list", "--month", "2026-01"]);
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["amount"]), (1, &250_000.into()));
    assert_eq!(cost(&isp, "expense_electricity"), 250_000);
    let first = id(&rows, 0);
    let edit = ["--on", "2026-02-03", "expense", "edit", &first, "--amount", "25000", "--reason", "nol kebanyakan"];
    isp.ok(&edit);
    // The month of the expense comes out right, and both are seen.
    assert_eq!(cost(&isp, "expense_electricity"), 25_000);
    isp.fails(3, &edit, "record.ended");
    assert_eq!(cost(&isp, "expense_electricity"), 25_000);
    let rows = isp.json(&["expense", "list"]);
    let states: Vec<_> = rows.as_array().unwrap().iter().map(|r| (r["amount"].as_i64(), r["state"].as_str())).collect();
    assert!(states.len() == 2 && states.contains(&(Some(250_000), Some("taken_back"))), "{rows}");
    let second = rows.as_array().unwrap().iter().find(|r| r["amount"] == 25_000).unwrap()["id"].as_str().unwrap();
    isp.fails(3, &["expense", "edit", second, "--amount", "0", "--reason", "x"], "value.not_positive");
    isp.ok(&["expense", "remove", second, "--reason", "tercatat dua kali"]);
    assert_eq!(cost(&isp, "expense_electricity"), 0);
    assert_eq!(isp.json(&["expense", "show", second])[0]["state"], "taken_back");
    isp.fails(4, &["expense", "show", "ffff"], "cli.not_found");
}

#[test]
fn an_installation_is_corrected_with_its_invoices() {
    let isp = provider();
    // P003: Rp500.000 in three parts, the first of which is invoiced on the 10th.
    isp.ok(&["--on", "2026-01-10", "bill"]);
    let owed = |on: &str| isp.json(&["--on", on, "customer", "show", "P003"])[0]["owed"].as_i64().unwrap();
    let invoiced = owed("2026-01-10");
    assert_eq!(invoiced, 185_037, "166.700 and 11 % of PPN");
    isp.fails(2, &["installation", "edit", "P003", "--reason", "x"], "cli.usage");
    let edit = [
        "--on",
        "2026-01-12",
        "installation",
        "edit",
        "P003",
        "--fee",
        "300000",
        "--instalments",
        "1",
        "--reason",
        "salah jenis",
    ];
    isp.ok(&edit);
    assert_eq!(owed("2026-01-12"), 0, "what was invoiced is given back and pays the invoice");
    isp.ok(&["--on", "2026-02-15", "bill"]);
    isp.ok(&["--on", "2026-03-20", "bill"]);
    let of_psb = isp.json(&["installation", "list", "--customer", "P003"]);
    let told: Vec<_> = of_psb
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["fee"].as_i64(), r["invoiced"].as_i64(), r["status"].as_str()))
        .collect();
    assert_eq!(
        told,
        [(Some(500_000), Some(185_037), Some("taken_back")), (Some(300_000), Some(333_000), Some("unpaid"))],
        "no further part of the first comes due, and the second is charged once"
    );
    isp.ok(&["--on", "2026-03-21", "installation", "remove", "P003", "--reason", "gratis"]);
    let left = isp.json(&["--on", "2026-03-21", "invoice", "list", "--customer", "P003", "--open"]);
    assert!(left.as_array().unwrap().iter().all(|i| i["kind"] != "installation"), "{left}");
    isp.fails(4, &["installation", "remove", "P003", "--reason", "lagi"], "cli.not_found");
}

#[test]
fn a_device_goes_on_and_its_history_is_corrected_by_entries() {
    let isp = provider();
    // Cash to spend on devices.
    isp.ok(&["--on", "2026-01-02", "payment", "add", "P003", "500000", "--reference", "KW-1"]);
    isp.ok(&["--on", "2026-01-02", "device", "return", "SN-1", "--reason", "berhenti"]);
    let add = [
        "--on",
        "2026-01-03",
        "cpe",
        "add",
        "SN-1",
        "--customer",
        "P002",
        "--ownership",
        "lent",
        "--reason",
        "dipakai lagi",
        "--cost",
        "50000",
    ];
    isp.ok(&add);
    isp.fails(3, &add, "cli.exists");
    let history = isp.json(&["cpe", "show", "SN-1"]);
    let told: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|h| (h["customer"].as_str().unwrap(), h["action"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("P001", "installed"), ("P001", "returned"), ("P002", "installed")]);
    assert_eq!(isp.json(&["device", "history", "--customer", "P001"]).as_array().unwrap().len(), 2);
    // Back and out again on one day.
    isp.ok(&["--on", "2026-01-02", "device", "return", "SN-1", "--reason", "salah antar"]);
    isp.ok(&[
        "--on",
        "2026-01-02",
        "cpe",
        "add",
        "SN-1",
        "--customer",
        "P002",
        "--ownership",
        "lent",
        "--reason",
        "antar ulang",
    ]);
    assert_eq!(cost(&isp, "device_cost"), 50_000);
    isp.ok(&["--on", "2026-02-02", "device", "correct", "SN-1", "--cost", "35000", "--reason", "nota salah baca"]);
    assert_eq!(cost(&isp, "device_cost"), 35_000);
    isp.ok(&["device", "correct", "SN-1", "--cost", "40000", "--reason", "ternyata"]);
    isp.ok(&["device", "correct", "SN-1", "--cost", "40000", "--reason", "sekali lagi"]);
    assert_eq!(cost(&isp, "device_cost"), 40_000);
    // Paid by transfer after all: the cash is as it was before, and the month's cost stays.
    isp.ok(&["device", "correct", "SN-1", "--cost", "40000", "--paid-from", "bank", "--reason", "lewat transfer"]);
    isp.ok(&["device", "correct", "SN-1", "--cost", "40000", "--paid-from", "bank", "--reason", "sekali lagi"]);
    assert_eq!(cost(&isp, "device_cost"), 40_000);
    let history = isp.json(&["cpe", "show", "SN-1"]);
    let paid = |channel: &str| {
        let rows = history.as_array().unwrap().iter().filter(|row| row["channel"] == channel);
        rows.map(|row| row["cost"].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((paid("cash"), paid("bank")), (0, 40_000), "{history}");
    isp.ok(&["device", "correct", "SN-1", "--cost", "45000", "--reason", "tambah ongkos"]);
    assert_eq!(cost(&isp, "device_cost"), 45_000);
    isp.ok(&[
        "cpe",
        "edit",
        "SN-1",
        "--serial",
        "SN-10",
        "--value",
        "700000",
        "--ownership",
        "owned",
        "--reason",
        "salah ketik",
    ]);
    isp.fails(4, &["cpe", "show", "SN-1"], "cli.not_found");
    isp.fails(2, &["cpe", "edit", "SN-10", "--value", "700000", "--reason", "sama"], "cli.usage");
    let history = isp.json(&["cpe", "show", "SN-10"]);
    let last = history.as_array().unwrap().last().unwrap();
    assert_eq!((last["action"].as_str(), last["reason"].as_str()), (Some("corrected"), Some("salah ketik")));
    isp.ok(&["cpe", "add", "SN-2", "--customer", "P001", "--ownership", "lent", "--reason", "baru"]);
    isp.fails(3, &["cpe", "edit", "SN-2", "--serial", "SN-10", "--reason", "x"], "cli.exists");
}

#[test]
fn people_places_and_packages_are_edited() {
    let isp = provider();
    isp.ok(&[
        "customer",
        "edit",
        "P001",
        "--phone",
        "081398765432",
        "--language",
        "en",
        "--name",
        "Budi S.",
        "--address",
        "Jl. Baru 2",
    ]);
    let shown = isp.json(&["customer", "show", "P001"]);
    assert_eq!(
        (&shown[0]["name"], &shown[0]["language"], &shown[0]["address"]),
        (&"Budi S.".into(), &"en".into(), &"Jl. Baru 2".into())
    );
    assert!(shown[0]["phone"].as_str().unwrap().ends_with("432"), "{shown}");
    isp.fails(3, &["customer", "edit", "P001", "--phone", "022-123"], "customer.phone");
    isp.ok(&["customer", "edit", "P001", "--no-phone", "--no-nik"]);
    assert_eq!(isp.json(&["customer", "show", "P001"])[0]["phone"], Value::Null);
    isp.fails(2, &["customer", "edit", "P001", "--no-phone"], "cli.usage");
    isp.fails(3, &["customer", "edit", "P001", "--code", "P002"], "cli.exists");
    let whole = isp.ok(&["--on", "2026-01-02", "customer", "show", "P001"]);
    assert!(whole.contains("INV-202601-") && whole.contains("SN-1") && whole.contains("budi@isp"), "{whole}");

    isp.fails(3, &["customer", "remove", "P001"], "customer.has_history");
    isp.ok(&["customer", "add", "P009", "--name", "Salah", "--address", "x"]);
    isp.ok(&["customer", "remove", "P009"]);
    isp.fails(4, &["customer", "show", "P009"], "cli.not_found");
    isp.ok(&["customer", "add", "P009", "--name", "Benar", "--address", "x"]);

    isp.ok(&["package", "edit", "HOME20", "--name", "Rumah 30", "--speed", "30M/15M"]);
    assert_eq!(isp.json(&["router", "show", "R1"])[0]["speed"], "30M/15M");
    isp.ok(&["package", "edit", "HOME20", "--sold", "no"]);
    isp.fails(3, &["package", "edit", "HOME20", "--code", "HOME10"], "cli.exists");

    isp.ok(&["site", "edit", "BDG", "--name", "Bandung Utara"]);
    assert_eq!(isp.json(&["site", "show", "BDG"])[0]["name"], "Bandung Utara");
    isp.fails(2, &["site", "edit", "BDG", "--zone", "WIT"], "cli.usage");
    // The password is sent to the address, so another address needs it again.
    assert_eq!(isp.run(&["router", "edit", "R1", "--address", "10.9.9.9"]).status.code(), Some(2));
    isp.ok(&["router", "edit", "R1", "--address", "tls://10.9.9.9", "--password", "baru"]);
    assert_eq!(isp.json(&["router", "list"])[0]["address"], "tls://10.9.9.9:8729");
}

#[test]
fn a_customer_comes_back_with_his_user_name_and_takes_the_account_over() {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.exit(0, &["--on", "2026-01-01", "run"]);
    assert_eq!(stage.profile("budi@isp"), "home20");
    let add = |on: &str, customer: &str| {
        isp.run(&[
            "--on",
            on,
            "subscription",
            "add",
            customer,
            "--package",
            "HOME10",
            "--router",
            "R1",
            "--username",
            "budi@isp",
            "--password",
            "baru",
        ])
    };
    isp.fails(
        3,
        &[
            "--on",
            "2026-01-05",
            "subscription",
            "add",
            "P002",
            "--package",
            "HOME10",
            "--router",
            "R1",
            "--username",
            "budi@isp",
            "--password",
            "x",
        ],
        "cli.exists",
    );
    isp.ok(&["--on", "2026-01-10", "subscription", "terminate", "P001"]);
    isp.exit(0, &["--on", "2026-01-10", "deliver"]);
    assert!(stage.router.secret("budi@isp").is_none_or(|secret| secret.disabled));
    // He comes back in June; meanwhile nobody else took the name, and there is one account of it.
    assert_eq!(add("2026-01-20", "P001").status.code(), Some(0));
    isp.exit(0, &["--on", "2026-01-20", "run"]);
    let secret = stage.router.secret("budi@isp").unwrap();
    assert_eq!((secret.profile.as_str(), secret.disabled, secret.password_is("baru")), ("home10", false, true));
    assert_eq!(add("2026-01-21", "P003").status.code(), Some(3), "the name is in service again");
    let plan = isp.json(&["--on", "2026-01-20", "router", "plan", "R1"]);
    assert_eq!(
        (plan[0]["conflicts"].as_i64(), plan[0]["changed"].as_i64(), plan[0]["created"].as_i64()),
        (Some(0), Some(0), Some(0))
    );
}

#[test]
fn a_sheet_brings_a_customer_back_with_his_user_name() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-10", "subscription", "terminate", "P001"]);
    let head = "id_pelanggan,paket,router,username,password,mulai\n";
    let back = format!("{head}P001,HOME10,R1,budi@isp,pw-budi-1,2026-02-01\n");
    isp.write(&[("back.csv", &back)]);
    let import = |on: &str| isp.json(&["--on", on, "import", "--subscriptions", "sheets/back.csv"])[0]["new"].as_i64();
    assert_eq!(import("2026-02-01"), Some(1));
    assert_eq!(import("2026-02-02"), Some(0), "once");
    // The sheet of before is of the line that ended, and of a day that it served.
    assert_eq!(isp.json(&["--on", "2026-02-02", "subscription", "show", "P001"]).as_array().unwrap().len(), 2);
    let other = format!("{head}P003,HOME10,R1,budi@isp,pw,2026-02-03\n");
    isp.write(&[("other.csv", &other)]);
    let (_, err) = isp.exit(3, &["--on", "2026-02-03", "import", "--subscriptions", "sheets/other.csv"]);
    assert!(err.contains("import.taken"), "{err}");
}

#[test]
fn a_line_is_renamed_and_moved_without_being_billed_twice() {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.exit(0, &["--on", "2026-01-01", "run"]);
    let invoices = || isp.json(&["invoice", "list", "--customer", "P001"]).as_array().unwrap().len();
    assert_eq!(invoices(), 1);
    isp.fails(3, &["subscription", "rename", "P001", "siti@isp"], "cli.exists");
    isp.ok(&["--on", "2026-01-05", "subscription", "rename", "P001", "budi.santoso@isp", "--by", "Sari"]);
    isp.ok(&["--on", "2026-01-05", "subscription", "password", "P001", "--password", "sandi-lain"]);
    isp.exit(0, &["--on", "2026-01-05", "deliver"]);
    let new = stage.router.secret("budi.santoso@isp").unwrap();
    assert_eq!((new.profile.as_str(), new.disabled, new.password_is("sandi-lain")), ("home20", false, true));
    assert!(stage.router.secret("budi@isp").is_none_or(|secret| secret.disabled), "the old account is closed");
    // The old name is free for another line, which takes the closed account over.
    isp.ok(&["--on", "2026-01-06", "subscription", "rename", "P002", "budi@isp"]);
    isp.exit(0, &["--on", "2026-01-06", "deliver"]);
    let taken = stage.router.secret("budi@isp").unwrap();
    assert_eq!((taken.profile.as_str(), taken.disabled), ("home10", false));
    // Off the router, to a site where none of ours serves it.
    isp.ok(&["site", "add", "CMH", "--name", "Cimahi"]);
    isp.ok(&["--on", "2026-01-07", "subscription", "move", "P001", "--site", "CMH"]);
    isp.exit(0, &["--on", "2026-01-07", "deliver"]);
    assert!(stage.router.secret("budi.santoso@isp").is_none_or(|secret| secret.disabled));
    isp.exit(0, &["--on", "2026-01-31", "run"]);
    assert_eq!(invoices(), 1, "the move charges nothing");
    isp.exit(0, &["--on", "2026-02-01", "run"]);
    assert_eq!(invoices(), 2);
    let line = isp.json(&["subscription", "show", "P001"]);
    assert_eq!((line[0]["router"].as_str(), line[0]["access"].as_str()), (None, Some("open")));
    isp.ok(&["--on", "2026-02-02", "subscription", "move", "P001", "--router", "R1"]);
    isp.exit(0, &["--on", "2026-02-02", "deliver"]);
    assert!(!stage.router.secret("budi.santoso@isp").unwrap().disabled);
    isp.ok(&["--on", "2026-02-03", "subscription", "terminate", "P001"]);
    isp.fails(3, &["--on", "2026-02-04", "subscription", "rename", "P001", "lain@isp"], "subscription.not_serving");
}

/// What a dry run says of fees is what the run then bills: an order that was taken back is not among them.
#[test]
fn a_dry_run_bills_no_installation_that_was_taken_back() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["installation", "kind", "FO", "--name", "Fiber", "--price", "300000"]);
    isp.ok(&["--on", "2026-01-01", "installation", "add", "P001", "--kind", "FO", "--with-first-invoice"]);
    isp.ok(&["--on", "2026-01-01", "installation", "remove", "P001", "--reason", "salah catat"]);
    let amounts = |rows: &serde_json::Value, key: &str| -> i64 {
        rows.as_array().unwrap().iter().filter_map(|row| row[key].as_i64()).sum()
    };
    let foretold = isp.json(&["--on", "2026-01-01", "bill", "--dry-run"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    let billed = isp.json(&["invoice", "list"]);
    assert_eq!(amounts(&foretold, "amount"), amounts(&billed, "total"), "{foretold} {billed}");
    assert!(amounts(&billed, "total") > 0);
}
