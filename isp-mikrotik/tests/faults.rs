//! Whatever goes wrong on the way, accounts end in their desired state, what is reported is true, and what is not
//! ours is untouched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{endpoint, target};
use isp_core::isolation::Access::{self, Closed, Isolated, Open};
use isp_core::isolation::AccessTarget;
use isp_core::ports::{AccessControl, ApplyOutcome};
use isp_mikrotik::simulator::{Fault, FaultKind, SimSecret, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{MikrotikAccess, Settings};

const ACCOUNTS: usize = 40;
const ROUNDS: usize = 110;
const CHANGES: usize = 10;

/// A small generator, so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn fault(&mut self) -> Fault {
        let kind = match self.roll(14) {
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
            _ => FaultKind::Garbage,
        };
        let fault = Fault::new(kind).after(self.roll(4));
        match self.roll(6) {
            0 => fault.on("/ppp/secret/add"),
            1 => fault.on("/ppp/secret/set"),
            2 => fault.on("/ppp/secret/print"),
            3 => fault.on("/ppp/active/print"),
            4 => fault.on("/ppp/active/remove"),
            _ => fault,
        }
    }
}

/// What the world shows of an account; `None` while old terms still run.
fn truth(router: &SimulatedRouter, name: &str) -> Option<Access> {
    let secret = router.secret(name);
    let session = router.session(name).map(|session| session.profile);
    match (secret, session.as_deref()) {
        (None, _) => Some(Closed),
        (Some(secret), None) if secret.disabled => Some(Closed),
        (Some(secret), session) if session.is_none() || session == Some(&secret.profile) => {
            Some(if secret.profile == "isolir" && secret.remote_address.is_none() { Isolated } else { Open })
        }
        _ => None,
    }
}

async fn live(seed: u64, version: Version) {
    let mut dice = Dice(seed);
    let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.20.0.2-10.20.3.250")]).unwrap();
    for (name, comment) in
        [("user-1x", &b"isp:ffffffffffff"[..]), ("user", b"caf\xe9"), ("0", b""), ("kembar", b"a"), ("kembar", b"b")]
    {
        router.force("/ppp/secret", &[("name", name.as_bytes()), ("password", b"x"), ("comment", comment)]);
    }
    let foreign = |router: &SimulatedRouter| -> Vec<SimSecret> {
        router
            .secrets()
            .into_iter()
            .filter(|secret| !secret.name.starts_with("user-") || secret.name == "user-1x")
            .collect()
    };
    let foreign_before = foreign(&router);
    let settings =
        Settings { pool: Some("pelanggan".to_owned()), deadline: Duration::from_millis(60), ..Settings::default() };
    let hasty = MikrotikAccess::new(settings.clone());

    let mut targets: Vec<AccessTarget> =
        (0..ACCOUNTS).map(|number| target(number as u128 + 1, &format!("user-{number}"), Open)).collect();
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
                    assert_eq!(truth(&router, name), Some(access), "seed {seed}: {name} was reported as {access:?}");
                }
            }
        }
        for secret in router.secrets().into_iter().filter(|secret| secret.name.starts_with("user-")) {
            let id = ids.entry(secret.name.clone()).or_insert_with(|| secret.id.clone());
            assert_eq!(*id, secret.id, "seed {seed}: {} was made twice", secret.name);
        }
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
        assert_eq!(truth(&router, name), Some(target.desired), "seed {seed}: {name}");
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

#[tokio::test]
async fn any_mix_of_faults_converges_from_other_seeds() {
    for seed in 3..6 {
        live(seed, Version::V7_21_5).await;
    }
}
