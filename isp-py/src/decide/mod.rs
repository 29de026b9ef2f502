//! The pure calls: convert, let go of the interpreter, decide, convert.

mod allocation;
mod billing;
mod credit;
mod installation;
mod isolation;
mod late_fee;
mod lines;
mod open;
mod payment;
mod protection;
mod reminders;
mod report;
mod tax;
mod terms;
mod why;

pub(crate) use allocation::allocate;
pub(crate) use billing::plan_billing;
pub(crate) use credit::{isolation_credits, outage_credits};
pub(crate) use installation::installation_fees;
pub(crate) use isolation::{ACCESSES, decide_isolation};
pub(crate) use late_fee::late_fees;
pub(crate) use payment::{correct_invoices, late_fees_back, payment_identity, receive_payments, write_offs};
pub(crate) use protection::{check_exemptions, check_promises, decide_by_hand};
pub(crate) use reminders::due_reminders;
pub(crate) use report::profit_loss;
pub(crate) use tax::ppn;
pub(crate) use terms::decide_terms;
pub(crate) use why::{LANGUAGES, explain};

use pyo3::prelude::*;

use crate::convert::Place;
use crate::error::Refused;

/// The exception that refuses a row, as a value in its place of the answer.
fn refusal<'py>(py: Python<'py>, why: impl Into<Refused>, place: Place<'_>) -> Bound<'py, PyAny> {
    why.into().at(place).into_value(py).into_bound(py).into_any()
}
