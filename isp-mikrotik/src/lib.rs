//! RouterOS API client, reconciler and simulator.

pub mod client;
pub mod error;
pub mod proto;
pub mod text;

pub use client::{Client, ConnectOptions, Tls};
pub use error::Error;
