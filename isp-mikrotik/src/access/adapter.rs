//! The port.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::isolation::AccessTarget;
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::survey::{RouterFinding, Survey};
use isp_core::place::{Machine, RouterEndpoint};
use isp_core::ports::{AccessControl, ApplyOutcome, Capabilities, Online, PortError};

use super::apply::{Look, in_order};
use super::breaker::{Breaker, Guarded, Passed};
use super::check::{self, RouterCheck};
use super::fleet::Fleet;
use super::import::{FoundAccount, found, found_hotspot};
use super::settings::Settings;
use super::{found_lines, judge, lines, read, survey, who};
use crate::error::{Error, RefusalKind};
use crate::reconcile::line::DesiredLines;
use crate::reconcile::{ByName, Desired, Plan, Service};
use crate::text::CodePage;

/// Keeps the accounts of many routers; see [`crate::access`]. It may be shared and called at once: each router has
/// its own connection and serves one call at a time, and a dead router holds nobody else up.
#[derive(Debug, Default)]
pub struct MikrotikAccess {
    pub(super) settings: Settings,
    pub(super) fleet: Fleet,
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
            let (whole, ()) = self.read_whole(&mut line, router, targets, |_, _| ()).await?;
            let looks = whole.parts.into_iter().map(|(wanted, (actual, plan))| (wanted, Look { plan, actual }));
            let (parts, looks): (Vec<_>, Vec<_>) = looks.unzip();
            let mut plan = in_order(&parts, &looks);
            plan.drift.extend(whole.radius.then(survey::radius_drift));
            plan.drift.extend(whole.ipv6.then(lines::ipv6_drift));
            if let Some((mut desired, _)) = DesiredLines::of(targets, &self.settings) {
                desired.complete = true;
                plan.add_lines(self.look_at_lines(&mut line, router, &desired).await?);
            }
            plan.add_redirect(self.plan_redirect(&mut line, router).await);
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

    /// Every PPP account of the router, ours or not; nothing is changed.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn read_accounts(&self, router: &RouterEndpoint, page: CodePage) -> Result<Vec<FoundAccount>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        let actual = read::everything(&client, Service::Ppp, line.passwords.service(Service::Ppp)).await;
        line.learn(actual.as_ref().err());
        Ok(found(&actual.map_err(|error| error.for_port(false))?, page))
    }

    /// Every hotspot user that people made, ours or not; none on a router without a hotspot. Nothing is changed.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn read_hotspot_users(
        &self,
        router: &RouterEndpoint,
        page: CodePage,
    ) -> Result<Vec<FoundAccount>, PortError> {
        let mut line = self.fleet.turn(router).await;
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        let actual = read::everything(&client, Service::Hotspot, line.passwords.service(Service::Hotspot)).await;
        line.learn(actual.as_ref().err());
        match actual {
            Ok(actual) => Ok(found_hotspot(&actual, page)),
            // A router without the hotspot package has no such menu.
            Err(error) if error.refusal() == Some(RefusalKind::NoSuchCommand) => Ok(Vec::new()),
            Err(error) => Err(error.for_port(false)),
        }
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
        let actual = self.read_lines(&mut line, router, &desired).await.map_err(|error| error.for_port(false))?;
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

    /// Who answers at this address, without changing anything. Another machine behind a later connection of this adapter is
    /// not taken for it.
    ///
    /// # Errors
    /// What the router or the connection to it said.
    pub async fn who(&self, router: &RouterEndpoint) -> Result<Machine, Error> {
        let mut line = self.fleet.turn(router).await;
        line.machine = None;
        loop {
            let (client, fresh) = line.client(router, &self.settings).await?;
            let answered = who::ask(&client).await;
            line.learn(answered.as_ref().err());
            match answered {
                Err(error) if fresh || error.connection_survives() => return Err(error),
                // The kept connection was dead; asking twice does no harm.
                Err(_) => {}
                Ok(machine) => {
                    line.machine = Some(machine.clone());
                    return Ok(machine);
                }
            }
        }
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

    async fn machine(&self, router: &RouterEndpoint) -> Result<Option<Machine>, PortError> {
        self.who(router).await.map(Some).map_err(|error| error.for_port(false))
    }

    /// Brings the way of isolated lines to the page for paying to what the settings want.
    async fn tend(&self, router: &RouterEndpoint) -> Vec<RouterFinding> {
        let Some(report) = self.keep_redirect(router).await else { return Vec::new() };
        report.mended().chain(report.findings.iter().cloned()).map(|drift| survey::finding(&drift)).collect()
    }

    async fn online(&self, router: &RouterEndpoint) -> Result<Option<Vec<Online>>, PortError> {
        self.who_is_online(router).await.map(Some)
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
            let actual = self.read_lines(&mut line, router, &desired).await.map_err(|error| error.for_port(false))?;
            placed.extend(places.into_iter().zip(lines::observed(&desired, &actual)));
        }
        for (desired, places) in Desired::of(targets, &self.settings) {
            let actual = self.read(&mut line, router, &desired).await.map_err(|error| error.for_port(false))?;
            let seen = judge::all(&desired, &actual, &ByName::of(&desired, &actual), &self.settings);
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
        let make = |parts: &[survey::Part<'_>], radius| survey::survey(parts, targets, radius, &self.settings);
        let (whole, (mut survey, elsewhere)) = self.read_whole(&mut line, router, targets, make).await?;
        line.two_services |= elsewhere;
        survey.findings.extend(whole.ipv6.then(|| survey::finding(&lines::ipv6_drift())));
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
