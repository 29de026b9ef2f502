//! [`AccessControl`](isp_core::ports::AccessControl) on RouterOS: brings accounts to their desired state and proves it
//! by reading back.
//!
//! The order is the safe one: profiles, then accounts, then a second reading, and only then the sessions that still
//! run under old terms are ended; the other way round the customer's box would be back on the old profile within a
//! second. Each router has one connection and one turn at a time.

mod adapter;
mod apply;
mod breaker;
mod bring;
mod check;
mod fleet;
mod found_lines;
mod import;
mod judge;
mod kick;
mod lines;
mod looking;
mod online;
mod pace;
mod read;
mod reclaim;
mod redirect;
mod service;
mod settings;
mod survey;
mod who;
mod whole;

pub use adapter::MikrotikAccess;
pub use breaker::{Guarded, Passed};
pub use check::RouterCheck;
pub use import::FoundAccount;
pub use reclaim::StrangeMark;
pub use redirect::RedirectReport;
pub use settings::Settings;
