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
