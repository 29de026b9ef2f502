//! /ip/firewall/address-list: who is in which list.

use super::{ItemId, bytes, id, remove as remove_rows, truth};
use crate::Bytes;
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/ip/firewall/address-list";

const PROPERTIES: [&str; 6] = [".id", "list", "address", "dynamic", "disabled", "comment"];

/// A member of a list. RouterOS refuses only a second *enabled* entry of the same pair, so twins exist.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListEntry {
    /// Its address in the menu.
    pub id: ItemId,
    /// Which list the address is on.
    pub list: Bytes,
    /// An IP address, network or name.
    pub address: Bytes,
    /// Whether the router made it, for a session or with a time limit; such entries vanish by themselves.
    pub dynamic: bool,
    /// Whether it counts.
    pub disabled: bool,
    /// The comment; empty when it has none.
    pub comment: Bytes,
}

impl ListEntry {
    /// Reads a row of [`print_list`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<ListEntry, Error> {
        let [number, list, address, dynamic, disabled, comment] = row.values(PROPERTIES);
        Ok(ListEntry {
            id: id(MENU, number)?,
            list: bytes(list),
            address: bytes(address),
            dynamic: truth(dynamic),
            disabled: truth(disabled),
            comment: bytes(comment),
        })
    }
}

/// An address as a list or a queue shows it, without the length that a single one may carry.
pub(crate) fn bare(address: &[u8]) -> &[u8] {
    address.strip_suffix(b"/32").unwrap_or(address)
}

/// Asks for one list, with the entries that sessions made; the whole table can have hundreds of thousands of entries.
pub fn print_list(list: &str) -> Command {
    Command::new("/ip/firewall/address-list/print").proplist(&PROPERTIES).where_any("list", &[list])
}

/// How many entries [`print_list`] would give.
pub fn count_list(list: &str) -> Command {
    super::count(MENU).where_any("list", &[list])
}

/// Adds an address to a list, for good.
pub fn add(list: &str, address: &str, comment: &[u8]) -> Command {
    Command::new("/ip/firewall/address-list/add").arg("list", list).arg("address", address).arg("comment", comment)
}

/// Changes the comment of an entry.
pub fn set_comment(id: &ItemId, comment: &[u8]) -> Command {
    Command::new("/ip/firewall/address-list/set").arg(".id", id).arg("comment", comment)
}

/// Removes entries; `None` for an empty list.
pub fn remove(ids: &[ItemId]) -> Option<Command> {
    remove_rows(MENU, ids)
}
