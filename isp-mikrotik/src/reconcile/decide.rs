//! The comparison.

use super::finding::Finding;
use std::collections::HashMap;

use isp_core::isolation::Access;

use super::actual::{Actual, ActualAccount, ActualSession};
use super::desired::{Desired, DesiredAccount};
use super::groups;
use super::plan::{AccountStep, Action, Conflict, Drift, Entries, FieldChange, GroupAction, Plan, RemoteAddress};
use super::strategy::Strategy;
use crate::mark::Mark;
use crate::menu::ItemId;
use crate::menu::address_list::ListEntry;
use crate::text::CodePage;

/// Compares. Takes time in proportion to the accounts on both sides.
pub fn plan(desired: &Desired, actual: &Actual) -> Plan {
    let profiles = by_name(&actual.groups, |group| &group.name);
    let groups: Vec<_> = desired.groups.iter().map(|group| groups::step(desired, group, &profiles)).collect();
    let blocked: HashMap<&str, &Conflict> = groups
        .iter()
        .filter_map(|step| match &step.action {
            GroupAction::Conflict(conflict) => Some((step.name.as_str(), conflict)),
            _ => None,
        })
        .collect();
    let seen = Seen {
        desired,
        accounts: by_name(&actual.accounts, |account| &account.name),
        sessions: by_name(&actual.sessions, |session| &session.name),
        entries: Listed::of(&actual.entries),
    };
    let accounts: Vec<_> = desired
        .accounts
        .iter()
        .map(|account| match blocked.get(account.profile.as_str()).filter(|_| account.access != Access::Closed) {
            Some(conflict) => conflict_step(account, conflict.code, conflict.reason.clone()),
            None => account_step(account, &seen),
        })
        .collect();
    Plan { groups, accounts, drift: drift(&seen, actual) }
}

/// What a router has, by name.
struct Seen<'a> {
    desired: &'a Desired,
    accounts: Index<'a, ActualAccount>,
    sessions: Index<'a, ActualSession>,
    entries: Listed<'a>,
}

/// The isolation list, by owner and by address.
#[derive(Default)]
struct Listed<'a> {
    ours: HashMap<String, Vec<&'a ListEntry>>,
    addresses: HashMap<&'a [u8], Option<String>>,
}

impl<'a> Listed<'a> {
    fn of(entries: &'a [ListEntry]) -> Listed<'a> {
        let mut listed = Listed::default();
        for entry in entries.iter().filter(|entry| !entry.dynamic) {
            let owner = Mark::split(&entry.comment).0.map(|mark| mark.owner);
            if !entry.disabled {
                listed.addresses.insert(bare(&entry.address), owner.clone());
            }
            if let Some(owner) = owner {
                listed.ours.entry(owner).or_default().push(entry);
            }
        }
        listed
    }
}

/// An address as a list shows it, without the length that a single one may carry.
fn bare(address: &[u8]) -> &[u8] {
    address.strip_suffix(b"/32").unwrap_or(address)
}

fn drift(seen: &Seen<'_>, actual: &Actual) -> Vec<Drift> {
    let wanted: HashMap<&[u8], &DesiredAccount> =
        seen.desired.accounts.iter().map(|account| (account.name.as_bytes(), account)).collect();
    let mut drift = Vec::new();
    for found in &actual.accounts {
        let Some(mark) = Mark::split(&found.comment).0 else { continue };
        let mut tell = |code, what| drift.push(Drift { name: shown(&found.name), code, what });
        match wanted.get(found.name.as_slice()) {
            None if seen.desired.complete => {
                tell(Finding::StrayAccount.code(), "carries our mark, and no line of this router has it".to_owned());
            }
            Some(account) if account.owns(&mark.owner) => {
                if ItemId::parse(&found.profile).is_some() {
                    tell(Finding::ProfileDangling.code(), format!("its profile {} was deleted", shown(&found.profile)));
                }
                let isolated = account.access == Access::Isolated && found.profile == account.profile.as_bytes();
                if let (true, Strategy::Profile, Some(address)) = (isolated, account.strategy, &found.remote_address) {
                    let what = format!("isolated, and yet the fixed address {} was set", shown(address));
                    tell(Finding::FixedAddress.code(), what);
                }
            }
            _ => {}
        }
    }
    drift
}

pub(super) type Index<'a, T> = HashMap<&'a [u8], Vec<&'a T>>;

fn by_name<T>(items: &[T], name: impl Fn(&T) -> &Vec<u8>) -> Index<'_, T> {
    let mut index: Index<'_, T> = HashMap::with_capacity(items.len());
    for item in items {
        index.entry(name(item).as_slice()).or_default().push(item);
    }
    index
}

fn account_step(account: &DesiredAccount, seen: &Seen<'_>) -> AccountStep {
    if let Some((code, reason)) = &account.refused {
        return conflict_step(account, code, reason.clone());
    }
    let found = seen.accounts.get(account.name.as_bytes()).map(Vec::as_slice).unwrap_or_default();
    match found {
        [] if account.access == Access::Closed => {
            let mut absent = step(account, Action::Absent, Vec::new());
            absent.entries.remove = our_entries(account, seen);
            absent
        }
        [] if account.listed() => step(account, Action::Conflict(no_fixed_address(account)), Vec::new()),
        [] => {
            let mark = Mark { isolated: account.switched_off(), ..Mark::new(&account.owner) };
            let comment = String::from_utf8_lossy(&mark.comment(b"")).into_owned();
            let disabled = account.disabled();
            let create = Action::Create { profile: account.profile.clone(), disabled, comment };
            let mut made = step(account, create, Vec::new());
            made.isolates = account.access == Access::Isolated;
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
        Some(mark) if account.owns(&mark.owner) => Mark { owner: account.owner.clone(), ..mark },
        Some(_) => {
            let reason = format!("account {} belongs to another subscription", account.name);
            return conflict_step(account, Finding::AccountOfAnother.code(), reason);
        }
        None if account.adopt => Mark::new(&account.owner),
        None => {
            let reason = format!("account {} is there and does not carry our mark", account.name);
            return conflict_step(account, Finding::AccountNotOurs.code(), reason);
        }
    };
    let sessions = seen.sessions.get(account.name.as_bytes()).map(Vec::as_slice).unwrap_or_default();
    let running: Vec<ItemId> = sessions.iter().map(|session| session.id.clone()).collect();
    let closed = account.access == Access::Closed;
    if closed && seen.desired.remove_closed && found.disabled && running.is_empty() && !mark.kick {
        let mut removed = step(account, Action::Remove { id: found.id.clone() }, Vec::new());
        removed.entries.remove = our_entries(account, seen);
        return removed;
    }
    let entries = match entries(account, found, seen) {
        Ok(entries) => entries,
        Err(conflict) => return step(account, Action::Conflict(conflict), Vec::new()),
    };
    let owed = mark.kick;
    let mut fields = Vec::new();
    let out = account.disabled();

    // Whoever is shut out keeps the profile it has, and is found as it was when the line opens again.
    let profile = (!out && found.profile != account.profile.as_bytes()).then(|| {
        fields.push(field("profile", &found.profile, account.profile.as_bytes()));
        account.profile.clone()
    });
    let disabled = (found.disabled != out).then(|| {
        fields.push(field("disabled", yes_no(found.disabled), yes_no(out)));
        out
    });
    let password = found.password.as_ref().is_some_and(|password| *password != account.password);
    if password {
        fields.push(field("password", b"***", b"***"));
    }
    let remote_address = match account.strategy {
        Strategy::Profile => remote_address(account.access, found, &mut mark, &mut fields),
        _ => RemoteAddress::Keep,
    };

    let new_terms = profile.is_some() || disabled.is_some() || remote_address != RemoteAddress::Keep;
    // Whoever could not log in before the change cannot run under its old terms.
    let locked_out = found.disabled && running.is_empty();
    mark.kick = owed || (new_terms && !locked_out);
    mark.isolated = account.switched_off();
    let comment = mark.comment(human);
    let comment = (comment != found.comment).then_some(comment);
    if let Some(comment) = &comment
        && !new_terms
    {
        fields.push(field("comment", &found.comment, comment));
    }

    let kick = if new_terms || owed || out { running } else { elsewhere(account, found, sessions) };
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

/// Sessions of a listed account that run under another address than the one that is listed.
fn elsewhere(account: &DesiredAccount, found: &ActualAccount, sessions: &[&ActualSession]) -> Vec<ItemId> {
    if !account.listed() {
        return Vec::new();
    }
    let elsewhere =
        sessions.iter().filter(|session| session.address.is_some() && session.address != found.remote_address);
    elsewhere.map(|session| session.id.clone()).collect()
}

/// What its entries in the isolation list need.
fn entries(account: &DesiredAccount, found: &ActualAccount, seen: &Seen<'_>) -> Result<Entries, Conflict> {
    let ours = listed(account, seen);
    let wanted = match (account.listed(), &found.remote_address) {
        (false, _) => None,
        (true, Some(address)) => Some(address.as_slice()),
        (true, None) => return Err(no_fixed_address(account)),
    };
    let right = |entry: &ListEntry| !entry.disabled && Some(bare(&entry.address)) == wanted;
    let kept = ours.iter().find(|entry| right(entry)).map(|entry| &entry.id);
    let remove = ours.iter().map(|entry| &entry.id).filter(|id| Some(*id) != kept).cloned().collect();
    let add = match wanted.filter(|_| kept.is_none()) {
        None => None,
        Some(address) if seen.entries.addresses.contains_key(address) => {
            let reason = format!("{} is in the list already, and that entry is not ours", shown(address));
            return Err(Conflict { code: Finding::EntryNotOurs.code(), reason });
        }
        Some(address) => Some(String::from_utf8_lossy(address).into_owned()),
    };
    Ok(Entries { add, remove })
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
            fields.push(field("remote-address", address, b""));
            mark.remembered = Some(String::from_utf8_lossy(address).into_owned());
            RemoteAddress::PutAside
        }
        (Access::Open, Some(_)) => {
            mark.remembered = None;
            RemoteAddress::Keep
        }
        (Access::Open, None) => match mark.remembered.take() {
            Some(address) => {
                fields.push(field("remote-address", b"", address.as_bytes()));
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

fn field(field: &'static str, old: &[u8], new: &[u8]) -> FieldChange {
    FieldChange { field, old: shown(old), new: shown(new) }
}

pub(super) fn shown(bytes: &[u8]) -> String {
    CodePage::default().decode(bytes).into_owned()
}

fn yes_no(value: bool) -> &'static [u8] {
    if value { b"yes" } else { b"no" }
}
