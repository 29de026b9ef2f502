//! Routers: one worker at a time writes to each, and what is wanted is read after its turn has come (rule I5).

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{Either, select};

use super::{DeliverReport, NOTE, RefusedAccount, RouterDown, claim, outcome};
use crate::engine::roll_call::{Answer, RollCall};
use crate::engine::{Engine, EngineError};
use crate::ids::{OutboxId, RouterId, SubscriptionId};
use crate::isolation::access::ObservedAccess;
use crate::isolation::{Access, AccessEvent, AccessEventKind, AccessTarget, Reason};
use crate::message::channel::backoff;
use crate::place::Router;
use crate::ports::{
    ApplyOutcome, Claim, Claimed, DamagedRow, Effect, Observed, OutboxRow, OutboxState, Outcome, PortError, RouterHold,
    RouterRest, StoreError, Topic, Worker,
};

/// Rows a claim for routers.
const ACCESS_BATCH: u32 = 500;
/// How often the other routers are looked at again while one takes long.
const LOOK: TimeDelta = TimeDelta::seconds(2);
/// How long a delivery takes new work while a router takes long: then it ends with what it has begun.
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// Leases that a worker waits for its turn at a router: a dead worker's has run out by then.
const TURN_LEASES: i32 = 2;

impl Engine<'_> {
    pub(in crate::engine) async fn access_loop(
        &self,
        roll: &RollCall<'_>,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        self.renewing(roll.worker, roll.along(self.visit_all(roll, now, report))).await
    }

    /// Visits routers at which something is due, until nothing is. While one of them takes long, the others are looked at again
    /// and again: what becomes due at them meanwhile does not wait for it.
    async fn visit_all(
        &self,
        roll: &RollCall<'_>,
        begins: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        let watch = roll.worker.watch;
        let begun = watch.now();
        let known: BTreeMap<RouterId, Router> =
            self.store.routers(self.tenant).await?.into_iter().map(|r| (r.id, r)).collect();
        let mut visits =
            roll.visits(|router, (rested, now), answer| self.deliver_router(roll, router, rested, answer, now));
        let (mut now, mut standing, mut failed) = (begins, Standing::default(), None);
        loop {
            if failed.is_none() {
                let looked = {
                    let mut look = pin!(self.due_routers(roll.worker, &known, now));
                    loop {
                        // Visits go on meanwhile: one that stands still keeps its connection to the database, and may keep the
                        // only one for which this look waits.
                        match select(pin!(visits.next()), look.as_mut()).await {
                            Either::Right((looked, _)) => break looked,
                            Either::Left((Some(visited), _)) => standing.visited(visited, report, &mut failed),
                            Either::Left((None, look)) => break look.await,
                        }
                    }
                };
                match looked {
                    Ok((due, lost)) => {
                        report.lost += lost;
                        for (router, rested) in due {
                            if standing.is_free(router.id) {
                                standing.busy.insert(router.id);
                                // Something is due at each of them: so each is waited for.
                                visits.add(router, (rested, now), false);
                            }
                        }
                    }
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            if standing.busy.is_empty() {
                return failed.map_or(Ok(()), Err);
            }
            let mut pause = watch.pause(LOOK);
            // Also after an error: what routers were told is recorded as far as it can be.
            while let Either::Left((visited, _)) = select(pin!(visits.next()), pause.as_mut()).await {
                match visited {
                    Some(visited) => standing.visited(visited, report, &mut failed),
                    None => {
                        standing.busy.clear();
                        break;
                    }
                }
            }
            let gone = watch.now() - begun;
            if !standing.busy.is_empty() && (TimeDelta::zero()..LONGEST).contains(&gone) {
                now = begins + gone;
                standing.idle.clear();
                visits.widen();
            }
        }
    }

    /// The routers at which something is due, each with whether it rests. What is due at one that is archived is dropped; how many
    /// of these claims were lost.
    async fn due_routers<'r>(
        &self,
        worker: &Worker<'_>,
        known: &'r BTreeMap<RouterId, Router>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<(&'r Router, bool)>, u64), EngineError> {
        let due = self.store.routers_due(self.tenant, now, worker.lease()).await?;
        // One that was made a moment ago is known to the next delivery.
        let due = due.iter().filter_map(|id| known.get(id));
        let (archived, due): (Vec<&Router>, Vec<&Router>) = due.partition(|router| router.archived);
        let mut lost = 0;
        for router in archived {
            lost += self.drop_wishes(worker, router, now).await?;
        }
        if due.is_empty() {
            return Ok((Vec::new(), lost));
        }
        let resting: BTreeSet<RouterId> =
            self.store.router_rests(self.tenant).await?.into_iter().map(|rest| rest.router).collect();
        Ok((due.into_iter().map(|router| (router, resting.contains(&router.id))).collect(), lost))
    }

    /// Takes some wishes to a router that are due.
    async fn wishes_of(
        &self,
        worker: &Worker<'_>,
        router: &Router,
        now: DateTime<Utc>,
    ) -> Result<Vec<OutboxRow>, EngineError> {
        let claim = Claim { router: Some(router.id), ..claim(worker, Topic::Access, now, ACCESS_BATCH) };
        Ok(self.store.claim(self.tenant, claim).await?)
    }

    /// The router is archived, and nobody calls it. Gives how many claims were lost.
    async fn drop_wishes(&self, worker: &Worker<'_>, router: &Router, now: DateTime<Utc>) -> Result<u64, EngineError> {
        let mut lost = 0;
        loop {
            let rows = self.wishes_of(worker, router, now).await?;
            if rows.is_empty() {
                return Ok(lost);
            }
            let why = "the router is archived";
            let outcomes = rows.iter().map(|row| outcome(row.claimed(), OutboxState::Dropped, now, why, now)).collect();
            let delivered = Delivered { outcomes, ..Delivered::new(router.id) };
            lost += self.recorded(worker, delivered, None).await?.lost;
        }
    }

    /// Nothing can be done at a router now: all that is due there waits, and none of its rows is touched.
    async fn rest(
        &self,
        worker: &Worker<'_>,
        mut delivered: Delivered,
        error: PortError,
        now: DateTime<Utc>,
    ) -> Result<Delivered, EngineError> {
        let reason = error.to_string().chars().take(NOTE).collect();
        let rest = RouterRest::new(delivered.router, now, now + backoff(0), reason);
        delivered.waiting += self.store.rest_router(self.tenant, &rest, worker.lease()).await?;
        (delivered.over, delivered.error) = (true, Some(error));
        Ok(delivered)
    }

    /// Does some of what is due at a router: first it has to answer, then its turn has to come, and only then are wishes claimed.
    async fn deliver_router(
        &self,
        roll: &RollCall<'_>,
        router: &Router,
        rested: bool,
        answer: Answer,
        now: DateTime<Utc>,
    ) -> Result<Delivered, EngineError> {
        let RollCall { worker, control, .. } = *roll;
        let mut delivered = Delivered::new(router.id);
        if let Err(error) = self.met(router, answer, now).await? {
            return self.rest(worker, delivered, error, now).await;
        }
        let Some(hold) = self.turn_at(worker, router.id).await? else {
            let error = PortError::NotSent { reason: "another worker is busy with it".into() };
            return self.rest(worker, delivered, error, now).await;
        };
        if rested {
            self.store.end_rest(self.tenant, router.id).await?;
        }
        let rows = self.wishes_of(worker, router, now).await?;
        // Another worker has taken what was due.
        delivered.over = rows.is_empty();
        let claims: Vec<Claimed> = rows.iter().map(OutboxRow::claimed).collect();
        let ours: BTreeSet<OutboxId> =
            self.store.attempting(self.tenant, worker.lease(), &claims).await?.into_iter().collect();
        let (rows, lost): (Vec<OutboxRow>, Vec<OutboxRow>) = rows.into_iter().partition(|row| ours.contains(&row.id));
        delivered.lost += lost.len() as u64;
        if rows.is_empty() {
            self.store.free_router(self.tenant, hold).await?;
            return Ok(delivered);
        }
        // Only now: whoever wrote to the router before us has finished, and a wish of a moment ago counts already.
        let wanted: BTreeSet<SubscriptionId> = rows.iter().filter_map(subscription_of).collect();
        let wanted: Vec<SubscriptionId> = wanted.into_iter().collect();
        let mut targets = self.store.access_targets(self.tenant, &wanted).await?;
        targets.retain(|t| t.router_id == router.id);
        // What a line left is closed last: an address or a device takes its traces along when the line moves.
        let applied = match control.apply(&router.endpoint, &targets).await {
            Ok(outcomes) => self.close_left(control, router, &wanted, now).await?.map(|left| (left, outcomes)),
            Err(error) => Err(error),
        };
        let failed = match applied {
            Ok((left, outcomes)) => {
                let unreadable = self.unreadable_lines();
                delivered.settle(&rows, &targets, &outcomes, &left, &unreadable, now);
                None
            }
            Err(error) => {
                // Some of it may have been written.
                delivered.unread = targets.iter().map(|t| t.subscription_id).collect();
                delivered.postpone(&rows, &error, now);
                Some(error)
            }
        };
        let mut delivered = self.recorded(worker, delivered, Some((hold, now))).await?;
        delivered.reopened = self.reopened_by_payment(&rows, &delivered.opened).await?;
        self.store.free_router(self.tenant, hold).await?;
        match failed {
            Some(error) => self.rest(worker, delivered, error, now).await,
            None => Ok(delivered),
        }
    }

    /// When the lines were reopened, of those that a wish of this delivery opened after a payment.
    async fn reopened_by_payment(
        &self,
        rows: &[OutboxRow],
        opened: &BTreeMap<SubscriptionId, u64>,
    ) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let revision = |row: &OutboxRow| match &row.effect {
            Effect::Access(effect) => Some((effect.subscription_id, effect.revision)),
            Effect::Message(_) => None,
        };
        // A wish is done once, so a line that is looked at again later is not counted again.
        let done = rows.iter().filter_map(revision).filter(|(id, wish)| opened.get(id) == Some(wish));
        let done: BTreeMap<SubscriptionId, u64> = done.collect();
        if done.is_empty() {
            return Ok(Vec::new());
        }
        let lines: Vec<SubscriptionId> = done.keys().copied().collect();
        let events = self.store.access_events_of(self.tenant, &lines).await?;
        let paid = [Reason::Paid.code(), Reason::PaidEnough.code()];
        let reopened = |event: &&AccessEvent| {
            event.kind == AccessEventKind::Reopened
                && done.get(&event.subscription_id) == Some(&event.revision)
                && paid.contains(&event.reason.as_str())
        };
        Ok(events.iter().filter(reopened).map(|event| event.at).collect())
    }

    /// The lines whose rows cannot be read.
    fn unreadable_lines(&self) -> BTreeSet<SubscriptionId> {
        let damaged = self.store.damaged().into_iter();
        damaged.filter(|row| row.what == DamagedRow::SUBSCRIPTION).map(|row| SubscriptionId(row.id)).collect()
    }

    /// Waits for this worker's turn to write to a router; `None` when it does not come, because another worker goes on
    /// writing to it. What is wanted has to be read after this, and recorded under the hold.
    ///
    /// # Errors
    /// As the store's.
    pub async fn turn_at(&self, worker: &Worker<'_>, router: RouterId) -> Result<Option<RouterHold>, StoreError> {
        let step = (worker.lease / 10).max(TimeDelta::milliseconds(100));
        let mut left = worker.lease * TURN_LEASES;
        loop {
            let hold = self.store.hold_router(self.tenant, router, worker.lease()).await?;
            if hold.is_some() || left <= TimeDelta::zero() {
                return Ok(hold);
            }
            worker.watch.pause(step).await;
            left -= step;
        }
    }

    async fn recorded(
        &self,
        worker: &Worker<'_>,
        mut delivered: Delivered,
        under: Option<(RouterHold, DateTime<Utc>)>,
    ) -> Result<Delivered, EngineError> {
        if let Some((_, at)) = under {
            // Told with revision 0, which changes nothing where the hold is good, and names the lines where it was lost.
            let unread = std::mem::take(&mut delivered.unread);
            let nothing = ObservedAccess { access: None, revision: 0, at, answer: String::new() };
            delivered.observed.extend(unread.into_iter().map(|id| (id, nothing.clone())));
        }
        let observed = Observed { lines: &delivered.observed, under: under.map(|(hold, _)| hold) };
        let recorded = self.store.record(self.tenant, worker.id, &delivered.outcomes, observed).await?;
        delivered.lost += recorded.lost.len() as u64;
        if recorded.doubted {
            // Nothing of it is known; the wishes are pending again, and the next round reads and writes anew.
            delivered.applied = 0;
            delivered.opened.clear();
            delivered.refused.clear();
        }
        Ok(delivered)
    }
}

/// How the routers stand in one delivery.
#[derive(Default)]
struct Standing {
    /// Somebody is at work there.
    busy: BTreeSet<RouterId>,
    /// Nothing was left to do there when it was last looked at.
    idle: BTreeSet<RouterId>,
    /// Could not be used once, and is not called again in this delivery: one dead router delays nobody.
    down: BTreeSet<RouterId>,
}

impl Standing {
    fn is_free(&self, router: RouterId) -> bool {
        [&self.busy, &self.idle, &self.down].iter().all(|those| !those.contains(&router))
    }

    /// A visit is over. After an error, what the others do is recorded all the same.
    fn visited(
        &mut self,
        visited: Result<Delivered, EngineError>,
        report: &mut DeliverReport,
        failed: &mut Option<EngineError>,
    ) {
        match visited {
            Ok(delivered) => self.fold(delivered, report),
            Err(error) => *failed = failed.take().or(Some(error)),
        }
    }

    fn fold(&mut self, delivered: Delivered, report: &mut DeliverReport) {
        self.busy.remove(&delivered.router);
        report.applied += delivered.applied;
        report.reopened.extend(delivered.reopened);
        report.refused += delivered.refused.len() as u64;
        report.refused_accounts.extend(delivered.refused);
        report.lost += delivered.lost;
        report.parked += delivered.parked;
        if let Some(error) = delivered.error {
            self.down.insert(delivered.router);
            let entry = report
                .routers_down
                .entry(delivered.router)
                .or_insert_with(|| RouterDown { waiting: 0, reason: error.to_string() });
            entry.waiting += delivered.waiting;
        } else if delivered.over {
            self.idle.insert(delivered.router);
        }
    }
}

/// What became of one visit to a router.
struct Delivered {
    router: RouterId,
    /// True when nothing was left to do at the router.
    over: bool,
    applied: u64,
    /// Lines that are let in now, with the revision that the router has.
    opened: BTreeMap<SubscriptionId, u64>,
    reopened: Vec<DateTime<Utc>>,
    refused: Vec<RefusedAccount>,
    waiting: u64,
    lost: u64,
    parked: u64,
    error: Option<PortError>,
    outcomes: Vec<Outcome>,
    observed: Vec<(SubscriptionId, ObservedAccess)>,
    unread: Vec<SubscriptionId>,
}

impl Delivered {
    fn new(router: RouterId) -> Self {
        Self {
            router,
            over: false,
            applied: 0,
            opened: BTreeMap::new(),
            reopened: Vec::new(),
            refused: Vec::new(),
            waiting: 0,
            lost: 0,
            parked: 0,
            error: None,
            outcomes: Vec::new(),
            observed: Vec::new(),
            unread: Vec::new(),
        }
    }

    fn postpone(&mut self, rows: &[OutboxRow], error: &PortError, now: DateTime<Utc>) {
        for row in rows {
            let at = now + backoff(row.attempts);
            self.outcomes.push(outcome(row.claimed(), OutboxState::Pending, at, &error.to_string(), now));
        }
        self.waiting += rows.len() as u64;
    }

    /// `left` are accounts that lines have left on this router, with what it said to their closing; `unreadable` are lines
    /// whose rows cannot be read.
    fn settle(
        &mut self,
        rows: &[OutboxRow],
        targets: &[AccessTarget],
        outcomes: &[ApplyOutcome],
        left: &[(AccessTarget, ApplyOutcome)],
        unreadable: &BTreeSet<SubscriptionId>,
        now: DateTime<Utc>,
    ) {
        let answers: BTreeMap<SubscriptionId, (&AccessTarget, &ApplyOutcome)> =
            targets.iter().zip(outcomes).map(|(t, o)| (t.subscription_id, (t, o))).collect();
        let open: BTreeMap<SubscriptionId, &ApplyOutcome> = left
            .iter()
            .filter(|(_, outcome)| matches!(outcome, ApplyOutcome::Refused { .. }))
            .map(|(target, outcome)| (target.subscription_id, outcome))
            .collect();
        for (target, answer) in answers.values() {
            // What a line has left lets it in as well.
            let observed = match open.get(&target.subscription_id).unwrap_or(answer) {
                ApplyOutcome::Done { access, answer, .. } => {
                    self.applied += 1;
                    if *access == Access::Open {
                        self.opened.insert(target.subscription_id, target.revision);
                    }
                    ObservedAccess { access: Some(*access), revision: target.revision, at: now, answer: answer.clone() }
                }
                ApplyOutcome::Refused { code, reason } => {
                    self.refused.push(refusal(target, code, reason));
                    // Of this revision, so that what was confirmed of it before counts no more.
                    ObservedAccess::refused(target.revision, now, code, reason)
                }
            };
            self.observed.push((target.subscription_id, observed));
        }
        // A line that moved away is wanted on another router; what it left here is refused to nobody else.
        for (target, answer) in left {
            if let ApplyOutcome::Refused { code, reason } = answer {
                self.refused.push(refusal(target, code, reason));
            }
        }
        for row in rows {
            let line = subscription_of(row);
            let leaves = left.iter().filter(|(t, _)| Some(t.subscription_id) == line).map(|(t, o)| (t, o));
            let kept = line.and_then(|s| answers.get(&s)).copied();
            let is_refused = |(_, o): &(&AccessTarget, &ApplyOutcome)| matches!(o, ApplyOutcome::Refused { .. });
            // An account that could not be closed keeps the wish alive.
            let answer = leaves.clone().find(is_refused).or(kept).or_else(|| leaves.clone().next_back());
            let row = (row.claimed(), row.attempts);
            self.outcomes.push(match (answer, row) {
                (None, (row, attempts)) if line.is_some_and(|s| unreadable.contains(&s)) => {
                    self.parked += 1;
                    outcome(row, OutboxState::Pending, now + backoff(attempts), "the line cannot be read", now)
                }
                // The account was removed, or moved to another router, which has a wish of its own.
                (None, (row, _)) => outcome(row, OutboxState::Dropped, now, "not_on_this_router", now),
                (Some((_, ApplyOutcome::Done { answer, .. })), (row, _)) => {
                    outcome(row, OutboxState::Done, now, answer, now)
                }
                // Tried again without end: a difference stays visible until it is gone (rule I5).
                (Some((_, ApplyOutcome::Refused { code, reason })), (row, attempts)) => {
                    let at = now + backoff(attempts);
                    outcome(row, OutboxState::Pending, at, &format!("{code}: {reason}"), now)
                }
            });
        }
    }
}

fn subscription_of(row: &OutboxRow) -> Option<SubscriptionId> {
    match &row.effect {
        Effect::Access(effect) => Some(effect.subscription_id),
        Effect::Message(_) => None,
    }
}

fn refusal(target: &AccessTarget, code: &'static str, reason: &str) -> RefusedAccount {
    RefusedAccount {
        router_id: target.router_id,
        subscription_id: target.subscription_id,
        username: target.account.username.clone(),
        code,
        reason: reason.to_owned(),
    }
}
