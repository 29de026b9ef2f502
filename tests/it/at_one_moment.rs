//! Ten commands at one moment, each of which would be asked or refused if it came after another one: one passes, and the others are
//! told what they would have been told later. The same on a SQLite file and on PostgreSQL.

use std::process::Stdio;

use crate::workers::{Kept, Worker, Workers};

const TEN: usize = 10;
const DAY: &[&str] = &["--on", "2026-01-12", "--at", "10:00"];

/// Starts ten at once, the `n`th with the words that `of` gives; the exit codes of those that did not pass must be `code` with the
/// error `error`. How many passed.
fn passed(w: &Workers, error: &str, of: impl Fn(usize) -> Vec<String>) -> usize {
    let start = |n: usize| {
        let words = of(n);
        let words: Vec<&str> = DAY.iter().copied().chain(words.iter().map(String::as_str)).collect();
        let mut command = w.stage.isp.command(&words);
        Worker(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let workers: Vec<Worker> = (0..TEN).map(start).collect();
    let ended: Vec<(i32, String)> = workers.into_iter().map(Worker::end_saying).collect();
    for (code, said) in &ended {
        assert!(*code == 0 || *code == 3 && said.contains(error), "{error}: {code} {said}");
    }
    ended.iter().filter(|(code, _)| *code == 0).count()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn one_passes(kept: Kept) {
    let w = Workers::new(kept);
    let isp = &w.stage.isp;
    let rows = |list: &[&str], of: &str| {
        let found = isp.json(list);
        found.as_array().unwrap().iter().filter(|row| row["customer"] == of).count()
    };
    let ok = |text: &str| isp.ok(&[DAY, &text.split(' ').collect::<Vec<_>>()].concat());

    let slip = |n| words(&format!("payment add P000 2973 --provider pph23 --paid-on 2026-01-10 --reference BP-{n}"));
    assert_eq!(passed(&w, "payment.slip_twice", slip), 1, "{kept:?}");
    assert_eq!(rows(&["payment", "list"], "P000"), 1);
    let used = |n| words(&format!("expense add other 2973 --paid-from pph23 --note {n}"));
    assert_eq!(passed(&w, "money.pph23_short", used), 1, "{kept:?}");

    ok("payment add P001 165000 --reference KW-1");
    let spent = |n| words(&format!("expense add other 100000 --note {n}"));
    assert_eq!(passed(&w, "money.cash_short", spent), 1, "{kept:?}");

    ok("payment add P002 165000 --reference KW-2 --collector ANTON");
    let handed_over = |n| words(&format!("collector deposit ANTON 165000 --to bank --note {n}"));
    assert_eq!(passed(&w, "collector.holds_less", handed_over), 1, "{kept:?}");

    let promised = |n| words(&format!("promise add P003 --until 2026-01-{}", 13 + n));
    assert_eq!(passed(&w, "promise.too_many", promised), 1, "{kept:?}");
    assert_eq!(rows(&["promise", "list"], "P003"), 1);

    for n in 0..TEN {
        isp.write(&[(&format!("struk-{n}.pdf"), &format!("%PDF-1.7 {n}"))]);
    }
    let shown = |n| words(&format!("proof add P004 sheets/struk-{n}.pdf"));
    assert_eq!(passed(&w, "proof.too_many", shown), 5, "{kept:?}");

    // The same transfer ten times is one payment, which nine know already.
    let paid = |_| words("payment add P005 165000 --provider bca --reference FT-77");
    assert_eq!(passed(&w, "", paid), TEN, "{kept:?}");
    assert_eq!(rows(&["payment", "list"], "P005"), 1);

    let found = isp.run(&["--format", "json", "doctor", "--offline"]);
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(!["ledger.", "invoice.", "payment."].iter().any(|kind| found.contains(kind)), "{kept:?}: {found}");
}

#[test]
fn of_ten_in_a_file_one_passes() {
    one_passes(Kept::Sqlite);
}

#[test]
fn of_ten_in_postgresql_one_passes() {
    one_passes(Kept::Postgres);
}
