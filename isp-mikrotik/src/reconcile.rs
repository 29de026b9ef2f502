//! Desired state against actual state gives a [`Plan`]: a value that can be shown, counted and serialised, and that
//! [`crate::access`] carries out.
//!
//! Everything here is pure. The rules: an object is found by its exact name and must be the only one of that name;
//! what does not carry our [`Mark`](crate::mark::Mark) is never changed (unless an import said to adopt it); only what
//! differs is written; a password that the router does not show is unknown, not different.

mod decide;
mod desired;
mod plan;
mod show;

pub use decide::plan;
pub use desired::{Actual, Desired, DesiredAccount, DesiredGroup};
pub use plan::{AccountStep, Action, Conflict, FieldChange, GroupAction, GroupStep, Plan, RemoteAddress, Summary};
