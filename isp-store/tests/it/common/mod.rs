//! Databases and an invented provider for the tests.

use std::sync::atomic::{AtomicU32, Ordering};

use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::customer::{Address, Customer, Nik, Phone};
use isp_core::device::{Cpe, Ownership};
use isp_core::engine::manage::add_subscription;
use isp_core::ids::{
    CpeId, CustomerId, InstallationKindId, InstallationOrderId, PackageId, RouterId, SiteId, SubscriptionId, TenantId,
};
use isp_core::installation::{InstallationKind, InstallationOrder};
use isp_core::money::Money;
use isp_core::package::{Package, PriceList, Speed, UserGroup};
use isp_core::place::{Router, RouterEndpoint, Site};
use isp_core::ports::ChangeSet;
use isp_core::secret::Secret;
use isp_core::subscription::{Account, BillingTerms, Discount, HeldPrice, Off, Subscription, Timing};
use isp_core::tax::TaxMode;
use isp_core::text::{Code, Language, Name};
use isp_store::{SqlStore, Vault};
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

pub(crate) mod cluster;
mod ready;
pub(crate) use cluster::alone;

pub(crate) const TENANT: TenantId = TenantId::DEFAULT;

/// A database of its own, gone when dropped.
pub(crate) struct Database {
    /// As the owner of its tables.
    pub(crate) url: String,
    /// As a user behind the wall between tenants, where there is one.
    pub(crate) behind: Option<String>,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Sqlite(tempfile::TempDir),
    Postgres {
        name: String,
    },
    /// On the three servers of `scripts/with_citus`.
    Citus {
        name: String,
    },
}

pub(crate) fn vault() -> Vault {
    Vault::from_text(&"7e".repeat(32)).unwrap()
}

/// True below `scripts/with_citus`.
pub(crate) fn on_cluster() -> bool {
    std::env::var_os("ISP_TEST_CITUS").is_some()
}

fn server() -> String {
    std::env::var("ISP_TEST_PG").expect("ISP_TEST_PG is not set: run through scripts/with_pg")
}

/// Runs a statement on a server or in a database.
pub(crate) async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

impl Database {
    /// A statement past the store.
    pub(crate) async fn execute(&self, sql: &str) {
        use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
        if self.url.starts_with("sqlite") {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute(AssertSqlSafe(sql)).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
            connection.execute(AssertSqlSafe(sql)).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("isp.db").display());
        Self { url, behind: None, kind: Kind::Sqlite(dir) }
    }

    /// A SQLite file with tables.
    pub(crate) async fn sqlite_migrated() -> Self {
        let database = Self::sqlite();
        let Some(folder) = ready::folder() else {
            migrate(&database.url).await;
            return database;
        };
        let place = folder.join("migrated.db");
        if !place.exists() {
            migrate(&database.url).await;
            let beside = tempfile::tempdir_in(&folder).unwrap();
            let part = beside.path().join("part.db");
            std::fs::copy(database.path(), &part).unwrap();
            ready::put(&part, &place);
        } else {
            std::fs::copy(&place, database.path()).unwrap();
        }
        database
    }

    /// An empty PostgreSQL database. Below `scripts/with_citus` it lies on a cluster.
    pub(crate) async fn postgres() -> Self {
        if on_cluster() { Self::citus().await } else { Self::created("").await }
    }

    /// A PostgreSQL database with tables; on a cluster they are distributed.
    pub(crate) async fn postgres_migrated() -> Self {
        if on_cluster() {
            let database = Self::citus().await;
            let Kind::Citus { name } = &database.kind else { panic!("no cluster") };
            cluster::recreate_distributed(name).await;
            return database;
        }
        match ready::template(&server(), url_of).await {
            Some(template) => Self::created(&format!(" TEMPLATE {template}")).await,
            None => {
                let database = Self::created("").await;
                migrate(&database.url).await;
                database
            }
        }
    }

    async fn created(how: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("isp_test_{}_{}_{number}", std::process::id(), Uuid::now_v7().simple());
        run(&server(), &format!("CREATE DATABASE {name}{how}")).await;
        Self { url: url_of(&name), behind: None, kind: Kind::Postgres { name } }
    }

    /// A database of its own on each server of a cluster, without tables.
    pub(crate) async fn citus() -> Self {
        let name = format!("isp_test_{}", Uuid::now_v7().simple());
        cluster::create(&name).await;
        Self { url: url_in(&cluster::nodes()[0], &name), behind: None, kind: Kind::Citus { name } }
    }

    /// The same database on another server of the cluster.
    pub(crate) fn on_node(&self, number: usize) -> String {
        let Kind::Citus { name } = &self.kind else { panic!("no cluster") };
        url_in(&cluster::nodes()[number], name)
    }

    /// One of each engine, without tables.
    pub(crate) async fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres().await]
    }

    /// One of each engine, with tables.
    pub(crate) async fn both_migrated() -> [Self; 2] {
        [Self::sqlite_migrated().await, Self::postgres_migrated().await]
    }

    /// With a wall between tenants and a user behind it, as whom [`open`](Self::open) opens it.
    pub(crate) async fn walled(mut self) -> Self {
        alone(async || {
            self.make_user().await;
            isp_store::wall(&self.url, &self.user()).await.unwrap();
        })
        .await;
        self
    }

    /// Makes the user behind the wall, who is gone with the database.
    pub(crate) async fn make_user(&mut self) {
        for server in self.servers() {
            run(&server, &format!("CREATE ROLE {} LOGIN", self.user())).await;
        }
        self.behind = Some(self.as_user(&self.url));
    }

    /// The user behind the wall.
    pub(crate) fn user(&self) -> String {
        match &self.kind {
            Kind::Sqlite(_) => panic!("no users"),
            Kind::Postgres { name } | Kind::Citus { name } => name.clone(),
        }
    }

    /// A URL with the user behind the wall in it.
    pub(crate) fn as_user(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, host) = rest.split_once('@').unwrap();
        format!("{scheme}://{}@{host}", self.user())
    }

    fn servers(&self) -> Vec<String> {
        if on_cluster() { cluster::nodes() } else { vec![server()] }
    }

    pub(crate) async fn open(&self) -> SqlStore {
        SqlStore::open(self.behind.as_ref().unwrap_or(&self.url), vault()).await.unwrap()
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        match &self.kind {
            Kind::Sqlite(dir) => dir.path().join("isp.db"),
            Kind::Postgres { .. } | Kind::Citus { .. } => panic!("no file"),
        }
    }
}

async fn migrate(url: &str) {
    let status = isp_store::migrate(url).await.unwrap();
    assert!(status.pending.is_empty(), "{status:?}");
}

fn url_of(database: &str) -> String {
    url_in(&server(), database)
}

pub(crate) fn url_in(server: &str, database: &str) -> String {
    let (head, query) = server.split_once('?').unwrap_or((server, ""));
    let (head, _) = head.rsplit_once('/').unwrap();
    format!("{head}/{database}?{query}")
}

impl Drop for Database {
    fn drop(&mut self) {
        let (name, servers) = match &self.kind {
            Kind::Sqlite(_) => return,
            Kind::Postgres { name } => (name, vec![server()]),
            Kind::Citus { name } => (name, cluster::nodes()),
        };
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let user = self.behind.as_ref().map(|_| format!("DROP ROLE IF EXISTS {name}"));
        // A test's runtime may be going down, so a thread and a runtime of its own.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for server in &servers {
                    cluster::patiently(server, &sql).await;
                }
                let Some(user) = user else { return };
                alone(async || {
                    for server in &servers {
                        cluster::patiently(server, &user).await;
                    }
                })
                .await;
            });
        });
        dropped.join().unwrap();
    }
}

/// Ids are version 7 in life; here they are small numbers in a version 7 shape, so that they sort as they are made.
pub(crate) fn id(space: u16, number: u32) -> Uuid {
    Uuid::from_u64_pair(
        (0x0190_0000_0000_u64 + u64::from(number)) << 16 | 0x7000 | u64::from(space),
        0x8000_0000_0000_0000 | u64::from(number),
    )
}

pub(crate) fn site(n: u32) -> SiteId {
    SiteId(id(1, n))
}
pub(crate) fn router(n: u32) -> RouterId {
    RouterId(id(2, n))
}
pub(crate) fn package(n: u32) -> PackageId {
    PackageId(id(3, n))
}
pub(crate) fn customer(n: u32) -> CustomerId {
    CustomerId(id(4, n))
}
pub(crate) fn subscription(n: u32) -> SubscriptionId {
    SubscriptionId(id(5, n))
}

pub(crate) fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}
pub(crate) fn code(text: &str) -> Code {
    Code::parse("code", text).unwrap()
}
pub(crate) fn name(text: &str) -> Name {
    Name::parse("name", text).unwrap()
}
pub(crate) fn rupiah(amount: i64) -> Money {
    Money::rupiah(amount)
}

/// What must be found in no database.
pub(crate) fn nik_of(n: u32) -> String {
    format!("32730141029{:05}", n + 1)
}
pub(crate) fn password_of(n: u32) -> String {
    format!("pppoe-clear-{n:05}")
}
pub(crate) const ROUTER_PASSWORD: &str = "router-clear-password";
pub(crate) const CPE_PASSWORD: &str = "cpe-clear-password";

pub(crate) fn the_customer(n: u32) -> Customer {
    Customer {
        id: customer(n),
        code: code(&format!("C-{n:05}")),
        name: name(&format!("Pelanggan {n}")),
        nik: (n % 3 != 2).then(|| Nik::parse(&nik_of(n)).unwrap()),
        address: Address::parse(&format!("Jl. Melati {n}")).unwrap(),
        phone: (n % 7 != 6).then(|| Phone::parse(&format!("0812{:07}", 1_000_000 + n)).unwrap()),
        language: if n.is_multiple_of(5) { Language::En } else { Language::Id },
        invoicing: Default::default(),
        coordinates: None,
    }
}

pub(crate) fn the_subscription(n: u32, start: Date) -> Subscription {
    let day = BillingDay::try_new(u8::try_from(n % 28).unwrap() + 1).unwrap();
    let cycle = if n % 10 == 9 { Cycle::Quarterly } else { Cycle::Monthly };
    let mut terms = BillingTerms::new(package(n % 3), start, day, cycle);
    if n % 11 == 10 {
        terms.timing = Timing::Postpaid;
    }
    if n % 13 == 12 {
        terms.held_price =
            Some(HeldPrice { price: rupiah(99_000), until: n.is_multiple_of(2).then(|| start.plus_days(90)) });
    }
    match n % 17 {
        15 => terms.discount = Some(Discount { off: Off::Percent(10), until: Some(start.plus_days(60)) }),
        16 => terms.discount = Some(Discount { off: Off::Amount(rupiah(15_000)), until: None }),
        _ => {}
    }
    Subscription {
        id: subscription(n),
        customer_id: customer(n),
        site_id: site(n % 3),
        router_id: (n % 19 != 18).then(|| router(n % 2)),
        account: Account::pppoe(code(&format!("user{n}@isp")), Secret::new(password_of(n))),
        terms,
    }
}

/// Three sites, two routers, three packages, a kind of installation.
pub(crate) fn places() -> ChangeSet {
    let zones = Zone::ALL;
    ChangeSet {
        sites: (0..3)
            .map(|n| Site {
                id: site(n),
                code: code(&format!("S{n}")),
                name: name(&format!("Lokasi {n}")),
                zone: zones[n as usize],
                coordinates: None,
                archived: false,
            })
            .collect(),
        routers: (0..2)
            .map(|n| Router {
                id: router(n),
                code: code(&format!("R{n}")),
                site_id: site(n),
                endpoint: RouterEndpoint {
                    host: "127.0.0.1".into(),
                    port: 8728,
                    tls: n == 1,
                    username: "isp".into(),
                    password: Secret::new(ROUTER_PASSWORD),
                },
                archived: false,
            })
            .collect(),
        packages: (0..3)
            .map(|n| Package {
                id: package(n),
                code: code(&format!("P{n}")),
                name: name(&format!("Paket {n}")),
                prices: PriceList::single(rupiah(150_000 + 50_000 * i64::from(n))).unwrap(),
                tax_mode: if n == 1 { TaxMode::Inclusive } else { TaxMode::Exclusive },
                group: UserGroup {
                    name: code(&format!("grup{n}")).into(),
                    speed: Speed { down_kbps: 20_000, up_kbps: 10_000 },
                },
                sold: n != 2,
            })
            .collect(),
        installation_kinds: vec![InstallationKind {
            id: InstallationKindId(id(6, 1)),
            code: code("FO"),
            name: name("Pasang FO"),
            price: rupiah(500_000),
        }],
        ..ChangeSet::default()
    }
}

/// Places and `count` customers, each with a subscription that starts on `start`, some with devices and installations.
pub(crate) fn provider(count: u32, start: Date) -> ChangeSet {
    let mut changes = places();
    for n in 0..count {
        changes.customers.push(the_customer(n));
        let zone = Zone::ALL[n as usize % 3];
        add_subscription(&mut changes, the_subscription(n, start), zone, start.at(9, 0, zone));
        if n % 4 == 0 {
            changes.cpes.push(Cpe {
                id: CpeId(id(7, n)),
                serial: code(&format!("SN{n}")),
                customer_id: customer(n),
                outdoor_unit: (n % 8 == 0).then(|| name("ONT F609")),
                router: Some(name("Router AC")),
                ip: (n % 8 == 0).then(|| "10.20.0.1".parse().unwrap()),
                username: Some("admin".into()),
                password: Some(Secret::new(CPE_PASSWORD)),
                ownership: if n % 8 == 0 { Ownership::Lent } else { Ownership::Owned },
                value: rupiah(350_000),
                installed: true,
            });
        }
        if n % 5 == 0 {
            changes.installation_orders.push(InstallationOrder {
                id: InstallationOrderId(id(8, n)),
                customer_id: customer(n),
                subscription_id: subscription(n),
                kind_id: InstallationKindId(id(6, 1)),
                fee: rupiah(500_000),
                installed_on: start,
                instalments: u8::try_from(n % 3).unwrap() + 1,
                with_first_invoice: false,
                // As an order of the first version, which the upgrade test reads again.
                step: Money::rupiah(1),
            });
        }
    }
    changes
}
