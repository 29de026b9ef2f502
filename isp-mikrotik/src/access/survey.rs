//! A whole router beside all that it should have.

use isp_core::ids::SubscriptionId;
use isp_core::isolation::survey::{LeftAccount, RouterFinding, Sighting, Survey};
use isp_core::isolation::{Access, AccessTarget};
use isp_core::subscription::Service as LineService;
use isp_core::text::RouterName;

use super::judge;
use super::settings::Settings;
use crate::hash::{HashMap, HashSet};
use crate::mark::{Mark, Owner};
use crate::reconcile::{
    AccountStep, Action, Actual, ActualAccount, ByName, Desired, DesiredAccount, Drift, FieldChange, Finding,
    GroupAction, GroupStep, Object, Plan, Service,
};

/// One service of a router, read whole.
pub(super) struct Part<'a> {
    pub(super) desired: &'a Desired,
    /// The places of its accounts among the targets.
    pub(super) places: &'a [usize],
    pub(super) actual: &'a Actual,
    pub(super) by_name: &'a ByName<'a>,
    pub(super) plan: &'a Plan,
}

impl Part<'_> {
    fn wants(&self, name: &[u8]) -> bool {
        !self.by_name.wanted.of(name).is_empty()
    }
}

/// What was read, said in the words of the engine. The flag tells whether a line has an account that lets somebody in
/// in a service that the line does not use.
pub(super) fn survey(
    parts: &[Part<'_>],
    targets: &[AccessTarget],
    radius: bool,
    settings: &Settings,
) -> (Survey, bool) {
    let marks = Marks::of(parts, radius);
    let mut placed: Vec<(usize, Sighting)> = Vec::with_capacity(targets.len());
    let mut findings: Vec<RouterFinding> = Vec::new();
    let mut elsewhere = false;
    for part in parts {
        let groups: HashMap<&str, &GroupStep> =
            part.plan.groups.iter().map(|step| (step.name.as_str(), step)).collect();
        let by_name = part.by_name;
        let seen = judge::all(part.desired, part.actual, by_name, settings);
        let rows = part.desired.accounts.iter().zip(&part.plan.accounts).zip(seen).zip(part.places);
        for (((account, step), seen), place) in rows {
            let was_disabled = by_name.accounts.of(account.name.as_bytes()).last().map(|found| found.disabled);
            let mut line = sighting(account, step, groups.get(account.profile.as_str()).copied(), seen, was_disabled);
            if marks.lets_in_elsewhere(account, part.desired.service) {
                elsewhere = true;
                line.as_wanted = false;
                line.cuts |= account.access != Access::Open;
                if account.access != Access::Open {
                    line.access = Some(Access::Open);
                }
                line.answer = format!("{}, and an account of another service lets it in", line.answer);
            }
            placed.push((*place, line));
        }
        findings.extend(part.plan.drift.iter().map(finding));
        findings.extend(part.plan.groups.iter().filter_map(foreign));
        findings.extend(homeless(part));
    }
    placed.sort_by_key(|(place, _)| *place);
    let lines = placed.into_iter().map(|(_, line)| line).collect();
    let left = marks.left(targets);
    let named: HashSet<&str> = left.iter().map(|left| left.username.as_str()).collect();
    findings.retain(|finding| finding.code != Finding::StrayAccount.code() || !named.contains(finding.name.as_str()));
    if radius {
        findings.push(finding(&radius_drift()));
    }
    (Survey { lines, left, findings }, elsewhere)
}

fn sighting(
    account: &DesiredAccount,
    step: &AccountStep,
    group: Option<&GroupStep>,
    (access, words): (Option<Access>, String),
    was_disabled: Option<bool>,
) -> Sighting {
    if let Some(conflict) = step.conflict() {
        let answer = format!("{}: {}", conflict.code, conflict.reason);
        return Sighting { access, as_wanted: false, cuts: false, refused: Some(conflict.code), answer };
    }
    // A profile of the owner's with other terms is told for itself; it cannot be brought back.
    let terms = group.filter(|_| !account.disabled()).and_then(|group| match &group.action {
        GroupAction::Create { .. } => Some(format!("no profile {}", group.name)),
        GroupAction::Change { fields, .. } => Some(format!("profile {}: {}", group.name, changes(fields))),
        GroupAction::Keep if group.kick => Some(format!("sessions under older terms of profile {}", group.name)),
        GroupAction::Keep | GroupAction::Conflict(_) => None,
    });
    let own = match &step.action {
        Action::Change { fields, .. } => Some(changes(fields)),
        Action::Create { .. } => Some("no account".to_owned()),
        _ if !step.entries.is_empty() => Some("the isolation list".to_owned()),
        _ if !step.kick.is_empty() => Some("the session has other terms".to_owned()),
        _ => None,
    };
    let closes = account.access == Access::Closed && was_disabled == Some(false);
    let answer = match (&own, &terms) {
        (None, None) => words,
        (Some(what), _) | (None, Some(what)) => format!("{words}; differs: {what}"),
    };
    Sighting {
        access,
        as_wanted: own.is_none() && terms.is_none(),
        cuts: step.isolates || closes,
        refused: None,
        answer,
    }
}

fn changes(fields: &[FieldChange]) -> String {
    let words: Vec<String> = fields.iter().map(|f| format!("{} {} -> {}", f.field, f.old, f.new)).collect();
    words.join(", ")
}

pub(super) fn finding(drift: &Drift) -> RouterFinding {
    RouterFinding { name: drift.name.clone(), code: drift.code, what: drift.what.clone() }
}

/// A profile that is not as its package says, and is not ours to change.
fn foreign(step: &GroupStep) -> Option<RouterFinding> {
    let GroupAction::Conflict(conflict) = &step.action else { return None };
    Some(RouterFinding { name: step.name.clone(), code: conflict.code, what: conflict.reason.clone() })
}

/// Sessions that run without an address, together.
fn homeless(part: &Part<'_>) -> Option<RouterFinding> {
    let without = part.actual.sessions.iter().filter(|session| session.address.is_none());
    let mut names: Vec<&str> = without.filter_map(|session| std::str::from_utf8(&session.name).ok()).collect();
    if !names.is_empty() {
        names.retain(|name| part.wants(name.as_bytes()));
    }
    let first = *names.first()?;
    let what = format!("on line without an address, {} lines in all; has the profile a pool?", names.len());
    Some(RouterFinding { name: first.to_owned(), code: Finding::NoAddress.code(), what })
}

/// Accounts that carry our mark and let somebody in, and that their own service does not want by that name, or another
/// one wants too; by whose they are.
struct Marks<'a> {
    by_owner: HashMap<Owner, Vec<(Service, &'a ActualAccount)>>,
    parts: &'a [Part<'a>],
    /// Sessions under names that another service wants, whose own accounts are gone.
    orphans: HashSet<(Service, &'a [u8])>,
}

impl<'a> Marks<'a> {
    fn of(parts: &'a [Part<'a>], radius: bool) -> Marks<'a> {
        let mut by_owner: HashMap<Owner, Vec<(Service, &ActualAccount)>> = HashMap::default();
        for (at, part) in parts.iter().enumerate() {
            let usual = |name: &[u8]| parts.iter().enumerate().all(|(of, part)| part.wants(name) == (of == at));
            let mut others: Vec<&ActualAccount> =
                part.actual.accounts.iter().filter(|found| !usual(&found.name)).collect();
            if others.iter().any(|found| found.disabled) {
                let online: HashSet<&[u8]> = part.actual.sessions.iter().map(|session| &*session.name).collect();
                others.retain(|found| !found.disabled || online.contains(&*found.name));
            }
            for found in others {
                if let Some(mark) = Mark::split(&found.comment).0 {
                    by_owner.entry(mark.owner).or_default().push((part.desired.service, found));
                }
            }
        }
        let mut orphans = HashSet::default();
        for (at, part) in parts.iter().enumerate().filter(|(_, part)| part.desired.has_orphans() && !radius) {
            let elsewhere = |name: &[u8]| parts.iter().enumerate().any(|(of, part)| of != at && part.wants(name));
            let names = part.actual.sessions.iter().map(|session| &*session.name);
            let mut names: HashSet<&[u8]> = names.filter(|name| elsewhere(name)).collect();
            if !names.is_empty() {
                part.actual.accounts.iter().for_each(|found| {
                    names.remove(&*found.name);
                });
            }
            orphans.extend(names.into_iter().map(|name| (part.desired.service, name)));
        }
        Marks { by_owner, parts, orphans }
    }

    fn lets_in_elsewhere(&self, account: &DesiredAccount, service: Service) -> bool {
        let owners = std::iter::once(&account.owner).chain(&account.succeeds);
        owners
            .filter_map(|owner| self.by_owner.get(owner))
            .flatten()
            .any(|(other, found)| *other != service && found.name == account.name.as_bytes())
            || self.orphans.iter().any(|(other, name)| *other != service && *name == account.name.as_bytes())
    }

    /// Accounts under other names than their lines have.
    fn left(&self, targets: &[AccessTarget]) -> Vec<LeftAccount> {
        if self.by_owner.is_empty() {
            return Vec::new();
        }
        let wanted = |name: &str| self.parts.iter().any(|part| part.wants(name.as_bytes()));
        let line = |id: SubscriptionId| (Owner::of(id), id);
        let lines: HashMap<Owner, SubscriptionId> = targets.iter().map(|target| line(target.subscription_id)).collect();
        let mut left = Vec::new();
        for (owner, found) in &self.by_owner {
            let Some(id) = lines.get(owner) else { continue };
            for (service, found) in found {
                let Ok(name) = std::str::from_utf8(&found.name) else { continue };
                let code = RouterName::parse("username", name).ok().filter(|code| code.as_str() == name);
                if let (Some(username), false) = (code, wanted(name)) {
                    let service = match service {
                        Service::Ppp => LineService::Pppoe,
                        Service::Hotspot => LineService::Hotspot,
                    };
                    left.push(LeftAccount { subscription_id: *id, username, service });
                }
            }
        }
        left.sort();
        left.dedup();
        left
    }
}

/// That closing an account here may not be enough.
pub(super) fn radius_drift() -> Drift {
    let what = "use-radius is on: an account that is closed here may still be let in by a RADIUS server".to_owned();
    Drift { object: Object::Router, name: String::new(), code: Finding::Radius.code(), what }
}
