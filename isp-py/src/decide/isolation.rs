//! `decide_isolation`.

use chrono::{DateTime, Utc};
use isp_core::billing::Arrears;
use isp_core::ids::{InvoiceId, SubscriptionId};
use isp_core::isolation::{Access, Decision, IsolationCause, IsolationFacts, IsolationMoment};
use isp_core::protection::{OutageTimes, ProofTimes, ProtectedDays};
use isp_core::subscription::ServiceDates;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::{ending, open};
use crate::policy::{IsolationPolicy, given_or_default};

/// The words for what a line allows.
pub(crate) const ACCESSES: [(&str, Access); 3] =
    [("open", Access::Open), ("isolated", Access::Isolated), ("closed", Access::Closed)];
pub(crate) const CAUSES: [(&str, IsolationCause); 2] =
    [("arrears", IsolationCause::Arrears), ("manual", IsolationCause::Manual)];

/// What should happen to each line at ``now``, and why.
///
/// ``action`` is ``keep``, ``isolate``, ``reopen`` or ``close``; ``reason`` is one of ``REASONS``; ``overdue`` and
/// ``days_late`` are the arrears that it rests on.
#[pyfunction]
#[pyo3(signature = (lines, now, *, policy=None))]
pub(crate) fn decide_isolation<'py>(
    lines: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = lines.py();
    let policy = given_or_default::<IsolationPolicy>("policy", "IsolationPolicy", policy)?.0;
    let now = Value::argument("now", now)?.moment()?;
    let (mut keys, mut invoices) = (Keys::default(), Keys::default());
    let given = Value::argument("lines", lines)?.rows(|_, row| read_line(&row, &mut keys, &mut invoices))?;
    let decided: Vec<_> = py.detach(|| {
        let moment = IsolationMoment::new(&policy, now);
        let each = |line: &Line| {
            let arrears = Arrears::of(&line.facts.open, moment.today(line.facts.zone));
            (line.subscription_id, moment.decide(&line.facts), arrears)
        };
        given.iter().map(each).collect()
    });
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(decided.len());
    for (subscription, decision, arrears) in &decided {
        let subscription: &SubscriptionId = subscription;
        let action = match decision {
            Decision::Keep(_) => "keep",
            Decision::Isolate(_) => "isolate",
            Decision::Reopen(_) => "reopen",
            Decision::Close(_) => "close",
        };
        let fields = [
            keys.name(subscription.0)?.clone(),
            writer.word(action),
            writer.word(decision.reason().code()),
            writer.money(arrears.overdue)?,
            writer.int(i64::from(arrears.days_late))?,
        ];
        answer.push(writer.record(Kind::Decision, fields)?);
    }
    PyList::new(py, answer)
}

/// A line as it was given.
pub(super) struct Line {
    pub(super) subscription_id: SubscriptionId,
    pub(super) facts: IsolationFacts,
}

/// Reads a line.
pub(super) fn read_line<'py>(row: &Value<'_, 'py>, keys: &mut Keys<'py>, invoices: &mut Keys<'py>) -> PyResult<Line> {
    let fields = row.record(Kind::AccessFacts)?;
    let subscription_id = SubscriptionId(keys.add(&fields.take()?)?);
    let start = fields.take()?.date()?;
    let desired = fields.take()?.word(&ACCESSES)?;
    let open = open::invoices(&fields.take()?, invoices)?;
    let cause = fields.take()?.optional().map(|v| v.word(&CAUSES)).transpose()?;
    let isolated = fields.take()?.optional().map(|v| v.money_from_zero()).transpose()?;
    let zone = fields.take()?.zone()?;
    let (end, paused_from) = (fields.take()?.optional_date()?, fields.take()?.optional_date()?);
    let mut promises: Vec<_> = fields.take()?.optional().map(|v| read_promise(&v)).transpose()?.into_iter().collect();
    let mut exemptions: Vec<_> =
        fields.take()?.optional().map(|v| read_exemption(&v)).transpose()?.into_iter().collect();
    let mut outages: Vec<_> = fields.take()?.optional().map(|v| read_outage(&v)).transpose()?.into_iter().collect();
    promises.extend(fields.take()?.each(|_, v| read_promise(&v))?);
    exemptions.extend(fields.take()?.each(|_, v| read_exemption(&v))?);
    outages.extend(fields.take()?.each(|_, v| read_outage(&v))?);
    let proofs = fields.take()?.each(|_, v| read_proof(&v, invoices))?;
    let service = ServiceDates { start, end, paused_from };
    let facts = IsolationFacts { zone, service, desired, cause, isolated, open, promises, exemptions, outages, proofs };
    Ok(Line { subscription_id, facts })
}

fn read_promise(promise: &Value<'_, '_>) -> PyResult<ProtectedDays> {
    let fields = promise.record(Kind::Promise)?;
    let (from, until) = (fields.take()?.date()?, fields.take()?.date()?);
    Ok(ProtectedDays { from, until, reason: String::new(), ending: ending::read(fields.take()?)? })
}

fn read_exemption(exemption: &Value<'_, '_>) -> PyResult<ProtectedDays> {
    let fields = exemption.record(Kind::Exemption)?;
    let (from, until) = (fields.take()?.date()?, fields.take()?.date()?);
    Ok(ProtectedDays { from, until, reason: fields.take()?.string()?, ending: ending::read(fields.take()?)? })
}

/// Reads a proof.
pub(super) fn read_proof<'py>(proof: &Value<'_, 'py>, invoices: &Keys<'py>) -> PyResult<ProofTimes> {
    let fields = proof.record(Kind::Proof)?;
    // One of an invoice that is none of the open ones holds nothing.
    let invoice_id = InvoiceId(invoices.find(&fields.take()?)?);
    let arrived_at = fields.take()?.moment()?;
    let reviewed_at = fields.take()?.optional().map(|v| v.moment()).transpose()?;
    Ok(ProofTimes { invoice_id, arrived_at, reviewed_at, taken_back: fields.take()?.bool()? })
}

/// Reads an outage.
pub(super) fn read_outage(outage: &Value<'_, '_>) -> PyResult<OutageTimes> {
    let fields = outage.record(Kind::Outage)?;
    let from: DateTime<Utc> = fields.take()?.moment()?;
    let until = fields.take()?.optional().map(|v| v.moment()).transpose()?;
    Ok(OutageTimes { from, until, ending: ending::read(fields.take()?)? })
}
