//! /queue/simple: static queues of our own. Those of PPP sessions (`<pppoe-…>`) belong to the router.

use super::rate::{Pair, RateLimit, rate_pair};
use super::{ItemId, Rows, bytes, id, print as print_rows, remove as remove_rows, truth};
use crate::Bytes;
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/queue/simple";

const PROPERTIES: [&str; 10] = [
    ".id",
    "name",
    "target",
    "max-limit",
    "burst-limit",
    "burst-threshold",
    "burst-time",
    "dynamic",
    "disabled",
    "comment",
];

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleQueue {
    /// Its address.
    pub id: ItemId,
    /// Unique on the router; bytes as it sent them.
    pub name: Vec<u8>,
    /// What it is for: addresses or an interface.
    pub target: Vec<u8>,
    /// `up/down` in bits a second.
    pub max_limit: Vec<u8>,
    /// `up/down` in bits a second that hold for a short while; `0/0` without burst.
    pub burst_limit: Vec<u8>,
    /// `up/down` in bits a second at which the burst ends.
    pub burst_threshold: Vec<u8>,
    /// `up/down` as spans of time over which the mean is taken.
    pub burst_time: Vec<u8>,
    /// Whether the router made it for a session.
    pub dynamic: bool,
    /// Whether it does not count.
    pub disabled: bool,
    /// The comment; empty when it has none.
    pub comment: Vec<u8>,
}

impl SimpleQueue {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<SimpleQueue, Error> {
        let [number, name, target, max_limit, burst_limit, burst_threshold, burst_time, dynamic, disabled, comment] =
            row.values(PROPERTIES);
        Ok(SimpleQueue {
            id: id(MENU, number)?,
            name: bytes(name),
            target: bytes(target),
            max_limit: bytes(max_limit),
            burst_limit: bytes(burst_limit),
            burst_threshold: bytes(burst_threshold),
            burst_time: bytes(burst_time),
            dynamic: truth(dynamic),
            disabled: truth(disabled),
            comment: bytes(comment),
        })
    }
}

const OF_SESSIONS: [&str; 5] = [".id", "name", "max-limit", "burst-limit", "burst-threshold"];

/// A queue that the router made for a session: what the session was given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionQueue {
    /// Its address.
    pub id: ItemId,
    /// Whose PPPoE session it is for; `None` if it is for another kind of session.
    pub user: Option<Bytes>,
    /// `up/down` in bits a second, zeros without a limit; `None` if it cannot be read.
    pub rate: Option<Pair>,
    /// The same of its burst.
    pub burst: Option<Pair>,
    /// The same of the rate at which the burst ends.
    pub threshold: Option<Pair>,
}

impl SessionQueue {
    /// Reads a row of [`print_dynamic`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<SessionQueue, Error> {
        let [number, name, rate, burst, threshold] = row.values(OF_SESSIONS);
        let pair = |raw: Option<&[u8]>| raw.filter(|raw| !raw.is_empty()).map_or(Some((0, 0)), rate_pair);
        let user = name.and_then(|name| name.strip_prefix(b"<pppoe-")?.strip_suffix(b">"));
        Ok(SessionQueue {
            id: id(MENU, number)?,
            user: user.map(Bytes::from),
            rate: pair(rate),
            burst: pair(burst),
            threshold: pair(threshold),
        })
    }

    /// Whether the session was given these terms.
    pub fn gives(&self, wanted: RateLimit) -> bool {
        let (burst, threshold) = wanted.burst.map_or(((0, 0), (0, 0)), |burst| (burst.limit, burst.threshold));
        self.rate == Some(wanted.rate)
            && self.burst == Some(burst)
            && (burst == (0, 0) || self.threshold == Some(threshold))
    }
}

/// Asks for queues.
pub fn print(rows: Rows<'_>) -> Command {
    print_rows(MENU, &PROPERTIES, rows)
}

/// How many queues [`print_dynamic`] would give.
pub fn count_dynamic() -> Command {
    super::count(MENU).where_any("dynamic", &["true"])
}

/// Asks for the queues that the router made for sessions: they show what a running session was given, which nothing
/// else does.
pub fn print_dynamic() -> Command {
    print_rows(MENU, &OF_SESSIONS, Rows::All).where_any("dynamic", &["true"])
}

/// Asks for the queues that people and we made, and for none that the router made for a session.
pub fn print_static() -> Command {
    print(Rows::All).where_any("dynamic", &["false"])
}

/// How many queues [`print_static`] would give.
pub fn count_static() -> Command {
    super::count(MENU).where_any("dynamic", &["false"])
}

/// What is written to a queue; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// What it is called from now on.
    pub name: Option<String>,
    /// Whose traffic it holds.
    pub target: Option<String>,
    /// Its limit, with the burst.
    pub limit: Option<RateLimit>,
    /// Whether it does not count.
    pub disabled: Option<bool>,
    /// Bytes in the router's code page, with our mark in front.
    pub comment: Option<Vec<u8>>,
}

/// Makes a queue.
pub fn make(changes: &Changes) -> Command {
    with(Command::new("/queue/simple/add"), changes)
}

/// Changes a queue, which takes effect at once.
pub fn change(id: &ItemId, changes: &Changes) -> Command {
    with(Command::new("/queue/simple/set").arg(".id", id), changes)
}

fn with(mut command: Command, changes: &Changes) -> Command {
    for (name, value) in [("name", &changes.name), ("target", &changes.target)] {
        if let Some(value) = value {
            command = command.arg(name, value);
        }
    }
    if let Some(limit) = changes.limit {
        let pair = |(up, down): Pair| format!("{up}/{down}");
        let (burst, threshold, seconds) =
            limit.burst.map_or(((0, 0), (0, 0), (0, 0)), |burst| (burst.limit, burst.threshold, burst.seconds));
        command = command.arg("max-limit", pair(limit.rate)).arg("burst-limit", pair(burst));
        command = command.arg("burst-threshold", pair(threshold));
        command = command.arg("burst-time", format!("{}s/{}s", seconds.0, seconds.1));
    }
    if let Some(disabled) = changes.disabled {
        command = command.arg("disabled", if disabled { "yes" } else { "no" });
    }
    match &changes.comment {
        Some(comment) => command.arg("comment", comment),
        None => command,
    }
}

/// Adds a queue; `max_limit` is `up/down`.
pub fn add(name: &str, target: &str, max_limit: &str, comment: &[u8]) -> Command {
    let command = Command::new("/queue/simple/add").arg("name", name).arg("target", target);
    command.arg("max-limit", max_limit).arg("comment", comment)
}

/// Changes the limit, which takes effect at once.
pub fn set_limit(id: &ItemId, max_limit: &str) -> Command {
    Command::new("/queue/simple/set").arg(".id", id).arg("max-limit", max_limit)
}

/// Removes queues; `None` for an empty list.
pub fn remove(ids: &[ItemId]) -> Option<Command> {
    remove_rows(MENU, ids)
}
