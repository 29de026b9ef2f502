//! RouterOS API client, reconciler and simulator.

pub mod client;
pub mod error;
pub mod menu;
pub mod proto;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod text;

pub use client::{Client, ConnectOptions, Tls};
pub use error::Error;
