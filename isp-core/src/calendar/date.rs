//! A civil day.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{Month, Zone};
use crate::error::Error;

/// A civil day, held as the number of days since 1970-01-01.
// With its sign turned over the number keeps its order and is never zero, so that `Option<Date>` takes no more room than a day:
// a line has seven of them, and a run looks at every line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NonZeroU32);

const SIGN: u32 = 1 << 31;
const _: () = assert!(size_of::<Option<Date>>() == size_of::<Date>());

impl Date {
    /// The first day this program accepts.
    pub const MIN: Self = Self::from_day_number(0);
    /// The last day this program accepts: 2199-12-31.
    pub const MAX: Self = Self::from_day_number(84_005);

    /// The day of that year, month and day of the month, if it exists between 1970 and 2199.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self::from_naive).filter(|d| (Self::MIN..=Self::MAX).contains(d))
    }

    /// The day with this number (days since 1970-01-01).
    #[must_use]
    pub const fn from_day_number(number: i32) -> Self {
        // The one number that has no place is that of a day before there were people.
        match NonZeroU32::new(number.cast_unsigned() ^ SIGN) {
            Some(number) => Self(number),
            None => Self(NonZeroU32::MIN),
        }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn day_number(self) -> i32 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// The same day as chrono has it.
    #[must_use]
    pub fn from_naive(date: NaiveDate) -> Self {
        Self::from_day_number(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// The same day for chrono.
    #[must_use]
    pub fn to_naive(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.day_number() + EPOCH_FROM_CE).unwrap_or(NaiveDate::MAX)
    }

    /// Reads `2026-01-31`, `31/01/2026`, `31-01-2026`, `31 Jan 2026` and the like, the day before the month; see
    /// [`day`](super::day()). A bare number or a year of two digits is no day here.
    ///
    /// # Errors
    /// [`Error::DateFormat`] when it is none of these, or no such day exists.
    pub fn parse(text: &str) -> Result<Self, Error> {
        use super::day::{DayOrder, Written, day};
        match day(text, DayOrder::DayFirst)? {
            reading if matches!(reading.written, Written::Plainly | Written::EitherWay) => Ok(reading.date),
            _ => Err(Error::DateFormat),
        }
    }

    /// This day moved by `days`, which may be negative.
    #[must_use]
    pub const fn plus_days(self, days: i32) -> Self {
        Self::from_day_number(self.day_number().saturating_add(days))
    }

    /// Days from `earlier` to this day; negative when this day is before it.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> i32 {
        self.day_number() - earlier.day_number()
    }

    /// Year, month (1 to 12) and day of the month (1 to 31).
    #[must_use]
    pub const fn ymd(self) -> (i32, u32, u32) {
        civil_from_days(self.day_number())
    }

    /// The first day of this day's month.
    #[must_use]
    pub const fn month_start(self) -> Self {
        let (_, _, day) = self.ymd();
        Self::from_day_number(self.day_number() - day as i32 + 1)
    }

    /// Which month this is, counted from January of year 0.
    #[must_use]
    pub const fn month(self) -> Month {
        let (y, m, _) = self.ymd();
        Month(y * 12 + m as i32 - 1)
    }

    /// True on a Saturday or Sunday.
    #[must_use]
    pub const fn is_weekend(self) -> bool {
        // 1970-01-01 was a Thursday.
        matches!((self.day_number() + 3).rem_euclid(7), 5 | 6)
    }

    /// The moment this day begins in a zone.
    #[must_use]
    pub fn midnight(self, zone: Zone) -> DateTime<Utc> {
        self.at(0, 0, zone)
    }

    /// The moment it is `hour:minute` on this day in a zone.
    #[must_use]
    pub fn at(self, hour: u32, minute: u32, zone: Zone) -> DateTime<Utc> {
        let seconds = i64::from(self.day_number()) * 86_400 + i64::from(hour * 3600 + minute * 60)
            - i64::from(zone.offset_seconds());
        DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

const EPOCH_FROM_CE: i32 = 719_163;

/// Howard Hinnant's days-to-civil algorithm, public domain: <https://howardhinnant.github.io/date_algorithms.html>.
const fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097) as u32;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe as i32 + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

pub(super) const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400) as u32;
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let doy = (153 * mp + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe as i32 - 719_468
}

impl fmt::Display for Date {
    /// `2026-01-31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, m, d) = self.ymd();
        f.pad(&format!("{y:04}-{m:02}-{d:02}"))
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Date {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
