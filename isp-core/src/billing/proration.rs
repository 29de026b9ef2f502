//! Proration by day (rule C5).

use crate::calendar::{Date, Period};
use crate::money::Money;

/// The part of a period between two days, either of which may cut it.
///
/// `None` when nothing is left of it.
#[must_use]
pub fn clip(period: Period, from: Date, until: Option<Date>) -> Option<Period> {
    let start = period.start.max(from);
    let end = until.map_or(period.end, |until| period.end.min(until));
    Period::try_new(start, end).ok()
}

/// `price x days used / days in the full period that holds them`.
///
/// ```
/// use isp_core::{billing::proration::prorate, calendar::{Date, Month}, money::Money};
/// // Rp155.000 a month, used from 15 to 31 January: 17 of 31 days.
/// let january = Month::new(2026, 1).unwrap().period();
/// let used = isp_core::billing::proration::clip(january, Date::parse("2026-01-15").unwrap(), None).unwrap();
/// assert_eq!(prorate(Money::rupiah(155_000), used, january), Money::rupiah(85_000));
/// ```
#[must_use]
pub fn prorate(price: Money, used: Period, full: Period) -> Money {
    if used == full { price } else { price.ratio(i64::from(used.days()), i64::from(full.days())) }
}

/// Splits a price over a period at `at`: the part before it is rounded, the part from it on is the rest, so that both
/// add up to the price.
#[must_use]
pub fn split(price: Money, full: Period, at: Date) -> (Money, Money) {
    let before = Period::try_new(full.start, at.min(full.end)).map_or(Money::ZERO, |used| prorate(price, used, full));
    (before, price - before)
}
