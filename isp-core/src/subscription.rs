//! Subscriptions: a customer's use of a package, with the terms it is billed by.

mod account;

pub use account::{Account, Mac, Service, Typed, ip_address};

use serde::{Deserialize, Serialize};

use crate::calendar::{Anchor, BillingDay, Cycle, Date, Period};
use crate::error::Error;
use crate::ids::{CustomerId, PackageId, RouterId, SiteId, SubscriptionId};
use crate::money::Money;

/// A customer's use of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The row.
    pub id: SubscriptionId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// Where the line ends, which decides the time zone.
    pub site_id: SiteId,
    /// The router that serves it; `None` for a line that the provider opens by hand.
    pub router_id: Option<RouterId>,
    /// How it gets onto the network, and what it is known by there.
    pub account: Account,
    /// What it is billed by.
    pub terms: BillingTerms,
}

/// What a subscription is billed by.
// Kept in this order: what a run asks of every line comes first, so that it reads the line from memory once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(C)]
pub struct BillingTerms {
    /// First day of service, or of service after a pause.
    pub start: Date,
    /// The day after the last day of service, once terminated.
    pub end: Option<Date>,
    /// First day of a pause (*cuti*): periods that start in it are not billed, and access is closed.
    pub paused_from: Option<Date>,
    /// Bill this subscription from this day on, whatever the position of the billing run; see
    /// [`crate::billing::plan`]. Set when it is new, when it was changed, and when it could not be billed.
    pub billed_from: Option<Date>,
    /// Days before this one are settled, whatever the grid says: the next period begins here at the earliest. Set by a change
    /// of terms to the end of what was charged (rule B11); `None` where periods follow the grid alone.
    pub charged_until: Option<Date>,
    /// A package that takes its place from a day on (rule B6).
    pub change: Option<PackageChange>,
    /// Day on which periods start (rule C2).
    pub day: BillingDay,
    /// Months per period.
    pub cycle: Cycle,
    /// Before or after the period (rule B1).
    pub timing: Timing,
    /// The package now.
    pub package_id: PackageId,
    /// A price that the customer holds instead of the package's (rule B5).
    pub held_price: Option<HeldPrice>,
    /// A discount (rule B5).
    pub discount: Option<Discount>,
}

/// When a line serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceDates {
    /// The first day.
    pub start: Date,
    /// The day after the last.
    pub end: Option<Date>,
    /// Since when it is paused.
    pub paused_from: Option<Date>,
}

impl ServiceDates {
    /// Where the line stands on a day.
    #[must_use]
    #[inline]
    pub fn status_on(&self, date: Date) -> SubscriptionStatus {
        if self.end.is_some_and(|end| end <= date) {
            SubscriptionStatus::Terminated
        } else if date < self.start {
            SubscriptionStatus::Pending
        } else if self.paused_from.is_some_and(|from| from <= date) {
            SubscriptionStatus::Paused
        } else {
            SubscriptionStatus::Active
        }
    }
}

impl BillingTerms {
    /// Terms without extras, to be billed from the start.
    #[must_use]
    pub fn new(package_id: PackageId, start: Date, day: BillingDay, cycle: Cycle) -> Self {
        Self {
            package_id,
            change: None,
            day,
            cycle,
            timing: Timing::Prepaid,
            start,
            end: None,
            paused_from: None,
            held_price: None,
            discount: None,
            billed_from: Some(start),
            charged_until: None,
        }
    }

    /// The grid of its periods.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        Anchor::new(self.start, self.day, self.cycle)
    }

    /// The first day that a period may begin on.
    #[must_use]
    pub fn first_day(&self) -> Date {
        self.charged_until.map_or(self.start, |until| until.max(self.start))
    }

    /// The period of its grid that a day lies in.
    pub(crate) fn period_of(&self, day: Date) -> Period {
        let anchor = self.anchor();
        anchor.period(anchor.index_of(day))
    }

    /// The package on a day.
    #[must_use]
    pub fn package_on(&self, date: Date) -> PackageId {
        self.change.filter(|c| c.from <= date).map_or(self.package_id, |c| c.package_id)
    }

    /// What is taken off the price of a period that begins on a day.
    #[must_use]
    pub fn discount_on(&self, date: Date) -> Option<Off> {
        self.discount.filter(|discount| discount.until.is_none_or(|until| date < until)).map(|discount| discount.off)
    }

    /// The price that is held on a day instead of the package's.
    #[must_use]
    pub fn held_price_on(&self, date: Date) -> Option<Money> {
        self.held_price.filter(|held| held.until.is_none_or(|until| date < until)).map(|held| held.price)
    }

    /// True when both have a day of service in common, as far as starts and ends tell.
    #[must_use]
    pub fn serves_with(&self, other: &Self) -> bool {
        let serves = |terms: &Self| terms.end.is_none_or(|end| terms.start < end);
        let before = |a: &Self, b: &Self| a.end.is_none_or(|end| b.start < end);
        serves(self) && serves(other) && before(self, other) && before(other, self)
    }

    /// When it serves.
    #[must_use]
    #[inline]
    pub const fn service(&self) -> ServiceDates {
        ServiceDates { start: self.start, end: self.end, paused_from: self.paused_from }
    }

    /// Where it stands on a day.
    #[must_use]
    #[inline]
    pub fn status_on(&self, date: Date) -> SubscriptionStatus {
        self.service().status_on(date)
    }

    /// Changes the package from a day on that begins a period (rule B6, the default); `today` says which package runs until then.
    /// The package that runs already withdraws what was planned.
    ///
    /// # Errors
    /// [`Error::NotServing`] for a terminated subscription.
    pub fn change_next_period(&self, package_id: PackageId, today: Date, from: Date) -> Result<Self, Error> {
        if self.status_on(today) == SubscriptionStatus::Terminated {
            return Err(Error::NotServing);
        }
        let runs = self.package_on(today);
        if package_id == runs {
            let planned = self.change.filter(|c| today < c.from).map(|c| c.from);
            // The held price that was to end with the present package goes on.
            let until = |h: HeldPrice| h.until.filter(|until| Some(*until) != planned);
            let held_price = self.held_price.map(|h| HeldPrice { until: until(h), ..h });
            return Ok(Self { package_id: runs, change: None, held_price, ..*self });
        }
        // A held price is one of the old package.
        let held_price = self.held_price.map(|h| HeldPrice { until: Some(h.until.map_or(from, |u| u.min(from))), ..h });
        let change = Some(PackageChange { package_id, from });
        Ok(Self { package_id: runs, change, held_price, ..*self })
    }

    /// Changes the package from a day on (rule B6, on request). What was billed already is settled by
    /// [`crate::billing::change_at_once()`]; with `cut`, a period that runs and is not charged yet ends there, and a new one
    /// starts.
    ///
    /// # Errors
    /// [`Error::NotServing`] for a terminated subscription.
    pub fn change_now(&self, package_id: PackageId, from: Date, cut: bool) -> Result<Self, Error> {
        if self.status_on(from) == SubscriptionStatus::Terminated {
            return Err(Error::NotServing);
        }
        let kept = Self { package_id, change: None, held_price: None, ..*self };
        Ok(if cut { Self { start: from, billed_from: Some(from), charged_until: None, ..kept } } else { kept })
    }

    /// Changes the billing day (rule C4). What is paid for, up to `paid_until`, stays; the days from there to the next new
    /// billing day are a short period of their own, billed when its turn comes, and whole periods go on from its end. Where
    /// nothing is paid for, a postpaid period that runs is cut, and a short one starts on `from`.
    ///
    /// ```
    /// use isp_core::{calendar::*, ids::PackageId, subscription::*};
    /// let day = |text| Date::parse(text).unwrap();
    /// let terms = BillingTerms::new(PackageId(uuid::Uuid::nil()), day("2026-01-01"), BillingDay::try_new(1).unwrap(), Cycle::Monthly);
    /// // On 10 January, paid until 1 February, from the first to the twentieth: 1 to 19 February are billed by themselves.
    /// let twentieth = BillingDay::try_new(20).unwrap();
    /// let terms = terms.change_day(twentieth, day("2026-01-10"), Some(day("2026-02-01"))).unwrap();
    /// assert_eq!((terms.first_day(), terms.grid_from(terms.first_day())), (day("2026-02-01"), day("2026-02-20")));
    /// ```
    ///
    /// # Errors
    /// [`Error::NotServing`] for a paused or terminated subscription.
    pub fn change_day(&self, day: BillingDay, from: Date, paid_until: Option<Date>) -> Result<Self, Error> {
        let changed = Self { day, ..*self };
        match (self.status_on(from), paid_until) {
            (SubscriptionStatus::Paused | SubscriptionStatus::Terminated, _) => Err(Error::NotServing),
            (_, Some(until)) => Ok(Self { charged_until: Some(until), billed_from: Some(until), ..changed }),
            (SubscriptionStatus::Active, None) if self.timing == Timing::Postpaid && from > self.start => {
                Ok(Self { start: from, billed_from: Some(from), charged_until: None, ..changed })
            }
            (_, None) => Ok(changed),
        }
    }

    /// The first day from `day` on that begins a whole period of its grid.
    #[must_use]
    pub fn grid_from(&self, day: Date) -> Date {
        let period = self.period_of(day);
        if period.start == day { day } else { period.end }
    }

    /// Pauses service and billing from a day on (rule B7).
    ///
    /// # Errors
    /// [`Error::NotServing`] unless it is active on that day.
    pub fn pause(&self, from: Date) -> Result<Self, Error> {
        match self.status_on(from) {
            SubscriptionStatus::Active => Ok(Self { paused_from: Some(from), ..*self }),
            _ => Err(Error::NotServing),
        }
    }

    /// Ends a pause; billing starts anew on `on`, with a short first period up to the next billing day.
    ///
    /// # Errors
    /// [`Error::NotServing`] unless it is paused on that day.
    pub fn resume(&self, on: Date) -> Result<Self, Error> {
        match self.status_on(on) {
            SubscriptionStatus::Paused => {
                Ok(Self { paused_from: None, start: on, billed_from: Some(on), charged_until: None, ..*self })
            }
            _ => Err(Error::NotServing),
        }
    }

    /// Ends a pause whose days are paid for up to `paid_until`: the grid of periods stays, and billing goes on from there.
    ///
    /// # Errors
    /// [`Error::NotServing`] unless it is paused on that day.
    pub fn resume_paid(&self, on: Date, paid_until: Date) -> Result<Self, Error> {
        match self.status_on(on) {
            SubscriptionStatus::Paused => {
                let settled = Some(paid_until);
                Ok(Self { paused_from: None, billed_from: settled, charged_until: settled, ..*self })
            }
            _ => Err(Error::NotServing),
        }
    }

    /// Ends the subscription: `end` is the day after the last day of service, `served_from` the first day of all.
    ///
    /// # Errors
    /// [`Error::NotServing`] when it is terminated already, [`Error::EmptyPeriod`] when it ends before it starts.
    pub fn terminate(&self, end: Date, served_from: Date) -> Result<Self, Error> {
        if self.end.is_some() {
            return Err(Error::NotServing);
        }
        if end < served_from {
            return Err(Error::EmptyPeriod);
        }
        Ok(Self { end: Some(end), ..*self })
    }
}

/// A change of package with the day from which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// The new package.
    pub package_id: PackageId,
    /// Periods that start on or after this day take it.
    pub from: Date,
}

/// A price per month that a customer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPrice {
    /// Rupiah per month.
    pub price: Money,
    /// Periods that start before this day take it; `None` for ever.
    pub until: Option<Date>,
}

/// A discount on each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// How much.
    pub off: Off,
    /// Periods that start before this day have it; `None` for ever.
    pub until: Option<Date>,
}

/// How much a discount takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// Rupiah per month.
    Amount(Money),
    /// Percent of the price, 1 to 100.
    Percent(u8),
}

impl Off {
    /// Reads `10%`, `10 %`, or rupiah per month.
    ///
    /// # Errors
    /// [`Error::NotPositive`] for what is no percent from 1 to 100, or no positive amount; those of [`Money::parse`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let none = Error::NotPositive { field: "discount" };
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.trim().parse() {
                Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
                _ => Err(none),
            },
            None => Money::parse(text).and_then(|amount| match amount.is_positive() {
                true => Ok(Self::Amount(amount)),
                false => Err(none),
            }),
        }
    }
}

impl std::fmt::Display for Off {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Amount(amount) => amount.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Whether a period is billed when it starts or when it ends (rule B1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timing {
    /// On the day it starts (*prabayar*).
    #[default]
    Prepaid,
    /// On the day it ends (*pascabayar*).
    Postpaid,
}

impl Timing {
    /// Reads `prepaid`, `prabayar`, `postpaid` or `pascabayar`.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.trim().to_ascii_lowercase().as_str() {
            "prepaid" | "prabayar" => Ok(Self::Prepaid),
            "postpaid" | "pascabayar" => Ok(Self::Postpaid),
            _ => Err(Error::NotOneOf { field: "timing", expected: "prepaid, postpaid" }),
        }
    }
}

/// Where a subscription stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionStatus {
    /// Not started.
    Pending,
    /// In service.
    Active,
    /// Paused by the customer.
    Paused,
    /// Ended.
    Terminated,
}
