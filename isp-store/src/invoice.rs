//! Invoices: written once, numbered without gaps, and how much of them is paid.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use isp_core::billing::{Billable, Debt, Invoice, InvoiceBalance, InvoiceKind};
use isp_core::calendar::{Date, Period, Zone};
use isp_core::ids::{CustomerId, InvoiceId, SubscriptionId, TenantId};
use isp_core::ledger::kept::Sums;
use isp_core::money::Money;
use isp_core::ports::{InvoiceQuery, OpenPlace, PageQuery, StoreError};
use isp_core::report::{Counted, DueDays};

use uuid::Uuid;

use crate::customer::after;
use crate::encode::{lines, read_lines};
use crate::error::rejected;
use crate::rows::must_exist;
use crate::seen::Pair;
use crate::session::{Rows, Session, all, first, readable, readable_by, readable_of, readable_page};
use crate::sums;
use crate::table::{CUSTOMERS, INVOICES, SUBSCRIPTIONS};
use crate::value::{Column as _, Kind, Reader, Value, args};

/// From so many invoices on, their subscriptions are read as a range.
const RANGE_FROM: usize = 100;
/// How many subscriptions of the range are read for one that is invoiced.
const RANGE_WIDTH: u64 = 2;

/// Says of an invoice `i` of the tenant `$1` that it was issued at any time. It stands where invoices are looked for by their customer alone:
/// the index of PostgreSQL for that begins with stretches of days, so that a run of billing writes into a small part of it.
pub(crate) const EVER: &str = "ISSUED EVER";

/// The columns of [`InvoiceBalance`], in the order of [`read_balance`].
pub(crate) const BALANCE: &str = "i.invoice_id, i.number, i.customer_id, i.subscription_id, i.site_id, i.package_id,
    i.kind, i.period_start, i.period_end, i.issue_date, i.due_date, i.total, i.paid";

/// The columns of [`Invoice`] and what was paid of it, in the order of [`read_invoice`].
pub(crate) const COLUMNS: &str = "i.invoice_id, i.number, i.customer_id, i.subscription_id, i.site_id, i.package_id,
    i.kind, i.period_start, i.period_end, i.issue_date, i.due_date, i.dpp, i.ppn, i.total, i.paid, i.lines";

pub(crate) fn read_balance(r: &mut Reader<'_>) -> Result<InvoiceBalance, StoreError> {
    let (invoice_id, number) = (r.get()?, r.get()?);
    Ok(InvoiceBalance {
        customer_id: r.get()?,
        subscription_id: r.get()?,
        site_id: r.get()?,
        package_id: r.get()?,
        kind: r.get()?,
        period: Period { start: r.get()?, end: r.get()? },
        debt: Debt { invoice_id, number, issue_date: r.get()?, due_date: r.get()?, total: r.get()?, paid: r.get()? },
    })
}

pub(crate) fn read_invoice(r: &mut Reader<'_>) -> Result<(Invoice, Money), StoreError> {
    let mut invoice = Invoice {
        id: r.get()?,
        number: r.get()?,
        customer_id: r.get()?,
        subscription_id: r.get()?,
        site_id: r.get()?,
        package_id: r.get()?,
        kind: r.get()?,
        period: Period { start: r.get()?, end: r.get()? },
        issue_date: r.get()?,
        due_date: r.get()?,
        lines: Default::default(),
        dpp: r.get()?,
        ppn: r.get()?,
        total: r.get()?,
    };
    let paid = r.get()?;
    invoice.lines = read_lines(&r.get::<String>()?)?;
    Ok((invoice, paid))
}

/// Writes those of the invoices that are not there yet, with their numbers, and gives them back.
///
/// The caller holds the tenant's lock, so nobody else of this program writes invoices meanwhile. A run finds nothing
/// of its own there almost always, so the rows go straight in; only when the unique keys object are those that are
/// there looked for, and the rest written. Numbers have no gaps, because the counter moves in the same transaction.
pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    mut invoices: Vec<Invoice>,
    next_number: u64,
    seen: &[Arc<Vec<Billable>>],
) -> Result<Vec<Invoice>, StoreError> {
    if !invoices.iter().all(Invoice::adds_up) {
        return Err(rejected("the lines of an invoice do not add up"));
    }
    drop_repeated(&mut invoices);
    parties_must_exist(s, tenant, &invoices, seen).await?;
    s.execute("SAVEPOINT invoices", Vec::new()).await?;
    match append(s, tenant, &mut invoices, next_number).await {
        Ok(()) => {}
        Err(StoreError::Duplicate { .. }) => {
            s.execute("ROLLBACK TO SAVEPOINT invoices", Vec::new()).await?;
            drop_known(s, tenant, &mut invoices).await?;
            if !invoices.is_empty() {
                append(s, tenant, &mut invoices, next_number).await?;
            }
        }
        Err(other) => return Err(other),
    }
    s.execute("RELEASE SAVEPOINT invoices", Vec::new()).await?;
    Ok(invoices)
}

/// Fails unless the customers and the subscriptions that invoices name are there. The table has no foreign keys: this
/// costs a tenth of what they would.
///
/// A billing run has just read them, and mostly nobody has changed any since: these are known from the pages `seen`. Else
/// it invoices a page of subscriptions that follow one another by their ids. So the subscriptions of that
/// range are read in one go, with their customers, which a foreign key of theirs proves to be there; looking each id up
/// costs several times as much. What the range does not prove is looked up.
async fn parties_must_exist(
    s: &mut dyn Session,
    tenant: TenantId,
    invoices: &[Invoice],
    seen: &[Arc<Vec<Billable>>],
) -> Result<(), StoreError> {
    let mut named: Vec<Pair> = invoices.iter().map(|i| (i.subscription_id.0, i.customer_id.0)).collect();
    named.sort_unstable();
    named.dedup();
    for page in seen {
        leave_out(&mut named, page.iter().map(|line| (line.subscription_id.0, line.customer_id.0)));
    }
    if let [(first, _), .., (last, _)] = *named
        && named.len() >= RANGE_FROM
    {
        let sql = "SELECT subscription_id AS a, customer_id AS b FROM subscriptions
            WHERE tenant_id = $1 AND subscription_id BETWEEN $2 AND $3 ORDER BY subscription_id LIMIT $4";
        let limit = named.len() as u64 * RANGE_WIDTH;
        let found = s.fetch_pairs(sql, args![tenant, first, last, limit]).await?;
        leave_out(&mut named, found.into_iter());
    }
    must_exist(s, tenant, &CUSTOMERS, named.iter().map(|(_, customer)| *customer).collect()).await?;
    must_exist(s, tenant, &SUBSCRIPTIONS, named.iter().map(|(subscription, _)| *subscription).collect()).await
}

/// Leaves those out that were found; both are in order.
fn leave_out(named: &mut Vec<Pair>, found: impl Iterator<Item = Pair>) {
    let mut found = found.peekable();
    named.retain(|pair| {
        while found.next_if(|row| row < pair).is_some() {}
        found.peek() != Some(pair)
    });
}

/// Writes the rows of invoices, which get their numbers.
async fn append(
    s: &mut dyn Session,
    tenant: TenantId,
    invoices: &mut [Invoice],
    next_number: u64,
) -> Result<(), StoreError> {
    let count = invoices.len();
    let mut numbered = invoices.iter_mut().zip(next_number..);
    let mut next = |values: &mut Vec<Value>| {
        let Some((i, number)) = numbered.next() else { return };
        i.number = number;
        values.extend([
            tenant.into_value(),
            i.id.into_value(),
            i.number.into_value(),
            i.customer_id.into_value(),
            i.subscription_id.into_value(),
            i.site_id.into_value(),
            i.package_id.into_value(),
            i.kind.into_value(),
            i.period.start.into_value(),
            i.period.end.into_value(),
            i.issue_date.into_value(),
            i.due_date.into_value(),
            i.dpp.into_value(),
            i.ppn.into_value(),
            i.total.into_value(),
            Money::ZERO.into_value(),
            Value::Text(lines(&i.lines)),
        ]);
    };
    s.append(&INVOICES, &mut Rows::new(count, &mut next)).await
}

type Key = (SubscriptionId, InvoiceKind, Date);

fn key(invoice: &Invoice) -> Key {
    (invoice.subscription_id, invoice.kind, invoice.period.start)
}

/// Of invoices that name one thing twice, the first stays.
fn drop_repeated(invoices: &mut Vec<Invoice>) {
    // Sorting ids that are in order almost is cheaper than hashing them, and hardly ever is one there twice.
    if are_distinct(invoices.iter().map(|i| i.id)) && are_distinct(invoices.iter().map(key)) {
        return;
    }
    let mut ids = HashSet::with_capacity(invoices.len());
    let mut keys = HashSet::with_capacity(invoices.len());
    invoices.retain(|i| {
        let first = !ids.contains(&i.id) && !keys.contains(&key(i));
        if first {
            ids.insert(i.id);
            keys.insert(key(i));
        }
        first
    });
}

fn are_distinct<T: Ord>(values: impl Iterator<Item = T>) -> bool {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.is_sorted_by(|a, b| a < b)
}

async fn drop_known(s: &mut dyn Session, tenant: TenantId, invoices: &mut Vec<Invoice>) -> Result<(), StoreError> {
    let ids = Value::Ids(invoices.iter().map(|i| i.id.0).collect());
    let sql = "SELECT invoice_id FROM invoices WHERE tenant_id = $1 AND invoice_id IN IDS(($2))";
    let ids: HashSet<InvoiceId> =
        all(s, "invoice", sql, vec![Value::Id(tenant.0), ids], |r| r.get()).await?.into_iter().collect();
    invoices.retain(|i| !ids.contains(&i.id));
    // By the days that are named, in the order of the unique key.
    let mut days: HashMap<Date, Vec<uuid::Uuid>> = HashMap::new();
    for invoice in invoices.iter() {
        days.entry(invoice.period.start).or_default().push(invoice.subscription_id.0);
    }
    let sql = "SELECT subscription_id, kind, period_start FROM invoices
        WHERE tenant_id = $1 AND period_start = $2 AND subscription_id IN IDS(($3))";
    let mut keys: HashSet<Key> = HashSet::new();
    for (day, subscriptions) in days {
        let args = vec![Value::Id(tenant.0), Value::Day(day), Value::Ids(subscriptions)];
        keys.extend(all(s, "invoice", sql, args, |r| Ok((r.get()?, r.get()?, r.get()?))).await?);
    }
    invoices.retain(|i| !keys.contains(&key(i)));
    Ok(())
}

/// Changes what is paid of invoices. [`StoreError::Conflict`] when one would be paid beyond its total or below zero.
pub(crate) async fn pay(
    s: &mut dyn Session,
    tenant: TenantId,
    amounts: BTreeMap<InvoiceId, Money>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = amounts.keys().map(|id| id.0).collect();
    let rows = amounts.iter().flat_map(|(id, amount)| args![*id, *amount]).collect();
    let count = ids.len() as u64;
    if count == 0 {
        return Ok(());
    }
    let sql = "WITH v (id, amount) AS (VALUES {rows})
        UPDATE invoices SET paid = paid + v.amount FROM v
        WHERE tenant_id = $1 AND invoice_id = v.id AND paid + v.amount BETWEEN 0 AND total";
    if s.execute_rows(sql, args![tenant], 2, rows).await? == count {
        for (id, key) in sums::open_keys(s, tenant, ids).await? {
            moved.open(key, -amounts.get(&id).copied().unwrap_or_default());
        }
        return Ok(());
    }
    must_exist(s, tenant, &INVOICES, ids).await?;
    Err(StoreError::Conflict)
}

/// The open invoices of customers, oldest due date first.
pub(crate) async fn open_of(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
) -> Result<Vec<InvoiceBalance>, StoreError> {
    let args = vec![Value::Id(tenant.0), customers];
    Ok(by_age(all(s, "invoice", &open_sql(), args, read_balance).await?))
}

/// The open invoices of all customers, oldest due date first.
pub(crate) async fn all_open(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<InvoiceBalance>, StoreError> {
    let sql = format!("SELECT {BALANCE} FROM invoices i WHERE i.tenant_id = $1 AND i.total > i.paid");
    Ok(by_age(all(s, "invoice", &sql, args![tenant], read_balance).await?))
}

/// As [`open_of`] without those that cannot be read.
pub(crate) async fn open_of_many(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
) -> Result<Vec<InvoiceBalance>, StoreError> {
    let args = vec![Value::Id(tenant.0), customers];
    Ok(by_age(readable(s, "invoice", &open_sql(), args, read_balance).await?))
}

/// A page of all that is open, in the order of due day, customer and id: that of the index of open invoices.
pub(crate) async fn open_from(
    s: &mut dyn Session,
    tenant: TenantId,
    after: Option<OpenPlace>,
    limit: u32,
) -> Result<Vec<InvoiceBalance>, StoreError> {
    let (due, customer, invoice) = after.unwrap_or((Date::MIN, CustomerId(Uuid::nil()), InvoiceId(Uuid::nil())));
    let sql = format!(
        "SELECT {BALANCE} FROM invoices i WHERE i.tenant_id = $1 AND i.total > i.paid
            AND (i.due_date, i.customer_id, i.invoice_id) > ($2, $3, $4)
        ORDER BY i.due_date, i.customer_id, i.invoice_id LIMIT $5"
    );
    let place = [(1, 10, Kind::Day), (2, 2, Kind::Id), (3, 0, Kind::Id)];
    readable_by(s, "invoice", &sql, args![tenant, due, customer, invoice, limit], (&place, 4), read_balance).await
}

/// How many customers have an open invoice that was issued by a day and is due on one of these days, and what these come to.
pub(crate) async fn owed(
    s: &mut dyn Session,
    tenant: TenantId,
    issued_by: Date,
    due: DueDays,
) -> Result<Counted, StoreError> {
    let sql = "SELECT COUNT(DISTINCT i.customer_id), CAST(COALESCE(SUM(i.total - i.paid), 0) AS BIGINT) FROM invoices i
        WHERE i.tenant_id = $1 AND i.total > i.paid AND i.issue_date <= $2 AND i.due_date BETWEEN $3 AND $4";
    let found = first(s, "invoice", sql, args![tenant, issued_by, due.first, due.last], |r| {
        Ok(Counted::new(r.get()?, r.get()?))
    });
    Ok(found.await?.unwrap_or_default())
}

/// As [`open_of`], with the customers of whom an open invoice cannot be read.
pub(crate) async fn open_readable(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
) -> Result<(Vec<InvoiceBalance>, HashSet<uuid::Uuid>), StoreError> {
    let args = vec![Value::Id(tenant.0), customers];
    let (open, unclear) = readable_of(s, "invoice", &open_sql(), args, 2, read_balance).await?;
    Ok((by_age(open), unclear))
}

fn open_sql() -> String {
    format!(
        "SELECT {BALANCE} FROM invoices i
        WHERE i.tenant_id = $1 AND i.customer_id IN IDS(($2)) AND i.total > i.paid"
    )
}

/// Sorted here: asked for this order, SQLite would walk through all that is open by due date.
fn by_age(mut open: Vec<InvoiceBalance>) -> Vec<InvoiceBalance> {
    open.sort_by_key(|i| (i.due_date, i.issue_date, i.number));
    open
}

/// Invoices by id, in the order asked.
pub(crate) async fn by_ids(
    s: &mut dyn Session,
    tenant: TenantId,
    ids: &[InvoiceId],
) -> Result<Vec<InvoiceBalance>, StoreError> {
    let sql = format!("SELECT {BALANCE} FROM invoices i WHERE i.tenant_id = $1 AND i.invoice_id IN IDS(($2))");
    let list = Value::Ids(ids.iter().map(|id| id.0).collect());
    let found = all(s, "invoice", &sql, vec![Value::Id(tenant.0), list], read_balance).await?;
    let found: HashMap<InvoiceId, InvoiceBalance> = found.into_iter().map(|i| (i.invoice_id, i)).collect();
    Ok(ids.iter().filter_map(|id| found.get(id).copied()).collect())
}

/// The invoices of a list of customers that were issued on or before `$4`, with what was paid by `$3` of each and less than its total.
/// The moment stands within the sum: as a condition, SQLite would look up all that was ever paid until then for each invoice.
pub(crate) const OPEN_AT: &str = "WITH t AS MATERIALIZED (
        SELECT i.invoice_id, i.number, i.customer_id, i.subscription_id, i.site_id, i.package_id, i.kind, i.period_start,
            i.period_end, i.issue_date, i.due_date, i.total, CAST(COALESCE((
                SELECT SUM(CASE WHEN a.allocated_at <= $3 THEN a.amount ELSE 0 END) FROM allocations a
                WHERE a.tenant_id = $1 AND a.invoice_id = i.invoice_id
            ), 0) AS BIGINT) AS paid_then
        FROM invoices i WHERE i.tenant_id = $1 AND i.customer_id IN IDS(($2)) AND ISSUED EVER AND i.issue_date <= $4
    ) SELECT * FROM t WHERE t.total > t.paid_then";

/// What these customers owed at a moment, oldest due date first: each invoice with what was paid of it by then. The latest day of all zones
/// counts, so one may be among them that is issued on the next day of its own zone.
pub(crate) async fn open_at(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
    at: DateTime<Utc>,
) -> Result<Vec<InvoiceBalance>, StoreError> {
    let args = vec![Value::Id(tenant.0), customers, Value::Moment(at), Value::Day(Zone::Wit.date_of(at))];
    Ok(by_age(all(s, "invoice", OPEN_AT, args, read_balance).await?))
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    query: InvoiceQuery,
    page: PageQuery<InvoiceId>,
) -> Result<Vec<(Invoice, Money)>, StoreError> {
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    let mut conditions = String::new();
    let mut add = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            args.push(value);
            conditions.push_str(&format!(" AND {condition} ${}", args.len()));
        }
    };
    add("customer_id =", query.customer.map(CustomerId::into_value));
    add("issue_date >=", query.issued_from.map(Date::into_value));
    add("issue_date <", query.issued_before.map(Date::into_value));
    add("kind =", query.kind.map(InvoiceKind::into_value));
    if query.open {
        conditions.push_str(" AND total > paid");
    }
    if query.customer.is_some() && !query.open {
        conditions.push_str(&format!(" AND {EVER}"));
    }
    // A customer's are looked up: for the sake of the order, SQLite would walk through all invoices of the provider.
    let id = if query.customer.is_some() { "COALESCE(i.invoice_id, $2)" } else { "i.invoice_id" };
    let sql = format!(
        "SELECT {COLUMNS} FROM invoices i WHERE i.tenant_id = $1 AND {id} > $2{conditions}
        ORDER BY {id} LIMIT $3"
    );
    readable_page(s, "invoice", &sql, args, (1, 2), read_invoice).await
}

/// The invoices of these customers, in no order.
pub(crate) async fn of_customers(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
) -> Result<Vec<(Invoice, Money)>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM invoices i WHERE i.tenant_id = $1 AND i.customer_id IN IDS(($2)) AND {EVER}");
    readable(s, "invoice", &sql, vec![Value::Id(tenant.0), customers], read_invoice).await
}
