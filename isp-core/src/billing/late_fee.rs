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

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::credit::Charge;
use crate::billing::invoice::{Invoice, InvoiceBalance, InvoiceKind, InvoiceLine, LineKind, apply_tax};
use crate::billing::policy::BillingPolicy;
use crate::calendar::{Date, Period, Zone};
use crate::error::Error;
use crate::ids::{InvoiceId, derive};
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

    /// The due date of the invoices whose fee is charged on a day.
    #[must_use]
    pub fn due_on(&self, day: Date) -> Date {
        day.plus_days(-i32::from(self.after_days))
    }
}

/// What of a late fee was charged wrongly (rule P7): `charged` is left of it, it was charged because `known` was unpaid when
/// its day began, and `really` was, as a payment of before became known later.
///
/// ```
/// use isp_core::{billing::late_fee::{self, LateFeeAmount, LateFeePolicy}, money::Money};
/// let rp = Money::rupiah;
/// let fixed = LateFeePolicy { after_days: 7, amount: LateFeeAmount::Fixed(rp(10_000)), with_ppn: false };
/// // All was paid in time: the fee is wrong, whatever the policy is today. A part was: a fixed fee stays.
/// assert_eq!(late_fee::wrong(rp(10_000), None, rp(166_500), rp(0)), rp(10_000));
/// assert_eq!(late_fee::wrong(rp(10_000), Some(&fixed), rp(166_500), rp(66_500)), rp(0));
/// // 2 % of Rp500.000 were charged, and 2 % of Rp300.000 are right.
/// let share = LateFeeAmount::Percent { percent: 2, minimum: rp(5_000) };
/// let share = LateFeePolicy { amount: share, ..fixed };
/// assert_eq!(late_fee::wrong(rp(10_000), Some(&share), rp(500_000), rp(300_000)), rp(4_000));
/// ```
#[must_use]
pub fn wrong(charged: Money, policy: Option<&LateFeePolicy>, known: Money, really: Money) -> Money {
    if !really.is_positive() {
        return charged;
    }
    let (was, right) = policy.map_or((Money::ZERO, Money::ZERO), |p| (p.fee(known), p.fee(really)));
    if was > right { charged.ratio((was - right).as_i64(), was.as_i64()) } else { Money::ZERO }
}

/// A payment that was made before the day of a late fee and became known after it (rule P7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidEarlier {
    /// The day of the fee.
    pub on: Date,
    /// Where the customer is.
    pub zone: Zone,
    /// What was known to be unpaid of the late invoice when that day began.
    pub unpaid: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
    /// How much of the payment pays the late invoice.
    pub amount: Money,
}

impl PaidEarlier {
    /// True when it was made before the day of the fee began.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.paid_at < self.on.midnight(self.zone)
    }

    /// What of `charged`, which is left of the fee, it makes wrong; see [`wrong`].
    #[must_use]
    pub fn wrong(&self, charged: Money, policy: Option<&LateFeePolicy>) -> Money {
        if self.counts() { wrong(charged, policy, self.unpaid, self.unpaid - self.amount) } else { Money::ZERO }
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
        let amount = policy.fee(invoice.residual());
        let bears = invoice.kind == InvoiceKind::Subscription && amount.is_positive();
        bears.then(|| Self { invoice, on: policy.day(invoice.due_date), amount })
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
    pub fn of(invoice: InvoiceId, fees: &[Charge]) -> Vec<&Charge> {
        let nth = |n| fees.iter().find(|fee| fee.invoice.id == Self::nth_id_for(invoice, n));
        (0..).map_while(nth).collect()
    }

    /// The invoice that charges an amount again of the fee of `late`, which was given back: `charged` are the fee and the
    /// times before. `None` when there was no fee.
    #[must_use]
    pub fn charge_again(
        late: InvoiceId,
        charged: &[&Charge],
        amount: Money,
        on: Date,
        billing: &BillingPolicy,
    ) -> Option<Invoice> {
        let (first, n) = (&charged.first()?.invoice, charged.len());
        let dpp = amount.ratio(first.dpp.as_i64(), first.total.as_i64());
        let lines = [InvoiceLine::new(LineKind::LateFee, dpp), InvoiceLine::new(LineKind::Ppn, amount - dpp)];
        // There is one invoice of a kind for a first day (rule B3), so each charge begins a day later.
        let start = first.period.start.plus_days(i32::try_from(n).ok()?);
        let end = first.period.end.max(start.plus_days(1));
        Some(Invoice {
            id: Self::nth_id_for(late, n),
            number: 0,
            kind: InvoiceKind::LateFee,
            period: Period { start, end },
            issue_date: on,
            due_date: on.plus_days(i32::from(billing.payment_terms_days)),
            lines: lines.into_iter().filter(|l| !l.amount.is_zero()).collect(),
            dpp,
            ppn: amount - dpp,
            total: amount,
            ..first.clone()
        })
    }

    /// Its invoice.
    ///
    /// # Errors
    /// [`Error::NoTaxRule`].
    pub fn invoice(&self, policy: &LateFeePolicy, billing: &BillingPolicy, tax: &Tax) -> Result<Invoice, Error> {
        let of = &self.invoice;
        let taxed = match policy.with_ppn {
            true => tax.apply(self.amount, TaxMode::Exclusive, self.on)?,
            false => Taxed { dpp: self.amount, ..Taxed::default() },
        };
        let mut lines = [InvoiceLine::new(LineKind::LateFee, self.amount)].into_iter().collect();
        apply_tax(&mut lines, taxed);
        Ok(Invoice {
            id: Self::id_for(of.invoice_id),
            number: 0,
            customer_id: of.customer_id,
            subscription_id: of.subscription_id,
            site_id: of.site_id,
            package_id: of.package_id,
            kind: InvoiceKind::LateFee,
            period: of.period,
            issue_date: self.on,
            due_date: self.on.plus_days(i32::from(billing.payment_terms_days)),
            lines,
            dpp: taxed.dpp,
            ppn: taxed.ppn,
            total: taxed.total(),
        })
    }
}
