//! Firewall rules of both families, and the lists that they name: rules stand in an order.

use std::collections::BTreeMap;

use super::{ItemId, bytes, id_of, truth};
use crate::Bytes;
use crate::error::Error;
use crate::proto::{Command, Row};

/// IPv4 filter.
pub const FILTER: &str = "/ip/firewall/filter";
/// IPv4 NAT.
pub const NAT: &str = "/ip/firewall/nat";
/// IPv4 lists.
pub const LISTS: &str = super::address_list::MENU;
/// IPv6 filter.
pub const FILTER6: &str = "/ipv6/firewall/filter";
/// IPv6 NAT, since RouterOS 7.
pub const NAT6: &str = "/ipv6/firewall/nat";
/// IPv6 lists.
pub const LISTS6: &str = "/ipv6/firewall/address-list";

/// What a rule does and to what; counters and log settings are left out.
pub const PROPERTIES: [&str; 49] = [
    "chain",
    "action",
    "address-list",
    "address-list-timeout",
    "connection-bytes",
    "connection-limit",
    "connection-mark",
    "connection-nat-state",
    "connection-rate",
    "connection-state",
    "connection-type",
    "content",
    "dscp",
    "dst-address",
    "dst-address-list",
    "dst-address-type",
    "dst-limit",
    "dst-port",
    "fragment",
    "hop-limit",
    "hotspot",
    "icmp-options",
    "in-bridge-port",
    "in-interface",
    "in-interface-list",
    "ipsec-policy",
    "jump-target",
    "layer7-protocol",
    "limit",
    "nth",
    "out-bridge-port",
    "out-interface",
    "out-interface-list",
    "packet-mark",
    "packet-size",
    "port",
    "protocol",
    "random",
    "reject-with",
    "routing-mark",
    "src-address",
    "src-address-list",
    "src-address-type",
    "src-mac-address",
    "src-port",
    "tcp-flags",
    "time",
    "tls-host",
    "to-ports",
];

/// What only NAT has, by its name in each family.
pub const NAT_TARGETS: [&str; 2] = ["to-addresses", "to-address"];

/// A rule as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its address in the menu.
    pub id: ItemId,
    /// Whether the router made it.
    pub dynamic: bool,
    /// Whether it does nothing.
    pub disabled: bool,
    /// The comment; empty when it has none.
    pub comment: Bytes,
    /// What it does and to what, of [`PROPERTIES`] and [`NAT_TARGETS`]; what is empty is left out.
    pub values: BTreeMap<&'static str, Vec<u8>>,
}

impl Rule {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<Rule, Error> {
        let filled = |name: &&'static str| {
            row.value(name).filter(|value| !value.is_empty()).map(|value| (*name, value.to_vec()))
        };
        Ok(Rule {
            id: id_of("/firewall", row)?,
            dynamic: truth(row.value("dynamic")),
            disabled: truth(row.value("disabled")),
            comment: bytes(row.value("comment")),
            values: PROPERTIES.iter().chain(&NAT_TARGETS).filter_map(filled).collect(),
        })
    }

    /// A value; empty when there is none.
    pub fn value(&self, name: &str) -> &[u8] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Asks for all rules of a menu, in their order.
pub fn print(menu: &str) -> Command {
    let own = [".id", "dynamic", "disabled", "comment"];
    let names: Vec<&str> = own.into_iter().chain(PROPERTIES).chain(NAT_TARGETS).collect();
    Command::new(&format!("{menu}/print")).proplist(&names)
}

/// Adds a rule, before another one or at the end.
pub fn add(menu: &str, fields: &[(&'static str, String)], comment: &str, before: Option<&ItemId>) -> Command {
    let command = fields.iter().fold(Command::new(&format!("{menu}/add")), |c, (name, value)| c.arg(name, value));
    let command = command.arg("comment", comment);
    before.into_iter().fold(command, |command, before| command.arg("place-before", before))
}

/// Changes a rule; its comment and its place stay.
pub fn set(menu: &str, id: &ItemId, fields: &[(&'static str, String)]) -> Command {
    let command = Command::new(&format!("{menu}/set")).arg(".id", id);
    fields.iter().fold(command, |command, (name, value)| command.arg(name, value))
}

/// Takes a value away from a rule.
pub fn unset(menu: &str, id: &ItemId, name: &str) -> Command {
    Command::new(&format!("{menu}/unset")).arg(".id", id).arg("value-name", name)
}

/// Moves a rule before another one, or to the end. A destination that is gone means the end, too.
pub fn move_before(menu: &str, id: &ItemId, before: Option<&ItemId>) -> Command {
    let command = Command::new(&format!("{menu}/move")).arg("numbers", id);
    before.into_iter().fold(command, |command, before| command.arg("destination", before))
}

/// Removes a rule or an entry.
pub fn remove(menu: &str, id: &ItemId) -> Command {
    Command::new(&format!("{menu}/remove")).arg(".id", id)
}

/// Asks for the entries of a list; rows are those of [`ListEntry`](super::address_list::ListEntry).
pub fn print_list(menu: &str, list: &str) -> Command {
    let names = [".id", "list", "address", "dynamic", "disabled", "comment"];
    Command::new(&format!("{menu}/print")).proplist(&names).where_any("list", &[list])
}

/// How many entries [`print_list`] would give.
pub fn count_list(menu: &str, list: &str) -> Command {
    super::count(menu).where_any("list", &[list])
}

/// Adds an entry to a list, for good.
pub fn add_entry(menu: &str, list: &str, address: &str, comment: &str) -> Command {
    Command::new(&format!("{menu}/add")).arg("list", list).arg("address", address).arg("comment", comment)
}

/// Switches an entry on.
pub fn enable(menu: &str, id: &ItemId) -> Command {
    Command::new(&format!("{menu}/set")).arg(".id", id).arg("disabled", "no")
}
