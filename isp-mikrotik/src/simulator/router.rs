//! Starting, stopping and looking into a simulated router.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::execute;
use super::fault::Fault;
use super::schema::Version;
use super::server;
use super::sessions::session_id;
use super::state::{State, id_text};
use crate::client::ConnectOptions;

/// How a simulated router is set up.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Its RouterOS version.
    pub version: Version,
    /// Its name (`/system identity`).
    pub identity: String,
    /// The API user; a second user `readonly` with the same password may not write.
    pub user: String,
    /// The password of both users. It guards nothing: the simulator listens on loopback only.
    pub password: String,
    /// Whether a print hides passwords unless `=show-sensitive=` is given; by default as the version does.
    pub hide_passwords: Option<bool>,
    /// Whether every new secret has a customer's box that knows its password and dials at once.
    pub auto_dial: bool,
    /// How long a box waits before it dials again after its session ended.
    pub redial: Duration,
    /// Whether what is set on the lease of a box that has its address already holds from its next renewal on only, and
    /// not at once.
    pub leases_take_effect_at_renewal: bool,
    /// How many API connections it takes; more are closed at once.
    pub max_connections: Option<usize>,
    /// Certificate and key, both PEM: the service then speaks TLS only.
    pub tls: Option<(String, String)>,
    /// Whether it answers a login like a router before 6.43, with a challenge.
    pub too_old: bool,
}

impl Default for Simulation {
    /// 7.21.5, user `api`, boxes that dial at once.
    fn default() -> Self {
        Simulation {
            version: Version::V7_21_5,
            identity: "simulated".to_owned(),
            user: "api".to_owned(),
            password: "simulated".to_owned(),
            hide_passwords: None,
            auto_dial: true,
            redial: Duration::ZERO,
            leases_take_effect_at_renewal: false,
            max_connections: None,
            tls: None,
            too_old: false,
        }
    }
}

/// How much work clients gave to the router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Successful logins.
    pub logins: u64,
    /// Refused logins.
    pub failed_logins: u64,
    /// Commands executed, `/login` and `/cancel` left out.
    pub commands: u64,
    /// Commands that changed something: add, set, unset, remove, enable, disable, comment.
    pub writes: u64,
    /// Commands by path.
    pub by_command: BTreeMap<String, u64>,
}

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimSecret {
    /// `*HEX`.
    pub id: String,
    /// The PPP user name.
    pub name: String,
    /// The name of the profile, or `*HEX` if it was deleted.
    pub profile: String,
    /// Whether it is disabled.
    pub disabled: bool,
    /// The fixed address, if it has one.
    pub remote_address: Option<String>,
    /// The comment, bytes as stored; empty if it has none.
    pub comment: Vec<u8>,
    password: Vec<u8>,
}

impl SimSecret {
    /// Whether the password is this one; it is never shown.
    pub fn password_is(&self, password: &str) -> bool {
        self.password == password.as_bytes()
    }
}

/// A profile as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimProfile {
    /// `*HEX`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `up/down`, as it was given.
    pub rate_limit: Option<String>,
    /// The address list that its sessions join.
    pub address_list: Option<String>,
    /// The comment.
    pub comment: String,
}

/// A running session, with what it got at login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimSession {
    /// `*HEX`.
    pub id: String,
    /// The PPP user name.
    pub name: String,
    /// The profile it logged in with, which its secret may have left since.
    pub profile: String,
    /// The rate limit it got.
    pub rate_limit: Option<String>,
    /// The address it got.
    pub address: Option<String>,
    /// The address list it joined.
    pub address_list: Option<String>,
}

/// A RouterOS on a loopback port. It stops when dropped.
#[derive(Debug)]
pub struct SimulatedRouter {
    shared: Arc<Shared>,
}

impl SimulatedRouter {
    /// Starts a router on a free loopback port, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When no loopback port can be had.
    pub async fn start(simulation: Simulation) -> io::Result<SimulatedRouter> {
        Self::start_on(simulation, 0).await
    }

    /// Starts a router on this loopback port; 0 is any free one.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start_on(simulation: Simulation, port: u16) -> io::Result<SimulatedRouter> {
        let holder = reusable_socket()?;
        holder.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let address = holder.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(&simulation)),
            acceptor: acceptor(&simulation)?,
            simulation,
            address,
            _holder: holder,
            generation: watch::channel(0).0,
            listening: Mutex::new(None),
            open: std::sync::atomic::AtomicUsize::new(0),
            full_until: Mutex::new(None),
            gone: std::sync::atomic::AtomicBool::new(false),
        });
        shared.listen()?;
        Ok(SimulatedRouter { shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Options with which a client gets in.
    pub fn options(&self) -> ConnectOptions {
        let simulation = &self.shared.simulation;
        let password = SecretString::from(simulation.password.clone());
        ConnectOptions::new(self.address().to_string(), &simulation.user, password)
    }

    /// Its API user and password.
    pub fn credentials(&self) -> (&str, SecretString) {
        let simulation = &self.shared.simulation;
        (&simulation.user, SecretString::from(simulation.password.clone()))
    }

    /// Makes something go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// Forgets every fault that has not struck yet.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Cuts the API off: connections end, new ones are refused. Customers stay online. The port stays ours.
    pub fn down(&self) {
        self.shared.stop();
    }

    /// Ends [`down`](Self::down), on the same port.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on.
    pub fn up(&self) -> io::Result<()> {
        self.shared.listen()
    }

    /// Restarts the router: like [`down`](Self::down) for this long, and every session ends.
    pub fn reboot(&self, down: Duration) {
        self.shared.clone().reboot(down);
    }

    /// A customer plugs a box in that dials with this password.
    pub fn plug(&self, name: &str, password: &str) {
        let mut state = self.shared.lock();
        state.customers.plug(name.as_bytes(), Some(password.as_bytes().to_vec()));
        state.advance();
    }

    /// The customer's box is taken away.
    pub fn unplug(&self, name: &str) {
        let mut state = self.shared.lock();
        state.unplug(name.as_bytes());
        state.advance();
    }

    /// A customer plugs a box in that asks for an address by DHCP: that of its static lease, else this one of the pool.
    pub fn plug_dhcp(&self, mac: &str, pool_address: &str) {
        let mut state = self.shared.lock();
        state.boxes.plug(mac, pool_address);
        state.advance();
    }

    /// The box asks for its address again.
    pub fn renew(&self, mac: &str) {
        let mut state = self.shared.lock();
        state.boxes.renew(mac);
        state.advance();
    }

    /// The box is taken away.
    pub fn unplug_dhcp(&self, mac: &str) {
        let mut state = self.shared.lock();
        state.unplug_box(mac);
        state.advance();
    }

    /// The address that a box has, the limit that holds for it, and whether it is in this list. A limit of a simple queue of
    /// somebody's for its address goes before that of its lease.
    pub fn felt(&self, address: &str, list: &str) -> (Option<String>, bool) {
        let mut state = self.shared.lock();
        state.advance();
        state.felt(address, list)
    }

    /// The address that a box has now.
    pub fn address_of(&self, mac: &str) -> Option<String> {
        let mut state = self.shared.lock();
        state.advance();
        state.boxes.address_of(mac)
    }

    /// Sets `use-radius` of `/ppp/aaa`.
    pub fn use_radius(&self, yes: bool) {
        self.shared.lock().use_radius = yes;
    }

    /// Puts an object into a menu without any check, as people and imports do: twins, odd bytes, foreign comments.
    /// Returns its id.
    pub fn force(&self, menu: &str, values: &[(&str, &[u8])]) -> Option<String> {
        let mut state = self.shared.lock();
        let id = execute::force(&mut state, menu, values).map(id_text);
        state.advance();
        id
    }

    /// Removes an object round the API; what refers to it dangles.
    pub fn force_remove(&self, menu: &str, name: &str) {
        let mut state = self.shared.lock();
        let ids: Vec<u32> = state.table(menu).map(|table| table.named(name.as_bytes()).to_vec()).unwrap_or_default();
        for id in ids {
            if let Some(table) = state.table_mut(menu) {
                table.remove(id);
            }
        }
        state.advance();
    }

    /// Every object of a menu, in the order of their ids, with what it shows; references by name.
    pub fn items(&self, menu: &str) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut state = self.shared.lock();
        state.advance();
        let Some(table) = state.table(menu) else { return Vec::new() };
        let values = |item: &super::table::Item| {
            item.values.iter().map(|(name, value)| (name.clone(), state.shown(value).into_owned())).collect()
        };
        table.iter().map(|(_, item)| values(item)).collect()
    }

    /// Every secret, in the order of their ids.
    pub fn secrets(&self) -> Vec<SimSecret> {
        let mut state = self.shared.lock();
        state.advance();
        let Some(table) = state.table("/ppp/secret") else { return Vec::new() };
        let secret = |(id, item): (u32, &super::table::Item)| SimSecret {
            id: id_text(id),
            name: lossy(item.bytes("name")).unwrap_or_default(),
            profile: item
                .values
                .get("profile")
                .map(|value| String::from_utf8_lossy(&state.shown(value)).into_owned())
                .unwrap_or_default(),
            disabled: item.bytes("disabled") == Some(b"true"),
            remote_address: lossy(item.bytes("remote-address")),
            comment: item.bytes("comment").unwrap_or_default().to_vec(),
            password: item.bytes("password").unwrap_or_default().to_vec(),
        };
        table.iter().map(secret).collect()
    }

    /// The secret with exactly this name.
    pub fn secret(&self, name: &str) -> Option<SimSecret> {
        self.secrets().into_iter().find(|secret| secret.name == name)
    }

    /// Every profile.
    pub fn profiles(&self) -> Vec<SimProfile> {
        let state = self.shared.lock();
        let Some(table) = state.table("/ppp/profile") else { return Vec::new() };
        let profile = |(id, item): (u32, &super::table::Item)| SimProfile {
            id: id_text(id),
            name: lossy(item.bytes("name")).unwrap_or_default(),
            rate_limit: lossy(item.bytes("rate-limit")),
            address_list: lossy(item.bytes("address-list")),
            comment: lossy(item.bytes("comment")).unwrap_or_default(),
        };
        table.iter().map(profile).collect()
    }

    /// Every running session, by name.
    pub fn sessions(&self) -> Vec<SimSession> {
        let mut state = self.shared.lock();
        state.advance();
        let mut sessions: Vec<_> = state
            .customers
            .sessions()
            .map(|(id, session)| SimSession {
                id: session_id(id),
                name: String::from_utf8_lossy(&session.name).into_owned(),
                profile: String::from_utf8_lossy(&session.profile).into_owned(),
                rate_limit: lossy(session.rate_limit.as_deref()),
                address: lossy(session.address.as_deref()),
                address_list: lossy(session.address_list.as_deref()),
            })
            .collect();
        sessions.sort_by(|left, right| left.name.cmp(&right.name));
        sessions
    }

    /// The session of this PPP user.
    pub fn session(&self, name: &str) -> Option<SimSession> {
        self.sessions().into_iter().find(|session| session.name == name)
    }

    /// What clients did so far.
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }

    /// Starts counting from zero.
    pub fn reset_counters(&self) {
        self.shared.lock().counters = Counters::default();
    }
}

impl Drop for SimulatedRouter {
    fn drop(&mut self) {
        self.shared.gone.store(true, std::sync::atomic::Ordering::Relaxed);
        self.shared.stop();
    }
}

/// What the connections share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    simulation: Simulation,
    acceptor: Option<Acceptor>,
    address: SocketAddr,
    /// Bound and never listening: it keeps the port while the router is down.
    _holder: TcpSocket,
    generation: watch::Sender<u64>,
    listening: Mutex<Option<AbortHandle>>,
    open: std::sync::atomic::AtomicUsize,
    /// Until then every new connection is closed at once.
    full_until: Mutex<Option<Instant>>,
    /// The handle was dropped: a restart that still waits must not bring the router back.
    gone: std::sync::atomic::AtomicBool,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn acceptor(&self) -> Option<&TlsAcceptor> {
        self.acceptor.as_ref().map(|acceptor| &acceptor.0)
    }

    pub(super) fn answers_challenge(&self) -> bool {
        self.simulation.too_old
    }

    pub(super) fn connection_ended(&self) {
        self.open.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }

    pub(super) fn fill_up(&self, time: Duration) {
        *self.full_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + time);
    }

    fn is_full(&self, open: usize) -> bool {
        let until = *self.full_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
            || self.simulation.max_connections.is_some_and(|limit| open >= limit)
    }

    pub(super) fn reboot(self: &Arc<Self>, down: Duration) {
        self.stop();
        {
            let mut state = self.lock();
            state.end_all_sessions();
            state.rebooted();
        }
        let shared = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(down).await;
            // The port is held by this process; a failure here shows as a router that stays down.
            if let Err(error) = shared.listen() {
                tracing::error!(%error, "simulated router cannot listen again");
            }
        });
    }

    fn stop(&self) {
        if let Some(task) = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
        self.generation.send_modify(|generation| *generation += 1);
    }

    fn listen(self: &Arc<Self>) -> io::Result<()> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_some() || self.gone.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(());
        }
        let socket = reusable_socket()?;
        socket.bind(self.address)?;
        let listener = socket.listen(256)?;
        *listening = Some(tokio::spawn(accept(self.clone(), listener)).abort_handle());
        Ok(())
    }
}

struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

fn acceptor(simulation: &Simulation) -> io::Result<Option<Acceptor>> {
    let Some((certificate, key)) = &simulation.tls else { return Ok(None) };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(certificates.map_err(io::Error::other)?, key)
        .map_err(io::Error::other)?;
    Ok(Some(Acceptor(TlsAcceptor::from(Arc::new(config)))))
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        shared.lock().counters.connections += 1;
        let open = shared.open.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if shared.is_full(open) {
            shared.connection_ended();
            continue;
        }
        tokio::spawn(server::serve(shared.clone(), stream, shared.generation.subscribe()));
    }
}

fn reusable_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    Ok(socket)
}

fn lossy(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
