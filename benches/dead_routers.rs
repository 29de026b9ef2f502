//! What dead routers cost the others: the time of a whole `isp run` on the day when everybody is isolated, and of one after
//! it with nothing to do. Three of ten routers swallow every packet; it is measured against all of them up, and against a
//! provider that does not have those three. Each run is a process of its own; the kinds take turns.
//!
//! `cargo bench --bench dead_routers -- ROUNDS LINES` (3 rounds, 50 lines a router unless said otherwise).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::float_arithmetic, missing_docs)]

#[path = "../tests/it/cli/mod.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod cli;
#[path = "../isp-store/tests/it/common/ready.rs"]
#[allow(dead_code, reason = "what the tests of the program make ready")]
mod ready;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cli::Isp;
use isp::mikrotik::simulator::{SimulatedRouter, Simulation};
use isp::whatsapp::simulator::Simulator;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

const ROUTERS: usize = 10;
const DEAD: usize = 3;
const ISOLATED: &[&str] = &["--on", "2026-01-20", "--at", "13:00"];

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (rounds, lines) = (numbers.first().copied().unwrap_or(3), numbers.get(1).copied().unwrap_or(50));
    println!("isp run, {ROUTERS} routers with {lines} lines each, of which {DEAD} are silent");
    println!(
        "{:>5} {:<18} {:>8} {:>9} {:>8} {:>9} {:>12}",
        "round", "run", "all up", "without", "silent", "of all up", "of without"
    );
    let mut of_without = Vec::new();
    for round in 0..rounds {
        let (up, without, silent) =
            (runs(ROUTERS, lines, 0), runs(ROUTERS - DEAD, lines, 0), runs(ROUTERS, lines, DEAD));
        for (kind, name) in ["everybody isolated", "nothing to do"].into_iter().enumerate() {
            let [up, without, silent] = [up[kind], without[kind], silent[kind]].map(|time| time.as_secs_f64());
            let ratio = silent / without;
            println!(
                "{round:>5} {name:<18} {up:>7.2}s {without:>8.2}s {silent:>7.2}s {:>9.2} {ratio:>12.2}",
                silent / up
            );
            if kind == 0 {
                of_without.push(ratio);
            }
        }
    }
    of_without.sort_by(f64::total_cmp);
    println!("everybody isolated: {:.2} of a run without the silent ones (median)", of_without[of_without.len() / 2]);
}

/// How long the two runs take with so many routers, and so many of them silent. What was done is checked: it is no bargain
/// to do less.
fn runs(count: usize, lines: usize, dead: usize) -> [Duration; 2] {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let routers: Vec<(SimulatedRouter, Way)> = runtime.block_on(async {
        let mut routers = Vec::new();
        for _ in 0..count {
            let simulation =
                Simulation { user: "isp".into(), password: "rahasia-router".into(), ..Simulation::default() };
            let router = SimulatedRouter::start(simulation).await.unwrap();
            let way = Way::to(router.address()).await;
            routers.push((router, way));
        }
        routers
    });
    let whatsapp = runtime.block_on(Simulator::start()).unwrap();
    let isp = provider(&routers, &whatsapp, lines);
    whatsapp.answer_after(Duration::from_millis(100));
    let before = whatsapp.messages().len();
    let _holes: Vec<Hole> = routers[..dead].iter().map(|(_, way)| way.close(&runtime)).collect();
    let run = || {
        let begun = Instant::now();
        isp.exit_any(&[if dead == 0 { 0 } else { 5 }], &[ISOLATED, &["run", "--approve-all"]].concat());
        begun.elapsed()
    };
    let took = [run(), run()];
    for (n, (router, _)) in routers.iter().enumerate() {
        let isolated = router.secrets().iter().filter(|secret| secret.profile == "isolir").count();
        assert_eq!(isolated, if n < dead { 0 } else { lines }, "router {n}");
    }
    assert_eq!(whatsapp.messages().len() - before, (count - dead) * lines);
    took
}

/// A provider with so many lines on each router, all of which owe.
fn provider(routers: &[(SimulatedRouter, Way)], whatsapp: &Simulator, lines: usize) -> Isp {
    let mut isp = Isp::new();
    isp.set("ISP_WHATSAPP__BASE_URL", whatsapp.base_url());
    isp.set("ISP_WHATSAPP__PHONE_NUMBER_ID", cli::PHONE_NUMBER_ID);
    isp.set("ISP_WHATSAPP__ACCESS_TOKEN", "simulated-access-token");
    isp.ok(&["init"]);
    let table =
        |head: &str, rows: Vec<String>| std::iter::once(head.to_owned()).chain(rows).collect::<Vec<_>>().join("\n");
    let every = || (0..routers.len()).flat_map(|r| (0..lines).map(move |n| (r, n)));
    let sheets = [
        ("sites.csv", "kode,nama,zona\nBDG,Bandung,WIB\n".to_owned()),
        ("packages.csv", "kode,nama,harga,ppn,kecepatan,grup\nH20,Rumah 20,165000,termasuk,20,h20\n".to_owned()),
        ("routers.csv", {
            let row = |(r, (_, way)): (usize, &(SimulatedRouter, Way))| {
                format!("R{r},BDG,{},isp,rahasia-router", way.address)
            };
            table("kode,site,alamat,username,password", routers.iter().enumerate().map(row).collect())
        }),
        ("customers.csv", {
            let row = |(r, n)| format!("P{r}{n:04},Warga {r}{n},Jl. {n},08123{r}{n:06}");
            table("id_pelanggan,nama,alamat,telepon", every().map(row).collect())
        }),
        ("subscriptions.csv", {
            let row = |(r, n)| format!("P{r}{n:04},H20,R{r},warga{r}x{n},pw{n},2026-01-01,bulanan");
            table("id_pelanggan,paket,router,username,password,mulai,siklus", every().map(row).collect())
        }),
    ];
    isp.write(&sheets.each_ref().map(|(name, text)| (*name, text.as_str())));
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-01", "run"]);
    isp.ok(&["--on", "2026-01-10", "--at", "13:00", "run"]);
    isp
}

/// The way to a router, which can be closed so that no packet is answered.
struct Way {
    address: SocketAddr,
    carrier: JoinHandle<()>,
}

/// Fills the queue of a listener that nobody serves, so that the system drops what else knocks.
struct Hole(#[allow(dead_code, reason = "held open")] Vec<JoinHandle<()>>);

impl Way {
    async fn to(router: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, carrier: tokio::spawn(carry(listener, router)) }
    }

    fn close(&self, runtime: &Runtime) -> Hole {
        self.carrier.abort();
        let address = self.address;
        runtime.block_on(async move {
            // The carrier's listener is gone with it; one that is never served takes its place.
            let listener = loop {
                let socket = TcpSocket::new_v4().unwrap();
                socket.set_reuseaddr(true).unwrap();
                if socket.bind(address).is_ok() {
                    break socket.listen(1).unwrap();
                }
                tokio::task::yield_now().await;
            };
            let knock = || async move { TcpStream::connect(address).await };
            let mut held = Vec::new();
            while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), knock()).await {
                held.push(stream);
            }
            Hole(vec![tokio::spawn(async move {
                let _kept = (listener, held);
                std::future::pending().await
            })])
        })
    }
}

async fn carry(listener: TcpListener, router: SocketAddr) {
    loop {
        let Ok((mut here, _)) = listener.accept().await else { continue };
        tokio::spawn(async move {
            if let Ok(mut there) = TcpStream::connect(router).await {
                // Either end may go at any time.
                let _ended = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            }
        });
    }
}
