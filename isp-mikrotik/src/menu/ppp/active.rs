//! /ppp/active: the running sessions.

use super::super::{ItemId, Rows, bytes, id, print as print_rows, remove as remove_rows};
use crate::Bytes;
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/ppp/active";

const PROPERTIES: [&str; 4] = [".id", "name", "address", "uptime"];

/// A session. It keeps the terms it logged in with, whatever its secret says by now; the router does not show which
/// profile that was.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PppActive {
    /// Its address; never used again for another session while the router runs.
    pub id: ItemId,
    /// PPP user name.
    pub name: Bytes,
    /// The customer's address.
    pub address: Option<Bytes>,
    /// How long it runs, as RouterOS writes it.
    pub uptime: Bytes,
}

impl PppActive {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<PppActive, Error> {
        let [number, name, address, uptime] = row.values(PROPERTIES);
        Ok(PppActive {
            id: id(MENU, number)?,
            name: bytes(name),
            address: address.map(Bytes::from),
            uptime: bytes(uptime),
        })
    }
}

/// Asks for sessions.
pub fn print(rows: Rows<'_>) -> Command {
    print_rows(MENU, &PROPERTIES, rows)
}

/// Ends sessions; `None` for an empty list. The customer's box dials again within about a second, under the terms
/// its secret has then.
pub fn remove(ids: &[ItemId]) -> Option<Command> {
    remove_rows(MENU, ids)
}
