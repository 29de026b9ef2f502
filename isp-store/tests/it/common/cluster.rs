//! Databases on the three servers of `scripts/with_citus`.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};
use tokio::sync::OnceCell;

use super::{run, url_in};

/// The servers, the coordinator first.
pub(crate) fn nodes() -> Vec<String> {
    let nodes = std::env::var("ISP_TEST_CITUS").expect("ISP_TEST_CITUS is not set: run through scripts/with_citus");
    nodes.split(' ').map(str::to_owned).collect()
}

/// Does what changes users of the servers while no other test does. `citus_add_node` alters every user of the new node, of whatever database
/// it is told, and PostgreSQL refuses the second of two who alter the same user at once ("tuple concurrently updated").
pub(crate) async fn alone<T>(work: impl AsyncFnOnce() -> T) -> T {
    if !super::on_cluster() {
        return work().await;
    }
    // A lock of the database that all tests have in common. It ends with the connection.
    let mut lock = PgConnection::connect(&nodes()[0]).await.unwrap();
    lock.execute("SELECT pg_advisory_lock(16)").await.unwrap();
    let done = work().await;
    lock.close().await.unwrap();
    done
}

/// Makes a database without tables on each server, which know each other.
pub(crate) async fn create(name: &str) {
    let nodes = nodes();
    for node in &nodes {
        run(node, &format!("CREATE DATABASE {name}")).await;
        run(&url_in(node, name), "CREATE EXTENSION citus").await;
    }
    alone(async || {
        for (at, node) in nodes.iter().enumerate() {
            let options: PgConnectOptions = node.parse().unwrap();
            let (socket, port) = (options.get_socket().unwrap().display(), options.get_port());
            let add = if at == 0 { "citus_set_coordinator_host" } else { "citus_add_node" };
            run(&url_in(&nodes[0], name), &format!("SELECT {add}('{socket}', {port})")).await;
        }
    })
    .await;
}

/// Runs a statement that nobody else may be in the way of: the workers of Citus come and go by themselves.
pub(crate) async fn patiently(url: &str, sql: &str) {
    for _ in 0..50 {
        let mut connection = PgConnection::connect(url).await.unwrap();
        match connection.execute(sqlx::AssertSqlSafe(sql)).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("55006") => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            done => {
                done.unwrap();
                return;
            }
        }
    }
    panic!("somebody stays in the way of {sql}");
}

/// Makes a database anew, with distributed tables: a copy of one that is made once, as distributing takes seconds.
pub(crate) async fn recreate_distributed(name: &str) {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE.get_or_init(|| async {
        let template = format!("isp_template_{}", std::process::id());
        create(&template).await;
        isp_store::distribute(&url_in(&nodes()[0], &template)).await.unwrap();
        // Nobody may be in it while it is copied, not even the workers of Citus.
        for node in nodes() {
            run(&node, &format!("ALTER DATABASE {template} ALLOW_CONNECTIONS false")).await;
            run(&node, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'"))
                .await;
        }
        template
    });
    let template = template.await;
    for node in nodes() {
        patiently(&node, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        patiently(&node, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    }
    // What is set for a database does not go with a copy of it.
    assert!(isp_store::distribute(&url_in(&nodes()[0], name)).await.unwrap().now.is_empty());
}
