//! Promises to pay (*janji bayar*) and how many a customer may make.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::{Anchor, Date, Period};
use crate::ending::Ending;
use crate::error::Error;
use crate::ids::{CustomerId, PromiseId};
use crate::protection::ProtectedDays;

/// A promise to pay (*janji bayar*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The row.
    pub id: PromiseId,
    /// Whose.
    pub customer_id: CustomerId,
    /// When it was made.
    pub made_on: Date,
    /// The last day on which it protects.
    pub until: Date,
    /// Who took it.
    pub by: String,
    /// That it holds no longer, if somebody said so.
    #[serde(default)]
    pub ending: Option<Ending>,
}

impl Promise {
    /// True when it protects at a moment, which lies on the day `today` at the customer's place.
    #[must_use]
    pub fn holds(&self, today: Date, now: DateTime<Utc>) -> bool {
        self.days().holds(today, now)
    }

    /// The days that it protects.
    #[must_use]
    pub fn days(&self) -> ProtectedDays {
        let Self { made_on, until, ending, .. } = self;
        ProtectedDays { from: *made_on, until: *until, reason: String::new(), ending: ending.clone() }
    }
}

/// How often and for how long a customer may hold isolation off with a promise to pay (*janji bayar*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromisePolicy {
    /// How many days from the day it is made a promise may run.
    pub max_days: u16,
    /// How many promises a customer may make in one period of billing.
    pub per_period: u32,
}

impl PromisePolicy {
    /// Checks a new promise of a customer with lines on these grids against those that were made before and count
    /// ([`ProtectedDays::counts`]). Of several lines, the one whose period began last decides; without a line it is the month.
    ///
    /// # Errors
    /// As [`PromisePolicy::check`].
    pub fn admit(
        &self,
        made_on: Date,
        until: Date,
        lines: impl IntoIterator<Item = Anchor>,
        made: &[Date],
    ) -> Result<(), Error> {
        let periods = lines.into_iter().map(|line| line.period(line.index_of(made_on)));
        let period = periods.max_by_key(|p| p.start).unwrap_or_else(|| made_on.month().period());
        self.check(made_on, until, period, made)
    }

    /// Checks a new promise against those that the customer made before. The period is the
    /// one of the customer's subscription that holds the day.
    ///
    /// ```
    /// use isp_core::{calendar::{Date, Period}, protection::PromisePolicy, Error};
    /// let day = |text| Date::parse(text).unwrap();
    /// let (policy, january) = (PromisePolicy::default(), day("2026-01-01").month().period());
    /// // Two weeks are allowed, once in a period.
    /// assert_eq!(policy.check(day("2026-01-20"), day("2026-02-03"), january, &[]), Ok(()));
    /// let long = policy.check(day("2026-01-20"), day("2026-02-04"), january, &[]);
    /// assert_eq!(long, Err(Error::PromiseTooLong { max_days: 14 }));
    /// let again = policy.check(day("2026-01-25"), day("2026-01-30"), january, &[day("2026-01-20")]);
    /// assert_eq!(again, Err(Error::TooManyPromises { limit: 1 }));
    /// // One of the period before does not count.
    /// assert_eq!(policy.check(day("2026-01-25"), day("2026-01-30"), january, &[day("2025-12-31")]), Ok(()));
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyPeriod`] when it ends before it is made, [`Error::PromiseTooLong`], [`Error::TooManyPromises`].
    pub fn check(&self, made_on: Date, until: Date, period: Period, made: &[Date]) -> Result<(), Error> {
        if until < made_on {
            return Err(Error::EmptyPeriod);
        }
        if until.days_since(made_on) > i32::from(self.max_days) {
            return Err(Error::PromiseTooLong { max_days: self.max_days });
        }
        let before = made.iter().filter(|day| period.contains(**day)).count();
        if before as u64 >= u64::from(self.per_period) {
            return Err(Error::TooManyPromises { limit: self.per_period });
        }
        Ok(())
    }
}

impl Default for PromisePolicy {
    fn default() -> Self {
        Self { max_days: 14, per_period: 1 }
    }
}
