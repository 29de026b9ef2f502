//! Providers by name, each in a database, and a move between databases that is killed again and again while others work.

use std::process::Stdio;
use std::time::Duration;

use crate::cli::{Isp, SHEETS};
use crate::database;

/// An empty database; gone at the end.
struct Own(tokio::runtime::Runtime, String);

impl Own {
    fn new(name: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let name = format!("isp_{name}_{}", uuid::Uuid::now_v7().simple());
        runtime.block_on(database::create(&name));
        Self(runtime, name)
    }

    fn url(&self) -> String {
        database::url_of(&self.1)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.0.block_on(database::drop(&self.1));
    }
}

/// Two databases, and a provider with the spreadsheets in the first one, called melati.
fn founded() -> (Own, Own, Isp) {
    let (old, new) = (Own::new("old"), Own::new("new"));
    let isp = Isp::new();
    isp.ok(&["init", "--database", &old.url()]);
    isp.write(SHEETS);
    isp.ok(&["tenant", "add", "melati", "--id", "00000000-0000-0000-0000-0000000000aa"]);
    isp.ok(&["--tenant", "melati", "--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--tenant", "melati", "--on", "2026-01-12", "bill"]);
    isp.ok(&["migrate", "--database", &new.url()]);
    (old, new, isp)
}

const MELATI: &str = "--tenant=melati";

#[test]
fn a_provider_is_found_by_its_name() {
    if database::on_cluster() {
        // Nothing is moved there; what names do is the same.
        return;
    }
    let (old, new, isp) = founded();
    let said = isp.json(&["tenant", "list"]);
    assert_eq!(said[0]["tenant"], "melati");
    assert_eq!(said[0]["state"], "here");
    let known = isp.json(&[MELATI, "customer", "list"]);
    assert_eq!(known.as_array().unwrap().len(), 3);
    assert_eq!(isp.json(&["--tenant", "00000000-0000-0000-0000-0000000000aa", "customer", "list"]), known);
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 0, "the provider of the settings");
    isp.fails(4, &["--tenant", "mawar", "customer", "list"], "cli.not_found");
    isp.fails(2, &["tenant", "add", "me lati"], "cli.usage");
    isp.fails(3, &["tenant", "add", "Melati"], "cli.exists");
    isp.fails(4, &["tenant", "move", "mawar", "--to", &new.url()], "cli.not_found");
    isp.ok(&["tenant", "add", "mawar", "--database", &new.url()]);
    assert_eq!(isp.json(&["--tenant", "mawar", "customer", "list"]).as_array().unwrap().len(), 0);

    isp.ok(&["tenant", "move", "melati", "--to", &new.url()]);
    assert_eq!(isp.json(&[MELATI, "customer", "list"]), known);
    // Who comes to the old place is told where it went, and sees no empty provider there.
    let told = isp.fails(2, &[MELATI, "--database", &old.url(), "customer", "list"], "store.moved");
    assert!(told.contains(&new.1), "{told}");
    isp.fails(2, &[MELATI, "--database", &old.url(), "--on", "2026-02-12", "run"], "store.moved");
    // A key is changed in all databases.
    let key = isp.json(&["key", "rotate"]);
    assert!(key[0]["values"].as_i64().unwrap() > 3, "{key}");
    assert_eq!(isp.json(&[MELATI, "key", "check"]).as_array().unwrap().len(), 1);
    isp.ok(&[MELATI, "audit", "verify"]);
}

#[test]
fn a_move_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    if database::on_cluster() {
        return;
    }
    let (old, new, isp) = founded();
    let seen = |isp: &Isp| {
        let list = |what: &[&str]| isp.json(&[&[MELATI], what].concat());
        [
            list(&["customer", "list"]),
            list(&["invoice", "list"]),
            list(&["cpe", "list"]),
            list(&["report", "cash", "--from", "2026-01", "--to", "2026-03"]),
        ]
    };
    // Another program writes all the time; what it was told is written has to be there afterwards.
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut kills = 0;
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = Vec::new();
            for number in 0.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let amount = format!("{}", 1_000 + number);
                let note = format!("biaya {number}");
                let done = isp.run(&[
                    MELATI,
                    "--on",
                    "2026-01-20",
                    "expense",
                    "add",
                    "listrik",
                    &amount,
                    "--paid-from",
                    "bank",
                    "--note",
                    &note,
                ]);
                match done.status.code() {
                    Some(0) => written.push(note),
                    Some(2 | 8) => std::thread::sleep(Duration::from_millis(20)),
                    other => panic!("{other:?}: {}", String::from_utf8_lossy(&done.stderr)),
                }
            }
            written
        });
        let mut milliseconds = 30;
        let moved = loop {
            let mut command = isp.command(&["tenant", "move", "melati", "--to", &new.url()]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(milliseconds));
            milliseconds += milliseconds / 4 + 1;
            match child.try_wait().unwrap() {
                Some(status) if status.success() => break true,
                // The server lets go of what a killed process held a moment later.
                Some(status) => assert!([3, 8].contains(&status.code().unwrap()), "{status}"),
                None => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    kills += 1;
                }
            }
        };
        std::thread::sleep(Duration::from_millis(500));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(moved);
        writer.join().unwrap()
    });
    println!("{kills} kills, {} expenses confirmed", written.len());
    assert!(kills > 3, "{kills}");
    let expenses = isp.json(&[MELATI, "expense", "list"]);
    let mut notes: Vec<&str> = expenses.as_array().unwrap().iter().filter_map(|e| e["note"].as_str()).collect();
    notes.retain(|note| note.starts_with("biaya"));
    notes.sort_unstable();
    let mut expected: Vec<&str> = written.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(notes, expected);
    let [customers, invoices, ..] = seen(&isp);
    assert_eq!(customers.as_array().unwrap().len(), 3);
    assert!(!invoices.as_array().unwrap().is_empty());
    isp.ok(&[MELATI, "audit", "verify"]);
    isp.fails(2, &[MELATI, "--database", &old.url(), "status"], "store.moved");
    assert_eq!(isp.json(&["tenant", "list"])[0]["state"], "here");
}
