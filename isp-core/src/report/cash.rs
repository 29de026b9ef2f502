//! Where the money is: cash in the office, bank, gateways and collectors, month by month.

use serde::Serialize;

use crate::calendar::{Date, Month};
use crate::ledger::{Account, EntryKind, JournalTotal};
use crate::money::Money;

/// One account in one month: `opening + received + moved - spent = closing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CashRow {
    /// First day of the month.
    pub month: Date,
    /// Which account.
    pub account: Account,
    /// Balance before the month.
    pub opening: Money,
    /// From customers, less reversals.
    pub received: Money,
    /// For devices, expenses and the fees of gateways.
    pub spent: Money,
    /// From other accounts of money, less what went to them: deposits of collectors, payouts of gateways.
    pub moved: Money,
    /// Balance after the month.
    pub closing: Money,
}

/// The months from `first` to `last`, from totals that reach back to the first entry of the ledger; accounts that never
/// held anything are left out.
#[must_use]
pub fn cash(totals: &[JournalTotal], first: Month, last: Month) -> Vec<CashRow> {
    let of_account = |account: Account| {
        let of: Vec<&JournalTotal> = totals.iter().filter(|t| t.account == account && t.month() <= last).collect();
        (account, of)
    };
    let accounts: Vec<_> = Account::ALL.into_iter().filter(|a| a.is_money()).map(of_account).collect();
    let mut rows = Vec::new();
    let mut month = first;
    while month <= last {
        for (account, of) in accounts.iter().filter(|(_, of)| !of.is_empty()) {
            let sum = |wanted: &dyn Fn(&JournalTotal) -> bool| {
                of.iter().filter(|t| wanted(t)).map(|t| t.amount).sum::<Money>()
            };
            let now = |kinds: &[EntryKind]| sum(&|t| t.month() == month && kinds.contains(&t.kind));
            rows.push(CashRow {
                month: month.first(),
                account: *account,
                opening: sum(&|t| t.month() < month),
                received: now(&[EntryKind::Payment, EntryKind::Reversal, EntryKind::Refund]),
                spent: -now(&[EntryKind::DeviceCost, EntryKind::Expense, EntryKind::GatewayFee]),
                moved: now(&[EntryKind::Deposit, EntryKind::Payout]),
                closing: sum(&|t| t.month() <= month),
            });
        }
        month = month.plus(1);
    }
    rows
}
