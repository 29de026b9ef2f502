//! What a customer's late fees come to by the facts (rules P4, P7): a payment that was made in time and is recorded later takes a
//! fee back, and a payment that is taken back charges it. The order in which payments are typed makes no difference.
//!
//! ```
//! use isp_core::{billing::*, calendar::*, ids::*, money::Money, payment::{Books, books::*, in_time::Came}, tax::Tax};
//! # let id = |n: u128| uuid::Uuid::from_u128(n);
//! let day = |text: &str| Date::parse(text).unwrap();
//! let rp = Money::rupiah;
//! let fixed = LateFeePolicy { after_days: 7, amount: LateFeeAmount::Fixed(rp(10_000)), with_ppn: false };
//! let (january, fee, late, cheque) = (InvoiceId(id(1)), InvoiceId(id(2)), PaymentId(id(3)), PaymentId(id(4)));
//! let debt = Debt { invoice_id: january, number: 1, issue_date: day("2026-01-01"), due_date: day("2026-01-11"), total: rp(166_500), paid: rp(0) };
//! let charged = FeeCharged { invoice_id: fee, on: day("2026-01-18"), total: rp(10_000), ppn: rp(0), back: rp(0), for_payments: rp(0) };
//! let paid = |text| Came { at: day(text).at(12, 0, Zone::Wib), amount: rp(166_500), only: None };
//! let now = day("2026-01-25").at(12, 0, Zone::Wib);
//! // Its fee was charged on the 18th. A payment of the 20th was too late; one of the 5th, recorded today, takes the fee back.
//! let mut books = Books { invoices: vec![Billed { debt, zone: Zone::Wib, bears: true, fees: vec![charged] }],
//!     money: vec![(late, paid("2026-01-20")), (cheque, paid("2026-01-05"))] };
//! assert_eq!(books.fees_back(late, Some(&fixed), now), []);
//! assert_eq!(books.fees_back(cheque, Some(&fixed), now), [FeeBack { late: january, fee, amount: rp(10_000) }]);
//! // The cheque bounces: the fee that was given back for it is due again, as of today.
//! books.invoices[0].fees = vec![FeeCharged { back: rp(10_000), for_payments: rp(10_000), ..charged }];
//! let (terms, through) = (BillingPolicy::default(), Some(day("2026-01-25")));
//! let again = books.fees_again(cheque, Some(&fixed), &terms, &Tax::pkp(), through, now).unwrap();
//! assert_eq!((again[0].late, again[0].nth, again[0].bill.on, again[0].bill.total()), (january, 1, day("2026-01-25"), rp(10_000)));
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::billing::late_fee::{self, FeeBill};
use crate::billing::{BillingPolicy, Debt, LateFeePolicy};
use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::ids::{InvoiceId, PaymentId};
use crate::money::Money;
use crate::payment::in_time::{Came, Issued, unpaid_when};
use crate::tax::Tax;

/// The invoices of a customer, and the money as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// All of them. An invoice that charges a late fee is one as well, as it takes its part of the money.
    pub invoices: Vec<Billed>,
    /// Payments that stand, and what notes and write-offs were used for.
    pub money: Vec<(PaymentId, Came)>,
}

/// An invoice as its late fee looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    /// What is owed on it; what it says to be paid is not looked at.
    pub debt: Debt,
    /// Where it is served.
    pub zone: Zone,
    /// Whether it bears a fee: it is for days of service, and they were not given back from the first on (rules B10, B12).
    pub bears: bool,
    /// Its late fee, and each time that it was charged again, in that order.
    pub fees: Vec<FeeCharged>,
}

/// A late fee that was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeCharged {
    /// The invoice by which the fee was charged.
    pub invoice_id: InvoiceId,
    /// Day of issue.
    pub on: Date,
    /// What was charged, with PPN.
    pub total: Money,
    /// The tax in that invoice.
    pub ppn: Money,
    /// What was given back of it.
    pub back: Money,
    /// How much of that was given back because a payment of before its day became known later; the rest a person gave back, and is
    /// not charged again.
    pub for_payments: Money,
}

/// What is given back of a late fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeBack {
    /// The late invoice.
    pub late: InvoiceId,
    /// The invoice of its fee.
    pub fee: InvoiceId,
    /// How much, with PPN.
    pub amount: Money,
}

/// A late fee that is due because a payment was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeAgain {
    /// The late invoice.
    pub late: InvoiceId,
    /// How often it was charged before: 0 for one that was not.
    pub nth: u16,
    /// What its invoice comes to.
    pub bill: FeeBill,
}

impl Books {
    /// What was really unpaid of each invoice that bears a fee when the day of its fee began, whatever allocations say.
    #[must_use]
    pub fn unpaid(&self, policy: &LateFeePolicy) -> BTreeMap<InvoiceId, Money> {
        self.unpaid_without(Some(policy), Date::MAX, None)
    }

    /// What is given back because `payment`, which is among the money, was not known when fees were charged: it counts from the
    /// moment it was made (rule P7).
    #[must_use]
    pub fn fees_back(&self, payment: PaymentId, policy: Option<&LateFeePolicy>, now: DateTime<Utc>) -> Vec<FeeBack> {
        let today = Zone::Wit.date_of(now);
        let before = self.unpaid_without(policy, today, Some(payment));
        let after = self.unpaid_without(policy, today, None);
        let mut back = Vec::new();
        for Billed { debt, fees, .. } in &self.invoices {
            let late = debt.invoice_id;
            let (Some(first), Some(&was), Some(&is)) = (fees.first(), before.get(&late), after.get(&late)) else {
                continue;
            };
            if was == is {
                continue;
            }
            let stands = stands(fees);
            let mut wrong = stands - late_fee::right(first.as_charged(), stands, policy, was, is);
            // What was charged again stands beside what was charged first; each gives back what is left of it.
            for fee in fees {
                let amount = wrong.min(fee.total - fee.back);
                if amount.is_positive() {
                    wrong -= amount;
                    back.push(FeeBack { late, fee: fee.invoice_id, amount });
                }
            }
        }
        back
    }

    /// The late fees that are due because `payment`, which is among the money, is taken back and had spared them (rule P4): those
    /// that were charged, as they were, and those whose day was passed by since. A day after `charged_through` is left to the run.
    ///
    /// # Errors
    /// [`Error::NoTaxRule`].
    pub fn fees_again(
        &self,
        payment: PaymentId,
        policy: Option<&LateFeePolicy>,
        billing: &BillingPolicy,
        tax: &Tax,
        charged_through: Option<Date>,
        now: DateTime<Utc>,
    ) -> Result<Vec<FeeAgain>, Error> {
        let today = Zone::Wit.date_of(now);
        let before = self.unpaid_without(policy, today, None);
        let after = self.unpaid_without(policy, today, Some(payment));
        let mut due = Vec::new();
        for Billed { debt, zone, fees, .. } in &self.invoices {
            let late = debt.invoice_id;
            let (Some(&was), Some(&is)) = (before.get(&late), after.get(&late)) else { continue };
            if is <= was {
                continue;
            }
            let on = zone.date_of(now);
            if let Some(first) = fees.first() {
                let stands = stands(fees);
                let again = late_fee::right(first.as_charged(), stands, policy, was, is) - stands;
                if again.is_positive() {
                    let dpp = again.ratio((first.total - first.ppn).as_i64(), first.total.as_i64());
                    let bill = FeeBill { on, due_date: billing.due_date(on, on), dpp, ppn: again - dpp };
                    due.push(FeeAgain { late, nth: u16::try_from(fees.len()).unwrap_or(u16::MAX), bill });
                }
            } else if let Some(policy) = policy.filter(|_| was.is_zero()) {
                let Some((day, amount)) = policy.on(debt.due_date, is) else { continue };
                if charged_through.is_some_and(|last| day <= last) {
                    due.push(FeeAgain { late, nth: 0, bill: policy.bill(amount, on, on, billing, tax)? });
                }
            }
        }
        Ok(due)
    }

    /// What was unpaid of each invoice that bears a fee when the day of its fee began, of those whose day came by `today`; without
    /// the payment `without`.
    fn unpaid_without(
        &self,
        policy: Option<&LateFeePolicy>,
        today: Date,
        without: Option<PaymentId>,
    ) -> BTreeMap<InvoiceId, Money> {
        let issued = self.invoices.iter().map(|of| {
            let day = of.fee_day(policy).filter(|day| of.bears && *day <= today);
            let begins = |day: Date| day.midnight(of.zone);
            Issued { invoice: of.debt, at: begins(of.debt.issue_date), asked: day.map(begins) }
        });
        let issued: Vec<Issued> = issued.collect();
        let came = self.money.iter().filter(|(id, _)| Some(*id) != without).map(|(_, came)| *came);
        unpaid_when(&issued, &came.collect::<Vec<_>>())
    }
}

impl Billed {
    /// The day of its fee. A fee that a reversal charged is of a later day than the one that decides.
    fn fee_day(&self, policy: Option<&LateFeePolicy>) -> Option<Date> {
        let charged = self.fees.first().map(|fee| fee.on);
        [charged, policy.map(|p| p.day(self.debt.due_date))].into_iter().flatten().min()
    }
}

impl FeeCharged {
    fn as_charged(&self) -> (Money, Money) {
        (self.total, self.total - self.ppn)
    }
}

/// What stands of a fee for payments: what was charged, less what payments gave back. What a person gave back is not charged again.
fn stands(fees: &[FeeCharged]) -> Money {
    fees.iter().map(|fee| fee.total - fee.for_payments).sum()
}
