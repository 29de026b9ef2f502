//! A [`crate::ports::Store`] in memory, exact to the contract and quick enough for random years.
//!
//! | to find | look in |
//! |---|---|
//! | the port and its faults | [`store`] |
//! | which tables there are | `state` |
//! | how a failed commit leaves nothing | `table` |
//! | customers, packages, devices | `master` |
//! | invoices, payments, the journal | `ledger` |
//! | credit notes, and what days are charged for | `credit` |
//! | what a commit was decided from | `expectation` |
//! | payment requests | `request` |
//! | files of banks, mutations | `bank` |
//! | access and its facts | `access` |
//! | the outbox | `outbox` |
//! | webhooks, and what was heard of messages | `inbox` |
//! | everything a tenant has, for comparing | [`snapshot`] |

mod access;
mod bank;
mod billing;
mod credit;
mod erasure;
mod expectation;
mod gateway;
mod inbox;
mod ledger;
mod master;
mod outbox;
mod request;
pub mod snapshot;
mod state;
pub mod store;
mod table;

pub use snapshot::Snapshot;
pub use store::MemoryStore;
