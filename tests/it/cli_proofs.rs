//! Proofs of transfer by the binary (rule P8): kept, looked at, accepted, rejected, taken back; and what is no proof.

use std::process::Command;

use crate::cli::{Isp, SHEETS};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and a picture of a transfer";

/// The provider of the spreadsheets, P001 with an invoice of 1 January that is due on the 11th.
fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "bill"]);
    std::fs::write(isp.dir().join("slip.png"), PNG).unwrap();
    isp
}

fn access(isp: &Isp) -> String {
    isp.json(&["subscription", "show", "P001"])[0]["access"].as_str().unwrap().to_owned()
}

#[test]
fn a_proof_holds_isolation_back_and_is_accepted_with_its_payment() {
    let isp = provider();
    let said = isp.ok(&["--lang", "en", "--on", "2026-01-19", "--at", "09:00", "proof", "add", "P001", "slip.png"]);
    assert!(said.contains("until 2026-01-21 09:00 WIB at most"), "{said}");
    let again = isp.ok(&["--lang", "en", "--on", "2026-01-19", "--at", "09:05", "proof", "add", "P001", "slip.png"]);
    assert!(again.contains("nothing has changed"), "{again}");
    let second = [PNG, b" again"].concat();
    std::fs::write(isp.dir().join("second.png"), second).unwrap();
    let said = isp.ok(&["--on", "2026-01-19", "--at", "09:10", "proof", "add", "P001", "second.png"]);
    assert!(said.contains("sampai 2026-01-21 09:00 WIB"), "the first one still holds: {said}");
    isp.ok(&["--on", "2026-01-19", "--at", "11:00", "enforce"]);
    assert_eq!(access(&isp), "open");
    let why = isp.ok(&["--lang", "en", "--on", "2026-01-19", "--at", "11:00", "explain", "P001"]);
    assert!(why.contains("a proof of transfer waits for review, until 2026-01-21 09:00 WIB at most"), "{why}");
    assert!(why.contains("not the first, so it holds nothing back"), "{why}");
    let status = isp.ok(&["--lang", "en", "--on", "2026-01-19", "status"]);
    assert!(status.contains("proofs of transfer to review"), "{status}");
    let shown = isp.ok(&["--lang", "en", "--on", "2026-01-19", "customer", "show", "P001"]);
    assert!(shown.contains("slip.png"), "{shown}");

    // Which of the two is meant has to be said.
    isp.fails(2, &["proof", "save", "P001", "--to", "look.png"], "cli.several");
    let waiting = isp.json(&["proof", "list", "--waiting"]);
    assert_eq!(waiting.as_array().unwrap().len(), 2);
    let id = |name: &str| {
        let row = waiting.as_array().unwrap().iter().find(|row| row["file"] == name).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    isp.ok(&["proof", "save", "P001", "--to", "look.png", "--id", &id("slip.png")]);
    assert_eq!(std::fs::read(isp.dir().join("look.png")).unwrap(), PNG);
    isp.fails(6, &["proof", "save", "P001", "--to", "look.png", "--id", &id("slip.png")], "cli.file");
    isp.fails(6, &["proof", "add", "P001", "nowhere.png"], "cli.file");

    let accept = ["--lang", "en", "--on", "2026-01-20", "proof", "accept", "P001", "--reference", "FT-1", "--id"];
    let said = isp.ok(&[accept.as_slice(), &[&id("slip.png")]].concat());
    assert!(said.contains("accepted") && said.contains("Rp0 still owed"), "{said}");
    isp.fails(3, &[accept.as_slice(), &[&id("slip.png")]].concat(), "proof.reviewed");
    // The second picture is of the same transfer: nothing is booked twice.
    let said = isp.ok(&[accept.as_slice(), &[&id("second.png")]].concat());
    assert!(said.contains("booked before"), "{said}");
    let payments = isp.json(&["payment", "list", "--customer", "P001"]);
    assert_eq!(payments.as_array().unwrap().len(), 1);
    assert_eq!(payments[0]["paid_at"], "2026-01-19");
    let log = isp.ok(&["audit", "show", "--format", "json"]);
    assert!(log.contains("proof.review") && !log.contains("slip.png"), "{log}");
}

#[test]
fn a_run_removes_the_file_of_a_reviewed_proof_when_it_was_kept_for_long_enough() {
    let isp = provider();
    let settings = std::fs::read_to_string(isp.dir().join("isp.toml")).unwrap();
    std::fs::write(isp.dir().join("isp.toml"), format!("{settings}\n[retention]\nproof_files_days = 30\n")).unwrap();
    let rows = isp.json(&["privacy", "retention"]);
    let of = |n: usize| (rows[n]["kept"].as_str(), rows[n]["days"].as_i64(), rows[n]["least"].as_i64());
    assert_eq!([of(0), of(1)], [(Some("webhooks"), Some(30), Some(7)), (Some("proof_files"), Some(30), Some(30))]);
    isp.ok(&["--on", "2026-01-16", "proof", "add", "P001", "slip.png"]);
    isp.ok(&["--on", "2026-01-16", "--at", "09:00", "proof", "reject", "P001", "--reason", "tidak ada di mutasi"]);
    let removed = |day: &str| {
        let dry = isp.ok(&["--lang", "en", "--on", day, "--at", "09:30", "run", "--dry-run"]);
        assert!(!dry.contains("kept for long enough"), "{dry}");
        // No router is there.
        let (said, _) = isp.exit(5, &["--lang", "en", "--on", day, "--at", "09:30", "run"]);
        said.contains("files of proofs: 1, removed")
    };
    assert_eq!(["2026-01-31", "2026-02-16", "2026-02-17"].map(removed), [false, true, false]);
    let list = isp.json(&["proof", "list"]);
    assert_eq!((list.as_array().unwrap().len(), list[0]["file"].as_str()), (1, Some("slip.png")));
    isp.ok(&["audit", "verify"]);
}

#[test]
fn a_rejected_proof_holds_nothing_and_one_by_mistake_does_not_count() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-16", "proof", "add", "P001", "slip.png"]);
    isp.fails(3, &["--on", "2026-01-16", "proof", "remove", "P001", "--reason", " "], "value.empty");
    isp.ok(&["--on", "2026-01-16", "proof", "remove", "P001", "--reason", "salah pelanggan"]);
    isp.ok(&["--on", "2026-01-19", "--at", "09:00", "proof", "add", "P001", "slip.png"]);
    isp.ok(&["--on", "2026-01-19", "--at", "11:00", "enforce"]);
    assert_eq!(access(&isp), "open");
    isp.ok(&["--on", "2026-01-19", "--at", "12:00", "proof", "reject", "P001", "--reason", "tidak ada di mutasi"]);
    isp.fails(3, &["--on", "2026-01-19", "proof", "reject", "P001", "--reason", "lagi"], "proof.reviewed");
    isp.ok(&["--on", "2026-01-19", "--at", "13:00", "enforce"]);
    assert_eq!(access(&isp), "isolated");
    let rows = isp.json(&["proof", "show", "P001"]);
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&"rejected".into(), &"taken_back".into()));
}

#[test]
fn what_is_no_proof_is_refused_by_its_content() {
    let isp = provider();
    let add = |name: &str, content: &[u8], code: &str| {
        std::fs::write(isp.dir().join(name), content).unwrap();
        isp.fails(3, &["--on", "2026-01-19", "proof", "add", "P001", name], code);
    };
    add("page.png", b"<html>", "proof.kind");
    add("nothing.png", b"", "value.empty");
    add("large.png", &[PNG, &vec![0; 5 * 1024 * 1024]].concat(), "proof.too_large");
    isp.fails(3, &["--on", "2026-01-19", "proof", "add", "P001", "slip.png", "--amount", "1"], "value.implausible");
    assert_eq!(isp.json(&["proof", "list"]).as_array().unwrap().len(), 0);
    for number in 0..5 {
        std::fs::write(isp.dir().join("one.png"), [PNG, &[number]].concat()).unwrap();
        isp.ok(&["--on", "2026-01-19", "proof", "add", "P001", "one.png"]);
    }
    isp.fails(3, &["--on", "2026-01-19", "proof", "add", "P001", "slip.png"], "proof.too_many");
}

/// The file of the bank was faster than the officer: its reference does not stand on the picture.
#[test]
fn a_transfer_that_is_booked_already_is_asked_about() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-15", "proof", "add", "P001", "slip.png"]);
    let amount = isp.json(&["proof", "list"])[0]["amount"].to_string();
    let pay =
        ["payment", "add", "P001", &amount, "--provider", "bri", "--reference", "MUT-1", "--paid-on", "2026-01-16"];
    isp.ok(&[["--on", "2026-01-16"].as_slice(), &pay].concat());
    let accept = ["--lang", "en", "--on", "2026-01-16", "proof", "accept", "P001", "--reference"];
    let asked = isp.fails(3, &[accept.as_slice(), &["FT-1"]].concat(), "proof.booked");
    assert!(asked.contains("bri MUT-1"), "{asked}");
    assert_eq!(isp.json(&["proof", "list", "--waiting"]).as_array().unwrap().len(), 1, "it waits still");
    let said = isp.ok(&[accept.as_slice(), &["MUT-1", "--provider", "bri"]].concat());
    assert!(said.contains("booked before"), "{said}");
    // Who repeats it hears what became of it.
    isp.fails(3, &[accept.as_slice(), &["MUT-1", "--provider", "bri"]].concat(), "proof.reviewed");
    // Who is sure that the customer paid twice books it, and hears of the credit.
    std::fs::write(isp.dir().join("slip.png"), [PNG, b" of another"].concat()).unwrap();
    isp.ok(&["--on", "2026-02-01", "bill"]);
    isp.ok(&["--on", "2026-02-02", "proof", "add", "P001", "slip.png"]);
    let pay = ["payment", "add", "P001", &amount, "--provider", "bri", "--reference", "MUT-2"];
    isp.ok(&[["--on", "2026-02-03"].as_slice(), &pay].concat());
    let accept = ["--lang", "en", "--on", "2026-02-03", "proof", "accept", "P001", "--reference", "FT-2"];
    isp.fails(3, &accept, "proof.booked");
    let said = isp.ok(&[accept.as_slice(), &["--sure"]].concat());
    assert!(said.contains("credit Rp") && !said.contains("credit Rp0,"), "{said}");
}

/// A pipe is no picture: it is refused before anybody waits for who writes into it. An odd amount is asked about, and taken when meant.
#[test]
fn a_pipe_is_refused_and_an_odd_amount_is_asked() {
    let isp = provider();
    let pipe = isp.dir().join("pipe.jpg");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    isp.fails(6, &["proof", "add", "P001", "pipe.jpg"], "cli.file");
    isp.fails(6, &["proof", "add", "P001", "."], "cli.file");
    isp.fails(6, &["proof", "add", "P001", "none.jpg"], "cli.file");
    std::fs::write(isp.dir().join("struk.pdf"), b"%PDF-1.4 x").unwrap();
    let add = ["--on", "2026-01-06", "proof", "add", "P001", "struk.pdf", "--amount", "1"];
    let (_, told) = isp.exit(3, &add);
    assert!(told.contains("--sure"), "{told}");
    isp.ok(&[&add[..], &["--sure"]].concat());
    let status = isp.json(&["status"]);
    let waiting = status.as_array().unwrap().iter().find(|row| row["what"] == "waiting_proofs").unwrap();
    assert_eq!((waiting["count"].as_i64(), waiting["amount"].as_i64()), (Some(1), Some(1)), "{status}");
}
