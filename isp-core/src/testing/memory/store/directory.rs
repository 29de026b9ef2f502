//! Who and what there is: customers, packages, lines, devices.

use async_trait::async_trait;

use crate::customer::Customer;
use crate::device::{Cpe, DeviceHistory};
use crate::ids::{CustomerId, SubscriptionId, TenantId};
use crate::installation::InstallationKind;
use crate::isolation::ServiceAccess;
use crate::package::Package;
use crate::place::{KnownMachine, Router, Site};
use crate::ports::{DirectoryStore, InstallationRow, PageQuery, StoreError};
use crate::privacy::Erased;
use crate::subscription::Subscription;
use crate::terms::FormerTerms;
use crate::text::Code;

use super::{MemoryStore, after, all};

#[async_trait]
impl DirectoryStore for MemoryStore {
    async fn sites(&self, tenant: TenantId) -> Result<Vec<Site>, StoreError> {
        self.read(tenant, |s| all(&s.sites))
    }

    async fn routers(&self, tenant: TenantId) -> Result<Vec<Router>, StoreError> {
        self.read(tenant, |s| all(&s.routers))
    }

    async fn machines(&self, tenant: TenantId) -> Result<Vec<KnownMachine>, StoreError> {
        self.read(tenant, |s| all(&s.machines))
    }

    async fn packages(&self, tenant: TenantId) -> Result<Vec<Package>, StoreError> {
        self.read(tenant, |s| all(&s.packages))
    }

    async fn installation_kinds(&self, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError> {
        self.read(tenant, |s| all(&s.installation_kinds))
    }

    async fn customer(&self, tenant: TenantId, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.read(tenant, |s| s.customers.get(&id).cloned())
    }

    async fn customer_by_code(&self, tenant: TenantId, code: &Code) -> Result<Option<Customer>, StoreError> {
        self.read(tenant, |s| {
            let id = s.keys.get(&("customer.code", code.folded()))?;
            s.customers.get(&CustomerId(*id)).cloned()
        })
    }

    async fn customers_alike(&self, tenant: TenantId, code: &Code) -> Result<Vec<Customer>, StoreError> {
        Ok(self.customer_by_code(tenant, code).await?.into_iter().collect())
    }

    async fn customer_codes(
        &self,
        tenant: TenantId,
        ids: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Code)>, StoreError> {
        self.read(tenant, |s| {
            s.customers.values().filter(|c| ids.contains(&c.id)).map(|c| (c.id, c.code.clone())).collect()
        })
    }

    async fn customers(&self, tenant: TenantId, page: PageQuery<CustomerId>) -> Result<Vec<Customer>, StoreError> {
        self.read(tenant, |s| {
            s.customers.range(after(page.after)).take(page.limit as usize).map(|(_, c)| c.clone()).collect()
        })
    }

    async fn erased(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Erased>, StoreError> {
        let wanted = |of: &&Erased| customer.is_none_or(|id| id == of.customer_id);
        self.read(tenant, |s| s.erased.values().filter(wanted).cloned().collect())
    }

    async fn subscriptions(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
        self.read(tenant, |s| {
            s.subscriptions
                .range(after(page.after))
                .filter(|(_, row)| customer.is_none_or(|c| c == row.customer_id))
                .take(page.limit as usize)
                .map(|(id, row)| (row.clone(), s.access_of(*id)))
                .collect()
        })
    }

    async fn former_terms(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<FormerTerms>, StoreError> {
        let wanted: std::collections::BTreeSet<SubscriptionId> = subscriptions.iter().copied().collect();
        self.read(tenant, |s| {
            let of = |id: &SubscriptionId| s.former_terms.range((*id, 0)..=(*id, u64::MAX));
            wanted.iter().flat_map(of).map(|(_, former)| *former).collect()
        })
    }

    async fn cpes(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Cpe>, StoreError> {
        self.read(tenant, |s| {
            s.cpes.values().filter(|c| customer.is_none_or(|id| id == c.customer_id)).cloned().collect()
        })
    }

    async fn device_history(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<DeviceHistory>, StoreError> {
        self.read(tenant, |s| {
            let entries = s.device_history.values().filter(|h| customer.is_none_or(|id| id == h.customer_id));
            let mut entries: Vec<DeviceHistory> = entries.cloned().collect();
            entries.sort_by_key(|h| (h.on, h.id));
            entries
        })
    }

    async fn installation_orders(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<InstallationRow>, StoreError> {
        self.read(tenant, |s| s.installation_rows(customer))
    }
}
