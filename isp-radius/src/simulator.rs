//! A NAS on a loopback port: it has sessions, and ends them when a signed request asks for it.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isp_core::Secret;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::packet::{Answer, Received, SESSION_NOT_FOUND};

/// A simulated NAS. It stops when it is dropped.
#[derive(Debug)]
pub struct SimulatedNas {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    sessions: BTreeSet<String>,
    /// Answers that get lost after their effect.
    lose: usize,
    silent: bool,
    /// Sessions that it refuses to end, with this `Error-Cause`.
    refuses: Option<u32>,
    requests: u64,
    ended: u64,
}

impl SimulatedNas {
    /// Starts one that shares this secret.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start(secret: Secret) -> io::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let (address, state) = (socket.local_addr()?, Arc::new(Mutex::new(State::default())));
        let server = tokio::spawn(serve(socket, secret, Arc::clone(&state)));
        Ok(Self { address, state, server })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A box dials in.
    pub fn dial(&self, username: &str) {
        self.state().sessions.insert(username.to_owned());
    }

    /// True while a user is online.
    #[must_use]
    pub fn is_online(&self, username: &str) -> bool {
        self.state().sessions.contains(username)
    }

    /// The answers to the next requests are lost after their effect.
    pub fn lose_next(&self, count: usize) {
        self.state().lose = count;
    }

    /// It answers nothing and does nothing, as one without `/radius/incoming accept=yes`.
    pub fn set_silent(&self, silent: bool) {
        self.state().silent = silent;
    }

    /// It refuses to end sessions, with this `Error-Cause`; `None` ends that.
    pub fn refuse_with(&self, cause: Option<u32>) {
        self.state().refuses = cause;
    }

    /// How many requests it heard, and how many sessions it ended.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.requests, state.ended)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SimulatedNas {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(socket: UdpSocket, secret: Secret, state: Arc<Mutex<State>>) {
    let mut buffer = [0_u8; 4_096];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let Some(request) = buffer.get(..length).and_then(|bytes| Received::read(bytes, &secret)) else { continue };
        let reply = state.lock().unwrap_or_else(PoisonError::into_inner).answer(&request);
        if let Some(answer) = reply {
            // An answer that does not arrive is what UDP promises.
            let _ = socket.send_to(&request.reply(answer, &secret), from).await;
        }
    }
}

impl State {
    fn answer(&mut self, request: &Received) -> Option<Answer> {
        if self.silent {
            return None;
        }
        self.requests += 1;
        let answer = match self.refuses {
            Some(cause) if self.sessions.contains(&request.username) => Answer::Refused(Some(cause)),
            _ if self.sessions.remove(&request.username) => {
                self.ended += 1;
                Answer::Ended
            }
            _ => Answer::Refused(Some(SESSION_NOT_FOUND)),
        };
        if self.lose > 0 {
            self.lose -= 1;
            return None;
        }
        Some(answer)
    }
}
