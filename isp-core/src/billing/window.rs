//! The days that a billing run covers: after the position, up to the horizon.

use crate::calendar::{Cycle, Date, Month, Period};
use crate::subscription::{BillingTerms, Timing};

/// The longest window in which no billing day comes twice, in days: the shortest month less one.
const LONGEST: i32 = 27;

/// The days that a run covers in one zone, with what the calendar has to say of each billing day in them.
///
/// A run that comes every day covers one day or two. Then most subscriptions have one period to bill, whose bounds
/// are the same for all with this billing day and cycle: they are looked up here and not computed for each again.
#[derive(Debug)]
pub(super) struct Window {
    horizon: Date,
    /// The billing days with a trigger in the window, a bit each.
    days: u32,
    /// What each of them triggers, by billing day; empty for a window in which a day may come twice.
    triggers: [Option<Trigger>; 32],
}

/// Where a billing day comes in the window.
#[derive(Debug, Clone, Copy)]
struct Trigger {
    date: Date,
    month: Month,
    /// The same billing day one period earlier, for each cycle.
    before: [Date; 4],
    /// The same billing day one period later.
    after: [Date; 4],
}

impl Window {
    pub(super) fn new(position: Option<Date>, horizon: Date) -> Self {
        const ALL: u32 = !1;
        let length = position.map_or(i32::MAX, |position| horizon.days_since(position));
        if length > LONGEST {
            return Self { horizon, days: ALL, triggers: [None; 32] };
        }
        let mut window = Self { horizon, days: 0, triggers: [None; 32] };
        for date in (0..length).map(|i| horizon.plus_days(-i)) {
            let (_, _, day) = date.ymd();
            let month = date.month();
            // On a month's last day, later billing days are clamped to it.
            let last = if day == month.days() { 31 } else { day };
            for day in day..=last {
                window.days |= 1 << day;
                window.triggers[day as usize] = Trigger::new(date, month, day as u8);
            }
        }
        window
    }

    pub(super) const fn horizon(&self) -> Date {
        self.horizon
    }

    pub(super) const fn days(&self) -> u32 {
        self.days
    }

    /// For terms that nothing interrupts in the window: the one period they have to bill, with its trigger day, or
    /// `Some(None)` when there is none. `None` for terms that ask for more than a look at the calendar.
    #[allow(clippy::option_option, reason = "three answers: look closer, nothing, this")]
    #[inline]
    pub(super) fn only_period(&self, terms: &BillingTerms) -> Option<Option<(Period, Date)>> {
        let interrupted = terms.end.is_some() || terms.paused_from.is_some() || terms.charged_until.is_some();
        if terms.billed_from.is_some() || interrupted {
            return None;
        }
        let trigger = self.triggers.get(usize::from(terms.day.day()))?.as_ref()?;
        let cycle = terms.cycle as usize;
        let period = match terms.timing {
            Timing::Prepaid => Period { start: trigger.date, end: trigger.after[cycle] },
            Timing::Postpaid => Period { start: trigger.before[cycle], end: trigger.date },
        };
        if period.start < terms.start {
            return None;
        }
        let starts = terms.cycle == Cycle::Monthly || terms.anchor().starts_in(trigger.month);
        Some(starts.then_some((period, trigger.date)))
    }
}

impl Trigger {
    fn new(date: Date, month: Month, day: u8) -> Option<Self> {
        let day = day.try_into().ok()?;
        let moved = |sign: i32| Cycle::ALL.map(|cycle| month.plus(sign * i32::from(cycle.months())).clamp(day));
        Some(Self { date, month, before: moved(-1), after: moved(1) })
    }
}
