//! `isp outbox`: what waits for routers and the messenger, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use isp_core::calendar::Zone;
use isp_core::engine::Settlement;
use isp_core::ids::{CustomerId, OutboxId, SubscriptionId};
use isp_core::ports::{Effect, OutboxQuery, OutboxRow, OutboxState, PageQuery, StoreError, Topic};
use isp_core::text::{Code, RouterName};

use uuid::Uuid;

use super::{args, find, message_text};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Format, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List rows of the outbox.
    #[command(after_help = "Example:\n  isp outbox list --state failed")]
    List(List),
    /// Say what became of a message whose outcome nobody knows, or send one again that failed.
    #[command(after_help = "Example:\n  isp outbox settle 0190c1f2-... --resend --by Sari")]
    Settle(Settle),
    /// Send everything again that templates stopped, once they are in order at Meta.
    #[command(
        after_help = "Examples:\n  isp outbox retry\n  isp outbox retry --template isp_tagihan_pengingat\n\nEach message is looked at once more before it leaves: what is no longer true or too old is dropped."
    )]
    Retry(Retry),
    /// Show all that is known of one row, and the text of a message that has not gone yet.
    #[command(after_help = "Example:\n  isp outbox show 0190c1f2-...")]
    Show(Show),
    /// Print the messages that wait, each with its text and a link that opens WhatsApp, to send them by hand.
    ///
    /// It shows names and telephone numbers.
    #[command(after_help = "Examples:\n  isp outbox text\n  isp outbox text --kind overdue --customer P001")]
    Text(message_text::Text),
    /// Note that messages were sent by hand; the program never sends them then.
    #[command(after_help = "Examples:\n  isp outbox done 4f1a09c2\n  isp outbox done --customer P001 --by Sari")]
    Done(message_text::Done),
}

#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// Only of this template, named as `outbox list` and Meta show it; without a language, all of its languages.
    #[arg(long)]
    template: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The row's id, as `outbox list` prints it.
    id: Uuid,
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
    /// Its state.
    #[arg(long, value_parser = ["pending", "claimed", "attempting", "done", "dropped", "failed", "unknown"])]
    state: Option<String>,
    /// Only messages to this customer.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::List(args) => list(ctx, args).await,
        Command::Settle(args) => settle(ctx, &args).await,
        Command::Retry(args) => retry(ctx, &args).await,
        Command::Show(args) => show(ctx, &args).await,
        Command::Text(args) => message_text::text(ctx, &args).await,
        Command::Done(args) => message_text::done(ctx, &args).await,
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

async fn retry(ctx: &Context, args: &Retry) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let only = args.template.as_deref().map(str::trim);
    let count = ctx.engine(store).retry_templates(only, ctx.now).await?;
    if let (0, Some(name)) = (count, only) {
        return Err(Failure::NotFound { noun: "template", code: name.to_owned() }.into());
    }
    let mut row = Rows::new(&[number("again")]);
    row.push(vec![Cell::count(count)]);
    let (key, name) = match only {
        Some(name) => ("done.retried", name.to_owned()),
        None => ("done.retried_all", String::new()),
    };
    ctx.done(key, &[("count", count.to_string()), ("template", name)], &row)?;
    Ok(Exit::Done)
}

async fn show(ctx: &Context, args: &Show) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let missing = || Failure::NotFound { noun: "outbox_row", code: args.id.to_string() };
    let row = store.outbox_row(ctx.tenant(), OutboxId(args.id)).await?.ok_or_else(missing)?;
    let names = Names::of(ctx, std::slice::from_ref(&row)).await?;
    let mut rows = Rows::new(&[
        column("topic"),
        column("what"),
        column("customer"),
        column("state"),
        number("attempts"),
        column("next_attempt"),
        column("finished"),
        column("template"),
        column("provider_id"),
        column("note"),
        column("id"),
        column("leaves"),
        column("phone"),
        column("text"),
        column("not_sent"),
    ]);
    let (topic, what, customer) = names.cells(&row);
    let foreseen = match &row.effect {
        Effect::Message(message) if !matches!(row.state, OutboxState::Done | OutboxState::Dropped) => {
            Some(message_text::foresee(ctx, message, row.next_attempt.max(ctx.now)).await?)
        }
        _ => None,
    };
    let [leaves, phone, text, not_sent] = match (&foreseen, ctx.format) {
        (Some(foreseen), Format::Csv | Format::Json) => foreseen.cells(),
        _ => [const { Cell::Empty }; 4],
    };
    rows.push(vec![
        topic,
        what,
        customer,
        Cell::Word(row.state.code()),
        Cell::count(row.attempts),
        moment(row.next_attempt),
        row.finished_at.map_or(Cell::Empty, moment),
        Cell::maybe(row.template.as_ref()),
        Cell::maybe(row.provider_id.as_ref()),
        Cell::text(&row.note),
        Cell::text(row.id.to_string()),
        leaves,
        phone,
        text,
        not_sent,
    ]);
    ctx.rows(&rows)?;
    if let (Some(foreseen), Format::Table) = (&foreseen, ctx.format) {
        foreseen.print(ctx)?;
    }
    Ok(Exit::Done)
}

pub(super) fn moment(at: DateTime<Utc>) -> Cell {
    Cell::text(format!("{} {} WIB", Zone::Wib.date_of(at), Zone::Wib.time_of(at)))
}

/// The accounts and customers that rows are about, asked for at once.
struct Names {
    accounts: BTreeMap<SubscriptionId, RouterName>,
    owners: BTreeMap<SubscriptionId, CustomerId>,
    customers: BTreeMap<CustomerId, Code>,
}

impl Names {
    async fn of(ctx: &Context, rows: &[OutboxRow]) -> anyhow::Result<Self> {
        let store = ctx.store().await?;
        let lines: Vec<SubscriptionId> = rows.iter().filter_map(line).collect();
        let accounts = match store.access_targets(ctx.tenant(), &lines).await {
            Ok(targets) => targets.into_iter().map(|t| (t.subscription_id, t.account.username)).collect(),
            // What routers need to know holds passwords. Without the key, lists have the names.
            Err(StoreError::NoKey) => {
                let known = ctx.engine(store).all_subscriptions().await?;
                known.into_iter().map(|(line, _)| (line.id, line.account.username)).collect()
            }
            Err(error) => return Err(error.into()),
        };
        let owners: BTreeMap<SubscriptionId, CustomerId> = match lines.is_empty() {
            true => BTreeMap::new(),
            false => {
                let known = ctx.engine(store).all_subscriptions().await?;
                known.into_iter().map(|(line, _)| (line.id, line.customer_id)).collect()
            }
        };
        let of_lines = lines.iter().filter_map(|line| owners.get(line).copied());
        let wanted: BTreeSet<CustomerId> = rows.iter().filter_map(customer_of).chain(of_lines).collect();
        let customers = store.customer_codes(ctx.tenant(), &wanted.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self { accounts, owners, customers: customers.into_iter().collect() })
    }

    fn cells(&self, row: &OutboxRow) -> (Cell, Cell, Cell) {
        match &row.effect {
            Effect::Access(effect) => {
                let owner = self.owners.get(&effect.subscription_id).and_then(|id| self.customers.get(id));
                let account = self.accounts.get(&effect.subscription_id);
                (Cell::Word("access"), Cell::maybe(account), Cell::maybe(owner))
            }
            Effect::Message(message) => {
                let customer = Cell::maybe(self.customers.get(&message.customer_id));
                (Cell::Word("message"), Cell::Word(message.kind.code()), customer)
            }
        }
    }
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = match &args.customer {
        Some(code) => Some(find::person(ctx, store, code.as_str()).await?.id),
        None => None,
    };
    let topic = args.topic.as_deref().map(|t| if t == "access" { Topic::Access } else { Topic::Message });
    let state = OutboxState::ALL.into_iter().find(|s| args.state.as_deref() == Some(s.code()));
    let query = OutboxQuery { topic, state, customer };
    let mut rows = Rows::new(&[
        column("topic"),
        // The first two columns stay however narrow the screen is, and other commands want the id.
        column("id"),
        column("what"),
        column("customer"),
        column("state"),
        number("attempts"),
        column("next_attempt"),
        column("note"),
    ]);
    let mut all = Vec::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let found = store.outbox(ctx.tenant(), query, page).await?;
        let more = page.advance(&found, |last| last.id);
        all.extend(found);
        if !more {
            break;
        }
    }
    // The oldest first, as each was sent or will be.
    all.sort_by_key(|row| (row.finished_at.unwrap_or(row.next_attempt), row.id));
    let names = Names::of(ctx, &all).await?;
    for row in &all {
        let (topic, what, customer) = names.cells(row);
        rows.push(vec![
            topic,
            Cell::text(row.id.to_string()),
            what,
            customer,
            Cell::Word(row.state.code()),
            Cell::count(row.attempts),
            moment(row.next_attempt),
            Cell::text(&row.note),
        ]);
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

fn customer_of(row: &OutboxRow) -> Option<CustomerId> {
    match &row.effect {
        Effect::Message(message) => Some(message.customer_id),
        Effect::Access(_) => None,
    }
}
