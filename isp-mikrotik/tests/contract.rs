//! The port's contract, as the core states it, on both RouterOS versions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use async_trait::async_trait;
use common::endpoint;
use isp_core::place::RouterEndpoint;
use isp_core::ports::AccessControl;
use isp_core::subscription::Account;
use isp_core::testing::contract::access::{Harness, run_all};
use isp_mikrotik::reconcile::Strategy;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{MikrotikAccess, Settings};

struct OnSimulator {
    router: SimulatedRouter,
    access: MikrotikAccess,
    menu: &'static str,
}

#[async_trait]
impl Harness for OnSimulator {
    fn control(&self) -> &dyn AccessControl {
        &self.access
    }

    fn endpoint(&self) -> RouterEndpoint {
        endpoint(&self.router)
    }

    async fn plant(&self, account: &Account) {
        let (name, password) = (account.username.as_str().as_bytes(), account.password.reveal().as_bytes());
        self.router.force(self.menu, &[("name", name), ("password", password), ("comment", b"tetangga")]).unwrap();
    }

    async fn is_untouched(&self, account: &Account) -> bool {
        let (name, password) = (account.username.as_str().as_bytes(), account.password.reveal().as_bytes());
        let mut items = self.router.items(self.menu).into_iter();
        items.find(|item| item["name"] == name).is_some_and(|item| {
            let same = item["comment"] == b"tetangga" && item["profile"] == b"default" && item["disabled"] != b"true";
            same && item["password"] == password
        })
    }

    async fn set_down(&self, down: bool) {
        if down {
            self.router.down();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        } else {
            self.router.up().unwrap();
        }
    }

    async fn lose_reply(&self) -> bool {
        self.router.inject(Fault::new(FaultKind::ReplyLost).on(&format!("{}/set", self.menu)));
        true
    }
}

#[tokio::test]
async fn the_contract_holds_on_every_version_however_lines_are_isolated() {
    for version in Version::ALL {
        for (isolation, menu) in [
            (Strategy::Profile, "/ppp/secret"),
            (Strategy::Disable, "/ppp/secret"),
            (Strategy::Hotspot, "/ip/hotspot/user"),
        ] {
            let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
            let access = MikrotikAccess::new(Settings { isolation, ..Settings::default() });
            run_all(&OnSimulator { router, access, menu }).await;
        }
    }
}
