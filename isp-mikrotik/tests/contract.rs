//! The port's contract, as the core states it, on both RouterOS versions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use async_trait::async_trait;
use common::endpoint;
use isp_core::place::RouterEndpoint;
use isp_core::ports::AccessControl;
use isp_core::subscription::Account;
use isp_core::testing::contract::access::{Harness, run_all};
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{MikrotikAccess, Settings};

struct OnSimulator {
    router: SimulatedRouter,
    access: MikrotikAccess,
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
        self.router.force("/ppp/secret", &[("name", name), ("password", password), ("comment", b"tetangga")]).unwrap();
    }

    async fn is_untouched(&self, account: &Account) -> bool {
        self.router.secret(account.username.as_str()).is_some_and(|secret| {
            let same = secret.comment == b"tetangga" && secret.profile == "default" && !secret.disabled;
            same && secret.password_is(account.password.reveal())
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
        self.router.inject(Fault::new(FaultKind::ReplyLost).on("/ppp/secret/set"));
        true
    }
}

#[tokio::test]
async fn the_contract_holds_on_every_version() {
    for version in Version::ALL {
        let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
        run_all(&OnSimulator { router, access: MikrotikAccess::new(Settings::default()) }).await;
    }
}
