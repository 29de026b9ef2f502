//! The connection test.

use std::time::Duration;

use crate::common::{endpoint, target};
use isp_core::isolation::Access::Open;
use isp_core::ports::{AccessControl, PortError};
use isp_core::secret::Secret;
use isp_mikrotik::simulator::{SimulatedRouter, Simulation, Version};
use isp_mikrotik::text::CodePage;
use isp_mikrotik::{MikrotikAccess, Settings};

#[tokio::test]
async fn a_router_says_who_it_is_and_how_much_it_holds() {
    let simulation = Simulation { identity: "tower-1".to_owned(), ..Simulation::default() };
    let router = SimulatedRouter::start(simulation).await.unwrap();
    let access = MikrotikAccess::new(Settings::default());
    access.apply(&endpoint(&router), &[target(1, "budi", Open), target(2, "siti", Open)]).await.unwrap();
    router.unplug("siti");
    router.reset_counters();
    let check = access.check(&endpoint(&router), CodePage::default()).await.unwrap();
    assert_eq!((check.identity.as_str(), check.version.as_str()), ("tower-1", "7.21.5 (stable)"));
    assert_eq!((check.accounts, check.sessions), (2, 1));
    assert_eq!(router.counters().writes, 0);
}

#[tokio::test]
async fn what_is_wrong_has_its_own_code() {
    let router = SimulatedRouter::start(Simulation::default()).await.unwrap();
    let settings = Settings { connect_timeout: Duration::from_millis(300), ..Settings::default() };
    let access = MikrotikAccess::new(settings);
    let mut wrong = endpoint(&router);
    wrong.password = Secret::new("wrong");
    let error = access.check(&wrong, CodePage::default()).await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("router.bad_credentials", false));
    router.down();
    let error = access.check(&endpoint(&router), CodePage::default()).await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("router.unreachable", true));
}

/// A RouterBOARD is known by its serial number, a virtual router by the id of its licence, whatever they are called.
#[tokio::test]
async fn a_router_is_known_by_what_nobody_changes() {
    for version in Version::ALL {
        for (serial, known) in [(Some("HG209ABC"), "HG209ABC".to_owned()), (None, String::new())] {
            let serial = serial.map(str::to_owned);
            let simulation = Simulation { identity: "tower-1".into(), version, serial, ..Simulation::default() };
            let router = SimulatedRouter::start(simulation).await.unwrap();
            let access = MikrotikAccess::new(Settings::default());
            let machine = access.machine(&endpoint(&router)).await.unwrap().unwrap();
            let of_port = format!("sim{:05}", router.address().port());
            let expected = if known.is_empty() { of_port } else { known };
            assert_eq!((machine.identity.as_str(), machine.serial), ("tower-1", Some(expected)));
            assert_eq!(router.counters().writes, 0);
        }
    }
}

/// The connection breaks after the engine looked who answers, and behind the next one is another machine.
#[tokio::test]
async fn another_machine_behind_a_new_connection_is_not_taken_for_the_one_that_was_asked() {
    let of = |serial: &str| Simulation { serial: Some(serial.to_owned()), ..Simulation::default() };
    let first = SimulatedRouter::start(of("S1")).await.unwrap();
    let access = MikrotikAccess::new(Settings::default());
    let (asked, port) = (endpoint(&first), first.address().port());
    access.machine(&asked).await.unwrap();
    access.apply(&asked, &[target(1, "budi", Open)]).await.unwrap();
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = SimulatedRouter::start_on(of("S2"), port).await.unwrap();
    let error = access.apply(&asked, &[target(1, "budi", Open)]).await.unwrap_err();
    assert!(matches!(error, PortError::NotSent { .. }), "{error}");
    assert!(second.secrets().is_empty());
    // Whoever asks again learns who it is, and decides.
    assert_eq!(access.machine(&asked).await.unwrap().unwrap().serial.as_deref(), Some("S2"));
    access.apply(&asked, &[target(1, "budi", Open)]).await.unwrap();
    assert_eq!(second.secrets().len(), 1);
}
