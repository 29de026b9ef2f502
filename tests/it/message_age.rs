//! A message is about one event, and too old after two days (rule N7).

use crate::support::*;
use isp_core::calendar::{Cycle, Date, Zone};
use isp_core::engine::Approval;
use isp_core::ports::{OutboxQuery, OutboxStore as _, PageQuery};

fn at(day: &str, hour: u8) -> chrono::DateTime<chrono::Utc> {
    Date::parse(day).unwrap().at(hour.into(), 0, Zone::Wib)
}

/// One customer whose January is isolated on the 12th, with nobody told of anything yet.
async fn isolated() -> World {
    let world = World::new().await;
    world.add(2, Date::parse("2026-01-01").unwrap(), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    world.engine().bill(at("2026-01-01", 9)).await.unwrap();
    let enforced = world.engine().enforce(at("2026-01-19", 11), &Approval::All).await.unwrap();
    assert_eq!(enforced.isolated.len(), 1);
    world
}

fn told(world: &World) -> Vec<String> {
    world.messenger.accepted().iter().map(|m| m.content.kind().code().to_owned()).collect()
}

async fn notes(world: &World) -> Vec<String> {
    let rows = world.store.outbox(TENANT, OutboxQuery::default(), PageQuery::first(50)).await.unwrap();
    rows.into_iter().filter(|row| row.state.code() == "dropped").map(|row| row.note).collect()
}

#[tokio::test]
async fn what_is_too_long_ago_is_not_said_any_more() {
    let world = isolated().await;
    // Routers are served, and WhatsApp is set up late.
    let still = world.deliver(at("2026-01-21", 12)).await;
    assert_eq!((still.sent, still.dropped), (0, 1));
    assert!(told(&world).is_empty());
    assert_eq!(notes(&world).await, ["too_old"]);
}

#[tokio::test]
async fn within_two_days_it_is_said() {
    let world = isolated().await;
    world.deliver(at("2026-01-21", 11)).await;
    assert_eq!(told(&world), ["isolated"]);
}

/// Isolated, paid, and isolated again within a day: the first notice and the reopening are over, although the line is
/// isolated now.
#[tokio::test]
async fn an_isolation_that_is_over_is_not_told_when_another_one_begins() {
    let world = isolated().await;
    world.pay(2, "T-1", 166_500, at("2026-01-19", 12)).await.unwrap();
    world.engine().isolate(customer_id(2), "Rina", "router dipinjamkan", at("2026-01-19", 13)).await.unwrap();
    world.deliver(at("2026-01-19", 14)).await;
    let mut told = told(&world);
    told.sort();
    assert_eq!(told, ["isolated", "payment_received"]);
    let mut notes = notes(&world).await;
    notes.sort();
    assert_eq!(notes.iter().filter(|note| note.as_str() == "reopened" || note.as_str() == "not_open").count(), 2);
}
