//! A database with the tables of FreeRADIUS, reached through a socket that a test can cut, and a simulated NAS.
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
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
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

/// What a NAS shares with RADIUS.
pub const SECRET: &str = "testing123";

/// A RADIUS without its daemon: tables, a socket in front of them, a NAS.
pub struct Stage {
    pub pool: PgPool,
    pub nas: SimulatedNas,
    pub settings: Settings,
    pub access: RadiusAccess,
    /// Name of the database.
    pub database: String,
    /// The folder of the server's own socket.
    pub server: PathBuf,
    /// The folder of the socket that a test can cut.
    front: TempDir,
    door: Mutex<Option<JoinHandle<()>>>,
}

impl Stage {
    pub async fn new() -> Self {
        let server = std::env::var("ISP_TEST_PG").expect("run it with scripts/with_pg");
        let options = PgConnectOptions::from_str(&server).unwrap();
        let folder = server.rsplit_once("host=").expect("the server listens on a socket").1.to_owned();
        let database = format!("radius_{}", Uuid::now_v7().simple());
        let first = PgPool::connect_with(options.clone()).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&first).await.unwrap();
        first.close().await;
        let pool = PgPoolOptions::new().max_connections(2).connect_with(options.database(&database)).await.unwrap();
        sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();

        let front = tempfile::tempdir().unwrap();
        let url = format!("postgres://isp@localhost/{database}?host={}", front.path().display());
        let nas = SimulatedNas::start(Secret::new(SECRET)).await.unwrap();
        let mut settings = Settings::new(Secret::new(url));
        settings.patience = vec![Duration::from_millis(400); 3];
        settings.nas.insert("127.0.0.1".to_owned(), Nas { port: nas.address().port(), secret: Secret::new(SECRET) });
        let access = RadiusAccess::new(settings.clone()).unwrap();
        let stage =
            Self { pool, nas, settings, access, database, server: folder.into(), front, door: Mutex::new(None) };
        stage.open();
        stage
    }

    /// Lets connections through to the server.
    pub fn open(&self) {
        let path = self.front.path().join(".s.PGSQL.5432");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let server = self.server.join(".s.PGSQL.5432");
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
        let _ = std::fs::remove_file(self.front.path().join(".s.PGSQL.5432"));
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

    /// A hand in the database.
    pub async fn sql(&self, text: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_owned())).execute(&self.pool).await.unwrap();
    }

    pub async fn count(&self, text: &str) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(text.to_owned())).fetch_one(&self.pool).await.unwrap()
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
