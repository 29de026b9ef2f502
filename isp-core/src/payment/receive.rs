//! What a payment that somebody tells us of comes to: a new one, or one that is known (rules P1, P4, P6, P7).

use chrono::{DateTime, Utc};

use crate::billing::credit;
use crate::error::Error;
use crate::ids::CustomerId;
use crate::money::{Money, plausible_amount};
use crate::payment::withheld::{self, Withholding};
use crate::payment::{plausible, write_off};
use crate::text::Code;

/// Who says that a payment came in.
///
/// | | reversed before | day in the future, or more than a year ago |
/// |---|---|---|
/// | a person | a new payment | refused |
/// | a person who insists | a new payment | taken |
/// | a machine | the same payment if it was paid at the same moment: nothing is written | refused |
/// | a bank that names each payment | the same payment: nothing is written | taken |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A person books it, who sees what is booked.
    ByPerson,
    /// A person who was asked about the day, and means it.
    ByPersonWhoInsists,
    /// A machine, such as a gateway's webhook, which says the same thing more than once and late.
    ByMachine,
    /// A bank that gives each payment a name of its own and never uses it again (SNAP BI), so the name alone tells that it is the same.
    /// Its money is there, whatever day it says.
    ByBank,
}

/// A payment as somebody tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard<'a> {
    /// Who paid.
    pub customer_id: CustomerId,
    /// Through whom.
    pub provider: &'a Code,
    /// How much.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// Who says so.
    pub told: Told,
    /// What the customer owes, in all or on an invoice: who pays just that made no slip, however little it is.
    pub owed: Money,
}

/// A payment that is known by the same provider and reference (rule P6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPayment {
    /// Who paid.
    pub customer_id: CustomerId,
    /// How much.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// Whether it was taken back.
    pub reversed: bool,
}

/// What a payment comes to; the number is the place among the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It is written.
    New,
    /// It is that one: nothing is written (rule P1).
    Known(usize),
    /// It is that one, which a person took back: nothing is written (rule P4).
    TakenBack(usize),
    /// That one has the reference, with another customer or amount.
    Differs(usize),
}

impl Heard<'_> {
    /// Whether it may be a payment at all.
    ///
    /// # Errors
    /// [`Error::NotPositive`], [`Error::ReservedProvider`], [`Error::PaidInFuture`], [`Error::PaidLongAgo`]; [`Error::Implausible`]
    /// for an odd amount that a person typed and that is not what is owed.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), Error> {
        if !self.amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" });
        }
        for (kept, what) in [(credit::PROVIDER, "credit notes"), (write_off::PROVIDER, "write-offs")] {
            if self.provider.as_str().eq_ignore_ascii_case(kept) {
                return Err(Error::ReservedProvider { what });
            }
        }
        if withheld::is_misspelt(self.provider) {
            return Err(Error::ReservedProvider { what: "PPh 23: pph23" });
        }
        match self.told {
            Told::ByPersonWhoInsists | Told::ByBank => Ok(()),
            Told::ByMachine => plausible(self.paid_at, now),
            Told::ByPerson if self.amount == self.owed || self.is_slip() => plausible(self.paid_at, now),
            Told::ByPerson => plausible_amount("amount", self.amount).and(plausible(self.paid_at, now)),
        }
    }

    /// What it comes to among the payments with its reference, oldest first. `invoices` are the customer's,
    /// oldest first, which only a slip of PPh 23 is compared with (rule P9); `owed` is then all that the customer owes.
    ///
    /// # Errors
    /// As [`Heard::check`]; for a new slip that a person typed, as [`withheld::usual`].
    pub fn received(
        &self,
        known: &[KnownPayment],
        invoices: &[Withholding],
        now: DateTime<Utc>,
    ) -> Result<Received, Error> {
        self.check(now)?;
        let received = self.among(known);
        // Who says again what was booked made no slip of the keyboard.
        if received == Received::New && self.told == Told::ByPerson && self.is_slip() {
            withheld::usual(self.amount, self.owed, invoices)?;
        }
        Ok(received)
    }

    /// True for a slip of PPh 23.
    #[must_use]
    pub fn is_slip(&self) -> bool {
        withheld::is_slip(self.provider)
    }

    /// Which of the payments with its reference it is, oldest first; a reversed one leaves the reference free. A slip of another
    /// customer is another payment.
    ///
    /// ```
    /// use isp_core::{ids::CustomerId, money::Money, payment::{Heard, KnownPayment, Received, Told}, text::Code};
    /// let (bca, at) = (Code::parse("provider", "BCA").unwrap(), chrono::DateTime::UNIX_EPOCH);
    /// let (budi, amount) = (CustomerId(uuid::Uuid::from_u128(1)), Money::rupiah(166_500));
    /// let heard = |told| Heard { customer_id: budi, provider: &bca, amount, paid_at: at, told, owed: Money::ZERO };
    /// let known = KnownPayment { customer_id: budi, amount, paid_at: at, reversed: false };
    /// assert_eq!(heard(Told::ByPerson).among(&[]), Received::New);
    /// assert_eq!(heard(Told::ByPerson).among(&[known]), Received::Known(0));
    /// // It bounced. Who books it again means another payment; a webhook that comes once more does not.
    /// let bounced = KnownPayment { reversed: true, ..known };
    /// assert_eq!(heard(Told::ByPerson).among(&[bounced]), Received::New);
    /// assert_eq!(heard(Told::ByMachine).among(&[bounced]), Received::TakenBack(0));
    /// let other = KnownPayment { amount: Money::rupiah(200_000), ..known };
    /// assert_eq!(heard(Told::ByMachine).among(&[bounced, other]), Received::Differs(1));
    /// // A bank names a payment once: the moment says nothing, nor what a person booked by that name since.
    /// let then = KnownPayment { paid_at: at + chrono::TimeDelta::hours(1), ..bounced };
    /// assert_eq!(heard(Told::ByMachine).among(&[then]), Received::New);
    /// assert_eq!(heard(Told::ByBank).among(&[then, other]), Received::TakenBack(0));
    /// assert_eq!(heard(Told::ByBank).among(&[other]), Received::Differs(0));
    /// ```
    #[must_use]
    pub fn among(&self, known: &[KnownPayment]) -> Received {
        let whose = |k: &KnownPayment| !self.is_slip() || k.customer_id == self.customer_id;
        if self.told == Told::ByBank {
            return self.among_named(known);
        }
        let standing = known.iter().rposition(|k| !k.reversed && whose(k));
        // A machine may say late, or ten times, what was taken back meanwhile; the moment of paying tells.
        let same = |k: &KnownPayment| {
            let moment = k.paid_at.timestamp_micros() == self.paid_at.timestamp_micros();
            self.told == Told::ByMachine && moment && whose(k)
        };
        let Some(at) = standing.or_else(|| known.iter().rposition(same)) else { return Received::New };
        let found = known[at];
        if found.customer_id != self.customer_id || found.amount != self.amount {
            Received::Differs(at)
        } else if found.reversed {
            Received::TakenBack(at)
        } else {
            Received::Known(at)
        }
    }

    /// As [`Heard::among`] for a name that is used once: whatever became of the payment since, telling it again is no news. A person
    /// may have taken it back, and booked it again for another customer.
    fn among_named(&self, known: &[KnownPayment]) -> Received {
        let same = |k: &KnownPayment| k.customer_id == self.customer_id && k.amount == self.amount;
        let standing = known.iter().rposition(|k| !k.reversed && same(k));
        match standing.or_else(|| known.iter().rposition(same)) {
            Some(at) if known[at].reversed => Received::TakenBack(at),
            Some(at) => Received::Known(at),
            None => known.len().checked_sub(1).map_or(Received::New, Received::Differs),
        }
    }
}
