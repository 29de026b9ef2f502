//! How many lines one go may isolate (rule I6).

use isp_core::ports::ApplyOutcome;

use crate::reconcile::{Finding, Plan};

/// What [`MikrotikAccess::apply_within`](super::MikrotikAccess::apply_within) did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guarded {
    /// Carried out: one outcome for each target, in order.
    Applied(Vec<ApplyOutcome>),
    /// Not carried out: this would have isolated too many lines at once.
    Held(Plan),
}

/// What [`MikrotikAccess::apply_passing`](super::MikrotikAccess::apply_passing) did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passed {
    /// One for each target, in order; `None`: the line was to be isolated and is held.
    pub outcomes: Vec<Option<ApplyOutcome>>,
    /// How many lines are held. Zero: everything was carried out.
    pub held: usize,
}

impl Passed {
    pub(super) fn new(outcomes: Vec<ApplyOutcome>) -> Passed {
        let breaker = Finding::Breaker.code();
        let of = |outcome| match outcome {
            ApplyOutcome::Refused { code, .. } if code == breaker => None,
            other => Some(other),
        };
        let outcomes: Vec<_> = outcomes.into_iter().map(of).collect();
        Passed { held: outcomes.iter().filter(|outcome| outcome.is_none()).count(), outcomes }
    }
}

/// What becomes of a plan that isolates more lines than it may.
#[derive(Debug, Clone, Copy)]
pub(super) enum Breaker {
    /// It is carried out: a person approved it.
    Off,
    /// Nothing of it is done.
    HoldsAll(usize),
    /// Everything is done but the isolations.
    HoldsIsolations(usize),
}

impl Breaker {
    /// How many lines may be isolated, where the plans isolate so many; `None`: nothing may be done at all.
    pub(super) fn budget(self, isolated: usize) -> Option<Budget> {
        match self {
            Breaker::Off => Some(Budget(usize::MAX)),
            Breaker::HoldsAll(limit) => (isolated <= limit).then_some(Budget(limit)),
            Breaker::HoldsIsolations(limit) => Some(Budget(if isolated <= limit { limit } else { 0 })),
        }
    }
}

/// How many more lines may be isolated.
pub(super) struct Budget(usize);

impl Budget {
    /// Takes one out, if one is left.
    pub(super) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}
