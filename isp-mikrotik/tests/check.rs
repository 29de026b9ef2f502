//! The connection test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{endpoint, target};
use isp_core::isolation::Access::Open;
use isp_core::ports::AccessControl;
use isp_core::secret::Secret;
use isp_mikrotik::simulator::{SimulatedRouter, Simulation};
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
