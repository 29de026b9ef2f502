//! Routers that could not be used: what is wished of each waits together, without a change to its rows.

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::ids::{RouterId, TenantId};
use isp_core::ports::{Lease, OutboxRow, RouterRest, StoreError};

use crate::session::{Session, all, first};
use crate::value::{Column as _, Value, args};

/// The routers with a wish that is due and that nobody has, but for those that rest.
pub(crate) const DUE: &str = "SELECT r.router_id FROM routers r
        LEFT JOIN router_rests q ON q.tenant_id = $1 AND q.router_id = r.router_id
    WHERE r.tenant_id = $1 AND EXISTS (SELECT 1 FROM outbox o
        WHERE o.tenant_id = $1 AND o.router_id = r.router_id AND o.state IN ('pending', 'claimed', 'attempting')
            AND o.next_attempt <= $2
            AND o.next_attempt > CASE WHEN q.rests_since <= $2 AND q.rests_until > $2 THEN q.rests_since ELSE $4 END
            AND (o.state = 'pending' OR o.claimed_until <= $3))
    ORDER BY r.router_id";

/// How many wishes wait for a router.
pub(crate) const WAITING: &str = "SELECT COUNT(*) FROM outbox
    WHERE tenant_id = $1 AND router_id = $2 AND state IN ('pending', 'claimed', 'attempting') AND next_attempt <= $3";

/// Wishes whose claim ran out. The states are those of a claim alone, so that SQLite looks at what is claimed and not at what is
/// pending.
pub(crate) const RAN_OUT: &str = "UPDATE outbox SET state = 'pending', owner = NULL, claimed_until = NULL
    WHERE tenant_id = $1 AND claimed_until <= $2 AND state IN ('claimed', 'attempting') AND router_id IS NOT NULL";

/// The routers that something is to be done at.
pub(crate) async fn due(
    s: &mut dyn Session,
    tenant: TenantId,
    due: DateTime<Utc>,
    lease: Lease,
) -> Result<Vec<RouterId>, StoreError> {
    // Nothing is wished so early.
    let beginning = DateTime::<Utc>::UNIX_EPOCH - TimeDelta::days(1);
    all(s, "router", DUE, args![tenant, due, lease.now, beginning], |r| r.get()).await
}

/// Lets a router rest; how many wishes wait for it.
pub(crate) async fn begin(
    s: &mut dyn Session,
    tenant: TenantId,
    rest: &RouterRest,
    lease: Lease,
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO router_rests (tenant_id, router_id, rests_since, rests_until, reason)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, router_id) DO UPDATE
            SET rests_since = excluded.rests_since, rests_until = excluded.rests_until, reason = excluded.reason";
    s.execute(sql, args![tenant, rest.router, rest.since, rest.until, rest.reason.clone()]).await?;
    s.execute(RAN_OUT, args![tenant, lease.now]).await?;
    let waiting = first(s, "outbox row", WAITING, args![tenant, rest.router, rest.since], |r| r.get()).await?;
    Ok(waiting.unwrap_or_default())
}

/// The routers that rest, or have not answered since they rested.
pub(crate) async fn rests(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<RouterRest>, StoreError> {
    let sql = "SELECT router_id, rests_since, rests_until, reason FROM router_rests WHERE tenant_id = $1
        ORDER BY router_id";
    all(s, "router rest", sql, args![tenant], |r| Ok(RouterRest::new(r.get()?, r.get()?, r.get()?, r.get()?))).await
}

/// Ends the rest of routers.
pub(crate) async fn end(s: &mut dyn Session, tenant: TenantId, routers: Vec<RouterId>) -> Result<(), StoreError> {
    let mut ids: Vec<_> = routers.into_iter().map(|router| router.0).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "DELETE FROM router_rests WHERE tenant_id = $1 AND router_id IN IDS(($2))";
    s.execute(sql, vec![tenant.into_value(), Value::Ids(ids)]).await.map(drop)
}

/// Says in rows that wait for a router that rests until when, and why.
pub(crate) async fn tell(s: &mut dyn Session, tenant: TenantId, rows: &mut [OutboxRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    for rest in rests(s, tenant).await? {
        rows.iter_mut().for_each(|row| rest.tell(row));
    }
    Ok(())
}
