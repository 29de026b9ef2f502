//! Customers' IDs in what a bank wrote, however they are spelt: `PLG 000174`, `plg-000174`, `PLG000.174`, `TRFPLG000174WIFI`.
//!
//! Only what cannot be chance is sure. What may be an ID all the same is reason enough to ask a person, and never to book.

use std::collections::BTreeSet;

use super::words::is_usual;
use crate::calendar::Date;
use crate::text::Code;

/// How surely a text names an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// It may be chance: other letters touch it, its digits stand apart, or zeros are missing.
    Perhaps,
    /// It stands there by itself.
    Surely,
}

/// Words before a number that say that it is somebody's.
const SAY_WHOSE: &str = "id idpel pel pelanggan plg no nomor nopel cust customer kode";

/// A text, made ready to look for IDs.
pub(super) struct Written {
    /// Its letters and digits, in small letters.
    signs: Vec<char>,
    /// What stands before each of them.
    gaps: Vec<Gap>,
    /// The day of the money that it is about.
    on: Option<Date>,
}

/// Days before and after the money's own that banks and payers write beside it: when it was sent, when its invoice was due.
const DAYS_ABOUT: i32 = 62;

/// What stands between two letters or digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Nothing.
    None,
    /// One sign, such as a point or a dash.
    Sign,
    /// More, or a blank.
    Wide,
}

impl Written {
    pub(super) fn new(text: &str) -> Self {
        let (mut signs, mut gaps, mut gap) = (Vec::new(), Vec::new(), Gap::Wide);
        for sign in text.chars().flat_map(char::to_lowercase) {
            if sign.is_alphanumeric() {
                signs.push(sign);
                gaps.push(gap);
                gap = Gap::None;
            } else {
                gap = if gap == Gap::None && !sign.is_whitespace() { Gap::Sign } else { Gap::Wide };
            }
        }
        Self { signs, gaps, on: None }
    }

    /// About money of a day: digits that may be a day about that one are no sure ID.
    pub(super) fn told_on(self, on: Date) -> Self {
        Self { on: Some(on), ..self }
    }

    /// Its letters and digits, in small letters.
    pub(super) fn signs(&self) -> &[char] {
        &self.signs
    }

    /// Whether this text names an ID, and where: the first and the last place of its letters and digits.
    pub(super) fn names(&self, id: &Id) -> Option<(Named, usize, usize)> {
        let whole = self.find(&id.0);
        let shorter = || {
            let short = id.without_zeros()?;
            self.find(&short.0).map(|(_, from, to)| (Named::Perhaps, from, to))
        };
        whole.or_else(shorter)
    }

    fn find(&self, id: &Written) -> Option<(Named, usize, usize)> {
        let length = id.signs.len();
        let mut best = None;
        for from in 0..=self.signs.len().checked_sub(length)? {
            if length > 0 && self.signs.get(from..from + length) == Some(&id.signs) {
                let found = self.judge(id, from, from + length - 1);
                best = best.max(found.map(|named| (named, from, from + length - 1)));
            }
        }
        best
    }

    /// How surely an ID stands at a place where its letters and digits do.
    fn judge(&self, id: &Written, from: usize, to: usize) -> Option<Named> {
        let digits = id.signs.iter().filter(|sign| sign.is_ascii_digit()).count();
        let only_digits = digits == id.signs.len();
        if digits == 0 || (only_digits && digits < 3) {
            return None;
        }
        let inside = (from + 1..=to).filter_map(|at| self.inside(id, from, at, only_digits)).min();
        let sides = [self.before(from)?, self.after(to)?];
        let mut named = sides.into_iter().chain(inside).min().unwrap_or(Named::Surely);
        if !only_digits && id.signs.len() < 3 {
            // "P3" is a word as any; alone it may be meant.
            named = named.min(if self.is_word(from, to) { Named::Perhaps } else { return None });
        }
        if only_digits {
            let apart = (from + 1..=to).any(|at| self.gap(at) != id.gap(at - from));
            // A few digits are a day, an amount or a till: somebody has to say what they are.
            match (apart, digits < 6) {
                (true, _) => return None,
                (false, true) if self.says_whose(from) => named = Named::Perhaps,
                (false, true) => return None,
                // Behind letters it is the end of some other number.
                (false, false) if from > 0 && self.gap(from) == Gap::None => named = Named::Perhaps,
                (false, false) if self.may_be_day(&id.signs) && !self.says_whose(from) => named = Named::Perhaps,
                (false, false) => {}
            }
        }
        Some(named)
    }

    /// True for digits that are a day about that of the money, as banks and payers write it: `010226`, `260201`, `01022026`.
    fn may_be_day(&self, digits: &[char]) -> bool {
        let Some(on) = self.on else { return false };
        let number =
            |at: std::ops::Range<usize>| -> Option<u32> { digits.get(at)?.iter().collect::<String>().parse().ok() };
        let day = |year: Option<u32>, month, day| {
            let (year, month, day): (u32, u32, u32) = (year?, month?, day?);
            Date::from_ymd(i32::try_from(year).ok()?, month, day)
        };
        let short = |at| number(at).map(|year| 2000 + year);
        let days = match digits.len() {
            6 => [day(short(4..6), number(2..4), number(0..2)), day(short(0..2), number(2..4), number(4..6))],
            8 => [day(number(4..8), number(2..4), number(0..2)), day(number(0..4), number(4..6), number(6..8))],
            _ => [None, None],
        };
        days.into_iter().flatten().any(|day| day.days_since(on).abs() <= DAYS_ABOUT)
    }

    /// What is between two letters or digits of an ID; `None` when that says nothing.
    fn inside(&self, id: &Written, from: usize, at: usize, only_digits: bool) -> Option<Named> {
        let (gap, kind) = (self.gap(at), |place: usize| self.signs.get(place).map(char::is_ascii_digit));
        let as_written = gap == Gap::None || id.gap(at - from) != Gap::None;
        let changes = kind(at - 1) != kind(at);
        (!as_written && !changes && !only_digits).then_some(Named::Perhaps)
    }

    /// What stands before: `None` when the digits go on, so that it is another number.
    fn before(&self, from: usize) -> Option<Named> {
        let Some(before) = from.checked_sub(1).filter(|_| self.gap(from) == Gap::None) else {
            return Some(Named::Surely);
        };
        let digit = |at: usize| self.signs.get(at).is_some_and(char::is_ascii_digit);
        match (digit(before), digit(from)) {
            (true, true) => None,
            (false, false) => Some(self.beside((0..from).rev().take_while(|at| self.joins(*at)))),
            _ => Some(Named::Surely),
        }
    }

    /// What stands behind, as [`Written::before`].
    fn after(&self, to: usize) -> Option<Named> {
        if to + 1 >= self.signs.len() || self.gap(to + 1) != Gap::None {
            return Some(Named::Surely);
        }
        let digit = |at: usize| self.signs.get(at).is_some_and(char::is_ascii_digit);
        match (digit(to), digit(to + 1)) {
            (true, true) => None,
            (false, false) => Some(Named::Perhaps),
            _ => Some(Named::Surely),
        }
    }

    /// True when the letter at a place touches the next one.
    fn joins(&self, at: usize) -> bool {
        let letter = |at: usize| self.signs.get(at).is_some_and(|sign| !sign.is_ascii_digit());
        letter(at) && self.gap(at + 1) == Gap::None
    }

    /// Letters that touch an ID in front are no part of it when banks write them each time.
    fn beside(&self, places: impl Iterator<Item = usize>) -> Named {
        let mut word: Vec<char> = places.filter_map(|at| self.signs.get(at).copied()).collect();
        word.reverse();
        if is_usual(&word.into_iter().collect::<String>()) { Named::Surely } else { Named::Perhaps }
    }

    fn is_word(&self, from: usize, to: usize) -> bool {
        self.gap(from) != Gap::None && (to + 1 >= self.signs.len() || self.gap(to + 1) != Gap::None)
    }

    /// True when the word before a place says that a number is somebody's.
    fn says_whose(&self, from: usize) -> bool {
        let mut word: Vec<char> = Vec::new();
        for at in (0..from).rev() {
            match self.signs.get(at) {
                Some(sign) if !sign.is_ascii_digit() && (word.is_empty() || self.gap(at + 1) == Gap::None) => {
                    word.push(*sign);
                }
                _ => break,
            }
        }
        word.reverse();
        let word: String = word.into_iter().collect();
        SAY_WHOSE.split(' ').any(|known| known == word)
    }

    fn gap(&self, at: usize) -> Gap {
        self.gaps.get(at).copied().unwrap_or(Gap::Wide)
    }
}

/// A customer's ID, made ready to be looked for.
pub(super) struct Id(Written);

impl Id {
    pub(super) fn new(code: &Code) -> Self {
        Self(Written::new(code.as_str()))
    }

    /// The letters and digits by which a text may name it.
    pub(super) fn spellings(&self) -> impl Iterator<Item = Vec<char>> {
        [Some(self.0.signs.clone()), self.without_zeros().map(|short| short.0.signs)].into_iter().flatten()
    }

    /// The letters in front of its number, in one and as they stand apart: `ispbdg`, `isp` and `bdg` of `ISP-BDG-0012`.
    pub(super) fn fronts(&self) -> BTreeSet<String> {
        let letters = self.0.signs.iter().take_while(|sign| !sign.is_ascii_digit()).count();
        let front = self.0.signs.iter().zip(&self.0.gaps).take(letters);
        let mut fronts = vec![String::new()];
        for (sign, gap) in front.clone() {
            if *gap != Gap::None {
                fronts.push(String::new());
            }
            if let Some(last) = fronts.last_mut() {
                last.push(*sign);
            }
        }
        fronts.push(front.map(|(sign, _)| sign).collect());
        fronts.retain(|word| !word.is_empty() && letters < self.0.signs.len());
        fronts.into_iter().collect()
    }

    /// Letters and a number without its zeros in front, as people write them; `None` where that is too little to tell.
    fn without_zeros(&self) -> Option<Self> {
        let letters = self.0.signs.iter().take_while(|sign| !sign.is_ascii_digit()).count();
        let (front, number) = self.0.signs.split_at(letters);
        let zeros = number.iter().take_while(|sign| **sign == '0').count();
        let word: String = front.iter().collect();
        let plain = letters > 1 && zeros > 0 && zeros < number.len() && number.iter().all(char::is_ascii_digit);
        if !plain || is_usual(&word) {
            return None;
        }
        let signs: Vec<char> = front.iter().chain(number.iter().skip(zeros)).copied().collect();
        let gaps = vec![Gap::None; signs.len()];
        Some(Self(Written { signs, gaps, on: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: &str, text: &str) -> Option<Named> {
        let id = Id::new(&Code::parse("code", code).unwrap());
        Written::new(text).names(&id).map(|(named, ..)| named)
    }

    #[test]
    fn an_id_is_read_however_it_is_spelt() {
        for (code, text, expected) in [
            ("PLG000174", "TRF PLG000174 WIFI", Some(Named::Surely)),
            ("PLG000174", "trf plg 000174 maret", Some(Named::Surely)),
            ("PLG000174", "TRF PLG-000174", Some(Named::Surely)),
            ("PLG-000174", "TRF PLG : 000174", Some(Named::Surely)),
            ("PLG000174", "TRFPLG000174WIFI", Some(Named::Surely)),
            ("PLG000174", "PLG000174500000", None),
            ("PLG000174", "PLG000174 500000", Some(Named::Surely)),
            ("PLG000174", "PLG000.174", Some(Named::Perhaps)),
            ("PLG000174", "PLG 000 174", Some(Named::Perhaps)),
            ("PLG000174", "P L G 000174", Some(Named::Perhaps)),
            ("PLG000174", "BUDIPLG000174", Some(Named::Perhaps)),
            ("PLG000174", "PLG174", Some(Named::Perhaps)),
            ("PLG000174", "PLG 1740", None),
            ("A-12-34", "bayar A 12 34", Some(Named::Surely)),
            ("A-12-34", "bayar A1234", Some(Named::Surely)),
            ("WIFI0012", "wifi 12 mbps", None),
            ("EKO", "EKO", None),
        ] {
            assert_eq!(named(code, text), expected, "{code} in {text}");
        }
    }

    #[test]
    fn digits_alone_are_an_id_where_they_are_many_or_said_to_be() {
        for (code, text, expected) in [
            ("000174", "TRF 000174", Some(Named::Surely)),
            ("000174", "TRF 1000174", None),
            ("000174", "FTQX000174", Some(Named::Perhaps)),
            ("183151", "TRSF CR 183.151,00", None),
            ("1501", "TRSF E-BANKING CR 1501/FTSCY", None),
            ("1501", "ID PELANGGAN 1501", Some(Named::Perhaps)),
            ("77", "no 77 eko", None),
            ("P3", "WIFI P3", Some(Named::Perhaps)),
            ("P3", "TRSP3", None),
        ] {
            assert_eq!(named(code, text), expected, "{code} in {text}");
        }
    }

    /// `010226` stands in a text of the first of February because that is its day.
    #[test]
    fn digits_that_may_be_the_day_of_the_money_are_no_sure_id() {
        let named = |code: &str, text: &str| {
            let id = Id::new(&Code::parse("code", code).unwrap());
            Written::new(text).told_on(Date::parse("2026-02-02").unwrap()).names(&id).map(|(named, ..)| named)
        };
        for (code, text, expected) in [
            ("010226", "TRSF E-BANKING CR 010226 SITI", Named::Perhaps),
            ("260201", "TRF 260201", Named::Perhaps),
            ("01022026", "TGL 01022026", Named::Perhaps),
            ("20260201", "TRF 20260201 WIFI", Named::Perhaps),
            ("151225", "BAYAR 151225", Named::Perhaps),
            // Somebody says that it is an ID.
            ("010226", "ID 010226", Named::Surely),
            ("010226", "TRF 010226 pelanggan 010226", Named::Surely),
            // Days of other years, and no days.
            ("010223", "TRF 010223", Named::Surely),
            ("310226", "TRF 310226", Named::Surely),
            ("000174", "TRF 000174", Named::Surely),
            ("0102261", "TRF 0102261", Named::Surely),
        ] {
            assert_eq!(named(code, text), Some(expected), "{code} in {text}");
        }
    }

    #[test]
    fn the_surest_of_several_places_counts() {
        assert_eq!(named("PLG000174", "BUDIPLG000174 PLG-000174"), Some(Named::Surely));
        assert_eq!(named("PLG000174", ""), None);
    }
}
