//! Somebody worked on a router by hand. The plan says what differs, applying brings it back, and what is not ours stays.
//!
//! `cargo run --example drifted_router`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use isp::core::Secret;
use isp::core::isolation::AccessTarget;
use isp::core::place::RouterEndpoint;
use isp::core::ports::AccessControl;
use isp::mikrotik::simulator::{SimulatedRouter, Simulation};
use isp::mikrotik::{MikrotikAccess, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let router = SimulatedRouter::start(Simulation::default()).await?;
    let endpoint = RouterEndpoint::parse(&router.address().to_string(), "api", Secret::new("simulated"))?;
    let routers = MikrotikAccess::new(Settings::default());
    let wanted = [target(1, "budi", "open")?, target(2, "citra", "isolated")?, target(3, "dewi", "open")?];
    routers.apply(&endpoint, &wanted).await?;

    // By hand: one account is gone, another was opened, and there is one of the neighbour's.
    router.force_remove("/ppp/secret", "budi");
    router.force("/ppp/secret", &[("name", b"tetangga"), ("password", b"x"), ("profile", b"default")]);

    let plan = routers.plan_whole(&endpoint, &wanted).await?;
    println!("{plan}");
    routers.apply(&endpoint, &wanted).await?;

    let names: Vec<String> = router.secrets().into_iter().map(|secret| secret.name).collect();
    println!("on the router now: {names:?}");
    assert!(["budi", "citra", "dewi", "tetangga"].iter().all(|name| names.iter().any(|n| n == name)));
    let after = routers.plan_whole(&endpoint, &wanted).await?;
    println!("and the next plan:\n{after}");
    Ok(())
}

fn target(n: u32, user: &str, desired: &str) -> Result<AccessTarget, serde_json::Error> {
    serde_json::from_value(serde_json::json!({
        "subscription_id": format!("01980000-0000-7000-8000-{n:012}"), "desired": desired, "revision": 1,
        "router_id": "01980000-0000-7000-8000-000000000001", "adopt": false,
        "account": { "username": user, "password": "rahasia" },
        "group": { "name": "10M", "speed": { "down_kbps": 10_000, "up_kbps": 5_000 } },
    }))
}
