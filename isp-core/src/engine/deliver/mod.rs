//! The only place that calls routers and sends messages: claim, call, record (rules I5, N2, N3, N7, N8).
//!
//! No transaction is open during a call. An account on a router is brought to its desired state, so a lost reply is
//! answered by doing it again. A message with an unknown outcome is never sent again by itself.
//!
//! Several workers may deliver at once. Each claim carries the worker's name and a fence, and only the last one who
//! claimed a row can write its outcome. A claim is kept alive while its worker works and runs out when it does not.

mod access;
mod document;
mod messages;
mod outside;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;

use chrono::{DateTime, Utc};
use futures::future::{Either, select};
use serde::Serialize;

use crate::engine::roll_call::RollCall;
use crate::engine::{Engine, EngineError};
use crate::ids::{RouterId, SubscriptionId};
use crate::ports::{AccessControl, Claim, Claimed, Messenger, OutboxState, Outcome, Topic, Worker};
use crate::text::RouterName;

pub use document::Papers;
pub use outside::{Outside, Post};

/// What a delivery did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeliverReport {
    /// Accounts that routers confirmed.
    pub applied: u64,
    /// When each line was reopened by a payment that its router now lets in: from there to now is what the customer waited.
    pub reopened: Vec<DateTime<Utc>>,
    /// Accounts that routers refused, which are tried again later.
    pub refused: u64,
    /// Which they are, and why.
    pub refused_accounts: Vec<RefusedAccount>,
    /// Routers that did not answer, with how many wishes wait for them.
    pub routers_down: BTreeMap<RouterId, RouterDown>,
    /// Accounts and messages that wait because a row about them cannot be read; [`crate::ports::Store::damaged`] names it.
    pub parked: u64,
    /// Messages that the channel took.
    pub sent: u64,
    /// Messages that were no longer true.
    pub dropped: u64,
    /// Messages to look at again later: quiet hours, a router's answer, a channel at rest.
    pub postponed: u64,
    /// Of those that were sent, messages that asked for money and did not say who asks: the provider has not set it
    /// ([`Engine::sender`]).
    pub unnamed: u64,
    /// Messages that the channel refused for good.
    pub failed: u64,
    /// Messages of which nobody knows whether they went out.
    pub unknown: u64,
    /// Rows whose claim was lost to another worker, or to a person, while this one had them. What it did with them is not
    /// recorded; the other's word stands.
    pub lost: u64,
    /// Why the channel as a whole rests; its messages wait.
    pub channel_down: Option<String>,
    /// Templates that rest, and why; their messages wait.
    pub templates_down: BTreeMap<String, String>,
}

/// An account that a router refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefusedAccount {
    /// Which router.
    pub router_id: RouterId,
    /// Whose account.
    pub subscription_id: SubscriptionId,
    /// Its user name.
    pub username: RouterName,
    /// A stable code of the adapter.
    pub code: &'static str,
    /// What the router said, without secrets.
    pub reason: String,
}

/// A router that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RouterDown {
    /// Wishes that wait.
    pub waiting: u64,
    /// Why, without secrets.
    pub reason: String,
}

impl DeliverReport {
    /// What became of messages is told here too.
    pub(in crate::engine) fn add_post(&mut self, post: Self) {
        self.parked += post.parked;
        self.sent += post.sent;
        self.dropped += post.dropped;
        self.postponed += post.postponed;
        self.unnamed += post.unnamed;
        self.failed += post.failed;
        self.unknown += post.unknown;
        self.lost += post.lost;
        self.channel_down = post.channel_down;
        self.templates_down.extend(post.templates_down);
    }
}

impl Engine<'_> {
    /// Brings routers to what is wanted and sends messages, until nothing is due at `now`. Routers come first, so that
    /// "isolated" and "reopened" are said after a router said so. While a router takes longer than some seconds, the others and
    /// the channel are served meanwhile, also with what becomes due after `now`.
    ///
    /// A router or channel that does not answer is no error: it is in the report, and its rows wait for their next
    /// attempt.
    ///
    /// # Errors
    /// [`EngineError::Store`]; what this worker had claimed is free again then.
    pub async fn deliver(
        &self,
        worker: &Worker<'_>,
        routers: &dyn AccessControl,
        messenger: &dyn Messenger,
        now: DateTime<Utc>,
    ) -> Result<DeliverReport, EngineError> {
        self.deliver_outside(&Outside::new(worker, routers, messenger), now).await
    }

    /// The router half of [`Engine::deliver`].
    ///
    /// # Errors
    /// As [`Engine::deliver`].
    pub async fn deliver_access(
        &self,
        worker: &Worker<'_>,
        control: &dyn AccessControl,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        let done = self.access_loop(&RollCall::new(worker, control), now, report).await;
        self.after(worker, done).await
    }

    /// The message half of [`Engine::deliver`].
    ///
    /// # Errors
    /// As [`Engine::deliver`].
    pub async fn deliver_messages(
        &self,
        worker: &Worker<'_>,
        messenger: &dyn Messenger,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        let done = self.message_loop(worker, messenger, now, report).await;
        self.after(worker, done).await
    }

    /// Gives claims back before an error leaves. When the store cannot even do that, they run out by themselves.
    pub(in crate::engine) async fn after<T>(
        &self,
        worker: &Worker<'_>,
        done: Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let error = match done {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        match self.store.release(self.tenant, worker.id).await {
            Ok(()) | Err(_) => Err(error),
        }
    }

    /// Does the work and keeps what the worker holds alive meanwhile. When renewing fails, the work goes on: whatever
    /// runs out before its end is refused when it is recorded.
    pub async fn renewing<T>(&self, worker: &Worker<'_>, work: impl Future<Output = T>) -> T {
        let renew = async {
            loop {
                worker.watch.pause(worker.lease / 3).await;
                if self.store.renew(self.tenant, worker.lease()).await.is_err() {
                    break std::future::pending::<Infallible>().await;
                }
            }
        };
        match select(pin!(work), pin!(renew)).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }
}

fn claim(worker: &Worker<'_>, topic: Topic, due: DateTime<Utc>, limit: u32) -> Claim {
    Claim { topic, router: None, due, lease: worker.lease(), limit }
}

/// Letters of a note that are kept.
const NOTE: usize = 300;

fn outcome(row: Claimed, state: OutboxState, next_attempt: DateTime<Utc>, note: &str, at: DateTime<Utc>) -> Outcome {
    let note = note.chars().take(NOTE).collect();
    Outcome { row, state, next_attempt, note, provider_id: None, template: None, at }
}
