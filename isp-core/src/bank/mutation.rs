//! Mutations (*mutasi*): what moved on an account, each kept once, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::agree::Whose;
use super::corrected::{Beside, may_be_second, may_correct};
use super::told::{Telling, file_of, take, text_of, told_by, untold};
use super::{BankFile, BankFormat, Clue};
use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::ids::{BankFileId, CustomerId, MutationId, PaymentId, TellingId, TenantId, derive};
use crate::money::Money;
use crate::payment::{Channel, Payment, Transfer};
use crate::text::{Code, Reference};

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// Follows from what is in it, so that the same file is one.
    pub id: BankFileId,
    /// What it was.
    pub format: BankFormat,
    /// Of which account.
    pub account: Code,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub until: Date,
    /// When it was imported.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
}

/// The id of a file with this text.
#[must_use]
pub fn file_id(tenant: TenantId, account: &Code, text: &str) -> BankFileId {
    BankFileId(derive(tenant.0, &["bank file", &account.folded(), text]))
}

/// Money that came into an account or went out of it. Append-only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutation {
    /// The row; follows from account, day, amount, balance and place among its like, so that no row of a bank counts twice. Of one
    /// that is told alone it follows from who told it and what it is called there.
    pub id: MutationId,
    /// Which account of the provider, by its number or a name, in small letters.
    pub account: Code,
    /// How it was heard of first.
    pub format: BankFormat,
    /// The bank that holds the account, where whoever told of it says so: `bca`. A bank's own file need not say it.
    pub bank: Option<Code>,
    /// When.
    pub on: Date,
    /// How much; below zero it went out.
    pub amount: Money,
    /// What the bank wrote. It names people.
    pub text: String,
    /// The balance after it, where the bank tells it.
    pub balance: Option<Money>,
    /// The file that brought it. Who tells one by one has one for each account.
    pub file_id: BankFileId,
    /// The mutation of this day that it may be once more, because the bank's file of that day came again with a corrected row: with
    /// another balance, text or amount. Nothing books such a one by itself.
    pub may_correct: Option<MutationId>,
}

/// What a bank wrote names people, so it is not shown.
impl std::fmt::Debug for Mutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Mutation");
        shown.field("id", &self.id).field("on", &self.on).field("amount", &self.amount).finish_non_exhaustive()
    }
}

/// Money that came to an account, as far as it tells whose it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Incoming<'a> {
    /// How much.
    pub amount: Money,
    /// On which day.
    pub on: Date,
    /// What the bank wrote; what several wrote, with [`SEPARATOR`](Self::SEPARATOR) between. It names people.
    pub text: &'a str,
    /// Whose money it is as whoever told of it says: `None` when nobody says; several, or none, when a contact is not one customer.
    pub said: Option<&'a [CustomerId]>,
    /// The customers who owe just this amount ([`sums_owed`](crate::payment::sums_owed)).
    pub owed_by: &'a [CustomerId],
}

/// What a bank wrote names people, so it is not shown.
impl std::fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("amount", &self.amount).field("on", &self.on).finish_non_exhaustive()
    }
}

impl Incoming<'_> {
    /// What stands between the texts of several sources that tell of the same money. No text holds it.
    pub const SEPARATOR: char = '\u{1e}';
}

impl Mutation {
    /// The longest text, in characters.
    pub const LONGEST: usize = 500;

    /// What tells whose it is; `owed_by` are the customers who owe just this amount.
    #[must_use]
    pub fn incoming<'a>(&'a self, owed_by: &'a [CustomerId]) -> Incoming<'a> {
        Incoming { amount: self.amount, on: self.on, text: &self.text, said: None, owed_by }
    }

    /// The provider of the payment that it becomes: the bank, `bank` where nobody tells which, or the gateway. Whoever tells of a
    /// mutation, it is the same.
    ///
    /// # Errors
    /// None that can be: each is a code.
    pub fn provider(&self) -> Result<Code, Error> {
        match self.format {
            BankFormat::Gateway => Ok(self.account.clone()),
            BankFormat::Mt940 | BankFormat::Moota | BankFormat::Phone => match &self.bank {
                Some(bank) => Ok(bank.clone()),
                None => Code::parse("provider", "bank"),
            },
            bank => Code::parse("provider", bank.code()),
        }
    }

    /// True when a payment that a person booked may be this mutation: through a bank, or this gateway, of the same amount, about
    /// the same day.
    #[must_use]
    pub fn may_be(&self, payment: &Payment) -> bool {
        let apart = Zone::Wib.date_of(payment.paid_at).days_since(self.on).abs();
        let same_way = match self.format {
            BankFormat::Gateway => payment.provider == self.account,
            _ => payment.channel == Channel::Bank,
        };
        same_way && payment.amount == self.amount && apart <= Transfer::APART
    }

    /// True when a payment was booked under the name of another bank than this mutation's: it may be money on another account, or its
    /// payer's bank was named. Who tells is a person. `bank` and `transfer` are the names of none.
    ///
    /// ```
    /// use isp_core::{bank::*, calendar::Date, ids::*, money::Money, payment::*, text::Code};
    /// let (code, id) = (|text| Code::parse("code", text).unwrap(), uuid::Uuid::nil());
    /// let (on, amount) = (Date::parse("2026-03-10").unwrap(), Money::rupiah(183_150));
    /// let mutation = Mutation { id: MutationId(id), account: code("bri-1"), format: BankFormat::Bri, bank: None, on, amount,
    ///     text: String::new(), balance: None, file_id: BankFileId(id), may_correct: None };
    /// let paid_at = chrono::DateTime::UNIX_EPOCH;
    /// let payment = |bank| Payment { id: PaymentId(id), customer_id: CustomerId(id), provider: code(bank),
    ///     reference: code("1").into(), channel: Channel::Bank, collector: None, amount, paid_at, received_at: paid_at };
    /// assert_eq!(["bri", "BRI", "bank", "transfer", "bca"].map(|bank| mutation.is_of_another_bank(&payment(bank))),
    ///     [false, false, false, false, true]);
    /// ```
    #[must_use]
    pub fn is_of_another_bank(&self, payment: &Payment) -> bool {
        let named = |bank: &str| payment.provider.as_str().eq_ignore_ascii_case(bank);
        self.bank_code().is_some_and(|bank| !["bank", "transfer", bank].into_iter().any(named))
    }

    /// The bank that it is of, where that is known.
    pub(super) fn bank_code(&self) -> Option<&str> {
        match self.format {
            BankFormat::Gateway | BankFormat::Mt940 => None,
            BankFormat::Moota | BankFormat::Phone => self.bank.as_ref().map(Code::as_str),
            bank => Some(bank.code()),
        }
    }

    /// What the payment is called that it becomes.
    ///
    /// # Errors
    /// None that can be: the reference is made of hexadecimal digits.
    pub fn reference(&self) -> Result<Reference, Error> {
        let id = self.id.0.simple().to_string();
        Reference::parse("reference", &format!("MUT-{}", &id[..12]))
    }
}

/// Where a mutation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MutationState {
    /// Nobody knows yet whose it is.
    Unmatched,
    /// It is a customer's payment.
    Matched,
    /// It is no customer's payment, a person said.
    Ignored,
    /// It was matched or ignored, and a person took that back. Only a person matches it now.
    TakenBack,
}

impl MutationState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unmatched, Self::Matched, Self::Ignored, Self::TakenBack];

    /// `unmatched`, `matched`, `ignored` or `taken_back`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unmatched => "unmatched",
            Self::Matched => "matched",
            Self::Ignored => "ignored",
            Self::TakenBack => "taken_back",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unknown = Error::NotOneOf { field: "state", expected: "unmatched, matched, ignored, taken_back" };
        Self::ALL.into_iter().find(|s| s.code() == text).ok_or(unknown)
    }

    /// True when it waits for somebody to say whose it is.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Unmatched | Self::TakenBack)
    }
}

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutationMark {
    /// Where it stands.
    pub state: MutationState,
    /// What it was booked as.
    pub payment_id: Option<PaymentId>,
    /// True when that payment was booked because of it; false when somebody had booked it before.
    pub booked: bool,
    /// By what its customer was known; `None` when a person said so.
    pub clue: Option<Clue>,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Why, in words of a person.
    pub reason: String,
}

/// A mutation with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutationRow {
    /// As it arrived.
    pub mutation: Mutation,
    /// What became of it; `None` while nothing did.
    pub mark: Option<MutationMark>,
    /// How often it was marked.
    pub revision: u32,
}

impl MutationRow {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> MutationState {
        self.mark.as_ref().map_or(MutationState::Unmatched, |m| m.state)
    }
}

/// Words by which a person said whose a mutation is; the next one with the same words is the same customer's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayerAlias {
    /// The mutation that it was learnt from.
    pub mutation_id: MutationId,
    /// The words, as [`payer_words`](super::payer_words) gives them.
    pub words: String,
    /// Whose.
    pub customer_id: CustomerId,
}

impl std::fmt::Debug for PayerAlias {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayerAlias").field("mutation_id", &self.mutation_id).finish_non_exhaustive()
    }
}

/// The rows of a file that are new, and those that are missing in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// Rows that are not kept yet.
    pub new: Vec<Mutation>,
    /// How many rows are kept already.
    pub known: usize,
    /// Mutations of the days of this file that another one had, and that are not in it: the bank corrected something.
    pub missing: Vec<MutationId>,
    /// The mutations that its rows are, from the oldest to the newest: a file that begins with the newest is turned round.
    pub order: Vec<MutationId>,
    /// That its rows are mutations which others told of first. Once it is written, none of them is another row's.
    pub tellings: Vec<Telling>,
}

/// Compares a file with what is kept of its account from its first to its last day.
///
/// Rows of one format are one by day, amount and balance, or by day, amount and text where there is no balance; of several that
/// are alike, the one with the same text is the same one, else the first is the first one again. A row whose text names another customer
/// is another one, although a balance comes back on the same day. Another format may write texts and balances otherwise, and so does who tells of
/// mutations one by one: there, as many rows of a day and an amount as are kept already are the same, unless they name another
/// payer. Which of them a row is, is remembered (`tellings` are those of `kept`), so that a file that grows takes none of them twice.
///
/// A bank may write a row anew, with another balance, a longer text or another amount. So a new row names the mutation that it may be once more
/// ([`Mutation::may_correct`]), when that one is of this format and missing in this file, and balances do not show that both happened.
/// So does a row without a balance that says the same as a kept one, in a file of another part of its day.
#[must_use]
pub fn compare(
    tenant: TenantId,
    account: &Code,
    file_id: BankFileId,
    file: &BankFile,
    kept: &[Mutation],
    tellings: &[Telling],
    whose: &Whose<'_>,
) -> Compared {
    let mut alike: BTreeMap<Key, u32> = BTreeMap::new();
    // Of several that are alike, the first, the second and so on.
    let name = |(on, hundredths, told): &Key, place: u32| {
        let words = [on.to_string(), hundredths.to_string(), told.clone(), place.to_string()];
        let words = ["mutation", &account.folded(), &words[0], &words[1], &words[2], &words[3]];
        MutationId(derive(tenant.0, &words))
    };
    let mut keys: BTreeMap<MutationId, Key> = BTreeMap::new();
    let rows: Vec<Mutation> = file
        .rows
        .iter()
        .map(|row| {
            let told = row.balance.map_or_else(|| row.text.to_lowercase(), |b| b.to_string());
            let key = (row.on, row.hundredths, told);
            let place = alike.entry(key.clone()).or_default();
            *place += 1;
            let id = name(&key, *place);
            keys.insert(id, key);
            Mutation {
                id,
                account: account.clone(),
                format: file.format,
                bank: None,
                on: row.on,
                amount: row.amount(),
                text: row.text.chars().take(Mutation::LONGEST).collect(),
                balance: row.balance.map(|b| Money::rupiah(b / 100)),
                file_id,
                may_correct: None,
            }
        })
        .collect();
    let mut compared = Compared::default();
    let source = file.format.code();
    let by_id: BTreeMap<MutationId, &Mutation> = kept.iter().map(|m| (m.id, m)).collect();
    let remembered: BTreeMap<TellingId, MutationId> = tellings.iter().map(|t| (t.id, t.mutation_id)).collect();
    let mut free: BTreeSet<MutationId> = untold(source, kept, tellings, whose).map(|m| m.id).collect();
    let telling = |row: &Mutation| Telling::id_of(tenant, source, &row.id.to_string());
    let written: BTreeMap<MutationId, String> = kept.iter().map(|m| (m.id, text_of(m, tellings))).collect();
    // What is known by its name, before anything else is taken for a row.
    let places = places(source, kept, tellings);
    let names = |row: &Mutation| {
        let others = places.get(&(row.on, row.amount, row.balance)).map_or(0, Vec::len);
        let others = (1..).take(others).filter_map(|place| Some(name(keys.get(&row.id)?, place)));
        let named = std::iter::once(row.id).chain(others).flat_map(|id| {
            let told = remembered.get(&Telling::id_of(tenant, source, &id.to_string())).copied();
            let own = by_id.get(&id).filter(|m| file_of(m) == Some(source) || free.contains(&m.id)).map(|m| m.id);
            told.into_iter().chain(own)
        });
        named.collect::<Vec<MutationId>>()
    };
    let named = known(&rows, &places, &written, whose, names);
    let of_source: BTreeSet<MutationId> = places.values().flatten().map(|(id, _)| *id).collect();
    let named_ids: BTreeSet<MutationId> = named.values().copied().collect();
    free.retain(|id| !named_ids.contains(id));
    let mut other: BTreeMap<(Date, Money), Vec<MutationId>> = BTreeMap::new();
    for mutation in kept.iter().filter(|m| free.contains(&m.id)) {
        other.entry((mutation.on, mutation.amount)).or_default().push(mutation.id);
    }
    let mut met: BTreeSet<MutationId> = BTreeSet::new();
    for mut row in rows {
        let id = telling(&row);
        // Files tell of all that happened on their days, so there the number counts, whatever each writes.
        let may = |id: MutationId, written: &str| match by_id.get(&id).is_some_and(|m| file_of(m).is_some()) {
            true => !whose.differ(written, &row.text),
            false => !whose.contradict(written, &row.text),
        };
        let of_day = other.get_mut(&(row.on, row.amount));
        let other = || of_day.and_then(|from| take(from, &row.text, &written, whose, may));
        let same = named.get(&row.id).copied().or_else(other);
        let mutation = same.unwrap_or_else(|| match by_id.contains_key(&row.id) {
            // Another row of this source was taken for the one of this name.
            true => MutationId(derive(tenant.0, &["told mutation", &id.to_string()])),
            false => row.id,
        });
        let brought = by_id.get(&mutation).map_or(mutation == row.id, |m| file_of(m) == Some(source) && m.id == row.id);
        // The bank has written it once more, and now it names a customer.
        let says_more = || {
            same.is_some()
                && whose.by_id(written.get(&mutation).map_or("", String::as_str)).is_empty()
                && !whose.by_id(&row.text).is_empty()
        };
        let heard = brought || of_source.contains(&mutation);
        if !remembered.contains_key(&id) && (!heard || says_more()) {
            compared.tellings.extend(Telling::of(id, mutation, source, &row.text, row.balance));
        }
        compared.order.push(mutation);
        met.insert(mutation);
        if same.is_some() {
            compared.known += 1;
        } else {
            row.id = mutation;
            compared.new.push(row);
        }
    }
    let places = compared.order.iter().copied().zip(&file.rows).collect();
    let beside = Beside { source, file: places, kept, tellings, written: &written, met: &met, whose };
    may_correct(&mut compared.new, &beside);
    for (at, other) in may_be_second(&compared.new, &beside) {
        let (Some(row), Some(place)) = (file.rows.get(at), compared.order.get_mut(at)) else { continue };
        let Some(first) = by_id.get(place).filter(|first| met.remove(&first.id)) else { continue };
        *place = other.unwrap_or_else(|| {
            let key = (row.on, row.hundredths, row.text.to_lowercase());
            let used = |id: &MutationId| by_id.contains_key(id) || compared.new.iter().any(|m| m.id == *id);
            let id = (1..).map(|place| name(&key, place)).find(|id| !used(id)).unwrap_or(first.id);
            let second = Mutation {
                id,
                format: file.format,
                bank: None,
                file_id,
                may_correct: Some(first.id),
                ..(*first).clone()
            };
            compared.known -= 1;
            compared.new.push(second);
            id
        });
        met.insert(*place);
    }
    if let [newest, .., oldest] = file.rows.as_slice()
        && oldest.on < newest.on
    {
        compared.new.reverse();
        compared.order.reverse();
    }
    let told = |m: &Mutation| told_by(m, tellings).contains(source);
    let of_files = kept.iter().filter(|m| file_of(m).is_some() || told(m)).map(|m| m.id);
    compared.missing = of_files.filter(|id| !met.contains(id)).collect();
    compared
}

/// What names a row beside its place among its like: its day, its hundredths, and the balance after it, or its text where there is none.
type Key = (Date, i64, String);

/// Where a source said that mutations stand, each with its text there.
type Places<'a> = BTreeMap<(Date, Money, Option<Money>), Vec<(MutationId, &'a str)>>;

fn places<'a>(source: &str, kept: &'a [Mutation], tellings: &'a [Telling]) -> Places<'a> {
    let by_id: BTreeMap<MutationId, &Mutation> = kept.iter().map(|m| (m.id, m)).collect();
    let brought = kept.iter().filter(|m| file_of(m) == Some(source)).map(|m| (m, m.balance, m.text.as_str()));
    let of_it = tellings.iter().filter(|t| t.source.folded() == source);
    let told = of_it.filter_map(|t| Some((*by_id.get(&t.mutation_id)?, t.balance, t.text.as_str())));
    let mut places = Places::new();
    for (mutation, balance, text) in brought.chain(told) {
        places.entry((mutation.on, mutation.amount, balance)).or_default().push((mutation.id, text));
    }
    places
}

/// Which kept mutation each row is, of those that its names stand for: one that its source told of with the same text first, then
/// one whose text names nobody else.
fn known(
    rows: &[Mutation],
    places: &Places<'_>,
    written: &BTreeMap<MutationId, String>,
    whose: &Whose<'_>,
    names: impl Fn(&Mutation) -> Vec<MutationId>,
) -> BTreeMap<MutationId, MutationId> {
    let says_it = |id: MutationId, row: &Mutation| {
        let here = places.get(&(row.on, row.amount, row.balance)).into_iter().flatten();
        here.filter(|(other, _)| *other == id).any(|(_, text)| text.to_lowercase() == row.text.to_lowercase())
    };
    let fits = |id: MutationId, row: &Mutation| {
        says_it(id, row) || !whose.differ(written.get(&id).map_or("", String::as_str), &row.text)
    };
    let mut found: BTreeMap<MutationId, MutationId> = BTreeMap::new();
    let mut taken: BTreeSet<MutationId> = BTreeSet::new();
    for may in [&says_it as &dyn Fn(MutationId, &Mutation) -> bool, &fits] {
        for row in rows.iter().filter(|row| !found.contains_key(&row.id)).collect::<Vec<_>>() {
            let free = |id: &MutationId| !taken.contains(id) && may(*id, row);
            if let Some(id) = names(row).into_iter().find(free) {
                found.insert(row.id, id);
                taken.insert(id);
            }
        }
    }
    found
}
