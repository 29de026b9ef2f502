//! Rows of the master data that go, because nothing names them.

use isp_core::ids::{MasterId, TenantId};
use isp_core::ports::StoreError;

use crate::error::rejected;
use crate::session::Session;
use crate::value::Value;

/// Removes rows. What a foreign key names fails by that key; what only a copy of its id names is looked for first.
pub(crate) async fn write(s: &mut dyn Session, tenant: TenantId, rows: Vec<MasterId>) -> Result<(), StoreError> {
    for row in rows {
        for sql in named_by(row) {
            let id = if sql.contains("LIKE") { Value::Text(row.uuid().to_string()) } else { Value::Id(row.uuid()) };
            if !s.fetch(sql, vec![Value::Id(tenant.0), id]).await?.is_empty() {
                return Err(rejected(format!("the {} is named by other rows", row.kind())));
            }
        }
        for sql in deletes(row) {
            s.execute(sql, vec![Value::Id(tenant.0), Value::Id(row.uuid())]).await?;
        }
    }
    Ok(())
}

/// Statements that find what names a row without a foreign key.
fn named_by(row: MasterId) -> &'static [&'static str] {
    match row {
        MasterId::Site(_) => &["SELECT 1 FROM invoices WHERE tenant_id = $1 AND site_id = $2 LIMIT 1"],
        // Former terms are kept as JSON.
        MasterId::Package(_) => &[
            "SELECT 1 FROM invoices WHERE tenant_id = $1 AND package_id = $2 LIMIT 1",
            "SELECT 1 FROM former_terms WHERE tenant_id = $1 AND terms LIKE '%' || $2 || '%' LIMIT 1",
        ],
        MasterId::Router(_) | MasterId::Customer(_) | MasterId::InstallationKind(_) => &[],
    }
}

/// Statements that remove a row, after what belongs to it alone.
fn deletes(row: MasterId) -> &'static [&'static str] {
    match row {
        MasterId::Site(_) => &["DELETE FROM sites WHERE tenant_id = $1 AND site_id = $2"],
        MasterId::Router(_) => &[
            "DELETE FROM router_machines WHERE tenant_id = $1 AND router_id = $2",
            "DELETE FROM router_holds WHERE tenant_id = $1 AND router_id = $2",
            "DELETE FROM router_rests WHERE tenant_id = $1 AND router_id = $2",
            "DELETE FROM routers WHERE tenant_id = $1 AND router_id = $2",
        ],
        MasterId::Package(_) => &["DELETE FROM packages WHERE tenant_id = $1 AND package_id = $2"],
        MasterId::Customer(_) => &["DELETE FROM customers WHERE tenant_id = $1 AND customer_id = $2"],
        MasterId::InstallationKind(_) => {
            &["DELETE FROM installation_kinds WHERE tenant_id = $1 AND installation_kind_id = $2"]
        }
    }
}
