//! One sheet with everything: customer, package and line in a row.

use isp_core::money::plausible_price;
use isp_core::package::{Speed, UserGroup};
use isp_core::text::Name;

use super::super::cells::Cells;
use super::super::notice::Note;
use super::super::sheet::{Column, needed, needed_unless, optional};
use super::customer::{ADDRESS, COORDINATES, CUSTOMER, NAME, NIK, PHONE};
use super::line::{
    ACCOUNT, BILLED_FROM, CYCLE, DAY, DISCOUNT, DISCOUNT_UNTIL, ENDED, FIXED, IP_ADDRESS, MAC, OWN_PRICE,
    OWN_PRICE_UNTIL, PACKAGE, PASSWORD, ROUTER, SERVICE, START, TIMING,
};
use super::{CustomerRow, FileRow, PackageRow, SITE, SubscriptionRow, package_code, positive, tax_mode};

/// A line of a sheet with everything. What is wrong in one part leaves the others.
#[derive(Debug, Clone)]
pub(crate) struct EverythingRow {
    pub(crate) customer: Option<CustomerRow>,
    /// `None` when the row names a package without its terms.
    pub(crate) package: Option<PackageRow>,
    pub(crate) line: Option<SubscriptionRow>,
}

impl FileRow for EverythingRow {
    const FILE: &'static str = "everything.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER),
        needed("name", NAME),
        optional("nik", NIK),
        needed("address", ADDRESS),
        optional("phone", PHONE),
        optional("language", &["bahasa", "language"]),
        optional("invoicing", &["tagihan", "invoicing"]),
        optional("coordinates", COORDINATES),
        needed("package", PACKAGE),
        optional("price", &["harga", "price", "tarif", "harga_bulanan", "harga_paket", "biaya", "iuran", "abonemen"]),
        optional("tax", &["ppn", "tax", "pajak"]),
        optional("speed", &["kecepatan", "speed", "bandwidth", "bw"]),
        optional("group", &["grup", "group", "profil", "profile"]),
        optional("router", ROUTER),
        optional("site", SITE),
        optional("service", SERVICE),
        needed_unless("username", ACCOUNT, FIXED),
        needed_unless("password", PASSWORD, FIXED),
        optional("ip_address", IP_ADDRESS),
        optional("mac", MAC),
        needed("start", START),
        optional("billing_day", DAY),
        optional("cycle", CYCLE),
        optional("timing", TIMING),
        optional("billed_from", BILLED_FROM),
        optional("own_price", OWN_PRICE),
        optional("own_price_until", OWN_PRICE_UNTIL),
        optional("discount", DISCOUNT),
        optional("discount_until", DISCOUNT_UNTIL),
        optional("ended", ENDED),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let (customer, line) = (CustomerRow::read(cells), SubscriptionRow::read(cells));
        let package = package(cells);
        let sheet_price = cells.raw("price").and_then(|text| positive("price", text).ok());
        let line = line.map(|line| SubscriptionRow { sheet_price, ..line });
        Some(Self { customer, package, line })
    }
}

/// The package of a row, when its price and speed stand there; the speed may stand in its name, `Rumah 20 Mbps`.
fn package(cells: &mut Cells<'_, '_>) -> Option<PackageRow> {
    let price = cells.maybe("price", |t| positive("price", t))??;
    let (code, name) =
        cells.need("package", |t| Ok::<_, isp_core::Error>((package_code(t)?, Name::parse("package", t)?)))?;
    let Some(speed) = cells.maybe("speed", Speed::parse)?.or_else(|| speed_in(name.as_str())) else {
        cells.tell("price", Note::PriceWithoutSpeed);
        return None;
    };
    let tax_mode = cells.maybe("tax", tax_mode)?.unwrap_or_default();
    let group = cells.maybe_router_name("group")?.unwrap_or_else(|| code.clone().into());
    cells.ask("price", plausible_price("price", price));
    cells.ask("speed", speed.plausible("speed"));
    let group = UserGroup { name: group, speed };
    let said = ["price", "speed", "tax", "group"].into_iter().filter(|key| cells.raw(key).is_some()).collect();
    Some(PackageRow { at: cells.origin(), code, name, price, tax_mode, group, said: Some(said) })
}

/// A name without regard to case and blanks.
pub(crate) fn without_blanks(name: &str) -> String {
    name.split_whitespace().collect::<String>().to_lowercase()
}

/// A speed with its unit at the end of a name.
pub(crate) fn speed_in(name: &str) -> Option<Speed> {
    let tail = name.get(name.find(|sign: char| sign.is_ascii_digit())?..)?;
    tail.contains(|sign: char| sign.is_alphabetic()).then(|| Speed::parse(tail).ok()).flatten()
}

impl PackageRow {
    /// True when a row with everything is about this package: it has its code, or calls it by its name.
    pub(in super::super) fn is_meant_by(&self, row: &Self) -> bool {
        self.code.folded() == row.code.folded()
            || without_blanks(self.name.as_str()) == without_blanks(row.name.as_str())
    }

    /// True when a row with everything sells the same. Against a row of packages only what it fills in counts.
    pub(in super::super) fn sells_the_same(&self, row: &Self) -> bool {
        let counts = |column| self.said.is_some() || row.says(column);
        self.price == row.price
            && (!counts("tax") || self.tax_mode == row.tax_mode)
            && (!counts("speed") || self.group.speed == row.group.speed)
            && (!counts("group") || self.group.name == row.group.name)
    }
}
