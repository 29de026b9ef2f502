//! What a change of a line comes to, by the binary: shown before it is done, and said afterwards, in both languages.

use crate::cli::Isp;
use serde_json::Value;

/// One line from 1 May at Rp300.000 with PPN, billed up to 1 June.
fn one() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.ok(&["site", "add", "A", "--name", "A"]);
    for (code, price) in [("P", "300000"), ("Q", "600000")] {
        let package =
            ["package", "add", code, "--name", code, "--price", price, "--tax", "inclusive", "--speed", "10M"];
        isp.ok(&[&["--on", "2026-05-01"], &package[..]].concat());
    }
    isp.ok(&["--on", "2026-05-01", "customer", "add", "C", "--name", "C", "--address", "x"]);
    let line = ["subscription", "add", "C", "--package", "P", "--site", "A", "--username", "u", "--password", "x"];
    isp.ok(&[&["--on", "2026-05-01"], &line[..], &["--start", "2026-05-01"]].concat());
    for day in ["2026-05-01", "2026-06-01"] {
        isp.ok(&["--on", day, "bill"]);
    }
    isp
}

fn rows(shown: &Value) -> Vec<(String, String, i64)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    shown
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (text(r, "what"), text(r, "period"), r["total"].as_i64().unwrap()))
        .collect()
}

fn row(what: &str, period: &str, total: i64) -> (String, String, i64) {
    (what.to_owned(), period.to_owned(), total)
}

#[test]
fn a_change_is_shown_in_rupiah_before_it_is_done() {
    let isp = one();
    let change = ["--on", "2026-06-11", "subscription", "change-package", "C", "Q", "--at-once"];
    let dry = [&change[..], &["--dry-run"]].concat();
    let expected =
        [row("adjustment", "2026-06-11..2026-07-01", 200_000), row("next_invoice", "2026-07-01..2026-08-01", 600_000)];
    assert_eq!(rows(&isp.json(&dry)), expected);
    let said = isp.ok(&[&["--lang", "en"], &dry[..]].concat());
    assert!(
        said.starts_with("The line of C C has package Q from 2026-06-11 on; Rp200.000 charged, Rp0 given back."),
        "{said}"
    );
    assert!(
        said.contains("next invoice") && said.contains("Rp600.000") && said.contains("nothing was written"),
        "{said}"
    );
    assert_eq!(isp.json(&["invoice", "list"]).as_array().unwrap().len(), 2, "nothing was written");
    assert_eq!(rows(&isp.json(&change)), expected);
    assert_eq!(isp.json(&["invoice", "list"]).as_array().unwrap().len(), 3);
}

#[test]
fn a_moved_billing_day_names_the_short_period_its_amount_and_its_days() {
    let isp = one();
    let move_it = ["--on", "2026-06-05", "subscription", "change-billing-day", "C", "20"];
    let said = isp.ok(&move_it);
    assert!(said.starts_with("C C ditagih tiap tanggal 20, untuk periode penuh mulai 2026-07-20."), "{said}");
    for part in ["2026-07-01..2026-07-20", "Rp190.000", "2026-07-01", "2026-07-11"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    isp.ok(&["--on", "2026-07-01", "bill"]);
    let july = &isp.json(&["invoice", "list"])[2];
    assert_eq!(
        (july["period"].as_str().unwrap(), july["total"].as_i64().unwrap()),
        ("2026-07-01..2026-07-20", 190_000)
    );
}

#[test]
fn an_end_and_a_pause_said_afterwards_take_back_what_was_never_served() {
    for (command, day) in [("terminate", "--end"), ("pause", "--since")] {
        let isp = one();
        isp.ok(&["--on", "2026-07-01", "bill"]);
        let change = ["--on", "2026-07-05", "subscription", command, "C", day, "2026-06-20"];
        assert_eq!(rows(&isp.json(&change)), [row("given_back", "2026-07-01..2026-08-01", -300_000)]);
        let open = isp.json(&["invoice", "list", "--open"]);
        let periods: Vec<&str> = open.as_array().unwrap().iter().map(|i| i["period"].as_str().unwrap()).collect();
        assert_eq!(periods, ["2026-05-01..2026-06-01", "2026-06-01..2026-07-01"], "July is neither owed nor reminded");
    }
}

#[test]
fn a_day_that_lies_ahead_is_refused_in_both_languages() {
    let isp = one();
    let ahead = ["--on", "2026-06-05", "subscription", "pause", "C", "--since", "2026-06-06"];
    let said = isp.fails(3, &ahead, "subscription.day_ahead");
    assert!(said.contains("belum tiba"), "{said}");
    let said = isp.fails(3, &[&["--lang", "en"], &ahead[..]].concat(), "subscription.day_ahead");
    assert!(said.contains("lies ahead"), "{said}");
}
