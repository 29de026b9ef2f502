//! The calls: convert, let go of the interpreter, decide, convert.

mod allocation;
mod billing;
mod isolation;
mod open;
mod reminders;
mod tax;

pub(crate) use allocation::allocate;
pub(crate) use billing::plan_billing;
pub(crate) use isolation::decide_isolation;
pub(crate) use reminders::due_reminders;
pub(crate) use tax::ppn;
