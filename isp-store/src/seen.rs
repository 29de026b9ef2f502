//! What a store has read of a provider's lines and what nobody has changed since.
//!
//! A run of billing reads a page of lines and writes their invoices a moment later. That these lines and their customers are there need
//! not be asked once more in the commit, when no other commit of the provider came in between: each commit adds an entry to the log of
//! changes, so the number of the newest entry tells. Commits of this store that brought no line or customer do not count.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use isp_core::ids::TenantId;
use uuid::Uuid;

/// Pages of a provider that are kept: the one that is being written, and the one that is read meanwhile.
const PAGES: usize = 2;
/// Commits of this store that are remembered.
const COMMITS: usize = 8;
/// Providers of whom anything is kept.
const PROVIDERS: usize = 64;

/// A line and its customer.
pub(crate) type Pair = (Uuid, Uuid);

/// A page of lines as it was read, in the order of their ids.
#[derive(Debug, Clone)]
struct Page {
    /// The newest entry of the log at that moment.
    entry: u64,
    lines: Arc<[Pair]>,
}

#[derive(Debug, Default)]
struct Provider {
    pages: VecDeque<Page>,
    /// The entries of commits that left all lines and customers as they are.
    harmless: VecDeque<u64>,
}

/// What a store has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<HashMap<TenantId, Provider>>>);

impl Seen {
    /// Notes a page of lines that was read when `entry` was the newest of the log.
    pub(crate) fn read(&self, tenant: TenantId, entry: u64, lines: Vec<Pair>) {
        self.change(tenant, |provider| {
            provider.pages.push_back(Page { entry, lines: lines.into() });
            if provider.pages.len() > PAGES {
                provider.pages.pop_front();
            }
        });
    }

    /// Notes that a commit wrote this entry and left all lines and customers as they are.
    pub(crate) fn harmless(&self, tenant: TenantId, entry: u64) {
        self.change(tenant, |provider| {
            provider.harmless.push_back(entry);
            if provider.harmless.len() > COMMITS {
                provider.harmless.pop_front();
            }
        });
    }

    /// The pages that are as they were read, now that `entry` is the newest of the log and the tenant's row is held.
    pub(crate) fn still(&self, tenant: TenantId, entry: u64) -> Vec<Arc<[Pair]>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(provider) = all.get(&tenant) else { return Vec::new() };
        let same = |page: &&Page| {
            page.entry <= entry && (page.entry + 1..=entry).all(|later| provider.harmless.contains(&later))
        };
        provider.pages.iter().filter(same).map(|page| Arc::clone(&page.lines)).collect()
    }

    fn change(&self, tenant: TenantId, change: impl FnOnce(&mut Provider)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= PROVIDERS && !all.contains_key(&tenant) {
            all.clear();
        }
        change(all.entry(tenant).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId::DEFAULT;

    fn lines(from: u128) -> Vec<Pair> {
        (from..from + 3).map(|n| (Uuid::from_u128(n), Uuid::from_u128(n + 100))).collect()
    }

    #[test]
    fn a_page_holds_until_another_commit_comes_in_between() {
        let seen = Seen::default();
        seen.read(TENANT, 7, lines(1));
        assert_eq!(seen.still(TENANT, 7), [Arc::from(lines(1))]);
        assert!(seen.still(TENANT, 8).is_empty(), "somebody committed");
        assert!(seen.still(TENANT, 6).is_empty(), "the log has lost an entry");
        assert!(seen.still(TenantId(Uuid::from_u128(2)), 7).is_empty(), "of another provider");
        seen.harmless(TENANT, 8);
        seen.read(TENANT, 7, lines(4));
        assert_eq!(seen.still(TENANT, 8).len(), 2);
        assert!(seen.still(TENANT, 9).is_empty());
        seen.harmless(TENANT, 10);
        assert!(seen.still(TENANT, 10).is_empty(), "entry 9 was somebody else's");
        seen.read(TENANT, 10, lines(7));
        assert_eq!(seen.still(TENANT, 10), [Arc::from(lines(7))]);
    }

    #[test]
    fn little_is_kept() {
        let seen = Seen::default();
        for page in 0..5 {
            seen.read(TENANT, 1, lines(page));
        }
        assert_eq!(seen.still(TENANT, 1), [Arc::from(lines(3)), Arc::from(lines(4))]);
        for tenant in 0..200 {
            seen.read(TenantId(Uuid::from_u128(tenant)), 1, lines(1));
            assert!(seen.0.lock().unwrap().len() <= PROVIDERS);
        }
    }
}
