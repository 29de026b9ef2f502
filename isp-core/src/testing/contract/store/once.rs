//! What is written once, and the journal.

use crate::billing::Invoice;
use crate::ids::{InvoiceId, JournalEntryId, SubscriptionId, TenantId, derive};
use crate::isolation::{AccessEffect, effect_id};
use crate::ledger::{Account, EntryKind, JournalEntry, JournalLine};
use crate::message::{Notification, NotificationKind};
use crate::money::Money;
use crate::payment::{Payment, PaymentReversal};
use crate::ports::{ChangeSet, OutboxQuery, OutboxState, PageQuery, Store, StoreError, Topic};
use crate::testing::sample::{self, day, id, moment};
use crate::text::Reference;

use super::{refused, world, write, write_invoices};

pub(super) async fn invoices_are_written_once(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let (start, due) = (day("2026-01-01"), day("2026-01-11"));
    let first = sample::invoice(&w.subscriptions[0], start, due, 100_000);
    let second = sample::invoice(&w.subscriptions[1], start, due, 120_000);
    let report = write_invoices(store, tenant, &[&first]).await;
    assert_eq!((report.invoices, report.invoiced, report.invoices_known), (1, Money::rupiah(100_000), 0));
    let mut changed = first.clone();
    changed.due_date = day("2027-01-01");
    // Known by its id; known by subscription, kind and start of period; new; new twice in one set.
    let mut same_period = first.clone();
    same_period.id = crate::ids::InvoiceId(id(30, 1));
    let report = write_invoices(store, tenant, &[&changed, &same_period, &second, &second]).await;
    assert_eq!((report.invoices, report.invoiced, report.invoices_known), (1, Money::rupiah(120_000), 3));
    let kept = store.invoices(tenant, Default::default(), PageQuery::first(9)).await.unwrap();
    let mut due_dates: Vec<_> = kept.iter().map(|(i, _)| (i.number, i.due_date)).collect();
    due_dates.sort_unstable();
    assert_eq!(due_dates, [(1, due), (2, due)]);
    // Another kind of the same day is another invoice.
    let mut fee = sample::invoice(&w.subscriptions[0], start, due, 300_000);
    fee.id = crate::ids::InvoiceId(id(30, 2));
    fee.kind = crate::billing::InvoiceKind::Installation;
    assert_eq!(write_invoices(store, tenant, &[&fee]).await.invoices, 1);
}

pub(super) async fn invoices_are_numbered_without_gaps(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let starts = [day("2026-01-01"), day("2026-02-01"), day("2026-03-01")];
    let invoice = |s: usize, m: usize| sample::invoice(&w.subscriptions[s], starts[m], starts[m].plus_days(10), 1_000);
    write_invoices(store, tenant, &[&invoice(2, 0), &invoice(0, 0)]).await;
    write_invoices(store, tenant, &[&invoice(0, 0), &invoice(1, 0), &invoice(2, 0), &invoice(0, 1)]).await;
    let mut bad = invoice(1, 1);
    bad.total = Money::rupiah(1);
    let changes = ChangeSet { invoices: vec![invoice(2, 1), bad], ..ChangeSet::default() };
    assert!(matches!(refused(store, tenant, changes).await, StoreError::Rejected { .. }));
    write_invoices(store, tenant, &[&invoice(2, 2)]).await;
    let kept = store.invoices(tenant, Default::default(), PageQuery::first(9)).await.unwrap();
    assert!(kept.iter().map(|(i, _)| i.id).is_sorted());
    let number = |of: crate::billing::Invoice| {
        kept.iter().find(|(i, _)| i.id == of.id).map(|(i, _)| i.number).expect("an invoice that was written")
    };
    let numbers = [invoice(2, 0), invoice(0, 0), invoice(1, 0), invoice(0, 1), invoice(2, 2)].map(number);
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

/// A page is large enough for a store to check what it names in another way than by looking each id up.
pub(super) async fn a_page_of_invoices_names_what_is_there(store: &dyn Store, tenant: TenantId) {
    let mut w = world(store, tenant, 600).await;
    let stranger = sample::subscription(9_999, w.customers[0].id, &w.router, w.packages[0].id);
    w.subscriptions.sort_unstable_by_key(|s| s.id);
    let page = |month: &str, every: usize| -> Vec<Invoice> {
        let all = w.subscriptions.iter().step_by(every);
        all.map(|s| sample::invoice(s, day(month), day(month).plus_days(10), 100_000)).collect()
    };
    let commit = |invoices: Vec<Invoice>| ChangeSet { invoices, ..ChangeSet::default() };
    for (every, month) in [(1, "2026-01-01"), (2, "2026-02-01"), (5, "2026-03-01")] {
        let invoices = page(month, every);
        for at in [0, invoices.len() / 2, invoices.len() - 1] {
            let mut unknown = invoices.clone();
            unknown[at].customer_id = sample::customer(9_999).id;
            assert!(matches!(refused(store, tenant, commit(unknown)).await, StoreError::Rejected { .. }), "customer");
            let mut unknown = invoices.clone();
            unknown[at].subscription_id = stranger.id;
            assert!(matches!(refused(store, tenant, commit(unknown)).await, StoreError::Rejected { .. }), "line");
        }
        // A line that changed hands: who owes need not be who has it now.
        let mut moved = invoices.clone();
        moved[1].customer_id = invoices[0].customer_id;
        assert_eq!(write(store, tenant, commit(moved)).await.invoices, invoices.len() as u64, "every {every}");
    }
    // Two kinds for one subscription, and some that are there.
    let mut mixed = page("2026-03-01", 2);
    let fees = mixed.iter().map(|i| Invoice {
        id: InvoiceId(derive(i.id.0, &["fee"])),
        kind: crate::billing::InvoiceKind::LateFee,
        ..i.clone()
    });
    mixed.extend(fees.collect::<Vec<_>>());
    let report = write(store, tenant, commit(mixed)).await;
    assert_eq!((report.invoices, report.invoices_known), (540, 60));
}

pub(super) async fn invoices_must_add_up(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let good = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000);
    let mut header = good.clone();
    header.ppn = Money::rupiah(1);
    let mut total = good.clone();
    total.total = Money::rupiah(99_999);
    for bad in [header, total] {
        let error = refused(store, tenant, ChangeSet { invoices: vec![bad], ..ChangeSet::default() }).await;
        assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
    }
    let mut full = good;
    full.lines = crate::billing::InvoiceLines::from_iter([
        crate::billing::InvoiceLine {
            kind: crate::billing::LineKind::Subscription,
            amount: Money::rupiah(100_000),
            prorated: Some((17, 31)),
        },
        crate::billing::InvoiceLine::new(crate::billing::LineKind::Discount, Money::rupiah(-10_000)),
        crate::billing::InvoiceLine::new(crate::billing::LineKind::Ppn, Money::rupiah(9_900)),
        crate::billing::InvoiceLine::new(crate::billing::LineKind::Rounding, Money::rupiah(1)),
    ]);
    (full.dpp, full.ppn, full.total) = (Money::rupiah(90_000), Money::rupiah(9_900), Money::rupiah(99_901));
    write_invoices(store, tenant, &[&full]).await;
    full.number = 1;
    let kept = store.invoices(tenant, Default::default(), PageQuery::first(9)).await.unwrap();
    assert_eq!(kept, [(full, Money::ZERO)]);
}

pub(super) async fn messages_are_written_once_by_any_key(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let (one, two, three) = (id(31, 1), id(31, 2), id(31, 3));
    let at = moment("2026-01-08T01:00:00Z");
    let message = |kind, level, subjects: &[uuid::Uuid]| {
        Notification::new(tenant, kind, level, w.customers[0].id, subjects, at, crate::Zone::Wib)
    };
    let send = |messages| ChangeSet { messages, ..ChangeSet::default() };
    let first = message(NotificationKind::DueSoon, 3, &[one, two]);
    let report = write(store, tenant, send(vec![first.clone()])).await;
    assert_eq!((report.messages, report.messages_known), (1, 0));
    let other_level = message(NotificationKind::DueSoon, 1, &[one]);
    let other_kind = message(NotificationKind::Overdue, 3, &[one]);
    let shares_two = message(NotificationKind::DueSoon, 3, &[two, three]);
    let all = vec![first.clone(), shares_two, other_level.clone(), other_kind.clone(), other_kind.clone()];
    let report = write(store, tenant, send(all)).await;
    assert_eq!((report.messages, report.messages_known), (2, 3));
    // A message that was left out gave none of its keys away.
    let only_three = message(NotificationKind::DueSoon, 3, &[three]);
    assert_eq!(write(store, tenant, send(vec![only_three.clone()])).await.messages, 1);
    // Two in one set that share a key: the first is written.
    let (four, five) = (id(31, 4), id(31, 5));
    let pair = vec![
        message(NotificationKind::Overdue, 7, &[four]),
        message(NotificationKind::Overdue, 7, &[four, five]),
        message(NotificationKind::Overdue, 7, &[five]),
    ];
    let report = write(store, tenant, send(pair.clone())).await;
    assert_eq!((report.messages, report.messages_known), (2, 1));
    let query = OutboxQuery { topic: Some(Topic::Message), ..OutboxQuery::default() };
    let rows = store.outbox(tenant, query, PageQuery::first(20)).await.unwrap();
    let mut expected = vec![first, other_level, other_kind, only_three, pair[0].clone(), pair[2].clone()];
    expected.sort_by_key(|m| m.id);
    let found: Vec<Notification> = rows
        .iter()
        .map(|row| match &row.effect {
            crate::ports::Effect::Message(message) => message.clone(),
            crate::ports::Effect::Access(_) => panic!("not a message"),
        })
        .collect();
    assert_eq!(found, expected);
    assert!(rows.iter().all(|r| r.state == OutboxState::Pending && r.attempts == 0 && r.next_attempt == at));
    assert!(rows.iter().all(|r| r.note.is_empty() && r.provider_id.is_none() && r.finished_at.is_none()));
}

pub(super) async fn payments_are_written_once(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let at = moment("2026-01-05T03:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[0].id, 50_000, at);
    let pay = |payments| ChangeSet { payments, billing_position: Some(day("2026-01-05")), ..ChangeSet::default() };
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 1_000);
    write(store, tenant, pay(vec![payment.clone()])).await;
    let mut again = payment.clone();
    again.amount = Money::rupiah(60_000);
    let mut other_id = payment.clone();
    other_id.id = crate::ids::PaymentId(id(32, 1));
    for bad in [again, other_id] {
        let changes = ChangeSet { invoices: vec![invoice.clone()], ..pay(vec![bad]) };
        let error = refused(store, tenant, changes).await;
        assert_eq!(error, StoreError::Duplicate { what: "payment.reference" });
    }
    let new = sample::payment(tenant, 2, w.customers[0].id, 1, at);
    let error = refused(store, tenant, pay(vec![new.clone(), new])).await;
    assert_eq!(error, StoreError::Duplicate { what: "payment.reference" });
    // The same reference of another provider is another payment.
    let mut other = payment.clone();
    other.provider = sample::code("bank");
    other.id = crate::payment::Payment::id_of(tenant, other.customer_id, &other.provider, &other.reference, 0);
    other.customer_id = w.customers[1].id;
    other.paid_at = moment("2026-01-04T03:00:00Z");
    write(store, tenant, pay(vec![other.clone()])).await;
    let mut expected = [payment, other];
    expected.sort_by_key(|p| p.id);
    let rows = store.payments(tenant, None, PageQuery::first(9)).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.payment.clone()).collect::<Vec<_>>(), expected);
    assert!(rows.iter().all(|r| r.left == r.payment.amount && r.reversal.is_none()));
    for row in rows {
        assert_eq!(store.payment(tenant, row.payment.id).await.unwrap().as_ref(), Some(&row));
        let of = store.payments(tenant, Some(row.payment.customer_id), PageQuery::first(9)).await.unwrap();
        assert_eq!(of, [row]);
    }
    assert!(store.invoices(tenant, Default::default(), PageQuery::first(9)).await.unwrap().is_empty());
}

/// Rule P6: provider and reference are compared without case; a reversal frees them.
pub(super) async fn references_are_compared_without_case_and_free_once_reversed(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let at = moment("2026-01-05T03:00:00Z");
    let booking = |n: u64, customer: usize, provider: &str, text: &str, minute: i64| Payment {
        id: crate::ids::PaymentId(id(33, n)),
        provider: sample::code(provider),
        reference: Reference::parse("reference", text).unwrap(),
        received_at: at + chrono::TimeDelta::minutes(minute),
        ..sample::payment(tenant, 1, w.customers[customer].id, 50_000, at)
    };
    let pay = |payment: &Payment| ChangeSet { payments: vec![payment.clone()], ..ChangeSet::default() };
    let first = booking(9, 0, "bca", "TRSF E-BANKING CR 0501/FTSCY#1", 0);
    write(store, tenant, pay(&first)).await;
    let spelled = booking(2, 1, "BCA", "trsf e-banking  cr 0501/ftscy#1 ", 1);
    assert_eq!(refused(store, tenant, pay(&spelled)).await, StoreError::Duplicate { what: "payment.reference" });
    let reversal = |payment: &Payment| ChangeSet {
        reversals: vec![PaymentReversal { payment_id: payment.id, at, reason: "wrong".into(), by: "kasir".into() }],
        ..ChangeSet::default()
    };
    write(store, tenant, reversal(&first)).await;
    write(store, tenant, pay(&spelled)).await;
    let third = booking(3, 0, "bca", "TRSF E-BANKING CR 0501/FTSCY#1", 2);
    assert_eq!(refused(store, tenant, pay(&third)).await, StoreError::Duplicate { what: "payment.reference" });
    let known = store.payments_known_as(tenant, &third.provider, &third.reference).await.unwrap();
    let told: Vec<_> = known.iter().map(|row| (row.payment.id, row.reversal.is_some(), row.left.as_i64())).collect();
    assert_eq!(told, [(first.id, true, 0), (spelled.id, false, 50_000)], "in the order of booking, not of ids");
    assert_eq!(known[1].payment.reference.as_str(), "trsf e-banking cr 0501/ftscy#1", "kept as it was typed");
    let other = store.payments_known_as(tenant, &sample::code("bni"), &third.reference).await.unwrap();
    assert!(other.is_empty());
    // The second is reversed as well, and the reference is free for a third.
    write(store, tenant, reversal(&spelled)).await;
    write(store, tenant, pay(&third)).await;
    let known = store.payments_known_as(tenant, &third.provider, &third.reference).await.unwrap();
    assert_eq!(known.iter().map(|row| row.reversal.is_some()).collect::<Vec<_>>(), [true, true, false]);
}

/// Rule P9: each customer numbers its own slips of tax.
pub(super) async fn slips_are_numbered_by_customers(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let at = moment("2026-01-05T03:00:00Z");
    let slip = |n: u64, customer: usize, text: &str| Payment {
        id: crate::ids::PaymentId(id(34, n)),
        provider: sample::code("pph23"),
        reference: Reference::parse("reference", text).unwrap(),
        channel: crate::payment::Channel::Pph23,
        ..sample::payment(tenant, 1, w.customers[customer].id, 20_000, at)
    };
    let pay = |payment: &Payment| ChangeSet { payments: vec![payment.clone()], ..ChangeSet::default() };
    let (first, other) = (slip(1, 0, "BP 0001"), slip(2, 1, "bp0001"));
    write(store, tenant, pay(&first)).await;
    write(store, tenant, pay(&other)).await;
    let again = slip(3, 0, "bp0001 ");
    assert_eq!(refused(store, tenant, pay(&again)).await, StoreError::Duplicate { what: "payment.reference" });
    let known = store.payments_known_as(tenant, &again.provider, &again.reference).await.unwrap();
    assert_eq!(known.iter().map(|row| row.payment.clone()).collect::<Vec<_>>(), [first.clone(), other]);
    let reversal = PaymentReversal { payment_id: first.id, at, reason: "wrong".into(), by: "kasir".into() };
    write(store, tenant, ChangeSet { reversals: vec![reversal], ..ChangeSet::default() }).await;
    write(store, tenant, pay(&again)).await;
    let rest = slip(4, 1, "BP 0001");
    assert_eq!(refused(store, tenant, pay(&rest)).await, StoreError::Duplicate { what: "payment.reference" });
}

pub(super) async fn effects_are_written_once(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let (sub, router) = (w.subscriptions[0].id, w.router.id);
    let at = moment("2026-01-20T03:00:00Z");
    let effect = |revision| AccessEffect { subscription_id: sub, router_id: router, revision, not_before: at };
    let changes = ChangeSet { effects: vec![effect(1), effect(2), effect(2)], ..ChangeSet::default() };
    assert_eq!(write(store, tenant, changes).await.effects, 1);
    let rows = store.outbox(tenant, OutboxQuery::default(), PageQuery::first(9)).await.unwrap();
    let mut ids = [effect_id(sub, router, 1), effect_id(sub, router, 2)];
    ids.sort_unstable();
    assert_eq!(rows.iter().map(|r| r.id).collect::<Vec<_>>(), ids);
    let second = rows.iter().find(|r| r.id == effect_id(sub, router, 2)).expect("the second wish");
    assert_eq!(second.effect, crate::ports::Effect::Access(effect(2)));
    assert_eq!((second.state, second.next_attempt), (OutboxState::Pending, at));
    assert_ne!(effect_id(sub, router, 1), effect_id(SubscriptionId(id(5, 77)), router, 1));
}

pub(super) async fn the_journal_balances(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let jan = |s: usize, total| sample::invoice(&w.subscriptions[s], day("2026-01-01"), day("2026-01-11"), total);
    let feb = sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 70_000);
    write_invoices(store, tenant, &[&jan(0, 100_000)]).await;
    // Only the invoices that were really inserted are booked, one entry a day of issue.
    write_invoices(store, tenant, &[&jan(0, 100_000), &jan(1, 50_000), &feb]).await;
    write_invoices(store, tenant, &[&jan(1, 50_000), &feb]).await;
    let entries = store.journal(tenant, PageQuery::first(20)).await.unwrap();
    assert_eq!(entries.len(), 3);
    assert!(entries.iter().map(|e| e.id).is_sorted());
    assert!(entries.iter().all(|e| e.balances() && e.kind == EntryKind::Invoices && e.lines.len() >= 2));
    let owed: Money =
        entries.iter().flat_map(|e| &e.lines).filter(|l| l.account == Account::Receivable).map(|l| l.amount).sum();
    assert_eq!(owed, Money::rupiah(220_000));

    let line = |account, amount| JournalLine::new(account, Money::rupiah(amount));
    let entry = JournalEntry {
        id: JournalEntryId(id(33, 1)),
        date: day("2026-02-05"),
        kind: EntryKind::Payment,
        lines: vec![line(Account::Cash, 5_000), line(Account::CustomerCredit, -5_000)],
    };
    let book = |journal| ChangeSet { journal, ..ChangeSet::default() };
    write(store, tenant, book(vec![entry.clone()])).await;
    assert_eq!(refused(store, tenant, book(vec![entry.clone()])).await, StoreError::Duplicate { what: "journal.id" });
    let mut skew = entry.clone();
    skew.id = JournalEntryId(id(33, 2));
    skew.lines[0].amount = Money::rupiah(5_001);
    assert!(matches!(refused(store, tenant, book(vec![skew])).await, StoreError::Rejected { .. }));
    let after = PageQuery { after: Some(entries[0].id), limit: 2 };
    assert_eq!(store.journal(tenant, after).await.unwrap().len(), 2);
    let kept = store.journal(tenant, PageQuery::first(20)).await.unwrap();
    assert!(kept.contains(&entry));
    assert_eq!(kept.iter().flat_map(|e| &e.lines).map(|l| l.amount).sum::<Money>(), Money::ZERO);
}
