//! The binary as an owner uses it: from an empty folder to reports, on SQLite, in separate processes.

use crate::cli::{Isp, SHEETS};

/// init, import, a month of billing, a payment, reports, an explanation.
#[test]
fn from_an_empty_folder_to_an_explanation() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.ok(&["init"]); // again: nothing is replaced
    isp.write(SHEETS);

    let dry = isp.ok(&["--on", "2026-01-01", "import", "sheets", "--dry-run"]);
    assert!(dry.contains("customers") && dry.contains("Percobaan"), "{dry}");
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 0);

    let first = isp.json(&["--on", "2026-01-01", "import", "sheets"]);
    assert_eq!(count(&first, "customers", "new"), 3);
    let again = isp.json(&["--on", "2026-01-01", "import", "sheets"]);
    for file in ["sites", "routers", "packages", "customers", "subscriptions", "cpes", "installations", "expenses"] {
        assert_eq!(count(&again, file, "new"), 0, "{file}");
        assert_eq!(count(&again, file, "differ"), 0, "{file}");
    }

    let billed = isp.json(&["--on", "2026-01-10", "bill"]);
    // P001 on the 1st, P002 on the 5th, P003's PSB on the 10th; P003 pays at the end of the period.
    assert_eq!((billed[0]["invoices"].as_i64(), billed[0]["problems"].as_i64()), (Some(3), Some(0)));
    assert_eq!(isp.json(&["--on", "2026-01-10", "bill"])[0]["invoices"], 0);
    let invoices = isp.json(&["invoice", "list", "--customer", "P001"]);
    assert_eq!(invoices[0]["total"], 165_000, "the price includes PPN");
    let number = invoices[0]["invoice"].as_str().unwrap().to_owned();
    let lines = isp.json(&["invoice", "show", &number]);
    let sum: i64 = lines.as_array().unwrap().iter().map(|l| l["amount"].as_i64().unwrap()).sum();
    assert_eq!(sum, 165_000);

    // P001 pays; the same receipt twice is one payment; with another amount it is refused.
    let pay = ["--on", "2026-01-09", "payment", "add", "P001", "Rp 165.000", "--reference", "KW-1"];
    assert_eq!(isp.json(&pay)[0]["paid"], 165_000);
    assert_eq!(isp.json(&pay)[0]["known"], "yes");
    isp.fails(3, &["payment", "add", "P001", "1000", "--reference", "KW-1"], "payment.mismatch");

    // P002 does not, and is isolated on Wednesday 21 January, six days past the due date of the 15th.
    isp.ok(&["--on", "2026-01-21", "enforce"]);
    let explained = isp.ok(&["--on", "2026-01-21", "--at", "13:00", "explain", "P002"]);
    assert!(
        explained.starts_with("Layanan diisolir sejak 2026-01-21") && explained.contains("INV-202601"),
        "{explained}"
    );
    let english = isp.ok(&["--on", "2026-01-20", "--lang", "en", "explain", "P002"]);
    assert!(english.starts_with("The line"), "{english}");
    assert!(isp.ok(&["--on", "2026-01-21", "explain", "P001"]).contains("terbuka"));
    assert_eq!(isp.json(&["subscription", "list", "--access", "isolated"]).as_array().unwrap().len(), 1);
    let paid = isp.json(&["--on", "2026-01-22", "payment", "add", "P002", "111000", "--reference", "KW-2"]);
    assert_eq!(paid[0]["reopened"], 1);

    let finance = isp.json(&["--on", "2026-01-31", "report", "finance", "--month", "2026-01"]);
    assert_eq!(finance["months"][0]["collected"], 276_000);
    let ledger = finance["months"][0]["outstanding"].as_i64().unwrap();
    assert_eq!(finance["aging"]["total"].as_i64().unwrap(), ledger, "what is open ties to the ledger");
    for report in ["customers", "cpe", "packages", "profit-loss"] {
        let table = isp.ok(&["--on", "2026-01-31", "report", report]);
        assert!(table.lines().count() > 2, "{report}: {table}");
        let csv = isp.ok(&["--on", "2026-01-31", "report", report, "--format", "csv"]);
        assert!(csv.lines().next().unwrap().contains(';'), "{report}: {csv}");
    }
    let customers = isp.ok(&["report", "customers"]);
    assert!(!customers.contains("81234567890"), "numbers are masked: {customers}");
    assert!(isp.ok(&["report", "customers", "--contacts"]).contains("+6281234567890"));
}

/// A whole day in one command: the dead router is named, the work for it waits, and the exit code says so.
#[test]
fn a_day_with_a_dead_router_is_done_in_part() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let (text, errors) = isp.exit(5, &["--on", "2026-01-12", "run"]);
    assert!(text.contains("Penagihan: 3 tagihan baru") && text.contains("Pengingat: 2 diantrekan"), "{text}");
    assert!(errors.contains("R1") && errors.contains("WhatsApp"), "{errors}");
    let waiting = isp.json(&["outbox", "list", "--topic", "access"]);
    // Three registrations, and the opening of P003, who started on the 10th.
    assert_eq!(waiting.as_array().unwrap().len(), 4);
    isp.exit(5, &["--on", "2026-01-12", "router", "plan"]);
}

#[test]
fn master_data_and_devices_by_hand() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.ok(&["site", "add", "BDG", "--name", "Bandung"]);
    isp.fails(3, &["site", "add", "BDG", "--name", "Bandung"], "cli.exists");
    isp.ok(&[
        "router",
        "add",
        "R1",
        "--site",
        "BDG",
        "--address",
        "127.0.0.1:1",
        "--username",
        "isp",
        "--password",
        "x",
    ]);
    isp.ok(&["package", "add", "H20", "--name", "Rumah 20", "--price", "150000", "--speed", "20/10"]);
    isp.ok(&["package", "add", "H50", "--name", "Rumah 50", "--price", "250000", "--speed", "50"]);
    isp.ok(&[
        "customer",
        "add",
        "C1",
        "--name",
        "Budi",
        "--address",
        "Jl. 1",
        "--phone",
        "0812-3456-7890",
        "--nik",
        "3273011708450001",
    ]);
    let shown = isp.ok(&["customer", "show", "C1"]);
    assert!(shown.contains("3273****") && !shown.contains("1708450001"), "{shown}");
    let refused = isp.fails(
        3,
        &["customer", "add", "C2", "--name", "X", "--address", "Y", "--nik", "3273019999"],
        "customer.nik",
    );
    assert!(!refused.contains("3273019999"), "{refused}");
    let start = [
        "--on",
        "2026-03-10",
        "subscription",
        "add",
        "C1",
        "--package",
        "H20",
        "--router",
        "R1",
        "--username",
        "budi",
        "--password",
        "rahasia",
    ];
    isp.ok(&start);
    isp.ok(&["--on", "2026-03-12", "subscription", "change-package", "C1", "H50"]);
    isp.ok(&["installation", "kind", "FO", "--name", "Fiber", "--price", "500000"]);
    isp.ok(&["--on", "2026-03-10", "installation", "add", "C1", "--kind", "FO", "--instalments", "2"]);
    isp.ok(&["--on", "2026-04-10", "bill"]);
    let orders = isp.json(&["--on", "2026-04-10", "installation", "list"]);
    assert_eq!((orders[0]["invoiced"].as_i64(), orders[0]["status"].as_str()), (Some(555_000), Some("unpaid")));
    let totals: Vec<i64> =
        isp.json(&["invoice", "list"]).as_array().unwrap().iter().map(|i| i["total"].as_i64().unwrap()).collect();
    assert_eq!(totals.iter().sum::<i64>(), 166_500 + 277_500 + 555_000, "{totals:?}");

    isp.ok(&[
        "cpe",
        "add",
        "SN-1",
        "--customer",
        "C1",
        "--ownership",
        "dipinjamkan",
        "--outdoor-unit",
        "LiteBeam",
        "--value",
        "650000",
        "--reason",
        "pasang baru",
        "--date",
        "2026-03-10",
    ]);
    isp.ok(&[
        "--by",
        "Sari",
        "device",
        "replace",
        "SN-1",
        "--with",
        "SN-2",
        "--reason",
        "petir",
        "--cost",
        "650000",
        "--sure",
        "--date",
        "2026-03-20",
    ]);
    let history = isp.json(&["device", "history", "--customer", "C1"]);
    assert_eq!(history.as_array().unwrap().len(), 3);
    assert_eq!(history.as_array().unwrap().iter().filter(|h| h["officer"] == "Sari").count(), 2);
    isp.fails(3, &["device", "return", "SN-1", "--reason", "x"], "device.not_installed");
    isp.ok(&["--on", "2026-05-01", "subscription", "terminate", "C1"]);
    let back = isp.json(&["--on", "2026-05-02", "report", "cpe", "--to-return"]);
    assert_eq!(back[0]["serial"], "SN-2");

    isp.ok(&["--on", "2026-04-12", "promise", "add", "C1", "--until", "2026-04-20"]);
    isp.fails(3, &["--on", "2026-04-12", "promise", "add", "C1", "--until", "2026-04-01"], "calendar.empty_period");
    isp.ok(&["exemption", "add", "C1", "--from", "2026-04-01", "--until", "2026-12-31", "--reason", "kantor desa"]);
    isp.ok(&["outage", "add", "BDG", "--from", "2026-04-01", "--until", "2026-04-02", "--note", "kabel putus"]);
    isp.ok(&["expense", "add", "listrik", "250000", "--sure", "--date", "2026-04-05", "--site", "BDG"]);
    let profit = isp.ok(&["report", "profit-loss", "--month", "2026-04"]);
    assert!(profit.contains("Listrik") && profit.contains("Rp250.000"), "{profit}");
}

#[test]
fn exit_codes_and_errors_are_one_line_with_a_code() {
    let isp = Isp::new();
    isp.fails(6, &["customer", "list"], "cli.no_settings");
    isp.ok(&["init"]);
    isp.fails(4, &["explain", "NOBODY"], "cli.not_found");
    isp.fails(4, &["isolate", "NOBODY", "--reason", "x"], "cli.not_found");
    isp.fails(2, &["report", "finance", "--from", "2026-05", "--to", "2026-01"], "cli.usage");
    isp.fails(2, &["--config", "nowhere.toml", "bill"], "cli.config");
    assert_eq!(isp.exit(2, &["bill", "--on", "2026-02-30"]).0, "");
    assert_eq!(isp.exit(2, &["frobnicate"]).0, "");
    let english = isp.fails(4, &["--lang", "en", "customer", "show", "NOBODY"], "cli.not_found");
    assert!(english.contains("customer NOBODY not found"), "{english}");
    // Another key file cannot read the database.
    isp.fails(2, &["--key-file", "isp.toml", "customer", "list"], "vault.");
}

fn count(report: &serde_json::Value, file: &str, field: &str) -> i64 {
    let row = report.as_array().unwrap().iter().find(|row| row["file"] == file);
    row.unwrap_or_else(|| panic!("{file}: {report}"))[field].as_i64().unwrap()
}

/// Public holidays are shown with the operator's own days, hold isolation off, and a year that is not known is said so.
#[test]
fn holidays_are_shown_and_kept() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    let days = isp.json(&["holidays", "--year", "2026"]);
    let days = days.as_array().unwrap();
    assert_eq!(days.len(), 25);
    let imlek = days.iter().find(|d| d["date"] == "2026-02-17").unwrap();
    assert_eq!((imlek["kind"].as_str(), imlek["name"].as_str()), (Some("national"), Some("Tahun Baru Imlek")));
    let settings = std::fs::read_to_string(isp.dir().join("isp.toml")).unwrap();
    let own = settings.replace("holidays = []", "holidays = [\"2026-07-18\"]").replace("\"all\"", "\"national\"");
    std::fs::write(isp.dir().join("isp.toml"), own).unwrap();
    let days = isp.json(&["holidays", "--year", "2026"]);
    assert_eq!(days.as_array().unwrap().len(), 18);
    assert!(days.as_array().unwrap().iter().any(|d| d["kind"] == "own_day" && d["date"] == "2026-07-18"));
    assert!(isp.exit(0, &["holidays", "--year", "2031"]).1.contains("2031"), "an unknown year is said to be unknown");
}

/// What officers recorded can be listed.
#[test]
fn promises_exemptions_and_outages_are_listed() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-10", "--by", "Sari", "promise", "add", "P001", "--until", "2026-01-20"]);
    isp.ok(&["--on", "2026-01-10", "exemption", "add", "P002", "--until", "2026-12-31", "--reason", "kantor desa"]);
    let site = isp.json(&["site", "list"])[0]["code"].as_str().unwrap().to_owned();
    isp.ok(&["outage", "add", &site, "--from", "2026-01-15", "--until", "2026-01-16", "--note", "kabel putus"]);
    let promises = isp.json(&["--on", "2026-01-15", "promise", "list", "--running"]);
    assert_eq!((promises[0]["customer"].as_str(), promises[0]["officer"].as_str()), (Some("P001"), Some("Sari")));
    assert_eq!(isp.json(&["--on", "2026-01-21", "promise", "list", "--running"]).as_array().unwrap().len(), 0);
    assert_eq!(isp.json(&["--on", "2026-01-21", "promise", "list"]).as_array().unwrap().len(), 1);
    let exemptions = isp.json(&["exemption", "list", "--customer", "P002"]);
    assert_eq!(exemptions[0]["reason"], "kantor desa");
    assert_eq!(isp.json(&["exemption", "list", "--customer", "P001"]).as_array().unwrap().len(), 0);
    let outages = isp.json(&["outage", "list", "--site", &site]);
    assert!(outages[0]["until"].as_str().unwrap().starts_with("2026-01-17 00:00"), "{outages}");
}

/// A what-if says who would be isolated, and what another policy would change, and writes nothing.
#[test]
fn another_policy_is_tried_without_writing() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    let days = ["--on", "2026-01-01", "simulate", "--from", "2026-01-02", "--to", "2026-01-31"];
    let events = isp.json(&days);
    let isolated: Vec<_> = events.as_array().unwrap().iter().filter(|e| e["what"] == "isolated").cloned().collect();
    // P001 is due on the 11th; five days late on Friday the 16th, which is a holiday, so on Monday the 19th.
    assert_eq!((isolated[0]["customer"].as_str(), isolated[0]["date"].as_str()), (Some("P001"), Some("2026-01-19")));
    std::fs::write(isp.dir().join("strict.toml"), "[policy.isolation]\nisolate_after_days = 2\n").unwrap();
    let both = isp.json(&[&days[..], &["--policy", "strict.toml"]].concat());
    let earlier = both.as_array().unwrap().iter().find(|e| e["policy"] == "other_policy").unwrap();
    assert_eq!((earlier["what"].as_str(), earlier["date"].as_str()), (Some("isolated"), Some("2026-01-13")));
    let table = isp.ok(&[&days[..], &["--policy", "strict.toml"]].concat());
    assert!(table.contains("P001") && table.contains("Yang berbeda"), "{table}");
    assert_eq!(isp.json(&["invoice", "list"]).as_array().unwrap().len(), 1, "nothing was written");
    std::fs::write(isp.dir().join("bad.toml"), "[policy.isolation]\nisolate_after = 2\n").unwrap();
    isp.fails(2, &[&days[..], &["--policy", "bad.toml"]].concat(), "cli.config");
    isp.fails(3, &["simulate", "--from", "2026-02-01", "--to", "2026-01-01"], "calendar.empty_period");
}
