#![cfg_attr(feature = "simulator", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "simulator"), doc = "RouterOS API client, reconciler and simulator.")]

pub mod access;
mod bytes;
pub mod client;
pub mod error;
mod hash;
pub mod import;
pub mod mark;
pub mod menu;
pub mod proto;
pub mod reconcile;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod text;

pub use access::{MikrotikAccess, Settings};
pub use bytes::Bytes;
pub use client::{Client, ConnectOptions, Fingerprint, Tls};
pub use error::Error;
