//! A service with a scheduler of its own: it lives forty days, and dies in the middle of one.
//!
//! `cargo run --example nightly_run`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use isp::core::calendar::{Date, Zone};
use isp::core::engine::{Outside, Post, Said};
use isp::core::ids::WorkerId;
use isp::core::ports::{StandingWatch, Worker};
use isp::core::testing::MemoryStore;
use isp::core::testing::fakes::FakeRouter;
use isp::{Engine, Policy};
use provider::{TENANT, move_in, no_router, sender};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, policy, asks) = (MemoryStore::new(), Policy::default(), sender()?);
    let engine = Engine { sender: Some(&asks), ..Engine::new(&store, TENANT, &policy) };
    move_in(&store, no_router()?).await?;
    let routers = FakeRouter::default();

    let (mut day, last) = (Date::parse("2026-01-01")?, Date::parse("2026-02-09")?);
    let mut invoices = 0;
    while day <= last {
        // The moment is an argument, so a scheduler may be a cron job, a timer, or a loop like this one.
        let now = day.at(11, 0, Zone::Wib);
        // The worker's watch is the real one in a service; it keeps what the worker has claimed while it works.
        let watch = StandingWatch(now);
        let worker = Worker::new(WorkerId(uuid::Uuid::from_u128(9)), &watch);
        // No WhatsApp is set up yet: messages stay in the outbox.
        let outside = Outside { worker: &worker, routers: &routers, post: Post::Unset };

        // On 1 February the machine dies after billing. The next run finds what is there and goes on.
        if day == Date::parse("2026-02-01")? {
            invoices += engine.bill(now).await?.invoices;
            println!("{day}: {invoices} invoices so far, and the machine dies");
        }
        let report = engine.run_day(&outside, &Said::default(), now).await?;
        invoices += report.billed.invoices;
        if report.billed.invoices + report.reminded.queued > 0 || !report.enforced.isolated.is_empty() {
            println!(
                "{day}: {} invoices, {} reminders, {} isolated, {} held by the breaker",
                report.billed.invoices,
                report.reminded.queued,
                report.enforced.isolated.len(),
                report.enforced.held.len(),
            );
        }
        day = day.plus_days(1);
    }
    assert_eq!(invoices, 6, "three lines, two months, nothing twice");
    Ok(())
}
