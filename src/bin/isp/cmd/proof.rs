//! `isp proof`: proofs of transfer that customers send, and what became of them.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, Zone};
use isp_core::customer::Customer;
use isp_core::engine::{NewPayment, NewProof};
use isp_core::ids::{CustomerId, InvoiceId};
use isp_core::isolation::held_by_proof;
use isp_core::payment::withheld;
use isp_core::ports::{AccessQuery, PageQuery, Store};
use isp_core::protection::{Proof, ProofContent, ProofFile};
use isp_core::text::{Code, Reference};

use super::protect::Show;
use super::record::{self, chosen};
use super::router_import::private_file;
use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keep a proof of transfer (bukti transfer): no isolation while it waits for review, once an invoice.
    #[command(
        after_help = "Example:\n  isp proof add P001 struk.jpg\n  isp proof add P001 struk.pdf --invoice INV-202601-000001 --amount 165.000\n\nJPEG, PNG, WEBP and PDF up to 5 MB are taken. The same file again changes nothing."
    )]
    Add(Add),
    /// List proofs, the latest first.
    List(List),
    /// Show the proofs of a customer.
    Show(Show),
    /// Write the file of a proof to a new file, to look at it.
    #[command(after_help = "Example:\n  isp proof save P001 --to struk.jpg")]
    Save(Save),
    /// The money is there: book its payment and keep that the proof was accepted.
    #[command(after_help = "Example:\n  isp proof accept P001 --reference FT26015XYZ")]
    Accept(Accept),
    /// The money is not there: the next run that may isolate does so.
    #[command(after_help = "Example:\n  isp proof reject P001 --reason 'tidak ada di mutasi'")]
    Reject(Refuse),
    /// Take a proof back that was recorded by mistake: it counts for no invoice.
    #[command(after_help = "Example:\n  isp proof remove P001 --reason 'salah pelanggan'")]
    Remove(Refuse),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// The picture or page.
    file: PathBuf,
    /// The invoice that it is for, may be given more than once; all that are open when not given.
    #[arg(long = "invoice", value_name = "NUMBER")]
    invoices: Vec<String>,
    /// How much was transferred; what is open of these invoices when not given.
    #[arg(long, value_parser = args::money)]
    amount: Option<Money>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
    /// Only those that wait for review.
    #[arg(long)]
    waiting: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Save {
    #[command(flatten)]
    which: Show,
    /// The new file.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Accept {
    #[command(flatten)]
    which: Show,
    /// Through whom: cash, bank, midtrans and so on.
    #[arg(long, value_parser = args::code, default_value = "bank")]
    provider: Code,
    /// The provider's reference, or the number of the receipt; unique with the provider.
    #[arg(long, value_parser = args::reference)]
    reference: Reference,
    /// How much came; what the proof says when not given.
    #[arg(long, value_parser = args::money)]
    amount: Option<Money>,
    /// The day on which the customer paid; when the proof arrived when not given.
    #[arg(long)]
    paid_on: Option<Date>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Refuse {
    #[command(flatten)]
    which: Show,
    /// Why; kept with it.
    #[arg(long)]
    reason: String,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args).await,
        Command::List(List { customer, waiting }) => {
            let of = find::customer_id(ctx, ctx.store().await?, customer.as_ref()).await?;
            let mut found = ctx.store().await?.proofs(ctx.tenant(), of).await?;
            found.retain(|proof| !waiting || proof.waits());
            show(ctx, found).await
        }
        Command::Show(Show { customer, which }) => {
            let of = find::customer(ctx, ctx.store().await?, &customer).await?.id;
            let mut found = ctx.store().await?.proofs(ctx.tenant(), Some(of)).await?;
            if which.id.is_some() {
                found = vec![chosen(&which, "proof", customer.as_str(), found, |p| p.id.0, |_| true)?];
            }
            show(ctx, found).await
        }
        Command::Save(Save { which, to }) => save(ctx, &which, &to).await,
        Command::Accept(args) => accept(ctx, args).await,
        Command::Reject(args) => refuse(ctx, args, false).await,
        Command::Remove(args) => refuse(ctx, args, true).await,
    }
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let mut invoices: Vec<InvoiceId> = Vec::with_capacity(args.invoices.len());
    for number in &args.invoices {
        invoices.push(find::invoice(ctx, store, number).await?.0.id);
    }
    let new = NewProof {
        customer_id: customer.id,
        invoices,
        amount: args.amount,
        arrived_at: ctx.now,
        by: ctx.officer.to_string(),
        name: args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        content: read(&args.file)?,
        sure: args.sure.is(),
    };
    let report = ctx.engine(store).record_proof(&new).await?;
    let variables = [
        ("code", find::named(&customer)),
        ("amount", report.proof.amount.to_string()),
        ("state", ctx.texts.t(&format!("word.{}", report.proof.state()))),
    ];
    if report.known {
        ctx.say("done.proof_known", &variables)?;
        return Ok(Exit::Done);
    }
    ctx.say("done.proof", &variables)?;
    held(ctx, store, &customer).await?;
    Ok(Exit::Done)
}

/// Says until when a proof holds isolation back from lines of a customer, or that it holds nothing.
async fn held(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<()> {
    let until = holds_until(ctx, store, customer.id).await?;
    match until {
        Some(until) => ctx.say("done.proof_holds", &[("until", until)]),
        None => ctx.say("done.proof_holds_not", &[]),
    }
}

/// Until when proofs hold isolation back from the lines of a customer.
async fn holds_until(ctx: &Context, store: &dyn Store, customer: CustomerId) -> anyhow::Result<Option<String>> {
    let query = AccessQuery::Customers(vec![customer]);
    let lines = store.load_access(ctx.tenant(), &query, PageQuery::first(u32::MAX)).await?;
    let policy = &ctx.config.policy.isolation;
    let until = lines.iter().filter_map(|line| {
        let until = held_by_proof(&line.open, &line.protections.proofs, policy, line.zone, ctx.now)?;
        Some((until, line.zone))
    });
    Ok(until.max_by_key(|(until, _)| *until).map(|(until, zone)| record::moment(until, zone)))
}

/// Reads a file, but no more of it than may be kept.
fn read(path: &Path) -> anyhow::Result<ProofContent> {
    let most = ProofFile::MOST_BYTES as u64 + 1;
    let bytes = crate::config::read_bytes_to(path, most);
    let bytes = bytes.map_err(|reason| Failure::File { path: path.display().to_string(), reason })?;
    Ok(ProofContent::new(bytes))
}

fn not_read(path: &Path, error: &std::io::Error) -> Failure {
    Failure::File { path: path.display().to_string(), reason: error.kind().to_string() }
}

/// The proof that is meant: the one with the id, else the only one that waits, else the latest.
async fn waiting(ctx: &Context, which: &Show) -> anyhow::Result<(Customer, Proof)> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &which.customer).await?;
    let mut all = store.proofs(ctx.tenant(), Some(customer.id)).await?;
    if which.which.id.is_none() && !all.iter().any(Proof::waits) {
        all.sort_by_key(|proof| (proof.arrived_at, proof.id));
        if let Some(latest) = all.pop() {
            return Ok((customer, latest));
        }
    }
    let proof = chosen(&which.which, "proof", which.customer.as_str(), all, |p| p.id.0, Proof::waits)?;
    Ok((customer, proof))
}

async fn save(ctx: &Context, which: &Show, to: &Path) -> anyhow::Result<Exit> {
    let (_, proof) = waiting(ctx, which).await?;
    let content = ctx.store().await?.proof_content(ctx.tenant(), proof.id).await?;
    let content = content.ok_or(isp_core::ports::StoreError::NotFound { what: "proof" })?;
    private_file(to, content.reveal()).map_err(|error| not_read(to, &error))?;
    ctx.say("done.proof_saved", &[("file", to.display().to_string())])?;
    Ok(Exit::Done)
}

async fn accept(ctx: &Context, args: Accept) -> anyhow::Result<Exit> {
    if withheld::is_slip(&args.provider) && args.paid_on.is_none() {
        return Err(Failure::Usage { problem: "slip_day", what: args.reference.to_string() }.into());
    }
    let (customer, proof) = waiting(ctx, &args.which).await?;
    let amount = args.amount.unwrap_or(proof.amount);
    let payment = NewPayment {
        customer_id: customer.id,
        provider: args.provider,
        reference: args.reference,
        amount,
        paid_at: args.paid_on.map_or(proof.arrived_at, |day| match day == ctx.today() {
            true => day.at(12, 0, Zone::Wib).min(ctx.now),
            false => day.at(12, 0, Zone::Wib),
        }),
        collector: None,
    };
    let engine = ctx.engine(ctx.store().await?);
    let report = engine.accept_proof(proof.id, &payment, args.sure.told(), ctx.officer.as_str(), ctx.now).await?;
    let variables = [
        ("code", find::named(&customer)),
        ("amount", amount.to_string()),
        ("credit", report.credit.to_string()),
        ("reopened", report.reopened.len().to_string()),
        ("owed", report.owed.to_string()),
    ];
    ctx.say(if report.known { "done.proof_booked_already" } else { "done.proof_accepted" }, &variables)?;
    Ok(Exit::Done)
}

async fn refuse(ctx: &Context, args: Refuse, taken_back: bool) -> anyhow::Result<Exit> {
    let (customer, proof) = waiting(ctx, &args.which).await?;
    let engine = ctx.engine(ctx.store().await?);
    engine.refuse_proof(proof.id, taken_back, ctx.officer.as_str(), &args.reason, ctx.now).await?;
    let key = if taken_back { "done.proof_removed" } else { "done.proof_rejected" };
    ctx.say(key, &[("code", find::named(&customer)), ("amount", proof.amount.to_string())])?;
    Ok(Exit::Done)
}

/// Shows proofs, the latest first.
pub(super) async fn show(ctx: &Context, mut found: Vec<Proof>) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    found.sort_by_key(|p| (Reverse(p.arrived_at), p.id));
    let codes = find::codes(ctx, store, found.iter().map(|p| p.customer_id)).await?;
    let mut ids: Vec<InvoiceId> = found.iter().flat_map(|p| p.invoices.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let numbers = store.balances(ctx.tenant(), &ids).await?;
    let mut rows = Rows::new(&[
        column("customer"),
        column("arrived_at"),
        number("amount"),
        column("invoices"),
        column("by"),
        column("file"),
        column("state"),
        column("reviewed"),
        column("id"),
    ]);
    for p in &found {
        let of = numbers.iter().filter(|i| p.invoices.contains(&i.invoice_id));
        let of: Vec<String> = of.map(|i| isp_core::billing::invoice::display_number(i.number, i.issue_date)).collect();
        let review = p.review.as_ref().map(|r| {
            let why = if r.reason.is_empty() { String::new() } else { format!(": {}", r.reason) };
            format!("{}, {}{why}", record::moment(r.at, Zone::Wib), r.by)
        });
        rows.push(vec![
            Cell::maybe(codes.get(&p.customer_id)),
            Cell::text(record::moment(p.arrived_at, Zone::Wib)),
            p.amount.into(),
            Cell::text(of.join(" ")),
            Cell::text(&p.by),
            Cell::text(&p.file.name),
            Cell::Word(p.state()),
            Cell::maybe(review),
            record::shown(p.id.0),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
