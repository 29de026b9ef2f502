//! What a copy holds, and why there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use isp_core::ports::StoreError;

use crate::open::MigrationStatus;
use crate::vault::Vault;

/// A copy of a database that was opened and looked through.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Copied {
    /// The file of the copy.
    pub file: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its tables, each with its rows.
    pub tables: BTreeMap<String, u64>,
    /// The migrations that it has and lacks.
    pub status: MigrationStatus,
    /// Whether the key belongs to it.
    pub key: Fit,
    /// How many keys that sealed a value in it are not those that were given.
    pub lacking_keys: u64,
    /// Whether its checksum lay beside it and fits. A copy of an older version has none.
    pub proved: bool,
}

impl Copied {
    /// How many rows a table has.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.get(table).copied().unwrap_or(0)
    }
}

impl Copied {
    /// Refuses to bring back what this program cannot use, or a key does not open.
    pub(super) fn usable(&self) -> Result<(), StoreError> {
        match self.status.changed.first() {
            _ if !self.status.unknown.is_empty() => Err(StoreError::Newer),
            Some(version) => Err(StoreError::Migration { version: *version }),
            None if self.key == Fit::Wrong => Err(StoreError::WrongKey),
            None => Ok(()),
        }
    }
}

/// Whether a key belongs to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Nothing was sealed in it.
    Unsealed,
    /// No key was given to compare with.
    Unknown,
    /// It was sealed with this key.
    Fits,
    /// It was sealed with another key.
    Wrong,
}

/// How many of the keys that sealed something are not in a ring.
pub(super) fn lacking(vault: Option<&Vault>, names: &BTreeSet<String>) -> u64 {
    vault.filter(|vault| !vault.is_locked()).map_or(0, |vault| vault.lacks(names))
}

impl Fit {
    /// Compares a ring of keys with what a database keeps of its own.
    pub(super) fn of(vault: Option<&Vault>, sealed: Option<&[u8]>) -> Self {
        match (vault.filter(|vault| !vault.is_locked()), sealed) {
            (_, None) => Self::Unsealed,
            (None, _) => Self::Unknown,
            (Some(vault), Some(sealed)) if vault.opens_check(sealed) => Self::Fits,
            _ => Self::Wrong,
        }
    }
}

/// Why a database was not copied or brought back. Nothing is half-written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a file where the copy should go; no copy is ever replaced.
    #[error("{path} is there already")]
    Exists {
        /// Which file.
        path: String,
    },
    /// There is a database where the copy should be brought back; none is ever replaced.
    #[error("there is a database already: {path}")]
    InTheWay {
        /// Its file, or its name on the server.
        path: String,
    },
    /// The file is no copy of a database of this program.
    #[error("{path} is no copy of a database of isp")]
    NotACopy {
        /// Which file.
        path: String,
    },
    /// A copy that was changed or cut after it was made.
    #[error("the copy {path} is damaged: {reason}")]
    Damaged {
        /// Which file.
        path: String,
        /// How that is known.
        reason: String,
    },
    /// A copy of SQLite for a PostgreSQL database, or the other way round.
    #[error("{path} is a copy of another kind of database")]
    OtherEngine {
        /// Which file.
        path: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The copy lacks rows that the database has.
    #[error("the copy is not whole: {what}")]
    Incomplete {
        /// Which table, with both numbers.
        what: String,
    },
    /// A program of PostgreSQL is not there.
    #[error("{tool} is not there")]
    ToolMissing {
        /// Which program.
        tool: &'static str,
    },
    /// A program of PostgreSQL belongs to another version than the server.
    #[error("{tool} is of version {found}, the server of {server}")]
    ToolVersion {
        /// Which program.
        tool: &'static str,
        /// Its main version.
        found: u32,
        /// The server's.
        server: u32,
    },
    /// A program of PostgreSQL failed.
    #[error("{tool}: {reason}")]
    ToolFailed {
        /// Which program.
        tool: &'static str,
        /// Its first words, without values of rows.
        reason: String,
    },
}

impl BackupError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Exists { .. } => "backup.exists",
            Self::InTheWay { .. } => "backup.in_the_way",
            Self::NotACopy { .. } => "backup.not_a_copy",
            Self::Damaged { .. } => "backup.damaged",
            Self::OtherEngine { .. } => "backup.other_engine",
            Self::File { .. } => "backup.file",
            Self::Incomplete { .. } => "backup.incomplete",
            Self::ToolMissing { .. } => "backup.tool_missing",
            Self::ToolVersion { .. } => "backup.tool_version",
            Self::ToolFailed { .. } => "backup.tool_failed",
        }
    }

    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), reason: error.kind().to_string() }
    }
}
