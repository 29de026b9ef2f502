//! What a router has, whichever service its accounts belong to.

use isp_core::secret::Secret;

use crate::Bytes;
use crate::menu::ItemId;
use crate::menu::address_list::ListEntry;
use crate::menu::hotspot::active::HotspotActive;
use crate::menu::hotspot::profile::HotspotProfile;
use crate::menu::hotspot::user::HotspotUser;
use crate::menu::ppp::{PppActive, PppProfile, PppSecret};

/// What a router has. Text is kept as the bytes that the router stores.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actual {
    /// Its profiles, at least those asked for.
    pub groups: Vec<ActualGroup>,
    /// Its accounts, at least those asked for.
    pub accounts: Vec<ActualAccount>,
    /// Who is online by one of them.
    pub sessions: Vec<ActualSession>,
    /// The entries of the isolation list: those that stay, and those that sessions joined by their profile (`dynamic`).
    pub entries: Vec<ListEntry>,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActualGroup {
    /// Its address.
    pub id: ItemId,
    /// The profile's; bytes as the router sent them.
    pub name: Vec<u8>,
    /// `up/down`, and perhaps more.
    pub rate_limit: Option<Vec<u8>>,
    /// The address list that its sessions join.
    pub address_list: Option<Vec<u8>>,
    /// The router's own address or pool; `None` where none is set, and for hotspot profiles.
    pub local_address: Option<Vec<u8>>,
    /// The customers' address or pool; `None` where none is set, and for hotspot profiles.
    pub remote_address: Option<Vec<u8>>,
    /// The comment; `None` where profiles have none, so that none can be known to be ours.
    pub comment: Option<Vec<u8>>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActualAccount {
    /// Its address.
    pub id: ItemId,
    /// User name.
    pub name: Bytes,
    /// `None` when the router does not show it: unknown, which is not the same as different.
    pub password: Option<Secret>,
    /// Name of the profile, `*HEX` when that was deleted.
    pub profile: Bytes,
    /// Which service it may use: `any`, `pppoe`, `l2tp`, …; empty for a hotspot user.
    pub service: Bytes,
    /// The one device that may log in; `None` for any, and for a hotspot user.
    pub caller_id: Option<Bytes>,
    /// A fixed address; it wins over the pool of the profile.
    pub remote_address: Option<Bytes>,
    /// Whether it has an IPv6 prefix of its own; never a hotspot user.
    pub own_ipv6: bool,
    /// Whether logins are refused.
    pub disabled: bool,
    /// The comment; empty when it has none.
    pub comment: Bytes,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActualSession {
    /// Its address.
    pub id: ItemId,
    /// User name.
    pub name: Bytes,
    /// The customer's address.
    pub address: Option<Bytes>,
}

impl From<PppProfile> for ActualGroup {
    fn from(row: PppProfile) -> Self {
        let PppProfile { id, name, rate_limit, address_list, local_address, remote_address, comment } = row;
        ActualGroup { id, name, rate_limit, address_list, local_address, remote_address, comment: Some(comment) }
    }
}

impl From<HotspotProfile> for ActualGroup {
    fn from(row: HotspotProfile) -> Self {
        let HotspotProfile { id, name, rate_limit, address_list } = row;
        ActualGroup { id, name, rate_limit, address_list, local_address: None, remote_address: None, comment: None }
    }
}

impl From<PppSecret> for ActualAccount {
    fn from(row: PppSecret) -> Self {
        ActualAccount {
            id: row.id,
            name: row.name,
            password: row.password,
            profile: row.profile,
            service: row.service,
            caller_id: row.caller_id,
            remote_address: row.remote_address,
            own_ipv6: row.remote_ipv6_prefix.is_some(),
            disabled: row.disabled,
            comment: row.comment,
        }
    }
}

impl From<HotspotUser> for ActualAccount {
    /// The address of a hotspot user is no concern of ours: its profile's list is joined by whatever address it has.
    fn from(row: HotspotUser) -> Self {
        let HotspotUser { id, name, password, profile, disabled, comment } = row;
        let (service, caller_id, remote_address, own_ipv6) = (Bytes::default(), None, None, false);
        ActualAccount { id, name, password, profile, service, caller_id, remote_address, own_ipv6, disabled, comment }
    }
}

impl From<PppActive> for ActualSession {
    fn from(row: PppActive) -> Self {
        ActualSession { id: row.id, name: row.name, address: row.address }
    }
}

impl From<HotspotActive> for ActualSession {
    fn from(row: HotspotActive) -> Self {
        ActualSession { id: row.id, name: row.user, address: row.address }
    }
}
