//! Notices of isolation and reopening: one for a line, or one for all lines of a customer that one commit isolates or
//! reopens, where the customer has statements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::billing::Statement;
use crate::ids::{CustomerId, StatementId, TenantId, derive};
use crate::isolation::transition::Transition;
use crate::isolation::{Access, AccessEventKind, AccessFacts};
use crate::message::policy::DunningPolicy;
use crate::message::reminder::next_sending;
use crate::message::{Notification, NotificationKey, NotificationKind};

/// What notices have in common that are said as one.
type Group = (CustomerId, NotificationKind, Option<StatementId>);

/// Joins the notices about lines of customers who have statements: one for each statement whose invoices isolated them,
/// with the key of that statement and day, so that none follows from another commit of the day; one for all that are
/// reopened. `facts` are those that were decided from.
pub fn join_notices(
    messages: &mut Vec<Notification>,
    facts: &[AccessFacts],
    statements: &[Statement],
    now: DateTime<Utc>,
) {
    let mut places: BTreeMap<Group, usize> = BTreeMap::new();
    let mut joined: Vec<Notification> = Vec::with_capacity(messages.len());
    for mut message in messages.drain(..) {
        let Some(group) = group_of(&message, facts, statements, now) else {
            joined.push(message);
            continue;
        };
        if let Some(first) = places.get(&group).and_then(|at| joined.get_mut(*at)) {
            first.also.extend(message.subscription_id);
            first.keys.extend(message.keys);
            first.invoices.extend(message.invoices);
            continue;
        }
        places.insert(group, joined.len());
        if let (_, kind, Some(statement)) = group {
            let day = message.zone.date_of(now).to_string();
            let subject = derive(statement.0, &["notice", &day]);
            message.keys.push(NotificationKey { kind, level: 0, subject });
        }
        joined.push(message);
    }
    *messages = joined;
}

fn group_of(
    message: &Notification,
    facts: &[AccessFacts],
    statements: &[Statement],
    now: DateTime<Utc>,
) -> Option<Group> {
    let customer = message.customer_id;
    if !statements.iter().any(|s| s.customer_id == customer) {
        return None;
    }
    let statement = match message.kind {
        NotificationKind::Reopened => None,
        NotificationKind::Isolated => {
            let today = message.zone.date_of(now);
            let of = facts.iter().find(|f| Some(f.subscription_id) == message.subscription_id)?;
            let oldest = of.open.iter().filter(|i| i.due_date < today).min_by_key(|i| (i.due_date, i.number));
            oldest.and_then(|i| Statement::of(statements, i)).map(Statement::id)
        }
        _ => return None,
    };
    Some((customer, message.kind, statement))
}

/// The message about a change of access; `None` for one that nobody waits for.
#[must_use]
pub fn about_access(
    tenant: TenantId,
    facts: &AccessFacts,
    change: &Transition,
    policy: &DunningPolicy,
    now: DateTime<Utc>,
) -> Option<Notification> {
    let (event, desired) = (&change.event, change.access.desired);
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
