//! `isp audit`: who changed what, and whether the log is whole.

use clap::{Args, Subcommand};
use isp_core::audit::Break;
use isp_core::calendar::Zone;
use serde_json::Value;

use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Format, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Who changed what, when and by which command.
    #[command(after_help = "Example:\n  isp audit show --last 50 --format json")]
    Show(Show),
    /// Read the log from its beginning, and name entries that were changed, removed or added.
    #[command(after_help = "Example:\n  isp audit verify")]
    Verify,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// From this entry on.
    #[arg(long, conflicts_with = "last")]
    from: Option<u64>,
    /// At most so many entries, the newest unless --from says otherwise.
    #[arg(long, default_value_t = 20)]
    last: u64,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Show(args) => show(ctx, &args).await,
        Command::Verify => verify(ctx).await,
    }
}

async fn show(ctx: &Context, args: &Show) -> anyhow::Result<Exit> {
    let store = ctx.sql().await?;
    let newest = store.audit_head(ctx.tenant()).await?.sequence;
    let after = args.from.map_or(newest.saturating_sub(args.last), |from| from.saturating_sub(1));
    let mut rows = Rows::new(&[
        number("number"),
        column("at"),
        column("by").needed(),
        column("command"),
        column("changes").needed(),
    ]);
    for link in store.audit(ctx.tenant(), after, args.last).await? {
        let entry = link.entry;
        rows.push(vec![
            Cell::count(entry.sequence),
            Cell::text(format!("{} {} WIB", Zone::Wib.date_of(entry.at), Zone::Wib.time_of(entry.at))),
            Cell::text(entry.by),
            Cell::text(entry.command),
            Cell::text(if ctx.format == Format::Table { short(&entry.changes) } else { entry.changes }),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// The kinds of rows and how many of each, for a line of a table.
fn short(changes: &str) -> String {
    let Ok(changes) = serde_json::from_str::<Vec<Value>>(changes) else { return changes.to_owned() };
    let each = changes.iter().map(|change| format!("{} {}", change["what"].as_str().unwrap_or("?"), change["count"]));
    each.collect::<Vec<_>>().join(", ")
}

async fn verify(ctx: &Context) -> anyhow::Result<Exit> {
    let store = ctx.sql().await?;
    let (entries, breaks) = store.verify_audit(ctx.tenant()).await?;
    let mut row = Rows::new(&[number("entries"), number("breaks")]);
    row.push(vec![Cell::count(entries), Cell::count(breaks.len())]);
    for found in &breaks {
        match found {
            Break::Missing { from, to } => {
                ctx.warn("warn.audit_missing", &[("from", from.to_string()), ("to", to.to_string())]);
            }
            Break::Changed { sequence } => ctx.warn("warn.audit_changed", &[("number", sequence.to_string())]),
            Break::Added { sequence } => ctx.warn("warn.audit_added", &[("number", sequence.to_string())]),
        }
    }
    let key = if breaks.is_empty() { "done.audit_whole" } else { "done.audit_broken" };
    let hash = isp_core::text::hex(&store.audit_head(ctx.tenant()).await?.hash);
    let told = [("entries", entries.to_string()), ("breaks", breaks.len().to_string()), ("hash", hash)];
    ctx.done(key, &told, &row)?;
    Ok(if breaks.is_empty() { Exit::Done } else { Exit::Partial })
}
