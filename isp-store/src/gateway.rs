//! Requests at payment gateways, payouts, and what each gateway holds.

use std::collections::BTreeMap;

use isp_core::ids::{PaymentRequestId, TenantId};
use isp_core::money::Money;
use isp_core::payment::{GatewayBalance, GatewayRequest, Instructions, Payout};
use isp_core::ports::{GatewayQuery, PageQuery, PayoutRow, StoreError};
use isp_core::text::Code;

use crate::customer::after;
use crate::ending;
use crate::rows::{append, must_exist};
use crate::session::{Session, all, readable_page};
use crate::table::{GATEWAY_REQUESTS, PAYOUTS, named};
use crate::value::{Reader, args};

pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    mut requests: Vec<GatewayRequest>,
    payouts: Vec<Payout>,
) -> Result<(), StoreError> {
    // What ends makes room for what begins.
    requests.sort_by_key(|r| r.revision == 0);
    for r in requests {
        let Instructions { number, biller, qris, url } = r.instructions;
        if r.revision == 0 {
            let document = r.invoice_id.map_or(r.customer_id.0, |id| id.0);
            let known_as = r.reference.folded();
            #[rustfmt::skip]
            let row = args![
                tenant, r.id, r.customer_id, r.invoice_id, document, r.gateway.folded(), r.channel, r.reference, known_as,
                r.amount, r.made_at, r.expires_at, r.state, r.provider_id, number, biller, qris, url, r.fee, r.payment_id,
                r.poll_at, r.note, 1_u32
            ];
            append(s, &GATEWAY_REQUESTS, vec![row]).await?;
            continue;
        }
        let sql = "UPDATE gateway_requests SET expires_at = $4, state = $5, provider_id = $6, pay_number = $7,
                pay_biller = $8, pay_qris = $9, pay_url = $10, fee = $11, payment_id = $12, poll_at = $13, note = $14,
                revision = $3 + 1
            WHERE tenant_id = $1 AND payment_request_id = $2 AND revision = $3";
        #[rustfmt::skip]
        let values = args![
            tenant, r.id, r.revision, r.expires_at, r.state, r.provider_id, number, biller, qris, url, r.fee, r.payment_id,
            r.poll_at, r.note
        ];
        if s.execute(sql, values).await.map_err(|e| named(e, &GATEWAY_REQUESTS))? != 1 {
            must_exist(s, tenant, &GATEWAY_REQUESTS, vec![r.id.0]).await?;
            return Err(StoreError::Conflict);
        }
    }
    let rows = payouts
        .into_iter()
        .map(|p| args![tenant, p.id, p.gateway.folded(), p.net, p.fee, p.on, p.by, p.note])
        .collect();
    append(s, &PAYOUTS, rows).await
}

fn read(r: &mut Reader<'_>) -> Result<GatewayRequest, StoreError> {
    Ok(GatewayRequest {
        id: r.get()?,
        customer_id: r.get()?,
        invoice_id: r.get()?,
        gateway: r.get()?,
        channel: r.get()?,
        reference: r.get()?,
        amount: r.get()?,
        made_at: r.get()?,
        expires_at: r.get()?,
        state: r.get()?,
        provider_id: r.get()?,
        instructions: Instructions { number: r.get()?, biller: r.get()?, qris: r.get()?, url: r.get()? },
        fee: r.get()?,
        payment_id: r.get()?,
        poll_at: r.get()?,
        note: r.get()?,
        revision: r.get()?,
    })
}

/// A page of requests.
pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    query: &GatewayQuery,
    page: PageQuery<PaymentRequestId>,
) -> Result<Vec<GatewayRequest>, StoreError> {
    let mut sql = "SELECT payment_request_id, customer_id, invoice_id, gateway, channel, reference, amount, made_at,
            expires_at, state, provider_id, pay_number, pay_biller, pay_qris, pay_url, fee, payment_id, poll_at, note,
            revision
        FROM gateway_requests WHERE tenant_id = $1 AND payment_request_id > $2"
        .to_owned();
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    if let Some(customer) = query.customer {
        args.extend(args![customer]);
        sql += &format!(" AND customer_id = ${}", args.len());
    }
    if let Some((gateway, reference)) = &query.known_as {
        args.extend(args![gateway.folded(), reference.folded()]);
        sql += &format!(" AND gateway = ${} AND known_as = ${}", args.len() - 1, args.len());
    }
    if query.live {
        sql += " AND state IN ('attempting', 'unknown', 'open')";
    }
    if let Some(at) = query.poll_due {
        args.extend(args![at]);
        sql += &format!(" AND poll_at <= ${}", args.len());
    }
    if let Some(payment) = query.payment {
        args.extend(args![payment]);
        sql += &format!(" AND payment_id = ${}", args.len());
    }
    sql += " ORDER BY payment_request_id LIMIT $3";
    readable_page(s, "gateway_request", &sql, args, (1, 2), read).await
}

/// Payouts, oldest day first.
pub(crate) async fn payouts(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<PayoutRow>, StoreError> {
    let sql = format!(
        "SELECT t.payout_id, t.gateway, t.net, t.fee, t.paid_on, t.booked_by, t.note, {}
        FROM payouts t {} WHERE t.tenant_id = $1 ORDER BY t.paid_on, t.payout_id",
        ending::COLUMNS,
        ending::join("payout", "t.payout_id")
    );
    all(s, "payout", &sql, args![tenant], |r| {
        let (id, gateway, net, fee) = (r.get()?, r.get()?, r.get()?, r.get()?);
        let payout = Payout { id, gateway, net, fee, on: r.get()?, by: r.get()?, note: r.get()? };
        Ok(PayoutRow { payout, ending: ending::read(r)? })
    })
    .await
}

/// What each gateway took, kept and paid out, by name without case.
pub(crate) async fn balances(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<GatewayBalance>, StoreError> {
    let received = "SELECT lower(p.provider), CAST(SUM(p.amount) AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT)
        FROM payments p
        WHERE p.tenant_id = $1 AND p.channel = 'gateway' AND NOT EXISTS (
            SELECT 1 FROM payment_reversals r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)
        GROUP BY lower(p.provider)";
    let given_back = "SELECT g.gateway, CAST(-SUM(t.amount) AS BIGINT), CAST(0 AS BIGINT), CAST(0 AS BIGINT)
        FROM gateway_refunds g JOIN refunds t ON t.tenant_id = g.tenant_id AND t.refund_id = g.refund_id
        WHERE g.tenant_id = $1 AND NOT EXISTS (
            SELECT 1 FROM endings e
            WHERE e.tenant_id = t.tenant_id AND e.record_id = t.refund_id AND e.record = 'refund')
        GROUP BY g.gateway";
    let fees = "SELECT gateway, CAST(0 AS BIGINT), CAST(COALESCE(SUM(fee), 0) AS BIGINT), CAST(0 AS BIGINT)
        FROM gateway_requests WHERE tenant_id = $1 AND payment_id IS NOT NULL GROUP BY gateway";
    let payouts = "SELECT gateway, CAST(0 AS BIGINT), CAST(SUM(fee) AS BIGINT), CAST(SUM(net) AS BIGINT)
        FROM payouts p WHERE p.tenant_id = $1 AND NOT EXISTS (
            SELECT 1 FROM endings e
            WHERE e.tenant_id = p.tenant_id AND e.record_id = p.payout_id AND e.record = 'payout')
        GROUP BY gateway";
    let mut sums: BTreeMap<String, GatewayBalance> = BTreeMap::new();
    for sql in [received, given_back, fees, payouts] {
        let row = |r: &mut Reader<'_>| Ok((r.get::<Code>()?, r.get::<Money>()?, r.get::<Money>()?, r.get::<Money>()?));
        for (gateway, received, fees, paid_out) in all(s, "payout", sql, args![tenant], row).await? {
            let zero = GatewayBalance {
                gateway: gateway.clone(),
                received: Money::ZERO,
                fees: Money::ZERO,
                paid_out: Money::ZERO,
            };
            let sum = sums.entry(gateway.folded()).or_insert(zero);
            sum.received += received;
            sum.fees += fees;
            sum.paid_out += paid_out;
        }
    }
    Ok(sums.into_values().collect())
}
