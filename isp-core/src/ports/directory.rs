//! Who and what there is: sites, routers, packages, customers, subscriptions, devices, installation orders.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{InstallationRow, PageQuery, StoreError};
use crate::customer::Customer;
use crate::device::{Cpe, DeviceHistory};
use crate::ids::{CpeId, CustomerId, DeviceHistoryId, SubscriptionId, TenantId};
use crate::installation::InstallationKind;
use crate::isolation::ServiceAccess;
use crate::package::Package;
use crate::place::{KnownMachine, Router, Site};
use crate::privacy::Erased;
use crate::report::{Alike, LinesSaid};
use crate::subscription::Subscription;
use crate::terms::FormerTerms;
use crate::text::Code;

/// Who and what there is: sites, routers, packages, customers, subscriptions, devices, installation orders.
///
/// A role of [`super::Store`], whose contract holds here too.
#[async_trait]
pub trait DirectoryStore: Send + Sync {
    /// All sites.
    async fn sites(&self, tenant: TenantId) -> Result<Vec<Site>, StoreError>;

    /// All routers.
    async fn routers(&self, tenant: TenantId) -> Result<Vec<Router>, StoreError>;

    /// The machines that are known to serve routers, in the order of routers.
    async fn machines(&self, tenant: TenantId) -> Result<Vec<KnownMachine>, StoreError>;

    /// All packages.
    async fn packages(&self, tenant: TenantId) -> Result<Vec<Package>, StoreError>;

    /// All kinds of installation.
    async fn installation_kinds(&self, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError>;

    /// A customer by id.
    async fn customer(&self, tenant: TenantId, id: CustomerId) -> Result<Option<Customer>, StoreError>;

    /// A customer by the ID that people use.
    async fn customer_by_code(&self, tenant: TenantId, code: &Code) -> Result<Option<Customer>, StoreError>;

    /// The customers whose ID is this one, whatever the case, in id order: more than one only in a database of before IDs were compared
    /// without case.
    async fn customers_alike(&self, tenant: TenantId, code: &Code) -> Result<Vec<Customer>, StoreError>;

    /// The codes of these customers, in id order; unknown ones are left out.
    async fn customer_codes(&self, tenant: TenantId, ids: &[CustomerId])
    -> Result<Vec<(CustomerId, Code)>, StoreError>;

    /// These customers, in id order; unknown ones are left out. A store with an own way to find them is faster than this, which asks
    /// for each.
    async fn customers_of(&self, tenant: TenantId, ids: &[CustomerId]) -> Result<Vec<Customer>, StoreError> {
        let ids: BTreeSet<CustomerId> = ids.iter().copied().collect();
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.customer(tenant, id).await?);
        }
        Ok(found)
    }

    /// Customers.
    async fn customers(&self, tenant: TenantId, page: PageQuery<CustomerId>) -> Result<Vec<Customer>, StoreError>;

    /// Customers in the order of their codes, sign by sign: those after `after`, at most `limit`. Fewer are the last. A store with an own
    /// way to them is faster than this, which looks at all of them.
    async fn customers_from(
        &self,
        tenant: TenantId,
        after: Option<&Code>,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError> {
        let mut all = self.customers(tenant, PageQuery::first(u32::MAX)).await?;
        all.retain(|customer| after.is_none_or(|after| after.as_str() < customer.code.as_str()));
        all.sort_by(|a, b| a.code.as_str().cmp(b.code.as_str()));
        all.truncate(limit as usize);
        Ok(all)
    }

    /// That customers' data was erased, of one customer or of all, in id order.
    async fn erased(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Erased>, StoreError>;

    /// Subscriptions with their access, of one customer or of all.
    async fn subscriptions(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError>;

    /// The subscriptions of these customers with their access, in id order. A store with an own way to them is faster than this, which
    /// asks for each customer.
    async fn subscriptions_of(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
        let mut found = Vec::new();
        for customer in customers {
            found.extend(self.subscriptions(tenant, Some(*customer), PageQuery::first(u32::MAX)).await?);
        }
        found.sort_by_key(|(line, _)| line.id);
        Ok(found)
    }

    /// Which packages, prices and days of service the subscriptions have, and what access is wanted, each with how many have the same; in
    /// no particular order. A store with an own way to count them is faster than this, which looks at all.
    async fn alike(&self, tenant: TenantId) -> Result<Vec<Alike>, StoreError> {
        let all = self.subscriptions(tenant, None, PageQuery::first(u32::MAX)).await?;
        Ok(all.iter().map(|(line, access)| Alike { terms: line.terms, desired: access.desired, count: 1 }).collect())
    }

    /// How many lines are wanted in which access, and what their routers said, in no particular order. A store with an own way to count
    /// them is faster than this, which looks at all.
    async fn lines_said(&self, tenant: TenantId) -> Result<Vec<LinesSaid>, StoreError> {
        let all = self.subscriptions(tenant, None, PageQuery::first(u32::MAX)).await?;
        Ok(all.iter().map(|(line, access)| LinesSaid::of(access, line.router_id.is_some())).collect())
    }

    /// The terms that these subscriptions had before, in the order of subscriptions, then in the order in which they were
    /// replaced; none of the time before a database kept them.
    async fn former_terms(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<FormerTerms>, StoreError>;

    /// Devices, of one customer or of all.
    async fn cpes(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Cpe>, StoreError>;

    /// Devices in the order of their serial numbers, sign by sign: those after `after`, at most `limit`. Fewer are the last. A store with
    /// an own way to them is faster than this, which looks at all of them.
    async fn cpes_from(&self, tenant: TenantId, after: Option<&Code>, limit: u32) -> Result<Vec<Cpe>, StoreError> {
        let mut all = self.cpes(tenant, None).await?;
        all.retain(|cpe| after.is_none_or(|after| after.as_str() < cpe.serial.as_str()));
        all.sort_by(|a, b| a.serial.as_str().cmp(b.serial.as_str()));
        all.truncate(limit as usize);
        Ok(all)
    }

    /// Device history, of one customer or of all, oldest day first, then by id.
    async fn device_history(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<DeviceHistory>, StoreError>;

    /// The history of these devices, oldest day first, then by id. A store with an own way to it is faster than this, which reads all.
    async fn history_of(&self, tenant: TenantId, cpes: &[CpeId]) -> Result<Vec<DeviceHistory>, StoreError> {
        let cpes: BTreeSet<CpeId> = cpes.iter().copied().collect();
        let mut all = self.device_history(tenant, None).await?;
        all.retain(|step| cpes.contains(&step.cpe_id));
        Ok(all)
    }

    /// Device history in id order. A store with an own way to a page of it is faster than this, which reads all.
    async fn device_steps(
        &self,
        tenant: TenantId,
        page: PageQuery<DeviceHistoryId>,
    ) -> Result<Vec<DeviceHistory>, StoreError> {
        let mut all = self.device_history(tenant, None).await?;
        all.retain(|step| page.after.is_none_or(|after| after < step.id));
        all.sort_by_key(|step| step.id);
        all.truncate(page.limit as usize);
        Ok(all)
    }

    /// Installation orders with the sum invoiced and paid of each, of one customer or of all.
    async fn installation_orders(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<InstallationRow>, StoreError>;
}
