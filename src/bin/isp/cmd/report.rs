//! `isp report`: the five reports.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use isp_core::Money;
use isp_core::calendar::Month;
use isp_core::customer::Phone;
use isp_core::ledger::Account;
use isp_core::report::{Aging, CashRow, CpeRow, Finance, GroupBy, ProfitLoss, ProfitLossRow};

use super::subscription::{off_cell, status_word};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Column, Format, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Customers with line, access and what they owe.
    #[command(after_help = "Example:\n  isp report customers --contacts --format csv > pelanggan.csv")]
    Customers(Customers),
    /// Devices, and lent ones that should have come back.
    Cpe(Cpe),
    /// Packages with their subscribers.
    Packages,
    /// Billed, collected and outstanding by month, with the age of what is open.
    #[command(after_help = "Example:\n  isp report finance --from 2026-01 --to 2026-04")]
    Finance(SplitSpan),
    /// Where the money is: cash, bank, gateways and collectors by month.
    #[command(after_help = "Example:\n  isp report cash --from 2026-01 --to 2026-04")]
    Cash(Span),
    /// Profit and loss by month: accrual without PPN, with a cash view.
    #[command(after_help = "Example:\n  isp report profit-loss --from 2026-01 --to 2026-04 --split package")]
    ProfitLoss(SplitSpan),
}

#[derive(Debug, Args)]
pub(crate) struct Customers {
    /// Show addresses and whole phone numbers.
    #[arg(long)]
    contacts: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cpe {
    /// Only lent devices that should have come back, with their value.
    #[arg(long)]
    to_return: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Span {
    /// One month, such as 2026-01; this month when nothing is given.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    month: Option<Month>,
    /// First month.
    #[arg(long)]
    from: Option<Month>,
    /// Last month; this month when not given.
    #[arg(long)]
    to: Option<Month>,
}

#[derive(Debug, Args)]
pub(crate) struct SplitSpan {
    #[command(flatten)]
    span: Span,
    /// Split the months further.
    #[arg(long, value_enum, default_value_t = Split::Month)]
    split: Split,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Split {
    /// Only months.
    Month,
    /// Months and packages.
    Package,
    /// Months and sites.
    Site,
}

impl Split {
    const fn by(self) -> GroupBy {
        match self {
            Self::Month => GroupBy::Month,
            Self::Package => GroupBy::Package,
            Self::Site => GroupBy::Site,
        }
    }
}

impl Span {
    fn months(&self, ctx: &Context) -> Result<(Month, Month), Failure> {
        let this = ctx.today().month();
        let (first, last) = match self.month {
            Some(month) => (month, month),
            None => {
                let last = self.to.unwrap_or_else(|| this.max(self.from.unwrap_or(this)));
                (self.from.unwrap_or(last), last)
            }
        };
        if first > last {
            return Err(Failure::Usage { problem: "from_after_to", what: format!("{first} > {last}") });
        }
        Ok((first, last))
    }
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let engine = ctx.engine(store);
    match command {
        Command::Customers(args) => {
            // A day that was named is told as it was: what was recorded after it does not count.
            let report = match ctx.dated {
                true => engine.report_customers_at(ctx.now).await?,
                false => engine.report_customers(ctx.now).await?,
            };
            ctx.rows(&customer_rows(&report, args.contacts))?;
        }
        Command::Cpe(args) => {
            let report = match ctx.dated {
                true => engine.report_cpe_at(ctx.now).await?,
                false => engine.report_cpe(ctx.now).await?,
            };
            ctx.rows(&cpe_rows(report.into_iter().filter(|row| !args.to_return || row.to_return)))?;
        }
        Command::Packages => {
            let report = match ctx.dated {
                true => engine.report_packages_at(ctx.now).await?,
                false => engine.report_packages(ctx.now).await?,
            };
            ctx.rows(&package_rows(&report))?;
        }
        Command::Finance(args) => {
            let (first, last) = args.span.months(ctx)?;
            let split = !matches!(args.split, Split::Month);
            let by = args.split.by();
            let report = match ctx.dated {
                true => engine.report_finance_at(first, last, by, ctx.now).await?,
                false => engine.report_finance(first, last, by, ctx.now).await?,
            };
            finance(ctx, &report, split)?;
            return tied(ctx, first, last).await;
        }
        Command::Cash(span) => {
            let (first, last) = span.months(ctx)?;
            ctx.rows(&cash_rows(&engine.report_cash(first, last).await?))?;
            return tied(ctx, first, last).await;
        }
        Command::ProfitLoss(args) => {
            let (first, last) = args.span.months(ctx)?;
            profit_loss(ctx, &engine.report_profit_loss(first, last, args.split.by()).await?)?;
            return tied(ctx, first, last).await;
        }
    }
    Ok(Exit::Done)
}

/// Says where the books do not tie to the journal that the report is a sum of, and by how much.
async fn tied(ctx: &Context, first: Month, last: Month) -> anyhow::Result<Exit> {
    /// Documents named one by one; the rest is counted.
    const NAMED: usize = 20;
    let store = ctx.store().await?;
    let ties = ctx.engine(store).ties(first, last).await?;
    for untied in &ties.untied {
        let variables = [
            ("account", ctx.texts.t(&format!("word.{}", untied.account.code()))),
            ("month", untied.month.map_or_else(String::new, |month| format!(" {month}"))),
            ("documents", untied.documents.to_string()),
            ("journal", untied.journal.to_string()),
            ("difference", (untied.documents - untied.journal).to_string()),
        ];
        ctx.warn("warn.untied", &variables);
    }
    if !ties.found.is_empty() {
        let mut names = ties.found.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if let Some(more) = ties.found.len().checked_sub(NAMED).filter(|more| *more > 0) {
            names = ctx.texts.with("output.and_more", &[("names", names), ("count", more.to_string())]);
        }
        ctx.warn("warn.untied_documents", &[("names", names)]);
    }
    Ok(if ties.untied.is_empty() && ties.found.is_empty() { Exit::Done } else { Exit::Partial })
}

/// The customers' report as rows; without contacts, numbers are masked and addresses left out.
pub(crate) fn customer_rows(report: &[isp_core::report::CustomerRow], contacts: bool) -> Rows {
    let mut columns: Vec<Column> = vec![column("code"), column("name"), column("phone")];
    if contacts {
        columns.push(column("address"));
    }
    columns.extend([
        column("package"),
        number("price"),
        number("discount"),
        number("months"),
        column("status"),
        column("router"),
        column("access"),
        column("confirmed"),
        number("owed"),
        number("overdue"),
        number("days_late"),
        number("credit"),
    ]);
    let mut rows = Rows::new(&columns);
    for row in report {
        let phone = match &row.phone {
            Some(phone) => match Phone::parse(phone) {
                Ok(phone) if contacts => Cell::Phone(phone),
                Ok(phone) => Cell::text(phone),
                Err(_) => Cell::Empty,
            },
            None => Cell::Empty,
        };
        let mut cells = vec![Cell::text(&row.code), Cell::text(&row.name), phone];
        if contacts {
            cells.push(Cell::text(&row.address));
        }
        cells.extend([
            Cell::maybe(row.package.as_ref()),
            row.price.map_or(Cell::Empty, Cell::Money),
            off_cell(row.discount),
            row.cycle_months.map_or(Cell::Empty, Cell::count),
            row.status.map_or(Cell::Empty, |status| Cell::Word(status_word(status))),
            Cell::maybe(row.router.as_ref()),
            row.access.map_or(Cell::Empty, |access| Cell::Word(access.code())),
            row.confirmed.map_or(Cell::Empty, yes_no),
            row.owed.into(),
            row.overdue.into(),
            Cell::count(row.days_late),
            row.credit.into(),
        ]);
        rows.push(cells);
    }
    rows
}

/// The devices' report as rows.
pub(crate) fn cpe_rows(report: impl Iterator<Item = CpeRow>) -> Rows {
    let mut rows = Rows::new(&[
        column("serial"),
        column("customer"),
        column("name"),
        column("outdoor_unit"),
        column("cpe_router"),
        column("ip"),
        column("ownership"),
        number("value"),
        column("installed"),
        column("to_return"),
    ]);
    for row in report {
        rows.push(vec![
            Cell::text(&row.serial),
            Cell::text(&row.customer),
            Cell::text(&row.name),
            Cell::maybe(row.outdoor_unit.as_ref()),
            Cell::maybe(row.router.as_ref()),
            Cell::maybe(row.ip.as_ref()),
            Cell::Word(row.ownership.code()),
            row.value.into(),
            yes_no(row.installed),
            yes_no(row.to_return),
        ]);
    }
    rows
}

/// The packages' report as rows.
pub(crate) fn package_rows(report: &[isp_core::report::PackageRow]) -> Rows {
    let mut rows = Rows::new(&[
        column("code"),
        column("name"),
        number("price"),
        column("tax"),
        column("speed"),
        column("group"),
        column("sold"),
        number("active"),
        number("isolated"),
        number("paused"),
        number("monthly"),
    ]);
    for row in report {
        rows.push(vec![
            Cell::text(&row.code),
            Cell::text(&row.name),
            row.price.map_or(Cell::Empty, Cell::Money),
            Cell::Word(super::package::tax_word(row.tax_mode)),
            Cell::text(&row.speed),
            Cell::text(&row.group),
            yes_no(row.sold),
            Cell::count(row.active),
            Cell::count(row.isolated),
            Cell::count(row.paused),
            row.monthly.into(),
        ]);
    }
    rows
}

/// The months of the finance report as rows; `slips` is for the columns of PPh 23, which most providers never see.
pub(crate) fn finance_rows(report: &Finance, split: bool, slips: bool) -> Rows {
    let mut columns = vec![column("month")];
    if split {
        columns.push(column("group"));
    }
    columns.extend([number("billed"), number("given_back"), number("ppn"), number("collected")]);
    columns.extend(slips.then(|| number("withheld")));
    columns.extend([number("written_off"), number("outstanding"), number("credit")]);
    columns.extend(slips.then(|| number("pph23_prepaid")));
    let mut rows = Rows::new(&columns);
    for row in &report.months {
        let mut cells = vec![Cell::text(row.month.month())];
        if split {
            cells.push(Cell::maybe(row.group.as_ref()));
        }
        let mut amounts = vec![row.billed, row.given_back, row.ppn, row.collected];
        amounts.extend(slips.then_some(row.withheld));
        amounts.extend([row.written_off, row.outstanding, row.credit]);
        amounts.extend(slips.then_some(row.pph23_prepaid));
        cells.extend(amounts.into_iter().map(Cell::Money));
        rows.push(cells);
    }
    rows
}

/// The age of what is open as one row, and one for each group.
pub(crate) fn aging_rows(report: &Finance, split: bool) -> Rows {
    let mut columns = if split { vec![column("group")] } else { Vec::new() };
    columns.extend([
        number("not_due"),
        number("to_30"),
        number("to_60"),
        number("to_90"),
        number("over_90"),
        number("total"),
    ]);
    let mut rows = Rows::new(&columns);
    let mut push = |group: Option<&String>, aging: &Aging| {
        let mut cells = if split { vec![Cell::maybe(group)] } else { Vec::new() };
        let amounts = [aging.not_due, aging.to_30, aging.to_60, aging.to_90, aging.over_90, aging.total()];
        cells.extend(amounts.into_iter().map(Cell::Money));
        rows.push(cells);
    };
    report.aging_by.iter().for_each(|row| push(row.group.as_ref(), &row.aging));
    push(None, &report.aging);
    rows
}

/// Where the money is, as rows.
fn cash_rows(report: &[CashRow]) -> Rows {
    let mut rows = Rows::new(&[
        column("month"),
        column("account"),
        number("opening"),
        number("received"),
        number("spent"),
        number("moved"),
        number("closing"),
    ]);
    for row in report {
        let mut cells = vec![Cell::text(row.month.month()), Cell::Word(row.account.code())];
        cells.extend([row.opening, row.received, row.spent, row.moved, row.closing].map(Cell::Money));
        rows.push(cells);
    }
    rows
}

fn finance(ctx: &Context, report: &Finance, split: bool) -> anyhow::Result<()> {
    let some = report.months.iter().any(|row| !row.withheld.is_zero() || !row.pph23_prepaid.is_zero());
    let slips = some || ctx.format != Format::Table;
    let (months, aging) = (finance_rows(report, split, slips), aging_rows(report, split));
    match ctx.format {
        Format::Json => {
            let total = aging.json().as_array().and_then(|rows| rows.last().cloned());
            let mut json = serde_json::json!({ "months": months.json(), "aging": total });
            if split {
                json["aging_by"] = aging.json();
            }
            output::print(&format!("{}\n", serde_json::to_string_pretty(&json)?))
        }
        Format::Csv => ctx.rows(&months),
        Format::Table => {
            ctx.rows(&months)?;
            ctx.say("report.aging", &[])?;
            ctx.rows(&aging)
        }
    }
}

/// Profit and loss as rows: a line an account, a column a month (and group), as accountants read it.
fn profit_loss(ctx: &Context, report: &ProfitLoss) -> anyhow::Result<()> {
    if ctx.format == Format::Table {
        return output::print(&profit_loss_table(report, &ctx.texts));
    }
    ctx.rows(&profit_loss_rows(report))
}

/// Profit and loss for programs: a row for each month, group and account.
pub(crate) fn profit_loss_rows(report: &ProfitLoss) -> Rows {
    let mut rows = Rows::new(&[column("month"), column("group"), column("line"), number("amount")]);
    for row in report.rows.iter().chain([&report.total]) {
        let mut line = |code: &'static str, amount: Money| {
            let month = row.month.map(|m| m.month());
            rows.push(vec![Cell::maybe(month), Cell::maybe(row.group.as_ref()), Cell::Word(code), amount.into()]);
        };
        row.revenue.iter().for_each(|(account, amount)| line(account.code(), *amount));
        line("revenue_total", row.revenue_total());
        row.costs.iter().for_each(|(account, amount)| line(account.code(), *amount));
        line("costs_total", row.costs_total());
        line("result", row.result);
        line("cash_in", row.cash_in);
        line("cash_out", row.cash_out);
    }
    rows
}

/// Profit and loss for people: a line an account, a column a month and group, the total last.
pub(crate) fn profit_loss_table(report: &ProfitLoss, texts: &crate::i18n::Texts) -> String {
    let all: Vec<&ProfitLossRow> = report.rows.iter().chain([&report.total]).collect();
    let headings: Vec<String> = all
        .iter()
        .map(|row| match (row.month, &row.group) {
            (None, _) => texts.t("column.total"),
            (Some(month), None) => month.month().to_string(),
            (Some(month), Some(group)) => format!("{} {group}", month.month()),
        })
        .collect();
    let accounts = |pick: fn(&ProfitLossRow) -> &std::collections::BTreeMap<Account, Money>| -> BTreeSet<Account> {
        all.iter().flat_map(|row| pick(row).keys().copied()).collect()
    };
    let word = |code: &str| texts.find(&format!("word.{code}"), &[]).unwrap_or_else(|| code.to_owned());
    let mut lines: Vec<(String, Vec<Money>)> = Vec::new();
    let sums = |pick: &dyn Fn(&ProfitLossRow) -> Money| all.iter().map(|row| pick(row)).collect::<Vec<_>>();
    for account in accounts(|row| &row.revenue) {
        let amounts = sums(&|row| row.revenue.get(&account).copied().unwrap_or_default());
        lines.push((format!("  {}", word(account.code())), amounts));
    }
    lines.push((word("revenue_total"), sums(&ProfitLossRow::revenue_total)));
    for account in accounts(|row| &row.costs) {
        let amounts = sums(&|row| row.costs.get(&account).copied().unwrap_or_default());
        lines.push((format!("  {}", word(account.code())), amounts));
    }
    lines.push((word("costs_total"), sums(&ProfitLossRow::costs_total)));
    lines.push((word("result"), sums(&|row| row.result)));
    lines.push((word("cash_in"), sums(&|row| row.cash_in)));
    lines.push((word("cash_out"), sums(&|row| row.cash_out)));
    let lines = lines.into_iter().map(|(label, amounts)| {
        std::iter::once(label).chain(amounts.iter().map(ToString::to_string)).collect::<Vec<_>>()
    });
    output::plain_table(&std::iter::once(texts.t("column.line")).chain(headings).collect::<Vec<_>>(), lines)
}

fn yes_no(value: bool) -> Cell {
    Cell::Word(if value { "yes" } else { "no" })
}
