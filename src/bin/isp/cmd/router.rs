//! `isp router`: the provider's routers, and what stands between them and what is wanted.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::Secret;
use isp_core::ids::{MasterId, RouterId};
use isp_core::isolation::AccessTarget;
use isp_core::payment::Told;
use isp_core::place::{Router, RouterEndpoint, takes_lines};
use isp_core::ports::{ChangeSet, PageQuery, PortError, Store};
use isp_core::text::Code;

use super::sure::Sure;
use super::{args, find, router_apply, router_check, router_confirm, router_import, router_plan};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number, yes_no};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a router.
    #[command(
        after_help = "Example:\n  isp router add R1 --site BDG --address tls://10.0.0.1 --username isp --password -"
    )]
    Add(Add),
    /// List routers that are not archived, with how many lines each serves.
    List(List),
    /// Show the accounts that a router should have.
    Show(Show),
    /// Correct code, site, address, user or password of a router; another address needs its password again.
    #[command(
        after_help = "Examples:\n  isp router edit R1 --address tls://10.0.0.2 --password -\n  isp router edit R1 --username isp2 --password -"
    )]
    Edit(Edit),
    /// Remove a router that no line has or had; nothing on the router itself changes.
    #[command(after_help = "Example:\n  isp router remove R1")]
    Remove(Show),
    /// Archive a router that has no lines any more: it stays for its history, and nobody calls it.
    #[command(after_help = "Example:\n  isp router archive R1")]
    Archive(Archive),
    /// Bring an archived router back.
    #[command(after_help = "Example:\n  isp router bring-back R1")]
    BringBack(Show),
    /// Ask routers who they are, and what on them would keep customers off line: no pool, another service, RADIUS.
    #[command(after_help = "Example:\n  isp router check R1")]
    Check(router_check::Check),
    /// Say what `apply` would change, and change nothing.
    #[command(after_help = "Example:\n  isp router plan R1 --details")]
    Plan(router_plan::PlanArgs),
    /// Bring routers to what is wanted, and read back.
    #[command(
        after_help = "Examples:\n  isp router apply R1\n  isp router apply R1 --adopt    take over accounts that somebody made by hand\n  isp router apply --approve     pass the breaker"
    )]
    Apply(router_apply::Apply),
    /// Write the accounts of a router into a CSV file to complete and import; accounts that are ours are left out.
    #[command(
        after_help = "Example:\n  isp router import-secrets R1 --out subscriptions.csv\n\nThe file holds passwords; only you can read it. Fill in id_pelanggan and mulai, then: isp import --subscriptions subscriptions.csv"
    )]
    ImportSecrets(router_import::ImportSecrets),
    /// The same for lines that nobody logs in for: simple queues for one address, and static DHCP leases.
    #[command(
        after_help = "Example:\n  isp router import-lines R1 --out subscriptions.csv --customers customers.csv --packages packages.csv\n\nPackages follow from the speeds. Queues and leases that are imported are taken over by: isp router apply R1 --adopt"
    )]
    ImportLines(router_import::ImportSecrets),
    /// Say that the machine which answers for a router now is the right one: it was replaced, or its address corrected.
    #[command(after_help = "Example:\n  isp router confirm R1")]
    Confirm(router_confirm::Confirm),
    /// Show accounts whose mark names a line that nobody here knows, and take those marks back: after a lost database was
    /// imported again. Only marks change.
    #[command(
        after_help = "Examples:\n  isp router reclaim R1          what would be taken, and why\n  isp router reclaim R1 --take   take the marks of accounts with our password\n\nNobody can tell an old mark of ours from that of another isp that is alive. Stop any other that keeps this router first."
    )]
    Reclaim(router_confirm::Reclaim),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Short code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Where it stands.
    #[arg(long, value_parser = args::code)]
    site: Code,
    /// HOST or HOST:PORT of its API service; tls:// in front for api-ssl.
    #[arg(long)]
    address: String,
    /// API user.
    #[arg(long)]
    username: String,
    /// Its password; `-` reads it from standard input.
    #[arg(long)]
    password: String,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Router code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Another code.
    #[arg(long = "code", value_name = "CODE", value_parser = args::code)]
    new_code: Option<Code>,
    /// Where it stands.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    /// HOST or HOST:PORT of its API service; tls:// in front for api-ssl. The password is sent there, so it is asked again.
    #[arg(long, requires = "password")]
    address: Option<String>,
    /// API user.
    #[arg(long)]
    username: Option<String>,
    /// Its password; `-` reads it from standard input.
    #[arg(long)]
    password: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those that are archived, too.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Archive {
    /// Router code.
    #[arg(value_parser = args::code)]
    code: Code,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Router code.
    #[arg(value_parser = args::code)]
    code: Code,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args).await,
        Command::Edit(args) => edit(ctx, args).await,
        Command::List(args) => list(ctx, args).await,
        Command::Show(args) => show(ctx, args).await,
        Command::Remove(args) => remove(ctx, args).await,
        Command::Archive(args) => archive(ctx, args).await,
        Command::BringBack(args) => bring_back(ctx, args).await,
        Command::Check(args) => router_check::run(ctx, args).await,
        Command::Plan(args) => router_plan::run(ctx, args).await,
        Command::Apply(args) => router_apply::run(ctx, args).await,
        Command::ImportSecrets(args) => router_import::run(ctx, args).await,
        Command::ImportLines(args) => router_import::run_lines(ctx, args).await,
        Command::Confirm(args) => router_confirm::confirm(ctx, args).await,
        Command::Reclaim(args) => router_confirm::reclaim(ctx, args).await,
    }
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let site = find::site(ctx, store, &args.site).await?;
    let known = store.routers(ctx.tenant()).await?;
    find::absent(known.iter().find(|r| r.code == args.code), "router", &args.code)?;
    takes_lines(Some(&site), None)?;
    let password = Secret::new(args::private(&args.password)?);
    let endpoint = RouterEndpoint::parse(&args.address, &args.username, password)?;
    let code = args.code.to_string();
    let router = Router { id: RouterId(ctx.id()), code: args.code, site_id: site.id, endpoint, archived: false };
    store.commit(ctx.tenant(), ChangeSet { routers: vec![router], ..ChangeSet::default() }).await?;
    ctx.say("done.router_added", &[("code", code)])?;
    Ok(Exit::Done)
}

async fn edit(ctx: &Context, args: Edit) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let before = find::router(ctx, store, &args.code).await?;
    if let Some(code) = &args.new_code {
        let known = store.routers(ctx.tenant()).await?;
        find::absent(known.iter().find(|r| r.code == *code && r.id != before.id), "router", code)?;
    }
    let site_id = match &args.site {
        Some(code) => {
            let site = find::site(ctx, store, code).await?;
            takes_lines(Some(&site), None)?;
            site.id
        }
        None => before.site_id,
    };
    let password = args.password.as_deref().map(args::private).transpose()?.map(Secret::new);
    let password = password.unwrap_or_else(|| before.endpoint.password.clone());
    let username = args.username.as_deref().unwrap_or(&before.endpoint.username);
    let endpoint = match &args.address {
        Some(address) => RouterEndpoint::parse(address, username, password)?,
        None if username.trim().is_empty() => return Err(isp_core::Error::Empty { field: "username" }.into()),
        None => RouterEndpoint { username: username.trim().to_owned(), password, ..before.endpoint.clone() },
    };
    let code = args.new_code.unwrap_or_else(|| before.code.clone());
    let router = Router { id: before.id, code, site_id, endpoint, archived: before.archived };
    if router == before {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: args.code.to_string() }.into());
    }
    let code = router.code.to_string();
    store.commit(ctx.tenant(), ChangeSet { routers: vec![router], ..ChangeSet::default() }).await?;
    ctx.say("done.router_edited", &[("code", code)])?;
    Ok(Exit::Done)
}

async fn remove(ctx: &Context, args: Show) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let router = find::router(ctx, store, &args.code).await?;
    if !ctx.may("ask.remove", &[("noun", ctx.texts.t("noun.router")), ("code", args.code.to_string())])? {
        return Ok(Exit::Refused);
    }
    ctx.engine(store).remove(MasterId::Router(router.id)).await?;
    ctx.say("done.router_removed", &[("code", args.code.to_string())])?;
    Ok(Exit::Done)
}

async fn archive(ctx: &Context, args: Archive) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let router = find::router(ctx, store, &args.code).await?;
    ctx.engine(store).archive_router(router.id, true, args.sure.told(), ctx.now).await?;
    ctx.say("done.router_archived", &[("code", args.code.to_string())])?;
    Ok(Exit::Done)
}

async fn bring_back(ctx: &Context, args: Show) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let router = find::router(ctx, store, &args.code).await?;
    ctx.engine(store).archive_router(router.id, false, Told::ByPerson, ctx.now).await?;
    ctx.say("done.router_brought_back", &[("code", args.code.to_string())])?;
    Ok(Exit::Done)
}

async fn list(ctx: &Context, list: List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let sites: BTreeMap<_, _> =
        store.sites(ctx.tenant()).await?.into_iter().map(|s| (s.id, s.code.to_string())).collect();
    let serves = store.subscribers_per_router(ctx.tenant()).await?;
    let columns = [
        column("code"),
        column("site"),
        column("address"),
        column("username"),
        number("subscribers"),
        column("archived"),
    ];
    let mut rows = Rows::new(&columns[..if list.all { 6 } else { 5 }]);
    for router in store.routers(ctx.tenant()).await?.into_iter().filter(|router| list.all || !router.archived) {
        let endpoint = &router.endpoint;
        let scheme = if endpoint.tls { "tls://" } else { "" };
        let mut row = vec![
            Cell::text(&router.code),
            Cell::maybe(sites.get(&router.site_id)),
            Cell::text(format!("{scheme}{}:{}", endpoint.host, endpoint.port)),
            Cell::text(&endpoint.username),
            Cell::count(serves.get(&router.id).copied().unwrap_or(0)),
        ];
        row.extend(list.all.then(|| yes_no(router.archived)));
        rows.push(row);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

async fn show(ctx: &Context, args: Show) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let router = find::router(ctx, store, &args.code).await?;
    let mut rows = Rows::new(&[
        column("username"),
        column("group"),
        column("speed"),
        column("access"),
        column("service"),
        column("ip_address"),
    ]);
    for target in targets(ctx, store, &router).await? {
        rows.push(vec![
            Cell::text(&target.account.username),
            Cell::text(&target.group.name),
            Cell::text(target.group.speed),
            Cell::Word(target.desired.code()),
            Cell::Word(target.account.service.code()),
            Cell::maybe(target.account.address),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// The router of a code, or all that are not archived.
pub(super) async fn chosen(ctx: &Context, store: &dyn Store, code: Option<&Code>) -> anyhow::Result<Vec<Router>> {
    match code {
        Some(code) => Ok(vec![in_use(ctx, store, code).await?]),
        None => Ok(ctx.engine(store).routers_in_use().await?),
    }
}

/// The router of a code, which is called: one that is archived is called by nobody.
pub(super) async fn in_use(ctx: &Context, store: &dyn Store, code: &Code) -> anyhow::Result<Router> {
    let router = find::router(ctx, store, code).await?;
    takes_lines(None, Some(&router))?;
    Ok(router)
}

/// Warns of each table of `[mikrotik.redirect.router]` that is about no router: whoever mistyped an address believes that it holds.
pub(super) async fn warn_of_tables(ctx: &Context, store: &dyn Store) -> anyhow::Result<()> {
    for address in tables_of_nobody(ctx, store).await? {
        ctx.warn("warn.redirect_no_router", &[("address", address)]);
    }
    Ok(())
}

/// The addresses of `[mikrotik.redirect.router]` that no router of the provider has.
pub(super) async fn tables_of_nobody(ctx: &Context, store: &dyn Store) -> anyhow::Result<Vec<String>> {
    let Some(redirect) = ctx.config.mikrotik.redirect.as_ref().filter(|redirect| !redirect.router.is_empty()) else {
        return Ok(Vec::new());
    };
    let routers = store.routers(ctx.tenant()).await?;
    let endpoints: Vec<_> = routers.iter().map(|router| &router.endpoint).collect();
    Ok(redirect.of_no_router(&endpoints).map(str::to_owned).collect())
}

pub(super) async fn targets(ctx: &Context, store: &dyn Store, router: &Router) -> anyhow::Result<Vec<AccessTarget>> {
    let mut all = Vec::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let rows = store.router_targets(ctx.tenant(), router.id, page).await?;
        let more = page.advance(&rows, |last| last.subscription_id);
        all.extend(rows);
        if !more {
            return Ok(all);
        }
    }
}

/// True for a router whose lines are in RADIUS, which is said: an account on the router itself would keep it from asking there.
pub(super) fn is_in_radius(ctx: &Context, router: &Router) -> bool {
    let there = ctx.config.radius.serves(&router.endpoint);
    if there {
        ctx.warn("warn.router_in_radius", &[("router", router.code.to_string())]);
    }
    there
}

pub(super) fn adopting(mut targets: Vec<AccessTarget>, adopt: bool) -> Vec<AccessTarget> {
    targets.iter_mut().for_each(|t| t.adopt |= adopt);
    targets
}

/// The adapter's own code where it has one.
fn port_code(error: &PortError) -> String {
    match error {
        PortError::Refused { code, .. } => (*code).to_owned(),
        other => other.code().to_owned(),
    }
}

pub(super) fn down(ctx: &Context, router: &Router, error: &PortError) -> Exit {
    let variables = [
        ("router", router.code.to_string()),
        ("reason", ctx.texts.port(&error.to_string())),
        ("error", port_code(error)),
    ];
    ctx.warn("warn.router_failed", &variables);
    Exit::Partial
}
