//! The tests of the store on both databases. They are one program, so that they are linked once. `common` is what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

mod audit;
mod backup;
mod beside;
mod citus;
mod contract;
mod damage;
mod doctor;
mod faults;
mod identity;
mod many;
mod meanwhile;
mod moving;
mod open;
mod pooler;
mod rotate;
mod run_lease;
mod secrets;
mod story;
mod told;
mod upgrade;
mod wall;
