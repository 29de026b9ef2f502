//! Refunds that payment gateways were asked for.

use isp_core::ids::TenantId;
use isp_core::payment::GatewayRefund;
use isp_core::ports::{GatewayRefundQuery, StoreError};

use crate::rows::{append, must_exist};
use crate::session::{Session, all};
use crate::table::GATEWAY_REFUNDS;
use crate::value::args;

pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    refunds: Vec<GatewayRefund>,
) -> Result<(), StoreError> {
    for r in refunds {
        if r.revision == 0 {
            #[rustfmt::skip]
            let row = args![
                tenant, r.id, r.gateway.folded(), r.payment_id, r.reference, r.state, r.provider_id, r.asked_at, r.poll_at,
                r.note, 1_u32
            ];
            append(s, &GATEWAY_REFUNDS, vec![row]).await?;
            continue;
        }
        let sql = "UPDATE gateway_refunds SET state = $4, provider_id = $5, poll_at = $6, note = $7, revision = $3 + 1
            WHERE tenant_id = $1 AND refund_id = $2 AND revision = $3";
        let values = args![tenant, r.id, r.revision, r.state, r.provider_id, r.poll_at, r.note];
        if s.execute(sql, values).await? != 1 {
            must_exist(s, tenant, &GATEWAY_REFUNDS, vec![r.id.0]).await?;
            return Err(StoreError::Conflict);
        }
    }
    Ok(())
}

/// Refunds of a query, in id order.
pub(crate) async fn of(
    s: &mut dyn Session,
    tenant: TenantId,
    query: GatewayRefundQuery,
) -> Result<Vec<GatewayRefund>, StoreError> {
    let mut sql =
        "SELECT refund_id, gateway, payment_id, reference, state, provider_id, asked_at, poll_at, note, revision
        FROM gateway_refunds WHERE tenant_id = $1"
            .to_owned();
    let mut values = args![tenant];
    if let Some(id) = query.id {
        values.extend(args![id]);
        sql += &format!(" AND refund_id = ${}", values.len());
    }
    if let Some(payment) = query.payment {
        values.extend(args![payment]);
        sql += &format!(" AND payment_id = ${}", values.len());
    }
    if let Some(at) = query.poll_due {
        values.extend(args![at]);
        sql += &format!(" AND poll_at <= ${}", values.len());
    }
    sql += " ORDER BY refund_id";
    all(s, "gateway_refund", &sql, values, |r| {
        Ok(GatewayRefund {
            id: r.get()?,
            gateway: r.get()?,
            payment_id: r.get()?,
            reference: r.get()?,
            state: r.get()?,
            provider_id: r.get()?,
            asked_at: r.get()?,
            poll_at: r.get()?,
            note: r.get()?,
            revision: r.get()?,
        })
    })
    .await
}
