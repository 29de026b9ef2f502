//! `router_status`.

use std::time::Instant;

use isp_core::place::Machine;
use isp_mikrotik::access::RouterCheck;
use isp_mikrotik::text::CodePage;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Kind, Writer};
use crate::policy::IsolationPolicy;
use crate::routers::{read, work};

/// A connection test of each router: who it is, its version and load, how many accounts and sessions it has.
///
/// Changes nothing. A router that gives no answer within ``deadline`` seconds (60) has ``error`` set, with a code that
/// tells what to correct: ``router.unreachable``, ``router.bad_credentials``, ``router.not_permitted``...
#[pyfunction]
#[pyo3(signature = (routers, *, deadline=None))]
pub(crate) fn router_status<'py>(
    routers: &Bound<'py, PyAny>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = routers.py();
    let deadline = work::deadline(deadline)?;
    let routers = read::routers(routers, &IsolationPolicy::default())?;
    let names = routers.keys;
    let answers = work::on_each(py, routers.work, deadline, false, |job| async move {
        let started = Instant::now();
        let machine = job.meet().await?;
        let check = job.access.check(job.endpoint(), CodePage::default()).await?;
        Ok((check, started.elapsed(), machine))
    })?;
    let writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(answers.len());
    for (answer, name) in answers.iter().zip(names.objects()) {
        let empty = RouterCheckView::default();
        let (check, took) = answer.as_ref().map_or((empty, 0), |(check, took, _)| {
            (RouterCheckView::of(check), i64::try_from(took.as_millis()).unwrap_or(i64::MAX))
        });
        let fields = [
            name.clone(),
            writer.exception(answer.as_ref().err()),
            writer.text(check.identity),
            writer.text(check.version),
            writer.text(check.board),
            writer.text(check.uptime),
            writer.optional_int(check.cpu_load.map(i64::from))?,
            writer.count(check.accounts)?,
            writer.count(check.sessions)?,
            writer.int(took)?,
            write_machine(answer.as_ref().ok().map(|(_, _, machine)| machine), &writer)?,
        ];
        rows.push(writer.record(Kind::RouterStatus, fields)?);
    }
    PyList::new(py, rows)
}

/// Who answered.
pub(super) fn write_machine<'py>(machine: Option<&Machine>, writer: &Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let Some(Machine { identity, serial }) = machine else { return Ok(writer.none()) };
    writer.record(Kind::Machine, [writer.text(identity), writer.optional_text(serial.as_deref())])
}

/// A check, or nothing of one.
#[derive(Default)]
struct RouterCheckView<'a> {
    identity: &'a str,
    version: &'a str,
    board: &'a str,
    uptime: &'a str,
    cpu_load: Option<u8>,
    accounts: usize,
    sessions: usize,
}

impl<'a> RouterCheckView<'a> {
    fn of(check: &'a RouterCheck) -> Self {
        let RouterCheck { identity, version, board, uptime, cpu_load, accounts, sessions, .. } = check;
        Self { identity, version, board, uptime, cpu_load: *cpu_load, accounts: *accounts, sessions: *sessions }
    }
}
