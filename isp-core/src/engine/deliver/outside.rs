//! What a delivery reaches: routers, and the messenger if there is one.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{Either, select};

use super::DeliverReport;
use crate::engine::roll_call::RollCall;
use crate::engine::{Engine, EngineError};
use crate::ports::{AccessControl, Messenger, Worker};

/// How long messages wait for the routers: "isolated" is said after a router said so.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);
/// How often messages are looked for while the routers take longer.
const AGAIN: TimeDelta = TimeDelta::seconds(2);

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
        let ((), last) = self.beside_post(self.access_loop(&roll, now, report), outside, now, &mut posted).await?;
        let done = self.post_loop(outside, last, &mut posted).await;
        report.add_post(posted);
        done
    }

    /// Does work at routers. When it takes long, messages leave beside it, again and again until it is done. Gives what came of
    /// it, and the moment up to which messages are due then.
    ///
    /// # Errors
    /// Those of the work; else as [`Engine::deliver`].
    pub(crate) async fn beside_post<T>(
        &self,
        routers: impl Future<Output = Result<T, EngineError>>,
        outside: &Outside<'_>,
        now: DateTime<Utc>,
        posted: &mut DeliverReport,
    ) -> Result<(T, DateTime<Utc>), EngineError> {
        let watch = outside.worker.watch;
        let begun = watch.now();
        let moment = || now + (watch.now() - begun).max(TimeDelta::zero());
        let routers = pin!(routers);
        match select(routers, watch.pause(PATIENCE)).await {
            Either::Left((done, _)) => done.map(|done| (done, now)),
            Either::Right(((), routers)) => {
                let over = AtomicBool::new(false);
                let routers = async {
                    let done = routers.await;
                    over.store(true, Ordering::Relaxed);
                    done
                };
                let post = async {
                    loop {
                        self.post_loop(outside, moment(), posted).await?;
                        if over.load(Ordering::Relaxed) {
                            return Ok::<(), EngineError>(());
                        }
                        watch.pause(AGAIN).await;
                    }
                };
                // Neither is dropped before its end: what was told to a router or to the channel is recorded.
                let (done, post) = futures::future::join(routers, post).await;
                let done = done?;
                post.map(|()| (done, moment()))
            }
        }
    }

    /// The messages of [`Engine::deliver_outside`].
    ///
    /// # Errors
    /// As [`Engine::deliver`]; claims are the caller's to give back.
    pub(crate) async fn post_loop(
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
