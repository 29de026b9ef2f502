//! One sentence that says why a line is open or isolated (rule I7).

use chrono::{DateTime, Utc};

use crate::dunning::Arrears;
use crate::isolation::decide::{AccessFacts, Decision, decide_isolation};
use crate::isolation::policy::IsolationPolicy;

/// The decision and the arrears at a moment, from which a sentence is made.
#[must_use]
pub fn reason_at(facts: &AccessFacts, policy: &IsolationPolicy, now: DateTime<Utc>) -> (Decision, Arrears) {
    (decide_isolation(facts, policy, now), Arrears::of(&facts.open, facts.zone.date_of(now)))
}
