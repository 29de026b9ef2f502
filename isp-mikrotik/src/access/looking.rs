//! Reading one router, over a new connection if the kept one turns out to be dead.

use isp_core::isolation::AccessTarget;
use isp_core::isolation::survey::RouterFinding;
use isp_core::place::RouterEndpoint;
use isp_core::ports::PortError;

use super::adapter::MikrotikAccess;
use super::apply::Look;
use super::fleet::Line;
use super::lines::{self, LineLook};
use super::whole::{self, Wanted};
use super::{read, survey};
use crate::error::{Error, RefusalKind};
use crate::reconcile::line::{ActualLines, DesiredLines};
use crate::reconcile::{Actual, Desired, Plan, Service};

impl MikrotikAccess {
    /// Everything of both services, each compared with what is wanted, and what is made of it (`then`, told whether a RADIUS
    /// server is asked, too). Over a new connection if the kept one turns out to be dead.
    pub(super) async fn read_whole<T: Send>(
        &self,
        line: &mut Line,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        then: impl Fn(&[survey::Part<'_>], bool) -> T + Sync,
    ) -> Result<(Whole, T), PortError> {
        let mut wanted = Desired::of(targets, &self.settings);
        for service in [Service::Ppp, Service::Hotspot] {
            if wanted.iter().all(|(part, _)| part.service != service) {
                wanted.push((Desired::empty(service, &self.settings), Vec::new()));
            }
        }
        wanted.iter_mut().for_each(|(desired, _)| desired.complete = true);
        loop {
            let (client, fresh) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
            let read = whole::read(&client, &wanted, &mut line.passwords, &then).await;
            line.learn(read.as_ref().err());
            let read = match read {
                Err(error) if !fresh && !error.connection_survives() => continue,
                other => other.map_err(|error| error.for_port(false))?,
            };
            let whole::Read { actual, plans, radius, ipv6, stale, then } = read;
            line.radius = Some(radius);
            line.stale = stale;
            let parts = wanted.into_iter().zip(actual.into_iter().zip(plans)).collect();
            return Ok((Whole { parts, radius, ipv6 }, then));
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
        let (client, _) = line.client(router, &self.settings).await.map_err(|error| error.for_port(false))?;
        let given = lines::gives_ipv6(&client).await;
        line.learn(given.as_ref().err());
        let given = given.map_err(|error| error.for_port(false))?;
        Ok(given.then(|| survey::finding(&lines::ipv6_drift())))
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

/// Everything of a router.
pub(super) struct Whole {
    /// Part by part as wanted, each with what was read and what would be done.
    pub(super) parts: Vec<(Wanted, (Actual, Plan))>,
    /// Whether a RADIUS server is asked, too.
    pub(super) radius: bool,
    /// Whether isolated lines may go on over IPv6.
    pub(super) ipv6: bool,
}
