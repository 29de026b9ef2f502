//! Tables on a terminal: columns that fit, and a pager for what is longer than the screen. Elsewhere nothing of it.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::cli::{Isp, SHEETS};

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp
}

/// What a person sees on a terminal of a size, with these variables.
fn seen(isp: &Isp, size: (u16, u16), variables: &[(&str, &str)], words: &[&str]) -> String {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = std::fs::OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&ours, Winsize { ws_col: size.0, ws_row: size.1, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let mut command = isp.command(&[&["--lang", "en"], words].concat());
    for name in ["PAGER", "NO_PAGER", "LESS"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm").envs(variables.iter().copied());
    let mut child = command.stdout(theirs).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let mut text = Vec::new();
    let mut master = std::fs::File::from(ours);
    let mut part = [0; 4096];
    // When nobody has the other side open any more, reading fails.
    while let Ok(count) = master.read(&mut part) {
        if count == 0 {
            break;
        }
        text.extend_from_slice(&part[..count]);
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    String::from_utf8(text).unwrap().replace("\r\n", "\n")
}

/// A pager that says that it was one.
const PAGER: (&str, &str) = ("PAGER", "sed s/^/paged:/");

#[test]
fn a_table_fits_the_screen_and_says_what_it_left_out() {
    let isp = provider();
    let report = ["--on", "2026-01-06", "report", "customers"];
    let whole = isp.ok(&[&["--lang", "en"], &report[..]].concat());
    assert!(whole.lines().next().unwrap().chars().count() > 100, "{whole}");
    for width in [80, 60, 40] {
        let text = seen(&isp, (width, 50), &[], &report);
        assert!(text.contains("P001") && text.contains("Budi Santoso") && text.contains("Left out"), "{text}");
        let table = text.lines().take_while(|line| !line.starts_with("Left out"));
        assert!(table.map(|line| line.chars().count()).max().unwrap() <= width.into(), "{text}");
    }
    // Two columns that do not fit take several lines.
    let text = seen(&isp, (16, 50), &[], &report);
    assert!(text.contains("P001") && text.contains("Santoso") && !text.contains("Budi Santoso"), "{text}");
    // What is owed stays longer than what the package is.
    assert!(seen(&isp, (80, 50), &[], &report).contains("owed"));
    // All of it on a wide screen, when asked, and where nobody looks.
    assert_eq!(seen(&isp, (250, 50), &[], &report), whole);
    assert_eq!(seen(&isp, (60, 50), &[], &[&["--wide"], &report[..]].concat()), whole);
    for format in ["json", "csv"] {
        let words = [&["--format", format], &report[..]].concat();
        assert_eq!(
            seen(&isp, (40, 5), &[PAGER], &words),
            isp.ok(&[&["--lang", "en"], &words[..]].concat()),
            "{format}"
        );
    }
}

#[test]
fn what_is_longer_than_the_screen_is_paged() {
    let isp = provider();
    let list = ["package", "list"];
    let paged = seen(&isp, (200, 3), &[PAGER], &list);
    assert!(paged.lines().all(|line| line.starts_with("paged:")) && paged.contains("HOME20"), "{paged}");
    let plain = |size, variables: &[(&str, &str)], words: &[&str]| {
        let text = seen(&isp, size, variables, words);
        assert!(!text.contains("paged:") && text.contains("HOME20"), "{variables:?} {words:?}: {text}");
    };
    plain((200, 30), &[PAGER], &list);
    plain((200, 3), &[PAGER], &["--no-pager", "package", "list"]);
    plain((200, 3), &[PAGER, ("NO_PAGER", "1")], &list);
    plain((200, 3), &[PAGER, ("TERM", "dumb")], &list);
    plain((200, 3), &[("PAGER", "")], &list);
    plain((200, 3), &[("PAGER", "cat")], &list);
    plain((200, 3), &[("PAGER", "no-such-pager-here")], &list);
    // A pager that is left early is no trouble, and what changes something is not paged.
    seen(&isp, (200, 3), &[("PAGER", "head -n 1")], &list);
    plain(
        (200, 3),
        &[PAGER],
        &["--on", "2026-01-20", "package", "add", "HOME20X", "--name", "HOME20 X", "--price", "1000", "--speed", "1"],
    );
}

/// What a person sees who types an answer on a terminal, and the exit code.
fn answered(isp: &Isp, answer: &str, words: &[&str]) -> (String, Option<i32>) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let open = || std::fs::OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = isp.command(&[&["--lang", "en"], words].concat());
    command.env("TERM", "dumb");
    let mut child = command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
    drop(command);
    let mut master = std::fs::File::from(ours);
    // A terminal keeps what is typed until it is read.
    master.write_all(format!("{answer}\n").as_bytes()).unwrap();
    let mut text = Vec::new();
    let mut part = [0; 4096];
    while let Ok(count) = master.read(&mut part) {
        if count == 0 {
            break;
        }
        text.extend_from_slice(&part[..count]);
    }
    (String::from_utf8(text).unwrap(), child.wait().unwrap().code())
}

#[test]
fn what_cannot_be_undone_is_asked_about_where_somebody_can_answer() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-02", "bill"]);
    let add = |code| isp.ok(&["package", "add", code, "--name", "X", "--price", "100000", "--speed", "10"]);
    add("X1");
    for no in ["", "n", "what?"] {
        let (text, code) = answered(&isp, no, &["package", "remove", "X1"]);
        assert_eq!(code, Some(7), "{text}");
        assert!(text.contains("Remove package X1?") && text.contains("Nothing was changed."), "{text}");
    }
    assert_eq!(answered(&isp, "ya", &["package", "remove", "X1"]).1, Some(0));
    isp.fails(4, &["package", "show", "X1"], "cli.not_found");
    add("X2");
    let (text, code) = answered(&isp, "", &["package", "remove", "X2", "--yes"]);
    assert!(code == Some(0) && !text.contains('?'), "{text}");
    // The end of a line is shown in rupiah first.
    let end = ["--on", "2026-01-05", "subscription", "terminate", "P001", "--end", "2026-01-05"];
    let (text, code) = answered(&isp, "n", &end);
    assert!(
        code == Some(7)
            && text.contains("Nothing is written yet.")
            && text.contains("End the line of P001 Budi Santoso so?"),
        "{text}"
    );
    assert_eq!(isp.json(&["subscription", "show", "P001"])[0]["end"], serde_json::Value::Null);
    // A program that reads the rows gets them once.
    let (text, code) = answered(&isp, "y", &[&["--format", "json"], &end[..]].concat());
    assert!(code == Some(0) && text.trim_end().ends_with("[y/N] []"), "{text}");
    assert_eq!(isp.json(&["subscription", "show", "P001"])[0]["end"], "2026-01-05");
}

/// On the usual terminal of 80 columns each list has what it is looked at for.
#[test]
fn eighty_columns_have_what_a_list_is_looked_at_for() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-10", "bill"]);
    isp.ok(&["--on", "2026-01-11", "payment", "add", "P001", "50000", "--reference", "A1"]);
    isp.ok(&[
        "--on",
        "2026-01-11",
        "payment",
        "reverse",
        "cash",
        "A1",
        "--sure",
        "--reason",
        "the wrong customer was typed",
    ]);
    isp.ok(&["--on", "2026-01-11", "payment", "add", "P001", "55000", "--reference", "A2"]);
    let invoices: serde_json::Value = isp.json(&["invoice", "list", "--customer", "P002"]);
    let number = invoices[0]["invoice"].as_str().unwrap();
    isp.ok(&["--on", "2026-01-12", "credit-note", "add", number, "1000", "--reason", "agreed discount"]);
    isp.ok(&["--on", "2026-01-12", "promise", "add", "P001", "--until", "2026-01-20"]);
    let looked: &[(&[&str], &[&str])] = &[
        (&["invoice", "list"], &["customer", "name", "due", "total", "open"]),
        (&["payment", "list"], &["customer", "amount", "reversed", "Rp50.000", "customer was"]),
        (&["subscription", "list"], &["package", "router", "status", "access", "HOME20", "R1"]),
        (&["unpaid", "--on", "2026-01-15"], &["phone", "owed", "late", "promise", "2026-01-20"]),
        (&["report", "customers", "--contacts", "--on", "2026-01-15"], &["phone", "address", "owed"]),
        (&["audit", "show"], &["by", "changes", "payment add"]),
        (&["config", "show"], &["value", "from", "file", "policy.isolation.isolate_at"]),
        (&["outbox", "list"], &["customer", "state"]),
    ];
    for (command, words) in looked {
        let text = seen(&isp, (80, 24), &[("NO_PAGER", "1")], command);
        let table: Vec<&str> = text.lines().take_while(|line| !line.starts_with("Left out")).collect();
        let shown = table.join("\n");
        for word in *words {
            assert!(shown.contains(word), "{command:?}: no {word} in\n{text}");
        }
        let rows = table.iter().filter(|line| !line.contains(" invoices: ") && !line.contains("Money in"));
        assert!(rows.map(|line| line.chars().count()).max().unwrap() <= 80, "{command:?}:\n{text}");
        assert!(!text.contains("statement"), "an empty column goes without a word: {text}");
    }
    // What to do about it takes several lines and is whole.
    let status = seen(&isp, (80, 24), &[("NO_PAGER", "1")], &["status", "--on", "2026-01-12"]);
    assert!(status.contains("note") && !status.contains("Left out"), "{status}");
    // One customer is told line by line.
    let one = seen(&isp, (80, 24), &[("NO_PAGER", "1")], &["customer", "show", "P001"]);
    assert!(one.contains("Jl. Merdeka 1, Bandung") && one.contains(" address "), "{one}");
    // The credit note and why it was given.
    let note = seen(&isp, (80, 24), &[("NO_PAGER", "1")], &["credit-note", "list"]);
    assert!(note.contains("agreed discount") && note.contains("Rp1.000"), "{note}");
}

#[test]
fn an_unusual_payment_and_its_reversal_are_asked_about() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-02", "bill"]);
    let add = |amount: &'static str, reference: &'static str| {
        ["--on", "2026-01-03", "payment", "add", "budi santoso", amount, "--reference", reference]
    };
    let (text, code) = answered(&isp, "n", &add("1650000", "K1"));
    assert_eq!(code, Some(7), "{text}");
    assert!(text.contains("P001 Budi Santoso") && text.contains("far more than usual"), "{text}");
    // What is usual is not asked about.
    let (text, code) = answered(&isp, "", &add("165000", "K2"));
    assert!(code == Some(0) && !text.contains('?'), "{text}");
    let (text, code) = answered(&isp, "n", &add("165000", "K3"));
    assert!(code == Some(7) && text.contains("cash K2") && text.contains("one more payment?"), "{text}");
    // The same reference is the same payment.
    assert_eq!(answered(&isp, "n", &add("165000", "K2")).1, Some(0));
    let (_, code) = answered(&isp, "y", &add("165000", "K3"));
    assert_eq!(code, Some(0));
    let words = ["--on", "2026-01-04", "payment", "reverse", "cash", "K3", "--sure", "--reason", "typed twice"];
    let (text, code) = answered(&isp, "n", &words);
    assert!(code == Some(7) && text.contains("P001 Budi Santoso") && text.contains("Rp165.000"), "{text}");
    assert_eq!(answered(&isp, "y", &words).1, Some(0));
    assert_eq!(isp.json(&["payment", "list"]).as_array().unwrap().len(), 2);
}

/// Who says no to the name that a part of it found is told so as with any other question.
#[test]
fn a_no_to_a_part_of_a_name_ends_as_any_other_no() {
    let isp = provider();
    let words = ["--on", "2026-01-03", "payment", "add", "santoso", "165000", "--reference", "K1"];
    let (text, code) = answered(&isp, "n", &words);
    assert!(text.contains("Is P001 Budi Santoso meant?") && text.contains("Nothing was changed."), "{text}");
    assert!(code == Some(7) && !text.contains("isp: "), "{text}");
    isp.fails(2, &words, "cli.usage");
    assert_eq!(answered(&isp, "y", &words).1, Some(0));
}

#[test]
fn a_package_is_changed_at_once_after_its_rupiah_was_seen() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-02", "bill"]);
    let change = ["--on", "2026-01-05", "subscription", "change-package", "siti@isp", "HOME20", "--at-once"];
    let (text, code) = answered(&isp, "n", &change);
    assert!(code == Some(7) && text.contains("Nothing is written yet.") && text.contains("P002 Siti"), "{text}");
    assert!(text.contains("charged") && !text.contains("Dry run"), "{text}");
    assert_eq!(answered(&isp, "y", &change).1, Some(0));
    assert_eq!(isp.json(&["--on", "2026-01-05", "subscription", "show", "P002"])[0]["package"], "HOME20");
    // A second time on the same day is refused, with what to do.
    let (_, err) = isp.exit(
        3,
        &[
            "--lang",
            "en",
            "--yes",
            "--on",
            "2026-01-05",
            "subscription",
            "change-package",
            "P002",
            "HOME10",
            "--at-once",
        ],
    );
    assert!(err.contains("[subscription.changed_today]") && err.contains("--since TODAY"), "{err}");
    isp.ok(&[
        "--on",
        "2026-01-06",
        "subscription",
        "change-package",
        "P002",
        "HOME10",
        "--at-once",
        "--since",
        "2026-01-05",
    ]);
    assert_eq!(isp.json(&["--on", "2026-01-06", "subscription", "show", "P002"])[0]["package"], "HOME10");
    // What is only planned is taken back at any time before its day.
    isp.ok(&["--on", "2026-01-06", "subscription", "change-package", "P002", "HOME20"]);
    let said = isp.ok(&["--lang", "en", "--on", "2026-01-06", "subscription", "change-package", "P002", "--undo"]);
    assert!(said.contains("P002 Siti is taken back; the line keeps package HOME10"), "{said}");
    let undo = ["--lang", "en", "--on", "2026-01-06", "subscription", "change-package", "P002", "--undo"];
    let none = isp.fails(2, &undo, "cli.usage");
    assert!(none.contains("no other package is planned for P002 Siti") && none.contains("--since TODAY"), "{none}");
    // A day counts only at once.
    let late = ["subscription", "change-package", "P002", "HOME20", "--since", "2026-01-05"];
    assert!(isp.fails(2, &late, "cli.usage").contains("--at-once"));
}

#[test]
fn a_run_of_a_moment_that_has_not_come_is_asked_about() {
    let isp = provider();
    let ahead = isp_core::calendar::Zone::Wib.date_of(chrono::Utc::now()).plus_days(3).to_string();
    for command in ["remind", "run", "bill", "enforce", "deliver"] {
        let (text, code) = answered(&isp, "n", &["--on", &ahead, command]);
        assert!(code == Some(7) && text.contains("has not come"), "{command}: {text}");
    }
    // So is money of a day that has not come.
    let pay = ["--on", &ahead, "payment", "add", "P001", "165000", "--reference", "K9"];
    let (text, code) = answered(&isp, "n", &pay);
    assert!(code == Some(7) && text.contains("has not come") && text.contains("not there yet"), "{text}");
    let (_, err) = isp.exit(0, &[&["--lang", "en"], &pay[..]].concat());
    assert!(err.contains("money is booked as of") && err.contains("has not come"), "{err}");
    // Looking moves nothing, and neither does a day that has come.
    let (text, _) = answered(&isp, "n", &["--on", &ahead, "bill", "--dry-run"]);
    assert!(!text.contains("has not come"), "{text}");
    let (out, err) = isp.exit(0, &["--lang", "en", "--on", &ahead, "remind"]);
    assert!(err.contains("has not come") && err.contains("--confirm-clock"), "{out}{err}");
    isp.fails(7, &["remind"], "clock.behind");
    isp.ok(&["remind", "--confirm-clock"]);
}
