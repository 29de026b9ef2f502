//! `isp doctor`: a sound provider has no finding, and each kind of damage is found and named, in both languages.

use std::path::Path;

use crate::cli::{Isp, SHEETS, Stage};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

const DOCTOR: &[&str] = &["--on", "2026-01-12", "doctor"];

/// A provider who has billed, was paid, told routers and customers, and made a copy.
fn sound() -> Stage {
    let stage = Stage::new();
    let isp = &stage.isp;
    isp.ok(&["--on", "2026-01-05", "run"]);
    isp.ok(&["--on", "2026-01-09", "payment", "add", "P001", "200.000", "--reference", "KW-1"]);
    isp.ok(&["--on", "2026-01-12", "run"]);
    isp.ok(&["--on", "2026-01-12", "backup", "copy.db"]);
    stage
}

fn execute(stage: &Stage, file: &Path, sql: &str) {
    stage.runtime.block_on(async {
        let url = format!("sqlite:{}", file.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        connection.execute(AssertSqlSafe(format!("PRAGMA foreign_keys = OFF; {sql}"))).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// The kinds of the findings.
fn findings(stage: &Stage, exit: i32, arguments: &[&str]) -> Vec<String> {
    let (out, _) = stage.isp.exit(exit, &[&["--format", "json"], arguments].concat());
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rows = rows.as_array().unwrap();
    for row in rows {
        let (what, todo) = (row["what"].as_str().unwrap(), row["todo"].as_str().unwrap());
        let kind = row["finding"].as_str().unwrap();
        assert!(
            !what.starts_with("doctor") && !todo.is_empty() && !todo.starts_with("doctor"),
            "{kind}: {what}, {todo}"
        );
        assert!(row["count"].as_u64().unwrap() > 0, "{row}");
    }
    rows.iter().map(|row| row["finding"].as_str().unwrap().to_owned()).collect()
}

/// What a person does by hand to a database, and what is found.
const DAMAGES: &[(&str, &str)] = &[
    ("ledger.unbalanced", "UPDATE journal_lines SET amount = amount + 1 WHERE account = 'ppn_payable'"),
    ("ledger.empty_entry", "DELETE FROM journal_lines WHERE kind = 'payment'"),
    ("ledger.receivable", "UPDATE invoices SET total = total + 1, dpp = dpp + 1"),
    ("ledger.credit", "UPDATE payments SET left_over = 0"),
    // Changed, removed and put in, each by hand: in the journal, in documents, and in the sums of both.
    ("ledger.sums", "UPDATE journal_lines SET amount = amount * 2"),
    ("ledger.sums", "DELETE FROM journal_entries WHERE kind = 'expense'; DELETE FROM journal_lines WHERE kind = 'expense'"),
    (
        "ledger.sums",
        "INSERT INTO journal_entries SELECT tenant_id, x'00112233445566778899aabbccddeeff', booked_on, kind FROM journal_entries LIMIT 1;
            INSERT INTO journal_lines SELECT tenant_id, x'00112233445566778899aabbccddeeff', n, 20458, 'payment', account, amount, NULL, NULL
            FROM (SELECT tenant_id FROM tenants), (SELECT 1 AS n, 'cash' AS account, 5 AS amount UNION SELECT 2, 'receivable', -5)",
    ),
    ("ledger.sums", "UPDATE sums SET amount = amount + 1 WHERE book = 'journal' AND account = 'cash'"),
    ("ledger.sums", "UPDATE sums SET amount = amount - 1 WHERE book = 'documents' AND kind = 'payments'"),
    ("ledger.sums", "DELETE FROM sums WHERE book = 'open'"),
    ("ledger.sums", "DELETE FROM sums"),
    (
        "ledger.sums",
        "INSERT INTO sums SELECT tenant_id, 'journal', 0, kind, account, package_id, site_id, 7 FROM sums WHERE book = 'journal' LIMIT 1",
    ),
    ("ledger.untied", "UPDATE invoices SET total = total + 1000, dpp = dpp + 1000 WHERE number = 1"),
    ("ledger.untied", "DELETE FROM invoices WHERE number = 1"),
    (
        "ledger.untied",
        "INSERT INTO invoices SELECT tenant_id, x'00112233445566778899aabbccddeeff', 900, customer_id, subscription_id, site_id, package_id, kind,
            period_start + 900, period_end + 900, issue_date, due_date, dpp, ppn, total, paid, lines FROM invoices WHERE paid = 0 LIMIT 1",
    ),
    ("ledger.untied", "UPDATE payments SET amount = amount + 5000, left_over = left_over + 5000 WHERE channel = 'cash'"),
    ("ledger.untied", "DELETE FROM payments"),
    ("ledger.untied", "UPDATE expenses SET amount = amount + 7000"),
    ("ledger.untied", "DELETE FROM expenses"),
    ("ledger.cash_below_zero", "UPDATE journal_lines SET booked_on = booked_on + 5 WHERE kind = 'expense'"),
    (
        "ledger.pph23_below_zero",
        "UPDATE journal_lines SET account = 'pph23_prepaid' WHERE account = 'receivable' AND amount < 0",
    ),
    ("invoice.sum", "UPDATE invoices SET ppn = ppn + 1"),
    ("invoice.paid", "UPDATE invoices SET paid = paid - 1 WHERE paid > 0"),
    ("payment.left", "UPDATE payments SET left_over = left_over - 1 WHERE left_over > 0"),
    ("invoice.number_twice", "UPDATE invoices SET number = 1"),
    ("invoice.counter", "UPDATE tenants SET next_invoice = 1"),
    ("schema.missing", "DROP INDEX customers_code_key"),
    ("schema.missing", "DROP TABLE notification_keys"),
    ("schema.missing", "DROP TABLE allocations"),
    ("row.orphan", "DELETE FROM customers WHERE code = 'P002'"),
    ("row.orphan", "DELETE FROM journal_entries"),
    ("row.orphan", "UPDATE allocations SET invoice_id = x'000102030405060708090a0b0c0d0e0f'"),
    // Whose it is: money, an invoice, a line.
    ("row.other_customer", "UPDATE payments SET customer_id = (SELECT customer_id FROM customers WHERE code = 'P002')"),
    (
        "row.other_customer",
        "UPDATE invoices SET customer_id = (SELECT c.customer_id FROM customers c WHERE c.customer_id <> invoices.customer_id LIMIT 1)
            WHERE number = 1",
    ),
    (
        "row.other_customer",
        "UPDATE subscriptions SET customer_id = (SELECT c.customer_id FROM customers c WHERE c.customer_id <> subscriptions.customer_id LIMIT 1)",
    ),
    (
        "router.rests",
        "INSERT INTO router_rests SELECT tenant_id, router_id, 1767600000000000, 1767600030000000, 'not sent (login): silent' FROM routers LIMIT 1",
    ),
    ("access.ahead", "UPDATE service_access SET observed_revision = revision + 1"),
    ("outbox.old", "UPDATE outbox SET state = 'pending', next_attempt = 0"),
    ("outbox.failed", "UPDATE outbox SET state = 'failed' WHERE topic = 'message'"),
    ("outbox.unknown", "UPDATE outbox SET state = 'unknown' WHERE topic = 'message'"),
    ("claim.stuck", "UPDATE outbox SET state = 'claimed', claimed_until = 1"),
    ("claim.far", "UPDATE outbox SET state = 'claimed', claimed_until = 4000000000000000"),
    ("hold.far", "UPDATE router_holds SET held_until = 4000000000000000"),
    ("clock.ahead", "UPDATE tenants SET last_run_at = last_run_at + 86400000000"),
    ("run.missed", "UPDATE tenants SET last_run_at = last_run_at - 4 * 86400000000"),
    ("audit.head", "DELETE FROM audit_log WHERE sequence = (SELECT MAX(sequence) FROM audit_log)"),
    ("position.ahead", "UPDATE tenants SET billing_position = billing_position + 365"),
    ("row.unreadable", "UPDATE customers SET phone = 'x' WHERE code = 'P002'"),
    ("key.unreadable", "UPDATE subscriptions SET password_sealed = substr(password_sealed, 1, 40)"),
    ("backup.none", "DELETE FROM meta WHERE key = 'last_backup'"),
    ("backup.old", "UPDATE meta SET value = CAST('2025-12-24T00:00:00Z' AS BLOB) WHERE key = 'last_backup'"),
    ("store.newer", "UPDATE _sqlx_migrations SET version = 9000 WHERE version = 1"),
    ("store.outdated", "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)"),
];

/// A sum cannot be read: the doctor and reports name what mends it.
fn unreadable_sum(stage: &Stage, what: &str) {
    let (out, _) = stage.isp.exit(5, &[&["--format", "json"], DOCTOR, &["--offline"]].concat());
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    let found = rows.as_array().unwrap().iter().find(|row| row["finding"] == "store.corrupt");
    let todo = found.unwrap_or_else(|| panic!("{what}: {out}"))["todo"].as_str().unwrap();
    assert!(todo.contains("isp doctor --renew-sums"), "{what}: {todo}");
    let (_, told) = stage.isp.exit(6, &["report", "finance", "--month", "2026-01"]);
    assert!(told.contains("[store.corrupt]") && told.contains("isp doctor --renew-sums"), "{what}: {told}");
}

#[test]
fn each_kind_of_damage_is_found_and_a_sound_provider_has_none() {
    let stage = sound();
    assert_eq!(findings(&stage, 0, DOCTOR), Vec::<String>::new());
    for (language, word) in [("id", "Tidak ada yang salah"), ("en", "Nothing is wrong")] {
        let said = stage.isp.ok(&[&["--lang", language], DOCTOR].concat());
        assert!(said.contains(word), "{said}");
    }
    let database = stage.isp.dir().join("isp.db");
    let good = std::fs::read(&database).unwrap();
    for (kind, sql) in DAMAGES {
        execute(&stage, &database, sql);
        let exit = if kind.starts_with("store.") { 6 } else { 5 };
        let found = findings(&stage, exit, &[DOCTOR, &["--offline"]].concat());
        assert!(found.iter().any(|of| of == kind), "{kind}: {found:?}");
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
        }
        std::fs::write(&database, &good).unwrap();
    }
    // Sums that somebody altered are written anew.
    for (_, sql) in DAMAGES.iter().filter(|(kind, sql)| *kind == "ledger.sums" && sql.contains(" sums ")) {
        execute(&stage, &database, sql);
        assert_eq!(
            findings(&stage, 0, &[DOCTOR, &["--offline", "--renew-sums"]].concat()),
            Vec::<String>::new(),
            "{sql}"
        );
    }
    // So is one that cannot be read.
    execute(
        &stage,
        &database,
        "INSERT INTO sums SELECT tenant_id, 'journal', day, kind, 'nonsense', package_id, site_id, 777 FROM sums
         WHERE book = 'journal' LIMIT 1",
    );
    unreadable_sum(&stage, "nonsense");
    assert_eq!(findings(&stage, 0, &[DOCTOR, &["--offline", "--renew-sums"]].concat()), Vec::<String>::new());
    // The sums may be the only witness of what was altered in the books: what they were is told before they follow.
    execute(&stage, &database, "UPDATE journal_lines SET account = 'bank' WHERE account = 'cash' AND kind = 'expense'");
    let (found, told) = stage.isp.exit(5, &[&["--lang", "en"], DOCTOR, &["--offline", "--renew-sums"]].concat());
    assert!(found.contains("ledger.untied") && found.contains("expense 2026-01-05 Rp250.000"), "{found}");
    assert!(told.contains("Changes a sum that reports are made of") && told.contains(" / "), "{told}");
    // The log says who renewed them, and which were others.
    let log = stage.isp.ok(&["--format", "json", "audit", "show", "--last", "1"]);
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    let (command, changes) = (log[0]["command"].as_str().unwrap(), log[0]["changes"].as_str().unwrap());
    assert_eq!(command, "doctor");
    assert!(changes.contains("sums.renewed") && changes.contains("journal 2026-01 expense bank: Rp0 / "), "{changes}");
    stage.isp.ok(&["audit", "verify"]);
    // What is open is of invoices, and of what customers owe: a sum that says otherwise is none.
    for column in ["kind = 'credit'", "account = 'cash'", "kind = 'x'", "account = 'x'"] {
        std::fs::write(&database, &good).unwrap();
        execute(&stage, &database, &format!("UPDATE sums SET {column} WHERE book = 'open'"));
        unreadable_sum(&stage, column);
        assert_eq!(findings(&stage, 0, &[DOCTOR, &["--offline", "--renew-sums"]].concat()), Vec::<String>::new());
        let log = stage.isp.ok(&["--format", "json", "audit", "show", "--last", "1"]);
        assert!(log.contains("sums.renewed") && log.contains("could not be read"), "{log}");
    }
    std::fs::write(&database, &good).unwrap();
    // As a person reads it.
    execute(&stage, &database, DAMAGES[0].1);
    let said = stage.isp.exit(5, &[&["--lang", "en"], DOCTOR].concat()).0;
    assert!(said.starts_with("✖ ledger.unbalanced: ") && said.contains("\n    Compare these entries"), "{said}");
}

/// What a person does by hand to one document or its entry, and what is named.
const BOOKED_OTHERWISE: &[(&str, &str, &str)] = &[
    ("UPDATE deposits SET deposited_on = deposited_on + 1 WHERE kept_in = 'bank'", "deposit 2026-01-11 ANTON", "day"),
    ("UPDATE deposits SET amount = amount - 1 WHERE kept_in = 'bank'", "deposit 2026-01-10 ANTON", "amount"),
    ("UPDATE deposits SET kept_in = 'cash' WHERE kept_in = 'bank'", "deposit 2026-01-10 ANTON", "amount"),
    ("DELETE FROM deposits WHERE kept_in = 'bank'", "deposit 2026-01-10", "stray"),
    ("UPDATE payouts SET net = net + 3", "payout 2026-01-11 tripay", "amount"),
    ("UPDATE payouts SET fee = fee + 1", "payout 2026-01-11 tripay", "amount"),
    ("UPDATE payouts SET paid_on = paid_on - 1", "payout 2026-01-10 tripay", "day"),
    ("UPDATE refunds SET amount = amount + 2", "refund 2026-01-11", "amount"),
    ("UPDATE refunds SET paid_from = 'cash'", "refund 2026-01-11", "amount"),
    ("UPDATE refunds SET paid_on = paid_on - 2", "refund 2026-01-09", "day"),
    ("UPDATE expenses SET spent_on = spent_on + 1 WHERE category = 'expense_electricity'", "expense 2026-01-06", "day"),
    ("UPDATE expenses SET paid_from = 'bank' WHERE category = 'expense_electricity'", "expense 2026-01-05", "amount"),
    ("UPDATE expenses SET site_id = NULL WHERE category = 'expense_electricity'", "expense 2026-01-05", "place"),
    (
        "UPDATE expenses SET category = 'expense_other' WHERE category = 'expense_electricity'",
        "expense 2026-01-05",
        "amount",
    ),
    ("UPDATE device_history SET happened_on = happened_on - 1 WHERE cost > 0", "device_cost 2026-01-09", "day"),
    ("UPDATE device_history SET paid_from = 'cash' WHERE cost > 0", "device_cost 2026-01-10", "amount"),
    ("UPDATE payments SET received_at = received_at + 2 * 86400000000 WHERE reference = 'KW-1'", "cash KW-1", "day"),
    ("UPDATE payments SET channel = 'bank' WHERE reference = 'KW-1'", "cash KW-1", "amount"),
    ("UPDATE payment_reversals SET reversed_at = reversed_at + 2 * 86400000000", "bank T-9", "day"),
    ("UPDATE payments SET amount = amount + 4 WHERE channel = 'write_off'", "INV-", "amount"),
    ("UPDATE credit_notes SET issue_date = issue_date - 1", "NK-202601-000001", "day"),
    ("UPDATE credit_notes SET dpp = dpp - 1, ppn = ppn + 1", "NK-202601-000001", "sum"),
    ("UPDATE journal_entries SET booked_on = booked_on + 1 WHERE kind = 'deposit'", "deposit 2026-01-10 ANTON", "day"),
    ("UPDATE journal_entries SET kind = 'refund' WHERE kind = 'payout'", "payout 2026-01-11 tripay", "kind"),
    ("UPDATE journal_entries SET booked_on = booked_on + 1 WHERE kind = 'invoices'", "invoices 2026-01-", "head"),
    (
        "DELETE FROM journal_lines WHERE kind = 'refund'; DELETE FROM journal_entries WHERE kind = 'refund'",
        "refund 2026-01-11",
        "missing",
    ),
    ("UPDATE journal_lines SET site_id = NULL WHERE kind = 'invoices'", "invoices 2026-01", "place"),
    (
        "UPDATE journal_lines SET account = 'revenue_subscription' WHERE account = 'revenue_installation'",
        "invoices 2026-01-10",
        "amount",
    ),
    (
        "UPDATE journal_entries SET booked_on = booked_on + 1 WHERE kind = 'invoices';
            UPDATE journal_lines SET booked_on = booked_on + 1 WHERE kind = 'invoices'",
        "invoices 2026-01-",
        "missing",
    ),
];

/// A provider who booked one document of each sort.
fn booked() -> Stage {
    let stage = sound();
    let isp = &stage.isp;
    let on = |day: &str, arguments: &[&str]| isp.ok(&[&["--on", day], arguments].concat());
    on("2026-01-09", &["payment", "add", "P001", "50000", "--reference", "KW-2", "--collector", "ANTON"]);
    on("2026-01-10", &["collector", "deposit", "ANTON", "40000", "--to", "bank"]);
    on("2026-01-10", &["payment", "add", "P002", "60000", "--provider", "tripay", "--reference", "TP-1"]);
    on("2026-01-11", &["gateway", "payout", "tripay", "50000", "--fee", "5000"]);
    on("2026-01-10", &["payment", "add", "P002", "1000", "--provider", "bank", "--reference", "T-9"]);
    on("2026-01-11", &["payment", "reverse", "bank", "T-9", "--reason", "salah rekening"]);
    on("2026-01-11", &["refund", "add", "P001", "10000", "--from", "bank"]);
    let replaced = ["device", "replace", "SN-1", "--with", "SN-2", "--reason", "petir", "--cost", "10000"];
    on("2026-01-10", &[&replaced[..], &["--paid-from", "bank"]].concat());
    let listed = isp.json(&["invoice", "list", "--customer", "P002"]);
    let number = listed[0]["invoice"].as_str().unwrap();
    on("2026-01-11", &["credit-note", "add", number, "2220", "--reason", "salah tagih"]);
    on("2026-01-11", &["write-off", "add", number, "--reason", "pindah", "--by", "Sari"]);
    stage
}

#[test]
fn each_document_that_is_booked_otherwise_is_named() {
    let stage = booked();
    let offline = [&["--lang", "en", "--format", "json"], DOCTOR, &["--offline"]].concat();
    // What was booked since waits to be sent; of the books nothing is found.
    let before = findings(&stage, 5, &[DOCTOR, &["--offline"]].concat());
    assert!(!before.is_empty() && before.iter().all(|kind| kind.starts_with("outbox.")), "{before:?}");
    let database = stage.isp.dir().join("isp.db");
    let good = std::fs::read(&database).unwrap();
    let words: toml::Table = toml::from_str(include_str!("../../locales/en.toml")).unwrap();
    for (sql, named, difference) in BOOKED_OTHERWISE {
        execute(&stage, &database, sql);
        let (out, _) = stage.isp.exit(5, &offline);
        let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
        let untied = rows.as_array().unwrap().iter().find(|row| row["finding"] == "ledger.untied");
        let what = untied.unwrap_or_else(|| panic!("{sql}: {out}"))["what"].as_str().unwrap();
        let word = words["untied"][difference].as_str().unwrap();
        let of = |name: &str| name.contains(named) && name.contains(word);
        assert!(what.split([';', ',']).any(of), "{sql}: {what}");
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
        }
        std::fs::write(&database, &good).unwrap();
    }
}

#[test]
fn file_key_router_and_channel_are_told_apart() {
    let mut stage = sound();
    let dir = stage.isp.dir().to_owned();
    let (database, key) = (dir.join("isp.db"), dir.join("isp.key"));
    let offline = [DOCTOR, &["--offline"]].concat();

    // Without its key the books are looked at all the same.
    std::fs::rename(&key, dir.join("kept")).unwrap();
    assert_eq!(findings(&stage, 5, &offline), ["vault.lost"]);
    let other = crate::cli::Isp::new();
    other.ok(&["init"]);
    std::fs::copy(other.dir().join("isp.key"), &key).unwrap();
    assert_eq!(findings(&stage, 5, &offline), ["store.wrong_key"]);
    std::fs::remove_file(&key).unwrap();
    std::fs::write(&key, "no key").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(findings(&stage, 5, &offline), ["vault.readable"]);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(findings(&stage, 5, &offline), ["vault.form"]);
    std::fs::remove_file(&key).unwrap();
    std::fs::rename(dir.join("kept"), &key).unwrap();

    // A change of keys that was stopped.
    let text = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    std::fs::write(&key, format!("{}\n{text}", "ab".repeat(32))).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o400)).unwrap();
    }
    assert_eq!(findings(&stage, 5, &offline), ["key.unfinished"]);
    stage.isp.ok(&["key", "rotate"]);
    assert_eq!(findings(&stage, 0, &offline), Vec::<String>::new());

    // A router and a channel that do not answer.
    stage.router.down();
    assert_eq!(findings(&stage, 5, DOCTOR), ["router.unreachable"]);
    stage.isp.set("ISP_WHATSAPP__BASE_URL", "http://127.0.0.1:1");
    assert_eq!(findings(&stage, 5, DOCTOR), ["router.unreachable", "whatsapp.unreachable"]);

    // Damaged pages, and no database at all.
    let good = std::fs::read(&database).unwrap();
    let mut bytes = good.clone();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&database, &bytes).unwrap();
    // Where the page of the schema is among them, the database cannot even be opened.
    let output = stage.isp.run(&offline);
    assert!([Some(5), Some(6)].contains(&output.status.code()), "{output:?}");
    let found = String::from_utf8(output.stdout).unwrap();
    assert!(found.contains("file.damaged") || found.contains("store.damaged"), "{found}");
    std::fs::write(&database, &good[..good.len() / 3]).unwrap();
    stage.isp.exit_any(&[5, 6], &offline);
    std::fs::remove_file(&database).unwrap();
    assert_eq!(findings(&stage, 6, &offline), ["store.missing"]);
}

/// A price that contains PPN cannot always be divided: a line of one rupiah makes it whole.
#[test]
fn an_invoice_with_a_line_of_rounding_is_sound() {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["package", "add", "ODD", "--name", "Ganjil", "--price", "100006", "--tax", "inclusive", "--speed", "10"]);
    let line =
        ["--package", "ODD", "--router", "R1", "--username", "ganjil", "--password", "x", "--start", "2026-01-01"];
    isp.ok(&[&["--on", "2026-01-01", "subscription", "add", "P002"], &line[..]].concat());
    isp.ok(&["--on", "2026-01-01", "bill"]);
    let lines = isp.ok(&["--format", "json", "invoice", "list", "--customer", "P002"]);
    let odd = serde_json::from_str::<serde_json::Value>(&lines).unwrap();
    let number = odd.as_array().unwrap().iter().find(|row| row["total"] == 100_006).unwrap()["invoice"].clone();
    let shown = isp.ok(&["--format", "json", "invoice", "show", number.as_str().unwrap()]);
    assert!(shown.contains("rounding"), "{shown}");
    let (found, _) = isp.exit(5, &["--format", "json", "--on", "2026-01-01", "doctor"]);
    assert!(!found.contains("invoice."), "{found}");
}
