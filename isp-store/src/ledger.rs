//! The journal and expenses.

use std::collections::{BTreeMap, HashMap};

use isp_core::calendar::Date;
use isp_core::ids::{JournalEntryId, PackageId, SiteId, TenantId};
use isp_core::ledger::kept::Sums;
use isp_core::ledger::{Account, EntryKind, Expense, JournalEntry, JournalLine, JournalTotal};
use isp_core::money::Money;
use isp_core::ports::{ExpenseRow, PageQuery, StoreError};

use uuid::Uuid;

use crate::customer::after;
use crate::ending;
use crate::rows::append;
use crate::session::{Session, all};
use crate::table::{EXPENSES, JOURNAL_ENTRIES, JOURNAL_LINES};
use crate::value::{Reader, Value, args};

pub(crate) async fn write_expenses(
    s: &mut dyn Session,
    tenant: TenantId,
    expenses: Vec<Expense>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    expenses.iter().for_each(|expense| moved.expense(expense));
    let rows = expenses
        .into_iter()
        .map(|e| args![tenant, e.id, e.on, e.category, e.amount, e.note, e.site_id, e.paid_from])
        .collect();
    append(s, &EXPENSES, rows).await
}

/// Expenses, oldest first.
pub(crate) async fn expenses(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<ExpenseRow>, StoreError> {
    let sql = format!(
        "SELECT t.expense_id, t.spent_on, t.category, t.amount, t.note, t.site_id, t.paid_from, {}
        FROM expenses t {} WHERE t.tenant_id = $1 ORDER BY t.spent_on, t.expense_id",
        ending::COLUMNS,
        ending::join("expense", "t.expense_id")
    );
    all(s, "expense", &sql, args![tenant], |r| {
        let (id, on, category, amount) = (r.get()?, r.get()?, r.get()?, r.get()?);
        let (note, site_id, paid_from) = (r.get()?, r.get()?, r.get()?);
        let expense = Expense { id, on, category, amount, paid_from, note, site_id };
        Ok(ExpenseRow { expense, ending: ending::read(r)? })
    })
    .await
}

/// Writes entries, and adds them to what the commit moves.
pub(crate) async fn write(
    s: &mut dyn Session,
    tenant: TenantId,
    entries: &[JournalEntry],
    moved: &mut Sums,
) -> Result<(), StoreError> {
    entries.iter().for_each(|entry| moved.entry(entry));
    if entries.iter().any(|entry| !entry.balances()) {
        return Err(StoreError::Rejected { reason: "a journal entry does not balance".to_owned() });
    }
    let rows = entries.iter().map(|e| args![tenant, e.id, e.date, e.kind]).collect();
    append(s, &JOURNAL_ENTRIES, rows).await?;
    let mut rows = Vec::new();
    for entry in entries {
        for (number, line) in (1_u64..).zip(&entry.lines) {
            let (account, amount) = (line.account, line.amount);
            rows.push(args![
                tenant,
                entry.id,
                number,
                entry.date,
                entry.kind,
                account,
                amount,
                line.package_id,
                line.site_id
            ]);
        }
    }
    append(s, &JOURNAL_LINES, rows).await
}

/// Sums by month, account, kind, package and site, in that order.
pub(crate) async fn totals(
    s: &mut dyn Session,
    tenant: TenantId,
    from: Date,
    before: Date,
) -> Result<Vec<JournalTotal>, StoreError> {
    type Key = (Date, Account, EntryKind, Option<PackageId>, Option<SiteId>);
    let sql = "SELECT booked_on, account, kind, package_id, site_id, CAST(SUM(amount) AS BIGINT) FROM journal_lines
        WHERE tenant_id = $1 AND booked_on >= $2 AND booked_on < $3
        GROUP BY booked_on, account, kind, package_id, site_id";
    let days: Vec<(Key, Money)> = all(s, "journal line", sql, args![tenant, from, before], |r| {
        let key = (r.get::<Date>()?.month_start(), r.get()?, r.get()?, r.get()?, r.get()?);
        Ok((key, r.get()?))
    })
    .await?;
    let mut sums: BTreeMap<Key, Money> = BTreeMap::new();
    for (key, amount) in days {
        *sums.entry(key).or_default() += amount;
    }
    Ok(sums
        .into_iter()
        .map(|((month, account, kind, package_id, site_id), amount)| JournalTotal {
            month,
            account,
            kind,
            package_id,
            site_id,
            amount,
        })
        .collect())
}

/// Takes the expenses away from what the commit moves that it books back.
pub(crate) async fn expenses_back(
    s: &mut dyn Session,
    tenant: TenantId,
    ids: Vec<Uuid>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT expense_id, spent_on, category, amount, note, site_id, paid_from FROM expenses
        WHERE tenant_id = $1 AND expense_id IN IDS(($2))";
    let found = all(s, "expense", sql, vec![Value::Id(tenant.0), Value::Ids(ids)], |r| {
        let (id, on, category, amount) = (r.get()?, r.get()?, r.get()?, r.get()?);
        Ok(Expense { id, on, category, amount, note: r.get()?, site_id: r.get()?, paid_from: r.get()? })
    });
    found.await?.iter().for_each(|expense| moved.expense_back(expense));
    Ok(())
}

/// What moved on an account each day; what moved before `from` counts on that day.
pub(crate) async fn account_days(
    s: &mut dyn Session,
    tenant: TenantId,
    account: Account,
    from: Date,
) -> Result<Vec<(Date, Money)>, StoreError> {
    // The account stands in the text, so that both databases see that the index of this account serves.
    let sql = format!(
        "SELECT CASE WHEN booked_on < $2 THEN $2 ELSE booked_on END, CAST(SUM(amount) AS BIGINT) FROM journal_lines
        WHERE tenant_id = $1 AND account = '{}' GROUP BY 1 ORDER BY 1",
        account.code()
    );
    all(s, "journal line", &sql, args![tenant, from], |r| Ok((r.get()?, r.get()?))).await
}

/// What entries of a kind move on each account each day.
pub(crate) async fn booked_days(
    s: &mut dyn Session,
    tenant: TenantId,
    kind: EntryKind,
) -> Result<Vec<(Date, Account, Money)>, StoreError> {
    let sql = "SELECT booked_on, account, CAST(SUM(amount) AS BIGINT) FROM journal_lines
        WHERE tenant_id = $1 AND kind = $2 GROUP BY booked_on, account";
    all(s, "journal line", sql, args![tenant, kind], |r| Ok((r.get()?, r.get()?, r.get()?))).await
}

/// How many entries there are of each kind.
pub(crate) async fn counted(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<(EntryKind, u64)>, StoreError> {
    let sql = "SELECT kind, COUNT(*) FROM journal_entries WHERE tenant_id = $1 GROUP BY kind";
    all(s, "journal entry", sql, args![tenant], |r| Ok((r.get()?, r.get()?))).await
}

/// Entries of which a line says another day or kind than the entry itself, without their lines.
pub(crate) async fn torn(s: &mut dyn Session, tenant: TenantId, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
    let sql = "SELECT DISTINCT e.journal_entry_id, e.booked_on, e.kind FROM journal_entries e
            JOIN journal_lines l ON l.tenant_id = $1 AND l.journal_entry_id = e.journal_entry_id
        WHERE e.tenant_id = $1 AND (l.booked_on <> e.booked_on OR l.kind <> e.kind)
        ORDER BY e.journal_entry_id LIMIT $2";
    all(s, "journal entry", sql, args![tenant, limit], read_head).await
}

/// Entries by id, in id order.
pub(crate) async fn of(s: &mut dyn Session, tenant: TenantId, ids: Vec<Uuid>) -> Result<Vec<JournalEntry>, StoreError> {
    let sql = "SELECT journal_entry_id, booked_on, kind FROM journal_entries
        WHERE tenant_id = $1 AND journal_entry_id IN IDS(($2)) ORDER BY journal_entry_id";
    let entries = all(s, "journal entry", sql, vec![Value::Id(tenant.0), Value::Ids(ids)], read_head).await?;
    with_lines(s, tenant, entries).await
}

fn read_head(r: &mut Reader<'_>) -> Result<JournalEntry, StoreError> {
    Ok(JournalEntry { id: r.get()?, date: r.get()?, kind: r.get()?, lines: Vec::new() })
}

pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    page: PageQuery<JournalEntryId>,
) -> Result<Vec<JournalEntry>, StoreError> {
    let sql = "SELECT journal_entry_id, booked_on, kind FROM journal_entries
        WHERE tenant_id = $1 AND journal_entry_id > $2 ORDER BY journal_entry_id LIMIT $3";
    let entries =
        all(s, "journal entry", sql, args![tenant, after(page.after.map(|id| id.0)), page.limit], read_head).await?;
    with_lines(s, tenant, entries).await
}

/// Adds their lines to entries.
async fn with_lines(
    s: &mut dyn Session,
    tenant: TenantId,
    mut entries: Vec<JournalEntry>,
) -> Result<Vec<JournalEntry>, StoreError> {
    let ids = Value::Ids(entries.iter().map(|e| e.id.0).collect());
    let sql = "SELECT journal_entry_id, account, amount, package_id, site_id FROM journal_lines
        WHERE tenant_id = $1 AND journal_entry_id IN IDS(($2)) ORDER BY journal_entry_id, line";
    let lines = all(s, "journal line", sql, vec![Value::Id(tenant.0), ids], |r| {
        let entry: JournalEntryId = r.get()?;
        Ok((entry, JournalLine { account: r.get()?, amount: r.get()?, package_id: r.get()?, site_id: r.get()? }))
    });
    let mut by_entry: HashMap<JournalEntryId, Vec<JournalLine>> = HashMap::new();
    for (entry, line) in lines.await? {
        by_entry.entry(entry).or_default().push(line);
    }
    for entry in &mut entries {
        entry.lines = by_entry.remove(&entry.id).unwrap_or_default();
    }
    Ok(entries)
}
