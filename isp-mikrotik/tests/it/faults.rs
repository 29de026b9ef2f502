//! Whatever goes wrong on the way, accounts end in their desired state, what is reported is true, and what is not
//! ours is untouched.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::{endpoint, group, target};
use isp_core::isolation::Access::{self, Closed, Isolated, Open};
use isp_core::isolation::AccessTarget;
use isp_core::ports::{AccessControl, ApplyOutcome};
use isp_mikrotik::reconcile::Strategy;
use isp_mikrotik::simulator::{Fault, FaultKind, SimSecret, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{MikrotikAccess, Settings};
use proptest::prelude::*;

const ACCOUNTS: usize = 40;
const ROUNDS: usize = 110;
const CHANGES: usize = 10;
/// All kinds of faults that the simulator has.
const KINDS: usize = 15;

/// A small generator, so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn fault(&mut self) -> Fault {
        let kind = match self.roll(KINDS) {
            0 => FaultKind::Latency(Duration::from_millis(5)),
            1 => FaultKind::Segments(1 + self.roll(3)),
            2 => FaultKind::SlowTable(Duration::from_millis(1)),
            3 => FaultKind::CutReply(self.roll(30)),
            4 => FaultKind::CutRequest,
            5 => FaultKind::ReplyLost,
            6 => FaultKind::Hang,
            7 => FaultKind::HangAfterEffect,
            8 => FaultKind::Freeze,
            9 => FaultKind::Trap("action timed out - try again".to_owned()),
            10 => FaultKind::Fatal("session terminated on request".to_owned()),
            11 => FaultKind::Reboot(Duration::from_millis(2)),
            12 => FaultKind::ShortTable(1 + self.roll(10)),
            13 => FaultKind::SessionLimit(Duration::from_millis(2)),
            _ => FaultKind::Garbage,
        };
        let fault = Fault::new(kind).after(self.roll(4));
        match self.roll(9) {
            6 => fault.on("/ip/firewall/address-list"),
            7 => fault.on("/ip/hotspot"),
            8 => fault.on("/ppp/profile"),
            0 => fault.on("/ppp/secret/add"),
            1 => fault.on("/ppp/secret/set"),
            2 => fault.on("/ppp/secret/print"),
            3 => fault.on("/ppp/active/print"),
            4 => fault.on("/ppp/active/remove"),
            _ => fault,
        }
    }
}

/// The group of an account, and with it how it is isolated.
fn group_of(number: usize) -> &'static str {
    ["10M", "10M", "kantor", "sakelar", "warnet"][number % 5]
}

/// What the world shows of an account; `None` while old terms still run.
fn truth(router: &SimulatedRouter, target: &AccessTarget) -> Option<Access> {
    let name = target.account.username.as_str();
    if target.group.name.as_str() == "warnet" {
        return truth_of_hotspot(router, name.as_bytes());
    }
    let session = router.session(name).map(|session| session.profile);
    let Some(secret) = router.secret(name) else { return Some(Closed) };
    let settled = session.is_none() || session.as_deref() == Some(&secret.profile);
    match target.group.name.as_str() {
        "sakelar" if secret.disabled && session.is_none() => {
            Some(if String::from_utf8_lossy(&secret.comment).contains(";isolated") { Isolated } else { Closed })
        }
        _ if secret.disabled => session.is_none().then_some(Closed),
        _ if !settled => None,
        "kantor" => {
            let mark = format!("isp:{:012x}", target.subscription_id.0.as_u128());
            let listed = router.items("/ip/firewall/address-list").into_iter().any(|entry| {
                let address = entry["address"].as_slice();
                entry.get("comment").is_some_and(|comment| comment == mark.as_bytes())
                    && Some(address) == secret.remote_address.as_deref().map(str::as_bytes)
            });
            Some(if listed { Isolated } else { Open })
        }
        _ => Some(if secret.profile == "isolir" && secret.remote_address.is_none() { Isolated } else { Open }),
    }
}

fn truth_of_hotspot(router: &SimulatedRouter, name: &[u8]) -> Option<Access> {
    let of = |menu: &str, key: &str| {
        let items = router.items(menu).into_iter();
        items.filter(|item| item.get(key).is_some_and(|value| value == name)).collect::<Vec<_>>()
    };
    let Some(user) = of("/ip/hotspot/user", "name").pop() else { return Some(Closed) };
    let back = !of("/ip/hotspot/active", "user").is_empty() || !of("/ip/hotspot/cookie", "user").is_empty();
    match (user["disabled"] == b"true", user["profile"] == b"isolir") {
        (true, _) => (!back).then_some(Closed),
        (false, true) => (!back).then_some(Isolated),
        (false, false) => Some(Open),
    }
}

async fn live(seed: u64, version: Version) {
    let mut dice = Dice(seed);
    let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    let foreign_entry: [(&str, &[u8]); 3] = [("list", b"ISOLIR"), ("address", b"10.9.9.9"), ("comment", b"tangan")];
    router.force("/ip/firewall/address-list", &foreign_entry).unwrap();
    for (name, comment) in
        [("user-1x", &b"isp:ffffffffffff"[..]), ("user", b"caf\xe9"), ("0", b""), ("kembar", b"a"), ("kembar", b"b")]
    {
        router.force("/ppp/secret", &[("name", name.as_bytes()), ("password", b"x"), ("comment", comment)]);
    }
    for number in (0..ACCOUNTS).filter(|number| group_of(*number) == "kantor") {
        let (name, address) = (format!("user-{number}"), format!("10.1.1.{number}"));
        let values = [("name", name.as_bytes()), ("password", b"rahasia"), ("remote-address", address.as_bytes())];
        router.force("/ppp/secret", &values).unwrap();
    }
    let foreign = |router: &SimulatedRouter| -> (Vec<SimSecret>, usize) {
        let not_ours = |secret: &SimSecret| !secret.name.starts_with("user-") || secret.name == "user-1x";
        let entries = router.items("/ip/firewall/address-list").into_iter();
        let entries = entries.filter(|entry| entry.get("comment").is_some_and(|comment| comment == b"tangan")).count();
        (router.secrets().into_iter().filter(not_ours).collect(), entries)
    };
    let foreign_before = foreign(&router);
    let ways = [("kantor", Strategy::AddressList), ("sakelar", Strategy::Disable), ("warnet", Strategy::Hotspot)];
    let settings = Settings {
        pool: Some("pelanggan".to_owned()),
        deadline: Duration::from_millis(60),
        kick_pause: Duration::from_millis(1),
        isolation_by_group: ways.map(|(name, way)| (name.to_owned(), way)).into(),
        ..Settings::default()
    };
    let hasty = MikrotikAccess::new(settings.clone());

    let wanted = |number: usize| AccessTarget {
        group: group(group_of(number), 10),
        adopt: group_of(number) == "kantor",
        ..target(number as u128 + 1, &format!("user-{number}"), Open)
    };
    let mut targets: Vec<AccessTarget> = (0..ACCOUNTS).map(wanted).collect();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut applied = 0;
    for _ in 0..ROUNDS {
        let mut batch = Vec::new();
        for _ in 0..CHANGES {
            let index = dice.roll(ACCOUNTS);
            targets[index].desired = match dice.roll(9) {
                0 => Closed,
                1..=4 => Isolated,
                _ => Open,
            };
            batch.push(index);
        }
        let visitor = targets[dice.roll(ACCOUNTS)].account.username.as_str().to_owned();
        if router.items("/ip/hotspot/user").iter().any(|user| {
            user["name"] == visitor.as_bytes() && user["profile"] != b"isolir" && user["disabled"] != b"true"
        }) {
            router.force("/ip/hotspot/active", &[("user", visitor.as_bytes())]).unwrap();
            router.force("/ip/hotspot/cookie", &[("user", visitor.as_bytes())]).unwrap();
        }
        batch.sort_unstable();
        batch.dedup();
        for _ in 0..dice.roll(3) {
            router.inject(dice.fault());
        }
        let batch: Vec<_> = batch.into_iter().map(|index| targets[index].clone()).collect();
        if let Ok(outcomes) = hasty.apply(&endpoint(&router), &batch).await {
            for (target, outcome) in batch.iter().zip(outcomes) {
                if let ApplyOutcome::Done { access, .. } = outcome {
                    applied += 1;
                    assert_eq!(access, target.desired);
                    let name = target.account.username.as_str();
                    assert_eq!(truth(&router, target), Some(access), "seed {seed}: {name} was reported as {access:?}");
                }
            }
        }
        for secret in router.secrets().into_iter().filter(|secret| secret.name.starts_with("user-")) {
            let id = ids.entry(secret.name.clone()).or_insert_with(|| secret.id.clone());
            assert_eq!(*id, secret.id, "seed {seed}: {} was made twice", secret.name);
        }
        let mut users: Vec<_> = router.items("/ip/hotspot/user").into_iter().map(|user| user["name"].clone()).collect();
        users.sort_unstable();
        assert!(users.windows(2).all(|pair| pair[0] != pair[1]), "seed {seed}: a hotspot user was made twice");
        assert_eq!(foreign(&router), foreign_before, "seed {seed}");
        tokio::time::sleep(Duration::from_millis(4)).await;
        if dice.roll(3) == 0 {
            router.clear_faults();
        }
    }

    router.clear_faults();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let patient = MikrotikAccess::new(Settings { deadline: Duration::from_secs(20), ..settings });
    for outcome in patient.apply(&endpoint(&router), &targets).await.unwrap() {
        assert!(matches!(outcome, ApplyOutcome::Done { .. }), "seed {seed}: {outcome:?}");
    }
    for target in &targets {
        let name = target.account.username.as_str();
        assert_eq!(truth(&router, target), Some(target.desired), "seed {seed}: {name}");
        let comment = router.secret(name).map(|secret| secret.comment).unwrap_or_default();
        assert!(!comment.ends_with(b";kick"), "seed {seed}: {name} still owes a kick");
    }
    router.reset_counters();
    patient.apply(&endpoint(&router), &targets).await.unwrap();
    assert_eq!(router.counters().writes, 0, "seed {seed}");
    assert!(applied > 100, "seed {seed}: only {applied} outcomes");
}

#[tokio::test]
async fn any_mix_of_faults_converges_on_7_9() {
    live(1, Version::V7_9).await;
}

#[tokio::test]
async fn any_mix_of_faults_converges_on_7_21() {
    live(2, Version::V7_21_5).await;
}

proptest! {
    // More cases: PROPTEST_CASES=200 cargo test -p isp-mikrotik --test faults
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(cases()) })]
    #[test]
    fn any_mix_of_faults_converges(seed: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(seed, Version::ALL[usize::from(seed % 2 == 0)]));
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3)
}

/// The link breaks while sessions are ended in batches: whoever was ended already is not ended again.
#[tokio::test]
async fn a_session_is_ended_once_however_often_the_link_breaks() {
    const LINES: usize = 120;
    const BATCH: usize = 20;
    let router = SimulatedRouter::start(Simulation::default()).await.unwrap();
    let settings = Settings { kick_batch: BATCH, kick_pause: Duration::ZERO, ..Settings::default() };
    let access = MikrotikAccess::new(settings);
    let of = |desired| (1..=LINES as u128).map(|n| target(n, &format!("user-{n}"), desired)).collect::<Vec<_>>();
    access.apply(&endpoint(&router), &of(Open)).await.unwrap();
    let dialled = || {
        let id = |session: &isp_mikrotik::simulator::SimSession| u32::from_str_radix(&session.id[1..], 16).unwrap();
        router.sessions().iter().map(id).max().unwrap() as usize
    };
    let before = dialled();
    for at in 1..5 {
        router.inject(Fault::new(FaultKind::ReplyLost).on("/ppp/active/remove").after(at));
    }
    let mut calls = 0;
    loop {
        calls += 1;
        assert!(calls < 8, "it makes no progress");
        if let Ok(outcomes) = access.apply(&endpoint(&router), &of(Isolated)).await {
            assert!(outcomes.iter().all(|outcome| matches!(outcome, ApplyOutcome::Done { .. })), "{outcomes:?}");
            break;
        }
    }
    assert!(router.sessions().iter().all(|session| session.profile == "isolir"));
    assert!(router.secrets().iter().all(|secret| !secret.comment.ends_with(b";kick")));
    // Each break costs at most the batch whose reply was lost.
    let restarts = dialled() - before;
    assert!((LINES..=LINES + 4 * BATCH).contains(&restarts), "{restarts} sessions were begun for {LINES} lines");
}
