//! Another speed or profile of a package: its lines wait for their routers to have it.

use chrono::{DateTime, Utc};

use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::ids::{PackageId, SubscriptionId};
use crate::isolation::transition::{Decider, Transition};
use crate::isolation::{Access, AccessEventKind};
use crate::ports::{AccessQuery, ChangeSet, PageQuery};

/// Lines a commit.
const CHUNK: usize = 200;

impl Engine<'_> {
    /// Writes the wishes of all lines of a package whose group was changed, so that none counts as confirmed before its
    /// router has the new terms. How many lines they were. What a process that dies in between leaves out, the next
    /// run finds.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn regroup_package(&self, package: PackageId, by: &str, now: DateTime<Utc>) -> Result<u64, EngineError> {
        let load = |page| self.store.subscriptions(self.tenant, None, page);
        let lines = all_pages(self.page, load, |(line, _)| line.id).await?;
        let concerned = lines.into_iter().filter(|(line, access)| {
            line.terms.package_id == package && line.router_id.is_some() && access.desired != Access::Closed
        });
        let lines: Vec<SubscriptionId> = concerned.map(|(line, _)| line.id).collect();
        let mut count = 0;
        for lines in lines.chunks(CHUNK) {
            count += until_written(|| self.regroup_lines(lines, by, now)).await?;
        }
        Ok(count)
    }

    async fn regroup_lines(&self, lines: &[SubscriptionId], by: &str, now: DateTime<Utc>) -> Result<u64, EngineError> {
        let query = AccessQuery::Subscriptions(lines.to_vec());
        let limit = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let facts = self.store.load_access(self.tenant, &query, PageQuery::first(limit)).await?;
        let mut changes = ChangeSet::default();
        for facts in &facts {
            let decider = Decider { by, reason: "package_changed" };
            let step = Transition::new(facts, AccessEventKind::GroupChanged, decider, now);
            self.follow(&mut changes, facts, Some(step), now);
        }
        let count = changes.access.len() as u64;
        self.store.commit(self.tenant, changes).await?;
        Ok(count)
    }
}
