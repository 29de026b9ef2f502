//! /queue/simple: static queues of our own. Those of PPP sessions (`<pppoe-…>`) belong to the router.

use super::{ItemId, Rows, id_of, print as print_rows, remove as remove_rows, truth};
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/queue/simple";

const PROPERTIES: [&str; 8] =
    [".id", "name", "target", "max-limit", "burst-limit", "burst-threshold", "dynamic", "comment"];

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimpleQueue {
    /// Its address.
    pub id: ItemId,
    /// Its name.
    pub name: Vec<u8>,
    /// What it is for: addresses or an interface.
    pub target: Vec<u8>,
    /// `up/down` in bits a second.
    pub max_limit: Vec<u8>,
    /// `up/down` in bits a second that hold for a short while; `0/0` without burst.
    pub burst_limit: Vec<u8>,
    /// `up/down` in bits a second at which the burst ends.
    pub burst_threshold: Vec<u8>,
    /// Whether the router made it for a session.
    pub dynamic: bool,
    /// The comment; empty when it has none.
    pub comment: Vec<u8>,
}

impl SimpleQueue {
    /// Reads a row of [`print`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<SimpleQueue, Error> {
        let bytes = |name| row.value(name).unwrap_or_default().to_vec();
        Ok(SimpleQueue {
            id: id_of(MENU, row)?,
            name: bytes("name"),
            target: bytes("target"),
            max_limit: bytes("max-limit"),
            burst_limit: bytes("burst-limit"),
            burst_threshold: bytes("burst-threshold"),
            dynamic: truth(row.value("dynamic")),
            comment: bytes("comment"),
        })
    }
}

/// Asks for queues.
pub fn print(rows: Rows<'_>) -> Command {
    print_rows(MENU, &PROPERTIES, rows)
}

/// Asks for the queues that the router made for sessions: they show what a running session was given, which nothing
/// else does.
pub fn print_dynamic() -> Command {
    print(Rows::All).where_any("dynamic", &["true"])
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
