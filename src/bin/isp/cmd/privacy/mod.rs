//! `isp privacy`: a customer's own data, for the customer; its erasure; and what must be said when it was lost.

mod breach;
mod copy;

use std::path::Path;

use clap::{Args, Subcommand};
use isp_core::calendar::Zone;
use isp_core::customer::Customer;
use isp_core::engine::EngineError;
use isp_core::place::Router;
use isp_core::ports::StoreError;
use isp_core::privacy::{Erased, Needed};
use isp_core::text::Code;

use super::router_import::private_file;
use super::{args, find, record, refund};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write all that is kept of a customer into a new folder, to be handed to the customer: as a page, as JSON, and the files
    /// of proofs of transfer.
    #[command(
        after_help = "Example:\n  isp privacy export P001 --to data-P001\n\nThe folder holds the whole NIK. Only its owner may read it."
    )]
    Export(copy::Export),
    /// Erase the personal data of a customer. Invoices, payments and the journal stay, with the customer ID.
    #[command(
        after_help = "Example:\n  isp privacy erase P001 --reason 'surat 12 Februari 2026'\n\nIt cannot be undone. It is refused while a line, a debt, credit, a lent device or anything else is not over. Copies made by\n`isp backup` before hold the data until they are removed."
    )]
    Erase(Erase),
    /// List customers whose data was erased.
    List,
    /// List what is kept for a time only, for how many days, and the fewest days that may be set.
    Retention,
    /// Write what the law wants to be told when personal data was lost or seen by others: a notice, and whom it is about.
    #[command(
        after_help = "Example:\n  isp privacy breach-report --happened 'laptop kantor dicuri' --measures 'kunci diganti' --to breach\n\nThe people concerned and the authority are to be told within 3 x 24 hours (UU 27/2022, article 46)."
    )]
    BreachReport(breach::Breach),
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// Why, such as the letter that asks for it; kept, so without personal data.
    #[arg(long)]
    reason: String,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Export(args) => copy::export(ctx, &args).await,
        Command::Erase(args) => erase(ctx, &args).await,
        Command::List => list(ctx).await,
        Command::Retention => retention(ctx),
        Command::BreachReport(args) => breach::report(ctx, &args).await,
    }
}

/// What `isp run` and `isp serve` remove in time; `isp config list` says where the days are from.
fn retention(ctx: &Context) -> anyhow::Result<Exit> {
    let mut rows = Rows::new(&[column("kept"), number("days"), number("least")]);
    for kind in ctx.config.retention.kept() {
        rows.push(vec![Cell::Word(kind.what), Cell::count(kind.days), Cell::count(kind.least)]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

async fn erase(ctx: &Context, args: &Erase) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer_of_code(ctx, store, &args.customer).await?;
    let erased = Erased::try_new(customer.id, ctx.now, ctx.officer.as_str(), &args.reason)?;
    let engine = ctx.engine(store);
    let still = engine.needed_of(customer.id, ctx.now).await?;
    for needed in &still {
        let amount = match *needed {
            Needed::Refunds(_) => {
                let open = engine.open_refunds(Some(customer.id)).await?;
                refund::named(ctx, store, &open).await?
            }
            Needed::Lines(n) | Needed::Devices(n) | Needed::Requests(n) | Needed::Proofs(n) | Needed::Messages(n) => {
                n.to_string()
            }
            Needed::Debt(sum) | Needed::Credit(sum) | Needed::Installation(sum) => sum.to_string(),
        };
        ctx.warn(&format!("needed_todo.{}", needed.code()), &[("code", customer.code.to_string()), ("amount", amount)]);
    }
    let named = [("code", customer.code.to_string())];
    if still.is_empty() && !ctx.may("ask.erase", &named)? {
        return Ok(Exit::Refused);
    }
    let done = engine.erase(erased).await;
    // Also when it was done before: whoever was killed in between comes back.
    if matches!(done, Ok(()) | Err(EngineError::Store(StoreError::Erased)))
        && let Err(error) = ctx.sql().await?.compact().await
    {
        ctx.warn("warn.not_compacted", &[("code", customer.code.to_string()), ("reason", error.to_string())]);
    }
    done?;
    ctx.say("done.customer_erased", &named)?;
    Ok(Exit::Done)
}

async fn list(ctx: &Context) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let mut all = store.erased(ctx.tenant(), None).await?;
    all.sort_by_key(|erased| std::cmp::Reverse(erased.at));
    let codes = find::codes(ctx, store, all.iter().map(|erased| erased.customer_id)).await?;
    let routers = store.routers(ctx.tenant()).await?;
    let columns = [column("customer"), column("at"), column("by"), column("reason"), column("still_on")];
    let mut rows = Rows::new(&columns);
    for erased in all {
        let left = store.former_accounts(ctx.tenant(), erased.customer_id).await?;
        let on = |router: &&Router| left.iter().any(|account| account.router_id == router.id);
        let still_on: Vec<&str> = routers.iter().filter(on).map(|router| router.code.as_str()).collect();
        rows.push(vec![
            Cell::maybe(codes.get(&erased.customer_id)),
            Cell::text(record::moment(erased.at, Zone::Wib)),
            Cell::text(erased.by),
            Cell::text(erased.reason),
            Cell::maybe((!still_on.is_empty()).then(|| still_on.join(", "))),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// Makes a folder that only its owner may enter. One that is there already is not written into.
fn private_folder(path: &Path) -> Result<(), Failure> {
    let mut options = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        options.mode(0o700);
    }
    options.create(path).map_err(|error| not_written(path, &error))
}

/// Makes the folder with its files; one that cannot be written whole is not left behind.
fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    private_folder(folder)?;
    for (name, bytes) in files {
        if let Err(failure) = write(folder, name, bytes) {
            // What is there is a part of somebody's data, and nobody asked for a part.
            return Err(match std::fs::remove_dir_all(folder) {
                Ok(()) => failure,
                Err(error) => not_written(folder, &error),
            });
        }
    }
    Ok(())
}

/// Writes a file of the folder.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    private_file(&path, bytes).map_err(|error| not_written(&path, &error))
}

fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        return Failure::Usage { problem: "folder_there", what: path.display().to_string() };
    }
    Failure::File { path: path.display().to_string(), reason: error.kind().to_string() }
}

/// A name for a file that is made of a customer's ID or of what the customer sent.
fn file_name(text: &str) -> String {
    text.chars()
        .map(|sign| if sign.is_alphanumeric() || matches!(sign, '.' | '-' | '_') { sign } else { '_' })
        .collect()
}

/// What is kept of a person, one word each, for a list of those whose data was lost.
fn kept_of(customer: &Customer) -> Vec<&'static str> {
    let kept = [
        ("name", true),
        ("address", true),
        ("phone", customer.phone.is_some()),
        ("nik", customer.nik.is_some()),
        ("coordinates", customer.coordinates.is_some()),
    ];
    kept.into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect()
}
