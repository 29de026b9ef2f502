//! Claims, attempts, outcomes, runs.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::{OutboxId, TenantId};
use crate::isolation::{AccessEffect, effect_id};
use crate::message::{Notification, NotificationKind};
use crate::ports::{
    ChangeSet, Claim, OutboxQuery, OutboxRow, OutboxState, Outcome, PageQuery, Store, StoreError, Topic,
};
use crate::testing::sample::{World, id, moment};

use super::{world, write};

const NOW: &str = "2026-01-20T03:00:00Z";

fn now() -> DateTime<Utc> {
    moment(NOW)
}

fn in_seconds(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

/// A claim of everything that is due, for five minutes.
pub(super) fn claim_all(topic: Topic, now: DateTime<Utc>) -> Claim {
    Claim { topic, now, until: now + TimeDelta::seconds(300), limit: 100 }
}

fn message(tenant: TenantId, w: &World, number: u64, not_before: DateTime<Utc>) -> Notification {
    let kind = NotificationKind::DueSoon;
    Notification::new(tenant, kind, 3, w.customers[0].id, &[id(31, number)], not_before, crate::Zone::Wib)
}

async fn send(store: &dyn Store, tenant: TenantId, w: &World, number: u64, not_before: DateTime<Utc>) -> OutboxId {
    let message = message(tenant, w, number, not_before);
    let id = message.id;
    write(store, tenant, ChangeSet { messages: vec![message], ..ChangeSet::default() }).await;
    id
}

async fn row(store: &dyn Store, tenant: TenantId, id: OutboxId) -> OutboxRow {
    let rows = store.outbox(tenant, OutboxQuery::default(), PageQuery::first(100)).await.unwrap();
    rows.into_iter().find(|r| r.id == id).expect("a row of the outbox")
}

async fn ids(store: &dyn Store, tenant: TenantId, claim: Claim) -> Vec<OutboxId> {
    store.claim(tenant, claim).await.unwrap().into_iter().map(|r| r.id).collect()
}

pub(super) async fn claims_take_what_is_due_in_order(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let third = send(store, tenant, &w, 1, in_seconds(-10)).await;
    let first = send(store, tenant, &w, 2, in_seconds(-30)).await;
    let second = send(store, tenant, &w, 3, in_seconds(-20)).await;
    let just = send(store, tenant, &w, 4, now()).await;
    let later = send(store, tenant, &w, 5, in_seconds(1)).await;
    let claim = claim_all(Topic::Message, now());
    let rows = store.claim(tenant, Claim { limit: 2, ..claim }).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.id).collect::<Vec<_>>(), [first, second]);
    assert!(rows.iter().all(|r| r.state == OutboxState::Claimed && r.attempts == 0));
    assert_eq!(rows[0], row(store, tenant, first).await);
    assert_eq!(ids(store, tenant, claim).await, [third, just]);
    assert!(ids(store, tenant, claim).await.is_empty());
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(1))).await, [later]);
    // Another topic has its own rows: the wish from the registration of the line.
    let wish = effect_id(w.subscriptions[0].id, w.router.id, 1);
    assert_eq!(ids(store, tenant, claim_all(Topic::Access, now())).await, [wish]);
    assert!(
        store.claim(tenant, Claim { limit: 0, ..claim_all(Topic::Access, in_seconds(900)) }).await.unwrap().is_empty()
    );
}

pub(super) async fn claims_run_out(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let wish = effect_id(w.subscriptions[0].id, w.router.id, 1);
    let claimed = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let calling = send(store, tenant, &w, 2, in_seconds(-20)).await;
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, now())).await, [claimed, calling]);
    assert_eq!(ids(store, tenant, claim_all(Topic::Access, now())).await, [wish]);
    store.attempting(tenant, &[calling]).await.unwrap();
    store.attempting(tenant, &[wish]).await.unwrap();
    for topic in [Topic::Message, Topic::Access] {
        assert!(ids(store, tenant, claim_all(topic, in_seconds(299))).await.is_empty());
    }
    // A message whose sender died while calling may have gone out: it is never sent again by itself.
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(300))).await, [claimed]);
    let lost = row(store, tenant, calling).await;
    assert_eq!((lost.state, lost.attempts), (OutboxState::Unknown, 1));
    // A router is brought to its state again: that changes nothing.
    let again = store.claim(tenant, claim_all(Topic::Access, in_seconds(300))).await.unwrap();
    assert_eq!(
        again.iter().map(|r| (r.id, r.state, r.attempts)).collect::<Vec<_>>(),
        [(wish, OutboxState::Claimed, 1)]
    );
    assert!(ids(store, tenant, claim_all(Topic::Message, in_seconds(599))).await.is_empty());
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(600))).await, [claimed]);
}

pub(super) async fn attempts_are_counted_once_claimed(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let first = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let second = send(store, tenant, &w, 2, in_seconds(-20)).await;
    let claim = claim_all(Topic::Message, now());
    assert_eq!(ids(store, tenant, Claim { limit: 1, ..claim }).await, [first]);
    // One that is not claimed stops all: somebody else has it, or it is done.
    assert_eq!(store.attempting(tenant, &[first, second]).await, Err(StoreError::Conflict));
    assert_eq!(row(store, tenant, first).await.state, OutboxState::Claimed);
    store.attempting(tenant, &[first]).await.unwrap();
    let called = row(store, tenant, first).await;
    assert_eq!((called.state, called.attempts), (OutboxState::Attempting, 1));
    assert_eq!(store.attempting(tenant, &[first]).await, Err(StoreError::Conflict));
    assert_eq!(store.attempting(tenant, &[OutboxId(id(31, 99))]).await, Err(StoreError::Conflict));
    store.attempting(tenant, &[]).await.unwrap();
    let again = outcome(first, OutboxState::Pending, in_seconds(60));
    store.record(tenant, &[again], &[]).await.unwrap();
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(60))).await, [second, first]);
    store.attempting(tenant, &[first, second]).await.unwrap();
    assert_eq!(row(store, tenant, first).await.attempts, 2);
    assert_eq!(row(store, tenant, second).await.attempts, 1);
}

fn outcome(id: OutboxId, state: OutboxState, next_attempt: DateTime<Utc>) -> Outcome {
    let note = format!("note {}", state.code());
    Outcome { id, state, next_attempt, note, provider_id: None, at: now() }
}

pub(super) async fn outcomes_are_recorded(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let mut rows = Vec::new();
    for (number, state) in (1..).zip(OutboxState::ALL) {
        rows.push((send(store, tenant, &w, number, in_seconds(-30)).await, state));
    }
    assert_eq!(store.claim(tenant, claim_all(Topic::Message, now())).await.unwrap().len(), rows.len());
    let ended = [OutboxState::Done, OutboxState::Dropped, OutboxState::Failed, OutboxState::Unknown];
    let recorded: Vec<_> =
        rows.iter().filter(|(_, state)| ended.contains(state) || *state == OutboxState::Pending).collect();
    let outcomes: Vec<Outcome> = recorded
        .iter()
        .map(|(id, state)| Outcome {
            provider_id: (*state == OutboxState::Done).then(|| "wamid.1".into()),
            ..outcome(*id, *state, in_seconds(120))
        })
        .collect();
    store.record(tenant, &outcomes, &[]).await.unwrap();
    for (id, state) in recorded {
        let row = row(store, tenant, *id).await;
        assert_eq!((row.state, row.note.as_str()), (*state, format!("note {}", state.code()).as_str()));
        assert_eq!(row.provider_id.as_deref(), (*state == OutboxState::Done).then_some("wamid.1"));
        assert_eq!(row.finished_at, ended.contains(state).then(now));
        if *state == OutboxState::Pending {
            assert_eq!(row.next_attempt, in_seconds(120));
        }
    }
    // What came to its end is never claimed again; what waits is, at its moment.
    assert!(ids(store, tenant, claim_all(Topic::Message, in_seconds(119))).await.is_empty());
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(120))).await, [rows[0].0]);
    // The channel's id stays when a later word does not bring one.
    let done = rows.iter().find(|(_, s)| *s == OutboxState::Done).map(|(id, _)| *id).expect("a row that is done");
    store.record(tenant, &[outcome(done, OutboxState::Failed, now())], &[]).await.unwrap();
    assert_eq!(row(store, tenant, done).await.provider_id.as_deref(), Some("wamid.1"));
    // All or nothing.
    let unknown = outcome(OutboxId(id(31, 99)), OutboxState::Done, now());
    let both = [outcome(done, OutboxState::Dropped, now()), unknown];
    assert_eq!(store.record(tenant, &both, &[]).await, Err(StoreError::NotFound { what: "outbox" }));
    assert_eq!(row(store, tenant, done).await.state, OutboxState::Failed);
    store.record(tenant, &[], &[]).await.unwrap();
}

/// Two messages and a wish: one message claimed, the other and the wish being called for.
async fn under_way(store: &dyn Store, tenant: TenantId, w: &World) -> [OutboxId; 3] {
    let claimed = send(store, tenant, w, 1, in_seconds(-30)).await;
    let calling = send(store, tenant, w, 2, in_seconds(-20)).await;
    let wish = effect_id(w.subscriptions[0].id, w.router.id, 1);
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, now())).await, [claimed, calling]);
    assert_eq!(ids(store, tenant, claim_all(Topic::Access, now())).await, [wish]);
    store.attempting(tenant, &[calling]).await.unwrap();
    store.attempting(tenant, &[wish]).await.unwrap();
    [claimed, calling, wish]
}

async fn assert_freed(store: &dyn Store, tenant: TenantId, [claimed, calling, wish]: [OutboxId; 3]) {
    assert_eq!(row(store, tenant, claimed).await.state, OutboxState::Pending);
    assert_eq!(row(store, tenant, calling).await.state, OutboxState::Unknown);
    let wished = row(store, tenant, wish).await;
    assert_eq!((wished.state, wished.attempts), (OutboxState::Pending, 1));
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, now())).await, [claimed]);
    assert_eq!(ids(store, tenant, claim_all(Topic::Access, now())).await, [wish]);
}

pub(super) async fn released_claims_are_free(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let rows = under_way(store, tenant, &w).await;
    store.release(tenant).await.unwrap();
    assert_freed(store, tenant, rows).await;
}

pub(super) async fn one_run_at_a_time(store: &dyn Store, tenant: TenantId) {
    world(store, tenant, 1).await;
    let guard = store.begin_run(tenant).await.unwrap();
    assert_eq!(store.begin_run(tenant).await.map(|_| ()), Err(StoreError::Busy));
    // It holds no transaction: others read and write.
    write(store, tenant, ChangeSet { billing_position: Some(crate::Date::MIN), ..ChangeSet::default() }).await;
    drop(guard);
    // Giving up may reach the database a moment later.
    let mut again = store.begin_run(tenant).await;
    for _ in 0..2_000 {
        if again.is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
        again = store.begin_run(tenant).await;
    }
    assert!(again.is_ok(), "{again:?}");
}

pub(super) async fn a_run_frees_what_a_dead_one_left(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let rows = under_way(store, tenant, &w).await;
    let guard = store.begin_run(tenant).await.unwrap();
    assert_freed(store, tenant, rows).await;
    // Refused, it frees nothing of the run that has the right.
    assert_eq!(store.begin_run(tenant).await.map(|_| ()), Err(StoreError::Busy));
    assert_eq!(row(store, tenant, rows[0]).await.state, OutboxState::Claimed);
    drop(guard);
}

pub(super) async fn lists_of_the_outbox_are_filtered(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let first = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let mut other = message(tenant, &w, 2, in_seconds(-20));
    other.customer_id = w.customers[1].id;
    let other_id = other.id;
    let effect =
        AccessEffect { subscription_id: w.subscriptions[0].id, router_id: w.router.id, revision: 2, not_before: now() };
    write(store, tenant, ChangeSet { messages: vec![other], effects: vec![effect], ..ChangeSet::default() }).await;
    ids(store, tenant, Claim { limit: 1, ..claim_all(Topic::Message, now()) }).await;
    let wishes = [
        effect_id(w.subscriptions[0].id, w.router.id, 1),
        effect_id(w.subscriptions[1].id, w.router.id, 1),
        effect_id(w.subscriptions[0].id, w.router.id, 2),
    ];
    let all = OutboxQuery::default();
    for (why, query, mut expected) in [
        ("all", all, [vec![first, other_id], wishes.to_vec()].concat()),
        ("topic", OutboxQuery { topic: Some(Topic::Access), ..all }, wishes.to_vec()),
        ("state", OutboxQuery { state: Some(OutboxState::Claimed), ..all }, vec![first]),
        ("customer", OutboxQuery { customer: Some(w.customers[1].id), ..all }, vec![other_id]),
        (
            "several",
            OutboxQuery { topic: Some(Topic::Message), state: Some(OutboxState::Pending), ..all },
            vec![other_id],
        ),
    ] {
        expected.sort_unstable();
        let rows = store.outbox(tenant, query, PageQuery::first(9)).await.unwrap();
        assert_eq!(rows.iter().map(|r| r.id).collect::<Vec<_>>(), expected, "{why}");
        let page = PageQuery { after: Some(expected[0]), limit: 1 };
        let next: Vec<_> = store.outbox(tenant, query, page).await.unwrap().iter().map(|r| r.id).collect();
        assert_eq!(next, expected.iter().skip(1).take(1).copied().collect::<Vec<_>>(), "{why}");
    }
}
