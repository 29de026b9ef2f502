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
}

impl Pool {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<Pool, Error> {
        let bytes = |name| row.value(name).unwrap_or_default().to_vec();
        Ok(Pool { id: id_of(MENU, row)?, name: bytes("name"), ranges: bytes("ranges") })
    }
}

/// Asks for pools.
pub fn print(rows: Rows<'_>) -> Command {
    print_rows(MENU, &[".id", "name", "ranges"], rows)
}

/// Adds a pool.
pub fn add(name: &str, ranges: &str) -> Command {
    Command::new("/ip/pool/add").arg("name", name).arg("ranges", ranges)
}
