//! What a delivery reaches: routers, and the messenger if there is one.

use chrono::{DateTime, Utc};

use super::DeliverReport;
use crate::engine::{Engine, EngineError};
use crate::ports::{AccessControl, Messenger, Worker};

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
        self.deliver_access(outside.worker, outside.routers, now, &mut report).await?;
        self.deliver_post(outside, now, &mut report).await?;
        Ok(report)
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
        match outside.post {
            Post::Ready(messenger) => self.deliver_messages(outside.worker, messenger, now, report).await?,
            Post::Unset => {}
            Post::Unusable(why) => report.channel_down = Some(why.to_owned()),
        }
        Ok(())
    }
}
