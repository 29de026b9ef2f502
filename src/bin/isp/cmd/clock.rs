//! The word of a person that the clock is right (rule I9).

use clap::Args;
use isp_core::clock::ClockWord;
use isp_core::engine::EngineError;

use crate::context::Context;

/// A bill with its look before.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Bill {
    #[command(flatten)]
    pub(crate) dry: DryRun,
    #[command(flatten)]
    pub(crate) clock: Clock,
}

/// Reminders with their look before.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Remind {
    /// Show what would be queued now, with the text of each message, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) clock: Clock,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct DryRun {
    /// Show what it would do now, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Clock {
    /// The moment is right, although the last run was later, or long ago.
    #[arg(long)]
    confirm_clock: bool,
}

impl Clock {
    /// What a person said of the moment.
    pub(crate) fn word(self, ctx: &Context) -> ClockWord {
        if self.confirm_clock {
            ClockWord::Right
        } else {
            ctx.named.map_or(ClockWord::Nothing, |clock| ClockWord::Named { clock })
        }
    }

    /// Refuses a moment that does not follow the last run, for a command that bills or says from when is billed and is no run.
    pub(crate) async fn check(self, ctx: &Context) -> anyhow::Result<()> {
        let store = ctx.store().await?;
        ctx.engine(store).follows(ctx.now, self.word(ctx)).await?;
        Ok(())
    }

    /// Says of a dry run that the real one would be refused for its moment.
    pub(crate) async fn warn(self, ctx: &Context) -> anyhow::Result<()> {
        let store = ctx.store().await?;
        match ctx.engine(store).follows(ctx.now, self.word(ctx)).await {
            Err(error @ EngineError::Clock(_)) => {
                let error = anyhow::Error::from(error);
                ctx.warn("warn.would_be_refused", &[("reason", ctx.texts.failure(&error))]);
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// Begins a run; refuses one whose moment does not follow the last run.
    pub(crate) async fn begin(self, ctx: &Context) -> anyhow::Result<()> {
        let store = ctx.store().await?;
        Ok(ctx.engine(store).begin(ctx.now, self.word(ctx)).await?)
    }
}
