//! Credit that is paid out to a customer (*pengembalian saldo*), such as to one who leaves.
//!
//! It is taken from the payments that it is left of, the one that was recorded first first. Such a payment can no longer be
//! reversed, unless the refund is taken back before.

use serde::{Deserialize, Serialize};

use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::ids::{CustomerId, PaymentId, RefundId, derive};
use crate::ledger::{Account, EntryKind, JournalEntry, entry};
use crate::money::Money;
use crate::payment::{Channel, CreditSource};

/// Credit that was paid out. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The row.
    pub id: RefundId,
    /// To whom.
    pub customer_id: CustomerId,
    /// How much.
    pub amount: Money,
    /// From where: [`Channel::Cash`] of the office or [`Channel::Bank`].
    pub paid_from: Channel,
    /// When.
    pub on: Date,
    /// Who paid it.
    pub by: String,
    /// In words.
    pub note: String,
    /// The payments that it was left of, with what is taken of each.
    pub parts: Vec<(PaymentId, Money)>,
}

impl Refund {
    /// The refund with its parts, if it makes sense; `credit` is what the customer has, first recorded first. The parts that
    /// `self` has are replaced.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`Error::NotOneOf`] for another place than the office's cash or the bank;
    /// [`Error::CreditIsLess`] when the customer had less on that day.
    pub fn checked(self, credit: &[CreditSource]) -> Result<Self, Error> {
        if !self.amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" });
        }
        if !matches!(self.paid_from, Channel::Cash | Channel::Bank) {
            return Err(Error::NotOneOf { field: "paid_from", expected: "cash, bank" });
        }
        // Nobody has had it before it came.
        let had = |source: &&CreditSource| Zone::Wib.date_of(source.since) <= self.on;
        let credit: Vec<&CreditSource> = credit.iter().filter(had).collect();
        let holds: Money = credit.iter().map(|source| source.left).sum();
        if self.amount > holds {
            return Err(Error::CreditIsLess { holds });
        }
        let mut left = self.amount;
        let mut parts = Vec::new();
        for source in credit {
            let taken = left.min(source.left);
            if taken.is_positive() {
                parts.push((source.payment_id, taken));
                left -= taken;
            }
        }
        Ok(Self { parts, ..self })
    }

    /// Its entry: the provider owes the customer less, and has less money.
    #[must_use]
    pub fn entry(&self) -> JournalEntry {
        let lines = [(Account::CustomerCredit, self.amount), (self.paid_from.account(), -self.amount)];
        entry(derive(self.id.0, &["journal"]), self.on, EntryKind::Refund, &lines)
    }

    /// The entry that books it back, on the same day, so that each day since comes out right. Both stay visible.
    #[must_use]
    pub fn reversal(&self) -> JournalEntry {
        self.entry().booked_back(derive(self.id.0, &["reversal"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample::{day, id, moment};

    fn refund(amount: i64, paid_from: Channel) -> Refund {
        Refund {
            id: RefundId(id(71, 1)),
            customer_id: CustomerId(id(4, 1)),
            amount: Money::rupiah(amount),
            paid_from,
            on: day("2026-03-01"),
            by: "Sari".into(),
            note: String::new(),
            parts: Vec::new(),
        }
    }

    fn credit(number: u64, left: i64) -> CreditSource {
        CreditSource {
            payment_id: PaymentId(id(9, number)),
            since: moment("2026-01-01T00:00:00Z"),
            left: Money::rupiah(left),
        }
    }

    #[test]
    fn it_takes_the_credit_that_was_first_first_and_no_more_than_there_is() {
        let has = [credit(1, 100), credit(2, 0), credit(3, 50)];
        let parts = |amount| refund(amount, Channel::Cash).checked(&has).map(|made| made.parts);
        let part = |number, amount| (PaymentId(id(9, number)), Money::rupiah(amount));
        assert_eq!(parts(60).unwrap(), [part(1, 60)]);
        assert_eq!(parts(150).unwrap(), [part(1, 100), part(3, 50)]);
        assert_eq!(parts(151), Err(Error::CreditIsLess { holds: Money::rupiah(150) }));
        let early = Refund { on: day("2025-12-31"), ..refund(1, Channel::Cash) }.checked(&has);
        assert_eq!(early, Err(Error::CreditIsLess { holds: Money::ZERO }), "it had not come");
        assert_eq!(parts(0), Err(Error::NotPositive { field: "amount" }));
        let by_gateway = refund(1, Channel::Gateway).checked(&has);
        assert_eq!(by_gateway, Err(Error::NotOneOf { field: "paid_from", expected: "cash, bank" }));
    }

    #[test]
    fn its_entries_balance_and_cancel_each_other() {
        let made = refund(60, Channel::Bank);
        let sum = |of: &JournalEntry| of.lines.iter().map(|line| line.amount).sum::<Money>();
        assert_eq!([sum(&made.entry()), sum(&made.reversal())], [Money::ZERO; 2]);
        assert_ne!(made.entry().id, made.reversal().id);
        let back: Vec<Money> = made.reversal().lines.iter().map(|line| -line.amount).collect();
        assert_eq!(made.entry().lines.iter().map(|line| line.amount).collect::<Vec<_>>(), back);
    }
}
