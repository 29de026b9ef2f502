//! What is only told: settings of the router under which somebody cannot get on line, although nothing is ours to change.

use super::actual::{ActualAccount, ActualGroup};
use super::desired::{Desired, DesiredGroup};
use super::finding::Finding;
use super::groups::is_gone;
use super::index::Index;
use super::plan::{Drift, GroupAction, GroupStep, Object};
use super::strategy::Service;
use crate::text::shown;

/// Profiles whose sessions get no address. Those of accounts that all have fixed ones need no pool.
pub(super) fn profiles(
    desired: &Desired,
    steps: &[GroupStep],
    profiles: &Index<'_, ActualGroup>,
    accounts: &Index<'_, ActualAccount>,
) -> Vec<Drift> {
    if desired.service != Service::Ppp {
        return Vec::new();
    }
    let mut drift = Vec::new();
    for (group, step) in desired.groups.iter().zip(steps) {
        let found = match profiles.of(group.name.as_bytes()) {
            [one] => Some(*one),
            _ => None,
        };
        let mut tell = |finding: Finding, what: String| {
            drift.push(Drift { object: Object::Profile, name: group.name.clone(), code: finding.code(), what });
        };
        let written =
            |terms: &crate::menu::ppp::profile::Terms| (terms.local_address.clone(), terms.remote_address.clone());
        let (local, remote) = match &step.action {
            GroupAction::Create { terms } | GroupAction::Change { terms, .. } => written(terms),
            _ => (None, None),
        };
        let setting = if group.isolates { "mikrotik.isolation_pool (or mikrotik.pool)" } else { "mikrotik.pool" };
        match found.and_then(|found| found.remote_address.as_deref()) {
            _ if remote.is_some() => {}
            Some(pool) if is_gone(pool) => tell(
                Finding::PoolGone,
                format!(
                    "its pool {} was deleted, so that nobody gets an address; {}",
                    shown(pool),
                    remedy(group, found, setting)
                ),
            ),
            None if needs_pool(desired, group, accounts) => tell(
                Finding::ProfileNoPool,
                format!(
                    "it has no pool (remote-address), so that nobody gets an address; {}",
                    remedy(group, found, setting)
                ),
            ),
            _ => {}
        }
        if local.is_none() && found.is_none_or(|found| found.local_address.is_none()) {
            let remedy = remedy(group, found, "mikrotik.local_address");
            tell(Finding::ProfileNoLocalAddress, format!("it has no local-address of the router; {remedy}"));
        }
    }
    drift
}

fn remedy(group: &DesiredGroup, found: Option<&ActualGroup>, setting: &str) -> String {
    let named = if setting.contains("local") { group.local_address.is_some() } else { group.remote_address.is_some() };
    match found {
        // A profile of the owner's is not changed, whatever the settings say.
        Some(_) if named => "the profile is not ours, so set it there".to_owned(),
        _ => format!("set {setting}"),
    }
}

/// Whether an account of this profile has no fixed address.
fn needs_pool(desired: &Desired, group: &DesiredGroup, accounts: &Index<'_, ActualAccount>) -> bool {
    desired.accounts.iter().filter(|account| account.profile == group.name).any(|account| {
        match accounts.of(account.name.as_bytes()) {
            [found] => found.remote_address.is_none(),
            _ => true,
        }
    })
}

/// What keeps the box of one account from logging in.
pub(super) fn account(found: &ActualAccount, tell: &mut impl FnMut(&'static str, String)) {
    if !matches!(&*found.service, b"" | b"any" | b"pppoe") {
        let what = format!("its service is {}, so that it cannot log in by PPPoE", shown(&found.service));
        tell(Finding::OtherService.code(), what);
    }
    if let Some(device) = &found.caller_id {
        let what = format!("only the device {} may log in (caller-id); a replaced one cannot", shown(device));
        tell(Finding::CallerId.code(), what);
    }
}
