//! Service access: what is wanted, what happened, what routers say, and the facts that the decision rests on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use isp_core::billing::InvoiceBalance;
use isp_core::calendar::{Date, Zone};
use isp_core::ids::{CustomerId, RouterId, SubscriptionId, TenantId};
use isp_core::isolation::access::{IsolatedSince, ObservedAccess};
use isp_core::isolation::{
    Access, AccessEvent, AccessEventKind, AccessFacts, AccessTarget, IsolationCause, OverdueLines, ServiceAccess,
};
use isp_core::money::Money;
use isp_core::package::{Speed, UserGroup};
use isp_core::ports::{AccessQuery, PageQuery, StoreError};
use isp_core::protection::Protections;
use isp_core::subscription::ServiceDates;
use uuid::Uuid;

use crate::customer::after;
use crate::rows::{append_each, execute_each};
use crate::session::{Session, all, readable, readable_page};
use crate::table::ACCESS_EVENTS;
use crate::terms::{TERMS, password_place, read_account, read_terms};
use crate::value::{Reader, Value, args};
use crate::vault::Vault;
use crate::{invoice, protection};

/// The columns of [`ServiceAccess`] but for the subscription, in the order of [`read`].
pub(crate) const COLUMNS: &str = "a.desired, a.cause, a.isolated_at, a.isolated_overdue, a.revision, a.version,
    a.observed_access, a.observed_revision, a.observed_at, a.observed_answer";

/// Reads an access; a subscription without a row has none yet: closed, version 0.
pub(crate) fn read(r: &mut Reader<'_>, subscription_id: SubscriptionId) -> Result<ServiceAccess, StoreError> {
    let (desired, cause) = (r.get::<Option<Access>>()?, r.get()?);
    let isolated = match (r.get()?, r.get()?) {
        (Some(at), Some(overdue)) => Some(IsolatedSince { at, overdue }),
        _ => None,
    };
    let (revision, version) = (r.get::<Option<u64>>()?, r.get::<Option<u64>>()?);
    let (seen, seen_revision) = (r.get()?, r.get::<Option<u64>>()?);
    let (at, answer) = (r.get::<Option<DateTime<Utc>>>()?, r.get::<Option<String>>()?);
    let observed = at.map(|at| ObservedAccess {
        access: seen,
        revision: seen_revision.unwrap_or(0),
        at,
        answer: answer.unwrap_or_default(),
    });
    Ok(match (desired, revision, version) {
        (Some(desired), Some(revision), Some(version)) => {
            ServiceAccess { subscription_id, desired, cause, isolated, revision, version, observed }
        }
        _ => ServiceAccess { revision: 0, ..ServiceAccess::new(subscription_id, Access::Closed) },
    })
}

/// Writes new desired access over rows that still have the version that was decided from.
pub(crate) async fn write(s: &mut dyn Session, tenant: TenantId, access: Vec<ServiceAccess>) -> Result<(), StoreError> {
    if access.is_empty() {
        return Ok(());
    }
    let count = access.len() as u64;
    let ids: std::collections::HashSet<_> = access.iter().map(|a| a.subscription_id).collect();
    if ids.len() != access.len() {
        return Err(StoreError::Conflict);
    }
    let insert = "INSERT INTO service_access (tenant_id, subscription_id, desired, cause, isolated_at,
            isolated_overdue, revision, version)
        VALUES {rows} ON CONFLICT (tenant_id, subscription_id) DO NOTHING";
    let new = access.iter().filter(|a| a.version == 0).map(|a| {
        let (at, overdue) = (a.isolated.map(|i| i.at), a.isolated.map(|i| i.overdue));
        Ok(args![tenant, a.subscription_id, a.desired, a.cause, at, overdue, a.revision, 1_i64])
    });
    let mut written = execute_each(s, insert, 8, new).await?;
    let update = "WITH v (id, desired, cause, isolated_at, isolated_overdue, revision, version) AS (VALUES {rows})
        UPDATE service_access AS a
        SET desired = v.desired, cause = v.cause, isolated_at = v.isolated_at, isolated_overdue = v.isolated_overdue,
            revision = v.revision, version = v.version + 1
        FROM v WHERE a.tenant_id = $1 AND a.subscription_id = v.id AND a.version = v.version";
    let rows: Vec<Value> = access
        .into_iter()
        .filter(|a| a.version != 0)
        .flat_map(|a| {
            let since = a.isolated;
            args![
                a.subscription_id,
                a.desired,
                a.cause,
                since.map(|i| i.at),
                since.map(|i| i.overdue),
                a.revision,
                a.version
            ]
        })
        .collect();
    if !rows.is_empty() {
        written += s.execute_rows(update, args![tenant], 7, rows).await?;
    }
    if written == count { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Raises the version of subscriptions whose facts changed.
pub(crate) async fn touch(
    s: &mut dyn Session,
    tenant: TenantId,
    subscriptions: Vec<SubscriptionId>,
) -> Result<(), StoreError> {
    if subscriptions.is_empty() {
        return Ok(());
    }
    let ids = Value::Ids(subscriptions.into_iter().map(|id| id.0).collect());
    let sql = "UPDATE service_access SET version = version + 1
        WHERE tenant_id = $1 AND subscription_id IN IDS(($2))";
    s.execute(sql, vec![Value::Id(tenant.0), ids]).await.map(drop)
}

pub(crate) async fn write_events(
    s: &mut dyn Session,
    tenant: TenantId,
    events: Vec<AccessEvent>,
) -> Result<(), StoreError> {
    let rows = events
        .into_iter()
        .map(|e| args![tenant, e.id, e.subscription_id, e.at, e.kind, e.by, e.reason, e.overdue, e.revision]);
    append_each(s, &ACCESS_EVENTS, rows).await
}

const EVENT: &str = "access_event_id, subscription_id, happened_at, kind, decided_by, reason, overdue, revision";

fn read_event(r: &mut Reader<'_>) -> Result<AccessEvent, StoreError> {
    Ok(AccessEvent {
        id: r.get()?,
        subscription_id: r.get()?,
        at: r.get()?,
        kind: r.get()?,
        by: r.get()?,
        reason: r.get()?,
        overdue: r.get()?,
        revision: r.get()?,
    })
}

pub(crate) async fn events(
    s: &mut dyn Session,
    tenant: TenantId,
    subscription: SubscriptionId,
) -> Result<Vec<AccessEvent>, StoreError> {
    let sql = format!(
        "SELECT {EVENT} FROM access_events WHERE tenant_id = $1 AND subscription_id = $2
        ORDER BY revision"
    );
    all(s, "access event", &sql, args![tenant, subscription], read_event).await
}

/// The events of these subscriptions, oldest first.
pub(crate) async fn events_of(
    s: &mut dyn Session,
    tenant: TenantId,
    subscriptions: Vec<Uuid>,
) -> Result<Vec<AccessEvent>, StoreError> {
    let sql = format!(
        "SELECT {EVENT} FROM access_events WHERE tenant_id = $1 AND subscription_id IN IDS(($2))
        ORDER BY subscription_id, revision"
    );
    all(s, "access event", &sql, vec![Value::Id(tenant.0), Value::Ids(subscriptions)], read_event).await
}

/// What routers said, where it is not older than what is known.
pub(crate) async fn observe(
    s: &mut dyn Session,
    tenant: TenantId,
    observed: &[(SubscriptionId, ObservedAccess)],
) -> Result<(), StoreError> {
    let sql = "WITH v (id, access, revision, at, answer) AS (VALUES {rows})
        UPDATE service_access AS a SET observed_access = v.access, observed_revision = v.revision,
            observed_at = v.at, observed_answer = v.answer
        FROM v WHERE a.tenant_id = $1 AND a.subscription_id = v.id
            AND (a.observed_at IS NULL OR (a.observed_revision, a.observed_at) <= (v.revision, v.at))";
    let mut latest: BTreeMap<SubscriptionId, &ObservedAccess> = BTreeMap::new();
    // Revision 0 says that nothing was read, so there is no moment to keep.
    for (id, new) in observed.iter().filter(|(_, new)| new.revision > 0) {
        let last = latest.entry(*id).or_insert(new);
        if (last.revision, last.at) <= (new.revision, new.at) {
            *last = new;
        }
    }
    let rows: Vec<Value> =
        latest.into_iter().flat_map(|(id, o)| args![id, o.access, o.revision, o.at, o.answer.clone()]).collect();
    if rows.is_empty() { Ok(()) } else { s.execute_rows(sql, args![tenant], 5, rows).await.map(drop) }
}

/// The lines with an open invoice due on or before `$4`, listed once for a page: SQLite would walk through all that is
/// overdue for each line.
pub(crate) const OVERDUE_LISTED: &str = "s.subscription_id IN (SELECT i.subscription_id FROM invoices i
    WHERE i.tenant_id = $1 AND i.total > i.paid AND i.due_date <= $4)";
/// The same, tested for each line by the index of its customer: PostgreSQL would search a list that is long one by one.
const OVERDUE_TESTED: &str = "EXISTS (SELECT 1 FROM invoices i
    WHERE i.tenant_id = $1 AND i.customer_id = s.customer_id AND i.subscription_id = s.subscription_id
        AND i.total > i.paid AND i.due_date <= $4)";

/// The lines that are wanted open and have something open from before the day of their zone ($2 to $4, in the order of [`Zone::ALL`]), by
/// what a decision reads of them. $5 is the first of these days: whatever began by it has begun.
pub(crate) const OVERDUE_LINES: &str = "SELECT g.router_id, g.site_id, g.starts_on, g.ends_on, g.paused_from, g.isolated_overdue, g.oldest,
        g.overdue, g.alone, COUNT(*)
    FROM (
        SELECT s.router_id, s.site_id, CASE WHEN s.starts_on <= $5 THEN $5 ELSE s.starts_on END AS starts_on, s.ends_on, s.paused_from,
            CASE WHEN a.isolated_at IS NOT NULL THEN a.isolated_overdue END AS isolated_overdue, o.oldest, o.overdue,
            CASE WHEN s.customer_id IN (
                SELECT m.customer_id FROM payments m WHERE m.tenant_id = $1 AND m.left_over > 0
                UNION ALL SELECT t.customer_id FROM promises t WHERE t.tenant_id = $1 AND t.until_day >= $5
                UNION ALL SELECT e.customer_id FROM exemptions e WHERE e.tenant_id = $1 AND e.until_day >= $5
                UNION ALL SELECT f.customer_id FROM proofs f WHERE f.tenant_id = $1
            ) THEN s.subscription_id END AS alone
        FROM (
            SELECT i.subscription_id, i.customer_id, p.zone, MIN(i.due_date) AS oldest, CAST(SUM(i.total - i.paid) AS BIGINT) AS overdue
            FROM invoices i
                JOIN subscriptions l ON l.tenant_id = $1 AND l.subscription_id = i.subscription_id
                JOIN sites p ON p.tenant_id = $1 AND p.site_id = l.site_id
            WHERE i.tenant_id = $1 AND i.total > i.paid
                AND i.due_date < CASE p.zone WHEN 'WIB' THEN $2 WHEN 'WITA' THEN $3 ELSE $4 END
            GROUP BY i.subscription_id, i.customer_id, p.zone
        ) o
            JOIN subscriptions s ON s.tenant_id = $1 AND s.subscription_id = o.subscription_id AND s.customer_id = o.customer_id
            JOIN service_access a ON a.tenant_id = $1 AND a.subscription_id = s.subscription_id
        WHERE a.desired = 'open'
    ) g
    GROUP BY g.router_id, g.site_id, g.starts_on, g.ends_on, g.paused_from, g.isolated_overdue, g.oldest, g.overdue, g.alone";

/// The lines that owe something overdue, counted by what a decision reads of them.
pub(crate) async fn overdue_lines(
    s: &mut dyn Session,
    tenant: TenantId,
    days: [Date; Zone::ALL.len()],
) -> Result<Vec<OverdueLines>, StoreError> {
    let first = days.into_iter().min().unwrap_or(Date::MIN);
    let [wib, wita, wit] = days;
    all(s, "subscription", OVERDUE_LINES, args![tenant, wib, wita, wit, first], |r| {
        let place = (r.get()?, r.get()?);
        let service = ServiceDates { start: r.get()?, end: r.get()?, paused_from: r.get()? };
        Ok(OverdueLines::new(place, service, r.get()?, (r.get()?, r.get()?), r.get()?, r.get()?))
    })
    .await
}

/// The lines of a list of customers.
const OF_CUSTOMERS: &str = "s.customer_id IN IDS(($4))";
/// The lines of a list.
const OF_LINES: &str = "s.subscription_id IN IDS(($4))";

/// The statements that look up lines and customers of a list, each with the place of the list among its arguments.
#[cfg(test)]
pub(crate) fn looked_up() -> Vec<(String, usize)> {
    vec![(targets_sql(), 2), (PREDECESSORS.to_owned(), 2), (facts_sql(OF_CUSTOMERS), 4), (facts_sql(OF_LINES), 4)]
}

/// The facts of lines that fulfil a condition, from the line $2 on. A list is looked up by its ids: for the sake of the order, SQLite
/// would walk through all lines of the provider for the payment of one.
fn facts_sql(condition: &str) -> String {
    let id = if condition.contains("IN IDS") { "COALESCE(s.subscription_id, $2)" } else { "s.subscription_id" };
    format!(
        "SELECT s.subscription_id, s.customer_id, s.site_id, s.router_id, p.zone, {TERMS}, {COLUMNS}
        FROM subscriptions s
            JOIN sites p ON p.tenant_id = s.tenant_id AND p.site_id = s.site_id
            LEFT JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
        WHERE s.tenant_id = $1 AND {id} > $2 AND ({condition})
        ORDER BY {id} LIMIT $3"
    )
}

/// The facts of the subscriptions that `condition` picks, which may use `$4` and later arguments; and the customers and
/// sites of which something that a decision rests on cannot be read.
async fn facts(
    s: &mut dyn Session,
    tenant: TenantId,
    condition: &str,
    more: Vec<Value>,
    page: PageQuery<SubscriptionId>,
    as_of: DateTime<Utc>,
) -> Result<(Vec<AccessFacts>, HashSet<Uuid>), StoreError> {
    let sql = facts_sql(condition);
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    args.extend(more);
    let mut facts = readable_page(s, "subscription", &sql, args, (1, 2), |r| {
        let subscription_id = r.get()?;
        Ok(AccessFacts {
            subscription_id,
            customer_id: r.get()?,
            site_id: r.get()?,
            router_id: r.get()?,
            zone: r.get()?,
            terms: read_terms(r)?,
            access: read(r, subscription_id)?,
            open: Vec::new(),
            protections: Protections::default(),
        })
    })
    .await?;
    let unclear = protection::add(s, tenant, &mut facts, as_of).await?;
    Ok((facts, unclear))
}

fn customers_of(facts: &[AccessFacts]) -> Value {
    let mut ids: Vec<Uuid> = facts.iter().map(|f| f.customer_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    Value::Ids(ids)
}

pub(crate) async fn load(
    s: &mut dyn Session,
    tenant: TenantId,
    query: &AccessQuery,
    page: PageQuery<SubscriptionId>,
) -> Result<Vec<AccessFacts>, StoreError> {
    load_as_of(s, tenant, query, page, Date::MAX.midnight(Zone::Wib)).await
}

/// With the promises, exemptions and outages that had begun by a moment.
async fn load_as_of(
    s: &mut dyn Session,
    tenant: TenantId,
    query: &AccessQuery,
    mut page: PageQuery<SubscriptionId>,
    as_of: DateTime<Utc>,
) -> Result<Vec<AccessFacts>, StoreError> {
    let ids = |ids: Vec<Uuid>| vec![Value::Ids(ids)];
    let (condition, more) = match query {
        AccessQuery::Due { due_until, today } => (
            "NOT (COALESCE(a.desired, 'closed') = 'closed' AND COALESCE(s.ends_on <= $5, FALSE)) AND (
                COALESCE(a.desired, 'closed') <> 'open' OR s.starts_on > $5 OR s.ends_on <= $5
                OR s.paused_from <= $5 OR s.change_from <= $5 OR {overdue})",
            args![*due_until, *today],
        ),
        AccessQuery::Customers(of) => (OF_CUSTOMERS, ids(of.iter().map(|c| c.0).collect())),
        AccessQuery::Subscriptions(of) => (OF_LINES, ids(of.iter().map(|c| c.0).collect())),
    };
    let overdue = if s.lists_once() { OVERDUE_LISTED } else { OVERDUE_TESTED };
    let condition = condition.replace("{overdue}", overdue);
    let mut found = Vec::new();
    loop {
        let (mut facts, mut unclear) = facts(s, tenant, &condition, more.clone(), page, as_of).await?;
        let mut open: HashMap<SubscriptionId, Vec<InvoiceBalance>> = HashMap::new();
        let (invoices, more_unclear) = invoice::open_readable(s, tenant, customers_of(&facts)).await?;
        unclear.extend(more_unclear);
        for invoice in invoices {
            open.entry(invoice.subscription_id).or_default().push(invoice);
        }
        for fact in &mut facts {
            fact.open = open.remove(&fact.subscription_id).unwrap_or_default();
        }
        let count = facts.len();
        let more_rows = page.advance(&facts, |last| last.subscription_id);
        // Nobody is isolated or reopened on a guess.
        facts.retain(|f| !unclear.contains(&f.customer_id.0) && !unclear.contains(&f.site_id.0));
        let left_out = count - facts.len();
        found.extend(facts);
        if !more_rows || left_out == 0 {
            return Ok(found);
        }
        page.limit = u32::try_from(left_out).unwrap_or(page.limit);
    }
}

/// The facts as they were at a moment.
pub(crate) async fn at(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: &[CustomerId],
    at: DateTime<Utc>,
) -> Result<Vec<AccessFacts>, StoreError> {
    let query = AccessQuery::Customers(customers.to_vec());
    let mut facts = load_as_of(s, tenant, &query, PageQuery::first(u32::MAX), at).await?;
    let mut balances: HashMap<SubscriptionId, Vec<InvoiceBalance>> = HashMap::new();
    for open in invoice::open_at(s, tenant, customers_of(&facts), at).await? {
        balances.entry(open.subscription_id).or_default().push(open);
    }
    let mut events: HashMap<SubscriptionId, Vec<AccessEvent>> = HashMap::new();
    for event in events_of(s, tenant, facts.iter().map(|f| f.subscription_id.0).collect()).await? {
        events.entry(event.subscription_id).or_default().push(event);
    }
    for fact in &mut facts {
        let today = fact.zone.date_of(at);
        // The statements know only the latest day of all zones.
        fact.protections.promises.retain(|p| p.from <= today);
        fact.protections.exemptions.retain(|e| e.from <= today);
        fact.open = balances.remove(&fact.subscription_id).unwrap_or_default();
        fact.open.retain(|i| i.issue_date <= today);
        let version = fact.access.version;
        let known = events.remove(&fact.subscription_id).unwrap_or_default().into_iter().filter(|e| e.at <= at);
        let mut access = ServiceAccess { revision: 0, ..ServiceAccess::new(fact.subscription_id, Access::Closed) };
        for event in known {
            access.revision = event.revision;
            let Some((desired, cause)) = event.kind.leads_to() else { continue };
            let since = IsolatedSince { at: event.at, overdue: event.overdue };
            access.isolated = match event.kind {
                AccessEventKind::IsolatedArrears => Some(since),
                AccessEventKind::IsolatedManual => Some(IsolatedSince { overdue: Money::ZERO, ..since }),
                // As [`isp_core::isolation::transition`] keeps it after a reopening for a part.
                AccessEventKind::Reopened
                    if !event.overdue.is_zero() && access.cause == Some(IsolationCause::Arrears) =>
                {
                    access.isolated
                }
                _ => None,
            };
            access.desired = desired;
            access.cause = cause;
        }
        fact.access = ServiceAccess { version, ..access };
    }
    Ok(facts)
}

pub(crate) async fn per_router(s: &mut dyn Session, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError> {
    let sql = "SELECT s.router_id, COUNT(*) FROM subscriptions s
            JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
        WHERE s.tenant_id = $1 AND s.router_id IS NOT NULL AND a.desired <> 'closed' GROUP BY s.router_id";
    Ok(all(s, "router", sql, args![tenant], |r| Ok((r.get()?, r.get()?))).await?.into_iter().collect())
}

const TARGET: &str = "SELECT s.subscription_id, s.router_id, s.username, s.password_sealed, s.service, s.ip_address,
        k.group_name, k.down_kbps, k.up_kbps, COALESCE(a.desired, 'closed'), COALESCE(a.revision, 0)
    FROM subscriptions s
        JOIN packages k ON k.tenant_id = s.tenant_id AND k.package_id = s.package_id
        LEFT JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id";

fn read_target(r: &mut Reader<'_>, vault: &Vault, tenant: TenantId) -> Result<AccessTarget, StoreError> {
    let (subscription_id, router_id) = (r.get()?, r.get()?);
    let account = read_account(r, |sealed| vault.open(password_place(tenant, subscription_id), sealed))?;
    Ok(AccessTarget {
        subscription_id,
        router_id,
        account,
        group: UserGroup { name: r.get()?, speed: Speed { down_kbps: r.get()?, up_kbps: r.get()? } },
        desired: r.get()?,
        revision: r.get()?,
        adopt: false,
        succeeds: Vec::new(),
        left: false,
        forget: false,
    })
}

/// True for the line that holds the account of its user name, or its address, on its router: of several, the last to start of
/// those whose access is not closed, else of all.
fn holds() -> String {
    let by = |same: &str| {
        format!(
            "NOT EXISTS (
        SELECT 1 FROM subscriptions o
            LEFT JOIN service_access b ON b.tenant_id = o.tenant_id AND b.subscription_id = o.subscription_id
        WHERE o.tenant_id = s.tenant_id AND o.router_id = s.router_id AND {same}
            AND o.subscription_id <> s.subscription_id
            AND (CASE COALESCE(b.desired, 'closed') WHEN 'closed' THEN 0 ELSE 1 END, o.starts_on, o.subscription_id)
                > (CASE COALESCE(a.desired, 'closed') WHEN 'closed' THEN 0 ELSE 1 END, s.starts_on, s.subscription_id))"
        )
    };
    format!("{} AND {}", by("o.username = s.username"), by("o.ip_address = s.ip_address"))
}

/// Who had the user names and the addresses of lines before. In no order: for the sake of one, SQLite would walk through all lines
/// of the router for each line.
const PREDECESSORS: &str = "SELECT s.subscription_id, o.subscription_id FROM subscriptions s
            JOIN subscriptions o ON o.tenant_id = s.tenant_id AND o.router_id = s.router_id
                AND o.username = s.username AND o.subscription_id <> s.subscription_id
        WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))
        UNION ALL SELECT s.subscription_id, o.subscription_id FROM subscriptions s
            JOIN subscriptions o ON o.tenant_id = s.tenant_id AND o.router_id = s.router_id
                AND o.ip_address = s.ip_address AND o.subscription_id <> s.subscription_id
        WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))
        UNION ALL SELECT s.subscription_id, f.subscription_id FROM subscriptions s
            JOIN former_accounts f ON f.tenant_id = s.tenant_id AND f.router_id = s.router_id
                AND f.username = s.username AND f.subscription_id <> s.subscription_id
        WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))
        UNION ALL SELECT s.subscription_id, f.subscription_id FROM subscriptions s
            JOIN former_accounts f ON f.tenant_id = s.tenant_id AND f.router_id = s.router_id
                AND f.ip_address = s.ip_address AND f.subscription_id <> s.subscription_id
        WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))";

/// Adds who had the user names before.
async fn add_predecessors(
    s: &mut dyn Session,
    tenant: TenantId,
    targets: &mut [AccessTarget],
) -> Result<(), StoreError> {
    let ids = Value::Ids(targets.iter().map(|t| t.subscription_id.0).collect());
    let found: Vec<(SubscriptionId, SubscriptionId)> =
        all(s, "subscription", PREDECESSORS, vec![Value::Id(tenant.0), ids], |r| Ok((r.get()?, r.get()?))).await?;
    let mut before: HashMap<SubscriptionId, BTreeSet<SubscriptionId>> = HashMap::new();
    for (line, other) in found {
        before.entry(line).or_default().insert(other);
    }
    for target in targets {
        target.succeeds.extend(before.remove(&target.subscription_id).unwrap_or_default());
    }
    Ok(())
}

/// What routers need to know of the subscriptions of a list. Whether a line has a router is asked so that no index on routers is
/// walked through for it.
fn targets_sql() -> String {
    format!(
        "{TARGET} WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))
            AND CASE WHEN s.router_id IS NULL THEN 0 ELSE 1 END = 1 AND {}",
        holds()
    )
}

/// What routers need to know of these subscriptions, in the order asked.
pub(crate) async fn targets(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    subscriptions: &[SubscriptionId],
) -> Result<Vec<AccessTarget>, StoreError> {
    let sql = targets_sql();
    let ids = Value::Ids(subscriptions.iter().map(|id| id.0).collect());
    let mut found =
        readable(s, "subscription", &sql, vec![Value::Id(tenant.0), ids], |r| read_target(r, vault, tenant)).await?;
    add_predecessors(s, tenant, &mut found).await?;
    let found: HashMap<SubscriptionId, AccessTarget> = found.into_iter().map(|t| (t.subscription_id, t)).collect();
    Ok(subscriptions.iter().filter_map(|id| found.get(id).cloned()).collect())
}

/// All subscriptions on a router.
pub(crate) async fn router_targets(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    router: RouterId,
    page: PageQuery<SubscriptionId>,
) -> Result<Vec<AccessTarget>, StoreError> {
    let sql = format!(
        "{TARGET} WHERE s.tenant_id = $1 AND s.router_id = $2 AND s.subscription_id > $3 AND {}
        ORDER BY s.subscription_id LIMIT $4",
        holds()
    );
    let args = args![tenant, router, after(page.after.map(|id| id.0)), page.limit];
    let mut found = readable_page(s, "subscription", &sql, args, (2, 3), |r| read_target(r, vault, tenant)).await?;
    add_predecessors(s, tenant, &mut found).await?;
    Ok(found)
}
