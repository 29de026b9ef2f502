//! `isp backup`, `isp restore`, `isp key wrap` and `unwrap`: from one computer to another, and killed on the way.

use std::process::Stdio;
use std::time::Duration;

use crate::cli::{Isp, SHEETS};

const PASSPHRASE: &str = "empat kata acak ini";

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
    isp
}

/// The first file of a folder whose name ends so.
fn found(isp: &Isp, folder: &str, ending: &str) -> String {
    let entries = std::fs::read_dir(isp.dir().join(folder)).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    let name = names.into_iter().find(|name| name.ends_with(ending)).expect(ending);
    format!("{folder}/{name}")
}

#[test]
fn a_provider_moves_to_another_computer() {
    let old = provider();
    std::fs::create_dir(old.dir().join("copy")).unwrap();
    let said = old.ok(&["--lang", "en", "--on", "2026-01-05", "backup", "copy", "--passphrase", PASSPHRASE]);
    assert!(said.contains("3 customers"), "{said}");
    let (db, key) = (found(&old, "copy", ".db"), found(&old, "copy", ".key"));
    assert_eq!((db.as_str(), key.as_str()), ("copy/isp-2026-01-05-120000.db", "copy/isp-2026-01-05-120000.db.key"));
    let secret = std::fs::read_to_string(old.dir().join("isp.key")).unwrap();
    let secret = secret.lines().last().unwrap();
    for file in [&db, &key] {
        let bytes = std::fs::read(old.dir().join(file)).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{file} shows the key");
    }
    // The same moment again replaces nothing, and takes nothing away.
    old.fails(3, &["--on", "2026-01-05", "backup", &db], "backup.exists");
    old.fails(3, &["--on", "2026-01-05", "backup", "copy", "--passphrase", PASSPHRASE], "backup.exists");
    assert!(old.dir().join(&db).exists() && old.dir().join(&key).exists());

    let new = Isp::new();
    for file in [db.as_str(), &key, "isp.toml"] {
        std::fs::copy(old.dir().join(file), new.dir().join(file.rsplit('/').next().unwrap())).unwrap();
    }
    let db = db.rsplit('/').next().unwrap();
    new.fails(2, &["restore", db, "--passphrase", "empat kata acak itu"], "vault.passphrase");
    assert!(!new.dir().join("isp.db").exists() && !new.dir().join("isp.key").exists());
    new.ok(&["restore", db, "--passphrase", PASSPHRASE]);
    assert_eq!(new.json(&["invoice", "list"]), old.json(&["invoice", "list"]));
    new.ok(&["customer", "edit", "P001", "--nik", "3273010101900001"]);
    new.fails(3, &["restore", db, "--passphrase", PASSPHRASE], "backup.in_the_way");
    new.ok(&["customer", "show", "P001"]);
}

#[test]
fn a_copy_without_its_key_and_with_another() {
    let isp = provider();
    isp.ok(&["backup", "copy.db"]);
    let row = isp.json(&["backup", "second.db"]);
    assert_eq!((&row[0]["key"], &row[0]["customers"]), (&"key_fits".into(), &3.into()));
    isp.fails(2, &["backup", "third.db", "--passphrase", "pendek"], "vault.passphrase_short");
    assert!(!isp.dir().join("third.db").exists() && !isp.dir().join("third.db.key").exists());
    isp.fails(2, &["restore", "copy.db", "--passphrase", PASSPHRASE], "vault.wrapped_missing");

    // Without the key a copy is made and brought back all the same, and told of.
    std::fs::rename(isp.dir().join("isp.key"), isp.dir().join("kept")).unwrap();
    assert_eq!(isp.json(&["backup", "keyless.db"])[0]["key"], "key_unknown");
    std::fs::rename(isp.dir().join("isp.db"), isp.dir().join("old.db")).unwrap();
    let (_, err) = isp.exit(0, &["--lang", "en", "restore", "keyless.db"]);
    assert!(err.contains("The key file is not there"), "{err}");
    isp.ok(&["report", "customers"]);

    // Another provider's key does not open it.
    let other = Isp::new();
    other.ok(&["init"]);
    std::fs::copy(other.dir().join("isp.key"), isp.dir().join("isp.key")).unwrap();
    let (_, err) = isp.exit(5, &["--lang", "en", "backup", "wrong.db"]);
    assert!(err.contains("not the key of this database"), "{err}");
    isp.fails(2, &["backup", "never.db", "--passphrase", PASSPHRASE], "store.wrong_key");
    assert!(!isp.dir().join("never.db").exists() && !isp.dir().join("never.db.key").exists());
    std::fs::remove_file(isp.dir().join("isp.db")).unwrap();
    isp.fails(2, &["restore", "copy.db"], "store.wrong_key");
    assert!(!isp.dir().join("isp.db").exists());
}

#[test]
fn a_key_is_wrapped_and_comes_back_only_to_its_database() {
    let isp = provider();
    isp.ok(&["key", "wrap", "wrapped", "--passphrase", PASSPHRASE]);
    isp.fails(2, &["key", "wrap", "wrapped", "--passphrase", PASSPHRASE], "vault.exists");
    isp.fails(2, &["--key-file", "wrapped", "run"], "vault.wrapped");
    std::fs::rename(isp.dir().join("isp.key"), isp.dir().join("kept")).unwrap();
    isp.fails(2, &["key", "unwrap", "wrapped", "--passphrase", "empat kata acak itu"], "vault.passphrase");
    isp.fails(2, &["key", "unwrap", "isp.db", "--passphrase", PASSPHRASE], "vault.not_wrapped");
    isp.fails(2, &["key", "unwrap", "kept", "--passphrase", PASSPHRASE], "vault.not_wrapped");
    // As a person types it: from standard input, with a line end of another system.
    let mut unwrap = isp.command(&["key", "unwrap", "wrapped", "--passphrase", "-"]);
    let mut unwrap = unwrap.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    {
        use std::io::Write as _;
        unwrap.stdin.take().unwrap().write_all(format!("{PASSPHRASE}\r\n").as_bytes()).unwrap();
    }
    assert!(unwrap.wait().unwrap().success());
    isp.ok(&["bill", "--confirm-clock"]);

    let other = Isp::new();
    other.ok(&["init"]);
    std::fs::copy(isp.dir().join("wrapped"), other.dir().join("wrapped")).unwrap();
    std::fs::remove_file(other.dir().join("isp.key")).unwrap();
    other.fails(2, &["key", "unwrap", "wrapped", "--passphrase", PASSPHRASE], "store.wrong_key");
    assert!(!other.dir().join("isp.key").exists());
}

/// Killed at any row, a change of keys goes on where it stopped, and everything stays readable.
#[test]
fn a_change_of_keys_survives_being_killed() {
    let isp = Isp::new();
    isp.init();
    let people: Vec<u32> = (0..250).collect();
    let rows = |head: &str, row: &dyn Fn(u32) -> String| {
        std::iter::once(head.to_owned()).chain(people.iter().map(|n| row(*n))).collect::<Vec<_>>().join("\n")
    };
    isp.write(&SHEETS[..3]);
    let nik = |n: u32| format!("327301170845{:04}", n + 1);
    isp.write(&[(
        "customers.csv",
        &rows("id_pelanggan,nama,nik,alamat", &|n| format!("Q{n},Warga {n},{},Jl. {n}", nik(n))),
    )]);
    let line = |n: u32| format!("Q{n},HOME20,R1,warga{n},pw{n},2026-01-01,bulanan");
    let lines = rows("id_pelanggan,paket,router,username,password,mulai,siklus", &line);
    isp.write(&[("subscriptions.csv", &lines)]);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    let first = isp.json(&["key", "check"]);
    assert_eq!((first.as_array().unwrap().len(), &first[0]["values"]), (1, &501.into()));

    let (mut killed, mut finished) = (0, 0);
    for round in 0..40_u64 {
        let mut child = isp.command(&["key", "rotate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(10 + round * 13 % 250));
        if child.try_wait().unwrap().is_some_and(|status| status.success()) {
            finished += 1;
        } else {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        let uses = isp.json(&["key", "check"]);
        let sum = |what: &str| uses.as_array().unwrap().iter().map(|of| of[what].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("values"), sum("unreadable")), (501, 0), "round {round}: {uses}");
        assert!(uses.as_array().unwrap().len() <= 2, "one change at a time: {uses}");
    }
    assert!(killed > 5, "{killed} killed, {finished} finished");
    isp.ok(&["key", "rotate"]);
    let last = isp.json(&["key", "check"]);
    assert_eq!((last.as_array().unwrap().len(), &last[0]["role"]), (1, &"key_seals".into()));
    assert_ne!(last[0]["key"], first[0]["key"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
}

/// What a change of keys does meanwhile: each copy with a key that is said to be good is brought back by that key.
#[test]
fn a_copy_made_beside_a_change_of_keys_opens_with_its_own_key() {
    let isp = provider();
    let (mut made, mut busy) = (0, 0);
    for round in 0..16_u64 {
        let mut rotate = isp.command(&["key", "rotate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 9));
        if round % 4 == 0 {
            // However slow the machine is, some copies come after the change.
            rotate.wait().unwrap();
        }
        let copy = format!("copy{round}.db");
        let out = isp.run(&["backup", &copy, "--passphrase", PASSPHRASE]);
        if round % 4 == 3 {
            rotate.kill().unwrap();
        }
        rotate.wait().unwrap();
        if !out.status.success() {
            assert_eq!(out.status.code(), Some(8), "{}", String::from_utf8_lossy(&out.stderr));
            assert!(!isp.dir().join(&copy).exists() && !isp.dir().join(format!("{copy}.key")).exists());
            busy += 1;
            continue;
        }
        made += 1;
        let new = Isp::new();
        for file in [copy.clone(), format!("{copy}.key"), format!("{copy}.sha256"), "isp.toml".to_owned()] {
            std::fs::copy(isp.dir().join(&file), new.dir().join(&file)).unwrap();
        }
        new.ok(&["restore", &copy, "--passphrase", PASSPHRASE]);
        let uses = new.json(&["key", "check"]);
        assert!(uses.as_array().unwrap().iter().all(|of| of["unreadable"] == 0), "round {round}: {uses}");
    }
    assert!(made > 2 && busy > 2, "{made} made, {busy} told to wait");
}

/// A backup that was killed leaves at most its key and its checksum, and the same command goes through afterwards.
#[test]
fn a_copy_with_its_key_can_be_repeated() {
    let isp = provider();
    isp.ok(&["backup", "a.db", "--passphrase", PASSPHRASE]);
    std::fs::remove_file(isp.dir().join("a.db")).unwrap();
    isp.fails(2, &["backup", "a.db", "--passphrase", "empat kata acak itu"], "vault.exists");
    let (_, err) = isp.exit(2, &["--lang", "en", "backup", "a.db", "--passphrase", "empat kata acak itu"]);
    assert!(err.contains("a.db.key is there already"), "{err}");
    isp.ok(&["backup", "a.db", "--passphrase", PASSPHRASE]);
    std::fs::rename(isp.dir().join("isp.db"), isp.dir().join("old.db")).unwrap();
    // Damaged on the way, or without its checksum.
    let bytes = std::fs::read(isp.dir().join("a.db")).unwrap();
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(isp.dir().join("a.db"), damaged).unwrap();
    isp.fails(6, &["restore", "a.db"], "backup.damaged");
    assert!(!isp.dir().join("isp.db").exists());
    std::fs::write(isp.dir().join("a.db"), bytes).unwrap();
    std::fs::remove_file(isp.dir().join("a.db.sha256")).unwrap();
    let (_, err) = isp.exit(0, &["--lang", "en", "restore", "a.db"]);
    assert!(err.contains("a.db has no checksum"), "{err}");
}

/// Two changes of keys at once, beside people who write, some killed: one goes on, the other is told to wait and has
/// changed nothing, the key file is there at every moment, and every value opens.
#[test]
fn two_changes_of_keys_at_once_lose_nothing() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let isp = provider();
    let sum = |uses: &serde_json::Value, what: &str| -> u64 {
        uses.as_array().unwrap().iter().map(|of| of[what].as_u64().unwrap()).sum()
    };
    let values = sum(&isp.json(&["key", "check"]), "values");
    let (key, done) = (isp.dir().join("isp.key"), std::sync::Arc::new(AtomicBool::new(false)));
    let watch = std::thread::spawn({
        let done = std::sync::Arc::clone(&done);
        move || {
            while !done.load(Ordering::Relaxed) {
                let text = std::fs::read_to_string(&key).expect("the key file is always there");
                assert!(text.lines().filter(|line| line.len() == 64).count() > 0, "it is always whole");
            }
        }
    });
    let (mut rotated, mut refused, mut edited) = (0, 0, 0);
    for round in 0..30_u64 {
        let quiet =
            |mut command: std::process::Command| command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let nik = format!("32730101019{:05}", 1 + round);
        let mut rotates = [quiet(isp.command(&["key", "rotate"])), quiet(isp.command(&["key", "rotate"]))];
        let edit = quiet(isp.command(&["customer", "edit", "P001", "--nik", &nik]));
        if round % 3 == 2 {
            std::thread::sleep(Duration::from_millis(5 + round * 7));
            rotates[round as usize % 2].kill().unwrap();
        }
        for rotate in rotates {
            let out = rotate.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&out.stderr);
            match out.status.code() {
                Some(0) => rotated += 1,
                Some(8) => {
                    assert!(said.contains("store.busy") || said.contains("store.key_changed"), "{said}");
                    refused += 1;
                }
                Some(code) => panic!("round {round}: {code} {said}"),
                None => {}
            }
        }
        let out = edit.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        // Its key file was read before the change, its row or its turn to write came after it.
        let lost = ["store.wrong_key", "store.key_changed"].iter().any(|code| said.contains(code));
        assert!(out.status.success() || lost, "round {round}: {said}");
        if out.status.success() {
            edited += 1;
            assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 3);
        }
        let uses = isp.json(&["key", "check"]);
        assert_eq!((sum(&uses, "values"), sum(&uses, "unreadable")), (values, 0), "round {round}: {uses}");
        assert!(uses.as_array().unwrap().len() <= 2, "round {round}: {uses}");
    }
    done.store(true, Ordering::Relaxed);
    watch.join().unwrap();
    assert!(rotated > 10 && refused > 3 && edited > 5, "{rotated} {refused} {edited}");
    isp.ok(&["key", "rotate"]);
    assert_eq!(isp.json(&["key", "check"]).as_array().unwrap().len(), 1);
}

/// Killed at any moment, a restore leaves no database or a whole one, and a backup no copy or a whole one.
#[test]
fn what_is_killed_leaves_nothing_half() {
    let isp = provider();
    // Enough rows that it takes a moment.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        use sqlx::{Connection as _, Executor as _};
        let url = format!("sqlite:{}", isp.dir().join("isp.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
            INSERT INTO notification_keys (tenant_id, subject, kind, level, outbox_id)
            SELECT randomblob(16), randomblob(16), 'x', i, randomblob(16) FROM n";
        connection.execute(rows).await.unwrap();
        connection.close().await.unwrap();
    });
    let whole = isp.json(&["backup", "copy.db"]);
    let (mut restored, mut copied, mut killed) = (0, 0, 0);
    for round in 0..24_u64 {
        let target = isp.dir().join("target.db");
        for (arguments, made) in [
            (vec!["--database", "sqlite:target.db", "restore", "copy.db"], target.clone()),
            (vec!["backup", "killed.db"], isp.dir().join("killed.db")),
        ] {
            let mut child = isp.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(5 + round * 11));
            let running = child.try_wait().unwrap().is_none();
            child.kill().unwrap();
            child.wait().unwrap();
            killed += u32::from(running);
            if !made.exists() {
                continue;
            }
            // What is there under its name is whole.
            let name = made.file_name().unwrap().to_str().unwrap();
            let again = isp.json(&["--database", &format!("sqlite:{name}"), "backup", "again.db"]);
            assert_eq!(again[0]["invoices"], whole[0]["invoices"]);
            if arguments[0] == "backup" {
                copied += 1
            } else {
                restored += 1
            }
            for name in ["again.db", name] {
                std::fs::remove_file(isp.dir().join(name)).unwrap();
            }
            for suffix in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", made.display()));
            }
        }
    }
    assert!(killed >= 10, "only {killed} were still going when they were killed");
    isp.ok(&["--database", "sqlite:target.db", "restore", "copy.db"]);
    isp.ok(&["backup", "killed.db"]);
    assert!(restored + copied < 48, "every one had ended");
}
