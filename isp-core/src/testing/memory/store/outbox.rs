//! The outbox, and whose turn it is at a router.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ids::{CustomerId, OutboxId, RouterId, SubscriptionId, TenantId, WorkerId};
use crate::isolation::AccessEffect;
use crate::message::{DunningFacts, MessageFacts, Notification};
use crate::ports::{
    Claim, Claimed, DunningQuery, Lease, Observed, OutboxQuery, OutboxRow, OutboxState, OutboxStore, Outcome,
    PageQuery, Recorded, RouterHold, RouterRest, Settled, StoreError,
};

use super::super::outbox::row_matches;
use super::{MemoryStore, after};

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn load_dunning(
        &self,
        tenant: TenantId,
        query: DunningQuery,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<DunningFacts>, StoreError> {
        self.read(tenant, |s| s.dunning(query, page))
    }

    async fn routers_due(
        &self,
        tenant: TenantId,
        due: DateTime<Utc>,
        lease: Lease,
    ) -> Result<Vec<RouterId>, StoreError> {
        self.read(tenant, |s| s.routers_due(due, lease))
    }

    async fn rest_router(&self, tenant: TenantId, rest: &RouterRest, lease: Lease) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.rest_router(rest, lease))))
    }

    async fn router_rests(&self, tenant: TenantId) -> Result<Vec<RouterRest>, StoreError> {
        self.read(tenant, |s| s.rests.values().cloned().collect())
    }

    async fn end_rest(&self, tenant: TenantId, router: RouterId) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.rests.remove(&router));
            Ok(())
        })
    }

    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.claim(claim))))
    }

    async fn attempting(&self, tenant: TenantId, lease: Lease, rows: &[Claimed]) -> Result<Vec<OutboxId>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.attempting(lease, rows))))
    }

    async fn renew(&self, tenant: TenantId, lease: Lease) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.renew(lease));
            Ok(())
        })
    }

    async fn record(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[Outcome],
        observed: Observed<'_>,
    ) -> Result<Recorded, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.record(owner, outcomes, observed))))
    }

    async fn release(&self, tenant: TenantId, owner: WorkerId) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.release(owner));
            Ok(())
        })
    }

    async fn hold_router(
        &self,
        tenant: TenantId,
        router: RouterId,
        lease: Lease,
    ) -> Result<Option<RouterHold>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.hold_router(router, lease))))
    }

    async fn free_router(&self, tenant: TenantId, hold: RouterHold) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.free_router(hold));
            Ok(())
        })
    }

    async fn wish_again(
        &self,
        tenant: TenantId,
        wishes: &[AccessEffect],
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, StoreError> {
        self.write(tenant, |s| s.wish_again(wishes, now))
    }

    async fn settle(
        &self,
        tenant: TenantId,
        ids: &[OutboxId],
        states: &[OutboxState],
        settled: Settled,
    ) -> Result<Vec<OutboxId>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.settle(ids, states, &settled))))
    }

    async fn retry_templates(
        &self,
        tenant: TenantId,
        only: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.retry_templates(only, now))))
    }

    async fn outbox_row(&self, tenant: TenantId, id: OutboxId) -> Result<Option<OutboxRow>, StoreError> {
        self.read(tenant, |s| s.outbox.get(&id).map(|kept| s.told(&kept.row)))
    }

    async fn message_facts(&self, tenant: TenantId, message: &Notification) -> Result<MessageFacts, StoreError> {
        self.write(tenant, |s| s.message_facts(message))
    }

    async fn outbox(
        &self,
        tenant: TenantId,
        query: OutboxQuery,
        page: PageQuery<OutboxId>,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.read(tenant, |s| {
            s.outbox
                .range(after(page.after))
                .map(|(_, kept)| &kept.row)
                .filter(|row| row_matches(row, &query))
                .take(page.limit as usize)
                .map(|row| s.told(row))
                .collect()
        })
    }
}
