//! Packages.

use isp_core::Money;
use isp_core::money::plausible_price;
use isp_core::package::{Speed, UserGroup};
use isp_core::tax::TaxMode;
use isp_core::text::{Code, Name};

use super::super::cells::Cells;
use super::super::sheet::{Column, Origin, needed, optional};
use super::{FileRow, positive, tax_mode};

/// A line of `packages.csv`.
#[derive(Debug, Clone)]
pub struct PackageRow {
    /// Where it stands.
    pub at: Origin,
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// The price per month.
    pub price: Money,
    /// Whether the price contains PPN.
    pub tax_mode: TaxMode,
    /// The profile on routers, with the speed.
    pub group: UserGroup,
    /// The columns that a row with everything fills in; `None` for a row of packages, which says all.
    pub(crate) said: Option<Vec<&'static str>>,
}

impl PackageRow {
    /// True when it says something about this column.
    pub(crate) fn says(&self, column: &str) -> bool {
        self.said.as_ref().is_none_or(|said| said.contains(&column))
    }
}

impl FileRow for PackageRow {
    const FILE: &'static str = "packages.csv";
    const COLUMNS: &'static [Column] = &[
        needed("code", &["kode", "code", "kode_paket", "package", "paket"]),
        needed("name", &["nama", "name", "nama_paket", "package_name"]),
        needed("price", &["harga", "price", "tarif", "harga_bulanan", "harga_per_bulan", "biaya", "iuran", "abonemen"]),
        optional("tax", &["ppn", "tax", "pajak"]),
        needed("speed", &["kecepatan", "speed", "bandwidth", "bw"]),
        optional("group", &["grup", "group", "profil", "profile", "user_profile"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.code("code");
        let name = cells.need("name", |t| Name::parse("name", t));
        let price = cells.need("price", |t| positive("price", t));
        let tax = cells.maybe("tax", tax_mode);
        let speed = cells.need("speed", Speed::parse);
        let group = cells.maybe_router_name("group");
        if let Some(price) = price {
            cells.ask("price", plausible_price("price", price));
        }
        if let Some(speed) = speed {
            cells.ask("speed", speed.plausible("speed"));
        }
        let (code, group) = (code?, group?);
        let group = UserGroup { name: group.unwrap_or_else(|| code.clone().into()), speed: speed? };
        Some(Self {
            at: cells.origin(),
            code,
            name: name?,
            price: price?,
            tax_mode: tax?.unwrap_or_default(),
            group,
            said: None,
        })
    }
}
