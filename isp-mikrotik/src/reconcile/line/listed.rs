//! The isolation list, as far as it concerns one line.

use std::collections::HashMap;

use super::super::finding::Finding;
use super::super::plan::{Conflict, Entries};
use super::actual::{ActualLines, bare, marked};
use super::desired::DesiredLine;
use crate::mark::Owner;
use crate::menu::ItemId;
use crate::menu::address_list::ListEntry;

/// The isolation list, by owner and by address.
pub(super) struct Listed<'a> {
    ours: HashMap<Owner, Vec<&'a ListEntry>>,
    enabled: HashMap<&'a [u8], Vec<&'a ListEntry>>,
}

impl<'a> Listed<'a> {
    pub(super) fn of(actual: &'a ActualLines) -> Listed<'a> {
        let mut listed = Listed { ours: HashMap::new(), enabled: HashMap::new() };
        for entry in &actual.entries {
            if !entry.disabled {
                listed.enabled.entry(bare(&entry.address)).or_default().push(entry);
            }
            if let (Some((owner, _)), false) = (marked(&entry.comment), entry.dynamic) {
                listed.ours.entry(owner).or_default().push(entry);
            }
        }
        listed
    }

    /// The entries of the line wherever they stand, and at these addresses those of who had its address or box before.
    pub(super) fn of_line(&self, line: &DesiredLine, here: &[Vec<u8>]) -> Vec<&'a ListEntry> {
        let of = |owner: &Owner| self.ours.get(owner).into_iter().flatten().copied();
        let at = |entry: &&ListEntry| here.iter().any(|address| bare(address) == bare(&entry.address));
        of(&line.owner).chain(line.succeeds.iter().flat_map(of).filter(at)).collect()
    }

    /// Whether the line's own entries say that established connections are still to be ended.
    pub(super) fn owes(&self, line: &DesiredLine) -> bool {
        self.of_line(line, &[]).iter().any(|entry| marked(&entry.comment).is_some_and(|(_, kick)| kick))
    }

    /// Whether the list holds an address, whatever put it there.
    pub(super) fn holds(&self, address: &[u8]) -> bool {
        self.enabled.contains_key(bare(address))
    }

    /// Whether an entry without a mark holds an address.
    pub(super) fn by_hand(&self, address: &[u8]) -> bool {
        self.at(address).any(|entry| !entry.dynamic && marked(&entry.comment).is_none())
    }

    fn at(&self, address: &[u8]) -> impl Iterator<Item = &'a ListEntry> {
        self.enabled.get(bare(address)).into_iter().flatten().copied()
    }

    /// What the entries of a line at these addresses need. `add` is the address that is to be listed by an entry of the
    /// line's own, if it is not listed; `joined` whether the lease still joins its address to the list by itself.
    pub(super) fn entries(
        &self,
        line: &DesiredLine,
        here: &[Vec<u8>],
        add: Option<&[u8]>,
        joined: bool,
    ) -> Result<Entries, Conflict> {
        let ours = self.of_line(line, here);
        let foreign = |entry: &&ListEntry| marked(&entry.comment).is_some_and(|(owner, _)| !line.owns(owner));
        for address in here {
            let other = self.at(address).find(foreign);
            // One that another line's mark owns would open with that line, or shut this one in.
            if other.is_some() {
                let reason =
                    format!("{} is in the list already, and that entry is not ours", crate::text::shown(address));
                return Err(Conflict { code: Finding::EntryNotOurs.code(), reason });
            }
        }
        let right =
            |entry: &ListEntry| !entry.disabled && here.iter().any(|address| bare(&entry.address) == bare(address));
        if line.shut() {
            let (mut seen, mut remove) = (Vec::new(), Vec::new());
            for entry in ours {
                match right(entry) && !seen.contains(&bare(&entry.address)) {
                    true => seen.push(bare(&entry.address)),
                    false => remove.push(entry.id.clone()),
                }
            }
            let add = add.filter(|address| !self.holds(address));
            return Ok(Entries { add: add.map(|address| String::from_utf8_lossy(bare(address)).into_owned()), remove });
        }
        // An entry without a mark for the line's own address shuts it in as ours would, and goes.
        let content = here.iter().flat_map(|address| self.at(address)).filter(|entry| {
            let unmarked = marked(&entry.comment).is_none();
            unmarked && !(entry.dynamic && joined)
        });
        let mut remove: Vec<ItemId> = ours.iter().map(|entry| entry.id.clone()).collect();
        for entry in content {
            if !remove.contains(&entry.id) {
                remove.push(entry.id.clone());
            }
        }
        Ok(Entries { add: None, remove })
    }
}
