//! Trying again after a conflict: a decision whose facts changed meanwhile is taken again from fresh ones.

use crate::engine::EngineError;
use crate::ports::StoreError;

/// How often a decision is taken again because its facts changed meanwhile.
const ATTEMPTS: u32 = 8;

/// Loads, decides and commits until no other commit comes in between; at most eight times, then it is
/// [`StoreError::Conflict`] for the caller.
pub(super) async fn until_written<T>(
    mut attempt: impl AsyncFnMut() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(EngineError::Store(StoreError::Conflict)) => {}
            outcome => return outcome,
        }
    }
    attempt().await
}
