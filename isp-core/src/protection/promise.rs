//! Promises to pay (*janji bayar*) and how many a customer may make.

use serde::{Deserialize, Serialize};

use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::{CustomerId, PromiseId};

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
}

impl Promise {
    /// True on a day on which it protects.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.made_on <= day && day <= self.until
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
