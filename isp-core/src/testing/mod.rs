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
//!
//! A store in memory is filled by a commit, as any other. [`sample::World`] is a provider that is ready to bill:
//!
//! ```
//! use isp_core::calendar::{Date, Zone};
//! use isp_core::engine::{Approval, Engine};
//! use isp_core::ports::Store;
//! use isp_core::testing::{MemoryStore, sample::World};
//! use isp_core::{Policy, ids::TenantId, text::Language};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, policy, world) = (MemoryStore::new(), Policy::default(), World::new(1));
//! store.commit(TenantId::DEFAULT, world.changes()).await?;
//!
//! let engine = Engine::new(&store, TenantId::DEFAULT, &policy);
//! assert_eq!(engine.bill(Date::parse("2026-01-01")?.at(9, 0, Zone::Wib)).await?.invoices, 1);
//!
//! // Nobody paid, so the line is isolated, and the engine says why.
//! let later = Date::parse("2026-01-20")?.at(11, 0, Zone::Wib);
//! engine.enforce(later, &Approval::All).await?;
//! for (_, why) in engine.explain(world.customers[0].id, later, Language::En).await? {
//!     assert_eq!(why.reason, "overdue_too_long", "{}", why.sentence);
//! }
//! # Ok(())
//! # }
//! ```

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
