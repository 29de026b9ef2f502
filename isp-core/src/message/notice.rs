//! Notices of isolation and reopening: one for a line, or one for all lines of a customer that one commit isolates or
//! reopens, where the customer has statements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::billing::{Owing, Statement};
use crate::calendar::Date;
use crate::ids::{CustomerId, StatementId, TenantId, derive};
use crate::isolation::transition::Transition;
use crate::isolation::{Access, AccessEventKind, AccessFacts};
use crate::message::policy::DunningPolicy;
use crate::message::reminder::next_sending;
use crate::message::{Notification, NotificationKey, NotificationKind};

/// What notices have in common that are said as one.
pub type Group = (CustomerId, NotificationKind, Option<StatementId>);

/// With which others a notice about a line is said: with those of the statement that isolated it, or with all lines of the
/// customer that are reopened. `None` for one that is said by itself, as are all of a customer without statements. `open` are the
/// open invoices of the line.
///
/// ```
/// use isp_core::{billing::*, calendar::*, ids::*, message::{NotificationKind, notice}, money::Money};
/// # let id = |n: u128| uuid::Uuid::from_u128(n);
/// # let day = |text: &str| Date::parse(text).unwrap();
/// # let invoice = |n: u64| Debt { invoice_id: InvoiceId(id(n.into())), number: n, issue_date: day("2026-01-01"),
/// #   due_date: day("2026-01-11"), total: Money::rupiah(166_500), paid: Money::ZERO };
/// let (office, house, today) = (invoice(41), invoice(42), day("2026-01-16"));
/// let budi = CustomerId(id(1));
/// let statement = Statement { customer_id: budi, issue_date: day("2026-01-01"), due_date: day("2026-01-11"), number: 7 };
/// let group = |open, statements: &[Statement]| notice::group(budi, NotificationKind::Isolated, &[open], statements, today);
/// assert_eq!(group(office, &[statement]), group(house, &[statement]));
/// assert_eq!(group(office, &[]), None);
/// ```
#[must_use]
pub fn group<D: Owing>(
    customer: CustomerId,
    kind: NotificationKind,
    open: &[D],
    statements: &[Statement],
    today: Date,
) -> Option<Group> {
    if !statements.iter().any(|s| s.customer_id == customer) {
        return None;
    }
    let statement = match kind {
        NotificationKind::Reopened => None,
        NotificationKind::Isolated => {
            let late = open.iter().filter(|i| i.debt().due_date < today);
            let oldest = late.min_by_key(|i| (i.debt().due_date, i.debt().number));
            oldest.and_then(|i| Statement::of(statements, i)).map(Statement::id)
        }
        NotificationKind::DueSoon
        | NotificationKind::Overdue
        | NotificationKind::PaymentReceived
        | NotificationKind::Answer => return None,
    };
    Some((customer, kind, statement))
}

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
    let of = facts.iter().find(|f| Some(f.subscription_id) == message.subscription_id);
    let (open, today) = (of.map_or(&[][..], |f| &f.open), message.zone.date_of(now));
    group(message.customer_id, message.kind, open, statements, today)
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
