//! Profit and loss: accrual by invoice date without PPN, with a cash view beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::calendar::Date;
use crate::ids::{PackageId, SiteId};
use crate::ledger::{Account, EntryKind, JournalTotal};
use crate::money::Money;

/// What the columns of a report are split by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// Only months.
    #[default]
    Month,
    /// Months and packages.
    Package,
    /// Months and sites.
    Site,
}

/// The codes of packages and sites, which name the groups of a report.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    /// What people call each package.
    pub packages: BTreeMap<PackageId, String>,
    /// What people call each site.
    pub sites: BTreeMap<SiteId, String>,
}

impl Codes {
    /// The group of something of a package and a site; `None` without grouping, and for what belongs to none.
    #[must_use]
    pub fn group(&self, by: GroupBy, package: Option<PackageId>, site: Option<SiteId>) -> Option<String> {
        match by {
            GroupBy::Month => None,
            GroupBy::Package => package.and_then(|id| self.packages.get(&id).cloned()),
            GroupBy::Site => site.and_then(|id| self.sites.get(&id).cloned()),
        }
    }
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProfitLoss {
    /// A row a month, or a month and group.
    pub rows: Vec<ProfitLossRow>,
    /// All rows together.
    pub total: ProfitLossRow,
}

/// One month, or a month and group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProfitLossRow {
    /// First day of the month; `None` for the total.
    pub month: Option<Date>,
    /// Code of the package or site; `None` for what belongs to none, and without grouping.
    pub group: Option<String>,
    /// Revenue by account, discounts (negative) and rounding among it; positive is earned.
    pub revenue: BTreeMap<Account, Money>,
    /// Costs by account; positive is spent.
    pub costs: BTreeMap<Account, Money>,
    /// Revenue less costs.
    pub result: Money,
    /// Money that came in from customers, less reversals.
    pub cash_in: Money,
    /// Money that went out for devices and expenses.
    pub cash_out: Money,
}

impl ProfitLossRow {
    fn new(month: Option<Date>, group: Option<String>) -> Self {
        let zero = Money::ZERO;
        let (revenue, costs) = (BTreeMap::new(), BTreeMap::new());
        Self { month, group, revenue, costs, result: zero, cash_in: zero, cash_out: zero }
    }

    /// Sum of the revenue.
    #[must_use]
    pub fn revenue_total(&self) -> Money {
        self.revenue.values().sum()
    }

    /// Sum of the costs.
    #[must_use]
    pub fn costs_total(&self) -> Money {
        self.costs.values().sum()
    }

    fn add(&mut self, total: &JournalTotal) {
        match total.account {
            Account::RevenueSubscription
            | Account::RevenueInstallation
            | Account::RevenueLateFee
            | Account::Discounts
            | Account::Rounding => *self.revenue.entry(total.account).or_default() -= total.amount,
            account if account.is_money() => match total.kind {
                EntryKind::Payment | EntryKind::Reversal | EntryKind::Refund => self.cash_in += total.amount,
                _ => self.cash_out -= total.amount,
            },
            account if account.is_result() => *self.costs.entry(account).or_default() += total.amount,
            _ => {}
        }
        if total.account.is_result() {
            self.result -= total.amount;
        }
    }
}

/// The report over these totals.
#[must_use]
pub fn profit_loss(totals: &[JournalTotal], by: GroupBy, codes: &Codes) -> ProfitLoss {
    let group_of = |total: &JournalTotal| codes.group(by, total.package_id, total.site_id);
    let keys: BTreeSet<(Date, Option<String>)> = totals.iter().map(|t| (t.month, group_of(t))).collect();
    let mut rows: BTreeMap<_, ProfitLossRow> =
        keys.into_iter().map(|key| (key.clone(), ProfitLossRow::new(Some(key.0), key.1))).collect();
    let mut sum = ProfitLossRow::new(None, None);
    for total in totals {
        sum.add(total);
        if let Some(row) = rows.get_mut(&(total.month, group_of(total))) {
            row.add(total);
        }
    }
    ProfitLoss { rows: rows.into_values().collect(), total: sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_the_sum_of_the_result_accounts() {
        let month = Date::parse("2026-01-01").unwrap();
        let total = |account, kind, amount| JournalTotal {
            month,
            account,
            kind,
            package_id: None,
            site_id: None,
            amount: Money::rupiah(amount),
        };
        let totals = [
            total(Account::Receivable, EntryKind::Invoices, 111_000),
            total(Account::RevenueSubscription, EntryKind::Invoices, -110_000),
            total(Account::Discounts, EntryKind::Invoices, 10_000),
            total(Account::PpnPayable, EntryKind::Invoices, -11_000),
            total(Account::Cash, EntryKind::Payment, 50_000),
            total(Account::Receivable, EntryKind::Payment, -50_000),
            total(Account::ExpenseBandwidth, EntryKind::Expense, 30_000),
            total(Account::Cash, EntryKind::Expense, -30_000),
        ];
        let report = profit_loss(&totals, GroupBy::Month, &Codes::default());
        assert_eq!(report.rows.len(), 1);
        assert_eq!(report.total.revenue_total(), Money::rupiah(100_000));
        assert_eq!(report.total.costs_total(), Money::rupiah(30_000));
        assert_eq!(report.total.result, Money::rupiah(70_000));
        assert_eq!((report.total.cash_in, report.total.cash_out), (Money::rupiah(50_000), Money::rupiah(30_000)));
    }
}
