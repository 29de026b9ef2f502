//! Monthly finance: billed, collected, outstanding, PPN, and how old what is open is.

use serde::Serialize;

use crate::billing::InvoiceBalance;
use crate::calendar::{Date, Month};
use crate::ledger::{Account, EntryKind, JournalTotal};
use crate::money::Money;

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finance {
    /// A row a month.
    pub months: Vec<FinanceRow>,
    /// The age of what is open on the day of the report.
    pub aging: Aging,
}

/// One month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FinanceRow {
    /// First day of the month.
    pub month: Date,
    /// Invoices issued, with PPN.
    pub billed: Money,
    /// PPN in them.
    pub ppn: Money,
    /// Payments less reversals.
    pub collected: Money,
    /// What is open at the month's end: the balance of the receivable account.
    pub outstanding: Money,
    /// What customers have paid ahead at the month's end.
    pub credit: Money,
}

/// Open residuals by days past the due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Aging {
    /// Not due yet.
    pub not_due: Money,
    /// 1 to 30 days.
    pub to_30: Money,
    /// 31 to 60 days.
    pub to_60: Money,
    /// 61 to 90 days.
    pub to_90: Money,
    /// More than 90 days.
    pub over_90: Money,
}

impl Aging {
    /// All that is open.
    #[must_use]
    pub fn total(&self) -> Money {
        self.not_due + self.to_30 + self.to_60 + self.to_90 + self.over_90
    }

    /// Adds the residual of an invoice.
    pub fn add(&mut self, invoice: &InvoiceBalance, today: Date) {
        let bucket = match invoice.days_late(today) {
            ..=0 => &mut self.not_due,
            1..=30 => &mut self.to_30,
            31..=60 => &mut self.to_60,
            61..=90 => &mut self.to_90,
            _ => &mut self.over_90,
        };
        *bucket += invoice.residual();
    }
}

/// The months from `first` to `last`, from totals that reach back to the first entry of the ledger.
#[must_use]
pub fn finance(totals: &[JournalTotal], aging: Aging, first: Month, last: Month) -> Finance {
    let mut months = Vec::new();
    let mut month = first;
    while month <= last {
        let sum = |account: Account, kinds: &[EntryKind]| -> Money {
            totals
                .iter()
                .filter(|t| t.month() == month && t.account == account && kinds.contains(&t.kind))
                .map(|t| t.amount)
                .sum()
        };
        let balance = |account: Account| -> Money {
            totals.iter().filter(|t| t.month() <= month && t.account == account).map(|t| t.amount).sum()
        };
        months.push(FinanceRow {
            month: month.first(),
            billed: sum(Account::Receivable, &[EntryKind::Invoices]),
            ppn: -sum(Account::PpnPayable, &[EntryKind::Invoices]),
            collected: sum(Account::Cash, &[EntryKind::Payment, EntryKind::Reversal]),
            outstanding: balance(Account::Receivable),
            credit: -balance(Account::CustomerCredit),
        });
        month = month.plus(1);
    }
    Finance { months, aging }
}
