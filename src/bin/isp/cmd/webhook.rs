//! `isp webhook`: what came in from outside, and could not be read.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use isp_core::Zone;
use isp_core::ids::WebhookId;
use isp_core::ports::{InboxStore as _, PageQuery, WebhookState};
use isp_store::SqlStore;
use uuid::Uuid;

use super::record::moment;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List webhooks that could not be read, or wait.
    #[command(
        after_help = "Examples:\n  isp webhook list\n  isp webhook list --all\n\nWhat is in them is not shown: it is about customers."
    )]
    List(List),
    /// Read webhooks again that could not be read.
    #[command(
        after_help = "Examples:\n  isp webhook retry\n  isp webhook retry 0190c1f2-...\n\n`isp serve` reads them within seconds."
    )]
    Retry(Retry),
    /// Note that a person has seen to a webhook: it is listed no more.
    #[command(
        after_help = "Examples:\n  isp webhook done 0190c1f2-...\n\nSuch as one that tells of money a gateway gave back, once the payment is corrected."
    )]
    Done(Done),
}

#[derive(Debug, Args)]
pub(crate) struct Done {
    /// Which, by the id that `webhook list` prints.
    id: Uuid,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Also those that were read.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// Only this one, by the id that `webhook list` prints.
    id: Option<Uuid>,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::List(args) => list(ctx, &args).await,
        Command::Retry(args) => retry(ctx, &args).await,
        Command::Done(args) => done(ctx, &args).await,
    }
}

async fn list(ctx: &Context, args: &List) -> anyhow::Result<Exit> {
    let store = ctx.sql().await?;
    let mut rows = Rows::new(&[
        column("id"),
        column("sender"),
        column("received_at"),
        column("state"),
        number("tries"),
        column("note"),
    ]);
    let states = if args.all { &WebhookState::ALL[..] } else { &[WebhookState::Waiting, WebhookState::Unread] };
    for state in states {
        let mut page = PageQuery::first(ctx.config.worker.page);
        loop {
            let found = store.webhooks(ctx.tenant(), Some(*state), page).await?;
            for row in &found {
                rows.push(vec![
                    Cell::text(row.webhook.id),
                    Cell::text(&row.webhook.source),
                    Cell::text(moment(row.webhook.received_at, Zone::Wib)),
                    Cell::Word(row.state.code()),
                    Cell::count(row.tries),
                    Cell::text(ctx.texts.note(&row.note)),
                ]);
            }
            if !page.advance(&found, |last| last.webhook.id) {
                break;
            }
        }
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// How many webhooks could not be read or acted upon, and who sent them.
pub(super) async fn unread(ctx: &Context, store: &SqlStore) -> anyhow::Result<(u64, BTreeSet<String>)> {
    let (mut count, mut senders, mut page) = (0, BTreeSet::new(), PageQuery::first(ctx.config.worker.page));
    loop {
        let rows = store.webhooks(ctx.tenant(), Some(WebhookState::Unread), page).await?;
        count += rows.len() as u64;
        senders.extend(rows.iter().map(|row| row.webhook.source.clone()));
        if !page.advance(&rows, |last| last.webhook.id) {
            return Ok((count, senders));
        }
    }
}

async fn retry(ctx: &Context, args: &Retry) -> anyhow::Result<Exit> {
    let store = ctx.sql().await?;
    let count = store.retry_webhooks(ctx.tenant(), args.id.map(WebhookId), ctx.now).await?;
    if let (0, Some(id)) = (count, args.id) {
        return Err(Failure::NotFound { noun: "webhook", code: id.to_string() }.into());
    }
    let mut row = Rows::new(&[number("again")]);
    row.push(vec![Cell::count(count)]);
    ctx.done("done.webhooks_again", &[("count", count.to_string())], &row)?;
    Ok(Exit::Done)
}

async fn done(ctx: &Context, args: &Done) -> anyhow::Result<Exit> {
    if !ctx.sql().await?.finish_webhook(ctx.tenant(), WebhookId(args.id)).await? {
        return Err(Failure::NotFound { noun: "webhook", code: args.id.to_string() }.into());
    }
    ctx.say("done.webhook_done", &[])?;
    Ok(Exit::Done)
}
