//! PPh 23 that a firm keeps back (rule P9), by the binary: its slip settles what is missing, and is no money.

use crate::cli::{Isp, SHEETS};

/// P002 has an invoice of Rp111.000 of 5 January, of which it pays Rp109.000: 2 % of Rp100.000 are missing.
fn short_by_the_tax() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
    isp.ok(&["--on", "2026-01-10", "payment", "add", "P002", "109.000", "--provider", "bca", "--reference", "T-1"]);
    isp
}

const SLIP: [&str; 8] = ["payment", "add", "P002", "2.000", "--provider", "pph23", "--reference", "BP 0001/I"];

#[test]
fn a_slip_settles_what_is_missing_and_is_no_money() {
    let isp = short_by_the_tax();
    let why = isp.json(&["--on", "2026-01-20", "explain", "P002"]);
    assert!(why[0]["evidence"].as_str().unwrap().contains("PPh 23 (2 %"), "{why}");
    // It needs the date that stands on it.
    let (_, err) = isp.exit(2, &SLIP);
    assert!(err.contains("--paid-on"), "{err}");
    let dated = |amount: &'static str| {
        let mut args = vec!["--on", "2026-01-25"];
        args.extend(SLIP);
        args[5] = amount;
        args.extend(["--paid-on", "2026-01-12"]);
        args
    };
    let (_, err) = isp.exit(3, &dated("1.500"));
    assert!(err.contains("payment.slip_odd"), "{err}");
    let (_, err) = isp.exit(3, &dated("4.000"));
    assert!(err.contains("payment.slip_above_debt"), "{err}");
    let paid = isp.json(&dated("2.000"));
    assert_eq!((&paid[0]["paid"], &paid[0]["credit"], &paid[0]["owed"]), (&2_000.into(), &0.into(), &0.into()));
    let again = isp.json(&dated("2.000"));
    assert_eq!((&again[0]["known"], &again[0]["credit"]), (&"yes".into(), &0.into()));

    let finance = isp.json(&["--on", "2026-01-31", "report", "finance", "--month", "2026-01"]);
    let month = &finance["months"][0];
    assert_eq!((&month["collected"], &month["withheld"]), (&109_000.into(), &2_000.into()));
    assert_eq!(month["pph23_prepaid"], 2_000);
    let cash = isp.json(&["--on", "2026-01-31", "report", "cash", "--month", "2026-01"]);
    let received =
        cash.as_array().unwrap().iter().map(|row| (row["account"].as_str().unwrap(), row["received"].as_i64()));
    assert_eq!(received.collect::<Vec<_>>(), [("cash", Some(0)), ("bank", Some(109_000))]);
    let why = isp.json(&["--on", "2026-01-31", "explain", "P002"]);
    assert!(!why[0]["evidence"].as_str().unwrap().contains("PPh 23"), "{why}");
}

/// What was kept back counts towards the income tax of the year: the return uses it, and no more than there is.
#[test]
fn what_was_kept_back_is_used_in_the_yearly_return() {
    let isp = short_by_the_tax();
    isp.ok(&[&["--on", "2026-01-25"][..], &SLIP, &["--paid-on", "2026-01-12"]].concat());
    let prepaid = |day: &str, month: &str| {
        let finance = isp.json(&["--on", day, "report", "finance", "--month", month]);
        (finance["months"][0]["pph23_prepaid"].as_i64(), finance["months"][0]["withheld"].as_i64())
    };
    assert_eq!(prepaid("2026-01-31", "2026-01"), (Some(2_000), Some(2_000)));
    let take = |amount: &'static str| {
        ["--on", "2026-02-10", "expense", "add", "other", amount, "--paid-from", "pph23", "--note", "PPh badan"]
    };
    let (_, told) = isp.exit(3, &take("2.001"));
    assert!(told.contains("money.pph23_short") && told.contains("--sure"), "{told}");
    isp.ok(&take("1.500"));
    assert_eq!(prepaid("2026-02-28", "2026-02"), (Some(500), Some(0)));
    let list = isp.json(&["expense", "list", "--month", "2026-02"]);
    assert_eq!((list[0]["channel"].as_str(), list[0]["amount"].as_i64()), (Some("pph23"), Some(1_500)), "{list}");
    // It is an expense of the month and takes no money.
    let cash = isp.json(&["--on", "2026-02-28", "report", "cash", "--month", "2026-02"]);
    assert!(cash.as_array().unwrap().iter().all(|row| row["spent"].as_i64().unwrap_or(0) == 0), "{cash}");
    // It is corrected as any expense: 500 more are left, and no more.
    let id = list[0]["id"].as_str().unwrap();
    isp.exit(3, &["--on", "2026-02-10", "expense", "edit", id, "--amount", "2.001", "--reason", "salah"]);
    isp.ok(&["--on", "2026-02-10", "expense", "edit", id, "--amount", "2.000", "--reason", "salah"]);
    assert_eq!(prepaid("2026-02-28", "2026-02").0, Some(0));
    isp.exit(2, &["expense", "add", "other", "1.000", "--paid-from", "credit_note"]);
    let found = isp.run(&["--format", "json", "doctor", "--offline"]);
    assert!(!String::from_utf8(found.stdout).unwrap().contains("ledger."));
}

/// What was used is missing when its slip goes, and was not there before the slip came: it is asked, and the doctor names the days.
#[test]
fn used_tax_is_asked_for_when_its_slip_goes_or_had_not_come() {
    let isp = short_by_the_tax();
    isp.ok(&[&["--on", "2026-01-25"][..], &SLIP, &["--paid-on", "2026-01-12"]].concat());
    let take = ["--on", "2026-02-10", "expense", "add", "other", "1.500", "--paid-from", "pph23"];
    let said = isp.fails(3, &[&["--lang", "en"], &take[..], &["--date", "2026-01-24"]].concat(), "money.pph23_short");
    assert!(said.contains("2026-01-24") && said.contains("Rp0"), "{said}");
    isp.ok(&take);
    let back = ["--on", "2026-02-11", "payment", "reverse", "pph23", "BP 0001/I", "--reason", "palsu"];
    let said = isp.fails(3, &[&["--lang", "id"], &back[..]].concat(), "money.pph23_short");
    assert!(said.contains("2026-02-11") && said.contains("Rp500"), "{said}");
    let doctor = || String::from_utf8(isp.run(&["--format", "json", "doctor", "--offline"]).stdout).unwrap();
    assert!(!doctor().contains("below_zero"), "{}", doctor());
    isp.ok(&[&back[..], &["--sure"]].concat());
    assert!(doctor().contains("ledger.pph23_below_zero") && doctor().contains("2026-02-11 -Rp1.500"), "{}", doctor());
    assert!(!doctor().contains("ledger.cash_below_zero"), "{}", doctor());
}

#[test]
fn customers_number_their_own_slips() {
    let isp = short_by_the_tax();
    isp.ok(&["--on", "2026-01-25", "bill"]);
    let slip = |customer, amount| {
        let args = ["--on", "2026-01-25", "payment", "add", customer, amount, "--provider", "PPh23", "--reference"];
        isp.ok(&[&args[..], &["bp0001/i", "--paid-on", "2026-01-12", "--sure"]].concat())
    };
    slip("P002", "2.000");
    slip("P001", "3.000");
    let (_, err) = isp.exit(2, &["payment", "show", "pph23", "BP 0001/I"]);
    assert!(err.contains("--customer"), "{err}");
    isp.ok(&["payment", "reverse", "pph23", "BP 0001/I", "--customer", "P002", "--reason", "salah"]);
    let listed = isp.json(&["payment", "list"]);
    let of = |customer: &str| {
        let mut rows = listed.as_array().unwrap().iter();
        rows.find(|row| row["provider"] == "PPh23" && row["customer"] == customer).unwrap().clone()
    };
    assert_eq!((&of("P002")["reversed"], &of("P001")["reversed"]), (&"salah".into(), &serde_json::Value::Null));
    // No collector takes one.
    let args = ["--on", "2026-01-25", "payment", "add", "P002", "2.000", "--provider", "pph23", "--reference", "BP-2"];
    let (_, err) = isp.exit(3, &[&args[..], &["--paid-on", "2026-01-12", "--collector", "ANTON"]].concat());
    assert!(err.contains("payment.reserved_provider"), "{err}");
}
