//! `isp collector` and `isp write-off`: cash in collectors' hands, and receivables given up.

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, Zone, plausible_day};
use isp_core::ids::{DepositId, InvoiceId};
use isp_core::payment::{Channel, Deposit};
use isp_core::ports::{DepositRow, PageQuery, Store};
use isp_core::text::Code;

use super::record::{self, Which, Why};
use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum CollectorCommand {
    /// What each collector took, handed over and holds.
    List,
    /// Book what a collector hands over (setoran).
    #[command(after_help = "Example:\n  isp collector deposit ANTON 'Rp 1.500.000' --to bank")]
    Deposit(AddDeposit),
    /// List deposits; those that were booked back say so.
    Deposits,
    /// Show one deposit.
    ShowDeposit(Which),
    /// Correct a deposit: it is booked back and booked anew on its day, and both stay visible.
    #[command(after_help = "Example:\n  isp collector edit-deposit 4f1a09c2 --amount 1250000 --reason 'salah ketik'")]
    EditDeposit(EditDeposit),
    /// Book a deposit back that was recorded by mistake: the collector holds the money again.
    #[command(after_help = "Example:\n  isp collector remove-deposit 4f1a09c2 --reason 'tercatat dua kali'")]
    RemoveDeposit(RemoveDeposit),
}

#[derive(Debug, Args)]
pub(crate) struct AddDeposit {
    /// The collector, as written with the payments.
    #[arg(value_parser = args::code)]
    collector: Code,
    /// How much.
    #[arg(value_parser = args::money)]
    amount: Money,
    /// Where it goes: cash (of the office) or bank.
    #[arg(long, value_parser = args::channel, default_value = "cash")]
    to: Channel,
    /// When; today when not given.
    #[arg(long)]
    date: Option<Date>,
    /// In words.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct EditDeposit {
    #[command(flatten)]
    which: Which,
    /// Another collector.
    #[arg(long, value_parser = args::code)]
    collector: Option<Code>,
    /// Another amount.
    #[arg(long, value_parser = args::money)]
    amount: Option<Money>,
    /// It went elsewhere: cash (of the office) or bank.
    #[arg(long, value_parser = args::channel)]
    to: Option<Channel>,
    /// Another day.
    #[arg(long)]
    date: Option<Date>,
    /// Other words.
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveDeposit {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WriteOffCommand {
    /// Give up the rest of an invoice (penghapusan piutang): it is owed no more and booked as bad debt.
    #[command(after_help = "Example:\n  isp write-off add INV-202601-000042 --reason 'pindah tanpa kabar' --by Sari")]
    Add(ByInvoice),
    /// Take the last write-off of an invoice back: it is open again.
    #[command(after_help = "Example:\n  isp write-off reverse INV-202601-000042 --reason 'datang membayar'")]
    Reverse(ByInvoice),
    /// List write-offs.
    List,
    /// Show the write-offs of an invoice, those that were taken back among them.
    #[command(after_help = "Example:\n  isp write-off show INV-202601-000042")]
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Number of the invoice.
    invoice: String,
}

#[derive(Debug, Args)]
pub(crate) struct ByInvoice {
    /// Number of the invoice.
    invoice: String,
    /// Why.
    #[arg(long)]
    reason: String,
}

pub(crate) async fn collector(ctx: &Context, command: CollectorCommand) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        CollectorCommand::List => {
            let mut rows = Rows::new(&[column("collector"), number("collected"), number("deposited"), number("holds")]);
            for row in store.collectors(ctx.tenant()).await? {
                let name = Cell::text(&row.collector);
                rows.push(vec![name, row.collected.into(), row.deposited.into(), row.holds().into()]);
            }
            ctx.rows(&rows)?;
        }
        CollectorCommand::Deposit(AddDeposit { collector, amount, to, date, note, sure }) => {
            let on = date.unwrap_or_else(|| ctx.today());
            sure.of(plausible_day("date", on, ctx.today()))?;
            let (id, by) = (DepositId(ctx.id()), ctx.officer.to_string());
            let deposit = Deposit { id, collector: collector.clone(), amount, to, on, by, note };
            ctx.engine(store).deposit(deposit).await?;
            let variables = [("collector", collector.to_string()), ("amount", amount.to_string())];
            ctx.say("done.deposit", &variables)?;
        }
        CollectorCommand::Deposits => ctx.rows(&deposits(&store.deposits(ctx.tenant()).await?))?,
        CollectorCommand::ShowDeposit(which) => {
            let row = which.of("deposit", store.deposits(ctx.tenant()).await?, |row| row.deposit.id.0)?;
            ctx.rows(&deposits(&[row]))?;
        }
        CollectorCommand::EditDeposit(EditDeposit { which, collector, amount, to, date, note, why, sure }) => {
            let DepositRow { deposit, ending } =
                which.of("deposit", store.deposits(ctx.tenant()).await?, |row| row.deposit.id.0)?;
            let instead = Deposit {
                id: DepositId(ctx.id()),
                collector: collector.unwrap_or_else(|| deposit.collector.clone()),
                amount: amount.unwrap_or(deposit.amount),
                to: to.unwrap_or(deposit.to),
                on: date.unwrap_or(deposit.on),
                by: ctx.officer.to_string(),
                note: note.unwrap_or_else(|| deposit.note.clone()),
            };
            let same = Deposit { id: instead.id, by: instead.by.clone(), ..deposit.clone() };
            record::must_differ(ending.is_none() && instead == same, &which)?;
            sure.of(plausible_day("date", instead.on, ctx.today()))?;
            let variables = [
                ("before", deposit.amount.to_string()),
                ("amount", instead.amount.to_string()),
                ("collector", instead.collector.to_string()),
                ("date", instead.on.to_string()),
            ];
            let ending = why.taken_back(ctx)?;
            ctx.engine(store).correct_deposit(deposit.id, Some(instead), ending, sure.told()).await?;
            ctx.say("done.deposit_edited", &variables)?;
        }
        CollectorCommand::RemoveDeposit(RemoveDeposit { which, why, sure }) => {
            let DepositRow { deposit, .. } =
                which.of("deposit", store.deposits(ctx.tenant()).await?, |row| row.deposit.id.0)?;
            ctx.engine(store).correct_deposit(deposit.id, None, why.taken_back(ctx)?, sure.told()).await?;
            let variables = [
                ("amount", deposit.amount.to_string()),
                ("collector", deposit.collector.to_string()),
                ("date", deposit.on.to_string()),
            ];
            ctx.say("done.deposit_removed", &variables)?;
        }
    }
    Ok(Exit::Done)
}

fn deposits(all: &[DepositRow]) -> Rows {
    let mut rows = Rows::new(&[
        column("date"),
        column("collector"),
        number("amount"),
        column("account"),
        column("officer"),
        column("note"),
        column("state"),
        column("ended"),
        column("id"),
    ]);
    for DepositRow { deposit, ending } in all {
        let [state, ended] = record::ended(ending.as_ref(), Zone::Wib);
        rows.push(vec![
            deposit.on.into(),
            Cell::text(&deposit.collector),
            deposit.amount.into(),
            Cell::Word(deposit.to.code()),
            Cell::text(&deposit.by),
            Cell::text(&deposit.note),
            state,
            ended,
            record::shown(deposit.id.0),
        ]);
    }
    rows
}

pub(crate) async fn write_off(ctx: &Context, command: WriteOffCommand) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let engine = ctx.engine(store);
    match command {
        WriteOffCommand::Add(ByInvoice { invoice, reason }) => {
            let found = find::invoice(ctx, store, &invoice).await?.0;
            let by = ctx.officer.as_str();
            let done = engine.write_off(found.customer_id, found.id, by, &reason, ctx.now).await?;
            ctx.say("done.written_off", &[("invoice", invoice), ("amount", done.amount.to_string())])?;
        }
        WriteOffCommand::Reverse(ByInvoice { invoice, reason }) => {
            let found = find::invoice(ctx, store, &invoice).await?.0;
            let last = engine.last_write_off(found.customer_id, found.id).await?;
            let missing = || crate::failure::Failure::NotFound { noun: "write_off", code: invoice.clone() };
            let last = last.ok_or_else(missing)?;
            engine.reverse(last.payment_id, ctx.officer.as_str(), &reason, ctx.now).await?;
            let of = store.customer(ctx.tenant(), found.customer_id).await?;
            let code = of.as_ref().map_or_else(String::new, find::named);
            let variables = [("code", code), ("reference", invoice), ("amount", last.amount.to_string())];
            ctx.say("done.reversed", &variables)?;
        }
        WriteOffCommand::List => ctx.rows(&write_offs(ctx, store, None).await?)?,
        WriteOffCommand::Show(Show { invoice }) => {
            let found = find::invoice(ctx, store, &invoice).await?.0;
            ctx.rows(&write_offs(ctx, store, Some(found.id)).await?)?;
        }
    }
    Ok(Exit::Done)
}

/// Write-offs, of one invoice or of all, with why they were taken back.
async fn write_offs(ctx: &Context, store: &dyn Store, only: Option<InvoiceId>) -> anyhow::Result<Rows> {
    let mut numbers = std::collections::BTreeMap::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    let mut all = store.write_offs(ctx.tenant(), None).await?;
    all.retain(|w| only.is_none_or(|invoice| invoice == w.invoice_id));
    let ids: Vec<_> = all.iter().map(|w| w.invoice_id).collect();
    for balance in store.balances(ctx.tenant(), &ids).await? {
        let number = isp_core::billing::invoice::display_number(balance.number, balance.issue_date);
        numbers.insert(balance.invoice_id, number);
    }
    let mut reversed = std::collections::BTreeMap::new();
    loop {
        let payments = store.payments(ctx.tenant(), None, page).await?;
        let more = page.advance(&payments, |last| last.payment.id);
        let back = |p: isp_core::ports::PaymentRow| p.reversal.map(|r| (p.payment.id, r.reason));
        reversed.extend(payments.into_iter().filter_map(back));
        if !more {
            break;
        }
    }
    let mut rows = Rows::new(&[
        column("date"),
        column("customer"),
        column("invoice"),
        number("amount"),
        column("reason"),
        column("officer"),
        column("reversed"),
    ]);
    for w in all {
        let customer = store.customer(ctx.tenant(), w.customer_id).await?;
        rows.push(vec![
            Zone::Wib.date_of(w.at).into(),
            Cell::maybe(customer.map(|c| c.code.to_string())),
            Cell::maybe(numbers.get(&w.invoice_id)),
            w.amount.into(),
            Cell::text(&w.reason),
            Cell::text(&w.by),
            Cell::maybe(reversed.get(&w.payment_id)),
        ]);
    }
    Ok(rows)
}
