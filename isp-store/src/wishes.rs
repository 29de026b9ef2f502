//! Wishes to routers that are to be carried out once more.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use isp_core::ids::{OutboxId, SubscriptionId, TenantId};
use isp_core::isolation::{AccessEffect, effect_id};
use isp_core::ports::StoreError;

use crate::session::{Session, all};
use crate::value::{Column as _, Value};
use crate::{outbox, router_rest};

/// Wishes a statement.
const CHUNK: usize = 1_000;

/// Makes wishes due; the lines whose wish was not there or was finished.
pub(crate) async fn again(
    s: &mut dyn Session,
    tenant: TenantId,
    wishes: &[AccessEffect],
    now: DateTime<Utc>,
) -> Result<Vec<SubscriptionId>, StoreError> {
    let mut anew = Vec::new();
    for wishes in wishes.chunks(CHUNK) {
        let id = |wish: &AccessEffect| effect_id(wish.subscription_id, wish.router_id, wish.revision);
        router_rest::end(s, tenant, wishes.iter().map(|wish| wish.router_id).collect()).await?;
        let ids = || Value::Ids(wishes.iter().map(|wish| id(wish).0).collect());
        let sql = "SELECT outbox_id FROM outbox
            WHERE tenant_id = $1 AND state IN ('pending', 'claimed', 'attempting') AND outbox_id IN IDS(($2))
            ORDER BY outbox_id FOR UPDATE";
        let live: HashSet<OutboxId> =
            all(s, "outbox row", sql, vec![tenant.into_value(), ids()], |r| r.get()).await?.into_iter().collect();
        let sql = "UPDATE outbox SET state = 'pending', next_attempt = $3, finished_at = NULL, owner = NULL,
                claimed_until = NULL, attempts = 0, fence = fence + 1
            WHERE tenant_id = $1 AND state NOT IN ('pending', 'claimed', 'attempting') AND outbox_id IN IDS(($2))";
        s.execute(sql, vec![tenant.into_value(), ids(), now.into_value()]).await?;
        let sql = "UPDATE outbox SET next_attempt = $3
            WHERE tenant_id = $1 AND state = 'pending' AND next_attempt > $3 AND outbox_id IN IDS(($2))";
        s.execute(sql, vec![tenant.into_value(), ids(), now.into_value()]).await?;
        let missing: Vec<AccessEffect> = wishes.iter().filter(|wish| !live.contains(&id(wish))).copied().collect();
        anew.extend(missing.iter().map(|wish| wish.subscription_id));
        // Those that were finished are there, and are left out.
        outbox::write_effects(s, tenant, missing).await?;
    }
    Ok(anew)
}
