//! Money on its way to the office or the bank: in a collector's hands, or at a payment gateway.
//!
//! A deposit or payout takes out of such a purse what is in it on its day. What was put in later was not there.

use crate::calendar::Date;
use crate::money::Money;
use crate::text::Code;

/// Who holds the money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purse {
    /// A collector, until a [`Deposit`](crate::payment::Deposit).
    Collector(Code),
    /// A payment gateway, until a [`Payout`](crate::payment::Payout).
    Gateway(Code),
}

/// What can be taken out of a purse on a day, so that it lacks on no day since. `days` are what was put in, and taken out below
/// zero, of each day, in any order. Below zero when something lacks already.
///
/// ```
/// use isp_core::{calendar::Date, money::Money, payment::purse::free_on};
/// let (day, rp) = (|text| Date::parse(text).unwrap(), Money::rupiah);
/// let days = [(day("2026-01-05"), rp(100)), (day("2026-01-09"), rp(50)), (day("2026-01-07"), rp(-70))];
/// let free = ["2026-01-04", "2026-01-05", "2026-01-08", "2026-01-09"].map(|on| free_on(day(on), &days));
/// // On the 5th there were 100, but 70 of them were taken on the 7th.
/// assert_eq!(free, [rp(0), rp(30), rp(30), rp(80)]);
/// ```
#[must_use]
pub fn free_on(on: Date, days: &[(Date, Money)]) -> Money {
    let mut days = days.to_vec();
    days.sort_unstable_by_key(|(day, _)| *day);
    let (before, since) = days.split_at(days.partition_point(|(day, _)| *day <= on));
    let mut holds: Money = before.iter().map(|(_, moved)| *moved).sum();
    let mut least = holds;
    // What comes and goes on one day is there together.
    for day in since.chunk_by(|a, b| a.0 == b.0) {
        holds += day.iter().map(|(_, moved)| *moved).sum();
        least = least.min(holds);
    }
    least
}
