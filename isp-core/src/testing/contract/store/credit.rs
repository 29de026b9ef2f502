//! Credit notes, write-offs, collectors, and what days are charged for.

use crate::billing::{Charge, CreditNote, Invoice, InvoiceKind, Written};
use crate::calendar::{Period, Zone};
use crate::ending::{Ending, EndingKind, RecordId};
use crate::ids::{CustomerId, DepositId, InvoiceId, TenantId};
use crate::ledger::{Account, EntryKind, entry_for_credit_note_back, entry_for_payment};
use crate::money::Money;
use crate::payment::{Channel, Deposit, PaymentReversal, Purse, WriteOff};
use crate::ports::{
    ChangeSet, CreditNoteRow, CustomerBooks, DepositRow, InvoiceQuery, PageQuery, PaymentRow, Store, StoreError,
};
use crate::testing::sample::{self, World, allocation, code, day, id, moment};

use super::{purse_days, refused, world, write, write_invoices};

/// The note that gives back a part of an invoice.
pub(super) fn note(invoice: &Invoice, amount: i64, key: &str) -> CreditNote {
    let at = moment("2026-01-20T03:00:00Z");
    let written = Written { on: day("2026-01-20"), at, by: "Petugas Contoh", note: "salah tagih" };
    Charge::new(invoice.clone()).correct(Money::rupiah(amount), key, written).expect("a part of an invoice")
}

fn notes(credit_notes: Vec<CreditNote>) -> ChangeSet {
    ChangeSet { credit_notes, ..ChangeSet::default() }
}

async fn billed(store: &dyn Store, tenant: TenantId) -> (World, Invoice) {
    let w = world(store, tenant, 2).await;
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000);
    write_invoices(store, tenant, &[&invoice]).await;
    (w, invoice)
}

pub(super) async fn credit_notes_are_written_once_with_their_credit(store: &dyn Store, tenant: TenantId) {
    let (w, invoice) = billed(store, tenant).await;
    let (a, b) = (note(&invoice, 30_000, "a"), note(&invoice, 20_000, "b"));
    let report = write(store, tenant, notes(vec![a.clone(), b.clone(), a.clone()])).await;
    assert_eq!((report.credit_notes, report.credited), (2, Money::rupiah(50_000)));
    let again = write(store, tenant, notes(vec![b.clone(), a.clone()])).await;
    assert_eq!((again.credit_notes, again.credited), (0, Money::ZERO));
    let mut expected = [CreditNote { number: 1, ..a.clone() }, CreditNote { number: 2, ..b.clone() }];
    expected.sort_by_key(|n| n.id);
    let kept = store.credit_notes(tenant, Some(w.customers[0].id), PageQuery::first(9)).await.unwrap();
    let row = |note: &CreditNote| CreditNoteRow { note: note.clone(), taken_back: None };
    assert_eq!(kept, expected.iter().map(row).collect::<Vec<_>>());
    let rest = PageQuery { after: Some(expected[0].id), limit: 9 };
    assert_eq!(store.credit_notes(tenant, None, rest).await.unwrap(), [row(&expected[1])]);
    assert!(store.credit_notes(tenant, Some(w.customers[1].id), PageQuery::first(9)).await.unwrap().is_empty());
    books_are_those_of_each(store, tenant, &w).await;
    // Each is the customer's credit, and pays like a payment.
    let credit = store.credit(tenant, w.customers[0].id).await.unwrap();
    let left: Money = credit.iter().map(|c| c.left).sum();
    assert_eq!((credit.len(), left), (2, Money::rupiah(50_000)));
    let held = store.payment(tenant, a.payment_id()).await.unwrap().expect("its payment");
    assert_eq!(held.payment, CreditNote { number: 1, ..a.clone() }.payment().unwrap());
    let at = moment("2026-01-21T03:00:00Z");
    let pays = vec![allocation(a.payment_id(), invoice.id, 30_000, at)];
    write(store, tenant, ChangeSet { allocations: pays, ..ChangeSet::default() }).await;
    assert_eq!(store.open_invoices(tenant, w.customers[0].id).await.unwrap()[0].paid, Money::rupiah(30_000));
    // Booked once each.
    let entries = store.journal(tenant, PageQuery::first(99)).await.unwrap();
    let booked: Vec<_> = entries.iter().filter(|e| e.kind == EntryKind::CreditNote).collect();
    assert!(booked.len() == 2 && booked.iter().all(|e| e.balances()), "{booked:?}");
    let credited = booked.iter().flat_map(|e| &e.lines).filter(|l| l.account == Account::CustomerCredit);
    assert_eq!(credited.map(|l| l.amount).sum::<Money>(), Money::rupiah(-50_000));
}

pub(super) async fn credit_notes_stay_within_the_invoice(store: &dyn Store, tenant: TenantId) {
    let (_, invoice) = billed(store, tenant).await;
    write(store, tenant, notes(vec![note(&invoice, 60_000, "a")])).await;
    let too_much = refused(store, tenant, notes(vec![note(&invoice, 40_001, "b")])).await;
    assert_eq!(too_much, StoreError::Conflict);
    let mut wrong = note(&invoice, 10_000, "c");
    wrong.dpp += Money::rupiah(1);
    assert!(matches!(refused(store, tenant, notes(vec![wrong])).await, StoreError::Rejected { .. }));
    let mut unknown = note(&invoice, 10_000, "d");
    unknown.invoice_id = InvoiceId(id(30, 99));
    assert!(matches!(refused(store, tenant, notes(vec![unknown])).await, StoreError::Rejected { .. }));
    // What failed left nothing, and no number is used up.
    write(store, tenant, notes(vec![note(&invoice, 40_000, "e")])).await;
    let kept = store.credit_notes(tenant, None, PageQuery::first(9)).await.unwrap();
    let mut numbers: Vec<u64> = kept.iter().map(|row| row.note.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(store.payments(tenant, None, PageQuery::first(9)).await.unwrap().len(), 2);
}

pub(super) async fn credit_notes_are_taken_back_by_their_payment(store: &dyn Store, tenant: TenantId) {
    let (w, invoice) = billed(store, tenant).await;
    let (a, b) = (note(&invoice, 60_000, "a"), note(&invoice, 40_000, "b"));
    write(store, tenant, notes(vec![a.clone(), b.clone()])).await;
    let at = moment("2026-01-25T03:00:00Z");
    let pays = allocation(a.payment_id(), invoice.id, 60_000, at);
    write(store, tenant, ChangeSet { allocations: vec![pays], ..ChangeSet::default() }).await;
    let back = |note: &CreditNote| {
        let (reason, by) = ("salah".to_owned(), "Petugas Contoh".to_owned());
        PaymentReversal { payment_id: note.payment_id(), at, reason, by }
    };
    // What it paid goes back with it, as with any payment.
    let alone = ChangeSet { reversals: vec![back(&a)], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, alone).await, StoreError::Conflict);
    let undo = vec![allocation(a.payment_id(), invoice.id, -60_000, at)];
    let journal = vec![entry_for_credit_note_back(&a, at, Zone::Wib)];
    let whole = ChangeSet { reversals: vec![back(&a)], allocations: undo, journal, ..ChangeSet::default() };
    write(store, tenant, whole).await;
    // It is told with its reversal, and counts no more.
    let rows = store.credit_notes(tenant, Some(w.customers[0].id), PageQuery::first(9)).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.note.id, row.taken_back.clone())).collect();
    let mut expected = vec![(a.id, Some(back(&a))), (b.id, None)];
    expected.sort_by_key(|(id, _)| *id);
    assert_eq!(told, expected);
    let days = Period { start: day("2026-01-01"), end: day("2026-02-01") };
    let charge = store.charges(tenant, &[w.subscriptions[0].id], days).await.unwrap().pop().expect("the invoice");
    assert_eq!(charge.notes.iter().map(|n| n.id).collect::<Vec<_>>(), [b.id]);
    assert_eq!(store.open_invoices(tenant, w.customers[0].id).await.unwrap()[0].paid, Money::ZERO);
    // So as much can be given again, and no more; the same note is never written a second time.
    assert_eq!(write(store, tenant, notes(vec![a.clone()])).await.credit_notes, 0);
    assert_eq!(refused(store, tenant, notes(vec![note(&invoice, 60_001, "c")])).await, StoreError::Conflict);
    assert_eq!(write(store, tenant, notes(vec![note(&invoice, 60_000, "d")])).await.credit_notes, 1);
}

pub(super) async fn charges_are_told_with_their_notes(store: &dyn Store, tenant: TenantId) {
    let (w, january) = billed(store, tenant).await;
    let february = sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 100_000);
    let mut change = sample::invoice(&w.subscriptions[0], day("2026-01-15"), day("2026-01-25"), 40_000);
    change.kind = InvoiceKind::Adjustment;
    let mut fee = sample::invoice(&w.subscriptions[0], day("2026-01-16"), day("2026-01-26"), 5_000);
    fee.kind = InvoiceKind::LateFee;
    let other = sample::invoice(&w.subscriptions[1], day("2026-01-01"), day("2026-01-11"), 70_000);
    write_invoices(store, tenant, &[&february, &change, &fee, &other]).await;
    write(store, tenant, notes(vec![note(&january, 30_000, "a")])).await;
    let (one, two) = (w.subscriptions[0].id, w.subscriptions[1].id);
    let span = |from: &str, until: &str| Period { start: day(from), end: day(until) };
    let of = |charges: &[Charge]| charges.iter().map(|c| (c.invoice.id, c.notes.len())).collect::<Vec<_>>();
    let found = store.charges(tenant, &[two, one], span("2026-01-20", "2026-02-01")).await.unwrap();
    assert_eq!(of(&found), [(january.id, 1), (change.id, 0), (other.id, 0)]);
    assert_eq!((found[0].invoice.total, found[0].left()), (Money::rupiah(100_000), Money::rupiah(70_000)));
    assert_eq!(found[0].invoice.lines, january.lines);
    // Both ends are half open.
    let found = store.charges(tenant, &[one], span("2026-02-01", "2026-02-02")).await.unwrap();
    assert_eq!(of(&found), [(change.id, 0), (february.id, 0)], "the adjustment runs to the 15th");
    assert!(store.charges(tenant, &[one], span("2025-12-01", "2026-01-01")).await.unwrap().is_empty());
    assert!(store.charges(tenant, &[], span("2026-01-01", "2026-02-01")).await.unwrap().is_empty());
}

pub(super) async fn what_was_unpaid_at_a_moment(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 4).await;
    let due = day("2026-01-11");
    let made: Vec<_> = w.subscriptions.iter().map(|s| sample::invoice(s, day("2026-01-01"), due, 100_000)).collect();
    let mut fee = sample::invoice(&w.subscriptions[0], day("2026-01-02"), due, 5_000);
    fee.kind = InvoiceKind::LateFee;
    let later = sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 100_000);
    write_invoices(store, tenant, &[&made[0], &made[1], &made[2], &made[3], &fee, &later]).await;
    let then = moment("2026-01-18T17:00:00Z");
    // 0 pays nothing, 1 before the moment, 2 a part before it and the rest after, 3 at the moment itself.
    for (n, amount, at) in [
        (1, 100_000, "2026-01-18T16:59:59Z"),
        (2, 40_000, "2026-01-12T03:00:00Z"),
        (2, 60_000, "2026-01-20T03:00:00Z"),
        (3, 100_000, "2026-01-18T17:00:00Z"),
    ] {
        let at = moment(at);
        let number = n as u64 * 10 + u64::from(amount == 60_000);
        let payment = sample::payment(tenant, number, w.customers[n].id, amount, at);
        let allocations = vec![allocation(payment.id, made[n].id, amount, at)];
        write(store, tenant, ChangeSet { payments: vec![payment], allocations, ..ChangeSet::default() }).await;
    }
    // A part of 0 is paid before and booked after (rule P7); another one so was taken back since.
    let booked = moment("2026-01-21T03:00:00Z");
    for number in [1, 2] {
        let paid_at = moment("2026-01-15T03:00:00Z");
        let paid = sample::payment(tenant, number, w.customers[0].id, 10_000, paid_at);
        let payment = crate::payment::Payment { received_at: booked, ..paid };
        let made = allocation(payment.id, made[0].id, 10_000, booked);
        let back = allocation(payment.id, made.invoice_id, -10_000, booked);
        let reversal = crate::payment::PaymentReversal {
            payment_id: payment.id,
            at: booked,
            reason: "salah".into(),
            by: "kasir".into(),
        };
        let booking = ChangeSet { payments: vec![payment], allocations: vec![made], ..ChangeSet::default() };
        write(store, tenant, booking).await;
        if number == 2 {
            let taken = ChangeSet { reversals: vec![reversal], allocations: vec![back], ..ChangeSet::default() };
            write(store, tenant, taken).await;
        }
    }
    let page = PageQuery::first(9);
    let found = store.unpaid_at(tenant, due, Zone::Wib, then, page).await.unwrap();
    let mut expected = vec![(made[0].id, 10_000), (made[2].id, 40_000), (made[3].id, 0)];
    expected.sort_unstable();
    assert_eq!(found.iter().map(|i| (i.invoice_id, i.paid.as_i64())).collect::<Vec<_>>(), expected);
    assert_eq!((found[0].site_id, found[0].package_id), (w.site.id, w.packages[0].id));
    let rest = PageQuery { after: Some(expected[0].0), limit: 1 };
    let second = store.unpaid_at(tenant, due, Zone::Wib, then, rest).await.unwrap();
    assert_eq!(second.iter().map(|i| i.invoice_id).collect::<Vec<_>>(), [expected[1].0]);
    assert!(store.unpaid_at(tenant, due, Zone::Wit, then, page).await.unwrap().is_empty());
    assert!(store.unpaid_at(tenant, day("2026-01-12"), Zone::Wib, then, page).await.unwrap().is_empty());
    let ids = [made[3].id, later.id, InvoiceId(id(30, 99)), made[0].id];
    let balances = store.balances(tenant, &ids).await.unwrap();
    let told: Vec<_> = balances.iter().map(|i| (i.invoice_id, i.paid.as_i64())).collect();
    assert_eq!(told, [(made[3].id, 100_000), (later.id, 0), (made[0].id, 10_000)]);
}

pub(super) async fn write_offs_settle_like_payments(store: &dyn Store, tenant: TenantId) {
    let (w, invoice) = billed(store, tenant).await;
    let at = moment("2026-03-01T03:00:00Z");
    let mut given_up = WriteOff {
        payment_id: sample::payment(tenant, 9, w.customers[0].id, 1, at).id,
        invoice_id: invoice.id,
        customer_id: w.customers[0].id,
        amount: invoice.total,
        reason: "pindah tanpa kabar".into(),
        by: "Petugas Contoh".into(),
        at,
    };
    let payment = given_up.payment(tenant, "INV-202601-000001", 0).unwrap();
    given_up.payment_id = payment.id;
    let made = allocation(payment.id, invoice.id, 100_000, at);
    let open = store.open_invoices(tenant, w.customers[0].id).await.unwrap();
    let changes = ChangeSet {
        journal: vec![entry_for_payment(&payment, &[made], &open, day("2026-03-01"))],
        payments: vec![payment.clone()],
        write_offs: vec![given_up.clone()],
        allocations: vec![made],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    assert!(store.open_invoices(tenant, w.customers[0].id).await.unwrap().is_empty());
    assert_eq!(store.write_offs(tenant, None).await.unwrap(), [given_up.clone()]);
    assert_eq!(store.write_offs(tenant, Some(w.customers[0].id)).await.unwrap(), [given_up.clone()]);
    assert!(store.write_offs(tenant, Some(w.customers[1].id)).await.unwrap().is_empty());
    let kept = store.payment(tenant, payment.id).await.unwrap().expect("the payment").payment;
    assert_eq!((kept.channel, kept), (Channel::WriteOff, payment.clone()));
    let unknown = WriteOff { invoice_id: InvoiceId(id(30, 99)), ..given_up };
    let again = given_up_again(&unknown, tenant);
    let error = refused(store, tenant, again).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
}

fn given_up_again(of: &WriteOff, tenant: TenantId) -> ChangeSet {
    let payment = of.payment(tenant, "INV-202601-000099", 0).expect("a reference");
    let write_offs = vec![WriteOff { payment_id: payment.id, ..of.clone() }];
    ChangeSet { payments: vec![payment], write_offs, ..ChangeSet::default() }
}

pub(super) async fn collectors_hold_what_they_did_not_hand_over(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let at = moment("2026-01-05T03:00:00Z");
    let by = |number, collector: Option<&str>| {
        let payment = sample::payment(tenant, number, w.customers[0].id, 50_000, at);
        crate::payment::Payment { collector: collector.map(code), ..payment }
    };
    let payments = vec![by(1, Some("BUDI")), by(2, Some("Budi")), by(3, Some("ANI")), by(4, None), by(5, Some("ANI"))];
    write(store, tenant, ChangeSet { payments: payments.clone(), ..ChangeSet::default() }).await;
    let reversal = crate::payment::PaymentReversal {
        payment_id: payments[4].id,
        at,
        reason: "salah ketik".into(),
        by: "Petugas Contoh".into(),
    };
    write(store, tenant, ChangeSet { reversals: vec![reversal], ..ChangeSet::default() }).await;
    let deposit = |number, on: &str, amount| Deposit {
        id: DepositId(id(31, number)),
        collector: code("BUDI"),
        amount: Money::rupiah(amount),
        to: Channel::Bank,
        on: day(on),
        by: "Petugas Contoh".into(),
        note: "setoran".into(),
    };
    let (late, early) = (deposit(1, "2026-01-07", 30_000), deposit(2, "2026-01-06", 20_000));
    let changes = |deposits| ChangeSet { deposits, ..ChangeSet::default() };
    write(store, tenant, changes(vec![late.clone(), early.clone()])).await;
    let row = |deposit: &Deposit| DepositRow { deposit: deposit.clone(), ending: None };
    assert_eq!(store.deposits(tenant).await.unwrap(), [row(&early), row(&late)]);
    assert_eq!(
        refused(store, tenant, changes(vec![early.clone()])).await,
        StoreError::Duplicate { what: "deposit.id" }
    );
    let all = store.collectors(tenant).await.unwrap();
    let told: Vec<_> = all.iter().map(|c| (c.collector.folded(), c.collected.as_i64(), c.holds().as_i64())).collect();
    assert_eq!(
        told,
        [("ani".to_owned(), 50_000, 50_000), ("budi".to_owned(), 100_000, 50_000)],
        "one purse, however the name is written"
    );
    let kept = store.payment(tenant, payments[0].id).await.unwrap().expect("the payment").payment;
    assert_eq!(kept, payments[0]);
    // One that was booked back stays and counts no more.
    let ending = Ending { kind: EndingKind::TakenBack, at, by: "Petugas Contoh".into(), reason: "salah ketik".into() };
    let back = |id| ChangeSet { endings: vec![(RecordId::Deposit(id), ending.clone())], ..ChangeSet::default() };
    write(store, tenant, back(late.id)).await;
    let ended = DepositRow { ending: Some(ending.clone()), ..row(&late) };
    assert_eq!(store.deposits(tenant).await.unwrap(), [row(&early), ended]);
    assert_eq!(store.collectors(tenant).await.unwrap()[1].deposited, early.amount);
    let days = purse_days(store, tenant, Purse::Collector(code("budi"))).await;
    assert_eq!(days, [(day("2026-01-05"), Money::rupiah(100_000)), (early.on, -early.amount)]);
    assert_eq!(purse_days(store, tenant, Purse::Collector(code("NOBODY"))).await, []);
    assert_eq!(refused(store, tenant, back(late.id)).await, StoreError::Duplicate { what: "record.ending" });
    let unknown = refused(store, tenant, back(DepositId(id(31, 9)))).await;
    assert!(matches!(unknown, StoreError::Rejected { .. }), "{unknown:?}");
}

/// What is on record of all is what is on record of each.
async fn books_are_those_of_each(store: &dyn Store, tenant: TenantId, w: &World) {
    let ids: Vec<CustomerId> = w.customers.iter().map(|customer| customer.id).collect();
    let all = store.books_of(tenant, &ids).await.unwrap();
    let mut each = CustomerBooks::default();
    for id in &ids {
        let of = Some(*id);
        let query = InvoiceQuery { customer: of, ..InvoiceQuery::default() };
        let invoices = store.invoices(tenant, query, PageQuery::first(99)).await.unwrap();
        each.invoices.extend(invoices.into_iter().map(|(invoice, _)| invoice));
        each.subscriptions.extend(store.subscriptions(tenant, of, PageQuery::first(99)).await.unwrap());
        each.credit_notes.extend(store.credit_notes(tenant, of, PageQuery::first(99)).await.unwrap());
        each.payments.extend(store.payments(tenant, of, PageQuery::first(99)).await.unwrap());
        each.installations.extend(store.installation_orders(tenant, of).await.unwrap());
    }
    assert_eq!(all, each.in_order());
    assert!(!all.invoices.is_empty() && !all.credit_notes.is_empty() && !all.payments.is_empty());
    let one = store.books_of(tenant, &ids[1..2]).await.unwrap();
    assert!(!one.subscriptions.is_empty() && one.subscriptions.iter().all(|(line, _)| line.customer_id == ids[1]));
    assert_eq!(store.books_of(tenant, &[]).await.unwrap(), CustomerBooks::default());
    assert_eq!(store.books_of(sample::tenant(77), &ids).await.unwrap(), CustomerBooks::default());
    // Payments by when they were made: from a moment on, and before another one.
    let mut paid: Vec<_> = all.payments.iter().map(|row| row.payment.paid_at).collect();
    paid.sort_unstable();
    let (first, last) = (paid[0], paid[paid.len() - 1]);
    let step = chrono::TimeDelta::microseconds(1);
    let count = |rows: Vec<PaymentRow>| rows.len();
    assert_eq!(count(store.payments_between(tenant, first, last + step).await.unwrap()), paid.len());
    let before_last = paid.iter().filter(|at| **at < last).count();
    assert_eq!(count(store.payments_between(tenant, first, last).await.unwrap()), before_last);
    assert_eq!(count(store.payments_between(tenant, last + step, last + step + step).await.unwrap()), 0);
}
