//! `isp invoice print|send` and `isp receipt print|send`: papers for customers, as a page that a browser prints, or as a PDF file.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use isp_core::calendar::Month;
use isp_core::engine::PaperSent;
use isp_core::message::NotificationKind;
use isp_core::payment::Qris;
use isp_core::text::Code;
use isp_serve::papers::{self, Letterhead, Paper, Stationery};

use super::payment::Which;
use super::report::replace;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Format, Rows, column, number};
use crate::wire;

/// Which bills.
#[derive(Debug, Args)]
pub(crate) struct Bills {
    /// The number of an invoice (INV-...) or of a statement (TG-...).
    #[arg(required_unless_present = "month", conflicts_with = "month")]
    number: Option<String>,
    /// All bills that were issued in this month, each on a sheet of its own.
    #[arg(long, value_parser = args::month)]
    month: Option<Month>,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Write the receipt of a payment as a page to be printed, or as a PDF file.
    #[command(
        after_help = "Examples:\n  isp receipt print cash KW-0042 --html kuitansi.html\n  isp receipt print cash KW-0042 --pdf kuitansi.pdf"
    )]
    Print(Receipts),
    /// Send the receipt of a payment by WhatsApp, as a PDF file above the message. It leaves with the next delivery; the message
    /// that followed from the payment counts as one.
    #[command(after_help = "Examples:\n  isp receipt send cash KW-0042\n  isp receipt send cash KW-0042 --again")]
    Send(SendReceipt),
}

/// Which bill is sent.
#[derive(Debug, Args)]
pub(crate) struct SendBill {
    /// The number of an invoice (INV-...) or of a statement (TG-...).
    number: String,
    #[command(flatten)]
    again: Again,
}

/// Which receipt is sent.
#[derive(Debug, Args)]
pub(crate) struct SendReceipt {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    again: Again,
}

/// Whether once is enough.
#[derive(Debug, Args)]
struct Again {
    /// Send it once more, though it was sent before.
    #[arg(long)]
    again: bool,
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
    /// Write it into this page, which opens in any browser and needs nothing else; without it and without --pdf, a file here with
    /// the name of the paper.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write it into this PDF file, to be printed or sent.
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
}

impl To {
    /// Writes the papers into one page, one PDF file or both, and says how many.
    fn write(self, ctx: &Context, named: &str, papers: &[Paper], letterhead: &Letterhead) -> anyhow::Result<Exit> {
        let usual = || self.pdf.is_none().then(|| PathBuf::from(format!("{}.html", papers::file_name(named))));
        let html = self.html.clone().or_else(usual);
        if self.pdf.is_some() && self.pdf == html {
            let what = html.unwrap_or_default().display().to_string();
            return Err(Failure::Usage { problem: "two_papers_one_file", what }.into());
        }
        let language = ctx.config.language;
        let mut written = Vec::new();
        // The PDF file first: what cannot be made leaves nothing.
        if let Some(path) = self.pdf {
            let file = papers::pdf(named, papers, letterhead, language)?;
            replace(&path, &file)?;
            written.push((path, "done.papers_pdf"));
        }
        if let Some(path) = html {
            replace(&path, papers::document(named, papers, letterhead, language).as_bytes())?;
            written.push((path, "done.papers"));
        }
        let mut rows = Rows::new(&[column("file"), number("papers")]);
        for (path, _) in &written {
            rows.push(vec![Cell::text(path.display()), Cell::count(papers.len())]);
        }
        if ctx.format != Format::Table {
            ctx.rows(&rows)?;
        } else {
            for (path, said) in &written {
                let variables = [("file", path.display().to_string()), ("count", papers.len().to_string())];
                ctx.done(said, &variables, &rows)?;
            }
        }
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
    let pages: Vec<Paper> = found.iter().map(|paper| papers::bill(paper, &of)).collect();
    args.to.write(ctx, &named, &pages, &letterhead)
}

/// Prints a receipt.
pub(crate) async fn receipt(ctx: &Context, command: Receipt) -> anyhow::Result<Exit> {
    let Receipts { which, to } = match command {
        Receipt::Print(args) => args,
        Receipt::Send(args) => return send_receipt(ctx, args).await,
    };
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

/// Sends a bill.
pub(crate) async fn send_bill(ctx: &Context, args: SendBill) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let engine = ctx.engine(store);
    let missing = || Failure::NotFound { noun: "invoice", code: args.number.clone() };
    let paper = engine.bill_paper(None, &args.number).await?.ok_or_else(missing)?;
    has_document(ctx, engine.kind_of_bill(&paper, ctx.now).await?)?;
    let sent = engine.send_bill(&paper, args.again.again, ctx.now).await?;
    sent_paper(ctx, &paper.bill.number, &paper.customer.code, sent)
}

async fn send_receipt(ctx: &Context, args: SendReceipt) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let which = args.which;
    let row = find::payment(ctx, store, &which.provider, &which.reference, which.customer.as_ref()).await?;
    let reference = row.payment.reference.to_string();
    has_document(ctx, NotificationKind::PaymentReceived)?;
    let Some(paper) = ctx.engine(store).receipt_paper(&row).await? else {
        return Err(Failure::Usage { problem: "no_receipt", what: reference }.into());
    };
    let sent = ctx.engine(store).send_receipt(&row, args.again.again, ctx.now).await?;
    sent_paper(ctx, &reference, &paper.customer.code, sent)
}

/// A message whose template has no document would leave without the paper.
fn has_document(ctx: &Context, kind: NotificationKind) -> Result<(), Failure> {
    let has = ctx.config.whatsapp.document_kinds().iter().any(|known| known.code() == kind.code());
    let reason = || format!("does not name {}: the template of that message has no document", kind.code());
    if has { Ok(()) } else { Err(Failure::Config { place: "whatsapp.documents".into(), reason: reason() }) }
}

fn sent_paper(ctx: &Context, number: &str, code: &Code, sent: PaperSent) -> anyhow::Result<Exit> {
    let (message, leaves) = match sent {
        PaperSent::Queued(message, leaves) => (message, leaves),
        PaperSent::Untrue(why) => {
            let what = format!("{number}: {}", Cell::Word(why).shown(&ctx.texts));
            return Err(Failure::Usage { problem: "paper_untrue", what }.into());
        }
        PaperSent::Known(Some(row)) => {
            let at = super::outbox::moment(row.finished_at.unwrap_or(row.next_attempt)).shown(&ctx.texts);
            let what = format!("{number} ({}, {at})", Cell::Word(row.state.code()).shown(&ctx.texts));
            return Err(Failure::Usage { problem: "paper_sent", what }.into());
        }
        _ => return Err(Failure::Usage { problem: "paper_sent", what: number.to_owned() }.into()),
    };
    let leaves = super::outbox::moment(leaves);
    let variables = [("number", number.to_owned()), ("code", code.to_string()), ("at", leaves.shown(&ctx.texts))];
    let mut rows = Rows::new(&[column("id"), column("number"), column("customer"), column("what"), column("leaves")]);
    let kind = Cell::Word(message.kind.code());
    rows.push(vec![Cell::text(message.id), Cell::text(number), Cell::text(code), kind, leaves]);
    ctx.done("done.paper_queued", &variables, &rows)?;
    Ok(Exit::Done)
}

fn own(ctx: &Context) -> anyhow::Result<(Letterhead, Option<Qris>)> {
    let qris = ctx.config.payment.qris.as_deref().map(Qris::parse).transpose()?;
    Ok((wire::letterhead(&ctx.config)?, qris))
}
