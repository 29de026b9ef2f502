//! Credit that is paid out to customers.

use std::collections::BTreeMap;

use isp_core::ending::{Ending, RecordId};
use isp_core::ids::{CustomerId, PaymentId, RefundId, TenantId};
use isp_core::ledger::kept::Sums;
use isp_core::money::Money;
use isp_core::payment::Refund;
use isp_core::ports::{RefundRow, StoreError};

use crate::ending;
use crate::rows::append;
use crate::session::{Session, all};
use crate::table::{REFUND_PARTS, REFUNDS};
use crate::value::{Value, args};

/// Which refunds these endings take back.
pub(crate) fn taken_back(endings: &[(RecordId, Ending)]) -> Vec<RefundId> {
    let refund = |(id, _): &(RecordId, Ending)| if let RecordId::Refund(id) = id { Some(*id) } else { None };
    endings.iter().filter_map(refund).collect()
}

/// Gives each payment back what these refunds took of it.
pub(crate) async fn give_back(
    s: &mut dyn Session,
    tenant: TenantId,
    refunds: &[RefundId],
    moved: &mut Sums,
) -> Result<(), StoreError> {
    for refund in refunds {
        let sql = "SELECT payment_id, amount FROM refund_parts WHERE tenant_id = $1 AND refund_id = $2
            ORDER BY payment_id";
        let parts = all(s, "refund", sql, args![tenant, *refund], |r| Ok((r.get()?, -r.get::<Money>()?))).await?;
        take(s, tenant, parts, moved).await?;
    }
    Ok(())
}

pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    refunds: Vec<Refund>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    let (mut rows, mut parts) = (Vec::new(), Vec::new());
    for r in refunds {
        take(s, tenant, r.parts.clone(), moved).await?;
        parts.extend(r.parts.into_iter().map(|(payment, amount)| args![tenant, r.id, payment, amount]));
        rows.push(args![tenant, r.id, r.customer_id, r.amount, r.paid_from, r.on, r.by, r.note]);
    }
    append(s, &REFUNDS, rows).await?;
    append(s, &REFUND_PARTS, parts).await
}

/// Takes these amounts of what is left of payments. What was reversed has nothing left.
async fn take(
    s: &mut dyn Session,
    tenant: TenantId,
    parts: Vec<(PaymentId, Money)>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    if parts.is_empty() {
        return Ok(());
    }
    let sql = "WITH v (id, amount) AS (VALUES {rows})
        UPDATE payments AS p SET left_over = left_over - v.amount FROM v
        WHERE p.tenant_id = $1 AND p.payment_id = v.id AND p.left_over - v.amount BETWEEN 0 AND p.amount
            AND NOT EXISTS (
                SELECT 1 FROM payment_reversals r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)";
    let count = parts.len() as u64;
    moved.used(parts.iter().map(|(_, amount)| *amount).sum());
    let rows: Vec<Value> = parts.into_iter().flat_map(|(id, amount)| args![id, amount]).collect();
    if s.execute_rows(sql, args![tenant], 2, rows).await? == count { Ok(()) } else { Err(StoreError::Conflict) }
}

/// Refunds, of one customer or of all, oldest day first, then by id.
pub(crate) async fn of(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<Vec<RefundRow>, StoreError> {
    let only = if customer.is_some() { "AND t.customer_id = $2" } else { "" };
    let mut values = args![tenant];
    values.extend(customer.into_iter().flat_map(|c| args![c]));
    let sql = format!(
        "SELECT p.refund_id, p.payment_id, p.amount FROM refunds t
            JOIN refund_parts p ON p.tenant_id = t.tenant_id AND p.refund_id = t.refund_id
        WHERE t.tenant_id = $1 {only} ORDER BY p.refund_id, p.payment_id"
    );
    let mut parts: BTreeMap<RefundId, Vec<(PaymentId, Money)>> = BTreeMap::new();
    for (refund, part) in
        all(s, "refund", &sql, values.clone(), |r| Ok((r.get::<RefundId>()?, (r.get()?, r.get()?)))).await?
    {
        parts.entry(refund).or_default().push(part);
    }
    let sql = format!(
        "SELECT t.refund_id, t.customer_id, t.amount, t.paid_from, t.paid_on, t.paid_by, t.note, {}
        FROM refunds t {} WHERE t.tenant_id = $1 {only} ORDER BY t.paid_on, t.refund_id",
        ending::COLUMNS,
        ending::join("refund", "t.refund_id")
    );
    let mut rows = all(s, "refund", &sql, values, |r| {
        let (id, customer_id, amount, paid_from, on) = (r.get()?, r.get()?, r.get()?, r.get()?, r.get()?);
        let (by, note) = (r.get()?, r.get()?);
        let refund = Refund { id, customer_id, amount, paid_from, on, by, note, parts: Vec::new() };
        Ok(RefundRow { refund, ending: ending::read(r)? })
    })
    .await?;
    for row in &mut rows {
        row.refund.parts = parts.remove(&row.refund.id).unwrap_or_default();
    }
    Ok(rows)
}
