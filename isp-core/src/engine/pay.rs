//! Payments: receipt, allocation, reopening and the message, in one commit (rules P1 to P5).

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::billing::credit;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, SubscriptionId};
use crate::isolation::transition::Transition;
use crate::isolation::{AccessFacts, Decision, decide_isolation};
use crate::ledger::{entry_for_credit, entry_for_payment, entry_for_reversal};
use crate::message::{Notification, NotificationKind};
use crate::money::Money;
use crate::payment::{Allocation, Channel, CreditSource, Payment, PaymentReversal, allocate, write_off};
use crate::ports::{ChangeSet, StoreError};
use crate::text::Code;

/// A payment that somebody tells us of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// Who paid.
    pub customer_id: CustomerId,
    /// Through whom.
    pub provider: Code,
    /// The provider's reference.
    pub reference: Code,
    /// How much.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// The collector who took the money in cash and holds it until a deposit; `None` for money that came otherwise.
    pub collector: Option<Code>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PayReport {
    /// The payment.
    pub payment_id: PaymentId,
    /// True when it was known already: nothing was written (rule P1).
    pub known: bool,
    /// What it paid.
    pub paid: Vec<(InvoiceId, Money)>,
    /// What is left of it as credit.
    pub credit: Money,
    /// Lines that it reopened.
    pub reopened: Vec<SubscriptionId>,
}

impl Engine<'_> {
    /// Records a payment, pays the oldest invoices with it, and writes the wish to reopen what arrears had isolated, all
    /// in one commit: a router that is down cannot lose the reopening (rule P5).
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`EngineError::PaymentMismatch`] when the reference is known with another customer or
    /// amount; [`EngineError::Store`].
    pub async fn pay(&self, new: &NewPayment, now: DateTime<Utc>) -> Result<PayReport, EngineError> {
        if !new.amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" }.into());
        }
        for (kept, what) in [(credit::PROVIDER, "credit notes"), (write_off::PROVIDER, "write-offs")] {
            if new.provider.as_str() == kept {
                return Err(Error::ReservedProvider { what }.into());
            }
        }
        let channel = if new.collector.is_some() { Channel::Cash } else { Channel::of_provider(&new.provider) };
        let payment = Payment {
            id: Payment::id_of(self.tenant, &new.provider, &new.reference),
            customer_id: new.customer_id,
            provider: new.provider.clone(),
            reference: new.reference.clone(),
            channel,
            collector: new.collector.clone(),
            amount: new.amount,
            paid_at: new.paid_at,
            received_at: now,
        };
        until_written(async || {
            if let Some(known) = self.store.payment(self.tenant, payment.id).await? {
                return self.known_payment(&payment, &known.payment, known.left).await;
            }
            let (changes, report) = self.plan_payment(&payment, now).await?;
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok(report),
                // Another process wrote the same payment: look again.
                Err(StoreError::Duplicate { what: "payment.reference" }) => Err(StoreError::Conflict.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    async fn known_payment(&self, payment: &Payment, known: &Payment, left: Money) -> Result<PayReport, EngineError> {
        if known.customer_id != payment.customer_id || known.amount != payment.amount {
            return Err(EngineError::PaymentMismatch);
        }
        let allocations = self.store.allocations(self.tenant, payment.id).await?;
        Ok(PayReport {
            payment_id: payment.id,
            known: true,
            paid: allocations.iter().map(|a| (a.invoice_id, a.amount)).collect(),
            credit: left,
            reopened: Vec::new(),
        })
    }

    async fn plan_payment(&self, payment: &Payment, now: DateTime<Utc>) -> Result<(ChangeSet, PayReport), EngineError> {
        let facts = self.access_of(payment.customer_id).await?;
        let zone = facts.first().map_or(crate::Zone::Wib, |f| f.zone);
        let open = self.store.open_invoices(self.tenant, payment.customer_id).await?;
        let mut sources = self.store.credit(self.tenant, payment.customer_id).await?;
        sources.push(CreditSource { payment_id: payment.id, left: payment.amount });
        let allocations = allocate(&open, &sources, now);
        let (own, older): (Vec<Allocation>, Vec<Allocation>) =
            allocations.iter().partition(|a| a.payment_id == payment.id);
        let mut changes = ChangeSet::default();
        let mut report = PayReport {
            payment_id: payment.id,
            known: false,
            paid: own.iter().map(|a| (a.invoice_id, a.amount)).collect(),
            credit: payment.amount - own.iter().map(|a| a.amount).sum(),
            reopened: Vec::new(),
        };
        report.reopened = self.reopen_paid(&mut changes, &facts, &allocations, now);
        self.join_notices(&mut changes, &facts, now).await?;
        let today = zone.date_of(now);
        changes.journal.push(entry_for_payment(payment, &own, &open, today));
        changes.journal.extend(entry_for_credit(self.tenant, payment.customer_id, &older, &open, today));
        let kind = NotificationKind::PaymentReceived;
        let mut message = Notification::new(self.tenant, kind, 0, payment.customer_id, &[payment.id.0], now, zone);
        message.payment_id = Some(payment.id);
        message.subscription_id = facts.first().map(|f| f.subscription_id);
        // First the receipt, then the news that it reopened the line.
        changes.messages.insert(0, message);
        changes.payments.push(payment.clone());
        changes.allocations = allocations;
        Ok((changes, report))
    }

    /// Adds to a change set what follows for access from allocations in it: lines that they reopen, which it returns, and
    /// for all others that their facts changed.
    pub(crate) fn reopen_paid(
        &self,
        changes: &mut ChangeSet,
        facts: &[AccessFacts],
        allocations: &[Allocation],
        now: DateTime<Utc>,
    ) -> Vec<SubscriptionId> {
        let mut reopened = Vec::new();
        for before in facts {
            let after = paid(before, allocations);
            match decide_isolation(&after, &self.policy.isolation, now) {
                decision @ Decision::Reopen(_) => {
                    self.follow(changes, &after, Transition::decided(&after, decision, now), now);
                    reopened.push(before.subscription_id);
                }
                // An isolation that was decided from the debts before this payment must not be written after it.
                _ => changes.touched.push(before.subscription_id),
            }
        }
        reopened
    }

    /// Takes a payment back whole: what it paid is open again, and arrears follow from the facts (rule P4).
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Duplicate`] when it was reversed before; [`Error::NotReversible`] for the
    /// amount of a credit note.
    pub async fn reverse(
        &self,
        payment: PaymentId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Money, EngineError> {
        if reason.trim().is_empty() {
            return Err(Error::Empty { field: "reason" }.into());
        }
        until_written(async || {
            let row =
                self.store.payment(self.tenant, payment).await?.ok_or(StoreError::NotFound { what: "payment" })?;
            if row.reversal.is_some() {
                return Err(StoreError::Duplicate { what: "payment.reversal" }.into());
            }
            if row.payment.channel == Channel::CreditNote {
                return Err(Error::NotReversible.into());
            }
            let facts = self.access_of(row.payment.customer_id).await?;
            let zone = facts.first().map_or(crate::Zone::Wib, |f| f.zone);
            let back = taken_back(&self.store.allocations(self.tenant, payment).await?, now);
            let ids: Vec<InvoiceId> = back.iter().map(|a| a.invoice_id).collect();
            let invoices = self.store.balances(self.tenant, &ids).await?;
            let changes = ChangeSet {
                journal: vec![entry_for_reversal(&row.payment, &back, &invoices, zone.date_of(now))],
                reversals: vec![PaymentReversal {
                    payment_id: payment,
                    at: now,
                    reason: reason.to_owned(),
                    by: by.to_owned(),
                }],
                allocations: back,
                touched: facts.iter().map(|f| f.subscription_id).collect(),
                ..ChangeSet::default()
            };
            self.store.commit(self.tenant, changes).await?;
            Ok(row.payment.amount)
        })
        .await
    }
}

/// The facts as they are once these allocations are made.
fn paid(facts: &AccessFacts, allocations: &[Allocation]) -> AccessFacts {
    let mut after = facts.clone();
    for invoice in &mut after.open {
        invoice.paid += allocations.iter().filter(|a| a.invoice_id == invoice.invoice_id).map(|a| a.amount).sum();
    }
    after.open.retain(|i| i.residual().is_positive());
    after
}

/// The allocations that undo these, one an invoice.
fn taken_back(made: &[Allocation], at: DateTime<Utc>) -> Vec<Allocation> {
    let mut sums: std::collections::BTreeMap<InvoiceId, Allocation> = std::collections::BTreeMap::new();
    for a in made {
        let sum = sums.entry(a.invoice_id).or_insert(Allocation { amount: Money::ZERO, at, ..*a });
        sum.amount -= a.amount;
    }
    sums.into_values().filter(|a| !a.amount.is_zero()).collect()
}
