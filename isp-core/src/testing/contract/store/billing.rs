//! What billing and reminders load.

use crate::calendar::BillingDay;
use crate::ids::TenantId;
use crate::installation::InvoicedFee;
use crate::message::{Notification, NotificationKind};
use crate::money::Money;
use crate::ports::{BillableQuery, ChangeSet, DunningQuery, LastReminders, PageQuery, Store, StoreError};
use crate::testing::sample::{self, allocation, day, moment};

use super::{refused, world, write, write_invoices};

pub(super) async fn the_position_moves_forward_only(store: &dyn Store, tenant: TenantId) {
    let at = |text| ChangeSet { billing_position: Some(day(text)), ..ChangeSet::default() };
    assert_eq!(store.billing_position(tenant).await, Ok(None));
    write(store, tenant, at("2026-01-10")).await;
    write(store, tenant, at("2026-01-09")).await;
    assert_eq!(store.billing_position(tenant).await, Ok(Some(day("2026-01-10"))));
    write(store, tenant, ChangeSet::default()).await;
    write(store, tenant, at("2026-01-11")).await;
    assert_eq!(store.billing_position(tenant).await, Ok(Some(day("2026-01-11"))));
}

pub(super) async fn the_last_run_is_what_was_written_last(store: &dyn Store, tenant: TenantId) {
    let at = |text| ChangeSet { last_run: Some(moment(text)), ..ChangeSet::default() };
    assert_eq!(store.last_run(tenant).await, Ok(None));
    write(store, tenant, at("2026-01-10T03:00:00.000001Z")).await;
    write(store, tenant, ChangeSet { billing_position: Some(day("2026-01-10")), ..ChangeSet::default() }).await;
    assert_eq!(store.last_run(tenant).await, Ok(Some(moment("2026-01-10T03:00:00.000001Z"))));
    // A person may say that the clock was wrong before.
    write(store, tenant, at("2026-01-09T03:00:00Z")).await;
    assert_eq!(store.last_run(tenant).await, Ok(Some(moment("2026-01-09T03:00:00Z"))));
}

pub(super) async fn billable_by_day_mark_and_end(store: &dyn Store, tenant: TenantId) {
    let mut w = sample::World::new(6);
    let on = |d| BillingDay::try_new(d).unwrap();
    for s in &mut w.subscriptions {
        s.terms.billed_from = None;
    }
    w.subscriptions[0].terms.day = on(1);
    w.subscriptions[1].terms.day = on(31);
    // Marked, with another day; ended lately; ended long ago; another day.
    w.subscriptions[2].terms.day = on(9);
    w.subscriptions[2].terms.billed_from = Some(day("2026-01-09"));
    w.subscriptions[3].terms.day = on(9);
    w.subscriptions[3].terms.end = Some(day("2026-03-05"));
    w.subscriptions[4].terms.day = on(9);
    w.subscriptions[4].terms.end = Some(day("2026-03-04"));
    w.subscriptions[5].terms.day = on(9);
    write(store, tenant, w.master()).await;
    let query = BillableQuery { days: 1 << 1 | 1 << 31, ends_from: day("2026-03-05") };
    let rows = store.load_billable(tenant, query, PageQuery::first(9)).await.unwrap();
    let expected: Vec<_> = w.subscriptions[..4].iter().map(|s| sample::billable(s, w.site.zone)).collect();
    assert_eq!(*rows, expected);
    let page = PageQuery { after: Some(w.subscriptions[0].id), limit: 2 };
    assert_eq!(*store.load_billable(tenant, query, page).await.unwrap(), expected[1..3]);
    let none = BillableQuery { days: 0, ends_from: day("2026-03-06") };
    let rows = store.load_billable(tenant, none, PageQuery::first(9)).await.unwrap();
    assert_eq!(*rows, expected[2..3]);
}

pub(super) async fn what_was_not_billed_keeps_its_earliest_mark(store: &dyn Store, tenant: TenantId) {
    let mut w = sample::World::new(3);
    w.subscriptions[0].terms.billed_from = None;
    w.subscriptions[1].terms.billed_from = Some(day("2026-01-03"));
    w.subscriptions[2].terms.billed_from = Some(day("2026-02-20"));
    write(store, tenant, w.master()).await;
    let not_billed = w.subscriptions.iter().map(|s| (s.id, day("2026-02-01"))).collect();
    write(store, tenant, ChangeSet { not_billed, ..ChangeSet::default() }).await;
    let query = BillableQuery { days: 0, ends_from: crate::Date::MAX };
    let found = store.load_billable(tenant, query, PageQuery::first(10)).await.unwrap();
    let marks: Vec<_> = found.iter().map(|b| b.terms.billed_from).collect();
    assert_eq!(marks, [Some(day("2026-02-01")), Some(day("2026-01-03")), Some(day("2026-02-01"))]);
}

pub(super) async fn instalments_without_an_invoice(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let kind = sample::installation_kind(0);
    let order =
        |n: u64, on: &str, parts| sample::installation_order(n, &w.subscriptions[n as usize], kind.id, day(on), parts);
    let orders = vec![order(0, "2026-01-31", 3), order(1, "2026-02-10", 1), order(2, "2026-03-01", 1)];
    let changes = ChangeSet {
        installation_kinds: vec![kind.clone()],
        installation_orders: orders.clone(),
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let due = async |until: &str| {
        let rows = store.load_instalments(tenant, day(until)).await.unwrap();
        rows.into_iter().map(|r| r.order).collect::<Vec<_>>()
    };
    assert!(due("2026-01-30").await.is_empty());
    assert_eq!(due("2026-01-31").await, orders[..1]);
    assert_eq!(due("2026-02-10").await, orders[..2]);
    let row = store.load_instalments(tenant, day("2026-01-31")).await.unwrap().remove(0);
    assert_eq!((row.site_id, row.zone, row.package_id), (w.site.id, w.site.zone, w.packages[0].id));
    // Invoiced parts are not due again; the next part is.
    let bill = |order: &crate::installation::InstallationOrder, part: usize| {
        let part = order.schedule()[part];
        let mut invoice = sample::invoice(&w.subscriptions[0], part.on, part.on.plus_days(10), part.amount.as_i64());
        (invoice.id, invoice.kind) = (part.invoice_id, crate::billing::InvoiceKind::Installation);
        (invoice.customer_id, invoice.subscription_id) = (order.customer_id, order.subscription_id);
        invoice
    };
    write_invoices(store, tenant, &[&bill(&orders[0], 0), &bill(&orders[1], 0)]).await;
    assert!(due("2026-02-27").await.is_empty());
    assert_eq!(due("2026-02-28").await, orders[..1]);
    write_invoices(store, tenant, &[&bill(&orders[0], 2)]).await;
    assert_eq!(due("2026-12-31").await, [orders[0].clone(), orders[2].clone()]);
}

pub(super) async fn installation_orders_tell_how_far_they_are_paid(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let kind = sample::installation_kind(0);
    let orders: Vec<_> = (0..2)
        .map(|n| sample::installation_order(n, &w.subscriptions[n as usize], kind.id, day("2026-01-05"), 2))
        .collect();
    let part = orders[0].schedule()[0];
    let mut invoice = sample::invoice(&w.subscriptions[0], part.on, part.on.plus_days(10), 166_500);
    (invoice.id, invoice.kind) = (part.invoice_id, crate::billing::InvoiceKind::Installation);
    let monthly = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 50_000);
    let at = moment("2026-01-06T03:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[0].id, 100_000, at);
    let changes = ChangeSet {
        installation_kinds: vec![kind],
        installation_orders: orders.clone(),
        invoices: vec![invoice.clone(), monthly.clone()],
        allocations: vec![
            allocation(payment.id, invoice.id, 60_000, at),
            allocation(payment.id, monthly.id, 40_000, at),
        ],
        payments: vec![payment],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let rows = store.installation_orders(tenant, None).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.order.clone()).collect::<Vec<_>>(), orders);
    assert_eq!((rows[0].invoiced, rows[0].paid), (Money::rupiah(166_500), Money::rupiah(60_000)));
    assert_eq!((rows[1].invoiced, rows[1].paid), (Money::ZERO, Money::ZERO));
    let of = store.installation_orders(tenant, Some(w.customers[1].id)).await.unwrap();
    assert_eq!(of, rows[1..]);
}

pub(super) async fn fees_wait_for_the_first_invoice(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let kind = sample::installation_kind(0);
    let order = |n: u64, line: usize| crate::installation::InstallationOrder {
        with_first_invoice: true,
        step: Money::rupiah(100),
        ..sample::installation_order(n, &w.subscriptions[line], kind.id, day("2026-01-05"), 1)
    };
    let free = crate::installation::InstallationOrder { fee: Money::ZERO, ..order(3, 2) };
    let alone = sample::installation_order(4, &w.subscriptions[2], kind.id, day("2026-01-05"), 1);
    let orders = vec![order(0, 0), order(1, 1), order(2, 1), free, alone.clone()];
    let mut terms = w.subscriptions[1].terms;
    terms.end = Some(day("2026-03-01"));
    let changes = ChangeSet {
        installation_kinds: vec![kind],
        installation_orders: orders.clone(),
        terms: vec![(w.subscriptions[1].id, terms)],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let waiting = async || store.load_waiting_fees(tenant).await.unwrap();
    let rows = waiting().await;
    assert_eq!(rows.iter().map(|r| r.order.clone()).collect::<Vec<_>>(), orders[..3]);
    assert_eq!((rows[0].site_id, rows[0].zone, rows[0].package_id), (w.site.id, w.site.zone, w.packages[0].id));
    assert_eq!((rows[0].ends_on, rows[1].ends_on), (None, terms.end));
    // Such a fee is no instalment; the other is.
    let instalments = store.load_instalments(tenant, day("2026-12-31")).await.unwrap();
    assert_eq!(instalments.into_iter().map(|r| r.order).collect::<Vec<_>>(), [alone]);
    assert_eq!(store.installation_orders(tenant, None).await.unwrap()[0].order, orders[0]);

    let invoice =
        |line: usize, start: &str| sample::invoice(&w.subscriptions[line], day(start), day("2026-02-11"), 600_000);
    let fee = |order: usize, invoice: &crate::billing::Invoice| InvoicedFee {
        order_id: orders[order].id,
        invoice_id: invoice.id,
        amount: Money::rupiah(333_000),
    };
    let known = invoice(0, "2026-01-01");
    write_invoices(store, tenant, &[&known]).await;
    let (first, second) = (invoice(1, "2026-01-01"), invoice(0, "2026-02-01"));
    // The fee of an invoice that was there already waits on; two fees may stand on one invoice.
    let invoiced_fees = vec![fee(0, &known), fee(1, &first), fee(2, &first)];
    let changes = ChangeSet { invoices: vec![known.clone(), first.clone()], invoiced_fees, ..ChangeSet::default() };
    assert_eq!(write(store, tenant, changes).await.invoices, 1);
    assert_eq!(waiting().await.into_iter().map(|r| r.order).collect::<Vec<_>>(), orders[..1]);
    // A second invoice with the same fee is refused, with all that comes with it.
    let changes =
        ChangeSet { invoices: vec![second.clone()], invoiced_fees: vec![fee(1, &second)], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, changes).await, StoreError::Conflict);
    let unknown = InvoicedFee { order_id: crate::ids::InstallationOrderId(sample::id(99, 1)), ..fee(0, &second) };
    let changes = ChangeSet { invoices: vec![second.clone()], invoiced_fees: vec![unknown], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, changes).await.code(), "store.rejected");
    assert!(store.balances(tenant, &[second.id]).await.unwrap().is_empty());
    // Paid by its share of the invoice, and wholly when the invoice is.
    let at = moment("2026-01-06T03:00:00Z");
    for (number, amount, paid) in [(1, 200_000, 111_000), (2, 400_000, 333_000)] {
        let payment = sample::payment(tenant, number, w.customers[1].id, amount, at);
        let allocations = vec![allocation(payment.id, first.id, amount, at)];
        write(store, tenant, ChangeSet { payments: vec![payment], allocations, ..ChangeSet::default() }).await;
        let rows = store.installation_orders(tenant, Some(w.customers[1].id)).await.unwrap();
        assert_eq!(rows.len(), 2);
        for row in rows {
            assert_eq!((row.invoiced, row.paid), (Money::rupiah(333_000), Money::rupiah(paid)));
        }
    }
}

pub(super) async fn dunning_facts(store: &dyn Store, tenant: TenantId) {
    let mut w = world(store, tenant, 4).await;
    w.customers[2].phone = None;
    // The second line of customer 0 stands in another zone; the first one's counts.
    let far = sample::site(2);
    let far_router = sample::router(2, far.id);
    let second = sample::subscription(9, w.customers[0].id, &far_router, w.packages[0].id);
    let changes = ChangeSet {
        sites: vec![far],
        routers: vec![far_router],
        customers: vec![w.customers[2].clone()],
        subscriptions: vec![second.clone()],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let invoice = |s: &crate::subscription::Subscription, start: &str, due: &str| {
        sample::invoice(s, day(start), day(due), 10_000)
    };
    let a = invoice(&w.subscriptions[0], "2026-01-01", "2026-01-11");
    let b = invoice(&second, "2026-03-01", "2026-03-31");
    let c = invoice(&w.subscriptions[1], "2026-01-01", "2026-01-12");
    let d = invoice(&w.subscriptions[2], "2026-01-01", "2026-01-13");
    let paid = invoice(&w.subscriptions[3], "2026-01-01", "2026-01-11");
    write_invoices(store, tenant, &[&b, &a, &c, &d, &paid]).await;
    let at = moment("2026-01-08T01:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[3].id, 10_000, at);
    let message = |kind, level, subjects: &[uuid::Uuid]| {
        Notification::new(tenant, kind, level, w.customers[0].id, subjects, at, crate::Zone::Wib)
    };
    let changes = ChangeSet {
        allocations: vec![allocation(payment.id, paid.id, 10_000, at)],
        messages: vec![
            message(NotificationKind::DueSoon, 3, &[a.id.0]),
            message(NotificationKind::Overdue, 3, &[a.id.0, b.id.0]),
            message(NotificationKind::Overdue, 10, &[a.id.0]),
            message(NotificationKind::PaymentReceived, 0, &[payment.id.0]),
            message(NotificationKind::DueSoon, 3, &[c.id.0]),
        ],
        payments: vec![payment],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let query = DunningQuery { due_from: day("2026-01-11"), due_until: day("2026-01-12"), last: None };
    let facts = store.load_dunning(tenant, query, PageQuery::first(9)).await.unwrap();
    assert_eq!(facts.iter().map(|f| f.customer_id).collect::<Vec<_>>(), [w.customers[0].id, w.customers[1].id]);
    let first = &facts[0];
    assert_eq!((first.zone, first.reachable), (w.site.zone, true));
    assert_eq!(first.open.iter().map(|i| i.invoice_id).collect::<Vec<_>>(), [a.id, b.id]);
    assert_eq!(first.open, store.open_invoices(tenant, w.customers[0].id).await.unwrap());
    let mut notified = first.notified.clone();
    notified.sort_unstable();
    let mut expected = vec![
        (a.id, NotificationKind::DueSoon, 3),
        (a.id, NotificationKind::Overdue, 3),
        (a.id, NotificationKind::Overdue, 10),
        (b.id, NotificationKind::Overdue, 3),
    ];
    expected.sort_unstable();
    assert_eq!(notified, expected);
    assert_eq!(facts[1].notified, [(c.id, NotificationKind::DueSoon, 3)]);
    let page = PageQuery { after: Some(w.customers[0].id), limit: 1 };
    assert_eq!(store.load_dunning(tenant, query, page).await.unwrap(), facts[1..]);
    // Nobody to write to, and an edge of the span; the paid one is not there.
    // Whose invoices of these days were told for the last time is left out; who is told comes with all that is open.
    let told = |last: LastReminders| DunningQuery { last: Some(last), ..query };
    let between = (day("2026-01-12"), day("2026-01-11"));
    let last = LastReminders { overdue: Some(10), due_soon: Some(3), today: day("2026-01-12"), between };
    let none = LastReminders { overdue: None, due_soon: None, ..last };
    for (last, expected) in [
        (last, vec![]),
        (LastReminders { due_soon: Some(2), ..last }, vec![w.customers[1].id]),
        (LastReminders { today: day("2026-01-13"), ..last }, vec![w.customers[1].id]),
        (LastReminders { overdue: Some(3), ..last }, vec![]),
        (LastReminders { overdue: Some(11), due_soon: None, ..last }, vec![w.customers[0].id, w.customers[1].id]),
        (LastReminders { overdue: None, ..last }, vec![w.customers[0].id]),
        (none, vec![w.customers[0].id, w.customers[1].id]),
        (LastReminders { between: (day("2026-01-10"), day("2026-01-11")), ..none }, vec![w.customers[1].id]),
        (LastReminders { between: (day("2026-01-12"), day("2026-01-12")), ..none }, vec![w.customers[0].id]),
    ] {
        let facts = store.load_dunning(tenant, told(last), PageQuery::first(9)).await.unwrap();
        assert_eq!(facts.iter().map(|f| f.customer_id).collect::<Vec<_>>(), expected, "{last:?}");
        assert!(
            facts.iter().all(|told| told.customer_id != first.customer_id || told == first),
            "with all that is open"
        );
    }
    let query = DunningQuery { due_from: day("2026-01-13"), due_until: day("2026-01-13"), last: None };
    let facts = store.load_dunning(tenant, query, PageQuery::first(9)).await.unwrap();
    assert_eq!(facts.iter().map(|f| (f.customer_id, f.reachable)).collect::<Vec<_>>(), [(w.customers[2].id, false)]);
}
