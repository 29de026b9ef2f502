//! What a router has, by its exact name.

use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;

use super::actual::{Actual, ActualAccount, ActualSession};
use crate::hash::HashMap;

/// More than one object may carry a name; nearly always it is one.
pub(crate) struct Index<'a, T>(HashMap<&'a [u8], Named<'a, T>>);

enum Named<'a, T> {
    One(&'a T),
    Many(Vec<&'a T>),
}

impl<'a, T> Index<'a, T> {
    /// In the router's order.
    pub(crate) fn new(items: &'a [T], name: impl Fn(&T) -> &Vec<u8>) -> Index<'a, T> {
        let mut index = HashMap::with_capacity_and_hasher(items.len(), RandomState::default());
        for item in items {
            match index.entry(name(item).as_slice()) {
                Entry::Vacant(vacant) => drop(vacant.insert(Named::One(item))),
                Entry::Occupied(mut known) => match known.get_mut() {
                    Named::Many(many) => many.push(item),
                    Named::One(first) => {
                        let both = vec![*first, item];
                        known.insert(Named::Many(both));
                    }
                },
            }
        }
        Index(index)
    }

    /// All of this name.
    pub(crate) fn of(&self, name: &[u8]) -> &[&'a T] {
        match self.0.get(name) {
            None => &[],
            Some(Named::One(one)) => std::slice::from_ref(one),
            Some(Named::Many(many)) => many,
        }
    }
}

/// The accounts and sessions of a router.
pub(crate) struct ByName<'a> {
    pub(crate) accounts: Index<'a, ActualAccount>,
    pub(crate) sessions: Index<'a, ActualSession>,
}

impl<'a> ByName<'a> {
    pub(crate) fn of(actual: &'a Actual) -> ByName<'a> {
        ByName {
            accounts: Index::new(&actual.accounts, |account| &account.name),
            sessions: Index::new(&actual.sessions, |session| &session.name),
        }
    }
}
