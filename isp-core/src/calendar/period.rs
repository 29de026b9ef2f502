//! A span of days.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Date;
use crate::error::Error;

/// A span of days, from its start up to but not including its end (rule C3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub start: Date,
    /// The day after the last day.
    pub end: Date,
}

impl Period {
    /// A period of at least one day.
    ///
    /// # Errors
    /// [`Error::EmptyPeriod`] when `end` is not after `start`.
    pub fn try_new(start: Date, end: Date) -> Result<Self, Error> {
        if end > start { Ok(Self { start, end }) } else { Err(Error::EmptyPeriod) }
    }

    /// How many days it has.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.end.days_since(self.start)
    }

    /// True when the day is in it.
    #[must_use]
    pub fn contains(self, day: Date) -> bool {
        self.start <= day && day < self.end
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
