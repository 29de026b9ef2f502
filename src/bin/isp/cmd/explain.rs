//! `isp explain`: why a line is open or isolated, now or at a past moment (rule I7).

use clap::Args;
use isp_core::text::Code;

use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Rows, column};

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
}

pub(crate) async fn run(ctx: &Context, args: Explain) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let found = ctx.engine(store).explain(customer.id, ctx.now, ctx.texts.language()).await?;
    if found.is_empty() {
        return Err(Failure::NotFound { noun: "subscription", code: args.customer.to_string() }.into());
    }
    if ctx.format == Format::Table {
        for (_, explanation) in &found {
            let evidence: String = explanation.evidence.iter().map(|line| format!("  - {line}\n")).collect();
            output::print(&format!("{}\n{evidence}", explanation.sentence))?;
        }
        return Ok(Exit::Done);
    }
    let mut rows =
        Rows::new(&[column("customer"), column("access"), column("reason"), column("sentence"), column("evidence")]);
    for (_, explanation) in &found {
        rows.push(vec![
            Cell::text(&customer.code),
            Cell::Word(explanation.access.code()),
            Cell::text(explanation.reason),
            Cell::text(&explanation.sentence),
            Cell::text(explanation.evidence.join("; ")),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
