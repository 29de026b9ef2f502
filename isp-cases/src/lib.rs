//! Dated cases of an internet provider, written as data: what there is, what happens on which day, and what must be true.
//!
//! A case is a TOML file; `docs/cases.md` teaches the format. The same file is lived on every host: a store in memory, a
//! database, the Python wheel, Odoo. A host reports what it sees, and [`compare()`] lists where that differs from what the
//! case expects. This crate contains no rule of the provider.
//!
//! | to find | look in |
//! |---|---|
//! | what a case is | [`case`] |
//! | how a file is read, and what is said about a bad one | [`read`] |
//! | what a host does and tells | [`host`], [`observed`] |
//! | expected and actual side by side | [`mod@compare`] |
//! | the engine over any store as a host | [`engine`] |
//! | what a host cannot express | [`lacks`] |
//! | a folder of cases, and the table of hosts | [`suite`] |
//!
//! ```
//! let text = r#"
//! title = "January is issued on its first day"
//! rules = ["B1", "B2"]
//! [packages.HOME]
//! price = 150_000
//! [subscriptions.budi]
//! start = "2026-01-01"
//! [[step]]
//! run = "2026-01-01"
//! [step.expect]
//! invoices = [{ period = "2026-01-01..2026-02-01", issued = "2026-01-01", due = "2026-01-11", total = 166_500 }]
//! "#;
//! let case = isp_cases::Case::parse("january.toml", text)?;
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let store = isp_core::testing::MemoryStore::new();
//! let mut host = isp_cases::EngineHost::new(&store, &case);
//! let report = isp_cases::live(&mut host, &case).await;
//! assert!(isp_cases::compare(&case, &report).is_empty());
//! # });
//! # Ok::<(), isp_cases::BadCase>(())
//! ```

pub mod case;
pub mod compare;
pub mod engine;
pub mod host;
pub mod lacks;
pub mod observed;
pub mod read;
pub mod record;
pub mod suite;
mod when;

pub use case::{Action, Case, Expected, Step};
pub use compare::{Difference, compare};
pub use engine::EngineHost;
pub use host::{Host, Report, live};
pub use lacks::Lacks;
pub use observed::Observed;
pub use read::BadCase;
pub use record::Record;
pub use suite::{Colour, Suite, Tally};

/// Lets the tests run the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
