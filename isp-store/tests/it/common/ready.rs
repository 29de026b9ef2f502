//! What many tests begin with, made once a run of `scripts/test_rust` and copied: it names a folder in `ISP_TEST_READY` that is gone
//! afterwards. Without it each test makes its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// The folder of this run.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("ISP_TEST_READY").map(PathBuf::from)
}

/// Puts what was made at `part`, in the same folder, to its place. It is whole there: who is killed while making it leaves nothing, and of two
/// who made it at once one is taken.
pub(crate) fn put(part: &Path, place: &Path) {
    if let Err(error) = std::fs::rename(part, place) {
        assert!(place.exists(), "{}: {error}", place.display());
    }
}

/// The database with tables that others are copies of, on a server that is gone after this run; on another one each test makes its own, as
/// nobody would take this one away.
pub(crate) async fn template(server: &str, url_of: impl Fn(&str) -> String) -> Option<String> {
    let folder = folder().filter(|_| std::env::var_os("ISP_PG_CONTROL").is_some())?;
    let run = folder.parent().unwrap().extension().unwrap().to_str().unwrap().to_lowercase();
    let name = format!("isp_ready_{run}");
    let there = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'");
    let mut connection = PgConnection::connect(server).await.unwrap();
    let is_there = async |connection: &mut PgConnection| {
        sqlx::query_scalar::<_, i64>(AssertSqlSafe(there.clone())).fetch_one(connection).await.unwrap() == 1
    };
    if !is_there(&mut connection).await {
        // One test makes it and the others wait. The lock ends with the connection, so also when the test dies.
        connection.execute("SELECT pg_advisory_lock(17)").await.unwrap();
        if !is_there(&mut connection).await {
            let part = format!("{name}_part");
            for sql in [format!("DROP DATABASE IF EXISTS {part} WITH (FORCE)"), format!("CREATE DATABASE {part}")] {
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            assert!(isp_store::migrate(&url_of(&part)).await.unwrap().pending.is_empty());
            // Under its name it is whole. Whoever has left it may take a moment to be gone.
            let rename = format!("ALTER DATABASE {part} RENAME TO {name}");
            let mut renamed = connection.execute(AssertSqlSafe(rename.clone())).await;
            for _ in 0..50 {
                if renamed.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
                renamed = connection.execute(AssertSqlSafe(rename.clone())).await;
            }
            renamed.unwrap();
        }
    }
    connection.close().await.unwrap();
    Some(name)
}
