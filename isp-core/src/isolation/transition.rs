//! What a decision about access comes to: the new wanted state, the event that explains it and the wish to the router. They go
//! into one commit, with the message of [`crate::message::notice::about_access`] (rules I5, P5).

use chrono::{DateTime, Utc};

use crate::billing::Arrears;
use crate::isolation::access::{AccessEvent, AccessEventKind, IsolatedSince, IsolationCause, ServiceAccess};
use crate::isolation::decide::{AccessFacts, Decision};
use crate::isolation::effect::AccessEffect;
use crate::money::Money;

/// Who decides, and in whose words.
#[derive(Debug, Clone, Copy)]
pub struct Decider<'a> {
    /// `engine`, or an officer's name.
    pub by: &'a str,
    /// Why; a [`crate::isolation::Reason`] code when the engine decides.
    pub reason: &'a str,
}

/// What a change of wanted access comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// What is wanted from now on.
    pub access: ServiceAccess,
    /// What happened.
    pub event: AccessEvent,
    /// The wish to the router, for a line that has one.
    pub effect: Option<AccessEffect>,
}

impl Transition {
    /// What a decision of the engine comes to; `None` when it keeps things as they are.
    #[must_use]
    pub fn decided(facts: &AccessFacts, decision: Decision, now: DateTime<Utc>) -> Option<Self> {
        let kind = match decision {
            Decision::Keep(_) => return None,
            Decision::Isolate(_) => AccessEventKind::IsolatedArrears,
            Decision::Reopen(_) => AccessEventKind::Reopened,
            Decision::Close(_) => AccessEventKind::Closed,
        };
        Some(Self::new(facts, kind, Decider { by: "engine", reason: decision.reason().code() }, now))
    }

    /// What a change of access comes to, whoever decided it.
    #[must_use]
    pub fn new(facts: &AccessFacts, kind: AccessEventKind, decider: Decider<'_>, now: DateTime<Utc>) -> Self {
        let overdue = Arrears::of(&facts.open, facts.zone.date_of(now)).overdue;
        let before = &facts.access;
        let (desired, cause) = kind.leads_to().unwrap_or((before.desired, before.cause));
        let revision = before.revision + 1;
        let isolated = match kind {
            AccessEventKind::IsolatedArrears => Some(IsolatedSince { at: now, overdue }),
            // Kept after a reopening for a part, so that the rest is judged against what was overdue then.
            AccessEventKind::Reopened if !overdue.is_zero() && before.cause == Some(IsolationCause::Arrears) => {
                before.isolated
            }
            AccessEventKind::IsolatedManual => Some(IsolatedSince { at: now, overdue: Money::ZERO }),
            AccessEventKind::GroupChanged => before.isolated,
            AccessEventKind::Reopened | AccessEventKind::Closed | AccessEventKind::Registered => None,
        };
        let subscription_id = facts.subscription_id;
        Self {
            access: ServiceAccess { desired, cause, isolated, revision, ..before.clone() },
            event: AccessEvent {
                id: AccessEvent::id_of(subscription_id, revision),
                subscription_id,
                at: now,
                kind,
                by: decider.by.to_owned(),
                reason: decider.reason.to_owned(),
                overdue,
                revision,
            },
            effect: facts.router_id.map(|router_id| AccessEffect {
                subscription_id,
                router_id,
                revision,
                not_before: now,
            }),
        }
    }
}
