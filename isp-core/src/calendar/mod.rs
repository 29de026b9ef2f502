//! Days, periods and the billing anchor (rules C1 to C4).
//!
//! A [`Date`] is a civil day in the customer's zone. Every period is derived from the anchor, never from the
//! period before it, so that a customer billed on the 31st is billed on 31 January, 28 February and **31** March.

mod anchor;
mod date;
mod day;
mod month;
mod period;
mod plausible;
mod zone;

#[cfg(test)]
mod tests;

pub use anchor::{Anchor, BillingDay, Cycle};
pub use date::Date;
pub use day::{DayOrder, DayReading, Written, day};
pub use month::Month;
pub use period::Period;
pub use plausible::plausible_day;
pub use zone::{TimeOfDay, Zone};
