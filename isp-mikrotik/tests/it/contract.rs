//! The port's contract, as the core states it, on both RouterOS versions.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::time::Duration;

use crate::common::endpoint;
use async_trait::async_trait;
use isp_core::place::RouterEndpoint;
use isp_core::ports::AccessControl;
use isp_core::secret::Secret;
use isp_core::subscription::{Account, Mac, Service};
use isp_core::testing::contract::access::{Harness, run_all};
use isp_core::text::Code;
use isp_mikrotik::reconcile::Strategy;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{MikrotikAccess, Settings};

struct OnSimulator {
    router: SimulatedRouter,
    access: MikrotikAccess,
    menu: &'static str,
    service: Service,
    /// The session that a box began when it was told to.
    dialled: Mutex<Option<String>>,
}

impl OnSimulator {
    /// The id of the session of an account. The simulated router has PPP sessions only.
    fn session(&self, account: &Account) -> Option<String> {
        self.router.session(account.username.as_str()).map(|session| session.id)
    }
}

#[async_trait]
impl Harness for OnSimulator {
    fn control(&self) -> &dyn AccessControl {
        &self.access
    }

    fn endpoint(&self) -> RouterEndpoint {
        endpoint(&self.router)
    }

    fn account(&self, number: u64) -> Account {
        let last = u8::try_from(number).unwrap();
        let name = Code::parse("username", &format!("contract-{number}")).unwrap();
        let mac = Mac::parse(&format!("AA:BB:CC:00:11:{last:02X}")).unwrap();
        match self.service {
            Service::Pppoe => Account::pppoe(name, Secret::new("password")),
            Service::Hotspot => Account::hotspot(name, Secret::new("password")),
            Service::Static => Account::fixed(Ipv4Addr::new(10, 20, 0, last)).unwrap(),
            Service::Dhcp => Account::dhcp(mac, Some(Ipv4Addr::new(10, 20, 0, last))).unwrap(),
        }
    }

    async fn plant(&self, account: &Account) {
        if let Some(values) = foreign(account) {
            let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            self.router.force(self.menu, &values).unwrap();
            return;
        }
        let (name, password) = (account.username.as_str().as_bytes(), account.password.reveal().as_bytes());
        self.router.force(self.menu, &[("name", name), ("password", password), ("comment", b"tetangga")]).unwrap();
    }

    async fn is_untouched(&self, account: &Account) -> bool {
        if let Some(values) = foreign(account) {
            let same = |item: &std::collections::BTreeMap<String, Vec<u8>>| {
                values.iter().all(|(name, value)| item.get(*name).is_some_and(|found| found == value.as_bytes()))
            };
            return self.router.items(self.menu).iter().any(same);
        }
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
            tokio::time::sleep(Duration::from_millis(20)).await;
        } else {
            self.router.up().unwrap();
        }
    }

    async fn lose_reply(&self) -> bool {
        self.router.inject(Fault::new(FaultKind::ReplyLost).on(&format!("{}/set", self.menu)));
        true
    }

    async fn dial(&self, account: &Account) -> bool {
        if self.menu != "/ppp/secret" {
            return false;
        }
        self.router.plug(account.username.as_str(), account.password.reveal());
        for _ in 0..100 {
            if let Some(session) = self.session(account) {
                *self.dialled.lock().unwrap() = Some(session);
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    async fn runs_on(&self, account: &Account) -> bool {
        let dialled = self.dialled.lock().unwrap().clone();
        dialled.is_some() && self.session(account) == dialled
    }
}

/// What somebody else has for the address or box of a line that nobody logs in for.
fn foreign(account: &Account) -> Option<Vec<(&'static str, String)>> {
    let address = account.address?;
    Some(match account.mac() {
        Some(mac) => {
            vec![("mac-address", mac.to_string()), ("address", address.to_string()), ("comment", "tetangga".into())]
        }
        None => vec![
            ("name", format!("tetangga {address}")),
            ("target", format!("{address}/32")),
            ("max-limit", "1000000/2000000".into()),
            ("comment", "tetangga".into()),
        ],
    })
}

#[tokio::test]
async fn the_contract_holds_on_every_version_however_lines_are_isolated() {
    for version in Version::ALL {
        for (isolation, menu, service) in [
            (Strategy::Profile, "/ppp/secret", Service::Pppoe),
            (Strategy::Disable, "/ppp/secret", Service::Pppoe),
            (Strategy::Hotspot, "/ip/hotspot/user", Service::Pppoe),
            (Strategy::Profile, "/ip/hotspot/user", Service::Hotspot),
            (Strategy::Profile, "/queue/simple", Service::Static),
            (Strategy::Profile, "/ip/dhcp-server/lease", Service::Dhcp),
        ] {
            let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
            router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
            let pool = Some("pelanggan".to_owned());
            let access = MikrotikAccess::new(Settings { isolation, pool, ..Settings::default() });
            let harness = OnSimulator { router, access, menu, service, dialled: Mutex::new(None) };
            run_all(&harness).await;
            assert_eq!(harness.dialled.lock().unwrap().is_some(), menu == "/ppp/secret", "boxes dialled in");
        }
    }
}
