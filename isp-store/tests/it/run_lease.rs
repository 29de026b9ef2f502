//! The right to run: kept alive by the living, taken over from the rest, and missed by whoever lost it.

use std::time::Duration;

use crate::common::*;
use chrono::{TimeDelta, Utc};
use isp_core::ports::{ChangeSet, DirectoryStore, Store, StoreError};

/// A term that is over soon.
const SHORT: TimeDelta = TimeDelta::milliseconds(600);

/// Lets the lease run out, as when its holder stands still.
async fn run_out(database: &Database) {
    let epoch = if database.url.starts_with("sqlite") { "0" } else { "'epoch'" };
    database.execute(&format!("UPDATE run_leases SET held_until = {epoch}")).await;
}

#[tokio::test]
async fn the_living_keep_it_for_longer_than_its_term() {
    for database in Database::both_migrated().await {
        let (a, b) = (database.open().await, database.open().await);
        let guard = a.begin_run(TENANT, SHORT).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        assert_eq!(b.begin_run(TENANT, SHORT).await.unwrap_err(), StoreError::Busy);
        guard.end().await.unwrap();
        b.begin_run(TENANT, SHORT).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_lost_it_writes_nothing_and_takes_nothing_back() {
    for database in Database::both_migrated().await {
        let (a, b, c) = (database.open().await, database.open().await, database.open().await);
        let lost = a.begin_run(TENANT, TimeDelta::hours(1)).await.unwrap();
        run_out(&database).await;
        // Nobody took it: it is still the holder's.
        a.commit(TENANT, places()).await.unwrap();
        let taken = b.begin_run(TENANT, TimeDelta::hours(1)).await.unwrap();
        let more = ChangeSet { customers: vec![the_customer(1)], ..ChangeSet::default() };
        assert_eq!(a.commit(TENANT, more.clone()).await.unwrap_err(), StoreError::RunLost);
        assert_eq!(b.customer(TENANT, the_customer(1).id).await.unwrap(), None);
        // What is no run is not held up, and giving up what was lost takes nothing from who has it.
        c.commit(TENANT, more.clone()).await.unwrap();
        lost.end().await.unwrap();
        assert_eq!(c.begin_run(TENANT, SHORT).await.unwrap_err(), StoreError::Busy);
        b.commit(TENANT, more.clone()).await.unwrap();
        a.commit(TENANT, more).await.unwrap();
        taken.end().await.unwrap();
        c.begin_run(TENANT, SHORT).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_of_keys_that_stood_still_stops_when_a_run_has_begun() {
    for database in Database::both_migrated().await {
        let (a, b) = (database.open().await, database.open().await);
        a.commit(TENANT, provider(20, day("2026-01-05"))).await.unwrap();
        let held = a.hold_runs().await.unwrap();
        run_out(&database).await;
        let _run = b.begin_run(TENANT, TimeDelta::hours(1)).await.unwrap();
        assert_eq!(a.reseal(&held).await.unwrap_err(), StoreError::RunLost);
    }
}

#[tokio::test]
async fn the_clock_is_that_of_the_database() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        let before = Utc::now() - TimeDelta::seconds(1);
        let said = store.clock().await.unwrap();
        assert!(said > before && said < Utc::now() + TimeDelta::seconds(1), "{said}");
    }
}
