//! Statements: which invoices of a customer stand on one document.

use std::collections::{BTreeSet, HashSet};

use isp_core::billing::{Invoice, InvoiceBalance, Statement};
use isp_core::ids::{CustomerId, StatementId, TenantId};
use isp_core::ports::StoreError;

use crate::rows::append;
use crate::session::{Session, all, first};
use crate::table::STATEMENTS;
use crate::value::{Reader, Value, args};

const COLUMNS: &str = "t.customer_id, t.issue_date, t.due_date, t.number";

fn read(r: &mut Reader<'_>) -> Result<Statement, StoreError> {
    Ok(Statement { customer_id: r.get()?, issue_date: r.get()?, due_date: r.get()?, number: r.get()? })
}

/// Makes the statements that invoices which were just written stand on and that are not there yet; how many. The caller
/// holds the tenant's lock.
pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    invoices: &[Invoice],
    next_number: u64,
) -> Result<u64, StoreError> {
    let customers = billed_together(s, tenant, invoices).await?;
    if customers.is_empty() {
        return Ok(0);
    }
    let mut named = HashSet::new();
    let mut wanted: Vec<Statement> = invoices
        .iter()
        .filter(|i| customers.contains(&i.customer_id))
        .map(|i| Statement { customer_id: i.customer_id, issue_date: i.issue_date, due_date: i.due_date, number: 0 })
        .filter(|statement| named.insert(statement.id()))
        .collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    let sql = "SELECT statement_id FROM statements WHERE tenant_id = $1 AND statement_id IN IDS(($2))";
    let args = vec![Value::Id(tenant.0), Value::Ids(wanted.iter().map(|w| w.id().0).collect())];
    let known: HashSet<StatementId> = all(s, "statement", sql, args, |r| r.get()).await?.into_iter().collect();
    wanted.retain(|w| !known.contains(&w.id()));
    let rows = wanted
        .iter()
        .zip(next_number..)
        .map(|(w, number)| args![tenant, w.id(), w.customer_id, w.issue_date, w.due_date, number])
        .collect();
    append(s, &STATEMENTS, rows).await?;
    Ok(wanted.len() as u64)
}

/// Those customers of invoices who get one document for all their lines.
///
/// A billing run invoices customers that follow one another by their ids, so those of a range are asked for; there are few. Only when
/// there are more than invoices are they looked up one by one.
async fn billed_together(
    s: &mut dyn Session,
    tenant: TenantId,
    invoices: &[Invoice],
) -> Result<HashSet<CustomerId>, StoreError> {
    let named = || invoices.iter().map(|i| i.customer_id);
    let (Some(first), Some(last)) = (named().min(), named().max()) else { return Ok(HashSet::new()) };
    let sql = "SELECT customer_id FROM customers
        WHERE tenant_id = $1 AND invoicing = 'per_customer' AND customer_id BETWEEN $2 AND $3
        ORDER BY customer_id LIMIT $4";
    let most = invoices.len() as u64 + 1;
    let found = all(s, "customer", sql, args![tenant, first, last, most], |r| r.get::<CustomerId>()).await?;
    if (found.len() as u64) < most {
        return Ok(found.into_iter().collect());
    }
    let customers: BTreeSet<_> = named().map(|id| id.0).collect();
    let sql = "SELECT customer_id FROM customers
        WHERE tenant_id = $1 AND invoicing = 'per_customer' AND customer_id IN IDS(($2))";
    let args = vec![Value::Id(tenant.0), Value::Ids(customers.into_iter().collect())];
    Ok(all(s, "customer", sql, args, |r| r.get()).await?.into_iter().collect())
}

/// All statements of customers, in the order of their numbers.
pub(crate) async fn of(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: &[CustomerId],
) -> Result<Vec<Statement>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM statements t WHERE t.tenant_id = $1 AND t.customer_id IN IDS(($2)) ORDER BY t.number"
    );
    let ids = Value::Ids(customers.iter().map(|id| id.0).collect());
    all(s, "statement", &sql, vec![Value::Id(tenant.0), ids], read).await
}

/// The statements of customers that hold any of these invoices of theirs, in the order of their numbers.
pub(crate) async fn holding(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: &[CustomerId],
    invoices: &[InvoiceBalance],
) -> Result<Vec<Statement>, StoreError> {
    let Some(first_due) = invoices.iter().map(|i| i.due_date).min() else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {COLUMNS} FROM statements t
        WHERE t.tenant_id = $1 AND t.customer_id IN IDS(($2)) AND t.due_date >= $3 ORDER BY t.number"
    );
    let ids = Value::Ids(customers.iter().map(|id| id.0).collect());
    let args = vec![Value::Id(tenant.0), ids, Value::Day(first_due)];
    let mut found = all(s, "statement", &sql, args, read).await?;
    let days: HashSet<_> = invoices.iter().map(|i| (i.customer_id, i.issue_date, i.due_date)).collect();
    found.retain(|t| days.contains(&(t.customer_id, t.issue_date, t.due_date)));
    Ok(found)
}

/// The statement with a number.
pub(crate) async fn by_number(
    s: &mut dyn Session,
    tenant: TenantId,
    number: u64,
) -> Result<Option<Statement>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM statements t WHERE t.tenant_id = $1 AND t.number = $2");
    first(s, "statement", &sql, args![tenant, number], read).await
}
