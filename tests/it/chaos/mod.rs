//! Everything at once that a machine does to a provider: three workers and two `isp serve` are killed and stopped, their connections cut
//! and silent, and the server of the database is killed, slow and without room, while customers pay at the counter and at a gateway.
//! After each round one calm run, and nothing is lost and nothing done twice. All clocks show the day that is lived.
//!
//! `make chaos ROUNDS=100 SEED=7` lives more rounds and writes what it found to `docs/chaos.md`.
#![allow(clippy::print_stdout, reason = "a long life shows how far it has come")]

mod books;
mod crew;
mod gateway;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use isp_core::calendar::Date;
use isp_mikrotik::simulator::{Fault as RouterFault, FaultKind};

use crate::cli::Stage;
use crate::support::dice::Dice;
use crate::workers::BEYOND_THE_LEASE;
use crate::workers_cut::Wire;
use crew::{Crew, Did};
use gateway::{Gateway, Told};
use server::Server;

/// Lines of the provider.
const LINES: usize = 12;
/// The database of the provider.
const DATABASE: &str = "chaos";
/// The days of a month that are lived: lines are billed, reminded and isolated on them.
const BUSY: [u32; 4] = [1, 5, 12, 20];
/// How many faults a round has.
const FAULTS: usize = 3;

/// What is done to the provider.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fault {
    Kill,
    Stop,
    Cut,
    Silence,
    Restart,
    SlowDisk,
    FullDisk,
    KillAnswered,
}

impl Fault {
    const ALL: [Fault; 8] = [
        Fault::Kill,
        Fault::Stop,
        Fault::Cut,
        Fault::Silence,
        Fault::Restart,
        Fault::SlowDisk,
        Fault::FullDisk,
        Fault::KillAnswered,
    ];

    fn words(self) -> &'static str {
        match self {
            Fault::Kill => "a worker or `isp serve` killed (`kill -9`)",
            Fault::Stop => "a worker or `isp serve` stopped for longer than its lease, then continued",
            Fault::Cut => "all connections cut after a few packets",
            Fault::Silence => "all connections silent for up to two leases",
            Fault::Restart => "PostgreSQL killed and started again (`pg_ctl restart -m immediate`)",
            Fault::SlowDisk => "each write of PostgreSQL 1 to 8 ms late",
            Fault::FullDisk => "no room left on PostgreSQL's disk, then room again",
            Fault::KillAnswered => "`isp serve` killed right after it has answered a webhook",
        }
    }
}

/// A payment that was made.
struct Paid {
    customer: String,
    reference: String,
    amount: i64,
    /// By hand or by webhook.
    how: &'static str,
}

struct Chaos {
    stage: Stage,
    gateway: Gateway,
    server: Server,
    wire: Wire,
    dice: Dice,
    /// Faults that are still to be dealt before all kinds are shuffled anew.
    deck: Vec<Fault>,
    day: Date,
    made: BTreeMap<Fault, usize>,
    /// Workers that were started anew because they had ended or were killed.
    restarted: usize,
    /// What the servers did by themselves.
    did: Did,
    /// Every payment that was made.
    paid: Vec<Paid>,
    /// Every payment at the gateway.
    told: Vec<Told>,
    /// Webhooks that waited when the server that had answered was killed.
    orphaned: usize,
    /// Every row of the outbox that was ever seen.
    outbox: BTreeSet<String>,
}

/// What one life came to.
struct Figures {
    seed: u64,
    made: BTreeMap<Fault, usize>,
    counts: Vec<(&'static str, usize)>,
    took: Duration,
}

#[test]
fn nothing_is_lost_in_chaos() {
    let said = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let rounds: usize = said("CHAOS_ROUNDS", "3").parse().unwrap();
    let seeds: Vec<u64> = said("CHAOS_SEEDS", "1").split(',').map(|seed| seed.parse().unwrap()).collect();
    let lives: Vec<Figures> = std::thread::scope(|scope| {
        let lives: Vec<_> = seeds.iter().map(|seed| scope.spawn(|| live(rounds, *seed))).collect();
        lives.into_iter().map(|life| life.join().unwrap()).collect()
    });
    let page = page(rounds, &lives);
    println!("{page}");
    if let Ok(path) = std::env::var("CHAOS_PAGE") {
        std::fs::write(path, page).unwrap();
    }
}

fn live(rounds: usize, seed: u64) -> Figures {
    let begun = Instant::now();
    let mut chaos = Chaos::new(seed);
    for round in 1..=rounds {
        chaos.round();
        let lost = chaos.lost();
        println!("seed {seed}, round {round} of {rounds}, {}: {} lost", chaos.day, lost.len());
        assert!(lost.is_empty(), "seed {seed}, round {round}, {}: {lost:#?}", chaos.day);
    }
    let figures = chaos.figures(seed, begun.elapsed());
    chaos.notices_damage();
    figures
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let first = Date::parse("2026-01-01").unwrap();
        let server = Server::start(first);
        let mut stage = Stage::bare();
        let gateway = Gateway::start(&mut stage);
        let [(preload, clock), (file, by)] = server.clock.environment().map(|(name, value)| (name, value.to_owned()));
        stage.isp.set(preload, clock);
        stage.isp.set(file, by);
        let wire = Wire::to(&server.url);
        stage.runtime.block_on(books::found(&server.url, DATABASE));
        stage.isp.set("ISP_DATABASE", server.url_of(DATABASE));
        stage.isp.set("ISP_WORKER__LEASE_SECONDS", "1");
        stage.isp.set("ISP_WORKER__PAGE", "3");
        stage.isp.set("ISP_LANGUAGE", "en");
        stage.isp.set("ISP_POLICY__ISOLATION__BREAKER_COUNT", "100");
        for (name, value) in [
            ("ISP_SERVE__LISTEN", "127.0.0.1:0"),
            ("ISP_SERVE__DELIVER_EVERY_SECONDS", "1"),
            ("ISP_SERVE__RUN_EVERY_MINUTES", "1"),
            ("ISP_RETENTION__WEBHOOKS_DAYS", "3650"),
        ] {
            stage.isp.set(name, value);
        }
        stage.isp.ok(&["init"]);
        let rows = |head: &str, row: &dyn Fn(usize) -> String| {
            std::iter::once(head.to_owned()).chain((0..LINES).map(row)).collect::<Vec<_>>().join("\n")
        };
        let router = stage.router.address();
        stage.isp.write(&[
            ("sites.csv", "kode,nama,zona\nBDG,Bandung,WIB\n"),
            ("routers.csv", &format!("kode,site,alamat,username,password\nR1,BDG,{router},isp,rahasia-router\n")),
            ("packages.csv", "kode,nama,harga,ppn,kecepatan,grup\nH20,Rumah 20,165000,termasuk,20,h20\n"),
            (
                "customers.csv",
                &rows("id_pelanggan,nama,alamat,telepon", &|n| format!("P{n:03},Warga {n},Jl. {n},0812345600{n:02}")),
            ),
            (
                "subscriptions.csv",
                &rows("id_pelanggan,paket,router,username,password,mulai,siklus", &|n| {
                    format!("P{n:03},H20,R1,warga{n},pw{n},2026-01-01,bulanan")
                }),
            ),
        ]);
        stage.isp.ok(&["import", "sheets"]);
        for day in ["2026-01-01", "2026-01-05", "2026-01-12"] {
            server.clock.show(Date::parse(day).unwrap(), 14, 0);
            stage.isp.exit_any(&[0, 5], &["run"]);
        }
        Self {
            stage,
            gateway,
            server,
            wire,
            dice: Dice(seed),
            deck: Vec::new(),
            day: Date::parse("2026-01-12").unwrap(),
            made: BTreeMap::new(),
            restarted: 0,
            did: Did::default(),
            paid: Vec::new(),
            told: Vec::new(),
            orphaned: 0,
            outbox: BTreeSet::new(),
        }
    }

    /// The next of the kinds that this machine can make, each once before one comes again.
    fn deal(&mut self) -> Fault {
        if self.deck.is_empty() {
            self.deck =
                Fault::ALL.into_iter().filter(|kind| *kind != Fault::FullDisk || self.server.has_disk).collect();
        }
        let at = usize::try_from(self.dice.roll(self.deck.len() as u64)).unwrap();
        self.deck.swap_remove(at)
    }

    /// A moment of up to so many milliseconds.
    fn moment(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.dice.roll(most - least + 1))
    }

    /// On the next busy day: the crew lives on the provider, customers pay, and something happens to all of them. Then it is calm.
    fn round(&mut self) {
        self.day = self.day.plus_days(1);
        while !BUSY.contains(&self.day.ymd().2) {
            self.day = self.day.plus_days(1);
        }
        self.server.clock.show(self.day, 13, 0);
        let faults: Vec<Fault> = (0..FAULTS).map(|_| self.deal()).collect();
        let (by_hand, mut told) = self.payments();
        self.stage.whatsapp.answer_after(Duration::from_millis(40));
        self.stage.router.inject(RouterFault::new(FaultKind::Latency(Duration::from_millis(5))).always());
        // Who comes first begins the run of the day.
        let later = self.moment(0, 1_500);
        let mut crew = Crew::start(&self.stage.isp, &self.wire, &by_hand, later);
        // Some are told by a fault, the others from the beginning.
        let kept_back = faults.iter().filter(|fault| **fault == Fault::KillAnswered).count();
        for one in told.drain(kept_back.min(told.len())..) {
            let dice = Dice(self.dice.roll(u64::MAX));
            crew.tell(one, dice);
        }
        for fault in faults {
            let before = self.moment(20, 400);
            crew.live(&self.stage.isp, before);
            let made = self.make(fault, &mut crew, &mut told);
            *self.made.entry(fault).or_default() += usize::from(made);
        }
        crew.live(&self.stage.isp, Duration::from_millis(200));
        self.calm(crew, &by_hand);
    }

    /// Who pays today: by hand, and at the gateway, which takes only what is owed.
    fn payments(&mut self) -> (Vec<(String, String)>, Vec<Told>) {
        let open = self.stage.isp.json(&["invoice", "list", "--open"]);
        let owing: BTreeSet<&str> =
            open.as_array().unwrap().iter().map(|row| row["customer"].as_str().unwrap()).collect();
        let (mut by_hand, mut told) = (Vec::new(), Vec::new());
        for n in 0..LINES {
            let customer = format!("P{n:03}");
            match (owing.contains(customer.as_str()), self.dice.roll(8)) {
                (true, 0 | 1) => told.push(self.gateway.pay(&self.stage.isp, &customer, self.day)),
                (true, 2) | (false, 0) => by_hand.push((customer, format!("T-{}-{n}", self.day))),
                _ => {}
            }
        }
        // Each day has a webhook, where somebody owes anything.
        if told.is_empty() {
            let payer = owing.iter().find(|code| by_hand.iter().all(|(payer, _)| payer != *code));
            told.extend(payer.map(|code| self.gateway.pay(&self.stage.isp, code, self.day)));
        }
        self.paid.extend(by_hand.iter().map(|(customer, reference)| Paid {
            customer: customer.clone(),
            reference: reference.clone(),
            amount: crew::AMOUNT,
            how: "by hand",
        }));
        self.paid.extend(told.iter().map(|told| Paid {
            customer: told.customer.clone(),
            reference: told.payment.clone(),
            amount: told.amount,
            how: "by webhook",
        }));
        self.told.extend(told.iter().cloned());
        (by_hand, told)
    }

    /// A server is killed between its answer and the reading of the webhook, as far as it was not faster.
    fn kill_who_answers(&mut self, told: &Told, crew: &mut Crew) {
        crew.kill_who_answers(&self.stage.isp, told);
        let url = self.server.url_of(DATABASE);
        self.orphaned += self.stage.runtime.block_on(books::waiting(&url, Some(told.body())));
        if self.dice.one_in(2) {
            let dice = Dice(self.dice.roll(u64::MAX));
            crew.tell(told.clone(), dice);
        }
    }

    /// Makes it happen; false when it needs a payment and nobody owes anything.
    fn make(&mut self, fault: Fault, crew: &mut Crew, told: &mut Vec<Told>) -> bool {
        match fault {
            Fault::Kill => crew.one(self.dice.roll(64)).signal("-KILL"),
            Fault::Stop => {
                let at = self.dice.roll(64);
                crew.one(at).signal("-STOP");
                crew.live(&self.stage.isp, BEYOND_THE_LEASE);
                crew.one(at).signal("-CONT");
            }
            Fault::Cut => {
                self.wire.cut_after(usize::try_from(self.dice.roll(40)).unwrap());
                let away = self.moment(50, 400);
                crew.live(&self.stage.isp, away);
                self.wire.mend();
            }
            Fault::Silence => {
                let silent = self.moment(100, 2_000);
                let wire = self.wire.clone();
                let held = wire.hold();
                crew.live(&self.stage.isp, silent);
                drop(held);
            }
            Fault::Restart => self.server.restart(),
            Fault::SlowDisk => {
                let by = self.moment(1, 8);
                self.server.slow_down(by);
                crew.live(&self.stage.isp, Duration::from_millis(600));
                self.server.slow_down(Duration::ZERO);
            }
            Fault::FullDisk => {
                let full = self.server.fill_up();
                let so_long = self.moment(200, 800);
                crew.live(&self.stage.isp, so_long);
                drop(full);
                self.stage.runtime.block_on(self.server.bring_back());
            }
            Fault::KillAnswered => {
                let Some(told) = told.pop() else { return false };
                self.kill_who_answers(&told, crew);
            }
        }
        true
    }

    /// Nothing happens any more: the gateway tells until it was answered, who paid by hand says so until it is booked, and one run does
    /// what is left.
    fn calm(&mut self, mut crew: Crew, by_hand: &[(String, String)]) {
        self.stage.runtime.block_on(self.server.bring_back());
        let (isp, url) = (&self.stage.isp, self.server.url_of(DATABASE));
        crew.live_until(isp, "each webhook was answered", Crew::has_told_all);
        crew.live_until(isp, "each webhook was read", |_| self.stage.runtime.block_on(books::waiting(&url, None)) == 0);
        let ended = crew.end();
        self.restarted += ended.restarted;
        self.did.runs += ended.did.runs;
        self.did.deliveries += ended.did.deliveries;
        self.stage.whatsapp.answer_after(Duration::ZERO);
        self.stage.router.clear_faults();
        std::thread::sleep(BEYOND_THE_LEASE);
        for (customer, reference) in by_hand {
            isp.ok(&["payment", "add", customer, &crew::AMOUNT.to_string(), "--reference", reference]);
        }
        self.server.clock.show(self.day, 14, 30);
        isp.exit_any(&[0, 5], &["run", "--approve-all"]);
    }

    fn figures(&self, seed: u64, took: Duration) -> Figures {
        let counted = self.stage.runtime.block_on(books::counted(&self.server.url_of(DATABASE)));
        let first = Date::parse("2026-01-01").unwrap();
        let counts = vec![
            ("days lived", usize::try_from(self.day.days_since(first)).unwrap()),
            ("workers and servers that ended or were killed, and were started again", self.restarted),
            ("runs of the day that `isp serve` did to their end", self.did.runs),
            ("deliveries of `isp serve` that found something", self.did.deliveries),
            ("invoices", counted.invoices),
            ("payments", counted.payments),
            ("of these at the gateway, which tells by webhook", self.told.len()),
            ("answers with 200 that the gateway got to them", self.gateway.answered()),
            ("webhooks that waited when the server that had answered was killed", self.orphaned),
            ("isolations and reopenings", counted.turns),
            ("messages at the simulated WhatsApp", self.stage.whatsapp.messages().len()),
            ("messages of which nobody knows whether they arrived, shown as `unknown`", counted.unknown),
            ("**things lost or done twice**", 0),
        ];
        Figures { seed, made: self.made.clone(), counts, took }
    }
}

/// What was found, as a page.
fn page(rounds: usize, lives: &[Figures]) -> String {
    let seeds: Vec<String> = lives.iter().map(|life| life.seed.to_string()).collect();
    let row = |what: &str, of: &dyn Fn(&Figures) -> String| {
        format!("| {what} | {} |\n", lives.iter().map(of).collect::<Vec<_>>().join(" | "))
    };
    let mut page = format!(
        "# Chaos\n\n\
        What a machine does to a provider, all at once. Two `isp serve`, two `isp run` and an `isp deliver` live on one PostgreSQL, customers\n\
        pay by hand and at a payment gateway, and {FAULTS} of the faults below happen in each of {rounds} rounds. Then it is calm, one run does what is\n\
        left, and everything is compared.\n\n\
        ```console\nmake chaos ROUNDS={rounds} SEED={}\n```\n\n",
        seeds.join(",")
    );
    page += &row("fault", &|life| format!("seed {}", life.seed));
    page += &row("---", &|_| "---".to_owned());
    for kind in Fault::ALL {
        page += &row(kind.words(), &|life| life.made.get(&kind).map_or("not made".to_owned(), usize::to_string));
    }
    page.push('\n');
    page += &row("what", &|life| format!("seed {}", life.seed));
    page += &row("---", &|_| "---".to_owned());
    for at in 0..lives.first().map_or(0, |life| life.counts.len()) {
        page += &row(lives[0].counts[at].0, &|life| life.counts[at].1.to_string());
    }
    page += &row("seconds", &|life| life.took.as_secs().to_string());
    page += "\nCompared after each round:\n\n\
        * every journal entry balances, and every invoice is paid by what its allocations say;\n\
        * one invoice for each line and month, none left out; each payment once, by hand or by webhook, with its amount;\n\
        * each webhook that was answered with 200 is kept once and was read, and what the gateway owes is what is booked;\n\
        * no row of the outbox is gone, waits or has failed;\n\
        * each message that is done is at the simulated WhatsApp once, and each one there is on record;\n\
        * each line's wish, the answer on record, the account on the simulated router and the running session say the same;\n\
        * `isp doctor` and `isp audit verify` find nothing.\n\n\
        The gateway sends each webhook until it is answered with 200, to either server, and often once or twice more. The servers deliver every\n\
        second and run the day by themselves. The clocks of all processes and of PostgreSQL show the day that is lived.\n\n\
        A message whose worker died while it was sent is never sent again by itself: it is `unknown`, and a person looks.\n\n\
        A short run is part of `make test` (`tests/it/chaos`). It also damages the tables afterwards, to see that each comparison notices. The\n\
        full disk is a small one in memory, which only root can make. The slow disk is a library that holds back each write of PostgreSQL,\n\
        and another library sets the clocks.\n";
    page
}
