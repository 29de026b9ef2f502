//! The contract of [`AccessControl`], for the fake and for real adapters before a simulator.
//!
//! A harness starts with an empty router; the suite uses the accounts that it names, and no others.
#![allow(clippy::expect_used, reason = "a suite of assertions")]

use std::net::Ipv4Addr;

use async_trait::async_trait;

use crate::ids::SubscriptionId;
use crate::isolation::access::ObservedAccess;
use crate::isolation::{Access, AccessTarget};
use crate::place::RouterEndpoint;
use crate::ports::{AccessControl, ApplyOutcome, PortError};
use crate::secret::Secret;
use crate::subscription::{Account, Mac};
use crate::testing::sample::{self, code, id, moment};

/// A router under test, with the hands that break it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The adapter.
    fn control(&self) -> &dyn AccessControl;
    /// How it reaches the router.
    fn endpoint(&self) -> RouterEndpoint;
    /// Puts in an account that carries no mark of ours.
    async fn plant(&self, account: &Account);
    /// True when that account is there as it was planted.
    async fn is_untouched(&self, account: &Account) -> bool;
    /// Switches the router off or on.
    async fn set_down(&self, down: bool);
    /// Makes the answer to the next write get lost after its effect. False when the harness cannot.
    async fn lose_reply(&self) -> bool;
    /// Lets the customer's box dial in and waits until it is on line. False when the harness has no boxes for this line, or the
    /// router lets this one in by no means now.
    async fn dial(&self, _account: &Account) -> bool {
        false
    }
    /// True while the very session that [`dial`](Self::dial) began runs on.
    async fn runs_on(&self, _account: &Account) -> bool {
        false
    }
    /// What line `number` of the suite is known by; a PPPoE account unless the harness says otherwise. Numbers are 1 to 99.
    fn account(&self, number: u64) -> Account {
        Account::pppoe(code(&format!("contract-{number}")), Secret::new(format!("password-{number}")))
    }
}

/// Runs all cases, one after another, on one harness.
///
/// # Panics
/// When the adapter breaks the contract.
pub async fn run_all(harness: &dyn Harness) {
    accounts_come_to_what_is_wanted(harness).await;
    applying_twice_changes_nothing(harness).await;
    a_look_changes_nothing(harness).await;
    foreign_accounts_are_never_touched(harness).await;
    adoption_takes_a_foreign_account_over(harness).await;
    a_dead_router_is_told_apart_and_comes_back(harness).await;
    a_lost_reply_is_repaired_by_a_repeat(harness).await;
    what_runs_under_old_terms_ends_where_it_can(harness).await;
    lines_without_a_login_are_served_or_refused(harness).await;
    who_is_online_is_told_where_it_is_known(harness).await;
    what_is_to_be_forgotten_is_gone(harness).await;
}

/// An account that is to be forgotten goes, with our mark: whoever gets the name next finds nothing of it.
async fn what_is_to_be_forgotten_is_gone(harness: &dyn Harness) {
    let served = target(harness, 21, Access::Open, 1);
    apply(harness, std::slice::from_ref(&served)).await;
    let forgotten = AccessTarget { desired: Access::Closed, left: true, forget: true, ..served.clone() };
    for changes in [true, false] {
        let outcomes = apply(harness, std::slice::from_ref(&forgotten)).await;
        assert_eq!(outcomes.iter().map(done).collect::<Vec<_>>(), [Some((Access::Closed, changes))], "{outcomes:?}");
    }
    let next = AccessTarget { subscription_id: SubscriptionId(id(5, 22)), ..served };
    let outcomes = apply(harness, std::slice::from_ref(&next)).await;
    assert_eq!(outcomes.iter().map(done).collect::<Vec<_>>(), [Some((Access::Open, true))], "{outcomes:?}");
}

fn target(harness: &dyn Harness, number: u64, desired: Access, revision: u64) -> AccessTarget {
    AccessTarget {
        subscription_id: SubscriptionId(id(5, number)),
        router_id: sample::router(0, sample::site(0).id).id,
        account: harness.account(number),
        group: sample::package(0).group,
        desired,
        revision,
        adopt: false,
        succeeds: Vec::new(),
        left: false,
        forget: false,
    }
}

async fn apply(harness: &dyn Harness, targets: &[AccessTarget]) -> Vec<ApplyOutcome> {
    let outcomes = harness.control().apply(&harness.endpoint(), targets).await.expect("a router that answers");
    assert_eq!(outcomes.len(), targets.len(), "one outcome a target");
    outcomes
}

async fn observe(harness: &dyn Harness, targets: &[AccessTarget]) -> Vec<ObservedAccess> {
    let now = moment("2026-01-20T03:00:00Z");
    let seen = harness.control().observe(&harness.endpoint(), targets, now).await.expect("a router that answers");
    assert_eq!(seen.len(), targets.len(), "one observation a target");
    assert!(seen.iter().all(|o| o.revision == 0 && o.at == now), "a mere look: {seen:?}");
    seen
}

fn done(outcome: &ApplyOutcome) -> Option<(Access, bool)> {
    match outcome {
        ApplyOutcome::Done { access, changed, .. } => Some((*access, *changed)),
        ApplyOutcome::Refused { .. } => None,
    }
}

/// A closed account may be gone or switched off.
fn shows(seen: &ObservedAccess, wanted: Access) -> bool {
    seen.access == Some(wanted) || (wanted == Access::Closed && seen.access.is_none())
}

async fn accounts_come_to_what_is_wanted(harness: &dyn Harness) {
    assert_eq!(apply(harness, &[]).await, []);
    let ways = [Access::Open, Access::Isolated, Access::Closed];
    let mut revision = 0;
    for from in ways {
        for to in ways {
            for wanted in [from, to] {
                revision += 1;
                let targets = [target(harness, 1, wanted, revision), target(harness, 2, Access::Open, revision)];
                let outcomes = apply(harness, &targets).await;
                let access: Vec<_> = outcomes.iter().map(|o| done(o).map(|(access, _)| access)).collect();
                assert_eq!(access, [Some(wanted), Some(Access::Open)], "{from:?} to {to:?}: {outcomes:?}");
                let seen = observe(harness, &targets).await;
                assert!(shows(&seen[0], wanted) && shows(&seen[1], Access::Open), "{seen:?}");
            }
        }
    }
}

async fn applying_twice_changes_nothing(harness: &dyn Harness) {
    for wanted in [Access::Open, Access::Isolated, Access::Closed] {
        let targets = [target(harness, 3, wanted, 1), target(harness, 4, wanted, 1)];
        apply(harness, &targets).await;
        let again = apply(harness, &targets).await;
        let again: Vec<_> = again.iter().map(done).collect();
        assert_eq!(again, [Some((wanted, false)), Some((wanted, false))]);
    }
    // Another password, and another group where the adapter sets speeds, is a change, once.
    let mut other = target(harness, 3, Access::Open, 2);
    apply(harness, std::slice::from_ref(&other)).await;
    let changed = async |other: &AccessTarget, is: bool| {
        let outcomes = apply(harness, std::slice::from_ref(other)).await;
        assert_eq!(outcomes.iter().map(done).collect::<Vec<_>>(), [Some((Access::Open, is))]);
    };
    if other.account.service.logs_in() {
        other.account.password = Secret::new("another-password");
        changed(&other, true).await;
    }
    other.group = sample::package(1).group;
    changed(&other, harness.control().capabilities().rate).await;
    assert_eq!(apply(harness, &[other]).await.iter().map(done).collect::<Vec<_>>(), [Some((Access::Open, false))]);
}

async fn a_look_changes_nothing(harness: &dyn Harness) {
    let unknown = target(harness, 5, Access::Open, 1);
    assert_eq!(observe(harness, std::slice::from_ref(&unknown)).await[0].access, None);
    assert_eq!(observe(harness, &[unknown]).await[0].access, None);
    let known = target(harness, 6, Access::Isolated, 1);
    apply(harness, std::slice::from_ref(&known)).await;
    let asked = target(harness, 6, Access::Open, 2);
    assert_eq!(observe(harness, &[asked]).await[0].access, Some(Access::Isolated));
    assert_eq!(apply(harness, &[known]).await.iter().map(done).collect::<Vec<_>>(), [Some((Access::Isolated, false))]);
}

async fn foreign_accounts_are_never_touched(harness: &dyn Harness) {
    for (number, wanted) in [(10, Access::Open), (11, Access::Isolated), (12, Access::Closed)] {
        let foreign = target(harness, number, wanted, 1);
        let mut account = foreign.account.clone();
        if account.service.logs_in() {
            account.password = Secret::new("somebody-else");
        }
        harness.plant(&account).await;
        let outcomes =
            apply(harness, &[target(harness, 7, wanted, 1), foreign.clone(), target(harness, 8, wanted, 1)]).await;
        assert!(matches!(outcomes[1], ApplyOutcome::Refused { .. }), "{outcomes:?}");
        // Its neighbours are served all the same.
        assert_eq!(done(&outcomes[0]).map(|(access, _)| access), Some(wanted));
        assert_eq!(done(&outcomes[2]).map(|(access, _)| access), Some(wanted));
        assert!(harness.is_untouched(&account).await, "{wanted:?}");
        assert_eq!(observe(harness, &[foreign]).await[0].access, None, "{wanted:?}");
    }
}

async fn adoption_takes_a_foreign_account_over(harness: &dyn Harness) {
    let adopted = AccessTarget { adopt: true, ..target(harness, 13, Access::Open, 1) };
    harness.plant(&adopted.account).await;
    assert_eq!(done(&apply(harness, std::slice::from_ref(&adopted)).await[0]), Some((Access::Open, true)));
    // From then on it is ours.
    let ours = AccessTarget { adopt: false, desired: Access::Isolated, ..adopted };
    assert_eq!(done(&apply(harness, &[ours]).await[0]), Some((Access::Isolated, true)));
}

async fn a_dead_router_is_told_apart_and_comes_back(harness: &dyn Harness) {
    let wanted = target(harness, 14, Access::Open, 1);
    harness.set_down(true).await;
    let error =
        harness.control().apply(&harness.endpoint(), std::slice::from_ref(&wanted)).await.expect_err("it is down");
    assert!(error.retryable(), "{error:?}");
    let now = moment("2026-01-20T03:00:00Z");
    assert!(harness.control().observe(&harness.endpoint(), std::slice::from_ref(&wanted), now).await.is_err());
    harness.set_down(false).await;
    assert_eq!(done(&apply(harness, &[wanted]).await[0]), Some((Access::Open, true)));
}

async fn a_lost_reply_is_repaired_by_a_repeat(harness: &dyn Harness) {
    let before = target(harness, 15, Access::Open, 1);
    apply(harness, &[before]).await;
    if !harness.lose_reply().await {
        return;
    }
    let wanted = target(harness, 15, Access::Isolated, 2);
    match harness.control().apply(&harness.endpoint(), std::slice::from_ref(&wanted)).await {
        // An adapter may read back by itself.
        Ok(outcomes) => assert_eq!(done(&outcomes[0]).map(|(access, _)| access), Some(Access::Isolated)),
        Err(error) => assert!(matches!(error, PortError::Unknown { .. }), "{error:?}"),
    }
    let again = apply(harness, std::slice::from_ref(&wanted)).await;
    assert_eq!(done(&again[0]).map(|(access, _)| access), Some(Access::Isolated));
    assert!(shows(&observe(harness, &[wanted]).await[0], Access::Isolated));
}

/// [`Capabilities::kick`](crate::ports::Capabilities::kick) is what it says, and nobody is ended for nothing.
async fn what_runs_under_old_terms_ends_where_it_can(harness: &dyn Harness) {
    let kicks = harness.control().capabilities().kick;
    let ways = [(Access::Open, Access::Isolated), (Access::Isolated, Access::Open), (Access::Open, Access::Closed)];
    for (from, to) in ways {
        let before = target(harness, 16, from, 1);
        apply(harness, std::slice::from_ref(&before)).await;
        if !harness.dial(&before.account).await {
            continue;
        }
        apply(harness, std::slice::from_ref(&before)).await;
        assert!(harness.runs_on(&before.account).await, "{from:?}: nothing changed, and the session was ended");
        apply(harness, &[target(harness, 16, to, 2)]).await;
        assert_eq!(harness.runs_on(&before.account).await, !kicks, "{from:?} to {to:?}");
    }
}

/// `Capabilities::fixed` and `dhcp` are what they say: such a line is served, or refused for itself.
async fn lines_without_a_login_are_served_or_refused(harness: &dyn Harness) {
    let can = harness.control().capabilities();
    let fixed = Account::fixed(Ipv4Addr::new(10, 99, 0, 17)).expect("an address");
    let mac = Mac::parse("AA:BB:CC:00:99:18").expect("a MAC address");
    let dhcp = Account::dhcp(mac, Some(Ipv4Addr::new(10, 99, 0, 18))).expect("a box");
    for (number, account, served) in [(17, fixed, can.fixed), (18, dhcp, can.dhcp)] {
        for wanted in [Access::Open, Access::Isolated] {
            let line = AccessTarget { account: account.clone(), ..target(harness, number, wanted, 1) };
            let outcomes = apply(harness, &[line, target(harness, 19, wanted, 1)]).await;
            let access: Vec<_> = outcomes.iter().map(|o| done(o).map(|(access, _)| access)).collect();
            assert_eq!(access, [served.then_some(wanted), Some(wanted)], "{outcomes:?}");
        }
    }
}

/// [`Capabilities::online`](crate::ports::Capabilities::online) is what it says: whoever dialled in is told with an address,
/// and nobody else under that name.
async fn who_is_online_is_told_where_it_is_known(harness: &dyn Harness) {
    let told = async |account: &Account| {
        let online = harness.control().online(&harness.endpoint()).await.expect("a router that answers")?;
        Some(online.iter().filter(|one| one.name == account.username.as_str()).count())
    };
    let knows = harness.control().capabilities().online;
    let line = target(harness, 20, Access::Open, 1);
    apply(harness, std::slice::from_ref(&line)).await;
    assert_eq!(told(&line.account).await.is_some(), knows);
    if harness.dial(&line.account).await {
        assert_eq!(told(&line.account).await, knows.then_some(1));
    }
    harness.set_down(true).await;
    let down = harness.control().online(&harness.endpoint()).await;
    harness.set_down(false).await;
    assert_eq!(down.is_err(), knows, "{down:?}");
}
