//! Looks through a database for what must not be: damaged pages, missing tables and keys, sums that do not add up, rows that
//! name none, work that stands still, times that cannot be. It changes nothing, and needs no key.
//!
//! What is wrong is a [`Finding`]; the program says what to do about each.

mod checks;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::calendar::{Date, Zone};
use isp_core::ids::TenantId;
use isp_core::ledger::Account;
use isp_core::money::Money;
use isp_core::ports::StoreError;
use sqlx::{Connection as _, SqliteConnection};

use crate::error::store_error;
use crate::open::{migrate_error, sqlite_migrations};
use crate::session::{Engine, Session, all, first};
use crate::value::{Kind, Reader, Value, args};
use checks::{BIND, CHECKS, NAMED, OF_ONE};

/// Ids that a finding names.
const NAMED_AT_MOST: usize = 3;
/// Copies older than this are told of.
const BACKUP_DAYS: i64 = 7;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// A stable name for this kind of damage, such as `ledger.unbalanced`.
    pub kind: &'static str,
    /// How many rows or objects it concerns.
    pub count: u64,
    /// Which: some of the ids, or the name of a table. Never personal data.
    pub about: String,
}

impl Finding {
    fn of(kind: &'static str, count: usize, about: impl Into<String>) -> Self {
        Self { kind, count: count as u64, about: about.into() }
    }
}

/// Looks through the database.
pub(crate) async fn examine(
    engine: &dyn Engine,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<Vec<Finding>, StoreError> {
    let mut found: Vec<Finding> = Vec::new();
    let damage = engine.page_damage().await?;
    if let Some(first) = damage.first() {
        found.push(Finding::of("file.damaged", damage.len(), first.clone()));
    }
    let there = engine.objects().await?;
    let missing: Vec<String> = expected().await?.into_iter().filter(|name| !there.contains(name)).collect();
    if !missing.is_empty() {
        found.push(Finding::of("schema.missing", missing.len(), missing.join(", ")));
    }
    found.extend(
        engine.wall().await?.into_iter().map(|gap| Finding::of(gap.kind, gap.about.len(), gap.about.join(", "))),
    );
    let exists = |table: &str| there.contains(&format!("table {table}"));
    let mut session = if engine.sees_all() { engine.read_all().await? } else { engine.read(tenant).await? };
    for check in CHECKS {
        // A statement about a table that is gone would only say so again.
        if check.tables.iter().all(|table| exists(table)) {
            let (sql, args) = moments(check.sql, now);
            found.extend(ask(session.as_mut(), check.code, "", &sql, args).await?);
        }
    }
    for (table, id, column, of, by) in NAMED {
        if exists(table) && exists(of) {
            let sql = format!(
                "SELECT c.{id} AS id FROM {table} c WHERE c.{column} IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM {of} p WHERE p.tenant_id = c.tenant_id AND p.{by} = c.{column})"
            );
            found.extend(ask(session.as_mut(), "row.orphan", &format!("{table}.{column}"), &sql, Vec::new()).await?);
        }
    }
    for (table, id, column, of) in OF_ONE {
        if exists(table) && exists(of) {
            let sql = format!(
                "SELECT c.{id} AS id FROM {table} c JOIN {of} p ON p.tenant_id = c.tenant_id AND p.{column} = c.{column}
                    WHERE p.customer_id <> c.customer_id"
            );
            let place = format!("{table}.customer_id");
            found.extend(ask(session.as_mut(), "row.other_customer", &place, &sql, Vec::new()).await?);
        }
    }
    for (table, [(one, of), (other, of_other)]) in BIND {
        if [table, of, of_other].into_iter().all(|table| exists(table)) {
            let sql = format!(
                "SELECT c.{one} AS id FROM {table} c JOIN {of} p ON p.tenant_id = c.tenant_id AND p.{one} = c.{one}
                    JOIN {of_other} o ON o.tenant_id = c.tenant_id AND o.{other} = c.{other} WHERE p.customer_id <> o.customer_id"
            );
            found.extend(ask(session.as_mut(), "row.other_customer", table, &sql, Vec::new()).await?);
        }
    }
    if exists("journal_lines") {
        for (account, kind) in
            [(Account::Cash, "ledger.cash_below_zero"), (Account::Pph23Prepaid, "ledger.pph23_below_zero")]
        {
            found.extend(below_zero(session.as_mut(), account, kind).await?);
        }
    }
    if exists("meta") {
        found.extend(backup_age(session.as_mut(), now).await?);
    }
    Ok(found)
}

/// Runs a statement that gives ids of what is wrong.
async fn ask(
    s: &mut dyn Session,
    kind: &'static str,
    place: &str,
    sql: &str,
    args: Vec<Value>,
) -> Result<Option<Finding>, StoreError> {
    let sql = format!("SELECT id, COUNT(*) OVER () FROM ({sql}) AS bad LIMIT {NAMED_AT_MOST}");
    let rows = s.fetch(&sql, args).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let Some(Value::Int(count)) = row.value(1, Kind::Int)? else { return Ok(None) };
    let ids = rows.iter().map(|row| match row.value(0, Kind::Id) {
        Ok(Some(Value::Id(id))) => id.to_string(),
        // An id that is none is a finding all the same.
        _ => "?".to_owned(),
    });
    let more = if usize::try_from(count).is_ok_and(|count| count > rows.len()) { ", …" } else { "" };
    let ids = format!("{}{more}", ids.collect::<Vec<_>>().join(", "));
    let about = if place.is_empty() { ids } else { format!("{place}: {ids}") };
    Ok(Some(Finding { kind, count: count.unsigned_abs(), about }))
}

/// Puts arguments in the place of the moments that a statement names.
fn moments(sql: &str, now: DateTime<Utc>) -> (String, Vec<Value>) {
    let hours = |hours: i64| Value::Moment(now + TimeDelta::hours(hours));
    let named = [
        ("{a_day_ago}", hours(-24)),
        ("{an_hour_ago}", hours(-1)),
        ("{two_days_ago}", hours(-48)),
        ("{in_an_hour}", hours(1)),
        ("{in_two_hours}", hours(2)),
        ("{in_sixty_days}", Value::Day(Zone::Wib.date_of(now).plus_days(60))),
    ];
    let (mut text, mut args) = (sql.to_owned(), Vec::new());
    for (name, value) in named {
        if text.contains(name) {
            args.push(value);
            text = text.replace(name, &format!("${}", args.len()));
        }
    }
    (text, args)
}

/// The days at whose end a provider's account is below zero. Cash counts from the day on which there was some: who begins with the
/// books brings the expenses of earlier months along, and not what was in the till.
async fn below_zero(s: &mut dyn Session, account: Account, kind: &'static str) -> Result<Option<Finding>, StoreError> {
    let sql = format!(
        "SELECT tenant_id, booked_on, CAST(SUM(amount) AS BIGINT) FROM journal_lines WHERE account = '{}'
        GROUP BY tenant_id, booked_on ORDER BY tenant_id, booked_on",
        account.code()
    );
    let row = |r: &mut Reader<'_>| Ok((r.get::<TenantId>()?, r.get::<Date>()?, r.get::<Money>()?));
    let days = all(s, "journal line", &sql, Vec::new(), row).await?;
    let mut below: Vec<(Date, Money)> = Vec::new();
    for of_one in days.chunk_by(|a, b| a.0 == b.0) {
        let (mut held, mut counts) = (Money::ZERO, account != Account::Cash);
        for (_, on, moved) in of_one {
            held += *moved;
            counts |= held.is_positive();
            below.extend((counts && held < Money::ZERO).then_some((*on, held)));
        }
    }
    let mut named: Vec<String> = below.iter().take(NAMED_AT_MOST).map(|(on, held)| format!("{on} {held}")).collect();
    named.extend((below.len() > NAMED_AT_MOST).then(|| "…".to_owned()));
    Ok((!below.is_empty()).then(|| Finding::of(kind, below.len(), named.join(", "))))
}

/// The age of the newest copy, where there are books to lose.
async fn backup_age(s: &mut dyn Session, now: DateTime<Utc>) -> Result<Option<Finding>, StoreError> {
    let books: Option<bool> = first(s, "books", "SELECT COUNT(*) > 0 FROM invoices", Vec::new(), |r| r.get()).await?;
    if books != Some(true) {
        return Ok(None);
    }
    let sql = "SELECT value FROM meta WHERE key = 'last_backup'";
    let last: Option<Vec<u8>> = first(s, "last backup", sql, args![], |r| r.get()).await?;
    let at = last.and_then(|text| DateTime::parse_from_rfc3339(&String::from_utf8(text).ok()?).ok());
    Ok(match at.map(|at| (now - at.to_utc()).num_days()) {
        None => Some(Finding::of("backup.none", 1, "")),
        Some(days) if days > BACKUP_DAYS => Some(Finding::of("backup.old", days.unsigned_abs() as usize, "")),
        Some(_) => None,
    })
}

/// The tables and the named indexes that this version makes: those of an empty database in memory. Both databases have the
/// same names.
async fn expected() -> Result<BTreeSet<String>, StoreError> {
    let mut memory = SqliteConnection::connect("sqlite::memory:").await.map_err(store_error)?;
    let migrator = sqlx::migrate::Migrator::with_migrations(sqlite_migrations());
    migrator.run_direct(None, &mut memory, false).await.map_err(migrate_error)?;
    let names = sqlx::query_scalar(crate::sqlite::OBJECTS).fetch_all(&mut memory).await.map_err(store_error)?;
    memory.close().await.map_err(store_error)?;
    Ok(names.into_iter().collect())
}
