//! `isp bill`, `isp remind`, `isp run`: the work of a day.

use isp_core::engine::{BillReport, RemindReport};
use isp_core::ids::CustomerId;
use isp_core::ports::{AccessQuery, PageQuery};

use super::clock::Clock;
use super::deliver;
use super::isolate::{self, Enforce};
use super::survey;
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, number};
use crate::progress::Progress;

pub(crate) async fn bill(ctx: &Context, clock: Clock) -> anyhow::Result<Exit> {
    clock.begin(ctx).await?;
    let report = billed(ctx).await?;
    ctx.done("done.billed", &bill_variables(&report), &bill_row(&report))?;
    warn_problems(ctx, &report).await?;
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Partial })
}

pub(crate) async fn remind(ctx: &Context, clock: Clock) -> anyhow::Result<Exit> {
    clock.begin(ctx).await?;
    let store = ctx.store().await?;
    let report = ctx.engine(store).remind(ctx.now).await?;
    let mut row = Rows::new(&[number("queued"), number("known"), number("unreachable")]);
    row.push(vec![Cell::count(report.queued), Cell::count(report.known), Cell::count(report.unreachable)]);
    ctx.done("done.reminded", &remind_variables(report), &row)?;
    Ok(Exit::Done)
}

/// All of a day, in order. It is the tenant's only run while it lasts, and may be repeated at any time.
pub(crate) async fn run(ctx: &Context, args: &Enforce) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let approval = args.approval(ctx).await?;
    let guard = store.begin_run(ctx.tenant()).await?;
    args.clock().begin(ctx).await?;
    let bill = billed(ctx).await?;
    ctx.say("done.billed", &bill_variables(&bill))?;
    warn_problems(ctx, &bill).await?;
    let remind = ctx.engine(store).remind(ctx.now).await?;
    ctx.say("done.reminded", &remind_variables(remind))?;
    let enforce = isolate::enforce_in_run(ctx, &approval).await?;
    let counts = [
        ("isolated", enforce.isolated.len().to_string()),
        ("reopened", enforce.reopened.len().to_string()),
        ("closed", enforce.closed.len().to_string()),
        ("regrouped", enforce.regrouped.len().to_string()),
    ];
    ctx.say("done.enforced", &counts)?;
    let (delivered, surveyed) = deliver::settle(ctx, &approval).await?;
    survey::say(ctx, &surveyed)?;
    ctx.say("done.delivered", &deliver::variables(&delivered))?;
    deliver::warn(ctx, &delivered).await?;
    survey::warn(ctx, &surveyed, &delivered).await?;
    drop(guard);
    if ctx.format != crate::output::Format::Table {
        let mut row = Rows::new(&[
            number("invoices"),
            number("amount"),
            number("problems"),
            number("queued"),
            number("isolated"),
            number("reopened"),
            number("applied"),
            number("sent"),
            number("held"),
        ]);
        row.push(vec![
            Cell::count(bill.invoices),
            bill.amount.into(),
            Cell::count(bill.problems.len()),
            Cell::count(remind.queued),
            Cell::count(enforce.isolated.len()),
            Cell::count(enforce.reopened.len()),
            Cell::count(delivered.applied),
            Cell::count(delivered.sent),
            Cell::count(enforce.held.len()),
        ]);
        ctx.rows(&row)?;
    }
    Ok(match () {
        () if !enforce.held.is_empty() => Exit::Refused,
        () if !bill.problems.is_empty() => Exit::Partial,
        () => deliver::exit(&delivered).worse(survey::exit(&surveyed)),
    })
}

async fn billed(ctx: &Context) -> anyhow::Result<BillReport> {
    let store = ctx.store().await?;
    let mut progress = Progress::start(ctx.texts.t("progress.billing"), ctx.quiet);
    Ok(ctx.engine(store).bill_with_progress(ctx.now, &mut |seen| progress.at(seen)).await?)
}

/// Names each subscription that could not be billed (rule B8).
async fn warn_problems(ctx: &Context, report: &BillReport) -> anyhow::Result<()> {
    let store = ctx.store().await?;
    for problem in &report.problems {
        let query = AccessQuery::Subscriptions(vec![problem.subscription_id]);
        let facts = store.load_access(ctx.tenant(), &query, PageQuery::first(1)).await?;
        let customer = match facts.first().map(|f| f.customer_id) {
            Some(id) => code_of(ctx, id).await?,
            None => problem.subscription_id.to_string(),
        };
        let variables = [
            ("code", customer),
            ("reason", ctx.texts.domain(&problem.error)),
            ("error", problem.error.code().to_owned()),
        ];
        ctx.warn("warn.not_billed", &variables);
    }
    Ok(())
}

async fn code_of(ctx: &Context, id: CustomerId) -> anyhow::Result<String> {
    let customer = ctx.store().await?.customer(ctx.tenant(), id).await?;
    Ok(customer.map_or_else(|| id.to_string(), |c| c.code.to_string()))
}

fn bill_row(report: &BillReport) -> Rows {
    let mut row =
        Rows::new(&[number("invoices"), number("amount"), number("known"), number("credited"), number("problems")]);
    row.push(vec![
        Cell::count(report.invoices),
        report.amount.into(),
        Cell::count(report.known),
        Cell::count(report.credited),
        Cell::count(report.problems.len()),
    ]);
    row
}

fn bill_variables(report: &BillReport) -> [(&'static str, String); 4] {
    [
        ("invoices", report.invoices.to_string()),
        ("amount", report.amount.to_string()),
        ("credited", report.credited.to_string()),
        ("problems", report.problems.len().to_string()),
    ]
}

fn remind_variables(report: RemindReport) -> [(&'static str, String); 2] {
    [("queued", report.queued.to_string()), ("unreachable", report.unreachable.to_string())]
}
