//! The listening side of the simulator, and the handles to steer and inspect it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use isp_http::server::Connection;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::check::{self, Refusal};
use super::media;
use super::state::State;
use super::{AcceptedMessage, Duplicate, Fault, Media};
use crate::catalog::TemplateCatalog;
use crate::cloud::{CloudConfig, DEFAULT_GRAPH_VERSION};
use crate::graph::GraphCode;
use crate::kind::TemplateKind;

const PHONE_NUMBER_ID: &str = "106540352242922";
const ACCESS_TOKEN: &str = "simulated-access-token";
const APP_SECRET: &str = "simulated-app-secret";
const BACKLOG: u32 = 128;
const JSON: &str = "application/json";

/// A running Cloud API on 127.0.0.1. Dropping it stops it.
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Listening,
}

pub(super) struct Shared {
    state: Mutex<State>,
    /// What is registered; the first is what a client is set up with.
    templates: Vec<TemplateCatalog>,
    path: String,
    token: SecretString,
    pub(super) app_secret: SecretString,
}

enum Listening {
    Up {
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
    },
    /// The port stays bound, so that nobody takes it, but nothing listens: connections are refused.
    Down(TcpSocket),
    /// Only seen when taking the port back failed.
    Lost,
}

impl Simulator {
    /// Starts on a free port, knowing the standard templates, with the provider's name and without, with a document and without.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub async fn start() -> io::Result<Self> {
        let all = [TemplateCatalog::standard(), TemplateCatalog::with_sender()];
        let with = all.clone().into_iter().filter_map(|all| all.with_documents(&TemplateKind::WITH_DOCUMENT).ok());
        Self::knowing(all.iter().cloned().chain(with).collect())
    }

    /// Starts on a free port, knowing these templates.
    ///
    /// # Errors
    /// When no loopback port can be had.
    pub async fn start_with(templates: TemplateCatalog) -> io::Result<Self> {
        Self::knowing(vec![templates])
    }

    fn knowing(templates: Vec<TemplateCatalog>) -> io::Result<Self> {
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            templates,
            path: format!("/{DEFAULT_GRAPH_VERSION}/{PHONE_NUMBER_ID}/messages"),
            token: ACCESS_TOKEN.into(),
            app_secret: APP_SECRET.into(),
        });
        let listening = listen(socket, &shared)?;
        Ok(Self { address, shared, listening })
    }

    /// Where it listens, for example `http://127.0.0.1:40123`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client configuration that fits: address, number, token and templates.
    #[must_use]
    pub fn config(&self) -> CloudConfig {
        CloudConfig::new(PHONE_NUMBER_ID, self.shared.token.clone())
            .with_base_url(self.base_url())
            .with_templates(self.shared.templates[0].clone())
    }

    /// Meta's id of the sending number that it serves.
    #[must_use]
    pub fn phone_number_id(&self) -> &'static str {
        PHONE_NUMBER_ID
    }

    /// The access token that it takes. It guards nothing: the simulator listens on loopback only.
    #[must_use]
    pub fn access_token(&self) -> SecretString {
        self.shared.token.clone()
    }

    /// The secret that signs the webhooks.
    #[must_use]
    pub fn app_secret(&self) -> SecretString {
        self.shared.app_secret.clone()
    }

    /// Every message accepted so far, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<AcceptedMessage> {
        self.state().accepted.clone()
    }

    /// Callback data accepted more than once. Empty is the proof that nobody got a message twice.
    #[must_use]
    pub fn duplicates(&self) -> Vec<Duplicate> {
        self.state().duplicates()
    }

    /// How many requests came in, accepted or not.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state().requests
    }

    /// The files that were uploaded and are still kept, in the order of their ids.
    #[must_use]
    pub fn media(&self) -> Vec<Media> {
        self.state().media.values().cloned().collect()
    }

    /// How many uploads came in, taken or not.
    #[must_use]
    pub fn uploads(&self) -> u64 {
        self.state().uploads
    }

    /// The next `count` uploads meet this fault; one that is accepted by it is kept.
    pub fn fail_uploads(&self, count: usize, fault: Fault) {
        self.state().next_uploads.extend(std::iter::repeat_n(fault, count));
    }

    /// Forgets every file, as Meta does after 30 days.
    pub fn expire_media(&self) {
        self.state().media.clear();
    }

    /// Takes no larger file from now on; 100 MB at first, as Meta.
    pub fn limit_media(&self, bytes: usize) {
        self.state().largest_media = bytes;
    }

    /// The next `count` requests meet this fault.
    pub fn fail_next(&self, count: usize, fault: Fault) {
        self.state().next.extend(std::iter::repeat_n(fault, count));
    }

    /// Every request meets this fault until [`Simulator::recover`].
    pub fn fail_always(&self, fault: Fault) {
        self.state().always = Some(fault);
    }

    /// As [`Simulator::fail_always`], once `count` more requests have passed.
    pub fn fail_after(&self, count: usize, fault: Fault) {
        let mut state = self.state();
        state.spared = count;
        state.always = Some(fault);
    }

    /// Messages to this number (digits) are refused with this code until [`Simulator::recover`].
    pub fn fail_recipient(&self, digits: impl Into<String>, code: GraphCode) {
        self.state().recipients.insert(digits.into(), code);
    }

    /// Forgets every fault. Does not bring a simulator up that is down.
    pub fn recover(&self) {
        let mut state = self.state();
        state.next.clear();
        state.always = None;
        state.spared = 0;
        state.recipients.clear();
        state.next_uploads.clear();
    }

    /// Answers each message so much later from now on. It is taken at once; only the answer is late.
    pub fn answer_after(&self, delay: Duration) {
        self.state().slow = delay;
    }

    /// Cuts every connection and refuses new ones. What was accepted stays known. Does nothing when already down.
    ///
    /// # Errors
    /// When the port cannot be kept.
    pub async fn down(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.listening, Listening::Lost) {
            Listening::Up { stop, task } => {
                // An error means that the task has ended by itself, which is what is wanted.
                let _ = stop.send(());
                let _ = task.await;
                self.listening = Listening::Down(bind(self.address)?);
            }
            already => self.listening = already,
        }
        Ok(())
    }

    /// Listens again on the same port. Does nothing when already up.
    ///
    /// # Errors
    /// When the port was lost to another process.
    pub fn up(&mut self) -> io::Result<()> {
        self.listening = match std::mem::replace(&mut self.listening, Listening::Lost) {
            Listening::Down(socket) => listen(socket, &self.shared)?,
            Listening::Lost => listen(bind(self.address)?, &self.shared)?,
            up @ Listening::Up { .. } => up,
        };
        Ok(())
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Listening::Up { task, .. } = &self.listening {
            task.abort();
        }
    }
}

impl Shared {
    /// Where files are uploaded: beside the messages.
    fn media_path(&self) -> Option<String> {
        Some(format!("{}/media", self.path.strip_suffix("/messages")?))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(socket: TcpSocket, shared: &Arc<Shared>) -> io::Result<Listening> {
    let listener = socket.listen(BACKLOG)?;
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, Arc::clone(shared), stopped));
    Ok(Listening::Up { stop, task })
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(converse(Connection::new(stream), Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Serves one connection until the client goes, a fault cuts it, or the client speaks no HTTP.
async fn converse(mut connection: Connection, shared: Arc<Shared>) {
    while let Ok(Some(request)) = connection.request().await {
        let token = shared.token.expose_secret();
        let reply = if request.method == "GET" {
            let state = shared.state();
            state.look(check::look(&request, &shared.path, token))
        } else if request.method == "POST" && Some(request.path.as_str()) == shared.media_path().as_deref() {
            let mut state = shared.state();
            let checked = media::upload(&request, token, state.largest_media);
            state.reply_upload(checked)
        } else {
            let mut state = shared.state();
            let checked = check::check(&request, &shared.path, token, &shared.templates, &state.media);
            state.reply(checked)
        };
        let slow = shared.state().slow;
        if request.method != "GET" && !slow.is_zero() {
            tokio::time::sleep(slow).await;
        }
        let sent = match reply {
            Reply::Answer { status, body } => connection.respond(status, JSON, body.to_string().as_bytes()).await,
            Reply::Bare { status } => connection.respond(status, "text/html", b"<html>upstream</html>").await,
            Reply::Cut => connection.respond(200, JSON, br#"{"messaging_product":"whatsapp","messages":[{"id":"#).await,
            Reply::Close => return,
            Reply::Never => std::future::pending().await,
        };
        if sent.is_err() {
            return;
        }
    }
}

enum Reply {
    Answer { status: u16, body: serde_json::Value },
    Bare { status: u16 },
    Cut,
    Close,
    Never,
}

impl State {
    fn reply(&mut self, checked: Result<AcceptedMessage, Refusal>) -> Reply {
        self.requests += 1;
        let message = match checked {
            Ok(message) => message,
            Err(refusal) => return refused(refusal.status, refusal.code, &refusal.detail),
        };
        match self.fault(message.to.reveal()) {
            None => self.accepted(message),
            Some(Fault::Held) => self.accepted(AcceptedMessage { held: true, ..message }),
            Some(Fault::Graph(code)) => refused(400, code, "refused as asked"),
            Some(Fault::Status(status)) => Reply::Bare { status },
            Some(Fault::Reset) => Reply::Close,
            Some(Fault::Hang) => Reply::Never,
            Some(Fault::StatusAfterAccept(status)) => {
                self.accept(message);
                Reply::Bare { status }
            }
            Some(Fault::ReplyLost) => {
                self.accept(message);
                Reply::Close
            }
            Some(Fault::Garbled) => {
                self.accept(message);
                Reply::Cut
            }
        }
    }

    /// An upload. It counts as no request for a message.
    fn reply_upload(&mut self, checked: Result<Media, Refusal>) -> Reply {
        self.uploads += 1;
        let file = match checked {
            Ok(file) => file,
            Err(refusal) => return refused(refusal.status, refusal.code, &refusal.detail),
        };
        let fault = self.upload_fault();
        let mut keep = || self.keep(file.clone());
        match fault {
            None | Some(Fault::Held) => Reply::Answer { status: 200, body: json!({ "id": keep() }) },
            Some(Fault::Graph(code)) => refused(400, code, "refused as asked"),
            Some(Fault::Status(status)) => Reply::Bare { status },
            Some(Fault::Reset) => Reply::Close,
            Some(Fault::Hang) => Reply::Never,
            Some(Fault::StatusAfterAccept(status)) => {
                keep();
                Reply::Bare { status }
            }
            Some(Fault::ReplyLost) => {
                keep();
                Reply::Close
            }
            Some(Fault::Garbled) => {
                keep();
                Reply::Cut
            }
        }
    }

    /// A look at the number. What is wrong with the line or the account shows here as well; what is wrong with messages
    /// does not. It counts as no request for a message.
    fn look(&self, looked: Result<String, Refusal>) -> Reply {
        let id = match looked {
            Ok(id) => id,
            Err(refusal) => return refused(refusal.status, refusal.code, &refusal.detail),
        };
        // While some messages are still to pass, a look passes as well.
        match self.always.filter(|_| self.spared == 0) {
            Some(Fault::Graph(code)) => refused(400, code, "refused as asked"),
            Some(Fault::Status(status)) => Reply::Bare { status },
            Some(Fault::Reset) => Reply::Close,
            Some(Fault::Hang) => Reply::Never,
            _ => Reply::Answer { status: 200, body: json!({ "id": id }) },
        }
    }

    fn accepted(&mut self, message: AcceptedMessage) -> Reply {
        let to = message.to.reveal().to_owned();
        let status = if message.held { "held_for_quality_assessment" } else { "accepted" };
        let id = self.accept(message);
        Reply::Answer {
            status: 200,
            body: json!({
                "messaging_product": "whatsapp",
                "contacts": [{ "input": to, "wa_id": to }],
                "messages": [{ "id": id, "message_status": status }],
            }),
        }
    }
}

fn refused(status: u16, code: GraphCode, detail: &str) -> Reply {
    let body = json!({
        "error": {
            "message": format!("(#{code}) simulated"),
            "type": "OAuthException",
            "code": code.0,
            "error_data": { "messaging_product": "whatsapp", "details": detail },
            "fbtrace_id": "SIMULATED",
        }
    });
    Reply::Answer { status, body }
}
