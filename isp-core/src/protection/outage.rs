//! Recorded outages, and the outage credit (*restitusi*): what one gives back, once for each invoice whose days it hit.
//!
//! ```
//! use isp_core::{calendar::{Date, Zone}, ids::*, protection::{Outage, OutageCredit, OutagePolicy}};
//! let day = |text| Date::parse(text).unwrap();
//! # let id = uuid::Uuid::nil();
//! let outage = Outage { id: OutageId(id), site_id: SiteId(id), note: "kabel putus".into(),
//!     from: day("2026-02-16").at(9, 0, Zone::Wib), until: Some(day("2026-02-18").at(21, 0, Zone::Wib)) };
//! // 60 hours: two whole days by the day, 60 of 24 hours a day by the hour; nothing when 72 hours are the threshold.
//! let by_day = OutagePolicy { min_hours: 24, by: OutageCredit::Day };
//! assert_eq!(by_day.credited(&outage, Zone::Wib).unwrap().to_string(), "2026-02-16..2026-02-18");
//! assert_eq!(OutagePolicy { min_hours: 72, ..by_day }.credited(&outage, Zone::Wib), None);
//! ```

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::credit::{Charge, CreditNote, CreditReason, Written};
use crate::calendar::{Period, Zone};
use crate::ids::{OutageId, SiteId};

/// A recorded outage of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The row.
    pub id: OutageId,
    /// Where.
    pub site_id: SiteId,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when; `None` while it lasts.
    pub until: Option<DateTime<Utc>>,
    /// What happened.
    pub note: String,
}

/// From when on an outage gives something back, and how it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutagePolicy {
    /// A shorter outage gives nothing back.
    pub min_hours: u16,
    /// How it is counted.
    pub by: OutageCredit,
}

impl Default for OutagePolicy {
    fn default() -> Self {
        Self { min_hours: 24, by: OutageCredit::Day }
    }
}

/// How the length of an outage is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutageCredit {
    /// By stretches of 24 hours; what is left over gives nothing.
    Day,
    /// To the minute.
    Hour,
}

const DAY_MINUTES: i64 = 24 * 60;

impl OutagePolicy {
    /// The days of an outage for which something is given back. `None` while it lasts, and when it was too short.
    ///
    /// By the day, as many days as it had stretches of 24 hours, from its first; by the hour, all days that it touched.
    #[must_use]
    pub fn credited(&self, outage: &Outage, zone: Zone) -> Option<Period> {
        let until = outage.until?;
        let minutes = (until - outage.from).num_minutes();
        if minutes < i64::from(self.min_hours) * 60 || minutes <= 0 {
            return None;
        }
        let start = zone.date_of(outage.from);
        let end = match self.by {
            OutageCredit::Day => start.plus_days(i32::try_from(minutes / DAY_MINUTES).unwrap_or(i32::MAX)),
            OutageCredit::Hour => zone.date_of(until - chrono::TimeDelta::microseconds(1)).plus_days(1),
        };
        Period::try_new(start, end).ok()
    }

    /// The notes that an outage earns of one invoice; none when it earns none, or has been given back already.
    #[must_use]
    pub fn notes(&self, outage: &Outage, charge: &Charge, zone: Zone, written: Written<'_>) -> Vec<CreditNote> {
        self.part(outage, charge, zone).map_or_else(Vec::new, |(days, part)| {
            let key = outage.id.to_string();
            let first = CreditNote::id_of(charge.invoice.id, CreditReason::Outage, &key);
            if charge.notes.iter().any(|n| n.id == first) {
                return Vec::new();
            }
            charge.give_back(days, part, CreditReason::Outage, &key, written)
        })
    }

    /// The days of an invoice that an outage is credited for, and the part of them that it took.
    fn part(&self, outage: &Outage, charge: &Charge, zone: Zone) -> Option<(Period, (i64, i64))> {
        let days = charge.days_in(self.credited(outage, zone)?)?;
        let part = match self.by {
            OutageCredit::Day => (1, 1),
            OutageCredit::Hour => {
                let from = outage.from.max(days.start.midnight(zone));
                let until = outage.until?.min(days.end.midnight(zone));
                ((until - from).num_minutes(), i64::from(days.days()) * DAY_MINUTES)
            }
        };
        Some((days, part))
    }
}
