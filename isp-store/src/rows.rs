//! Rows into the tables: new ones, replaced ones, and those that others name.

use std::collections::hash_map::{Entry, HashMap};

use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use uuid::Uuid;

use crate::error::rejected;
use crate::session::{Rows, Session, first};
use crate::table::{Table, named};
use crate::value::Value;

/// Inserts rows or replaces those with the same primary key. Of two rows with one key the later counts.
pub(crate) async fn upsert(
    session: &mut dyn Session,
    table: &'static Table,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    // One statement may not touch a row twice.
    let mut place = HashMap::new();
    let mut kept: Vec<Vec<Value>> = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.get(1).and_then(|v| if let Value::Id(id) = v { Some(*id) } else { None });
        match place.entry(id) {
            Entry::Occupied(at) => kept[*at.get()] = row,
            Entry::Vacant(at) => {
                at.insert(kept.len());
                kept.push(row);
            }
        }
    }
    let rows = kept.into_iter().flatten().collect();
    session
        .execute_rows(&table.upsert_sql(), Vec::new(), table.columns.len(), rows)
        .await
        .map_err(|e| named(e, table))
        .map(drop)
}

/// Appends rows.
pub(crate) async fn append(
    session: &mut dyn Session,
    table: &'static Table,
    rows: Vec<Vec<Value>>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let count = rows.len();
    let mut rows = rows.into_iter();
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
