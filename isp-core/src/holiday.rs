//! Indonesian public holidays: the days on which nobody is isolated (rule I1).
//!
//! The days come from `data/holidays.csv`: national holidays (*hari libur nasional*) and joint leave (*cuti bersama*) as
//! the ministers of religious affairs, manpower and administrative reform decide them together each year (*SKB Tiga
//! Menteri*; for 2026: nos. 1497, 2 and 5 of 2025). Feasts that wait for the sighting of the moon are marked as
//! estimated until they are decided. A later decision is a change of that file, or days of the operator's own.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::error::Error;
use crate::text::Language;

/// A public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Holiday {
    /// Its day.
    pub date: Date,
    /// By whose decision people are off.
    pub kind: HolidayKind,
    /// True while the day may still move.
    pub estimated: bool,
    name_id: &'static str,
    name_en: &'static str,
}

impl Holiday {
    /// Its name.
    #[must_use]
    pub const fn name(&self, language: Language) -> &'static str {
        match language {
            Language::Id => self.name_id,
            Language::En => self.name_en,
        }
    }
}

/// Kinds of public holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayKind {
    /// *Hari libur nasional*.
    National,
    /// *Cuti bersama*: offices close, private employers may follow.
    JointLeave,
}

impl HolidayKind {
    /// `national` or `joint_leave`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::National => "national",
            Self::JointLeave => "joint_leave",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::National, Self::JointLeave].into_iter().find(|kind| kind.code() == text)
    }
}

/// Which public holidays a policy keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicHolidays {
    /// National holidays and joint leave.
    #[default]
    All,
    /// National holidays.
    National,
    /// None.
    None,
}

impl PublicHolidays {
    /// Reads `all`, `national` or `none`.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "all" => Ok(Self::All),
            "national" => Ok(Self::National),
            "none" => Ok(Self::None),
            _ => Err(Error::NotOneOf { field: "public_holidays", expected: "all, national, none" }),
        }
    }

    /// `all`, `national` or `none`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::National => "national",
            Self::None => "none",
        }
    }

    /// True when `kind` is kept.
    #[must_use]
    pub const fn keeps(self, kind: HolidayKind) -> bool {
        match self {
            Self::All => true,
            Self::National => matches!(kind, HolidayKind::National),
            Self::None => false,
        }
    }
}

/// All public holidays that are known, in order; at most one a day.
///
/// ```
/// use isp_core::calendar::Date;
/// use isp_core::text::Language;
/// use isp_core::holiday;
/// let day = Date::parse("2026-02-17").unwrap();
/// assert_eq!(holiday::on(day).unwrap().name(Language::Id), "Tahun Baru Imlek");
/// assert!(holiday::on(day.plus_days(1)).is_none());
/// ```
#[must_use]
pub fn all() -> &'static [Holiday] {
    &HOLIDAYS
}

/// The public holiday on a day.
#[must_use]
pub fn on(date: Date) -> Option<&'static Holiday> {
    let at = HOLIDAYS.binary_search_by_key(&date, |h| h.date).ok()?;
    HOLIDAYS.get(at)
}

/// The first day of which nothing is known: the year after the last with a holiday.
#[must_use]
pub fn known_before() -> Date {
    HOLIDAYS.last().map_or(Date::MIN, |last| {
        let (year, _, _) = last.date.ymd();
        Date::from_ymd(year + 1, 1, 1).unwrap_or(Date::MAX)
    })
}

static HOLIDAYS: LazyLock<Vec<Holiday>> = LazyLock::new(|| rows().filter_map(parse).collect());

fn rows() -> impl Iterator<Item = &'static str> {
    include_str!("../data/holidays.csv").lines().skip(1)
}

fn parse(row: &'static str) -> Option<Holiday> {
    let mut cells = row.split(',');
    let holiday = Holiday {
        date: Date::parse(cells.next()?).ok()?,
        kind: HolidayKind::parse(cells.next()?)?,
        estimated: match cells.next()? {
            "estimated" => true,
            "decided" => false,
            _ => return None,
        },
        name_id: cells.next()?,
        name_en: cells.next()?,
    };
    cells.next().is_none().then_some(holiday)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_file_is_a_holiday_of_its_own_day() {
        assert_eq!(rows().filter(|row| parse(row).is_none()).collect::<Vec<_>>(), [""; 0]);
        assert!(all().is_sorted_by(|a, b| a.date < b.date));
        assert!(all().iter().all(|h| !h.name_id.is_empty() && !h.name_en.is_empty()));
    }

    #[test]
    fn the_years_have_what_the_ministers_decided() {
        let count = |year: i32, kind| all().iter().filter(|h| h.date.ymd().0 == year && h.kind == kind).count();
        // SKB Tiga Menteri of 19 September 2025: 17 national holidays and 8 days of joint leave.
        assert_eq!((count(2026, HolidayKind::National), count(2026, HolidayKind::JointLeave)), (17, 8));
        for year in [2024, 2025, 2026, 2027] {
            for fixed in [(1, 1), (5, 1), (6, 1), (8, 17), (12, 25)] {
                assert!(on(Date::from_ymd(year, fixed.0, fixed.1).unwrap()).is_some(), "{year} {fixed:?}");
            }
        }
        assert_eq!(known_before().to_string(), "2028-01-01");
    }
}
