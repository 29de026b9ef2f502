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

    /// The entries that book it back, on the same day, so that each day since comes out right. All stay visible.
    #[must_use]
    pub fn reversals(&self) -> Vec<JournalEntry> {
        let back = |entry: JournalEntry| {
            let id = derive(entry.id.0, &["reversal"]);
            entry.booked_back(id)
        };
        self.entries().into_iter().map(back).collect()
    }

    /// What it takes from the gateway: what arrived and the fee.
    #[must_use]
    pub fn taken(&self) -> Money {
        self.net + self.fee
    }

    /// What its gateway has to hold, when it is recorded in the place of another one that goes back at the same moment. `None` when
    /// it takes no more from there than that one gave back.
    #[must_use]
    pub fn needs(&self, instead_of: Option<&Self>) -> Option<Money> {
        let given_back = instead_of.filter(|before| before.gateway == self.gateway);
        let more = self.taken() - given_back.map_or(Money::ZERO, Self::taken);
        Some(more).filter(|more| more.is_positive())
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
    /// What customers paid there, less reversed payments and what it gave back to customers.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn payout(gateway: &str, net: i64, fee: i64) -> Payout {
        Payout {
            id: PayoutId(uuid::Uuid::from_u128(7)),
            gateway: Code::parse("gateway", gateway).unwrap(),
            net: Money::rupiah(net),
            fee: Money::rupiah(fee),
            on: Date::parse("2026-01-31").unwrap(),
            by: "Sari".into(),
            note: String::new(),
        }
    }

    #[test]
    fn a_payout_in_the_place_of_another_needs_what_it_takes_more() {
        let before = payout("tripay", 100, 5);
        let needs = |gateway, net, fee| payout(gateway, net, fee).needs(Some(&before)).map(Money::as_i64);
        assert_eq!(payout("tripay", 100, 5).needs(None), Some(Money::rupiah(105)));
        assert_eq!([needs("Tripay", 100, 6), needs("tripay", 95, 10), needs("tripay", 1, 0)], [Some(1), None, None]);
        assert_eq!(needs("midtrans", 100, 5), Some(105), "what one gives back is not at another");
    }

    #[test]
    fn what_books_a_payout_back_leaves_nothing_of_it_and_of_its_fee() {
        let payout = payout("tripay", 100, 5);
        let mut all = payout.entries();
        all.extend(payout.reversals());
        assert_eq!(all.iter().map(|e| e.id).collect::<std::collections::BTreeSet<_>>().len(), 4);
        let mut sums: BTreeMap<_, Money> = BTreeMap::new();
        for entry in &all {
            for line in &entry.lines {
                *sums.entry((entry.date, entry.kind.code(), line.account)).or_default() += line.amount;
            }
        }
        assert!(sums.len() == 4 && sums.values().all(|sum| sum.is_zero()), "{sums:?}");
    }
}
