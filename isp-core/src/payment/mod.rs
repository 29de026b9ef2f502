//! Payments and what they pay.

pub mod allocate;
pub mod receipt;

pub use allocate::{Allocation, CreditSource, allocate};
pub use receipt::{Payment, PaymentReversal};
