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
use super::read::PasswordsOf;
use super::{kick, read, survey};
use crate::client::Client;
use crate::error::{Error, RefusalKind};
use crate::menu::ItemId;
use crate::menu::queue::{self, SessionQueue};
use crate::reconcile::line::{ActualLines, DesiredLines};
use crate::reconcile::{Actual, ByName, Desired, Drift, Plan, Service, plan, plan_by};

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
        wanted.iter_mut().for_each(|(desired, _)| desired.complete = true);
        let Whole { read, radius, stale } = self.read_all(line, router, &wanted).await?;
        line.radius = Some(radius);
        line.stale = stale;
        let mut parts = Vec::with_capacity(wanted.len());
        for ((mut desired, places), (actual, mut plan)) in wanted.into_iter().zip(read) {
            if desired.service == Service::Ppp && !line.stale.is_empty() {
                desired.stale.clone_from(&line.stale);
                plan = self::plan(&desired, &actual);
            }
            parts.push(survey::Part { desired, places, actual, plan });
        }
        Ok((parts, radius))
    }

    /// All tables at once: the router works on one while another is read. Over a new connection if the kept one turns out to
    /// be dead.
    async fn read_all(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        wanted: &[(Desired, Vec<usize>)],
    ) -> Result<Whole, PortError> {
        loop {
            let (client, fresh) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
            let whole = whole(&client, wanted, &mut line.passwords).await;
            line.learn(whole.as_ref().err());
            match whole {
                Err(error) if !fresh && !error.connection_survives() => {}
                other => return other.map_err(|error| error.for_port(false)),
            }
        }
    }

    /// Whether a RADIUS server is asked, too; remembered with the connection.
    pub(super) async fn uses_radius(&self, line: &mut Line, router: &RouterEndpoint) -> Result<bool, PortError> {
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        let radius = read::uses_radius(&client).await;
        if let Err(error) = &radius {
            line.learn(Some(error));
        }
        line.radius = radius.as_ref().ok().copied();
        radius.map_err(|error| error.for_port(false))
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

/// Everything of a router, part by part as wanted, each compared with what is wanted.
struct Whole {
    read: Vec<(Actual, Plan)>,
    /// Whether a RADIUS server is asked, too.
    radius: bool,
    /// The sessions that run under older terms.
    stale: HashSet<ItemId>,
}

/// What has come is compared while the router still works on the queues of its sessions.
async fn whole(client: &Client, wanted: &[(Desired, Vec<usize>)], passwords: &mut PasswordsOf) -> Result<Whole, Error> {
    let parts = async {
        let (mut read, mut running) = (Vec::with_capacity(wanted.len()), Vec::new());
        for (desired, places) in wanted {
            let actual = match read::actual(client, desired, passwords.service(desired.service)).await {
                // A router without the hotspot package has no such menu.
                Err(error) if error.refusal() == Some(RefusalKind::NoSuchCommand) && places.is_empty() => {
                    Actual::default()
                }
                other => other?,
            };
            let by_name = ByName::of(&actual);
            if desired.service == Service::Ppp {
                running = kick::running(desired, &actual, &by_name);
            }
            let plan = plan_by(desired, &actual, &by_name);
            read.push((actual, plan));
        }
        Ok::<_, Error>((read, running))
    };
    let (parts, radius, queues) = tokio::join!(parts, read::uses_radius(client), read::session_queues(client));
    let ((read, running), radius) = (parts?, radius?);
    // What a RADIUS server gives is no profile's.
    let stale = match queues? {
        Some(queues) if !radius => stale_again(client, &running, kick::stale(&running, &queues)).await?,
        _ => HashSet::new(),
    };
    Ok(Whole { read, radius, stale })
}

/// Of these sessions, which seemed to run under older terms, those that still do at a second look, for which the queues are
/// counted. A box that left between the sessions and the queues has none, and a table that came short lacks some.
async fn stale_again(
    client: &Client,
    running: &[kick::Running<'_>],
    seemed: HashSet<ItemId>,
) -> Result<HashSet<ItemId>, Error> {
    if seemed.is_empty() {
        return Ok(seemed);
    }
    let doubtful = running.iter().filter(|running| seemed.contains(&running.session));
    let names: Vec<&str> = doubtful.map(|running| running.user).collect();
    let queues = read::table(client, &queue::count_dynamic(), queue::print_dynamic, SessionQueue::from_row).await?;
    let online = read::sessions(client, Service::Ppp, &names).await?;
    let mut stale = kick::stale(running, &queues);
    let online: HashSet<ItemId> = online.into_iter().map(|session| session.id).collect();
    stale.retain(|id| seemed.contains(id) && online.contains(id));
    Ok(stale)
}
