//! SQLite: one file, one writer, durable on commit.
//!
//! Write-ahead log with `synchronous = FULL`: a commit that returned survives a power cut. All writes of this process
//! go through one connection with `BEGIN IMMEDIATE`, so that none of them waits inside SQLite for another; other
//! processes are waited for up to [`BUSY_TIMEOUT`].

mod session;
mod workers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use isp_core::ids::WorkerId;
use isp_core::ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::store_error;
use crate::session::{Engine, Parked, Session, Whose, begin, begin_with};
use session::SqliteSession;
use uuid::Uuid;
use workers::Workers;

/// How long a statement waits for another process's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a caller waits for a connection, and so for the writes before its own.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(60);
/// Readers at once.
const READERS: u32 = 4;
/// The tables and the named indexes of a file, but for SQLite's own and those that a tool for replication adds.
pub(crate) const OBJECTS: &str = "SELECT type || ' ' || name FROM sqlite_master
    WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_litestream%'";
/// Statements kept prepared by a connection.
const STATEMENTS: usize = 256;

/// A SQLite file.
pub(crate) struct Sqlite {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
    parked: Parked,
    workers: Workers,
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.workers.leave(&self.path);
    }
}

impl Sqlite {
    /// Opens a file that exists.
    pub(crate) async fn open(path: &Path, pragmas: &[(&'static str, String)]) -> Result<Self, StoreError> {
        let mut options = options(path);
        for (pragma, value) in pragmas {
            options = options.pragma(*pragma, value.clone());
        }
        // When the disk is full, SQLite itself rolls back, and the driver goes on counting a transaction that is over: such a
        // connection would begin none any more. It is closed, and another one opened.
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }));
        let writer = pool.clone().max_connections(1).connect_with(options.clone()).await.map_err(store_error)?;
        let readers = pool.max_connections(READERS).connect_with(options).await.map_err(store_error)?;
        Ok(Self { path: path.to_owned(), writer, readers, workers: Workers::default(), parked: Parked::default() })
    }
}

/// The options of every connection.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}

#[async_trait]
impl Engine for Sqlite {
    async fn begin_read(&self, _whose: Whose) -> Result<Box<dyn Session>, StoreError> {
        let pool = self.readers.clone();
        let begun = begin(async move { begin_with(&pool, "BEGIN DEFERRED").await }).await?;
        Ok(Box::new(SqliteSession(begun, self.parked.clone())))
    }

    async fn begin_write(&self, _whose: Whose) -> Result<Box<dyn Session>, StoreError> {
        let pool = self.writer.clone();
        let begun = begin(async move { begin_with(&pool, "BEGIN IMMEDIATE").await }).await?;
        Ok(Box::new(SqliteSession(begun, self.parked.clone())))
    }

    fn connections(&self) -> (u64, u64) {
        let of = |pool: &SqlitePool| (u64::from(pool.size()), pool.num_idle() as u64);
        let ((writers, idle_writers), (readers, idle_readers)) = (of(&self.writer), of(&self.readers));
        let idle = idle_writers + idle_readers;
        ((writers + readers).saturating_sub(idle), idle)
    }

    fn parked(&self) -> &Parked {
        &self.parked
    }

    fn sees_workers(&self, worker: WorkerId) -> Result<bool, StoreError> {
        self.workers.announce(&self.path, worker)?;
        Ok(true)
    }

    fn dead_workers(&self, workers: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        self.workers.dead(&self.path, workers)
    }

    async fn objects(&self) -> Result<BTreeSet<String>, StoreError> {
        let names: Vec<String> = sqlx::query_scalar(OBJECTS).fetch_all(&self.readers).await.map_err(store_error)?;
        Ok(names.into_iter().collect())
    }

    async fn page_damage(&self) -> Result<Vec<String>, StoreError> {
        let found: Vec<String> =
            sqlx::query_scalar("PRAGMA integrity_check(20)").fetch_all(&self.readers).await.map_err(store_error)?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// The pages that were freed, and what stood in others beside the rows that are left, are not in the new file.
    async fn compact(&self) -> Result<(), StoreError> {
        sqlx::query("VACUUM").execute(&self.writer).await.map_err(store_error).map(drop)
    }

    /// With the write-ahead log emptied into the file, so that the file alone can be copied. When another process reads
    /// an older state, the log stays; whoever closes last empties it.
    async fn close(&self) {
        self.readers.close().await;
        // Nothing is lost when it cannot be: what is in the log is durable, and is read with the file. Whoever waited for a
        // lock already is not kept as long again.
        let _ = sqlx::query("PRAGMA busy_timeout = 1000").execute(&self.writer).await;
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests {
    use isp_core::calendar::Zone;
    use isp_core::ids::{SiteId, TenantId};
    use isp_core::place::Site;
    use isp_core::ports::{ChangeSet, DirectoryStore, Store as _};
    use isp_core::text::{Code, Name};
    use uuid::Uuid;

    use super::*;
    use crate::store::SqlStore;
    use crate::table;
    use crate::value::{Kind, Value};
    use crate::vault::Vault;

    fn vault() -> Vault {
        Vault::from_text(&"5a".repeat(32)).unwrap()
    }

    async fn migrated() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("isp.db");
        crate::migrate(&format!("sqlite:{}", path.display())).await.unwrap();
        (dir, path)
    }

    fn sites(from: u128, count: u128) -> ChangeSet {
        let site = |n: u128| Site {
            id: SiteId(Uuid::from_u128(n)),
            code: Code::parse("code", &format!("S{n}")).unwrap(),
            name: Name::parse("name", &"nama ".repeat(20)).unwrap(),
            zone: Zone::Wib,
            coordinates: None,
            archived: false,
        };
        ChangeSet { sites: (from..from + count).map(site).collect(), ..ChangeSet::default() }
    }

    #[tokio::test]
    async fn a_full_disk_is_told_as_such_and_leaves_nothing_half_written() {
        let (_dir, path) = migrated().await;
        // As many pages as the empty tables take and a few more, which SQLite answers like a full disk.
        let pages = std::fs::metadata(&path).unwrap().len() / 4096 + 20;
        let engine = Sqlite::open(&path, &[("max_page_count", pages.to_string())]).await.unwrap();
        let store = SqlStore::new(Box::new(engine), vault());
        store.commit(TenantId::DEFAULT, sites(1, 10)).await.unwrap();
        let error = store.commit(TenantId::DEFAULT, sites(100, 5_000)).await.unwrap_err();
        assert_eq!(error, StoreError::DiskFull);
        assert!(error.retryable());
        assert_eq!(store.sites(TenantId::DEFAULT).await.unwrap().len(), 10);
        store.commit(TenantId::DEFAULT, sites(50, 1)).await.unwrap();
        store.close().await;

        let store = SqlStore::new(Box::new(Sqlite::open(&path, &[]).await.unwrap()), vault());
        assert_eq!(store.sites(TenantId::DEFAULT).await.unwrap().len(), 11);
        store.commit(TenantId::DEFAULT, sites(100, 5_000)).await.unwrap();
        assert_eq!(store.sites(TenantId::DEFAULT).await.unwrap().len(), 5_011);
    }

    /// As on a disk that was full for a moment: SQLite rolled back by itself, and the driver does not know it.
    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_itself_keeps_no_later_one_from_beginning() {
        let (_dir, path) = migrated().await;
        let engine = Sqlite::open(&path, &[]).await.unwrap();
        for _ in 0..2 {
            let mut session = engine.begin_write(Whose::Any).await.unwrap();
            session.execute("ROLLBACK", Vec::new()).await.unwrap();
            drop(session);
            for _ in 0..READERS {
                let mut session = engine.begin_read(Whose::Any).await.unwrap();
                session.execute("ROLLBACK", Vec::new()).await.unwrap();
            }
        }
        let store = SqlStore::new(Box::new(engine), vault());
        store.commit(TenantId::DEFAULT, sites(1, 1)).await.unwrap();
        assert_eq!(store.sites(TenantId::DEFAULT).await.unwrap().len(), 1);
    }

    /// An isolation run of 12,000 lines took fourteen times that of 3,000 when each line walked through all that is overdue.
    #[tokio::test]
    async fn what_is_overdue_is_listed_once_and_not_for_each_line() {
        let (_dir, path) = migrated().await;
        let engine = Sqlite::open(&path, &[]).await.unwrap();
        let mut session = engine.begin_read(Whose::Any).await.unwrap();
        let sql = format!(
            "SELECT s.subscription_id FROM subscriptions s
            WHERE s.tenant_id = $1 AND s.subscription_id > $2 AND (s.starts_on > $3 OR {})",
            crate::access::OVERDUE_LISTED
        );
        let id = Value::Id(Uuid::nil());
        let steps = plan(session.as_mut(), &sql, vec![id.clone(), id, Value::Int(1), Value::Int(1)]).await;
        assert!(steps.iter().any(|step| step.starts_with("LIST SUBQUERY")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("CORRELATED")), "{steps:?}");
    }

    /// What the outbox tells of 12,000 lines took minutes when each line walked through all lines of its router, and each payment
    /// walked through all lines of the provider.
    #[tokio::test]
    async fn what_is_asked_for_a_list_of_lines_is_looked_up_by_a_key() {
        let (_dir, path) = migrated().await;
        let engine = Sqlite::open(&path, &[]).await.unwrap();
        let mut session = engine.begin_read(Whose::Any).await.unwrap();
        for (sql, list) in crate::access::looked_up() {
            let id = Value::Id(Uuid::nil());
            let mut args = vec![id.clone(), id, Value::Int(1), Value::Int(1)];
            args.truncate(list - 1);
            args.push(Value::Ids(vec![Uuid::nil()]));
            let steps = plan(session.as_mut(), &sql, args).await;
            let walks = |step: &&String| {
                let whole = step.starts_with("SCAN ") && !step.starts_with("SCAN json_each");
                let part =
                    ["(tenant_id=?)", "router_id=?)", "subscription_id>?)"].iter().any(|end| step.ends_with(end));
                whole || part || step.contains("router_id>")
            };
            assert_eq!(steps.iter().filter(walks).collect::<Vec<_>>(), Vec::<&String>::new(), "{sql}");
            assert!(steps.iter().any(|step| step.starts_with("SEARCH s ")), "{steps:?}");
        }
    }

    /// A run of a hundred thousand lines that wait for a dead router took a minute and a half, because who has claimed something and
    /// what is due at a router were looked for among all that waits.
    #[tokio::test]
    async fn what_waits_for_a_router_is_not_walked_through() {
        let (_dir, path) = migrated().await;
        let engine = Sqlite::open(&path, &[]).await.unwrap();
        let mut session = engine.begin_read(Whose::Any).await.unwrap();
        let (id, at) = (|| Value::Id(Uuid::nil()), || Value::Int(1));
        let (claim, of_router) = (crate::outbox::claim_sql(true), "USING INDEX outbox_router");
        for (sql, args, by) in [
            (crate::router_rest::DUE, vec![id(), at(), at(), at()], "SEARCH o EXISTS USING INDEX outbox_router"),
            (crate::router_rest::WAITING, vec![id(), id(), at()], of_router),
            (claim.as_str(), vec![id(), id(), at(), at(), at(), at(), id()], of_router),
            (crate::router_rest::RAN_OUT, vec![id(), at()], "USING INDEX outbox_claimed"),
            (crate::outbox::OWNERS, vec![id(), at()], "USING INDEX outbox_claimed"),
            (crate::outbox::RENEW, vec![id(), id(), at()], "USING INDEX outbox_claimed (tenant_id=? AND owner=?)"),
        ] {
            let steps = plan(session.as_mut(), sql, args).await;
            assert!(steps.iter().any(|step| step.contains(by)), "{sql}: {steps:?}");
            let walks = |step: &&String| step.contains("SCAN outbox") || step.contains("outbox_due");
            assert_eq!(steps.iter().filter(walks).collect::<Vec<_>>(), Vec::<&String>::new(), "{sql}");
        }
    }

    /// What was owed and left of each customer of a page at a past moment.
    #[tokio::test]
    async fn what_is_asked_of_the_past_of_a_page_is_looked_up_by_a_key() {
        let (_dir, path) = migrated().await;
        let engine = Sqlite::open(&path, &[]).await.unwrap();
        let mut session = engine.begin_read(Whose::Any).await.unwrap();
        let (id, list) = (Value::Id(Uuid::nil()), Value::Ids(vec![Uuid::nil()]));
        let past = vec![id, list, Value::Int(1), Value::Int(1)];
        for (sql, args, by) in [
            (crate::invoice::OPEN_AT, past.clone(), "SEARCH i USING INDEX invoices_customer"),
            (crate::payment::CREDIT_AT, past[..3].to_vec(), "SEARCH p USING INDEX payments_customer"),
        ] {
            let steps = plan(session.as_mut(), sql, args).await;
            assert!(steps.iter().any(|step| step.starts_with(by)), "{steps:?}");
            let walks = |step: &&String| {
                let listed = step.starts_with("SCAN json_each") || *step == "SCAN t";
                let whole = step.starts_with("SCAN ") && !listed;
                let all_that_was_paid = step.contains("allocated_at<");
                whole || all_that_was_paid || step.ends_with("(tenant_id=?)")
            };
            assert_eq!(steps.iter().filter(walks).collect::<Vec<_>>(), Vec::<&String>::new(), "{sql}");
        }
    }

    /// The steps of SQLite's plan for a statement.
    async fn plan(session: &mut dyn Session, sql: &str, args: Vec<Value>) -> Vec<String> {
        let plan = session.fetch(&format!("EXPLAIN QUERY PLAN {sql}"), args).await.unwrap();
        plan.iter()
            .map(|row| match row.value(3, Kind::Text).unwrap() {
                Some(Value::Text(step)) => step,
                _ => panic!("a step without words"),
            })
            .collect()
    }

    #[tokio::test]
    async fn the_columns_that_are_written_are_those_of_the_tables() {
        let (_dir, path) = migrated().await;
        let engine = Sqlite::open(&path, &[]).await.unwrap();
        let mut session = engine.begin_read(Whose::Any).await.unwrap();
        for table in table::ALL {
            let sql = format!("SELECT {} FROM {} LIMIT 0", table.columns.join(", "), table.name);
            let found = session.fetch(&sql, Vec::new()).await;
            assert!(found.is_ok(), "{}: {:?}", table.name, found.err());
        }
    }
}
