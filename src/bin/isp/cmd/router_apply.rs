//! `isp router apply`: routers brought to what is wanted, and read back.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;
use isp_core::ids::SubscriptionId;
use isp_core::isolation::AccessTarget;
use isp_core::isolation::access::ObservedAccess;
use isp_core::place::{Router, RouterEndpoint};
use isp_core::ports::{ApplyOutcome, Observed, RouterHold, Store};
use isp_core::text::Code;
use isp_mikrotik::MikrotikAccess;
use isp_mikrotik::access::{Guarded, RedirectReport};

use super::args;
use super::router::{adopting, chosen, down, is_in_radius, targets, warn_of_tables};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};
use crate::wire;

/// So that one that does not answer holds nobody else up.
const ROUTERS_AT_ONCE: usize = 16;

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

pub(super) async fn run(ctx: &Context, args: Apply) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    warn_of_tables(ctx, store).await?;
    let (engine, worker) = (ctx.engine(store), ctx.worker().await?);
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
    let mut rows =
        Rows::new(&[column("router"), number("confirmed"), number("changed"), number("refused"), number("rules")]);
    let applied = engine.renewing(&worker, access.apply_many(work, ROUTERS_AT_ONCE)).await;
    let answered =
        asked.iter().zip(&applied).map(|((router, ..), applied)| applied.is_ok().then_some(&router.endpoint));
    let kept = engine.renewing(&worker, keep_redirects(&access, answered.collect())).await;
    for (((router, hold, wanted, limit), applied), kept) in asked.into_iter().zip(applied).zip(kept) {
        exit = exit.worse(tell_redirect(ctx, &router, &kept));
        let rules = Cell::count(kept.written.len());
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
                let (mut cells, partly) = confirmed(ctx, store, &router, hold, &wanted, &outcomes).await?;
                cells.push(rules);
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

/// Brings the rules that lead isolated lines to the page for paying to what the settings want, on the routers that answered.
async fn keep_redirects(access: &MikrotikAccess, routers: Vec<Option<&RouterEndpoint>>) -> Vec<RedirectReport> {
    let mut kept = Vec::with_capacity(routers.len());
    for some in routers.chunks(ROUTERS_AT_ONCE) {
        let one = async |router: &Option<&RouterEndpoint>| match router {
            Some(router) => access.keep_redirect(router).await.unwrap_or_default(),
            None => RedirectReport::default(),
        };
        kept.extend(futures::future::join_all(some.iter().map(one)).await);
    }
    kept
}

/// Tells what a person should know of these rules.
fn tell_redirect(ctx: &Context, router: &Router, kept: &RedirectReport) -> Exit {
    for finding in &kept.findings {
        let variables = [
            ("router", router.code.to_string()),
            ("what", ctx.texts.finding(finding.code, &finding.what)),
            ("count", "1".to_owned()),
            ("error", finding.code.to_owned()),
        ];
        ctx.warn("warn.router_finding", &variables);
    }
    if kept.failed { Exit::Partial } else { Exit::Done }
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
                    ("reason", ctx.texts.finding(code, reason)),
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
