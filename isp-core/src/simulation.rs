//! What-if: a policy lived through for one customer, day by day, without writing anything.
//!
//! The decisions are those of the engine itself: [`plan_billing`], [`allocate()`], [`due_reminders`] and
//! [`decide_isolation`], with installation fees, late fees and what the policy leaves out or gives back for isolated days.
//! A day is looked at twice, at the hour of isolation and at its end, and payments that are known count from their moment
//! on. Nobody is assumed to pay what is not paid. Installations, promises, exemptions and outages are taken as they
//! are known now, but for the terms, which are those of each day; a late fee is decided by what is unpaid as the day begins in the customer's zone. A router's breaker is for
//! the caller to judge, who sees all customers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::billing::first_fee::alone_on;
use crate::billing::plan::{BillingContext, installation_invoice};
use crate::billing::{
    Billable, Catalog, Charge, Invoice, InvoiceBalance, InvoiceKind, LateFee, WhileIsolated, Written, add_fee,
    plan_billing,
};
use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, RouterId, SubscriptionId, TenantId};
use crate::installation::InstallationOrder;
use crate::isolation::given_back::{give_isolated_back, is_left_out, looked_at_since};
use crate::isolation::transition::Transition;
use crate::isolation::{AccessFacts, Decision, Happened, Reason, decide_isolation};
use crate::message::reminder::level_reached;
use crate::message::{DunningFacts, NotificationKind, due_reminders, join_reminders};
use crate::money::Money;
use crate::payment::{CreditSource, allocate};
use crate::policy::Policy;
use crate::subscription::BillingTerms;

/// A customer at the beginning of a simulation.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Whom it is about.
    pub customer_id: CustomerId,
    /// In which zone.
    pub zone: Zone,
    /// True when there is a number to write to.
    pub reachable: bool,
    /// Subscriptions with what is known of them; their open invoices are those of the beginning.
    pub lines: Vec<Line>,
    /// Invoices that are there at the beginning, paid ones too.
    pub known: BTreeSet<InvoiceId>,
    /// Credit at the beginning.
    pub credit: Vec<CreditSource>,
    /// Payments after the beginning, by their moment.
    pub payments: Vec<(DateTime<Utc>, CreditSource)>,
    /// Reminders that are written already: invoice, kind, level. Without them, those whose day came before the beginning are
    /// taken as written.
    pub notified: Option<Vec<(InvoiceId, NotificationKind, u16)>>,
    /// The late fees that one run charges. Without them, they follow from what is unpaid as each day begins.
    pub late_fees: Option<Vec<Invoice>>,
}

/// One subscription of a customer at the beginning of a simulation.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is billed by.
    pub billable: Billable,
    /// What its access is decided from.
    pub facts: AccessFacts,
    /// Its invoices for days of service with what was given back of them, oldest first; needed where a policy gives
    /// isolated days back.
    pub charges: Vec<Charge>,
    /// What happened to its access, oldest first; needed where a policy leaves isolated periods out or gives days back.
    pub events: Vec<Happened>,
    /// The terms that replace those of the beginning, each from its moment on, oldest first.
    pub changes: Vec<(DateTime<Utc>, BillingTerms)>,
    /// Its installation orders; a fee that stands on a periodic invoice already is left out.
    pub orders: Vec<InstallationOrder>,
}

/// The days of a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first day that is lived through; what fell due before it is billed, but for a line with an earlier `billed_from`.
    pub first: Date,
    /// Lived through as well.
    pub last: Date,
    /// The one run that these days have, on the last of them: it bills what came due on the days before, and reminds and decides about
    /// access at its moment. Things are as they are then. `None` when each day is lived through.
    pub run: Option<Run>,
}

/// One run of several days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its moment. One before the hour of isolation is taken as one at that hour.
    pub at: DateTime<Utc>,
    /// The position of the billing as it begins.
    pub position: Option<Date>,
}

/// Something that would happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// On which day, in the customer's zone.
    pub on: Date,
    /// To whom.
    pub customer_id: CustomerId,
    /// On which router, for what concerns access.
    pub router_id: Option<RouterId>,
    /// About which subscription; none for a reminder.
    pub subscription_id: Option<SubscriptionId>,
    /// Billed, reminded, isolated and the like.
    pub what: What,
}

impl Event {
    /// True for an isolation that the breaker of this router holds back on this day ([`breakers`]).
    #[must_use]
    pub fn is_held_by(&self, day: Date, router: Option<RouterId>) -> bool {
        matches!(self.what, What::Isolated { .. }) && (self.on, self.router_id) == (day, router)
    }
}

/// What would happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// An invoice is issued.
    Billed {
        /// First billed day.
        period_start: Date,
        /// Day by which it is to be paid.
        due_date: Date,
        /// What is to be paid.
        total: Money,
    },
    /// Isolated days are given back.
    GivenBack {
        /// How much, with PPN.
        total: Money,
    },
    /// A period cannot be billed.
    NotBilled {
        /// The error's code.
        code: &'static str,
    },
    /// A reminder is sent.
    Reminded {
        /// Due soon or overdue.
        reminder: NotificationKind,
        /// Its level, in days.
        level: u16,
    },
    /// The line is isolated.
    Isolated {
        /// What is overdue then.
        overdue: Money,
    },
    /// The line is reopened.
    Reopened {
        /// Why.
        reason: Reason,
    },
    /// The line is closed.
    Closed {
        /// Why.
        reason: Reason,
    },
}

impl What {
    /// What a decision about access comes to, `overdue` being the arrears of its moment; `None` when all stays as it is.
    #[must_use]
    pub const fn decided(decision: Decision, overdue: Money) -> Option<Self> {
        match decision {
            Decision::Keep(_) => None,
            Decision::Isolate(_) => Some(Self::Isolated { overdue }),
            Decision::Reopen(reason) => Some(Self::Reopened { reason }),
            Decision::Close(reason) => Some(Self::Closed { reason }),
        }
    }
}

/// Lives through `days` with a policy.
#[must_use]
pub fn simulate(subject: &Subject, catalog: &Catalog, policy: &Policy, tenant: TenantId, days: Days) -> Vec<Event> {
    let yesterday = days.first.plus_days(-1);
    let open = subject.lines.iter().flat_map(|line| &line.facts.open);
    let notified = subject.notified.clone().unwrap_or_else(|| {
        let reached = |i: &InvoiceBalance| {
            level_reached(i, &policy.dunning, yesterday).map(|(kind, level)| (i.invoice_id, kind, level))
        };
        open.filter_map(reached).collect()
    });
    let run = days.run.map(|run| (run, days.last));
    let mut life = Life {
        subject: subject.clone(),
        policy,
        tenant,
        notified,
        run,
        at_midnight: Vec::new(),
        looks: Vec::new(),
        events: Vec::new(),
    };
    let minutes = policy.isolation.isolate_at.max(policy.dunning.quiet_until).minutes();
    let mut day = days.first;
    while day <= days.last {
        let zone = subject.zone;
        let end = DateTime::from_timestamp(day.plus_days(1).midnight(zone).timestamp() - 1, 0);
        life.at_midnight = life.open();
        let hour = day.at(minutes / 60, minutes % 60, zone);
        let looks = match days.run {
            None => [Some(hour), end],
            Some(run) if day == days.last => [Some(hour.max(run.at)), None],
            Some(_) => [Some(hour), None],
        };
        for now in looks.into_iter().flatten() {
            life.change_terms(now);
            life.pay(now);
            life.bill(catalog, day, now);
            life.charge_late_fees(day);
            life.allocate(now);
            if days.run.is_some() && day < days.last {
                continue;
            }
            life.remind(day, now);
            life.enforce(day, now);
        }
        day = day.plus_days(1);
    }
    life.events
}

/// Routers on which a day's isolations would pass the breaker (rule I6): day, router, how many, and how many may be.
///
/// `subscribers` are those of each router.
#[must_use]
pub fn breakers(
    events: &[Event],
    subscribers: &BTreeMap<RouterId, u64>,
    policy: &Policy,
) -> Vec<(Date, Option<RouterId>, u64, u64)> {
    let mut isolations: BTreeMap<(Date, Option<RouterId>), u64> = BTreeMap::new();
    for event in events.iter().filter(|e| matches!(e.what, What::Isolated { .. })) {
        *isolations.entry((event.on, event.router_id)).or_default() += 1;
    }
    breakers_of(isolations, subscribers, policy)
}

/// As [`breakers`], of how many lines a day would isolate on each router.
pub(crate) fn breakers_of(
    isolations: BTreeMap<(Date, Option<RouterId>), u64>,
    subscribers: &BTreeMap<RouterId, u64>,
    policy: &Policy,
) -> Vec<(Date, Option<RouterId>, u64, u64)> {
    let limit = |router: Option<RouterId>| {
        let served = router.and_then(|r| subscribers.get(&r).copied()).unwrap_or(0);
        policy.isolation.breaker_limit(served)
    };
    isolations
        .into_iter()
        .filter(|((_, router), count)| *count > limit(*router))
        .map(|((day, router), count)| (day, router, count, limit(router)))
        .collect()
}

/// How a run looks at a line.
struct Look {
    /// Its mark as the run begins.
    mark: Option<Date>,
    /// The position of the billing as the run begins.
    position: Date,
    /// Whether the run looks at it.
    now: bool,
}

struct Life<'a> {
    subject: Subject,
    policy: &'a Policy,
    tenant: TenantId,
    /// Reminders written so far.
    notified: Vec<(InvoiceId, NotificationKind, u16)>,
    /// The one run, and the day on which it writes all that came due.
    run: Option<(Run, Date)>,
    /// What was open as the day began.
    at_midnight: Vec<InvoiceBalance>,
    /// How a run looks at each line: that of the moment, or the one of all days.
    looks: Vec<Look>,
    events: Vec<Event>,
}

impl Life<'_> {
    /// What came in by now becomes credit.
    fn pay(&mut self, now: DateTime<Utc>) {
        let (arrived, later) = std::mem::take(&mut self.subject.payments).into_iter().partition(|(at, _)| *at <= now);
        let arrived: Vec<(DateTime<Utc>, CreditSource)> = arrived;
        self.subject.payments = later;
        self.subject.credit.extend(arrived.into_iter().map(|(_, source)| source));
    }

    /// Terms that were changed by now hold. What such a change invoiced at once is not told again; what comes due after it is.
    fn change_terms(&mut self, now: DateTime<Utc>) {
        for line in &mut self.subject.lines {
            let zone = line.billable.zone;
            while let Some((at, terms)) = line.changes.first().copied().filter(|(at, _)| *at <= now) {
                line.changes.remove(0);
                // A line whose terms were changed is looked at by the next run, whatever its billing day.
                let mark = terms.charged_until.unwrap_or(zone.date_of(at)).max(terms.start);
                line.billable.terms = BillingTerms { billed_from: Some(mark), ..terms };
                line.facts.terms = line.billable.terms;
            }
        }
    }

    fn bill(&mut self, catalog: &Catalog, day: Date, now: DateTime<Utc>) {
        let lead = i32::from(self.policy.billing.issue_lead_days);
        // A second look at the same day finds the position moved, and so does a run after that of the day.
        let before = day.plus_days(lead - i32::from(self.first_look(day, now)));
        let position = self.run.and_then(|(run, _)| run.position).map_or(before, |position| position.max(before));
        let (policy, tax, written) = (&self.policy.billing, &self.policy.tax, self.run.map(|(_, written)| written));
        let context = BillingContext { catalog, policy, tax, position: Some(position), now };
        let (days, ends_from) = (context.days(), position.plus_days(1));
        if self.looks.is_empty() || self.run.is_none() {
            let look = |line: &Line| Look { mark: line.billable.terms.billed_from, position, now: false };
            self.looks = self.subject.lines.iter().map(look).collect();
        }
        for at in 0..self.subject.lines.len() {
            let (Some(line), Some(look)) = (self.subject.lines.get_mut(at), self.looks.get_mut(at)) else { continue };
            let terms = line.billable.terms;
            look.now |= terms.billed_from.is_some()
                || days & (1 << terms.day.day()) != 0
                || terms.end.is_some_and(|end| end >= ends_from);
            let plan = plan_billing(&[line.billable], &context);
            if let Some((_, mark)) = plan.billed_from.first() {
                line.billable.terms.billed_from = *mark;
            }
            let mut happened: Vec<What> = plan.problems.iter().map(|p| not_billed(&p.error)).collect();
            let known = &mut self.subject.known;
            for mut invoice in plan.invoices {
                if known.contains(&invoice.id) || is_skipped(&invoice, line, self.policy) {
                    continue;
                }
                line.orders.retain(|order| {
                    !order.with_first_invoice || add_fee(&mut invoice, order, &self.policy.tax).is_err()
                });
                invoice.due_date = written.map_or(invoice.due_date, |written| invoice.due_date.max(written));
                happened.push(issue(line, known, invoice));
            }
            happened.extend(installations(line, known, self.policy, now, written));
            // One run gives back what it finds when it comes.
            let gives_back = look.now && written.is_none_or(|written| written == day);
            if gives_back && self.policy.billing.while_isolated == WhileIsolated::Prorate {
                let on = line.billable.zone.date_of(now);
                let written = Written { on, at: now, by: "engine", note: "" };
                let lead = self.policy.billing.issue_lead_days;
                let since = looked_at_since(terms.start, look.mark, Some(look.position), lead);
                for note in give_isolated_back(&line.charges, &line.events, line.billable.zone, since, written) {
                    happened.push(What::GivenBack { total: note.total });
                    self.subject.credit.push(CreditSource {
                        payment_id: note.payment_id(),
                        since: now,
                        left: note.total,
                    });
                    let of = line.charges.iter_mut().find(|c| c.invoice.id == note.invoice_id);
                    of.into_iter().for_each(|charge| charge.notes.push(note.clone()));
                }
            }
            let (subscription_id, router_id) = (line.billable.subscription_id, line.facts.router_id);
            for what in happened {
                self.note(day, Some(subscription_id), router_id, what);
            }
        }
    }

    /// True at the first of the two moments of a day.
    fn first_look(&self, day: Date, now: DateTime<Utc>) -> bool {
        now < day.plus_days(1).midnight(self.subject.zone) - chrono::TimeDelta::seconds(1)
    }

    /// Charges the fees of a day by what was unpaid as it began (rule B10).
    fn charge_late_fees(&mut self, day: Date) {
        let Some(policy) = self.policy.late_fee else { return };
        if let Some(fees) = self.subject.late_fees.take_if(|_| self.run.is_some_and(|(_, written)| written == day)) {
            for fee in fees {
                let Some(line) =
                    self.subject.lines.iter_mut().find(|l| l.billable.subscription_id == fee.subscription_id)
                else {
                    continue;
                };
                let (id, router_id) = (fee.subscription_id, line.facts.router_id);
                if !self.subject.known.contains(&fee.id) {
                    let what = issue(line, &mut self.subject.known, fee);
                    self.note(day, Some(id), router_id, what);
                }
            }
        }
        if self.run.is_some() {
            return;
        }
        let (billing, tax) = (&self.policy.billing, &self.policy.tax);
        let due = self.at_midnight.iter().filter(|i| policy.day(i.due_date) == day);
        for fee in due.filter_map(|i| LateFee::on(*i, &policy)).collect::<Vec<_>>() {
            let id = fee.invoice.subscription_id;
            let Some(line) = self.subject.lines.iter_mut().find(|l| l.billable.subscription_id == id) else { continue };
            if self.subject.known.contains(&LateFee::id_for(fee.invoice.invoice_id)) {
                continue;
            }
            let what = match fee.invoice(&policy, billing, tax, day) {
                Ok(invoice) => issue(line, &mut self.subject.known, invoice),
                Err(error) => not_billed(&error),
            };
            let router_id = line.facts.router_id;
            self.note(day, Some(id), router_id, what);
        }
    }

    fn allocate(&mut self, now: DateTime<Utc>) {
        if self.subject.credit.is_empty() {
            return;
        }
        let allocations = allocate(&self.open(), &self.subject.credit, now);
        for allocation in allocations {
            let lines = self.subject.lines.iter_mut().flat_map(|line| &mut line.facts.open);
            for invoice in lines.filter(|i| i.invoice_id == allocation.invoice_id) {
                invoice.paid += allocation.amount;
            }
            for source in self.subject.credit.iter_mut().filter(|c| c.payment_id == allocation.payment_id) {
                source.left -= allocation.amount;
            }
        }
        self.subject.credit.retain(|source| source.left.is_positive());
        for line in &mut self.subject.lines {
            line.facts.open.retain(|i| i.residual().is_positive());
        }
    }

    fn remind(&mut self, day: Date, now: DateTime<Utc>) {
        let facts = DunningFacts {
            customer_id: self.subject.customer_id,
            zone: self.subject.zone,
            reachable: self.subject.reachable,
            open: self.open(),
            notified: self.notified.clone(),
            statements: Vec::new(),
        };
        let due = due_reminders(self.tenant, &[facts], &self.policy.dunning, now);
        for message in &due {
            let about = message.invoices.iter().map(|invoice| (*invoice, message.kind, message.level));
            self.notified.extend(about);
        }
        for message in join_reminders(due) {
            self.note(day, None, None, What::Reminded { reminder: message.kind, level: message.level });
        }
    }

    fn enforce(&mut self, day: Date, now: DateTime<Utc>) {
        for at in 0..self.subject.lines.len() {
            let Some(line) = self.subject.lines.get_mut(at) else { continue };
            let facts = &mut line.facts;
            let decision = decide_isolation(&*facts, &self.policy.isolation, now);
            let overdue = crate::billing::Arrears::of(&facts.open, day).overdue;
            let Some(what) = What::decided(decision, overdue) else { continue };
            if let Some(change) = Transition::decided(facts, decision, now) {
                facts.access = change.access;
                line.events.push(change.event.happened());
            }
            let (subscription_id, router_id) = (facts.subscription_id, facts.router_id);
            self.note(day, Some(subscription_id), router_id, what);
        }
    }

    fn open(&self) -> Vec<InvoiceBalance> {
        self.subject.lines.iter().flat_map(|line| line.facts.open.iter().copied()).collect()
    }

    fn note(&mut self, on: Date, subscription_id: Option<SubscriptionId>, router_id: Option<RouterId>, what: What) {
        self.events.push(Event { on, customer_id: self.subject.customer_id, router_id, subscription_id, what });
    }
}

fn not_billed(error: &Error) -> What {
    What::NotBilled { code: error.code() }
}

/// True for a period that the policy leaves out, because the line is isolated (rule B7).
fn is_skipped(invoice: &Invoice, line: &Line, policy: &Policy) -> bool {
    let billing = &policy.billing;
    billing.while_isolated == WhileIsolated::Skip
        && is_left_out(invoice, billing.issue_lead_days, &line.events, line.billable.zone)
}

/// Takes an invoice into the books.
fn issue(line: &mut Line, known: &mut BTreeSet<InvoiceId>, invoice: Invoice) -> What {
    known.insert(invoice.id);
    line.facts.open.push(invoice.balance(Money::ZERO));
    let what = What::Billed { period_start: invoice.period.start, due_date: invoice.due_date, total: invoice.total };
    // Only what is for days of service is given back by the day.
    if matches!(invoice.kind, InvoiceKind::Subscription | InvoiceKind::Adjustment) {
        line.charges.push(Charge::new(invoice));
    }
    what
}

/// The installation fees that are due: instalments, and those of lines that ended without a periodic invoice (rule B9).
fn installations(
    line: &mut Line,
    known: &mut BTreeSet<InvoiceId>,
    policy: &Policy,
    now: DateTime<Utc>,
    written: Option<Date>,
) -> Vec<What> {
    let Billable { zone, site_id, terms, .. } = line.billable;
    let today = zone.date_of(now);
    let mut happened = Vec::new();
    for order in line.orders.clone() {
        let ended = alone_on(terms.end, today).filter(|_| order.with_first_invoice).map(|end| order.alone(end));
        let parts = order.schedule().into_iter().filter(|part| part.on <= today).chain(ended);
        for part in parts.filter(|part| part.amount.is_positive()) {
            if known.contains(&part.invoice_id) {
                continue;
            }
            let (billing, tax, written) = (&policy.billing, &policy.tax, written.unwrap_or(today));
            match installation_invoice(&order, &part, site_id, terms.package_id, billing, tax, written) {
                Ok(invoice) => happened.push(issue(line, known, invoice)),
                Err(error) => happened.push(not_billed(&error)),
            }
        }
    }
    happened
}
