//! Whether what two wrote may be about one movement of money: whom their texts name.

use std::collections::{BTreeMap, BTreeSet};

use super::mutation::Mutation;
use super::words::payer_words;
use crate::ids::{CustomerId, MutationId};

/// What apps write in each of their notifications, beside what banks and payers write each time.
const OF_APPS: &str = "diterima terima menerima berhasil sukses anda kamu telah uang saldo notifikasi pada pukul \
    jam wib wita wit sebesar oleh dengan untuk di kepada transaksi baru nominal pengirim penerima sumber tujuan \
    lewat aplikasi hari ini tanpa toko merchant pelanggan pembeli biaya received incoming your account successful \
    you have senin selasa rabu kamis jumat sabtu minggu ref referensi berita catatan kredit brimo wondr byond myb \
    mybca bukti lunas ya kak";

/// The words of a text that name a payer, without those of apps.
fn names(text: &str) -> String {
    let words = payer_words(text);
    let of_payer = words.split(' ').filter(|word| !OF_APPS.split_whitespace().any(|usual| usual == *word));
    of_payer.collect::<Vec<_>>().join(" ")
}

/// The customers whom a text names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payees {
    /// By ID or phone number.
    pub by_id: BTreeSet<CustomerId>,
    /// By the whole name.
    pub by_name: BTreeSet<CustomerId>,
    /// By words that were learnt from what a person matched: those of somebody who paid, who need not be the customer.
    pub by_words: BTreeSet<CustomerId>,
}

impl Payees {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<CustomerId> {
        [&self.by_id, &self.by_name, &self.by_words].into_iter().flatten().copied().collect()
    }
}

/// Whom texts name, as far as anybody knows, and what is decided of mutations.
pub struct Whose<'a> {
    of: &'a (dyn Fn(&str) -> Payees + Sync),
    settled: BTreeMap<MutationId, Option<CustomerId>>,
}

impl std::fmt::Debug for Whose<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Whose").finish_non_exhaustive()
    }
}

impl<'a> Whose<'a> {
    /// By a function that gives the customers whom a text names.
    #[must_use]
    pub const fn by(of: &'a (dyn Fn(&str) -> Payees + Sync)) -> Self {
        Self { of, settled: BTreeMap::new() }
    }

    /// With the mutations of which is decided whose they are: a customer's, or nobody's.
    #[must_use]
    pub fn settled(self, settled: BTreeMap<MutationId, Option<CustomerId>>) -> Self {
        Self { settled, ..self }
    }

    /// When nobody knows a customer.
    #[must_use]
    pub fn nobody() -> Whose<'static> {
        Whose::by(&|_| Payees::default())
    }

    /// Whether a row may be about a mutation, as far as it is decided whose that is: what is another customer's, or nobody's, is not
    /// the money of a customer whom the row names.
    #[must_use]
    pub fn leaves(&self, mutation: MutationId, text: &str) -> bool {
        let Some(settled) = self.settled.get(&mutation) else { return true };
        let named = (self.of)(text).all();
        named.is_empty() || settled.is_some_and(|customer| named.contains(&customer))
    }

    /// Whether it is decided that a mutation is a customer's payment.
    #[must_use]
    pub fn is_payment(&self, mutation: MutationId) -> bool {
        self.settled.get(&mutation).is_some_and(Option::is_some)
    }

    /// Whether a person said of a row that the bank wrote anew that it is nobody's: it is no money besides the other one.
    pub(super) fn is_nothing(&self, mutation: &Mutation) -> bool {
        mutation.may_correct.is_some() && self.settled.get(&mutation.id).is_some_and(Option::is_none)
    }

    /// Whether a text names a customer.
    #[must_use]
    pub fn names(&self, customer: CustomerId, text: &str) -> bool {
        (self.of)(text).all().contains(&customer)
    }

    /// Both name one customer.
    pub(super) fn name_one(&self, one: &str, other: &str) -> bool {
        !(self.of)(one).all().is_disjoint(&(self.of)(other).all())
    }

    /// The customers whom a text names.
    #[must_use]
    pub fn payees(&self, text: &str) -> Payees {
        (self.of)(text)
    }

    /// The customers whom a text names by ID or phone number.
    #[must_use]
    pub fn by_id(&self, text: &str) -> BTreeSet<CustomerId> {
        (self.of)(text).by_id
    }

    /// Both name customers in the same way, by ID or by name, and none that both name: the money of two. A name beside an ID may be
    /// that of who paid for somebody else, learnt words are those of who paid, and a name that is a part of the other may be that one,
    /// cut off.
    #[must_use]
    pub fn differ(&self, one: &str, other: &str) -> bool {
        let (said, also) = (names(one), names(other));
        let part = || covers(&said, &also) || covers(&also, &said);
        let (one, other) = ((self.of)(one), (self.of)(other));
        let two = |one: &BTreeSet<CustomerId>, other: &BTreeSet<CustomerId>| {
            !one.is_empty() && !other.is_empty() && one.is_disjoint(other)
        };
        match one.by_id.is_empty() && other.by_id.is_empty() {
            true => two(&one.by_name, &other.by_name) && !part(),
            false => two(&one.by_id, &other.by_id),
        }
    }

    /// They name different customers, or people who are no customers and have nothing in common. A text that names nobody
    /// contradicts none.
    #[must_use]
    pub fn contradict(&self, one: &str, other: &str) -> bool {
        let (of_one, of_other) = ((self.of)(one).all(), (self.of)(other).all());
        if !of_one.is_empty() && !of_other.is_empty() {
            return of_one.is_disjoint(&of_other);
        }
        let (one, other) = (names(one), names(other));
        !one.is_empty() && !other.is_empty() && !covers(&one, &other) && !covers(&other, &one)
    }

    /// They name the same one, or say the same.
    #[must_use]
    pub fn agree(&self, one: &str, other: &str) -> bool {
        let (of_one, of_other) = ((self.of)(one).all(), (self.of)(other).all());
        if !of_one.is_empty() && !of_other.is_empty() {
            return !of_one.is_disjoint(&of_other);
        }
        let (said, also) = (names(one), names(other));
        match said.is_empty() || also.is_empty() {
            true => !one.trim().is_empty() && one.trim().eq_ignore_ascii_case(other.trim()),
            false => covers(&said, &also) || covers(&also, &said),
        }
    }
}

/// From so many letters on, a word that was cut off counts as the whole one.
const CUT_FROM: usize = 4;

/// Whether each of the words, with a blank between, stands among the others, whole or cut off.
fn covers(words: &str, others: &str) -> bool {
    let same = |one: &str, other: &str| {
        let short = one.chars().count().min(other.chars().count());
        one == other || short >= CUT_FROM && (one.starts_with(other) || other.starts_with(one))
    };
    words.split(' ').all(|word| others.split(' ').any(|other| same(word, other)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn named(text: &str) -> Payees {
        let of = |n: u128| text.contains(&format!("P00{n}")).then(|| CustomerId(Uuid::from_u128(n)));
        let siti = text.contains("SITI").then(|| CustomerId(Uuid::from_u128(2)));
        Payees { by_id: (1..=3).filter_map(of).collect(), by_name: siti.into_iter().collect(), ..Payees::default() }
    }

    #[test]
    fn what_is_decided_takes_no_row_that_names_somebody_else() {
        let (theirs, nobodys, open) =
            (MutationId(Uuid::from_u128(1)), MutationId(Uuid::from_u128(2)), MutationId(Uuid::from_u128(3)));
        let settled = [(theirs, Some(CustomerId(Uuid::from_u128(1)))), (nobodys, None)].into();
        let whose = Whose::by(&named).settled(settled);
        for (mutation, text, leaves) in [
            (theirs, "TRF P001", true),
            (theirs, "TRF P002", false),
            (theirs, "Dana masuk", true),
            (nobodys, "TRF P002", false),
            (nobodys, "pindah dana sendiri", true),
            (open, "TRF P002", true),
        ] {
            assert_eq!(whose.leaves(mutation, text), leaves, "{text}");
        }
    }

    /// Learnt words say who paid, and a name that is a part of the other may be that one, cut off: neither tells two transfers apart.
    #[test]
    fn words_that_were_learnt_and_names_that_were_cut_off_are_no_proof_of_two_payers() {
        let of = |text: &str| {
            let who = |n: u128, yes: bool| yes.then(|| CustomerId(Uuid::from_u128(n))).into_iter().collect();
            let long = text.contains("SITI AMINAH PUTRI");
            Payees {
                by_id: BTreeSet::new(),
                by_name: who(if long { 2 } else { 1 }, text.contains("SITI AMINAH") || text.contains("BUDI SANTOSO")),
                by_words: who(3, text.contains("BUDI SANTOS") && !text.contains("BUDI SANTOSO")),
            }
        };
        let whose = Whose::by(&of);
        for (one, other, differ) in [
            ("TRSF BUDI SANTOS", "dari BUDI SANTOSO", false),
            ("TRSF SITI AMINAH", "dari SITI AMINAH PUTRI", false),
            ("TRSF BUDI SANTOSO", "dari SITI AMINAH PUTRI", true),
        ] {
            assert_eq!((whose.differ(one, other), whose.differ(other, one)), (differ, differ), "{one}, {other}");
        }
    }

    #[test]
    fn texts_of_two_payers_are_told_apart_and_a_text_without_one_fits_each() {
        let whose = Whose::by(&named);
        for (one, other, differ, contradict, agree) in [
            ("TRF P001", "transfer P002", true, true, false),
            ("TRF P001", "dari P001", false, false, true),
            ("TRF P001", "BUDI SANTOSO", false, false, false),
            ("TRSF E-BANKING CR 1501/FTSCY/WS95051 BUDI SANTOSO", "dari BUDI SANTO", false, false, true),
            ("BUDI SANTOSO", "SITI AMINAH", false, true, false),
            // Who pays for another customer: it is not the same text, and not surely the money of two.
            ("dari SITI AMINAH", "TRF P001", false, true, false),
            ("dari SITI AMINAH", "TRF P002", false, false, true),
            ("BUDI SANTOSO", "", false, false, false),
            ("SETORAN TUNAI", "BUDI SANTOSO", false, false, false),
            ("Uang masuk Rp330.000 telah diterima", "TRF BUDI SANTOSO", false, false, false),
            ("SETORAN TUNAI", "setoran tunai", false, false, true),
            ("", "", false, false, false),
            ("BUDI", "BUDI SANTOSO", false, false, true),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let found = (whose.differ(one, other), whose.contradict(one, other), whose.agree(one, other));
                assert_eq!(found, (differ, contradict, agree), "{one}, {other}");
            }
        }
    }
}
