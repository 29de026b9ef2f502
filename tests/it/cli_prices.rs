//! A price and a discount of one's own, by the binary: asked, shown everywhere, kept by an export, and never a way past the clock.

use crate::cli::Isp;
use serde_json::Value;

/// One line from 1 May 2026 at Rp300.000 with PPN, whose provider ran on 1 May.
fn one() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.ok(&["site", "add", "A", "--name", "A"]);
    let package = ["package", "add", "P", "--name", "P", "--price", "300000", "--tax", "inclusive", "--speed", "10M"];
    isp.ok(&[&["--on", "2026-05-01"], &package[..]].concat());
    isp.ok(&["--on", "2026-05-01", "customer", "add", "C", "--name", "C", "--address", "x"]);
    let line = ["subscription", "add", "C", "--package", "P", "--site", "A", "--username", "u", "--password", "x"];
    isp.ok(&[&["--on", "2026-05-01"], &line[..], &["--start", "2026-05-01"]].concat());
    isp.ok(&["--on", "2026-05-01", "bill"]);
    isp
}

fn on<'a>(day: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    [&["--on", day, "subscription"], words].concat()
}

fn line(isp: &Isp) -> Value {
    isp.json(&["subscription", "list"])[0].clone()
}

#[test]
fn what_looks_like_a_slip_is_asked() {
    let isp = one();
    for words in [&["price", "C", "150"][..], &["price", "C", "200000000"], &["discount", "C", "25"]] {
        isp.fails(3, &on("2026-05-10", words), "value.implausible");
    }
    let said = isp.fails(
        3,
        &on("2026-05-10", &["--lang", "en", "discount", "C", "310000"]),
        "subscription.discount_above_price",
    );
    assert!(said.contains("Rp300.000"), "{said}");
    for words in
        [&["price", "C", "150000", "--until", "2026-05-09"][..], &["discount", "C", "10%", "--until", "2020-01-01"]]
    {
        let said = isp.fails(3, &on("2026-05-10", words), "subscription.day_past");
        assert!(said.contains(words[4]), "{said}");
    }
    assert_eq!(
        (&line(&isp)["own_price"], &line(&isp)["discount"]),
        (&Value::Null, &Value::Null),
        "nothing was written"
    );
    isp.ok(&on("2026-05-10", &["price", "C", "500", "--sure"]));
    // A discount may be as much as the price, and stays below it when the price falls.
    isp.fails(3, &on("2026-05-10", &["discount", "C", "1000"]), "subscription.discount_above_price");
    isp.ok(&on("2026-05-10", &["price", "C", "-"]));
    isp.ok(&on("2026-05-10", &["discount", "C", "300000"]));
    isp.fails(3, &on("2026-05-10", &["price", "C", "299000"]), "subscription.discount_above_price");
}

#[test]
fn an_own_price_and_a_discount_are_shown_and_come_back_with_an_export() {
    let isp = one();
    isp.ok(&on("2026-05-10", &["price", "C", "250000", "--until", "2026-12-31"]));
    isp.ok(&on("2026-05-10", &["discount", "C", "10%"]));
    let shown = line(&isp);
    assert_eq!(shown["own_price"], 250_000);
    assert_eq!((shown["own_price_until"].as_str(), shown["discount"].as_str()), (Some("2026-12-31"), Some("10%")));
    assert_eq!(shown["discount_until"], Value::Null);
    let person = isp.ok(&["--lang", "en", "customer", "show", "C"]);
    assert!(person.contains("own price") && person.contains("Rp250.000") && person.contains("10%"), "{person}");
    let report = isp.json(&["--on", "2026-05-10", "report", "customers"]);
    assert_eq!((&report[0]["price"], report[0]["discount"].as_str()), (&250_000.into(), Some("10%")));
    // Into another provider's books, in both languages, and again into its own.
    for (language, amount) in [("id", "25000"), ("en", "10%")] {
        isp.ok(&on("2026-05-10", &["discount", "C", amount]));
        let csv = isp.ok(&["--lang", language, "--format", "csv", "subscription", "list"]);
        let other = Isp::new();
        other.ok(&["init"]);
        other.write(&[
            ("sites.csv", "kode;nama\nA;A\n"),
            ("packages.csv", "kode;nama;harga;ppn;kecepatan\nP;P;300000;termasuk;10M\n"),
            ("customers.csv", "id_pelanggan;nama;alamat\nC;C;x\n"),
            ("subscriptions.csv", &csv),
        ]);
        // An export has no password and no site.
        other.exit(3, &["--on", "2026-05-10", "import", "sheets"]);
        let mut lines: Vec<String> = csv.lines().map(str::to_owned).collect();
        let separator = if language == "id" { ';' } else { ',' };
        let at = lines.iter().position(|l| l.contains(separator)).unwrap();
        lines[at].push_str(&format!("{separator}password{separator}site"));
        lines[at + 1].push_str(&format!("{separator}x{separator}A"));
        other.write(&[("subscriptions.csv", &lines.join("\n"))]);
        other.ok(&["--on", "2026-05-10", "import", "sheets"]);
        let there = line(&other);
        for key in ["own_price", "own_price_until", "discount", "discount_until"] {
            assert_eq!(there[key], line(&isp)[key], "{language} {key}\n{csv}");
        }
        isp.write(&[(
            "subscriptions.csv",
            &lines.join("\n").replace(&format!("{separator}x{separator}A"), &format!("{separator}{separator}A")),
        )]);
        let counts = isp.json(&["--on", "2026-05-10", "import", "--subscriptions", "sheets/subscriptions.csv"]);
        assert_eq!((&counts[0]["same"], &counts[0]["differ"]), (&1.into(), &0.into()), "{csv}");
    }
    // Import asks what the command asks.
    let sheet = |price: &str, discount: &str| {
        let text = format!(
            "id_pelanggan;paket;site;username;password;mulai;harga_khusus;diskon\nC;P;A;v;x;2026-05-01;{price};{discount}\n"
        );
        isp.write(&[("subscriptions.csv", &text)]);
        isp.exit(3, &["--on", "2026-05-10", "import", "--subscriptions", "sheets/subscriptions.csv"]).1
    };
    assert!(sheet("150", "").contains("value.implausible"));
    assert!(sheet("", "310000").contains("subscription.discount_above_price"));
    assert!(sheet("100000", "110000").contains("subscription.discount_above_price"));
}

#[test]
fn what_bills_asks_the_clock_before_it_writes_i9() {
    let isp = one();
    isp.ok(&["--on", "2026-05-10", "deliver"]);
    // Six months after the last run, by the machine's clock alone.
    let invoices = || isp.json(&["invoice", "list"]).as_array().unwrap().len();
    let commands: [&[&str]; 7] = [
        &["subscription", "price", "C", "150000"],
        &["subscription", "discount", "C", "10%"],
        &["subscription", "change-billing-day", "C", "20"],
        &["subscription", "change-package", "C", "P"],
        &["subscription", "pause", "C"],
        &["subscription", "terminate", "C"],
        &["subscription", "add", "C", "--package", "P", "--site", "A", "--username", "v", "--password", "x"],
    ];
    for command in commands {
        isp.fails(7, command, "clock.ahead");
        isp.fails(7, &[&["--on", "2020-01-01"], command].concat(), "clock.behind");
        assert_eq!(invoices(), 1, "{command:?}");
    }
    isp.write(&[("subscriptions.csv", "id_pelanggan;paket;site;username;password;mulai\nC;P;A;v;x;2026-05-01\n")]);
    let import = ["import", "--subscriptions", "sheets/subscriptions.csv", "--accept", "subscriptions.csv"];
    let (_, err) = isp.exit(7, &import);
    assert!(err.contains("clock.ahead"), "{err}");
    // What is only looked at warns, and says what it would be.
    for dry in
        [&["subscription", "price", "C", "150000", "--dry-run"][..], &["bill", "--dry-run"], &["run", "--dry-run"]]
    {
        let (_, err) = isp.exit(0, &[&["--lang", "en"], dry].concat());
        assert!(err.contains("The real command would refuse"), "{dry:?}: {err}");
        let (_, err) = isp.exit(0, &[&["--lang", "en"], dry, &["--confirm-clock"]].concat());
        assert!(!err.contains("would refuse"), "{dry:?}: {err}");
    }
    isp.ok(&["subscription", "price", "C", "150000", "--confirm-clock"]);
    assert!(invoices() > 1);
}

#[test]
fn a_dry_run_after_missed_days_tells_one_late_run() {
    let isp = one();
    isp.ok(&["--on", "2026-05-02", "run"]);
    isp.ok(&["--on", "2026-05-02", "customer", "edit", "C", "--phone", "0812-3456-7890"]);
    // May is due on the 11th; no run until 2 June. Day by day, there would be three reminders before the isolation.
    let told = isp.json(&["--on", "2026-06-02", "run", "--dry-run"]);
    let told: Vec<(&str, &str)> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["date"].as_str().unwrap(), row["what"].as_str().unwrap()))
        .collect();
    let expected = [("2026-06-01", "billed"), ("2026-06-02", "overdue"), ("2026-06-02", "isolated")];
    assert_eq!(told, expected);
    isp.ok(&["--on", "2026-06-02", "run"]);
    assert_eq!(isp.json(&["invoice", "list"]).as_array().unwrap().len(), 2);
    let messages = isp.json(&["outbox", "list", "--topic", "message"]);
    assert_eq!(messages.as_array().unwrap().len(), 2, "{messages}");
}
