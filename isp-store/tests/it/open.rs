//! Opening, migrating, and databases that are not what they should be.

use crate::common::*;
use isp_core::ports::{ChangeSet, DirectoryStore, PageQuery, Store, StoreError};
use isp_core::testing::sample::TERM;

async fn refused(url: &str) -> StoreError {
    isp_store::open(url, vault()).await.err().expect("it opened")
}

#[tokio::test]
async fn a_database_without_tables_says_what_to_run() {
    for database in Database::both().await {
        let error = refused(&database.url).await;
        let expected = if database.url.starts_with("sqlite") { "store.missing" } else { "store.outdated" };
        assert_eq!(error.code(), expected);
        assert!(error.to_string().contains("isp migrate"), "{error}");
        let status = isp_store::migrate(&database.url).await.unwrap();
        assert_eq!(
            (status.applied.as_slice(), status.pending.as_slice()),
            (
                [
                    1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                    29, 30, 32, 33, 35, 36, 37, 38, 39, 40, 41, 42, 43
                ]
                .as_slice(),
                [].as_slice()
            )
        );
        assert_eq!(isp_store::migrate(&database.url).await.unwrap(), status, "a second time changes nothing");
        assert_eq!(isp_store::migration_status(&database.url).await.unwrap(), status);
        database.open().await.commit(TENANT, places()).await.unwrap();
        assert_eq!(isp_store::migrate(&database.url).await.unwrap(), status);
        assert_eq!(database.open().await.sites(TENANT).await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn urls_that_name_no_database_are_refused() {
    for url in ["mysql://x", "sqlite:", "sqlite::memory:", "isp.db", ""] {
        assert_eq!(refused(url).await.code(), "store.rejected", "{url}");
    }
    let error = refused("postgres://isp@localhost/isp?host=/nonexistent-socket").await;
    assert_eq!(error.code(), "store.unavailable", "{error}");
    let dir = tempfile::tempdir().unwrap();
    let error = isp_store::migrate(&format!("sqlite:{}/none/isp.db", dir.path().display())).await.unwrap_err();
    assert_eq!(error.code(), "store.unavailable", "{error}");
    let both = Database::sqlite_migrated().await;
    let double_slash = both.url.replacen("sqlite:", "sqlite://", 1);
    assert!(isp_store::open(&double_slash, vault()).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = Database::sqlite_migrated().await;
    let store = database.open().await;
    store.commit(TENANT, places()).await.unwrap();
    for entry in std::fs::read_dir(database.path().parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", entry.file_name());
    }
}

#[tokio::test]
async fn a_damaged_file_is_told_as_such() {
    let database = Database::sqlite_migrated().await;
    let store = database.open().await;
    store.commit(TENANT, provider(200, day("2026-01-05"))).await.unwrap();
    store.close().await;
    let bytes = std::fs::read(database.path()).unwrap();

    std::fs::write(database.path(), &bytes[..bytes.len() / 2]).unwrap();
    let read = match isp_store::open(&database.url, vault()).await {
        Ok(store) => store.customers(TENANT, PageQuery::first(1_000)).await.map(drop),
        Err(error) => Err(error),
    };
    assert_eq!(read.unwrap_err().code(), "store.damaged", "cut in the middle");

    std::fs::write(database.path(), b"this is no database, only a text of some length".repeat(100)).unwrap();
    assert_eq!(refused(&database.url).await.code(), "store.damaged", "another file");
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.close().await;
        assert_eq!(store.sites(TENANT).await.unwrap_err().code(), "store.unavailable");
        let error = store.commit(TENANT, places()).await.unwrap_err();
        assert_eq!(error.code(), "store.unavailable");
    }
}

#[tokio::test]
async fn one_run_a_tenant_at_a_time_also_from_another_process() {
    for database in Database::both_migrated().await {
        let (a, b) = (database.open().await, database.open().await);
        let other = isp_core::ids::TenantId(id(99, 1));
        let guard = a.begin_run(TENANT, TERM).await.unwrap();
        assert_eq!(a.begin_run(TENANT, TERM).await.unwrap_err(), StoreError::Busy);
        assert_eq!(b.begin_run(TENANT, TERM).await.unwrap_err(), StoreError::Busy);
        let _elsewhere = b.begin_run(other, TERM).await.unwrap();
        b.commit(TENANT, places()).await.unwrap();
        guard.end().await.unwrap();
        let _guard = b.begin_run(TENANT, TERM).await.unwrap();
        assert_eq!(a.begin_run(TENANT, TERM).await.unwrap_err(), StoreError::Busy);
        assert_eq!(a.commit(TENANT, ChangeSet::default()).await.unwrap().invoices, 0);
    }
}
