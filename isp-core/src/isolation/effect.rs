//! The wish to bring a line's account on its router to a revision of the wanted access.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OutboxId, RouterId, SubscriptionId};

/// A wish to bring one subscription's account to a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEffect {
    /// Whose account.
    pub subscription_id: SubscriptionId,
    /// On which router.
    pub router_id: RouterId,
    /// The revision of its [`crate::isolation::ServiceAccess`].
    pub revision: u64,
    /// Not before this moment.
    pub not_before: DateTime<Utc>,
}

/// The id of the outbox row for an access effect: the same wish is the same row.
#[must_use]
pub fn effect_id(subscription: SubscriptionId, router: RouterId, revision: u64) -> OutboxId {
    OutboxId(crate::ids::derive(subscription.0, &["effect", &router.to_string(), &revision.to_string()]))
}
