//! Sites, routers, packages and kinds of installation.

use isp_core::ids::{RouterId, TenantId};
use isp_core::installation::InstallationKind;
use isp_core::package::{Package, Speed, UserGroup};
use isp_core::place::{KnownMachine, Machine, Router, RouterEndpoint, Site};
use isp_core::ports::StoreError;
use isp_core::tax::TaxMode;

use crate::encode::{coordinates, degrees, json, read_json};
use crate::rows::upsert;
use crate::session::{Session, all, readable};
use crate::table::{INSTALLATION_KINDS, PACKAGES, ROUTER_MACHINES, ROUTERS, SITES};
use crate::value::args;
use crate::vault::{Place, Vault};

pub(crate) async fn write_sites(s: &mut dyn Session, tenant: TenantId, sites: Vec<Site>) -> Result<(), StoreError> {
    let rows = sites
        .into_iter()
        .map(|v| {
            let key = v.code.folded();
            let (north, east) = degrees(v.coordinates);
            args![tenant, v.id, v.code, v.name, v.zone, key, north, east]
        })
        .collect();
    upsert(s, &SITES, rows).await
}

pub(crate) async fn sites(s: &mut dyn Session, tenant: TenantId) -> Result<Vec<Site>, StoreError> {
    let sql = "SELECT site_id, code, name, zone, latitude, longitude FROM sites WHERE tenant_id = $1 ORDER BY site_id";
    all(s, "site", sql, args![tenant], |r| {
        let (id, code, name, zone) = (r.get()?, r.get()?, r.get()?, r.get()?);
        Ok(Site { id, code, name, zone, coordinates: coordinates(r)? })
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
    for Router { id, code, site_id, endpoint } in routers {
        let sealed = vault.seal(router_place(tenant, id), endpoint.password.reveal())?;
        let port = i64::from(endpoint.port);
        let key = code.folded();
        rows.push(args![tenant, id, code, site_id, endpoint.host, port, endpoint.tls, endpoint.username, sealed, key]);
    }
    upsert(s, &ROUTERS, rows).await
}

pub(crate) async fn routers(s: &mut dyn Session, vault: &Vault, tenant: TenantId) -> Result<Vec<Router>, StoreError> {
    let sql = "SELECT router_id, code, site_id, host, port, tls, username, password_sealed
        FROM routers WHERE tenant_id = $1 ORDER BY router_id";
    readable(s, "router", sql, args![tenant], |r| {
        let (id, code, site_id) = (r.get()?, r.get()?, r.get()?);
        let (host, port, tls, username) = (r.get()?, r.get()?, r.get()?, r.get()?);
        let password = vault.open_or_hide(router_place(tenant, id), &r.get::<Vec<u8>>()?)?;
        Ok(Router { id, code, site_id, endpoint: RouterEndpoint { host, port, tls, username, password } })
    })
    .await
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
