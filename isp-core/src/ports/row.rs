//! Rows that join more than one thing, as the store reads them.

use crate::billing::CreditNote;
use crate::calendar::{Date, Zone};
use crate::ending::Ending;
use crate::ids::PackageId;
use crate::installation::{InstallationOrder, InvoicedFee};
use crate::ledger::Expense;
use crate::payment::{Deposit, Payment, PaymentReversal, Payout, Refund};

/// A stored row that cannot be read, so that lists and runs went on without it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DamagedRow {
    /// What it is a row of, such as `subscription` or `customer`.
    pub what: &'static str,
    /// Of the row that cannot be read.
    pub id: uuid::Uuid,
    /// What is wrong with it, without its content.
    pub reason: String,
}

impl DamagedRow {
    /// The [`what`](Self::what) of subscriptions.
    pub const SUBSCRIPTION: &str = "subscription";
}

/// A payment with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// As it arrived.
    pub payment: Payment,
    /// What is left of it as credit.
    pub left: crate::money::Money,
    /// When, by whom and why it was taken back, if it was.
    pub reversal: Option<PaymentReversal>,
}

/// A credit note with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditNoteRow {
    /// As it was given.
    pub note: CreditNote,
    /// The reversal of the payment that held its amount: when, by whom and why the note was taken back, if it was.
    pub taken_back: Option<PaymentReversal>,
}

/// An expense with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpenseRow {
    /// As it was booked.
    pub expense: Expense,
    /// That it was booked back, if it was.
    pub ending: Option<Ending>,
}

/// What a collector handed over, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositRow {
    /// As it was recorded.
    pub deposit: Deposit,
    /// That it was booked back, if it was.
    pub ending: Option<Ending>,
}

/// What a payment gateway paid out, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRow {
    /// As it was recorded.
    pub payout: Payout,
    /// That it was booked back, if it was.
    pub ending: Option<Ending>,
}

/// A refund with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRow {
    /// As it was booked.
    pub refund: Refund,
    /// That it was taken back, if it was.
    pub ending: Option<Ending>,
}

/// An installation order with what its invoices need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalmentRow {
    /// The installation that is paid for.
    pub order: InstallationOrder,
    /// The site of its subscription.
    pub site_id: crate::ids::SiteId,
    /// The zone of that site.
    pub zone: Zone,
    /// The package of its subscription.
    pub package_id: PackageId,
    /// The day after the last day of service of its subscription, once terminated.
    pub ends_on: Option<Date>,
}

/// An installation order with how far it is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationRow {
    /// As it was recorded.
    pub order: InstallationOrder,
    /// Sum of its invoices so far, with PPN; of an invoice that holds other things too, the fee with its PPN.
    pub invoiced: crate::money::Money,
    /// The invoice with other things on which the whole fee stands, if it does.
    pub fee: Option<InvoicedFee>,
    /// That it was taken back, if it was: no instalment comes due any more.
    pub ending: Option<Ending>,
    /// What was paid of them; of an invoice that holds other things too, by [`crate::installation::InvoicedFee::paid`].
    pub paid: crate::money::Money,
}
