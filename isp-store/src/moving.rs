//! A tenant's rows from one PostgreSQL database into another, while both are used by others.
//!
//! ```text
//!   old: leaving     writes are refused; those under way have ended
//!   new: arriving    all rows, in one transaction; writes are refused; compared with the old ones
//!        whoever keeps the map of tenants names the new database
//!   old: left        the rows are removed; whoever comes here is told where they are
//!   new:             work begins
//! ```
//!
//! Each step looks where the two databases stand, so a move that was killed anywhere is made again and goes on. Until the rows are
//! removed, the old ones are whole and it can be called off. In between nobody can write for the tenant on either side.

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use isp_core::audit::Break;
use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::citus::{self, Part};
use crate::error::{rejected, store_error};
use crate::moves::locks;
use crate::open::{Target, target};
use crate::postgres::connect;
use crate::store::SqlStore;
use crate::vault::Vault;
use crate::wall;

/// How long the writes that are under way are waited for, and rows that somebody holds.
const PATIENCE: &str = "2min";
/// Tables that are of a database and not of a tenant's books: its moves, and who runs there now.
const STAY: [&str; 2] = ["moves", "run_leases"];

/// What a move brought over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedRows {
    /// How many rows of each table, in the order in which they were written; tables without any are left out.
    pub tables: Vec<(String, u64)>,
    /// How many entries the log of changes has.
    pub audit_entries: u64,
}

impl MovedRows {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// A move of a tenant, by one process at a time. Dropped or killed, it is begun again with the same databases.
pub struct Moving {
    tenant: TenantId,
    vault: Vault,
    old: Side,
    new: Side,
}

impl std::fmt::Debug for Moving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moving").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

struct Side {
    url: String,
    /// Where it is, without user and password.
    place: String,
    connection: PgConnection,
}

/// How a tenant stands in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stand {
    /// It works there, or is not there at all.
    Home,
    /// It goes to a place.
    Leaving(String),
    /// It went to a place.
    Left(String),
    /// It comes from a place.
    Arriving(String),
}

impl Moving {
    /// Opens both databases and checks what can be checked before anything is written: both are PostgreSQL, on one server each, with
    /// the tables of this version and a key of this ring, and are not the same; nobody else moves this tenant; the new one has no rows
    /// of it.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process moves this tenant; [`StoreError::NotFound`]; [`StoreError::Moved`] when it went
    /// somewhere else before; [`StoreError::Moving`] when another move of it was begun and is not over; [`StoreError::Rejected`] for
    /// databases that do not fit; as [`open`](crate::open()).
    pub async fn begin(from: &str, to: &str, tenant: TenantId, vault: &Vault) -> Result<Self, StoreError> {
        // Tables and key.
        for url in [from, to] {
            SqlStore::open(url, vault.clone()).await?.close().await;
        }
        let (mut old, mut new) = (Side::open(from).await?, Side::open(to).await?);
        let (_, lock) = locks(tenant);
        if !old.lock(lock).await? {
            return Err(StoreError::Busy);
        }
        if !new.lock(lock).await? {
            return Err(rejected("both URLs name the same database, or another process moves this provider"));
        }
        let (old_stand, new_stand) = (old.stand(tenant).await?, new.stand(tenant).await?);
        match old_stand {
            Stand::Home if !old.has(tenant).await? => return Err(StoreError::NotFound { what: "tenant" }),
            Stand::Left(place) if place != new.place => return Err(StoreError::Moved { to: place }),
            Stand::Leaving(place) if place != new.place => return Err(StoreError::Moving),
            Stand::Arriving(_) => return Err(StoreError::Moving),
            Stand::Home => match new_stand {
                Stand::Home if new.has(tenant).await? => {
                    return Err(rejected("the new database has rows of this provider already"));
                }
                Stand::Home | Stand::Left(_) => {}
                Stand::Leaving(_) | Stand::Arriving(_) => return Err(StoreError::Moving),
            },
            Stand::Leaving(_) | Stand::Left(_) => {}
        }
        Ok(Self { tenant, vault: vault.clone(), old, new })
    }

    /// Refuses writes on the old side from now on, and waits for those that are under way. A run there stops at its next commit.
    ///
    /// # Errors
    /// [`StoreError::Held`] when one does not end within two minutes; then the old side works on as before.
    pub async fn leave(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.has_left().await? {
            return Ok(());
        }
        let before = self.old.stand(self.tenant).await?;
        if before == Stand::Home {
            self.old.mark(self.tenant, "leaving", &self.new.place, now).await?;
        }
        let (lock, _) = locks(self.tenant);
        let waited = self.old.run(&format!("SELECT pg_advisory_xact_lock({lock})")).await;
        if waited.is_err() && before == Stand::Home {
            self.old.unmark(self.tenant).await?;
        }
        waited
    }

    /// Copies all rows into the new side in one transaction, in place of those of a copy that was not gone on with.
    ///
    /// # Errors
    /// As every statement on a database; then nothing was written.
    pub async fn copy(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.has_left().await? {
            return Ok(());
        }
        if !matches!(self.old.stand(self.tenant).await?, Stand::Leaving(_)) {
            return Err(StoreError::Moving);
        }
        let (tenant, place) = (self.tenant, self.old.place.clone());
        let tables = self.old.tables().await?;
        if tables != self.new.tables().await? {
            return Err(rejected("the two databases have other tables or columns; run isp migrate on both"));
        }
        self.old.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        self.new.run("BEGIN").await?;
        let copied = async {
            self.new.mark(tenant, "arriving", &place, now).await?;
            self.new.remove(&tables, tenant).await?;
            for table in &tables {
                copy_table(&mut self.old.connection, &mut self.new.connection, table, tenant).await?;
            }
            self.new.run("COMMIT").await
        }
        .await;
        if copied.is_err() {
            // A connection that is gone has no transaction.
            let _rolled_back = self.new.run("ROLLBACK").await;
        }
        let _ended = self.old.run("ROLLBACK").await;
        copied
    }

    /// Compares both sides: the rows of each table by count and by what is in them, the sums of the ledger, and the log of changes,
    /// which has to be as whole on the new side as it was.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] names the table that differs. Nothing is lost then: the old rows are whole.
    pub async fn verify(&mut self) -> Result<MovedRows, StoreError> {
        let tables = self.new.tables().await?;
        let mut moved = MovedRows::default();
        let left = self.has_left().await?;
        for table in &tables {
            let there = self.new.sum(table, self.tenant).await?;
            if !left && there != self.old.sum(table, self.tenant).await? {
                return Err(rejected(format!("after the copy the rows of \"{}\" differ; move it again", table.name)));
            }
            if there.0 > 0 {
                moved.tables.push((table.name.clone(), there.0));
            }
        }
        let (entries, breaks) = self.audit(&self.new.url).await?;
        if !left {
            if self.old.ledger(self.tenant).await? != self.new.ledger(self.tenant).await? {
                return Err(rejected("after the copy the sums of the ledger differ; move it again"));
            }
            if (entries, breaks) != self.audit(&self.old.url).await? {
                return Err(rejected("after the copy the log of changes differs; move it again"));
            }
        }
        moved.audit_entries = entries;
        Ok(moved)
    }

    /// Removes the rows on the old side, which tells from then on where they are.
    ///
    /// # Errors
    /// [`StoreError::Moving`] when they are not on the new side; [`StoreError::KeyChanged`]; as every statement on a database.
    pub async fn leave_behind(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.has_left().await? {
            return Ok(());
        }
        if self.new.stand(self.tenant).await? != Stand::Arriving(self.old.place.clone()) {
            return Err(StoreError::Moving);
        }
        let tables = self.old.tables().await?;
        self.old.run("BEGIN").await?;
        let removed = async {
            self.keeps_its_key().await?;
            self.old.mark(self.tenant, "left", &self.new.place, now).await?;
            self.old.remove(&tables, self.tenant).await?;
            let leases = "DELETE FROM run_leases WHERE tenant_id = $1";
            sqlx::query(leases).bind(self.tenant.0).execute(&mut self.old.connection).await.map_err(store_error)?;
            self.old.run("COMMIT").await
        }
        .await;
        if removed.is_err() {
            let _rolled_back = self.old.run("ROLLBACK").await;
        }
        removed
    }

    /// Lets work begin on the new side.
    ///
    /// # Errors
    /// [`StoreError::Moving`] while the old side still has the rows; as every statement on a database.
    pub async fn arrive(&mut self) -> Result<(), StoreError> {
        if !self.has_left().await? {
            return Err(StoreError::Moving);
        }
        match self.new.stand(self.tenant).await? {
            Stand::Home => Ok(()),
            Stand::Arriving(place) if place == self.old.place => self.new.unmark(self.tenant).await,
            _ => Err(StoreError::Moving),
        }
    }

    /// Takes the move back: what was copied is removed, and the old side works on.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when the old rows were removed already; as every statement on a database.
    pub async fn call_off(&mut self) -> Result<(), StoreError> {
        if self.has_left().await? {
            return Err(StoreError::Moved { to: self.new.place.clone() });
        }
        if self.new.stand(self.tenant).await? == Stand::Arriving(self.old.place.clone()) {
            let tables = self.new.tables().await?;
            self.new.run("BEGIN").await?;
            self.new.remove(&tables, self.tenant).await?;
            self.new.unmark(self.tenant).await?;
            self.new.run("COMMIT").await?;
        }
        if matches!(self.old.stand(self.tenant).await?, Stand::Leaving(_)) {
            self.old.unmark(self.tenant).await?;
        }
        Ok(())
    }

    /// Closes both connections.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn end(self) -> Result<(), StoreError> {
        self.old.connection.close().await.map_err(store_error)?;
        self.new.connection.close().await.map_err(store_error)
    }

    /// Fails when the key of the old side was changed by somebody since this ring was read: what was copied is sealed with the key of
    /// before. Nobody can change it until the transaction ends.
    async fn keeps_its_key(&mut self) -> Result<(), StoreError> {
        let sql = "SELECT value FROM meta WHERE key = 'vault_check' FOR SHARE";
        let check: Option<Vec<u8>> =
            sqlx::query_scalar(sql).fetch_optional(&mut self.old.connection).await.map_err(store_error)?;
        match check {
            Some(check) if self.vault.key_names().contains(&Vault::key_name(&check)) => Ok(()),
            _ => Err(StoreError::KeyChanged),
        }
    }

    async fn has_left(&mut self) -> Result<bool, StoreError> {
        Ok(self.old.stand(self.tenant).await? == Stand::Left(self.new.place.clone()))
    }

    async fn audit(&self, url: &str) -> Result<(u64, Vec<Break>), StoreError> {
        let store = SqlStore::open(url, self.vault.clone()).await?;
        let found = store.verify_audit(self.tenant).await;
        store.close().await;
        found
    }
}

/// A table with its columns, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Columns {
    name: String,
    columns: String,
}

async fn copy_table(
    old: &mut PgConnection,
    new: &mut PgConnection,
    Columns { name, columns }: &Columns,
    tenant: TenantId,
) -> Result<(), StoreError> {
    let from =
        format!("COPY (SELECT {columns} FROM {name} WHERE tenant_id = '{}') TO STDOUT (FORMAT binary)", tenant.0);
    let mut rows = old.copy_out_raw(&from).await.map_err(store_error)?;
    let into = format!("COPY {name} ({columns}) FROM STDIN (FORMAT binary)");
    let mut copy = new.copy_in_raw(&into).await.map_err(store_error)?;
    while let Some(chunk) = rows.next().await {
        match chunk {
            Ok(chunk) => copy.send(&*chunk).await.map_err(store_error).map(drop)?,
            Err(error) => {
                copy.abort("the rows cannot be read").await.map_err(store_error)?;
                return Err(store_error(error));
            }
        }
    }
    copy.finish().await.map_err(store_error).map(drop)
}

impl Side {
    async fn open(url: &str) -> Result<Self, StoreError> {
        let Target::Postgres(options) = target(url)? else {
            return Err(rejected("providers are moved between PostgreSQL databases, not from or to a SQLite file"));
        };
        let place = place(&options);
        let options = options.options([
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
            ("lock_timeout", PATIENCE),
            // What is compared as text is the same on both sides.
            ("timezone", "UTC"),
            ("datestyle", "ISO"),
        ]);
        let mut connection = connect(&options).await?;
        match citus::part(&mut connection).await? {
            Part::Coordinator | Part::Worker => {
                return Err(rejected(
                    "providers are moved between PostgreSQL databases on one server each; Citus moves shards itself",
                ));
            }
            Part::None | Part::Undistributed => {}
        }
        wall::refuse_behind(&mut connection).await?;
        Ok(Self { url: url.to_owned(), place, connection })
    }

    async fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute(AssertSqlSafe(sql)).await.map_err(store_error).map(drop)
    }

    /// Held until the connection ends.
    async fn lock(&mut self, key: i64) -> Result<bool, StoreError> {
        let sql = "SELECT pg_try_advisory_lock($1)";
        sqlx::query_scalar(sql).bind(key).fetch_one(&mut self.connection).await.map_err(store_error)
    }

    async fn has(&mut self, tenant: TenantId) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM tenants WHERE tenant_id = $1)";
        sqlx::query_scalar(sql).bind(tenant.0).fetch_one(&mut self.connection).await.map_err(store_error)
    }

    async fn stand(&mut self, tenant: TenantId) -> Result<Stand, StoreError> {
        let sql = "SELECT state, other FROM moves WHERE tenant_id = $1";
        let found: Option<(String, String)> =
            sqlx::query_as(sql).bind(tenant.0).fetch_optional(&mut self.connection).await.map_err(store_error)?;
        Ok(match found {
            None => Stand::Home,
            Some((state, other)) => match state.as_str() {
                "leaving" => Stand::Leaving(other),
                "left" => Stand::Left(other),
                _ => Stand::Arriving(other),
            },
        })
    }

    async fn mark(&mut self, tenant: TenantId, state: &str, other: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "INSERT INTO moves (tenant_id, state, other, begun_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant_id) DO UPDATE
                SET state = excluded.state, other = excluded.other, begun_at = excluded.begun_at";
        let mark = sqlx::query(sql).bind(tenant.0).bind(state).bind(other).bind(now);
        mark.execute(&mut self.connection).await.map_err(store_error).map(drop)
    }

    async fn unmark(&mut self, tenant: TenantId) -> Result<(), StoreError> {
        let sql = "DELETE FROM moves WHERE tenant_id = $1";
        sqlx::query(sql).bind(tenant.0).execute(&mut self.connection).await.map_err(store_error).map(drop)
    }

    /// The tables of a tenant's rows, each after those that it names.
    async fn tables(&mut self) -> Result<Vec<Columns>, StoreError> {
        let sql = "SELECT c.oid::bigint, c.relname::text, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
            FROM pg_class c JOIN pg_attribute a
                ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            GROUP BY c.oid, c.relname HAVING bool_or(a.attname = 'tenant_id') ORDER BY c.relname";
        let mut left: Vec<(i64, String, String)> =
            sqlx::query_as(sql).fetch_all(&mut self.connection).await.map_err(store_error)?;
        left.retain(|(_, name, _)| !STAY.contains(&name.as_str()));
        let sql = "SELECT DISTINCT conrelid::bigint, confrelid::bigint FROM pg_constraint
            WHERE contype = 'f' AND conrelid <> confrelid";
        let names: Vec<(i64, i64)> = sqlx::query_as(sql).fetch_all(&mut self.connection).await.map_err(store_error)?;
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let waits =
                |table: i64| names.iter().any(|(of, to)| *of == table && left.iter().any(|(oid, ..)| oid == to));
            let Some(next) = left.iter().position(|(oid, ..)| !waits(*oid)) else {
                return Err(rejected(format!("the table \"{}\" and others name each other", left[0].1)));
            };
            let (_, name, columns) = left.remove(next);
            ordered.push(Columns { name, columns });
        }
        Ok(ordered)
    }

    /// Removes the rows of a tenant, in a transaction of the caller.
    async fn remove(&mut self, tables: &[Columns], tenant: TenantId) -> Result<(), StoreError> {
        for table in tables.iter().rev() {
            let sql = format!("DELETE FROM {} WHERE tenant_id = $1", table.name);
            let delete = sqlx::query(AssertSqlSafe(sql)).bind(tenant.0);
            delete.execute(&mut self.connection).await.map_err(store_error)?;
        }
        Ok(())
    }

    /// How many rows of a tenant a table has, and a sum over what is in them, whatever their order.
    async fn sum(&mut self, table: &Columns, tenant: TenantId) -> Result<(u64, String), StoreError> {
        let Columns { name, columns } = table;
        let sql = format!(
            "SELECT COUNT(*), COALESCE(SUM(('x' || substr(md5(ROW({columns})::text), 1, 15))::bit(60)::bigint), 0)::text
            FROM {name} WHERE tenant_id = $1"
        );
        let sum = sqlx::query_as(AssertSqlSafe(sql)).bind(tenant.0).fetch_one(&mut self.connection);
        let (count, sum): (i64, String) = sum.await.map_err(store_error)?;
        Ok((count.unsigned_abs(), sum))
    }

    /// The sum of each account.
    async fn ledger(&mut self, tenant: TenantId) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT account, SUM(amount)::text FROM journal_lines WHERE tenant_id = $1 GROUP BY 1 ORDER BY 1";
        sqlx::query_as(sql).bind(tenant.0).fetch_all(&mut self.connection).await.map_err(store_error)
    }
}

/// Where a database is, for people.
fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{} in {}", database, socket.display()),
        None => format!("{database} on {}:{}", options.get_host(), options.get_port()),
    }
}
