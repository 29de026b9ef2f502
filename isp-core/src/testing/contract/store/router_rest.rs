//! Routers that could not be used: what is wished of them waits together.

use crate::ids::{OutboxId, RouterId, SubscriptionId, TenantId};
use crate::isolation::{AccessEffect, effect_id};
use crate::place::{KnownMachine, Machine};
use crate::ports::{ChangeSet, Claim, OutboxState, RouterRest, Store, Topic};
use crate::testing::sample::{World, id};

use super::outbox::{claim_all, claims, ids, in_seconds, lease, now, outcome, record, row, worker};
use super::{world, write};

const WHY: &str = "not sent: connection refused";

fn rest(w: &World, from: i64, until: i64) -> RouterRest {
    RouterRest::new(w.router.id, in_seconds(from), in_seconds(until), WHY.to_owned())
}

async fn begin(store: &dyn Store, tenant: TenantId, rest: &RouterRest) -> u64 {
    store.rest_router(tenant, rest, lease(worker(1), rest.since)).await.unwrap()
}

async fn due(store: &dyn Store, tenant: TenantId, at: i64) -> Vec<RouterId> {
    store.routers_due(tenant, in_seconds(at), lease(worker(1), in_seconds(at))).await.unwrap()
}

fn wish(w: &World, line: SubscriptionId, revision: u64, at: i64) -> AccessEffect {
    AccessEffect { subscription_id: line, router_id: w.router.id, revision, not_before: in_seconds(at) }
}

/// The wishes that came with the lines.
fn first_wishes(w: &World) -> Vec<OutboxId> {
    w.subscriptions.iter().map(|line| effect_id(line.id, w.router.id, 1)).collect()
}

pub(super) async fn a_router_that_rests_is_told_of_in_its_wishes(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let all = first_wishes(&w);
    let before = row(store, tenant, all[0]).await;
    assert_eq!(due(store, tenant, 0).await, [w.router.id]);
    assert_eq!(store.router_rests(tenant).await.unwrap(), []);
    // A rest of nobody ends without a word.
    store.end_rest(tenant, w.router.id).await.unwrap();

    let resting = rest(&w, 0, 30);
    assert_eq!(begin(store, tenant, &resting).await, 3);
    assert_eq!(store.router_rests(tenant).await.unwrap(), std::slice::from_ref(&resting));
    assert_eq!(due(store, tenant, 29).await, []);
    for wish in &all {
        let told = row(store, tenant, *wish).await;
        assert_eq!((told.state, told.attempts, told.fence), (OutboxState::Pending, 0, 0));
        assert_eq!((told.next_attempt, told.note.as_str()), (in_seconds(30), WHY));
    }
    // It is over with its time, and the next one takes its place.
    assert_eq!(due(store, tenant, 30).await, [w.router.id]);
    assert_eq!(begin(store, tenant, &rest(&w, 30, 60)).await, 3);
    assert_eq!((due(store, tenant, 59).await, due(store, tenant, 60).await), (vec![], vec![w.router.id]));
    assert_eq!(row(store, tenant, all[0]).await.next_attempt, in_seconds(60));

    // The router answers: everything is as it was.
    store.end_rest(tenant, w.router.id).await.unwrap();
    assert_eq!(due(store, tenant, 31).await, [w.router.id]);
    assert_eq!(row(store, tenant, all[0]).await, before);
    assert_eq!(store.router_rests(tenant).await.unwrap(), []);
}

pub(super) async fn a_rest_covers_what_was_due_when_it_began(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let taken = claims(store, tenant, claim_all(Topic::Access, now())).await;
    let again = |n: usize, seconds| crate::ports::Outcome {
        next_attempt: in_seconds(seconds),
        ..outcome(taken[n], OutboxState::Pending, now())
    };
    let done = outcome(taken[2], OutboxState::Done, now());
    assert!(record(store, tenant, worker(1), &[again(0, 5), again(1, 20), done]).await.is_empty());
    assert_eq!((due(store, tenant, 4).await, due(store, tenant, 5).await), (vec![], vec![w.router.id]));

    // One is due by then, one becomes due while it rests: the router is asked for that one's sake.
    assert_eq!(begin(store, tenant, &rest(&w, 10, 40)).await, 1);
    assert_eq!((due(store, tenant, 19).await, due(store, tenant, 20).await), (vec![], vec![w.router.id]));
    assert_eq!(row(store, tenant, taken[0].id).await.next_attempt, in_seconds(40));
    assert_eq!(row(store, tenant, taken[1].id).await.next_attempt, in_seconds(20));
    assert_eq!(row(store, tenant, taken[1].id).await.note, "note pending", "its own");
    let finished = row(store, tenant, taken[2].id).await;
    assert_eq!((finished.state, finished.next_attempt), (OutboxState::Done, now()), "what is done waits for nobody");
    // Silent once more, and now both wait.
    assert_eq!(begin(store, tenant, &rest(&w, 20, 50)).await, 2);
    assert_eq!((due(store, tenant, 49).await, due(store, tenant, 50).await), (vec![], vec![w.router.id]));
}

pub(super) async fn what_is_wished_ends_a_rest(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let line = w.subscriptions[0].id;
    // At the very moment of the rest: a payment is due at once, whatever the clock says.
    begin(store, tenant, &rest(&w, 0, 30)).await;
    let paid = ChangeSet { effects: vec![wish(&w, line, 2, 0)], ..ChangeSet::default() };
    write(store, tenant, paid).await;
    assert_eq!(store.router_rests(tenant).await.unwrap(), []);
    assert_eq!(due(store, tenant, 0).await, [w.router.id]);

    assert_eq!(begin(store, tenant, &rest(&w, 0, 30)).await, 3);
    assert_eq!(store.wish_again(tenant, &[], in_seconds(1)).await.unwrap(), []);
    assert_eq!(due(store, tenant, 1).await, []);
    assert_eq!(store.wish_again(tenant, &[wish(&w, line, 1, 0)], in_seconds(1)).await.unwrap(), []);
    assert_eq!(due(store, tenant, 1).await, [w.router.id]);

    // What is refused ends nothing.
    begin(store, tenant, &rest(&w, 1, 31)).await;
    let unknown = wish(&w, SubscriptionId(id(5, 999)), 1, 0);
    let refused = ChangeSet { effects: vec![wish(&w, line, 3, 0), unknown], ..ChangeSet::default() };
    assert!(store.commit(tenant, refused).await.is_err());
    assert_eq!(store.router_rests(tenant).await.unwrap(), [rest(&w, 1, 31)]);
}

pub(super) async fn a_rest_frees_what_the_dead_had_claimed(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let dead = claims(store, tenant, Claim { limit: 2, ..claim_all(Topic::Access, now()) }).await;
    assert_eq!(store.attempting(tenant, lease(worker(1), now()), &dead[..1]).await.unwrap(), [dead[0].id]);
    let lives = Claim { lease: lease(worker(2), in_seconds(200)), ..claim_all(Topic::Access, now()) };
    let lives = claims(store, tenant, lives).await;
    assert_eq!((lives.len(), due(store, tenant, 299).await), (1, vec![]), "nothing is free");
    assert_eq!(due(store, tenant, 300).await, [w.router.id], "a claim ran out");

    let resting = rest(&w, 300, 330);
    assert_eq!(begin(store, tenant, &resting).await, 3);
    for claim in &dead {
        let freed = row(store, tenant, claim.id).await;
        assert_eq!((freed.state, freed.next_attempt), (OutboxState::Pending, in_seconds(330)));
    }
    let kept = row(store, tenant, lives[0].id).await;
    assert_eq!((kept.state, kept.note.as_str()), (OutboxState::Claimed, ""), "it is left to its worker");
    // Whoever comes back to life has no word about them any more, and the one who lives has.
    let told = dead.iter().map(|claim| outcome(*claim, OutboxState::Done, now())).collect::<Vec<_>>();
    assert_eq!(record(store, tenant, worker(1), &told).await, dead.iter().map(|claim| claim.id).collect::<Vec<_>>());
    assert!(record(store, tenant, worker(2), &[outcome(lives[0], OutboxState::Done, now())]).await.is_empty());
    // They are claimed with a higher fence when the router is back.
    store.end_rest(tenant, w.router.id).await.unwrap();
    let third = Claim { lease: lease(worker(3), in_seconds(301)), ..claim_all(Topic::Access, in_seconds(301)) };
    let third = claims(store, tenant, third).await;
    assert_eq!(third.iter().map(|claim| claim.fence).collect::<Vec<_>>(), [2, 2]);
}

pub(super) async fn wishes_are_claimed_of_one_router(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let of = |router| Claim { router: Some(router), ..claim_all(Topic::Access, now()) };
    assert_eq!(ids(store, tenant, of(RouterId(id(3, 77)))).await, []);
    let earliest = ids(store, tenant, Claim { limit: 2, ..of(w.router.id) }).await;
    assert_eq!(earliest.len(), 2);
    // A rest keeps nobody from claiming: whoever claims has asked the router.
    begin(store, tenant, &rest(&w, 0, 30)).await;
    let rest = ids(store, tenant, of(w.router.id)).await;
    let mut all = [earliest, rest].concat();
    all.sort_unstable();
    let mut expected = first_wishes(&w);
    expected.sort_unstable();
    assert_eq!(all, expected);
    assert_eq!(ids(store, tenant, of(w.router.id)).await, []);
}

pub(super) async fn a_rest_of_a_later_clock_keeps_nobody_waiting(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    begin(store, tenant, &rest(&w, 86_400, 86_430)).await;
    assert_eq!(due(store, tenant, 1).await, [w.router.id], "the clock was a day ahead, and is right again");
    assert_eq!(due(store, tenant, 86_401).await, [], "by that clock it rests");
}

pub(super) async fn a_router_that_a_person_corrects_rests_no_more(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    begin(store, tenant, &rest(&w, 0, 30)).await;
    write(store, tenant, ChangeSet { sites: vec![w.site.clone()], ..ChangeSet::default() }).await;
    assert_eq!(due(store, tenant, 1).await, [], "its site is not it");
    let mut router = w.router.clone();
    router.endpoint.port += 1;
    write(store, tenant, ChangeSet { routers: vec![router], ..ChangeSet::default() }).await;
    assert_eq!(store.router_rests(tenant).await.unwrap(), []);
    assert_eq!(due(store, tenant, 1).await, [w.router.id]);

    begin(store, tenant, &rest(&w, 1, 31)).await;
    let machine = Machine { identity: "RTR-BDG".to_owned(), serial: None };
    let machine = KnownMachine { router_id: w.router.id, machine, since: in_seconds(2), by: None };
    write(store, tenant, ChangeSet { machines: vec![machine], ..ChangeSet::default() }).await;
    assert_eq!(due(store, tenant, 2).await, [w.router.id]);
}
