//! `isp subscription`: a customer's use of a package.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::calendar::{BillingDay, Cycle, Date, plausible_day};
use isp_core::engine::EngineError;
use isp_core::ids::SubscriptionId;
use isp_core::isolation::ServiceAccess;
use isp_core::money::plausible_price;
use isp_core::place::Router;
use isp_core::ports::{Store, StoreError};
use isp_core::subscription::{BillingTerms, Discount, HeldPrice, Off, Subscription, SubscriptionStatus, Timing};
use isp_core::terms::Command as Terms;
use isp_core::terms::former::{FormerTerms, first_start};
use isp_core::text::{Code, RouterName};
use isp_core::{Error, Money};

use super::clock::Clock;
use super::sure::Sure;
use super::terms::{Dry, Line, Since};
use super::{account, args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Format, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a line for a customer. It is billed from its start.
    #[command(
        after_help = "Examples:\n  isp subscription add P001 --package HOME20 --router R1 --username budi@isp --password - --start 2026-01-31\n  isp subscription add P002 --package HOME20 --router R1 --ip-address 10.20.0.7\n  isp subscription add P003 --package HOME20 --router R1 --mac AA:BB:CC:00:11:22 --ip-address 10.20.0.8"
    )]
    Add(Box<Add>),
    /// List lines with their desired access and whether the router confirmed it.
    List(List),
    /// Show the lines of a customer.
    #[command(after_help = "Examples:\n  isp subscription show P001\n  isp subscription show budi@isp")]
    Show(Shown),
    /// Take another package: from the next period on, or at once with what was paid settled by the day.
    #[command(
        after_help = "Examples:\n  isp subscription change-package P001 HOME50\n  isp subscription change-package P001 HOME50 --at-once --dry-run\n  isp subscription change-package P001 --undo   the planned package is taken back"
    )]
    ChangePackage(ChangePackage),
    /// Bill a line on another day of the month; the days in between are invoiced when they begin.
    #[command(after_help = "Example:\n  isp subscription change-billing-day P001 20")]
    ChangeBillingDay(ChangeBillingDay),
    /// Move a line to another router or site; the account on the old router is closed, billing goes on as it was.
    #[command(after_help = "Example:\n  isp subscription move P001 --router R2")]
    Move(account::Move),
    /// Give a line another way onto the network: PPPoE, hotspot, a fixed address or a box with a DHCP lease. Billing goes on
    /// as it was.
    #[command(
        after_help = "Examples:\n  isp subscription edit P001 --ip-address 10.20.0.9   a fixed address\n  isp subscription edit P001 --mac AA:BB:CC:00:11:33   another box of a DHCP line\n  isp subscription edit P001 --service pppoe --new-username budi@isp --password -"
    )]
    Edit(account::Edit),
    /// Give a line another user name on its router, or another address or MAC address where nobody logs in.
    #[command(
        after_help = "Examples:\n  isp subscription rename P001 budi.santoso@isp\n  isp subscription rename P002 10.20.0.9"
    )]
    Rename(account::Rename),
    /// Give a line another PPPoE password.
    #[command(after_help = "Example:\n  isp subscription password P001 --password -")]
    Password(account::Password),
    /// Give a line a price of its own for what is not invoiced yet, or `-` for the package's again.
    #[command(
        after_help = "Examples:\n  isp subscription price P001 150000 --until 2026-12-31\n  isp subscription price P001 -"
    )]
    Price(OwnPrice),
    /// Give a line a discount for what is not invoiced yet, or `-` for none any more.
    #[command(
        after_help = "Examples:\n  isp subscription discount P001 10% --until 2026-12-31\n  isp subscription discount P001 25000\n  isp subscription discount P001 -"
    )]
    Discount(OwnDiscount),
    /// Pause (cuti) from today or a day of the past: no access, no invoices.
    Pause(Stop),
    /// End a pause, today or on a day of the past.
    Resume(Stop),
    /// End a line. Lent devices that did not come back are then listed by `report cpe`.
    #[command(
        after_help = "Examples:\n  isp subscription terminate P001 --end 2026-07-01\n  isp subscription terminate P001 --end -   take that back before the day"
    )]
    Terminate(Terminate),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// Package code.
    #[arg(long, value_parser = args::code)]
    package: Code,
    /// The router that serves it; when not given, the only one there is.
    #[arg(long, value_parser = args::code)]
    router: Option<Code>,
    /// The site; that of the router when not given.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    #[command(flatten)]
    account: account::Given,
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
    #[command(flatten)]
    sure: Sure,
    #[command(flatten)]
    clock: Clock,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those whose access is open, isolated or closed.
    #[arg(long, value_parser = ["open", "isolated", "closed"])]
    access: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    pub(super) customer: args::Whom,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::router_name)]
    pub(super) username: Option<RouterName>,
}

#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Customer ID, phone number, PPPoE user name, number of an invoice, or a part of the name.
    whom: String,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::router_name)]
    username: Option<RouterName>,
}

#[derive(Debug, Args)]
pub(crate) struct ChangePackage {
    #[command(flatten)]
    which: Which,
    /// The new package.
    #[arg(value_parser = args::code, required_unless_present = "undo", conflicts_with = "undo")]
    package: Option<Code>,
    /// Take a planned change back, of which nothing is invoiced yet: the line keeps its package.
    #[arg(long, conflicts_with = "at_once")]
    undo: bool,
    /// From today on, or from the day of --since: unused days are given back, the new package is charged for them.
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    since: Since,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeBillingDay {
    #[command(flatten)]
    which: Which,
    /// The new day, 1 to 31; a shorter month is billed on its last day.
    #[arg(value_parser = args::billing_day)]
    day: BillingDay,
    #[command(flatten)]
    since: Since,
}

#[derive(Debug, Args)]
pub(crate) struct OwnPrice {
    #[command(flatten)]
    which: Which,
    /// Rupiah per month; `-` for the package's price.
    #[arg(value_parser = args::or_none(args::money), allow_hyphen_values = true)]
    price: args::OrNone<Money>,
    /// The last day on which a period that begins has it; for good when not given.
    #[arg(long)]
    until: Option<Date>,
    #[command(flatten)]
    sure: Sure,
    #[command(flatten)]
    dry: Dry,
}

#[derive(Debug, Args)]
pub(crate) struct OwnDiscount {
    #[command(flatten)]
    which: Which,
    /// Percent of the price, such as 10%, or rupiah per month; `-` for none.
    #[arg(value_parser = args::or_none(args::off), allow_hyphen_values = true)]
    off: args::OrNone<Off>,
    /// The last day on which a period that begins has it; for good when not given.
    #[arg(long)]
    until: Option<Date>,
    #[command(flatten)]
    sure: Sure,
    #[command(flatten)]
    dry: Dry,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    since: Since,
}

#[derive(Debug, Args)]
pub(crate) struct Terminate {
    #[command(flatten)]
    which: Which,
    /// The day after the last day of service, which may be ahead or past; today when not given. `-` takes an end ahead back.
    #[arg(long, value_name = "DATE", value_parser = args::or_none(Date::parse), allow_hyphen_values = true)]
    end: Option<args::OrNone<Date>>,
    #[command(flatten)]
    dry: Dry,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => return add(ctx, *args).await,
        Command::List(args) => return list(ctx, &args).await,
        Command::Show(Shown { whom, username }) => {
            let store = ctx.store().await?;
            let customer = find::person(ctx, store, &whom).await?;
            let mut all = find::subscriptions(ctx, store, &customer).await?;
            all.retain(|(s, _)| username.as_ref().is_none_or(|name| *name == s.account.username));
            ctx.rows(&table(ctx, store, &all).await?)?;
        }
        Command::ChangePackage(ChangePackage { package, at_once: false, since, .. }) if since.is_said() => {
            let what = package.map_or_else(|| "-".to_owned(), |package| package.to_string());
            return Err(Failure::Usage { problem: "since_at_once", what }.into());
        }
        Command::ChangePackage(ChangePackage { which, package: None, undo: _, at_once: _, since }) => {
            let line = Line::find(ctx, &which, &since.dry).await?;
            let kept = line.planned_away().await?;
            let more = [("package", kept.code.to_string())];
            let command = Terms::NextPackage { package: kept.id };
            return line.change(command, &since.dry, "done.package_kept", &more).await;
        }
        Command::ChangePackage(ChangePackage { which, package: Some(package), undo: _, at_once, since }) => {
            let new = find::package(ctx, ctx.store().await?, &package).await?.id;
            let line = Line::find(ctx, &which, &since.dry).await?;
            let more = [("package", package.to_string())];
            let (command, key) = if at_once {
                let from = line.day(&since).await?;
                (Terms::PackageAtOnce { package: new, from }, "done.package_changed_at_once")
            } else {
                (Terms::NextPackage { package: new }, "done.package_changed")
            };
            return match at_once {
                true => line.ask_first(command, &since.dry, key, &more, "ask.package_at_once").await,
                false => line.change(command, &since.dry, key, &more).await,
            };
        }
        Command::ChangeBillingDay(ChangeBillingDay { which, day, since }) => {
            let line = Line::find(ctx, &which, &since.dry).await?;
            let command = Terms::BillingDay { day, from: line.day(&since).await? };
            return line.change(command, &since.dry, "done.billing_day", &[("day", day.day().to_string())]).await;
        }
        Command::Price(OwnPrice { which, price, until, sure, dry }) => {
            price.0.map_or(Ok(()), |price| sure.of(plausible_price("price", price)))?;
            let until = until.map(|last| last.plus_days(1));
            let held = price.0.map(|price| HeldPrice { price, until });
            let line = Line::find(ctx, &which, &dry).await?;
            let key = if held.is_some() { "done.own_price" } else { "done.package_price" };
            let shown = held.map_or_else(String::new, |held| held.price.to_string());
            return line.change(Terms::Price { held }, &dry, key, &[("price", shown)]).await;
        }
        Command::Discount(OwnDiscount { which, off, until, sure, dry }) => {
            if let Some(Off::Amount(amount)) = off.0 {
                sure.of(plausible_price("discount", amount))?;
            }
            let until = until.map(|last| last.plus_days(1));
            let discount = off.0.map(|off| Discount { off, until });
            let line = Line::find(ctx, &which, &dry).await?;
            let key = if discount.is_some() { "done.discount" } else { "done.no_discount" };
            let shown = discount.map_or_else(String::new, |discount| discount.off.to_string());
            return line.change(Terms::Discount { discount }, &dry, key, &[("discount", shown)]).await;
        }
        Command::Move(args) => return account::change_place(ctx, args).await,
        Command::Edit(args) => return account::edit(ctx, args).await,
        Command::Rename(args) => return account::rename(ctx, args).await,
        Command::Password(args) => return account::password(ctx, args).await,
        Command::Pause(Stop { which, since }) => {
            let line = Line::find(ctx, &which, &since.dry).await?;
            let command = Terms::Pause { from: line.day(&since).await? };
            return line.change(command, &since.dry, "done.paused", &[]).await;
        }
        Command::Resume(Stop { which, since }) => {
            let line = Line::find(ctx, &which, &since.dry).await?;
            let command = Terms::Resume { from: line.day(&since).await? };
            return line.change(command, &since.dry, "done.resumed", &[]).await;
        }
        Command::Terminate(Terminate { which, end, dry }) => {
            let line = Line::find(ctx, &which, &dry).await?;
            let end = match end {
                Some(args::OrNone(None)) => return line.change(Terms::Stay, &dry, "done.stays", &[]).await,
                Some(args::OrNone(Some(end))) => end,
                None => ctx.today(),
            };
            return line.end(end, &dry).await;
        }
    }
    Ok(Exit::Done)
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    args.clock.check(ctx).await?;
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let package = find::package(ctx, store, &args.package).await?;
    let router = match (&args.router, &args.site) {
        (Some(code), _) => Some(find::router(ctx, store, code).await?),
        (None, Some(_)) => None,
        (None, None) => Some(only_router(ctx, store).await?),
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
    args.sure.of(plausible_day("start", start, ctx.today()))?;
    let day = args.billing_day.unwrap_or_else(|| BillingDay::of(start));
    let terms = BillingTerms { timing: args.timing, ..BillingTerms::new(package.id, start, day, args.cycle) };
    let account = args.account.account()?;
    let username = account.username.to_string();
    let subscription = Subscription {
        id: SubscriptionId(ctx.id()),
        customer_id: customer.id,
        site_id: site.id,
        router_id: router.map(|r| r.id),
        account,
        terms,
    };
    match ctx.engine(store).subscribe(vec![(subscription, site.zone)], ctx.now).await {
        Err(EngineError::Store(StoreError::Duplicate { what: "subscription.username" })) => {
            return Err(Failure::Exists { noun: "username", code: username }.into());
        }
        other => other?,
    }
    ctx.say("done.subscribed", &[("code", find::named(&customer)), ("username", username)])?;
    Ok(Exit::Done)
}

/// The router, where there is only one that is not archived.
async fn only_router(ctx: &Context, store: &dyn Store) -> anyhow::Result<Router> {
    let mut routers = super::router::chosen(ctx, store, None).await?;
    if routers.len() == 1
        && let Some(only) = routers.pop()
    {
        return Ok(only);
    }
    let what = routers.iter().map(|router| router.code.to_string()).collect::<Vec<_>>().join(", ");
    Err(Failure::Usage { problem: "which_router", what }.into())
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
    let codes = find::codes(ctx, store, lines.iter().map(|(line, _)| line.customer_id)).await?;
    let mut former: BTreeMap<SubscriptionId, Vec<FormerTerms>> = BTreeMap::new();
    for chunk in lines.chunks(1_000) {
        let ids: Vec<SubscriptionId> = chunk.iter().map(|(line, _)| line.id).collect();
        for terms in store.former_terms(ctx.tenant(), &ids).await? {
            former.entry(terms.subscription_id).or_default().push(terms);
        }
    }
    let mut columns = vec![
        column("customer"),
        column("username"),
        column("package").needed(),
        column("router").needed(),
        column("status"),
        column("access").needed(),
        column("confirmed"),
        column("start"),
        column("end"),
        number("billing_day"),
        number("months"),
        column("timing"),
        column("service"),
        column("ip_address"),
    ];
    // On a screen they are in the way where nobody has them.
    let own =
        |(line, _): &(Subscription, ServiceAccess)| line.terms.held_price.is_some() || line.terms.discount.is_some();
    let with_own = ctx.format != Format::Table || lines.iter().any(own);
    if with_own {
        columns.extend([number("own_price"), column("own_price_until"), column("discount"), column("discount_until")]);
    }
    let mut rows = Rows::new(&columns);
    for (line, access) in lines {
        let status = line.terms.status_on(ctx.today());
        let mut cells = vec![
            Cell::maybe(codes.get(&line.customer_id)),
            Cell::text(&line.account.username),
            Cell::maybe(packages.get(&line.terms.package_on(ctx.today()))),
            Cell::maybe(line.router_id.and_then(|id| routers.get(&id))),
            Cell::Word(status_word(status)),
            Cell::Word(access.desired.code()),
            if line.router_id.is_none() { Cell::Empty } else { Cell::Word(if access.agrees() { "yes" } else { "no" }) },
            // A pause or a change at once begins the periods anew; the line began before.
            first_start(&line.terms, former.get(&line.id).map_or(&[], Vec::as_slice)).into(),
            line.terms.end.map_or(Cell::Empty, Cell::from),
            Cell::count(line.terms.day.day()),
            Cell::count(line.terms.cycle.months()),
            Cell::Word(match line.terms.timing {
                Timing::Prepaid => "prepaid",
                Timing::Postpaid => "postpaid",
            }),
            Cell::Word(line.account.service.code()),
            Cell::maybe(line.account.address),
        ];
        if with_own {
            cells.extend([
                line.terms.held_price.map_or(Cell::Empty, |held| held.price.into()),
                last_day(line.terms.held_price.and_then(|held| held.until)),
                off_cell(line.terms.discount.map(|discount| discount.off)),
                last_day(line.terms.discount.and_then(|discount| discount.until)),
            ]);
        }
        rows.push(cells);
    }
    Ok(rows)
}

/// The last day on which a period that begins has it, as `--until` takes it.
fn last_day(until: Option<Date>) -> Cell {
    until.map_or(Cell::Empty, |until| until.plus_days(-1).into())
}

/// A discount, as it is typed.
pub(super) fn off_cell(off: Option<Off>) -> Cell {
    match off {
        None => Cell::Empty,
        Some(Off::Amount(amount)) => amount.into(),
        Some(percent @ Off::Percent(_)) => Cell::text(percent),
    }
}

pub(super) const fn status_word(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Pending => "pending",
        SubscriptionStatus::Active => "active",
        SubscriptionStatus::Paused => "paused",
        SubscriptionStatus::Terminated => "terminated",
    }
}
