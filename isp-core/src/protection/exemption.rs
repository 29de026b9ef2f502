//! Exemptions from isolation, each with a reason and an end.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::ending::Ending;
use crate::error::Error;
use crate::ids::{CustomerId, ExemptionId};
use crate::protection::ProtectedDays;
use crate::text::given;

/// An exemption from isolation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// The row.
    pub id: ExemptionId,
    /// Whose.
    pub customer_id: CustomerId,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// Why.
    pub reason: String,
    /// Who granted it.
    pub by: String,
    /// That it holds no longer, if somebody said so.
    #[serde(default)]
    pub ending: Option<Ending>,
}

/// Whether an exemption makes sense: it ends on or after the day on which it begins, and has a reason.
///
/// # Errors
/// [`Error::EmptyPeriod`], [`Error::Empty`].
pub fn check(from: Date, until: Date, reason: &str) -> Result<(), Error> {
    if until < from {
        return Err(Error::EmptyPeriod);
    }
    given("reason", reason)
}

impl Exemption {
    /// The exemption, when it makes sense.
    ///
    /// # Errors
    /// As [`check`].
    pub fn checked(self) -> Result<Self, Error> {
        check(self.from, self.until, &self.reason).map(|()| self)
    }

    /// True when it protects at a moment, which lies on the day `today` at the customer's place.
    #[must_use]
    pub fn holds(&self, today: Date, now: DateTime<Utc>) -> bool {
        self.days().holds(today, now)
    }

    /// The days that it protects, and why.
    #[must_use]
    pub fn days(&self) -> ProtectedDays {
        let Self { from, until, reason, ending, .. } = self;
        ProtectedDays { from: *from, until: *until, reason: reason.clone(), ending: ending.clone() }
    }
}
