//! The log of what was decided and changed: an entry a commit, each chained to the one before it by a hash.
//!
//! An entry says who, when, by which command, and what the commit changed: the rows by their ids, what they come to, and what
//! was before where the change knows it. Personal data and secrets are not in it, so that it may be kept and shown. Nothing here
//! stores anything.

mod chain;
mod changes;

pub use chain::{Break, Checker, Entry, Hash, Head, Link, link};
pub use changes::{Change, Decision, Told, changes};
