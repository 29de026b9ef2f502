//! /ppp/profile: the user groups.

use super::super::{ItemId, Rows, id_of, print as print_rows};
use crate::error::Error;
use crate::proto::{Command, Row};

pub use crate::menu::rate::rate_pair;

/// The menu.
pub const MENU: &str = "/ppp/profile";

const PROPERTIES: [&str; 7] =
    [".id", "name", "local-address", "remote-address", "rate-limit", "address-list", "comment"];

/// A user group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PppProfile {
    /// Its address.
    pub id: ItemId,
    /// By which accounts name it; bytes as the router sent them.
    pub name: Vec<u8>,
    /// The router's own address in its sessions: an address or a pool.
    pub local_address: Option<Vec<u8>>,
    /// The customer's address: an address or a pool, `*HEX` when the pool was deleted.
    pub remote_address: Option<Vec<u8>>,
    /// `up/down`, seen from the router: what it receives comes first.
    pub rate_limit: Option<Vec<u8>>,
    /// The firewall address list that its sessions join.
    pub address_list: Option<Vec<u8>>,
    /// The comment; empty when it has none.
    pub comment: Vec<u8>,
}

impl PppProfile {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<PppProfile, Error> {
        let some = |name| row.value(name).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
        Ok(PppProfile {
            id: id_of(MENU, row)?,
            name: row.value("name").unwrap_or_default().to_vec(),
            local_address: some("local-address"),
            remote_address: some("remote-address"),
            rate_limit: some("rate-limit"),
            address_list: some("address-list"),
            comment: row.value("comment").unwrap_or_default().to_vec(),
        })
    }
}

/// Asks for profiles.
pub fn print(rows: Rows<'_>) -> Command {
    print_rows(MENU, &PROPERTIES, rows)
}

/// The DNS servers that a profile tells its sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileDns {
    /// The profile's address.
    pub id: ItemId,
    /// Its exact name; bytes as the router sent them.
    pub name: Vec<u8>,
    /// Its comment; empty when it has none.
    pub comment: Vec<u8>,
    /// One or two addresses, with a comma between; empty where the router tells its own.
    pub servers: Vec<u8>,
}

impl ProfileDns {
    /// Reads a row of [`print_dns`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn from_row(row: &Row) -> Result<ProfileDns, Error> {
        let bytes = |name| row.value(name).unwrap_or_default().to_vec();
        Ok(ProfileDns {
            id: id_of(MENU, row)?,
            name: bytes("name"),
            comment: bytes("comment"),
            servers: bytes("dns-server"),
        })
    }
}

/// Asks for the DNS servers of a profile.
pub fn print_dns(name: &str) -> Command {
    print_rows(MENU, &[".id", "name", "comment", "dns-server"], Rows::Named(&[name]))
}

/// Other DNS servers for a profile; sessions that run keep theirs.
pub fn set_dns(id: &ItemId, servers: &str) -> Command {
    Command::new("/ppp/profile/set").arg(".id", id).arg("dns-server", servers)
}

/// What a profile is made of; what is `None` is left as it is, or out of a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Terms {
    /// `up/down`.
    pub rate_limit: Option<String>,
    /// Address list of its sessions.
    pub address_list: Option<String>,
    /// The router's own address or pool.
    pub local_address: Option<String>,
    /// The customers' pool.
    pub remote_address: Option<String>,
    /// What stands beside it for people.
    pub comment: Option<String>,
}

impl Terms {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Terms::default()
    }

    fn onto(&self, command: Command) -> Command {
        let pairs = [
            ("rate-limit", &self.rate_limit),
            ("address-list", &self.address_list),
            ("local-address", &self.local_address),
            ("remote-address", &self.remote_address),
            ("comment", &self.comment),
        ];
        pairs.into_iter().fold(command, |command, (name, value)| match value {
            Some(value) => command.arg(name, value),
            None => command,
        })
    }
}

/// Adds a profile.
pub fn add(name: &str, terms: &Terms) -> Command {
    terms.onto(Command::new("/ppp/profile/add").arg("name", name))
}

/// Changes a profile and its comment, bytes as they will be stored, in one command.
pub fn change(id: &ItemId, terms: &Terms, comment: &[u8]) -> Command {
    set(id, &Terms { comment: None, ..terms.clone() }).arg("comment", comment)
}

/// Changes the comment of a profile, bytes as they will be stored.
pub fn set_comment(id: &ItemId, comment: &[u8]) -> Command {
    Command::new("/ppp/profile/set").arg(".id", id).arg("comment", comment)
}

/// Changes a profile.
pub fn set(id: &ItemId, terms: &Terms) -> Command {
    terms.onto(Command::new("/ppp/profile/set").arg(".id", id))
}
