//! What a person does to lines: isolating and reopening by hand (rule I3).

use crate::error::Error;
use crate::isolation::{Access, AccessEventKind, IsolationCause, ServiceAccess};
use crate::text::given;

/// What a person wants of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// They are isolated until a person reopens them.
    Isolate,
    /// They are open, whatever had isolated them.
    Reopen,
}

impl Hand {
    /// The event that it is.
    #[must_use]
    pub const fn event(self) -> AccessEventKind {
        match self {
            Self::Isolate => AccessEventKind::IsolatedManual,
            Self::Reopen => AccessEventKind::Reopened,
        }
    }

    /// Whether there is anything to do on a line. One that arrears have isolated may be isolated by hand: then a payment
    /// reopens it no more.
    ///
    /// ```
    /// # use isp_core::{isolation::{Access, IsolationCause, ServiceAccess, by_hand::Hand}, ids::SubscriptionId};
    /// # let line = |desired, cause| ServiceAccess { cause, ..ServiceAccess::new(SubscriptionId(uuid::Uuid::from_u128(1)), desired) };
    /// assert!(Hand::Isolate.concerns(&line(Access::Isolated, Some(IsolationCause::Arrears))));
    /// assert!(!Hand::Isolate.concerns(&line(Access::Isolated, Some(IsolationCause::Manual))));
    /// assert!(!Hand::Reopen.concerns(&line(Access::Open, None)));
    /// assert!(!Hand::Isolate.concerns(&line(Access::Closed, None)));
    /// ```
    #[must_use]
    pub fn concerns(self, access: &ServiceAccess) -> bool {
        let isolated = access.desired == Access::Isolated;
        match self {
            Self::Isolate => access.desired == Access::Open || isolated && access.cause != Some(IsolationCause::Manual),
            Self::Reopen => isolated,
        }
    }
}

/// Whether it is said who does it, and why.
///
/// # Errors
/// [`Error::Empty`].
pub fn check(by: &str, reason: &str) -> Result<(), Error> {
    given("reason", reason)?;
    given("by", by)
}
