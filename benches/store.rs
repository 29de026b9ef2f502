//! Committing 100,000 invoices to SQLite and PostgreSQL through `Store::commit`, each beside the same rows through that
//! database's fastest bulk path in the same run: for SQLite prepared inserts of many rows in one transaction, for
//! PostgreSQL binary COPY, a transaction a page, of rows encoded beforehand; both into a table of the same columns and
//! indexes. The two take turns page by page, so that a machine that does something else meanwhile slows both down.
//!
//! The ratio says what numbers without gaps, the journal, the checks and the conversion cost. Run with
//! `scripts/with_pg cargo bench --bench store`; `-- sqlite` or `-- postgres` after it measures one of them.
//!
//! `-- wall` measures the wall between tenants: the same pages through a store of the owner of the tables and through one of a user
//! behind the wall, in turns, and how long a small commit and a small read take each.

#![allow(clippy::print_stdout, clippy::float_arithmetic, clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::{Duration, Instant};

use isp_core::billing::{Invoice, InvoiceKind, InvoiceLine, InvoiceLines, LineKind};
use isp_core::calendar::{BillingDay, Cycle, Month, Zone};
use isp_core::customer::{Address, Customer};
use isp_core::ids::{CustomerId, IdSource, InvoiceId, PackageId, SiteId, SubscriptionId, TenantId};
use isp_core::money::Money;
use isp_core::package::{Package, PriceList, Speed, UserGroup};
use isp_core::place::Site;
use isp_core::ports::{ChangeSet, Store};
use isp_core::secret::Secret;
use isp_core::subscription::{Account, BillingTerms, Subscription};
use isp_core::tax::TaxMode;
use isp_core::text::{Code, Language, Name};
use isp_store::Vault;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use uuid::Uuid;

const TENANT: TenantId = TenantId::DEFAULT;
const INVOICES: usize = 100_000;
const PAGE: usize = 10_000;
/// Each round is another month; the median counts.
const ROUNDS: u32 = 5;
/// Rows a prepared insert of the raw SQLite rate.
const SQLITE_ROWS: usize = 64;
const COLUMNS: usize = 17;
/// Small commits and reads a round.
const SMALL: usize = 200;

#[tokio::main]
async fn main() {
    let Ok(server) = std::env::var("ISP_TEST_PG") else {
        println!("ISP_TEST_PG is not set: run through scripts/with_pg");
        std::process::exit(1);
    };
    let named: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let asked = |name: &str| named.is_empty() || named.iter().any(|word| word == name);
    println!("{INVOICES} invoices in pages of {PAGE}, median of {ROUNDS} rounds");
    let provider = Provider::new();
    if asked("sqlite") {
        sqlite(&provider).await;
    }
    if asked("postgres") {
        postgres(&provider, &server).await;
    }
    if asked("wall") {
        wall(&provider, &server).await;
    }
}

/// The same rows by the owner of the tables and by a user behind the wall, each into its own database.
async fn wall(provider: &Provider, server: &str) {
    let name = format!("isp_bench_wall_{}", std::process::id());
    let mut admin = PgConnection::connect(server).await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE ROLE {name} LOGIN"))).await.unwrap();
    let (head, query) = server.split_once('?').unwrap_or((server, ""));
    let (head, _) = head.rsplit_once('/').unwrap();
    let host = head.rsplit_once('@').map_or("localhost", |(_, host)| host);
    let mut stores = Vec::new();
    for behind in [false, true] {
        let database = format!("{name}_{}", u8::from(behind));
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {database}"))).await.unwrap();
        let url = format!("{head}/{database}?{query}");
        isp_store::migrate(&url).await.unwrap();
        if behind {
            isp_store::wall(&url, &name).await.unwrap();
            stores.push(opened(&format!("postgres://{name}@{host}/{database}?{query}"), provider, false).await);
        } else {
            stores.push(opened(&url, provider, false).await);
        }
    }
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let mut spent = [Duration::ZERO; 2];
        for page in 0..INVOICES / PAGE {
            for (store, spent) in stores.iter().zip(&mut spent) {
                let changes = ChangeSet { invoices: provider.invoices(round, page), ..ChangeSet::default() };
                let start = Instant::now();
                assert_eq!(store.commit(TENANT, changes).await.unwrap().invoices, PAGE as u64);
                *spent += start.elapsed();
            }
        }
        ratios.push(spent[0].as_secs_f64() / spent[1].as_secs_f64());
    }
    say_ratio("invoices in pages", ratios);
    let (mut commits, mut reads) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (mut spent, mut read) = ([Duration::ZERO; 2], [Duration::ZERO; 2]);
        let all = provider.invoices(ROUNDS + round, 0);
        for invoice in &all[..SMALL] {
            for (at, store) in stores.iter().enumerate() {
                let changes = ChangeSet { invoices: vec![invoice.clone()], ..ChangeSet::default() };
                let start = Instant::now();
                store.commit(TENANT, changes).await.unwrap();
                spent[at] += start.elapsed();
                let start = Instant::now();
                store.packages(TENANT).await.unwrap();
                read[at] += start.elapsed();
            }
        }
        commits.push(spent[0].as_secs_f64() / spent[1].as_secs_f64());
        reads.push(read[0].as_secs_f64() / read[1].as_secs_f64());
    }
    say_ratio("commits of one invoice", commits);
    say_ratio("reads of the packages", reads);
    stores.clear();
    for behind in 0..2 {
        admin.execute(AssertSqlSafe(format!("DROP DATABASE {name}_{behind} WITH (FORCE)"))).await.unwrap();
    }
    admin.execute(AssertSqlSafe(format!("DROP ROLE {name}"))).await.unwrap();
}

/// The rate behind the wall as a part of that without it.
fn say_ratio(what: &str, mut ratios: Vec<f64>) {
    ratios.sort_unstable_by(f64::total_cmp);
    let (least, middle, most) = (ratios[0], ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    println!("      wall: {what}, rate behind it to rate without it {middle:.2} ({least:.2} to {most:.2})");
}

async fn sqlite(provider: &Provider) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("isp.db");
    let store = opened(&format!("sqlite:{}", path.display()), provider, true).await;
    let raw = raw_sqlite(&path, &dir.path().join("raw.db")).await;
    compare("SQLite", store.as_ref(), provider, Raw::Sqlite(raw)).await;
    store_gone(store);
}

async fn postgres(provider: &Provider, server: &str) {
    let name = format!("isp_bench_{}", std::process::id());
    let mut admin = PgConnection::connect(server).await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let (head, query) = server.split_once('?').unwrap_or((server, ""));
    let (head, _) = head.rsplit_once('/').unwrap();
    let url = format!("{head}/{name}?{query}");
    let store = opened(&url, provider, true).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    raw.execute("CREATE TABLE raw_invoices (LIKE invoices INCLUDING ALL)").await.unwrap();
    compare("PostgreSQL", store.as_ref(), provider, Raw::Postgres(raw)).await;
    store_gone(store);
    admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
}

/// Named, because a store holds its connections until it is dropped.
fn store_gone(store: std::sync::Arc<dyn Store>) {
    drop(store);
}

async fn opened(url: &str, provider: &Provider, empty: bool) -> std::sync::Arc<dyn Store> {
    if empty {
        isp_store::migrate(url).await.unwrap();
    }
    let store = isp_store::open(url, Vault::from_text(&"5e".repeat(32)).unwrap()).await.unwrap();
    for changes in provider.pages() {
        store.commit(TENANT, changes).await.unwrap();
    }
    store
}

enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

async fn compare(name: &str, store: &dyn Store, provider: &Provider, mut raw: Raw) {
    let (mut by_store, mut by_hand) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (mut spent, mut spent_by_hand) = (Duration::ZERO, Duration::ZERO);
        raw.begin().await;
        for page in 0..INVOICES / PAGE {
            let invoices = provider.invoices(round, page);
            let changes = ChangeSet { invoices, ..ChangeSet::default() };
            let start = Instant::now();
            let report = store.commit(TENANT, changes).await.unwrap();
            spent += start.elapsed();
            assert_eq!(report.invoices, PAGE as u64);
            if round == 0 && page == 0 {
                println!("{name:>10}: peak memory after {PAGE} invoices {} MiB", peak_memory());
            }
            spent_by_hand += raw.page(&provider.invoices(round, page)).await;
        }
        spent_by_hand += raw.end().await;
        by_store.push(spent);
        by_hand.push(spent_by_hand);
        if round == 0 {
            println!("{name:>10}: peak memory after {INVOICES} invoices {} MiB", peak_memory());
        }
    }
    let mut ratios: Vec<f64> =
        by_store.iter().zip(&by_hand).map(|(store, hand)| hand.as_secs_f64() / store.as_secs_f64()).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let rate = |mut rounds: Vec<Duration>| {
        rounds.sort_unstable();
        INVOICES as f64 / rounds[rounds.len() / 2].as_secs_f64()
    };
    println!(
        "{name:>10}: store {:>8.0} invoices/s, raw {:>8.0} rows/s, ratio {:.2} ({:.2} to {:.2})",
        rate(by_store),
        rate(by_hand),
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1]
    );
}

impl Raw {
    async fn begin(&mut self) {
        if let Self::Sqlite(connection) = self {
            connection.execute("BEGIN IMMEDIATE").await.unwrap();
        }
    }

    /// Writes a page; how long that took.
    async fn page(&mut self, invoices: &[Invoice]) -> Duration {
        match self {
            Self::Sqlite(connection) => sqlite_rows(connection, invoices).await,
            Self::Postgres(connection) => copied_rows(connection, invoices).await,
        }
    }

    async fn end(&mut self) -> Duration {
        let start = Instant::now();
        if let Self::Sqlite(connection) = self {
            connection.execute("COMMIT").await.unwrap();
        }
        start.elapsed()
    }
}

/// The largest resident memory so far; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// A file of its own, because its transaction stays open while the store writes.
async fn raw_sqlite(path: &Path, raw: &Path) -> SqliteConnection {
    let options = |path| {
        let options = SqliteConnectOptions::new().filename(path).journal_mode(SqliteJournalMode::Wal);
        options.create_if_missing(true).synchronous(SqliteSynchronous::Full).disable_statement_logging()
    };
    let mut store = options(path).connect().await.unwrap();
    let made = "SELECT sql FROM sqlite_master WHERE tbl_name = 'invoices' AND sql IS NOT NULL ORDER BY type DESC";
    let statements: Vec<String> = sqlx::query_scalar(made).fetch_all(&mut store).await.unwrap();
    assert_eq!(statements.len(), 3, "a table and two indexes beside its keys");
    let mut connection = options(raw).connect().await.unwrap();
    for sql in statements {
        let sql = sql.replace("invoices", "raw_invoices");
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    connection
}

/// The columns of an invoice's row as the store writes them.
fn day_numbers(i: &Invoice) -> [i32; 4] {
    [i.period.start, i.period.end, i.issue_date, i.due_date].map(isp_core::Date::day_number)
}

fn ids(i: &Invoice) -> [Uuid; 4] {
    [i.customer_id.0, i.subscription_id.0, i.site_id.0, i.package_id.0]
}

fn money(i: &Invoice) -> [i64; 4] {
    [i.dpp.as_i64(), i.ppn.as_i64(), i.total.as_i64(), 0]
}

const LINES: &str = "S150000 P16500";

async fn sqlite_rows(connection: &mut SqliteConnection, invoices: &[Invoice]) -> Duration {
    let start = Instant::now();
    let tuple = format!("({})", ["?"; COLUMNS].join(", "));
    for (chunk, number) in invoices.chunks(SQLITE_ROWS).zip(1_i64..) {
        let sql = format!("INSERT INTO raw_invoices VALUES {}", vec![tuple.as_str(); chunk.len()].join(", "));
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(chunk.len() == SQLITE_ROWS);
        for i in chunk {
            query = query.bind(TENANT.0).bind(i.id.0).bind(number);
            for id in ids(i) {
                query = query.bind(id);
            }
            query = query.bind(1_i64);
            for day in day_numbers(i) {
                query = query.bind(i64::from(day));
            }
            for amount in money(i) {
                query = query.bind(amount);
            }
            query = query.bind(LINES);
        }
        query.execute(&mut *connection).await.unwrap();
    }
    start.elapsed()
}

async fn copied_rows(connection: &mut PgConnection, invoices: &[Invoice]) -> Duration {
    let encoded = encoded(invoices);
    let start = Instant::now();
    let mut copy = connection.copy_in_raw("COPY raw_invoices FROM STDIN (FORMAT binary)").await.unwrap();
    for message in encoded.chunks(128 * 1024) {
        copy.send(message).await.unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), invoices.len() as u64);
    start.elapsed()
}

/// Rows in COPY's binary format.
fn encoded(invoices: &[Invoice]) -> Vec<u8> {
    fn field(bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&i32::try_from(bytes.len()).unwrap().to_be_bytes());
        out.extend_from_slice(bytes);
    }
    const EPOCH: i32 = 10_957;
    let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for (i, number) in invoices.iter().zip(1_i64..) {
        out.extend_from_slice(&i16::try_from(COLUMNS).unwrap().to_be_bytes());
        field(TENANT.0.as_bytes(), &mut out);
        field(i.id.0.as_bytes(), &mut out);
        field(&number.to_be_bytes(), &mut out);
        for id in ids(i) {
            field(id.as_bytes(), &mut out);
        }
        field(&1_i16.to_be_bytes(), &mut out);
        for day in day_numbers(i) {
            field(&(day - EPOCH).to_be_bytes(), &mut out);
        }
        for amount in money(i) {
            field(&amount.to_be_bytes(), &mut out);
        }
        field(LINES.as_bytes(), &mut out);
    }
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    out
}

/// An invented provider with a subscription for each invoice.
struct Provider {
    site: SiteId,
    package: PackageId,
    subscriptions: Vec<(CustomerId, SubscriptionId)>,
}

impl Provider {
    fn new() -> Self {
        let mut ids = IdSource::new(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000), 1);
        Self {
            site: SiteId(ids.next_uuid()),
            package: PackageId(ids.next_uuid()),
            subscriptions: (0..INVOICES)
                .map(|_| (CustomerId(ids.next_uuid()), SubscriptionId(ids.next_uuid())))
                .collect(),
        }
    }

    fn pages(&self) -> impl Iterator<Item = ChangeSet> {
        let code = |text: &str| Code::parse("code", text).unwrap();
        let name = |text: &str| Name::parse("name", text).unwrap();
        let places = ChangeSet {
            sites: vec![Site {
                id: self.site,
                code: code("S1"),
                name: name("Kota"),
                zone: Zone::Wib,
                coordinates: None,
                archived: false,
            }],
            packages: vec![Package {
                id: self.package,
                code: code("P20"),
                name: name("Paket 20"),
                prices: PriceList::single(Money::rupiah(150_000)).unwrap(),
                tax_mode: TaxMode::Exclusive,
                group: UserGroup { name: code("P20").into(), speed: Speed::parse("20").unwrap() },
                sold: true,
            }],
            ..ChangeSet::default()
        };
        let start = Month::new(2025, 12).unwrap().first();
        let customer = move |(customer, _): &(CustomerId, SubscriptionId)| Customer {
            id: *customer,
            code: code(&customer.to_string()),
            name: name("Pelanggan"),
            nik: None,
            address: Address::parse("Jl. Melati").unwrap(),
            phone: None,
            language: Language::Id,
            invoicing: Default::default(),
            coordinates: None,
        };
        let subscription = move |(customer, subscription): &(CustomerId, SubscriptionId)| Subscription {
            id: *subscription,
            customer_id: *customer,
            site_id: self.site,
            router_id: None,
            account: Account::pppoe(code(&subscription.to_string()), Secret::new("x")),
            terms: BillingTerms::new(self.package, start, BillingDay::try_new(1).unwrap(), Cycle::Monthly),
        };
        std::iter::once(places).chain(self.subscriptions.chunks(PAGE / 10).map(move |chunk| ChangeSet {
            customers: chunk.iter().map(customer).collect(),
            subscriptions: chunk.iter().map(subscription).collect(),
            ..ChangeSet::default()
        }))
    }

    fn invoices(&self, round: u32, page: usize) -> Vec<Invoice> {
        let period = Month::new(2026, round + 1).unwrap().period();
        let rows = self.subscriptions.iter().skip(page * PAGE).take(PAGE);
        rows.map(|(customer, subscription)| Invoice {
            id: InvoiceId::of_period(*subscription, period.start),
            number: 0,
            customer_id: *customer,
            subscription_id: *subscription,
            site_id: self.site,
            package_id: self.package,
            kind: InvoiceKind::Subscription,
            period,
            issue_date: period.start,
            due_date: period.start.plus_days(10),
            lines: InvoiceLines::from_iter([
                InvoiceLine::new(LineKind::Subscription, Money::rupiah(150_000)),
                InvoiceLine::new(LineKind::Ppn, Money::rupiah(16_500)),
            ]),
            dpp: Money::rupiah(150_000),
            ppn: Money::rupiah(16_500),
            total: Money::rupiah(166_500),
        })
        .collect()
    }
}
