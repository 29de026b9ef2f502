//! What the columns of each file are called, and what they mean.

use std::net::IpAddr;

use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::customer::{Address, Invoicing, Nik, Phone};
use isp_core::device::Ownership;
use isp_core::ledger::{Account, Expense};
use isp_core::package::{Speed, UserGroup};
use isp_core::place::RouterEndpoint;
use isp_core::subscription::Timing;
use isp_core::tax::TaxMode;
use isp_core::text::{Code, Language, Name};
use isp_core::{Error, Money, Secret};

use super::problem::Problem;
use super::sheet::{Cells, Column, Origin, needed, optional};

/// A row of a file: its columns, and how a line becomes a value.
pub(super) trait FileRow: Sized {
    /// The file's usual name.
    const FILE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// Reads a line; what is wrong is reported through `cells`.
    fn read(cells: &mut Cells<'_, '_>) -> Option<Self>;
}

/// A line of `sites.csv`.
#[derive(Debug, Clone)]
pub(crate) struct SiteRow {
    pub(crate) at: Origin,
    pub(crate) code: Code,
    pub(crate) name: Name,
    pub(crate) zone: Zone,
}

impl FileRow for SiteRow {
    const FILE: &'static str = "sites.csv";
    const COLUMNS: &'static [Column] =
        &[needed("code", &["kode", "code"]), needed("name", &["nama", "name"]), optional("zone", &["zona", "zone"])];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.need("code", |t| Code::parse("code", t));
        let name = cells.need("name", |t| Name::parse("name", t));
        let zone = cells.maybe("zone", str::parse::<Zone>);
        Some(Self { at: cells.origin(), code: code?, name: name?, zone: zone?.unwrap_or_default() })
    }
}

/// A line of `routers.csv`.
#[derive(Debug, Clone)]
pub(crate) struct RouterRow {
    pub(crate) at: Origin,
    pub(crate) code: Code,
    pub(crate) site: Code,
    pub(crate) endpoint: RouterEndpoint,
}

impl FileRow for RouterRow {
    const FILE: &'static str = "routers.csv";
    const COLUMNS: &'static [Column] = &[
        needed("code", &["kode", "code"]),
        needed("site", &["site", "lokasi"]),
        needed("address", &["alamat", "address"]),
        needed("username", &["username", "pengguna"]),
        needed("password", &["password", "kata_sandi", "sandi"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.need("code", |t| Code::parse("code", t));
        let site = cells.need("site", |t| Code::parse("site", t));
        let username = cells.need("username", |t| Ok::<_, Error>(t.to_owned()));
        let password = cells.need("password", secret);
        let endpoint = cells.need("address", |t| {
            // The user name has its own column and error; here only the address may be wrong.
            RouterEndpoint::parse(t, username.as_deref().unwrap_or("-"), password.clone().unwrap_or_default())
        });
        username?;
        password?;
        Some(Self { at: cells.origin(), code: code?, site: site?, endpoint: endpoint? })
    }
}

/// A line of `packages.csv`.
#[derive(Debug, Clone)]
pub(crate) struct PackageRow {
    pub(crate) at: Origin,
    pub(crate) code: Code,
    pub(crate) name: Name,
    pub(crate) price: Money,
    pub(crate) tax_mode: TaxMode,
    pub(crate) group: UserGroup,
}

impl FileRow for PackageRow {
    const FILE: &'static str = "packages.csv";
    const COLUMNS: &'static [Column] = &[
        needed("code", &["kode", "code"]),
        needed("name", &["nama", "name"]),
        needed("price", &["harga", "price"]),
        optional("tax", &["ppn", "tax"]),
        needed("speed", &["kecepatan", "speed"]),
        optional("group", &["grup", "group", "profil", "profile"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.need("code", |t| Code::parse("code", t));
        let name = cells.need("name", |t| Name::parse("name", t));
        let price = cells.need("price", |t| positive("price", t));
        let tax = cells.maybe("tax", tax_mode);
        let speed = cells.need("speed", Speed::parse);
        let group = cells.maybe("group", |t| Code::parse("group", t));
        let (code, group) = (code?, group?);
        let group = UserGroup { name: group.unwrap_or_else(|| code.clone()), speed: speed? };
        Some(Self { at: cells.origin(), code, name: name?, price: price?, tax_mode: tax?.unwrap_or_default(), group })
    }
}

/// A line of `customers.csv`. Empty cells of optional columns say nothing: they do not erase what is known.
#[derive(Debug, Clone)]
pub(crate) struct CustomerRow {
    pub(crate) at: Origin,
    pub(crate) code: Code,
    pub(crate) name: Name,
    pub(crate) nik: Option<Nik>,
    pub(crate) address: Address,
    pub(crate) phone: Option<Phone>,
    pub(crate) language: Option<Language>,
    pub(crate) invoicing: Option<Invoicing>,
}

impl FileRow for CustomerRow {
    const FILE: &'static str = "customers.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER_ID),
        needed("name", &["nama", "name"]),
        optional("nik", &["nik", "no_ktp", "ktp"]),
        needed("address", &["alamat", "address"]),
        optional("phone", &["telepon", "phone", "no_hp", "hp", "whatsapp", "no_wa"]),
        optional("language", &["bahasa", "language"]),
        optional("invoicing", &["tagihan", "invoicing"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let code = cells.need("customer_id", |t| Code::parse("customer_id", t));
        let name = cells.need("name", |t| Name::parse("name", t));
        let nik = cells.maybe("nik", Nik::parse);
        let address = cells.need("address", Address::parse);
        let phone = cells.maybe("phone", Phone::parse);
        let language = cells.maybe("language", Language::parse);
        let invoicing = cells.maybe("invoicing", Invoicing::parse);
        Some(Self {
            at: cells.origin(),
            code: code?,
            name: name?,
            nik: nik?,
            address: address?,
            phone: phone?,
            language: language?,
            invoicing: invoicing?,
        })
    }
}

/// A line of `subscriptions.csv`.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionRow {
    pub(crate) at: Origin,
    pub(crate) customer: Code,
    pub(crate) package: Code,
    pub(crate) router: Option<Code>,
    pub(crate) site: Option<Code>,
    pub(crate) username: Code,
    pub(crate) password: Secret,
    pub(crate) start: Date,
    /// Empty: the day of the start (rule C4, anniversary).
    pub(crate) day: Option<BillingDay>,
    pub(crate) cycle: Cycle,
    pub(crate) timing: Timing,
    pub(crate) billed_from: Option<Date>,
}

impl FileRow for SubscriptionRow {
    const FILE: &'static str = "subscriptions.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER_ID),
        needed("package", &["paket", "package"]),
        optional("router", &["router"]),
        optional("site", &["site", "lokasi"]),
        needed("username", &["username", "user_pppoe", "pppoe"]),
        needed("password", &["password", "kata_sandi", "sandi"]),
        needed("start", &["mulai", "start"]),
        optional("billing_day", &["tanggal_tagih", "billing_day"]),
        optional("cycle", &["siklus", "cycle"]),
        optional("timing", &["penagihan", "timing"]),
        optional("billed_from", &["ditagih_sejak", "billed_from"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let customer = cells.need("customer_id", |t| Code::parse("customer_id", t));
        let package = cells.need("package", |t| Code::parse("package", t));
        let router = cells.maybe("router", |t| Code::parse("router", t));
        let site = cells.maybe("site", |t| Code::parse("site", t));
        if cells.raw("router").is_none() && cells.raw("site").is_none() {
            cells.fail("router", Error::Empty { field: "router" });
        }
        let username = cells.need("username", |t| Code::parse("username", t));
        let password = cells.need("password", secret);
        let start = cells.need("start", Date::parse);
        let day = cells
            .maybe("billing_day", |t| t.parse::<u8>().map_err(|_| Error::BillingDay).and_then(BillingDay::try_new));
        let cycle = cells.maybe("cycle", Cycle::parse);
        let timing = cells.maybe("timing", Timing::parse);
        let billed_from = cells.maybe("billed_from", Date::parse);
        Some(Self {
            at: cells.origin(),
            customer: customer?,
            package: package?,
            router: router?,
            site: site?,
            username: username?,
            password: password?,
            start: start?,
            day: day?,
            cycle: cycle?.unwrap_or(Cycle::Monthly),
            timing: timing?.unwrap_or_default(),
            billed_from: billed_from?,
        })
    }
}

/// A line of `cpes.csv`.
#[derive(Debug, Clone)]
pub(crate) struct CpeRow {
    pub(crate) at: Origin,
    pub(crate) serial: Code,
    pub(crate) customer: Code,
    pub(crate) outdoor_unit: Option<Name>,
    pub(crate) router: Option<Name>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) ownership: Ownership,
    pub(crate) value: Option<Money>,
    pub(crate) on: Option<Date>,
}

impl FileRow for CpeRow {
    const FILE: &'static str = "cpes.csv";
    const COLUMNS: &'static [Column] = &[
        needed("serial", &["serial", "nomor_seri", "sn"]),
        needed("customer_id", CUSTOMER_ID),
        optional("outdoor_unit", &["unit_luar", "outdoor_unit"]),
        optional("router", &["router"]),
        optional("ip", &["ip", "alamat_ip", "ip_address"]),
        optional("username", &["username", "pengguna"]),
        optional("password", &["password", "kata_sandi", "sandi"]),
        needed("ownership", &["kepemilikan", "ownership"]),
        optional("value", &["nilai", "value"]),
        optional("date", &["tanggal", "date"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let serial = cells.need("serial", |t| Code::parse("serial", t));
        let customer = cells.need("customer_id", |t| Code::parse("customer_id", t));
        let outdoor_unit = cells.maybe("outdoor_unit", |t| Name::parse("outdoor_unit", t));
        let router = cells.maybe("router", |t| Name::parse("router", t));
        let ip = cells.maybe("ip", |t| t.parse::<IpAddr>().map_err(|_| Problem::Ip));
        let username = cells.maybe("username", |t| Name::parse("username", t).map(|n| n.as_str().to_owned()));
        let password = cells.maybe("password", secret);
        let ownership = cells.need("ownership", Ownership::parse);
        let value = cells.maybe("value", |t| not_negative("value", t));
        let on = cells.maybe("date", Date::parse);
        Some(Self {
            at: cells.origin(),
            serial: serial?,
            customer: customer?,
            outdoor_unit: outdoor_unit?,
            router: router?,
            ip: ip?,
            username: username?,
            password: password?,
            ownership: ownership?,
            value: value?,
            on: on?,
        })
    }
}

/// A line of `installations.csv`.
#[derive(Debug, Clone)]
pub(crate) struct InstallationRow {
    pub(crate) at: Origin,
    pub(crate) customer: Code,
    /// Which subscription, for a customer with several.
    pub(crate) username: Option<Code>,
    /// The kind as written, and the code made of it.
    pub(crate) kind: Name,
    pub(crate) kind_code: Code,
    /// Empty: the price of the kind.
    pub(crate) fee: Option<Money>,
    pub(crate) on: Date,
    pub(crate) instalments: u8,
    pub(crate) with_first_invoice: bool,
}

impl FileRow for InstallationRow {
    const FILE: &'static str = "installations.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER_ID),
        optional("username", &["username", "user_pppoe", "pppoe"]),
        needed("kind", &["jenis", "kind", "jenis_psb"]),
        optional("fee", &["biaya", "fee"]),
        needed("date", &["tanggal", "date"]),
        optional("instalments", &["cicilan", "instalments", "installments"]),
        optional("with_first_invoice", &["bersama_tagihan_pertama", "with_first_invoice"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let customer = cells.need("customer_id", |t| Code::parse("customer_id", t));
        let username = cells.maybe("username", |t| Code::parse("username", t));
        let kind = cells.need("kind", |t| Ok::<_, Error>((Name::parse("kind", t)?, kind_code(t)?)));
        let fee = cells.maybe("fee", |t| not_negative("fee", t));
        let on = cells.need("date", Date::parse);
        let instalments = cells.maybe("instalments", |t| {
            let number = t.parse::<u8>().ok().filter(|n| (1..=12).contains(n));
            number.ok_or(Problem::Number { least: 1, most: 12 })
        });
        let with_first_invoice = cells.maybe("with_first_invoice", |t| yes_or_no("with_first_invoice", t));
        let (kind, kind_code) = kind?;
        Some(Self {
            at: cells.origin(),
            customer: customer?,
            username: username?,
            kind,
            kind_code,
            fee: fee?,
            on: on?,
            instalments: instalments?.unwrap_or(1),
            with_first_invoice: with_first_invoice?.unwrap_or(false),
        })
    }
}

/// A line of `expenses.csv`.
#[derive(Debug, Clone)]
pub(crate) struct ExpenseRow {
    pub(crate) at: Origin,
    pub(crate) on: Date,
    pub(crate) category: Account,
    pub(crate) amount: Money,
    pub(crate) note: String,
    pub(crate) site: Option<Code>,
}

impl FileRow for ExpenseRow {
    const FILE: &'static str = "expenses.csv";
    const COLUMNS: &'static [Column] = &[
        needed("date", &["tanggal", "date"]),
        needed("category", &["kategori", "category"]),
        needed("amount", &["jumlah", "amount"]),
        optional("note", &["catatan", "note"]),
        optional("site", &["site", "lokasi"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let on = cells.need("date", Date::parse);
        let category = cells.need("category", Expense::category);
        let amount = cells.need("amount", |t| positive("amount", t));
        let note = cells.maybe("note", |t| Name::parse("note", t).map(|n| n.as_str().to_owned()));
        let site = cells.maybe("site", |t| Code::parse("site", t));
        let note = note?.unwrap_or_default();
        Some(Self { at: cells.origin(), on: on?, category: category?, amount: amount?, note, site: site? })
    }
}

const CUSTOMER_ID: &[&str] = &["id_pelanggan", "customer_id", "pelanggan", "customer"];

fn secret(text: &str) -> Result<Secret, Error> {
    Ok(Secret::new(text))
}

fn positive(field: &'static str, text: &str) -> Result<Money, Error> {
    Money::parse(text).and_then(|m| if m.is_positive() { Ok(m) } else { Err(Error::NotPositive { field }) })
}

fn not_negative(field: &'static str, text: &str) -> Result<Money, Error> {
    Money::parse(text).and_then(|m| if m < Money::ZERO { Err(Error::NotPositive { field }) } else { Ok(m) })
}

/// Reads whether a price contains PPN, in the words of an owner.
pub(crate) fn tax_mode(text: &str) -> Result<TaxMode, Error> {
    match text.trim().to_lowercase().as_str() {
        "belum termasuk" | "belum" | "exclusive" | "tidak termasuk" => Ok(TaxMode::Exclusive),
        "termasuk" | "sudah termasuk" | "inclusive" => Ok(TaxMode::Inclusive),
        _ => Err(Error::NotOneOf { field: "tax", expected: "exclusive (belum termasuk), inclusive (termasuk)" }),
    }
}

/// The code of an installation kind: its name in capitals with `-` for blanks.
pub(crate) fn kind_code(text: &str) -> Result<Code, Error> {
    let words: Vec<String> = text.split_whitespace().map(str::to_uppercase).collect();
    Code::parse("kind", &words.join("-"))
}

fn yes_or_no(field: &'static str, text: &str) -> Result<bool, Error> {
    match text.to_lowercase().as_str() {
        "ya" | "y" | "yes" | "true" | "1" => Ok(true),
        "tidak" | "t" | "no" | "n" | "false" | "0" => Ok(false),
        _ => Err(Error::NotOneOf { field, expected: "ya, tidak" }),
    }
}
