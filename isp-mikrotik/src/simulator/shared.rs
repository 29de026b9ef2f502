//! What the connections of a simulated router share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::setup::Simulation;
use super::state::State;

/// What the connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) simulation: Simulation,
    pub(super) acceptor: Option<Acceptor>,
    pub(super) address: SocketAddr,
    /// Bound and never listening: it keeps the port while the router is down.
    pub(super) _holder: TcpSocket,
    pub(super) generation: watch::Sender<u64>,
    pub(super) listening: Mutex<Option<AbortHandle>>,
    pub(super) open: AtomicUsize,
    /// Until then every new connection is closed at once.
    pub(super) full_until: Mutex<Option<Instant>>,
    /// The handle was dropped: a restart that still waits must not bring the router back.
    pub(super) gone: AtomicBool,
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
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn fill_up(&self, time: Duration) {
        *self.full_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + time);
    }

    pub(super) fn is_full(&self, open: usize) -> bool {
        let until = *self.full_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
            || self.simulation.max_connections.is_some_and(|limit| open >= limit)
    }

    pub(super) fn stop(&self) {
        if let Some(task) = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
        self.generation.send_modify(|generation| *generation += 1);
    }
}

pub(super) struct Acceptor(pub(super) TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}
