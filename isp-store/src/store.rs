//! The port [`Store`] over an engine: opens a transaction, runs the statements of the noun, ends it.

mod access;
mod billing;
mod directory;
mod inbox;
mod money;
mod outbox;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::audit::{Break, Head, Link};
use isp_core::customer::{Customer, Nik};
use isp_core::ids::{CustomerId, TenantId};
use isp_core::ports::{ChangeSet, CommitReport, CustomerBooks, DamagedRow, Lease, RunGuard, Store, StoreError};

use crate::audit::Actor;
use crate::doctor::Finding;
use crate::error::unavailable;
use crate::reseal::{AllRuns, KeyUse, Resealed};
use crate::run_lease::Runs;
use crate::seen::Seen;
use crate::session::{Engine, Session, Whose, first};
use crate::twins::{self, Twins};
use crate::value::{Value, args};
use crate::vault::Vault;
use uuid::Uuid;

use crate::{
    audit, commit, credit, customer, doctor, installation, invoice, moves, payment, reseal, run_lease, subscription,
    sums,
};

/// Opens a store: `sqlite:FILE`, `sqlite://FILE`, `postgres://...`, `postgres:///NAME?host=/SOCKET/DIRECTORY`.
///
/// # Errors
/// [`StoreError::Rejected`] for a URL of another kind; [`StoreError::Missing`], [`StoreError::Outdated`],
/// [`StoreError::Newer`] and [`StoreError::Migration`] for a database that is not one of this version;
/// [`StoreError::WrongKey`] when the vault's keys are not those that sealed what is in it; [`StoreError::Damaged`];
/// [`StoreError::Unavailable`], [`StoreError::Tls`].
pub async fn open(url: &str, vault: Vault) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqlStore::open(url, vault).await?))
}

/// A store in a SQLite file or a PostgreSQL database.
pub struct SqlStore {
    engine: Arc<dyn Engine>,
    vault: Vault,
    runs: Runs,
    actor: Arc<Actor>,
    seen: Seen,
}

impl std::fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlStore")
    }
}

impl SqlStore {
    /// Opens a store, see [`crate::open()`].
    ///
    /// # Errors
    /// As [`crate::open()`].
    pub async fn open(url: &str, vault: Vault) -> Result<Self, StoreError> {
        let engine = crate::open::engine(url, &vault).await?;
        Ok(Self { engine: engine.into(), vault, runs: Runs::default(), actor: Arc::default(), seen: Seen::default() })
    }

    /// A store on an engine that is open.
    #[cfg(test)]
    pub(crate) fn new(engine: Box<dyn Engine>, vault: Vault) -> Self {
        Self { engine: engine.into(), vault, runs: Runs::default(), actor: Arc::default(), seen: Seen::default() }
    }

    /// Says who acts through this store and by which command, for the log of changes.
    #[must_use]
    pub fn acting(self, by: &str, command: &str) -> Self {
        Self { actor: Arc::new(Actor { by: by.to_owned(), command: command.to_owned() }), ..self }
    }

    /// Entries of the log of changes after a number, at most so many.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn audit(&self, tenant: TenantId, after: u64, limit: u64) -> Result<Vec<Link>, StoreError> {
        audit::page(self.engine.read(tenant).await?.as_mut(), tenant, after, limit).await
    }

    /// The newest entry of the log of changes.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn audit_head(&self, tenant: TenantId) -> Result<Head, StoreError> {
        audit::newest(self.engine.read(tenant).await?.as_mut(), tenant).await
    }

    /// Writes a SQLite file anew, so that nothing of what was removed is left in its free pages: until then a person who was
    /// [erased](isp_core::engine::Engine::erase) can be found in the file. A PostgreSQL server writes over them in its own time.
    ///
    /// # Errors
    /// As every method of [`Store`]; [`StoreError::Held`] when another process works with the file.
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.engine.compact().await
    }

    /// Reads the log of changes from its beginning; how many entries it has, and what does not fit.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn verify_audit(&self, tenant: TenantId) -> Result<(u64, Vec<Break>), StoreError> {
        audit::verify(self.engine.as_ref(), tenant).await
    }

    /// The numbers of the entries that tell of a row.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn audit_of(&self, tenant: TenantId, id: Uuid) -> Result<Vec<u64>, StoreError> {
        audit::naming(self.engine.read(tenant).await?.as_mut(), tenant, id).await
    }

    /// The customers with a NIK, found by its blind index.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn customers_by_nik(&self, tenant: TenantId, nik: &Nik) -> Result<Vec<Customer>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        customer::by_nik(session.as_mut(), &self.vault, tenant, nik).await
    }

    /// Lets run out what workers hold who are certainly dead, and says that this one lives.
    async fn bury_the_dead(&self, s: &mut dyn Session, tenant: TenantId, lease: Lease) -> Result<(), StoreError> {
        if self.engine.sees_workers(lease.owner)? {
            let owners = crate::outbox::owners(s, tenant, lease.now).await?;
            let dead = self.engine.dead_workers(owners)?;
            if !dead.is_empty() {
                crate::outbox::bury(s, tenant, &dead, lease.now).await?;
            }
        }
        Ok(())
    }

    /// Fails for a store that was opened without a key: it is only read, because what is hidden in what it read would be
    /// lost by writing it.
    fn unlocked(&self) -> Result<(), StoreError> {
        if self.vault.is_locked() { Err(StoreError::NoKey) } else { Ok(()) }
    }

    /// A transaction that writes.
    async fn writer(&self, tenant: TenantId) -> Result<Box<dyn Session>, StoreError> {
        self.unlocked()?;
        self.engine.write(tenant).await
    }

    /// Which key of the ring sealed how many values, and how many do not open.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        reseal::key_uses(self.engine.as_ref(), &self.vault).await
    }

    /// Holds the right to run of every provider, so that no run is under way and no other process changes the keys. It is
    /// taken before the key file is changed, and needs no key.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while a run is under way; as every method of [`Store`].
    pub async fn hold_runs(&self) -> Result<AllRuns, StoreError> {
        AllRuns::begin(&self.engine, &self.runs).await
    }

    /// Seals everything with the first key of the ring, row by row. Killed anywhere, it is done again and goes on. From its
    /// beginning on, a process that does not know that key seals nothing. No run may be under way: it could not read any
    /// more what it needs.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn reseal(&self, held: &AllRuns) -> Result<Resealed, StoreError> {
        self.unlocked()?;
        reseal::reseal(self.engine.as_ref(), &self.vault, held).await
    }

    /// Looks through the database for what must not be; it changes nothing and needs no key. Behind a wall between tenants it sees the
    /// rows of this one, else those of all.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn examine(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<Vec<Finding>, StoreError> {
        doctor::examine(self.engine.as_ref(), tenant, now).await
    }

    /// Writes the [sums of a tenant's books](isp_core::ledger::kept) anew, from what its journal and its documents come to. Each commit keeps them
    /// up, so this is for sums that somebody altered, and for rows that were brought in by another way than a commit. The log of changes says
    /// which sums were other ones.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn renew_sums(&self, tenant: TenantId) -> Result<(), StoreError> {
        let mut session = self.writer(tenant).await?;
        sums::renew(session.as_mut(), tenant, &self.actor).await?;
        session.commit().await
    }

    /// Rows that are one since names are compared without case, in a database that is older than that; by what they are rows of, then by
    /// what they are compared by.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn twins(&self, tenant: TenantId) -> Result<Vec<Twins>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        twins::all_of(session.as_mut(), tenant).await
    }

    /// Whether it sees the rows of all tenants; false behind a wall between them.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.engine.sees_all()
    }

    /// The time by the database's clock, by which claims and leases run.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn clock(&self) -> Result<DateTime<Utc>, StoreError> {
        self.engine.begin_read(Whose::Any).await?.clock().await
    }

    /// Fails where a tenant does not work in this database: it is being moved to another one or from there, or was. Writes look by
    /// themselves; a read of a tenant that was moved would find nothing and take it for an empty provider.
    ///
    /// # Errors
    /// [`StoreError::Moving`], [`StoreError::Moved`]; as every method of [`Store`].
    pub async fn works_here(&self, tenant: TenantId) -> Result<(), StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let sql = "SELECT state, other FROM moves WHERE tenant_id = $1";
        let found =
            first(session.as_mut(), "move", sql, args![tenant], |r| Ok((r.get::<String>()?, r.get::<String>()?)));
        found.await?.map_or(Ok(()), |(state, other)| Err(moves::refusal(&state, other)))
    }

    /// Waits until the connections are closed. What is called afterwards is [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn commit(&self, tenant: TenantId, changes: ChangeSet) -> Result<CommitReport, StoreError> {
        if changes.is_empty() {
            return Ok(CommitReport::default());
        }
        self.unlocked()?;
        let (engine, vault, runs) = (Arc::clone(&self.engine), self.vault.clone(), self.runs.clone());
        let (actor, seen) = (Arc::clone(&self.actor), self.seen.clone());
        // On a task of its own, so that a caller that is cut off does not cut a COPY off: the driver would count the
        // server's answers wrongly afterwards, on a connection that goes back to the pool.
        let commit = tokio::spawn(async move {
            let mut session = engine.write(tenant).await?;
            let (report, harmless) = commit::write(session.as_mut(), &vault, tenant, &actor, &seen, changes).await?;
            // Last, because whoever wants to take the right waits from here on.
            runs.check(session.as_mut(), tenant).await?;
            session.commit().await?;
            if let Some(entry) = harmless {
                seen.harmless(tenant, entry);
            }
            Ok(report)
        });
        commit.await.unwrap_or_else(|_| Err(unavailable("the program is going down")))
    }

    async fn begin_run(&self, tenant: TenantId, term: TimeDelta) -> Result<RunGuard, StoreError> {
        self.unlocked()?;
        run_lease::begin(&self.engine, &self.runs, tenant, term).await
    }

    async fn books_of(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<CustomerBooks, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        let (s, of) = (session.as_mut(), || Value::Ids(customers.iter().map(|customer| customer.0).collect()));
        let invoices = invoice::of_customers(s, tenant, of()).await?;
        let books = CustomerBooks {
            subscriptions: subscription::of_customers(s, &self.vault, tenant, of()).await?,
            invoices: invoices.into_iter().map(|(invoice, _)| invoice).collect(),
            credit_notes: credit::of_customers(s, tenant, of()).await?,
            payments: payment::of_customers(s, tenant, of()).await?,
            installations: installation::of_customers(s, tenant, of()).await?,
        };
        Ok(books.in_order())
    }

    fn damaged(&self) -> Vec<DamagedRow> {
        self.engine.parked().all()
    }
}
