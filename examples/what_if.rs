//! What would a stricter policy do next month? Nothing is written.
//!
//! `cargo run --example what_if`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use isp::core::calendar::Date;
use isp::core::simulation::What;
use isp::core::testing::MemoryStore;
use isp::{Engine, Policy};
use provider::{TENANT, at, move_in, no_router};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, policy) = (MemoryStore::new(), Policy::default());
    let engine = Engine::new(&store, TENANT, &policy);
    move_in(&store, no_router()?).await?;
    engine.bill(at("2026-01-01", 9)?).await?;

    let mut strict = policy.clone();
    strict.isolation.isolate_after_days = 1;
    let (from, to) = (Date::parse("2026-01-02")?, Date::parse("2026-01-31")?);
    let foreseen = engine.simulate(&[&policy, &strict], from, to, at("2026-01-02", 9)?).await?;
    let mut first = Vec::new();
    for (name, future) in ["as it is", "strict"].iter().zip(&foreseen) {
        let isolations: Vec<Date> =
            future.events.iter().filter(|e| matches!(e.what, What::Isolated { .. })).map(|e| e.on).collect();
        println!(
            "{name}: {} isolations, the first on {:?}",
            isolations.len(),
            isolations.first().map(ToString::to_string)
        );
        for (day, _, count, most) in &future.held {
            println!("  on {day} the breaker would hold {count}, since {most} may be isolated at once");
        }
        first.extend(isolations.first().copied());
    }
    assert!(first[1] < first[0]);
    Ok(())
}
