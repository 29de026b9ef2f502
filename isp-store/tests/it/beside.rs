//! Many routers at once over a database with few connections: whoever looks for new work lets those at work go on.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::*;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Policy;
use isp_core::calendar::Zone;
use isp_core::engine::manage::add_subscription;
use isp_core::engine::{DeliverReport, Engine};
use isp_core::ids::WorkerId;
use isp_core::isolation::AccessTarget;
use isp_core::isolation::access::ObservedAccess;
use isp_core::place::{Router, RouterEndpoint};
use isp_core::ports::{AccessControl, ApplyOutcome, Capabilities, ChangeSet, PortError, Store as _, Watch, Worker};
use isp_core::subscription::Subscription;

/// More than the connections of any database here.
const ROUTERS: u32 = 40;
const PORT: u16 = 9_000;

/// Routers that obey; the first breaks off, and says so when all others are done.
#[derive(Default)]
struct Routers(AtomicU32);

#[async_trait]
impl AccessControl for Routers {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        if router.port == PORT {
            while self.0.load(Ordering::Relaxed) < ROUTERS - 1 {
                tokio::task::yield_now().await;
            }
            return Err(PortError::Unknown { reason: "no answer".into() });
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        let done = |t: &AccessTarget| ApplyOutcome::Done { access: t.desired, changed: true, answer: "ok".into() };
        Ok(targets.iter().map(done).collect())
    }

    async fn observe(
        &self,
        _: &RouterEndpoint,
        _: &[AccessTarget],
        _: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        Err(PortError::NotSent { reason: "not asked for".into() })
    }
}

/// A watch on which it is always time to look for new work, and nothing else runs out.
struct Restless(DateTime<Utc>);

#[async_trait]
impl Watch for Restless {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    async fn pause(&self, time: TimeDelta) {
        match time == TimeDelta::seconds(2) {
            true => tokio::task::yield_now().await,
            false => std::future::pending().await,
        }
    }
}

/// A line on each router.
fn lines() -> ChangeSet {
    let (mut changes, start) = (places(), day("2026-01-05"));
    let first = changes.routers[0].clone();
    changes.routers = (0..ROUTERS)
        .map(|n| {
            let port = PORT + u16::try_from(n).unwrap();
            let endpoint = RouterEndpoint { port, ..first.endpoint.clone() };
            Router { id: router(n), code: code(&format!("R{n}")), endpoint, ..first.clone() }
        })
        .collect();
    for n in 0..ROUTERS {
        changes.customers.push(the_customer(n));
        let line = Subscription { site_id: site(0), router_id: Some(router(n)), ..the_subscription(n, start) };
        add_subscription(&mut changes, line, Zone::Wib, start.at(9, 0, Zone::Wib));
    }
    changes
}

/// A look waited for a connection, and those who had one waited for the look: nobody was served for a minute, and then all failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_for_new_work_holds_up_nobody_who_is_at_work() {
    for database in Database::both_migrated().await {
        let (store, policy) = (database.open().await, Policy::default());
        store.commit(TENANT, lines()).await.unwrap();
        let (routers, watch) = (Routers::default(), Restless(day("2026-01-05").at(10, 0, Zone::Wib)));
        let (engine, worker) = (Engine::new(&store, TENANT, &policy), Worker::new(WorkerId(id(9, 1)), &watch));
        let mut report = DeliverReport::default();
        let delivery = engine.deliver_access(&worker, &routers, watch.0, &mut report);
        tokio::time::timeout(Duration::from_secs(50), delivery).await.expect("they wait for each other").unwrap();
        assert_eq!((report.applied, report.routers_down.len()), (u64::from(ROUTERS) - 1, 1));
        store.close().await;
    }
}
