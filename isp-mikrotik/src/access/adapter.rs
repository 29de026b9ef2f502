//! The port.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::isolation::AccessTarget;
use isp_core::isolation::access::ObservedAccess;
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, ApplyOutcome, PortError};

use super::apply::{Ended, Turn};
use super::check::{self, RouterCheck};
use super::fleet::{Fleet, Line};
use super::import::{FoundAccount, found};
use super::settings::Settings;
use super::{judge, read};
use crate::error::{Error, Stage};
use crate::reconcile::{Actual, Desired, Plan, Service, plan};
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
        self.plan_of(router, targets, false).await
    }

    /// Like [`plan`](Self::plan), for all accounts that the router should have: what carries our mark beside them is
    /// told as drift.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn plan_whole(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Plan, PortError> {
        self.plan_of(router, targets, true).await
    }

    async fn plan_of(&self, router: &RouterEndpoint, targets: &[AccessTarget], whole: bool) -> Result<Plan, PortError> {
        let mut line = self.fleet.turn(router).await;
        let mut whole_plan = Plan::default();
        let mut placed = Vec::new();
        for (mut desired, places) in Desired::of(targets, &self.settings) {
            desired.complete = whole;
            let actual = self.read(&mut line, router, &desired).await.map_err(|error| port_error(&error, false))?;
            let part = plan(&desired, &actual);
            whole_plan.groups.extend(part.groups);
            whole_plan.drift.extend(part.drift);
            placed.extend(places.into_iter().zip(part.accounts));
        }
        placed.sort_by_key(|(place, _)| *place);
        whole_plan.accounts = placed.into_iter().map(|(_, step)| step).collect();
        Ok(whole_plan)
    }

    /// [`AccessControl::apply`], unless it would isolate more than `limit` lines at once (rule I6): then nothing is
    /// written, and the plan comes back for a person to approve. The plan that is judged is the one that is carried
    /// out.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn apply_within(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        limit: usize,
    ) -> Result<Guarded, PortError> {
        let parts = Desired::of(targets, &self.settings);
        if let [(desired, _)] = parts.as_slice() {
            let mut line = self.fleet.turn(router).await;
            return match self.run(&mut line, router, desired, Some(limit), &mut false).await? {
                Ended::Applied(outcomes) => Ok(Guarded::Applied(outcomes)),
                Ended::Held(plan) => Ok(Guarded::Held(plan)),
            };
        }
        // Two services on one router: their lines count together.
        let plan = self.plan(router, targets).await?;
        if plan.is_over(limit) {
            return Ok(Guarded::Held(plan));
        }
        self.apply(router, targets).await.map(Guarded::Applied)
    }

    /// Every account of the router, ours or not; nothing is changed.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn read_accounts(&self, router: &RouterEndpoint, page: CodePage) -> Result<Vec<FoundAccount>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| port_error(&error, false))?;
        let actual = read::everything(&client, line.passwords.service(Service::Ppp)).await;
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
        let actual = read::actual(&client, desired, line.passwords.service(desired.service)).await;
        line.learn(actual.as_ref().err());
        match actual {
            Err(error) if !fresh && !error.connection_survives() => {
                let (client, _) = line.client(router, &self.settings).await?;
                let again = read::actual(&client, desired, line.passwords.service(desired.service)).await;
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
        let mut line = self.fleet.turn(router).await;
        let mut placed = Vec::with_capacity(targets.len());
        let mut wrote = false;
        for (desired, places) in Desired::of(targets, &self.settings) {
            match self.run(&mut line, router, &desired, None, &mut wrote).await? {
                Ended::Applied(outcomes) => placed.extend(places.into_iter().zip(outcomes)),
                Ended::Held(_) => return Err(PortError::NotSent { reason: "held without a limit".to_owned() }),
            }
        }
        placed.sort_by_key(|(place, _)| *place);
        Ok(placed.into_iter().map(|(_, outcome)| outcome).collect())
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let mut placed = Vec::with_capacity(targets.len());
        for (desired, places) in Desired::of(targets, &self.settings) {
            let actual = self.read(&mut line, router, &desired).await.map_err(|error| port_error(&error, false))?;
            let seen = judge::all(&desired, &actual, &self.settings);
            placed.extend(places.into_iter().zip(seen));
        }
        placed.sort_by_key(|(place, _)| *place);
        let observed = |(access, answer)| ObservedAccess { access, revision: 0, at: now, answer };
        Ok(placed.into_iter().map(|(_, seen)| observed(seen)).collect())
    }
}

impl MikrotikAccess {
    /// One turn for the accounts of one service. `wrote` tells what an error means: after a write nothing is "not
    /// sent" any more.
    async fn run(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        desired: &Desired,
        limit: Option<usize>,
        wrote: &mut bool,
    ) -> Result<Ended, PortError> {
        for last in [false, true] {
            let connected = line.client(router, &self.settings).await;
            let (client, fresh) = connected.map_err(|error| port_error(&error, *wrote))?;
            let Line { passwords, pace, .. } = line;
            let mut turn = Turn::new(&client, &self.settings, desired, pace, passwords.service(desired.service));
            let outcome = turn.run(limit).await;
            *wrote |= turn.wrote;
            line.learn(outcome.as_ref().err());
            match outcome {
                // A kept connection was dead without having noticed; nothing was written on it.
                Err(error) if !last && !fresh && !*wrote && !error.connection_survives() => {}
                other => return other.map_err(|error| port_error(&error, *wrote)),
            }
        }
        Err(PortError::NotSent { reason: "no connection".to_owned() })
    }
}

/// What [`MikrotikAccess::apply_within`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guarded {
    /// Carried out: one outcome for each target, in order.
    Applied(Vec<ApplyOutcome>),
    /// Not carried out: this would have isolated too many lines at once.
    Held(Plan),
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
