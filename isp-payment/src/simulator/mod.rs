//! Each gateway on a loopback port: for tests, and for trying payment requests without an account.
//!
//! It checks every request as strictly as the documentation says, remembers what it was asked to collect, and fails on demand as
//! a network fails. Its webhooks are values: a test delivers them late, twice, out of order, or not at all.

mod bank;
mod duitku;
mod midtrans;
mod tripay;
mod xendit;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::payment::{NoticeState, RefundState};
use isp_core::text::Code;
use isp_http::server::{Connection, Request};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::settings::{GatewayKind, GatewaySettings, SettingsError};

pub use bank::{BankAnswer, BankCall, SimulatedBank};

const WEBHOOK_KEY: &str = "simulated-webhook-key";
const MERCHANT: &str = "S0001";

/// The ways a simulated gateway fails. A request is checked first; one that is wrong is refused all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Closes the connection; nothing is done.
    Reset,
    /// Does it, and closes the connection without an answer.
    ReplyLost,
    /// Never answers; nothing is done.
    Hang,
    /// Answers with this HTTP status and an HTML page; nothing is done.
    Html(u16),
    /// Does it, and answers with this HTTP status and an HTML page.
    HtmlAfter(u16),
}

/// What it was asked to collect, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transaction {
    /// The reference of who asked.
    pub reference: String,
    /// Its own id.
    pub id: String,
    /// What was asked.
    pub asked: Money,
    /// What counts for the customer of what was paid; what was asked until then.
    pub paid: Money,
    /// What the payer paid on top.
    pub payer_fee: Money,
    /// What it keeps.
    pub fee: Money,
    /// How it is paid, in its own words.
    pub method: String,
    /// Where it stands.
    pub state: NoticeState,
    /// When it was paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// True for a page on which nobody has chosen how to pay.
    pub unchosen: bool,
    /// What it was asked to give back and took, in the order of asking.
    pub refunds: Vec<GivenBack>,
}

/// A refund that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GivenBack {
    /// The key of who asked.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub state: RefundState,
}

impl Transaction {
    pub(crate) fn new(reference: &str, id: String, asked: Money, method: &str) -> Self {
        Self {
            reference: reference.to_owned(),
            id,
            asked,
            paid: asked,
            payer_fee: Money::ZERO,
            fee: Money::ZERO,
            method: method.to_owned(),
            state: NoticeState::Pending,
            paid_at: None,
            unchosen: false,
            refunds: Vec::new(),
        }
    }

    /// What it gave back, or is about to.
    #[must_use]
    pub fn given_back(&self) -> Money {
        self.refunds.iter().filter(|r| r.state != RefundState::Refused).map(|r| r.amount).sum()
    }

    /// What can still be given back of it.
    pub(crate) fn refundable(&self) -> Money {
        if self.state == NoticeState::Paid { self.paid - self.given_back() } else { Money::ZERO }
    }
}

/// A webhook with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedWebhook {
    /// Names and values, the signature among them.
    pub headers: Vec<(String, String)>,
    /// The bytes that are signed.
    pub body: Vec<u8>,
}

/// What it answers: a status and JSON.
type Reply = (u16, Value);

#[derive(Debug, Default)]
struct State {
    transactions: BTreeMap<String, Transaction>,
    faults: Vec<Fault>,
    refund_faults: Vec<Fault>,
    requests: u64,
    /// What refunds can be paid from; nothing is said until a test says it.
    balance: Option<Money>,
}

/// A running gateway on 127.0.0.1. Dropping it stops it.
pub struct Simulator {
    kind: GatewayKind,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Starts on a free port.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub async fn start(kind: GatewayKind) -> io::Result<Self> {
        Self::start_on(kind, 0).await
    }

    /// Starts on this port.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_on(kind: GatewayKind, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let task = tokio::spawn(serve(kind, listener, Arc::clone(&state)));
        Ok(Self { kind, address, state, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Settings that fit: address, keys, merchant.
    ///
    /// # Errors
    /// None that can be: the name of each kind is a code.
    pub fn settings(&self) -> Result<GatewaySettings, SettingsError> {
        let name = Code::parse("gateway", self.kind.name()).map_err(|_| SettingsError::Missing("name"))?;
        let mut settings = GatewaySettings::new(name, self.kind, key(self.kind).into());
        // Open payments have no sandbox.
        settings.sandbox = self.kind != GatewayKind::TripayOpen;
        settings.merchant = MERCHANT.to_owned();
        settings.webhook_key = WEBHOOK_KEY.into();
        settings.email = "tagihan@example.id".to_owned();
        settings.callback_url = Some("https://isp.example.id/webhook".to_owned());
        settings.base_url = Some(self.base_url());
        Ok(settings)
    }

    /// The next `count` requests meet this fault.
    pub fn fail_next(&self, count: usize, fault: Fault) {
        self.lock().faults.extend(std::iter::repeat_n(fault, count));
    }

    /// The next request for a refund meets this fault; what is asked before it does not.
    pub fn fail_next_refund(&self, fault: Fault) {
        self.lock().refund_faults.push(fault);
    }

    /// On its page the customer has chosen this way to pay, in its own words. False when it has no such reference.
    pub fn choose(&self, reference: &str, method: &str) -> bool {
        self.change(reference, |t| (t.method, t.unchosen) = (method.to_owned(), false))
    }

    /// No more than this is on the account from which refunds are paid.
    pub fn set_balance(&self, balance: Money) {
        self.lock().balance = Some(balance);
    }

    /// All refunds that wait end: they are paid as far as there is money for them, or fail.
    pub fn settle_refunds(&self) {
        let mut state = self.lock();
        let mut left = state.balance;
        for refund in state.transactions.values_mut().flat_map(|t| &mut t.refunds) {
            if refund.state == RefundState::Pending {
                let covered = left.is_none_or(|left| left >= refund.amount);
                refund.state = if covered { RefundState::Done } else { RefundState::Refused };
                left = left.map(|left| if covered { left - refund.amount } else { left });
            }
        }
        state.balance = left;
    }

    /// A customer pays this for a reference, of which it keeps a fee. False when it has no such reference.
    pub fn pay(&self, reference: &str, amount: Money, fee: Money, at: DateTime<Utc>) -> bool {
        self.change(reference, |t| {
            (t.state, t.paid, t.fee, t.paid_at, t.unchosen) = (NoticeState::Paid, amount, fee, Some(at), false);
        })
    }

    /// Something else becomes of a reference. False when it has no such reference.
    pub fn set(&self, reference: &str, state: NoticeState) -> bool {
        self.change(reference, |t| t.state = state)
    }

    /// The webhook that it sends now about a reference.
    #[must_use]
    pub fn webhook(&self, reference: &str) -> Option<SignedWebhook> {
        let transaction = self.lock().transactions.get(reference)?.clone();
        Some(match self.kind {
            GatewayKind::Midtrans => midtrans::webhook(&transaction),
            GatewayKind::Xendit => xendit::webhook(&transaction),
            GatewayKind::Tripay => tripay::webhook(&transaction),
            GatewayKind::TripayOpen => tripay::webhook_open(&transaction),
            GatewayKind::Duitku | GatewayKind::DuitkuPop => duitku::webhook(&transaction),
        })
    }

    /// Sends the webhook about a reference to this address, once: the status of the answer. `None` when it has no such
    /// reference, or nobody answered.
    ///
    /// # Errors
    /// [`SettingsError::BadAddress`] when the address is none, or plain `http` to another machine.
    pub async fn tell(&self, reference: &str, url: &str) -> Result<Option<u16>, SettingsError> {
        let address = isp_http::address(url).map_err(|_| SettingsError::BadAddress)?;
        let http = isp_http::client(Duration::from_secs(10)).map_err(|_| SettingsError::Client)?;
        let Some(SignedWebhook { headers, body }) = self.webhook(reference) else { return Ok(None) };
        let request = http.post(address).body(body);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        Ok(match isp_http::exchange(request).await {
            isp_http::Exchange::Answered { status, .. } => Some(status),
            _ => None,
        })
    }

    /// All that it was asked to collect, in the order of references.
    #[must_use]
    pub fn transactions(&self) -> Vec<Transaction> {
        self.lock().transactions.values().cloned().collect()
    }

    /// What it owes: what was paid, less what it keeps and gave back.
    #[must_use]
    pub fn holds(&self) -> Money {
        let state = self.lock();
        let paid = state.transactions.values().filter(|t| t.state == NoticeState::Paid);
        paid.map(|t| t.paid - t.fee - t.given_back()).sum()
    }

    /// How many requests came in.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    fn change(&self, reference: &str, change: impl FnOnce(&mut Transaction)) -> bool {
        self.lock().transactions.get_mut(reference).map(change).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("kind", &self.kind).field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn key(kind: GatewayKind) -> &'static str {
    match kind {
        GatewayKind::Midtrans => "SB-Mid-server-simulated",
        GatewayKind::Xendit => "xnd_development_simulated",
        GatewayKind::Tripay => "DEV-simulated",
        GatewayKind::TripayOpen => "simulated",
        GatewayKind::Duitku | GatewayKind::DuitkuPop => "simulated-duitku-key",
    }
}

async fn serve(kind: GatewayKind, listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(kind, Connection::new(stream), Arc::clone(&state)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until the client goes, a fault cuts it, or the client speaks no HTTP.
async fn converse(kind: GatewayKind, mut connection: Connection, state: Arc<Mutex<State>>) {
    const PAGE: &[u8] = b"<html><body><h1>502 Bad Gateway</h1></body></html>";
    while let Ok(Some(request)) = connection.request().await {
        let fault = {
            let mut state = lock(&state);
            state.requests += 1;
            let refund = request.method == "POST" && request.path.contains("/refund");
            let faults =
                if refund && !state.refund_faults.is_empty() { &mut state.refund_faults } else { &mut state.faults };
            if faults.is_empty() { None } else { Some(faults.remove(0)) }
        };
        let done = match fault {
            Some(Fault::Reset) => return,
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Html(status)) => Err(status),
            Some(Fault::HtmlAfter(status)) => {
                answer(kind, &state, &request);
                Err(status)
            }
            Some(Fault::ReplyLost) => {
                answer(kind, &state, &request);
                return;
            }
            None => Ok(answer(kind, &state, &request)),
        };
        let sent = match done {
            Ok((status, body)) => connection.respond(status, "application/json", body.to_string().as_bytes()).await,
            Err(status) => connection.respond(status, "text/html", PAGE).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

fn answer(kind: GatewayKind, state: &Mutex<State>, request: &Request) -> Reply {
    let mut state = lock(state);
    let State { transactions: all, balance, .. } = &mut *state;
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let path: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    match kind {
        GatewayKind::Midtrans => midtrans::answer(all, balance, request, &path, &body()),
        GatewayKind::Xendit => xendit::answer(all, request, &path, query, &body()),
        GatewayKind::Tripay => tripay::answer(all, request, &path, query, &body()),
        GatewayKind::TripayOpen => tripay::answer_open(all, request, &path, query, &body()),
        GatewayKind::Duitku => duitku::answer(all, &path, &body()),
        GatewayKind::DuitkuPop => duitku::answer_pop(all, request, &path, &body()),
    }
}

/// Whether a request has this key by HTTP Basic; `Authorization: Basic` and the key with a colon in base64.
fn basic(request: &Request, key: &str) -> bool {
    let plain = format!("{key}:");
    let expected = format!("Basic {}", base64(plain.as_bytes()));
    request.header("authorization") == Some(expected.as_str())
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn query_value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key).map(|(_, value)| value)
}

fn by_id<'a>(all: &'a mut BTreeMap<String, Transaction>, id: &str) -> Option<&'a mut Transaction> {
    all.values_mut().find(|t| t.id == id)
}

fn amount(body: &Value, key: &str) -> Option<Money> {
    body.get(key).and_then(Value::as_i64).filter(|amount| *amount > 0).map(Money::rupiah)
}

fn json_header() -> (String, String) {
    ("content-type".to_owned(), "application/json".to_owned())
}
