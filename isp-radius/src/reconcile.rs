//! What the tables should say of a line, beside what they say. Pure: rows in, rows out.

use std::collections::{BTreeMap, BTreeSet};

use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::UserGroup;
use isp_core::subscription::Service;
use uuid::Uuid;

use crate::problem::Problem;
use crate::settings::Settings;

/// Attributes of `radcheck` by which a user gets in or not. Others, such as `Simultaneous-Use`, are left as they are.
/// In small letters: FreeRADIUS reads names of attributes in any.
pub(crate) const CHECKS: [&str; 5] = ["cleartext-password", "auth-type", "expiration", "user-password", "nt-password"];
/// Attributes of `radreply` that would stand beside those of the group, and so lead a payer to the page, or free an isolated line.
pub(crate) const REPLIES: [&str; 4] = ["mikrotik-rate-limit", "mikrotik-address-list", "mikrotik-group", "framed-pool"];

const PASSWORD: &str = "Cleartext-Password";
const AUTH_TYPE: &str = "Auth-Type";

/// An attribute with its operator and value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) attribute: String,
    pub(crate) op: String,
    pub(crate) value: String,
}

impl Pair {
    fn set(attribute: &str, value: impl Into<String>) -> Self {
        Self { attribute: attribute.to_owned(), op: ":=".to_owned(), value: value.into() }
    }
}

/// Whose a user is, by our own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) subscription: Uuid,
    /// The router that it was last written for: the same tables serve several.
    pub(crate) router: Uuid,
    /// True while a session may run under terms that the tables no longer have.
    pub(crate) owed: bool,
    /// Rises with each change of the row.
    pub(crate) stamp: i64,
}

/// All that the tables say of a user.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    pub(crate) owner: Option<Owner>,
    /// Rows of `radcheck` among [`CHECKS`].
    pub(crate) checks: Vec<Pair>,
    /// Groups.
    pub(crate) groups: Vec<String>,
    /// How many rows of `radreply` there are among [`REPLIES`].
    pub(crate) replies: usize,
    /// True when there is any row at all.
    pub(crate) there: bool,
}

/// What a user's rows are to be.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) checks: Vec<Pair>,
    pub(crate) group: Option<String>,
}

/// What is to be done about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: the tables say it.
    Keep,
    /// The rows are written.
    Write,
    /// The line serves on another router under this name, so the rows stay; only its session here ends.
    MovedAway,
    /// It cannot be.
    Refuse(Problem),
}

/// The group rows that a package is to have.
pub(crate) fn package_group(group: &UserGroup, settings: &Settings) -> (String, Vec<Pair>) {
    let mut pairs = vec![Pair::set("Mikrotik-Rate-Limit", group.speed.rate_limit())];
    pairs.extend(settings.pool.iter().map(|pool| Pair::set("Framed-Pool", pool)));
    pairs.sort();
    (settings.group(group.name.as_str()), pairs)
}

/// Those of isolated lines.
pub(crate) fn isolation_group(settings: &Settings) -> (String, Vec<Pair>) {
    let mut pairs = vec![Pair::set("Mikrotik-Address-List", &settings.isolation_list)];
    pairs.extend(settings.isolation_rate.iter().map(|rate| Pair::set("Mikrotik-Rate-Limit", rate)));
    pairs.extend(settings.isolation_pool.iter().map(|pool| Pair::set("Framed-Pool", pool)));
    pairs.sort();
    (settings.isolated(), pairs)
}

/// Groups of packages with other terms in one group, or that the database takes for one although they are written differently.
/// Their rows stay as they are, since each writing of one package would end the sessions of the other.
pub(crate) fn ambiguous(
    targets: &[AccessTarget],
    settings: &Settings,
    folded: impl Fn(&str) -> String,
) -> BTreeSet<String> {
    let mut known = BTreeMap::new();
    let mut ambiguous = BTreeSet::new();
    for (group, pairs) in targets.iter().map(|target| package_group(&target.group, settings)) {
        let (first, terms) = known.entry(folded(&group)).or_insert_with(|| (group.clone(), pairs.clone()));
        if (&*first, &*terms) != (&group, &pairs) {
            ambiguous.extend([first.clone(), group]);
        }
    }
    ambiguous
}

/// All groups that these lines need, with their rows.
pub(crate) fn groups(targets: &[AccessTarget], settings: &Settings) -> BTreeMap<String, Vec<Pair>> {
    targets
        .iter()
        .filter_map(|target| match target.desired {
            Access::Open => Some(package_group(&target.group, settings)),
            Access::Isolated => Some(isolation_group(settings)),
            Access::Closed => None,
        })
        .collect()
}

/// What a line's rows are to be.
pub(crate) fn wanted(target: &AccessTarget, settings: &Settings) -> Wanted {
    let mut checks = vec![Pair::set(PASSWORD, target.account.password.reveal())];
    let group = match target.desired {
        Access::Open => Some(settings.group(target.group.name.as_str())),
        Access::Isolated => Some(settings.isolated()),
        Access::Closed => {
            checks.push(Pair::set(AUTH_TYPE, "Reject"));
            None
        }
    };
    checks.sort();
    Wanted { checks, group }
}

/// What is to be done about a line, given what the tables say of its user.
pub(crate) fn step(target: &AccessTarget, found: &Found, settings: &Settings) -> Step {
    if target.account.service != Service::Pppoe {
        let nothing = target.desired == Access::Closed && !found.there && found.owner.is_none();
        return if nothing { Step::Keep } else { Step::Refuse(Problem::Service) };
    }
    // Whoever pays would be led to the page.
    let isolated = settings.isolated();
    if target.desired == Access::Open && settings.group(target.group.name.as_str()).eq_ignore_ascii_case(&isolated) {
        return Step::Refuse(Problem::GroupOfIsolation);
    }
    match found.owner {
        Some(owner) if moved_away(owner, target) => return Step::MovedAway,
        Some(owner) if !is_of(owner, target) => {
            return Step::Refuse(Problem::AccountOfAnother);
        }
        None if found.there && !target.adopt => {
            return Step::Refuse(Problem::ForeignAccount);
        }
        // Nobody gets in without a row, so a closed line needs none.
        None if !found.there && target.desired == Access::Closed => return Step::Keep,
        _ => {}
    }
    let wanted = wanted(target, settings);
    let mut checks = found.checks.clone();
    checks.sort();
    let ours = |owner: Owner| (owner.subscription, owner.router) == (target.subscription_id.0, target.router_id.0);
    let same = found.owner.is_some_and(ours)
        && checks == wanted.checks
        && found.groups.iter().eq(wanted.group.as_ref())
        && found.replies == 0;
    if same { Step::Keep } else { Step::Write }
}

/// True when only the password differs: who is online stays so.
pub(crate) fn only_password(target: &AccessTarget, found: &Found, settings: &Settings) -> bool {
    let wanted = wanted(target, settings);
    let but = |pairs: &[Pair]| {
        let mut pairs: Vec<Pair> = pairs.iter().filter(|pair| pair.attribute != PASSWORD).cloned().collect();
        pairs.sort();
        pairs
    };
    found.owner.is_some_and(|owner| owner.router == target.router_id.0)
        && but(&found.checks) == but(&wanted.checks)
        && found.groups.iter().eq(wanted.group.as_ref())
        && found.replies == 0
}

/// What the tables allow a line of ours; `None` when it is not ours, or none of the three for sure. `isolates` is whether the
/// group of isolated lines has its rows.
pub(crate) fn access(target: &AccessTarget, found: &Found, isolates: bool, settings: &Settings) -> Option<Access> {
    let owner = found.owner.filter(|owner| is_of(*owner, target))?;
    if moved_away(owner, target) {
        return Some(Access::Closed);
    }
    // A session may still have what stood here before.
    if owner.owed || found.replies > 0 {
        return None;
    }
    let reject = Pair::set(AUTH_TYPE, "Reject");
    if found.checks.contains(&reject) {
        return Some(Access::Closed);
    }
    if !found.checks.iter().all(|pair| pair.attribute == PASSWORD) || found.checks.len() != 1 {
        return None;
    }
    match found.groups.as_slice() {
        [group] if *group == settings.isolated() => isolates.then_some(Access::Isolated),
        [group] if group.starts_with(&settings.group_prefix) => Some(Access::Open),
        _ => None,
    }
}

/// True for what a line left on one router, when it serves on another under the same name.
pub(crate) fn moved_away(owner: Owner, target: &AccessTarget) -> bool {
    target.left && owner.subscription == target.subscription_id.0 && owner.router != target.router_id.0
}

fn is_of(owner: Owner, target: &AccessTarget) -> bool {
    owner.subscription == target.subscription_id.0 || target.succeeds.iter().any(|id| id.0 == owner.subscription)
}
