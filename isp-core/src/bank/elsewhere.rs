//! Whether a file's rows are known already under another name of its account: nobody may count them twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{BankFile, BankRow, Mutation};
use crate::calendar::Date;
use crate::money::Money;
use crate::text::Code;

/// The other account of which rows of a file are known, of the days that both tell of: it is one account under two names. `others`
/// are the mutations of other accounts on the file's days.
///
/// A row is known when day, amount, balance and text are the same; of another format the text may differ. One row with its balance is
/// enough where half or more of what either has of these days is known: a file may begin where the other one ended. A balance that is
/// nothing, or that the row alone makes, is that of many accounts. Without a balance only money that came in counts, since accounts
/// of one bank pay the same fees; such rows, and those of another format, have to be two or more and half of the file's.
#[must_use]
pub fn known_elsewhere(file: &BankFile, others: &[Mutation]) -> Option<Code> {
    let mut accounts: BTreeMap<String, Vec<&Mutation>> = BTreeMap::new();
    for mutation in others {
        accounts.entry(mutation.account.folded()).or_default().push(mutation);
    }
    accounts.into_values().find(|kept| is_same(file, kept)).and_then(|kept| Some(kept.first()?.account.clone()))
}

fn is_same(file: &BankFile, kept: &[&Mutation]) -> bool {
    let days: BTreeSet<Date> = kept.iter().map(|m| m.on).collect();
    let of_file: BTreeSet<Date> = file.rows.iter().map(|row| row.on).collect();
    let mut left: BTreeMap<(Date, Money, Option<Money>), Vec<&Mutation>> = BTreeMap::new();
    let mut of_kept = 0_usize;
    for mutation in kept.iter().filter(|m| of_file.contains(&m.on) && tells(m.amount, m.balance)) {
        of_kept += 1;
        left.entry((mutation.on, mutation.amount, mutation.balance)).or_default().push(mutation);
    }
    let (mut of_days, mut known, mut sure) = (0_usize, 0_usize, false);
    for row in file.rows.iter().filter(|row| days.contains(&row.on)) {
        let (amount, balance) = (row.amount(), row.balance.map(|balance| Money::rupiah(balance / 100)));
        if !tells(amount, balance) {
            continue;
        }
        of_days += 1;
        let Some(alike) = left.get_mut(&(row.on, amount, balance)) else { continue };
        let says_it = |m: &&Mutation| m.format == file.format && same_text(m, row);
        let told_otherwise = |m: &&Mutation| m.format != file.format && balance.is_some();
        let Some(at) = alike.iter().position(says_it).or_else(|| alike.iter().position(told_otherwise)) else {
            continue;
        };
        let of_one = balance.is_some_and(|balance| !balance.is_zero() && balance != amount);
        sure |= says_it(&alike.remove(at)) && of_one;
        known += 1;
    }
    (sure && known * 2 >= of_days.min(of_kept)) || (known > 1 && known * 2 >= of_days)
}

/// Whether a row tells of one account: it has its balance, or it is money that came in.
fn tells(amount: Money, balance: Option<Money>) -> bool {
    balance.is_some() || amount.is_positive()
}

fn same_text(mutation: &Mutation, row: &BankRow) -> bool {
    let text: String = row.text.chars().take(Mutation::LONGEST).collect();
    mutation.text.to_lowercase() == text.to_lowercase()
}
