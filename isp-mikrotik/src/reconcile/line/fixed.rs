//! Static lines: a queue for the address, and an entry for it in the isolation list while the line is shut in.

use super::super::finding::Finding;
use super::super::plan::{Conflict, Entries, FieldChange};
use super::actual::{bare, marked};
use super::desired::DesiredLine;
use super::find::{Found, Seen, find, mark_on, queue_name};
use super::step::{Carrier, LineAction, LineStep, Written};
use crate::mark::Mark;
use crate::menu::ItemId;
use crate::menu::queue::SimpleQueue;
use crate::menu::rate::{BurstLimit, RateLimit, rate_pair};

/// The beginning of the names of queues that we make.
const NAME: &str = "isp-";

pub(super) fn step(line: &DesiredLine, seen: &Seen<'_>) -> LineStep {
    let Some(address) = line.address_text() else {
        let reason = "no address is known".to_owned();
        return LineStep::conflicting(&line.name, line.service, Finding::NoFixedAddress.code(), reason);
    };
    if line.left {
        return left(line, &address, seen);
    }
    let found = find(line, &seen.actual.queues, |q| &q.comment, |q| for_address(q, &address), queue_name);
    let mut spare = leases_before(line, &address, seen);
    let queue = match &found {
        Found::Ours(ours) => {
            spare.extend(ours.iter().skip(1).map(|queue| (Carrier::Queue, queue.id.clone())));
            ours.first().copied()
        }
        Found::Unmarked(queue) => Some(*queue),
        Found::None => None,
        Found::InTheWay(finding, reason) => {
            return LineStep::conflicting(&line.name, line.service, finding.code(), reason.clone());
        }
    };
    let here = [address.clone().into_bytes()];
    // Somebody shut this address in before it was ours: opening it has to be asked for.
    if !matches!(found, Found::Ours(_)) && !line.adopt && !line.shut() && seen.listed.by_hand(address.as_bytes()) {
        let reason = format!("{address} is in the list already, and that entry is not ours");
        return LineStep::conflicting(&line.name, line.service, Finding::EntryNotOurs.code(), reason);
    }
    let entries = match seen.listed.entries(line, &here, line.shut().then_some(address.as_bytes()), false) {
        Ok(entries) => entries,
        Err(Conflict { code, reason }) => return LineStep::conflicting(&line.name, line.service, code, reason),
    };
    let owed_by_entry = seen.listed.owes(line);
    let isolates = line.access == isp_core::isolation::Access::Isolated && entries.add.is_some();
    let moved = entries.add.is_some() || (!line.shut() && !entries.remove.is_empty());
    let (action, cut) = match queue {
        None if line.access == isp_core::isolation::Access::Closed => (LineAction::Absent, moved || owed_by_entry),
        None => (create(line, &address, seen), moved || owed_by_entry),
        Some(queue) => change(line, &address, queue, moved, owed_by_entry, seen),
    };
    let cut = if cut { vec![address] } else { Vec::new() };
    LineStep { name: line.name.clone(), service: line.service, action, spare, entries, cut, isolates }
}

pub(super) fn shut_out(line: &DesiredLine, seen: &Seen<'_>) -> Option<String> {
    let address = line.address_text()?;
    let ours = seen.actual.queues.iter().any(|queue| marked(&queue.comment).is_some_and(|(owner, _)| line.owns(owner)));
    let listed = !ours && seen.listed.by_hand(address.as_bytes());
    listed.then(|| format!("was put into the list {}", seen.desired.isolation_list))
}

/// Whether a queue is for this address and no other.
pub(super) fn for_address(queue: &SimpleQueue, address: &str) -> bool {
    bare(&queue.target) == address.as_bytes()
}

fn create(line: &DesiredLine, address: &str, seen: &Seen<'_>) -> LineAction {
    let usual = format!("{NAME}{address}");
    let taken = seen.actual.queues.iter().any(|queue| queue.name == usual.as_bytes());
    LineAction::Create(Written {
        name: Some(if taken { format!("{usual}-{}", line.owner) } else { usual }),
        address: Some(format!("{address}/32")),
        rate: Some(line.rate),
        comment: Some(Mark::new(line.owner).comment(b"")),
        ..Written::default()
    })
}

fn change(
    line: &DesiredLine,
    address: &str,
    queue: &SimpleQueue,
    mut moved: bool,
    owed: bool,
    seen: &Seen<'_>,
) -> (LineAction, bool) {
    let (mut written, mut fields) = (Written::default(), Vec::new());
    if !for_address(queue, address) {
        fields.push(FieldChange::of("target", &queue.target, address.as_bytes()));
        written.address = Some(format!("{address}/32"));
        moved = true;
        let usual = format!("{NAME}{address}");
        let free = seen.actual.queues.iter().all(|other| other.name != usual.as_bytes());
        if queue.name.starts_with(NAME.as_bytes()) && free {
            written.name = Some(usual);
        }
    }
    if rate_of(queue) != Some(line.rate) {
        fields.push(FieldChange::of("max-limit", &queue.max_limit, line.rate.to_string().as_bytes()));
        written.rate = Some(line.rate);
        moved |= line.shut();
    }
    if queue.disabled {
        fields.push(FieldChange::of("disabled", b"yes", b"no"));
        written.disabled = Some(false);
    }
    let (mut mark, human) = mark_on(line, &queue.comment);
    let cut = mark.kick || moved || owed;
    mark.kick |= moved;
    let comment = mark.comment(human);
    if comment != queue.comment {
        if fields.is_empty() {
            fields.push(FieldChange::of("comment", &queue.comment, &comment));
        }
        written.comment = Some(comment);
    }
    let id = queue.id.clone();
    let action = if written == Written::default() {
        LineAction::Keep { id }
    } else {
        LineAction::Change { id, make_static: false, written, fields }
    };
    (action, cut)
}

/// What a queue allows; priority and guaranteed rates are the owner's.
fn rate_of(queue: &SimpleQueue) -> Option<RateLimit> {
    let pair = |raw: &[u8]| if raw.is_empty() { Some((0, 0)) } else { rate_pair(raw) };
    let (rate, burst) = (pair(&queue.max_limit)?, pair(&queue.burst_limit)?);
    let burst = match burst {
        (0, 0) => None,
        limit => {
            let times = std::str::from_utf8(&queue.burst_time).ok()?;
            let (up, down) = times.split_once('/').unwrap_or((times, times));
            let seconds = (crate::menu::rate::seconds(up)?, crate::menu::rate::seconds(down)?);
            Some(BurstLimit { limit, threshold: pair(&queue.burst_threshold)?, seconds })
        }
    };
    Some(RateLimit { burst, ..RateLimit::plain(rate) })
}

/// The leases for an address that are left of who had it before, box by box.
pub(super) fn leases_before(line: &DesiredLine, address: &str, seen: &Seen<'_>) -> Vec<(Carrier, ItemId)> {
    let before = |lease: &&crate::menu::lease::Lease| {
        let owner = marked(&lease.comment).map(|(owner, _)| owner).filter(|owner| *owner != line.owner);
        let other_box = lease.mac != line.name.as_bytes();
        other_box && bare(&lease.address) == address.as_bytes() && owner.is_some_and(|owner| line.owns(owner))
    };
    seen.actual.leases.iter().filter(before).map(|lease| (Carrier::Lease, lease.id.clone())).collect()
}

/// What the line has left at an address: its queue there, and its entry, unless the line has the address in another way now.
fn left(line: &DesiredLine, address: &str, seen: &Seen<'_>) -> LineStep {
    let own = |comment: &[u8]| marked(comment).is_some_and(|(owner, _)| owner == line.owner);
    let ids: Vec<ItemId> = seen
        .actual
        .queues
        .iter()
        .filter(|queue| own(&queue.comment) && for_address(queue, address))
        .map(|queue| queue.id.clone())
        .collect();
    let kept = seen.actual.leases.iter().any(|lease| {
        let has =
            bare(&lease.address) == address.as_bytes() || lease.active_address.as_deref() == Some(address.as_bytes());
        own(&lease.comment) && has
    });
    let entries = if kept { Vec::new() } else { own_entries(line, seen, &[address.as_bytes()]) };
    let action = if ids.is_empty() { LineAction::Absent } else { LineAction::Remove { ids } };
    LineStep {
        name: line.name.clone(),
        service: line.service,
        action,
        spare: Vec::new(),
        entries: Entries { add: None, remove: entries },
        cut: Vec::new(),
        isolates: false,
    }
}

/// The entries with the line's own mark at these addresses.
pub(super) fn own_entries(line: &DesiredLine, seen: &Seen<'_>, at: &[&[u8]]) -> Vec<ItemId> {
    let own = seen.listed.of_line(line, &[]).into_iter();
    let here = |entry: &&crate::menu::address_list::ListEntry| at.contains(&bare(&entry.address));
    own.filter(here).map(|entry| entry.id.clone()).collect()
}
