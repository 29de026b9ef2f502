//! Late fees that a payment makes wrong which was made in time and is recorded later (rule P7).

use chrono::{DateTime, Utc};

use crate::billing::late_fee::PaidEarlier;
use crate::billing::{CreditNote, InvoiceBalance, InvoiceKind, LateFee, Written};
use crate::calendar::Zone;
use crate::engine::{Engine, EngineError};
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
        let ids: Vec<_> = service.iter().map(|(i, _)| LateFee::id_for(i.invoice_id)).collect();
        let fees = if ids.is_empty() { Vec::new() } else { self.store.balances(self.tenant, &ids).await? };
        for (invoice, amount) in service {
            let Some(fee) = fees.iter().find(|f| f.invoice_id == LateFee::id_for(invoice.invoice_id)) else { continue };
            let zone = zone_of(invoice);
            let (on, paid_at) = (fee.issue_date, payment.paid_at);
            let mut earlier = PaidEarlier { on, zone, unpaid: Money::ZERO, paid_at, amount };
            if !earlier.counts() {
                continue;
            }
            earlier.unpaid = self.unpaid_then(invoice, zone, on.midnight(zone)).await?;
            let charge = self.charge_of(invoice.customer_id, fee.invoice_id).await?;
            let wrong = earlier.wrong(charge.left(), self.policy.late_fee.as_ref());
            if !wrong.is_positive() {
                continue;
            }
            let written = Written { on: zone.date_of(now), at: now, by: "engine", note: NOTE };
            let note = charge.correct(wrong, &payment.id.to_string(), written)?;
            let (payment_id, invoice_id) = (note.payment_id(), fee.invoice_id);
            let pays = fee.residual().min(wrong);
            if pays.is_positive() {
                back.allocations.push(Allocation { payment_id, invoice_id, amount: pays, at: now });
            }
            if wrong > pays {
                back.credit.push(CreditSource { payment_id, left: wrong - pays });
            }
            back.notes.push(note);
        }
        Ok(back)
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
