//! Whether lines should be open: the facts of the decision, what happened, what routers need to know.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{AccessQuery, PageQuery, StoreError};
use crate::calendar::{Date, Zone};
use crate::ids::{CustomerId, ProofId, RouterId, SubscriptionId, TenantId};
use crate::isolation::{AccessEvent, AccessFacts, AccessTarget, OverdueLines};
use crate::money::Money;
use crate::protection::{Exemption, Outage, Promise, Proof, ProofContent};
use crate::subscription::Account;
use crate::terms::account::FormerAccount;

/// Whether lines should be open: the facts of the decision, what happened, what routers need to know.
///
/// A role of [`super::Store`], whose contract holds here too.
#[async_trait]
pub trait AccessStore: Send + Sync {
    /// A page of subscriptions to decide on, in id order, each once, with all promises, exemptions and proofs of
    /// transfer of the customer and all outages of the site, in id order.
    async fn load_access(
        &self,
        tenant: TenantId,
        query: &AccessQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessFacts>, StoreError>;

    /// The facts about all subscriptions of these customers as they were at a past moment, in id order of the subscriptions:
    /// invoices issued and allocations made by then, terms as they are now. Promises, exemptions, proofs and outages count
    /// once they have begun, and their endings are told whenever they were said. A customer who is named twice is told once.
    /// The list is as long as a page: who asks for many asks page by page.
    /// Access is rebuilt from its events up to and including the moment, and nothing is observed in it; an isolation that
    /// was reopened with something still overdue keeps its beginning, as in [`crate::isolation::transition`].
    async fn access_at(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
        at: DateTime<Utc>,
    ) -> Result<Vec<AccessFacts>, StoreError>;

    /// The lines that are wanted open and have an open invoice that was due before the day of their zone, counted by what a decision
    /// reads of them, in no particular order: those alone ([`OverdueLines::alone`]) whose customer has credit, a proof of transfer, or
    /// a promise or an exemption that lasts until the first of these days or longer. A store with an own way to count them is faster
    /// than this, which looks at each.
    async fn overdue_lines(
        &self,
        tenant: TenantId,
        days: [Date; Zone::ALL.len()],
    ) -> Result<Vec<OverdueLines>, StoreError> {
        let last = days.into_iter().max().unwrap_or(Date::MAX);
        let query = AccessQuery::Due { due_until: last, today: last };
        let lines = self.load_access(tenant, &query, PageQuery::first(u32::MAX)).await?;
        Ok(lines.iter().filter_map(|line| OverdueLines::of(line, &days)).collect())
    }

    /// How many subscriptions each router serves (desired access other than closed); a router that serves none is left
    /// out.
    async fn subscribers_per_router(&self, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError>;

    /// What routers need to know of these subscriptions, in the order asked; unknown ones and those without a router are
    /// left out. The group is that of the package in the terms as they are, whatever change is to come; `adopt` is false.
    /// Of several that have one user name or one address on a router, one after the other, only the one that holds the account is told:
    /// the last to start of those whose access is not closed, else of all. `succeeds` names the others, and lines that
    /// had the name before they were renamed.
    async fn access_targets(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError>;

    /// All subscriptions that hold an account on a router, in id order.
    async fn router_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessTarget>, StoreError>;

    /// The accounts that these subscriptions have left on a router, as targets that are to be closed, in the order of
    /// subscriptions, then of user names; without those that are closed, and those whose name a line without an end has there
    /// now for the same service. The account has the subscription's password, the group is that of its package. Those of a customer
    /// whose data was erased are to be forgotten.
    async fn former_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError>;

    /// Every account that the lines of a customer have left on routers, closed or not, in the order of subscriptions, routers,
    /// user names and services.
    async fn former_accounts(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<FormerAccount>, StoreError>;

    /// Keeps that a router said that an account which a subscription has left is closed: it is no target any more. One that
    /// is not known changes nothing. One of a customer whose data was erased is not kept any longer.
    async fn account_closed(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscription: SubscriptionId,
        account: &Account,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// All promises and exemptions, of one customer or of all, in id order.
    async fn protections(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<(Vec<Promise>, Vec<Exemption>), StoreError>;

    /// All proofs of transfer, of one customer or of all, in id order, each with its review.
    async fn proofs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Proof>, StoreError>;

    /// The proof with an id, with its review; `None` for one that is not known.
    async fn proof(&self, tenant: TenantId, id: ProofId) -> Result<Option<Proof>, StoreError>;

    /// How many proofs wait for review, and over how much.
    async fn waiting_proofs(&self, tenant: TenantId) -> Result<(u64, Money), StoreError>;

    /// The file of a proof; `None` for one that is not known.
    async fn proof_content(&self, tenant: TenantId, proof: ProofId) -> Result<Option<ProofContent>, StoreError>;

    /// Forgets the files of proofs that were reviewed before a moment, at most so many; the proofs stay. How many.
    async fn forget_proof_files(
        &self,
        tenant: TenantId,
        reviewed_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// All recorded outages.
    async fn outages(&self, tenant: TenantId) -> Result<Vec<Outage>, StoreError>;

    /// What happened to the access of these subscriptions, in the order of revisions.
    async fn access_events_of(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessEvent>, StoreError>;

    /// What happened to a subscription's access, in the order of revisions.
    async fn access_events(
        &self,
        tenant: TenantId,
        subscription: SubscriptionId,
    ) -> Result<Vec<AccessEvent>, StoreError>;
}
