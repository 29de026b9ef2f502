//! What both engines offer to the statements: run them, read rows, write many rows.

use async_trait::async_trait;
use isp_core::ids::TenantId;
use isp_core::ports::{RunGuard, StoreError};
use uuid::Uuid;

use crate::error::{store_error, unavailable};
use crate::table::Table;
use crate::value::{RawRow, Reader, Value};

/// An open transaction. Dropped without [`Session::commit`], it leaves nothing behind.
///
/// Statements are written for PostgreSQL, with `$n` for their arguments. What SQLite says otherwise is turned over by
/// its engine: `IN IDS(($n))` for a list of ids, and the row locks, which it does not need because it has one writer.
#[async_trait]
pub(crate) trait Session: Send {
    /// Runs a statement; how many rows it touched.
    async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, StoreError>;

    /// Runs a statement that returns rows.
    async fn fetch(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Box<dyn RawRow>>, StoreError>;

    /// Runs a statement over many rows at once: `rows` takes the place of `{rows}` in it as a `VALUES` list, after the
    /// arguments; how many rows it touched. The number of columns is `kinds`.
    async fn execute_rows(
        &mut self,
        sql: &str,
        args: Vec<Value>,
        columns: usize,
        rows: Vec<Value>,
    ) -> Result<u64, StoreError>;

    /// Runs a statement that returns two ids a row, `AS a` and `AS b`, by a way that is cheap for many rows.
    async fn fetch_pairs(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<(Uuid, Uuid)>, StoreError>;

    /// Appends rows to a table by the engine's fastest way. A key that is there already fails with
    /// [`StoreError::Duplicate`].
    async fn append(&mut self, table: &'static Table, rows: &mut Rows<'_>) -> Result<(), StoreError>;

    /// True when a condition on many rows is best asked as `IN (SELECT ...)`, which is listed once, and not as `EXISTS`.
    fn lists_once(&self) -> bool;

    /// Makes what was written durable.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Rows that are made when an engine gets to them, so that those of a large page are never all held at once.
pub(crate) struct Rows<'r> {
    left: usize,
    next: &'r mut (dyn FnMut(&mut Vec<Value>) + Send),
}

impl<'r> Rows<'r> {
    /// So many rows; `next` adds the values of one to a list.
    pub(crate) fn new(count: usize, next: &'r mut (dyn FnMut(&mut Vec<Value>) + Send)) -> Self {
        Self { left: count, next }
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// Adds the values of the next rows, at most `count`, to a list; how many they were.
    pub(crate) fn take(&mut self, count: usize, values: &mut Vec<Value>) -> usize {
        let now = count.min(self.left);
        self.left -= now;
        for _ in 0..now {
            (self.next)(values);
        }
        now
    }
}

/// A database.
#[async_trait]
pub(crate) trait Engine: Send + Sync {
    /// A transaction that sees one state of the database and writes nothing.
    async fn read(&self) -> Result<Box<dyn Session>, StoreError>;
    /// A transaction that writes.
    async fn write(&self) -> Result<Box<dyn Session>, StoreError>;
    /// The right to be the only run of a tenant.
    async fn hold_run(&self, tenant: TenantId) -> Result<RunGuard, StoreError>;
    /// Waits for the connections to end.
    async fn close(&self);
}

/// Opens a transaction on a task of its own: a caller that is cut off between the statement and its answer would leave
/// the connection in a transaction that nobody ends. A transaction that nobody waits for any more is rolled back.
pub(crate) async fn begin<DB: sqlx::Database>(
    pool: &sqlx::Pool<DB>,
    statement: &'static str,
) -> Result<sqlx::Transaction<'static, DB>, StoreError> {
    let pool = pool.clone();
    match tokio::spawn(async move { pool.begin_with(statement).await }).await {
        Ok(begun) => begun.map_err(store_error),
        Err(_) => Err(unavailable("the program is going down")),
    }
}

/// Reads all rows of a statement.
pub(crate) async fn all<T>(
    session: &mut dyn Session,
    what: &'static str,
    sql: &str,
    args: Vec<Value>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    let rows = session.fetch(sql, args).await?;
    rows.iter().map(|row| read(&mut Reader::new(row.as_ref(), what))).collect()
}

/// Reads the first row of a statement.
pub(crate) async fn first<T>(
    session: &mut dyn Session,
    what: &'static str,
    sql: &str,
    args: Vec<Value>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send,
) -> Result<Option<T>, StoreError> {
    let rows = session.fetch(sql, args).await?;
    rows.first().map(|row| read(&mut Reader::new(row.as_ref(), what))).transpose()
}
