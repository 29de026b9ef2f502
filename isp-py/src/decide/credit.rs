//! `outage_credits` and `isolation_credits`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use isp_core::billing::{Charge, CreditNote, CreditReason, Invoice, InvoiceKind, LineKind, Written};
use isp_core::calendar::{Date, Period, Zone};
use isp_core::ids::{CreditNoteId, InvoiceId, OfNobody, Unknown};
use isp_core::isolation::given_back::{give_isolated_back, looked_at_since};
use isp_core::money::Money;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::isolation::read_outage;
use crate::decide::lines::{read_isolated, read_lines, read_period, write_line};
use crate::policy::{BillingPolicy, OutagePolicy, given_or_default};

/// What a recorded outage gives back (*restitusi*) of each invoice whose days it hit, line by line.
///
/// Nothing while it lasts, when it was too short, for days that were given back before, and for an invoice with a note of
/// the ``same_outage``. Nearly always one note for an invoice; more where its days were given back differently before.
#[pyfunction]
#[pyo3(signature = (charges, outage, *, policy=None))]
pub(crate) fn outage_credits<'py>(
    charges: &Bound<'py, PyAny>,
    outage: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = charges.py();
    let policy = given_or_default::<OutagePolicy>("policy", "OutagePolicy", policy)?.0;
    let outage = read_outage(&Value::argument("outage", outage)?)?;
    let mut keys = Keys::default();
    let rows = Value::argument("charges", charges)?.rows(|_, row| read_charge(&row, &mut keys))?;
    let notes: Vec<CreditNote<OfNobody>> = py.detach(|| {
        let written = written(Date::MIN, outage.from);
        let one = |row: &Charged| policy.still_earned(&outage, &row.charge, &row.of_outage, "", row.zone, written);
        rows.iter().flat_map(one).collect()
    });
    write_notes(py, &notes, &keys)
}

/// What is given back for whole days in isolation up to yesterday, under ``while_isolated="prorate"``.
///
/// Ask when a line is billed again or ends, with its invoices and all that was given back of them: no day is given back
/// twice, so it may be asked at any time. Only periods that ran in or right before the time count since the line was looked at
/// last: from its mark ``billed_from`` on, or from ``position`` on, the day up to which all were billed. So a policy that is
/// set today reaches no further back than one period.
#[pyfunction]
#[pyo3(signature = (lines, now, *, position=None, policy=None))]
pub(crate) fn isolation_credits<'py>(
    lines: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    position: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = lines.py();
    let position = position.map(|day| Value::argument("position", day)?.date()).transpose()?;
    let lead = given_or_default::<BillingPolicy>("policy", "BillingPolicy", policy)?.0.issue_lead_days;
    let now = Value::argument("now", now)?.moment()?;
    let mut keys = Keys::default();
    let rows = Value::argument("lines", lines)?.rows(|_, row| {
        let fields = row.record(Kind::IsolatedFacts)?;
        let charges = fields.take()?.each(|_, charge| read_charge(&charge, &mut keys))?;
        let events = read_isolated(&fields.take()?)?;
        let (start, mark) = (fields.take()?.date()?, fields.take()?.optional_date()?);
        Ok((charges, events, looked_at_since(start, mark, position, lead)))
    })?;
    let notes: Vec<CreditNote<OfNobody>> = py.detach(|| {
        let mut notes = Vec::new();
        for (charges, events, since) in &rows {
            for Charged { charge, zone, .. } in charges {
                let on = written(zone.date_of(now), now);
                notes.extend(give_isolated_back(std::slice::from_ref(charge), events, *zone, *since, on));
            }
        }
        notes
    });
    write_notes(py, &notes, &keys)
}

fn written(on: Date, at: DateTime<Utc>) -> Written<'static> {
    Written { on, at, by: "", note: "" }
}

/// A charge as it was given.
pub(super) struct Charged {
    pub(super) charge: Charge<OfNobody>,
    zone: Zone,
    /// Its notes that were given for the outage that the call is about.
    of_outage: BTreeSet<CreditNoteId>,
}

pub(super) fn read_charge<'py>(row: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Charged> {
    let fields = row.record(Kind::Charge)?;
    let id = InvoiceId(keys.add(&fields.take()?)?);
    let period = read_period(&fields.take()?, &fields.take()?)?;
    let lines = read_lines(&fields.take()?)?;
    let sum = |wanted: &dyn Fn(LineKind) -> bool| -> Money {
        lines.iter().filter(|line| wanted(line.kind)).map(|line| line.amount).sum()
    };
    let invoice = Invoice {
        id,
        number: 0,
        customer_id: Unknown,
        subscription_id: Unknown,
        site_id: Unknown,
        package_id: Unknown,
        kind: InvoiceKind::Subscription,
        period,
        issue_date: period.start,
        due_date: period.start,
        dpp: sum(&LineKind::is_taxed),
        ppn: sum(&LineKind::is_ppn),
        total: sum(&|_| true),
        lines: lines.into_iter().collect(),
    };
    let mut charge = Charge::new(invoice);
    let notes = fields.take()?.each(|nth, note| read_given(nth, &note, &charge.invoice))?;
    let of_outage = notes.iter().filter(|(_, same)| *same).map(|(note, _)| note.id).collect();
    charge.notes = notes.into_iter().map(|(note, _)| note).collect();
    Ok(Charged { charge, zone: fields.take()?.zone()?, of_outage })
}

/// Reads the `nth` note of a charge, and whether it was given for the outage that the call is about.
fn read_given(nth: usize, row: &Value<'_, '_>, invoice: &Invoice<OfNobody>) -> PyResult<(CreditNote<OfNobody>, bool)> {
    let fields = row.record(Kind::GivenBack)?;
    let period = read_period(&fields.take()?, &fields.take()?)?;
    let lines = read_lines(&fields.take()?)?;
    let of_same_outage = fields.take()?.bool()?;
    let total = lines.iter().map(|line| line.amount).sum();
    let reason = if of_same_outage { CreditReason::Outage } else { CreditReason::Correction };
    let note = CreditNote {
        id: CreditNote::id_of(invoice.id, reason, &nth.to_string()),
        number: 0,
        invoice_id: invoice.id,
        customer_id: Unknown,
        subscription_id: Unknown,
        site_id: Unknown,
        package_id: Unknown,
        reason,
        period,
        issue_date: period.start,
        at: DateTime::UNIX_EPOCH,
        dpp: total,
        ppn: Money::ZERO,
        lines,
        total,
        note: String::new(),
        by: String::new(),
    };
    Ok((note, of_same_outage))
}

fn write_notes<'py>(py: Python<'py>, notes: &[CreditNote<OfNobody>], keys: &Keys<'py>) -> PyResult<Bound<'py, PyList>> {
    let mut writer = Writer::new(py)?;
    let notes = notes.iter().map(|note| write_note(note, keys, &mut writer)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, notes)
}

/// Writes what is given back of a charge.
pub(super) fn write_note<'py>(
    note: &CreditNote<OfNobody>,
    keys: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let Period { start, end } = note.period;
    let lines = note.lines.iter().map(|line| write_line(line, writer)).collect::<PyResult<Vec<_>>>()?;
    let fields = [
        keys.name(note.invoice_id.0)?.clone(),
        writer.date(start)?,
        writer.date(end)?,
        writer.tuple(lines)?,
        writer.money(note.dpp)?,
        writer.money(note.ppn)?,
        writer.money(note.total)?,
    ];
    writer.record(Kind::CreditNote, fields)
}
