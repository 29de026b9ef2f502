//! Late fees that a payment makes wrong which was made in time and is recorded later (rule P7), and that are due again when
//! it is taken back (rule P4).

use chrono::{DateTime, Utc};

use crate::billing::late_fee::PaidEarlier;
use crate::billing::{
    Charge, CreditNote, CreditReason, Invoice, InvoiceBalance, InvoiceKind, LateFee, Written, late_fee,
};
use crate::calendar::Zone;
use crate::engine::{Engine, EngineError};
use crate::ids::InvoiceId;
use crate::isolation::AccessFacts;
use crate::money::Money;
use crate::payment::{Allocation, CreditSource, Payment};
use crate::ports::PageQuery;

/// Why the note was written, as the books and the customer read it.
const NOTE: &str = "dibayar sebelum denda";

/// The notes that take late fees back, and how they pay what is open of these fees.
#[derive(Debug, Default)]
pub(crate) struct FeesBack {
    pub(crate) notes: Vec<CreditNote>,
    pub(crate) allocations: Vec<Allocation>,
    /// What is left of the notes, because the fee had been paid already.
    pub(crate) credit: Vec<CreditSource>,
}

impl Engine<'_> {
    /// The late fees that were charged because a payment was not known yet, and are not due: it counts from the moment it
    /// was made. `paid` is what it pays of which invoice.
    pub(crate) async fn fees_back(
        &self,
        payment: &Payment,
        paid: &[Allocation],
        open: &[InvoiceBalance],
        facts: &[AccessFacts],
        now: DateTime<Utc>,
    ) -> Result<FeesBack, EngineError> {
        let mut back = FeesBack::default();
        // Each customer's day: one who pays today and is recorded today is not asked about any further.
        if Zone::Wit.date_of(payment.paid_at) >= Zone::Wib.date_of(now) {
            return Ok(back);
        }
        let zone_of = |invoice: &InvoiceBalance| {
            let line = facts.iter().find(|f| f.subscription_id == invoice.subscription_id);
            line.or(facts.first()).map_or(Zone::Wib, |f| f.zone)
        };
        let service = |a: &Allocation| open.iter().find(|i| i.invoice_id == a.invoice_id).map(|i| (i, a.amount));
        let service = paid.iter().filter_map(service).filter(|(i, _)| i.kind == InvoiceKind::Subscription);
        let service: Vec<(&InvoiceBalance, Money)> = service.collect();
        let fees = self.fees_on(payment, service.iter().map(|(i, _)| i.invoice_id)).await?;
        for (invoice, amount) in service {
            let (zone, fees) = (zone_of(invoice), LateFee::of(invoice.invoice_id, &fees));
            let Some(on) = fees.first().map(|fee| fee.invoice.issue_date) else { continue };
            let mut earlier = PaidEarlier { on, zone, unpaid: Money::ZERO, paid_at: payment.paid_at, amount };
            if !earlier.counts() {
                continue;
            }
            earlier.unpaid = self.unpaid_then(invoice, zone, on.midnight(zone)).await?;
            let left = fees.iter().map(|fee| fee.left()).sum();
            let mut wrong = earlier.wrong(left, self.policy.late_fee.as_ref());
            let written = Written { on: zone.date_of(now), at: now, by: "engine", note: NOTE };
            // What was charged again stands beside what was charged first; each gives back what is left of it.
            for fee in fees {
                let share = wrong.min(fee.left());
                if !share.is_positive() {
                    continue;
                }
                wrong -= share;
                let note = fee.correct(share, &payment.id.to_string(), written)?;
                let (payment_id, invoice_id) = (note.payment_id(), fee.invoice.id);
                let residual = open.iter().find(|i| i.invoice_id == invoice_id).map_or(Money::ZERO, |i| i.residual());
                let pays = residual.min(share);
                if pays.is_positive() {
                    back.allocations.push(Allocation { payment_id, invoice_id, amount: pays, at: now });
                }
                if share > pays {
                    back.credit.push(CreditSource { payment_id, left: share - pays });
                }
                back.notes.push(note);
            }
        }
        Ok(back)
    }

    /// The late fees that are due again because a payment is taken back that had made them wrong: what was charged, once.
    /// `back` are the allocations that undo it, `invoices` what they are of.
    pub(crate) async fn fees_again(
        &self,
        payment: &Payment,
        back: &[Allocation],
        invoices: &[InvoiceBalance],
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Result<Vec<Invoice>, EngineError> {
        let service = |a: &Allocation| invoices.iter().find(|i| i.invoice_id == a.invoice_id).map(|i| (i, -a.amount));
        let service = back.iter().filter_map(service).filter(|(i, _)| i.kind == InvoiceKind::Subscription);
        let service: Vec<(&InvoiceBalance, Money)> = service.collect();
        let all = self.fees_on(payment, service.iter().map(|(i, _)| i.invoice_id)).await?;
        let mut due = Vec::new();
        for (invoice, amount) in service {
            let fees = LateFee::of(invoice.invoice_id, &all);
            let Some(began) = fees.first().map(|fee| fee.invoice.issue_date.midnight(zone)) else { continue };
            if payment.paid_at >= began {
                continue;
            }
            let for_payments = |n: &&CreditNote| n.by == "engine" && n.note == NOTE;
            let taken: Money = fees.iter().flat_map(|f| &f.notes).filter(for_payments).map(|n| n.total).sum();
            let recharged: Money = fees.iter().skip(1).map(|f| f.invoice.total).sum();
            let by_it = |fee: &&Charge| {
                let id = CreditNote::id_of(fee.invoice.id, CreditReason::Correction, &payment.id.to_string());
                fee.notes.iter().find(|n| n.id == id).map_or(Money::ZERO, |n| n.total)
            };
            let own = fees.iter().map(by_it).sum();
            let known = self.unpaid_then(invoice, zone, began).await?;
            let first = fees.first().map(|fee| &fee.invoice);
            let charged = first.map_or((Money::ZERO, Money::ZERO), |fee| (fee.total, fee.total - fee.ppn));
            let policy = self.policy.late_fee.as_ref();
            let again = late_fee::again(taken - recharged, own, policy, known, known + amount, charged);
            if again.is_positive() {
                let (id, on) = (invoice.invoice_id, zone.date_of(now));
                due.extend(LateFee::charge_again(id, &fees, again, on, &self.policy.billing));
            }
        }
        Ok(due)
    }

    /// The late fees of a payment's customer with their notes, when one of these invoices bears one.
    async fn fees_on(
        &self,
        payment: &Payment,
        invoices: impl Iterator<Item = InvoiceId>,
    ) -> Result<Vec<Charge>, EngineError> {
        let ids: Vec<InvoiceId> = invoices.map(LateFee::id_for).collect();
        if ids.is_empty() || self.store.balances(self.tenant, &ids).await?.is_empty() {
            return Ok(Vec::new());
        }
        self.late_fees_of(payment.customer_id).await
    }

    /// What is known to have been unpaid of an invoice when a day began.
    async fn unpaid_then(
        &self,
        invoice: &InvoiceBalance,
        zone: Zone,
        began: DateTime<Utc>,
    ) -> Result<Money, EngineError> {
        let mut page = PageQuery::first(self.page);
        loop {
            let late = self.store.unpaid_at(self.tenant, invoice.due_date, zone, began, page).await?;
            if let Some(found) = late.iter().find(|i| i.invoice_id == invoice.invoice_id) {
                return Ok(found.residual());
            }
            if !page.advance(&late, |last| last.invoice_id) {
                return Ok(Money::ZERO);
            }
        }
    }
}
