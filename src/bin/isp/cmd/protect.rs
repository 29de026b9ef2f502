//! `isp promise`, `isp exemption`, `isp outage`, `isp expense`: what officers record.

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, TimeOfDay};
use isp_core::customer::Code;
use isp_core::ids::{ExemptionId, ExpenseId, OutageId, PromiseId};
use isp_core::isolation::{Exemption, Outage, Promise};
use isp_core::ledger::{Account, Expense};

use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum PromiseCommand {
    /// Record a promise to pay (janji bayar): no isolation until its last day.
    #[command(after_help = "Example:\n  isp promise add P001 --until 2026-02-20")]
    Add(AddPromise),
}

#[derive(Debug, Args)]
pub(crate) struct AddPromise {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// The last day on which it protects.
    #[arg(long)]
    until: Date,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExemptionCommand {
    /// Exempt a customer from isolation, with a reason and an end.
    #[command(after_help = "Example:\n  isp exemption add P001 --until 2026-12-31 --reason 'kantor desa'")]
    Add(AddExemption),
}

#[derive(Debug, Args)]
pub(crate) struct AddExemption {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// First day; today when not given.
    #[arg(long)]
    from: Option<Date>,
    /// Last day.
    #[arg(long)]
    until: Date,
    /// Why.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutageCommand {
    /// Record an outage of a site: nobody there is isolated while it lasts.
    #[command(
        after_help = "Example:\n  isp outage add BDG --from 2026-02-16 --until 2026-02-17 --note 'kabel FO putus'"
    )]
    Add(AddOutage),
}

#[derive(Debug, Args)]
pub(crate) struct AddOutage {
    /// Site code.
    #[arg(value_parser = args::code)]
    site: Code,
    /// First day, in the site's zone; the moment of the command when not given.
    #[arg(long)]
    from: Option<Date>,
    /// Time of the first day.
    #[arg(long, value_parser = args::time, requires = "from")]
    from_time: Option<TimeOfDay>,
    /// Last day, whole.
    #[arg(long)]
    until: Option<Date>,
    /// What happened.
    #[arg(long)]
    note: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExpenseCommand {
    /// Book an expense other than devices.
    #[command(after_help = "Example:\n  isp expense add bandwidth 12500000 --note 'upstream Januari' --site BDG")]
    Add(AddExpense),
}

#[derive(Debug, Args)]
pub(crate) struct AddExpense {
    /// bandwidth, salaries (gaji), electricity (listrik), fees (biaya) or other (lain).
    #[arg(value_parser = args::category)]
    category: Account,
    /// How much.
    #[arg(value_parser = args::money)]
    amount: Money,
    /// When; today when not given.
    #[arg(long)]
    date: Option<Date>,
    /// In words.
    #[arg(long, default_value = "")]
    note: String,
    /// At which site, if at one.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
}

pub(crate) async fn promise(ctx: &Context, command: PromiseCommand) -> anyhow::Result<Exit> {
    let PromiseCommand::Add(AddPromise { customer, until }) = command;
    let store = ctx.store().await?;
    let customer_id = find::customer(ctx, store, &customer).await?.id;
    let (id, by) = (PromiseId(ctx.id()), ctx.officer.to_string());
    ctx.engine(store).promise(Promise { id, customer_id, made_on: ctx.today(), until, by }).await?;
    ctx.say("done.promise", &[("code", customer.to_string()), ("until", until.to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn exemption(ctx: &Context, command: ExemptionCommand) -> anyhow::Result<Exit> {
    let ExemptionCommand::Add(AddExemption { customer, from, until, reason }) = command;
    let store = ctx.store().await?;
    let customer_id = find::customer(ctx, store, &customer).await?.id;
    let (id, by) = (ExemptionId(ctx.id()), ctx.officer.to_string());
    let from = from.unwrap_or_else(|| ctx.today());
    ctx.engine(store).exempt(Exemption { id, customer_id, from, until, reason, by }).await?;
    ctx.say("done.exemption", &[("code", customer.to_string()), ("until", until.to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn outage(ctx: &Context, command: OutageCommand) -> anyhow::Result<Exit> {
    let OutageCommand::Add(AddOutage { site, from, from_time, until, note }) = command;
    let store = ctx.store().await?;
    let place = find::site(ctx, store, &site).await?;
    let minutes = from_time.map_or(0, TimeOfDay::minutes);
    let from = from.map_or(ctx.now, |day| day.at(minutes / 60, minutes % 60, place.zone));
    let until = until.map(|day| day.plus_days(1).midnight(place.zone));
    let (id, site_id) = (OutageId(ctx.id()), place.id);
    ctx.engine(store).outage(Outage { id, site_id, from, until, note }).await?;
    ctx.say("done.outage", &[("code", site.to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn expense(ctx: &Context, command: ExpenseCommand) -> anyhow::Result<Exit> {
    let ExpenseCommand::Add(AddExpense { category, amount, date, note, site }) = command;
    let store = ctx.store().await?;
    let site_id = match &site {
        Some(code) => Some(find::site(ctx, store, code).await?.id),
        None => None,
    };
    let on = date.unwrap_or_else(|| ctx.today());
    let id = ExpenseId(ctx.id());
    ctx.engine(store).expense(Expense { id, on, category, amount, note, site_id }).await?;
    ctx.say("done.expense", &[("amount", amount.to_string()), ("date", on.to_string())])?;
    Ok(Exit::Done)
}
