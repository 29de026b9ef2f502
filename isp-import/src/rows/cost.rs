//! Installations and expenses.

use isp_core::calendar::Date;
use isp_core::ledger::{Account, Expense};
use isp_core::money::plausible_amount;
use isp_core::payment::Channel;
use isp_core::text::{Code, Name, RouterName};
use isp_core::{Error, Money};

use super::super::cells::Cells;
use super::super::problem::Problem;
use super::super::sheet::{Column, Origin, needed, optional};
use super::line::ACCOUNT;
use super::{CUSTOMER_ID, FileRow, SITE, is_over, kind_code, not_negative, positive, whole_number, yes_or_no};

/// A line of `installations.csv`.
#[derive(Debug, Clone)]
pub struct InstallationRow {
    /// Where it stands.
    pub at: Origin,
    /// The number of the customer.
    pub customer: Code,
    /// Which subscription, for a customer with several.
    pub username: Option<RouterName>,
    /// The kind as written, and the code made of it.
    pub kind: Name,
    /// The code that is made of it.
    pub kind_code: Code,
    /// Empty: the price of the kind.
    pub fee: Option<Money>,
    /// The day.
    pub on: Date,
    /// In how many monthly parts.
    pub instalments: u8,
    /// Whether it goes with the first invoice of the line.
    pub with_first_invoice: bool,
    /// True in an export, for one that was taken back.
    pub ended: bool,
}

impl FileRow for InstallationRow {
    const FILE: &'static str = "installations.csv";
    const COLUMNS: &'static [Column] = &[
        needed("customer_id", CUSTOMER_ID),
        optional("username", ACCOUNT),
        needed("kind", &["jenis", "kind", "jenis_psb", "jenis_pasang"]),
        optional("fee", &["biaya", "fee", "biaya_pasang", "biaya_psb"]),
        needed("date", &["tanggal", "date", "tgl", "tanggal_pasang", "tgl_pasang", "installed_on"]),
        optional("instalments", &["cicilan", "instalments", "installments"]),
        optional("with_first_invoice", &["bersama_tagihan_pertama", "with_first_invoice", "invoicing"]),
        optional("ended", &["dicabut", "ended"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let customer = cells.code("customer_id");
        let username = cells.maybe_router_name("username");
        let kind = cells.need("kind", |t| Ok::<_, Error>((Name::parse("kind", t)?, kind_code(t)?)));
        let fee = cells.maybe("fee", |t| not_negative("fee", t));
        if let Some(fee) = fee.flatten() {
            cells.ask("fee", plausible_amount("fee", fee));
        }
        let on = cells.day("date");
        let instalments = cells.maybe("instalments", |t| {
            let number = whole_number(t).and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=12).contains(n));
            number.ok_or(Problem::Number { least: 1, most: 12 })
        });
        let with_first_invoice = cells.maybe("with_first_invoice", |t| match t {
            // As `installation list` says it.
            "with_first_invoice" => Ok(true),
            "alone" => Ok(false),
            other => yes_or_no("with_first_invoice", other),
        });
        let ended = is_over(cells);
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
            ended: ended?,
        })
    }
}

/// A line of `expenses.csv`.
#[derive(Debug, Clone)]
pub struct ExpenseRow {
    /// Where it stands.
    pub at: Origin,
    /// The day.
    pub on: Date,
    /// What it was for.
    pub category: Account,
    /// How much.
    pub amount: Money,
    /// What was written beside it.
    pub note: String,
    /// The code of the site.
    pub site: Option<Code>,
    /// Where the money came from.
    pub paid_from: Channel,
    /// True in an export, for one that was booked back.
    pub ended: bool,
}

impl FileRow for ExpenseRow {
    const FILE: &'static str = "expenses.csv";
    const COLUMNS: &'static [Column] = &[
        needed("date", &["tanggal", "date", "tgl"]),
        needed("category", &["kategori", "category", "jenis"]),
        needed("amount", &["jumlah", "amount", "nominal", "total", "biaya"]),
        optional("note", &["catatan", "note", "keterangan", "ket", "uraian"]),
        optional("site", SITE),
        optional("paid_from", &["dibayar_dari", "paid_from", "channel", "dari"]),
        optional("ended", &["dibatalkan", "ended"]),
    ];

    fn read(cells: &mut Cells<'_, '_>) -> Option<Self> {
        let on = cells.day("date");
        let category = cells.need("category", Expense::category);
        let amount = cells.need("amount", |t| positive("amount", t));
        if let Some(amount) = amount {
            cells.ask("amount", plausible_amount("amount", amount));
        }
        let note = cells.maybe("note", |t| Name::parse("note", t).map(|n| n.as_str().to_owned()));
        let site = cells.maybe_code("site");
        let paid_from = cells.maybe("paid_from", Expense::source);
        let ended = is_over(cells)?;
        let note = note?.unwrap_or_default();
        let (on, category, amount, site) = (on?, category?, amount?, site?);
        let paid_from = paid_from?.unwrap_or(Channel::Cash);
        Some(Self { at: cells.origin(), on, category, amount, note, site, paid_from, ended })
    }
}
