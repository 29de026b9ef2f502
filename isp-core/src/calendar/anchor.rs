//! The billing day, the cycle, and the grid of periods that they make (rules C2 to C5).

use serde::{Deserialize, Serialize};

use super::{Date, Month, Period};
use crate::error::Error;

/// The day of the month on which a subscription's periods start, 1 to 31 (rule C2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct BillingDay(pub(super) u8);

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
        if self.start_of(k).day_number() > date.day_number() { k - 1 } else { k }
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
