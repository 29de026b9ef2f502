//! Invoices and how they come to be.

pub mod arrears;
pub mod change;
pub mod credit;
pub mod first_fee;
pub mod invoice;
pub mod late_fee;
pub mod note_back;
pub mod paper;
pub mod plan;
pub mod policy;
pub mod proration;
pub mod statement;
mod window;

pub use arrears::Arrears;
pub use change::{Adjustment, ChangeAtOnce, change_at_once};
pub use credit::{Charge, CreditNote, CreditReason, Written, paid_until};
pub use first_fee::add_fee;
pub use invoice::{Debt, Invoice, InvoiceBalance, InvoiceKind, InvoiceLine, InvoiceLines, LineKind, Owing};
pub use late_fee::{LateFee, LateFeeAmount, LateFeePolicy};
pub use note_back::NoteBack;
pub use paper::{Bill, BillState};
pub use plan::{Billable, BillingPlan, Catalog, Problem, plan_billing};
pub use policy::{BillingPolicy, WhileIsolated};
pub use statement::Statement;
