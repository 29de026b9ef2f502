//! The chain: what an entry's hash is made of, and what does not fit.

use chrono::{DateTime, SubsecRound, Utc};
use sha2::{Digest, Sha256};

use crate::ids::TenantId;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What is hashed begins with this, so that another form of it never gives the same hash.
const FORM: &[u8] = b"isp audit 1";

/// The newest entry of a chain. That of an empty one has number 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub sequence: u64,
    /// What the newest entry came to; the next one is chained to it.
    pub hash: Hash,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The first is 1, and each is one more than that before it.
    pub sequence: u64,
    /// When, by the database's clock, to the microsecond.
    pub at: DateTime<Utc>,
    /// Who acted.
    pub by: String,
    /// By which command.
    pub command: String,
    /// What was changed, as JSON.
    pub changes: String,
}

/// An entry with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it says.
    pub entry: Entry,
    /// The hash over it and over the hash before it.
    pub hash: Hash,
}

impl Link {
    /// The head of a chain that ends with it.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { sequence: self.entry.sequence, hash: self.hash }
    }
}

/// The link that follows a head.
#[must_use]
pub fn link(tenant: TenantId, head: Head, at: DateTime<Utc>, by: &str, command: &str, changes: String) -> Link {
    let entry = Entry {
        sequence: head.sequence + 1,
        // As it is kept, so that it is read back as it was hashed.
        at: at.trunc_subsecs(6),
        by: by.to_owned(),
        command: command.to_owned(),
        changes,
    };
    Link { hash: hash(tenant, &head.hash, &entry), entry }
}

/// Each text with its length, so that nothing can move from one to the next.
fn hash(tenant: TenantId, before: &Hash, entry: &Entry) -> Hash {
    let mut sum = Sha256::new();
    sum.update(FORM);
    sum.update(tenant.0.as_bytes());
    sum.update(before);
    sum.update(entry.sequence.to_be_bytes());
    sum.update(entry.at.timestamp_micros().to_be_bytes());
    for text in [&entry.by, &entry.command, &entry.changes] {
        sum.update((text.len() as u64).to_be_bytes());
        sum.update(text.as_bytes());
    }
    sum.finalize().into()
}

/// Something that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// These entries are gone, both ends included.
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// This entry is not the one that followed the entry before it: it was changed, or that one was.
    Changed {
        /// Which.
        sequence: u64,
    },
    /// This entry lies beyond the newest one that was written.
    Added {
        /// Which.
        sequence: u64,
    },
}

/// Reads a chain from its beginning.
#[derive(Debug, Clone)]
pub struct Checker {
    tenant: TenantId,
    last: Head,
    entries: u64,
    breaks: Vec<Break>,
}

impl Checker {
    /// Nothing is read yet.
    #[must_use]
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant, last: Head { sequence: 0, hash: [0; 32] }, entries: 0, breaks: Vec::new() }
    }

    /// How many entries were read.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Reads the next entry; they come by their number.
    pub fn read(&mut self, link: &Link) {
        let sequence = link.entry.sequence;
        let gap = sequence > self.last.sequence + 1;
        if gap {
            self.breaks.push(Break::Missing { from: self.last.sequence + 1, to: sequence - 1 });
        }
        // After a gap the hash before it is not known: only what follows can be looked at.
        if !gap && hash(self.tenant, &self.last.hash, &link.entry) != link.hash {
            self.breaks.push(Break::Changed { sequence });
        }
        self.entries += 1;
        self.last = link.head();
    }

    /// Compares with the head that the last commit left; what does not fit.
    #[must_use]
    pub fn end(mut self, head: Head) -> Vec<Break> {
        match self.last.sequence.cmp(&head.sequence) {
            std::cmp::Ordering::Less => {
                self.breaks.push(Break::Missing { from: self.last.sequence + 1, to: head.sequence });
            }
            std::cmp::Ordering::Greater => {
                self.breaks.extend((head.sequence + 1..=self.last.sequence).map(|sequence| Break::Added { sequence }));
            }
            std::cmp::Ordering::Equal if self.last.hash != head.hash => {
                let known = self.breaks.contains(&Break::Changed { sequence: head.sequence });
                self.breaks.extend((!known).then_some(Break::Changed { sequence: head.sequence }));
            }
            std::cmp::Ordering::Equal => {}
        }
        self.breaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId::DEFAULT;

    fn chain(count: u64) -> Vec<Link> {
        let mut head = Head::default();
        (1..=count)
            .map(|n| {
                let at = DateTime::from_timestamp_micros(i64::try_from(n).unwrap_or(0) * 1_000_001).unwrap_or_default();
                let next = link(TENANT, head, at, "Sari", "run", format!("[{n}]"));
                head = next.head();
                next
            })
            .collect()
    }

    fn check(links: &[Link], head: Head) -> Vec<Break> {
        let mut checker = Checker::new(TENANT);
        links.iter().for_each(|link| checker.read(link));
        checker.end(head)
    }

    #[test]
    fn a_chain_as_it_was_written_fits() {
        let links = chain(5);
        assert_eq!(check(&links, links[4].head()), []);
        assert_eq!(check(&[], Head::default()), []);
    }

    #[test]
    fn a_changed_word_is_found_wherever_it_stands() {
        for place in 0..5 {
            let links = chain(5);
            let changes: [fn(&mut Entry); 4] = [
                |e| e.by = "Budi".into(),
                |e| e.command = "enforce".into(),
                |e| e.changes.push(' '),
                |e| e.at += chrono::TimeDelta::microseconds(1),
            ];
            for change in changes {
                let mut changed = links.clone();
                change(&mut changed[place].entry);
                let sequence = place as u64 + 1;
                assert_eq!(check(&changed, links[4].head()), [Break::Changed { sequence }]);
            }
        }
    }

    #[test]
    fn an_entry_that_is_hashed_anew_no_longer_carries_the_next() {
        let links = chain(3);
        let mut forged = links.clone();
        forged[1] = link(TENANT, links[0].head(), links[1].entry.at, "Sari", "run", "[9]".into());
        assert_eq!(check(&forged, links[2].head()), [Break::Changed { sequence: 3 }]);
        // The last one has no next, but the head.
        let mut forged = links.clone();
        forged[2] = link(TENANT, links[1].head(), links[2].entry.at, "Sari", "run", "[9]".into());
        assert_eq!(check(&forged, links[2].head()), [Break::Changed { sequence: 3 }]);
    }

    #[test]
    fn what_is_gone_and_what_was_added_are_found() {
        let links = chain(6);
        let head = links[5].head();
        let without = |gone: std::ops::Range<usize>| {
            let mut left = links.clone();
            left.drain(gone);
            check(&left, head)
        };
        assert_eq!(without(0..1), [Break::Missing { from: 1, to: 1 }]);
        assert_eq!(without(2..4), [Break::Missing { from: 3, to: 4 }]);
        assert_eq!(without(4..6), [Break::Missing { from: 5, to: 6 }]);
        assert_eq!(without(0..6), [Break::Missing { from: 1, to: 6 }]);
        assert_eq!(check(&links, links[4].head()), [Break::Added { sequence: 6 }]);
    }

    #[test]
    fn an_entry_of_another_provider_does_not_fit() {
        let links = chain(1);
        let mut checker = Checker::new(TenantId(uuid::Uuid::from_u128(9)));
        checker.read(&links[0]);
        assert_eq!(checker.end(links[0].head()), [Break::Changed { sequence: 1 }]);
    }
}
