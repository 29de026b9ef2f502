//! The only place that calls routers and sends messages: claim, call, record (rules I5, N2, N3).
//!
//! No transaction is open during a call. An account on a router is brought to its desired state, so a lost reply is
//! answered by doing it again. A message with an unknown outcome is never sent again by itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use serde::Serialize;

use crate::engine::{Engine, EngineError};
use crate::ids::{OutboxId, RouterId, SubscriptionId};
use crate::isolation::AccessTarget;
use crate::isolation::access::ObservedAccess;
use crate::message::Notification;
use crate::message::freshness::{Verdict, refresh};
use crate::place::Router;
use crate::ports::{
    AccessControl, ApplyOutcome, Claim, DamagedRow, Effect, Messenger, OutboxRow, OutboxState, Outcome, PortError,
    SendOutcome, StoreError, Topic,
};

/// How long a claim holds; a worker that takes longer may see its rows taken by another.
const CLAIM_MINUTES: i64 = 15;
/// Rows a claim for routers.
const ACCESS_BATCH: u32 = 500;
/// Routers at work at once.
const ROUTERS_AT_ONCE: usize = 16;
/// Messages under way at once: as many may become unknown when the process dies.
const MESSAGES_AT_ONCE: usize = 16;
/// Attempts after which a message is given to a person.
const MESSAGE_ATTEMPTS: u32 = 12;
/// First wait after a failure, doubled each time ...
const BACKOFF_SECONDS: i64 = 30;
/// ... up to this.
const BACKOFF_LIMIT_SECONDS: i64 = 900;

/// What a delivery did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeliverReport {
    /// Accounts that routers confirmed.
    pub applied: u64,
    /// Accounts that routers refused, which are tried again later.
    pub refused: u64,
    /// Routers that did not answer, with how many wishes wait for them.
    pub routers_down: BTreeMap<RouterId, RouterDown>,
    /// Messages that the channel took.
    pub sent: u64,
    /// Messages that were no longer true.
    pub dropped: u64,
    /// Messages to look at again later: quiet hours, a router's answer, a busy channel.
    pub postponed: u64,
    /// Messages that the channel refused for good.
    pub failed: u64,
    /// Messages of which nobody knows whether they went out.
    pub unknown: u64,
    /// Accounts and messages that wait because a row about them cannot be read; [`crate::ports::Store::damaged`] names it.
    pub parked: u64,
    /// Why the channel as a whole is stopped.
    pub channel_down: Option<String>,
}

/// A router that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouterDown {
    /// Wishes that wait.
    pub waiting: u64,
    /// Why, without secrets.
    pub reason: String,
}

impl Engine<'_> {
    /// Brings routers to what is wanted and sends messages, until nothing is due at `now`. Routers come first, so that
    /// "isolated" and "reopened" are said after a router said so.
    ///
    /// A router or channel that does not answer is no error: it is in the report, and its rows wait for their next
    /// attempt.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn deliver(
        &self,
        routers: &dyn AccessControl,
        messenger: &dyn Messenger,
        now: DateTime<Utc>,
    ) -> Result<DeliverReport, EngineError> {
        let mut report = DeliverReport::default();
        self.deliver_access(routers, now, &mut report).await?;
        self.deliver_messages(messenger, now, &mut report).await?;
        Ok(report)
    }

    /// The router half of [`Engine::deliver`].
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn deliver_access(
        &self,
        control: &dyn AccessControl,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        let known: BTreeMap<RouterId, Router> =
            self.store.routers(self.tenant).await?.into_iter().map(|r| (r.id, r)).collect();
        // A router that did not answer once is not called again in this delivery: one dead router delays nobody.
        let mut down: BTreeMap<RouterId, PortError> = BTreeMap::new();
        loop {
            let rows = self.store.claim(self.tenant, claim(Topic::Access, now, ACCESS_BATCH)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut by_router: BTreeMap<RouterId, Vec<OutboxRow>> = BTreeMap::new();
            for row in rows {
                if let Effect::Access(effect) = &row.effect {
                    by_router.entry(effect.router_id).or_default().push(row);
                }
            }
            let batches: Vec<RouterBatch<'_>> = by_router
                .into_iter()
                .map(|(id, rows)| RouterBatch { id, router: known.get(&id), rows, down: down.get(&id).cloned() })
                .collect();
            let done: Vec<Result<Delivered, EngineError>> = futures::stream::iter(batches)
                .map(|batch| self.deliver_router(control, batch, now))
                .buffer_unordered(ROUTERS_AT_ONCE)
                .collect()
                .await;
            for delivered in done {
                let delivered = delivered?;
                report.applied += delivered.applied;
                report.refused += delivered.refused;
                report.parked += delivered.parked;
                if let Some(error) = delivered.error {
                    let entry = report
                        .routers_down
                        .entry(delivered.router)
                        .or_insert_with(|| RouterDown { waiting: 0, reason: error.to_string() });
                    entry.waiting += delivered.waiting;
                    down.insert(delivered.router, error);
                }
            }
        }
    }

    async fn deliver_router(
        &self,
        control: &dyn AccessControl,
        batch: RouterBatch<'_>,
        now: DateTime<Utc>,
    ) -> Result<Delivered, EngineError> {
        let mut delivered = Delivered::new(batch.id);
        let ids: Vec<OutboxId> = batch.rows.iter().map(|r| r.id).collect();
        let (Some(router), None) = (batch.router, &batch.down) else {
            let error =
                batch.down.unwrap_or(PortError::Refused { code: "router.unknown", reason: "no such router".into() });
            delivered.postpone(&batch.rows, &error, now);
            self.store.record(self.tenant, &delivered.outcomes, &[]).await?;
            return Ok(delivered);
        };
        let wanted: BTreeSet<SubscriptionId> = batch.rows.iter().filter_map(subscription_of).collect();
        let wanted: Vec<SubscriptionId> = wanted.into_iter().collect();
        let mut targets = self.store.access_targets(self.tenant, &wanted).await?;
        targets.retain(|t| t.router_id == batch.id);
        self.store.attempting(self.tenant, &ids).await?;
        match self.close_left(control, router, &wanted, now).await? {
            Ok(left) => match control.apply(&router.endpoint, &targets).await {
                Ok(outcomes) => {
                    let unreadable = self.unreadable_lines();
                    delivered.settle(&batch.rows, &targets, &outcomes, &left, &unreadable, now);
                }
                Err(error) => delivered.postpone(&batch.rows, &error, now),
            },
            Err(error) => delivered.postpone(&batch.rows, &error, now),
        }
        self.store.record(self.tenant, &delivered.outcomes, &delivered.observed).await?;
        Ok(delivered)
    }

    /// The message half of [`Engine::deliver`].
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn deliver_messages(
        &self,
        messenger: &dyn Messenger,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        loop {
            let rows = self.store.claim(self.tenant, claim(Topic::Message, now, MESSAGES_AT_ONCE as u32)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut outcomes = Vec::with_capacity(rows.len());
            let mut outgoing = Vec::with_capacity(rows.len());
            for row in rows {
                let Effect::Message(message) = &row.effect else { continue };
                let verdict = match self.verdict(message, now).await {
                    // One customer whose row was damaged holds up nobody else.
                    Err(EngineError::Store(error @ StoreError::Corrupt { .. })) => {
                        report.parked += 1;
                        let at = now + TimeDelta::seconds(BACKOFF_LIMIT_SECONDS);
                        outcomes.push(outcome(row.id, OutboxState::Pending, at, &error.to_string(), now));
                        continue;
                    }
                    other => other?,
                };
                match verdict {
                    Verdict::Send(ready) if report.channel_down.is_none() => outgoing.push((row, ready)),
                    Verdict::Send(_) => {
                        report.postponed += 1;
                        let at = now + TimeDelta::seconds(BACKOFF_LIMIT_SECONDS);
                        outcomes.push(outcome(row.id, OutboxState::Pending, at, "channel_down", now));
                    }
                    Verdict::Later(at, why) => {
                        report.postponed += 1;
                        outcomes.push(outcome(row.id, OutboxState::Pending, at, why, now));
                    }
                    Verdict::Drop(why) => {
                        report.dropped += 1;
                        outcomes.push(outcome(row.id, OutboxState::Dropped, now, why, now));
                    }
                }
            }
            let ids: Vec<OutboxId> = outgoing.iter().map(|(row, _)| row.id).collect();
            if !ids.is_empty() {
                self.store.attempting(self.tenant, &ids).await?;
            }
            let answers: Vec<(OutboxRow, Result<SendOutcome, PortError>)> = futures::stream::iter(outgoing)
                .map(|(row, ready)| async move { (row, messenger.send(&ready).await) })
                .buffer_unordered(MESSAGES_AT_ONCE)
                .collect()
                .await;
            outcomes.extend(answers.into_iter().map(|(row, answer)| settle_message(&row, answer, now, report)));
            self.store.record(self.tenant, &outcomes, &[]).await?;
        }
    }

    /// The lines whose rows cannot be read.
    fn unreadable_lines(&self) -> BTreeSet<SubscriptionId> {
        let damaged = self.store.damaged().into_iter();
        damaged.filter(|row| row.what == DamagedRow::SUBSCRIPTION).map(|row| SubscriptionId(row.id)).collect()
    }

    async fn verdict(&self, message: &Notification, now: DateTime<Utc>) -> Result<Verdict, EngineError> {
        let facts = self.store.message_facts(self.tenant, message).await?;
        Ok(refresh(self.tenant, message, &facts, &self.policy.dunning, &self.policy.isolation, now))
    }
}

struct RouterBatch<'a> {
    id: RouterId,
    router: Option<&'a Router>,
    rows: Vec<OutboxRow>,
    down: Option<PortError>,
}

struct Delivered {
    router: RouterId,
    applied: u64,
    refused: u64,
    waiting: u64,
    parked: u64,
    error: Option<PortError>,
    outcomes: Vec<Outcome>,
    observed: Vec<(SubscriptionId, ObservedAccess)>,
}

impl Delivered {
    fn new(router: RouterId) -> Self {
        Self {
            router,
            applied: 0,
            refused: 0,
            waiting: 0,
            parked: 0,
            error: None,
            outcomes: Vec::new(),
            observed: Vec::new(),
        }
    }

    fn postpone(&mut self, rows: &[OutboxRow], error: &PortError, now: DateTime<Utc>) {
        for row in rows {
            let at = now + backoff(row.attempts);
            self.outcomes.push(outcome(row.id, OutboxState::Pending, at, &error.to_string(), now));
        }
        self.waiting += rows.len() as u64;
        self.error = Some(error.clone());
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
        for (target, answer) in answers.values() {
            let observed = match answer {
                ApplyOutcome::Done { access, answer, .. } => {
                    self.applied += 1;
                    ObservedAccess { access: Some(*access), revision: target.revision, at: now, answer: answer.clone() }
                }
                ApplyOutcome::Refused { code, reason } => {
                    self.refused += 1;
                    // Revision 0: the router has not got what is wanted.
                    ObservedAccess { access: None, revision: 0, at: now, answer: format!("{code}: {reason}") }
                }
            };
            self.observed.push((target.subscription_id, observed));
        }
        for row in rows {
            let line = subscription_of(row);
            let leaves = left.iter().filter(|(t, _)| Some(t.subscription_id) == line).map(|(t, o)| (t, o));
            let kept = line.and_then(|s| answers.get(&s)).copied();
            let is_refused = |(_, o): &(&AccessTarget, &ApplyOutcome)| matches!(o, ApplyOutcome::Refused { .. });
            // An account that could not be closed keeps the wish alive.
            let answer = leaves.clone().find(is_refused).or(kept).or_else(|| leaves.clone().last());
            self.outcomes.push(match answer {
                None if line.is_some_and(|s| unreadable.contains(&s)) => {
                    self.parked += 1;
                    outcome(row.id, OutboxState::Pending, now + backoff(row.attempts), "the line cannot be read", now)
                }
                // The account was removed, or moved to another router, which has a wish of its own.
                None => outcome(row.id, OutboxState::Dropped, now, "not_on_this_router", now),
                Some((_, ApplyOutcome::Done { answer, .. })) => outcome(row.id, OutboxState::Done, now, answer, now),
                // Tried again without end: a difference stays visible until it is gone (rule I5).
                Some((_, ApplyOutcome::Refused { code, reason })) => {
                    let at = now + backoff(row.attempts);
                    outcome(row.id, OutboxState::Pending, at, &format!("{code}: {reason}"), now)
                }
            });
        }
    }
}

fn settle_message(
    row: &OutboxRow,
    answer: Result<SendOutcome, PortError>,
    now: DateTime<Utc>,
    report: &mut DeliverReport,
) -> Outcome {
    let later = |report: &mut DeliverReport, seconds: TimeDelta, note: &str| {
        if row.attempts + 1 >= MESSAGE_ATTEMPTS {
            report.failed += 1;
            outcome(row.id, OutboxState::Failed, now, note, now)
        } else {
            report.postponed += 1;
            outcome(row.id, OutboxState::Pending, now + seconds, note, now)
        }
    };
    match answer {
        Ok(SendOutcome::Accepted { provider_id }) => {
            report.sent += 1;
            Outcome { provider_id: Some(provider_id), ..outcome(row.id, OutboxState::Done, now, "accepted", now) }
        }
        Ok(SendOutcome::Held { provider_id }) => {
            report.sent += 1;
            Outcome { provider_id: Some(provider_id), ..outcome(row.id, OutboxState::Done, now, "held", now) }
        }
        Ok(SendOutcome::RetryAfter { seconds, reason }) => {
            later(report, TimeDelta::seconds(i64::from(seconds)).max(backoff(row.attempts)), &reason)
        }
        Ok(SendOutcome::RecipientRejected { reason } | SendOutcome::ConfigError { reason }) => {
            report.failed += 1;
            outcome(row.id, OutboxState::Failed, now, &reason, now)
        }
        Ok(SendOutcome::ChannelDown { reason }) => {
            report.postponed += 1;
            let stopped =
                outcome(row.id, OutboxState::Pending, now + TimeDelta::seconds(BACKOFF_LIMIT_SECONDS), &reason, now);
            report.channel_down = Some(reason);
            stopped
        }
        Err(PortError::Unknown { reason }) => {
            report.unknown += 1;
            outcome(row.id, OutboxState::Unknown, now, &reason, now)
        }
        Err(error @ PortError::NotSent { .. }) => {
            let note = error.to_string();
            let postponed = later(report, backoff(row.attempts), &note);
            report.channel_down.get_or_insert(note);
            postponed
        }
        Err(error) => {
            report.failed += 1;
            outcome(row.id, OutboxState::Failed, now, &error.to_string(), now)
        }
    }
}

fn claim(topic: Topic, now: DateTime<Utc>, limit: u32) -> Claim {
    Claim { topic, now, until: now + TimeDelta::minutes(CLAIM_MINUTES), limit }
}

fn subscription_of(row: &OutboxRow) -> Option<SubscriptionId> {
    match &row.effect {
        Effect::Access(effect) => Some(effect.subscription_id),
        Effect::Message(_) => None,
    }
}

/// 30 s, 1 min, 2 min and so on up to 15 min.
fn backoff(attempts: u32) -> TimeDelta {
    TimeDelta::seconds((BACKOFF_SECONDS << attempts.min(10)).min(BACKOFF_LIMIT_SECONDS))
}

fn outcome(id: OutboxId, state: OutboxState, next_attempt: DateTime<Utc>, note: &str, at: DateTime<Utc>) -> Outcome {
    Outcome { id, state, next_attempt, note: note.chars().take(300).collect(), provider_id: None, at }
}
