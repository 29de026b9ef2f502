//! Invoices and how they come to be.

pub mod invoice;
pub mod plan;
pub mod policy;
pub mod proration;
mod window;

pub use invoice::{Invoice, InvoiceBalance, InvoiceKind, InvoiceLine, InvoiceLines, LineKind};
pub use plan::{Billable, BillingPlan, Catalog, Problem, plan_billing};
pub use policy::BillingPolicy;
