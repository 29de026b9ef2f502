//! Credit notes, and what days are charged for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::billing::{Charge, CreditNote, InvoiceBalance, InvoiceKind};
use crate::calendar::{Date, Period, Zone};
use crate::ending::RecordId;
use crate::ids::{CreditNoteId, CustomerId, InvoiceId, SubscriptionId};
use crate::ledger::entry_for_credit_note;
use crate::money::Money;
use crate::payment::{Allocation, CollectorBalance, Deposit, PaymentReversal};
use crate::ports::{CommitReport, CreditNoteRow, DepositRow, PageQuery, StoreError};
use crate::text::Code;

use super::state::{KeptInvoice, State, must_exist};
use super::store::after;

impl State {
    pub(super) fn write_credit_notes(
        &mut self,
        notes: Vec<CreditNote>,
        report: &mut CommitReport,
    ) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        for mut note in notes {
            if self.credit_notes.has(&note.id) {
                continue;
            }
            must_exist(self.invoices.has(&note.invoice_id), "invoice")?;
            if !note.adds_up() {
                return Err(StoreError::Rejected { reason: "the lines of a credit note do not add up".into() });
            }
            self.last_note += 1;
            note.number = self.last_note;
            report.credit_notes += 1;
            report.credited += note.total;
            let held = note.payment();
            self.insert_payment(held.map_err(|e| StoreError::Rejected { reason: e.to_string() })?)?;
            entries.push(entry_for_credit_note(&note));
            self.notes_of_invoice.put((note.invoice_id, note.id), ());
            let invoice = note.invoice_id;
            self.credit_notes.put(note.id, note);
            let total = self.invoices.get(&invoice).map_or(Money::ZERO, |kept| kept.invoice.total);
            if self.notes_of(invoice).iter().map(|n| n.total).sum::<Money>() > total {
                return Err(StoreError::Conflict);
            }
        }
        self.write_journal(entries)
    }

    /// The notes of an invoice that stand.
    fn notes_of(&self, invoice: InvoiceId) -> Vec<CreditNote> {
        let (first, last) = (CreditNoteId(uuid::Uuid::nil()), CreditNoteId(uuid::Uuid::max()));
        let ids = self.notes_of_invoice.range((invoice, first)..=(invoice, last));
        let notes = ids.filter_map(|((_, id), ())| self.credit_notes.get(id));
        notes.filter(|note| self.note_reversal(note).is_none()).cloned().collect()
    }

    fn note_reversal(&self, note: &CreditNote) -> Option<&PaymentReversal> {
        self.payments.get(&note.payment_id()).and_then(|kept| kept.reversal.as_ref())
    }

    pub(super) fn charges(&self, subscriptions: &[SubscriptionId], days: Period) -> Vec<Charge> {
        let mut subscriptions = subscriptions.to_vec();
        subscriptions.sort_unstable();
        subscriptions.dedup();
        let mut charges = Vec::new();
        for id in subscriptions {
            let mut own: Vec<Charge> = [InvoiceKind::Subscription, InvoiceKind::Adjustment]
                .into_iter()
                .flat_map(|kind| self.invoice_of.range((id, kind, Date::MIN)..(id, kind, days.end)))
                .filter_map(|(_, invoice)| self.invoices.get(invoice))
                .filter(|kept| kept.invoice.period.end > days.start)
                .map(|kept| Charge { invoice: kept.invoice.clone(), notes: self.notes_of(kept.invoice.id) })
                .collect();
            own.sort_by_key(|c| (c.invoice.period.start, c.invoice.id));
            charges.extend(own);
        }
        charges
    }

    pub(super) fn balances_of(&self, ids: &[InvoiceId]) -> Vec<InvoiceBalance> {
        ids.iter().filter_map(|id| self.invoices.get(id)).map(KeptInvoice::balance).collect()
    }

    pub(super) fn unpaid_at(
        &self,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Vec<InvoiceBalance> {
        self.invoices
            .range(after(page.after))
            .map(|(_, kept)| kept)
            .filter(|kept| kept.invoice.kind == InvoiceKind::Subscription && kept.invoice.due_date == due)
            .filter(|kept| self.sites.get(&kept.invoice.site_id).is_some_and(|site| site.zone == zone))
            .map(|kept| {
                let id = kept.invoice.id;
                let made = self.allocations_of_invoice.range((id, 0)..=(id, u64::MAX)).map(|(_, a)| a);
                let paid_before = |a: &&Allocation| {
                    let of = self.payments.get(&a.payment_id);
                    of.is_some_and(|kept| kept.reversal.is_none() && kept.payment.paid_at < at)
                };
                kept.invoice.balance(made.filter(paid_before).map(|a| a.amount).sum())
            })
            .filter(|balance| balance.residual().is_positive())
            .take(page.limit as usize)
            .collect()
    }

    pub(super) fn notes_page(&self, of: Option<CustomerId>, page: PageQuery<CreditNoteId>) -> Vec<CreditNoteRow> {
        self.credit_notes
            .range(after(page.after))
            .map(|(_, note)| note)
            .filter(|note| of.is_none_or(|customer| customer == note.customer_id))
            .take(page.limit as usize)
            .map(|note| CreditNoteRow { note: note.clone(), taken_back: self.note_reversal(note).cloned() })
            .collect()
    }

    pub(super) fn collectors(&self) -> Vec<CollectorBalance> {
        let mut sums: BTreeMap<String, CollectorBalance> = BTreeMap::new();
        let mut of = |collector: &Code, collected: Money, deposited: Money| {
            let zero =
                CollectorBalance { collector: collector.clone(), collected: Money::ZERO, deposited: Money::ZERO };
            let sum = sums.entry(collector.folded()).or_insert(zero);
            sum.collected += collected;
            sum.deposited += deposited;
        };
        for kept in self.payments.values().filter(|kept| kept.reversal.is_none()) {
            if let Some(collector) = &kept.payment.collector {
                of(collector, kept.payment.amount, Money::ZERO);
            }
        }
        for deposit in self.deposits.values().filter(|d| !self.endings.has(&RecordId::Deposit(d.id))) {
            of(&deposit.collector, Money::ZERO, deposit.amount);
        }
        sums.into_values().collect()
    }

    pub(super) fn deposit_row(&self, deposit: &Deposit) -> DepositRow {
        DepositRow { deposit: deposit.clone(), ending: self.endings.get(&RecordId::Deposit(deposit.id)).cloned() }
    }
}
