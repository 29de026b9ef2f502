//! The day at a glance: counts and sums that a server groups, and the rules that say what each of them is.

use crate::calendar::Date;
use crate::isolation::{Access, ServiceAccess, agree};
use crate::money::Money;
use crate::payment::Channel;

/// Lines of which the same access is wanted, and of which their routers said the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct LinesSaid {
    /// Which access is wanted.
    pub desired: Access,
    /// True for lines on a router; others are opened by hand.
    pub routed: bool,
    /// What the router said last; `None` when it said nothing, or nothing that is ours.
    pub said: Option<Access>,
    /// True when it said so of what is wanted now, and not of an earlier wish.
    pub current: bool,
    /// How many they are.
    pub count: u64,
}

impl LinesSaid {
    /// So many lines.
    #[must_use]
    pub const fn new(desired: Access, routed: bool, said: Option<Access>, current: bool, count: u64) -> Self {
        Self { desired, routed, said, current, count }
    }

    /// One line.
    #[must_use]
    pub fn of(access: &ServiceAccess, routed: bool) -> Self {
        let said = access.observed.as_ref();
        let current = said.is_some_and(|said| said.revision == access.revision);
        Self::new(access.desired, routed, said.and_then(|said| said.access), current, 1)
    }

    /// True when a router has not said yet that it has what is wanted.
    #[must_use]
    pub fn unconfirmed(&self) -> bool {
        self.routed && !agree(self.desired, self.said, self.current)
    }
}

/// Payments that stand, of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Received {
    /// Through which channel.
    pub channel: Channel,
    /// How many.
    pub count: u64,
    /// What they come to.
    pub amount: Money,
}

impl Received {
    /// So many payments.
    #[must_use]
    pub const fn new(channel: Channel, count: u64, amount: Money) -> Self {
        Self { channel, count, amount }
    }
}

/// How many, and what they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// What they come to.
    pub amount: Money,
}

impl Counted {
    /// So many, which come to so much.
    #[must_use]
    pub const fn new(count: u64, amount: Money) -> Self {
        Self { count, amount }
    }
}

/// The money that came in. Credit notes, write-offs and slips of tax stand among the payments, and bring none.
#[must_use]
pub fn money_in(received: &[Received]) -> Counted {
    received
        .iter()
        .filter(|of| of.channel.is_money())
        .fold(Counted::default(), |sum, of| Counted { count: sum.count + of.count, amount: sum.amount + of.amount })
}

/// Due days of open invoices, from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueDays {
    /// From which due day on.
    pub first: Date,
    /// Up to and including which due day.
    pub last: Date,
}

impl DueDays {
    /// All days.
    pub const ALL: Self = Self { first: Date::MIN, last: Date::MAX };

    /// Of what is due on this day.
    #[must_use]
    pub const fn on(today: Date) -> Self {
        Self { first: today, last: today }
    }

    /// Of what is overdue on a day: it may be paid in time on its due day (rule A1).
    ///
    /// ```
    /// # use isp_core::{calendar::Date, report::DueDays};
    /// let today = Date::parse("2026-01-11").unwrap();
    /// assert!(!DueDays::overdue(today).holds(today));
    /// assert!(DueDays::overdue(today).holds(Date::parse("2026-01-10").unwrap()));
    /// ```
    #[must_use]
    pub fn overdue(today: Date) -> Self {
        Self { first: Date::MIN, last: today.plus_days(-1) }
    }

    /// True when a due day is one of these.
    #[must_use]
    pub fn holds(&self, due: Date) -> bool {
        (self.first..=self.last).contains(&due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::{Arrears, Debt};
    use crate::ids::InvoiceId;
    use crate::testing::sample::day;

    /// What the days say is overdue, and what arrears say, day by day around the due day.
    #[test]
    fn overdue_days_are_those_of_arrears() {
        let due = day("2026-02-28");
        let debt = Debt {
            invoice_id: InvoiceId(uuid::Uuid::nil()),
            number: 1,
            issue_date: day("2026-02-18"),
            due_date: due,
            total: Money::rupiah(166_500),
            paid: Money::ZERO,
        };
        for days in -3..=3 {
            let today = due.plus_days(days);
            let overdue = Arrears::of(&[debt], today).overdue.is_positive();
            assert_eq!(DueDays::overdue(today).holds(due), overdue, "{today}");
            assert_eq!(DueDays::on(today).holds(due), today == due);
            assert!(DueDays::ALL.holds(due));
        }
    }

    #[test]
    fn only_money_comes_in() {
        let received: Vec<Received> =
            Channel::ALL.into_iter().map(|channel| Received::new(channel, 2, Money::rupiah(1_000))).collect();
        let expected = 2 * Channel::ALL.into_iter().filter(|channel| channel.is_money()).count() as u64;
        assert_eq!(money_in(&received).count, expected);
        assert!(expected < 2 * Channel::ALL.len() as u64);
        assert_eq!(money_in(&[]), Counted::default());
    }
}
