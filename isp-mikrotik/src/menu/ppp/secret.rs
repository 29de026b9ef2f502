//! /ppp/secret: the accounts.

use isp_core::secret::Secret;

use super::super::{ItemId, Rows, bytes, filled, id, print as print_rows, remove as remove_rows, truth};
use crate::Bytes;
use crate::error::Error;
use crate::proto::{Command, Row};

/// The menu.
pub const MENU: &str = "/ppp/secret";

const PROPERTIES: [&str; 10] = [
    ".id",
    "name",
    "password",
    "service",
    "caller-id",
    "profile",
    "remote-address",
    "remote-ipv6-prefix",
    "disabled",
    "comment",
];

/// An account. Text is kept as the bytes that the router stores.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PppSecret {
    /// Its address.
    pub id: ItemId,
    /// PPP user name.
    pub name: Bytes,
    /// `None` when the router does not show it (from 7.21, or a user without the policy `sensitive`): unknown, which
    /// is not the same as different.
    pub password: Option<Secret>,
    /// Which service it may use: `any`, `pppoe`, …
    pub service: Bytes,
    /// The one device that may log in; `None` for any.
    pub caller_id: Option<Bytes>,
    /// Name of the profile, or `*HEX` when the profile was deleted.
    pub profile: Bytes,
    /// A fixed address; it wins over the pool of the profile.
    pub remote_address: Option<Bytes>,
    /// An IPv6 prefix of its own.
    pub remote_ipv6_prefix: Option<Bytes>,
    /// Whether logins are refused.
    pub disabled: bool,
    /// The comment; empty when it has none.
    pub comment: Bytes,
}

impl PppSecret {
    /// Reads a row of [`print()`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id or name.
    pub fn from_row(row: &Row) -> Result<PppSecret, Error> {
        let [number, name, password, service, caller_id, profile, address, prefix, disabled, comment] =
            row.values(PROPERTIES);
        let missing = || Error::Answer { command: format!("{MENU}/print"), detail: "row without name".to_owned() };
        Ok(PppSecret {
            name: name.ok_or_else(missing)?.into(),
            id: id(MENU, number)?,
            password: password.map(|clear| Secret::new(String::from_utf8_lossy(clear))),
            service: bytes(service),
            caller_id: filled(caller_id),
            profile: bytes(profile),
            remote_address: filled(address),
            remote_ipv6_prefix: filled(prefix),
            disabled: truth(disabled),
            comment: bytes(comment),
        })
    }
}

/// Asks for accounts.
pub fn print(rows: Rows<'_>) -> Command {
    print_rows(MENU, &PROPERTIES, rows)
}

/// Asks for accounts with their passwords on a router that hides them (7.21 and later; older ones refuse the
/// argument).
pub fn print_sensitive(rows: Rows<'_>) -> Command {
    print(rows).flag("show-sensitive")
}

/// Asks for the accounts of one profile, by its exact name.
pub fn print_of_profile(profile: &str) -> Command {
    print(Rows::All).where_any("profile", &[profile])
}

/// What a new account has.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// PPP user name; ASCII, please.
    pub name: &'a str,
    /// What the customer's box dials in with.
    pub password: &'a Secret,
    /// The exact name of its profile.
    pub profile: &'a str,
    /// Whether logins are refused from the beginning.
    pub disabled: bool,
    /// Bytes in the router's code page, with our mark in front.
    pub comment: &'a [u8],
}

/// Adds an account for PPPoE; the reply carries its id, see [`super::super::added`].
pub fn add(new: &New<'_>) -> Command {
    let command = Command::new("/ppp/secret/add")
        .arg("name", new.name)
        .arg("password", new.password.reveal())
        .arg("service", "pppoe")
        .arg("profile", new.profile)
        .arg("comment", new.comment);
    if new.disabled { command.arg("disabled", "yes") } else { command }
}

/// Changes of one account; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// A new password.
    pub password: Option<Secret>,
    /// The exact name of a profile.
    pub profile: Option<String>,
    /// A fixed address. To remove one use [`unset_remote_address`]: an empty value is an error.
    pub remote_address: Option<Vec<u8>>,
    /// Whether logins are refused.
    pub disabled: Option<bool>,
    /// The comment; an empty one removes it.
    pub comment: Option<Vec<u8>>,
}

impl Changes {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

/// Changes an account.
pub fn set(id: &ItemId, changes: &Changes) -> Command {
    let mut command = Command::new("/ppp/secret/set").arg(".id", id);
    if let Some(password) = &changes.password {
        command = command.arg("password", password.reveal());
    }
    if let Some(profile) = &changes.profile {
        command = command.arg("profile", profile);
    }
    if let Some(address) = &changes.remote_address {
        command = command.arg("remote-address", address);
    }
    if let Some(disabled) = changes.disabled {
        command = command.arg("disabled", if disabled { "yes" } else { "no" });
    }
    if let Some(comment) = &changes.comment {
        command = command.arg("comment", comment);
    }
    command
}

/// Takes the fixed address away.
pub fn unset_remote_address(id: &ItemId) -> Command {
    Command::new("/ppp/secret/unset").arg(".id", id).arg("value-name", "remote-address")
}

/// Removes accounts; `None` for an empty list.
pub fn remove(ids: &[ItemId]) -> Option<Command> {
    remove_rows(MENU, ids)
}
