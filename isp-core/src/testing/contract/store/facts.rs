//! The facts that isolation, explanation and messages rest on.

use crate::billing::Invoice;
use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::Engine;
use crate::ids::{SubscriptionId, TenantId};
use crate::isolation::access::IsolatedSince;
use crate::isolation::{Access, AccessEventKind, IsolationCause, ServiceAccess};
use crate::message::freshness::Verdict;
use crate::message::notification::MessageContent;
use crate::message::{Notification, NotificationKind};
use crate::money::Money;
use crate::policy::Policy;
use crate::ports::{AccessQuery, ChangeSet, PageQuery, Store, StoreError};
use crate::protection::{Exemption, Outage, Promise};
use crate::subscription::PackageChange;
use crate::testing::sample::{self, World, allocation, day, moment};

use super::access::event;
use super::master::{exemption, outage, promise};
use super::proofs::proof_of;
use super::{refused, world, write, write_invoices};

pub(super) async fn due_lines_are_loaded(store: &dyn Store, tenant: TenantId) {
    let mut w = World::new(12);
    let today = day("2026-06-10");
    let n = |n: usize| sample::subscription(n as u64, w.customers[n].id, &w.router, w.packages[0].id).id;
    let ids: Vec<SubscriptionId> = (0..12).map(n).collect();
    w.subscriptions[5].terms.end = Some(today);
    w.subscriptions[6].terms.end = Some(today.plus_days(1));
    w.subscriptions[7].terms.paused_from = Some(today);
    w.subscriptions[8].terms.paused_from = Some(today.plus_days(1));
    w.subscriptions[9].terms.change = Some(PackageChange { package_id: w.packages[1].id, from: today });
    let next = today.plus_days(1);
    w.subscriptions[10].terms.change = Some(PackageChange { package_id: w.packages[1].id, from: next });
    w.subscriptions[11].terms.start = today.plus_days(1);
    write(store, tenant, w.changes()).await;
    let due = day("2026-06-05");
    let invoice = |n: usize, due| sample::invoice(&w.subscriptions[n], day("2026-05-26"), due, 10_000);
    write_invoices(store, tenant, &[&invoice(0, due), &invoice(1, due.plus_days(1)), &invoice(2, due)]).await;
    let at = moment("2026-06-01T00:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[2].id, 10_000, at);
    let desired = |n: usize, desired, cause| ServiceAccess {
        version: 1,
        revision: 2,
        cause,
        ..ServiceAccess::new(ids[n], desired)
    };
    let changes = ChangeSet {
        allocations: vec![allocation(payment.id, invoice(2, due).id, 10_000, at)],
        payments: vec![payment],
        access: vec![desired(3, Access::Isolated, Some(IsolationCause::Arrears)), desired(4, Access::Closed, None)],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let query = AccessQuery::Due { due_until: due, today };
    let rows = store.load_access(tenant, &query, PageQuery::first(20)).await.unwrap();
    let found: Vec<usize> = rows.iter().filter_map(|f| ids.iter().position(|id| *id == f.subscription_id)).collect();
    assert_eq!(found, [0, 3, 4, 5, 7, 9, 11]);
    let first = &rows[0];
    assert_eq!(
        (first.customer_id, first.site_id, first.router_id, first.zone),
        (w.customers[0].id, w.site.id, Some(w.router.id), w.site.zone)
    );
    assert_eq!(first.terms, w.subscriptions[0].terms);
    assert_eq!(first.open, store.open_invoices(tenant, w.customers[0].id).await.unwrap());
    assert_eq!((first.access.desired, first.access.version), (Access::Open, 1));
    assert!(
        first.protections.promises.is_empty()
            && first.protections.exemptions.is_empty()
            && first.protections.outages.is_empty()
    );
    let page = PageQuery { after: Some(ids[3]), limit: 2 };
    assert_eq!(store.load_access(tenant, &query, page).await.unwrap(), rows[2..4]);
}

pub(super) async fn lines_of_customers_and_by_id(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let second = sample::subscription(9, w.customers[0].id, &w.router, w.packages[1].id);
    let mut by_hand = sample::subscription(10, w.customers[0].id, &w.router, w.packages[1].id);
    by_hand.router_id = None;
    let lines = ChangeSet { subscriptions: vec![second.clone(), by_hand.clone()], ..ChangeSet::default() };
    write(store, tenant, lines).await;
    let one = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 1_000);
    let two = sample::invoice(&second, day("2026-01-01"), day("2026-01-10"), 2_000);
    let three = sample::invoice(&second, day("2026-02-01"), day("2026-01-09"), 3_000);
    write_invoices(store, tenant, &[&one, &two, &three]).await;
    let query = AccessQuery::Customers(vec![w.customers[2].id, w.customers[0].id]);
    let rows = store.load_access(tenant, &query, PageQuery::first(9)).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|f| f.subscription_id).collect();
    assert_eq!(ids, [w.subscriptions[0].id, w.subscriptions[2].id, second.id, by_hand.id]);
    // Only the invoices of the line itself, oldest due date first.
    assert_eq!(rows[0].open.iter().map(|i| i.invoice_id).collect::<Vec<_>>(), [one.id]);
    assert_eq!(rows[2].open.iter().map(|i| i.invoice_id).collect::<Vec<_>>(), [three.id, two.id]);
    assert_eq!(rows[2].access, ServiceAccess { revision: 0, ..ServiceAccess::new(second.id, Access::Closed) });
    assert_eq!(rows[3].router_id, None);
    let page = PageQuery { after: Some(w.subscriptions[0].id), limit: 2 };
    assert_eq!(store.load_access(tenant, &query, page).await.unwrap(), rows[1..3]);
    let query = AccessQuery::Subscriptions(vec![
        second.id,
        w.subscriptions[0].id,
        second.id,
        SubscriptionId(sample::id(5, 99)),
    ]);
    let found = store.load_access(tenant, &query, PageQuery::first(9)).await.unwrap();
    assert_eq!(found, [rows[0].clone(), rows[2].clone()]);
    for nothing in [AccessQuery::Customers(vec![]), AccessQuery::Subscriptions(vec![])] {
        assert!(store.load_access(tenant, &nothing, PageQuery::first(9)).await.unwrap().is_empty());
    }
}

pub(super) async fn every_protection_is_told(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let query = AccessQuery::Customers(vec![w.customers[0].id, w.customers[1].id]);
    let far = sample::site(1);
    let mut elsewhere = outage(9, &w, moment("2026-03-01T00:00:00Z"), None);
    elsewhere.site_id = far.id;
    let promises =
        [promise(1, &w, day("2026-01-20"), day("2026-01-25")), promise(2, &w, day("2026-01-10"), day("2026-02-01"))];
    let exemptions = [
        exemption(1, &w, day("2026-01-01"), day("2026-03-01")),
        exemption(2, &w, day("2026-01-05"), day("2026-02-01")),
    ];
    let over = |n, from: &str, until: &str| outage(n, &w, moment(from), Some(moment(until)));
    let outages = [
        over(1, "2026-01-03T00:00:00Z", "2026-01-09T00:00:00Z"),
        over(2, "2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z"),
    ];
    let changes = ChangeSet {
        sites: vec![far],
        promises: promises.to_vec(),
        exemptions: exemptions.to_vec(),
        outages: [outages.to_vec(), vec![elsewhere]].concat(),
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let rows = store.load_access(tenant, &query, PageQuery::first(9)).await.unwrap();
    assert_eq!(rows[0].protections.promises, promises.map(|p| p.days()));
    assert_eq!(rows[0].protections.exemptions, exemptions.map(|e| e.days()));
    let outages = outages.map(|o| o.times());
    assert_eq!(rows[0].protections.outages, outages);
    // Protections are a customer's, outages a site's.
    assert!(rows[1].protections.promises.is_empty() && rows[1].protections.exemptions.is_empty());
    assert_eq!(rows[1].protections.outages, outages);
    // An outage ends by being replaced.
    let lasting = outage(3, &w, moment("2025-06-01T00:00:00Z"), None);
    write(store, tenant, ChangeSet { outages: vec![lasting.clone()], ..ChangeSet::default() }).await;
    let rows = store.load_access(tenant, &query, PageQuery::first(9)).await.unwrap();
    assert_eq!(rows[0].protections.outages.last(), Some(&lasting.times()));
    let ended = outage(3, &w, lasting.from, Some(moment("2025-06-02T00:00:00Z")));
    write(store, tenant, ChangeSet { outages: vec![ended.clone()], ..ChangeSet::default() }).await;
    let rows = store.load_access(tenant, &query, PageQuery::first(9)).await.unwrap();
    assert_eq!(rows[0].protections.outages.len(), 3);
    assert_eq!(rows[0].protections.outages.last(), Some(&ended.times()));
}

pub(super) async fn protections_end_once(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let promises = [promise(1, &w, day("2026-01-10"), day("2026-02-01"))];
    let exemptions = [exemption(1, &w, day("2026-01-05"), day("2026-02-01"))];
    let outages = [outage(1, &w, moment("2026-01-03T00:00:00Z"), None)];
    let changes = ChangeSet {
        promises: promises.to_vec(),
        exemptions: exemptions.to_vec(),
        outages: outages.to_vec(),
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let ids =
        [RecordId::Promise(promises[0].id), RecordId::Exemption(exemptions[0].id), RecordId::Outage(outages[0].id)];
    let ending = |kind, at: &str| Ending { kind, at: moment(at), by: "Sari".into(), reason: "salah catat".into() };
    let first = ending(EndingKind::TakenBack, "2026-01-12T03:00:00.000001Z");
    let one = ending(EndingKind::Ended, "2026-01-13T03:00:00Z");
    let endings = vec![(ids[0], first.clone()), (ids[1], one.clone()), (ids[2], first.clone())];
    write(store, tenant, ChangeSet { endings, ..ChangeSet::default() }).await;
    for id in ids {
        let again = ChangeSet { endings: vec![(id, one.clone())], ..ChangeSet::default() };
        assert_eq!(refused(store, tenant, again).await, StoreError::Duplicate { what: "record.ending" });
    }
    let unknown = RecordId::Promise(promise(9, &w, day("2026-01-10"), day("2026-02-01")).id);
    let error =
        refused(store, tenant, ChangeSet { endings: vec![(unknown, one.clone())], ..ChangeSet::default() }).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");

    let query = AccessQuery::Customers(vec![w.customers[0].id, w.customers[1].id]);
    let rows = store.load_access(tenant, &query, PageQuery::first(9)).await.unwrap();
    let promises = promises.map(|p| Promise { ending: Some(first.clone()), ..p });
    let exemptions = exemptions.map(|e| Exemption { ending: Some(one.clone()), ..e });
    let outages = outages.map(|o| Outage { ending: Some(first.clone()), ..o });
    assert_eq!(store.outages(tenant).await.unwrap(), outages);
    for customer in [None, Some(w.customers[0].id)] {
        let told = store.protections(tenant, customer).await.unwrap();
        assert_eq!(told, (promises.to_vec(), exemptions.to_vec()));
    }
    assert_eq!(rows[0].protections.promises, promises.map(|p| p.days()));
    assert_eq!(rows[0].protections.exemptions, exemptions.map(|e| e.days()));
    assert_eq!(rows[1].protections.outages, outages.map(|o| o.times()));
    assert_eq!(store.protections(tenant, Some(w.customers[1].id)).await.unwrap(), (vec![], vec![]));
    // An outage that is replaced keeps its ending.
    let longer = outage(1, &w, moment("2026-01-02T00:00:00Z"), None);
    write(store, tenant, ChangeSet { outages: vec![longer], ..ChangeSet::default() }).await;
    let told = store.outages(tenant).await.unwrap();
    assert_eq!((told[0].from, told[0].ending.is_some()), (moment("2026-01-02T00:00:00Z"), true));
}

pub(super) async fn facts_of_a_past_moment(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let sub = &w.subscriptions[0];
    let jan = sample::invoice(sub, day("2026-01-01"), day("2026-01-11"), 100_000);
    let feb = sample::invoice(sub, day("2026-02-01"), day("2026-02-11"), 100_000);
    let (part, rest) = (moment("2026-01-10T05:00:00Z"), moment("2026-01-25T05:00:00Z"));
    let payment = sample::payment(tenant, 1, w.customers[0].id, 100_000, part);
    let changes = ChangeSet {
        invoices: vec![jan.clone(), feb.clone()],
        allocations: vec![allocation(payment.id, jan.id, 40_000, part), allocation(payment.id, jan.id, 60_000, rest)],
        payments: vec![payment],
        access_events: vec![
            event(&w, 0, AccessEventKind::IsolatedArrears, 2, "2026-01-19T03:00:00Z", 60_000),
            event(&w, 0, AccessEventKind::GroupChanged, 3, "2026-01-20T03:00:00Z", 60_000),
            event(&w, 0, AccessEventKind::Reopened, 4, "2026-01-25T05:00:00Z", 0),
            event(&w, 0, AccessEventKind::IsolatedManual, 5, "2026-02-02T03:00:00Z", 0),
            event(&w, 0, AccessEventKind::Closed, 6, "2026-02-03T03:00:00Z", 0),
        ],
        promises: vec![
            promise(1, &w, day("2026-01-13"), day("2026-01-18")),
            promise(2, &w, day("2026-01-22"), day("2026-01-30")),
        ],
        exemptions: vec![exemption(1, &w, day("2026-02-01"), day("2026-02-05"))],
        outages: vec![outage(1, &w, moment("2026-01-15T00:00:00Z"), Some(moment("2026-01-16T00:00:00Z")))],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let at = async |text: &str| {
        let mut rows = store.access_at(tenant, &[w.customers[0].id], moment(text)).await.unwrap();
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    };
    let paid = |facts: &crate::isolation::AccessFacts| {
        facts.open.iter().map(|i| (i.invoice_id, i.paid.as_i64())).collect::<Vec<_>>()
    };
    let before = at("2025-12-31T16:00:00Z").await;
    assert_eq!((paid(&before), before.access.desired, before.access.revision), (vec![], Access::Closed, 0));
    // Midnight in Jakarta is 17:00 UTC of the day before: the invoice of 1 January is issued then.
    let new_year = at("2025-12-31T17:00:00Z").await;
    assert_eq!((paid(&new_year), new_year.access.desired), (vec![(jan.id, 0)], Access::Open));
    let partly = at("2026-01-10T05:00:00Z").await;
    assert_eq!(paid(&partly), [(jan.id, 40_000)]);
    assert!(partly.protections.promises.is_empty() && partly.protections.outages.is_empty());
    // It is the 13th in the east already, but not at this site.
    assert!(at("2026-01-12T15:30:00Z").await.protections.promises.is_empty());
    assert_eq!(at("2026-01-12T17:00:00Z").await.protections.promises.len(), 1);
    assert!(at("2026-01-31T15:30:00Z").await.protections.exemptions.is_empty());
    let promised = at("2026-01-15T05:00:00Z").await;
    assert_eq!(promised.protections.promises, [promise(1, &w, day("2026-01-13"), day("2026-01-18")).days()]);
    assert!(promised.protections.outages.len() == 1 && promised.protections.exemptions.is_empty());
    let isolated = at("2026-01-19T03:00:00Z").await;
    assert_eq!(
        (isolated.access.desired, isolated.access.cause, isolated.access.revision),
        (Access::Isolated, Some(IsolationCause::Arrears), 2)
    );
    let since = IsolatedSince { at: moment("2026-01-19T03:00:00Z"), overdue: Money::rupiah(60_000) };
    assert_eq!((isolated.access.isolated, isolated.access.observed), (Some(since), None));
    let regrouped = at("2026-01-21T00:00:00Z").await;
    assert_eq!(
        (regrouped.access.desired, regrouped.access.isolated, regrouped.access.revision),
        (Access::Isolated, Some(since), 3)
    );
    let reopened = at("2026-01-25T05:00:00Z").await;
    assert_eq!((paid(&reopened), reopened.access.desired, reopened.access.isolated), (vec![], Access::Open, None));
    assert_eq!(
        reopened.protections.promises.last(),
        Some(&promise(2, &w, day("2026-01-22"), day("2026-01-30")).days())
    );
    let manual = at("2026-02-02T12:00:00Z").await;
    assert_eq!((paid(&manual), manual.access.cause), (vec![(feb.id, 0)], Some(IsolationCause::Manual)));
    assert_eq!(manual.access.isolated.map(|i| i.overdue), Some(Money::ZERO));
    assert_eq!(manual.protections.exemptions, [exemption(1, &w, day("2026-02-01"), day("2026-02-05")).days()]);
    let closed = at("2026-02-04T00:00:00Z").await;
    assert_eq!((closed.access.desired, closed.access.cause, closed.access.isolated), (Access::Closed, None, None));
    assert_eq!((closed.terms, closed.router_id, closed.zone), (sub.terms, sub.router_id, w.site.zone));
    let stranger = sample::customer(8).id;
    assert!(store.access_at(tenant, &[stranger], moment("2026-02-04T00:00:00Z")).await.unwrap().is_empty());
}

pub(super) async fn facts_of_many_at_a_past_moment(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 4).await;
    let second = sample::subscription(9, w.customers[2].id, &w.router, w.packages[1].id);
    write(store, tenant, ChangeSet { subscriptions: vec![second.clone()], ..ChangeSet::default() }).await;
    let at = moment("2026-01-20T05:00:00Z");
    let invoice =
        |of: &crate::subscription::Subscription| sample::invoice(of, day("2026-01-01"), day("2026-01-11"), 100_000);
    let invoices = vec![invoice(&w.subscriptions[0]), invoice(&w.subscriptions[2]), invoice(&second)];
    let paid = sample::payment(tenant, 1, w.customers[2].id, 100_000, at);
    let changes = ChangeSet {
        allocations: vec![allocation(paid.id, invoices[1].id, 100_000, at)],
        payments: vec![paid],
        invoices: invoices.clone(),
        access_events: vec![event(&w, 0, AccessEventKind::IsolatedArrears, 2, "2026-01-19T03:00:00Z", 100_000)],
        promises: vec![promise(1, &w, day("2026-01-13"), day("2026-01-25"))],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let of = |n: usize| w.customers[n].id;
    let asked = [of(2), of(0), of(3), of(2), sample::customer(8).id];
    let told = store.access_at(tenant, &asked, at).await.unwrap();
    let mut alone = Vec::new();
    for customer in [of(0), of(2), of(3)] {
        alone.extend(store.access_at(tenant, &[customer], at).await.unwrap());
    }
    alone.sort_by_key(|facts| facts.subscription_id);
    assert_eq!(told, alone, "each as if it were asked for alone, once, in the order of lines");
    let debts = |id| {
        let facts = told.iter().find(|facts| facts.subscription_id == id).expect("a line that was asked for");
        (
            facts.open.iter().map(|i| i.invoice_id).collect::<Vec<_>>(),
            facts.access.desired,
            facts.protections.promises.len(),
        )
    };
    assert_eq!(debts(w.subscriptions[0].id), (vec![invoices[0].id], Access::Isolated, 1));
    assert_eq!(debts(w.subscriptions[2].id), (vec![], Access::Open, 0));
    assert_eq!(debts(second.id).0, vec![invoices[2].id]);
    assert_eq!((told.len(), store.access_at(tenant, &[], at).await.unwrap()), (4, vec![]));
}

pub(super) async fn facts_of_a_message(store: &dyn Store, tenant: TenantId) {
    let mut w = world(store, tenant, 2).await;
    w.subscriptions[1].router_id = None;
    let second = sample::subscription(9, w.customers[0].id, &w.router, w.packages[1].id);
    let lines = vec![w.subscriptions[1].clone(), second.clone()];
    write(store, tenant, ChangeSet { subscriptions: lines, ..ChangeSet::default() }).await;
    let jan = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 10_000);
    let feb = sample::invoice(&w.subscriptions[0], day("2026-02-01"), day("2026-02-11"), 10_000);
    let mar = sample::invoice(&second, day("2026-03-01"), day("2026-03-11"), 10_000);
    let at = moment("2026-03-02T00:00:00Z");
    let payment = sample::payment(tenant, 1, w.customers[0].id, 10_000, at);
    let changes = ChangeSet {
        invoices: vec![jan.clone(), feb.clone(), mar.clone()],
        allocations: vec![allocation(payment.id, jan.id, 10_000, at)],
        payments: vec![payment.clone()],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    let new = |n: usize| {
        let kind = NotificationKind::Overdue;
        Notification::new(tenant, kind, 3, w.customers[n].id, &[jan.id.0], at, crate::Zone::Wib)
    };
    let mut message = new(0);
    message.invoices = vec![feb.id, jan.id];
    message.payment_id = Some(payment.id);
    message.subscription_id = Some(second.id);
    let facts = store.message_facts(tenant, &message).await.unwrap();
    assert_eq!(facts.customer, w.customers[0]);
    assert_eq!(facts.package.as_ref(), Some(&w.packages[1].name));
    assert_eq!(
        facts.invoices.iter().map(|i| (i.invoice_id, i.paid.as_i64())).collect::<Vec<_>>(),
        [(feb.id, 0), (jan.id, 10_000)]
    );
    assert_eq!(facts.open.iter().map(|i| i.invoice_id).collect::<Vec<_>>(), [feb.id, mar.id]);
    assert_eq!(facts.payment, Some((payment, false)));
    assert_eq!(facts.access.map(|a| (a.desired, a.version)), Some((Access::Closed, 0)));
    assert!(facts.routed);
    // Without a subscription the package is that of the first one, and there is no access.
    let facts = store.message_facts(tenant, &new(0)).await.unwrap();
    assert_eq!(facts.package.as_ref(), Some(&w.packages[0].name));
    assert_eq!((facts.invoices.len(), &facts.payment, &facts.access, facts.routed), (0, &None, &None, false));
    let mut by_hand = new(1);
    by_hand.subscription_id = Some(w.subscriptions[1].id);
    let facts = store.message_facts(tenant, &by_hand).await.unwrap();
    assert_eq!((facts.access.map(|a| a.desired), facts.routed, facts.open.len()), (Some(Access::Open), false, 0));
    let mut nobody = new(0);
    nobody.customer_id = sample::customer(8).id;
    assert_eq!(store.message_facts(tenant, &nobody).await, Err(StoreError::NotFound { what: "customer" }));
}

pub(super) async fn messages_name_the_day_on_which_a_line_is_isolated(store: &dyn Store, tenant: TenantId) {
    let mut w = World::new(10);
    let (site, elsewhere) = (sample::site(1), sample::router(1, sample::site(1).id));
    w.subscriptions[8] = sample::subscription(8, w.customers[8].id, &elsewhere, w.packages[0].id);
    w.subscriptions[4].terms.paused_from = Some(day("2026-01-10"));
    w.subscriptions[5].terms.end = Some(day("2026-01-10"));
    // A Sunday.
    w.subscriptions[7].terms.start = day("2026-02-01");
    let places = ChangeSet { sites: vec![site], routers: vec![elsewhere], ..ChangeSet::default() };
    write(store, tenant, places).await;
    write(store, tenant, w.changes()).await;
    let at = moment("2026-01-14T02:00:00Z");
    let invoices: Vec<Invoice> =
        w.subscriptions.iter().map(|s| sample::invoice(s, day("2026-01-01"), day("2026-01-11"), 100_000)).collect();
    let isolated = |n: usize, cause| {
        let since = IsolatedSince { at, overdue: Money::rupiah(100_000) };
        let access = ServiceAccess::new(w.subscriptions[n].id, Access::Isolated);
        ServiceAccess { cause: Some(cause), isolated: Some(since), revision: 2, version: 1, ..access }
    };
    let of = |n: usize| w.customers[n].id;
    let changes = ChangeSet {
        access: vec![
            isolated(6, IsolationCause::Manual),
            isolated(9, IsolationCause::Arrears),
            ServiceAccess { version: 1, revision: 2, ..ServiceAccess::new(w.subscriptions[7].id, Access::Closed) },
        ],
        promises: vec![Promise { customer_id: of(1), ..promise(1, &w, day("2026-01-12"), day("2026-01-20")) }],
        exemptions: vec![Exemption { customer_id: of(2), ..exemption(1, &w, day("2026-01-01"), day("2099-12-31")) }],
        proofs: vec![proof_of(of(3), at, &[invoices[3].id])],
        outages: vec![Outage { site_id: sample::site(1).id, ..outage(1, &w, at, None) }],
        ..ChangeSet::default()
    };
    write_invoices(store, tenant, &invoices.iter().collect::<Vec<_>>()).await;
    write(store, tenant, changes).await;
    let policy = Policy::default();
    // A page is one line: what a decision reads of a customer is read to its end.
    let engine = Engine { page: 1, ..Engine::new(store, tenant, &policy) };
    // Five days after the due date is a holiday, and a weekend follows.
    let days = [
        Some("2026-01-19"),
        Some("2026-01-21"),
        None,
        Some("2026-01-21"),
        None,
        None,
        None,
        Some("2026-02-02"),
        None,
        None,
    ];
    for (n, expected) in days.into_iter().enumerate() {
        let invoice = invoices[n].id;
        let mut message =
            Notification::new(tenant, NotificationKind::Overdue, 3, of(n), &[invoice.0], at, crate::Zone::Wib);
        message.invoices = vec![invoice];
        let (_, verdict) = engine.foresee_message(&message, at).await.unwrap();
        let Verdict::Send(said) = verdict else { panic!("customer {n}: {verdict:?}") };
        let demand = said.demand.expect("something is owed");
        assert_eq!((demand.isolation_date, demand.isolated), (expected.map(day), n == 9), "customer {n}");
        let named = match said.content {
            MessageContent::Overdue { isolation_date, .. } => Some(isolation_date),
            // The text that names no day of an isolation.
            MessageContent::DueSoon { due_date, .. } => {
                assert_eq!(due_date, day("2026-01-11"), "customer {n}");
                None
            }
            other => panic!("customer {n}: {other:?}"),
        };
        assert_eq!(named, demand.isolation_date, "customer {n}");
    }
}
