//! What is compared.

use isp_core::isolation::{Access, AccessTarget};
use isp_core::secret::Secret;

use crate::access::Settings;
use crate::mark::Mark;
use crate::menu::ppp::profile::Terms;
use crate::menu::ppp::{PppActive, PppProfile, PppSecret};

/// What a router should have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desired {
    /// The profiles that the accounts need.
    pub groups: Vec<DesiredGroup>,
    /// The accounts.
    pub accounts: Vec<DesiredAccount>,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredGroup {
    /// Its exact name.
    pub name: String,
    /// `up/down`.
    pub rate_limit: String,
    /// The address list that its sessions join.
    pub address_list: Option<String>,
    /// Set when the profile is made, and never changed afterwards: the router's own address or pool.
    pub local_address: Option<String>,
    /// Set when the profile is made, and never changed afterwards: the customers' pool.
    pub remote_address: Option<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredAccount {
    /// Whose it is, as its mark says.
    pub owner: String,
    /// PPP user name.
    pub name: String,
    /// Its password.
    pub password: Secret,
    /// The profile of its package.
    pub group: String,
    /// The profile it should have now, which while isolated is another one.
    pub profile: String,
    /// What it should allow.
    pub access: Access,
    /// Whether an account without our mark may be taken over.
    pub adopt: bool,
    /// A reason why it cannot be served, found before the router was asked.
    pub refused: Option<(&'static str, String)>,
}

/// What a router has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actual {
    /// Its profiles, at least those asked for.
    pub profiles: Vec<PppProfile>,
    /// Its accounts, at least those asked for.
    pub secrets: Vec<PppSecret>,
    /// Their sessions.
    pub sessions: Vec<PppActive>,
}

impl Desired {
    /// What these targets ask of their router.
    pub fn of(targets: &[AccessTarget], settings: &Settings) -> Desired {
        let mut desired = Desired::default();
        for target in targets {
            let mut account = DesiredAccount {
                owner: Mark::owner_of(target.subscription_id),
                name: target.account.username.as_str().to_owned(),
                password: target.account.password.clone(),
                group: target.group.name.as_str().to_owned(),
                profile: target.group.name.as_str().to_owned(),
                access: target.desired,
                adopt: target.adopt,
                refused: None,
            };
            match target.desired {
                Access::Closed => {}
                Access::Isolated => {
                    account.profile.clone_from(&settings.isolation_profile);
                    account.refused = desired.need(isolation_group(settings));
                }
                Access::Open => account.refused = desired.need(package_group(target, settings)),
            }
            desired.accounts.push(account);
        }
        desired
    }

    /// The exact names of the accounts.
    pub fn account_names(&self) -> Vec<&str> {
        self.accounts.iter().map(|account| account.name.as_str()).collect()
    }

    /// The exact names of the profiles.
    pub fn group_names(&self) -> Vec<&str> {
        self.groups.iter().map(|group| group.name.as_str()).collect()
    }

    fn need(&mut self, group: DesiredGroup) -> Option<(&'static str, String)> {
        match self.groups.iter().find(|known| known.name == group.name) {
            None => {
                self.groups.push(group);
                None
            }
            Some(known) if *known == group => None,
            Some(_) => {
                Some(("router.group_ambiguous", format!("two packages give profile {} other terms", group.name)))
            }
        }
    }
}

impl DesiredGroup {
    /// All terms of a new profile, our mark included.
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            rate_limit: Some(self.rate_limit.clone()),
            address_list: self.address_list.clone(),
            local_address: self.local_address.clone(),
            remote_address: self.remote_address.clone(),
            comment: Some(crate::mark::group_comment().to_owned()),
        }
    }
}

fn isolation_group(settings: &Settings) -> DesiredGroup {
    DesiredGroup {
        name: settings.isolation_profile.clone(),
        rate_limit: settings.isolation_rate.clone(),
        address_list: Some(settings.isolation_list.clone()),
        local_address: settings.local_address.clone(),
        remote_address: settings.isolation_pool.clone().or_else(|| settings.pool.clone()),
    }
}

fn package_group(target: &AccessTarget, settings: &Settings) -> DesiredGroup {
    DesiredGroup {
        name: target.group.name.as_str().to_owned(),
        rate_limit: target.group.speed.rate_limit(),
        address_list: None,
        local_address: settings.local_address.clone(),
        remote_address: settings.pool.clone(),
    }
}
