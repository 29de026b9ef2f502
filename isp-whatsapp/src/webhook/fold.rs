//! Many statuses, one state.

use crate::graph::GraphCode;

/// A delivery status as Meta reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Left Meta.
    Sent,
    /// Reached the customer's phone.
    Delivered,
    /// The customer opened the chat. May come without a `Delivered` before it.
    Read,
    /// Not delivered, with the code of the first reported error.
    Failed(Option<GraphCode>),
}

/// Where a message has got to.
///
/// The order of the variants is the rank: folding takes the higher of two, which makes it independent of order and
/// of repetition. `Failed` ranks above `Sent` (a failure is reported after it) and below `Delivered`: a phone that
/// shows the message is stronger evidence than an error reported before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// Accepted by the Cloud API, nothing heard since.
    #[default]
    Queued,
    /// Left Meta.
    Sent,
    /// Not delivered. Of several reported codes the highest stays, so that order does not matter.
    Failed(Option<GraphCode>),
    /// On the customer's phone.
    Delivered,
    /// Opened.
    Read,
}

impl Delivery {
    /// The state after one more status.
    ///
    /// ```
    /// use isp_whatsapp::webhook::{Delivery, Status};
    /// let read = Delivery::Queued.fold(Status::Read).fold(Status::Sent).fold(Status::Read);
    /// assert_eq!(read, Delivery::Read);
    /// assert_eq!(Delivery::Queued.fold(Status::Failed(None)).fold(Status::Delivered), Delivery::Delivered);
    /// ```
    #[must_use]
    pub fn fold(self, status: Status) -> Self {
        self.max(match status {
            Status::Sent => Self::Sent,
            Status::Delivered => Self::Delivered,
            Status::Read => Self::Read,
            Status::Failed(code) => Self::Failed(code),
        })
    }

    /// Does the message count as accepted by Meta? True for every state: a status exists only for a message that
    /// Meta took, so any status resolves an unknown outcome to "it was sent".
    #[must_use]
    pub fn settles_unknown(self) -> bool {
        self > Self::Queued
    }
}
