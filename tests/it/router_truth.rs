//! Whatever people do, here and in Winbox, and whatever breaks or is killed in between: after one calm run each line's
//! session is what is wanted, and at no moment "confirmed" was said of a line for which that was false at its last reading.
//! The same while two processes work on the router at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::support::dice::{Dice, at_random, seeds};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp::mikrotik::proto::Command;
use isp::mikrotik::reconcile::Strategy;
use isp::mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp::mikrotik::{Client, MikrotikAccess, Settings};
use isp_core::Secret;
use isp_core::calendar::{BillingDay, Cycle};
use isp_core::clock::ClockWord;
use isp_core::engine::{Approval, EngineError, Outside, Said};
use isp_core::ids::WorkerId;
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::{Access, AccessTarget, ServiceAccess};
use isp_core::money::Money;
use isp_core::package::{Package, PriceList, Speed, UserGroup};
use isp_core::place::{Router, RouterEndpoint};
use isp_core::ports::{
    AccessControl, AccessStore, ApplyOutcome, ChangeSet, DirectoryStore, Observed, OutboxStore, PageQuery,
    StandingWatch, Store, StoreError, Watch, Worker,
};
use isp_core::subscription::{BillingTerms, Subscription};
use isp_core::tax::TaxMode;
use isp_core::terms::account::AccountChange;
use isp_core::testing::sample::worker;
use isp_core::text::{Name, RouterName};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::support::{TENANT, World, at, code, customer_id, date, package_id, router_id, site_id, subscription_id};

const LINES: u32 = 16;
const STEPS: usize = 60;
/// How the lines of each package are isolated; lines of the second have a fixed address.
const GROUPS: [(&str, Strategy); 4] = [
    ("rumah", Strategy::Profile),
    ("kantor", Strategy::AddressList),
    ("sakelar", Strategy::Disable),
    ("warnet", Strategy::Hotspot),
];

/// How much of the router a run could read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    /// Not all, or not to the end.
    InPart,
    /// All of it.
    Whole,
    /// All of it, with nothing in the way: every line is to be confirmed.
    Calmly,
}

struct Life {
    world: World,
    router: SimulatedRouter,
    access: MikrotikAccess,
    /// Of another process: its connections and what it learned are its own.
    other: MikrotikAccess,
    dice: Dice,
    now: DateTime<Utc>,
    /// All names that a line ever had.
    names: BTreeMap<u32, BTreeSet<String>>,
    /// Names whose accounts a hand changed since the whole router was read.
    by_hand: BTreeSet<String>,
    seed: u64,
}

fn number(of: u32) -> u32 {
    of * 2
}

impl Life {
    async fn begin(seed: u64) -> Life {
        let version = Version::ALL[usize::from(seed.is_multiple_of(2))];
        let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
        router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
        let settings = Settings {
            pool: Some("pelanggan".to_owned()),
            local_address: Some("10.20.0.1".to_owned()),
            isolation_by_group: GROUPS.map(|(name, way)| (name.to_owned(), way)).into(),
            deadline: Duration::from_millis(80),
            kick_pause: Duration::from_millis(1),
            rest: Duration::ZERO,
            ..Settings::default()
        };
        let world = World::new().await;
        let (user, password) = router.credentials();
        let secret = Secret::new(password.expose_secret());
        let endpoint = RouterEndpoint::parse(&router.address().to_string(), user, secret).unwrap();
        let home = Router { id: router_id(0), code: code("R0"), site_id: site_id(0), endpoint, archived: false };
        let packages = (0..4).map(|n| package(n, 10)).collect();
        world.store.commit(TENANT, ChangeSet { routers: vec![home], packages, ..ChangeSet::default() }).await.unwrap();
        let now = at("2026-01-01", 8);
        let mut names = BTreeMap::new();
        for of in 0..LINES {
            let terms = BillingTerms::new(
                package_id(of % 4 + 1),
                date("2026-01-01"),
                BillingDay::try_new(1).unwrap(),
                Cycle::Monthly,
            );
            let n = number(of);
            if of % 4 == 1 {
                let (name, address) = (format!("user{n}"), format!("10.1.1.{}", of + 1));
                let mark = format!("isp:{:012x}", subscription_id(n).0.as_u128() & 0xffff_ffff_ffff);
                let values = [
                    ("name", name.as_bytes()),
                    ("password", b"sandi"),
                    ("remote-address", address.as_bytes()),
                    ("comment", mark.as_bytes()),
                ];
                router.force("/ppp/secret", &values).unwrap();
            }
            world.add_with(n, terms, now).await;
            names.insert(of, BTreeSet::from([format!("user{n}")]));
        }
        let (access, other) = (MikrotikAccess::new(settings.clone()), MikrotikAccess::new(settings));
        Life { world, router, access, other, dice: Dice(seed), now, names, by_hand: BTreeSet::new(), seed }
    }

    async fn lines(&self) -> Vec<(Subscription, ServiceAccess)> {
        self.world.store.subscriptions(TENANT, None, PageQuery::first(1_000)).await.unwrap()
    }

    /// A run; true when it could read the router to the end, so that what it says is of now. The other routers of the
    /// world are never on.
    async fn run(&self) -> Result<bool, EngineError> {
        let watch = StandingWatch(self.now);
        let worker = worker(&watch);
        let outside = Outside::new(&worker, &self.access, &self.world.messenger);
        let said = Said { approval: Approval::All, clock: ClockWord::Right };
        let day = self.world.engine().run_day(&outside, &said, self.now).await?;
        let ours = router_id(0);
        Ok(!day.surveyed.unread.contains_key(&ours) && !day.delivered.routers_down.contains_key(&ours))
    }

    /// What somebody or the office does; true when a hand in Winbox did it.
    async fn act(&mut self) -> bool {
        let of = u32::try_from(self.dice.roll(u64::from(LINES))).unwrap();
        let n = number(of);
        let engine = self.world.engine();
        match self.dice.roll(15) {
            0..=2 => drop(engine.isolate(customer_id(n), "Sari", "uji", self.now).await),
            3..=4 => drop(engine.reopen(customer_id(n), "Sari", "uji", self.now).await),
            5 => {
                // Not for fixed addresses, which only the router knows.
                if of % 4 != 1 {
                    let name = format!("user{n}-{}", self.dice.roll(3));
                    let change = AccountChange { username: Some(code(&name).into()), ..AccountChange::default() };
                    if engine.change_account(subscription_id(n), &change, "Sari", self.now).await.is_ok() {
                        self.names.entry(of).or_default().insert(name);
                    }
                }
            }
            6 => {
                // A settings file or an import that moved the line to another package, and said nothing.
                if of % 4 != 1 {
                    let lines = self.lines().await;
                    let (line, _) = lines.iter().find(|(line, _)| line.id == subscription_id(n)).unwrap();
                    let package_id = package_id([1, 3, 4][usize::try_from(self.dice.roll(3)).unwrap()]);
                    let terms = vec![(line.id, BillingTerms { package_id, ..line.terms })];
                    self.world.store.commit(TENANT, ChangeSet { terms, ..ChangeSet::default() }).await.unwrap();
                }
            }
            7 => {
                let packages = vec![package(
                    u32::try_from(self.dice.roll(4)).unwrap(),
                    10 + u32::try_from(self.dice.roll(3)).unwrap() * 5,
                )];
                self.world.store.commit(TENANT, ChangeSet { packages, ..ChangeSet::default() }).await.unwrap();
            }
            _ => {
                self.by_hand(of).await;
                return true;
            }
        }
        false
    }

    async fn by_hand(&mut self, of: u32) {
        let names: Vec<String> = self.names[&of].iter().cloned().collect();
        let name = names[usize::try_from(self.dice.roll(names.len() as u64)).unwrap()].clone();
        self.by_hand.insert(name.clone());
        let fixed = of % 4 == 1;
        let menu = if self.dice.one_in(4) { "/ip/hotspot/user" } else { "/ppp/secret" };
        let profile = ["isolir", "rumah", "sakelar"][usize::try_from(self.dice.roll(3)).unwrap()];
        match self.dice.roll(9) {
            0 => self.set(menu, &name, "disabled", "yes").await,
            1 => self.set(menu, &name, "disabled", "no").await,
            2 => self.set(menu, &name, "profile", "default").await,
            3 => self.set(menu, &name, "password", "lain").await,
            4 => self.set("/ppp/profile", profile, "rate-limit", "1M/1M").await,
            5 => self.set("/ppp/profile", "isolir", "address-list", "").await,
            6 if !fixed => self.router.force_remove(menu, &name),
            7 => {
                // A list entry without its comment, or made by hand, for a fixed address.
                let address = format!("10.1.1.{}", of + 1);
                if fixed {
                    let entry = [("list", &b"ISOLIR"[..]), ("address", address.as_bytes())];
                    drop(self.router.force("/ip/firewall/address-list", &entry));
                }
            }
            _ => {
                self.set(menu, &name, "profile", profile).await;
            }
        }
    }

    async fn set(&self, menu: &str, name: &str, property: &str, value: &str) {
        let Ok(hand) = Client::connect(self.router.options()).await else { return };
        let print = Command::new(&format!("{menu}/print")).proplist(&[".id"]).where_any("name", &[name]);
        let Ok(rows) = hand.call(&print).await else { return };
        let ids: Vec<String> = rows.rows().iter().filter_map(|row| row.utf8(".id").map(str::to_owned)).collect();
        for id in ids {
            drop(hand.call(&Command::new(&format!("{menu}/set")).arg(".id", id).arg(property, value)).await);
        }
    }

    fn fault(&mut self) -> Fault {
        let kind = match self.dice.roll(9) {
            0 => FaultKind::CutRequest,
            1 => FaultKind::ReplyLost,
            2 => FaultKind::Hang,
            3 => FaultKind::HangAfterEffect,
            4 => FaultKind::Trap("action timed out - try again".to_owned()),
            5 => FaultKind::Reboot(Duration::from_millis(2)),
            6 => FaultKind::ShortTable(1 + usize::try_from(self.dice.roll(5)).unwrap()),
            7 => FaultKind::CutReply(usize::try_from(self.dice.roll(30)).unwrap()),
            _ => FaultKind::Garbage,
        };
        let fault = Fault::new(kind).after(usize::try_from(self.dice.roll(20)).unwrap());
        match self.dice.roll(5) {
            0 => fault.on("/ppp/secret"),
            1 => fault.on("/ppp/active"),
            _ => fault,
        }
    }

    /// Lets every line that counts as confirmed be looked at as its customer feels it. After a run that read the router
    /// to the end (`whole`) these are all; else those whose reading is of now, since nobody can know what a hand did to
    /// a router that could not be read, and the moment of the reading says so.
    async fn nothing_false_is_confirmed(&mut self, read: Read) {
        if read != Read::InPart {
            self.by_hand.clear();
        }
        for (line, access) in self.lines().await {
            let name = line.account.username.as_str();
            if read == Read::Calmly {
                assert!(access.agrees(), "seed {}: {name} is not confirmed: {access:?}", self.seed);
            }
            let of_now = access.observed.as_ref().is_some_and(|observed| observed.at >= self.now);
            if access.agrees() && (of_now || read != Read::InPart) {
                let lie = self.lie(&line, access.desired).await;
                assert_eq!(lie, None, "seed {}: {name} was confirmed as {:?}: {access:?}", self.seed, access.desired);
            }
        }
    }

    /// What is wrong with a line that should have this access; `None` when nothing is.
    async fn lie(&self, line: &Subscription, desired: Access) -> Option<String> {
        let targets = self.world.store.access_targets(TENANT, &[line.id]).await.unwrap();
        let group = targets.first()?.group.clone();
        let (_, way) = GROUPS.into_iter().find(|(name, _)| *name == group.name.as_str()).unwrap();
        let name = line.account.username.as_str();
        let of = (0..LINES).find(|of| subscription_id(number(*of)) == line.id).unwrap();
        let user =
            |name: &str| self.router.items("/ip/hotspot/user").into_iter().find(|user| user["name"] == name.as_bytes());
        // No other account of the line lets anybody in.
        for other in &self.names[&of] {
            // What was closed under an old name is looked at again when the whole router is read.
            if other != name && self.by_hand.contains(other) {
                continue;
            }
            let current = other == name && desired != Access::Closed;
            if !(current && way != Strategy::Hotspot)
                && self
                    .router
                    .secret(other)
                    .is_some_and(|secret| !secret.disabled && secret.comment.starts_with(b"isp:"))
            {
                return Some(format!("the account {other} lets in"));
            }
            if !(current && way != Strategy::Hotspot) && self.router.session(other).is_some() {
                return Some(format!("a session of {other} runs"));
            }
            if !(current && way == Strategy::Hotspot) && user(other).is_some_and(|user| user["disabled"] != b"true") {
                return Some(format!("the hotspot user {other} lets in"));
            }
        }
        if desired == Access::Closed {
            return None;
        }
        if way == Strategy::Hotspot {
            let user = user(name).map(|user| (user["disabled"].clone(), user["profile"].clone()));
            let profile = if desired == Access::Open { group.name.as_str() } else { "isolir" };
            let right = user == Some((b"false".to_vec(), profile.as_bytes().to_vec()));
            return (!right).then(|| format!("hotspot user {user:?}"));
        }
        let Some(secret) = self.router.secret(name) else { return Some("no account".to_owned()) };
        let session = self.router.session(name);
        if desired == Access::Isolated && way == Strategy::Disable {
            return (!secret.disabled || session.is_some()).then(|| format!("{secret:?} {session:?}"));
        }
        let listed = |address: &str| {
            let entries = self.router.items("/ip/firewall/address-list");
            entries.iter().any(|entry| entry["list"] == b"ISOLIR" && entry["address"] == address.as_bytes())
        };
        let inside = session.as_ref().and_then(|session| session.address.as_deref()).is_some_and(listed);
        let by_profile = desired == Access::Isolated && way == Strategy::Profile;
        let profile = if by_profile { "isolir" } else { group.name.as_str() };
        let rate = if by_profile { "64k/64k".to_owned() } else { group.speed.rate_limit() };
        let right = !secret.disabled
            && secret.password_is(line.account.password.reveal())
            && secret.profile == profile
            // What a session carries, whatever its profile is called: RouterOS does not show under which one it began, and all
            // have one pool here.
            && session.as_ref().is_none_or(|session| {
                session.rate_limit.as_deref() == Some(rate.as_str()) && inside == (desired == Access::Isolated)
            })
            && (way != Strategy::AddressList
                || secret.remote_address.as_deref().is_some_and(listed) == (desired == Access::Isolated));
        (!right).then(|| format!("{secret:?} {session:?}, in the list: {inside}, wanted {rate}"))
    }
}

fn package(n: u32, mbps: u32) -> Package {
    let (name, _) = GROUPS[n as usize];
    Package {
        id: package_id(n + 1),
        code: code(&format!("P{}", n + 1)),
        name: Name::parse("name", name).unwrap(),
        prices: PriceList::single(Money::rupiah(100_000)).unwrap(),
        tax_mode: TaxMode::Inclusive,
        group: UserGroup {
            name: RouterName::parse("group", name).unwrap(),
            speed: Speed { down_kbps: mbps * 1000, up_kbps: mbps * 1000 },
        },
        sold: true,
    }
}

async fn live(seed: u64) {
    let mut life = Life::begin(seed).await;
    let mut read_whole = 0;
    life.run().await.unwrap();
    life.nothing_false_is_confirmed(Read::Calmly).await;
    for _ in 0..STEPS {
        life.now += TimeDelta::seconds(61);
        for _ in 0..=life.dice.roll(2) {
            life.act().await;
        }
        for _ in 0..life.dice.roll(3) {
            let fault = life.fault();
            life.router.inject(fault);
        }
        match life.dice.roll(4) {
            // Killed in the middle.
            0 => {
                let after = Duration::from_micros(200 + life.dice.roll(30_000));
                drop(tokio::time::timeout(after, life.run()).await);
                life.nothing_false_is_confirmed(Read::InPart).await;
            }
            1 => {
                let (watch, engine) = (StandingWatch(life.now), life.world.engine());
                drop(engine.deliver(&worker(&watch), &life.access, &life.world.messenger, life.now).await.unwrap());
                life.nothing_false_is_confirmed(Read::InPart).await;
            }
            _ => {
                let whole = life.run().await.unwrap();
                life.nothing_false_is_confirmed(if whole { Read::Whole } else { Read::InPart }).await;
                // Boxes that were refused dial again.
                if life.dice.one_in(2) {
                    life.router.clear_faults();
                    life.now += TimeDelta::seconds(61);
                    let whole = life.run().await.unwrap();
                    read_whole += u32::from(whole);
                    life.nothing_false_is_confirmed(if whole { Read::Whole } else { Read::InPart }).await;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
        if life.dice.one_in(3) {
            life.router.clear_faults();
        }
    }
    assert_ne!(read_whole, 0, "seed {seed}: no run in between read the router, so nothing was looked at");
    life.router.clear_faults();
    tokio::time::sleep(Duration::from_millis(20)).await;
    life.now += TimeDelta::seconds(61);
    life.run().await.unwrap();
    life.nothing_false_is_confirmed(Read::Calmly).await;
    life.now += TimeDelta::seconds(61);
    life.router.reset_counters();
    life.run().await.unwrap();
    assert_eq!(life.router.counters().writes, 0, "seed {seed}: nothing is left to do");
}

/// A watch that goes on while a process works.
struct RunningWatch(DateTime<Utc>, tokio::time::Instant);

#[async_trait]
impl Watch for RunningWatch {
    fn now(&self) -> DateTime<Utc> {
        self.0 + TimeDelta::from_std(self.1.elapsed()).unwrap()
    }

    async fn pause(&self, time: TimeDelta) {
        tokio::time::sleep(time.to_std().unwrap()).await;
    }
}

impl Life {
    /// What one of two processes does: a run, a delivery, or `isp router apply`.
    async fn work(&self, process: u64, what: u64, watch: &RunningWatch) -> Result<(), EngineError> {
        let access = if process == 0 { &self.access } else { &self.other };
        let id = WorkerId(Uuid::from_u128(u128::from(process) + 7));
        let worker = Worker { lease: TimeDelta::milliseconds(300), ..Worker::new(id, watch) };
        let (engine, store) = (self.world.engine(), &self.world.store);
        match what {
            0 => {
                let outside = Outside::new(&worker, access, &self.world.messenger);
                let said = Said { approval: Approval::All, clock: ClockWord::Right };
                engine.run_day(&outside, &said, self.now).await.map(drop)
            }
            1 => engine.deliver(&worker, access, &self.world.messenger, self.now).await.map(drop),
            _ => {
                let Some(hold) = engine.turn_at(&worker, router_id(0)).await? else { return Ok(()) };
                let targets = store.router_targets(TENANT, router_id(0), PageQuery::first(1_000)).await?;
                let home = store.routers(TENANT).await?.into_iter().find(|router| router.id == router_id(0)).unwrap();
                let mut outcomes = engine.renewing(&worker, access.apply(&home.endpoint, &targets)).await;
                let lines: Vec<_> = targets.iter().map(|target| target.subscription_id).collect();
                match engine.renewing(&worker, engine.close_left(access, &home, &lines, self.now)).await? {
                    Err(error) => outcomes = Err(error),
                    Ok(left) => {
                        for (target, refused) in left {
                            let at = lines.iter().position(|line| *line == target.subscription_id).unwrap();
                            if let (ApplyOutcome::Refused { .. }, Ok(outcomes)) = (&refused, &mut outcomes) {
                                outcomes[at] = refused;
                            }
                        }
                    }
                }
                let of = |(place, target): (usize, &AccessTarget)| {
                    let outcome = outcomes.as_ref().ok().and_then(|outcomes| outcomes.get(place));
                    let seen = |access, revision, answer| ObservedAccess { access, revision, at: self.now, answer };
                    let seen = match outcome {
                        Some(ApplyOutcome::Done { access, answer, .. }) => {
                            seen(Some(*access), target.revision, answer.clone())
                        }
                        Some(ApplyOutcome::Refused { code, reason }) => {
                            ObservedAccess::refused(target.revision, self.now, code, reason)
                        }
                        None => seen(None, 0, String::new()),
                    };
                    (target.subscription_id, seen)
                };
                let lines: Vec<_> = targets.iter().enumerate().map(of).collect();
                store.record(TENANT, id, &[], Observed { lines: &lines, under: Some(hold) }).await?;
                store.free_router(TENANT, hold).await?;
                Ok(())
            }
        }
    }

    /// The office decides something while both work.
    async fn office(&self, after: Duration, n: u32, opens: bool) {
        tokio::time::sleep(after).await;
        let engine = self.world.engine();
        match opens {
            true => drop(engine.reopen(customer_id(n), "Sari", "uji", self.now).await),
            false => drop(engine.isolate(customer_id(n), "Sari", "uji", self.now).await),
        }
    }
}

/// Two processes, in any mix of run, deliver and apply; one of them is killed now and then.
async fn live_with_two(seed: u64) {
    let mut life = Life::begin(seed).await;
    life.run().await.unwrap();
    let mut both_worked = 0;
    for _ in 0..24 {
        life.now += TimeDelta::seconds(61);
        for _ in 0..=life.dice.roll(3) {
            life.act().await;
        }
        if life.dice.one_in(2) {
            let fault = life.fault();
            life.router.inject(fault);
        }
        life.router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(2))).on("/ppp").times(60));
        let watch = RunningWatch(life.now, tokio::time::Instant::now());
        let (first, second) = (life.dice.roll(3), life.dice.roll(3));
        let killed = if life.dice.one_in(4) { life.dice.roll(40) } else { 10_000 };
        let decided = Duration::from_millis(life.dice.roll(60));
        let (n, opens) = (number(u32::try_from(life.dice.roll(u64::from(LINES))).unwrap()), life.dice.one_in(2));
        let other = tokio::time::timeout(Duration::from_millis(killed), life.work(1, second, &watch));
        let (one, other, ()) = tokio::join!(life.work(0, first, &watch), other, life.office(decided, n, opens));
        for outcome in [Some(one), other.ok()].into_iter().flatten() {
            match outcome {
                Ok(()) => both_worked += 1,
                // Two runs at once are one.
                Err(EngineError::Store(StoreError::Busy)) => {}
                Err(error) => panic!("seed {seed}: {error}"),
            }
        }
        life.nothing_false_is_confirmed(Read::InPart).await;
        life.router.clear_faults();
    }
    assert!(both_worked > 24, "seed {seed}: only {both_worked} of 48 did anything");
    tokio::time::sleep(Duration::from_millis(20)).await;
    life.now += TimeDelta::seconds(61);
    life.run().await.unwrap();
    life.nothing_false_is_confirmed(Read::Calmly).await;
}

fn live_once(seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(live(seed));
}

/// A hand removes the account of a line that moved to the hotspot, and its old session runs on.
#[test]
fn a_session_without_an_account_is_ended_when_its_line_moved_to_another_service() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(live_with_two(3_506_105_314_043_968_303));
}

/// A hand changes a profile and the router then cannot be read: what is known stays as of the last reading.
#[test]
fn what_is_confirmed_is_as_old_as_its_reading() {
    live_once(716_839_686_937_920_251);
}

proptest! {
    #![proptest_config(at_random(4))]
    #[test]
    fn one_calm_run_ends_in_what_is_wanted(seed in seeds()) {
        live_once(seed);
    }

    #[test]
    fn two_processes_at_once_confirm_nothing_false(seed in seeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live_with_two(seed));
    }
}
