//! The port over the tables, and the faults.

mod access;
mod billing;
mod directory;
mod inbox;
mod money;
mod outbox;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::TimeDelta;

use crate::ids::TenantId;
use crate::ports::{ChangeSet, CommitReport, HeldRun, RunGuard, Store, StoreError};
use crate::testing::fuse::Fuse;

use super::snapshot::Snapshot;
use super::state::State;
use super::table::Table;

/// A store in memory. Clones share what is kept.
///
/// Every call goes through its [`Fuse`], so that a test makes any of them fail, before or after its effect.
///
/// ```
/// use isp_core::{ids::TenantId, ports::{BillingStore, ChangeSet, Store}, testing::{MemoryStore, Moment}};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// store.fuse().blow_at(1, Moment::After);
/// let day = isp_core::Date::parse("2026-01-31").unwrap();
/// let changes = ChangeSet { billing_position: Some(day), ..ChangeSet::default() };
/// assert!(store.commit(TenantId::DEFAULT, changes).await.is_err());
/// store.restart();
/// assert_eq!(store.billing_position(TenantId::DEFAULT).await, Ok(Some(day)));
/// # });
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    tenants: Arc<Mutex<BTreeMap<TenantId, State>>>,
    runs: Arc<Mutex<Runs>>,
    fuse: Fuse,
}

#[derive(Debug, Default)]
struct Runs {
    last: u64,
    held: BTreeMap<TenantId, u64>,
}

struct Held {
    runs: Arc<Mutex<Runs>>,
    tenant: TenantId,
    run: u64,
}

#[async_trait]
impl HeldRun for Held {
    async fn give_up(&self) -> Result<(), StoreError> {
        self.leave();
        Ok(())
    }
}

impl Held {
    fn leave(&self) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.held.get(&self.tenant) == Some(&self.run) {
            runs.held.remove(&self.tenant);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.leave();
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that shares a fuse with other doubles, so that a kill may fall between any two calls.
    #[must_use]
    pub fn with_fuse(fuse: Fuse) -> Self {
        Self { fuse, ..Self::default() }
    }

    /// The fuse of its calls.
    #[must_use]
    pub fn fuse(&self) -> &Fuse {
        &self.fuse
    }

    /// A new process over the same data, some time later: the fuse holds again, no run is under way, and the claims of
    /// before have run out.
    pub fn restart(&self) {
        self.fuse.mend();
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.values_mut().for_each(|state| state.at_once(State::run_out));
        drop(tenants);
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).held.clear();
    }

    /// Everything that runs wrote for a tenant. It does not count as a call.
    #[must_use]
    pub fn snapshot(&self, tenant: TenantId) -> Snapshot {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.get(&tenant).map(Snapshot::of).unwrap_or_default()
    }

    fn write<T>(
        &self,
        tenant: TenantId,
        call: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let answer = self.fuse.run(|| {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            call(tenants.entry(tenant).or_default())
        });
        answer.unwrap_or_else(|_| Err(StoreError::Unavailable { reason: "the test says so".into() }))
    }

    fn read<T>(&self, tenant: TenantId, call: impl FnOnce(&State) -> T) -> Result<T, StoreError> {
        self.write(tenant, |state| Ok(call(state)))
    }
}

/// The rows after an id.
pub(super) fn after<I>(id: Option<I>) -> (Bound<I>, Bound<I>) {
    (id.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

fn all<K: Ord + Clone, V: Clone>(table: &Table<K, V>) -> Vec<V> {
    table.values().cloned().collect()
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, tenant: TenantId, changes: ChangeSet) -> Result<CommitReport, StoreError> {
        self.write(tenant, |s| s.commit(changes))
    }

    async fn begin_run(&self, tenant: TenantId, _: TimeDelta) -> Result<RunGuard, StoreError> {
        self.write(tenant, |_| {
            let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
            if runs.held.contains_key(&tenant) {
                return Err(StoreError::Busy);
            }
            runs.last += 1;
            let run = runs.last;
            runs.held.insert(tenant, run);
            Ok(RunGuard::new(Held { runs: Arc::clone(&self.runs), tenant, run }))
        })
    }
}
