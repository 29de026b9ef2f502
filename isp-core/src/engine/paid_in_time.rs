//! Loads what late fees follow from (rules P4, P7) and asks [`Books`] what they come to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::{Charge, CreditNote, Invoice, InvoiceBalance, InvoiceKind, LateFee, LateFeePolicy, Written};
use crate::calendar::Zone;
use crate::engine::pages::all_pages;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, InvoiceId};
use crate::isolation::AccessFacts;
use crate::money::Money;
use crate::payment::books::{Billed, FeeCharged};
use crate::payment::in_time::Came;
use crate::payment::{Allocation, Books, CreditSource, Payment};
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

impl Engine<'_> {
    /// The late fees that were charged because a payment was not known yet, and are not due. `open` is what is unpaid.
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
        let (mut books, _) = self.books_of(payment.customer_id, &fees, facts).await?;
        books.money.push((payment.id, Came { at: payment.paid_at, amount: payment.amount, only: None }));
        for wrong in books.fees_back(payment.id, self.policy.late_fee.as_ref(), now) {
            let Some(fee) = fees.iter().find(|fee| fee.invoice.id == wrong.fee) else { continue };
            let written = Written { on: zone_of(facts, &fee.invoice).date_of(now), at: now, by: "engine", note: NOTE };
            let note = fee.correct(wrong.amount, &payment.id.to_string(), written)?;
            let (payment_id, invoice_id) = (note.payment_id(), fee.invoice.id);
            let residual = open.iter().find(|i| i.invoice_id == invoice_id).map_or(Money::ZERO, |i| i.residual());
            let pays = residual.min(wrong.amount);
            if pays.is_positive() {
                back.allocations.push(Allocation { payment_id, invoice_id, amount: pays, at: now });
            }
            if wrong.amount > pays {
                back.credit.push(CreditSource { payment_id, since: now, left: wrong.amount - pays });
            }
            back.notes.push(note);
        }
        Ok(back)
    }

    /// The late fees that are due because a payment is taken back that had spared them.
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
        let (books, invoices) = self.books_of(payment.customer_id, &fees, facts).await?;
        let through = self.store.billing_position(self.tenant).await?.map(|p| self.fee_window(p));
        let due = books.fees_again(payment.id, policy, &self.policy.billing, &self.policy.tax, through, now)?;
        let of = |id| invoices.iter().find(|i: &&InvoiceBalance| i.invoice_id == id);
        Ok(due.iter().filter_map(|fee| Some(fee.bill.invoice(of(fee.late)?, fee.nth))).collect())
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
            let by_facts = self.books_of(customer, &fees, &facts).await?.0.unpaid(policy);
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
        fees: &[Charge],
        facts: &[AccessFacts],
    ) -> Result<(Books, Vec<InvoiceBalance>), EngineError> {
        let query = InvoiceQuery { customer: Some(customer), ..InvoiceQuery::default() };
        let load = |page| self.store.invoices(self.tenant, query, page);
        let rows = all_pages(self.page, load, |(invoice, _)| invoice.id).await?;
        let invoices: Vec<InvoiceBalance> = rows.iter().map(|(invoice, paid)| invoice.balance(*paid)).collect();
        let for_service: Vec<InvoiceBalance> =
            invoices.iter().filter(|i| i.kind == InvoiceKind::Subscription).copied().collect();
        let unserved = self.unserved(&for_service).await?;
        let billed = rows.iter().zip(&invoices).map(|((invoice, _), balance)| Billed {
            debt: balance.debt,
            zone: zone_of(facts, invoice),
            bears: invoice.kind == InvoiceKind::Subscription && !unserved.contains(&invoice.id),
            fees: LateFee::of(invoice.id, fees).into_iter().map(charged).collect(),
        });
        let mut money = Vec::new();
        for PaymentRow { payment, reversal, .. } in self.payments_of(customer).await? {
            if reversal.is_some() {
                continue;
            }
            let (id, at) = (payment.id, payment.paid_at);
            if payment.channel.pays_oldest() {
                money.push((id, Came { at, amount: payment.amount, only: None }));
                continue;
            }
            // What a person or a rule gave for something stays with it.
            let used = self.store.allocations(self.tenant, id).await?;
            money.extend(used.iter().map(|a| (id, Came { at, amount: a.amount, only: Some(a.invoice_id) })));
        }
        Ok((Books { invoices: billed.collect(), money }, invoices))
    }
}

fn zone_of(facts: &[AccessFacts], invoice: &Invoice) -> Zone {
    let line = facts.iter().find(|f| f.subscription_id == invoice.subscription_id);
    line.or(facts.first()).map_or(Zone::Wib, |f| f.zone)
}

fn charged(fee: &Charge) -> FeeCharged {
    let for_payments = |n: &&CreditNote| n.by == "engine" && n.note == NOTE;
    FeeCharged {
        invoice_id: fee.invoice.id,
        on: fee.invoice.issue_date,
        total: fee.invoice.total,
        ppn: fee.invoice.ppn,
        back: fee.invoice.total - fee.left(),
        for_payments: fee.notes.iter().filter(for_payments).map(|n| n.total).sum(),
    }
}
