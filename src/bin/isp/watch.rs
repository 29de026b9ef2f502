//! The watch of this process as one of the workers: it shows the time of the database, by which claims run out.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::ports::{StoreError, Watch};
use isp_store::SqlStore;

/// Shows what the database's clock said when it was last asked, and the time that passed since. The clock on this machine's wall
/// may be wrong, or be set meanwhile.
pub(crate) struct StoreWatch(Mutex<(DateTime<Utc>, Instant)>);

impl StoreWatch {
    /// As the database's clock says.
    pub(crate) async fn by(store: &SqlStore) -> Result<Self, StoreError> {
        Ok(Self(Mutex::new((store.clock().await?, Instant::now()))))
    }

    /// Asks again.
    pub(crate) async fn set(&self, store: &SqlStore) -> Result<(), StoreError> {
        let shown = (store.clock().await?, Instant::now());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = shown;
        Ok(())
    }
}

#[async_trait]
impl Watch for StoreWatch {
    fn now(&self) -> DateTime<Utc> {
        let (said, at) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said + TimeDelta::from_std(at.elapsed()).unwrap_or_default()
    }

    async fn pause(&self, time: TimeDelta) {
        tokio::time::sleep(time.to_std().unwrap_or_default()).await;
    }
}
