//! One document for the invoices of a customer.

use crate::billing::Statement;
use crate::calendar::Date;
use crate::customer::Invoicing;
use crate::ids::TenantId;
use crate::isolation::Access;
use crate::message::{Notification, NotificationKind};
use crate::ports::{ChangeSet, DunningQuery, PageQuery, Store};
use crate::subscription::Subscription;
use crate::testing::sample::{self, World, day, moment};

use super::{refused, world, write, write_invoices};

/// A world in which customer 0 has two lines and one document for them.
async fn with_two_lines(store: &dyn Store, tenant: TenantId) -> (World, Subscription) {
    let mut w = world(store, tenant, 3).await;
    w.customers[0].invoicing = Invoicing::PerCustomer;
    let second = sample::subscription(9, w.customers[0].id, &w.router, w.packages[1].id);
    let changes = ChangeSet {
        customers: vec![w.customers[0].clone()],
        subscriptions: vec![second.clone()],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    (w, second)
}

fn statement(w: &World, customer: usize, issue: &str, due: &str, number: u64) -> Statement {
    Statement { customer_id: w.customers[customer].id, issue_date: day(issue), due_date: day(due), number }
}

pub(super) async fn invoices_of_a_day_stand_on_one_statement(store: &dyn Store, tenant: TenantId) {
    let (mut w, second) = with_two_lines(store, tenant).await;
    assert_eq!(store.customer(tenant, w.customers[0].id).await.unwrap().unwrap().invoicing, Invoicing::PerCustomer);
    let invoice = |line: &Subscription, start: &str, due: &str| sample::invoice(line, day(start), day(due), 10_000);
    let first = &w.subscriptions[0];
    let jan = invoice(first, "2026-01-01", "2026-01-11");
    let jan_second = invoice(&second, "2026-01-01", "2026-01-11");
    let later = invoice(&second, "2026-02-01", "2026-02-15");
    let other = invoice(&w.subscriptions[1], "2026-01-01", "2026-01-11");
    // A commit that is refused makes no statement and uses up no number.
    let mut bad = jan_second.clone();
    bad.total = crate::Money::rupiah(1);
    refused(store, tenant, ChangeSet { invoices: vec![jan.clone(), bad], ..ChangeSet::default() }).await;
    write_invoices(store, tenant, &[&jan, &other]).await;
    let expected = [statement(&w, 0, "2026-01-01", "2026-01-11", 1)];
    let of = async |customer: usize| store.statements(tenant, &[w.customers[customer].id]).await.unwrap();
    assert_eq!(of(0).await, expected);
    assert!(of(1).await.is_empty());
    // One that comes later for the same days is added; another due date is another statement.
    write_invoices(store, tenant, &[&jan_second, &jan, &later]).await;
    let both = [expected[0], statement(&w, 0, "2026-02-01", "2026-02-15", 2)];
    assert_eq!(of(0).await, both);
    assert_eq!(store.statement(tenant, 2).await, Ok(Some(both[1])));
    assert_eq!(store.statement(tenant, 3).await, Ok(None));
    // Only invoices that are really written make one.
    write_invoices(store, tenant, &[&jan, &later]).await;
    assert_eq!(of(0).await, both);
    // From the setting on, and until it is taken back.
    w.customers[0].invoicing = Invoicing::PerSubscription;
    w.customers[2].invoicing = Invoicing::PerCustomer;
    write(store, tenant, ChangeSet { customers: w.customers.clone(), ..ChangeSet::default() }).await;
    let march = invoice(&second, "2026-03-01", "2026-03-11");
    let third = invoice(&w.subscriptions[2], "2026-03-01", "2026-03-11");
    write_invoices(store, tenant, &[&march, &third]).await;
    let all: Vec<_> = w.customers.iter().map(|c| c.id).collect();
    let third = statement(&w, 2, "2026-03-01", "2026-03-11", 3);
    assert_eq!(store.statements(tenant, &all).await.unwrap(), [both[0], both[1], third]);
    assert!(store.statements(tenant, &[]).await.unwrap().is_empty());
}

pub(super) async fn reminders_of_a_statement_count_for_its_invoices(store: &dyn Store, tenant: TenantId) {
    let (w, second) = with_two_lines(store, tenant).await;
    let invoice = |line: &Subscription, start: &str, due: &str| sample::invoice(line, day(start), day(due), 10_000);
    let a = invoice(&w.subscriptions[0], "2026-01-01", "2026-01-11");
    let b = invoice(&second, "2026-01-01", "2026-01-11");
    let c = invoice(&w.subscriptions[1], "2026-01-01", "2026-01-11");
    write_invoices(store, tenant, &[&a, &b, &c]).await;
    let id = Statement::id_of(w.customers[0].id, day("2026-01-01"), day("2026-01-11"));
    let kind = NotificationKind::DueSoon;
    let at = moment("2026-01-08T03:00:00Z");
    let message = Notification::new(tenant, kind, 3, w.customers[0].id, &[id.0], at, crate::Zone::Wib);
    write(store, tenant, ChangeSet { messages: vec![message], ..ChangeSet::default() }).await;
    let query = DunningQuery { due_from: Date::MIN, due_until: day("2026-12-31"), last: None };
    let facts = store.load_dunning(tenant, query, PageQuery::first(9)).await.unwrap();
    assert_eq!(facts[0].statements, [statement(&w, 0, "2026-01-01", "2026-01-11", 1)]);
    let mut notified = facts[0].notified.clone();
    notified.sort_unstable();
    let mut expected = [(a.id, kind, 3), (b.id, kind, 3)];
    expected.sort_unstable();
    assert_eq!(notified, expected);
    assert!(facts[1].statements.is_empty() && facts[1].notified.is_empty());
}

pub(super) async fn messages_tell_of_all_their_lines(store: &dyn Store, tenant: TenantId) {
    let (w, second) = with_two_lines(store, tenant).await;
    let a = sample::invoice(&w.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 10_000);
    let b = sample::invoice(&second, day("2026-01-01"), day("2026-01-11"), 10_000);
    let c = sample::invoice(&second, day("2026-02-01"), day("2026-02-11"), 10_000);
    write_invoices(store, tenant, &[&a, &b, &c]).await;
    let at = moment("2026-01-14T03:00:00Z");
    let (kind, customer) = (NotificationKind::Overdue, w.customers[0].id);
    let mut message = Notification::new(tenant, kind, 3, customer, &[a.id.0], at, crate::Zone::Wib);
    (message.invoices, message.subscription_id) = (vec![a.id, b.id], Some(w.subscriptions[0].id));
    message.also = vec![second.id, sample::subscription(77, customer, &w.router, w.packages[0].id).id];
    let facts = store.message_facts(tenant, &message).await.unwrap();
    let open = [statement(&w, 0, "2026-01-01", "2026-01-11", 1), statement(&w, 0, "2026-02-01", "2026-02-11", 2)];
    assert_eq!(facts.statements, open, "that of every open invoice: all are asked for");
    assert_eq!(facts.others.len(), 1, "one that is not there is left out");
    let other = &facts.others[0];
    assert_eq!((&other.package, other.routed), (&w.packages[1].name, true));
    assert_eq!((other.access.subscription_id, other.access.desired), (second.id, Access::Closed));
    // It comes back from the outbox as it was.
    write(store, tenant, ChangeSet { messages: vec![message.clone()], ..ChangeSet::default() }).await;
    let rows = store.outbox(tenant, Default::default(), PageQuery::first(99)).await.unwrap();
    assert!(rows.iter().any(|row| row.effect == crate::ports::Effect::Message(message.clone())));
}
