//! Monthly finance: billed, given back, collected, written off, outstanding, PPN, and how old what is open is; for all, or
//! by package or site.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calendar::{Date, Month};
use crate::ledger::kept::OpenSum;
use crate::ledger::{Account, EntryKind, JournalTotal};
use crate::money::Money;
use crate::report::{Codes, GroupBy};

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finance {
    /// A row a month, or a month and group.
    pub months: Vec<FinanceRow>,
    /// The age of what is open on the day of the report.
    pub aging: Aging,
    /// The same by group; empty without grouping.
    pub aging_by: Vec<AgingRow>,
}

/// One month, or a month and group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FinanceRow {
    /// First day of the month.
    pub month: Date,
    /// Code of the package or site; `None` for what belongs to none, and without grouping.
    pub group: Option<String>,
    /// Invoices issued, with PPN.
    pub billed: Money,
    /// Credit notes issued, less those taken back, with PPN.
    pub given_back: Money,
    /// PPN in the invoices, less that in the credit notes.
    pub ppn: Money,
    /// Payments less reversals. What is paid ahead belongs to no group until it pays an invoice.
    pub collected: Money,
    /// PPh 23 that customers kept back, by its slips, less those taken back.
    pub withheld: Money,
    /// Receivables given up, less those taken back.
    pub written_off: Money,
    /// What is open at the month's end: the balance of the receivable account.
    pub outstanding: Money,
    /// What customers have paid ahead, or were given back, at the month's end.
    pub credit: Money,
    /// PPh 23 that was kept back so far, at the month's end: an asset, which counts towards the provider's income tax.
    pub pph23_prepaid: Money,
}

/// The age of what is open of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgingRow {
    /// Code of the package or site; `None` for one that is not known.
    pub group: Option<String>,
    /// Its open residuals.
    pub aging: Aging,
}

/// Open residuals by days past the due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
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

    /// Adds what is open of a due day.
    pub fn add(&mut self, open: &OpenSum, today: Date) {
        let bucket = match open.days_late(today) {
            ..=0 => &mut self.not_due,
            1..=30 => &mut self.to_30,
            31..=60 => &mut self.to_60,
            61..=90 => &mut self.to_90,
            _ => &mut self.over_90,
        };
        *bucket += open.amount;
    }
}

/// Everything the report is made of.
#[derive(Debug, Clone, Copy)]
pub struct FinanceInput<'a> {
    /// Totals that reach back to the first entry of the ledger.
    pub totals: &'a [JournalTotal],
    /// All that is open, summed up as finely as the report splits it, or finer.
    pub open: &'a [OpenSum],
    /// What to split by.
    pub by: GroupBy,
    /// The codes of groups.
    pub codes: &'a Codes,
    /// The day of the report.
    pub today: Date,
}

/// The months from `first` to `last`.
#[must_use]
pub fn finance(input: &FinanceInput<'_>, first: Month, last: Month) -> Finance {
    let mut groups: BTreeMap<Option<String>, Vec<&JournalTotal>> = BTreeMap::new();
    if input.by == GroupBy::Month {
        groups.insert(None, Vec::new());
    }
    for total in input.totals.iter().filter(|t| t.month() <= last) {
        groups.entry(input.codes.group(input.by, total.package_id, total.site_id)).or_default().push(total);
    }
    let mut months = Vec::new();
    let mut month = first;
    while month <= last {
        for (group, totals) in &groups {
            let sum = |wanted: &dyn Fn(&JournalTotal) -> bool| {
                totals.iter().filter(|t| wanted(t)).map(|t| t.amount).sum::<Money>()
            };
            let now = |account: Account, kinds: &[EntryKind]| {
                sum(&|t| t.month() == month && t.account == account && kinds.contains(&t.kind))
            };
            let balance = |account: Account| sum(&|t| t.month() <= month && t.account == account);
            let given_back = |t: &JournalTotal| {
                t.month() == month && t.kind == EntryKind::CreditNote && t.account != Account::CustomerCredit
            };
            let received = |t: &JournalTotal| {
                let kind = matches!(t.kind, EntryKind::Payment | EntryKind::Reversal | EntryKind::Refund);
                t.month() == month && t.account.is_money() && kind
            };
            months.push(FinanceRow {
                month: month.first(),
                group: group.clone(),
                billed: now(Account::Receivable, &[EntryKind::Invoices]),
                given_back: sum(&given_back),
                ppn: -now(Account::PpnPayable, &[EntryKind::Invoices, EntryKind::CreditNote]),
                collected: sum(&received),
                withheld: now(Account::Pph23Prepaid, &[EntryKind::Payment, EntryKind::Reversal]),
                written_off: now(Account::WriteOff, &[EntryKind::WriteOff, EntryKind::Reversal]),
                outstanding: balance(Account::Receivable),
                credit: -balance(Account::CustomerCredit),
                pph23_prepaid: balance(Account::Pph23Prepaid),
            });
        }
        month = month.plus(1);
    }
    let mut aging = Aging::default();
    let mut aging_by: BTreeMap<Option<String>, Aging> = BTreeMap::new();
    for open in input.open {
        aging.add(open, input.today);
        let group = input.codes.group(input.by, Some(open.package_id), Some(open.site_id));
        aging_by.entry(group).or_default().add(open, input.today);
    }
    if input.by == GroupBy::Month {
        aging_by.clear();
    }
    let aging_by = aging_by.into_iter().map(|(group, aging)| AgingRow { group, aging }).collect();
    Finance { months, aging, aging_by }
}
