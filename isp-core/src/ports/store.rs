//! The port to what is kept.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    AccessQuery, BillableQuery, ChangeSet, Claim, CommitReport, DunningQuery, InstallationRow, InstalmentRow,
    InvoiceQuery, MessageFacts, OutboxQuery, OutboxRow, Outcome, PageQuery, PaymentRow, StoreError,
};
use crate::billing::{Billable, Charge, CreditNote, Invoice, InvoiceBalance, Statement};
use crate::calendar::{Date, Period, Zone};
use crate::customer::{Code, Customer};
use crate::device::{Cpe, DeviceHistory};
use crate::dunning::{DunningFacts, Notification};
use crate::ids::{
    CreditNoteId, CustomerId, InvoiceId, JournalEntryId, OutboxId, PaymentId, RouterId, SubscriptionId, TenantId,
};
use crate::installation::InstallationKind;
use crate::isolation::access::ObservedAccess;
use crate::isolation::{AccessEvent, AccessFacts, AccessTarget, Outage, ServiceAccess};
use crate::ledger::{JournalEntry, JournalTotal};
use crate::package::Package;
use crate::payment::{Allocation, CollectorBalance, CreditSource, Deposit, WriteOff};
use crate::place::{Router, Site};
use crate::subscription::Subscription;

/// Where everything is kept, for one tenant a call.
///
/// Contract, proved for each implementation by [`crate::testing::contract::store`]:
/// * [`Store::commit`] writes all of a change set or nothing, and is durable when it returns.
/// * What is written once (invoices, messages, payments) is so by unique keys: it holds for two callers at once.
/// * No call holds a transaction after it returns.
/// * Lists come in id order and page by the last id.
/// * A row that names one that is not there (a subscription its customer, an allocation its payment) fails the commit
///   with [`StoreError::Rejected`]; rows of the same change set may name each other.
/// * Keys that people give are unique in a tenant, to the letter: a second owner fails the commit with
///   [`StoreError::Duplicate`] naming `site.code`, `router.code`, `package.code`, `customer.code`,
///   `installation_kind.code`, `cpe.serial`, or `subscription.username` (on one router; lines without a router share
///   freely). A row that is only appended has a new id, else `Duplicate` names `device_history.id`, `expense.id`,
///   `promise.id`, `exemption.id`, `deposit.id` or `access_event.id`.
/// * Open invoices come oldest due date first, then oldest issue date, then lowest number.
/// * A subscription without an access row reads as [`crate::isolation::Access::Closed`] with revision 0 and version 0.
/// * Moments are kept to the microsecond.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a change set, all or nothing.
    async fn commit(&self, tenant: TenantId, changes: ChangeSet) -> Result<CommitReport, StoreError>;

    /// Takes the right to be the only run of this tenant until the guard is dropped or the process dies; then claims
    /// that a dead run left are freed: a message that was being sent becomes [`super::OutboxState::Unknown`], everything
    /// else pending. [`StoreError::Busy`] when another run has it.
    async fn begin_run(&self, tenant: TenantId) -> Result<RunGuard, StoreError>;

    // ---- billing ----

    /// The day up to which triggers were billed; `None` before the first run.
    async fn billing_position(&self, tenant: TenantId) -> Result<Option<Date>, StoreError>;

    /// A page of the subscriptions that a billing run must look at, in id order: those that `query` names and no others.
    async fn load_billable(
        &self,
        tenant: TenantId,
        query: BillableQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<Billable>, StoreError>;

    /// Installation orders with an instalment due on or before the day that has no invoice yet, with the facts that
    /// their invoices need, in id order.
    async fn load_instalments(&self, tenant: TenantId, due_until: Date) -> Result<Vec<InstalmentRow>, StoreError>;

    /// Installation orders whose fee goes with the first periodic invoice and stands on no invoice yet, in id order;
    /// without those that are free.
    async fn load_waiting_fees(&self, tenant: TenantId) -> Result<Vec<InstalmentRow>, StoreError>;

    /// Customers who have credit and an open invoice, in id order.
    async fn customers_with_credit(
        &self,
        tenant: TenantId,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<CustomerId>, StoreError>;

    /// The moment of the last run; `None` before the first one.
    async fn last_run(&self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError>;

    // ---- decisions ----

    /// A page of customers to consider for reminders, in id order, each with all its open invoices and the keys of
    /// reminders that were already written for them.
    async fn load_dunning(
        &self,
        tenant: TenantId,
        query: DunningQuery,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<DunningFacts>, StoreError>;

    /// A page of subscriptions to decide on, in id order, each once, with all promises and exemptions of the customer and
    /// all outages of the site, in id order.
    async fn load_access(
        &self,
        tenant: TenantId,
        query: &AccessQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessFacts>, StoreError>;

    /// The facts about one customer's subscriptions as they were at a past moment, for explaining: invoices issued and
    /// allocations made by then, terms as they are now. Promises, exemptions and outages count once they have begun.
    /// Access is rebuilt from its events up to and including the moment, and nothing is observed in it; an isolation that
    /// was reopened with something still overdue keeps its beginning, as in [`crate::isolation::transition`].
    async fn access_at(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<Vec<AccessFacts>, StoreError>;

    /// How many subscriptions each router serves (desired access other than closed); a router that serves none is left
    /// out.
    async fn subscribers_per_router(&self, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError>;

    /// The open invoices of a customer.
    async fn open_invoices(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// Invoices by id, in the order asked; unknown ones are left out.
    async fn balances(&self, tenant: TenantId, ids: &[InvoiceId]) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// All statements of these customers, in the order of their numbers.
    async fn statements(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<Statement>, StoreError>;

    /// The statement with a number.
    async fn statement(&self, tenant: TenantId, number: u64) -> Result<Option<Statement>, StoreError>;

    /// The invoices for days of service ([`crate::billing::InvoiceKind::Subscription`] and [`crate::billing::InvoiceKind::Adjustment`]) of these
    /// subscriptions that have a day in common with `days`, each with all its credit notes, in the order of subscriptions,
    /// then of their first day, then by id.
    async fn charges(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
        days: Period,
    ) -> Result<Vec<Charge>, StoreError>;

    /// The invoices of kind [`crate::billing::InvoiceKind::Subscription`] at sites of a zone that are due on a day and had a residual at a
    /// moment, with what was paid of them before it, in id order.
    async fn unpaid_at(
        &self,
        tenant: TenantId,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// The payments of a customer with money left, first received first, then by id.
    async fn credit(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<CreditSource>, StoreError>;

    /// A payment, with what is left of it and its reversal.
    async fn payment(&self, tenant: TenantId, id: PaymentId) -> Result<Option<PaymentRow>, StoreError>;

    /// The allocations of a payment, in the order they were made.
    async fn allocations(&self, tenant: TenantId, id: PaymentId) -> Result<Vec<Allocation>, StoreError>;

    // ---- outbox ----

    /// Takes rows that are due, and those whose claim ran out (`until` is not after `now`), in the order of
    /// `next_attempt`; they come back as [`OutboxState::Claimed`]. A message whose worker died while calling becomes
    /// [`super::OutboxState::Unknown`] and is not returned; a wish to a router is claimed again.
    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError>;

    /// Says that the other side is about to be called for these claimed rows; raises `attempts`. `Conflict`, and nothing
    /// changed, when one of them is not claimed.
    async fn attempting(&self, tenant: TenantId, ids: &[OutboxId]) -> Result<(), StoreError>;

    /// Records how attempts ended, and with them what routers said, all or nothing; `NotFound { what: "outbox" }` for an
    /// unknown row. `finished_at` is set by every state but `Pending`; a `provider_id` stays when an outcome has none. An
    /// observation replaces one of a lower revision, or one of the same revision that is not later; it raises no version.
    async fn record(
        &self,
        tenant: TenantId,
        outcomes: &[Outcome],
        observed: &[(SubscriptionId, ObservedAccess)],
    ) -> Result<(), StoreError>;

    /// Frees all claims as [`Store::begin_run`] does, for a worker that stops early.
    async fn release(&self, tenant: TenantId) -> Result<(), StoreError>;

    /// What routers need to know of these subscriptions, in the order asked; unknown ones and those without a router are
    /// left out. The group is that of the package in the terms as they are, whatever change is to come; `adopt` is false.
    async fn access_targets(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError>;

    /// All subscriptions on a router, in id order.
    async fn router_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessTarget>, StoreError>;

    /// The facts that a message states, as they are now, its invoices in the order it names them. `NotFound { what:
    /// "customer" }` when the customer is unknown.
    async fn message_facts(&self, tenant: TenantId, message: &Notification) -> Result<MessageFacts, StoreError>;

    // ---- master data and lists ----

    /// All sites.
    async fn sites(&self, tenant: TenantId) -> Result<Vec<Site>, StoreError>;
    /// All routers.
    async fn routers(&self, tenant: TenantId) -> Result<Vec<Router>, StoreError>;
    /// All packages.
    async fn packages(&self, tenant: TenantId) -> Result<Vec<Package>, StoreError>;
    /// All kinds of installation.
    async fn installation_kinds(&self, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError>;
    /// A customer by id.
    async fn customer(&self, tenant: TenantId, id: CustomerId) -> Result<Option<Customer>, StoreError>;
    /// A customer by the ID that people use.
    async fn customer_by_code(&self, tenant: TenantId, code: &Code) -> Result<Option<Customer>, StoreError>;
    /// Customers.
    async fn customers(&self, tenant: TenantId, page: PageQuery<CustomerId>) -> Result<Vec<Customer>, StoreError>;
    /// Subscriptions with their access, of one customer or of all.
    async fn subscriptions(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError>;
    /// Devices, of one customer or of all.
    async fn cpes(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Cpe>, StoreError>;
    /// Device history, of one customer or of all, oldest day first, then by id.
    async fn device_history(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<DeviceHistory>, StoreError>;
    /// Installation orders with the sum invoiced and paid of each, of one customer or of all.
    async fn installation_orders(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<InstallationRow>, StoreError>;
    /// Invoices with their lines, each with what was paid of it, in id order.
    async fn invoices(
        &self,
        tenant: TenantId,
        query: InvoiceQuery,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<(Invoice, crate::money::Money)>, StoreError>;
    /// Credit notes, of one customer or of all, in id order.
    async fn credit_notes(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<CreditNoteId>,
    ) -> Result<Vec<CreditNote>, StoreError>;
    /// All recorded outages.
    async fn outages(&self, tenant: TenantId) -> Result<Vec<Outage>, StoreError>;
    /// Write-offs, of one customer or of all, in the order of their payments' ids.
    async fn write_offs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<WriteOff>, StoreError>;
    /// Deposits, oldest day first, then by id.
    async fn deposits(&self, tenant: TenantId) -> Result<Vec<Deposit>, StoreError>;
    /// What each collector took (payments that were not reversed) and handed over, by name.
    async fn collectors(&self, tenant: TenantId) -> Result<Vec<CollectorBalance>, StoreError>;
    /// Payments, of one customer or of all, in id order.
    async fn payments(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<PaymentId>,
    ) -> Result<Vec<PaymentRow>, StoreError>;
    /// What happened to the access of these subscriptions, in the order of revisions.
    async fn access_events_of(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessEvent>, StoreError>;
    /// What happened to a subscription's access, in the order of revisions.
    async fn access_events(
        &self,
        tenant: TenantId,
        subscription: SubscriptionId,
    ) -> Result<Vec<AccessEvent>, StoreError>;
    /// Rows of the outbox, in id order.
    async fn outbox(
        &self,
        tenant: TenantId,
        query: OutboxQuery,
        page: PageQuery<OutboxId>,
    ) -> Result<Vec<OutboxRow>, StoreError>;
    /// Sums of the journal by month, account, kind, package and site, for entries booked from one day up to another (not
    /// included), one a combination, in no particular order.
    async fn journal_totals(&self, tenant: TenantId, from: Date, before: Date)
    -> Result<Vec<JournalTotal>, StoreError>;
    /// Journal entries, in id order.
    async fn journal(&self, tenant: TenantId, page: PageQuery<JournalEntryId>)
    -> Result<Vec<JournalEntry>, StoreError>;
}

/// The right to be the only run of a tenant; given up when dropped.
pub struct RunGuard(#[allow(dead_code, reason = "held for its drop")] Box<dyn Send + Sync>);

impl RunGuard {
    /// Wraps whatever gives the right up when dropped.
    #[must_use]
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}

impl std::fmt::Debug for RunGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunGuard")
    }
}
