//! /ip/pool: ranges of addresses.

use super::{ItemId, Rows, id_of, print as print_rows};
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/ip/pool";

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// Its address. Whoever uses the pool holds this: a new pool of the same name is another one.
    pub id: ItemId,
    /// By which profiles name it; bytes as the router sent them.
    pub name: Vec<u8>,
    /// First and last addresses, such as `10.0.0.2-10.0.0.254`, with commas between.
    pub ranges: Vec<u8>,
    /// The comment; empty when it has none, and on RouterOS 6, where pools have none.
    pub comment: Vec<u8>,
}

impl Pool {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<Pool, Error> {
        let bytes = |name| row.value(name).unwrap_or_default().to_vec();
        Ok(Pool { id: id_of(MENU, row)?, name: bytes("name"), ranges: bytes("ranges"), comment: bytes("comment") })
    }
}

/// Asks for pools.
pub fn print(rows: Rows<'_>) -> Command {
    print_rows(MENU, &[".id", "name", "ranges", "comment"], rows)
}

/// Adds a pool.
pub fn add(name: &str, ranges: &str) -> Command {
    Command::new("/ip/pool/add").arg("name", name).arg("ranges", ranges)
}

/// Adds a pool with a comment, which RouterOS 6 does not know.
pub fn add_marked(name: &str, ranges: &str, comment: &str) -> Command {
    add(name, ranges).arg("comment", comment)
}

/// Other ranges for a pool. Addresses that are given out stay with their sessions.
pub fn set_ranges(id: &ItemId, ranges: &str) -> Command {
    Command::new("/ip/pool/set").arg(".id", id).arg("ranges", ranges)
}
