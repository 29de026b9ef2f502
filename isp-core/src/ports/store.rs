//! The port to what is kept.

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{
    AccessStore, BillingStore, ChangeSet, CommitReport, DamagedRow, DirectoryStore, MoneyStore, OutboxStore, StoreError,
};
use crate::ids::TenantId;

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

    /// The rows that could not be read since the store was opened, without repetition. A person has to mend them.
    fn damaged(&self) -> Vec<DamagedRow> {
        Vec::new()
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
