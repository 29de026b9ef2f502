//! That something recorded holds no longer. What was recorded stays as it was said; that it ended early or was a mistake is a
//! fact of its own, with who said so, when and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::{DepositId, ExemptionId, ExpenseId, InstallationOrderId, OutageId, PayoutId, PromiseId, RefundId};

/// That a record holds no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// How.
    pub kind: EndingKind,
    /// From when on it holds no longer.
    pub at: DateTime<Utc>,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Ending {
    /// An ending with a reason.
    ///
    /// # Errors
    /// [`Error::Empty`] without who or why.
    pub fn try_new(kind: EndingKind, at: DateTime<Utc>, by: &str, reason: &str) -> Result<Self, Error> {
        let said = |field, text: &str| match text.trim() {
            "" => Err(Error::Empty { field }),
            text => Ok(text.to_owned()),
        };
        Ok(Self { kind, at, by: said("by", by)?, reason: said("reason", reason)? })
    }

    /// The ending of a record that has none yet.
    ///
    /// # Errors
    /// [`Error::AlreadyEnded`] when it has one: what was said stays.
    pub fn after(self, known: Option<&Self>) -> Result<Self, Error> {
        if known.is_some() { Err(Error::AlreadyEnded) } else { Ok(self) }
    }

    /// True when a record with this ending, if it has one, was over at a moment.
    #[must_use]
    pub fn is_over(ending: Option<&Self>, now: DateTime<Utc>) -> bool {
        ending.is_some_and(|ending| ending.at <= now)
    }

    /// True when a record with this ending, if it has one, was a mistake.
    #[must_use]
    pub fn is_taken_back(ending: Option<&Self>) -> bool {
        ending.is_some_and(|ending| ending.kind == EndingKind::TakenBack)
    }
}

/// How a record came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingKind {
    /// It held until then.
    Ended,
    /// It was recorded by mistake: a promise does not count against the limit, an outage gives nothing back, an expense, an
    /// installation, a deposit and a payout are booked back.
    TakenBack,
}

impl EndingKind {
    /// `ended` or `taken_back`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::TakenBack => "taken_back",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "ended" => Ok(Self::Ended),
            "taken_back" => Ok(Self::TakenBack),
            _ => Err(Error::NotOneOf { field: "kind", expected: "ended, taken_back" }),
        }
    }
}

/// Something recorded that can be ended or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordId {
    /// A promise.
    Promise(PromiseId),
    /// An exemption.
    Exemption(ExemptionId),
    /// An outage.
    Outage(OutageId),
    /// An expense.
    Expense(ExpenseId),
    /// An installation order.
    Installation(InstallationOrderId),
    /// What a collector handed over.
    Deposit(DepositId),
    /// What a payment gateway paid out.
    Payout(PayoutId),
    /// Credit that was paid out to a customer.
    Refund(RefundId),
}

impl RecordId {
    /// `promise`, `exemption`, `outage`, `expense`, `installation`, `deposit`, `payout` or `refund`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Promise(_) => "promise",
            Self::Exemption(_) => "exemption",
            Self::Outage(_) => "outage",
            Self::Expense(_) => "expense",
            Self::Installation(_) => "installation",
            Self::Deposit(_) => "deposit",
            Self::Payout(_) => "payout",
            Self::Refund(_) => "refund",
        }
    }

    /// The id itself.
    #[must_use]
    pub const fn uuid(self) -> uuid::Uuid {
        match self {
            Self::Promise(id) => id.0,
            Self::Exemption(id) => id.0,
            Self::Outage(id) => id.0,
            Self::Expense(id) => id.0,
            Self::Installation(id) => id.0,
            Self::Deposit(id) => id.0,
            Self::Payout(id) => id.0,
            Self::Refund(id) => id.0,
        }
    }
}
