//! Devices and their history.

use isp_core::device::{Cpe, DeviceHistory};
use isp_core::ids::{CpeId, CustomerId, DeviceHistoryId, TenantId};
use isp_core::ledger::kept::Sums;
use isp_core::ports::{PageQuery, StoreError};
use isp_core::text::Code;

use uuid::Uuid;

use crate::customer::after;
use crate::rows::{append, upsert};
use crate::session::{Session, all, readable, readable_by};
use crate::table::{CPES, DEVICE_HISTORY};
use crate::value::{Kind, Reader, Value, args};
use crate::vault::{Place, Vault};

fn password_place(tenant: TenantId, cpe: CpeId) -> Place {
    Place { table: "cpes", column: "password", tenant, row: cpe.0 }
}

pub(crate) async fn write(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    cpes: Vec<Cpe>,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(cpes.len());
    for c in cpes {
        let sealed = c.password.as_ref().map(|p| vault.seal(password_place(tenant, c.id), p.reveal())).transpose()?;
        let (ip, key) = (c.ip.map(|ip| ip.to_string()), c.serial.folded());
        rows.push(args![
            tenant,
            c.id,
            c.serial,
            c.customer_id,
            c.outdoor_unit,
            c.router,
            ip,
            c.username,
            sealed,
            c.ownership,
            c.value,
            c.installed,
            key
        ]);
    }
    upsert(s, &CPES, rows).await
}

const COLUMNS: &str =
    "cpe_id, serial, customer_id, outdoor_unit, router, ip, username, password_sealed, ownership, value,
    installed";

pub(crate) async fn list(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<Vec<Cpe>, StoreError> {
    let only = if customer.is_some() { "AND customer_id = $2" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM cpes WHERE tenant_id = $1 {only} ORDER BY cpe_id");
    let mut args = args![tenant];
    args.extend(customer.into_iter().flat_map(|c| args![c]));
    readable(s, "device", &sql, args, |r| read(r, vault, tenant)).await
}

/// A page in the order of the serial numbers' bytes.
pub(crate) async fn page_from(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    after: Option<&Code>,
    limit: u32,
) -> Result<Vec<Cpe>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM cpes WHERE tenant_id = $1 AND serial COLLATE \"C\" > $2
        ORDER BY serial COLLATE \"C\" LIMIT $3"
    );
    let args = args![tenant, after.map(ToString::to_string).unwrap_or_default(), limit];
    readable_by(s, "device", &sql, args, (&[(1, 1, Kind::Text)], 2), |r| read(r, vault, tenant)).await
}

fn read(r: &mut Reader<'_>, vault: &Vault, tenant: TenantId) -> Result<Cpe, StoreError> {
    let (id, serial, customer_id) = (r.get()?, r.get()?, r.get()?);
    let (outdoor_unit, router, ip) = (r.get()?, r.get()?, r.get::<Option<String>>()?);
    let ip = ip.map(|ip| ip.parse()).transpose().map_err(|_| r.corrupt("its IP address is none"))?;
    let username = r.get()?;
    let sealed: Option<Vec<u8>> = r.get()?;
    let password = sealed.map(|sealed| vault.open_or_hide(password_place(tenant, id), &sealed)).transpose()?;
    Ok(Cpe {
        id,
        serial,
        customer_id,
        outdoor_unit,
        router,
        ip,
        username,
        password,
        ownership: r.get()?,
        value: r.get()?,
        installed: r.get()?,
    })
}

pub(crate) async fn write_history(
    s: &mut dyn Session,
    tenant: TenantId,
    history: Vec<DeviceHistory>,
    moved: &mut Sums,
) -> Result<(), StoreError> {
    history.iter().filter(|step| !step.cost.is_zero()).for_each(|step| moved.device(step.cost));
    let rows = history
        .into_iter()
        .map(|h| {
            args![
                tenant,
                h.id,
                h.customer_id,
                h.cpe_id,
                h.on,
                h.action,
                h.device,
                h.reason,
                h.ownership,
                h.officer,
                h.cost,
                h.paid_from
            ]
        })
        .collect();
    append(s, &DEVICE_HISTORY, rows).await
}

/// The history of these devices, oldest first.
pub(crate) async fn history_of(
    s: &mut dyn Session,
    tenant: TenantId,
    cpes: Vec<Uuid>,
) -> Result<Vec<DeviceHistory>, StoreError> {
    let sql = format!("SELECT {HISTORY} FROM device_history WHERE tenant_id = $1 AND cpe_id IN IDS(($2))");
    let mut found = all(s, "device history", &sql, vec![Value::Id(tenant.0), Value::Ids(cpes)], read_history).await?;
    found.sort_by_key(|step| (step.on, step.id));
    Ok(found)
}

/// A page of the history.
pub(crate) async fn steps(
    s: &mut dyn Session,
    tenant: TenantId,
    page: PageQuery<DeviceHistoryId>,
) -> Result<Vec<DeviceHistory>, StoreError> {
    let sql = format!(
        "SELECT {HISTORY} FROM device_history WHERE tenant_id = $1 AND device_history_id > $2
        ORDER BY device_history_id LIMIT $3"
    );
    all(s, "device history", &sql, args![tenant, after(page.after.map(|id| id.0)), page.limit], read_history).await
}

const HISTORY: &str =
    "device_history_id, customer_id, cpe_id, happened_on, action, device, reason, ownership, officer, cost, paid_from";

fn read_history(r: &mut Reader<'_>) -> Result<DeviceHistory, StoreError> {
    Ok(DeviceHistory {
        id: r.get()?,
        customer_id: r.get()?,
        cpe_id: r.get()?,
        on: r.get()?,
        action: r.get()?,
        device: r.get()?,
        reason: r.get()?,
        ownership: r.get()?,
        officer: r.get()?,
        cost: r.get()?,
        paid_from: r.get()?,
    })
}

/// The history, oldest first.
pub(crate) async fn history(
    s: &mut dyn Session,
    tenant: TenantId,
    customer: Option<CustomerId>,
) -> Result<Vec<DeviceHistory>, StoreError> {
    let only = if customer.is_some() { "AND customer_id = $2" } else { "" };
    let sql = format!(
        "SELECT {HISTORY}
        FROM device_history WHERE tenant_id = $1 {only} ORDER BY happened_on, device_history_id"
    );
    let mut args = args![tenant];
    args.extend(customer.into_iter().flat_map(|c| args![c]));
    all(s, "device history", &sql, args, read_history).await
}
