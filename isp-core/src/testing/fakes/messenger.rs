//! A channel in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::ids::OutboxId;
use crate::message::notification::OutgoingMessage;
use crate::ports::{Messenger, PortError, RetryScope, SendOutcome};
use crate::testing::fuse::Fuse;

/// A channel that keeps what it took. Clones are the same channel.
#[derive(Debug, Clone, Default)]
pub struct FakeMessenger {
    inner: Arc<Mutex<Inner>>,
    fuse: Fuse,
}

#[derive(Debug, Default)]
struct Inner {
    accepted: Vec<OutgoingMessage>,
    next: VecDeque<MessengerFault>,
    always: Option<MessengerFault>,
    calls: u64,
}

/// How a channel fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessengerFault {
    /// There is no connection: nothing was sent.
    NoConnection,
    /// It takes the message and its reply gets lost.
    LostReply,
    /// It holds the message back for a check.
    Held,
    /// It never takes messages for this recipient.
    RecipientRejected,
    /// It wants us to wait.
    RetryAfter,
    /// It calls our set-up wrong.
    ConfigError,
    /// It is stopped as a whole.
    ChannelDown,
}

impl MessengerFault {
    /// All faults.
    pub const ALL: [Self; 7] = [
        Self::NoConnection,
        Self::LostReply,
        Self::Held,
        Self::RecipientRejected,
        Self::RetryAfter,
        Self::ConfigError,
        Self::ChannelDown,
    ];

    /// True when the message goes out all the same.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::LostReply | Self::Held)
    }
}

impl FakeMessenger {
    /// A channel that takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A channel that shares a fuse with other doubles.
    #[must_use]
    pub fn with_fuse(fuse: Fuse) -> Self {
        Self { fuse, ..Self::default() }
    }

    /// Makes one more of the coming messages fail, in the order of the calls of this function.
    pub fn fail_next(&self, fault: MessengerFault) {
        self.with(|inner| inner.next.push_back(fault));
    }

    /// Makes all messages fail from now on; `None` ends it.
    pub fn fail_always(&self, fault: Option<MessengerFault>) {
        self.with(|inner| inner.always = fault);
    }

    /// What went out, in order. A message that is in it twice was sent twice.
    #[must_use]
    pub fn accepted(&self) -> Vec<OutgoingMessage> {
        self.with(|inner| inner.accepted.clone())
    }

    /// How often a message went out.
    #[must_use]
    pub fn times_sent(&self, id: OutboxId) -> usize {
        self.with(|inner| inner.accepted.iter().filter(|m| m.id == id).count())
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.with(|inner| inner.calls)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Messenger for FakeMessenger {
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError> {
        let lost = || PortError::Unknown { reason: "reply lost".into() };
        let answer = self.fuse.run(|| {
            self.with(|inner| {
                inner.calls += 1;
                let fault = inner.next.pop_front().or(inner.always);
                if fault.is_none_or(MessengerFault::sends) {
                    inner.accepted.push(message.clone());
                }
                let provider_id = format!("fake.{}", message.id);
                let reason = "the test says so".to_owned();
                match fault {
                    None => Ok(SendOutcome::Accepted { provider_id }),
                    Some(MessengerFault::Held) => Ok(SendOutcome::Held { provider_id }),
                    Some(MessengerFault::NoConnection) => Err(PortError::NotSent { reason }),
                    Some(MessengerFault::LostReply) => Err(lost()),
                    Some(MessengerFault::RecipientRejected) => Ok(SendOutcome::RecipientRejected { reason }),
                    Some(MessengerFault::RetryAfter) => {
                        Ok(SendOutcome::RetryAfter { seconds: 60, scope: RetryScope::Message, reason })
                    }
                    Some(MessengerFault::ConfigError) => Ok(SendOutcome::ConfigError { reason }),
                    Some(MessengerFault::ChannelDown) => Ok(SendOutcome::ChannelDown { reason }),
                }
            })
        });
        answer.unwrap_or_else(|_| Err(lost()))
    }
}
