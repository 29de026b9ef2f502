//! A database is copied while it is used, and brought back where there is none.
//!
//! A copy appears under its name only when it was opened, looked through and counted. It never takes the place of a file
//! or a database that is there. Keys are not in it: see `keyfile` for how one may lie beside it.

mod place;
mod postgres;
mod report;
mod scratch;
mod sqlite;

use std::io::Read as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use isp_core::ports::StoreError;
use sqlx::Connection as _;

pub use place::checksum_of;
pub use report::{BackupError, Copied, Fit};
pub use scratch::Scratch;

use crate::error::store_error;
use crate::open::{Target, sqlite_connection, target};
use crate::vault::Vault;

/// Copies a database into a new file that only its owner may read. `vault` is compared with it, when there is one.
///
/// SQLite copies itself while others write. PostgreSQL is copied by its own `pg_dump`, and the rows of each table are
/// counted in the same snapshot.
///
/// # Errors
/// [`BackupError::Exists`], [`BackupError::File`], [`BackupError::Incomplete`], the `Tool` errors, and those of the
/// store: [`StoreError::Damaged`] when the copy cannot be read.
pub async fn backup(url: &str, to: &Path, vault: Option<&Vault>) -> Result<Copied, BackupError> {
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { path: to.display().to_string() });
    }
    match target(url)? {
        Target::Sqlite(path) => sqlite::backup(&path, to, vault).await,
        Target::Postgres(options) => postgres::backup(*options, to, vault).await,
    }
}

/// Brings a copy back as the database of a URL, where there must be none. The copy is checked first: it is whole, this
/// program knows its version, and `vault`, when there is one, has its key. A restore that is killed leaves no database.
///
/// # Errors
/// [`BackupError::InTheWay`], [`BackupError::NotACopy`], [`BackupError::OtherEngine`], [`BackupError::File`], the `Tool`
/// errors, [`BackupError::Damaged`], and those of the store: [`StoreError::Newer`], [`StoreError::Migration`],
/// [`StoreError::WrongKey`], [`StoreError::Busy`].
pub async fn restore(url: &str, from: &Path, vault: Option<&Vault>) -> Result<Copied, BackupError> {
    let head = head(from)?;
    let other = || Err(BackupError::OtherEngine { path: from.display().to_string() });
    match target(url)? {
        Target::Sqlite(path) if sqlite::is_one(&head) => {
            sqlite::restore(&path, from, vault).await.map_err(|error| of_the_copy(error, from))
        }
        Target::Postgres(options) if postgres::is_one(&head) => {
            postgres::restore(*options, from, vault).await.map_err(|error| of_the_copy(error, from))
        }
        Target::Sqlite(_) if postgres::is_one(&head) => other(),
        Target::Postgres(_) if sqlite::is_one(&head) => other(),
        _ => Err(BackupError::NotACopy { path: from.display().to_string() }),
    }
}

/// What is damaged is the copy: there is no database yet.
fn of_the_copy(error: BackupError, from: &Path) -> BackupError {
    match error {
        BackupError::Store(StoreError::Damaged { reason }) => {
            BackupError::Damaged { path: from.display().to_string(), reason }
        }
        error => error,
    }
}

/// Writes into a database when it was last copied, so that `isp doctor` can tell how old the newest copy is.
///
/// # Errors
/// As [`crate::migration_status`].
pub async fn note_backup(url: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (key, value) VALUES ('last_backup', $1)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    let value = at.to_rfc3339().into_bytes();
    match target(url)? {
        Target::Sqlite(path) => {
            let mut connection = sqlite_connection(&path).await?;
            sqlx::query(sql).bind(value).execute(&mut connection).await.map_err(store_error)?;
            connection.close().await.map_err(store_error)
        }
        Target::Postgres(options) => {
            let mut connection = crate::postgres::connect(&options).await?;
            sqlx::query(sql).bind(value).execute(&mut connection).await.map_err(store_error)?;
            connection.close().await.map_err(store_error)
        }
    }
}

/// The first bytes of an ordinary file.
fn head(path: &Path) -> Result<Vec<u8>, BackupError> {
    let failed = |error: std::io::Error| BackupError::file(path, &error);
    // Before it is opened: a pipe would be waited for.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(BackupError::NotACopy { path: path.display().to_string() });
    }
    let mut head = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(16).read_to_end(&mut head)).map_err(failed)?;
    Ok(head)
}
