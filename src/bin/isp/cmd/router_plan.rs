//! `isp router plan`: what stands between routers and what is wanted.

use clap::Args;
use isp_core::place::Router;
use isp_core::text::Code;
use isp_mikrotik::reconcile::line::{LineAction, LineStep};
use isp_mikrotik::reconcile::redirect::RedirectAction;
use isp_mikrotik::reconcile::{Action, GroupAction, Plan};

use super::args;
use super::router::{adopting, chosen, down, is_in_radius, targets, warn_of_tables};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Column, Rows, column, number};
use crate::wire;

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

pub(super) async fn run(ctx: &Context, args: PlanArgs) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    warn_of_tables(ctx, store).await?;
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
    number("rules"),
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
        sum.redirect,
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
    for step in &plan.redirect {
        let (action, what) = match &step.action {
            RedirectAction::Add { fields: made, .. } => {
                let words: Vec<String> = made.iter().map(|(name, value)| format!("{name}={value}")).collect();
                ("create", Cell::text(words.join(" ")))
            }
            RedirectAction::Change { fields: changed, .. } => ("change", fields(changed)),
            RedirectAction::Move { why, .. } => ("move", Cell::Word(why.code())),
            RedirectAction::Remove { why, .. } => ("remove", Cell::Word(why.code())),
        };
        rows.push(vec![code(), Cell::text(format!("{} {}", step.menu, step.name)), Cell::Word(action), what]);
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
