//! Package changes, pauses and terminations: new terms, what they settle, and what they give back.
//!
//! New terms are written in one commit with everything that has come due under the old ones, so that a late billing run
//! never applies new terms to old periods.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::billing::plan::part_invoice;
use crate::billing::{
    Billable, Catalog, ChangeAtOnce, Charge, CreditReason, Invoice, InvoiceKind, Written, change_at_once, plan_billing,
};
use crate::calendar::{BillingDay, Date, Period};
use crate::engine::{CONFLICT_RETRIES, Engine, EngineError};
use crate::error::Error;
use crate::ids::{PackageId, SubscriptionId};
use crate::isolation::transition::{Decider, Transition};
use crate::isolation::{Access, AccessEventKind, AccessFacts};
use crate::money::Money;
use crate::ports::{AccessQuery, ChangeSet, PageQuery, StoreError};
use crate::subscription::{BillingTerms, SubscriptionStatus, Timing};

/// What a change of terms came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// What the customer is to pay more, with PPN.
    pub charged: Money,
    /// What was given back, with PPN.
    pub given_back: Money,
}

/// What a change of terms starts from.
struct Before<'a> {
    facts: &'a AccessFacts,
    /// What it was charged, in the order of days.
    charges: &'a [Charge],
    written: Written<'a>,
}

impl Engine<'_> {
    /// Changes the package from the next period on (rule B6). Returns the day from which it holds.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`Error::UnknownPackage`], [`StoreError::NotFound`].
    pub async fn change_package(
        &self,
        subscription: SubscriptionId,
        package: PackageId,
        now: DateTime<Utc>,
    ) -> Result<Date, EngineError> {
        self.package(package).await?;
        let (terms, _) = self
            .change_terms(subscription, None, now, |before, _| {
                before.facts.terms.change_next_period(package, before.written.on)
            })
            .await?;
        Ok(terms.change.map_or(terms.start, |c| c.from))
    }

    /// Changes the package from today on (rule B6): the unused days of what was billed are given back, the same days of
    /// the new package charged, as one adjustment invoice or, when the new package is cheaper, a credit note. The router
    /// hears of it with the next delivery.
    ///
    /// # Errors
    /// [`Error::ChangedToday`] for a second time on one day; as [`Engine::change_package`].
    pub async fn change_package_at_once(
        &self,
        subscription: SubscriptionId,
        package: PackageId,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Settled, EngineError> {
        let package = self.package(package).await?;
        let (_, settled) = self
            .change_terms(subscription, None, now, |before, changes| {
                let facts = before.facts;
                let terms = facts.terms.change_now(package.id, before.written.on)?;
                let row = billable(facts);
                let change = ChangeAtOnce {
                    row: &row,
                    charges: before.charges,
                    package: &package,
                    policy: &self.policy.billing,
                    tax: &self.policy.tax,
                    written: Written { by, ..before.written },
                };
                for adjustment in change_at_once(&change)? {
                    changes.invoices.extend(adjustment.invoice);
                    changes.credit_notes.extend(adjustment.notes);
                    changes.journal.extend(adjustment.entry);
                }
                Ok(terms)
            })
            .await?;
        Ok(settled)
    }

    /// Changes the billing day (rule C4): prepaid, from the end of what was billed, with an invoice today for the days up to
    /// the next new billing day; postpaid, from today, with an invoice for the days that were used. Returns the first day of
    /// the next full period, for a prepaid line, or of the new grid.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`StoreError::NotFound`].
    pub async fn change_billing_day(
        &self,
        subscription: SubscriptionId,
        day: BillingDay,
        now: DateTime<Utc>,
    ) -> Result<Date, EngineError> {
        let catalog = Catalog::new(&self.store.packages(self.tenant).await?);
        let context = self.billing_context(&catalog, None, now);
        let changed = self.change_terms(subscription, None, now, |before, changes| {
            let (terms, today) = (&before.facts.terms, before.written.on);
            // A period whose last days a pause gave back is not paid up to its end.
            let paid = before.charges.iter().filter(|c| {
                c.invoice.kind == InvoiceKind::Subscription && !c.is_unserved(c.invoice.period.end.plus_days(-1))
            });
            let billed = paid.map(|c| c.invoice.period.end).max().filter(|end| *end > today);
            let running = || terms.period_of(today.max(terms.start)).end;
            let (new, gap) = terms.change_day(day, today, billed.unwrap_or_else(running))?;
            if let Some((full, part)) = gap {
                let row = Billable { terms: new, ..billable(before.facts) };
                changes.invoices.push(part_invoice(&row, full, part, today, &context)?);
            }
            Ok(new)
        });
        let (terms, _) = changed.await?;
        Ok(terms.billed_from.unwrap_or(terms.start))
    }

    /// Pauses service and billing from today on (rule B7). By policy, the unused days of what was billed are given back.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`StoreError::NotFound`].
    pub async fn pause(&self, subscription: SubscriptionId, now: DateTime<Utc>) -> Result<Settled, EngineError> {
        let credit = self.policy.billing.credit_on_pause;
        let paused = self.change_terms(subscription, None, now, |before, changes| {
            let terms = before.facts.terms.pause(before.written.on)?;
            if credit {
                give_back_from(before, before.written.on, CreditReason::Pause, changes);
            }
            Ok(terms)
        });
        Ok(paused.await?.1)
    }

    /// Ends a pause today. Days that are paid for are not billed again. Where whole periods had been billed ahead and were given
    /// back, one invoice today is for all days up to the first period that was not.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`StoreError::NotFound`]; [`Error::GivenBackToday`] when the day was given back and is that of the
    /// pause, or the first of a period that was billed ahead.
    pub async fn resume(&self, subscription: SubscriptionId, now: DateTime<Utc>) -> Result<(), EngineError> {
        let catalog = Catalog::new(&self.store.packages(self.tenant).await?);
        let context = self.billing_context(&catalog, None, now);
        let resumed = self.change_terms(subscription, None, now, |before, changes| {
            let (terms, today) = (&before.facts.terms, before.written.on);
            let of_today =
                |c: &&Charge| c.invoice.kind == InvoiceKind::Subscription && c.invoice.period.contains(today);
            let (given_back, paid): (Vec<&Charge>, Vec<&Charge>) =
                before.charges.iter().filter(of_today).partition(|c| c.is_unserved(today));
            match paid.iter().map(|c| c.invoice.period.end).max() {
                Some(until) => terms.resume_paid(today, until),
                // There is one invoice for a day on which a period starts (rule B3), and it was given back.
                None if given_back
                    .iter()
                    .any(|c| terms.paused_from == Some(today) || c.invoice.period.start == today) =>
                {
                    Err(Error::GivenBackToday)
                }
                None => {
                    let resumed = terms.resume(today)?;
                    let given_back_ahead = before.charges.iter().filter(|c| {
                        c.invoice.kind == InvoiceKind::Subscription
                            && c.invoice.period.start > today
                            && c.is_unserved(c.invoice.period.start)
                    });
                    let Some(ahead) = given_back_ahead.map(|c| c.invoice.period.end).max() else { return Ok(resumed) };
                    // Their first days have an invoice (rule B3), so no period may start there again.
                    let (full, next) = (resumed.period_of(today), resumed.period_of(ahead));
                    let until = if next.start == ahead { ahead } else { next.end };
                    let part = Period::try_new(today, resumed.end.map_or(until, |end| until.min(end)))?;
                    let row = Billable { terms: resumed, ..billable(before.facts) };
                    changes.invoices.push(part_invoice(&row, full, part, today, &context)?);
                    Ok(BillingTerms { billed_from: Some(until), ..resumed })
                }
            }
        });
        resumed.await?;
        Ok(())
    }

    /// Ends a subscription: `end` is the day after the last day of service. By policy, the unused days of what was billed
    /// are given back.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`Error::EmptyPeriod`], [`StoreError::NotFound`].
    pub async fn terminate(
        &self,
        subscription: SubscriptionId,
        end: Date,
        now: DateTime<Utc>,
    ) -> Result<Settled, EngineError> {
        let credit = self.policy.billing.credit_on_termination;
        let ended = self.change_terms(subscription, Some(end), now, |before, changes| {
            let terms = before.facts.terms.terminate(end)?;
            if credit {
                give_back_from(before, end, CreditReason::Termination, changes);
            }
            Ok(terms)
        });
        Ok(ended.await?.1)
    }

    async fn package(&self, id: PackageId) -> Result<crate::package::Package, EngineError> {
        let all = self.store.packages(self.tenant).await?;
        all.into_iter().find(|p| p.id == id).ok_or_else(|| Error::UnknownPackage.into())
    }

    /// Settles what has come due, for a line that ends at `end` only up to there, writes new terms and what they give back
    /// in one commit, and lets access follow. A decision from facts that changed meanwhile is taken again.
    async fn change_terms(
        &self,
        subscription: SubscriptionId,
        end: Option<Date>,
        now: DateTime<Utc>,
        change: impl Fn(&Before<'_>, &mut ChangeSet) -> Result<BillingTerms, Error>,
    ) -> Result<(BillingTerms, Settled), EngineError> {
        for _ in 0..CONFLICT_RETRIES {
            let facts = self.facts_of(subscription).await?;
            let today = facts.zone.date_of(now);
            let mut charges = self.charges(&facts).await?;
            let terms = BillingTerms { end: end.or(facts.terms.end), ..facts.terms };
            let invoices = self.settle(&facts, terms, &charges, now).await?;
            charges.extend(invoices.iter().cloned().map(Charge::new));
            charges.sort_by_key(|c| (c.invoice.period.start, c.invoice.id));
            let mut changes = ChangeSet { invoices, ..ChangeSet::default() };
            let written = Written { on: today, at: now, by: "engine", note: "" };
            let terms = change(&Before { facts: &facts, charges: &charges, written }, &mut changes)?;
            if cuts_period(&facts.terms, &terms, today) {
                // The days that were used are billed now: the period that holds them will not come due as it was.
                let until_today = BillingTerms { end: Some(today), ..facts.terms };
                changes.invoices.extend(self.settle(&facts, until_today, &charges, now).await?);
            }
            let settled = Settled {
                charged: changes.invoices.iter().filter(|i| i.kind == InvoiceKind::Adjustment).map(|i| i.total).sum(),
                given_back: changes.credit_notes.iter().map(|n| n.total).sum(),
            };
            let (before, customer) = (facts.terms, facts.customer_id);
            changes.terms.push((subscription, terms));
            self.follow_terms(&mut changes, before, AccessFacts { terms, ..facts }, now);
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => {
                    if settled.given_back.is_positive() {
                        self.apply_credit_of(customer, now).await?;
                    }
                    return Ok((terms, settled));
                }
                Err(StoreError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// What the subscription was charged.
    async fn charges(&self, facts: &AccessFacts) -> Result<Vec<Charge>, EngineError> {
        // From the beginning, as an end may lie before today.
        let days = Period { start: Date::MIN, end: Date::MAX };
        Ok(self.store.charges(self.tenant, &[facts.subscription_id], days).await?)
    }

    /// The invoices that have come due for one subscription under some terms, without those that it has been charged.
    async fn settle(
        &self,
        facts: &AccessFacts,
        terms: BillingTerms,
        charges: &[Charge],
        now: DateTime<Utc>,
    ) -> Result<Vec<Invoice>, EngineError> {
        let catalog = Catalog::new(&self.store.packages(self.tenant).await?);
        let position = self.store.billing_position(self.tenant).await?;
        let mut row = Billable { terms, ..billable(facts) };
        if let (Timing::Postpaid, Some(end)) = (terms.timing, terms.end) {
            // The days before an end come due at that end, and the position may have passed it already.
            let from = terms.billed_from.or(position.map(|position| position.plus_days(1)));
            row.terms.billed_from = from.map(|from| from.min(end));
        }
        let mut plan = plan_billing(&[row], &self.billing_context(&catalog, position, now));
        if let Some(problem) = plan.problems.pop() {
            return Err(problem.error.into());
        }
        plan.invoices.retain(|invoice| charges.iter().all(|c| c.invoice.id != invoice.id));
        Ok(plan.invoices)
    }

    fn follow_terms(&self, changes: &mut ChangeSet, before: BillingTerms, facts: AccessFacts, now: DateTime<Utc>) {
        let status = facts.terms.status_on(facts.zone.date_of(now));
        let (kind, reason) = match (status, facts.access.desired) {
            (SubscriptionStatus::Active, Access::Closed) => (AccessEventKind::Reopened, "in_service"),
            (SubscriptionStatus::Paused, Access::Open | Access::Isolated) => (AccessEventKind::Closed, "paused"),
            (SubscriptionStatus::Terminated, Access::Open | Access::Isolated) => {
                (AccessEventKind::Closed, "terminated")
            }
            _ if before.package_id != facts.terms.package_id => (AccessEventKind::GroupChanged, "package_changed"),
            // Written over the version that was read, so that no other change of terms comes in between.
            _ if facts.access.version > 0 => {
                changes.access.push(facts.access);
                return;
            }
            _ => {
                changes.touched.push(facts.subscription_id);
                return;
            }
        };
        let decider = Decider { by: "engine", reason };
        self.follow(changes, &facts, Some(Transition::new(&facts, kind, decider, now)), now);
    }

    async fn facts_of(&self, subscription: SubscriptionId) -> Result<AccessFacts, EngineError> {
        let query = AccessQuery::Subscriptions(vec![subscription]);
        let mut facts = self.store.load_access(self.tenant, &query, PageQuery::first(1)).await?;
        facts.pop().ok_or_else(|| StoreError::NotFound { what: "subscription" }.into())
    }
}

fn billable(facts: &AccessFacts) -> Billable {
    Billable {
        subscription_id: facts.subscription_id,
        customer_id: facts.customer_id,
        site_id: facts.site_id,
        zone: facts.zone,
        terms: facts.terms,
    }
}

/// True when a postpaid period that runs ends today, because of a pause or a package change at once.
fn cuts_period(before: &BillingTerms, after: &BillingTerms, today: Date) -> bool {
    let paused = before.paused_from.is_none() && after.paused_from == Some(today);
    let restarted = before.status_on(today) == SubscriptionStatus::Active && after.start == today;
    before.timing == Timing::Postpaid && before.start < today && (paused || restarted)
}

fn give_back_from(before: &Before<'_>, from: Date, reason: CreditReason, changes: &mut ChangeSet) {
    let rest = Period { start: from, end: Date::MAX };
    let key = from.to_string();
    let notes = before.charges.iter().flat_map(|c| c.give_back(rest, (1, 1), reason, &key, before.written));
    changes.credit_notes.extend(notes);
}
