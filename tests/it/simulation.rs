//! A what-if says what then happens: the simulation beside the real engine over the same days.

use crate::support::dice::at_random;
use crate::support::{TENANT, World, customer_id, date, package_id, subscription_id};
use isp_core::billing::{CreditReason, LateFeeAmount, LateFeePolicy, WhileIsolated};
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::engine::EngineError;
use isp_core::holiday::PublicHolidays;
use isp_core::ids::{PromiseId, SubscriptionId};
use isp_core::protection::Promise;
use isp_core::simulation::{Event, What};
use isp_core::subscription::{BillingTerms, Timing};
use isp_core::{Error, Money, Policy};
use proptest::prelude::*;
use uuid::Uuid;

/// What really happened to access and invoices, day by day: the day, whose line, what.
type Diary = Vec<(Date, SubscriptionId, String)>;

fn zone_of(n: u32) -> Zone {
    [Zone::Wib, Zone::Wit][n as usize % 2]
}

/// Lives through the days with the engine, at the two moments of a day that a simulation looks at.
async fn live(world: &World, from: &str, to: &str, pays: impl Fn(Date) -> Vec<(u32, i64)>) -> Diary {
    let mut diary = Vec::new();
    let mut day = date(from);
    while day <= date(to) {
        for (hour, minute) in [(10, 0), (23, 59)] {
            let now = day.at(hour, minute, Zone::Wib);
            if hour == 10 {
                for (n, amount) in pays(day) {
                    let reference = format!("{day}-{n}");
                    let paid = world.pay(n, &reference, amount, day.at(9, 30, Zone::Wib)).await.unwrap();
                    diary.extend(paid.reopened.iter().map(|s| (day, *s, "reopened".to_owned())));
                }
            }
            let (_, enforced, _) = world.run(now).await.unwrap();
            diary.extend(enforced.isolated.iter().map(|s| (day, *s, "isolated".to_owned())));
            diary.extend(enforced.reopened.iter().map(|s| (day, *s, "reopened".to_owned())));
            diary.extend(enforced.closed.iter().map(|s| (day, *s, "closed".to_owned())));
        }
        day = day.plus_days(1);
    }
    for (invoice, _) in world.store.snapshot(TENANT).invoices {
        if (date(from)..=date(to)).contains(&invoice.issue_date) {
            diary.push((invoice.issue_date, invoice.subscription_id, format!("billed {}", invoice.total)));
        }
    }
    for note in world.store.snapshot(TENANT).credit_notes {
        if note.reason == CreditReason::Isolation && (date(from)..=date(to)).contains(&note.issue_date) {
            diary.push((note.issue_date, note.subscription_id, format!("given back {}", note.total)));
        }
    }
    diary.sort();
    diary
}

/// Says what differs, and not all that does not.
fn assert_same(told: &[Event], lived: &Diary) {
    let told = foretold(told);
    let only = |of: &Diary, other: &Diary| of.iter().filter(|e| !other.contains(e)).cloned().collect::<Vec<_>>();
    assert_eq!((only(&told, lived), only(lived, &told)), (Vec::new(), Vec::new()), "told only, lived only");
    assert_eq!(&told, lived);
}

fn foretold(events: &[Event]) -> Diary {
    let mut diary: Diary = events
        .iter()
        .filter_map(|event| {
            let what = match event.what {
                What::Billed { total, .. } => format!("billed {total}"),
                What::GivenBack { total } => format!("given back {total}"),
                What::Isolated { .. } => "isolated".to_owned(),
                What::Reopened { .. } => "reopened".to_owned(),
                What::Closed { .. } => "closed".to_owned(),
                What::Reminded { .. } | What::NotBilled { .. } => return None,
            };
            Some((event.on, event.subscription_id.unwrap(), what))
        })
        .collect();
    diary.sort();
    diary
}

/// Lines in WIB only, so that two moments in Jakarta are two moments everywhere.
async fn provider(lines: &[(u32, &str, u8, Cycle, Timing)]) -> World {
    let world = World::new().await;
    for (n, start, day, cycle, timing) in lines {
        let start = date(start);
        let day = BillingDay::try_new(*day).unwrap();
        let terms = BillingTerms { timing: *timing, ..BillingTerms::new(package_id(n % 3 + 1), start, day, *cycle) };
        world.add_with(n * 2, terms, start.at(7, 0, zone_of(0))).await;
    }
    world
}

async fn usual() -> World {
    provider(&[
        (1, "2026-01-05", 5, Cycle::Monthly, Timing::Prepaid),
        (2, "2026-01-31", 31, Cycle::Monthly, Timing::Prepaid),
        (3, "2026-01-10", 20, Cycle::Quarterly, Timing::Prepaid),
        (4, "2026-01-01", 1, Cycle::Monthly, Timing::Postpaid),
    ])
    .await
}

#[tokio::test]
async fn what_is_foretold_happens_when_nobody_pays() {
    let mut world = usual().await;
    world.policy.isolation.public_holidays = PublicHolidays::All;
    live(&world, "2026-01-01", "2026-01-31", |_| Vec::new()).await;
    let now = date("2026-01-31").at(23, 59, Zone::Wib);
    let policy = world.policy.clone();
    let (from, to) = (date("2026-02-01"), date("2026-04-30"));
    let before = world.store.snapshot(TENANT);
    let foretold_events = world.engine().simulate(&[&policy], from, to, now).await.unwrap().remove(0).events;
    assert_eq!(world.store.snapshot(TENANT), before, "nothing is written");
    let lived = live(&world, "2026-02-01", "2026-04-30", |_| Vec::new()).await;
    assert!(lived.iter().any(|(_, _, what)| what == "isolated"));
    assert_same(&foretold_events, &lived);
}

#[tokio::test]
async fn the_past_is_told_again_with_the_payments_that_came_in() {
    let world = usual().await;
    let pays = |day: Date| match day.to_string().as_str() {
        "2026-02-03" => vec![(2, 222_000)],
        "2026-02-25" => vec![(4, 55_000), (2, 222_000)],
        "2026-03-02" => vec![(8, 55_000)],
        _ => Vec::new(),
    };
    live(&world, "2026-01-01", "2026-01-31", pays).await;
    let lived = live(&world, "2026-02-01", "2026-03-31", pays).await;
    let policy = world.policy.clone();
    let strict = {
        let mut strict = policy.clone();
        strict.isolation.isolate_after_days = 1;
        strict
    };
    let now = date("2026-04-10").at(9, 0, Zone::Wib);
    let (from, to) = (date("2026-02-01"), date("2026-03-31"));
    let told = world.engine().simulate(&[&policy, &strict], from, to, now).await.unwrap();
    assert_same(&told[0].events, &lived);
    let isolated = |events: &[Event]| {
        let first = events.iter().find(|e| matches!(e.what, What::Isolated { .. })).unwrap();
        first.on
    };
    assert!(isolated(&told[1].events) < isolated(&told[0].events), "a shorter grace isolates earlier");
    let billed = |events: &[Event]| events.iter().filter(|e| matches!(e.what, What::Billed { .. })).count();
    assert_eq!(billed(&told[0].events), billed(&told[1].events), "isolation changes no invoice");
}

/// The past is told with the package, the price and the billing day of that time, whatever was changed since.
#[tokio::test]
async fn the_past_is_told_with_the_terms_of_its_time() {
    let world = usual().await;
    live(&world, "2026-01-01", "2026-01-31", |_| Vec::new()).await;
    let lived = live(&world, "2026-02-01", "2026-02-28", |_| Vec::new()).await;
    // In March: another package at once, another billing day, a pause, a planned package that takes over.
    let at = |text: &str| date(text).at(12, 0, Zone::Wib);
    let engine = world.engine();
    engine.change_package_at_once(subscription_id(2), package_id(3), "Sari", at("2026-03-05")).await.unwrap();
    let day = BillingDay::try_new(12).unwrap();
    engine.change_billing_day(subscription_id(4), day, at("2026-03-05")).await.unwrap();
    engine.pause(subscription_id(8), at("2026-03-05")).await.unwrap();
    engine.change_package(subscription_id(6), package_id(2), at("2026-03-05")).await.unwrap();
    live(&world, "2026-03-06", "2026-05-31", |_| Vec::new()).await;
    let now = date("2026-05-31").at(23, 59, Zone::Wib);
    let policy = world.policy.clone();
    let told = world.engine().simulate(&[&policy], date("2026-02-01"), date("2026-02-28"), now).await.unwrap();
    assert_same(&told[0].events, &lived);
    // What comes after the changes has their amounts: two customers who were told of the new terms in the middle.
    let told = world.engine().simulate(&[&policy], date("2026-02-01"), date("2026-04-30"), now).await.unwrap();
    let april: Vec<_> = foretold(&told[0].events)
        .into_iter()
        .filter(|(day, line, what)| {
            *day >= date("2026-03-31") && what.starts_with("billed") && [2, 4].map(subscription_id).contains(line)
        })
        .collect();
    let expected = [
        (date("2026-03-31"), subscription_id(4), "billed Rp21.290".to_owned()),
        (date("2026-04-05"), subscription_id(2), "billed Rp55.000".to_owned()),
        (date("2026-04-12"), subscription_id(4), "billed Rp55.000".to_owned()),
    ];
    assert_eq!(april, expected);
}

#[tokio::test]
async fn so_many_days_are_refused() {
    let world = usual().await;
    let policy = world.policy.clone();
    let (engine, now) = (world.engine(), crate::support::at("2026-01-01", 9));
    let refused = engine.simulate(&[&policy], date("2026-01-01"), date("2199-01-01"), now).await;
    assert_eq!(refused.unwrap_err(), EngineError::Domain(Error::TooManyDays { most: 1_830 }));
}

#[tokio::test]
async fn days_before_the_first_are_lived_through_but_not_told() {
    let world = usual().await;
    live(&world, "2026-01-01", "2026-01-31", |_| Vec::new()).await;
    let now = date("2026-01-31").at(23, 59, Zone::Wib);
    let policy = world.policy.clone();
    let engine = world.engine();
    let whole = engine.simulate(&[&policy], date("2026-02-01"), date("2026-03-31"), now).await.unwrap().remove(0);
    let march = engine.simulate(&[&policy], date("2026-03-01"), date("2026-03-31"), now).await.unwrap().remove(0);
    let of_march: Vec<Event> = whole.events.into_iter().filter(|e| e.on >= date("2026-03-01")).collect();
    assert!(!of_march.is_empty());
    assert_eq!(march.events, of_march);
    let backwards = engine.simulate(&[&policy], date("2026-03-31"), date("2026-03-01"), now).await;
    assert_eq!(backwards, Err(EngineError::Domain(Error::EmptyPeriod)));
}

#[tokio::test]
async fn a_promise_is_kept_and_a_breaker_is_foretold() {
    let lines: Vec<_> = (1..=25).map(|n| (n, "2026-01-05", 5, Cycle::Monthly, Timing::Prepaid)).collect();
    let world = provider(&lines).await;
    let promise = Promise {
        id: PromiseId(Uuid::from_u128(1)),
        customer_id: customer_id(2),
        made_on: date("2026-01-15"),
        until: date("2026-01-25"),
        by: "Sari".into(),
        ending: None,
    };
    world.engine().promise(promise).await.unwrap();
    let now = date("2026-01-05").at(7, 0, Zone::Wib);
    let policy = Policy::clone(&world.policy);
    let told = world.engine().simulate(&[&policy], date("2026-01-05"), date("2026-01-31"), now).await.unwrap();
    let days: std::collections::BTreeMap<Date, usize> = told[0]
        .events
        .iter()
        .filter(|e| matches!(e.what, What::Isolated { .. }))
        .fold(Default::default(), |mut days, e| {
            *days.entry(e.on).or_default() += 1;
            days
        });
    // Due on the 15th, five days late on Tuesday the 20th; the promise holds until Sunday the 25th.
    assert_eq!(days, [(date("2026-01-20"), 24), (date("2026-01-26"), 1)].into());
    let held: Vec<_> = told[0].held.iter().map(|(day, _, count, limit)| (*day, *count, *limit)).collect();
    assert_eq!(held, [(date("2026-01-20"), 24, 20)]);
}

fn late_fee(after_days: u16) -> LateFeePolicy {
    let amount = LateFeeAmount::Percent { percent: 2, minimum: Money::rupiah(3_000) };
    LateFeePolicy { after_days, amount, with_ppn: false }
}

#[tokio::test]
async fn late_fees_and_isolated_days_are_foretold_as_they_happen_b10_b7() {
    for while_isolated in [WhileIsolated::Skip, WhileIsolated::Prorate] {
        let mut world = usual().await;
        world.policy.late_fee = Some(late_fee(4));
        world.policy.billing.while_isolated = while_isolated;
        let pays = |day: Date| match day.to_string().as_str() {
            // In time, on the day of the fee, and long after it.
            "2026-02-10" => vec![(2, 222_000)],
            "2026-02-14" => vec![(4, 60_000)],
            "2026-03-20" => vec![(6, 100_000), (2, 400_000)],
            _ => Vec::new(),
        };
        live(&world, "2026-01-01", "2026-01-31", pays).await;
        let lived = live(&world, "2026-02-01", "2026-04-30", pays).await;
        let policy = world.policy.clone();
        let now = date("2026-05-10").at(9, 0, Zone::Wib);
        let (from, to) = (date("2026-02-01"), date("2026-04-30"));
        let plain = Policy { late_fee: None, ..policy.clone() };
        let told = world.engine().simulate(&[&policy, &plain], from, to, now).await.unwrap();
        assert_same(&told[0].events, &lived);
        let count =
            |events: &[Event], wanted: &dyn Fn(&What) -> bool| events.iter().filter(|e| wanted(&e.what)).count();
        let billed = |events: &[Event]| count(events, &|what| matches!(what, What::Billed { .. }));
        assert!(billed(&told[0].events) > billed(&told[1].events), "without the policy there are no fees");
        let given_back = count(&told[0].events, &|what| matches!(what, What::GivenBack { .. }));
        assert_eq!(given_back > 0, while_isolated == WhileIsolated::Prorate);
    }
}

#[tokio::test]
async fn days_to_come_are_foretold_with_every_rule_on() {
    for while_isolated in [WhileIsolated::Skip, WhileIsolated::Prorate] {
        let mut world = usual().await;
        world.policy.late_fee = Some(late_fee(6));
        world.policy.billing.while_isolated = while_isolated;
        live(&world, "2026-01-01", "2026-01-31", |_| Vec::new()).await;
        let now = date("2026-01-31").at(23, 59, Zone::Wib);
        let policy = world.policy.clone();
        let (from, to) = (date("2026-02-01"), date("2026-04-30"));
        let before = world.store.snapshot(TENANT);
        let told = world.engine().simulate(&[&policy], from, to, now).await.unwrap().remove(0).events;
        assert_eq!(world.store.snapshot(TENANT), before, "nothing is written");
        let lived = live(&world, "2026-02-01", "2026-04-30", |_| Vec::new()).await;
        assert_same(&told, &lived);
    }
}

proptest! {
    #![proptest_config(at_random(24))]

    #[test]
    fn any_lines_and_payments_are_told_as_they_are_lived(
        lines in prop::collection::vec((1_u8..=31, 0_i32..40, 0_usize..3, any::<bool>()), 1..4),
        payments in prop::collection::vec((0_i32..90, 0_u32..4, 20_000_i64..400_000), 0..8),
        grace in 0_u16..9,
        fee in proptest::option::of(1_u16..12),
        isolated in 0_usize..3,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let first = date("2026-01-01");
            let mut world = provider(&[]).await;
            world.policy.isolation.isolate_after_days = grace;
            world.policy.late_fee = fee.map(late_fee);
            world.policy.billing.while_isolated =
                [WhileIsolated::Bill, WhileIsolated::Skip, WhileIsolated::Prorate][isolated];
            let mut count = 0;
            for (day, start, cycle, postpaid) in &lines {
                let start = first.plus_days(*start);
                let cycle = [Cycle::Monthly, Cycle::Quarterly, Cycle::SemiAnnual][*cycle];
                let timing = if *postpaid { Timing::Postpaid } else { Timing::Prepaid };
                let terms = BillingTerms {
                    timing,
                    ..BillingTerms::new(package_id(1), start, BillingDay::try_new(*day).unwrap(), cycle)
                };
                count += 1;
                world.add_with(count * 2, terms, first.at(1, 0, Zone::Wib)).await;
            }
            let pays = |day: Date| -> Vec<(u32, i64)> {
                let mut seen = std::collections::BTreeSet::new();
                payments
                    .iter()
                    .filter(|(on, n, _)| first.plus_days(*on) == day && seen.insert(n % count))
                    .map(|(_, n, amount)| ((n % count + 1) * 2, *amount))
                    .collect()
            };
            live(&world, "2026-01-01", "2026-01-31", &pays).await;
            let lived = live(&world, "2026-02-01", "2026-03-31", &pays).await;
            let policy = world.policy.clone();
            let now = date("2026-04-10").at(9, 0, Zone::Wib);
            let told =
                world.engine().simulate(&[&policy], date("2026-02-01"), date("2026-03-31"), now).await.unwrap();
            assert_same(&told[0].events, &lived);
        });
    }
}
