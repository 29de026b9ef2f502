//! `isp subscription`: a customer's use of a package.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::calendar::{BillingDay, Cycle, Date};
use isp_core::engine::Settled;
use isp_core::ids::SubscriptionId;
use isp_core::isolation::ServiceAccess;
use isp_core::ports::{PageQuery, Store};
use isp_core::subscription::{Account, BillingTerms, Subscription, SubscriptionStatus, Timing};
use isp_core::text::Code;
use isp_core::{Error, Secret};

use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a line for a customer. It is billed from its start.
    #[command(
        after_help = "Example:\n  isp subscription add P001 --package HOME20 --router R1 --username budi@isp --password - --start 2026-01-31"
    )]
    Add(Box<Add>),
    /// List lines with their desired access and whether the router confirmed it.
    List(List),
    /// Show the lines of a customer.
    Show(Which),
    /// Take another package: from the next period on, or at once with what was paid settled by the day.
    #[command(
        after_help = "Examples:\n  isp subscription change-package P001 HOME50\n  isp subscription change-package P001 HOME50 --at-once"
    )]
    ChangePackage(ChangePackage),
    /// Bill a line on another day of the month; the days in between are invoiced today.
    #[command(after_help = "Example:\n  isp subscription change-billing-day P001 20")]
    ChangeBillingDay(ChangeBillingDay),
    /// Pause (cuti) from today: no access, no invoices.
    Pause(Which),
    /// End a pause today.
    Resume(Which),
    /// End a line. Lent devices that did not come back are then listed by `report cpe`.
    #[command(after_help = "Example:\n  isp subscription terminate P001 --end 2026-07-01")]
    Terminate(Terminate),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// Package code.
    #[arg(long, value_parser = args::code)]
    package: Code,
    /// The router that serves it.
    #[arg(long, value_parser = args::code, required_unless_present = "site")]
    router: Option<Code>,
    /// The site; that of the router when not given.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    /// PPPoE user name.
    #[arg(long, value_parser = args::code)]
    username: Code,
    /// PPPoE password; `-` reads it from standard input.
    #[arg(long)]
    password: String,
    /// First day of service; today when not given.
    #[arg(long)]
    start: Option<Date>,
    /// Day of the month on which periods start, 1 to 31; the day of the start when not given.
    #[arg(long, value_parser = args::billing_day)]
    billing_day: Option<BillingDay>,
    /// monthly, quarterly, semiannual or annual.
    #[arg(long, value_parser = args::cycle, default_value = "monthly")]
    cycle: Cycle,
    /// prepaid or postpaid.
    #[arg(long, value_parser = args::timing, default_value = "prepaid")]
    timing: Timing,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those whose access is open, isolated or closed.
    #[arg(long, value_parser = ["open", "isolated", "closed"])]
    access: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::code)]
    username: Option<Code>,
}

#[derive(Debug, Args)]
pub(crate) struct ChangePackage {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// The new package.
    #[arg(value_parser = args::code)]
    package: Code,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::code)]
    username: Option<Code>,
    /// From today on: unused days are given back, the new package is charged for them.
    #[arg(long)]
    at_once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeBillingDay {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// The new day, 1 to 31; a shorter month is billed on its last day.
    #[arg(value_parser = args::billing_day)]
    day: BillingDay,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::code)]
    username: Option<Code>,
}

#[derive(Debug, Args)]
pub(crate) struct Terminate {
    #[command(flatten)]
    which: Which,
    /// The day after the last day of service; today when not given.
    #[arg(long)]
    end: Option<Date>,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => return add(ctx, *args).await,
        Command::List(args) => return list(ctx, &args).await,
        Command::Show(which) => {
            let store = ctx.store().await?;
            let customer = find::customer(ctx, store, &which.customer).await?;
            let mut all = find::subscriptions(ctx, store, &customer).await?;
            all.retain(|(s, _)| which.username.as_ref().is_none_or(|name| *name == s.account.username));
            ctx.rows(&table(ctx, store, &all).await?)?;
        }
        Command::ChangePackage(ChangePackage { customer, package, username, at_once }) => {
            let store = ctx.store().await?;
            let id = id_of(ctx, store, &customer, username.as_ref()).await?;
            let new = find::package(ctx, store, &package).await?;
            if at_once {
                let by = ctx.officer.as_str();
                let settled = ctx.engine(store).change_package_at_once(id, new.id, by, ctx.now).await?;
                let mut variables = settled_variables(&customer, settled);
                variables.push(("package", package.to_string()));
                ctx.say("done.package_changed_at_once", &variables)?;
                return Ok(Exit::Done);
            }
            let from = ctx.engine(store).change_package(id, new.id, ctx.now).await?;
            let variables =
                [("code", customer.to_string()), ("package", package.to_string()), ("from", from.to_string())];
            ctx.say("done.package_changed", &variables)?;
        }
        Command::ChangeBillingDay(ChangeBillingDay { customer, day, username }) => {
            let store = ctx.store().await?;
            let id = id_of(ctx, store, &customer, username.as_ref()).await?;
            let from = ctx.engine(store).change_billing_day(id, day, ctx.now).await?;
            let variables =
                [("code", customer.to_string()), ("day", day.day().to_string()), ("from", from.to_string())];
            ctx.say("done.billing_day", &variables)?;
        }
        Command::Pause(which) => {
            let store = ctx.store().await?;
            let id = id_of(ctx, store, &which.customer, which.username.as_ref()).await?;
            let settled = ctx.engine(store).pause(id, ctx.now).await?;
            ctx.say("done.paused", &settled_variables(&which.customer, settled))?;
        }
        Command::Resume(which) => {
            let store = ctx.store().await?;
            let id = id_of(ctx, store, &which.customer, which.username.as_ref()).await?;
            ctx.engine(store).resume(id, ctx.now).await?;
            ctx.say("done.resumed", &[("code", which.customer.to_string())])?;
        }
        Command::Terminate(Terminate { which, end }) => {
            let store = ctx.store().await?;
            let id = id_of(ctx, store, &which.customer, which.username.as_ref()).await?;
            let end = end.unwrap_or_else(|| ctx.today());
            let settled = ctx.engine(store).terminate(id, end, ctx.now).await?;
            let mut variables = settled_variables(&which.customer, settled);
            variables.push(("end", end.to_string()));
            ctx.say("done.terminated", &variables)?;
        }
    }
    Ok(Exit::Done)
}

fn settled_variables(customer: &Code, settled: Settled) -> Vec<(&'static str, String)> {
    let amounts = [("charged", settled.charged), ("given_back", settled.given_back)];
    let amounts = amounts.into_iter().map(|(key, amount)| (key, amount.to_string()));
    std::iter::once(("code", customer.to_string())).chain(amounts).collect()
}

async fn id_of(
    ctx: &Context,
    store: &dyn Store,
    customer: &Code,
    username: Option<&Code>,
) -> anyhow::Result<SubscriptionId> {
    let customer = find::customer(ctx, store, customer).await?;
    Ok(find::subscription(ctx, store, &customer, username).await?.0.id)
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let package = find::package(ctx, store, &args.package).await?;
    let router = match &args.router {
        Some(code) => Some(find::router(ctx, store, code).await?),
        None => None,
    };
    let sites = store.sites(ctx.tenant()).await?;
    let site = match (&args.site, &router) {
        (Some(code), _) => find::site(ctx, store, code).await?,
        (None, Some(router)) => {
            let stands = sites.into_iter().find(|s| s.id == router.site_id);
            stands.ok_or(isp_core::ports::StoreError::NotFound { what: "site" })?
        }
        (None, None) => return Err(Error::Empty { field: "site" }.into()),
    };
    let start = args.start.unwrap_or_else(|| site.zone.date_of(ctx.now));
    let day = args.billing_day.unwrap_or_else(|| BillingDay::of(start));
    let terms = BillingTerms { timing: args.timing, ..BillingTerms::new(package.id, start, day, args.cycle) };
    let username = args.username.to_string();
    let account = Account { username: args.username, password: Secret::new(args::private(&args.password)?) };
    let subscription = Subscription {
        id: SubscriptionId(ctx.id()),
        customer_id: customer.id,
        site_id: site.id,
        router_id: router.map(|r| r.id),
        account,
        terms,
    };
    ctx.engine(store).subscribe(vec![(subscription, site.zone)], ctx.now).await?;
    ctx.say("done.subscribed", &[("code", args.customer.to_string()), ("username", username)])?;
    Ok(Exit::Done)
}

async fn list(ctx: &Context, args: &List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let mut all = ctx.engine(store).all_subscriptions().await?;
    all.retain(|(_, access)| args.access.as_ref().is_none_or(|wanted| wanted == access.desired.code()));
    ctx.rows(&table(ctx, store, &all).await?)?;
    Ok(Exit::Done)
}

/// Lines as a table.
pub(super) async fn table(
    ctx: &Context,
    store: &dyn Store,
    lines: &[(Subscription, ServiceAccess)],
) -> anyhow::Result<Rows> {
    let packages: BTreeMap<_, _> =
        store.packages(ctx.tenant()).await?.into_iter().map(|p| (p.id, p.code.to_string())).collect();
    let routers: BTreeMap<_, _> =
        store.routers(ctx.tenant()).await?.into_iter().map(|r| (r.id, r.code.to_string())).collect();
    let mut codes = BTreeMap::new();
    if lines.len() <= 8 {
        for (line, _) in lines {
            let customer = store.customer(ctx.tenant(), line.customer_id).await?;
            codes.extend(customer.map(|c| (c.id, c.code.to_string())));
        }
    } else {
        let mut page = PageQuery::first(ctx.config.worker.page);
        loop {
            let customers = store.customers(ctx.tenant(), page).await?;
            let more = page.advance(&customers, |last| last.id);
            codes.extend(customers.into_iter().map(|c| (c.id, c.code.to_string())));
            if !more {
                break;
            }
        }
    }
    let mut rows = Rows::new(&[
        column("customer"),
        column("username"),
        column("package"),
        column("router"),
        column("status"),
        column("access"),
        column("confirmed"),
        column("start"),
        number("billing_day"),
        number("months"),
        column("timing"),
    ]);
    for (line, access) in lines {
        let status = line.terms.status_on(ctx.today());
        rows.push(vec![
            Cell::maybe(codes.get(&line.customer_id)),
            Cell::text(&line.account.username),
            Cell::maybe(packages.get(&line.terms.package_on(ctx.today()))),
            Cell::maybe(line.router_id.and_then(|id| routers.get(&id))),
            Cell::Word(status_word(status)),
            Cell::Word(access.desired.code()),
            if line.router_id.is_none() { Cell::Empty } else { Cell::Word(if access.agrees() { "yes" } else { "no" }) },
            line.terms.start.into(),
            Cell::count(line.terms.day.day()),
            Cell::count(line.terms.cycle.months()),
            Cell::Word(match line.terms.timing {
                Timing::Prepaid => "prepaid",
                Timing::Postpaid => "postpaid",
            }),
        ]);
    }
    Ok(rows)
}

pub(super) const fn status_word(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Pending => "pending",
        SubscriptionStatus::Active => "active",
        SubscriptionStatus::Paused => "paused",
        SubscriptionStatus::Terminated => "terminated",
    }
}
