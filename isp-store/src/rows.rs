//! Rows into the tables: new ones, replaced ones, and those that others name.

use std::collections::hash_map::{Entry, HashMap};

use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use uuid::Uuid;

use crate::error::rejected;
use crate::session::{Rows, Session, first};
use crate::table::{Table, named};
use crate::value::Value;

/// Rows that are held at once of a list that may be long: those of an import are as many as a provider has lines.
const AT_ONCE: usize = 1_000;

/// Inserts rows or replaces those with the same primary key. Of two rows with one key the later counts.
pub(crate) async fn upsert(
    session: &mut dyn Session,
    table: &'static Table,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    upsert_each(session, table, rows.into_iter().map(Ok)).await
}

/// The same with rows that are made when it is their turn.
pub(crate) async fn upsert_each(
    session: &mut dyn Session,
    table: &'static Table,
    mut rows: impl Iterator<Item = Result<Vec<Value>, StoreError>> + Send,
) -> Result<(), StoreError> {
    let sql = table.upsert_sql();
    loop {
        // One statement may not touch a row twice.
        let mut place = HashMap::new();
        let mut kept: Vec<Vec<Value>> = Vec::new();
        for row in rows.by_ref().take(AT_ONCE) {
            let row = row?;
            let id = row.get(1).and_then(|v| if let Value::Id(id) = v { Some(*id) } else { None });
            match place.entry(id) {
                Entry::Occupied(at) => kept[*at.get()] = row,
                Entry::Vacant(at) => {
                    at.insert(kept.len());
                    kept.push(row);
                }
            }
        }
        if kept.is_empty() {
            return Ok(());
        }
        let values = kept.into_iter().flatten().collect();
        session.execute_rows(&sql, Vec::new(), table.columns.len(), values).await.map_err(|e| named(e, table))?;
    }
}

/// Says a statement over rows of so many columns that are made when it is their turn; how many rows it touched.
pub(crate) async fn execute_each(
    session: &mut dyn Session,
    sql: &str,
    columns: usize,
    mut rows: impl Iterator<Item = Result<Vec<Value>, StoreError>> + Send,
) -> Result<u64, StoreError> {
    let mut touched = 0;
    loop {
        let now: Result<Vec<_>, _> = rows.by_ref().take(AT_ONCE).collect();
        let values: Vec<Value> = now?.into_iter().flatten().collect();
        if values.is_empty() {
            return Ok(touched);
        }
        touched += session.execute_rows(sql, Vec::new(), columns, values).await?;
    }
}

/// Appends rows.
pub(crate) async fn append(
    session: &mut dyn Session,
    table: &'static Table,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    append_each(session, table, rows.into_iter()).await
}

/// The same with rows that are made when it is their turn.
pub(crate) async fn append_each(
    session: &mut dyn Session,
    table: &'static Table,
    mut rows: impl ExactSizeIterator<Item = Vec<Value>> + Send,
) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    session.append(table, &mut Rows::new(count, &mut |values| values.extend(rows.next().into_iter().flatten()))).await
}

/// Fails unless the rows with these ids are there.
pub(crate) async fn must_exist(
    session: &mut dyn Session,
    tenant: TenantId,
    table: &'static Table,
    mut ids: Vec<Uuid>,
) -> Result<(), StoreError> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let (count, name) = (ids.len() as u64, table.name);
    let id = table.columns.get(1).copied().unwrap_or_default();
    let sql = format!("SELECT COUNT(*) FROM {name} WHERE tenant_id = $1 AND {id} IN IDS(($2))");
    let args = vec![Value::Id(tenant.0), Value::Ids(ids)];
    let found: Option<u64> = first(session, "count", &sql, args, |r| r.get()).await?;
    if found == Some(count) { Ok(()) } else { Err(rejected(format!("it names a row that does not exist ({name})"))) }
}
