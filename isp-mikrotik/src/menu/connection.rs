//! /ip/firewall/connection: what runs through the router now. A connection that was let through once goes on, whatever
//! the firewall says of new ones; who is isolated or opened has the old ones ended.

use super::{ItemId, id_of, remove as remove_rows};
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/ip/firewall/connection";

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Its address in the menu.
    pub id: ItemId,
    /// Who began it, without the port.
    pub source: Vec<u8>,
    /// Whom it reaches, without the port.
    pub destination: Vec<u8>,
}

impl Connection {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<Connection, Error> {
        let host = |name| without_port(row.value(name).unwrap_or_default()).to_vec();
        Ok(Connection { id: id_of(MENU, row)?, source: host("src-address"), destination: host("dst-address") })
    }

    /// Whether an address takes part in it.
    pub fn touches(&self, address: &[u8]) -> bool {
        self.source == address || self.destination == address
    }
}

/// Asks for every connection: no query finds the addresses, which most versions show with their ports.
pub fn print() -> Command {
    Command::new("/ip/firewall/connection/print").proplist(&[".id", "src-address", "dst-address"])
}

/// Ends connections; `None` for an empty list.
pub fn remove(ids: &[ItemId]) -> Option<Command> {
    remove_rows(MENU, ids)
}

/// `10.20.0.7` of `10.20.0.7:51234`; an IPv6 address has more than one colon and stays as it is.
fn without_port(address: &[u8]) -> &[u8] {
    match address.iter().filter(|&&byte| byte == b':').count() {
        1 => address.split(|&byte| byte == b':').next().unwrap_or_default(),
        _ => address,
    }
}
