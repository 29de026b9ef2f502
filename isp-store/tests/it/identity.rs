//! A database of before codes and references were compared without case: what differs in case only is all kept, and goes on.

use std::borrow::Cow;

use crate::common::*;
use isp_core::engine::{Engine, VaPayment, VaTaken};
use isp_core::payment::virtual_account::digits_of;
use isp_core::ports::{ChangeSet, DirectoryStore, MoneyStore, PageQuery, Store, StoreError};
use isp_core::text::{Code, Reference};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _, SqlSafeStr as _};

const MIGRATIONS: [(i64, &str, &str); 4] = [
    (
        1,
        include_str!("../../migrations/sqlite/0001_initial.sql"),
        include_str!("../../migrations/postgres/0001_initial.sql"),
    ),
    (
        2,
        include_str!("../../migrations/sqlite/0002_credit.sql"),
        include_str!("../../migrations/postgres/0002_credit.sql"),
    ),
    (
        3,
        include_str!("../../migrations/sqlite/0003_first_fee.sql"),
        include_str!("../../migrations/postgres/0003_first_fee.sql"),
    ),
    (
        4,
        include_str!("../../migrations/sqlite/0004_statements.sql"),
        include_str!("../../migrations/postgres/0004_statements.sql"),
    ),
];

/// Two customers and five payments that differ in case only, one of these reversed. Ids are `t` and a digit.
const ROWS: &str = "
INSERT INTO tenants (tenant_id) VALUES (t1);
INSERT INTO customers (tenant_id, customer_id, code, name, address, language) VALUES
    (t1, t2, 'P001', 'Satu', 'Jl. Satu', 'id'), (t1, t3, 'p001', 'Dua', 'Jl. Dua', 'id');
INSERT INTO payments (tenant_id, payment_id, customer_id, provider, reference, amount, left_over, paid_at, received_at)
VALUES (t1, t4, t2, 'bca', 'TRX-77', 1000, 1000, m1, m1), (t1, t5, t2, 'BCA', 'TRX-77', 1000, 1000, m2, m2),
    (t1, t6, t2, 'bca', 'trx-77', 1000, 0, m0, m0), (t1, t7, t3, 'cash', 'KW-1', 2000, 0, m1, m1),
    (t1, t8, t3, 'cash', 'KW-2', 2000, 2000, m1, m1);
INSERT INTO payment_reversals (tenant_id, payment_id, reversed_at, reason, reversed_by) VALUES
    (t1, t6, m2, 'salah', 'kasir'), (t1, t7, m2, 'salah', 'kasir');
";

fn rows(id: impl Fn(u32) -> String, moment: impl Fn(u32) -> String) -> String {
    let text = (1..9).fold(ROWS.to_owned(), |text, n| text.replace(&format!("t{n}"), &id(n)));
    (0..3).fold(text, |text, n| text.replace(&format!("m{n}"), &moment(n)))
}

async fn of_before(database: &Database) {
    let migrator = |sql: fn(&(i64, &'static str, &'static str)) -> &'static str| {
        let migration = |m: &(i64, &'static str, &'static str)| {
            Migration::new(m.0, Cow::Borrowed("old"), MigrationType::Simple, sql(m).into_sql_str(), false)
        };
        Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
    };
    match &database.kind {
        Kind::Sqlite(_) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database.path()).create_if_missing(true);
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            migrator(|m| m.1).run_direct(None, &mut connection, false).await.unwrap();
            let text = rows(|n| format!("x'{:032x}'", n), |n| n.to_string());
            connection.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
            connection.close().await.unwrap();
        }
        Kind::Postgres { .. } | Kind::Citus { .. } => {
            let mut connection = PgConnection::connect(&database.url).await.unwrap();
            migrator(|m| m.2).run_direct(None, &mut connection, false).await.unwrap();
            let text = rows(
                |n| format!("'{}'::uuid", uuid::Uuid::from_u128(u128::from(n))),
                |n| format!("'2026-01-0{} 03:00:00+00'::timestamptz", n + 1),
            );
            connection.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_differ_in_case_only_are_kept_and_go_on() {
    for database in Database::both().await {
        of_before(&database).await;
        isp_store::migrate(&database.url).await.unwrap();
        let store = database.open().await;
        let id = |n: u32| uuid::Uuid::from_u128(u128::from(n));
        let customers = store.customers(TENANT, PageQuery::first(9)).await.unwrap();
        let codes: Vec<_> = customers.iter().map(|c| c.code.as_str()).collect();
        assert_eq!(codes, ["P001", "p001"]);
        for customer in &customers {
            // Each is found by its own spelling and can be written, but no third one.
            let found = store.customer_by_code(TENANT, &customer.code).await.unwrap().unwrap();
            assert_eq!(found.id, customer.id);
            let changes = ChangeSet { customers: vec![customer.clone()], ..ChangeSet::default() };
            store.commit(TENANT, changes).await.unwrap();
        }
        let mut third = customers[0].clone();
        third.id = isp_core::ids::CustomerId(id(9));
        let changes = ChangeSet { customers: vec![third], ..ChangeSet::default() };
        let error = store.commit(TENANT, changes).await.unwrap_err();
        assert_eq!(error, StoreError::Duplicate { what: "customer.code" });

        let policy = isp_core::policy::Policy::default();
        let engine = Engine::new(&store, TENANT, &policy);
        let number = digits_of(&customers[0].code).unwrap();
        let paid = VaPayment {
            bank: Code::parse("bank", "bca-va").unwrap(),
            digits: number.clone(),
            reference: Reference::parse("reference", "P1").unwrap(),
            amount: isp_core::Money::rupiah(1_000),
            paid_at: None,
            told_at: chrono::Utc::now(),
        };
        for customer in &customers {
            assert_eq!(engine.va_digits(customer).await.unwrap(), None, "the number of two is nobody's");
        }
        assert_eq!(engine.va_holder(&number).await.unwrap(), None);
        assert_eq!(engine.va_paid(&paid, paid.told_at).await.unwrap(), VaTaken::Unknown);

        let known = async |provider: &str, reference: &str| {
            let provider = Code::parse("provider", provider).unwrap();
            let reference = Reference::parse("reference", reference).unwrap();
            let rows = store.payments_known_as(TENANT, &provider, &reference).await.unwrap();
            rows.into_iter().map(|r| (r.payment.id.0, r.reversal.is_some())).collect::<Vec<_>>()
        };
        assert_eq!(known("Bca", "Trx-77").await, [(id(6), true), (id(4), false), (id(5), false)]);
        let rows = store.payments(TENANT, None, PageQuery::first(9)).await.unwrap();
        let spelled: Vec<_> =
            rows.iter().map(|r| (r.payment.provider.as_str(), r.payment.reference.as_str())).collect();
        let expected = [("bca", "TRX-77"), ("BCA", "TRX-77"), ("bca", "trx-77"), ("cash", "KW-1"), ("cash", "KW-2")];
        assert_eq!(spelled, expected);
        // What stands holds its reference, what was reversed does not.
        for (n, reference, free) in [(10, "KW-1", true), (11, "kw-2", false), (12, "TRX-77", false)] {
            let provider = if reference == "TRX-77" { "bca" } else { "CASH" };
            let payment = isp_core::payment::Payment {
                id: isp_core::ids::PaymentId(id(n)),
                provider: Code::parse("provider", provider).unwrap(),
                reference: Reference::parse("reference", reference).unwrap(),
                ..rows[0].payment.clone()
            };
            let changes = ChangeSet { payments: vec![payment], ..ChangeSet::default() };
            let written = store.commit(TENANT, changes).await.map(drop);
            let taken = Err(StoreError::Duplicate { what: "payment.reference" });
            assert_eq!(written, if free { Ok(()) } else { taken }, "{reference}");
        }

        // Once the first has another ID, the number is the second's.
        let mut other = customers[0].clone();
        other.code = Code::parse("code", "P_02").unwrap();
        let changes = ChangeSet { customers: vec![other], ..ChangeSet::default() };
        store.commit(TENANT, changes).await.unwrap();
        assert_eq!(engine.va_digits(&customers[1]).await.unwrap(), Some(number.clone()));
        let held = engine.va_holder(&number).await.unwrap().map(|holder| holder.customer.id);
        assert_eq!(held, Some(customers[1].id));
    }
}
