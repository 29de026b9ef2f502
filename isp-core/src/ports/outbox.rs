//! What is still to be done outside: wishes to routers and messages, and how each attempt ended.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::OutboxId;
use crate::isolation::AccessEffect;
use crate::message::Notification;

/// What an outbox row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// A router.
    Access,
    /// A message.
    Message,
}

/// Where an outbox row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutboxState {
    /// Waiting for its moment.
    Pending,
    /// Taken by a worker that has done nothing with it yet; free again when the claim runs out.
    Claimed,
    /// A worker is calling the other side: when it dies now, a message's outcome is unknown.
    Attempting,
    /// Done.
    Done,
    /// No longer true or wanted; not sent.
    Dropped,
    /// Refused for good, or tried too often; a person must look.
    Failed,
    /// A message of which nobody knows whether it went out.
    Unknown,
}

impl OutboxState {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Claimed, Self::Attempting, Self::Done, Self::Dropped, Self::Failed, Self::Unknown];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Attempting => "attempting",
            Self::Done => "done",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What an outbox row asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "lowercase")]
pub enum Effect {
    /// Bring an account to its desired state.
    Access(AccessEffect),
    /// Send a message.
    Message(Notification),
}

impl Effect {
    /// Its topic.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Access(_) => Topic::Access,
            Self::Message(_) => Topic::Message,
        }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The row.
    pub id: OutboxId,
    /// What it asks for.
    pub effect: Effect,
    /// Where it stands.
    pub state: OutboxState,
    /// How often the other side was called for it.
    pub attempts: u32,
    /// Not before this moment.
    pub next_attempt: DateTime<Utc>,
    /// What the last attempt came to, without secrets.
    pub note: String,
    /// The other side's id, for a message that it took.
    pub provider_id: Option<String>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A claim on outbox rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Rows of this topic.
    pub topic: Topic,
    /// Those whose `next_attempt` is not after this moment.
    pub now: DateTime<Utc>,
    /// The claim runs out at this moment.
    pub until: DateTime<Utc>,
    /// At most so many rows, the earliest first.
    pub limit: u32,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which row.
    pub id: OutboxId,
    /// Its new state; [`OutboxState::Pending`] to try again at `next_attempt`.
    pub state: OutboxState,
    /// When to try again.
    pub next_attempt: DateTime<Utc>,
    /// What it came to, without secrets.
    pub note: String,
    /// The other side's id.
    pub provider_id: Option<String>,
    /// When it ended.
    pub at: DateTime<Utc>,
}
