//! The connections: one per router, one turn at a time on each.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use isp_core::place::{Machine, RouterEndpoint};
use secrecy::SecretString;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};
use tokio::time::Instant;

use super::pace::Pace;
use super::read::PasswordsOf;
use super::settings::Settings;
use super::who;
use crate::client::{Client, ConnectOptions, Tls};
use crate::error::{Cause, Error, Stage};
use crate::menu::ItemId;

/// The routers that were talked to.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    lines: Mutex<HashMap<Address, Arc<Turns<Line>>>>,
}

/// Host and port.
type Address = (String, u16);

/// The line to one router.
#[derive(Debug, Default)]
pub(super) struct Line {
    open: Option<(RouterEndpoint, Client)>,
    pub(super) passwords: PasswordsOf,
    pub(super) pace: Pace,
    /// Sessions that a whole reading found under another rate than their profile gives, until a turn ends them.
    pub(super) stale: HashSet<ItemId>,
    /// Whether a line of this router was seen to have an account in a service that it does not use.
    pub(super) two_services: bool,
    /// Whether this router was seen to ask a RADIUS server, too; `None` when nobody looked.
    pub(super) radius: Option<bool>,
    /// Who answered when the engine asked last. Another machine behind a new connection is not taken for it.
    pub(super) machine: Option<Machine>,
    /// How often in a row the router let us wait for nothing, and until when it is left alone.
    silent: u32,
    rest_until: Option<Instant>,
    /// By how many halvings the window is smaller than the settings say, because the router was slow.
    slower: u32,
}

/// A silent router is left alone for at most this many times [`Settings::rest`].
const LONGEST_REST: u32 = 12;

impl Fleet {
    /// Waits for a turn on this router. Others are not held up.
    pub(super) async fn turn(&self, endpoint: &RouterEndpoint) -> OwnedMutexGuard<Line> {
        let line = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.entry((endpoint.host.clone(), endpoint.port)).or_default().clone()
        };
        line.lock_owned().await
    }

    /// Closes every connection that nobody uses now.
    pub(super) fn close_idle(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, line| match line.try_lock() {
            Ok(mut line) => {
                line.open = None;
                false
            }
            Err(_) => true,
        });
    }
}

impl Line {
    /// The open connection, or a new one. The flag tells whether it is new.
    pub(super) async fn client(
        &mut self,
        endpoint: &RouterEndpoint,
        settings: &Settings,
    ) -> Result<(Client, bool), Error> {
        if let Some((known, client)) = &self.open
            && known == endpoint
            && client.closed().is_none()
        {
            return Ok((client.clone(), false));
        }
        self.hang_up();
        self.passwords = PasswordsOf::default();
        self.radius = None;
        if let Some(until) = self.rest_until.filter(|until| *until > Instant::now()) {
            let detail = format!("{}: silent {} times, left alone for now", endpoint.host, self.silent);
            tracing::debug!(router = endpoint.host, left = ?until.duration_since(Instant::now()), "resting");
            return Err(Error::NotSent { stage: Stage::Connect, detail });
        }
        let mut options = options(endpoint, settings)?;
        options.window = (settings.window >> self.slower.min(8)).max(1);
        let started = Instant::now();
        let client = Client::connect(options).await.inspect_err(|_| {
            if started.elapsed() >= settings.connect_timeout {
                self.silent += 1;
                self.rest_until = Some(Instant::now() + settings.rest * self.silent.min(LONGEST_REST));
            }
        })?;
        (self.silent, self.rest_until) = (0, None);
        if let Some(expected) = &self.machine {
            let answers = who::ask(&client).await?;
            if answers != *expected && (answers.serial != expected.serial || expected.serial.is_none()) {
                let detail = format!("{}: another machine answers than a moment ago", endpoint.host);
                return Err(Error::NotSent { stage: Stage::Connect, detail });
            }
        }
        self.open = Some((endpoint.clone(), client.clone()));
        Ok((client, true))
    }

    /// Learns from how a turn ended: a connection on which something broke is not used again, and a router that did
    /// not answer in time gets fewer commands at once over the next one.
    pub(super) fn learn(&mut self, error: Option<&Error>) {
        let Some(error) = error else {
            self.slower = self.slower.saturating_sub(1);
            return;
        };
        if matches!(error, Error::Unknown { cause: Cause::Deadline, .. }) {
            self.slower += 1;
        }
        if !error.connection_survives() {
            self.hang_up();
        }
    }

    /// Forgets the connection.
    fn hang_up(&mut self) {
        self.open = None;
    }
}

fn options(endpoint: &RouterEndpoint, settings: &Settings) -> Result<ConnectOptions, Error> {
    let host = match endpoint.host.contains(':') {
        true => format!("[{}]", endpoint.host),
        false => endpoint.host.clone(),
    };
    let address = format!("{host}:{}", endpoint.port);
    if settings.only.as_ref().is_some_and(|only| !only.contains(&address)) {
        let detail = format!("{address}: not one of the routers that may be called (`only`)");
        return Err(Error::NotSent { stage: Stage::Connect, detail });
    }
    let password = SecretString::from(endpoint.password.reveal().to_owned());
    let mut options = ConnectOptions::new(address, &endpoint.username, password)
        .deadline(settings.deadline)
        .connect_timeout(settings.connect_timeout)
        .window(settings.window)
        .without_reconnect();
    options.tls = tls(endpoint, settings)?;
    Ok(options)
}

fn tls(endpoint: &RouterEndpoint, settings: &Settings) -> Result<Tls, Error> {
    if !endpoint.tls {
        return Ok(Tls::Off);
    }
    let with_port = format!("{}:{}", endpoint.host, endpoint.port);
    let pinned = settings.tls_fingerprints.get(&with_port).or_else(|| settings.tls_fingerprints.get(&endpoint.host));
    match (pinned, &settings.tls_authority) {
        (Some(fingerprint), _) => Ok(Tls::Pinned(*fingerprint)),
        (None, Some(pem)) => Ok(Tls::Authority(pem.clone())),
        (None, None) => {
            let detail = format!("{with_port}: neither tls_fingerprints nor tls_authority says whom to trust");
            Err(Error::NotSent { stage: Stage::Tls, detail })
        }
    }
}
