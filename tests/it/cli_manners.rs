//! Manners of the command line: what is exported can be imported again, a look before, the day at a glance, settings with
//! their sources, a person found by whatever is known of him, and databases that something happened to.

use crate::cli::{Isp, SHEETS};

/// A provider in January, after two weeks of runs without a router.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.exit(5, &["--on", "2026-01-05", "run"]);
    isp
}

/// The lists that hold what an import reads, and the option that reads each.
const LISTS: [(&str, &[&str]); 10] = [
    ("--sites", &["site", "list"]),
    ("--routers", &["router", "list"]),
    ("--packages", &["package", "list"]),
    ("--packages", &["report", "packages"]),
    ("--customers", &["report", "customers", "--contacts"]),
    ("--subscriptions", &["subscription", "list"]),
    ("--cpes", &["cpe", "list"]),
    ("--cpes", &["report", "cpe"]),
    ("--installations", &["installation", "list"]),
    ("--expenses", &["expense", "list"]),
];

#[test]
fn what_is_exported_can_be_imported_again() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-06", "expense", "add", "gaji", "3000000", "--paid-from", "bank", "--note", "=gaji+1"]);
    let added = isp.json(&["expense", "list"]);
    let wrong = added[0]["id"].as_str().unwrap();
    isp.ok(&["--on", "2026-01-07", "expense", "edit", wrong, "--amount", "275000", "--reason", "salah baca", "--sure"]);
    isp.ok(&["--on", "2026-01-08", "subscription", "terminate", "P002", "--end", "2026-01-08"]);
    for language in ["id", "en"] {
        for (option, words) in LISTS {
            let told = isp.ok(&[&["--on", "2026-01-09", "--lang", language, "--format", "csv"], words].concat());
            let separator = if language == "id" { ';' } else { ',' };
            assert!(told.lines().next().unwrap().contains(separator), "{told}");
            let file = isp.dir().join("again.csv");
            std::fs::write(&file, &told).unwrap();
            let again =
                ["--on", "2026-01-09", "import", option, "again.csv", "--dry-run", "--billed-from", "2026-01-01"];
            let counts = isp.json(&again);
            let of = |what: &str| counts[0][what].as_i64().unwrap();
            let rows = told.lines().count() as i64 - 1;
            assert_eq!(
                (of("new"), of("differ"), of("same") + of("left_out")),
                (0, 0, rows),
                "{words:?}: {told}{counts}"
            );
        }
    }
    // In a new house each kind that holds no password becomes what it was, but for what is over.
    let csv = |words: &[&str]| isp.ok(&[&["--on", "2026-01-09", "--format", "csv"], words].concat());
    let other = Isp::new();
    other.ok(&["init"]);
    for (option, words, new, left_out) in [
        ("--sites", &["site", "list"][..], 1, 0),
        ("--packages", &["report", "packages"], 2, 0),
        ("--customers", &["report", "customers", "--contacts"], 3, 0),
        ("--expenses", &["expense", "list"], 2, 1),
    ] {
        std::fs::write(other.dir().join("again.csv"), csv(words)).unwrap();
        let counts = other.json(&["--on", "2026-01-09", "import", option, "again.csv"]);
        assert_eq!(
            (counts[0]["new"].as_i64(), counts[0]["left_out"].as_i64()),
            (Some(new), Some(left_out)),
            "{words:?}"
        );
    }
    let (there, here) = (isp.json(&["expense", "list"]), other.json(&["expense", "list"]));
    let facts = |of: &serde_json::Value| {
        let mut all: Vec<String> = of
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["state"].is_null())
            .map(|e| format!("{} {} {} {} {}", e["date"], e["category"], e["amount"], e["channel"], e["note"]))
            .collect();
        all.sort();
        all
    };
    assert_eq!(facts(&there), facts(&here));
    // A line and a router hold passwords, which no export shows: a new one asks for its own.
    std::fs::write(other.dir().join("again.csv"), csv(&["router", "list"])).unwrap();
    let (_, err) = other.exit(3, &["import", "--routers", "again.csv"]);
    assert!(err.contains("password"), "{err}");
}

#[test]
fn a_look_before_writes_nothing_and_says_what_then_happens() {
    let isp = provider();
    let look = |day: &str, words: &[&str]| isp.json(&[&["--on", day], words].concat());
    let who = |rows: &serde_json::Value, key: &str, what: &str| {
        let rows = rows.as_array().unwrap().iter().filter(|row| row[key] == what);
        rows.map(|row| row["customer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    isp.exit(5, &["--on", "2026-01-19", "run"]);
    let told = look("2026-01-20", &["enforce", "--dry-run"]);
    assert_eq!(who(&told, "what", "isolated"), ["P002"], "{told}");
    assert!(who(&told, "what", "billed").is_empty());
    assert_eq!(look("2026-01-20", &["enforce", "--dry-run"]), told, "a look changes nothing");
    assert_eq!(who(&look("2026-01-20", &["run", "--dry-run"]), "what", "isolated"), ["P002"]);
    assert_eq!(who(&look("2026-01-20", &["enforce"]), "action", "isolated"), ["P002"]);
    // What happened since midnight counts: a payment opened the line, and was taken back.
    let hour = |time: &str, words: &[&str]| isp.json(&[&["--on", "2026-01-20", "--at", time], words].concat());
    let pay = ["payment", "add", "P002", "1000000", "--reference", "KELIRU-1", "--sure"];
    isp.ok(&[&["--on", "2026-01-20", "--at", "13:00"], pay.as_slice()].concat());
    let back = ["payment", "reverse", "cash", "KELIRU-1", "--reason", "salah orang", "--sure"];
    isp.ok(&[&["--on", "2026-01-20", "--at", "13:05"], back.as_slice()].concat());
    for command in ["run", "enforce"] {
        let told = hour("13:10", &[command, "--dry-run"]);
        assert_eq!(who(&told, "what", "isolated"), ["P002"], "{told}");
    }
    assert_eq!(who(&hour("13:10", &["enforce"]), "action", "isolated"), ["P002"]);
    for command in ["run", "enforce"] {
        let told = hour("13:15", &[command, "--dry-run"]);
        assert!(who(&told, "what", "isolated").is_empty() && who(&told, "what", "reopened").is_empty(), "{told}");
    }
    isp.exit(5, &["--on", "2026-01-31", "run"]);
    let told = look("2026-02-01", &["bill", "--dry-run"]);
    assert_eq!(who(&told, "what", "billed"), ["P001"], "{told}");
    let billed = look("2026-02-01", &["bill"]);
    assert_eq!((billed[0]["invoices"].as_i64(), billed[0]["amount"].as_i64()), (Some(1), told[0]["amount"].as_i64()));
    assert!(who(&look("2026-02-01", &["bill", "--dry-run"]), "what", "billed").is_empty(), "nothing is left to bill");
}

/// Invoices that are written late are due when they are written: nobody is late with what he was never asked for.
#[test]
fn the_first_run_does_what_its_look_told_and_isolates_nobody_who_was_not_asked() {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-28", "import", "sheets", "--billed-from", "2026-01-01"]);
    let rows = |day: &str, what: &str| {
        let told = isp.json(&["--on", day, "run", "--dry-run"]);
        told.as_array().unwrap().iter().filter(|row| row["what"] == what).cloned().collect::<Vec<_>>()
    };
    let (billed, isolated) = (rows("2026-01-28", "billed"), rows("2026-01-28", "isolated"));
    let amount = billed.iter().map(|row| row["amount"].as_i64().unwrap()).sum::<i64>();
    assert_eq!((billed.len(), isolated.len()), (3, 0), "{billed:?}");
    let (out, _) = isp.exit(5, &["--format", "json", "--on", "2026-01-28", "run"]);
    let run: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((run[0]["invoices"].as_i64(), run[0]["amount"].as_i64()), (Some(3), Some(amount)), "{run}");
    assert_eq!(run[0]["isolated"], 0);
    let invoices = isp.json(&["invoice", "list"]);
    let days: Vec<_> = invoices.as_array().unwrap().iter().map(|i| (&i["issued"], &i["due"])).collect();
    assert!(days.iter().all(|(issued, due)| *due == "2026-01-28" && issued.as_str() < due.as_str()), "{days:?}");
    assert!(rows("2026-01-28", "billed").is_empty(), "nothing is left");
    // The grace of everybody begins when the invoice was written.
    let told = rows("2026-01-31", "overdue");
    assert!(!told.is_empty(), "reminders that no run has queued yet are told, too");
    let queued = isp.json(&["--on", "2026-01-31", "remind"]);
    assert_eq!(queued[0]["queued"].as_i64(), Some(told.len() as i64));
    assert!(rows("2026-01-31", "overdue").is_empty());
    assert!(rows("2026-01-30", "isolated").is_empty());
    assert!(!rows("2026-02-02", "isolated").is_empty());
}

#[test]
fn the_day_at_a_glance_and_who_has_not_paid() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-06", "payment", "add", "P001", "100000", "--reference", "KW-1"]);
    isp.ok(&["--on", "2026-01-20", "promise", "add", "P002", "--until", "2026-01-25"]);
    let status = isp.json(&["--on", "2026-01-06", "status"]);
    let row = |what: &str| status.as_array().unwrap().iter().find(|row| row["what"] == what).unwrap().clone();
    assert_eq!((row("paid_today")["count"].as_i64(), row("paid_today")["amount"].as_i64()), (Some(1), Some(100_000)));
    assert_eq!(row("overdue_customers")["count"], 0);
    assert!(row("waiting_routers")["count"].as_i64().unwrap() > 0);
    assert!(row("last_run")["note"].as_str().unwrap().starts_with("2026-01-05"));
    let owing = isp.json(&["--on", "2026-01-20", "unpaid", "--overdue"]);
    let codes: Vec<&str> = owing.as_array().unwrap().iter().map(|row| row["customer"].as_str().unwrap()).collect();
    assert!(codes.contains(&"P001") && codes.contains(&"P002"), "{owing}");
    let promised = owing.as_array().unwrap().iter().find(|row| row["customer"] == "P002").unwrap();
    assert_eq!(promised["promise"], "2026-01-25");
    assert!(isp.ok(&["--on", "2026-01-20", "status"]).contains("pelanggan menunggak"));
    // Numbers are whole for who asks for them.
    let phone = |rows: serde_json::Value| rows[0]["phone"].as_str().unwrap().to_owned();
    assert!(phone(owing).contains('*'));
    assert!(!phone(isp.json(&["--on", "2026-01-20", "unpaid", "--overdue", "--contacts"])).contains('*'));
    // Nobody owed on a day before the first invoice was issued.
    assert_eq!(isp.json(&["--on", "2025-12-31", "unpaid"]).as_array().map(Vec::len), Some(0));
    // The money of a day, and of a month.
    assert_eq!(isp.json(&["payment", "list", "--paid-on", "2026-01-06"]).as_array().unwrap().len(), 1);
    assert_eq!(isp.json(&["payment", "list", "--paid-on", "2026-01-07"]).as_array().unwrap().len(), 0);
    assert_eq!(isp.json(&["payment", "list", "--month", "2026-01"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_person_is_found_by_whatever_is_known_of_him() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-06", "payment", "add", "P001", "100000", "--reference", "KW-1"]);
    isp.ok(&["--on", "2026-01-20", "isolate", "P001", "--reason", "uji coba"]);
    let invoices = isp.json(&["invoice", "list", "--customer", "P001"]);
    let number = invoices[0]["invoice"].as_str().unwrap().to_lowercase();
    for known in ["p001", "0812 3456 7890", "BUDI@isp", "budi san", &number] {
        assert_eq!(isp.json(&["customer", "show", known])[0]["code"], "P001", "{known}");
    }
    assert!(isp.ok(&["invoice", "show", &number]).contains("INV-"));
    let told = isp.ok(&["customer", "show", "P001"]);
    for part in ["KW-1", "budi@isp", "SN-1", "uji coba"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    isp.fails(2, &["customer", "show", "i"], "cli.usage");
    isp.fails(4, &["customer", "show", "Zainuddin"], "cli.not_found");
    let nobody = isp.fails(4, &["--lang", "en", "customer", "show", "3273011708450009"], "cli.not_found");
    assert!(!nobody.contains("3273011708450009") && nobody.contains("...009"), "{nobody}");
}

#[test]
fn a_day_of_the_past_does_not_mix_times() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-10", "subscription", "change-package", "P001", "HOME10", "--at-once"]);
    isp.ok(&["--on", "2026-01-12", "subscription", "pause", "P001"]);
    isp.ok(&["--on", "2026-01-14", "subscription", "resume", "P001"]);
    isp.ok(&["--on", "2026-01-15", "payment", "add", "P001", "165000", "--reference", "KW-2"]);
    let of = |day: &str| {
        let rows = isp.json(&["--on", day, "report", "customers"]);
        rows.as_array().unwrap().iter().find(|row| row["code"] == "P001").unwrap().clone()
    };
    let row = of("2026-01-09");
    assert_eq!(
        (row["package"].as_str(), row["status"].as_str(), row["credit"].as_i64()),
        (Some("HOME20"), Some("active"), Some(0))
    );
    assert!(row["owed"].as_i64().unwrap() > 0);
    let row = of("2026-01-13");
    assert_eq!((row["package"].as_str(), row["status"].as_str()), (Some("HOME10"), Some("paused")));
    assert_eq!(of("2026-01-16")["owed"], 0);
    // The line began when it began.
    let lines = isp.json(&["--on", "2026-01-16", "subscription", "show", "P001"]);
    assert_eq!(lines[0]["start"], "2024-06-01");
}

#[test]
fn each_setting_says_where_it_comes_from() {
    let mut isp = Isp::new();
    isp.ok(&["init"]);
    isp.set("ISP_POLICY__BILLING__PAYMENT_TERMS_DAYS", "14");
    let all = isp.json(&["--lang", "en", "--by", "Sari", "config", "show"]);
    let of = |key: &str| {
        let row = all.as_array().unwrap().iter().find(|row| row["setting"] == key).unwrap().clone();
        (row["value"].as_str().unwrap().to_owned(), row["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("policy.billing.payment_terms_days"), ("14".into(), "variable".into()));
    assert_eq!(of("policy.isolation.isolate_at"), ("10:00".into(), "file".into()));
    assert_eq!(of("officer"), ("Sari".into(), "flag".into()));
    assert_eq!(of("worker.page"), ("5000".into(), "default".into()));
}

#[test]
fn an_empty_database_beside_its_key_is_refused_in_words() {
    let isp = provider();
    for file in ["isp.db", "isp.db-wal", "isp.db-shm"] {
        let _ = std::fs::remove_file(isp.dir().join(file));
    }
    std::fs::write(isp.dir().join("isp.db"), "").unwrap();
    for words in [&["migrate"][..], &["init"]] {
        let line = isp.fails(6, words, "cli.emptied");
        assert!(line.contains("isp.db") && line.contains("isp.key"), "{line}");
    }
    assert_eq!(std::fs::metadata(isp.dir().join("isp.db")).unwrap().len(), 0, "nothing was written");
}

#[test]
fn twins_of_a_database_of_old_are_named_with_what_to_do() {
    let isp = provider();
    let path = isp.dir().join("isp.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::{Connection as _, SqliteConnection};
        let url = format!("sqlite:{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        // As a database was that compared codes by every letter.
        let sql = "UPDATE customers SET code = 'p001', code_key = 'p001 old' WHERE code = 'P002'";
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    let (_, err) = isp.exit(0, &["--lang", "en", "migrate"]);
    assert!(err.contains("P001") && err.contains("isp customer edit p001 --code NEW"), "{err}");
}

/// Help and the version are output as any other: a full disk is told.
#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_told() {
    let isp = Isp::new();
    for words in [&["--help"][..], &["--version"], &["bill", "--help", "--lang", "en"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let done = isp.command(words).stdout(full).output().unwrap();
        assert_eq!(done.status.code(), Some(6), "{words:?}");
        assert!(String::from_utf8_lossy(&done.stderr).contains("cli.output"), "{words:?}");
    }
}

/// What is wrong names what to type, write or unset instead.
#[test]
fn what_is_wrong_names_what_to_do() {
    let isp = Isp::new();
    for (language, missing) in [("id", "`unset ISP_CONFIG` kembali"), ("en", "`unset ISP_CONFIG` goes back")] {
        let ended =
            isp.command(&["--lang", language, "status"]).env("ISP_CONFIG", "sandbox/isp.toml").output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(
            told.contains("sandbox/isp.toml: ") && told.contains(missing) && told.contains("[cli.config"),
            "{told}"
        );
    }
    // Whoever names a file by the option is not sent to the variable.
    let told = isp.fails(2, &["--config", "sandbox/isp.toml", "status"], "cli.config");
    assert!(!told.contains("ISP_CONFIG"), "{told}");
    isp.ok(&["init"]);
    let told = isp.fails(2, &["custmer", "list"], "cli.usage");
    assert!(told.ends_with("mungkin 'customer'? [cli.usage]"), "{told}");
    let (_, told) = isp.exit(2, &["--lang", "en", "custmer", "list"]);
    assert!(told.contains("a similar subcommand exists: 'customer'"), "{told}");
    for words in [
        &["report", "profit-loss", "--from", "12/2026"][..],
        &["report", "cash", "--month", "12/2026"],
        &["invoice", "list", "--month", "12/2026"],
        &["expense", "list", "--month", "2026-12-01"],
        &["payment", "list", "--month", "Desember"],
        &["invoice", "print", "--month", "12/2026"],
    ] {
        let told = isp.fails(2, words, "cli.usage");
        assert!(told.contains("bukan bulan; tulis YYYY-MM") && !told.contains("DD/MM"), "{told}");
        let (_, told) = isp.exit(2, &[&["--lang", "en"], words].concat());
        assert!(told.contains("no month; write YYYY-MM"), "{told}");
    }
    isp.ok(&["customer", "add", "W001", "--name", "Wati", "--address", "Jl. 1"]);
    let told = isp.fails(2, &["link", "W001"], "cli.config");
    assert!(told.contains("[serve], public_url = \"https://bayar.example.id\""), "{told}");
}
