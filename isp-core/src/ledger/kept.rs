//! Sums of the books. A store keeps them up in each commit, so that a report of a million customers adds up a few thousand numbers.
//!
//! There are three, each made of other rows than the others: what the journal comes to, what documents come to, and what is open. In
//! books that nobody altered by hand they agree.
//!
//! ```
//! use isp_core::{Money, ledger::{Account, kept::{Documents, Sums}}};
//! let expense = isp_core::ledger::Expense {
//!     id: isp_core::ids::ExpenseId(uuid::Uuid::nil()),
//!     on: isp_core::calendar::Date::parse("2026-01-05").unwrap(),
//!     category: Account::ExpenseElectricity,
//!     amount: Money::rupiah(100_000),
//!     paid_from: isp_core::payment::Channel::Cash,
//!     note: String::new(),
//!     site_id: None,
//! };
//! let mut sums = Sums::default();
//! sums.expense(&expense);
//! sums.entry(&expense.entry());
//! let key = (Documents::Expenses, None, Account::ExpenseElectricity);
//! assert_eq!(sums.documents[&key], Money::rupiah(100_000));
//! assert_eq!(sums.totals().len(), 2);
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::billing::{Invoice, InvoiceBalance};
use crate::calendar::{Date, Month};
use crate::error::Error;
use crate::ids::{PackageId, SiteId};
use crate::ledger::{Account, EntryKind, Expense, JournalEntry, JournalTotal};
use crate::money::Money;
use crate::payment::{Channel, Payment};

/// Documents of one sort, of which sums are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Documents {
    /// Invoices by the month of their issue: what they demand, and the PPN in it (negative, as in the journal).
    Invoices,
    /// Credit notes that stand (negative, as in the journal).
    CreditNotes,
    /// What is left of payments and credit notes (negative, as in the journal).
    Credit,
    /// Payments, slips of tax and write-offs that stand, by their account.
    Payments,
    /// Expenses that stand, by category.
    Expenses,
    /// What devices cost.
    Devices,
}

impl Documents {
    /// All sorts.
    pub const ALL: [Self; 6] =
        [Self::Invoices, Self::CreditNotes, Self::Credit, Self::Payments, Self::Expenses, Self::Devices];

    /// Its code, such as `credit_notes`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invoices => "invoices",
            Self::CreditNotes => "credit_notes",
            Self::Credit => "credit",
            Self::Payments => "payments",
            Self::Expenses => "expenses",
            Self::Devices => "devices",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|documents| documents.code() == text)
            .ok_or(Error::NotOneOf { field: "documents", expected: "a sort of documents of which sums are kept" })
    }
}

/// Of what the journal has a sum: first day of the month, account, kind of entry, package and site.
pub type JournalKey = (Date, Account, EntryKind, Option<PackageId>, Option<SiteId>);
/// Of what documents have a sum: their sort, the month where they are told apart by month, and the account.
pub type DocumentKey = (Documents, Option<Month>, Account);
/// Of what is open there is a sum by due day, package and site.
pub type OpenKey = (Date, PackageId, SiteId);

/// Sums of the books, or what a commit moves them by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sums {
    /// Lines of the journal; debit positive. A sum that came to zero stays: something was booked there.
    pub journal: BTreeMap<JournalKey, Money>,
    /// Documents, with the sign that the journal has.
    pub documents: BTreeMap<DocumentKey, Money>,
    /// What invoices demand, less what was paid of them.
    pub open: BTreeMap<OpenKey, Money>,
}

impl Sums {
    /// Adds an entry of the journal.
    pub fn entry(&mut self, entry: &JournalEntry) {
        for line in &entry.lines {
            let key = (entry.date.month_start(), line.account, entry.kind, line.package_id, line.site_id);
            *self.journal.entry(key).or_default() += line.amount;
        }
    }

    /// Adds an invoice that was issued, of which nothing is paid.
    pub fn invoice(&mut self, invoice: &Invoice) {
        let month = Some(invoice.issue_date.month());
        self.document((Documents::Invoices, month, Account::Receivable), invoice.total);
        self.document((Documents::Invoices, month, Account::PpnPayable), -invoice.ppn);
        self.open((invoice.due_date, invoice.package_id, invoice.site_id), invoice.total);
    }

    /// Adds to what is open; what is paid is negative.
    pub fn open(&mut self, key: OpenKey, amount: Money) {
        *self.open.entry(key).or_default() += amount;
    }

    /// Adds a payment, or what has the form of one: a credit note, a slip of tax, a write-off. All of it is left.
    pub fn payment(&mut self, payment: &Payment) {
        self.came(payment, payment.amount);
    }

    /// Takes a payment away that was reversed, after all of it was left again.
    pub fn reversed(&mut self, payment: &Payment) {
        self.came(payment, -payment.amount);
    }

    fn came(&mut self, payment: &Payment, amount: Money) {
        self.used(-amount);
        match payment.channel {
            Channel::CreditNote => self.document((Documents::CreditNotes, None, Account::CustomerCredit), -amount),
            _ => self.document((Documents::Payments, None, payment.account()), amount),
        }
    }

    /// Takes away from what is left of payments: what paid invoices, or was paid out.
    pub fn used(&mut self, amount: Money) {
        self.document((Documents::Credit, None, Account::CustomerCredit), amount);
    }

    /// Adds an expense.
    pub fn expense(&mut self, expense: &Expense) {
        self.document((Documents::Expenses, None, expense.category), expense.amount);
    }

    /// Takes an expense away that was booked back.
    pub fn expense_back(&mut self, expense: &Expense) {
        self.document((Documents::Expenses, None, expense.category), -expense.amount);
    }

    /// Adds what a device cost.
    pub fn device(&mut self, cost: Money) {
        self.document((Documents::Devices, None, Account::DeviceCost), cost);
    }

    fn document(&mut self, key: DocumentKey, amount: Money) {
        *self.documents.entry(key).or_default() += amount;
    }

    /// The sums of the journal, in the order of their keys.
    #[must_use]
    pub fn totals(&self) -> Vec<JournalTotal> {
        let total = |(key, amount): (&JournalKey, &Money)| {
            let (month, account, kind, package_id, site_id) = *key;
            JournalTotal { month, account, kind, package_id, site_id, amount: *amount }
        };
        self.journal.iter().map(total).collect()
    }

    /// What is open, without what came to zero.
    #[must_use]
    pub fn all_open(&self) -> Vec<OpenSum> {
        let open = self.open.iter().filter(|(_, amount)| !amount.is_zero());
        open.map(|((due_date, package_id, site_id), amount)| OpenSum {
            due_date: *due_date,
            package_id: *package_id,
            site_id: *site_id,
            amount: *amount,
        })
        .collect()
    }

    /// Which of these sums are others than those of the rows: each with what is kept, and what the rows come to.
    #[must_use]
    pub fn differing(&self, rows: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut differs = |name: String, kept: Option<&Money>, rows: Option<&Money>| {
            let (kept, rows) = (kept.copied().unwrap_or_default(), rows.copied().unwrap_or_default());
            if kept != rows {
                found.push(format!("{name}: {kept} / {rows}"));
            }
        };
        let keys: BTreeSet<_> = self.journal.keys().chain(rows.journal.keys()).collect();
        for key @ (month, account, kind, ..) in keys {
            let name = format!("journal {} {} {}", month.month(), kind.code(), account.code());
            differs(name, self.journal.get(key), rows.journal.get(key));
        }
        let keys: BTreeSet<_> = self.documents.keys().chain(rows.documents.keys()).collect();
        for key @ (of, month, account) in keys {
            let month = month.map_or_else(String::new, |month| format!(" {month}"));
            let name = format!("{}{month} {}", of.code(), account.code());
            differs(name, self.documents.get(key), rows.documents.get(key));
        }
        let keys: BTreeSet<_> = self.open.keys().chain(rows.open.keys()).collect();
        for key in keys {
            differs(format!("open {}", key.0), self.open.get(key), rows.open.get(key));
        }
        found
    }

    /// The same sums without those that came to zero.
    #[must_use]
    pub fn without_zeros(mut self) -> Self {
        self.journal.retain(|_, amount| !amount.is_zero());
        self.documents.retain(|_, amount| !amount.is_zero());
        self.open.retain(|_, amount| !amount.is_zero());
        self
    }
}

/// What is open of the invoices that are due on one day, for one package at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSum {
    /// The last day to pay.
    pub due_date: Date,
    /// For which package.
    pub package_id: PackageId,
    /// At which site.
    pub site_id: SiteId,
    /// What is open.
    pub amount: Money,
}

impl OpenSum {
    /// That of one invoice.
    #[must_use]
    pub fn of(invoice: &InvoiceBalance) -> Self {
        Self {
            due_date: invoice.due_date,
            package_id: invoice.package_id,
            site_id: invoice.site_id,
            amount: invoice.residual(),
        }
    }

    /// Days past the due day; zero or less while it is not late.
    #[must_use]
    pub fn days_late(&self, today: Date) -> i32 {
        today.days_since(self.due_date)
    }
}
