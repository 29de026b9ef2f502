//! Rows that a bank wrote anew: its file of days that are kept already comes again, with a fee that stands before a transfer now,
//! with a longer text, or with another amount. Then a transfer that is kept is missing in it, and one that looks new stands in its
//! place.
//!
//! Files of parts of a day look alike: there the transfer that is missing happened before the first row of the file or after its
//! last one. Balances tell these apart. Where a chain of kept rows leads from the one that is missing to the opening of the file, or
//! from its end to it, both happened. Where the chain leads into the midst of the file, or balances are not told, nobody knows.

use std::collections::{BTreeMap, BTreeSet};

use super::agree::Whose;
use super::file::BankRow;
use super::mutation::Mutation;
use super::told::{Telling, file_of};
use crate::calendar::Date;
use crate::ids::{BankFileId, MutationId};
use crate::money::Money;

/// What new rows of a file stand beside.
pub(super) struct Beside<'a> {
    /// The code of the file's format.
    pub(super) source: &'a str,
    /// The rows of the file in the order of time, each with the mutation that it is.
    pub(super) file: Vec<(MutationId, &'a BankRow)>,
    /// What is kept of the account from the first to the last day of the file.
    pub(super) kept: &'a [Mutation],
    /// Who told of these.
    pub(super) tellings: &'a [Telling],
    /// What all who told of each of them wrote.
    pub(super) written: &'a BTreeMap<MutationId, String>,
    /// Those that are in the file.
    pub(super) met: &'a BTreeSet<MutationId>,
    /// Whom texts name, and what is decided of mutations.
    pub(super) whose: &'a Whose<'a>,
}

/// Says of each new row which kept mutation it may be once more: one of which this format told, of the same day and amount, that is
/// missing in the file, did not happen before or after it, and whose text names nobody else. Of several it is the one that says
/// the same, then one that is a payment, and each at first for one row. A row that stands with the same balance where a missing one stood
/// may be that one also when it names somebody else, unless another row is: the bank may have corrected whose it is. What is left of
/// the missing ones may be money of another amount: that of the customer whom the row names, too, or that stood where the row stands.
pub(super) fn may_correct(anew: &mut [Mutation], beside: &Beside<'_>) {
    let told = beside.told();
    // What is less than a rupiah cannot be told apart, and nothing is booked for it.
    let wanted: BTreeSet<(Date, Money)> =
        anew.iter().filter(|row| !row.amount.is_zero()).map(|row| (row.on, row.amount)).collect();
    let mut kept: BTreeMap<(Date, Money), Vec<&Mutation>> = BTreeMap::new();
    for mutation in beside.kept.iter().filter(|m| wanted.contains(&(m.on, m.amount))) {
        kept.entry((mutation.on, mutation.amount)).or_default().push(mutation);
    }
    let ends = Ends::of(beside.file.iter().map(|(_, row)| *row).collect());
    let mut outside: BTreeMap<Date, BTreeSet<MutationId>> = BTreeMap::new();
    for ((on, _), alike) in &mut kept {
        let outside = outside.entry(*on).or_insert_with(|| beside.outside(*on, &told, &ends));
        let accounted = beside.accounted(outside, alike);
        alike.retain(|m| told.contains_key(&m.id) && !accounted.contains(&m.id));
    }
    let text = |id: &MutationId| beside.written.get(id).map_or("", String::as_str);
    let mut taken: BTreeSet<MutationId> = BTreeSet::new();
    for row in anew.iter_mut() {
        let open = kept.get(&(row.on, row.amount)).into_iter().flatten();
        let may = open.filter(|m| !beside.whose.contradict(text(&m.id), &row.text));
        let first = may.min_by_key(|m| {
            let says_the_same = beside.whose.agree(text(&m.id), &row.text);
            (taken.contains(&m.id), !says_the_same, !beside.whose.is_payment(m.id), m.may_correct.is_some(), m.id)
        });
        row.may_correct = first.map(|m| m.id);
        taken.extend(row.may_correct);
    }
    for row in anew.iter_mut().filter(|row| row.may_correct.is_none() && row.balance.is_some()) {
        let alike = kept.get(&(row.on, row.amount)).into_iter().flatten();
        let mut stood = alike.filter(|m| told.get(&m.id) == Some(&row.balance) && !taken.contains(&m.id));
        row.may_correct = stood.next().map(|m| m.id);
        taken.extend(row.may_correct);
    }
    // Only money that came in is booked.
    let in_place = |row: &&mut Mutation| row.may_correct.is_none() && row.amount.is_positive();
    let openings: BTreeMap<MutationId, i64> = beside.openings();
    let mut gone: BTreeMap<Date, Vec<&Mutation>> = BTreeMap::new();
    for row in anew.iter_mut().filter(in_place) {
        let gone = gone.entry(row.on).or_insert_with(|| beside.gone(row.on, &told, &ends));
        let stood = |m: &Mutation| {
            let balance = told.get(&m.id).copied().flatten();
            let (step, opening) = (balance.map(|balance| Step::kept(m.amount, balance)), openings.get(&row.id));
            step.zip(opening).is_some_and(|(step, opening)| (step.opening.0..=step.opening.1).contains(opening))
        };
        let may = gone.iter().filter(|m| m.amount != row.amount && !taken.contains(&m.id)).filter_map(|m| {
            let (written, names) = (text(&m.id), beside.whose.name_one(text(&m.id), &row.text));
            let stands = !beside.whose.contradict(written, &row.text) && stood(m);
            (names || stands).then_some((!names, !stands, m.id))
        });
        row.may_correct = may.min().map(|(.., id)| id);
        taken.extend(row.may_correct);
    }
}

/// The rows of a file without balances that have day, amount and text of a kept one, and need not be it: the file is one of another
/// part of the day. It holds something new of that day, and half or more of what came with the kept one is missing in it. Each is told
/// by its place in the file, with another kept one that it is, and that came with rows of which the file holds more, if there is one.
pub(super) fn may_be_second(anew: &[Mutation], beside: &Beside<'_>) -> Vec<(usize, Option<MutationId>)> {
    let by_id: BTreeMap<MutationId, &Mutation> = beside.kept.iter().map(|m| (m.id, m)).collect();
    let grown: BTreeSet<Date> = anew.iter().filter(|m| m.may_correct.is_none()).map(|m| m.on).collect();
    let mut brought: BTreeMap<(BankFileId, Date), Vec<&Mutation>> = BTreeMap::new();
    let plain = |m: &&Mutation| file_of(m) == Some(beside.source) && m.balance.is_none() && grown.contains(&m.on);
    for mutation in beside.kept.iter().filter(plain) {
        brought.entry((mutation.file_id, mutation.on)).or_default().push(mutation);
    }
    // A row that was written anew is there under another name.
    let again = beside.kept.iter().filter_map(|m| Some((m.id, m.may_correct?)));
    let there = again.flat_map(|(again, first)| match (beside.met.contains(&again), beside.met.contains(&first)) {
        (true, _) => Some(first),
        (_, true) => Some(again),
        _ => None,
    });
    let there: BTreeSet<MutationId> =
        there.chain(anew.iter().filter_map(|m| m.may_correct)).chain(beside.met.iter().copied()).collect();
    let one = |m: &Mutation, row: &BankRow| {
        (m.on, m.amount) == (row.on, row.amount()) && m.text.to_lowercase() == row.text.to_lowercase()
    };
    let of_part = |mutation: &Mutation, row: &BankRow| {
        let with = brought.get(&(mutation.file_id, mutation.on)).into_iter().flatten().filter(|m| !one(m, row));
        let (missing, all) = (with.clone().filter(|m| !there.contains(&m.id)).count(), with.count());
        missing > 0 && missing * 2 >= all
    };
    let mut found = Vec::new();
    let mut taken: BTreeSet<MutationId> = BTreeSet::new();
    for (at, (id, row)) in beside.file.iter().enumerate().filter(|(_, (_, row))| row.balance.is_none()) {
        let Some(kept) = by_id.get(id).filter(|m| plain(m) && one(m, row) && of_part(m, row)) else { continue };
        let alike = brought.values().flatten().filter(|m| m.id != kept.id && one(m, row));
        let other = alike.filter(|m| !beside.met.contains(&m.id) && !taken.contains(&m.id) && !of_part(m, row));
        let other = other.map(|m| m.id).min();
        taken.extend(other);
        found.push((at, other));
    }
    found
}

impl Beside<'_> {
    /// The mutations of which this format told, with the balance that it told.
    fn told(&self) -> BTreeMap<MutationId, Option<Money>> {
        let brought = self.kept.iter().filter(|m| file_of(m) == Some(self.source)).map(|m| (m.id, m.balance));
        let of_it = self.tellings.iter().filter(|t| t.source.folded() == self.source);
        of_it.map(|t| (t.mutation_id, t.balance)).chain(brought).collect()
    }

    /// The balance before each row of the file that tells one, in hundredths.
    fn openings(&self) -> BTreeMap<MutationId, i64> {
        let of = |(id, row): &(MutationId, &BankRow)| Some((*id, row.balance?.saturating_sub(row.hundredths)));
        self.file.iter().filter_map(of).collect()
    }

    /// The money that came in on a day and of which this format told, and that is not in the file any more.
    fn gone(&self, on: Date, told: &BTreeMap<MutationId, Option<Money>>, ends: &Ends<'_>) -> Vec<&'_ Mutation> {
        let of_day = || self.kept.iter().filter(|m| m.on == on && m.amount.is_positive());
        let mut gone: Vec<&Mutation> =
            of_day().filter(|m| told.contains_key(&m.id) && !self.met.contains(&m.id)).collect();
        if !gone.is_empty() {
            let outside = self.outside(on, told, ends);
            gone.retain(|m| {
                let alike: Vec<&Mutation> = of_day().filter(|other| other.amount == m.amount).collect();
                !self.accounted(&outside, &alike).contains(&m.id)
            });
        }
        gone
    }

    /// The kept mutations of a day, missing in the file, that happened before its first row or after its last one.
    fn outside(&self, on: Date, told: &BTreeMap<MutationId, Option<Money>>, ends: &Ends<'_>) -> BTreeSet<MutationId> {
        let missing = self.kept.iter().filter(|m| m.on == on && !self.met.contains(&m.id));
        let steps = missing.filter_map(|m| Some((m.id, Step::kept(m.amount, told.get(&m.id).copied()??))));
        let (ids, steps): (Vec<MutationId>, Vec<Step>) = steps.unzip();
        let of_day: Vec<&End<'_>> = ends.0.iter().filter(|end| end.row.on == on).collect();
        let openings = |only: fn(&End<'_>) -> bool| -> BTreeSet<i64> {
            of_day.iter().filter(|end| only(end)).map(|end| end.opening).collect()
        };
        let balances = |only: fn(&End<'_>) -> bool| -> BTreeSet<i64> {
            of_day.iter().filter(|end| only(end)).map(|end| end.balance).collect()
        };
        let before = spread(&steps, &openings(|end| end.first), false);
        let after = spread(&steps, &balances(|end| end.last), true);
        // A chain that parts from the file's in its midst, or joins it there, is what was before the bank corrected it.
        let parted: BTreeSet<i64> = openings(|end| !end.trails).union(&balances(|end| !end.last)).copied().collect();
        let joined: BTreeSet<i64> = balances(|end| !end.leads).union(&openings(|end| !end.first)).copied().collect();
        let (parted, joined) = (spread(&steps, &parted, true), spread(&steps, &joined, false));
        let happened = before.union(&after).filter(|at| !parted.contains(at) && !joined.contains(at));
        happened.filter_map(|at| ids.get(*at).copied()).collect()
    }

    /// Those of mutations of a day and an amount whose money the file holds under some name, or that happened `outside` of it. One
    /// that may be another one once more is the same money, unless both are payments, as somebody decided.
    fn accounted(&self, outside: &BTreeSet<MutationId>, alike: &[&Mutation]) -> BTreeSet<MutationId> {
        let there = alike.iter().map(|m| m.id).filter(|id| self.met.contains(id) || outside.contains(id));
        let mut accounted: BTreeSet<MutationId> = there.collect();
        let pairs = alike.iter().filter_map(|m| Some((m.id, m.may_correct?, m.file_id)));
        let one = |(again, first, _): &(MutationId, MutationId, BankFileId)| {
            !(self.whose.is_payment(*again) && self.whose.is_payment(*first))
        };
        let pairs: Vec<(MutationId, MutationId, BankFileId)> = pairs.filter(one).collect();
        loop {
            let before = accounted.len();
            for (again, first, file) in &pairs {
                // Of two in one file, one at least is other money.
                let only = !pairs.iter().any(|(id, of, other)| (of, other) == (first, file) && id != again);
                if accounted.contains(again) {
                    accounted.insert(*first);
                } else if only && accounted.contains(first) {
                    accounted.insert(*again);
                }
            }
            if accounted.len() == before {
                return accounted;
            }
        }
    }
}

/// A row of the file with its balances, in hundredths.
struct End<'a> {
    row: &'a BankRow,
    opening: i64,
    balance: i64,
    /// No row of the file stands before it, but for those that [lead](Self::leads).
    first: bool,
    /// No row of the file stands after it, but for those that [trail](Self::trails).
    last: bool,
    /// It is of less than a rupiah, which what is kept does not tell, and only such stand before it.
    leads: bool,
    /// It is of less than a rupiah, and only such stand after it.
    trails: bool,
}

/// The rows of a file that tell a balance.
struct Ends<'a>(Vec<End<'a>>);

impl<'a> Ends<'a> {
    fn of(rows: Vec<&'a BankRow>) -> Self {
        let told = rows.into_iter().filter_map(|row| Some((row, row.balance?)));
        let mut told: Vec<(&BankRow, i64, i64)> =
            told.map(|(row, balance)| (row, balance.saturating_sub(row.hundredths), balance)).collect();
        let follow =
            |told: &[(&BankRow, i64, i64)]| told.iter().zip(told.iter().skip(1)).all(|(one, next)| one.2 == next.1);
        let mut chained = follow(&told);
        if !chained {
            told.reverse();
            chained = follow(&told);
        }
        let openings: BTreeSet<i64> = told.iter().map(|(_, opening, _)| *opening).collect();
        let balances: BTreeSet<i64> = told.iter().map(|(_, _, balance)| *balance).collect();
        let small = |(row, ..): &&(&BankRow, i64, i64)| chained && row.hundredths.abs() < 100;
        let (lead, trail) = (told.iter().take_while(small).count(), told.iter().rev().take_while(small).count());
        let count = told.len();
        let ends = told.into_iter().enumerate().map(|(at, (row, opening, balance))| {
            let (first, last) = match chained {
                true => (at <= lead, at + trail + 1 >= count),
                // Rows are left out of it.
                false => (!balances.contains(&opening), !openings.contains(&balance)),
            };
            End { row, opening, balance, first, last, leads: at < lead, trails: at + trail >= count }
        });
        Self(ends.collect())
    }
}

/// From which to which balance a kept mutation led, in hundredths, as far as its whole rupiah tell.
struct Step {
    opening: (i64, i64),
    balance: (i64, i64),
}

impl Step {
    fn kept(amount: Money, balance: Money) -> Self {
        let (amount, balance) = (hundredths(amount), hundredths(balance));
        let opening = (balance.0.saturating_sub(amount.1), balance.1.saturating_sub(amount.0));
        Self { opening, balance }
    }
}

/// What whole rupiah may have been before their hundredths were cut off.
const fn hundredths(money: Money) -> (i64, i64) {
    let whole = money.as_i64().saturating_mul(100);
    (if whole > 0 { whole } else { whole - 99 }, if whole < 0 { whole } else { whole + 99 })
}

/// The steps that a chain of steps leads to from one of these balances, or with `forward` false, from which one leads to them.
fn spread(steps: &[Step], seeds: &BTreeSet<i64>, forward: bool) -> BTreeSet<usize> {
    let near = |step: &Step| if forward { step.opening } else { step.balance };
    let far = |step: &Step| if forward { step.balance } else { step.opening };
    let mut left: BTreeSet<usize> = (0..steps.len()).collect();
    let seeded = |step: &Step| seeds.range(near(step).0..=near(step).1).next().is_some();
    let mut todo: Vec<usize> = left.iter().copied().filter(|at| steps.get(*at).is_some_and(seeded)).collect();
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    while let Some(at) = todo.pop() {
        left.remove(&at);
        if !reached.insert(at) {
            continue;
        }
        let Some((from, until)) = steps.get(at).map(far) else { continue };
        let meets = |step: &Step| near(step).0 <= until && from <= near(step).1;
        todo.extend(left.iter().copied().filter(|other| steps.get(*other).is_some_and(meets)));
    }
    reached
}
