//! The log of changes: an entry in the transaction of each commit, and looking at the chain.

use isp_core::audit::{self, Break, Change, Checker, Hash, Head, Link};
use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use uuid::Uuid;

use crate::encode::json;
use crate::session::{Engine, Session, all, first};
use crate::value::{Reader, args};

/// Entries a page of a check.
const PAGE: u64 = 1_000;

/// Who acts through a store, as its log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    /// Who.
    pub(crate) by: String,
    /// By which command.
    pub(crate) command: String,
}

impl Default for Actor {
    fn default() -> Self {
        Self { by: "engine".to_owned(), command: String::new() }
    }
}

/// Appends an entry after the head of the tenant's row, which the transaction holds.
pub(crate) async fn append(
    s: &mut dyn Session,
    tenant: TenantId,
    head: Head,
    actor: &Actor,
    changes: &[Change],
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let at = s.clock().await?;
    let Link { entry, hash } = audit::link(tenant, head, at, &actor.by, &actor.command, json(&changes)?);
    let sql = "INSERT INTO audit_log (tenant_id, sequence, happened_at, acted_by, command, changes, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let row = args![tenant, entry.sequence, entry.at, entry.by, entry.command, entry.changes, hash.to_vec()];
    s.execute(sql, row).await?;
    let sql = "UPDATE tenants SET audit_sequence = $2, audit_hash = $3 WHERE tenant_id = $1";
    s.execute(sql, args![tenant, entry.sequence, hash.to_vec()]).await.map(drop)
}

/// The head of a tenant's row, which the transaction holds from now on: for an entry about what is known only when it was written.
pub(crate) async fn held(s: &mut dyn Session, tenant: TenantId) -> Result<Head, StoreError> {
    head(s, tenant, " FOR UPDATE").await
}

/// The columns of a head.
pub(crate) const HEAD: &str = "audit_sequence, audit_hash";

/// Reads the columns of a head.
pub(crate) fn read_head(r: &mut Reader<'_>) -> Result<Head, StoreError> {
    let (sequence, hash): (u64, Option<Vec<u8>>) = (r.get()?, r.get()?);
    Ok(Head { sequence, hash: hash.map(|hash| whole(r, hash)).transpose()?.unwrap_or_default() })
}

async fn head(s: &mut dyn Session, tenant: TenantId, lock: &str) -> Result<Head, StoreError> {
    let sql = format!("SELECT {HEAD} FROM tenants WHERE tenant_id = $1{lock}");
    Ok(first(s, "tenant", &sql, args![tenant], read_head).await?.unwrap_or_default())
}

fn whole(r: &Reader<'_>, hash: Vec<u8>) -> Result<Hash, StoreError> {
    hash.try_into().map_err(|_| r.corrupt("its hash has another length"))
}

/// Entries after a number, at most so many.
pub(crate) async fn page(
    s: &mut dyn Session,
    tenant: TenantId,
    after: u64,
    limit: u64,
) -> Result<Vec<Link>, StoreError> {
    let sql = "SELECT sequence, happened_at, acted_by, command, changes, hash FROM audit_log
        WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
    all(s, "audit entry", sql, args![tenant, after, limit], |r| {
        let (sequence, at, by, command, changes) = (r.get()?, r.get()?, r.get()?, r.get()?, r.get()?);
        let hash = r.get::<Vec<u8>>()?;
        Ok(Link { entry: audit::Entry { sequence, at, by, command, changes }, hash: whole(r, hash)? })
    })
    .await
}

/// The newest entry's number and hash.
pub(crate) async fn newest(s: &mut dyn Session, tenant: TenantId) -> Result<Head, StoreError> {
    head(s, tenant, "").await
}

/// Reads the whole chain; how many entries there are, and what does not fit.
pub(crate) async fn verify(engine: &dyn Engine, tenant: TenantId) -> Result<(u64, Vec<Break>), StoreError> {
    // One state of the database, so that a commit meanwhile is no break.
    let mut session = engine.read(tenant).await?;
    let head = newest(session.as_mut(), tenant).await?;
    let mut checker = Checker::new(tenant);
    let mut after = 0;
    loop {
        let links = page(session.as_mut(), tenant, after, PAGE).await?;
        let Some(last) = links.last() else { break };
        after = last.entry.sequence;
        links.iter().for_each(|link| checker.read(link));
    }
    Ok((checker.entries(), checker.end(head)))
}

/// The numbers of the entries that name an id.
pub(crate) async fn naming(s: &mut dyn Session, tenant: TenantId, id: Uuid) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT sequence FROM audit_log WHERE tenant_id = $1 AND changes LIKE $2 ORDER BY sequence";
    all(s, "audit entry", sql, args![tenant, format!("%{id}%")], |r| r.get()).await
}
