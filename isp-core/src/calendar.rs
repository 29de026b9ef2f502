//! Days, periods and the billing anchor (rules C1 to C4).
//!
//! A [`Date`] is a civil day in the customer's zone. Every period is derived from the anchor, never from the
//! period before it, so that a customer billed on the 31st is billed on 31 January, 28 February and **31** March.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Timelike, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A civil day, held as the number of days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// The first day this program accepts.
    pub const MIN: Self = Self(0);
    /// The last day this program accepts: 2199-12-31.
    pub const MAX: Self = Self(84_005);

    /// The day of that year, month and day of the month, if it exists between 1970 and 2199.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self::from_naive).filter(|d| (Self::MIN..=Self::MAX).contains(d))
    }

    /// The day with this number (days since 1970-01-01).
    #[must_use]
    pub const fn from_day_number(number: i32) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn day_number(self) -> i32 {
        self.0
    }

    /// The same day as chrono has it.
    #[must_use]
    pub fn from_naive(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// The same day for chrono.
    #[must_use]
    pub fn to_naive(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0 + EPOCH_FROM_CE).unwrap_or(NaiveDate::MAX)
    }

    /// Reads `2026-01-31`, `31/01/2026` or `31-01-2026`.
    ///
    /// # Errors
    /// [`Error::DateFormat`] when it is none of these, or no such day exists.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let parts: Vec<&str> = text.split(['-', '/']).collect();
        let [a, b, c] = parts.as_slice() else { return Err(Error::DateFormat) };
        let (year, month, day) = if a.len() == 4 { (a, b, c) } else { (c, b, a) };
        if year.len() != 4 || [month, day].iter().any(|p| p.is_empty() || p.len() > 2) {
            return Err(Error::DateFormat);
        }
        let number = |p: &str| p.bytes().all(|b| b.is_ascii_digit()).then(|| p.parse::<u32>().ok()).flatten();
        let (Some(y), Some(m), Some(d)) = (number(year), number(month), number(day)) else {
            return Err(Error::DateFormat);
        };
        Self::from_ymd(i32::try_from(y).map_err(|_| Error::DateFormat)?, m, d).ok_or(Error::DateFormat)
    }

    /// This day moved by `days`, which may be negative.
    #[must_use]
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days from `earlier` to this day; negative when this day is before it.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// Year, month (1 to 12) and day of the month (1 to 31).
    #[must_use]
    pub const fn ymd(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    /// The first day of this day's month.
    #[must_use]
    pub const fn month_start(self) -> Self {
        let (_, _, day) = self.ymd();
        Self(self.0 - day as i32 + 1)
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
        matches!((self.0 + 3).rem_euclid(7), 5 | 6)
    }

    /// The moment this day begins in a zone.
    #[must_use]
    pub fn midnight(self, zone: Zone) -> DateTime<Utc> {
        self.at(0, 0, zone)
    }

    /// The moment it is `hour:minute` on this day in a zone.
    #[must_use]
    pub fn at(self, hour: u32, minute: u32, zone: Zone) -> DateTime<Utc> {
        let seconds =
            i64::from(self.0) * 86_400 + i64::from(hour * 3600 + minute * 60) - i64::from(zone.offset_seconds());
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

const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
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

/// A month of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

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
        Date(days_from_civil(y, m, 1))
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
        Date(self.first().0 + day as i32 - 1)
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

/// The day of the month on which a subscription's periods start, 1 to 31 (rule C2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct BillingDay(u8);

impl BillingDay {
    /// A billing day.
    ///
    /// # Errors
    /// [`Error::BillingDay`] outside 1 to 31.
    pub const fn try_new(day: u8) -> Result<Self, Error> {
        if day >= 1 && day <= 31 { Ok(Self(day)) } else { Err(Error::BillingDay) }
    }

    /// The billing day of a subscription that keeps its activation day (rule C4, anniversary).
    #[must_use]
    pub const fn of(date: Date) -> Self {
        Self(date.ymd().2 as u8)
    }

    /// The day, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for BillingDay {
    type Error = Error;
    fn try_from(day: u8) -> Result<Self, Error> {
        Self::try_new(day)
    }
}

impl From<BillingDay> for u8 {
    fn from(day: BillingDay) -> Self {
        day.0
    }
}

/// How many months a period has: 1, 3, 6 or 12 (rule C2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Cycle {
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every six months.
    SemiAnnual,
    /// Every twelve months.
    Annual,
}

impl Cycle {
    /// All four, shortest first.
    pub const ALL: [Self; 4] = [Self::Monthly, Self::Quarterly, Self::SemiAnnual, Self::Annual];

    /// Length in months.
    #[must_use]
    pub const fn months(self) -> u8 {
        match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::SemiAnnual => 6,
            Self::Annual => 12,
        }
    }

    /// Reads `monthly`, `bulanan`, `quarterly`, `triwulan` and the like, or the number of months.
    ///
    /// # Errors
    /// [`Error::Cycle`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.trim().to_ascii_lowercase().as_str() {
            "monthly" | "bulanan" | "1" => Ok(Self::Monthly),
            "quarterly" | "triwulan" | "triwulanan" | "3" => Ok(Self::Quarterly),
            "semiannual" | "semesteran" | "6" => Ok(Self::SemiAnnual),
            "annual" | "yearly" | "tahunan" | "12" => Ok(Self::Annual),
            _ => Err(Error::Cycle),
        }
    }
}

impl TryFrom<u8> for Cycle {
    type Error = Error;
    fn try_from(months: u8) -> Result<Self, Error> {
        match months {
            1 => Ok(Self::Monthly),
            3 => Ok(Self::Quarterly),
            6 => Ok(Self::SemiAnnual),
            12 => Ok(Self::Annual),
            _ => Err(Error::Cycle),
        }
    }
}

impl From<Cycle> for u8 {
    fn from(cycle: Cycle) -> Self {
        cycle.months()
    }
}

/// Where the grid of a subscription's periods hangs: the first billing day on or after its start.
///
/// Period 0 starts there. When the start lies before it, the days between are period -1, which is short:
/// the caller clips it and prorates it (rules C4, C5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    month: Month,
    day: BillingDay,
    cycle: Cycle,
}

impl Anchor {
    /// The anchor of a subscription that starts on `start`.
    ///
    /// ```
    /// use isp_core::calendar::{Anchor, BillingDay, Cycle, Date};
    /// let start = Date::from_ymd(2026, 1, 31).unwrap();
    /// let anchor = Anchor::new(start, BillingDay::of(start), Cycle::Monthly);
    /// let starts: Vec<String> = (0..4).map(|k| anchor.period(k).start.to_string()).collect();
    /// assert_eq!(starts, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
    /// ```
    #[must_use]
    pub fn new(start: Date, day: BillingDay, cycle: Cycle) -> Self {
        let month = start.month();
        let month = if month.clamp(day) >= start { month } else { month.plus(1) };
        Self { month, day, cycle }
    }

    /// Period `k`, counted from the anchor; negative before it.
    #[must_use]
    pub const fn period(self, k: i32) -> Period {
        Period { start: self.start_of(k), end: self.start_of(k + 1) }
    }

    /// The number of the period that holds `date`.
    #[must_use]
    pub const fn index_of(self, date: Date) -> i32 {
        let step = self.cycle.months() as i32;
        let k = (date.month().0 - self.month.0).div_euclid(step);
        if self.start_of(k).0 > date.0 { k - 1 } else { k }
    }

    /// True when a period starts in `month`.
    #[must_use]
    pub const fn starts_in(self, month: Month) -> bool {
        (month.0 - self.month.0).rem_euclid(self.cycle.months() as i32) == 0
    }

    const fn start_of(self, k: i32) -> Date {
        self.month.plus(k * self.cycle.months() as i32).clamp(self.day)
    }
}

/// Indonesia's three time zones; none has daylight saving (rule C1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Zone {
    /// Western Indonesia, UTC+7.
    #[default]
    #[serde(rename = "WIB")]
    Wib,
    /// Central Indonesia, UTC+8.
    #[serde(rename = "WITA")]
    Wita,
    /// Eastern Indonesia, UTC+9.
    #[serde(rename = "WIT")]
    Wit,
}

impl Zone {
    /// All three, west to east.
    pub const ALL: [Self; 3] = [Self::Wib, Self::Wita, Self::Wit];

    /// Seconds east of UTC.
    #[must_use]
    pub const fn offset_seconds(self) -> i32 {
        match self {
            Self::Wib => 7 * 3600,
            Self::Wita => 8 * 3600,
            Self::Wit => 9 * 3600,
        }
    }

    /// The civil day at a moment. The UTC day is yesterday in Jakarta until 07:00.
    #[must_use]
    pub fn date_of(self, now: DateTime<Utc>) -> Date {
        let seconds = now.timestamp() + i64::from(self.offset_seconds());
        Date(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(i32::MAX))
    }

    /// The time of day at a moment.
    #[must_use]
    pub fn time_of(self, now: DateTime<Utc>) -> TimeOfDay {
        let seconds = now.timestamp() + i64::from(self.offset_seconds());
        TimeOfDay { minutes: (seconds.rem_euclid(86_400) / 60) as u16 }
    }

    /// The offset as chrono has it.
    #[must_use]
    pub fn fixed(self) -> FixedOffset {
        FixedOffset::east_opt(self.offset_seconds()).unwrap_or_else(|| chrono::Offset::fix(&Utc))
    }

    /// `WIB`, `WITA` or `WIT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wib => "WIB",
            Self::Wita => "WITA",
            Self::Wit => "WIT",
        }
    }
}

impl FromStr for Zone {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim().to_ascii_uppercase().as_str() {
            "WIB" | "ASIA/JAKARTA" => Ok(Self::Wib),
            "WITA" | "ASIA/MAKASSAR" => Ok(Self::Wita),
            "WIT" | "ASIA/JAYAPURA" => Ok(Self::Wit),
            _ => Err(Error::Zone),
        }
    }
}

/// A time of day, in minutes, written `10:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// `hour:minute`, if there is such a time.
    #[must_use]
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self { minutes: hour * 60 + minute }) } else { None }
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.minutes as u32
    }

    /// A whole hour; 24 and later wrap.
    #[must_use]
    pub const fn hour(hour: u16) -> Self {
        Self { minutes: hour % 24 * 60 }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = NaiveTime::parse_from_str(&text, "%H:%M").map_err(serde::de::Error::custom)?;
        Ok(Self { minutes: (time.hour() * 60 + time.minute()) as u16 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn every_day_survives_the_way_through_chrono() {
        for number in Date::MIN.0..=Date::MAX.0 {
            let day = Date(number);
            let naive = day.to_naive();
            assert_eq!(Date::from_naive(naive), day);
            assert_eq!(day.ymd(), (naive.year(), naive.month(), naive.day()));
            assert_eq!(day.is_weekend(), naive.weekday().number_from_monday() > 5);
            assert_eq!(day.month().first().to_naive(), naive.with_day(1).unwrap());
        }
        assert_eq!(Date::MAX.to_string(), "2199-12-31");
    }

    #[test]
    fn the_anchor_keeps_its_day_c2() {
        let anchor = Anchor::new(date("2025-10-31"), BillingDay(31), Cycle::Quarterly);
        let starts: Vec<String> = (0..3).map(|k| anchor.period(k).start.to_string()).collect();
        assert_eq!(starts, ["2025-10-31", "2026-01-31", "2026-04-30"]);
    }

    #[test]
    fn every_period_joins_the_next_and_is_found_again_c3() {
        for day in 1..=31 {
            for cycle in [Cycle::Monthly, Cycle::Quarterly, Cycle::SemiAnnual, Cycle::Annual] {
                let anchor = Anchor::new(date("2024-01-15"), BillingDay(day), cycle);
                assert!(anchor.period(0).start >= date("2024-01-15"));
                assert!(anchor.period(-1).start < date("2024-01-15"));
                for k in -3..60 {
                    let period = anchor.period(k);
                    assert_eq!(period.end, anchor.period(k + 1).start);
                    assert!(period.days() >= 28);
                    for probe in [period.start, period.start.plus_days(1), period.end.plus_days(-1)] {
                        assert_eq!(anchor.index_of(probe), k, "{probe} day {day} {cycle:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_civil_day_is_the_zones_c1() {
        let now = Utc.with_ymd_and_hms(2026, 1, 31, 15, 30, 0).unwrap();
        let dates: Vec<String> = Zone::ALL.iter().map(|z| z.date_of(now).to_string()).collect();
        assert_eq!(dates, ["2026-01-31", "2026-01-31", "2026-02-01"]);
        assert_eq!(Zone::Wib.time_of(now).to_string(), "22:30");
        assert_eq!(date("2026-02-01").midnight(Zone::Wit), Utc.with_ymd_and_hms(2026, 1, 31, 15, 0, 0).unwrap());
    }

    #[test]
    fn dates_people_write() {
        assert_eq!(date("31/01/2026"), date("2026-01-31"));
        assert_eq!(date("1-2-2026"), date("2026-02-01"));
        for bad in ["2026-02-30", "31/31/2026", "2026", "", "20260131", "26-01-31", "2026-+1-01", "1969-12-31"] {
            assert_eq!(Date::parse(bad), Err(Error::DateFormat), "{bad}");
        }
    }
}
