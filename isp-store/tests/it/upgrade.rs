//! A database of the first version is upgraded: everything in it reads as before, and billing goes on without a double
//! invoice.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::common::*;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use isp_core::billing::InvoiceKind;
use isp_core::calendar::Zone;
use isp_core::customer::Invoicing;
use isp_core::ending::{Ending, EndingKind, RecordId};
use isp_core::engine::{Approval, Engine, NewPayment};
use isp_core::isolation::Access;
use isp_core::payment::{Channel, Deposit};
use isp_core::ports::{
    AccessStore, BillingStore, ChangeSet, DirectoryStore, MoneyStore, OutboxQuery, PageQuery, StandingWatch, Store,
};
use isp_core::report::GroupBy;
use isp_core::testing::fakes::{FakeMessenger, FakeRouter};
use isp_core::testing::sample::{self, TERM};
use isp_core::text::Language;
use isp_core::{Money, Policy};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqlSafeStr as _};

const CUSTOMERS: u32 = 16;
const START: &str = "2026-01-05";
/// The first version's program ran until this day; then the new one.
const UPGRADED: i32 = 30;
const LAST: i32 = 60;

fn first_migration(sql: &'static str) -> Migrator {
    let sql = sql.into_sql_str();
    Migrator::with_migrations(vec![Migration::new(1, Cow::Borrowed("initial"), MigrationType::Simple, sql, false)])
}

/// What a provider does on these days, of what the first version knew: cash comes in, late and in parts.
pub(crate) async fn live(store: &dyn Store, days: std::ops::Range<i32>) {
    let policy = Policy { tax: isp_core::tax::Tax::pkp(), ..Policy::default() };
    let sender = sample::sender();
    let engine = Engine { page: 7, sender: Some(&sender), ..Engine::new(store, TENANT, &policy) };
    for passed in days {
        let today = day(START).plus_days(passed);
        let now = today.at(10, 30, Zone::Wib);
        let guard = store.begin_run(TENANT, TERM).await.unwrap();
        engine.bill(now).await.unwrap();
        engine.remind(now).await.unwrap();
        engine.enforce(now, &Approval::All).await.unwrap();
        engine
            .deliver(&sample::worker(&StandingWatch(now)), &FakeRouter::new(), &FakeMessenger::new(), now)
            .await
            .unwrap();
        for n in (0..CUSTOMERS).filter(|n| n % 4 != 3 && passed % 15 == i32::try_from(n % 15).unwrap()) {
            let payment = NewPayment {
                customer_id: customer(n),
                provider: code("cash"),
                reference: code(&format!("KW-{passed}-{n}")).into(),
                amount: rupiah([100_000, 250_000, 900_000][n as usize % 3]),
                paid_at: now,
                collector: None,
            };
            let paid = engine.pay(&payment, now).await.unwrap();
            if n % 12 == 0 {
                engine.reverse(paid.payment_id, "kasir", "salah ketik", now).await.unwrap();
            }
        }
        guard.end().await.unwrap();
    }
}

/// Everything that people read of it, as text.
pub(crate) async fn read(store: &dyn Store, now: DateTime<Utc>) -> Vec<String> {
    let policy = Policy { tax: isp_core::tax::Tax::pkp(), ..Policy::default() };
    let engine = Engine::new(store, TENANT, &policy);
    let (first, last) = (day("2026-01-01").month(), day("2026-03-01").month());
    let kept = store.kept_sums(TENANT).await.unwrap().without_zeros();
    assert!(!kept.open.is_empty() && !kept.documents.is_empty() && !kept.journal.is_empty());
    assert_eq!(kept, engine.sums_of_rows().await.unwrap().without_zeros(), "the migration fills the sums");
    let page = PageQuery::first(10_000);
    let mut outbox = store.outbox(TENANT, OutboxQuery::default(), PageQuery::first(10_000)).await.unwrap();
    // How often a row was claimed was not counted in the first version.
    outbox.iter_mut().for_each(|row| row.fence = 0);
    let mut told = vec![
        format!("{:?}", store.billing_position(TENANT).await.unwrap()),
        format!("{:#?}", engine.report_customers(now).await.unwrap()),
        format!("{:#?}", engine.report_cpe(now).await.unwrap()),
        format!("{:#?}", engine.report_packages(now).await.unwrap()),
        format!("{:#?}", engine.report_cash(first, last).await.unwrap()),
        format!("{:#?}", store.invoices(TENANT, Default::default(), PageQuery::first(10_000)).await.unwrap()),
        format!("{:#?}", store.payments(TENANT, None, PageQuery::first(10_000)).await.unwrap()),
        format!("{:#?}", store.journal(TENANT, PageQuery::first(10_000)).await.unwrap()),
        format!("{outbox:#?}"),
        format!("{:#?}", store.installation_orders(TENANT, None).await.unwrap()),
        format!("{:#?}", store.load_instalments(TENANT, day("2026-12-31")).await.unwrap()),
        format!("{:#?}", store.customers(TENANT, PageQuery::first(10_000)).await.unwrap()),
        format!("{:#?}", store.subscriptions(TENANT, None, page).await.unwrap()),
    ];
    for by in [GroupBy::Month, GroupBy::Package, GroupBy::Site] {
        told.push(format!("{:#?}", engine.report_finance(first, last, by, now).await.unwrap()));
        told.push(format!("{:#?}", engine.report_profit_loss(first, last, by).await.unwrap()));
    }
    for n in 0..CUSTOMERS {
        for passed in [12, 20, 29] {
            let at = day(START).plus_days(passed).at(12, 0, Zone::Wib);
            told.push(format!("{:?}", engine.explain(customer(n), at, Language::Id).await.unwrap()));
        }
    }
    told
}

/// Copies what the tables of the first version hold.
async fn copy_sqlite(from: &Database, to: &Database) {
    let options = SqliteConnectOptions::new().filename(to.path()).create_if_missing(true).foreign_keys(false);
    let mut old = SqliteConnection::connect_with(&options).await.unwrap();
    let initial = first_migration(include_str!("../../migrations/sqlite/0001_initial.sql"));
    initial.run_direct(None, &mut old, false).await.unwrap();
    let attach = format!("ATTACH DATABASE '{}' AS newest", from.path().display());
    old.execute(AssertSqlSafe(attach)).await.unwrap();
    let tables = "SELECT m.name AS t, group_concat(c.name, ', ') AS columns
        FROM main.sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT IN ('_sqlx_migrations', 'sqlite_sequence') GROUP BY m.name";
    for row in sqlx::query(tables).fetch_all(&mut old).await.unwrap() {
        let (table, columns): (String, String) = (row.get("t"), row.get("columns"));
        let copy = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newest.{table}");
        old.execute(AssertSqlSafe(copy)).await.unwrap();
    }
    old.close().await.unwrap();
}

/// The same between two PostgreSQL databases.
async fn copy_postgres(from: &Database, to: &Database) {
    let mut old = PgConnection::connect(&to.url).await.unwrap();
    let mut newest = PgConnection::connect(&from.url).await.unwrap();
    match to.kind {
        Kind::Citus { .. } => first_version_on_a_cluster(&mut old).await,
        _ => first_version(&mut old).await,
    }
    // In the order in which they were made: none names a row that comes later.
    let tables = "SELECT c.relname::text AS t, string_agg(a.attname::text, ', ' ORDER BY a.attnum) AS columns
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_sqlx_migrations'
        GROUP BY c.oid, c.relname ORDER BY c.oid";
    for row in sqlx::query(tables).fetch_all(&mut old).await.unwrap() {
        let (table, columns): (String, String) = (row.get("t"), row.get("columns"));
        let read = format!("COPY (SELECT {columns} FROM {table}) TO STDOUT");
        let rows: Vec<_> = newest.copy_out_raw(&read).await.unwrap().try_collect().await.unwrap();
        let mut write = old.copy_in_raw(&format!("COPY {table} ({columns}) FROM STDIN")).await.unwrap();
        for bytes in rows {
            write.send(bytes.as_ref()).await.unwrap();
        }
        write.finish().await.unwrap();
    }
    old.close().await.unwrap();
    newest.close().await.unwrap();
}

async fn first_version(connection: &mut PgConnection) {
    let initial = first_migration(include_str!("../../migrations/postgres/0001_initial.sql"));
    initial.run_direct(None, connection, false).await.unwrap();
}

/// The tables of the first version, distributed.
pub(crate) async fn first_version_on_a_cluster(connection: &mut PgConnection) {
    first_version(connection).await;
    let tables = "SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname <> 'tenants', oid";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *connection).await.unwrap();
    for table in tables {
        let call = match table.as_str() {
            "meta" | "_sqlx_migrations" => format!("create_reference_table('{table}')"),
            "tenants" => "create_distributed_table('tenants', 'tenant_id')".to_owned(),
            _ => format!("create_distributed_table('{table}', 'tenant_id', colocate_with := 'tenants')"),
        };
        connection.execute(AssertSqlSafe(format!("SELECT {call}"))).await.unwrap();
    }
}

async fn upgrade(newest: Database, old: Database) {
    // The same provider in a database of today, as far as the day of the upgrade.
    let store = newest.open().await;
    store.commit(TENANT, provider(CUSTOMERS, day(START))).await.unwrap();
    live(&store, 0..UPGRADED).await;
    match &old.kind {
        Kind::Sqlite(_) => copy_sqlite(&newest, &old).await,
        Kind::Postgres { .. } | Kind::Citus { .. } => copy_postgres(&newest, &old).await,
    }
    let refused = isp_store::open(&old.url, vault()).await.err().expect("it opened");
    assert!(refused.to_string().contains("isp migrate"), "{refused}");
    let before = isp_store::migration_status(&old.url).await.unwrap();
    assert_eq!((before.applied.as_slice(), before.pending.first()), (&[1][..], Some(&2)));
    let after = isp_store::migrate(&old.url).await.unwrap();
    assert!(after.pending.is_empty() && after.applied.len() > 1, "{after:?}");

    let upgraded = old.open().await;
    let now = day(START).plus_days(UPGRADED).at(9, 0, Zone::Wib);
    same(&read(&store, now).await, &read(&upgraded, now).await);
    // The clock is judged from the first run on: the newest decision stands for the last run.
    let last = upgraded.last_run(TENANT).await.unwrap().expect("no last run");
    assert!(last <= now && now - last < chrono::TimeDelta::days(31), "{last}");
    let lines = upgraded.subscriptions(TENANT, None, PageQuery::first(99)).await.unwrap();
    assert!(lines.iter().any(|(_, access)| access.desired == Access::Isolated), "nobody is isolated");
    assert_eq!(lines[3].0.account.password.reveal(), password_of(3));
    let payments = upgraded.payments(TENANT, None, PageQuery::first(999)).await.unwrap();
    assert!(!payments.is_empty() && payments.iter().all(|p| p.payment.channel == Channel::Cash));

    // The new program goes on with it as with its own: no period again, none left out, the same numbers.
    live(&store, UPGRADED..LAST).await;
    live(&upgraded, UPGRADED..LAST).await;
    let now = day(START).plus_days(LAST).at(9, 0, Zone::Wib);
    same(&read(&store, now).await, &read(&upgraded, now).await);
    let invoices = upgraded.invoices(TENANT, Default::default(), PageQuery::first(9_999)).await.unwrap();
    let periods: BTreeSet<_> = invoices.iter().map(|(i, _)| (i.subscription_id, i.kind, i.period.start)).collect();
    assert_eq!(periods.len(), invoices.len(), "a period was billed twice");
    let numbers: BTreeSet<u64> = invoices.iter().map(|(i, _)| i.number).collect();
    assert!(numbers.iter().copied().eq(1..=invoices.len() as u64), "numbers have gaps");
    assert!(invoices.iter().any(|(i, _)| i.issue_date >= day(START).plus_days(UPGRADED)));
    assert!(invoices.iter().any(|(i, _)| i.kind == InvoiceKind::Installation));
    let journal = upgraded.journal(TENANT, PageQuery::first(99_999)).await.unwrap();
    let sum: Money = journal.iter().flat_map(|e| &e.lines).map(|l| l.amount).sum();
    assert_eq!(sum, Money::ZERO);

    // What the new version brings works on it: one document for a customer.
    let mut one = upgraded.customer(TENANT, customer(5)).await.unwrap().unwrap();
    assert_eq!(one.invoicing, Invoicing::PerSubscription);
    one.invoicing = Invoicing::PerCustomer;
    upgraded.commit(TENANT, ChangeSet { customers: vec![one], ..ChangeSet::default() }).await.unwrap();
    live(&upgraded, LAST..LAST + 31).await;
    assert!(!upgraded.statements(TENANT, &[customer(5)]).await.unwrap().is_empty());
}

fn same(expected: &[String], found: &[String]) {
    for (expected, found) in expected.iter().zip(found) {
        for (number, (a, b)) in expected.lines().zip(found.lines()).enumerate() {
            assert_eq!(a, b, "line {}", number + 1);
        }
        assert_eq!(expected.len(), found.len());
    }
    assert_eq!(expected.len(), found.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_of_the_first_version_is_upgraded() {
    upgrade(Database::sqlite_migrated().await, Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_database_of_the_first_version_is_upgraded() {
    upgrade(Database::postgres_migrated().await, Database::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_before_deposits_could_be_taken_back_is_kept() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        store.commit(TENANT, provider(1, day(START))).await.unwrap();
        let (promise_id, at) = (isp_core::ids::PromiseId(id(33, 1)), day(START).at(9, 0, Zone::Wib));
        let promise = isp_core::protection::Promise {
            id: promise_id,
            customer_id: customer(0),
            made_on: day(START),
            until: day(START).plus_days(7),
            by: "Sari".into(),
            ending: None,
        };
        let ending = Ending { kind: EndingKind::TakenBack, at, by: "Sari".into(), reason: "salah".into() };
        let deposit = Deposit {
            id: isp_core::ids::DepositId(id(31, 1)),
            collector: code("ANTON"),
            amount: rupiah(1),
            to: Channel::Bank,
            on: day(START),
            by: "Sari".into(),
            note: String::new(),
        };
        let of_deposit = (RecordId::Deposit(deposit.id), ending.clone());
        let changes = ChangeSet {
            promises: vec![promise],
            endings: vec![(RecordId::Promise(promise_id), ending.clone())],
            deposits: vec![deposit],
            ..ChangeSet::default()
        };
        store.commit(TENANT, changes).await.unwrap();
        // As a database has it that was upgraded to number 29 by a program without number 28.
        database.execute("DELETE FROM _sqlx_migrations WHERE version = 28").await;
        let status = isp_store::migrate(&database.url).await.unwrap();
        assert!(status.pending.is_empty() && status.applied.contains(&28), "{status:?}");
        let store = database.open().await;
        let kept = store.protections(TENANT, Some(customer(0))).await.unwrap().0;
        assert_eq!(kept[0].ending.as_ref(), Some(&ending));
        store.commit(TENANT, ChangeSet { endings: vec![of_deposit], ..ChangeSet::default() }).await.unwrap();
        assert_eq!(store.deposits(TENANT).await.unwrap()[0].ending, Some(ending));
    }
}
