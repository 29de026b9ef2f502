//! Another account for a line: another user name, password, router or site. Billing does not move with it: nothing is
//! invoiced or given back, so no day is charged twice.

use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::ids::{RouterId, SiteId, SubscriptionId};
use crate::isolation::access::{AccessEvent, AccessEventKind, ServiceAccess};
use crate::isolation::decide::AccessFacts;
use crate::isolation::effect::AccessEffect;
use crate::isolation::transition::{Decider, Transition};
use crate::secret::Secret;
use crate::subscription::{Account, Service, Subscription, SubscriptionStatus};
use crate::text::RouterName;

/// What changes; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// Another user name, or the address or MAC address of a line where nobody logs in.
    pub username: Option<RouterName>,
    /// Another password.
    pub password: Option<Secret>,
    /// Another way onto the network; user name and password above count for nothing then.
    pub account: Option<Account>,
    /// Another site, with the router that serves the line there.
    pub place: Option<(SiteId, Option<RouterId>)>,
}

/// A user name, address or MAC address that a line had on a router, which is to be closed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerAccount {
    /// Whose.
    pub subscription_id: SubscriptionId,
    /// On which router.
    pub router_id: RouterId,
    /// The user name, address or MAC address.
    pub username: RouterName,
    /// How the line got onto the network by it.
    pub service: Service,
    /// The address that it had with it.
    pub address: Option<Ipv4Addr>,
    /// When it was left.
    pub left_at: DateTime<Utc>,
}

/// What a change of account comes to. All of it goes into one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountMove {
    /// The line as it is then.
    pub subscription: Subscription,
    /// The account that it leaves.
    pub former: Option<FormerAccount>,
    /// Access, with the revision that the new router is to reach.
    pub access: ServiceAccess,
    /// What happened.
    pub event: AccessEvent,
    /// The wishes to the old and the new router.
    pub effects: Vec<AccessEffect>,
}

/// Changes the account of a line; `None` when it is so already.
///
/// # Errors
/// [`Error::NotServing`] for a line that has ended; [`Error::NotForService`] for the password of a line where nobody logs
/// in; [`Error::IpAddress`] and [`Error::Mac`] for a name that its service cannot have.
pub fn change_account(
    facts: &AccessFacts,
    line: &Subscription,
    change: &AccountChange,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Option<AccountMove>, Error> {
    if line.terms.status_on(facts.zone.date_of(now)) == SubscriptionStatus::Terminated {
        return Err(Error::NotServing);
    }
    let (site_id, router_id) = change.place.unwrap_or((line.site_id, line.router_id));
    let account = changed(&line.account, change)?;
    let subscription = Subscription { site_id, router_id, account, ..line.clone() };
    Ok((subscription != *line).then(|| moved(facts, line, subscription, by, now)))
}

/// What it comes to that a line is to be `subscription` from now on.
pub(crate) fn moved(
    facts: &AccessFacts,
    line: &Subscription,
    subscription: Subscription,
    by: &str,
    now: DateTime<Utc>,
) -> AccountMove {
    let router_id = subscription.router_id;
    let known_by = |line: &'_ Subscription| (line.router_id, line.account.service, line.account.username.clone());
    let (before, after) = (known_by(line), known_by(&subscription));
    let left = (before != after).then_some(line.router_id).flatten();
    let former = left.map(|router_id| FormerAccount {
        subscription_id: line.id,
        router_id,
        username: line.account.username.clone(),
        service: line.account.service,
        address: line.account.address,
        left_at: now,
    });
    let mut effects = Vec::new();
    let mut facts = AccessFacts { router_id: line.router_id, ..facts.clone() };
    if let (Some(old), true) = (line.router_id, line.router_id != router_id) {
        // The old router hears of it by a revision of its own: a wish is told apart by its revision.
        facts.access.revision += 1;
        let revision = facts.access.revision;
        effects.push(AccessEffect { subscription_id: line.id, router_id: old, revision, not_before: now });
    }
    facts.router_id = router_id;
    let decider = Decider { by, reason: "account_changed" };
    let step = Transition::new(&facts, AccessEventKind::GroupChanged, decider, now);
    effects.extend(step.effect);
    AccountMove { subscription, former, access: step.access, event: step.event, effects }
}

fn changed(account: &Account, change: &AccountChange) -> Result<Account, Error> {
    if let Some(account) = &change.account {
        return Ok(account.clone());
    }
    let mut changed = match &change.username {
        Some(name) => account.renamed(name.as_str())?,
        None => account.clone(),
    };
    if let Some(password) = &change.password {
        if !account.service.logs_in() {
            return Err(Error::NotForService { field: "password", service: account.service.code() });
        }
        changed.password = password.clone();
    }
    Ok(changed)
}
