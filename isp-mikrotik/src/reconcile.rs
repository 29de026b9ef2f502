//! Desired state against actual state gives a [`Plan`]: a value that can be shown, counted and serialised, and that
//! [`crate::access`] carries out.
//!
//! Everything here is pure. The rules: an object is found by its exact name and must be the only one of that name;
//! what does not carry our [`Mark`](crate::mark::Mark) is never changed (unless an import said to adopt it); only what
//! differs is written; a password that the router does not show is unknown, not different.

mod actual;
mod decide;
mod desired;
mod finding;
mod groups;
mod index;
pub mod line;
mod notice;
mod plan;
pub mod redirect;
mod show;
mod strategy;

pub use actual::{Actual, ActualAccount, ActualGroup, ActualSession};
pub use decide::plan;
pub(crate) use decide::plan_by;
pub use desired::{Desired, DesiredAccount, DesiredGroup};
pub use finding::Finding;
pub(crate) use index::{ByName, Index};
pub use plan::{
    AccountStep, Action, Conflict, Drift, Entries, FieldChange, GroupAction, GroupStep, Object, Plan, RemoteAddress,
    Summary,
};
pub use strategy::{Service, Strategy};
