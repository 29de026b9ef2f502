//! What an account allows now, as far as reading tells.

use isp_core::isolation::Access;

use super::settings::Settings;
use crate::hash::{HashMap, HashSet};
use crate::mark::{Mark, Owner};
use crate::menu::address_list::{ListEntry, bare};
use crate::reconcile::{Actual, ActualAccount, ActualSession, ByName, Desired, DesiredAccount, Strategy};

/// One verdict for each desired account, with the router's words. `None`: neither of the three for sure.
pub(super) fn all(
    desired: &Desired,
    actual: &Actual,
    by_name: &ByName<'_>,
    settings: &Settings,
) -> Vec<(Option<Access>, String)> {
    let seen = Seen::of(actual, settings);
    let of = |account: &DesiredAccount| {
        let name = account.name.as_bytes();
        one(account, by_name.accounts.of(name), by_name.sessions.of(name), &seen)
    };
    desired.accounts.iter().map(of).collect()
}

/// What is looked up for each account.
struct Seen<'a> {
    settings: &'a Settings,
    /// The addresses that the isolation list holds, whatever put them there.
    held: HashSet<&'a [u8]>,
    /// Entries that stay, by the mark they carry.
    marked: HashMap<Owner, Vec<&'a ListEntry>>,
    /// Whether sessions of the isolation profile join the list by it.
    joins: bool,
}

impl<'a> Seen<'a> {
    fn of(actual: &'a Actual, settings: &'a Settings) -> Seen<'a> {
        let list = settings.isolation_list.as_bytes();
        let profile = actual.groups.iter().find(|group| group.name == settings.isolation_profile.as_bytes());
        let joins = profile.is_some_and(|group| group.comment.is_some() && group.address_list.as_deref() == Some(list));
        let mut seen = Seen { settings, held: HashSet::default(), marked: HashMap::default(), joins };
        for entry in actual.entries.iter().filter(|entry| !entry.disabled) {
            seen.held.insert(bare(&entry.address));
            if let (Some(mark), false) = (Mark::split(&entry.comment).0, entry.dynamic) {
                seen.marked.entry(mark.owner).or_default().push(entry);
            }
        }
        seen
    }

    fn holds(&self, address: Option<&[u8]>) -> bool {
        address.is_some_and(|address| self.held.contains(bare(address)))
    }

    /// Whether a session of the isolation profile runs outside the list that the profile gives.
    fn outside_its_list(&self, running: &[&ActualSession]) -> bool {
        let mut on_line = running.iter().filter(|session| session.address.is_some());
        self.joins && on_line.any(|session| !self.holds(session.address.as_deref()))
    }

    /// Whether the isolation list holds an address of the line.
    fn shut_in(&self, found: &ActualAccount, running: &[&ActualSession]) -> bool {
        let sessions = running.iter().map(|session| session.address.as_deref());
        sessions.chain([found.remote_address.as_deref()]).any(|address| self.holds(address))
    }
}

/// A session that runs under old terms allows neither the old nor the new for sure.
fn one(
    account: &DesiredAccount,
    found: &[&ActualAccount],
    running: &[&ActualSession],
    seen: &Seen<'_>,
) -> (Option<Access>, String) {
    let settings = seen.settings;
    let [found] = found else {
        return match (found.len(), account.access) {
            (0, Access::Closed) if !running.is_empty() => (None, "no account, and a session still runs".to_owned()),
            (0, Access::Closed) => (Some(Access::Closed), "no account".to_owned()),
            (0, _) => (None, "no account".to_owned()),
            (count, _) => (None, format!("{count} accounts of that name")),
        };
    };
    let online = !running.is_empty();
    let profile = settings.code_page.decode(&found.profile);
    let now = if online { "online" } else { "offline" };
    let mark = Mark::split(&found.comment).0;
    let switched_off = mark.as_ref().is_some_and(|mark| mark.isolated);
    match mark {
        None => return (None, format!("not ours, profile {profile}")),
        Some(mark) if mark.owner != account.owner => return (None, "of another subscription".to_owned()),
        Some(mark) if mark.kick && online => {
            return (None, format!("profile {profile}, the session still has its old terms"));
        }
        Some(_) => {}
    }
    let by_profile = matches!(account.strategy, Strategy::Profile | Strategy::Hotspot);
    match found.disabled {
        true if online => (None, "disabled, the session still runs".to_owned()),
        true => {
            let access = if switched_off { Access::Isolated } else { Access::Closed };
            (Some(access), "account disabled".to_owned())
        }
        false if by_profile && found.profile == settings.isolation_profile.as_bytes() => match &found.remote_address {
            Some(_) => (None, format!("profile {profile}, but a fixed address")),
            None if seen.outside_its_list(running) => {
                (None, format!("profile {profile}, the session is not in list {}", settings.isolation_list))
            }
            None => (Some(Access::Isolated), format!("profile {profile}, {now}")),
        },
        false if found.profile != account.group.as_bytes() => (None, format!("profile {profile}, {now}")),
        false if account.strategy != Strategy::AddressList => match seen.shut_in(found, running) {
            true => (None, format!("profile {profile}, in list {}", settings.isolation_list)),
            false => (Some(Access::Open), format!("profile {profile}, {now}")),
        },
        false => listed(account, found, running, seen),
    }
}

/// A line that is isolated by an entry for its address.
fn listed(
    account: &DesiredAccount,
    found: &ActualAccount,
    running: &[&ActualSession],
    seen: &Seen<'_>,
) -> (Option<Access>, String) {
    let settings = seen.settings;
    let ours = seen.marked.get(&account.owner).map(Vec::as_slice).unwrap_or_default();
    let here = |entry: &ListEntry| Some(bare(&entry.address)) == found.remote_address.as_deref();
    let elsewhere = running.iter().any(|session| session.address != found.remote_address);
    match ours {
        [] if seen.shut_in(found, running) => match found.remote_address.as_deref() {
            Some(address) if seen.holds(Some(address)) && !elsewhere => {
                (Some(Access::Isolated), format!("in list {}, by an entry without our mark", settings.isolation_list))
            }
            _ => (None, format!("in list {} with another address than it has", settings.isolation_list)),
        },
        [] => (Some(Access::Open), format!("not in list {}", settings.isolation_list)),
        [entry] if here(entry) && !elsewhere => {
            (Some(Access::Isolated), format!("in list {}", settings.isolation_list))
        }
        _ => (None, format!("in list {} with another address than it has", settings.isolation_list)),
    }
}
