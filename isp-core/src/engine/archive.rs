//! Sites and routers that are used no more: archived, and brought back. Their history stays.

use chrono::{DateTime, Utc};

use crate::calendar::Zone;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{RouterId, SiteId};
use crate::payment::Told;
use crate::place::{Router, Site, no_line, takes_lines};
use crate::ports::{ChangeSet, Effect, OutboxQuery, OutboxState, PageQuery, StoreError, Topic};
use crate::subscription::Subscription;

impl Engine<'_> {
    /// Archives a router, or brings it back. An archived one is called by nobody and takes no lines.
    ///
    /// # Errors
    /// [`Error::StillServes`]; [`Error::RouterIsAwaited`], on which a person can insist: the router is told nothing more then, as when
    /// it is broken. [`Error::Archived`] for one that comes back to an archived site; [`StoreError::NotFound`];
    /// [`StoreError::Rejected`] when a line was added at the same moment.
    pub async fn archive_router(
        &self,
        id: RouterId,
        archived: bool,
        told: Told,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let all = self.store.routers(self.tenant).await?;
        let router = all.into_iter().find(|r| r.id == id).ok_or(StoreError::NotFound { what: "router" })?;
        let sites = self.store.sites(self.tenant).await?;
        let site = sites.iter().find(|s| s.id == router.site_id);
        if archived {
            let today = site.map_or(Zone::Wib, |site| site.zone).date_of(now);
            no_line("router", self.ends_of(|line| line.router_id == Some(id)).await?, today)?;
            let waiting = self.awaiting(id).await?;
            if waiting > 0 && told != Told::ByPersonWhoInsists {
                return Err(Error::RouterIsAwaited { waiting }.into());
            }
        } else {
            takes_lines(site, None)?;
        }
        let routers = vec![Router { archived, ..router }];
        self.store.commit(self.tenant, ChangeSet { routers, ..ChangeSet::default() }).await?;
        Ok(())
    }

    /// Archives a site, or brings it back. An archived one takes no lines and no routers.
    ///
    /// # Errors
    /// [`Error::StillServes`]; [`Error::SiteHasRouters`]; [`StoreError::NotFound`]; [`StoreError::Rejected`] when a line or router was
    /// added at the same moment.
    pub async fn archive_site(&self, id: SiteId, archived: bool, now: DateTime<Utc>) -> Result<(), EngineError> {
        let all = self.store.sites(self.tenant).await?;
        let site = all.into_iter().find(|s| s.id == id).ok_or(StoreError::NotFound { what: "site" })?;
        if archived {
            no_line("site", self.ends_of(|line| line.site_id == id).await?, site.zone.date_of(now))?;
            let routers = self.routers_in_use().await?.iter().filter(|router| router.site_id == id).count() as u64;
            if routers > 0 {
                return Err(Error::SiteHasRouters { routers }.into());
            }
        }
        let sites = vec![Site { archived, ..site }];
        self.store.commit(self.tenant, ChangeSet { sites, ..ChangeSet::default() }).await?;
        Ok(())
    }

    /// The routers that are not archived.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn routers_in_use(&self) -> Result<Vec<Router>, EngineError> {
        let mut all = self.store.routers(self.tenant).await?;
        all.retain(|router| !router.archived);
        Ok(all)
    }

    /// Refuses lines at a site or on a router that is archived.
    pub(super) async fn must_take(&self, lines: impl Iterator<Item = &Subscription> + Send) -> Result<(), EngineError> {
        let (sites, routers) = (self.store.sites(self.tenant).await?, self.store.routers(self.tenant).await?);
        for line in lines {
            let site = sites.iter().find(|s| s.id == line.site_id);
            takes_lines(site, routers.iter().find(|r| Some(r.id) == line.router_id))?;
        }
        Ok(())
    }

    async fn ends_of(
        &self,
        of: impl Fn(&Subscription) -> bool,
    ) -> Result<Vec<Option<crate::calendar::Date>>, EngineError> {
        let all = self.all_subscriptions().await?;
        Ok(all.into_iter().filter(|(line, _)| of(line)).map(|(line, _)| line.terms.end).collect())
    }

    /// How many wishes wait for a router.
    async fn awaiting(&self, router: RouterId) -> Result<u64, EngineError> {
        let mut waiting = 0;
        for state in [OutboxState::Pending, OutboxState::Claimed, OutboxState::Attempting] {
            let query = OutboxQuery { topic: Some(Topic::Access), state: Some(state), ..OutboxQuery::default() };
            let mut page = PageQuery::first(self.page);
            loop {
                let rows = self.store.outbox(self.tenant, query, page).await?;
                let to_it = |effect: &Effect| matches!(effect, Effect::Access(wish) if wish.router_id == router);
                waiting += rows.iter().filter(|row| to_it(&row.effect)).count() as u64;
                if !page.advance(&rows, |last| last.id) {
                    break;
                }
            }
        }
        Ok(waiting)
    }
}
