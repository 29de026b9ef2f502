//! Whose line has an address: what the database says of lines with an address of their own, then what the routers say now.
//!
//! An address shows somebody's debt, so it counts only when it is certain: one line has it, and no other one, ours or not, on any
//! router. Everybody else sees the general page.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::join_all;
use isp_core::ids::{RouterId, SubscriptionId, TenantId};
use isp_core::isolation::{Access, AccessTarget};
use isp_core::place::Router;
use isp_core::ports::{AccessControl as _, AccessStore as _, DirectoryStore as _, Online, PageQuery, StoreError};
use isp_core::subscription::Service;
use isp_mikrotik::MikrotikAccess;
use isp_serve::portal::Lines;
use isp_store::SqlStore;
use tokio::sync::Mutex;

/// For so long what was read counts: a line that dials anew may have another address.
const FRESH: Duration = Duration::from_secs(15);
/// After so long a router that gave no answer is asked again.
const AGAIN: Duration = Duration::from_secs(60);
/// So long a page waits for a router.
const PATIENCE: Duration = Duration::from_secs(3);

/// The lines of one provider.
pub(crate) struct LinesByAddress {
    store: Arc<SqlStore>,
    tenant: TenantId,
    page: u32,
    /// Connections of its own: a page waits for no delivery, and no delivery for a page.
    routers: MikrotikAccess,
    /// Who asks while it is read waits, so nothing is read twice at the same time.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    stored: Option<(Instant, Vec<Router>, Vec<AccessTarget>)>,
    readings: HashMap<RouterId, Reading>,
}

/// What a router said last.
struct Reading {
    at: Instant,
    /// False when it gave no answer after that; what it said before still tells where an address may be in use.
    answered: bool,
    holders: HashMap<IpAddr, Option<SubscriptionId>>,
}

impl Reading {
    fn is_due(&self) -> bool {
        self.at.elapsed() >= if self.answered { FRESH } else { AGAIN }
    }
}

impl LinesByAddress {
    pub(crate) fn new(store: Arc<SqlStore>, tenant: TenantId, page: u32, routers: MikrotikAccess) -> Self {
        Self { store, tenant, page, routers, known: Mutex::default() }
    }

    async fn find(&self, address: IpAddr) -> Result<Option<SubscriptionId>, StoreError> {
        let mut known = self.known.lock().await;
        if known.stored.as_ref().is_none_or(|(at, ..)| at.elapsed() >= FRESH) {
            let routers = self.store.routers(self.tenant).await?;
            let mut targets = Vec::new();
            for router in &routers {
                let mut page = PageQuery::first(self.page);
                loop {
                    let found = self.store.router_targets(self.tenant, router.id, page).await?;
                    let more = page.advance(&found, |last| last.subscription_id);
                    targets.extend(found.into_iter().filter(|target| target.desired != Access::Closed));
                    if !more {
                        break;
                    }
                }
            }
            known.stored = Some((Instant::now(), routers, targets));
        }
        let Known { stored, readings } = &mut *known;
        let Some((_, routers, targets)) = stored else { return Ok(None) };
        if let Some(line) = fixed(targets, address) {
            return Ok(line);
        }
        let due = routers.iter().filter(|router| readings.get(&router.id).is_none_or(Reading::is_due));
        let asked = join_all(due.map(async |router| {
            let answer = tokio::time::timeout(PATIENCE, self.routers.online(&router.endpoint)).await;
            (router, answer.ok().and_then(Result::ok).flatten())
        }));
        for (router, answer) in asked.await {
            let before = readings.remove(&router.id);
            let answered = answer.is_some();
            if !answered {
                tracing::warn!(router = router.code.as_str(), "router does not say who has which address");
            }
            let holders = match answer {
                Some(online) => holders(router.id, targets, &online),
                None => before.map(|before| before.holders).unwrap_or_default(),
            };
            readings.insert(router.id, Reading { at: Instant::now(), answered, holders });
        }
        Ok(holder(readings.values(), address))
    }
}

#[async_trait]
impl Lines for LinesByAddress {
    async fn line_at(&self, address: IpAddr) -> Option<SubscriptionId> {
        self.find(address).await.unwrap_or_else(|error| {
            tracing::error!(code = error.code(), "whose line an address is cannot be told: {error}");
            None
        })
    }
}

/// The line that has this address as its own. `None` when no line has; `Some(None)` when more than one has.
fn fixed(targets: &[AccessTarget], address: IpAddr) -> Option<Option<SubscriptionId>> {
    let mut having =
        targets.iter().filter(|target| target.account.address.is_some_and(|own| IpAddr::V4(own) == address));
    let first = having.next()?;
    Some(having.next().is_none().then_some(first.subscription_id))
}

/// The lines of a router by the addresses that they have now; `None` for an address of which that cannot be said.
fn holders(router: RouterId, targets: &[AccessTarget], online: &[Online]) -> HashMap<IpAddr, Option<SubscriptionId>> {
    let same = |target: &&AccessTarget, one: &Online| {
        let service = target.account.service;
        // A router whose settings isolate a package as hotspot serves a line so that logs in by PPPoE here.
        let fits = service == one.service || (service.logs_in() && one.service == Service::Hotspot);
        target.router_id == router && fits && target.account.username.as_str() == one.name
    };
    let mut holders: HashMap<IpAddr, Option<SubscriptionId>> = HashMap::new();
    for one in online {
        let line = targets.iter().find(|target| same(target, one)).map(|target| target.subscription_id);
        let held = holders.entry(one.address.to_canonical()).or_insert(line);
        if *held != line {
            *held = None;
        }
    }
    holders
}

/// The line that has an address, when only one router knows it and said so just now.
fn holder<'a>(readings: impl Iterator<Item = &'a Reading>, address: IpAddr) -> Option<SubscriptionId> {
    let mut having = readings.filter_map(|reading| Some((reading.answered, *reading.holders.get(&address)?)));
    match (having.next(), having.next()) {
        (Some((true, line)), None) => line,
        _ => None,
    }
}
