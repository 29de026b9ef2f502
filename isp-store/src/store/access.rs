//! Whether lines should be open.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::calendar::{Date, Zone};
use isp_core::ids::{CustomerId, ProofId, RouterId, SubscriptionId, TenantId};
use isp_core::isolation::{AccessEvent, AccessFacts, AccessTarget, OverdueLines};
use isp_core::money::Money;
use isp_core::ports::{AccessQuery, AccessStore, PageQuery, StoreError};
use isp_core::protection::{Exemption, Outage, Promise, Proof, ProofContent};
use isp_core::subscription::Account;
use isp_core::terms::account::FormerAccount;

use crate::{access, former, proof, protection};

use super::SqlStore;

#[async_trait]
impl AccessStore for SqlStore {
    async fn load_access(
        &self,
        tenant: TenantId,
        query: &AccessQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        access::load(session.as_mut(), tenant, query, page).await
    }

    async fn access_at(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
        at: DateTime<Utc>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        access::at(session.as_mut(), tenant, customers, at).await
    }

    async fn overdue_lines(
        &self,
        tenant: TenantId,
        days: [Date; Zone::ALL.len()],
    ) -> Result<Vec<OverdueLines>, StoreError> {
        let counted = {
            let mut session = self.engine.read(tenant).await?;
            access::overdue_lines(session.as_mut(), tenant, days).await
        };
        match counted {
            // One of them cannot be read: row by row the others can, and it is named.
            Err(StoreError::Corrupt { .. }) => {
                let last = days.into_iter().max().unwrap_or(Date::MAX);
                let query = AccessQuery::Due { due_until: last, today: last };
                let lines = self.load_access(tenant, &query, PageQuery::first(u32::MAX)).await?;
                Ok(lines.iter().filter_map(|line| OverdueLines::of(line, &days)).collect())
            }
            other => other,
        }
    }

    async fn subscribers_per_router(&self, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        access::per_router(session.as_mut(), tenant).await
    }

    async fn access_targets(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        access::targets(session.as_mut(), &self.vault, tenant, subscriptions).await
    }

    async fn router_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessTarget>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        access::router_targets(session.as_mut(), &self.vault, tenant, router, page).await
    }

    async fn former_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        former::targets(session.as_mut(), &self.vault, tenant, router, subscriptions).await
    }

    async fn former_accounts(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<FormerAccount>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        former::of(session.as_mut(), tenant, customer).await
    }

    async fn account_closed(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscription: SubscriptionId,
        account: &Account,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut session = self.engine.write(tenant).await?;
        former::closed(session.as_mut(), tenant, router, subscription, account, at).await?;
        session.commit().await
    }

    async fn protections(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<(Vec<Promise>, Vec<Exemption>), StoreError> {
        let mut session = self.engine.read(tenant).await?;
        protection::of(session.as_mut(), tenant, customer).await
    }

    async fn proofs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Proof>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        proof::of(session.as_mut(), tenant, customer).await
    }

    async fn proof(&self, tenant: TenantId, id: ProofId) -> Result<Option<Proof>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        proof::one(session.as_mut(), tenant, id).await
    }

    async fn waiting_proofs(&self, tenant: TenantId) -> Result<(u64, Money), StoreError> {
        let mut session = self.engine.read(tenant).await?;
        proof::waiting(session.as_mut(), tenant, None).await
    }

    async fn proof_content(&self, tenant: TenantId, proof: ProofId) -> Result<Option<ProofContent>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        proof::content(session.as_mut(), &self.vault, tenant, proof).await
    }

    async fn forget_proof_files(
        &self,
        tenant: TenantId,
        reviewed_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut session = self.writer(tenant).await?;
        let gone = proof::forget_files(session.as_mut(), tenant, reviewed_before, limit).await?;
        session.commit().await?;
        Ok(gone)
    }

    async fn outages(&self, tenant: TenantId) -> Result<Vec<Outage>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        protection::all_outages(session.as_mut(), tenant).await
    }

    async fn access_events_of(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessEvent>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        access::events_of(session.as_mut(), tenant, subscriptions.iter().map(|id| id.0).collect()).await
    }

    async fn access_events(
        &self,
        tenant: TenantId,
        subscription: SubscriptionId,
    ) -> Result<Vec<AccessEvent>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        access::events(session.as_mut(), tenant, subscription).await
    }
}
