//! Settings of billing.

use serde::{Deserialize, Serialize};

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
