//! `isp status` and `isp unpaid`: the day at a glance, and who has not paid.

use std::collections::BTreeSet;

use clap::Args;
use isp_core::Money;
use isp_core::calendar::Zone;
use isp_core::engine::list::Debtor;
use isp_core::ids::CustomerId;
use isp_core::isolation::Access;
use isp_core::ports::{OutboxQuery, OutboxState, Store, Topic};
use isp_core::report::{DueDays, money_in};

use super::webhook::unread;
use super::{find, refund};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Args)]
pub(crate) struct Unpaid {
    /// Only what is past its due date.
    #[arg(long)]
    overdue: bool,
    /// Show whole phone numbers.
    #[arg(long)]
    contacts: bool,
}

/// Who owes, those longest overdue first.
pub(crate) async fn unpaid(ctx: &Context, args: &Unpaid) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let today = ctx.today();
    let (promises, _) = store.protections(ctx.tenant(), None).await?;
    let empty = Rows::new(&[
        column("customer"),
        column("name"),
        column("phone").needed(),
        number("owed").needed(),
        number("overdue"),
        column("due"),
        number("days_late").needed(),
        column("isolated"),
        column("promise").needed(),
    ]);
    let mut pages = ctx.engine(store).debtor_pages(today);
    let mut printed = ctx.pages(empty.clone());
    while let Some(mut debtors) = pages.next().await? {
        debtors.retain(|debtor| !args.overdue || debtor.arrears.overdue.is_positive());
        let people = find::people(ctx, store, debtors.iter().map(|debtor| debtor.customer_id)).await?;
        let isolated = isolated(ctx, store, &debtors).await?;
        let mut rows = empty.clone();
        for debtor in debtors {
            let id = debtor.customer_id;
            let person = people.get(&id);
            let held =
                promises.iter().filter(|p| p.customer_id == id && p.holds(today, ctx.now)).map(|p| p.until).max();
            rows.push(vec![
                Cell::maybe(person.map(|c| &c.code)),
                Cell::maybe(person.map(|c| &c.name)),
                match person.and_then(|c| c.phone.clone()) {
                    Some(phone) if args.contacts => Cell::Phone(phone),
                    masked => Cell::maybe(masked),
                },
                debtor.owed.into(),
                debtor.arrears.overdue.into(),
                debtor.due.into(),
                Cell::count(debtor.arrears.days_late.max(0)),
                Cell::Word(if isolated.contains(&id) { "yes" } else { "no" }),
                held.map_or(Cell::Empty, Cell::from),
            ]);
        }
        printed.page(rows)?;
    }
    printed.end()?;
    Ok(Exit::Done)
}

/// Which of these customers have a line that should be isolated.
async fn isolated(ctx: &Context, store: &dyn Store, debtors: &[Debtor]) -> anyhow::Result<BTreeSet<CustomerId>> {
    let ids: Vec<CustomerId> = debtors.iter().map(|debtor| debtor.customer_id).collect();
    let lines = store.subscriptions_of(ctx.tenant(), &ids).await?;
    let isolated = lines.iter().filter(|(_, access)| access.desired == Access::Isolated);
    Ok(isolated.map(|(line, _)| line.customer_id).collect())
}

/// The day at a glance: money in, who owes, who is isolated, what waits and what is in trouble.
pub(crate) async fn status(ctx: &Context) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let (engine, today) = (ctx.engine(store), ctx.today());
    let mut rows = Rows::new(&[column("what"), number("count"), number("amount"), column("note").needed()]);
    let mut add = |word: &'static str, count: usize, amount: Option<Money>, note: Cell| {
        rows.push(vec![Cell::Word(word), Cell::count(count), amount.map_or(Cell::Empty, Cell::from), note]);
    };

    let (begins, ends) = (today.midnight(Zone::Wib), today.plus_days(1).midnight(Zone::Wib));
    let paid = money_in(&store.received_between(ctx.tenant(), begins, ends).await?);
    add("paid_today", sized(paid.count), Some(paid.amount), Cell::Empty);

    let due =
        [("owing", DueDays::ALL), ("due_today", DueDays::on(today)), ("overdue_customers", DueDays::overdue(today))];
    for (word, days) in due {
        let owed = store.owed(ctx.tenant(), today, days).await?;
        add(word, sized(owed.count), Some(owed.amount), Cell::Empty);
    }

    let lines = store.lines_said(ctx.tenant()).await?;
    for (word, access) in [("open", Access::Open), ("isolated", Access::Isolated), ("closed", Access::Closed)] {
        let count = lines.iter().filter(|of| of.desired == access).map(|of| of.count).sum();
        add(word, sized(count), None, Cell::Empty);
    }
    let unconfirmed = sized(lines.iter().filter(|of| of.unconfirmed()).map(|of| of.count).sum());
    let wishes = OutboxQuery { topic: Some(Topic::Access), state: Some(OutboxState::Pending), customer: None };
    // What waits in the outbox goes out with a delivery; what a router lets through beside it only a run shuts out again.
    let waits = count(ctx, store, wishes).await? > 0;
    add(
        "unconfirmed",
        unconfirmed,
        None,
        hint(ctx, unconfirmed, if waits { "status.unconfirmed" } else { "status.unconfirmed_held" }),
    );
    let held = sized(engine.foresee_held(ctx.now).await?.iter().map(|(_, _, count, _)| *count).sum());
    if held > 0 {
        add("held_lines", held, None, hint(ctx, held, "status.held_lines"));
    }

    let (waiting, amount) = store.waiting_proofs(ctx.tenant()).await?;
    let waiting = sized(waiting);
    if waiting > 0 {
        add("waiting_proofs", waiting, Some(amount), hint(ctx, waiting, "status.waiting_proofs"));
    }

    let (waiting, amount) = store.waiting_mutations(ctx.tenant()).await?;
    let waiting = sized(waiting);
    if waiting > 0 {
        add("waiting_mutations", waiting, Some(amount), hint(ctx, waiting, "status.waiting_mutations"));
    }

    let (open, amount, about) = refund::long_open(ctx, store).await?;
    if open > 0 {
        let note = ctx.texts.with("status.unresolved_refunds", &[("about", about)]);
        add("unresolved_refunds", open, Some(amount), Cell::text(note));
    }

    for (word, topic, state) in [
        ("waiting_routers", Topic::Access, OutboxState::Pending),
        ("waiting_messages", Topic::Message, OutboxState::Pending),
        ("unknown_messages", Topic::Message, OutboxState::Unknown),
        ("failed_messages", Topic::Message, OutboxState::Failed),
    ] {
        let count = count(ctx, store, OutboxQuery { topic: Some(topic), state: Some(state), customer: None }).await?;
        // Without a sending number no delivery sends them.
        let unset = word == "waiting_messages" && ctx.config.whatsapp.phone_number_id.is_none();
        let key = if unset { "status.whatsapp_unset".to_owned() } else { format!("status.{word}") };
        add(word, count, None, hint(ctx, count, &key));
    }
    let (unread, _) = unread(ctx, ctx.shared().await?.as_ref()).await?;
    let unread = sized(unread);
    if unread > 0 {
        add("unread_webhooks", unread, None, hint(ctx, unread, "status.unread_webhooks"));
    }
    if ctx.config.provider.is_none() {
        add("sender_unset", 1, None, hint(ctx, 1, "status.sender_unset"));
    }
    let damaged = store.damaged().len();
    if damaged > 0 {
        add("damaged_rows", damaged, None, Cell::Empty);
    }
    let last = store.last_run(ctx.tenant()).await?;
    let last = last.map(|at| format!("{} {} WIB", Zone::Wib.date_of(at), Zone::Wib.time_of(at)));
    rows.push(vec![Cell::Word("last_run"), Cell::Empty, Cell::Empty, Cell::maybe(last)]);
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// What to do, where there is something to do.
fn hint(ctx: &Context, count: usize, key: &str) -> Cell {
    if count == 0 { Cell::Empty } else { Cell::maybe(ctx.texts.find(key, &[])) }
}

async fn count(ctx: &Context, store: &dyn Store, query: OutboxQuery) -> anyhow::Result<usize> {
    Ok(sized(store.outbox_count(ctx.tenant(), query).await?))
}

/// A count of the store as one of a table.
fn sized(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
