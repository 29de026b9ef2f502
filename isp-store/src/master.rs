//! Sites, routers, packages and kinds of installation.

use isp_core::ids::{RouterId, TenantId};
use isp_core::installation::InstallationKind;
use isp_core::package::{Package, Speed, UserGroup};
use isp_core::place::{KnownMachine, Machine, Router, RouterEndpoint, Site};
use isp_core::ports::StoreError;
use isp_core::tax::TaxMode;
use uuid::Uuid;

use crate::encode::{coordinates, degrees, json, read_json};
use crate::error::rejected;
use crate::rows::upsert;
use crate::session::{Session, all, readable};
use crate::table::{INSTALLATION_KINDS, PACKAGES, ROUTER_MACHINES, ROUTERS, SITES};
use crate::value::{Value, args};
use crate::vault::{Place, Vault};

pub(crate) async fn write_sites(s: &mut dyn Session, tenant: TenantId, sites: Vec<Site>) -> Result<(), StoreError> {
    let rows = sites
        .into_iter()
        .map(|v| {
            let key = v.code.folded();
            let (north, east) = degrees(v.coordinates);
            args![tenant, v.id, v.code, v.name, v.zone, key, north, east, v.archived]
        })
        .collect();
    upsert(s, &SITES, rows).await
}

pub(crate) async fn sites(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<Site>, StoreError> {
    let sql = "SELECT site_id, code, name, zone, latitude, longitude, archived FROM sites WHERE tenant_id = $1 ORDER BY site_id";
    all(s, "site", sql, args![tenant], |r| {
        let (id, code, name, zone) = (r.get()?, r.get()?, r.get()?, r.get()?);
        Ok(Site { id, code, name, zone, coordinates: coordinates(r)?, archived: r.get()? })
    })
    .await
}

fn router_place(tenant: TenantId, router: RouterId) -> Place {
    Place { table: "routers", column: "password", tenant, row: router.0 }
}

pub(crate) async fn write_routers(
    s: &mut dyn Session,
    vault: &Vault,
    tenant: TenantId,
    routers: Vec<Router>,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(routers.len());
    for Router { id, code, site_id, endpoint, archived } in routers {
        let sealed = vault.seal(router_place(tenant, id), endpoint.password.reveal())?;
        let port = i64::from(endpoint.port);
        let key = code.folded();
        rows.push(args![
            tenant,
            id,
            code,
            site_id,
            endpoint.host,
            port,
            endpoint.tls,
            endpoint.username,
            sealed,
            key,
            archived
        ]);
    }
    upsert(s, &ROUTERS, rows).await
}

pub(crate) async fn routers(s: &mut dyn Session, vault: &Vault, tenant: TenantId) -> Result<Vec<Router>, StoreError> {
    let sql = "SELECT router_id, code, site_id, host, port, tls, username, password_sealed, archived
        FROM routers WHERE tenant_id = $1 ORDER BY router_id";
    readable(s, "router", sql, args![tenant], |r| {
        let (id, code, site_id) = (r.get()?, r.get()?, r.get()?);
        let (host, port, tls, username) = (r.get()?, r.get()?, r.get()?, r.get()?);
        let password = vault.open_or_hide(router_place(tenant, id), &r.get::<Vec<u8>>()?)?;
        let endpoint = RouterEndpoint { host, port, tls, username, password };
        Ok(Router { id, code, site_id, endpoint, archived: r.get()? })
    })
    .await
}

/// Fails when a site or router that is archived is used by what a commit wrote: these lines, or any line of these places.
pub(crate) async fn check_archived(
    s: &mut dyn Session,
    tenant: TenantId,
    lines: Vec<Uuid>,
    sites: Vec<Uuid>,
    routers: Vec<Uuid>,
) -> Result<(), StoreError> {
    let of_lines = "SELECT 1 FROM subscriptions s WHERE s.tenant_id = $1 AND s.subscription_id IN IDS(($2))
        AND s.ends_on IS NULL AND (
            EXISTS (SELECT 1 FROM sites p WHERE p.tenant_id = $1 AND p.site_id = s.site_id AND p.archived)
            OR EXISTS (SELECT 1 FROM routers r
                WHERE r.tenant_id = $1 AND r.router_id = s.router_id AND r.archived)) LIMIT 1";
    let at_sites = "SELECT 1 FROM sites p WHERE p.tenant_id = $1 AND p.site_id IN IDS(($2)) AND p.archived
        AND EXISTS (SELECT 1 FROM subscriptions s
            WHERE s.tenant_id = p.tenant_id AND s.site_id = p.site_id AND s.ends_on IS NULL) LIMIT 1";
    let routers_at = "SELECT 1 FROM routers r JOIN sites p ON p.tenant_id = r.tenant_id AND p.site_id = r.site_id
        WHERE r.tenant_id = $1 AND p.archived AND NOT r.archived AND (r.router_id IN IDS(($2)) OR p.site_id IN IDS(($3)))
        LIMIT 1";
    let on_routers = "SELECT 1 FROM routers r WHERE r.tenant_id = $1 AND r.router_id IN IDS(($2)) AND r.archived
        AND EXISTS (SELECT 1 FROM subscriptions s
            WHERE s.tenant_id = r.tenant_id AND s.router_id = r.router_id AND s.ends_on IS NULL) LIMIT 1";
    let ids = |ids: &[Uuid]| Value::Ids(ids.to_vec());
    let tenant = || Value::Id(tenant.0);
    let mut checks = Vec::new();
    if !lines.is_empty() {
        checks.push((of_lines, vec![tenant(), ids(&lines)]));
    }
    if !sites.is_empty() {
        checks.push((at_sites, vec![tenant(), ids(&sites)]));
    }
    if !routers.is_empty() {
        checks.push((on_routers, vec![tenant(), ids(&routers)]));
    }
    if !(sites.is_empty() && routers.is_empty()) {
        checks.push((routers_at, vec![tenant(), ids(&routers), ids(&sites)]));
    }
    for (sql, args) in checks {
        if !s.fetch(sql, args).await?.is_empty() {
            return Err(rejected("a site or router that is archived is in use"));
        }
    }
    Ok(())
}

pub(crate) async fn write_machines(
    s: &mut dyn Session,
    tenant: TenantId,
    machines: Vec<KnownMachine>,
) -> Result<(), StoreError> {
    let row = |KnownMachine { router_id, machine, since, by }| {
        args![tenant, router_id, machine.identity, machine.serial, since, by]
    };
    upsert(s, &ROUTER_MACHINES, machines.into_iter().map(row).collect()).await
}

pub(crate) async fn machines(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<KnownMachine>, StoreError> {
    let sql = "SELECT router_id, identity, serial, since, said_by
        FROM router_machines WHERE tenant_id = $1 ORDER BY router_id";
    all(s, "router machine", sql, args![tenant], |r| {
        let router_id = r.get()?;
        let machine = Machine { identity: r.get()?, serial: r.get()? };
        Ok(KnownMachine { router_id, machine, since: r.get()?, by: r.get()? })
    })
    .await
}

pub(crate) async fn write_packages(
    s: &mut dyn Session,
    tenant: TenantId,
    packages: Vec<Package>,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(packages.len());
    for Package { id, code, name, prices, tax_mode, group, sold } in packages {
        let mode = match tax_mode {
            TaxMode::Exclusive => "exclusive",
            TaxMode::Inclusive => "inclusive",
        };
        let speed = (group.speed.down_kbps, group.speed.up_kbps);
        let (prices, key) = (json(&prices)?, code.folded());
        rows.push(args![tenant, id, code, name, prices, mode.to_owned(), group.name, speed.0, speed.1, sold, key]);
    }
    upsert(s, &PACKAGES, rows).await
}

pub(crate) async fn packages(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<Package>, StoreError> {
    let sql = "SELECT package_id, code, name, prices, tax_mode, group_name, down_kbps, up_kbps, sold
        FROM packages WHERE tenant_id = $1 ORDER BY package_id";
    readable(s, "package", sql, args![tenant], |r| {
        let (id, code, name) = (r.get()?, r.get()?, r.get()?);
        let prices = read_json("package", &r.get::<String>()?)?;
        let tax_mode = match r.get::<String>()?.as_str() {
            "exclusive" => TaxMode::Exclusive,
            "inclusive" => TaxMode::Inclusive,
            _ => return Err(r.corrupt("its tax mode is unknown")),
        };
        let group = UserGroup { name: r.get()?, speed: Speed { down_kbps: r.get()?, up_kbps: r.get()? } };
        Ok(Package { id, code, name, prices, tax_mode, group, sold: r.get()? })
    })
    .await
}

pub(crate) async fn write_kinds(
    s: &mut dyn Session,
    tenant: TenantId,
    kinds: Vec<InstallationKind>,
) -> Result<(), StoreError> {
    let rows = kinds
        .into_iter()
        .map(|v| {
            let key = v.code.folded();
            args![tenant, v.id, v.code, v.name, v.price, key]
        })
        .collect();
    upsert(s, &INSTALLATION_KINDS, rows).await
}

pub(crate) async fn kinds(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError> {
    let sql = "SELECT installation_kind_id, code, name, price
        FROM installation_kinds WHERE tenant_id = $1 ORDER BY installation_kind_id";
    all(s, "installation kind", sql, args![tenant], |r| {
        Ok(InstallationKind { id: r.get()?, code: r.get()?, name: r.get()?, price: r.get()? })
    })
    .await
}
