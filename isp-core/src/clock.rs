//! Whether the moment of a run can be right (rule I9).
//!
//! A machine without a battery starts in 1970, and a wrong year in `--on` is typed in a second. A run in the past would
//! close every line, because none has started yet; one in the far future would bill twelve periods of everybody. So a
//! run whose moment does not follow the last one asks first.
//!
//! A provider whose program slept for two months is asked as well, unless a person names the day: two that do not know of each
//! other, the person and the machine's clock, are wrong by years at the same time only by a rare accident. What such a late run does, bill months and isolate who
//! did not pay them, is just what a wrong clock would do, and nothing in the database tells the two apart; a person does,
//! in one word. So nothing is done by halves: a part that looks safe would be the part that harms.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use isp_core::clock::{ClockDoubt, ClockPolicy};
//! let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
//! let (policy, last) = (ClockPolicy::default(), at("2026-05-01T05:00:00Z"));
//! assert_eq!(policy.check(Some(last), at("2026-05-02T05:00:00Z")), Ok(()));
//! assert_eq!(policy.check(Some(last), at("2020-01-01T05:00:00Z")), Err(ClockDoubt::Behind { last }));
//! assert_eq!(policy.check(Some(last), at("2036-05-02T05:00:00Z")), Err(ClockDoubt::Ahead { last, days: 3654 }));
//! // The first run has nothing to compare with.
//! assert_eq!(policy.check(None, at("2036-05-02T05:00:00Z")), Ok(()));
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::Zone;

/// How far a clock may lie behind the last run without anybody being asked. Two machines that share a database differ
/// by seconds, and a clock that was set by the network steps back by minutes; neither changes a day's decisions.
const TOLERANCE: TimeDelta = TimeDelta::hours(1);

/// When a run asks whether the clock is right (rule I9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockPolicy {
    /// A run more days than this after the last one asks.
    pub max_days_between_runs: u16,
}

impl Default for ClockPolicy {
    fn default() -> Self {
        Self { max_days_between_runs: 45 }
    }
}

/// Why the moment of a run is doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[non_exhaustive]
pub enum ClockDoubt {
    /// It lies before the last run.
    #[error("the moment lies before the last run, of {}", Zone::Wib.date_of(*last))]
    Behind {
        /// The moment of the last run.
        last: DateTime<Utc>,
    },
    /// It lies too long after the last run.
    #[error("the moment lies {days} days after the last run, of {}", Zone::Wib.date_of(*last))]
    Ahead {
        /// The moment of the last run.
        last: DateTime<Utc>,
        /// Whole days between the two.
        days: i64,
    },
}

impl ClockDoubt {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Behind { .. } => "clock.behind",
            Self::Ahead { .. } => "clock.ahead",
        }
    }

    /// The moment of the last run.
    #[must_use]
    pub const fn last(&self) -> DateTime<Utc> {
        match self {
            Self::Behind { last } | Self::Ahead { last, .. } => *last,
        }
    }
}

impl ClockPolicy {
    /// Compares the moment of a run with that of the last one; `None` when there was none.
    ///
    /// # Errors
    /// [`ClockDoubt`]: the run writes nothing until a person says that the moment is right.
    pub fn check(&self, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), ClockDoubt> {
        let Some(last) = last else { return Ok(()) };
        if now < last - TOLERANCE {
            return Err(ClockDoubt::Behind { last });
        }
        let passed = now - last;
        if passed > TimeDelta::days(i64::from(self.max_days_between_runs)) {
            return Err(ClockDoubt::Ahead { last, days: passed.num_days() });
        }
        Ok(())
    }

    /// True when a named moment lies so far after the clock that later runs by the clock would be doubted until it comes.
    #[must_use]
    pub fn is_ahead(named: DateTime<Utc>, clock: DateTime<Utc>) -> bool {
        named - clock > TOLERANCE
    }

    /// As [`ClockPolicy::check`], for a moment that a person named (`--on`), beside what the clock says. It may lie long after the
    /// last run, but not by as much after the clock; before the last run it is doubted as any other.
    ///
    /// # Errors
    /// [`ClockDoubt`], as [`ClockPolicy::check`].
    pub fn check_named(
        &self,
        last: Option<DateTime<Utc>>,
        named: DateTime<Utc>,
        clock: DateTime<Utc>,
    ) -> Result<(), ClockDoubt> {
        let near = named - clock <= TimeDelta::days(i64::from(self.max_days_between_runs));
        match self.check(last, named) {
            Err(ClockDoubt::Ahead { .. }) if near => Ok(()),
            checked => checked,
        }
    }
}

/// What a person said of the moment of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClockWord {
    /// Nothing: the moment is the clock's.
    #[default]
    Nothing,
    /// The moment is of a day that a person named; the clock says this.
    Named {
        /// The moment by the clock.
        clock: DateTime<Utc>,
    },
    /// That the moment is right, although the last run was later, or long ago.
    Right,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_limits_are_exact() {
        let (policy, last) = (ClockPolicy::default(), at("2026-05-01T05:00:00Z"));
        for sound in ["2026-05-01T04:00:00Z", "2026-05-01T05:00:00Z", "2026-06-15T05:00:00Z"] {
            assert_eq!(policy.check(Some(last), at(sound)), Ok(()), "{sound}");
        }
        assert_eq!(policy.check(Some(last), at("2026-05-01T03:59:59Z")), Err(ClockDoubt::Behind { last }));
        assert_eq!(policy.check(Some(last), at("2026-06-15T05:00:01Z")), Err(ClockDoubt::Ahead { last, days: 45 }));
        // A person names the day: the clock has to be near it.
        let (named, near, far) = (at("2026-12-01T05:00:00Z"), at("2026-10-17T05:00:00Z"), at("2026-10-17T04:59:59Z"));
        assert_eq!(policy.check_named(Some(last), named, near), Ok(()));
        assert_eq!(policy.check_named(Some(last), named, far), Err(ClockDoubt::Ahead { last, days: 214 }));
        assert_eq!(policy.check_named(Some(named), last, last), Err(ClockDoubt::Behind { last: named }));
        assert!(!ClockPolicy::is_ahead(at("2026-05-01T06:00:00Z"), last));
        assert!(ClockPolicy::is_ahead(at("2026-05-01T06:00:01Z"), last) && !ClockPolicy::is_ahead(last, named));
        let patient = ClockPolicy { max_days_between_runs: 400 };
        assert_eq!(patient.check(Some(last), at("2027-05-01T05:00:00Z")), Ok(()));
    }
}
