//! What an account allows now, as far as reading tells.

use std::collections::HashMap;

use isp_core::isolation::Access;

use super::settings::Settings;
use crate::mark::Mark;
use crate::reconcile::{Actual, ActualAccount, ActualSession, Desired, DesiredAccount, Strategy};

/// One verdict for each desired account, with the router's words. `None`: neither of the three for sure.
pub(super) fn all(desired: &Desired, actual: &Actual, settings: &Settings) -> Vec<(Option<Access>, String)> {
    let mut accounts: HashMap<&[u8], Vec<&ActualAccount>> = HashMap::new();
    for account in &actual.accounts {
        accounts.entry(account.name.as_slice()).or_default().push(account);
    }
    let mut sessions: HashMap<&[u8], Vec<&ActualSession>> = HashMap::new();
    for session in &actual.sessions {
        sessions.entry(session.name.as_slice()).or_default().push(session);
    }
    let of = |account: &DesiredAccount| {
        let found = accounts.get(account.name.as_bytes()).map(Vec::as_slice).unwrap_or_default();
        let running = sessions.get(account.name.as_bytes()).map(Vec::as_slice).unwrap_or_default();
        one(account, found, running, actual, settings)
    };
    desired.accounts.iter().map(of).collect()
}

/// A session that runs under old terms allows neither the old nor the new for sure.
fn one(
    account: &DesiredAccount,
    found: &[&ActualAccount],
    running: &[&ActualSession],
    actual: &Actual,
    settings: &Settings,
) -> (Option<Access>, String) {
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
            None if outside_its_list(running, actual, settings) => {
                (None, format!("profile {profile}, the session is not in list {}", settings.isolation_list))
            }
            None => (Some(Access::Isolated), format!("profile {profile}, {now}")),
        },
        false if found.profile != account.group.as_bytes() => (None, format!("profile {profile}, {now}")),
        false if account.strategy != Strategy::AddressList => match shut_in(found, running, actual) {
            true => (None, format!("profile {profile}, in list {}", settings.isolation_list)),
            false => (Some(Access::Open), format!("profile {profile}, {now}")),
        },
        false => listed(account, found, running, actual, settings),
    }
}

/// Whether a session of the isolation profile runs outside the list that the profile gives.
fn outside_its_list(running: &[&ActualSession], actual: &Actual, settings: &Settings) -> bool {
    let list = settings.isolation_list.as_bytes();
    let profile = actual.groups.iter().find(|group| group.name == settings.isolation_profile.as_bytes());
    let joins = profile.is_some_and(|group| group.comment.is_some() && group.address_list.as_deref() == Some(list));
    let address = |session: &&&ActualSession| session.address.is_some();
    joins && running.iter().filter(address).any(|session| !holds(actual, session.address.as_deref()))
}

/// Whether the isolation list holds an address of the line, whatever put it there.
fn shut_in(found: &ActualAccount, running: &[&ActualSession], actual: &Actual) -> bool {
    let addresses = running.iter().map(|session| session.address.as_deref()).chain([found.remote_address.as_deref()]);
    addresses.into_iter().any(|address| holds(actual, address))
}

fn holds(actual: &Actual, address: Option<&[u8]>) -> bool {
    let bare = |address: &[u8]| address.strip_suffix(b"/32").unwrap_or(address).to_vec();
    let Some(address) = address.map(bare) else { return false };
    actual.entries.iter().any(|entry| !entry.disabled && bare(&entry.address) == address)
}

/// A line that is isolated by an entry for its address.
fn listed(
    account: &DesiredAccount,
    found: &ActualAccount,
    running: &[&ActualSession],
    actual: &Actual,
    settings: &Settings,
) -> (Option<Access>, String) {
    let ours = actual.entries.iter().filter(|entry| !entry.disabled && !entry.dynamic);
    let ours: Vec<_> =
        ours.filter(|entry| Mark::split(&entry.comment).0.is_some_and(|mark| mark.owner == account.owner)).collect();
    let bare = |address: &[u8]| address.strip_suffix(b"/32").unwrap_or(address).to_vec();
    let here = |entry: &crate::menu::address_list::ListEntry| Some(bare(&entry.address)) == found.remote_address;
    let elsewhere = running.iter().any(|session| session.address != found.remote_address);
    match ours.as_slice() {
        [] if shut_in(found, running, actual) => match found.remote_address.as_deref() {
            Some(address) if holds(actual, Some(address)) && !elsewhere => {
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
