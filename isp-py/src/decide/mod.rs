//! The pure calls: convert, let go of the interpreter, decide, convert.

mod allocation;
mod billing;
mod clock;
mod credit;
mod ending;
mod isolation;
mod late_fee;
mod lines;
mod messages;
mod open;
mod reminders;
mod report;
mod tax;
mod terms;
mod why;

pub(crate) use allocation::allocate;
pub(crate) use billing::plan_billing;
pub(crate) use clock::check_clock;
pub(crate) use credit::{isolation_credits, outage_credits};
pub(crate) use ending::end_records;
pub(crate) use isolation::{ACCESSES, decide_isolation};
pub(crate) use late_fee::late_fees;
pub(crate) use messages::refresh_messages;
pub(crate) use reminders::due_reminders;
pub(crate) use report::profit_loss;
pub(crate) use tax::ppn;
pub(crate) use terms::decide_terms;
pub(crate) use why::{LANGUAGES, explain};
