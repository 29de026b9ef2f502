//! `isp outbox`: what waits for routers and the messenger, and what became of it.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::calendar::Zone;
use isp_core::engine::Settlement;
use isp_core::ids::{OutboxId, SubscriptionId};
use isp_core::ports::{Effect, OutboxQuery, OutboxRow, OutboxState, PageQuery, Topic};
use isp_core::text::Code;

use uuid::Uuid;

use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List rows of the outbox.
    #[command(after_help = "Example:\n  isp outbox list --state failed")]
    List(List),
    /// Say what became of a message whose outcome nobody knows, or send one again that failed.
    #[command(after_help = "Example:\n  isp outbox settle 0190c1f2-... --resend --by Sari")]
    Settle(Settle),
}

#[derive(Debug, Args)]
pub(crate) struct Settle {
    /// The row's id, as `outbox list` prints it.
    id: Uuid,
    /// It arrived.
    #[arg(long, conflicts_with_all = ["resend", "drop"], required_unless_present_any = ["resend", "drop"])]
    sent: bool,
    /// It did not arrive: send it again, if it is still true.
    #[arg(long, conflicts_with = "drop")]
    resend: bool,
    /// It did not arrive and need not.
    #[arg(long)]
    drop: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// access (routers) or message.
    #[arg(long, value_parser = ["access", "message"])]
    topic: Option<String>,
    /// Where it stands.
    #[arg(long, value_parser = ["pending", "claimed", "attempting", "done", "dropped", "failed", "unknown"])]
    state: Option<String>,
    /// Only messages to this customer.
    #[arg(long, value_parser = args::code)]
    customer: Option<Code>,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::List(args) => list(ctx, args).await,
        Command::Settle(args) => settle(ctx, &args).await,
    }
}

async fn settle(ctx: &Context, args: &Settle) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let settlement = match (args.sent, args.resend) {
        (true, _) => Settlement::Sent,
        (_, true) => Settlement::Resend,
        _ => Settlement::Drop,
    };
    ctx.engine(store).settle_message(OutboxId(args.id), settlement, ctx.officer.as_str(), ctx.now).await?;
    ctx.say("done.settled", &[("id", args.id.to_string())])?;
    Ok(Exit::Done)
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = match &args.customer {
        Some(code) => Some(find::customer(ctx, store, code).await?.id),
        None => None,
    };
    let topic = args.topic.as_deref().map(|t| if t == "access" { Topic::Access } else { Topic::Message });
    let state = OutboxState::ALL.into_iter().find(|s| args.state.as_deref() == Some(s.code()));
    let query = OutboxQuery { topic, state, customer };
    let mut rows = Rows::new(&[
        column("topic"),
        column("what"),
        column("customer"),
        column("state"),
        number("attempts"),
        column("next_attempt"),
        column("note"),
        column("id"),
    ]);
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let found = store.outbox(ctx.tenant(), query, page).await?;
        let lines: Vec<SubscriptionId> = found.iter().filter_map(line).collect();
        let targets = store.access_targets(ctx.tenant(), &lines).await?;
        let accounts: BTreeMap<SubscriptionId, Code> =
            targets.into_iter().map(|t| (t.subscription_id, t.account.username)).collect();
        for row in &found {
            let (topic, what, customer) = match &row.effect {
                Effect::Access(effect) => ("access", Cell::maybe(accounts.get(&effect.subscription_id)), None),
                Effect::Message(message) => {
                    let customer = store.customer(ctx.tenant(), message.customer_id).await?;
                    ("message", Cell::Word(message.kind.code()), customer.map(|c| c.code.to_string()))
                }
            };
            let at = row.next_attempt;
            rows.push(vec![
                Cell::Word(topic),
                what,
                Cell::maybe(customer),
                Cell::Word(row.state.code()),
                Cell::count(row.attempts),
                Cell::text(format!("{} {} WIB", Zone::Wib.date_of(at), Zone::Wib.time_of(at))),
                Cell::text(&row.note),
                Cell::text(row.id.to_string()),
            ]);
        }
        if !page.advance(&found, |last| last.id) {
            break;
        }
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

fn line(row: &OutboxRow) -> Option<SubscriptionId> {
    match &row.effect {
        Effect::Access(effect) => Some(effect.subscription_id),
        Effect::Message(_) => None,
    }
}
