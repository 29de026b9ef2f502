//! What can go wrong, told by what the caller may do next.
//!
//! | error | did the router act? | next step |
//! |---|---|---|
//! | [`Error::NotSent`] | no | try again later |
//! | [`Error::Login`] | no | fix the settings |
//! | [`Error::Refused`] | no, and it said why | decide by [`Refusal::kind`] |
//! | [`Error::Unknown`] | perhaps | read back before repeating a write |
//! | [`Error::Answer`] | a read that cannot be used | try again; nothing was changed on its account |
//!
//! What each code of [`Error::code`] promises:
//!
//! | code | promise | again? | the connection |
//! |---|---|---|---|
//! | `router.bad_command` | not one byte was sent | no: the command is malformed | lives |
//! | `router.unreachable` | no TCP connection, nothing was sent | yes | there is none |
//! | `router.tls` | no trust, so not even the password was sent | no: a person must act | there is none |
//! | `router.login_timeout` | only the login was sent, nothing was changed | yes | given up |
//! | `router.busy` | not sent: no place in the window, or an earlier command of the batch got no answer | yes | lives |
//! | `router.closed` | the connection ended before the whole sentence was handed over | yes | gone |
//! | `router.bad_credentials`, `router.too_old`, `router.login_refused` | nothing was changed | no | closed |
//! | `router.already_exists`, `router.no_such_item`, `router.no_match`, `router.ambiguous`, `router.invalid_value`, `router.missing_argument`, `router.unknown_parameter`, `router.no_such_command`, `router.not_permitted`, `router.refused` | the router did nothing, and says why in its own words | no | lives |
//! | `router.timed_out` | the router gave up by itself and did nothing | yes | lives |
//! | `router.timeout` | no answer in time; `/cancel` was sent; it may have acted, and may still | after reading back | lives, or is given up when the cancel is not answered either |
//! | `router.interrupted` | the router stopped the command; it may have acted in part | after reading back | lives |
//! | `router.connection_lost` | the whole command left, no answer came | after reading back | gone |
//! | `router.unreadable` | as `router.connection_lost`; what came is not the protocol | after reading back | gone |
//! | `router.unusable_answer` | a read came back incomplete (fewer rows than the router counts, a row without id) | yes | lives |
//!
//! "After reading back" concerns writes; a read may be repeated at once. [`Error::retryable`] and
//! [`Error::connection_survives`] say the same in code, and a test holds the two together.

use std::fmt;

use isp_core::ports::PortError;

use crate::proto::login::LoginError;
use crate::proto::{ProtoError, Trap};

/// An error of the RouterOS client. No variant holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The router cannot have seen the command.
    #[error("not sent ({stage}): {detail}")]
    NotSent {
        /// How far it got.
        stage: Stage,
        /// What happened, for a person.
        detail: String,
    },
    /// The connection stands, but the router does not let us in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The router answered with an error; it did not do what the command asked.
    #[error("router refused {command}: {refusal}")]
    Refused {
        /// The path of the command.
        command: String,
        /// Why.
        refusal: Refusal,
    },
    /// The command left, but no whole answer came: it may or may not have taken effect.
    #[error("outcome of {command} unknown: {cause}")]
    Unknown {
        /// The path of the command.
        command: String,
        /// What cut the answer off.
        cause: Cause,
    },
    /// The answer came, but is not what the command must return (a row without `.id`, a table shorter than its
    /// count). Only reads end like this.
    #[error("unusable answer to {command}: {detail}")]
    Answer {
        /// The path of the command.
        command: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// How far a command got that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The command itself is not one that may be sent.
    Command,
    /// No TCP connection: wrong address, service off, or the source is not in the service's `available from`.
    Connect,
    /// No TLS: bad certificate, or an api-ssl without certificate (anonymous Diffie-Hellman, which is not supported).
    Tls,
    /// The router took the connection and then did not answer the login.
    Login,
    /// Waiting for a place in the window of commands in flight.
    Window,
    /// The connection was already closed, or broke before the whole sentence was handed over.
    Closed,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Command => "command",
            Stage::Connect => "connect",
            Stage::Tls => "tls",
            Stage::Login => "login",
            Stage::Window => "window",
            Stage::Closed => "closed",
        })
    }
}

/// Why an outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// No answer before the deadline; `/cancel` was sent.
    #[error("no answer before the deadline")]
    Deadline,
    /// The router says that it interrupted the command.
    #[error("interrupted by the router")]
    Interrupted,
    /// The connection broke; its last words if there were any.
    #[error("connection lost: {0}")]
    Lost(String),
    /// The stream became unreadable.
    #[error("unreadable stream: {0}")]
    Unreadable(ProtoError),
}

/// A `!trap`, sorted by its text. Categories are not used: the same failure has one on some firmware and none on
/// another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// The router's own words; two traps of one command are joined with `; `.
    pub message: String,
}

/// Kinds of refusals that a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// An object with this name exists.
    AlreadyExists,
    /// No object with this id.
    NoSuchItem,
    /// This RouterOS does not have the command or menu.
    NoSuchCommand,
    /// This RouterOS does not have the argument.
    UnknownParameter,
    /// A value names an object (profile, pool) that does not exist.
    NoMatch,
    /// A value is the prefix of several names.
    Ambiguous,
    /// A value has the wrong form.
    InvalidValue,
    /// A needed argument is missing.
    MissingArgument,
    /// The user's group lacks the policy.
    NotPermitted,
    /// The router gave up by itself; it may have acted.
    TimedOut,
    /// Somebody cancelled the command.
    Interrupted,
    /// Anything else.
    Other,
}

/// Texts seen in the wild, in the order in which they are looked for.
const KINDS: [(&str, RefusalKind); 20] = [
    ("interrupted", RefusalKind::Interrupted),
    ("already exists", RefusalKind::AlreadyExists),
    ("already have", RefusalKind::AlreadyExists),
    ("with such name exists", RefusalKind::AlreadyExists),
    ("no such item", RefusalKind::NoSuchItem),
    ("missing or invalid resource identifier", RefusalKind::NoSuchItem),
    ("no such command", RefusalKind::NoSuchCommand),
    ("unknown parameter", RefusalKind::UnknownParameter),
    ("does not match any value", RefusalKind::NoMatch),
    ("ambiguous value", RefusalKind::Ambiguous),
    ("not enough permissions", RefusalKind::NotPermitted),
    ("missing =.id=", RefusalKind::MissingArgument),
    ("missing value", RefusalKind::MissingArgument),
    ("action timed out", RefusalKind::TimedOut),
    ("std failure: timeout", RefusalKind::TimedOut),
    ("invalid value", RefusalKind::InvalidValue),
    ("invalid or unexpected argument", RefusalKind::InvalidValue),
    ("out of range", RefusalKind::InvalidValue),
    ("expects", RefusalKind::InvalidValue),
    ("must have", RefusalKind::InvalidValue),
];

impl Refusal {
    /// Sorts the traps of one command by their texts.
    pub fn from_traps(traps: &[Trap]) -> Refusal {
        let texts: Vec<_> = traps.iter().map(|trap| String::from_utf8_lossy(trap.message()).into_owned()).collect();
        let message = texts.join("; ");
        let kind = KINDS.iter().find(|(text, _)| message.contains(text)).map_or(RefusalKind::Other, |(_, kind)| *kind);
        Refusal { kind, message }
    }
}

impl RefusalKind {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            RefusalKind::AlreadyExists => "router.already_exists",
            RefusalKind::NoSuchItem => "router.no_such_item",
            RefusalKind::NoSuchCommand => "router.no_such_command",
            RefusalKind::UnknownParameter => "router.unknown_parameter",
            RefusalKind::NoMatch => "router.no_match",
            RefusalKind::Ambiguous => "router.ambiguous",
            RefusalKind::InvalidValue => "router.invalid_value",
            RefusalKind::MissingArgument => "router.missing_argument",
            RefusalKind::NotPermitted => "router.not_permitted",
            RefusalKind::TimedOut => "router.timed_out",
            RefusalKind::Interrupted => "router.interrupted",
            RefusalKind::Other => "router.refused",
        }
    }
}

impl Error {
    /// A stable code for logs, exit codes and other languages.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotSent { stage: Stage::Command, .. } => "router.bad_command",
            Error::NotSent { stage: Stage::Connect, .. } => "router.unreachable",
            Error::NotSent { stage: Stage::Tls, .. } => "router.tls",
            Error::NotSent { stage: Stage::Login, .. } => "router.login_timeout",
            Error::NotSent { stage: Stage::Window, .. } => "router.busy",
            Error::NotSent { stage: Stage::Closed, .. } => "router.closed",
            Error::Login(LoginError::TooOld) => "router.too_old",
            Error::Login(LoginError::BadCredentials) => "router.bad_credentials",
            Error::Login(_) => "router.login_refused",
            Error::Refused { refusal, .. } => refusal.kind.code(),
            Error::Unknown { cause: Cause::Deadline, .. } => "router.timeout",
            Error::Unknown { cause: Cause::Interrupted, .. } => "router.interrupted",
            Error::Unknown { cause: Cause::Lost(_), .. } => "router.connection_lost",
            Error::Unknown { cause: Cause::Unreadable(_), .. } => "router.unreadable",
            Error::Answer { .. } => "router.unusable_answer",
        }
    }

    /// Whether the same thing can be tried again with hope. After [`Error::Unknown`] read back first.
    pub fn retryable(&self) -> bool {
        match self {
            Error::NotSent { stage, .. } => !matches!(stage, Stage::Command | Stage::Tls),
            Error::Login(_) => false,
            Error::Refused { refusal, .. } => refusal.kind == RefusalKind::TimedOut,
            Error::Unknown { .. } | Error::Answer { .. } => true,
        }
    }

    /// Whether the router lacks or forbids what was asked, which asking again does not change: it is no menu of this router,
    /// or the user may not see it. A router that gave up this once has said nothing of the kind.
    pub(crate) fn is_lack(&self) -> bool {
        matches!(self, Error::Refused { .. }) && !self.retryable()
    }

    /// Whether the connection on which it happened is still good.
    pub fn connection_survives(&self) -> bool {
        match self {
            Error::Refused { .. } | Error::Answer { .. } => true,
            Error::NotSent { stage, .. } => matches!(stage, Stage::Command | Stage::Window),
            Error::Unknown { cause, .. } => matches!(cause, Cause::Interrupted),
            Error::Login(_) => false,
        }
    }

    /// Of several errors of one turn the one that decides: a broken connection before anything else.
    pub(crate) fn worse(self, other: Option<Error>) -> Error {
        match other {
            Some(other) if !other.connection_survives() || self.connection_survives() => other,
            _ => self,
        }
    }

    /// The kind of the refusal, if it is one.
    pub fn refusal(&self) -> Option<RefusalKind> {
        match self {
            Error::Refused { refusal, .. } => Some(refusal.kind),
            _ => None,
        }
    }

    /// What it promises to the engine. After a write nothing is "not sent" any more.
    pub(crate) fn for_port(&self, wrote: bool) -> PortError {
        let reason = self.to_string();
        match self {
            Error::Login(_) | Error::NotSent { stage: Stage::Command | Stage::Tls, .. } => {
                PortError::Refused { code: self.code(), reason }
            }
            Error::Refused { .. } if !self.retryable() => PortError::Refused { code: self.code(), reason },
            _ if wrote => PortError::Unknown { reason },
            Error::NotSent { .. } | Error::Answer { .. } => PortError::NotSent { reason },
            _ => PortError::Unknown { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;
    use crate::proto::Sentence;
    use crate::proto::connection::{Connection, Event};

    /// The table above, line by line, against the code.
    #[test]
    fn the_table_of_promises_is_what_the_code_does() {
        let not_sent = |stage| Error::NotSent { stage, detail: String::new() };
        let unknown = |cause| Error::Unknown { command: String::new(), cause };
        let refused =
            |kind| Error::Refused { command: String::new(), refusal: Refusal { kind, message: String::new() } };
        let text = include_str!("error.rs");
        for (error, again, survives) in [
            (not_sent(Stage::Command), false, true),
            (not_sent(Stage::Connect), true, false),
            (not_sent(Stage::Tls), false, false),
            (not_sent(Stage::Login), true, false),
            (not_sent(Stage::Window), true, true),
            (not_sent(Stage::Closed), true, false),
            (Error::Login(LoginError::BadCredentials), false, false),
            (Error::Login(LoginError::TooOld), false, false),
            (Error::Login(LoginError::Refused(String::new())), false, false),
            (refused(RefusalKind::AlreadyExists), false, true),
            (refused(RefusalKind::NoSuchItem), false, true),
            (refused(RefusalKind::NoMatch), false, true),
            (refused(RefusalKind::Ambiguous), false, true),
            (refused(RefusalKind::InvalidValue), false, true),
            (refused(RefusalKind::MissingArgument), false, true),
            (refused(RefusalKind::UnknownParameter), false, true),
            (refused(RefusalKind::NoSuchCommand), false, true),
            (refused(RefusalKind::NotPermitted), false, true),
            (refused(RefusalKind::Other), false, true),
            (refused(RefusalKind::TimedOut), true, true),
            (unknown(Cause::Deadline), true, false),
            (unknown(Cause::Interrupted), true, true),
            (unknown(Cause::Lost(String::new())), true, false),
            (unknown(Cause::Unreadable(ProtoError::ControlByte(0xFF))), true, false),
            (Error::Answer { command: String::new(), detail: String::new() }, true, true),
        ] {
            let code = error.code();
            let line = text.lines().find(|line| line.starts_with("//! |") && line.contains(&format!("`{code}`")));
            let line = line.unwrap_or_else(|| panic!("{code} is not in the table"));
            let cells: Vec<&str> = line.split(" | ").collect();
            assert_eq!((error.retryable(), error.connection_survives()), (again, survives), "{code}");
            assert_eq!(again, !cells[3].starts_with("no"), "{line}");
            // After a deadline the connection is not trusted with the next command, whatever becomes of the cancel.
            assert_eq!(survives || code == "router.timeout", cells[4].starts_with("lives"), "{line}");
        }
    }

    fn kind_of(message: &str) -> RefusalKind {
        let mut connection: Connection<()> = Connection::default();
        let _ = connection.submit(&crate::proto::Command::new("/x"), ());
        for words in [vec!["!trap".to_owned(), format!("=message={message}")], vec!["!done".to_owned()]] {
            let mut bytes = Vec::new();
            for word in Sentence::from_words(words).words() {
                crate::proto::word::put_word(&mut bytes, word);
            }
            bytes.push(0);
            connection.receive(&bytes);
        }
        match connection.poll() {
            Ok(Some(Event::Finished { reply, .. })) => Refusal::from_traps(reply.traps()).kind,
            _ => RefusalKind::Other,
        }
    }

    #[test]
    fn refusals_are_told_apart_by_their_texts() {
        for (text, kind) in [
            ("failure: secret with the same name already exists", RefusalKind::AlreadyExists),
            ("failure: already have such name", RefusalKind::AlreadyExists),
            ("failure: pool with such name exists", RefusalKind::AlreadyExists),
            ("input does not match any value of profile", RefusalKind::NoMatch),
            ("ambiguous value of profile, more than one possible value matches input", RefusalKind::Ambiguous),
            ("invalid value for argument remote-address", RefusalKind::InvalidValue),
            ("value of range must have ip address after '-'", RefusalKind::InvalidValue),
            ("not enough permissions (9)", RefusalKind::NotPermitted),
            ("no such item (4)", RefusalKind::NoSuchItem),
            ("no such command prefix", RefusalKind::NoSuchCommand),
            ("unknown parameter", RefusalKind::UnknownParameter),
            ("missing =.id=", RefusalKind::MissingArgument),
            ("action timed out - try again, if error continues contact MikroTik support", RefusalKind::TimedOut),
            ("something new", RefusalKind::Other),
        ] {
            assert_eq!(kind_of(text), kind, "{text}");
        }
    }
}
