//! Meta's WhatsApp Cloud API.

mod client;
mod config;
mod transport;
mod wire;

pub use client::CloudClient;
pub use config::{CloudConfig, DEFAULT_GRAPH_VERSION};
#[cfg(feature = "simulator")]
pub(crate) use transport::post_loopback;
pub(crate) use wire::{Accepted, Uploaded};
