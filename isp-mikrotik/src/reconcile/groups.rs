//! The comparison of profiles.

use super::actual::ActualGroup;
use super::desired::{Desired, DesiredGroup};
use super::finding::Finding;
use super::index::Index;
use super::plan::{Conflict, FieldChange, GroupAction, GroupStep};
use super::strategy::Service;
use crate::mark::GroupMark;
use crate::menu::ItemId;
use crate::menu::ppp::profile::Terms;
use crate::menu::rate::RateLimit;
use crate::text::shown;

pub(super) fn step(desired: &Desired, group: &DesiredGroup, groups: &Index<'_, ActualGroup>) -> GroupStep {
    let found = groups.of(group.name.as_bytes());
    let action = match found {
        [] => GroupAction::Create { terms: group.terms(desired.service) },
        [profile] => compare(group, profile, desired.service),
        _ => GroupAction::Conflict(Conflict {
            code: Finding::ProfileTwins.code(),
            reason: format!("more than one profile is named {}", group.name),
        }),
    };
    let kick = matches!(found, [profile] if owed(profile)) || matches!(action, GroupAction::Change { .. });
    GroupStep { name: group.name.clone(), action, kick }
}

/// Whether sessions may still run under terms that this profile had before.
fn owed(profile: &ActualGroup) -> bool {
    let comment = profile.comment.as_deref().unwrap_or_default();
    GroupMark::split(comment).0.is_some_and(|mark| mark.kick)
}

fn compare(group: &DesiredGroup, profile: &ActualGroup, service: Service) -> GroupAction {
    let mut terms = Terms::default();
    let mut fields = Vec::new();
    let mut change = |field, old: &Option<Vec<u8>>, new: &str| {
        fields.push(FieldChange { field, old: shown(old.as_deref().unwrap_or_default()), new: new.to_owned() });
    };
    if !same_rate(profile.rate_limit.as_deref(), &group.rate_limit) {
        change("rate-limit", &profile.rate_limit, &group.rate_limit);
        terms.rate_limit = Some(group.rate_limit.clone());
    }
    if let Some(list) = &group.address_list
        && profile.address_list.as_deref() != Some(list.as_bytes())
    {
        change("address-list", &profile.address_list, list);
        terms.address_list = Some(list.clone());
    }
    let ours = GroupMark::split(profile.comment.as_deref().unwrap_or_default()).0.is_some();
    if let (true, Some(address)) = (ours, &group.local_address)
        && profile.local_address.is_none()
    {
        change("local-address", &None, address);
        terms.local_address = Some(address.clone());
    }
    if let (true, Some(pool)) = (ours, &group.remote_address)
        && profile.remote_address.as_deref().is_none_or(is_gone)
    {
        change("remote-address", &profile.remote_address, pool);
        terms.remote_address = Some(pool.clone());
    }
    if terms.is_empty() {
        return GroupAction::Keep;
    }
    let (mark, human) = GroupMark::split(profile.comment.as_deref().unwrap_or_default());
    if mark.is_none() && group.isolates && isolates_by_itself(group, profile) {
        return GroupAction::Keep;
    }
    if mark.is_none() {
        let differs: Vec<_> = fields.iter().map(|field| format!("{} is {}", field.field, field.old)).collect();
        let why = match service {
            Service::Ppp => "does not carry our mark",
            Service::Hotspot => "cannot carry our mark (hotspot profiles have no comment)",
        };
        return GroupAction::Conflict(Conflict {
            code: Finding::ProfileNotOurs.code(),
            reason: format!("profile {} {why} and differs: {}", group.name, differs.join(", ")),
        });
    }
    let comment = GroupMark { kick: true }.comment(human);
    GroupAction::Change { id: profile.id.clone(), terms, comment, fields }
}

/// Whether an owner's own isolation profile shuts its sessions in: by a list, a rate or the pool of isolated lines.
/// What the firewall does with them is the owner's.
pub(super) fn isolates_by_itself(group: &DesiredGroup, profile: &ActualGroup) -> bool {
    let pool = group.remote_address.as_ref().map(String::as_bytes);
    profile.address_list.is_some()
        || profile.rate_limit.is_some()
        || (pool.is_some() && profile.remote_address.as_deref() == pool)
}

/// Whether what a profile names was deleted: RouterOS then shows its number.
pub(super) fn is_gone(name: &[u8]) -> bool {
    ItemId::parse(name).is_some()
}

fn same_rate(actual: Option<&[u8]>, wanted: &str) -> bool {
    let Some(actual) = actual else { return wanted.is_empty() };
    if actual == wanted.as_bytes() {
        return true;
    }
    let limit = RateLimit::parse(actual);
    limit.is_some() && limit == RateLimit::parse(wanted.as_bytes())
}
