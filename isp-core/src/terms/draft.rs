//! A change while it is worked out.

use crate::billing::plan::{next_invoice, part_invoice};
use crate::billing::{Billable, Charge, CreditReason, Invoice, InvoiceKind, LateFee, paid_until, plan_billing};
use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::{Ids, InvoiceId, LineIds};
use crate::isolation::{Access, AccessEventKind};
use crate::subscription::{BillingTerms, HeldPrice, PackageChange, SubscriptionStatus, Timing};

use super::change::{AccessStep, Change, PackageMoved, fingerprint};
use super::facts::LineFacts;

/// What was charged, and what is written so far.
pub(super) struct Draft<'f, 'a, I: Ids> {
    pub(super) facts: &'f LineFacts<'a, I>,
    /// What the line was charged, what has come due included, in the order of days.
    pub(super) charges: Vec<Charge<I>>,
    pub(super) change: Change<I>,
}

impl<'f, 'a, I: LineIds> Draft<'f, 'a, I> {
    /// Starts with everything that has come due under some terms, so that a late run never applies new terms to old days.
    pub(super) fn settled(facts: &'f LineFacts<'a, I>, due_under: BillingTerms) -> Result<Self, Error> {
        let mut draft = Self { facts, charges: facts.charges.to_vec(), change: Change::new(facts) };
        draft.settle(due_under)?;
        Ok(draft)
    }

    /// Writes what has come due under some terms and was not charged.
    pub(super) fn settle(&mut self, terms: BillingTerms) -> Result<(), Error> {
        let mut row = Billable { terms, ..self.facts.line };
        if let (Timing::Postpaid, Some(end)) = (terms.timing, terms.end) {
            // The days before an end come due at that end, and the position may have passed it already.
            let from = terms.billed_from.or(self.facts.position.map(|position| position.plus_days(1)));
            row.terms.billed_from = from.map(|from| from.min(end));
        }
        let mut plan = plan_billing(&[row], &self.facts.context());
        if let Some(problem) = plan.problems.pop() {
            return Err(problem.error);
        }
        for invoice in plan.invoices {
            if self.charges.iter().all(|c| c.invoice.id != invoice.id) {
                self.write(invoice)?;
            }
        }
        Ok(())
    }

    /// Writes an invoice for days. There is one of a kind for a first day (rule B3).
    pub(super) fn write(&mut self, invoice: Invoice<I>) -> Result<(), Error> {
        let same = |c: &Charge<I>| (c.invoice.kind, c.invoice.period.start) == (invoice.kind, invoice.period.start);
        if self.charges.iter().any(same) {
            return Err(Error::GivenBackToday);
        }
        self.charges.push(Charge::new(invoice.clone()));
        self.charges.sort_by_key(|c| (c.invoice.period.start, c.invoice.id));
        self.change.invoices.push(invoice);
        Ok(())
    }

    /// Writes the invoice for a part of a `full` period, today.
    pub(super) fn write_part(&mut self, terms: BillingTerms, full: Period, part: Period) -> Result<(), Error> {
        let row = Billable { terms, ..self.facts.line };
        let mut invoice = part_invoice(&row, full, part, self.facts.today(), &self.facts.context())?;
        let period_was_billed =
            |c: &Charge<I>| c.invoice.kind == InvoiceKind::Subscription && c.invoice.period.start == part.start;
        if self.charges.iter().any(period_was_billed) {
            // The period that begins here was billed and given back: what is served of it after all is an adjustment.
            invoice.kind = InvoiceKind::Adjustment;
            invoice.id = InvoiceId::of_adjustment(row.subscription_id, part.start, self.facts.today());
        }
        self.write(invoice)
    }

    /// The first day after `day` from which on an earlier change adjusted what was charged.
    pub(super) fn changed_after(&self, day: Date) -> Option<Date> {
        let adjusted =
            self.charges.iter().filter(|c| c.invoice.kind == InvoiceKind::Adjustment).map(|c| c.invoice.period.start);
        let notes = self.charges.iter().flat_map(|c| &c.notes).filter(|n| n.reason == CreditReason::PackageChange);
        adjusted.chain(notes.map(|n| n.period.start)).filter(|start| *start > day).min()
    }

    /// The first day from `day` on that is not paid for, if that day itself is.
    pub(super) fn paid_until(&self, day: Date) -> Option<Date> {
        paid_until(&self.charges, day)
    }

    /// Gives back what is charged from a day on: days that were not served. A period that begins on that day or later goes
    /// back whole, with its late fee, as nobody would have billed it (rule B12). Of the one that holds the day, the rest
    /// goes back when `rest` says so; who pays afterwards pays no unserved day.
    pub(super) fn give_back_from(&mut self, day: Date, reason: CreditReason, rest: bool) {
        let rest = rest || self.facts.line.terms.timing == Timing::Postpaid;
        let unserved = Period { start: day, end: Date::MAX };
        let (key, written) = (day.to_string(), self.facts.written());
        for charge in &mut self.charges {
            let whole = charge.invoice.period.start >= day;
            if whole || rest {
                let notes = charge.give_back(unserved, (1, 1), reason, &key, written);
                charge.notes.extend(notes.iter().cloned());
                self.change.credit_notes.extend(notes);
            }
            let fees = if whole { LateFee::of(charge.invoice.id, self.facts.late_fees) } else { Vec::new() };
            for fee in fees {
                self.change.credit_notes.extend(fee.give_back(fee.invoice.period, (1, 1), reason, &key, written));
            }
        }
    }

    /// The change with the new terms, which hold from a day on.
    pub(super) fn finish(mut self, terms: BillingTerms, from: Date) -> Result<Change<I>, Error> {
        let facts = self.facts;
        let terms = planned_on_the_grid(terms);
        let row = Billable { terms, ..facts.line };
        let known = |id: InvoiceId| self.charges.iter().any(|c| c.invoice.id == id);
        self.change.next = next_invoice(&row, &facts.context(), known)?;
        self.change.package_moved = package_moved(&facts.line.terms, &terms);
        self.change.terms = terms;
        self.change.from = from;
        self.change.access = access_step(facts, &terms);
        self.change.fingerprint = fingerprint(facts, &self.change);
        Ok(self.change)
    }
}

/// A planned package begins with a period. Where the grid has moved under it, that is the first one on or after its day.
fn planned_on_the_grid(terms: BillingTerms) -> BillingTerms {
    let Some(planned) = terms.change.filter(|c| c.from > terms.first_day()) else { return terms };
    let from = terms.grid_from(planned.from);
    let held_price =
        terms.held_price.map(|h| HeldPrice { until: h.until.map(|u| if u == planned.from { from } else { u }), ..h });
    BillingTerms { change: Some(PackageChange { from, ..planned }), held_price, ..terms }
}

/// A planned package that stays planned and begins on another day.
fn package_moved(before: &BillingTerms, after: &BillingTerms) -> Option<PackageMoved> {
    let (was, now) = (before.change?, after.change?);
    let moved = was.package_id == now.package_id && was.from != now.from && now.from > after.first_day();
    moved.then_some(PackageMoved { package_id: now.package_id, was: was.from, from: now.from })
}

/// A wish that cannot be about a day that lies ahead.
pub(super) fn not_ahead<I: LineIds>(facts: &LineFacts<'_, I>, on: Date) -> Result<(), Error> {
    if on > facts.today() { Err(Error::DayAhead { on }) } else { Ok(()) }
}

/// What the new terms mean for access today.
fn access_step<I: LineIds>(facts: &LineFacts<'_, I>, terms: &BillingTerms) -> Option<AccessStep> {
    let (kind, reason) = match (terms.status_on(facts.today()), facts.access) {
        (SubscriptionStatus::Active, Access::Closed) => (AccessEventKind::Reopened, "in_service"),
        (SubscriptionStatus::Paused, Access::Open | Access::Isolated) => (AccessEventKind::Closed, "paused"),
        (SubscriptionStatus::Terminated, Access::Open | Access::Isolated) => (AccessEventKind::Closed, "terminated"),
        _ if facts.line.terms.package_id != terms.package_id => (AccessEventKind::GroupChanged, "package_changed"),
        _ => return None,
    };
    Some(AccessStep { kind, reason })
}
