//! The comparison.

use isp_core::isolation::Access;

use super::actual::{Actual, ActualAccount, ActualGroup, ActualSession};
use super::desired::{Desired, DesiredAccount, DesiredGroup};
use super::finding::Finding;
use super::index::{ByName, Index};
use super::plan::{
    AccountStep, Action, Conflict, Drift, Entries, FieldChange, GroupAction, Object, Plan, RemoteAddress,
};
use super::strategy::{Service, Strategy};
use super::{groups, notice};
use crate::hash::{HashMap, HashSet};
use crate::mark::{Mark, Owner};
use crate::menu::ItemId;
use crate::menu::address_list::{ListEntry, bare};
use crate::text::shown;

/// Compares. Takes time in proportion to the accounts on both sides.
pub fn plan(desired: &Desired, actual: &Actual) -> Plan {
    plan_by(desired, actual, &ByName::of(desired, actual), &desired.stale)
}

/// [`plan`], for whoever has looked the names up already, and knows which sessions run under older terms.
pub(crate) fn plan_by<'a>(
    desired: &'a Desired,
    actual: &'a Actual,
    by_name: &'a ByName<'a>,
    stale: &'a std::collections::HashSet<ItemId>,
) -> Plan {
    let profiles = Index::new(&actual.groups, |group| group.name.as_slice());
    let groups: Vec<_> = desired.groups.iter().map(|group| groups::step(desired, group, &profiles)).collect();
    let isolating = |name: &str| desired.groups.iter().any(|group| group.isolates && group.name == name);
    let blocked: HashMap<&str, &Conflict> = groups
        .iter()
        .filter_map(|step| match &step.action {
            // A package profile of the owner's with other terms is told, and opens its lines all the same: nobody who
            // paid stays shut out for a rate.
            GroupAction::Conflict(conflict)
                if isolating(&step.name) || conflict.code != Finding::ProfileNotOurs.code() =>
            {
                Some((step.name.as_str(), conflict))
            }
            _ => None,
        })
        .collect();
    let seen = Seen {
        desired,
        by_name,
        stale,
        entries: Listed::of(&actual.entries),
        joins: desired.groups.iter().any(|group| group.isolates && joins_list(desired, &profiles, group)),
    };
    let accounts: Vec<_> = desired
        .accounts
        .iter()
        .map(|account| match blocked.get(account.profile.as_str()).filter(|_| account.access != Access::Closed) {
            Some(conflict) => conflict_step(account, conflict.code, conflict.reason.clone()),
            None => account_step(account, &seen),
        })
        .collect();
    let mut drift = drift(&seen, actual);
    if !desired.former {
        drift.extend(notice::profiles(desired, &groups, &profiles, &seen.by_name.accounts));
    }
    Plan { groups, accounts, lines: Vec::new(), redirect: Vec::new(), drift }
}

/// What a router has, by name.
struct Seen<'a> {
    desired: &'a Desired,
    by_name: &'a ByName<'a>,
    stale: &'a std::collections::HashSet<ItemId>,
    entries: Listed<'a>,
    /// Whether sessions of the isolation profile, as it is now, join the isolation list.
    joins: bool,
}

fn joins_list(desired: &Desired, profiles: &Index<'_, ActualGroup>, group: &DesiredGroup) -> bool {
    let list = desired.isolation_list.as_bytes();
    let found = profiles.of(group.name.as_bytes());
    desired.service == Service::Ppp && matches!(found, [one] if one.address_list.as_deref() == Some(list))
}

/// The isolation list, by owner and by address.
#[derive(Default)]
struct Listed<'a> {
    ours: HashMap<Owner, Vec<&'a ListEntry>>,
    /// The enabled entries that stay, by address.
    addresses: HashMap<&'a [u8], Vec<&'a ListEntry>>,
    /// The addresses that sessions joined by their profile.
    joined: HashSet<&'a [u8]>,
}

impl<'a> Listed<'a> {
    fn of(entries: &'a [ListEntry]) -> Listed<'a> {
        let mut listed = Listed::default();
        for entry in entries {
            if entry.dynamic {
                listed.joined.insert(bare(&entry.address));
                continue;
            }
            if !entry.disabled {
                listed.addresses.entry(bare(&entry.address)).or_default().push(entry);
            }
            if let Some(mark) = Mark::split(&entry.comment).0 {
                listed.ours.entry(mark.owner).or_default().push(entry);
            }
        }
        listed
    }

    /// The enabled entries that stay for an address, with whether they carry the mark of somebody else.
    fn at(&self, address: &[u8], owner: Option<Owner>) -> impl Iterator<Item = (&'a ListEntry, bool)> {
        let found = self.addresses.get(bare(address)).map(Vec::as_slice).unwrap_or_default();
        found
            .iter()
            .map(move |entry| (*entry, Mark::split(&entry.comment).0.is_some_and(|mark| Some(mark.owner) != owner)))
    }
}

fn drift(seen: &Seen<'_>, actual: &Actual) -> Vec<Drift> {
    let wanted = |found: &ActualAccount| seen.by_name.wanted.of(&found.name).last().copied();
    let mut drift = Vec::new();
    for found in &actual.accounts {
        let Some(mark) = Mark::split(&found.comment).0 else {
            drift.extend(wanted(found).and_then(|account| shut_out(account, found, seen)));
            continue;
        };
        let mut tell = |code, what| drift.push(Drift { object: Object::Account, name: shown(&found.name), code, what });
        match wanted(found) {
            None if seen.desired.complete => {
                tell(Finding::StrayAccount.code(), "carries our mark, and no line of this router has it".to_owned());
            }
            Some(account) if account.owns(mark.owner) => {
                if ItemId::parse(&found.profile).is_some() {
                    tell(Finding::ProfileDangling.code(), format!("its profile {} was deleted", shown(&found.profile)));
                }
                let isolated = account.access == Access::Isolated && found.profile == account.profile.as_bytes();
                if let (true, Strategy::Profile, Some(address)) = (isolated, account.strategy, &found.remote_address) {
                    let what = format!("isolated, and yet the fixed address {} was set", shown(address));
                    tell(Finding::FixedAddress.code(), what);
                }
                if account.access != Access::Closed {
                    notice::account(found, &mut tell);
                }
            }
            _ => {}
        }
    }
    drift
}

/// An account that taking it over would open, although somebody disabled or isolated it on the router.
fn shut_out(account: &DesiredAccount, found: &ActualAccount, seen: &Seen<'_>) -> Option<Drift> {
    let listed = found.remote_address.as_deref().is_some_and(|address| seen.entries.at(address, None).next().is_some());
    let how = if found.disabled {
        "was disabled".to_owned()
    } else if found.profile == seen.desired.isolation_profile.as_bytes() {
        format!("was given the profile {}", seen.desired.isolation_profile)
    } else if listed {
        format!("was put into the list {}", seen.desired.isolation_list)
    } else {
        return None;
    };
    (account.adopt && account.access == Access::Open).then(|| Drift {
        object: Object::Account,
        name: account.name.clone(),
        code: Finding::ShutOutByHand.code(),
        what: format!("{how} by hand, and would be opened"),
    })
}

fn account_step(account: &DesiredAccount, seen: &Seen<'_>) -> AccountStep {
    if let Some((code, reason)) = &account.refused {
        return conflict_step(account, code, reason.clone());
    }
    let all = seen.by_name.accounts.of(account.name.as_bytes());
    let ours = |found: &&&ActualAccount| Mark::split(&found.comment).0.is_some_and(|mark| account.owns(mark.owner));
    let of_ours: Vec<&ActualAccount>;
    let found = match seen.desired.former {
        true => {
            of_ours = all.iter().filter(ours).copied().collect();
            of_ours.as_slice()
        }
        false => all,
    };
    match found {
        [] if account.access == Access::Closed => {
            // The session of an account that somebody removed goes on until it is ended. In a service that the line does
            // not use it is the line's where nobody else has the name.
            let orphan = !seen.desired.former || (seen.desired.has_orphans() && all.is_empty());
            let running = seen.by_name.sessions.of(account.name.as_bytes());
            let running = running.iter().filter(|_| orphan).map(|session| session.id.clone());
            let mut absent = step(account, Action::Absent, running.collect());
            absent.entries.remove = our_entries(account, seen);
            absent
        }
        [] if account.listed() => step(account, Action::Conflict(no_fixed_address(account)), Vec::new()),
        [] => {
            let mark = Mark { isolated: account.switched_off(), ..Mark::new(account.owner) };
            let comment = String::from_utf8_lossy(&mark.comment(b"")).into_owned();
            let disabled = account.disabled();
            let create = Action::Create { profile: account.profile.clone(), disabled, comment };
            let mut made = step(account, create, Vec::new());
            made.entries.remove = our_entries(account, seen);
            made
        }
        [only] => existing_step(account, only, seen),
        _ => {
            let reason = format!("{} accounts are named {}", found.len(), account.name);
            conflict_step(account, Finding::AccountTwins.code(), reason)
        }
    }
}

fn existing_step(account: &DesiredAccount, found: &ActualAccount, seen: &Seen<'_>) -> AccountStep {
    let (mark, human) = Mark::split(&found.comment);
    let mut mark = match mark {
        Some(mark) if account.owns(mark.owner) => Mark { owner: account.owner, ..mark },
        Some(_) => {
            let reason = format!("account {} belongs to another subscription", account.name);
            return conflict_step(account, Finding::AccountOfAnother.code(), reason);
        }
        None if account.adopt => Mark::new(account.owner),
        None => {
            let reason = format!("account {} is there and does not carry our mark", account.name);
            return conflict_step(account, Finding::AccountNotOurs.code(), reason);
        }
    };
    let sessions = seen.by_name.sessions.of(account.name.as_bytes());
    let closed = account.access == Access::Closed;
    if closed && (seen.desired.remove_closed || account.forget) && found.disabled && sessions.is_empty() && !mark.kick {
        let mut removed = step(account, Action::Remove { id: found.id.clone() }, Vec::new());
        removed.entries.remove = our_entries(account, seen);
        return removed;
    }
    // What was put aside by another way of isolating comes back.
    let remembered = mark.remembered.clone();
    let fixed = found.remote_address.as_deref().or(remembered.as_deref().map(str::as_bytes));
    let entries = match entries(account, fixed, sessions, seen) {
        Ok(entries) => entries,
        Err(conflict) => return step(account, Action::Conflict(conflict), Vec::new()),
    };
    let owed = mark.kick;
    let mut fields = Vec::new();
    let out = account.disabled();

    // Whoever is shut out keeps the profile it has, and is found as it was when the line opens again.
    let profile = (!out && found.profile != account.profile.as_bytes()).then(|| {
        fields.push(FieldChange::of("profile", &found.profile, account.profile.as_bytes()));
        account.profile.clone()
    });
    let disabled = (found.disabled != out).then(|| {
        fields.push(FieldChange::of("disabled", yes_no(found.disabled), yes_no(out)));
        out
    });
    let password = !account.forget && found.password.as_ref().is_some_and(|password| *password != account.password);
    if password {
        fields.push(FieldChange::of("password", b"***", b"***"));
    }
    let remote_address = match account.strategy {
        Strategy::Profile => remote_address(account.access, found, &mut mark, &mut fields),
        // Only a profile needs it put aside: another way of isolating wants it back.
        Strategy::AddressList | Strategy::Disable => remote_address(Access::Open, found, &mut mark, &mut fields),
        Strategy::Hotspot => RemoteAddress::Keep,
    };

    let new_terms = profile.is_some() || disabled.is_some() || remote_address != RemoteAddress::Keep;
    // Whoever could not log in before the change cannot run under its old terms.
    let locked_out = found.disabled && sessions.is_empty();
    mark.kick = owed || (new_terms && !locked_out);
    mark.isolated = account.switched_off();
    let comment = mark.comment(human);
    let comment = (found.comment != *comment).then_some(comment);
    if let Some(comment) = &comment
        && !new_terms
    {
        fields.push(FieldChange::of("comment", &found.comment, comment));
    }

    let kick = match new_terms || owed || out {
        true => sessions.iter().map(|session| session.id.clone()).collect(),
        false => misplaced(account, found, sessions, seen),
    };
    let isolates = account.access == Access::Isolated
        && (profile.is_some() || entries.add.is_some() || (out && disabled.is_some()));
    let changed = new_terms || password || comment.is_some();
    let id = found.id.clone();
    let action = if changed {
        Action::Change { id, profile, disabled, password, remote_address, comment, fields }
    } else {
        Action::Keep { id }
    };
    AccountStep { name: account.name.clone(), action, kick, entries, isolates }
}

/// Sessions that do not carry what the account says: a listed account under another address than the one that is listed,
/// an open one in the isolation list, one of the isolation profile outside its list, one with another rate than its profile's. They began under older terms.
fn misplaced(
    account: &DesiredAccount,
    found: &ActualAccount,
    sessions: &[&ActualSession],
    seen: &Seen<'_>,
) -> Vec<ItemId> {
    let joined = |address: &[u8]| seen.entries.joined.contains(bare(address));
    let wrong = |session: &&&ActualSession| {
        if seen.stale.contains(&session.id) {
            return true;
        }
        let Some(address) = session.address.as_deref() else { return false };
        match account.access {
            Access::Open => joined(address),
            Access::Isolated if account.listed() => session.address != found.remote_address,
            Access::Isolated => account.strategy == Strategy::Profile && seen.joins && !joined(address),
            Access::Closed => false,
        }
    };
    sessions.iter().filter(wrong).map(|session| session.id.clone()).collect()
}

/// What its entries in the isolation list need.
///
/// An entry is known by our mark, or by its content: one without a mark for the line's own fixed address isolates the line
/// as ours would, and goes when the line is open. One that another line's mark owns stays, and is told.
fn entries(
    account: &DesiredAccount,
    fixed: Option<&[u8]>,
    sessions: &[&ActualSession],
    seen: &Seen<'_>,
) -> Result<Entries, Conflict> {
    let ours = listed(account, seen);
    let at = |address: &[u8]| {
        let foreign = |entry: &ListEntry| Mark::split(&entry.comment).0.is_some_and(|mark| !account.owns(mark.owner));
        let found = seen.entries.at(address, None).map(|(entry, _)| (entry, foreign(entry)));
        found.collect::<Vec<(&ListEntry, bool)>>().into_iter()
    };
    let wanted = match (account.listed(), fixed) {
        (false, _) => None,
        (true, Some(address)) => Some(address),
        (true, None) => return Err(no_fixed_address(account)),
    };
    let right = |entry: &ListEntry| !entry.disabled && Some(bare(&entry.address)) == wanted.map(bare);
    let unmarked = |(entry, foreign): &(&ListEntry, bool)| !foreign && Mark::split(&entry.comment).0.is_none();
    let by_content: Vec<&ListEntry> =
        fixed.map(|address| at(address).filter(unmarked).map(|(entry, _)| entry).collect()).unwrap_or_default();
    let kept = ours.iter().copied().chain(by_content.iter().copied()).find(|entry| right(entry)).map(|entry| &entry.id);
    let mut remove: Vec<ItemId> = ours.iter().map(|entry| &entry.id).filter(|id| Some(*id) != kept).cloned().collect();
    if account.access == Access::Open {
        remove.extend(by_content.iter().map(|entry| entry.id.clone()));
        let here = fixed.into_iter().chain(sessions.iter().filter_map(|session| session.address.as_deref()));
        for address in here {
            let mut others = at(address).filter(|(entry, foreign)| {
                *foreign || (Mark::split(&entry.comment).0.is_none() && Some(address) != fixed)
            });
            if others.next().is_some() {
                return Err(entry_not_ours(address));
            }
        }
    }
    let add = match wanted.filter(|_| kept.is_none()) {
        None => None,
        Some(address) if at(address).any(|(_, foreign)| foreign) => {
            return Err(entry_not_ours(address));
        }
        Some(address) => Some(String::from_utf8_lossy(address).into_owned()),
    };
    Ok(Entries { add, remove })
}

fn entry_not_ours(address: &[u8]) -> Conflict {
    let reason = format!("{} is in the list already, and that entry is not ours", shown(address));
    Conflict { code: Finding::EntryNotOurs.code(), reason }
}

fn our_entries(account: &DesiredAccount, seen: &Seen<'_>) -> Vec<ItemId> {
    listed(account, seen).iter().map(|entry| entry.id.clone()).collect()
}

/// The entries of the account, and those of who had its name before.
fn listed<'a>(account: &DesiredAccount, seen: &Seen<'a>) -> Vec<&'a ListEntry> {
    let owners = std::iter::once(&account.owner).chain(&account.succeeds);
    owners.filter_map(|owner| seen.entries.ours.get(owner)).flatten().copied().collect()
}

fn no_fixed_address(account: &DesiredAccount) -> Conflict {
    let reason = format!("account {} has no fixed address that could be listed", account.name);
    Conflict { code: Finding::NoFixedAddress.code(), reason }
}

/// A fixed address wins over the pool, so an isolated account must not have one; the mark keeps it meanwhile.
fn remote_address(
    access: Access,
    found: &ActualAccount,
    mark: &mut Mark,
    fields: &mut Vec<FieldChange>,
) -> RemoteAddress {
    match (access, &found.remote_address) {
        (Access::Isolated, Some(address)) => {
            fields.push(FieldChange::of("remote-address", address, b""));
            mark.remembered = Some(String::from_utf8_lossy(address).into_owned());
            RemoteAddress::PutAside
        }
        (Access::Open, Some(_)) => {
            mark.remembered = None;
            RemoteAddress::Keep
        }
        (Access::Open, None) => match mark.remembered.take() {
            Some(address) => {
                fields.push(FieldChange::of("remote-address", b"", address.as_bytes()));
                RemoteAddress::Restore(address)
            }
            None => RemoteAddress::Keep,
        },
        _ => RemoteAddress::Keep,
    }
}

fn step(account: &DesiredAccount, action: Action, kick: Vec<ItemId>) -> AccountStep {
    AccountStep { name: account.name.clone(), action, kick, entries: Entries::default(), isolates: false }
}

fn conflict_step(account: &DesiredAccount, code: &'static str, reason: String) -> AccountStep {
    step(account, Action::Conflict(Conflict { code, reason }), Vec::new())
}

fn yes_no(value: bool) -> &'static [u8] {
    if value { b"yes" } else { b"no" }
}
