//! `apply_routers` and `observe_routers`.

use chrono::DateTime;
use isp_core::isolation::Access;
use isp_core::isolation::access::ObservedAccess;
use isp_core::ports::{AccessControl, ApplyOutcome};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Kind, Writer};
use crate::error::Failure;
use crate::policy::{IsolationPolicy, given_or_default};
use crate::routers::read;
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
        let empty = Applied::default();
        let applied = answer.as_ref().unwrap_or(&empty);
        let mut accounts = Vec::with_capacity(applied.outcomes.len());
        for (outcome, id) in applied.outcomes.iter().zip(&given.accounts[index]) {
            accounts.push(write_outcome(outcome.as_ref(), given.account_keys.name(*id)?.clone(), &mut writer)?);
        }
        let fields = [
            name.clone(),
            writer.exception(answer.as_ref().err()),
            writer.tuple(accounts)?,
            writer.int(i64::try_from(applied.held).unwrap_or(i64::MAX))?,
            writer.int(i64::try_from(limits[index]).unwrap_or(i64::MAX))?,
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

/// The outcome for each account, `None` where the breaker held it, and how many lines were to be isolated then.
#[derive(Default)]
struct Applied {
    outcomes: Vec<Option<ApplyOutcome>>,
    held: u64,
}

async fn apply(job: Job) -> Result<Applied, Failure> {
    let Job { work, access } = job;
    let wanted = work.targets.iter().filter(|target| target.desired == Access::Isolated).count() as u64;
    let mut held = vec![false; work.targets.len()];
    let mut isolates = 0;
    if wanted > work.limit && !work.approved {
        let plan = access.plan(&work.endpoint, &work.targets).await?;
        isolates = plan.summary().isolated as u64;
        if isolates > work.limit {
            held = plan.accounts.iter().map(|step| step.isolates).collect();
        } else {
            isolates = 0;
        }
    }
    let pass = work.targets.into_iter().zip(&held).filter(|(_, held)| !**held).map(|(target, _)| target);
    let mut done = access.apply(&work.endpoint, &pass.collect::<Vec<_>>()).await?.into_iter();
    let outcomes = held.into_iter().map(|held| if held { None } else { done.next() }).collect();
    Ok(Applied { outcomes, held: isolates })
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
        None => ("held", writer.none(), false, Some(HELD), "held back until a person approves"),
    };
    let fields =
        [account, writer.word(state), access, writer.bool(changed), writer.optional_text(code), writer.text(answer)];
    writer.record(Kind::AccountOutcome, fields)
}

/// The code of an account that the breaker held.
const HELD: &str = "isolation.breaker";
