//! Reminders: who is due soon or overdue is told, once a level.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::calendar::{Date, Zone};
use crate::engine::{Engine, EngineError};
use crate::message::{due_reminders, join_reminders};
use crate::ports::{ChangeSet, DunningQuery, PageQuery};

/// What a reminder run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RemindReport {
    /// Messages queued.
    pub queued: u64,
    /// Messages that another run had queued meanwhile.
    pub known: u64,
    /// Customers looked at who cannot be reached by message.
    pub unreachable: u64,
}

impl Engine<'_> {
    /// The open invoices of which a reminder may be due at `now`.
    pub(crate) fn reminded_by(&self, now: DateTime<Utc>) -> DunningQuery {
        let ahead = self.policy.dunning.due_soon_days.iter().copied().max().unwrap_or(0);
        DunningQuery { due_from: Date::MIN, due_until: Zone::Wit.date_of(now).plus_days(i32::from(ahead)) }
    }

    /// Queues the reminders that are due at `now`. They leave with [`Engine::deliver`], if they are still true then.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn remind(&self, now: DateTime<Utc>) -> Result<RemindReport, EngineError> {
        let query = self.reminded_by(now);
        let mut report = RemindReport::default();
        let mut page = PageQuery::first(self.page);
        loop {
            let customers = self.store.load_dunning(self.tenant, query, page).await?;
            report.unreachable += customers.iter().filter(|c| !c.reachable).count() as u64;
            let messages = join_reminders(due_reminders(self.tenant, &customers, &self.policy.dunning, now));
            if !messages.is_empty() {
                let commit = self.store.commit(self.tenant, ChangeSet { messages, ..ChangeSet::default() }).await?;
                report.queued += commit.messages;
                report.known += commit.messages_known;
            }
            if !page.advance(&customers, |last| last.customer_id) {
                return Ok(report);
            }
        }
    }
}
