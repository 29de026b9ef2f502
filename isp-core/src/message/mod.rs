//! Messages to customers: which are due, whether one is still true, and what it says.

pub mod channel;
pub mod demand;
pub mod document;
pub mod facts;
pub mod freshness;
pub mod inbound;
pub mod notice;
pub mod notification;
pub mod policy;
pub mod reminder;

pub use demand::{Demand, Owed, Sender};
pub use document::Document;
pub use facts::{MessageFacts, MessageLine};
pub use notification::{Notification, NotificationKey, NotificationKind};
pub use policy::DunningPolicy;
pub use reminder::{DunningFacts, due_reminders, join_reminders};
