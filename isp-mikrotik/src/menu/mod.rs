//! Typed commands: functions that build a [`Command`], and rows as structs.
//!
//! Nothing here does I/O: give a command to [`Client::call`](crate::Client::call). Whatever is not here can be sent
//! with a [`Command`] built by hand. A write takes an [`ItemId`] and nothing else as address: a
//! bare number would be a console position, and a name would be matched in ways that differ per menu.

pub mod address_list;
pub mod connection;
pub mod firewall;
pub mod hotspot;
pub mod ipv6;
mod item_id;
pub mod lease;
pub mod pool;
pub mod ppp;
pub mod queue;
pub mod rate;
pub mod system;

pub use item_id::ItemId;

use crate::Bytes;
use crate::error::Error;
use crate::proto::{Command, Reply, Row};

/// Which rows of a table are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rows<'a> {
    /// The whole table.
    All,
    /// Those whose name is exactly one of these.
    Named(&'a [&'a str]),
}

/// Names asked for one by one up to here; beyond it one whole table costs the router less.
pub const MAX_NAMES: usize = 32;

/// A print of these rows and properties.
pub(crate) fn print(menu: &str, properties: &[&str], rows: Rows<'_>) -> Command {
    let command = Command::new(&format!("{menu}/print")).proplist(properties);
    match rows {
        Rows::All => command,
        Rows::Named(names) => command.where_any("name", names),
    }
}

/// How many rows the table has.
pub fn count(menu: &str) -> Command {
    Command::new(&format!("{menu}/print")).flag("count-only")
}

/// The number that [`count`] was answered with.
///
/// # Errors
///
/// [`Error::Answer`] if the answer is not a number.
pub fn counted(count: &Command, reply: &Reply) -> Result<usize, Error> {
    let number = reply.ret().and_then(|ret| std::str::from_utf8(ret).ok()).and_then(|text| text.parse().ok());
    let detail = "count is not a number".to_owned();
    number.ok_or_else(|| Error::Answer { command: count.path().to_owned(), detail })
}

/// The id that an add was answered with.
///
/// # Errors
///
/// [`Error::Answer`] if there is none.
pub fn added(menu: &str, reply: &Reply) -> Result<ItemId, Error> {
    let id = reply.ret().and_then(ItemId::parse);
    id.ok_or_else(|| Error::Answer { command: format!("{menu}/add"), detail: "no id of the new object".to_owned() })
}

/// Removes these objects; `None` for an empty list, which a router would take for anything.
pub(crate) fn remove(menu: &str, ids: &[ItemId]) -> Option<Command> {
    let list: Vec<&str> = ids.iter().map(ItemId::as_str).collect();
    (!list.is_empty()).then(|| Command::new(&format!("{menu}/remove")).arg(".id", list.join(",")))
}

/// Another comment for an object.
pub(crate) fn set_comment(menu: &str, id: &ItemId, comment: &[u8]) -> Command {
    Command::new(&format!("{menu}/set")).arg(".id", id).arg("comment", comment)
}

/// The `.id` of a row.
pub(crate) fn id_of(menu: &str, row: &Row) -> Result<ItemId, Error> {
    id(menu, row.value(".id"))
}

/// A value of `.id`, which every row has.
pub(crate) fn id(menu: &str, value: Option<&[u8]>) -> Result<ItemId, Error> {
    value
        .and_then(ItemId::parse)
        .ok_or_else(|| Error::Answer { command: format!("{menu}/print"), detail: "row without .id".to_owned() })
}

/// A value; empty when there is none.
pub(crate) fn bytes<'a, T: From<&'a [u8]>>(value: Option<&'a [u8]>) -> T {
    value.unwrap_or_default().into()
}

/// A value that counts only if there is something in it.
pub(crate) fn filled(value: Option<&[u8]>) -> Option<Bytes> {
    value.filter(|value| !value.is_empty()).map(Bytes::from)
}

/// A boolean as RouterOS prints it.
pub(crate) fn truth(value: Option<&[u8]>) -> bool {
    matches!(value, Some(b"true" | b"yes"))
}
