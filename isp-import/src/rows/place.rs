//! Sites and routers.

use isp_core::Error;
use isp_core::calendar::Zone;
use isp_core::place::{Coordinates, RouterEndpoint};
use isp_core::text::{Code, Name};

use super::super::cells::Cells;
use super::super::sheet::{Column, Origin, needed, optional};
use super::customer::COORDINATES;
use super::{CODE, FileRow, SITE, password};

/// A line of `sites.csv`.
#[derive(Debug, Clone)]
pub struct SiteRow {
    /// Where it stands.
    pub at: Origin,
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// The time zone.
    pub zone: Zone,
    /// Where it is.
    pub coordinates: Option<Coordinates>,
}

impl FileRow for SiteRow {
    const FILE: &'static str = "sites.csv";
    const COLUMNS: &'static [Column] = &[
        needed("code", CODE),
        needed("name", &["nama", "name", "nama_lokasi", "nama_site"]),
        optional("zone", &["zona", "zone", "zona_waktu", "timezone"]),
        optional("coordinates", COORDINATES),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.code("code");
        let name = cells.need("name", |t| Name::parse("name", t));
        let zone = cells.maybe("zone", str::parse::<Zone>);
        let coordinates = cells.maybe("coordinates", Coordinates::parse);
        let zone = zone?.unwrap_or_default();
        Some(Self { at: cells.origin(), code: code?, name: name?, zone, coordinates: coordinates? })
    }
}

/// A line of `routers.csv`.
#[derive(Debug, Clone)]
pub struct RouterRow {
    /// Where it stands.
    pub at: Origin,
    /// Its code.
    pub code: Code,
    /// The code of the site.
    pub site: Code,
    /// Where its API is, and who logs in.
    pub endpoint: RouterEndpoint,
    /// False when the file has none: that of the router as it is known.
    pub has_password: bool,
}

impl FileRow for RouterRow {
    const FILE: &'static str = "routers.csv";
    const COLUMNS: &'static [Column] = &[
        needed("code", CODE),
        needed("site", SITE),
        needed("address", &["alamat", "address", "alamat_ip", "ip", "ip_address", "host"]),
        needed("username", &["username", "pengguna", "user"]),
        optional("password", &["password", "kata_sandi", "sandi", "pass"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.code("code");
        let site = cells.code("site");
        let username = cells.need("username", |t| Ok::<_, Error>(t.to_owned()));
        let password = password(cells);
        let has_password = password.is_some();
        let endpoint = cells.need("address", |t| {
            // The user name has its own column and error; here only the address may be wrong.
            RouterEndpoint::parse(t, username.as_deref().unwrap_or("-"), password.clone().unwrap_or_default())
        });
        username?;
        Some(Self { at: cells.origin(), code: code?, site: site?, endpoint: endpoint?, has_password })
    }
}
