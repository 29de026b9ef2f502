//! Why a port or the store did not do what it was asked.

/// Why a port did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The effect certainly did not happen: no connection, refused at login. Safe to try again.
    #[error("not sent: {reason}")]
    NotSent {
        /// What went wrong, without secrets.
        reason: String,
    },
    /// Nobody knows whether the effect happened: a time-out, a lost reply. A router is read again before a repeat;
    /// a message is never sent again by itself.
    #[error("outcome unknown: {reason}")]
    Unknown {
        /// What went wrong, without secrets.
        reason: String,
    },
    /// The other side is set up wrongly for us (credentials, rights, version); trying again does not help until a
    /// person acts.
    #[error("refused ({code}): {reason}")]
    Refused {
        /// A stable code of the adapter.
        code: &'static str,
        /// What it said, without secrets.
        reason: String,
    },
}

impl PortError {
    /// What a gateway that gives nothing back by its API answers. Nothing was asked of it.
    #[must_use]
    pub fn no_refund() -> Self {
        let reason = "this gateway has no refund by API: pay the customer yourself and book it with isp refund add";
        Self::Refused { code: "gateway.no_refund", reason: reason.to_owned() }
    }

    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "port.not_sent",
            Self::Unknown { .. } => "port.unknown",
            Self::Refused { .. } => "port.refused",
        }
    }

    /// True when the same call may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row with this key is there already.
    #[error("{what} is there already")]
    Duplicate {
        /// Which key, such as `customer.code` or `payment.reference`.
        what: &'static str,
    },
    /// The customer's data was erased: nothing of the person may be written again, and no new line. Somebody who comes back is
    /// a new customer.
    #[error("the customer's data was erased")]
    Erased,
    /// The facts changed since they were loaded; load and decide again.
    #[error("facts changed while deciding")]
    Conflict,
    /// No such row.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// A change that names a row that does not exist, or breaks a rule of the tables.
    #[error("refused by the database: {reason}")]
    Rejected {
        /// Which rule.
        reason: String,
    },
    /// The database does not answer; nothing of the commit was written.
    #[error("database unavailable: {reason}")]
    Unavailable {
        /// What it said, without secrets.
        reason: String,
    },
    /// There is no room left on the disk of the database; nothing of the commit was written.
    #[error("the disk of the database is full")]
    DiskFull,
    /// The database may be read but not written.
    #[error("the database is read-only")]
    ReadOnly,
    /// Another transaction holds what is needed and did not let go within the limit; nothing was written.
    #[error("another program holds the database")]
    Held,
    /// A statement ran longer than the limit and was stopped; nothing of it was written.
    #[error("the database took longer than the limit")]
    TooSlow,
    /// No encrypted connection to the server that it was to be; nothing secret was sent.
    #[error("no trusted TLS connection to the database: {reason}")]
    Tls {
        /// What is wrong with the server's certificate or protocol.
        reason: String,
    },
    /// There is no database where the settings say.
    #[error("there is no database there; run `isp migrate`")]
    Missing,
    /// The database lacks tables of this version.
    #[error("the database lacks the tables of this version; run `isp migrate`")]
    Outdated,
    /// The database was written by a newer version of the program.
    #[error("the database was written by a newer version of this program")]
    Newer,
    /// A migration that was applied is not the one of this program, or was left half done.
    #[error("migration {version} of the database is not the one of this program")]
    Migration {
        /// Which one.
        version: i64,
    },
    /// The database file is damaged, or is no database.
    #[error("the database file is damaged or is no database: {reason}")]
    Damaged {
        /// What the database says of it.
        reason: String,
    },
    /// The key is not the one that sealed this database.
    #[error("the key is not the one that sealed this database")]
    WrongKey,
    /// The key was changed since this process read it. Nothing of the commit was written.
    #[error("the key was changed meanwhile")]
    KeyChanged,
    /// This needs the key of the database, and the store was opened without.
    #[error("this needs the key of the database")]
    NoKey,
    /// A row cannot be read: it was damaged, or another version wrote it.
    #[error("stored {what} cannot be read: {reason}")]
    Corrupt {
        /// Which kind of row.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Another process is doing this tenant's run.
    #[error("another run is under way")]
    Busy,
    /// This process stood still for longer than its lease, and another run has begun. Nothing of the commit was written.
    #[error("another run has begun, because this one stood still for longer than its lease")]
    RunLost,
    /// The tenant is being moved to another database: nothing is written for it until it has arrived. Nothing of the commit was
    /// written.
    #[error("the provider is being moved to another database")]
    Moving,
    /// The tenant was moved to another database, and has no rows here any more.
    #[error("the provider was moved to another database: {to}")]
    Moved {
        /// Which, without user and password.
        to: String,
    },
}

impl StoreError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "store.duplicate",
            Self::Erased => "customer.erased",
            Self::Conflict => "store.conflict",
            Self::NotFound { .. } => "store.not_found",
            Self::Rejected { .. } => "store.rejected",
            Self::Unavailable { .. } => "store.unavailable",
            Self::DiskFull => "store.disk_full",
            Self::ReadOnly => "store.read_only",
            Self::Held => "store.held",
            Self::TooSlow => "store.too_slow",
            Self::Tls { .. } => "store.tls",
            Self::Missing => "store.missing",
            Self::Outdated => "store.outdated",
            Self::Newer => "store.newer",
            Self::Migration { .. } => "store.migration",
            Self::Damaged { .. } => "store.damaged",
            Self::WrongKey => "store.wrong_key",
            Self::KeyChanged => "store.key_changed",
            Self::NoKey => "store.no_key",
            Self::Corrupt { .. } => "store.corrupt",
            Self::Busy => "store.busy",
            Self::RunLost => "store.run_lost",
            Self::Moving => "store.moving",
            Self::Moved { .. } => "store.moved",
        }
    }

    /// True when the same call may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(
            self,
            Self::Conflict
                | Self::Unavailable { .. }
                | Self::Busy
                | Self::RunLost
                | Self::Moving
                | Self::DiskFull
                | Self::Held
                | Self::TooSlow
        )
    }
}
