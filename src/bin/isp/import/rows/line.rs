//! Subscriptions.

use isp_core::calendar::{BillingDay, Cycle, Date};
use isp_core::subscription::Timing;
use isp_core::text::Code;
use isp_core::{Error, Secret};

use super::super::cells::Cells;
use super::super::sheet::{Column, Origin, needed, optional};
use super::{CUSTOMER_ID, FileRow, SITE, is_over, package_code, password, whole_number};

/// A line of `subscriptions.csv`.
#[derive(Debug, Clone)]
pub(crate) struct SubscriptionRow {
    pub(crate) at: Origin,
    pub(crate) customer: Code,
    pub(crate) package: Code,
    pub(crate) router: Option<Code>,
    pub(crate) site: Option<Code>,
    pub(crate) username: Code,
    /// None in an export, for a line that is known already.
    pub(crate) password: Option<Secret>,
    pub(crate) start: Date,
    /// Empty: the day of the start (rule C4, anniversary).
    pub(crate) day: Option<BillingDay>,
    pub(crate) cycle: Cycle,
    pub(crate) timing: Timing,
    pub(crate) billed_from: Option<Date>,
    /// True in an export, for a line that has ended.
    pub(crate) ended: bool,
}

impl FileRow for SubscriptionRow {
    const FILE: &'static str = "subscriptions.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER_ID),
        needed("package", PACKAGE),
        optional("router", ROUTER),
        optional("site", SITE),
        needed("username", ACCOUNT),
        optional("password", PASSWORD),
        needed("start", START),
        optional("billing_day", DAY),
        optional("cycle", &["siklus", "cycle", "months"]),
        optional("timing", &["penagihan", "timing"]),
        optional("billed_from", &["ditagih_sejak", "billed_from"]),
        optional("ended", &["berakhir", "end", "ended"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let customer = cells.code("customer_id");
        let package = cells.need("package", package_code);
        let router = cells.maybe_code("router");
        let site = cells.maybe_code("site");
        let username = cells.code("username");
        let password = password(cells);
        let start = cells.day("start");
        let day = cells.maybe("billing_day", |t| {
            let day = t.to_lowercase();
            let day = ["tanggal", "tgl.", "tgl"].iter().find_map(|word| day.strip_prefix(word)).unwrap_or(&day).trim();
            whole_number(day).and_then(|n| u8::try_from(n).ok()).ok_or(Error::BillingDay).and_then(BillingDay::try_new)
        });
        let cycle = cells.maybe("cycle", Cycle::parse);
        let timing = cells.maybe("timing", Timing::parse);
        let billed_from = cells.maybe_day("billed_from");
        let ended = is_over(cells);
        Some(Self {
            at: cells.origin(),
            customer: customer?,
            package: package?,
            router: router?,
            site: site?,
            username: username?,
            password,
            start: start?,
            day: day?,
            cycle: cycle?.unwrap_or(Cycle::Monthly),
            timing: timing?.unwrap_or_default(),
            billed_from: billed_from?,
            ended: ended?,
        })
    }
}

/// What owners call the columns of a line, here and on a sheet with everything.
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
