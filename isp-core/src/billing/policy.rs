//! Settings of billing.

use serde::{Deserialize, Serialize};

use crate::calendar::Date;

/// When and how invoices are issued (rules B1, B2, B4, B7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BillingPolicy {
    /// Days before the trigger day on which an invoice is issued.
    pub issue_lead_days: u16,
    /// Days from issue to the due date.
    pub payment_terms_days: u16,
    /// How many periods of one subscription a run may bill.
    pub catch_up_periods: u32,
    /// Whether a pause gives back the unused days of a billed period.
    pub credit_on_pause: bool,
    /// Whether a termination does.
    pub credit_on_termination: bool,
    /// What happens to billing while a line is isolated.
    pub while_isolated: WhileIsolated,
}

impl Default for BillingPolicy {
    fn default() -> Self {
        Self {
            issue_lead_days: 0,
            payment_terms_days: 10,
            catch_up_periods: 12,
            credit_on_pause: false,
            credit_on_termination: false,
            while_isolated: WhileIsolated::Bill,
        }
    }
}

impl BillingPolicy {
    /// The day by which an invoice is to be paid (rule B2): so many days after its issue, and never before the day on which it
    /// is `written`.
    ///
    /// A run that comes late gives an invoice the day of issue that it should have had. Nobody was asked for that money before,
    /// so nobody is late with it: the grace before an isolation, the reminders and a late fee begin when it is written.
    #[must_use]
    pub fn due_date(&self, issued: Date, written: Date) -> Date {
        issued.plus_days(i32::from(self.payment_terms_days)).max(written)
    }
}

/// What happens to billing while a line is isolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhileIsolated {
    /// Periods are billed as always.
    #[default]
    Bill,
    /// A period is not billed when the line is isolated as the day of its invoice begins.
    Skip,
    /// Whole days in isolation are given back with a credit note when the line is billed next, or ends.
    Prorate,
}
