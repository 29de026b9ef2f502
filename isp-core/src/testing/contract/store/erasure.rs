//! A person is forgotten, and what names the customer by an ID stays.

use crate::bank::{BankFormat, Clue, ImportedFile, Mutation, MutationMark, MutationState, PayerAlias, Telling};
use crate::customer::Customer;
use crate::device::{Cpe, DeviceHistory};
use crate::ending::{Ending, EndingKind, RecordId};
use crate::ids::{BankFileId, ExemptionId, MutationId, PromiseId, TellingId, TenantId};
use crate::isolation::{AccessEvent, AccessEventKind};
use crate::money::Money;
use crate::payment::PaymentReversal;
use crate::ports::{ChangeSet, MutationQuery, PageQuery, Store, StoreError, TellingQuery};
use crate::privacy::{ERASED, Erased, Erasure, Person, line_without_person, without_person};
use crate::protection::proof::Verdict;
use crate::protection::{Exemption, Promise, Proof, ProofContent, ProofFile, Review};
use crate::subscription::{Account, Subscription};
use crate::terms::account::FormerAccount;
use crate::testing::sample::{self, World, code, day, id, moment};

use super::{refused, world, write, write_invoices};

const AT: &str = "2026-03-01T03:00:00.000001Z";

/// What a person wrote of the customer, whose name is `Pelanggan 0` and number 0812-0000-0000.
const WROTE: &str = "titipan PELANGGAN 0, hp 0812 0000 0000";
/// What a bank wrote of money that is nobody's payment: with the number in groups, and with the name or its digits alone.
const OF_NOBODY: [(&str, &str); 5] = [
    ("Pelanggan 0 (+62 812-0000-0000) titip", "… (…) titip"),
    ("HP 0812.0000.0000 PELANGGAN 0", "HP … …"),
    ("WA6281200000000", "WA…"),
    ("PELANGGAN 0 0812 0000 0009", "PELANGGAN 0 0812 0000 0009"),
    ("PELANGGAN 0 8120 A 0000 B 000", "PELANGGAN 0 8120 A 0000 B 000"),
];
/// The same without the customer.
const LEFT: &str = "titipan …, hp …";

fn erasure(customer: &Customer) -> Erasure {
    let erased = Erased::try_new(customer.id, moment(AT), "Sari", "surat 12 Februari").unwrap();
    Erasure { erased, person: Person::of(customer) }
}

/// The line ends, so that it may be forgotten.
fn ended(line: &Subscription) -> Subscription {
    let mut line = line.clone();
    line.terms.end = Some(day("2026-02-01"));
    line
}

fn forget(w: &World) -> ChangeSet {
    ChangeSet {
        customers: vec![without_person(&w.customers[0]).unwrap()],
        subscriptions: vec![line_without_person(&ended(&w.subscriptions[0])).unwrap()],
        erasures: vec![erasure(&w.customers[0])],
        ..ChangeSet::default()
    }
}

/// Writes what people wrote of both customers.
async fn past(store: &dyn Store, tenant: TenantId, w: &World) {
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 150_000);
    write_invoices(store, tenant, &[&invoice]).await;
    let (customer, other) = (w.customers[0].id, w.customers[1].id);
    let payment = |n, of| sample::payment(tenant, n, of, 150_000, moment("2026-01-15T02:00:00Z"));
    let (paid, false_one) = (payment(1, customer), payment(2, customer));
    let at = moment("2026-01-16T02:00:00Z");
    let file = ImportedFile {
        id: BankFileId(id(41, 1)),
        format: BankFormat::Bca,
        account: code("1234567890"),
        from: day("2026-01-15"),
        until: day("2026-01-15"),
        at,
        by: "Sari".into(),
    };
    let mutation = |n: u64, text: &str| Mutation {
        id: MutationId(id(42, n)),
        account: code("1234567890"),
        format: BankFormat::Bca,
        bank: None,
        on: day("2026-01-15"),
        amount: Money::rupiah(150_000),
        text: text.to_owned(),
        balance: None,
        file_id: file.id,
        may_correct: None,
    };
    let telling = |n: u64, text: &str| Telling {
        id: TellingId(id(43, n)),
        mutation_id: MutationId(id(42, n)),
        source: code("moota"),
        text: text.to_owned(),
        balance: None,
    };
    let texts = || [WROTE, WROTE].into_iter().chain(OF_NOBODY.map(|(before, _)| before));
    let mark = MutationMark {
        state: MutationState::Matched,
        payment_id: Some(paid.id),
        booked: true,
        clue: Some(Clue::Owed),
        at,
        by: "Sari".into(),
        reason: WROTE.to_owned(),
    };
    let words = "pelanggan".to_owned();
    let alias = PayerAlias { mutation_id: MutationId(id(42, 1)), words, customer_id: customer };
    let proof = |of: usize, content: &[u8]| {
        let file = ProofFile::of("pelanggan.pdf", content).unwrap();
        let made = Proof::try_new(w.customers[of].id, &[invoice.id], Money::rupiah(1), at, "Rina", file, 0).unwrap();
        (made, ProofContent::new(content.to_vec()))
    };
    let (his, hers) = (proof(0, b"%PDF-1.7 a"), proof(1, b"%PDF-1.7 b"));
    let review = Review::try_new(Verdict::Rejected, at, "Sari", WROTE).unwrap();
    let promise = Promise {
        id: PromiseId(id(43, 1)),
        customer_id: customer,
        made_on: day("2026-01-12"),
        until: day("2026-01-20"),
        by: "Sari".into(),
        ending: None,
    };
    let exemption = |n, of| Exemption {
        id: ExemptionId(id(44, n)),
        customer_id: of,
        from: day("2026-01-12"),
        until: day("2026-01-20"),
        reason: WROTE.to_owned(),
        by: "Sari".into(),
        ending: None,
    };
    let ending = Ending { kind: EndingKind::Ended, at, by: "Sari".into(), reason: WROTE.to_owned() };
    let event = |of: &Subscription| AccessEvent {
        id: AccessEvent::id_of(of.id, 2),
        subscription_id: of.id,
        at,
        kind: AccessEventKind::IsolatedManual,
        by: "Sari".into(),
        reason: WROTE.to_owned(),
        overdue: Money::ZERO,
        revision: 2,
    };
    let device = Cpe { installed: false, ..sample::cpe(1, customer) };
    let happened =
        DeviceHistory { reason: sample::name(WROTE), ..sample::device_history(1, &device, day("2026-01-20")) };
    let changes = ChangeSet {
        payments: vec![paid.clone(), false_one.clone()],
        allocations: vec![sample::allocation(paid.id, invoice.id, 150_000, at)],
        reversals: vec![PaymentReversal { payment_id: false_one.id, at, reason: WROTE.into(), by: "Sari".into() }],
        bank_files: vec![file.clone()],
        mutations: (1..).zip(texts()).map(|(n, text)| mutation(n, text)).collect(),
        tellings: (1..).zip(texts()).map(|(n, text)| telling(n, text)).collect(),
        mutation_marks: vec![(MutationId(id(42, 1)), 0, mark)],
        payer_aliases: vec![alias],
        proofs: vec![his.clone(), hers.clone()],
        proof_reviews: vec![(his.0.id, review.clone()), (hers.0.id, review)],
        promises: vec![promise.clone()],
        exemptions: vec![exemption(1, customer), exemption(2, other)],
        endings: vec![(RecordId::Promise(promise.id), ending)],
        access_events: vec![event(&w.subscriptions[0]), event(&w.subscriptions[1])],
        cpes: vec![device],
        device_history: vec![happened],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
}

pub(super) async fn nothing_of_the_person_is_left_and_the_books_stay(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    past(store, tenant, &w).await;
    let (customer, other, line) = (w.customers[0].id, w.customers[1].id, w.subscriptions[0].id);
    let books = (
        store.journal(tenant, PageQuery::first(99)).await.unwrap(),
        store.payment(tenant, sample::payment(tenant, 1, customer, 150_000, moment(AT)).id).await.unwrap().unwrap(),
    );
    write(store, tenant, forget(&w)).await;

    let kept = store.customer(tenant, customer).await.unwrap().unwrap();
    assert_eq!((&kept.code, kept.name.as_str(), kept.phone, kept.nik), (&w.customers[0].code, ERASED, None, None));
    assert_eq!(store.erased(tenant, None).await.unwrap(), [erasure(&w.customers[0]).erased]);
    assert_eq!(store.erased(tenant, Some(other)).await.unwrap(), []);
    assert_eq!(store.erased(sample::tenant(77), None).await.unwrap(), []);

    let payments = store.payments(tenant, Some(customer), PageQuery::first(9)).await.unwrap();
    let reversal = payments.iter().find_map(|row| row.reversal.as_ref()).unwrap();
    assert_eq!(reversal.reason, LEFT);
    let mutations = store.mutations(tenant, &MutationQuery::default(), PageQuery::first(9)).await.unwrap();
    assert_eq!(
        (mutations[0].mutation.text.as_str(), mutations[0].mark.as_ref().unwrap().reason.as_str()),
        (LEFT, LEFT)
    );
    // Of money of which nobody has said whose it is, only what holds the number, however it is written.
    let left: Vec<&str> = [LEFT, LEFT].into_iter().chain(OF_NOBODY.map(|(_, after)| after)).collect();
    assert_eq!(mutations.iter().map(|row| row.mutation.text.as_str()).collect::<Vec<_>>(), left);
    let tellings = store.tellings(tenant, &TellingQuery::default()).await.unwrap();
    assert_eq!(tellings.iter().map(|t| t.text.as_str()).collect::<Vec<_>>(), left);
    let proofs = store.proofs(tenant, Some(customer)).await.unwrap();
    assert_eq!((proofs[0].file.name.as_str(), proofs[0].review.as_ref().unwrap().reason.as_str()), (ERASED, LEFT));
    assert_eq!(store.proof_content(tenant, proofs[0].id).await.unwrap(), None);
    let (promises, exemptions) = store.protections(tenant, Some(customer)).await.unwrap();
    assert_eq!(promises[0].ending.as_ref().unwrap().reason, LEFT);
    assert_eq!(exemptions[0].reason, LEFT);
    let events = store.access_events(tenant, line).await.unwrap();
    assert_eq!(events.last().unwrap().reason, LEFT);
    let devices = store.device_history(tenant, Some(customer)).await.unwrap();
    assert_eq!(devices[0].reason.as_str(), LEFT);

    // The books, and what is said of others.
    assert_eq!(store.journal(tenant, PageQuery::first(99)).await.unwrap(), books.0);
    assert_eq!(payments.iter().find(|row| row.payment.id == books.1.payment.id), Some(&books.1));
    assert!(store.open_invoices(tenant, customer).await.unwrap().is_empty());
    let (_, exemptions) = store.protections(tenant, Some(other)).await.unwrap();
    assert_eq!(exemptions[0].reason, WROTE);
    assert_eq!(store.access_events(tenant, w.subscriptions[1].id).await.unwrap().last().unwrap().reason, WROTE);
    let hers = store.proofs(tenant, Some(other)).await.unwrap();
    assert_eq!(hers[0].review.as_ref().unwrap().reason, WROTE);
    assert!(store.proof_content(tenant, hers[0].id).await.unwrap().is_some());
}

pub(super) async fn what_is_not_over_is_not_forgotten(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let serving = ChangeSet { subscriptions: Vec::new(), ..forget(&w) };
    assert_eq!(refused(store, tenant, serving).await, StoreError::Conflict, "its line has no end");
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 150_000);
    write_invoices(store, tenant, &[&invoice]).await;
    assert_eq!(refused(store, tenant, forget(&w)).await, StoreError::Conflict, "it is owed");
    let at = moment("2026-01-15T02:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[0].id, 150_001, at);
    let pay = ChangeSet {
        allocations: vec![sample::allocation(payment.id, invoice.id, 150_000, at)],
        payments: vec![payment.clone()],
        ..ChangeSet::default()
    };
    write(store, tenant, pay).await;
    assert_eq!(refused(store, tenant, forget(&w)).await, StoreError::Conflict, "one rupiah was paid ahead");
    let later = moment("2026-01-16T02:00:00Z");
    let back = ChangeSet {
        allocations: vec![sample::allocation(payment.id, invoice.id, -150_000, later)],
        reversals: vec![PaymentReversal { payment_id: payment.id, at: later, reason: "x".into(), by: "Sari".into() }],
        ..ChangeSet::default()
    };
    write(store, tenant, back).await;
    let exact = sample::payment(tenant, 2, w.customers[0].id, 150_000, later);
    let pay = ChangeSet {
        allocations: vec![sample::allocation(exact.id, invoice.id, 150_000, later)],
        payments: vec![exact],
        ..ChangeSet::default()
    };
    write(store, tenant, pay).await;
    let file = ProofFile::of("a.pdf", b"%PDF-1.7 a").unwrap();
    let proof = Proof::try_new(w.customers[0].id, &[invoice.id], Money::rupiah(1), at, "Rina", file, 0).unwrap();
    let id = proof.id;
    let proofs = vec![(proof, ProofContent::new(b"%PDF-1.7 a".to_vec()))];
    write(store, tenant, ChangeSet { proofs, ..ChangeSet::default() }).await;
    assert_eq!(refused(store, tenant, forget(&w)).await, StoreError::Conflict, "a proof waits");
    assert_eq!(store.customer(tenant, w.customers[0].id).await.unwrap().as_ref(), Some(&w.customers[0]));
    let review = Review::try_new(Verdict::TakenBack, at, "Sari", "x").unwrap();
    write(store, tenant, ChangeSet { proof_reviews: vec![(id, review)], ..ChangeSet::default() }).await;
    write(store, tenant, forget(&w)).await;
}

pub(super) async fn who_was_forgotten_is_not_written_again(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    write(store, tenant, forget(&w)).await;
    let again = ChangeSet { customers: Vec::new(), subscriptions: Vec::new(), ..forget(&w) };
    assert_eq!(refused(store, tenant, again).await, StoreError::Erased);
    let by_a_sheet = ChangeSet { customers: vec![w.customers[0].clone()], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, by_a_sheet).await, StoreError::Erased);
    let line = sample::subscription(9, w.customers[0].id, &w.router, w.packages[0].id);
    let new_line = ChangeSet { subscriptions: vec![line], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, new_line).await, StoreError::Erased);
    // Others go on.
    write(store, tenant, ChangeSet { customers: vec![w.customers[1].clone()], ..ChangeSet::default() }).await;
    assert_eq!(store.customer(tenant, w.customers[0].id).await.unwrap().unwrap().name.as_str(), ERASED);
}

/// An account that was closed before goes at once; one that a router has to remove is told as such, and goes when it did.
pub(super) async fn accounts_of_the_forgotten_are_kept_until_their_router_removed_them(
    store: &dyn Store,
    tenant: TenantId,
) {
    let w = world(store, tenant, 2).await;
    let (router, at) = (w.router.id, moment("2026-02-20T03:00:00Z"));
    let former = |of: &Subscription, name: &str| FormerAccount {
        subscription_id: of.id,
        router_id: router,
        username: code(name).into(),
        service: of.account.service,
        address: None,
        left_at: at,
    };
    let (his, hers) = (&w.subscriptions[0], &w.subscriptions[1]);
    let before = vec![former(his, "A-LAMA"), former(his, "B-LAMA"), former(hers, "C-LAMA")];
    write(store, tenant, ChangeSet { former_accounts: before.clone(), ..ChangeSet::default() }).await;
    let account = |of: &FormerAccount| Account { username: of.username.clone(), ..his.account.clone() };
    for (line, left) in [(his, &before[0]), (his, &before[1]), (hers, &before[2])] {
        store.account_closed(tenant, router, line.id, &account(left), at).await.unwrap();
    }
    let of = async |customer| store.former_accounts(tenant, customer).await.unwrap();
    assert_eq!(of(w.customers[0].id).await, before[..2], "closed ones, too");
    let own = FormerAccount { username: his.account.username.clone(), ..before[0].clone() };
    let again = vec![before[1].clone(), own.clone()];
    write(store, tenant, ChangeSet { former_accounts: again.clone(), ..forget(&w) }).await;
    assert_eq!(of(w.customers[0].id).await, again);
    assert_eq!(of(w.customers[1].id).await, before[2..]);
    let targets = store.former_targets(tenant, router, &[his.id, hers.id]).await.unwrap();
    let told: Vec<_> =
        targets.iter().map(|t| (t.subscription_id, t.account.username.clone(), t.left, t.forget)).collect();
    assert_eq!(told, again.iter().map(|a| (his.id, a.username.clone(), true, true)).collect::<Vec<_>>());
    store.account_closed(tenant, router, his.id, &account(&own), at).await.unwrap();
    assert_eq!(of(w.customers[0].id).await, before[1..2]);
    store.account_closed(tenant, router, his.id, &account(&before[1]), at).await.unwrap();
    assert_eq!(of(w.customers[0].id).await, []);
    write(store, tenant, ChangeSet { former_accounts: vec![former(hers, "D-LAMA")], ..ChangeSet::default() }).await;
    let targets = store.former_targets(tenant, router, &[hers.id]).await.unwrap();
    assert_eq!(targets.iter().map(|t| t.forget).collect::<Vec<_>>(), [false]);
}
