//! Tables on a terminal: columns that fit, and a pager for what is longer than the screen. Elsewhere nothing of it.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::cli::{Isp, SHEETS};

fn provider() -> Isp {
    let isp = Isp::new();
    isp.ok(&["init"]);
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
    assert!(code == Some(7) && text.contains("Dry run") && text.contains("End the line of P001 so?"), "{text}");
    assert_eq!(isp.json(&["subscription", "show", "P001"])[0]["end"], serde_json::Value::Null);
    // A program that reads the rows gets them once.
    let (text, code) = answered(&isp, "y", &[&["--format", "json"], &end[..]].concat());
    assert!(code == Some(0) && text.trim_end().ends_with("[y/N] []"), "{text}");
    assert_eq!(isp.json(&["subscription", "show", "P001"])[0]["end"], "2026-01-05");
}
