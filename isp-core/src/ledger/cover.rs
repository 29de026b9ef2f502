//! Whether what is taken off an account is there: cash, and PPh 23 that customers kept back.

use std::collections::BTreeMap;

use crate::calendar::Date;
use crate::ledger::{Account, JournalEntry};
use crate::money::Money;

/// A day at whose end an account would be below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// The day.
    pub on: Date,
    /// What there is to be taken on it.
    pub holds: Money,
}

/// The first day on which an account has accounts below zero by new entries. What brings money, or takes none off a day, is never
/// short, whatever the account holds. `days` are what moved on the account so far, each day once.
///
/// ```
/// use isp_core::{calendar::Date, ledger::{Account, EntryKind, JournalEntry, JournalLine, cover::{Short, short}}, money::Money};
/// let (day, rp) = (|text| Date::parse(text).unwrap(), Money::rupiah);
/// let entry = |on, amount| JournalEntry {
///     id: isp_core::ids::JournalEntryId(uuid::Uuid::nil()),
///     date: day(on),
///     kind: EntryKind::Expense,
///     lines: vec![JournalLine::new(Account::Cash, rp(amount)), JournalLine::new(Account::ExpenseOther, rp(-amount))],
/// };
/// let days = [(day("2026-03-02"), rp(100)), (day("2026-03-05"), rp(-70)), (day("2026-03-09"), rp(500))];
/// let short_by = |entries: &[JournalEntry]| short(Account::Cash, &days, entries);
/// assert_eq!(short_by(&[entry("2026-03-04", -30)]), None);
/// // What is spent on the 4th is missing on the 5th, and what is spent before the 2nd was not there.
/// assert_eq!(short_by(&[entry("2026-03-04", -40)]), Some(Short { on: day("2026-03-05"), holds: rp(30) }));
/// assert_eq!(short_by(&[entry("2026-03-01", -10)]), Some(Short { on: day("2026-03-01"), holds: rp(0) }));
/// // An expense that was 70 was 95: the 70 come back first.
/// assert_eq!(short_by(&[entry("2026-03-05", 70), entry("2026-03-05", -95)]), None);
/// assert_eq!(short_by(&[entry("2026-03-05", 70), entry("2026-03-05", -101)]), Some(Short { on: day("2026-03-05"), holds: rp(100) }));
/// assert_eq!(short(Account::Cash, &[(day("2026-03-02"), rp(-900))], &[entry("2026-03-03", 5)]), None);
/// ```
#[must_use]
pub fn short(account: Account, days: &[(Date, Money)], entries: &[JournalEntry]) -> Option<Short> {
    #[derive(Default)]
    struct Day {
        before: Money,
        brought: Money,
        taken: Money,
    }
    let mut all: BTreeMap<Date, Day> = BTreeMap::new();
    for (on, moved) in days {
        all.entry(*on).or_default().before += *moved;
    }
    for (on, amount) in moves(account, entries) {
        let day = all.entry(on).or_default();
        *(if amount.is_positive() { &mut day.brought } else { &mut day.taken }) += amount;
    }
    let mut sum = Day::default();
    all.into_iter().find_map(|(on, day)| {
        sum.before += day.before;
        sum.brought += day.brought;
        sum.taken += day.taken;
        let holds = sum.before + sum.brought;
        let (lower, below) = (sum.brought + sum.taken < Money::ZERO, holds + sum.taken < Money::ZERO);
        (lower && below).then_some(Short { on, holds })
    })
}

/// The first day on which entries move an account, when they take anything off it.
#[must_use]
pub fn taken_from(account: Account, entries: &[JournalEntry]) -> Option<Date> {
    let takes = moves(account, entries).any(|(_, amount)| amount < Money::ZERO);
    moves(account, entries).map(|(on, _)| on).min().filter(|_| takes)
}

fn moves(account: Account, entries: &[JournalEntry]) -> impl Iterator<Item = (Date, Money)> {
    let of_account = move |e: &JournalEntry| {
        let (on, lines) = (e.date, e.lines.clone());
        lines.into_iter().filter(move |line| line.account == account).map(move |line| (on, line.amount))
    };
    entries.iter().flat_map(of_account)
}
