//! `check_promises`, `check_exemptions` and `decide_by_hand`.

use isp_core::calendar::{Anchor, BillingDay, Date};
use isp_core::ids::SubscriptionId;
use isp_core::isolation::{Hand, ServiceAccess, by_hand};
use isp_core::protection::exemption;
use isp_core::text::given;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::decide::billing::CYCLES;
use crate::decide::isolation::{ACCESSES, CAUSES};
use crate::decide::refusal;
use crate::error::Refused;
use crate::policy::{PromisePolicy, given_or_default};

pub(crate) const HANDS: [(&str, Hand); 2] = [("isolate", Hand::Isolate), ("reopen", Hand::Reopen)];

/// Whether each promise to pay (*janji bayar*) may be taken: ``None``, or an ``InvalidValue`` that says why not: it ends before
/// it is made, it is too long, or the customer made as many in this period of billing as the policy allows.
///
/// The period is that of the customer's line whose period began last; of a customer without a line, the month.
#[pyfunction]
#[pyo3(signature = (wishes, *, policy=None))]
pub(crate) fn check_promises<'py>(
    wishes: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let policy = given_or_default::<PromisePolicy>("policy", "PromisePolicy", policy)?.0;
    let rows = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::PromiseWish)?;
        let (made_on, until) = (fields.take()?.date()?, fields.take()?.date()?);
        let lines = fields.take()?.each(|_, line| read_grid(&line))?;
        let made: Vec<Date> = fields.take()?.each(|_, day| day.date())?;
        Ok((made_on, until, lines, made))
    })?;
    let writer = Writer::new(py)?;
    let answer = rows.iter().enumerate().map(|(index, (made_on, until, lines, made))| {
        match policy.admit(*made_on, *until, lines.iter().copied(), made) {
            Ok(()) => writer.none(),
            Err(error) => {
                let field = if error.code() == "promise.too_many" { "made" } else { "until" };
                refusal(py, error, Place::nth_row(index).then(field))
            }
        }
    });
    PyList::new(py, answer.collect::<Vec<_>>())
}

fn read_grid(line: &Value<'_, '_>) -> PyResult<Anchor> {
    let fields = line.record(Kind::Grid)?;
    let start = fields.take()?.date()?;
    let day = fields.take()?;
    let day = BillingDay::try_new(day.int(0, 255)?).map_err(|error| day.refuse(error))?;
    Ok(Anchor::new(start, day, fields.take()?.word(&CYCLES)?))
}

/// Whether each exemption may be granted: ``None``, or an ``InvalidValue`` that says why not: it ends before it begins, or has no
/// reason.
#[pyfunction]
pub(crate) fn check_exemptions<'py>(exemptions: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = exemptions.py();
    let rows = Value::argument("exemptions", exemptions)?.rows(|_, row| {
        let fields = row.record(Kind::Exemption)?;
        Ok((fields.take()?.date()?, fields.take()?.date()?, fields.take()?.string()?))
    })?;
    let writer = Writer::new(py)?;
    let answer =
        rows.iter().enumerate().map(|(index, (since, until, reason))| match exemption::check(*since, *until, reason) {
            Ok(()) => writer.none(),
            Err(error) => {
                let field = if given("reason", reason).is_err() && until >= since { "reason" } else { "until" };
                refusal(py, error, Place::nth_row(index).then(field))
            }
        });
    PyList::new(py, answer.collect::<Vec<_>>())
}

/// The lines that a person isolates or reopens by hand (rule I3), by their keys. It is said ``by`` whom and for which
/// ``reason``, or refused (``value.empty``); and so is a wish that concerns no line (``access.nothing_to_do``).
#[pyfunction]
pub(crate) fn decide_by_hand<'py>(
    lines: &Bound<'py, PyAny>,
    action: &Bound<'py, PyAny>,
    by: &Bound<'py, PyAny>,
    reason: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = lines.py();
    let hand = Value::argument("action", action)?.word(&HANDS)?;
    let (by, reason) = (Value::argument("by", by)?, Value::argument("reason", reason)?);
    let why = reason.string()?;
    if let Err(error) = by_hand::check(&by.string()?, &why) {
        return Err(if given("reason", &why).is_err() { reason.refuse(error) } else { by.refuse(error) });
    }
    let mut keys = Keys::default();
    let rows = Value::argument("lines", lines)?.rows(|_, row| {
        let fields = row.record(Kind::HandFacts)?;
        let id = SubscriptionId(keys.add(&fields.take()?)?);
        let desired = fields.take()?.word(&ACCESSES)?;
        let cause = fields.take()?.optional().map(|v| v.word(&CAUSES)).transpose()?;
        Ok(ServiceAccess { cause, ..ServiceAccess::new(id, desired) })
    })?;
    let concerned = rows.iter().filter(|access| hand.concerns(access));
    let concerned: Vec<_> =
        concerned.map(|access| keys.name(access.subscription_id.0).cloned()).collect::<PyResult<_>>()?;
    if concerned.is_empty() {
        return Err(Refused::NothingToDo.at(Place::argument("lines")));
    }
    PyList::new(py, concerned)
}
