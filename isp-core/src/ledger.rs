//! The ledger: every money event is a balanced journal entry, and reports are sums over entries.
//!
//! Debit is positive, credit negative; the lines of an entry add up to zero, so all lines do.

pub mod compare;
pub mod cover;
pub mod kept;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::{CreditNote, Invoice, InvoiceBalance, LineKind};
use crate::calendar::{Date, Month, Zone};
use crate::error::Error;
use crate::ids::{CustomerId, ExpenseId, InvoiceId, JournalEntryId, PackageId, SiteId, TenantId, derive};
use crate::money::Money;
use crate::payment::{Allocation, Channel, Payment};

/// An account of the small chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// What customers owe (*piutang*).
    Receivable,
    /// Cash in the office.
    Cash,
    /// Money in the bank.
    Bank,
    /// Money at payment gateways, on its way to the bank.
    Gateway,
    /// Cash in the hands of collectors, until they hand it over.
    Collector,
    /// PPh 23 that customers kept back, which counts towards the provider's own income tax.
    Pph23Prepaid,
    /// What customers paid ahead (*titipan*).
    CustomerCredit,
    /// PPN to be handed over.
    PpnPayable,
    /// Revenue from service.
    RevenueSubscription,
    /// Revenue from installation fees.
    RevenueInstallation,
    /// Revenue from late fees.
    RevenueLateFee,
    /// Discounts given.
    Discounts,
    /// Rounding of inclusive prices.
    Rounding,
    /// Cost of devices.
    DeviceCost,
    /// Bandwidth.
    ExpenseBandwidth,
    /// Salaries.
    ExpenseSalaries,
    /// Electricity.
    ExpenseElectricity,
    /// Gateway and message fees.
    ExpenseFees,
    /// Other expenses.
    ExpenseOther,
    /// Receivables given up.
    WriteOff,
}

impl Account {
    /// All accounts, in the order of reports.
    pub const ALL: [Self; 20] = [
        Self::Receivable,
        Self::Cash,
        Self::Bank,
        Self::Gateway,
        Self::Collector,
        Self::Pph23Prepaid,
        Self::CustomerCredit,
        Self::PpnPayable,
        Self::RevenueSubscription,
        Self::RevenueInstallation,
        Self::RevenueLateFee,
        Self::Discounts,
        Self::Rounding,
        Self::DeviceCost,
        Self::ExpenseBandwidth,
        Self::ExpenseSalaries,
        Self::ExpenseElectricity,
        Self::ExpenseFees,
        Self::ExpenseOther,
        Self::WriteOff,
    ];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Cash => "cash",
            Self::Bank => "bank",
            Self::Gateway => "gateway",
            Self::Collector => "collector",
            Self::Pph23Prepaid => "pph23_prepaid",
            Self::CustomerCredit => "customer_credit",
            Self::PpnPayable => "ppn_payable",
            Self::RevenueSubscription => "revenue_subscription",
            Self::RevenueInstallation => "revenue_installation",
            Self::RevenueLateFee => "revenue_late_fee",
            Self::Discounts => "discounts",
            Self::Rounding => "rounding",
            Self::DeviceCost => "device_cost",
            Self::ExpenseBandwidth => "expense_bandwidth",
            Self::ExpenseSalaries => "expense_salaries",
            Self::ExpenseElectricity => "expense_electricity",
            Self::ExpenseFees => "expense_fees",
            Self::ExpenseOther => "expense_other",
            Self::WriteOff => "write_off",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|a| a.code() == text)
            .ok_or(Error::NotOneOf { field: "account", expected: "an account of the chart" })
    }

    /// True for the accounts that profit and loss is made of.
    #[must_use]
    pub const fn is_result(self) -> bool {
        !self.is_money()
            && !matches!(self, Self::Receivable | Self::Pph23Prepaid | Self::CustomerCredit | Self::PpnPayable)
    }

    /// True for the accounts that money is kept on.
    #[must_use]
    pub const fn is_money(self) -> bool {
        matches!(self, Self::Cash | Self::Bank | Self::Gateway | Self::Collector)
    }
}

/// A balanced entry. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The row; follows from the money event, so that an event is never booked twice.
    pub id: JournalEntryId,
    /// The day it is booked on.
    pub date: Date,
    /// What it books, such as `invoices` or `payment`.
    pub kind: EntryKind,
    /// At least two lines that add up to zero.
    pub lines: Vec<JournalLine>,
}

impl JournalEntry {
    /// True when the lines add up to zero.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.lines.iter().map(|l| l.amount).sum::<Money>().is_zero()
    }

    /// The entry that books it back, on the same day.
    #[must_use]
    pub(crate) fn booked_back(mut self, id: uuid::Uuid) -> Self {
        self.id = JournalEntryId(id);
        for line in &mut self.lines {
            line.amount = -line.amount;
        }
        self
    }
}

/// What an entry books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// The invoices that one commit wrote with one date.
    Invoices,
    /// A payment.
    Payment,
    /// A reversed payment.
    Reversal,
    /// Credit that paid an invoice.
    Credit,
    /// A credit note.
    CreditNote,
    /// A receivable given up.
    WriteOff,
    /// Cash that a collector handed over.
    Deposit,
    /// Revenue that a package change moves between packages.
    PackageChange,
    /// The cost of a device.
    DeviceCost,
    /// An expense.
    Expense,
    /// What a payment gateway keeps of a payment or a payout.
    GatewayFee,
    /// Money that a payment gateway paid out to the bank.
    Payout,
    /// Credit that was paid out to a customer.
    Refund,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Invoices,
        Self::Payment,
        Self::Reversal,
        Self::Credit,
        Self::CreditNote,
        Self::WriteOff,
        Self::Deposit,
        Self::PackageChange,
        Self::DeviceCost,
        Self::Expense,
        Self::GatewayFee,
        Self::Payout,
        Self::Refund,
    ];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invoices => "invoices",
            Self::Payment => "payment",
            Self::Reversal => "reversal",
            Self::Credit => "credit",
            Self::CreditNote => "credit_note",
            Self::WriteOff => "write_off",
            Self::Deposit => "deposit",
            Self::PackageChange => "package_change",
            Self::DeviceCost => "device_cost",
            Self::Expense => "expense",
            Self::GatewayFee => "gateway_fee",
            Self::Payout => "payout",
            Self::Refund => "refund",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|k| k.code() == text)
            .ok_or(Error::NotOneOf { field: "kind", expected: "a kind of journal entry" })
    }
}

/// One side of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// Which account.
    pub account: Account,
    /// Debit positive, credit negative.
    pub amount: Money,
    /// For which package, where that is known.
    pub package_id: Option<PackageId>,
    /// At which site, where that is known.
    pub site_id: Option<SiteId>,
}

impl JournalLine {
    /// A line that belongs to no package and no site.
    #[must_use]
    pub const fn new(account: Account, amount: Money) -> Self {
        Self { account, amount, package_id: None, site_id: None }
    }
}

/// The sum of the lines of one account, kind of entry, month, package and site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalTotal {
    /// First day of the month.
    pub month: Date,
    /// Which account.
    pub account: Account,
    /// From entries of which kind.
    pub kind: EntryKind,
    /// For which package.
    pub package_id: Option<PackageId>,
    /// At which site.
    pub site_id: Option<SiteId>,
    /// Debit positive, credit negative.
    pub amount: Money,
}

impl JournalTotal {
    /// The month it is the total of.
    #[must_use]
    pub fn month(&self) -> Month {
        self.month.month()
    }
}

/// The entries for newly written invoices: one a day of issue, so that the ledger stays small however many customers
/// there are. A store calls this with the invoices that it really inserted.
#[must_use]
pub fn entries_for_invoices(invoices: &[Invoice]) -> Vec<JournalEntry> {
    type Sums = BTreeMap<(PackageId, SiteId), [Money; Account::ALL.len()]>;
    let mut days: BTreeMap<Date, (InvoiceId, Sums)> = BTreeMap::new();
    let key = |i: &Invoice| (i.issue_date, i.package_id, i.site_id);
    for alike in invoices.chunk_by(|a, b| key(a) == key(b)) {
        let (day, package_id, site_id) = key(&alike[0]);
        let (first, places) = days.entry(day).or_insert_with(|| (alike[0].id, BTreeMap::new()));
        let sums = places.entry((package_id, site_id)).or_default();
        for invoice in alike {
            *first = invoice.id.min(*first);
            sums[Account::Receivable as usize] += invoice.total;
            for line in &invoice.lines {
                sums[account_of(line.kind) as usize] -= line.amount;
            }
        }
    }
    days.into_iter()
        .map(|(date, (first, places))| {
            let of_account = |account: Account| {
                places.iter().map(move |((package_id, site_id), sums)| JournalLine {
                    account,
                    amount: sums[account as usize],
                    package_id: Some(*package_id),
                    site_id: Some(*site_id),
                })
            };
            JournalEntry {
                // An invoice is inserted once, so an entry named after its first invoice is written once.
                id: JournalEntryId(derive(first.0, &["journal"])),
                date,
                kind: EntryKind::Invoices,
                lines: Account::ALL.into_iter().flat_map(of_account).filter(|line| !line.amount.is_zero()).collect(),
            }
        })
        .collect()
}

fn account_of(kind: LineKind) -> Account {
    match kind {
        // A credit line gives days of service back.
        LineKind::Subscription | LineKind::Credit => Account::RevenueSubscription,
        LineKind::Installation => Account::RevenueInstallation,
        LineKind::LateFee => Account::RevenueLateFee,
        LineKind::Discount => Account::Discounts,
        LineKind::Ppn | LineKind::InstallationPpn => Account::PpnPayable,
        LineKind::Rounding => Account::Rounding,
    }
}

/// The entry for a credit note: revenue by kind and PPN down, the customer's credit up. A store calls this with the notes
/// that it really inserted.
#[must_use]
pub fn entry_for_credit_note(note: &CreditNote) -> JournalEntry {
    let mut sums: BTreeMap<Account, Money> = BTreeMap::new();
    for line in &note.lines {
        *sums.entry(account_of(line.kind)).or_default() += line.amount;
    }
    let (package_id, site_id) = (Some(note.package_id), Some(note.site_id));
    let mut lines: Vec<JournalLine> = sums
        .into_iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(account, amount)| JournalLine { account, amount, package_id, site_id })
        .collect();
    lines.push(JournalLine::new(Account::CustomerCredit, -note.total));
    JournalEntry {
        id: JournalEntryId(derive(note.id.0, &["journal"])),
        date: note.issue_date,
        kind: EntryKind::CreditNote,
        lines,
    }
}

/// The entry that books a credit note back at a moment, where it is served: revenue and PPN up again, the customer's credit down.
/// It is of the day on which that is said, since the month of the note may be declared, and never before the note.
#[must_use]
pub fn entry_for_credit_note_back(note: &CreditNote, at: DateTime<Utc>, zone: Zone) -> JournalEntry {
    let back = entry_for_credit_note(note).booked_back(derive(note.id.0, &["reversal"]));
    JournalEntry { date: zone.date_of(at).max(note.issue_date), ..back }
}

/// What allocations pay, by package and site of the invoices that they pay; `invoices` holds those.
fn shares(allocations: &[Allocation], invoices: &[InvoiceBalance]) -> BTreeMap<Share, Money> {
    let mut shares: BTreeMap<Share, Money> = BTreeMap::new();
    for a in allocations {
        let of = invoices.iter().find(|i| i.invoice_id == a.invoice_id);
        *shares.entry(of.map(|i| (i.package_id, i.site_id))).or_default() += a.amount;
    }
    shares.retain(|_, amount| !amount.is_zero());
    shares
}

type Share = Option<(PackageId, SiteId)>;

fn line_of(account: Account, share: Share, amount: Money) -> JournalLine {
    JournalLine { account, amount, package_id: share.map(|s| s.0), site_id: share.map(|s| s.1) }
}

/// The entry for a payment: its account up, receivables down by what it paid, the rest is customer credit. What it paid is
/// booked on package and site of each invoice, which is the cash view of both; `invoices` holds those that it pays.
#[must_use]
pub fn entry_for_payment(
    payment: &Payment,
    allocations: &[Allocation],
    invoices: &[InvoiceBalance],
    date: Date,
) -> JournalEntry {
    let own: Vec<Allocation> = allocations.iter().filter(|a| a.payment_id == payment.id).copied().collect();
    let lines = settled(payment.account(), payment.amount, &own, invoices);
    let kind = if payment.channel == Channel::WriteOff { EntryKind::WriteOff } else { EntryKind::Payment };
    JournalEntry { id: JournalEntryId(derive(payment.id.0, &["journal"])), date, kind, lines }
}

/// The entry for credit that paid invoices after its payment was booked, and for what was moved from one invoice to another. `None`
/// when nothing moved.
#[must_use]
pub fn entry_for_credit(
    tenant: TenantId,
    customer: CustomerId,
    allocations: &[Allocation],
    invoices: &[InvoiceBalance],
    date: Date,
) -> Option<JournalEntry> {
    let amount: Money = allocations.iter().map(|a| a.amount).sum();
    let words: Vec<String> = allocations
        .iter()
        .flat_map(|a| [a.payment_id.to_string(), a.invoice_id.to_string(), a.at.to_rfc3339()])
        .collect();
    let mut name = vec!["credit"];
    let customer = customer.to_string();
    name.push(&customer);
    name.extend(words.iter().map(String::as_str));
    let mut lines = vec![JournalLine::new(Account::CustomerCredit, amount)];
    lines.extend(shares(allocations, invoices).into_iter().map(|(of, paid)| line_of(Account::Receivable, of, -paid)));
    lines.retain(|line| !line.amount.is_zero());
    let id = JournalEntryId(derive(tenant.0, &name));
    (!lines.is_empty()).then_some(JournalEntry { id, date, kind: EntryKind::Credit, lines })
}

/// The entry for a reversed payment: `taken_back` are the allocations that undo what it paid, `invoices` those that it
/// had paid.
#[must_use]
pub fn entry_for_reversal(
    payment: &Payment,
    taken_back: &[Allocation],
    invoices: &[InvoiceBalance],
    date: Date,
) -> JournalEntry {
    let lines = settled(payment.account(), -payment.amount, taken_back, invoices);
    JournalEntry { id: JournalEntryId(derive(payment.id.0, &["reversal"])), date, kind: EntryKind::Reversal, lines }
}

/// What an amount on an account does to the invoices it was allocated to; the rest is the customer's credit.
fn settled(
    account: Account,
    amount: Money,
    allocations: &[Allocation],
    invoices: &[InvoiceBalance],
) -> Vec<JournalLine> {
    let mut lines = Vec::new();
    let mut left = amount;
    for (share, amount) in shares(allocations, invoices) {
        lines.push(line_of(account, share, amount));
        lines.push(line_of(Account::Receivable, share, -amount));
        left -= amount;
    }
    if !left.is_zero() {
        lines.push(JournalLine::new(account, left));
        lines.push(JournalLine::new(Account::CustomerCredit, -left));
    }
    lines
}

/// Money spent on something other than devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expense {
    /// The row.
    pub id: ExpenseId,
    /// When.
    pub on: Date,
    /// On what: one of the `Expense...` accounts.
    pub category: Account,
    /// How much.
    pub amount: Money,
    /// From which money it was paid, or with PPh 23 that customers kept back: so it is used in the yearly return.
    pub paid_from: Channel,
    /// In words.
    pub note: String,
    /// At which site, if at one.
    pub site_id: Option<SiteId>,
}

impl Expense {
    /// Reads a category: `bandwidth`, `salaries` (`gaji`), `electricity` (`listrik`), `fees`, `other` (`lain`).
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn category(text: &str) -> Result<Account, Error> {
        let text = text.trim().to_ascii_lowercase();
        // As reports and exports call it.
        match text.strip_prefix("expense_").unwrap_or(&text) {
            "bandwidth" => Ok(Account::ExpenseBandwidth),
            "salaries" | "gaji" => Ok(Account::ExpenseSalaries),
            "electricity" | "listrik" => Ok(Account::ExpenseElectricity),
            "fees" | "biaya" => Ok(Account::ExpenseFees),
            "other" | "lain" | "lain-lain" => Ok(Account::ExpenseOther),
            _ => Err(Error::NotOneOf { field: "category", expected: "bandwidth, salaries, electricity, fees, other" }),
        }
    }

    /// Its entry.
    #[must_use]
    pub fn entry(&self) -> JournalEntry {
        let mut entry = entry(
            derive(self.id.0, &["journal"]),
            self.on,
            EntryKind::Expense,
            &[(self.category, self.amount), (self.paid_from.account(), -self.amount)],
        );
        for line in &mut entry.lines {
            line.site_id = self.site_id;
        }
        entry
    }

    /// The entry that books it back, on the same day, so that the month it was booked in comes out right. Both stay visible.
    #[must_use]
    pub fn reversal(&self) -> JournalEntry {
        self.entry().booked_back(derive(self.id.0, &["reversal"]))
    }

    /// Said of what pays no expense.
    const NO_SOURCE: Error = Error::NotOneOf { field: "paid_from", expected: "cash, bank, gateway, pph23" };

    /// The expense, when it makes sense.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`Error::NotOneOf`] for what pays no expense.
    pub fn checked(self) -> Result<Self, Error> {
        if !Self::pays(self.paid_from) {
            return Err(Self::NO_SOURCE);
        }
        if self.amount.is_positive() { Ok(self) } else { Err(Error::NotPositive { field: "amount" }) }
    }

    /// True for what an expense can be paid from: money, or PPh 23 that was kept back.
    #[must_use]
    pub const fn pays(channel: Channel) -> bool {
        channel.is_money() || matches!(channel, Channel::Pph23)
    }

    /// Reads what an expense is paid from.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn source(text: &str) -> Result<Channel, Error> {
        Channel::parse(text).ok().filter(|channel| Self::pays(*channel)).ok_or(Self::NO_SOURCE)
    }
}

pub(crate) fn entry(id: uuid::Uuid, date: Date, kind: EntryKind, lines: &[(Account, Money)]) -> JournalEntry {
    JournalEntry {
        id: JournalEntryId(id),
        date,
        kind,
        lines: lines.iter().filter(|(_, m)| !m.is_zero()).map(|(a, m)| JournalLine::new(*a, *m)).collect(),
    }
}
