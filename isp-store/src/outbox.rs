//! The outbox: wishes to routers and messages, until somebody has carried them out.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, OutboxId, RouterId, TenantId, WorkerId};
use isp_core::isolation::{AccessEffect, effect_id};
use isp_core::message::{Notification, NotificationKey};
use isp_core::ports::{
    Claim, Claimed, Effect, Lease, OutboxQuery, OutboxRow, OutboxState, Outcome, PageQuery, Settled, StoreError, Topic,
};
use uuid::Uuid;

use crate::customer::after;
use crate::encode::{json, read_json};
use crate::router_rest;
use crate::rows::{append, execute_each, must_exist};
use crate::session::{Session, all, first, readable, readable_page};
use crate::table::{CUSTOMERS, NOTIFICATION_KEYS, OUTBOX, ROUTERS, SUBSCRIPTIONS};
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
    let router = match effect {
        Effect::Access(wish) => Some(wish.router_id),
        Effect::Message(_) => None,
    };
    Ok(args![tenant, id, topic(effect.topic()), customer, router, state, 0_u32, not_before, payload, String::new()])
}

/// Writes wishes to routers; how many were not there yet. These routers rest no more.
pub(crate) async fn write_effects(
    s: &mut dyn Session,
    tenant: TenantId,
    effects: Vec<AccessEffect>,
) -> Result<u64, StoreError> {
    must_exist(s, tenant, &SUBSCRIPTIONS, effects.iter().map(|e| e.subscription_id.0).collect()).await?;
    must_exist(s, tenant, &ROUTERS, effects.iter().map(|e| e.router_id.0).collect()).await?;
    router_rest::end(s, tenant, effects.iter().map(|e| e.router_id).collect()).await?;
    let rows = effects.into_iter().map(|effect| {
        let id = effect_id(effect.subscription_id, effect.router_id, effect.revision);
        row(tenant, id, &Effect::Access(effect), None, effect.not_before)
    });
    let sql = format!("{} ON CONFLICT (tenant_id, outbox_id) DO NOTHING", OUTBOX.insert_sql());
    execute_each(s, &sql, OUTBOX.columns.len(), rows).await
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

const COLUMNS: &str =
    "outbox_id, payload, state, attempts, next_attempt, note, provider_id, finished_at, fence, template";

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
        fence: r.get()?,
        template: r.get()?,
    })
}

/// The statement of a claim, of all rows of a topic or of the wishes to one router.
pub(crate) fn claim_sql(of_router: bool) -> String {
    let of = if of_router { "router_id" } else { "topic" };
    format!(
        "WITH due AS MATERIALIZED (
            SELECT outbox_id FROM outbox
            WHERE tenant_id = $1 AND {of} = $2 AND state IN ('pending', 'claimed', 'attempting')
                AND next_attempt <= $3 AND (state = 'pending' OR claimed_until <= $4)
            ORDER BY next_attempt, outbox_id LIMIT $6 FOR UPDATE SKIP LOCKED)
        UPDATE outbox SET state = 'claimed', claimed_until = $5, owner = $7, fence = fence + 1
        WHERE tenant_id = $1 AND outbox_id IN (SELECT outbox_id FROM due)
        RETURNING {COLUMNS}"
    )
}

/// Takes rows that are due, earliest first.
pub(crate) async fn claim(s: &mut dyn Session, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
    if claim.topic == Topic::Message {
        // Owner and fence stay: the worker may come back and tell what became of it.
        let sql = "UPDATE outbox SET state = 'unknown', claimed_until = NULL, note = $3
            WHERE tenant_id = $1 AND topic = 'message' AND state = 'attempting' AND claimed_until <= $2";
        s.execute(sql, args![tenant, claim.lease.now, LOST.to_owned()]).await?;
    }
    // Materialized, so that the limit is one however the rows are joined.
    // The list of states is that of the indexes, word for word, so that SQLite sees that it may use them.
    let sql = claim_sql(claim.router.is_some());
    let Claim { topic: of, router, due, lease, limit } = claim;
    let of = router.map_or_else(|| topic(of).into_value(), RouterId::into_value);
    let mut args = args![tenant];
    args.push(of);
    args.extend(args![due, lease.now, lease.until, limit, lease.owner]);
    let mut rows = readable(s, "outbox row", &sql, args, read).await?;
    rows.sort_by_key(|row| (row.next_attempt, row.id));
    Ok(rows)
}

/// Which of these rows are in one of `states` and still under these claims. They stay locked until the transaction ends.
async fn owned(
    s: &mut dyn Session,
    tenant: TenantId,
    owner: WorkerId,
    rows: &[Claimed],
    states: &str,
) -> Result<HashSet<Claimed>, StoreError> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: HashSet<_> = rows.iter().map(|row| row.id.0).collect();
    let sql = format!(
        "SELECT outbox_id, fence FROM outbox
        WHERE tenant_id = $1 AND owner = $2 AND state IN ({states}) AND outbox_id IN IDS(($3))
        ORDER BY outbox_id FOR UPDATE"
    );
    let args = vec![tenant.into_value(), owner.into_value(), Value::Ids(ids.into_iter().collect())];
    let found = all(s, "claim", &sql, args, |r| Ok(Claimed { id: r.get()?, fence: r.get()? })).await?;
    let asked: HashSet<&Claimed> = rows.iter().collect();
    Ok(found.into_iter().filter(|row| asked.contains(row)).collect())
}

/// Says that the other side is about to be called; for which rows that holds.
pub(crate) async fn attempting(
    s: &mut dyn Session,
    tenant: TenantId,
    lease: Lease,
    rows: &[Claimed],
) -> Result<Vec<OutboxId>, StoreError> {
    let ours: Vec<OutboxId> =
        owned(s, tenant, lease.owner, rows, "'claimed'").await?.into_iter().map(|row| row.id).collect();
    if !ours.is_empty() {
        let sql = "UPDATE outbox SET state = 'attempting', attempts = attempts + 1, claimed_until = $3
            WHERE tenant_id = $1 AND outbox_id IN IDS(($2))";
        let ids = Value::Ids(ours.iter().map(|id| id.0).collect());
        s.execute(sql, vec![tenant.into_value(), ids, lease.until.into_value()]).await?;
    }
    Ok(ours)
}

/// Prolongs what an owner has claimed.
pub(crate) const RENEW: &str = "UPDATE outbox SET claimed_until = $3
    WHERE tenant_id = $1 AND owner = $2 AND state IN ('claimed', 'attempting') AND claimed_until IS NOT NULL";

/// Prolongs everything that an owner holds.
pub(crate) async fn renew(s: &mut dyn Session, tenant: TenantId, lease: Lease) -> Result<(), StoreError> {
    s.execute(RENEW, args![tenant, lease.owner, lease.until]).await?;
    // What was given back stays so.
    let sql = "UPDATE router_holds SET held_until = $3 WHERE tenant_id = $1 AND owner = $2 AND held_until > $4";
    s.execute(sql, args![tenant, lease.owner, lease.until, DateTime::UNIX_EPOCH]).await.map(drop)
}

/// Records how attempts ended; which of them were refused.
pub(crate) async fn record(
    s: &mut dyn Session,
    tenant: TenantId,
    owner: WorkerId,
    outcomes: &[Outcome],
) -> Result<Vec<OutboxId>, StoreError> {
    let claims: Vec<Claimed> = outcomes.iter().map(|o| o.row).collect();
    let mut ours = owned(s, tenant, owner, &claims, "'claimed', 'attempting', 'unknown'").await?;
    let (mut lost, mut rows) = (Vec::new(), Vec::new());
    for o in outcomes {
        // The first word about a claim ends it.
        if !ours.remove(&o.row) {
            lost.push(o.row.id);
            continue;
        }
        let finished_at = (o.state != OutboxState::Pending).then_some(o.at);
        let state = o.state.code().to_owned();
        let (note, provider_id, template) = (o.note.clone(), o.provider_id.clone(), o.template.clone());
        rows.extend(args![o.row.id, state, o.next_attempt, note, provider_id, finished_at, template]);
    }
    if !rows.is_empty() {
        let sql = "WITH v (id, state, next_attempt, note, provider_id, finished_at, template) AS (VALUES {rows})
            UPDATE outbox AS o SET state = v.state, next_attempt = v.next_attempt, note = v.note,
                provider_id = COALESCE(v.provider_id, o.provider_id), finished_at = v.finished_at,
                template = v.template, claimed_until = NULL, owner = NULL
            FROM v WHERE o.tenant_id = $1 AND o.outbox_id = v.id";
        s.execute_rows(sql, args![tenant], 7, rows).await?;
    }
    Ok(lost)
}

/// Frees what an owner holds.
pub(crate) async fn release(s: &mut dyn Session, tenant: TenantId, owner: WorkerId) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET state = 'unknown', claimed_until = NULL, note = $3
        WHERE tenant_id = $1 AND topic = 'message' AND state = 'attempting' AND owner = $2";
    s.execute(sql, args![tenant, owner, LOST.to_owned()]).await?;
    let sql = "UPDATE outbox SET state = 'pending', claimed_until = NULL, owner = NULL
        WHERE tenant_id = $1 AND owner = $2 AND state IN ('claimed', 'attempting') AND claimed_until IS NOT NULL";
    s.execute(sql, args![tenant, owner]).await?;
    let sql = "UPDATE router_holds SET held_until = $3 WHERE tenant_id = $1 AND owner = $2";
    s.execute(sql, args![tenant, owner, DateTime::UNIX_EPOCH]).await.map(drop)
}

/// Lets everything run out that owners hold who are known to be dead.
pub(crate) async fn bury(
    s: &mut dyn Session,
    tenant: TenantId,
    dead: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let args = || vec![tenant.into_value(), Value::Ids(dead.to_vec()), now.into_value()];
    let sql = "UPDATE outbox SET claimed_until = $3
        WHERE tenant_id = $1 AND state IN ('claimed', 'attempting') AND owner IN IDS(($2)) AND claimed_until > $3";
    s.execute(sql, args()).await?;
    let sql = "UPDATE router_holds SET held_until = $3
        WHERE tenant_id = $1 AND owner IN IDS(($2)) AND held_until > $3";
    s.execute(sql, args()).await.map(drop)
}

/// Everybody who holds something. The states are those of a claim alone, so that SQLite looks at what is claimed and not at what
/// is pending.
pub(crate) const OWNERS: &str = "SELECT owner FROM outbox
        WHERE tenant_id = $1 AND state IN ('claimed', 'attempting') AND claimed_until > $2 AND owner IS NOT NULL
    UNION SELECT owner FROM router_holds WHERE tenant_id = $1 AND held_until > $2";

/// Everybody who holds something now.
pub(crate) async fn owners(s: &mut dyn Session, tenant: TenantId, now: DateTime<Utc>) -> Result<Vec<Uuid>, StoreError> {
    all(s, "owner", OWNERS, args![tenant, now], |r| r.get()).await
}

/// Settles a message at the word of a person; false when there is none to settle.
pub(crate) async fn settle(
    s: &mut dyn Session,
    tenant: TenantId,
    id: OutboxId,
    states: &[OutboxState],
    settled: &Settled,
) -> Result<bool, StoreError> {
    let codes: Vec<String> = states.iter().map(|state| format!("'{}'", state.code())).collect();
    let sql = format!(
        "UPDATE outbox SET state = $3, next_attempt = $4, note = $5, finished_at = $6, template = NULL,
            owner = NULL, claimed_until = NULL, fence = fence + 1
        WHERE tenant_id = $1 AND outbox_id = $2 AND topic = 'message' AND state IN ({})",
        codes.join(", ")
    );
    let finished_at = (settled.state != OutboxState::Pending).then_some(settled.at);
    let state = settled.state.code().to_owned();
    Ok(s.execute(&sql, args![tenant, id, state, settled.at, settled.note.clone(), finished_at]).await? > 0)
}

/// Makes messages that a template stopped due; how many.
pub(crate) async fn retry_templates(
    s: &mut dyn Session,
    tenant: TenantId,
    only: Option<&str>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let these =
        if only.is_some() { "AND (template = $3 OR substr(template, 1, length($3) + 1) = $3 || '/')" } else { "" };
    let sql = format!(
        "UPDATE outbox SET state = 'pending', next_attempt = $2, finished_at = NULL, fence = fence + 1
        WHERE tenant_id = $1 AND template IS NOT NULL AND state IN ('pending', 'failed') {these}"
    );
    let mut args = args![tenant, now];
    args.extend(only.map(|name| name.to_owned().into_value()));
    s.execute(&sql, args).await
}

pub(crate) async fn by_id(
    s: &mut dyn Session,
    tenant: TenantId,
    id: OutboxId,
) -> Result<Option<OutboxRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE tenant_id = $1 AND outbox_id = $2");
    let mut found: Vec<OutboxRow> = first(s, "outbox row", &sql, args![tenant, id], read).await?.into_iter().collect();
    router_rest::tell(s, tenant, &mut found).await?;
    Ok(found.pop())
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    query: OutboxQuery,
    page: PageQuery<OutboxId>,
) -> Result<Vec<OutboxRow>, StoreError> {
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    let conditions = conditions(query, &mut args);
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE tenant_id = $1 AND outbox_id > $2{conditions}
        ORDER BY outbox_id LIMIT $3"
    );
    let mut rows = readable_page(s, "outbox row", &sql, args, (1, 2), read).await?;
    router_rest::tell(s, tenant, &mut rows).await?;
    Ok(rows)
}

pub(crate) async fn count(s: &mut dyn Session, tenant: TenantId, query: OutboxQuery) -> Result<u64, StoreError> {
    let mut args = args![tenant];
    let sql = format!("SELECT COUNT(*) FROM outbox WHERE tenant_id = $1{}", conditions(query, &mut args));
    Ok(first(s, "outbox row", &sql, args, |r| r.get()).await?.unwrap_or_default())
}

/// Which rows are meant; the values that it names are added to the arguments.
fn conditions(query: OutboxQuery, args: &mut Vec<Value>) -> String {
    let meant = [
        ("topic", query.topic.map(|t| topic(t).into_value())),
        ("state", query.state.map(|s| s.code().to_owned().into_value())),
        ("customer_id", query.customer.map(CustomerId::into_value)),
    ];
    let mut conditions = String::new();
    for (column, value) in meant.into_iter().filter_map(|(column, value)| Some((column, value?))) {
        args.push(value);
        conditions.push_str(&format!(" AND {column} = ${}", args.len()));
    }
    conditions
}
