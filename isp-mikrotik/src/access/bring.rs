//! Bringing one router to its desired state, all services together.

use isp_core::isolation::{Access, AccessTarget};
use isp_core::place::RouterEndpoint;
use isp_core::ports::{ApplyOutcome, PortError};

use super::adapter::MikrotikAccess;
use super::apply::{Look, SoFar, Turn, in_order};
use super::breaker::{Breaker, Budget, Guarded};
use super::fleet::Line;
use super::lines::{LineLook, LineTurn};
use crate::error::{Cause, Error, Stage};
use crate::reconcile::line::DesiredLines;
use crate::reconcile::{Desired, Service};

impl MikrotikAccess {
    /// Reads for every service, judges all plans together, and carries out these same plans.
    pub(super) async fn bring(
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
            let mut former = Desired::former(targets, concerned, &self.settings);
            for (part, _) in former.iter_mut().filter(|(part, _)| part.service == Service::Ppp) {
                part.radius = match line.radius {
                    Some(radius) => radius,
                    None => self.uses_radius(&mut line, router).await?,
                };
            }
            parts.extend(former);
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
        self.prepare_pool(&mut line, router, &looks).await;
        let mut wrote = false;
        let mut placed = Vec::with_capacity(targets.len());
        if let (Some((desired, places)), Some(look)) = (&fixed, fixed_look) {
            let connected = line.client(router, &self.settings).await;
            let (client, _) = connected.map_err(|error| error.for_port(wrote))?;
            let mut turn = LineTurn::new(&client, desired);
            let outcomes = turn.run(look, &mut budget).await;
            wrote |= turn.wrote;
            line.learn(outcomes.as_ref().err());
            let outcomes = outcomes.map_err(|error| error.for_port(wrote))?;
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
    pub(super) async fn carry_out(
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
            let (client, _) = connected.map_err(|error| error.for_port(*wrote))?;
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
                return Err(error.for_port(*wrote));
            }
            let actual = self.read(line, router, desired).await.map_err(|error| error.for_port(*wrote))?;
            look = Look::new(desired, actual);
            let before = std::mem::replace(&mut left, look.left());
            tracing::info!(router = router.host, left, "the connection broke, going on");
            if left >= before {
                return Err(error.for_port(*wrote));
            }
        }
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
