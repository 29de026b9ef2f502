//! `apply_routers` and `observe_routers`.

use chrono::DateTime;
use isp_core::isolation::Access;
use isp_core::isolation::access::ObservedAccess;
use isp_core::place::Machine;
use isp_core::ports::{AccessControl, ApplyOutcome};
use isp_mikrotik::access::Passed;
use isp_mikrotik::reconcile::Finding;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Kind, Writer};
use crate::error::Failure;
use crate::policy::{IsolationPolicy, given_or_default};
use crate::routers::read;
use crate::routers::status::write_machine;
use crate::routers::work::{self, Job};

/// Brings the accounts of each router to what is wanted, reads them back and ends sessions under old terms.
///
/// Applying twice writes nothing the second time, so a router that failed is simply applied again. Where more lines
/// would be isolated than the breaker of ``policy`` lets pass, and the router is not ``approved``, these are ``held``
/// and everything else is done. ``deadline`` is in seconds for each router (60). A router that did not end in time
/// has an ``OutcomeUnknown``; Ctrl-C leaves every router in either state likewise.
#[pyfunction]
#[pyo3(signature = (routers, *, policy=None, deadline=None))]
pub(crate) fn apply_routers<'py>(
    routers: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = routers.py();
    let policy = given_or_default::<IsolationPolicy>("policy", "IsolationPolicy", policy)?;
    let deadline = work::deadline(deadline)?;
    let given = read::routers(routers, &policy)?;
    let limits: Vec<u64> = given.work.iter().map(|work| work.limit).collect();
    let answers = work::on_each(py, given.work, deadline, true, apply)?;
    let mut writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(answers.len());
    for (index, (answer, name)) in answers.iter().zip(given.keys.objects()).enumerate() {
        let outcomes = answer.as_ref().map_or(&[][..], |(passed, _)| &passed.outcomes);
        let held = answer.as_ref().map_or(0, |(passed, _)| passed.held);
        let mut accounts = Vec::with_capacity(outcomes.len());
        for (outcome, id) in outcomes.iter().zip(&given.accounts[index]) {
            accounts.push(write_outcome(outcome.as_ref(), given.account_keys.name(*id)?.clone(), &mut writer)?);
        }
        let fields = [
            name.clone(),
            writer.exception(answer.as_ref().err()),
            writer.tuple(accounts)?,
            writer.count(held)?,
            writer.int(i64::try_from(limits[index]).unwrap_or(i64::MAX))?,
            write_machine(answer.as_ref().ok().and_then(|(_, machine)| machine.as_ref()), &writer)?,
        ];
        rows.push(writer.record(Kind::RouterApplied, fields)?);
    }
    PyList::new(py, rows)
}

/// What each router allows these accounts now, without changing anything.
///
/// ``deadline`` is in seconds for each router (60).
#[pyfunction]
#[pyo3(signature = (routers, *, deadline=None))]
pub(crate) fn observe_routers<'py>(
    routers: &Bound<'py, PyAny>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = routers.py();
    let deadline = work::deadline(deadline)?;
    let given = read::routers(routers, &IsolationPolicy::default())?;
    let answers = work::on_each(py, given.work, deadline, false, |job| async move {
        job.meet_by_port().await?;
        // The moment is the caller's to write down.
        Ok(job.access.observe(job.endpoint(), &job.work.targets, DateTime::UNIX_EPOCH).await?)
    })?;
    let writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(answers.len());
    for (index, (answer, name)) in answers.iter().zip(given.keys.objects()).enumerate() {
        let seen: &[ObservedAccess] = answer.as_deref().unwrap_or_default();
        let mut accounts = Vec::with_capacity(seen.len());
        for (seen, id) in seen.iter().zip(&given.accounts[index]) {
            let access = writer.optional_text(seen.access.map(Access::code));
            let fields = [given.account_keys.name(*id)?.clone(), access, writer.text(&seen.answer)];
            accounts.push(writer.record(Kind::AccountSeen, fields)?);
        }
        let fields = [name.clone(), writer.exception(answer.as_ref().err()), writer.tuple(accounts)?];
        rows.push(writer.record(Kind::RouterSeen, fields)?);
    }
    PyList::new(py, rows)
}

async fn apply(job: Job) -> Result<(Passed, Option<Machine>), Failure> {
    let machine = job.meet_by_port().await?;
    let Job { work, access } = job;
    let limit = if work.approved { usize::MAX } else { usize::try_from(work.limit).unwrap_or(usize::MAX) };
    Ok((access.apply_passing(&work.endpoint, &work.targets, limit).await?, machine))
}

fn write_outcome<'py>(
    outcome: Option<&ApplyOutcome>,
    account: Bound<'py, PyAny>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let (state, access, changed, code, answer) = match outcome {
        Some(ApplyOutcome::Done { access, changed, answer }) => {
            ("done", writer.word(access.code()), *changed, None, answer.as_str())
        }
        Some(ApplyOutcome::Refused { code, reason }) => ("refused", writer.none(), false, Some(*code), reason.as_str()),
        None => ("held", writer.none(), false, Some(Finding::Breaker.code()), "held back until a person approves"),
    };
    let fields =
        [account, writer.word(state), access, writer.bool(changed), writer.optional_text(code), writer.text(answer)];
    writer.record(Kind::AccountOutcome, fields)
}
