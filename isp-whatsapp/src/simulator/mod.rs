//! A Cloud API on a loopback port: for tests, for `isp demo`, and for trying templates without an account.
//!
//! It checks every request as strictly as Meta does, or more so, remembers every message it accepted, and fails on
//! demand in each way a real network fails. It speaks HTTP/1.1 with keep-alive and no TLS.

mod check;
mod fault;
mod media;
mod server;
mod state;
mod webhooks;

pub use fault::Fault;
pub use media::Media;
pub use server::Simulator;
pub use state::{AcceptedMessage, Duplicate};
pub use webhooks::SignedWebhook;
