//! Proofs of transfer.

use chrono::{DateTime, Utc};

use crate::ids::{CustomerId, InvoiceId, MasterId, PaymentId, ProofId, TenantId};
use crate::money::Money;
use crate::ports::{AccessQuery, ChangeSet, Expectation, PageQuery, Store, StoreError};
use crate::protection::proof::Verdict;
use crate::protection::{FileKind, Proof, ProofContent, ProofFile, ProofTimes, Review};
use crate::testing::sample::{self, World, day, id, moment};

use super::{refused, world, write, write_invoices};

/// A proof of the first customer with its file.
fn proof(w: &World, content: &[u8], at: &str, invoices: &[InvoiceId]) -> (Proof, ProofContent) {
    let file = ProofFile::of("C:\\foto\\struk.jpg", content).unwrap();
    let (customer, amount) = (w.customers[0].id, Money::rupiah(166_500));
    let made = Proof::try_new(customer, invoices, amount, moment(at), "Rina", file, 0).unwrap();
    (made, ProofContent::new(content.to_vec()))
}

/// A proof of a customer that arrived at a moment.
pub(super) fn proof_of(customer: CustomerId, at: DateTime<Utc>, invoices: &[InvoiceId]) -> (Proof, ProofContent) {
    let content = b"%PDF-1.7 bukti";
    let file = ProofFile::of("bukti.pdf", content).unwrap();
    let made = Proof::try_new(customer, invoices, Money::rupiah(100_000), at, "Rina", file, 0).unwrap();
    (made, ProofContent::new(content.to_vec()))
}

fn review(verdict: Verdict, at: &str) -> Review {
    Review::try_new(verdict, moment(at), "Sari", "tidak ada di mutasi").unwrap()
}

pub(super) async fn proofs_are_kept_once_with_their_files(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let (one, two) = (
        sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 150_000),
        sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 150_000),
    );
    write_invoices(store, tenant, &[&one, &two]).await;
    // A file of bytes that are no text, longer than any page of a database.
    let long: Vec<u8> = [0xff, 0xd8, 0xff].into_iter().chain((0..300_000_u32).map(|n| (n % 251) as u8)).collect();
    let first = proof(&w, &long, "2026-01-15T08:00:00.000001Z", &[two.id, one.id, one.id]);
    let second = proof(&w, b"%PDF-1.7 x", "2026-01-16T08:00:00Z", &[two.id]);
    assert_eq!((first.0.file.kind, first.0.file.name.as_str()), (FileKind::Jpeg, "struk.jpg"));
    write(store, tenant, ChangeSet { proofs: vec![first.clone(), second.clone()], ..ChangeSet::default() }).await;
    let mut both = vec![first.0.clone(), second.0.clone()];
    both.sort_by_key(|p| p.id);
    assert_eq!(store.proofs(tenant, None).await.unwrap(), both);
    assert_eq!(store.proofs(tenant, Some(w.customers[0].id)).await.unwrap(), both);
    assert_eq!(store.proofs(tenant, Some(w.customers[1].id)).await.unwrap(), []);
    assert_eq!(store.proofs(sample::tenant(77), None).await.unwrap(), []);
    assert_eq!(store.proof_content(tenant, first.0.id).await.unwrap().unwrap().reveal(), long);
    assert_eq!(store.proof_content(tenant, ProofId(id(99, 1))).await.unwrap(), None);
    assert_eq!(store.proof_content(sample::tenant(77), first.0.id).await.unwrap(), None);

    let again = ChangeSet { proofs: vec![first.clone()], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, again).await, StoreError::Duplicate { what: "proof.id" });
    let of_nobody = proof(&w, b"%PDF-1.7 y", "2026-01-16T08:00:00Z", &[InvoiceId(id(98, 1))]);
    let error = refused(store, tenant, ChangeSet { proofs: vec![of_nobody], ..ChangeSet::default() }).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
    assert_eq!(store.proofs(tenant, None).await.unwrap(), both, "nothing is left of it");
}

pub(super) async fn waiting_proofs_are_counted(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 150_000);
    write_invoices(store, tenant, &[&invoice]).await;
    let customer = w.customers[0].id;
    let made = |n: u64| proof(&w, format!("%PDF-1.7 {n}").as_bytes(), "2026-01-15T08:00:00Z", &[invoice.id]);
    let when_waiting = |most: u64, n: u64| ChangeSet {
        expected: vec![Expectation::ProofsWaiting(customer, most)],
        proofs: vec![made(n)],
        ..ChangeSet::default()
    };
    for n in 0..4 {
        write(store, tenant, when_waiting(n, n)).await;
    }
    // Each was admitted when four waited, and they arrive at one moment: one of them finds a place.
    let sent = (10..14).map(|n| store.commit(tenant, when_waiting(4, n)));
    let sent = futures::future::join_all(sent).await;
    assert_eq!(sent.iter().filter(|done| done.is_ok()).count(), 1, "{sent:?}");
    assert!(sent.iter().all(|done| matches!(done, Ok(_) | Err(StoreError::Conflict))), "{sent:?}");
    let kept = store.proofs(tenant, None).await.unwrap();
    let amount = kept.iter().map(|p| p.amount).sum();
    assert_eq!(store.waiting_proofs(tenant).await.unwrap(), (5, amount));
    assert_eq!(store.waiting_proofs(sample::tenant(77)).await.unwrap(), (0, Money::ZERO));
    assert_eq!(store.proof(tenant, kept[2].id).await.unwrap().as_ref(), Some(&kept[2]));
    assert_eq!(store.proof(sample::tenant(77), kept[2].id).await.unwrap(), None);
    let written = store.proof_content(tenant, made(13).0.id).await.unwrap().is_some();
    assert_eq!(written, sent[3].is_ok(), "nothing is left of it");
    // One that is reviewed waits no longer.
    let reviewed = vec![(kept[0].id, review(Verdict::Rejected, "2026-01-16T03:00:00Z"))];
    write(store, tenant, ChangeSet { proof_reviews: reviewed, ..ChangeSet::default() }).await;
    write(store, tenant, when_waiting(4, 20)).await;
    assert_eq!(refused(store, tenant, when_waiting(4, 21)).await, StoreError::Conflict);
}

pub(super) async fn proofs_are_reviewed_once(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 150_000);
    write_invoices(store, tenant, &[&invoice]).await;
    let made = |n: u8, at: &str| proof(&w, format!("%PDF-1.7 {n}").as_bytes(), at, &[invoice.id]);
    let proofs = [made(1, "2026-01-12T08:00:00Z"), made(2, "2026-01-13T08:00:00Z"), made(3, "2026-01-14T08:00:00Z")];
    write(store, tenant, ChangeSet { proofs: proofs.to_vec(), ..ChangeSet::default() }).await;
    let payment = sample::payment(tenant, 1, w.customers[0].id, 166_500, moment("2026-01-12T08:00:00Z"));
    let said = [
        review(Verdict::TakenBack, "2026-01-12T09:00:00.000001Z"),
        review(Verdict::Rejected, "2026-01-13T09:00:00Z"),
        review(Verdict::Accepted(payment.id), "2026-01-14T09:00:00Z"),
    ];
    let reviews = proofs.iter().map(|(p, _)| p.id).zip(said.clone()).collect();
    write(store, tenant, ChangeSet { payments: vec![payment], proof_reviews: reviews, ..ChangeSet::default() }).await;
    let told = store.proofs(tenant, None).await.unwrap();
    let known = |n: usize| told.iter().find(|p| p.id == proofs[n].0.id).unwrap();
    for (n, review) in said.iter().enumerate() {
        assert_eq!(known(n).review.as_ref(), Some(review));
    }
    assert_eq!([0, 1, 2].map(|n| known(n).state()), ["taken_back", "rejected", "accepted"]);
    let again = vec![(proofs[1].0.id, review(Verdict::Accepted(PaymentId(id(9, 9))), "2026-01-15T09:00:00Z"))];
    let error = refused(store, tenant, ChangeSet { proof_reviews: again, ..ChangeSet::default() }).await;
    assert_eq!(error, StoreError::Duplicate { what: "proof.review" });
    let of_nothing = vec![(ProofId(id(99, 1)), said[1].clone())];
    let error = refused(store, tenant, ChangeSet { proof_reviews: of_nothing, ..ChangeSet::default() }).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");

    // Files go some time after the review, in batches; the proofs stay, and so does the file of one that waits.
    let waits = proof(&w, b"%PDF-9", "2026-01-16T08:00:00Z", &[invoice.id]);
    let of_waiting = waits.0.id;
    write(store, tenant, ChangeSet { proofs: vec![waits], ..ChangeSet::default() }).await;
    let until = moment("2026-01-14T09:00:00Z");
    assert_eq!(store.forget_proof_files(tenant, moment("2026-01-12T09:00:00Z"), 9).await, Ok(0));
    assert_eq!(store.forget_proof_files(tenant, until, 1).await, Ok(1));
    assert_eq!(store.forget_proof_files(tenant, until, 9).await, Ok(1));
    assert_eq!(store.forget_proof_files(tenant, until, 9).await, Ok(0));
    let mut there = Vec::new();
    for id in [proofs[0].0.id, proofs[1].0.id, proofs[2].0.id, of_waiting] {
        there.push(store.proof_content(tenant, id).await.unwrap().is_some());
    }
    assert_eq!(there, [false, false, true, true]);
    let told = store.proofs(tenant, None).await.unwrap();
    assert_eq!(told.len(), 4);

    // What a decision reads.
    let query = AccessQuery::Customers(vec![w.customers[0].id, w.customers[1].id]);
    let rows = store.load_access(tenant, &query, PageQuery::first(9)).await.unwrap();
    let expected: Vec<ProofTimes> = told.iter().flat_map(Proof::times).collect();
    assert_eq!(rows[0].protections.proofs, expected);
    assert_eq!(rows[1].protections.proofs, []);
    let then = store.access_at(tenant, &[w.customers[0].id], moment("2026-01-13T08:00:00Z")).await.unwrap();
    let mut arrived: Vec<_> = then[0].protections.proofs.iter().map(|p| p.arrived_at).collect();
    arrived.sort_unstable();
    assert_eq!(arrived, [moment("2026-01-12T08:00:00Z"), moment("2026-01-13T08:00:00Z")]);
}

pub(super) async fn a_proof_is_a_history(store: &dyn Store, tenant: TenantId) {
    let w = World::new(1);
    write(store, tenant, w.changes()).await;
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 150_000);
    write_invoices(store, tenant, &[&invoice]).await;
    let mut alone = proof(&w, b"%PDF-1.7", "2026-01-12T08:00:00Z", &[invoice.id]);
    let friend = sample::customer(7);
    alone.0.customer_id = friend.id;
    let changes = ChangeSet { customers: vec![friend.clone()], proofs: vec![alone], ..ChangeSet::default() };
    write(store, tenant, changes).await;
    let error =
        refused(store, tenant, ChangeSet { removed: vec![MasterId::Customer(friend.id)], ..ChangeSet::default() })
            .await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
}
