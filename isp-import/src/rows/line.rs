//! Subscriptions.

use isp_core::calendar::{BillingDay, Cycle, Date};
use isp_core::money::plausible_price;
use isp_core::subscription::{Account, Discount, HeldPrice, Off, Service, Timing, Typed};
use isp_core::text::{Code, RouterName};
use isp_core::typed::clean;
use isp_core::{Error, Money, Secret};

use super::super::cells::Cells;
use super::super::notice::Note;
use super::super::sheet::{Column, Origin, needed, needed_unless, optional};
use super::{CUSTOMER_ID, FileRow, SITE, is_over, package_code, positive, whole_number};

/// A line of `subscriptions.csv`.
#[derive(Debug, Clone)]
pub struct SubscriptionRow {
    /// Where it stands.
    pub at: Origin,
    /// The number of the customer.
    pub customer: Code,
    /// The code of the package, or one made of its name.
    pub package: Code,
    /// The package as the row calls it, by its code or its name.
    pub package_said: String,
    /// The router.
    pub router: Option<Code>,
    /// The code of the site.
    pub site: Option<Code>,
    /// How it gets onto the network; its password is in the next field.
    pub account: Account,
    /// None in an export, for a line that is known already.
    pub password: Option<Secret>,
    /// The first day of service.
    pub start: Date,
    /// Empty: the day of the start (rule C4, anniversary).
    pub day: Option<BillingDay>,
    /// How long a period is.
    pub cycle: Cycle,
    /// Whether a period is billed before or after it.
    pub timing: Timing,
    /// The first day that is billed here.
    pub billed_from: Option<Date>,
    /// A price of its own, and the last day on which a period that begins has it.
    pub own_price: Option<Money>,
    /// The last day on which a period that begins has it.
    pub own_price_until: Option<Date>,
    /// The price of the package in a sheet with everything.
    pub(crate) sheet_price: Option<Money>,
    /// The discount.
    pub discount: Option<Off>,
    /// The last day on which a period that begins has it.
    pub discount_until: Option<Date>,
    /// True in an export, for a line that has ended.
    pub ended: bool,
}

impl FileRow for SubscriptionRow {
    const FILE: &'static str = "subscriptions.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER_ID),
        needed("package", PACKAGE),
        optional("router", ROUTER),
        optional("site", SITE),
        optional("service", SERVICE),
        needed_unless("username", ACCOUNT, FIXED),
        optional("password", PASSWORD),
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
        let customer = cells.code("customer_id");
        let package = cells.need("package", package_code);
        let package_said = cells.raw("package").map(clean).unwrap_or_default();
        let router = cells.maybe_code("router");
        let site = cells.maybe_code("site");
        let account = account(cells);
        let start = cells.day("start");
        let day = cells.maybe("billing_day", |t| {
            let day = t.to_lowercase();
            let day = ["tanggal", "tgl.", "tgl"].iter().find_map(|word| day.strip_prefix(word)).unwrap_or(&day).trim();
            whole_number(day).and_then(|n| u8::try_from(n).ok()).ok_or(Error::BillingDay).and_then(BillingDay::try_new)
        });
        let cycle = cells.maybe("cycle", Cycle::parse);
        let timing = cells.maybe("timing", Timing::parse);
        let billed_from = cells.maybe_day("billed_from");
        let own_price = cells.maybe("own_price", |t| positive("own_price", t));
        let own_price_until = cells.maybe_day("own_price_until");
        let discount = cells.maybe("discount", Off::parse);
        let discount_until = cells.maybe_day("discount_until");
        if let Some(Some(price)) = own_price {
            cells.ask("own_price", plausible_price("own_price", price));
        }
        if let Some(Some(Off::Amount(amount))) = discount {
            cells.ask("discount", plausible_price("discount", amount));
        }
        let ended = is_over(cells);
        let (account, password) = account?;
        Some(Self {
            at: cells.origin(),
            customer: customer?,
            package: package?,
            package_said,
            router: router?,
            site: site?,
            account,
            password,
            start: start?,
            day: day?,
            cycle: cycle?.unwrap_or(Cycle::Monthly),
            timing: timing?.unwrap_or_default(),
            billed_from: billed_from?,
            own_price: own_price?,
            own_price_until: own_price_until?,
            sheet_price: None,
            discount: discount?,
            discount_until: discount_until?,
            ended: ended?,
        })
    }
}

impl SubscriptionRow {
    /// The price of its own.
    pub fn held(&self) -> Option<HeldPrice> {
        let until = self.own_price_until.map(|last| last.plus_days(1));
        self.own_price.map(|price| HeldPrice { price, until })
    }

    /// Its discount.
    pub fn discounted(&self) -> Option<Discount> {
        let until = self.discount_until.map(|last| last.plus_days(1));
        self.discount.map(|off| Discount { off, until })
    }

    /// What the line is called.
    pub fn name(&self) -> &RouterName {
        &self.account.username
    }

    /// The column that says so.
    pub fn named_by(&self) -> &'static str {
        match self.account.service {
            Service::Static => "ip_address",
            Service::Dhcp => "mac",
            _ => "username",
        }
    }
}

/// How the line gets onto the network; what is filled says it where no column does.
fn account(cells: &mut Cells<'_, '_>) -> Option<(Account, Option<Secret>)> {
    let said = cells.maybe("service", Service::parse)?;
    let filled = |cells: &mut Cells<'_, '_>, key| cells.maybe(key, |text| Ok::<_, Error>(text.to_owned()));
    let (name, address, mac) = (filled(cells, "username")?, filled(cells, "ip_address")?, filled(cells, "mac")?);
    let password = cells.verbatim("password").filter(|text| !text.trim().is_empty());
    let typed = Typed {
        service: said,
        username: name.as_deref(),
        password: password.as_deref(),
        address: address.as_deref(),
        mac: mac.as_deref(),
    };
    let service = typed.service();
    if service.logs_in() {
        // Sheets note the address or the box of who logs in as well; nothing rests on it.
        for (key, text) in [("ip_address", &address), ("mac", &mac)] {
            if text.is_some() {
                cells.tell(key, Note::NotImported);
            }
        }
        let (username, password) = (cells.router_name("username")?, super::password(cells));
        let none = Secret::new(String::new());
        return Some((Account { service, ..Account::pppoe(username, none) }, password));
    }
    match Account::read(&typed) {
        Ok(account) => {
            let password = Some(account.password.clone());
            Some((account, password))
        }
        Err(error) => {
            let key = match &error {
                Error::IpAddress { .. } => "ip_address",
                Error::Mac { .. } => "mac",
                Error::Empty { field } | Error::NotForService { field, .. } => field,
                _ => "username",
            };
            cells.fail(key, error);
            None
        }
    }
}

/// What owners call the columns of a line, here and on a sheet with everything.
pub(super) const SERVICE: &[&str] =
    &["cara_akses", "service", "akses", "jenis_akses", "jenis_koneksi", "tipe_koneksi", "koneksi"];
pub(super) const IP_ADDRESS: &[&str] =
    &["ip", "ip_address", "alamat_ip", "ip_pelanggan", "ip_statis", "ip_static", "ip_statik", "remote_address"];
pub(super) const MAC: &[&str] = &["mac", "mac_address", "alamat_mac"];
/// What names a line where nobody logs in.
pub(super) const FIXED: &[&str] = &["ip_address", "mac"];
pub(super) const PACKAGE: &[&str] = &["paket", "package", "kode_paket", "nama_paket", "paket_internet", "layanan"];
pub(super) const ROUTER: &[&str] = &["router", "mikrotik", "kode_router", "nas"];
pub(super) const ACCOUNT: &[&str] =
    &["username", "user_pppoe", "pppoe", "username_pppoe", "akun_pppoe", "user", "secret", "pppoe_username", "akun"];
pub(super) const PASSWORD: &[&str] =
    &["password", "kata_sandi", "sandi", "pass", "password_pppoe", "pass_pppoe", "pppoe_password"];
pub(super) const START: &[&str] = &[
    "mulai",
    "start",
    "tanggal_mulai",
    "tgl_mulai",
    "tanggal_pasang",
    "tgl_pasang",
    "aktif_sejak",
    "tanggal_aktif",
    "tgl_aktif",
];
pub(super) const DAY: &[&str] = &["tanggal_tagih", "billing_day", "tgl_tagih", "tanggal_tagihan", "tgl_tagihan"];
pub(super) const CYCLE: &[&str] = &["siklus", "cycle", "months"];
pub(super) const TIMING: &[&str] = &["penagihan", "timing"];
pub(super) const BILLED_FROM: &[&str] = &["ditagih_sejak", "billed_from"];
pub(super) const OWN_PRICE: &[&str] = &["harga_khusus", "own_price", "harga_sendiri", "harga_spesial", "special_price"];
pub(super) const OWN_PRICE_UNTIL: &[&str] = &["harga_khusus_sampai", "own_price_until"];
pub(super) const DISCOUNT: &[&str] = &["potongan", "discount", "diskon", "disc"];
pub(super) const DISCOUNT_UNTIL: &[&str] = &["potongan_sampai", "discount_until", "diskon_sampai"];
pub(super) const ENDED: &[&str] = &["berakhir", "end", "ended"];
