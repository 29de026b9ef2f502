//! Reports by the binary: a day of the past is told as it was, and books that somebody altered do not tie.

use crate::cli::{Isp, SHEETS};
use serde_json::Value;

/// The provider of the spreadsheets, with January and February billed, and a payment of 5 February.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    for day in ["2026-01-05", "2026-02-05"] {
        isp.ok(&["--on", day, "bill"]);
    }
    isp.ok(&["--on", "2026-02-05", "payment", "add", "P001", "165000", "--provider", "bank", "--reference", "T-1"]);
    isp
}

fn sql(isp: &Isp, statement: &str) {
    let path = isp.dir().join("isp.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection as _;
        let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
        let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut db).await.unwrap();
        assert!(done.rows_affected() > 0, "{statement}");
        db.close().await.unwrap();
    });
}

const REPORTS: [&[&str]; 3] = [
    &["report", "finance", "--from", "2026-01", "--to", "2026-02"],
    &["report", "profit-loss", "--from", "2026-01", "--to", "2026-02"],
    &["report", "cash", "--from", "2026-01", "--to", "2026-02"],
];

#[test]
fn reports_tie_and_say_when_they_do_not() {
    let isp = provider();
    isp.ok(&["--on", "2026-02-06", "expense", "add", "listrik", "100000", "--paid-from", "bank"]);
    isp.ok(&["--on", "2026-02-06", "credit-note", "add", "INV-202601-000001", "15000", "--reason", "gangguan"]);
    for report in REPORTS {
        let (_, err) = isp.exit(0, report);
        assert_eq!(err, "");
    }
    // What is altered, by how much the books are apart then, and which document is named.
    for (alter, undo, apart, named) in [
        (
            "UPDATE invoices SET total = total + 1000 WHERE number = 1",
            "UPDATE invoices SET total = total - 1000 WHERE number = 1",
            "Rp1.000",
            "INV-202601-000001",
        ),
        (
            "UPDATE payments SET amount = amount + 5000 WHERE reference = 'T-1'",
            "UPDATE payments SET amount = amount - 5000 WHERE reference = 'T-1'",
            "Rp5.000",
            "bank T-1",
        ),
        (
            "UPDATE expenses SET amount = amount + 7000 WHERE amount = 100000",
            "UPDATE expenses SET amount = amount - 7000 WHERE amount = 107000",
            "Rp7.000",
            "expense 2026-02-06",
        ),
        (
            "UPDATE credit_notes SET total = total + 9000",
            "UPDATE credit_notes SET total = total - 9000",
            "",
            "NK-202602-000001",
        ),
    ] {
        sql(&isp, alter);
        // Whoever alters a row does not alter its sums: it takes the proof that reads every row.
        let (out, _) = isp.exit(5, &["--lang", "en", "doctor", "--offline", "--format", "json"]);
        let rows: Value = serde_json::from_str(&out).unwrap();
        let what = cell(&rows, "finding", "ledger.untied", "what").as_str().unwrap();
        assert!(what.contains(apart) && what.contains(named), "{alter}: {what}");
        sql(&isp, undo);
    }
    // Where sums of documents and of the journal are apart, a report reads every document, and names those that are.
    for (alter, undo, apart, named) in [
        (
            "UPDATE sums SET amount = amount + 1000 WHERE book = 'documents' AND kind = 'invoices' AND account = 'receivable'",
            "UPDATE sums SET amount = amount - 1000 WHERE book = 'documents' AND kind = 'invoices' AND account = 'receivable'",
            "Rp1.000",
            "",
        ),
        (
            "INSERT INTO sums SELECT tenant_id, 'open', 0, 'invoices', 'receivable', zeroblob(16), zeroblob(16), 3000 FROM tenants",
            "DELETE FROM sums WHERE book = 'open' AND day = 0",
            "Rp3.000",
            "",
        ),
        (
            "UPDATE sums SET amount = amount + 5000 WHERE book = 'documents' AND kind = 'payments' AND account = 'bank'",
            "UPDATE sums SET amount = amount - 5000 WHERE book = 'documents' AND kind = 'payments' AND account = 'bank'",
            "Rp5.000",
            "bank T-1",
        ),
        (
            "UPDATE sums SET amount = amount + 7000 WHERE book = 'journal' AND account = 'expense_electricity' AND day > 20480",
            "UPDATE sums SET amount = amount - 7000 WHERE book = 'journal' AND account = 'expense_electricity' AND day > 20480",
            "Rp7.000",
            "expense 2026-02-06",
        ),
    ] {
        sql(&isp, alter);
        if named.starts_with("bank") {
            sql(&isp, "UPDATE payments SET amount = amount + 5000 WHERE reference = 'T-1'");
        } else if !named.is_empty() {
            sql(&isp, "UPDATE expenses SET amount = amount + 9 WHERE amount = 100000");
        }
        for report in REPORTS {
            let (_, err) = isp.exit(5, &[&["--lang", "en"], report].concat());
            assert!(err.contains("do not tie") && err.contains(apart) && err.contains(named), "{alter}: {err}");
        }
        sql(&isp, undo);
        if named.starts_with("bank") {
            sql(&isp, "UPDATE payments SET amount = amount - 5000 WHERE reference = 'T-1'");
        } else if !named.is_empty() {
            sql(&isp, "UPDATE expenses SET amount = amount - 9 WHERE amount = 100009");
        }
        isp.ok(REPORTS[0]);
    }
    let (out, _) = isp.exit(5, &["doctor", "--offline", "--format", "json"]);
    assert!(!out.contains("ledger."), "{out}");
}

fn cell<'a>(rows: &'a Value, key: &str, value: &str, wanted: &str) -> &'a Value {
    let row = rows.as_array().unwrap().iter().find(|row| row[key] == value).unwrap();
    &row[wanted]
}

#[test]
fn a_day_of_the_past_is_told_as_it_was() {
    let isp = provider();
    let aging =
        |day: &str| isp.json(&["--on", day, "report", "finance", "--month", "2026-01"])["aging"]["total"].clone();
    // On 6 January the first invoices were open, of February none, and nothing was paid.
    let january: i64 = isp
        .json(&["invoice", "list"])
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["issued"].as_str().unwrap() < "2026-01-06")
        .map(|row| row["total"].as_i64().unwrap())
        .sum();
    assert_eq!(aging("2026-01-06"), january);
    assert_ne!(aging("2026-02-28"), january);

    // A device that went to another customer, and a line that changed its package and ended.
    isp.ok(&["--on", "2026-02-10", "device", "return", "SN-1", "--reason", "pindah"]);
    isp.ok(&["--on", "2026-02-10", "subscription", "change-package", "P001", "HOME10", "--at-once"]);
    isp.ok(&["--on", "2026-02-12", "subscription", "terminate", "P002"]);
    let now = isp.json(&["--on", "2026-02-20", "report", "cpe"]);
    assert_eq!(cell(&now, "serial", "SN-1", "installed"), "no");
    let then = isp.json(&["--on", "2026-02-09", "report", "cpe"]);
    assert_eq!(cell(&then, "serial", "SN-1", "installed"), "yes");
    for (day, home20, home10) in [("2026-02-09", 1, 2), ("2026-02-11", 0, 3), ("2026-02-20", 0, 2)] {
        let packages = isp.json(&["--on", day, "report", "packages"]);
        let active = |code| cell(&packages, "code", code, "active").clone();
        assert_eq!((active("HOME20"), active("HOME10")), (home20.into(), home10.into()), "{day}");
    }
}

#[test]
fn cash_below_zero_and_implausible_amounts_are_asked() {
    let isp = provider();
    let add = ["--on", "2026-02-06", "expense", "add", "other"];
    let cash = isp.json(&["--on", "2026-02-06", "report", "cash", "--month", "2026-02"]);
    let holds = cell(&cash, "account", "cash", "closing").as_i64().unwrap();
    // The imported expense of Rp250.000 was paid in cash that nobody recorded.
    assert_eq!(holds, -250_000);
    isp.fails(3, &[&add[..], &["1000"]].concat(), "money.cash_short");
    isp.ok(&["--on", "2026-02-06", "payment", "add", "P002", "300000", "--reference", "KW-1"]);
    let said = isp.fails(3, &[&["--lang", "en"], &add[..], &["60000"]].concat(), "money.cash_short");
    assert!(said.contains("Rp50.000"), "{said}");
    isp.ok(&[&add[..], &["50000"]].concat());
    isp.ok(&[&add[..], &["60000", "--paid-from", "bank"]].concat());
    isp.ok(&[&add[..], &["60000", "--sure"]].concat());
    for words in [
        &["expense", "add", "other", "1000000000000", "--paid-from", "bank"][..],
        &["payment", "add", "P001", "1000000000000", "--provider", "bank", "--reference", "T-9"],
        &["installation", "kind", "FO", "--name", "FO", "--price", "1000000000000"],
    ] {
        isp.fails(3, &[&["--on", "2026-02-06"], words].concat(), "value.implausible");
    }
}
