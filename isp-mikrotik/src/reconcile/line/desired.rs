//! What a router should have for lines that nobody logs in for.

use std::net::Ipv4Addr;

use isp_core::isolation::{Access, AccessTarget};
use isp_core::subscription::Service;

use crate::access::Settings;
use crate::mark::Owner;
use crate::menu::rate::RateLimit;

/// What a router should have for the lines that nobody logs in for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredLines {
    /// What each line's queue or lease should be.
    pub lines: Vec<DesiredLine>,
    /// The address list of isolated lines.
    pub isolation_list: String,
    /// Whether these are all lines that the router should have, so that a queue or lease with our mark beside them is a
    /// stray.
    pub complete: bool,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredLine {
    /// Whose it is, as its mark says.
    pub owner: Owner,
    /// The owners of its address or box before this one; what they had is taken over.
    pub succeeds: Vec<Owner>,
    /// What it is called: its address or MAC address.
    pub name: String,
    /// Static or DHCP.
    pub service: Service,
    /// The address of a static line; the one that a DHCP line is to be given, if one is said.
    pub address: Option<Ipv4Addr>,
    /// What it should allow.
    pub access: Access,
    /// Its speed now: that of its package, or of isolated lines.
    pub rate: RateLimit,
    /// Whether what does not carry our mark may be taken over.
    pub adopt: bool,
    /// Whether the line has left this address or box, so that every trace goes.
    pub left: bool,
}

impl DesiredLine {
    /// Whether a mark is its own, or that of one who had its address or box before.
    pub(super) fn owns(&self, owner: Owner) -> bool {
        self.owner == owner || self.succeeds.contains(&owner)
    }

    /// Whether it is to be shut in.
    pub(super) fn shut(&self) -> bool {
        self.access != Access::Open
    }

    /// Its own address as the router writes it.
    pub(super) fn address_text(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

impl DesiredLines {
    /// What these targets ask of their router, with the places of the lines among the targets; `None` where everybody logs
    /// in.
    pub fn of(targets: &[AccessTarget], settings: &Settings) -> Option<(DesiredLines, Vec<usize>)> {
        let (mut lines, mut places) = (Vec::new(), Vec::new());
        for (place, target) in targets.iter().enumerate() {
            if !target.account.service.logs_in() {
                lines.push(line(target, settings));
                places.push(place);
            }
        }
        let isolation_list = settings.isolation_list.clone();
        (!lines.is_empty()).then_some((DesiredLines { lines, isolation_list, complete: false }, places))
    }
}

fn line(target: &AccessTarget, settings: &Settings) -> DesiredLine {
    let speed = target.group.speed;
    let plain = RateLimit::plain((u64::from(speed.up_kbps) * 1000, u64::from(speed.down_kbps) * 1000));
    let burst = settings.burst_of(target.group.name.as_str());
    let package = burst.map_or(plain, |burst| plain.with_burst(burst));
    // The list shuts the line in; an isolation rate that says nothing leaves it its speed there.
    let shut_in = RateLimit::parse(settings.isolation_rate.as_bytes()).unwrap_or(package);
    DesiredLine {
        owner: Owner::of(target.subscription_id),
        succeeds: target.succeeds.iter().map(|id| Owner::of(*id)).collect(),
        name: target.account.username.as_str().to_owned(),
        service: target.account.service,
        address: target.account.address,
        access: target.desired,
        rate: if target.desired == Access::Open { package } else { shut_in },
        adopt: target.adopt,
        left: target.left,
    }
}
