//! A tenant moves into another database while others work there: nothing is lost or doubled, wherever the move stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::*;
use crate::upgrade::{live, read};
use chrono::{DateTime, Utc};
use isp_core::bank::{BankFormat, ImportedFile, Teller, ToldRow, recognise};
use isp_core::calendar::Zone;
use isp_core::ids::{SiteId, TenantId};
use isp_core::place::Site;
use isp_core::ports::{
    BillingStore as _, ChangeSet, DirectoryStore as _, InboxStore as _, MoneyStore as _, PageQuery, Store, StoreError,
};
use isp_core::testing::sample::TERM;
use isp_store::{Moving, SqlStore};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

const OTHER: TenantId = TenantId(uuid::Uuid::from_u128(99));

fn now() -> DateTime<Utc> {
    day("2026-03-01").at(12, 0, Zone::Wib)
}

/// A mutation that moota told of.
fn told() -> ChangeSet {
    let teller = Teller { name: code("moota"), format: BankFormat::Moota };
    let row = ToldRow {
        id: "M1".to_owned(),
        account: code("BRI-1"),
        bank: Some(code("bri")),
        on: day("2026-02-01"),
        hundredths: 15_000_000,
        text: "TRF".to_owned(),
        balance: None,
    };
    let found = recognise(TENANT, &teller, &[row], &[], &[], &isp_core::bank::Whose::nobody());
    let file = ImportedFile {
        id: found.new[0].file_id,
        format: teller.format,
        account: code("BRI-1"),
        from: day("2026-02-01"),
        until: day("2026-02-01"),
        at: now(),
        by: "moota".to_owned(),
    };
    ChangeSet { bank_files: vec![file], mutations: found.new, tellings: found.tellings, ..ChangeSet::default() }
}

/// Two databases; in the first one a provider that has lived for some weeks, and another one beside it.
async fn two() -> (Database, Database, Vec<String>) {
    let old = Database::postgres_migrated().await;
    let new = Database::postgres_migrated().await;
    let store = old.open().await;
    store.commit(TENANT, provider(16, day("2026-01-05"))).await.unwrap();
    live(&store, 0..10).await;
    store.commit(TENANT, told()).await.unwrap();
    store.commit(OTHER, provider(10, day("2026-01-05"))).await.unwrap();
    let told = read(&store, now()).await;
    store.close().await;
    // The new database is used by somebody, too.
    let store = new.open().await;
    store.commit(TenantId(id(98, 1)), provider(5, day("2026-01-05"))).await.unwrap();
    store.close().await;
    (old, new, told)
}

fn more(number: u32) -> ChangeSet {
    let site = Site {
        id: SiteId(id(70, number)),
        code: code(&format!("M{number}")),
        name: name("Lokasi"),
        zone: Zone::Wib,
        coordinates: None,
        archived: false,
    };
    ChangeSet { sites: vec![site], ..ChangeSet::default() }
}

/// The rows of a tenant in all tables but those of the move.
async fn rows(database: &Database, tenant: TenantId) -> i64 {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let sql = "SELECT DISTINCT table_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_name <> 'moves'";
    let tables: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
    let mut sum = 0;
    for table in tables {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = $1");
        sum +=
            sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).bind(tenant.0).fetch_one(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    sum
}

async fn begin(old: &Database, new: &Database) -> Result<Moving, StoreError> {
    Moving::begin(&old.url, &new.url, TENANT, &vault()).await
}

/// The steps of a move, of which the first few are done.
async fn steps(moving: &mut Moving, count: u32) -> Result<(), StoreError> {
    for step in 0..count {
        match step {
            0 => moving.leave(now()).await?,
            1 => moving.copy(now()).await?,
            2 => moving.verify().await.map(drop)?,
            3 => moving.leave_behind(now()).await?,
            _ => moving.arrive().await?,
        }
    }
    Ok(())
}

/// Begins again until the process before has let go, as its server does a moment after it was killed.
async fn begin_again(old: &Database, new: &Database) -> Moving {
    for _ in 0..100 {
        match begin(old, new).await {
            Err(StoreError::Busy | StoreError::Rejected { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
            begun => return begun.unwrap(),
        }
    }
    panic!("somebody holds the move");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_and_a_file_are_not_moved_to() {
    let (one, two) = (Database::postgres_migrated().await, Database::postgres_migrated().await);
    one.open().await.commit(TENANT, places()).await.unwrap();
    if on_cluster() {
        let refused = begin(&one, &two).await.unwrap_err();
        assert!(refused.to_string().contains("Citus"), "{refused}");
        return;
    }
    let file = Database::sqlite_migrated().await;
    let refused = Moving::begin(&one.url, &file.url, TENANT, &vault()).await.unwrap_err();
    assert!(refused.to_string().contains("SQLite"), "{refused}");
    let refused = Moving::begin(&one.url, &one.url, TENANT, &vault()).await.unwrap_err();
    assert!(refused.to_string().contains("same database"), "{refused}");
    assert_eq!(Moving::begin(&one.url, &two.url, OTHER, &vault()).await.unwrap_err().code(), "store.not_found");
    // Another key, and rows of the same provider.
    let other = isp_store::Vault::from_text(&"1d".repeat(32)).unwrap();
    let foreign = Database::postgres_migrated().await;
    SqlStore::open(&foreign.url, other).await.unwrap().close().await;
    assert_eq!(begin(&one, &foreign).await.unwrap_err(), StoreError::WrongKey);
    two.open().await.commit(TENANT, places()).await.unwrap();
    let refused = begin(&one, &two).await.unwrap_err();
    assert!(refused.to_string().contains("rows of this provider"), "{refused}");
    one.open().await.commit(TENANT, more(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_after_any_step_goes_on() {
    if on_cluster() {
        return a_cluster_refuses().await;
    }
    for killed in 0..=5 {
        let (old, new, told) = two().await;
        let (all, others) = (rows(&old, TENANT).await, rows(&old, OTHER).await);
        let (there, here) = (old.open().await, new.open().await);
        {
            let mut moving = begin(&old, &new).await.unwrap();
            assert_eq!(begin(&old, &new).await.unwrap_err(), StoreError::Busy, "one process at a time");
            steps(&mut moving, killed).await.unwrap();
        }
        // In between nobody writes for the provider on either side, and others work on.
        let refused = there.commit(TENANT, more(killed)).await;
        match killed {
            0 => _ = refused.unwrap(),
            1..=3 => assert_eq!(refused.unwrap_err(), StoreError::Moving),
            _ => assert_eq!(refused.unwrap_err().code(), "store.moved"),
        }
        if killed >= 1 {
            assert!(there.begin_run(TENANT, TERM).await.is_err() && there.works_here(TENANT).await.is_err());
            assert!(there.forget_webhooks(TENANT, now(), 10).await.is_err());
        }
        if (2..5).contains(&killed) {
            assert_eq!(here.commit(TENANT, more(90)).await.unwrap_err(), StoreError::Moving);
            assert_eq!(here.works_here(TENANT).await.unwrap_err(), StoreError::Moving);
        }
        there.commit(OTHER, more(killed)).await.unwrap();

        let mut moving = begin_again(&old, &new).await;
        steps(&mut moving, 5).await.unwrap();
        // Once more changes nothing.
        steps(&mut moving, 5).await.unwrap();
        let moved = moving.verify().await.unwrap();
        moving.end().await.unwrap();
        // The lease of the run stays behind; before anything was done, a site and its entry came.
        let written = if killed == 0 { all + 1 } else { all - 1 };
        assert_eq!(moved.rows(), written.unsigned_abs());
        assert_eq!(rows(&old, TENANT).await, 0, "killed after {killed}");
        assert_eq!(rows(&old, OTHER).await, others + 2, "a site and its entry");
        if killed > 0 {
            assert_eq!(read(&here, now()).await, told, "killed after {killed}");
        }
        let (entries, breaks) = here.verify_audit(TENANT).await.unwrap();
        assert!(entries > 5 && breaks.is_empty(), "{entries} {breaks:?}");
        // The old place says where it went; the new one works on.
        let refused = there.commit(TENANT, more(50)).await.unwrap_err();
        assert!(
            matches!(&refused, StoreError::Moved { to } if new.url.contains(to.split(' ').next().unwrap())),
            "{refused}"
        );
        here.commit(TENANT, more(51)).await.unwrap();
        live(&here, 10..12).await;
        let found = here.examine(TENANT, now()).await.unwrap();
        assert!(
            found
                .iter()
                .all(|of| of.kind.starts_with("backup") || of.kind.starts_with("outbox") || of.kind == "run.missed"),
            "{found:?}"
        );
        there.close().await;
        here.close().await;
    }
}

async fn a_cluster_refuses() {
    let (one, two) = (Database::postgres_migrated().await, Database::postgres_migrated().await);
    one.open().await.commit(TENANT, places()).await.unwrap();
    begin(&one, &two).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_taken_back_and_made_again_and_the_provider_comes_home() {
    if on_cluster() {
        return a_cluster_refuses().await;
    }
    let (old, new, told) = two().await;
    let before = rows(&new, TENANT).await;
    for done in [1, 2, 3] {
        let mut moving = begin_again(&old, &new).await;
        steps(&mut moving, done).await.unwrap();
        moving.call_off().await.unwrap();
        moving.end().await.unwrap();
        assert_eq!(rows(&new, TENANT).await, before);
        let store = old.open().await;
        assert_eq!(read(&store, now()).await, told);
        store.begin_run(TENANT, TERM).await.unwrap().end().await.unwrap();
        store.close().await;
    }
    let mut moving = begin_again(&old, &new).await;
    steps(&mut moving, 5).await.unwrap();
    assert_eq!(moving.call_off().await.unwrap_err().code(), "store.moved");
    moving.end().await.unwrap();
    // And back again, to where it left a mark.
    let mut moving = begin_again(&new, &old).await;
    steps(&mut moving, 5).await.unwrap();
    moving.end().await.unwrap();
    let store = old.open().await;
    assert_eq!(read(&store, now()).await, told);
    store.commit(TENANT, more(1)).await.unwrap();
    assert_eq!(new.open().await.commit(TENANT, more(1)).await.unwrap_err().code(), "store.moved");
}

/// Two programs write while the provider moves, and a run goes on: each commit that was confirmed is on the new side, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_while_the_provider_moved_is_there_afterwards() {
    if on_cluster() {
        return a_cluster_refuses().await;
    }
    let (old, new, _) = two().await;
    let confirmed = Arc::new(AtomicU32::new(0));
    let mut writers = Vec::new();
    for writer in 0..2 {
        let (store, confirmed) = (old.open().await, Arc::clone(&confirmed));
        writers.push(tokio::spawn(async move {
            let run = if writer == 0 { Some(store.begin_run(TENANT, TERM).await.unwrap()) } else { None };
            for number in 0.. {
                match store.commit(TENANT, more(10_000 * (writer + 1) + number)).await {
                    Ok(_) => confirmed.fetch_add(1, Ordering::Relaxed),
                    Err(error) => {
                        drop(run);
                        return error;
                    }
                };
            }
            unreachable!()
        }));
    }
    while confirmed.load(Ordering::Relaxed) < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut moving = begin(&old, &new).await.unwrap();
    steps(&mut moving, 5).await.unwrap();
    moving.end().await.unwrap();
    for writer in writers {
        let stopped = writer.await.unwrap();
        assert!(["store.moving", "store.moved"].contains(&stopped.code()), "{stopped}");
    }
    let store = new.open().await;
    let sites = store.sites(TENANT).await.unwrap();
    let written = sites.iter().filter(|site| site.code.as_str().starts_with('M')).count();
    assert_eq!(written, confirmed.load(Ordering::Relaxed) as usize);
    let (_, breaks) = store.verify_audit(TENANT).await.unwrap();
    assert_eq!(breaks, []);
    store.begin_run(TENANT, TERM).await.unwrap().end().await.unwrap();
    assert_eq!(rows(&old, TENANT).await, 0);
    assert!(store.billing_position(TENANT).await.unwrap().is_some());
    assert!(!store.payments(TENANT, None, PageQuery::first(1_000)).await.unwrap().is_empty());
}

/// A copy that somebody changed is found before the old rows are removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_differs_is_found_before_the_old_rows_go() {
    if on_cluster() {
        return a_cluster_refuses().await;
    }
    let (old, new, told) = two().await;
    let mut moving = begin(&old, &new).await.unwrap();
    steps(&mut moving, 2).await.unwrap();
    for damage in [
        "UPDATE payments SET amount = amount + 1 WHERE payment_id = (SELECT payment_id FROM payments LIMIT 1)",
        "DELETE FROM access_events WHERE access_event_id = (SELECT access_event_id FROM access_events LIMIT 1)",
    ] {
        new.execute(damage).await;
        let found = moving.verify().await.unwrap_err();
        assert!(found.to_string().contains("differ"), "{found}");
        moving.copy(now()).await.unwrap();
        moving.verify().await.unwrap();
    }
    moving.leave_behind(now()).await.unwrap();
    moving.arrive().await.unwrap();
    moving.end().await.unwrap();
    assert_eq!(read(&new.open().await, now()).await, told);
}
