//! What a webhook can say, reduced to what an ISP acts upon.

use chrono::{DateTime, Utc};

use super::Status;
use crate::graph::GraphCode;
use crate::personal::Personal;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message of ours moved.
    Status(StatusUpdate),
    /// A customer wrote or pressed a button.
    Inbound(InboundMessage),
    /// Meta approved, paused, disabled or recategorised a template.
    Template(TemplateUpdate),
    /// A kind of notification or status this version does not act upon, by its field name or status word.
    Ignored(String),
    /// One part of the body, named by what it should have been, that cannot be read. The others are told all the same.
    Unreadable(&'static str),
}

/// A status of one message. Unique by `(message_id, status)`: keep that key in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusUpdate {
    /// Meta's id of the message (`wamid.…`).
    pub message_id: String,
    /// What happened.
    pub status: Status,
    /// When, by Meta's clock, to the second.
    pub at: DateTime<Utc>,
    /// What we gave along with the message: `tenant:outbox id`. Resolves a message whose outcome was unknown.
    pub callback_data: Option<String>,
    /// The recipient's number. Absent when the customer hides it behind a username.
    pub recipient: Option<Personal>,
    /// The recipient's business-scoped user id, such as `ID.1502…`.
    pub recipient_user_id: Option<Personal>,
    /// What Meta will charge for. Absent on `read` and `failed`.
    pub pricing: Option<Pricing>,
}

/// How Meta charges for a message. There is no amount in it: prices differ by country and change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pricing {
    /// Whether it is charged at all.
    pub billable: bool,
    /// `utility`, `marketing`, `authentication`, `service`.
    pub category: String,
    /// `regular`, `free_customer_service`, …; from Graph v24.0 on.
    pub kind: Option<String>,
}

/// A message from a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboundMessage {
    /// Meta's id of the message.
    pub message_id: String,
    /// When it was written, to the second.
    pub at: DateTime<Utc>,
    /// The customer's number, unless hidden behind a username.
    pub from: Option<Personal>,
    /// The customer's business-scoped user id.
    pub from_user_id: Option<Personal>,
    /// The message of ours that this one answers.
    pub in_reply_to: Option<String>,
    /// What it is.
    pub kind: InboundKind,
}

/// The content of a customer's message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboundKind {
    /// Free text.
    Text(Personal),
    /// A quick-reply button of one of our templates, by its payload (`OPTOUT`).
    Button(String),
    /// Anything else (picture, location, voice), by Meta's type word.
    Other(String),
}

/// News about a template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateUpdate {
    /// The template's name.
    pub name: String,
    /// Its language code.
    pub language: String,
    /// `APPROVED`, `REJECTED`, `PAUSED`, `DISABLED`, … as Meta writes it; the new category for a category change.
    pub event: String,
    /// The reason Meta gives, unless it is `NONE`.
    pub reason: Option<String>,
}

impl StatusUpdate {
    /// The error code of a failed message.
    #[must_use]
    pub fn failure(&self) -> Option<GraphCode> {
        match self.status {
            Status::Failed(code) => code,
            _ => None,
        }
    }
}
