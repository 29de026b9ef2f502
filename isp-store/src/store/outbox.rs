//! The outbox, and whose turn it is at a router.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::audit::Change;
use isp_core::ids::{CustomerId, OutboxId, RouterId, SubscriptionId, TenantId, WorkerId};
use isp_core::isolation::AccessEffect;
use isp_core::message::{DunningFacts, MessageFacts, Notification};
use isp_core::ports::{
    Claim, Claimed, DamagedRow, DunningQuery, Lease, Observed, OutboxQuery, OutboxRow, OutboxState, OutboxStore,
    Outcome, PageQuery, Recorded, RouterHold, RouterRest, Settled, StoreError,
};

use crate::{access, audit, dunning, outbox, router_hold, router_rest, wishes};

use super::SqlStore;

#[async_trait]
impl OutboxStore for SqlStore {
    async fn record(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[Outcome],
        observed: Observed<'_>,
    ) -> Result<Recorded, StoreError> {
        let mut session = self.writer(tenant).await?;
        let s = session.as_mut();
        let lost = outbox::record(s, tenant, owner, outcomes).await?;
        let doubted = match observed.under {
            Some(hold) if !router_hold::holds(s, tenant, hold).await? => Some(hold.router),
            _ => None,
        };
        match doubted {
            Some(router) => router_hold::doubt(s, tenant, router, observed.lines).await?,
            None => access::observe(s, tenant, observed.lines).await?,
        }
        session.commit().await?;
        Ok(Recorded { lost, doubted: doubted.is_some() })
    }

    async fn load_dunning(
        &self,
        tenant: TenantId,
        query: DunningQuery,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<DunningFacts>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        dunning::load(session.as_mut(), tenant, query, page).await
    }

    async fn routers_due(
        &self,
        tenant: TenantId,
        due: DateTime<Utc>,
        lease: Lease,
    ) -> Result<Vec<RouterId>, StoreError> {
        let mut session = self.writer(tenant).await?;
        self.bury_the_dead(session.as_mut(), tenant, lease).await?;
        let found = router_rest::due(session.as_mut(), tenant, due, lease).await?;
        session.commit().await?;
        Ok(found)
    }

    async fn rest_router(&self, tenant: TenantId, rest: &RouterRest, lease: Lease) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let waiting = router_rest::begin(session.as_mut(), tenant, rest, lease).await?;
        session.commit().await?;
        Ok(waiting)
    }

    async fn router_rests(&self, tenant: TenantId) -> Result<Vec<RouterRest>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        router_rest::rests(session.as_mut(), tenant).await
    }

    async fn end_rest(&self, tenant: TenantId, router: RouterId) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        router_rest::end(session.as_mut(), tenant, vec![router]).await?;
        session.commit().await
    }

    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        let mut session = self.writer(tenant).await?;
        self.bury_the_dead(session.as_mut(), tenant, claim.lease).await?;
        let done = outbox::claim(session.as_mut(), tenant, claim).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn attempting(&self, tenant: TenantId, lease: Lease, rows: &[Claimed]) -> Result<Vec<OutboxId>, StoreError> {
        let mut session = self.writer(tenant).await?;
        let ours = outbox::attempting(session.as_mut(), tenant, lease, rows).await?;
        session.commit().await?;
        Ok(ours)
    }

    async fn renew(&self, tenant: TenantId, lease: Lease) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        outbox::renew(session.as_mut(), tenant, lease).await?;
        session.commit().await
    }

    async fn release(&self, tenant: TenantId, owner: WorkerId) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        outbox::release(session.as_mut(), tenant, owner).await?;
        session.commit().await
    }

    async fn hold_router(
        &self,
        tenant: TenantId,
        router: RouterId,
        lease: Lease,
    ) -> Result<Option<RouterHold>, StoreError> {
        let mut session = self.writer(tenant).await?;
        self.bury_the_dead(session.as_mut(), tenant, lease).await?;
        let hold = router_hold::hold(session.as_mut(), tenant, router, lease).await?;
        session.commit().await?;
        Ok(hold)
    }

    async fn free_router(&self, tenant: TenantId, hold: RouterHold) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        router_hold::free(session.as_mut(), tenant, hold).await?;
        session.commit().await
    }

    async fn wish_again(
        &self,
        tenant: TenantId,
        wishes: &[AccessEffect],
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, StoreError> {
        let mut session = self.writer(tenant).await?;
        let anew = wishes::again(session.as_mut(), tenant, wishes, now).await?;
        session.commit().await?;
        Ok(anew)
    }

    async fn settle(
        &self,
        tenant: TenantId,
        ids: &[OutboxId],
        states: &[OutboxState],
        settled: Settled,
    ) -> Result<Vec<OutboxId>, StoreError> {
        let mut session = self.writer(tenant).await?;
        // Before the messages are written, as in each commit: so nobody waits crosswise.
        let head = audit::held(session.as_mut(), tenant).await?;
        let changes: Vec<Change> = ids.iter().map(|id| Change::of("message.settled", id.0)).collect();
        audit::append(session.as_mut(), tenant, head, &self.actor, &changes).await?;
        let mut refused = Vec::new();
        for id in ids {
            if !outbox::settle(session.as_mut(), tenant, *id, states, &settled).await? {
                refused.push(*id);
            }
        }
        // What is not committed is not written.
        if refused.is_empty() && !ids.is_empty() {
            session.commit().await?;
        }
        Ok(refused)
    }

    async fn retry_templates(
        &self,
        tenant: TenantId,
        only: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let head = audit::held(session.as_mut(), tenant).await?;
        let count = outbox::retry_templates(session.as_mut(), tenant, only, now).await?;
        if count > 0 {
            let change = Change::count("message.retried", count);
            audit::append(session.as_mut(), tenant, head, &self.actor, &[change]).await?;
            session.commit().await?;
        }
        Ok(count)
    }

    async fn outbox_row(&self, tenant: TenantId, id: OutboxId) -> Result<Option<OutboxRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        outbox::by_id(session.as_mut(), tenant, id).await
    }

    async fn message_facts(&self, tenant: TenantId, message: &Notification) -> Result<MessageFacts, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let read = dunning::message_facts(session.as_mut(), &self.vault, tenant, message).await;
        // The message waits, and others go on. So the row is named like one that a list left out.
        if let Err(StoreError::Corrupt { what, reason }) = &read {
            let of_row = reason.split_once(": ").and_then(|(id, reason)| Some((id.parse().ok()?, reason)));
            let (what, id, reason) = match of_row {
                Some((id, reason)) => (*what, id, reason),
                None => ("outbox row", message.id.0, reason.as_str()),
            };
            session.park(DamagedRow { what, id, reason: reason.to_owned() });
        }
        read
    }

    async fn outbox_count(&self, tenant: TenantId, query: OutboxQuery) -> Result<u64, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        outbox::count(session.as_mut(), tenant, query).await
    }

    async fn outbox(
        &self,
        tenant: TenantId,
        query: OutboxQuery,
        page: PageQuery<OutboxId>,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        outbox::page(session.as_mut(), tenant, query, page).await
    }
}
