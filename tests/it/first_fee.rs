//! Installation fees that go with the first periodic invoice (rule B9), as dated stories.

use crate::support::{TENANT, World, at, books, code, customer_id, date, package_id, run_days, subscription_id};
use isp_core::billing::{CreditReason, InvoiceKind, LineKind};
use isp_core::calendar::{BillingDay, Cycle, Date};
use isp_core::engine::EngineError;
use isp_core::ids::{InstallationKindId, InstallationOrderId};
use isp_core::installation::{FeeStatus, InstallationKind, InstallationOrder};
use isp_core::ledger::Account;
use isp_core::ports::{ChangeSet, DirectoryStore, InstallationRow, Store};
use isp_core::simulation::What;
use isp_core::subscription::{BillingTerms, Timing};
use isp_core::testing::Moment;
use isp_core::text::Name;
use isp_core::{Error, Money};
use uuid::Uuid;

const fn rp(rupiah: i64) -> Money {
    Money::rupiah(rupiah)
}

fn order(number: u128, line: u32) -> InstallationOrder {
    InstallationOrder {
        id: InstallationOrderId(Uuid::from_u128(0x7000 + number)),
        customer_id: customer_id(line),
        subscription_id: subscription_id(line),
        kind_id: InstallationKindId(Uuid::from_u128(0x7000)),
        fee: rp(500_000),
        installed_on: date("2025-12-28"),
        instalments: 1,
        with_first_invoice: true,
        step: Money::rupiah(100),
    }
}

/// A provider with a kind of installation, and customer 2 from 1 January with these terms.
async fn one(terms: impl FnOnce(BillingTerms) -> BillingTerms) -> World {
    let world = World::new().await;
    let kind = InstallationKind {
        id: InstallationKindId(Uuid::from_u128(0x7000)),
        code: code("FO"),
        name: Name::parse("name", "Pasang FO").unwrap(),
        price: rp(500_000),
    };
    let kinds = ChangeSet { installation_kinds: vec![kind], ..ChangeSet::default() };
    world.store.commit(TENANT, kinds).await.unwrap();
    let start = date("2026-01-01");
    let plain = BillingTerms::new(package_id(1), start, BillingDay::of(start), Cycle::Monthly);
    world.add_with(2, terms(plain), at("2025-12-28", 7)).await;
    world
}

async fn fee(world: &World) -> InstallationRow {
    world.store.installation_orders(TENANT, None).await.unwrap().remove(0)
}

/// What is booked on an account, credit positive.
fn booked(world: &World, account: Account) -> Money {
    let journal = world.store.snapshot(TENANT).journal;
    journal.iter().flat_map(|e| &e.lines).filter(|l| l.account == account).map(|l| -l.amount).sum()
}

#[tokio::test]
async fn the_fee_stands_on_the_first_invoice_and_is_paid_with_it_b9() {
    let world = one(|terms| terms).await;
    world.engine().add_installation(order(1, 2)).await.unwrap();
    let row = fee(&world).await;
    assert_eq!((row.invoiced, FeeStatus::of(row.order.fee, row.paid)), (Money::ZERO, FeeStatus::Unpaid));
    run_days(&world, "2025-12-30", "2026-01-10").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(snapshot.invoices.len(), 1, "one invoice, not two");
    let invoice = &snapshot.invoices[0].0;
    let lines: Vec<_> = invoice.lines.iter().map(|l| (l.kind, l.amount.as_i64())).collect();
    let expected = [
        (LineKind::Subscription, 150_000),
        (LineKind::Installation, 500_000),
        (LineKind::Ppn, 16_500),
        (LineKind::InstallationPpn, 55_000),
    ];
    assert_eq!(lines, expected);
    assert_eq!(
        (invoice.kind, invoice.dpp, invoice.ppn, invoice.total),
        (InvoiceKind::Subscription, rp(650_000), rp(71_500), rp(721_500))
    );
    assert_eq!(booked(&world, Account::RevenueInstallation), rp(500_000));
    assert_eq!(booked(&world, Account::RevenueSubscription), rp(150_000));
    assert_eq!(booked(&world, Account::PpnPayable), rp(71_500));

    // Half is paid of the invoice, so half of the fee; then the rest.
    world.pay(2, "T-1", 360_750, at("2026-01-10", 12)).await.unwrap();
    let row = fee(&world).await;
    assert_eq!((row.invoiced, row.paid), (rp(555_000), rp(277_500)));
    assert_eq!(FeeStatus::of(row.invoiced, row.paid), FeeStatus::PartlyPaid);
    world.pay(2, "T-2", 360_750, at("2026-01-10", 13)).await.unwrap();
    let row = fee(&world).await;
    assert_eq!(FeeStatus::of(row.invoiced, row.paid), FeeStatus::Paid);
    // Once: February is for service only.
    run_days(&world, "2026-01-11", "2026-02-01").await;
    let totals: Vec<_> = world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| i.total.as_i64()).collect();
    assert_eq!(totals, [721_500, 166_500]);
}

#[tokio::test]
async fn two_installations_of_a_line_are_not_invoiced_on_one_day_b3() {
    let world = one(|terms| terms).await;
    let first = InstallationOrder {
        with_first_invoice: false,
        step: Money::rupiah(100),
        instalments: 3,
        installed_on: date("2026-01-31"),
        ..order(1, 2)
    };
    let id = InstallationOrderId(Uuid::from_u128(0x7002));
    let second = |on: &str| InstallationOrder { id, instalments: 1, installed_on: date(on), ..first.clone() };
    world.engine().add_installation(first.clone()).await.unwrap();
    // The second instalment of the first is invoiced on 28 February.
    let refused = world.engine().add_installation(second("2026-02-28")).await.unwrap_err();
    assert_eq!(refused, EngineError::Domain(Error::InstallationClash { on: date("2026-02-28") }));
    assert_eq!(world.store.installation_orders(TENANT, None).await.unwrap().len(), 1);
    // The same again is no clash with itself; another day is none either.
    world.engine().add_installation(first.clone()).await.unwrap();
    world.engine().add_installation(second("2026-02-27")).await.unwrap();
    run_days(&world, "2026-01-31", "2026-03-31").await;
    assert_eq!(booked(&world, Account::RevenueInstallation), rp(1_000_000));
}

#[tokio::test]
async fn a_first_invoice_that_is_issued_takes_nothing_up_b9() {
    let world = one(|terms| terms).await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    let refused = world.engine().add_installation(order(1, 2)).await.unwrap_err();
    assert_eq!(refused, EngineError::Domain(Error::FirstInvoiceIssued));
    let both = InstallationOrder { instalments: 3, ..order(1, 2) };
    assert_eq!(world.engine().add_installation(both).await.unwrap_err(), EngineError::Domain(Error::FeeTerms));
    assert!(world.store.installation_orders(TENANT, None).await.unwrap().is_empty());
    // Without it, the fee is an invoice of its own.
    let alone = InstallationOrder { with_first_invoice: false, installed_on: date("2026-01-03"), ..order(1, 2) };
    world.engine().add_installation(alone).await.unwrap();
    run_days(&world, "2026-01-03", "2026-01-03").await;
    let snapshot = world.store.snapshot(TENANT);
    let own: Vec<_> = snapshot.invoices.iter().filter(|(i, _)| i.kind == InvoiceKind::Installation).collect();
    assert_eq!((own.len(), own[0].0.total), (1, rp(555_000)));
}

#[tokio::test]
async fn a_run_that_dies_at_any_moment_invoices_the_fee_once_b9() {
    // However far the first attempts came: the catch-up of three months holds the fee once, on the first.
    for call in 1..40 {
        for moment in [Moment::Before, Moment::After] {
            let world = one(|terms| terms).await;
            world.engine().add_installation(order(1, 2)).await.unwrap();
            world.store.fuse().blow_at(call, moment);
            let first = world.engine().bill(at("2026-01-01", 9)).await;
            world.store.restart();
            world.engine().bill(at("2026-03-02", 9)).await.unwrap();
            world.engine().bill(at("2026-03-02", 9)).await.unwrap();
            let snapshot = world.store.snapshot(TENANT);
            let mut invoices: Vec<_> = snapshot.invoices.iter().map(|(i, _)| (i.period.start, i.total)).collect();
            invoices.sort();
            let totals: Vec<_> = invoices.iter().map(|(_, total)| total.as_i64()).collect();
            assert_eq!(totals, [721_500, 166_500, 166_500], "call {call} {moment:?}");
            assert_eq!(fee(&world).await.invoiced, rp(555_000));
            books::check(&snapshot);
            if first.is_ok() && call > 20 {
                return;
            }
        }
    }
}

#[tokio::test]
async fn two_installations_of_a_line_go_with_one_invoice_postpaid_too_b9() {
    let world = one(|terms| BillingTerms { timing: Timing::Postpaid, ..terms }).await;
    for number in [1, 2] {
        world.engine().add_installation(order(number, 2)).await.unwrap();
    }
    run_days(&world, "2026-01-01", "2026-01-31").await;
    assert!(world.store.snapshot(TENANT).invoices.is_empty());
    run_days(&world, "2026-02-01", "2026-02-01").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(snapshot.invoices.len(), 1);
    assert_eq!(snapshot.invoices[0].0.total, rp(166_500 + 2 * 555_000));
    world.pay(2, "T-1", 166_500 + 2 * 555_000, at("2026-02-01", 12)).await.unwrap();
    for row in world.store.installation_orders(TENANT, None).await.unwrap() {
        assert_eq!((row.invoiced, row.paid), (rp(555_000), rp(555_000)));
    }
}

#[tokio::test]
async fn a_line_that_never_had_an_invoice_has_its_fee_alone_b9() {
    let world = one(|terms| terms).await;
    world.engine().add_installation(order(1, 2)).await.unwrap();
    // It ends on the day it would have begun: there is no day of service to bill.
    world.engine().terminate(subscription_id(2), date("2026-01-01"), at("2025-12-29", 9)).await.unwrap();
    for _ in 0..2 {
        run_days(&world, "2026-01-01", "2026-01-03").await;
    }
    let snapshot = world.store.snapshot(TENANT);
    let invoices: Vec<(InvoiceKind, Date, Money)> =
        snapshot.invoices.iter().map(|(i, _)| (i.kind, i.issue_date, i.total)).collect();
    assert_eq!(invoices, [(InvoiceKind::Installation, date("2026-01-01"), rp(555_000))]);
    assert_eq!(fee(&world).await.invoiced, rp(555_000));
    assert_eq!(booked(&world, Account::RevenueInstallation), rp(500_000));
}

#[tokio::test]
async fn days_that_are_given_back_leave_the_fee_out_and_a_correction_does_not_b9_b7() {
    let mut world = one(|terms| terms).await;
    world.policy.billing.credit_on_pause = true;
    world.engine().add_installation(order(1, 2)).await.unwrap();
    run_days(&world, "2026-01-01", "2026-01-10").await;
    // 21 of 31 days of Rp166.500, as without a fee.
    let settled = world.engine().pause(subscription_id(2), at("2026-01-11", 8)).await.unwrap();
    assert_eq!(settled.given_back, rp(112_790));
    let snapshot = world.store.snapshot(TENANT);
    assert!(snapshot.credit_notes[0].lines.iter().all(|l| !l.kind.is_installation()));
    assert_eq!(booked(&world, Account::RevenueInstallation), rp(500_000));
    // All that is left of the invoice may be corrected, the fee with it.
    let invoice = snapshot.invoices[0].0.clone();
    let left = invoice.total - rp(112_790);
    let engine = world.engine();
    let correct =
        |amount| engine.correct(customer_id(2), invoice.id, amount, "Sari", "tidak jadi", at("2026-01-12", 8));
    assert_eq!(correct(left + rp(1)).await.unwrap_err(), EngineError::Domain(Error::MoreThanLeft { left }));
    let note = correct(left).await.unwrap();
    assert_eq!((note.reason, note.total), (CreditReason::Correction, left));
    assert!(note.adds_up() && note.lines.iter().any(|l| l.kind == LineKind::InstallationPpn));
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.charged - books.given_back, books.owed), (Money::ZERO, Money::ZERO));
    assert_eq!(
        (booked(&world, Account::RevenueInstallation), booked(&world, Account::PpnPayable)),
        (Money::ZERO, Money::ZERO)
    );
}

#[tokio::test]
async fn fees_are_foretold_with_the_first_invoice_and_in_instalments_b9() {
    let world = one(|terms| terms).await;
    world.engine().add_installation(order(1, 2)).await.unwrap();
    let second = InstallationOrder {
        with_first_invoice: false,
        step: Money::rupiah(100),
        instalments: 2,
        installed_on: date("2026-01-10"),
        fee: rp(300_000),
        ..order(2, 2)
    };
    world.engine().add_installation(second).await.unwrap();
    let policy = world.policy.clone();
    let now = at("2025-12-29", 9);
    let told = world.engine().simulate(&[&policy], date("2025-12-29"), date("2026-02-20"), now).await.unwrap();
    let billed: Vec<(Date, Money)> = told[0]
        .events
        .iter()
        .filter_map(|event| match event.what {
            What::Billed { total, .. } => Some((event.on, total)),
            _ => None,
        })
        .collect();
    run_days(&world, "2025-12-29", "2026-02-20").await;
    let mut lived: Vec<(Date, Money)> =
        world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| (i.issue_date, i.total)).collect();
    lived.sort();
    assert_eq!(lived.iter().map(|l| l.1.as_i64()).collect::<Vec<_>>(), [721_500, 166_500, 166_500, 166_500]);
    assert_eq!(billed, lived);
    // Once they are invoiced, they are foretold no more.
    let later = world.engine().simulate(&[&policy], date("2026-02-21"), date("2026-03-31"), at("2026-02-20", 23)).await;
    let billed = later.unwrap()[0].events.iter().filter(|e| matches!(e.what, What::Billed { .. })).count();
    assert_eq!(billed, 1);
}
