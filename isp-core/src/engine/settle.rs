//! What a person says of messages whose outcome nobody knows.

use chrono::{DateTime, Utc};

use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::OutboxId;
use crate::ports::{OutboxQuery, OutboxState, Outcome, PageQuery, Topic};

/// What became of a message, as somebody found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It arrived.
    Sent,
    /// It did not arrive: send it again, if it is still true then.
    Resend,
    /// It did not arrive and need not.
    Drop,
}

impl Engine<'_> {
    /// Settles a message that is [`OutboxState::Unknown`], or sends again or drops one that failed. The engine itself
    /// never sends such a message again: it cannot know whether the customer has it.
    ///
    /// # Errors
    /// [`EngineError::NotToSettle`] when no message with this id is in one of these states;
    /// [`Error::Empty`] without `by`; [`EngineError::Store`].
    pub async fn settle_message(
        &self,
        id: OutboxId,
        settlement: Settlement,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        if by.trim().is_empty() {
            return Err(Error::Empty { field: "by" }.into());
        }
        let states: &[OutboxState] = match settlement {
            Settlement::Sent => &[OutboxState::Unknown],
            Settlement::Resend | Settlement::Drop => &[OutboxState::Unknown, OutboxState::Failed],
        };
        if !self.waits_in(id, states).await? {
            return Err(EngineError::NotToSettle);
        }
        let (state, word) = match settlement {
            Settlement::Sent => (OutboxState::Done, "sent"),
            Settlement::Resend => (OutboxState::Pending, "to be sent again"),
            Settlement::Drop => (OutboxState::Dropped, "dropped"),
        };
        let note = format!("{word}, says {}", by.trim());
        let outcome = Outcome { id, state, next_attempt: now, note, provider_id: None, at: now };
        Ok(self.store.record(self.tenant, &[outcome], &[]).await?)
    }

    async fn waits_in(&self, id: OutboxId, states: &[OutboxState]) -> Result<bool, EngineError> {
        for state in states {
            let query = OutboxQuery { topic: Some(Topic::Message), state: Some(*state), customer: None };
            let mut page = PageQuery::first(self.page);
            loop {
                let rows = self.store.outbox(self.tenant, query, page).await?;
                if rows.iter().any(|row| row.id == id) {
                    return Ok(true);
                }
                if !page.advance(&rows, |last| last.id) {
                    break;
                }
            }
        }
        Ok(false)
    }
}
