//! `isp report`: the reports, as tables, pages and workbooks.
//!
//! | to find | look in |
//! |---|---|
//! | each report as rows | `rows` |
//! | which charts a page has | `picture` |
//! | the page, its charts, the workbook | `html`, `svg`, `xlsx` |
//! | how a file is written | `files` |

mod files;
mod html;
mod picture;
mod rows;
mod svg;
mod xlsx;

use clap::{Args, Subcommand, ValueEnum};
use isp_core::calendar::Month;
use isp_core::engine::{Engine, EngineError};
use isp_core::report::{CpeRow, CustomerRow, Finance, GroupBy, PackageRow, ProfitLoss};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
pub(super) use files::replace;

use files::Files;
pub(in crate::cmd) use html::{escaped, page};
pub(in crate::cmd) use picture::Section;
pub(crate) use rows::cpe_rows;
use rows::{
    aging_rows, cash_rows, customer_rows, finance_rows, has_slips, package_rows, profit_loss_grid, profit_loss_rows,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Customers with line, access and what they owe.
    #[command(after_help = "Example:\n  isp report customers --contacts --format csv > pelanggan.csv")]
    Customers(Customers),
    /// Devices, and lent ones that should have come back.
    Cpe(Cpe),
    /// Packages with their subscribers.
    Packages(Files),
    /// Billed, collected and outstanding by month, with the age of what is open.
    #[command(after_help = "Example:\n  isp report finance --from 2026-01 --to 2026-04")]
    Finance(SplitSpan),
    /// Where the money is: cash, bank, gateways and collectors by month.
    #[command(after_help = "Example:\n  isp report cash --from 2026-01 --to 2026-04")]
    Cash(CashSpan),
    /// Profit and loss by month: accrual without PPN, with a cash view.
    #[command(after_help = "Example:\n  isp report profit-loss --from 2026-01 --to 2026-04 --split package")]
    ProfitLoss(SplitSpan),
    /// All of them on one page, or in one workbook.
    #[command(after_help = "Example:\n  isp report all --from 2026-01 --to 2026-04 --html laporan.html")]
    All(All),
}

#[derive(Debug, Args)]
pub(crate) struct Customers {
    /// Show addresses and whole phone numbers.
    #[arg(long)]
    contacts: bool,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
pub(crate) struct Cpe {
    /// Only lent devices that should have come back, with their value.
    #[arg(long)]
    to_return: bool,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
pub(crate) struct Span {
    /// One month, such as 2026-01; this month when nothing is given.
    #[arg(long, value_parser = super::args::month, conflicts_with_all = ["from", "to"])]
    month: Option<Month>,
    /// First month.
    #[arg(long, value_parser = super::args::month)]
    from: Option<Month>,
    /// Last month; this month when not given.
    #[arg(long, value_parser = super::args::month)]
    to: Option<Month>,
}

#[derive(Debug, Args)]
pub(crate) struct SplitSpan {
    #[command(flatten)]
    span: Span,
    /// Split the months further.
    #[arg(long, value_enum, default_value_t = Split::Month)]
    split: Split,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
pub(crate) struct CashSpan {
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
pub(crate) struct All {
    #[command(flatten)]
    span: Span,
    /// Show addresses and whole phone numbers.
    #[arg(long)]
    contacts: bool,
    #[command(flatten)]
    files: Files,
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
    /// True when months are split further.
    const fn is_one(self) -> bool {
        !matches!(self, Self::Month)
    }

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
    let made = Made { ctx, engine: ctx.engine(store) };
    match command {
        Command::Customers(args) => {
            if args.files.wanted() {
                let report = made.customers().await?;
                return args.files.write(ctx, &[picture::customers(&report, args.contacts, &ctx.texts)]);
            }
            let mut pages = match ctx.dated {
                true => made.engine.customer_pages_at(ctx.now).await?,
                false => made.engine.customer_pages(ctx.now).await?,
            };
            let mut printed = ctx.pages(customer_rows(&[], args.contacts));
            while let Some(page) = pages.next().await? {
                printed.page(customer_rows(&page, args.contacts))?;
            }
            printed.end()?;
        }
        Command::Cpe(args) => {
            let wanted = |row: &CpeRow| !args.to_return || row.to_return;
            if args.files.wanted() {
                let mut report = made.cpe().await?;
                report.retain(wanted);
                return args.files.write(ctx, &[picture::cpe(&report, &ctx.texts)]);
            }
            let mut pages = match ctx.dated {
                true => made.engine.cpe_pages_at(ctx.now),
                false => made.engine.cpe_pages(ctx.now),
            };
            let mut printed = ctx.pages(cpe_rows(std::iter::empty()));
            while let Some(page) = pages.next().await? {
                printed.page(cpe_rows(page.into_iter().filter(wanted)))?;
            }
            printed.end()?;
        }
        Command::Packages(files) => {
            let report = made.packages().await?;
            if files.wanted() {
                return files.write(ctx, &[picture::packages(&report, &ctx.texts)]);
            }
            ctx.rows(&package_rows(&report))?;
        }
        Command::Finance(args) => {
            let (first, last) = args.span.months(ctx)?;
            let (split, report) = (args.split.is_one(), made.finance(first, last, args.split.by()).await?);
            match args.files.wanted() {
                true => drop(args.files.write(ctx, &[picture::finance(&report, split, &ctx.texts)])?),
                false => finance(ctx, &report, split)?,
            }
            return tied(ctx, first, last).await;
        }
        Command::Cash(args) => {
            let (first, last) = args.span.months(ctx)?;
            let report = made.engine.report_cash(first, last).await?;
            match args.files.wanted() {
                true => drop(args.files.write(ctx, &[picture::cash(&report, &ctx.texts)])?),
                false => ctx.rows(&cash_rows(&report))?,
            }
            return tied(ctx, first, last).await;
        }
        Command::ProfitLoss(args) => {
            let (first, last) = args.span.months(ctx)?;
            let report = made.engine.report_profit_loss(first, last, args.split.by()).await?;
            match args.files.wanted() {
                true => drop(args.files.write(ctx, &[picture::profit_loss(&report, &ctx.texts)])?),
                false => profit_loss(ctx, &report)?,
            }
            return tied(ctx, first, last).await;
        }
        Command::All(args) => {
            let (first, last) = args.span.months(ctx)?;
            if !args.files.wanted() {
                return Err(Failure::Usage { problem: "report_file", what: "isp report all".to_owned() }.into());
            }
            let texts = &ctx.texts;
            // The short ones first: a list of all customers is long.
            let sections = [
                picture::finance(&made.finance(first, last, GroupBy::Month).await?, false, texts),
                picture::profit_loss(&made.engine.report_profit_loss(first, last, GroupBy::Month).await?, texts),
                picture::cash(&made.engine.report_cash(first, last).await?, texts),
                picture::packages(&made.packages().await?, texts),
                picture::customers(&made.customers().await?, args.contacts, texts),
                picture::cpe(&made.cpe().await?, texts),
            ];
            args.files.write(ctx, &sections)?;
            return tied(ctx, first, last).await;
        }
    }
    Ok(Exit::Done)
}

/// Reports that are told as of a day. A day that was named is told as it was: what was recorded after it does not count.
struct Made<'a> {
    ctx: &'a Context,
    engine: Engine<'a>,
}

impl Made<'_> {
    async fn customers(&self) -> Result<Vec<CustomerRow>, EngineError> {
        match self.ctx.dated {
            true => self.engine.report_customers_at(self.ctx.now).await,
            false => self.engine.report_customers(self.ctx.now).await,
        }
    }

    async fn cpe(&self) -> Result<Vec<CpeRow>, EngineError> {
        match self.ctx.dated {
            true => self.engine.report_cpe_at(self.ctx.now).await,
            false => self.engine.report_cpe(self.ctx.now).await,
        }
    }

    async fn packages(&self) -> Result<Vec<PackageRow>, EngineError> {
        match self.ctx.dated {
            true => self.engine.report_packages_at(self.ctx.now).await,
            false => self.engine.report_packages(self.ctx.now).await,
        }
    }

    async fn finance(&self, first: Month, last: Month, by: GroupBy) -> Result<Finance, EngineError> {
        match self.ctx.dated {
            true => self.engine.report_finance_at(first, last, by, self.ctx.now).await,
            false => self.engine.report_finance(first, last, by, self.ctx.now).await,
        }
    }
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

fn finance(ctx: &Context, report: &Finance, split: bool) -> anyhow::Result<()> {
    let slips = has_slips(report) || ctx.format != Format::Table;
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
        return output::print(&profit_loss_grid(report, &ctx.texts).text(&ctx.texts, ctx.room()));
    }
    ctx.rows(&profit_loss_rows(report))
}
