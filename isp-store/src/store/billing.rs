//! What is billed and owed.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::billing::{Billable, Charge, Invoice, InvoiceBalance, Statement};
use isp_core::calendar::{Date, Period, Zone};
use isp_core::ids::{CreditNoteId, CustomerId, InvoiceId, SubscriptionId, TenantId};
use isp_core::money::Money;
use isp_core::ports::{
    BillableQuery, BillingStore, CreditNoteRow, InstalmentRow, InvoiceQuery, OpenPlace, PageQuery, StoreError,
};
use isp_core::report::{Counted, DueDays};

use crate::value::Value;
use crate::{commit, credit, installation, invoice, statement, subscription};

use super::SqlStore;

#[async_trait]
impl BillingStore for SqlStore {
    async fn billing_position(&self, tenant: TenantId) -> Result<Option<Date>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        commit::billing_position(session.as_mut(), tenant).await
    }

    async fn last_run(&self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        commit::last_run(session.as_mut(), tenant).await
    }

    async fn load_billable(
        &self,
        tenant: TenantId,
        query: BillableQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Arc<Vec<Billable>>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let entry = commit::newest_entry(session.as_mut(), tenant).await?;
        let found = Arc::new(subscription::billable(session.as_mut(), tenant, query, page).await?);
        self.seen.read(tenant, entry, &found);
        Ok(found)
    }

    async fn load_instalments(&self, tenant: TenantId, due_until: Date) -> Result<Vec<InstalmentRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        installation::due(session.as_mut(), tenant, due_until).await
    }

    async fn load_waiting_fees(&self, tenant: TenantId) -> Result<Vec<InstalmentRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        installation::waiting(session.as_mut(), tenant).await
    }

    async fn open_invoices(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        invoice::open_of(session.as_mut(), tenant, Value::Ids(vec![customer.0])).await
    }

    async fn all_open_invoices(&self, tenant: TenantId) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        invoice::all_open(session.as_mut(), tenant).await
    }

    async fn open_of(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let customers = Value::Ids(customers.iter().map(|id| id.0).collect());
        invoice::open_of_many(session.as_mut(), tenant, customers).await
    }

    async fn open_from(
        &self,
        tenant: TenantId,
        after: Option<OpenPlace>,
        limit: u32,
    ) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        invoice::open_from(session.as_mut(), tenant, after, limit).await
    }

    async fn owed(&self, tenant: TenantId, issued_by: Date, due: DueDays) -> Result<Counted, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        invoice::owed(session.as_mut(), tenant, issued_by, due).await
    }

    async fn invoices(
        &self,
        tenant: TenantId,
        query: InvoiceQuery,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<(Invoice, Money)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        invoice::page(session.as_mut(), tenant, query, page).await
    }

    async fn credit_notes(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<CreditNoteId>,
    ) -> Result<Vec<CreditNoteRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        credit::page(session.as_mut(), tenant, customer, page).await
    }

    async fn balances(&self, tenant: TenantId, ids: &[InvoiceId]) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        invoice::by_ids(session.as_mut(), tenant, ids).await
    }

    async fn statements(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<Statement>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        statement::of(session.as_mut(), tenant, customers).await
    }

    async fn statement(&self, tenant: TenantId, number: u64) -> Result<Option<Statement>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        statement::by_number(session.as_mut(), tenant, number).await
    }

    async fn charges(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
        days: Period,
    ) -> Result<Vec<Charge>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        credit::charges(session.as_mut(), tenant, subscriptions, days).await
    }

    async fn unpaid_at(
        &self,
        tenant: TenantId,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        credit::unpaid_at(session.as_mut(), tenant, due, zone, at, page).await
    }
}
