//! What is given back, charged late and given up, as dated stories that a bookkeeper can follow. Each names its rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use isp_core::billing::{
    CreditReason, InvoiceKind, LateFeeAmount, LateFeePolicy, LineKind, OutageCredit, OutagePolicy, WhileIsolated,
};
use isp_core::calendar::{BillingDay, Cycle, Zone};
use isp_core::engine::{EngineError, NewPayment, Settled};
use isp_core::ids::{DepositId, OutageId, PromiseId};
use isp_core::isolation::{Access, AccessEventKind, Outage, Promise};
use isp_core::ledger::Account;
use isp_core::payment::{Channel, Deposit};
use isp_core::ports::{Store, StoreError};
use isp_core::report::GroupBy;
use isp_core::subscription::{BillingTerms, HeldPrice, Timing};
use isp_core::testing::Moment;
use isp_core::{Error, Money};
use support::{TENANT, World, at, books, code, customer_id, date, package_id, run_days, site_id, subscription_id};
use uuid::Uuid;

const fn rp(rupiah: i64) -> Money {
    Money::rupiah(rupiah)
}

/// One customer (number 2, in Jakarta) with package 1 (Rp150.000 and PPN) from 1 January, billed on day 1.
async fn one() -> World {
    let world = World::new().await;
    world.add(2, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    world
}

fn lines(lines: &[isp_core::billing::InvoiceLine]) -> Vec<(LineKind, i64)> {
    lines.iter().map(|l| (l.kind, l.amount.as_i64())).collect()
}

fn domain(error: EngineError) -> Error {
    match error {
        EngineError::Domain(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_dearer_package_at_once_is_one_invoice_with_a_credit_and_a_charge_b6() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-11").await;
    let engine = world.engine();
    // Paid: Rp150.000 + Rp16.500 for January. From the 11th: 21 of 31 days of a package of Rp222.000 with PPN.
    let settled =
        engine.change_package_at_once(subscription_id(2), package_id(2), "Sari", at("2026-01-11", 14)).await.unwrap();
    assert_eq!(settled, Settled { charged: rp(37_597), given_back: Money::ZERO });
    let snapshot = world.store.snapshot(TENANT);
    let adjustment = &snapshot.invoices.iter().find(|(i, _)| i.kind == InvoiceKind::Adjustment).unwrap().0;
    // Charge: Rp222.000 - Rp71.613 for 10 days = Rp150.387, which is Rp135.484 and PPN Rp14.903.
    // Credit: Rp150.000 - Rp48.387 = Rp101.613, and PPN Rp16.500 - Rp5.323 = Rp11.177.
    let expected = [(LineKind::Subscription, 135_484), (LineKind::Credit, -101_613), (LineKind::Ppn, 14_903 - 11_177)];
    assert_eq!(lines(&adjustment.lines), expected);
    assert_eq!(adjustment.lines[1].prorated, Some((21, 31)));
    assert_eq!(adjustment.due_date, date("2026-01-21"));
    assert_eq!(adjustment.period.to_string(), "2026-01-11..2026-02-01");
    books::check(&snapshot);
    // Revenue stands with the package that served: 10 days of the old one, 21 of the new.
    let of = |package| -> Money {
        let lines = snapshot.journal.iter().flat_map(|e| &e.lines);
        lines
            .filter(|l| l.account == Account::RevenueSubscription && l.package_id == Some(package))
            .map(|l| -l.amount)
            .sum()
    };
    assert_eq!((of(package_id(1)), of(package_id(2))), (rp(48_387), rp(135_484)));
    // The router has the new group, and February is billed at the new price.
    run_days(&world, "2026-01-12", "2026-02-01").await;
    let february = world
        .store
        .snapshot(TENANT)
        .invoices
        .iter()
        .map(|(i, _)| i.clone())
        .find(|i| i.kind == InvoiceKind::Subscription && i.period.start == date("2026-02-01"));
    assert_eq!(february.unwrap().total, rp(222_000));
    let targets = world.store.access_targets(TENANT, &[subscription_id(2)]).await.unwrap();
    assert_eq!(targets[0].group.name, code("paket-2"));
}

#[tokio::test]
async fn a_cheaper_package_at_once_is_a_credit_note_that_pays_the_next_invoice_b6_p2() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-05").await;
    world.pay(2, "T-1", 166_500, at("2026-01-05", 12)).await.unwrap();
    let settled = world
        .engine()
        .change_package_at_once(subscription_id(2), package_id(3), "Sari", at("2026-01-11", 14))
        .await
        .unwrap();
    // 21 days of Rp55.000 are Rp37.258: Rp33.566 and PPN Rp3.692. Credit as before: Rp101.613 and PPN Rp11.177.
    assert_eq!(settled, Settled { charged: Money::ZERO, given_back: rp(112_790 - 37_258) });
    let snapshot = world.store.snapshot(TENANT);
    let note = &snapshot.credit_notes[0];
    assert_eq!(note.display_number(), "NK-202601-000001");
    assert_eq!((note.reason, note.total, note.by.as_str()), (CreditReason::PackageChange, rp(75_532), "Sari"));
    assert_eq!(books::check(&snapshot).credit, rp(75_532));
    run_days(&world, "2026-01-12", "2026-02-01").await;
    // February costs Rp55.000 and is paid by the credit.
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.credit), (Money::ZERO, rp(75_532 - 55_000)));
}

#[tokio::test]
async fn a_package_is_changed_at_once_one_time_a_day_b6() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-03").await;
    let engine = world.engine();
    let (line, now) = (subscription_id(2), at("2026-01-10", 9));
    engine.change_package_at_once(line, package_id(2), "Sari", now).await.unwrap();
    let again = engine.change_package_at_once(line, package_id(3), "Sari", now).await.unwrap_err();
    assert_eq!(domain(again), Error::ChangedToday);
    // The next day is fine, and days are never given back twice: what is left is what each package served.
    engine.change_package_at_once(line, package_id(1), "Sari", at("2026-01-11", 9)).await.unwrap();
    engine.change_package_at_once(line, package_id(3), "Sari", at("2026-01-20", 9)).await.unwrap();
    let snapshot = world.store.snapshot(TENANT);
    let books = books::check(&snapshot);
    // 9 + 9 days of Rp150.000, one of Rp222.000 and 12 of Rp55.000, with PPN.
    let exact = (166_500 * 18 + 222_000 + 55_000 * 12) / 31;
    assert!((books.charged - books.given_back).as_i64().abs_diff(exact) <= 4, "{books:?} {exact}");
}

#[tokio::test]
async fn a_held_price_ends_with_the_package_b5() {
    let world = World::new().await;
    let start = date("2026-01-01");
    let held_price = Some(HeldPrice { price: rp(100_000), until: None });
    let terms = BillingTerms::new(package_id(1), start, BillingDay::of(start), Cycle::Monthly);
    world.add_with(2, BillingTerms { held_price, ..terms }, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    world.engine().change_package(subscription_id(2), package_id(3), at("2026-01-10", 9)).await.unwrap();
    run_days(&world, "2026-01-11", "2026-02-01").await;
    let totals: Vec<_> = world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| i.total.as_i64()).collect();
    assert_eq!(totals, [111_000, 55_000]);
}

#[tokio::test]
async fn a_pause_gives_unused_days_back_or_not_by_policy_b7() {
    for (credit, given, billed) in [(true, 112_790, 2), (false, 0, 1)] {
        let mut world = one().await;
        world.policy.billing.credit_on_pause = credit;
        run_days(&world, "2026-01-01", "2026-01-10").await;
        let settled = world.engine().pause(subscription_id(2), at("2026-01-11", 8)).await.unwrap();
        assert_eq!(settled.given_back, rp(given));
        run_days(&world, "2026-01-12", "2026-01-19").await;
        world.engine().resume(subscription_id(2), at("2026-01-20", 8)).await.unwrap();
        run_days(&world, "2026-01-20", "2026-01-31").await;
        // Days that are paid for are not billed again; days that were given back are, from the day of the resumption.
        assert_eq!(world.store.snapshot(TENANT).invoices.len(), billed);
        run_days(&world, "2026-02-01", "2026-02-01").await;
        let snapshot = world.store.snapshot(TENANT);
        assert_eq!(snapshot.invoices.len(), billed + 1);
        let last = snapshot.invoices.iter().map(|(i, _)| i.period).max_by_key(|p| p.start).unwrap();
        assert_eq!(last.to_string(), "2026-02-01..2026-03-01");
        books::check(&snapshot);
    }
}

#[tokio::test]
async fn a_quarter_that_is_paused_without_credit_keeps_its_grid_b7() {
    let world = World::new().await;
    world.add(2, date("2026-01-01"), 1, Cycle::Quarterly, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-01-10").await;
    world.engine().pause(subscription_id(2), at("2026-01-11", 8)).await.unwrap();
    world.engine().resume(subscription_id(2), at("2026-02-20", 8)).await.unwrap();
    run_days(&world, "2026-02-20", "2026-04-02").await;
    let periods: Vec<_> = world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| i.period.to_string()).collect();
    assert_eq!(periods, ["2026-01-01..2026-04-01", "2026-04-01..2026-07-01"]);
}

#[tokio::test]
async fn a_postpaid_line_pays_the_days_it_used_before_a_pause_or_a_change_b7_b6() {
    // Before and after that day's run.
    for (pause, hour) in [(true, 8), (true, 14), (false, 8), (false, 14)] {
        let world = postpaid().await;
        run_days(&world, "2026-01-01", if hour == 8 { "2026-01-10" } else { "2026-01-11" }).await;
        let (engine, line) = (world.engine(), subscription_id(2));
        if pause {
            engine.pause(line, at("2026-01-11", hour)).await.unwrap();
            run_days(&world, "2026-01-12", "2026-01-19").await;
            engine.resume(line, at("2026-01-20", hour)).await.unwrap();
        } else {
            engine.change_package_at_once(line, package_id(2), "Sari", at("2026-01-11", hour)).await.unwrap();
        }
        run_days(&world, "2026-01-20", "2026-02-02").await;
        let billed = billed(&world);
        let rest = if pause { ("2026-01-20..2026-02-01", 58_065) } else { ("2026-01-11..2026-02-01", 135_484) };
        assert_eq!(billed, [("2026-01-01..2026-01-11".to_owned(), 48_387), (rest.0.to_owned(), rest.1)]);
    }
}

#[tokio::test]
async fn a_postpaid_line_pays_the_days_up_to_its_end_whenever_that_is_said_b1_b7() {
    // Said on the day and before it, and some days later; before and after the run of the day; with runs missed.
    for (said, end, last_run) in [
        ("2026-02-01", "2026-02-06", "2026-02-01"),
        ("2026-02-06", "2026-02-06", "2026-02-05"),
        ("2026-02-06", "2026-02-06", "2026-02-06"),
        ("2026-02-09", "2026-02-06", "2026-02-08"),
        ("2026-02-09", "2026-02-06", "2026-02-09"),
        ("2026-02-09", "2026-02-06", "2026-01-20"),
        ("2026-03-03", "2026-02-06", "2026-02-20"),
    ] {
        let world = postpaid().await;
        run_days(&world, "2026-01-01", last_run).await;
        world.engine().terminate(subscription_id(2), date(end), at(said, 14)).await.unwrap();
        run_days(&world, date(said).plus_days(1).to_string().as_str(), "2026-04-02").await;
        let expected = [("2026-01-01..2026-02-01".to_owned(), 150_000), ("2026-02-01..2026-02-06".to_owned(), 26_786)];
        assert_eq!(billed(&world), expected, "said on {said}, last run {last_run}");
    }
}

/// As [`one`], but paid afterwards.
async fn postpaid() -> World {
    let world = World::new().await;
    let start = date("2026-01-01");
    let terms = BillingTerms::new(package_id(1), start, BillingDay::of(start), Cycle::Monthly);
    world.add_with(2, BillingTerms { timing: Timing::Postpaid, ..terms }, at("2026-01-01", 7)).await;
    world
}

/// The periods that were billed, with their amounts before PPN.
fn billed(world: &World) -> Vec<(String, i64)> {
    let invoices = world.store.snapshot(TENANT).invoices;
    let mut billed: Vec<_> = invoices.iter().map(|(i, _)| (i.period.to_string(), i.dpp.as_i64())).collect();
    billed.sort();
    billed
}

#[tokio::test]
async fn a_prepaid_line_that_has_ended_is_not_billed_for_what_a_missed_run_left_b4_b7() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-28").await;
    world.engine().terminate(subscription_id(2), date("2026-01-31"), at("2026-02-03", 14)).await.unwrap();
    run_days(&world, "2026-02-04", "2026-04-02").await;
    assert_eq!(billed(&world), [("2026-01-01..2026-02-01".to_owned(), 150_000)]);
}

#[tokio::test]
async fn a_termination_gives_unused_days_back_by_policy_and_a_later_one_after_a_change_b7() {
    let mut world = one().await;
    world.policy.billing.credit_on_termination = true;
    run_days(&world, "2026-01-01", "2026-01-10").await;
    let line = subscription_id(2);
    world.engine().change_package_at_once(line, package_id(2), "Sari", at("2026-01-11", 8)).await.unwrap();
    let settled = world.engine().terminate(line, date("2026-01-21"), at("2026-01-20", 8)).await.unwrap();
    // 11 days of Rp222.000 with PPN: given back of January's invoice and of the adjustment together.
    assert!(settled.given_back.as_i64().abs_diff(222_000 * 11 / 31) <= 2, "{settled:?}");
    run_days(&world, "2026-01-21", "2026-03-02").await;
    let books = books::check(&world.store.snapshot(TENANT));
    let exact = (166_500 * 10 + 222_000 * 10) / 31;
    assert!((books.charged - books.given_back).as_i64().abs_diff(exact) <= 4, "{books:?}");
}

#[tokio::test]
async fn a_package_changed_at_once_before_a_known_end_costs_until_that_end_b6_b7() {
    // What is given back after the end, or by policy is not, stays so: there is no service to charge for.
    for credit_on_termination in [true, false] {
        let mut world = one().await;
        world.policy.billing.credit_on_termination = credit_on_termination;
        run_days(&world, "2026-01-01", "2026-01-10").await;
        let line = subscription_id(2);
        world.engine().terminate(line, date("2026-01-21"), at("2026-01-10", 14)).await.unwrap();
        world.engine().change_package_at_once(line, package_id(2), "Sari", at("2026-01-11", 8)).await.unwrap();
        run_days(&world, "2026-01-12", "2026-03-02").await;
        let snapshot = world.store.snapshot(TENANT);
        let adjustment = &snapshot.invoices.iter().find(|(i, _)| i.kind == InvoiceKind::Adjustment).unwrap().0;
        assert_eq!(adjustment.period.to_string(), "2026-01-11..2026-01-21");
        let books = books::check(&snapshot);
        let forfeit = if credit_on_termination { 0 } else { 166_500 * 11 };
        let exact = (166_500 * 10 + 222_000 * 10 + forfeit) / 31;
        assert!((books.charged - books.given_back).as_i64().abs_diff(exact) <= 4, "{books:?} {exact}");
    }
}

#[tokio::test]
async fn a_line_resumed_in_days_that_were_given_back_pays_for_each_day_of_service_c4_b7() {
    // Paid to 1 April, given back from 1 February, served again from the 5th, moved to the 20th on the 10th.
    let mut world = World::new().await;
    world.policy.billing.credit_on_pause = true;
    world.add(2, date("2026-01-01"), 1, Cycle::Quarterly, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-01-31").await;
    let line = subscription_id(2);
    world.engine().pause(line, at("2026-02-01", 8)).await.unwrap();
    run_days(&world, "2026-02-01", "2026-02-04").await;
    world.engine().resume(line, at("2026-02-05", 8)).await.unwrap();
    run_days(&world, "2026-02-05", "2026-02-09").await;
    world.engine().change_billing_day(line, BillingDay::try_new(20).unwrap(), at("2026-02-10", 8)).await.unwrap();
    run_days(&world, "2026-02-10", "2026-12-01").await;
    let periods: Vec<_> = billed(&world).into_iter().map(|(period, _)| period).collect();
    assert_eq!(periods[..2], ["2026-01-01..2026-04-01", "2026-02-05..2026-03-01"]);
    assert_eq!(periods[2..4], ["2026-03-01..2026-05-20", "2026-05-20..2026-08-20"]);
}

#[tokio::test]
async fn a_day_whose_period_was_billed_ahead_and_given_back_is_not_billed_again_b3() {
    let mut world = one().await;
    world.policy.billing.credit_on_pause = true;
    run_days(&world, "2026-01-01", "2026-01-09").await;
    let line = subscription_id(2);
    // 1 to 19 February are billed at once, and given back with the rest of January.
    world.engine().change_billing_day(line, BillingDay::try_new(20).unwrap(), at("2026-01-10", 8)).await.unwrap();
    world.engine().pause(line, at("2026-01-15", 8)).await.unwrap();
    run_days(&world, "2026-01-15", "2026-01-31").await;
    let refused = world.engine().resume(line, at("2026-02-01", 8)).await.unwrap_err();
    assert_eq!(domain(refused), Error::GivenBackToday);
    world.engine().resume(line, at("2026-02-02", 8)).await.unwrap();
    run_days(&world, "2026-02-02", "2026-03-01").await;
    let periods: Vec<_> = billed(&world).into_iter().map(|(period, _)| period).collect();
    assert_eq!(periods[1..], ["2026-02-01..2026-02-20", "2026-02-02..2026-02-20", "2026-02-20..2026-03-20"]);
    let books = books::check(&world.store.snapshot(TENANT));
    // 14 days of January, 18 of February and a whole period.
    let exact = 166_500 * 14 / 31 + 166_500 * 18 / 31 + 166_500;
    assert!((books.charged - books.given_back).as_i64().abs_diff(exact) <= 4, "{books:?} {exact}");
}

#[tokio::test]
async fn a_line_resumed_before_periods_that_were_given_back_ahead_is_billed_through_them_at_once_b3_b7() {
    let mut world = one().await;
    world.policy.billing.credit_on_pause = true;
    run_days(&world, "2026-01-01", "2026-01-09").await;
    let line = subscription_id(2);
    // The 20th and back to the 1st: all of February is billed ahead, and given back with the rest of January.
    let engine = world.engine();
    engine.change_billing_day(line, BillingDay::try_new(20).unwrap(), at("2026-01-10", 8)).await.unwrap();
    engine.change_billing_day(line, BillingDay::try_new(1).unwrap(), at("2026-01-10", 9)).await.unwrap();
    engine.pause(line, at("2026-01-15", 8)).await.unwrap();
    engine.resume(line, at("2026-01-20", 8)).await.unwrap();
    run_days(&world, "2026-01-20", "2026-03-02").await;
    let expected = [
        ("2026-01-01..2026-02-01", 150_000),
        ("2026-01-20..2026-03-01", 193_548),
        ("2026-02-01..2026-02-20", 91_935),
        ("2026-02-20..2026-03-01", 48_214),
        ("2026-03-01..2026-04-01", 150_000),
    ];
    assert_eq!(billed(&world), expected.map(|(period, net)| (period.to_owned(), net)));
    let books = books::check(&world.store.snapshot(TENANT));
    // 14 days of January; 40 days at January's price of a day; March.
    let exact = 166_500 * 14 / 31 + 166_500 * 40 / 31 + 166_500;
    assert!((books.charged - books.given_back).as_i64().abs_diff(exact) <= 4, "{books:?} {exact}");
}

#[tokio::test]
async fn isolated_days_of_an_adjustment_come_back_while_a_mark_lies_ahead_b7() {
    let mut world = one().await;
    world.policy.billing.while_isolated = WhileIsolated::Prorate;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    let line = subscription_id(2);
    // Paid to 20 February after this; from the 29th the package costs more for three days of January.
    world.engine().change_billing_day(line, BillingDay::try_new(20).unwrap(), at("2026-01-21", 8)).await.unwrap();
    world.engine().change_package_at_once(line, package_id(2), "Sari", at("2026-01-29", 8)).await.unwrap();
    run_days(&world, "2026-01-29", "2026-02-25").await;
    let snapshot = world.store.snapshot(TENANT);
    let adjustments = snapshot.invoices.iter().filter(|(i, _)| i.kind == InvoiceKind::Adjustment);
    let totals: Vec<Money> = adjustments
        .map(|(i, _)| i.total - snapshot.credit_notes.iter().filter(|n| n.invoice_id == i.id).map(|n| n.total).sum())
        .collect();
    assert!(totals.len() == 2 && totals.iter().all(|left| left.is_zero()), "{totals:?}");
}

#[tokio::test]
async fn isolated_days_come_back_whenever_the_run_dies_b7() {
    // Isolated from 16 January; on the 26th the billing day changes, so that the line is looked at once, by the next run.
    let isolated = async || {
        let mut world = one().await;
        world.policy.billing.while_isolated = WhileIsolated::Prorate;
        run_days(&world, "2026-01-01", "2026-01-25").await;
        let day = BillingDay::try_new(20).unwrap();
        world.engine().change_billing_day(subscription_id(2), day, at("2026-01-26", 8)).await.unwrap();
        world
    };
    let world = isolated().await;
    world.engine().bill(at("2026-01-26", 9)).await.unwrap();
    let expected: Vec<_> = world.store.snapshot(TENANT).credit_notes.iter().map(|n| (n.period, n.total)).collect();
    assert!(expected.iter().any(|(period, _)| period.days() == 9), "17 to 25 January: {expected:?}");
    for call in 1..60 {
        for moment in [Moment::Before, Moment::After] {
            let world = isolated().await;
            world.store.fuse().blow_at(call, moment);
            let first = world.engine().bill(at("2026-01-26", 9)).await;
            world.store.restart();
            world.engine().bill(at("2026-01-26", 9)).await.unwrap();
            let snapshot = world.store.snapshot(TENANT);
            let notes: Vec<_> = snapshot.credit_notes.iter().map(|n| (n.period, n.total)).collect();
            assert_eq!(notes, expected, "call {call} {moment:?}");
            books::check(&snapshot);
            if first.is_ok() && moment == Moment::After {
                assert!(call > 5, "the run is never cut");
                return;
            }
        }
    }
    panic!("the run makes more calls than are cut here");
}

#[tokio::test]
async fn isolated_days_are_billed_left_out_or_given_back_b7() {
    for (policy, invoices, notes) in
        [(WhileIsolated::Bill, 3, vec![]), (WhileIsolated::Skip, 1, vec![]), (WhileIsolated::Prorate, 3, vec![15, 28])]
    {
        let mut world = one().await;
        world.policy.billing.while_isolated = policy;
        // Due on 11 January, isolated on Friday the 16th at ten, never paid.
        run_days(&world, "2026-01-01", "2026-03-02").await;
        let snapshot = world.store.snapshot(TENANT);
        let isolated = snapshot.access_events.iter().find(|e| e.kind == AccessEventKind::IsolatedArrears).unwrap();
        assert_eq!(Zone::Wib.date_of(isolated.at), date("2026-01-16"));
        assert_eq!(snapshot.invoices.len(), invoices, "{policy:?}");
        let mut days: Vec<_> = snapshot.credit_notes.iter().map(|n| n.period.days()).collect();
        days.sort_unstable();
        assert_eq!(days, notes, "{policy:?}: 17 to 31 January, and February");
        if policy == WhileIsolated::Prorate {
            let first = snapshot.credit_notes.iter().min_by_key(|n| n.number).unwrap();
            // 15 of 31 days of Rp150.000 and of its PPN, counted from the 17th day on.
            assert_eq!(lines(&first.lines), [(LineKind::Subscription, 72_581), (LineKind::Ppn, 7_984)]);
        }
    }
}

#[tokio::test]
async fn a_late_fee_is_shown_charged_once_and_dated_by_its_day_b10() {
    let fee = LateFeePolicy {
        after_days: 7,
        amount: LateFeeAmount::Percent { percent: 2, minimum: rp(3_000) },
        with_ppn: false,
    };
    let mut worlds = Vec::new();
    for missed in [false, true] {
        let mut world = one().await;
        world.policy.late_fee = Some(fee);
        run_days(&world, "2026-01-01", "2026-01-15").await;
        let shown = world.engine().late_fees(at("2026-01-15", 12)).await.unwrap();
        assert_eq!(shown.iter().map(|f| (f.on, f.amount)).collect::<Vec<_>>(), [(date("2026-01-18"), rp(3_330))]);
        if !missed {
            run_days(&world, "2026-01-16", "2026-01-24").await;
        }
        // Paid late, but after the day of the fee: it is owed, however late the run.
        world.pay(2, "T-1", 166_500, at("2026-01-24", 12)).await.unwrap();
        run_days(&world, "2026-01-25", "2026-01-31").await;
        worlds.push(world);
    }
    for world in &worlds {
        let snapshot = world.store.snapshot(TENANT);
        let fees: Vec<_> = snapshot.invoices.iter().filter(|(i, _)| i.kind == InvoiceKind::LateFee).collect();
        assert_eq!(fees.len(), 1);
        assert_eq!((fees[0].0.total, fees[0].0.ppn), (rp(3_330), Money::ZERO));
        assert_eq!((fees[0].0.issue_date, fees[0].0.due_date), (date("2026-01-18"), date("2026-01-28")));
        books::check(&snapshot);
        assert!(world.engine().late_fees(at("2026-02-01", 12)).await.unwrap().is_empty());
    }
    // Paid in time: none.
    let mut world = one().await;
    world.policy.late_fee = Some(fee);
    run_days(&world, "2026-01-01", "2026-01-17").await;
    world.pay(2, "T-1", 166_500, at("2026-01-17", 23)).await.unwrap();
    run_days(&world, "2026-01-18", "2026-01-31").await;
    assert_eq!(world.store.snapshot(TENANT).invoices.len(), 1);
}

#[tokio::test]
async fn an_outage_gives_days_back_once_to_everybody_of_the_site() {
    let mut world = one().await;
    world.add(4, date("2026-01-10"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    // Another site, which has light.
    world.add(3, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-02-01").await;
    let (id, note) = (OutageId(Uuid::from_u128(7)), "kabel putus".to_owned());
    // Two nights round the end of January: 30 January 20:00 to 2 February 02:00, 54 hours.
    let outage = Outage { id, site_id: site_id(0), from: at("2026-01-30", 20), until: Some(at("2026-02-02", 2)), note };
    world.engine().outage(outage.clone()).await.unwrap();
    let now = at("2026-02-02", 9);
    let engine = world.engine();
    let shown = engine.credit_outage(&outage, Zone::Wib, false, "Sari", now).await.unwrap();
    assert!(world.store.snapshot(TENANT).credit_notes.is_empty(), "a look writes nothing");
    let given = engine.credit_outage(&outage, Zone::Wib, true, "Sari", now).await.unwrap();
    assert_eq!(shown, given);
    // Two whole days: 30 and 31 January. Customer 2: 2 of 31 days; customer 4: 2 of the 22 that were billed.
    let mut totals: Vec<_> = given.iter().map(|n| (n.customer_id, n.total.as_i64())).collect();
    totals.sort();
    assert_eq!(totals, [(customer_id(2), 9_677 + 1_065), (customer_id(4), 9_677 + 1_065)]);
    assert!(engine.credit_outage(&outage, Zone::Wib, true, "Sari", now).await.unwrap().is_empty());
    assert_eq!(books::check(&world.store.snapshot(TENANT)).given_back, rp(10_742 + 10_742));
    // By the hour, the days on both sides of the month's end count: two notes each.
    world.policy.outage = OutagePolicy { min_hours: 48, by: OutageCredit::Hour };
    let (id, note) = (OutageId(Uuid::from_u128(8)), "listrik".to_owned());
    let hours = Outage { id, from: at("2026-01-27", 18), until: Some(at("2026-01-29", 18)), note, ..outage };
    let given = world.engine().credit_outage(&hours, Zone::Wib, false, "Sari", now).await.unwrap();
    // 48 of the 72 hours of 27 to 29 January: two days' worth of three.
    assert_eq!(given.iter().map(|n| n.total.as_i64()).max(), Some((14_516 * 2 + 1) / 3 + (1_597 * 2 + 1) / 3));
    world.policy.outage.min_hours = 49;
    assert!(world.engine().credit_outage(&hours, Zone::Wib, false, "Sari", now).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_correction_is_made_once_and_never_beyond_the_invoice() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let invoice = world.store.snapshot(TENANT).invoices[0].0.id;
    let give = |amount| engine.correct(customer_id(2), invoice, rp(amount), "Sari", "salah tagih", now);
    let note = give(66_500).await.unwrap();
    assert_eq!(give(66_500).await.unwrap(), note, "asked twice, made once");
    // Rp66.500 of Rp166.500: 66.500/166.500 of Rp150.000 and of Rp16.500.
    assert_eq!(lines(&note.lines), [(LineKind::Subscription, 59_910), (LineKind::Ppn, 6_590)]);
    assert_eq!(domain(give(100_001).await.unwrap_err()), Error::MoreThanLeft { left: rp(100_000) });
    give(100_000).await.unwrap();
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.given_back), (Money::ZERO, rp(166_500)));
    let payment = note.payment_id();
    assert_eq!(domain(engine.reverse(payment, "Sari", "salah", now).await.unwrap_err()), Error::NotReversible);
}

#[tokio::test]
async fn a_write_off_settles_reopens_and_can_be_taken_back_p4() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-19").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    world.pay(2, "T-1", 66_500, at("2026-01-19", 12)).await.unwrap();
    let (engine, now) = (world.engine(), at("2026-01-20", 9));
    let invoice = world.store.snapshot(TENANT).invoices[0].0.id;
    let no_reason = engine.write_off(customer_id(2), invoice, "Sari", " ", now).await.unwrap_err();
    assert_eq!(domain(no_reason), Error::Empty { field: "reason" });
    let given_up = engine.write_off(customer_id(2), invoice, "Sari", "pindah tanpa kabar", now).await.unwrap();
    assert_eq!(given_up.amount, rp(100_000));
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.written_off), (Money::ZERO, rp(100_000)));
    world.deliver(at("2026-01-20", 10)).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open), "nothing is owed, nothing is isolated");
    let again = engine.write_off(customer_id(2), invoice, "Sari", "lagi", now).await.unwrap_err();
    assert_eq!(again, StoreError::NotFound { what: "open invoice" }.into());
    // The customer comes back: it is open again, and may be given up a second time.
    engine.reverse(given_up.payment_id, "Sari", "datang membayar", at("2026-01-21", 9)).await.unwrap();
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(100_000));
    let twice = engine.write_off(customer_id(2), invoice, "Sari", "tidak jadi", at("2026-01-22", 9)).await.unwrap();
    assert_ne!(twice.payment_id, given_up.payment_id);
    assert_eq!(engine.last_write_off(customer_id(2), invoice).await.unwrap(), Some(twice));
    let finance = engine
        .report_finance(date("2026-01-01").month(), date("2026-01-01").month(), GroupBy::Site, at("2026-01-31", 9))
        .await
        .unwrap();
    let row = finance.months.iter().find(|r| r.group.as_deref() == Some("S0")).unwrap();
    assert_eq!((row.billed, row.collected, row.written_off), (rp(166_500), rp(66_500), rp(100_000)));
    assert_eq!(row.outstanding, Money::ZERO);
}

#[tokio::test]
async fn cash_is_in_a_collectors_hands_until_a_deposit() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let payment = NewPayment {
        customer_id: customer_id(2),
        provider: code("cash"),
        reference: code("KW-1"),
        amount: rp(200_000),
        paid_at: now,
        collector: Some(code("ANTON")),
    };
    let report = engine.pay(&payment, now).await.unwrap();
    assert_eq!(report.credit, rp(33_500));
    let deposit = |n: u128, amount, to| Deposit {
        id: DepositId(Uuid::from_u128(n)),
        collector: code("ANTON"),
        amount: rp(amount),
        to,
        on: date("2026-01-04"),
        by: "Sari".into(),
        note: String::new(),
    };
    let too_much = engine.deposit(deposit(1, 200_001, Channel::Bank)).await.unwrap_err();
    assert_eq!(domain(too_much), Error::CollectorHoldsLess { holds: rp(200_000) });
    let to_gateway = engine.deposit(deposit(1, 1, Channel::Gateway)).await.unwrap_err();
    assert_eq!(domain(to_gateway).code(), "value.not_one_of");
    engine.deposit(deposit(1, 150_000, Channel::Bank)).await.unwrap();
    books::check(&world.store.snapshot(TENANT));
    let held = world.store.collectors(TENANT).await.unwrap();
    assert_eq!((held.len(), held[0].holds()), (1, rp(50_000)));
    let january = date("2026-01-01").month();
    let cash = engine.report_cash(january, january).await.unwrap();
    let closing: Vec<_> =
        cash.iter().map(|r| (r.account, r.received.as_i64(), r.moved.as_i64(), r.closing.as_i64())).collect();
    let expected = [(Account::Bank, 0, 150_000, 150_000), (Account::Collector, 200_000, -150_000, 50_000)];
    assert_eq!(closing, expected);
    for (provider, kept) in [("credit-note", "credit notes"), ("write-off", "write-offs")] {
        let payment = NewPayment { provider: code(provider), collector: None, ..payment.clone() };
        let error = domain(engine.pay(&payment, now).await.unwrap_err());
        assert_eq!(error, Error::ReservedProvider { what: kept });
    }
}

#[tokio::test]
async fn two_channels_that_pay_one_invoice_leave_a_credit_p2() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    world.pay(2, "VA-1", 166_500, at("2026-01-03", 9)).await.unwrap();
    let second = world.pay(2, "QRIS-1", 166_500, at("2026-01-03", 9)).await.unwrap();
    assert!(!second.known && second.paid.is_empty());
    assert_eq!(second.credit, rp(166_500));
    run_days(&world, "2026-01-04", "2026-02-01").await;
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.credit), (Money::ZERO, Money::ZERO), "February is paid by it");
}

#[tokio::test]
async fn a_late_payment_on_an_expired_virtual_account_still_counts_p1() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    // The account expired with the due date; the gateway tells us a week late, and tells it three times.
    let payment = NewPayment {
        customer_id: customer_id(2),
        provider: code("midtrans"),
        reference: code("VA-8808-0001"),
        amount: rp(166_500),
        paid_at: at("2026-01-12", 8),
        collector: None,
    };
    for time in 0..3 {
        let report = world.engine().pay(&payment, at("2026-01-20", 15)).await.unwrap();
        assert_eq!((report.known, report.reopened.len()), (time > 0, usize::from(time == 0)));
    }
    world.deliver(at("2026-01-20", 16)).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.received, books.owed), (rp(166_500), Money::ZERO));
}

#[tokio::test]
async fn a_promise_is_given_once_in_a_period_and_not_for_ever_i2() {
    let world = one().await;
    let promise = |n: u128, made: &str, until: &str| Promise {
        id: PromiseId(Uuid::from_u128(n)),
        customer_id: customer_id(2),
        made_on: date(made),
        until: date(until),
        by: "kasir".into(),
    };
    let engine = world.engine();
    let long = engine.promise(promise(1, "2026-01-16", "2026-01-31")).await.unwrap_err();
    assert_eq!(domain(long), Error::PromiseTooLong { max_days: 14 });
    engine.promise(promise(1, "2026-01-16", "2026-01-30")).await.unwrap();
    let second = engine.promise(promise(2, "2026-01-31", "2026-02-03")).await.unwrap_err();
    assert_eq!(domain(second), Error::TooManyPromises { limit: 1 });
    engine.promise(promise(2, "2026-02-01", "2026-02-03")).await.unwrap();
}
