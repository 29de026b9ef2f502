//! `check_clock`.

use isp_core::clock::ClockDoubt;
use pyo3::prelude::*;

use crate::convert::{Kind, Value, Writer};
use crate::policy::{ClockPolicy, given_or_default};

/// Whether the moment of a run can be right (rule I9): ``None``, or why it is doubted.
///
/// ``last_run`` is the moment of the last run, ``None`` when there was none. A run that is doubted writes nothing until a person
/// says that the clock is right; afterwards keep the later of the two moments as the last run's, or ``now`` if a person said so.
#[pyfunction]
#[pyo3(signature = (last_run, now, *, policy=None))]
pub(crate) fn check_clock<'py>(
    last_run: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let policy = given_or_default::<ClockPolicy>("policy", "ClockPolicy", policy)?.0;
    let last = Value::argument("last_run", last_run)?.optional().map(|v| v.moment()).transpose()?;
    let now = Value::argument("now", now)?.moment()?;
    let Err(doubt) = policy.check(last, now) else { return Ok(None) };
    let mut writer = Writer::new(last_run.py())?;
    let days = if let ClockDoubt::Ahead { days, .. } = doubt { days } else { (now - doubt.last()).num_days() };
    let fields = [writer.word(doubt.code()), writer.moment(doubt.last())?, writer.int(days)?];
    Ok(Some(writer.record(Kind::ClockDoubt, fields)?))
}
