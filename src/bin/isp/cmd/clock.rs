//! The word of a person that the clock is right (rule I9).

use clap::Args;

use crate::context::Context;

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Clock {
    /// The moment is right, although the last run was later, or long ago.
    #[arg(long)]
    confirm_clock: bool,
}

impl Clock {
    /// True when a person says that the moment is right.
    pub(crate) const fn confirmed(self) -> bool {
        self.confirm_clock
    }

    /// Begins a run; refuses one whose moment does not follow the last run.
    pub(crate) async fn begin(self, ctx: &Context) -> anyhow::Result<()> {
        let store = ctx.store().await?;
        Ok(ctx.engine(store).begin(ctx.now, self.confirm_clock).await?)
    }
}
