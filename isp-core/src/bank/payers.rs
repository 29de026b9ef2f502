//! The customers as far as mutations name them, found by what a text says and not one by one: a month's file of a provider with
//! thousands of customers would ask for each of them in each of its rows.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{is_usual, words};
use super::written::{Id, Written};
use crate::customer::Phone;
use crate::ids::CustomerId;
use crate::text::{Code, Name};

/// A customer as far as mutations name one.
pub struct Payer {
    pub(super) customer_id: CustomerId,
    pub(super) code: Id,
    pub(super) name: Vec<String>,
    pub(super) phone: Option<Phone>,
}

impl Payer {
    /// A customer; `name` and `phone` where they count as well as the ID.
    #[must_use]
    pub fn new(customer_id: CustomerId, code: &Code, name: Option<&Name>, phone: Option<Phone>) -> Self {
        let name = name.map(|name| words(name.as_str())).unwrap_or_default();
        Self { customer_id, code: Id::new(code), name, phone }
    }
}

/// Whether a text may hold the first words of a name, and the rest cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It holds the beginning of the next word, too.
    Off,
    /// It holds whole words, and nothing that speaks against it follows.
    Perhaps,
    /// It holds something else.
    No,
}

impl Payer {
    /// Whether words hold this name, cut off after its second word or later.
    pub(super) fn may_be_cut_in(&self, said: &[String]) -> Cut {
        let mut cut = Cut::No;
        for kept in 2..self.name.len() {
            let (Some(begins), Some(next)) = (self.name.get(..kept), self.name.get(kept)) else { continue };
            for (at, _) in said.windows(kept).enumerate().filter(|(_, window)| *window == begins) {
                match said.get(at + kept) {
                    Some(word) if word == next => {}
                    Some(word) if next.starts_with(word.as_str()) => return Cut::Off,
                    Some(word) if word.chars().all(char::is_alphabetic) && !is_usual(word) => {}
                    _ => cut = Cut::Perhaps,
                }
            }
        }
        cut
    }
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payer").field("customer_id", &self.customer_id).finish_non_exhaustive()
    }
}

/// Everybody whom a mutation may name.
#[derive(Default)]
pub struct Payers {
    all: Vec<Payer>,
    /// By the letters and digits of the ID, and of its shorter spelling.
    codes: Index<Vec<char>>,
    /// By the number, as at home and as from abroad.
    phones: Index<String>,
    /// By the words of a name of two or more.
    names: Index<Vec<String>>,
    /// The letters with which IDs begin.
    fronts: BTreeSet<String>,
}

impl std::fmt::Debug for Payers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payers").field("all", &self.all.len()).finish_non_exhaustive()
    }
}

/// Who stands under a key, and how long the keys are.
struct Index<K> {
    places: BTreeMap<K, Vec<usize>>,
    lengths: BTreeSet<usize>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), lengths: BTreeSet::new() }
    }
}

// What it holds are names and phone numbers.
impl<K> std::fmt::Debug for Index<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("keys", &self.places.len()).finish_non_exhaustive()
    }
}

impl<K: Ord> Index<K> {
    fn add(&mut self, length: usize, key: K, place: usize) {
        self.lengths.insert(length);
        self.places.entry(key).or_default().push(place);
    }
}

/// How many parts a phone number has as people write it.
const PHONE_PARTS: usize = 3;

impl FromIterator<Payer> for Payers {
    fn from_iter<T: IntoIterator<Item = Payer>>(payers: T) -> Self {
        let mut known = Self { all: payers.into_iter().collect(), ..Self::default() };
        for (place, payer) in known.all.iter().enumerate() {
            known.fronts.extend(payer.code.fronts());
            for spelt in payer.code.spellings() {
                known.codes.add(spelt.len(), spelt, place);
            }
            if let Some(phone) = &payer.phone {
                for number in [words(&phone.national()).concat(), phone.digits().to_owned()] {
                    known.phones.add(1, number, place);
                }
            }
            if payer.name.len() > 1 {
                known.names.add(payer.name.len(), payer.name.clone(), place);
            }
        }
        known
    }
}

impl Payers {
    /// Those whose ID may stand in a text, in the order in which they are known.
    pub(super) fn with_code(&self, text: &Written) -> Vec<&Payer> {
        let lengths = self.codes.lengths.iter().filter(|length| **length > 0);
        let spelt = lengths.flat_map(|length| text.signs().windows(*length));
        self.of(spelt.filter_map(|signs| self.codes.places.get(signs)))
    }

    /// Words without those with which IDs begin: they stand in the texts of everybody.
    pub(super) fn without_fronts(&self, words: &str) -> String {
        words.split(' ').filter(|word| !self.fronts.contains(*word)).collect::<Vec<_>>().join(" ")
    }

    /// Those whose phone number may stand among words, in the order in which they are known.
    pub(super) fn with_phone(&self, said: &[String]) -> Vec<&Payer> {
        let numbers = (1..=PHONE_PARTS).flat_map(|parts| said.windows(parts)).map(<[String]>::concat);
        self.of(numbers.filter_map(|number| self.phones.places.get(&number)))
    }

    /// Those whose whole name of two words or more stands among words, in the order in which they are known.
    pub(super) fn with_name(&self, said: &[String]) -> Vec<&Payer> {
        let names = self.names.lengths.iter().flat_map(|length| said.windows(*length));
        self.of(names.filter_map(|name| self.names.places.get(name)))
    }

    /// Those whose name begins with these words and is longer.
    pub(super) fn beginning_as(&self, name: &[String]) -> Vec<&Payer> {
        let from = self.names.places.range(name.to_vec()..);
        let longer =
            from.take_while(|(longer, _)| longer.starts_with(name)).filter(|(longer, _)| longer.len() > name.len());
        self.of(longer.map(|(_, places)| places))
    }

    fn of<'a>(&self, found: impl Iterator<Item = &'a Vec<usize>>) -> Vec<&Payer> {
        let places: BTreeSet<usize> = found.flatten().copied().collect();
        places.into_iter().filter_map(|place| self.all.get(place)).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::bank::words::{names_phone, runs};

    fn payer(n: u128, code: &str, name: &str, phone: &str) -> Payer {
        let (code, name) = (Code::parse("code", code).unwrap(), Name::parse("name", name).unwrap());
        Payer::new(CustomerId(Uuid::from_u128(n)), &code, Some(&name), Phone::parse(phone).ok())
    }

    /// The index leaves out nobody whom a look at each customer finds.
    #[test]
    fn who_is_found_is_who_a_look_at_everybody_finds() {
        let known: Payers = [
            payer(1, "PLG-0001", "Budi Santoso", "081200000001"),
            payer(2, "PLG0012", "Budi Santoso Wijaya", "08120000002"),
            payer(3, "P3", "Siti", "0812345678901"),
            payer(4, "000174", "Eko Prasetyo", "081200000001"),
            payer(5, "A-12-34", "Eko Prasetyo", ""),
        ]
        .into_iter()
        .collect();
        let of = |found: Vec<&Payer>| found.iter().map(|p| p.customer_id.0.as_u128()).collect::<Vec<_>>();
        for text in [
            "TRF PLG-0001 dari BUDI SANTOSO WIJAYA",
            "plg12 0812-0000-0001 eko prasetyo",
            "+6281200000001 P3 A 12.34",
            "62812345678901 000174",
            "0812 3456 78901 PLG0001PLG12",
            "SITI 0812 0000 002",
            "",
        ] {
            let (said, written) = (words(text), Written::new(text));
            let all = || known.all.iter();
            let coded = all().filter(|p| written.names(&p.code).is_some()).collect();
            let found = known.with_code(&written).into_iter().filter(|p| written.names(&p.code).is_some());
            assert_eq!(of(found.collect()), of(coded), "IDs in {text:?}");
            let called = all().filter(|p| names_phone(&said, p.phone.as_ref())).collect();
            let found = known.with_phone(&said).into_iter().filter(|p| names_phone(&said, p.phone.as_ref()));
            assert_eq!(of(found.collect()), of(called), "phones in {text:?}");
            let named = all().filter(|p| p.name.len() > 1 && runs(&said, &p.name)).collect();
            assert_eq!(of(known.with_name(&said)), of(named), "names in {text:?}");
        }
    }

    #[test]
    fn nobody_is_told_of_when_it_is_printed() {
        let known: Payers = [payer(1, "PLG-0001", "Budi Santoso", "081200000001")].into_iter().collect();
        let told = format!("{known:?}").to_lowercase();
        assert!(["budi", "santoso", "8120", "plg"].iter().all(|word| !told.contains(word)), "{told}");
    }
}
