//! Exemptions from isolation, each with a reason and an end.

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::ids::{CustomerId, ExemptionId};

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
}

impl Exemption {
    /// True on a day on which it protects.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }
}
