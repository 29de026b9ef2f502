//! The stage: CSV files, a database with its key and settings, three routers, a Cloud API and a payment gateway on loopback ports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::customer::Customer;
use isp_core::engine::Engine;
use isp_core::ids::{CustomerId, IdSource, RouterId, SubscriptionId, TenantId, WorkerId};
use isp_core::message::Sender;
use isp_core::message::notification::OutgoingMessage;
use isp_core::place::Router;
use isp_core::ports::{
    Effect, Messenger, OutboxQuery, OutboxState, PageQuery, PortError, SendOutcome, StandingWatch, Store, Topic, Worker,
};
use isp_core::text::{Code, Language, Name};
use isp_core::{Policy, Secret};
use isp_mikrotik::simulator::SimulatedRouter;
use isp_mikrotik::{MikrotikAccess, Settings};
use isp_store::Vault;
use isp_whatsapp::catalog::TemplateCatalog;
use isp_whatsapp::cloud::CloudClient;
use isp_whatsapp::simulator::Simulator;
use tokio::sync::Notify;

use crate::config::{self, Config, Overrides};
use crate::failure::Failure;
use crate::simulated;

use super::super::import::{books, folder};
use super::night::Gateway;

macro_rules! sheets {
    ($($name:literal),*) => {
        [$(($name, include_bytes!(concat!("../../../../../examples/demo-isp/", $name)).as_slice())),*]
    };
}

/// The owner's spreadsheets, carried by the program so that the demo runs anywhere.
const SHEETS: [(&str, &[u8]); 8] = sheets!(
    "sites.csv",
    "routers.csv",
    "packages.csv",
    "customers.csv",
    "subscriptions.csv",
    "cpes.csv",
    "installations.csv",
    "expenses.csv"
);

/// Who asks in the demo's messages.
const NAME: &str = "Contoh Net";

/// Everything that the demo runs on.
pub(super) struct Stage {
    pub(super) store: Arc<dyn Store>,
    pub(super) policy: Policy,
    sender: Sender,
    pub(super) routers: BTreeMap<RouterId, (Router, SimulatedRouter)>,
    pub(super) access: MikrotikAccess,
    pub(super) whatsapp: Simulator,
    pub(super) messenger: CloudClient,
    pub(super) gateway: Gateway,
    pub(super) people: People,
    /// Rows of each imported file.
    pub(super) imported: Vec<(&'static str, u64)>,
    database: String,
    key: PathBuf,
}

/// Who is who.
#[derive(Debug, Default)]
pub(super) struct People {
    by_id: BTreeMap<CustomerId, Customer>,
    by_code: BTreeMap<String, CustomerId>,
    lines: BTreeMap<SubscriptionId, CustomerId>,
    routers: BTreeMap<CustomerId, RouterId>,
}

impl People {
    pub(super) fn customer(&self, id: CustomerId) -> anyhow::Result<&Customer> {
        self.by_id.get(&id).ok_or_else(|| anyhow!("unknown customer {id}"))
    }

    pub(super) fn of_line(&self, id: SubscriptionId) -> anyhow::Result<&Customer> {
        let customer = self.lines.get(&id).ok_or_else(|| anyhow!("unknown subscription {id}"))?;
        self.customer(*customer)
    }

    pub(super) fn with_code(&self, code: &str) -> anyhow::Result<&Customer> {
        self.customer(*self.by_code.get(code).ok_or_else(|| anyhow!("no customer {code}"))?)
    }

    pub(super) fn line_of(&self, id: CustomerId) -> anyhow::Result<SubscriptionId> {
        let line = self.lines.iter().find(|(_, customer)| **customer == id);
        line.map(|(line, _)| *line).ok_or_else(|| anyhow!("customer {id} has no line"))
    }
}

impl Stage {
    /// Sets everything up in `dir`, which has no demo in it yet, and imports the spreadsheets at `now`.
    pub(super) async fn set(dir: &Path, language: Language, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let (database, key, policy, sender) = settings(dir, language)?;
        Vault::generate_key_file(&key)?;
        isp_store::migrate(&database).await?;
        let store = isp_store::open(&database, Vault::from_file(&key)?).await?;
        let imported = import_sheets(store.as_ref(), &dir.join("csv"), now).await?;
        let routers = simulated::start_routers(store.as_ref(), TenantId::DEFAULT).await?;
        let whatsapp = Simulator::start().await?;
        let messenger = self::messenger(&whatsapp)?;
        let engine = Engine::new(store.as_ref(), TenantId::DEFAULT, &policy);
        let people = people(&engine).await?;
        let access = MikrotikAccess::new(Settings::default());
        let gateway = Gateway::start().await?;
        Ok(Self {
            store,
            policy,
            sender,
            routers,
            access,
            whatsapp,
            messenger,
            gateway,
            people,
            imported,
            database,
            key,
        })
    }

    /// The engine, which keeps nothing.
    pub(super) fn engine(&self) -> Engine<'_> {
        let engine = Engine::new(self.store.as_ref(), TenantId::DEFAULT, &self.policy);
        Engine { sender: Some(&self.sender), ..engine }
    }

    /// The process that delivers. It lives in the days of the demo, and so do its claims.
    pub(super) fn worker<'a>(&self, watch: &'a StandingWatch) -> Worker<'a> {
        Worker::new(WorkerId(uuid::Uuid::from_u128(1)), watch)
    }

    /// Forgets all that a dead process would: connections, caches, the open database. Then opens them anew.
    pub(super) async fn reborn(self) -> anyhow::Result<Self> {
        let Self { store, access, messenger, database, key, .. } = self;
        drop((store, access, messenger));
        let store = isp_store::open(&database, Vault::from_file(&key)?).await?;
        let messenger = self::messenger(&self.whatsapp)?;
        Ok(Self {
            store,
            access: MikrotikAccess::new(Settings::default()),
            messenger,
            policy: self.policy,
            sender: self.sender,
            routers: self.routers,
            whatsapp: self.whatsapp,
            gateway: self.gateway,
            people: self.people,
            imported: self.imported,
            database,
            key,
        })
    }

    /// The code of the router that serves a customer.
    pub(super) fn router_of(&self, customer: CustomerId) -> Option<&str> {
        let (router, _) = self.routers.get(self.people.routers.get(&customer)?)?;
        Some(router.code.as_str())
    }

    /// Whose lines wait for a router to answer.
    pub(super) async fn waiting_for_routers(&self) -> anyhow::Result<Vec<String>> {
        let query = OutboxQuery { topic: Some(Topic::Access), state: Some(OutboxState::Pending), customer: None };
        let rows = self.store.outbox(TenantId::DEFAULT, query, PageQuery::first(1_000)).await?;
        let lines = rows.iter().filter_map(|row| match &row.effect {
            Effect::Access(effect) => Some(effect.subscription_id),
            Effect::Message(_) => None,
        });
        lines.map(|line| Ok(self.people.of_line(line)?.name.to_string())).collect()
    }

    /// The router with a code, with its simulation.
    pub(super) fn router(&self, code: &str) -> anyhow::Result<&SimulatedRouter> {
        let found = self.routers.values().find(|(router, _)| router.code.as_str() == code);
        found.map(|(_, simulated)| simulated).ok_or_else(|| anyhow!("no router {code}"))
    }
}

/// Writes `isp.toml` and reads it back, so that the demo runs by the very settings that it leaves.
fn settings(dir: &Path, language: Language) -> anyhow::Result<(String, PathBuf, Policy, Sender)> {
    std::fs::create_dir_all(dir.join("csv")).with_context(|| dir.display().to_string())?;
    let file = dir.join("isp.toml");
    if file.exists() {
        return Err(Failure::Usage { problem: "folder_taken", what: dir.display().to_string() }.into());
    }
    std::fs::write(&file, config::starter("sqlite:isp.db", "isp.key", language, Some(&Name::parse("name", NAME)?)))?;
    let flags = Overrides { config: Some(file), ..Overrides::default() };
    let read = Config::load(&flags, std::iter::empty())?;
    let database = read.database.context("isp.toml names no database")?;
    let sender = read.provider.context("isp.toml names nobody who asks")?;
    Ok((database, read.key_file.context("isp.toml names no key file")?, read.policy, sender))
}

/// The messenger, with the texts that name who asks.
fn messenger(whatsapp: &Simulator) -> anyhow::Result<CloudClient> {
    Ok(CloudClient::try_new(whatsapp.config().with_templates(TemplateCatalog::with_sender()))?)
}

async fn import_sheets(store: &dyn Store, dir: &Path, now: DateTime<Utc>) -> anyhow::Result<Vec<(&'static str, u64)>> {
    for (name, bytes) in SHEETS {
        std::fs::write(dir.join(name), bytes)?;
    }
    let refused = |rows: Vec<isp_import::RowError>| {
        let first = rows.first().map(|r| format!("{}, line {}, column {}: {}", r.file, r.line, r.column, r.problem));
        anyhow!("{} bad rows in the demo's sheets; the first: {}", rows.len(), first.unwrap_or_default())
    };
    let batch = folder::read_folder(dir).map_err(refused)?;
    let existing = books::existing(store, TenantId::DEFAULT).await?;
    let options = isp_import::Options {
        tenant: TenantId::DEFAULT,
        now,
        billed_from: None,
        update: false,
        officer: Name::parse("officer", "impor")?,
        accept: isp_import::Accept::default(),
    };
    let mut ids = IdSource::new(now, super::behaviour::hash(&["demo"]));
    let plan = isp_import::plan(&batch, &existing, &mut ids, &options).map_err(refused)?;
    let counts = plan.counts.iter().map(|(file, counts)| (*file, counts.new)).collect();
    books::apply(store, TenantId::DEFAULT, plan).await?;
    Ok(counts)
}

async fn people(engine: &Engine<'_>) -> anyhow::Result<People> {
    let mut people = People::default();
    for customer in engine.all_customers().await? {
        people.by_code.insert(customer.code.to_string(), customer.id);
        people.by_id.insert(customer.id, customer);
    }
    for (subscription, _) in engine.all_subscriptions().await? {
        people.lines.insert(subscription.id, subscription.customer_id);
        people.routers.extend(subscription.router_id.map(|router| (subscription.customer_id, router)));
    }
    Ok(people)
}

/// A messenger whose process dies: after some messages went out, nothing comes back any more.
pub(super) struct Dying<'a> {
    inner: &'a dyn Messenger,
    going: AtomicUsize,
    gone: AtomicUsize,
    lives: usize,
    /// Told when the last message has left.
    pub(super) died: Notify,
}

impl<'a> Dying<'a> {
    /// Dies when so many messages have left.
    pub(super) fn after(inner: &'a dyn Messenger, lives: usize) -> Self {
        Self { inner, going: AtomicUsize::new(0), gone: AtomicUsize::new(0), lives, died: Notify::new() }
    }
}

#[async_trait]
impl Messenger for Dying<'_> {
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
        if self.going.fetch_add(1, Ordering::SeqCst) >= self.lives {
            return std::future::pending().await;
        }
        let sent = self.inner.send(message).await;
        if self.gone.fetch_add(1, Ordering::SeqCst) + 1 < self.lives {
            return sent;
        }
        self.died.notify_one();
        std::future::pending().await
    }
}

/// A code of the demo's own making.
pub(super) fn code(text: &str) -> anyhow::Result<Code> {
    Ok(Code::parse("code", text)?)
}

/// A password for a device that an officer puts in during the demo.
pub(super) fn new_password(number: u64) -> Secret {
    Secret::new(format!("ganti-{number:08x}"))
}
