//! `decide_terms`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use isp_core::billing::{
    Catalog, Charge, CreditNote, CreditReason, Invoice, InvoiceKind, InvoiceLine, LateFee, LineKind,
};
use isp_core::calendar::{BillingDay, Date};
use isp_core::ids::{InvoiceId, OfLine, PackageId, Unknown};
use isp_core::isolation::{Access, AccessEventKind};
use isp_core::money::Money;
use isp_core::terms::{Change, Command, LineFacts, decide};
use isp_core::{billing, tax};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::decide::billing::{read_packages, read_subscription, write_invoice, write_terms};
use crate::decide::isolation::ACCESSES;
use crate::decide::lines::{read_lines, read_period, write_line};
use crate::error::Refused;
use crate::policy::{BillingPolicy, TaxPolicy, given_or_default};

pub(crate) const KINDS: [(&str, InvoiceKind); 2] =
    [("subscription", InvoiceKind::Subscription), ("adjustment", InvoiceKind::Adjustment)];
pub(crate) const REASONS: [(&str, CreditReason); 6] = [
    ("package_change", CreditReason::PackageChange),
    ("pause", CreditReason::Pause),
    ("termination", CreditReason::Termination),
    ("outage", CreditReason::Outage),
    ("isolation", CreditReason::Isolation),
    ("correction", CreditReason::Correction),
];

/// A line as it was given, with the caller's names for its charges.
struct Line<'py> {
    billable: billing::Billable<OfLine>,
    access: Access,
    charges: Vec<Charge<OfLine>>,
    late_fees: Vec<Charge<OfLine>>,
    command: Command,
    names: HashMap<InvoiceId, Bound<'py, PyAny>>,
    /// As it came: the spans of isolation go back unread.
    object: Bound<'py, PyAny>,
}

/// What each wish about the terms of a line comes to: new terms, what is invoiced and given back now, what happens to access,
/// and the next invoice; an ``InvalidValue`` in the place of one that the rules refuse.
///
/// A wish starts from ``charges``: all that the line was charged for days of service, its late fees, and all that was given
/// back of them. So no day is paid twice, whatever was billed ahead or late, and what is said afterwards comes to what it would have come
/// to in time. Nothing is written: show the answer, ask again when it is confirmed, and compare the ``fingerprint``.
#[pyfunction]
#[pyo3(signature = (lines, packages, now, *, position=None, policy=None, tax=None))]
pub(crate) fn decide_terms<'py>(
    lines: &Bound<'py, PyAny>,
    packages: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    position: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
    tax: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = lines.py();
    let policy = given_or_default::<BillingPolicy>("policy", "BillingPolicy", policy)?.0;
    let tax = given_or_default::<TaxPolicy>("tax", "TaxPolicy", tax)?.0;
    let now = Value::argument("now", now)?.moment()?;
    let position = position.map(|day| Value::argument("position", day)?.date()).transpose()?;
    let mut package_keys = Keys::default();
    let catalog = read_packages(&Value::argument("packages", packages)?, &mut package_keys)?;
    let mut keys = Keys::default();
    let lines = Value::argument("lines", lines)?.rows(|_, row| read_line(&row, &mut keys, &package_keys, now))?;
    let facts: Vec<_> = lines.iter().map(|l| facts(l, &catalog, &policy, &tax, position, now)).collect();
    let commands: Vec<Command> = lines.iter().map(|l| l.command).collect();
    let decided: Vec<Result<Change<OfLine>, isp_core::Error>> =
        py.detach(|| facts.iter().zip(commands).map(|(facts, command)| decide(facts, command)).collect());
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(decided.len());
    for (row, (change, line)) in decided.iter().zip(&lines).enumerate() {
        answer.push(match change {
            Ok(change) => write_change(py, change, line, &keys, &package_keys, &mut writer)?,
            Err(error) => {
                let place = Place::nth_row(row);
                Refused::from(error.clone()).at(place.then("wish")).into_value(py).into_bound(py).into_any()
            }
        });
    }
    PyList::new(py, answer)
}

fn facts<'a>(
    line: &'a Line<'_>,
    catalog: &'a Catalog,
    policy: &'a billing::BillingPolicy,
    tax: &'a tax::Tax,
    position: Option<Date>,
    now: DateTime<Utc>,
) -> LineFacts<'a, OfLine> {
    LineFacts {
        line: line.billable,
        access: line.access,
        charges: &line.charges,
        late_fees: &line.late_fees,
        catalog,
        policy,
        tax,
        position,
        now,
        by: "",
        note: "",
    }
}

fn read_line<'py>(
    row: &Value<'_, 'py>,
    keys: &mut Keys<'py>,
    packages: &Keys<'py>,
    now: DateTime<Utc>,
) -> PyResult<Line<'py>> {
    let fields = row.record(Kind::TermsFacts)?;
    let subscription = fields.take()?;
    let object = subscription.object().clone();
    let billable = read_subscription(&subscription, keys, packages, &mut HashMap::new())?;
    let wish = fields.take()?.optional();
    let command = wish.map_or(Ok(Command::Start), |wish| read_wish(&wish, packages))?;
    let mut line = Line {
        billable,
        access: Access::Open,
        charges: Vec::new(),
        late_fees: Vec::new(),
        command,
        names: HashMap::new(),
        object,
    };
    fields.take()?.each(|_, charge| read_charge(&charge, &mut line, packages, now))?;
    line.access = fields.take()?.word(&ACCESSES)?;
    Ok(line)
}

fn read_wish<'py>(wish: &Value<'_, 'py>, packages: &Keys<'py>) -> PyResult<Command> {
    let kinds = [
        Kind::NextPackage,
        Kind::PackageAtOnce,
        Kind::MoveBillingDay,
        Kind::PauseLine,
        Kind::ResumeLine,
        Kind::EndLine,
    ];
    let Some(kind) = wish.kind_of(&kinds)? else { return Err(wish.wrong_type("a wish")) };
    let fields = wish.record(kind)?;
    Ok(match kind {
        Kind::NextPackage => Command::NextPackage { package: PackageId(packages.find(&fields.take()?)?) },
        Kind::PackageAtOnce => {
            Command::PackageAtOnce { package: PackageId(packages.find(&fields.take()?)?), from: fields.take()?.date()? }
        }
        Kind::MoveBillingDay => {
            let day = fields.take()?;
            let day = BillingDay::try_new(day.int(0, 255)?).map_err(|error| day.refuse(error))?;
            Command::BillingDay { day, from: fields.take()?.date()? }
        }
        Kind::PauseLine => Command::Pause { from: fields.take()?.date()? },
        Kind::ResumeLine => Command::Resume { from: fields.take()?.date()? },
        _ => Command::End { end: fields.take()?.date()? },
    })
}

/// Reads a charge and the late fee on it. Their ids are those that the engine would give them, so that it knows them again.
fn read_charge<'py>(
    row: &Value<'_, 'py>,
    line: &mut Line<'py>,
    packages: &Keys<'py>,
    now: DateTime<Utc>,
) -> PyResult<()> {
    let fields = row.record(Kind::LineCharge)?;
    let key = fields.take()?;
    key.key()?;
    let kind = fields.take()?.word(&KINDS)?;
    let package_id = PackageId(packages.find(&fields.take()?)?);
    let period = read_period(&fields.take()?, &fields.take()?)?;
    let issue_date = fields.take()?.date()?;
    let subscription_id = line.billable.subscription_id;
    let id = match kind {
        InvoiceKind::Adjustment => InvoiceId::of_adjustment(subscription_id, period.start, issue_date),
        _ => InvoiceId::of_period(subscription_id, period.start),
    };
    if line.names.insert(id, key.object().clone()).is_some() {
        return Err(key.refuse(Refused::Duplicate));
    }
    let lines = read_lines(&fields.take()?)?;
    let blank = Invoice {
        id,
        number: 0,
        customer_id: Unknown,
        subscription_id,
        site_id: Unknown,
        package_id,
        kind,
        period,
        issue_date,
        due_date: issue_date,
        lines: Default::default(),
        dpp: Money::ZERO,
        ppn: Money::ZERO,
        total: Money::ZERO,
    };
    let mut charge = Charge::new(with_lines(blank.clone(), lines));
    charge.notes = fields.take()?.each(|nth, note| read_note(nth, &note, &charge.invoice, now))?;
    line.charges.push(charge);
    let fees = fields.take()?.each(|nth, fee| {
        let fields = fee.record(Kind::LateCharge)?;
        let key = fields.take()?;
        key.key()?;
        let invoice = Invoice { id: LateFee::nth_id_for(id, nth), kind: InvoiceKind::LateFee, ..blank.clone() };
        line.names.insert(invoice.id, key.object().clone());
        let mut fee = Charge::new(with_lines(invoice, read_lines(&fields.take()?)?));
        fee.notes = fields.take()?.each(|nth, note| read_note(nth, &note, &fee.invoice, now))?;
        Ok(fee)
    })?;
    line.late_fees.extend(fees);
    Ok(())
}

fn with_lines(blank: Invoice<OfLine>, lines: Vec<InvoiceLine>) -> Invoice<OfLine> {
    let sum = |wanted: &dyn Fn(LineKind) -> bool| -> Money {
        lines.iter().filter(|line| wanted(line.kind)).map(|line| line.amount).sum()
    };
    let (dpp, ppn, total) = (sum(&LineKind::is_taxed), sum(&LineKind::is_ppn), sum(&|_| true));
    Invoice { dpp, ppn, total, lines: lines.into_iter().collect(), ..blank }
}

/// Reads the `nth` note of a charge.
fn read_note(
    nth: usize,
    row: &Value<'_, '_>,
    invoice: &Invoice<OfLine>,
    at: DateTime<Utc>,
) -> PyResult<CreditNote<OfLine>> {
    let fields = row.record(Kind::NoteGiven)?;
    let reason = fields.take()?.word(&REASONS)?;
    let period = read_period(&fields.take()?, &fields.take()?)?;
    let issue_date = fields.take()?.date()?;
    let lines = read_lines(&fields.take()?)?;
    let sum = |wanted: &dyn Fn(LineKind) -> bool| -> Money {
        lines.iter().filter(|line| wanted(line.kind)).map(|line| line.amount).sum()
    };
    let (dpp, ppn, total) = (sum(&LineKind::is_taxed), sum(&LineKind::is_ppn), sum(&|_| true));
    Ok(CreditNote {
        id: CreditNote::id_of(invoice.id, reason, &nth.to_string()),
        number: 0,
        invoice_id: invoice.id,
        customer_id: Unknown,
        subscription_id: invoice.subscription_id,
        site_id: Unknown,
        package_id: invoice.package_id,
        reason,
        period,
        issue_date,
        at,
        lines,
        dpp,
        ppn,
        total,
        note: String::new(),
        by: String::new(),
    })
}

fn write_change<'py>(
    py: Python<'py>,
    change: &Change<OfLine>,
    line: &Line<'py>,
    keys: &Keys<'py>,
    packages: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let key = keys.name(line.billable.subscription_id.0)?.clone();
    let subscription = write_terms(key, &change.terms, line.billable.zone, &line.object, packages, writer)?;
    let mut invoices = Vec::with_capacity(change.invoices.len());
    for invoice in &change.invoices {
        invoices.push(write_kind(py, invoice, keys, packages, writer)?);
    }
    let mut notes = Vec::with_capacity(change.credit_notes.len());
    for note in &change.credit_notes {
        notes.push(write_note(note, change, line, writer)?);
    }
    let action = change.access.map(|step| match step.kind {
        AccessEventKind::Reopened => "reopen",
        AccessEventKind::Closed => "close",
        _ => "regroup",
    });
    let next = match &change.next {
        Some(invoice) => write_kind(py, invoice, keys, packages, writer)?,
        None => writer.none(),
    };
    let settled = change.settled();
    let fields = [
        subscription,
        writer.date(change.from)?,
        writer.tuple(invoices)?,
        writer.tuple(notes)?,
        action.map_or_else(|| writer.none(), |action| writer.text(action)),
        next,
        writer.money(settled.charged)?,
        writer.money(settled.given_back)?,
        writer.text(&change.fingerprint.to_string()),
    ];
    writer.record(Kind::TermsChange, fields)
}

fn write_kind<'py>(
    py: Python<'py>,
    invoice: &Invoice<OfLine>,
    keys: &Keys<'py>,
    packages: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let fields = [word(&KINDS, invoice.kind, writer), write_invoice(py, invoice, keys, packages, writer)?];
    writer.record(Kind::TermsInvoice, fields)
}

fn write_note<'py>(
    note: &CreditNote<OfLine>,
    change: &Change<OfLine>,
    line: &Line<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    // Of a charge that was given, or of an invoice of this change.
    let of = change.invoices.iter().position(|i| i.id == note.invoice_id);
    let lines = note.lines.iter().map(|line| write_line(line, writer)).collect::<PyResult<Vec<_>>>()?;
    let fields = [
        line.names.get(&note.invoice_id).cloned().unwrap_or_else(|| writer.none()),
        match of {
            Some(of) => writer.count(of)?,
            None => writer.none(),
        },
        word(&REASONS, note.reason, writer),
        writer.date(note.period.start)?,
        writer.date(note.period.end)?,
        writer.tuple(lines)?,
        writer.money(note.dpp)?,
        writer.money(note.ppn)?,
        writer.money(note.total)?,
    ];
    writer.record(Kind::TermsNote, fields)
}

fn word<'py, T: PartialEq>(words: &[(&'static str, T)], of: T, writer: &mut Writer<'py>) -> Bound<'py, PyAny> {
    match words.iter().find(|(_, meaning)| *meaning == of) {
        Some((word, _)) => writer.word(word),
        None => writer.none(),
    }
}
