//! `isp invoice print` and `isp receipt print`: papers for customers, as pages that a browser prints or saves as PDF.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use isp_core::calendar::Month;
use isp_core::payment::Qris;
use isp_serve::papers::{self, Letterhead, Stationery};

use super::find;
use super::payment::Which;
use super::report::replace;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};
use crate::wire;

/// Which bills.
#[derive(Debug, Args)]
pub(crate) struct Bills {
    /// The number of an invoice (INV-...) or of a statement (TG-...).
    #[arg(required_unless_present = "month", conflicts_with = "month")]
    number: Option<String>,
    /// All bills that were issued in this month, each on a sheet of its own.
    #[arg(long)]
    month: Option<Month>,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Write the receipt of a payment as a page to be printed.
    #[command(after_help = "Example:\n  isp receipt print cash KW-0042 --html kuitansi.html")]
    Print(Receipts),
}

/// Which receipt.
#[derive(Debug, Args)]
pub(crate) struct Receipts {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    to: To,
}

/// Where a paper goes.
#[derive(Debug, Args)]
struct To {
    /// Write it into this page, which opens in any browser and needs nothing else; without it, a file here with the name of the
    /// paper.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl To {
    /// Writes the papers into one page, and says how many.
    fn write(self, ctx: &Context, named: &str, papers: &[String], letterhead: &Letterhead) -> anyhow::Result<Exit> {
        let plain = |sign: char| if sign.is_alphanumeric() || "-_.".contains(sign) { sign } else { '-' };
        let usual = || PathBuf::from(format!("{}.html", named.chars().map(plain).collect::<String>()));
        let path = self.html.unwrap_or_else(usual);
        let page = papers::document(named, papers, letterhead, ctx.config.language);
        replace(&path, page.as_bytes())?;
        let file = path.display().to_string();
        let mut rows = Rows::new(&[column("file"), number("papers")]);
        rows.push(vec![Cell::text(&file), Cell::count(papers.len())]);
        ctx.done("done.papers", &[("file", file), ("count", papers.len().to_string())], &rows)?;
        if ctx.config.provider.is_none() {
            ctx.warn("warn.paper_unnamed", &[]);
        }
        Ok(Exit::Done)
    }
}

/// Prints bills.
pub(crate) async fn bills(ctx: &Context, args: Bills) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let engine = ctx.engine(store);
    let (named, found) = match (&args.number, args.month) {
        (Some(number), _) => {
            let missing = || Failure::NotFound { noun: "invoice", code: number.clone() };
            let paper = engine.bill_paper(None, number).await?.ok_or_else(missing)?;
            (paper.bill.number.clone(), vec![paper])
        }
        (None, Some(month)) => {
            let mut papers = engine.bill_papers(month).await?;
            papers.sort_by(|a, b| a.bill.number.cmp(&b.bill.number));
            if papers.is_empty() {
                return Err(Failure::NotFound { noun: "invoice_of_month", code: month.to_string() }.into());
            }
            (format!("{} {month}", ctx.texts.t("noun.bills")), papers)
        }
        (None, None) => return Err(Failure::NotFound { noun: "invoice", code: String::new() }.into()),
    };
    let (letterhead, qris) = own(ctx)?;
    let of = Stationery { sender: ctx.config.provider.as_ref(), letterhead: &letterhead, qris: qris.as_ref() };
    let pages: Vec<String> = found.iter().map(|paper| papers::bill(paper, &of)).collect();
    args.to.write(ctx, &named, &pages, &letterhead)
}

/// Prints a receipt.
pub(crate) async fn receipt(ctx: &Context, command: Receipt) -> anyhow::Result<Exit> {
    let Receipt::Print(Receipts { which, to }) = command;
    let store = ctx.store().await?;
    let row = find::payment(ctx, store, &which.provider, &which.reference, which.customer.as_ref()).await?;
    let reference = row.payment.reference.to_string();
    let Some(paper) = ctx.engine(store).receipt_paper(&row).await? else {
        return Err(Failure::Usage { problem: "no_receipt", what: reference }.into());
    };
    let (letterhead, qris) = own(ctx)?;
    let of = Stationery { sender: ctx.config.provider.as_ref(), letterhead: &letterhead, qris: qris.as_ref() };
    let named = format!("{} {reference}", ctx.texts.t("noun.receipt"));
    to.write(ctx, &named, &[papers::receipt(&paper, &of)], &letterhead)
}

fn own(ctx: &Context) -> anyhow::Result<(Letterhead, Option<Qris>)> {
    let qris = ctx.config.payment.qris.as_deref().map(Qris::parse).transpose()?;
    Ok((wire::letterhead(&ctx.config)?, qris))
}
