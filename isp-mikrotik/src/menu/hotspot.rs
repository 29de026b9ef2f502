//! /ip/hotspot: users, their profiles, sessions and cookies.
//!
//! Ending a hotspot session is not enough: with a cookie the client is back at once, so [`cookie`] must go with it.

use isp_core::secret::Secret;

use super::{ItemId, Rows, id_of, print as print_rows, remove as remove_rows, truth};
use crate::Bytes;
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
        pub name: Bytes,
        /// `None` when the router does not show it.
        pub password: Option<Secret>,
        /// Name of its profile, `*HEX` when that was deleted.
        pub profile: Bytes,
        /// Whether logins are refused.
        pub disabled: bool,
        /// The comment; empty when it has none.
        pub comment: Bytes,
    }

    impl HotspotUser {
        /// Reads a row of [`print()`].
        ///
        /// # Errors
        ///
        /// [`Error::Answer`] for a row without id.
        pub fn from_row(row: &Row) -> Result<HotspotUser, Error> {
            let bytes = |name| Bytes::from(row.value(name).unwrap_or_default());
            Ok(HotspotUser {
                id: id_of(MENU, row)?,
                name: bytes("name"),
                password: row.value("password").map(|clear| Secret::new(String::from_utf8_lossy(clear))),
                profile: bytes("profile"),
                disabled: truth(row.value("disabled")),
                comment: bytes("comment"),
            })
        }
    }

    /// Asks for accounts.
    pub fn print(rows: Rows<'_>) -> Command {
        print_rows(MENU, &[".id", "name", "password", "profile", "disabled", "comment"], rows)
    }

    /// Asks for accounts with their passwords on a router that hides them (7.21 and later; older ones refuse the
    /// argument).
    pub fn print_sensitive(rows: Rows<'_>) -> Command {
        print(rows).flag("show-sensitive")
    }

    /// Changes an account; a fixed address is not touched, whatever `changes` says of it.
    pub fn set(id: &ItemId, changes: &super::super::ppp::secret::Changes) -> Command {
        let mut command = Command::new("/ip/hotspot/user/set").arg(".id", id);
        if let Some(password) = &changes.password {
            command = command.arg("password", password.reveal());
        }
        if let Some(profile) = &changes.profile {
            command = command.arg("profile", profile);
        }
        if let Some(disabled) = changes.disabled {
            command = command.arg("disabled", if disabled { "yes" } else { "no" });
        }
        if let Some(comment) = &changes.comment {
            command = command.arg("comment", comment);
        }
        command
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

    /// A user group. It has no comment, so that none can be known to be ours.
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct HotspotProfile {
        /// Its address.
        pub id: ItemId,
        /// By which users name it; bytes as the router sent them.
        pub name: Vec<u8>,
        /// `up/down`.
        pub rate_limit: Option<Vec<u8>>,
        /// The firewall address list that its sessions join.
        pub address_list: Option<Vec<u8>>,
    }

    impl HotspotProfile {
        /// Reads a row of [`print()`].
        ///
        /// # Errors
        ///
        /// [`Error::Answer`] for a row without id.
        pub fn from_row(row: &Row) -> Result<HotspotProfile, Error> {
            let some = |name| row.value(name).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
            Ok(HotspotProfile {
                id: id_of(MENU, row)?,
                name: row.value("name").unwrap_or_default().to_vec(),
                rate_limit: some("rate-limit"),
                address_list: some("address-list"),
            })
        }
    }

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

    /// A session.
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct HotspotActive {
        /// Its address.
        pub id: ItemId,
        /// User name.
        pub user: Bytes,
        /// The client's address.
        pub address: Option<Bytes>,
    }

    impl HotspotActive {
        /// Reads a row of [`print_of`].
        ///
        /// # Errors
        ///
        /// [`Error::Answer`] for a row without id.
        pub fn from_row(row: &Row) -> Result<HotspotActive, Error> {
            let (user, address) = (Bytes::from(row.value("user").unwrap_or_default()), row.value("address"));
            Ok(HotspotActive { id: id_of(MENU, row)?, user, address: address.map(Bytes::from) })
        }
    }

    /// Asks for the sessions of these users; all sessions for an empty list.
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

    /// The id and the user of a row of [`print_of`].
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] for a row without id.
    pub fn of_user(row: &Row) -> Result<(ItemId, Vec<u8>), Error> {
        Ok((id_of(MENU, row)?, row.value("user").unwrap_or_default().to_vec()))
    }

    /// Asks for the cookies of these users; all cookies for an empty list.
    pub fn print_of<V: AsRef<[u8]>>(users: &[V]) -> Command {
        Command::new("/ip/hotspot/cookie/print").proplist(&[".id", "user"]).where_any("user", users)
    }

    /// Takes cookies away; `None` for an empty list.
    pub fn remove(ids: &[ItemId]) -> Option<Command> {
        remove_rows(MENU, ids)
    }
}
