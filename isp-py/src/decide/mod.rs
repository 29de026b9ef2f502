//! The pure calls: convert, let go of the interpreter, decide, convert.

mod allocation;
mod billing;
mod books;
mod clock;
mod credit;
mod ending;
mod holiday;
mod installation;
mod isolation;
mod late_fee;
mod lines;
mod messages;
mod notices;
mod open;
mod payment;
mod proof;
mod protection;
mod qris;
mod reminders;
mod report;
mod request;
mod tax;
mod terms;
mod why;

pub(crate) use allocation::allocate;
pub(crate) use billing::{plan_billing, prices_on, read_discount, read_held};
pub(crate) use books::{late_fees_again, late_fees_back, unpaid_when_late};
pub(crate) use clock::check_clock;
pub(crate) use credit::{isolation_credits, outage_credits};
pub(crate) use ending::end_records;
pub(crate) use holiday::public_holidays;
pub(crate) use installation::{fee_paid, installation_fees};
pub(crate) use isolation::{ACCESSES, decide_isolation};
pub(crate) use late_fee::late_fees;
pub(crate) use messages::refresh_messages;
pub(crate) use notices::join_notices;
pub(crate) use open::overdue;
pub(crate) use payment::{correct_invoices, payment_identity, receive_payments, write_offs};
pub(crate) use proof::{check_proofs, check_transfers, review_proofs};
pub(crate) use protection::{check_exemptions, check_promises, decide_by_hand};
pub(crate) use qris::{qris_asking, qris_shop};
pub(crate) use reminders::due_reminders;
pub(crate) use report::profit_loss;
pub(crate) use request::{ask_payments, match_requests, sums_owed};
pub(crate) use tax::ppn;
pub(crate) use terms::decide_terms;
pub(crate) use why::{LANGUAGES, explain};

/// The tables of words, for [`crate::words`].
pub(crate) mod words {
    pub(crate) use super::billing::{CYCLES, TIMINGS};
    pub(crate) use super::ending::KINDS as ENDING_KINDS;
    pub(crate) use super::holiday::KINDS as HOLIDAY_KINDS;
    pub(crate) use super::isolation::{ACCESSES, CAUSES};
    pub(crate) use super::lines::KINDS as LINE_KINDS;
    pub(crate) use super::notices::KINDS as NOTICE_KINDS;
    pub(crate) use super::payment::TOLD;
    pub(crate) use super::proof::VERDICTS;
    pub(crate) use super::protection::HANDS;
    pub(crate) use super::reminders::KINDS as REMINDER_KINDS;
    pub(crate) use super::report::GROUPINGS;
    pub(crate) use super::tax::TAX_MODES;
    pub(crate) use super::terms::{KINDS as CHARGE_KINDS, REASONS as CREDIT_REASONS};
    pub(crate) use super::why::{EVENTS, LANGUAGES};
}

use pyo3::prelude::*;

use crate::convert::Place;
use crate::error::Refused;

/// The exception that refuses a row, as a value in its place of the answer.
fn refusal<'py>(py: Python<'py>, why: impl Into<Refused>, place: Place<'_>) -> Bound<'py, PyAny> {
    why.into().at(place).into_value(py).into_bound(py).into_any()
}
