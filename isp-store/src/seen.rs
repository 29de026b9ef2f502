//! What a store has read of a provider's lines and packages, and what nobody has changed since.
//!
//! A run of billing reads a page of lines and writes their invoices a moment later. That these lines are as they were read, and that their
//! customers are there, need not be asked once more in the commit when no other commit of the provider changed any in between: each
//! commit adds an entry to the log of changes, so the number of the newest entry tells. Commits of this store that left lines, customers,
//! packages and sites as they were do not count, and of those of others the log tells ([`CHANGED`]).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use isp_core::billing::Billable;
use isp_core::ids::TenantId;
use isp_core::package::Package;
use isp_core::ports::StoreError;
use uuid::Uuid;

use crate::session::{Session, all};
use crate::value::args;

/// Pages of a provider that are kept: the one that is being written, and the one that is read meanwhile.
const PAGES: usize = 2;
/// Commits that are remembered, and entries of the log that are looked at in one commit.
const COMMITS: usize = 64;
/// Providers of whom anything is kept.
const PROVIDERS: usize = 64;
/// What the log calls that of which a run of billing has read something, or that takes it away.
const CHANGED: [&str; 7] = ["site", "package", "customer", "removed", "erased", "subscription", "terms"];

/// A line and its customer.
pub(crate) type Pair = (Uuid, Uuid);

/// A page of lines, in the order of their ids, or all packages, as they were read. It is kept by whoever read it.
#[derive(Debug, Clone)]
struct Read<T> {
    /// The newest entry of the log at that moment.
    entry: u64,
    rows: Weak<Vec<T>>,
}

#[derive(Debug, Default)]
struct Provider {
    pages: VecDeque<Read<Billable>>,
    packages: Option<Read<Package>>,
    /// The entries of commits that changed nothing of that.
    harmless: VecDeque<u64>,
}

impl Provider {
    /// Whether nothing was changed since an entry, now that `entry` is the newest.
    fn quiet(&self, since: u64, entry: u64) -> bool {
        since <= entry && (since + 1..=entry).all(|later| self.harmless.contains(&later))
    }
}

/// What a store has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<HashMap<TenantId, Provider>>>);

impl Seen {
    /// Notes a page of lines that was read when `entry` was the newest of the log.
    pub(crate) fn read(&self, tenant: TenantId, entry: u64, lines: &Arc<Vec<Billable>>) {
        self.change(tenant, |provider| {
            provider.pages.push_back(Read { entry, rows: Arc::downgrade(lines) });
            if provider.pages.len() > PAGES {
                provider.pages.pop_front();
            }
        });
    }

    /// Notes that these were all packages when `entry` was the newest of the log.
    pub(crate) fn packages(&self, tenant: TenantId, entry: u64, packages: &Arc<Vec<Package>>) {
        self.change(tenant, |provider| provider.packages = Some(Read { entry, rows: Arc::downgrade(packages) }));
    }

    /// Notes that a commit wrote this entry and left all lines, customers, packages and sites as they are.
    pub(crate) fn harmless(&self, tenant: TenantId, entry: u64) {
        self.change(tenant, |provider| {
            if provider.harmless.contains(&entry) {
                return;
            }
            provider.harmless.push_back(entry);
            if provider.harmless.len() > COMMITS {
                provider.harmless.pop_front();
            }
        });
    }

    /// Looks in the log at what others have committed since anything was read that is still kept, now that `entry` is the newest of the
    /// log and the tenant's row is held.
    pub(crate) async fn look(&self, s: &mut dyn Session, tenant: TenantId, entry: u64) -> Result<(), StoreError> {
        let Some((first, last)) = self.unknown(tenant, entry) else { return Ok(()) };
        for entry in harmless(s, tenant, first, last).await? {
            self.harmless(tenant, entry);
        }
        Ok(())
    }

    /// The first and the last entry of which it has to be known what they changed, and is not.
    fn unknown(&self, tenant: TenantId, entry: u64) -> Option<(u64, u64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let provider = all.get(&tenant)?;
        let pages = provider.pages.iter().filter(|page| page.rows.strong_count() > 0).map(|page| page.entry);
        let packages = provider.packages.iter().filter(|read| read.rows.strong_count() > 0).map(|read| read.entry);
        let since = pages.chain(packages).filter(|since| since + COMMITS as u64 >= entry).min()?;
        let mut unknown = (since + 1..=entry).filter(|later| !provider.harmless.contains(later));
        let first = unknown.next()?;
        Some((first, unknown.next_back().unwrap_or(first)))
    }

    /// The pages that are as they were read, now that `entry` is the newest of the log and the tenant's row is held.
    pub(crate) fn still(&self, tenant: TenantId, entry: u64) -> Vec<Arc<Vec<Billable>>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(provider) = all.get(&tenant) else { return Vec::new() };
        let same = provider.pages.iter().filter(|page| provider.quiet(page.entry, entry));
        same.filter_map(|page| page.rows.upgrade()).collect()
    }

    /// Whether these packages are known to be as they were read.
    pub(crate) fn still_packages(&self, tenant: TenantId, entry: u64, packages: &Arc<Vec<Package>>) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(provider) = all.get(&tenant) else { return false };
        let read = provider.packages.as_ref().filter(|read| provider.quiet(read.entry, entry));
        read.is_some_and(|read| std::ptr::eq(read.rows.as_ptr(), Arc::as_ptr(packages)))
    }

    fn change(&self, tenant: TenantId, change: impl FnOnce(&mut Provider)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= PROVIDERS && !all.contains_key(&tenant) {
            all.clear();
        }
        change(all.entry(tenant).or_default());
    }
}

/// Those entries of the log, from one to another, that tell of nothing that billing has read.
async fn harmless(s: &mut dyn Session, tenant: TenantId, first: u64, last: u64) -> Result<Vec<u64>, StoreError> {
    let told = CHANGED.map(|what| format!("changes LIKE '%\"what\":\"{what}\",%'")).join(" OR ");
    let sql =
        format!("SELECT sequence FROM audit_log WHERE tenant_id = $1 AND sequence BETWEEN $2 AND $3 AND NOT ({told})");
    all(s, "audit entry", &sql, args![tenant, first, last], |r| r.get()).await
}

#[cfg(test)]
mod tests {
    use isp_core::ids::CustomerId;
    use isp_core::testing::sample::World;

    use super::*;

    const TENANT: TenantId = TenantId::DEFAULT;

    fn lines(from: u128) -> Arc<Vec<Billable>> {
        let world = World::new(1);
        let line = isp_core::testing::sample::billable(&world.subscriptions[0], world.site.zone);
        let mut lines = vec![line; 3];
        for (line, n) in lines.iter_mut().zip(from..) {
            line.customer_id = CustomerId(Uuid::from_u128(n));
        }
        Arc::new(lines)
    }

    #[test]
    fn a_page_holds_until_another_commit_comes_in_between() {
        let (seen, [one, two, three]) = (Seen::default(), [1, 4, 7].map(lines));
        seen.read(TENANT, 7, &one);
        assert_eq!(seen.still(TENANT, 7), [Arc::clone(&one)]);
        assert!(seen.still(TENANT, 8).is_empty(), "somebody committed");
        assert!(seen.still(TENANT, 6).is_empty(), "the log has lost an entry");
        assert!(seen.still(TenantId(Uuid::from_u128(2)), 7).is_empty(), "of another provider");
        seen.harmless(TENANT, 8);
        seen.read(TENANT, 7, &two);
        assert_eq!(seen.still(TENANT, 8).len(), 2);
        assert!(seen.still(TENANT, 9).is_empty());
        assert_eq!(seen.unknown(TENANT, 9), Some((9, 9)));
        seen.harmless(TENANT, 10);
        assert!(seen.still(TENANT, 10).is_empty(), "entry 9 was somebody else's");
        assert_eq!(seen.unknown(TENANT, 12), Some((9, 12)));
        seen.read(TENANT, 10, &three);
        assert_eq!(seen.still(TENANT, 10), [Arc::clone(&three)]);
        drop((two, three));
        assert!(seen.still(TENANT, 10).is_empty(), "who read it has no use for it any more");
        assert_eq!(seen.unknown(TENANT, 12), None);
    }

    #[test]
    fn packages_hold_until_another_commit_comes_in_between() {
        let (seen, packages) = (Seen::default(), Arc::new(World::new(1).packages));
        assert!(!seen.still_packages(TENANT, 3, &packages));
        seen.packages(TENANT, 3, &packages);
        assert!(seen.still_packages(TENANT, 3, &packages) && !seen.still_packages(TENANT, 4, &packages));
        assert!(!seen.still_packages(TENANT, 3, &Arc::new(packages.to_vec())), "read another time");
        assert_eq!(seen.unknown(TENANT, 5), Some((4, 5)));
    }

    #[test]
    fn little_is_kept() {
        let (seen, pages) = (Seen::default(), [0, 1, 2, 3, 4].map(lines));
        for page in &pages {
            seen.read(TENANT, 1, page);
        }
        assert_eq!(seen.still(TENANT, 1), pages[3..]);
        assert_eq!(seen.unknown(TENANT, 1 + COMMITS as u64), Some((2, 1 + COMMITS as u64)));
        assert_eq!(seen.unknown(TENANT, 2 + COMMITS as u64), None, "so much is not looked at");
        for tenant in 0..200 {
            seen.read(TenantId(Uuid::from_u128(tenant)), 1, &pages[0]);
            assert!(seen.0.lock().unwrap().len() <= PROVIDERS);
        }
    }
}
