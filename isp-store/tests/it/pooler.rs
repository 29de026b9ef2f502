//! A pooler that lends a server for one transaction at a time: nothing of a connection outlives its transaction. These tests run below
//! `scripts/with_pgbouncer`.

use isp_core::ports::{DirectoryStore as _, PageQuery, Store as _, StoreError};
use isp_core::testing::contract::{inbox, store};
use isp_store::{SqlStore, migrate};
use sqlx::{Connection as _, Executor as _};

use crate::common::{Database, TENANT, day, provider, url_in, vault};

/// The same database, by way of the pooler.
fn behind_pooler(database: &Database) -> String {
    let pooler =
        std::env::var("ISP_TEST_POOLER").expect("ISP_TEST_POOLER is not set: run through scripts/with_pgbouncer");
    let (_, name) = database.url.split_once('?').unwrap_or((&database.url, "")).0.rsplit_once('/').unwrap();
    url_in(&pooler, name)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs scripts/with_pgbouncer"]
async fn the_store_keeps_its_contract_behind_a_pooler() {
    let database = Database::postgres_migrated().await;
    let url = behind_pooler(&database);
    store::run_all(isp_store::open(&url, vault()).await.unwrap().as_ref()).await;
    inbox::run_all(&SqlStore::open(&url, vault()).await.unwrap(), 900).await;
}

/// More programs than servers: each transaction may get another one, and each says its limits again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs scripts/with_pgbouncer"]
async fn many_programs_share_few_servers() {
    let database = Database::postgres_migrated().await;
    let url = behind_pooler(&database);
    let first = SqlStore::open(&url, vault()).await.unwrap();
    first.commit(TENANT, provider(20, day("2026-01-05"))).await.unwrap();
    let mut programs = Vec::new();
    for _ in 0..8 {
        let url = url.clone();
        programs.push(tokio::spawn(async move {
            for _ in 0..5 {
                // Opening one asks for its migrations and its key as well.
                let store = SqlStore::open(&url, vault()).await.unwrap();
                for _ in 0..10 {
                    assert_eq!(store.customers(TENANT, PageQuery::first(100)).await.unwrap().len(), 20);
                }
                store.close().await;
            }
        }));
    }
    for program in programs {
        program.await.unwrap();
    }
    // The doctor, too, asks each thing in one transaction, and sees what it sees without a pooler.
    let now = chrono::Utc::now();
    let straight = SqlStore::open(&database.url, vault()).await.unwrap();
    assert_eq!(first.examine(TENANT, now).await, straight.examine(TENANT, now).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs scripts/with_pgbouncer"]
async fn a_forgotten_lock_is_not_waited_for_longer_than_without_a_pooler() {
    let database = Database::postgres_migrated().await;
    let store = SqlStore::open(&behind_pooler(&database), vault()).await.unwrap();
    store.commit(TENANT, provider(1, day("2026-01-05"))).await.unwrap();
    let mut holder = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let mut held = holder.begin().await.unwrap();
    held.execute("UPDATE tenants SET next_invoice = next_invoice").await.unwrap();
    let begun = std::time::Instant::now();
    let error = store.commit(TENANT, provider(1, day("2026-01-05"))).await.unwrap_err();
    assert!(error.retryable(), "{error:?}");
    assert!((10..25).contains(&begun.elapsed().as_secs()), "after {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs scripts/with_pgbouncer"]
async fn tables_are_changed_by_the_server_itself() {
    let database = Database::postgres().await;
    let error = migrate(&behind_pooler(&database)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Rejected { reason } if reason.contains("pooler")), "{error:?}");
    assert!(migrate(&database.url).await.unwrap().pending.is_empty());
}
