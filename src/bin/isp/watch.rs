//! The clock on the wall, by which claims are renewed and run out.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::ports::Watch;

/// The clock on the wall.
pub(crate) struct WallWatch;

#[async_trait]
impl Watch for WallWatch {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn pause(&self, time: TimeDelta) {
        tokio::time::sleep(time.to_std().unwrap_or_default()).await;
    }
}
