//! What was charged decides, not what was due (rules B11, B12), as dated stories.

use crate::support::{TENANT, World, at, date, domain, package_id, rp, run_days, subscription_id};
use isp_core::billing::{Charge, CreditReason, InvoiceKind, LateFeeAmount, LateFeePolicy};
use isp_core::calendar::{BillingDay, Cycle, Period};
use isp_core::clock::ClockWord;
use isp_core::engine::terms::Wish;
use isp_core::subscription::{BillingTerms, Timing};
use isp_core::tax::Tax;
use isp_core::terms::{Command, Settled};
use isp_core::testing::Snapshot;
use isp_core::{Date, Error, Money};

/// No PPN; package 1 costs Rp300.000, package 2 Rp600.000 a month; one line from 1 May, billed on the 1st.
async fn line(timing: Timing, lead: u16) -> World {
    let mut world = World::new().await;
    world.policy.tax = Tax::none();
    world.policy.billing.issue_lead_days = lead;
    world.price(1, 300_000).await;
    world.price(2, 600_000).await;
    let terms = BillingTerms::new(package_id(1), date("2026-05-01"), day(1), Cycle::Monthly);
    world.add_with(2, BillingTerms { timing, ..terms }, at("2026-05-01", 7)).await;
    world
}

fn day(day: u8) -> BillingDay {
    BillingDay::try_new(day).unwrap()
}

/// What the days of a span cost, net of notes.
fn cost(snapshot: &Snapshot, from: &str, until: &str) -> i64 {
    let span = Period { start: date(from), end: date(until) };
    let charge = |invoice: &isp_core::billing::Invoice| Charge {
        invoice: invoice.clone(),
        notes: snapshot.credit_notes.iter().filter(|n| n.invoice_id == invoice.id).cloned().collect(),
    };
    let kinds = [InvoiceKind::Subscription, InvoiceKind::Adjustment];
    let all = snapshot.invoices.iter().map(|(i, _)| i).filter(|i| kinds.contains(&i.kind));
    all.flat_map(|i| charge(i).charged_for(span).into_values()).sum::<Money>().as_i64()
}

fn periods(snapshot: &Snapshot) -> Vec<(String, String, i64)> {
    let mut all: Vec<_> = snapshot.invoices.iter().map(|(i, _)| i).collect();
    all.sort_by_key(|i| (i.period.start, i.number));
    all.iter().map(|i| (i.period.to_string(), i.issue_date.to_string(), i.total.as_i64())).collect()
}

#[tokio::test]
async fn a_postpaid_period_that_was_billed_ahead_is_not_billed_again_when_the_billing_day_moves_b11() {
    let world = line(Timing::Postpaid, 7).await;
    // June is invoiced on the 24th.
    run_days(&world, "2026-05-01", "2026-06-27").await;
    let command = Command::BillingDay { day: day(15), from: date("2026-06-27") };
    let change =
        world.engine().change_terms(subscription_id(2), command, Wish::default(), at("2026-06-27", 14)).await.unwrap();
    assert_eq!((change.settled(), change.from), (Settled::default(), date("2026-07-15")));
    // What comes next is named: 1 to 14 July, 14 of the 30 days from 15 June.
    let next = change.next.unwrap();
    assert_eq!((next.period.to_string(), next.total), ("2026-07-01..2026-07-15".to_owned(), rp(140_000)));
    assert_eq!((next.issue_date, next.due_date), (date("2026-07-08"), date("2026-07-18")));
    run_days(&world, "2026-06-28", "2026-08-10").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(cost(&snapshot, "2026-06-01", "2026-07-01"), 300_000);
    let told = periods(&snapshot);
    assert_eq!(told[2], ("2026-07-01..2026-07-15".to_owned(), "2026-07-08".to_owned(), 140_000));
    assert_eq!(told[3].0, "2026-07-15..2026-08-15");
}

#[tokio::test]
async fn a_postpaid_period_that_was_billed_ahead_is_adjusted_when_the_package_changes_at_once_b11_b6() {
    let world = line(Timing::Postpaid, 7).await;
    run_days(&world, "2026-05-01", "2026-06-27").await;
    let settled =
        world.engine().change_package_at_once(subscription_id(2), package_id(2), "Sari", at("2026-06-27", 14)).await;
    // Four days at twice the price.
    assert_eq!(settled.unwrap(), Settled { charged: rp(40_000), given_back: Money::ZERO });
    run_days(&world, "2026-06-28", "2026-08-02").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(cost(&snapshot, "2026-06-01", "2026-07-01"), 340_000);
    assert_eq!(cost(&snapshot, "2026-07-01", "2026-08-01"), 600_000);
}

#[tokio::test]
async fn the_next_package_begins_after_what_was_billed_ahead_b6_b11() {
    for timing in [Timing::Prepaid, Timing::Postpaid] {
        let world = line(timing, 7).await;
        run_days(&world, "2026-05-01", "2026-06-26").await;
        let from =
            world.engine().change_package(subscription_id(2), package_id(2), at("2026-06-26", 14)).await.unwrap();
        // Prepaid, July is invoiced already; postpaid, June.
        let expected = if timing == Timing::Prepaid { "2026-08-01" } else { "2026-07-01" };
        assert_eq!(from, date(expected));
        run_days(&world, "2026-06-27", "2026-09-02").await;
        let snapshot = world.store.snapshot(TENANT);
        assert_eq!(
            cost(&snapshot, "2026-07-01", "2026-08-01"),
            if timing == Timing::Prepaid { 300_000 } else { 600_000 }
        );
        assert_eq!(cost(&snapshot, "2026-08-01", "2026-09-01"), 600_000);
    }
}

#[tokio::test]
async fn days_between_two_billing_days_are_invoiced_when_they_begin_c4() {
    let world = line(Timing::Prepaid, 0).await;
    run_days(&world, "2026-05-01", "2026-06-05").await;
    let command = Command::BillingDay { day: day(20), from: date("2026-06-05") };
    let change =
        world.engine().change_terms(subscription_id(2), command, Wish::default(), at("2026-06-05", 14)).await.unwrap();
    assert!(change.invoices.is_empty(), "{change:?}");
    let next = change.next.unwrap();
    // 1 to 19 July: 19 of the 30 days from 20 June to 20 July.
    assert_eq!((next.period.to_string(), next.total), ("2026-07-01..2026-07-20".to_owned(), rp(190_000)));
    assert_eq!((next.issue_date, next.due_date), (date("2026-07-01"), date("2026-07-11")));
    run_days(&world, "2026-06-06", "2026-07-21").await;
    let told = periods(&world.store.snapshot(TENANT));
    assert_eq!(told[2], ("2026-07-01..2026-07-20".to_owned(), "2026-07-01".to_owned(), 190_000));
    assert_eq!(told[3], ("2026-07-20..2026-08-20".to_owned(), "2026-07-20".to_owned(), 300_000));
}

#[tokio::test]
async fn an_end_said_afterwards_leaves_what_it_had_left_in_time_whichever_runs_were_made_b12() {
    let end = date("2026-06-20");
    for timing in [Timing::Prepaid, Timing::Postpaid] {
        for (lead, credit) in [(0, false), (0, true), (7, false), (7, true)] {
            let mut expected = None;
            // Said on the day; and on 5 August, with all runs, some, or none since.
            for (said, last_run) in [
                ("2026-06-20", "2026-06-20"),
                ("2026-06-20", "2026-06-19"),
                ("2026-08-05", "2026-08-05"),
                ("2026-08-05", "2026-07-02"),
                ("2026-08-05", "2026-06-22"),
                ("2026-08-05", "2026-06-10"),
                ("2026-08-05", "2026-05-20"),
            ] {
                let mut world = line(timing, lead).await;
                world.policy.billing.credit_on_termination = credit;
                world.policy.late_fee =
                    Some(LateFeePolicy { after_days: 3, amount: LateFeeAmount::Fixed(rp(5_000)), with_ppn: false });
                run_days(&world, "2026-05-01", last_run).await;
                // A person says that the clock is right, as so long after the last run.
                let wish = Wish { clock: ClockWord::Right, ..Wish::default() };
                let end_it = Command::End { end };
                world.engine().change_terms(subscription_id(2), end_it, wish, at(said, 14)).await.unwrap();
                run_days(&world, &date(said).plus_days(1).to_string(), "2026-10-02").await;
                let snapshot = world.store.snapshot(TENANT);
                let days = cost(&snapshot, "2026-05-01", "2027-01-01");
                let what = format!("{timing:?} lead {lead} credit {credit} said {said} last run {last_run}");
                assert_eq!(days, *expected.get_or_insert(days), "{what}: {:?}", periods(&snapshot));
                // May and June, or 19 days of it.
                let whole = timing == Timing::Prepaid && !credit;
                assert_eq!(days, if whole { 600_000 } else { 490_000 }, "{what}");
                // Nothing after the end is open or reminded, and no fee on it is left.
                let late = snapshot.invoices.iter().filter(|(i, _)| i.period.start >= end);
                for (invoice, paid) in late {
                    assert_eq!(invoice.balance(*paid).residual(), Money::ZERO, "{what}: {invoice:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_pause_said_afterwards_gives_back_the_periods_that_began_in_it_b12() {
    for (credit, june) in [(false, 300_000), (true, 190_000)] {
        let mut world = line(Timing::Prepaid, 0).await;
        world.policy.billing.credit_on_pause = credit;
        run_days(&world, "2026-05-01", "2026-07-04").await;
        let command = Command::Pause { from: date("2026-06-20") };
        let engine = world.engine();
        let change =
            engine.change_terms(subscription_id(2), command, Wish::default(), at("2026-07-05", 8)).await.unwrap();
        assert_eq!(change.settled().given_back, rp(600_000 - june));
        assert!(change.credit_notes.iter().all(|n| n.reason == CreditReason::Pause));
        // Served again from 10 July on, said on the 12th.
        let command = Command::Resume { from: date("2026-07-10") };
        engine.change_terms(subscription_id(2), command, Wish::default(), at("2026-07-12", 8)).await.unwrap();
        run_days(&world, "2026-07-12", "2026-08-02").await;
        let snapshot = world.store.snapshot(TENANT);
        assert_eq!(cost(&snapshot, "2026-06-01", "2026-07-01"), june);
        // 22 of 31 days.
        assert_eq!(cost(&snapshot, "2026-07-01", "2026-08-01"), 212_903);
        assert_eq!(cost(&snapshot, "2026-08-01", "2026-09-01"), 300_000);
    }
}

#[tokio::test]
async fn a_short_pause_of_a_line_that_is_billed_ahead_loses_no_day_b11_b7() {
    // July is invoiced on 24 June; paused on the 26th without credit, back on the 28th.
    let world = line(Timing::Prepaid, 7).await;
    run_days(&world, "2026-05-01", "2026-06-26").await;
    world.engine().pause(subscription_id(2), at("2026-06-26", 14)).await.unwrap();
    assert_eq!(cost(&world.store.snapshot(TENANT), "2026-07-01", "2026-08-01"), 0);
    world.engine().resume(subscription_id(2), at("2026-06-28", 8)).await.unwrap();
    run_days(&world, "2026-06-28", "2026-09-02").await;
    let snapshot = world.store.snapshot(TENANT);
    for (from, until) in [("2026-06-01", "2026-07-01"), ("2026-07-01", "2026-08-01"), ("2026-08-01", "2026-09-01")] {
        assert_eq!(cost(&snapshot, from, until), 300_000, "{from}");
    }
}

#[tokio::test]
async fn a_package_changed_at_once_said_afterwards_is_charged_from_its_day_b12() {
    let world = line(Timing::Prepaid, 0).await;
    run_days(&world, "2026-05-01", "2026-07-04").await;
    let command = Command::PackageAtOnce { package: package_id(2), from: date("2026-06-21") };
    let engine = world.engine();
    let change = engine.change_terms(subscription_id(2), command, Wish::default(), at("2026-07-04", 14)).await.unwrap();
    // Ten days of June and all of July at twice the price.
    assert_eq!(change.settled().charged, rp(100_000 + 300_000));
    run_days(&world, "2026-07-05", "2026-08-02").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(cost(&snapshot, "2026-06-01", "2026-07-01"), 400_000);
    assert_eq!(cost(&snapshot, "2026-07-01", "2026-09-01"), 1_200_000);
}

#[tokio::test]
async fn a_change_is_shown_and_confirmed_only_while_its_facts_stand() {
    let world = line(Timing::Prepaid, 0).await;
    run_days(&world, "2026-05-01", "2026-06-11").await;
    let command = Command::PackageAtOnce { package: package_id(2), from: date("2026-06-11") };
    let (engine, line) = (world.engine(), subscription_id(2));
    let before = world.store.snapshot(TENANT);
    let shown = engine.preview_terms(line, command, Wish::default(), at("2026-06-11", 12)).await.unwrap();
    assert_eq!(shown.settled().charged, rp(200_000));
    assert_eq!(world.store.snapshot(TENANT).invoices, before.invoices);
    // Somebody corrects June's invoice in between.
    let june = before.invoices.iter().map(|(i, _)| i).find(|i| i.period.start == date("2026-06-01")).unwrap();
    engine.correct(june.customer_id, june.id, rp(30_000), "Sari", "salah", at("2026-06-11", 13)).await.unwrap();
    let wish = Wish { by: "Sari", shown: Some(shown.fingerprint), ..Wish::default() };
    let refused = engine.change_terms(line, command, wish, at("2026-06-11", 14)).await.unwrap_err();
    assert_eq!(domain(refused), Error::ChangedSince);
    let shown = engine.preview_terms(line, command, Wish::default(), at("2026-06-11", 15)).await.unwrap();
    let wish = Wish { shown: Some(shown.fingerprint), ..wish };
    engine.change_terms(line, command, wish, at("2026-06-11", 16)).await.unwrap();
}

#[tokio::test]
async fn a_change_is_for_today_or_a_day_of_the_past() {
    let world = line(Timing::Prepaid, 0).await;
    run_days(&world, "2026-05-01", "2026-06-11").await;
    let ahead: Date = date("2026-06-12");
    for command in [
        Command::Pause { from: ahead },
        Command::BillingDay { day: day(5), from: ahead },
        Command::PackageAtOnce { package: package_id(2), from: ahead },
    ] {
        let refused =
            world.engine().change_terms(subscription_id(2), command, Wish::default(), at("2026-06-11", 14)).await;
        assert_eq!(domain(refused.unwrap_err()), Error::DayAhead { on: ahead });
    }
}

#[tokio::test]
async fn a_package_planned_for_days_that_were_given_back_ahead_keeps_its_price_b6_b7() {
    // Billed on the 1st, a week ahead. From 1 July another package; July is invoiced on 24 June, paused on the 25th.
    let mut world = line(Timing::Prepaid, 7).await;
    world.policy.billing.credit_on_pause = true;
    run_days(&world, "2026-05-01", "2026-06-10").await;
    let engine = world.engine();
    engine.change_package(subscription_id(2), package_id(2), at("2026-06-10", 14)).await.unwrap();
    run_days(&world, "2026-06-11", "2026-06-24").await;
    world.engine().pause(subscription_id(2), at("2026-06-25", 8)).await.unwrap();
    world.engine().resume(subscription_id(2), at("2026-06-29", 8)).await.unwrap();
    run_days(&world, "2026-06-29", "2026-08-02").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!(cost(&snapshot, "2026-06-29", "2026-07-01"), 20_000);
    assert_eq!(cost(&snapshot, "2026-07-01", "2026-08-01"), 600_000);
}

#[tokio::test]
async fn changes_at_once_are_said_in_the_order_of_their_days_and_not_in_a_pause_b6() {
    let world = line(Timing::Prepaid, 0).await;
    run_days(&world, "2026-05-01", "2026-05-25").await;
    let say = async |command, on: &str| {
        let done = world.engine().change_terms(subscription_id(2), command, Wish::default(), at(on, 14)).await;
        done.map(|_| ()).map_err(domain)
    };
    let package = |n, from| Command::PackageAtOnce { package: package_id(n), from: date(from) };
    assert_eq!(say(package(2, "2026-05-21"), "2026-05-25").await, Ok(()));
    // An adjustment across the 21st would spread two prices evenly over its days.
    let later = Error::ChangedLater { on: date("2026-05-21") };
    assert_eq!(say(package(1, "2026-05-11"), "2026-05-26").await, Err(later));
    let (before, after) = (20 * 300_000 / 31, 11 * 600_000 / 31);
    let snapshot = world.store.snapshot(TENANT);
    assert!((cost(&snapshot, "2026-05-01", "2026-05-21") - before).abs() <= 2);
    assert!((cost(&snapshot, "2026-05-21", "2026-06-01") - after).abs() <= 2);
    // What a pause would be resumed with, and from when, nobody knows yet.
    assert_eq!(say(Command::Pause { from: date("2026-05-27") }, "2026-05-27").await, Ok(()));
    assert_eq!(say(package(1, "2026-05-28"), "2026-05-28").await, Err(Error::NotServing));
}

#[tokio::test]
async fn an_end_that_lies_ahead_may_be_said_anew_b12() {
    for timing in [Timing::Prepaid, Timing::Postpaid] {
        let mut totals = Vec::new();
        // Said once; said for a later day first; said for an earlier day first.
        for said in [&["2026-07-11"][..], &["2026-08-21", "2026-07-11"], &["2026-06-21", "2026-07-11"]] {
            let mut world = line(timing, 0).await;
            world.policy.billing.credit_on_termination = true;
            run_days(&world, "2026-05-01", "2026-05-20").await;
            for end in said {
                let command = Command::End { end: date(end) };
                let now = at("2026-05-20", 14);
                world.engine().change_terms(subscription_id(2), command, Wish::default(), now).await.unwrap();
            }
            run_days(&world, "2026-05-21", "2026-08-25").await;
            let snapshot = world.store.snapshot(TENANT);
            totals.push((cost(&snapshot, "2026-05-01", "2026-07-11"), cost(&snapshot, "2026-07-11", "2026-12-01")));
        }
        assert_eq!(totals, [(600_000 + 96_774, 0); 3], "{timing:?}: 10 of 31 days of July");
    }
    // What was charged up to the old end ends there.
    let world = line(Timing::Prepaid, 0).await;
    run_days(&world, "2026-05-01", "2026-05-20").await;
    let end = async |end| {
        let command = Command::End { end: date(end) };
        world.engine().change_terms(subscription_id(2), command, Wish::default(), at("2026-05-20", 14)).await
    };
    end("2026-05-25").await.unwrap();
    assert_eq!(domain(end("2026-06-10").await.unwrap_err()), Error::NotServing);
    end("2026-05-22").await.unwrap();
}
