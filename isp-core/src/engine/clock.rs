//! Asking whether the clock is right before a run writes anything (rule I9).

use chrono::{DateTime, Utc};

use crate::clock::ClockWord;
use crate::engine::{Engine, EngineError};
use crate::ports::ChangeSet;

impl Engine<'_> {
    /// Begins a run at `now`: compares the moment with that of the last run, then keeps it as the last run's. Whatever
    /// bills, reminds, enforces or delivers calls this first.
    ///
    /// A moment that a person says is right is kept also when it lies before the last run, so that the runs after it need not
    /// ask again.
    ///
    /// # Errors
    /// [`EngineError::Clock`], and nothing was written; [`EngineError::Store`].
    pub async fn begin(&self, now: DateTime<Utc>, word: ClockWord) -> Result<(), EngineError> {
        let last = self.follows(now, word).await?;
        let kept = if word == ClockWord::Right { now } else { last.map_or(now, |last| last.max(now)) };
        if Some(kept) == last {
            return Ok(());
        }
        self.store.commit(self.tenant, ChangeSet { last_run: Some(kept), ..ChangeSet::default() }).await?;
        Ok(())
    }

    /// Compares a moment with that of the last run, which it returns, and writes nothing: what a run would say of it. Whatever bills
    /// without being a run asks this first, such as a change of terms.
    ///
    /// # Errors
    /// [`EngineError::Clock`]; [`EngineError::Store`].
    pub async fn follows(&self, now: DateTime<Utc>, word: ClockWord) -> Result<Option<DateTime<Utc>>, EngineError> {
        let last = self.store.last_run(self.tenant).await?;
        match word {
            ClockWord::Nothing => self.policy.clock.check(last, now)?,
            ClockWord::Named { clock } => self.policy.clock.check_named(last, now, clock)?,
            ClockWord::Right => {}
        }
        Ok(last)
    }
}
