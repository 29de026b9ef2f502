//! What a commit was decided from and does not write itself.

use std::sync::Arc;

use crate::billing::Billable;
use crate::calendar::Date;
use crate::ids::CustomerId;
use crate::ledger::Account;
use crate::money::Money;
use crate::package::Package;
use crate::text::Code;

/// Something that a decision read, and on which it rests: a balance or a count. A commit looks at it once more, in its own
/// transaction and before it writes; when it no longer holds, the commit fails with [`Conflict`](super::StoreError::Conflict) and
/// the decision is taken again. So of two commands at one moment the second one is asked, or refused, as it would have been later.
///
/// What only one row can be, such as a reference or a version, needs none: its key refuses the second one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// The journal entries of the commit take the account below zero on no day, see [`crate::ledger::cover::short`].
    Covered(Account),
    /// A collector holds this much or more.
    CollectorHolds(Code, Money),
    /// A payment gateway holds this much or more.
    GatewayHolds(Code, Money),
    /// A customer has made no more payments than these, those that were taken back and those of credit notes among them.
    Payments(CustomerId, u64),
    /// A customer has made no more promises than these, those that ended among them.
    Promises(CustomerId, u64),
    /// A customer has been given no more credit notes than these, those that were taken back among them.
    CreditNotes(CustomerId, u64),
    /// No more installations of a customer were recorded than these, those that were taken back among them.
    Installations(CustomerId, u64),
    /// No more proofs of transfer of a customer wait for review.
    ProofsWaiting(CustomerId, u64),
    /// No more mutations of an account are kept than these, from one day to another.
    Mutations(Code, (Date, Date), u64),
    /// These lines are as they were read: their customers, sites, zones and terms. A store knows the list again that its
    /// [`load_billable`](super::BillingStore::load_billable) gave out, and need not compare it while nobody has changed any line.
    Lines(Arc<Vec<Billable>>),
    /// These are all packages, in id order, as they were read.
    Packages(Arc<Vec<Package>>),
}
