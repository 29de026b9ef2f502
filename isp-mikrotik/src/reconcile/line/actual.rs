//! What a router has for lines that nobody logs in for.

use crate::mark::{Mark, Owner};
use crate::menu::address_list::ListEntry;
pub(super) use crate::menu::address_list::bare;
use crate::menu::lease::Lease;
use crate::menu::queue::SimpleQueue;

/// What a router has, whosever it is. Queues that the router made for sessions are not among it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActualLines {
    /// The queues that people and we made.
    pub queues: Vec<SimpleQueue>,
    /// Of the DHCP server, static and dynamic.
    pub leases: Vec<Lease>,
    /// The entries of the isolation list.
    pub entries: Vec<ListEntry>,
}

/// The owner that a mark names, and whether established connections are still to be ended.
pub(super) fn marked(comment: &[u8]) -> Option<(Owner, bool)> {
    Mark::split(comment).0.map(|mark| (mark.owner, mark.kick))
}
