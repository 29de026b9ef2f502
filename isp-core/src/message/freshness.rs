//! The last look before a message leaves (rules N3, N4): is it still true, and what exactly does it say now?

use chrono::{DateTime, Utc};

use crate::billing::{Arrears, InvoiceBalance, Statement};
use crate::ids::TenantId;
use crate::isolation::IsolationPolicy;
use crate::isolation::{Access, IsolationCause};
use crate::message::DunningPolicy;
use crate::message::MessageFacts;
use crate::message::notification::{MessageContent, Notification, NotificationKind, OutgoingMessage};
use crate::message::reminder::next_sending;
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
    if message.kind.keeps_quiet_hours() {
        let allowed = next_sending(policy, message.zone, now);
        if allowed > now {
            return Verdict::Later(allowed, "quiet_hours");
        }
    }
    let content = match message.kind {
        NotificationKind::DueSoon => due_soon(message, facts, now),
        NotificationKind::Overdue => overdue(message, facts, isolation, now),
        NotificationKind::Isolated => isolated(message, facts, now),
        NotificationKind::PaymentReceived => payment_received(message, facts),
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

/// The lines that a message is about and that are wanted so, each with whether its router, if it has one, has said so.
fn wanted(facts: &MessageFacts, desired: Access) -> Vec<bool> {
    let named = facts.access.iter().map(|access| (access, facts.routed));
    let others = facts.others.iter().map(|line| (&line.access, line.routed));
    let lines = named.chain(others).filter(|(access, _)| access.desired == desired);
    lines.map(|(access, routed)| !routed || access.agrees()).collect()
}

fn sum_and_due(facts: &MessageFacts) -> Result<(Vec<String>, Money, crate::Date), Verdict> {
    let due_date = unpaid(facts).map(|i| i.due_date).min().ok_or(Verdict::Drop("paid"))?;
    let open: Vec<InvoiceBalance> = unpaid(facts).copied().collect();
    let numbers = Statement::numbers(&open, &facts.statements);
    Ok((numbers, unpaid(facts).map(InvoiceBalance::residual).sum(), due_date))
}

fn due_soon(message: &Notification, facts: &MessageFacts, now: DateTime<Utc>) -> Result<MessageContent, Verdict> {
    let (invoices, amount, due_date) = sum_and_due(facts)?;
    if message.zone.date_of(now) > due_date {
        return Err(Verdict::Drop("past_due"));
    }
    Ok(MessageContent::DueSoon { package: package(facts)?, invoices, amount, due_date })
}

fn overdue(
    message: &Notification,
    facts: &MessageFacts,
    policy: &IsolationPolicy,
    now: DateTime<Utc>,
) -> Result<MessageContent, Verdict> {
    let (invoices, amount, due_date) = sum_and_due(facts)?;
    let late = message.zone.date_of(now).days_since(due_date);
    if facts.access.as_ref().is_some_and(|a| a.desired == Access::Isolated) {
        return Err(Verdict::Drop("isolated_already"));
    }
    Ok(MessageContent::Overdue {
        package: package(facts)?,
        invoices,
        amount,
        due_date,
        days_late: u16::try_from(late).map_err(|_| Verdict::Drop("not_overdue"))?,
        isolation_date: policy.isolation_day(due_date),
    })
}

fn isolated(message: &Notification, facts: &MessageFacts, now: DateTime<Utc>) -> Result<MessageContent, Verdict> {
    let access = facts.access.as_ref().ok_or(Verdict::Drop("no_access"))?;
    let lines = wanted(facts, Access::Isolated);
    if lines.is_empty() {
        return Err(Verdict::Drop("reopened"));
    }
    // "Isolated" is true only when the router said so (rule I5).
    if lines.contains(&false) {
        return Err(wait(now));
    }
    // Of several lines, the first may have been reopened meanwhile.
    let isolated = std::iter::once(access).chain(facts.others.iter().map(|line| &line.access));
    let access = isolated.filter(|a| a.desired == Access::Isolated).min_by_key(|a| a.isolated.map(|i| i.at));
    let access = access.ok_or(Verdict::Drop("reopened"))?;
    let today = message.zone.date_of(now);
    let amount = match access.cause {
        Some(IsolationCause::Manual) => Money::ZERO,
        _ => Arrears::of(&facts.open, today).overdue,
    };
    let since = access.isolated.map_or(today, |i| message.zone.date_of(i.at));
    Ok(MessageContent::Isolated { package: package(facts)?, amount, since })
}

fn reopened(message: &Notification, facts: &MessageFacts, now: DateTime<Utc>) -> Result<MessageContent, Verdict> {
    if facts.access.is_none() {
        return Err(Verdict::Drop("no_access"));
    }
    let lines = wanted(facts, Access::Open);
    if lines.is_empty() {
        return Err(Verdict::Drop("not_open"));
    }
    if lines.contains(&false) {
        return Err(wait(now));
    }
    Ok(MessageContent::Reopened { package: package(facts)?, since: message.zone.date_of(now) })
}

fn payment_received(message: &Notification, facts: &MessageFacts) -> Result<MessageContent, Verdict> {
    let (payment, reversed) = facts.payment.as_ref().ok_or(Verdict::Drop("no_payment"))?;
    if *reversed {
        return Err(Verdict::Drop("reversed"));
    }
    Ok(MessageContent::PaymentReceived {
        amount: payment.amount,
        reference: payment.reference.to_string(),
        paid_on: message.zone.date_of(payment.paid_at),
        still_open: facts.open.iter().map(InvoiceBalance::residual).sum(),
    })
}

fn wait(now: DateTime<Utc>) -> Verdict {
    Verdict::Later(now + chrono::TimeDelta::seconds(ROUTER_WAIT_SECONDS), "router_not_yet")
}
