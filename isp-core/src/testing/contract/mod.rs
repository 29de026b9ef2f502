//! Suites that prove an implementation of a port true to its contract.

pub mod access;
pub mod inbox;
pub mod messenger;
pub mod payment_gateway;
pub mod store;
