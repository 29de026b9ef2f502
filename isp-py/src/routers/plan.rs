//! `plan_routers`.

use isp_mikrotik::reconcile::line::{Carrier, LineAction, LineStep};
use isp_mikrotik::reconcile::{AccountStep, Action, Conflict, FieldChange, GroupAction, GroupStep, Plan};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Writer};
use crate::policy::{IsolationPolicy, given_or_default};
use crate::routers::{read, work};

/// What ``apply`` would do on each router, without doing it: the difference between wanted and found.
///
/// ``deadline`` is in seconds for each router (60). ``policy`` gives the limit of the breaker.
#[pyfunction]
#[pyo3(signature = (routers, *, policy=None, deadline=None))]
pub(crate) fn plan_routers<'py>(
    routers: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = routers.py();
    let policy = given_or_default::<IsolationPolicy>("policy", "IsolationPolicy", policy)?;
    let deadline = work::deadline(deadline)?;
    let given = read::routers(routers, &policy)?;
    let limits: Vec<u64> = given.work.iter().map(|work| work.limit).collect();
    let answers = work::on_each(py, given.work, deadline, false, |job| async move {
        job.meet().await?;
        Ok(job.access.plan(job.endpoint(), &job.work.targets).await?)
    })?;
    let mut writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(answers.len());
    for (index, (answer, name)) in answers.iter().zip(given.keys.objects()).enumerate() {
        let empty = Plan::default();
        let plan = answer.as_ref().unwrap_or(&empty);
        let mut steps = Vec::with_capacity(plan.groups.len() + plan.accounts.len());
        for group in &plan.groups {
            steps.push(write_group(group, &mut writer)?);
        }
        let ids = given.accounts[index].iter().zip(&given.logs_in[index]);
        let (accounts, lines): (Vec<_>, Vec<_>) = ids.partition(|(_, logs_in)| **logs_in);
        for (step, (id, _)) in plan.accounts.iter().zip(accounts) {
            steps.push(write_account(step, *id, &given.account_keys, &mut writer)?);
        }
        for (step, (id, _)) in plan.lines.iter().zip(lines) {
            steps.push(write_line(step, *id, &given.account_keys, &mut writer)?);
        }
        let text = answer.as_ref().map(ToString::to_string).unwrap_or_default();
        let fields = [
            name.clone(),
            writer.exception(answer.as_ref().err()),
            writer.tuple(steps)?,
            writer.text(&text),
            writer.count(plan.summary().isolated)?,
            writer.int(i64::try_from(limits[index]).unwrap_or(i64::MAX))?,
        ];
        rows.push(writer.record(Kind::RouterPlan, fields)?);
    }
    PyList::new(py, rows)
}

fn write_group<'py>(step: &GroupStep, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let mut made = Vec::new();
    let (action, changes, conflict): (_, &[FieldChange], _) = match &step.action {
        GroupAction::Keep => ("keep", &[], None),
        GroupAction::Create { terms } => {
            for (field, value) in [("rate-limit", &terms.rate_limit), ("address-list", &terms.address_list)] {
                made.extend(value.as_ref().map(|new| FieldChange { field, old: String::new(), new: new.clone() }));
            }
            ("create", &made, None)
        }
        GroupAction::Change { fields, .. } => ("change", fields, None),
        GroupAction::Conflict(conflict) => ("conflict", &[], Some(conflict)),
    };
    let account = writer.none();
    write_step("profile", &step.name, account, action, changes, conflict, (0, false), writer)
}

fn write_account<'py>(
    step: &AccountStep,
    id: uuid::Uuid,
    keys: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut made = Vec::new();
    let (action, changes, conflict): (_, &[FieldChange], _) = match &step.action {
        Action::Keep { .. } => ("keep", &[], None),
        Action::Absent => ("absent", &[], None),
        Action::Remove { .. } => ("remove", &[], None),
        Action::Create { profile, .. } => {
            made.push(FieldChange { field: "profile", old: String::new(), new: profile.clone() });
            ("create", &made, None)
        }
        Action::Change { fields, .. } => ("change", fields, None),
        Action::Conflict(conflict) => ("conflict", &[], Some(conflict)),
    };
    let cuts = (step.kick.len(), step.isolates);
    write_step("account", &step.name, keys.name(id)?.clone(), action, changes, conflict, cuts, writer)
}

fn write_line<'py>(
    step: &LineStep,
    id: uuid::Uuid,
    keys: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut made = Vec::new();
    let (action, changes, conflict): (_, &[FieldChange], _) = match &step.action {
        LineAction::Keep { .. } => ("keep", &[], None),
        LineAction::Absent => ("absent", &[], None),
        LineAction::Remove { .. } => ("remove", &[], None),
        LineAction::Create(written) => {
            let rate = written.rate.map(|rate| rate.to_string()).unwrap_or_default();
            made.push(FieldChange { field: "rate-limit", old: String::new(), new: rate });
            ("create", &made, None)
        }
        LineAction::Change { fields, .. } => ("change", fields, None),
        LineAction::Conflict(conflict) => ("conflict", &[], Some(conflict)),
    };
    let what = match step.carrier() {
        Carrier::Queue => "queue",
        Carrier::Lease => "lease",
    };
    let cuts = (step.cut.len(), step.isolates);
    write_step(what, &step.name, keys.name(id)?.clone(), action, changes, conflict, cuts, writer)
}

#[expect(clippy::too_many_arguments, reason = "the fields of one record")]
fn write_step<'py>(
    what: &'static str,
    name: &str,
    account: Bound<'py, PyAny>,
    action: &'static str,
    changes: &[FieldChange],
    conflict: Option<&Conflict>,
    (ends_sessions, isolates): (usize, bool),
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut written = Vec::with_capacity(changes.len());
    for change in changes {
        let fields = [writer.word(change.field), writer.text(&change.old), writer.text(&change.new)];
        written.push(writer.record(Kind::FieldChange, fields)?);
    }
    let fields = [
        writer.word(what),
        writer.text(name),
        account,
        writer.word(action),
        writer.tuple(written)?,
        writer.optional_text(conflict.map(|conflict| conflict.code)),
        writer.optional_text(conflict.map(|conflict| conflict.reason.as_str())),
        writer.count(ends_sessions)?,
        writer.bool(isolates),
    ];
    writer.record(Kind::PlanStep, fields)
}
