//! Databases on the PostgreSQL server of `scripts/with_pg`; below `scripts/with_citus`, on its cluster.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::ready;

/// True below `scripts/with_citus`.
pub(crate) fn on_cluster() -> bool {
    std::env::var_os("ISP_TEST_CITUS").is_some()
}

/// The servers; of a cluster the coordinator first.
fn servers() -> Vec<String> {
    let named = if on_cluster() { "ISP_TEST_CITUS" } else { "ISP_TEST_PG" };
    let servers = std::env::var(named).expect("ISP_TEST_PG is not set: run through scripts/with_pg");
    servers.split(' ').map(str::to_owned).collect()
}

/// The server that is asked.
pub(crate) fn server() -> String {
    servers().swap_remove(0)
}

fn url_in(server: &str, database: &str) -> String {
    let (head, query) = server.split_once('?').unwrap_or((server, ""));
    format!("{}/{database}?{query}", head.rsplit_once('/').unwrap().0)
}

/// The address of a database.
pub(crate) fn url_of(database: &str) -> String {
    url_in(&server(), database)
}

/// The address of a database by way of the pooler of `scripts/with_pgbouncer`, where there is one.
pub(crate) fn pooled(database: &str) -> Option<String> {
    std::env::var("ISP_TEST_POOLER").ok().map(|pooler| url_in(&pooler, database))
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

/// Makes an empty database; on a cluster one on each server, which know each other.
pub(crate) async fn create(name: &str) {
    let servers = servers();
    for server in &servers {
        run(server, format!("CREATE DATABASE {name}")).await;
    }
    if !on_cluster() {
        return;
    }
    for server in &servers {
        run(&url_in(server, name), "CREATE EXTENSION citus".to_owned()).await;
    }
    // `citus_add_node` alters every user of the new node, and PostgreSQL refuses the second of two who alter the same user at once.
    let mut lock = PgConnection::connect(&server()).await.unwrap();
    lock.execute("SELECT pg_advisory_lock(16)").await.unwrap();
    for (at, node) in servers.iter().enumerate() {
        let options: PgConnectOptions = node.parse().unwrap();
        let (socket, port) = (options.get_socket().unwrap().display(), options.get_port());
        let add = if at == 0 { "citus_set_coordinator_host" } else { "citus_add_node" };
        run(&url_of(name), format!("SELECT {add}('{socket}', {port})")).await;
    }
    lock.close().await.unwrap();
}

/// Makes a database that `isp init` is told of: a copy of one with tables where there is one, else an empty one.
pub(crate) async fn create_ready(name: &str) {
    let template = if on_cluster() { None } else { ready::template(&server(), url_of).await };
    match template {
        Some(template) => run(&server(), format!("CREATE DATABASE {name} TEMPLATE {template}")).await,
        None => create(name).await,
    }
}

/// Makes the tables; on a cluster they are distributed.
pub(crate) async fn migrate(url: &str) {
    if on_cluster() {
        isp_store::distribute(url).await.unwrap();
    } else {
        isp_store::migrate(url).await.unwrap();
    }
}

/// Takes a database away.
pub(crate) async fn drop(name: &str) {
    for server in servers() {
        run(&server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
}
