//! Late fees follow the facts (rules P4, P7): a payment that was made in time and is recorded later takes a fee back, and a
//! payment that is taken back charges it. The order in which payments are typed makes no difference.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::{
    Charge, CreditNote, Invoice, InvoiceBalance, InvoiceKind, LateFee, LateFeePolicy, Written, late_fee,
};
use crate::calendar::{Date, Zone};
use crate::engine::pages::all_pages;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, InvoiceId, PaymentId};
use crate::isolation::AccessFacts;
use crate::money::Money;
use crate::payment::in_time::{Came, Issued, unpaid_when};
use crate::payment::{Allocation, Channel, CreditSource, Payment};
use crate::ports::{InvoiceQuery, PaymentRow};

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

/// The invoices of a customer, and the money as it came.
struct Books {
    invoices: Vec<InvoiceBalance>,
    /// Late fees, with what was given back of them.
    fees: Vec<Charge>,
    came: Vec<(PaymentId, Came)>,
    zones: Vec<AccessFacts>,
}

impl Books {
    fn zone_of(&self, invoice: &InvoiceBalance) -> Zone {
        let line = self.zones.iter().find(|f| f.subscription_id == invoice.subscription_id);
        line.or(self.zones.first()).map_or(Zone::Wib, |f| f.zone)
    }

    /// The day of the fee of an invoice. A fee that a reversal charged is of a later day than the one that decides.
    fn fee_day(&self, invoice: &InvoiceBalance, policy: Option<&LateFeePolicy>) -> Option<Date> {
        let charged = LateFee::of(invoice.invoice_id, &self.fees).first().map(|fee| fee.invoice.issue_date);
        [charged, policy.map(|p| p.day(invoice.due_date))].into_iter().flatten().min()
    }

    /// What was unpaid of each invoice for service when the day of its fee began, of those whose day came by `today`; without
    /// the payment `without`.
    fn unpaid(
        &self,
        policy: Option<&LateFeePolicy>,
        today: Date,
        without: Option<PaymentId>,
    ) -> BTreeMap<InvoiceId, Money> {
        let issued = self.invoices.iter().map(|invoice| {
            let zone = self.zone_of(invoice);
            let day = self.fee_day(invoice, policy).filter(|day| *day <= today);
            let asked = day.filter(|_| invoice.kind == InvoiceKind::Subscription).map(|day| day.midnight(zone));
            Issued { invoice: *invoice, at: invoice.issue_date.midnight(zone), asked }
        });
        let issued: Vec<Issued> = issued.collect();
        let came = self.came.iter().filter(|(id, _)| Some(*id) != without).map(|(_, came)| *came);
        unpaid_when(&issued, &came.collect::<Vec<_>>())
    }
}

impl Engine<'_> {
    /// The late fees that were charged because a payment was not known yet, and are not due: it counts from the moment it
    /// was made. `open` is what is unpaid.
    pub(crate) async fn fees_back(
        &self,
        payment: &Payment,
        open: &[InvoiceBalance],
        facts: &[AccessFacts],
        now: DateTime<Utc>,
    ) -> Result<FeesBack, EngineError> {
        let mut back = FeesBack::default();
        // Each customer's day: one who pays today and is recorded today is not asked about any further.
        if Zone::Wit.date_of(payment.paid_at) >= Zone::Wib.date_of(now) {
            return Ok(back);
        }
        let fees = self.late_fees_of(payment.customer_id).await?;
        if fees.is_empty() {
            return Ok(back);
        }
        let mut books = self.books_of(payment.customer_id, fees, facts).await?;
        books.came.push((payment.id, Came { at: payment.paid_at, amount: payment.amount, only: None }));
        let (policy, today) = (self.policy.late_fee.as_ref(), Zone::Wit.date_of(now));
        let before = books.unpaid(policy, today, Some(payment.id));
        for (invoice, after) in books.unpaid(policy, today, None) {
            let fees = LateFee::of(invoice, &books.fees);
            let was = before.get(&invoice).copied().unwrap_or(after);
            let Some(first) = fees.first().filter(|_| was != after) else { continue };
            let stands = stands(&fees);
            let mut wrong = stands - late_fee::right(as_charged(first), stands, policy, was, after);
            let zone = books.zone_of(&first.invoice.balance(Money::ZERO));
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

    /// The late fees that are due because a payment is taken back that had spared them: those that were charged, as they were,
    /// and those whose day has passed by since. A day that the run has not come to is left to the run.
    pub(crate) async fn fees_again(
        &self,
        payment: &Payment,
        facts: &[AccessFacts],
        now: DateTime<Utc>,
    ) -> Result<Vec<Invoice>, EngineError> {
        let policy = self.policy.late_fee.as_ref();
        let fees = self.late_fees_of(payment.customer_id).await?;
        if policy.is_none() && fees.is_empty() {
            return Ok(Vec::new());
        }
        let books = self.books_of(payment.customer_id, fees, facts).await?;
        let position = self.store.billing_position(self.tenant).await?;
        let (today, charged_to) = (Zone::Wit.date_of(now), position.map(|p| self.fee_window(p)));
        let before = books.unpaid(policy, today, None);
        let after = books.unpaid(policy, today, Some(payment.id));
        let late: Vec<InvoiceBalance> =
            books.invoices.iter().filter(|i| after.get(&i.invoice_id) > before.get(&i.invoice_id)).copied().collect();
        let unserved = self.unserved(&late).await?;
        let mut due = Vec::new();
        for invoice in late.iter().filter(|i| !unserved.contains(&i.invoice_id)) {
            let of = |sums: &BTreeMap<InvoiceId, Money>| sums.get(&invoice.invoice_id).copied().unwrap_or_default();
            let (was, is) = (of(&before), of(&after));
            let fees = LateFee::of(invoice.invoice_id, &books.fees);
            let on = books.zone_of(invoice).date_of(now);
            if let Some(first) = fees.first() {
                let stands = stands(&fees);
                let again = late_fee::right(as_charged(first), stands, policy, was, is) - stands;
                if again.is_positive() {
                    due.extend(LateFee::charge_again(invoice.invoice_id, &fees, again, on, &self.policy.billing));
                }
            } else if let Some(policy) = policy.filter(|_| was.is_zero()) {
                let passed = charged_to.is_some_and(|last| policy.day(invoice.due_date) <= last);
                let then = InvoiceBalance { paid: invoice.total - is, ..*invoice };
                if let Some(fee) = LateFee::on(then, policy).filter(|_| passed) {
                    due.push(LateFee { on, ..fee }.invoice(policy, &self.policy.billing, &self.policy.tax)?);
                }
            }
        }
        Ok(due)
    }

    /// What was really unpaid of late invoices when the day of their fee began, of those whose allocations may say otherwise: the
    /// money was there, but it was typed so that another invoice has it.
    pub(crate) async fn unpaid_by_the_facts(
        &self,
        late: &[InvoiceBalance],
        policy: &LateFeePolicy,
    ) -> Result<BTreeMap<InvoiceId, Money>, EngineError> {
        let customers: BTreeSet<CustomerId> = late.iter().map(|i| i.customer_id).collect();
        let mut unpaid = BTreeMap::new();
        for customer in customers {
            let of: Vec<&InvoiceBalance> = late.iter().filter(|i| i.customer_id == customer).collect();
            let Some(first) = of.iter().map(|i| policy.day(i.due_date)).min() else { continue };
            // Nearly always each payment was typed before the next was made, and what it paid is what it was for.
            let rows = self.payments_of(customer).await?;
            let begins = first.midnight(Zone::Wit);
            if rows.iter().all(|row| row.reversal.is_none() && row.left.is_zero() && row.payment.paid_at < begins) {
                continue;
            }
            let facts = self.access_of(customer).await?;
            let fees = self.late_fees_of(customer).await?;
            let books = self.books_of(customer, fees, &facts).await?;
            let by_facts = books.unpaid(Some(policy), Date::MAX, None);
            unpaid.extend(of.iter().filter_map(|i| Some((i.invoice_id, *by_facts.get(&i.invoice_id)?))));
        }
        Ok(unpaid)
    }

    pub(crate) async fn payments_of(&self, customer: CustomerId) -> Result<Vec<PaymentRow>, EngineError> {
        let load = |page| self.store.payments(self.tenant, Some(customer), page);
        all_pages(self.page, load, |row| row.payment.id).await
    }

    async fn books_of(
        &self,
        customer: CustomerId,
        fees: Vec<Charge>,
        facts: &[AccessFacts],
    ) -> Result<Books, EngineError> {
        let query = InvoiceQuery { customer: Some(customer), ..InvoiceQuery::default() };
        let load = |page| self.store.invoices(self.tenant, query, page);
        let invoices = all_pages(self.page, load, |(invoice, _)| invoice.id).await?;
        let invoices = invoices.into_iter().map(|(invoice, paid)| invoice.balance(paid)).collect();
        let mut came = Vec::new();
        for PaymentRow { payment, reversal, .. } in self.payments_of(customer).await? {
            if reversal.is_some() {
                continue;
            }
            let (id, at) = (payment.id, payment.paid_at);
            if !matches!(payment.channel, Channel::CreditNote | Channel::WriteOff) {
                came.push((id, Came { at, amount: payment.amount, only: None }));
                continue;
            }
            // What a person or a rule gave for something stays with it.
            let used = self.store.allocations(self.tenant, id).await?;
            came.extend(used.iter().map(|a| (id, Came { at, amount: a.amount, only: Some(a.invoice_id) })));
        }
        Ok(Books { invoices, fees, came, zones: facts.to_vec() })
    }
}

/// What stands of a fee for payments: what was charged, less what payments gave back. What a person gave back is not charged again.
fn stands(fees: &[&Charge]) -> Money {
    let for_payments = |n: &&CreditNote| n.by == "engine" && n.note == NOTE;
    let back: Money = fees.iter().flat_map(|f| &f.notes).filter(for_payments).map(|n| n.total).sum();
    fees.iter().map(|fee| fee.invoice.total).sum::<Money>() - back
}

fn as_charged(first: &Charge) -> (Money, Money) {
    (first.invoice.total, first.invoice.total - first.invoice.ppn)
}
