//! Reading one router, over a new connection if the kept one turns out to be dead.

use std::collections::HashSet;

use isp_core::isolation::AccessTarget;
use isp_core::isolation::survey::RouterFinding;
use isp_core::place::RouterEndpoint;
use isp_core::ports::PortError;

use super::adapter::MikrotikAccess;
use super::apply::Look;
use super::fleet::Line;
use super::lines::{self, LineLook};
use super::{kick, read, survey};
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::menu::ItemId;
use crate::menu::ppp::aaa;
use crate::menu::queue::{self, SimpleQueue};
use crate::reconcile::line::{ActualLines, DesiredLines};
use crate::reconcile::{Actual, Desired, Drift, Plan, Service, plan};

impl MikrotikAccess {
    /// Everything of both services, each compared with what is wanted, and whether a RADIUS server is asked, too.
    pub(super) async fn read_whole(
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
                other => other.map_err(|error| error.for_port(false))?,
            };
            parts.push(survey::Part { desired, places, actual, plan: Plan::default() });
        }
        let radius = self.uses_radius(line, router).await?;
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        line.stale.clear();
        // What a RADIUS server gives is no profile's.
        if !radius {
            let queues = read::session_queues(&client).await;
            line.learn(queues.as_ref().err());
            let queues = queues.map_err(|error| error.for_port(false))?;
            let ppp = parts.iter_mut().find(|part| part.desired.service == Service::Ppp);
            if let (Some(queues), Some(part)) = (queues, ppp) {
                line.stale = kick::stale(&part.desired, &part.actual, &queues);
                let again = stale_again(&client, part, &line.stale).await;
                line.learn(again.as_ref().err());
                line.stale = again.map_err(|error| error.for_port(false))?;
                part.desired.stale.clone_from(&line.stale);
            }
        }
        parts.iter_mut().for_each(|part| part.plan = plan(&part.desired, &part.actual));
        Ok((parts, radius))
    }

    /// Whether a RADIUS server is asked, too; remembered with the connection.
    pub(super) async fn uses_radius(&self, line: &mut Line, router: &RouterEndpoint) -> Result<bool, PortError> {
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        let radius = match client.call(&aaa::print()).await {
            Ok(reply) => aaa::uses_radius(&reply),
            Err(error) if error.is_lack() => false,
            Err(error) => {
                line.learn(Some(&error));
                return Err(error.for_port(false));
            }
        };
        line.radius = Some(radius);
        Ok(radius)
    }

    /// Reads, over a new connection if the kept one turns out to be dead: reading twice does no harm.
    pub(super) async fn read(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        desired: &Desired,
    ) -> Result<Actual, Error> {
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

    /// Like [`read`](Self::read), for lines that nobody logs in for.
    pub(super) async fn read_lines(
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

    /// That isolated lines go on over IPv6 on a router that gives it to customers; nothing is changed. For lines that are kept
    /// elsewhere, such as in RADIUS: [`survey`](isp_core::ports::AccessControl::survey) tells it of its own.
    ///
    /// # Errors
    ///
    /// As for the port.
    pub async fn ipv6_open(&self, router: &RouterEndpoint) -> Result<Option<RouterFinding>, PortError> {
        let mut line = self.fleet.turn(router).await;
        Ok(self.ipv6_drift(&mut line, router, &[]).await?.as_ref().map(survey::finding))
    }

    /// That isolated lines go on over IPv6, where the router gives it to customers.
    pub(super) async fn ipv6_drift(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        parts: &[survey::Part],
    ) -> Result<Option<Drift>, PortError> {
        if parts.iter().flat_map(|part| &part.actual.accounts).any(|account| account.own_ipv6) {
            return Ok(Some(lines::ipv6_drift()));
        }
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        let given = lines::gives_ipv6(&client).await;
        line.learn(given.as_ref().err());
        Ok(given.map_err(|error| error.for_port(false))?.then(lines::ipv6_drift))
    }

    pub(super) async fn look_at_lines(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        desired: &DesiredLines,
    ) -> Result<LineLook, PortError> {
        let actual = self.read_lines(line, router, desired).await.map_err(|error| error.for_port(false))?;
        Ok(LineLook::new(desired, actual))
    }

    /// One look for each service.
    pub(super) async fn look(
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
                other => other.map_err(|error| error.for_port(false))?,
            };
            looks.push(Look::new(desired, actual));
        }
        Ok(looks)
    }
}

/// Of these sessions, which seemed to run under older terms, those that still do at a second look, for which the queues are
/// counted. A box that left between the sessions and the queues has none, and a table that came short lacks some.
async fn stale_again(client: &Client, part: &survey::Part, seemed: &HashSet<ItemId>) -> Result<HashSet<ItemId>, Error> {
    if seemed.is_empty() {
        return Ok(HashSet::new());
    }
    let doubtful = part.actual.sessions.iter().filter(|session| seemed.contains(&session.id));
    let names: Vec<&str> = doubtful.filter_map(|session| std::str::from_utf8(&session.name).ok()).collect();
    let queues = read::table(client, &queue::count_dynamic(), queue::print_dynamic, SimpleQueue::from_row).await?;
    let running = read::sessions(client, Service::Ppp, &names).await?;
    let mut stale = kick::stale(&part.desired, &part.actual, &queues);
    let running: HashSet<ItemId> = running.into_iter().map(|session| session.id).collect();
    stale.retain(|id| seemed.contains(id) && running.contains(id));
    Ok(stale)
}
