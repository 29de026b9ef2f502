//! The comparison.

use std::collections::HashMap;

use isp_core::isolation::Access;

use super::desired::{Actual, Desired, DesiredAccount, DesiredGroup};
use super::plan::{AccountStep, Action, Conflict, FieldChange, GroupAction, GroupStep, Plan, RemoteAddress};
use crate::mark::{Mark, is_our_group};
use crate::menu::ItemId;
use crate::menu::ppp::profile::{Terms, rate_pair};
use crate::menu::ppp::{PppActive, PppProfile, PppSecret};
use crate::text::CodePage;

/// Compares. Takes time in proportion to the accounts on both sides.
pub fn plan(desired: &Desired, actual: &Actual) -> Plan {
    let profiles = by_name(&actual.profiles, |profile| &profile.name);
    let groups: Vec<_> = desired.groups.iter().map(|group| group_step(group, &profiles)).collect();
    let blocked: HashMap<&str, &Conflict> = groups
        .iter()
        .filter_map(|step| match &step.action {
            GroupAction::Conflict(conflict) => Some((step.name.as_str(), conflict)),
            _ => None,
        })
        .collect();
    let secrets = by_name(&actual.secrets, |secret| &secret.name);
    let sessions = by_name(&actual.sessions, |session| &session.name);
    let accounts = desired
        .accounts
        .iter()
        .map(|account| match blocked.get(account.profile.as_str()).filter(|_| account.access != Access::Closed) {
            Some(conflict) => conflict_step(account, conflict.code, conflict.reason.clone()),
            None => account_step(account, &secrets, &sessions),
        })
        .collect();
    Plan { groups, accounts }
}

type Index<'a, T> = HashMap<&'a [u8], Vec<&'a T>>;

fn by_name<T>(items: &[T], name: impl Fn(&T) -> &Vec<u8>) -> Index<'_, T> {
    let mut index: Index<'_, T> = HashMap::with_capacity(items.len());
    for item in items {
        index.entry(name(item).as_slice()).or_default().push(item);
    }
    index
}

fn group_step(group: &DesiredGroup, profiles: &Index<'_, PppProfile>) -> GroupStep {
    let action = match profiles.get(group.name.as_bytes()).map(Vec::as_slice) {
        None | Some([]) => GroupAction::Create { terms: group.terms() },
        Some([profile]) => compare_group(group, profile),
        Some(_) => GroupAction::Conflict(Conflict {
            code: "router.profile_twins",
            reason: format!("more than one profile is named {}", group.name),
        }),
    };
    GroupStep { name: group.name.clone(), action }
}

fn compare_group(group: &DesiredGroup, profile: &PppProfile) -> GroupAction {
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
    if terms.is_empty() {
        return GroupAction::Keep;
    }
    if !is_our_group(&profile.comment) {
        let first: Vec<_> = fields.iter().map(|field| format!("{} is {}", field.field, field.old)).collect();
        return GroupAction::Conflict(Conflict {
            code: "router.profile_not_ours",
            reason: format!("profile {} does not carry our mark and differs: {}", group.name, first.join(", ")),
        });
    }
    GroupAction::Change { id: profile.id.clone(), terms, fields }
}

fn same_rate(actual: Option<&[u8]>, wanted: &str) -> bool {
    let Some(actual) = actual else { return wanted.is_empty() };
    actual == wanted.as_bytes()
        || (!actual.contains(&b' ') && !wanted.contains(' ') && rate_pair(actual) == rate_pair(wanted.as_bytes()))
}

fn account_step(
    account: &DesiredAccount,
    secrets: &Index<'_, PppSecret>,
    sessions: &Index<'_, PppActive>,
) -> AccountStep {
    if let Some((code, reason)) = &account.refused {
        return conflict_step(account, code, reason.clone());
    }
    let found = secrets.get(account.name.as_bytes()).map(Vec::as_slice).unwrap_or_default();
    let running: Vec<ItemId> = sessions
        .get(account.name.as_bytes())
        .map(|sessions| sessions.iter().map(|session| session.id.clone()).collect())
        .unwrap_or_default();
    match found {
        [] if account.access == Access::Closed => step(account, Action::Absent, Vec::new()),
        [] => {
            let comment = String::from_utf8_lossy(&Mark::new(&account.owner).comment(b"")).into_owned();
            let mut made = step(account, Action::Create { profile: account.profile.clone(), comment }, Vec::new());
            made.isolates = account.access == Access::Isolated;
            made
        }
        [secret] => existing_step(account, secret, running),
        _ => {
            let reason = format!("{} accounts are named {}", found.len(), account.name);
            conflict_step(account, "router.account_twins", reason)
        }
    }
}

fn existing_step(account: &DesiredAccount, secret: &PppSecret, running: Vec<ItemId>) -> AccountStep {
    let (mark, human) = Mark::split(&secret.comment);
    let mut mark = match mark {
        Some(mark) if mark.owner == account.owner => mark,
        Some(_) => {
            let reason = format!("account {} belongs to another subscription", account.name);
            return conflict_step(account, "router.account_of_another", reason);
        }
        None if account.adopt => Mark::new(&account.owner),
        None => {
            let reason = format!("account {} is there and does not carry our mark", account.name);
            return conflict_step(account, "router.account_not_ours", reason);
        }
    };
    let owed = mark.kick;
    let mut fields = Vec::new();
    let closed = account.access == Access::Closed;

    let profile = (!closed && secret.profile != account.profile.as_bytes()).then(|| {
        fields.push(field("profile", &secret.profile, account.profile.as_bytes()));
        account.profile.clone()
    });
    let disabled = (secret.disabled != closed).then(|| {
        fields.push(field("disabled", yes_no(secret.disabled), yes_no(closed)));
        closed
    });
    let password = secret.password.as_ref().is_some_and(|password| *password != account.password);
    if password {
        fields.push(field("password", b"***", b"***"));
    }
    let remote_address = remote_address(account.access, secret, &mut mark, &mut fields);

    let new_terms = profile.is_some() || disabled.is_some() || remote_address != RemoteAddress::Keep;
    // Whoever could not log in before the change cannot run under its old terms.
    let locked_out = secret.disabled && running.is_empty();
    mark.kick = owed || (new_terms && !locked_out);
    let comment = mark.comment(human);
    let comment = (comment != secret.comment).then_some(comment);
    if let Some(comment) = &comment
        && !new_terms
    {
        fields.push(field("comment", &secret.comment, comment));
    }

    let kick = if new_terms || owed || closed { running } else { Vec::new() };
    let isolates = account.access == Access::Isolated && profile.is_some();
    let changed = new_terms || password || comment.is_some();
    let id = secret.id.clone();
    let action = if changed {
        Action::Change { id, profile, disabled, password, remote_address, comment, fields }
    } else {
        Action::Keep { id }
    };
    AccountStep { name: account.name.clone(), action, kick, isolates }
}

/// A fixed address wins over the pool, so an isolated account must not have one; the mark keeps it meanwhile.
fn remote_address(access: Access, secret: &PppSecret, mark: &mut Mark, fields: &mut Vec<FieldChange>) -> RemoteAddress {
    match (access, &secret.remote_address) {
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
    AccountStep { name: account.name.clone(), action, kick, isolates: false }
}

fn conflict_step(account: &DesiredAccount, code: &'static str, reason: String) -> AccountStep {
    step(account, Action::Conflict(Conflict { code, reason }), Vec::new())
}

fn field(field: &'static str, old: &[u8], new: &[u8]) -> FieldChange {
    FieldChange { field, old: shown(old), new: shown(new) }
}

fn shown(bytes: &[u8]) -> String {
    CodePage::default().decode(bytes).into_owned()
}

fn yes_no(value: bool) -> &'static [u8] {
    if value { b"yes" } else { b"no" }
}
