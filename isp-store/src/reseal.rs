//! Which key sealed what, and sealing everything anew with the first key of the ring.
//!
//! A change of keys goes row by row and may be killed anywhere: the key file holds both keys until no row needs the old one.
//! First the database is given the new key's check, so that a process which knows only the old key seals nothing from then
//! on ([`may_seal`]). Then each row is opened and sealed again, unless somebody else has written it meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use isp_core::ids::{CustomerId, TenantId};
use isp_core::ports::{RunGuard, StoreError, Worker};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::run_lease::{self, Runs};
use crate::session::{Engine, Session, all, first};
use crate::value::{Value, args};
use crate::vault::{NOT_IN_RING, Place, Vault};

/// Rows a transaction, so that nobody waits long for it.
const BATCH: u64 = 500;
/// The same for rows of megabytes.
const FEW: u64 = 4;

/// A column that the vault seals.
struct Sealed {
    table: &'static str,
    id: &'static str,
    column: &'static str,
    /// What the place of its values is called.
    place: &'static str,
    /// The column that stands for it in an index.
    index: Option<&'static str>,
    /// Rows a transaction.
    batch: u64,
}

/// All of them; a test compares them with the tables.
const SEALED: [Sealed; 5] = [
    Sealed { index: Some("nik_index"), ..sealed("customers", "customer_id", "nik_sealed", "nik") },
    sealed("routers", "router_id", "password_sealed", "password"),
    sealed("subscriptions", "subscription_id", "password_sealed", "password"),
    sealed("cpes", "cpe_id", "password_sealed", "password"),
    Sealed { batch: FEW, ..sealed("proof_files", "proof_id", "content_sealed", "content") },
];

const fn sealed(table: &'static str, id: &'static str, column: &'static str, place: &'static str) -> Sealed {
    Sealed { table, id, column, place, index: None, batch: BATCH }
}

/// The columns that hold what the vault sealed, each with its table.
pub(crate) fn sealed_columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    SEALED.iter().map(|of| (of.table, of.column))
}

/// What a key of the ring, or one that is not in it, has sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyUse {
    /// Eight hex digits by which the key is told from others; they say nothing of it.
    pub key: String,
    /// Its place in the ring: the first seals, the others only open.
    pub place: Option<usize>,
    /// How many values it sealed.
    pub values: u64,
    /// How many of them do not open: they were damaged, or their key is not in the ring.
    pub unreadable: u64,
}

/// What sealing anew came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resealed {
    /// Values that were sealed anew.
    pub values: u64,
    /// Values that no key of the ring opens. The old keys are kept for them.
    pub unreadable: u64,
}

/// Looks at every sealed value.
pub(crate) async fn key_uses(engine: &dyn Engine, vault: &Vault) -> Result<Vec<KeyUse>, StoreError> {
    let ring = vault.key_names();
    let mut uses: BTreeMap<String, KeyUse> = BTreeMap::new();
    for (place, key) in ring.iter().enumerate() {
        uses.entry(key.clone()).or_insert_with(|| KeyUse {
            key: key.clone(),
            place: Some(place),
            values: 0,
            unreadable: 0,
        });
    }
    for sealed in &SEALED {
        let mut after = (Uuid::nil(), Uuid::nil());
        loop {
            let mut session = engine.read_all().await?;
            let rows = sealed.page(session.as_mut(), after, None).await?;
            let Some((tenant, id, _)) = rows.last() else { break };
            after = (*tenant, *id);
            for (tenant, id, value) in rows {
                let key = Vault::key_name(&value);
                let found = uses.entry(key.clone()).or_insert(KeyUse { key, place: None, values: 0, unreadable: 0 });
                found.values += 1;
                found.unreadable += u64::from(vault.open_bytes(sealed.place(tenant, id), &value).is_err());
            }
        }
    }
    let mut uses: Vec<KeyUse> = uses.into_values().collect();
    uses.sort_by_key(|of| (of.place.is_none(), of.place));
    Ok(uses)
}

/// Seals with the first key what another one sealed. Done again, it goes on where it stopped.
pub(crate) async fn reseal(engine: &dyn Engine, vault: &Vault, held: &AllRuns) -> Result<Resealed, StoreError> {
    let mut session = engine.write_all().await?;
    let check = "UPDATE meta SET value = $1 WHERE key = 'vault_check'";
    session.execute(check, args![vault.seal_check()?]).await?;
    held.check(session.as_mut()).await?;
    session.commit().await?;
    wait_for_commits(engine).await?;

    let mut done = Resealed::default();
    for sealed in &SEALED {
        let mut after = (Uuid::nil(), Uuid::nil());
        loop {
            let mut session = engine.write_all().await?;
            let rows = sealed.page(session.as_mut(), after, vault.first_id()).await?;
            let Some((tenant, id, _)) = rows.last() else { break };
            after = (*tenant, *id);
            for (tenant, id, value) in rows {
                match vault.open_bytes(sealed.place(tenant, id), &value).map(Zeroizing::new) {
                    Ok(clear) => {
                        let new = vault.seal_bytes(sealed.place(tenant, id), &clear)?;
                        let text = sealed.index.and_then(|_| std::str::from_utf8(&clear).ok());
                        let index = text.and_then(|text| vault.blind_index(TenantId(tenant), text));
                        // Who wrote the row meanwhile has sealed it with the first key.
                        done.values += sealed.replace(session.as_mut(), (tenant, id), (value, new), index).await?;
                    }
                    Err(_) => done.unreadable += 1,
                }
            }
            held.check(session.as_mut()).await?;
            session.commit().await?;
        }
    }
    Ok(done)
}

/// Waits for the commits that are under way, each of which holds its tenant's row: where nobody locks the row of the key
/// ([`Session::locks_meta`]), they may still seal with the key of before. Those that begin from now on see the new one.
async fn wait_for_commits(engine: &dyn Engine) -> Result<(), StoreError> {
    let mut session = engine.read_all().await?;
    let tenants: Vec<TenantId> =
        all(session.as_mut(), "tenant", "SELECT tenant_id FROM tenants", Vec::new(), |r| r.get()).await?;
    drop(session);
    for tenant in tenants {
        let mut session = engine.write_all().await?;
        session.fetch("SELECT tenant_id FROM tenants WHERE tenant_id = $1 FOR UPDATE", args![tenant]).await?;
        session.commit().await?;
    }
    Ok(())
}

/// Refuses to seal when the database has a key that is not in the ring: it was changed since this process read its key file.
pub(crate) async fn may_seal(s: &mut dyn Session, vault: &Vault) -> Result<(), StoreError> {
    let sql = match s.locks_meta() {
        true => "SELECT value FROM meta WHERE key = 'vault_check' FOR SHARE",
        false => "SELECT value FROM meta WHERE key = 'vault_check'",
    };
    is_current(s, vault, sql).await
}

/// Refuses when the database has a key that is not in the ring.
async fn is_current(s: &mut dyn Session, vault: &Vault, sql: &str) -> Result<(), StoreError> {
    let check: Option<Vec<u8>> = first(s, "key check", sql, Vec::new(), |r| r.get()).await?;
    match check {
        Some(check) if !vault.key_names().contains(&Vault::key_name(&check)) => Err(StoreError::KeyChanged),
        _ => Ok(()),
    }
}

/// What was read, or why not: a value that was sealed with a key of after this process read its key file is no damage.
pub(crate) async fn or_key_changed<T>(
    s: &mut dyn Session,
    vault: &Vault,
    read: Result<T, StoreError>,
) -> Result<T, StoreError> {
    if matches!(&read, Err(StoreError::Corrupt { reason, .. }) if reason.contains(NOT_IN_RING)) {
        is_current(s, vault, "SELECT value FROM meta WHERE key = 'vault_check'").await?;
    }
    read
}

/// The right to run of every provider in a database, held.
pub struct AllRuns {
    guards: Vec<RunGuard>,
    runs: Runs,
}

impl std::fmt::Debug for AllRuns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AllRuns").field("guards", &self.guards).finish_non_exhaustive()
    }
}

impl AllRuns {
    /// Takes the right to run of every provider in the database.
    pub(crate) async fn begin(engine: &Arc<dyn Engine>, runs: &Runs) -> Result<Self, StoreError> {
        let mut session = engine.read_all().await?;
        let tenants: Vec<TenantId> =
            all(session.as_mut(), "tenant", "SELECT tenant_id FROM tenants", Vec::new(), |r| r.get()).await?;
        drop(session);
        let term = TimeDelta::seconds(Worker::LEASE_SECONDS);
        let mut held = Self { guards: Vec::with_capacity(tenants.len()), runs: runs.clone() };
        for tenant in tenants {
            held.guards.push(run_lease::begin(engine, runs, tenant, term).await?);
        }
        Ok(held)
    }

    /// Fails when a run has begun meanwhile, because this process stood still.
    async fn check(&self, s: &mut dyn Session) -> Result<(), StoreError> {
        for hold in self.runs.all() {
            hold.check(s).await?;
        }
        Ok(())
    }

    /// Gives all of them up.
    ///
    /// # Errors
    /// As [`RunGuard::end`].
    pub async fn end(self) -> Result<(), StoreError> {
        for guard in self.guards {
            guard.end().await?;
        }
        Ok(())
    }
}

impl Sealed {
    fn place(&self, tenant: Uuid, row: Uuid) -> Place {
        Place { table: self.table, column: self.place, tenant: TenantId(tenant), row }
    }

    /// The next values, or those of them that another key than this one sealed.
    async fn page(
        &self,
        s: &mut dyn Session,
        after: (Uuid, Uuid),
        not_by: Option<Vec<u8>>,
    ) -> Result<Vec<(Uuid, Uuid, Vec<u8>)>, StoreError> {
        let Self { table, id, column, .. } = self;
        let only = if not_by.is_some() { format!("AND substr({column}, 2, 4) <> $4") } else { String::new() };
        let sql = format!(
            "SELECT {id}, tenant_id, {column} FROM {table} WHERE (tenant_id, {id}) > ($1, $2) AND {column} IS NOT NULL
            {only} ORDER BY tenant_id, {id} LIMIT $3"
        );
        let mut args = args![TenantId(after.0), CustomerId(after.1), self.batch];
        args.extend(not_by.map(Value::Bytes));
        all(s, "sealed value", &sql, args, |r| {
            let (id, tenant, value) = (r.get()?, r.get()?, r.get()?);
            Ok((tenant, id, value))
        })
        .await
    }

    async fn replace(
        &self,
        s: &mut dyn Session,
        (tenant, row): (Uuid, Uuid),
        (old, new): (Vec<u8>, Vec<u8>),
        index: Option<Vec<u8>>,
    ) -> Result<u64, StoreError> {
        let Self { table, id, column, .. } = self;
        let (also, index) = match self.index {
            Some(name) => (format!(", {name} = $5"), Some(index)),
            None => (String::new(), None),
        };
        let sql =
            format!("UPDATE {table} SET {column} = $4{also} WHERE tenant_id = $1 AND {id} = $2 AND {column} = $3");
        let mut args = args![TenantId(tenant), CustomerId(row), old, new];
        args.extend(index.into_iter().flat_map(|index| args![index]));
        s.execute(&sql, args).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    /// Whoever adds a sealed column adds it here, too: what is not sealed anew is lost with the old key.
    #[test]
    fn every_sealed_column_of_the_tables_is_sealed_anew() {
        let mut of_tables: Vec<(&str, &str)> = Vec::new();
        for table in table::ALL {
            of_tables.extend(table.columns.iter().filter(|c| c.ends_with("_sealed")).map(|c| (table.name, *c)));
        }
        let mut ours: Vec<(&str, &str)> = SEALED.iter().map(|of| (of.table, of.column)).collect();
        of_tables.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, of_tables);
    }
}
