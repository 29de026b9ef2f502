//! Bank files and mutations: each once, marked forward, and what was learnt is forgotten with its mutation.

use crate::bank::{
    BankFormat, Clue, ImportedFile, Mutation, MutationMark, MutationRow, MutationState, PayerAlias, Telling,
};
use crate::ids::{BankFileId, CustomerId, MutationId, TellingId, TenantId};
use crate::money::Money;
use crate::ports::{ChangeSet, Expectation, MutationQuery, PageQuery, Store, StoreError, TellingQuery};
use crate::testing::sample::{self, code, day, id, moment};

use super::{refused, world, write};

fn file(number: u64) -> ImportedFile {
    ImportedFile {
        id: BankFileId(id(41, number)),
        format: BankFormat::Bca,
        account: code("1234567890"),
        from: day("2026-01-14"),
        until: day("2026-01-16"),
        at: moment("2026-01-17T02:00:00.123456Z"),
        by: "Petugas Contoh".into(),
    }
}

fn mutation(number: u64, on: &str, amount: i64) -> Mutation {
    Mutation {
        id: MutationId(id(42, number)),
        account: code("1234567890"),
        format: BankFormat::Bca,
        bank: (number == 3).then(|| code("bca")),
        on: day(on),
        amount: Money::rupiah(amount),
        text: format!("TRSF E-BANKING {number}"),
        balance: (number != 2).then(|| Money::rupiah(1_000_000)),
        file_id: BankFileId(id(41, 1)),
        may_correct: (number == 3).then(|| MutationId(id(42, 1))),
    }
}

fn mark(state: MutationState) -> MutationMark {
    MutationMark {
        state,
        payment_id: None,
        booked: false,
        clue: None,
        at: moment("2026-01-17T03:00:00Z"),
        by: "Petugas Contoh".into(),
        reason: "bukan pelanggan".into(),
    }
}

fn marks(number: u64, revision: u32, mark: MutationMark) -> ChangeSet {
    ChangeSet { mutation_marks: vec![(MutationId(id(42, number)), revision, mark)], ..ChangeSet::default() }
}

async fn all(store: &dyn Store, tenant: TenantId, query: MutationQuery) -> Vec<MutationRow> {
    store.mutations(tenant, &query, PageQuery::first(99)).await.expect("mutations")
}

fn three() -> ChangeSet {
    let mutations =
        vec![mutation(1, "2026-01-14", 183_151), mutation(2, "2026-01-15", -50_000), mutation(3, "2026-01-16", 9)];
    ChangeSet { bank_files: vec![file(1)], mutations, ..ChangeSet::default() }
}

pub(super) async fn mutations_are_kept_once(store: &dyn Store, tenant: TenantId) {
    world(store, tenant, 1).await;
    let early = ChangeSet { bank_files: Vec::new(), ..three() };
    assert!(matches!(refused(store, tenant, early).await, StoreError::Rejected { .. }));
    write(store, tenant, three()).await;
    let again = |changes| async move { refused(store, tenant, changes).await };
    assert_eq!(again(three()).await, StoreError::Duplicate { what: "bank_file" });
    let other_file = ChangeSet { bank_files: vec![file(2)], ..three() };
    assert_eq!(again(other_file).await, StoreError::Duplicate { what: "mutation" });
    assert_eq!(store.bank_file(tenant, file(1).id).await, Ok(Some(file(1))));
    assert_eq!(store.bank_file(tenant, file(2).id).await, Ok(None));
    let kept = all(store, tenant, MutationQuery::default()).await;
    let as_it_was: Vec<Mutation> = kept.iter().map(|row| row.mutation.clone()).collect();
    assert!(as_it_was == three().mutations && kept.iter().all(|row| row.mark.is_none() && row.revision == 0));
    let numbers = |rows: Vec<MutationRow>| -> Vec<u64> {
        rows.iter().map(|row| row.mutation.id.0.as_u128() as u64 & 0xff).collect()
    };
    let of = |query| all(store, tenant, query);
    let days = Some((day("2026-01-15"), day("2026-01-16")));
    assert_eq!(numbers(of(MutationQuery { days, ..Default::default() }).await), [2, 3]);
    assert_eq!(numbers(of(MutationQuery { waiting: true, ..Default::default() }).await), [1, 3]);
    assert_eq!(store.waiting_mutations(tenant).await.unwrap(), (2, Money::rupiah(183_160)));
    assert_eq!(store.waiting_mutations(sample::tenant(77)).await.unwrap(), (0, Money::ZERO));
    let account = Some(code("1234567890"));
    assert_eq!(numbers(of(MutationQuery { account, ..Default::default() }).await), [1, 2, 3]);
    let account = Some(code("99"));
    assert_eq!(numbers(of(MutationQuery { account, ..Default::default() }).await), Vec::<u64>::new());
    let amount = Some(Money::rupiah(-50_000));
    assert_eq!(numbers(of(MutationQuery { amount, ..Default::default() }).await), [2]);
    assert_eq!(numbers(of(MutationQuery { anew: true, ..Default::default() }).await), [3]);
    assert_eq!(numbers(of(MutationQuery { out: true, ..Default::default() }).await), [2]);
    let id = Some(mutation(2, "2026-01-15", 0).id);
    assert_eq!(numbers(of(MutationQuery { id, ..Default::default() }).await), [2]);
    let page = PageQuery { after: Some(mutation(1, "2026-01-14", 0).id), limit: 1 };
    assert_eq!(numbers(store.mutations(tenant, &MutationQuery::default(), page).await.unwrap()), [2]);
}

pub(super) async fn mutations_are_marked_by_revision(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    write(store, tenant, three()).await;
    let payment = sample::payment(tenant, 1, w.customers[0].id, 183_151, moment("2026-01-14T05:00:00Z"));
    let matched = MutationMark {
        payment_id: Some(payment.id),
        booked: true,
        clue: Some(Clue::Request),
        ..mark(MutationState::Matched)
    };
    assert!(matches!(refused(store, tenant, marks(1, 0, matched.clone())).await, StoreError::Rejected { .. }));
    write(store, tenant, ChangeSet { payments: vec![payment.clone()], ..marks(1, 0, matched.clone()) }).await;
    assert_eq!(refused(store, tenant, marks(1, 0, mark(MutationState::Ignored))).await, StoreError::Conflict);
    let unknown = refused(store, tenant, marks(9, 0, mark(MutationState::Ignored))).await;
    assert!(matches!(unknown, StoreError::Rejected { .. }), "{unknown:?}");
    let query = MutationQuery { payment: Some(payment.id), ..MutationQuery::default() };
    let found = all(store, tenant, query).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].mark.clone(), found[0].revision, found[0].state()),
        (Some(matched), 1, MutationState::Matched)
    );
    // A payment is one mutation.
    let second = MutationMark { payment_id: Some(payment.id), ..mark(MutationState::Matched) };
    assert_eq!(refused(store, tenant, marks(3, 0, second)).await, StoreError::Conflict);
    write(store, tenant, marks(1, 1, mark(MutationState::TakenBack))).await;
    let waiting = all(store, tenant, MutationQuery { waiting: true, ..MutationQuery::default() }).await;
    assert_eq!(
        waiting.iter().map(MutationRow::state).collect::<Vec<_>>(),
        [MutationState::TakenBack, MutationState::Unmatched]
    );
}

pub(super) async fn payers_are_learnt_and_forgotten(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    write(store, tenant, three()).await;
    let alias = |number, customer_id| PayerAlias {
        mutation_id: MutationId(id(42, number)),
        words: "suparman".into(),
        customer_id,
    };
    let learn = |alias: &PayerAlias| ChangeSet { payer_aliases: vec![alias.clone()], ..ChangeSet::default() };
    let stranger = refused(store, tenant, learn(&alias(1, CustomerId(id(4, 999))))).await;
    assert!(matches!(stranger, StoreError::Rejected { .. }), "{stranger:?}");
    let known = alias(1, w.customers[0].id);
    write(store, tenant, learn(&known)).await;
    assert_eq!(store.payer_aliases(tenant).await, Ok(vec![known.clone()]));
    let forget = ChangeSet { forgotten_aliases: vec![known.mutation_id], ..ChangeSet::default() };
    // What is forgotten may be learnt anew in the same commit.
    write(store, tenant, ChangeSet { payer_aliases: vec![known.clone()], ..forget.clone() }).await;
    write(store, tenant, forget).await;
    assert_eq!(store.payer_aliases(tenant).await, Ok(vec![]));
}

pub(super) async fn a_source_tells_of_a_mutation_once(store: &dyn Store, tenant: TenantId) {
    write(store, tenant, three()).await;
    let telling = |number, of, source: &str| Telling {
        id: TellingId(id(43, number)),
        mutation_id: MutationId(id(42, of)),
        source: code(source),
        text: format!("Dana masuk {number}"),
        balance: (number != 2).then(|| Money::rupiah(-7)),
    };
    let tell = |tellings: &[Telling]| ChangeSet { tellings: tellings.to_vec(), ..ChangeSet::default() };
    let of_none = refused(store, tenant, tell(&[telling(9, 9, "moota")])).await;
    assert!(matches!(of_none, StoreError::Rejected { .. }), "{of_none:?}");
    let all = [telling(1, 1, "moota"), telling(2, 1, "hp-1"), telling(3, 3, "moota")];
    write(store, tenant, tell(&all)).await;
    let twice = StoreError::Duplicate { what: "mutation_telling" };
    assert_eq!(refused(store, tenant, tell(&[telling(1, 2, "hp-1")])).await, twice, "one name");
    assert_eq!(refused(store, tenant, tell(&[telling(4, 1, "MOOTA")])).await, twice, "one source, one mutation");
    let of = |query| async move { store.tellings(tenant, &query).await.expect("tellings") };
    assert_eq!(of(TellingQuery::default()).await, all);
    assert_eq!(of(TellingQuery { id: Some(all[1].id), ..Default::default() }).await, [all[1].clone()]);
    let days = Some((day("2026-01-15"), day("2026-01-16")));
    assert_eq!(of(TellingQuery { days, ..Default::default() }).await, [all[2].clone()]);
    let (account, days) = (Some(code("1234567890")), Some((day("2026-01-14"), day("2026-01-14"))));
    assert_eq!(of(TellingQuery { account: account.clone(), days, id: None }).await, all[..2]);
    assert_eq!(of(TellingQuery { account: Some(code("99")), ..Default::default() }).await, []);
    // A commit that was decided when fewer were kept is decided again.
    let days = (day("2026-01-15"), day("2026-01-16"));
    let expecting = |most| ChangeSet {
        expected: vec![Expectation::Mutations(code("1234567890"), days, most)],
        ..tell(&[telling(5, 2, "moota")])
    };
    assert_eq!(refused(store, tenant, expecting(1)).await, StoreError::Conflict);
    write(store, tenant, expecting(2)).await;
}
