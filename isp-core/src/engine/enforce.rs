//! Isolation and reopening: the run, and by hand.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::billing::Arrears;
use crate::calendar::{Date, Zone};
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, RouterId, SubscriptionId};
use crate::isolation::foresee::first_moment;
use crate::isolation::transition::{Decider, Transition};
use crate::isolation::{Access, AccessEventKind, AccessFacts, Decision, Hand, IsolationMoment, Reason, by_hand};
use crate::message::notice::{about_access, join_notices};
use crate::message::{Notification, NotificationKind};
use crate::ports::{AccessQuery, ChangeSet, PageQuery, StoreError};
use crate::subscription::BillingTerms;
use crate::terms::FormerTerms;

/// Which routers' breakers a person has approved to pass (rule I6).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Approval {
    /// None.
    #[default]
    None,
    /// These.
    Routers(BTreeSet<RouterId>),
    /// All.
    All,
}

impl Approval {
    /// True when this router may pass its breaker once.
    #[must_use]
    pub fn covers(&self, router: Option<RouterId>) -> bool {
        match self {
            Self::None => false,
            Self::Routers(routers) => router.is_some_and(|r| routers.contains(&r)),
            Self::All => true,
        }
    }
}

/// What an isolation run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EnforceReport {
    /// Lines isolated.
    pub isolated: Vec<SubscriptionId>,
    /// Lines reopened.
    pub reopened: Vec<SubscriptionId>,
    /// Lines closed.
    pub closed: Vec<SubscriptionId>,
    /// Lines whose package change took effect on the router.
    pub regrouped: Vec<SubscriptionId>,
    /// How many lines are due for isolation and wait for its hour, or for a day on which it is allowed (rule I1).
    pub waiting: u64,
    /// Routers on which nothing was isolated or closed, because it would have been too many (rule I6).
    pub held: Vec<Held>,
}

impl EnforceReport {
    /// Takes over which lines were written.
    fn take(&mut self, done: &mut Self) {
        self.isolated.append(&mut done.isolated);
        self.reopened.append(&mut done.reopened);
        self.closed.append(&mut done.closed);
        self.regrouped.append(&mut done.regrouped);
    }
}

/// A router whose breaker stopped a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Which router; `None` for lines without one.
    pub router_id: Option<RouterId>,
    /// How many lines would have been isolated.
    pub would_isolate: u64,
    /// How many lines would have been closed.
    pub would_close: u64,
    /// How many of both together may be without approval.
    pub limit: u64,
}

/// Subscriptions a commit; small, because one whose facts changed makes the commit be taken apart.
const CHUNK: usize = 200;

impl Engine<'_> {
    /// Decides about every line that needs it at `now` and writes what is wanted. Routers hear of it with
    /// [`Engine::deliver`].
    ///
    /// All decisions are taken before any is written, so that a router's breaker sees the whole of it.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn enforce(&self, now: DateTime<Utc>, approval: &Approval) -> Result<EnforceReport, EngineError> {
        let moment = IsolationMoment::new(&self.policy.isolation, now);
        let today = moment.today(Zone::Wit);
        let position = self.store.billing_position(self.tenant).await?;
        let query = self.lines_to_decide(today);
        let mut report = EnforceReport::default();
        let mut wanted = Vec::new();
        let mut page = PageQuery::first(self.page);
        loop {
            let facts = self.store.load_access(self.tenant, &query, page).await?;
            let more = page.advance(&facts, |last| last.subscription_id);
            let waits = |f: &&AccessFacts| {
                matches!(moment.decide(*f), Decision::Keep(Reason::BeforeHour | Reason::DayNotAllowed))
            };
            report.waiting += facts.iter().filter(waits).count() as u64;
            wanted.extend(facts.into_iter().filter(|f| self.step(f, position, &moment) != Step::Nothing));
            if !more {
                break;
            }
        }
        self.credit_first(&mut wanted, position, &moment).await?;
        let stopped = self.tripped(&wanted, position, approval, &moment, &mut report).await?;
        wanted.retain(|f| !(stopped.contains(&f.router_id) && self.step(f, position, &moment).cuts()));
        // The lines of a customer together, so that one notice may speak of all.
        wanted.sort_by_key(|f| (f.customer_id, f.subscription_id));
        let mut rest = wanted.as_slice();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(chunk_end(rest));
            rest = after;
            if self.commit_steps(chunk, position, &moment, &mut report).await? {
                continue;
            }
            for lines in chunk.chunk_by(|a, b| a.customer_id == b.customer_id) {
                self.decide_again(lines, position, &stopped, &moment, &mut report).await?;
            }
        }
        // A line takes one step at a time: a package change that had to wait for a decision follows in the same run.
        wanted.retain(|f| {
            matches!(self.step(f, position, &moment), Step::Decide(_))
                && self.regroup(f, position, &moment) != Step::Nothing
        });
        for lines in wanted.chunk_by(|a, b| a.customer_id == b.customer_id) {
            self.decide_again(lines, position, &stopped, &moment, &mut report).await?;
        }
        Ok(report)
    }

    /// The lines about which there is something to decide on a day; the day of the easternmost zone.
    pub(crate) fn lines_to_decide(&self, today: Date) -> AccessQuery {
        let grace = i32::from(self.policy.isolation.isolate_after_days);
        AccessQuery::Due { due_until: today.plus_days(-grace), today }
    }

    /// Decides about the lines of one customer at `now`, after something about him was changed by hand. No breaker holds
    /// it: he is one.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn enforce_customer(
        &self,
        customer: CustomerId,
        now: DateTime<Utc>,
    ) -> Result<EnforceReport, EngineError> {
        let moment = IsolationMoment::new(&self.policy.isolation, now);
        let position = self.store.billing_position(self.tenant).await?;
        // Nobody is isolated for what his own credit pays.
        self.apply_credit_of(customer, now).await?;
        let lines = self.access_of(customer).await?;
        let mut report = EnforceReport::default();
        self.decide_again(&lines, position, &BTreeSet::new(), &moment, &mut report).await?;
        Ok(report)
    }

    /// Lets credit pay what lines are about to be isolated for, and looks at these again: a debt may have come back since credit was
    /// spent, such as one that was written off.
    async fn credit_first(
        &self,
        wanted: &mut Vec<AccessFacts>,
        position: Option<Date>,
        moment: &IsolationMoment<'_>,
    ) -> Result<(), EngineError> {
        let isolates = |f: &&AccessFacts| matches!(self.step(f, position, moment), Step::Decide(Decision::Isolate(_)));
        let mut paid = Vec::new();
        for customer in self.with_credit(wanted.iter().filter(isolates), moment.now()).await? {
            if self.apply_credit_of(customer, moment.now()).await? {
                paid.push(customer);
            }
        }
        if !paid.is_empty() {
            wanted.retain(|f| !paid.contains(&f.customer_id));
            let again = self.access_of_all(&paid).await?;
            wanted.extend(again.into_iter().filter(|f| self.step(f, position, moment) != Step::Nothing));
        }
        Ok(())
    }

    /// Whose lines these are, as far as they have credit.
    pub(crate) async fn with_credit(
        &self,
        lines: impl Iterator<Item = &AccessFacts>,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<CustomerId>, EngineError> {
        let customers: BTreeSet<CustomerId> = lines.map(|f| f.customer_id).collect();
        let (customers, mut holders) = (Vec::from_iter(customers), BTreeSet::new());
        for some in customers.chunks(CHUNK) {
            let credit = self.store.credit_at(self.tenant, some, now).await?;
            holders.extend(credit.into_iter().map(|(customer, _)| customer));
        }
        Ok(holders)
    }

    async fn tripped(
        &self,
        wanted: &[AccessFacts],
        position: Option<Date>,
        approval: &Approval,
        moment: &IsolationMoment<'_>,
        report: &mut EnforceReport,
    ) -> Result<BTreeSet<Option<RouterId>>, EngineError> {
        let mut cuts: BTreeMap<Option<RouterId>, (u64, u64)> = BTreeMap::new();
        for facts in wanted {
            match self.step(facts, position, moment) {
                Step::Decide(Decision::Isolate(_)) => cuts.entry(facts.router_id).or_default().0 += 1,
                Step::Decide(Decision::Close(_)) => cuts.entry(facts.router_id).or_default().1 += 1,
                _ => {}
            }
        }
        if cuts.is_empty() {
            return Ok(BTreeSet::new());
        }
        let subscribers = self.store.subscribers_per_router(self.tenant).await?;
        for (router_id, (would_isolate, would_close)) in cuts {
            let served = router_id.and_then(|r| subscribers.get(&r).copied()).unwrap_or(0);
            let limit = self.policy.isolation.breaker_limit(served);
            if would_isolate + would_close > limit && !approval.covers(router_id) {
                report.held.push(Held { router_id, would_isolate, would_close, limit });
            }
        }
        Ok(report.held.iter().map(|h| h.router_id).collect())
    }

    /// Writes the steps of these subscriptions in one commit; false when the facts of one had changed.
    async fn commit_steps(
        &self,
        chunk: &[AccessFacts],
        position: Option<Date>,
        moment: &IsolationMoment<'_>,
        report: &mut EnforceReport,
    ) -> Result<bool, EngineError> {
        let mut changes = ChangeSet::default();
        let mut done = EnforceReport::default();
        for facts in chunk {
            match self.step(facts, position, moment) {
                Step::Nothing => continue,
                Step::Regroup(terms) => {
                    let (subscription_id, until) = (facts.subscription_id, moment.now());
                    changes.former_terms.push(FormerTerms { subscription_id, until, terms: facts.terms });
                    changes.terms.push((subscription_id, terms));
                    let decider = Decider { by: "engine", reason: "package_changed" };
                    let kind = AccessEventKind::GroupChanged;
                    self.follow(
                        &mut changes,
                        facts,
                        Some(Transition::new(facts, kind, decider, moment.now())),
                        moment.now(),
                    );
                    done.regrouped.push(facts.subscription_id);
                }
                Step::Decide(decision) => {
                    self.follow(&mut changes, facts, Transition::decided(facts, decision, moment.now()), moment.now());
                    match decision {
                        Decision::Isolate(_) => done.isolated.push(facts.subscription_id),
                        Decision::Reopen(_) => done.reopened.push(facts.subscription_id),
                        Decision::Close(_) => done.closed.push(facts.subscription_id),
                        Decision::Keep(_) => {}
                    }
                }
            }
        }
        if changes.is_empty() {
            return Ok(true);
        }
        self.join_notices(&mut changes, chunk, moment.now()).await?;
        match self.store.commit(self.tenant, changes).await {
            Ok(_) => {
                report.take(&mut done);
                Ok(true)
            }
            Err(StoreError::Conflict) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }

    /// Decides about some lines of one customer from fresh facts.
    async fn decide_again(
        &self,
        lines: &[AccessFacts],
        position: Option<Date>,
        stopped: &BTreeSet<Option<RouterId>>,
        moment: &IsolationMoment<'_>,
        report: &mut EnforceReport,
    ) -> Result<(), EngineError> {
        let Some(customer) = lines.first().map(|f| f.customer_id) else { return Ok(()) };
        let mut written = until_written(|| async {
            let mut done = EnforceReport::default();
            let mut fresh = self.access_of(customer).await?;
            fresh.retain(|f| {
                let wanted = lines.iter().any(|l| l.subscription_id == f.subscription_id);
                wanted && !(stopped.contains(&f.router_id) && self.step(f, position, moment).cuts())
            });
            match self.commit_steps(&fresh, position, moment, &mut done).await? {
                true => Ok(done),
                false => Err(StoreError::Conflict.into()),
            }
        })
        .await?;
        report.take(&mut written);
        Ok(())
    }

    fn step(&self, facts: &AccessFacts, position: Option<Date>, moment: &IsolationMoment<'_>) -> Step {
        match moment.decide(facts) {
            Decision::Keep(_) => self.regroup(facts, position, moment),
            decision => Step::Decide(decision),
        }
    }

    /// A package change that has come into force, once all periods before it are billed.
    fn regroup(&self, facts: &AccessFacts, position: Option<Date>, moment: &IsolationMoment<'_>) -> Step {
        let today = moment.today(facts.zone);
        match facts.terms.change {
            Some(change) if change.from <= today && position.is_some_and(|p| p >= change.from) => {
                Step::Regroup(BillingTerms { package_id: change.package_id, change: None, ..facts.terms })
            }
            _ => Step::Nothing,
        }
    }

    /// Isolates every open line of a customer by hand (rule I3). Only [`Engine::reopen`] opens it again.
    ///
    /// # Errors
    /// [`EngineError::NothingToDo`] when no line is open or isolated for arrears.
    pub async fn isolate(
        &self,
        customer: CustomerId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, EngineError> {
        self.by_hand(customer, Hand::Isolate, Decider { by, reason }, now, |_| true).await
    }

    /// Isolates one line by hand, as [`Engine::isolate`] does all lines of a customer.
    ///
    /// # Errors
    /// [`EngineError::NothingToDo`] when it is not open, [`StoreError::NotFound`].
    pub async fn isolate_line(
        &self,
        subscription: SubscriptionId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let query = AccessQuery::Subscriptions(vec![subscription]);
        let facts = self.store.load_access(self.tenant, &query, PageQuery::first(1)).await?;
        let customer = facts.first().ok_or(StoreError::NotFound { what: "subscription" })?.customer_id;
        let decider = Decider { by, reason };
        let open = |facts: &AccessFacts| facts.subscription_id == subscription && facts.access.desired == Access::Open;
        self.by_hand(customer, Hand::Isolate, decider, now, open).await?;
        Ok(())
    }

    /// Reopens every isolated line of a customer by hand, whatever the cause. When arrears remain and nothing protects
    /// the customer, the next run may isolate it again.
    ///
    /// # Errors
    /// [`EngineError::NothingToDo`] when no line is isolated.
    pub async fn reopen(
        &self,
        customer: CustomerId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, EngineError> {
        self.by_hand(customer, Hand::Reopen, Decider { by, reason }, now, |_| true).await
    }

    /// When a run will isolate a line of a customer for what is overdue now, as things stand; `None` when nothing is overdue, or
    /// when nothing leads to it within a year ([`crate::isolation::first_isolation`]).
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn isolated_again(
        &self,
        customer: CustomerId,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, EngineError> {
        let facts = self.access_of(customer).await?;
        let late = |line: &&AccessFacts| Arrears::of(&line.open, line.zone.date_of(now)).overdue.is_positive();
        let first = |line: &AccessFacts| first_moment(line, &self.policy.isolation, now);
        Ok(facts.iter().filter(late).filter_map(first).min())
    }

    async fn by_hand(
        &self,
        customer: CustomerId,
        hand: Hand,
        decider: Decider<'_>,
        now: DateTime<Utc>,
        concerns: impl Fn(&AccessFacts) -> bool,
    ) -> Result<Vec<SubscriptionId>, EngineError> {
        by_hand::check(decider.by, decider.reason)?;
        until_written(|| async {
            let mut changes = ChangeSet::default();
            let facts = self.access_of(customer).await?;
            for facts in facts.iter().filter(|f| hand.concerns(&f.access) && concerns(f)) {
                self.follow(&mut changes, facts, Some(Transition::new(facts, hand.event(), decider, now)), now);
            }
            self.join_notices(&mut changes, &facts, now).await?;
            let concerned: Vec<_> = changes.access.iter().map(|a| a.subscription_id).collect();
            if concerned.is_empty() {
                return Err(EngineError::NothingToDo);
            }
            self.store.commit(self.tenant, changes).await?;
            Ok(concerned)
        })
        .await
    }

    /// Adds a change of access to a change set, with the message about it.
    pub(crate) fn follow(
        &self,
        changes: &mut ChangeSet,
        facts: &AccessFacts,
        change: Option<Transition>,
        now: DateTime<Utc>,
    ) {
        let Some(change) = change else { return };
        changes.messages.extend(about_access(self.tenant, facts, &change, &self.policy.dunning, now));
        changes.access.push(change.access);
        changes.access_events.push(change.event);
        changes.effects.extend(change.effect);
    }

    /// Makes one notice of those that concern a customer with statements; see [`join_notices`].
    pub(crate) async fn join_notices(
        &self,
        changes: &mut ChangeSet,
        facts: &[AccessFacts],
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let notice = |m: &&Notification| matches!(m.kind, NotificationKind::Isolated | NotificationKind::Reopened);
        let mut customers: Vec<CustomerId> = changes.messages.iter().filter(notice).map(|m| m.customer_id).collect();
        customers.sort_unstable();
        customers.dedup();
        if !customers.is_empty() {
            let statements = self.store.statements(self.tenant, &customers).await?;
            join_notices(&mut changes.messages, facts, &statements, now);
        }
        Ok(())
    }

    /// The facts about all subscriptions of a customer.
    pub(crate) async fn access_of(&self, customer: CustomerId) -> Result<Vec<AccessFacts>, EngineError> {
        self.access_of_all(&[customer]).await
    }

    /// The facts of all lines of these customers.
    pub(crate) async fn access_of_all(&self, customers: &[CustomerId]) -> Result<Vec<AccessFacts>, EngineError> {
        let query = AccessQuery::Customers(customers.to_vec());
        let load = |page| self.store.load_access(self.tenant, &query, page);
        all_pages(self.page, load, |facts| facts.subscription_id).await
    }
}

/// Where the first chunk of lines in the order of their customers ends, without cutting a customer.
fn chunk_end(lines: &[AccessFacts]) -> usize {
    let full = lines.len().min(CHUNK);
    let last = full.checked_sub(1).and_then(|at| lines.get(at)).map(|f| f.customer_id);
    full + lines.iter().skip(full).take_while(|f| Some(f.customer_id) == last).count()
}

/// What a run does about one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    Decide(Decision),
    Regroup(BillingTerms),
}

impl Step {
    /// True when it takes service away, which is what a breaker counts. It never holds an opening.
    const fn cuts(&self) -> bool {
        matches!(self, Self::Decide(Decision::Isolate(_) | Decision::Close(_)))
    }
}
