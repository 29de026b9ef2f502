//! Late fees (*denda*, rule B10): once for each period that is paid late, after a grace, and shown before they are charged.
//!
//! A fee is decided by what was unpaid when its day began, and dated on that day, however late the run: it does not depend
//! on our diligence. Only invoices for a period of service bear one; a fee on a fee there is not.
//!
//! ```
//! use isp_core::{billing::{LateFeeAmount, LateFeePolicy}, money::Money};
//! let fixed = LateFeePolicy { after_days: 7, amount: LateFeeAmount::Fixed(Money::rupiah(10_000)), with_ppn: false };
//! assert_eq!(fixed.fee(Money::rupiah(166_500)), Money::rupiah(10_000));
//! // 2 % of Rp166.500 is Rp3.330, but at least Rp5.000; of Rp499.500 it is Rp9.990.
//! let share = LateFeeAmount::Percent { percent: 2, minimum: Money::rupiah(5_000) };
//! let share = LateFeePolicy { amount: share, ..fixed };
//! assert_eq!(share.fee(Money::rupiah(166_500)), Money::rupiah(5_000));
//! assert_eq!(share.fee(Money::rupiah(499_500)), Money::rupiah(9_990));
//! // Nothing unpaid, no fee.
//! assert_eq!(share.fee(Money::ZERO), Money::ZERO);
//! ```

use serde::{Deserialize, Serialize};

use crate::billing::credit::Charge;
use crate::billing::invoice::{Invoice, InvoiceBalance, InvoiceKind, InvoiceLine, LineKind};
use crate::billing::policy::BillingPolicy;
use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::{Ids, InvoiceId, derive};
use crate::money::Money;
use crate::tax::{Tax, TaxMode, Taxed};

/// When a late fee is charged, and how much it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateFeePolicy {
    /// Days past the due date on which it is charged.
    pub after_days: u16,
    /// How much.
    pub amount: LateFeeAmount,
    /// Whether PPN is added. A fee for paying late is no price of a service, so by default none is.
    #[serde(default)]
    pub with_ppn: bool,
}

/// How much a late fee is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LateFeeAmount {
    /// The same for every invoice.
    Fixed(Money),
    /// A share of what is unpaid, at least a minimum.
    Percent {
        /// Percent of what is unpaid.
        percent: u8,
        /// At least this.
        minimum: Money,
    },
}

impl LateFeePolicy {
    /// The fee on what is unpaid.
    #[must_use]
    pub fn fee(&self, unpaid: Money) -> Money {
        if !unpaid.is_positive() {
            return Money::ZERO;
        }
        match self.amount {
            LateFeeAmount::Fixed(amount) => amount,
            LateFeeAmount::Percent { percent, minimum } => unpaid.ratio(i64::from(percent), 100).max(minimum),
        }
    }

    /// The day on which the fee on an invoice with this due date is charged.
    #[must_use]
    pub fn day(&self, due_date: Date) -> Date {
        due_date.plus_days(i32::from(self.after_days))
    }

    /// The day of the fee on an invoice with this due date, and how much it is before PPN; `None` when nothing is unpaid.
    #[must_use]
    pub fn on(&self, due_date: Date, unpaid: Money) -> Option<(Date, Money)> {
        let amount = self.fee(unpaid);
        amount.is_positive().then(|| (self.day(due_date), amount))
    }

    /// What the invoice of a fee comes to that is issued on a day, and `written` on this or a later one: it is not due before.
    ///
    /// # Errors
    /// [`Error::NoTaxRule`].
    pub fn bill(
        &self,
        amount: Money,
        on: Date,
        written: Date,
        billing: &BillingPolicy,
        tax: &Tax,
    ) -> Result<FeeBill, Error> {
        let taxed = match self.with_ppn {
            true => tax.apply(amount, TaxMode::Exclusive, on)?,
            false => Taxed { dpp: amount, ..Taxed::default() },
        };
        Ok(FeeBill { on, due_date: billing.due_date(on, written), dpp: taxed.dpp, ppn: taxed.ppn })
    }

    /// The due date of the invoices whose fee is charged on a day.
    #[must_use]
    pub fn due_on(&self, day: Date) -> Date {
        day.plus_days(-i32::from(self.after_days))
    }
}

/// What a late fee that was charged comes to, now that something else turns out to have been unpaid when its day began: a payment
/// made before became known or was taken back (rules P4, P7). `first` is the fee as it was charged first, with PPN and without,
/// and `stands` what stands of it for payments; `before` was believed to be unpaid, and `after` is. What was charged is the fact:
/// a policy of today prices no fee of old anew.
///
/// ```
/// use isp_core::{billing::late_fee::{self, LateFeeAmount, LateFeePolicy}, money::Money};
/// let rp = Money::rupiah;
/// let fixed = LateFeePolicy { after_days: 7, amount: LateFeeAmount::Fixed(rp(10_000)), with_ppn: false };
/// let plain = (rp(10_000), rp(10_000));
/// // All was paid in time: nothing, whatever the policy is today. A part was: a fixed fee stays.
/// assert_eq!(late_fee::right(plain, rp(10_000), None, rp(166_500), rp(0)), rp(0));
/// assert_eq!(late_fee::right(plain, rp(10_000), Some(&fixed), rp(166_500), rp(66_500)), rp(10_000));
/// // What spared it was taken back: the fee is due as it was.
/// assert_eq!(late_fee::right(plain, rp(0), None, rp(0), rp(166_500)), rp(10_000));
/// // 2 % of Rp500.000 were charged, and 2 % of Rp300.000 are right.
/// let share = LateFeePolicy { amount: LateFeeAmount::Percent { percent: 2, minimum: rp(5_000) }, ..fixed };
/// assert_eq!(late_fee::right(plain, rp(10_000), Some(&share), rp(500_000), rp(300_000)), rp(6_000));
/// // PPN was charged on it, and is due again with it.
/// assert_eq!(late_fee::right((rp(11_100), rp(10_000)), rp(0), Some(&share), rp(0), rp(500_000)), rp(11_100));
/// // It was charged by another policy, of which three fifths stay.
/// let of_old = (rp(20_000), rp(20_000));
/// assert_eq!(late_fee::right(of_old, rp(20_000), Some(&share), rp(500_000), rp(300_000)), rp(12_000));
/// ```
#[must_use]
pub fn right(
    (charged, before_ppn): (Money, Money),
    stands: Money,
    policy: Option<&LateFeePolicy>,
    before: Money,
    after: Money,
) -> Money {
    if !after.is_positive() {
        return Money::ZERO;
    }
    let percent = policy.filter(|p| matches!(p.amount, LateFeeAmount::Percent { .. }));
    let Some(percent) = percent.filter(|_| before_ppn.is_positive()) else {
        return if before.is_positive() { stands } else { charged };
    };
    let with_ppn = |unpaid| percent.fee(unpaid).ratio(charged.as_i64(), before_ppn.as_i64());
    match (with_ppn(before), with_ppn(after)) {
        (was, is) if was == stands => is,
        (was, is) if was.is_positive() => stands.ratio(is.as_i64(), was.as_i64()),
        _ => charged,
    }
}

/// A late fee that is coming, or that is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LateFee {
    /// The late invoice.
    pub invoice: InvoiceBalance,
    /// The day of the fee.
    pub on: Date,
    /// How much, before PPN.
    pub amount: Money,
}

impl LateFee {
    /// The fee on an invoice as it stood when the day of its fee began; `None` when it bears none.
    #[must_use]
    pub fn on(invoice: InvoiceBalance, policy: &LateFeePolicy) -> Option<Self> {
        let (on, amount) = policy.on(invoice.due_date, invoice.residual())?;
        (invoice.kind == InvoiceKind::Subscription).then_some(Self { invoice, on, amount })
    }

    /// The id of its invoice: an invoice bears one fee.
    #[must_use]
    pub fn id_for(invoice: InvoiceId) -> InvoiceId {
        InvoiceId(derive(invoice.0, &["late_fee"]))
    }

    /// The id of the `n`th invoice that charges the fee again, from 1 on; the 0th is the fee itself.
    #[must_use]
    pub fn nth_id_for(invoice: InvoiceId, n: usize) -> InvoiceId {
        match n {
            0 => Self::id_for(invoice),
            n => InvoiceId(derive(invoice.0, &["late_fee", &n.to_string()])),
        }
    }

    /// The fee that an invoice bears, and each time that it was charged again, in that order.
    #[must_use]
    pub fn of<I: Ids>(invoice: InvoiceId, fees: &[Charge<I>]) -> Vec<&Charge<I>> {
        let nth = |n| fees.iter().find(|fee| fee.invoice.id == Self::nth_id_for(invoice, n));
        (0..).map_while(nth).collect()
    }

    /// Its invoice, `written` on a day of the line's zone.
    ///
    /// # Errors
    /// [`Error::NoTaxRule`].
    pub fn invoice(
        &self,
        policy: &LateFeePolicy,
        billing: &BillingPolicy,
        tax: &Tax,
        written: Date,
    ) -> Result<Invoice, Error> {
        Ok(policy.bill(self.amount, self.on, written, billing, tax)?.invoice(&self.invoice, 0))
    }
}

/// What the invoice of a late fee comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeeBill {
    /// Day of issue.
    pub on: Date,
    /// Day by which it is to be paid.
    pub due_date: Date,
    /// The fee before PPN.
    pub dpp: Money,
    /// The tax that is charged beside the fee, in whole rupiah.
    pub ppn: Money,
}

impl FeeBill {
    /// What is to be paid.
    #[must_use]
    pub fn total(&self) -> Money {
        self.dpp + self.ppn
    }

    /// The invoice of the fee on `late`, or the `nth` that charges it again.
    #[must_use]
    pub fn invoice(&self, late: &InvoiceBalance, nth: u16) -> Invoice {
        let lines = [InvoiceLine::new(LineKind::LateFee, self.dpp), InvoiceLine::new(LineKind::Ppn, self.ppn)];
        // There is one invoice of a kind for a first day (rule B3), so each charge begins a day later.
        let start = late.period.start.plus_days(i32::from(nth));
        Invoice {
            id: LateFee::nth_id_for(late.invoice_id, usize::from(nth)),
            number: 0,
            customer_id: late.customer_id,
            subscription_id: late.subscription_id,
            site_id: late.site_id,
            package_id: late.package_id,
            kind: InvoiceKind::LateFee,
            period: Period { start, end: late.period.end.max(start.plus_days(1)) },
            issue_date: self.on,
            due_date: self.due_date,
            lines: lines.into_iter().filter(|l| !l.amount.is_zero()).collect(),
            dpp: self.dpp,
            ppn: self.ppn,
            total: self.total(),
        }
    }
}
