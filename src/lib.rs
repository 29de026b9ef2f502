//! Runs an Indonesian internet provider: billing, WhatsApp reminders, isolation on MikroTik, reports.
//!
//! This crate only re-exports the others. [`mod@core`] decides, the adapters act, and no adapter knows another. Take the
//! crates you need through features (those of the adapters, `cases` and `import` are on by default), or depend on them directly.
//!
//! | feature | module | what it is |
//! |---|---|---|
//! | always | [`mod@core`] | the domain, the decisions, the ports and the [`Engine`]: no I/O, no clock |
//! | `store` | [`mod@store`] | the `Store` port on SQLite and PostgreSQL |
//! | `mikrotik` | [`mod@mikrotik`] | the `AccessControl` port on the RouterOS API |
//! | `radius` | [`mod@radius`] | the `AccessControl` port on FreeRADIUS |
//! | `whatsapp` | [`mod@whatsapp`] | the `Messenger` port on the WhatsApp Cloud API |
//! | `payment` | [`mod@payment`] | the `PaymentGateway` port on Midtrans, Xendit, Tripay and Duitku |
//! | `serve` | [`mod@serve`] | webhooks, customers' pages, health and metrics as an axum router |
//! | `cases` | [`mod@cases`] | dated cases of a provider as data, lived on any store |
//! | `import` | [`mod@import`] | spreadsheets as checked rows, planned against what exists |
//! | `cli` | | the `isp` program: `cargo install --path . --features cli` |
//! | `memory`, `testing` | `core::testing` | a store, routers and a messenger in memory; the contract suites for your own |
//! | `simulator` | `mikrotik::simulator` and others | a router, a WhatsApp Cloud API and gateways on loopback ports, of the adapters taken |
//!
//! ```toml
//! [dependencies]
//! isp = { path = "../isp", default-features = false, features = ["memory"] }
//! ```
//!
//! ```
//! use isp::core::{calendar::{Date, Zone}, ids::TenantId, testing::MemoryStore};
//! use isp::{Engine, Policy};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let (store, policy) = (MemoryStore::new(), Policy::default());
//! let engine = Engine::new(&store, TenantId::DEFAULT, &policy);
//! // The moment is an argument: noon of 31 January in Jakarta.
//! let now = Date::parse("2026-01-31")?.at(12, 0, Zone::Wib);
//! let report = engine.bill(now).await?;
//! assert_eq!(report.invoices, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "cases")]
pub use isp_cases as cases;
pub use isp_core as core;
#[cfg(feature = "import")]
pub use isp_import as import;
#[cfg(feature = "mikrotik")]
pub use isp_mikrotik as mikrotik;
#[cfg(feature = "payment")]
pub use isp_payment as payment;
#[cfg(feature = "radius")]
pub use isp_radius as radius;
#[cfg(feature = "serve")]
pub use isp_serve as serve;
#[cfg(feature = "store")]
pub use isp_store as store;
#[cfg(feature = "whatsapp")]
pub use isp_whatsapp as whatsapp;

pub use isp_core::engine::Engine;
pub use isp_core::{Date, Money, Policy};
