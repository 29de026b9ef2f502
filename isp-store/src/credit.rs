//! Credit notes, write-offs, collectors, and what days are charged for.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use isp_core::billing::{Charge, CreditNote, Invoice, InvoiceBalance, InvoiceKind};
use isp_core::calendar::{Date, Period, Zone};
use isp_core::ids::{CreditNoteId, CustomerId, InvoiceId, PaymentId, SubscriptionId, TenantId};
use isp_core::ledger::entry_for_credit_note;
use isp_core::ledger::kept::Sums;
use isp_core::money::Money;
use isp_core::payment::{CollectorBalance, Deposit, PaymentReversal, WriteOff};
use isp_core::ports::{CreditNoteRow, DepositRow, PageQuery, StoreError};
use isp_core::text::Code;
use uuid::Uuid;

use crate::customer::after;
use crate::encode::{lines, read_lines};
use crate::error::rejected;
use crate::invoice::{COLUMNS, EVER, read_balance, read_invoice};
use crate::rows::{append, must_exist};
use crate::session::{Session, all};
use crate::table::{CREDIT_NOTES, DEPOSITS, INVOICES, WRITE_OFFS};
use crate::value::{Column as _, Reader, Value, args};
use crate::{ending, ledger, payment};

/// Writes those of the notes that are not there yet, with their numbers, the payments that hold their amounts and their
/// entries, and gives them back. The caller holds the tenant's lock.
pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    mut notes: Vec<CreditNote>,
    next_number: u64,
    moved: &mut Sums,
) -> Result<Vec<CreditNote>, StoreError> {
    let ids = Value::Ids(notes.iter().map(|n| n.id.0).collect());
    let sql = "SELECT credit_note_id FROM credit_notes WHERE tenant_id = $1 AND credit_note_id IN IDS(($2))";
    let mut known: HashSet<CreditNoteId> =
        all(s, "credit note", sql, vec![Value::Id(tenant.0), ids], |r| r.get()).await?.into_iter().collect();
    notes.retain(|n| known.insert(n.id));
    if notes.is_empty() {
        return Ok(notes);
    }
    if !notes.iter().all(CreditNote::adds_up) {
        return Err(rejected("the lines of a credit note do not add up"));
    }
    let invoices: Vec<Uuid> = notes.iter().map(|n| n.invoice_id.0).collect();
    must_exist(s, tenant, &INVOICES, invoices.clone()).await?;
    for (note, number) in notes.iter_mut().zip(next_number..) {
        note.number = number;
    }
    let rows = notes
        .iter()
        .map(|n| {
            args![
                tenant,
                n.id,
                n.number,
                n.invoice_id,
                n.customer_id,
                n.subscription_id,
                n.site_id,
                n.package_id,
                n.reason,
                n.period.start,
                n.period.end,
                n.issue_date,
                n.at,
                n.dpp,
                n.ppn,
                n.total,
                lines(&n.lines),
                n.note.clone(),
                n.by.clone()
            ]
        })
        .collect();
    append(s, &CREDIT_NOTES, rows).await?;
    let mut given: HashMap<InvoiceId, Money> = HashMap::new();
    for note in standing_of(s, tenant, invoices.clone()).await? {
        *given.entry(note.invoice_id).or_default() += note.total;
    }
    let sql = "SELECT invoice_id, total FROM invoices WHERE tenant_id = $1 AND invoice_id IN IDS(($2))";
    let totals: Vec<(InvoiceId, Money)> =
        all(s, "invoice", sql, vec![Value::Id(tenant.0), Value::Ids(invoices)], |r| Ok((r.get()?, r.get()?))).await?;
    if totals.iter().any(|(id, total)| given.get(id).is_some_and(|given| given > total)) {
        return Err(StoreError::Conflict);
    }
    let payments: Result<Vec<_>, _> = notes.iter().map(CreditNote::payment).collect();
    payment::write(s, tenant, payments.map_err(|_| rejected("a credit note has no number"))?, moved).await?;
    let entries: Vec<_> = notes.iter().map(entry_for_credit_note).collect();
    ledger::write(s, tenant, &entries, moved).await?;
    Ok(notes)
}

const NOTE: &str = "credit_note_id, number, invoice_id, customer_id, subscription_id, site_id, package_id, reason,
    period_start, period_end, issue_date, issued_at, dpp, ppn, total, lines, note, written_by";

fn read_note(r: &mut Reader<'_>) -> Result<CreditNote, StoreError> {
    let mut note = CreditNote {
        id: r.get()?,
        number: r.get()?,
        invoice_id: r.get()?,
        customer_id: r.get()?,
        subscription_id: r.get()?,
        site_id: r.get()?,
        package_id: r.get()?,
        reason: r.get()?,
        period: Period { start: r.get()?, end: r.get()? },
        issue_date: r.get()?,
        at: r.get()?,
        dpp: r.get()?,
        ppn: r.get()?,
        total: r.get()?,
        lines: Vec::new(),
        note: String::new(),
        by: String::new(),
    };
    note.lines = read_lines(&r.get::<String>()?)?.into_iter().collect();
    (note.note, note.by) = (r.get()?, r.get()?);
    Ok(note)
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
    page: PageQuery<CreditNoteId>,
) -> Result<Vec<CreditNoteRow>, StoreError> {
    let only = if customer.is_some() { "AND customer_id = $4" } else { "" };
    let sql = format!(
        "SELECT {NOTE} FROM credit_notes WHERE tenant_id = $1 AND credit_note_id > $2 {only}
        ORDER BY credit_note_id LIMIT $3"
    );
    let mut args = args![tenant, after(page.after.map(|id| id.0)), page.limit];
    args.extend(customer.map(CustomerId::into_value));
    let notes = all(s, "credit note", &sql, args, read_note).await?;
    with_reversals(s, tenant, notes).await
}

/// What was given back to these customers, in no order.
pub(crate) async fn of_customers(
    s: &mut dyn Session,
    tenant: TenantId,
    customers: Value,
) -> Result<Vec<CreditNoteRow>, StoreError> {
    let sql = format!("SELECT {NOTE} FROM credit_notes WHERE tenant_id = $1 AND customer_id IN IDS(($2))");
    let notes = all(s, "credit note", &sql, vec![Value::Id(tenant.0), customers], read_note).await?;
    with_reversals(s, tenant, notes).await
}

async fn with_reversals(
    s: &mut dyn Session,
    tenant: TenantId,
    notes: Vec<CreditNote>,
) -> Result<Vec<CreditNoteRow>, StoreError> {
    let mut reversals = reversals_of(s, tenant, &notes).await?;
    let row = |note: CreditNote| CreditNoteRow { taken_back: reversals.remove(&note.payment_id()), note };
    Ok(notes.into_iter().map(row).collect())
}

/// The reversals of the payments that held the amounts of notes: those of notes that were taken back.
async fn reversals_of(
    s: &mut dyn Session,
    tenant: TenantId,
    notes: &[CreditNote],
) -> Result<HashMap<PaymentId, PaymentReversal>, StoreError> {
    if notes.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = Value::Ids(notes.iter().map(|note| note.payment_id().0).collect());
    let sql = "SELECT payment_id, reversed_at, reason, reversed_by FROM payment_reversals
        WHERE tenant_id = $1 AND payment_id IN IDS(($2))";
    let read = |r: &mut Reader<'_>| {
        let (payment_id, at, reason, by) = (r.get()?, r.get()?, r.get()?, r.get()?);
        Ok((payment_id, PaymentReversal { payment_id, at, reason, by }))
    };
    let rows = all(s, "credit note", sql, vec![Value::Id(tenant.0), ids], read).await?;
    Ok(rows.into_iter().collect())
}

/// The notes of invoices that stand, in id order.
async fn standing_of(
    s: &mut dyn Session,
    tenant: TenantId,
    invoices: Vec<Uuid>,
) -> Result<Vec<CreditNote>, StoreError> {
    let sql = format!(
        "SELECT {NOTE} FROM credit_notes WHERE tenant_id = $1 AND invoice_id IN IDS(($2)) ORDER BY credit_note_id"
    );
    let list = vec![Value::Id(tenant.0), Value::Ids(invoices)];
    let mut notes = all(s, "credit note", &sql, list, read_note).await?;
    let reversals = reversals_of(s, tenant, &notes).await?;
    notes.retain(|note| !reversals.contains_key(&note.payment_id()));
    Ok(notes)
}

/// The invoices of subscriptions for days of service that touch a span of days, with their notes.
pub(crate) async fn charges(
    s: &mut dyn Session,
    tenant: TenantId,
    subscriptions: &[SubscriptionId],
    days: Period,
) -> Result<Vec<Charge>, StoreError> {
    if subscriptions.is_empty() {
        return Ok(Vec::new());
    }
    let ids = || Value::Ids(subscriptions.iter().map(|id| id.0).collect());
    // By the customers, who have an index.
    let sql = format!(
        "SELECT {COLUMNS} FROM invoices i
        WHERE i.tenant_id = $1 AND i.customer_id IN (
                SELECT s.customer_id FROM subscriptions s WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2)))
            AND {EVER} AND i.subscription_id IN IDS(($3)) AND i.kind IN (1, 4) AND i.period_start < $4 AND i.period_end > $5
        ORDER BY i.subscription_id, i.period_start, i.invoice_id"
    );
    let args = vec![Value::Id(tenant.0), ids(), ids(), Value::Day(days.end), Value::Day(days.start)];
    let invoices: Vec<(Invoice, Money)> = all(s, "invoice", &sql, args, read_invoice).await?;
    let list = invoices.iter().map(|(i, _)| i.id.0).collect();
    let mut notes: HashMap<InvoiceId, Vec<CreditNote>> = HashMap::new();
    for note in standing_of(s, tenant, list).await? {
        notes.entry(note.invoice_id).or_default().push(note);
    }
    let charge = |(invoice, _): (Invoice, Money)| {
        let notes = notes.remove(&invoice.id).unwrap_or_default();
        Charge { invoice, notes }
    };
    Ok(invoices.into_iter().map(charge).collect())
}

/// The invoices for a period that are due on a day at sites of a zone and had something open at a moment, by
/// when each payment was made: one that was taken back never came.
pub(crate) async fn unpaid_at(
    s: &mut dyn Session,
    tenant: TenantId,
    due: Date,
    zone: Zone,
    at: DateTime<Utc>,
    page: PageQuery<InvoiceId>,
) -> Result<Vec<InvoiceBalance>, StoreError> {
    // Those still open by their index, and those that were paid since: nothing else can have been open then.
    let sql = "WITH late (invoice_id) AS (
            SELECT invoice_id FROM invoices WHERE tenant_id = $1 AND due_date = $2 AND total > paid
            UNION SELECT invoice_id FROM allocations WHERE tenant_id = $1 AND allocated_at >= $4)
        SELECT i.invoice_id, i.number, i.customer_id, i.subscription_id, i.site_id, i.package_id, i.kind, i.period_start,
            i.period_end, i.issue_date, i.due_date, i.total, CAST(COALESCE((
                SELECT SUM(a.amount) FROM allocations a
                    JOIN payments y ON y.tenant_id = a.tenant_id AND y.payment_id = a.payment_id
                WHERE a.tenant_id = $1 AND a.invoice_id = i.invoice_id AND y.paid_at < $4 AND NOT EXISTS (
                    SELECT 1 FROM payment_reversals r
                    WHERE r.tenant_id = y.tenant_id AND r.payment_id = y.payment_id)
            ), 0) AS BIGINT) AS paid_then
        FROM late l
            JOIN invoices i ON i.tenant_id = $1 AND i.invoice_id = l.invoice_id
            JOIN sites p ON p.tenant_id = i.tenant_id AND p.site_id = i.site_id
        WHERE i.due_date = $2 AND p.zone = $3 AND i.kind = $5 AND i.invoice_id > $6
        ORDER BY i.invoice_id";
    let args = args![tenant, due, zone, at, InvoiceKind::Subscription, after(page.after.map(|id| id.0))];
    let mut found = all(s, "invoice", sql, args, read_balance).await?;
    found.retain(|i| i.residual().is_positive());
    found.truncate(page.limit as usize);
    Ok(found)
}

pub(crate) async fn write_write_offs(
    s: &mut dyn Session,
    tenant: TenantId,
    write_offs: Vec<WriteOff>,
) -> Result<(), StoreError> {
    must_exist(s, tenant, &INVOICES, write_offs.iter().map(|w| w.invoice_id.0).collect()).await?;
    let rows = write_offs.into_iter().map(|w| args![tenant, w.payment_id, w.invoice_id, w.reason, w.by]).collect();
    append(s, &WRITE_OFFS, rows).await
}

pub(crate) async fn write_offs(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<Vec<WriteOff>, StoreError> {
    let only = if customer.is_some() { "AND p.customer_id = $2" } else { "" };
    let sql = format!(
        "SELECT w.payment_id, w.invoice_id, p.customer_id, p.amount, w.reason, w.written_by, p.paid_at
        FROM write_offs w JOIN payments p ON p.tenant_id = w.tenant_id AND p.payment_id = w.payment_id
        WHERE w.tenant_id = $1 {only} ORDER BY w.payment_id"
    );
    let mut args = args![tenant];
    args.extend(customer.map(CustomerId::into_value));
    all(s, "write-off", &sql, args, |r| {
        Ok(WriteOff {
            payment_id: r.get()?,
            invoice_id: r.get()?,
            customer_id: r.get()?,
            amount: r.get()?,
            reason: r.get()?,
            by: r.get()?,
            at: r.get()?,
        })
    })
    .await
}

pub(crate) async fn write_deposits(
    s: &mut dyn Session,
    tenant: TenantId,
    deposits: Vec<Deposit>,
) -> Result<(), StoreError> {
    let rows =
        deposits.into_iter().map(|d| args![tenant, d.id, d.collector, d.amount, d.to, d.on, d.by, d.note]).collect();
    append(s, &DEPOSITS, rows).await
}

pub(crate) async fn deposits(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<DepositRow>, StoreError> {
    let sql = format!(
        "SELECT t.deposit_id, t.collector, t.amount, t.kept_in, t.deposited_on, t.taken_by, t.note, {}
        FROM deposits t {} WHERE t.tenant_id = $1 ORDER BY t.deposited_on, t.deposit_id",
        ending::COLUMNS,
        ending::join("deposit", "t.deposit_id")
    );
    all(s, "deposit", &sql, args![tenant], |r| {
        let (id, collector, amount, to) = (r.get()?, r.get()?, r.get()?, r.get()?);
        let deposit = Deposit { id, collector, amount, to, on: r.get()?, by: r.get()?, note: r.get()? };
        Ok(DepositRow { deposit, ending: ending::read(r)? })
    })
    .await
}

/// What each collector took and handed over, by name without case.
pub(crate) async fn collectors(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<CollectorBalance>, StoreError> {
    let collected = "SELECT p.collector, CAST(SUM(p.amount) AS BIGINT) FROM payments p
        WHERE p.tenant_id = $1 AND p.collector IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM payment_reversals r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)
        GROUP BY p.collector ORDER BY p.collector";
    let deposited = "SELECT d.collector, CAST(SUM(d.amount) AS BIGINT) FROM deposits d
        WHERE d.tenant_id = $1 AND NOT EXISTS (
            SELECT 1 FROM endings e
            WHERE e.tenant_id = d.tenant_id AND e.record_id = d.deposit_id AND e.record = 'deposit')
        GROUP BY d.collector ORDER BY d.collector";
    let mut sums: BTreeMap<String, CollectorBalance> = BTreeMap::new();
    for (sql, taken) in [(collected, true), (deposited, false)] {
        for (collector, amount) in all(s, "collector", sql, args![tenant], |r| Ok((r.get::<Code>()?, r.get()?))).await?
        {
            let zero =
                || CollectorBalance { collector: collector.clone(), collected: Money::ZERO, deposited: Money::ZERO };
            let sum = sums.entry(collector.folded()).or_insert_with(zero);
            *(if taken { &mut sum.collected } else { &mut sum.deposited }) += amount;
        }
    }
    Ok(sums.into_values().collect())
}
