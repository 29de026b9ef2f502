//! What a router has, by its exact name.

use std::cell::Cell;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;

use super::actual::{Actual, ActualAccount, ActualSession};
use super::desired::{Desired, DesiredAccount};
use crate::hash::HashMap;

/// More than one object may carry a name; nearly always it is one.
///
/// Tables are gone through in the order in which their objects were made, most of the time, and that is the router's order,
/// too. So the one behind the last that was found is looked at first: it is near, and a place that a hash names is not.
pub(crate) struct Index<'a, T> {
    named: HashMap<&'a [u8], Named<'a, T>>,
    /// The names and the objects, both in the router's order.
    names: Vec<&'a [u8]>,
    items: Vec<&'a T>,
    /// Where the next one is expected; `None` when a name is carried twice.
    next: Cell<Option<usize>>,
}

enum Named<'a, T> {
    One(usize),
    Many(Vec<&'a T>),
}

impl<'a, T> Index<'a, T> {
    /// In the router's order.
    pub(crate) fn new(items: &'a [T], name: impl Fn(&'a T) -> &'a [u8]) -> Index<'a, T> {
        Index::of_named(items.len(), items.iter().map(|item| (name(item), item)))
    }

    /// Of these, about so many.
    pub(crate) fn of_named(count: usize, items: impl Iterator<Item = (&'a [u8], &'a T)>) -> Index<'a, T> {
        let mut index = Index {
            named: HashMap::with_capacity_and_hasher(count, RandomState::default()),
            names: Vec::with_capacity(count),
            items: Vec::with_capacity(count),
            next: Cell::new(Some(0)),
        };
        for (name, item) in items {
            let place = index.items.len();
            index.names.push(name);
            index.items.push(item);
            match index.named.entry(name) {
                Entry::Vacant(vacant) => drop(vacant.insert(Named::One(place))),
                Entry::Occupied(mut known) => {
                    index.next.set(None);
                    match known.get_mut() {
                        Named::Many(many) => many.push(item),
                        Named::One(first) => {
                            let first = index.items.get(*first).copied();
                            known.insert(Named::Many(first.into_iter().chain([item]).collect()));
                        }
                    }
                }
            }
        }
        index
    }

    /// All of this name.
    pub(crate) fn of(&self, name: &[u8]) -> &[&'a T] {
        if let Some(next) = self.next.get()
            && self.names.get(next).is_some_and(|there| *there == name)
        {
            self.next.set(Some(next + 1));
            return self.items.get(next..=next).unwrap_or_default();
        }
        match self.named.get(name) {
            None => &[],
            Some(Named::One(place)) => {
                self.next.set(self.next.get().map(|_| place + 1));
                self.items.get(*place..=*place).unwrap_or_default()
            }
            Some(Named::Many(many)) => many,
        }
    }
}

/// The accounts and sessions of a router, and the accounts that it should have.
pub(crate) struct ByName<'a> {
    pub(crate) wanted: Index<'a, DesiredAccount>,
    pub(crate) accounts: Index<'a, ActualAccount>,
    pub(crate) sessions: Index<'a, ActualSession>,
}

impl<'a> ByName<'a> {
    pub(crate) fn of(desired: &'a Desired, actual: &'a Actual) -> ByName<'a> {
        ByName {
            wanted: Index::new(&desired.accounts, |account| account.name.as_bytes()),
            accounts: Index::new(&actual.accounts, |account| &account.name),
            sessions: Index::new(&actual.sessions, |session| &session.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is asked in whatever order: the same as a look through the whole table.
        #[test]
        fn it_finds_what_a_look_through_the_table_finds(
            table in prop::collection::vec("[a-d]{0,3}", 0..12),
            asked in prop::collection::vec("[a-d]{0,3}", 0..40),
        ) {
            let index = Index::new(&table, |name| name.as_bytes());
            for name in asked.iter().chain(&table).chain(&table) {
                let found: Vec<&String> = table.iter().filter(|there| *there == name).collect();
                prop_assert_eq!(index.of(name.as_bytes()), found);
            }
        }
    }
}
