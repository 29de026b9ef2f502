//! Settings of isolation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::calendar::{Date, TimeOfDay};
use crate::holiday::{self, PublicHolidays};
use crate::money::Money;

/// When a line is isolated and reopened (rules A2, I1, I4, I6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IsolationPolicy {
    /// Days past the due date after which an unpaid line is isolated.
    pub isolate_after_days: u16,
    /// Nobody is isolated, or stays so, for less than this overdue in all of the line (rule A2); zero: for any debt.
    pub isolate_from: Money,
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
        self.next_allowed_day(due_date.plus_days(i32::from(self.isolate_after_days)))
    }

    /// The first day from `today` on on which lines may be isolated.
    #[must_use]
    pub fn next_allowed_day(&self, today: Date) -> Date {
        // A year of holidays in a row is no calendar that anybody keeps.
        (0..366).map(|days| today.plus_days(days)).find(|day| self.allows_day(*day)).unwrap_or(today)
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
            isolate_from: Money::rupiah(10_000),
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
