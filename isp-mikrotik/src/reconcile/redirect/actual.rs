//! What a router has.

use super::desired::Family;
use crate::menu::address_list::ListEntry;
use crate::menu::firewall::Rule;
use crate::menu::pool::Pool;
use crate::menu::ppp::profile::ProfileDns;

/// What a router has of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActualRedirect {
    /// The pools of the name that is wanted.
    pub pools: Vec<Pool>,
    /// What the profiles of the wanted name tell their sessions.
    pub profiles: Vec<ProfileDns>,
    /// IPv4.
    pub v4: ActualFamily,
    /// IPv6.
    pub v6: ActualFamily,
}

/// The rules and lists of one family; `None` for a menu that the router does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActualFamily {
    /// The entries of the portal list.
    pub entries: Option<Vec<ListEntry>>,
    /// All rules of NAT, anybody's, in their order.
    pub nat: Option<Vec<Rule>>,
    /// All rules of the filter, anybody's, in their order.
    pub filter: Option<Vec<Rule>>,
}

impl ActualRedirect {
    /// The part of one family.
    pub fn family(&self, family: Family) -> &ActualFamily {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}
