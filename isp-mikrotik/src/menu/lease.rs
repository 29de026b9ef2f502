//! /ip/dhcp-server/lease: which box gets which address. Only a static lease keeps what is set on it; one that the server
//! gave by itself is dynamic, until it is made static.

use super::{ItemId, id_of, remove as remove_rows, truth};
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/ip/dhcp-server/lease";

const PROPERTIES: [&str; 12] = [
    ".id",
    "mac-address",
    "address",
    "active-address",
    "status",
    "rate-limit",
    "address-lists",
    "block-access",
    "dynamic",
    "disabled",
    "server",
    "comment",
];

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// Its address in the menu.
    pub id: ItemId,
    /// The box.
    pub mac: Vec<u8>,
    /// The address that it is to have; empty for one of the pool's.
    pub address: Vec<u8>,
    /// The address that the box has now.
    pub active_address: Option<Vec<u8>>,
    /// Whether the box has it now.
    pub bound: bool,
    /// `up/down`, and perhaps more.
    pub rate_limit: Option<Vec<u8>>,
    /// The lists that the box's address joins, separated by commas.
    pub address_lists: Vec<u8>,
    /// Whether the box is refused.
    pub blocked: bool,
    /// Whether the server gave it by itself.
    pub dynamic: bool,
    /// Whether it does not count.
    pub disabled: bool,
    /// The comment; empty when it has none.
    pub comment: Vec<u8>,
}

impl Lease {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<Lease, Error> {
        let some = |name| row.value(name).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
        let bytes = |name| row.value(name).unwrap_or_default().to_vec();
        Ok(Lease {
            id: id_of(MENU, row)?,
            mac: bytes("mac-address").to_ascii_uppercase(),
            address: some("address").filter(|address| address != b"0.0.0.0").unwrap_or_default(),
            active_address: some("active-address"),
            bound: row.value("status") == Some(b"bound"),
            rate_limit: some("rate-limit"),
            address_lists: bytes("address-lists"),
            blocked: truth(row.value("block-access")),
            dynamic: truth(row.value("dynamic")),
            disabled: truth(row.value("disabled")),
            comment: bytes("comment"),
        })
    }

    /// The lists that its address joins.
    pub fn lists(&self) -> impl Iterator<Item = &[u8]> {
        self.address_lists.split(|&byte| byte == b',').filter(|list| !list.is_empty())
    }
}

/// What is written to a lease; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The box.
    pub mac: Option<String>,
    /// Another IPv4 address for the box.
    pub address: Option<String>,
    /// `up/down`, and perhaps more.
    pub rate_limit: Option<String>,
    /// The lists that its address joins; empty for none.
    pub address_lists: Option<Vec<u8>>,
    /// Whether the box is refused.
    pub blocked: Option<bool>,
    /// Whether it does not count.
    pub disabled: Option<bool>,
    /// Bytes in the router's code page, with our mark in front.
    pub comment: Option<Vec<u8>>,
}

/// Asks for every lease.
pub fn print() -> Command {
    Command::new("/ip/dhcp-server/lease/print").proplist(&PROPERTIES)
}

/// Makes a static lease.
pub fn add(changes: &Changes) -> Command {
    with(Command::new("/ip/dhcp-server/lease/add"), changes)
}

/// Changes a static lease.
pub fn set(id: &ItemId, changes: &Changes) -> Command {
    with(Command::new("/ip/dhcp-server/lease/set").arg(".id", id), changes)
}

/// Keeps a lease that the server gave by itself; its id stays.
pub fn make_static(id: &ItemId) -> Command {
    Command::new("/ip/dhcp-server/lease/make-static").arg(".id", id)
}

/// Removes leases; `None` for an empty list.
pub fn remove(ids: &[ItemId]) -> Option<Command> {
    remove_rows(MENU, ids)
}

fn with(mut command: Command, changes: &Changes) -> Command {
    let texts = [
        ("mac-address", changes.mac.as_ref().map(|text| text.as_bytes())),
        ("address", changes.address.as_ref().map(|text| text.as_bytes())),
        ("rate-limit", changes.rate_limit.as_ref().map(|text| text.as_bytes())),
        ("address-lists", changes.address_lists.as_deref()),
        ("block-access", changes.blocked.map(yes_no)),
        ("disabled", changes.disabled.map(yes_no)),
        ("comment", changes.comment.as_deref()),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            command = command.arg(name, value);
        }
    }
    command
}

fn yes_no(value: bool) -> &'static [u8] {
    if value { b"yes" } else { b"no" }
}
