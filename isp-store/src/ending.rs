//! That records hold no longer.

use isp_core::ending::{Ending, RecordId};
use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use uuid::Uuid;

use crate::rows::{append, must_exist};
use crate::session::Session;
use crate::table::{DEPOSITS, ENDINGS, EXEMPTIONS, EXPENSES, INSTALLATION_ORDERS, OUTAGES, PAYOUTS, PROMISES, REFUNDS};
use crate::value::{Reader, args};

/// The columns of an ending, in the order of [`read`], for a statement that joins the table as `e`.
pub(crate) const COLUMNS: &str = "e.kind, e.ended_at, e.ended_by, e.reason";

/// Joins the ending of a record, whose kind and id are given.
pub(crate) fn join(record: &str, id: &str) -> String {
    format!("LEFT JOIN endings e ON e.tenant_id = t.tenant_id AND e.record_id = {id} AND e.record = '{record}'")
}

/// Reads what [`COLUMNS`] names.
pub(crate) fn read(r: &mut Reader<'_>) -> Result<Option<Ending>, StoreError> {
    let (kind, at, by, reason) = (r.get()?, r.get()?, r.get()?, r.get()?);
    Ok(match (kind, at, by, reason) {
        (Some(kind), Some(at), Some(by), Some(reason)) => Some(Ending { kind, at, by, reason }),
        _ => None,
    })
}

pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    endings: Vec<(RecordId, Ending)>,
) -> Result<(), StoreError> {
    if endings.is_empty() {
        return Ok(());
    }
    for (table, wanted) in [
        (&PROMISES, "promise"),
        (&EXEMPTIONS, "exemption"),
        (&OUTAGES, "outage"),
        (&EXPENSES, "expense"),
        (&INSTALLATION_ORDERS, "installation"),
        (&DEPOSITS, "deposit"),
        (&REFUNDS, "refund"),
        (&PAYOUTS, "payout"),
    ] {
        let ids: Vec<Uuid> = endings.iter().filter(|(id, _)| id.kind() == wanted).map(|(id, _)| id.uuid()).collect();
        must_exist(s, tenant, table, ids).await?;
    }
    let rows = endings
        .into_iter()
        .map(|(id, e)| args![tenant, id.uuid(), id.kind().to_owned(), e.kind, e.at, e.by, e.reason])
        .collect();
    append(s, &ENDINGS, rows).await
}
