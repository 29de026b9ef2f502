//! What gateways hold for us, and the payouts that bring it to the bank.
//!
//! Money that customers pay at a gateway is on the account `gateway` until it is paid out. What each gateway holds is what
//! customers paid there, less the fees that it kept and what it paid out.

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::error::Error;
use crate::ids::{JournalEntryId, PaymentId, PayoutId, derive};
use crate::ledger::{Account, EntryKind, JournalEntry, entry};
use crate::money::Money;
use crate::text::Code;

/// Money that a gateway paid out to the bank. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// The row.
    pub id: PayoutId,
    /// Which gateway.
    pub gateway: Code,
    /// What arrived at the bank.
    pub net: Money,
    /// Fees that it kept with this payout and that were not told with the payments.
    pub fee: Money,
    /// When it arrived.
    pub on: Date,
    /// Who booked it.
    pub by: String,
    /// In words.
    pub note: String,
}

impl Payout {
    /// The payout, if it makes sense.
    ///
    /// # Errors
    /// [`Error::NotPositive`].
    pub fn checked(self) -> Result<Self, Error> {
        if !self.net.is_positive() {
            return Err(Error::NotPositive { field: "net" });
        }
        if self.fee < Money::ZERO {
            return Err(Error::NotPositive { field: "fee" });
        }
        Ok(self)
    }

    /// Its entries: from the gateway to the bank, and the fee as an expense.
    #[must_use]
    pub fn entries(&self) -> Vec<JournalEntry> {
        let moved = [(Account::Bank, self.net), (Account::Gateway, -self.net)];
        let id = |what| derive(self.id.0, &[what]);
        let mut entries = vec![entry(id("journal"), self.on, EntryKind::Payout, &moved)];
        entries.extend(fee_entry(JournalEntryId(id("fee")), self.fee, self.on));
        entries
    }
}

/// The entry for the fee that a gateway keeps of a payment. `None` when it keeps nothing.
#[must_use]
pub fn entry_for_gateway_fee(payment: PaymentId, fee: Money, on: Date) -> Option<JournalEntry> {
    fee_entry(JournalEntryId(derive(payment.0, &["gateway fee"])), fee, on)
}

fn fee_entry(id: JournalEntryId, fee: Money, on: Date) -> Option<JournalEntry> {
    let lines = [(Account::ExpenseFees, fee), (Account::Gateway, -fee)];
    (!fee.is_zero()).then(|| entry(id.0, on, EntryKind::GatewayFee, &lines))
}

/// What a gateway took and paid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayBalance {
    /// Which one.
    pub gateway: Code,
    /// What customers paid there, less reversed payments.
    pub received: Money,
    /// Fees, told with payments or with payouts.
    pub fees: Money,
    /// What arrived at the bank.
    pub paid_out: Money,
}

impl GatewayBalance {
    /// What it holds for us; below zero when more was paid out than is known of.
    #[must_use]
    pub fn holds(&self) -> Money {
        self.received - self.fees - self.paid_out
    }
}
