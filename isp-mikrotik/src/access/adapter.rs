//! The port.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::survey::Survey;
use isp_core::isolation::{Access, AccessTarget};
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, ApplyOutcome, Capabilities, PortError};

use super::apply::{Look, SoFar, Turn};
use super::breaker::{Breaker, Budget, Guarded, Passed};
use super::check::{self, RouterCheck};
use super::fleet::{Fleet, Line};
use super::found_lines;
use super::import::{FoundAccount, found};
use super::lines::{self, LineLook, LineTurn};
use super::settings::Settings;
use super::{judge, kick, read, survey};
use crate::error::{Cause, Error, RefusalKind, Stage};
use crate::menu::ppp::aaa;
use crate::reconcile::line::{ActualLines, DesiredLines};
use crate::reconcile::{Actual, Desired, Drift, Plan, Service, plan};
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
        if whole {
            let (parts, radius) = self.read_whole(&mut line, router, targets).await?;
            let split =
                |part: survey::Part| ((part.desired, part.places), Look { plan: part.plan, actual: part.actual });
            let (parts, looks): (Vec<_>, Vec<_>) = parts.into_iter().map(split).unzip();
            let mut plan = in_order(&parts, &looks);
            plan.drift.extend(radius.then(survey::radius_drift));
            plan.drift.extend(self.ipv6_drift(&mut line, router).await?);
            if let Some((mut desired, _)) = DesiredLines::of(targets, &self.settings) {
                desired.complete = true;
                plan.add_lines(self.look_at_lines(&mut line, router, &desired).await?);
            }
            return Ok(plan);
        }
        let parts = Desired::of(targets, &self.settings);
        let looks = self.look(&mut line, router, &parts).await?;
        let mut plan = in_order(&parts, &looks);
        if let Some((desired, _)) = DesiredLines::of(targets, &self.settings) {
            plan.add_lines(self.look_at_lines(&mut line, router, &desired).await?);
        }
        Ok(plan)
    }

    /// Everything of both services, each compared with what is wanted, and whether a RADIUS server is asked, too.
    async fn read_whole(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
    ) -> Result<(Vec<survey::Part>, bool), PortError> {
        let mut wanted = Desired::of(targets, &self.settings);
        for service in [Service::Ppp, Service::Hotspot] {
            if wanted.iter().all(|(part, _)| part.service != service) {
                wanted.push((Desired::empty(service, &self.settings), Vec::new()));
            }
        }
        let mut parts = Vec::with_capacity(wanted.len());
        for (mut desired, places) in wanted {
            desired.complete = true;
            let actual = match self.read(line, router, &desired).await {
                // A router without the hotspot package has no such menu.
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchCommand) && places.is_empty() => {
                    Actual::default()
                }
                other => other.map_err(|error| port_error(&error, false))?,
            };
            parts.push(survey::Part { desired, places, actual, plan: Plan::default() });
        }
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| port_error(&error, false))?;
        let radius = match client.call(&aaa::print()).await {
            Ok(reply) => aaa::uses_radius(&reply),
            Err(Error::Refused { .. }) => false,
            Err(error) => {
                line.learn(Some(&error));
                return Err(port_error(&error, false));
            }
        };
        line.stale.clear();
        // What a RADIUS server gives is no profile's.
        if !radius {
            let queues = read::session_queues(&client).await;
            line.learn(queues.as_ref().err());
            let queues = queues.map_err(|error| port_error(&error, false))?;
            let ppp = parts.iter_mut().find(|part| part.desired.service == Service::Ppp);
            if let (Some(queues), Some(part)) = (queues, ppp) {
                line.stale = kick::stale(&part.desired, &part.actual, &queues);
                part.desired.stale.clone_from(&line.stale);
            }
        }
        parts.iter_mut().for_each(|part| part.plan = plan(&part.desired, &part.actual));
        Ok((parts, radius))
    }

    /// [`AccessControl::apply`], unless it would isolate more than `limit` lines at once (rule I6): then nothing is
    /// written, and the plan comes back for a person to approve. The plan that is judged, for all services of the
    /// router together, is the one that is carried out. Should somebody change the router meanwhile, so that more
    /// lines would have to be isolated, those over the limit are refused as `isolation.breaker`.
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
        self.bring(router, targets, Breaker::HoldsAll(limit)).await
    }

    /// [`apply_within`](Self::apply_within), but where the limit is passed only the isolations are held, and
    /// everything else is done.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn apply_passing(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        limit: usize,
    ) -> Result<Passed, PortError> {
        match self.bring(router, targets, Breaker::HoldsIsolations(limit)).await? {
            Guarded::Applied(outcomes) => Ok(Passed::new(outcomes)),
            Guarded::Held(_) => Err(PortError::NotSent { reason: "held as a whole".to_owned() }),
        }
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

    /// Every line of the router that nobody logs in for, ours or not: queues that people made for one address, and leases
    /// that they keep. Nothing is changed.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn read_lines_found(&self, router: &RouterEndpoint) -> Result<Vec<FoundAccount>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let desired = DesiredLines { isolation_list: self.settings.isolation_list.clone(), ..DesiredLines::default() };
        let actual = self.read_lines(&mut line, router, &desired).await.map_err(|error| port_error(&error, false))?;
        Ok(found_lines::found(&actual, &self.settings))
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

    /// [`apply_within`](Self::apply_within) on many routers, at most `at_once` at the same time, outcomes in the same
    /// order. Each has its own limit; `None`: a person approved what it isolates. A dead or slow router holds nobody
    /// else up.
    pub async fn apply_many(
        self: &Arc<Self>,
        work: Vec<(RouterEndpoint, Vec<AccessTarget>, Option<usize>)>,
        at_once: usize,
    ) -> Vec<Result<Guarded, PortError>> {
        let places = Arc::new(tokio::sync::Semaphore::new(at_once.max(1)));
        let tasks: Vec<_> = work
            .into_iter()
            .map(|(router, targets, limit)| {
                let (access, places) = (self.clone(), places.clone());
                let breaker = limit.map_or(Breaker::Off, Breaker::HoldsAll);
                tokio::spawn(async move {
                    let _place = places.acquire_owned().await;
                    access.bring(&router, &targets, breaker).await
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
    /// The isolation list holds IPv4 addresses only.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            kick: true,
            rate: true,
            page: true,
            online: true,
            fixed: true,
            dhcp: true,
            ..Capabilities::default()
        }
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        match self.bring(router, targets, Breaker::Off).await? {
            Guarded::Applied(outcomes) => Ok(outcomes),
            Guarded::Held(_) => Err(PortError::NotSent { reason: "held without a limit".to_owned() }),
        }
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let mut placed = Vec::with_capacity(targets.len());
        if let Some((desired, places)) = DesiredLines::of(targets, &self.settings) {
            let actual =
                self.read_lines(&mut line, router, &desired).await.map_err(|error| port_error(&error, false))?;
            placed.extend(places.into_iter().zip(lines::observed(&desired, &actual)));
        }
        for (desired, places) in Desired::of(targets, &self.settings) {
            let actual = self.read(&mut line, router, &desired).await.map_err(|error| port_error(&error, false))?;
            let seen = judge::all(&desired, &actual, &self.settings);
            placed.extend(places.into_iter().zip(seen));
        }
        placed.sort_by_key(|(place, _)| *place);
        let observed = |(access, answer)| ObservedAccess { access, revision: 0, at: now, answer };
        Ok(placed.into_iter().map(|(_, seen)| observed(seen)).collect())
    }

    async fn survey(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        _: DateTime<Utc>,
    ) -> Result<Survey, PortError> {
        let mut line = self.fleet.turn(router).await;
        let (parts, radius) = self.read_whole(&mut line, router, targets).await?;
        let (mut survey, elsewhere) = survey::survey(&parts, targets, radius, &self.settings);
        line.two_services |= elsewhere;
        survey.findings.extend(self.ipv6_drift(&mut line, router).await?.iter().map(survey::finding));
        if let Some((mut desired, places)) = DesiredLines::of(targets, &self.settings) {
            desired.complete = true;
            let look = self.look_at_lines(&mut line, router, &desired).await?;
            survey.findings.extend(look.drift.iter().map(survey::finding));
            let others = (0..targets.len()).filter(|place| !places.contains(place));
            let mut placed: Vec<_> = others.zip(std::mem::take(&mut survey.lines)).collect();
            placed.extend(places.iter().copied().zip(look.sightings(&desired)));
            placed.sort_by_key(|(place, _)| *place);
            survey.lines = placed.into_iter().map(|(_, sighting)| sighting).collect();
        }
        Ok(survey)
    }
}

impl MikrotikAccess {
    /// Reads for every service, judges all plans together, and carries out these same plans.
    async fn bring(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        breaker: Breaker,
    ) -> Result<Guarded, PortError> {
        let mut line = self.fleet.turn(router).await;
        let mut parts = Desired::of(targets, &self.settings);
        let ppp = |(part, _): &&mut (Desired, Vec<usize>)| part.service == Service::Ppp;
        parts.iter_mut().filter(ppp).for_each(|(part, _)| part.stale.clone_from(&line.stale));
        let two_services = line.two_services || self.settings.two_services();
        let closes = targets.iter().any(|target| target.desired == Access::Closed);
        if two_services || closes {
            let concerned = |target: &AccessTarget| two_services || target.desired == Access::Closed;
            parts.extend(Desired::former(targets, concerned, &self.settings));
        }
        let looks = self.look(&mut line, router, &parts).await?;
        let fixed = DesiredLines::of(targets, &self.settings);
        let fixed_look = match &fixed {
            Some((desired, _)) => Some(self.look_at_lines(&mut line, router, desired).await?),
            None => None,
        };
        let isolated: usize = looks.iter().map(|look| look.plan.summary().isolated).sum();
        let isolated = isolated + fixed_look.as_ref().map_or(0, LineLook::isolated);
        let Some(mut budget) = breaker.budget(isolated) else {
            let mut plan = in_order(&parts, &looks);
            fixed_look.into_iter().for_each(|look| plan.add_lines(look));
            return Ok(Guarded::Held(plan));
        };
        let mut wrote = false;
        let mut placed = Vec::with_capacity(targets.len());
        if let (Some((desired, places)), Some(look)) = (&fixed, fixed_look) {
            let connected = line.client(router, &self.settings).await;
            let (client, _) = connected.map_err(|error| port_error(&error, wrote))?;
            let mut turn = LineTurn::new(&client, desired);
            let outcomes = turn.run(look, &mut budget).await;
            wrote |= turn.wrote;
            line.learn(outcomes.as_ref().err());
            let outcomes = outcomes.map_err(|error| port_error(&error, wrote))?;
            placed.extend(places.iter().copied().zip(outcomes));
        }
        for ((desired, places), look) in parts.iter().zip(looks) {
            let outcomes = self.carry_out(&mut line, router, desired, look, &mut budget, &mut wrote).await?;
            placed.extend(places.iter().copied().zip(outcomes));
        }
        // What a line left in another service comes after its account, and counts where it could not be closed.
        placed.sort_by_key(|(place, _)| *place);
        let mut outcomes: Vec<ApplyOutcome> = Vec::with_capacity(targets.len());
        let mut last = None;
        for (place, outcome) in placed {
            match (last == Some(place), outcomes.last_mut()) {
                (true, Some(kept)) => *kept = together(kept, outcome),
                _ => outcomes.push(outcome),
            }
            last = Some(place);
        }
        Ok(Guarded::Applied(outcomes))
    }

    /// Carries one plan out. When the connection breaks in between, what was done is kept: the router is read again over a
    /// new one, and the rest is done, as long as each connection brings the work forward.
    async fn carry_out(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        desired: &Desired,
        mut look: Look,
        budget: &mut Budget,
        wrote: &mut bool,
    ) -> Result<Vec<ApplyOutcome>, PortError> {
        let mut left = look.left();
        let mut so_far = SoFar::default();
        loop {
            let connected = line.client(router, &self.settings).await;
            let (client, _) = connected.map_err(|error| port_error(&error, *wrote))?;
            let Line { passwords, pace, .. } = &mut *line;
            let passwords = passwords.service(desired.service);
            let mut turn = Turn::new(&client, &self.settings, desired, pace, passwords, so_far);
            let outcomes = turn.run(look, budget).await;
            *wrote |= turn.wrote;
            so_far = turn.so_far;
            line.learn(outcomes.as_ref().err());
            let error = match outcomes {
                Ok(outcomes) => return Ok(outcomes),
                Err(error) => error,
            };
            if !matches!(
                error,
                Error::Unknown { cause: Cause::Lost(_), .. } | Error::NotSent { stage: Stage::Closed, .. }
            ) {
                return Err(port_error(&error, *wrote));
            }
            let actual = self.read(line, router, desired).await.map_err(|error| port_error(&error, *wrote))?;
            look = Look::new(desired, actual);
            let before = std::mem::replace(&mut left, look.left());
            tracing::info!(router = router.host, left, "the connection broke, going on");
            if left >= before {
                return Err(port_error(&error, *wrote));
            }
        }
    }

    /// Like [`read`](Self::read), for lines that nobody logs in for.
    async fn read_lines(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        desired: &DesiredLines,
    ) -> Result<ActualLines, Error> {
        let (client, fresh) = line.client(router, &self.settings).await?;
        let actual = lines::read(&client, desired).await;
        line.learn(actual.as_ref().err());
        match actual {
            Err(error) if !fresh && !error.connection_survives() => {
                let (client, _) = line.client(router, &self.settings).await?;
                let again = lines::read(&client, desired).await;
                line.learn(again.as_ref().err());
                again
            }
            other => other,
        }
    }

    /// That isolated lines go on over IPv6, where the router gives it to customers.
    async fn ipv6_drift(&self, line: &mut Line, router: &RouterEndpoint) -> Result<Option<Drift>, PortError> {
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| port_error(&error, false))?;
        let given = lines::gives_ipv6(&client).await;
        line.learn(given.as_ref().err());
        Ok(given.map_err(|error| port_error(&error, false))?.then(lines::ipv6_drift))
    }

    async fn look_at_lines(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        desired: &DesiredLines,
    ) -> Result<LineLook, PortError> {
        let actual = self.read_lines(line, router, desired).await.map_err(|error| port_error(&error, false))?;
        Ok(LineLook::new(desired, actual))
    }

    /// One look for each service.
    async fn look(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        parts: &[(Desired, Vec<usize>)],
    ) -> Result<Vec<Look>, PortError> {
        let mut looks = Vec::with_capacity(parts.len());
        for (desired, _) in parts {
            let actual = match self.read(line, router, desired).await {
                // A router without the hotspot package has no such menu, and nothing is left in it.
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchCommand) && desired.former => {
                    Actual::default()
                }
                other => other.map_err(|error| port_error(&error, false))?,
            };
            looks.push(Look::new(desired, actual));
        }
        Ok(looks)
    }
}

/// What became of a line, from what became of its account and of what it left in another service.
fn together(account: &ApplyOutcome, left: ApplyOutcome) -> ApplyOutcome {
    match (account, left) {
        (ApplyOutcome::Done { access, changed, answer }, ApplyOutcome::Done { changed: also, .. }) => {
            ApplyOutcome::Done { access: *access, changed: *changed || also, answer: answer.clone() }
        }
        (ApplyOutcome::Done { .. }, refused @ ApplyOutcome::Refused { .. }) => refused,
        (refused @ ApplyOutcome::Refused { .. }, _) => refused.clone(),
    }
}

/// The plans of all services as one, its accounts in the order of the targets.
fn in_order(parts: &[(Desired, Vec<usize>)], looks: &[Look]) -> Plan {
    let mut whole = Plan::default();
    let mut placed = Vec::new();
    for ((desired, places), Look { plan, .. }) in parts.iter().zip(looks) {
        whole.groups.extend(plan.groups.iter().cloned());
        whole.drift.extend(plan.drift.iter().cloned());
        placed.extend(places.iter().zip(&plan.accounts).filter(|(_, step)| !desired.former || step.writes()));
    }
    placed.sort_by_key(|(place, _)| **place);
    whole.accounts = placed.into_iter().map(|(_, step)| step.clone()).collect();
    whole
}

impl Plan {
    fn add_lines(&mut self, look: LineLook) {
        self.lines.extend(look.steps);
        self.drift.extend(look.drift);
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
