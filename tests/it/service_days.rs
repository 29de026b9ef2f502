//! Which days a line pays for, at which price, when its package, its billing day or its service changes, as dated stories.
//! Each names its rule.

use crate::support::{
    TENANT, World, at, books, code, date, domain, lines, one, package_id, rp, run_days, subscription_id,
};
use isp_core::billing::{CreditReason, InvoiceKind, LineKind};
use isp_core::calendar::{BillingDay, Cycle};
use isp_core::engine::Settled;
use isp_core::ledger::Account;
use isp_core::ports::AccessStore;
use isp_core::subscription::{BillingTerms, HeldPrice, Timing};
use isp_core::{Error, Money};

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
    assert_eq!(targets[0].group.name, code("paket-2").into());
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
    // February is billed on 12 January, and given back with the rest of January.
    world.policy.billing.issue_lead_days = 20;
    run_days(&world, "2026-01-01", "2026-01-14").await;
    let line = subscription_id(2);
    world.engine().pause(line, at("2026-01-15", 8)).await.unwrap();
    run_days(&world, "2026-01-15", "2026-01-31").await;
    let refused = world.engine().resume(line, at("2026-02-01", 8)).await.unwrap_err();
    assert_eq!(domain(refused), Error::GivenBackToday);
    world.engine().resume(line, at("2026-02-02", 8)).await.unwrap();
    run_days(&world, "2026-02-02", "2026-03-01").await;
    let periods: Vec<_> = billed(&world).into_iter().map(|(period, _)| period).collect();
    assert_eq!(periods[1..], ["2026-02-01..2026-03-01", "2026-02-02..2026-03-01", "2026-03-01..2026-04-01"]);
    let books = books::check(&world.store.snapshot(TENANT));
    // 14 days of January, 27 of February and a whole period.
    let exact = 166_500 * 14 / 31 + 166_500 * 27 / 28 + 166_500;
    assert!((books.charged - books.given_back).as_i64().abs_diff(exact) <= 4, "{books:?} {exact}");
}

#[tokio::test]
async fn a_line_resumed_before_periods_that_were_given_back_ahead_is_billed_through_them_at_once_b3_b7() {
    let mut world = one().await;
    world.policy.billing.credit_on_pause = true;
    // February is billed on 12 January, and given back with the rest of January.
    world.policy.billing.issue_lead_days = 20;
    run_days(&world, "2026-01-01", "2026-01-14").await;
    let line = subscription_id(2);
    let engine = world.engine();
    engine.pause(line, at("2026-01-15", 8)).await.unwrap();
    engine.resume(line, at("2026-01-20", 8)).await.unwrap();
    run_days(&world, "2026-01-20", "2026-03-02").await;
    let expected = [
        ("2026-01-01..2026-02-01", 150_000),
        ("2026-01-20..2026-03-01", 193_548),
        ("2026-02-01..2026-03-01", 150_000),
        ("2026-03-01..2026-04-01", 150_000),
    ];
    assert_eq!(billed(&world), expected.map(|(period, net)| (period.to_owned(), net)));
    let books = books::check(&world.store.snapshot(TENANT));
    // 14 days of January; 40 days at January's price of a day; March.
    let exact = 166_500 * 14 / 31 + 166_500 * 40 / 31 + 166_500;
    assert!((books.charged - books.given_back).as_i64().abs_diff(exact) <= 4, "{books:?} {exact}");
}

#[tokio::test]
async fn what_was_billed_ahead_and_given_back_counts_no_more_b6_b7() {
    let mut world = one().await;
    world.policy.billing.credit_on_pause = true;
    world.policy.billing.issue_lead_days = 20;
    run_days(&world, "2026-01-01", "2026-01-14").await;
    let line = subscription_id(2);
    // February is billed ahead, given back, and billed again with the end of January, as above.
    let engine = world.engine();
    engine.pause(line, at("2026-01-15", 8)).await.unwrap();
    engine.resume(line, at("2026-01-20", 8)).await.unwrap();
    // The dearer package is charged up to the end of what is paid for.
    engine.change_package_at_once(line, package_id(2), "Sari", at("2026-01-25", 8)).await.unwrap();
    let adjustment = world.store.snapshot(TENANT).invoices.into_iter().find(|(i, _)| i.kind == InvoiceKind::Adjustment);
    assert_eq!(adjustment.unwrap().0.period.to_string(), "2026-01-25..2026-03-01");
    // Paused in February without credit: those days are paid for, and not billed again.
    world.policy.billing.credit_on_pause = false;
    world.engine().pause(line, at("2026-02-03", 8)).await.unwrap();
    world.engine().resume(line, at("2026-02-05", 8)).await.unwrap();
    run_days(&world, "2026-02-05", "2026-03-02").await;
    let periods: Vec<_> = billed(&world).into_iter().map(|(period, _)| period).collect();
    assert!(!periods.iter().any(|period| period.starts_with("2026-02-05")), "{periods:?}");
    assert_eq!(periods.last().map(String::as_str), Some("2026-03-01..2026-04-01"));
}
