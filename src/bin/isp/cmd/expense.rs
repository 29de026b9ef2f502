//! `isp expense`: money spent on something other than devices.

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, Month, Zone, plausible_day};
use isp_core::ids::{ExpenseId, SiteId};
use isp_core::ledger::{Account, Expense};
use isp_core::payment::{Channel, Told};
use isp_core::ports::{ExpenseRow, Store};
use isp_core::text::Code;

use super::record::{self, Which, Why};
use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Book an expense other than devices.
    #[command(
        after_help = "Example:\n  isp expense add bandwidth 12500000 --note 'upstream Januari' --site BDG\n  isp expense add other 240000 --paid-from pph23 --note 'PPh badan 2026'"
    )]
    Add(Add),
    /// List expenses, oldest first; those that were booked back say so.
    #[command(after_help = "Example:\n  isp expense list --month 2026-01")]
    List(List),
    /// Show one expense.
    Show(Which),
    /// Correct an expense: it is booked back and booked anew on its day, and both stay visible.
    #[command(after_help = "Example:\n  isp expense edit 4f1a09c2 --amount 1250000 --reason 'salah ketik'")]
    Edit(Edit),
    /// Book an expense back that was booked by mistake.
    #[command(after_help = "Example:\n  isp expense remove 4f1a09c2 --reason 'tercatat dua kali'")]
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// bandwidth, salaries (gaji), electricity (listrik), fees (biaya) or other (lain).
    #[arg(value_parser = args::category)]
    category: Account,
    /// How much.
    #[arg(value_parser = args::money)]
    amount: Money,
    /// When; today when not given.
    #[arg(long)]
    date: Option<Date>,
    /// In words.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    /// At which site, if at one.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    /// From which money it was paid: cash or bank; pph23 for income tax that is paid with what customers kept back.
    #[arg(long, value_parser = args::expense_source, default_value = "cash")]
    paid_from: Channel,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this month's, such as 2026-01.
    #[arg(long, value_parser = args::month)]
    month: Option<Month>,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    which: Which,
    /// Another category.
    #[arg(long, value_parser = args::category)]
    category: Option<Account>,
    /// Another amount.
    #[arg(long, value_parser = args::money)]
    amount: Option<Money>,
    /// Another day.
    #[arg(long)]
    date: Option<Date>,
    /// Other words.
    #[arg(long)]
    note: Option<String>,
    /// Another site.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    /// At no site.
    #[arg(long, conflicts_with = "site")]
    no_site: bool,
    /// From other money.
    #[arg(long, value_parser = args::expense_source)]
    paid_from: Option<Channel>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::Add(Add { category, amount, date, note, site, paid_from, sure }) => {
            let site_id = site_of(ctx, store, site.as_ref()).await?;
            let on = date.unwrap_or_else(|| ctx.today());
            sure.of(plausible_day("date", on, ctx.today()))?;
            let id = ExpenseId(ctx.id());
            let expense = Expense { id, on, category, amount, paid_from, note, site_id };
            ctx.engine(store).expense(expense, sure.told()).await?;
            ctx.say("done.expense", &[("amount", amount.to_string()), ("date", on.to_string())])?;
        }
        Command::List(List { month }) => {
            let mut all = store.expenses(ctx.tenant()).await?;
            all.retain(|row| month.is_none_or(|month| row.expense.on.month() == month));
            ctx.rows(&table(ctx, store, &all).await?)?;
        }
        Command::Show(which) => {
            let row = find_one(ctx, store, &which).await?;
            ctx.rows(&table(ctx, store, &[row]).await?)?;
        }
        Command::Edit(edit) => {
            let ExpenseRow { expense, ending } = find_one(ctx, store, &edit.which).await?;
            let site_id = match (&edit.site, edit.no_site) {
                (Some(_), _) => site_of(ctx, store, edit.site.as_ref()).await?,
                (None, true) => None,
                (None, false) => expense.site_id,
            };
            let instead = Expense {
                id: ExpenseId(ctx.id()),
                on: edit.date.unwrap_or(expense.on),
                category: edit.category.unwrap_or(expense.category),
                amount: edit.amount.unwrap_or(expense.amount),
                paid_from: edit.paid_from.unwrap_or(expense.paid_from),
                note: edit.note.unwrap_or_else(|| expense.note.clone()),
                site_id,
            };
            let same = Expense { id: instead.id, ..expense.clone() };
            record::must_differ(ending.is_none() && instead == same, &edit.which)?;
            let variables = [
                ("before", expense.amount.to_string()),
                ("amount", instead.amount.to_string()),
                ("date", instead.on.to_string()),
            ];
            edit.sure.of(plausible_day("date", instead.on, ctx.today()))?;
            let ending = edit.why.taken_back(ctx)?;
            ctx.engine(store).correct_expense(expense.id, Some(instead), ending, edit.sure.told()).await?;
            ctx.say("done.expense_edited", &variables)?;
        }
        Command::Remove(Remove { which, why }) => {
            let ExpenseRow { expense, .. } = find_one(ctx, store, &which).await?;
            let ending = why.taken_back(ctx)?;
            ctx.engine(store).correct_expense(expense.id, None, ending, Told::ByPerson).await?;
            let variables = [("amount", expense.amount.to_string()), ("date", expense.on.to_string())];
            ctx.say("done.expense_removed", &variables)?;
        }
    }
    Ok(Exit::Done)
}

async fn site_of(ctx: &Context, store: &dyn Store, code: Option<&Code>) -> anyhow::Result<Option<SiteId>> {
    match code {
        Some(code) => Ok(Some(find::site(ctx, store, code).await?.id)),
        None => Ok(None),
    }
}

async fn find_one(ctx: &Context, store: &dyn Store, which: &Which) -> anyhow::Result<ExpenseRow> {
    which.of("expense", store.expenses(ctx.tenant()).await?, |row| row.expense.id.0)
}

async fn table(ctx: &Context, store: &dyn Store, all: &[ExpenseRow]) -> anyhow::Result<Rows> {
    let sites = store.sites(ctx.tenant()).await?;
    let mut rows = Rows::new(&[
        column("date"),
        column("category"),
        number("amount"),
        column("channel"),
        column("site"),
        column("note"),
        column("state"),
        column("ended"),
        column("id"),
    ]);
    for ExpenseRow { expense, ending } in all {
        let site = sites.iter().find(|s| Some(s.id) == expense.site_id);
        let [state, ended] = record::ended(ending.as_ref(), site.map_or(Zone::Wib, |s| s.zone));
        rows.push(vec![
            expense.on.into(),
            Cell::Word(expense.category.code()),
            expense.amount.into(),
            Cell::Word(expense.paid_from.code()),
            Cell::maybe(site.map(|s| &s.code)),
            Cell::text(&expense.note),
            state,
            ended,
            record::shown(expense.id.0),
        ]);
    }
    Ok(rows)
}
