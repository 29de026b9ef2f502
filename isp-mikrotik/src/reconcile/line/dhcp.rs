//! DHCP lines: a static lease for the box, which joins the isolation list while the line is shut in.

use isp_core::isolation::Access;

use super::super::finding::Finding;
use super::super::plan::{Conflict, Entries, FieldChange};
use super::actual::{bare, marked};
use super::desired::DesiredLine;
use super::find::{Found, Seen, find, lease_name, mark_on};
use super::fixed::{for_address, leases_before, own_entries};
use super::step::{Carrier, LineAction, LineStep, Written};
use crate::mark::Mark;
use crate::menu::ItemId;
use crate::menu::lease::Lease;
use crate::menu::rate::RateLimit;

pub(super) fn step(line: &DesiredLine, seen: &Seen<'_>) -> LineStep {
    if line.left {
        return left(line, seen);
    }
    let of_box = |lease: &Lease| lease.mac == line.name.as_bytes();
    let lasting: Vec<Lease> = seen.actual.leases.iter().filter(|lease| !lease.dynamic).cloned().collect();
    let found = find(line, &lasting, |l| &l.comment, of_box, lease_name);
    let mut spare = line.address_text().map_or_else(Vec::new, |address| before(line, &address, seen));
    let lease = match &found {
        Found::Ours(ours) => {
            spare.extend(ours.iter().skip(1).map(|lease| (Carrier::Lease, lease.id.clone())));
            ours.first().copied()
        }
        Found::Unmarked(lease) => Some(*lease),
        // What the server gave by itself is nobody's, and is kept.
        Found::None => seen.actual.leases.iter().find(|lease| lease.dynamic && of_box(lease)),
        Found::InTheWay(finding, reason) => {
            return LineStep::conflicting(&line.name, line.service, finding.code(), reason.clone());
        }
    };
    if let Some((finding, reason)) = address_taken(line, seen) {
        return LineStep::conflicting(&line.name, line.service, finding.code(), reason);
    }
    let (list, shut) = (seen.desired.isolation_list.as_bytes(), line.shut());
    let joins = |lease: &Lease| lease.lists().any(|joined| joined == list);
    let now = lease.filter(|lease| of_box(lease) && !lease.dynamic && !lease.disabled);
    let active = addresses(line, seen);
    let mut here = active.clone();
    let wanted = line.address_text().map(String::into_bytes);
    here.extend(wanted.filter(|wanted| !active.contains(wanted)));
    // Somebody shut this address in before it was ours: opening it has to be asked for.
    let by_hand = here.iter().find(|address| seen.listed.by_hand(address));
    if let (Some(address), false, false, false) = (by_hand, matches!(found, Found::Ours(_)), line.adopt, shut) {
        let reason = format!("{} is in the list already, and that entry is not ours", String::from_utf8_lossy(address));
        return LineStep::conflicting(&line.name, line.service, Finding::EntryNotOurs.code(), reason);
    }
    // The lease's own list comes first: an entry of the line's own is for what the list does not reach.
    let settled = now.is_some_and(|lease| joins(lease) == shut);
    let unreached = active.iter().find(|address| !seen.listed.holds(address));
    let add = unreached.filter(|_| shut && settled).map(Vec::as_slice);
    let entries = match seen.listed.entries(line, &here, add, !settled) {
        Ok(entries) => entries,
        Err(Conflict { code, reason }) => return LineStep::conflicting(&line.name, line.service, code, reason),
    };
    let owed_by_entry = seen.listed.owes(line);
    let free = !now.is_some_and(joins) && (active.is_empty() || unreached.is_some());
    let isolates = line.access == Access::Isolated && (free || entries.add.is_some());
    let moved = entries.add.is_some() || (!shut && !entries.remove.is_empty());
    let (action, kick) = match lease {
        None => (create(line, list, shut), shut || moved || owed_by_entry),
        Some(lease) => change(line, lease, list, moved, owed_by_entry),
    };
    let cut = if kick {
        here.iter().map(|address| String::from_utf8_lossy(address).into_owned()).collect()
    } else {
        Vec::new()
    };
    LineStep { name: line.name.clone(), service: line.service, action, spare, entries, cut, isolates }
}

pub(super) fn shut_out(line: &DesiredLine, seen: &Seen<'_>) -> Option<String> {
    let mut lasting = seen.actual.leases.iter().filter(|lease| !lease.dynamic && lease.mac == line.name.as_bytes());
    let lease = lasting.find(|lease| marked(&lease.comment).is_none())?;
    let list = &seen.desired.isolation_list;
    let listed = addresses(line, seen).iter().any(|address| seen.listed.by_hand(address));
    if lease.blocked {
        Some("was blocked".to_owned())
    } else if lease.disabled {
        Some("was disabled".to_owned())
    } else if listed || lease.lists().any(|joined| joined == list.as_bytes()) {
        Some(format!("was put into the list {list}"))
    } else {
        None
    }
}

/// The addresses that the box has now, by whichever lease.
pub(super) fn addresses(line: &DesiredLine, seen: &Seen<'_>) -> Vec<Vec<u8>> {
    let mut active: Vec<Vec<u8>> = Vec::new();
    for lease in &seen.actual.leases {
        if lease.mac == line.name.as_bytes()
            && lease.bound
            && let Some(address) = &lease.active_address
            && !active.contains(address)
        {
            active.push(address.clone());
        }
    }
    active
}

/// What is left at an address of who had it before.
fn before(line: &DesiredLine, address: &str, seen: &Seen<'_>) -> Vec<(Carrier, ItemId)> {
    let before = |comment: &[u8]| {
        let owner = marked(comment).map(|(owner, _)| owner).filter(|owner| *owner != line.owner);
        owner.is_some_and(|owner| line.owns(owner))
    };
    let queues = seen.actual.queues.iter().filter(|queue| before(&queue.comment) && for_address(queue, address));
    queues.map(|queue| (Carrier::Queue, queue.id.clone())).chain(leases_before(line, address, seen)).collect()
}

/// Whether a lease of another box, which is not ours to move, has the address that this one is to get.
fn address_taken(line: &DesiredLine, seen: &Seen<'_>) -> Option<(Finding, String)> {
    let address = line.address_text()?;
    let other = seen.actual.leases.iter().find(|lease| {
        let owner = marked(&lease.comment).map(|(owner, _)| owner);
        let foreign = owner.is_none_or(|owner| !line.owns(owner));
        foreign && !lease.dynamic && bare(&lease.address) == address.as_bytes() && lease.mac != line.name.as_bytes()
    })?;
    let reason = format!("the {} has {address}", lease_name(other));
    let finding = if marked(&other.comment).is_some() { Finding::AccountOfAnother } else { Finding::AccountNotOurs };
    Some((finding, reason))
}

fn create(line: &DesiredLine, list: &[u8], shut: bool) -> LineAction {
    let mark = Mark { kick: shut, ..Mark::new(line.owner) };
    LineAction::Create(Written {
        mac: Some(line.name.clone()),
        address: line.address_text(),
        rate: Some(line.rate),
        lists: shut.then(|| list.to_vec()),
        comment: Some(mark.comment(b"")),
        ..Written::default()
    })
}

fn change(line: &DesiredLine, lease: &Lease, list: &[u8], mut moved: bool, owed: bool) -> (LineAction, bool) {
    let (mut written, mut fields) = (Written::default(), Vec::new());
    if lease.mac != line.name.as_bytes() {
        fields.push(FieldChange::of("mac-address", &lease.mac, line.name.as_bytes()));
        written.mac = Some(line.name.clone());
        moved = true;
    }
    if let Some(address) = line.address_text()
        && bare(&lease.address) != address.as_bytes()
    {
        fields.push(FieldChange::of("address", &lease.address, address.as_bytes()));
        written.address = Some(address);
        moved = true;
    }
    if lease.rate_limit.as_deref().and_then(RateLimit::parse) != Some(line.rate) {
        let old = lease.rate_limit.as_deref().unwrap_or_default();
        fields.push(FieldChange::of("rate-limit", old, line.rate.to_string().as_bytes()));
        written.rate = Some(line.rate);
        moved |= line.shut();
    }
    let others: Vec<&[u8]> = lease.lists().filter(|joined| *joined != list).collect();
    if lease.lists().any(|joined| joined == list) != line.shut() {
        let mut lists = others;
        if line.shut() {
            lists.push(list);
        }
        let lists = lists.join(&b","[..]);
        fields.push(FieldChange::of("address-lists", &lease.address_lists, &lists));
        written.lists = Some(lists);
        moved = true;
    }
    if lease.blocked {
        fields.push(FieldChange::of("block-access", b"yes", b"no"));
        written.blocked = Some(false);
    }
    if lease.disabled {
        fields.push(FieldChange::of("disabled", b"yes", b"no"));
        written.disabled = Some(false);
    }
    let (mut mark, human) = mark_on(line, &lease.comment);
    let cut = mark.kick || moved || owed;
    mark.kick |= moved;
    let comment = mark.comment(human);
    if comment != lease.comment {
        if fields.is_empty() {
            fields.push(FieldChange::of("comment", &lease.comment, &comment));
        }
        written.comment = Some(comment);
    }
    let id = lease.id.clone();
    let action = if written == Written::default() && !lease.dynamic {
        LineAction::Keep { id }
    } else {
        LineAction::Change { id, make_static: lease.dynamic, written, fields }
    };
    (action, cut)
}

/// What the line has left with a box: its lease, and its entries, unless the line has the address in another way now.
fn left(line: &DesiredLine, seen: &Seen<'_>) -> LineStep {
    let own = |comment: &[u8]| marked(comment).is_some_and(|(owner, _)| owner == line.owner);
    let of_box = |lease: &&Lease| own(&lease.comment) && lease.mac == line.name.as_bytes();
    let gone: Vec<&Lease> = seen.actual.leases.iter().filter(of_box).collect();
    let ids: Vec<ItemId> = gone.iter().map(|lease| lease.id.clone()).collect();
    let stays = |address: &[u8]| {
        let text = String::from_utf8_lossy(address);
        let queue = seen.actual.queues.iter().any(|queue| own(&queue.comment) && for_address(queue, &text));
        let lease = seen.actual.leases.iter().any(|lease| {
            let has = bare(&lease.address) == address || lease.active_address.as_deref() == Some(address);
            own(&lease.comment) && has && lease.mac != line.name.as_bytes()
        });
        queue || lease
    };
    let wanted = line.address_text().map(String::into_bytes);
    let known =
        gone.iter().flat_map(|lease| std::iter::once(lease.address.clone()).chain(lease.active_address.clone()));
    let at: Vec<Vec<u8>> = known.chain(wanted).filter(|address| !address.is_empty() && !stays(address)).collect();
    let at: Vec<&[u8]> = at.iter().map(|address| bare(address)).collect();
    let entries = Entries { add: None, remove: own_entries(line, seen, &at) };
    let action = if ids.is_empty() { LineAction::Absent } else { LineAction::Remove { ids } };
    let (name, service) = (line.name.clone(), line.service);
    LineStep { name, service, action, spare: Vec::new(), entries, cut: Vec::new(), isolates: false }
}
