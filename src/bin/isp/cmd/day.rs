//! `isp bill`, `isp remind`, `isp run`: the work of a day.

use isp_core::engine::{Approval, BillReport, DayReport, DayStep, RemindReport, Tidied};
use isp_core::ids::CustomerId;
use isp_core::ports::{AccessQuery, PageQuery};
use isp_core::simulation::What;

use super::clock::{Bill, Remind};
use super::deliver::{self, Wires};
use super::isolate::{self, Enforce};
use super::message_text;
use super::simulate;
use super::survey;
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, number};
use crate::progress::Progress;

pub(crate) async fn bill(ctx: &Context, args: Bill) -> anyhow::Result<Exit> {
    if args.dry.dry_run {
        let money = |what: &What| matches!(what, What::Billed { .. } | What::GivenBack { .. } | What::NotBilled { .. });
        args.clock.warn(ctx).await?;
        return simulate::foretell(ctx, &Approval::None, money).await;
    }
    args.clock.begin(ctx).await?;
    let report = billed(ctx).await?;
    ctx.done("done.billed", &bill_variables(&report), &bill_row(&report))?;
    warn_problems(ctx, &report).await?;
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Partial })
}

pub(crate) async fn remind(ctx: &Context, args: Remind) -> anyhow::Result<Exit> {
    if args.dry_run {
        return message_text::reminders(ctx, args).await;
    }
    args.clock.begin(ctx).await?;
    let store = ctx.store().await?;
    let report = ctx.engine(store).remind(ctx.now).await?;
    let mut row = Rows::new(&[number("queued"), number("known"), number("unreachable")]);
    row.push(vec![Cell::count(report.queued), Cell::count(report.known), Cell::count(report.unreachable)]);
    ctx.done("done.reminded", &remind_variables(report), &row)?;
    Ok(Exit::Done)
}

/// All of a day, in order. It is the tenant's only run while it lasts, and may be repeated at any time.
pub(crate) async fn run(ctx: &Context, args: &Enforce) -> anyhow::Result<Exit> {
    if args.dry() {
        args.warn_of_clock(ctx).await?;
        return simulate::foretell(ctx, &args.approval(ctx).await?, |_| true).await;
    }
    // Money that only a question tells of counts before anybody is isolated.
    let polled = super::gateway::poll(ctx).await?;
    let store = ctx.store().await?;
    let said = args.said(ctx).await?;
    let (worker, wires) = (ctx.worker().await?, Wires::new(ctx, ctx.shared().await?, Some(ctx.now)));
    let mut teller = Teller::new(ctx);
    let done =
        ctx.engine(store).run_day_watched(&wires.outside(&worker), &said, ctx.now, &mut |step| teller.tell(step)).await;
    let told = teller.told;
    // What was committed before a failure is named, too.
    if let Some(billed) = &told.billed {
        warn_problems(ctx, billed).await?;
    }
    let day = done?;
    told.written?;
    isolate::warn_held(ctx, &day.enforced).await?;
    isolate::warn_money_waits(ctx, &day.enforced).await?;
    super::holidays::warn_unknown(ctx, ctx.today());
    deliver::warn(ctx, &wires, &day.delivered).await?;
    survey::warn(ctx, &day.surveyed, &day.delivered).await?;
    print_day(ctx, &day)?;
    tidy(ctx).await?;
    Ok(match () {
        () if !day.enforced.held.is_empty() => Exit::Refused,
        () if !day.billed.problems.is_empty() => Exit::Partial,
        () => deliver::exit(&day.delivered).worse(survey::exit(&day.surveyed)).worse(polled),
    })
}

/// Removes what was kept for long enough and is no part of the books.
async fn tidy(ctx: &Context) -> anyhow::Result<()> {
    let inbox = ctx.shared().await?;
    let gone = ctx.engine(ctx.store().await?).tidy(inbox.as_ref(), &ctx.config.retention, ctx.now).await?;
    if gone == Tidied::default() {
        return Ok(());
    }
    let counts = [
        ("webhooks", gone.webhooks.to_string()),
        ("links", gone.links.to_string()),
        ("files", gone.proof_files.to_string()),
    ];
    ctx.say("done.tidied", &counts)
}

/// Says each step of a run when it is done.
struct Teller<'a> {
    ctx: &'a Context,
    progress: Option<Progress>,
    told: ToldSoFar,
}

/// What a run has done so far, and whether it could be said.
struct ToldSoFar {
    billed: Option<BillReport>,
    written: anyhow::Result<()>,
}

impl<'a> Teller<'a> {
    fn new(ctx: &'a Context) -> Self {
        let progress = Progress::start(ctx.texts.t("progress.billing"), ctx.quiet);
        Self { ctx, progress: Some(progress), told: ToldSoFar { billed: None, written: Ok(()) } }
    }

    fn tell(&mut self, step: DayStep<'_>) {
        let said = match step {
            DayStep::Billing(seen) => {
                self.progress.iter_mut().for_each(|progress| progress.at(seen));
                return;
            }
            DayStep::Billed(report) => {
                self.progress = None;
                self.told.billed = Some(report.clone());
                self.ctx.say("done.billed", &bill_variables(report))
            }
            DayStep::Reminded(report) => self.ctx.say("done.reminded", &remind_variables(report)),
            DayStep::Enforced(report) => {
                let counts = [
                    ("isolated", report.isolated.len().to_string()),
                    ("reopened", report.reopened.len().to_string()),
                    ("closed", report.closed.len().to_string()),
                    ("regrouped", report.regrouped.len().to_string()),
                ];
                let told = self.ctx.say("done.enforced", &counts);
                told.and_then(|()| isolate::say_waiting(self.ctx, report))
            }
            DayStep::Surveyed(report) => survey::say(self.ctx, report),
            DayStep::Delivered(report) => self.ctx.say("done.delivered", &deliver::variables(report)),
            _ => Ok(()),
        };
        // The run goes on without a reader: a broken pipe stops no reminder.
        if self.told.written.is_ok() {
            self.told.written = said;
        }
    }
}

fn print_day(ctx: &Context, day: &DayReport) -> anyhow::Result<()> {
    if ctx.format == crate::output::Format::Table {
        return Ok(());
    }
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
        Cell::count(day.billed.invoices),
        day.billed.amount.into(),
        Cell::count(day.billed.problems.len()),
        Cell::count(day.reminded.queued),
        Cell::count(day.enforced.isolated.len()),
        Cell::count(day.enforced.reopened.len()),
        Cell::count(day.delivered.applied),
        Cell::count(day.delivered.sent),
        Cell::count(day.enforced.held.len()),
    ]);
    ctx.rows(&row)
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
