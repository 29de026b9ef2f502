//! Invoices: what a customer owes, line by line.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::{CustomerId, Ids, InvoiceId, Known, PackageId, SiteId, SubscriptionId};
use crate::money::Money;
use crate::tax::Taxed;

/// An invoice as it is issued. It never changes; what was paid of it is the sum of its allocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Invoice<I: Ids = Known> {
    /// The row; follows from what is billed.
    pub id: InvoiceId,
    /// The number people use, given by the store when it is written: 1, 2, 3 and so on in a tenant; 0 before.
    pub number: u64,
    /// Who owes.
    pub customer_id: I::Customer,
    /// For which subscription.
    pub subscription_id: I::Subscription,
    /// Where it is served, for reports.
    pub site_id: I::Site,
    /// Which package, for reports.
    pub package_id: I::Package,
    /// What for.
    pub kind: InvoiceKind,
    /// The billed days: the period, or the day itself for a one-time fee. Unique with subscription and kind (rule B3).
    pub period: Period,
    /// Day of issue.
    pub issue_date: Date,
    /// Day by which it is to be paid.
    pub due_date: Date,
    /// Its lines; their sum is `total`.
    pub lines: InvoiceLines,
    /// Sum of the lines that PPN is computed on.
    pub dpp: Money,
    /// The tax in the total, in whole rupiah.
    pub ppn: Money,
    /// What is to be paid.
    pub total: Money,
}

impl Invoice {
    /// `INV-202601-000042`.
    #[must_use]
    pub fn display_number(&self) -> String {
        display_number(self.number, self.issue_date)
    }

    /// The invoice with what was paid of it.
    #[must_use]
    pub fn balance(&self, paid: Money) -> InvoiceBalance {
        InvoiceBalance {
            debt: Debt {
                invoice_id: self.id,
                number: self.number,
                issue_date: self.issue_date,
                due_date: self.due_date,
                total: self.total,
                paid,
            },
            customer_id: self.customer_id,
            subscription_id: self.subscription_id,
            site_id: self.site_id,
            package_id: self.package_id,
            kind: self.kind,
            period: self.period,
        }
    }
}

impl<I: Ids> Invoice<I> {
    /// True when the lines add up to the header.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let lines: Money = self.lines.iter().map(|l| l.amount).sum();
        let taxed: Money = self.lines.iter().filter(|l| l.kind.is_taxed()).map(|l| l.amount).sum();
        let ppn: Money = self.lines.iter().filter(|l| l.kind.is_ppn()).map(|l| l.amount).sum();
        lines == self.total && taxed == self.dpp && ppn == self.ppn
    }
}

/// How an invoice's number is shown.
#[must_use]
pub fn display_number(number: u64, issue_date: Date) -> String {
    let (year, month, _) = issue_date.ymd();
    format!("INV-{year:04}{month:02}-{number:06}")
}

/// What an invoice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// A period of service.
    Subscription,
    /// An installation fee or an instalment of it.
    Installation,
    /// A late fee.
    LateFee,
    /// What a package change in the middle of a period costs more (rule B6).
    Adjustment,
}

impl InvoiceKind {
    /// `subscription`, `installation`, `late_fee` or `adjustment`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Installation => "installation",
            Self::LateFee => "late_fee",
            Self::Adjustment => "adjustment",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "subscription" => Ok(Self::Subscription),
            "installation" => Ok(Self::Installation),
            "late_fee" => Ok(Self::LateFee),
            "adjustment" => Ok(Self::Adjustment),
            _ => Err(Error::NotOneOf { field: "kind", expected: "subscription, installation, late_fee, adjustment" }),
        }
    }
}

/// The lines of an invoice, as a slice; nearly all have at most three, which are held in the invoice itself.
pub type InvoiceLines = SmallVec<[InvoiceLine; 3]>;

/// One line of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// What it is.
    pub kind: LineKind,
    /// Its amount; a discount is negative.
    pub amount: Money,
    /// For a prorated line: the days billed, and the days of the full period that holds them (rule C5).
    pub prorated: Option<(u16, u16)>,
}

impl InvoiceLine {
    /// A line for a whole period.
    #[must_use]
    pub const fn new(kind: LineKind, amount: Money) -> Self {
        Self { kind, amount, prorated: None }
    }
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Service.
    Subscription,
    /// Installation fee.
    Installation,
    /// Late fee.
    LateFee,
    /// Discount, negative.
    Discount,
    /// Credit for the unused days of another package, negative.
    Credit,
    /// PPN.
    Ppn,
    /// The rupiah that makes an inclusive price come out; see [`crate::tax::TaxRule::inclusive`].
    Rounding,
    /// PPN of an installation fee on a periodic invoice, apart from that of the service; see
    /// [`crate::billing::first_fee`].
    InstallationPpn,
}

impl LineKind {
    /// True for the lines that PPN is computed on.
    #[must_use]
    pub const fn is_taxed(self) -> bool {
        !self.is_ppn() && !matches!(self, Self::Rounding)
    }

    /// True for the lines that are PPN.
    #[must_use]
    pub const fn is_ppn(self) -> bool {
        matches!(self, Self::Ppn | Self::InstallationPpn)
    }

    /// True for the lines of an installation fee, which is for no days.
    #[must_use]
    pub const fn is_installation(self) -> bool {
        matches!(self, Self::Installation | Self::InstallationPpn)
    }
}

/// Splits the tax side of a net amount over an invoice's lines: `net` lines already hold shares of `gross`.
///
/// The lines come in at the price as it is listed (with PPN when prices are inclusive) and leave at their DPP, so
/// that they add up to `taxed.dpp`; the last line takes what rounding leaves.
pub(crate) fn apply_tax(lines: &mut InvoiceLines, taxed: Taxed) {
    let gross: Money = lines.iter().map(|l| l.amount).sum();
    if gross != taxed.dpp && !gross.is_zero() {
        let mut rest = taxed.dpp;
        let last = lines.len() - 1;
        for (i, line) in lines.iter_mut().enumerate() {
            line.amount = if i == last { rest } else { line.amount.ratio(taxed.dpp.as_i64(), gross.as_i64()) };
            rest -= line.amount;
        }
    }
    if !taxed.ppn.is_zero() {
        lines.push(InvoiceLine::new(LineKind::Ppn, taxed.ppn));
    }
    if !taxed.rounding.is_zero() {
        lines.push(InvoiceLine::new(LineKind::Rounding, taxed.rounding));
    }
}

/// What is owed on an invoice, and how old it is: what decides which invoice is paid first, and what is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// Which invoice.
    pub invoice_id: InvoiceId,
    /// The running number that [`display_number`] shows.
    pub number: u64,
    /// Day of issue.
    pub issue_date: Date,
    /// Day by which it is to be paid.
    pub due_date: Date,
    /// What is to be paid.
    pub total: Money,
    /// Sum of its allocations.
    pub paid: Money,
}

impl Debt {
    /// What is still owed; an invoice is paid when this is exactly zero.
    #[must_use]
    pub fn residual(&self) -> Money {
        self.total - self.paid
    }

    /// True when something of it is unpaid after its due date (rule A1).
    #[must_use]
    #[inline]
    pub fn is_overdue(&self, today: Date) -> bool {
        self.due_date < today && self.residual().is_positive()
    }

    /// Days past the due date; zero or less while it is not late.
    #[must_use]
    pub fn days_late(&self, today: Date) -> i32 {
        today.days_since(self.due_date)
    }
}

/// An issued invoice with what is owed on it. Its debt reads as its own fields: `balance.due_date`, `balance.residual()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceBalance {
    /// What is owed on it.
    #[serde(flatten)]
    pub debt: Debt,
    /// Whose.
    pub customer_id: CustomerId,
    /// For which subscription.
    pub subscription_id: SubscriptionId,
    /// Where it is served, for reports.
    pub site_id: SiteId,
    /// Which package, for reports.
    pub package_id: PackageId,
    /// What for.
    pub kind: InvoiceKind,
    /// The billed days.
    pub period: Period,
}

impl Deref for InvoiceBalance {
    type Target = Debt;

    fn deref(&self) -> &Debt {
        &self.debt
    }
}

impl DerefMut for InvoiceBalance {
    fn deref_mut(&mut self) -> &mut Debt {
        &mut self.debt
    }
}

/// What a decision about debts is given: bare debts, or invoices of which the caller knows whose they are.
pub trait Owing {
    /// What is owed.
    fn debt(&self) -> &Debt;

    /// Who owes it, and for which line, where that is known.
    fn owner(&self) -> Option<(CustomerId, SubscriptionId)>;
}

impl Owing for Debt {
    #[inline]
    fn debt(&self) -> &Debt {
        self
    }

    fn owner(&self) -> Option<(CustomerId, SubscriptionId)> {
        None
    }
}

impl Owing for InvoiceBalance {
    #[inline]
    fn debt(&self) -> &Debt {
        &self.debt
    }

    fn owner(&self) -> Option<(CustomerId, SubscriptionId)> {
        Some((self.customer_id, self.subscription_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tax::{Tax, TaxMode};

    /// Every whole price, with and without PPN in it, of a PKP and of another: the lines add up to the header, which is
    /// the price (an inclusive one with at most one rupiah of rounding, an exclusive one with its PPN).
    #[test]
    fn the_lines_of_every_price_add_up() {
        let on = Date::from_day_number(20_454);
        let (pkp, other) = (Tax::pkp(), Tax::none());
        for (tax, mode) in [(&pkp, TaxMode::Inclusive), (&pkp, TaxMode::Exclusive), (&other, TaxMode::Inclusive)] {
            let rule = tax.rule_on(on).unwrap();
            for rupiah in 1..=5_000_000 {
                let price = Money::rupiah(rupiah);
                let taxed = Tax::apply_rule(rule, price, mode);
                let mut lines: InvoiceLines = smallvec::smallvec![InvoiceLine::new(LineKind::Subscription, price)];
                apply_tax(&mut lines, taxed);
                let (mut sum, mut dpp, mut ppn) = (0, 0, 0);
                for line in &lines {
                    let amount = line.amount.as_i64();
                    sum += amount;
                    match line.kind {
                        LineKind::Ppn => ppn += amount,
                        LineKind::Rounding => {}
                        _ => dpp += amount,
                    }
                }
                let header = (taxed.total().as_i64(), taxed.dpp.as_i64(), taxed.ppn.as_i64());
                let price_kept = match (rule, mode) {
                    (Some(_), TaxMode::Exclusive) => dpp == rupiah,
                    (Some(_), TaxMode::Inclusive) => sum == rupiah && matches!(sum - dpp - ppn, 0 | 1),
                    (None, _) => (sum, ppn) == (rupiah, 0),
                };
                assert!(header == (sum, dpp, ppn) && price_kept, "{price} {mode:?}: {lines:?}");
            }
        }
    }
}
