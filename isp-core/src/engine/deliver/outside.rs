//! What a delivery reaches: routers, and the messenger if there is one.

use std::pin::pin;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{Either, select};

use super::DeliverReport;
use crate::engine::roll_call::RollCall;
use crate::engine::{Engine, EngineError};
use crate::ports::{AccessControl, Messenger, Worker};

/// How long messages wait for the routers: "isolated" is said after a router said so.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// The messenger, as far as there is one.
#[derive(Clone, Copy)]
pub enum Post<'a> {
    /// Messages leave through it.
    Ready(&'a dyn Messenger),
    /// None is set up: messages stay in the outbox.
    Unset,
    /// One is set up with which nothing can be sent, and why: messages stay, and the report says that the channel rests.
    Unusable(&'a str),
}

/// All that a delivery needs besides the store.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// Who carries it out.
    pub worker: &'a Worker<'a>,
    /// Whoever brings lines to what is wanted.
    pub routers: &'a dyn AccessControl,
    /// The messenger.
    pub post: Post<'a>,
}

impl<'a> Outside<'a> {
    /// Routers and a messenger that is ready.
    #[must_use]
    pub fn new(worker: &'a Worker<'a>, routers: &'a dyn AccessControl, messenger: &'a dyn Messenger) -> Self {
        Self { worker, routers, post: Post::Ready(messenger) }
    }
}

impl std::fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl Engine<'_> {
    /// [`Engine::deliver`] with whatever messenger there is. Without one only routers are called.
    ///
    /// # Errors
    /// As [`Engine::deliver`].
    pub async fn deliver_outside(
        &self,
        outside: &Outside<'_>,
        now: DateTime<Utc>,
    ) -> Result<DeliverReport, EngineError> {
        let mut report = DeliverReport::default();
        let done = self.routers_then_post(outside, now, &mut report).await;
        self.after(outside.worker, done).await?;
        Ok(report)
    }

    /// Routers come first; while one of them takes long, messages leave meanwhile, and once more at the end.
    async fn routers_then_post(
        &self,
        outside: &Outside<'_>,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        let roll = RollCall::new(outside.worker, outside.routers);
        let mut posted = DeliverReport::default();
        let last = self.routers_beside_post(&roll, outside, now, report, &mut posted).await?;
        let done = self.post_loop(outside, last, &mut posted).await;
        report.add_post(posted);
        done
    }

    /// The moment up to which messages are due when the routers are done.
    async fn routers_beside_post(
        &self,
        roll: &RollCall<'_>,
        outside: &Outside<'_>,
        now: DateTime<Utc>,
        served: &mut DeliverReport,
        posted: &mut DeliverReport,
    ) -> Result<DateTime<Utc>, EngineError> {
        let watch = outside.worker.watch;
        let begun = watch.now();
        let routers = pin!(self.access_loop(roll, now, served));
        match select(routers, watch.pause(PATIENCE)).await {
            Either::Left((done, _)) => done.map(|()| now),
            Either::Right(((), routers)) => {
                // Neither is dropped before its end: what was told to a router or to the channel is recorded.
                let (done, post) = futures::future::join(routers, self.post_loop(outside, now, posted)).await;
                done.and(post).map(|()| now + (watch.now() - begun).max(TimeDelta::zero()))
            }
        }
    }

    /// The messages of [`Engine::deliver_outside`].
    ///
    /// # Errors
    /// As [`Engine::deliver`].
    pub(crate) async fn deliver_post(
        &self,
        outside: &Outside<'_>,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        let done = self.post_loop(outside, now, report).await;
        self.after(outside.worker, done).await
    }

    async fn post_loop(
        &self,
        outside: &Outside<'_>,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        match outside.post {
            Post::Ready(messenger) => self.message_loop(outside.worker, messenger, now, report).await?,
            Post::Unset => {}
            Post::Unusable(why) => report.channel_down = Some(why.to_owned()),
        }
        Ok(())
    }
}
