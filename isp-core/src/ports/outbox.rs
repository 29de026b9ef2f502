//! What is still to be done outside: wishes to routers and messages, and how each attempt ended.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OutboxId, RouterId, SubscriptionId, WorkerId};
use crate::isolation::AccessEffect;
use crate::isolation::access::ObservedAccess;
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
    /// How often it was claimed. Together with the owner it proves whose an outcome is.
    pub fence: u64,
    /// The template that the last attempt failed for; empty when it failed for another reason, or not.
    pub template: Option<String>,
}

/// What a worker holds something by: its name, and until when, by its own clock.
///
/// A lease that ran out may be taken over. The fence that rises with each claim makes that safe: whatever the clocks
/// say, only the last one who claimed can write an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub owner: WorkerId,
    /// The moment of the call. This is a clock on the wall, and not the moment that the engine works for.
    pub now: DateTime<Utc>,
    /// When it runs out.
    pub until: DateTime<Utc>,
}

/// A claim on outbox rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Rows of this topic.
    pub topic: Topic,
    /// Of the wishes to routers, only those to this one.
    pub router: Option<RouterId>,
    /// Those whose `next_attempt` is not after this moment.
    pub due: DateTime<Utc>,
    /// By whom and until when.
    pub lease: Lease,
    /// At most so many rows, the earliest first.
    pub limit: u32,
}

/// A row as it was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimed {
    /// Which row.
    pub id: OutboxId,
    /// The fence of the claim.
    pub fence: u64,
}

impl OutboxRow {
    /// The claim under which this row was returned.
    #[must_use]
    pub const fn claimed(&self) -> Claimed {
        Claimed { id: self.id, fence: self.fence }
    }
}

/// The right to write to a router, while it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterHold {
    /// Which router.
    pub router: RouterId,
    /// Who holds it.
    pub owner: WorkerId,
    /// How often it was taken.
    pub fence: u64,
}

/// A router that could not be used. All wishes that were due wait for it together, and their rows stay as they are: so a router
/// for which a hundred thousand lines wait costs no more than one for which a single line waits.
///
/// It ends at `until`, and earlier when something is wished of the router, when the router answers, or when a person changes or confirms
/// the router.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouterRest {
    /// Which router.
    pub router: RouterId,
    /// When it could not be used: the wishes that were due by then wait.
    pub since: DateTime<Utc>,
    /// When it is tried again.
    pub until: DateTime<Utc>,
    /// Why it could not be used, without secrets.
    pub reason: String,
}

impl RouterRest {
    /// A rest of a router, from one moment to another.
    #[must_use]
    pub fn new(router: RouterId, since: DateTime<Utc>, until: DateTime<Utc>, reason: String) -> Self {
        Self { router, since, until, reason }
    }

    /// True while wishes wait for its end. One that began later than now was made by a clock that was wrong, and keeps nobody waiting.
    #[must_use]
    pub fn lasts(&self, now: DateTime<Utc>) -> bool {
        self.since <= now && now < self.until
    }

    /// Says in a wish that waits for this router when it is tried again, and why not earlier. Other rows stay as they are.
    pub fn tell(&self, row: &mut OutboxRow) {
        let wished = matches!(&row.effect, Effect::Access(wish) if wish.router_id == self.router);
        if wished && row.state == OutboxState::Pending && row.next_attempt <= self.since {
            row.next_attempt = self.until;
            row.note.clone_from(&self.reason);
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which row, and under which claim.
    pub row: Claimed,
    /// Its new state; [`OutboxState::Pending`] to try again at `next_attempt`.
    pub state: OutboxState,
    /// When to try again.
    pub next_attempt: DateTime<Utc>,
    /// What it came to, without secrets.
    pub note: String,
    /// The other side's id.
    pub provider_id: Option<String>,
    /// The template that it failed for.
    pub template: Option<String>,
    /// When it ended.
    pub at: DateTime<Utc>,
}

/// What a router said, to be recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observed<'a> {
    /// Of which lines.
    pub lines: &'a [(SubscriptionId, ObservedAccess)],
    /// The hold under which the router was written to. When it was lost meanwhile, another worker may have written
    /// before our last write: then nobody knows what these accounts are. The observations do not count, what was
    /// observed before does not count any more either, and the wish of each line's current revision is pending again.
    pub under: Option<RouterHold>,
}

/// What became of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Rows whose outcome was refused: their claims were lost.
    pub lost: Vec<OutboxId>,
    /// True when the hold on the router was lost, and its lines are to be applied again.
    pub doubted: bool,
}

/// What a person says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its new state.
    pub state: OutboxState,
    /// Who said so.
    pub note: String,
    /// When.
    pub at: DateTime<Utc>,
}
