//! What a person says of messages whose outcome nobody knows.

use chrono::{DateTime, Utc};

use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::OutboxId;
use crate::ports::{OutboxState, Settled};

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
        let (state, word) = match settlement {
            Settlement::Sent => (OutboxState::Done, "sent"),
            Settlement::Resend => (OutboxState::Pending, "to be sent again"),
            Settlement::Drop => (OutboxState::Dropped, "dropped"),
        };
        let settled = Settled { state, note: format!("{word}, says {}", by.trim()), at: now };
        if self.store.settle(self.tenant, id, states, settled).await? { Ok(()) } else { Err(EngineError::NotToSettle) }
    }

    /// Makes the messages that a template stopped due again, also those that failed for it; how many they are. Of one template,
    /// or of all. Each is looked at once more before it leaves.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn retry_templates(&self, only: Option<&str>, now: DateTime<Utc>) -> Result<u64, EngineError> {
        Ok(self.store.retry_templates(self.tenant, only, now).await?)
    }
}
