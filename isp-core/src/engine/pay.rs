//! Payments: receipt, allocation, reopening and the message, in one commit (rules P1 to P5).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::billing::{Arrears, Invoice, InvoiceBalance, InvoiceKind};
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, SubscriptionId};
use crate::isolation::transition::Transition;
use crate::isolation::{Access, AccessFacts, Decision, IsolationCause, decide_isolation};
use crate::ledger::{entry_for_credit, entry_for_payment, entry_for_reversal};
use crate::message::{Notification, NotificationKind};
use crate::money::{Money, plausible_amount};
use crate::payment::{
    Allocation, Channel, Closing, CreditSource, Heard, KnownPayment, PaidPart, Payment, PaymentReversal, Received,
    allocate, settle_again,
    withheld::{self, Withholding},
};
use crate::ports::{ChangeSet, Expectation, InvoiceQuery, PaymentRow, RequestQuery, StoreError};
use crate::text::{Code, Reference, given};

pub use crate::payment::Told;

/// A payment that somebody tells us of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// Who paid.
    pub customer_id: CustomerId,
    /// Through whom.
    pub provider: Code,
    /// The provider's reference.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// The collector who took the money in cash and holds it until a deposit; `None` for money that came otherwise.
    pub collector: Option<Code>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PayReport {
    /// The row that was written, or that was there before.
    pub payment_id: PaymentId,
    /// True when it was known already: nothing was written (rule P1).
    pub known: bool,
    /// True when what was known already had been taken back (rule P4): a machine says again what a person reversed, and
    /// nothing was written.
    pub taken_back: bool,
    /// What it paid.
    pub paid: Vec<(InvoiceId, Money)>,
    /// What is left of it as credit.
    pub credit: Money,
    /// Lines that it reopened.
    pub reopened: Vec<SubscriptionId>,
    /// What the customer owes after it.
    pub owed: Money,
    /// The part of that which is past its due date.
    pub overdue: Money,
    /// Lines that stay isolated for arrears after it.
    pub still_isolated: Vec<SubscriptionId>,
}

/// What a reversal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReverseReport {
    /// What was taken back.
    pub amount: Money,
    /// Late fees that are due without it, with PPN.
    pub fees_again: Money,
}

impl Engine<'_> {
    /// Records a payment that a person books, pays the oldest invoices with it, and writes the wish to reopen what arrears
    /// had isolated, all in one commit: a router that is down cannot lose the reopening (rule P5).
    ///
    /// Provider and reference make it one (rule P6): said again, nothing is written. A payment that was taken back leaves
    /// its reference free: who books it again means a new payment.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`Error::PaidInFuture`], [`Error::PaidLongAgo`], and for a slip of tax [`Error::SlipAboveDebt`],
    /// [`Error::SlipOdd`] and [`Error::SlipTwice`], on which [`Engine::pay_as`] can insist;
    /// [`EngineError::PaymentMismatch`] when the reference is known with another customer or amount;
    /// [`EngineError::Store`].
    pub async fn pay(&self, new: &NewPayment, now: DateTime<Utc>) -> Result<PayReport, EngineError> {
        self.pay_as(new, Told::ByPerson, now).await
    }

    /// Records a payment as [`Engine::pay`] does, by who says it.
    ///
    /// # Errors
    /// As [`Engine::pay`].
    pub async fn pay_as(&self, new: &NewPayment, told: Told, now: DateTime<Utc>) -> Result<PayReport, EngineError> {
        self.check_typed(new, told, now).await?;
        until_written(|| async {
            let (changes, report) = self.plan_heard(new, told, now).await?;
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok(report),
                // Another process wrote the same payment: look again.
                Err(StoreError::Duplicate { what: "payment.reference" }) => Err(StoreError::Conflict.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// What a new payment comes to, to be written with other things in one commit.
    pub(crate) async fn plan_told(
        &self,
        new: &NewPayment,
        told: Told,
        now: DateTime<Utc>,
    ) -> Result<(ChangeSet, PayReport), EngineError> {
        self.check_typed(new, told, now).await?;
        let (changes, report) = self.plan_heard(new, told, now).await?;
        if report.known { Err(EngineError::PaymentMismatch) } else { Ok((changes, report)) }
    }

    /// As [`Engine::plan_told`], but a payment that is known by its reference with the same customer and amount is that one, and
    /// nothing is to be written for it.
    pub(crate) async fn plan_told_or_known(
        &self,
        new: &NewPayment,
        told: Told,
        now: DateTime<Utc>,
    ) -> Result<(ChangeSet, PayReport), EngineError> {
        let (changes, report) = self.plan_heard(new, told, now).await?;
        match (report.known, report.taken_back) {
            (true, false) => Ok((changes, report)),
            (true, true) => Err(EngineError::PaymentMismatch),
            (false, _) => {
                self.check_typed(new, told, now).await?;
                Ok((changes, report))
            }
        }
    }

    /// What a payment comes to: a new one with what it writes, or one that is known, for which nothing is to be written.
    async fn plan_heard(
        &self,
        new: &NewPayment,
        told: Told,
        now: DateTime<Utc>,
    ) -> Result<(ChangeSet, PayReport), EngineError> {
        let known = self.known_as(new).await?;
        let (received, expected) = self.among(new, told, &known, now).await?;
        match received {
            Received::New => {
                let (mut changes, report) = self.plan_payment(&self.as_payment(new, known.len(), now), now).await?;
                changes.expected.extend(expected);
                Ok((changes, report))
            }
            Received::Known(at) | Received::TakenBack(at) => {
                Ok((ChangeSet::default(), self.known_payment(&known[at], now).await?))
            }
            Received::Differs(_) => Err(EngineError::PaymentMismatch),
        }
    }

    /// Whether it may be a payment at all. What is owed is looked up only where it makes a difference.
    async fn check_typed(&self, new: &NewPayment, told: Told, now: DateTime<Utc>) -> Result<(), EngineError> {
        let mut owed = Money::ZERO;
        if told == Told::ByPerson && plausible_amount("amount", new.amount).is_err() {
            let open = self.store.open_invoices(self.tenant, new.customer_id).await?;
            let known = self.known_as(new).await?;
            let of_one = open.iter().map(|i| i.residual());
            // Who says again what was booked made no slip either.
            let mut usual = of_one.chain(known.iter().map(|k| k.payment.amount));
            let all = || open.iter().map(|i| i.residual()).sum();
            owed = usual.find(|amount| *amount == new.amount).unwrap_or_else(all);
        }
        Ok(heard(new, told, owed).check(now)?)
    }

    /// The payments that go by the reference of a new one; of slips those of its customer, who numbers them.
    async fn known_as(&self, new: &NewPayment) -> Result<Vec<PaymentRow>, EngineError> {
        let mut known = self.store.payments_known_as(self.tenant, &new.provider, &new.reference).await?;
        known.retain(|row| !withheld::is_slip(&new.provider) || row.payment.customer_id == new.customer_id);
        Ok(known)
    }

    /// What it comes to among those that are known, and what must still be so when it is written.
    async fn among(
        &self,
        new: &NewPayment,
        told: Told,
        known: &[PaymentRow],
        now: DateTime<Utc>,
    ) -> Result<(Received, Option<Expectation>), EngineError> {
        let known: Vec<KnownPayment> = known.iter().map(known_as).collect();
        if !withheld::is_slip(&new.provider) {
            return Ok((heard(new, told, Money::ZERO).among(&known), None));
        }
        if new.collector.is_some() {
            return Err(Error::ReservedProvider { what: "PPh 23" }.into());
        }
        // First, so that what is read afterwards is no older than the number of them that the commit looks at.
        let payments = self.payments_of(new.customer_id).await?;
        let expected =
            (told == Told::ByPerson).then_some(Expectation::Payments(new.customer_id, payments.len() as u64));
        let owed = self.owed_by(new.customer_id).await?;
        let withheld = self.withholdings_of(new.customer_id, payments).await?;
        Ok((heard(new, told, owed).received(&known, &withheld, now)?, expected))
    }

    /// What slips of PPh 23 may be for, oldest first, with what they settle already.
    async fn withholdings_of(
        &self,
        customer: CustomerId,
        mut slips: Vec<PaymentRow>,
    ) -> Result<Vec<Withholding>, EngineError> {
        slips.retain(|row| row.reversal.is_none() && withheld::is_slip(&row.payment.provider));
        let mut settled: BTreeMap<InvoiceId, Money> = BTreeMap::new();
        for slip in slips {
            for part in self.store.allocations(self.tenant, slip.payment.id).await? {
                *settled.entry(part.invoice_id).or_default() += part.amount;
            }
        }
        let of = |(id, dpp, open): (InvoiceId, Money, bool)| Withholding {
            dpp,
            withheld: settled.get(&id).copied().unwrap_or_default(),
            open,
        };
        Ok(self.priced(customer).await?.into_iter().map(of).collect())
    }

    /// The prices without PPN of a customer's invoices, oldest first.
    pub(crate) async fn dpps_of(&self, customer: CustomerId) -> Result<Vec<Money>, EngineError> {
        Ok(self.priced(customer).await?.into_iter().map(|(_, dpp, _)| dpp).collect())
    }

    /// A customer's invoices, oldest first, each with its price without PPN after what was given back of it, and whether something is
    /// unpaid. A late fee is no price of a service, and nothing is kept back of it.
    async fn priced(&self, customer: CustomerId) -> Result<Vec<(InvoiceId, Money, bool)>, EngineError> {
        let query = InvoiceQuery { customer: Some(customer), ..InvoiceQuery::default() };
        let invoices = |page| self.store.invoices(self.tenant, query, page);
        let mut invoices = all_pages(self.page, invoices, |(invoice, _)| invoice.id).await?;
        invoices.retain(|(invoice, _)| invoice.kind != InvoiceKind::LateFee);
        invoices.sort_by_key(|(invoice, _)| (invoice.issue_date, invoice.number));
        let mut given_back: BTreeMap<InvoiceId, Money> = BTreeMap::new();
        for note in self.credit_notes_of(customer).await? {
            *given_back.entry(note.invoice_id).or_default() += note.total - note.ppn;
        }
        let of = |(invoice, paid): &(Invoice, Money)| {
            let back = given_back.get(&invoice.id).copied().unwrap_or_default();
            (invoice.id, invoice.total - invoice.ppn - back, (invoice.total - *paid).is_positive())
        };
        Ok(invoices.iter().map(of).filter(|(_, dpp, _)| dpp.is_positive()).collect())
    }

    /// The row of a payment whose reference was booked and taken back so often before.
    fn as_payment(&self, new: &NewPayment, before: usize, now: DateTime<Utc>) -> Payment {
        let channel = if new.collector.is_some() { Channel::Cash } else { Channel::of_provider(&new.provider) };
        Payment {
            id: Payment::id_of(self.tenant, new.customer_id, &new.provider, &new.reference, before),
            customer_id: new.customer_id,
            provider: new.provider.clone(),
            reference: new.reference.clone(),
            channel,
            collector: new.collector.clone(),
            amount: new.amount,
            paid_at: new.paid_at,
            received_at: now,
        }
    }

    async fn known_payment(&self, row: &PaymentRow, now: DateTime<Utc>) -> Result<PayReport, EngineError> {
        let known = &row.payment;
        let taken_back = row.reversal.is_some();
        let allocations = match taken_back {
            true => Vec::new(),
            false => self.store.allocations(self.tenant, known.id).await?,
        };
        let facts = self.access_of(known.customer_id).await?;
        let today = facts.first().map_or(crate::Zone::Wib, |f| f.zone).date_of(now);
        let open = self.store.open_invoices(self.tenant, known.customer_id).await?;
        let isolated =
            |f: &&AccessFacts| f.access.desired == Access::Isolated && f.access.cause != Some(IsolationCause::Manual);
        Ok(PayReport {
            payment_id: known.id,
            known: true,
            taken_back,
            paid: allocations.iter().map(|a| (a.invoice_id, a.amount)).collect(),
            credit: row.left,
            reopened: Vec::new(),
            owed: open.iter().map(|i| i.residual()).sum(),
            overdue: Arrears::of(&open, today).overdue,
            still_isolated: facts.iter().filter(isolated).map(|f| f.subscription_id).collect(),
        })
    }

    async fn plan_payment(&self, payment: &Payment, now: DateTime<Utc>) -> Result<(ChangeSet, PayReport), EngineError> {
        let facts = self.access_of(payment.customer_id).await?;
        let zone = facts.first().map_or(crate::Zone::Wib, |f| f.zone);
        let open = self.store.open_invoices(self.tenant, payment.customer_id).await?;
        let mut sources = self.store.credit(self.tenant, payment.customer_id).await?;
        sources.push(CreditSource { payment_id: payment.id, since: now, left: payment.amount });
        // A late fee that it makes wrong is given back first (rule P7); its note pays the fee itself before anything else.
        let back = self.fees_back(payment, &open, &facts, now).await?;
        sources.extend(back.credit);
        let rest = still_open(&open, &back.allocations);
        let allocations = [back.allocations, allocate(&rest, &sources, now)].concat();
        let (own, older): (Vec<Allocation>, Vec<Allocation>) =
            allocations.iter().partition(|a| a.payment_id == payment.id);
        let mut changes = ChangeSet::default();
        let mut report = PayReport {
            payment_id: payment.id,
            known: false,
            taken_back: false,
            paid: own.iter().map(|a| (a.invoice_id, a.amount)).collect(),
            credit: payment.amount - own.iter().map(|a| a.amount).sum(),
            reopened: Vec::new(),
            owed: Money::ZERO,
            overdue: Money::ZERO,
            still_isolated: Vec::new(),
        };
        report.reopened = self.reopen_paid(&mut changes, &facts, &allocations, now);
        let stays = |f: &&AccessFacts| {
            let isolated = f.access.desired == Access::Isolated && f.access.cause != Some(IsolationCause::Manual);
            isolated && !report.reopened.contains(&f.subscription_id)
        };
        report.still_isolated = facts.iter().filter(stays).map(|f| f.subscription_id).collect();
        let rest = still_open(&open, &allocations);
        report.owed = rest.iter().map(|i| i.residual()).sum();
        report.overdue = Arrears::of(&rest, zone.date_of(now)).overdue;
        self.join_notices(&mut changes, &facts, now).await?;
        let today = zone.date_of(now);
        changes.journal.push(entry_for_payment(payment, &own, &open, today));
        changes.journal.extend(entry_for_credit(self.tenant, payment.customer_id, &older, &open, today));
        // A slip of tax is no money, so there is no receipt to give: it is the customer who gave one.
        if payment.channel.is_money() {
            let kind = NotificationKind::PaymentReceived;
            let mut message = Notification::new(self.tenant, kind, 0, payment.customer_id, &[payment.id.0], now, zone);
            message.payment_id = Some(payment.id);
            // The receipt is about the lines that stay isolated, if there are such: it says so.
            let mut isolated = report.still_isolated.iter().copied();
            message.subscription_id = isolated.next().or_else(|| facts.first().map(|f| f.subscription_id));
            message.also = isolated.collect();
            // First the receipt, then the news that it reopened the line.
            changes.messages.insert(0, message);
        }
        changes.credit_notes = back.notes;
        // What its customer was asked for is no longer what is owed. Who pays it all the same has credit.
        self.withdraw_requests(&mut changes, payment.customer_id, now).await?;
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

    /// Takes a payment back whole: what it paid is open again, and arrears follow from the facts (rule P4): what the customer paid
    /// else pays the oldest invoices, as if this payment had never come. A payment request that it paid is cancelled. A late fee that it
    /// had spared is charged (rule P7), due as any invoice of today.
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
    ) -> Result<ReverseReport, EngineError> {
        self.reverse_as(payment, by, reason, Told::ByPersonWhoInsists, now).await
    }

    /// Takes a payment back as [`Engine::reverse`] does, by who says it: a person is asked about cash, or PPh 23, that is
    /// not there.
    ///
    /// # Errors
    /// As [`Engine::reverse`]; [`Error::CashShort`], [`Error::Pph23Short`], on which a person can insist.
    pub async fn reverse_as(
        &self,
        payment: PaymentId,
        by: &str,
        reason: &str,
        told: Told,
        now: DateTime<Utc>,
    ) -> Result<ReverseReport, EngineError> {
        given("reason", reason)?;
        until_written(|| async {
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
            let paid = self.store.allocations(self.tenant, payment).await?;
            if row.left + paid.iter().map(|a| a.amount).sum::<Money>() < row.payment.amount {
                // Unless somebody took it back, or moved it, between the two looks.
                let again = self.store.payment(self.tenant, payment).await?;
                let same = again.is_some_and(|again| again.left == row.left && again.reversal.is_none());
                return Err(if same { Error::PaidOut.into() } else { StoreError::Conflict.into() });
            }
            let back = taken_back(&paid, now);
            let ids: Vec<InvoiceId> = back.iter().map(|a| a.invoice_id).collect();
            let invoices = self.store.balances(self.tenant, &ids).await?;
            let (settled, balances) = self.settle_again(&row.payment, &back, &invoices, now).await?;
            let today = zone.date_of(now);
            let mut journal = vec![entry_for_reversal(&row.payment, &back, &invoices, today)];
            journal.extend(entry_for_credit(self.tenant, row.payment.customer_id, &settled, &balances, today));
            let fees = self.fees_again(&row.payment, &facts, now).await?;
            let fees_again = fees.iter().map(|fee| fee.total).sum();
            let mut changes = ChangeSet {
                invoices: fees,
                journal,
                reversals: vec![PaymentReversal {
                    payment_id: payment,
                    at: now,
                    reason: reason.to_owned(),
                    by: by.to_owned(),
                }],
                allocations: [back, settled].concat(),
                touched: facts.iter().map(|f| f.subscription_id).collect(),
                ..ChangeSet::default()
            };
            // A request that it paid is paid no more. Its amount still names its customer, as that of any cancelled one.
            let query = RequestQuery { customer: Some(row.payment.customer_id), ..RequestQuery::default() };
            let mut paid_by_it = self.requests(query).await?;
            paid_by_it.retain(|request| request.closing.is_some_and(|closing| closing.payment_id == Some(payment)));
            let cancelled = Closing { at: now, payment_id: None };
            changes.request_closings.extend(paid_by_it.iter().map(|request| (request.id, cancelled)));
            // What a bank told of it waits for a person again.
            self.unmatch_payment(&mut changes, payment, by, reason, now).await?;
            self.commit_covered(changes, told).await?;
            Ok(ReverseReport { amount: row.payment.amount, fees_again })
        })
        .await
    }
}

fn heard(new: &NewPayment, told: Told, owed: Money) -> Heard<'_> {
    let NewPayment { customer_id, ref provider, amount, paid_at, .. } = *new;
    Heard { customer_id, provider, amount, paid_at, told, owed }
}

impl Engine<'_> {
    /// The allocations that undo what a payment paid, and those by which other credit pays it instead; with the invoices they are about.
    pub(crate) async fn unsettle(
        &self,
        reversed: &Payment,
        paid: &[Allocation],
        now: DateTime<Utc>,
    ) -> Result<(Vec<Allocation>, Vec<InvoiceBalance>), EngineError> {
        let back = taken_back(paid, now);
        let ids: Vec<InvoiceId> = back.iter().map(|a| a.invoice_id).collect();
        let mut invoices = self.store.balances(self.tenant, &ids).await?;
        let (settled, others) = self.settle_again(reversed, &back, &invoices, now).await?;
        invoices.extend(others);
        Ok(([back, settled].concat(), invoices))
    }

    /// What pays the invoices that a reversed payment leaves open: their own credit notes first, then other credit, then what newer
    /// invoices were paid with, which a debt that was written off meanwhile does not take. With the invoices it is about.
    async fn settle_again(
        &self,
        reversed: &Payment,
        back: &[Allocation],
        reopened: &[InvoiceBalance],
        now: DateTime<Utc>,
    ) -> Result<(Vec<Allocation>, Vec<InvoiceBalance>), EngineError> {
        if back.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let newer_pay = reversed.channel != Channel::WriteOff;
        let mut open = self.store.open_invoices(self.tenant, reversed.customer_id).await?;
        let known = |open: &[InvoiceBalance], i: &InvoiceBalance| open.iter().any(|o| o.invoice_id == i.invoice_id);
        let others: Vec<InvoiceBalance> = reopened.iter().filter(|i| !known(&open, i)).copied().collect();
        open.extend(others);
        let open = still_open(&open, back);
        let mut credit = self.store.credit(self.tenant, reversed.customer_id).await?;
        credit.retain(|source| source.payment_id != reversed.id);
        let notes = self.credit_notes_of(reversed.customer_id).await?;
        let own: BTreeMap<PaymentId, InvoiceId> =
            notes.iter().map(|note| (note.payment_id(), note.invoice_id)).collect();
        let mut pays: BTreeMap<(InvoiceId, PaymentId), Money> = BTreeMap::new();
        for PaymentRow { payment, reversal, .. } in self.payments_of(reversed.customer_id).await? {
            let moves = newer_pay && payment.channel.pays_oldest() || own.contains_key(&payment.id);
            if moves && reversal.is_none() && payment.id != reversed.id {
                for a in self.store.allocations(self.tenant, payment.id).await? {
                    *pays.entry((a.invoice_id, payment.id)).or_default() += a.amount;
                }
            }
        }
        let ids: Vec<InvoiceId> = pays.keys().map(|(invoice, _)| *invoice).collect();
        let mut balances = self.store.balances(self.tenant, &ids).await?;
        let of = |id: InvoiceId| balances.iter().find(|i| i.invoice_id == id).copied();
        let part = |((id, payment_id), amount)| Some(PaidPart { invoice: of(id)?, payment_id, amount });
        let paid: Vec<PaidPart<InvoiceBalance>> = pays.into_iter().filter_map(part).collect();
        let settled = settle_again(&open, &credit, &paid, &own, now);
        balances.extend(open);
        Ok((settled, balances))
    }
}

fn known_as(row: &PaymentRow) -> KnownPayment {
    let Payment { customer_id, amount, paid_at, .. } = row.payment;
    KnownPayment { customer_id, amount, paid_at, reversed: row.reversal.is_some() }
}

/// The facts as they are once these allocations are made.
fn paid(facts: &AccessFacts, allocations: &[Allocation]) -> AccessFacts {
    let mut after = facts.clone();
    after.open = still_open(&facts.open, allocations);
    after
}

/// The invoices that stay open once these allocations are made.
fn still_open(open: &[InvoiceBalance], allocations: &[Allocation]) -> Vec<InvoiceBalance> {
    let mut open = open.to_vec();
    for invoice in &mut open {
        let debt = &mut invoice.debt;
        debt.paid += allocations.iter().filter(|a| a.invoice_id == debt.invoice_id).map(|a| a.amount).sum();
    }
    open.retain(|i| i.residual().is_positive());
    open
}

/// The allocations that undo these, one an invoice.
fn taken_back(made: &[Allocation], at: DateTime<Utc>) -> Vec<Allocation> {
    let mut sums: BTreeMap<InvoiceId, Allocation> = BTreeMap::new();
    for a in made {
        let sum = sums.entry(a.invoice_id).or_insert(Allocation { amount: Money::ZERO, at, ..*a });
        sum.amount -= a.amount;
    }
    sums.into_values().filter(|a| !a.amount.is_zero()).collect()
}
