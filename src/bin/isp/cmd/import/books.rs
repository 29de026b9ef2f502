//! What the books have before an import, and the writing of its plan.

use std::collections::HashSet;

use isp_core::Money;
use isp_core::billing::InvoiceKind;
use isp_core::calendar::Date;
use isp_core::customer::Customer;
use isp_core::ids::{CustomerId, SubscriptionId, TenantId};
use isp_core::ledger;
use isp_core::ports::{InvoiceQuery, PageQuery, Store, StoreError};
use isp_core::subscription::Subscription;
use isp_import::{Existing, Found, ImportPlan};

const PAGE: u32 = 5_000;

/// Loads what rows may refer to or repeat, page by page.
pub(crate) async fn existing(store: &dyn Store, tenant: TenantId) -> Result<Existing, StoreError> {
    let orders = store.installation_orders(tenant, None).await?;
    let found = Found {
        sites: store.sites(tenant).await?,
        routers: store.routers(tenant).await?,
        packages: store.packages(tenant).await?,
        customers: customers(store, tenant).await?,
        erased: store.erased(tenant, None).await?.into_iter().map(|erased| erased.customer_id).collect(),
        subscriptions: subscriptions(store, tenant).await?,
        cpes: store.cpes(tenant, None).await?,
        kinds: store.installation_kinds(tenant).await?,
        taken_back: orders.iter().filter(|row| row.ending.is_some()).map(|row| row.order.id).collect(),
        orders: orders.into_iter().map(|row| row.order).collect(),
        expenses: store.expenses(tenant).await?,
        cash: cash(store, tenant).await?,
        billed: billed(store, tenant).await?,
    };
    Ok(found.into())
}

/// Writes a plan, all or nothing.
pub(crate) async fn apply(store: &dyn Store, tenant: TenantId, plan: ImportPlan) -> Result<(), StoreError> {
    // The rest of the plan is not held while it is written.
    let changes = {
        let ImportPlan { changes, .. } = plan;
        changes
    };
    if !changes.is_empty() {
        store.commit(tenant, changes).await?;
    }
    Ok(())
}

async fn cash(store: &dyn Store, tenant: TenantId) -> Result<Money, StoreError> {
    let totals = store.journal_totals(tenant, Date::MIN, Date::MAX).await?;
    Ok(totals.iter().filter(|total| total.account == ledger::Account::Cash).map(|total| total.amount).sum())
}

async fn customers(store: &dyn Store, tenant: TenantId) -> Result<Vec<Customer>, StoreError> {
    let mut all: Vec<Customer> = Vec::new();
    let mut after: Option<CustomerId> = None;
    loop {
        let page = store.customers(tenant, PageQuery { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map(|c| c.id);
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

async fn subscriptions(store: &dyn Store, tenant: TenantId) -> Result<Vec<Subscription>, StoreError> {
    let mut all: Vec<Subscription> = Vec::new();
    let mut after: Option<SubscriptionId> = None;
    loop {
        let page = store.subscriptions(tenant, None, PageQuery { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map(|(s, _)| s.id);
        all.extend(page.into_iter().map(|(s, _)| s));
        if !full {
            return Ok(all);
        }
    }
}

async fn billed(store: &dyn Store, tenant: TenantId) -> Result<HashSet<SubscriptionId>, StoreError> {
    let mut all = HashSet::new();
    let query = InvoiceQuery { kind: Some(InvoiceKind::Subscription), ..InvoiceQuery::default() };
    let mut after = None;
    loop {
        let page = store.invoices(tenant, query, PageQuery { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map(|(i, _)| i.id);
        all.extend(page.iter().map(|(i, _)| i.subscription_id));
        if !full {
            return Ok(all);
        }
    }
}
