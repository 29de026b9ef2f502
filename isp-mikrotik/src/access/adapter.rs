//! The port.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::{Access, AccessTarget};
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, ApplyOutcome, PortError};

use super::apply::Turn;
use super::check::{self, RouterCheck};
use super::fleet::{Fleet, Line};
use super::import::{FoundAccount, found};
use super::read;
use super::settings::Settings;
use crate::error::{Error, Stage};
use crate::mark::Mark;
use crate::menu::ppp::PppSecret;
use crate::reconcile::{Actual, Desired, DesiredAccount, Plan, plan};
use crate::text::CodePage;

/// Keeps the accounts of many routers; see [`crate::access`]. It may be shared and called at once: each router has
/// its own connection and serves one call at a time, and a dead router holds nobody else up.
#[derive(Debug, Default)]
pub struct MikrotikAccess {
    settings: Settings,
    fleet: Fleet,
}

impl MikrotikAccess {
    /// With these settings; connects to nothing yet.
    pub fn new(settings: Settings) -> MikrotikAccess {
        MikrotikAccess { settings, fleet: Fleet::default() }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What [`AccessControl::apply`] would do, without doing it.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn plan(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Plan, PortError> {
        let desired = Desired::of(targets, &self.settings);
        let mut line = self.fleet.turn(router).await;
        let actual = self.read(&mut line, router, &desired).await.map_err(|error| port_error(&error, false))?;
        Ok(plan(&desired, &actual))
    }

    /// Every account of the router, ours or not; nothing is changed.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn read_accounts(&self, router: &RouterEndpoint, page: CodePage) -> Result<Vec<FoundAccount>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| port_error(&error, false))?;
        let actual = read::everything(&client, &mut line.passwords).await;
        line.learn(actual.as_ref().err());
        Ok(found(&actual.map_err(|error| port_error(&error, false))?, page))
    }

    /// Connects and asks the router who it is and how much it holds; nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error`] itself, whose code tells a person what to correct.
    pub async fn check(&self, router: &RouterEndpoint, page: CodePage) -> Result<RouterCheck, Error> {
        let mut line = self.fleet.turn(router).await;
        let checked = check::check(&mut line, router, &self.settings, page).await;
        line.learn(checked.as_ref().err());
        checked
    }

    /// Closes the connections that no call uses now. They come back by themselves when needed.
    pub fn close_idle(&self) {
        self.fleet.close_idle();
    }

    /// Reads, over a new connection if the kept one turns out to be dead: reading twice does no harm.
    async fn read(&self, line: &mut Line, router: &RouterEndpoint, desired: &Desired) -> Result<Actual, Error> {
        let (client, fresh) = line.client(router, &self.settings).await?;
        let actual = read::actual(&client, desired, &mut line.passwords).await;
        line.learn(actual.as_ref().err());
        match actual {
            Err(error) if !fresh && !error.connection_survives() => {
                let (client, _) = line.client(router, &self.settings).await?;
                let again = read::actual(&client, desired, &mut line.passwords).await;
                line.learn(again.as_ref().err());
                again
            }
            other => other,
        }
    }

    /// [`AccessControl::apply`] on many routers, at most `at_once` at the same time, outcomes in the same order. A dead
    /// or slow router holds nobody else up.
    pub async fn apply_many(
        self: &Arc<Self>,
        work: Vec<(RouterEndpoint, Vec<AccessTarget>)>,
        at_once: usize,
    ) -> Vec<Result<Vec<ApplyOutcome>, PortError>> {
        let places = Arc::new(tokio::sync::Semaphore::new(at_once.max(1)));
        let tasks: Vec<_> = work
            .into_iter()
            .map(|(router, targets)| {
                let (access, places) = (self.clone(), places.clone());
                tokio::spawn(async move {
                    let _place = places.acquire_owned().await;
                    access.apply(&router, &targets).await
                })
            })
            .collect();
        let mut outcomes = Vec::with_capacity(tasks.len());
        for task in tasks {
            outcomes.push(task.await.unwrap_or_else(|error| Err(PortError::Unknown { reason: error.to_string() })));
        }
        outcomes
    }
}

#[async_trait]
impl AccessControl for MikrotikAccess {
    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let desired = Desired::of(targets, &self.settings);
        let mut line = self.fleet.turn(router).await;
        for last in [false, true] {
            let (client, fresh) =
                line.client(router, &self.settings).await.map_err(|error| port_error(&error, false))?;
            let mut passwords = line.passwords;
            let mut turn = Turn::new(&client, &self.settings, &desired, &mut passwords);
            let outcome = turn.run().await;
            let wrote = turn.wrote;
            line.passwords = passwords;
            line.learn(outcome.as_ref().err());
            match outcome {
                // A kept connection was dead without having noticed; nothing was written on it.
                Err(error) if !last && !fresh && !wrote && !error.connection_survives() => {}
                other => return other.map_err(|error| port_error(&error, wrote)),
            }
        }
        Err(PortError::NotSent { reason: "no connection".to_owned() })
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let desired = Desired::of(targets, &self.settings);
        let mut line = self.fleet.turn(router).await;
        let actual = self.read(&mut line, router, &desired).await.map_err(|error| port_error(&error, false))?;
        let mut secrets: HashMap<&[u8], Vec<&PppSecret>> = HashMap::new();
        for secret in &actual.secrets {
            secrets.entry(secret.name.as_slice()).or_default().push(secret);
        }
        let online: std::collections::HashSet<_> =
            actual.sessions.iter().map(|session| session.name.as_slice()).collect();
        let seen = desired.accounts.iter().map(|account| {
            let found = secrets.get(account.name.as_bytes()).map(Vec::as_slice).unwrap_or_default();
            let (access, answer) = self.judge(account, found, online.contains(account.name.as_bytes()));
            ObservedAccess { access, revision: 0, at: now, answer }
        });
        Ok(seen.collect())
    }
}

impl MikrotikAccess {
    /// What an account allows now. A session that runs under old terms allows neither the old nor the new for sure.
    fn judge(&self, account: &DesiredAccount, found: &[&PppSecret], online: bool) -> (Option<Access>, String) {
        let [secret] = found else {
            return match (found.len(), account.access) {
                (0, Access::Closed) => (Some(Access::Closed), "no account".to_owned()),
                (0, _) => (None, "no account".to_owned()),
                (count, _) => (None, format!("{count} accounts of that name")),
            };
        };
        let profile = CodePage::default().decode(&secret.profile);
        let running = if online { "online" } else { "offline" };
        match Mark::split(&secret.comment).0 {
            None => return (None, format!("not ours, profile {profile}")),
            Some(mark) if mark.owner != account.owner => return (None, "of another subscription".to_owned()),
            Some(mark) if mark.kick && online => {
                return (None, format!("profile {profile}, the session still has its old terms"));
            }
            Some(_) => {}
        }
        match secret.disabled {
            true if online => (None, "disabled, the session still runs".to_owned()),
            true => (Some(Access::Closed), "account disabled".to_owned()),
            false if secret.profile == self.settings.isolation_profile.as_bytes() => match &secret.remote_address {
                Some(_) => (None, format!("profile {profile}, but a fixed address")),
                None => (Some(Access::Isolated), format!("profile {profile}, {running}")),
            },
            false if secret.profile == account.group.as_bytes() => {
                (Some(Access::Open), format!("profile {profile}, {running}"))
            }
            false => (None, format!("profile {profile}, {running}")),
        }
    }
}

/// What an error promises to the engine. After a write nothing is "not sent" any more.
fn port_error(error: &Error, wrote: bool) -> PortError {
    let reason = error.to_string();
    match error {
        Error::Login(_) | Error::NotSent { stage: Stage::Command | Stage::Tls, .. } => {
            PortError::Refused { code: error.code(), reason }
        }
        Error::Refused { .. } if !error.retryable() => PortError::Refused { code: error.code(), reason },
        _ if wrote => PortError::Unknown { reason },
        Error::NotSent { .. } | Error::Answer { .. } => PortError::NotSent { reason },
        _ => PortError::Unknown { reason },
    }
}
