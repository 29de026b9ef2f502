//! What is to be done outside: claims and their outcomes, and the facts of messages.

use async_trait::async_trait;

use chrono::{DateTime, Utc};

use super::{
    Claim, Claimed, DunningQuery, Lease, Observed, OutboxQuery, OutboxRow, OutboxState, Outcome, PageQuery, Recorded,
    RouterHold, RouterRest, Settled, StoreError,
};
use crate::ids::{CustomerId, OutboxId, RouterId, SubscriptionId, TenantId, WorkerId};
use crate::isolation::AccessEffect;
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

    /// The routers that something is to be done at, in id order: those with a wish that can be claimed at `lease.now` and is due
    /// at `due`. A router that rests longer than `due` is only told when a wish became due after its rest began.
    async fn routers_due(
        &self,
        tenant: TenantId,
        due: DateTime<Utc>,
        lease: Lease,
    ) -> Result<Vec<RouterId>, StoreError>;

    /// Lets a router rest, in place of a rest that it has; how many wishes to it are due at `rest.since`. Their rows are not
    /// changed: they tell of the rest when they are read ([`RouterRest::tell`]). Wishes that were claimed and whose claim ran
    /// out (at `lease.now`) are pending again.
    async fn rest_router(&self, tenant: TenantId, rest: &RouterRest, lease: Lease) -> Result<u64, StoreError>;

    /// The routers that rest, or rested and have not answered since, in id order.
    async fn router_rests(&self, tenant: TenantId) -> Result<Vec<RouterRest>, StoreError>;

    /// Ends the rest of a router; nothing when it has none. What is wished of a router ends it as well: an effect of a
    /// change set, and [`OutboxStore::wish_again`]. So does a change set with the router, or with the machine that it is.
    async fn end_rest(&self, tenant: TenantId, router: RouterId) -> Result<(), StoreError>;

    /// Takes rows that are due, and those whose claim ran out (`until` is not after `lease.now`), in the order of
    /// `next_attempt`; they come back as [`OutboxState::Claimed`] with a fence that is higher by one. A message whose
    /// claim ran out while its worker was calling becomes [`super::OutboxState::Unknown`] and is not returned; a wish to a
    /// router is claimed again. A claim that did not run out is never touched, whoever holds it. It does not ask who rests.
    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError>;

    /// Says that the other side is about to be called for these rows; raises `attempts` and prolongs the claims to
    /// `lease.until`. Returns those for which it holds: the rows that are still claimed by this owner under this fence.
    /// The others were lost to another worker, are not changed, and must not be called for.
    async fn attempting(&self, tenant: TenantId, lease: Lease, rows: &[Claimed]) -> Result<Vec<OutboxId>, StoreError>;

    /// Prolongs everything that this owner holds, claims and routers, to `lease.until`.
    async fn renew(&self, tenant: TenantId, lease: Lease) -> Result<(), StoreError>;

    /// Records how attempts ended, and with them what a router said. Returns the rows whose outcome was refused, because
    /// the claim was lost: another worker claimed the row since, or a person settled it. Such an outcome changes
    /// nothing. A message that became unknown only because its claim ran out still belongs to the owner, who knows more.
    ///
    /// `finished_at` is set by every state but `Pending`; a `provider_id` stays when an outcome has none. An observation
    /// replaces one of a lower revision, or one of the same revision that is not later; it raises no version. With
    /// `observed.under`, observations count only while the router is held so; see [`Observed`].
    async fn record(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[Outcome],
        observed: Observed<'_>,
    ) -> Result<Recorded, StoreError>;

    /// Frees what this owner claimed, for a worker that stops early: a message that was being sent becomes
    /// [`super::OutboxState::Unknown`], everything else pending; its routers are free.
    async fn release(&self, tenant: TenantId, owner: WorkerId) -> Result<(), StoreError>;

    /// Takes the right to write to a router: `None` while another worker has it. Its own is prolonged.
    async fn hold_router(
        &self,
        tenant: TenantId,
        router: RouterId,
        lease: Lease,
    ) -> Result<Option<RouterHold>, StoreError>;

    /// Gives the right to write to a router back; nothing when it was lost.
    async fn free_router(&self, tenant: TenantId, hold: RouterHold) -> Result<(), StoreError>;

    /// Makes wishes to routers due at `now`: those that are not there are written, those that were finished are pending
    /// again, those that wait for a later moment wait no more. One that a worker has is left to it. Returns the lines whose
    /// wish was not there or was finished, in the order of `wishes`.
    async fn wish_again(
        &self,
        tenant: TenantId,
        wishes: &[AccessEffect],
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, StoreError>;

    /// Settles messages at the word of a person, all or none: those that are no message in one of `states` are returned, and then
    /// nothing is written. Whoever had claimed one can write no outcome any more.
    async fn settle(
        &self,
        tenant: TenantId,
        ids: &[OutboxId],
        states: &[OutboxState],
        settled: Settled,
    ) -> Result<Vec<OutboxId>, StoreError>;

    /// Makes messages that a template stopped due at `now`, those that failed for it as well; how many they were. Those of
    /// `only`, or of all templates. A name stands for all its languages: `tagihan` for `tagihan/id` and `tagihan/en`.
    async fn retry_templates(
        &self,
        tenant: TenantId,
        only: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError>;

    /// One row.
    async fn outbox_row(&self, tenant: TenantId, id: OutboxId) -> Result<Option<OutboxRow>, StoreError>;

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

    /// How many rows [`OutboxStore::outbox`] lists in all. A store that counts by itself is faster than this, which reads them.
    async fn outbox_count(&self, tenant: TenantId, query: OutboxQuery) -> Result<u64, StoreError> {
        Ok(self.outbox(tenant, query, PageQuery::first(u32::MAX)).await?.len() as u64)
    }
}
