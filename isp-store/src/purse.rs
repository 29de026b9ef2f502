//! Money on its way: what collectors and payment gateways hold, day by day.

use chrono::{DateTime, Utc};
use isp_core::calendar::{Date, Zone};
use isp_core::ids::TenantId;
use isp_core::money::Money;
use isp_core::payment::Purse;
use isp_core::ports::StoreError;
use isp_core::text::Code;

use crate::session::{Session, all};
use crate::value::{Reader, args};
use crate::{credit, gateway};

/// What was put into a purse, and taken out below zero.
pub(crate) async fn days(
    s: &mut dyn Session,
    tenant: TenantId,
    purse: &Purse,
) -> Result<Vec<(Date, Money)>, StoreError> {
    let stands = "NOT EXISTS (
        SELECT 1 FROM payment_reversals r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)";
    match purse {
        Purse::Collector(collector) => {
            let sql = format!(
                "SELECT p.paid_at, CAST(SUM(p.amount) AS BIGINT) FROM payments p
                WHERE p.tenant_id = $1 AND lower(p.collector) = $2 AND {stands} GROUP BY p.paid_at"
            );
            let mut days = moved(s, tenant, &sql, collector).await?;
            let rows = credit::deposits(s, tenant).await?.into_iter();
            let standing = rows.filter(|row| row.ending.is_none()).map(|row| row.deposit);
            days.extend(standing.filter(|d| d.collector == *collector).map(|d| (d.on, -d.amount)));
            Ok(days)
        }
        Purse::Gateway(of) => {
            let came = format!(
                "SELECT p.paid_at, CAST(SUM(p.amount) AS BIGINT) FROM payments p
                WHERE p.tenant_id = $1 AND p.channel = 'gateway' AND lower(p.provider) = $2 AND {stands}
                GROUP BY p.paid_at"
            );
            let fees = "SELECT p.paid_at, CAST(-COALESCE(SUM(g.fee), 0) AS BIGINT) FROM gateway_requests g
                    JOIN payments p ON p.tenant_id = g.tenant_id AND p.payment_id = g.payment_id
                WHERE g.tenant_id = $1 AND lower(g.gateway) = $2 GROUP BY p.paid_at";
            let mut days = moved(s, tenant, &came, of).await?;
            days.extend(moved(s, tenant, fees, of).await?);
            let given_back = "SELECT t.paid_on, CAST(-SUM(t.amount) AS BIGINT)
                FROM gateway_refunds g JOIN refunds t ON t.tenant_id = g.tenant_id AND t.refund_id = g.refund_id
                WHERE g.tenant_id = $1 AND g.gateway = $2 AND NOT EXISTS (
                    SELECT 1 FROM endings e
                    WHERE e.tenant_id = t.tenant_id AND e.record_id = t.refund_id AND e.record = 'refund')
                GROUP BY t.paid_on";
            let on_day = |r: &mut Reader<'_>| Ok((r.get()?, r.get()?));
            days.extend(all(s, "refund", given_back, args![tenant, of.folded()], on_day).await?);
            let rows = gateway::payouts(s, tenant).await?.into_iter();
            let standing = rows.filter(|row| row.ending.is_none()).map(|row| row.payout);
            days.extend(standing.filter(|p| p.gateway == *of).map(|p| (p.on, -p.taken())));
            Ok(days)
        }
    }
}

async fn moved(s: &mut dyn Session, tenant: TenantId, sql: &str, of: &Code) -> Result<Vec<(Date, Money)>, StoreError> {
    let args = args![tenant, of.folded()];
    let read = |r: &mut Reader<'_>| Ok((Zone::Wib.date_of(r.get::<DateTime<Utc>>()?), r.get()?));
    all(s, "payment", sql, args, read).await
}
