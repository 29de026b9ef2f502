//! Which reminders are due now (rules N1, N2, N5).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::{Debt, InvoiceBalance, Owing, Statement};
use crate::calendar::{Date, Zone};
use crate::ids::{CustomerId, InvoiceId, SubscriptionId, TenantId};
use crate::message::notification::{Notification, NotificationKind};
use crate::message::policy::DunningPolicy;

/// All that reminding one customer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DunningFacts<D = InvoiceBalance> {
    /// Whom.
    pub customer_id: CustomerId,
    /// In which zone: that of the customer's (first) subscription.
    pub zone: Zone,
    /// True when there is a number to write to.
    pub reachable: bool,
    /// All open invoices.
    pub open: Vec<D>,
    /// Reminders already written for these invoices: invoice, kind, level. One of a statement counts for each of its
    /// invoices.
    pub notified: Vec<(InvoiceId, NotificationKind, u16)>,
    /// The statements that open invoices stand on.
    #[serde(default)]
    pub statements: Vec<Statement>,
}

/// The reminders that are due at `now`, one message a customer and kind (rule N5).
///
/// Of several levels reached at once only the latest is sent; an earlier one is never sent after a later one. A
/// missed day is caught up while the reminder is still true: "due soon" up to the due date, "overdue" as long as the
/// invoice is unpaid. Messages wait for the end of quiet hours (rule N4).
#[must_use]
pub fn due_reminders<D: Owing>(
    tenant: TenantId,
    customers: &[DunningFacts<D>],
    policy: &DunningPolicy,
    now: DateTime<Utc>,
) -> Vec<Notification> {
    let mut messages = Vec::new();
    for facts in customers.iter().filter(|f| f.reachable) {
        let today = facts.zone.date_of(now);
        let not_before = next_sending(policy, facts.zone, now);
        let mut reached: Vec<(NotificationKind, u16, &D)> = facts
            .open
            .iter()
            .filter(|i| i.debt().residual().is_positive())
            .filter_map(|i| level_reached(i.debt(), policy, today).map(|(kind, level)| (kind, level, i)))
            .filter(|(kind, level, i)| !already(&facts.notified, i.debt().invoice_id, *kind, *level))
            .collect();
        reached.sort_by_key(|(kind, level, i)| (*kind, *level, i.debt().due_date, i.debt().number));
        for group in reached.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let Some((kind, level, first)) = group.first() else { continue };
            let line_of = |invoice: &D| invoice.owner().map(|(_, line)| line);
            let invoices: Vec<InvoiceId> = group.iter().map(|(_, _, i)| i.debt().invoice_id).collect();
            let mut subjects: Vec<uuid::Uuid> = Vec::new();
            let mut also: Vec<SubscriptionId> = Vec::new();
            for (_, _, invoice) in group {
                let statement = Statement::of(&facts.statements, *invoice);
                let subject = statement.map_or(invoice.debt().invoice_id.0, |s| s.id().0);
                if !subjects.contains(&subject) {
                    subjects.push(subject);
                }
                let line = line_of(invoice).filter(|line| Some(*line) != line_of(first) && !also.contains(line));
                also.extend(line.filter(|_| statement.is_some()));
            }
            let mut message =
                Notification::new(tenant, *kind, *level, facts.customer_id, &subjects, not_before, facts.zone);
            message.subscription_id = line_of(first);
            message.also = also;
            message.invoices = invoices;
            messages.push(message);
        }
    }
    messages
}

/// Makes one of the reminders of one run to one customer (rule N5): each asks for everything that is owed (rule N6), so the
/// gravest says it all. It takes the keys of the others, which are not sent by themselves then.
#[must_use]
pub fn join_reminders(messages: Vec<Notification>) -> Vec<Notification> {
    let mut joined: Vec<Notification> = Vec::with_capacity(messages.len());
    for message in messages {
        match joined.iter_mut().find(|other| other.customer_id == message.customer_id) {
            None => joined.push(message),
            Some(other) => {
                let (mut first, second) = if gravity(&message) > gravity(other) {
                    (message, other.clone())
                } else {
                    (other.clone(), message)
                };
                let lines = second.subscription_id.into_iter().chain(second.also);
                let named = first.also.clone();
                // A message about several lines is one of a customer who has statements.
                if !named.is_empty() {
                    let new = |line: &SubscriptionId| Some(*line) != first.subscription_id && !named.contains(line);
                    first.also.extend(lines.filter(new));
                }
                first.keys.extend(second.keys);
                first.invoices.extend(second.invoices);
                *other = first;
            }
        }
    }
    joined
}

/// Overdue before due soon, and of each the later level.
fn gravity(message: &Notification) -> (NotificationKind, i32) {
    let level = i32::from(message.level);
    (message.kind, if message.kind == NotificationKind::DueSoon { -level } else { level })
}

/// The first moment from `now` on at which a message that keeps quiet hours may go out (rule N4).
#[must_use]
pub fn next_sending(policy: &DunningPolicy, zone: Zone, now: DateTime<Utc>) -> DateTime<Utc> {
    let (today, time) = (zone.date_of(now), zone.time_of(now));
    let morning = |day: Date| {
        let minutes = policy.quiet_until.minutes();
        day.at(minutes / 60, minutes % 60, zone)
    };
    if time < policy.quiet_until {
        morning(today)
    } else if time < policy.quiet_from {
        now
    } else {
        morning(today.plus_days(1))
    }
}

/// The latest level that an invoice has reached, if a reminder of it is still true.
#[must_use]
pub fn level_reached(invoice: &Debt, policy: &DunningPolicy, today: Date) -> Option<(NotificationKind, u16)> {
    level_on(invoice.due_date, policy, today)
}

/// The latest level that whatever falls due on `due` has reached, if a reminder of it is still true.
#[must_use]
pub fn level_on(due: Date, policy: &DunningPolicy, today: Date) -> Option<(NotificationKind, u16)> {
    let late = today.days_since(due);
    if late <= 0 {
        let level = policy.due_soon_days.iter().copied().filter(|days| -late <= i32::from(*days)).min()?;
        Some((NotificationKind::DueSoon, level))
    } else {
        let level = policy.overdue_days.iter().copied().filter(|days| i32::from(*days) <= late).max()?;
        Some((NotificationKind::Overdue, level))
    }
}

fn already(
    notified: &[(InvoiceId, NotificationKind, u16)],
    invoice: InvoiceId,
    kind: NotificationKind,
    level: u16,
) -> bool {
    notified.iter().any(|(i, k, l)| {
        // Due-soon levels count down to the due date, overdue levels count up from it.
        let later = match kind {
            NotificationKind::DueSoon => *l <= level,
            _ => *l >= level,
        };
        *i == invoice && *k == kind && later
    })
}
