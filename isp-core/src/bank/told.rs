//! Mutations that somebody tells one by one, such as moota or a phone on which an app shows what came in.
//!
//! Several tell of one account: moota, phones, and the bank's files of before and after. Each movement of money is to count once,
//! in whatever order they tell of it. No two of them give it the same name, and what they write about it differs; but each tells
//! of a movement once, and says its day and amount. So a row is a mutation of its day and amount that its source has not told of
//! yet, and only when there is none, a new one. Which mutation it is, is remembered as a [`Telling`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::agree::Whose;
use super::{BankFormat, Clue, Doubt, Incoming, Mutation, MutationRow, MutationState};
use crate::calendar::Date;
use crate::ids::{BankFileId, CustomerId, MutationId, TellingId, TenantId, derive};
use crate::money::Money;
use crate::payment::Transfer;
use crate::text::Code;

/// Who tells of mutations one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teller {
    /// Its name; none of a file's formats.
    pub name: Code,
    /// How it tells: [`BankFormat::Moota`] or [`BankFormat::Phone`].
    pub format: BankFormat,
}

impl Teller {
    /// What stands for a file of an account.
    #[must_use]
    pub fn file_id(&self, tenant: TenantId, account: &Code) -> BankFileId {
        BankFileId(derive(tenant.0, &["told", &self.name.folded(), &account.folded()]))
    }
}

/// A mutation as somebody tells it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldRow {
    /// What it is called by whoever tells it. Told again under the same name, it is the same.
    pub id: String,
    /// Of which account, see [`account_code`](super::account_code).
    pub account: Code,
    /// The bank that holds the account, as the provider of a payment: `bca`; `None` where nobody says it.
    pub bank: Option<Code>,
    /// On which day.
    pub on: Date,
    /// Money in, or below zero money out, in hundredths of a rupiah.
    pub hundredths: i64,
    /// What is written about it. It names people.
    pub text: String,
    /// The balance after it, in hundredths, where it is told.
    pub balance: Option<i64>,
}

impl ToldRow {
    /// The whole rupiah of it, as of a file's row.
    #[must_use]
    pub const fn amount(&self) -> Money {
        Money::rupiah(self.hundredths / 100)
    }
}

/// What is written names people, so it is not shown.
impl std::fmt::Debug for ToldRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToldRow").field("on", &self.on).field("hundredths", &self.hundredths).finish_non_exhaustive()
    }
}

/// That a source told of a mutation. A source tells of a mutation once. Append-only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// The row; follows from the source and what it calls the mutation.
    pub id: TellingId,
    /// Which mutation it is.
    pub mutation_id: MutationId,
    /// Who told: the name of a [`Teller`], or the code of a file's [`BankFormat`].
    pub source: Code,
    /// What it wrote about it; it names people.
    pub text: String,
    /// The balance after it, where it was told.
    pub balance: Option<Money>,
}

impl Telling {
    /// The id of what a source calls `name`.
    #[must_use]
    pub fn id_of(tenant: TenantId, source: &str, name: &str) -> TellingId {
        TellingId(derive(tenant.0, &["telling", &source.to_ascii_lowercase(), name]))
    }

    /// That the source told of this mutation; `None` for a source whose name is no code.
    pub(super) fn of(
        id: TellingId,
        mutation_id: MutationId,
        source: &str,
        text: &str,
        balance: Option<Money>,
    ) -> Option<Self> {
        let source = Code::parse("source", source).ok()?;
        Some(Self { id, mutation_id, source, text: text.chars().take(Mutation::LONGEST).collect(), balance })
    }
}

/// What is written names people, so it is not shown.
impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Telling");
        shown.field("mutation_id", &self.mutation_id).field("source", &self.source).finish_non_exhaustive()
    }
}

/// Who told of a mutation, in small letters: the file that brought it, and whoever told of it as well.
#[must_use]
pub fn told_by(mutation: &Mutation, tellings: &[Telling]) -> BTreeSet<String> {
    let of_it = tellings.iter().filter(|t| t.mutation_id == mutation.id).map(|t| t.source.folded());
    of_it.chain(file_of(mutation).map(str::to_owned)).collect()
}

/// The file that brought it; who tells one by one is named by a telling instead.
pub(super) const fn file_of(mutation: &Mutation) -> Option<&'static str> {
    match mutation.format {
        BankFormat::Moota | BankFormat::Phone => None,
        file => Some(file.code()),
    }
}

/// Those of which a source has not told, and that are money.
pub(super) fn untold<'a>(
    source: &'a str,
    kept: &'a [Mutation],
    tellings: &[Telling],
    whose: &Whose<'_>,
) -> impl DoubleEndedIterator<Item = &'a Mutation> {
    let told: BTreeSet<MutationId> =
        tellings.iter().filter(|t| t.source.folded() == source).map(|t| t.mutation_id).collect();
    kept.iter().filter(move |m| file_of(m) != Some(source) && !told.contains(&m.id) && !whose.is_nothing(m))
}

/// Whether two mutations may be one movement of money that two sources tell with different days: a phone tells it at once, and the
/// bank books it on its next working day. Nobody told of both: a source tells of each movement once.
#[must_use]
pub fn may_be_same(one: &Mutation, other: &Mutation, tellings: &[Telling]) -> bool {
    let apart = one.on.days_since(other.on).abs();
    let of_one_file = file_of(one).is_some() && file_of(one) == file_of(other);
    one.id != other.id
        && (&one.account, one.amount) == (&other.account, other.amount)
        && apart <= Transfer::APART
        && !of_one_file
        && told_by(one, tellings).is_disjoint(&told_by(other, tellings))
}

/// What rows come to that were told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Recognised {
    /// Mutations that are not kept yet.
    pub new: Vec<Mutation>,
    /// Which mutation each row is that was not told before.
    pub tellings: Vec<Telling>,
    /// How many rows are mutations that are kept already.
    pub known: usize,
    /// How many rows were told before with another account or amount. They are not believed: which of both is right, a person sees.
    pub differing: usize,
}

/// What each who told of a mutation wrote about it: the source, and its text.
fn texts_of<'a>(mutation: &'a Mutation, tellings: &'a [Telling]) -> impl Iterator<Item = (String, &'a str)> {
    let brought = file_of(mutation).map(|file| (file.to_owned(), mutation.text.as_str()));
    let of_it = tellings.iter().filter(|t| t.mutation_id == mutation.id);
    brought.into_iter().chain(of_it.map(|t| (t.source.folded(), t.text.as_str())))
}

/// What all who told of a mutation wrote about it.
#[must_use]
pub fn text_of(mutation: &Mutation, tellings: &[Telling]) -> String {
    let texts = texts_of(mutation, tellings).map(|(_, text)| text).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(&Incoming::SEPARATOR.to_string())
}

/// Whether a customer would be booked more often for one amount, within a few days, than any one source names that customer for it. A
/// source tells of each movement once, so what is more was told before: beside another's text, or with another day. `near` are the
/// mutations of the account and the amount up to [`Transfer::APART`] days before and after, each with the customer whose payment it
/// is. Of two that may be one row, written anew, one counts unless both are payments. What only the files of one bank told of, as of
/// this mutation, is other money than it.
#[must_use]
pub fn is_too_often(
    mutation: MutationId,
    customer: CustomerId,
    near: &[(&Mutation, Option<CustomerId>)],
    tellings: &[Telling],
    whose: &Whose<'_>,
) -> bool {
    let of_file = |one: &Mutation| file_of(one).filter(|_| told_by(one, tellings).len() == 1);
    let own = near.iter().find(|(one, _)| one.id == mutation).and_then(|(one, _)| of_file(one));
    // Of two rows that one bank's files alone told of, neither is what somebody else meant: they are two transfers.
    let doubtful =
        |(other, _): &&(&Mutation, Option<CustomerId>)| other.id == mutation || own.is_none() || of_file(other) != own;
    let may = || near.iter().filter(doubtful);
    let booked = may().filter(|(other, payer)| other.id != mutation && *payer == Some(customer)).count();
    if booked == 0 {
        return false;
    }
    let again = |(other, payer): &&(&Mutation, Option<CustomerId>)| {
        let paid_anew =
            |(anew, payer): &(&Mutation, Option<CustomerId>)| anew.may_correct == Some(other.id) && payer.is_some();
        payer.is_none() && (other.may_correct.is_some() || near.iter().any(paid_anew))
    };
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for (source, text) in may().filter(|one| !again(one)).flat_map(|(other, _)| texts_of(other, tellings)) {
        *named.entry(source).or_default() += usize::from(whose.names(customer, text));
    }
    named.values().max().is_some_and(|most| *most > 0 && booked >= *most)
}

/// Why the money of a mutation may be that of another one of which is decided what it is, told by somebody else with another day or in
/// other words: one that is a payment, or that a person ignored or took back. One that names another customer is not. What a person
/// ignored or took back counts with another day: of the same day it would have been recognised. `decided` are others of the account
/// and the amount, each with where it stands.
pub fn decided_as<'a>(
    mutation: &Mutation,
    decided: impl Iterator<Item = (&'a Mutation, MutationState)>,
    tellings: &[Telling],
    whose: &Whose<'_>,
) -> Option<Doubt> {
    let text = text_of(mutation, tellings);
    let counts = |other: &Mutation, state| match state {
        MutationState::Matched => true,
        MutationState::Ignored | MutationState::TakenBack => other.on != mutation.on,
        MutationState::Unmatched => false,
    };
    let same = decided.filter(|(other, state)| {
        counts(other, *state)
            && may_be_same(mutation, other, tellings)
            && !whose.differ(&text, &text_of(other, tellings))
    });
    // A payment says more than what nobody knows any more.
    same.map(|(_, state)| if state == MutationState::TakenBack { Doubt::Unclear } else { Doubt::Booked })
        .min_by_key(|doubt| *doubt == Doubt::Unclear)
}

/// The customers whom those who told of a payment name by ID or phone number, when it was booked for another one whom a request's
/// amount, a name or learnt words had named. A phone often shows the name of who paid, and only the bank's file for whom. Where nobody is
/// named so, and a name or learnt words booked it, the customers whose words these are now: a person has said since that whoever writes
/// them pays for somebody else. Nobody is named when a person said whose it is.
#[must_use]
pub fn named_instead(
    row: &MutationRow,
    booked: CustomerId,
    tellings: &[Telling],
    whose: &Whose<'_>,
) -> BTreeSet<CustomerId> {
    let clue = row.mark.as_ref().filter(|mark| mark.state == MutationState::Matched).and_then(|mark| mark.clue);
    if clue.is_none_or(|clue| matches!(clue, Clue::Code | Clue::Phone)) {
        return BTreeSet::new();
    }
    let named: BTreeSet<CustomerId> =
        texts_of(&row.mutation, tellings).flat_map(|(_, text)| whose.by_id(text)).collect();
    if named.is_empty() && clue.is_some_and(Clue::may_be_learnt) {
        let now = whose.payees(&text_of(&row.mutation, tellings));
        return if now.all().contains(&booked) { BTreeSet::new() } else { now.by_words };
    }
    if named.contains(&booked) { BTreeSet::new() } else { named }
}

/// Takes out of several mutations of one account, day and amount the one that a row is: the one whose texts name the same payer,
/// else one that names nobody else and that `may` be it.
pub(super) fn take(
    from: &mut Vec<MutationId>,
    text: &str,
    written: &BTreeMap<MutationId, String>,
    whose: &Whose<'_>,
    may: impl Fn(MutationId, &str) -> bool,
) -> Option<MutationId> {
    let of = |id: &MutationId| written.get(id).map_or("", String::as_str);
    let agrees = from.iter().rposition(|id| whose.agree(of(id), text));
    let place = agrees.or_else(|| from.iter().rposition(|id| whose.leaves(*id, text) && may(*id, of(id))))?;
    Some(from.remove(place))
}

/// Finds for each row the mutation that it is. `kept` are the mutations of the accounts of the rows and of their days, with those up
/// to [`Transfer::APART`] before and after, and those that were told before under their names; `tellings` are those of `kept`.
///
/// Of several transfers of one day and amount each row is the one whose payer it names. One that names another payer than all of
/// them is new, and so is one that names nobody, when its source told of the same money with another day.
#[must_use]
pub fn recognise(
    tenant: TenantId,
    teller: &Teller,
    rows: &[ToldRow],
    kept: &[Mutation],
    tellings: &[Telling],
    whose: &Whose<'_>,
) -> Recognised {
    let mut found = Recognised::default();
    let source = teller.name.folded();
    let mut remembered: BTreeMap<TellingId, MutationId> = tellings.iter().map(|t| (t.id, t.mutation_id)).collect();
    let mut known: BTreeMap<MutationId, (Code, Money)> =
        kept.iter().map(|m| (m.id, (m.account.clone(), m.amount))).collect();
    let mut free: BTreeMap<(&Code, Date, Money), Vec<MutationId>> = BTreeMap::new();
    for mutation in untold(&source, kept, tellings, whose).rev() {
        free.entry((&mutation.account, mutation.on, mutation.amount)).or_default().push(mutation.id);
    }
    let by_id: BTreeMap<MutationId, &Mutation> = kept.iter().map(|m| (m.id, m)).collect();
    let written: BTreeMap<MutationId, String> = kept.iter().map(|m| (m.id, text_of(m, tellings))).collect();
    let text = |id: &MutationId| written.get(id).map_or("", String::as_str);
    // One that this source told of with another day, and that may be the same money.
    let told: Vec<&Mutation> = kept.iter().filter(|m| told_by(m, tellings).contains(&source)).collect();
    let rival = |one: &Mutation| {
        told.iter().any(|other| may_be_same(one, other, tellings) && whose.agree(text(&one.id), text(&other.id)))
    };
    for row in rows {
        let id = Telling::id_of(tenant, &source, &row.id);
        if let Some(mutation) = remembered.get(&id) {
            let same = known.get(mutation).is_none_or(|told| *told == (row.account.clone(), row.amount()));
            if same {
                found.known += 1;
            } else {
                found.differing += 1;
            }
            continue;
        }
        let may = |id: MutationId, written: &str| {
            let Some(mutation) = by_id.get(&id) else { return false };
            let (said, known) = (row.bank.as_ref().map(Code::as_str), mutation.bank_code());
            let of_bank = said.is_none() || known.is_none() || said == known;
            of_bank && !whose.contradict(written, &row.text) && !rival(mutation)
        };
        let of_row = free.get_mut(&(&row.account, row.on, row.amount()));
        let other = of_row.and_then(|from| take(from, &row.text, &written, whose, may));
        let mutation_id = other.unwrap_or_else(|| MutationId(derive(tenant.0, &["told mutation", &id.to_string()])));
        let balance = row.balance.map(|b| Money::rupiah(b / 100));
        let Some(telling) = Telling::of(id, mutation_id, teller.name.as_str(), &row.text, balance) else { continue };
        found.tellings.push(telling);
        remembered.insert(id, mutation_id);
        match other {
            Some(_) => found.known += 1,
            None => {
                known.insert(mutation_id, (row.account.clone(), row.amount()));
                found.new.push(Mutation {
                    id: mutation_id,
                    account: row.account.clone(),
                    format: teller.format,
                    bank: row.bank.clone(),
                    on: row.on,
                    amount: row.amount(),
                    text: row.text.chars().take(Mutation::LONGEST).collect(),
                    balance,
                    file_id: teller.file_id(tenant, &row.account),
                    may_correct: None,
                });
            }
        }
    }
    found
}
