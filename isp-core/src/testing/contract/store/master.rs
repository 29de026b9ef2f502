//! Master data: atomic, unique, complete, paged, apart by tenant.

use chrono::{DateTime, Utc};

use crate::calendar::{Cycle, Date};
use crate::device::{DeviceAction, Ownership};
use crate::ending::{Ending, EndingKind, RecordId};
use crate::ids::{ExemptionId, ExpenseId, OutageId, PromiseId, SubscriptionId, TenantId};
use crate::isolation::{Access, ServiceAccess};
use crate::ledger::{Account, Expense};
use crate::money::Money;
use crate::package::{PriceList, PriceVersion};
use crate::payment::Channel;
use crate::ports::{AccessQuery, ChangeSet, PageQuery, Store, StoreError};
use crate::protection::{Exemption, Outage, Promise};
use crate::subscription::{BillingTerms, Discount, HeldPrice, Off, PackageChange, Timing};
use crate::tax::TaxMode;
use crate::terms::FormerTerms;
use crate::testing::sample::{self, TERM, World, code, day, id, moment};
use crate::text::{Code, Language};

use super::{refused, world, write};

pub(super) async fn a_bad_row_leaves_nothing(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let late = day("2026-01-11");
    let bad = ChangeSet {
        sites: vec![sample::site(5)],
        customers: vec![sample::customer(5)],
        packages: vec![sample::package(5)],
        cpes: vec![sample::cpe(5, w.customers[0].id)],
        invoices: vec![sample::invoice(&w.subscriptions[0], day("2026-01-01"), late, 100_000)],
        billing_position: Some(late),
        touched: vec![w.subscriptions[0].id],
        payments: vec![sample::payment(tenant, 1, w.customers[0].id, 5_000, moment("2026-01-05T00:00:00Z"))],
        access: vec![ServiceAccess { version: 99, ..ServiceAccess::new(w.subscriptions[0].id, Access::Isolated) }],
        ..ChangeSet::default()
    };
    assert_eq!(refused(store, tenant, bad).await, StoreError::Conflict);
    assert_eq!(store.sites(tenant).await.unwrap().len(), 1);
    assert_eq!(store.packages(tenant).await.unwrap().len(), 2);
    assert_eq!(store.customers(tenant, PageQuery::first(10)).await.unwrap().len(), 1);
    assert!(store.cpes(tenant, None).await.unwrap().is_empty());
    assert!(store.invoices(tenant, Default::default(), PageQuery::first(10)).await.unwrap().is_empty());
    assert!(store.journal(tenant, PageQuery::first(10)).await.unwrap().is_empty());
    assert!(store.payments(tenant, None, PageQuery::first(10)).await.unwrap().is_empty());
    assert_eq!(store.billing_position(tenant).await, Ok(None));
    let lines = store.subscriptions(tenant, None, PageQuery::first(10)).await.unwrap();
    assert_eq!((lines[0].1.version, lines[0].1.desired), (1, Access::Open));
    // The number of the invoice that was not written is not lost either.
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), late, 100_000);
    write(store, tenant, ChangeSet { invoices: vec![invoice], ..ChangeSet::default() }).await;
    let kept = store.invoices(tenant, Default::default(), PageQuery::first(10)).await.unwrap();
    assert_eq!(kept[0].0.number, 1);
}

pub(super) async fn unique_keys_are_unique(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let kind = sample::installation_kind(0);
    let cpe = sample::cpe(0, w.customers[0].id);
    let first = ChangeSet { installation_kinds: vec![kind], cpes: vec![cpe], ..ChangeSet::default() };
    write(store, tenant, first).await;

    let mut sites = ChangeSet { sites: vec![sample::site(3)], ..ChangeSet::default() };
    sites.sites[0].code = w.site.code.clone();
    let mut routers = ChangeSet { routers: vec![sample::router(3, w.site.id)], ..ChangeSet::default() };
    routers.routers[0].code = w.router.code.clone();
    let mut packages = ChangeSet { packages: vec![sample::package(3)], ..ChangeSet::default() };
    packages.packages[0].code = w.packages[0].code.clone();
    let mut customers = ChangeSet { customers: vec![sample::customer(3)], ..ChangeSet::default() };
    customers.customers[0].code = w.customers[1].code.clone();
    let mut lines = ChangeSet { subscriptions: vec![w.subscriptions[0].clone()], ..ChangeSet::default() };
    lines.subscriptions[0].account.username = w.subscriptions[1].account.username.clone();
    let mut kinds = ChangeSet { installation_kinds: vec![sample::installation_kind(3)], ..ChangeSet::default() };
    kinds.installation_kinds[0].code = sample::installation_kind(0).code;
    let mut cpes = ChangeSet { cpes: vec![sample::cpe(3, w.customers[1].id)], ..ChangeSet::default() };
    cpes.cpes[0].serial = sample::cpe(0, w.customers[0].id).serial;
    let mut both = ChangeSet { customers: vec![sample::customer(6), sample::customer(7)], ..ChangeSet::default() };
    both.customers[1].code = both.customers[0].code.clone();
    for (what, changes) in [
        ("site.code", sites),
        ("router.code", routers),
        ("package.code", packages),
        ("customer.code", customers),
        ("subscription.username", lines),
        ("installation_kind.code", kinds),
        ("cpe.serial", cpes),
        ("customer.code", both),
    ] {
        assert_eq!(refused(store, tenant, changes).await, StoreError::Duplicate { what }, "{what}");
    }
    // The same user name on another router or without a router is another account.
    let other = sample::router(4, w.site.id);
    let username = w.subscriptions[0].account.username.clone();
    let mut elsewhere = sample::subscription(10, w.customers[0].id, &other, w.packages[0].id);
    elsewhere.account.username = username.clone();
    let mut by_hand = sample::subscription(11, w.customers[0].id, &other, w.packages[0].id);
    by_hand.account.username = username.clone();
    by_hand.router_id = None;
    let mut again = by_hand.clone();
    again.id = sample::subscription(12, w.customers[0].id, &other, w.packages[0].id).id;
    let mut upper = sample::subscription(13, w.customers[0].id, &w.router, w.packages[0].id);
    upper.account.username = code(&username.as_str().to_ascii_uppercase()).into();
    let fine =
        ChangeSet { routers: vec![other], subscriptions: vec![elsewhere, by_hand, again], ..ChangeSet::default() };
    write(store, tenant, fine).await;
    assert_eq!(store.subscriptions(tenant, None, PageQuery::first(10)).await.unwrap().len(), 5);
    // In other letters on the same router it is likely a mistake; the line itself may be written so.
    let twin = ChangeSet { subscriptions: vec![upper.clone()], ..ChangeSet::default() };
    let taken = StoreError::Duplicate { what: "subscription.username" };
    assert_eq!(refused(store, tenant, twin).await, taken);
    let mut own = w.subscriptions[0].clone();
    own.account.username = upper.account.username;
    write(store, tenant, ChangeSet { subscriptions: vec![own.clone()], ..ChangeSet::default() }).await;
    let kept = store.subscriptions(tenant, None, PageQuery::first(10)).await.unwrap();
    let kept = kept.iter().find(|(s, _)| s.id == own.id).unwrap();
    assert_eq!(kept.0.account.username.as_str(), own.account.username.as_str());
}

/// Rule P6: what people type is compared without case, and kept as it was typed.
pub(super) async fn codes_are_compared_without_case(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let other = |code: &Code| {
        let upper = code.as_str().to_ascii_uppercase();
        let text = if upper == code.as_str() { code.as_str().to_ascii_lowercase() } else { upper };
        assert_ne!(text, code.as_str());
        sample::code(&text)
    };
    let first = ChangeSet {
        installation_kinds: vec![sample::installation_kind(0)],
        cpes: vec![sample::cpe(0, w.customers[0].id)],
        ..ChangeSet::default()
    };
    write(store, tenant, first).await;
    let mut sites = ChangeSet { sites: vec![sample::site(3)], ..ChangeSet::default() };
    sites.sites[0].code = other(&w.site.code);
    let mut routers = ChangeSet { routers: vec![sample::router(3, w.site.id)], ..ChangeSet::default() };
    routers.routers[0].code = other(&w.router.code);
    let mut packages = ChangeSet { packages: vec![sample::package(3)], ..ChangeSet::default() };
    packages.packages[0].code = other(&w.packages[0].code);
    let mut customers = ChangeSet { customers: vec![sample::customer(3)], ..ChangeSet::default() };
    customers.customers[0].code = other(&w.customers[1].code);
    let mut kinds = ChangeSet { installation_kinds: vec![sample::installation_kind(3)], ..ChangeSet::default() };
    kinds.installation_kinds[0].code = other(&sample::installation_kind(0).code);
    let mut cpes = ChangeSet { cpes: vec![sample::cpe(3, w.customers[1].id)], ..ChangeSet::default() };
    cpes.cpes[0].serial = other(&sample::cpe(0, w.customers[0].id).serial);
    for (what, changes) in [
        ("site.code", sites),
        ("router.code", routers),
        ("package.code", packages),
        ("customer.code", customers),
        ("installation_kind.code", kinds),
        ("cpe.serial", cpes),
    ] {
        assert_eq!(refused(store, tenant, changes).await, StoreError::Duplicate { what }, "{what}");
    }
    // A customer may be written in other letters, and is found by either.
    let mut same = w.customers[1].clone();
    same.code = other(&same.code);
    write(store, tenant, ChangeSet { customers: vec![same.clone()], ..ChangeSet::default() }).await;
    for code in [&same.code, &w.customers[1].code] {
        let found = store.customer_by_code(tenant, code).await.unwrap().unwrap();
        assert_eq!((found.id, found.code.as_str()), (same.id, same.code.as_str()));
    }
}

pub(super) async fn appended_rows_are_appended_once(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let cpe = sample::cpe(0, w.customers[0].id);
    let on = day("2026-02-01");
    let history = sample::device_history(0, &cpe, on);
    let expense = expense(0);
    write(store, tenant, ChangeSet { cpes: vec![cpe], ..ChangeSet::default() }).await;
    let promise = promise(0, &w, on, on);
    let exemption = exemption(0, &w, on, on);
    let event = w.changes().access_events.remove(0);
    for (what, changes) in [
        ("device_history.id", ChangeSet { device_history: vec![history], ..ChangeSet::default() }),
        ("expense.id", ChangeSet { expenses: vec![expense], ..ChangeSet::default() }),
        ("promise.id", ChangeSet { promises: vec![promise], ..ChangeSet::default() }),
        ("exemption.id", ChangeSet { exemptions: vec![exemption], ..ChangeSet::default() }),
    ] {
        write(store, tenant, changes.clone()).await;
        assert_eq!(refused(store, tenant, changes).await, StoreError::Duplicate { what }, "{what}");
    }
    let events = ChangeSet { access_events: vec![event], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, events).await, StoreError::Duplicate { what: "access_event.id" });
    assert_eq!(store.device_history(tenant, None).await.unwrap().len(), 1);
}

pub(super) async fn names_of_rows_that_are_not_there_are_refused(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let stranger = sample::customer(9);
    let nowhere = sample::site(9);
    let mut no_package = w.subscriptions[0].clone();
    no_package.terms.package_id = sample::package(9).id;
    let mut no_router = w.subscriptions[0].clone();
    no_router.router_id = Some(sample::router(9, w.site.id).id);
    let unknown = sample::subscription(9, w.customers[0].id, &w.router, w.packages[0].id);
    let device = sample::cpe(9, w.customers[0].id);
    for (what, changes) in [
        ("router", ChangeSet { routers: vec![sample::router(9, nowhere.id)], ..ChangeSet::default() }),
        (
            "subscription",
            ChangeSet {
                subscriptions: vec![sample::subscription(8, stranger.id, &w.router, w.packages[0].id)],
                ..ChangeSet::default()
            },
        ),
        ("package", ChangeSet { subscriptions: vec![no_package], ..ChangeSet::default() }),
        ("its router", ChangeSet { subscriptions: vec![no_router], ..ChangeSet::default() }),
        ("cpe", ChangeSet { cpes: vec![sample::cpe(8, stranger.id)], ..ChangeSet::default() }),
        (
            "history",
            ChangeSet {
                device_history: vec![sample::device_history(8, &device, day("2026-01-01"))],
                ..ChangeSet::default()
            },
        ),
        (
            "order",
            ChangeSet {
                installation_orders: vec![sample::installation_order(
                    8,
                    &w.subscriptions[0],
                    sample::installation_kind(9).id,
                    day("2026-01-01"),
                    1,
                )],
                ..ChangeSet::default()
            },
        ),
        (
            "payment",
            ChangeSet {
                payments: vec![sample::payment(tenant, 8, stranger.id, 1, moment("2026-01-01T00:00:00Z"))],
                ..ChangeSet::default()
            },
        ),
        ("terms", ChangeSet { terms: vec![(unknown.id, unknown.terms)], ..ChangeSet::default() }),
        ("mark", ChangeSet { billed_from: vec![(unknown.id, None)], ..ChangeSet::default() }),
        ("access", ChangeSet { access: vec![ServiceAccess::new(unknown.id, Access::Open)], ..ChangeSet::default() }),
    ] {
        let error = refused(store, tenant, changes).await;
        assert!(matches!(error, StoreError::Rejected { .. }), "{what}: {error:?}");
    }
}

pub(super) async fn rows_come_back_as_they_were(store: &dyn Store, tenant: TenantId) {
    let mut w = World::new(2);
    let (bare, full) = (0, 1);
    w.customers[bare].nik = None;
    w.customers[bare].phone = None;
    w.customers[bare].language = Language::default();
    w.router.endpoint.tls = true;
    w.router.endpoint.host = "fe80::1".into();
    w.packages[1].sold = false;
    w.packages[1].tax_mode = TaxMode::Inclusive;
    w.packages[1].prices = PriceList::try_new(vec![
        PriceVersion { from: Date::MIN, price: Money::rupiah(1) },
        PriceVersion { from: day("2026-05-01"), price: Money::MAX },
    ])
    .unwrap();
    w.subscriptions[bare].router_id = None;
    w.subscriptions[bare].terms.billed_from = None;
    let terms = &mut w.subscriptions[full].terms;
    terms.change = Some(PackageChange { package_id: w.packages[1].id, from: day("2026-07-31") });
    terms.cycle = Cycle::Quarterly;
    terms.timing = Timing::Postpaid;
    terms.end = Some(day("2027-01-01"));
    terms.paused_from = Some(day("2026-06-01"));
    terms.charged_until = Some(day("2026-07-31"));
    terms.held_price = Some(HeldPrice { price: Money::rupiah(99_000), until: Some(day("2026-12-01")) });
    terms.discount = Some(Discount { off: Off::Percent(15), until: None });
    let mut third = sample::subscription(2, w.customers[full].id, &w.router, w.packages[0].id);
    third.terms.held_price = Some(HeldPrice { price: Money::rupiah(88_000), until: None });
    third.terms.discount = Some(Discount { off: Off::Amount(Money::rupiah(5_000)), until: Some(Date::MAX) });
    w.subscriptions.push(third);
    write(store, tenant, w.master()).await;
    let kind = sample::installation_kind(0);
    let order = sample::installation_order(0, &w.subscriptions[0], kind.id, day("2026-01-31"), 3);
    let mut cpes = vec![sample::cpe(0, w.customers[0].id), sample::cpe(1, w.customers[1].id)];
    cpes[1].outdoor_unit = None;
    cpes[1].router = None;
    cpes[1].ip = Some("2001:db8::7".parse().unwrap());
    cpes[1].username = None;
    cpes[1].password = None;
    cpes[1].ownership = Ownership::Owned;
    cpes[1].installed = false;
    cpes.push(sample::cpe(2, w.customers[1].id));
    cpes[2].ip = None;
    let mut history: Vec<_> = (0..3).map(|n| sample::device_history(n, &cpes[0], day("2026-03-01"))).collect();
    history[0].on = day("2026-03-02");
    history[1].action = DeviceAction::Replaced;
    history[2].action = DeviceAction::Returned;
    let changes = ChangeSet {
        installation_kinds: vec![kind.clone()],
        installation_orders: vec![order.clone()],
        cpes: cpes.clone(),
        device_history: history.clone(),
        expenses: vec![expense(0), Expense { site_id: None, ..expense(1) }],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;

    assert_eq!(store.sites(tenant).await.unwrap(), [w.site.clone()]);
    assert_eq!(store.routers(tenant).await.unwrap(), [w.router.clone()]);
    assert_eq!(store.packages(tenant).await.unwrap(), w.packages);
    assert_eq!(store.customers(tenant, PageQuery::first(9)).await.unwrap(), w.customers);
    for customer in &w.customers {
        assert_eq!(store.customer(tenant, customer.id).await.unwrap().as_ref(), Some(customer));
        assert_eq!(store.customer_by_code(tenant, &customer.code).await.unwrap().as_ref(), Some(customer));
    }
    assert_eq!(store.customer(tenant, sample::customer(7).id).await, Ok(None));
    assert_eq!(store.customer_by_code(tenant, &code("C-nobody")).await, Ok(None));
    let lines = store.subscriptions(tenant, None, PageQuery::first(9)).await.unwrap();
    assert_eq!(lines.iter().map(|(s, _)| s.clone()).collect::<Vec<_>>(), w.subscriptions);
    // Without an access row a line reads as closed, revision 0, version 0.
    let none = ServiceAccess { revision: 0, ..ServiceAccess::new(w.subscriptions[0].id, Access::Closed) };
    assert_eq!(lines[0].1, none);
    assert_eq!(store.installation_kinds(tenant).await.unwrap(), [kind]);
    assert_eq!(store.installation_orders(tenant, None).await.unwrap()[0].order, order);
    assert_eq!(store.cpes(tenant, None).await.unwrap(), cpes);
    assert_eq!(store.cpes(tenant, Some(w.customers[1].id)).await.unwrap(), cpes[1..]);
    // Oldest first.
    history.rotate_left(1);
    assert_eq!(store.device_history(tenant, None).await.unwrap(), history);
    assert_eq!(store.device_history(tenant, Some(w.customers[0].id)).await.unwrap().len(), 3);
    assert!(store.device_history(tenant, Some(w.customers[1].id)).await.unwrap().is_empty());
}

pub(super) async fn rows_are_replaced_by_id(store: &dyn Store, tenant: TenantId) {
    let mut w = world(store, tenant, 2).await;
    w.site.name = sample::name("Lokasi lain");
    w.site.zone = crate::Zone::Wit;
    w.router.endpoint.password = crate::Secret::new("another");
    w.packages[0].code = code("HOME-NEW");
    w.customers[0].code = code("C-NEW");
    w.customers[0].nik = None;
    w.customers[0].phone = None;
    w.subscriptions[0].account.password = crate::Secret::new("new-password");
    w.subscriptions[0].customer_id = w.customers[1].id;
    w.subscriptions[0].router_id = None;
    write(store, tenant, w.master()).await;
    assert_eq!(store.sites(tenant).await.unwrap(), [w.site.clone()]);
    assert_eq!(store.routers(tenant).await.unwrap(), [w.router.clone()]);
    assert_eq!(store.packages(tenant).await.unwrap(), w.packages);
    assert_eq!(store.customers(tenant, PageQuery::first(9)).await.unwrap(), w.customers);
    assert_eq!(store.customer_by_code(tenant, &sample::customer(0).code).await, Ok(None));
    let lines = store.subscriptions(tenant, Some(w.customers[1].id), PageQuery::first(9)).await.unwrap();
    assert_eq!(lines.iter().map(|(s, _)| s.clone()).collect::<Vec<_>>(), w.subscriptions);
    // Its access is no part of it and stays.
    assert_eq!((lines[0].1.desired, lines[0].1.version), (Access::Open, 1));
    assert!(store.subscriptions(tenant, Some(w.customers[0].id), PageQuery::first(9)).await.unwrap().is_empty());
    // The code that was given up is free.
    let mut next = sample::customer(5);
    next.code = sample::customer(0).code;
    write(store, tenant, ChangeSet { customers: vec![next.clone()], ..ChangeSet::default() }).await;
    assert_eq!(store.customer_by_code(tenant, &next.code).await.unwrap(), Some(next));
}

pub(super) async fn lists_come_in_pages(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 5).await;
    let mut page = PageQuery::first(2);
    let mut sizes = Vec::new();
    let mut found = Vec::new();
    loop {
        let rows = store.customers(tenant, page).await.unwrap();
        sizes.push(rows.len());
        let Some(last) = rows.last() else { break };
        page.after = Some(last.id);
        found.extend(rows);
    }
    assert_eq!(sizes, [2, 2, 1, 0]);
    assert_eq!(found, w.customers);
    let asked = [w.customers[3].id, w.customers[1].id, crate::ids::CustomerId(crate::testing::sample::id(4, 999))];
    let codes = store.customer_codes(tenant, &asked).await.unwrap();
    assert_eq!(codes, [1, 3].map(|n: usize| (w.customers[n].id, w.customers[n].code.clone())));
    assert!(store.customer_codes(tenant, &[]).await.unwrap().is_empty());
    let people = store.customers_of(tenant, &asked).await.unwrap();
    assert_eq!(people, [1, 3].map(|n: usize| w.customers[n].clone()));
    assert!(store.customers_of(tenant, &[]).await.unwrap().is_empty());
    let page = PageQuery { after: Some(w.subscriptions[2].id), limit: 1 };
    let rows = store.subscriptions(tenant, None, page).await.unwrap();
    assert_eq!(rows.iter().map(|(s, _)| s.id).collect::<Vec<_>>(), [w.subscriptions[3].id]);
    assert!(store.customers(tenant, PageQuery::first(0)).await.unwrap().is_empty());
}

pub(super) async fn tenants_do_not_see_each_other(store: &dyn Store, tenant: TenantId) {
    let other = TenantId(crate::ids::derive(tenant.0, &["other"]));
    let w = world(store, tenant, 2).await;
    assert!(store.customers(other, PageQuery::first(9)).await.unwrap().is_empty());
    assert_eq!(store.customer(other, w.customers[0].id).await, Ok(None));
    // The same ids, codes, user names and references are somebody else's.
    world(store, other, 1).await;
    let at = moment("2026-01-05T00:00:00Z");
    let invoice = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000);
    for owner in [tenant, other] {
        let changes = ChangeSet {
            invoices: vec![invoice.clone()],
            payments: vec![sample::payment(owner, 1, w.customers[0].id, 40_000, at)],
            ..ChangeSet::default()
        };
        let report = write(store, owner, changes).await;
        assert_eq!((report.invoices, report.invoices_known), (1, 0));
        let page = PageQuery::first(9);
        assert_eq!(store.invoices(owner, Default::default(), page).await.unwrap()[0].0.number, 1);
    }
    assert_eq!(store.customers(other, PageQuery::first(9)).await.unwrap().len(), 1);
    assert_eq!(store.customers(tenant, PageQuery::first(9)).await.unwrap().len(), 2);
    let payment = sample::payment(tenant, 1, w.customers[0].id, 40_000, at).id;
    assert_eq!(store.payment(other, payment).await, Ok(None));
    let all = AccessQuery::Customers(vec![w.customers[0].id, w.customers[1].id]);
    assert_eq!(store.load_access(other, &all, PageQuery::first(9)).await.unwrap().len(), 1);
    assert_eq!(store.journal(other, PageQuery::first(9)).await.unwrap().len(), 1);
    let claim = super::outbox::claim_all(crate::ports::Topic::Access, moment("2026-02-01T00:00:00Z"));
    assert_eq!(store.claim(other, claim).await.unwrap().len(), 1);
    assert_eq!(store.claim(tenant, claim).await.unwrap().len(), 2);
    let guard = store.begin_run(tenant, TERM).await.unwrap();
    assert!(store.begin_run(other, TERM).await.is_ok());
    guard.end().await.unwrap();
}

pub(super) async fn terms_are_replaced_by_themselves(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let mut terms = w.subscriptions[0].terms;
    terms.end = Some(day("2026-09-01"));
    terms.package_id = w.packages[1].id;
    let marked = Some(day("2026-08-15"));
    let changes = ChangeSet {
        terms: vec![(w.subscriptions[0].id, terms)],
        billed_from: vec![(w.subscriptions[0].id, marked), (w.subscriptions[1].id, None)],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let lines = store.subscriptions(tenant, None, PageQuery::first(9)).await.unwrap();
    terms.billed_from = marked;
    assert_eq!(lines[0].0.terms, terms);
    assert_eq!(lines[0].0.account, w.subscriptions[0].account);
    assert_eq!(lines[1].0.terms.billed_from, None);
}

/// What a line had before comes back in the order in which it was replaced, also when two changes have one moment.
pub(super) async fn former_terms_are_kept_in_order(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let line = |n: usize| w.subscriptions[n].id;
    let discount = Some(Discount { off: Off::Percent(10), until: Some(day("2026-12-01")) });
    let was = |n: usize, package: usize, until: &str| FormerTerms {
        subscription_id: line(n),
        until: moment(until),
        terms: BillingTerms { package_id: w.packages[package].id, discount, ..w.subscriptions[n].terms },
    };
    let first = [was(0, 0, "2026-01-05T03:00:00Z"), was(1, 0, "2026-01-04T03:00:00Z")];
    let then = [was(0, 1, "2026-01-05T03:00:00Z"), was(0, 0, "2026-02-05T03:00:00Z")];
    for former_terms in [first.to_vec(), vec![then[0]], vec![then[1]]] {
        write(store, tenant, ChangeSet { former_terms, ..ChangeSet::default() }).await;
    }
    let told = store.former_terms(tenant, &[line(1), line(0), line(2)]).await.unwrap();
    let mut expected = vec![first[0], then[0], then[1], first[1]];
    expected.sort_by_key(|f| f.subscription_id);
    assert_eq!(told, expected);
    assert_eq!(store.former_terms(tenant, &[line(1)]).await.unwrap(), [first[1]]);
    assert!(store.former_terms(sample::tenant(77), &[line(1)]).await.unwrap().is_empty());
    let missing = FormerTerms { subscription_id: SubscriptionId(id(9, 99)), ..first[0] };
    refused(store, tenant, ChangeSet { former_terms: vec![missing], ..ChangeSet::default() }).await;
}

pub(super) fn expense(number: u64) -> Expense {
    Expense {
        id: ExpenseId(id(20, number)),
        on: day("2026-02-01"),
        category: Account::ExpenseBandwidth,
        amount: Money::rupiah(1_000_000),
        paid_from: Channel::Bank,
        note: "Sewa bandwidth".into(),
        site_id: Some(sample::site(0).id),
    }
}

/// Expenses and installations that were taken back say so; nothing of the latter comes due any more.
pub(super) async fn records_are_taken_back(store: &dyn Store, tenant: TenantId) {
    let w = World::new(1);
    write(store, tenant, w.changes()).await;
    let kind = sample::installation_kind(0);
    let mut first = sample::installation_order(1, &w.subscriptions[0], kind.id, day("2026-01-10"), 2);
    first.fee = Money::rupiah(200_000);
    let mut waiting = sample::installation_order(2, &w.subscriptions[0], kind.id, day("2026-01-10"), 1);
    waiting.fee = Money::rupiah(100_000);
    waiting.with_first_invoice = true;
    let changes = ChangeSet {
        installation_kinds: vec![kind],
        installation_orders: vec![first.clone(), waiting.clone()],
        expenses: vec![Expense { on: day("2026-02-02"), ..expense(1) }, expense(2)],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    assert_eq!(store.load_instalments(tenant, day("2026-12-31")).await.unwrap().len(), 1);
    assert_eq!(store.load_waiting_fees(tenant).await.unwrap().len(), 1);
    let ending = Ending {
        kind: EndingKind::TakenBack,
        at: sample::moment("2026-02-03T03:00:00Z"),
        by: "Sari".into(),
        reason: "salah ketik".into(),
    };
    let ids = [RecordId::Expense(expense(2).id), RecordId::Installation(first.id), RecordId::Installation(waiting.id)];
    let endings = ids.into_iter().map(|id| (id, ending.clone())).collect();
    write(store, tenant, ChangeSet { endings, ..ChangeSet::default() }).await;
    assert!(store.load_instalments(tenant, day("2026-12-31")).await.unwrap().is_empty());
    assert!(store.load_waiting_fees(tenant).await.unwrap().is_empty());
    let orders = store.installation_orders(tenant, None).await.unwrap();
    assert!(orders.iter().all(|row| row.ending.as_ref() == Some(&ending)), "{orders:?}");
    let expenses = store.expenses(tenant).await.unwrap();
    let told: Vec<_> = expenses.iter().map(|row| (row.expense.id, row.ending.is_some())).collect();
    assert_eq!(told, [(expense(2).id, true), (expense(1).id, false)], "the oldest day first");
    assert_eq!(expenses[0].expense, expense(2));
}

pub(super) fn promise(number: u64, w: &World, made_on: Date, until: Date) -> Promise {
    Promise {
        id: PromiseId(id(21, number)),
        customer_id: w.customers[0].id,
        made_on,
        until,
        by: "Petugas Contoh".into(),
        ending: None,
    }
}

pub(super) fn exemption(number: u64, w: &World, from: Date, until: Date) -> Exemption {
    Exemption {
        id: ExemptionId(id(22, number)),
        customer_id: w.customers[0].id,
        from,
        until,
        reason: "Kantor desa".into(),
        by: "Petugas Contoh".into(),
        ending: None,
    }
}

pub(super) fn outage(number: u64, w: &World, from: DateTime<Utc>, until: Option<DateTime<Utc>>) -> Outage {
    Outage { id: OutageId(id(23, number)), site_id: w.site.id, from, until, note: "Kabel putus".into(), ending: None }
}
