//! PostgreSQL: many processes, many tenants.

mod copy;
mod session;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use isp_core::ids::{TenantId, derive};
use isp_core::ports::{RunGuard, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use uuid::Uuid;

use crate::error::{store_error, unavailable};
use crate::session::{Engine, Parked, Session, begin, first};
use crate::value::args;
use session::PostgresSession;

/// How long a caller waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a statement waits for rows that another transaction holds: one that somebody forgot would be waited for
/// without end.
const LOCK_TIMEOUT: &str = "15s";
/// How long a statement may take; the longest of a run takes seconds.
const STATEMENT_TIMEOUT: &str = "10min";
/// How long a transaction of ours may stay open while nothing comes from us.
const IDLE_TIMEOUT: &str = "10min";
/// Connections at once.
const CONNECTIONS: u32 = 8;
/// Statements kept prepared by a connection.
const STATEMENTS: usize = 256;
/// How often, and how far apart, the lock of a run is tried: a session whose client has just gone is noticed by the
/// server only after a moment.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(30);

/// A PostgreSQL database.
pub(crate) struct Postgres {
    options: PgConnectOptions,
    pool: PgPool,
    parked: Parked,
    runs: Runs,
}

/// The runs that this process holds: each with the key of a lock that only its own connection has.
type Runs = Arc<Mutex<HashMap<TenantId, i64>>>;

/// The right to run: a connection, and the mark that this process has it.
struct Held {
    _connection: PgConnection,
    runs: Runs,
    tenant: TenantId,
    proof: i64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.get(&self.tenant) == Some(&self.proof) {
            runs.remove(&self.tenant);
        }
    }
}

impl Postgres {
    /// Opens a database.
    pub(crate) async fn open(options: PgConnectOptions) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone())
            .await
            .map_err(store_error)?;
        Ok(Self { options, pool, runs: Runs::default(), parked: Parked::default() })
    }
}

/// Opens a connection, or gives up after a while: a machine that drops packets would be waited for without end.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    match tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(options)).await {
        Ok(connection) => connection.map_err(store_error),
        Err(_) => Err(unavailable("no connection within 30 seconds")),
    }
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
    let options = options.options([
        ("lock_timeout", LOCK_TIMEOUT),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
    ]);
    // A plan made without its arrays compares each row with each of thousands of ids one by one where it does not choose
    // the index; one made with them looks them up by hash.
    let options = options.options([("plan_cache_mode", "force_custom_plan")]);
    Ok(options.application_name("isp").statement_cache_capacity(STATEMENTS).disable_statement_logging())
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
    async fn read(&self) -> Result<Box<dyn Session>, StoreError> {
        let statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Box::new(PostgresSession(begin(&self.pool, statement).await?, self.parked.clone())))
    }

    async fn write(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(PostgresSession(begin(&self.pool, "BEGIN").await?, self.parked.clone())))
    }

    /// Two advisory locks of a session of its own, which the server gives up when the connection ends, however it ends:
    /// that of the tenant's run, and one that nobody else has. As long as the second is held, so is the first.
    async fn hold_run(&self, tenant: TenantId) -> Result<RunGuard, StoreError> {
        let mut connection = connect(&self.options).await?;
        let key = lock_key(derive(tenant.0, &["isp run"]));
        let proof = lock_key(Uuid::now_v7());
        for attempt in 0..LOCK_TRIES {
            if attempt > 0 {
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1) AND pg_try_advisory_lock($2)")
                .bind(key)
                .bind(proof)
                .fetch_one(&mut connection)
                .await
                .map_err(store_error)?;
            if taken {
                self.runs.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, proof);
                return Ok(RunGuard::new(Held {
                    _connection: connection,
                    runs: Arc::clone(&self.runs),
                    tenant,
                    proof,
                }));
            }
        }
        connection.close().await.map_err(store_error)?;
        Err(StoreError::Busy)
    }

    fn parked(&self) -> &Parked {
        &self.parked
    }

    /// In the transaction of the commit: a connection that was cut took its locks with it.
    async fn check_run(&self, session: &mut dyn Session, tenant: TenantId) -> Result<(), StoreError> {
        let Some(proof) = self.runs.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).copied() else {
            return Ok(());
        };
        let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND ((classid::bigint << 32) | objid::bigint) = $1";
        let held: Option<u64> = first(session, "lock", sql, args![proof], |r| r.get()).await?;
        if held == Some(0) { Err(StoreError::RunLost) } else { Ok(()) }
    }

    async fn objects(&self) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT CASE WHEN relkind IN ('r', 'p') THEN 'table ' ELSE 'index ' END || relname FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'i', 'I')";
        let names: Vec<String> = sqlx::query_scalar(sql).fetch_all(&self.pool).await.map_err(store_error)?;
        Ok(names.into_iter().collect())
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

fn lock_key(id: Uuid) -> i64 {
    let (high, low) = id.as_u64_pair();
    i64::from_ne_bytes((high ^ low).to_ne_bytes())
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
