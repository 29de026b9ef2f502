//! How big one provider can get: each command of a month and each report as a process of its own, on a SQLite file and, where
//! `ISP_TEST_PG` names a server, on PostgreSQL. It prints how long each took, the most memory that it had, and what lies on the disk.
//!
//! `scripts/with_pg cargo bench --bench size -- CUSTOMERS MONTHS` (100,000 customers and 12 months unless said otherwise). The customers
//! come by `isp import`, are billed by `isp run`, and nine in ten pay each month by `isp bank import`; the others are isolated.

#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::panic,
    missing_docs
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

const PRICE: u64 = 165_000;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (customers, months) = (numbers.first().copied().unwrap_or(100_000), numbers.get(1).copied().unwrap_or(12));
    assert!((1..=12).contains(&months), "from 1 to 12 months");
    let mut places = vec![Place::sqlite()];
    match std::env::var("ISP_TEST_PG") {
        Ok(server) => places.push(Place::postgres(&server)),
        Err(_) => println!("ISP_TEST_PG is not set, so PostgreSQL is left out: run through scripts/with_pg"),
    }
    let lived: Vec<Vec<Step>> = places.iter().map(|place| place.lives(customers, months)).collect();
    println!("\n{customers} customers, {months} months, load {}\n", load());
    let heads: Vec<String> = places.iter().map(|place| format!("{0} | {0}, most memory", place.name)).collect();
    println!("| what | {} |\n|{}", heads.join(" | "), " --- |".repeat(1 + 2 * places.len()));
    for (at, step) in lived[0].iter().enumerate() {
        let mut row = format!("| {} |", step.what);
        for steps in &lived {
            let Step { took, memory, .. } = &steps[at];
            write!(row, " {:.2} s | {} MiB |", took.as_secs_f64(), memory / 1_024).unwrap();
        }
        println!("{row}");
    }
    for place in &places {
        println!("\n{}: {} MiB on the disk", place.name, place.size() >> 20);
    }
}

/// What a command came to.
struct Step {
    what: String,
    took: Duration,
    /// The most memory that it had, KiB.
    memory: u64,
}

/// A provider's folder, and where its books are kept.
struct Place {
    name: &'static str,
    home: tempfile::TempDir,
    /// The server, and the name of the database.
    server: Option<(String, String)>,
}

impl Place {
    fn sqlite() -> Self {
        Self { name: "SQLite", home: tempfile::tempdir().unwrap(), server: None }
    }

    fn postgres(server: &str) -> Self {
        let name = format!("isp_bench_size_{}", std::process::id());
        ask(server, &format!("CREATE DATABASE {name}"));
        Self { name: "PostgreSQL", home: tempfile::tempdir().unwrap(), server: Some((server.to_owned(), name)) }
    }

    /// Everything that is measured, in order.
    fn lives(&self, customers: usize, months: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        // The last of the months is this one, so that reports tell of now. Those of a past day go through each customer's history.
        let today = chrono::Utc::now().date_naive();
        let first = today - chrono::Days::new(20) - chrono::Months::new(u32::try_from(months - 1).unwrap());
        self.writes_sheets(customers, first);
        self.run("", Some(first), &["init"]);
        steps.push(self.run("import", Some(first), &["import", "sheets"]));
        for month in 1..=months {
            let begins = first + chrono::Months::new(u32::try_from(month - 1).unwrap());
            let on = |day: u64| Some(begins + chrono::Days::new(day - 1));
            let mut kept = |step: Step| {
                if month == 1 || month == months {
                    steps.push(Step { what: format!("{}, month {month}", step.what), ..step });
                }
            };
            kept(self.run("`isp run`, all are billed", on(1), &["run", "--approve-all"]));
            kept(self.run("`isp run`, nobody is due", on(2), &["run", "--approve-all"]));
            self.writes_statement(customers, on(4).unwrap());
            kept(self.run(
                "nine in ten pay by `isp bank import`",
                on(5),
                &["bank", "import", "bank.csv", "--account", "1"],
            ));
            kept(self.run("`isp run`, one in ten is isolated", on(20), &["run", "--approve-all"]));
        }
        let (from, to) = (first.format("%Y-%m").to_string(), today.format("%Y-%m").to_string());
        let period = ["--from", from.as_str(), "--to", to.as_str()];
        for report in ["customers", "cpe", "packages"] {
            steps.push(self.run(&format!("`isp report {report}`"), None, &["report", report]));
        }
        for report in ["finance", "profit-loss", "cash"] {
            let words = [&["report", report][..], &period].concat();
            steps.push(self.run(&format!("`isp report {report}`"), None, &words));
        }
        for words in [
            &["status"][..],
            &["unpaid"],
            &["customer", "show", "P0000001"],
            &["explain", "P0000001"],
            &["doctor", "--offline"],
        ] {
            steps.push(self.run(&format!("`isp {}`", words.join(" ")), None, words));
        }
        steps.push(self.run("`isp backup`", None, &["backup", "copy"]));
        steps
    }

    /// Runs a command to its end. What it prints goes to nobody; what it complains of is shown when it fails.
    fn run(&self, what: &str, on: Option<NaiveDate>, words: &[&str]) -> Step {
        let mut command = Command::new(env!("CARGO_BIN_EXE_isp"));
        command
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("ISP_POLICY__ISOLATION__ON_WEEKENDS", "true");
        if let Some((server, name)) = &self.server {
            command.env("ISP_DATABASE", url(server, name));
        }
        if let Some(day) = on {
            command.args(["--on", &day.to_string(), "--at", "13:00"]);
        }
        command.args(["--yes", "--quiet", "--format", "csv"]).args(words);
        let complaints = std::fs::File::create(self.home.path().join("complaints")).unwrap();
        let begun = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints).spawn().unwrap();
        let mut memory = 0;
        let status = loop {
            memory = most_memory(child.id()).unwrap_or(memory);
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let took = begun.elapsed();
        // 5: a router or WhatsApp that is not set up, or a finding of the doctor.
        if !matches!(status.code(), Some(0 | 5)) {
            let said = std::fs::read_to_string(self.home.path().join("complaints")).unwrap();
            panic!("{}: isp {}: {status}: {said}", self.name, words.join(" "));
        }
        println!("{}: isp {}: {:.2} s, {} MiB", self.name, words.join(" "), took.as_secs_f64(), memory / 1_024);
        Step { what: what.to_owned(), took, memory }
    }

    fn writes_sheets(&self, customers: usize, first: NaiveDate) {
        let sheets = self.home.path().join("sheets");
        std::fs::create_dir_all(&sheets).unwrap();
        let rows = |head: &str, row: &dyn Fn(usize) -> String| {
            let mut text = format!("{head}\n");
            (1..=customers).for_each(|n| text.push_str(&row(n)));
            text
        };
        let people = rows("id_pelanggan,nama,nik,alamat,telepon", &|n| {
            let nik = format!("{:06}170845{:04}", 320_101 + n / 900, n % 900 * 10 + 1);
            // An odd number: an import asks about one that ends in noughts.
            let phone = 2 * n + 1;
            format!("P{n:07},Warga {n},{nik},\"Jl. Melati {n}, Bandung\",0812{phone:08}\n")
        });
        let lines = rows("id_pelanggan,paket,username,password,mulai", &|n| {
            format!("P{n:07},H20,warga{n},rahasia{n},{first}\n")
        });
        let devices = rows("serial,id_pelanggan,router,kepemilikan,nilai,tanggal", &|n| {
            format!("SN{n:07},P{n:07},TL-WR840N,dipinjamkan,250000,{first}\n")
        });
        let few = [
            ("sites.csv", "kode,nama,zona\nBDG,Bandung,WIB\n"),
            ("packages.csv", "kode,nama,harga,ppn,kecepatan,grup\nH20,Rumah 20,165000,termasuk,20,h20\n"),
            ("routers.csv", "kode,site,alamat,username,password\nR1,BDG,127.0.0.1:1,isp,rahasia-router\n"),
        ];
        for (name, text) in few {
            std::fs::write(sheets.join(name), text).unwrap();
        }
        for (name, text) in [("customers.csv", people), ("subscriptions.csv", lines), ("cpes.csv", devices)] {
            std::fs::write(sheets.join(name), text).unwrap();
        }
    }

    /// A bank's file of a month in which nine in ten customers paid.
    fn writes_statement(&self, customers: usize, on: NaiveDate) {
        let day = on.format("%d/%m/%y");
        let mut text = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n".to_owned();
        let mut balance = 0;
        for n in (1..=customers).filter(|n| n % 10 != 0) {
            balance += PRICE;
            writeln!(text, "{day},\"TRF P{n:07} {on}\",8888,0.00,{PRICE}.00,{balance}.00").unwrap();
        }
        std::fs::write(self.home.path().join("bank.csv"), text).unwrap();
    }

    /// Bytes on the disk: the file, or the database.
    fn size(&self) -> u64 {
        match &self.server {
            None => std::fs::metadata(self.home.path().join("isp.db")).unwrap().len(),
            Some((server, name)) => {
                let rows = ask(server, &format!("SELECT pg_database_size('{name}')"));
                u64::try_from(rows[0].get::<i64, _>(0)).unwrap()
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            ask(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn ask(server: &str, sql: &str) -> Vec<sqlx::postgres::PgRow> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut connection = PgConnection::connect(server).await.unwrap();
        connection.fetch_all(AssertSqlSafe(sql.to_owned())).await.unwrap()
    })
}

/// The URL of another database of the server.
fn url(server: &str, name: &str) -> String {
    let (head, query) = server.split_once('?').unwrap_or((server, ""));
    let (head, _) = head.rsplit_once('/').unwrap();
    format!("{head}/{name}?{query}")
}

/// The most memory that a process has had so far, KiB; `None` once it has ended.
fn most_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The load of the machine over the last minute.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}
