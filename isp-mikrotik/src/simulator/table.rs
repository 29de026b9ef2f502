//! Rows of one menu.

use std::collections::{BTreeMap, HashMap};

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Bytes, as they were given or in the router's own form.
    Bytes(Vec<u8>),
    /// Another object, by id: it survives a rename, and dangles after a removal.
    Reference(&'static str, u32),
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Bytes(text.as_bytes().to_vec())
    }
}

/// An object.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    pub(super) values: BTreeMap<String, Value>,
}

impl Item {
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.values.get(name) {
            Some(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }
}

/// A menu's objects in the order of their ids, or in one that people choose, with an index of names.
#[derive(Debug)]
pub(super) struct Table {
    items: BTreeMap<u32, Item>,
    /// The order that people choose, where the menu has one.
    order: Option<Vec<u32>>,
    names: HashMap<Vec<u8>, Vec<u32>>,
    next_id: u32,
    /// The ids that changed, if somebody listens.
    changes: Option<Vec<u32>>,
}

impl Table {
    pub(super) fn starting_at(next_id: u32) -> Table {
        Table { items: BTreeMap::new(), order: None, names: HashMap::new(), next_id, changes: None }
    }

    /// A table whose rows stand in an order that people choose; a new one comes last.
    pub(super) fn ordered() -> Table {
        Table { order: Some(Vec::new()), ..Table::starting_at(1) }
    }

    /// Puts a row before another one, or at the end. In a table without an order of its own nothing happens.
    pub(super) fn place(&mut self, id: u32, before: Option<u32>) {
        let Some(order) = &mut self.order else { return };
        order.retain(|other| *other != id);
        let at = before.and_then(|before| order.iter().position(|other| *other == before));
        order.insert(at.unwrap_or(order.len()), id);
        self.changes.as_mut().into_iter().for_each(|changes| changes.push(id));
    }

    pub(super) fn insert(&mut self, item: Item) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        self.insert_at(id, item);
        id
    }

    /// From now on keeps note of what changes.
    pub(super) fn watch(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// What changed since the last call, each id once.
    pub(super) fn take_changes(&mut self) -> Vec<u32> {
        let mut changes = self.changes.as_mut().map(std::mem::take).unwrap_or_default();
        let mut seen = std::collections::HashSet::new();
        changes.retain(|id| seen.insert(*id));
        changes
    }

    pub(super) fn insert_at(&mut self, id: u32, item: Item) {
        self.changes.as_mut().into_iter().for_each(|changes| changes.push(id));
        if let Some(name) = item.bytes("name") {
            self.names.entry(name.to_vec()).or_default().push(id);
        }
        if let Some(order) = self.order.as_mut().filter(|order| !order.contains(&id)) {
            order.push(id);
        }
        self.items.insert(id, item);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Item> {
        let item = self.items.remove(&id)?;
        self.changes.as_mut().into_iter().for_each(|changes| changes.push(id));
        self.order.as_mut().into_iter().for_each(|order| order.retain(|other| *other != id));
        self.forget_name(id, &item);
        Some(item)
    }

    pub(super) fn update(&mut self, id: u32, change: impl FnOnce(&mut Item)) {
        if let Some(mut item) = self.items.remove(&id) {
            self.forget_name(id, &item);
            change(&mut item);
            self.insert_at(id, item);
        }
    }

    pub(super) fn item(&self, id: u32) -> Option<&Item> {
        self.items.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Item)> {
        let chosen = self.order.iter().flatten().filter_map(|id| Some((*id, self.items.get(id)?)));
        let by_id = self.order.is_none().then(|| self.items.iter().map(|(id, item)| (*id, item)));
        chosen.chain(by_id.into_iter().flatten())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The ids that carry exactly this name.
    pub(super) fn named(&self, name: &[u8]) -> &[u32] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    fn forget_name(&mut self, id: u32, item: &Item) {
        if let Some(name) = item.bytes("name")
            && let Some(ids) = self.names.get_mut(name)
        {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.names.remove(name);
            }
        }
    }
}
