//! What is billed and owed.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::billing::{Billable, Charge, Invoice, InvoiceBalance, Statement};
use crate::calendar::{Date, Period, Zone};
use crate::ids::{CreditNoteId, CustomerId, InvoiceId, SubscriptionId, TenantId};
use crate::money::Money;
use crate::ports::{BillableQuery, BillingStore, CreditNoteRow, InstalmentRow, InvoiceQuery, PageQuery, StoreError};

use super::super::ledger::invoice_matches;
use super::super::state::State;
use super::{MemoryStore, after};

#[async_trait]
impl BillingStore for MemoryStore {
    async fn billing_position(&self, tenant: TenantId) -> Result<Option<Date>, StoreError> {
        self.read(tenant, |s| s.position)
    }

    async fn last_run(&self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(tenant, |s| s.last_run)
    }

    async fn load_billable(
        &self,
        tenant: TenantId,
        query: BillableQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Arc<Vec<Billable>>, StoreError> {
        self.read(tenant, |s| Arc::new(s.billable(query, page)))
    }

    async fn load_instalments(&self, tenant: TenantId, due_until: Date) -> Result<Vec<InstalmentRow>, StoreError> {
        self.read(tenant, |s| s.instalments(due_until))
    }

    async fn load_waiting_fees(&self, tenant: TenantId) -> Result<Vec<InstalmentRow>, StoreError> {
        self.read(tenant, State::waiting_fees)
    }

    async fn open_invoices(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<InvoiceBalance>, StoreError> {
        self.read(tenant, |s| s.open_of_customer(customer))
    }

    async fn all_open_invoices(&self, tenant: TenantId) -> Result<Vec<InvoiceBalance>, StoreError> {
        self.read(tenant, State::all_open)
    }

    async fn balances(&self, tenant: TenantId, ids: &[InvoiceId]) -> Result<Vec<InvoiceBalance>, StoreError> {
        self.read(tenant, |s| s.balances_of(ids))
    }

    async fn statements(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<Statement>, StoreError> {
        self.read(tenant, |s| s.statements_of(customers))
    }

    async fn statement(&self, tenant: TenantId, number: u64) -> Result<Option<Statement>, StoreError> {
        self.read(tenant, |s| s.statements.values().find(|t| t.number == number).copied())
    }

    async fn charges(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
        days: Period,
    ) -> Result<Vec<Charge>, StoreError> {
        self.read(tenant, |s| s.charges(subscriptions, days))
    }

    async fn unpaid_at(
        &self,
        tenant: TenantId,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<InvoiceBalance>, StoreError> {
        self.read(tenant, |s| s.unpaid_at(due, zone, at, page))
    }

    async fn invoices(
        &self,
        tenant: TenantId,
        query: InvoiceQuery,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<(Invoice, Money)>, StoreError> {
        self.read(tenant, |s| {
            s.invoices
                .range(after(page.after))
                .filter(|(_, kept)| invoice_matches(kept, &query))
                .take(page.limit as usize)
                .map(|(_, kept)| (kept.invoice.clone(), kept.paid))
                .collect()
        })
    }

    async fn credit_notes(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<CreditNoteId>,
    ) -> Result<Vec<CreditNoteRow>, StoreError> {
        self.read(tenant, |s| s.notes_page(customer, page))
    }
}
