//! Proofs of transfer that arrive, are reviewed and are sent again at one moment (rule P8).

use crate::support::*;
use isp_core::calendar::Cycle;
use isp_core::engine::{EngineError, NewPayment, NewProof, Tidied, Told};
use isp_core::ids::{InvoiceId, WorkerId};
use isp_core::ports::{AccessStore, BillingStore, InboxStore, Lease, PageQuery, Webhook, WebhookOutcome, WebhookState};
use isp_core::protection::ProofContent;
use isp_core::retention::Retention;
use isp_core::text::Reference;

/// Customer 2 in Jakarta with an invoice of Rp166.500 of January, due on the 11th.
async fn owing() -> World {
    let world = World::new().await;
    world.add(2, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    world.run(at("2026-01-01", 11)).await.unwrap();
    world
}

fn proof(content: &str) -> NewProof {
    NewProof {
        customer_id: customer_id(2),
        invoices: Vec::new(),
        amount: None,
        arrived_at: at("2026-01-15", 15),
        by: "halaman".into(),
        name: "struk.pdf".into(),
        content: ProofContent::new(format!("%PDF-1.4 {content}").into_bytes()),
        sure: false,
    }
}

fn transfer(reference: &str) -> NewPayment {
    NewPayment {
        customer_id: customer_id(2),
        provider: code("bank"),
        reference: Reference::parse("reference", reference).unwrap(),
        amount: rp(166_500),
        paid_at: at("2026-01-15", 15),
        collector: None,
    }
}

#[tokio::test]
async fn the_same_file_at_one_moment_is_one_proof() {
    let world = owing().await;
    let (engine, new) = (world.engine(), proof("a"));
    let (one, two) = tokio::join!(engine.record_proof(&new), engine.record_proof(&new));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.proof, two.proof);
    assert!(one.known != two.known, "one of them wrote it");
    let kept = world.store.proofs(TENANT, None).await.unwrap();
    assert_eq!(kept, std::slice::from_ref(&one.proof));
    assert_eq!(one.proof.amount, rp(166_500));
    // A file of another customer is another proof, and there is nothing that it could be for.
    world.add(4, date("2026-03-01"), 1, Cycle::Monthly, at("2026-01-15", 15)).await;
    let theirs = NewProof { customer_id: customer_id(4), ..proof("a") };
    assert_eq!(engine.record_proof(&theirs).await.unwrap_err().code(), "request.nothing_owed");
    let not_theirs = NewProof { invoices: one.proof.invoices.clone(), ..theirs.clone() };
    assert_eq!(engine.record_proof(&not_theirs).await.unwrap_err().code(), "store.not_found");
    let nobodys = NewProof { invoices: vec![InvoiceId(uuid::Uuid::from_u128(9))], ..theirs };
    assert_eq!(engine.record_proof(&nobodys).await.unwrap_err().code(), "store.not_found");
}

#[tokio::test]
async fn two_people_review_one_proof_once() {
    let world = owing().await;
    let engine = world.engine();
    let id = engine.record_proof(&proof("a")).await.unwrap().proof.id;
    let (now, payment) = (at("2026-01-16", 9), transfer("FT-1"));
    let (accepted, rejected) = tokio::join!(
        engine.accept_proof(id, &payment, Told::ByPerson, "Rina", now),
        engine.refuse_proof(id, false, "Sari", "tidak ada di mutasi", now),
    );
    let lost = [accepted.as_ref().err().map(EngineError::code), rejected.as_ref().err().map(EngineError::code)];
    assert!(matches!(lost, [None, Some("proof.reviewed")] | [Some("proof.reviewed"), None]), "{lost:?}");
    let paid = u32::from(accepted.is_ok());
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!(books.received, rp(166_500 * i64::from(paid)), "both or none");
    // Twice by one: still one payment.
    let again = engine.accept_proof(id, &payment, Told::ByPerson, "Rina", now).await;
    assert_eq!(again.unwrap_err().code(), "proof.reviewed");
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, books.received);
}

#[tokio::test]
async fn two_pictures_of_one_transfer_are_one_payment() {
    let world = owing().await;
    let engine = world.engine();
    let one = engine.record_proof(&proof("a")).await.unwrap().proof;
    let two = engine.record_proof(&proof("b")).await.unwrap().proof;
    let now = at("2026-01-16", 9);
    let first = engine.accept_proof(one.id, &transfer("FT-1"), Told::ByPerson, "Rina", now).await.unwrap();
    let other = NewPayment { amount: rp(100_000), ..transfer("ft-1 ") };
    let wrong = engine.accept_proof(two.id, &other, Told::ByPerson, "Rina", now).await.unwrap_err();
    assert_eq!(wrong.code(), "payment.mismatch");
    assert!(engine.find_proof(two.id).await.unwrap().waits(), "nothing is left of it");
    let second = engine.accept_proof(two.id, &transfer("ft-1 "), Told::ByPerson, "Rina", now).await.unwrap();
    assert!(second.known && second.payment_id == first.payment_id);
    assert_eq!(world.store.open_invoices(TENANT, customer_id(2)).await.unwrap(), []);
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(166_500));
}

#[tokio::test]
async fn what_was_kept_for_long_enough_goes_in_batches_and_the_books_stay() {
    let world = owing().await;
    let retention = Retention { webhooks_days: 7, proof_files_days: 30 }.checked().unwrap();
    let engine = world.engine();
    for content in ["a", "b"] {
        engine.record_proof(&proof(content)).await.unwrap();
    }
    let kept = world.store.proofs(TENANT, None).await.unwrap();
    engine.refuse_proof(kept[0].id, false, "Sari", "tidak ada di mutasi", at("2026-01-16", 9)).await.unwrap();
    // 1,203 webhooks were read on the 15th; one waits, and one came later.
    let hook =
        |n: u32, day: &str| Webhook::new(TENANT, "whatsapp", Vec::new(), n.to_string().into_bytes(), at(day, 10));
    let mut hooks: Vec<Webhook> = (0..1_203).map(|n| hook(n, "2026-01-15")).collect();
    hooks.push(hook(2_000, "2026-01-20"));
    world.store.keep_webhooks(TENANT, hooks.clone()).await.unwrap();
    let lease =
        Lease { owner: WorkerId(uuid::Uuid::from_u128(4)), now: at("2026-01-20", 11), until: at("2026-01-20", 12) };
    world.store.claim_webhooks(TENANT, lease, 2_000).await.unwrap();
    let read = hooks.iter().map(|hook| WebhookOutcome {
        id: hook.id,
        state: WebhookState::Read,
        next_try: hook.received_at,
        note: String::new(),
    });
    world.store.settle_webhooks(TENANT, lease.owner, &read.collect::<Vec<_>>()).await.unwrap();
    world.store.keep_webhooks(TENANT, vec![hook(3_000, "2026-01-15")]).await.unwrap();
    let before = world.store.snapshot(TENANT);

    let tidied = |now| engine.tidy(&world.store, &retention, now);
    assert_eq!(tidied(at("2026-01-22", 9)).await.unwrap(), Tidied::default(), "six days and 23 hours");
    let gone = tidied(at("2026-01-23", 9)).await.unwrap();
    assert_eq!((gone.webhooks, gone.proof_files), (1_203, 0));
    let gone = tidied(at("2026-02-15", 10)).await.unwrap();
    assert_eq!((gone.webhooks, gone.proof_files), (1, 1));
    assert_eq!(tidied(at("2027-02-15", 10)).await.unwrap(), Tidied::default(), "what waits stays");

    let there = async |n: usize| world.store.proof_content(TENANT, kept[n].id).await.unwrap().is_some();
    assert_eq!((there(0).await, there(1).await), (false, true));
    let waiting = world.store.webhooks(TENANT, None, PageQuery::first(9)).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.webhook.body.as_slice()).collect::<Vec<_>>(), [b"3000"]);
    assert_eq!(world.store.snapshot(TENANT), before, "books, journal and log");
}
