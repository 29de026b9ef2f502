//! Whether a line should be open, and why.

pub mod access;
pub mod by_hand;
pub mod decide;
pub mod effect;
pub mod explain;
pub mod foresee;
pub mod given_back;
pub mod overdue;
pub mod policy;
pub mod survey;
pub mod transition;

pub(crate) use access::agree;
pub use access::{
    Access, AccessEvent, AccessEventKind, AccessTarget, Happened, IsolationCause, ObservedAccess, ServiceAccess,
};
pub use by_hand::Hand;
pub use decide::{
    AccessFacts, Decidable, Decision, IsolationFacts, IsolationMoment, Reason, decide_isolation, held_by_proof,
};
pub use effect::{AccessEffect, effect_id};
pub use foresee::{FORESEEN_DAYS, first_isolation};
pub use overdue::OverdueLines;
pub use policy::IsolationPolicy;
pub use survey::{Difference, DifferenceKind, Sighting, Survey};
