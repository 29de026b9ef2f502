//! What isolation means for billing (rule B7): which days a line was isolated, which invoice is left out, what is given back.

use chrono::{DateTime, Utc};

use crate::billing::credit::{Charge, CreditNote, CreditReason, Written};
use crate::billing::invoice::Invoice;
use crate::billing::proration::clip;
use crate::calendar::{Date, Period, Zone};
use crate::ids::{Ids, SubscriptionId};
use crate::isolation::{Access, AccessEvent, Happened};

/// The whole days of a period in which a line was isolated from midnight to midnight, as spans.
///
/// ```
/// use isp_core::{calendar::{Date, Zone}, isolation::{given_back::isolated_days, AccessEventKind, Happened}};
/// let day = |text| Date::parse(text).unwrap();
/// let happened = |text, hour, kind| Happened { at: day(text).at(hour, 0, Zone::Wib), kind };
/// let events = [
///     happened("2025-12-01", 9, AccessEventKind::Registered),
///     happened("2026-01-16", 10, AccessEventKind::IsolatedArrears),
///     happened("2026-01-20", 15, AccessEventKind::Reopened),
/// ];
/// // Isolated on the 16th at ten, reopened on the 20th at three: 17, 18 and 19 January are whole days.
/// let january = day("2026-01-01").month().period();
/// let spans: Vec<_> = isolated_days(&events, january, Zone::Wib).iter().map(ToString::to_string).collect();
/// assert_eq!(spans, ["2026-01-17..2026-01-20"]);
/// ```
#[must_use]
pub fn isolated_days(events: &[Happened], period: Period, zone: Zone) -> Vec<Period> {
    let mut spans = Vec::new();
    let mut since: Option<DateTime<Utc>> = None;
    let mut close = |from: DateTime<Utc>, until: Option<DateTime<Utc>>| {
        let first = zone.date_of(from);
        let start = if first.midnight(zone) == from { first } else { first.plus_days(1) };
        let end = until.map_or(Date::MAX, |until| zone.date_of(until));
        spans.extend(Period::try_new(start.max(period.start), end.min(period.end)).ok());
    };
    for event in events {
        match (event.kind.leads_to(), since) {
            (Some((Access::Isolated, _)), None) => since = Some(event.at),
            (Some((Access::Open | Access::Closed, _)), Some(from)) => {
                close(from, Some(event.at));
                since = None;
            }
            _ => {}
        }
    }
    if let Some(from) = since {
        close(from, None);
    }
    spans
}

/// True when a planned invoice is left out, because the line is isolated as its trigger day begins.
///
/// That moment is past whenever a run bills the day, so a late run leaves the same periods out.
#[must_use]
pub fn is_left_out<I: Ids>(invoice: &Invoice<I>, lead_days: u16, events: &[Happened], zone: Zone) -> bool {
    let trigger = invoice.issue_date.plus_days(i32::from(lead_days));
    let then = trigger.midnight(zone);
    let isolated = events.iter().filter(|e| e.at <= then).filter_map(|e| e.kind.leads_to()).next_back();
    matches!(isolated, Some((Access::Isolated, _)))
}

/// The notes that give back the isolated days up to yesterday; `events` are those of the subscription, oldest first.
///
/// What was given back before is not given back again, so it may be asked at any time. Only periods that ran in or right
/// before the time since `since` are looked at: a policy that is set today reaches no further back than one period.
#[must_use]
pub fn give_isolated_back<I: Ids>(
    charges: &[Charge<I>],
    events: &[Happened],
    zone: Zone,
    since: Date,
    written: Written<'_>,
) -> Vec<CreditNote<I>> {
    let recent = |c: &&Charge<I>| c.invoice.period.end.plus_days(c.invoice.period.days()) >= since;
    let mut notes = Vec::new();
    for charge in charges.iter().filter(recent) {
        let Some(over) = clip(charge.invoice.period, Date::MIN, Some(written.on)) else { continue };
        let mut charge = charge.clone();
        for span in isolated_days(events, over, zone) {
            let given = charge.give_back(span, (1, 1), CreditReason::Isolation, &span.to_string(), written);
            charge.notes.extend(given.iter().cloned());
            notes.extend(given);
        }
    }
    notes
}

/// The day since which a line was to be looked at: from its mark `billed_from` on, or from the day up to which all were billed, if
/// that is earlier; else from its start. A mark that lies ahead says nothing of when the line was looked at. The billing looks
/// `lead_days` ahead.
///
/// ```
/// # use isp_core::{calendar::Date, isolation::given_back::looked_at_since};
/// let day = |text: &str| Date::parse(text).unwrap();
/// let since = |mark: Option<&str>, position: Option<&str>| looked_at_since(day("2026-01-05"), mark.map(day), position.map(day), 2);
/// assert_eq!(since(Some("2026-04-05"), Some("2026-03-10")), day("2026-03-08"));
/// assert_eq!(since(Some("2026-02-05"), Some("2026-03-10")), day("2026-02-03"));
/// assert_eq!(since(None, None), day("2026-01-03"));
/// ```
#[must_use]
pub fn looked_at_since(start: Date, billed_from: Option<Date>, position: Option<Date>, lead_days: u16) -> Date {
    let since = [billed_from, position].into_iter().flatten().min().unwrap_or(start);
    since.plus_days(-i32::from(lead_days))
}

/// What happened to the access of one subscription, oldest first, from events of several in any order.
pub(crate) fn of(events: &[AccessEvent], subscription: SubscriptionId) -> Vec<Happened> {
    let mut own: Vec<_> = events.iter().filter(|e| e.subscription_id == subscription).collect();
    own.sort_by_key(|e| e.revision);
    own.into_iter().map(AccessEvent::happened).collect()
}
