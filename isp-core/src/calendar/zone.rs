//! Indonesia's time zones and the time of day in them (rule C1).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveTime, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::Date;
use crate::error::Error;

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
        Date::from_day_number(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(i32::MAX))
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
