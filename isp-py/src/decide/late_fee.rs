//! `late_fees`.

use isp_core::calendar::{Date, Zone};
use isp_core::money::Money;
use pyo3::prelude::*;
use pyo3::types::PyList;
use uuid::Uuid;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::decide::lines::read_period;
use crate::decide::terms::REASONS;
use crate::error::Refused;
use crate::policy::{BillingPolicy, LateFeePolicy, TaxPolicy, given_or_default};

/// The late fees (*denda*, rule B10) of invoices for a period: those to charge now, and those that are coming.
///
/// One whose days were ``given`` back from its ``period_start`` on, of a pause or after the end, bears none (rule B12).
///
/// Each row tells what was unpaid when the day of its fee began, ``LateFeePolicy.day(due_date)``, or is unpaid now when
/// that day is still to come. A fee is dated on its day, however late the run. ``due`` fees are to be written, one for an
/// invoice; a fee whose day lies on or before ``since``, the last day that was charged through or the one before the
/// policy was set, is not charged any more. ``since`` is yesterday when it is not given.
#[pyfunction]
#[pyo3(signature = (invoices, now, policy, *, since=None, tax=None, billing=None))]
pub(crate) fn late_fees<'py>(
    invoices: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: &Bound<'py, PyAny>,
    since: Option<&Bound<'py, PyAny>>,
    tax: Option<&Bound<'py, PyAny>>,
    billing: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = invoices.py();
    let policy = LateFeePolicy::of("policy", policy)?.0;
    let tax = given_or_default::<TaxPolicy>("tax", "TaxPolicy", tax)?.0;
    let terms = given_or_default::<BillingPolicy>("billing", "BillingPolicy", billing)?.0;
    let now = Value::argument("now", now)?.moment()?;
    let since = since.map(|day| Value::argument("since", day)?.date()).transpose()?;
    let mut keys = Keys::default();
    let rows = Value::argument("invoices", invoices)?.rows(|_, row| read_late(&row, &mut keys))?;
    let fees = py.detach(|| {
        let one = |(at, late): (usize, &Late)| {
            let (on, amount) = policy.on(late.due_date, late.unpaid).filter(|_| !late.unserved)?;
            let today = late.zone.date_of(now);
            let counts = on > since.unwrap_or(today.plus_days(-1)) && late.due_date < today;
            counts.then(|| {
                policy
                    .bill(amount, on, today, &terms, &tax)
                    .map(|bill| (late.key, bill, on <= today))
                    .map_err(|e| (at, e))
            })
        };
        rows.iter().enumerate().filter_map(one).collect::<Result<Vec<_>, _>>()
    });
    let fees = fees.map_err(|(at, error)| Refused::from(error).at(Place::nth_row(at)))?;
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(fees.len());
    for (key, bill, due) in &fees {
        let fields = [
            keys.name(*key)?.clone(),
            writer.date(bill.on)?,
            writer.money(bill.dpp)?,
            writer.money(bill.ppn)?,
            writer.money(bill.total())?,
            writer.bool(*due),
            writer.date(bill.due_date)?,
        ];
        answer.push(writer.record(Kind::LateFee, fields)?);
    }
    PyList::new(py, answer)
}

/// A late invoice as it was given.
struct Late {
    key: Uuid,
    due_date: Date,
    unpaid: Money,
    zone: Zone,
    unserved: bool,
}

fn read_late<'py>(row: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Late> {
    let fields = row.record(Kind::LateInvoice)?;
    let key = keys.add(&fields.take()?)?;
    let due_date = fields.take()?.date()?;
    let unpaid = fields.take()?.money_from_zero()?;
    let zone = fields.take()?.zone()?;
    let first = fields.take()?.optional_date()?;
    let unserved = read_unserved(&fields.take()?, first)?;
    Ok(Late { key, due_date, unpaid, zone, unserved })
}

/// Whether days from `first` on were given back: they were not owed, whatever stood there then (rule B12).
pub(super) fn read_unserved(given: &Value<'_, '_>, first: Option<Date>) -> PyResult<bool> {
    let given = given.each(|_, note| {
        let fields = note.record(Kind::NoteGiven)?;
        Ok((fields.take()?.word(&REASONS)?, read_period(&fields.take()?, &fields.take()?)?))
    })?;
    Ok(first.is_some_and(|day| given.iter().any(|(reason, days)| reason.leaves_unserved(*days, day))))
}
