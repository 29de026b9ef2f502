//! Errors as a person meets them: one line, a code, what to do, and an exit code for programs.

use isp_core::engine::EngineError;
use isp_core::ports::{PortError, StoreError};
use isp_store::{BackupError, VaultError};
use isp_whatsapp::error::WhatsAppError;

/// The exit codes of the program, documented in `--help` and `docs/cli.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// A bug, or a state that should not be.
    Internal = 1,
    /// The command line or the configuration makes no sense.
    Usage = 2,
    /// Bad input data; nothing was written.
    BadInput = 3,
    /// What was named does not exist.
    NotFound = 4,
    /// Done in part: some rows, routers or messages failed.
    Partial = 5,
    /// A database, router or gateway does not answer or cannot be used.
    Unavailable = 6,
    /// Stopped to ask: by the breaker, or because of the clock.
    Refused = 7,
    /// Another run is under way.
    Busy = 8,
}

impl Exit {
    /// The one that says more: a stop that needs approval, then a failure in part, then done.
    pub(crate) fn worse(self, other: Self) -> Self {
        if other as u8 > self as u8 { other } else { self }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What the program itself finds wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration cannot be read or used.
    #[error("configuration {place}: {reason}")]
    Config {
        /// The file, or where a setting came from.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// Arguments that clap cannot judge.
    #[error("{problem}: {what}")]
    Usage {
        /// What does not fit: a key under `usage.` in the locales.
        problem: &'static str,
        /// What was typed.
        what: String,
    },
    /// A question was answered with no, and the answer was told.
    #[error("nothing was changed")]
    Declined,
    /// Something named on the command line does not exist.
    #[error("{noun} {code} not found")]
    NotFound {
        /// What was looked for: a key under `noun.` in the locales.
        noun: &'static str,
        /// As it was typed.
        code: String,
    },
    /// Something named on the command line is there already.
    #[error("{noun} {code} is there already")]
    Exists {
        /// What: a key under `noun.` in the locales.
        noun: &'static str,
        /// As it was typed.
        code: String,
    },
    /// Another customer has this NIK.
    #[error("customer {code} has this NIK")]
    SameNik {
        /// The other customer.
        code: String,
    },
    /// A customer with several subscriptions, of which one must be chosen.
    #[error("customer {code} has {count} subscriptions; choose one with --username")]
    Ambiguous {
        /// The customer.
        code: String,
        /// How many.
        count: usize,
    },
    /// Several records that could be meant, of which one must be chosen.
    #[error("{code} has {count} of {noun}; choose one with --id")]
    Several {
        /// What was looked for: a key under `noun.` in the locales.
        noun: &'static str,
        /// Whose.
        code: String,
        /// How many.
        count: usize,
    },
    /// Mutations that were matched or ignored before.
    #[error("mutations {ids} were matched or ignored before")]
    Settled {
        /// The ends of their ids.
        ids: String,
    },
    /// A bank's file that is refused.
    #[error("{path}: {error}")]
    BankFile {
        /// Which file.
        path: String,
        /// Why.
        error: isp_core::Error,
    },
    /// Bad rows in an import; they were printed.
    #[error("{count} errors in {rows} rows, nothing written")]
    BadRows {
        /// How many errors.
        count: usize,
        /// In how many rows.
        rows: usize,
    },
    /// No database is named anywhere.
    #[error("no database is configured")]
    NoDatabase,
    /// There is no settings file, so nothing says which database is meant.
    #[error("there is no isp.toml here")]
    NoSettings,
    /// A copy is to be restored where there is no settings file: a new one would come with another key.
    #[error("there is no isp.toml here to restore for")]
    NothingToRestoreFor,
    /// The database file is empty, and its key is there: something took its contents away.
    #[error("{path} is empty, although its key {key} is there")]
    Emptied {
        /// The database file.
        path: String,
        /// The key file.
        key: String,
    },
    /// The output cannot be written; what was to be done is done.
    #[error("the output cannot be written: {reason}")]
    Output {
        /// What the system says.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A payment gateway says no, or does not answer.
    #[error("payment gateway {name}: {reason}")]
    Gateway {
        /// Which one.
        name: String,
        /// What is known of it, without secrets.
        reason: String,
    },
    /// The server does not answer, or is not ready.
    #[error("isp serve at {address}: {reason}")]
    Unhealthy {
        /// Where it was asked.
        address: String,
        /// What is known of it.
        reason: String,
    },
    /// A router says no, or does not answer, where a command asks it directly.
    #[error("router {code}: {reason}")]
    Router {
        /// Which router.
        code: String,
        /// What went wrong, without secrets.
        reason: String,
    },
}

impl Failure {
    /// A stable code; its text and its advice are in the locales under `failure.` and `advice.`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "cli.config",
            Self::Usage { .. } => "cli.usage",
            Self::Declined => "cli.declined",
            Self::NotFound { .. } => "cli.not_found",
            Self::Exists { .. } => "cli.exists",
            Self::SameNik { .. } => "customer.same_nik",
            Self::Ambiguous { .. } => "cli.ambiguous",
            Self::Several { .. } => "cli.several",
            Self::Settled { .. } => isp_core::Error::MutationSettled.code(),
            Self::BankFile { error, .. } => error.code(),
            Self::BadRows { .. } => "cli.bad_rows",
            Self::NoDatabase => "cli.database",
            Self::NoSettings => "cli.no_settings",
            Self::NothingToRestoreFor => "cli.restore_no_settings",
            Self::Emptied { .. } => "cli.emptied",
            Self::Output { .. } => "cli.output",
            Self::File { .. } => "cli.file",
            Self::Gateway { .. } => "cli.gateway",
            Self::Unhealthy { .. } => "cli.unhealthy",
            Self::Router { .. } => "cli.router",
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Config { .. } | Self::Usage { .. } | Self::Ambiguous { .. } | Self::Several { .. } => Exit::Usage,
            Self::NotFound { .. } => Exit::NotFound,
            Self::Declined => Exit::Refused,
            Self::Exists { .. }
            | Self::SameNik { .. }
            | Self::Settled { .. }
            | Self::BankFile { .. }
            | Self::BadRows { .. } => Exit::BadInput,
            Self::NoDatabase
            | Self::NoSettings
            | Self::NothingToRestoreFor
            | Self::Emptied { .. }
            | Self::Output { .. }
            | Self::File { .. }
            | Self::Gateway { .. }
            | Self::Unhealthy { .. }
            | Self::Router { .. } => Exit::Unavailable,
        }
    }
}

/// An error that no part of the program names: a bug.
struct Internal;

impl Internal {
    fn code(&self) -> &'static str {
        "cli.internal"
    }
}

/// The code and exit code of any error that reaches `main`: those of the innermost error that is known.
pub(crate) fn classify(error: &anyhow::Error) -> (&'static str, Exit) {
    let mut found = (Internal.code(), Exit::Internal);
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            found = (failure.code(), failure.exit());
        } else if let Some(error) = cause.downcast_ref::<EngineError>() {
            found = (error.code(), exit_of_engine(error));
        } else if let Some(error) = cause.downcast_ref::<StoreError>() {
            found = (error.code(), exit_of_store(error));
        } else if let Some(error) = cause.downcast_ref::<BackupError>() {
            found = (error.code(), exit_of_backup(error));
        } else if let Some(error) = cause.downcast_ref::<PortError>() {
            found = (error.code(), exit_of_port(error));
        } else if let Some(error) = cause.downcast_ref::<VaultError>() {
            found = (error.code(), Exit::Usage);
        } else if let Some(error) = cause.downcast_ref::<WhatsAppError>() {
            found = (error.code(), Exit::Usage);
        } else if let Some(error) = cause.downcast_ref::<isp_serve::papers::PdfError>() {
            found = (error.code(), Exit::Internal);
        } else if let Some(error) = cause.downcast_ref::<isp_core::Error>() {
            found = (error.code(), Exit::BadInput);
        }
    }
    found
}

fn exit_of_engine(error: &EngineError) -> Exit {
    match error {
        EngineError::Store(error) => exit_of_store(error),
        EngineError::Port(error) => exit_of_port(error),
        EngineError::Clock(_) => Exit::Refused,
        EngineError::NothingToDo | EngineError::NotToSettle(_) => Exit::NotFound,
        _ => Exit::BadInput,
    }
}

fn exit_of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Duplicate { .. } | StoreError::Rejected { .. } | StoreError::Erased => Exit::BadInput,
        StoreError::NotFound { .. } => Exit::NotFound,
        StoreError::WrongKey | StoreError::NoKey => Exit::Usage,
        StoreError::Unavailable { .. }
        | StoreError::DiskFull
        | StoreError::ReadOnly
        | StoreError::Held
        | StoreError::TooSlow
        | StoreError::Tls { .. }
        | StoreError::Missing
        | StoreError::Outdated
        | StoreError::Newer
        | StoreError::Migration { .. }
        | StoreError::Damaged { .. }
        | StoreError::Corrupt { .. } => Exit::Unavailable,
        StoreError::Busy | StoreError::RunLost | StoreError::Conflict | StoreError::KeyChanged | StoreError::Moving => {
            Exit::Busy
        }
        StoreError::Moved { .. } => Exit::Usage,
        _ => Exit::Internal,
    }
}

fn exit_of_backup(error: &BackupError) -> Exit {
    match error {
        BackupError::Store(error) => exit_of_store(error),
        BackupError::Exists { .. } | BackupError::InTheWay { .. } => Exit::BadInput,
        BackupError::NotACopy { .. } | BackupError::OtherEngine { .. } => Exit::BadInput,
        BackupError::ToolVersion { .. } | BackupError::ToolMissing { .. } => Exit::Usage,
        _ => Exit::Unavailable,
    }
}

fn exit_of_port(error: &PortError) -> Exit {
    match error {
        PortError::NotSent { .. } | PortError::Unknown { .. } => Exit::Unavailable,
        _ => Exit::BadInput,
    }
}

/// True when the reader of our output has gone away (`isp ... | head`), which is no failure.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_known_error_decides() {
        let error = anyhow::Error::new(StoreError::Busy).context("run");
        assert_eq!(classify(&error), ("store.busy", Exit::Busy));
        let error = anyhow::Error::new(EngineError::Store(StoreError::Unavailable { reason: "x".into() }));
        assert_eq!(classify(&error), ("store.unavailable", Exit::Unavailable));
        assert_eq!(classify(&anyhow::anyhow!("?")), ("cli.internal", Exit::Internal));
        let missing = Failure::NotFound { noun: "customer", code: "P1".into() };
        assert_eq!(classify(&missing.into()).1 as u8, 4);
    }
}
