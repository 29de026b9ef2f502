//! Payment requests: an amount that only one customer is asked for, so that the amount tells who paid.
//!
//! The amount is the debt of the moment and a suffix of Rp1 to Rp999. No other request has it at the time, and nobody else owes just
//! as much: who owes Rp183.150 is asked for so much in messages, and may transfer it. The debt is never rounded, and the suffix is the customer's credit (*titipan*), so the books stay true to the rupiah. A customer may pay the
//! amount by QRIS or by a transfer to any of the provider's accounts: the amount is kept for one request in all of them.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, PaymentRequestId};
use crate::money::Money;

/// Hours for which an amount is kept after the request has expired: money that is late still says whose it is. Who pays in the last
/// minute on a Friday is told of by the bank on Monday ([`Transfer::APART`]).
pub const KEPT_HOURS: i64 = 24 * Transfer::APART as i64;

/// The largest suffix.
pub const LARGEST_SUFFIX: i64 = 999;

/// Settings of payment requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestPolicy {
    /// Hours from a request until it expires.
    pub valid_hours: u16,
}

impl Default for RequestPolicy {
    fn default() -> Self {
        Self { valid_hours: 24 }
    }
}

/// An amount that only one customer is asked for, and its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnAmount {
    /// The debt and the suffix.
    pub amount: Money,
    /// When it ceases to be shown.
    pub expires_at: DateTime<Utc>,
    /// Until when nobody else is asked for it.
    pub kept_until: DateTime<Utc>,
}

impl RequestPolicy {
    /// The amount to ask for a debt: with the smallest suffix that is free. Not free, `kept`, are the amounts of requests and the sums
    /// that other customers owe ([`sums_owed`](super::sums_owed)).
    ///
    /// # Errors
    /// [`Error::NothingOwed`]; [`Error::NoFreeAmount`] when all suffixes are taken.
    pub fn own_amount(self, debt: Money, kept: &[Money], now: DateTime<Utc>) -> Result<OwnAmount, Error> {
        if !debt.is_positive() {
            return Err(Error::NothingOwed);
        }
        let mut amounts = (1..=LARGEST_SUFFIX).map(|suffix| debt + Money::rupiah(suffix));
        let amount = amounts.find(|amount| !kept.contains(amount)).ok_or(Error::NoFreeAmount)?;
        let expires_at = now + TimeDelta::hours(self.valid_hours.into());
        Ok(OwnAmount { amount, expires_at, kept_until: expires_at + TimeDelta::hours(KEPT_HOURS) })
    }
}

/// A request, as far as its amount tells whose money it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedAmount {
    /// The request.
    pub id: PaymentRequestId,
    /// Who was asked.
    pub customer_id: CustomerId,
    /// What was asked.
    pub amount: Money,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Until when nobody else is asked for its amount.
    pub kept_until: DateTime<Utc>,
    /// True when it was cancelled, or its customer paid another way.
    pub cancelled: bool,
    /// True when it was paid: money of its amount may be what the bank tells of that payment, and is nothing new.
    pub paid: bool,
}

/// A payment that was booked as a transfer, and that no bank has told of yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// What the money was booked as.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// On which day it was paid.
    pub on: Date,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
}

impl Transfer {
    /// Days between a transfer that a person booked and what the bank tells of it, at most: over a weekend.
    pub const APART: i32 = 3;
}

impl AskedAmount {
    /// True when money of its amount that was paid on a day between two moments is its money: it was made before the end of
    /// that day, and its amount was still kept at the beginning. Money for a request that was cancelled meanwhile, or is too late
    /// for it, still is that customer's.
    #[must_use]
    pub fn fits(&self, amount: Money, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        amount == self.amount && self.made_at < until && from < self.kept_until
    }

    /// The customer's payment that such money is, when somebody booked it as a transfer before its bank told of it: by a proof, or at
    /// the counter. True beside it when its amount is just that; else it only looks like it, as a transfer in the days of the request.
    /// What was booked before the request was made is no part of its debt.
    ///
    /// ```
    /// use isp_core::{calendar::*, ids::*, money::Money, payment::{AskedAmount, Transfer}};
    /// let (id, day) = (uuid::Uuid::nil(), Date::parse("2026-03-10").unwrap());
    /// let at = |hour| day.at(hour, 0, Zone::Wib);
    /// let request = AskedAmount { id: PaymentRequestId(id), customer_id: CustomerId(id), amount: Money::rupiah(183_151),
    ///     made_at: at(9), kept_until: day.plus_days(3).at(9, 0, Zone::Wib), cancelled: true, paid: false };
    /// let booked = |amount, on, hour| Transfer { payment_id: PaymentId(id), amount: Money::rupiah(amount), on, booked_at: at(hour) };
    /// let looks = |transfer: Transfer| request.booked_as(request.amount, day.plus_days(1), &[transfer]).map(|(_, same)| same);
    /// assert_eq!(looks(booked(183_151, day, 10)), Some(true));
    /// // A proof over the plain debt: the same money all the same, as far as anybody can tell.
    /// assert_eq!(looks(booked(183_150, day, 10)), Some(false));
    /// assert_eq!(looks(booked(183_150, day, 8)), None);
    /// assert_eq!(looks(booked(183_150, day.plus_days(-9), 10)), None);
    /// ```
    #[must_use]
    pub fn booked_as(&self, amount: Money, on: Date, transfers: &[Transfer]) -> Option<(PaymentId, bool)> {
        let days = Zone::Wib.date_of(self.made_at)..=Zone::Wib.date_of(self.kept_until);
        let apart = |transfer: &Transfer| transfer.on.days_since(on).abs();
        let near = |transfer: &&Transfer| {
            transfer.booked_at >= self.made_at && (days.contains(&transfer.on) || apart(transfer) <= Transfer::APART)
        };
        let likest = transfers.iter().filter(near).min_by_key(|t| (t.amount != amount, apart(t), t.payment_id));
        likest.map(|transfer| (transfer.payment_id, transfer.amount == amount))
    }
}

/// What a customer was asked to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRequest {
    /// The row.
    pub id: PaymentRequestId,
    /// Who is asked.
    pub customer_id: CustomerId,
    /// The invoice that it is about; `None` when it is about everything owed. Paying it pays the oldest invoice first, as any
    /// payment does.
    pub invoice_id: Option<InvoiceId>,
    /// What was owed when it was made.
    pub debt: Money,
    /// What is asked: the debt and the suffix. No other customer's request has it until `kept_until`.
    pub amount: Money,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it ceases to be shown.
    pub expires_at: DateTime<Utc>,
    /// Until when no other customer's request gets its amount.
    pub kept_until: DateTime<Utc>,
    /// That it was paid or cancelled, and when; `None` while it is open, and after it has expired.
    pub closing: Option<Closing>,
}

/// How a payment request ended, other than by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// When.
    pub at: DateTime<Utc>,
    /// The payment that paid it; `None` when it was cancelled.
    pub payment_id: Option<PaymentId>,
}

/// Where a payment request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// It waits for its money.
    Open,
    /// Its money came.
    Paid,
    /// Its time is over. Money that comes while its amount is kept still counts.
    Expired,
    /// It was cancelled, or its customer paid another way.
    Cancelled,
}

impl RequestState {
    /// `open`, `paid`, `expired` or `cancelled`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl PaymentRequest {
    /// A request for a debt, with the smallest suffix that is free: [`RequestPolicy::own_amount`].
    ///
    /// ```
    /// use isp_core::{ids::*, money::Money, payment::{PaymentRequest, RequestPolicy}};
    /// let (id, now) = (PaymentRequestId(uuid::Uuid::nil()), chrono::DateTime::UNIX_EPOCH);
    /// let ask = |kept: &[i64]| {
    ///     let kept: Vec<Money> = kept.iter().copied().map(Money::rupiah).collect();
    ///     let budi = CustomerId(uuid::Uuid::nil());
    ///     PaymentRequest::try_new(id, budi, None, Money::rupiah(183_150), &kept, RequestPolicy::default(), now)
    /// };
    /// assert_eq!(ask(&[]).unwrap().amount, Money::rupiah(183_151));
    /// // Another customer's request over Rp183.050 and one over Rp183.150 have the next two.
    /// assert_eq!(ask(&[183_151, 183_152]).unwrap().amount, Money::rupiah(183_153));
    /// assert_eq!(ask(&(183_151..=184_149).collect::<Vec<_>>()).unwrap_err().code(), "request.no_free_amount");
    /// ```
    ///
    /// # Errors
    /// [`Error::NothingOwed`]; [`Error::NoFreeAmount`] when all suffixes are taken.
    pub fn try_new(
        id: PaymentRequestId,
        customer_id: CustomerId,
        invoice_id: Option<InvoiceId>,
        debt: Money,
        kept: &[Money],
        policy: RequestPolicy,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let OwnAmount { amount, expires_at, kept_until } = policy.own_amount(debt, kept, now)?;
        Ok(Self { id, customer_id, invoice_id, debt, amount, made_at: now, expires_at, kept_until, closing: None })
    }

    /// Where it stands at a moment.
    #[must_use]
    pub fn state(&self, now: DateTime<Utc>) -> RequestState {
        match self.closing {
            Some(Closing { payment_id: Some(_), .. }) => RequestState::Paid,
            Some(Closing { payment_id: None, .. }) => RequestState::Cancelled,
            None if now < self.expires_at => RequestState::Open,
            None => RequestState::Expired,
        }
    }

    /// True when nothing has paid it.
    #[must_use]
    pub fn is_unpaid(&self) -> bool {
        self.closing.is_none_or(|closing| closing.payment_id.is_none())
    }

    /// What matching money looks at.
    #[must_use]
    pub fn asked(&self) -> AskedAmount {
        let Self { id, customer_id, amount, made_at, kept_until, closing, .. } = *self;
        let paid = !self.is_unpaid();
        AskedAmount { id, customer_id, amount, made_at, kept_until, cancelled: closing.is_some() && !paid, paid }
    }

    /// True when nothing has paid it yet and money that was paid on such a day is its money: [`AskedAmount::fits`].
    #[must_use]
    pub fn is_paid_by(&self, amount: Money, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        self.is_unpaid() && self.asked().fits(amount, from, until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(n)
    }

    fn request() -> PaymentRequest {
        let (id, customer) = (PaymentRequestId(uuid::Uuid::nil()), CustomerId(uuid::Uuid::nil()));
        PaymentRequest::try_new(id, customer, None, Money::rupiah(183_150), &[], RequestPolicy::default(), hours(0))
            .unwrap()
    }

    /// A fault of others: 15 minutes of life, and what comes at minute 16 is lost.
    #[test]
    fn late_money_still_pays_its_request() {
        let request = request();
        assert_eq!([23, 24, 72].map(|h| request.state(hours(h)).code()), ["open", "expired", "expired"]);
        let pays = |h: i64| request.is_paid_by(request.amount, hours(h), hours(h + 24));
        assert_eq!([-25, -1, 0, 25, 95, 96].map(pays), [false, true, true, true, true, false]);
        assert!(!request.is_paid_by(request.debt, hours(0), hours(24)), "only the exact amount");
    }

    #[test]
    fn a_request_is_paid_once_and_a_cancelled_one_still_says_whose_money_it_is() {
        let closed = |payment_id| PaymentRequest { closing: Some(Closing { at: hours(1), payment_id }), ..request() };
        let paid = closed(Some(PaymentId(uuid::Uuid::nil())));
        assert_eq!(paid.state(hours(2)), RequestState::Paid);
        assert!(!paid.is_paid_by(paid.amount, hours(2), hours(26)));
        let cancelled = closed(None);
        assert_eq!(cancelled.state(hours(2)), RequestState::Cancelled);
        assert!(cancelled.is_paid_by(cancelled.amount, hours(2), hours(26)));
    }

    #[test]
    fn nothing_is_asked_for_where_nothing_is_owed() {
        let made = |debt| {
            let (id, customer) = (PaymentRequestId(uuid::Uuid::nil()), CustomerId(uuid::Uuid::nil()));
            PaymentRequest::try_new(id, customer, None, Money::rupiah(debt), &[], RequestPolicy::default(), hours(0))
        };
        assert_eq!(made(0).unwrap_err().code(), "request.nothing_owed");
        assert_eq!(made(-5).unwrap_err().code(), "request.nothing_owed");
    }
}
