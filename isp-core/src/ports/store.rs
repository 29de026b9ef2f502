//! The port to what is kept.

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{
    AccessStore, BillingStore, ChangeSet, CommitReport, CreditNoteRow, DamagedRow, DirectoryStore, InstallationRow,
    InvoiceQuery, MoneyStore, OutboxStore, PageQuery, PaymentRow, StoreError,
};
use crate::billing::Invoice;
use crate::ids::{CustomerId, TenantId};
use crate::isolation::ServiceAccess;
use crate::subscription::Subscription;

/// Where everything is kept, for one tenant a call.
///
/// Contract, proved for each implementation by [`crate::testing::contract::store`]:
/// * [`Store::commit`] writes all of a change set or nothing, and is durable when it returns.
/// * A commit looks first whether what it was decided from still holds ([`ChangeSet::expected`]), and no other commit of the
///   tenant comes in between.
/// * What is written once (invoices, messages, payments) is so by unique keys: it holds for two callers at once.
/// * No call holds a transaction after it returns.
/// * Lists come in id order and page by the last id.
/// * A row that names one that is not there (a subscription its customer, an allocation its payment) fails the commit
///   with [`StoreError::Rejected`]; rows of the same change set may name each other.
/// * Keys that people give are unique in a tenant, to the letter: a second owner fails the commit with
///   [`StoreError::Duplicate`] naming `site.code`, `router.code`, `package.code`, `customer.code`,
///   `installation_kind.code`, `cpe.serial`, or `subscription.username` (on one router, of lines with a day of service in
///   common: one that has ended leaves its name to others; lines without a router share freely). A row that is only appended has a new id, else `Duplicate` names `device_history.id`, `expense.id`,
///   `promise.id`, `exemption.id`, `proof.id`, `proof.review`, `record.ending`, `deposit.id` or `access_event.id`.
/// * Open invoices come oldest due date first, then oldest issue date, then lowest number.
/// * A subscription without an access row reads as [`crate::isolation::Access::Closed`] with revision 0 and version 0.
/// * Moments are kept to the microsecond.
/// * A row that cannot be read fails the call that asks for it by its id with [`StoreError::Corrupt`], which names it. Lists
///   and pages go on without it, and [`Store::damaged`] names it; a decision is then not taken about what it is about.
#[async_trait]
pub trait Store: DirectoryStore + BillingStore + AccessStore + MoneyStore + OutboxStore {
    /// Writes a change set, all or nothing.
    async fn commit(&self, tenant: TenantId, changes: ChangeSet) -> Result<CommitReport, StoreError>;

    /// Takes the right to be the only run of this tenant until the guard ends. [`StoreError::Busy`] when another run has
    /// it. It touches no claim: those of a dead worker run out by themselves.
    ///
    /// It is a lease of this term, which is renewed while the process lives and runs out when it does not. A process that
    /// stood still for longer may find its right taken by another run: from then on each [`Store::commit`] of this tenant
    /// through this store is refused with [`StoreError::RunLost`], until the guard is dropped.
    async fn begin_run(&self, tenant: TenantId, term: TimeDelta) -> Result<RunGuard, StoreError>;

    /// What is on record of these customers, each list in the order of its ids. A store that can answer for all of them at once is
    /// faster than this, which asks for each.
    async fn books_of(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<CustomerBooks, StoreError> {
        let mut books = CustomerBooks::default();
        for customer in customers {
            let of = Some(*customer);
            let query = InvoiceQuery { customer: of, ..InvoiceQuery::default() };
            let invoices = self.invoices(tenant, query, PageQuery::first(u32::MAX)).await?;
            books.subscriptions.extend(self.subscriptions(tenant, of, PageQuery::first(u32::MAX)).await?);
            books.invoices.extend(invoices.into_iter().map(|(invoice, _)| invoice));
            books.credit_notes.extend(self.credit_notes(tenant, of, PageQuery::first(u32::MAX)).await?);
            books.payments.extend(self.payments(tenant, of, PageQuery::first(u32::MAX)).await?);
            books.installations.extend(self.installation_orders(tenant, of).await?);
        }
        Ok(books.in_order())
    }

    /// The rows that could not be read since the store was opened, without repetition. A person has to mend them.
    fn damaged(&self) -> Vec<DamagedRow> {
        Vec::new()
    }
}

/// What is on record of some customers, see [`Store::books_of`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerBooks {
    /// Their lines, with what is wanted for each and what was observed.
    pub subscriptions: Vec<(Subscription, ServiceAccess)>,
    /// Their invoices, of all kinds and days.
    pub invoices: Vec<Invoice>,
    /// What was given back to them, with what was taken back of that.
    pub credit_notes: Vec<CreditNoteRow>,
    /// Their payments, with those that were reversed.
    pub payments: Vec<PaymentRow>,
    /// Orders of installations, with how far each is paid.
    pub installations: Vec<InstallationRow>,
}

impl CustomerBooks {
    /// Each list in the order of its ids.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.subscriptions.sort_by_key(|(line, _)| line.id);
        self.invoices.sort_by_key(|invoice| invoice.id);
        self.credit_notes.sort_by_key(|row| row.note.id);
        self.payments.sort_by_key(|row| row.payment.id);
        self.installations.sort_by_key(|row| row.order.id);
        self
    }
}

/// What a store holds for a run, and gives up when it is dropped.
#[async_trait]
pub trait HeldRun: Send + Sync {
    /// Gives the right up, and waits until everybody sees it.
    async fn give_up(&self) -> Result<(), StoreError>;
}

/// The right to be the only run of a tenant.
pub struct RunGuard(Box<dyn HeldRun>);

impl RunGuard {
    /// Wraps whatever holds the right.
    #[must_use]
    pub fn new(held: impl HeldRun + 'static) -> Self {
        Self(Box::new(held))
    }

    /// Gives the right up. A guard that is only dropped does so a moment later.
    ///
    /// # Errors
    /// As every method of [`Store`]; the right runs out by itself then.
    pub async fn end(self) -> Result<(), StoreError> {
        self.0.give_up().await
    }
}

impl std::fmt::Debug for RunGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunGuard")
    }
}
