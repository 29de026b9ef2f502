//! All of a day, in order.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::engine::{
    Approval, BillReport, DeliverReport, EnforceReport, Engine, EngineError, RemindReport, SurveyReport,
};
use crate::ports::{AccessControl, Messenger, Worker};

/// What a person said before a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Which breakers may be passed (rule I6).
    pub approval: Approval,
    /// That the clock is right, although the last run was later, or long ago (rule I9).
    pub clock_is_right: bool,
}

/// What a run of a day did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

impl Engine<'_> {
    /// Bills, lets credit pay, reminds, isolates and reopens, reads every router, then delivers. It is the tenant's only run while it lasts, and may be repeated
    /// at any time: what is done is not done again.
    ///
    /// # Errors
    /// [`crate::ports::StoreError::Busy`] while another run lasts; as [`Engine::begin`], [`Engine::bill`], [`Engine::remind`],
    /// [`Engine::enforce`] and [`Engine::deliver`]. What was committed by then stays, and the next run goes on from there.
    pub async fn run_day(
        &self,
        worker: &Worker<'_>,
        routers: &dyn AccessControl,
        messenger: &dyn Messenger,
        said: &Said,
        now: DateTime<Utc>,
    ) -> Result<DayReport, EngineError> {
        let _only_run = self.store.begin_run(self.tenant).await?;
        self.begin(now, said.clock_is_right).await?;
        let billed = self.bill(now).await?;
        let reminded = self.remind(now).await?;
        let enforced = self.enforce(now, &said.approval).await?;
        let mut delivered = DeliverReport::default();
        let surveyed = self.settle_routers(worker, routers, &said.approval, now, &mut delivered).await?;
        self.deliver_messages(worker, messenger, now, &mut delivered).await?;
        Ok(DayReport { billed, reminded, enforced, surveyed, delivered })
    }
}
