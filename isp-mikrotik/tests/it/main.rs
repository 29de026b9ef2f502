//! The tests of the adapter against the simulated router. They are one program, so that they are linked once; `memory` measures a
//! process and is one of its own. `common` is what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

mod access;
mod check;
mod client;
mod contract;
mod edges;
mod faults;
mod firewall;
mod fleet;
mod lines;
mod menus;
mod redirect;
mod schema;
mod simulator;
mod spin;
mod strategies;
mod survey;
mod tls;
