//! Payment requests.

use isp_core::ids::{PaymentRequestId, TenantId};
use isp_core::payment::{Closing, PaymentRequest};
use isp_core::ports::{PageQuery, RequestQuery, StoreError};

use crate::customer::after;
use crate::rows::{append, must_exist};
use crate::session::{Session, readable_page};
use crate::table::PAYMENT_REQUESTS;
use crate::value::{Reader, args};

/// Closes requests, then makes new ones.
pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    closings: Vec<(PaymentRequestId, Closing)>,
    requests: Vec<PaymentRequest>,
) -> Result<(), StoreError> {
    for (id, Closing { at, payment_id }) in closings {
        // What is paid stays so until its payment is taken back; what is cancelled is closed again by its payment only.
        let open = match payment_id {
            Some(_) => "payment_id IS NULL",
            None => {
                "(closed_at IS NULL OR payment_id IN (SELECT r.payment_id FROM payment_reversals r WHERE r.tenant_id = $1))"
            }
        };
        let sql = format!(
            "UPDATE payment_requests SET closed_at = $3, payment_id = $4
            WHERE tenant_id = $1 AND payment_request_id = $2 AND {open}"
        );
        if s.execute(&sql, args![tenant, id, at, payment_id]).await? != 1 {
            must_exist(s, tenant, &PAYMENT_REQUESTS, vec![id.0]).await?;
            return Err(StoreError::Conflict);
        }
    }
    for new in requests {
        // An amount that is kept no longer is free, and for its own customer as long as nothing has paid it.
        let sql = "UPDATE payment_requests SET kept = FALSE
            WHERE tenant_id = $1 AND amount = $2 AND kept = TRUE
                AND (kept_until <= $3 OR (customer_id = $4 AND payment_id IS NULL))";
        s.execute(sql, args![tenant, new.amount, new.made_at, new.customer_id]).await?;
        let closing = new.closing;
        let row = args![
            tenant,
            new.id,
            new.customer_id,
            new.invoice_id,
            new.debt,
            new.amount,
            new.made_at,
            new.expires_at,
            new.kept_until,
            closing.map(|c| c.at),
            closing.and_then(|c| c.payment_id),
            true
        ];
        append(s, &PAYMENT_REQUESTS, vec![row]).await?;
    }
    Ok(())
}

fn read(r: &mut Reader<'_>) -> Result<PaymentRequest, StoreError> {
    let (id, customer_id, invoice_id, debt, amount) = (r.get()?, r.get()?, r.get()?, r.get()?, r.get()?);
    let (made_at, expires_at, kept_until) = (r.get()?, r.get()?, r.get()?);
    let (at, payment_id): (Option<_>, _) = (r.get()?, r.get()?);
    let closing = at.map(|at| Closing { at, payment_id });
    Ok(PaymentRequest { id, customer_id, invoice_id, debt, amount, made_at, expires_at, kept_until, closing })
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    query: RequestQuery,
    page: PageQuery<PaymentRequestId>,
) -> Result<Vec<PaymentRequest>, StoreError> {
    let mut sql = "SELECT payment_request_id, customer_id, invoice_id, debt, amount, made_at, expires_at, kept_until,
            closed_at, payment_id
        FROM payment_requests WHERE tenant_id = $1 AND payment_request_id > $2"
        .to_owned();
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    if let Some(customer) = query.customer {
        args.extend(args![customer]);
        sql += &format!(" AND customer_id = ${}", args.len());
    }
    if query.standing {
        sql += " AND closed_at IS NULL";
    }
    if let Some(at) = query.kept_after {
        args.extend(args![at]);
        sql += &format!(" AND kept_until > ${}", args.len());
    }
    if let Some((from, to)) = query.amounts {
        args.extend(args![from, to]);
        sql += &format!(" AND amount BETWEEN ${} AND ${}", args.len() - 1, args.len());
    }
    sql += " ORDER BY payment_request_id LIMIT $3";
    readable_page(s, "payment_request", &sql, args, (1, 2), read).await
}
