//! Starting, stopping and handling a simulated router.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::watch;

use super::execute;
use super::fault::Fault;
use super::listener::{acceptor, reusable_socket};
use super::setup::{Counters, Simulation};
use super::shared::Shared;
use super::state::{State, id_text};
use crate::client::ConnectOptions;

/// A RouterOS on a loopback port. It stops when dropped.
#[derive(Debug)]
pub struct SimulatedRouter {
    pub(super) shared: Arc<Shared>,
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
            state: Mutex::new(State::new(&simulation, address.port())),
            acceptor: acceptor(&simulation)?,
            simulation,
            address,
            _holder: holder,
            generation: watch::channel(0).0,
            listening: Mutex::new(None),
            open: AtomicUsize::new(0),
            full_until: Mutex::new(None),
            gone: AtomicBool::new(false),
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
        self.shared.gone.store(true, Ordering::Relaxed);
        self.shared.stop();
    }
}
