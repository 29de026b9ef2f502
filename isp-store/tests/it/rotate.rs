//! A change of keys: everything is sealed anew, by rows, and nobody seals with a key that goes away.

use crate::common::*;
use isp_core::customer::Nik;
use isp_core::ports::{ChangeSet, DirectoryStore, PageQuery, Store, StoreError};
use isp_core::testing::sample::TERM;
use isp_store::{SqlStore, Vault};

const OLD: &str = "7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e";
const NEW: &str = "1212121212121212121212121212121212121212121212121212121212121212";

fn ring(keys: &[&str]) -> Vault {
    Vault::from_text(&keys.join("\n")).unwrap()
}

#[tokio::test]
async fn everything_is_sealed_anew_and_the_old_key_is_needed_no_more() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.commit(TENANT, provider(700, day("2026-01-05"))).await.unwrap();
        let page = PageQuery::first(1_000);
        let before = store.customers(TENANT, page).await.unwrap();
        let old = store.key_uses().await.unwrap();
        assert_eq!((old.len(), old[0].place, old[0].unreadable), (1, Some(0), 0));
        assert!(old[0].values > 1_300, "{old:?}");

        let both = SqlStore::open(&database.url, ring(&[NEW, OLD])).await.unwrap();
        // A run could not read any more what it needs.
        let run = store.begin_run(TENANT, TERM).await.unwrap();
        assert_eq!(both.hold_runs().await.unwrap_err(), StoreError::Busy);
        run.end().await.unwrap();
        let held = both.hold_runs().await.unwrap();
        assert_eq!(store.hold_runs().await.unwrap_err(), StoreError::Busy, "one change of keys at a time");
        let done = both.reseal(&held).await.unwrap();
        assert_eq!((done.values, done.unreadable), (old[0].values, 0));
        assert_eq!(both.reseal(&held).await.unwrap().values, 0, "a second time there is nothing to do");

        // A process that knows only the old key seals nothing from now on, but books what needs no secret.
        let sealing = ChangeSet { customers: vec![the_customer(900)], ..ChangeSet::default() };
        assert_eq!(store.commit(TENANT, sealing.clone()).await.unwrap_err(), StoreError::KeyChanged);
        let sites = ChangeSet { sites: places().sites, ..ChangeSet::default() };
        store.commit(TENANT, sites).await.unwrap();
        store.close().await;
        both.close().await;

        assert_eq!(SqlStore::open(&database.url, ring(&[OLD])).await.unwrap_err(), StoreError::WrongKey);
        let new = SqlStore::open(&database.url, ring(&[NEW])).await.unwrap();
        assert_eq!(new.customers(TENANT, page).await.unwrap(), before);
        let nik = Nik::parse(&nik_of(3)).unwrap();
        assert_eq!(new.customers_by_nik(TENANT, &nik).await.unwrap(), [the_customer(3)]);
        new.commit(TENANT, sealing).await.unwrap();
        let uses = new.key_uses().await.unwrap();
        assert_eq!((uses.len(), uses[0].unreadable), (1, 0), "{uses:?}");
        new.close().await;
    }
}

#[tokio::test]
async fn who_writes_meanwhile_loses_nothing() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.commit(TENANT, provider(300, day("2026-01-05"))).await.unwrap();
        store.close().await;
        let both = std::sync::Arc::new(SqlStore::open(&database.url, ring(&[NEW, OLD])).await.unwrap());
        let writer = tokio::spawn({
            let both = std::sync::Arc::clone(&both);
            async move {
                for n in 0..60 {
                    let customers = vec![the_customer(n), the_customer(1_000 + n)];
                    both.commit(TENANT, ChangeSet { customers, ..ChangeSet::default() }).await.unwrap();
                }
            }
        });
        let held = both.hold_runs().await.unwrap();
        both.reseal(&held).await.unwrap();
        writer.await.unwrap();
        drop(held);
        both.close().await;
        let new = SqlStore::open(&database.url, ring(&[NEW])).await.unwrap();
        assert_eq!(new.customers(TENANT, PageQuery::first(1_000)).await.unwrap().len(), 360);
        let uses = new.key_uses().await.unwrap();
        assert_eq!((uses.len(), uses[0].unreadable), (1, 0), "{uses:?}");
        new.close().await;
    }
}

#[tokio::test]
async fn what_no_key_opens_is_counted_and_left() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.commit(TENANT, provider(10, day("2026-01-05"))).await.unwrap();
        store.close().await;
        let cut = "UPDATE customers SET nik_sealed = substr(nik_sealed, 1, 40) WHERE nik_sealed IS NOT NULL";
        database.execute(cut).await;
        let both = SqlStore::open(&database.url, ring(&[NEW, OLD])).await.unwrap();
        let done = both.reseal(&both.hold_runs().await.unwrap()).await.unwrap();
        let niks = (0..10).filter(|n| the_customer(*n).nik.is_some()).count() as u64;
        assert_eq!(done.unreadable, niks, "{done:?}");
        assert!(niks > 0 && done.values >= 11, "{done:?}");
        let uses = both.key_uses().await.unwrap();
        assert_eq!(uses.iter().map(|of| of.unreadable).collect::<Vec<_>>(), [0, niks], "{uses:?}");
        both.close().await;
    }
}
