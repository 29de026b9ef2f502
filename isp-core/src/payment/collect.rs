//! Collectors (*kolektor*) and what they hand over (*setoran*).
//!
//! Cash that a collector takes at customers' doors pays their invoices at once, and is in that collector's hands until a
//! deposit moves it to the office or the bank. What each one holds is what was collected less what was handed over.

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::error::Error;
use crate::ids::{DepositId, derive};
use crate::ledger::{Account, EntryKind, JournalEntry};
use crate::money::Money;
use crate::payment::Channel;
use crate::text::Code;

/// Money that a collector handed over. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// The row.
    pub id: DepositId,
    /// Who handed it over.
    pub collector: Code,
    /// How much.
    pub amount: Money,
    /// Where it went: [`Channel::Cash`] of the office or [`Channel::Bank`].
    pub to: Channel,
    /// When.
    pub on: Date,
    /// Who took it.
    pub by: String,
    /// In words.
    pub note: String,
}

impl Deposit {
    /// The deposit, if it makes sense.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`Error::NotOneOf`] for another place than the office's cash or the bank.
    pub fn checked(self) -> Result<Self, Error> {
        if !self.amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" });
        }
        if !matches!(self.to, Channel::Cash | Channel::Bank) {
            return Err(Error::NotOneOf { field: "to", expected: "cash, bank" });
        }
        Ok(self)
    }

    /// Its entry: from the collector's hands to the office or the bank.
    #[must_use]
    pub fn entry(&self) -> JournalEntry {
        crate::ledger::entry(
            derive(self.id.0, &["journal"]),
            self.on,
            EntryKind::Deposit,
            &[(self.to.account(), self.amount), (Account::Collector, -self.amount)],
        )
    }

    /// The entry that books it back, on the same day, so that each day since comes out right. Both stay visible.
    #[must_use]
    pub fn reversal(&self) -> JournalEntry {
        self.entry().booked_back(derive(self.id.0, &["reversal"]))
    }

    /// What its collector has to hold, when it is recorded in the place of another one that goes back at the same moment. `None`
    /// when it takes no more from them than that one gave back.
    #[must_use]
    pub fn needs(&self, instead_of: Option<&Self>) -> Option<Money> {
        let given_back = instead_of.filter(|before| before.collector == self.collector);
        let more = self.amount - given_back.map_or(Money::ZERO, |before| before.amount);
        Some(more).filter(|more| more.is_positive())
    }
}

/// What a collector took and handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectorBalance {
    /// Who.
    pub collector: Code,
    /// Cash taken from customers, less reversed payments.
    pub collected: Money,
    /// Cash handed over.
    pub deposited: Money,
}

impl CollectorBalance {
    /// What is in the collector's hands; below zero when a payment was reversed after it had been handed over.
    #[must_use]
    pub fn holds(&self) -> Money {
        self.collected - self.deposited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deposit(collector: &str, amount: i64) -> Deposit {
        Deposit {
            id: DepositId(uuid::Uuid::from_u128(7)),
            collector: Code::parse("collector", collector).unwrap(),
            amount: Money::rupiah(amount),
            to: Channel::Bank,
            on: Date::parse("2026-01-31").unwrap(),
            by: "Sari".into(),
            note: String::new(),
        }
    }

    #[test]
    fn a_deposit_in_the_place_of_another_needs_what_it_takes_more() {
        let before = deposit("ANTON", 100);
        let needs = |collector, amount| deposit(collector, amount).needs(Some(&before)).map(Money::as_i64);
        assert_eq!(deposit("ANTON", 100).needs(None), Some(Money::rupiah(100)));
        assert_eq!([needs("anton", 130), needs("ANTON", 100), needs("ANTON", 70)], [Some(30), None, None]);
        assert_eq!(needs("BUDI", 70), Some(70), "what one gives back is not in the hands of another");
    }

    #[test]
    fn what_books_a_deposit_back_is_its_entry_turned_round_on_the_same_day() {
        let deposit = deposit("ANTON", 100);
        let (entry, back) = (deposit.entry(), deposit.reversal());
        assert_eq!((back.date, back.kind), (entry.date, entry.kind));
        assert_ne!(back.id, entry.id);
        let amounts = |e: &JournalEntry| e.lines.iter().map(|l| (l.account, l.amount)).collect::<Vec<_>>();
        assert_eq!(amounts(&back), amounts(&entry).into_iter().map(|(a, m)| (a, -m)).collect::<Vec<_>>());
    }
}
