//! Statements about users and rights of a PostgreSQL server, which others may change at the same moment.

use std::time::Duration;

use isp_core::ports::StoreError;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::error::store_error;

/// How often a statement is said that others were in the way of.
const ATTEMPTS: u32 = 5;
/// How long they are left to come to their end in between.
const PAUSE: Duration = Duration::from_millis(200);

/// Says a statement outside of a transaction, and says it again where somebody else changes the same user or rights at that moment. Citus
/// alters a user on each node when a database first gives that user rights there, and users are the same in all databases of a server:
/// whoever sets up another database may be at it, and a lock of this database does not keep them out.
pub(crate) async fn patiently(connection: &mut PgConnection, sql: String) -> Result<(), StoreError> {
    for _ in 1..ATTEMPTS {
        match connection.execute(AssertSqlSafe(sql.as_str())).await.map_err(store_error) {
            Err(error) if error.retryable() => tokio::time::sleep(PAUSE).await,
            done => return done.map(drop),
        }
    }
    connection.execute(AssertSqlSafe(sql)).await.map_err(store_error).map(drop)
}
