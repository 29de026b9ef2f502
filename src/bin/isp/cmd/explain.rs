//! `isp explain`: why a line is open or isolated, now or at a past moment (rule I7).

use clap::Args;
use isp_core::ids::SubscriptionId;
use isp_core::ports::AccessStore as _;

use super::find;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Rows, column};

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Customer ID, phone number, PPPoE user name, number of an invoice, or a part of the name.
    whom: String,
}

pub(crate) async fn run(ctx: &Context, args: Explain) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::person(ctx, store, &args.whom).await?;
    let found = ctx.engine(store).explain(customer.id, ctx.now, ctx.texts.language()).await?;
    if found.is_empty() {
        return Err(Failure::NotFound { noun: "subscription", code: customer.code.to_string() }.into());
    }
    if ctx.format == Format::Table {
        for (subscription, explanation) in &found {
            let evidence: String = explanation.evidence.iter().map(|line| format!("  - {line}\n")).collect();
            output::print(&format!("{}\n{evidence}", explanation.sentence))?;
            if let Some(numbers) = entries(ctx, *subscription).await? {
                output::print(&format!("  - {}\n", ctx.texts.with("done.audit_cited", &[("numbers", numbers)])))?;
            }
        }
        return Ok(Exit::Done);
    }
    let mut rows = Rows::new(&[
        column("customer"),
        column("access"),
        column("reason"),
        column("sentence"),
        column("evidence"),
        column("audit"),
    ]);
    for (subscription, explanation) in &found {
        rows.push(vec![
            Cell::text(&customer.code),
            Cell::Word(explanation.access.code()),
            Cell::text(explanation.reason),
            Cell::text(&explanation.sentence),
            Cell::text(explanation.evidence.join("; ")),
            Cell::maybe(entries(ctx, *subscription).await?),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// The numbers of the entries in the log of changes about what last happened to a line's access.
async fn entries(ctx: &Context, subscription: SubscriptionId) -> anyhow::Result<Option<String>> {
    let store = ctx.sql().await?;
    let events = store.access_events(ctx.tenant(), subscription).await?;
    let Some(last) = events.iter().filter(|event| event.at <= ctx.now).max_by_key(|event| event.revision) else {
        return Ok(None);
    };
    let numbers: Vec<String> = store.audit_of(ctx.tenant(), last.id.0).await?.iter().map(ToString::to_string).collect();
    Ok((!numbers.is_empty()).then(|| numbers.join(", ")))
}
