//! Whether a document is booked as it stands: its entry as it must be, beside the one of the journal.
//!
//! ```
//! # use isp_core::{calendar::Date, ids::ExpenseId, ledger::{Account, Expense, compare::{Expected, Difference}}, money::Money, payment::Channel};
//! let day = |text| Date::parse(text).unwrap();
//! let expense = Expense { id: ExpenseId(uuid::Uuid::nil()), on: day("2026-01-05"), category: Account::ExpenseElectricity,
//!     amount: Money::rupiah(100_000), paid_from: Channel::Cash, note: String::new(), site_id: None };
//! let booked = expense.entry();
//! assert_eq!(Expected::whole(expense.entry()).differs(Some(&booked)), None);
//! assert_eq!(Expected::whole(expense.entry()).differs(None), Some(Difference::Missing));
//! let later = Expense { on: day("2026-01-06"), ..expense.clone() };
//! assert_eq!(Expected::whole(later.entry()).differs(Some(&booked)), Some(Difference::Day));
//! let from_bank = Expense { paid_from: Channel::Bank, ..expense };
//! assert_eq!(Expected::whole(from_bank.entry()).differs(Some(&booked)), Some(Difference::Amount));
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::calendar::{Date, Zone};
use crate::ids::JournalEntryId;
use crate::ledger::{Account, EntryKind, JournalEntry, JournalLine, entry_for_payment, entry_for_reversal};
use crate::money::Money;
use crate::payment::{Payment, PaymentReversal};

/// How a document and its entry differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// The journal has no entry for it.
    Missing,
    /// Its entry is of another kind.
    Kind,
    /// Its entry is of another day.
    Day,
    /// Its entry has other accounts or amounts.
    Amount,
    /// Its entry names another package or another site.
    Place,
    /// The entry belongs to no document.
    Stray,
    /// The lines of the entry say another day or kind than its head.
    Head,
    /// The lines of the document are not its sum.
    Sum,
}

impl Difference {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Missing, Self::Kind, Self::Day, Self::Amount, Self::Place, Self::Stray, Self::Head, Self::Sum];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Kind => "kind",
            Self::Day => "day",
            Self::Amount => "amount",
            Self::Place => "place",
            Self::Stray => "stray",
            Self::Head => "head",
            Self::Sum => "sum",
        }
    }
}

/// How the entry of a document must look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    entry: JournalEntry,
    /// What is known of it.
    known: Known,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// All of it, of one of these days.
    Whole { days: [Date; Zone::ALL.len()] },
    /// The account that it moves, and the days that it may be of. What a payment paid at once, and what became credit, is not kept.
    Settled { account: Account, days: [Date; Zone::ALL.len()] },
}

impl Expected {
    /// An entry that follows from its document alone.
    #[must_use]
    pub const fn whole(entry: JournalEntry) -> Self {
        let days = [entry.date; Zone::ALL.len()];
        Self { entry, known: Known::Whole { days } }
    }

    /// An entry that follows from its document but for the day: that of a moment by the clock of a place, whose zone may have been
    /// corrected since.
    ///
    /// ```
    /// # use isp_core::{calendar::{Date, Zone}, ids::ExpenseId, ledger::{Account, Expense, compare::{Expected, Difference}}, money::Money, payment::Channel};
    /// let day = |text: &str| Date::parse(text).unwrap();
    /// let expense = |on: &str| Expense { id: ExpenseId(uuid::Uuid::nil()), on: day(on), category: Account::ExpenseElectricity,
    ///     amount: Money::rupiah(100_000), paid_from: Channel::Cash, note: String::new(), site_id: None }.entry();
    /// // Late in the evening in Jakarta, which is the next day in Papua.
    /// let expected = Expected::at(expense("2026-01-06"), day("2026-01-06").at(22, 30, Zone::Wib));
    /// assert_eq!(expected.differs(Some(&expense("2026-01-07"))), None);
    /// assert_eq!(expected.differs(Some(&expense("2026-01-08"))), Some(Difference::Day));
    /// ```
    #[must_use]
    pub fn at(entry: JournalEntry, moment: DateTime<Utc>) -> Self {
        Self { entry, known: Known::Whole { days: days_of(moment) } }
    }

    /// That of a payment, a slip of tax or a write-off: of the day on which it was recorded, by the clock of the customer's place.
    #[must_use]
    pub fn payment(payment: &Payment) -> Self {
        Self::settled(entry_for_payment(payment, &[], &[], Date::MIN), payment, payment.received_at)
    }

    /// That which takes a payment back.
    #[must_use]
    pub fn reversal(payment: &Payment, back: &PaymentReversal) -> Self {
        Self::settled(entry_for_reversal(payment, &[], &[], Date::MIN), payment, back.at)
    }

    fn settled(entry: JournalEntry, payment: &Payment, at: DateTime<Utc>) -> Self {
        Self { entry, known: Known::Settled { account: payment.account(), days: days_of(at) } }
    }

    /// The id that its entry has.
    #[must_use]
    pub const fn id(&self) -> JournalEntryId {
        self.entry.id
    }

    /// The kind that its entry has.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        self.entry.kind
    }

    /// How the entry that the journal has under that id differs; `None` where it does not.
    #[must_use]
    pub fn differs(&self, booked: Option<&JournalEntry>) -> Option<Difference> {
        let Some(booked) = booked else { return Some(Difference::Missing) };
        if booked.kind != self.entry.kind {
            return Some(Difference::Kind);
        }
        match &self.known {
            Known::Whole { days } => self.differs_whole(booked, days),
            Known::Settled { account, days } => self.differs_settled(booked, *account, days),
        }
    }

    fn differs_whole(&self, booked: &JournalEntry, days: &[Date]) -> Option<Difference> {
        if !days.contains(&booked.date) {
            return Some(Difference::Day);
        }
        let by_account = |line: &JournalLine| line.account;
        if sums(&booked.lines, by_account) != sums(&self.entry.lines, by_account) {
            return Some(Difference::Amount);
        }
        let by_place = |line: &JournalLine| (line.account, line.package_id, line.site_id);
        (sums(&booked.lines, by_place) != sums(&self.entry.lines, by_place)).then_some(Difference::Place)
    }

    fn differs_settled(&self, booked: &JournalEntry, account: Account, days: &[Date]) -> Option<Difference> {
        if !days.contains(&booked.date) {
            return Some(Difference::Day);
        }
        let moved = |lines: &[JournalLine], of: &[Account]| -> Money {
            lines.iter().filter(|line| of.contains(&line.account)).map(|line| line.amount).sum()
        };
        let customers = [Account::Receivable, Account::CustomerCredit];
        let other = booked.lines.iter().any(|line| line.account != account && !customers.contains(&line.account));
        let amount = moved(&self.entry.lines, &[account]);
        if other || moved(&booked.lines, &[account]) != amount || moved(&booked.lines, &customers) != -amount {
            return Some(Difference::Amount);
        }
        // What it paid stands on both sides at the place of the invoice.
        let place = |line: &JournalLine| (line.package_id, line.site_id);
        (!sums(&booked.lines, place).is_empty()).then_some(Difference::Place)
    }
}

/// The days of a moment, in each zone.
fn days_of(moment: DateTime<Utc>) -> [Date; Zone::ALL.len()] {
    Zone::ALL.map(|zone| zone.date_of(moment))
}

/// The sums of lines, without those that are zero.
fn sums<K: Ord>(lines: &[JournalLine], key: impl Fn(&JournalLine) -> K) -> BTreeMap<K, Money> {
    let mut sums: BTreeMap<K, Money> = BTreeMap::new();
    for line in lines {
        *sums.entry(key(line)).or_default() += line.amount;
    }
    sums.retain(|_, amount| !amount.is_zero());
    sums
}

/// The kinds of entries that follow from one document each, so that as many of them must be there as documents say.
#[must_use]
pub const fn has_document(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Payment
        | EntryKind::Reversal
        | EntryKind::CreditNote
        | EntryKind::WriteOff
        | EntryKind::Deposit
        | EntryKind::DeviceCost
        | EntryKind::Expense
        | EntryKind::Payout
        | EntryKind::Refund => true,
        EntryKind::Invoices | EntryKind::Credit | EntryKind::PackageChange | EntryKind::GatewayFee => false,
    }
}
