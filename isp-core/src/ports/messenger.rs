//! The port to the channel that carries messages.

use async_trait::async_trait;

use super::PortError;
use crate::message::Document;
use crate::message::channel::Answer;
pub use crate::message::channel::RetryScope;
use crate::message::notification::OutgoingMessage;

/// Sends messages.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends one message. `Err(Unknown)` must be returned whenever it may have gone out.
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError>;

    /// True when the template of this message has a document above its text: then the file that is made of the facts of that moment
    /// goes up by [`Messenger::upload`], and the message by [`Messenger::send_with`].
    fn wants_document(&self, _message: &OutgoingMessage) -> bool {
        false
    }

    /// Gives the channel the file of a message. No message goes out, so nothing is unknown when it fails: it may be done again. It is
    /// a call of its own because a file may take long, and whose message it is has to be asked again before the message goes.
    async fn upload(&self, _document: &Document) -> Result<Upload, PortError> {
        Ok(Upload::Refused(SendOutcome::ConfigError { reason: "this channel takes no documents".to_owned() }))
    }

    /// Sends one message with a file above it that was uploaded. `Err(Unknown)` must be returned whenever it may have gone out.
    async fn send_with(&self, _message: &OutgoingMessage, _file: &Attachment) -> Result<SendOutcome, PortError> {
        Ok(SendOutcome::ConfigError { reason: "this channel takes no documents".to_owned() })
    }

    /// Asks whether the channel works, without sending anything: what it says, or could not say, concerns every message
    /// alike. `Ok(None)` when nothing speaks against sending.
    async fn probe(&self) -> Result<Option<SendOutcome>, PortError> {
        Ok(None)
    }

    /// The template that this message would be sent with, for a channel that has templates: its name, or `name/language`
    /// where each language is a template of its own.
    fn template(&self, _message: &OutgoingMessage) -> Option<String> {
        None
    }
}

/// A file that the channel keeps for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The channel's id of the file.
    pub id: String,
    /// Its name, as the customer sees it.
    pub name: String,
}

/// What the channel said to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upload {
    /// It is kept there.
    Kept(Attachment),
    /// It was not taken, and this is what it means for its message.
    Refused(SendOutcome),
}

/// What the channel said to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// Taken; `provider_id` is the channel's own id. Taken is not yet delivered.
    Accepted {
        /// The channel's id of the message.
        provider_id: String,
    },
    /// Taken, but held back by the channel for a check of quality.
    Held {
        /// The channel's id of the message.
        provider_id: String,
    },
    /// Not taken now; not before so many seconds.
    RetryAfter {
        /// Seconds to wait.
        seconds: u32,
        /// Who has to wait.
        scope: RetryScope,
        /// What it said.
        reason: String,
    },
    /// Not taken, and never for this recipient.
    RecipientRejected {
        /// What it said, without the number.
        reason: String,
    },
    /// Our message or set-up is wrong; a person must act.
    ConfigError {
        /// What it said.
        reason: String,
    },
    /// The channel as a whole is stopped (token, billing, quality); keep messages until a person acts.
    ChannelDown {
        /// What it said.
        reason: String,
    },
}

impl SendOutcome {
    /// What an attempt came to, in the words of the rule (rule N8).
    #[must_use]
    pub const fn answer(said: &Result<Self, PortError>) -> Answer {
        match said {
            Ok(Self::Accepted { .. } | Self::Held { .. }) => Answer::Taken,
            Ok(Self::RetryAfter { seconds, scope, .. }) => Answer::NotNow(*scope, *seconds),
            Ok(Self::RecipientRejected { .. }) => Answer::Never,
            Ok(Self::ConfigError { .. }) => Answer::Wrong,
            Ok(Self::ChannelDown { .. }) => Answer::NotNow(RetryScope::Account, 0),
            Err(PortError::Unknown { .. }) => Answer::Unknown,
            Err(PortError::NotSent { .. }) => Answer::NotSent,
            Err(_) => Answer::Never,
        }
    }

    /// True when the message or its template is wrong, and a person may correct it.
    #[must_use]
    pub const fn to_correct(said: &Result<Self, PortError>) -> bool {
        matches!(said, Ok(Self::ConfigError { .. }))
    }
}
