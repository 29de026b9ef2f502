//! What a glance at the day counts, and what the rows come to one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::calendar::{Date, Zone};
use crate::engine::Engine;
use crate::ids::TenantId;
use crate::isolation::access::{IsolatedSince, ObservedAccess};
use crate::isolation::{Access, IsolationCause, OverdueLines, ServiceAccess};
use crate::money::Money;
use crate::payment::{Channel, Payment, PaymentReversal};
use crate::policy::Policy;
use crate::ports::{AccessQuery, ChangeSet, Observed, PageQuery, Store};
use crate::protection::{Exemption, Outage, Promise};
use crate::report::{Counted, DueDays, LinesSaid, Received, money_in};
use crate::testing::sample::{self, World, allocation, day, moment};

use super::{world, write, write_invoices};

/// Lines by wanted access and by what their routers said.
pub(super) async fn lines_are_counted_by_what_routers_said(store: &dyn Store, tenant: TenantId) {
    let mut w = World::new(6);
    w.subscriptions[4].router_id = None;
    write(store, tenant, w.changes()).await;
    // A line without an access of its own.
    let new = sample::subscription(9, w.customers[1].id, &w.router, w.packages[0].id);
    write(store, tenant, ChangeSet { subscriptions: vec![new], ..ChangeSet::default() }).await;
    let seen = |access, revision| ObservedAccess {
        access,
        revision,
        at: moment("2026-01-02T00:00:00Z"),
        answer: "said".to_owned(),
    };
    let lines = [
        (w.subscriptions[0].id, seen(Some(Access::Open), 1)),
        (w.subscriptions[1].id, seen(Some(Access::Isolated), 1)),
        (w.subscriptions[2].id, seen(None, 1)),
        (w.subscriptions[3].id, seen(Some(Access::Open), 1)),
    ];
    store.record(tenant, super::outbox::worker(1), &[], Observed { lines: &lines, under: None }).await.unwrap();
    // What was said of the wish before does not count any more.
    let all = store.subscriptions(tenant, None, PageQuery::first(100)).await.unwrap();
    let third = all.iter().find(|(line, _)| line.id == w.subscriptions[3].id).expect("a line").1.clone();
    let isolated =
        ServiceAccess { desired: Access::Isolated, cause: Some(IsolationCause::Manual), revision: 2, ..third };
    write(store, tenant, ChangeSet { access: vec![isolated], ..ChangeSet::default() }).await;

    let all = store.subscriptions(tenant, None, PageQuery::first(100)).await.unwrap();
    let mut expected: BTreeMap<LinesSaid, u64> = BTreeMap::new();
    for (line, access) in &all {
        *expected.entry(LinesSaid::of(access, line.router_id.is_some())).or_default() += 1;
    }
    let counted = store.lines_said(tenant).await.unwrap();
    let mut found: BTreeMap<LinesSaid, u64> = BTreeMap::new();
    for of in &counted {
        *found.entry(LinesSaid { count: 1, ..*of }).or_default() += of.count;
    }
    assert_eq!(found, expected);
    assert_eq!(found.values().sum::<u64>(), 7);
    let unconfirmed: u64 = counted.iter().filter(|of| of.unconfirmed()).map(|of| of.count).sum();
    let rows = all.iter().filter(|(line, access)| line.router_id.is_some() && !access.agrees());
    assert_eq!((unconfirmed, rows.count()), (5, 5));
    assert!(store.lines_said(sample::tenant(78)).await.unwrap().is_empty());
}

/// Who owes, by the days on which it is due; and the money of a day.
pub(super) async fn what_is_owed_and_received_is_counted(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 4).await;
    let invoice = |n: usize, from: &str, due: &str| sample::invoice(&w.subscriptions[n], day(from), day(due), 100_000);
    let invoices = [
        invoice(0, "2026-01-01", "2026-01-10"),
        invoice(0, "2026-02-01", "2026-02-11"),
        invoice(1, "2026-01-01", "2026-01-11"),
        invoice(2, "2026-01-01", "2026-01-12"),
        invoice(3, "2026-01-01", "2026-01-10"),
    ];
    write_invoices(store, tenant, &invoices.each_ref()).await;
    let (begins, ends) = (moment("2026-01-11T00:00:00Z"), moment("2026-01-12T00:00:00Z"));
    let pay = |n: u64, of: usize, amount, at, channel| Payment {
        channel,
        ..sample::payment(tenant, n, w.customers[of].id, amount, at)
    };
    let payments = vec![
        pay(1, 3, 100_000, begins, Channel::Cash),
        pay(2, 0, 30_000, moment("2026-01-11T23:59:59Z"), Channel::Cash),
        pay(3, 1, 5_000, moment("2026-01-11T12:00:00Z"), Channel::Bank),
        pay(4, 1, 7_000, moment("2026-01-11T12:00:00Z"), Channel::Bank),
        pay(5, 2, 9_000, moment("2026-01-11T12:00:00Z"), Channel::WriteOff),
        pay(6, 1, 11_000, ends, Channel::Bank),
        pay(7, 1, 13_000, moment("2026-01-10T23:59:59Z"), Channel::Bank),
    ];
    let taken_back = PaymentReversal {
        payment_id: payments[3].id,
        at: moment("2026-01-11T13:00:00Z"),
        by: "Sari".into(),
        reason: "salah catat".into(),
    };
    let at = moment("2026-01-11T12:00:00Z");
    let allocations = vec![
        allocation(payments[0].id, invoices[4].id, 100_000, at),
        allocation(payments[1].id, invoices[0].id, 30_000, at),
    ];
    write(store, tenant, ChangeSet { payments, allocations, ..ChangeSet::default() }).await;
    write(store, tenant, ChangeSet { reversals: vec![taken_back], ..ChangeSet::default() }).await;

    let open = store.all_open_invoices(tenant).await.unwrap();
    assert_eq!(open.len(), 4);
    for today in (-3..=35).map(|days| day("2026-01-09").plus_days(days)) {
        for due in [DueDays::ALL, DueDays::on(today), DueDays::overdue(today)] {
            let of = open.iter().filter(|i| i.issue_date <= today && due.holds(i.due_date));
            let customers: BTreeSet<_> = of.clone().map(|i| i.customer_id).collect();
            let expected = Counted::new(customers.len() as u64, of.map(|i| i.residual()).sum());
            assert_eq!(store.owed(tenant, today, due).await.unwrap(), expected, "{today} {due:?}");
        }
    }
    let overdue = store.owed(tenant, day("2026-01-12"), DueDays::overdue(day("2026-01-12"))).await.unwrap();
    assert_eq!(overdue, Counted::new(2, Money::rupiah(170_000)));
    assert_eq!(store.owed(sample::tenant(78), Date::MAX, DueDays::ALL).await.unwrap(), Counted::default());

    let mut received: BTreeMap<Channel, (u64, Money)> = BTreeMap::new();
    let found = store.received_between(tenant, begins, ends).await.unwrap();
    for Received { channel, count, amount, .. } in found.iter().copied() {
        let sum = received.entry(channel).or_default();
        *sum = (sum.0 + count, sum.1 + amount);
    }
    let expected = [
        (Channel::Cash, (2, Money::rupiah(130_000))),
        (Channel::Bank, (1, Money::rupiah(5_000))),
        (Channel::WriteOff, (1, Money::rupiah(9_000))),
    ];
    assert_eq!(received, BTreeMap::from(expected));
    assert_eq!(money_in(&found), Counted::new(3, Money::rupiah(135_000)));
}

/// Lines that owe something overdue, counted by what a decision reads, and what a breaker would hold of them.
pub(super) async fn overdue_lines_are_counted_by_what_a_decision_reads(store: &dyn Store, tenant: TenantId) {
    let mut w = World::new(14);
    let sites = [sample::site(1), sample::site(2)];
    let routers = [sample::router(1, sites[0].id), sample::router(2, sites[1].id)];
    for (n, router) in [(3, &routers[0]), (4, &routers[0]), (5, &routers[1]), (6, &routers[1])] {
        (w.subscriptions[n].site_id, w.subscriptions[n].router_id) = (router.site_id, Some(router.id));
    }
    w.subscriptions[7].router_id = None;
    w.subscriptions[8].terms.paused_from = Some(day("2026-01-10"));
    w.subscriptions[9].terms.end = Some(day("2026-01-12"));
    w.subscriptions[10].terms.start = day("2026-05-01");
    write(store, tenant, ChangeSet { sites: sites.to_vec(), routers: routers.to_vec(), ..ChangeSet::default() }).await;
    write(store, tenant, w.changes()).await;
    let invoice = |n: usize, from: &str, due: &str| sample::invoice(&w.subscriptions[n], day(from), day(due), 100_000);
    let mut invoices: Vec<_> = (0..13).map(|n| invoice(n, "2026-01-01", "2026-01-11")).collect();
    invoices.push(invoice(0, "2026-02-01", "2026-02-11"));
    invoices.push(invoice(11, "2026-02-01", "2026-02-11"));
    write_invoices(store, tenant, &invoices.iter().collect::<Vec<_>>()).await;
    let all = store.subscriptions(tenant, None, PageQuery::first(100)).await.unwrap();
    let access = |n: usize| all.iter().find(|(line, _)| line.id == w.subscriptions[n].id).expect("a line").1.clone();
    let since = |overdue| Some(IsolatedSince { at: moment("2026-01-20T03:00:00Z"), overdue: Money::rupiah(overdue) });
    let (isolated, opened) = (
        ServiceAccess { desired: Access::Isolated, cause: Some(IsolationCause::Arrears), ..access(1) },
        ServiceAccess { isolated: since(400_000), ..access(11) },
    );
    // Of 12 nearly all is paid, of 2 there is credit; 3 has a promise, 4 one that is over, 5 an exemption.
    let at = moment("2026-01-05T03:00:00Z");
    let pay = |n: u64, of: usize, amount| sample::payment(tenant, n, w.customers[of].id, amount, at);
    let payments = vec![pay(1, 12, 99_000), pay(2, 2, 250_000)];
    let allocations = vec![allocation(payments[0].id, invoices[12].id, 99_000, at)];
    let promise = |n: u64, of: usize, until| Promise {
        id: crate::ids::PromiseId(sample::id(30, n)),
        customer_id: w.customers[of].id,
        made_on: day("2026-01-10"),
        until: day(until),
        by: "Sari".into(),
        ending: None,
    };
    let exemption = Exemption {
        id: crate::ids::ExemptionId(sample::id(31, 1)),
        customer_id: w.customers[5].id,
        from: day("2026-01-01"),
        until: day("2026-03-01"),
        reason: "kantor desa".into(),
        by: "Sari".into(),
        ending: None,
    };
    let outage = Outage {
        id: crate::ids::OutageId(sample::id(32, 1)),
        site_id: w.site.id,
        from: moment("2026-01-19T00:00:00Z"),
        until: Some(moment("2026-01-20T00:00:00Z")),
        note: "kabel putus".into(),
        ending: None,
    };
    write(store, tenant, ChangeSet { access: vec![isolated, opened], ..ChangeSet::default() }).await;
    let changes = ChangeSet {
        payments,
        allocations,
        promises: vec![promise(1, 3, "2026-01-30"), promise(2, 4, "2026-01-11")],
        exemptions: vec![exemption],
        outages: vec![outage],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;

    // On the second of these moments it is the 12th in WITA and WIT, and still the 11th in WIB.
    let moments = [
        "2026-01-11T10:00:00Z",
        "2026-01-11T16:30:00Z",
        "2026-01-12T04:00:00Z",
        "2026-01-16T04:00:00Z",
        "2026-01-19T04:00:00Z",
        "2026-01-20T04:00:00Z",
        "2026-02-02T04:00:00Z",
        "2026-02-20T04:00:00Z",
        "2026-05-04T04:00:00Z",
    ];
    let mut policy = Policy::default();
    (policy.isolation.breaker_count, policy.isolation.breaker_percent) = (0, 0);
    policy.isolation.isolate_after_days = 1;
    let mut held = 0;
    for now in moments.map(moment) {
        let days = Zone::ALL.map(|zone| zone.date_of(now));
        let started = |lines: &OverdueLines| {
            let first = days[0].min(days[2]);
            let mut service = lines.service;
            service.start = service.start.max(first);
            OverdueLines { service, alone: None, count: 1, ..lines.clone() }
        };
        let last = days.into_iter().max().unwrap();
        let query = AccessQuery::Due { due_until: last, today: last };
        let mut expected: BTreeMap<OverdueLines, u64> = BTreeMap::new();
        for line in store.load_access(tenant, &query, PageQuery::first(100)).await.unwrap() {
            if let Some(lines) = OverdueLines::of(&line, &days) {
                *expected.entry(started(&lines)).or_default() += 1;
            }
        }
        let (mut counted, mut alone): (BTreeMap<OverdueLines, u64>, BTreeSet<_>) = Default::default();
        for lines in store.overdue_lines(tenant, days).await.unwrap() {
            *counted.entry(started(&lines)).or_default() += lines.count;
            alone.extend(lines.alone);
        }
        assert_eq!(counted, expected, "{now}");
        for (n, until) in [(2, day("2026-12-31")), (3, day("2026-01-30")), (5, day("2026-03-01"))] {
            let owes = days[0] > day("2026-01-11") && days[2] <= until;
            assert!(!owes || alone.contains(&w.subscriptions[n].id), "{n} {now}");
        }
        for after in [0, 1, 5] {
            for percent in [None, Some(50)] {
                policy.isolation.isolate_after_days = after;
                policy.isolation.reopen_when_paid_percent = percent;
                let engine = Engine::new(store, tenant, &policy);
                let foreseen = engine.foresee_held(now).await.unwrap();
                assert_eq!(foreseen, engine.foresee_access(now).await.unwrap().held, "{now} {after} {percent:?}");
                held += foreseen.len();
            }
        }
    }
    assert!(held > 20, "{held} breakers");
    assert!(store.overdue_lines(sample::tenant(78), Zone::ALL.map(|_| Date::MAX)).await.unwrap().is_empty());
}
