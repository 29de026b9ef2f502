//! The [`Store`](isp_core::ports::Store) port on SQLite and PostgreSQL.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use isp_store::Vault;
//! Vault::generate_key_file("isp.key")?;
//! isp_store::migrate("sqlite:isp.db").await?;
//! let store = isp_store::open("sqlite:isp.db", Vault::from_file("isp.key")?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! | to find | look in |
//! |---|---|
//! | tables, keys and indexes | `migrations/` |
//! | the statements about a noun | the module of its name; they are the same for both engines |
//! | what an engine does its own way: connections, bulk writes, who lives | `sqlite/`, `postgres/` |
//! | the right to be the only run | `run_lease` |
//! | the log of changes | `audit` |
//! | how NIK and passwords are sealed | `vault`; the file of the key: `keyfile`, `wrap` |
//! | how a database is copied and brought back | `backup` |
//! | how tables lie on many nodes | `citus` |
//! | a tenant's rows into another database | `moving` |
//! | what must not be in a database | `doctor` |
//! | a second wall between tenants, in the database itself | `wall` |
//! | the order in which a change set is written | `commit` |
//! | what a database's refusal means | `error` |

mod access;
mod audit;
mod backup;
mod bank;
mod citus;
mod commit;
mod credit;
mod customer;
mod device;
mod doctor;
mod dunning;
mod encode;
mod ending;
mod erasure;
mod error;
mod expectation;
mod former;
mod gateway;
mod gateway_refund;
mod inbox;
mod installation;
mod invoice;
mod keyfile;
mod ledger;
mod master;
mod moves;
mod moving;
mod open;
mod outbox;
mod patience;
mod payment;
mod postgres;
mod proof;
mod protection;
mod purse;
mod refund;
mod removal;
mod request;
mod reseal;
mod router_hold;
mod router_rest;
mod rows;
mod run_lease;
mod seen;
mod session;
mod sqlite;
mod statement;
mod store;
mod subscription;
mod sums;
mod table;
mod terms;
mod twins;
mod value;
mod vault;
mod wall;
mod wishes;
mod wrap;

pub use backup::{BackupError, Copied, Fit, Scratch, backup, checksum_of, note_backup, restore};
pub use citus::Distributed;
pub use doctor::Finding;
pub use keyfile::{KeyFile, Unwrapped};
pub use moving::{MovedRows, Moving};
pub use open::{MigrationStatus, distribute, has_key, migrate, migration_status, wall};
pub use reseal::{AllRuns, KeyUse, Resealed};
pub use store::{SqlStore, open};
pub use twins::Twins;
pub use vault::{Vault, VaultError};
pub use wall::Walled;

/// Lets the tests run the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
