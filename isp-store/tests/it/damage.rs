//! One damaged row stops nobody else: it is left out and named, whatever reads it.

use crate::common::*;
use isp_core::Policy;
use isp_core::calendar::Zone;
use isp_core::engine::{Approval, Engine, NewPayment};
use isp_core::isolation::Access;
use isp_core::ports::*;
use isp_core::testing::fakes::{FakeMessenger, FakeRouter};
use isp_core::testing::sample::{self, worker};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

const LINES: u32 = 20;

/// Changes one row as no program of ours would: the rules of the tables do not stand in the way.
async fn change(database: &Database, table: &str, sql: String) {
    let done = if database.url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        connection.execute("PRAGMA ignore_check_constraints = ON").await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected()
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        let rules = format!(
            "DO $$ DECLARE c TEXT; BEGIN
                FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c'
                LOOP EXECUTE 'ALTER TABLE {table} DROP CONSTRAINT ' || c; END LOOP; END $$"
        );
        connection.execute(AssertSqlSafe(rules)).await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected()
    };
    assert_eq!(done, 1);
}

/// How a database writes an id in a statement, and bytes that no key has sealed.
fn words(database: &Database, id: uuid::Uuid) -> (String, &'static str) {
    match database.url.starts_with("sqlite") {
        true => (format!("x'{}'", id.simple()), "x'00'"),
        false => (format!("'{id}'"), "'\\x00'::bytea"),
    }
}

async fn damaged_password(database: &Database, n: u32) {
    let (id, bytes) = words(database, subscription(n).0);
    change(
        database,
        "subscriptions",
        format!("UPDATE subscriptions SET password_sealed = {bytes} WHERE subscription_id = {id}"),
    )
    .await;
}

fn named(store: &dyn Store) -> Vec<(&'static str, uuid::Uuid)> {
    store.damaged().into_iter().map(|row| (row.what, row.id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_password_of_twenty_holds_up_no_other_line() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.commit(TENANT, provider(LINES, day("2026-01-05"))).await.unwrap();
        damaged_password(&database, 7).await;
        let (policy, sender) = (Policy::default(), sample::sender());
        // A page that is smaller than what is there, so that one row less must not look like the end.
        let engine = Engine { page: 4, sender: Some(&sender), ..Engine::new(&store, TENANT, &policy) };
        let now = day("2026-01-05").at(10, 30, Zone::Wib);
        engine.bill(now).await.unwrap();
        engine.enforce(now, &Approval::All).await.unwrap();
        let (router, messenger) = (FakeRouter::new(), FakeMessenger::new());
        let report = engine.deliver(&worker(&StandingWatch(now)), &router, &messenger, now).await.unwrap();
        let routed = (0..LINES).filter(|n| the_subscription(*n, day("2026-01-05")).router_id.is_some()).count() as u64;
        assert!(routed > 15 && the_subscription(7, day("2026-01-05")).router_id.is_some());
        assert_eq!((report.applied, report.parked), (routed - 1, 1), "{report:?}");
        assert_eq!(named(&store), [("subscription", subscription(7).0)]);
        assert!(!store.damaged()[0].reason.contains(&password_of(7)));

        // Lists and reports go on without it, whatever the size of their pages.
        for limit in [1, 3, 4, 100] {
            let (mut page, mut found) = (PageQuery::first(limit), 0);
            loop {
                let rows = store.subscriptions(TENANT, None, page).await.unwrap();
                found += rows.len();
                if !page.advance(&rows, |(last, _)| last.id) {
                    break;
                }
            }
            assert_eq!(found, LINES as usize - 1, "pages of {limit}");
        }
        engine.report_customers(now).await.unwrap();

        // The wish stays, and is carried out when the row is whole again.
        let pending = OutboxQuery { topic: Some(Topic::Access), state: Some(OutboxState::Pending), customer: None };
        assert_eq!(store.outbox(TENANT, pending, PageQuery::first(99)).await.unwrap().len(), 1);
        store
            .commit(
                TENANT,
                ChangeSet { subscriptions: vec![the_subscription(7, day("2026-01-05"))], ..ChangeSet::default() },
            )
            .await
            .unwrap();
        store.close().await;
        drop(store);
        let store = database.open().await;
        let engine = Engine::new(&store, TENANT, &policy);
        let later = day("2026-01-05").at(12, 0, Zone::Wib);
        assert_eq!(
            engine.deliver(&worker(&StandingWatch(later)), &router, &messenger, later).await.unwrap().applied,
            1
        );
        assert!(store.damaged().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_phone_number_holds_up_no_other_message_and_no_list() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.commit(TENANT, provider(LINES, day("2026-01-05"))).await.unwrap();
        let (policy, sender) = (Policy::default(), sample::sender());
        let engine = Engine { page: 4, sender: Some(&sender), ..Engine::new(&store, TENANT, &policy) };
        let at = |text: &str| day(text).at(10, 30, Zone::Wib);
        engine.bill(at("2026-02-10")).await.unwrap();
        engine.remind(at("2026-02-10")).await.unwrap();
        let queued = OutboxQuery { topic: Some(Topic::Message), state: Some(OutboxState::Pending), customer: None };
        let queued = store.outbox(TENANT, queued, PageQuery::first(99)).await.unwrap();
        let Some(Effect::Message(first)) = queued.first().map(|row| row.effect.clone()) else { panic!("no reminder") };
        let (id, _) = words(&database, first.customer_id.0);
        change(&database, "customers", format!("UPDATE customers SET phone = 'x' WHERE customer_id = {id}")).await;
        let of_others = queued.iter().filter(|row| match &row.effect {
            Effect::Message(message) => message.customer_id != first.customer_id,
            Effect::Access(_) => false,
        });
        let of_others = of_others.count() as u64;
        assert!(of_others > 3, "{of_others}");

        let report = engine
            .deliver(
                &worker(&StandingWatch(at("2026-02-10"))),
                &FakeRouter::new(),
                &FakeMessenger::new(),
                at("2026-02-10"),
            )
            .await
            .unwrap();
        assert_eq!((report.sent, report.parked), (of_others, queued.len() as u64 - of_others), "{report:?}");
        assert_eq!(named(&store), [("customer", first.customer_id.0)], "a delivery names it, too");
        for limit in [1, 4, 100] {
            let (mut page, mut found) = (PageQuery::first(limit), 0);
            loop {
                let rows = store.customers(TENANT, page).await.unwrap();
                found += rows.len();
                if !page.advance(&rows, |last| last.id) {
                    break;
                }
            }
            assert_eq!(found, LINES as usize - 1, "pages of {limit}");
        }
        assert_eq!(named(&store), [("customer", first.customer_id.0)]);
        engine.report_customers(at("2026-02-10")).await.unwrap();
        let error = store.customer(TENANT, first.customer_id).await.unwrap_err();
        assert_eq!(error.code(), "store.corrupt");
        assert!(error.to_string().contains(&first.customer_id.0.to_string()), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_billed_or_isolated_on_a_guess() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.commit(TENANT, provider(LINES, day("2026-01-05"))).await.unwrap();
        let (policy, sender) = (Policy::default(), sample::sender());
        let engine = Engine { page: 4, sender: Some(&sender), ..Engine::new(&store, TENANT, &policy) };
        let at = |text: &str| day(text).at(10, 30, Zone::Wib);
        engine.enforce(at("2026-01-05"), &Approval::All).await.unwrap();
        engine.bill(at("2026-02-10")).await.unwrap();
        let before = store.invoices(TENANT, InvoiceQuery::default(), PageQuery::first(999)).await.unwrap();

        // Terms that no version writes.
        let (id, _) = words(&database, subscription(3).0);
        let cycle =
            |months: u8| format!("UPDATE subscriptions SET cycle_months = {months} WHERE subscription_id = {id}");
        change(&database, "subscriptions", cycle(2)).await;
        engine.bill(at("2026-03-10")).await.unwrap();
        let after = store.invoices(TENANT, InvoiceQuery::default(), PageQuery::first(999)).await.unwrap();
        let of = |rows: &[(isp_core::billing::Invoice, isp_core::Money)], n: u32| {
            rows.iter().filter(|(i, _)| i.subscription_id == subscription(n)).count()
        };
        assert!(of(&after, 4) > of(&before, 4));
        assert_eq!(of(&after, 3), of(&before, 3));
        assert!(named(&store).contains(&("subscription", subscription(3).0)));
        // Whole again, it is billed for what was passed by.
        change(&database, "subscriptions", cycle(1)).await;
        let store = database.open().await;
        let engine = Engine::new(&store, TENANT, &policy);
        engine.bill(at("2026-03-11")).await.unwrap();
        let mended = store.invoices(TENANT, InvoiceQuery::default(), PageQuery::first(999)).await.unwrap();
        assert_eq!(of(&mended, 3), of(&before, 3) + 1);

        // An open invoice that cannot be read: its customer is neither isolated nor reminded, everybody else is.
        let store = database.open().await;
        let engine = Engine { page: 4, sender: Some(&sender), ..Engine::new(&store, TENANT, &policy) };
        let (invoice, _) =
            after.iter().find(|(i, paid)| i.subscription_id == subscription(5) && *paid < i.total).unwrap();
        let (id, _) = words(&database, invoice.id.0);
        change(&database, "invoices", format!("UPDATE invoices SET kind = 9 WHERE invoice_id = {id}")).await;
        let report = engine.enforce(at("2026-03-27"), &Approval::All).await.unwrap();
        assert!(report.isolated.len() > 5, "{report:?}");
        assert!(!report.isolated.contains(&subscription(5)));
        let lines = store.subscriptions(TENANT, None, PageQuery::first(99)).await.unwrap();
        let line = lines.iter().find(|(line, _)| line.id == subscription(5)).unwrap();
        assert_eq!(line.1.desired, Access::Open);
        engine.remind(at("2026-03-27")).await.unwrap();
        assert!(named(&store).contains(&("invoice", invoice.id.0)));
        // Where money is about to be moved, the row is an error that names it.
        let payment = NewPayment {
            customer_id: invoice.customer_id,
            provider: code("cash"),
            reference: code("KW-1").into(),
            amount: rupiah(10_000),
            paid_at: at("2026-03-27"),
            collector: None,
        };
        let error = engine.pay(&payment, at("2026-03-27")).await.unwrap_err();
        assert!(error.code() == "store.corrupt" && error.to_string().contains(&invoice.id.0.to_string()), "{error}");
    }
}
