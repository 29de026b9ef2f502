//! Proofs of transfer that arrive, are reviewed and are sent again at one moment (rule P8).

use crate::support::*;
use isp_core::calendar::Cycle;
use isp_core::engine::{EngineError, NewPayment, NewProof, Told};
use isp_core::ids::InvoiceId;
use isp_core::ports::{AccessStore, BillingStore};
use isp_core::protection::ProofContent;
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
