//! Customers whose data is erased: what is over, what goes, and the person in the texts that stay.

use chrono::{DateTime, Utc};
use isp_core::ids::{CustomerId, TenantId, WebhookId};
use isp_core::ports::StoreError;
use isp_core::privacy::{ERASED, Erased, Erasure, NOT_SENT, Person};
use uuid::Uuid;

use crate::rows::{append, must_exist};
use crate::session::{Session, all};
use crate::table::{CUSTOMERS, ERASURES};
use crate::value::{Column as _, Reader, Value, args};

/// Fails with [`StoreError::Erased`] when anything of these persons is to be written, and one of them was forgotten.
pub(crate) async fn must_not_be_erased(
    s: &mut dyn Session,
    tenant: TenantId,
    persons: impl Iterator<Item = CustomerId>,
) -> Result<(), StoreError> {
    let mut named: Vec<Uuid> = persons.map(|id| id.0).collect();
    if named.is_empty() {
        return Ok(());
    }
    named.sort_unstable();
    named.dedup();
    let sql = "SELECT customer_id FROM erasures WHERE tenant_id = $1 AND customer_id IN IDS(($2)) LIMIT 1";
    let found = s.fetch(sql, vec![tenant.into_value(), Value::Ids(named)]).await?;
    if found.is_empty() { Ok(()) } else { Err(StoreError::Erased) }
}

/// That customers' data was erased, of one customer or of all, in id order.
pub(crate) async fn of(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<Vec<Erased>, StoreError> {
    let only = if customer.is_some() { "AND customer_id = $2" } else { "" };
    let sql = format!(
        "SELECT customer_id, erased_at, erased_by, reason FROM erasures WHERE tenant_id = $1 {only} ORDER BY customer_id"
    );
    let mut values = args![tenant];
    values.extend(customer.into_iter().flat_map(|c| args![c]));
    let read = |r: &mut Reader<'_>| Ok(Erased { customer_id: r.get()?, at: r.get()?, by: r.get()?, reason: r.get()? });
    all(s, "erasure", &sql, values, read).await
}

/// Erases, after everything else of the commit is written.
pub(crate) async fn write(s: &mut dyn Session, tenant: TenantId, erasures: Vec<Erasure>) -> Result<(), StoreError> {
    for Erasure { erased, person } in erasures {
        let customer = erased.customer_id;
        must_exist(s, tenant, &CUSTOMERS, vec![customer.0]).await?;
        if !of(s, tenant, Some(customer)).await?.is_empty() {
            return Err(StoreError::Erased);
        }
        if is_at_work(s, tenant, customer, erased.at).await? {
            return Err(StoreError::Conflict);
        }
        for sql in GOES {
            s.execute(sql, args![tenant, customer]).await?;
        }
        let sql = "UPDATE proofs SET file_name = $3 WHERE tenant_id = $1 AND customer_id = $2";
        s.execute(sql, args![tenant, customer, ERASED.to_owned()]).await?;
        for text in &TEXTS {
            text.write(s, tenant, customer, &person).await?;
        }
        for number in person.numbers() {
            // Money of which nobody has said whose it is, or that it is nobody's. Its digits in their order, whatever stands between
            // them: the rule says whether they are the number.
            let digits: String = number.chars().map(|digit| format!("%{digit}")).collect();
            for (table, key) in [("mutations", "mutation_id"), ("mutation_tellings", "telling_id")] {
                let found =
                    format!("SELECT {key}, told FROM {table} WHERE tenant_id = $1 AND told LIKE $2 ORDER BY {key}");
                let named: Vec<(Uuid, String)> =
                    all(s, table, &found, args![tenant, format!("{digits}%")], |r| Ok((r.get()?, r.get()?))).await?;
                for (id, told) in named.into_iter().filter(|(_, told)| person.is_numbered_in(told)) {
                    if let Some(without) = person.left_out_of(&told) {
                        let sql = format!("UPDATE {table} SET told = $3 WHERE tenant_id = $1 AND {key} = $2");
                        s.execute(&sql, args![tenant, id, without]).await?;
                    }
                }
            }
        }
        let sql = "UPDATE outbox SET state = 'dropped', note = $3, finished_at = $4
            WHERE tenant_id = $1 AND customer_id = $2 AND state IN ('pending', 'unknown')";
        s.execute(sql, args![tenant, customer, NOT_SENT.to_owned(), erased.at]).await?;
        webhooks(s, tenant, &person).await?;
        append(s, &ERASURES, vec![args![tenant, customer, erased.at, erased.by, erased.reason]]).await?;
    }
    Ok(())
}

/// Statements that find what is not over.
const AT_WORK: [&str; 8] = [
    "SELECT 1 FROM subscriptions WHERE tenant_id = $1 AND customer_id = $2 AND ends_on IS NULL LIMIT 1",
    "SELECT 1 FROM invoices WHERE tenant_id = $1 AND customer_id = $2 AND total > paid LIMIT 1",
    "SELECT 1 FROM payments WHERE tenant_id = $1 AND customer_id = $2 AND left_over > 0 LIMIT 1",
    "SELECT 1 FROM proofs t WHERE t.tenant_id = $1 AND t.customer_id = $2 AND NOT EXISTS (SELECT 1 FROM proof_reviews r
        WHERE r.tenant_id = t.tenant_id AND r.proof_id = t.proof_id) LIMIT 1",
    "SELECT 1 FROM gateway_requests WHERE tenant_id = $1 AND customer_id = $2
        AND state NOT IN ('expired', 'cancelled', 'paid') LIMIT 1",
    "SELECT 1 FROM gateway_refunds g JOIN refunds t ON t.tenant_id = g.tenant_id AND t.refund_id = g.refund_id
        WHERE g.tenant_id = $1 AND t.customer_id = $2 AND g.state NOT IN ('done', 'refused') LIMIT 1",
    "SELECT 1 FROM outbox WHERE tenant_id = $1 AND customer_id = $2 AND state IN ('claimed', 'attempting') LIMIT 1",
    "SELECT 1 FROM payment_requests WHERE tenant_id = $1 AND customer_id = $2 AND closed_at IS NULL
        AND kept_until > $3 LIMIT 1",
];

/// Whether anything began between the decision and the commit.
async fn is_at_work(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: CustomerId,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    for sql in AT_WORK {
        let mut values = args![tenant, customer];
        if sql.contains("$3") {
            values.push(at.into_value());
        }
        if !s.fetch(sql, values).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Statements that remove what only the person needed.
const GOES: [&str; 5] = [
    "DELETE FROM page_links WHERE tenant_id = $1 AND customer_id = $2",
    // The others wait for their router to remove them.
    "DELETE FROM former_accounts WHERE tenant_id = $1 AND closed_at IS NOT NULL AND service <> 'static' AND subscription_id IN
        (SELECT subscription_id FROM subscriptions WHERE tenant_id = $1 AND customer_id = $2)",
    "DELETE FROM opt_outs WHERE tenant_id = $1 AND customer_id = $2",
    "DELETE FROM proof_files WHERE tenant_id = $1 AND proof_id IN
        (SELECT proof_id FROM proofs WHERE tenant_id = $1 AND customer_id = $2)",
    "UPDATE gateway_requests SET pay_number = NULL, pay_biller = NULL, pay_qris = NULL, pay_url = NULL
        WHERE tenant_id = $1 AND customer_id = $2",
];

/// A text that people or banks wrote, and that stays.
struct Text {
    table: &'static str,
    id: &'static str,
    column: &'static str,
    /// Which rows are the customer's, `$2`.
    his: &'static str,
}

const fn text(table: &'static str, id: &'static str, column: &'static str, his: &'static str) -> Text {
    Text { table, id, column, his }
}

const HIS: &str = "customer_id = $2";
const OF_PAYMENTS: &str = "payment_id IN (SELECT payment_id FROM payments WHERE tenant_id = $1 AND customer_id = $2)";

/// All of them. No two records have one id, so an ending is found by it alone. A test compares them with the tables.
const TEXTS: [Text; 18] = [
    text("device_history", "device_history_id", "reason", HIS),
    text("exemptions", "exemption_id", "reason", HIS),
    text("credit_notes", "credit_note_id", "note", HIS),
    text("gateway_requests", "payment_request_id", "note", HIS),
    text("outbox", "outbox_id", "note", HIS),
    text("refunds", "refund_id", "note", HIS),
    text(
        "gateway_refunds",
        "refund_id",
        "note",
        "refund_id IN (SELECT refund_id FROM refunds WHERE tenant_id = $1 AND customer_id = $2)",
    ),
    text("payment_reversals", "payment_id", "reason", OF_PAYMENTS),
    text("write_offs", "payment_id", "reason", OF_PAYMENTS),
    text("mutations", "mutation_id", "told", OF_PAYMENTS),
    text("mutations", "mutation_id", "reason", OF_PAYMENTS),
    text(
        "mutation_tellings",
        "telling_id",
        "told",
        "mutation_id IN (SELECT m.mutation_id FROM mutations m JOIN payments p ON p.tenant_id = m.tenant_id
            AND p.payment_id = m.payment_id WHERE m.tenant_id = $1 AND p.customer_id = $2)",
    ),
    text(
        "access_events",
        "access_event_id",
        "reason",
        "subscription_id IN (SELECT subscription_id FROM subscriptions WHERE tenant_id = $1 AND customer_id = $2)",
    ),
    text(
        "proof_reviews",
        "proof_id",
        "reason",
        "proof_id IN (SELECT proof_id FROM proofs WHERE tenant_id = $1 AND customer_id = $2)",
    ),
    text(
        "endings",
        "record_id",
        "reason",
        "record_id IN (SELECT refund_id FROM refunds WHERE tenant_id = $1 AND customer_id = $2)",
    ),
    text(
        "endings",
        "record_id",
        "reason",
        "record_id IN (SELECT promise_id FROM promises WHERE tenant_id = $1 AND customer_id = $2)",
    ),
    text(
        "endings",
        "record_id",
        "reason",
        "record_id IN (SELECT exemption_id FROM exemptions WHERE tenant_id = $1 AND customer_id = $2)",
    ),
    text(
        "endings",
        "record_id",
        "reason",
        "record_id IN (SELECT installation_order_id FROM installation_orders WHERE tenant_id = $1 AND customer_id = $2)",
    ),
];

impl Text {
    async fn write(
        &self,
        s: &mut dyn Session,
        tenant: TenantId,
        customer: CustomerId,
        person: &Person,
    ) -> Result<(), StoreError> {
        let Self { table, id, column, his } = self;
        let sql = format!(
            "SELECT {id}, {column} FROM {table} WHERE tenant_id = $1 AND {column} IS NOT NULL AND {his} ORDER BY {id}"
        );
        let rows: Vec<(Uuid, String)> =
            all(s, table, &sql, args![tenant, customer], |r| Ok((r.get()?, r.get()?))).await?;
        for (row, before) in rows {
            if let Some(without) = person.left_out_of(&before) {
                let sql = format!("UPDATE {table} SET {column} = $3 WHERE tenant_id = $1 AND {id} = $2");
                s.execute(&sql, args![tenant, row, without]).await?;
            }
        }
        Ok(())
    }
}

/// Rows a page of webhooks, each of up to a megabyte.
const PAGE: u32 = 64;

/// Removes webhooks that were read and name the person.
async fn webhooks(s: &mut dyn Session, tenant: TenantId, person: &Person) -> Result<(), StoreError> {
    let sql = "SELECT webhook_id, body FROM webhooks WHERE tenant_id = $1 AND webhook_id > $2 AND state <> 'waiting'
        ORDER BY webhook_id LIMIT $3";
    let mut after = WebhookId(Uuid::nil());
    loop {
        let rows: Vec<(WebhookId, Vec<u8>)> =
            all(s, "webhook", sql, args![tenant, after, PAGE], |r| Ok((r.get()?, r.get()?))).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = *last;
        let named = rows.iter().filter(|(_, body)| person.is_in(body)).map(|(id, _)| id.0).collect();
        let gone = "DELETE FROM webhooks WHERE tenant_id = $1 AND webhook_id IN IDS(($2))";
        s.execute(gone, vec![tenant.into_value(), Value::Ids(named)]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ALL;

    /// Texts that say nothing of one customer, or are gone with the row that they stand in.
    const OTHERS: [(&str, &str); 7] = [
        ("expenses", "note"),
        ("outages", "note"),
        ("deposits", "note"),
        ("payouts", "note"),
        ("credit_notes", "reason"),
        ("erasures", "reason"),
        ("webhooks", "note"),
    ];

    #[test]
    fn every_text_about_a_customer_is_looked_at() {
        let texts = ["reason", "note", "told"];
        for table in ALL {
            for column in table.columns.iter().filter(|column| texts.contains(column)) {
                let looked_at = TEXTS.iter().any(|of| of.table == table.name && of.column == *column);
                let other = OTHERS.contains(&(table.name, column));
                assert!(looked_at != other, "{}.{column}: is the person taken out of it?", table.name);
            }
        }
    }
}
