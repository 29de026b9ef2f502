//! One document for the lines of a customer: the numbers tie, messages come once, isolation stays by line.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::dice::{Dice, at_random, seeds};
use crate::support::{
    TENANT, World, at, books, code, customer_id, date, package_id, router_id, run_days, site_id, subscription_id,
};
use isp_core::billing::Statement;
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::customer::{Customer, Invoicing};
use isp_core::engine::manage::add_subscription;
use isp_core::ids::SubscriptionId;
use isp_core::isolation::Access;
use isp_core::message::notification::{MessageContent, OutgoingMessage};
use isp_core::message::{Notification, NotificationKind};
use isp_core::ports::{AccessStore, BillingStore, ChangeSet, DirectoryStore, Effect, Store};
use isp_core::subscription::{Account, BillingTerms, Subscription};
use isp_core::testing::Snapshot;
use isp_core::{Money, Secret};
use proptest::prelude::*;

const fn rp(rupiah: i64) -> Money {
    Money::rupiah(rupiah)
}

async fn invoice_per_customer(world: &World, n: u32) {
    let customer = world.store.customer(TENANT, customer_id(n)).await.unwrap().unwrap();
    let customers = vec![Customer { invoicing: Invoicing::PerCustomer, ..customer }];
    world.store.commit(TENANT, ChangeSet { customers, ..ChangeSet::default() }).await.unwrap();
}

/// A further line of customer `of`, on router `at`.
async fn add_line(world: &World, of: u32, line: u32, at: u32, terms: BillingTerms, now: chrono::DateTime<chrono::Utc>) {
    let subscription = Subscription {
        id: subscription_id(line),
        customer_id: customer_id(of),
        site_id: site_id(at),
        router_id: Some(router_id(at)),
        account: Account::pppoe(code(&format!("user{line}")), Secret::new("sandi")),
        terms,
    };
    let mut changes = ChangeSet::default();
    add_subscription(&mut changes, subscription, [Zone::Wib, Zone::Wit][at as usize], now);
    world.store.commit(TENANT, changes).await.unwrap();
}

fn monthly(package: u32, start: &str) -> BillingTerms {
    BillingTerms::new(package_id(package), date(start), BillingDay::of(date(start)), Cycle::Monthly)
}

/// Customer 2 with an office (package 1) and a house (package 2) from 1 January, on one document.
async fn office_and_house() -> World {
    let world = World::new().await;
    world.add_with(2, monthly(1, "2026-01-01"), at("2026-01-01", 7)).await;
    add_line(&world, 2, 102, 0, monthly(2, "2026-01-01"), at("2026-01-01", 7)).await;
    invoice_per_customer(&world, 2).await;
    world
}

fn said(world: &World, kind: NotificationKind) -> Vec<OutgoingMessage> {
    world.messenger.accepted().into_iter().filter(|m| m.content.kind() == kind).collect()
}

async fn access(world: &World, line: u32) -> Access {
    let lines = world.store.access_targets(TENANT, &[subscription_id(line)]).await.unwrap();
    lines[0].desired
}

#[tokio::test]
async fn two_lines_one_document_one_reminder_one_notice_one_payment() {
    let world = office_and_house().await;
    run_days(&world, "2026-01-01", "2026-01-15").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(snapshot.invoices.len(), 2, "each line has its own invoice");
    let statement = snapshot.statements[0];
    assert_eq!((snapshot.statements.len(), statement.display_number().as_str()), (1, "TG-202601-000001"));
    assert!(snapshot.invoices.iter().all(|(i, paid)| statement.holds(&i.balance(*paid))));

    // Due soon on the 8th, overdue on the 14th: one message each, with the whole amount and one number.
    let soon = said(&world, NotificationKind::DueSoon);
    assert_eq!(soon.len(), 1);
    let MessageContent::DueSoon { package, invoices, amount, due_date } = &soon[0].content else { panic!() };
    assert_eq!(
        (invoices.as_slice(), *amount, *due_date),
        (&["TG-202601-000001".to_owned()][..], rp(388_500), date("2026-01-11"))
    );
    assert_eq!(package.as_str(), "Paket 10 Mbps, Paket 20 Mbps");
    assert_eq!(said(&world, NotificationKind::Overdue).len(), 1);

    // Both lines are isolated on the 16th, each by its own invoice; one notice says so.
    run_days(&world, "2026-01-16", "2026-01-16").await;
    assert_eq!((access(&world, 2).await, access(&world, 102).await), (Access::Isolated, Access::Isolated));
    let isolated = said(&world, NotificationKind::Isolated);
    assert_eq!(isolated.len(), 1);
    let MessageContent::Isolated { amount, package, .. } = &isolated[0].content else { panic!() };
    assert_eq!((*amount, package.as_str()), (rp(388_500), "Paket 10 Mbps, Paket 20 Mbps"));

    // One payment of the document's amount pays all of it and opens both.
    let paid = world.pay(2, "VA-1", 388_500, at("2026-01-17", 20)).await.unwrap();
    assert_eq!((paid.paid.len(), paid.credit, paid.reopened.len()), (2, Money::ZERO, 2));
    world.deliver(at("2026-01-17", 21)).await;
    assert_eq!((access(&world, 2).await, access(&world, 102).await), (Access::Open, Access::Open));
    assert_eq!(
        (said(&world, NotificationKind::Reopened).len(), said(&world, NotificationKind::PaymentReceived).len()),
        (1, 1)
    );
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, Money::ZERO);
}

#[tokio::test]
async fn a_part_payment_opens_the_line_that_it_pays_i4() {
    let world = office_and_house().await;
    run_days(&world, "2026-01-01", "2026-01-16").await;
    // The office's invoice has the lower number, so it is paid first; the house stays isolated by its own.
    let paid = world.pay(2, "VA-1", 166_500, at("2026-01-16", 20)).await.unwrap();
    assert_eq!(paid.reopened, [subscription_id(2)]);
    run_days(&world, "2026-01-17", "2026-01-20").await;
    assert_eq!((access(&world, 2).await, access(&world, 102).await), (Access::Open, Access::Isolated));
    // The next document is the next month's.
    run_days(&world, "2026-02-01", "2026-02-01").await;
    let numbers: Vec<_> = world.store.snapshot(TENANT).statements.iter().map(|s| (s.issue_date, s.number)).collect();
    assert_eq!(numbers.len(), 2);
    assert!(numbers.contains(&(date("2026-02-01"), 2)));
}

#[tokio::test]
async fn a_notice_waits_for_every_router_that_it_speaks_of_i5() {
    let world = World::new().await;
    world.add_with(2, monthly(1, "2026-01-01"), at("2026-01-01", 7)).await;
    add_line(&world, 2, 103, 1, monthly(2, "2026-01-01"), at("2026-01-01", 7)).await;
    invoice_per_customer(&world, 2).await;
    run_days(&world, "2026-01-01", "2026-01-15").await;
    world.routers.set_down("r1", true);
    run_days(&world, "2026-01-16", "2026-01-16").await;
    assert!(said(&world, NotificationKind::Isolated).is_empty(), "one router has not answered");
    world.routers.all_up();
    world.deliver(at("2026-01-16", 15)).await;
    world.deliver(at("2026-01-16", 16)).await;
    assert_eq!(said(&world, NotificationKind::Isolated).len(), 1);
}

#[tokio::test]
async fn an_invoice_that_comes_late_is_added_and_not_reminded_anew_n2() {
    let world = office_and_house().await;
    run_days(&world, "2026-01-01", "2026-01-08").await;
    assert_eq!(said(&world, NotificationKind::DueSoon).len(), 1);
    // A third line is recorded a week late, from the 1st: its invoice is dated there, and stands on the same document.
    add_line(&world, 2, 104, 0, monthly(3, "2026-01-01"), at("2026-01-09", 7)).await;
    run_days(&world, "2026-01-09", "2026-01-10").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!((snapshot.invoices.len(), snapshot.statements.len()), (3, 1));
    assert_eq!(said(&world, NotificationKind::DueSoon).len(), 1, "the document was announced");
    run_days(&world, "2026-01-11", "2026-01-14").await;
    let overdue = said(&world, NotificationKind::Overdue);
    let MessageContent::Overdue { amount, .. } = &overdue[0].content else { panic!() };
    assert_eq!((overdue.len(), *amount), (1, rp(166_500 + 222_000 + 55_000)));
}

#[tokio::test]
async fn by_hand_it_is_one_notice_too_and_other_customers_keep_theirs_i3() {
    let world = office_and_house().await;
    world.add_with(4, monthly(1, "2026-01-01"), at("2026-01-01", 7)).await;
    add_line(&world, 4, 106, 0, monthly(2, "2026-01-01"), at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    for n in [2, 4] {
        world.engine().isolate(customer_id(n), "Rina", "penyalahgunaan", at("2026-01-03", 9)).await.unwrap();
    }
    world.deliver(at("2026-01-03", 10)).await;
    let by_customer = |kind| {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        said(&world, kind).iter().for_each(|m| *counts.entry(m.name.to_string()).or_default() += 1);
        counts.into_values().collect::<Vec<_>>()
    };
    assert_eq!(by_customer(NotificationKind::Isolated), [1, 2]);
    for n in [2, 4] {
        world.engine().reopen(customer_id(n), "Rina", "sudah beres", at("2026-01-03", 11)).await.unwrap();
    }
    world.deliver(at("2026-01-03", 12)).await;
    assert_eq!(by_customer(NotificationKind::Reopened), [1, 2]);
}

/// What must hold of documents and messages, whatever happened.
fn check(snapshot: &Snapshot, per_customer: &BTreeSet<u32>) {
    let mut numbers: Vec<u64> = snapshot.statements.iter().map(|s| s.number).collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "numbers have gaps: {numbers:?}");
    let balances: Vec<_> = snapshot.invoices.iter().map(|(i, paid)| i.balance(*paid)).collect();
    for invoice in &balances {
        let on = snapshot.statements.iter().filter(|s| s.holds(invoice)).count();
        let wanted = per_customer.iter().any(|n| customer_id(*n) == invoice.customer_id);
        assert_eq!(on, usize::from(wanted), "{invoice:?}");
    }
    // The documents of a customer come to what the customer was charged.
    for n in per_customer {
        let own = |s: &&Statement| s.customer_id == customer_id(*n);
        let documents: Money = snapshot
            .statements
            .iter()
            .filter(own)
            .flat_map(|s| balances.iter().filter(|i| s.holds(*i)).map(|i| i.total))
            .sum();
        let charged: Money = balances.iter().filter(|i| i.customer_id == customer_id(*n)).map(|i| i.total).sum();
        assert_eq!(documents, charged);
    }
    // One reminder a document, kind and level; one notice a document and day.
    let mut reminders = BTreeSet::new();
    let mut notices = BTreeSet::new();
    for row in &snapshot.outbox {
        let Effect::Message(message) = &row.effect else { continue };
        // A reminder may be one of several that were joined: its keys tell which.
        for key in &message.keys {
            if matches!(key.kind, NotificationKind::DueSoon | NotificationKind::Overdue) {
                assert!(reminders.insert((key.subject, key.kind, key.level)), "{message:?}");
            }
        }
        for statement in statements_of(message, snapshot) {
            let day = message.zone.date_of(message.not_before);
            if message.kind == NotificationKind::Isolated && oldest(message, snapshot) == Some(statement) {
                assert!(notices.insert((statement, day)), "{message:?}");
            }
        }
    }
}

fn statements_of(message: &Notification, snapshot: &Snapshot) -> BTreeSet<u64> {
    let named = |i: &isp_core::ids::InvoiceId| snapshot.invoices.iter().find(|(invoice, _)| invoice.id == *i);
    let invoices = message.invoices.iter().filter_map(named);
    invoices.filter_map(|(i, paid)| Statement::of(&snapshot.statements, &i.balance(*paid))).map(|s| s.number).collect()
}

/// The document that a notice is about: that of the oldest invoice of the line that it names first.
fn oldest(message: &Notification, snapshot: &Snapshot) -> Option<u64> {
    let own = |i: &&(isp_core::billing::Invoice, Money)| {
        message.invoices.contains(&i.0.id) && Some(i.0.subscription_id) == message.subscription_id
    };
    let (invoice, paid) = snapshot.invoices.iter().filter(own).min_by_key(|(i, _)| (i.due_date, i.number))?;
    Statement::of(&snapshot.statements, &invoice.balance(*paid)).map(|s| s.number)
}

proptest! {
    #![proptest_config(at_random(3))]

    /// Twelve customers with one to four lines each live four months of late and part payments, dead routers and a lost
    /// reply now and then; half of them have one document. The money and the access of every line are those of the same
    /// four months without any documents.
    #[test]
    fn documents_tie_and_change_neither_money_nor_access(seed in seeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let plain = live(seed, false).await;
            let joined = live(seed, true).await;
            let per_customer: BTreeSet<u32> = (0..12).filter(|n| n % 2 == 0).collect();
            let (plain, joined) = (plain.store.snapshot(TENANT), joined.store.snapshot(TENANT));
            check(&joined, &per_customer);
            assert!(plain.statements.is_empty() && !joined.statements.is_empty());
            assert_eq!(plain.invoices, joined.invoices);
            assert_eq!(plain.allocations, joined.allocations);
            assert_eq!(plain.journal, joined.journal);
            let events = |s: &Snapshot| {
                let mut all: Vec<_> = s.access_events.iter().map(|e| (e.subscription_id, e.revision, e.at, e.kind)).collect();
                all.sort_by_key(|e| (e.0, e.1));
                all
            };
            assert_eq!(events(&plain), events(&joined));
            let messages = |s: &Snapshot| s.outbox.iter().filter(|r| matches!(r.effect, Effect::Message(_))).count();
            assert!(messages(&joined) < messages(&plain));
        });
    }
}

async fn live(seed: u64, documents: bool) -> World {
    let mut dice = Dice(seed);
    let world = World::new().await;
    let start: Date = date("2026-01-01").plus_days(dice.roll(200) as i32);
    let mut lines: Vec<SubscriptionId> = Vec::new();
    for n in 0..12_u32 {
        let day = 1 + dice.roll(28) as u8;
        for extra in 0..=dice.roll(4) as u32 {
            // Most lines of a customer share a billing day; some do not.
            let day = if dice.roll(4) == 0 { 1 + dice.roll(28) as u8 } else { day };
            let package = package_id(1 + dice.roll(3) as u32);
            let terms = BillingTerms::new(package, start, BillingDay::try_new(day).unwrap(), Cycle::Monthly);
            let now = start.at(1, 0, Zone::Wib);
            if extra == 0 {
                world.add_with(n, terms, now).await;
                lines.push(subscription_id(n));
            } else {
                let line = 100 * extra + n;
                add_line(&world, n, line, (n + extra) % 2, terms, now).await;
                lines.push(subscription_id(line));
            }
        }
        if documents && n % 2 == 0 {
            invoice_per_customer(&world, n).await;
        }
    }
    for d in 0..120 {
        let today = start.plus_days(d);
        if dice.roll(25) == 0 {
            world.routers.set_down(&format!("r{}", dice.roll(2)), true);
        }
        if dice.roll(6) == 0 {
            world.routers.all_up();
        }
        for hour in [9, 11] {
            world.run(today.at(hour, 0, Zone::Wib)).await.unwrap();
        }
        for n in 0..12_u32 {
            let open: i64 = world
                .store
                .open_invoices(TENANT, customer_id(n))
                .await
                .unwrap()
                .iter()
                .map(|i| i.residual().as_i64())
                .sum();
            let (luck, part) = (dice.roll(14), dice.roll(3));
            if open > 0 && luck == 0 {
                let amount = if part == 0 { 1 + open / 2 } else { open };
                world.pay(n, &format!("T-{d}-{n}"), amount, today.at(19, 0, Zone::Wib)).await.unwrap();
            }
        }
        books::check(&world.store.snapshot(TENANT));
    }
    world
}
