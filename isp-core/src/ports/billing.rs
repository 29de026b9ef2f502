//! What was billed and what is to be billed: the position, invoices, statements, charges, credit notes.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{BillableQuery, CreditNoteRow, InstalmentRow, InvoiceQuery, PageQuery, StoreError};
use crate::billing::{Billable, Charge, Invoice, InvoiceBalance, Statement};
use crate::calendar::{Date, Period, Zone};
use crate::ids::{CreditNoteId, CustomerId, InvoiceId, SubscriptionId, TenantId};
use crate::report::{Counted, DueDays};

/// Where an open invoice stands among all that are open: its due day, its customer, its id.
pub type OpenPlace = (Date, CustomerId, InvoiceId);

/// What was billed and what is to be billed: the position, invoices, statements, charges, credit notes.
///
/// A role of [`super::Store`], whose contract holds here too.
#[async_trait]
pub trait BillingStore: Send + Sync {
    /// The day up to which triggers were billed; `None` before the first run.
    async fn billing_position(&self, tenant: TenantId) -> Result<Option<Date>, StoreError>;

    /// The moment of the last run (rule I9); `None` before the first one.
    async fn last_run(&self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// A page of the subscriptions that a billing run must look at, in id order: those that `query` names and no others. Shared, so that
    /// a commit can say that it rests on them ([`Expectation::Lines`](super::Expectation::Lines)).
    async fn load_billable(
        &self,
        tenant: TenantId,
        query: BillableQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Arc<Vec<Billable>>, StoreError>;

    /// Installation orders with an instalment due on or before the day that has no invoice yet, with the facts that
    /// their invoices need, in id order.
    async fn load_instalments(&self, tenant: TenantId, due_until: Date) -> Result<Vec<InstalmentRow>, StoreError>;

    /// Installation orders whose fee goes with the first periodic invoice and stands on no invoice yet, in id order;
    /// without those that are free.
    async fn load_waiting_fees(&self, tenant: TenantId) -> Result<Vec<InstalmentRow>, StoreError>;

    /// The open invoices of a customer.
    async fn open_invoices(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// The open invoices of all customers, oldest due date first.
    async fn all_open_invoices(&self, tenant: TenantId) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// The open invoices of these customers, oldest due date first. A store with an own way to them is faster than this, which asks for
    /// each customer.
    async fn open_of(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut found = Vec::new();
        for customer in customers {
            found.extend(self.open_invoices(tenant, *customer).await?);
        }
        found.sort_by_key(|i| (i.due_date, i.issue_date, i.number));
        Ok(found)
    }

    /// Open invoices in the order of due day, customer and id: those after `after`, at most `limit`. Fewer are the last. A store with an
    /// own way to them is faster than this, which looks at all that is open.
    async fn open_from(
        &self,
        tenant: TenantId,
        after: Option<OpenPlace>,
        limit: u32,
    ) -> Result<Vec<InvoiceBalance>, StoreError> {
        let place = |i: &InvoiceBalance| (i.due_date, i.customer_id, i.invoice_id);
        let mut all = self.all_open_invoices(tenant).await?;
        all.retain(|invoice| after.is_none_or(|after| after < place(invoice)));
        all.sort_by_key(place);
        all.truncate(limit as usize);
        Ok(all)
    }

    /// How many customers have an open invoice that was issued by a day and is due on one of these days, and what these invoices come to.
    /// A store with an own way to count them is faster than this, which looks at all that is open.
    async fn owed(&self, tenant: TenantId, issued_by: Date, due: DueDays) -> Result<Counted, StoreError> {
        let mut open = self.all_open_invoices(tenant).await?;
        open.retain(|invoice| invoice.issue_date <= issued_by && due.holds(invoice.due_date));
        let customers: BTreeSet<CustomerId> = open.iter().map(|invoice| invoice.customer_id).collect();
        Ok(Counted::new(customers.len() as u64, open.iter().map(|invoice| invoice.residual()).sum()))
    }

    /// Invoices by id, in the order asked; unknown ones are left out.
    async fn balances(&self, tenant: TenantId, ids: &[InvoiceId]) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// All statements of these customers, in the order of their numbers.
    async fn statements(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<Statement>, StoreError>;

    /// The statement with a number.
    async fn statement(&self, tenant: TenantId, number: u64) -> Result<Option<Statement>, StoreError>;

    /// The invoices for days of service ([`crate::billing::InvoiceKind::Subscription`] and [`crate::billing::InvoiceKind::Adjustment`]) of these
    /// subscriptions that have a day in common with `days`, each with its credit notes that stand, in the order of subscriptions,
    /// then of their first day, then by id.
    async fn charges(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
        days: Period,
    ) -> Result<Vec<Charge>, StoreError>;

    /// The invoices of kind [`crate::billing::InvoiceKind::Subscription`] at sites of a zone that are due on a day and had a residual at a
    /// moment, with what was paid of them before it, in id order. A payment counts from the moment it was paid, also when it
    /// was booked later (rule P7), unless it was reversed since.
    async fn unpaid_at(
        &self,
        tenant: TenantId,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// Invoices with their lines, each with what was paid of it, in id order.
    async fn invoices(
        &self,
        tenant: TenantId,
        query: InvoiceQuery,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<(Invoice, crate::money::Money)>, StoreError>;

    /// Credit notes, of one customer or of all, in id order, with those that were taken back: whose
    /// [payment](crate::billing::CreditNote::payment_id) was reversed.
    async fn credit_notes(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<CreditNoteId>,
    ) -> Result<Vec<CreditNoteRow>, StoreError>;
}
