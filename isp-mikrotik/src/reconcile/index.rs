//! What a router has, by its exact name.

use std::collections::HashMap;

/// More than one object may carry a name.
pub(super) type Index<'a, T> = HashMap<&'a [u8], Vec<&'a T>>;

pub(super) fn by_name<T>(items: &[T], name: impl Fn(&T) -> &Vec<u8>) -> Index<'_, T> {
    let mut index: Index<'_, T> = HashMap::with_capacity(items.len());
    for item in items {
        index.entry(name(item).as_slice()).or_default().push(item);
    }
    index
}
