//! Suites that prove an implementation of a port true to its contract.

pub mod store;
