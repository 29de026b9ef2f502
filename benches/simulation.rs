//! A what-if over two months, told by `simulate`, beside the same days lived by the engine's own steps over a store in
//! memory: what a simulation over an overlay of the store would cost at least. Prints customer-days/s and the ratio; both
//! must come to the same number of invoices and isolations. Run with `cargo bench --bench simulation`.

#![allow(clippy::print_stdout, clippy::float_arithmetic, clippy::unwrap_used, missing_docs)]

#[path = "../tests/it/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod support;

use std::time::Instant;

use isp_core::calendar::{Cycle, Zone};
use isp_core::engine::{Approval, Engine};
use isp_core::holiday::PublicHolidays;
use isp_core::simulation::What;
use support::{TENANT, World, date};

const CUSTOMERS: u32 = 500;
const ROUNDS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (from, to) = (date("2026-02-01"), date("2026-03-31"));
    let days = to.day_number() - from.day_number() + 1;
    let customer_days = f64::from(days) * f64::from(CUSTOMERS);
    let (mut told, mut lived) = (0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        let world = provider().await;
        let engine = Engine { page: 1_000, ..Engine::new(&world.store, TENANT, &world.policy) };
        let start = Instant::now();
        let now = date("2026-01-31").at(23, 59, Zone::Wib);
        let events = engine.simulate(&[&world.policy], from, to, now).await.unwrap().remove(0).events;
        told = told.max(customer_days / start.elapsed().as_secs_f64());
        let billed = events.iter().filter(|e| matches!(e.what, What::Billed { .. })).count();
        let isolated = events.iter().filter(|e| matches!(e.what, What::Isolated { .. })).count();

        let before = world.store.snapshot(TENANT).invoices.len();
        let (mut day, mut cut) = (from, 0);
        let start = Instant::now();
        while day <= to {
            for (hour, minute) in [(10, 0), (23, 59)] {
                let now = day.at(hour, minute, Zone::Wib);
                engine.bill(now).await.unwrap();
                engine.remind(now).await.unwrap();
                cut += engine.enforce(now, &Approval::All).await.unwrap().isolated.len();
            }
            day = day.plus_days(1);
        }
        lived = lived.max(customer_days / start.elapsed().as_secs_f64());
        assert_eq!((billed, isolated), (world.store.snapshot(TENANT).invoices.len() - before, cut));
    }
    println!(
        "{CUSTOMERS} customers, {days} days: told {told:.0} customer-days/s, lived in memory {lived:.0}, ratio {:.1}",
        told / lived
    );
}

/// Customers of one package, their billing days spread over the month, nobody paying.
async fn provider() -> World {
    let mut world = World::new().await;
    world.policy.isolation.public_holidays = PublicHolidays::All;
    for n in 0..CUSTOMERS {
        let day = u8::try_from(n % 28).unwrap() + 1;
        let start = date("2026-01-01");
        world.add(n * 2, start, day, Cycle::Monthly, start.at(7, 0, Zone::Wib)).await;
    }
    let mut day = date("2026-01-01");
    while day < date("2026-02-01") {
        world.run(day.at(11, 0, Zone::Wib)).await.unwrap();
        day = day.plus_days(1);
    }
    world
}
