//! The customers' report of a day of the past: as it stood then, whatever was recorded since.

use crate::support::{TENANT, World, at, date, one, package_id, rp, run_days, subscription_id};
use isp_core::calendar::BillingDay;
use isp_core::isolation::Access;
use isp_core::report::CustomerRow;
use isp_core::subscription::SubscriptionStatus;
use isp_core::terms::former::first_start;
use isp_core::{Money, ports::DirectoryStore};

async fn told(world: &World, day: &str) -> CustomerRow {
    let rows = world.engine().report_customers_at(at(day, 12)).await.unwrap();
    rows.into_iter().find(|row| row.code == "C0002").unwrap()
}

fn state(row: &CustomerRow) -> (Option<&str>, Option<Access>, Option<SubscriptionStatus>, Money, Money, Money) {
    (row.package.as_deref(), row.access, row.status, row.owed, row.overdue, row.credit)
}

#[tokio::test]
async fn a_day_of_the_past_is_told_as_it_was() {
    let world = one().await;
    let (active, paused) = (Some(SubscriptionStatus::Active), Some(SubscriptionStatus::Paused));
    run_days(&world, "2026-01-01", "2026-01-20").await;
    // Isolated since the 16th; paid on the 21st with a rest of Rp33.500.
    world.pay(2, "T-1", 200_000, at("2026-01-21", 9)).await.unwrap();
    let engine = world.engine();
    run_days(&world, "2026-01-22", "2026-01-24").await;
    engine.change_package_at_once(subscription_id(2), package_id(3), "Sari", at("2026-01-25", 9)).await.unwrap();
    engine.pause(subscription_id(2), at("2026-01-28", 9)).await.unwrap();
    engine.resume(subscription_id(2), at("2026-02-10", 9)).await.unwrap();
    engine.change_billing_day(subscription_id(2), BillingDay::try_new(20).unwrap(), at("2026-02-11", 9)).await.unwrap();
    run_days(&world, "2026-02-11", "2026-03-10").await;

    let nothing = Money::ZERO;
    let open = Some(Access::Open);
    assert_eq!(state(&told(&world, "2026-01-05").await), (Some("P1"), open, active, rp(166_500), nothing, nothing));
    let isolated = Some(Access::Isolated);
    let row = told(&world, "2026-01-19").await;
    assert_eq!(state(&row), (Some("P1"), isolated, active, rp(166_500), rp(166_500), nothing));
    assert_eq!(state(&told(&world, "2026-01-23").await), (Some("P1"), open, active, nothing, nothing, rp(33_500)));
    let row = told(&world, "2026-02-01").await;
    assert_eq!((row.package.as_deref(), row.access, row.status), (Some("P3"), Some(Access::Closed), paused));
    assert_eq!(row.confirmed, None, "what a router said then is not kept");

    // The line began on the first of January, however often its periods began anew.
    let line = world.store.subscriptions(TENANT, None, isp_core::ports::PageQuery::first(9)).await.unwrap().remove(0).0;
    let former = world.store.former_terms(TENANT, &[line.id]).await.unwrap();
    assert_ne!(line.terms.start, date("2026-01-01"));
    assert_eq!(first_start(&line.terms, &former), date("2026-01-01"));
}
