//! PPh 23 that a customer keeps back (rule P9): a firm pays an invoice short by the tax, pays the tax to the state in the provider's
//! name, and hands over a slip (*bukti potong*). The slip settles what is missing. It is no money in a till: the provider has a claim
//! on its own income tax instead.
//!
//! A slip is a payment through [`Channel::Pph23`](super::Channel::Pph23). Its number is the reference, its date the day of paying.
//! Each customer numbers its own slips, so the same number of two customers is two slips.

use std::ops::Range;

use crate::billing::Owing;
use crate::error::Error;
use crate::ids::CustomerId;
use crate::money::Money;
use crate::text::{Code, Reference};

/// The provider's name under which slips stand among the payments.
pub const PROVIDER: &str = "pph23";

/// Percent of the price without PPN that is kept back: of a provider with an NPWP, and of one without.
pub const PERCENTS: [i64; 2] = [2, 4];

/// True for the provider's name of slips, however it is written.
#[must_use]
pub fn is_slip(provider: &Code) -> bool {
    provider.as_str().eq_ignore_ascii_case(PROVIDER)
}

/// A name that means slips to who types it, and is not theirs: their money would be told as a gateway's.
#[must_use]
pub fn is_misspelt(provider: &Code) -> bool {
    let plain: String = provider.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    let means =
        ["pph23", "pph", "pph23bupot", "bupot", "buktipotong"].iter().any(|name| plain.eq_ignore_ascii_case(name));
    means && !is_slip(provider)
}

/// A reference as it is compared: a slip's number by its letters and digits alone, since people put other signs between them.
///
/// ```
/// use isp_core::{payment::withheld::folded, text::{Code, Reference}};
/// let of = |provider, reference| folded(&Code::parse("provider", provider).unwrap(), &Reference::parse("reference", reference).unwrap());
/// assert_eq!(of("pph23", "BP-0001/2026"), of("PPH23", "bp 0001.2026"));
/// assert_ne!(of("bca", "FT-1"), of("bca", "FT1"));
/// ```
#[must_use]
pub fn folded(provider: &Code, reference: &Reference) -> String {
    let folded = reference.folded();
    let plain: String = folded.chars().filter(|sign| sign.is_alphanumeric()).collect();
    if is_slip(provider) && !plain.is_empty() { plain } else { folded }
}

/// Whose numbers the references of a provider are: the customer's own for slips, the provider's for all else.
#[must_use]
pub fn numbered_by(provider: &Code, customer: CustomerId) -> Option<CustomerId> {
    is_slip(provider).then_some(customer)
}

/// How many percent of the DPP (the price without PPN) an amount is about: of one invoice, or of several that follow each other, as
/// a slip may be for a quarter. `None` when it is about none of the usual rates.
///
/// *About* is one percent of the tax and a rupiah for each invoice: who computes the tax rounds it somewhere.
///
/// ```
/// use isp_core::{money::Money, payment::withheld::percent_of};
/// let rp = Money::rupiah;
/// let months = [rp(1_000_000), rp(1_000_000), rp(1_250_000)];
/// assert_eq!(percent_of(rp(20_000), &months), Some(2));
/// assert_eq!(percent_of(rp(50_000), &months), Some(4)); // of March
/// assert_eq!(percent_of(rp(65_000), &months), Some(2)); // of the quarter
/// assert_eq!(percent_of(rp(22_200), &months), None); // of the price with PPN
/// ```
#[must_use]
pub fn percent_of(amount: Money, dpps: &[Money]) -> Option<i64> {
    PERCENTS.into_iter().find(|percent| runs(dpps.len()).any(|run| is_about(amount, *percent, &dpps[run])))
}

/// All runs of so many invoices that follow each other.
fn runs(invoices: usize) -> impl Iterator<Item = Range<usize>> {
    (0..invoices).flat_map(move |first| (first + 1..=invoices).map(move |end| first..end))
}

/// The tax on invoices, and by how much an amount that is about it may be off.
fn tax_on(percent: i64, dpps: &[Money]) -> (Money, Money) {
    let tax = dpps.iter().sum::<Money>().ratio(percent, 100);
    let invoices = i64::try_from(dpps.len()).unwrap_or(i64::MAX);
    (tax, tax.ratio(1, 100) + Money::rupiah(invoices))
}

fn is_about(amount: Money, percent: i64, dpps: &[Money]) -> bool {
    let (tax, off) = tax_on(percent, dpps);
    tax.is_positive() && (amount - tax).max(tax - amount) <= off
}

/// What a slip may be for: an invoice, and what slips settle of it already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withholding {
    /// Its price without PPN.
    pub dpp: Money,
    /// What slips that stand settle of it.
    pub withheld: Money,
    /// True while something of it is unpaid.
    pub open: bool,
}

/// Whether a slip is of the usual kind: for no more than is owed, as the rest would be credit that nobody paid in; about 2 % or 4 %
/// of the DPP of the invoices that it may be for, in the order of their days; and with the slips that were taken before no more than
/// that. A slip settles the oldest invoice, whichever it is for, so all from the oldest open one on count together.
///
/// ```
/// use isp_core::{error::Error, money::Money, payment::withheld::{Withholding, usual}};
/// let rp = Money::rupiah;
/// let month = |withheld| Withholding { dpp: rp(1_000_000), withheld: rp(withheld), open: true };
/// assert_eq!(usual(rp(20_000), rp(1_110_000), &[month(0)]), Ok(()));
/// // The same tax under another number.
/// let twice = Error::SlipTwice { amount: rp(20_000), withheld: rp(20_000) };
/// assert_eq!(usual(rp(20_000), rp(1_090_000), &[month(20_000)]), Err(twice));
/// // February's, which settles January as well.
/// assert_eq!(usual(rp(20_000), rp(2_200_000), &[month(20_000), month(0)]), Ok(()));
/// assert!(usual(rp(20_000), rp(2_180_000), &[month(40_000), month(0)]).is_err());
/// // Two months at once, twice: not 4 % of each.
/// assert!(usual(rp(40_000), rp(2_180_000), &[month(40_000), month(0)]).is_err());
/// assert!(usual(rp(40_000), rp(2_200_000), &[month(20_000), month(0)]).is_err());
/// ```
///
/// # Errors
/// [`Error::SlipAboveDebt`], [`Error::SlipOdd`], [`Error::SlipTwice`]; who is sure says so.
pub fn usual(amount: Money, owed: Money, invoices: &[Withholding]) -> Result<(), Error> {
    if amount > owed {
        return Err(Error::SlipAboveDebt { amount, owed });
    }
    let dpps: Vec<Money> = invoices.iter().map(|of| of.dpp).collect();
    let taken = |of: Range<usize>| invoices[of].iter().map(|of| of.withheld).sum::<Money>();
    let oldest = invoices.iter().position(|of| of.open).unwrap_or(invoices.len());
    let fits = |of: Range<usize>, percent: i64| {
        let (tax, off) = tax_on(percent, &dpps[of.clone()]);
        taken(of) + amount <= tax + off
    };
    // An amount reads as 4 % of one month and as 2 % of two: with slips of 2 % before it, it is no other rate of the same customer.
    let before = taken(0..invoices.len());
    let rate = if before.is_zero() { None } else { percent_of(before, &dpps) };
    let mut meant = None;
    for percent in PERCENTS {
        let same_rate = rate.is_none_or(|rate| percent <= rate);
        for run in runs(invoices.len()).filter(|run| is_about(amount, percent, &dpps[run.clone()])) {
            let all = run.start.min(oldest)..invoices.len();
            if same_rate && fits(run, percent) && fits(all.clone(), percent) {
                return Ok(());
            }
            meant.get_or_insert(all);
        }
    }
    Err(match meant {
        Some(all) => Error::SlipTwice { amount, withheld: taken(all) },
        None => Error::SlipOdd { amount, last: dpps.last().copied().unwrap_or_default() },
    })
}

/// What is missing of invoices that were paid short by just the tax, and how many percent that is: its slip is awaited. `None` when
/// nothing is open, when something of it was not paid at all, or when another amount is missing.
///
/// ```
/// # use isp_core::{billing::*, calendar::*, ids::*, money::Money, payment::withheld::awaited};
/// # let day = Date::parse("2026-01-01").unwrap();
/// # let invoice = |paid| Debt { invoice_id: InvoiceId(uuid::Uuid::nil()), number: 1, issue_date: day, due_date: day,
/// #   total: Money::rupiah(1_110_000), paid: Money::rupiah(paid) };
/// let dpp = [Money::rupiah(1_000_000)];
/// assert_eq!(awaited(&[invoice(1_090_000)], &dpp), Some((Money::rupiah(20_000), 2)));
/// assert_eq!(awaited(&[invoice(1_000_000)], &dpp), None);
/// assert_eq!(awaited(&[invoice(0)], &dpp), None);
/// ```
#[must_use]
pub fn awaited<D: Owing>(open: &[D], dpps: &[Money]) -> Option<(Money, i64)> {
    let short = open.iter().map(Owing::debt).filter(|debt| debt.residual().is_positive());
    let short: Vec<_> = short.collect();
    if short.iter().any(|debt| !debt.paid.is_positive()) {
        return None;
    }
    let missing = short.iter().map(|debt| debt.residual()).sum();
    percent_of(missing, dpps).map(|percent| (missing, percent))
}
