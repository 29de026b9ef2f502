//! Statements on a SQLite connection.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::calendar::Date;
use isp_core::ports::{DamagedRow, StoreError};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Decode, Row as _, Sqlite, Transaction, Type};
use uuid::Uuid;

use crate::error::{rejected, store_error};
use crate::invoice::EVER;
use crate::session::{Parked, Rows, Session};
use crate::table::{Table, named};
use crate::value::{Kind, RawRow, Value};

/// SQLite's limit of arguments a statement, of which some are left for those that are not rows.
const MAX_ARGUMENTS: usize = 32_000;
/// Rows a prepared insert: more gain nothing, because the cost of a statement is spread by then.
const APPEND_ROWS: usize = 64;

/// A transaction.
pub(super) struct SqliteSession(pub(super) Transaction<'static, Sqlite>, pub(super) Parked);

#[async_trait]
impl Session for SqliteSession {
    async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, StoreError> {
        let done = sqlx::query_with(AssertSqlSafe(dialect(sql)), bind(args)?).execute(&mut *self.0).await;
        Ok(done.map_err(store_error)?.rows_affected())
    }

    async fn fetch(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Box<dyn RawRow>>, StoreError> {
        let rows = sqlx::query_with(AssertSqlSafe(dialect(sql)), bind(args)?).fetch_all(&mut *self.0).await;
        Ok(rows.map_err(store_error)?.into_iter().map(|row| Box::new(Row(row)) as Box<dyn RawRow>).collect())
    }

    async fn execute_rows(
        &mut self,
        sql: &str,
        args: Vec<Value>,
        columns: usize,
        rows: Vec<Value>,
    ) -> Result<u64, StoreError> {
        self.chunks(&dialect(sql), &args, columns, rows, (MAX_ARGUMENTS - args.len()) / columns).await
    }

    /// As one text: a message from the thread of the database for each row would cost more than reading it.
    async fn fetch_pairs(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        let sql = format!("SELECT group_concat(hex(a) || hex(b), '') FROM ({}) AS pairs", dialect(sql));
        let text = sqlx::query_scalar_with(AssertSqlSafe(sql), bind(args)?).fetch_one(&mut *self.0);
        let text: Option<String> = text.await.map_err(store_error)?;
        let id = |digits: &[u8]| Uuid::try_parse_ascii(digits).map_err(|_| rejected("a key is no id"));
        let pairs = text.as_deref().unwrap_or_default().as_bytes().chunks(64);
        pairs.map(|pair| Ok((id(&pair[..pair.len() / 2])?, id(&pair[pair.len() / 2..])?))).collect()
    }

    async fn append(&mut self, table: &'static Table, rows: &mut Rows<'_>) -> Result<(), StoreError> {
        let columns = table.columns.len();
        let sql = table.insert_sql();
        let (mut text, mut prepared): (Arc<str>, usize) = (Arc::from(""), 0);
        let mut values = Vec::with_capacity(APPEND_ROWS * columns);
        loop {
            let now = rows.take(APPEND_ROWS, &mut values);
            if now == 0 {
                return Ok(());
            }
            if now != prepared {
                text = anonymous(&sql, columns, now).into();
                prepared = now;
            }
            // Odd sizes would fill the cache of prepared statements.
            let keep = now == APPEND_ROWS || now <= 2;
            let query = sqlx::query_with(AssertSqlSafe(Arc::clone(&text)), bind(values.drain(..))?).persistent(keep);
            query.execute(&mut *self.0).await.map_err(|e| named(store_error(e), table))?;
        }
    }

    /// That of this machine, which every process that has the file open shares.
    async fn clock(&mut self) -> Result<DateTime<Utc>, StoreError> {
        let sql = "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)";
        let micros: i64 = sqlx::query_scalar(sql).fetch_one(&mut *self.0).await.map_err(store_error)?;
        DateTime::from_timestamp_micros(micros).ok_or_else(|| rejected("the clock cannot be read"))
    }

    fn park(&mut self, row: DamagedRow) {
        self.1.add(row);
    }

    fn lists_once(&self) -> bool {
        true
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.0.commit().await.map_err(store_error)
    }
}

impl SqliteSession {
    async fn chunks(
        &mut self,
        sql: &str,
        args: &[Value],
        columns: usize,
        rows: Vec<Value>,
        at_once: usize,
    ) -> Result<u64, StoreError> {
        let mut touched = 0;
        let mut left = rows.len() / columns;
        let mut rows = rows.into_iter();
        let (mut text, mut prepared): (Arc<str>, usize) = (Arc::from(""), 0);
        while left > 0 {
            let now = left.min(at_once);
            left -= now;
            if now != prepared {
                text = anonymous(sql, columns, now).into();
                prepared = now;
            }
            let values = in_order(sql, args, rows.by_ref().take(now * columns));
            // Odd sizes would fill the cache of prepared statements.
            let keep = now == APPEND_ROWS || now <= 2;
            let query = sqlx::query_with(AssertSqlSafe(Arc::clone(&text)), bind(values)?).persistent(keep);
            touched += query.execute(&mut *self.0).await.map_err(store_error)?.rows_affected();
        }
        Ok(touched)
    }
}

/// The statement with `?` for every argument: SQLite looks a numbered one up among all others each time it is bound,
/// which is the square of their number.
fn anonymous(sql: &str, columns: usize, rows: usize) -> String {
    let tuple = format!("({})", vec!["?"; columns].join(", "));
    let mut text = String::with_capacity(sql.len() + rows * (tuple.len() + 2));
    for part in Part::of(sql) {
        match part {
            Part::Text(words) => text.push_str(words),
            Part::Argument(_) => text.push('?'),
            Part::Rows => text.push_str(&vec![tuple.as_str(); rows].join(", ")),
        }
    }
    text
}

/// The values in the order in which [`anonymous`] names them.
fn in_order(sql: &str, args: &[Value], rows: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut rows = Some(rows);
    let mut values = Vec::new();
    for part in Part::of(sql) {
        match part {
            Part::Text(_) => {}
            Part::Argument(number) => values.extend(args.get(number - 1).cloned()),
            Part::Rows => values.extend(rows.take().into_iter().flatten()),
        }
    }
    values
}

/// A piece of a statement over many rows.
enum Part<'s> {
    Text(&'s str),
    /// `$n`, from 1.
    Argument(usize),
    /// `{rows}`.
    Rows,
}

impl<'s> Part<'s> {
    fn of(sql: &'s str) -> impl Iterator<Item = Self> {
        let mut rest = sql;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            if let Some(after) = rest.strip_prefix("{rows}") {
                rest = after;
                return Some(Part::Rows);
            }
            if let Some(after) = rest.strip_prefix('$') {
                let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let (number, after) = after.split_at(digits);
                rest = after;
                return Some(Part::Argument(number.parse().unwrap_or(1)));
            }
            let (text, after) = rest.split_at(rest.find(['$', '{']).unwrap_or(rest.len()));
            rest = after;
            Some(Part::Text(text))
        })
    }
}

/// Turns a statement over into SQLite's words.
fn dialect(sql: &str) -> String {
    sql.replace("IN IDS((", "IN (SELECT unhex(value) FROM json_each(")
        .replace("IN TEXTS((", "IN (SELECT value FROM json_each(")
        .replace(" COLLATE \"C\"", "")
        .replace(" FOR UPDATE SKIP LOCKED", "")
        .replace(" FOR UPDATE", "")
        .replace(" FOR SHARE", "")
        .replace(EVER, "TRUE")
}

fn bind(values: impl IntoIterator<Item = Value>) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::Null(_) => arguments.add(None::<i64>),
            Value::Id(id) => arguments.add(id),
            Value::Int(v) => arguments.add(v),
            Value::Small(v) => arguments.add(i64::from(v)),
            Value::Bool(v) => arguments.add(v),
            Value::Text(v) => arguments.add(v),
            Value::Bytes(v) => arguments.add(v),
            Value::Day(v) => arguments.add(i64::from(v.day_number())),
            Value::Moment(v) => arguments.add(v.timestamp_micros()),
            Value::Ids(ids) => arguments.add(hex_list(&ids)),
            Value::Texts(texts) => arguments.add(serde_json::Value::from(texts).to_string()),
        };
        added.map_err(|_| rejected("a value cannot be written"))?;
    }
    Ok(arguments)
}

/// A JSON array of hex texts, as SQLite takes a list in one argument.
fn hex_list(ids: &[Uuid]) -> String {
    let mut text = String::with_capacity(ids.len() * 35 + 2);
    text.push('[');
    for (i, id) in ids.iter().enumerate() {
        text.push_str(if i == 0 { "\"" } else { ",\"" });
        text.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        text.push('"');
    }
    text.push(']');
    text
}

struct Row(SqliteRow);

impl Row {
    fn read<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(&'r self, index: usize) -> Result<Option<T>, StoreError> {
        self.0.try_get::<Option<T>, _>(index).map_err(store_error)
    }
}

impl RawRow for Row {
    fn value(&self, index: usize, kind: Kind) -> Result<Option<Value>, StoreError> {
        let out_of_range =
            || StoreError::Corrupt { what: "row", reason: format!("column {} is out of range", index + 1) };
        Ok(match kind {
            Kind::Id => self.read::<Uuid>(index)?.map(Value::Id),
            Kind::Int => self.read::<i64>(index)?.map(Value::Int),
            Kind::Small => self
                .read::<i64>(index)?
                .map(|v| i16::try_from(v).map(Value::Small))
                .transpose()
                .map_err(|_| out_of_range())?,
            Kind::Bool => self.read::<i64>(index)?.map(|v| Value::Bool(v != 0)),
            Kind::Text => self.read::<String>(index)?.map(Value::Text),
            Kind::Bytes => self.read::<Vec<u8>>(index)?.map(Value::Bytes),
            Kind::Day => self
                .read::<i64>(index)?
                .map(|v| i32::try_from(v).map(|v| Value::Day(Date::from_day_number(v))))
                .transpose()
                .map_err(|_| out_of_range())?,
            Kind::Moment => self
                .read::<i64>(index)?
                .map(|v| DateTime::<Utc>::from_timestamp_micros(v).map(Value::Moment).ok_or_else(out_of_range))
                .transpose()?,
        })
    }
}
