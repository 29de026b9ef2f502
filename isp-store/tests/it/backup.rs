//! Copies of both databases: whole while others write, checked, never in the place of anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::*;
use isp_core::ports::{ChangeSet, DirectoryStore, PageQuery, Store, StoreError};
use isp_core::testing::sample::TERM;
use isp_store::{BackupError, Fit, Vault};

async fn provided() -> [Database; 2] {
    let mut databases = Database::both().await;
    for database in &mut databases {
        isp_store::migrate(&database.url).await.unwrap();
        let store = database.open().await;
        store.commit(TENANT, provider(200, day("2026-01-05"))).await.unwrap();
        store.close().await;
    }
    databases
}

/// A database of the same kind, without anything in it.
async fn empty_like(database: &Database) -> Database {
    match database.kind {
        Kind::Sqlite(_) => Database::sqlite(),
        Kind::Postgres { .. } | Kind::Citus { .. } => Database::postgres().await,
    }
}

fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

#[tokio::test]
async fn what_was_copied_is_brought_back() {
    for database in provided().await {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("copy");
        let copied = isp_store::backup(&database.url, &file, Some(&vault())).await.unwrap();
        assert_eq!((copied.rows("customers"), copied.key, &copied.file), (200, Fit::Fits, &file));
        assert_eq!(copied.bytes, file.metadata().unwrap().len());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        // Nothing replaces it, and nothing is left beside it.
        let again = isp_store::backup(&database.url, &file, None).await.unwrap_err();
        assert_eq!(again.code(), "backup.exists");
        assert_eq!(left_behind(dir.path()), Vec::<PathBuf>::new());

        let other = empty_like(&database).await;
        let wrong = Vault::from_text(&"11".repeat(32)).unwrap();
        let refused = isp_store::restore(&other.url, &file, Some(&wrong)).await.unwrap_err();
        assert_eq!(refused, BackupError::Store(StoreError::WrongKey));
        let restored = isp_store::restore(&other.url, &file, Some(&vault())).await.unwrap();
        assert_eq!(restored.tables, copied.tables);
        let (before, after) = (database.open().await, other.open().await);
        let page = PageQuery::first(1_000);
        assert_eq!(after.customers(TENANT, page).await.unwrap(), before.customers(TENANT, page).await.unwrap());
        after.commit(TENANT, ChangeSet { sites: places().sites, ..ChangeSet::default() }).await.unwrap();
        after.close().await;

        // What is there is never replaced.
        let twice = isp_store::restore(&other.url, &file, Some(&vault())).await.unwrap_err();
        assert_eq!(twice.code(), "backup.in_the_way");
        assert_eq!(other.open().await.customers(TENANT, page).await.unwrap().len(), 200);
    }
}

#[tokio::test]
async fn a_copy_made_while_others_write_is_one_state() {
    for database in provided().await {
        let store = Arc::new(database.open().await);
        let stop = Arc::new(AtomicBool::new(false));
        let writing = tokio::spawn({
            let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
            async move {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) && n < 4_000 {
                    let customers = vec![the_customer(1_000 + 2 * n), the_customer(1_001 + 2 * n)];
                    store.commit(TENANT, ChangeSet { customers, ..ChangeSet::default() }).await.unwrap();
                    n += 1;
                }
                n
            }
        });
        let dir = tempfile::tempdir().unwrap();
        for n in 0..3 {
            let file = dir.path().join(n.to_string());
            isp_store::backup(&database.url, &file, Some(&vault())).await.unwrap();
            let other = empty_like(&database).await;
            isp_store::restore(&other.url, &file, Some(&vault())).await.unwrap();
            // Both customers of a commit are there, or neither.
            let restored = other.open().await;
            let customers = restored.customers(TENANT, PageQuery::first(100_000)).await.unwrap();
            assert_eq!(customers.len() % 2, 0);
            restored.close().await;
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writing.await.unwrap() > 0);
        store.close().await;
    }
}

/// One bit that changed on the way is seen, wherever it is; a copy without a checksum is brought back, and told of.
#[tokio::test]
async fn a_copy_that_was_damaged_is_refused() {
    for database in provided().await {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("copy");
        assert!(isp_store::backup(&database.url, &file, Some(&vault())).await.unwrap().proved);
        let good = std::fs::read(&file).unwrap();
        let other = empty_like(&database).await;
        for round in 0..60 {
            let mut bytes = good.clone();
            let at = 100 + round * (good.len() - 100) / 60;
            bytes[at] ^= 1 << (round % 8);
            std::fs::write(&file, bytes).unwrap();
            let error = isp_store::restore(&other.url, &file, Some(&vault())).await.unwrap_err();
            assert_eq!(error.code(), "backup.damaged", "byte {at}: {error}");
            assert!(error.to_string().contains("copy"), "{error}");
        }
        std::fs::write(&file, good).unwrap();
        assert!(isp_store::restore(&other.url, &file, Some(&vault())).await.unwrap().proved);
        std::fs::remove_file(isp_store::checksum_of(&file)).unwrap();
        let other = empty_like(&database).await;
        let restored = isp_store::restore(&other.url, &file, Some(&vault())).await.unwrap();
        assert_eq!((restored.proved, restored.lacking_keys), (false, 0));
    }
}

/// Each key that sealed something in a copy is looked for, not only that of the whole.
#[tokio::test]
async fn a_copy_that_needs_another_key_is_told() {
    for database in provided().await {
        let dir = tempfile::tempdir().unwrap();
        // One row of another key, as a change of keys that went wrong leaves it.
        let sql = match database.kind {
            Kind::Sqlite(_) => "UPDATE routers SET password_sealed = x'0101020304aabb'",
            Kind::Postgres { .. } | Kind::Citus { .. } => "UPDATE routers SET password_sealed = '\\x0101020304aabb'",
        };
        database.execute(sql).await;
        let file = dir.path().join("copy");
        let copied = isp_store::backup(&database.url, &file, Some(&vault())).await.unwrap();
        assert_eq!((copied.key, copied.lacking_keys), (Fit::Fits, 1));
    }
}

#[tokio::test]
async fn what_is_no_copy_is_refused_and_nothing_is_made() {
    let [sqlite, postgres] = provided().await;
    let dir = tempfile::tempdir().unwrap();
    let (db, dump) = (dir.path().join("db"), dir.path().join("dump"));
    isp_store::backup(&sqlite.url, &db, None).await.unwrap();
    isp_store::backup(&postgres.url, &dump, None).await.unwrap();
    let cut = |from: &Path, name: &str| {
        let bytes = std::fs::read(from).unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        path
    };
    let text = dir.path().join("text");
    std::fs::write(&text, "no database").unwrap();
    let other_program = dir.path().join("other.db");
    {
        use sqlx::{Connection as _, Executor as _};
        let url = format!("sqlite:{}?mode=rwc", other_program.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        connection.execute("CREATE TABLE notes (a)").await.unwrap();
        connection.close().await.unwrap();
    }
    let (half_db, half_dump) = (cut(&db, "half.db"), cut(&dump, "half.dump"));
    let none = dir.path().join("none");
    for (from, to_sqlite, to_postgres) in [
        (&text, "backup.not_a_copy", "backup.not_a_copy"),
        (&none, "backup.file", "backup.file"),
        (&dir.path().to_owned(), "backup.not_a_copy", "backup.not_a_copy"),
        (&db, "", "backup.other_engine"),
        (&dump, "backup.other_engine", ""),
        (&half_db, "backup.damaged", "backup.other_engine"),
        (&half_dump, "backup.other_engine", "backup.damaged"),
        (&other_program, "backup.not_a_copy", "backup.other_engine"),
    ] {
        for (database, expected) in [(&sqlite, to_sqlite), (&postgres, to_postgres)] {
            if expected.is_empty() {
                continue;
            }
            let target = empty_like(database).await;
            let error = isp_store::restore(&target.url, from, None).await.unwrap_err();
            assert_eq!(error.code(), expected, "{}", from.display());
            if let Kind::Sqlite(folder) = &target.kind {
                assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{}", from.display());
            } else {
                isp_store::restore(&target.url, &dump, None).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_file_is_not_brought_back_beside_what_another_left() {
    let [database, _] = provided().await;
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    isp_store::backup(&database.url, &copy, None).await.unwrap();
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let target = Database::sqlite();
        std::fs::write(format!("{}{suffix}", target.path().display()), b"").unwrap();
        let error = isp_store::restore(&target.url, &copy, None).await.unwrap_err();
        assert_eq!(error.code(), "backup.in_the_way", "{suffix}");
    }
    // A database that was moved away while a run holds it.
    let store = database.open().await;
    let guard = store.begin_run(TENANT, TERM).await.unwrap();
    std::fs::rename(database.path(), dir.path().join("moved")).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", database.path().display()));
    }
    let error = isp_store::restore(&database.url, &copy, None).await.unwrap_err();
    assert_eq!(error, BackupError::Store(StoreError::Busy));
    guard.end().await.unwrap();
    drop(store);
    isp_store::restore(&database.url, &copy, None).await.unwrap();
}

/// A file that somebody copied by hand during a run, with its log beside it.
#[tokio::test]
async fn a_copy_by_hand_brings_its_log() {
    let [database, _] = provided().await;
    let store = database.open().await;
    store.commit(TENANT, ChangeSet { customers: vec![the_customer(5_000)], ..ChangeSet::default() }).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("isp.db");
    std::fs::copy(database.path(), &copy).unwrap();
    std::fs::copy(format!("{}-wal", database.path().display()), dir.path().join("isp.db-wal")).unwrap();
    let target = Database::sqlite();
    let restored = isp_store::restore(&target.url, &copy, Some(&vault())).await.unwrap();
    assert_eq!(restored.rows("customers"), 201);
    assert!(!dir.path().join("isp.db-shm").exists(), "the copy itself was opened");
}

#[tokio::test]
async fn a_copy_of_a_newer_version_is_not_brought_back() {
    use sqlx::{Connection as _, Executor as _};
    for database in provided().await {
        let sql = "UPDATE _sqlx_migrations SET version = 9000 WHERE version = 1";
        if database.url.starts_with("sqlite") {
            sqlx::SqliteConnection::connect(&database.url).await.unwrap().execute(sql).await.unwrap();
        } else {
            sqlx::PgConnection::connect(&database.url).await.unwrap().execute(sql).await.unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("copy");
        isp_store::backup(&database.url, &file, None).await.unwrap();
        let target = empty_like(&database).await;
        let error = isp_store::restore(&target.url, &file, None).await.unwrap_err();
        assert_eq!(error, BackupError::Store(StoreError::Newer));
    }
}

#[tokio::test]
async fn a_copy_that_is_thrown_away_touches_nothing() {
    for database in provided().await {
        let dir = tempfile::tempdir().unwrap();
        let scratch = isp_store::Scratch::beside(
            &database.url,
            dir.path(),
            &format!("isp_scratch_{}", uuid::Uuid::now_v7().simple()),
        )
        .await
        .unwrap();
        assert_ne!(scratch.url(), database.url);
        let copied = scratch.fill(&database.url, Some(&vault())).await.unwrap();
        assert_eq!(copied.rows("customers"), 200);
        // What is written into the copy is in the copy only, also while somebody is still connected when it goes.
        let copy = isp_store::SqlStore::open(scratch.url(), vault()).await.unwrap();
        copy.commit(TENANT, ChangeSet { customers: vec![the_customer(9_000)], ..ChangeSet::default() }).await.unwrap();
        let url = scratch.url().to_owned();
        scratch.remove().await.unwrap();
        let store = database.open().await;
        assert_eq!(store.customers(TENANT, PageQuery::first(1_000)).await.unwrap().len(), 200);
        store.close().await;
        if url.starts_with("postgres") {
            assert!(isp_store::migration_status(&url).await.is_err(), "the database is gone");
        }
    }
}

#[tokio::test]
async fn what_a_killed_process_left_is_found_and_a_missing_right_is_named() {
    use sqlx::Connection as _;
    let database = Database::postgres().await;
    let dir = tempfile::tempdir().unwrap();
    let beginning = format!("isp_scratch_{}", uuid::Uuid::now_v7().simple());
    let scratch = isp_store::Scratch::beside(&database.url, dir.path(), &format!("{beginning}_a")).await.unwrap();
    let left = async || isp_store::Scratch::left_beside(&database.url, &beginning).await.unwrap();
    let living = sqlx::PgConnection::connect(scratch.url()).await.unwrap();
    assert_eq!(left().await, Vec::<String>::new(), "somebody works in it");
    living.close().await.unwrap();
    // The server notes that a connection is gone a moment later.
    for _ in 0..100 {
        if !left().await.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(left().await, [format!("{beginning}_a")]);
    scratch.remove().await.unwrap();
    assert_eq!(left().await, Vec::<String>::new());
    assert_eq!(isp_store::Scratch::left_beside("sqlite:isp.db", &beginning).await.unwrap(), Vec::<String>::new());

    // A user without the right to make a database.
    let role = format!("{beginning}_user");
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'")).await;
    let (_, server) = database.url.split_once('@').expect("a user in the URL of the tests");
    let url = format!("postgres://{role}:x@{server}");
    let refused = isp_store::Scratch::beside(&url, dir.path(), &format!("{beginning}_b")).await.unwrap_err();
    database.execute(&format!("DROP ROLE {role}")).await;
    assert!(refused.to_string().contains("CREATEDB"), "{refused}");
}
