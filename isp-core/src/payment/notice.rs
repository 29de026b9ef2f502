//! What a gateway says of a payment request, by a webhook or when it is asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::payment::Instructions;
use crate::text::{Code, Reference};

/// What a gateway says of a payment request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentNotice {
    /// Which gateway, by the name it has in the settings.
    pub gateway: Code,
    /// Our reference, as the gateway gives it back.
    pub reference: Reference,
    /// What the gateway calls the payment; with the gateway, it makes the payment one.
    pub provider_id: Reference,
    /// What happened.
    pub state: NoticeState,
    /// What counts for the customer: what was paid, less `payer_fee`. For a refund, what was given back.
    pub gross: Money,
    /// What the payer paid on top for the gateway; it never was ours.
    pub payer_fee: Money,
    /// What the gateway keeps of `gross`; `None` where it does not tell.
    pub fee: Option<Money>,
    /// When the customer paid.
    pub paid_at: Option<DateTime<Utc>>,
    /// How the customer paid, in the gateway's words.
    pub channel: Option<String>,
    /// With what it is to be paid, where an answer tells it again.
    pub instructions: Instructions,
    /// True when the gateway itself said all of this: its signature covers it, or it is the answer to a question of ours.
    /// Otherwise it is a hint, and the gateway is asked before anything follows from it.
    pub sure: bool,
}

impl PaymentNotice {
    /// That a gateway was asked, and knows of no payment yet: the request waits for its money.
    #[must_use]
    pub fn waiting(gateway: Code, reference: Reference) -> Self {
        Self {
            gateway,
            provider_id: reference.clone(),
            reference,
            state: NoticeState::Pending,
            gross: Money::ZERO,
            payer_fee: Money::ZERO,
            fee: None,
            paid_at: None,
            channel: None,
            instructions: Instructions::default(),
            sure: true,
        }
    }
}

/// What happened to a payment request, in a gateway's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It waits for its money.
    Pending,
    /// It was paid.
    Paid,
    /// Its time ran out.
    Expired,
    /// It was cancelled, refused or failed: no money came, and none comes.
    Cancelled,
    /// Money was given back, all or a part.
    Refunded,
}

impl NoticeState {
    /// `pending`, `paid`, `expired`, `cancelled` or `refunded`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }
}

/// Why a webhook of a gateway is not believed or not understood. None of these carries any of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeRefused {
    /// There is no signature, or it has not the form of one.
    #[error("the webhook signature is missing or malformed")]
    SignatureMissing,
    /// The signature does not belong to these bytes.
    #[error("the webhook signature does not match")]
    SignatureMismatch,
    /// The secret of this side is empty: anybody could sign with it, so nothing is believed.
    #[error("the secret of the webhook is empty")]
    NotSetUp,
    /// Signed, but not a notice of this gateway.
    #[error("the webhook body is not a payment notice")]
    Malformed,
    /// The money is not rupiah.
    #[error("the payment notice is not in rupiah")]
    Currency,
    /// It is for another merchant account.
    #[error("the payment notice is for another account")]
    OtherAccount,
    /// An amount is below zero, has a fraction of a rupiah, or cannot be read.
    #[error("the amount of the payment notice cannot be read")]
    Amount,
    /// It was made too long before it came, or after.
    #[error("the webhook was made too long before or after it came")]
    Stale,
    /// Signed and understood, and about no payment request: a test call, another event. There is nothing to do.
    #[error("the webhook is not about a payment request")]
    NotAPayment,
}

impl NoticeRefused {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SignatureMissing => "webhook.signature_missing",
            Self::SignatureMismatch => "webhook.signature_mismatch",
            Self::NotSetUp => "webhook.not_set_up",
            Self::Malformed => "webhook.malformed",
            Self::Currency => "webhook.currency",
            Self::OtherAccount => "webhook.other_account",
            Self::Amount => "webhook.amount",
            Self::Stale => "webhook.stale",
            Self::NotAPayment => "webhook.not_a_payment",
        }
    }

    /// The HTTP status to answer with: 200 where there is nothing to do, so that it does not come again.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::SignatureMissing | Self::SignatureMismatch => 401,
            Self::NotSetUp => 503,
            Self::Malformed | Self::Currency | Self::OtherAccount | Self::Amount | Self::Stale => 400,
            Self::NotAPayment => 200,
        }
    }

    /// Never: the gateway itself sends again.
    #[must_use]
    pub const fn retryable(self) -> bool {
        false
    }
}

/// The value of a header of a webhook, its name compared without case; `None` when it is not there or there twice.
#[must_use]
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value.trim()),
        _ => None,
    }
}

/// The headers of these names, compared without case; all values of a name, so that who reads them sees when one is there twice.
#[must_use]
pub fn only(headers: &[(String, String)], names: &[&str]) -> Vec<(String, String)> {
    let wanted = |(key, _): &&(String, String)| names.iter().any(|name| key.eq_ignore_ascii_case(name));
    headers.iter().filter(wanted).cloned().collect()
}
