#![doc = include_str!("../README.md")]

mod access;
mod names;
mod nas;
pub mod packet;
mod problem;
mod reconcile;
mod settings;
#[cfg(feature = "simulator")]
pub mod simulator;
mod sql;
mod tables;

pub use access::RadiusAccess;
pub use problem::Problem;
pub use settings::{Nas, Settings};
