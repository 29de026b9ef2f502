//! Whom to remind, and the facts that a message states.

use std::collections::{HashMap, HashSet};

use isp_core::billing::{InvoiceBalance, Statement};
use isp_core::calendar::Date;
use isp_core::ids::{AccessEventId, CustomerId, SubscriptionId, TenantId};
use isp_core::message::{DunningFacts, MessageFacts, MessageLine, Notification, NotificationKind};
use isp_core::ports::{DunningQuery, PageQuery, StoreError};
use uuid::Uuid;

use crate::customer::{self, after};
use crate::session::{Session, all, first, readable_page};
use crate::value::{Value, args};
use crate::vault::Vault;
use crate::{access, inbox, invoice, payment, statement};

pub(crate) async fn load(
    s: &mut dyn Session,
    tenant: TenantId,
    query: DunningQuery,
    mut page: PageQuery<CustomerId>,
) -> Result<Vec<DunningFacts>, StoreError> {
    let mut found = Vec::new();
    loop {
        let (mut facts, unclear) = load_some(s, tenant, query, page).await?;
        let count = facts.len();
        let more = page.advance(&facts, |last| last.customer_id);
        // Nobody is reminded of a part of what is owed.
        facts.retain(|f| !unclear.contains(&f.customer_id.0));
        let left_out = count - facts.len();
        found.extend(facts);
        if !more || left_out == 0 {
            return Ok(found);
        }
        page.limit = u32::try_from(left_out).unwrap_or(page.limit);
    }
}

/// A page of customers; and those among them of whom an open invoice cannot be read.
async fn load_some(
    s: &mut dyn Session,
    tenant: TenantId,
    query: DunningQuery,
    page: PageQuery<CustomerId>,
) -> Result<(Vec<DunningFacts>, HashSet<Uuid>), StoreError> {
    let sql = "SELECT c.customer_id, c.phone IS NOT NULL, (
                SELECT p.zone FROM subscriptions s
                    JOIN sites p ON p.tenant_id = $1 AND p.site_id = s.site_id
                WHERE s.tenant_id = $1 AND s.customer_id = c.customer_id
                ORDER BY s.subscription_id LIMIT 1)
        FROM customers c
        WHERE c.tenant_id = $1 AND c.customer_id > $2 AND c.customer_id IN (
            SELECT i.customer_id FROM invoices i
            WHERE i.tenant_id = $1 AND i.total > i.paid AND i.due_date BETWEEN $3 AND $4
                AND NOT i.due_date BETWEEN $9 AND $10
                AND NOT EXISTS (SELECT 1 FROM notification_keys k
                    WHERE k.tenant_id = $1 AND k.subject = i.invoice_id AND (
                        (k.kind = 'overdue' AND k.level >= $6)
                        OR (k.kind = 'due_soon' AND k.level <= $7 AND i.due_date >= $8))))
        ORDER BY c.customer_id LIMIT $5";
    let last = query.last;
    // A level that no reminder has, in place of NULL: with NULL the server leaves the table out before Citus has seen whose rows it asks for.
    let overdue = last.and_then(|last| last.overdue).map_or(i64::MAX, i64::from);
    let due_soon = last.and_then(|last| last.due_soon).map_or(-1, i64::from);
    let mut args = args![tenant, after(page.after.map(|id| id.0)), query.due_from, query.due_until, page.limit];
    let (first, final_day) = last.map_or((Date::MAX, Date::MIN), |last| last.between);
    args.extend(args![overdue, due_soon, last.map_or(query.due_until, |last| last.today), first, final_day]);
    let mut facts = readable_page(s, "customer", sql, args, (1, 4), |r| {
        let (customer_id, reachable) = (r.get()?, r.get()?);
        let zone = r.get::<Option<_>>()?.unwrap_or_default();
        Ok(DunningFacts {
            customer_id,
            zone,
            reachable,
            open: Vec::new(),
            notified: Vec::new(),
            statements: Vec::new(),
        })
    })
    .await?;
    let customers: Vec<CustomerId> = facts.iter().map(|f| f.customer_id).collect();
    let ids = Value::Ids(customers.iter().map(|id| id.0).collect());
    let (invoices, unclear) = invoice::open_readable(s, tenant, ids).await?;
    let mut statements: HashMap<CustomerId, Vec<Statement>> = HashMap::new();
    for held in statement::holding(s, tenant, &customers, &invoices).await? {
        statements.entry(held.customer_id).or_default().push(held);
    }
    let mut subjects: Vec<Uuid> = invoices.iter().map(|i| i.invoice_id.0).collect();
    subjects.extend(statements.values().flatten().map(|held| held.id().0));
    let notified = notified(s, tenant, subjects).await?;
    let mut open: HashMap<CustomerId, Vec<InvoiceBalance>> = HashMap::new();
    for invoice in invoices {
        open.entry(invoice.customer_id).or_default().push(invoice);
    }
    for fact in &mut facts {
        fact.open = open.remove(&fact.customer_id).unwrap_or_default();
        fact.statements = statements.remove(&fact.customer_id).unwrap_or_default();
        for invoice in &fact.open {
            let statement = Statement::of(&fact.statements, invoice).map(|held| held.id().0);
            let subjects = [Some(invoice.invoice_id.0), statement].into_iter().flatten();
            let written = subjects.filter_map(|subject| notified.get(&subject)).flatten();
            fact.notified.extend(written.map(|(kind, level)| (invoice.invoice_id, *kind, *level)));
        }
    }
    Ok((facts, unclear))
}

/// The reminders written for invoices and statements.
async fn notified(
    s: &mut dyn Session,
    tenant: TenantId,
    subjects: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<(NotificationKind, u16)>>, StoreError> {
    let sql = "SELECT subject, kind, level FROM notification_keys
        WHERE tenant_id = $1 AND subject IN IDS(($2)) AND kind IN ('due_soon', 'overdue')
        ORDER BY subject, kind, level";
    let found = all(s, "notification key", sql, vec![Value::Id(tenant.0), Value::Ids(subjects)], |r| {
        Ok((r.get::<Uuid>()?, r.get::<NotificationKind>()?, r.get::<u16>()?))
    });
    let mut by_subject: HashMap<Uuid, Vec<(NotificationKind, u16)>> = HashMap::new();
    for (subject, kind, level) in found.await? {
        by_subject.entry(subject).or_default().push((kind, level));
    }
    Ok(by_subject)
}

/// The facts that a message states, as they are now.
pub(crate) async fn message_facts(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    message: &Notification,
) -> Result<MessageFacts, StoreError> {
    let customer = customer::by_id(s, vault, tenant, message.customer_id)
        .await?
        .ok_or(StoreError::NotFound { what: "customer" })?;
    let sql = format!(
        "SELECT s.subscription_id, s.router_id, k.name, {}
        FROM subscriptions s
            JOIN packages k ON k.tenant_id = s.tenant_id AND k.package_id = s.package_id
            LEFT JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
        WHERE s.tenant_id = $1 AND (s.customer_id = $2 OR s.subscription_id = $3)
        ORDER BY CASE WHEN s.subscription_id = $3 THEN 0 ELSE 1 END, s.subscription_id LIMIT 1",
        access::COLUMNS
    );
    let wanted = message.subscription_id.map_or(Uuid::nil(), |id| id.0);
    let about = first(s, "subscription", &sql, args![tenant, message.customer_id, wanted], |r| {
        let id: SubscriptionId = r.get()?;
        let routed = r.get::<Option<Uuid>>()?.is_some();
        let package = r.get()?;
        // The access only of the subscription that the message names; the package of any.
        let named = (id.0 == wanted).then(|| access::read(r, id)).transpose()?;
        Ok((package, named.map(|access| (access, routed))))
    })
    .await?;
    let (package, named) = about.map_or((None, None), |(package, named)| (Some(package), named));
    let (access, routed) = named.map_or((None, false), |(access, routed)| (Some(access), routed));
    let invoices = invoice::by_ids(s, tenant, &message.invoices).await?;
    let open = invoice::open_of(s, tenant, Value::Ids(vec![message.customer_id.0])).await?;
    let payment = match message.payment_id {
        Some(id) => payment::by_id(s, tenant, id).await?.map(|row| (row.payment, row.reversal.is_some())),
        None => None,
    };
    let lines = message.subscription_id.into_iter().chain(message.also.iter().copied());
    let told = last_told(s, tenant, lines.map(|id| id.0).collect()).await?;
    let last_event = message.subscription_id.and_then(|id| told.get(&id).copied());
    let others = others(s, tenant, &message.also, &told).await?;
    let of: Vec<InvoiceBalance> = invoices.iter().chain(&open).copied().collect();
    let statements = statement::holding(s, tenant, &[message.customer_id], &of).await?;
    let opted_out = inbox::opted_out(s, tenant, message.customer_id).await?;
    Ok(MessageFacts {
        customer,
        package,
        invoices,
        open,
        payment,
        access,
        last_event,
        routed,
        others,
        opted_out,
        statements,
    })
}

/// The event of each line that customers were last told of.
async fn last_told(
    s: &mut dyn Session,
    tenant: TenantId,
    lines: Vec<Uuid>,
) -> Result<HashMap<SubscriptionId, AccessEventId>, StoreError> {
    if lines.is_empty() {
        return Ok(HashMap::new());
    }
    let events = access::events_of(s, tenant, lines).await?;
    Ok(events.into_iter().filter(|e| e.kind.is_told()).map(|e| (e.subscription_id, e.id)).collect())
}

/// The further subscriptions that a message is about, in the order it names them.
async fn others(
    s: &mut dyn Session,
    tenant: TenantId,
    subscriptions: &[SubscriptionId],
    told: &HashMap<SubscriptionId, AccessEventId>,
) -> Result<Vec<MessageLine>, StoreError> {
    if subscriptions.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT s.subscription_id, s.router_id, k.name, {}
        FROM subscriptions s
            JOIN packages k ON k.tenant_id = s.tenant_id AND k.package_id = s.package_id
            LEFT JOIN service_access a ON a.tenant_id = s.tenant_id AND a.subscription_id = s.subscription_id
        WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))",
        access::COLUMNS
    );
    let ids = Value::Ids(subscriptions.iter().map(|id| id.0).collect());
    let found = all(s, "subscription", &sql, vec![Value::Id(tenant.0), ids], |r| {
        let id: SubscriptionId = r.get()?;
        let routed = r.get::<Option<Uuid>>()?.is_some();
        let package = r.get()?;
        let last_event = told.get(&id).copied();
        Ok((id, MessageLine { package, access: access::read(r, id)?, last_event, routed }))
    });
    let mut found: HashMap<SubscriptionId, MessageLine> = found.await?.into_iter().collect();
    Ok(subscriptions.iter().filter_map(|id| found.remove(id)).collect())
}
