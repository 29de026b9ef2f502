//! What a person has to set right before RADIUS serves a line.

use isp_core::ports::{ApplyOutcome, PortError};

/// Something that trying again does not mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Lines that nobody logs in for, and hotspot users.
    #[error(
        "only PPPoE lines are served by RADIUS: a hotspot session is ended by its address only, which RADIUS does not know for sure"
    )]
    Service,
    /// The tables have the name for another line of ours.
    #[error("this user belongs to another line of ours")]
    AccountOfAnother,
    /// The tables have the name, and it is not ours.
    #[error("a user of that name is there and is not ours")]
    ForeignAccount,
    /// The NAS answered, and did not end the session.
    #[error("the NAS refused to end the session (Error-Cause {cause})")]
    SessionKept {
        /// Its `Error-Cause`; 0 when it gave none.
        cause: u32,
    },
    /// An account of that name is on the router itself.
    #[error("an account of that name is on the router itself, which so does not ask RADIUS")]
    LocalAccount,
    /// Whether there is one could not be read.
    #[error("whether accounts are left on the router itself could not be read")]
    RouterUnread,
    /// A group of ours has other rows.
    #[error("the rows of this group are not as they should be")]
    GroupDiffers,
    /// Two packages have one group.
    #[error("two packages give this group other terms, so that its rows stay as they are")]
    GroupAmbiguous,
    /// A package has the group of isolated lines.
    #[error("the package has the group of isolated lines")]
    GroupOfIsolation,
    /// No NAS of the settings has the router's address.
    #[error("the settings of RADIUS do not name this router")]
    UnknownNas,
    /// The address of the database is none, or there is no such database.
    #[error(
        "there is no such database; its address is postgres://user:password@host/name or mysql://user:password@host/name"
    )]
    Database,
    /// The database has no tables of FreeRADIUS.
    #[error("the tables of FreeRADIUS are not in this database")]
    Schema,
    /// A name or value does not fit into its column.
    #[error("a name, group or password is longer than the tables of FreeRADIUS take (64 and 253 signs in MySQL)")]
    TooLong,
    /// A sign of a name or password is none that its column takes.
    #[error(
        "a name or password has a sign that the tables of FreeRADIUS do not take (the character set of the column)"
    )]
    Signs,
    /// The database user may not write them.
    #[error("the database user may not write the tables of FreeRADIUS, or make isp_lines")]
    Rights,
    /// The database refused the login.
    #[error("the database refused the user or its password")]
    Login,
}

impl Problem {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Service => "radius.service",
            Self::AccountOfAnother => "radius.account_of_another",
            Self::ForeignAccount => "radius.foreign_account",
            Self::SessionKept { .. } => "radius.session_kept",
            Self::LocalAccount => "radius.local_account",
            Self::RouterUnread => "radius.router_unread",
            Self::GroupDiffers => "radius.group_differs",
            Self::GroupAmbiguous => "radius.group_ambiguous",
            Self::GroupOfIsolation => "radius.group_of_isolation",
            Self::UnknownNas => "radius.unknown_nas",
            Self::Database => "radius.database",
            Self::Schema => "radius.schema",
            Self::TooLong => "radius.too_long",
            Self::Signs => "radius.signs",
            Self::Rights => "radius.rights",
            Self::Login => "radius.login",
        }
    }
}

impl Problem {
    /// The problem of one line among others, which are served all the same.
    pub(crate) fn of_a_line(error: &PortError) -> Option<Self> {
        let PortError::Refused { code, .. } = error else { return None };
        [Self::TooLong, Self::Signs].into_iter().find(|problem| problem.code() == *code)
    }
}

impl From<Problem> for PortError {
    fn from(problem: Problem) -> Self {
        Self::Refused { code: problem.code(), reason: problem.to_string() }
    }
}

impl From<Problem> for ApplyOutcome {
    fn from(problem: Problem) -> Self {
        Self::Refused { code: problem.code(), reason: problem.to_string() }
    }
}
