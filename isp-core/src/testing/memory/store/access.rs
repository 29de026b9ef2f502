//! Whether lines should be open.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::ids::{CustomerId, ProofId, RouterId, SubscriptionId, TenantId};
use crate::isolation::{AccessEvent, AccessFacts, AccessTarget};
use crate::money::Money;
use crate::ports::{AccessQuery, AccessStore, PageQuery, StoreError};
use crate::protection::{Exemption, Outage, Promise, Proof, ProofContent};
use crate::subscription::Account;
use crate::terms::account::FormerAccount;

use super::super::state::State;
use super::MemoryStore;

#[async_trait]
impl AccessStore for MemoryStore {
    async fn load_access(
        &self,
        tenant: TenantId,
        query: &AccessQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        self.read(tenant, |s| s.load_access(query, page))
    }

    async fn access_at(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
        at: DateTime<Utc>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        self.read(tenant, |s| s.access_at(customers, at))
    }

    async fn subscribers_per_router(&self, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError> {
        self.read(tenant, State::subscribers_per_router)
    }

    async fn access_targets(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        self.read(tenant, |s| subscriptions.iter().filter_map(|id| s.target(*id)).collect())
    }

    async fn router_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessTarget>, StoreError> {
        self.read(tenant, |s| s.router_targets(router, page))
    }

    async fn former_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        self.read(tenant, |s| s.former_targets(router, subscriptions))
    }

    async fn former_accounts(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<FormerAccount>, StoreError> {
        self.read(tenant, |s| s.former_accounts_of(customer))
    }

    async fn account_closed(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscription: SubscriptionId,
        account: &Account,
        _at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = (router, subscription, account.service, account.username.clone());
        self.write(tenant, |s| {
            s.at_once(|s| {
                let erased = s.subscriptions.get(&subscription).is_some_and(|line| s.erased.has(&line.customer_id));
                match s.former_accounts.get(&key).cloned() {
                    Some(_) if erased => s.former_accounts.remove(&key),
                    Some((former, _)) => s.former_accounts.put(key, (former, true)),
                    None => {}
                }
            });
            Ok(())
        })
    }

    async fn protections(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<(Vec<Promise>, Vec<Exemption>), StoreError> {
        self.read(tenant, |s| match customer {
            Some(id) => (s.promises_of(id).collect(), s.exemptions_of(id).collect()),
            None => {
                let mut promises: Vec<Promise> = s.promises.values().map(|p| s.told_promise(p)).collect();
                let mut exemptions: Vec<Exemption> = s.exemptions.values().map(|e| s.told_exemption(e)).collect();
                promises.sort_by_key(|p| p.id);
                exemptions.sort_by_key(|e| e.id);
                (promises, exemptions)
            }
        })
    }

    async fn proofs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Proof>, StoreError> {
        self.read(tenant, |s| match customer {
            Some(id) => s.proofs_of(id).collect(),
            None => {
                let mut proofs: Vec<Proof> = s.proofs.values().map(|p| s.told_proof(p)).collect();
                proofs.sort_by_key(|p| p.id);
                proofs
            }
        })
    }

    async fn proof(&self, tenant: TenantId, id: ProofId) -> Result<Option<Proof>, StoreError> {
        self.read(tenant, |s| s.proofs.values().find(|p| p.id == id).map(|p| s.told_proof(p)))
    }

    async fn waiting_proofs(&self, tenant: TenantId) -> Result<(u64, Money), StoreError> {
        self.read(tenant, |s| {
            let proofs = s.proofs.values().map(|p| s.told_proof(p));
            proofs.filter(Proof::waits).fold((0, Money::ZERO), |(count, sum), p| (count + 1, sum + p.amount))
        })
    }

    async fn proof_content(&self, tenant: TenantId, proof: ProofId) -> Result<Option<ProofContent>, StoreError> {
        self.read(tenant, |s| s.proof_contents.get(&proof).cloned())
    }

    async fn forget_proof_files(
        &self,
        tenant: TenantId,
        reviewed_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.forget_proof_files(reviewed_before, limit))))
    }

    async fn outages(&self, tenant: TenantId) -> Result<Vec<Outage>, StoreError> {
        self.read(tenant, |s| s.outages.values().map(|o| s.told_outage(o)).collect())
    }

    async fn access_events_of(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessEvent>, StoreError> {
        self.read(tenant, |s| {
            let mut ids = subscriptions.to_vec();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().flat_map(|id| s.access_events(id)).cloned().collect()
        })
    }

    async fn access_events(
        &self,
        tenant: TenantId,
        subscription: SubscriptionId,
    ) -> Result<Vec<AccessEvent>, StoreError> {
        self.read(tenant, |s| s.access_events(subscription).cloned().collect())
    }
}
