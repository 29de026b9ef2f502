//! The connections: one per router, one turn at a time on each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use isp_core::place::RouterEndpoint;
use secrecy::SecretString;
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};

use super::read::Passwords;
use super::settings::Settings;
use crate::client::{Client, ConnectOptions, Tls};
use crate::error::{Error, Stage};

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
    pub(super) passwords: Passwords,
}

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
        self.open = None;
        self.passwords = Passwords::Unknown;
        let client = Client::connect(options(endpoint, settings)?).await?;
        self.open = Some((endpoint.clone(), client.clone()));
        Ok((client, true))
    }

    /// Forgets the connection.
    pub(super) fn hang_up(&mut self) {
        self.open = None;
    }
}

fn options(endpoint: &RouterEndpoint, settings: &Settings) -> Result<ConnectOptions, Error> {
    let host = match endpoint.host.contains(':') {
        true => format!("[{}]", endpoint.host),
        false => endpoint.host.clone(),
    };
    let password = SecretString::from(endpoint.password.reveal().to_owned());
    let mut options = ConnectOptions::new(format!("{host}:{}", endpoint.port), &endpoint.username, password)
        .deadline(settings.deadline)
        .connect_timeout(settings.connect_timeout)
        .window(settings.window);
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
