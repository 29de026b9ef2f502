//! The RouterOS client on tokio: the only place in this crate that does network I/O (the simulator aside).
//!
//! One connection carries many commands at once, each under its own tag. A command is registered before its bytes
//! leave; a sentence or a batch leaves in one write, from the caller's own task where the socket takes it; one reader
//! hands each reply to its caller, unless a caller that waits awake for a moment reads it first. A caller that gives up (deadline, dropped future) cancels its own tag only. A
//! connection that broke is made again by the next call, with growing and scattered pauses, and no command is ever sent
//! twice by itself. What an error promises is told in [`crate::error`].

mod backoff;
mod caller;
mod flight;
mod listener;
mod options;
mod shared;
mod socket;
mod tls;
mod transport;
mod watch;
mod wire;

pub use backoff::Backoff;
pub use caller::Client;
pub use listener::Listener;
pub use options::{ConnectOptions, Fingerprint, Tls};
