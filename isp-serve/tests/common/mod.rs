//! A server on a loopback port, over a store in memory and a watch that the test sets.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test program uses a part of it"
)]

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::engine::{EngineError, NewPayment};
use isp_core::ids::{SubscriptionId, TenantId, WorkerId};
use isp_core::isolation::Access;
use isp_core::message::Sender;
use isp_core::message::inbound::Answer;
use isp_core::payment::{Qris, qris};
use isp_core::ports::{
    AccessQuery, AccessStore as _, ChangeSet, Effect, InboxStore as _, OutboxQuery, OutboxStore as _, PageQuery,
    Store as _, Watch, WebhookRow, Worker,
};
use isp_core::retention::Retention;
use isp_core::testing::sample::{World, code, day, id, invoice, moment, name};
use isp_core::testing::{FakeMessenger, FakeRouter, MemoryStore};
use isp_core::text::Reference;
use isp_core::{Money, Policy};
use isp_serve::hooks::Source;
use isp_serve::portal::Lines;
use isp_serve::{App, Provider, Settings, router, server, whatsapp, work};
use isp_whatsapp::webhook::{Webhook, signature};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub const TENANT: TenantId = TenantId::DEFAULT;
pub const SECRET: &str = "test_app_secret_not_real";

/// A watch that the test sets.
pub struct SetWatch(Mutex<DateTime<Utc>>);

#[async_trait]
impl Watch for SetWatch {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn pause(&self, _: TimeDelta) {
        std::future::pending().await
    }
}

/// One line at one address.
struct OneLine(IpAddr, SubscriptionId);

#[async_trait]
impl Lines for OneLine {
    async fn line_at(&self, address: IpAddr) -> Option<SubscriptionId> {
        (address == self.0).then_some(self.1)
    }
}

pub struct Server {
    pub address: SocketAddr,
    pub app: Arc<App>,
    pub store: MemoryStore,
    pub world: World,
    pub watch: Arc<SetWatch>,
    pub router: FakeRouter,
    stop: watch::Sender<bool>,
}

impl Server {
    pub async fn start(customers: u64) -> Self {
        Self::start_with(customers, |_| {}).await
    }

    pub async fn start_with(customers: u64, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_all(customers, change, Vec::new()).await
    }

    pub async fn start_all(customers: u64, change: impl FnOnce(&mut Settings), more: Vec<Arc<dyn Source>>) -> Self {
        Self::start_where(customers, change, more, |_| {}).await
    }

    pub async fn start_where(
        customers: u64,
        change: impl FnOnce(&mut Settings),
        more: Vec<Arc<dyn Source>>,
        provide: impl FnOnce(&mut Provider),
    ) -> Self {
        let store = MemoryStore::new();
        let world = World::new(customers);
        store.commit(TENANT, world.changes()).await.unwrap();
        let sender = Sender {
            name: name("Contoh Net"),
            pay_to: vec!["BCA 1234567890 a.n. PT Contoh <b>".to_owned()],
            contact: Some("0812-0000-9999".to_owned()),
        };
        let mut provider = Provider {
            letterhead: isp_serve::papers::Letterhead::default(),
            store: Arc::new(store.clone()),
            inbox: Arc::new(store.clone()),
            tenant: TENANT,
            policy: Policy::default(),
            retention: Retention::default(),
            sender: Some(sender),
            qris: Some(Qris::parse(&qris::sample()).unwrap()),
            page: 500,
        };
        provide(&mut provider);
        let mut settings = Settings { per_minute: 10_000, ..Settings::default() };
        settings.line_networks.push("127.0.0.9".parse().unwrap());
        change(&mut settings);
        let meta = Webhook::new(SECRET.into(), "meatyhamhock".into());
        let mut sources: Vec<Arc<dyn Source>> = vec![Arc::new(whatsapp::WhatsApp::new(meta))];
        sources.extend(more);
        let watch = Arc::new(SetWatch(Mutex::new(moment("2026-01-20T03:00:00Z"))));
        let line = OneLine("127.0.0.9".parse().unwrap(), world.subscriptions[0].id);
        let (app, keeping) =
            App::new(provider, settings.clone(), sources, Some(Arc::new(line)), Arc::clone(&watch) as Arc<dyn Watch>);
        tokio::spawn(keeping);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stops) = watch::channel(false);
        let routes = router(Arc::clone(&app));
        tokio::spawn(async move { server::serve(listener, routes, &settings, stops).await });
        Self { address, app, store, world, watch, router: FakeRouter::new(), stop }
    }

    /// Lets it stop, as `isp serve` does on a signal.
    pub fn stop(&self) {
        self.app.stop();
        self.stop.send_replace(true);
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request; the status, and all of the answer.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut stream = self.connect().await;
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += "host: localhost\r\n";
        }
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        stream.write_all((head + "\r\n").as_bytes()).await.unwrap();
        // A server that has said no reads no more.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), text)
    }

    pub async fn hook(&self, body: &[u8], signature: Option<&str>) -> u16 {
        let headers: Vec<_> = signature.map(|value| ("x-hub-signature-256", value)).into_iter().collect();
        self.send("POST", "/hooks/whatsapp", &headers, body).await.0
    }

    pub async fn kept(&self) -> Vec<WebhookRow> {
        self.store.webhooks(TENANT, None, PageQuery::first(999)).await.unwrap()
    }

    fn worker(&self) -> Worker<'_> {
        Worker::new(WorkerId(id(40, 1)), self.watch.as_ref())
    }

    pub async fn try_read(&self) -> Result<bool, EngineError> {
        work::read_some(&self.app, self.worker()).await
    }

    pub async fn read(&self) {
        self.try_read().await.unwrap();
    }

    pub fn at(&self, when: &str) {
        *self.watch.0.lock().unwrap() = moment(when);
    }

    pub fn later(&self, seconds: i64) {
        *self.watch.0.lock().unwrap() += TimeDelta::seconds(seconds);
    }

    /// Isolates a customer's line for an invoice of Rp150.000 that was due on the 11th.
    pub async fn isolate(&self, customer: usize) {
        let of = &self.world.subscriptions[customer];
        let invoice = invoice(of, day("2026-01-01"), day("2026-01-11"), 150_000);
        self.store.commit(TENANT, ChangeSet { invoices: vec![invoice], ..ChangeSet::default() }).await.unwrap();
        self.enforce().await;
    }

    pub async fn enforce(&self) {
        let customers: Vec<_> = self.world.customers.iter().map(|c| c.id).collect();
        for customer in customers {
            self.app.provider.engine().enforce_customer(customer, self.watch.now()).await.unwrap();
        }
    }

    pub async fn access(&self, customer: usize) -> Access {
        let query = AccessQuery::Customers(vec![self.world.customers[customer].id]);
        self.store.load_access(TENANT, &query, PageQuery::first(1)).await.unwrap()[0].access.desired
    }

    /// What was answered to customers, in the order in which it was written.
    pub async fn answers(&self) -> Vec<Answer> {
        let mut rows = self.store.outbox(TENANT, OutboxQuery::default(), PageQuery::first(999)).await.unwrap();
        rows.sort_by_key(|row| row.next_attempt);
        let answer = |effect: &Effect| match effect {
            Effect::Message(message) => message.answer.clone().map(|answer| (message.customer_id, answer)),
            Effect::Access(_) => None,
        };
        let mut answers: Vec<_> = rows.iter().filter_map(|row| answer(&row.effect)).collect();
        answers.sort_by_key(|(customer, _)| *customer);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.watch.now()
    }

    /// A customer writes, and it is read.
    pub async fn write(&self, customer: usize, message: &str, text: &str) {
        let body = inbound(self, customer, message, text);
        assert_eq!(self.hook(&body, Some(&signed(&body))).await, 200);
        self.read().await;
    }

    /// Routers and customers hear what waits for them.
    pub async fn deliver(&self) {
        let messenger = FakeMessenger::new();
        let engine = self.app.provider.engine();
        engine.deliver(&self.worker(), &self.router, &messenger, self.now()).await.unwrap();
    }

    pub async fn pay(&self, customer: usize, amount: i64) {
        let new = NewPayment {
            customer_id: self.world.customers[customer].id,
            provider: code("cash"),
            reference: Reference::parse("reference", "RCPT-1").unwrap(),
            amount: Money::rupiah(amount),
            paid_at: self.now(),
            collector: None,
        };
        self.app.provider.engine().pay(&new, self.now()).await.unwrap();
    }
}

pub async fn status_of(stream: &mut TcpStream) -> u16 {
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).await.unwrap();
    String::from_utf8_lossy(&head[9..12]).parse().unwrap()
}

pub fn signed(body: &[u8]) -> String {
    signature(&SECRET.into(), body)
}

fn read(name: &str) -> serde_json::Value {
    let path = format!("{}/../isp-whatsapp/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn fixture(name: &str) -> Vec<u8> {
    read(name)["raw_body"].as_str().unwrap().as_bytes().to_vec()
}

pub fn fixture_signed(name: &str) -> (Vec<u8>, String) {
    let signature = read(name)["headers"]["X-Hub-Signature-256"].as_str().unwrap().to_owned();
    (fixture(name), signature)
}

/// What WhatsApp says when a customer writes.
pub fn inbound(server: &Server, customer: usize, message: &str, text: &str) -> Vec<u8> {
    inbound_from(server.world.customers[customer].phone.as_ref().unwrap().digits(), server, message, text)
}

pub fn inbound_from(number: &str, server: &Server, message: &str, text: &str) -> Vec<u8> {
    let at = server.now().timestamp() - 60;
    serde_json::json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "62", "phone_number_id": "1" },
            "messages": [{
                "from": number, "id": message, "timestamp": at.to_string(), "type": "text", "text": { "body": text },
            }],
        } }] }],
    })
    .to_string()
    .into_bytes()
}
