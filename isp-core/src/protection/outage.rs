//! Recorded outages, and the outage credit (*restitusi*): what one gives back, once for each invoice whose days it hit.
//!
//! ```
//! use isp_core::{calendar::{Date, Zone}, protection::{OutageCredit, OutagePolicy, OutageTimes}};
//! let day = |text| Date::parse(text).unwrap();
//! let outage = OutageTimes { from: day("2026-02-16").at(9, 0, Zone::Wib),
//!     until: Some(day("2026-02-18").at(21, 0, Zone::Wib)), ending: None };
//! // 60 hours: two whole days by the day, 60 of 24 hours a day by the hour; nothing when 72 hours are the threshold.
//! let by_day = OutagePolicy { min_hours: 24, by: OutageCredit::Day };
//! assert_eq!(by_day.credited(&outage, Zone::Wib).unwrap().to_string(), "2026-02-16..2026-02-18");
//! assert_eq!(OutagePolicy { min_hours: 72, ..by_day }.credited(&outage, Zone::Wib), None);
//! ```

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::credit::{Charge, CreditNote, CreditReason, Written};
use crate::calendar::{Period, Zone};
use crate::ending::Ending;
use crate::error::Error;
use crate::ids::{CreditNoteId, Ids, OutageId, SiteId};
use crate::money::Money;
use crate::protection::OutageTimes;

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
    /// That it was recorded by mistake, if somebody said so; an outage that is over has its end in `until`.
    #[serde(default)]
    pub ending: Option<Ending>,
}

impl Outage {
    /// True when it protects the lines of its site at a moment.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.times().holds(now)
    }

    /// When it was.
    #[must_use]
    pub fn times(&self) -> OutageTimes {
        OutageTimes { from: self.from, until: self.until, ending: self.ending.clone() }
    }

    /// The outage with other facts; what is not given stays. `until` of `Some(None)` means that it lasts.
    ///
    /// # Errors
    /// [`Error::AlreadyEnded`] when it was taken back, [`Error::EmptyPeriod`] when it would end before it starts,
    /// [`Error::Empty`] without a note.
    pub fn edited(
        &self,
        from: Option<DateTime<Utc>>,
        until: Option<Option<DateTime<Utc>>>,
        note: Option<&str>,
    ) -> Result<Self, Error> {
        if self.ending.is_some() {
            return Err(Error::AlreadyEnded);
        }
        let note = note.map_or(self.note.as_str(), str::trim).to_owned();
        Self { from: from.unwrap_or(self.from), until: until.unwrap_or(self.until), note, ..self.clone() }.checked()
    }

    /// The outage, when it makes sense.
    ///
    /// # Errors
    /// [`Error::EmptyPeriod`] when it ends before it starts, [`Error::Empty`] without a note.
    pub fn checked(self) -> Result<Self, Error> {
        if self.until.is_some_and(|until| until <= self.from) {
            return Err(Error::EmptyPeriod);
        }
        if self.note.trim().is_empty() {
            return Err(Error::Empty { field: "note" });
        }
        Ok(self)
    }
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
    /// The days of an outage for which something is given back. `None` while it lasts, when it was too short, and when it
    /// was taken back.
    ///
    /// By the day, as many days as it had stretches of 24 hours, from its first; by the hour, all days that it touched.
    #[must_use]
    pub fn credited(&self, outage: &OutageTimes, zone: Zone) -> Option<Period> {
        let until = outage.until.filter(|_| outage.ending.is_none())?;
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

    /// The notes that an outage still earns of one invoice: what it is worth, less what was given back for it before. None
    /// when it earns none. One that was corrected to a longer one earns the difference; notes that were given for a
    /// longer one stay, as they are facts.
    #[must_use]
    pub fn notes(&self, outage: &Outage, charge: &Charge, zone: Zone, written: Written<'_>) -> Vec<CreditNote> {
        let (own, key) = given(outage, charge);
        let is_own = own.iter().map(|note| note.id).collect();
        self.still_earned(&outage.times(), charge, &is_own, &key, zone, written)
    }

    /// As [`OutagePolicy::notes`], for a caller that knows which notes of the charge were given for this outage; `key` tells
    /// the new ones apart from those.
    #[must_use]
    pub fn still_earned<I: Ids>(
        &self,
        outage: &OutageTimes,
        charge: &Charge<I>,
        own: &BTreeSet<CreditNoteId>,
        key: &str,
        zone: Zone,
        written: Written<'_>,
    ) -> Vec<CreditNote<I>> {
        let Some((days, part)) = self.part(outage, charge, zone) else { return Vec::new() };
        let (own, others): (Vec<CreditNote<I>>, _) = charge.notes.iter().cloned().partition(|n| own.contains(&n.id));
        if own.is_empty() {
            return charge.give_back(days, part, CreditReason::Outage, key, written);
        }
        let sum = |notes: &[CreditNote<I>]| notes.iter().map(|n| n.total).sum::<Money>();
        let before = Charge { notes: others, ..charge.clone() };
        let worth = sum(&before.give_back(days, part, CreditReason::Outage, key, written));
        let more = worth - sum(&own);
        if more.is_positive() { charge.give_amount(days, more, CreditReason::Outage, key, written) } else { Vec::new() }
    }

    /// The notes of an invoice that were given back for an outage, whatever the outage is worth now.
    #[must_use]
    pub fn given_for(outage: &Outage, charge: &Charge) -> Vec<CreditNote> {
        given(outage, charge).0
    }

    /// The days of an invoice that an outage is credited for, and the part of them that it took.
    fn part<I: Ids>(&self, outage: &OutageTimes, charge: &Charge<I>, zone: Zone) -> Option<(Period, (i64, i64))> {
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

/// The notes of an invoice that were given back for an outage, and the key for more of them. The keys follow from one
/// another: the outage's id, then that with the amount that was given so far.
fn given(outage: &Outage, charge: &Charge) -> (Vec<CreditNote>, String) {
    let base = outage.id.to_string();
    let (mut own, mut key) = (Vec::<CreditNote>::new(), base.clone());
    loop {
        let named = |n: &&CreditNote| {
            let id = |key: &str| CreditNote::id_of(charge.invoice.id, CreditReason::Outage, key);
            n.id == id(&key) || n.id == id(&format!("{key} {}", n.period.start))
        };
        let found: Vec<CreditNote> = charge.notes.iter().filter(named).cloned().collect();
        if found.is_empty() {
            return (own, key);
        }
        own.extend(found);
        key = format!("{base} {}", own.iter().map(|n| n.total).sum::<Money>().as_i64());
    }
}
