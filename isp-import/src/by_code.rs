//! Rows by the code that people type.

use std::collections::HashMap;

use isp_core::text::Code;

/// Values by code. A code is found in capitals or not; where two differ only in that, the exact one is meant.
#[derive(Debug, Clone)]
pub(super) struct ByCode<T> {
    /// By the letters as they are.
    exact: HashMap<String, (Code, T)>,
    /// From small letters to those of a code that is there.
    folded: HashMap<String, String>,
}

impl<T> Default for ByCode<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), folded: HashMap::new() }
    }
}

impl<T> ByCode<T> {
    /// The value of a code.
    pub(super) fn get(&self, code: &Code) -> Option<&T> {
        let found = self.exact.get(code.as_str()).or_else(|| self.exact.get(self.folded.get(&code.folded())?));
        found.map(|(_, value)| value)
    }

    /// Adds a value, or replaces the one that the code has.
    pub(super) fn insert(&mut self, code: Code, value: T) {
        let known = match self.exact.contains_key(code.as_str()) {
            true => Some(code.as_str()),
            false => self.folded.get(&code.folded()).map(String::as_str),
        };
        match known.and_then(|known| self.exact.get_mut(known)) {
            Some((_, there)) => *there = value,
            None => self.insert_exact(code, value),
        }
    }

    /// All values, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.exact.values().map(|(_, value)| value)
    }

    /// All codes and values, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Code, &T)> {
        self.exact.values().map(|(code, value)| (code, value))
    }

    fn insert_exact(&mut self, code: Code, value: T) {
        let exact = code.as_str().to_owned();
        self.folded.entry(code.folded()).or_insert_with(|| exact.clone());
        self.exact.insert(exact, (code, value));
    }
}

impl<T> FromIterator<(Code, T)> for ByCode<T> {
    /// What the store has: there, codes may differ in capitals alone.
    fn from_iter<I: IntoIterator<Item = (Code, T)>>(rows: I) -> Self {
        let mut all = Self::default();
        rows.into_iter().for_each(|(code, value)| all.insert_exact(code, value));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_tell_codes_apart_only_where_both_are_there() {
        let code = |text| Code::parse("code", text).unwrap();
        let mut one = ByCode::default();
        one.insert(code("X1"), 1);
        one.insert(code("x1"), 2);
        assert_eq!((one.get(&code("X1")), one.values().count()), (Some(&2), 1));
        let two: ByCode<i32> = [(code("X1"), 1), (code("x1"), 2)].into_iter().collect();
        assert_eq!((two.get(&code("X1")), two.get(&code("x1"))), (Some(&1), Some(&2)));
    }
}
