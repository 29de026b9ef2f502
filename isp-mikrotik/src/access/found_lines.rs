//! Reading the queues and leases that exist already, for a provider whose lines log in nowhere.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use isp_core::subscription::Service;

use super::import::FoundAccount;
use super::settings::Settings;
use crate::mark::Mark;
use crate::menu::address_list::bare;
use crate::menu::lease::Lease;
use crate::menu::queue::SimpleQueue;
use crate::menu::rate::{Pair, RateLimit, rate_pair};
use crate::reconcile::line::ActualLines;

/// Every queue that people made for one address, and every lease that they keep for a box whose address has no such queue.
/// A line's profile is its speed, as a package would be called, or the isolation profile while it is shut in.
pub(super) fn found(actual: &ActualLines, settings: &Settings) -> Vec<FoundAccount> {
    let listed: HashSet<&[u8]> =
        actual.entries.iter().filter(|entry| !entry.disabled).map(|entry| bare(&entry.address)).collect();
    let held = |address: &str| listed.contains(address.as_bytes());
    let mut lines = Vec::new();
    let mut queued = HashSet::new();
    for queue in &actual.queues {
        if let Some(address) = single(&queue.target) {
            lines.push(of_queue(queue, &address, held(&address), settings));
            queued.insert(address);
        }
    }
    for lease in actual.leases.iter().filter(|lease| !lease.dynamic) {
        let address = single(&lease.address);
        if address.as_ref().is_none_or(|address| !queued.contains(address)) {
            let list = settings.isolation_list.as_bytes();
            let shut = lease.lists().any(|joined| joined == list) || address.as_deref().is_some_and(held);
            lines.push(of_lease(lease, address, shut, settings));
        }
    }
    lines
}

fn of_queue(queue: &SimpleQueue, address: &str, shut: bool, settings: &Settings) -> FoundAccount {
    let rate = rate_pair(&queue.max_limit).filter(|rate| !queue.disabled && *rate != (0, 0));
    let (mark, human) = Mark::split(&queue.comment);
    let name = settings.code_page.decode(&queue.name).into_owned();
    let human = settings.code_page.decode(human).into_owned();
    // The name is usually the customer's; ours says nothing.
    let comment = if name.starts_with("isp-") { human } else { format!("{name} {human}").trim().to_owned() };
    FoundAccount {
        name: address.to_owned(),
        password: None,
        service: Service::Static.code().to_owned(),
        profile: profile(rate, shut, settings),
        rate_limit: rate.map(|rate| RateLimit::plain(rate).to_string()),
        remote_address: Some(address.to_owned()),
        disabled: false,
        online: false,
        comment,
        owner: mark.map(|mark| mark.owner.to_string()),
    }
}

fn of_lease(lease: &Lease, address: Option<String>, shut: bool, settings: &Settings) -> FoundAccount {
    let rate = lease.rate_limit.as_deref().and_then(rate_pair).filter(|rate| *rate != (0, 0));
    let (mark, human) = Mark::split(&lease.comment);
    FoundAccount {
        name: String::from_utf8_lossy(&lease.mac).into_owned(),
        password: None,
        service: Service::Dhcp.code().to_owned(),
        profile: profile(rate, shut, settings),
        rate_limit: rate.map(|rate| RateLimit::plain(rate).to_string()),
        remote_address: address,
        disabled: lease.disabled || lease.blocked,
        online: lease.bound,
        comment: settings.code_page.decode(human).into_owned(),
        owner: mark.map(|mark| mark.owner.to_string()),
    }
}

/// What a package of this speed is called.
fn profile(rate: Option<Pair>, shut: bool, settings: &Settings) -> String {
    match rate {
        _ if shut => settings.isolation_profile.clone(),
        None => "unlimited".to_owned(),
        Some(rate) => RateLimit::plain(rate).to_string(),
    }
}

/// The address of a target or lease that is for one address only.
fn single(target: &[u8]) -> Option<String> {
    let address: Ipv4Addr = std::str::from_utf8(bare(target)).ok()?.parse().ok()?;
    (!address.is_unspecified()).then(|| address.to_string())
}
