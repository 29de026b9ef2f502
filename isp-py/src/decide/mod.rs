//! The pure calls: convert, let go of the interpreter, decide, convert.

mod allocation;
mod billing;
mod credit;
mod isolation;
mod late_fee;
mod lines;
mod open;
mod reminders;
mod report;
mod tax;
mod terms;
mod why;

pub(crate) use allocation::allocate;
pub(crate) use billing::plan_billing;
pub(crate) use credit::{isolation_credits, outage_credits};
pub(crate) use isolation::{ACCESSES, decide_isolation};
pub(crate) use late_fee::late_fees;
pub(crate) use reminders::due_reminders;
pub(crate) use report::profit_loss;
pub(crate) use tax::ppn;
pub(crate) use terms::decide_terms;
pub(crate) use why::{LANGUAGES, explain};
