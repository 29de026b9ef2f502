//! What a router should have.

use std::collections::HashSet;

use super::finding::Finding;
use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::UserGroup;
use isp_core::secret::Secret;
use isp_core::subscription::Service as LineService;

use super::strategy::{Service, Strategy};
use crate::access::Settings;
use crate::mark::{GroupMark, Owner};
use crate::menu::ItemId;
use crate::menu::ppp::profile::Terms;
use crate::menu::rate::RateLimit;

/// What a router should have, for the accounts of one of its services.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desired {
    /// Which service.
    pub service: Service,
    /// The profiles that the accounts need.
    pub groups: Vec<DesiredGroup>,
    /// What each line's account should be.
    pub accounts: Vec<DesiredAccount>,
    /// The address list of isolated lines.
    pub isolation_list: String,
    /// The profile of isolated lines, whether or not one of these accounts needs it.
    pub isolation_profile: String,
    /// Whether these are all accounts that the router should have, so that one with our mark beside them is a stray.
    pub complete: bool,
    /// Whether these are accounts that their lines may have had in this service before, and have in another one now: what
    /// is ours of them is closed, and what is not does not concern us.
    pub former: bool,
    /// Whether a RADIUS server is asked, too, so that a session without an account may be anybody's. Told for `former` only.
    pub radius: bool,
    /// Sessions that were seen to carry another rate than their profile gives: they began under older terms.
    pub stale: HashSet<ItemId>,
    /// Whether accounts of closed lines are removed once nothing runs on them.
    pub remove_closed: bool,
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredGroup {
    /// Its exact name.
    pub name: String,
    /// `up/down`, and the burst if there is one.
    pub rate_limit: String,
    /// The address list that its sessions join.
    pub address_list: Option<String>,
    /// The router's own address or pool. Given to a profile of ours that has none; another one in it stays.
    pub local_address: Option<String>,
    /// The customers' pool. Given to a profile of ours that has none, or whose pool was deleted; another one in it stays.
    pub remote_address: Option<String>,
    /// Whether it is the profile of isolated accounts. One that the owner made is used as it is, if it isolates.
    pub isolates: bool,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredAccount {
    /// Whose it is, as its mark says.
    pub owner: Owner,
    /// User name.
    pub name: String,
    /// What the customer's box dials in with.
    pub password: Secret,
    /// The profile of its package.
    pub group: String,
    /// The profile it should have now, which while isolated may be another one.
    pub profile: String,
    /// What it should allow.
    pub access: Access,
    /// How it is isolated.
    pub strategy: Strategy,
    /// Whether an account without our mark may be taken over.
    pub adopt: bool,
    /// The owners of the user name before this one, as their marks say; their account is taken over.
    pub succeeds: Vec<Owner>,
    /// A reason why it cannot be served, found before the router was asked.
    pub refused: Refused,
    /// Whether it is removed once it is closed and nothing runs on it.
    pub forget: bool,
}

/// A code and words for people; `None` where nothing is in the way.
type Refused = Option<(&'static str, String)>;

impl DesiredAccount {
    /// The account of a line in a service that it does not use.
    fn closed(target: &AccessTarget, service: Service) -> DesiredAccount {
        DesiredAccount {
            owner: Owner::of(target.subscription_id),
            name: target.account.username.as_str().to_owned(),
            password: target.account.password.clone(),
            group: String::new(),
            profile: String::new(),
            access: Access::Closed,
            strategy: if service == Service::Hotspot { Strategy::Hotspot } else { Strategy::Profile },
            adopt: false,
            succeeds: target.succeeds.iter().map(|id| Owner::of(*id)).collect(),
            refused: None,
            forget: target.forget,
        }
    }

    /// Whether a mark is its own, or that of one who had the name before.
    pub(crate) fn owns(&self, owner: Owner) -> bool {
        self.owner == owner || self.succeeds.contains(&owner)
    }

    /// Whether logins are refused.
    pub fn disabled(&self) -> bool {
        match self.access {
            Access::Open => false,
            Access::Isolated => self.strategy == Strategy::Disable,
            Access::Closed => true,
        }
    }

    /// Whether it is disabled because it is isolated; its mark says so, or nobody could tell it from a closed one.
    pub(crate) fn switched_off(&self) -> bool {
        self.access == Access::Isolated && self.disabled()
    }

    /// Whether it should be in the isolation list by an entry of its own.
    pub(crate) fn listed(&self) -> bool {
        self.access == Access::Isolated && self.strategy == Strategy::AddressList
    }
}

impl Desired {
    /// What these targets ask of their router, one for each service that they use, with the places of its accounts
    /// among the targets.
    pub fn of(targets: &[AccessTarget], settings: &Settings) -> Vec<(Desired, Vec<usize>)> {
        let mut parts: Vec<(Desired, Vec<usize>)> = Vec::new();
        let mut last = None;
        for (place, target) in targets.iter().enumerate() {
            let Some(strategy) = strategy(target, settings) else { continue };
            let service = strategy.service();
            let at = match parts.iter().position(|(part, _)| part.service == service) {
                Some(at) => at,
                None => {
                    parts.push((Desired::empty(service, settings), Vec::new()));
                    parts.len() - 1
                }
            };
            if let Some((part, places)) = parts.get_mut(at) {
                part.push(target, strategy, settings, &mut last);
                places.push(place);
            }
        }
        parts
    }

    /// What is to be closed of these targets in the services that they do not use: a line that moved from one to another
    /// must not keep its first account. The places are those of the targets.
    pub(crate) fn former(
        targets: &[AccessTarget],
        concerned: impl Fn(&AccessTarget) -> bool,
        settings: &Settings,
    ) -> Vec<(Desired, Vec<usize>)> {
        let mut parts = Vec::new();
        for service in [Service::Ppp, Service::Hotspot] {
            let mut part = Desired { former: true, ..Desired::empty(service, settings) };
            let mut places = Vec::new();
            for (place, target) in targets.iter().enumerate() {
                let own = strategy(target, settings).map(Strategy::service);
                if own.is_some_and(|own| own != service) && concerned(target) {
                    part.accounts.push(DesiredAccount::closed(target, service));
                    places.push(place);
                }
            }
            if !places.is_empty() {
                parts.push((part, places));
            }
        }
        parts
    }

    pub(crate) fn empty(service: Service, settings: &Settings) -> Desired {
        Desired {
            service,
            isolation_list: settings.isolation_list.clone(),
            isolation_profile: settings.isolation_profile.clone(),
            remove_closed: settings.remove_closed,
            ..Desired::default()
        }
    }

    /// The last package profile that was asked for is told again without a look, as most lines have the package of the line before.
    fn push<'a>(
        &mut self,
        target: &'a AccessTarget,
        strategy: Strategy,
        settings: &Settings,
        last: &mut Option<(Service, &'a UserGroup, Refused)>,
    ) {
        let mut account = DesiredAccount {
            owner: Owner::of(target.subscription_id),
            name: target.account.username.as_str().to_owned(),
            password: target.account.password.clone(),
            group: target.group.name.as_str().to_owned(),
            profile: target.group.name.as_str().to_owned(),
            access: target.desired,
            strategy,
            adopt: target.adopt,
            succeeds: target.succeeds.iter().map(|id| Owner::of(*id)).collect(),
            refused: None,
            forget: target.forget,
        };
        match (target.desired, strategy) {
            (Access::Closed, _) => {}
            (Access::Isolated, Strategy::Profile | Strategy::Hotspot) => {
                account.profile.clone_from(&settings.isolation_profile);
                account.refused = self.need(isolation_group(settings, self.service));
            }
            _ => match last {
                Some((service, group, refused)) if *service == self.service && **group == target.group => {
                    account.refused.clone_from(refused);
                }
                _ => {
                    account.refused = self.need(package_group(target, settings, self.service));
                    *last = Some((self.service, &target.group, account.refused.clone()));
                }
            },
        }
        self.accounts.push(account);
    }

    /// Whether a session without an account is that of one which was removed. Visitors of a hotspot have none either.
    pub(crate) fn has_orphans(&self) -> bool {
        self.service == Service::Ppp && !self.radius
    }

    /// The exact names of the accounts.
    pub fn account_names(&self) -> Vec<&str> {
        self.accounts.iter().map(|account| account.name.as_str()).collect()
    }

    /// The exact names of the profiles.
    pub fn group_names(&self) -> Vec<&str> {
        self.groups.iter().map(|group| group.name.as_str()).collect()
    }

    /// Whether the isolation list has to be read.
    pub(crate) fn uses_entries(&self) -> bool {
        self.accounts.iter().any(|account| account.strategy == Strategy::AddressList)
    }

    fn need(&mut self, group: DesiredGroup) -> Refused {
        match self.groups.iter().find(|known| known.name == group.name) {
            None => {
                self.groups.push(group);
                None
            }
            Some(known) if *known == group => None,
            Some(_) => {
                Some((Finding::GroupAmbiguous.code(), format!("two packages give profile {} other terms", group.name)))
            }
        }
    }
}

/// How a line is isolated; `None` where nobody logs in, see [`super::line`].
fn strategy(target: &AccessTarget, settings: &Settings) -> Option<Strategy> {
    match target.account.service {
        LineService::Pppoe => Some(settings.strategy_of(target.group.name.as_str())),
        LineService::Hotspot => Some(Strategy::Hotspot),
        LineService::Static | LineService::Dhcp => None,
    }
}

impl DesiredGroup {
    /// All terms of a new profile, our mark included where profiles have comments.
    pub(crate) fn terms(&self, service: Service) -> Terms {
        let mark = String::from_utf8_lossy(&GroupMark::default().comment(b"")).into_owned();
        Terms {
            rate_limit: Some(self.rate_limit.clone()),
            address_list: self.address_list.clone(),
            local_address: self.local_address.clone(),
            remote_address: self.remote_address.clone(),
            comment: (service == Service::Ppp).then_some(mark),
        }
    }
}

fn isolation_group(settings: &Settings, service: Service) -> DesiredGroup {
    let pool = settings.isolation_pool.clone().or_else(|| settings.pool.clone());
    DesiredGroup {
        name: settings.isolation_profile.clone(),
        rate_limit: settings.isolation_rate.clone(),
        address_list: Some(settings.isolation_list.clone()),
        local_address: settings.local_address.clone().filter(|_| service == Service::Ppp),
        remote_address: pool.filter(|_| service == Service::Ppp),
        isolates: true,
    }
}

fn package_group(target: &AccessTarget, settings: &Settings, service: Service) -> DesiredGroup {
    let name = target.group.name.as_str();
    let speed = target.group.speed;
    let plain = RateLimit::plain((u64::from(speed.up_kbps) * 1000, u64::from(speed.down_kbps) * 1000));
    let limit = settings.burst_of(name).map_or(plain, |burst| plain.with_burst(burst));
    DesiredGroup {
        name: name.to_owned(),
        rate_limit: limit.to_string(),
        address_list: None,
        local_address: settings.local_address.clone().filter(|_| service == Service::Ppp),
        remote_address: settings.pool.clone().filter(|_| service == Service::Ppp),
        isolates: false,
    }
}
