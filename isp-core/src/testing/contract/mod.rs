//! Suites that prove an implementation of a port true to its contract.
//!
//! Each has a `Harness`: the implementation under test, and the hands that break it, such as a router that is switched off or an
//! answer that is lost. Implement it for a type of yours and call `run_all` in a test; it panics where the contract is broken.
//! `examples/own_router.rs` of the repository does so for a router of sixty lines.

pub mod access;
pub mod inbox;
pub mod messenger;
pub mod payment_gateway;
pub mod store;
