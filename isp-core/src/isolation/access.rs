//! Desired and observed access (rule I5).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{AccessEventId, RouterId, SubscriptionId, derive};
use crate::money::Money;
use crate::package::UserGroup;
use crate::subscription::Account;

/// What a router should allow, or allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Full service of the package.
    Open,
    /// Isolated (*isolir*): connected, but only to the pages for paying.
    Isolated,
    /// No service: pending, paused or terminated.
    Closed,
}

impl Access {
    /// `open`, `isolated` or `closed`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Isolated => "isolated",
            Self::Closed => "closed",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`crate::Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, crate::Error> {
        match text {
            "open" => Ok(Self::Open),
            "isolated" => Ok(Self::Isolated),
            "closed" => Ok(Self::Closed),
            _ => Err(crate::Error::NotOneOf { field: "access", expected: "open, isolated, closed" }),
        }
    }
}

/// Why a line is isolated (rule I3). A payment reopens only what arrears caused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IsolationCause {
    /// Unpaid invoices.
    Arrears,
    /// Somebody's decision.
    Manual,
}

impl IsolationCause {
    /// `arrears` or `manual`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Arrears => "arrears",
            Self::Manual => "manual",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`crate::Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, crate::Error> {
        match text {
            "arrears" => Ok(Self::Arrears),
            "manual" => Ok(Self::Manual),
            _ => Err(crate::Error::NotOneOf { field: "cause", expected: "arrears, manual" }),
        }
    }
}

/// The access that the engine wants for a subscription, and what the router last said.
// Kept in this order: what a decision reads comes last, beside the rest that it reads of the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[repr(C)]
pub struct ServiceAccess {
    /// Whose access.
    pub subscription_id: SubscriptionId,
    /// When the present isolation began, and the overdue residual then.
    pub isolated: Option<IsolatedSince>,
    /// Raised by one with each change of `desired` or of the package: the router is up to date when
    /// `observed.revision` equals it.
    pub revision: u64,
    /// Raised by every commit that touches what isolation is decided from (payments, promises, this row), so that a
    /// decision from older facts cannot be written.
    pub version: u64,
    /// What the router last said; `None` before its first answer.
    pub observed: Option<ObservedAccess>,
    /// What we want.
    pub desired: Access,
    /// Why, when that is [`Access::Isolated`].
    pub cause: Option<IsolationCause>,
}

impl ServiceAccess {
    /// The access of a new subscription.
    #[must_use]
    pub fn new(subscription_id: SubscriptionId, desired: Access) -> Self {
        Self { subscription_id, desired, cause: None, isolated: None, revision: 1, version: 0, observed: None }
    }

    /// True when the router said that it has what we want.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.observed.as_ref().is_some_and(|o| agree(self.desired, o.access, o.revision == self.revision))
    }
}

/// True when a router said of what is wanted now (`current`) that it has it.
pub(crate) fn agree(desired: Access, said: Option<Access>, current: bool) -> bool {
    current && said == Some(desired)
}

/// The start of an isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolatedSince {
    /// When the engine decided it.
    pub at: DateTime<Utc>,
    /// The overdue residual then; zero for a manual isolation.
    pub overdue: Money,
}

/// What a router said of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedAccess {
    /// What it allows; `None` when the account is not there or its profile is none of ours.
    pub access: Option<Access>,
    /// The desired revision that was being applied, or that a survey compared with; 0 for a mere look. Whether the router
    /// has it is in `access`.
    pub revision: u64,
    /// When it said so.
    pub at: DateTime<Utc>,
    /// Its words, short and without secrets.
    pub answer: String,
}

impl ObservedAccess {
    /// That a router refused to bring an account to a revision.
    #[must_use]
    pub fn refused(revision: u64, at: DateTime<Utc>, code: &str, reason: &str) -> Self {
        Self { access: None, revision, at, answer: format!("{code}: {reason}") }
    }
}

/// All that a router needs to know to serve one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTarget {
    /// Whose access.
    pub subscription_id: SubscriptionId,
    /// On which router.
    pub router_id: RouterId,
    /// What it is known by there.
    pub account: Account,
    /// The group of its package.
    pub group: UserGroup,
    /// What we want.
    pub desired: Access,
    /// Which revision of that.
    pub revision: u64,
    /// True when an account of that name that carries no mark of ours may be taken over, as an import of existing
    /// accounts was confirmed.
    pub adopt: bool,
    /// The subscriptions that had this user name on this router before, whose account is taken over with its mark: a
    /// customer who comes back has one account there, never two.
    #[serde(default)]
    pub succeeds: Vec<SubscriptionId>,
    /// True for what its line has left for another account, address or device. An account is closed as any other; of an
    /// address or a device, to which nobody logs in, every trace goes.
    #[serde(default)]
    pub left: bool,
    /// True for an account that goes from the router and is not only closed: the data of its customer was erased.
    #[serde(default)]
    pub forget: bool,
}

/// Something that happened to a service access. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEvent {
    /// The row; follows from subscription and revision.
    pub id: AccessEventId,
    /// Whose access.
    pub subscription_id: SubscriptionId,
    /// When the engine decided it.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: AccessEventKind,
    /// Who decided: `engine` or an officer's name.
    pub by: String,
    /// Why, in the words of who decided; for the engine, a [`crate::isolation::Reason`] code.
    pub reason: String,
    /// The overdue residual at that moment.
    pub overdue: Money,
    /// The revision that it made.
    pub revision: u64,
}

/// What of an event says how long a line was isolated. Money follows from it, and nothing else of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: AccessEventKind,
}

impl AccessEvent {
    /// What happened when.
    #[must_use]
    pub fn happened(&self) -> Happened {
        Happened { at: self.at, kind: self.kind }
    }

    /// The id of the event that makes a revision.
    #[must_use]
    pub fn id_of(subscription: SubscriptionId, revision: u64) -> AccessEventId {
        AccessEventId(derive(subscription.0, &["access", &revision.to_string()]))
    }
}

/// What happened to a service access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessEventKind {
    /// It came to be.
    Registered,
    /// Isolated for arrears.
    IsolatedArrears,
    /// Isolated by hand.
    IsolatedManual,
    /// Reopened.
    Reopened,
    /// The package, and with it the group, changed.
    GroupChanged,
    /// Closed: paused or terminated.
    Closed,
}

impl AccessEventKind {
    /// True for the kinds that customers are told of: one makes what was said of an earlier one untrue.
    #[must_use]
    pub const fn is_told(self) -> bool {
        self.leads_to().is_some()
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::IsolatedArrears => "isolated_arrears",
            Self::IsolatedManual => "isolated_manual",
            Self::Reopened => "reopened",
            Self::GroupChanged => "group_changed",
            Self::Closed => "closed",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`crate::Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, crate::Error> {
        [
            Self::Registered,
            Self::IsolatedArrears,
            Self::IsolatedManual,
            Self::Reopened,
            Self::GroupChanged,
            Self::Closed,
        ]
        .into_iter()
        .find(|k| k.code() == text)
        .ok_or(crate::Error::NotOneOf { field: "kind", expected: "an access event kind" })
    }

    /// The access that it leads to, and the cause of an isolation.
    #[must_use]
    pub const fn leads_to(self) -> Option<(Access, Option<IsolationCause>)> {
        match self {
            Self::Registered | Self::Reopened => Some((Access::Open, None)),
            Self::IsolatedArrears => Some((Access::Isolated, Some(IsolationCause::Arrears))),
            Self::IsolatedManual => Some((Access::Isolated, Some(IsolationCause::Manual))),
            Self::GroupChanged => None,
            Self::Closed => Some((Access::Closed, None)),
        }
    }
}
