//! Tries to cross the wall between tenants with every statement that the store has: a store behind the wall keeps its whole contract
//! while its statements are noted; each is then said once more, for the tenant that it was written for, in a transaction that is
//! about another one. Nothing of the first may be seen or written.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::ids::TenantId;
use isp_core::ports::{DamagedRow, StoreError};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection as _, Row as _, ValueRef as _};
use uuid::Uuid;

use super::session::{bind, dialect, with_rows};
use super::*;
use crate::session::Rows;
use crate::store::SqlStore;
use crate::table::Table;
use crate::value::{RawRow, Value};
use crate::vault::Vault;

/// How many times a statement is said again at most, each time as it was said for other rows.
const TIMES: usize = 12;

/// A statement as the server got it.
#[derive(Clone)]
struct Said {
    tenant: TenantId,
    sql: String,
    args: Vec<Value>,
}

/// What was said, by its text.
type Notes = Arc<Mutex<HashMap<String, Vec<Said>>>>;

/// A database that notes what it is told.
struct Noting {
    inner: Postgres,
    notes: Notes,
}

struct NotingSession {
    inner: Box<dyn Session>,
    tenant: Option<TenantId>,
    notes: Notes,
}

impl NotingSession {
    fn note(&self, sql: String, args: Vec<Value>) {
        let Some(tenant) = self.tenant else { return };
        if sql.contains("SAVEPOINT") {
            return;
        }
        let mut notes = self.notes.lock().unwrap();
        let times = notes.entry(sql.clone()).or_default();
        if times.len() < TIMES {
            times.push(Said { tenant, sql, args });
        } else {
            // The last ones meet the rows that are there at the end.
            times.rotate_left(1);
            times[TIMES - 1] = Said { tenant, sql, args };
        }
    }
}

#[async_trait]
impl Engine for Noting {
    async fn begin_read(&self, whose: Whose) -> Result<Box<dyn Session>, StoreError> {
        self.noting(self.inner.begin_read(whose).await?, whose)
    }
    async fn begin_write(&self, whose: Whose) -> Result<Box<dyn Session>, StoreError> {
        self.noting(self.inner.begin_write(whose).await?, whose)
    }
    fn sees_all(&self) -> bool {
        self.inner.sees_all()
    }
    fn parked(&self) -> &Parked {
        self.inner.parked()
    }
    async fn objects(&self) -> Result<BTreeSet<String>, StoreError> {
        self.inner.objects().await
    }
    fn connections(&self) -> (u64, u64) {
        self.inner.connections()
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

impl Noting {
    fn noting(&self, inner: Box<dyn Session>, whose: Whose) -> Result<Box<dyn Session>, StoreError> {
        let tenant = if let Whose::One(tenant) = whose { Some(tenant) } else { None };
        Ok(Box::new(NotingSession { inner, tenant, notes: Arc::clone(&self.notes) }))
    }
}

#[async_trait]
impl Session for NotingSession {
    async fn execute(&mut self, sql: &str, args: Vec<Value>) -> Result<u64, StoreError> {
        self.note(dialect(sql, false), args.clone());
        self.inner.execute(sql, args).await
    }
    async fn fetch(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<Box<dyn RawRow>>, StoreError> {
        self.note(dialect(sql, false), args.clone());
        self.inner.fetch(sql, args).await
    }
    async fn execute_rows(
        &mut self,
        sql: &str,
        args: Vec<Value>,
        columns: usize,
        rows: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let text = with_rows(&dialect(sql, false), args.len() + 1, columns, rows.len() / columns);
        self.note(text, args.iter().chain(&rows).cloned().collect());
        self.inner.execute_rows(sql, args, columns, rows).await
    }
    async fn fetch_pairs(&mut self, sql: &str, args: Vec<Value>) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        self.note(dialect(sql, false), args.clone());
        self.inner.fetch_pairs(sql, args).await
    }
    async fn append(&mut self, table: &'static Table, rows: &mut Rows<'_>) -> Result<(), StoreError> {
        let (count, columns) = (rows.len(), table.columns.len());
        let mut values = Vec::new();
        rows.take(count, &mut values);
        self.note(with_rows(&table.insert_sql(), 1, columns, count), values.clone());
        let mut values = values.into_iter();
        self.inner.append(table, &mut Rows::new(count, &mut |row| row.extend(values.by_ref().take(columns)))).await
    }
    async fn clock(&mut self) -> Result<DateTime<Utc>, StoreError> {
        self.inner.clock().await
    }
    fn park(&mut self, row: DamagedRow) {
        self.inner.park(row);
    }
    fn locks_meta(&self) -> bool {
        self.inner.locks_meta()
    }
    fn lists_once(&self) -> bool {
        self.inner.lists_once()
    }
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.inner.commit().await
    }
}

/// A database of its own with a user behind the wall; both are gone afterwards.
struct Place {
    server: String,
    name: String,
}

impl Place {
    async fn new() -> Self {
        let server = std::env::var("ISP_TEST_PG").expect("ISP_TEST_PG is not set: run through scripts/with_pg");
        let place = Self { server, name: format!("isp_crossing_{}", Uuid::now_v7().simple()) };
        place.admin(&format!("CREATE DATABASE {}", place.name)).await;
        place.admin(&format!("CREATE ROLE {} LOGIN", place.name)).await;
        crate::migrate(&place.url(false)).await.unwrap();
        let walled = crate::wall(&place.url(false), &place.name).await.unwrap();
        assert!(walled.now.len() == walled.tables && walled.tables > 50, "{walled:?}");
        place
    }

    async fn admin(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
    }

    fn url(&self, behind: bool) -> String {
        let (head, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (head, _) = head.rsplit_once('/').unwrap();
        let host = head.rsplit_once('@').map_or("localhost", |(_, host)| host);
        let head = if behind { format!("postgres://{}@{host}", self.name) } else { head.to_owned() };
        format!("{head}/{}?{query}", self.name)
    }

    async fn gone(self) {
        self.admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        self.admin(&format!("DROP ROLE {}", self.name)).await;
    }

    /// A sum over all rows of each table that are not of this tenant, as the owner sees them.
    async fn sums(&self, but: TenantId) -> BTreeMap<String, (i64, Option<String>)> {
        let mut owner = PgConnection::connect(&self.url(false)).await.unwrap();
        let tables = "SELECT DISTINCT table_name::text FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name = 'tenant_id'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut owner).await.unwrap();
        let mut sums = BTreeMap::new();
        for table in tables {
            let sql = format!(
                "SELECT COUNT(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t WHERE tenant_id <> $1"
            );
            let sum = sqlx::query_as(AssertSqlSafe(sql)).bind(but.0).fetch_one(&mut owner).await.unwrap();
            sums.insert(table, sum);
        }
        owner.close().await.unwrap();
        sums
    }
}

/// What a statement came to: the cells that it gave, or how many rows it touched; nothing when it was refused.
async fn say(connection: &mut PgConnection, said: &Said) -> Result<Vec<Vec<Option<Vec<u8>>>>, sqlx::Error> {
    let query =
        || sqlx::query_with(AssertSqlSafe(said.sql.clone()), bind(said.args.clone()).unwrap()).persistent(false);
    let writes = !said.sql.trim_start().starts_with("SELECT") && !said.sql.contains("RETURNING");
    if writes {
        let touched = query().execute(connection).await?.rows_affected();
        // As a row, so that both are compared alike: zero rows touched are none.
        return Ok((0..touched).map(|_| Vec::new()).collect());
    }
    let rows: Vec<PgRow> = query().fetch_all(connection).await?;
    let cell = |row: &PgRow, at: usize| {
        let value = row.try_get_raw(at).unwrap();
        (!value.is_null()).then(|| value.as_bytes().unwrap().to_vec())
    };
    Ok(rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect())
}

/// The same, said of a tenant that has nothing.
fn of_nobody(said: &Said, nobody: TenantId) -> Said {
    let args = said.args.iter().map(|value| match value {
        Value::Id(id) if *id == said.tenant.0 => Value::Id(nobody.0),
        other => other.clone(),
    });
    Said { args: args.collect(), ..said.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_the_store_crosses_the_wall() {
    use isp_core::testing::{contract, sample};
    let place = Place::new().await;
    let notes = Notes::default();
    let inner = Postgres::open(super::options(&place.url(true)).unwrap()).await.unwrap();
    assert!(!inner.sees_all());
    let engine = Noting { inner, notes: Arc::clone(&notes) };
    let store = SqlStore::new(Box::new(engine), Vault::from_text(&"7e".repeat(32)).unwrap());
    contract::store::run_all(&store).await;
    contract::inbox::run_all(&store, 900).await;
    for tenant in [sample::tenant(1_000), sample::tenant(900)] {
        store.verify_audit(tenant).await.unwrap();
        store.audit_of(tenant, Uuid::nil()).await.unwrap();
    }
    let said: Vec<Vec<Said>> = notes.lock().unwrap().values().cloned().collect();
    assert!(said.len() > 250, "{} statements", said.len());

    let (other, nobody) = (sample::tenant(77), sample::tenant(78));
    let before = place.sums(other).await;
    assert!(before.values().filter(|(count, _)| *count > 0).count() > 45, "{before:?}");
    let mut behind = PgConnection::connect(&place.url(true)).await.unwrap();
    let mut owner = PgConnection::connect(&place.url(false)).await.unwrap();
    let mut would_cross = 0;
    let mut crossed = Vec::new();
    for times in &said {
        let mut crosses = false;
        for said in times {
            // What the owner would see or write, so that it is known that there is something to be seen.
            let mut transaction = owner.begin().await.unwrap();
            let by_owner = say(&mut transaction, said).await;
            transaction.rollback().await.unwrap();
            let mut transaction = owner.begin().await.unwrap();
            let by_owner_of_nobody = say(&mut transaction, &of_nobody(said, nobody)).await.unwrap_or_default();
            transaction.rollback().await.unwrap();
            crosses |= by_owner.is_ok_and(|rows| rows != by_owner_of_nobody);

            let mut transaction = behind.begin().await.unwrap();
            for setting in wall::settings(other, false) {
                transaction.execute(AssertSqlSafe(setting)).await.unwrap();
            }
            match say(&mut transaction, said).await {
                Ok(rows) => {
                    // Written for good, so that whatever got through is found below.
                    transaction.commit().await.unwrap();
                    let mut transaction = behind.begin().await.unwrap();
                    for setting in wall::settings(other, false) {
                        transaction.execute(AssertSqlSafe(setting)).await.unwrap();
                    }
                    let of_nobody = say(&mut transaction, &of_nobody(said, nobody)).await;
                    transaction.rollback().await.unwrap();
                    if !of_nobody.is_ok_and(|of_nobody| of_nobody == rows) {
                        crossed.push(said.sql.clone());
                    }
                }
                Err(sqlx::Error::Database(error)) => {
                    transaction.rollback().await.unwrap();
                    // A row of somebody else; one that names rows which cannot be seen.
                    let code = error.code().unwrap_or_default().into_owned();
                    if !["42501", "23503"].contains(&&*code) {
                        crossed.push(format!("{code}: {}", said.sql));
                    }
                }
                Err(error) => panic!("{error}: {}", said.sql),
            }
        }
        would_cross += usize::from(crosses);
    }
    assert!(crossed.is_empty(), "{}", crossed.join("\n"));
    println!("{} statements, of which {would_cross} would have crossed without the wall, and none did", said.len());
    assert!(would_cross * 2 > said.len(), "{would_cross} of {}", said.len());
    let after = place.sums(other).await;
    assert_eq!(before, after);
    // Nor did a row come to be the other tenant's.
    for (table, (count, _)) in place.sums(nobody).await {
        assert_eq!(count, after[&table].0, "{table}");
    }
    behind.close().await.unwrap();
    owner.close().await.unwrap();
    store.close().await;
    place.gone().await;
}
