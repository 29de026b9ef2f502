//! Who and what there is: customers, packages, lines, devices.

use async_trait::async_trait;
use isp_core::customer::Customer;
use isp_core::device::{Cpe, DeviceHistory};
use isp_core::ids::{CpeId, CustomerId, DeviceHistoryId, SubscriptionId, TenantId};
use isp_core::installation::InstallationKind;
use isp_core::isolation::ServiceAccess;
use isp_core::package::Package;
use isp_core::place::{KnownMachine, Router, Site};
use isp_core::ports::{DirectoryStore, InstallationRow, PageQuery, StoreError};
use isp_core::privacy::Erased;
use isp_core::report::{Alike, LinesSaid};
use isp_core::subscription::Subscription;
use isp_core::terms::FormerTerms;
use isp_core::text::Code;

use crate::reseal::or_key_changed;
use crate::value::Value;
use crate::{customer, device, erasure, installation, master, subscription};

use super::SqlStore;

#[async_trait]
impl DirectoryStore for SqlStore {
    async fn sites(&self, tenant: TenantId) -> Result<Vec<Site>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        master::sites(session.as_mut(), tenant).await
    }

    async fn routers(&self, tenant: TenantId) -> Result<Vec<Router>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        master::routers(session.as_mut(), &self.vault, tenant).await
    }

    async fn machines(&self, tenant: TenantId) -> Result<Vec<KnownMachine>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        master::machines(session.as_mut(), tenant).await
    }

    async fn packages(&self, tenant: TenantId) -> Result<Vec<Package>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        master::packages(session.as_mut(), tenant).await
    }

    async fn installation_kinds(&self, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        master::kinds(session.as_mut(), tenant).await
    }

    async fn customer(&self, tenant: TenantId, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let read = customer::by_id(session.as_mut(), &self.vault, tenant, id).await;
        or_key_changed(session.as_mut(), &self.vault, read).await
    }

    async fn customer_by_code(&self, tenant: TenantId, code: &Code) -> Result<Option<Customer>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let read = customer::by_code(session.as_mut(), &self.vault, tenant, code).await;
        or_key_changed(session.as_mut(), &self.vault, read).await
    }

    async fn customers_alike(&self, tenant: TenantId, code: &Code) -> Result<Vec<Customer>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let read = customer::alike(session.as_mut(), &self.vault, tenant, code).await;
        or_key_changed(session.as_mut(), &self.vault, read).await
    }

    async fn customer_codes(
        &self,
        tenant: TenantId,
        ids: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Code)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        customer::codes(session.as_mut(), tenant, ids).await
    }

    async fn customers_of(&self, tenant: TenantId, ids: &[CustomerId]) -> Result<Vec<Customer>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        customer::of(session.as_mut(), &self.vault, tenant, ids).await
    }

    async fn customers(&self, tenant: TenantId, page: PageQuery<CustomerId>) -> Result<Vec<Customer>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        customer::page(session.as_mut(), &self.vault, tenant, page).await
    }

    async fn customers_from(
        &self,
        tenant: TenantId,
        after: Option<&Code>,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        customer::page_from(session.as_mut(), &self.vault, tenant, after, limit).await
    }

    async fn subscriptions_of(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let list = Value::Ids(customers.iter().map(|id| id.0).collect());
        let mut found = subscription::of_customers(session.as_mut(), &self.vault, tenant, list).await?;
        found.sort_by_key(|(line, _)| line.id);
        Ok(found)
    }

    async fn alike(&self, tenant: TenantId) -> Result<Vec<Alike>, StoreError> {
        let counted = {
            let mut session = self.engine.read(tenant).await?;
            subscription::alike(session.as_mut(), tenant).await
        };
        match counted {
            // One of them cannot be read: row by row the others can, and it is named.
            Err(StoreError::Corrupt { .. }) => {
                let all = self.subscriptions(tenant, None, PageQuery::first(u32::MAX)).await?;
                let one = |(line, access): &(Subscription, ServiceAccess)| Alike {
                    terms: line.terms,
                    desired: access.desired,
                    count: 1,
                };
                Ok(all.iter().map(one).collect())
            }
            other => other,
        }
    }

    async fn lines_said(&self, tenant: TenantId) -> Result<Vec<LinesSaid>, StoreError> {
        let counted = {
            let mut session = self.engine.read(tenant).await?;
            subscription::said(session.as_mut(), tenant).await
        };
        match counted {
            // One of them cannot be read: row by row the others can, and it is named.
            Err(StoreError::Corrupt { .. }) => {
                let all = self.subscriptions(tenant, None, PageQuery::first(u32::MAX)).await?;
                Ok(all.iter().map(|(line, access)| LinesSaid::of(access, line.router_id.is_some())).collect())
            }
            other => other,
        }
    }

    async fn cpes_from(&self, tenant: TenantId, after: Option<&Code>, limit: u32) -> Result<Vec<Cpe>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        device::page_from(session.as_mut(), &self.vault, tenant, after, limit).await
    }

    async fn erased(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Erased>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        erasure::of(session.as_mut(), tenant, customer).await
    }

    async fn subscriptions(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        subscription::page(session.as_mut(), &self.vault, tenant, customer, page).await
    }

    async fn former_terms(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<FormerTerms>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        subscription::former_terms(session.as_mut(), tenant, subscriptions).await
    }

    async fn cpes(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Cpe>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        device::list(session.as_mut(), &self.vault, tenant, customer).await
    }

    async fn device_history(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<DeviceHistory>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        device::history(session.as_mut(), tenant, customer).await
    }

    async fn history_of(&self, tenant: TenantId, cpes: &[CpeId]) -> Result<Vec<DeviceHistory>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        device::history_of(session.as_mut(), tenant, cpes.iter().map(|id| id.0).collect()).await
    }

    async fn device_steps(
        &self,
        tenant: TenantId,
        page: PageQuery<DeviceHistoryId>,
    ) -> Result<Vec<DeviceHistory>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        device::steps(session.as_mut(), tenant, page).await
    }

    async fn installation_orders(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<InstallationRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        installation::list(session.as_mut(), tenant, customer).await
    }
}
