//! Whether a file's rows are known already under another name of its account: nobody may count them twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{BankFile, BankRow, Mutation};
use crate::calendar::Date;
use crate::money::Money;
use crate::text::Code;

/// The other account of which half or more of a file's rows are known, of the days that both tell of: it is one account under two
/// names. `others` are the mutations of other accounts on the file's days.
///
/// A row is known when day, amount, balance and text are the same; of another format the text may differ. One row that tells no
/// balance, or comes from another format, is too little to tell.
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
    let mut left: BTreeMap<(Date, Money, Option<Money>), Vec<&Mutation>> = BTreeMap::new();
    for mutation in kept {
        left.entry((mutation.on, mutation.amount, mutation.balance)).or_default().push(mutation);
    }
    let (mut of_days, mut known, mut sure) = (0_usize, 0_usize, false);
    for row in file.rows.iter().filter(|row| days.contains(&row.on)) {
        of_days += 1;
        let balance = row.balance.map(|balance| Money::rupiah(balance / 100));
        let Some(alike) = left.get_mut(&(row.on, row.amount(), balance)) else { continue };
        let says_it = |m: &&Mutation| m.format == file.format && same_text(m, row);
        let told_otherwise = |m: &&Mutation| m.format != file.format && balance.is_some();
        let Some(at) = alike.iter().position(says_it).or_else(|| alike.iter().position(told_otherwise)) else {
            continue;
        };
        sure |= balance.is_some() && says_it(&alike.remove(at));
        known += 1;
    }
    (sure || known > 1) && known * 2 >= of_days
}

fn same_text(mutation: &Mutation, row: &BankRow) -> bool {
    let text: String = row.text.chars().take(Mutation::LONGEST).collect();
    mutation.text.to_lowercase() == text.to_lowercase()
}
