//! A database with the tables of FreeRADIUS, reached through a socket that a test can cut, and a simulated NAS. It is in MariaDB
//! where `scripts/with_mariadb` started one, else in PostgreSQL.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Mutex;
use std::time::Duration;

use isp_core::Secret;
use isp_core::ids::{RouterId, SubscriptionId};
use isp_core::isolation::{Access, AccessTarget};
use isp_core::package::{Speed, UserGroup};
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl as _, ApplyOutcome};
use isp_core::subscription::Account;
use isp_core::text::RouterName;
use isp_radius::simulator::SimulatedNas;
use isp_radius::{Nas, RadiusAccess, Settings};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The tables of FreeRADIUS 3.2 that the adapter uses, as its PostgreSQL schema has them.
const TABLES: &str = "
CREATE TABLE radcheck (id serial PRIMARY KEY, UserName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op VARCHAR(2) NOT NULL DEFAULT '==', Value text NOT NULL DEFAULT '');
CREATE TABLE radreply (id serial PRIMARY KEY, UserName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op VARCHAR(2) NOT NULL DEFAULT '=', Value text NOT NULL DEFAULT '');
CREATE TABLE radgroupcheck (id serial PRIMARY KEY, GroupName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op VARCHAR(2) NOT NULL DEFAULT '==', Value text NOT NULL DEFAULT '');
CREATE TABLE radgroupreply (id serial PRIMARY KEY, GroupName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '',
    op VARCHAR(2) NOT NULL DEFAULT '=', Value text NOT NULL DEFAULT '');
CREATE TABLE radusergroup (id serial PRIMARY KEY, UserName text NOT NULL DEFAULT '', GroupName text NOT NULL DEFAULT '',
    priority integer NOT NULL DEFAULT 0);
CREATE TABLE radpostauth (id bigserial PRIMARY KEY, username text NOT NULL, pass text, reply text, authdate timestamptz);
";

/// The same as its MySQL schema has them, which does not tell capital letters from small ones.
const TABLES_MYSQL: &str = "
CREATE TABLE radcheck (id int unsigned PRIMARY KEY AUTO_INCREMENT, username varchar(64) NOT NULL DEFAULT '',
    attribute varchar(64) NOT NULL DEFAULT '', op char(2) NOT NULL DEFAULT '==', value varchar(253) NOT NULL DEFAULT '');
CREATE TABLE radreply (id int unsigned PRIMARY KEY AUTO_INCREMENT, username varchar(64) NOT NULL DEFAULT '',
    attribute varchar(64) NOT NULL DEFAULT '', op char(2) NOT NULL DEFAULT '=', value varchar(253) NOT NULL DEFAULT '');
CREATE TABLE radgroupcheck (id int unsigned PRIMARY KEY AUTO_INCREMENT, groupname varchar(64) NOT NULL DEFAULT '',
    attribute varchar(64) NOT NULL DEFAULT '', op char(2) NOT NULL DEFAULT '==', value varchar(253) NOT NULL DEFAULT '');
CREATE TABLE radgroupreply (id int unsigned PRIMARY KEY AUTO_INCREMENT, groupname varchar(64) NOT NULL DEFAULT '',
    attribute varchar(64) NOT NULL DEFAULT '', op char(2) NOT NULL DEFAULT '=', value varchar(253) NOT NULL DEFAULT '');
CREATE TABLE radusergroup (id int unsigned PRIMARY KEY AUTO_INCREMENT, username varchar(64) NOT NULL DEFAULT '',
    groupname varchar(64) NOT NULL DEFAULT '', priority int NOT NULL DEFAULT 1);
CREATE TABLE radpostauth (id int PRIMARY KEY AUTO_INCREMENT, username varchar(64) NOT NULL DEFAULT '',
    pass varchar(64) NOT NULL DEFAULT '', reply varchar(32) NOT NULL DEFAULT '', authdate timestamp(6) NOT NULL,
    class varchar(64) NOT NULL DEFAULT '');
";

/// What a NAS shares with RADIUS.
pub const SECRET: &str = "testing123";

/// A RADIUS without its daemon: tables, a socket in front of them, a NAS.
pub struct Stage {
    pub hand: Hand,
    pub nas: SimulatedNas,
    pub settings: Settings,
    pub access: RadiusAccess,
    /// Name of the database.
    pub database: String,
    /// The server's own socket.
    pub server: PathBuf,
    /// The folder of the socket that a test can cut.
    front: TempDir,
    door: Mutex<Option<JoinHandle<()>>>,
}

/// A hand in the database.
pub enum Hand {
    Postgres(PgPool),
    Mysql(MySqlPool),
}

/// The name of the socket of PostgreSQL; that of MariaDB is given in full.
const SOCKET: &str = ".s.PGSQL.5432";

impl Stage {
    pub async fn new() -> Self {
        let database = format!("radius_{}", Uuid::now_v7().simple());
        let front = tempfile::tempdir().unwrap();
        let create = AssertSqlSafe(format!("CREATE DATABASE {database}"));
        let near = front.path().join(SOCKET);
        let (hand, server, url) = match std::env::var("ISP_TEST_MARIADB") {
            Ok(server) => {
                let options = MySqlConnectOptions::from_str(&server).unwrap();
                let mut first = sqlx::MySqlConnection::connect_with(&options).await.unwrap();
                sqlx::query(create).execute(&mut first).await.unwrap();
                first.close().await.unwrap();
                let pool = MySqlPoolOptions::new().max_connections(2);
                let pool = pool.connect_with(options.database(&database)).await.unwrap();
                sqlx::raw_sql(TABLES_MYSQL).execute(&pool).await.unwrap();
                let socket = server.rsplit_once("socket=").expect("the server listens on a socket").1.into();
                let url = format!("mysql://root@localhost/{database}?socket={}", near.display());
                (Hand::Mysql(pool), socket, url)
            }
            Err(_) => {
                let server = std::env::var("ISP_TEST_PG").expect("run it with scripts/with_pg");
                let options = PgConnectOptions::from_str(&server).unwrap();
                let folder = server.rsplit_once("host=").expect("the server listens on a socket").1;
                let first = PgPool::connect_with(options.clone()).await.unwrap();
                sqlx::query(create).execute(&first).await.unwrap();
                first.close().await;
                let pool = PgPoolOptions::new().max_connections(2);
                let pool = pool.connect_with(options.database(&database)).await.unwrap();
                sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
                let url = format!("postgres://isp@localhost/{database}?host={}", front.path().display());
                (Hand::Postgres(pool), Path::new(folder).join(SOCKET), url)
            }
        };
        let nas = SimulatedNas::start(Secret::new(SECRET)).await.unwrap();
        let mut settings = Settings::new(Secret::new(url));
        settings.patience = vec![Duration::from_millis(400); 3];
        settings.nas.insert("127.0.0.1".to_owned(), Nas { port: nas.address().port(), secret: Secret::new(SECRET) });
        let access = RadiusAccess::new(settings.clone()).unwrap();
        let stage = Self { hand, nas, settings, access, database, server, front, door: Mutex::new(None) };
        stage.open();
        stage
    }

    /// Lets connections through to the server.
    pub fn open(&self) {
        let path = self.front.path().join(SOCKET);
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let server = self.server.clone();
        *self.door.lock().unwrap() = Some(tokio::spawn(async move {
            let mut pipes = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let server = server.clone();
                pipes.spawn(async move {
                    let Ok(mut far) = UnixStream::connect(server).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
            }
        }));
    }

    /// Cuts every connection and takes no new one.
    pub fn cut(&self) {
        if let Some(door) = self.door.lock().unwrap().take() {
            door.abort();
        }
        let _ = std::fs::remove_file(self.front.path().join(SOCKET));
    }

    pub fn endpoint(&self) -> RouterEndpoint {
        RouterEndpoint::parse("127.0.0.1", "isp", Secret::new("unused")).unwrap()
    }

    pub async fn apply(&self, targets: &[AccessTarget]) -> Vec<ApplyOutcome> {
        self.access.apply(&self.endpoint(), targets).await.unwrap()
    }

    /// What the tables allow, as the adapter reads it.
    pub async fn observed(&self, target: &AccessTarget) -> Option<Access> {
        let now = isp_core::testing::sample::moment("2026-01-20T03:00:00Z");
        self.access.observe(&self.endpoint(), std::slice::from_ref(target), now).await.unwrap()[0].access
    }

    pub async fn sql(&self, text: &str) {
        let text = AssertSqlSafe(text.to_owned());
        match &self.hand {
            Hand::Postgres(pool) => drop(sqlx::raw_sql(text).execute(pool).await.unwrap()),
            Hand::Mysql(pool) => drop(sqlx::raw_sql(text).execute(pool).await.unwrap()),
        }
    }

    pub async fn count(&self, text: &str) -> i64 {
        let text = AssertSqlSafe(text.to_owned());
        match &self.hand {
            Hand::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
            Hand::Mysql(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }

    pub async fn text(&self, text: &str) -> String {
        let text = AssertSqlSafe(text.to_owned());
        match &self.hand {
            Hand::Postgres(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
            Hand::Mysql(pool) => sqlx::query_scalar(text).fetch_one(pool).await.unwrap(),
        }
    }

    /// Makes the tables take every sign, as FreeRADIUS's schema does on a server of today.
    pub async fn unicode(&self) {
        if self.is_mariadb() {
            for table in ["radcheck", "radreply", "radusergroup", "radgroupreply", "radgroupcheck"] {
                let change = "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";
                self.sql(&format!("ALTER TABLE {table} {change}")).await;
            }
        }
    }

    /// Whether the database is MariaDB.
    pub fn is_mariadb(&self) -> bool {
        matches!(self.hand, Hand::Mysql(_))
    }

    pub fn folder(&self) -> &Path {
        self.front.path()
    }
}

/// Line `n` with its user and wish.
pub fn target(n: u128, username: &str, desired: Access) -> AccessTarget {
    AccessTarget {
        subscription_id: SubscriptionId(Uuid::from_u128(0x2000 + n)),
        router_id: RouterId(Uuid::from_u128(1)),
        account: Account::pppoe(
            RouterName::parse("username", username).unwrap(),
            Secret::new(format!("pw-{username}")),
        ),
        group: UserGroup {
            name: RouterName::parse("group", "paket-10M").unwrap(),
            speed: Speed::parse("10/5").unwrap(),
        },
        desired,
        revision: 1,
        adopt: false,
        succeeds: Vec::new(),
        left: false,
        forget: false,
    }
}

pub fn done(outcome: &ApplyOutcome) -> Option<(Access, bool)> {
    match outcome {
        ApplyOutcome::Done { access, changed, .. } => Some((*access, *changed)),
        ApplyOutcome::Refused { .. } => None,
    }
}

pub fn refused(outcome: &ApplyOutcome) -> Option<&'static str> {
    match outcome {
        ApplyOutcome::Refused { code, .. } => Some(code),
        ApplyOutcome::Done { .. } => None,
    }
}
