//! The contract of [`InboxStore`].
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a suite of assertions")]

use chrono::{DateTime, TimeDelta, Utc};

use crate::customer::Customer;
use crate::ids::{OutboxId, PageLinkId, TenantId, WorkerId};
use crate::message::{Notification, NotificationKind};
use crate::payment::PageLink;
use crate::payment::virtual_account::digits_of;
use crate::ports::{
    ChangeSet, Claim, Claimed, DeliveryWord, Forgotten, Heard, InboxStore, Lease, Observed, OutboxState, Outcome,
    PageQuery, Store, Webhook, WebhookOutcome, WebhookState,
};
use crate::privacy::{Erased, Erasure, Person, without_person};
use crate::testing::sample::{World, id, moment, tenant};

fn at(seconds: i64) -> DateTime<Utc> {
    moment("2026-01-20T03:00:00Z") + TimeDelta::seconds(seconds)
}

fn lease(worker: u64, now: DateTime<Utc>) -> Lease {
    Lease { owner: WorkerId(id(40, worker)), now, until: now + TimeDelta::seconds(30) }
}

fn hook(tenant: TenantId, body: &str, seconds: i64) -> Webhook {
    Webhook::new(tenant, "whatsapp", vec![("x-sign".into(), "a\"b".into())], body.as_bytes().to_vec(), at(seconds))
}

/// Runs every case, each in a tenant of its own from `first` on.
///
/// # Panics
/// When the store breaks the contract.
pub async fn run_all<S: Store + InboxStore>(store: &S, first: u64) {
    webhooks_are_kept_once_and_claimed_by_one(store, tenant(first)).await;
    webhooks_are_settled_by_who_has_them(store, tenant(first + 1)).await;
    what_is_heard_is_folded(store, tenant(first + 2)).await;
    links_are_found_by_hash_and_forgotten(store, tenant(first + 3)).await;
    who_opts_out_is_told_with_the_facts(store, tenant(first + 4)).await;
    links_and_webhooks_of_a_forgotten_person_go(store, tenant(first + 5)).await;
}

async fn webhooks_are_kept_once_and_claimed_by_one<S: Store + InboxStore>(store: &S, tenant: TenantId) {
    let (a, b) = (hook(tenant, "{\"a\":1}", 0), hook(tenant, "\u{0}\u{fffd}b", 5));
    assert_eq!(store.keep_webhooks(tenant, vec![a.clone(), b.clone(), a.clone()]).await, Ok(2));
    assert_eq!(store.keep_webhooks(tenant, vec![a.clone()]).await, Ok(0), "said again, it is one");
    assert_eq!(store.keep_webhooks(tenant, Vec::new()).await, Ok(0));
    let claimed = store.claim_webhooks(tenant, lease(1, at(0)), 10).await.unwrap();
    assert!(claimed.len() == 1 && claimed[0].webhook == a, "b is not due yet");
    assert!(store.claim_webhooks(tenant, lease(2, at(0)), 10).await.unwrap().is_empty(), "another worker has it");
    let late = store.claim_webhooks(tenant, lease(2, at(31)), 10).await.unwrap();
    let late: Vec<_> = late.into_iter().map(|row| row.webhook).collect();
    assert_eq!(late, [a, b], "a claim runs out");
}

async fn webhooks_are_settled_by_who_has_them<S: Store + InboxStore>(store: &S, tenant: TenantId) {
    let hooks: Vec<Webhook> = ["1", "2", "3"].map(|body| hook(tenant, body, 0)).into();
    store.keep_webhooks(tenant, hooks.clone()).await.unwrap();
    store.claim_webhooks(tenant, lease(1, at(1)), 10).await.unwrap();
    let outcome = |n: usize, state, next: i64| WebhookOutcome {
        id: hooks[n].id,
        state,
        next_try: at(next),
        note: format!("note {n}"),
    };
    let outcomes =
        [outcome(0, WebhookState::Read, 1), outcome(1, WebhookState::Unread, 1), outcome(2, WebhookState::Waiting, 60)];
    store.settle_webhooks(tenant, WorkerId(id(40, 2)), &outcomes).await.unwrap();
    let all = async || store.webhooks(tenant, None, PageQuery::first(10)).await.unwrap();
    assert!(all().await.iter().all(|row| row.state == WebhookState::Waiting), "that was another worker's word");
    store.settle_webhooks(tenant, WorkerId(id(40, 1)), &outcomes).await.unwrap();
    let of = async |n: usize| all().await.into_iter().find(|row| row.webhook.id == hooks[n].id).unwrap();
    assert_eq!((of(0).await.state, of(0).await.tries), (WebhookState::Read, 0));
    assert_eq!((of(1).await.state, of(1).await.tries, of(1).await.note.as_str()), (WebhookState::Unread, 1, "note 1"));
    assert_eq!((of(2).await.state, of(2).await.tries, of(2).await.next_try), (WebhookState::Waiting, 1, at(60)));
    let unread = store.webhooks(tenant, Some(WebhookState::Unread), PageQuery::first(10)).await.unwrap();
    assert_eq!(unread.len(), 1);
    assert_eq!(store.retry_webhooks(tenant, Some(hooks[0].id), at(2)).await, Ok(0), "what was read stays so");
    assert_eq!(store.finish_webhook(tenant, hooks[0].id).await, Ok(false), "it was read");
    assert_eq!(store.finish_webhook(tenant, hooks[2].id).await, Ok(false), "it waits");
    assert_eq!(store.retry_webhooks(tenant, None, at(2)).await, Ok(1));
    assert_eq!(store.claim_webhooks(tenant, lease(1, at(2)), 10).await.unwrap().len(), 1);
    store.settle_webhooks(tenant, WorkerId(id(40, 1)), &outcomes[1..2]).await.unwrap();
    // Sent again by the other side, what could not be read is read again.
    assert_eq!(store.keep_webhooks(tenant, vec![hook(tenant, "2", 9)]).await, Ok(0));
    assert_eq!(of(1).await.state, WebhookState::Waiting);
    // A person has seen to one that could not be read, of this provider alone.
    store.claim_webhooks(tenant, lease(1, at(9)), 10).await.unwrap();
    store.settle_webhooks(tenant, WorkerId(id(40, 1)), &outcomes[1..2]).await.unwrap();
    assert_eq!(store.finish_webhook(crate::testing::sample::tenant(77), hooks[1].id).await, Ok(false));
    assert_eq!(store.finish_webhook(tenant, hooks[1].id).await, Ok(true));
    assert_eq!(of(1).await.state, WebhookState::Read);
    store.keep_webhooks(tenant, vec![hook(tenant, "2", 10)]).await.unwrap();
    assert_eq!(of(1).await.state, WebhookState::Read, "sent again it stays so");
    assert_eq!(store.forget_webhooks(tenant, at(100), 0).await, Ok(0));
    let page = store.webhooks(tenant, None, PageQuery { after: None, limit: 1 }).await.unwrap();
    assert_eq!((page.len(), all().await.len()), (1, 3));
    assert_eq!(store.forget_webhooks(tenant, at(100), 1).await, Ok(1));
    assert_eq!(store.forget_webhooks(tenant, at(100), 10).await, Ok(1), "what waits is kept");
    assert_eq!(all().await.iter().map(|row| row.webhook.id).collect::<Vec<_>>(), [hooks[2].id]);
}

async fn what_is_heard_is_folded<S: Store + InboxStore>(store: &S, tenant: TenantId) {
    let world = World::new(1);
    store.commit(tenant, world.changes()).await.unwrap();
    let send = async |number: u64, state: Option<OutboxState>| -> OutboxId {
        let (kind, zone) = (NotificationKind::DueSoon, crate::Zone::Wib);
        let message = Notification::new(tenant, kind, 3, world.customers[0].id, &[id(31, number)], at(0), zone);
        let row = message.id;
        store.commit(tenant, ChangeSet { messages: vec![message], ..ChangeSet::default() }).await.unwrap();
        let Some(state) = state else { return row };
        let claim =
            Claim { topic: crate::ports::Topic::Message, router: None, due: at(0), lease: lease(1, at(0)), limit: 10 };
        let found = store.claim(tenant, claim).await.unwrap();
        let fence = found.iter().find(|r| r.id == row).unwrap().fence;
        let outcome = Outcome {
            row: Claimed { id: row, fence },
            state,
            next_attempt: at(0),
            note: "said".into(),
            provider_id: None,
            template: None,
            at: at(0),
        };
        store.record(tenant, WorkerId(id(40, 1)), &[outcome], Observed::default()).await.unwrap();
        row
    };
    let state = async |row| store.outbox_row(tenant, row).await.unwrap().unwrap().state;
    let word = |id, heard| DeliveryWord { id, heard, at: at(3), why: "131026".into() };
    let done = send(1, Some(OutboxState::Done)).await;
    assert_eq!(store.hear(tenant, &[word(done, Heard::Read), word(done, Heard::Sent)]).await, Ok(1));
    assert_eq!(store.hear(tenant, &[word(done, Heard::Failed), word(done, Heard::Read)]).await, Ok(0), "it was opened");
    assert_eq!(state(done).await, OutboxState::Done);
    let unknown = send(2, Some(OutboxState::Unknown)).await;
    assert_eq!(store.hear(tenant, &[word(unknown, Heard::Sent)]).await, Ok(1));
    assert_eq!(state(unknown).await, OutboxState::Done, "it went out");
    assert_eq!(store.hear(tenant, &[word(unknown, Heard::Failed)]).await, Ok(1));
    let failed = store.outbox_row(tenant, unknown).await.unwrap().unwrap();
    assert_eq!((failed.state, failed.note.as_str()), (OutboxState::Failed, "not delivered: 131026"));
    assert_eq!(store.hear(tenant, &[word(unknown, Heard::Delivered)]).await, Ok(1));
    assert_eq!(state(unknown).await, OutboxState::Done, "the phone shows it");
    let refused = send(3, Some(OutboxState::Failed)).await;
    assert_eq!(store.hear(tenant, &[word(refused, Heard::Sent)]).await, Ok(0), "it was refused when it was sent");
    let waiting = send(4, None).await;
    let nobody = OutboxId(id(99, 1));
    assert_eq!(store.hear(tenant, &[word(waiting, Heard::Read), word(nobody, Heard::Read)]).await, Ok(0));
    assert_eq!(state(waiting).await, OutboxState::Pending);
}

async fn links_are_found_by_hash_and_forgotten<S: Store + InboxStore>(store: &S, tenant: TenantId) {
    let world = World::new(2);
    store.commit(tenant, world.changes()).await.unwrap();
    let link = |n: u64, customer: usize| PageLink {
        id: PageLinkId(id(50, n)),
        hash: [n as u8; 32],
        customer_id: world.customers[customer].id,
        made_at: at(0),
    };
    for (n, customer) in [(1, 0), (2, 0), (3, 1)] {
        store.keep_link(tenant, link(n, customer)).await.unwrap();
    }
    let stranger = PageLink { customer_id: crate::ids::CustomerId(id(99, 9)), ..link(4, 0) };
    assert_eq!(store.keep_link(tenant, stranger).await.unwrap_err().code(), "store.rejected");
    assert!(store.keep_link(tenant, PageLink { id: PageLinkId(id(50, 9)), ..link(1, 0) }).await.is_err());
    assert_eq!(store.link(tenant, [2; 32]).await, Ok(Some(link(2, 0))));
    assert_eq!(store.link(tenant, [9; 32]).await, Ok(None));
    assert_eq!(store.link(crate::testing::sample::tenant(99_999), [2; 32]).await, Ok(None), "another provider");
    let page = PageQuery { after: Some(PageLinkId(id(50, 1))), limit: 1 };
    assert_eq!(store.links(tenant, page).await, Ok(vec![link(2, 0)]));
    assert_eq!(store.forget_links(tenant, Forgotten::Customer(world.customers[0].id)).await, Ok(2));
    assert_eq!(store.forget_links(tenant, Forgotten::These(vec![PageLinkId(id(50, 3))])).await, Ok(1));
    assert_eq!(store.links(tenant, PageQuery::first(9)).await, Ok(Vec::new()));
}

async fn who_opts_out_is_told_with_the_facts<S: Store + InboxStore>(store: &S, tenant: TenantId) {
    let world = World::new(1);
    store.commit(tenant, world.changes()).await.unwrap();
    let customer = &world.customers[0];
    let message =
        Notification::new(tenant, NotificationKind::DueSoon, 3, customer.id, &[id(31, 1)], at(0), crate::Zone::Wib);
    let out = async || store.message_facts(tenant, &message).await.unwrap().opted_out;
    assert!(!out().await);
    for _ in 0..2 {
        store.opt_out(tenant, customer.id, true, at(0)).await.unwrap();
        assert!(out().await);
    }
    store.opt_out(tenant, customer.id, false, at(1)).await.unwrap();
    assert!(!out().await);
    // A webhook that comes late tells of an hour ago.
    store.opt_out(tenant, customer.id, true, at(0)).await.unwrap();
    assert!(!out().await, "what was said last counts");
    store.opt_out(tenant, customer.id, true, at(2)).await.unwrap();
    assert!(out().await);
    let phone = customer.phone.clone().expect("the sample has a phone");
    assert_eq!(store.customers_by_phone(tenant, &phone).await, Ok(vec![customer.id]));
    let other = crate::customer::Phone::parse("081298765432").unwrap();
    assert_eq!(store.customers_by_phone(tenant, &other).await, Ok(Vec::new()));
}

async fn links_and_webhooks_of_a_forgotten_person_go<S: Store + InboxStore>(store: &S, tenant: TenantId) {
    let world = World::new(2);
    store.commit(tenant, world.changes()).await.unwrap();
    let (one, other) = (&world.customers[0], &world.customers[1]);
    for (n, customer) in [(1_u8, one), (2, other)] {
        let link =
            PageLink { id: PageLinkId(id(50, n.into())), hash: [n; 32], customer_id: customer.id, made_at: at(0) };
        store.keep_link(tenant, link).await.unwrap();
        store.opt_out(tenant, customer.id, true, at(0)).await.unwrap();
    }
    let from = |customer: &Customer| format!("{{\"from\":\"{}\"}}", customer.phone.as_ref().unwrap().digits());
    // Calls of a bank say the number alone; one that cannot be booked is not read.
    let called = |customer: &Customer, n: u8| {
        format!("{{\"customerNo\":\"{}\",\"trxId\":\"{n}\"}}", digits_of(&customer.code).unwrap())
    };
    let bodies = [from(one), from(other), called(one, 1), called(one, 2), called(other, 1), called(other, 2)];
    let hooks: Vec<_> = bodies.iter().map(|body| hook(tenant, body, 0)).collect();
    let ids: Vec<_> = hooks.iter().map(|hook| hook.id).collect();
    store.keep_webhooks(tenant, hooks).await.unwrap();
    store.claim_webhooks(tenant, lease(1, at(1)), 9).await.unwrap();
    let read = |(n, id)| {
        let state = if n % 2 == 0 { WebhookState::Read } else { WebhookState::Unread };
        WebhookOutcome { id, state, next_try: at(1), note: String::new() }
    };
    let outcomes: Vec<_> = ids.into_iter().enumerate().map(read).collect();
    store.settle_webhooks(tenant, WorkerId(id(40, 1)), &outcomes).await.unwrap();
    // One that waits is read first.
    store.keep_webhooks(tenant, vec![hook(tenant, &format!("{} waits", from(one)), 2)]).await.unwrap();

    let mut line = world.subscriptions[0].clone();
    line.terms.end = Some(crate::testing::sample::day("2026-01-02"));
    let erased = Erased::try_new(one.id, at(3), "Sari", "surat").unwrap();
    let forget = ChangeSet {
        customers: vec![without_person(one).unwrap()],
        subscriptions: vec![line],
        erasures: vec![Erasure { erased, person: Person::of(one) }],
        ..ChangeSet::default()
    };
    store.commit(tenant, forget).await.unwrap();
    assert_eq!(store.link(tenant, [1; 32]).await, Ok(None));
    assert!(store.link(tenant, [2; 32]).await.unwrap().is_some());
    let left = store.webhooks(tenant, None, PageQuery::first(9)).await.unwrap();
    let mut bodies: Vec<String> = left.iter().map(|row| String::from_utf8(row.webhook.body.clone()).unwrap()).collect();
    bodies.sort();
    let mut expected = vec![from(other), format!("{} waits", from(one)), called(other, 1), called(other, 2)];
    expected.sort();
    assert_eq!(bodies, expected);
    assert_eq!(store.customers_by_phone(tenant, one.phone.as_ref().unwrap()).await, Ok(Vec::new()));
}
