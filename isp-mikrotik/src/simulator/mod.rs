//! A RouterOS on a loopback port, for tests, demonstrations and other people's programs.
//!
//! It is as strict as the real thing where that matters: arguments that the real schema does not have are refused,
//! error texts are those seen in the wild, references are stored by id and matched by unique prefix, sessions keep the
//! profile they logged in with until they are removed, and customers' boxes dial again. [`Fault`]s make it as
//! unreliable as a router on a rainy day. What it knows about the world is read with [`SimulatedRouter::secrets`] and
//! its neighbours, which go round the API: a test compares what the client believes with what is.
//!
//! ```
//! use isp_mikrotik::simulator::{SimulatedRouter, Simulation};
//! use isp_mikrotik::{Client, proto::Command};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let router = SimulatedRouter::start(Simulation::default()).await?;
//! let client = Client::connect(router.options()).await?;
//! client.call(&Command::new("/ppp/secret/add").arg("name", "081234567890").arg("password", "x")).await?;
//! assert_eq!(router.secrets().len(), 1);
//! # Ok(())
//! # }
//! ```

mod boxes;
mod customers;
mod dhcp;
mod ear;
mod execute;
mod fault;
mod firewall;
mod inside;
mod listen;
mod listener;
mod menus;
mod query;
mod router;
mod rules;
mod schema;
mod server;
mod sessions;
mod setup;
mod shared;
mod state;
mod table;
mod time;

pub use fault::{Fault, FaultKind};
pub use inside::{SimProfile, SimSecret, SimSession};
pub use router::SimulatedRouter;
pub use schema::Version;
pub use setup::{Counters, Simulation};
