//! `refresh_messages`: the last look before a message leaves.

use isp_core::billing::invoice::display_number;
use isp_core::billing::{Debt, Statement};
use isp_core::ids::CustomerId;
use isp_core::isolation::{Access, IsolationCause, IsolationFacts};
use isp_core::message::freshness::{AccessSeen, LineSeen, Look, PaymentSeen, Seen, look};
use isp_core::message::notification::MessageContent;
use isp_core::message::{Demand, NotificationKind};
use isp_core::protection::ProofTimes;
use isp_core::subscription::ServiceDates;
use isp_core::text::Name;
use isp_core::{Date, Zone};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::isolation::{ACCESSES, CAUSES, read_line as read_facts, read_proof};
use crate::decide::notices::statements;
use crate::decide::open;
use crate::policy::{DunningPolicy, IsolationPolicy, given_or_default};

/// A message with what it is looked at with, as it was given.
struct Given<'py> {
    key: Bound<'py, PyAny>,
    kind: NotificationKind,
    not_before: chrono::DateTime<chrono::Utc>,
    open: Vec<Debt>,
    about: Vec<Debt>,
    /// The caller's names of the open invoices, in their order.
    names: Vec<String>,
    statements: Vec<Statement>,
    served: Vec<IsolationFacts>,
    /// The caller's names of the statements, in their order.
    statement_names: Vec<String>,
    lines: Vec<(Name, Option<AccessSeen>)>,
    payment: Option<PaymentSeen>,
    reachable: bool,
    zone: Zone,
}

/// The last look before messages leave (rules N3, N4, N6, N7): whether each is still true at ``now``, and what it says.
///
/// ``action`` is ``send`` (this ``content``, with the ``demand`` it asks for), ``later`` (look again ``at`` that moment) or ``drop``,
/// with the ``reason``. The keys of open invoices, and of the statements they stand on, are the numbers that the message shows.
#[pyfunction]
#[pyo3(signature = (messages, now, *, policy=None, isolation=None))]
pub(crate) fn refresh_messages<'py>(
    messages: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    isolation: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = messages.py();
    let policy = given_or_default::<DunningPolicy>("policy", "DunningPolicy", policy)?.0;
    let isolation = given_or_default::<IsolationPolicy>("isolation", "IsolationPolicy", isolation)?.0;
    let now = Value::argument("now", now)?.moment()?;
    let mut keys = Keys::default();
    let given = Value::argument("messages", messages)?.rows(|_, row| read(&row, &mut keys))?;
    let seen: Vec<Given<'_>> = given;
    let facts: Vec<Seen<'_, Debt, IsolationFacts>> = seen.iter().map(facts).collect();
    let looks: Vec<Look> = py.detach(|| facts.iter().map(|one| look(one, &policy, &isolation, now)).collect());
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(looks.len());
    for (one, look) in seen.iter().zip(looks) {
        let (none, also_none, no_demand) = (writer.none(), writer.none(), writer.none());
        let (action, reason, at, content, demand) = match look {
            Look::Say(said) => {
                let (content, demand) = *said;
                let content = write_content(&content, one, &mut writer)?;
                ("send", none, also_none, content, write_demand(&demand, one, &mut writer)?)
            }
            Look::Later(at, why) => ("later", writer.word(why), writer.moment(at)?, none, no_demand),
            Look::Drop(why) => ("drop", writer.word(why), also_none, none, no_demand),
        };
        let fields = [one.key.clone(), writer.word(action), reason, at, content, demand];
        answer.push(writer.record(Kind::MessageLook, fields)?);
    }
    PyList::new(py, answer)
}

fn read<'py>(row: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Given<'py>> {
    let fields = row.record(Kind::QueuedMessage)?;
    let key = fields.take()?;
    let customer = CustomerId(keys.add(&key)?);
    let kind = fields.take()?.word(&NotificationKind::ALL.map(|kind| (kind.code(), kind)))?;
    let not_before = fields.take()?.moment()?;
    let mut invoices = Keys::default();
    let open = open::invoices(&fields.take()?, &mut invoices)?;
    let about = fields.take()?.each(|_, invoice| invoices.find(&invoice))?;
    let about = open.iter().filter(|i| about.contains(&i.invoice_id.0)).cloned().collect();
    let names = invoices.objects().iter().map(|name| Ok(name.str()?.to_string())).collect::<PyResult<_>>()?;
    let lines: Vec<(Name, Option<AccessSeen>)> = fields.take()?.each(|_, line| read_line(&line))?;
    let payment = fields.take()?.optional().map(|payment| read_payment(&payment)).transpose()?;
    let (reachable, zone) = (fields.take()?.bool()?, fields.take()?.zone()?);
    // A message goes to one customer, whose only name here is the message's.
    let mut shown = Vec::new();
    let statements = statements(&fields.take()?, customer, &mut shown)?;
    let statement_names = shown.iter().map(|name| Ok(name.str()?.to_string())).collect::<PyResult<_>>()?;
    let proofs = fields.take()?.each(|_, proof| read_proof(&proof, &invoices))?;
    let (mut subscriptions, mut of_lines) = (Keys::default(), Keys::default());
    let served = match fields.take()?.optional() {
        Some(lines) => lines.each(|_, line| Ok(read_facts(&line, &mut subscriptions, &mut of_lines)?.facts))?,
        None => assumed(&open, proofs, &lines, zone),
    };
    let key = key.object().clone();
    Ok(Given {
        key,
        kind,
        not_before,
        open,
        about,
        names,
        statements,
        served,
        statement_names,
        lines,
        payment,
        reachable,
        zone,
    })
}

/// The lines of a customer of whom the caller gives none: one that is served without an end and owes all that is open, and a second
/// one like it, isolated for arrears, where one that the message is about is.
fn assumed(
    open: &[Debt],
    proofs: Vec<ProofTimes>,
    lines: &[(Name, Option<AccessSeen>)],
    zone: Zone,
) -> Vec<IsolationFacts> {
    let line = IsolationFacts {
        zone,
        service: ServiceDates { start: Date::MIN, end: None, paused_from: None },
        desired: Access::Open,
        cause: None,
        isolated: None,
        open: open.to_vec(),
        promises: Vec::new(),
        exemptions: Vec::new(),
        outages: Vec::new(),
        proofs,
    };
    let arrears = Some(IsolationCause::Arrears);
    let of = lines.iter().filter_map(|(_, access)| *access);
    let shut = of.filter(|access| access.desired == Access::Isolated && access.cause != Some(IsolationCause::Manual));
    let isolated = shut.take(1).map(|_| IsolationFacts { desired: Access::Isolated, cause: arrears, ..line.clone() });
    isolated.chain([line.clone()]).collect()
}

fn read_line(line: &Value<'_, '_>) -> PyResult<(Name, Option<AccessSeen>)> {
    let fields = line.record(Kind::MessageLine)?;
    let package = fields.take()?.parsed(|text| Name::parse("package", text))?;
    let desired = fields.take()?.optional().map(|v| v.word(&ACCESSES)).transpose()?;
    let cause: Option<IsolationCause> = fields.take()?.optional().map(|v| v.word(&CAUSES)).transpose()?;
    let isolated_at = fields.take()?.optional().map(|v| v.moment()).transpose()?;
    let (told, confirmed) = (fields.take()?.bool()?, fields.take()?.bool()?);
    Ok((package, desired.map(|desired| AccessSeen { desired, cause, isolated_at, told, confirmed })))
}

fn read_payment(payment: &Value<'_, '_>) -> PyResult<PaymentSeen> {
    let fields = payment.record(Kind::MessagePayment)?;
    Ok(PaymentSeen {
        amount: fields.take()?.money_from_zero()?,
        reference: fields.take()?.string()?,
        paid_at: fields.take()?.moment()?,
        reversed: fields.take()?.bool()?,
    })
}

fn facts<'a>(given: &'a Given<'_>) -> Seen<'a, Debt, IsolationFacts> {
    Seen {
        kind: given.kind,
        not_before: given.not_before,
        zone: given.zone,
        reachable: given.reachable,
        invoices: &given.about,
        open: &given.open,
        statements: &given.statements,
        served: &given.served,
        payment: given.payment.clone(),
        lines: given.lines.iter().map(|(package, access)| LineSeen { package, access: *access }).collect(),
    }
}

/// The caller's number in place of the one that the engine would have given.
fn number<'a>(shown: &'a str, given: &'a Given<'_>) -> &'a str {
    let invoice = given.open.iter().position(|i| display_number(i.number, i.issue_date) == shown);
    let statement = given.statements.iter().position(|s| s.display_number() == shown);
    let of = invoice.and_then(|at| given.names.get(at));
    of.or_else(|| given.statement_names.get(statement?)).map_or(shown, String::as_str)
}

fn write_content<'py>(
    content: &MessageContent,
    given: &Given<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let numbers = |all: &[String], writer: &Writer<'py>| {
        writer.tuple(all.iter().map(|shown| writer.text(number(shown, given))).collect())
    };
    match content {
        MessageContent::DueSoon { package, invoices, amount, due_date } => {
            let fields = [
                writer.text(package.as_str()),
                numbers(invoices, writer)?,
                writer.money(*amount)?,
                writer.date(*due_date)?,
            ];
            writer.record(Kind::DueSoon, fields)
        }
        MessageContent::Overdue { package, invoices, amount, due_date, days_late, isolation_date } => {
            let fields = [
                writer.text(package.as_str()),
                numbers(invoices, writer)?,
                writer.money(*amount)?,
                writer.date(*due_date)?,
                writer.int(i64::from(*days_late))?,
                writer.date(*isolation_date)?,
            ];
            writer.record(Kind::Overdue, fields)
        }
        MessageContent::Isolated { package, amount, since } => {
            let fields = [writer.text(package.as_str()), writer.money(*amount)?, writer.date(*since)?];
            writer.record(Kind::Isolated, fields)
        }
        MessageContent::PaymentReceived { amount, reference, paid_on, still_open } => {
            let fields =
                [writer.money(*amount)?, writer.text(reference), writer.date(*paid_on)?, writer.money(*still_open)?];
            writer.record(Kind::PaymentReceived, fields)
        }
        MessageContent::Reopened { package, since } => {
            let fields = [writer.text(package.as_str()), writer.date(*since)?];
            writer.record(Kind::Reopened, fields)
        }
        // A message that waits is never one: its kind is not among those that are read.
        MessageContent::Answer(_) => Err(pyo3::exceptions::PyValueError::new_err("an answer is no queued message")),
    }
}

fn write_demand<'py>(demand: &Demand, given: &Given<'py>, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let mut owed = Vec::with_capacity(demand.owed.len());
    for one in &demand.owed {
        let fields = [writer.text(number(&one.number, given)), writer.money(one.amount)?, writer.date(one.due_date)?];
        owed.push(writer.record(Kind::Owed, fields)?);
    }
    let fields = [
        writer.tuple(owed)?,
        writer.money(demand.total)?,
        writer.money(demand.overdue)?,
        writer.optional_date(demand.isolation_date)?,
        writer.bool(demand.isolated),
    ];
    writer.record(Kind::Demand, fields)
}
