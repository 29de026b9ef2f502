//! What both engines offer to the statements: run them, read rows, write many rows.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::ids::{TenantId, WorkerId};
use isp_core::ports::{DamagedRow, StoreError};
use sqlx::SqlSafeStr;
use uuid::Uuid;

use crate::error::{rejected, store_error, unavailable};
use crate::table::Table;
use crate::value::{Kind, RawRow, Reader, Value};
use crate::wall::{BEHIND_WALL, Gap};

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

    /// The time by the database's clock.
    async fn clock(&mut self) -> Result<DateTime<Utc>, StoreError>;

    /// Notes a row that cannot be read.
    fn park(&mut self, row: DamagedRow);

    /// True when a commit that seals locks the row of the key, so that whoever changes the key waits for it. False on a cluster: two
    /// who lock a row that is on every node lock each other out.
    fn locks_meta(&self) -> bool {
        true
    }

    /// True when a condition on many rows is best asked as `IN (SELECT ...)`, which is listed once, and not as `EXISTS`.
    fn lists_once(&self) -> bool;

    /// Makes what was written durable.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// The rows that could not be read since a database was opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parked(Arc<Mutex<BTreeSet<DamagedRow>>>);

impl Parked {
    /// Notes one.
    pub(crate) fn add(&self, row: DamagedRow) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(row);
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<DamagedRow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
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
    async fn begin_read(&self, whose: Whose) -> Result<Box<dyn Session>, StoreError>;
    /// A transaction that writes.
    async fn begin_write(&self, whose: Whose) -> Result<Box<dyn Session>, StoreError>;
    /// Whether rows of all tenants can be seen. Behind a wall only those of the transaction's tenant can.
    fn sees_all(&self) -> bool {
        true
    }
    /// The rows that could not be read.
    fn parked(&self) -> &Parked;
    /// Says that this worker lives, where the engine can tell the living from the dead; whether it can.
    fn sees_workers(&self, _worker: WorkerId) -> Result<bool, StoreError> {
        Ok(false)
    }
    /// Which of these workers are certainly dead.
    fn dead_workers(&self, _workers: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        Ok(Vec::new())
    }
    /// The tables and the named indexes that are there, each as `table NAME` or `index NAME`.
    async fn objects(&self) -> Result<BTreeSet<String>, StoreError>;
    /// What the database itself says is damaged in its file, where it can tell.
    async fn page_damage(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
    /// Writes the file anew without what was removed, where the database is a file of ours.
    async fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Where the wall between tenants has a gap; none where there is no wall.
    async fn wall(&self) -> Result<Vec<Gap>, StoreError> {
        Ok(Vec::new())
    }
    /// Connections that are at work, and idle ones.
    fn connections(&self) -> (u64, u64);
    /// Waits for the connections to end.
    async fn close(&self);
}

impl dyn Engine + '_ {
    /// A transaction about one tenant that sees one state of the database and writes nothing.
    pub(crate) async fn read(&self, tenant: TenantId) -> Result<Box<dyn Session>, StoreError> {
        self.begin_read(Whose::One(tenant)).await
    }

    /// A transaction about one tenant that writes.
    pub(crate) async fn write(&self, tenant: TenantId) -> Result<Box<dyn Session>, StoreError> {
        self.begin_write(Whose::One(tenant)).await
    }

    /// [`Engine::begin_read`] about all tenants. Refused behind a wall: it would see nothing, and take that for all there is.
    pub(crate) async fn read_all(&self) -> Result<Box<dyn Session>, StoreError> {
        self.begin_read(self.all()?).await
    }

    /// [`Engine::begin_write`] about all tenants, refused behind a wall.
    pub(crate) async fn write_all(&self) -> Result<Box<dyn Session>, StoreError> {
        self.begin_write(self.all()?).await
    }

    fn all(&self) -> Result<Whose, StoreError> {
        if self.sees_all() { Ok(Whose::Any) } else { Err(rejected(BEHIND_WALL)) }
    }
}

/// Whose rows a transaction is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// One tenant's. Behind a wall the others' cannot be seen or written.
    One(TenantId),
    /// No tenant is named. Behind a wall each statement on a tenant's table fails.
    Any,
}

/// Opens a transaction on a task of its own: a caller that is cut off between the statement and its answer would leave
/// the connection in a transaction that nobody ends. A transaction that nobody waits for any more is rolled back.
pub(crate) async fn begin<T: Send + 'static>(
    begun: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(begun).await.unwrap_or_else(|_| Err(unavailable("the program is going down")))
}

/// Opens a transaction by a statement.
pub(crate) async fn begin_with<DB: sqlx::Database>(
    pool: &sqlx::Pool<DB>,
    statement: impl SqlSafeStr + Send,
) -> Result<sqlx::Transaction<'static, DB>, StoreError> {
    pool.begin_with(statement).await.map_err(store_error)
}

/// Reads all rows of a statement. One that cannot be read fails it.
pub(crate) async fn all<T>(
    session: &mut dyn Session,
    what: &'static str,
    sql: &str,
    args: Vec<Value>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    let rows = session.fetch(sql, args).await?;
    rows.iter().map(|row| one(row.as_ref(), what, &read)).collect()
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
    rows.first().map(|row| one(row.as_ref(), what, &read)).transpose()
}

/// Reads the rows of a statement whose first column is their id. One that cannot be read is parked and left out, so that
/// it stops nobody else.
pub(crate) async fn readable<T>(
    session: &mut dyn Session,
    what: &'static str,
    sql: &str,
    args: Vec<Value>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    let rows = session.fetch(sql, args).await?;
    keep_readable(session, what, &rows, &read)
}

/// [`readable`] for a page: `at` says which arguments are the id that the page begins after and its limit. What is left out
/// is made up for by rows after it, because a page that is not full counts as the last.
pub(crate) async fn readable_page<T>(
    session: &mut dyn Session,
    what: &'static str,
    sql: &str,
    args: Vec<Value>,
    at: (usize, usize),
    read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    readable_by(session, what, sql, args, (&[(at.0, 0, Kind::Id)], at.1), read).await
}

/// [`readable_page`] in the order of other columns: `after` says of each which argument the page begins after, which column it is, and of
/// what kind; then comes which argument the limit is. The first column is the id.
pub(crate) async fn readable_by<T>(
    session: &mut dyn Session,
    what: &'static str,
    sql: &str,
    mut args: Vec<Value>,
    (after, limit_at): (&[(usize, usize, Kind)], usize),
    read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    loop {
        let Some(Value::Int(limit)) = args.get(limit_at).cloned() else { return Err(rejected("a page has no limit")) };
        let rows = session.fetch(sql, args.clone()).await?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
        let last: Option<Vec<(usize, Value)>> = rows.last().and_then(|row| {
            let value = |(at, column, kind): &(usize, usize, Kind)| Some((*at, row.value(*column, *kind).ok()??));
            after.iter().map(value).collect()
        });
        let count = rows.len();
        let kept = keep_readable(session, what, &rows, &read)?;
        let missing = count - kept.len();
        found.extend(kept);
        match last {
            Some(last) if full && missing > 0 => {
                for (at, value) in last {
                    args[at] = value;
                }
                args[limit_at] = Value::Int(i64::try_from(missing).unwrap_or(limit));
            }
            _ => return Ok(found),
        }
    }
}

/// [`readable`] for rows that a decision about something else rests on, whose id stands in the column `owner`: also gives
/// back about what no decision may be taken, because a row of it cannot be read.
pub(crate) async fn readable_of<T>(
    session: &mut dyn Session,
    what: &'static str,
    sql: &str,
    args: Vec<Value>,
    owner: usize,
    read: impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send,
) -> Result<(Vec<T>, HashSet<Uuid>), StoreError> {
    let rows = session.fetch(sql, args).await?;
    let (mut kept, mut unclear) = (Vec::with_capacity(rows.len()), HashSet::new());
    for row in rows {
        let found = keep_readable(session, what, std::slice::from_ref(&row), &read)?;
        if found.is_empty() {
            match row.value(owner, Kind::Id) {
                Ok(Some(Value::Id(id))) => _ = unclear.insert(id),
                // Whose it is cannot be told either, so it may concern anybody.
                _ => return Err(Reader::new(row.as_ref(), what).corrupt("what it belongs to cannot be read")),
            }
        }
        kept.extend(found);
    }
    Ok((kept, unclear))
}

fn keep_readable<T>(
    session: &mut dyn Session,
    what: &'static str,
    rows: &[Box<dyn RawRow>],
    read: &(impl Fn(&mut Reader<'_>) -> Result<T, StoreError> + Send),
) -> Result<Vec<T>, StoreError> {
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        match read(&mut Reader::new(row.as_ref(), what)) {
            Ok(value) => kept.push(value),
            Err(StoreError::Corrupt { what: inside, reason }) => {
                let Some(id) = id_of(row.as_ref()) else { return Err(StoreError::Corrupt { what: inside, reason }) };
                session.park(DamagedRow { what, id, reason });
            }
            Err(other) => return Err(other),
        }
    }
    Ok(kept)
}

/// Reads one row; an error names it by its first column, where that is its id.
fn one<T>(
    row: &dyn RawRow,
    what: &'static str,
    read: &impl Fn(&mut Reader<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    read(&mut Reader::new(row, what)).map_err(|error| match (error, id_of(row)) {
        (StoreError::Corrupt { what, reason }, Some(id)) => {
            StoreError::Corrupt { what, reason: format!("{id}: {reason}") }
        }
        (other, _) => other,
    })
}

fn id_of(row: &dyn RawRow) -> Option<Uuid> {
    match row.value(0, Kind::Id) {
        Ok(Some(Value::Id(id))) => Some(id),
        _ => None,
    }
}
