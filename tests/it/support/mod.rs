//! A small invented provider with doubles for the router and the messenger, for stories and properties.
#![allow(unreachable_pub, reason = "a benchmark uses it, too")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub mod books;
pub mod dice;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::billing::{InvoiceLine, LineKind};
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::clock::ClockWord;
use isp_core::customer::{Address, Customer, Phone};
use isp_core::engine::manage::add_subscription;
use isp_core::engine::{
    Approval, BillReport, DeliverReport, EnforceReport, Engine, EngineError, NewPayment, Outside, PayReport, Said,
};
use isp_core::holiday::PublicHolidays;
use isp_core::ids::{CustomerId, OutboxId, PackageId, RouterId, SiteId, SubscriptionId, TenantId};
use isp_core::isolation::{Access, AccessTarget, IsolationPolicy, access::ObservedAccess};
use isp_core::message::Sender;
use isp_core::message::notification::OutgoingMessage;
use isp_core::package::{Package, PriceList, Speed, UserGroup};
use isp_core::place::{Machine, Router, RouterEndpoint, Site};
use isp_core::ports::{
    AccessControl, ApplyOutcome, Capabilities, ChangeSet, DirectoryStore, Messenger, PortError, SendOutcome,
    StandingWatch, Store,
};
use isp_core::subscription::{Account, BillingTerms, Subscription};
use isp_core::tax::TaxMode;
use isp_core::testing::MemoryStore;
use isp_core::testing::sample::{self, worker};
use isp_core::text::{Code, Language, Name};
use isp_core::{Error, Money, Policy, Secret};
use uuid::Uuid;

pub const TENANT: TenantId = TenantId::DEFAULT;

pub fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

/// A full hour of a day in Jakarta.
pub fn at(day: &str, hour: u32) -> DateTime<Utc> {
    date(day).at(hour, 0, Zone::Wib)
}

/// Lives these days, both ends included, with a run before and after the hour of isolation, and checks the books of each.
pub async fn run_days(world: &World, from: &str, to: &str) {
    let mut day = date(from);
    while day <= date(to) {
        for hour in [9, 11] {
            world.run(day.at(hour, 0, Zone::Wib)).await.unwrap();
        }
        books::check(&world.store.snapshot(TENANT));
        day = day.plus_days(1);
    }
}

pub fn code(text: &str) -> Code {
    Code::parse("code", text).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse("name", text).unwrap()
}

pub fn customer_id(n: u32) -> CustomerId {
    CustomerId(Uuid::from_u128(0x1000_0000 + u128::from(n)))
}

pub fn subscription_id(n: u32) -> SubscriptionId {
    SubscriptionId(Uuid::from_u128(0x2000_0000 + u128::from(n)))
}

pub fn package_id(n: u32) -> PackageId {
    PackageId(Uuid::from_u128(0x3000_0000 + u128::from(n)))
}

pub fn router_id(n: u32) -> RouterId {
    RouterId(Uuid::from_u128(0x4000_0000 + u128::from(n)))
}

pub fn site_id(n: u32) -> SiteId {
    SiteId(Uuid::from_u128(0x5000_0000 + u128::from(n)))
}

/// A provider with two routers in two zones and three packages.
#[derive(Clone)]
pub struct World {
    pub store: MemoryStore,
    pub policy: Policy,
    /// Who asks in messages.
    pub sender: Option<Sender>,
    pub routers: Routers,
    pub messenger: Phones,
}

impl World {
    pub async fn new() -> Self {
        // Stories count days; public holidays have a story of their own.
        let isolation = IsolationPolicy { public_holidays: PublicHolidays::None, ..IsolationPolicy::default() };
        let world = Self {
            store: MemoryStore::new(),
            policy: Policy { isolation, ..Policy::default() },
            sender: Some(sample::sender()),
            routers: Routers::default(),
            messenger: Phones::default(),
        };
        let package = |n: u32, price, mode| Package {
            id: package_id(n),
            code: code(&format!("P{n}")),
            name: name(&format!("Paket {n}0 Mbps")),
            prices: PriceList::single(Money::rupiah(price)).unwrap(),
            tax_mode: mode,
            group: UserGroup {
                name: code(&format!("paket-{n}")).into(),
                speed: Speed::parse(&format!("{n}0")).unwrap(),
            },
            sold: true,
        };
        let changes = ChangeSet {
            sites: (0..2)
                .map(|n| Site {
                    id: site_id(n),
                    code: code(&format!("S{n}")),
                    name: name("Lokasi"),
                    zone: [Zone::Wib, Zone::Wit][n as usize],
                    coordinates: None,
                    archived: false,
                })
                .collect(),
            routers: (0..2)
                .map(|n| Router {
                    id: router_id(n),
                    code: code(&format!("R{n}")),
                    site_id: site_id(n),
                    endpoint: RouterEndpoint::parse(&format!("r{n}"), "isp", Secret::new("rahasia")).unwrap(),
                    archived: false,
                })
                .collect(),
            packages: vec![
                package(1, 150_000, TaxMode::Exclusive),
                package(2, 222_000, TaxMode::Inclusive),
                package(3, 55_000, TaxMode::Inclusive),
            ],
            ..ChangeSet::default()
        };
        world.store.commit(TENANT, changes).await.unwrap();
        world
    }

    pub fn engine(&self) -> Engine<'_> {
        Engine { page: 7, sender: self.sender.as_ref(), ..Engine::new(&self.store, TENANT, &self.policy) }
    }

    /// Gives package `n` another price, without PPN in it, from the beginning.
    pub async fn price(&self, n: u32, rupiah: i64) {
        let mut package =
            self.store.packages(TENANT).await.unwrap().into_iter().find(|p| p.id == package_id(n)).unwrap();
        package.prices = PriceList::single(Money::rupiah(rupiah)).unwrap();
        package.tax_mode = TaxMode::Exclusive;
        self.store.commit(TENANT, ChangeSet { packages: vec![package], ..ChangeSet::default() }).await.unwrap();
    }

    /// Adds customer `n` with one subscription of package 1 on router 0 (odd customers: on router 1, in WIT).
    pub async fn add(&self, n: u32, start: Date, day: u8, cycle: Cycle, now: DateTime<Utc>) {
        self.add_with(n, BillingTerms::new(package_id(1), start, BillingDay::try_new(day).unwrap(), cycle), now).await;
    }

    pub async fn add_with(&self, n: u32, terms: BillingTerms, now: DateTime<Utc>) {
        let at = n % 2;
        let mut changes = ChangeSet::default();
        changes.customers.push(Customer {
            id: customer_id(n),
            code: code(&format!("C{n:04}")),
            name: name(&format!("Pelanggan {n}")),
            nik: None,
            address: Address::parse("Jalan Contoh 1").unwrap(),
            phone: Some(Phone::parse(&format!("08120000{n:04}")).unwrap()),
            language: Language::Id,
            invoicing: Default::default(),
            coordinates: None,
        });
        let subscription = Subscription {
            id: subscription_id(n),
            customer_id: customer_id(n),
            site_id: site_id(at),
            router_id: Some(router_id(at)),
            account: Account::pppoe(code(&format!("user{n}")), Secret::new("sandi")),
            terms,
        };
        add_subscription(&mut changes, subscription, [Zone::Wib, Zone::Wit][at as usize], now);
        self.store.commit(TENANT, changes).await.unwrap();
    }

    /// A whole daily run.
    pub async fn run(&self, now: DateTime<Utc>) -> Result<(BillReport, EnforceReport, DeliverReport), EngineError> {
        let said = Said { approval: Approval::All, clock: ClockWord::Right };
        let (watch, routers) = (StandingWatch(now), &self.routers);
        let day = self.engine().run_day(&Outside::new(&worker(&watch), routers, &self.messenger), &said, now).await?;
        Ok((day.billed, day.enforced, day.delivered))
    }

    pub async fn pay(
        &self,
        n: u32,
        reference: &str,
        rupiah: i64,
        now: DateTime<Utc>,
    ) -> Result<PayReport, EngineError> {
        let payment = NewPayment {
            customer_id: customer_id(n),
            provider: code("bank"),
            reference: code(reference).into(),
            amount: Money::rupiah(rupiah),
            paid_at: now,
            collector: None,
        };
        self.engine().pay(&payment, now).await
    }

    pub async fn deliver(&self, now: DateTime<Utc>) -> DeliverReport {
        self.engine().deliver(&worker(&StandingWatch(now)), &self.routers, &self.messenger, now).await.unwrap()
    }
}

/// Routers that remember what they were told and can be switched off.
#[derive(Clone, Default)]
pub struct Routers(Arc<Mutex<RouterState>>);

#[derive(Default)]
struct RouterState {
    accounts: BTreeMap<(String, String), (Access, String)>,
    down: BTreeSet<String>,
    lose_reply: BTreeSet<String>,
}

impl Routers {
    pub fn set_down(&self, host: &str, down: bool) {
        let mut state = self.0.lock().unwrap();
        if down {
            state.down.insert(host.into());
        } else {
            state.down.remove(host);
        }
    }

    /// The next answer of this router is lost after it did what it was asked.
    pub fn lose_next_reply(&self, host: &str) {
        self.0.lock().unwrap().lose_reply.insert(host.into());
    }

    pub fn all_up(&self) {
        let mut state = self.0.lock().unwrap();
        state.down.clear();
        state.lose_reply.clear();
    }

    pub fn access(&self, host: &str, user: &str) -> Option<Access> {
        self.0.lock().unwrap().accounts.get(&(host.into(), user.into())).map(|a| a.0)
    }

    pub fn group(&self, host: &str, user: &str) -> Option<String> {
        self.0.lock().unwrap().accounts.get(&(host.into(), user.into())).map(|a| a.1.clone())
    }
}

#[async_trait]
impl AccessControl for Routers {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn machine(&self, router: &RouterEndpoint) -> Result<Option<Machine>, PortError> {
        match self.0.lock().unwrap().down.contains(&router.host) {
            true => Err(PortError::NotSent { reason: "connection refused".into() }),
            false => Ok(None),
        }
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        let mut state = self.0.lock().unwrap();
        if state.down.contains(&router.host) {
            return Err(PortError::NotSent { reason: "connection refused".into() });
        }
        let outcomes = targets
            .iter()
            .map(|t| {
                let key = (router.host.clone(), t.account.username.to_string());
                let wanted = (t.desired, t.group.name.to_string());
                let changed = state.accounts.insert(key, wanted.clone()) != Some(wanted);
                ApplyOutcome::Done { access: t.desired, changed, answer: "ok".into() }
            })
            .collect();
        if state.lose_reply.remove(&router.host) {
            return Err(PortError::Unknown { reason: "reply lost".into() });
        }
        Ok(outcomes)
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        Ok(targets
            .iter()
            .map(|t| ObservedAccess {
                access: self.access(&router.host, t.account.username.as_str()),
                revision: 0,
                at: now,
                answer: "ok".into(),
            })
            .collect())
    }
}

/// Customers' phones: what arrived, and a channel that can fail.
#[derive(Clone, Default)]
pub struct Phones(Arc<Mutex<PhoneState>>);

#[derive(Default)]
struct PhoneState {
    accepted: Vec<OutgoingMessage>,
    lose_reply_every: u64,
    down: bool,
    sent: u64,
}

impl Phones {
    pub fn accepted(&self) -> Vec<OutgoingMessage> {
        self.0.lock().unwrap().accepted.clone()
    }

    /// What was accepted since the last time that this was asked.
    pub fn take(&self) -> Vec<OutgoingMessage> {
        std::mem::take(&mut self.0.lock().unwrap().accepted)
    }

    /// How often each message arrived.
    pub fn counts(&self) -> BTreeMap<OutboxId, u32> {
        self.accepted().iter().fold(BTreeMap::new(), |mut counts, m| {
            *counts.entry(m.id).or_default() += 1;
            counts
        })
    }

    pub fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// The answer to every n-th message is lost after it was accepted; 0: none.
    pub fn lose_reply_every(&self, n: u64) {
        self.0.lock().unwrap().lose_reply_every = n;
    }
}

#[async_trait]
impl Messenger for Phones {
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
        let mut state = self.0.lock().unwrap();
        if state.down {
            return Err(PortError::NotSent { reason: "connection refused".into() });
        }
        state.sent += 1;
        state.accepted.push(message.clone());
        if state.lose_reply_every > 0 && state.sent.is_multiple_of(state.lose_reply_every) {
            return Err(PortError::Unknown { reason: "reply lost".into() });
        }
        Ok(SendOutcome::Accepted { provider_id: format!("wamid.{}", state.sent) })
    }
}

/// One customer (number 2, in Jakarta) with package 1 (Rp150.000 and PPN) from 1 January, billed on day 1.
pub async fn one() -> World {
    let world = World::new().await;
    world.add(2, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    world
}

/// Rupiah.
pub const fn rp(rupiah: i64) -> Money {
    Money::rupiah(rupiah)
}

/// Kinds and amounts of an invoice's lines.
pub fn lines(lines: &[InvoiceLine]) -> Vec<(LineKind, i64)> {
    lines.iter().map(|l| (l.kind, l.amount.as_i64())).collect()
}

/// The rule that said no.
pub fn domain(error: EngineError) -> Error {
    match error {
        EngineError::Domain(error) => error,
        other => panic!("{other:?}"),
    }
}
