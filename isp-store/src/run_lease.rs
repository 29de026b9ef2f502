//! The right to be a tenant's only run: a row with its holder, until when, and a number that rises with each holder.
//!
//! The clock is the database's. The holder renews the lease while it lives; whoever finds it run out takes it over under the
//! next number. Each commit of a run checks its number in its own transaction, so a process that was stopped for longer than
//! its lease writes nothing more once another one has begun. A lease that ran out and that nobody took is still the holder's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use isp_core::ids::{TenantId, WorkerId};
use isp_core::ports::{HeldRun, RunGuard, StoreError};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::session::{Engine, Session, first};
use crate::value::args;

/// How often, and how far apart, the right is tried: who has just given it up tells the database a moment later.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(30);

/// A right that was taken, under its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    tenant: TenantId,
    holder: WorkerId,
    fence: u64,
}

/// The runs of a store.
#[derive(Clone)]
pub(crate) struct Runs {
    /// Under which name it holds them.
    holder: WorkerId,
    held: Arc<Mutex<HashMap<TenantId, Hold>>>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { holder: WorkerId(Uuid::now_v7()), held: Arc::default() }
    }
}

impl Runs {
    fn of(&self, tenant: TenantId) -> Option<Hold> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).copied()
    }

    fn note(&self, hold: Hold) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(hold.tenant, hold);
    }

    fn forget(&self, hold: Hold) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(&hold.tenant) == Some(&hold) {
            held.remove(&hold.tenant);
        }
    }

    /// All that are held.
    pub(crate) fn all(&self) -> Vec<Hold> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }

    /// Fails with [`StoreError::RunLost`] when the store holds a run of this tenant and another one has taken the right.
    pub(crate) async fn check(&self, s: &mut dyn Session, tenant: TenantId) -> Result<(), StoreError> {
        match self.of(tenant) {
            Some(hold) => hold.check(s).await,
            None => Ok(()),
        }
    }
}

impl Hold {
    /// In the transaction of a write: nobody can take the right before it ends.
    pub(crate) async fn check(self, s: &mut dyn Session) -> Result<(), StoreError> {
        let sql = "SELECT fence FROM run_leases WHERE tenant_id = $1 AND holder = $2 AND fence = $3 FOR SHARE";
        let ours: Option<u64> =
            first(s, "run lease", sql, args![self.tenant, self.holder, self.fence], |r| r.get()).await?;
        if ours.is_some() { Ok(()) } else { Err(StoreError::RunLost) }
    }

    /// Prolongs the lease; false when another one has taken the right.
    async fn renew(self, engine: &dyn Engine, term: TimeDelta) -> Result<bool, StoreError> {
        let mut session = engine.write(self.tenant).await?;
        let until = session.clock().await? + term;
        let renewed = self.until(session.as_mut(), until).await?;
        session.commit().await?;
        Ok(renewed)
    }

    async fn give_up(self, engine: &dyn Engine) -> Result<(), StoreError> {
        let mut session = engine.write(self.tenant).await?;
        self.until(session.as_mut(), DateTime::UNIX_EPOCH).await?;
        session.commit().await
    }

    async fn until(self, s: &mut dyn Session, until: DateTime<chrono::Utc>) -> Result<bool, StoreError> {
        let sql = "UPDATE run_leases SET held_until = $4 WHERE tenant_id = $1 AND holder = $2 AND fence = $3";
        Ok(s.execute(sql, args![self.tenant, self.holder, self.fence, until]).await? > 0)
    }
}

/// Takes the right.
pub(crate) async fn begin(
    engine: &Arc<dyn Engine>,
    runs: &Runs,
    tenant: TenantId,
    term: TimeDelta,
) -> Result<RunGuard, StoreError> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        if let Some(fence) = take(engine.as_ref(), runs.holder, tenant, term).await? {
            let hold = Hold { tenant, holder: runs.holder, fence };
            runs.note(hold);
            return Ok(RunGuard::new(Held::new(Arc::clone(engine), runs.clone(), hold, term)));
        }
    }
    Err(StoreError::Busy)
}

async fn take(
    engine: &dyn Engine,
    holder: WorkerId,
    tenant: TenantId,
    term: TimeDelta,
) -> Result<Option<u64>, StoreError> {
    let mut session = engine.write(tenant).await?;
    let s = session.as_mut();
    if engine.sees_workers(holder)? {
        let sql = "SELECT holder FROM run_leases WHERE tenant_id = $1 FOR UPDATE";
        let before: Option<Uuid> = first(s, "run lease", sql, args![tenant], |r| r.get()).await?;
        for dead in engine.dead_workers(before.into_iter().collect())? {
            let sql = "UPDATE run_leases SET held_until = $3 WHERE tenant_id = $1 AND holder = $2";
            s.execute(sql, args![tenant, WorkerId(dead), DateTime::UNIX_EPOCH]).await?;
        }
    }
    let now = s.clock().await?;
    let sql = "INSERT INTO run_leases (tenant_id, holder, held_until, fence) VALUES ($1, $2, $4, 1)
        ON CONFLICT (tenant_id) DO UPDATE
            SET holder = excluded.holder, held_until = excluded.held_until, fence = run_leases.fence + 1
            WHERE run_leases.held_until <= $3
        RETURNING fence";
    let fence = first(s, "run lease", sql, args![tenant, holder, now, now + term], |r| r.get()).await?;
    session.commit().await?;
    Ok(fence)
}

/// A right that is kept alive until it is given up.
struct Held {
    engine: Arc<dyn Engine>,
    runs: Runs,
    hold: Hold,
    renewing: JoinHandle<()>,
    given_up: AtomicBool,
    runtime: tokio::runtime::Handle,
}

impl Held {
    fn new(engine: Arc<dyn Engine>, runs: Runs, hold: Hold, term: TimeDelta) -> Self {
        let runtime = tokio::runtime::Handle::current();
        let renewing = runtime.spawn({
            let (engine, pause) = (Arc::clone(&engine), (term / 3).to_std().unwrap_or_default());
            async move {
                loop {
                    tokio::time::sleep(pause).await;
                    // One that cannot be renewed now may be so later; each commit looks whether it is still held.
                    if hold.renew(engine.as_ref(), term).await == Ok(false) {
                        break;
                    }
                }
            }
        });
        Self { engine, runs, hold, renewing, given_up: AtomicBool::new(false), runtime }
    }

    fn stop(&self) -> bool {
        self.renewing.abort();
        self.runs.forget(self.hold);
        !self.given_up.swap(true, Ordering::Relaxed)
    }
}

#[async_trait]
impl HeldRun for Held {
    async fn give_up(&self) -> Result<(), StoreError> {
        if self.stop() { self.hold.give_up(self.engine.as_ref()).await } else { Ok(()) }
    }
}

impl Drop for Held {
    /// Where nobody waits for it, the right is given up as far as the program still lives, and else runs out.
    fn drop(&mut self) {
        if self.stop() {
            let (engine, hold) = (Arc::clone(&self.engine), self.hold);
            self.runtime.spawn(async move {
                let _ran_out_by_itself = hold.give_up(engine.as_ref()).await;
            });
        }
    }
}
