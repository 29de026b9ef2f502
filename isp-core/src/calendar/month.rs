//! A month of a year.

use std::fmt;
use std::str::FromStr;

use super::date::days_from_civil;
use super::{BillingDay, Date, Period};
use crate::error::Error;

/// A month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub(super) i32);

impl Month {
    /// The month of that year, 1 to 12.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        Date::from_ymd(year, month, 1).map(Date::month)
    }

    /// This month moved by `months`, which may be negative.
    #[must_use]
    pub const fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// Year and month (1 to 12).
    #[must_use]
    pub const fn year_month(self) -> (i32, u32) {
        (self.0.div_euclid(12), self.0.rem_euclid(12) as u32 + 1)
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> Date {
        let (y, m) = self.year_month();
        Date::from_day_number(days_from_civil(y, m, 1))
    }

    /// How many days it has.
    #[must_use]
    pub const fn days(self) -> u32 {
        let (y, m) = self.year_month();
        match m {
            2 if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// The whole month as a period.
    #[must_use]
    pub const fn period(self) -> Period {
        Period { start: self.first(), end: self.plus(1).first() }
    }

    /// `day`, or the month's last day when the month is shorter (rule C2).
    #[must_use]
    pub const fn clamp(self, day: BillingDay) -> Date {
        let last = self.days();
        let day = if (day.0 as u32) < last { day.0 as u32 } else { last };
        self.first().plus_days(day as i32 - 1)
    }
}

impl fmt::Display for Month {
    /// `2026-01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m) = self.year_month();
        f.pad(&format!("{y:04}-{m:02}"))
    }
}

impl FromStr for Month {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Date::parse(&format!("{}-01", text.trim())).map(Date::month)
    }
}
