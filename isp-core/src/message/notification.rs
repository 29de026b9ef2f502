//! A message to a customer, as typed facts; adapters turn it into a template or a text.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::{Date, Zone};
use crate::customer::Phone;
use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, OutboxId, PaymentId, SubscriptionId, TenantId, derive};
use crate::message::demand::{Demand, Sender};
use crate::message::inbound::Answer;
use crate::money::Money;
use crate::text::{Language, Name};

/// The kinds of message: five that follow from what happens (rule N1), and answers to what a customer wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Some days before the due date.
    DueSoon,
    /// Some days after it.
    Overdue,
    /// The line was isolated.
    Isolated,
    /// A payment came in.
    PaymentReceived,
    /// The line was reopened.
    Reopened,
    /// What a customer wrote is answered.
    Answer,
}

impl NotificationKind {
    /// The kinds that follow from what happens.
    pub const ALL: [Self; 5] = [Self::DueSoon, Self::Overdue, Self::Isolated, Self::PaymentReceived, Self::Reopened];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DueSoon => "due_soon",
            Self::Overdue => "overdue",
            Self::Isolated => "isolated",
            Self::PaymentReceived => "payment_received",
            Self::Reopened => "reopened",
            Self::Answer => "answer",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .chain([Self::Answer])
            .find(|k| k.code() == text)
            .ok_or(Error::NotOneOf { field: "kind", expected: "a notification kind" })
    }

    /// True for the kinds that respect quiet hours (rule N4).
    #[must_use]
    pub const fn keeps_quiet_hours(self) -> bool {
        matches!(self, Self::DueSoon | Self::Overdue | Self::Isolated)
    }
}

/// What makes a message be sent once (rule N2): kind, level and what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotificationKey {
    /// Which kind.
    pub kind: NotificationKind,
    /// Which level: the day offset of a reminder, 0 for the others.
    pub level: u16,
    /// What about: an invoice, a statement, an isolation (its event id) or a payment, as the bare id.
    pub subject: uuid::Uuid,
}

/// A message to send, with the facts it states. It is written to the outbox with its keys; a store that has one of
/// the keys already does not write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The row of the outbox; follows from the keys.
    pub id: OutboxId,
    /// Which kind.
    pub kind: NotificationKind,
    /// Which level.
    pub level: u16,
    /// To whom.
    pub customer_id: CustomerId,
    /// About which subscription, for the kinds that are about one.
    pub subscription_id: Option<SubscriptionId>,
    /// The other subscriptions that it is about, where the customer has one document for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<SubscriptionId>,
    /// The payment, for [`NotificationKind::PaymentReceived`].
    pub payment_id: Option<PaymentId>,
    /// What is answered, for [`NotificationKind::Answer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The invoices that it is about, oldest first.
    pub invoices: Vec<InvoiceId>,
    /// Its keys, at least one.
    pub keys: Vec<NotificationKey>,
    /// The earliest moment to send it.
    pub not_before: DateTime<Utc>,
    /// The customer's zone.
    pub zone: Zone,
}

impl Notification {
    /// A message about one or more subjects, with its keys and id made from them.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        kind: NotificationKind,
        level: u16,
        customer_id: CustomerId,
        subjects: &[uuid::Uuid],
        not_before: DateTime<Utc>,
        zone: Zone,
    ) -> Self {
        let keys: Vec<_> = subjects.iter().map(|subject| NotificationKey { kind, level, subject: *subject }).collect();
        let mut words = vec!["message".to_owned(), kind.code().to_owned(), level.to_string()];
        words.extend(subjects.iter().map(ToString::to_string));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Self {
            id: OutboxId(derive(tenant.0, &words)),
            kind,
            level,
            customer_id,
            subscription_id: None,
            also: Vec::new(),
            payment_id: None,
            answer: None,
            invoices: Vec::new(),
            keys,
            not_before,
            zone,
        }
    }
}

/// A message made ready at the moment of sending: who, where, and the facts as they are now (rule N3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingMessage {
    /// The row of the outbox, for matching the provider's reports.
    pub id: OutboxId,
    /// The tenant, likewise.
    pub tenant: TenantId,
    /// Where to.
    pub to: Phone,
    /// In which language.
    pub language: Language,
    /// The customer's name.
    pub name: Name,
    /// What it says.
    pub content: MessageContent,
    /// Everything that the customer owes, for the kinds that speak of money (rule N6); `None` when the caller tells only what
    /// is in `content`.
    #[serde(default)]
    pub demand: Option<Demand>,
    /// Who asks, and how to pay; `None` while the provider has not set it.
    #[serde(default)]
    pub sender: Option<Sender>,
}

impl OutgoingMessage {
    /// True when it asks for money and names nobody who asks (rule N6): the provider has not set its name, and is told.
    #[must_use]
    pub fn asks_unnamed(&self) -> bool {
        self.sender.is_none() && self.content.asks_for_money()
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageContent {
    /// An invoice falls due.
    DueSoon {
        /// Name of the package.
        package: Name,
        /// Numbers of all open invoices of the customer, as shown, oldest due first.
        invoices: Vec<String>,
        /// Sum of their residuals.
        amount: Money,
        /// Earliest due date of those that the message is about.
        due_date: Date,
    },
    /// An invoice is overdue.
    Overdue {
        /// Name of the package.
        package: Name,
        /// Numbers of all open invoices of the customer, as shown, oldest due first.
        invoices: Vec<String>,
        /// Sum of their residuals.
        amount: Money,
        /// Earliest due date.
        due_date: Date,
        /// Days past it.
        days_late: u16,
        /// The day on which the line may be isolated.
        isolation_date: Date,
    },
    /// The line is isolated.
    Isolated {
        /// Name of the package.
        package: Name,
        /// What to pay to reopen it; zero when it was isolated by hand.
        amount: Money,
        /// Since which day.
        since: Date,
    },
    /// A payment came in.
    PaymentReceived {
        /// How much.
        amount: Money,
        /// The provider's reference.
        reference: String,
        /// When the customer paid, on the customer's calendar.
        paid_on: Date,
        /// What is still open afterwards.
        still_open: Money,
    },
    /// The line is open again.
    Reopened {
        /// Name of the package.
        package: Name,
        /// Since which day.
        since: Date,
    },
    /// What a customer wrote is answered, within a day, in words of our own.
    Answer(Answer),
}

impl MessageContent {
    /// True when it asks the customer to pay. A receipt and an answer tell what is open, and ask for nothing.
    #[must_use]
    pub const fn asks_for_money(&self) -> bool {
        match self {
            Self::DueSoon { .. } | Self::Overdue { .. } => true,
            Self::Isolated { amount, .. } => amount.is_positive(),
            Self::PaymentReceived { .. } | Self::Reopened { .. } | Self::Answer(_) => false,
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> NotificationKind {
        match self {
            Self::DueSoon { .. } => NotificationKind::DueSoon,
            Self::Overdue { .. } => NotificationKind::Overdue,
            Self::Isolated { .. } => NotificationKind::Isolated,
            Self::PaymentReceived { .. } => NotificationKind::PaymentReceived,
            Self::Reopened { .. } => NotificationKind::Reopened,
            Self::Answer(_) => NotificationKind::Answer,
        }
    }
}
