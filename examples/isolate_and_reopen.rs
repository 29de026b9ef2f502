//! A line is isolated on a router, read back, and opened again. Nothing of the provider's books is needed.
//!
//! `cargo run --example isolate_and_reopen`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use isp::core::Secret;
use isp::core::isolation::{Access, AccessTarget};
use isp::core::place::RouterEndpoint;
use isp::core::ports::{AccessControl, ApplyOutcome};
use isp::mikrotik::simulator::{SimulatedRouter, Simulation};
use isp::mikrotik::{MikrotikAccess, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A RouterOS on a loopback port. With a real one, only the endpoint differs.
    let router = SimulatedRouter::start(Simulation::default()).await?;
    let endpoint = RouterEndpoint::parse(&router.address().to_string(), "api", Secret::new("simulated"))?;
    let routers = MikrotikAccess::new(Settings::default());

    let open: AccessTarget = serde_json::from_str(
        r#"{ "subscription_id": "01980000-0000-7000-8000-000000000007", "desired": "open", "revision": 1,
             "router_id": "01980000-0000-7000-8000-000000000001", "adopt": false,
             "account": { "username": "budi", "password": "rahasia" },
             "group": { "name": "10M", "speed": { "down_kbps": 10000, "up_kbps": 5000 } } }"#,
    )?;
    routers.apply(&endpoint, std::slice::from_ref(&open)).await?;
    router.plug("budi", "rahasia"); // the box at home dials in
    let session = router.session("budi").ok_or("the box did not get in")?;
    println!("open: the session has {session:?}");

    // Isolation is another profile, and the end of the session that still has the old one.
    let isolated = AccessTarget { desired: Access::Isolated, revision: 2, ..open.clone() };
    for outcome in routers.apply(&endpoint, std::slice::from_ref(&isolated)).await? {
        println!("isolated: {outcome:?}");
        assert!(matches!(outcome, ApplyOutcome::Done { access: Access::Isolated, changed: true, .. }));
    }
    assert_eq!(router.secret("budi").map(|secret| secret.profile), Some("isolir".to_owned()));

    // A second time writes nothing: what is wanted is what the router has.
    router.reset_counters();
    routers.apply(&endpoint, &[isolated]).await?;
    println!("once more: {:?}", router.counters());

    let reopened = AccessTarget { desired: Access::Open, revision: 3, ..open };
    routers.apply(&endpoint, std::slice::from_ref(&reopened)).await?;
    for seen in routers.observe(&endpoint, &[reopened], chrono::Utc::now()).await? {
        println!("reopened: the router says {:?}", seen.access);
        assert_eq!(seen.access, Some(Access::Open));
    }
    Ok(())
}
