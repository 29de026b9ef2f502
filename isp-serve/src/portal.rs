//! Whose line an address is.

use std::net::IpAddr;

use async_trait::async_trait;
use isp_core::ids::SubscriptionId;

/// Says whose line an address is at this moment.
#[async_trait]
pub trait Lines: Send + Sync {
    /// The line that has this address now; `None` when nobody can say so for certain.
    async fn line_at(&self, address: IpAddr) -> Option<SubscriptionId>;
}
