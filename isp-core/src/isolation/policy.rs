//! Settings of isolation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::calendar::{Date, Period, TimeOfDay};
use crate::error::Error;
use crate::holiday::{self, PublicHolidays};

/// When a line is isolated and reopened (rules I1, I4, I6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IsolationPolicy {
    /// Days past the due date after which an unpaid line is isolated.
    pub isolate_after_days: u16,
    /// Not before this local time.
    pub isolate_at: TimeOfDay,
    /// True when Saturdays and Sundays are days like others.
    pub on_weekends: bool,
    /// The public holidays on which nobody is isolated.
    pub public_holidays: PublicHolidays,
    /// The operator's own days on which nobody is isolated.
    pub holidays: BTreeSet<Date>,
    /// Reopen when this share of what was overdue at isolation is paid; `None`: all of it.
    pub reopen_when_paid_percent: Option<u8>,
    /// A run may isolate or close this many lines of a router without approval ...
    pub breaker_count: u32,
    /// ... or this share of its subscribers, in percent, whichever is more.
    pub breaker_percent: u32,
}

impl IsolationPolicy {
    /// True on a day on which lines may be isolated.
    #[must_use]
    pub fn allows_day(&self, today: Date) -> bool {
        (self.on_weekends || !today.is_weekend()) && !self.is_holiday(today)
    }

    /// True on a public holiday that this policy keeps and on the operator's own days.
    #[must_use]
    pub fn is_holiday(&self, today: Date) -> bool {
        self.holidays.contains(&today) || holiday::on(today).is_some_and(|h| self.public_holidays.keeps(h.kind))
    }

    /// The day on which an invoice with this due date may first lead to isolation: after the grace, on an allowed day.
    #[must_use]
    pub fn isolation_day(&self, due_date: Date) -> Date {
        let first = due_date.plus_days(i32::from(self.isolate_after_days));
        // A year of holidays in a row is no calendar that anybody keeps.
        (0..366).map(|days| first.plus_days(days)).find(|day| self.allows_day(*day)).unwrap_or(first)
    }

    /// How many lines of a router with that many subscribers a run may isolate or close without approval (rule I6).
    #[must_use]
    pub fn breaker_limit(&self, subscribers: u64) -> u64 {
        u64::from(self.breaker_count).max(subscribers * u64::from(self.breaker_percent) / 100)
    }
}

impl Default for IsolationPolicy {
    fn default() -> Self {
        Self {
            isolate_after_days: 5,
            isolate_at: TimeOfDay::hour(10),
            on_weekends: false,
            public_holidays: PublicHolidays::All,
            holidays: BTreeSet::new(),
            reopen_when_paid_percent: None,
            breaker_count: 20,
            breaker_percent: 10,
        }
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
    /// use isp_core::{calendar::{Date, Period}, isolation::PromisePolicy, Error};
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
