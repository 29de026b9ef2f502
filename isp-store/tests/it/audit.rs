//! The log of changes: what is in it, and that what is done to it is found.

use crate::common::*;
use isp_core::audit::Break;
use isp_core::calendar::Zone;
use isp_core::engine::{Approval, Engine};
use isp_core::policy::Policy;
use isp_core::ports::{AccessStore as _, ChangeSet, Store};
use isp_store::SqlStore;

/// A provider of which a month was lived.
async fn lived(database: &Database) -> SqlStore {
    let store = database.open().await.acting("Sari", "run");
    store.commit(TENANT, provider(30, day("2026-01-05"))).await.unwrap();
    let policy = Policy::default();
    let engine = Engine { page: 7, ..Engine::new(&store, TENANT, &policy) };
    for passed in 0..40 {
        let now = day("2026-01-05").plus_days(passed).at(10, 30, Zone::Wib);
        engine.bill(now).await.unwrap();
        engine.remind(now).await.unwrap();
        engine.enforce(now, &Approval::All).await.unwrap();
    }
    store
}

#[tokio::test]
async fn each_commit_has_an_entry_that_says_who_and_what() {
    for database in Database::both_migrated().await {
        let store = lived(&database).await;
        let (entries, breaks) = store.verify_audit(TENANT).await.unwrap();
        assert!(entries > 20 && breaks.is_empty(), "{entries} {breaks:?}");
        assert_eq!(store.audit_head(TENANT).await.unwrap().sequence, entries);
        let all = store.audit(TENANT, 0, 10_000).await.unwrap();
        assert!(all.iter().all(|link| link.entry.by == "Sari" && link.entry.command == "run"));
        let told: String = all.iter().map(|link| link.entry.changes.as_str()).collect();
        for what in ["\"invoice\"", "\"access_event\"", "\"subscription\"", "\"message\""] {
            assert!(told.contains(what), "{what}");
        }
        // Nothing of people, and no password.
        for n in 0..30 {
            let customer = the_customer(n);
            let phone = customer.phone.map(|phone| phone.to_string()).unwrap_or_default();
            let nik = customer.nik.as_ref().map(|nik| nik.reveal().to_owned()).unwrap_or_default();
            for personal in [customer.name.to_string(), phone, nik] {
                assert!(personal.is_empty() || !told.contains(&personal));
            }
        }
        // Each isolation is cited.
        let line = subscription(0);
        let events = store.access_events(TENANT, line).await.unwrap();
        assert!(!events.is_empty());
        for event in events {
            assert_eq!(store.audit_of(TENANT, event.id.0).await.unwrap().len(), 1);
        }
        // What is refused leaves no entry.
        let before = store.audit_head(TENANT).await.unwrap();
        let twice = ChangeSet {
            sites: places()
                .sites
                .into_iter()
                .map(|mut s| {
                    s.id.0 = id(77, 1);
                    s
                })
                .collect(),
            ..ChangeSet::default()
        };
        store.commit(TENANT, twice).await.unwrap_err();
        assert_eq!(store.audit_head(TENANT).await.unwrap(), before);
    }
}

#[tokio::test]
async fn what_is_done_to_the_log_is_found() {
    for database in Database::both_migrated().await {
        let store = lived(&database).await;
        let last = store.audit_head(TENANT).await.unwrap().sequence;
        let copy = "INSERT INTO audit_log (tenant_id, sequence, happened_at, acted_by, command, changes, hash)
            SELECT tenant_id, sequence + 1, happened_at, acted_by, command, changes, hash FROM audit_log WHERE sequence =";
        let restore = |column: &str| format!("UPDATE audit_log SET {column} = substr({column}, 2) WHERE sequence = 5");
        let changed = |column: &str| format!("UPDATE audit_log SET {column} = 'x' || {column} WHERE sequence = 5");
        for column in ["acted_by", "command", "changes"] {
            database.execute(&changed(column)).await;
            assert_eq!(store.verify_audit(TENANT).await.unwrap().1, [Break::Changed { sequence: 5 }], "{column}");
            database.execute(&restore(column)).await;
        }
        assert!(store.verify_audit(TENANT).await.unwrap().1.is_empty());
        database.execute(&format!("{copy} {last}")).await;
        assert!(store.verify_audit(TENANT).await.unwrap().1.contains(&Break::Added { sequence: last + 1 }));
        database.execute(&format!("DELETE FROM audit_log WHERE sequence = {}", last + 1)).await;
        database.execute("DELETE FROM audit_log WHERE sequence IN (3, 4)").await;
        assert_eq!(store.verify_audit(TENANT).await.unwrap().1, [Break::Missing { from: 3, to: 4 }]);
        database.execute(&format!("DELETE FROM audit_log WHERE sequence = {last}")).await;
        assert_eq!(
            store.verify_audit(TENANT).await.unwrap().1,
            [Break::Missing { from: 3, to: 4 }, Break::Missing { from: last, to: last }]
        );
        let found = store.examine(TENANT, chrono::Utc::now()).await.unwrap();
        assert!(found.iter().any(|of| of.kind == "audit.head"), "{found:?}");
    }
}

#[tokio::test]
async fn two_who_commit_at_once_make_one_chain() {
    for database in Database::both_migrated().await {
        let stores = [database.open().await, database.open().await, database.open().await];
        let work = stores.into_iter().enumerate().map(|(at, store)| {
            tokio::spawn(async move {
                for n in 0..10 {
                    let customers = vec![the_customer(u32::try_from(at).unwrap() * 100 + n)];
                    store.commit(TENANT, ChangeSet { customers, ..ChangeSet::default() }).await.unwrap();
                }
            })
        });
        for done in work.collect::<Vec<_>>() {
            done.await.unwrap();
        }
        assert_eq!(database.open().await.verify_audit(TENANT).await.unwrap(), (30, Vec::new()));
    }
}
