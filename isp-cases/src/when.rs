//! Days, moments and spans as people write them in a case.

use chrono::{DateTime, Utc};
use isp_core::calendar::{Date, Period, Zone};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor, value::MapAccessDeserializer};

/// Text, or a date or time of TOML, which are read alike.
#[derive(Debug, Clone)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Text;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a date such as 2026-01-31")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                let native = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Text(native.to_string().replace('T', " ")))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day(pub(crate) Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        day(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A day, with a time of day or without.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) day: Date,
    pub(crate) time: Option<(u32, u32)>,
}

impl When {
    /// The moment; a day without a time is at `default`.
    pub(crate) fn at(self, default: (u32, u32), zone: Zone) -> DateTime<Utc> {
        let (hour, minute) = self.time.unwrap_or(default);
        self.day.at(hour, minute, zone)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let date = day(words.next().unwrap_or_default())?;
        let time = words.next().map(time).transpose()?;
        match words.next() {
            Some(more) => Err(format!("`{more}` follows the day and time")),
            None => Ok(Self { day: date, time }),
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Text::deserialize(deserializer)?.0).map_err(D::Error::custom)
    }
}

/// The days of a run: one, or all from one to another, each at a time of day or at none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runs {
    pub(crate) first: Date,
    pub(crate) last: Date,
    pub(crate) time: Option<(u32, u32)>,
}

impl<'de> Deserialize<'de> for Runs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        let Some((first, rest)) = text.split_once("..") else {
            let When { day, time } = When::parse(&text).map_err(D::Error::custom)?;
            return Ok(Self { first: day, last: day, time });
        };
        let first = day(first).map_err(D::Error::custom)?;
        let When { day: last, time } = When::parse(rest).map_err(D::Error::custom)?;
        if last < first {
            return Err(D::Error::custom(format!("the last day {last} lies before the first, {first}")));
        }
        Ok(Self { first, last, time })
    }
}

/// The days from one up to, not including, another: `2026-01-01..2026-02-01`; a day alone is that day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span(pub(crate) Period);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        let (start, end) = match text.split_once("..") {
            Some((start, end)) => (day(start).map_err(D::Error::custom)?, day(end).map_err(D::Error::custom)?),
            None => {
                let start = day(&text).map_err(D::Error::custom)?;
                (start, start.plus_days(1))
            }
        };
        Period::try_new(start, end).map(Self).map_err(D::Error::custom)
    }
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).map_err(|_| format!("`{}` is no day such as 2026-01-31", text.trim()))
}

fn time(text: &str) -> Result<(u32, u32), String> {
    let bad = || format!("`{text}` is no time such as 09:30");
    let mut parts = text.split(':').map(|p| p.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(hour), Some(minute)) if hour < 24 && minute < 60 => Ok((hour, minute)),
        _ => Err(bad()),
    }
}
