//! Installation orders (*pasang baru*, PSB) and their one-time fee (rule B9).

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::error::Error;
use crate::ids::{CustomerId, InstallationKindId, InstallationOrderId, InvoiceId, SubscriptionId};
use crate::money::Money;
use crate::text::{Code, Name};

/// A kind of installation (*jenis PSB*) with its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationKind {
    /// The row.
    pub id: InstallationKindId,
    /// Short code.
    pub code: Code,
    /// As officers read it, such as "Fiber baru".
    pub name: Name,
    /// The fee, before PPN; zero for a free installation.
    pub price: Money,
}

/// One installation at a customer's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallationOrder {
    /// The row.
    pub id: InstallationOrderId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// What was installed.
    pub subscription_id: SubscriptionId,
    /// Which kind.
    pub kind_id: InstallationKindId,
    /// The fee agreed on, before PPN.
    pub fee: Money,
    /// The day of installation, on which the first instalment is invoiced.
    pub installed_on: Date,
    /// In how many monthly instalments the fee is paid, 1 to 12.
    pub instalments: u8,
    /// True when the fee is no invoice of its own but lines of the first periodic invoice; see
    /// [`crate::billing::first_fee`]. Then it is paid in one part.
    #[serde(default)]
    pub with_first_invoice: bool,
    /// All instalments but the last are multiples of this: [`part_step`] of the fee, or Rp1 in an order that was recorded
    /// before there was such a step, so that its later parts go with those that were invoiced.
    #[serde(default = "one_rupiah")]
    pub step: Money,
}

fn one_rupiah() -> Money {
    Money::rupiah(1)
}

impl InstallationOrder {
    /// The instalments: due month by month, equal but for the last, which takes the rest. None for a fee that goes with
    /// the first periodic invoice.
    ///
    /// ```
    /// # use isp_core::{installation::*, ids::*, money::Money, calendar::Date};
    /// # let id = uuid::Uuid::nil();
    /// # let order = InstallationOrder { id: InstallationOrderId(id), customer_id: CustomerId(id),
    /// #   subscription_id: SubscriptionId(id), kind_id: InstallationKindId(id), fee: Money::rupiah(500_000),
    /// #   installed_on: Date::parse("2026-01-31").unwrap(), instalments: 3, with_first_invoice: false,
    /// #   step: part_step(Money::rupiah(500_000)) };
    /// let parts: Vec<_> = order.schedule().iter().map(|p| (p.on.to_string(), p.amount.as_i64())).collect();
    /// assert_eq!(parts, [("2026-01-31".into(), 166_700), ("2026-02-28".into(), 166_700), ("2026-03-31".into(), 166_600)]);
    /// ```
    #[must_use]
    pub fn schedule(&self) -> Vec<Instalment> {
        if self.with_first_invoice {
            return Vec::new();
        }
        parts(self.fee, self.installed_on, self.instalments, self.step)
            .into_iter()
            .map(|Part { number, on, amount }| Instalment { number, on, amount, invoice_id: self.invoice_id(number) })
            .collect()
    }

    /// The order, when its terms make sense.
    ///
    /// # Errors
    /// [`Error::FeeTerms`] for a fee that is to go with the first periodic invoice and to be paid in instalments.
    pub fn checked(self) -> Result<Self, Error> {
        check(self.instalments, self.with_first_invoice).map(|()| self)
    }

    /// The whole fee as an invoice of its own on a day, for a line that ended before it had a periodic invoice.
    #[must_use]
    pub fn alone(&self, on: Date) -> Instalment {
        Instalment { number: 1, on, amount: self.fee, invoice_id: self.invoice_id(1) }
    }

    /// The id of the invoice for an instalment, which makes a repeated run name the same row.
    #[must_use]
    pub fn invoice_id(&self, number: u8) -> InvoiceId {
        InvoiceId(crate::ids::derive(self.id.0, &["instalment", &number.to_string()]))
    }
}

/// A part of a fee and the day on which it is invoiced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Counted from 1.
    pub number: u8,
    /// The day its invoice is issued.
    pub on: Date,
    /// The part of the fee, before PPN.
    pub amount: Money,
}

/// A fee in 1 to 12 monthly parts from a day on, equal but for the last, which takes the rest; the day is clamped to the end of
/// a shorter month. Parts of nothing are left out.
///
/// All but the last are multiples of `step`; see [`part_step`].
///
/// ```
/// # use isp_core::{calendar::Date, installation::{part_step, parts}, money::Money};
/// let cut = |fee, step| -> Vec<i64> {
///     let day = Date::parse("2026-01-31").unwrap();
///     parts(Money::rupiah(fee), day, 3, step).iter().map(|p| p.amount.as_i64()).collect()
/// };
/// assert_eq!(cut(500_000, Money::rupiah(1)), [166_667, 166_667, 166_666]);
/// assert_eq!(cut(500_000, part_step(Money::rupiah(500_000))), [166_700, 166_700, 166_600]);
/// ```
#[must_use]
pub fn parts(fee: Money, first: Date, instalments: u8, step: Money) -> Vec<Part> {
    let (count, step) = (i64::from(instalments.clamp(1, 12)), step.as_i64().max(1));
    let each = Money::rupiah(fee.ratio(1, count.saturating_mul(step)).as_i64().max(1).saturating_mul(step));
    let day = crate::calendar::BillingDay::of(first);
    let mut rest = fee;
    let part = |i: i64| {
        let amount = if i == count - 1 { rest } else { each.min(rest) };
        rest -= amount;
        Part { number: i as u8 + 1, on: first.month().plus(i as i32).clamp(day), amount }
    };
    (0..count).map(part).filter(|part| part.amount.is_positive()).collect()
}

/// The step in which a fee is cut, so that its parts sum to it with PPN, too: PPN is rounded on each invoice by itself.
///
/// Of Rp100 PPN at any whole rate is whole rupiah. Of a fee that is itself no multiple of that the last part is not, and then
/// it takes parts of which 11/12 and 12 % are whole rupiah: Rp1.200.
///
/// ```
/// # use isp_core::{calendar::Date, installation::{part_step, parts}, money::Money, tax::*};
/// # let (day, tax) = (Date::parse("2026-01-31").unwrap(), Tax::pkp());
/// let with_ppn = |amount| tax.apply(amount, TaxMode::Exclusive, day).unwrap().total();
/// let in_three = |fee, step| parts(fee, day, 3, step).iter().map(|p| with_ppn(p.amount)).sum::<Money>();
/// let fee = Money::rupiah(500_000);
/// assert_eq!(with_ppn(fee), Money::rupiah(555_000));
/// assert_eq!(in_three(fee, part_step(fee)), Money::rupiah(555_000));
/// assert_eq!(in_three(fee, Money::rupiah(1)), Money::rupiah(554_999)); // a rupiah is lost
/// ```
#[must_use]
pub fn part_step(fee: Money) -> Money {
    Money::rupiah(if fee.as_i64() % 100 == 0 { 100 } else { 1_200 })
}

/// Whether a fee may be paid so.
///
/// # Errors
/// [`Error::FeeTerms`] for one that is to go with the first periodic invoice and to be paid in instalments.
pub fn check(instalments: u8, with_first_invoice: bool) -> Result<(), Error> {
    if with_first_invoice && instalments != 1 { Err(Error::FeeTerms) } else { Ok(()) }
}

/// One part of an installation fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instalment {
    /// Counted from 1.
    pub number: u8,
    /// The day its invoice is issued.
    pub on: Date,
    /// The part of the fee, before PPN.
    pub amount: Money,
    /// The invoice it becomes.
    pub invoice_id: InvoiceId,
}

/// How far an installation fee is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeStatus {
    /// Nothing.
    Unpaid,
    /// A part.
    PartlyPaid,
    /// All of it, or there is no fee.
    Paid,
}

impl FeeStatus {
    /// From the fee with its PPN and what was paid of it.
    #[must_use]
    pub fn of(total: Money, paid: Money) -> Self {
        if paid >= total {
            Self::Paid
        } else if paid.is_positive() {
            Self::PartlyPaid
        } else {
            Self::Unpaid
        }
    }
}

/// A fee that stands on an invoice with other things: which, and how much of its total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicedFee {
    /// Whose fee it is.
    pub order_id: InstallationOrderId,
    /// Where the fee stands.
    pub invoice_id: InvoiceId,
    /// The fee with its PPN.
    pub amount: Money,
}

impl InvoicedFee {
    /// What is paid of the fee when so much is paid of an invoice: the same share, rounded down, so that the fee is paid
    /// when the invoice is, not before.
    ///
    /// ```
    /// # use isp_core::{installation::InvoicedFee, ids::*, money::Money};
    /// # let id = uuid::Uuid::nil();
    /// # let fee = InvoicedFee { order_id: InstallationOrderId(id), invoice_id: InvoiceId(id), amount: Money::rupiah(555_000) };
    /// // Rp721.500 for January and the installation: Rp360.750 are half of it, so half of the fee.
    /// let paid = |amount| fee.paid(Money::rupiah(721_500), Money::rupiah(amount)).as_i64();
    /// assert_eq!((paid(0), paid(360_750), paid(721_499), paid(721_500)), (0, 277_500, 554_999, 555_000));
    /// ```
    #[must_use]
    pub fn paid(&self, total: Money, paid: Money) -> Money {
        paid_share(self.amount, total, paid)
    }
}

/// What is paid of a fee that stands on an invoice with other things, when so much is paid of the invoice; see
/// [`InvoicedFee::paid`].
#[must_use]
pub fn paid_share(fee: Money, total: Money, paid: Money) -> Money {
    if paid >= total {
        return fee;
    }
    let share = i128::from(fee.as_i64()) * i128::from(paid.as_i64()) / i128::from(total.as_i64()).max(1);
    Money::rupiah(i64::try_from(share).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tax::{Tax, TaxMode};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_sum_to_the_fee_with_and_without_ppn(
            fee in prop_oneof![(1_i64..100_000).prop_map(|hundreds| hundreds * 100), 1_i64..10_000_000],
            instalments in 1_u8..=12,
            day in 19_083_i32..24_000,
        ) {
            let (fee, tax) = (Money::rupiah(fee), Tax::pkp());
            let first = Date::from_day_number(day);
            let cut = parts(fee, first, instalments, part_step(fee));
            prop_assert_eq!(cut.iter().map(|part| part.amount).sum::<Money>(), fee);
            // By the law of one day: a rate that changes between two parts changes what they come to.
            let with_ppn = |amount| tax.apply(amount, TaxMode::Exclusive, first).unwrap().total();
            prop_assert_eq!(cut.iter().map(|part| with_ppn(part.amount)).sum::<Money>(), with_ppn(fee));
            prop_assert!(cut.iter().all(|part| part.amount.is_positive()));
        }
    }
}
