//! PostgreSQL: many processes, many tenants.

mod copy;
mod session;

use std::time::Duration;

use async_trait::async_trait;
use isp_core::ids::{TenantId, derive};
use isp_core::ports::{RunGuard, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::store_error;
use crate::session::{Engine, Session, begin};
use session::PostgresSession;

/// How long a caller waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
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
        Ok(Self { options, pool })
    }
}

/// The options of every connection.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = url.parse().map_err(store_error)?;
    // A plan made without its arrays compares each row with each of thousands of ids one by one where it does not choose
    // the index; one made with them looks them up by hash.
    let options = options.options([("plan_cache_mode", "force_custom_plan")]);
    Ok(options.application_name("isp").statement_cache_capacity(STATEMENTS).disable_statement_logging())
}

#[async_trait]
impl Engine for Postgres {
    async fn read(&self) -> Result<Box<dyn Session>, StoreError> {
        let statement = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Box::new(PostgresSession(begin(&self.pool, statement).await?)))
    }

    async fn write(&self) -> Result<Box<dyn Session>, StoreError> {
        Ok(Box::new(PostgresSession(begin(&self.pool, "BEGIN").await?)))
    }

    /// An advisory lock of a session of its own: the server gives it up when the connection ends, however it ends.
    async fn hold_run(&self, tenant: TenantId) -> Result<RunGuard, StoreError> {
        let mut connection = PgConnection::connect_with(&self.options).await.map_err(store_error)?;
        let (high, low) = derive(tenant.0, &["isp run"]).as_u64_pair();
        let key = i64::from_ne_bytes((high ^ low).to_ne_bytes());
        for attempt in 0..LOCK_TRIES {
            if attempt > 0 {
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(key)
                .fetch_one(&mut connection)
                .await
                .map_err(store_error)?;
            if taken {
                return Ok(RunGuard::new(connection));
            }
        }
        connection.close().await.map_err(store_error)?;
        Err(StoreError::Busy)
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
