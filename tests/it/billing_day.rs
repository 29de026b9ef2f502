//! Changes of the billing day (rule C4), as dated stories and a property: no day is billed twice or left out.

use crate::support::dice::at_random;
use crate::support::{TENANT, World, at, books, date, package_id, run_days, subscription_id};
use isp_core::Error;
use isp_core::billing::InvoiceKind;
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::engine::EngineError;
use isp_core::engine::terms::Wish;
use isp_core::isolation::Access;
use isp_core::ports::AccessStore;
use isp_core::subscription::{BillingTerms, Timing};
use isp_core::terms::{Command, PackageMoved};
use proptest::prelude::*;

fn on(day: u8) -> BillingDay {
    BillingDay::try_new(day).unwrap()
}

/// Customer 2 with package 1 (Rp150.000 and PPN) from 1 January, billed on day 1.
async fn one(cycle: Cycle, timing: Timing) -> World {
    let world = World::new().await;
    let terms = BillingTerms::new(package_id(1), date("2026-01-01"), on(1), cycle);
    world.add_with(2, BillingTerms { timing, ..terms }, at("2026-01-01", 7)).await;
    world
}

/// Period, issue date and amount of each invoice, by its first day.
fn billed(world: &World) -> Vec<(String, String, i64)> {
    let mut all: Vec<_> = world.store.snapshot(TENANT).invoices.into_iter().map(|(i, _)| i).collect();
    all.sort_by_key(|i| i.period.start);
    all.iter().map(|i| (i.period.to_string(), i.issue_date.to_string(), i.total.as_i64())).collect()
}

fn line(period: &str, issued: &str, total: i64) -> (String, String, i64) {
    (period.to_owned(), issued.to_owned(), total)
}

#[tokio::test]
async fn the_days_in_between_are_a_short_period_c4_c5() {
    let world = one(Cycle::Monthly, Timing::Prepaid).await;
    run_days(&world, "2026-01-01", "2026-01-09").await;
    let from = world.engine().change_billing_day(subscription_id(2), on(20), at("2026-01-10", 9)).await.unwrap();
    assert_eq!(from, date("2026-02-20"));
    run_days(&world, "2026-01-10", "2026-03-21").await;
    // 19 of the 31 days from 20 January to 20 February: 150.000 x 19 / 31 = 91.935, and Rp10.113 of PPN.
    let expected = [
        line("2026-01-01..2026-02-01", "2026-01-01", 166_500),
        line("2026-02-01..2026-02-20", "2026-02-01", 102_048),
        line("2026-02-20..2026-03-20", "2026-02-20", 166_500),
        line("2026-03-20..2026-04-20", "2026-03-20", 166_500),
    ];
    assert_eq!(billed(&world), expected);
    let lines = world.store.access_targets(TENANT, &[subscription_id(2)]).await.unwrap();
    assert_eq!(lines[0].desired, Access::Isolated, "nobody paid, and service was never closed for the change");
}

#[tokio::test]
async fn a_day_that_comes_at_once_leaves_nothing_in_between_c4() {
    let world = one(Cycle::Monthly, Timing::Prepaid).await;
    run_days(&world, "2026-01-01", "2026-01-30").await;
    // The 31st is clamped: from 1 February the next is the 28th.
    let from = world.engine().change_billing_day(subscription_id(2), on(31), at("2026-01-30", 12)).await.unwrap();
    assert_eq!(from, date("2026-02-28"));
    // Back again on the same day: nothing was billed for the 31st, so all is as it was.
    let from = world.engine().change_billing_day(subscription_id(2), on(1), at("2026-01-30", 13)).await.unwrap();
    assert_eq!(from, date("2026-02-01"));
    let same = world.engine().change_billing_day(subscription_id(2), on(1), at("2026-01-30", 14)).await.unwrap();
    assert_eq!(same, date("2026-02-01"));
    run_days(&world, "2026-01-31", "2026-03-02").await;
    let periods: Vec<_> = billed(&world).into_iter().map(|b| b.0).collect();
    assert_eq!(periods, ["2026-01-01..2026-02-01", "2026-02-01..2026-03-01", "2026-03-01..2026-04-01"]);
}

#[tokio::test]
async fn a_quarter_keeps_what_is_paid_c2_c4() {
    let world = one(Cycle::Quarterly, Timing::Prepaid).await;
    run_days(&world, "2026-01-01", "2026-02-09").await;
    world.engine().change_billing_day(subscription_id(2), on(15), at("2026-02-10", 9)).await.unwrap();
    run_days(&world, "2026-02-10", "2026-07-16").await;
    // 14 of the 90 days from 15 January to 15 April, of Rp450.000.
    let expected = [
        line("2026-01-01..2026-04-01", "2026-01-01", 499_500),
        line("2026-04-01..2026-04-15", "2026-04-01", 77_700),
        line("2026-04-15..2026-07-15", "2026-04-15", 499_500),
        line("2026-07-15..2026-10-15", "2026-07-15", 499_500),
    ];
    assert_eq!(billed(&world), expected);
}

#[tokio::test]
async fn a_postpaid_line_pays_what_it_used_and_starts_anew_c4() {
    let world = one(Cycle::Monthly, Timing::Postpaid).await;
    run_days(&world, "2026-01-01", "2026-01-10").await;
    world.engine().change_billing_day(subscription_id(2), on(20), at("2026-01-11", 9)).await.unwrap();
    run_days(&world, "2026-01-11", "2026-02-20").await;
    // Ten days of January's 31; nine of the 31 from 20 December; then whole months.
    let expected = [
        line("2026-01-01..2026-01-11", "2026-01-11", 53_710),
        line("2026-01-11..2026-01-20", "2026-01-20", 48_338),
        line("2026-01-20..2026-02-20", "2026-02-20", 166_500),
    ];
    assert_eq!(billed(&world), expected);
}

#[tokio::test]
async fn a_planned_package_that_moves_with_the_day_is_named_b6_c4() {
    let world = one(Cycle::Monthly, Timing::Postpaid).await;
    run_days(&world, "2026-01-01", "2026-01-10").await;
    let planned = world.engine().change_package(subscription_id(2), package_id(2), at("2026-01-10", 12)).await.unwrap();
    assert_eq!(planned, date("2026-02-01"));
    let moved = PackageMoved { package_id: package_id(2), was: planned, from: date("2026-02-20") };
    let command = Command::BillingDay { day: on(20), from: date("2026-01-11") };
    for look in 0..2 {
        let (engine, wish, now) = (world.engine(), Wish::default(), at("2026-01-11", 9));
        let change = match look {
            0 => engine.preview_terms(subscription_id(2), command, wish, now).await.unwrap(),
            _ => engine.change_terms(subscription_id(2), command, wish, now).await.unwrap(),
        };
        assert_eq!(change.package_moved, Some(moved));
        assert_eq!(change.terms.change.map(|c| c.from), Some(moved.from));
    }
    // A day that moves without a plan names none.
    let command = Command::BillingDay { day: on(25), from: date("2026-01-12") };
    let other = one(Cycle::Monthly, Timing::Postpaid).await;
    run_days(&other, "2026-01-01", "2026-01-10").await;
    let change = other.engine().preview_terms(subscription_id(2), command, Wish::default(), at("2026-01-12", 9)).await;
    assert_eq!(change.unwrap().package_moved, None);
}

#[tokio::test]
async fn a_line_that_is_paused_or_ended_keeps_its_day_c4() {
    let world = one(Cycle::Monthly, Timing::Prepaid).await;
    run_days(&world, "2026-01-01", "2026-01-05").await;
    world.engine().pause(subscription_id(2), at("2026-01-06", 9)).await.unwrap();
    let refused = world.engine().change_billing_day(subscription_id(2), on(20), at("2026-01-07", 9)).await;
    assert_eq!(refused, Err(EngineError::Domain(Error::NotServing)));
    world.engine().resume(subscription_id(2), at("2026-01-08", 9)).await.unwrap();
    world.engine().terminate(subscription_id(2), date("2026-01-09"), at("2026-01-08", 10)).await.unwrap();
    let refused = world.engine().change_billing_day(subscription_id(2), on(20), at("2026-01-09", 9)).await;
    assert_eq!(refused, Err(EngineError::Domain(Error::NotServing)));
}

proptest! {
    #![proptest_config(at_random(48))]

    /// Whatever the day, the cycle and the changes, and however many runs are missed: the periods of a line join.
    #[test]
    fn periods_join_through_any_changes(
        start in 0_i32..60,
        first in 1_u8..=31,
        cycle in 0_usize..3,
        postpaid in any::<bool>(),
        changes in proptest::collection::vec((0_i32..300, 1_u8..=31), 0..6),
        gap in 1_i32..20,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let start = date("2026-01-01").plus_days(start);
            let cycle = [Cycle::Monthly, Cycle::Quarterly, Cycle::SemiAnnual][cycle];
            let timing = if postpaid { Timing::Postpaid } else { Timing::Prepaid };
            let terms = BillingTerms { timing, ..BillingTerms::new(package_id(1), start, on(first), cycle) };
            world.add_with(2, terms, start.at(1, 0, Zone::Wib)).await;
            for d in 0..330 {
                let today: Date = start.plus_days(d);
                for (when, day) in &changes {
                    if *when == d {
                        let now = today.at(9, 0, Zone::Wib);
                        world.engine().change_billing_day(subscription_id(2), on(*day), now).await.unwrap();
                    }
                }
                if d % gap == 0 {
                    world.run(today.at(11, 0, Zone::Wib)).await.unwrap();
                }
            }
            world.run(start.plus_days(330).at(11, 0, Zone::Wib)).await.unwrap();
            let snapshot = world.store.snapshot(TENANT);
            books::check(&snapshot);
            let mut periods: Vec<_> = snapshot
                .invoices
                .iter()
                .filter(|(i, _)| i.kind == InvoiceKind::Subscription)
                .map(|(i, _)| i.period)
                .collect();
            periods.sort();
            assert_eq!(periods.first().map(|p| p.start), (!periods.is_empty()).then_some(start));
            assert!(periods.windows(2).all(|two| two[0].end == two[1].start), "{periods:?}");
            // Up to date: prepaid, today is paid for; postpaid, nothing older than a period is open.
            let reached = periods.last().map_or(start, |p| p.end);
            if postpaid {
                assert!(reached.plus_days(31 * 6 + 31) > start.plus_days(330));
            } else {
                assert!(reached > start.plus_days(330), "{periods:?}");
            }
        });
    }
}
