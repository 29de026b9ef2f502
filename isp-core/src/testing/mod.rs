//! For tests of users of the ports: a store in memory and the contract suites that every implementation passes.

pub mod fuse;
pub mod memory;

pub use fuse::{Fuse, Moment};
pub use memory::{MemoryStore, Snapshot};
