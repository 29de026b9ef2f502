//! What a machine does to a provider: a lost key, a damaged file, a newer database, a full disk where the output goes.
//! Each is told as what it is, in both languages, and never as a bug.

use std::process::Stdio;

use crate::cli::{Isp, SHEETS};

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp
}

/// Runs a command in both languages: neither calls it a bug, and each has its own words.
fn told(isp: &Isp, exit: i32, arguments: &[&str], code: &str) -> [String; 2] {
    ["id", "en"].map(|language| {
        let (out, err) = isp.exit(exit, &[&["--lang", language], arguments].concat());
        assert_eq!(out, "");
        assert!(err.contains(&format!("[{code}]")), "{err}");
        assert!(!err.contains("bug") && !err.contains("kesalahan program"), "{err}");
        err
    })
}

#[test]
fn without_its_key_a_provider_still_reads_its_books() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-05", "bill"]);
    let before = isp.ok(&["report", "finance", "--month", "2026-01"]);
    std::fs::rename(isp.dir().join("isp.key"), isp.dir().join("copy")).unwrap();
    for arguments in [
        &["report", "finance", "--month", "2026-01"][..],
        &["report", "customers"],
        &["report", "cpe"],
        &["report", "packages"],
        &["report", "cash", "--month", "2026-01"],
        &["report", "profit-loss", "--month", "2026-01"],
        &["site", "list"],
        &["site", "show", "BDG"],
        &["router", "list"],
        &["package", "list"],
        &["package", "show", "HOME20"],
        &["customer", "list"],
        &["customer", "show", "P001"],
        &["subscription", "list"],
        &["subscription", "show", "P001"],
        &["installation", "list"],
        &["cpe", "list"],
        &["cpe", "show", "SN-1"],
        &["device", "history"],
        &["invoice", "list"],
        &["payment", "list"],
        &["payment-request", "list"],
        &["credit-note", "list"],
        &["late-fee", "list"],
        &["write-off", "list"],
        &["collector", "list"],
        &["collector", "deposits"],
        &["promise", "list"],
        &["exemption", "list"],
        &["outage", "list"],
        &["expense", "list"],
        &["outbox", "list"],
        &["explain", "P001"],
        &["status"],
        &["unpaid"],
        &["simulate", "--from", "2026-02-01", "--to", "2026-02-10"],
    ] {
        let (out, err) = isp.exit(0, arguments);
        assert!(err.contains("isp.key") && !out.is_empty(), "{arguments:?}: {err}");
        if arguments[1..] == ["finance", "--month", "2026-01"] {
            assert_eq!(out, before);
        }
    }
    // These look at no secret either, and say what they miss.
    isp.exit(0, &["migrate"]);
    isp.exit(0, &["backup", "copy.db"]);
    let (out, _) = isp.exit(5, &["--on", "2026-01-05", "doctor", "--offline"]);
    assert!(out.contains("vault.lost"), "{out}");
    // What writes or needs a secret says that the key is lost.
    for arguments in [&["run"][..], &["payment", "add", "P001", "1000", "--reference", "x"], &["router", "plan"]] {
        let [id, en] = told(&isp, 2, arguments, "vault.lost");
        assert!(id.contains("hilang") && en.contains("is lost"), "{id}{en}");
    }
    // No second key is made beside a database that has one.
    let (out, err) = isp.exit(2, &["init"]);
    assert!(out.is_empty() && err.contains("[vault.lost]"), "{err}");
    assert!(!isp.dir().join("isp.key").exists());

    // Another provider's key is not this one's.
    let other = Isp::new();
    other.ok(&["init"]);
    std::fs::copy(other.dir().join("isp.key"), isp.dir().join("isp.key")).unwrap();
    told(&isp, 2, &["run"], "store.wrong_key");
    isp.exit(0, &["report", "customers"]);
    std::fs::rename(isp.dir().join("copy"), isp.dir().join("isp.key")).unwrap();
    isp.ok(&["bill", "--confirm-clock"]);
}

#[cfg(unix)]
#[test]
fn settings_and_key_are_their_owners_and_a_pipe_is_no_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let isp = provider();
    let mode = |name: &str| std::fs::metadata(isp.dir().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("isp.toml"), mode("isp.key")), (0o600, 0o400));
    for name in ["pipe.key", "pipe.db", "pipe.toml"] {
        let made = std::process::Command::new("mkfifo").arg(isp.dir().join(name)).status().unwrap();
        assert!(made.success());
    }
    told(&isp, 2, &["--key-file", "pipe.key", "run"], "vault.not_a_file");
    told(&isp, 6, &["--database", "sqlite:pipe.db", "run"], "store.damaged");
    told(&isp, 2, &["--config", "pipe.toml", "run"], "cli.config");
    let simulate = ["simulate", "--from", "2026-05-01", "--to", "2026-05-02", "--policy", "pipe.toml"];
    told(&isp, 2, &simulate, "cli.config");
    let (_, err) = isp.exit(3, &["--lang", "id", "import", "--customers", "pipe.toml"]);
    assert!(err.contains("bukan berkas biasa"), "{err}");
    // In a folder, too, and where its name alone is meant.
    std::fs::create_dir(isp.dir().join("folder")).unwrap();
    for (name, words, exit) in [
        ("pelanggan.csv", &["import", "folder"][..], 3),
        ("kasus.toml", &["cases", "run", "folder"], 6),
        ("kasus.toml", &["cases", "run", "folder/kasus.toml"], 6),
        ("mutasi.csv", &["bank", "import", "folder/mutasi.csv"], 6),
    ] {
        let path = isp.dir().join("folder").join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (_, err) = isp.exit(exit, &[&["--lang", "id"], words].concat());
        assert!(err.contains(name) && err.contains("bukan berkas biasa"), "{err}");
        std::fs::remove_file(path).unwrap();
    }
    let kept = isp.dir().join("kept.toml");
    std::fs::rename(isp.dir().join("isp.toml"), &kept).unwrap();
    std::fs::rename(isp.dir().join("pipe.toml"), isp.dir().join("isp.toml")).unwrap();
    told(&isp, 2, &["run"], "cli.config");
    std::fs::rename(kept, isp.dir().join("isp.toml")).unwrap();

    // Settings with a token that others may read are told of.
    let settings = isp.dir().join("isp.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("{text}\n[whatsapp]\naccess_token = \"EAAB\"\n")).unwrap();
    assert!(!isp.exit(0, &["customer", "list"]).1.contains("0600"));
    std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (_, err) = isp.exit(0, &["customer", "list"]);
    assert!(err.contains("chmod 0600") && !err.contains("EAAB"), "{err}");
}

#[test]
fn a_database_that_is_not_ours_is_told_as_what_it_is() {
    let isp = provider();
    let database = isp.dir().join("isp.db");
    let good = std::fs::read(&database).unwrap();
    told(&isp, 6, &["--database", "sqlite:nowhere.db", "customer", "list"], "store.missing");
    std::fs::write(&database, &good[..good.len() / 2]).unwrap();
    told(&isp, 6, &["report", "finance"], "store.damaged");
    std::fs::write(&database, b"no database at all, but long enough to be looked at".repeat(200)).unwrap();
    told(&isp, 6, &["report", "finance"], "store.damaged");
    std::fs::write(&database, &good).unwrap();
    isp.ok(&["report", "finance"]);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let change = |sql: &'static str| {
        runtime.block_on(async {
            use sqlx::{Connection as _, Executor as _};
            let url = format!("sqlite:{}", database.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            connection.execute(sql).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    change("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2");
    told(&isp, 6, &["report", "finance"], "store.migration");
    std::fs::write(&database, &good).unwrap();
    change("UPDATE _sqlx_migrations SET version = 900 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)");
    told(&isp, 6, &["report", "finance"], "store.newer");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_the_output_is_no_bug_and_stops_no_work() {
    let isp = provider();
    for language in ["id", "en"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut run = isp.command(&["--lang", language, "--on", "2026-01-05", "run"]);
        let run = run.stdout(full).stderr(Stdio::piped()).output().unwrap();
        let err = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(6), "{err}");
        assert!(err.contains("[cli.output]") && !err.contains("bug") && !err.contains("kesalahan program"), "{err}");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut demo = isp.command(&["--lang", "en", "demo", "--until", "2026-01-03"]);
    let demo = demo.stdout(full).stderr(Stdio::piped()).output().unwrap();
    let err = String::from_utf8(demo.stderr).unwrap();
    assert_eq!(demo.status.code(), Some(6), "{err}");
    assert!(err.contains("[cli.output]") && !err.contains("bug"), "{err}");
    // A reader who goes away early does not end the run in its middle.
    let mut run = isp.command(&["--on", "2026-01-21", "run"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(run.stdout.take());
    run.wait().unwrap();
    assert_ne!(isp.json(&["subscription", "list", "--access", "isolated"]).as_array().unwrap().len(), 0);
}

#[test]
fn the_file_alone_holds_what_was_written() {
    let isp = provider();
    isp.ok(&["--on", "2026-01-05", "bill"]);
    let copy = Isp::new();
    for name in ["isp.db", "isp.key", "isp.toml"] {
        std::fs::copy(isp.dir().join(name), copy.dir().join(name)).unwrap();
    }
    assert_eq!(copy.json(&["invoice", "list"]), isp.json(&["invoice", "list"]));
    assert_ne!(copy.json(&["invoice", "list"]).as_array().unwrap().len(), 0);
    let log = isp.dir().join("isp.db-wal");
    assert!(!log.exists() || std::fs::metadata(log).unwrap().len() == 0);
}

#[test]
fn one_damaged_row_is_named_and_the_rest_goes_on() {
    let isp = provider();
    let database = isp.dir().join("isp.db");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        use sqlx::{Connection as _, Executor as _};
        let url = format!("sqlite:{}", database.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        connection.execute("UPDATE customers SET phone = 'x' WHERE code = 'P002'").await.unwrap();
        connection.close().await.unwrap();
    });
    for (language, word) in [("id", "pelanggan"), ("en", "customer")] {
        let (out, err) = isp.exit(5, &["--lang", language, "customer", "list"]);
        assert!(out.contains("P001") && out.contains("P003") && !out.contains("P002"), "{out}");
        assert!(err.contains(&format!(": {word} 0")) && err.contains("[store.corrupt]"), "{err}");
    }
    let (out, _) = isp.exit(5, &["--on", "2026-01-05", "report", "customers"]);
    assert!(out.contains("P001") && out.contains("P003"), "{out}");
    isp.exit_any(&[0, 5], &["--on", "2026-02-10", "bill"]);
    let (out, err) = isp.exit(5, &["--on", "2026-02-10", "unpaid"]);
    assert!(out.contains("P001") && out.contains("P003") && err.contains("[store.corrupt]"), "{out}{err}");
    // Asked for by itself, it is an error that names it.
    told(&isp, 6, &["customer", "show", "P002"], "store.corrupt");
    isp.ok(&["customer", "show", "P001"]);
}

/// A limit on the size of files is an error of the write, as a full disk is: nobody dies of it, and nothing is half-written.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_is_told_and_nothing_is_half_written() {
    let isp = provider();
    let limited = |words: &str| {
        let script = format!("ulimit -f 64; exec \"$ISP\" --lang en {words}");
        let mut command = std::process::Command::new("bash");
        command.current_dir(isp.dir()).env("ISP", env!("CARGO_BIN_EXE_isp")).env("HOME", isp.dir().join("home"));
        let output = command.args(["-c", &script]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // What is small still goes into the log beside the file.
    let (code, err) = limited("customer add P009 --name X --address Y");
    assert_eq!(code, Some(0), "{err}");
    for words in ["backup copy", "--on 2026-01-01 run"] {
        let (code, err) = limited(words);
        assert_eq!(code, Some(6), "{words}: {err}");
        assert!(err.contains("[store.") || err.contains("[backup."), "{words}: {err}");
    }
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 4);
    assert!(isp.json(&["invoice", "list"]).as_array().unwrap().is_empty() && !isp.dir().join("copy").exists());
    isp.ok(&["backup", "copy"]);
}
