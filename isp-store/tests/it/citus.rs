//! Tables on many nodes. What needs a cluster is run below `scripts/with_citus`, with `--include-ignored`; there, the other tests
//! of PostgreSQL run on the cluster, too.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::common::*;
use chrono::TimeDelta;
use isp_core::Policy;
use isp_core::calendar::Zone;
use isp_core::engine::{Engine, EngineError};
use isp_core::ids::TenantId;
use isp_core::money::Money;
use isp_core::ports::{BillingStore, DirectoryStore, InvoiceQuery, MoneyStore, PageQuery, Store, StoreError};
use isp_store::SqlStore;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

async fn ask<T>(url: &str, sql: &str) -> Vec<T>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    let mut connection = PgConnection::connect(url).await.unwrap();
    let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    found
}

#[tokio::test]
async fn what_has_no_citus_is_not_distributed() {
    let sqlite = Database::sqlite();
    let refused = isp_store::distribute(&sqlite.url).await.unwrap_err();
    assert!(refused.to_string().contains("SQLite"), "{refused}");
    if !on_cluster() {
        let postgres = Database::postgres().await;
        let refused = isp_store::distribute(&postgres.url).await.unwrap_err();
        assert!(refused.to_string().contains("no extension citus"), "{refused}");
        assert_eq!(isp_store::migration_status(&postgres.url).await.unwrap().applied, [0_i64; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: scripts/with_citus"]
async fn rows_of_before_are_distributed_with_their_tables() {
    let database = Database::citus().await;
    isp_store::migrate(&database.url).await.unwrap();
    let store = database.open().await;
    store.commit(TENANT, provider(60, day("2026-01-05"))).await.unwrap();
    let before = store.customers(TENANT, PageQuery::first(100)).await.unwrap();
    store.close().await;

    let done = isp_store::distribute(&database.url).await.unwrap();
    assert_eq!((done.now.len(), done.nodes), (done.tables, 2), "{done:?}");
    assert_eq!(done.now.first().map(String::as_str), Some("_sqlx_migrations"));
    let groups = "SELECT DISTINCT colocation_id::bigint FROM citus_tables WHERE citus_table_type = 'distributed'";
    assert_eq!(ask::<i64>(&database.url, groups).await.len(), 1);
    let everywhere = "SELECT table_name::text FROM citus_tables WHERE citus_table_type = 'reference' ORDER BY 1";
    assert_eq!(ask::<String>(&database.url, everywhere).await, ["_sqlx_migrations", "meta"]);
    let forgotten = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND oid NOT IN (SELECT table_name FROM citus_tables)";
    assert_eq!(ask::<String>(&database.url, forgotten).await, [""; 0]);
    // Nothing is left on the coordinator of what was there before.
    let left = "SELECT c.relname::text FROM pg_class c JOIN pg_dist_partition d ON d.logicalrelid = c.oid
        WHERE pg_relation_size(c.oid) > 0";
    assert_eq!(ask::<String>(&database.url, left).await, [""; 0]);

    // All nodes see the same, and the doctor nothing wrong.
    for node in 0..3 {
        let store = SqlStore::open(&database.on_node(node), vault()).await.unwrap();
        assert_eq!(store.customers(TENANT, PageQuery::first(100)).await.unwrap(), before, "node {node}");
        assert_eq!(store.examine(TENANT, day("2026-01-05").at(12, 0, Zone::Wib)).await.unwrap(), [], "node {node}");
        store.close().await;
    }
    // Once more changes nothing.
    let again = isp_store::distribute(&database.url).await.unwrap();
    assert_eq!((again.now.len(), again.tables), (0, done.tables));
    assert!(isp_store::migrate(&database.url).await.unwrap().pending.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: scripts/with_citus"]
async fn distributing_goes_on_where_it_was_stopped() {
    let database = Database::citus().await;
    isp_store::migrate(&database.url).await.unwrap();
    let mut stopped = 0;
    let done = loop {
        match tokio::time::timeout(Duration::from_millis(700), isp_store::distribute(&database.url)).await {
            Ok(done) => break done.unwrap(),
            Err(_) => stopped += 1,
        }
        assert!(stopped < 60, "it does not come to its end");
    };
    assert!(stopped > 1, "it was never stopped");
    assert!(done.now.len() < done.tables, "it began anew");
    let store = database.open().await;
    store.commit(TENANT, provider(20, day("2026-01-05"))).await.unwrap();

    // `isp migrate` goes on with it, too.
    let half = Database::citus().await;
    isp_store::migrate(&half.url).await.unwrap();
    half.execute("SELECT create_distributed_table('tenants', 'tenant_id')").await;
    isp_store::migrate(&half.url).await.unwrap();
    assert!(isp_store::distribute(&half.url).await.unwrap().now.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: scripts/with_citus"]
async fn a_worker_is_not_migrated() {
    let database = Database::postgres_migrated().await;
    let worker = database.on_node(1);
    for refused in [isp_store::migrate(&worker).await.map(drop), isp_store::distribute(&worker).await.map(drop)] {
        let refused = refused.unwrap_err();
        assert!(refused.to_string().contains("is a worker of a Citus cluster"), "{refused}");
    }
    // Where it stands can be asked of each node.
    assert!(isp_store::migration_status(&worker).await.unwrap().pending.is_empty());
}

/// What a table is, with its columns, keys, checks and indexes.
async fn tables_of(url: &str) -> Vec<String> {
    let sql = "SELECT told FROM (
        SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            pg_get_expr(d.adbin, d.adrelid)) AS told, c.relnamespace
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind = 'r'
        UNION ALL
        SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)), connamespace FROM pg_constraint
            -- Of the two tables that are on every node, the coordinator has a shard, too.
            WHERE conname !~ '_[0-9]{6}$'
        UNION ALL
        SELECT pg_get_indexdef(i.indexrelid), c.relnamespace FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        ) AS all_of_it WHERE relnamespace = 'public'::regnamespace ORDER BY told";
    ask(url, sql).await
}

/// Each migration ran by itself on distributed tables. `upgrade` runs them with rows in the tables.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: scripts/with_citus"]
async fn migrations_on_a_cluster_make_the_same_tables() {
    let (plain, cluster) = (Database::citus().await, Database::citus().await);
    isp_store::migrate(&plain.url).await.unwrap();
    let mut connection = PgConnection::connect(&cluster.url).await.unwrap();
    crate::upgrade::first_version_on_a_cluster(&mut connection).await;
    connection.close().await.unwrap();
    isp_store::migrate(&cluster.url).await.unwrap();
    let (plain, cluster) = (tables_of(&plain.url).await, tables_of(&cluster.url).await);
    assert!(plain.len() > 500, "{}", plain.len());
    let only = |of: &[String], other: &[String]| of.iter().filter(|t| !other.contains(t)).cloned().collect::<Vec<_>>();
    assert_eq!(only(&plain, &cluster), only(&cluster, &plain), "on PostgreSQL alone, and on the cluster");
}

/// Citus makes itself a certificate that no program in Rust takes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster: scripts/with_citus"]
async fn the_certificate_that_citus_makes_is_named() {
    let options: sqlx::postgres::PgConnectOptions = cluster::nodes()[0].parse().unwrap();
    let url = format!("postgres://isp@127.0.0.1:{}/postgres", options.get_port());
    let refused = isp_store::migration_status(&url).await.unwrap_err();
    assert_eq!(refused.code(), "store.tls");
    assert!(refused.to_string().contains("sslmode=disable"), "{refused}");
    assert!(isp_store::migration_status(&format!("{url}?sslmode=disable")).await.is_ok());
}

const TENANTS: u32 = 8;
const WORKERS: usize = 4;
const LINES: u32 = 200;
const TERM: TimeDelta = TimeDelta::seconds(3);

fn tenant(n: u32) -> TenantId {
    TenantId(id(99, n))
}

/// Stops a node as without electricity, and starts it again.
fn restart(node: &str) {
    let control =
        std::env::var("ISP_CITUS_CONTROL").expect("ISP_CITUS_CONTROL is not set: run through scripts/with_citus");
    let done = Command::new(control).args([node, "restart", "-m", "immediate"]).stdout(Stdio::null()).status();
    assert!(done.unwrap().success(), "node {node} did not come back");
}

/// Bills a tenant. What a node that went away brings with it is no failure: another attempt follows.
async fn bill(store: &dyn Store, tenant: TenantId, today: isp_core::calendar::Date) -> Result<(), StoreError> {
    let policy = Policy::default();
    let guard = store.begin_run(tenant, TERM).await?;
    let engine = Engine { page: 25, ..Engine::new(store, tenant, &policy) };
    let billed = engine.bill(today.at(9, 0, Zone::Wib)).await;
    let ended = guard.end().await;
    match billed {
        Ok(_) => ended,
        Err(EngineError::Store(error)) => Err(error),
        // Another worker was here with a later day.
        Err(EngineError::Clock(_)) => ended,
        Err(other) => panic!("{other}"),
    }
}

/// Eight tenants are billed by four workers at once, two of them by way of a worker of the cluster, while nodes are killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a cluster: scripts/with_citus"]
async fn many_workers_bill_many_tenants_while_nodes_restart() {
    let database = Database::postgres_migrated().await;
    let store = database.open().await;
    for n in 0..TENANTS {
        store.commit(tenant(n), provider(LINES, day("2026-01-05"))).await.unwrap();
    }
    let nodes = "SELECT COUNT(DISTINCT nodeport)::bigint FROM pg_dist_shard_placement WHERE shardid IN (
        SELECT get_shard_id_for_distribution_column('tenants', tenant_id) FROM tenants)";
    assert_eq!(ask::<i64>(&database.url, nodes).await, [2], "the tenants lie on one node");

    let (last, over) = (day("2026-06-30"), Arc::new(AtomicBool::new(false)));
    let (billed, hindered) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let begun = Instant::now();
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let url = database.on_node([0, 0, 1, 2][worker]);
        let (billed, hindered) = (Arc::clone(&billed), Arc::clone(&hindered));
        workers.push(tokio::spawn(async move {
            let store = loop {
                match SqlStore::open(&url, vault()).await {
                    Ok(store) => break store,
                    Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
                }
            };
            let mut today = day("2026-01-05");
            while today <= last {
                // Each begins with another tenant, so that they meet.
                let mut left: BTreeSet<u32> = (0..TENANTS).collect();
                while let Some(n) = left.iter().copied().cycle().nth(worker * 2 % left.len().max(1)) {
                    match bill(&store, tenant(n), today).await {
                        Ok(()) => _ = billed.fetch_add(1, Ordering::Relaxed),
                        // Somebody else is at it.
                        Err(StoreError::Busy) => {}
                        Err(error) => {
                            hindered.fetch_add(1, Ordering::Relaxed);
                            assert!(error.retryable(), "{error}");
                            assert!(begun.elapsed() < Duration::from_secs(300), "{error}");
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            continue;
                        }
                    }
                    left.remove(&n);
                }
                today = today.plus_days(10);
            }
            store.close().await;
        }));
    }
    let killer = tokio::spawn({
        let over = Arc::clone(&over);
        async move {
            let mut kills = 0;
            for node in ["1", "2", "0"].iter().cycle() {
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                if over.load(Ordering::Relaxed) {
                    break;
                }
                tokio::task::spawn_blocking(move || restart(node)).await.unwrap();
                kills += 1;
            }
            kills
        }
    });
    for worker in workers {
        worker.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let kills = killer.await.unwrap();
    store.close().await;
    let store = database.open().await;
    // A run that found the other at it left what is there to it: the last is billed once more, by one.
    for n in 0..TENANTS {
        bill(&store, tenant(n), last).await.unwrap();
        let invoices = store.invoices(tenant(n), InvoiceQuery::default(), PageQuery::first(100_000)).await.unwrap();
        let periods: BTreeSet<_> = invoices.iter().map(|(i, _)| (i.subscription_id, i.kind, i.period.start)).collect();
        assert_eq!(periods.len(), invoices.len(), "a period of tenant {n} was billed twice");
        let numbers: BTreeSet<u64> = invoices.iter().map(|(i, _)| i.number).collect();
        assert!(numbers.iter().copied().eq(1..=invoices.len() as u64), "the numbers of tenant {n} have gaps");
        let first = store.invoices(tenant(0), InvoiceQuery::default(), PageQuery::first(100_000)).await.unwrap();
        let of = |all: &[(isp_core::billing::Invoice, Money)]| {
            all.iter().map(|(i, _)| (i.subscription_id, i.kind, i.period.start, i.total)).collect::<BTreeSet<_>>()
        };
        assert_eq!(of(&first), of(&invoices), "tenants 0 and {n} have the same lines, and not the same invoices");
        assert!(invoices.len() > 5 * LINES as usize, "{}", invoices.len());
        let journal = store.journal(tenant(n), PageQuery::first(1_000_000)).await.unwrap();
        assert_eq!(journal.iter().flat_map(|e| &e.lines).map(|l| l.amount).sum::<Money>(), Money::ZERO);
        let (entries, breaks) = store.verify_audit(tenant(n)).await.unwrap();
        assert!(entries > 0 && breaks.is_empty(), "tenant {n}: {breaks:?}");
    }
    let found = store.examine(TENANT, last.at(12, 0, Zone::Wib)).await.unwrap();
    // Nobody delivered the messages of half a year, and nobody made a copy.
    let found: Vec<_> = found.iter().filter(|f| !["backup.none", "outbox.old"].contains(&f.kind)).collect();
    assert!(found.is_empty(), "{found:?}");
    let (billed, hindered) = (billed.load(Ordering::Relaxed), hindered.load(Ordering::Relaxed));
    println!(
        "{billed} runs, {kills} nodes killed, {hindered} attempts failed and were made again, {:?}",
        begun.elapsed()
    );
    assert!(kills > 0, "no node was killed");
}
