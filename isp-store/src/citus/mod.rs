//! PostgreSQL on many nodes, with Citus: <https://docs.citusdata.com>. All tables lie by tenant on the same shards, so that each
//! statement about a tenant runs on one node; two small tables are on all nodes.
//!
//! Tables are distributed by `isp migrate --citus`, each in a transaction of its own: one that was killed in between goes on
//! where it was. From then on a migration runs statement by statement, and distributes each table that it makes.

mod statement;

#[cfg(test)]
mod rules;

use isp_core::ports::StoreError;
use sqlx::migrate::Migration;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::error::{rejected, store_error, unavailable};
use crate::open::{alone, applied, postgres_migrations, stands};
use crate::patience::patiently;
use crate::postgres::{LOCK_TIMEOUT, connect};
use crate::wall;

/// The table that all others lie beside.
const FIRST: &str = "tenants";
/// By which column a table is cut into shards.
const KEY: &str = "tenant_id";
/// Tables without a tenant: each node has all of their rows.
const EVERYWHERE: [&str; 2] = ["_sqlx_migrations", "meta"];
/// The last migration that was written before there was a rule how to write them for tables that are distributed.
const LAST_OF_BEFORE: i64 = 29;

/// What distributing the tables of a database came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distributed {
    /// The tables that were distributed by this call, in order; empty when all were before.
    pub now: Vec<String>,
    /// How many tables are distributed in all, those on every node among them.
    pub tables: usize,
    /// How many nodes have rows of tenants.
    pub nodes: usize,
}

/// Which part a server has in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It has no Citus, or none in this database.
    None,
    /// It has Citus, and the tables are on it alone.
    Undistributed,
    /// The tables lie on the nodes, or some of them already do.
    Coordinator,
    /// It has rows for the coordinator.
    Worker,
}

/// Asks a server which part it has.
pub(crate) async fn part(connection: &mut PgConnection) -> Result<Part, StoreError> {
    let there = "SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')";
    if !sqlx::query_scalar::<_, bool>(there).fetch_one(&mut *connection).await.map_err(store_error)? {
        return Ok(Part::None);
    }
    let coordinates = "SELECT citus_is_coordinator()";
    if !sqlx::query_scalar::<_, bool>(coordinates).fetch_one(&mut *connection).await.map_err(store_error)? {
        return Ok(Part::Worker);
    }
    let known = laid_out(connection).await?;
    Ok(if known.is_empty() { Part::Undistributed } else { Part::Coordinator })
}

/// Creates the tables of this version on a cluster, and distributes all that are not distributed yet.
///
/// # Errors
/// [`StoreError::Rejected`] when the server has no Citus, or is a worker; otherwise as [`migrate`](crate::migrate).
pub(crate) async fn distribute(options: &PgConnectOptions) -> Result<Distributed, StoreError> {
    let mut connection = connect(options).await?;
    wall::refuse_behind(&mut connection).await?;
    let part = part(&mut connection).await?;
    if part == Part::None {
        return Err(rejected("its database has no extension citus; create it on every node, and add the nodes"));
    }
    refuse_worker(part)?;
    if part == Part::Undistributed {
        crate::open::migrate_undistributed(&mut connection).await?;
    }
    let done = migrate(&mut connection).await?;
    alone(&mut connection, async |c| wall::keep(c, true).await).await?;
    connection.close().await.map_err(store_error)?;
    Ok(done)
}

/// Fails on a worker: tables that are made there are seen by nobody else.
pub(crate) fn refuse_worker(part: Part) -> Result<(), StoreError> {
    match part {
        Part::Worker => {
            Err(rejected("this server is a worker of a Citus cluster; name the coordinator in the database URL"))
        }
        _ => Ok(()),
    }
}

/// Applies what is pending to a database whose tables are distributed, or some of them, and distributes the others.
pub(crate) async fn migrate(connection: &mut PgConnection) -> Result<Distributed, StoreError> {
    alone(connection, migrate_alone).await
}

async fn migrate_alone(connection: &mut PgConnection) -> Result<Distributed, StoreError> {
    let known = postgres_migrations();
    let status = stands(&known, &applied(connection).await?);
    if !status.unknown.is_empty() {
        return Err(StoreError::Newer);
    }
    if let Some(version) = status.changed.first() {
        return Err(StoreError::Migration { version: *version });
    }
    for migration in known.iter().filter(|m| status.pending.contains(&m.version)) {
        apply(connection, migration).await?;
    }
    let now = distribute_rest(connection).await?;
    drop_local_rows(connection).await?;
    let user = sqlx::query_scalar::<_, String>("SELECT current_user::text");
    let user = user.fetch_one(&mut *connection).await.map_err(store_error)?;
    limit_waiting(connection, &user).await?;
    let tables = check(connection).await?;
    let nodes = "SELECT COUNT(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards";
    let nodes: i64 = sqlx::query_scalar(nodes).fetch_one(&mut *connection).await.map_err(store_error)?;
    Ok(Distributed { now, tables, nodes: usize::try_from(nodes).unwrap_or(0) })
}

/// Applies a migration in a transaction, each of its statements alone: Citus sends a statement to the nodes as it stands in its
/// query, and refuses some that come together.
async fn apply(connection: &mut PgConnection, migration: &Migration) -> Result<(), StoreError> {
    let mut transaction = connection.begin().await.map_err(store_error)?;
    // One shard after the other: several at once see each other's changes to the tables too late.
    transaction.execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'").await.map_err(store_error)?;
    for text in statement::split(migration.sql.as_str()) {
        let parts = match migration.version <= LAST_OF_BEFORE {
            true => statement::separated(&text),
            false => vec![text],
        };
        for part in parts {
            transaction.execute(AssertSqlSafe(part.as_str())).await.map_err(store_error)?;
            if let Some(table) = statement::created_table(&part) {
                transaction.execute(AssertSqlSafe(distributing(table))).await.map_err(store_error)?;
            }
        }
    }
    let note = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES ($1, $2, TRUE, $3, -1)";
    let note = sqlx::query(note).bind(migration.version).bind(&*migration.description).bind(&*migration.checksum);
    note.execute(&mut *transaction).await.map_err(store_error)?;
    transaction.commit().await.map_err(store_error)
}

/// Distributes the tables that are not distributed yet, each one after those that it names.
async fn distribute_rest(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let mut now = Vec::new();
    loop {
        let left = undistributed(connection).await?;
        if left.is_empty() {
            return Ok(now);
        }
        let ready: Vec<&String> = left.iter().filter(|(_, waits)| !waits).map(|(table, _)| table).collect();
        let Some(next) =
            ready.iter().find(|t| t.as_str() == FIRST || EVERYWHERE.contains(&t.as_str())).or(ready.first())
        else {
            return Err(rejected(format!(
                "the table \"{}\" and others name each other, so none can be distributed first",
                left[0].0
            )));
        };
        patiently(connection, distributing(next)).await?;
        now.push((*next).clone());
    }
}

/// Our tables that are not distributed, in the order in which they were made, and whether each names another of them.
async fn undistributed(connection: &mut PgConnection) -> Result<Vec<(String, bool)>, StoreError> {
    let sql = "WITH waiting AS (
            SELECT c.oid, c.relname::text AS name FROM pg_class c
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1) AND c.relkind IN ('r', 'p')
                AND NOT EXISTS (SELECT 1 FROM pg_dist_partition d WHERE d.logicalrelid = c.oid))
        SELECT w.name, EXISTS (
            SELECT 1 FROM pg_constraint f JOIN waiting o ON o.oid = f.confrelid
            WHERE f.contype = 'f' AND f.conrelid = w.oid AND f.confrelid <> w.oid)
        FROM waiting w ORDER BY w.oid";
    sqlx::query_as(sql).bind(ours()).fetch_all(connection).await.map_err(store_error)
}

/// The statement that distributes a table.
fn distributing(table: &str) -> String {
    if EVERYWHERE.contains(&table) {
        format!("SELECT create_reference_table('{table}')")
    } else if table == FIRST {
        format!("SELECT create_distributed_table('{table}', '{KEY}')")
    } else {
        format!("SELECT create_distributed_table('{table}', '{KEY}', colocate_with := '{FIRST}')")
    }
}

/// A table that had rows before it was distributed keeps them on the coordinator, where nothing sees them any more.
async fn drop_local_rows(connection: &mut PgConnection) -> Result<(), StoreError> {
    let sql = "SELECT d.logicalrelid::text FROM pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1) AND pg_relation_size(c.oid) > 0";
    let left: Vec<String> =
        sqlx::query_scalar(sql).bind(ours()).fetch_all(&mut *connection).await.map_err(store_error)?;
    for table in left {
        let sql = "SELECT truncate_local_data_after_distributing_table($1::text::regclass)";
        sqlx::query(sql).bind(table).execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(())
}

/// Rows are waited for on the nodes, which do not know the limit of our connection to the coordinator. So it is written down on
/// each node for a user of ours in this database.
pub(crate) async fn limit_waiting(connection: &mut PgConnection, user: &str) -> Result<(), StoreError> {
    // A worker refuses to tell the others of it, so each is told alone.
    let sql = "SELECT success FROM run_command_on_all_nodes(format('DO $do$ BEGIN
            SET LOCAL citus.enable_ddl_propagation = off;
            ALTER ROLE %I IN DATABASE %I SET lock_timeout = %L;
        END $do$', $2::text, current_database(), $1::text))";
    let done: Vec<bool> =
        sqlx::query_scalar(sql).bind(LOCK_TIMEOUT).bind(user).fetch_all(connection).await.map_err(store_error)?;
    match done.iter().all(|success| *success) {
        true => Ok(()),
        false => Err(unavailable("a node of its cluster did not take a setting")),
    }
}

/// Our tables that Citus knows, each with the group of shards that it lies in; those on every node have none.
async fn laid_out(connection: &mut PgConnection) -> Result<Vec<(String, Option<i32>)>, StoreError> {
    let sql = "SELECT c.relname::text, CASE d.partmethod WHEN 'h' THEN d.colocationid::int END
        FROM pg_dist_partition d JOIN pg_class c ON c.oid = d.logicalrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY ($1)
            AND (d.partmethod = 'h' OR d.repmodel = 't')";
    sqlx::query_as(sql).bind(ours()).fetch_all(connection).await.map_err(store_error)
}

/// Every table is distributed, all by tenant on the same shards. Gives back how many there are.
async fn check(connection: &mut PgConnection) -> Result<usize, StoreError> {
    let found = laid_out(connection).await?;
    let of = |table: &str| found.iter().find(|(name, _)| name == table).map(|(_, group)| *group);
    let first = of(FIRST).flatten();
    let ours = ours();
    let is_wrong = |table: &&str| match of(table) {
        Some(group) if EVERYWHERE.contains(table) => group.is_some(),
        Some(group) => group.is_none() || group != first,
        None => true,
    };
    let wrong: Vec<&str> = ours.iter().map(String::as_str).filter(is_wrong).collect();
    if wrong.is_empty() {
        Ok(found.len())
    } else {
        Err(rejected(format!("these tables are not distributed by tenant: \"{}\"", wrong.join(", "))))
    }
}

/// The tables that the migrations make, and the one of the migrations.
fn ours() -> Vec<String> {
    let made = postgres_migrations().iter().flat_map(|m| statement::split(m.sql.as_str())).collect::<Vec<_>>();
    let made = made.iter().filter_map(|text| statement::created_table(text)).map(str::to_owned);
    made.chain(["_sqlx_migrations".to_owned()]).collect()
}
