//! Whether a line should be open, and why.

pub mod access;
pub mod decide;
pub mod explain;
pub mod notice;
pub mod policy;
pub mod transition;

pub use access::{Access, AccessEvent, AccessEventKind, AccessTarget, IsolationCause, ServiceAccess};
pub use decide::{AccessFacts, Decision, Exemption, IsolationMoment, Outage, Promise, Reason, decide_isolation};
pub use policy::{IsolationPolicy, PromisePolicy};
