//! What a run asks of a router: `cargo bench -p isp-mikrotik --bench whole`.
//!
//! Ten thousand accounts are read whole and compared, beside a bare read of the same tables: the same commands, and nothing
//! done with the answers. Then a thousand lines are isolated on a router that answers each command a millisecond late. The
//! simulated router runs on a thread of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::float_arithmetic)]

use std::time::{Duration, Instant};

use isp_core::Secret;
use isp_core::ids::{RouterId, SubscriptionId};
use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::{Speed, UserGroup};
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, ApplyOutcome};
use isp_core::subscription::Account;
use isp_core::text::RouterName;
use isp_mikrotik::proto::Command;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation};
use isp_mikrotik::{Client, ConnectOptions, MikrotikAccess, Settings};
use secrecy::SecretString;

const ACCOUNTS: u128 = 10_000;
const ISOLATED: usize = 1_000;
const ROUNDS: usize = 31;

fn main() {
    let theirs = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let ours = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let router = theirs.block_on(SimulatedRouter::start(Simulation::default())).unwrap();
    router.force("/ip/pool", &[("name", b"pelanggan"), ("ranges", b"10.0.0.1-10.0.200.0")]).unwrap();
    ours.block_on(measure(&router));
}

async fn measure(router: &SimulatedRouter) {
    let settings = Settings { pool: Some("pelanggan".to_owned()), kick_pause: Duration::ZERO, ..Settings::default() };
    let access = MikrotikAccess::new(settings);
    let password = Secret::new("simulated");
    let endpoint = RouterEndpoint::parse(&router.address().to_string(), "api", password).unwrap();
    let mut targets: Vec<AccessTarget> = (1..=ACCOUNTS).map(target).collect();
    let started = Instant::now();
    assert!(access.apply(&endpoint, &targets).await.unwrap().iter().all(is_done));
    println!("{ACCOUNTS} accounts made in {:.1} s", started.elapsed().as_secs_f64());

    // Which commands a whole reading asks is counted, so that the bare one asks the same.
    let now = chrono::DateTime::UNIX_EPOCH;
    drop(access.survey(&endpoint, &targets, now).await.unwrap());
    router.reset_counters();
    let survey = access.survey(&endpoint, &targets, now).await.unwrap();
    assert!(survey.lines.iter().all(|line| line.as_wanted) && survey.lines.len() == targets.len());
    println!("commands of a whole reading: {:?}", router.counters().by_command);
    let options = ConnectOptions::new(router.address().to_string(), "api", SecretString::from("simulated"));
    let client = Client::connect(options).await.unwrap();
    let (mut whole, mut bare) = (Side::default(), Side::default());
    for _ in 0..ROUNDS {
        let begun = Begun::now();
        for command in same_tables() {
            std::hint::black_box(client.call(&command).await.unwrap());
        }
        bare.ended(&begun);
        let begun = Begun::now();
        std::hint::black_box(access.survey(&endpoint, &targets, now).await.unwrap());
        whole.ended(&begun);
    }
    let ratios = whole.passed.iter().zip(&bare.passed).map(|(whole, bare)| whole / bare).collect();
    println!(
        "bare read {:.1} ms, observed and compared {:.1} ms: {:.2} times (medians of {ROUNDS} rounds)",
        median(bare.passed.clone()) * 1e3,
        median(whole.passed.clone()) * 1e3,
        median(ratios),
    );
    let quickest = |side: &Side| side.passed.iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "the quickest rounds: {:.1} and {:.1} ms, {:.2} times; CPU of the client {:.1} and {:.1} ms; load of the machine {}",
        quickest(&bare) * 1e3,
        quickest(&whole) * 1e3,
        quickest(&whole) / quickest(&bare),
        median(bare.worked) * 1e3,
        median(whole.worked) * 1e3,
        std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default(),
    );

    targets[..ISOLATED].iter_mut().for_each(|target| target.desired = Access::Isolated);
    router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(1))).always());
    let started = Instant::now();
    let outcomes = access.apply(&endpoint, &targets[..ISOLATED]).await.unwrap();
    assert!(outcomes.iter().all(is_done));
    println!(
        "{ISOLATED} isolations at 1 ms a command, read back, sessions ended without pauses: {:.1} s",
        started.elapsed().as_secs_f64()
    );
}

/// What the rounds of one side took, in seconds.
#[derive(Default)]
struct Side {
    passed: Vec<f64>,
    /// Time of the processor in this thread, in which the client lives.
    worked: Vec<f64>,
}

impl Side {
    fn ended(&mut self, begun: &Begun) {
        self.passed.push(begun.at.elapsed().as_secs_f64());
        self.worked.push(worked() - begun.worked);
    }
}

struct Begun {
    at: Instant,
    worked: f64,
}

impl Begun {
    fn now() -> Begun {
        Begun { worked: worked(), at: Instant::now() }
    }
}

/// Seconds that this thread has worked; zero where the system does not tell.
fn worked() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or_default() / 1e9
}

/// The tables that a whole reading asks for, with the same properties.
fn same_tables() -> Vec<Command> {
    use isp_mikrotik::menu::{Rows, address_list, hotspot, ipv6, ppp, queue};
    vec![
        ppp::secret::print_sensitive(Rows::All),
        ppp::active::print(Rows::All),
        ppp::profile::print(Rows::Named(&["10M"])),
        address_list::print_list("ISOLIR"),
        hotspot::user::print_sensitive(Rows::All),
        hotspot::active::print_of::<&str>(&[]),
        ppp::aaa::print(),
        queue::print_dynamic(),
        ipv6::print_prefixes(),
    ]
}

fn target(number: u128) -> AccessTarget {
    let name = RouterName::parse("username", &format!("user-{number}")).unwrap();
    AccessTarget {
        subscription_id: SubscriptionId(uuid::Uuid::from_u128(number)),
        router_id: RouterId(uuid::Uuid::from_u128(1)),
        account: Account::pppoe(name, Secret::new(format!("sandi-{number}"))),
        group: UserGroup {
            name: RouterName::parse("group", "10M").unwrap(),
            speed: Speed { down_kbps: 10_000, up_kbps: 5_000 },
        },
        desired: Access::Open,
        revision: 1,
        adopt: false,
        succeeds: Vec::new(),
        left: false,
        forget: false,
    }
}

fn is_done(outcome: &ApplyOutcome) -> bool {
    matches!(outcome, ApplyOutcome::Done { .. })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
