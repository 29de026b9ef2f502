//! Asking whether the clock is right before a run writes anything (rule I9).

use chrono::{DateTime, Utc};

use crate::engine::{Engine, EngineError};
use crate::ports::ChangeSet;

impl Engine<'_> {
    /// Begins a run at `now`: compares the moment with that of the last run, then keeps it as the last run's. Whatever
    /// bills, reminds, enforces or delivers calls this first.
    ///
    /// `confirmed` is a person's word that the moment is right. It is kept then also when it lies before the last run, so
    /// that the runs after it need not ask again.
    ///
    /// # Errors
    /// [`EngineError::Clock`], and nothing was written; [`EngineError::Store`].
    pub async fn begin(&self, now: DateTime<Utc>, confirmed: bool) -> Result<(), EngineError> {
        let last = self.store.last_run(self.tenant).await?;
        if !confirmed {
            self.policy.clock.check(last, now)?;
        }
        let kept = if confirmed { now } else { last.map_or(now, |last| last.max(now)) };
        if Some(kept) == last {
            return Ok(());
        }
        self.store.commit(self.tenant, ChangeSet { last_run: Some(kept), ..ChangeSet::default() }).await?;
        Ok(())
    }
}
