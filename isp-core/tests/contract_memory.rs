//! The store in memory keeps the contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use isp_core::testing::MemoryStore;

async fn store() -> MemoryStore {
    MemoryStore::new()
}

isp_core::store_contract!(store);

#[tokio::test]
async fn all_cases_share_one_store() {
    isp_core::testing::contract::store::run_all(&MemoryStore::new()).await;
}

#[tokio::test]
async fn the_inbox_keeps_its_contract() {
    isp_core::testing::contract::inbox::run_all(&MemoryStore::new(), 900).await;
}
