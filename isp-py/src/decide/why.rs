//! `explain`.

use chrono::DateTime;
use isp_core::billing::invoice::display_number;
use isp_core::ids::SubscriptionId;
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::explain::Explanation;
use isp_core::isolation::{AccessEvent, AccessEventKind, explain as explaining};
use isp_core::money::Money;
use isp_core::text::Language;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::isolation::{ACCESSES, Line, read_line};
use crate::policy::{IsolationPolicy, given_or_default};

/// The languages of sentences and messages.
pub(crate) const LANGUAGES: [(&str, Language); 2] = [("id", Language::Id), ("en", Language::En)];

pub(crate) const EVENTS: [AccessEventKind; 6] = [
    AccessEventKind::Registered,
    AccessEventKind::IsolatedArrears,
    AccessEventKind::IsolatedManual,
    AccessEventKind::Reopened,
    AccessEventKind::GroupChanged,
    AccessEventKind::Closed,
];

/// Why each line is open or isolated at ``now``, in one sentence with its evidence (rule I7).
///
/// For a moment of the past give the facts of that moment. ``language`` is ``id`` (default) or ``en``.
#[pyfunction]
#[pyo3(signature = (lines, now, *, policy=None, language=None))]
pub(crate) fn explain<'py>(
    lines: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    language: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = lines.py();
    let policy = given_or_default::<IsolationPolicy>("policy", "IsolationPolicy", policy)?.0;
    let language = language.map(|l| Value::argument("language", l)?.word(&LANGUAGES)).transpose()?;
    let language = language.unwrap_or(Language::Id);
    let now = Value::argument("now", now)?.moment()?;
    let (mut keys, mut invoices) = (Keys::default(), Keys::default());
    let facts = Value::argument("lines", lines)?.rows(|_, row| {
        let fields = row.record(Kind::ExplainFacts)?;
        let line = read_line(&fields.take()?, &mut keys, &mut invoices)?;
        let event = fields.take()?.optional().map(|v| read_event(&v, line.subscription_id)).transpose()?;
        let observed = fields.take()?.optional().map(|v| v.word(&ACCESSES)).transpose()?;
        let at = fields.take()?.optional().map(|v| v.moment()).transpose()?;
        let observed = at.map(|at| ObservedAccess { access: observed, revision: 0, at, answer: String::new() });
        let dpps = fields.take()?.each(|_, dpp| dpp.money_from_zero())?;
        Ok((line, event, observed, dpps))
    })?;
    let explained: Vec<Explanation> = py.detach(|| {
        let one = |(line, event, observed, dpps): &(Line, Option<AccessEvent>, Option<ObservedAccess>, Vec<Money>)| {
            explaining::explain(&line.facts, observed.as_ref(), event.as_slice(), &policy, dpps, now, language)
        };
        facts.iter().map(one).collect()
    });
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(explained.len());
    for ((line, ..), explained) in facts.iter().zip(&explained) {
        let mut evidence = explained.evidence.clone();
        for (text, invoice) in evidence.iter_mut().zip(&line.facts.open) {
            // The caller's number in place of the one that the engine would have given.
            let name = invoices.name(invoice.invoice_id.0)?.str()?.to_string();
            *text = text.replacen(&display_number(invoice.number, invoice.issue_date), &name, 1);
        }
        let evidence = evidence.iter().map(|text| writer.text(text)).collect();
        let fields = [
            keys.name(line.subscription_id.0)?.clone(),
            writer.word(explained.access.code()),
            writer.word(explained.reason),
            writer.text(&explained.sentence),
            writer.tuple(evidence)?,
        ];
        answer.push(writer.record(Kind::Explanation, fields)?);
    }
    PyList::new(py, answer)
}

fn read_event(event: &Value<'_, '_>, line: SubscriptionId) -> PyResult<AccessEvent> {
    let fields = event.record(Kind::AccessEvent)?;
    let at: DateTime<_> = fields.take()?.moment()?;
    Ok(AccessEvent {
        id: AccessEvent::id_of(line, 0),
        subscription_id: line,
        at,
        kind: fields.take()?.word(&EVENTS.map(|kind| (kind.code(), kind)))?,
        by: fields.take()?.string()?,
        reason: fields.take()?.string()?,
        overdue: fields.take()?.money()?,
        revision: 0,
    })
}
