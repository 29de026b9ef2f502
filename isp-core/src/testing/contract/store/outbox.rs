//! Claims, attempts, outcomes, runs.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::{OutboxId, TenantId, WorkerId};
use crate::isolation::{AccessEffect, effect_id};
use crate::message::{Notification, NotificationKind};
use crate::ports::{
    ChangeSet, Claim, Claimed, Lease, Observed, OutboxQuery, OutboxRow, OutboxState, Outcome, PageQuery, Settled,
    Store, StoreError, Topic,
};
use crate::testing::sample::{TERM, World, id, moment};

use super::{world, write};

const NOW: &str = "2026-01-20T03:00:00Z";

pub(super) fn now() -> DateTime<Utc> {
    moment(NOW)
}

pub(super) fn in_seconds(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

/// A worker of the suite.
pub(super) fn worker(number: u64) -> WorkerId {
    WorkerId(id(40, number))
}

/// A lease of five minutes.
pub(super) fn lease(owner: WorkerId, now: DateTime<Utc>) -> Lease {
    Lease { owner, now, until: now + TimeDelta::seconds(300) }
}

/// A claim of everything that is due, by the first worker, for five minutes.
pub(super) fn claim_all(topic: Topic, now: DateTime<Utc>) -> Claim {
    Claim { topic, router: None, due: now, lease: lease(worker(1), now), limit: 100 }
}

fn message(tenant: TenantId, w: &World, number: u64, not_before: DateTime<Utc>) -> Notification {
    let kind = NotificationKind::DueSoon;
    Notification::new(tenant, kind, 3, w.customers[0].id, &[id(31, number)], not_before, crate::Zone::Wib)
}

pub(super) async fn send(
    store: &dyn Store,
    tenant: TenantId,
    w: &World,
    number: u64,
    not_before: DateTime<Utc>,
) -> OutboxId {
    let message = message(tenant, w, number, not_before);
    let id = message.id;
    write(store, tenant, ChangeSet { messages: vec![message], ..ChangeSet::default() }).await;
    id
}

pub(super) async fn row(store: &dyn Store, tenant: TenantId, id: OutboxId) -> OutboxRow {
    let found = store.outbox_row(tenant, id).await.unwrap().expect("a row of the outbox");
    let rows = store.outbox(tenant, OutboxQuery::default(), PageQuery::first(100)).await.unwrap();
    assert_eq!(rows.into_iter().find(|r| r.id == id), Some(found.clone()));
    found
}

/// The claims that a claim returns.
pub(super) async fn claims(store: &dyn Store, tenant: TenantId, claim: Claim) -> Vec<Claimed> {
    store.claim(tenant, claim).await.unwrap().iter().map(OutboxRow::claimed).collect()
}

pub(super) async fn ids(store: &dyn Store, tenant: TenantId, claim: Claim) -> Vec<OutboxId> {
    claims(store, tenant, claim).await.into_iter().map(|claimed| claimed.id).collect()
}

/// Records outcomes of the first worker; those that were refused.
pub(super) async fn record(store: &dyn Store, tenant: TenantId, by: WorkerId, outcomes: &[Outcome]) -> Vec<OutboxId> {
    let recorded = store.record(tenant, by, outcomes, Observed::default()).await.unwrap();
    assert!(!recorded.doubted);
    recorded.lost
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
    let messages = claims(store, tenant, claim_all(Topic::Message, now())).await;
    assert_eq!(messages.iter().map(|c| (c.id, c.fence)).collect::<Vec<_>>(), [(claimed, 1), (calling, 1)]);
    let wishes = claims(store, tenant, claim_all(Topic::Access, now())).await;
    assert_eq!(wishes, [Claimed { id: wish, fence: 1 }]);
    let called = lease(worker(1), now());
    assert_eq!(store.attempting(tenant, called, &messages[1..]).await.unwrap(), [calling]);
    assert_eq!(store.attempting(tenant, called, &wishes).await.unwrap(), [wish]);
    // Whoever asks: a claim that did not run out is nobody else's.
    for number in [1, 2] {
        for topic in [Topic::Message, Topic::Access] {
            let early = Claim { lease: lease(worker(number), in_seconds(299)), ..claim_all(topic, in_seconds(299)) };
            assert!(ids(store, tenant, early).await.is_empty());
        }
    }
    // A message whose sender died while calling may have gone out: it is never sent again by itself.
    let second = |topic, seconds| Claim {
        lease: lease(worker(2), in_seconds(seconds)),
        ..claim_all(topic, in_seconds(seconds))
    };
    assert_eq!(claims(store, tenant, second(Topic::Message, 300)).await, [Claimed { id: claimed, fence: 2 }]);
    let lost = row(store, tenant, calling).await;
    assert_eq!((lost.state, lost.attempts), (OutboxState::Unknown, 1));
    // A router is brought to its state again: that changes nothing.
    let again = store.claim(tenant, second(Topic::Access, 300)).await.unwrap();
    assert_eq!(
        again.iter().map(|r| (r.id, r.state, r.attempts, r.fence)).collect::<Vec<_>>(),
        [(wish, OutboxState::Claimed, 1, 2)]
    );
    assert!(ids(store, tenant, claim_all(Topic::Message, in_seconds(599))).await.is_empty());
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(600))).await, [claimed]);
}

pub(super) async fn attempts_need_the_claim(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let first = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let second = send(store, tenant, &w, 2, in_seconds(-20)).await;
    let claim = claim_all(Topic::Message, now());
    let claimed = claims(store, tenant, Claim { limit: 1, ..claim }).await;
    assert_eq!(claimed, [Claimed { id: first, fence: 1 }]);
    let call = async |by: u64, rows: &[Claimed]| {
        let mut ours = store.attempting(tenant, lease(worker(by), now()), rows).await.unwrap();
        ours.sort_unstable();
        ours
    };
    // Not another worker's, not under another fence, not one that is not claimed or not there.
    assert!(call(2, &claimed).await.is_empty());
    assert!(call(1, &[Claimed { id: first, fence: 0 }, Claimed { id: first, fence: 2 }]).await.is_empty());
    assert!(
        call(1, &[Claimed { id: second, fence: 0 }, Claimed { id: OutboxId(id(31, 99)), fence: 1 }]).await.is_empty()
    );
    assert_eq!(row(store, tenant, first).await.state, OutboxState::Claimed);
    // One that was lost does not stop the others.
    assert_eq!(call(1, &[claimed[0], Claimed { id: second, fence: 0 }]).await, [first]);
    let called = row(store, tenant, first).await;
    assert_eq!((called.state, called.attempts), (OutboxState::Attempting, 1));
    assert!(call(1, &claimed).await.is_empty());
    assert!(call(1, &[]).await.is_empty());
    assert!(
        record(store, tenant, worker(1), &[outcome(claimed[0], OutboxState::Pending, in_seconds(60))]).await.is_empty()
    );
    let again = claims(store, tenant, claim_all(Topic::Message, in_seconds(60))).await;
    assert_eq!(again, [Claimed { id: second, fence: 1 }, Claimed { id: first, fence: 2 }]);
    let mut both = vec![first, second];
    both.sort_unstable();
    assert_eq!(call(1, &again).await, both);
    assert_eq!(row(store, tenant, first).await.attempts, 2);
    assert_eq!(row(store, tenant, second).await.attempts, 1);
}

pub(super) fn outcome(row: Claimed, state: OutboxState, next_attempt: DateTime<Utc>) -> Outcome {
    let note = format!("note {}", state.code());
    Outcome { row, state, next_attempt, note, provider_id: None, template: None, at: now() }
}

pub(super) async fn outcomes_are_recorded(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let ended = [OutboxState::Done, OutboxState::Dropped, OutboxState::Failed, OutboxState::Unknown];
    let states = [&ended[..], &[OutboxState::Pending]].concat();
    for (number, _) in (1..).zip(&states) {
        send(store, tenant, &w, number, in_seconds(-30)).await;
    }
    let rows = claims(store, tenant, claim_all(Topic::Message, now())).await;
    assert_eq!(rows.len(), states.len());
    let outcomes: Vec<Outcome> = rows
        .iter()
        .zip(&states)
        .map(|(claimed, state)| Outcome {
            provider_id: (*state == OutboxState::Done).then(|| "wamid.1".into()),
            template: (*state == OutboxState::Pending).then(|| "tagihan".into()),
            ..outcome(*claimed, *state, in_seconds(120))
        })
        .collect();
    assert!(record(store, tenant, worker(1), &outcomes).await.is_empty());
    for (claimed, state) in rows.iter().zip(&states) {
        let row = row(store, tenant, claimed.id).await;
        assert_eq!((row.state, row.note.as_str()), (*state, format!("note {}", state.code()).as_str()));
        assert_eq!(row.provider_id.as_deref(), (*state == OutboxState::Done).then_some("wamid.1"));
        assert_eq!(row.template.as_deref(), (*state == OutboxState::Pending).then_some("tagihan"));
        assert_eq!(row.finished_at, ended.contains(state).then(now));
        if *state == OutboxState::Pending {
            assert_eq!(row.next_attempt, in_seconds(120));
        }
    }
    // What came to its end is never claimed again; what waits is, at its moment.
    assert!(ids(store, tenant, claim_all(Topic::Message, in_seconds(119))).await.is_empty());
    let waiting = claims(store, tenant, claim_all(Topic::Message, in_seconds(120))).await;
    assert_eq!(waiting, [Claimed { id: rows[4].id, fence: 2 }]);
    // A second word about a claim is none: the first ended it.
    assert_eq!(record(store, tenant, worker(1), &[outcome(rows[0], OutboxState::Failed, now())]).await, [rows[0].id]);
    assert_eq!(row(store, tenant, rows[0].id).await.state, OutboxState::Done);
    // An outcome that is refused takes none of the others with it.
    let nobody = Claimed { id: OutboxId(id(31, 99)), fence: 1 };
    let both = [outcome(nobody, OutboxState::Done, now()), outcome(waiting[0], OutboxState::Dropped, now())];
    assert_eq!(record(store, tenant, worker(1), &both).await, [nobody.id]);
    assert_eq!(row(store, tenant, rows[4].id).await.state, OutboxState::Dropped);
    assert!(record(store, tenant, worker(1), &[]).await.is_empty());
}

pub(super) async fn the_channels_id_stays(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    send(store, tenant, &w, 1, in_seconds(-30)).await;
    let claimed = claims(store, tenant, claim_all(Topic::Message, now())).await[0];
    let held = Outcome { provider_id: Some("wamid.1".into()), ..outcome(claimed, OutboxState::Pending, now()) };
    assert!(record(store, tenant, worker(1), &[held]).await.is_empty());
    let again = claims(store, tenant, claim_all(Topic::Message, now())).await[0];
    assert!(record(store, tenant, worker(1), &[outcome(again, OutboxState::Done, now())]).await.is_empty());
    assert_eq!(row(store, tenant, claimed.id).await.provider_id.as_deref(), Some("wamid.1"));
}

/// Whoever was stopped in the middle and goes on when its claim is another's changes nothing any more.
pub(super) async fn outcomes_of_a_lost_claim_are_refused(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let id = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let lost = claims(store, tenant, claim_all(Topic::Message, now())).await;
    let later = in_seconds(300);
    let second = Claim { lease: lease(worker(2), later), ..claim_all(Topic::Message, later) };
    let taken = claims(store, tenant, second).await;
    assert_eq!(taken, [Claimed { id, fence: 2 }]);
    assert!(store.attempting(tenant, lease(worker(1), later), &lost).await.unwrap().is_empty());
    store.renew(tenant, lease(worker(1), in_seconds(9_000))).await.unwrap();
    store.release(tenant, worker(1)).await.unwrap();
    assert_eq!(record(store, tenant, worker(1), &[outcome(lost[0], OutboxState::Pending, later)]).await, [id]);
    assert_eq!(row(store, tenant, id).await.state, OutboxState::Claimed);
    // Neither does a worker of the same name under an older fence, nor another one under the right fence.
    assert_eq!(record(store, tenant, worker(2), &[outcome(lost[0], OutboxState::Pending, later)]).await, [id]);
    assert_eq!(record(store, tenant, worker(1), &[outcome(taken[0], OutboxState::Pending, later)]).await, [id]);
    assert_eq!(store.attempting(tenant, lease(worker(2), later), &taken).await.unwrap(), [id]);
    assert!(record(store, tenant, worker(2), &[outcome(taken[0], OutboxState::Done, later)]).await.is_empty());
    assert_eq!(record(store, tenant, worker(1), &[outcome(lost[0], OutboxState::Failed, later)]).await, [id]);
    assert_eq!(row(store, tenant, id).await.state, OutboxState::Done);
}

/// A message became unknown because its worker was stopped while it called. When the worker goes on it knows more than
/// anybody, as long as nobody else had a hand in it.
pub(super) async fn a_late_owner_tells_what_became_of_it(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let first = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let second = send(store, tenant, &w, 2, in_seconds(-20)).await;
    let claimed = claims(store, tenant, claim_all(Topic::Message, now())).await;
    store.attempting(tenant, lease(worker(1), now()), &claimed).await.unwrap();
    let later = Claim { lease: lease(worker(2), in_seconds(300)), ..claim_all(Topic::Message, in_seconds(300)) };
    assert!(ids(store, tenant, later).await.is_empty());
    let unknown = [OutboxState::Unknown];
    let settled = Settled { state: OutboxState::Dropped, note: "dropped, says Sari".into(), at: in_seconds(301) };
    assert!(store.settle(tenant, &[second], &unknown, settled).await.unwrap().is_empty());
    let outcomes = claimed.iter().map(|c| outcome(*c, OutboxState::Done, now())).collect::<Vec<_>>();
    assert_eq!(record(store, tenant, worker(1), &outcomes).await, [second]);
    assert_eq!(row(store, tenant, first).await.state, OutboxState::Done);
    assert_eq!(row(store, tenant, second).await.state, OutboxState::Dropped);
}

pub(super) async fn renewed_claims_hold(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let claimed = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let calling = send(store, tenant, &w, 2, in_seconds(-20)).await;
    let held = claims(store, tenant, claim_all(Topic::Message, now())).await;
    store.attempting(tenant, lease(worker(1), now()), &held[1..]).await.unwrap();
    store.renew(tenant, lease(worker(1), in_seconds(299))).await.unwrap();
    assert!(ids(store, tenant, claim_all(Topic::Message, in_seconds(598))).await.is_empty());
    assert_eq!(row(store, tenant, calling).await.state, OutboxState::Attempting);
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(599))).await, [claimed]);
    assert_eq!(row(store, tenant, calling).await.state, OutboxState::Unknown);
}

pub(super) async fn released_claims_are_free(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let claimed = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let calling = send(store, tenant, &w, 2, in_seconds(-20)).await;
    let wish = effect_id(w.subscriptions[0].id, w.router.id, 1);
    let messages = claims(store, tenant, claim_all(Topic::Message, now())).await;
    let wishes = claims(store, tenant, claim_all(Topic::Access, now())).await;
    store.attempting(tenant, lease(worker(1), now()), &messages[1..]).await.unwrap();
    store.attempting(tenant, lease(worker(1), now()), &wishes).await.unwrap();
    // Only its own.
    store.release(tenant, worker(2)).await.unwrap();
    assert_eq!(row(store, tenant, claimed).await.state, OutboxState::Claimed);
    store.release(tenant, worker(1)).await.unwrap();
    assert_eq!(row(store, tenant, claimed).await.state, OutboxState::Pending);
    assert_eq!(row(store, tenant, calling).await.state, OutboxState::Unknown);
    let wished = row(store, tenant, wish).await;
    assert_eq!((wished.state, wished.attempts), (OutboxState::Pending, 1));
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, now())).await, [claimed]);
    assert_eq!(ids(store, tenant, claim_all(Topic::Access, now())).await, [wish]);
}

pub(super) async fn one_run_at_a_time(store: &dyn Store, tenant: TenantId) {
    world(store, tenant, 1).await;
    let guard = store.begin_run(tenant, TERM).await.unwrap();
    assert_eq!(store.begin_run(tenant, TERM).await.map(|_| ()), Err(StoreError::Busy));
    // It holds no transaction: others read and write.
    write(store, tenant, ChangeSet { billing_position: Some(crate::Date::MIN), ..ChangeSet::default() }).await;
    guard.end().await.unwrap();
    let second = store.begin_run(tenant, TERM).await.unwrap();
    drop(second);
    // Where nobody waits for it, giving up may reach the database a moment later.
    let mut again = store.begin_run(tenant, TERM).await;
    for _ in 0..2_000 {
        if again.is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
        again = store.begin_run(tenant, TERM).await;
    }
    assert!(again.is_ok(), "{again:?}");
}

/// A run that begins frees nothing: what is claimed may be in the hands of somebody who lives.
pub(super) async fn a_run_touches_no_claim(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let claimed = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let calling = send(store, tenant, &w, 2, in_seconds(-20)).await;
    let rows = claims(store, tenant, claim_all(Topic::Message, now())).await;
    store.attempting(tenant, lease(worker(1), now()), &rows[1..]).await.unwrap();
    let guard = store.begin_run(tenant, TERM).await.unwrap();
    assert_eq!(row(store, tenant, claimed).await.state, OutboxState::Claimed);
    assert_eq!(row(store, tenant, calling).await.state, OutboxState::Attempting);
    drop(guard);
}

/// What a person says ends every claim.
pub(super) async fn messages_are_settled_by_a_person(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let id = send(store, tenant, &w, 1, in_seconds(-30)).await;
    let states = [OutboxState::Unknown, OutboxState::Failed];
    let settled = |state| Settled { state, note: format!("{} it is", state.code()), at: in_seconds(5) };
    let settle = async |id, state| store.settle(tenant, &[id], &states, settled(state)).await.unwrap().is_empty();
    assert!(!settle(id, OutboxState::Done).await, "it is pending");
    assert!(!settle(OutboxId(crate::testing::sample::id(31, 99)), OutboxState::Done).await, "it is not there");
    let wish = effect_id(w.subscriptions[0].id, w.router.id, 1);
    let wished = claims(store, tenant, claim_all(Topic::Access, now())).await;
    assert!(record(store, tenant, worker(1), &[outcome(wished[0], OutboxState::Failed, now())]).await.is_empty());
    assert!(!settle(wish, OutboxState::Dropped).await, "it is no message");
    let claimed = claims(store, tenant, claim_all(Topic::Message, now())).await;
    assert!(record(store, tenant, worker(1), &[outcome(claimed[0], OutboxState::Unknown, now())]).await.is_empty());
    // All or none: beside one that is not there, or is no message, nothing is written.
    let missing = OutboxId(crate::testing::sample::id(31, 99));
    let refused = store.settle(tenant, &[missing, id, wish], &states, settled(OutboxState::Done)).await.unwrap();
    assert_eq!(refused, [missing, wish]);
    assert_eq!(row(store, tenant, id).await.state, OutboxState::Unknown);
    assert!(settle(id, OutboxState::Pending).await);
    let again = row(store, tenant, id).await;
    assert_eq!((again.state, again.next_attempt, again.finished_at), (OutboxState::Pending, in_seconds(5), None));
    assert_eq!((again.fence, again.note.as_str()), (2, "pending it is"));
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, in_seconds(5))).await, [id]);
}

/// One word sends everything again that a template stopped, and nothing else.
pub(super) async fn messages_of_a_template_go_again(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    for number in 1..=5 {
        send(store, tenant, &w, number, in_seconds(-40 + number as i64)).await;
    }
    let rows = claims(store, tenant, claim_all(Topic::Message, now())).await;
    let of = |at: usize, state, template: &str| Outcome {
        template: Some(template.into()),
        ..outcome(rows[at], state, in_seconds(600))
    };
    let outcomes = [
        of(0, OutboxState::Pending, "tagihan"),
        of(1, OutboxState::Failed, "tagihan/id"),
        of(2, OutboxState::Pending, "tagihan_lain/id"),
        of(3, OutboxState::Dropped, "tagihan"),
        outcome(rows[4], OutboxState::Failed, now()),
    ];
    assert!(record(store, tenant, worker(1), &outcomes).await.is_empty());
    assert_eq!(store.retry_templates(tenant, Some("tagihan/en"), now()).await.unwrap(), 0);
    assert_eq!(store.retry_templates(tenant, Some("tagihan"), now()).await.unwrap(), 2);
    let mut due = ids(store, tenant, claim_all(Topic::Message, now())).await;
    due.sort_unstable();
    let mut expected = vec![rows[0].id, rows[1].id];
    expected.sort_unstable();
    assert_eq!(due, expected);
    // Of all templates: those two are with a worker now, and the last failed for another reason.
    assert_eq!(store.retry_templates(tenant, None, now()).await.unwrap(), 1);
    assert_eq!(ids(store, tenant, claim_all(Topic::Message, now())).await, [rows[2].id]);
    assert_eq!(row(store, tenant, rows[1].id).await.finished_at, None);
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
        assert_eq!(store.outbox_count(tenant, query).await, Ok(rows.len() as u64));
        assert_eq!(rows.iter().map(|r| r.id).collect::<Vec<_>>(), expected, "{why}");
        let page = PageQuery { after: Some(expected[0]), limit: 1 };
        let next: Vec<_> = store.outbox(tenant, query, page).await.unwrap().iter().map(|r| r.id).collect();
        assert_eq!(next, expected.iter().skip(1).take(1).copied().collect::<Vec<_>>(), "{why}");
    }
}

pub(super) async fn wishes_are_made_due_again(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let wish = |n: usize, revision| AccessEffect {
        subscription_id: w.subscriptions[n].id,
        router_id: w.router.id,
        revision,
        not_before: now(),
    };
    let id = |n: usize| effect_id(w.subscriptions[n].id, w.router.id, 1);
    let taken = claims(store, tenant, claim_all(Topic::Access, now())).await;
    let of = |n: usize| *taken.iter().find(|claimed| claimed.id == id(n)).expect("its wish");
    let later = Outcome { next_attempt: in_seconds(900), ..outcome(of(1), OutboxState::Pending, now()) };
    assert!(record(store, tenant, worker(1), &[outcome(of(0), OutboxState::Done, now()), later]).await.is_empty());

    // One is finished, one waits, one is at work, one was never there.
    let all = [wish(0, 1), wish(1, 1), wish(2, 1), wish(0, 9)];
    let anew = store.wish_again(tenant, &all, in_seconds(60)).await.unwrap();
    assert_eq!(anew, [w.subscriptions[0].id, w.subscriptions[0].id]);
    let first = row(store, tenant, id(0)).await;
    assert_eq!((first.state, first.next_attempt, first.finished_at), (OutboxState::Pending, in_seconds(60), None));
    assert_eq!(row(store, tenant, id(1)).await.next_attempt, in_seconds(60), "it waits no more");
    assert_eq!(row(store, tenant, id(2)).await.state, OutboxState::Claimed, "it is left to its worker");
    // Whoever had finished it before has no word about it any more.
    assert_eq!(record(store, tenant, worker(1), &[outcome(of(0), OutboxState::Failed, now())]).await, [id(0)]);
    let due = ids(store, tenant, claim_all(Topic::Access, in_seconds(60))).await;
    assert_eq!(due.len(), 3, "{due:?}");
    assert_eq!(store.wish_again(tenant, &[], in_seconds(60)).await.unwrap(), []);
}
