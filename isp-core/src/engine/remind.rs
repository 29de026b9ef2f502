//! Reminders: who is due soon or overdue is told, once a level.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::calendar::{Date, Zone};
use crate::engine::{Engine, EngineError};
use crate::ids::CustomerId;
use crate::message::{DunningFacts, DunningPolicy, Notification, due_reminders, join_reminders};
use crate::ports::{ChangeSet, DunningQuery, LastReminders, PageQuery};

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
        let DunningPolicy { due_soon_days, overdue_days, .. } = &self.policy.dunning;
        let ahead = due_soon_days.iter().copied().max().unwrap_or(0);
        // The day begins first in the east.
        let today = Zone::Wit.date_of(now);
        // Most of what is overdue was said for the last time long ago.
        let first_overdue = overdue_days.iter().copied().min();
        let last = LastReminders {
            between: (
                first_overdue.map_or(Date::MIN, |days| today.plus_days(1 - i32::from(days))),
                Zone::Wib.date_of(now).plus_days(-1),
            ),
            overdue: overdue_days.iter().copied().max(),
            due_soon: due_soon_days.iter().copied().min(),
            today,
        };
        DunningQuery { due_from: Date::MIN, due_until: today.plus_days(i32::from(ahead)), last: Some(last) }
    }

    /// Queues the reminders that are due at `now`. They leave with [`Engine::deliver`], if they are still true then.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn remind(&self, now: DateTime<Utc>) -> Result<RemindReport, EngineError> {
        let mut report = RemindReport::default();
        let mut page = PageQuery::first(self.page);
        loop {
            let (customers, messages) = self.reminders_of(now, page).await?;
            report.unreachable += customers.iter().filter(|c| !c.reachable).count() as u64;
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

    /// The reminders that [`Engine::remind`] would queue at `now`; nothing is written.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn reminders(&self, now: DateTime<Utc>) -> Result<Vec<Notification>, EngineError> {
        let (mut found, mut page) = (Vec::new(), PageQuery::first(self.page));
        loop {
            let (customers, messages) = self.reminders_of(now, page).await?;
            found.extend(messages);
            if !page.advance(&customers, |last| last.customer_id) {
                return Ok(found);
            }
        }
    }

    /// A page of customers, and the reminders that are due to them.
    async fn reminders_of(
        &self,
        now: DateTime<Utc>,
        page: PageQuery<CustomerId>,
    ) -> Result<(Vec<DunningFacts>, Vec<Notification>), EngineError> {
        let customers = self.store.load_dunning(self.tenant, self.reminded_by(now), page).await?;
        let messages = join_reminders(due_reminders(self.tenant, &customers, &self.policy.dunning, now));
        Ok((customers, messages))
    }
}
