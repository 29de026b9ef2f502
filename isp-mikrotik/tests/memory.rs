//! Ten thousand accounts that are as they should be: four commands, no write, and little memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![cfg(target_os = "linux")]

#[path = "it/common/mod.rs"]
mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use common::target;
use isp_core::isolation::Access::Open;
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, ApplyOutcome};
use isp_core::secret::Secret;
use isp_mikrotik::simulator::{SimulatedRouter, Simulation};
use isp_mikrotik::{MikrotikAccess, Settings};

const ACCOUNTS: usize = 10_000;
const LIMIT_KIB: u64 = 64 << 10;

fn name(number: usize) -> String {
    format!("08123456{number:05}")
}

/// Set for the process that plays the router, so that the memory of the router is not counted.
const ROUTER: &str = "ISP_TEST_ROUTER";
const THIS_TEST: &str = "ten_thousand_unchanged_accounts_take_five_commands_and_less_than_64_mib";

/// Says where it listens, and what it counted for each line that it is sent; ends with its input.
async fn be_the_router() {
    let router = SimulatedRouter::start(Simulation { auto_dial: false, ..Simulation::default() }).await.unwrap();
    let values: [(&str, &[u8]); 3] = [("name", b"10M"), ("rate-limit", b"5M/10M"), ("comment", b"isp:group")];
    router.force("/ppp/profile", &values).unwrap();
    for number in 0..ACCOUNTS {
        let (name, comment) = (name(number), format!("isp:{number:012x} Pak Budi, rumah cat hijau, gang {number}"));
        let values: [(&str, &[u8]); 4] =
            [("name", name.as_bytes()), ("password", b"rahasia"), ("profile", b"10M"), ("comment", comment.as_bytes())];
        router.force("/ppp/secret", &values).unwrap();
    }
    println!("router {}", router.address());
    loop {
        let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await.unwrap();
        let Some(Ok(_)) = line else { return };
        let counters = router.counters();
        println!("counters {} {}", counters.commands, counters.writes);
    }
}

fn answer(lines: &mut impl BufRead, word: &str) -> String {
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        // The test runner's own words may stand in front of it.
        if let Some((_, rest)) = line.split_once(&format!("{word} ")) {
            return rest.trim().to_owned();
        }
        line.clear();
    }
    panic!("the router ended");
}

/// The most memory that this process had at once, KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn ten_thousand_unchanged_accounts_take_five_commands_and_less_than_64_mib() {
    if std::env::var_os(ROUTER).is_some() {
        return be_the_router().await;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([THIS_TEST, "--exact", "--nocapture"])
        .env(ROUTER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut ask = child.stdin.take().unwrap();
    let address = answer(&mut lines, "router");
    let endpoint = RouterEndpoint::parse(&address, "api", Secret::new("simulated")).unwrap();
    let targets: Vec<_> = (0..ACCOUNTS).map(|number| target(number as u128, &name(number), Open)).collect();
    let access = MikrotikAccess::new(Settings::default());
    let mut counted = (0, 0);
    // The first time the router is also asked whether it hides passwords.
    for expected in [None, Some((5, 0))] {
        let outcomes = access.apply(&endpoint, &targets).await.unwrap();
        assert!(outcomes.iter().all(|outcome| matches!(outcome, ApplyOutcome::Done { changed: false, .. })));
        ask.write_all(b"counters\n").unwrap();
        let answer = answer(&mut lines, "counters");
        let (commands, writes) = answer.split_once(' ').unwrap();
        let now: (u64, u64) = (commands.parse().unwrap(), writes.parse().unwrap());
        if let Some(expected) = expected {
            assert_eq!((now.0 - counted.0, now.1 - counted.1), expected);
        }
        counted = now;
    }
    drop(ask);
    child.wait().unwrap();
    println!("peak {} KiB", peak());
    assert!(peak() < LIMIT_KIB, "{} KiB", peak());
}
