//! Rows that are the same since identities are compared without case: what a database of old may hold. The server finds them, so that
//! their number counts and not that of all rows.

use std::collections::BTreeMap;

use isp_core::ids::TenantId;
use isp_core::ports::StoreError;

use crate::session::{Session, all};
use crate::value::{Value, args};

/// Rows that are one by what they are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Twins {
    /// What they are rows of: `customer`, `package`, `site`, `router`, `cpe`, `kind` or `payment`.
    pub what: &'static str,
    /// What each is called, in the order of their ids.
    pub names: Vec<String>,
}

/// What is told of each table: its name, its id, what people call a row, and what that is compared by.
const TABLES: [(&str, &str, &str, &str, &str); 6] = [
    ("customer", "customers", "customer_id", "code", "code_key"),
    ("package", "packages", "package_id", "code", "code_key"),
    ("site", "sites", "site_id", "code", "code_key"),
    ("router", "routers", "router_id", "code", "code_key"),
    ("cpe", "cpes", "cpe_id", "serial", "serial_key"),
    ("kind", "installation_kinds", "installation_kind_id", "code", "code_key"),
];

/// All of them, by what they are rows of, then by what they are compared by.
pub(crate) async fn all_of(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<Twins>, StoreError> {
    let mut found = Vec::new();
    for (what, table, id, name, key) in TABLES {
        // The first of them has the plain key; those after it have their own id behind a blank, which no name has.
        let sql = format!("SELECT {key}, {name} FROM {table} WHERE tenant_id = $1 AND {key} LIKE '% %' ORDER BY {id}");
        let later: Vec<(String, String)> = all(s, what, &sql, args![tenant], |r| Ok((r.get()?, r.get()?))).await?;
        let mut twins: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, name) in later {
            let plain = key.split(' ').next().unwrap_or_default().to_owned();
            twins.entry(plain).or_default().push(name);
        }
        if twins.is_empty() {
            continue;
        }
        let sql = format!("SELECT {key}, {name} FROM {table} WHERE tenant_id = $1 AND {key} IN TEXTS(($2))");
        let keys = Value::Texts(twins.keys().cloned().collect());
        let first: Vec<(String, String)> =
            all(s, what, &sql, vec![Value::Id(tenant.0), keys], |r| Ok((r.get()?, r.get()?))).await?;
        for (key, name) in first {
            twins.entry(key).or_default().insert(0, name);
        }
        found.extend(told(what, twins));
    }
    // Of payments that go by one name and stand, one is not set aside.
    let sql = "SELECT DISTINCT p.identity FROM payments p WHERE p.tenant_id = $1 AND p.set_aside <> '' AND NOT EXISTS (
        SELECT 1 FROM payment_reversals r WHERE r.tenant_id = $1 AND r.payment_id = p.payment_id)";
    let names: Vec<String> = all(s, "payment", sql, args![tenant], |r| r.get()).await?;
    if !names.is_empty() {
        let sql = "SELECT p.identity, p.provider, p.reference FROM payments p
            WHERE p.tenant_id = $1 AND p.identity IN TEXTS(($2)) AND NOT EXISTS (
                SELECT 1 FROM payment_reversals r WHERE r.tenant_id = $1 AND r.payment_id = p.payment_id)
            ORDER BY p.payment_id";
        let mut twins: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let rows = all(s, "payment", sql, vec![Value::Id(tenant.0), Value::Texts(names)], |r| {
            Ok((r.get::<String>()?, format!("{} {}", r.get::<String>()?, r.get::<String>()?)))
        });
        for (identity, name) in rows.await? {
            twins.entry(identity).or_default().push(name);
        }
        found.extend(told("payment", twins));
    }
    Ok(found)
}

fn told(what: &'static str, twins: BTreeMap<String, Vec<String>>) -> impl Iterator<Item = Twins> {
    twins.into_values().filter(|names| names.len() > 1).map(move |names| Twins { what, names })
}
