//! Statements on a PostgreSQL connection.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use isp_core::calendar::Date;
use isp_core::ports::{DamagedRow, StoreError};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Decode, Postgres, Row as _, Transaction, Type};
use uuid::Uuid;

use super::copy;
use super::wire::Wire;
use crate::error::{rejected, store_error};
use crate::invoice::EVER;
use crate::session::{Parked, Rows, Session};
use crate::table::{Table, named};
use crate::value::{Kind, RawRow, Value};

/// Arguments a statement; the protocol's limit is 65,535.
const MAX_ARGUMENTS: usize = 32_000;
/// From so many rows on, COPY is faster than an INSERT.
const COPY_FROM: usize = 50;
/// From so many rows on, a COPY into a table that is made for it is faster.
const STAGED_FROM: usize = 200;
/// From so many rows on, a statement gets a list for each column in place of an argument for each value.
const LISTED_FROM: usize = 3;
/// Where rows stand in a statement.
const VALUES: &str = "VALUES {rows}";
/// Rows that are held at once for an INSERT.
const INSERTED_AT_ONCE: usize = 1_000;

/// A transaction.
pub(super) struct PostgresSession {
    pub(super) transaction: Transaction<'static, Postgres>,
    pub(super) wire: Wire,
    pub(super) parked: Parked,
    /// Whether the tables lie on many nodes.
    pub(super) cluster: bool,
    /// Whether its user sees rows of one tenant at a time.
    pub(super) walled: bool,
    /// Whether its statements stay prepared: the server is this program's for longer than this transaction.
    pub(super) keeps: bool,
}

/// How rows get into a table.
enum Way {
    /// By COPY.
    Copy,
    /// By COPY into a table of this transaction, and from there: a wall between tenants refuses COPY.
    Staged,
    /// By INSERT.
    Insert,
}

impl PostgresSession {
    fn way(&self, rows: usize) -> Way {
        match (self.walled, self.cluster) {
            (false, _) if rows >= COPY_FROM => Way::Copy,
            // A cluster itself brings the rows of one table into another by a COPY, which the wall of each node refuses.
            (true, false) if rows >= STAGED_FROM => Way::Staged,
            _ => Way::Insert,
        }
    }

    async fn insert(&mut self, table: &'static Table, rows: &mut Rows<'_>) -> Result<(), StoreError> {
        let columns = table.columns.len();
        while rows.len() > 0 {
            let mut values = Vec::with_capacity(rows.len().min(INSERTED_AT_ONCE) * columns);
            rows.take(INSERTED_AT_ONCE, &mut values);
            self.execute_rows(&table.insert_sql(), Vec::new(), columns, values).await?;
        }
        Ok(())
    }

    /// Runs a statement over rows that come as a list for each column: its text is the same for any number of rows, so the server
    /// takes it apart once, and has a few arguments in place of thousands.
    async fn execute_listed(
        &mut self,
        sql: &str,
        args: Vec<Value>,
        columns: usize,
        rows: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let mut lists: Vec<List> = Vec::with_capacity(columns);
        for (at, value) in rows.into_iter().enumerate() {
            if at < columns {
                lists.push(List::of(&value)?);
            }
            lists[at % columns].push(value)?;
        }
        let names = lists.iter().zip(args.len() + 1..).map(|(list, at)| format!("${at}::{}[]", list.kind()));
        let text = sql.replace(VALUES, &format!("SELECT * FROM unnest({})", names.collect::<Vec<_>>().join(", ")));
        let mut arguments = bind(args)?;
        lists.into_iter().try_for_each(|list| list.bind(&mut arguments))?;
        self.run(sqlx::query_with(AssertSqlSafe(text), arguments).persistent(self.keeps)).await
    }

    /// How many rows a statement touched.
    async fn run(&mut self, query: sqlx::query::Query<'_, Postgres, PgArguments>) -> Result<u64, StoreError> {
        let connection = &mut *self.transaction;
        let done = async { query.execute(connection).await.map_err(store_error) };
        Ok(self.wire.answer(done).await?.rows_affected())
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, StoreError> {
        self.run(sqlx::query_with(AssertSqlSafe(dialect(sql, self.cluster)), bind(args)?).persistent(self.keeps)).await
    }

    async fn fetch(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Box<dyn RawRow>>, StoreError> {
        let query = sqlx::query_with(AssertSqlSafe(dialect(sql, self.cluster)), bind(args)?).persistent(self.keeps);
        let connection = &mut *self.transaction;
        let rows = self.wire.answer(async { query.fetch_all(connection).await.map_err(store_error) }).await?;
        Ok(rows.into_iter().map(|row| Box::new(Row(row)) as Box<dyn RawRow>).collect())
    }

    async fn execute_rows(
        &mut self,
        sql: &str,
        args: Vec<Value>,
        columns: usize,
        rows: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let sql = dialect(sql, self.cluster);
        if rows.len() / columns >= LISTED_FROM && !self.cluster && sql.contains(VALUES) {
            return self.execute_listed(&sql, args, columns, rows).await;
        }
        let at_once = (MAX_ARGUMENTS - args.len()) / columns;
        let mut touched = 0;
        let mut left = rows.len() / columns;
        let mut rows = rows.into_iter();
        while left > 0 {
            let now = left.min(at_once);
            left -= now;
            let text = with_rows(&sql, args.len() + 1, columns, now);
            let values = args.iter().cloned().chain(rows.by_ref().take(now * columns));
            // Odd sizes would fill the cache of prepared statements.
            let query = sqlx::query_with(AssertSqlSafe(text), bind(values)?).persistent(self.keeps && now <= 2);
            touched += self.run(query).await?;
        }
        Ok(touched)
    }

    /// As two arrays: a message and an allocation a row would cost more than reading the rows.
    async fn fetch_pairs(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        let sql = format!("SELECT array_agg(a), array_agg(b) FROM ({}) AS pairs", dialect(sql, self.cluster));
        let query = sqlx::query_with(AssertSqlSafe(sql), bind(args)?).persistent(self.keeps);
        let connection = &mut *self.transaction;
        let row = self.wire.answer(async { query.fetch_one(connection).await.map_err(store_error) }).await?;
        let row = Row(row);
        let [a, b] = [row.read::<Vec<Uuid>>(0)?, row.read::<Vec<Uuid>>(1)?].map(Option::unwrap_or_default);
        Ok(a.into_iter().zip(b).collect())
    }

    async fn append(&mut self, table: &'static Table, rows: &mut Rows<'_>) -> Result<(), StoreError> {
        let done = match self.way(rows.len()) {
            Way::Copy => self.wire.answer(copy::append(&mut self.transaction, table.name, table, rows)).await,
            Way::Staged => self.wire.answer(copy::append_staged(&mut self.transaction, table, rows)).await,
            Way::Insert => self.insert(table, rows).await,
        };
        done.map_err(|e| named(e, table))
    }

    async fn clock(&mut self) -> Result<DateTime<Utc>, StoreError> {
        let connection = &mut *self.transaction;
        let now = sqlx::query_scalar("SELECT clock_timestamp()").persistent(self.keeps).fetch_one(connection);
        self.wire.answer(async { now.await.map_err(store_error) }).await
    }

    fn park(&mut self, row: DamagedRow) {
        self.parked.add(row);
    }

    fn locks_meta(&self) -> bool {
        !self.cluster
    }

    fn lists_once(&self) -> bool {
        false
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { transaction, wire, .. } = *self;
        wire.answer(async { transaction.commit().await.map_err(store_error) }).await
    }
}

/// The values of a column.
enum List {
    Id(Vec<Option<Uuid>>),
    Int(Vec<Option<i64>>),
    Small(Vec<Option<i16>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Day(Vec<Option<NaiveDate>>),
    Moment(Vec<Option<DateTime<Utc>>>),
}

impl List {
    /// A list without values for a column of which this is one.
    fn of(value: &Value) -> Result<Self, StoreError> {
        Ok(match value {
            Value::Id(_) | Value::Null(Kind::Id) => Self::Id(Vec::new()),
            Value::Int(_) | Value::Null(Kind::Int) => Self::Int(Vec::new()),
            Value::Small(_) | Value::Null(Kind::Small) => Self::Small(Vec::new()),
            Value::Bool(_) | Value::Null(Kind::Bool) => Self::Bool(Vec::new()),
            Value::Text(_) | Value::Null(Kind::Text) => Self::Text(Vec::new()),
            Value::Bytes(_) | Value::Null(Kind::Bytes) => Self::Bytes(Vec::new()),
            Value::Day(_) | Value::Null(Kind::Day) => Self::Day(Vec::new()),
            Value::Moment(_) | Value::Null(Kind::Moment) => Self::Moment(Vec::new()),
            Value::Ids(_) | Value::Texts(_) => return Err(rejected("a list is no column")),
        })
    }

    /// The type of its values, as the server calls it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Id(_) => "uuid",
            Self::Int(_) => "bigint",
            Self::Small(_) => "smallint",
            Self::Bool(_) => "boolean",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytea",
            Self::Day(_) => "date",
            Self::Moment(_) => "timestamptz",
        }
    }

    fn push(&mut self, value: Value) -> Result<(), StoreError> {
        match (self, value) {
            (Self::Id(list), Value::Id(v)) => list.push(Some(v)),
            (Self::Id(list), Value::Null(_)) => list.push(None),
            (Self::Int(list), Value::Int(v)) => list.push(Some(v)),
            (Self::Int(list), Value::Null(_)) => list.push(None),
            (Self::Small(list), Value::Small(v)) => list.push(Some(v)),
            (Self::Small(list), Value::Null(_)) => list.push(None),
            (Self::Bool(list), Value::Bool(v)) => list.push(Some(v)),
            (Self::Bool(list), Value::Null(_)) => list.push(None),
            (Self::Text(list), Value::Text(v)) => list.push(Some(v)),
            (Self::Text(list), Value::Null(_)) => list.push(None),
            (Self::Bytes(list), Value::Bytes(v)) => list.push(Some(v)),
            (Self::Bytes(list), Value::Null(_)) => list.push(None),
            (Self::Day(list), Value::Day(v)) => list.push(Some(v.to_naive())),
            (Self::Day(list), Value::Null(_)) => list.push(None),
            (Self::Moment(list), Value::Moment(v)) => list.push(Some(v)),
            (Self::Moment(list), Value::Null(_)) => list.push(None),
            _ => return Err(rejected("a column has values of two kinds")),
        }
        Ok(())
    }

    fn bind(self, arguments: &mut PgArguments) -> Result<(), StoreError> {
        let added = match self {
            Self::Id(list) => arguments.add(list),
            Self::Int(list) => arguments.add(list),
            Self::Small(list) => arguments.add(list),
            Self::Bool(list) => arguments.add(list),
            Self::Text(list) => arguments.add(list),
            Self::Bytes(list) => arguments.add(list),
            Self::Day(list) => arguments.add(list),
            Self::Moment(list) => arguments.add(list),
        };
        added.map_err(|_| rejected("a value cannot be written"))
    }
}

/// Replaces `{rows}` by `($first, ...), (...)` with `rows` tuples of `columns` arguments.
pub(super) fn with_rows(sql: &str, first: usize, columns: usize, rows: usize) -> String {
    use std::fmt::Write as _;
    let mut list = String::with_capacity(rows * (columns * 6 + 4));
    for row in 0..rows {
        list.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(list, "{comma}${}", first + row * columns + column);
        }
        list.push(')');
    }
    sql.replace("{rows}", &list)
}

/// That an invoice `i` of the tenant `$1` is of any of the stretches of days in which the tenant has invoices: the index of a customer's
/// invoices begins with them. The server looks them up in that index first.
const OF_ANY_STRETCH: &str = "i.stretch = ANY(ARRAY(SELECT generate_series(
    (SELECT MIN(stretch) FROM invoices WHERE tenant_id = $1), (SELECT MAX(stretch) FROM invoices WHERE tenant_id = $1))))";

/// The same on a cluster, where a table below another one's condition may make a statement one for several shards: all stretches from
/// 1970 to 2199.
const OF_EACH_STRETCH: &str = "i.stretch = ANY(ARRAY(SELECT generate_series(-86, 571)))";

pub(super) fn dialect(sql: &str, cluster: bool) -> String {
    let ever = if cluster { OF_EACH_STRETCH } else { OF_ANY_STRETCH };
    sql.replace("IN IDS((", "= ANY((").replace("IN TEXTS((", "= ANY((").replace(EVER, ever)
}

pub(super) fn bind(values: impl IntoIterator<Item = Value>) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Null(kind) => match kind {
                Kind::Id => arguments.add(None::<Uuid>),
                Kind::Int => arguments.add(None::<i64>),
                Kind::Small => arguments.add(None::<i16>),
                Kind::Bool => arguments.add(None::<bool>),
                Kind::Text => arguments.add(None::<String>),
                Kind::Bytes => arguments.add(None::<Vec<u8>>),
                Kind::Day => arguments.add(None::<NaiveDate>),
                Kind::Moment => arguments.add(None::<DateTime<Utc>>),
            },
            Value::Id(id) => arguments.add(id),
            Value::Int(v) => arguments.add(v),
            Value::Small(v) => arguments.add(v),
            Value::Bool(v) => arguments.add(v),
            Value::Text(v) => arguments.add(v),
            Value::Bytes(v) => arguments.add(v),
            Value::Day(v) => arguments.add(v.to_naive()),
            Value::Moment(v) => arguments.add(v),
            Value::Texts(texts) => arguments.add(texts),
            Value::Ids(ids) => arguments.add(ids),
        };
        added.map_err(|_| rejected("a value cannot be written"))?;
    }
    Ok(arguments)
}

struct Row(PgRow);

impl Row {
    fn read<'r, T: Decode<'r, Postgres> + Type<Postgres>>(&'r self, index: usize) -> Result<Option<T>, StoreError> {
        self.0.try_get::<Option<T>, _>(index).map_err(store_error)
    }
}

impl RawRow for Row {
    fn value(&self, index: usize, kind: Kind) -> Result<Option<Value>, StoreError> {
        Ok(match kind {
            Kind::Id => self.read::<Uuid>(index)?.map(Value::Id),
            Kind::Int => self.read::<i64>(index)?.map(Value::Int),
            Kind::Small => self.read::<i16>(index)?.map(Value::Small),
            Kind::Bool => self.read::<bool>(index)?.map(Value::Bool),
            Kind::Text => self.read::<String>(index)?.map(Value::Text),
            Kind::Bytes => self.read::<Vec<u8>>(index)?.map(Value::Bytes),
            Kind::Day => self.read::<NaiveDate>(index)?.map(|v| Value::Day(Date::from_naive(v))),
            Kind::Moment => self.read::<DateTime<Utc>>(index)?.map(Value::Moment),
        })
    }
}
