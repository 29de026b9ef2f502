//! All settings of the engine in one value.

use serde::{Deserialize, Serialize};

use crate::billing::{BillingPolicy, LateFeeAmount, LateFeePolicy};
use crate::clock::ClockPolicy;
use crate::error::Error;
use crate::isolation::IsolationPolicy;
use crate::message::DunningPolicy;
use crate::money::Money;
use crate::payment::RequestPolicy;
use crate::protection::{OutagePolicy, PromisePolicy};
use crate::tax::Tax;

/// What a provider decided on; every number of the domain rules is here with its default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// When invoices are issued and due.
    pub billing: BillingPolicy,
    /// Reminders.
    pub dunning: DunningPolicy,
    /// When a line is isolated, and where a run stops.
    pub isolation: IsolationPolicy,
    /// PPN.
    pub tax: Tax,
    /// Late fees (rule B10); none when not set.
    pub late_fee: Option<LateFeePolicy>,
    /// What an outage gives back.
    pub outage: OutagePolicy,
    /// Promises to pay.
    pub promise: PromisePolicy,
    /// Payment requests.
    pub request: RequestPolicy,
    /// When a run asks whether the clock is right (rule I9).
    pub clock: ClockPolicy,
}

impl Policy {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`Error::Policy`] with the setting's name.
    pub fn checked(self) -> Result<Self, Error> {
        let bad = |field, reason| Err(Error::Policy { field, reason });
        if self.billing.catch_up_periods == 0 || self.billing.catch_up_periods > 120 {
            return bad("billing.catch_up_periods", "is not 1 to 120");
        }
        if self.billing.issue_lead_days > 60 {
            return bad("billing.issue_lead_days", "is more than 60");
        }
        if self.billing.payment_terms_days > 365 {
            return bad("billing.payment_terms_days", "is more than 365");
        }
        if self.dunning.quiet_until >= self.dunning.quiet_from {
            return bad("dunning.quiet_until", "is not before quiet_from");
        }
        if self.dunning.due_soon_days.len() + self.dunning.overdue_days.len() > 20 {
            return bad("dunning.due_soon_days", "holds more than 20 reminders together with overdue_days");
        }
        if self.isolation.reopen_when_paid_percent.is_some_and(|p| p == 0 || p > 100) {
            return bad("isolation.reopen_when_paid_percent", "is not 1 to 100");
        }
        if self.isolation.isolate_from < Money::ZERO {
            return bad("isolation.isolate_from", "is less than zero");
        }
        if self.isolation.proof_working_days > 30 {
            return bad("isolation.proof_working_days", "is more than 30");
        }
        if self.isolation.breaker_percent > 100 {
            return bad("isolation.breaker_percent", "is more than 100");
        }
        if let Some(fee) = self.late_fee {
            let (amount, percent) = match fee.amount {
                LateFeeAmount::Fixed(amount) => (amount, 1),
                LateFeeAmount::Percent { percent, minimum } => (minimum + Money::rupiah(1), percent),
            };
            if !amount.is_positive() || percent == 0 || percent > 100 {
                return bad("late_fee.amount", "is not more than zero, or not 1 to 100 percent");
            }
            if fee.after_days == 0 || fee.after_days > 365 {
                return bad("late_fee.after_days", "is not 1 to 365");
            }
        }
        if !(1..=3_650).contains(&self.clock.max_days_between_runs) {
            return bad("clock.max_days_between_runs", "is not 1 to 3650");
        }
        if !(1..=744).contains(&self.request.valid_hours) {
            return bad("request.valid_hours", "is not 1 to 744");
        }
        if self.promise.max_days > 365 {
            return bad("promise.max_days", "is more than 365");
        }
        if self
            .tax
            .rules
            .iter()
            .any(|r| r.base_denominator <= 0 || r.base_numerator < 0 || !(0..=100).contains(&r.percent))
        {
            return bad("tax.rules", "holds a share or a rate that makes no sense");
        }
        Ok(self)
    }
}
