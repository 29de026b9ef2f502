//! Everything a tenant has, for comparing one run with another.

use crate::billing::{CreditNote, Invoice, Statement};
use crate::calendar::Date;
use crate::isolation::{AccessEvent, ServiceAccess};
use crate::ledger::JournalEntry;
use crate::money::Money;
use crate::payment::{Allocation, WriteOff};
use crate::ports::{DepositRow, OutboxRow, PaymentRow};
use crate::subscription::Subscription;

use super::state::State;

/// What runs write, in id order. Master data other than subscriptions is left out, since no run changes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// The position of the billing run.
    pub position: Option<Date>,
    /// Lines, in the order of ids.
    pub subscriptions: Vec<Subscription>,
    /// Invoices, each with what was paid of it.
    pub invoices: Vec<(Invoice, Money)>,
    /// Documents of several invoices.
    pub statements: Vec<Statement>,
    /// What was given back.
    pub credit_notes: Vec<CreditNote>,
    /// Receivables given up.
    pub write_offs: Vec<WriteOff>,
    /// What collectors handed in.
    pub deposits: Vec<DepositRow>,
    /// With what is left of each, and whether it was taken back.
    pub payments: Vec<PaymentRow>,
    /// Allocations, in the order of payments, then as they were made.
    pub allocations: Vec<Allocation>,
    /// What is wanted for each line, and what was observed.
    pub access: Vec<ServiceAccess>,
    /// Access events, in the order of subscriptions, then as they happened.
    pub access_events: Vec<AccessEvent>,
    /// Wishes to routers, and messages.
    pub outbox: Vec<OutboxRow>,
    /// Balanced entries.
    pub journal: Vec<JournalEntry>,
}

impl Snapshot {
    pub(super) fn of(state: &State) -> Self {
        Self {
            position: state.position,
            subscriptions: state.subscriptions.values().cloned().collect(),
            invoices: state.invoices.values().map(|kept| (kept.invoice.clone(), kept.paid)).collect(),
            statements: state.statements.values().copied().collect(),
            credit_notes: state.credit_notes.values().cloned().collect(),
            write_offs: state.write_offs.values().cloned().collect(),
            deposits: state.deposits.values().map(|d| state.deposit_row(d)).collect(),
            payments: state.payments.values().map(State::payment_row).collect(),
            allocations: state.allocations_of_payment.values().copied().collect(),
            access: state.access.values().cloned().collect(),
            access_events: state.access_events.values().cloned().collect(),
            outbox: state.outbox.values().map(|kept| kept.row.clone()).collect(),
            journal: state.journal.values().cloned().collect(),
        }
    }

    /// The sum of all journal lines: zero, always.
    #[must_use]
    pub fn journal_sum(&self) -> Money {
        self.journal.iter().flat_map(|entry| &entry.lines).map(|line| line.amount).sum()
    }
}
