//! Changes of a line's terms: their effect in rupiah, shown or done.

use clap::Args;
use isp_core::billing::{Invoice, InvoiceKind};
use isp_core::calendar::Date;
use isp_core::customer::Customer;
use isp_core::engine::terms::Wish;
use isp_core::ids::SubscriptionId;
use isp_core::package::Package;
use isp_core::ports::Store;
use isp_core::terms::{Change, Command};

use super::clock::Clock;
use super::find;
use super::subscription::Which;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Format, Rows, column, number};

#[derive(Debug, Args)]
pub(crate) struct Dry {
    /// Show the effect and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    clock: Clock,
}

#[derive(Debug, Args)]
pub(crate) struct Since {
    /// The day from which it holds: today, when not given, or a day of the past.
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    #[command(flatten)]
    pub(crate) dry: Dry,
}

impl Since {
    /// True when a day was given.
    pub(crate) const fn is_said(&self) -> bool {
        self.since.is_some()
    }
}

/// A line, and the day that a change of it holds from.
pub(crate) struct Line<'a> {
    ctx: &'a Context,
    store: &'a dyn Store,
    customer: Customer,
    id: SubscriptionId,
}

impl<'a> Line<'a> {
    pub(crate) async fn find(ctx: &'a Context, which: &'a Which, dry: &Dry) -> anyhow::Result<Self> {
        let store = ctx.store().await?;
        let customer = match dry.dry_run {
            true => find::person(ctx, store, which.customer.as_str()).await?,
            false => find::customer(ctx, store, &which.customer).await?,
        };
        let id = find::subscription(ctx, store, &customer, which.username.as_ref()).await?.0.id;
        Ok(Self { ctx, store, customer, id })
    }

    pub(crate) async fn day(&self, since: &Since) -> anyhow::Result<Date> {
        match since.since {
            Some(day) => Ok(day),
            None => Ok(self.ctx.engine(self.store).today_at(self.id, self.ctx.now).await?),
        }
    }

    /// The package that the line has, where another one is planned.
    pub(crate) async fn planned_away(&self) -> anyhow::Result<Package> {
        let today = self.ctx.engine(self.store).today_at(self.id, self.ctx.now).await?;
        let lines = find::subscriptions(self.ctx, self.store, &self.customer).await?;
        let terms = lines.into_iter().find(|(line, _)| line.id == self.id).map(|(line, _)| line.terms);
        let planned = terms.filter(|terms| terms.change.is_some_and(|change| today < change.from));
        let nothing = || Failure::Usage { problem: "no_package_planned", what: find::named(&self.customer) };
        let runs = planned.ok_or_else(nothing)?.package_on(today);
        let packages = self.store.packages(self.ctx.tenant()).await?;
        let missing = || Failure::NotFound { noun: "package", code: runs.to_string() };
        Ok(packages.into_iter().find(|package| package.id == runs).ok_or_else(missing)?)
    }

    /// Ends the line. What was served and paid for cannot be taken up again, so on a terminal it shows first what that comes to.
    pub(crate) async fn end(&self, end: Date, dry: &Dry) -> anyhow::Result<Exit> {
        let more = [("end", end.to_string()), ("last", end.plus_days(-1).to_string())];
        self.ask_first(Command::End { end }, dry, "done.terminated", &more, "ask.terminate").await
    }

    /// Changes the line as [`Line::change`] does. On a terminal it shows first what that comes to, and asks.
    pub(crate) async fn ask_first(
        &self,
        command: Command,
        dry: &Dry,
        key: &str,
        more: &[(&str, String)],
        question: &str,
    ) -> anyhow::Result<Exit> {
        if !dry.dry_run && self.ctx.asks() {
            // A program that reads the output gets it once.
            if self.ctx.format == Format::Table {
                let seen = Dry { dry_run: true, clock: dry.clock };
                self.changed(command, &seen, key, more, Told::ToAsk).await?;
            }
            let variables = [&[("code", find::named(&self.customer))], more].concat();
            if !self.ctx.may(question, &variables)? {
                return Ok(Exit::Refused);
            }
        }
        self.change(command, dry, key, more).await
    }

    /// Does it, or only shows what it would come to; says `key` with the day and the sums, then every document.
    pub(crate) async fn change(
        &self,
        command: Command,
        dry: &Dry,
        key: &str,
        more: &[(&str, String)],
    ) -> anyhow::Result<Exit> {
        self.changed(command, dry, key, more, Told::Alone).await
    }

    async fn changed(
        &self,
        command: Command,
        dry: &Dry,
        key: &str,
        more: &[(&str, String)],
        told: Told,
    ) -> anyhow::Result<Exit> {
        let (ctx, engine) = (self.ctx, self.ctx.engine(self.store));
        let wish = Wish { by: ctx.officer.as_str(), clock: dry.clock.word(ctx), ..Wish::default() };
        if dry.dry_run {
            dry.clock.warn(ctx).await?;
        }
        let change = match dry.dry_run {
            true => engine.preview_terms(self.id, command, wish, ctx.now).await?,
            false => engine.change_terms(self.id, command, wish, ctx.now).await?,
        };
        let settled = change.settled();
        let mut variables = vec![
            ("code", find::named(&self.customer)),
            ("from", change.from.to_string()),
            ("charged", settled.charged.to_string()),
            ("given_back", settled.given_back.to_string()),
        ];
        variables.extend(more.iter().cloned());
        ctx.say(key, &variables)?;
        if let Some(moved) = &change.package_moved {
            let packages = self.store.packages(ctx.tenant()).await?;
            let package = packages.iter().find(|p| p.id == moved.package_id);
            let variables = [
                ("package", package.map_or_else(|| moved.package_id.to_string(), |p| p.code.to_string())),
                ("was", moved.was.to_string()),
                ("from", moved.from.to_string()),
            ];
            ctx.say("done.package_moved", &variables)?;
        }
        ctx.rows(&documents(&change))?;
        match (dry.dry_run, told) {
            (false, _) => {}
            (true, Told::Alone) => ctx.say("import.dry_run", &[])?,
            // A question follows: it is no dry run that was asked for.
            (true, Told::ToAsk) => ctx.say("ask.not_yet", &[])?,
        }
        Ok(Exit::Done)
    }
}

/// Why something is shown that is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It was asked for.
    Alone,
    /// A question follows.
    ToAsk,
}

/// What is invoiced and given back now, and the next invoice.
fn documents(change: &Change) -> Rows {
    let mut rows = Rows::new(&[column("what"), column("period"), number("total"), column("issued"), column("due")]);
    let invoice = |what: &'static str, i: &Invoice| {
        vec![Cell::Word(what), Cell::text(i.period), i.total.into(), i.issue_date.into(), i.due_date.into()]
    };
    for i in &change.invoices {
        rows.push(invoice(if i.kind == InvoiceKind::Adjustment { "adjustment" } else { "invoice" }, i));
    }
    for n in &change.credit_notes {
        rows.push(vec![
            Cell::Word("given_back"),
            Cell::text(n.period),
            (-n.total).into(),
            n.issue_date.into(),
            Cell::Empty,
        ]);
    }
    if let Some(i) = &change.next {
        rows.push(invoice("next_invoice", i));
    }
    rows
}
