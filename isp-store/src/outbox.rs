//! The outbox: wishes to routers and messages, until somebody has carried them out.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, OutboxId, TenantId};
use isp_core::isolation::{AccessEffect, effect_id};
use isp_core::message::{Notification, NotificationKey};
use isp_core::ports::{Claim, Effect, OutboxQuery, OutboxRow, OutboxState, Outcome, PageQuery, StoreError, Topic};

use crate::customer::after;
use crate::encode::{json, read_json};
use crate::session::{Session, all, readable, readable_page};
use crate::table::{CUSTOMERS, NOTIFICATION_KEYS, OUTBOX, ROUTERS, SUBSCRIPTIONS, append, must_exist};
use crate::value::{Column as _, Reader, Value, args};

/// Written when a worker died while it was sending a message.
const LOST: &str = "the worker stopped while sending; nobody knows whether it went out";

fn topic(topic: Topic) -> String {
    match topic {
        Topic::Access => "access",
        Topic::Message => "message",
    }
    .to_owned()
}

fn row(
    tenant: TenantId,
    id: OutboxId,
    effect: &Effect,
    customer: Option<CustomerId>,
    not_before: DateTime<Utc>,
) -> Result<Vec<Value>, StoreError> {
    let state = OutboxState::Pending.code().to_owned();
    let payload = json(effect)?;
    Ok(args![tenant, id, topic(effect.topic()), customer, state, 0_u32, not_before, payload, String::new()])
}

/// Writes wishes to routers; how many were not there yet.
pub(crate) async fn write_effects(
    s: &mut dyn Session,
    tenant: TenantId,
    effects: Vec<AccessEffect>,
) -> Result<u64, StoreError> {
    must_exist(s, tenant, &SUBSCRIPTIONS, effects.iter().map(|e| e.subscription_id.0).collect()).await?;
    must_exist(s, tenant, &ROUTERS, effects.iter().map(|e| e.router_id.0).collect()).await?;
    let mut rows = Vec::with_capacity(effects.len() * OUTBOX.columns.len());
    for effect in effects {
        let id = effect_id(effect.subscription_id, effect.router_id, effect.revision);
        rows.extend(row(tenant, id, &Effect::Access(effect), None, effect.not_before)?);
    }
    if rows.is_empty() {
        return Ok(0);
    }
    let sql = format!("{} ON CONFLICT (tenant_id, outbox_id) DO NOTHING", OUTBOX.insert_sql());
    s.execute_rows(&sql, Vec::new(), OUTBOX.columns.len(), rows).await
}

/// Writes messages of which no key is there yet; how many (rule N2). The caller holds the tenant's lock, so that
/// looking for the keys and writing them is one step; the unique key stands behind it.
pub(crate) async fn write_messages(
    s: &mut dyn Session,
    tenant: TenantId,
    messages: Vec<Notification>,
) -> Result<u64, StoreError> {
    if messages.is_empty() {
        return Ok(0);
    }
    let mut subjects: Vec<_> = messages.iter().flat_map(|m| m.keys.iter().map(|k| k.subject)).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let sql = "SELECT kind, level, subject FROM notification_keys WHERE tenant_id = $1 AND subject IN IDS(($2))";
    let mut known: HashSet<NotificationKey> =
        all(s, "notification key", sql, vec![Value::Id(tenant.0), Value::Ids(subjects)], |r| {
            Ok(NotificationKey { kind: r.get()?, level: r.get()?, subject: r.get()? })
        })
        .await?
        .into_iter()
        .collect();
    let ids = Value::Ids(messages.iter().map(|m| m.id.0).collect());
    let sql = "SELECT outbox_id FROM outbox WHERE tenant_id = $1 AND outbox_id IN IDS(($2))";
    let mut ids: HashSet<OutboxId> =
        all(s, "outbox row", sql, vec![Value::Id(tenant.0), ids], |r| r.get()).await?.into_iter().collect();
    let mut customers = Vec::new();
    let mut keys = Vec::new();
    let mut rows = Vec::new();
    for message in messages {
        if ids.contains(&message.id) || message.keys.iter().any(|key| known.contains(key)) {
            continue;
        }
        ids.insert(message.id);
        customers.push(message.customer_id.0);
        for key in &message.keys {
            if known.insert(*key) {
                keys.push(args![tenant, key.subject, key.kind, key.level, message.id]);
            }
        }
        let (id, customer, not_before) = (message.id, message.customer_id, message.not_before);
        rows.push(row(tenant, id, &Effect::Message(message), Some(customer), not_before)?);
    }
    must_exist(s, tenant, &CUSTOMERS, customers).await?;
    let written = rows.len() as u64;
    append(s, &NOTIFICATION_KEYS, keys).await?;
    append(s, &OUTBOX, rows).await?;
    Ok(written)
}

const COLUMNS: &str = "outbox_id, payload, state, attempts, next_attempt, note, provider_id, finished_at";

fn read(r: &mut Reader<'_>) -> Result<OutboxRow, StoreError> {
    let id = r.get()?;
    let effect = read_json("outbox row", &r.get::<String>()?)?;
    let code: String = r.get()?;
    let state = OutboxState::ALL.into_iter().find(|s| s.code() == code);
    Ok(OutboxRow {
        id,
        effect,
        state: state.ok_or_else(|| r.corrupt("its state is unknown"))?,
        attempts: r.get()?,
        next_attempt: r.get()?,
        note: r.get()?,
        provider_id: r.get()?,
        finished_at: r.get()?,
    })
}

/// Takes rows that are due, earliest first.
pub(crate) async fn claim(s: &mut dyn Session, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
    if claim.topic == Topic::Message {
        let sql = "UPDATE outbox SET state = 'unknown', claimed_until = NULL, note = $3
            WHERE tenant_id = $1 AND topic = 'message' AND state = 'attempting' AND claimed_until <= $2";
        s.execute(sql, args![tenant, claim.now, LOST.to_owned()]).await?;
    }
    // The list of states is that of the index, word for word, so that SQLite sees that it may use it.
    let sql = format!(
        "UPDATE outbox SET state = 'claimed', claimed_until = $4
        WHERE tenant_id = $1 AND outbox_id IN (
            SELECT outbox_id FROM outbox
            WHERE tenant_id = $1 AND topic = $2 AND state IN ('pending', 'claimed', 'attempting')
                AND next_attempt <= $3 AND (state = 'pending' OR claimed_until <= $3)
            ORDER BY next_attempt, outbox_id LIMIT $5 FOR UPDATE SKIP LOCKED)
        RETURNING {COLUMNS}"
    );
    let args = args![tenant, topic(claim.topic), claim.now, claim.until, claim.limit];
    let mut rows = readable(s, "outbox row", &sql, args, read).await?;
    rows.sort_by_key(|row| (row.next_attempt, row.id));
    Ok(rows)
}

/// Says that the other side is about to be called.
pub(crate) async fn attempting(s: &mut dyn Session, tenant: TenantId, ids: &[OutboxId]) -> Result<(), StoreError> {
    let ids: HashSet<_> = ids.iter().map(|id| id.0).collect();
    let count = ids.len() as u64;
    let sql = "UPDATE outbox SET state = 'attempting', attempts = attempts + 1
        WHERE tenant_id = $1 AND state = 'claimed' AND outbox_id IN IDS(($2))";
    let touched = s.execute(sql, vec![Value::Id(tenant.0), Value::Ids(ids.into_iter().collect())]).await?;
    // A row that another worker took meanwhile must not be called for by two.
    if touched == count { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Records how attempts ended.
pub(crate) async fn record(s: &mut dyn Session, tenant: TenantId, outcomes: &[Outcome]) -> Result<(), StoreError> {
    let last: std::collections::BTreeMap<OutboxId, &Outcome> = outcomes.iter().map(|o| (o.id, o)).collect();
    let count = last.len() as u64;
    if count == 0 {
        return Ok(());
    }
    let sql = "WITH v (id, state, next_attempt, note, provider_id, finished_at) AS (VALUES {rows})
        UPDATE outbox AS o SET state = v.state, next_attempt = v.next_attempt, note = v.note,
            provider_id = COALESCE(v.provider_id, o.provider_id), finished_at = v.finished_at, claimed_until = NULL
        FROM v WHERE o.tenant_id = $1 AND o.outbox_id = v.id";
    let rows: Vec<Value> = last
        .into_values()
        .flat_map(|o| {
            let finished_at = (o.state != OutboxState::Pending).then_some(o.at);
            let state = o.state.code().to_owned();
            args![o.id, state, o.next_attempt, o.note.clone(), o.provider_id.clone(), finished_at]
        })
        .collect();
    if s.execute_rows(sql, args![tenant], 6, rows).await? == count {
        Ok(())
    } else {
        Err(StoreError::NotFound { what: "outbox" })
    }
}

/// Frees all claims of a tenant.
pub(crate) async fn release(s: &mut dyn Session, tenant: TenantId) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET state = 'unknown', claimed_until = NULL, note = $2
        WHERE tenant_id = $1 AND topic = 'message' AND state = 'attempting'";
    s.execute(sql, args![tenant, LOST.to_owned()]).await?;
    let sql = "UPDATE outbox SET state = 'pending', claimed_until = NULL
        WHERE tenant_id = $1 AND state IN ('claimed', 'attempting')";
    s.execute(sql, args![tenant]).await.map(drop)
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    query: OutboxQuery,
    page: PageQuery<OutboxId>,
) -> Result<Vec<OutboxRow>, StoreError> {
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    let mut conditions = String::new();
    let mut add = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            args.push(value);
            conditions.push_str(&format!(" AND {column} = ${}", args.len()));
        }
    };
    add("topic", query.topic.map(|t| topic(t).into_value()));
    add("state", query.state.map(|s| s.code().to_owned().into_value()));
    add("customer_id", query.customer.map(CustomerId::into_value));
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE tenant_id = $1 AND outbox_id > $2{conditions}
        ORDER BY outbox_id LIMIT $3"
    );
    readable_page(s, "outbox row", &sql, args, (1, 2), read).await
}
