//! Trying again after a conflict: a decision whose facts changed meanwhile is taken again from fresh ones.

use crate::engine::EngineError;
use crate::ports::StoreError;

/// How often a decision is taken again because its facts changed meanwhile.
pub(super) const ATTEMPTS: u32 = 8;

/// Loads, decides and commits until no other commit comes in between; at most eight times, then it is
/// [`StoreError::Conflict`] for the caller.
///
/// The attempt is a plain closure and no async one, so that what calls this can be sent to another thread.
pub(super) async fn until_written<T, F>(attempt: impl Fn() -> F) -> Result<T, EngineError>
where
    F: Future<Output = Result<T, EngineError>>,
{
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(EngineError::Store(StoreError::Conflict)) => {}
            outcome => return outcome,
        }
    }
    attempt().await
}
