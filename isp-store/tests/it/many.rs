//! A commit of more rows than are held at once: it is all or nothing, and comes to what it would with few.

use crate::common::*;
use isp_core::ports::{DirectoryStore as _, PageQuery, Store as _, StoreError};

const LINES: u32 = 6_000;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rows_with_one_key_the_later_counts_however_far_they_are_apart() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        let mut changes = provider(LINES, day("2026-01-05"));
        let again = isp_core::customer::Customer { name: name("Nama kemudian"), ..the_customer(0) };
        changes.customers.push(again.clone());
        store.commit(TENANT, changes).await.unwrap();
        let customers = store.customers(TENANT, PageQuery::first(LINES + 1)).await.unwrap();
        assert_eq!((customers.len(), &customers[0]), (LINES as usize, &again));
        assert_eq!(customers[1], the_customer(1));
        let lines = store.subscriptions(TENANT, None, PageQuery::first(LINES + 1)).await.unwrap();
        assert_eq!(lines.len(), LINES as usize);
        let (entries, breaks) = store.verify_audit(TENANT).await.unwrap();
        assert_eq!((entries, breaks), (1, Vec::new()));
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_last_row_breaks_leaves_nothing_of_the_first() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        // Both on one router, with every line that is looked at at once between them.
        for twin in ["user1@isp", "USER1@isp"] {
            let mut changes = provider(LINES, day("2026-01-05"));
            let last = changes.subscriptions.last_mut().unwrap();
            assert_eq!(last.router_id, the_subscription(1, day("2026-01-05")).router_id);
            last.account.username = isp_core::text::RouterName::parse("username", twin).unwrap();
            let refused = store.commit(TENANT, changes).await.unwrap_err();
            assert!(matches!(refused, StoreError::Duplicate { .. }), "{twin}: {refused}");
        }
        assert_eq!(store.customers(TENANT, PageQuery::first(1)).await.unwrap(), []);
        assert_eq!(store.verify_audit(TENANT).await.unwrap(), (0, Vec::new()));
        store.close().await;
    }
}
