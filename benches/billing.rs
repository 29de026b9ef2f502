//! A whole billing run on PostgreSQL: `Engine::bill` reads a provider's lines page by page, decides, and writes invoices, journal, counters
//! and the log of changes. Beside it stands binary COPY of exactly the rows that it wrote, taken out of its tables beforehand, into tables
//! of the same columns and indexes, a transaction for every 10,000 rows. Both take turns by month, so that the tables of both grow alike.
//!
//! `scripts/with_pg cargo bench --bench billing -- LINES` (1,000,000 unless said otherwise), then what is measured:
//!
//! * `one`, which is also what is measured when nothing is said: a worker on a provider with so many lines, beside COPY;
//! * `two`: two workers at once, each on a provider of its own, beside one of them alone; and two COPYs of their rows at once, each on a
//!   connection of its own, beside one of them alone. What two COPYs gain is what the machine has left for a second one;
//! * `history`: a provider with invoices of past months, all paid, beside one without any: `-- LINES history INVOICES` (15,000,000
//!   unless said otherwise). It prints how the server goes about the statements of a run, and how long it takes to read what some customers
//!   were invoiced and owe. `by_customer` after it is how it was when the invoices of a customer were found by the customer alone.
//! * `heap`: COPY of a month's invoices into a table without keys, which then gets its keys and becomes a partition of a table by month,
//!   beside COPY into a table that has its keys.
//!
//! `page=1000` among them is the page of the engine, of which a run of billing takes twice as many lines at once. A run of billing writes no outbox: who is told what is decided by `Engine::remind`.

#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    missing_docs
)]

#[path = "billing/copy.rs"]
mod copy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use copy::{INVOICE, Rows, copies_into};
use isp_core::Policy;
use isp_core::calendar::{Month, Period, Zone};
use isp_core::engine::Engine;
use isp_core::ids::{CustomerId, IdSource, PackageId, SiteId, SubscriptionId, TenantId};
use isp_core::money::Money;
use isp_core::package::{Package, PriceList, Speed, UserGroup};
use isp_core::place::Site;
use isp_core::ports::{ChangeSet, InvoiceQuery, PageQuery, Store};
use isp_core::tax::TaxMode;
use isp_core::text::{Code, Name};
use isp_store::Vault;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use uuid::Uuid;

/// Each round is another month; the median counts.
const ROUNDS: u32 = 3;
const SITES: usize = 20;
/// Prices of the packages, in thousands of rupiah.
const PRICES: [i64; 6] = [110, 150, 165, 200, 250, 350];
/// What a run of billing writes to, and what tells its rows from those of runs before: `$1`, `$2` and `$3` are its day, its first number
/// and its first entry of the log. Invoices are in the order of their numbers, the others as they lie.
const WRITTEN: [(&str, &str); 4] = [
    ("invoices", "number >= $2 ORDER BY number"),
    ("journal_entries", "booked_on = $1"),
    ("journal_lines", "booked_on = $1"),
    ("audit_log", "sequence >= $3"),
];

#[tokio::main]
async fn main() {
    let Ok(server) = std::env::var("ISP_TEST_PG") else {
        println!("ISP_TEST_PG is not set: run through scripts/with_pg");
        std::process::exit(1);
    };
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let numbers: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let (lines, history) = (*numbers.first().unwrap_or(&1_000_000), *numbers.get(1).unwrap_or(&15_000_000));
    let named: Vec<&String> = words.iter().filter(|word| word.parse::<u32>().is_err() && !word.contains('=')).collect();
    let asked = |name: &str| named.iter().any(|word| *word == name);
    println!("{lines} lines, {ROUNDS} rounds, load {}", load());
    if asked("one") || named.is_empty() {
        one(&server, lines).await;
    }
    if asked("two") {
        two(&server, lines).await;
    }
    if asked("history") {
        with_history(&server, lines, history, asked("by_customer")).await;
    }
    if asked("heap") {
        heap_first(&server, lines).await;
    }
    println!("load {}, most memory of this process {} MiB", load(), peak_memory());
}

async fn one(server: &str, lines: u32) {
    let mut books = Books::new(server, "one").await;
    let tenant = books.provider(lines).await;
    books.raw_tables().await;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let before = books.next_numbers(tenant).await;
        let billed = books.bills(tenant, lines, round).await;
        let copied = books.copies(tenant, before, round).await;
        say(&format!("month {}", round + 1), lines, &[("billed", billed), ("COPY of the same rows", copied)]);
        ratios.push(copied.as_secs_f64() / billed.as_secs_f64());
    }
    say_ratio("a run of billing, to COPY of what it writes", ratios);
    books.gone().await;
}

async fn two(server: &str, lines: u32) {
    let mut alone = Books::new(server, "alone").await;
    let tenants = [alone.provider(lines).await, alone.provider(lines).await];
    alone.raw_tables().await;
    let (mut ratios, mut of_copies, mut of_ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // The two of a month together, the one of the month after it alone, so that both find tables of about the same size.
        let [together, single] = [2 * round, 2 * round + 1];
        let start = Instant::now();
        let [a, b] = [alone.worker().await, alone.worker().await];
        for tenant in tenants {
            alone.goes_to(tenant, together).await;
        }
        let work = |store: Arc<dyn Store>, tenant: TenantId| async move {
            tokio::spawn(async move { bills(store.as_ref(), tenant, together).await }).await.unwrap()
        };
        let before = [alone.next_numbers(tenants[0]).await, alone.next_numbers(tenants[1]).await];
        let ready = start.elapsed();
        let counts = tokio::join!(work(a, tenants[0]), work(b, tenants[1]));
        assert_eq!(counts, (u64::from(lines), u64::from(lines)));
        let both = start.elapsed() - ready;
        let two_copies = alone.copies_at_once(tenants, before, together).await;
        let before = alone.next_numbers(tenants[0]).await;
        let one = alone.bills(tenants[0], lines, single).await;
        let one_copy = alone.copies(tenants[0], before, single).await;
        alone.bills(tenants[1], lines, single).await;
        let times =
            [("one", one), ("two, so many each", both), ("one COPY", one_copy), ("two, so many each", two_copies)];
        say(&format!("round {}", round + 1), lines, &times);
        let gain = |one: Duration, two: Duration| 2.0 * one.as_secs_f64() / two.as_secs_f64();
        ratios.push(gain(one, both));
        of_copies.push(gain(one_copy, two_copies));
        of_ratios.push(gain(one, both) / gain(one_copy, two_copies));
    }
    say_ratio("rate of two workers on two providers, to that of one", ratios);
    say_ratio("rate of two COPYs of their rows at once, to that of one", of_copies);
    say_ratio("what two workers gain, to what two COPYs gain", of_ratios);
    alone.gone().await;
}

async fn with_history(server: &str, lines: u32, history: u32, by_customer: bool) {
    let (mut empty, mut full) = (Books::new(server, "empty").await, Books::new(server, "full").await);
    if by_customer {
        for books in [&mut empty, &mut full] {
            books.says("DROP INDEX invoices_customer, invoices_owed").await;
            books.says("CREATE INDEX invoices_customer ON invoices (tenant_id, customer_id, issue_date)").await;
        }
    }
    let (new, old) = (empty.provider(lines).await, full.provider(lines).await);
    full.past(old, lines, history).await;
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        // Each month of the empty books goes away again.
        let without = empty.bills(new, lines, round).await;
        empty.forgets().await;
        let with = full.bills(old, lines, round).await;
        say(&format!("month {}", round + 1), lines, &[("without", without), ("with history", with)]);
        ratios.push(without.as_secs_f64() / with.as_secs_f64());
    }
    say_ratio(&format!("rate with {history} invoices of history, to that without"), ratios);
    full.explains(old, by_customer).await;
    if !by_customer {
        full.says("VACUUM ANALYZE").await;
        full.looks_back(old).await;
    }
    full.gone().await;
    empty.gone().await;
}

/// The keys of invoices as those of a table by month, where each begins with the provider and holds the day.
const KEYS: [&str; 4] = [
    "UNIQUE INDEX ON {} (tenant_id, invoice_id, period_start)",
    "UNIQUE INDEX ON {} (tenant_id, period_start, subscription_id, kind)",
    "INDEX ON {} (tenant_id, due_date, customer_id) WHERE total > paid",
    "INDEX ON {} (tenant_id, customer_id, issue_date)",
];

async fn heap_first(server: &str, lines: u32) {
    let mut books = Books::new(server, "heap").await;
    let tenant = books.provider(lines).await;
    books.says("CREATE TABLE by_month (LIKE invoices INCLUDING CONSTRAINTS) PARTITION BY RANGE (period_start)").await;
    for key in KEYS {
        books.says(&format!("CREATE {}", key.replace("{}", "by_month"))).await;
    }
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let (number, _) = books.next_numbers(tenant).await;
        books.bills(tenant, lines, round).await;
        let days = month(round).period();
        let bounds = format!("FOR VALUES FROM ('{}') TO ('{}')", days.start, days.end);
        let (keyed, heap) = (format!("keyed_{round}"), format!("heap_{round}"));
        books.says(&format!("CREATE TABLE {keyed} (LIKE invoices INCLUDING CONSTRAINTS)")).await;
        for key in KEYS {
            books.says(&format!("CREATE {}", key.replace("{}", &keyed))).await;
        }
        let rows = Rows::read(&mut books.connection, "invoices", &format!("number >= {number} ORDER BY number")).await;
        let with_keys = books.copies_into(&keyed, &rows).await;
        // The check spares the server to look at each row once more when the table becomes a partition.
        books
            .says(&format!(
                "CREATE TABLE {heap} (LIKE invoices INCLUDING CONSTRAINTS,
                    CHECK (period_start IS NOT NULL AND period_start >= '{}' AND period_start < '{}'))",
                days.start, days.end
            ))
            .await;
        let mut first = books.copies_into(&heap, &rows).await;
        let start = Instant::now();
        for key in KEYS {
            books.says(&format!("CREATE {}", key.replace("{}", &heap))).await;
        }
        books.says(&format!("ALTER TABLE by_month ATTACH PARTITION {heap} {bounds}")).await;
        first += start.elapsed();
        say(&format!("month {}", round + 1), lines, &[("with keys", with_keys), ("keys afterwards", first)]);
        ratios.push(with_keys.as_secs_f64() / first.as_secs_f64());
    }
    say_ratio("rate of keys afterwards, to that of COPY into keys", ratios);
    books.gone().await;
}

/// Bills the first day of a month; how many invoices that were.
async fn bills(store: &dyn Store, tenant: TenantId, round: u32) -> u64 {
    let policy = Policy::default();
    let engine = Engine::new(store, tenant, &policy);
    Engine { page: page().unwrap_or(engine.page), ..engine }.bill(noon(round)).await.unwrap().invoices
}

/// The page of the engine, where the command names one.
fn page() -> Option<u32> {
    std::env::args().find_map(|word| word.strip_prefix("page=")?.parse().ok())
}

fn noon(round: u32) -> DateTime<Utc> {
    month(round).first().at(12, 0, Zone::Wib)
}

fn month(round: u32) -> Month {
    Month::new(2026 + (round / 12) as i32, round % 12 + 1).unwrap()
}

fn say(what: &str, lines: u32, times: &[(&str, Duration)]) {
    let rates = times.iter().map(|(who, took)| {
        format!("{who} {:.1} s ({:.0}/s)", took.as_secs_f64(), f64::from(lines) / took.as_secs_f64())
    });
    println!("  {what}: {}, load {}", rates.collect::<Vec<_>>().join(", "), load());
}

fn say_ratio(what: &str, mut ratios: Vec<f64>) {
    ratios.sort_unstable_by(f64::total_cmp);
    let (least, middle, most) = (ratios[0], ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    println!("{what}: {middle:.2} ({least:.2} to {most:.2})");
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// The largest resident memory so far; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// A database of its own, gone at the end.
struct Books {
    server: String,
    name: String,
    url: String,
    connection: PgConnection,
    store: Arc<dyn Store>,
    providers: u128,
}

impl Books {
    async fn new(server: &str, what: &str) -> Self {
        let name = format!("isp_bench_{what}_{}", std::process::id());
        let mut admin = PgConnection::connect(server).await.unwrap();
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        let (head, query) = server.split_once('?').unwrap_or((server, ""));
        let (head, _) = head.rsplit_once('/').unwrap();
        let url = format!("{head}/{name}?{query}");
        isp_store::migrate(&url).await.unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        // Else a table is read from where somebody else is just reading it.
        connection.execute("SET synchronize_seqscans TO off").await.unwrap();
        let store = opened(&url).await;
        Self { server: server.to_owned(), name, url, connection, store, providers: 0 }
    }

    async fn gone(self) {
        drop(self.store);
        let mut admin = PgConnection::connect(&self.server).await.unwrap();
        admin.execute(AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", self.name))).await.unwrap();
    }

    /// A store of its own, as that of another process.
    async fn worker(&self) -> Arc<dyn Store> {
        opened(&self.url).await
    }

    async fn says(&mut self, sql: &str) {
        self.connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    /// A provider with a customer for each line, who are all billed on the first of a month.
    async fn provider(&mut self, lines: u32) -> TenantId {
        self.providers += 1;
        let tenant = TenantId(Uuid::from_u128(self.providers));
        let mut ids = IdSource::new(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000), 1);
        let code = |text: String| Code::parse("code", &text).unwrap();
        let name = |text: &str| Name::parse("name", text).unwrap();
        let site = |n: usize, id: SiteId| Site {
            id,
            code: code(format!("S{n}")),
            name: name("Kota"),
            zone: Zone::Wib,
            coordinates: None,
            archived: false,
        };
        let package = |(n, price): (usize, i64), id: PackageId| Package {
            id,
            code: code(format!("P{n}")),
            name: name("Paket"),
            prices: PriceList::single(Money::rupiah(price * 1_000)).unwrap(),
            tax_mode: TaxMode::Exclusive,
            group: UserGroup { name: code(format!("P{n}")).into(), speed: Speed::parse("20").unwrap() },
            sold: true,
        };
        let sites = (0..SITES).map(|n| site(n, SiteId(ids.next_uuid()))).collect();
        let packages = PRICES.into_iter().enumerate().map(|of| package(of, PackageId(ids.next_uuid()))).collect();
        self.store.commit(tenant, ChangeSet { sites, packages, ..ChangeSet::default() }).await.unwrap();
        // Ids as programs make them: a moment, then what is random.
        let id = |kind: &str| {
            format!(
                "(lpad(to_hex(1700000000000 + n), 12, '0') || '7' || substr(md5('{kind}' || n), 1, 3) || '8'
                    || substr(md5('{kind}' || n), 4, 15))::uuid"
            )
        };
        let (customer, line) = (id("customer"), id("line"));
        let of = tenant.0;
        self.says(&format!(
            "INSERT INTO customers (tenant_id, customer_id, code, code_key, name, address, phone, language)
            SELECT '{of}', {customer}, 'C' || n, 'c' || n, 'Pelanggan ' || n, 'Jl. Melati No. ' || n || ', Kota Malang',
                '+62812' || lpad(n::text, 8, '0'), 'id'
            FROM generate_series(1, {lines}) n"
        ))
        .await;
        self.says(&format!(
            "INSERT INTO subscriptions (tenant_id, subscription_id, customer_id, site_id, username, password_sealed,
                package_id, billing_day, cycle_months, timing, starts_on)
            SELECT '{of}', {line}, {customer}, s.ids[1 + n * 7 % {SITES}], 'pelanggan' || n,
                decode(repeat(md5(n::text), 2), 'hex'), p.ids[1 + n * 11 % {}], 1, 1, 'prepaid', '2024-01-01'
            FROM generate_series(1, {lines}) n,
                (SELECT array_agg(site_id) ids FROM sites WHERE tenant_id = '{of}') s,
                (SELECT array_agg(package_id) ids FROM packages WHERE tenant_id = '{of}') p",
            PRICES.len()
        ))
        .await;
        self.says("VACUUM ANALYZE").await;
        tenant
    }

    /// Invoices of past months, as runs of their time wrote them, and all of them paid.
    async fn past(&mut self, tenant: TenantId, lines: u32, count: u32) {
        let months = count.div_ceil(lines);
        for back in (1..=months).rev() {
            let left = (count - (months - back) * lines).min(lines);
            let period = (0..back).fold(month(0), |month, _| month.first().plus_days(-1).month()).period();
            let (first, next) = (period.start, period.end);
            let (of, number) = (tenant.0, u64::from(months - back) * u64::from(lines));
            self.says(&format!(
                "INSERT INTO invoices (tenant_id, invoice_id, number, customer_id, subscription_id, site_id, package_id, kind,
                    period_start, period_end, issue_date, due_date, dpp, ppn, total, paid, lines)
                SELECT tenant_id, ('{:04x}' || substr(h, 5, 8) || '8' || substr(h, 14, 3) || '8' || substr(md5(h || '{first}'), 1, 15))::uuid,
                    {number} + row_number() OVER (), customer_id, subscription_id, site_id, package_id, 1, '{first}', '{next}', '{first}',
                    DATE '{first}' + 10, 150000, 16500, 166500, 166500, 'S150000 P16500'
                FROM (SELECT *, replace(subscription_id::text, '-', '') h FROM subscriptions
                    WHERE tenant_id = '{of}' ORDER BY subscription_id LIMIT {left}) s",
                first.day_number()
            ))
            .await;
        }
        let next = u64::from(months) * u64::from(lines) + 1;
        self.says(&format!("UPDATE tenants SET next_invoice = {next} WHERE tenant_id = '{}'", tenant.0)).await;
        self.says("VACUUM ANALYZE").await;
        let sizes = "SELECT pg_size_pretty(pg_table_size('invoices')), pg_size_pretty(pg_indexes_size('invoices'))";
        let row = sqlx::query(sizes).fetch_one(&mut self.connection).await.unwrap();
        println!("  history: {} of invoices, {} of their indexes", row.get::<String, _>(0), row.get::<String, _>(1));
    }

    /// Takes the books of a month away, so that the next one finds them as empty.
    async fn forgets(&mut self) {
        self.says("TRUNCATE invoices, journal_entries, journal_lines CASCADE").await;
    }

    /// As after a run of the day before a month, on which nobody was due.
    async fn goes_to(&mut self, tenant: TenantId, round: u32) {
        let before = month(round).first().plus_days(-1);
        let sql = "UPDATE tenants SET billing_position = DATE '1970-01-01' + $2 WHERE tenant_id = $1";
        sqlx::query(sql).bind(tenant.0).bind(before.day_number()).execute(&mut self.connection).await.unwrap();
    }

    /// Bills a month; how long that took.
    async fn bills(&mut self, tenant: TenantId, lines: u32, round: u32) -> Duration {
        self.goes_to(tenant, round).await;
        let start = Instant::now();
        let invoices = bills(self.store.as_ref(), tenant, round).await;
        let took = start.elapsed();
        assert_eq!(invoices, u64::from(lines));
        took
    }

    /// The numbers that the next invoice and the next entry of the log get.
    async fn next_numbers(&mut self, tenant: TenantId) -> (i64, i64) {
        let sql = "SELECT next_invoice, audit_sequence + 1 FROM tenants WHERE tenant_id = $1";
        sqlx::query_as(sql).bind(tenant.0).fetch_one(&mut self.connection).await.unwrap()
    }

    /// Tables like those of a run, for COPY.
    async fn raw_tables(&mut self) {
        for (table, _) in WRITTEN {
            self.says(&format!("CREATE TABLE raw_{table} (LIKE {table} INCLUDING ALL)")).await;
        }
    }

    /// Copies what was written from these numbers on; how long that took, without taking it out of the tables of the run.
    async fn copies(&mut self, tenant: TenantId, before: (i64, i64), round: u32) -> Duration {
        let mut took = Duration::ZERO;
        for (table, of_run) in WRITTEN {
            let rows = self.rows_of(table, of_run, tenant, before, round).await;
            took += self.copies_into(&format!("raw_{table}"), &rows).await;
        }
        took
    }

    /// The same of two providers at once, each on a connection of its own; how long it took until both were done.
    async fn copies_at_once(&mut self, tenants: [TenantId; 2], before: [(i64, i64); 2], round: u32) -> Duration {
        let mut at_work = Vec::new();
        for (tenant, before) in tenants.into_iter().zip(before) {
            let mut tables = Vec::new();
            for (table, of_run) in WRITTEN {
                tables.push((format!("raw_{table}"), self.rows_of(table, of_run, tenant, before, round).await));
            }
            at_work.push((PgConnection::connect(&self.url).await.unwrap(), tables));
        }
        let start = Instant::now();
        let works = at_work.into_iter().map(|(mut connection, tables)| {
            tokio::spawn(async move {
                for (table, rows) in &tables {
                    copies_into(&mut connection, table, rows).await;
                }
                (connection, tables)
            })
        });
        let done = futures::future::join_all(works.collect::<Vec<_>>()).await;
        let took = start.elapsed();
        for work in done {
            let (connection, _) = work.unwrap();
            connection.close().await.unwrap();
        }
        took
    }

    /// What a run wrote into a table from these numbers on.
    async fn rows_of(
        &mut self,
        table: &str,
        of_run: &str,
        tenant: TenantId,
        (number, entry): (i64, i64),
        round: u32,
    ) -> Rows {
        let day = format!("'{}'", month(round).first());
        let of_run = of_run.replace("$1", &day).replace("$2", &number.to_string()).replace("$3", &entry.to_string());
        Rows::read(&mut self.connection, table, &format!("tenant_id = '{}' AND {of_run}", tenant.0)).await
    }

    /// Copies rows into a table, a transaction for some of them; how long that took.
    async fn copies_into(&mut self, table: &str, rows: &Rows) -> Duration {
        copies_into(&mut self.connection, table, rows).await
    }

    /// How long it takes to read what customers were invoiced and owe, one by one and 500 at a time; the median of each.
    async fn looks_back(&mut self, tenant: TenantId) {
        let sql = "SELECT customer_id, subscription_id FROM subscriptions WHERE tenant_id = $1
            ORDER BY md5(subscription_id::text) LIMIT 10000";
        let some: Vec<(Uuid, Uuid)> = sqlx::query_as(sql).bind(tenant.0).fetch_all(&mut self.connection).await.unwrap();
        let (one_by_one, at_once) = some.split_at(1_000);
        let store = Arc::clone(&self.store);
        let mut times: [Vec<Duration>; 5] = Default::default();
        let all = PageQuery::first(1_000);
        for (customer, _) in one_by_one {
            let customer = CustomerId(*customer);
            let start = Instant::now();
            let query = InvoiceQuery { customer: Some(customer), ..InvoiceQuery::default() };
            assert!(!store.invoices(tenant, query, all).await.unwrap().is_empty());
            times[0].push(start.elapsed());
            let start = Instant::now();
            assert!(!store.open_invoices(tenant, customer).await.unwrap().is_empty());
            times[1].push(start.elapsed());
        }
        for some in at_once.chunks(500) {
            let customers: Vec<CustomerId> = some.iter().map(|(customer, _)| CustomerId(*customer)).collect();
            let lines: Vec<SubscriptionId> = some.iter().map(|(_, line)| SubscriptionId(*line)).collect();
            let start = Instant::now();
            assert!(!store.books_of(tenant, &customers).await.unwrap().invoices.is_empty());
            times[2].push(start.elapsed());
            let start = Instant::now();
            assert!(!store.open_of(tenant, &customers).await.unwrap().is_empty());
            times[3].push(start.elapsed());
            let start = Instant::now();
            let days = Period { start: month(0).first(), end: month(1).first() };
            assert_eq!(store.charges(tenant, &lines, days).await.unwrap().len(), lines.len());
            times[4].push(start.elapsed());
        }
        let what = [
            "all invoices of a customer",
            "what a customer owes",
            "the books of 500 customers",
            "what 500 customers owe",
            "a month's charges of 500 lines",
        ];
        for (what, mut times) in what.into_iter().zip(times) {
            times.sort_unstable();
            println!("  {what}: {:.2} ms", times[times.len() / 2].as_secs_f64() * 1_000.0);
        }
    }

    /// How the server goes about what a run asks for a page, and about a page of invoices, which is taken back.
    async fn explains(&mut self, tenant: TenantId, by_customer: bool) {
        let of = tenant.0;
        let middle = "SELECT subscription_id FROM subscriptions OFFSET 5000 LIMIT 1";
        let due = format!(
            "SELECT s.* FROM subscriptions s WHERE s.tenant_id = '{of}' AND s.subscription_id > ({middle})
                AND (s.billing_day IN (1) OR s.billed_from IS NOT NULL OR s.ends_on >= '2026-01-01')
            ORDER BY s.subscription_id LIMIT 5000"
        );
        let together = format!(
            "SELECT customer_id FROM customers WHERE tenant_id = '{of}' AND invoicing = 'per_customer'
                AND customer_id BETWEEN (SELECT customer_id FROM customers OFFSET 5000 LIMIT 1) AND
                    (SELECT customer_id FROM customers OFFSET 10000 LIMIT 1) ORDER BY customer_id LIMIT 5001"
        );
        let credit = format!(
            "SELECT DISTINCT p.customer_id FROM payments p WHERE p.tenant_id = '{of}' AND p.left_over > 0 AND EXISTS (
                SELECT 1 FROM invoices i WHERE i.tenant_id = p.tenant_id AND i.customer_id = p.customer_id AND i.total > i.paid)
            ORDER BY p.customer_id LIMIT 5000"
        );
        let past = format!(
            "SELECT i.* FROM invoices i WHERE i.tenant_id = '{of}'
                AND i.customer_id = ANY(ARRAY(SELECT customer_id FROM customers OFFSET 5000 LIMIT 1)) AND i.stretch = ANY(ARRAY(
                    SELECT generate_series((SELECT MIN(stretch) FROM invoices WHERE tenant_id = '{of}'),
                        (SELECT MAX(stretch) FROM invoices WHERE tenant_id = '{of}'))))"
        );
        let past_by_customer = format!(
            "SELECT i.* FROM invoices i WHERE i.tenant_id = '{of}'
                AND i.customer_id = ANY(ARRAY(SELECT customer_id FROM customers OFFSET 5000 LIMIT 1))"
        );
        let write = format!(
            "INSERT INTO invoices ({INVOICE}) SELECT tenant_id, gen_random_uuid(), number + 100000000, customer_id, subscription_id, site_id,
                package_id, kind, '2030-01-01', '2030-02-01', '2030-01-01', '2030-01-11', dpp, ppn, total, 0, lines
            FROM (SELECT * FROM invoices WHERE tenant_id = '{of}' AND period_start = '2026-01-01'
                ORDER BY subscription_id OFFSET 5000 LIMIT 5000) i"
        );
        for (what, sql) in [
            ("a page of lines", due),
            ("who of them gets one document for all lines", together),
            ("customers with credit", credit),
            ("all invoices of a customer", if by_customer { past_by_customer } else { past }),
            ("a page of invoices", write),
        ] {
            println!("  {what}:");
            self.says("BEGIN").await;
            let sql = format!("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) {sql}");
            let plan: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await.unwrap();
            self.says("ROLLBACK").await;
            plan.iter().for_each(|step| println!("    {step}"));
        }
    }
}

async fn opened(url: &str) -> Arc<dyn Store> {
    isp_store::open(url, Vault::from_text(&"5e".repeat(32)).unwrap()).await.unwrap()
}
