//! Things in use, found by the numbers they were given.

/// A table in which a number finds its place by its last bits.
///
/// Numbers are given out upwards and only where the place is free: none is used again while the router may still
/// answer under it, and nothing needs to be hashed, since this is looked into for every sentence.
#[derive(Debug)]
pub(crate) struct Numbered<V> {
    slots: Vec<Option<(u32, V)>>,
    used: usize,
    next: u32,
}

/// A power of two, as is every later size.
const FIRST_SIZE: usize = 16;

impl<V> Default for Numbered<V> {
    fn default() -> Self {
        Numbered { slots: (0..FIRST_SIZE).map(|_| None).collect(), used: 0, next: 1 }
    }
}

impl<V> Numbered<V> {
    /// The number that the next one gets.
    pub(crate) fn next_number(&mut self) -> u32 {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        while self.slots.get(self.place(self.next)).is_some_and(Option::is_some) {
            self.next = self.next.wrapping_add(1);
        }
        self.next
    }

    /// Puts one where [`next_number`](Self::next_number) said.
    pub(crate) fn insert(&mut self, number: u32, value: V) {
        let place = self.place(number);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some((number, value));
            self.used += 1;
            self.next = number.wrapping_add(1);
        }
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut V> {
        let place = self.place(number);
        self.slots.get_mut(place)?.as_mut().filter(|(own, _)| *own == number).map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        self.slots.get(self.place(number)).is_some_and(|slot| slot.as_ref().is_some_and(|(own, _)| *own == number))
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<V> {
        let place = self.place(number);
        let slot = self.slots.get_mut(place)?;
        if slot.as_ref().is_none_or(|(own, _)| *own != number) {
            return None;
        }
        self.used -= 1;
        slot.take().map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// The number of the only one, if there is only one.
    pub(crate) fn only(&self) -> Option<u32> {
        let mut numbers = self.slots.iter().flatten().map(|(number, _)| *number);
        numbers.next().filter(|_| self.used == 1)
    }

    /// Takes everything out.
    pub(crate) fn drain(&mut self) -> Vec<V> {
        self.used = 0;
        self.slots.iter_mut().filter_map(Option::take).map(|(_, value)| value).collect()
    }

    fn place(&self, number: u32) -> usize {
        number as usize & (self.slots.len() - 1)
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, (0..size).map(|_| None).collect());
        for (number, value) in old.into_iter().flatten() {
            let place = self.place(number);
            // Two that had different places among fewer have different places among more.
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = Some((number, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_number_in_use_is_stepped_over_even_when_numbers_begin_again() {
        let mut table = Numbered::default();
        let first = table.next_number();
        table.insert(first, "stays");
        table.next = u32::MAX;
        for _ in 0..100 {
            let number = table.next_number();
            assert_ne!(number, first);
            table.insert(number, "short");
            assert_eq!(table.remove(number), Some("short"));
        }
        assert_eq!((table.only(), table.len()), (Some(first), 1));
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_map(steps in prop::collection::vec((any::<bool>(), 0_usize..64), 0..400)) {
            let mut table = Numbered::default();
            let mut model = HashMap::new();
            let mut given = Vec::new();
            for (step, (add, pick)) in steps.into_iter().enumerate() {
                if add || given.is_empty() {
                    let number = table.next_number();
                    prop_assert!(!model.contains_key(&number));
                    table.insert(number, step);
                    model.insert(number, step);
                    given.push(number);
                } else {
                    let number = given[pick % given.len()];
                    prop_assert_eq!(table.contains(number), model.contains_key(&number));
                    prop_assert_eq!(table.get_mut(number).copied(), model.get(&number).copied());
                    prop_assert_eq!(table.remove(number), model.remove(&number));
                }
                prop_assert_eq!(table.len(), model.len());
            }
            let mut left = table.drain();
            left.sort_unstable();
            let mut expected: Vec<_> = model.into_values().collect();
            expected.sort_unstable();
            prop_assert_eq!(left, expected);
        }
    }
}
