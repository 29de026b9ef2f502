//! Payments, what they pay, and their reversals.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, InvoiceId, PaymentId, TenantId};
use isp_core::ledger::kept::Sums;
use isp_core::money::Money;
use isp_core::payment::{Allocation, CreditSource, Payment, PaymentReversal, withheld};
use isp_core::ports::{PageQuery, PaymentRow, StoreError};
use isp_core::report::Received;
use isp_core::text::{Code, Reference};
use uuid::Uuid;

use crate::customer::after;
use crate::invoice;
use crate::rows::{append, must_exist};
use crate::session::{Session, all, first, readable, readable_page};
use crate::table::{ALLOCATIONS, PAYMENTS, REVERSALS};
use crate::value::{Reader, Value, args};

pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    payments: Vec<Payment>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    payments.iter().for_each(|payment| moved.payment(payment));
    let rows = payments
        .into_iter()
        .map(|p| {
            let identity = Payment::identity(&p.provider, &p.reference);
            // Empty while it stands, so that it is the only one of its identity; the customer's own where customers number them.
            let aside = withheld::numbered_by(&p.provider, p.customer_id);
            let aside = aside.map(|customer| customer.0.simple().to_string()).unwrap_or_default();
            args![
                tenant,
                p.id,
                p.customer_id,
                p.provider,
                p.reference,
                p.amount,
                p.amount,
                p.paid_at,
                p.received_at,
                p.channel,
                p.collector,
                identity,
                aside
            ]
        })
        .collect();
    append(s, &PAYMENTS, rows).await
}

/// Appends reversals and allocations, and changes with them what is paid of invoices and left of payments.
///
/// What a reversed payment had paid is taken back in the commit that reverses it; afterwards it pays nothing.
pub(crate) async fn settle(
    s: &mut dyn Session,
    tenant: TenantId,
    reversals: Vec<PaymentReversal>,
    allocations: Vec<Allocation>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    let reversed: Vec<Uuid> = reversals.iter().map(|r| r.payment_id.0).collect();
    let rows = reversals.into_iter().map(|r| args![tenant, r.payment_id, r.at, r.reason, r.by]).collect();
    append(s, &REVERSALS, rows).await?;
    allocate(s, tenant, &reversed, allocations, moved).await?;
    if reversed.is_empty() {
        return Ok(());
    }
    // Its reference is free again (rule P6).
    let sql = "WITH v (id, aside) AS (VALUES {rows})
        UPDATE payments AS p SET left_over = 0, set_aside = v.aside FROM v
        WHERE p.tenant_id = $1 AND p.payment_id = v.id AND p.left_over = p.amount";
    let given = vec![Value::Id(tenant.0), Value::Ids(reversed.clone())];
    let sql_of = format!("{SELECT} WHERE p.tenant_id = $1 AND p.payment_id IN IDS(($2))");
    for row in all(s, "payment", &sql_of, given, read).await? {
        moved.reversed(&row.payment);
    }
    let count = reversed.len() as u64;
    let rows = reversed.into_iter().flat_map(|id| args![id, id.simple().to_string()]).collect();
    let emptied = s.execute_rows(sql, args![tenant], 2, rows).await?;
    if emptied == count { Ok(()) } else { Err(StoreError::Conflict) }
}

async fn allocate(
    s: &mut dyn Session,
    tenant: TenantId,
    reversed: &[Uuid],
    allocations: Vec<Allocation>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    if allocations.is_empty() {
        return Ok(());
    }
    let mut invoices: BTreeMap<InvoiceId, Money> = BTreeMap::new();
    let mut payments: BTreeMap<PaymentId, Money> = BTreeMap::new();
    for a in &allocations {
        *invoices.entry(a.invoice_id).or_default() += a.amount;
        *payments.entry(a.payment_id).or_default() += a.amount;
    }
    let ids: Vec<Uuid> = payments.keys().map(|id| id.0).collect();
    moved.used(payments.values().sum());
    invoice::pay(s, tenant, invoices, moved).await?;
    let sql = "WITH v (id, amount) AS (VALUES {rows})
        UPDATE payments AS p SET left_over = left_over - v.amount FROM v
        WHERE p.tenant_id = $1 AND p.payment_id = v.id AND p.left_over - v.amount BETWEEN 0 AND p.amount
            AND (p.payment_id IN IDS(($2)) OR NOT EXISTS (
                SELECT 1 FROM payment_reversals r WHERE r.tenant_id = $1 AND r.payment_id = p.payment_id))";
    let count = payments.len() as u64;
    let rows: Vec<Value> = payments.into_iter().flat_map(|(id, amount)| args![id, amount]).collect();
    let given = vec![Value::Id(tenant.0), Value::Ids(reversed.to_vec())];
    if s.execute_rows(sql, given, 2, rows).await? != count {
        must_exist(s, tenant, &PAYMENTS, ids).await?;
        return Err(StoreError::Conflict);
    }
    let sql = "SELECT payment_id, COUNT(*) FROM allocations WHERE tenant_id = $1 AND payment_id IN IDS(($2))
        GROUP BY payment_id";
    let mut next: HashMap<PaymentId, u64> =
        all(s, "allocation", sql, vec![Value::Id(tenant.0), Value::Ids(ids)], |r| Ok((r.get()?, r.get()?)))
            .await?
            .into_iter()
            .collect();
    let rows = allocations
        .into_iter()
        .map(|a| {
            let position = next.entry(a.payment_id).or_default();
            *position += 1;
            args![tenant, a.payment_id, *position, a.invoice_id, a.amount, a.at]
        })
        .collect();
    append(s, &ALLOCATIONS, rows).await
}

const SELECT: &str = "SELECT p.payment_id, p.customer_id, p.provider, p.reference, p.amount, p.paid_at, p.received_at,
        p.channel, p.collector, p.left_over, r.reversed_at, r.reason, r.reversed_by
    FROM payments p
        LEFT JOIN payment_reversals r ON r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id";

fn read(r: &mut Reader<'_>) -> Result<PaymentRow, StoreError> {
    let payment = Payment {
        id: r.get()?,
        customer_id: r.get()?,
        provider: r.get()?,
        reference: r.get()?,
        amount: r.get()?,
        paid_at: r.get()?,
        received_at: r.get()?,
        channel: r.get()?,
        collector: r.get()?,
    };
    let left = r.get()?;
    let reversal = match (r.get()?, r.get()?, r.get()?) {
        (Some(at), Some(reason), Some(by)) => Some(PaymentReversal { payment_id: payment.id, at, reason, by }),
        _ => None,
    };
    Ok(PaymentRow { payment, left, reversal })
}

pub(crate) async fn by_id(
    s: &mut dyn Session,
    tenant: TenantId,
    id: PaymentId,
) -> Result<Option<PaymentRow>, StoreError> {
    let sql = format!("{SELECT} WHERE p.tenant_id = $1 AND p.payment_id = $2");
    first(s, "payment", &sql, args![tenant, id], read).await
}

/// The payments that go by a provider and reference, in the order they were booked.
pub(crate) async fn known_as(
    s: &mut dyn Session,
    tenant: TenantId,
    provider: &Code,
    reference: &Reference,
) -> Result<Vec<PaymentRow>, StoreError> {
    let sql = format!("{SELECT} WHERE p.tenant_id = $1 AND p.identity = $2 ORDER BY p.received_at, p.payment_id");
    all(s, "payment", &sql, args![tenant, Payment::identity(provider, reference)], read).await
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
    page: PageQuery<PaymentId>,
) -> Result<Vec<PaymentRow>, StoreError> {
    let only = if customer.is_some() { "AND p.customer_id = $4" } else { "" };
    let sql = format!("{SELECT} WHERE p.tenant_id = $1 AND p.payment_id > $2 {only} ORDER BY p.payment_id LIMIT $3");
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    args.extend(customer.into_iter().flat_map(|c| args![c]));
    readable_page(s, "payment", &sql, args, (1, 2), read).await
}

/// The payments of these customers, in no order.
pub(crate) async fn of_customers(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
) -> Result<Vec<PaymentRow>, StoreError> {
    let sql = format!("{SELECT} WHERE p.tenant_id = $1 AND p.customer_id IN IDS(($2))");
    readable(s, "payment", &sql, vec![Value::Id(tenant.0), customers], read).await
}

/// The payments of a span of time, from a moment and before another one, in the order in which they were made.
pub(crate) async fn between(
    s: &mut dyn Session,
    tenant: TenantId,
    (from, before): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<PaymentRow>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE p.tenant_id = $1 AND p.paid_at >= $2 AND p.paid_at < $3 ORDER BY p.paid_at, p.payment_id"
    );
    readable(s, "payment", &sql, args![tenant, from, before], read).await
}

/// The payments of a span of time that stand: how many and how much of each channel.
pub(crate) async fn received(
    s: &mut dyn Session,
    tenant: TenantId,
    (from, before): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Received>, StoreError> {
    let sql = "SELECT p.channel, COUNT(*), CAST(SUM(p.amount) AS BIGINT) FROM payments p
        WHERE p.tenant_id = $1 AND p.paid_at >= $2 AND p.paid_at < $3 AND NOT EXISTS (
            SELECT 1 FROM payment_reversals r WHERE r.tenant_id = $1 AND r.payment_id = p.payment_id)
        GROUP BY p.channel";
    all(s, "payment", sql, args![tenant, from, before], |r| Ok(Received::new(r.get()?, r.get()?, r.get()?))).await
}

/// The allocations of a payment, in the order they were made.
pub(crate) async fn allocations(
    s: &mut dyn Session,
    tenant: TenantId,
    id: PaymentId,
) -> Result<Vec<Allocation>, StoreError> {
    let sql = "SELECT payment_id, invoice_id, amount, allocated_at FROM allocations
        WHERE tenant_id = $1 AND payment_id = $2 ORDER BY position";
    all(s, "allocation", sql, args![tenant, id], |r| {
        Ok(Allocation { payment_id: r.get()?, invoice_id: r.get()?, amount: r.get()?, at: r.get()? })
    })
    .await
}

/// The payments of a customer with money left, oldest first.
pub(crate) async fn credit(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<CreditSource>, StoreError> {
    let sql = "SELECT payment_id, received_at, left_over FROM payments
        WHERE tenant_id = $1 AND customer_id = $2 AND left_over > 0 ORDER BY received_at, payment_id";
    let read = |r: &mut Reader<'_>| Ok(CreditSource { payment_id: r.get()?, since: r.get()?, left: r.get()? });
    all(s, "payment", sql, args![tenant, customer], read).await
}

/// What each of these customers has left, of those that have something left, in their order.
pub(crate) async fn credit_of(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: &[CustomerId],
) -> Result<Vec<(CustomerId, Money)>, StoreError> {
    let list = Value::Ids(customers.iter().map(|id| id.0).collect());
    let sql = "SELECT customer_id, CAST(SUM(left_over) AS BIGINT) FROM payments
        WHERE tenant_id = $1 AND customer_id IN IDS(($2)) AND left_over > 0 GROUP BY customer_id";
    let mut found = all(s, "payment", sql, vec![Value::Id(tenant.0), list], |r| Ok((r.get()?, r.get()?))).await?;
    // Sorted here: asked for an order, SQLite would walk through other rows for its sake.
    found.sort_by_key(|(customer, _)| *customer);
    Ok(found)
}

/// What was left by `$3` of each payment of a list of customers that stands and was received by then; the moment within the sum, as in
/// [`invoice::OPEN_AT`].
pub(crate) const CREDIT_AT: &str = "WITH t AS MATERIALIZED (
        SELECT p.payment_id, p.customer_id, p.received_at, CAST(p.amount - COALESCE((
                SELECT SUM(CASE WHEN a.allocated_at <= $3 THEN a.amount ELSE 0 END) FROM allocations a
                WHERE a.tenant_id = $1 AND a.payment_id = p.payment_id
            ), 0) AS BIGINT) AS left_then
        FROM payments p
            LEFT JOIN payment_reversals r ON r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id
        WHERE p.tenant_id = $1 AND p.customer_id IN IDS(($2)) AND p.received_at <= $3 AND r.payment_id IS NULL
    ) SELECT * FROM t WHERE t.left_then > 0";

/// What was left at a moment of what these customers had paid by then, by customer, oldest first.
pub(crate) async fn credit_at(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: &[CustomerId],
    at: DateTime<Utc>,
) -> Result<Vec<(CustomerId, CreditSource)>, StoreError> {
    let list = Value::Ids(customers.iter().map(|id| id.0).collect());
    let args = vec![Value::Id(tenant.0), list, Value::Moment(at)];
    let mut found = readable(s, "payment", CREDIT_AT, args, |r| {
        let (payment_id, customer_id) = (r.get()?, r.get()?);
        Ok((customer_id, CreditSource { payment_id, since: r.get()?, left: r.get()? }))
    })
    .await?;
    // Sorted here: asked for an order, SQLite would walk through other rows for its sake.
    found.sort_by_key(|(customer, source)| (*customer, source.since, source.payment_id));
    Ok(found)
}

/// Customers who have credit and an open invoice.
pub(crate) async fn customers_with_credit(
    s: &mut dyn Session,
    tenant: TenantId,
    page: PageQuery<CustomerId>,
) -> Result<Vec<CustomerId>, StoreError> {
    let sql = "SELECT DISTINCT p.customer_id FROM payments p
        WHERE p.tenant_id = $1 AND p.left_over > 0 AND p.customer_id > $2 AND EXISTS (
            SELECT 1 FROM invoices i
            WHERE i.tenant_id = p.tenant_id AND i.customer_id = p.customer_id AND i.total > i.paid)
        ORDER BY p.customer_id LIMIT $3";
    all(s, "customer", sql, args![tenant, after(page.after.map(|id| id.0)), page.limit], |r| r.get()).await
}
