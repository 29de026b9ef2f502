//! The same work on many routers.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use isp_core::ids::RouterId;
use isp_core::place::{Machine, Met, RouterEndpoint, meet};
use isp_core::ports::AccessControl as _;
use isp_mikrotik::MikrotikAccess;
use pyo3::prelude::*;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::convert::Value;
use crate::error::Failure;
use crate::routers::read::{THIS, Work};
use crate::runtime;

/// Routers talked to at the same time; the others wait for a place, and their deadline with them.
const AT_ONCE: usize = 128;
const DEADLINE: Duration = Duration::from_secs(60);

/// What a job gets: its router, and the adapter made for it. The connection ends with the job.
pub(super) struct Job {
    /// The router.
    pub(super) work: Work,
    /// The adapter.
    pub(super) access: MikrotikAccess,
}

impl Job {
    /// Asks the router who it is. Another machine than the known one is refused: nothing is read or written for the lines of
    /// this router there.
    pub(super) async fn meet(&self) -> Result<Machine, Failure> {
        self.compare(self.access.who(self.endpoint()).await?)
    }

    /// The same, failing as a call to the port does.
    pub(super) async fn meet_by_port(&self) -> Result<Option<Machine>, Failure> {
        let answers = self.access.machine(self.endpoint()).await?;
        answers.map(|answers| self.compare(answers)).transpose()
    }

    fn compare(&self, answers: Machine) -> Result<Machine, Failure> {
        match meet(RouterId(Uuid::from_u128(THIS)), &answers, &self.work.known) {
            Met::Same | Met::Remember => Ok(answers),
            Met::Another(other) => Err(Failure::Refused { code: other.code(), reason: other.to_string() }),
        }
    }

    /// How to reach the router.
    pub(super) fn endpoint(&self) -> &RouterEndpoint {
        &self.work.endpoint
    }
}

/// The argument `deadline`, for one router.
pub(super) fn deadline(given: Option<&Bound<'_, PyAny>>) -> PyResult<Duration> {
    given.map_or(Ok(DEADLINE), |given| Value::argument("deadline", given)?.seconds())
}

/// Does the work on every router, each within the deadline; the answers are in the order of the routers. `writes`
/// tells whether something may have happened on a router that did not end in time.
pub(super) fn on_each<T, F>(
    py: Python<'_>,
    work: Vec<Work>,
    deadline: Duration,
    writes: bool,
    job: impl Fn(Job) -> F + Clone + Send + 'static,
) -> PyResult<Vec<Result<T, Failure>>>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    runtime::wait(py, async move {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut answers: Vec<Result<T, Failure>> = work.iter().map(|_| Err(Failure::CutOff)).collect();
        // Dropped when the caller stops waiting, which ends the tasks and closes their connections.
        let mut tasks = JoinSet::new();
        for (index, mut work) in work.into_iter().enumerate() {
            let (places, job) = (places.clone(), job.clone());
            work.settings.deadline = work.settings.deadline.min(deadline);
            work.settings.connect_timeout = work.settings.connect_timeout.min(deadline);
            tasks.spawn(async move {
                let _place = places.acquire_owned().await;
                let access = MikrotikAccess::new(work.settings.clone());
                let answer = tokio::time::timeout(deadline, job(Job { work, access })).await;
                (index, answer.unwrap_or(Err(Failure::Deadline { wrote: writes })))
            });
        }
        while let Some(done) = tasks.join_next().await {
            if let Ok((index, answer)) = done
                && let Some(place) = answers.get_mut(index)
            {
                *place = answer;
            }
        }
        answers
    })
}
