//! Payments, allocations, credit, and the lists that reports read.

use std::collections::BTreeMap;

use crate::billing::InvoiceKind;
use crate::device::DeviceHistory;
use crate::ending::{Ending, EndingKind, RecordId};
use crate::ids::{InvoiceId, JournalEntryId, RefundId, TenantId};
use crate::ledger::kept::{Documents, Sums};
use crate::ledger::{Account, EntryKind, entry_for_payment};
use crate::money::Money;
use crate::payment::{Allocation, Channel, CreditSource, PaymentReversal, Refund};
use crate::ports::{ChangeSet, InvoiceQuery, PageQuery, RefundRow, Store, StoreError};
use crate::testing::sample::{self, World, allocation, day, id, moment};

use super::{refused, world, write, write_invoices};

fn spend(allocations: Vec<Allocation>) -> ChangeSet {
    ChangeSet { allocations, ..ChangeSet::default() }
}

async fn owing(store: &dyn Store, tenant: TenantId) -> (World, [InvoiceId; 2]) {
    let w = world(store, tenant, 2).await;
    let first = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000);
    let second = sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 100_000);
    write_invoices(store, tenant, &[&first, &second]).await;
    (w, [first.id, second.id])
}

pub(super) async fn allocations_stay_within_invoice_and_payment(store: &dyn Store, tenant: TenantId) {
    let (w, [first, second]) = owing(store, tenant).await;
    let at = moment("2026-01-05T03:00:00Z");
    let big = sample::payment(tenant, 1, w.customers[0].id, 150_000, at);
    let small = sample::payment(tenant, 2, w.customers[0].id, 60_000, at);
    let paid = ChangeSet { payments: vec![big.clone(), small.clone()], ..ChangeSet::default() };
    write(store, tenant, ChangeSet { allocations: vec![allocation(big.id, first, 70_000, at)], ..paid }).await;
    for (why, bad) in [
        ("more than is owed", vec![allocation(small.id, first, 30_001, at)]),
        ("more than is left", vec![allocation(big.id, second, 80_001, at)]),
        ("below zero", vec![allocation(big.id, first, -70_001, at)]),
        (
            "together more than is owed",
            vec![allocation(small.id, first, 20_000, at), allocation(big.id, first, 20_000, at)],
        ),
        (
            "together more than is left",
            vec![allocation(big.id, first, 30_000, at), allocation(big.id, second, 51_000, at)],
        ),
        ("a payment below zero", vec![allocation(small.id, first, -1, at)]),
    ] {
        assert_eq!(refused(store, tenant, spend(bad)).await, StoreError::Conflict, "{why}");
    }
    let unknown = sample::payment(tenant, 9, w.customers[0].id, 1, at).id;
    let error = refused(store, tenant, spend(vec![allocation(unknown, first, 1, at)])).await;
    assert!(matches!(error, StoreError::Rejected { .. } | StoreError::Conflict), "{error:?}");
    let error = refused(store, tenant, spend(vec![allocation(small.id, InvoiceId(id(30, 9)), 1, at)])).await;
    assert!(matches!(error, StoreError::Rejected { .. } | StoreError::Conflict), "{error:?}");
    // To the rupiah is fine.
    let rest = vec![allocation(big.id, first, 30_000, at), allocation(big.id, second, 50_000, at)];
    write(store, tenant, spend(rest.clone())).await;
    write(store, tenant, spend(vec![allocation(small.id, second, 50_000, at)])).await;
    assert!(store.open_invoices(tenant, w.customers[0].id).await.unwrap().is_empty());
    let left = vec![CreditSource { payment_id: small.id, since: small.received_at, left: Money::rupiah(10_000) }];
    assert_eq!(store.credit(tenant, w.customers[0].id).await, Ok(left));
    let made = store.allocations(tenant, big.id).await.unwrap();
    assert_eq!(made, [vec![allocation(big.id, first, 70_000, at)], rest].concat());
    assert_eq!(store.payment(tenant, small.id).await.unwrap().map(|p| p.left), Some(Money::rupiah(10_000)));
    let kept = store.invoices(tenant, InvoiceQuery::default(), PageQuery::first(9)).await.unwrap();
    assert!(kept.iter().all(|(invoice, paid)| *paid == invoice.total));
}

pub(super) async fn a_reversal_takes_everything_back_once(store: &dyn Store, tenant: TenantId) {
    let (w, [first, second]) = owing(store, tenant).await;
    let (at, later) = (moment("2026-01-05T03:00:00Z"), moment("2026-01-06T03:00:00Z"));
    let payment = sample::payment(tenant, 1, w.customers[0].id, 130_000, at);
    let made = vec![allocation(payment.id, first, 100_000, at), allocation(payment.id, second, 10_000, at)];
    write(store, tenant, ChangeSet { payments: vec![payment.clone()], ..spend(made.clone()) }).await;
    let reversal = PaymentReversal {
        payment_id: payment.id,
        at: later,
        reason: "Transfer ditolak bank".into(),
        by: "Petugas Contoh".into(),
    };
    let reverse = |allocations| ChangeSet { reversals: vec![reversal.clone()], ..spend(allocations) };
    let back = vec![allocation(payment.id, first, -100_000, later), allocation(payment.id, second, -10_000, later)];
    // Something was paid with it since it was looked at: decide again.
    assert_eq!(refused(store, tenant, reverse(back[..1].to_vec())).await, StoreError::Conflict);
    write(store, tenant, reverse(back.clone())).await;
    let error = refused(store, tenant, reverse(vec![])).await;
    assert_eq!(error, StoreError::Duplicate { what: "payment.reversal" });
    let row = store.payment(tenant, payment.id).await.unwrap().expect("the payment");
    assert_eq!((row.left, row.reversal), (Money::ZERO, Some(reversal.clone())));
    assert!(store.credit(tenant, w.customers[0].id).await.unwrap().is_empty());
    let open = store.open_invoices(tenant, w.customers[0].id).await.unwrap();
    assert_eq!(
        open.iter().map(|i| (i.invoice_id, i.paid)).collect::<Vec<_>>(),
        [(first, Money::ZERO), (second, Money::ZERO)]
    );
    assert_eq!(store.allocations(tenant, payment.id).await.unwrap(), [made, back].concat());
    // Nothing can be paid with it any more.
    let again = vec![allocation(payment.id, first, 1, later)];
    assert_eq!(refused(store, tenant, spend(again)).await, StoreError::Conflict);
    // The reversal of a payment that is not there.
    let mut unknown = reversal;
    unknown.payment_id = sample::payment(tenant, 7, w.customers[0].id, 1, at).id;
    let error = refused(store, tenant, ChangeSet { reversals: vec![unknown], ..ChangeSet::default() }).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
}

pub(super) async fn open_invoices_come_oldest_due_first(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let other = sample::subscription(9, w.customers[0].id, &w.router, w.packages[1].id);
    write(store, tenant, ChangeSet { subscriptions: vec![other.clone()], ..ChangeSet::default() }).await;
    let sub = &w.subscriptions[0];
    let due = day("2026-03-20");
    let a = sample::invoice(sub, day("2026-01-01"), due, 1_000);
    let b = sample::invoice(sub, day("2026-02-01"), day("2026-03-01"), 2_000);
    let c = sample::invoice(&other, day("2026-01-01"), due, 3_000);
    let d = sample::invoice(sub, day("2026-03-01"), due, 4_000);
    let paid = sample::invoice(&other, day("2026-02-01"), day("2026-02-02"), 5_000);
    let elsewhere = sample::invoice(&w.subscriptions[1], day("2026-01-01"), due, 6_000);
    write_invoices(store, tenant, &[&d, &c, &elsewhere, &b, &a, &paid]).await;
    let at = moment("2026-02-05T03:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[0].id, 5_500, at);
    let allocations = vec![allocation(payment.id, paid.id, 5_000, at), allocation(payment.id, d.id, 500, at)];
    write(store, tenant, ChangeSet { payments: vec![payment], ..spend(allocations) }).await;
    let open = store.open_invoices(tenant, w.customers[0].id).await.unwrap();
    // Due date, then day of issue, then number: c was written before a.
    assert_eq!(open.iter().map(|i| i.invoice_id).collect::<Vec<_>>(), [b.id, c.id, a.id, d.id]);
    let last = open[3];
    assert_eq!(
        (last.total, last.paid, last.residual()),
        (Money::rupiah(4_000), Money::rupiah(500), Money::rupiah(3_500))
    );
    assert_eq!((last.number, last.kind, last.period), (1, InvoiceKind::Subscription, d.period));
    assert_eq!((last.customer_id, last.subscription_id), (sub.customer_id, sub.id));
    assert_eq!((last.issue_date, last.due_date), (d.issue_date, d.due_date));
    let all: Vec<_> = store.all_open_invoices(tenant).await.unwrap().iter().map(|i| i.invoice_id).collect();
    assert_eq!(all.iter().filter(|id| **id != elsewhere.id).copied().collect::<Vec<_>>(), [b.id, c.id, a.id, d.id]);
    assert_eq!((all.len(), all.contains(&elsewhere.id)), (5, true));
}

pub(super) async fn credit_comes_oldest_first(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let at = |hour: u32| moment(&format!("2026-01-05T{hour:02}:00:00Z"));
    let payments: Vec<_> =
        [3, 1, 2].iter().map(|n| sample::payment(tenant, *n, w.customers[0].id, 1_000, at(*n as u32))).collect();
    write(store, tenant, ChangeSet { payments: payments.clone(), ..ChangeSet::default() }).await;
    let credit = store.credit(tenant, w.customers[0].id).await.unwrap();
    let expected = [payments[1].id, payments[2].id, payments[0].id];
    assert_eq!(credit.iter().map(|c| c.payment_id).collect::<Vec<_>>(), expected);
    assert!(store.credit(tenant, w.customers[1].id).await.unwrap().is_empty());
}

pub(super) async fn credit_of_a_past_moment(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let at = |day: u32| moment(&format!("2026-01-{day:02}T03:00:00Z"));
    let pay = |n: u64, of: usize, on: u32| sample::payment(tenant, n, w.customers[of].id, 1_000, at(on));
    let invoice = |of: usize| sample::invoice(&w.subscriptions[of], day("2026-01-01"), day("2026-01-11"), 5_000);
    let (invoices, payments) =
        (vec![invoice(0), invoice(1)], vec![pay(1, 0, 5), pay(2, 0, 7), pay(3, 1, 5), pay(4, 1, 6)]);
    let (first, second, third, gone) = (payments[0].id, payments[1].id, payments[2].id, payments[3].id);
    let spent = vec![
        allocation(first, invoices[0].id, 300, at(8)),
        allocation(first, invoices[0].id, 700, at(10)),
        allocation(third, invoices[1].id, 1_000, at(5)),
    ];
    write(store, tenant, ChangeSet { invoices, payments, ..spend(spent) }).await;
    let reversal = PaymentReversal { payment_id: gone, at: at(20), reason: "salah".to_owned(), by: "Sari".to_owned() };
    write(store, tenant, ChangeSet { reversals: vec![reversal], ..ChangeSet::default() }).await;
    let all: Vec<_> = w.customers.iter().map(|c| c.id).collect();
    let then = async |of: &[crate::ids::CustomerId], on: u32| {
        let found = store.credit_at(tenant, of, at(on)).await.unwrap();
        let told = found.iter().map(|(whose, source)| (*whose, source.payment_id, source.since, source.left.as_i64()));
        told.collect::<Vec<_>>()
    };
    let of = |n: usize, payment, day: u32, left: i64| (all[n], payment, at(day), left);
    assert_eq!(then(&all, 4).await, []);
    // Up to and including the moment; what was reversed since had no part in it, and what is used up is not told.
    assert_eq!(then(&all, 5).await, [of(0, first, 5, 1_000)]);
    assert_eq!(then(&all, 7).await, [of(0, first, 5, 1_000), of(0, second, 7, 1_000)]);
    assert_eq!(then(&all, 9).await, [of(0, first, 5, 700), of(0, second, 7, 1_000)]);
    assert_eq!(then(&all, 25).await, [of(0, second, 7, 1_000)]);
    assert_eq!(then(&[all[0], all[0]], 25).await, [of(0, second, 7, 1_000)]);
    assert_eq!(then(&all[1..], 25).await, []);
    assert_eq!(then(&[], 25).await, []);
}

pub(super) async fn customers_with_credit_and_debt(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 5).await;
    let at = moment("2026-01-05T03:00:00Z");
    let invoices: Vec<_> = [0, 1, 3, 4]
        .iter()
        .map(|n| sample::invoice(&w.subscriptions[*n], day("2026-01-01"), day("2026-01-11"), 1_000))
        .collect();
    let pay = |n: usize| sample::payment(tenant, n as u64, w.customers[n].id, 1_500, at);
    let changes = ChangeSet {
        invoices: invoices.clone(),
        payments: vec![pay(1), pay(2), pay(3), pay(4)],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    // 0 owes without credit, 2 has credit and owes nothing, 3 has both but pays with it.
    write(store, tenant, spend(vec![allocation(pay(3).id, invoices[2].id, 1_000, at)])).await;
    let both = [w.customers[1].id, w.customers[4].id];
    assert_eq!(store.customers_with_credit(tenant, PageQuery::first(9)).await.unwrap(), both);
    assert_eq!(store.customers_with_credit(tenant, PageQuery::first(1)).await.unwrap(), both[..1]);
    let next = PageQuery { after: Some(both[0]), limit: 1 };
    assert_eq!(store.customers_with_credit(tenant, next).await.unwrap(), both[1..]);
}

pub(super) async fn journal_totals_add_up_by_month(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let mut other = sample::invoice(&w.subscriptions[1], day("2026-01-15"), day("2026-01-25"), 30_000);
    other.package_id = w.packages[1].id;
    let invoices = [
        sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000),
        sample::invoice(&w.subscriptions[1], day("2026-01-02"), day("2026-01-12"), 50_000),
        other,
        sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 100_000),
    ];
    write_invoices(store, tenant, &invoices.each_ref()).await;
    let expense = super::master::expense(0);
    let (on, entry) = (expense.on, expense.entry());
    write(store, tenant, ChangeSet { expenses: vec![expense], journal: vec![entry], ..ChangeSet::default() }).await;
    let totals = store.journal_totals(tenant, day("2026-01-01"), day("2026-02-02")).await.unwrap();
    let find = |month: &str, account, package| {
        let month = day(month);
        let mut found = totals.iter().filter(|t| t.month == month && t.account == account && t.package_id == package);
        let total = found.next().map(|t| (t.amount, t.kind, t.site_id));
        assert!(found.next().is_none(), "one total for each account, month, package and site");
        total
    };
    let (p0, p1, site) = (Some(w.packages[0].id), Some(w.packages[1].id), Some(w.site.id));
    let invoices = |amount| Some((Money::rupiah(amount), EntryKind::Invoices, site));
    assert_eq!(find("2026-01-01", Account::Receivable, p0), invoices(150_000));
    assert_eq!(find("2026-01-01", Account::RevenueSubscription, p0), invoices(-150_000));
    assert_eq!(find("2026-01-01", Account::Receivable, p1), invoices(30_000));
    assert_eq!(find("2026-02-01", Account::Receivable, p0), invoices(100_000));
    assert_eq!(
        find("2026-02-01", Account::ExpenseBandwidth, None),
        Some((Money::rupiah(1_000_000), EntryKind::Expense, site))
    );
    assert_eq!(totals.iter().map(|t| t.amount).sum::<Money>(), Money::ZERO);
    // `before` is not included, `from` is.
    assert!(store.journal_totals(tenant, day("2026-03-01"), day("2027-01-01")).await.unwrap().is_empty());
    let one = store.journal_totals(tenant, on, on.plus_days(1)).await.unwrap();
    assert!(one.iter().all(|t| t.month == on.month_start()) && one.len() == 4, "{one:?}");
    assert!(store.journal_totals(tenant, on, on).await.unwrap().is_empty());
}

pub(super) async fn lists_of_invoices_are_filtered(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let jan = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 1_000);
    let feb = sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 1_000);
    let other = sample::invoice(&w.subscriptions[1], day("2026-01-01"), day("2026-01-11"), 1_000);
    let mut fee = sample::invoice(&w.subscriptions[1], day("2026-01-03"), day("2026-01-13"), 1_000);
    fee.kind = InvoiceKind::Installation;
    let at = moment("2026-01-05T03:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[0].id, 1_000, at);
    let changes = ChangeSet {
        invoices: vec![jan.clone(), feb.clone(), other.clone(), fee.clone()],
        payments: vec![payment.clone()],
        ..spend(vec![allocation(payment.id, jan.id, 1_000, at)])
    };
    write(store, tenant, changes).await;
    let all = InvoiceQuery::default();
    for (why, query, mut expected) in [
        ("all", all, vec![jan.id, feb.id, other.id, fee.id]),
        ("customer", InvoiceQuery { customer: Some(w.customers[0].id), ..all }, vec![jan.id, feb.id]),
        ("from", InvoiceQuery { issued_from: Some(day("2026-01-03")), ..all }, vec![feb.id, fee.id]),
        ("before", InvoiceQuery { issued_before: Some(day("2026-01-03")), ..all }, vec![jan.id, other.id]),
        ("open", InvoiceQuery { open: true, ..all }, vec![feb.id, other.id, fee.id]),
        ("kind", InvoiceQuery { kind: Some(InvoiceKind::Installation), ..all }, vec![fee.id]),
        ("several", InvoiceQuery { open: true, customer: Some(w.customers[0].id), ..all }, vec![feb.id]),
    ] {
        expected.sort_unstable();
        let found = store.invoices(tenant, query, PageQuery::first(9)).await.unwrap();
        assert_eq!(found.iter().map(|(i, _)| i.id).collect::<Vec<_>>(), expected, "{why}");
        if let [first, .., last] = expected.as_slice() {
            let page = PageQuery { after: Some(*first), limit: expected.len() as u32 - 1 };
            let rest = store.invoices(tenant, query, page).await.unwrap();
            assert_eq!(rest.len(), expected.len() - 1, "{why}");
            assert_eq!(rest.last().map(|(i, _)| i.id), Some(*last), "{why}");
        }
    }
}

pub(super) async fn credit_is_paid_out_and_given_back(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let (customer, at) = (w.customers[0].id, moment("2026-01-05T03:00:00Z"));
    let payments = [1, 2].map(|n| sample::payment(tenant, n, customer, 100_000, at));
    write(store, tenant, ChangeSet { payments: payments.to_vec(), ..ChangeSet::default() }).await;
    let refund = |n: u64, amount: i64| Refund {
        id: RefundId(sample::id(71, n)),
        customer_id: customer,
        amount: Money::rupiah(amount),
        paid_from: Channel::Bank,
        on: sample::day("2026-02-01"),
        by: "Petugas Contoh".into(),
        note: "berhenti".into(),
        parts: Vec::new(),
    };
    let credit = async || store.credit(tenant, customer).await.unwrap();
    let has = credit().await;
    let made = refund(1, 150_000).checked(&has).unwrap();
    let booked =
        |of: &Refund| ChangeSet { refunds: vec![of.clone()], journal: vec![of.entry()], ..ChangeSet::default() };
    write(store, tenant, booked(&made)).await;
    assert_eq!(credit().await.iter().map(|source| source.left).sum::<Money>(), Money::rupiah(50_000));
    let again = refused(store, tenant, booked(&made)).await;
    assert!(matches!(again, StoreError::Conflict | StoreError::Duplicate { what: "refund.id" }), "{again:?}");
    let rows = store.refunds(tenant, Some(customer)).await.unwrap();
    let mut parts = made.parts.clone();
    parts.sort();
    let kept = RefundRow { refund: Refund { parts, ..made.clone() }, ending: None };
    let sorted = |mut row: RefundRow| {
        row.refund.parts.sort();
        row
    };
    assert_eq!(rows.into_iter().map(sorted).collect::<Vec<_>>(), [kept]);
    assert!(store.refunds(tenant, Some(w.customers[1].id)).await.unwrap().is_empty());

    // What was decided from older facts takes nothing twice, and what is paid out is not given back by a reversal.
    let stale = refund(2, 150_000).checked(&has).unwrap();
    assert_eq!(refused(store, tenant, booked(&stale)).await, StoreError::Conflict);
    let reversal = PaymentReversal { payment_id: made.parts[0].0, at, reason: "x".into(), by: "Sari".into() };
    let reverse = ChangeSet { reversals: vec![reversal.clone()], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, reverse.clone()).await, StoreError::Conflict);

    let ending = Ending { kind: EndingKind::TakenBack, at, by: "Sari".into(), reason: "salah".into() };
    let back = ChangeSet {
        endings: vec![(RecordId::Refund(made.id), ending.clone())],
        journal: vec![made.reversal()],
        ..ChangeSet::default()
    };
    write(store, tenant, back.clone()).await;
    assert_eq!(credit().await, has);
    assert_eq!(store.refunds(tenant, None).await.unwrap()[0].ending, Some(ending));
    assert!(store.commit(tenant, back).await.is_err(), "once");
    assert_eq!(credit().await, has);
    write(store, tenant, reverse).await;
}

pub(super) async fn sums_are_kept_by_each_commit(store: &dyn Store, tenant: TenantId) {
    let (w, [first, second]) = owing(store, tenant).await;
    assert_eq!(store.kept_sums(sample::tenant(77)).await.unwrap(), Sums::default(), "another provider has none");
    let (package, site) = (w.packages[0].id, w.site.id);
    let at = moment("2026-01-05T03:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[0].id, 150_000, at);
    let invoices =
        [sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000).balance(Money::ZERO)];
    let paid = allocation(payment.id, first, 100_000, at);
    let entry = entry_for_payment(&payment, &[paid], &invoices, day("2026-01-05"));
    let changes = ChangeSet { payments: vec![payment.clone()], journal: vec![entry], ..spend(vec![paid]) };
    write(store, tenant, changes).await;
    let open = |month: &str, due: &str| (day(month).month(), (day(due), package, site));
    let ((january, due_january), (february, due_february)) =
        (open("2026-01-01", "2026-01-11"), open("2026-02-01", "2026-02-11"));
    let sums = store.kept_sums(tenant).await.unwrap();
    let rp = Money::rupiah;
    let documents = |of, month, account| sums.documents.get(&(of, month, account)).copied().unwrap_or_default();
    assert_eq!(sums.open.get(&due_january).copied().unwrap_or_default(), rp(0), "it is paid");
    assert_eq!(sums.open[&due_february], rp(100_000));
    assert_eq!(sums.all_open().len(), 1);
    for month in [january, february] {
        assert_eq!(documents(Documents::Invoices, Some(month), Account::Receivable), rp(100_000));
    }
    let account = payment.account();
    assert_eq!(documents(Documents::Payments, None, account), rp(150_000));
    assert_eq!(documents(Documents::Credit, None, Account::CustomerCredit), rp(-50_000));
    let booked = |account, kind, package, site| sums.journal[&(day("2026-01-01"), account, kind, package, site)];
    assert_eq!(booked(account, EntryKind::Payment, Some(package), Some(site)), rp(100_000));
    assert_eq!(booked(account, EntryKind::Payment, None, None), rp(50_000));
    assert_eq!(booked(Account::Receivable, EntryKind::Invoices, Some(package), Some(site)), rp(100_000));

    // What is refused moves none, and what was there already moves none.
    let again = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000);
    assert_eq!(write_invoices(store, tenant, &[&again]).await.invoices_known, 1);
    refused(store, tenant, spend(vec![allocation(payment.id, second, 50_001, at)])).await;
    assert_eq!(store.kept_sums(tenant).await.unwrap(), sums);
}

/// What a proof of the books asks of the journal and of devices: by id, by kind, by day, by pages.
pub(super) async fn the_journal_is_read_by_id_kind_and_day(store: &dyn Store, tenant: TenantId) {
    let (w, [first, _]) = owing(store, tenant).await;
    let at = moment("2026-01-05T03:00:00Z");
    let invoices =
        [sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000).balance(Money::ZERO)];
    for (n, amount) in [(1, 60_000), (2, 40_000), (3, 7_000)] {
        let payment = sample::payment(tenant, n, w.customers[0].id, amount, at);
        let paid: Vec<_> = (n < 3).then(|| allocation(payment.id, first, amount, at)).into_iter().collect();
        let entry = entry_for_payment(&payment, &paid, &invoices, day("2026-01-04").plus_days(n as i32));
        write(store, tenant, ChangeSet { payments: vec![payment], journal: vec![entry], ..spend(paid) }).await;
    }
    let cpe = sample::cpe(0, w.customers[0].id);
    let steps: Vec<_> = (0..5)
        .map(|n| DeviceHistory {
            on: day("2026-01-20").plus_days(-(n as i32)),
            ..sample::device_history(n, &cpe, day("2026-01-20"))
        })
        .collect();
    write(store, tenant, ChangeSet { cpes: vec![cpe], device_history: steps.clone(), ..ChangeSet::default() }).await;

    let all = store.journal(tenant, PageQuery::first(100)).await.unwrap();
    assert_eq!(all.len(), 5, "two months of invoices and three payments");
    let unknown = JournalEntryId(sample::id(99, 1));
    for some in [&all[..], &all[1..3], &[]] {
        let ids: Vec<JournalEntryId> = some.iter().rev().map(|entry| entry.id).chain([unknown]).collect();
        assert_eq!(store.entries_of(tenant, &ids).await.unwrap(), some);
    }
    let mut counted = store.entries_counted(tenant).await.unwrap();
    counted.sort_unstable();
    let count = |kind| all.iter().filter(|entry| entry.kind == kind).count() as u64;
    let kinds = EntryKind::ALL.into_iter().map(|kind| (kind, count(kind))).filter(|(_, count)| *count > 0);
    assert_eq!(counted, kinds.collect::<Vec<_>>());
    for kind in EntryKind::ALL {
        let (mut expected, mut booked) = (BTreeMap::new(), BTreeMap::new());
        for entry in all.iter().filter(|entry| entry.kind == kind) {
            for line in &entry.lines {
                *expected.entry((entry.date, line.account)).or_insert(Money::ZERO) += line.amount;
            }
        }
        for (on, account, amount) in store.booked_days(tenant, kind).await.unwrap() {
            *booked.entry((on, account)).or_insert(Money::ZERO) += amount;
        }
        assert_eq!(booked, expected, "{kind:?}");
    }
    assert_eq!(store.torn_entries(tenant, 10).await.unwrap(), []);
    for limit in [1, 2, 5, 6] {
        let (mut found, mut page) = (Vec::new(), PageQuery::first(limit));
        loop {
            let some = store.device_steps(tenant, page).await.unwrap();
            found.extend(some.iter().cloned());
            if !page.advance(&some, |last| last.id) {
                break;
            }
        }
        assert_eq!(found, steps, "{limit} a page");
    }
    let mut oldest_first = steps.clone();
    oldest_first.sort_by_key(|step| (step.on, step.id));
    let ids = [crate::ids::CpeId(sample::id(99, 2)), steps[0].cpe_id];
    assert_eq!(store.history_of(tenant, &ids).await.unwrap(), oldest_first);
    assert_eq!(store.history_of(tenant, &ids[..1]).await.unwrap(), []);
    let nobody = sample::tenant(77);
    assert_eq!(store.history_of(nobody, &ids).await.unwrap(), []);
    assert_eq!(store.entries_of(nobody, &[all[0].id]).await.unwrap(), []);
    assert_eq!(store.entries_counted(nobody).await.unwrap(), []);
    assert_eq!(store.booked_days(nobody, EntryKind::Invoices).await.unwrap(), []);
    assert_eq!(store.device_steps(nobody, PageQuery::first(9)).await.unwrap(), []);
}
