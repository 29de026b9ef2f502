//! For tests of users of the ports: a store in memory, a sample world, and the contract suites that every implementation
//! passes.

pub mod contract;
pub mod fuse;
pub mod memory;
pub mod sample;

pub use fuse::{Fuse, Moment};
pub use memory::{MemoryStore, Snapshot};
