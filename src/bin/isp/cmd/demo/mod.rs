//! `isp demo`: four months of a provider's life on this machine, ending with a proof.

use std::path::PathBuf;

use clap::Args;

/// How to run the demo.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leave the database, its key and its settings in this folder, to look at with the other commands.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// Runs the demo.
pub(crate) async fn run(_ctx: &crate::context::Context, args: Demo) -> anyhow::Result<crate::failure::Exit> {
    anyhow::bail!("the demo is not part of this build (--keep {:?})", args.keep)
}
