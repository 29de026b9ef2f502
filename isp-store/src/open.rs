//! Finding a database by its URL, its migrations, and the check of the key.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use isp_core::ports::StoreError;
use sqlx::migrate::{AppliedMigration, Migrate as _, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, SqlSafeStr as _};

use crate::citus::{self, Distributed, Part};
use crate::error::{rejected, store_error, unavailable};
use crate::postgres::{self, Postgres};
use crate::session::{Engine, Whose, first};
use crate::sqlite::{self, Sqlite};
use crate::value::args;
use crate::vault::Vault;
use crate::wall::{self, Walled};

/// Where the migrations of a database stand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Versions that were applied, in order.
    pub applied: Vec<i64>,
    /// Versions that [`migrate`] would apply, in order.
    pub pending: Vec<i64>,
    /// Versions in the database that this program does not know: it was written by a newer one.
    pub unknown: Vec<i64>,
    /// Versions that were applied in another wording than this program's.
    pub changed: Vec<i64>,
}

/// Which database a URL names.
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// Reads a URL.
pub(crate) fn target(url: &str) -> Result<Target, StoreError> {
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

/// Opens the engine of a URL and checks tables and key.
pub(crate) async fn engine(url: &str, vault: &Vault) -> Result<Box<dyn Engine>, StoreError> {
    let status = migration_status(url).await?;
    if !status.unknown.is_empty() {
        return Err(StoreError::Newer);
    }
    if let Some(version) = status.changed.first() {
        return Err(StoreError::Migration { version: *version });
    }
    if !status.pending.is_empty() {
        return Err(StoreError::Outdated);
    }
    let engine: Box<dyn Engine> = match target(url)? {
        Target::Sqlite(path) => Box::new(Sqlite::open(&path, &[]).await?),
        Target::Postgres(options) => Box::new(Postgres::open(*options).await?),
    };
    // A store without a key is only read, and shows nothing that is sealed.
    if !vault.is_locked() {
        check_key(engine.as_ref(), vault).await?;
    }
    Ok(engine)
}

/// True when a key has sealed something in this database, so that no other key may take its place. False when there is
/// no database, or an empty one.
///
/// # Errors
/// As [`migration_status`], but for a database that is not there.
pub async fn has_key(url: &str) -> Result<bool, StoreError> {
    const TABLE: &str = "meta";
    let sealed = "SELECT COUNT(*) > 0 FROM meta WHERE key = 'vault_check'";
    match target(url)? {
        Target::Sqlite(path) => {
            if !path.exists() {
                return Ok(false);
            }
            let mut connection = sqlite_connection(&path).await?;
            let there = "SELECT COUNT(*) > 0 FROM sqlite_master WHERE name = $1";
            let there: bool =
                sqlx::query_scalar(there).bind(TABLE).fetch_one(&mut connection).await.map_err(store_error)?;
            let found = match there {
                true => sqlx::query_scalar(sealed).fetch_one(&mut connection).await.map_err(store_error)?,
                false => false,
            };
            connection.close().await.map_err(store_error)?;
            Ok(found)
        }
        Target::Postgres(options) => {
            postgres::briefly(&options, async |connection| {
                let there = "SELECT to_regclass($1) IS NOT NULL";
                let there = sqlx::query_scalar(there).bind(TABLE).persistent(false);
                match there.fetch_one(&mut *connection).await.map_err(store_error)? {
                    true => {
                        sqlx::query_scalar(sealed).persistent(false).fetch_one(connection).await.map_err(store_error)
                    }
                    false => Ok(false),
                }
            })
            .await
        }
    }
}

/// Creates the tables of this version. Running it again changes nothing. A SQLite file is made if there is none, readable
/// by its owner only.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Damaged`], [`StoreError::Newer`], [`StoreError::Migration`] when one that
/// was applied is not the one of this program.
pub async fn migrate(url: &str) -> Result<MigrationStatus, StoreError> {
    match target(url)? {
        Target::Sqlite(path) => {
            create_private(&path)?;
            // A table that others name is written anew; SQLite would refuse to drop the old one.
            let options = sqlite::options(&path).foreign_keys(false);
            let mut connection = SqliteConnection::connect_with(&options).await.map_err(store_error)?;
            migrator(sqlite_migrations()).run_direct(None, &mut connection, false).await.map_err(migrate_error)?;
            let broken =
                sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.map_err(store_error)?;
            if !broken.is_empty() {
                let reason = format!("{} rows name others that do not exist", broken.len());
                return Err(StoreError::Corrupt { what: "database file", reason });
            }
            connection.close().await.map_err(store_error)?;
        }
        Target::Postgres(options) => {
            // A change of the tables may take longer than a statement of a run.
            let options = options.options([("statement_timeout", "0")]);
            let mut connection = postgres::connect(&options).await?;
            postgres::refuse_pooler(&mut connection).await?;
            wall::refuse_behind(&mut connection).await?;
            let part = citus::part(&mut connection).await?;
            match part {
                Part::Coordinator => _ = citus::migrate(&mut connection).await?,
                part => {
                    citus::refuse_worker(part)?;
                    migrate_undistributed(&mut connection).await?;
                }
            }
            alone(&mut connection, async |c| wall::keep(c, part == Part::Coordinator).await).await?;
            connection.close().await.map_err(store_error)?;
        }
    }
    migration_status(url).await
}

/// Creates the tables of this version on a Citus cluster, as [`migrate`], and distributes by tenant all that are not distributed
/// yet. Running it again changes nothing; one that was stopped in between goes on where it was. From then on [`migrate`]
/// distributes new tables, too. Nobody else may use the database meanwhile.
///
/// # Errors
/// [`StoreError::Rejected`] when the database is none of PostgreSQL with Citus, or the server is a worker; otherwise as [`migrate`].
pub async fn distribute(url: &str) -> Result<Distributed, StoreError> {
    match target(url)? {
        Target::Sqlite(_) => Err(rejected("a SQLite file cannot be distributed; Citus is an extension of PostgreSQL")),
        Target::Postgres(options) => citus::distribute(&options.options([("statement_timeout", "0")])).await,
    }
}

/// Builds the wall in a PostgreSQL database whose tables are current, for a user of the server that is there already, and gives it the
/// rights that the program needs. Running it again changes nothing; one that was stopped in between goes on where it was.
/// [`migrate`] keeps it up for new tables. Other users than the owner and this one are shut out.
///
/// # Errors
/// [`StoreError::Rejected`] for a SQLite file, for a user that is not there or could pass the wall, and when the user of the URL is
/// not the owner of the tables; [`StoreError::Outdated`]; [`StoreError::Unavailable`].
pub async fn wall(url: &str, user: &str) -> Result<Walled, StoreError> {
    let Target::Postgres(options) = target(url)? else {
        return Err(rejected("a SQLite file has no users; a wall between providers is PostgreSQL's"));
    };
    let status = migration_status(url).await?;
    if !status.pending.is_empty() {
        return Err(StoreError::Outdated);
    }
    let mut connection = postgres::connect(&options.options([("statement_timeout", "0")])).await?;
    postgres::refuse_pooler(&mut connection).await?;
    let part = citus::part(&mut connection).await?;
    citus::refuse_worker(part)?;
    wall::refuse_behind(&mut connection).await?;
    wall::may_stand_behind(&mut connection, user).await?;
    let cluster = part == Part::Coordinator;
    let build = async |connection: &mut PgConnection| {
        let done = wall::build(connection, &[user.to_owned()], cluster).await?;
        if cluster {
            citus::limit_waiting(connection, user).await?;
        }
        Ok(done)
    };
    let done = alone(&mut connection, build).await?;
    connection.close().await.map_err(store_error)?;
    Ok(done)
}

/// Changes tables or rights of a database while no other `isp` does: PostgreSQL fails the second of two that change the rights to one table
/// at once. The lock is the one that migrations are run under; a connection that ends gives it back.
pub(crate) async fn alone<T>(
    connection: &mut PgConnection,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.lock().await.map_err(migrate_error)?;
    let done = work(&mut *connection).await;
    connection.unlock().await.map_err(migrate_error)?;
    done
}

/// Runs the migrations on a PostgreSQL server by itself.
pub(crate) async fn migrate_undistributed(connection: &mut PgConnection) -> Result<(), StoreError> {
    migrator(postgres_migrations()).run_direct(None, connection, false).await.map_err(migrate_error)
}

/// Which migrations a database has and lacks. Changes nothing.
///
/// # Errors
/// [`StoreError::Missing`] when there is no SQLite file, [`StoreError::Unavailable`], [`StoreError::Damaged`].
pub async fn migration_status(url: &str) -> Result<MigrationStatus, StoreError> {
    let (applied, known) = match target(url)? {
        Target::Sqlite(path) => {
            if !path.exists() {
                return Err(StoreError::Missing);
            }
            let mut connection = sqlite_connection(&path).await?;
            let there = "SELECT COUNT(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'";
            let there: bool = sqlx::query_scalar(there).fetch_one(&mut connection).await.map_err(store_error)?;
            let applied = if there { applied(&mut connection).await? } else { Vec::new() };
            connection.close().await.map_err(store_error)?;
            (applied, sqlite_migrations())
        }
        Target::Postgres(options) => {
            let applied = postgres::briefly(&options, async |connection| {
                let there = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
                let there = sqlx::query_scalar(there).persistent(false);
                if !there.fetch_one(&mut *connection).await.map_err(store_error)? {
                    return Ok(Vec::new());
                }
                let sql = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
                let rows = sqlx::query_as::<_, (i64, Vec<u8>)>(sql).persistent(false).fetch_all(connection).await;
                let applied =
                    |(version, checksum): (i64, Vec<u8>)| AppliedMigration { version, checksum: checksum.into() };
                Ok(rows.map_err(store_error)?.into_iter().map(applied).collect())
            });
            (applied.await?, postgres_migrations())
        }
    };
    Ok(stands(&known, &applied))
}

/// Where a database with these migrations stands.
pub(crate) fn stands(known: &[Migration], applied: &[AppliedMigration]) -> MigrationStatus {
    let of = |version: i64| known.iter().find(|m| m.version == version);
    let versions: Vec<i64> = applied.iter().map(|m| m.version).collect();
    MigrationStatus {
        pending: known.iter().map(|m| m.version).filter(|v| !versions.contains(v)).collect(),
        unknown: versions.iter().copied().filter(|v| of(*v).is_none()).collect(),
        changed: applied
            .iter()
            .filter(|a| of(a.version).is_some_and(|m| m.checksum != a.checksum))
            .map(|a| a.version)
            .collect(),
        applied: versions,
    }
}

/// The migrations that were applied.
pub(crate) async fn applied(connection: &mut impl sqlx::migrate::Migrate) -> Result<Vec<AppliedMigration>, StoreError> {
    connection.list_applied_migrations("_sqlx_migrations").await.map_err(migrate_error)
}

/// A connection to a SQLite file that exists.
pub(crate) async fn sqlite_connection(path: &Path) -> Result<SqliteConnection, StoreError> {
    // Before it is opened: a pipe would be waited for, and a device would be written to.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(StoreError::Damaged { reason: "it is no ordinary file".to_owned() });
    }
    SqliteConnection::connect_with(&sqlite::options(path)).await.map_err(store_error)
}

/// Makes an empty file for its owner only, unless there is one.
pub(crate) fn create_private(path: &Path) -> Result<(), StoreError> {
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

/// The migrations of this program for SQLite.
pub(crate) fn sqlite_migrations() -> Vec<Migration> {
    vec![
        migration(1, "initial", include_str!("../migrations/sqlite/0001_initial.sql")),
        migration(2, "credit", include_str!("../migrations/sqlite/0002_credit.sql")),
        migration(3, "first_fee", include_str!("../migrations/sqlite/0003_first_fee.sql")),
        migration(4, "statements", include_str!("../migrations/sqlite/0004_statements.sql")),
        migration(5, "last_run", include_str!("../migrations/sqlite/0005_last_run.sql")),
        migration(6, "claims", include_str!("../migrations/sqlite/0006_claims.sql")),
        migration(7, "identity", include_str!("../migrations/sqlite/0007_identity.sql")),
        migration(8, "corrections", include_str!("../migrations/sqlite/0008_corrections.sql")),
        migration(10, "charged until", include_str!("../migrations/sqlite/0010_charged_until.sql")),
        migration(11, "expense pph23", include_str!("../migrations/sqlite/0011_expense_pph23.sql")),
        migration(12, "past", include_str!("../migrations/sqlite/0012_past.sql")),
        migration(13, "services", include_str!("../migrations/sqlite/0013_services.sql")),
        migration(14, "machines", include_str!("../migrations/sqlite/0014_machines.sql")),
        migration(15, "instalment step", include_str!("../migrations/sqlite/0015_instalment_step.sql")),
        migration(16, "requests", include_str!("../migrations/sqlite/0016_requests.sql")),
        migration(17, "mutations", include_str!("../migrations/sqlite/0017_mutations.sql")),
        migration(18, "gateways", include_str!("../migrations/sqlite/0018_gateways.sql")),
        migration(19, "inbox", include_str!("../migrations/sqlite/0019_inbox.sql")),
        migration(20, "proofs", include_str!("../migrations/sqlite/0020_proofs.sql")),
        migration(21, "opt in", include_str!("../migrations/sqlite/0021_opt_in.sql")),
        migration(22, "device money", include_str!("../migrations/sqlite/0022_device_money.sql")),
        migration(23, "run leases", include_str!("../migrations/sqlite/0023_run_leases.sql")),
        migration(24, "audit", include_str!("../migrations/sqlite/0024_audit.sql")),
        migration(25, "withheld", include_str!("../migrations/sqlite/0025_withheld.sql")),
        migration(26, "left accounts", include_str!("../migrations/sqlite/0026_left_accounts.sql")),
        migration(27, "account days", include_str!("../migrations/sqlite/0027_account_days.sql")),
        migration(28, "money taken back", include_str!("../migrations/sqlite/0028_money_taken_back.sql")),
        migration(29, "coordinates", include_str!("../migrations/sqlite/0029_coordinates.sql")),
        migration(30, "archived places", include_str!("../migrations/sqlite/0030_archived_places.sql")),
        migration(32, "erasures", include_str!("../migrations/sqlite/0032_erasures.sql")),
        migration(33, "refunds", include_str!("../migrations/sqlite/0033_refunds.sql")),
        migration(35, "moves", include_str!("../migrations/sqlite/0035_moves.sql")),
        migration(36, "gateway refunds", include_str!("../migrations/sqlite/0036_gateway_refunds.sql")),
        migration(37, "tellings", include_str!("../migrations/sqlite/0037_tellings.sql")),
        migration(38, "corrected rows", include_str!("../migrations/sqlite/0038_corrected_rows.sql")),
        migration(39, "sums", include_str!("../migrations/sqlite/0039_sums.sql")),
        migration(40, "billed together", include_str!("../migrations/sqlite/0040_billed_together.sql")),
        migration(41, "router rests", include_str!("../migrations/sqlite/0041_router_rests.sql")),
        migration(42, "stretches", include_str!("../migrations/sqlite/0042_stretches.sql")),
        migration(43, "past days", include_str!("../migrations/sqlite/0043_past_days.sql")),
    ]
}

/// The migrations of this program for PostgreSQL.
pub(crate) fn postgres_migrations() -> Vec<Migration> {
    vec![
        migration(1, "initial", include_str!("../migrations/postgres/0001_initial.sql")),
        migration(2, "credit", include_str!("../migrations/postgres/0002_credit.sql")),
        migration(3, "first_fee", include_str!("../migrations/postgres/0003_first_fee.sql")),
        migration(4, "statements", include_str!("../migrations/postgres/0004_statements.sql")),
        migration(5, "last_run", include_str!("../migrations/postgres/0005_last_run.sql")),
        migration(6, "claims", include_str!("../migrations/postgres/0006_claims.sql")),
        migration(7, "identity", include_str!("../migrations/postgres/0007_identity.sql")),
        migration(8, "corrections", include_str!("../migrations/postgres/0008_corrections.sql")),
        migration(10, "charged until", include_str!("../migrations/postgres/0010_charged_until.sql")),
        migration(11, "expense pph23", include_str!("../migrations/postgres/0011_expense_pph23.sql")),
        migration(12, "past", include_str!("../migrations/postgres/0012_past.sql")),
        migration(13, "services", include_str!("../migrations/postgres/0013_services.sql")),
        migration(14, "machines", include_str!("../migrations/postgres/0014_machines.sql")),
        migration(15, "instalment step", include_str!("../migrations/postgres/0015_instalment_step.sql")),
        migration(16, "requests", include_str!("../migrations/postgres/0016_requests.sql")),
        migration(17, "mutations", include_str!("../migrations/postgres/0017_mutations.sql")),
        migration(18, "gateways", include_str!("../migrations/postgres/0018_gateways.sql")),
        migration(19, "inbox", include_str!("../migrations/postgres/0019_inbox.sql")),
        migration(20, "proofs", include_str!("../migrations/postgres/0020_proofs.sql")),
        migration(21, "opt in", include_str!("../migrations/postgres/0021_opt_in.sql")),
        migration(22, "device money", include_str!("../migrations/postgres/0022_device_money.sql")),
        migration(23, "run leases", include_str!("../migrations/postgres/0023_run_leases.sql")),
        migration(24, "audit", include_str!("../migrations/postgres/0024_audit.sql")),
        migration(25, "withheld", include_str!("../migrations/postgres/0025_withheld.sql")),
        migration(26, "left accounts", include_str!("../migrations/postgres/0026_left_accounts.sql")),
        migration(27, "account days", include_str!("../migrations/postgres/0027_account_days.sql")),
        migration(28, "money taken back", include_str!("../migrations/postgres/0028_money_taken_back.sql")),
        migration(29, "coordinates", include_str!("../migrations/postgres/0029_coordinates.sql")),
        migration(30, "archived places", include_str!("../migrations/postgres/0030_archived_places.sql")),
        migration(32, "erasures", include_str!("../migrations/postgres/0032_erasures.sql")),
        migration(33, "refunds", include_str!("../migrations/postgres/0033_refunds.sql")),
        migration(35, "moves", include_str!("../migrations/postgres/0035_moves.sql")),
        migration(36, "gateway refunds", include_str!("../migrations/postgres/0036_gateway_refunds.sql")),
        migration(37, "tellings", include_str!("../migrations/postgres/0037_tellings.sql")),
        migration(38, "corrected rows", include_str!("../migrations/postgres/0038_corrected_rows.sql")),
        migration(39, "sums", include_str!("../migrations/postgres/0039_sums.sql")),
        migration(40, "billed together", include_str!("../migrations/postgres/0040_billed_together.sql")),
        migration(41, "router rests", include_str!("../migrations/postgres/0041_router_rests.sql")),
        migration(42, "stretches", include_str!("../migrations/postgres/0042_stretches.sql")),
        migration(43, "past days", include_str!("../migrations/postgres/0043_past_days.sql")),
    ]
}

/// What a failed migration means.
pub(crate) fn migrate_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => store_error(e),
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => StoreError::Newer,
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => StoreError::Migration { version },
        _ => rejected("the migrations cannot be run"),
    }
}

/// Compares the vault with the one that the database was first opened with, by a sealed value that says nothing.
pub(crate) async fn check_key(engine: &dyn Engine, vault: &Vault) -> Result<(), StoreError> {
    let select = "SELECT value FROM meta WHERE key = 'vault_check'";
    let mut session = engine.begin_read(Whose::Any).await?;
    let mut sealed: Option<Vec<u8>> = first(session.as_mut(), "key check", select, Vec::new(), |r| r.get()).await?;
    drop(session);
    if sealed.is_none() {
        let mut session = engine.begin_write(Whose::Any).await?;
        let insert = "INSERT INTO meta (key, value) VALUES ('vault_check', $1) ON CONFLICT (key) DO NOTHING";
        session.execute(insert, args![vault.seal_check()?]).await?;
        sealed = first(session.as_mut(), "key check", select, Vec::new(), |r| r.get()).await?;
        session.commit().await?;
    }
    if vault.opens_check(&sealed.unwrap_or_default()) { Ok(()) } else { Err(StoreError::WrongKey) }
}
