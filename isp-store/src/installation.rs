//! Installation orders and their instalments.

use isp_core::billing::Invoice;
use isp_core::calendar::Date;
use isp_core::ids::{CustomerId, TenantId};
use isp_core::installation::{InstallationOrder, InvoicedFee};
use isp_core::ports::{InstallationRow, InstalmentRow, StoreError};

use crate::ending;
use crate::rows::{append, must_exist, upsert};
use crate::session::{Session, all};
use crate::table::{INSTALLATION_FEES, INSTALLATION_ORDERS, INSTALMENTS};
use crate::value::{Reader, Value, args};

const COLUMNS: &str = "o.installation_order_id, o.customer_id, o.subscription_id, o.installation_kind_id, o.fee,
    o.installed_on, o.instalments, o.with_first_invoice, o.instalment_step";

fn read(r: &mut Reader<'_>) -> Result<InstallationOrder, StoreError> {
    Ok(InstallationOrder {
        id: r.get()?,
        customer_id: r.get()?,
        subscription_id: r.get()?,
        kind_id: r.get()?,
        fee: r.get()?,
        installed_on: r.get()?,
        instalments: r.get()?,
        with_first_invoice: r.get()?,
        step: r.get()?,
    })
}

pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    orders: Vec<InstallationOrder>,
) -> Result<(), StoreError> {
    if orders.is_empty() {
        return Ok(());
    }
    let last: std::collections::BTreeMap<_, _> = orders.into_iter().map(|o| (o.id, o)).collect();
    let ids = Value::Ids(last.keys().map(|id| id.0).collect());
    let sql = "DELETE FROM instalments WHERE tenant_id = $1 AND installation_order_id IN IDS(($2))";
    s.execute(sql, vec![Value::Id(tenant.0), ids]).await?;
    let parts = last
        .values()
        .flat_map(|o| o.schedule().into_iter().map(|part| args![tenant, part.invoice_id, o.id, part.on]))
        .collect();
    let rows = last
        .into_values()
        .map(|o| {
            args![
                tenant,
                o.id,
                o.customer_id,
                o.subscription_id,
                o.kind_id,
                o.fee,
                o.installed_on,
                o.instalments,
                o.with_first_invoice,
                o.step
            ]
        })
        .collect();
    upsert(s, &INSTALLATION_ORDERS, rows).await?;
    append(s, &INSTALMENTS, parts).await
}

/// Keeps which fees stand on invoices that were just written. The caller holds the tenant's lock.
pub(crate) async fn write_fees(
    s: &mut dyn Session,
    tenant: TenantId,
    fees: Vec<InvoicedFee>,
    written: &[Invoice],
) -> Result<(), StoreError> {
    let fees: Vec<_> = fees.into_iter().filter(|fee| written.iter().any(|i| i.id == fee.invoice_id)).collect();
    if fees.is_empty() {
        return Ok(());
    }
    must_exist(s, tenant, &INSTALLATION_ORDERS, fees.iter().map(|fee| fee.order_id.0).collect()).await?;
    let rows = fees.into_iter().map(|fee| args![tenant, fee.order_id, fee.invoice_id, fee.amount]).collect();
    append(s, &INSTALLATION_FEES, rows).await.map_err(|e| match e {
        StoreError::Duplicate { .. } => StoreError::Conflict,
        other => other,
    })
}

/// True for an order that was not taken back.
const STANDS: &str = "NOT EXISTS (SELECT 1 FROM endings e WHERE e.tenant_id = o.tenant_id
        AND e.record_id = o.installation_order_id AND e.record = 'installation')";

/// What an invoice needs beside the order, in the order of [`read_row`].
const FACTS: &str = "s.site_id, p.zone, s.package_id, s.ends_on
    FROM installation_orders o
        JOIN subscriptions s ON s.tenant_id = o.tenant_id AND s.subscription_id = o.subscription_id
        JOIN sites p ON p.tenant_id = s.tenant_id AND p.site_id = s.site_id";

fn read_row(r: &mut Reader<'_>) -> Result<InstalmentRow, StoreError> {
    Ok(InstalmentRow { order: read(r)?, site_id: r.get()?, zone: r.get()?, package_id: r.get()?, ends_on: r.get()? })
}

/// Orders whose fee goes with the first periodic invoice and stands on none yet.
pub(crate) async fn waiting(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<InstalmentRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {FACTS}
            LEFT JOIN installation_fees f
                ON f.tenant_id = o.tenant_id AND f.installation_order_id = o.installation_order_id
        WHERE o.tenant_id = $1 AND o.with_first_invoice = $2 AND o.fee > 0 AND f.invoice_id IS NULL AND {STANDS}
        ORDER BY o.installation_order_id"
    );
    all(s, "installation order", &sql, args![tenant, true], read_row).await
}

/// Orders with an instalment due on or before the day that has no invoice.
pub(crate) async fn due(
    s: &mut dyn Session,
    tenant: TenantId,
    due_until: Date,
) -> Result<Vec<InstalmentRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {FACTS}
        WHERE o.tenant_id = $1 AND {STANDS} AND o.installation_order_id IN (
            SELECT t.installation_order_id FROM instalments t
                LEFT JOIN invoices i ON i.tenant_id = t.tenant_id AND i.invoice_id = t.invoice_id
            WHERE t.tenant_id = $1 AND t.due_on <= $2 AND i.invoice_id IS NULL)
        ORDER BY o.installation_order_id"
    );
    all(s, "installation order", &sql, args![tenant, due_until], read_row).await
}

/// Orders with what was invoiced and paid of each.
pub(crate) async fn list(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<Vec<InstallationRow>, StoreError> {
    let only = if customer.is_some() { "AND o.customer_id = $2" } else { "" };
    let mut args = args![tenant];
    args.extend(customer.into_iter().flat_map(|c| args![c]));
    found(s, only, args).await
}

/// The orders of these customers.
pub(crate) async fn of_customers(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
) -> Result<Vec<InstallationRow>, StoreError> {
    found(s, "AND o.customer_id IN IDS(($2))", vec![Value::Id(tenant.0), customers]).await
}

async fn found(s: &mut dyn Session, only: &str, args: Vec<Value>) -> Result<Vec<InstallationRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, CAST(COALESCE(SUM(i.total), 0) AS BIGINT), CAST(COALESCE(SUM(i.paid), 0) AS BIGINT),
            {}, f.invoice_id, f.amount, w.total, w.paid
        FROM installation_orders o
            LEFT JOIN endings e ON e.tenant_id = o.tenant_id AND e.record_id = o.installation_order_id
                AND e.record = 'installation'
            LEFT JOIN instalments t
                ON t.tenant_id = o.tenant_id AND t.installation_order_id = o.installation_order_id
            LEFT JOIN invoices i ON i.tenant_id = t.tenant_id AND i.invoice_id = t.invoice_id
            LEFT JOIN installation_fees f
                ON f.tenant_id = o.tenant_id AND f.installation_order_id = o.installation_order_id
            LEFT JOIN invoices w ON w.tenant_id = f.tenant_id AND w.invoice_id = f.invoice_id
        WHERE o.tenant_id = $1 {only} GROUP BY {COLUMNS}, {}, f.invoice_id, f.amount, w.total, w.paid
        ORDER BY o.installation_order_id",
        ending::COLUMNS,
        ending::COLUMNS
    );
    all(s, "installation order", &sql, args, |r| {
        let mut row = InstallationRow {
            order: read(r)?,
            invoiced: r.get()?,
            paid: r.get()?,
            fee: None,
            ending: ending::read(r)?,
        };
        if let (Some(invoice_id), Some(amount), Some(total), Some(paid)) = (r.get()?, r.get()?, r.get()?, r.get()?) {
            let fee = InvoicedFee { order_id: row.order.id, invoice_id, amount };
            row.invoiced += amount;
            row.paid += fee.paid(total, paid);
            row.fee = Some(fee);
        }
        Ok(row)
    })
    .await
}
