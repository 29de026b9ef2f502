//! /ip/hotspot: users, their profiles, sessions and cookies.
//!
//! Ending a hotspot session is not enough: with a cookie the client is back at once, so [`cookie`] must go with it.

use isp_core::secret::Secret;

use super::{ItemId, Rows, id_of, print as print_rows, remove as remove_rows, truth};
use crate::error::Error;
use crate::proto::{Command, Row};

/// /ip/hotspot/user: the accounts.
pub mod user {
    use super::*;

    /// The menu.
    pub const MENU: &str = "/ip/hotspot/user";

    /// An account.
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct HotspotUser {
        /// Its address.
        pub id: ItemId,
        /// User name.
        pub name: Vec<u8>,
        /// Name of its profile, `*HEX` when that was deleted.
        pub profile: Vec<u8>,
        /// Whether logins are refused.
        pub disabled: bool,
        /// The comment; empty when it has none.
        pub comment: Vec<u8>,
    }

    impl HotspotUser {
        /// Reads a row of [`print`].
        ///
        /// # Errors
        ///
        /// [`Error::Answer`] for a row without id.
        pub fn from_row(row: &Row) -> Result<HotspotUser, Error> {
            let bytes = |name| row.value(name).unwrap_or_default().to_vec();
            Ok(HotspotUser {
                id: id_of(MENU, row)?,
                name: bytes("name"),
                profile: bytes("profile"),
                disabled: truth(row.value("disabled")),
                comment: bytes("comment"),
            })
        }
    }

    /// Asks for accounts.
    pub fn print(rows: Rows<'_>) -> Command {
        print_rows(MENU, &[".id", "name", "profile", "disabled", "comment"], rows)
    }

    /// Adds an account with the exact name of its profile.
    pub fn add(name: &str, password: &Secret, profile: &str, comment: &[u8]) -> Command {
        let command = Command::new("/ip/hotspot/user/add").arg("name", name).arg("password", password.reveal());
        command.arg("profile", profile).arg("comment", comment)
    }

    /// Gives an account another profile.
    pub fn set_profile(id: &ItemId, profile: &str) -> Command {
        Command::new("/ip/hotspot/user/set").arg(".id", id).arg("profile", profile)
    }

    /// Refuses or allows logins.
    pub fn set_disabled(id: &ItemId, disabled: bool) -> Command {
        Command::new("/ip/hotspot/user/set").arg(".id", id).arg("disabled", if disabled { "yes" } else { "no" })
    }

    /// Removes accounts; `None` for an empty list.
    pub fn remove(ids: &[ItemId]) -> Option<Command> {
        remove_rows(MENU, ids)
    }
}

/// /ip/hotspot/user/profile: the user groups.
pub mod profile {
    use super::*;

    /// The menu.
    pub const MENU: &str = "/ip/hotspot/user/profile";

    /// Asks for profiles.
    pub fn print(rows: Rows<'_>) -> Command {
        print_rows(MENU, &[".id", "name", "rate-limit", "address-list"], rows)
    }

    /// Adds a profile; `rate_limit` is `up/down`.
    pub fn add(name: &str, rate_limit: &str, address_list: Option<&str>) -> Command {
        let command = Command::new("/ip/hotspot/user/profile/add").arg("name", name).arg("rate-limit", rate_limit);
        match address_list {
            Some(list) => command.arg("address-list", list),
            None => command,
        }
    }

    /// Changes the rate of a profile.
    pub fn set_rate(id: &ItemId, rate_limit: &str) -> Command {
        Command::new("/ip/hotspot/user/profile/set").arg(".id", id).arg("rate-limit", rate_limit)
    }
}

/// /ip/hotspot/active: the sessions.
pub mod active {
    use super::*;

    /// The menu.
    pub const MENU: &str = "/ip/hotspot/active";

    /// Asks for the sessions of these users.
    pub fn print_of<V: AsRef<[u8]>>(users: &[V]) -> Command {
        Command::new("/ip/hotspot/active/print").proplist(&[".id", "user", "address"]).where_any("user", users)
    }

    /// Ends sessions; `None` for an empty list.
    pub fn remove(ids: &[ItemId]) -> Option<Command> {
        remove_rows(MENU, ids)
    }
}

/// /ip/hotspot/cookie: what lets a client in again without a password.
pub mod cookie {
    use super::*;

    /// The menu.
    pub const MENU: &str = "/ip/hotspot/cookie";

    /// Asks for the cookies of these users.
    pub fn print_of<V: AsRef<[u8]>>(users: &[V]) -> Command {
        Command::new("/ip/hotspot/cookie/print").proplist(&[".id", "user"]).where_any("user", users)
    }

    /// Takes cookies away; `None` for an empty list.
    pub fn remove(ids: &[ItemId]) -> Option<Command> {
        remove_rows(MENU, ids)
    }
}
