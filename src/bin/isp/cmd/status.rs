//! `isp status` and `isp unpaid`: the day at a glance, and who has not paid.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use isp_core::Money;
use isp_core::billing::{Arrears, InvoiceBalance};
use isp_core::calendar::{Date, Zone};
use isp_core::ids::CustomerId;
use isp_core::isolation::Access;
use isp_core::ports::{OutboxQuery, OutboxState, Store, Topic};

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
    let mut open: BTreeMap<CustomerId, Vec<InvoiceBalance>> = BTreeMap::new();
    for invoice in issued(ctx, store).await? {
        open.entry(invoice.customer_id).or_default().push(invoice);
    }
    let mut debts: Vec<(CustomerId, Arrears, Money, Date)> = open
        .into_iter()
        .filter_map(|(customer, invoices)| {
            let owed = invoices.iter().map(|i| i.residual()).sum();
            let due = invoices.iter().map(|i| i.due_date).min()?;
            Some((customer, Arrears::of(&invoices, today), owed, due))
        })
        .filter(|(_, arrears, ..)| !args.overdue || arrears.overdue.is_positive())
        .collect();
    debts.sort_by_key(|(customer, _, _, due)| (*due, *customer));
    let people = find::people(ctx, store, debts.iter().map(|debt| debt.0)).await?;
    let isolated = isolated(ctx, store).await?;
    let (promises, _) = store.protections(ctx.tenant(), None).await?;
    let mut rows = Rows::new(&[
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
    for (id, arrears, owed, due) in debts {
        let person = people.get(&id);
        let held = promises.iter().filter(|p| p.customer_id == id && p.holds(today, ctx.now)).map(|p| p.until).max();
        rows.push(vec![
            Cell::maybe(person.map(|c| &c.code)),
            Cell::maybe(person.map(|c| &c.name)),
            match person.and_then(|c| c.phone.clone()) {
                Some(phone) if args.contacts => Cell::Phone(phone),
                masked => Cell::maybe(masked),
            },
            owed.into(),
            arrears.overdue.into(),
            due.into(),
            Cell::count(arrears.days_late.max(0)),
            Cell::Word(if isolated.contains(&id) { "yes" } else { "no" }),
            held.map_or(Cell::Empty, Cell::from),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// The open invoices that were issued by the day of the command: on a day of the past, later ones do not count.
async fn issued(ctx: &Context, store: &dyn Store) -> anyhow::Result<Vec<InvoiceBalance>> {
    let mut open = ctx.engine(store).all_open().await?;
    open.retain(|invoice| invoice.issue_date <= ctx.today());
    Ok(open)
}

/// Customers with a line that should be isolated.
async fn isolated(ctx: &Context, store: &dyn Store) -> anyhow::Result<BTreeSet<CustomerId>> {
    let lines = ctx.engine(store).all_subscriptions().await?;
    Ok(lines
        .iter()
        .filter(|(_, access)| access.desired == Access::Isolated)
        .map(|(line, _)| line.customer_id)
        .collect())
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
    let mut payments = store.payments_between(ctx.tenant(), begins, ends).await?;
    // Credit notes, write-offs and slips of tax stand among the payments, and bring no money in.
    payments.retain(|row| row.reversal.is_none() && row.payment.channel.is_money());
    let (paid, received) = (payments.len(), payments.iter().map(|row| row.payment.amount).sum());
    add("paid_today", paid, Some(received), Cell::Empty);

    let open = issued(ctx, store).await?;
    let sum = |wanted: &dyn Fn(&&InvoiceBalance) -> bool| {
        let found: Vec<&InvoiceBalance> = open.iter().filter(wanted).collect();
        let customers: BTreeSet<CustomerId> = found.iter().map(|i| i.customer_id).collect();
        (customers.len(), found.iter().map(|i| i.residual()).sum::<Money>())
    };
    for (word, (customers, amount)) in [
        ("owing", sum(&|_| true)),
        ("due_today", sum(&|i| i.due_date == today)),
        ("overdue_customers", sum(&|i| i.due_date < today)),
    ] {
        add(word, customers, Some(amount), Cell::Empty);
    }

    let lines = engine.all_subscriptions().await?;
    for (word, access) in [("open", Access::Open), ("isolated", Access::Isolated), ("closed", Access::Closed)] {
        add(word, lines.iter().filter(|(_, a)| a.desired == access).count(), None, Cell::Empty);
    }
    let unconfirmed = lines.iter().filter(|(line, access)| line.router_id.is_some() && !access.agrees()).count();
    let wishes = OutboxQuery { topic: Some(Topic::Access), state: Some(OutboxState::Pending), customer: None };
    // What waits in the outbox goes out with a delivery; what a router lets through beside it only a run shuts out again.
    let waits = count(ctx, store, wishes).await? > 0;
    add(
        "unconfirmed",
        unconfirmed,
        None,
        hint(ctx, unconfirmed, if waits { "status.unconfirmed" } else { "status.unconfirmed_held" }),
    );
    let held: u64 = engine.foresee_access(ctx.now).await?.held.iter().map(|(_, _, count, _)| *count).sum();
    let held = usize::try_from(held).unwrap_or(usize::MAX);
    if held > 0 {
        add("held_lines", held, None, hint(ctx, held, "status.held_lines"));
    }

    let (waiting, amount) = store.waiting_proofs(ctx.tenant()).await?;
    let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
    if waiting > 0 {
        add("waiting_proofs", waiting, Some(amount), hint(ctx, waiting, "status.waiting_proofs"));
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
    let unread = usize::try_from(unread).unwrap_or(usize::MAX);
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
    Ok(usize::try_from(store.outbox_count(ctx.tenant(), query).await?).unwrap_or(usize::MAX))
}
