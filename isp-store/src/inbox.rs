//! Webhooks until they are read, what was heard of messages, who wants none, and the links of pages.

use chrono::{DateTime, Utc};
use isp_core::customer::Phone;
use isp_core::ids::{CustomerId, PageLinkId, TenantId, WebhookId, WorkerId};
use isp_core::isolation::Access;
use isp_core::payment::PageLink;
use isp_core::ports::{
    DeliveryWord, Forgotten, Heard, Lease, OutboxState, PageQuery, Pulse, StoreError, Topic, Webhook, WebhookOutcome,
    WebhookRow, WebhookState,
};
use uuid::Uuid;

use crate::bank;
use crate::customer::after;
use crate::encode::{json, read_json};
use crate::erasure;
use crate::rows::{append, must_exist};
use crate::session::{Session, all, first, readable, readable_page};
use crate::table::{CUSTOMERS, PAGE_LINKS, WEBHOOKS};
use crate::value::{Column as _, Reader, Value, args};

const COLUMNS: &str = "webhook_id, source, received_at, headers, body, state, tries, next_try, note";

/// Keeps webhooks; how many were new. One that could not be read is read again when it comes again.
pub(crate) async fn keep(s: &mut dyn Session, tenant: TenantId, webhooks: Vec<Webhook>) -> Result<u64, StoreError> {
    if webhooks.is_empty() {
        return Ok(0);
    }
    let mut rows = Vec::with_capacity(webhooks.len() * WEBHOOKS.columns.len());
    let mut ids: Vec<Uuid> = Vec::with_capacity(webhooks.len());
    for webhook in webhooks {
        // One statement may not touch a row twice.
        if ids.contains(&webhook.id.0) {
            continue;
        }
        ids.push(webhook.id.0);
        let (headers, state, at) =
            (json(&webhook.headers)?, WebhookState::Waiting.code().to_owned(), webhook.received_at);
        let none = (None::<DateTime<Utc>>, None::<WorkerId>);
        rows.extend(args![
            tenant,
            webhook.id,
            webhook.source,
            at,
            headers,
            webhook.body,
            state,
            0_u32,
            at,
            none.0,
            none.1,
            String::new()
        ]);
    }
    let unread =
        "SELECT webhook_id FROM webhooks WHERE tenant_id = $1 AND webhook_id IN IDS(($2)) AND state = 'unread'";
    let unread = all(s, "webhook", unread, vec![tenant.into_value(), Value::Ids(ids)], |r| r.get::<Uuid>()).await?;
    let sql = format!(
        "{} ON CONFLICT (tenant_id, webhook_id) DO UPDATE SET state = 'waiting', tries = 0, next_try = excluded.next_try
        WHERE webhooks.state = 'unread'",
        WEBHOOKS.insert_sql()
    );
    // What is written is what was new, and what could not be read before. Of two who keep the same at once, one writes it.
    let written = s.execute_rows(&sql, Vec::new(), WEBHOOKS.columns.len(), rows).await?;
    Ok(written.saturating_sub(unread.len() as u64))
}

fn read(r: &mut Reader<'_>) -> Result<WebhookRow, StoreError> {
    let (id, source, received_at) = (r.get()?, r.get()?, r.get()?);
    let headers = read_json("webhook", &r.get::<String>()?)?;
    let webhook = Webhook { id, source, received_at, headers, body: r.get()? };
    let code: String = r.get()?;
    let state = WebhookState::ALL.into_iter().find(|s| s.code() == code);
    let state = state.ok_or_else(|| r.corrupt("its state is unknown"))?;
    Ok(WebhookRow { webhook, state, tries: r.get()?, next_try: r.get()?, note: r.get()? })
}

/// Takes those whose next try has come, earliest first.
pub(crate) async fn claim(
    s: &mut dyn Session,
    tenant: TenantId,
    lease: Lease,
    limit: u32,
) -> Result<Vec<WebhookRow>, StoreError> {
    let sql = format!(
        "WITH due AS MATERIALIZED (
            SELECT webhook_id FROM webhooks
            WHERE tenant_id = $1 AND state = 'waiting' AND next_try <= $2
                AND (claimed_until IS NULL OR claimed_until <= $2)
            ORDER BY next_try, webhook_id LIMIT $5 FOR UPDATE SKIP LOCKED)
        UPDATE webhooks SET claimed_until = $3, owner = $4
        WHERE tenant_id = $1 AND webhook_id IN (SELECT webhook_id FROM due)
        RETURNING {COLUMNS}"
    );
    let args = args![tenant, lease.now, lease.until, lease.owner, limit];
    let mut rows = readable(s, "webhook", &sql, args, read).await?;
    rows.sort_by_key(|row| (row.next_try, row.webhook.received_at, row.webhook.id));
    Ok(rows)
}

pub(crate) async fn settle(
    s: &mut dyn Session,
    tenant: TenantId,
    owner: WorkerId,
    outcomes: &[WebhookOutcome],
) -> Result<(), StoreError> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::new();
    for o in outcomes {
        rows.extend(args![o.id, o.state.code().to_owned(), o.next_try, o.note.clone()]);
    }
    let sql = "WITH v (id, state, next_try, note) AS (VALUES {rows})
        UPDATE webhooks AS w SET state = v.state, next_try = v.next_try, note = v.note, claimed_until = NULL,
            owner = NULL, tries = w.tries + CASE WHEN v.state = 'read' THEN 0 ELSE 1 END
        FROM v WHERE w.tenant_id = $1 AND w.webhook_id = v.id AND w.owner = $2 AND w.state = 'waiting'";
    s.execute_rows(sql, args![tenant, owner], 4, rows).await.map(drop)
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    state: Option<WebhookState>,
    page: PageQuery<WebhookId>,
) -> Result<Vec<WebhookRow>, StoreError> {
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    let mut only = "";
    if let Some(state) = state {
        args.push(state.code().to_owned().into_value());
        only = "AND state = $4";
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM webhooks WHERE tenant_id = $1 AND webhook_id > $2 {only} ORDER BY webhook_id LIMIT $3"
    );
    readable_page(s, "webhook", &sql, args, (1, 2), read).await
}

pub(crate) async fn finish(s: &mut dyn Session, tenant: TenantId, id: WebhookId) -> Result<bool, StoreError> {
    let sql = "UPDATE webhooks SET state = 'read' WHERE tenant_id = $1 AND webhook_id = $2 AND state = 'unread'";
    Ok(s.execute(sql, args![tenant, id]).await? > 0)
}

pub(crate) async fn retry(
    s: &mut dyn Session,
    tenant: TenantId,
    only: Option<WebhookId>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut args = args![tenant, now];
    let these = only.map_or("", |id| {
        args.push(id.into_value());
        "AND webhook_id = $3"
    });
    let sql = format!(
        "UPDATE webhooks SET state = 'waiting', tries = 0, next_try = $2, claimed_until = NULL, owner = NULL
        WHERE tenant_id = $1 AND state = 'unread' {these}"
    );
    s.execute(&sql, args).await
}

pub(crate) async fn forget(
    s: &mut dyn Session,
    tenant: TenantId,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM webhooks WHERE tenant_id = $1 AND webhook_id IN (
        SELECT webhook_id FROM webhooks WHERE tenant_id = $1 AND received_at < $2 AND state <> 'waiting'
        ORDER BY received_at, webhook_id LIMIT $3)";
    s.execute(sql, args![tenant, before, limit]).await
}

/// Folds what was heard into the outbox: the highest rank stays, whatever the order.
pub(crate) async fn hear(s: &mut dyn Session, tenant: TenantId, words: &[DeliveryWord]) -> Result<u64, StoreError> {
    let mut best: Vec<&DeliveryWord> = Vec::new();
    for word in words {
        match best.iter_mut().find(|known| known.id == word.id) {
            Some(known) if known.heard >= word.heard => {}
            Some(known) => *known = word,
            None => best.push(word),
        }
    }
    if best.is_empty() {
        return Ok(0);
    }
    let mut rows = Vec::new();
    for word in best {
        let note: String = match word.heard {
            Heard::Failed => format!("not delivered: {}", word.why).chars().take(300).collect(),
            other => other.code().to_owned(),
        };
        rows.extend(args![word.id, word.heard.rank(), note, word.heard == Heard::Failed, word.at]);
    }
    // What is still to be sent was not heard of; what a person dropped stays dropped.
    let sql = "WITH v (id, heard, note, failed, at) AS (VALUES {rows})
        UPDATE outbox AS o SET heard = v.heard, note = v.note,
            state = CASE WHEN v.failed THEN 'failed' ELSE 'done' END,
            finished_at = COALESCE(o.finished_at, v.at), claimed_until = NULL, owner = NULL
        FROM v WHERE o.tenant_id = $1 AND o.outbox_id = v.id AND o.topic = 'message' AND o.heard < v.heard
            AND (o.state IN ('done', 'unknown') OR (o.state = 'failed' AND o.heard > 0))";
    s.execute_rows(sql, args![tenant], 5, rows).await
}

pub(crate) async fn customers_by_phone(
    s: &mut dyn Session,
    tenant: TenantId,
    phone: &Phone,
) -> Result<Vec<CustomerId>, StoreError> {
    let sql = "SELECT customer_id FROM customers WHERE tenant_id = $1 AND phone = $2 ORDER BY customer_id";
    all(s, "customer", sql, args![tenant, phone.clone()], |r| r.get()).await
}

pub(crate) async fn opt_out(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: CustomerId,
    out: bool,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    must_exist(s, tenant, &CUSTOMERS, vec![customer.0]).await?;
    let sql = "INSERT INTO opt_outs (tenant_id, customer_id, since, muted) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant_id, customer_id) DO UPDATE SET since = excluded.since, muted = excluded.muted
        WHERE opt_outs.since <= excluded.since";
    s.execute(sql, args![tenant, customer, at, out]).await.map(drop)
}

/// Whether a customer wants no messages.
pub(crate) async fn opted_out(s: &mut dyn Session, tenant: TenantId, customer: CustomerId) -> Result<bool, StoreError> {
    let sql = "SELECT muted FROM opt_outs WHERE tenant_id = $1 AND customer_id = $2";
    Ok(first(s, "opt-out", sql, args![tenant, customer], |r| r.get()).await?.unwrap_or(false))
}

/// How much waits, is in trouble, is isolated.
pub(crate) async fn pulse(s: &mut dyn Session, tenant: TenantId) -> Result<Pulse, StoreError> {
    // A wish to a router that rests is due when the rest is over.
    let sql = "SELECT o.topic, o.state, COUNT(*),
            MIN(CASE WHEN o.state = 'pending' AND o.next_attempt <= r.rests_since THEN r.rests_until
                ELSE o.next_attempt END)
        FROM outbox o LEFT JOIN router_rests r ON r.tenant_id = $1 AND r.router_id = o.router_id
        WHERE o.tenant_id = $1 AND o.state NOT IN ('done', 'dropped') GROUP BY 1, 2 ORDER BY 1, 2";
    let outbox = all(s, "outbox row", sql, args![tenant], |r| {
        let (topic, state): (String, String) = (r.get()?, r.get()?);
        let topic = if topic == "access" { Topic::Access } else { Topic::Message };
        let state = OutboxState::ALL.into_iter().find(|known| known.code() == state);
        Ok((topic, state.ok_or_else(|| r.corrupt("its state is unknown"))?, r.get()?, r.get()?))
    })
    .await?;
    let sql =
        "SELECT state, COUNT(*) FROM webhooks WHERE tenant_id = $1 AND state <> 'read' GROUP BY state ORDER BY state";
    let webhooks = all(s, "webhook", sql, args![tenant], |r| {
        let code: String = r.get()?;
        let state = WebhookState::ALL.into_iter().find(|known| known.code() == code);
        Ok((state.ok_or_else(|| r.corrupt("its state is unknown"))?, r.get()?))
    })
    .await?;
    let mut pulse = Pulse { outbox, webhooks, ..Pulse::default() };
    let sql = "SELECT a.desired, s.router_id IS NULL OR COALESCE(a.observed_access = a.desired AND a.observed_revision = a.revision, FALSE), COUNT(*)
        FROM service_access a
            JOIN subscriptions s ON s.tenant_id = a.tenant_id AND s.subscription_id = a.subscription_id
        WHERE a.tenant_id = $1 GROUP BY 1, 2";
    let lines = all(s, "access", sql, args![tenant], |r| Ok((r.get::<Access>()?, r.get::<bool>()?, r.get::<u64>()?)));
    for (access, confirmed, count) in lines.await? {
        match access {
            Access::Open => pulse.lines.0 += count,
            Access::Isolated => pulse.lines.1 += count,
            Access::Closed => continue,
        }
        pulse.unconfirmed += if confirmed { 0 } else { count };
    }
    (pulse.unmatched, _) = bank::waiting(s, tenant).await?;
    Ok(pulse)
}

pub(crate) async fn keep_link(s: &mut dyn Session, tenant: TenantId, link: PageLink) -> Result<(), StoreError> {
    must_exist(s, tenant, &CUSTOMERS, vec![link.customer_id.0]).await?;
    erasure::must_not_be_erased(s, tenant, std::iter::once(link.customer_id)).await?;
    let row = args![tenant, link.id, link.hash.to_vec(), link.customer_id, link.made_at];
    append(s, &PAGE_LINKS, vec![row]).await
}

fn read_link(r: &mut Reader<'_>) -> Result<PageLink, StoreError> {
    let (id, hash, customer_id, made_at) = (r.get()?, r.get::<Vec<u8>>()?, r.get()?, r.get()?);
    let hash = hash.try_into().map_err(|_| r.corrupt("its hash has another length"))?;
    Ok(PageLink { id, hash, customer_id, made_at })
}

pub(crate) async fn link(
    s: &mut dyn Session,
    tenant: TenantId,
    hash: [u8; 32],
) -> Result<Option<PageLink>, StoreError> {
    let sql = "SELECT page_link_id, hash, customer_id, made_at FROM page_links WHERE tenant_id = $1 AND hash = $2";
    first(s, "page link", sql, args![tenant, hash.to_vec()], read_link).await
}

pub(crate) async fn links(
    s: &mut dyn Session,
    tenant: TenantId,
    page: PageQuery<PageLinkId>,
) -> Result<Vec<PageLink>, StoreError> {
    let sql = "SELECT page_link_id, hash, customer_id, made_at FROM page_links
        WHERE tenant_id = $1 AND page_link_id > $2 ORDER BY page_link_id LIMIT $3";
    readable_page(s, "page link", sql, args![tenant, after(page.after.map(|id| id.0)), page.limit], (1, 2), read_link)
        .await
}

pub(crate) async fn forget_links(s: &mut dyn Session, tenant: TenantId, which: Forgotten) -> Result<u64, StoreError> {
    match which {
        Forgotten::Customer(id) => {
            let sql = "DELETE FROM page_links WHERE tenant_id = $1 AND customer_id = $2";
            s.execute(sql, args![tenant, id]).await
        }
        Forgotten::These(ids) => {
            let ids = Value::Ids(ids.iter().map(|id| id.0).collect());
            let sql = "DELETE FROM page_links WHERE tenant_id = $1 AND page_link_id IN IDS(($2))";
            s.execute(sql, vec![tenant.into_value(), ids]).await
        }
    }
}
