//! What protects a line, without whose it is: all that a decision about access reads of a promise, an exemption, an outage.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::ending::Ending;

/// The days of a promise or an exemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedDays {
    /// The first day: that on which a promise was made.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// Why, for an exemption; empty for a promise.
    #[serde(default)]
    pub reason: String,
    /// That it holds no longer, if somebody said so.
    #[serde(default)]
    pub ending: Option<Ending>,
}

impl ProtectedDays {
    /// True when it protects at a moment, which lies on the day `today` at the customer's place.
    #[must_use]
    pub fn holds(&self, today: Date, now: DateTime<Utc>) -> bool {
        self.from <= today && today <= self.until && !Ending::is_over(self.ending.as_ref(), now)
    }

    /// True when a promise counts against [`PromisePolicy::per_period`](super::PromisePolicy::per_period): one that was taken
    /// back does not.
    #[must_use]
    pub fn counts(&self) -> bool {
        !Ending::is_taken_back(self.ending.as_ref())
    }
}

/// When an outage was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutageTimes {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when; `None` while it lasts.
    pub until: Option<DateTime<Utc>>,
    /// That it was recorded by mistake, if somebody said so; an outage that is over has its end in `until`.
    #[serde(default)]
    pub ending: Option<Ending>,
}

impl OutageTimes {
    /// True when it protects the lines of its site at a moment.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until) && !Ending::is_over(self.ending.as_ref(), now)
    }
}
