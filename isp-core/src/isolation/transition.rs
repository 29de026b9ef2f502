//! What a decision about access writes: the new desired state, the event that explains it, the wish to the router and
//! the message to the customer. All four go into one commit (rules I5, P5).

use chrono::{DateTime, Utc};

use crate::dunning::policy::DunningPolicy;
use crate::dunning::reminder::next_sending;
use crate::dunning::{Arrears, Notification, NotificationKind};
use crate::ids::TenantId;
use crate::isolation::access::{Access, AccessEvent, AccessEventKind, IsolatedSince, IsolationCause, ServiceAccess};
use crate::isolation::decide::{AccessFacts, Decision};
use crate::ports::{AccessEffect, ChangeSet};

/// Who decides, and in whose words.
#[derive(Debug, Clone, Copy)]
pub struct Decider<'a> {
    /// `engine`, or an officer's name.
    pub by: &'a str,
    /// Why; a [`crate::isolation::Reason`] code when the engine decides.
    pub reason: &'a str,
}

/// Adds a decision of the engine to a change set. Keeping things as they are adds nothing.
pub fn apply_decision(
    changes: &mut ChangeSet,
    tenant: TenantId,
    facts: &AccessFacts,
    decision: Decision,
    policy: &DunningPolicy,
    now: DateTime<Utc>,
) {
    let kind = match decision {
        Decision::Keep(_) => return,
        Decision::Isolate(_) => AccessEventKind::IsolatedArrears,
        Decision::Reopen(_) => AccessEventKind::Reopened,
        Decision::Close(_) => AccessEventKind::Closed,
    };
    let decider = Decider { by: "engine", reason: decision.reason().code() };
    transition(changes, tenant, facts, kind, decider, policy, now);
}

/// Adds a change of access to a change set, whoever decided it.
pub fn transition(
    changes: &mut ChangeSet,
    tenant: TenantId,
    facts: &AccessFacts,
    kind: AccessEventKind,
    decider: Decider<'_>,
    policy: &DunningPolicy,
    now: DateTime<Utc>,
) {
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
        AccessEventKind::IsolatedManual => Some(IsolatedSince { at: now, overdue: crate::money::Money::ZERO }),
        AccessEventKind::GroupChanged => before.isolated,
        AccessEventKind::Reopened | AccessEventKind::Closed | AccessEventKind::Registered => None,
    };
    changes.access.push(ServiceAccess { desired, cause, isolated, revision, ..before.clone() });
    let event = AccessEvent {
        id: AccessEvent::id_of(facts.subscription_id, revision),
        subscription_id: facts.subscription_id,
        at: now,
        kind,
        by: decider.by.to_owned(),
        reason: decider.reason.to_owned(),
        overdue,
        revision,
    };
    if let Some(message) = message_about(tenant, facts, &event, desired, policy, now) {
        changes.messages.push(message);
    }
    changes.access_events.push(event);
    if let Some(router_id) = facts.router_id {
        changes.effects.push(AccessEffect {
            subscription_id: facts.subscription_id,
            router_id,
            revision,
            not_before: now,
        });
    }
}

fn message_about(
    tenant: TenantId,
    facts: &AccessFacts,
    event: &AccessEvent,
    desired: Access,
    policy: &DunningPolicy,
    now: DateTime<Utc>,
) -> Option<Notification> {
    let (kind, not_before) = match event.kind {
        AccessEventKind::IsolatedArrears | AccessEventKind::IsolatedManual => {
            (NotificationKind::Isolated, next_sending(policy, facts.zone, now))
        }
        // Leaving a pause is no reopening that anybody waits for.
        AccessEventKind::Reopened if desired == Access::Open && facts.access.desired == Access::Isolated => {
            (NotificationKind::Reopened, now)
        }
        _ => return None,
    };
    let mut message = Notification::new(tenant, kind, 0, facts.customer_id, &[event.id.0], not_before, facts.zone);
    message.subscription_id = Some(facts.subscription_id);
    if kind == NotificationKind::Isolated {
        message.invoices = facts.open.iter().map(|i| i.invoice_id).collect();
    }
    Some(message)
}
