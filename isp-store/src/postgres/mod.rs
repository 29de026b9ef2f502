//! PostgreSQL: many processes, many tenants.

mod copy;
#[cfg(test)]
mod crossing;
mod session;
mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _};

use crate::error::{rejected, store_error, unavailable};
use crate::moves;
use crate::session::{Engine, Parked, Session, Whose, begin, begin_with};
use crate::wall::{self, Gap};
use session::PostgresSession;
use wire::{ASKS, SILENT, Wire};

/// How long a caller waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a statement waits for rows that another transaction holds: one that somebody forgot would be waited for
/// without end.
pub(crate) const LOCK_TIMEOUT: &str = "15s";
/// How long a statement may take; the longest of a run takes seconds.
const STATEMENT_TIMEOUT: &str = "10min";
/// How long a transaction of ours may stay open while nothing comes from us: a process that was stopped in one holds
/// everybody else's commits up.
const IDLE_TIMEOUT: &str = "1min";
/// Connections at once.
const CONNECTIONS: u32 = 8;
/// Statements kept prepared by a connection.
const STATEMENTS: usize = 256;
/// A setting that only says that the settings of a connection have arrived. A pooler that lends a server for one transaction at a time
/// leaves them out.
const ARRIVED: &str = "isp.settings";
/// Why tables are not changed behind such a pooler.
const BEHIND_POOLER: &str = "a pooler hands each transaction to another server; name the server itself in the database URL for what changes tables";
/// The settings of every connection.
const SETTINGS: [(&str, &str); 4] = [
    ("lock_timeout", LOCK_TIMEOUT),
    ("statement_timeout", STATEMENT_TIMEOUT),
    ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
    // A plan made without its arrays compares each row with each of thousands of ids one by one where it does not choose
    // the index; one made with them looks them up by hash.
    ("plan_cache_mode", "force_custom_plan"),
];

/// A PostgreSQL database.
pub(crate) struct Postgres {
    pool: PgPool,
    wire: Wire,
    parked: Parked,
    /// Whether the tables lie on many nodes.
    cluster: bool,
    /// Whether its user sees rows of one tenant at a time.
    walled: bool,
    /// Whether a pooler lends a server for one transaction at a time: no statement stays prepared, and each transaction says its settings.
    pooled: bool,
}

impl Postgres {
    /// Opens a database.
    pub(crate) async fn open(options: PgConnectOptions) -> Result<Self, StoreError> {
        let wire = Wire::new(options);
        let of_pool = wire.clone();
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_release(move |_, _| {
                let sound = of_pool.is_sound();
                // Not `Ok(false)`: that one would say goodbye first.
                Box::pin(async move { if sound { Ok(true) } else { Err(sqlx::Error::WorkerCrashed) } })
            })
            .connect_with(wire.named())
            .await
            .map_err(store_error)?;
        let asked = async {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus'), {},
                    current_setting('{ARRIVED}', TRUE) IS NULL",
                wall::STANDS_BEHIND
            );
            // As one message: whoever pools transactions may hand the next one to another server.
            let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&pool).await.map_err(store_error)?;
            let said = |at| row.try_get::<bool, _>(at).map_err(store_error);
            Ok((said(0)?, said(1)?, said(2)?))
        };
        let (cluster, walled, pooled) = wire.answer(asked).await?;
        Ok(Self { pool, wire, parked: Parked::default(), cluster, walled, pooled })
    }

    async fn begin(&self, statement: &'static str, whose: Whose, writes: bool) -> Result<Box<dyn Session>, StoreError> {
        self.wire.not_silent()?;
        let (pool, wire) = (self.pool.clone(), self.wire.clone());
        let mut said = if self.pooled { said_again() } else { Vec::new() };
        if let (Whose::One(tenant), true) = (whose, self.walled) {
            said.extend(wall::settings(tenant, self.cluster));
        }
        // A tenant is not moved out of a cluster.
        let written =
            if let (Whose::One(tenant), false, true) = (whose, self.cluster, writes) { Some(tenant) } else { None };
        if let Some(tenant) = written {
            let (lock, _) = moves::locks(tenant);
            said.push(format!("SELECT pg_advisory_xact_lock_shared({lock})"));
        }
        let (cluster, keeps) = (self.cluster, !self.pooled);
        let begun = begin(async move {
            wire.answer(async {
                if !cluster {
                    // As one message: it costs no other way to the server and back.
                    let whole = said.iter().fold(statement.to_owned(), |whole, also| whole + "; " + also);
                    let mut transaction = begin_with(&pool, AssertSqlSafe(whole)).await?;
                    if let Some(tenant) = written {
                        at_home(&mut transaction, tenant, keeps).await?;
                    }
                    return Ok(transaction);
                }
                let mut transaction = begin_with(&pool, statement).await?;
                for also in said {
                    transaction.execute(AssertSqlSafe(also)).await.map_err(store_error)?;
                }
                Ok(transaction)
            })
            .await
        });
        let transaction = begun.await?;
        let (wire, parked) = (self.wire.clone(), self.parked.clone());
        let (cluster, walled, keeps) = (self.cluster, self.walled, !self.pooled);
        Ok(Box::new(PostgresSession { transaction, wire, parked, cluster, walled, keeps }))
    }
}

/// What a transaction says first behind a pooler, instead of the connection.
fn said_again() -> Vec<String> {
    SETTINGS.iter().map(|(name, value)| format!("SET LOCAL {name} TO '{value}'")).collect()
}

/// Fails behind a pooler that lends a server for one transaction at a time: whoever changes tables holds a lock for longer.
pub(crate) async fn refuse_pooler(connection: &mut PgConnection) -> Result<(), StoreError> {
    let sql = format!("SELECT current_setting('{ARRIVED}', TRUE) IS NULL");
    let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(store_error)?;
    match row.try_get(0).map_err(store_error)? {
        true => Err(rejected(BEHIND_POOLER)),
        false => Ok(()),
    }
}

/// Refuses to write for a tenant that goes to another database, went there, or has not arrived yet. The transaction holds the lock
/// that whoever moves the tenant waits for, so what is read here holds until it ends.
async fn at_home(connection: &mut PgConnection, tenant: TenantId, keeps: bool) -> Result<(), StoreError> {
    let sql = "SELECT state, other FROM moves WHERE tenant_id = $1";
    let asked = sqlx::query_as(sql).bind(tenant.0).persistent(keeps).fetch_optional(connection);
    let found: Option<(String, String)> = asked.await.map_err(store_error)?;
    found.map_or(Ok(()), |(state, other)| Err(moves::refusal(&state, other)))
}

/// Opens a connection, or gives up after a while: a machine that drops packets would be waited for without end.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    match tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(options)).await {
        Ok(connection) => connection.map_err(store_error),
        Err(_) => Err(unavailable("no connection within 30 seconds")),
    }
}

/// Asks a connection of its own something that takes no time, in one transaction, and gives up after a while. What it asks is not
/// kept prepared (`persistent(false)`): behind a pooler the server is the next one's afterwards.
pub(crate) async fn briefly<T>(
    options: &PgConnectOptions,
    ask: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut connection = connect(options).await?;
    let asked = async {
        let mut transaction = connection.begin().await.map_err(store_error)?;
        let answer = ask(&mut transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        connection.close().await.map_err(store_error)?;
        Ok(answer)
    };
    tokio::time::timeout(ACQUIRE_TIMEOUT, asked).await.unwrap_or_else(|_| Err(unavailable(SILENT)))
}

/// The options of every connection.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = url.parse().map_err(store_error)?;
    has_its_certificate(url)?;
    let options = if chooses_encryption(url) || is_local(&options) {
        options
    } else {
        // The driver would ask for TLS and, when the server has none, send the password all the same.
        options.ssl_mode(PgSslMode::VerifyFull)
    };
    let options = options.options(SETTINGS).options([(ARRIVED, "on")]);
    Ok(options.application_name(ASKS).statement_cache_capacity(STATEMENTS).disable_statement_logging())
}

/// Refuses a certificate file that is not there: the driver says of it only that something is missing.
fn has_its_certificate(url: &str) -> Result<(), StoreError> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let named =
        query.split('&').find_map(|pair| pair.strip_prefix("sslrootcert=").or(pair.strip_prefix("ssl-root-cert=")));
    let named = named.map(str::to_owned).or_else(|| std::env::var("PGSSLROOTCERT").ok());
    match named {
        // The URL may also hold the certificate itself, or a path with escaped signs.
        Some(path)
            if !path.contains(['%', '\n']) && !path.starts_with('-') && !std::path::Path::new(&path).is_file() =>
        {
            Err(StoreError::Tls { reason: "the certificate file of sslrootcert is not there".to_owned() })
        }
        _ => Ok(()),
    }
}

/// True when the URL or the environment says how the connection is to be encrypted.
fn chooses_encryption(url: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let named = query.split('&').any(|pair| matches!(pair.split('=').next(), Some("sslmode" | "ssl-mode")));
    named || std::env::var_os("PGSSLMODE").is_some()
}

/// True for a socket and for this machine itself: nobody listens in between.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    options.get_socket().is_some() || host.starts_with('/') || host == "localhost" || loopback
}

#[async_trait]
impl Engine for Postgres {
    async fn begin_read(&self, whose: Whose) -> Result<Box<dyn Session>, StoreError> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", whose, false).await
    }

    async fn begin_write(&self, whose: Whose) -> Result<Box<dyn Session>, StoreError> {
        self.begin("BEGIN", whose, true).await
    }

    fn sees_all(&self) -> bool {
        !self.walled
    }

    async fn wall(&self) -> Result<Vec<Gap>, StoreError> {
        self.wire.answer(async { wall::gaps(&self.pool).await }).await
    }

    fn connections(&self) -> (u64, u64) {
        let idle = self.pool.num_idle() as u64;
        (u64::from(self.pool.size()).saturating_sub(idle), idle)
    }

    fn parked(&self) -> &Parked {
        &self.parked
    }

    async fn objects(&self) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT CASE WHEN relkind IN ('r', 'p') THEN 'table ' ELSE 'index ' END || relname FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'i', 'I')";
        let names = async {
            let rows = sqlx::raw_sql(sql).fetch_all(&self.pool).await.map_err(store_error)?;
            rows.iter().map(|row| row.try_get::<String, _>(0).map_err(store_error)).collect()
        };
        self.wire.answer(names).await
    }

    async fn close(&self) {
        self.wire.goodbye(self.pool.close()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> String {
        format!("{:?}", options(url).unwrap().get_ssl_mode())
    }

    /// A server that says "no TLS" must never be handed the password, unless somebody chose so.
    #[test]
    fn a_server_elsewhere_is_verified_unless_the_url_says_otherwise() {
        for url in ["postgres://isp:pw@db.example/isp", "postgres://isp@10.0.0.5:5433/isp?application_name=x"] {
            assert_eq!(mode(url), "VerifyFull", "{url}");
        }
        assert_eq!(mode("postgres://isp@db.example/isp?sslmode=require"), "Require");
        assert_eq!(mode("postgres://isp@db.example/isp?sslmode=disable"), "Disable");
        for url in [
            "postgres://isp@localhost/isp",
            "postgres://isp@127.0.0.1:5555/isp",
            "postgres://isp@[::1]/isp",
            "postgres:///isp?host=/var/run/postgresql",
        ] {
            assert_ne!(mode(url), "VerifyFull", "{url}");
        }
    }
}
