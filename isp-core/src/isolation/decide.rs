//! The isolation decision: one synchronous function of facts, policy and a moment (rules I1 to I4).

use std::mem::offset_of;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::{Arrears, Debt, InvoiceBalance, Owing};
use crate::calendar::{Date, Zone};
use crate::ids::{CustomerId, RouterId, SiteId, SubscriptionId};
use crate::isolation::access::{Access, IsolationCause, ServiceAccess};
use crate::isolation::policy::IsolationPolicy;
use crate::money::Money;
use crate::protection::{OutageTimes, ProofTimes, ProtectedDays, Protections};
use crate::subscription::{BillingTerms, ServiceDates, SubscriptionStatus};

/// A line as the engine decides about it: what the decision reads ([`Decidable`]), and what its consequences are for.
// Kept in this order: what the decision reads of nearly every line lies side by side, from the end of the access to the beginning of
// the terms. A run reads a page of lines from memory, and most of its time is that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[repr(C)]
pub struct AccessFacts {
    /// Which subscription.
    pub subscription_id: SubscriptionId,
    /// Whose.
    pub customer_id: CustomerId,
    /// At which site.
    pub site_id: SiteId,
    /// On which router; `None` for a line opened by hand.
    pub router_id: Option<RouterId>,
    /// The access that is wanted so far, with its version.
    pub access: ServiceAccess,
    /// In which zone.
    pub zone: Zone,
    /// What protects it.
    pub protections: Protections,
    /// The open invoices of this subscription (residual above zero).
    pub open: Vec<InvoiceBalance>,
    /// What it is billed by.
    pub terms: BillingTerms,
}

const _: () = {
    let beginning = offset_of!(AccessFacts, access) + offset_of!(ServiceAccess, desired);
    let end = offset_of!(AccessFacts, terms) + offset_of!(BillingTerms, paused_from) + size_of::<Option<Date>>();
    assert!(end - beginning <= 64);
};

impl AccessFacts {
    /// The promise that holds at a moment, which lies on the day `today`; of several, the one that holds longest.
    #[must_use]
    pub fn promise_at(&self, today: Date, now: DateTime<Utc>) -> Option<&ProtectedDays> {
        longest(&self.protections.promises, today, now)
    }
}

/// What the decision about a line, and its explanation, read: of a line of the engine, or of its bare facts.
///
/// Read field by field, as most decisions are made by the first few.
pub trait Decidable {
    /// How its open invoices are known.
    type Debt: Owing;

    /// In which zone.
    fn zone(&self) -> Zone;
    /// When it serves.
    fn service(&self) -> ServiceDates;
    /// The access that is wanted so far.
    fn desired(&self) -> Access;
    /// Why, when that is [`Access::Isolated`].
    fn cause(&self) -> Option<IsolationCause>;
    /// The overdue residual when the present isolation began.
    fn isolated(&self) -> Option<Money>;
    /// The open invoices of the line.
    fn open(&self) -> &[Self::Debt];
    /// The promises of the customer; more than one may be known, and the one that holds counts.
    fn promises(&self) -> &[ProtectedDays];
    /// The exemptions of the customer.
    fn exemptions(&self) -> &[ProtectedDays];
    /// The recorded outages of the site.
    fn outages(&self) -> &[OutageTimes];
    /// The proofs of transfer of the line's invoices; those of other invoices do not matter.
    fn proofs(&self) -> &[ProofTimes];
}

/// The bare facts of a line, for who knows no more: [`Decidable`] says what each is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the trait says it")]
pub struct IsolationFacts {
    pub zone: Zone,
    pub service: ServiceDates,
    pub desired: Access,
    pub cause: Option<IsolationCause>,
    pub isolated: Option<Money>,
    pub open: Vec<Debt>,
    pub promises: Vec<ProtectedDays>,
    pub exemptions: Vec<ProtectedDays>,
    pub outages: Vec<OutageTimes>,
    pub proofs: Vec<ProofTimes>,
}

impl Decidable for IsolationFacts {
    type Debt = Debt;

    #[inline]
    fn zone(&self) -> Zone {
        self.zone
    }
    #[inline]
    fn service(&self) -> ServiceDates {
        self.service
    }
    #[inline]
    fn desired(&self) -> Access {
        self.desired
    }
    #[inline]
    fn cause(&self) -> Option<IsolationCause> {
        self.cause
    }
    #[inline]
    fn isolated(&self) -> Option<Money> {
        self.isolated
    }
    #[inline]
    fn open(&self) -> &[Self::Debt] {
        &self.open
    }
    #[inline]
    fn promises(&self) -> &[ProtectedDays] {
        &self.promises
    }
    #[inline]
    fn exemptions(&self) -> &[ProtectedDays] {
        &self.exemptions
    }
    #[inline]
    fn outages(&self) -> &[OutageTimes] {
        &self.outages
    }
    #[inline]
    fn proofs(&self) -> &[ProofTimes] {
        &self.proofs
    }
}

impl Decidable for AccessFacts {
    type Debt = InvoiceBalance;

    #[inline]
    fn zone(&self) -> Zone {
        self.zone
    }
    #[inline]
    fn service(&self) -> ServiceDates {
        self.terms.service()
    }
    #[inline]
    fn desired(&self) -> Access {
        self.access.desired
    }
    #[inline]
    fn cause(&self) -> Option<IsolationCause> {
        self.access.cause
    }
    #[inline]
    fn isolated(&self) -> Option<Money> {
        self.access.isolated.map(|since| since.overdue)
    }
    #[inline]
    fn open(&self) -> &[Self::Debt] {
        &self.open
    }
    #[inline]
    fn promises(&self) -> &[ProtectedDays] {
        &self.protections.promises
    }
    #[inline]
    fn exemptions(&self) -> &[ProtectedDays] {
        &self.protections.exemptions
    }
    #[inline]
    fn outages(&self) -> &[OutageTimes] {
        &self.protections.outages
    }
    #[inline]
    fn proofs(&self) -> &[ProofTimes] {
        &self.protections.proofs
    }
}

/// The protection that holds at a moment, which lies on the day `today`; of several, the one that holds longest.
pub(super) fn longest(all: &[ProtectedDays], today: Date, now: DateTime<Utc>) -> Option<&ProtectedDays> {
    all.iter().filter(|days| days.holds(today, now)).max_by_key(|days| days.until)
}

/// What should happen to a subscription's access now, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", content = "reason", rename_all = "snake_case")]
pub enum Decision {
    /// Leave it as it is.
    Keep(Reason),
    /// Isolate it for arrears.
    Isolate(Reason),
    /// Reopen it.
    Reopen(Reason),
    /// Close it.
    Close(Reason),
}

impl Decision {
    /// The reason in it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Keep(r) | Self::Isolate(r) | Self::Reopen(r) | Self::Close(r) => *r,
        }
    }
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing is overdue.
    NothingOverdue,
    /// Something is overdue, but not for long enough (rule I1).
    WithinGrace,
    /// Overdue for long enough, but too little for an isolation (rule A2).
    SmallDebt,
    /// Overdue for long enough (rule I1).
    OverdueTooLong,
    /// It is before the hour of isolation (rule I1).
    BeforeHour,
    /// A weekend or holiday (rule I1).
    DayNotAllowed,
    /// A promise to pay is running (rule I2).
    Promised,
    /// An exemption holds (rule I2).
    Exempt,
    /// The site has an outage (rule I2).
    SiteOutage,
    /// A proof of transfer waits for review (rule P8).
    ProofWaiting,
    /// It is isolated and something is still overdue.
    StillOverdue,
    /// It was isolated by hand, and only a hand reopens it (rule I3).
    IsolatedByHand,
    /// A person reopened it (rule I3). Explanations say so; nothing decides it.
    ReopenedByHand,
    /// What was overdue is paid (rule I4).
    Paid,
    /// Enough of what was overdue is paid (rule I4).
    PaidEnough,
    /// It has not started.
    Pending,
    /// The customer paused it (rule B7).
    Paused,
    /// It has ended.
    Terminated,
    /// It serves again after a pause, or started.
    InService,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 19] = [
        Self::NothingOverdue,
        Self::WithinGrace,
        Self::SmallDebt,
        Self::OverdueTooLong,
        Self::BeforeHour,
        Self::DayNotAllowed,
        Self::Promised,
        Self::Exempt,
        Self::SiteOutage,
        Self::ProofWaiting,
        Self::StillOverdue,
        Self::IsolatedByHand,
        Self::ReopenedByHand,
        Self::Paid,
        Self::PaidEnough,
        Self::Pending,
        Self::Paused,
        Self::Terminated,
        Self::InService,
    ];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NothingOverdue => "nothing_overdue",
            Self::WithinGrace => "within_grace",
            Self::SmallDebt => "small_debt",
            Self::OverdueTooLong => "overdue_too_long",
            Self::BeforeHour => "before_hour",
            Self::DayNotAllowed => "day_not_allowed",
            Self::Promised => "promised",
            Self::Exempt => "exempt",
            Self::SiteOutage => "site_outage",
            Self::ProofWaiting => "proof_waiting",
            Self::StillOverdue => "still_overdue",
            Self::IsolatedByHand => "isolated_by_hand",
            Self::ReopenedByHand => "reopened_by_hand",
            Self::Paid => "paid",
            Self::PaidEnough => "paid_enough",
            Self::Pending => "pending",
            Self::Paused => "paused",
            Self::Terminated => "terminated",
            Self::InService => "in_service",
        }
    }
}

/// Decides whether a line should be isolated, reopened, closed or left alone at `now`.
///
/// A pause or termination closes access whatever is owed (rule B7). A line isolated by hand stays so. A line
/// isolated for arrears is reopened at any hour as soon as nothing is overdue, or too little for an isolation (rule A2).
/// An open line is isolated only when an invoice has been overdue for long enough and enough is overdue in all, on an
/// allowed day, from the policy's hour on, and nothing exempts it.
///
/// For many lines at one moment there is [`IsolationMoment`].
#[must_use]
pub fn decide_isolation<F: Decidable>(facts: &F, policy: &IsolationPolicy, now: DateTime<Utc>) -> Decision {
    let today = facts.zone().date_of(now);
    decide(facts, policy, now, today, || forbidden(policy, facts.zone(), now))
}

/// A policy at a moment, to decide about many lines: each zone's day, and whether it and its hour allow an isolation, are
/// looked up once for all of them.
#[derive(Debug, Clone)]
pub struct IsolationMoment<'p> {
    policy: &'p IsolationPolicy,
    now: DateTime<Utc>,
    zones: [(Date, Option<Reason>); Zone::ALL.len()],
}

impl<'p> IsolationMoment<'p> {
    /// A policy at `now`.
    #[must_use]
    pub fn new(policy: &'p IsolationPolicy, now: DateTime<Utc>) -> Self {
        Self { policy, now, zones: Zone::ALL.map(|zone| (zone.date_of(now), forbidden(policy, zone, now))) }
    }

    /// The moment.
    #[must_use]
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The day in a zone.
    #[must_use]
    pub const fn today(&self, zone: Zone) -> Date {
        self.zones[zone as usize].0
    }

    /// Decides about a line as [`decide_isolation`] does.
    ///
    /// ```
    /// # use isp_core::{calendar::*, isolation::*, subscription::ServiceDates};
    /// let start = Date::parse("2026-01-01").unwrap();
    /// let service = ServiceDates { start, end: None, paused_from: None };
    /// let facts = IsolationFacts { zone: Zone::Wit, service, desired: Access::Open, cause: None, isolated: None,
    ///     open: vec![], promises: vec![], exemptions: vec![], outages: vec![], proofs: vec![] };
    /// let (policy, now) = (IsolationPolicy::default(), start.at(10, 0, Zone::Wib));
    /// let moment = IsolationMoment::new(&policy, now);
    /// assert_eq!(moment.decide(&facts), Decision::Keep(Reason::NothingOverdue));
    /// assert_eq!(moment.decide(&facts), decide_isolation(&facts, &policy, now));
    /// ```
    #[must_use]
    #[inline]
    pub fn decide<F: Decidable>(&self, facts: &F) -> Decision {
        let (today, forbidden) = self.zones[facts.zone() as usize];
        decide(facts, self.policy, self.now, today, || forbidden)
    }
}

/// Why no line of a zone may be isolated at a moment.
fn forbidden(policy: &IsolationPolicy, zone: Zone, now: DateTime<Utc>) -> Option<Reason> {
    if !policy.allows_day(zone.date_of(now)) {
        Some(Reason::DayNotAllowed)
    } else if zone.time_of(now) < policy.isolate_at {
        Some(Reason::BeforeHour)
    } else {
        None
    }
}

fn decide<F: Decidable>(
    facts: &F,
    policy: &IsolationPolicy,
    now: DateTime<Utc>,
    today: Date,
    forbidden: impl FnOnce() -> Option<Reason>,
) -> Decision {
    let closed = match facts.service().status_on(today) {
        SubscriptionStatus::Terminated => Some(Reason::Terminated),
        SubscriptionStatus::Paused => Some(Reason::Paused),
        SubscriptionStatus::Pending => Some(Reason::Pending),
        SubscriptionStatus::Active => None,
    };
    if let Some(reason) = closed {
        return if facts.desired() == Access::Closed { Decision::Keep(reason) } else { Decision::Close(reason) };
    }
    match (facts.desired(), facts.cause()) {
        (Access::Isolated, Some(IsolationCause::Manual)) => Decision::Keep(Reason::IsolatedByHand),
        (Access::Isolated, _) => reopen(facts, policy, today, now),
        // A line that leaves a pause with old debts is opened first; the next look may isolate it.
        (Access::Closed, _) => Decision::Reopen(Reason::InService),
        (Access::Open, _) => isolate(facts, policy, today, now, forbidden),
    }
}

fn reopen<F: Decidable>(facts: &F, policy: &IsolationPolicy, today: Date, now: DateTime<Utc>) -> Decision {
    let arrears = Arrears::of(facts.open(), today);
    if arrears.overdue.is_zero() {
        return Decision::Reopen(Reason::Paid);
    }
    if arrears.overdue < policy.isolate_from {
        return Decision::Reopen(Reason::SmallDebt);
    }
    let enough = policy.reopen_when_paid_percent.zip(facts.isolated()).is_some_and(|(percent, overdue_then)| {
        let may_remain = overdue_then.ratio(100 - i64::from(percent.min(100)), 100);
        !overdue_then.is_zero() && arrears.overdue <= may_remain
    });
    if enough {
        return Decision::Reopen(Reason::PaidEnough);
    }
    // A protection granted after the isolation opens the line while it lasts (rule I2).
    match protection(facts, policy, today, now) {
        Some(reason @ (Reason::Promised | Reason::Exempt)) => Decision::Reopen(reason),
        _ => Decision::Keep(Reason::StillOverdue),
    }
}

fn isolate<F: Decidable>(
    facts: &F,
    policy: &IsolationPolicy,
    today: Date,
    now: DateTime<Utc>,
    forbidden: impl FnOnce() -> Option<Reason>,
) -> Decision {
    let arrears = Arrears::of(facts.open(), today);
    if arrears.overdue.is_zero() {
        return Decision::Keep(Reason::NothingOverdue);
    }
    if arrears.days_late < i32::from(policy.isolate_after_days) {
        return Decision::Keep(Reason::WithinGrace);
    }
    if arrears.overdue < policy.isolate_from {
        return Decision::Keep(Reason::SmallDebt);
    }
    // Enough was paid of the isolation that this line was reopened from: the rest gets its own grace.
    if let (Some(percent), Some(overdue_then)) = (policy.reopen_when_paid_percent, facts.isolated()) {
        let may_remain = overdue_then.ratio(100 - i64::from(percent.min(100)), 100);
        if arrears.overdue <= may_remain {
            return Decision::Keep(Reason::PaidEnough);
        }
    }
    match protection(facts, policy, today, now).or_else(forbidden) {
        Some(reason) => Decision::Keep(reason),
        None => Decision::Isolate(Reason::OverdueTooLong),
    }
}

/// What protects a line. Nearly every line has nothing, and a run asks for each: that answer comes first.
#[inline]
fn protection<F: Decidable>(facts: &F, policy: &IsolationPolicy, today: Date, now: DateTime<Utc>) -> Option<Reason> {
    let days = facts.promises().is_empty() && facts.exemptions().is_empty();
    if days && facts.outages().is_empty() && facts.proofs().is_empty() {
        return None;
    }
    holding(facts, policy, today, now)
}

#[inline(never)]
fn holding<F: Decidable>(facts: &F, policy: &IsolationPolicy, today: Date, now: DateTime<Utc>) -> Option<Reason> {
    if facts.promises().iter().any(|p| p.holds(today, now)) {
        Some(Reason::Promised)
    } else if facts.exemptions().iter().any(|e| e.holds(today, now)) {
        Some(Reason::Exempt)
    } else if facts.outages().iter().any(|o| o.holds(now)) {
        Some(Reason::SiteOutage)
    } else if held_by_proof(facts.open(), facts.proofs(), policy, facts.zone(), now).is_some() {
        Some(Reason::ProofWaiting)
    } else {
        None
    }
}

/// The due date from which on a line with these invoices may be isolated: that of the oldest that is not paid.
pub(crate) fn oldest_due<D: Owing>(open: &[D]) -> Option<Date> {
    open.iter().map(Owing::debt).filter(|debt| debt.residual().is_positive()).map(|debt| debt.due_date).min()
}

/// Until when proofs of transfer hold isolation back from a line with these open invoices (rule P8): the first proof of one of
/// them waits for review, and has not waited for too long. `None` when none does.
#[must_use]
pub fn held_by_proof<D: Owing>(
    open: &[D],
    proofs: &[ProofTimes],
    policy: &IsolationPolicy,
    zone: Zone,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if proofs.is_empty() {
        return None;
    }
    let unpaid = open.iter().map(Owing::debt).filter(|debt| debt.residual().is_positive());
    let oldest = oldest_due(open)?;
    let first = unpaid.filter_map(|debt| ProofTimes::first(proofs, debt.invoice_id, now));
    let waits = first.filter(|proof| !proof.is_reviewed(now));
    waits.map(|proof| policy.proof_until(proof.arrived_at, oldest, zone)).max().filter(|until| now < *until)
}
