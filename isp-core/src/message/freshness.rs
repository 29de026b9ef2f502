//! The last look before a message leaves (rules N3, N4, N7): is it still true, and what exactly does it say now?

use chrono::{DateTime, Utc};

use crate::billing::InvoiceBalance;
use crate::calendar::Date;
use crate::ids::{AccessEventId, TenantId};
use crate::isolation::{Access, IsolationCause, IsolationPolicy, ServiceAccess};
use crate::message::notification::{MessageContent, Notification, NotificationKind, OutgoingMessage};
use crate::message::reminder::next_sending;
use crate::message::{Demand, DunningPolicy, MessageFacts};
use crate::money::Money;
use crate::text::Name;

/// What to do with a queued message now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Send this.
    Send(Box<OutgoingMessage>),
    /// Not yet; look again at that moment.
    Later(DateTime<Utc>, &'static str),
    /// Never: it is no longer true, or cannot be sent.
    Drop(&'static str),
}

/// Seconds after which a message that waits for a router's answer is looked at again.
const ROUTER_WAIT_SECONDS: i64 = 300;

/// How long a message about something that happened is worth saying (rule N7). A reminder before the due date ends with
/// that day.
const AGE_DAYS: i64 = 2;

/// True when a message is about something that is too long ago (rule N7). Its age counts from the moment at which it
/// might have left first, so that a night takes nothing from it.
#[must_use]
pub fn is_too_old(kind: NotificationKind, not_before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    kind != NotificationKind::DueSoon && now - not_before > chrono::TimeDelta::days(AGE_DAYS)
}

/// Decides about one queued message from the facts as they are at `now`.
#[must_use]
pub fn refresh(
    tenant: TenantId,
    message: &Notification,
    facts: &MessageFacts,
    policy: &DunningPolicy,
    isolation: &IsolationPolicy,
    now: DateTime<Utc>,
) -> Verdict {
    let Some(phone) = facts.customer.phone.clone() else { return Verdict::Drop("no_phone") };
    if is_too_old(message.kind, message.not_before, now) {
        return Verdict::Drop("too_old");
    }
    if message.kind.keeps_quiet_hours() {
        let allowed = next_sending(policy, message.zone, now);
        if allowed > now {
            return Verdict::Later(allowed, "quiet_hours");
        }
    }
    let today = message.zone.date_of(now);
    let demand = Demand {
        isolated: lines(facts).any(is_isolated_for_arrears),
        ..Demand::of(&facts.open, &facts.statements, isolation, today)
    };
    let content = match message.kind {
        NotificationKind::DueSoon => due_soon(facts, &demand, today),
        NotificationKind::Overdue => overdue(facts, &demand, today),
        NotificationKind::Isolated => isolated(message, facts, &demand, now),
        NotificationKind::PaymentReceived => payment_received(message, facts, &demand),
        NotificationKind::Reopened => reopened(message, facts, now),
    };
    match content {
        Ok(content) => Verdict::Send(Box::new(OutgoingMessage {
            id: message.id,
            tenant,
            to: phone,
            language: facts.customer.language,
            name: facts.customer.name.clone(),
            content,
            demand: (!demand.owed.is_empty()).then_some(demand),
            sender: None,
        })),
        Err(verdict) => verdict,
    }
}

fn unpaid(facts: &MessageFacts) -> impl Iterator<Item = &InvoiceBalance> {
    facts.invoices.iter().filter(|i| i.residual().is_positive())
}

/// The name of the package, or of the packages, each once, as far as a name goes.
fn package(facts: &MessageFacts) -> Result<Name, Verdict> {
    let first = facts.package.clone().ok_or(Verdict::Drop("no_package"))?;
    let mut names = vec![first.as_str()];
    for line in &facts.others {
        if !names.contains(&line.package.as_str()) {
            names.push(line.package.as_str());
        }
    }
    let mut text = names.join(", ");
    if text.chars().count() > Name::LONGEST {
        text = text.chars().take(Name::LONGEST - 1).chain(['…']).collect();
    }
    Ok(Name::parse("package", &text).unwrap_or(first))
}

/// A line that a message is about.
struct Line<'a> {
    access: &'a ServiceAccess,
    routed: bool,
    last_event: Option<AccessEventId>,
}

/// The lines that a message is about and that are wanted so because of the very event that it tells of: a line that was
/// reopened and isolated again has a message of its own about that.
fn wanted<'a>(message: &Notification, facts: &'a MessageFacts, desired: Access) -> Vec<Line<'a>> {
    let named = facts.access.iter();
    let named = named.map(|access| Line { access, routed: facts.routed, last_event: facts.last_event });
    let others = facts.others.iter();
    let others = others.map(|l| Line { access: &l.access, routed: l.routed, last_event: l.last_event });
    let told = |line: &Line<'_>| {
        line.access.desired == desired
            && line.last_event.is_some_and(|event| message.keys.iter().any(|key| key.subject == event.0))
    };
    named.chain(others).filter(told).collect()
}

/// True when a router has not yet said so of one of these lines (rule I5).
fn unconfirmed(lines: &[Line<'_>]) -> bool {
    lines.iter().any(|line| line.routed && !line.access.agrees())
}

/// The access of the lines that a message is about.
fn lines(facts: &MessageFacts) -> impl Iterator<Item = &ServiceAccess> {
    facts.access.iter().chain(facts.others.iter().map(|line| &line.access))
}

fn is_isolated_for_arrears(access: &ServiceAccess) -> bool {
    access.desired == Access::Isolated && access.cause != Some(IsolationCause::Manual)
}

/// The earliest due date of the invoices that a reminder was written for and that are unpaid.
fn earliest_due(facts: &MessageFacts) -> Result<Date, Verdict> {
    unpaid(facts).map(|i| i.due_date).min().ok_or(Verdict::Drop("paid"))
}

fn numbers(demand: &Demand) -> Vec<String> {
    demand.owed.iter().map(|one| one.number.clone()).collect()
}

fn due_soon(facts: &MessageFacts, demand: &Demand, today: Date) -> Result<MessageContent, Verdict> {
    let due_date = earliest_due(facts)?;
    if today > due_date {
        return Err(Verdict::Drop("past_due"));
    }
    Ok(MessageContent::DueSoon { package: package(facts)?, invoices: numbers(demand), amount: demand.total, due_date })
}

fn overdue(facts: &MessageFacts, demand: &Demand, today: Date) -> Result<MessageContent, Verdict> {
    let due_date = earliest_due(facts)?;
    if facts.access.as_ref().is_some_and(|a| a.desired == Access::Isolated) {
        return Err(Verdict::Drop("isolated_already"));
    }
    // The oldest of all that is owed, which may be older than what the reminder was written for.
    let due_date = demand.owed.first().map_or(due_date, |oldest| oldest.due_date.min(due_date));
    let late = today.days_since(due_date);
    // What was overdue is paid; of what it was joined with, something falls due.
    if late <= 0 {
        return due_soon(facts, demand, today);
    }
    let days_late = u16::try_from(late).unwrap_or(u16::MAX);
    // Nobody is isolated for so little, so nobody is told so (rule A2); the next reminder asks for it with the rest.
    let isolation_date = demand.isolation_date.ok_or(Verdict::Drop("small_debt"))?;
    let (package, invoices) = (package(facts)?, numbers(demand));
    Ok(MessageContent::Overdue { package, invoices, amount: demand.total, due_date, days_late, isolation_date })
}

fn isolated(
    message: &Notification,
    facts: &MessageFacts,
    demand: &Demand,
    now: DateTime<Utc>,
) -> Result<MessageContent, Verdict> {
    if facts.access.is_none() {
        return Err(Verdict::Drop("no_access"));
    }
    let lines = wanted(message, facts, Access::Isolated);
    if unconfirmed(&lines) {
        return Err(wait(now));
    }
    // Of several lines, the first may have been reopened meanwhile.
    let oldest = lines.iter().map(|line| line.access).min_by_key(|a| a.isolated.map(|i| i.at));
    let access = oldest.ok_or(Verdict::Drop("reopened"))?;
    let today = message.zone.date_of(now);
    let amount = match access.cause {
        Some(IsolationCause::Manual) => Money::ZERO,
        _ => demand.overdue,
    };
    let since = access.isolated.map_or(today, |i| message.zone.date_of(i.at));
    Ok(MessageContent::Isolated { package: package(facts)?, amount, since })
}

fn reopened(message: &Notification, facts: &MessageFacts, now: DateTime<Utc>) -> Result<MessageContent, Verdict> {
    if facts.access.is_none() {
        return Err(Verdict::Drop("no_access"));
    }
    let lines = wanted(message, facts, Access::Open);
    if lines.is_empty() {
        return Err(Verdict::Drop("not_open"));
    }
    if unconfirmed(&lines) {
        return Err(wait(now));
    }
    Ok(MessageContent::Reopened { package: package(facts)?, since: message.zone.date_of(now) })
}

fn payment_received(message: &Notification, facts: &MessageFacts, demand: &Demand) -> Result<MessageContent, Verdict> {
    let (payment, reversed) = facts.payment.as_ref().ok_or(Verdict::Drop("no_payment"))?;
    if *reversed {
        return Err(Verdict::Drop("reversed"));
    }
    Ok(MessageContent::PaymentReceived {
        amount: payment.amount,
        reference: payment.reference.to_string(),
        paid_on: message.zone.date_of(payment.paid_at),
        still_open: demand.total,
    })
}

fn wait(now: DateTime<Utc>) -> Verdict {
    Verdict::Later(now + chrono::TimeDelta::seconds(ROUTER_WAIT_SECONDS), "router_not_yet")
}
