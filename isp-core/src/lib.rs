//! The pure domain of an Indonesian internet provider: billing, arrears, reminders, isolation, payments, reports.
//!
//! Nothing here reads a clock, does I/O or draws a random number; a moment is an argument. Decisions are synchronous
//! functions over values: [`billing::plan_billing`], [`message::due_reminders`], [`isolation::decide_isolation`],
//! [`payment::allocate()`]. The [`engine`] loads facts through the [`ports`], calls a decision, and commits its result.
//!
//! Each error has a stable code ([`Error::code`]). A decision about many rows does not fail for one bad row: it names the
//! row and goes on.
//!
//! | to find | look in |
//! |---|---|
//! | when a period starts, what a month is | [`calendar`] |
//! | what a period costs | [`billing`], [`tax`] |
//! | who is told what, and when | [`message`] |
//! | what protects from isolation | [`protection`] |
//! | who is isolated, and why | [`isolation`], [`holiday`] |
//! | what a payment pays | [`payment`] |
//! | whose the money on the bank account is | [`bank`] |
//! | what is booked | [`ledger`] |
//! | the reports | [`report`] |
//! | starts, changes, pauses and ends | [`terms`] |
//! | whether the moment of a run can be right | [`clock`] |
//! | what another policy would do | [`simulation`] |
//! | what stands in a cell that somebody typed | [`typed`] |
//! | every rule with numbers | [`rules`] |

pub mod audit;
pub mod bank;
pub mod billing;
pub mod calendar;
pub mod clock;
pub mod customer;
pub mod device;
pub mod ending;
pub mod engine;
pub mod error;
pub mod holiday;
pub mod ids;
pub mod installation;
pub mod isolation;
pub mod ledger;
pub mod message;
pub mod money;
pub mod package;
pub mod payment;
pub mod place;
pub mod policy;
pub mod ports;
pub mod privacy;
pub mod protection;
pub mod report;
pub mod retention;
pub mod rules;
pub mod secret;
pub mod simulation;
pub mod subscription;
pub mod tax;
pub mod terms;
#[cfg(feature = "memory")]
pub mod testing;
pub mod text;
pub mod typed;

pub use calendar::{Date, Zone};
pub use error::Error;
pub use money::Money;
pub use policy::Policy;
pub use secret::Secret;

/// Lets the tests run the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
