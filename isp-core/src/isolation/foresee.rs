//! On which day a line is isolated next: the isolation decision, asked about the days ahead.

use chrono::{DateTime, Utc};

use crate::billing::{Arrears, Owing};
use crate::calendar::{Date, Zone};
use crate::ending::Ending;
use crate::isolation::access::{Access, IsolationCause};
use crate::isolation::decide::{Decidable, Decision, Reason, decide_isolation, oldest_due};
use crate::isolation::policy::IsolationPolicy;
use crate::money::Money;
use crate::protection::{OutageTimes, ProofTimes, ProtectedDays};
use crate::subscription::ServiceDates;

/// So many days are looked at. Nobody is told of a day that lies further ahead: much is said and paid within a year.
pub const FORESEEN_DAYS: i32 = 366;

/// The first day, from `now` on, on which a run isolates a line if nothing is paid, nothing is recorded and nobody does anything
/// by hand; `None` when there is none within [`FORESEEN_DAYS`].
///
/// It is [`decide_isolation`] that is asked, at `now` and at each later moment at which its answer may be another one: when a debt
/// is late for long enough, when a protection or the service begins or ends, and at the policy's hour of an allowed day. What it
/// wants meanwhile is taken as done: a line that it opens because of a promise may be isolated after the promise. So
///
/// * a debt that is not late for long enough, or too small until another one is late, names the day on which both are over;
/// * a promise, an exemption, an outage and a proof of transfer name the first allowed day after them, and none when they have no end;
/// * a line that is isolated, by hand or for arrears, is not isolated again: it names a day only where it is opened before, by a
///   protection that ends or since too little is owed so far;
/// * a line that was opened since enough was paid names the day on which enough is late again;
/// * a line that has not begun names none before its first day, and one that is paused or has ended none.
///
/// ```
/// use isp_core::{billing::Debt, calendar::*, ids::InvoiceId, isolation::*, money::Money, protection::ProtectedDays, subscription::*};
/// let day = |text: &str| Date::parse(text).unwrap();
/// let debt = Debt { invoice_id: InvoiceId(uuid::Uuid::nil()), number: 1, issue_date: day("2026-01-01"),
///     due_date: day("2026-01-11"), total: Money::rupiah(165_000), paid: Money::ZERO };
/// let line = IsolationFacts { zone: Zone::Wib, service: ServiceDates { start: day("2025-01-01"), end: None, paused_from: None },
///     desired: Access::Open, cause: None, isolated: None, open: vec![debt], promises: vec![], exemptions: vec![],
///     outages: vec![], proofs: vec![] };
/// let (policy, now) = (IsolationPolicy::default(), day("2026-01-12").at(9, 0, Zone::Wib));
/// // Overdue since the 12th; the 16th, a Friday, is a holiday in 2026.
/// assert_eq!(first_isolation(&line, &policy, now), Some(day("2026-01-19")));
/// // A promise until the 20th, a Tuesday.
/// let days = |until| ProtectedDays { from: day("2026-01-12"), until, reason: String::new(), ending: None };
/// let promised = IsolationFacts { promises: vec![days(day("2026-01-20"))], ..line.clone() };
/// assert_eq!(first_isolation(&promised, &policy, now), Some(day("2026-01-21")));
/// let exempt = IsolationFacts { exemptions: vec![days(Date::MAX)], ..line.clone() };
/// assert_eq!(first_isolation(&exempt, &policy, now), None);
/// let ended = IsolationFacts { service: ServiceDates { end: Some(day("2026-01-15")), ..line.service }, ..line };
/// assert_eq!(first_isolation(&ended, &policy, now), None);
/// ```
#[must_use]
pub fn first_isolation<F: Decidable>(facts: &F, policy: &IsolationPolicy, now: DateTime<Utc>) -> Option<Date> {
    first_moment(facts, policy, now).map(|at| facts.zone().date_of(at))
}

/// The moment of [`first_isolation`]: from it on, a run isolates the line.
pub(crate) fn first_moment<F: Decidable>(
    facts: &F,
    policy: &IsolationPolicy,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (zone, oldest) = (facts.zone(), oldest_due(facts.open())?);
    let today = zone.date_of(now);
    let end = today.plus_days(FORESEEN_DAYS + 1).midnight(zone);
    let mut changes = changes(facts, policy, oldest);
    changes.retain(|at| now < *at && *at < end);
    changes.sort_unstable();
    let mut changes = changes.into_iter().peekable();
    let mut line = Foreseen { facts, desired: facts.desired(), cause: facts.cause(), isolated: facts.isolated() };
    let mut at = now;
    // Each turn passes a change, or waits for an hour at which only a change can forbid it again.
    loop {
        let hour = match line.follow(policy, at) {
            Decision::Isolate(_) => return Some(at),
            Decision::Keep(Reason::BeforeHour | Reason::DayNotAllowed) => next_hour(policy, zone, at),
            _ => None,
        };
        while changes.next_if(|change| *change <= at).is_some() {}
        at = changes.peek().copied().into_iter().chain(hour).min().filter(|next| *next < end)?;
    }
}

/// The next moment at which the policy allows isolations.
fn next_hour(policy: &IsolationPolicy, zone: Zone, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let minutes = policy.isolate_at.minutes();
    let hour = policy.next_allowed_day(zone.date_of(at)).at(minutes / 60, minutes % 60, zone);
    (at < hour).then_some(hour)
}

/// The moments at which the decision about a line may be another one, but for the policy's hour: in no order, past ones too.
fn changes<F: Decidable>(facts: &F, policy: &IsolationPolicy, oldest: Date) -> Vec<DateTime<Utc>> {
    let zone = facts.zone();
    let service = facts.service();
    let mut days = vec![service.start];
    days.extend([service.end, service.paused_from].into_iter().flatten());
    for debt in facts.open().iter().map(Owing::debt) {
        days.extend([debt.due_date.plus_days(1), debt.due_date.plus_days(i32::from(policy.isolate_after_days))]);
    }
    let protected = || facts.promises().iter().chain(facts.exemptions());
    days.extend(protected().flat_map(|of| [of.from, of.until.plus_days(1)]));
    let mut moments: Vec<DateTime<Utc>> = days.into_iter().map(|day| day.midnight(zone)).collect();
    let ended = |ending: &Option<Ending>| ending.as_ref().map(|ending| ending.at);
    moments.extend(protected().filter_map(|of| ended(&of.ending)));
    for outage in facts.outages() {
        moments.extend([Some(outage.from), outage.until, ended(&outage.ending)].into_iter().flatten());
    }
    for proof in facts.proofs() {
        moments.extend([proof.arrived_at, policy.proof_until(proof.arrived_at, oldest, zone)]);
        moments.extend(proof.reviewed_at);
    }
    moments
}

/// A line as it will be.
struct Foreseen<'a, F> {
    facts: &'a F,
    desired: Access,
    cause: Option<IsolationCause>,
    isolated: Option<Money>,
}

impl<F: Decidable> Foreseen<'_, F> {
    /// What is decided at a moment once what is to be opened or closed then is done, as [`crate::isolation::transition`] does it.
    fn follow(&mut self, policy: &IsolationPolicy, at: DateTime<Utc>) -> Decision {
        let decision = decide_isolation(&*self, policy, at);
        match decision {
            Decision::Keep(_) | Decision::Isolate(_) => return decision,
            Decision::Reopen(_) => {
                let owes = !Arrears::of(self.open(), self.zone().date_of(at)).overdue.is_zero();
                let kept = owes && self.cause == Some(IsolationCause::Arrears);
                self.isolated = self.isolated.filter(|_| kept);
                self.desired = Access::Open;
            }
            Decision::Close(_) => (self.isolated, self.desired) = (None, Access::Closed),
        }
        self.cause = None;
        decide_isolation(&*self, policy, at)
    }
}

impl<F: Decidable> Decidable for Foreseen<'_, F> {
    type Debt = F::Debt;

    fn zone(&self) -> Zone {
        self.facts.zone()
    }
    fn service(&self) -> ServiceDates {
        self.facts.service()
    }
    fn desired(&self) -> Access {
        self.desired
    }
    fn cause(&self) -> Option<IsolationCause> {
        self.cause
    }
    fn isolated(&self) -> Option<Money> {
        self.isolated
    }
    fn open(&self) -> &[Self::Debt] {
        self.facts.open()
    }
    fn promises(&self) -> &[ProtectedDays] {
        self.facts.promises()
    }
    fn exemptions(&self) -> &[ProtectedDays] {
        self.facts.exemptions()
    }
    fn outages(&self) -> &[OutageTimes] {
        self.facts.outages()
    }
    fn proofs(&self) -> &[ProofTimes] {
        self.facts.proofs()
    }
}
