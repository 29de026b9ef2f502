//! SQLite: one statement copies the file while others write, and the copy is opened and looked through.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::TryLockError;
use std::path::Path;

use isp_core::ports::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::place::{Workshop, prove};
use super::report::{BackupError, Copied, Fit, lacking};
use crate::error::store_error;
use crate::keyfile::beside;
use crate::open::{applied, create_private, sqlite_connection, sqlite_migrations, stands};
use crate::reseal::sealed_columns;
use crate::vault::Vault;

/// What a SQLite file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Tables that are only added to: a copy has at least the rows from before it was made, and at most those from after.
const ONLY_ADDED_TO: [&str; 5] = ["invoices", "payments", "allocations", "journal_lines", "access_events"];

pub(super) async fn backup(path: &Path, to: &Path, vault: Option<&Vault>) -> Result<Copied, BackupError> {
    if !path.exists() {
        return Err(StoreError::Missing.into());
    }
    let workshop = Workshop::new(to)?;
    create_private(workshop.file())?;
    let mut source = sqlite_connection(path).await?;
    let before = rows(&mut source).await?;
    let statement = sqlx::query("VACUUM INTO $1").bind(workshop.file().display().to_string());
    statement.execute(&mut source).await.map_err(|error| match store_error(error) {
        // Only the copy is written.
        StoreError::DiskFull => BackupError::file(to, &std::io::ErrorKind::StorageFull.into()),
        error => error.into(),
    })?;
    let after = rows(&mut source).await?;
    source.close().await.map_err(store_error)?;

    let copied = look(workshop.file(), to, vault).await?;
    for table in ONLY_ADDED_TO.iter().filter(|table| before.contains_key(**table)) {
        let of = |rows: &BTreeMap<String, u64>| rows.get(*table).copied().unwrap_or(0);
        let found = of(&copied.tables);
        if found < of(&before) || found > of(&after) {
            let what = format!("{table}: {found}, not {} to {}", of(&before), of(&after));
            return Err(BackupError::Incomplete { what });
        }
    }
    workshop.finish_proved(|path| BackupError::Exists { path })?;
    Ok(Copied { proved: true, ..copied })
}

pub(super) async fn restore(path: &Path, from: &Path, vault: Option<&Vault>) -> Result<Copied, BackupError> {
    // What lies there is never replaced. A log that another database left would be read into the new one.
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let there = beside(path, suffix);
        if there.symlink_metadata().is_ok() {
            return Err(BackupError::InTheWay { path: there.display().to_string() });
        }
    }
    nobody_works(path)?;
    let workshop = Workshop::new(path)?;
    // A file that was copied by hand while it was in use has its newest commits in its log.
    for suffix in ["", "-wal", "-journal"] {
        let (from, to) = (beside(from, suffix), beside(workshop.file(), suffix));
        if suffix.is_empty() || from.exists() {
            create_private(&to)?;
            let mut source = std::fs::File::open(&from).map_err(|e| BackupError::file(&from, &e))?;
            let mut copy = std::fs::File::options().write(true).open(&to).map_err(|e| BackupError::file(&to, &e))?;
            std::io::copy(&mut source, &mut copy).map_err(|e| match e.kind() {
                std::io::ErrorKind::StorageFull => BackupError::file(path, &e),
                _ => BackupError::file(&from, &e),
            })?;
        }
    }
    let proved = prove(workshop.file(), from)?;
    let copied = look(workshop.file(), path, vault).await?;
    copied.usable()?;
    workshop.finish(|path| BackupError::InTheWay { path })?;
    Ok(Copied { proved, ..copied })
}

/// True for a file that begins like a SQLite database.
pub(super) fn is_one(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Refuses when a process still works on a database of this name whose file was moved away.
fn nobody_works(path: &Path) -> Result<(), BackupError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!("{}.", path.file_name().unwrap_or_default().to_string_lossy());
    for entry in std::fs::read_dir(folder).map_err(|e| BackupError::file(folder, &e))? {
        let entry = entry.map_err(|e| BackupError::file(folder, &e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&prefix) && (name.ends_with(".lock") || name.ends_with(".worker")) {
            let file = std::fs::File::options().write(true).open(entry.path());
            match file.map_err(|e| BackupError::file(&entry.path(), &e))?.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy.into()),
                Err(TryLockError::Error(e)) => return Err(BackupError::file(&entry.path(), &e)),
            }
        }
    }
    Ok(())
}

/// Opens a copy and looks through it: each page, each table, its migrations and its key.
async fn look(file: &Path, name: &Path, vault: Option<&Vault>) -> Result<Copied, BackupError> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false).disable_statement_logging();
    let mut copy = SqliteConnection::connect_with(&options).await.map_err(store_error)?;
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_all(&mut copy).await.map_err(store_error)?;
    if found != ["ok"] {
        return Err(StoreError::Damaged { reason: found.join("; ") }.into());
    }
    let tables = rows(&mut copy).await?;
    let not_ours = || BackupError::NotACopy { path: name.display().to_string() };
    if !tables.contains_key("_sqlx_migrations") || !tables.contains_key("meta") {
        return Err(not_ours());
    }
    let status = stands(&sqlite_migrations(), &applied(&mut copy).await?);
    let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'vault_check'")
        .fetch_optional(&mut copy)
        .await
        .map_err(store_error)?;
    let mut sealing = BTreeSet::new();
    for (table, column) in sealed_columns().filter(|(table, _)| tables.contains_key(*table)) {
        let sql = format!("SELECT DISTINCT substr({column}, 1, 5) FROM {table} WHERE {column} IS NOT NULL");
        let heads: Vec<Vec<u8>> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut copy).await.map_err(store_error)?;
        sealing.extend(heads.iter().map(|head| Vault::key_name(head)));
    }
    // The last to close a file empties its log into it.
    copy.close().await.map_err(store_error)?;
    let bytes = file.metadata().map_err(|e| BackupError::file(file, &e))?.len();
    Ok(Copied {
        file: name.to_owned(),
        bytes,
        tables,
        status,
        key: Fit::of(vault, sealed.as_deref()),
        lacking_keys: lacking(vault, &sealing),
        proved: false,
    })
}

/// The tables with their rows.
async fn rows(connection: &mut SqliteConnection) -> Result<BTreeMap<String, u64>, StoreError> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *connection).await.map_err(store_error)?;
    let mut rows = BTreeMap::new();
    for table in tables {
        let sql = format!("SELECT COUNT(*) FROM \"{}\"", table.replace('"', "\"\""));
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await.map_err(store_error)?;
        rows.insert(table, u64::try_from(count).unwrap_or(0));
    }
    Ok(rows)
}
