//! Both databases are looked through by the same questions.

use crate::common::*;
use isp_core::Policy;
use isp_core::calendar::Zone;
use isp_core::ending::{Ending, EndingKind};
use isp_core::engine::Engine;

use isp_core::ids::ExpenseId;
use isp_core::ledger::{Account, Expense};
use isp_core::money::Money;
use isp_core::payment::{Channel, Told};
use isp_core::ports::{Store, StoreError};
use isp_store::{SqlStore, Vault};
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

#[tokio::test]
async fn a_new_database_has_nothing_wrong_and_needs_no_key_to_be_looked_at() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        let now = day("2026-01-05").at(12, 0, Zone::Wib);
        assert_eq!(store.examine(TENANT, now).await.unwrap(), []);
        store.commit(TENANT, provider(50, day("2026-01-05"))).await.unwrap();
        assert_eq!(store.examine(TENANT, now).await.unwrap(), []);
        store.close().await;
        let locked = SqlStore::open(&database.url, Vault::locked()).await.unwrap();
        assert_eq!(locked.examine(TENANT, now).await.unwrap(), []);
        assert_eq!(locked.reseal(&locked.hold_runs().await.unwrap()).await.unwrap_err(), StoreError::NoKey);
        locked.close().await;
    }
}

/// Only PostgreSQL lets a unique key be taken away in one statement.
#[tokio::test]
async fn what_stands_twice_is_found_where_its_key_is_gone() {
    let database = Database::postgres_migrated().await;
    let store = database.open().await;
    store.commit(TENANT, provider(3, day("2026-01-05"))).await.unwrap();
    let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
    connection
        .execute(
            "DO $$ DECLARE k record; BEGIN
                FOR k IN SELECT conrelid::regclass AS t, conname AS c FROM pg_constraint
                    WHERE contype = 'u' AND conrelid IN ('invoices'::regclass, 'payments'::regclass)
                LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', k.t, k.c); END LOOP;
            END $$;
            INSERT INTO invoices (tenant_id, invoice_id, number, customer_id, subscription_id, site_id, package_id, kind,
                    period_start, period_end, issue_date, due_date, dpp, ppn, total, paid, lines)
                SELECT s.tenant_id, gen_random_uuid(), n, s.customer_id, s.subscription_id, s.site_id, s.package_id, 1,
                    '2026-01-01', '2026-02-01', '2026-01-01', '2026-01-11', 100, 11, 111, 0, '[]'
                FROM (SELECT * FROM subscriptions LIMIT 1) s, generate_series(1, 2) n;
            INSERT INTO payments (tenant_id, payment_id, customer_id, provider, reference, amount, left_over, paid_at,
                    received_at, channel, identity, set_aside)
                SELECT c.tenant_id, gen_random_uuid(), c.customer_id, 'bca', 'x', 10, 10, now(), now(), 'bank', 'bca x', ''
                FROM (SELECT * FROM customers LIMIT 1) c, generate_series(1, 2) n;",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();
    let found = store.examine(TENANT, day("2026-01-05").at(12, 0, Zone::Wib)).await.unwrap();
    let kinds: Vec<(&str, u64)> = found.iter().map(|of| (of.kind, of.count)).collect();
    for (kind, count) in
        [("invoice.period_twice", 2), ("payment.twice", 2), ("ledger.receivable", 1), ("backup.none", 1)]
    {
        assert!(kinds.contains(&(kind, count)), "{kind}: {kinds:?}");
    }
    store.close().await;
}

/// An expense that an officer corrects within its month leaves all sums as they were. Each correction books two entries, which the proof
/// must not take for entries without a document.
#[tokio::test]
async fn an_expense_that_is_corrected_while_the_books_are_proved_is_no_damage() {
    for database in Database::both_migrated().await {
        let store = database.open().await;
        let policy = Policy::default();
        let engine = Engine::new(&store, TENANT, &policy);
        let expense = |n: u8| Expense {
            id: ExpenseId(Uuid::from_u128(n.into())),
            on: day("2026-01-05").plus_days((n % 2).into()),
            category: Account::ExpenseElectricity,
            amount: Money::rupiah(100_000),
            paid_from: Channel::Bank,
            note: String::new(),
            site_id: None,
        };
        engine.expense(expense(0), Told::ByPersonWhoInsists).await.unwrap();
        let correct = async {
            for n in 0..30 {
                let at = day("2026-01-07").at(9, 0, Zone::Wib);
                let (by, reason) = ("Sari".to_owned(), "salah tanggal".to_owned());
                let ending = Ending { kind: EndingKind::TakenBack, at, by, reason };
                let told = Told::ByPersonWhoInsists;
                engine.correct_expense(expense(n).id, Some(expense(n + 1)), ending, told).await.unwrap();
            }
        };
        let prove = async {
            let mut proofs = Vec::new();
            for _ in 0..30 {
                proofs.push(engine.prove().await.unwrap());
            }
            proofs
        };
        let (proofs, ()) = tokio::join!(prove, correct);
        for proof in proofs {
            assert_eq!(proof.documents.named, [], "{}", database.url);
        }
        let proof = engine.prove().await.unwrap();
        assert!(proof.settled && proof.documents.named.is_empty() && proof.sums.is_empty(), "{proof:?}");
        store.close().await;
    }
}
