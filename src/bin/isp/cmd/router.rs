//! `isp router`: the provider's routers, and what stands between them and what is wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use isp_core::Secret;
use isp_core::ids::{RouterId, SubscriptionId};
use isp_core::isolation::AccessTarget;
use isp_core::isolation::access::ObservedAccess;
use isp_core::place::{Router, RouterEndpoint};
use isp_core::ports::{ApplyOutcome, ChangeSet, Observed, PageQuery, PortError, RouterHold, Store};
use isp_core::text::Code;
use isp_mikrotik::MikrotikAccess;
use isp_mikrotik::access::Guarded;
use isp_mikrotik::reconcile::line::{LineAction, LineStep};
use isp_mikrotik::reconcile::{Action, GroupAction, Plan};

use super::{args, find, router_check, router_confirm, router_import};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Column, Rows, column, number};
use crate::wire;

/// So that one that does not answer holds nobody else up.
const ROUTERS_AT_ONCE: usize = 16;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a router.
    #[command(
        after_help = "Example:\n  isp router add R1 --site BDG --address tls://10.0.0.1 --username isp --password -"
    )]
    Add(Add),
    /// List routers with how many lines each serves.
    List,
    /// Show the accounts that a router should have.
    Show(Show),
    /// Correct code, site, address, user or password of a router; another address needs its password again.
    #[command(
        after_help = "Examples:\n  isp router edit R1 --address tls://10.0.0.2 --password -\n  isp router edit R1 --username isp2 --password -"
    )]
    Edit(Edit),
    /// Ask routers who they are, and what on them would keep customers off line: no pool, another service, RADIUS.
    #[command(after_help = "Example:\n  isp router check R1")]
    Check(router_check::Check),
    /// Say what `apply` would change, and change nothing.
    #[command(after_help = "Example:\n  isp router plan R1 --details")]
    Plan(PlanArgs),
    /// Bring routers to what is wanted, and read back.
    #[command(
        after_help = "Examples:\n  isp router apply R1\n  isp router apply R1 --adopt    take over accounts that somebody made by hand\n  isp router apply --approve     pass the breaker"
    )]
    Apply(Apply),
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
pub(crate) struct Show {
    /// Router code.
    #[arg(value_parser = args::code)]
    code: Code,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Router code; all routers when not given.
    #[arg(value_parser = args::code)]
    code: Option<Code>,
    /// Say what happens to each account.
    #[arg(long)]
    details: bool,
    /// Plan as if accounts that somebody made by hand were taken over.
    #[arg(long)]
    adopt: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Router code; all routers when not given.
    #[arg(value_parser = args::code)]
    code: Option<Code>,
    /// Take over accounts of our user names that somebody made by hand.
    #[arg(long)]
    adopt: bool,
    /// With --adopt: open also accounts that somebody disabled or isolated on the router; without it they stay shut, as
    /// isolated by hand.
    #[arg(long, requires = "adopt")]
    open_shut_out: bool,
    /// Go on although more lines would be isolated than the breaker lets through.
    #[arg(long)]
    approve: bool,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args).await,
        Command::Edit(args) => edit(ctx, args).await,
        Command::List => list(ctx).await,
        Command::Show(args) => show(ctx, args).await,
        Command::Check(args) => router_check::run(ctx, args).await,
        Command::Plan(args) => plan(ctx, args).await,
        Command::Apply(args) => apply(ctx, args).await,
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
    let password = Secret::new(args::private(&args.password)?);
    let endpoint = RouterEndpoint::parse(&args.address, &args.username, password)?;
    let code = args.code.to_string();
    let router = Router { id: RouterId(ctx.id()), code: args.code, site_id: site.id, endpoint };
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
        Some(code) => find::site(ctx, store, code).await?.id,
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
    let router = Router { id: before.id, code, site_id, endpoint };
    if router == before {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: args.code.to_string() }.into());
    }
    let code = router.code.to_string();
    store.commit(ctx.tenant(), ChangeSet { routers: vec![router], ..ChangeSet::default() }).await?;
    ctx.say("done.router_edited", &[("code", code)])?;
    Ok(Exit::Done)
}

async fn list(ctx: &Context) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let sites: BTreeMap<_, _> =
        store.sites(ctx.tenant()).await?.into_iter().map(|s| (s.id, s.code.to_string())).collect();
    let serves = store.subscribers_per_router(ctx.tenant()).await?;
    let mut rows =
        Rows::new(&[column("code"), column("site"), column("address"), column("username"), number("subscribers")]);
    for router in store.routers(ctx.tenant()).await? {
        let endpoint = &router.endpoint;
        let scheme = if endpoint.tls { "tls://" } else { "" };
        rows.push(vec![
            Cell::text(&router.code),
            Cell::maybe(sites.get(&router.site_id)),
            Cell::text(format!("{scheme}{}:{}", endpoint.host, endpoint.port)),
            Cell::text(&endpoint.username),
            Cell::count(serves.get(&router.id).copied().unwrap_or(0)),
        ]);
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

/// The router of a code, or all of them.
pub(super) async fn chosen(ctx: &Context, store: &dyn Store, code: Option<&Code>) -> anyhow::Result<Vec<Router>> {
    match code {
        Some(code) => Ok(vec![find::router(ctx, store, code).await?]),
        None => Ok(store.routers(ctx.tenant()).await?),
    }
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
    let there = ctx.config.radius.nas.contains_key(&router.endpoint.host);
    if there {
        ctx.warn("warn.router_in_radius", &[("router", router.code.to_string())]);
    }
    there
}

fn adopting(mut targets: Vec<AccessTarget>, adopt: bool) -> Vec<AccessTarget> {
    targets.iter_mut().for_each(|t| t.adopt |= adopt);
    targets
}

async fn plan(ctx: &Context, args: PlanArgs) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let access = wire::routers(&ctx.config);
    let mut exit = Exit::Done;
    let mut rows = Rows::new(if args.details { DETAILS } else { SUMMARY });
    for router in chosen(ctx, store, args.code.as_ref()).await? {
        if is_in_radius(ctx, &router) {
            continue;
        }
        if let Err(error) = ctx.engine(store).meet(&access, &router, ctx.now).await? {
            exit = down(ctx, &router, &error);
            continue;
        }
        let wanted = adopting(targets(ctx, store, &router).await?, args.adopt);
        match access.plan_whole(&router.endpoint, &wanted).await {
            Ok(plan) if args.details => details(ctx, &mut rows, &router, &plan),
            Ok(plan) => rows.push(summary(&router, &plan)),
            Err(error) => exit = down(ctx, &router, &error),
        }
    }
    ctx.rows(&rows)?;
    Ok(exit)
}

const DETAILS: &[Column] = &[column("router"), column("account"), column("action"), column("what")];

const SUMMARY: &[Column] = &[
    column("router"),
    number("groups_created"),
    number("groups_changed"),
    number("created"),
    number("changed"),
    number("isolated"),
    number("removed"),
    number("kicked"),
    number("conflicts"),
    number("drift"),
];

fn summary(router: &Router, plan: &Plan) -> Vec<Cell> {
    let sum = plan.summary();
    let counts = [
        sum.groups_created,
        sum.groups_changed,
        sum.created,
        sum.changed,
        sum.isolated,
        sum.removed,
        sum.kicked,
        sum.conflicts,
        sum.drift,
    ];
    std::iter::once(Cell::text(&router.code)).chain(counts.map(Cell::count)).collect()
}

fn details(ctx: &Context, rows: &mut Rows, router: &Router, plan: &Plan) {
    let fields = |fields: &[isp_mikrotik::reconcile::FieldChange]| {
        let words: Vec<String> = fields.iter().map(|f| format!("{}: {} -> {}", f.field, f.old, f.new)).collect();
        Cell::text(words.join(", "))
    };
    let code = || Cell::text(&router.code);
    for group in &plan.groups {
        let (action, what) = match &group.action {
            GroupAction::Keep if group.kick => ("kick", Cell::Empty),
            GroupAction::Keep => continue,
            GroupAction::Create { .. } => ("create_profile", Cell::Empty),
            GroupAction::Change { fields: changed, .. } => ("change_profile", fields(changed)),
            GroupAction::Conflict(conflict) => ("conflict", found(ctx, conflict.code, &conflict.reason)),
        };
        rows.push(vec![code(), Cell::text(&group.name), Cell::Word(action), what]);
    }
    for account in &plan.accounts {
        let (action, what) = match &account.action {
            Action::Keep { .. } | Action::Absent if account.kick.is_empty() && account.entries.is_empty() => continue,
            Action::Keep { .. } | Action::Absent if account.entries.is_empty() => ("kick", Cell::Empty),
            Action::Keep { .. } | Action::Absent => match &account.entries.add {
                Some(address) => ("add_entry", Cell::text(address)),
                None => ("remove_entry", Cell::Empty),
            },
            Action::Remove { .. } => ("remove", Cell::Empty),
            Action::Create { profile, .. } => ("create", Cell::text(profile)),
            Action::Change { fields: changed, .. } => ("change", fields(changed)),
            Action::Conflict(conflict) => ("conflict", found(ctx, conflict.code, &conflict.reason)),
        };
        rows.push(vec![code(), Cell::text(&account.name), Cell::Word(action), what]);
    }
    for line in &plan.lines {
        if let Some((action, what)) = line_detail(ctx, line) {
            rows.push(vec![code(), Cell::text(&line.name), Cell::Word(action), what]);
        }
    }
    for drift in &plan.drift {
        let what = found(ctx, drift.code, &drift.what);
        rows.push(vec![code(), Cell::text(&drift.name), Cell::Word("drift"), what]);
    }
}

/// A finding with its code.
fn found(ctx: &Context, code: &str, words: &str) -> Cell {
    Cell::text(format!("{} [{code}]", ctx.texts.finding(code, words)))
}

/// What happens to a line that nobody logs in for.
fn line_detail(ctx: &Context, line: &LineStep) -> Option<(&'static str, Cell)> {
    let entry = || match &line.entries.add {
        Some(address) => Some(("add_entry", Cell::text(address))),
        None if !line.entries.remove.is_empty() => Some(("remove_entry", Cell::Empty)),
        None if !line.spare.is_empty() => Some(("remove", Cell::Empty)),
        None => (!line.cut.is_empty()).then(|| ("cut", Cell::text(line.cut.join(", ")))),
    };
    match &line.action {
        LineAction::Keep { .. } | LineAction::Absent => entry(),
        LineAction::Create(written) => Some(("create", Cell::maybe(written.rate))),
        LineAction::Change { fields, .. } => {
            let words: Vec<String> = fields.iter().map(|f| format!("{}: {} -> {}", f.field, f.old, f.new)).collect();
            Some(("change", Cell::text(words.join(", "))))
        }
        LineAction::Remove { .. } => Some(("remove", Cell::Empty)),
        LineAction::Conflict(conflict) => Some(("conflict", found(ctx, conflict.code, &conflict.reason))),
    }
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

async fn apply(ctx: &Context, args: Apply) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let (engine, worker) = (ctx.engine(store), ctx.worker());
    let access = Arc::new(wire::routers(&ctx.config));
    let serves = store.subscribers_per_router(ctx.tenant()).await?;
    let mut exit = Exit::Done;
    let (mut asked, mut work) = (Vec::new(), Vec::new());
    for router in chosen(ctx, store, args.code.as_ref()).await? {
        if is_in_radius(ctx, &router) {
            continue;
        }
        // One worker at a time writes to a router, and what is wanted is read when its turn has come.
        let Some(hold) = engine.turn_at(&worker, router.id).await? else {
            ctx.warn("warn.router_taken", &[("router", router.code.to_string())]);
            exit = exit.worse(Exit::Partial);
            continue;
        };
        if let Err(error) = engine.meet(access.as_ref(), &router, ctx.now).await? {
            exit = exit.worse(down(ctx, &router, &error));
            store.free_router(ctx.tenant(), hold).await?;
            continue;
        }
        let mut wanted = adopting(targets(ctx, store, &router).await?, args.adopt);
        if args.adopt && keep_shut_out(ctx, store, &access, &router, &wanted, args.open_shut_out).await? {
            wanted = adopting(targets(ctx, store, &router).await?, true);
        }
        let limit = ctx.config.policy.isolation.breaker_limit(serves.get(&router.id).copied().unwrap_or(0));
        let held_over = (!args.approve).then(|| usize::try_from(limit).unwrap_or(usize::MAX));
        work.push((router.endpoint.clone(), wanted.clone(), held_over));
        asked.push((router, hold, wanted, limit));
    }
    let mut rows = Rows::new(&[column("router"), number("confirmed"), number("changed"), number("refused")]);
    let applied = engine.renewing(&worker, access.apply_many(work, ROUTERS_AT_ONCE)).await;
    for ((router, hold, wanted, limit), applied) in asked.into_iter().zip(applied) {
        match applied {
            Ok(Guarded::Applied(mut outcomes)) => {
                // What a line left is closed last: an address or a device takes its traces along when the line moves.
                let lines: Vec<SubscriptionId> = wanted.iter().map(|target| target.subscription_id).collect();
                let closing = engine.close_left(access.as_ref(), &router, &lines, ctx.now);
                match engine.renewing(&worker, closing).await? {
                    Ok(left) => refuse_left(&wanted, &mut outcomes, left),
                    Err(error) => {
                        told(ctx, store, &router, hold, &unread(&wanted, ctx.now)).await?;
                        exit = exit.worse(down(ctx, &router, &error));
                        store.free_router(ctx.tenant(), hold).await?;
                        continue;
                    }
                }
                let (cells, partly) = confirmed(ctx, store, &router, hold, &wanted, &outcomes).await?;
                rows.push(cells);
                exit = exit.worse(if partly { Exit::Partial } else { Exit::Done });
            }
            Ok(Guarded::Held(plan)) => {
                let count = plan.summary().isolated.to_string();
                let variables = [("router", router.code.to_string()), ("count", count), ("limit", limit.to_string())];
                ctx.warn("warn.apply_held", &variables);
                exit = exit.worse(Exit::Refused);
            }
            Err(error) => {
                // Some of it may have been written.
                let lines = unread(&wanted, ctx.now);
                told(ctx, store, &router, hold, &lines).await?;
                exit = exit.worse(down(ctx, &router, &error));
            }
        }
        store.free_router(ctx.tenant(), hold).await?;
    }
    ctx.rows(&rows)?;
    Ok(exit)
}

/// A line of which something that it left could not be closed is not as it is wanted.
fn refuse_left(wanted: &[AccessTarget], outcomes: &mut [ApplyOutcome], left: Vec<(AccessTarget, ApplyOutcome)>) {
    for (target, outcome) in left {
        let line = wanted.iter().position(|wanted| wanted.subscription_id == target.subscription_id);
        if let (Some(kept), ApplyOutcome::Refused { .. }) = (line.and_then(|at| outcomes.get_mut(at)), &outcome) {
            *kept = outcome;
        }
    }
}

/// Lines of which nothing was read.
fn unread(wanted: &[AccessTarget], at: DateTime<Utc>) -> Vec<(SubscriptionId, ObservedAccess)> {
    let nothing = ObservedAccess { access: None, revision: 0, at, answer: String::new() };
    wanted.iter().map(|target| (target.subscription_id, nothing.clone())).collect()
}

/// Records what a router said, while it is ours; true when another worker wrote to it meanwhile, so that none of it
/// counts and everything is to be applied again.
async fn told(
    ctx: &Context,
    store: &dyn Store,
    router: &Router,
    hold: RouterHold,
    lines: &[(SubscriptionId, ObservedAccess)],
) -> anyhow::Result<bool> {
    let mut doubted = false;
    for lines in lines.chunks(1_000) {
        let observed = Observed { lines, under: Some(hold) };
        doubted |= store.record(ctx.tenant(), ctx.worker, &[], observed).await?.doubted;
    }
    if doubted {
        ctx.warn("warn.router_lost", &[("router", router.code.to_string())]);
    }
    Ok(doubted)
}

/// Names the accounts that taking them over would open although somebody shut them out by hand. Unless `open` says
/// otherwise, their lines are isolated by hand here too, so that the router's owner decides when they open. Returns whether
/// a line was.
async fn keep_shut_out(
    ctx: &Context,
    store: &dyn Store,
    access: &MikrotikAccess,
    router: &Router,
    wanted: &[AccessTarget],
    open: bool,
) -> anyhow::Result<bool> {
    // A router that does not answer is told by what comes next.
    let Ok(plan) = access.plan_whole(&router.endpoint, wanted).await else { return Ok(false) };
    let engine = ctx.engine(store);
    let mut kept = false;
    for drift in plan.shut_out_by_hand() {
        let variables = [("router", router.code.to_string()), ("account", drift.name.clone())];
        ctx.warn(if open { "warn.shut_out_opened" } else { "warn.shut_out_kept" }, &variables);
        let target = wanted.iter().find(|target| target.account.username.as_str() == drift.name);
        if let (Some(target), false) = (target, open) {
            engine
                .isolate_line(
                    target.subscription_id,
                    ctx.officer.as_str(),
                    "shut out on the router at take-over",
                    ctx.now,
                )
                .await?;
            kept = true;
        }
    }
    Ok(kept)
}

/// Records what a router said of each account; true when not all of it is as it should be.
async fn confirmed(
    ctx: &Context,
    store: &dyn Store,
    router: &Router,
    hold: RouterHold,
    wanted: &[AccessTarget],
    outcomes: &[ApplyOutcome],
) -> anyhow::Result<(Vec<Cell>, bool)> {
    let (mut done, mut changes, mut refused, mut observed) = (0_u64, 0_u64, 0_u64, Vec::new());
    for (target, outcome) in wanted.iter().zip(outcomes) {
        match outcome {
            ApplyOutcome::Done { access, changed, answer } => {
                done += 1;
                changes += u64::from(*changed);
                let seen = ObservedAccess {
                    access: Some(*access),
                    revision: target.revision,
                    at: ctx.now,
                    answer: answer.clone(),
                };
                observed.push((target.subscription_id, seen));
            }
            ApplyOutcome::Refused { code, reason } => {
                refused += 1;
                let seen = ObservedAccess::refused(target.revision, ctx.now, code, reason);
                observed.push((target.subscription_id, seen));
                let variables = [
                    ("router", router.code.to_string()),
                    ("account", target.account.username.to_string()),
                    ("reason", reason.clone()),
                    ("error", (*code).to_owned()),
                ];
                ctx.warn("warn.account_refused", &variables);
            }
        }
    }
    let doubted = told(ctx, store, router, hold, &observed).await?;
    if doubted {
        done = 0;
    }
    let cells = vec![Cell::text(&router.code), Cell::count(done), Cell::count(changes), Cell::count(refused)];
    Ok((cells, doubted || refused > 0))
}
