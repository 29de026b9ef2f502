//! Desired and observed access, its events, and what routers need to know.

use crate::ids::{SubscriptionId, TenantId};
use crate::isolation::access::{IsolatedSince, ObservedAccess};
use crate::isolation::{Access, AccessEvent, AccessEventKind, AccessTarget, IsolationCause, ServiceAccess};
use crate::money::Money;
use crate::ports::{ChangeSet, PageQuery, Store, StoreError};
use crate::subscription::{Account, Subscription};
use crate::terms::account::FormerAccount;
use crate::testing::sample::{self, World, day, moment};

use super::{refused, world, write};

async fn access_of(store: &dyn Store, tenant: TenantId, w: &World, n: usize) -> ServiceAccess {
    let lines = store.subscriptions(tenant, Some(w.customers[n].id), PageQuery::first(9)).await.unwrap();
    lines.into_iter().find(|(s, _)| s.id == w.subscriptions[n].id).expect("a line").1
}

fn want(access: ServiceAccess) -> ChangeSet {
    ChangeSet { access: vec![access], ..ChangeSet::default() }
}

pub(super) async fn access_is_replaced_by_version(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let at = moment("2026-01-20T03:00:00Z");
    let first = access_of(store, tenant, &w, 0).await;
    assert_eq!((first.desired, first.revision, first.version, &first.observed), (Access::Open, 1, 1, &None));
    let isolated = ServiceAccess {
        desired: Access::Isolated,
        cause: Some(IsolationCause::Arrears),
        isolated: Some(IsolatedSince { at, overdue: Money::rupiah(166_500) }),
        revision: 2,
        // What is observed is not ours to say.
        observed: Some(ObservedAccess { access: Some(Access::Isolated), revision: 2, at, answer: "made up".into() }),
        ..first.clone()
    };
    write(store, tenant, want(isolated.clone())).await;
    let second = access_of(store, tenant, &w, 0).await;
    assert_eq!(second, ServiceAccess { version: 2, observed: None, ..isolated.clone() });
    // A decision from older facts, one from facts that never were, and an insert of a row that is there.
    for version in [1, 3, 0] {
        let error = refused(store, tenant, want(ServiceAccess { version, ..isolated.clone() })).await;
        assert_eq!(error, StoreError::Conflict, "version {version}");
    }
    // Facts that change raise the version, so that the decision from before is refused.
    let id = w.subscriptions[0].id;
    write(store, tenant, ChangeSet { touched: vec![id], ..ChangeSet::default() }).await;
    assert_eq!(access_of(store, tenant, &w, 0).await, ServiceAccess { version: 3, ..second.clone() });
    assert_eq!(refused(store, tenant, want(second.clone())).await, StoreError::Conflict);
    // Manual isolation, and the way back with nothing set.
    let manual = ServiceAccess { cause: Some(IsolationCause::Manual), version: 3, revision: 3, ..second };
    write(store, tenant, want(manual.clone())).await;
    assert_eq!(access_of(store, tenant, &w, 0).await.cause, Some(IsolationCause::Manual));
    let open = ServiceAccess { desired: Access::Open, cause: None, isolated: None, revision: 4, version: 4, ..manual };
    write(store, tenant, want(open.clone())).await;
    assert_eq!(access_of(store, tenant, &w, 0).await, ServiceAccess { version: 5, observed: None, ..open });
    // Two at once of the same line, and a good one beside a bad one.
    let other = access_of(store, tenant, &w, 1).await;
    let twice = ChangeSet { access: vec![other.clone(), other.clone()], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, twice).await, StoreError::Conflict);
    let stale = ServiceAccess { version: 1, ..access_of(store, tenant, &w, 0).await };
    let mixed = ChangeSet { access: vec![other.clone(), stale], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, mixed).await, StoreError::Conflict);
    assert_eq!(access_of(store, tenant, &w, 1).await, other);
    // A line without a row: touching it changes nothing, version 0 inserts it.
    let new = sample::subscription(9, w.customers[1].id, &w.router, w.packages[0].id);
    let changes = ChangeSet { subscriptions: vec![new.clone()], touched: vec![new.id], ..ChangeSet::default() };
    write(store, tenant, changes).await;
    let early = ServiceAccess { version: 1, ..ServiceAccess::new(new.id, Access::Open) };
    assert_eq!(refused(store, tenant, want(early)).await, StoreError::Conflict);
    write(store, tenant, want(ServiceAccess::new(new.id, Access::Open))).await;
    let lines = store.subscriptions(tenant, Some(w.customers[1].id), PageQuery::first(9)).await.unwrap();
    assert_eq!(lines[1].1, ServiceAccess { version: 1, ..ServiceAccess::new(new.id, Access::Open) });
}

pub(super) async fn observations_do_not_go_back(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let id = w.subscriptions[0].id;
    let seen = |access, revision, at: &str| ObservedAccess {
        access,
        revision,
        at: moment(at),
        answer: format!("revision {revision} at {at}"),
    };
    let tell = async |observed: ObservedAccess| {
        let lines = [(id, observed)];
        let told = crate::ports::Observed { lines: &lines, under: None };
        store.record(tenant, super::outbox::worker(1), &[], told).await.unwrap();
        access_of(store, tenant, &w, 0).await.observed
    };
    let first = seen(Some(Access::Open), 2, "2026-01-02T00:00:00Z");
    assert_eq!(tell(first.clone()).await, Some(first.clone()));
    let newer = seen(None, 2, "2026-01-03T00:00:00Z");
    assert_eq!(tell(newer.clone()).await, Some(newer.clone()));
    let lower = seen(Some(Access::Open), 1, "2026-01-04T00:00:00Z");
    assert_eq!(tell(lower).await, Some(newer.clone()));
    assert_eq!(tell(seen(Some(Access::Closed), 0, "2026-01-05T00:00:00Z")).await, Some(newer.clone()));
    let late = seen(Some(Access::Open), 2, "2026-01-02T12:00:00Z");
    assert_eq!(tell(late).await, Some(newer));
    let higher = seen(Some(Access::Isolated), 3, "2026-01-06T00:00:00Z");
    assert_eq!(tell(higher.clone()).await, Some(higher.clone()));
    // It raises no version: the router's word is not among what isolation is decided from.
    let row = access_of(store, tenant, &w, 0).await;
    assert_eq!((row.version, row.revision, row.desired), (1, 1, Access::Open));
    // And it stays when something else is wanted.
    write(store, tenant, want(ServiceAccess { desired: Access::Closed, revision: 4, observed: None, ..row })).await;
    assert_eq!(access_of(store, tenant, &w, 0).await.observed, Some(higher));
    assert_eq!(access_of(store, tenant, &w, 1).await.observed, None);
}

pub(super) fn event(w: &World, n: usize, kind: AccessEventKind, revision: u64, at: &str, overdue: i64) -> AccessEvent {
    let subscription_id = w.subscriptions[n].id;
    AccessEvent {
        id: AccessEvent::id_of(subscription_id, revision),
        subscription_id,
        at: moment(at),
        kind,
        by: "engine".into(),
        reason: "overdue_too_long".into(),
        overdue: Money::rupiah(overdue),
        revision,
    }
}

pub(super) async fn events_come_oldest_first(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let isolated = event(&w, 0, AccessEventKind::IsolatedArrears, 2, "2026-01-20T03:00:00Z", 166_500);
    let reopened = event(&w, 0, AccessEventKind::Reopened, 3, "2026-01-21T03:00:00Z", 0);
    let other = event(&w, 1, AccessEventKind::GroupChanged, 2, "2026-01-20T03:00:00Z", 0);
    let all = vec![reopened.clone(), other.clone(), isolated.clone()];
    write(store, tenant, ChangeSet { access_events: all, ..ChangeSet::default() }).await;
    let events = store.access_events(tenant, w.subscriptions[0].id).await.unwrap();
    assert_eq!(events[0].kind, AccessEventKind::Registered);
    assert_eq!(events[1..], [isolated, reopened]);
    assert_eq!(store.access_events(tenant, w.subscriptions[1].id).await.unwrap()[1..], [other]);
}

pub(super) async fn subscribers_of_routers(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 4).await;
    let other = sample::router(1, w.site.id);
    let mut moved = w.subscriptions[3].clone();
    moved.router_id = Some(other.id);
    let mut by_hand = w.subscriptions[2].clone();
    by_hand.router_id = None;
    let idle = sample::router(2, w.site.id);
    let changes = ChangeSet {
        routers: vec![other.clone(), idle],
        subscriptions: vec![moved, by_hand],
        access: vec![
            ServiceAccess { version: 1, revision: 2, ..ServiceAccess::new(w.subscriptions[0].id, Access::Isolated) },
            ServiceAccess { version: 1, revision: 2, ..ServiceAccess::new(w.subscriptions[1].id, Access::Closed) },
        ],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let counts = store.subscribers_per_router(tenant).await.unwrap();
    assert_eq!(counts, [(w.router.id, 1), (other.id, 1)].into());
}

pub(super) async fn targets_for_routers(store: &dyn Store, tenant: TenantId) {
    let mut w = world(store, tenant, 4).await;
    w.subscriptions[1].router_id = None;
    w.subscriptions[2].terms.package_id = w.packages[1].id;
    // A package change that is yet to come is not told to the router.
    let later = crate::subscription::PackageChange { package_id: w.packages[1].id, from: day("2026-12-01") };
    w.subscriptions[3].terms.change = Some(later);
    let isolated = ServiceAccess {
        cause: Some(IsolationCause::Manual),
        version: 1,
        revision: 5,
        ..ServiceAccess::new(w.subscriptions[2].id, Access::Isolated)
    };
    let changes = ChangeSet { subscriptions: w.subscriptions.clone(), access: vec![isolated], ..ChangeSet::default() };
    write(store, tenant, changes).await;
    let target = |n: usize, package: usize, desired, revision| AccessTarget {
        subscription_id: w.subscriptions[n].id,
        router_id: w.router.id,
        account: w.subscriptions[n].account.clone(),
        group: w.packages[package].group.clone(),
        desired,
        revision,
        adopt: false,
        succeeds: Vec::new(),
        left: false,
        forget: false,
    };
    let all = [target(0, 0, Access::Open, 1), target(2, 1, Access::Isolated, 5), target(3, 0, Access::Open, 1)];
    let unknown = sample::subscription(9, w.customers[0].id, &w.router, w.packages[0].id).id;
    let asked = [w.subscriptions[2].id, unknown, w.subscriptions[1].id, w.subscriptions[0].id];
    let found = store.access_targets(tenant, &asked).await.unwrap();
    assert_eq!(found, [all[1].clone(), all[0].clone()]);
    assert!(store.access_targets(tenant, &[]).await.unwrap().is_empty());
    let found = store.router_targets(tenant, w.router.id, PageQuery::first(9)).await.unwrap();
    assert_eq!(found, all);
    let page = PageQuery { after: Some(w.subscriptions[0].id), limit: 1 };
    assert_eq!(store.router_targets(tenant, w.router.id, page).await.unwrap(), all[1..2]);
    let nobody = sample::router(7, w.site.id).id;
    assert!(store.router_targets(tenant, nobody, PageQuery::first(9)).await.unwrap().is_empty());
}

/// A line that ended leaves its user name to another, and its account with it.
pub(super) async fn a_user_name_passes_from_line_to_line(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let old = w.subscriptions[0].clone();
    let end = day("2026-06-01");
    let taken = StoreError::Duplicate { what: "subscription.username" };
    let mut new = sample::subscription(7, w.customers[1].id, &w.router, w.packages[0].id);
    new.account.username = old.account.username.clone();
    new.terms.start = end;
    let add = |line: &Subscription| ChangeSet { subscriptions: vec![line.clone()], ..ChangeSet::default() };
    let ends = |line: &Subscription, end| {
        let terms = vec![(line.id, crate::subscription::BillingTerms { end, ..line.terms })];
        ChangeSet { terms, ..ChangeSet::default() }
    };
    // As long as the old line has no end, and for any day that both would serve, the name is taken.
    assert_eq!(refused(store, tenant, add(&new)).await, taken);
    write(store, tenant, ends(&old, Some(end.plus_days(1)))).await;
    assert_eq!(refused(store, tenant, add(&new)).await, taken);
    // Ended and begun in one commit.
    let both = ChangeSet { subscriptions: vec![new.clone()], ..ends(&old, Some(end)) };
    write(store, tenant, both).await;
    // An end cannot be taken back or moved into the other line's days.
    assert_eq!(refused(store, tenant, ends(&old, None)).await, taken);
    assert_eq!(refused(store, tenant, ends(&old, Some(end.plus_days(9)))).await, taken);
    let third = Subscription {
        id: sample::subscription(8, old.customer_id, &w.router, old.terms.package_id).id,
        ..new.clone()
    };
    assert_eq!(refused(store, tenant, add(&third)).await, taken);

    // The account is the old line's until it is closed, and the new one's afterwards.
    let told = async |ids: &[SubscriptionId]| {
        let targets = store.access_targets(tenant, ids).await.unwrap();
        targets.into_iter().map(|t| (t.subscription_id, t.desired, t.succeeds)).collect::<Vec<_>>()
    };
    assert_eq!(told(&[old.id, new.id]).await, [(old.id, Access::Open, vec![new.id])]);
    let access =
        |line: SubscriptionId, desired, version| ServiceAccess { version, ..ServiceAccess::new(line, desired) };
    let set = |access| ChangeSet { access: vec![access], ..ChangeSet::default() };
    write(store, tenant, set(access(new.id, Access::Open, 0))).await;
    assert_eq!(told(&[old.id, new.id]).await, [(new.id, Access::Open, vec![old.id])]);
    write(store, tenant, set(access(old.id, Access::Closed, 1))).await;
    assert_eq!(told(&[old.id, new.id]).await, [(new.id, Access::Open, vec![old.id])]);
    let all = store.router_targets(tenant, w.router.id, PageQuery::first(9)).await.unwrap();
    assert_eq!(all.iter().filter(|t| t.account.username == old.account.username).count(), 1);
    assert!(all.iter().all(|t| t.subscription_id != old.id));
}

/// Accounts that lines have left are told until the router closed them, and to who takes the name over.
pub(super) async fn former_accounts_are_told_until_closed(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let (line, at) = (w.subscriptions[0].clone(), moment("2026-01-20T03:00:00Z"));
    let name = line.account.username.clone();
    let mut renamed = line.clone();
    renamed.account.username = sample::code("baru@isp").into();
    let former = FormerAccount {
        subscription_id: line.id,
        router_id: w.router.id,
        username: name.clone(),
        service: line.account.service,
        address: None,
        left_at: at,
    };
    let leave = |line: &Subscription, former: &FormerAccount| ChangeSet {
        subscriptions: vec![line.clone()],
        former_accounts: vec![former.clone()],
        ..ChangeSet::default()
    };
    write(store, tenant, leave(&renamed, &former)).await;
    let told = async |lines: &[SubscriptionId]| {
        let targets = store.former_targets(tenant, w.router.id, lines).await.unwrap();
        targets.into_iter().map(|t| (t.subscription_id, t.account.username, t.desired)).collect::<Vec<_>>()
    };
    let one = [(line.id, name.clone(), Access::Closed)];
    assert_eq!(told(&[line.id, w.subscriptions[1].id]).await, one);
    assert!(told(&[w.subscriptions[1].id]).await.is_empty());
    assert!(store.former_targets(tenant, sample::router(7, w.site.id).id, &[line.id]).await.unwrap().is_empty());
    store.account_closed(tenant, w.router.id, line.id, &line.account, at).await.unwrap();
    let unknown = Account { username: sample::code("unknown").into(), ..line.account.clone() };
    store.account_closed(tenant, w.router.id, line.id, &unknown, at).await.unwrap();
    assert!(told(&[line.id]).await.is_empty());
    // Left again after it was taken back.
    write(store, tenant, leave(&renamed, &former)).await;
    assert_eq!(told(&[line.id]).await, one);
    // Another line takes the name over: the account is its own, and there is nothing to close.
    let mut taker = w.subscriptions[1].clone();
    taker.account.username = name;
    write(store, tenant, ChangeSet { subscriptions: vec![taker.clone()], ..ChangeSet::default() }).await;
    assert!(told(&[line.id]).await.is_empty());
    let targets = store.access_targets(tenant, &[taker.id, line.id]).await.unwrap();
    assert_eq!(targets[0].succeeds, [line.id]);
    assert!(targets[1].succeeds.is_empty());
}
