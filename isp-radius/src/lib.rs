#![doc = include_str!("../README.md")]

mod access;
mod nas;
pub mod packet;
mod reconcile;
mod settings;
#[cfg(feature = "simulator")]
pub mod simulator;
mod tables;

pub use access::RadiusAccess;
pub use settings::{Nas, Settings};
