//! The sums of the books that each commit keeps up.

use isp_core::audit::Change;
use isp_core::calendar::Date;
use isp_core::ids::{InvoiceId, PackageId, SiteId, TenantId};
use isp_core::ledger::kept::{Documents, OpenKey, Sums};
use isp_core::ledger::{Account, EntryKind};
use isp_core::money::Money;
use isp_core::payment::Channel;
use isp_core::ports::StoreError;
use uuid::Uuid;

use crate::audit::{self, Actor};
use crate::ledger;
use crate::session::{Session, all, first};
use crate::table::SUMS;
use crate::value::{Value, args};

/// The sums of journal, documents, and what is open: what the column `book` says.
const JOURNAL: &str = "journal";
const DOCUMENTS: &str = "documents";
const OPEN: &str = "open";
/// Kind and account of each sum of what is open.
const OPEN_OF: (Documents, Account) = (Documents::Invoices, Account::Receivable);
/// The day of a sum that is told apart by none.
const NO_DAY: Date = Date::MIN;
/// The package or site of a sum that has none: a key takes no null.
const NONE: Uuid = Uuid::nil();

/// Adds what a commit moves to what is there, in one statement. Nothing is written when nothing moved.
pub(crate) async fn write(s: &mut dyn Session, tenant: TenantId, moved: Sums) -> Result<(), StoreError> {
    let mut values: Vec<Value> = Vec::new();
    let mut push =
        |book: &str, day: Date, kind: &str, account: Account, (package, site): (Uuid, Uuid), amount: Money| {
            values.extend(args![tenant, book.to_owned(), day, kind.to_owned(), account, package, site, amount]);
        };
    for ((month, account, kind, package, site), amount) in moved.journal {
        let of = (package.map_or(NONE, |id| id.0), site.map_or(NONE, |id| id.0));
        push(JOURNAL, month, kind.code(), account, of, amount);
    }
    for ((of, month, account), amount) in moved.documents.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        push(DOCUMENTS, month.map_or(NO_DAY, |month| month.first()), of.code(), account, (NONE, NONE), amount);
    }
    for ((due, package, site), amount) in moved.open.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        let (of, account) = OPEN_OF;
        push(OPEN, due, of.code(), account, (package.0, site.0), amount);
    }
    if values.is_empty() {
        return Ok(());
    }
    let (key, _) = SUMS.columns.split_at(SUMS.key);
    let sql = format!(
        "{} ON CONFLICT ({}) DO UPDATE SET amount = sums.amount + excluded.amount",
        SUMS.insert_sql(),
        key.join(", ")
    );
    s.execute_rows(&sql, Vec::new(), SUMS.columns.len(), values).await.map(drop)
}

/// All of them, of one moment.
pub(crate) async fn read(s: &mut dyn Session, tenant: TenantId) -> Result<Sums, StoreError> {
    let sql = "SELECT book, day, kind, account, package_id, site_id, amount FROM sums WHERE tenant_id = $1";
    let mut sums = Sums::default();
    let id = |id: Uuid| (id != NONE).then_some(id);
    for row in s.fetch(sql, args![tenant]).await? {
        let mut r = crate::value::Reader::new(row.as_ref(), "sum");
        let (book, day): (String, Date) = (r.get()?, r.get()?);
        match book.as_str() {
            JOURNAL => {
                let (kind, account): (EntryKind, Account) = (r.get()?, r.get()?);
                let (package, site) = (id(r.get()?).map(PackageId), id(r.get()?).map(SiteId));
                sums.journal.insert((day, account, kind, package, site), r.get()?);
            }
            DOCUMENTS => {
                let (of, account): (Documents, Account) = (r.get()?, r.get()?);
                let place: (Uuid, Uuid) = (r.get()?, r.get()?);
                if place != (NONE, NONE) {
                    return Err(r.corrupt("documents have a sum for no package and no site"));
                }
                sums.documents.insert((of, (day != NO_DAY).then(|| day.month()), account), r.get()?);
            }
            OPEN => {
                let of: (Documents, Account) = (r.get()?, r.get()?);
                if of != OPEN_OF {
                    return Err(r.corrupt("what is open is of invoices, on the account of what customers owe"));
                }
                let (package, site) = (r.get()?, r.get()?);
                sums.open.insert((day, package, site), r.get()?);
            }
            _ => return Err(r.corrupt("its book is none")),
        }
    }
    Ok(sums)
}

/// Of what is open a payment of these invoices takes away: by due day, package and site of each.
pub(crate) async fn open_keys(
    s: &mut dyn Session,
    tenant: TenantId,
    invoices: Vec<Uuid>,
) -> Result<Vec<(InvoiceId, OpenKey)>, StoreError> {
    let sql = "SELECT invoice_id, due_date, package_id, site_id FROM invoices
        WHERE tenant_id = $1 AND invoice_id IN IDS(($2))";
    all(s, "invoice", sql, vec![Value::Id(tenant.0), Value::Ids(invoices)], |r| {
        Ok((r.get()?, (r.get()?, r.get()?, r.get()?)))
    })
    .await
}

/// Writes all of them anew, from what the journal and the documents come to, and says in the log which of them changed. Nobody of this
/// tenant commits meanwhile.
pub(crate) async fn renew(s: &mut dyn Session, tenant: TenantId, actor: &Actor) -> Result<(), StoreError> {
    let head = audit::held(s, tenant).await?;
    let before = match read(s, tenant).await {
        Ok(sums) => Some(sums),
        Err(StoreError::Corrupt { .. }) => None,
        Err(other) => return Err(other),
    };
    write_anew(s, tenant).await?;
    let changed = match before {
        Some(before) => before.differing(&read(s, tenant).await?),
        None => vec!["one of them could not be read".to_owned()],
    };
    audit::append(s, tenant, head, actor, &[Change::each("sums.renewed", &changed)]).await
}

async fn write_anew(s: &mut dyn Session, tenant: TenantId) -> Result<(), StoreError> {
    s.execute("DELETE FROM sums WHERE tenant_id = $1", args![tenant]).await?;
    let mut sums = Sums::default();
    for total in ledger::totals(s, tenant, Date::MIN, Date::MAX.plus_days(1)).await? {
        let key = (total.month, total.account, total.kind, total.package_id, total.site_id);
        sums.journal.insert(key, total.amount);
    }
    let mut add =
        |of, month, account, amount: Money| *sums.documents.entry((of, month, account)).or_default() += amount;
    let sql =
        "SELECT issue_date, CAST(SUM(total) AS BIGINT), CAST(SUM(ppn) AS BIGINT) FROM invoices WHERE tenant_id = $1
        GROUP BY issue_date";
    let days = all(s, "invoice", sql, args![tenant], |r| Ok((r.get::<Date>()?, r.get()?, r.get::<Money>()?))).await?;
    for (day, total, ppn) in days {
        add(Documents::Invoices, Some(day.month()), Account::Receivable, total);
        add(Documents::Invoices, Some(day.month()), Account::PpnPayable, -ppn);
    }
    let sql = "SELECT p.channel, COUNT(p.collector), CAST(SUM(p.amount) AS BIGINT) FROM payments p
        WHERE p.tenant_id = $1 AND NOT EXISTS (
            SELECT 1 FROM payment_reversals r WHERE r.tenant_id = $1 AND r.payment_id = p.payment_id)
        GROUP BY p.channel, p.collector IS NULL";
    let payments =
        all(s, "payment", sql, args![tenant], |r| Ok((r.get::<Channel>()?, r.get::<u64>()?, r.get::<Money>()?)));
    for (channel, collected, amount) in payments.await? {
        match channel {
            Channel::CreditNote => add(Documents::CreditNotes, None, channel.account(), -amount),
            Channel::Cash if collected > 0 => add(Documents::Payments, None, Account::Collector, amount),
            channel => add(Documents::Payments, None, channel.account(), amount),
        }
    }
    let sql = "SELECT CAST(COALESCE(SUM(left_over), 0) AS BIGINT) FROM payments WHERE tenant_id = $1";
    let left: Option<Money> = first(s, "payment", sql, args![tenant], |r| r.get()).await?;
    add(Documents::Credit, None, Account::CustomerCredit, -left.unwrap_or_default());
    let sql = "SELECT x.category, CAST(SUM(x.amount) AS BIGINT) FROM expenses x WHERE x.tenant_id = $1 AND NOT EXISTS (
            SELECT 1 FROM endings e WHERE e.tenant_id = $1 AND e.record_id = x.expense_id AND e.record = 'expense')
        GROUP BY x.category";
    for (category, amount) in all(s, "expense", sql, args![tenant], |r| Ok((r.get()?, r.get()?))).await? {
        add(Documents::Expenses, None, category, amount);
    }
    let sql = "SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM device_history WHERE tenant_id = $1";
    let cost: Option<Money> = first(s, "device history", sql, args![tenant], |r| r.get()).await?;
    add(Documents::Devices, None, Account::DeviceCost, cost.unwrap_or_default());
    let sql = "SELECT due_date, package_id, site_id, CAST(SUM(total - paid) AS BIGINT) FROM invoices
        WHERE tenant_id = $1 AND total > paid GROUP BY due_date, package_id, site_id";
    let open = all(s, "invoice", sql, args![tenant], |r| Ok(((r.get()?, r.get()?, r.get()?), r.get()?))).await?;
    sums.open.extend(open);
    write(s, tenant, sums).await
}
