//! Desired against actual.

use serde::Serialize;

use super::actual::{ActualFamily, ActualRedirect};
use super::arrange::arrange;
use super::desired::{DesiredFamily, DesiredRedirect, Family, Role, bare};
use super::foreign::{bypass, cuts};
use super::step::{RedirectAction, RedirectStep, Why};
use crate::mark::{GroupMark, RedirectMark};
use crate::menu::address_list::ListEntry;
use crate::menu::pool;
use crate::menu::ppp::profile;
use crate::reconcile::{Drift, FieldChange, Finding, Object};
use crate::text::shown;

/// What stands between a router and the way to the page for paying.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct RedirectPlan {
    /// What is done, in this order: the pool, lists, NAT, filter, and last what is removed. Within a menu what opens comes
    /// before what shuts, so that whoever is cut off in between has too much rather than nothing.
    pub steps: Vec<RedirectStep>,
    /// What only a person can mend.
    pub findings: Vec<Drift>,
}

/// Compares what a router has with what it should have.
pub fn redirect_plan(desired: &DesiredRedirect, actual: &ActualRedirect) -> RedirectPlan {
    let mut plan = RedirectPlan::default();
    pools(desired, actual, &mut plan);
    plan.steps.extend(profile_dns(desired, actual));
    let (mut entries, mut nat, mut filter, mut last) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for family in Family::ALL {
        let (wanted, found) = (desired.family(family), actual.family(family));
        lacks(family, wanted, found, &mut plan.findings);
        let [lists, nat_menu, filter_menu] = family.menus();
        let arranged_filter =
            arrange(filter_menu, family, rules(&found.filter), wanted_in(&found.filter, &wanted.filter));
        let arranged_nat = arrange(nat_menu, family, rules(&found.nat), wanted_in(&found.nat, &wanted.nat));
        let (added, gone) = listed(lists, family, desired, wanted, found);
        entries.extend(added);
        nat.extend(arranged_nat.steps);
        filter.extend(arranged_filter.steps);
        last.extend(arranged_filter.removals.into_iter().chain(arranged_nat.removals).chain(gone));
        if let Some((at, rule)) = bypass(rules(&found.filter), &desired.isolation_list).filter(|_| !wanted.is_empty()) {
            let what = format!(
                "the rule \"{at}\" of \"{filter_menu}\" ({}) stands above ours and accepts all that isolated lines forward; \
                 move it down, or narrow it",
                if rule.comment.is_empty() { "without comment".to_owned() } else { shown(&rule.comment) },
            );
            plan.findings.push(told(Finding::RedirectBypassed, what));
        }
        tell_cuts(family, wanted, found, &desired.isolation_list, &mut plan.findings);
    }
    plan.steps.extend(entries.into_iter().chain(nat).chain(filter).chain(last));
    plan
}

/// Tells of the first rule of somebody's own in each menu that keeps isolated lines from the page, where the family has one.
fn tell_cuts(family: Family, wanted: &DesiredFamily, found: &ActualFamily, list: &str, findings: &mut Vec<Drift>) {
    let [_, nat, filter] = family.menus();
    let page = wanted.nat.iter().find_map(|rule| rule.value("to-ports").parse().ok());
    let Some(page) = page else { return };
    for (menu, rows) in [(nat, rules(&found.nat)), (filter, rules(&found.filter))] {
        if let Some((at, rule)) = cuts(rows, list, page) {
            let what = format!(
                "the rule \"{at}\" of \"{menu}\" with the comment \"{}\" stands above ours and keeps isolated lines from the page \
                 for paying; move it down, or narrow it",
                shown(&rule.comment).replace('"', "'"),
            );
            findings.push(told(Finding::RedirectCut, what));
        }
    }
}

/// What is wanted of a menu that is there.
fn wanted_in<'a, T, U>(menu: &Option<Vec<T>>, wanted: &'a [U]) -> &'a [U] {
    if menu.is_some() { wanted } else { &[] }
}

fn rules<T>(menu: &Option<Vec<T>>) -> &[T] {
    menu.as_deref().unwrap_or_default()
}

/// Tells of menus that the router does not have.
fn lacks(family: Family, wanted: &DesiredFamily, found: &ActualFamily, findings: &mut Vec<Drift>) {
    let [lists, nat, filter] = family.menus();
    let missing = [
        (lists, found.entries.is_none() && !wanted.entries.is_empty()),
        (nat, found.nat.is_none() && !wanted.nat.is_empty()),
        (filter, found.filter.is_none() && !wanted.filter.is_empty()),
    ];
    let missing: Vec<&str> = missing.iter().filter(|(_, missing)| *missing).map(|(menu, _)| *menu).collect();
    if !missing.is_empty() {
        let what = format!(
            "this RouterOS has no \"{}\", so that nothing of it is written; IPv6 NAT is there since RouterOS 7, and all of \
             IPv6 only with its package",
            missing.join(", ")
        );
        findings.push(told(Finding::RedirectLacks, what));
    }
}

pub(super) fn told(finding: Finding, what: String) -> Drift {
    Drift { object: Object::Router, name: String::new(), code: finding.code(), what }
}

/// The pool: made when it is not there, changed when it is ours. It stays when the redirect is switched off, since sessions
/// may have addresses of it.
fn pools(desired: &DesiredRedirect, actual: &ActualRedirect, plan: &mut RedirectPlan) {
    let Some(wanted) = &desired.pool else { return };
    let step = |action| RedirectStep {
        menu: pool::MENU,
        name: wanted.name.clone(),
        family: Family::V4,
        role: Role::Opens,
        action,
    };
    let found = actual.pools.iter().find(|pool| pool.name == wanted.name.as_bytes());
    let Some(found) = found else {
        plan.steps.push(step(RedirectAction::Add {
            fields: vec![("name", wanted.name.clone()), ("ranges", wanted.ranges.clone())],
            comment: RedirectMark { slot: "pool" }.comment(),
            before: None,
        }));
        return;
    };
    if found.ranges == wanted.ranges.as_bytes() {
        return;
    }
    match RedirectMark::split(&found.comment).0 {
        Some(_) => plan.steps.push(step(RedirectAction::Change {
            id: found.id.clone(),
            fields: vec![FieldChange::of("ranges", &found.ranges, wanted.ranges.as_bytes())],
            set: vec![("ranges", wanted.ranges.clone())],
            unset: Vec::new(),
        })),
        None => {
            let what = format!(
                "the pool \"{}\" has the ranges \"{}\" and not \"{}\"; it does not carry our mark, so change it there",
                wanted.name,
                shown(&found.ranges),
                wanted.ranges
            );
            plan.findings.push(told(Finding::RedirectPool, what));
        }
    }
}

/// What the profile of isolated lines tells them, if it is ours. Nothing is taken away from it: sessions need a server.
fn profile_dns(desired: &DesiredRedirect, actual: &ActualRedirect) -> Option<RedirectStep> {
    let wanted = desired.dns.as_ref()?;
    let found = actual.profiles.iter().find(|found| found.name == wanted.profile.as_bytes())?;
    GroupMark::split(&found.comment).0?;
    (found.servers != wanted.servers.as_bytes()).then(|| RedirectStep {
        menu: profile::MENU,
        name: wanted.profile.clone(),
        family: Family::V4,
        role: Role::Opens,
        action: RedirectAction::Change {
            id: found.id.clone(),
            fields: vec![FieldChange::of("dns-server", &found.servers, wanted.servers.as_bytes())],
            set: vec![("dns-server", wanted.servers.clone())],
            unset: Vec::new(),
        },
    })
}

/// The entries that are made or switched on, and those that go.
fn listed(
    menu: &'static str,
    family: Family,
    desired: &DesiredRedirect,
    wanted: &DesiredFamily,
    found: &ActualFamily,
) -> (Vec<RedirectStep>, Vec<RedirectStep>) {
    let Some(found) = &found.entries else { return (Vec::new(), Vec::new()) };
    let step = |name: &str, role, action| RedirectStep { menu, name: name.to_owned(), family, role, action };
    let text = |entry: &ListEntry| bare(&String::from_utf8_lossy(&entry.address));
    let ours = |entry: &&ListEntry| !entry.dynamic && RedirectMark::split(&entry.comment).0.is_some();
    let (mut steps, mut used) = (Vec::new(), Vec::new());
    for (slot, address) in &wanted.entries {
        let role = if *slot == "portal" { Role::Needed } else { Role::Opens };
        let mut of_address = found.iter().filter(|entry| !entry.dynamic && text(entry) == bare(address));
        let own = of_address.clone().find(ours);
        // An entry of somebody's own does as well, and a second one would be refused.
        if own.is_none() && of_address.any(|entry| !entry.disabled) {
            continue;
        }
        match own {
            Some(entry) => {
                used.push(&entry.id);
                if entry.disabled && !found.iter().any(|other| !other.disabled && text(other) == bare(address)) {
                    steps.push(step(
                        address,
                        role,
                        RedirectAction::Change {
                            id: entry.id.clone(),
                            fields: vec![FieldChange::of("disabled", b"yes", b"no")],
                            set: Vec::new(),
                            unset: Vec::new(),
                        },
                    ));
                }
            }
            None => steps.push(step(
                address,
                role,
                RedirectAction::Add {
                    fields: vec![("list", desired.portal_list.clone()), ("address", address.clone())],
                    comment: RedirectMark { slot }.comment(),
                    before: None,
                },
            )),
        }
    }
    let spare = found.iter().filter(ours).filter(|entry| !used.contains(&&entry.id));
    let why = |entry: &ListEntry| {
        let wanted = wanted.entries.iter().any(|(_, address)| bare(address) == text(entry));
        if wanted { Why::Twice } else { Why::Unwanted }
    };
    let gone = spare.map(|entry| {
        let action = RedirectAction::Remove { id: entry.id.clone(), why: why(entry) };
        step(&text(entry), Role::Opens, action)
    });
    (steps, gone.collect())
}
