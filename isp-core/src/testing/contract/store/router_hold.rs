//! The right to write to a router, and what happens when it is lost.

use crate::ids::{SubscriptionId, TenantId};
use crate::isolation::access::ObservedAccess;
use crate::isolation::{Access, effect_id};
use crate::place::{KnownMachine, Machine};
use crate::ports::{ChangeSet, Lease, Observed, OutboxState, PageQuery, RouterHold, Store, Topic};
use crate::testing::sample::{World, id};

use super::outbox::{claim_all, claims, in_seconds, lease, now, outcome, record, row, worker};
use super::{refused, world, write};

async fn hold(store: &dyn Store, tenant: TenantId, w: &World, by: u64, at: i64) -> Option<RouterHold> {
    store.hold_router(tenant, w.router.id, lease(worker(by), in_seconds(at))).await.unwrap()
}

pub(super) async fn a_router_is_held_by_one_worker(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let first = hold(store, tenant, &w, 1, 0).await.expect("it is free");
    assert_eq!(hold(store, tenant, &w, 2, 299).await, None);
    // Another router is another matter.
    let elsewhere = crate::ids::RouterId(id(3, 77));
    assert!(store.hold_router(tenant, elsewhere, lease(worker(2), now())).await.unwrap().is_some());
    store.free_router(tenant, first).await.unwrap();
    let second = hold(store, tenant, &w, 2, 1).await.expect("it was given back");
    assert!(second.fence > first.fence);
    // Who gave it back and goes on with other work does not take it again by that.
    store.free_router(tenant, second).await.unwrap();
    store.renew(tenant, lease(worker(2), in_seconds(2))).await.unwrap();
    let first = hold(store, tenant, &w, 1, 3).await.expect("it was given back, and not renewed");
    store.free_router(tenant, first).await.unwrap();
    let second = hold(store, tenant, &w, 2, 4).await.expect("it was given back");
    assert!(second.fence > first.fence);
    // Whoever lost it can neither give it back nor prolong it.
    store.free_router(tenant, first).await.unwrap();
    store.renew(tenant, lease(worker(1), in_seconds(900))).await.unwrap();
    assert_eq!(hold(store, tenant, &w, 1, 300).await, None);
    // It runs out, unless it is renewed.
    store.renew(tenant, lease(worker(2), in_seconds(300))).await.unwrap();
    assert_eq!(hold(store, tenant, &w, 1, 599).await, None);
    assert!(hold(store, tenant, &w, 1, 600).await.is_some());
    store.release(tenant, worker(1)).await.unwrap();
    assert!(hold(store, tenant, &w, 2, 601).await.is_some());
}

fn seen(revision: u64) -> ObservedAccess {
    ObservedAccess { access: Some(Access::Open), revision, at: now(), answer: "read back".into() }
}

async fn observed(store: &dyn Store, tenant: TenantId, line: SubscriptionId) -> Option<ObservedAccess> {
    let lines = store.subscriptions(tenant, None, PageQuery::first(9)).await.unwrap();
    lines.into_iter().find(|(s, _)| s.id == line).and_then(|(_, access)| access.observed)
}

/// A worker was stopped between reading what is wanted and writing it; another one took its place. What the first writes
/// when it goes on is known to nobody, so both have to look again.
pub(super) async fn a_lost_hold_makes_its_lines_doubtful(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let line = w.subscriptions[0].id;
    let wish = effect_id(line, w.router.id, 1);
    let slow = hold(store, tenant, &w, 1, 0).await.expect("it is free");
    let slow_claims = claims(store, tenant, claim_all(Topic::Access, now())).await;
    assert_eq!(slow_claims.len(), 2);
    let slow_claim = slow_claims.into_iter().find(|c| c.id == wish).expect("the wish of the line");
    // While the hold is good, that nothing could be read changes nothing: there is no moment of a reading to show.
    let nothing = [(line, ObservedAccess { access: None, revision: 0, answer: String::new(), ..seen(1) })];
    let unread = Observed { lines: &nothing, under: Some(slow) };
    assert!(!store.record(tenant, worker(1), &[], unread).await.unwrap().doubted);
    assert_eq!(observed(store, tenant, line).await, None);
    // An observation counts.
    let lines = [(line, seen(1))];
    let good = Observed { lines: &lines, under: Some(slow) };
    assert!(!store.record(tenant, worker(1), &[], good).await.unwrap().doubted);
    assert_eq!(observed(store, tenant, line).await, Some(seen(1)));

    // The second takes over, does it all again, and is about to say so.
    let quick = hold(store, tenant, &w, 2, 300).await.expect("it ran out");
    let lease: Lease = lease(worker(2), in_seconds(300));
    let claim = crate::ports::Claim { lease, ..claim_all(Topic::Access, in_seconds(300)) };
    let quick_claims = claims(store, tenant, claim).await;
    let quick_claim = *quick_claims.iter().find(|c| c.id == wish).expect("the wish of the line");
    store.attempting(tenant, lease, &[quick_claim]).await.unwrap();

    // The first wakes up, writes to the router, and says so under a hold that it has not got any more.
    let done = [outcome(slow_claim, OutboxState::Done, now())];
    let told = store.record(tenant, worker(1), &done, Observed { lines: &lines, under: Some(slow) }).await.unwrap();
    assert_eq!((told.lost, told.doubted), (vec![wish], true));
    assert_eq!(observed(store, tenant, line).await.map(|o| o.revision), Some(0), "nothing is confirmed");
    let again = row(store, tenant, wish).await;
    assert_eq!((again.state, again.next_attempt), (OutboxState::Pending, now()));

    // Neither does the word of the second count: the first wrote after it, or before, nobody knows.
    let done = [outcome(quick_claim, OutboxState::Done, now())];
    let told = store.record(tenant, worker(2), &done, Observed { lines: &lines, under: Some(quick) }).await.unwrap();
    assert_eq!((told.lost, told.doubted), (vec![wish], true));
    assert_eq!(observed(store, tenant, line).await.map(|o| o.revision), Some(0));

    // The next turn settles it.
    let turn = hold(store, tenant, &w, 2, 301).await.expect("its own");
    let claim = crate::ports::Claim { lease, ..claim_all(Topic::Access, in_seconds(301)) };
    let turn_claims = claims(store, tenant, claim).await;
    assert_eq!(turn_claims.iter().map(|c| c.id).collect::<Vec<_>>(), [wish]);
    let told = store.record(tenant, worker(2), &[], Observed { lines: &lines, under: Some(turn) }).await.unwrap();
    assert!(!told.doubted);
    assert!(record(store, tenant, worker(2), &[outcome(turn_claims[0], OutboxState::Done, now())]).await.is_empty());
    assert_eq!(observed(store, tenant, line).await, Some(seen(1)));
    assert_eq!(row(store, tenant, wish).await.state, OutboxState::Done);
}

pub(super) async fn the_machine_of_a_router_is_remembered(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    assert_eq!(store.machines(tenant).await, Ok(Vec::new()));
    let machine = |identity: &str, serial: Option<&str>, by: Option<&str>| KnownMachine {
        router_id: w.router.id,
        machine: Machine { identity: identity.into(), serial: serial.map(str::to_owned) },
        since: now(),
        by: by.map(str::to_owned),
    };
    for known in [machine("RTR-BDG", None, None), machine("RTR-BDG baru", Some("HG209"), Some("Sari"))] {
        write(store, tenant, ChangeSet { machines: vec![known.clone()], ..ChangeSet::default() }).await;
        assert_eq!(store.machines(tenant).await, Ok(vec![known]));
    }
    let elsewhere = KnownMachine { router_id: crate::ids::RouterId(id(3, 77)), ..machine("x", None, None) };
    refused(store, tenant, ChangeSet { machines: vec![elsewhere], ..ChangeSet::default() }).await;
    // What else changes of the router leaves it alone.
    write(store, tenant, ChangeSet { routers: vec![w.router.clone()], ..ChangeSet::default() }).await;
    assert_eq!(store.machines(tenant).await.unwrap().len(), 1);
}
