//! `isp serve` as a process of its own with PostgreSQL, on real sockets:
//!
//! * `webhooks`: signed webhooks as fast as they are answered, for half a minute, with a stop and a start in the middle; beside it, in
//!   turns, a bare axum handler that does one INSERT for each. How many a second, how long 99 in 100 took, and whether one was lost.
//! * `opening`: 1,000 customers of three simulated routers pay at a gateway in ten minutes; how long it took from the webhook until the
//!   router had said that the line is open, and the load of the machine.
//!
//! Run with `scripts/with_pg cargo bench --bench serve`; `-- webhooks` or `-- opening` after it measures one of them.

#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    missing_docs
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use isp::core::engine::{Engine, GatewayWish};
use isp::core::ids::{PaymentRequestId, TenantId};
use isp::core::payment::PayChannel;
use isp::core::ports::DirectoryStore as _;
use isp::core::text::Code;
use isp::core::{Money, Policy};
use isp::mikrotik::simulator::{SimulatedRouter, Simulation};
use isp::payment::GatewayKind;
use isp::payment::simulator::Simulator;
use isp::store::{SqlStore, Vault};
use isp::whatsapp::webhook::signature;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "bench_app_secret";
/// Connections that send webhooks; each waits for its answer.
const SENDERS: u64 = 32;
const TIME: Duration = Duration::from_secs(30);
const PAYMENTS: u64 = 1_000;
/// The time in which they come.
const PAYING: Duration = Duration::from_secs(600);
/// No two webhooks of a run are the same: the same one twice is kept once.
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let [bare, url, address] = words.as_slice()
        && bare == "bare"
    {
        runtime().block_on(bare_handler(url, address));
        return;
    }
    let Ok(server) = std::env::var("ISP_TEST_PG") else {
        println!("ISP_TEST_PG is not set: run through scripts/with_pg");
        std::process::exit(1);
    };
    let asked = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    if asked("webhooks") {
        runtime().block_on(webhooks(&server));
    }
    if asked("opening") {
        runtime().block_on(opening(&server));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A database of its own.
async fn database(server: &str, name: &str) -> String {
    let name = format!("isp_bench_{name}_{}", std::process::id());
    let mut admin = PgConnection::connect(server).await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (head, query) = server.split_once('?').unwrap_or((server, ""));
    let (head, _) = head.rsplit_once('/').unwrap();
    format!("{head}/{name}?{query}")
}

fn isp(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isp"));
    command.current_dir(home).env("HOME", home).env_remove("NOTIFY_SOCKET").env("ISP_WHATSAPP__APP_SECRET", SECRET);
    command
}

/// Runs a command; what it printed.
fn ran(home: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = isp(home).args(["--format", "json"]).args(arguments).stderr(Stdio::null()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// A free port of this machine.
fn address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A process that listens, and is gone with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    async fn start(mut command: Command, address: &str) -> Self {
        let process = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process
    }

    fn serve(home: &Path, address: &str) -> Command {
        let mut command = isp(home);
        command.env("ISP_SERVE__LISTEN", address).env("ISP_LOG", "warn").arg("serve");
        command
    }

    /// Stops it as a service manager does.
    fn stop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

async fn bare_handler(url: &str, address: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    pool.execute("CREATE TABLE IF NOT EXISTS bare (id UUID PRIMARY KEY, at TIMESTAMPTZ NOT NULL, body BYTEA NOT NULL)")
        .await
        .unwrap();
    let keep = async |axum::extract::State(pool): axum::extract::State<PgPool>, body: axum::body::Bytes| {
        let insert = sqlx::query("INSERT INTO bare VALUES ($1, $2, $3)").bind(uuid::Uuid::now_v7()).bind(Utc::now());
        match insert.bind(body.as_ref()).execute(&pool).await {
            Ok(_) => axum::http::StatusCode::OK,
            Err(_) => axum::http::StatusCode::SERVICE_UNAVAILABLE,
        }
    };
    let router = axum::Router::new().route("/hooks/whatsapp", axum::routing::post(keep)).with_state(pool);
    axum::serve(TcpListener::bind(address).await.unwrap(), router).await.unwrap();
}

/// What came of sending.
struct Sent {
    answered: u64,
    micros: Vec<u64>,
    took: Duration,
}

impl Sent {
    fn a_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }

    fn p99(&self) -> f64 {
        percentile(self.micros.clone(), 99) as f64 / 1_000.0
    }
}

fn percentile(mut of: Vec<u64>, percent: usize) -> u64 {
    of.sort_unstable();
    of.get((of.len() * percent / 100).min(of.len().saturating_sub(1))).copied().unwrap_or(0)
}

/// A request on a connection that stays open; true when it was answered with 200.
async fn post(stream: &mut Option<TcpStream>, address: &str, request: &[u8]) -> bool {
    let mut buffer = [0_u8; 1_024];
    let mut answer = async || {
        if stream.is_none() {
            let fresh = TcpStream::connect(address).await.ok()?;
            fresh.set_nodelay(true).ok()?;
            *stream = Some(fresh);
        }
        let stream = stream.as_mut()?;
        stream.write_all(request).await.ok()?;
        let length = stream.read(&mut buffer).await.ok()?;
        Some(buffer[..length].starts_with(b"HTTP/1.1 200"))
    };
    let good = answer().await.unwrap_or(false);
    if !good {
        *stream = None;
    }
    good
}

/// Sends for so long; what is not answered with 200 is sent again, as a sender does. A time is that of the answer that counted.
async fn send(address: &str, time: Duration) -> Sent {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (address, stop) = (address.to_owned(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut stream, mut micros) = (None, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    let request = webhook(NUMBER.fetch_add(1, Ordering::Relaxed));
                    loop {
                        let began = Instant::now();
                        if post(&mut stream, &address, &request).await {
                            micros.push(u64::try_from(began.elapsed().as_micros()).unwrap());
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                micros
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let mut micros = Vec::new();
    for sender in senders {
        micros.extend(sender.await.unwrap());
    }
    Sent { answered: micros.len() as u64, micros, took: started.elapsed() }
}

/// What WhatsApp says of a message, each time of another one.
fn webhook(number: u64) -> Vec<u8> {
    let body = serde_json::json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "62", "phone_number_id": "1" },
            "statuses": [{ "id": format!("wamid.{number}"), "status": "delivered", "timestamp": "1795316400", "recipient_id": "62" }],
        } }] }],
    })
    .to_string();
    let head = format!(
        "POST /hooks/whatsapp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-hub-signature-256: {}\r\ncontent-length: {}\r\n\r\n",
        signature(&SECRET.into(), body.as_bytes()),
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

async fn webhooks(server: &str) {
    let home = tempfile::tempdir().unwrap();
    let url = database(server, "hooks").await;
    isp(home.path()).args(["init", "--database", &url]).stdout(Stdio::null()).status().unwrap();
    let listen = address();
    let serve = || Process::start(Process::serve(home.path(), &listen), &listen);
    let bare_url = database(server, "bare").await;
    let bare_listen = address();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["bare", &bare_url, &bare_listen]);
    let bare = Process::start(command, &bare_listen).await;
    let mut serving = serve().await;
    // In turns, so that a machine that does something else meanwhile slows both down.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..4 {
        ours.push(send(&listen, TIME / 4).await);
        theirs.push(send(&bare_listen, TIME / 4).await);
        if turn == 1 {
            // While they send: stopped in order, and started again.
            let (sent, ()) = tokio::join!(send(&listen, Duration::from_secs(6)), async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                tokio::task::block_in_place(|| serving.stop());
                serving = serve().await;
            });
            println!("stopped and started again while {} were sent", sent.answered);
            ours.push(sent);
        }
    }
    drop((bare, serving));
    let answered: u64 = ours.iter().map(|sent| sent.answered).sum();
    let mut database = PgConnection::connect(&url).await.unwrap();
    let row = sqlx::query("SELECT COUNT(*) FROM webhooks").fetch_one(&mut database).await.unwrap();
    let kept = u64::try_from(row.get::<i64, _>(0)).unwrap();
    // The turn with the stop in it tells what was lost, not how fast it was.
    ours.remove(2);
    for (name, sent) in [("isp serve", &ours), ("bare axum, one INSERT", &theirs)] {
        let mut rates: Vec<f64> = sent.iter().map(Sent::a_second).collect();
        rates.sort_by(f64::total_cmp);
        let p99 = sent.iter().map(Sent::p99).fold(0.0, f64::max);
        println!("{name}: {:.0}/s (turns {rates:.0?}), p99 {p99:.1} ms", rates[1].midpoint(rates[2]));
    }
    let rate = |all: &[Sent]| all.iter().map(|s| s.answered).sum::<u64>() as f64;
    println!(
        "ratio {:.2}; answered {answered}, kept {kept}, lost {}",
        rate(&ours) / rate(&theirs),
        answered.saturating_sub(kept)
    );
}

async fn opening(server: &str) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let url = database(server, "opening").await;
    let tripay = Simulator::start(GatewayKind::Tripay).await.unwrap();
    let mut routers = Vec::new();
    for _ in 0..3 {
        let simulation = Simulation { user: "isp".into(), password: "bench".into(), ..Simulation::default() };
        routers.push(SimulatedRouter::start(simulation).await.unwrap());
    }
    isp(home).args(["init", "--database", &url]).stdout(Stdio::null()).status().unwrap();
    let settings = format!(
        "{}\n[gateway.tripay]\nsandbox = true\nmerchant = \"S0001\"\nkey = \"DEV-simulated\"\nwebhook_key = \"simulated-webhook-key\"\n\
         email = \"tagihan@example.id\"\nbase_url = \"{}\"\n",
        std::fs::read_to_string(home.join("isp.toml")).unwrap(),
        tripay.base_url()
    );
    std::fs::write(home.join("isp.toml"), settings).unwrap();
    sheets(home, &routers);
    let day = |back: i64| (Utc::now() - chrono::TimeDelta::days(back)).format("%Y-%m-%d").to_string();
    ran(home, &["--on", &day(60), "import", "sheets"]);
    ran(home, &["--on", &day(55), "run"]);
    ran(home, &["--on", &day(30), "run"]);
    ran(home, &["--on", &day(10), "run", "--approve-all"]);
    let lines = ran(home, &["subscription", "list", "--access", "isolated"]);
    println!("{} lines on three routers are isolated", lines.as_array().map_or(0, Vec::len));
    let references = asked(home, &url, &tripay).await;
    let listen = address();
    let _serving = Process::start(Process::serve(home, &listen), &listen).await;
    let (mut stream, mut told) = (None, BTreeMap::new());
    println!("load before {}", load());
    let mut pace = tokio::time::interval(PAYING / u32::try_from(PAYMENTS).unwrap());
    let began = Instant::now();
    for (n, (reference, amount)) in references.iter().enumerate() {
        pace.tick().await;
        let now = Utc::now();
        assert!(tripay.pay(reference, *amount, Money::rupiah(1_900), now));
        let webhook = tripay.webhook(reference).unwrap();
        let mut request = b"POST /hooks/tripay HTTP/1.1\r\nhost: localhost\r\n".to_vec();
        for (name, value) in &webhook.headers {
            request.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        request.extend(format!("content-length: {}\r\n\r\n", webhook.body.len()).into_bytes());
        request.extend(&webhook.body);
        while !post(&mut stream, &listen, &request).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        told.insert(format!("p{n}@isp"), now);
    }
    let paying = began.elapsed();
    println!("load after {}", load());
    let mut database = PgConnection::connect(&url).await.unwrap();
    let waited = Instant::now();
    let rows = loop {
        let sql = "SELECT s.username, a.observed_at FROM service_access a
            JOIN subscriptions s ON s.tenant_id = a.tenant_id AND s.subscription_id = a.subscription_id
            WHERE a.desired = 'open' AND a.observed_access = 'open' AND a.observed_revision = a.revision";
        let rows = sqlx::query(sql).fetch_all(&mut database).await.unwrap();
        if rows.len() as u64 >= PAYMENTS || waited.elapsed() > Duration::from_secs(300) {
            break rows;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let millis: Vec<u64> = rows
        .iter()
        .filter_map(|row| {
            let opened: DateTime<Utc> = row.get(1);
            u64::try_from((opened - *told.get(&row.get::<String, _>(0))?).num_milliseconds()).ok()
        })
        .collect();
    let seconds = |percent| percentile(millis.clone(), percent) as f64 / 1_000.0;
    println!(
        "{} of {PAYMENTS} payments in {:.0} s: proved open after p50 {:.2} s, p99 {:.2} s, at most {:.2} s",
        millis.len(),
        paying.as_secs_f64(),
        seconds(50),
        seconds(99),
        seconds(100)
    );
}

/// The load of the machine in the last 1, 5 and 15 minutes, and how many cores it has.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let figures: Vec<&str> = text.split(' ').take(3).collect();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{} on {cores} cores", figures.join(" "))
}

/// Asks the gateway for what each customer owes: our references, and how much.
async fn asked(home: &Path, url: &str, tripay: &Simulator) -> Vec<(String, Money)> {
    let store = SqlStore::open(url, Vault::from_file(home.join("isp.key")).unwrap()).await.unwrap();
    let policy = Policy::default();
    let engine = Engine::new(&store, TenantId::DEFAULT, &policy);
    let gateway = isp::payment::gateway(tripay.settings().unwrap()).unwrap();
    let mut references = Vec::new();
    for n in 0..PAYMENTS {
        let code = Code::parse("code", &format!("P{n}")).unwrap();
        let customer = store.customer_by_code(TenantId::DEFAULT, &code).await.unwrap().unwrap().id;
        let id = PaymentRequestId(uuid::Uuid::now_v7());
        let wish = GatewayWish { id, customer, invoice: None, channel: PayChannel::Qris };
        let (row, _) = engine.request_at_gateway(gateway.as_ref(), wish, Utc::now()).await.unwrap();
        references.push((row.reference.to_string(), row.amount));
    }
    store.close().await;
    references
}

fn sheets(home: &Path, routers: &[SimulatedRouter]) {
    let folder = home.join("sheets");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, head: &str, rows: Vec<String>| {
        std::fs::write(folder.join(name), format!("{head}\n{}\n", rows.join("\n"))).unwrap();
    };
    let row_of = |(n, router): (usize, &SimulatedRouter)| format!("R{n};BDG;{};isp;bench", router.address());
    let started = (Utc::now() - chrono::TimeDelta::days(60)).format("%Y-%m-%d");
    write("sites.csv", "kode;nama;zona", vec!["BDG;Bandung;WIB".to_owned()]);
    write("routers.csv", "kode;site;alamat;username;password", routers.iter().enumerate().map(row_of).collect());
    let package = "H20;Rumah 20;165000;termasuk;20/10;home20".to_owned();
    write("packages.csv", "kode;nama;harga;ppn;kecepatan;grup", vec![package]);
    let customer = |n| format!("P{n};Pelanggan {n};Jl. Contoh {n}");
    write("customers.csv", "ID Pelanggan;Nama;Alamat", (0..PAYMENTS).map(customer).collect());
    let line = |n: u64| format!("P{n},H20,R{},p{n}@isp,rahasia{n},{started},bulanan", n % 3);
    let head = "id_pelanggan,paket,router,username,password,mulai,siklus";
    write("subscriptions.csv", head, (0..PAYMENTS).map(line).collect());
}
