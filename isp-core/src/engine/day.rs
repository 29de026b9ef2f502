//! All of a day, in order.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::clock::ClockWord;
use crate::engine::roll_call::RollCall;
use crate::engine::{
    Approval, BillReport, DeliverReport, EnforceReport, Engine, EngineError, Outside, RemindReport, SurveyReport,
};

/// What a person said before a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Which breakers may be passed (rule I6).
    pub approval: Approval,
    /// What of its moment (rule I9).
    pub clock: ClockWord,
}

/// What a run of a day did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DayReport {
    /// Invoices, fees, credit.
    pub billed: BillReport,
    /// Reminders.
    pub reminded: RemindReport,
    /// Isolation and reopening.
    pub enforced: EnforceReport,
    /// What was found on the routers.
    pub surveyed: SurveyReport,
    /// What routers and customers heard.
    pub delivered: DeliverReport,
}

/// How far a run has come. Each step is told as soon as it is committed, so that whoever watches knows what stays when
/// a later step fails.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum DayStep<'a> {
    /// So many subscriptions were looked at, and billing goes on.
    Billing(u64),
    /// Billing is over.
    Billed(&'a BillReport),
    /// Reminders are queued.
    Reminded(RemindReport),
    /// It is decided who is isolated and who is reopened.
    Enforced(&'a EnforceReport),
    /// Every router was read whole, and what differed there was brought back.
    Surveyed(&'a SurveyReport),
    /// Routers and customers have heard what they could hear.
    Delivered(&'a DeliverReport),
}

impl Engine<'_> {
    /// Bills, lets credit pay, reminds, isolates and reopens, reads every router, then delivers. It is the tenant's only run while it lasts,
    /// and may be repeated at any time: what is done is not done again.
    ///
    /// # Errors
    /// As [`Engine::run_day_watched`].
    pub async fn run_day(
        &self,
        outside: &Outside<'_>,
        said: &Said,
        now: DateTime<Utc>,
    ) -> Result<DayReport, EngineError> {
        self.run_day_watched(outside, said, now, &mut |_| {}).await
    }

    /// [`Engine::run_day`], telling each step when it is done.
    ///
    /// # Errors
    /// [`crate::ports::StoreError::Busy`] while another run lasts; as [`Engine::begin`], [`Engine::bill`], [`Engine::remind`],
    /// [`Engine::enforce`] and [`Engine::deliver`]. What was committed by then stays, and the next run goes on from there.
    pub async fn run_day_watched(
        &self,
        outside: &Outside<'_>,
        said: &Said,
        now: DateTime<Utc>,
        tell: &mut (dyn FnMut(DayStep<'_>) + Send),
    ) -> Result<DayReport, EngineError> {
        let only_run = self.store.begin_run(self.tenant, outside.worker.lease).await?;
        let done = self.day(outside, said, now, tell).await;
        match only_run.end().await {
            // When the store cannot even give the right up, it runs out by itself.
            Ok(()) | Err(_) => done,
        }
    }

    async fn day(
        &self,
        outside: &Outside<'_>,
        said: &Said,
        now: DateTime<Utc>,
        tell: &mut (dyn FnMut(DayStep<'_>) + Send),
    ) -> Result<DayReport, EngineError> {
        self.begin(now, said.clock).await?;
        let Outside { worker, routers, .. } = *outside;
        let roll = RollCall::new(worker, routers);
        self.routers_in_use().await?.iter().for_each(|router| roll.call(router));
        let mut progress = |seen| tell(DayStep::Billing(seen));
        let billed = roll.along(self.bill_with_progress(now, &mut progress)).await?;
        tell(DayStep::Billed(&billed));
        let reminded = roll.along(self.remind(now)).await?;
        tell(DayStep::Reminded(reminded));
        let enforced = roll.along(self.enforce(now, &said.approval)).await?;
        tell(DayStep::Enforced(&enforced));
        let mut delivered = DeliverReport::default();
        let mut posted = DeliverReport::default();
        let settled = self.settle_routers(&roll, &said.approval, now, &mut delivered);
        let settled = self.beside_post(settled, outside, now, &mut posted).await;
        let (surveyed, last) = self.after(worker, settled).await?;
        tell(DayStep::Surveyed(&surveyed));
        let sent = self.post_loop(outside, last, &mut posted).await;
        self.after(worker, sent).await?;
        delivered.add_post(posted);
        tell(DayStep::Delivered(&delivered));
        Ok(DayReport { billed, reminded, enforced, surveyed, delivered })
    }
}
