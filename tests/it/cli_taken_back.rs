//! What was added by mistake goes, what is used stays; prices, promises and exemptions are taken back or corrected.

use serde_json::Value;

use crate::cli::{Isp, SHEETS};

/// The provider of the spreadsheets, P001 with an invoice of 1 January.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.ok(&["init"]);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    isp
}

fn access(isp: &Isp, customer: &str) -> String {
    isp.json(&["subscription", "show", customer])[0]["access"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_added_by_mistake_is_removed_and_what_is_used_stays() {
    let isp = provider();
    for used in [["site", "remove", "BDG"], ["router", "remove", "R1"], ["package", "remove", "HOME20"]] {
        isp.fails(3, &used, "record.still_named");
    }
    let (_, err) = isp.exit(3, &["--lang", "en", "package", "remove", "HOME20"]);
    assert!(err.contains("name this package"), "{err}");
    isp.ok(&["site", "add", "XX", "--name", "Salah", "--coordinates", "-6.9,107.6"]);
    isp.ok(&["site", "edit", "XX", "--no-coordinates"]);
    assert_eq!(isp.json(&["site", "show", "XX"])[0]["coordinates"], Value::Null);
    isp.ok(&["router", "add", "RX", "--site", "XX", "--address", "10.8.8.8", "--username", "isp", "--password", "x"]);
    isp.ok(&["package", "add", "SALAH", "--name", "Salah", "--price", "1jt", "--speed", "10"]);
    isp.ok(&["installation", "kind", "SALAH", "--name", "Salah", "--price", "100000"]);
    assert_eq!(isp.json(&["installation", "kinds"]).as_array().unwrap().last().unwrap()["price"], 100_000);
    isp.fails(3, &["site", "remove", "XX"], "record.still_named");
    for gone in [
        ["router", "remove", "RX"],
        ["site", "remove", "XX"],
        ["package", "remove", "SALAH"],
        ["installation", "remove-kind", "SALAH"],
    ] {
        isp.ok(&gone);
        isp.fails(4, &gone, "cli.not_found");
    }
    assert_eq!(isp.json(&["router", "list"]).as_array().unwrap().len(), 1);
    // The kind of P003's installation stays.
    let code = isp.json(&["installation", "kinds"])[0]["code"].as_str().unwrap().to_owned();
    isp.fails(3, &["installation", "remove-kind", &code], "record.still_named");
    // What the past of a line names stays too.
    isp.ok(&["package", "add", "HOME50", "--name", "Rumah 50", "--price", "250000", "--speed", "50"]);
    isp.ok(&["--on", "2026-01-02", "subscription", "change-package", "P002", "HOME50"]);
    isp.ok(&["--on", "2026-01-03", "subscription", "change-package", "P002", "HOME10"]);
    isp.fails(3, &["package", "remove", "HOME50"], "record.still_named");
}

#[test]
fn a_price_is_taken_back_before_it_begins() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-02", "package", "price", "HOME20", "175000", "--from", "2026-02-01"]);
    isp.fails(
        3,
        &["--on", "2026-01-02", "package", "price", "HOME20", "-", "--from", "2026-03-01"],
        "package.no_price",
    );
    isp.fails(
        3,
        &["--on", "2026-02-01", "package", "price", "HOME20", "-", "--from", "2026-02-01"],
        "package.price_began",
    );
    isp.ok(&["--on", "2026-01-31", "package", "price", "HOME20", "-", "--from", "2026-02-01"]);
    let prices = isp.json(&["package", "show", "HOME20"]);
    assert_eq!(prices.as_array().unwrap().len(), 1, "{prices}");
    assert_eq!(prices[0]["price"], 165_000);
}

#[test]
fn a_promise_and_an_exemption_are_corrected_and_count_once() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-12", "promise", "add", "P001", "--until", "2026-01-19"]);
    let edit = |until: &'static str| {
        ["--on", "2026-01-12", "promise", "edit", "P001", "--until", until, "--reason", "salah ketik"]
    };
    isp.fails(3, &edit("2026-02-19"), "promise.too_long");
    isp.fails(2, &edit("2026-01-19"), "cli.usage");
    isp.ok(&edit("2026-01-22"));
    let told = isp.json(&["--on", "2026-01-12", "promise", "show", "P001"]);
    assert_eq!((&told[0]["until"], &told[0]["state"]), (&"2026-01-22".into(), &Value::Null));
    assert_eq!((&told[1]["until"], &told[1]["state"]), (&"2026-01-19".into(), &"taken_back".into()));
    isp.ok(&["--on", "2026-01-22", "enforce"]);
    assert_eq!(access(&isp, "P001"), "open");
    // One promise was made, and one is the limit.
    isp.fails(3, &["--on", "2026-01-22", "promise", "add", "P001", "--until", "2026-01-25"], "promise.too_many");
    // Shortened to a day that is over: the line is decided on at once.
    let shorter = ["promise", "edit", "P001", "--until", "2026-01-13", "--reason", "batal"];
    isp.ok(&[&["--on", "2026-01-22", "--at", "13:00"], shorter.as_slice()].concat());
    assert_eq!(access(&isp, "P001"), "isolated");

    isp.ok(&["exemption", "add", "P002", "--from", "2026-01-02", "--until", "2026-12-31", "--reason", "kantor desa"]);
    let edit =
        ["exemption", "edit", "P002", "--until", "2026-06-30", "--new-reason", "posyandu", "--reason", "salah ketik"];
    isp.ok(&[&["--on", "2026-01-03"], edit.as_slice()].concat());
    isp.fails(2, &[&["--on", "2026-01-03"], edit.as_slice()].concat(), "cli.usage");
    let told = isp.json(&["--on", "2026-01-03", "exemption", "list", "--running"]);
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!((&told[0]["until"], &told[0]["reason"]), (&"2026-06-30".into(), &"posyandu".into()));
}
