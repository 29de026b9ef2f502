//! What is overdue, and whom to tell.

pub mod arrears;
pub mod freshness;
pub mod notification;
pub mod policy;
pub mod reminder;

pub use arrears::Arrears;
pub use notification::{Notification, NotificationKey, NotificationKind};
pub use policy::DunningPolicy;
pub use reminder::{DunningFacts, due_reminders};
