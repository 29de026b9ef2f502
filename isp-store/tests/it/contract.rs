//! The contract of the port, on both engines.

use crate::common::{Database, vault};
use isp_core::ports::Store;
use isp_core::testing::contract::store::{Fixture, run_all};
use isp_store::SqlStore;

/// A store with its database.
struct Own {
    store: SqlStore,
    _database: Database,
}

impl Fixture for Own {
    fn store(&self) -> &dyn Store {
        &self.store
    }
}

mod sqlite {
    use super::*;

    async fn fresh() -> Own {
        let database = Database::sqlite_migrated().await;
        Own { store: database.open().await, _database: database }
    }

    isp_core::store_contract!(fresh);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_contract_with_all_cases_in_one_file() {
    let database = Database::sqlite_migrated().await;
    run_all(isp_store::open(&database.url, vault()).await.unwrap().as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_the_contract() {
    let database = Database::postgres_migrated().await;
    run_all(isp_store::open(&database.url, vault()).await.unwrap().as_ref()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_keeps_its_contract() {
    for database in Database::both_migrated().await {
        isp_core::testing::contract::inbox::run_all(&database.open().await, 900).await;
    }
}
