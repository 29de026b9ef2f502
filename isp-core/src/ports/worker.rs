//! Who carries out what the outbox holds: a name, a lease, and a watch of its own.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::Lease;
use crate::ids::WorkerId;

/// The watch of a worker. It tells the time that passes while the engine works for one moment, so that claims can be
/// renewed and can run out. Only the program that runs the engine has a clock.
#[async_trait]
pub trait Watch: Send + Sync {
    /// The time on the wall.
    fn now(&self) -> DateTime<Utc>;

    /// Waits so long.
    async fn pause(&self, time: TimeDelta);
}

/// A watch that stands still: for tests, and for whoever lives in a time of his own. Its pauses never end, so nothing
/// is renewed.
#[derive(Debug, Clone, Copy)]
pub struct StandingWatch(pub DateTime<Utc>);

#[async_trait]
impl Watch for StandingWatch {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    async fn pause(&self, _: TimeDelta) {
        std::future::pending().await
    }
}

/// Who carries out what the outbox holds.
#[derive(Clone, Copy)]
pub struct Worker<'a> {
    /// Its name; no two processes have the same.
    pub id: WorkerId,
    /// How long a claim holds without being renewed. It is renewed three times as often.
    pub lease: TimeDelta,
    /// The clock by which its claims run.
    pub watch: &'a dyn Watch,
}

impl<'a> Worker<'a> {
    /// How long a claim holds unless set otherwise. A process that was killed keeps its rows so long.
    pub const LEASE_SECONDS: i64 = 30;

    /// A worker with the usual lease.
    #[must_use]
    pub fn new(id: WorkerId, watch: &'a dyn Watch) -> Self {
        Self { id, lease: TimeDelta::seconds(Self::LEASE_SECONDS), watch }
    }

    /// A lease from now on.
    #[must_use]
    pub fn lease(&self) -> Lease {
        let now = self.watch.now();
        Lease { owner: self.id, now, until: now + self.lease }
    }
}

impl std::fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("id", &self.id).field("lease", &self.lease).finish_non_exhaustive()
    }
}
