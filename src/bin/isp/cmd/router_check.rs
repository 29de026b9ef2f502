//! `isp router check`: whether a router answers, who it is, and what on it would keep customers off line.

use std::collections::BTreeMap;

use clap::Args;
use isp_core::text::Code;
use isp_mikrotik::reconcile::{GroupAction, Plan};

use super::{args, router};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};
use crate::wire;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Router code; all routers when not given.
    #[arg(value_parser = args::code)]
    code: Option<Code>,
}

pub(crate) async fn run(ctx: &Context, args: Check) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    router::warn_of_tables(ctx, store).await?;
    let access = wire::routers(&ctx.config);
    let mut exit = Exit::Done;
    let mut rows = Rows::new(&[
        column("router"),
        column("name"),
        column("version"),
        column("board"),
        number("accounts"),
        number("online"),
        number("findings"),
    ]);
    for asked in router::chosen(ctx, store, args.code.as_ref()).await? {
        let check = match access.check(&asked.endpoint, ctx.config.mikrotik.code_page).await {
            Ok(check) => check,
            Err(error) => {
                let variables = [
                    ("router", asked.code.to_string()),
                    ("reason", ctx.texts.port(&error.to_string())),
                    ("error", error.code().to_owned()),
                ];
                ctx.warn("warn.router_failed", &variables);
                exit = Exit::Partial;
                continue;
            }
        };
        if let Err(error) = ctx.engine(store).meet(&access, &asked, ctx.now).await? {
            exit = router::down(ctx, &asked, &error);
            continue;
        }
        let wanted = router::targets(ctx, store, &asked).await?;
        let told = match access.plan_whole(&asked.endpoint, &wanted).await {
            Ok(_) if router::is_in_radius(ctx, &asked) => BTreeMap::new(),
            Ok(plan) => findings(ctx, &plan),
            Err(error) => {
                exit = router::down(ctx, &asked, &error);
                continue;
            }
        };
        for ((_, error), (count, what)) in &told {
            let variables = [
                ("router", asked.code.to_string()),
                ("what", what.clone()),
                ("count", count.to_string()),
                ("error", (*error).to_owned()),
            ];
            ctx.warn(if *count == 1 { "warn.router_finding" } else { "warn.router_findings" }, &variables);
        }
        if !told.is_empty() {
            exit = Exit::Partial;
        }
        rows.push(vec![
            Cell::text(&asked.code),
            Cell::text(&check.identity),
            Cell::text(&check.version),
            Cell::text(&check.board),
            Cell::count(check.accounts),
            Cell::count(check.sessions),
            Cell::count(told.len()),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(exit)
}

/// Each kind of finding once: of what it is, how often, and the first of it.
fn findings(ctx: &Context, plan: &Plan) -> BTreeMap<(&'static str, &'static str), (usize, String)> {
    let mut told: BTreeMap<(&str, &str), (usize, String)> = BTreeMap::new();
    for drift in &plan.drift {
        let first =
            || format!("{} {}: {}", drift.object.word(), drift.name, ctx.texts.finding(drift.code, &drift.what));
        told.entry((drift.object.word(), drift.code)).or_insert_with(|| (0, first())).0 += 1;
    }
    for group in &plan.groups {
        if let GroupAction::Conflict(conflict) = &group.action {
            told.entry(("profile", conflict.code))
                .or_insert_with(|| (0, ctx.texts.finding(conflict.code, &conflict.reason)))
                .0 += 1;
        }
    }
    told
}
