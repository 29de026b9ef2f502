//! Two at once, and commits that are cut off: nothing twice, nothing by halves.

use std::sync::Arc;
use std::time::Duration;

use crate::common::*;
use isp_core::billing::{Invoice, InvoiceKind, InvoiceLine, InvoiceLines, LineKind};
use isp_core::calendar::Zone;
use isp_core::ids::InvoiceId;
use isp_core::ledger::Account;
use isp_core::payment::{Allocation, Channel, Payment};
use isp_core::ports::{ChangeSet, InvoiceQuery, PageQuery, Store, StoreError};

const CUSTOMERS: u32 = 300;

/// The invoices of all customers for one month.
fn invoices(month: u32) -> Vec<Invoice> {
    let period = isp_core::calendar::Month::new(2026, month).unwrap().period();
    let invoice = |n: u32| Invoice {
        id: InvoiceId::of_period(subscription(n), period.start),
        number: 0,
        customer_id: customer(n),
        subscription_id: subscription(n),
        site_id: site(n % 3),
        package_id: package(n % 3),
        kind: InvoiceKind::Subscription,
        period,
        issue_date: period.start,
        due_date: period.start.plus_days(10),
        lines: InvoiceLines::from_iter([
            InvoiceLine::new(LineKind::Subscription, rupiah(150_000)),
            InvoiceLine::new(LineKind::Ppn, rupiah(16_500)),
        ]),
        dpp: rupiah(150_000),
        ppn: rupiah(16_500),
        total: rupiah(166_500),
    };
    (0..CUSTOMERS).map(invoice).collect()
}

fn some(invoices: Vec<Invoice>) -> ChangeSet {
    ChangeSet { invoices, ..ChangeSet::default() }
}

async fn prepared(database: Database) -> (Database, Arc<dyn Store>) {
    let store = isp_store::open(&database.url, vault()).await.unwrap();
    store.commit(TENANT, provider(CUSTOMERS, day("2026-01-01"))).await.unwrap();
    (database, store)
}

/// Every invoice once, numbers from 1 without gaps, and the ledger says the same as the invoices.
async fn assert_sound(store: &dyn Store, months: usize) {
    let all = store.invoices(TENANT, InvoiceQuery::default(), PageQuery::first(100_000)).await.unwrap();
    assert_eq!(all.len(), months * CUSTOMERS as usize);
    let mut numbers: Vec<u64> = all.iter().map(|(i, _)| i.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>());
    let open: isp_core::Money = all.iter().map(|(i, paid)| i.total - *paid).sum();
    let totals = store.journal_totals(TENANT, day("2026-01-01"), day("2027-01-01")).await.unwrap();
    let of = |account| totals.iter().filter(|t| t.account == account).map(|t| t.amount).sum::<isp_core::Money>();
    assert_eq!(of(Account::Receivable), open, "what customers owe is what is open");
    assert_eq!(totals.iter().map(|t| t.amount).sum::<isp_core::Money>(), isp_core::Money::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_write_each_invoice_once() {
    for database in Database::both_migrated().await {
        let (database, first) = prepared(database).await;
        let second = isp_store::open(&database.url, vault()).await.unwrap();
        let mut written = 0;
        for month in 1..=6 {
            // The other has some in another order, and some of the month before.
            let mut others = invoices(month);
            others.reverse();
            if month > 1 {
                others.extend(invoices(month - 1));
            }
            let (a, b) = tokio::join!(first.commit(TENANT, some(invoices(month))), second.commit(TENANT, some(others)));
            let (a, b) = (a.unwrap(), b.unwrap());
            assert_eq!(a.invoices + b.invoices, u64::from(CUSTOMERS), "month {month}");
            assert!(a.invoices_known + b.invoices_known >= u64::from(CUSTOMERS));
            written += a.invoices + b.invoices;
        }
        assert_eq!(written, 6 * u64::from(CUSTOMERS));
        assert_sound(first.as_ref(), 6).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_told_ten_times_at_once_is_written_once() {
    for database in Database::both_migrated().await {
        let (database, store) = prepared(database).await;
        store.commit(TENANT, some(invoices(1))).await.unwrap();
        let at = day("2026-01-12").at(9, 0, Zone::Wib);
        let (provider, reference) = (code("midtrans"), code("order-1").into());
        let payment = Payment {
            id: Payment::id_of(TENANT, customer(1), &provider, &reference, 0),
            customer_id: customer(1),
            provider,
            reference,
            channel: Channel::Gateway,
            collector: None,
            amount: rupiah(200_000),
            paid_at: at,
            received_at: at,
        };
        let allocation =
            Allocation { payment_id: payment.id, invoice_id: invoices(1)[1].id, amount: rupiah(166_500), at };
        let mut calls = Vec::new();
        for _ in 0..10 {
            let store = isp_store::open(&database.url, vault()).await.unwrap();
            let journal = vec![isp_core::ledger::entry_for_payment(&payment, &[allocation], &[], day("2026-01-12"))];
            let changes = ChangeSet {
                payments: vec![payment.clone()],
                allocations: vec![allocation],
                journal,
                ..ChangeSet::default()
            };
            calls.push(tokio::spawn(async move { store.commit(TENANT, changes).await }));
        }
        let mut done = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => done += 1,
                Err(StoreError::Duplicate { what: "payment.reference" }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(done, 1);
        let row = store.payment(TENANT, payment.id).await.unwrap().unwrap();
        assert_eq!(row.left, rupiah(33_500));
        assert_eq!(store.allocations(TENANT, payment.id).await.unwrap(), [allocation]);
        assert_sound(store.as_ref(), 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_cut_off_is_written_whole_or_not_at_all() {
    for database in Database::both_migrated().await {
        let (database, store) = prepared(database).await;
        let mut cut = 0;
        for month in 1..=8 {
            // Cut off ever later, until one gets through; what got through unseen is known the next time.
            for micros in (0..).map(|step| step * step * 400) {
                let commit = store.commit(TENANT, some(invoices(month)));
                match tokio::time::timeout(Duration::from_micros(micros), commit).await {
                    Ok(report) => {
                        let report = report.unwrap();
                        assert_eq!(report.invoices + report.invoices_known, u64::from(CUSTOMERS));
                        assert!(report.invoices == 0 || report.invoices_known == 0, "it was whole: {report:?}");
                        break;
                    }
                    Err(_) => cut += 1,
                }
            }
        }
        assert!(cut > 8, "{cut} commits were cut off");
        assert_sound(store.as_ref(), 8).await;
        let other = isp_store::open(&database.url, vault()).await.unwrap();
        assert_sound(other.as_ref(), 8).await;
    }
}

/// A runtime that is torn down while a commit is under way stands for a process that dies: its connections end without
/// a word.
#[test]
fn a_process_that_dies_in_a_commit_leaves_it_whole_or_not_at_all() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let life = runtime();
    let databases = life.block_on(async {
        let [sqlite, postgres] = Database::both_migrated().await;
        [prepared(sqlite).await, prepared(postgres).await]
    });
    for (database, store) in databases {
        let (mut died, mut month) = (0, 1);
        for step in 0_u32..24 {
            let doomed = runtime();
            let opened = doomed.block_on(isp_store::open(&database.url, vault())).unwrap();
            let (sender, done) = std::sync::mpsc::channel();
            let changes = some(invoices(month));
            doomed.spawn(async move { sender.send(opened.commit(TENANT, changes).await) });
            let written = done.recv_timeout(Duration::from_micros(u64::from(step * step) * 150));
            doomed.shutdown_background();
            died += u32::from(written.is_err());
            let found = life.block_on(async {
                // Waits for the dead one's transaction to be over.
                store
                    .commit(TENANT, ChangeSet { billing_position: Some(day("2026-01-01")), ..ChangeSet::default() })
                    .await
                    .unwrap();
                store.invoices(TENANT, InvoiceQuery::default(), PageQuery::first(100_000)).await.unwrap().len()
            });
            let per_month = CUSTOMERS as usize;
            assert!(
                found == month as usize * per_month || found == (month as usize - 1) * per_month,
                "{found} invoices"
            );
            if found == month as usize * per_month {
                life.block_on(assert_sound(store.as_ref(), month as usize));
                month += 1;
            }
            if month == 12 {
                break;
            }
        }
        assert!(died > 0, "no process died in a commit");
        life.block_on(store.commit(TENANT, some(invoices(month)))).unwrap();
        life.block_on(assert_sound(store.as_ref(), month as usize));
    }
}

/// Somebody looked at the books with another program and forgot to end the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_somebody_forgot_is_not_waited_for_without_end() {
    use sqlx::{Connection as _, Executor as _};
    let mut waits = Vec::new();
    for database in Database::both_migrated().await {
        let (database, store) = prepared(database).await;
        waits.push(tokio::spawn(async move {
            let position = || ChangeSet { billing_position: Some(day("2026-01-01")), ..ChangeSet::default() };
            store.commit(TENANT, position()).await.unwrap();
            let refused = if database.url.starts_with("sqlite") {
                let mut other = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
                other.execute("BEGIN IMMEDIATE").await.unwrap();
                let refused = store.commit(TENANT, some(invoices(1))).await.unwrap_err();
                other.execute("ROLLBACK").await.unwrap();
                refused
            } else {
                let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
                other.execute("BEGIN").await.unwrap();
                let lock = format!("SELECT * FROM tenants WHERE tenant_id = '{TENANT}' FOR UPDATE");
                other.execute(sqlx::AssertSqlSafe(lock)).await.unwrap();
                let refused = store.commit(TENANT, some(invoices(1))).await.unwrap_err();
                other.execute("ROLLBACK").await.unwrap();
                refused
            };
            assert_eq!(refused, StoreError::Held);
            assert!(refused.retryable());
            assert_eq!(store.commit(TENANT, some(invoices(1))).await.unwrap().invoices, u64::from(CUSTOMERS));
            assert_sound(store.as_ref(), 1).await;
        }));
    }
    for wait in waits {
        tokio::time::timeout(Duration::from_secs(50), wait).await.expect("it waits without end").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_nobody_gets_the_amount_of_another() {
    for database in Database::both_migrated().await {
        let (_database, store) = prepared(database).await;
        store.commit(TENANT, some(invoices(1))).await.unwrap();
        let now = day("2026-01-05").at(23, 0, Zone::Wib);
        // Seven customers with the same debt, and one of them twice.
        let (policy, store) = (isp_core::Policy::default(), store.as_ref());
        let engine = isp_core::engine::Engine::new(store, TENANT, &policy);
        let ask = async |n: u32| {
            let id = isp_core::ids::PaymentRequestId(uuid::Uuid::now_v7());
            engine.request_payment(id, customer(n % 7), None, now).await.unwrap().0.amount.as_i64()
        };
        let mut amounts = futures::future::join_all((0..8).map(ask)).await;
        amounts.sort_unstable();
        amounts.dedup();
        assert_eq!(amounts, (166_501..=166_507).collect::<Vec<_>>());
    }
}
