//! What is to be done outside: claims and their outcomes, and the facts of messages.

use async_trait::async_trait;

use super::{Claim, DunningQuery, OutboxQuery, OutboxRow, Outcome, PageQuery, StoreError};
use crate::ids::{CustomerId, OutboxId, SubscriptionId, TenantId};
use crate::isolation::access::ObservedAccess;
use crate::message::{DunningFacts, MessageFacts, Notification};

/// What is to be done outside: claims and their outcomes, and the facts of messages.
///
/// A role of [`super::Store`], whose contract holds here too.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// A page of customers to consider for reminders, in id order, each with all its open invoices and the keys of
    /// reminders that were already written for them.
    async fn load_dunning(
        &self,
        tenant: TenantId,
        query: DunningQuery,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<DunningFacts>, StoreError>;

    /// Takes rows that are due, and those whose claim ran out (`until` is not after `now`), in the order of
    /// `next_attempt`; they come back as [`OutboxState::Claimed`]. A message whose worker died while calling becomes
    /// [`super::OutboxState::Unknown`] and is not returned; a wish to a router is claimed again.
    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError>;

    /// Says that the other side is about to be called for these claimed rows; raises `attempts`. `Conflict`, and nothing
    /// changed, when one of them is not claimed.
    async fn attempting(&self, tenant: TenantId, ids: &[OutboxId]) -> Result<(), StoreError>;

    /// Records how attempts ended, and with them what routers said, all or nothing; `NotFound { what: "outbox" }` for an
    /// unknown row. `finished_at` is set by every state but `Pending`; a `provider_id` stays when an outcome has none. An
    /// observation replaces one of a lower revision, or one of the same revision that is not later; it raises no version.
    async fn record(
        &self,
        tenant: TenantId,
        outcomes: &[Outcome],
        observed: &[(SubscriptionId, ObservedAccess)],
    ) -> Result<(), StoreError>;

    /// Frees all claims as [`Store::begin_run`] does, for a worker that stops early.
    async fn release(&self, tenant: TenantId) -> Result<(), StoreError>;

    /// The facts that a message states, as they are now, its invoices in the order it names them. `NotFound { what:
    /// "customer" }` when the customer is unknown.
    async fn message_facts(&self, tenant: TenantId, message: &Notification) -> Result<MessageFacts, StoreError>;

    /// Rows of the outbox, in id order.
    async fn outbox(
        &self,
        tenant: TenantId,
        query: OutboxQuery,
        page: PageQuery<OutboxId>,
    ) -> Result<Vec<OutboxRow>, StoreError>;
}
