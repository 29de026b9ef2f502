//! Settings of isolation.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::{Date, TimeOfDay, Zone};
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
    /// A proof of transfer that waits for review holds isolation back for so many working days (rule P8): days that are neither
    /// a weekend nor a holiday. Zero: it holds nothing back.
    pub proof_working_days: u16,
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

    /// Until when a proof of transfer that arrived at a moment holds isolation back from a line whose oldest unpaid invoice has this
    /// due date, if nobody reviews it (rule P8). The days count from the arrival, or from the day on which the line could first be
    /// isolated: before it there is nothing to hold back, and who reviews it has these days in any case.
    ///
    /// ```
    /// use isp_core::{calendar::{Date, Zone}, isolation::IsolationPolicy};
    /// let (policy, day) = (IsolationPolicy::default(), |text: &str| Date::parse(text).unwrap());
    /// let until = |arrived: &str| policy.proof_until(day(arrived).at(15, 0, Zone::Wib), day("2026-01-04"), Zone::Wib);
    /// // Thursday at 15:00: Friday and Monday are the two days.
    /// assert_eq!(until("2026-01-22"), day("2026-01-26").at(15, 0, Zone::Wib));
    /// // Saturday: it is as if it had arrived when Monday began.
    /// assert_eq!(until("2026-01-24"), day("2026-01-28").midnight(Zone::Wib));
    /// // Before the due date: the line could be isolated on Friday the 9th, so Friday and Monday are the two days.
    /// assert_eq!(until("2026-01-02"), day("2026-01-13").midnight(Zone::Wib));
    /// ```
    #[must_use]
    pub fn proof_until(&self, arrived_at: DateTime<Utc>, due_date: Date, zone: Zone) -> DateTime<Utc> {
        if self.proof_working_days == 0 {
            return arrived_at;
        }
        let arrived_at = arrived_at.max(self.isolation_day(due_date).midnight(zone));
        let next_working_day = |from: Date| {
            let works = |day: &Date| !day.is_weekend() && !self.is_holiday(*day);
            // A year of holidays in a row is no calendar that anybody keeps.
            (0..366).map(|days| from.plus_days(days)).find(works).unwrap_or(from)
        };
        let arrived_on = zone.date_of(arrived_at);
        let first = next_working_day(arrived_on);
        let into_day = if first == arrived_on { arrived_at - arrived_on.midnight(zone) } else { TimeDelta::zero() };
        let last = (0..self.proof_working_days).fold(first, |day, _| next_working_day(day.plus_days(1)));
        last.midnight(zone) + into_day
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
            proof_working_days: 2,
            reopen_when_paid_percent: None,
            breaker_count: 20,
            breaker_percent: 10,
        }
    }
}
