//! Why is this line isolated? One sentence and its evidence, for any moment.
//!
//! `cargo run --example explain`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use isp::core::engine::Approval;
use isp::core::testing::MemoryStore;
use isp::core::text::Language;
use isp::{Engine, Policy};
use provider::{TENANT, at, customer_id, move_in, no_router, transfer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, policy) = (MemoryStore::new(), Policy::default());
    let engine = Engine::new(&store, TENANT, &policy);
    move_in(&store, no_router()?).await?;
    engine.bill(at("2026-01-01", 9)?).await?;
    engine.enforce(at("2026-01-20", 11)?, &Approval::All).await?;
    engine.pay(&transfer(1, "TRX-1", 166_500, at("2026-01-21", 8)?)?, at("2026-01-21", 8)?).await?;

    for (day, hour) in [("2026-01-10", 12), ("2026-01-20", 12), ("2026-01-21", 12)] {
        for language in [Language::Id, Language::En] {
            for (_, told) in engine.explain(customer_id(1), at(day, hour)?, language).await? {
                println!("{day}: {}", told.sentence);
                assert!(!told.sentence.is_empty());
            }
        }
    }
    Ok(())
}
