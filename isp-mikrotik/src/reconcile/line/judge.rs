//! What a line is allowed now, as far as reading tells.

use isp_core::isolation::Access;
use isp_core::subscription::Service;

use super::actual::{ActualLines, marked};
use super::desired::{DesiredLine, DesiredLines};
use super::find::Seen;
use super::listed::Listed;
use super::{dhcp, fixed};
use crate::text::shown;

/// One verdict for each line, with the router's words. `None`: neither of the three for sure. The router does not tell a
/// closed line from an isolated one: both are shut in, and it is called what is wanted.
pub(crate) fn judge(desired: &DesiredLines, actual: &ActualLines) -> Vec<(Option<Access>, String)> {
    let seen = Seen { desired, actual, listed: Listed::of(actual) };
    let of = |line: &DesiredLine| match line.service {
        Service::Dhcp => of_lease(line, &seen),
        _ => of_queue(line, &seen),
    };
    desired.lines.iter().map(of).collect()
}

fn of_queue(line: &DesiredLine, seen: &Seen<'_>) -> (Option<Access>, String) {
    let Some(address) = line.address_text() else { return (None, "no address is known".to_owned()) };
    let list = &seen.desired.isolation_list;
    let here = |queue: &&crate::menu::queue::SimpleQueue| fixed::for_address(queue, &address);
    let queues: Vec<_> = seen.actual.queues.iter().filter(here).collect();
    let own = queues.iter().find(|queue| marked(&queue.comment).is_some_and(|(owner, _)| owner == line.owner));
    let listed = seen.listed.holds(address.as_bytes());
    let entry = seen.listed.of_line(line, &[]).into_iter().find_map(|entry| marked(&entry.comment));
    let owed = own.and_then(|queue| marked(&queue.comment)).into_iter().chain(entry).any(|(_, kick)| kick);
    if owed {
        return (None, "connections of before may still run".to_owned());
    }
    match (own, listed) {
        (Some(queue), true) => (Some(shut_in(line)), format!("queue {}, in list {list}", limit(queue))),
        (Some(queue), false) if queue.disabled => (Some(Access::Open), "queue disabled".to_owned()),
        (Some(queue), false) => (Some(Access::Open), format!("queue {}", limit(queue))),
        (None, true) if entry.is_some() => (Some(shut_in(line)), format!("in list {list}, no queue")),
        (None, _) if !queues.is_empty() => (None, "the queue is not ours".to_owned()),
        (None, _) => (None, "no queue".to_owned()),
    }
}

fn of_lease(line: &DesiredLine, seen: &Seen<'_>) -> (Option<Access>, String) {
    let list = &seen.desired.isolation_list;
    let of_box: Vec<_> = seen.actual.leases.iter().filter(|lease| lease.mac == line.name.as_bytes()).collect();
    let own = of_box.iter().find(|lease| marked(&lease.comment).is_some_and(|(owner, _)| owner == line.owner));
    let Some(lease) = own else {
        let words = if of_box.iter().any(|lease| !lease.dynamic) { "the lease is not ours" } else { "no static lease" };
        return (None, words.to_owned());
    };
    let entries = seen.listed.of_line(line, &[]).into_iter().filter_map(|entry| marked(&entry.comment));
    if marked(&lease.comment).into_iter().chain(entries).any(|(_, kick)| kick) {
        return (None, "connections of before may still run".to_owned());
    }
    let rate = shown(lease.rate_limit.as_deref().unwrap_or_default());
    let active = dhcp::addresses(line, seen);
    let now = if active.is_empty() { "offline" } else { "online" };
    let joins = lease.lists().any(|joined| joined == list.as_bytes());
    let held = active.iter().filter(|address| seen.listed.holds(address)).count();
    match (lease.disabled, lease.blocked, joins) {
        (true, ..) => (None, "lease disabled".to_owned()),
        (_, true, _) => (None, "lease blocked".to_owned()),
        (.., true) if held == active.len() => (Some(shut_in(line)), format!("lease {rate}, in list {list}, {now}")),
        (.., false) if held == 0 => (Some(Access::Open), format!("lease {rate}, {now}")),
        (.., true) => (None, format!("the lease joins list {list}, the box's address is not in it")),
        (.., false) => (None, format!("the lease does not join list {list}, the box's address is in it")),
    }
}

fn shut_in(line: &DesiredLine) -> Access {
    if line.access == Access::Closed { Access::Closed } else { Access::Isolated }
}

fn limit(queue: &crate::menu::queue::SimpleQueue) -> String {
    crate::menu::rate::rate_pair(&queue.max_limit)
        .map_or_else(|| shown(&queue.max_limit), |rate| crate::menu::rate::RateLimit::plain(rate).to_string())
}
