//! The right to write to a router: one worker at a time, and what is doubtful once it was lost.

use chrono::{DateTime, Utc};
use isp_core::ids::{RouterId, SubscriptionId, TenantId};
use isp_core::isolation::access::ObservedAccess;
use isp_core::isolation::{AccessEffect, effect_id};
use isp_core::ports::{Lease, RouterHold, StoreError};

use crate::outbox;
use crate::session::{Session, all, first};
use crate::value::{Column as _, Value, args};

/// Takes the right, or keeps it; `None` while another worker has it.
pub(crate) async fn hold(
    s: &mut dyn Session,
    tenant: TenantId,
    router: RouterId,
    lease: Lease,
) -> Result<Option<RouterHold>, StoreError> {
    let sql = "INSERT INTO router_holds (tenant_id, router_id, owner, held_until, fence) VALUES ($1, $2, $3, $5, 1)
        ON CONFLICT (tenant_id, router_id) DO UPDATE
            SET owner = excluded.owner, held_until = excluded.held_until, fence = router_holds.fence + 1
            WHERE router_holds.owner = $3 OR router_holds.held_until <= $4
        RETURNING fence";
    let args = args![tenant, router, lease.owner, lease.now, lease.until];
    let fence = first(s, "router hold", sql, args, |r| r.get()).await?;
    Ok(fence.map(|fence| RouterHold { router, owner: lease.owner, fence }))
}

/// Gives the right back, unless it was lost.
pub(crate) async fn free(s: &mut dyn Session, tenant: TenantId, hold: RouterHold) -> Result<(), StoreError> {
    let sql = "UPDATE router_holds SET held_until = $5
        WHERE tenant_id = $1 AND router_id = $2 AND owner = $3 AND fence = $4";
    s.execute(sql, args![tenant, hold.router, hold.owner, hold.fence, DateTime::UNIX_EPOCH]).await.map(drop)
}

/// True while nobody took the right since. The row stays locked until the transaction ends.
pub(crate) async fn holds(s: &mut dyn Session, tenant: TenantId, hold: RouterHold) -> Result<bool, StoreError> {
    let sql = "SELECT fence FROM router_holds
        WHERE tenant_id = $1 AND router_id = $2 AND owner = $3 AND fence = $4 FOR UPDATE";
    let found: Option<u64> =
        first(s, "router hold", sql, args![tenant, hold.router, hold.owner, hold.fence], |r| r.get()).await?;
    Ok(found.is_some())
}

/// Nobody knows what these lines are: what was read of them counts no more, their wishes are pending again, and whoever
/// writes to the router now is doubted as well, since it may have been overwritten.
pub(crate) async fn doubt(
    s: &mut dyn Session,
    tenant: TenantId,
    router: RouterId,
    lines: &[(SubscriptionId, ObservedAccess)],
) -> Result<(), StoreError> {
    let sql = "UPDATE router_holds SET fence = fence + 1 WHERE tenant_id = $1 AND router_id = $2";
    s.execute(sql, args![tenant, router]).await?;
    let Some(at) = lines.iter().map(|(_, seen)| seen.at).max() else { return Ok(()) };
    let ids = || Value::Ids(lines.iter().map(|(id, _)| id.0).collect());
    let sql = "SELECT s.subscription_id, a.revision FROM subscriptions s
            JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
        WHERE s.tenant_id = $1 AND s.router_id = $2 AND s.subscription_id IN IDS(($3))";
    let args = vec![tenant.into_value(), router.into_value(), ids()];
    let wanted: Vec<(SubscriptionId, u64)> = all(s, "access", sql, args, |r| Ok((r.get()?, r.get()?))).await?;
    let sql = "UPDATE service_access SET observed_revision = 0
        WHERE tenant_id = $1 AND observed_at IS NOT NULL AND subscription_id IN IDS(($2))";
    let here = Value::Ids(wanted.iter().map(|(id, _)| id.0).collect());
    s.execute(sql, vec![tenant.into_value(), here]).await?;
    let effect =
        |(subscription_id, revision)| AccessEffect { subscription_id, router_id: router, revision, not_before: at };
    let wishes = Value::Ids(wanted.iter().map(|(id, revision)| effect_id(*id, router, *revision).0).collect());
    outbox::write_effects(s, tenant, wanted.into_iter().map(effect).collect()).await?;
    again(s, tenant, wishes, at).await
}

async fn again(s: &mut dyn Session, tenant: TenantId, wishes: Value, at: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET state = 'pending', next_attempt = $3, finished_at = NULL, owner = NULL,
            claimed_until = NULL, fence = fence + 1
        WHERE tenant_id = $1 AND outbox_id IN IDS(($2))";
    s.execute(sql, vec![tenant.into_value(), wishes, at.into_value()]).await.map(drop)
}
