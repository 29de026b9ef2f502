//! PostgreSQL and MySQL (or MariaDB) behind one face: statements are written once, with `?` for each value.
//!
//! A list of values stands as `IN ?`. Ids are `uuid` in PostgreSQL and text in MySQL.

use std::str::FromStr as _;
use std::time::Duration;

use isp_core::Secret;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlPoolOptions, MySqlRow, MySqlSslMode};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, Executor as _, MySql, MySqlConnection, PgConnection, Postgres, Row as _};
use uuid::Uuid;

use crate::problem::Problem;

const CONNECTIONS: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(10);

/// A database by its address, through a few connections.
#[derive(Clone)]
pub(crate) enum Database {
    Postgres(sqlx::PgPool),
    Mysql(sqlx::MySqlPool),
}

/// A connection that goes back afterwards.
pub(crate) enum Lent {
    Postgres(PoolConnection<Postgres>),
    Mysql(PoolConnection<MySql>),
}

/// A transaction; it is undone when it is dropped.
pub(crate) enum Transaction {
    Postgres(sqlx::Transaction<'static, Postgres>),
    Mysql(sqlx::Transaction<'static, MySql>),
}

/// What statements run on.
pub(crate) enum Connection<'c> {
    Postgres(&'c mut PgConnection),
    Mysql(&'c mut MySqlConnection),
}

/// A value of a statement.
pub(crate) enum Value<'a> {
    Text(&'a str),
    List(Vec<&'a str>),
    Flag(bool),
    Number(i64),
    Id(Uuid),
}

/// A row of an answer; columns are counted from 0.
pub(crate) enum Row {
    Postgres(PgRow),
    Mysql(MySqlRow),
}

impl Database {
    /// Names the database without calling it; the first question does. Without a word about TLS in the address, a server that
    /// is not on this machine must prove who it is.
    pub(crate) fn at(url: &Secret) -> Result<Self, Problem> {
        let is = |schemes: [&str; 2]| schemes.iter().any(|scheme| url.reveal().starts_with(scheme));
        let here = |host: &str| host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host);
        if is(["postgres://", "postgresql://"]) {
            let mut options = PgConnectOptions::from_str(url.reveal()).map_err(|_| Problem::Database)?;
            let near = options.get_socket().is_some() || here(options.get_host());
            if !near && !url.reveal().contains("sslmode=") {
                options = options.ssl_mode(PgSslMode::VerifyFull);
            }
            let limits = [("lock_timeout", "5s"), ("statement_timeout", "30s")];
            let options = options.application_name("isp-radius").options(limits);
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
            return Ok(Self::Postgres(pool.connect_lazy_with(options)));
        }
        if !is(["mysql://", "mariadb://"]) {
            return Err(Problem::Database);
        }
        let mut options = MySqlConnectOptions::from_str(url.reveal()).map_err(|_| Problem::Database)?;
        let near = options.get_socket().is_some() || here(options.get_host());
        if !near && !["sslmode=", "ssl-mode="].iter().any(|key| url.reveal().contains(key)) {
            options = options.ssl_mode(MySqlSslMode::VerifyIdentity);
        }
        let pool = MySqlPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
        let pool = pool.after_connect(|connection, _| {
            Box::pin(async move {
                // What is too long for a column is an error, and not cut off.
                let limits = "SET SESSION innodb_lock_wait_timeout = 5, \
                              sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')";
                connection.execute(limits).await?;
                // MariaDB has the one, MySQL the other.
                if connection.execute("SET SESSION max_statement_time = 30").await.is_err() {
                    connection.execute("SET SESSION max_execution_time = 30000").await?;
                }
                Ok(())
            })
        });
        Ok(Self::Mysql(pool.connect_lazy_with(options)))
    }

    pub(crate) async fn lend(&self) -> Result<Lent, sqlx::Error> {
        Ok(match self {
            Self::Postgres(pool) => Lent::Postgres(pool.acquire().await?),
            Self::Mysql(pool) => Lent::Mysql(pool.acquire().await?),
        })
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        Ok(match self {
            Self::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
            Self::Mysql(pool) => Transaction::Mysql(pool.begin().await?),
        })
    }

    /// A name as the database compares it: the tables of FreeRADIUS in MySQL do not tell `Budi` from `budi`.
    pub(crate) fn folded(&self, name: &str) -> String {
        match self {
            Self::Postgres(_) => name.to_owned(),
            Self::Mysql(_) => name.to_lowercase(),
        }
    }
}

impl Lent {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Postgres(lent) => Connection::Postgres(lent),
            Self::Mysql(lent) => Connection::Mysql(lent),
        }
    }
}

impl Transaction {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Postgres(transaction) => Connection::Postgres(transaction),
            Self::Mysql(transaction) => Connection::Mysql(transaction),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(transaction) => transaction.commit().await,
            Self::Mysql(transaction) => transaction.commit().await,
        }
    }
}

/// Gives each value of a statement to a query of either database.
macro_rules! bound {
    ($query:expr, $values:expr, $list:expr, $id:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Text(text) => query.bind(*text),
                Value::Flag(flag) => query.bind(*flag),
                Value::Number(number) => query.bind(*number),
                Value::List(list) => $list(query, list),
                Value::Id(id) => $id(query, *id),
            };
        }
        query
    }};
}

impl Connection<'_> {
    /// Runs a statement.
    pub(crate) async fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<(), sqlx::Error> {
        self.rows(sql, values).await.map(drop)
    }

    /// Asks a question.
    pub(crate) async fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Postgres(connection) => {
                let query = sqlx::query(AssertSqlSafe(numbered(sql, values)));
                let list = |query: sqlx::query::Query<'static, Postgres, _>, list: &Vec<&str>| query.bind(list.clone());
                let id = |query: sqlx::query::Query<'static, Postgres, _>, id: Uuid| query.bind(id);
                let rows = bound!(query, values, list, id).fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
            Self::Mysql(connection) => {
                let query = sqlx::query(AssertSqlSafe(spread(sql, values)));
                let list = |mut query: sqlx::query::Query<'static, MySql, _>, list: &Vec<&str>| {
                    for value in list {
                        query = query.bind((*value).to_owned());
                    }
                    query
                };
                let id = |query: sqlx::query::Query<'static, MySql, _>, id: Uuid| query.bind(id.to_string());
                let rows = bound!(query, values, list, id).fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(Row::Mysql).collect())
            }
        }
    }
}

/// A statement for PostgreSQL: numbers for values, an array for a list.
fn numbered(sql: &str, values: &[Value<'_>]) -> String {
    let mut pieces = sql.split('?');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for (number, (piece, value)) in (1..).zip(pieces.zip(values)) {
        match (value, text.strip_suffix("IN ")) {
            (Value::List(_), Some(before)) => text = format!("{before}= ANY(${number})"),
            _ => text.push_str(&format!("${number}")),
        }
        text.push_str(piece);
    }
    text
}

/// A statement for MySQL: one `?` for each value of a list.
fn spread(sql: &str, values: &[Value<'_>]) -> String {
    let mut pieces = sql.split('?');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for (piece, value) in pieces.zip(values) {
        match value {
            Value::List(list) if list.is_empty() => text.push_str("(NULL)"),
            Value::List(list) => text.push_str(&format!("({})", vec!["?"; list.len()].join(", "))),
            _ => text.push('?'),
        }
        text.push_str(piece);
    }
    text
}

impl Row {
    pub(crate) fn text(&self, column: usize) -> Result<String, sqlx::Error> {
        match self {
            Self::Postgres(row) => row.try_get(column),
            // Who wanted capital letters told apart may have made the column a binary one.
            Self::Mysql(row) => row.try_get(column).or_else(|_| {
                let bytes: Vec<u8> = row.try_get(column)?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }),
        }
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool, sqlx::Error> {
        match self {
            Self::Postgres(row) => row.try_get(column),
            Self::Mysql(row) => row.try_get(column),
        }
    }

    pub(crate) fn number(&self, column: usize) -> Result<i64, sqlx::Error> {
        match self {
            Self::Postgres(row) => row.try_get(column),
            Self::Mysql(row) => row.try_get(column),
        }
    }

    pub(crate) fn id(&self, column: usize) -> Result<Uuid, sqlx::Error> {
        match self {
            Self::Postgres(row) => row.try_get(column),
            Self::Mysql(row) => {
                let text: String = row.try_get(column)?;
                Uuid::parse_str(&text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
            }
        }
    }
}

/// What a person has to set right; `None` for what may go away by itself.
pub(crate) fn problem(error: &sqlx::Error) -> Option<Problem> {
    let sqlx::Error::Database(database) = error else { return None };
    if let Some(mysql) = database.try_downcast_ref::<MySqlDatabaseError>() {
        return match mysql.number() {
            1_146 | 1_054 => Some(Problem::Schema),
            1_044 | 1_142 | 1_143 | 1_227 => Some(Problem::Rights),
            1_045 | 1_698 => Some(Problem::Login),
            1_049 => Some(Problem::Database),
            1_406 => Some(Problem::TooLong),
            1_366 => Some(Problem::Signs),
            _ => None,
        };
    }
    match database.code()?.as_ref() {
        "42P01" | "42703" => Some(Problem::Schema),
        "42501" => Some(Problem::Rights),
        "28P01" | "28000" => Some(Problem::Login),
        "3D000" => Some(Problem::Database),
        "22001" => Some(Problem::TooLong),
        "22021" | "22P05" => Some(Problem::Signs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_written_once_for_both() {
        let sql = "DELETE FROM radcheck WHERE username = ? AND attribute IN ? AND op = ?";
        let of = |list| [Value::Text("budi"), Value::List(list), Value::Text(":=")];
        let two = of(vec!["Auth-Type", "Expiration"]);
        assert_eq!(numbered(sql, &two), "DELETE FROM radcheck WHERE username = $1 AND attribute = ANY($2) AND op = $3");
        assert_eq!(spread(sql, &two), "DELETE FROM radcheck WHERE username = ? AND attribute IN (?, ?) AND op = ?");
        // Nothing is in an empty list, in either.
        assert!(spread(sql, &of(Vec::new())).contains("attribute IN (NULL)"));
    }
}
