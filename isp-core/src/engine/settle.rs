//! What a person says of messages: of those whose outcome nobody knows, and of those that were sent by hand.

use std::collections::BTreeSet;

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
    /// A person sent it from a telephone of their own: it is never sent by the engine.
    ByHand,
}

impl Settlement {
    /// The states in which a person may say so. What a worker has in hand, and what has gone or was dropped, is settled.
    #[must_use]
    pub const fn from(self) -> &'static [OutboxState] {
        match self {
            Self::Sent => &[OutboxState::Unknown],
            Self::Resend | Self::Drop => &[OutboxState::Unknown, OutboxState::Failed],
            Self::ByHand => &[OutboxState::Pending, OutboxState::Unknown, OutboxState::Failed],
        }
    }

    /// The state that follows.
    #[must_use]
    pub const fn state(self) -> OutboxState {
        match self {
            Self::Sent | Self::ByHand => OutboxState::Done,
            Self::Resend => OutboxState::Pending,
            Self::Drop => OutboxState::Dropped,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Resend => "to be sent again",
            Self::Drop => "dropped",
            Self::ByHand => "sent by hand",
        }
    }
}

impl Engine<'_> {
    /// Settles a message that is [`OutboxState::Unknown`], sends again or drops one that failed, or ends one that somebody sent by
    /// hand. The engine itself never sends such a message again: it cannot know whether the customer has it.
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
        self.settle_messages(&[id], settlement, by, now).await
    }

    /// As [`Engine::settle_message`], of several: all of them, or none when one cannot be settled so.
    ///
    /// # Errors
    /// As [`Engine::settle_message`]; [`EngineError::NotToSettle`] names those that cannot.
    pub async fn settle_messages(
        &self,
        ids: &[OutboxId],
        settlement: Settlement,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        if by.trim().is_empty() {
            return Err(Error::Empty { field: "by" }.into());
        }
        let note = format!("{}, says {}", settlement.word(), by.trim());
        let settled = Settled { state: settlement.state(), note, at: now };
        let states = settlement.from();
        let ids: BTreeSet<OutboxId> = ids.iter().copied().collect();
        let ids: Vec<OutboxId> = ids.into_iter().collect();
        let refused = self.store.settle(self.tenant, &ids, states, settled).await?;
        if refused.is_empty() { Ok(()) } else { Err(EngineError::NotToSettle(refused)) }
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
