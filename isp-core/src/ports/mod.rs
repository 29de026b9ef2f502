//! The three ports of the engine: [`Store`], [`AccessControl`], [`Messenger`].
//!
//! `Ok` means that the other side answered. An error tells what is known of the effect, see [`PortError`]. Only
//! [`crate::engine::deliver`] tries again. Clock and ids are arguments, not ports.

mod access_control;
mod change_set;
mod error;
mod messenger;
mod outbox;
mod query;
mod row;
mod store;

pub use access_control::{AccessControl, ApplyOutcome};
pub use change_set::{ChangeSet, CommitReport};
pub use error::{PortError, StoreError};
pub use messenger::{Messenger, SendOutcome};
pub use outbox::{Claim, Effect, OutboxRow, OutboxState, Outcome, Topic};
pub use query::{AccessQuery, BillableQuery, DunningQuery, InvoiceQuery, OutboxQuery, PageQuery};
pub use row::{InstallationRow, InstalmentRow, PaymentRow};
pub use store::{RunGuard, Store};
