//! The ports of the engine: [`Store`], [`AccessControl`], [`Messenger`], [`PaymentGateway`]; and [`InboxStore`] for a program
//! that listens.
//!
//! `Ok` means that the other side answered. An error tells what is known of the effect, see [`PortError`]. Only
//! [`crate::engine::deliver`] tries again. Clock and ids are arguments, not ports.
//!
//! A port of your own needs `async-trait = "0.1"` (each port is an `#[async_trait]`) and `chrono = "0.4"` (a moment is a
//! `DateTime<Utc>`) beside this crate. The suites in [`crate::testing`] prove it true to the contract of its port.

mod access;
mod access_control;
mod billing;
mod change_set;
mod directory;
mod error;
mod expectation;
mod inbox;
mod messenger;
mod money;
mod outbox;
mod outbox_store;
mod payment_gateway;
mod query;
mod row;
mod store;
mod worker;

pub use access::AccessStore;
pub use access_control::{AccessControl, ApplyOutcome, Capabilities, Online};
pub use billing::{BillingStore, OpenPlace};
pub use change_set::{ChangeSet, CommitReport};
pub use directory::DirectoryStore;
pub use error::{PortError, StoreError};
pub use expectation::Expectation;
pub use inbox::{DeliveryWord, Forgotten, Heard, InboxStore, Pulse, Webhook, WebhookOutcome, WebhookRow, WebhookState};
pub use messenger::{Attachment, Messenger, RetryScope, SendOutcome, Upload};
pub use money::MoneyStore;
pub use outbox::{
    Claim, Claimed, Effect, Lease, Observed, OutboxRow, OutboxState, Outcome, Recorded, RouterHold, RouterRest,
    Settled, Topic,
};
pub use outbox_store::OutboxStore;
pub use payment_gateway::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, RefundAnswer, RefundAsk};
pub use query::{
    AccessQuery, BillableQuery, DunningQuery, GatewayQuery, GatewayRefundQuery, InvoiceQuery, LastReminders,
    MutationQuery, OutboxQuery, PageQuery, RequestQuery, TellingQuery,
};
pub use row::{
    CreditNoteRow, DamagedRow, DepositRow, ExpenseRow, InstallationRow, InstalmentRow, PaymentRow, PayoutRow, RefundRow,
};
pub use store::{CustomerBooks, HeldRun, RunGuard, Store};
pub use worker::{StandingWatch, Watch, Worker};
