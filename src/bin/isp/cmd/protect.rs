//! `isp promise`, `isp exemption`, `isp outage`, `isp expense`: what officers record.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, TimeOfDay};
use isp_core::ids::{CustomerId, ExemptionId, ExpenseId, OutageId, PromiseId};
use isp_core::isolation::AccessFacts;
use isp_core::ledger::{Account, Expense};
use isp_core::money::plausible_amount;
use isp_core::payment::Channel;
use isp_core::ports::{AccessQuery, PageQuery};
use isp_core::protection::{Exemption, Outage, Promise};
use isp_core::text::Code;

use super::sure::Sure;
use super::{args, credit_note, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column};

#[derive(Debug, Subcommand)]
pub(crate) enum PromiseCommand {
    /// Record a promise to pay (janji bayar): no isolation until its last day.
    #[command(after_help = "Example:\n  isp promise add P001 --until 2026-02-20")]
    Add(AddPromise),
    /// List promises, the latest first.
    List(ListProtection),
}

#[derive(Debug, Args)]
pub(crate) struct ListProtection {
    /// Only this customer's.
    #[arg(long, value_parser = args::code)]
    customer: Option<Code>,
    /// Only those that hold today.
    #[arg(long)]
    running: bool,
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
    /// List exemptions, the latest first.
    List(ListProtection),
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
    /// List outages, the latest first.
    List {
        /// Only this site's.
        #[arg(long, value_parser = args::code)]
        site: Option<Code>,
    },
    /// Give back what outages of a site that are over are worth (restitusi), once for each outage and invoice.
    #[command(
        after_help = "Example:\n  isp outage credit BDG --dry-run\n\n[policy.outage] says from how many hours on, and whether days or hours count."
    )]
    Credit(CreditOutage),
}

#[derive(Debug, Args)]
pub(crate) struct CreditOutage {
    /// Site code.
    #[arg(value_parser = args::code)]
    site: Code,
    /// Only outages that began on or after this day; those of the last 90 days when not given.
    #[arg(long)]
    since: Option<Date>,
    /// Show what would be given back, and write nothing.
    #[arg(long)]
    dry_run: bool,
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
    /// From which money it was paid: cash or bank.
    #[arg(long, value_parser = args::channel, default_value = "cash")]
    paid_from: Channel,
    #[command(flatten)]
    sure: Sure,
}

pub(crate) async fn promise(ctx: &Context, command: PromiseCommand) -> anyhow::Result<Exit> {
    let AddPromise { customer, until } = match command {
        PromiseCommand::Add(add) => add,
        PromiseCommand::List(list) => return promises(ctx, &list).await,
    };
    let store = ctx.store().await?;
    let customer_id = find::customer(ctx, store, &customer).await?.id;
    let (id, by) = (PromiseId(ctx.id()), ctx.officer.to_string());
    ctx.engine(store).promise(Promise { id, customer_id, made_on: ctx.today(), until, by }).await?;
    ctx.say("done.promise", &[("code", customer.to_string()), ("until", until.to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn exemption(ctx: &Context, command: ExemptionCommand) -> anyhow::Result<Exit> {
    let AddExemption { customer, from, until, reason } = match command {
        ExemptionCommand::Add(add) => add,
        ExemptionCommand::List(list) => return exemptions(ctx, &list).await,
    };
    let store = ctx.store().await?;
    let customer_id = find::customer(ctx, store, &customer).await?.id;
    let (id, by) = (ExemptionId(ctx.id()), ctx.officer.to_string());
    let from = from.unwrap_or_else(|| ctx.today());
    ctx.engine(store).exempt(Exemption { id, customer_id, from, until, reason, by }).await?;
    ctx.say("done.exemption", &[("code", customer.to_string()), ("until", until.to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn outage(ctx: &Context, command: OutageCommand) -> anyhow::Result<Exit> {
    let AddOutage { site, from, from_time, until, note } = match command {
        OutageCommand::Add(add) => add,
        OutageCommand::List { site } => return outages(ctx, site).await,
        OutageCommand::Credit(args) => return credit_note::outage(ctx, args.site, args.since, args.dry_run).await,
    };
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
    let ExpenseCommand::Add(AddExpense { category, amount, date, note, site, paid_from, sure }) = command;
    sure.of(plausible_amount("amount", amount))?;
    let store = ctx.store().await?;
    let site_id = match &site {
        Some(code) => Some(find::site(ctx, store, code).await?.id),
        None => None,
    };
    let on = date.unwrap_or_else(|| ctx.today());
    let id = ExpenseId(ctx.id());
    ctx.engine(store).expense(Expense { id, on, category, amount, paid_from, note, site_id }).await?;
    ctx.say("done.expense", &[("amount", amount.to_string()), ("date", on.to_string())])?;
    Ok(Exit::Done)
}

async fn promises(ctx: &Context, list: &ListProtection) -> anyhow::Result<Exit> {
    let today = ctx.today();
    let mut found = BTreeMap::new();
    for facts in known(ctx, list.customer.as_ref()).await? {
        found.extend(facts.promises.into_iter().map(|p| ((Reverse(p.until), p.id), p)));
    }
    let mut rows = Rows::new(&[column("customer"), column("date"), column("until"), column("officer")]);
    let running = |p: &&Promise| !list.running || p.made_on <= today && today <= p.until;
    for promise in found.values().filter(running) {
        let customer = code_of(ctx, promise.customer_id).await?;
        rows.push(vec![customer, promise.made_on.into(), promise.until.into(), Cell::text(&promise.by)]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

async fn exemptions(ctx: &Context, list: &ListProtection) -> anyhow::Result<Exit> {
    let today = ctx.today();
    let mut found = BTreeMap::new();
    for facts in known(ctx, list.customer.as_ref()).await? {
        found.extend(facts.exemptions.into_iter().map(|e| ((Reverse(e.until), e.id), e)));
    }
    let mut rows =
        Rows::new(&[column("customer"), column("from"), column("until"), column("reason"), column("officer")]);
    for e in found.values().filter(|e| !list.running || e.from <= today && today <= e.until) {
        let customer = code_of(ctx, e.customer_id).await?;
        rows.push(vec![customer, e.from.into(), e.until.into(), Cell::text(&e.reason), Cell::text(&e.by)]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

async fn outages(ctx: &Context, site: Option<Code>) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    if let Some(code) = &site {
        find::site(ctx, store, code).await?;
    }
    let sites = store.sites(ctx.tenant()).await?;
    let mut found = BTreeMap::new();
    for facts in known(ctx, None).await? {
        found.extend(facts.outages.into_iter().map(|o| ((Reverse(o.from), o.id), o)));
    }
    let mut rows = Rows::new(&[column("site"), column("from"), column("until"), column("note")]);
    for outage in found.values() {
        let Some(place) = sites.iter().find(|s| s.id == outage.site_id) else { continue };
        if site.as_ref().is_some_and(|code| *code != place.code) {
            continue;
        }
        let moment =
            |at| Cell::text(format!("{} {} {}", place.zone.date_of(at), place.zone.time_of(at), place.zone.name()));
        let until = outage.until.map_or_else(|| Cell::text(""), moment);
        rows.push(vec![Cell::text(&place.code), moment(outage.from), until, Cell::text(&outage.note)]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// What is known of the lines of one customer or of all; only subscribers' sites have outages that matter.
async fn known(ctx: &Context, customer: Option<&Code>) -> anyhow::Result<Vec<AccessFacts>> {
    let store = ctx.store().await?;
    if let Some(code) = customer {
        let query = AccessQuery::Customers(vec![find::customer(ctx, store, code).await?.id]);
        return Ok(store.load_access(ctx.tenant(), &query, PageQuery::first(1_000)).await?);
    }
    let mut all = Vec::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let lines = store.subscriptions(ctx.tenant(), None, page).await?;
        let ids: Vec<_> = lines.iter().map(|(line, _)| line.id).collect();
        let query = AccessQuery::Subscriptions(ids);
        let facts = store.load_access(ctx.tenant(), &query, PageQuery::first(page.limit)).await?;
        all.extend(
            facts.into_iter().filter(|f| !(f.promises.is_empty() && f.exemptions.is_empty() && f.outages.is_empty())),
        );
        if !page.advance(&lines, |(last, _)| last.id) {
            return Ok(all);
        }
    }
}

async fn code_of(ctx: &Context, id: CustomerId) -> anyhow::Result<Cell> {
    let customer = ctx.store().await?.customer(ctx.tenant(), id).await?;
    Ok(Cell::maybe(customer.map(|c| c.code)))
}
