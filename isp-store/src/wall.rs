//! A second wall between tenants, in PostgreSQL itself. Each statement of ours names its tenant; where one forgets to, or names
//! another, the database shows and takes only rows of the tenant that the transaction is about.
//!
//! The owner of the tables is not held up by it: it migrates, copies and looks through all tenants. The program works as another
//! user, which [`wall`](crate::wall()) gives the rights to. A transaction names its tenant by a setting that ends with it. One that names none is
//! refused everything.

use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPool};

use crate::error::{rejected, store_error};
use crate::patience::patiently;

/// Why what concerns all providers is not done by a user that sees one at a time.
pub(crate) const BEHIND_WALL: &str =
    "its user stands behind the wall between providers; name the user that owns the tables in the database URL";
/// The table by which it is told whether there is a wall.
const FIRST: &str = "tenants";
/// The name of the rule on each table.
const RULE: &str = "tenant_wall";
/// Whether the user of a connection stands behind the wall.
pub(crate) const STANDS_BEHIND: &str = "COALESCE(row_security_active(to_regclass('tenants')::oid), FALSE)";
/// Our tables: those with a tenant, of the schema that is worked in.
const TABLES: &str = "FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT c.relispartition AND EXISTS (SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)";
/// Whether a table has the rule, the same as the first table's, and no other beside it.
const HAS_RULE: &str =
    "c.relrowsecurity AND (SELECT COUNT(*) = 1 AND bool_and(p.polname = 'tenant_wall' AND p.polcmd = '*'
        AND p.polpermissive AND p.polroles = '{0}' AND p.polwithcheck IS NULL
        AND strpos(pg_get_expr(p.polqual, p.polrelid), 'current_setting(''isp.tenant''') > 0
        AND pg_get_expr(p.polqual, p.polrelid) = (SELECT pg_get_expr(f.polqual, f.polrelid) FROM pg_policy f
            WHERE f.polrelid = to_regclass('tenants') AND f.polname = 'tenant_wall'))
    FROM pg_policy p WHERE p.polrelid = c.oid)";
/// What a user behind the wall may do with a table that has no tenant. The row of the key is only read, and locked while somebody
/// seals; it is added once.
const META: [(&str, &str); 3] = [
    ("wall_read", "FOR SELECT USING (TRUE)"),
    ("wall_key", "FOR INSERT WITH CHECK (key = 'vault_check')"),
    ("wall_lock", "FOR UPDATE USING (TRUE) WITH CHECK (FALSE)"),
];

/// What building the wall came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Walled {
    /// The tables that got their rule by this call; empty when all had it before.
    pub now: Vec<String>,
    /// How many tables have it in all.
    pub tables: usize,
}

/// A place where the wall does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    /// As in a finding of the doctor.
    pub(crate) kind: &'static str,
    /// Names of tables or users.
    pub(crate) about: Vec<String>,
}

/// The statements by which a transaction says whose it is. Each is sent alone to a cluster, which hands the settings of a transaction on
/// to its nodes only when it was told so before.
pub(crate) fn settings(tenant: TenantId, cluster: bool) -> Vec<String> {
    let told = cluster.then(|| "SET LOCAL citus.propagate_set_commands TO 'local'".to_owned());
    told.into_iter().chain([format!("SET LOCAL isp.tenant TO '{}'", tenant.0)]).collect()
}

/// Builds the wall for tables that came after it, where there is one.
pub(crate) async fn keep(connection: &mut PgConnection, cluster: bool) -> Result<(), StoreError> {
    let up = "SELECT COALESCE((SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass('tenants')), FALSE)";
    if sqlx::query_scalar(up).fetch_one(&mut *connection).await.map_err(store_error)? {
        let users = users(connection).await?;
        build(connection, &users, cluster).await?;
    }
    Ok(())
}

/// Fails for a user behind the wall: what concerns all providers is the owner's.
pub(crate) async fn refuse_behind(connection: &mut PgConnection) -> Result<(), StoreError> {
    let sql = format!("SELECT {STANDS_BEHIND}");
    let behind: bool = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(store_error)?;
    if behind { Err(rejected(BEHIND_WALL)) } else { Ok(()) }
}

/// Where the wall has gaps: tables without the rule, users that pass it. None where there is no wall.
pub(crate) async fn gaps(pool: &PgPool) -> Result<Vec<Gap>, StoreError> {
    // In one transaction, and nothing kept prepared: behind a pooler the server is another's afterwards.
    let mut transaction = pool.begin().await.map_err(store_error)?;
    let pool = &mut *transaction;
    let sql = format!("SELECT COALESCE((SELECT c.relrowsecurity {TABLES} AND c.relname = '{FIRST}'), FALSE)");
    if !sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql))
        .persistent(false)
        .fetch_one(&mut *pool)
        .await
        .map_err(store_error)?
    {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT c.relname::text {TABLES} AND NOT ({HAS_RULE}) ORDER BY 1");
    let mut tables: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false).fetch_all(&mut *pool).await.map_err(store_error)?;
    let sql = "SELECT COALESCE((SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass('meta')), TRUE)";
    if !sqlx::query_scalar::<_, bool>(sql).persistent(false).fetch_one(&mut *pool).await.map_err(store_error)? {
        tables.push("meta".to_owned());
    }
    // Who works with the tables: the user of this connection, and all that were given rights to them.
    let sql = "SELECT r.rolname::text FROM pg_roles r, pg_class c WHERE c.oid = to_regclass('tenants')
        AND (r.rolname = current_user
            OR r.oid IN (SELECT grantee FROM aclexplode(c.relacl) WHERE grantee <> c.relowner))
        AND (r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, c.relowner, 'MEMBER')) ORDER BY 1";
    let users: Vec<String> =
        sqlx::query_scalar(sql).persistent(false).fetch_all(&mut *pool).await.map_err(store_error)?;
    let gaps = [Gap { kind: "wall.table", about: tables }, Gap { kind: "wall.user", about: users }];
    Ok(gaps.into_iter().filter(|gap| !gap.about.is_empty()).collect())
}

/// Fails for a user that is not there, or that could pass the wall.
pub(crate) async fn may_stand_behind(connection: &mut PgConnection, user: &str) -> Result<(), StoreError> {
    let sql = "SELECT r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, c.relowner, 'MEMBER')
        FROM pg_roles r, pg_class c WHERE r.rolname = $1 AND c.oid = to_regclass('tenants')";
    match sqlx::query_scalar(sql).bind(user).fetch_optional(connection).await.map_err(store_error)? {
        None => Err(rejected(format!(
            "its server has no user \"{user}\"; make it there: CREATE ROLE \"{user}\" LOGIN PASSWORD '...'"
        ))),
        Some(true) => Err(rejected(format!(
            "the user \"{user}\" would pass the wall: it is a superuser, has BYPASSRLS, or is or becomes the owner of the tables"
        ))),
        Some(false) => Ok(()),
    }
}

/// The users that were given rights to the tables.
async fn users(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let sql =
        "SELECT DISTINCT r.rolname::text FROM pg_class c, aclexplode(c.relacl) g JOIN pg_roles r ON r.oid = g.grantee
        WHERE c.oid = to_regclass('tenants') AND g.grantee <> c.relowner AND g.privilege_type = 'INSERT' ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(connection).await.map_err(store_error)
}

/// Gives each table its rule, and the users their rights. The first table is the last to be walled, so that a wall that is said to be
/// there is whole.
pub(crate) async fn build(
    connection: &mut PgConnection,
    users: &[String],
    cluster: bool,
) -> Result<Walled, StoreError> {
    let mut quoted = Vec::with_capacity(users.len());
    for user in users {
        let sql = "SELECT quote_ident($1)";
        quoted.push(
            sqlx::query_scalar::<_, String>(sql).bind(user).fetch_one(&mut *connection).await.map_err(store_error)?,
        );
    }
    let sql = format!(
        "SELECT c.relname::text, c.relrowsecurity, COALESCE({HAS_RULE}, FALSE) {TABLES}
        ORDER BY c.relname = '{FIRST}', c.oid"
    );
    let tables: Vec<(String, bool, bool)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.map_err(store_error)?;
    if tables.is_empty() {
        return Err(StoreError::Outdated);
    }
    let to = quoted.join(", ");
    let tenant = match cluster {
        // Citus takes no query in a rule.
        true => "current_setting('isp.tenant')::uuid",
        // Read once a statement, not once a row.
        false => "(SELECT current_setting('isp.tenant')::uuid)",
    };
    let mut now = Vec::new();
    rules_of_meta(connection, &to).await?;
    for (table, secured, ruled) in &tables {
        if !to.is_empty() {
            patiently(connection, format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {to}")).await?;
        }
        if *ruled {
            continue;
        }
        if !secured {
            patiently(connection, format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")).await?;
        }
        // Any other rule beside ours would let rows through.
        let sql = "SELECT quote_ident(polname) FROM pg_policy WHERE polrelid = to_regclass($1)";
        let rules: Vec<String> =
            sqlx::query_scalar(sql).bind(table).fetch_all(&mut *connection).await.map_err(store_error)?;
        for rule in rules {
            patiently(connection, format!("DROP POLICY {rule} ON {table}")).await?;
        }
        // Without the setting it fails.
        patiently(connection, format!("CREATE POLICY {RULE} ON {table} USING (tenant_id = {tenant})")).await?;
        now.push(table.clone());
    }
    Ok(Walled { now, tables: tables.len() })
}

/// The two tables that have no tenant: where the migrations stand, and the row of the key.
async fn rules_of_meta(connection: &mut PgConnection, to: &str) -> Result<(), StoreError> {
    if !to.is_empty() {
        for sql in [
            format!("GRANT SELECT ON _sqlx_migrations TO {to}"),
            format!("GRANT SELECT, INSERT, UPDATE ON meta TO {to}"),
        ] {
            patiently(connection, sql).await?;
        }
        // Rows are staged in tables of a transaction.
        let sql = "SELECT format('GRANT TEMPORARY ON DATABASE %I TO ', current_database()), format('GRANT USAGE ON SCHEMA %I TO ', current_schema())";
        let (database, schema): (String, String) =
            sqlx::query_as(sql).fetch_one(&mut *connection).await.map_err(store_error)?;
        patiently(connection, database + to).await?;
        patiently(connection, schema + to).await?;
    }
    let sql = "SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass('meta')";
    let secured: Option<bool> = sqlx::query_scalar(sql).fetch_optional(&mut *connection).await.map_err(store_error)?;
    if secured == Some(false) {
        patiently(connection, "ALTER TABLE meta ENABLE ROW LEVEL SECURITY".to_owned()).await?;
    }
    for (rule, what) in META {
        let sql = "SELECT EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = to_regclass('meta') AND polname = $1)";
        let there: bool = sqlx::query_scalar(sql).bind(rule).fetch_one(&mut *connection).await.map_err(store_error)?;
        if !there {
            patiently(connection, format!("CREATE POLICY {rule} ON meta {what}")).await?;
        }
    }
    Ok(())
}
