//! The last look before a message leaves (rules N3, N4, N7): is it still true, and what exactly does it say now?

use chrono::{DateTime, TimeDelta, Utc};

use crate::billing::{Debt, InvoiceBalance, Owing, Statement};
use crate::calendar::{Date, Zone};
use crate::customer::Phone;
use crate::ids::{AccessEventId, TenantId};
use crate::isolation::{Access, AccessFacts, Decidable, IsolationCause, IsolationPolicy, ServiceAccess};
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

/// After how long a message that waits for a router's answer is looked at again: as long again as it has waited, within these.
const ROUTER_WAIT: [TimeDelta; 2] = [TimeDelta::seconds(5), TimeDelta::minutes(5)];

/// How long a message about something that happened is worth saying (rule N7). A reminder before the due date ends with
/// that day.
const AGE_DAYS: i64 = 2;

/// How long an answer is worth sending. A channel takes words that are no template for 24 hours.
const ANSWER_HOURS: i64 = 20;

/// True when a message is about something that is too long ago (rule N7). Its age counts from the moment at which it
/// might have left first, so that a night takes nothing from it.
#[must_use]
pub fn is_too_old(kind: NotificationKind, not_before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    kind != NotificationKind::DueSoon && now - not_before > chrono::TimeDelta::days(AGE_DAYS)
}

/// What a message that waits is looked at with: no wider than the look.
#[derive(Debug, Clone)]
pub struct Seen<'a, D = InvoiceBalance, L = AccessFacts> {
    /// Which kind it is.
    pub kind: NotificationKind,
    /// The earliest moment at which it might have left.
    pub not_before: DateTime<Utc>,
    /// The customer's zone.
    pub zone: Zone,
    /// True when there is a number to write to.
    pub reachable: bool,
    /// The invoices that it names, as they are now.
    pub invoices: &'a [D],
    /// All open invoices of the customer.
    pub open: &'a [D],
    /// The statements that they stand on.
    pub statements: &'a [Statement],
    /// All lines of the customer, as the isolation decision reads them: it says on which day one is isolated.
    pub served: &'a [L],
    /// The payment that it names.
    pub payment: Option<PaymentSeen>,
    /// The lines that it is about, the one that it names first.
    pub lines: Vec<LineSeen<'a>>,
}

/// A payment that a message names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentSeen {
    /// How much.
    pub amount: Money,
    /// The provider's reference.
    pub reference: String,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// True when it was taken back.
    pub reversed: bool,
}

/// A line that a message is about.
#[derive(Debug, Clone, Copy)]
pub struct LineSeen<'a> {
    /// The name of its package.
    pub package: &'a Name,
    /// Its access; `None` when the message names no line and this is the customer's first.
    pub access: Option<AccessSeen>,
}

/// The access of a line, as far as a message is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessSeen {
    /// What is wanted.
    pub desired: Access,
    /// Why it is isolated.
    pub cause: Option<IsolationCause>,
    /// Since when it is isolated.
    pub isolated_at: Option<DateTime<Utc>>,
    /// True when the message tells of the very event that last isolated or reopened it: a line that was reopened and isolated
    /// again has a message of its own about that.
    pub told: bool,
    /// True when the router has said so, or the line has none (rule I5).
    pub confirmed: bool,
}

/// What to do with a message now, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Say this; what is owed at this moment goes with it.
    Say(Box<(MessageContent, Demand)>),
    /// Not yet; look again at that moment.
    Later(DateTime<Utc>, &'static str),
    /// Never: it is no longer true, or cannot be sent.
    Drop(&'static str),
}

/// Decides about one queued message from the facts as they are at `now`, and from those of all lines of its customer.
#[must_use]
pub fn refresh(
    tenant: TenantId,
    message: &Notification,
    facts: &MessageFacts,
    served: &[AccessFacts],
    policy: &DunningPolicy,
    isolation: &IsolationPolicy,
    now: DateTime<Utc>,
) -> Verdict {
    let Some(phone) = facts.customer.phone.clone() else { return Verdict::Drop("no_phone") };
    if let Some(answer) = &message.answer {
        // Words of our own are taken only within a day of the customer's.
        if now - message.not_before > chrono::TimeDelta::hours(ANSWER_HOURS) {
            return Verdict::Drop("too_old");
        }
        let said = (MessageContent::Answer(answer.clone()), Demand::default());
        return Verdict::Send(Box::new(outgoing(tenant, message, facts, phone, said)));
    }
    if facts.opted_out {
        return Verdict::Drop("opted_out");
    }
    match look(&seen(message, facts, served), policy, isolation, now) {
        Look::Say(said) => Verdict::Send(Box::new(outgoing(tenant, message, facts, phone, *said))),
        Look::Later(at, why) => Verdict::Later(at, why),
        Look::Drop(why) => Verdict::Drop(why),
    }
}

fn outgoing(
    tenant: TenantId,
    message: &Notification,
    facts: &MessageFacts,
    to: Phone,
    (content, demand): (MessageContent, Demand),
) -> OutgoingMessage {
    OutgoingMessage {
        id: message.id,
        tenant,
        to,
        language: facts.customer.language,
        name: facts.customer.name.clone(),
        content,
        demand: (!demand.owed.is_empty()).then_some(demand),
        sender: None,
    }
}

/// The facts of a store in the words of the look.
fn seen<'a>(message: &Notification, facts: &'a MessageFacts, served: &'a [AccessFacts]) -> Seen<'a> {
    let access = |access: &ServiceAccess, last: Option<AccessEventId>, routed: bool| AccessSeen {
        desired: access.desired,
        cause: access.cause,
        isolated_at: access.isolated.map(|since| since.at),
        told: last.is_some_and(|event| message.keys.iter().any(|key| key.subject == event.0)),
        confirmed: !routed || access.agrees(),
    };
    let own = facts.access.as_ref().map(|of| access(of, facts.last_event, facts.routed));
    let named = facts.package.iter().map(|package| LineSeen { package, access: own });
    let others = facts.others.iter().map(|line| LineSeen {
        package: &line.package,
        access: Some(access(&line.access, line.last_event, line.routed)),
    });
    Seen {
        kind: message.kind,
        not_before: message.not_before,
        zone: message.zone,
        reachable: facts.customer.phone.is_some(),
        invoices: &facts.invoices,
        open: &facts.open,
        statements: &facts.statements,
        served,
        payment: facts.payment.as_ref().map(|(payment, reversed)| PaymentSeen {
            amount: payment.amount,
            reference: payment.reference.to_string(),
            paid_at: payment.paid_at,
            reversed: *reversed,
        }),
        lines: named.chain(others).collect(),
    }
}

/// The last look itself: whether a message is still true, and what it says now (rules N3, N4, N6, N7).
///
/// ```
/// # use isp_core::{calendar::*, isolation::{Access, IsolationPolicy}, message::{*, freshness::*}, text::Name};
/// # let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
/// # let home = Name::parse("package", "HOME-20").unwrap();
/// // WhatsApp was set up a month late: nobody hears now that the line was reopened then.
/// let open = AccessSeen { desired: Access::Open, cause: None, isolated_at: None, told: true, confirmed: true };
/// let reopened: Seen<'_> = Seen { kind: NotificationKind::Reopened, not_before: at("2026-01-16T03:00:00Z"), zone: Zone::Wib,
///     reachable: true, invoices: &[], open: &[], statements: &[], served: &[], payment: None,
///     lines: vec![LineSeen { package: &home, access: Some(open) }] };
/// let said = |now| look(&reopened, &DunningPolicy::default(), &IsolationPolicy::default(), at(now));
/// assert!(matches!(said("2026-01-16T03:05:00Z"), Look::Say(..)));
/// assert_eq!(said("2026-02-16T03:05:00Z"), Look::Drop("too_old"));
/// ```
#[must_use]
pub fn look<D: Owing, L: Decidable>(
    facts: &Seen<'_, D, L>,
    policy: &DunningPolicy,
    isolation: &IsolationPolicy,
    now: DateTime<Utc>,
) -> Look {
    if !facts.reachable {
        return Look::Drop("no_phone");
    }
    if is_too_old(facts.kind, facts.not_before, now) {
        return Look::Drop("too_old");
    }
    if facts.kind.keeps_quiet_hours() {
        let allowed = next_sending(policy, facts.zone, now);
        if allowed > now {
            return Look::Later(allowed, "quiet_hours");
        }
    }
    let today = facts.zone.date_of(now);
    let demand = Demand::of(facts.open, facts.statements, facts.served, isolation, facts.zone, now);
    let content = match facts.kind {
        NotificationKind::DueSoon => due_soon(facts, &demand, today),
        NotificationKind::Overdue => overdue(facts, &demand, isolation, today),
        NotificationKind::Isolated => isolated(facts, &demand, now),
        NotificationKind::PaymentReceived => payment_received(facts, &demand),
        NotificationKind::Reopened => reopened(facts, now),
        // It is looked at before, by itself.
        NotificationKind::Answer => Err(Look::Drop("no_answer")),
    };
    content.map_or_else(|unsaid| unsaid, |content| Look::Say(Box::new((content, demand))))
}

fn unpaid<'a, D: Owing, L>(facts: &Seen<'a, D, L>) -> impl Iterator<Item = &'a Debt> {
    facts.invoices.iter().map(D::debt).filter(|i| i.residual().is_positive())
}

/// The name of the package, or of the packages, each once, as far as a name goes.
fn package<D: Owing, L>(facts: &Seen<'_, D, L>) -> Result<Name, Look> {
    let first = facts.lines.first().ok_or(Look::Drop("no_package"))?.package;
    let mut names = vec![first.as_str()];
    for line in &facts.lines {
        if !names.contains(&line.package.as_str()) {
            names.push(line.package.as_str());
        }
    }
    let mut text = names.join(", ");
    if text.chars().count() > Name::LONGEST {
        text = text.chars().take(Name::LONGEST - 1).chain(['…']).collect();
    }
    Ok(Name::parse("package", &text).unwrap_or_else(|_| first.clone()))
}

/// The lines that a message is about and that are wanted so because of the very event that it tells of.
fn wanted<D: Owing, L>(facts: &Seen<'_, D, L>, desired: Access) -> Vec<AccessSeen> {
    let of_lines = facts.lines.iter().filter_map(|line| line.access);
    of_lines.filter(|access| access.desired == desired && access.told).collect()
}

/// True when a router has not yet said so of one of these lines (rule I5).
fn unconfirmed(lines: &[AccessSeen]) -> bool {
    lines.iter().any(|line| !line.confirmed)
}

/// The access of the line that a message names.
fn named<D: Owing, L>(facts: &Seen<'_, D, L>) -> Option<AccessSeen> {
    facts.lines.first().and_then(|line| line.access)
}

/// The earliest due date of the invoices that a reminder was written for and that are unpaid.
fn earliest_due<D: Owing, L>(facts: &Seen<'_, D, L>) -> Result<Date, Look> {
    unpaid(facts).map(|i| i.due_date).min().ok_or(Look::Drop("paid"))
}

fn numbers(demand: &Demand) -> Vec<String> {
    demand.owed.iter().map(|one| one.number.clone()).collect()
}

fn due_soon<D: Owing, L>(facts: &Seen<'_, D, L>, demand: &Demand, today: Date) -> Result<MessageContent, Look> {
    let due_date = earliest_due(facts)?;
    if today > due_date {
        return Err(Look::Drop("past_due"));
    }
    Ok(MessageContent::DueSoon { package: package(facts)?, invoices: numbers(demand), amount: demand.total, due_date })
}

fn overdue<D: Owing, L>(
    facts: &Seen<'_, D, L>,
    demand: &Demand,
    isolation: &IsolationPolicy,
    today: Date,
) -> Result<MessageContent, Look> {
    let due_date = earliest_due(facts)?;
    if named(facts).is_some_and(|access| access.desired == Access::Isolated) {
        return Err(Look::Drop("isolated_already"));
    }
    // The oldest of all that is owed, which may be older than what the reminder was written for.
    let due_date = demand.owed.first().map_or(due_date, |oldest| oldest.due_date.min(due_date));
    let late = today.days_since(due_date);
    // What was overdue is paid; of what it was joined with, something falls due.
    if late <= 0 {
        return due_soon(facts, demand, today);
    }
    // Nobody is isolated for so little, so nobody is told so (rule A2); the next reminder asks for it with the rest.
    if demand.total < isolation.isolate_from {
        return Err(Look::Drop("small_debt"));
    }
    let days_late = u16::try_from(late).unwrap_or(u16::MAX);
    let (package, invoices, amount) = (package(facts)?, numbers(demand), demand.total);
    Ok(match demand.isolation_date {
        Some(isolation_date) => {
            MessageContent::Overdue { package, invoices, amount, due_date, days_late, isolation_date }
        }
        // It is owed all the same, and the text that names no day of an isolation asks for it with its due date.
        None => MessageContent::DueSoon { package, invoices, amount, due_date },
    })
}

fn isolated<D: Owing, L>(facts: &Seen<'_, D, L>, demand: &Demand, now: DateTime<Utc>) -> Result<MessageContent, Look> {
    if named(facts).is_none() {
        return Err(Look::Drop("no_access"));
    }
    let lines = wanted(facts, Access::Isolated);
    if unconfirmed(&lines) {
        return Err(wait(facts.not_before, now));
    }
    // Of several lines, the first may have been reopened meanwhile.
    let oldest = lines.iter().min_by_key(|access| access.isolated_at).ok_or(Look::Drop("reopened"))?;
    let today = facts.zone.date_of(now);
    let amount = match oldest.cause {
        Some(IsolationCause::Manual) => Money::ZERO,
        _ => demand.overdue,
    };
    let since = oldest.isolated_at.map_or(today, |at| facts.zone.date_of(at));
    Ok(MessageContent::Isolated { package: package(facts)?, amount, since })
}

fn reopened<D: Owing, L>(facts: &Seen<'_, D, L>, now: DateTime<Utc>) -> Result<MessageContent, Look> {
    if named(facts).is_none() {
        return Err(Look::Drop("no_access"));
    }
    let lines = wanted(facts, Access::Open);
    if lines.is_empty() {
        return Err(Look::Drop("not_open"));
    }
    if unconfirmed(&lines) {
        return Err(wait(facts.not_before, now));
    }
    Ok(MessageContent::Reopened { package: package(facts)?, since: facts.zone.date_of(now) })
}

fn payment_received<D: Owing, L>(facts: &Seen<'_, D, L>, demand: &Demand) -> Result<MessageContent, Look> {
    let payment = facts.payment.as_ref().ok_or(Look::Drop("no_payment"))?;
    if payment.reversed {
        return Err(Look::Drop("reversed"));
    }
    Ok(MessageContent::PaymentReceived {
        amount: payment.amount,
        reference: payment.reference.clone(),
        paid_on: facts.zone.date_of(payment.paid_at),
        still_open: demand.total,
    })
}

fn wait(since: DateTime<Utc>, now: DateTime<Utc>) -> Look {
    let [shortest, longest] = ROUTER_WAIT;
    Look::Later(now + (now - since).clamp(shortest, longest), "router_not_yet")
}
