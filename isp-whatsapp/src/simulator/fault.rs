//! The ways the simulated Cloud API fails.

use crate::graph::GraphCode;

/// What to do with a request that is otherwise in order.
///
/// To have connections refused, use [`Simulator::down`](super::Simulator::down).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Refuse with this Graph error code; 130429 throttles.
    Graph(GraphCode),
    /// Answer with this HTTP status and no Graph body. The message is not accepted, but the caller cannot know.
    Status(u16),
    /// Accept, then answer with this HTTP status and no Graph body.
    StatusAfterAccept(u16),
    /// Accept, then close the connection without an answer.
    ReplyLost,
    /// Close the connection without accepting and without an answer.
    Reset,
    /// Never answer. The message is not accepted.
    Hang,
    /// Accept, but hold the message for Meta's quality assessment.
    Held,
    /// Accept, and break off in the middle of the answer, with status 200.
    Garbled,
}
