//! `isp config`: which settings hold, and where each comes from.

use clap::Subcommand;

use crate::config::{Overrides, Setting, settings};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every setting with its value and where it comes from; tokens and passwords are masked.
    #[command(after_help = "Examples:\n  isp config show\n  isp config show --format json")]
    Show,
}

pub(crate) fn run(ctx: &Context, command: Command, flags: &Overrides) -> anyhow::Result<Exit> {
    let Command::Show = command;
    let mut rows = Rows::new(&[column("setting"), column("value"), column("source").needed()]);
    for Setting { key, value, source } in settings(&ctx.config, flags, std::env::vars())? {
        rows.push(vec![Cell::text(key), Cell::text(value), Cell::text(ctx.texts.t(&format!("source.{source}")))]);
    }
    ctx.rows(&rows)?;
    if ctx.config.asks_unnamed() {
        ctx.warn("warn.sender_unset_config", &[]);
    }
    Ok(Exit::Done)
}
