//! For tests of users of the ports: doubles, a sample world, strategies, and the contract suites that every
//! implementation passes.
//!
//! | to find | look in |
//! |---|---|
//! | a store that can be killed between any two calls | [`memory`], [`fuse`] |
//! | routers and a channel without a network | [`fakes`] |
//! | what every store, router and channel must do | [`contract`] |
//! | a small valid provider | [`sample`] |
//! | random facts | [`strategies`] |
//!
//! The doubles and the sample come with the feature `memory`; the rest needs `testing`.

#[cfg(feature = "testing")]
pub mod contract;
pub mod fakes;
pub mod fuse;
pub mod memory;
pub mod sample;
#[cfg(feature = "testing")]
pub mod strategies;

pub use fakes::{FakeGateway, FakeMessenger, FakeRouter, GatewayFault, MessengerFault};
pub use fuse::{Fuse, Moment};
pub use memory::{MemoryStore, Snapshot};
