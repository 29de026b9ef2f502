//! How a line is isolated.

use serde::{Deserialize, Serialize};

/// How a line is isolated on its router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strategy {
    /// PPPoE: the account gets the isolation profile, whose address list the firewall sends to the payment page; a
    /// fixed address, which would win over the profile's pool, is put aside meanwhile. The session is ended, so that
    /// the box comes back under the new terms.
    #[default]
    Profile,
    /// PPPoE with a fixed address: that address is put into the isolation list. At once, no session is ended.
    AddressList,
    /// PPPoE, by hand on the router afterwards: the account is disabled and its session ended. There is no payment
    /// page, and the box dials again for ever.
    Disable,
    /// Hotspot: the user gets the isolation profile, and its cookie goes before its session, or the client would be
    /// back by itself.
    Hotspot,
}

impl Strategy {
    /// The service of lines that are isolated like this.
    pub fn service(self) -> Service {
        match self {
            Strategy::Hotspot => Service::Hotspot,
            _ => Service::Ppp,
        }
    }
}

/// Whose accounts they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// `/ppp/secret`, `/ppp/profile`, `/ppp/active`.
    #[default]
    Ppp,
    /// `/ip/hotspot/user`, `/ip/hotspot/user/profile`, `/ip/hotspot/active`, `/ip/hotspot/cookie`.
    Hotspot,
}
