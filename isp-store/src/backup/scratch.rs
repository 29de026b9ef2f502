//! A copy that is thrown away again: a database of its own beside the one that it is made of.

use std::path::{Path, PathBuf};

use isp_core::ports::StoreError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _};

use super::report::{BackupError, Copied};
use super::{backup, restore};
use crate::error::{rejected, store_error};
use crate::open::{Target, target};
use crate::postgres::connect;
use crate::vault::Vault;

/// A database that holds a copy until [`Scratch::remove`].
///
/// With SQLite it is a file in the folder that is given. With PostgreSQL it is a database on the same server, so the user needs
/// the right to make one.
#[derive(Debug)]
pub struct Scratch {
    url: String,
    folder: PathBuf,
    /// The database that was there before, and the name of the one that was made. `None` for a file.
    made: Option<(Box<PgConnectOptions>, String)>,
}

impl Scratch {
    /// Makes an empty database for a copy of that of a URL. `name` is letters, digits and `_`, and nothing has it yet.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn beside(url: &str, folder: &Path, name: &str) -> Result<Self, BackupError> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(rejected("the name of a copy is letters, digits and _").into());
        }
        let folder = folder.to_owned();
        let options = match target(url)? {
            Target::Sqlite(_) => {
                let url = format!("sqlite:{}", folder.join(format!("{name}.db")).display());
                return Ok(Self { url, folder, made: None });
            }
            Target::Postgres(options) => options,
        };
        let copy = renamed(url, name)?;
        let mut connection = connect(&options).await?;
        // From an empty template: what is in the usual one is no part of a copy.
        let sql = format!("CREATE DATABASE \"{name}\" TEMPLATE template0");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.map_err(not_made)?;
        connection.close().await.map_err(store_error)?;
        Ok(Self { url: copy, folder, made: Some((options, name.to_owned())) })
    }

    /// The databases beside that of a URL whose names begin so and that nobody works in: copies of a process that was killed.
    /// None for a file.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn left_beside(url: &str, beginning: &str) -> Result<Vec<String>, StoreError> {
        let Target::Postgres(options) = target(url)? else { return Ok(Vec::new()) };
        let mut connection = connect(&options).await?;
        let sql = "SELECT datname::text FROM pg_database d WHERE starts_with(datname, $1)
            AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname) ORDER BY 1";
        let names = sqlx::query_scalar(sql).bind(beginning).fetch_all(&mut connection).await.map_err(store_error)?;
        connection.close().await.map_err(store_error)?;
        Ok(names)
    }

    /// The URL of the copy.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Copies the database of a URL into it. That database is only read.
    ///
    /// # Errors
    /// As [`backup`] and [`restore`].
    pub async fn fill(&self, from: &str, vault: Option<&Vault>) -> Result<Copied, BackupError> {
        let Some((_, name)) = &self.made else {
            return backup(from, Path::new(self.url.trim_start_matches("sqlite:")), vault).await;
        };
        let dump = self.folder.join(format!("{name}.dump"));
        backup(from, &dump, vault).await?;
        let copied = restore(&self.url, &dump, vault).await?;
        for file in [super::checksum_of(&dump), dump] {
            std::fs::remove_file(&file).map_err(|error| BackupError::file(&file, &error))?;
        }
        Ok(copied)
    }

    /// Removes the copy, also while somebody works on it. Files go with their folder, which is the caller's.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn remove(self) -> Result<(), StoreError> {
        let Some((options, name)) = self.made else { return Ok(()) };
        let mut connection = connect(&options).await?;
        let sql = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.map_err(store_error)?;
        connection.close().await.map_err(store_error)
    }
}

/// Why a database could not be made. The right to make one is the user's own, and not one to tables.
fn not_made(error: sqlx::Error) -> StoreError {
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("42501") => rejected("its user may not make a database; give it that right (CREATEDB)"),
        _ => store_error(error),
    }
}

/// The URL with another database on the same server.
fn renamed(url: &str, name: &str) -> Result<String, StoreError> {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
    let server = rest.split('/').next().unwrap_or("");
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let renamed = format!("{scheme}://{server}/{name}{query}");
    // A URL may name its database elsewhere, too.
    match target(&renamed)? {
        Target::Postgres(options) if options.get_database() == Some(name) => Ok(renamed),
        _ => Err(rejected("the database URL names its database in its parameters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_beside_its_database() {
        for (url, copy) in [
            ("postgres://isp@h/d", "postgres://isp@h/c"),
            ("postgres://isp:p%40@h:5433/d?sslmode=require", "postgres://isp:p%40@h:5433/c?sslmode=require"),
            ("postgres:///d?host=/run", "postgres:///c?host=/run"),
            ("postgresql://isp@localhost", "postgresql://isp@localhost/c"),
        ] {
            assert_eq!(renamed(url, "c").unwrap(), copy);
        }
        assert!(renamed("postgres://isp@h/d?dbname=d", "c").is_err());
    }

    #[tokio::test]
    async fn a_name_is_no_statement() {
        let folder = Path::new(".");
        assert!(Scratch::beside("postgres://isp@h/d", folder, "x\"; DROP DATABASE d; --").await.is_err());
        assert!(Scratch::beside("sqlite:isp.db", folder, "../isp").await.is_err());
    }
}
