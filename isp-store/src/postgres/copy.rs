//! Rows by binary COPY: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use isp_core::ports::StoreError;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::error::{rejected, store_error};
use crate::session::Rows;
use crate::table::Table;
use crate::value::Value;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// Bytes a message: large enough that its cost is nothing, small enough that the server works while we encode.
const MESSAGE: usize = 128 * 1024;
/// Days from 1970-01-01 to 2000-01-01, where PostgreSQL's dates begin.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// Copies rows into a table by way of one that is this transaction's own: COPY is refused where rows of one tenant at a time can
/// be seen, and each row of an INSERT is looked at.
pub(super) async fn append_staged(
    connection: &mut PgConnection,
    table: &Table,
    rows: &mut Rows<'_>,
) -> Result<(), StoreError> {
    let (name, columns) = (table.name, table.columns.join(", "));
    let staged = format!("pg_temp.staged_{name}");
    let make =
        format!("CREATE TEMPORARY TABLE staged_{name} ON COMMIT DROP AS SELECT {columns} FROM {name} WITH NO DATA");
    connection.execute(AssertSqlSafe(make)).await.map_err(store_error)?;
    append(connection, &staged, table, rows).await?;
    let bring = format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {staged}");
    connection.execute(AssertSqlSafe(bring)).await.map_err(store_error)?;
    // The same table may come once more in this transaction.
    connection.execute(AssertSqlSafe(format!("DROP TABLE {staged}"))).await.map_err(store_error).map(drop)
}

/// Copies rows into a table of a name, which has the columns of `table`.
pub(super) async fn append(
    connection: &mut PgConnection,
    name: &str,
    table: &Table,
    rows: &mut Rows<'_>,
) -> Result<(), StoreError> {
    let sql = format!("COPY {name} ({}) FROM STDIN (FORMAT binary)", table.columns.join(", "));
    let columns = i16::try_from(table.columns.len()).map_err(|_| rejected("a table has too many columns"))?;
    let mut copy = connection.copy_in_raw(&sql).await.map_err(store_error)?;
    let mut buffer = Vec::with_capacity(MESSAGE + 4096);
    buffer.extend_from_slice(HEADER);
    let mut row = Vec::with_capacity(table.columns.len());
    while rows.take(1, &mut row) > 0 {
        buffer.extend_from_slice(&columns.to_be_bytes());
        for value in row.drain(..) {
            if let Err(error) = field(&value, &mut buffer) {
                copy.abort("a value cannot be written").await.map_err(store_error)?;
                return Err(error);
            }
        }
        if buffer.len() >= MESSAGE {
            copy.send(buffer.as_slice()).await.map_err(store_error)?;
            buffer.clear();
        }
    }
    buffer.extend_from_slice(&TRAILER);
    copy.send(buffer.as_slice()).await.map_err(store_error)?;
    copy.finish().await.map_err(store_error).map(drop)
}

fn field(value: &Value, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
    match value {
        Value::Null(_) => buffer.extend_from_slice(&(-1_i32).to_be_bytes()),
        Value::Id(id) => sized(id.as_bytes(), buffer)?,
        Value::Int(v) => sized(&v.to_be_bytes(), buffer)?,
        Value::Small(v) => sized(&v.to_be_bytes(), buffer)?,
        Value::Bool(v) => sized(&[u8::from(*v)], buffer)?,
        Value::Text(v) => sized(v.as_bytes(), buffer)?,
        Value::Bytes(v) => sized(v, buffer)?,
        Value::Day(v) => sized(&(v.day_number() - EPOCH_DAYS).to_be_bytes(), buffer)?,
        Value::Moment(v) => sized(&(v.timestamp_micros() - EPOCH_MICROS).to_be_bytes(), buffer)?,
        Value::Ids(_) | Value::Texts(_) => return Err(rejected("a list is no column")),
    }
    Ok(())
}

fn sized(bytes: &[u8], buffer: &mut Vec<u8>) -> Result<(), StoreError> {
    let length = i32::try_from(bytes.len()).map_err(|_| rejected("a value is too long"))?;
    buffer.extend_from_slice(&length.to_be_bytes());
    buffer.extend_from_slice(bytes);
    Ok(())
}
