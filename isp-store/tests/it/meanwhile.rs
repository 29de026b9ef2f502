//! A page of lines is read, and before its invoices are written another process changes a line or a price. What is invoiced are the
//! terms of the moment of writing.

use crate::common::*;
use isp_core::calendar::{BillingDay, Zone};
use isp_core::engine::Engine;
use isp_core::package::{Package, PriceList};
use isp_core::policy::Policy;
use isp_core::ports::{BillableQuery, BillingStore as _, ChangeSet, Expectation, PageQuery, Store, StoreError};
use isp_core::subscription::HeldPrice;
use isp_core::testing::MemoryStore;
use isp_core::{Date, Money};
use std::sync::Arc;

const LINES: u32 = 8;

/// Lines of one package, which are all billed on the first.
fn lines() -> ChangeSet {
    let mut changes = provider(LINES, day("2026-01-01"));
    changes.installation_orders.clear();
    for line in &mut changes.subscriptions {
        line.terms.day = BillingDay::try_new(1).unwrap();
        line.terms.package_id = package(0);
    }
    changes
}

fn dearer() -> Package {
    Package { prices: PriceList::single(rupiah(500_000)).unwrap(), ..places().packages[0].clone() }
}

/// Bills in pages of two lines, of which the next one is always read before the last one is done with. After the first page somebody
/// else changes a line of the second, after the third the price of the package.
async fn bills_what_holds_now(store: &dyn Store, other: &(dyn Fn(ChangeSet) + Sync)) {
    store.commit(TENANT, lines()).await.unwrap();
    let policy = Policy::default();
    let engine = Engine { page: 1, ..Engine::new(store, TENANT, &policy) };
    let mut terms = lines().subscriptions[3].terms;
    terms.held_price = Some(HeldPrice { price: rupiah(77_000), until: None });
    let mut meanwhile: Vec<Option<ChangeSet>> = vec![
        Some(ChangeSet { terms: vec![(subscription(3), terms)], ..ChangeSet::default() }),
        None,
        Some(ChangeSet { packages: vec![dearer()], ..ChangeSet::default() }),
    ];
    let mut pages = Vec::new();
    let report = engine
        .bill_with_progress(day("2026-01-01").at(12, 0, Zone::Wit), &mut |seen| {
            if let Some(changes) = meanwhile.get_mut(pages.len()).and_then(Option::take) {
                other(changes);
            }
            pages.push(seen);
        })
        .await
        .unwrap();
    assert_eq!((pages.as_slice(), report.invoices, report.known), ([2, 4, 6, 8, 8].as_slice(), 8, 0));
    assert_eq!(report.problems, []);
    let mut invoices = store.invoices(TENANT, Default::default(), PageQuery::first(50)).await.unwrap();
    invoices.sort_by_key(|(invoice, _)| invoice.subscription_id);
    let asked: Vec<Money> = invoices.iter().map(|(invoice, _)| invoice.dpp).collect();
    let expected = [150, 150, 150, 77, 150, 150, 500, 500].map(|thousands| rupiah(thousands * 1_000));
    assert_eq!(asked, expected);
    assert_eq!(report.amount, invoices.iter().map(|(invoice, _)| invoice.total).sum());
}

/// Does something on a thread with a runtime of its own, and waits for it.
fn elsewhere(work: impl Future<Output = ()> + Send) {
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime.block_on(work)).join().unwrap();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_somebody_changes_after_it_was_read_is_read_again() {
    let memory = MemoryStore::new();
    bills_what_holds_now(&memory, &|changes| {
        elsewhere(async { assert!(memory.commit(TENANT, changes).await.is_ok()) });
    })
    .await;
    for database in Database::both_migrated().await {
        let store = database.open().await;
        bills_what_holds_now(&store, &|changes| {
            elsewhere(async {
                let other = database.open().await;
                other.commit(TENANT, changes).await.unwrap();
                other.close().await;
            });
        })
        .await;
        assert_eq!(store.verify_audit(TENANT).await.unwrap().1, []);
        store.close().await;
    }
}

/// What others commit is told apart by the log of changes; and a log that tells nothing of them is not trusted.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_commits_counts_when_it_is_about_lines() {
    for database in Database::both_migrated().await {
        let (store, other) = (database.open().await, database.open().await);
        store.commit(TENANT, lines()).await.unwrap();
        let query = BillableQuery { days: u32::MAX, ends_from: Date::MAX };
        let read = async || store.load_billable(TENANT, query, PageQuery::first(50)).await.unwrap();
        let position = |at: &str| ChangeSet { billing_position: Some(day(at)), ..ChangeSet::default() };
        let rests_on = |lines: &Arc<Vec<_>>, at: &str| ChangeSet {
            expected: vec![Expectation::Lines(Arc::clone(lines))],
            ..position(at)
        };
        let page = read().await;
        for at in ["2026-01-02", "2026-01-03"] {
            other.commit(TENANT, position(at)).await.unwrap();
        }
        store.commit(TENANT, rests_on(&page, "2026-01-04")).await.unwrap();
        let mut terms = page[1].terms;
        terms.held_price = Some(HeldPrice { price: rupiah(77_000), until: None });
        other
            .commit(TENANT, ChangeSet { terms: vec![(subscription(1), terms)], ..ChangeSet::default() })
            .await
            .unwrap();
        other.commit(TENANT, position("2026-01-05")).await.unwrap();
        let refused = store.commit(TENANT, rests_on(&page, "2026-01-06")).await;
        assert_eq!(refused, Err(StoreError::Conflict));
        let page = read().await;
        store.commit(TENANT, rests_on(&page, "2026-01-06")).await.unwrap();
        assert_eq!(store.billing_position(TENANT).await, Ok(Some(day("2026-01-06"))));
        for store in [store, other] {
            store.close().await;
        }
    }
}
