//! Finding a database by its URL, its migrations, and the check of the key.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isp_core::ids::TenantId;
use isp_core::ports::{Store, StoreError};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, SqlSafeStr as _};
use uuid::Uuid;

use crate::error::{rejected, store_error, unavailable};
use crate::postgres::{self, Postgres};
use crate::session::{Engine, first};
use crate::sqlite::{self, Sqlite};
use crate::store::SqlStore;
use crate::value::args;
use crate::vault::{Place, Vault};

/// What a database that lacks tables is answered with.
const RUN_MIGRATE: &str = "the database lacks the tables of this version; run `isp migrate`";

/// Where the migrations of a database stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Versions that were applied, in order.
    pub applied: Vec<i64>,
    /// Versions that [`migrate`] would apply, in order.
    pub pending: Vec<i64>,
    /// Versions in the database that this program does not know: it was written by a newer one.
    pub unknown: Vec<i64>,
}

/// Which database a URL names.
enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

fn target(url: &str) -> Result<Target, StoreError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') {
            return Err(rejected("the database URL names no file; write sqlite:FILE"));
        }
        Ok(Target::Sqlite(PathBuf::from(path)))
    } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        postgres::options(url).map(|options| Target::Postgres(Box::new(options)))
    } else {
        Err(rejected("the database URL begins with neither sqlite: nor postgres:"))
    }
}

/// Opens a store: `sqlite:FILE`, `sqlite://FILE`, `postgres://...`, `postgres:///NAME?host=/SOCKET/DIRECTORY`.
///
/// # Errors
/// [`StoreError::Rejected`] for a URL of another kind and for a database without the tables of this version, which says
/// `isp migrate`; [`StoreError::Corrupt`] when the vault's keys are not those that sealed what is in it, or the file is
/// damaged; [`StoreError::Unavailable`].
pub async fn open(url: &str, vault: Vault) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqlStore::open(url, vault).await?))
}

/// Opens the engine of a URL and checks tables and key.
pub(crate) async fn engine(url: &str, vault: &Vault) -> Result<Box<dyn Engine>, StoreError> {
    let status = migration_status(url).await?;
    if !status.unknown.is_empty() {
        return Err(rejected("the database was written by a newer version of this program"));
    }
    if !status.pending.is_empty() {
        return Err(rejected(RUN_MIGRATE));
    }
    let engine: Box<dyn Engine> = match target(url)? {
        Target::Sqlite(path) => Box::new(Sqlite::open(&path, &[]).await?),
        Target::Postgres(options) => Box::new(Postgres::open(*options).await?),
    };
    check_key(engine.as_ref(), vault).await?;
    Ok(engine)
}

/// Creates the tables of this version. Running it again changes nothing. A SQLite file is made if there is none, readable
/// by its owner only.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Rejected`] when the database was written by a
/// newer version.
pub async fn migrate(url: &str) -> Result<MigrationStatus, StoreError> {
    match target(url)? {
        Target::Sqlite(path) => {
            create_private(&path)?;
            let mut connection = sqlite_connection(&path).await?;
            migrator(sqlite_migrations()).run_direct(None, &mut connection, false).await.map_err(migrate_error)?;
            connection.close().await.map_err(store_error)?;
        }
        Target::Postgres(options) => {
            let mut connection = PgConnection::connect_with(&options).await.map_err(store_error)?;
            migrator(postgres_migrations()).run_direct(None, &mut connection, false).await.map_err(migrate_error)?;
            connection.close().await.map_err(store_error)?;
        }
    }
    migration_status(url).await
}

/// Which migrations a database has and lacks. Changes nothing.
///
/// # Errors
/// [`StoreError::Rejected`] when there is no SQLite file, [`StoreError::Unavailable`], [`StoreError::Corrupt`].
pub async fn migration_status(url: &str) -> Result<MigrationStatus, StoreError> {
    let (applied, known) = match target(url)? {
        Target::Sqlite(path) => {
            if !path.exists() {
                return Err(rejected(format!("there is no database file; {RUN_MIGRATE}")));
            }
            let mut connection = sqlite_connection(&path).await?;
            let there = "SELECT COUNT(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'";
            let there: bool = sqlx::query_scalar(there).fetch_one(&mut connection).await.map_err(store_error)?;
            let applied = if there { applied(&mut connection).await? } else { Vec::new() };
            connection.close().await.map_err(store_error)?;
            (applied, sqlite_migrations())
        }
        Target::Postgres(options) => {
            let mut connection = PgConnection::connect_with(&options).await.map_err(store_error)?;
            let there = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
            let there: bool = sqlx::query_scalar(there).fetch_one(&mut connection).await.map_err(store_error)?;
            let applied = if there { applied(&mut connection).await? } else { Vec::new() };
            connection.close().await.map_err(store_error)?;
            (applied, postgres_migrations())
        }
    };
    let known: Vec<i64> = known.iter().map(|m| m.version).collect();
    Ok(MigrationStatus {
        pending: known.iter().copied().filter(|v| !applied.contains(v)).collect(),
        unknown: applied.iter().copied().filter(|v| !known.contains(v)).collect(),
        applied,
    })
}

async fn applied(connection: &mut impl sqlx::migrate::Migrate) -> Result<Vec<i64>, StoreError> {
    let applied = connection.list_applied_migrations("_sqlx_migrations").await.map_err(migrate_error)?;
    Ok(applied.into_iter().map(|m| m.version).collect())
}

async fn sqlite_connection(path: &Path) -> Result<SqliteConnection, StoreError> {
    SqliteConnection::connect_with(&sqlite::options(path)).await.map_err(store_error)
}

fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(unavailable(format!("the database file cannot be made: {}", e.kind()))),
    }
}

fn migrator(migrations: Vec<Migration>) -> Migrator {
    Migrator::with_migrations(migrations)
}

fn migration(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
}

fn sqlite_migrations() -> Vec<Migration> {
    vec![
        migration(1, "initial", include_str!("../migrations/sqlite/0001_initial.sql")),
        migration(2, "credit", include_str!("../migrations/sqlite/0002_credit.sql")),
        migration(3, "first_fee", include_str!("../migrations/sqlite/0003_first_fee.sql")),
        migration(4, "statements", include_str!("../migrations/sqlite/0004_statements.sql")),
        migration(6, "claims", include_str!("../migrations/sqlite/0006_claims.sql")),
    ]
}

fn postgres_migrations() -> Vec<Migration> {
    vec![
        migration(1, "initial", include_str!("../migrations/postgres/0001_initial.sql")),
        migration(2, "credit", include_str!("../migrations/postgres/0002_credit.sql")),
        migration(3, "first_fee", include_str!("../migrations/postgres/0003_first_fee.sql")),
        migration(4, "statements", include_str!("../migrations/postgres/0004_statements.sql")),
        migration(6, "claims", include_str!("../migrations/postgres/0006_claims.sql")),
    ]
}

fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => store_error(e),
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
            rejected("the database was written by a newer version of this program")
        }
        MigrateError::VersionMismatch(version) => {
            rejected(format!("migration {version} of the database is not the one of this program"))
        }
        MigrateError::Dirty(version) => rejected(format!("migration {version} was left half done")),
        _ => rejected("the migrations cannot be run"),
    }
}

/// Compares the vault with the one that the database was first opened with, by a sealed value that says nothing.
pub(crate) async fn check_key(engine: &dyn Engine, vault: &Vault) -> Result<(), StoreError> {
    const CHECK: &str = "isp";
    let place = Place { table: "meta", column: "vault_check", tenant: TenantId(Uuid::nil()), row: Uuid::nil() };
    let select = "SELECT value FROM meta WHERE key = 'vault_check'";
    let mut session = engine.read().await?;
    let mut sealed: Option<Vec<u8>> = first(session.as_mut(), "key check", select, Vec::new(), |r| r.get()).await?;
    drop(session);
    if sealed.is_none() {
        let mut session = engine.write().await?;
        let insert = "INSERT INTO meta (key, value) VALUES ('vault_check', $1) ON CONFLICT (key) DO NOTHING";
        session.execute(insert, args![vault.seal(place, CHECK)?]).await?;
        sealed = first(session.as_mut(), "key check", select, Vec::new(), |r| r.get()).await?;
        session.commit().await?;
    }
    let opened = vault.open(place, &sealed.unwrap_or_default());
    if opened.is_ok_and(|clear| clear.reveal() == CHECK) {
        Ok(())
    } else {
        Err(StoreError::Corrupt {
            what: "key check",
            reason: "the key is not the one that sealed this database; use its key file".to_owned(),
        })
    }
}
