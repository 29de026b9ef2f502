//! `isp credit-note`: what is given back of invoices, and `isp outage credit`.

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::billing::CreditNote;
use isp_core::calendar::{Date, Zone};
use isp_core::ending::{Ending, EndingKind};
use isp_core::payment::PaymentReversal;
use isp_core::ports::{CreditNoteRow, PageQuery};
use isp_core::text::Code;

use super::record::{self, Why};
use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give back a part of an invoice that was wrong; it becomes the customer's credit and pays what is open.
    #[command(
        after_help = "Example:\n  isp credit-note add INV-202601-000042 50000 --reason 'salah tagih'\n\nThe same amount of the same invoice again on one day changes nothing."
    )]
    Add(Add),
    /// List credit notes; those that were taken back say so.
    #[command(after_help = "Example:\n  isp credit-note list --customer P001")]
    List(List),
    /// Show the lines of one credit note.
    #[command(after_help = "Example:\n  isp credit-note show NK-202601-000007")]
    Show(Show),
    /// Take a credit note back that was given by mistake: its amount is owed again, and what it paid is open again.
    #[command(
        after_help = "Example:\n  isp credit-note remove NK-202601-000007 --reason 'salah tagihan'\n\nA note about a pause, an end, a package or days in isolation goes with what it follows from."
    )]
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Number of the invoice.
    invoice: String,
    /// How much, with PPN.
    #[arg(value_parser = args::money)]
    amount: Money,
    /// Why.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its number, as shown on it.
    number: String,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Its number, as shown on it.
    number: String,
    #[command(flatten)]
    why: Why,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::Add(Add { invoice, amount, reason }) => {
            let found = find::invoice(ctx, store, &invoice).await?.0;
            let asked = [("amount", amount.to_string()), ("invoice", invoice.clone())];
            if !ctx.may("ask.credit_note", &asked)? {
                return Ok(Exit::Refused);
            }
            let by = ctx.officer.as_str();
            let note = ctx.engine(store).correct(found.customer_id, found.id, amount, by, &reason, ctx.now).await?;
            let variables =
                [("number", note.display_number()), ("amount", note.total.to_string()), ("invoice", invoice)];
            ctx.done("done.credit_note", &variables, &table(ctx, &[note]).await?)?;
        }
        Command::List(List { customer }) => {
            let of = match &customer {
                Some(code) => Some(find::person(ctx, store, code.as_str()).await?.id),
                None => None,
            };
            let mut all = Vec::new();
            let mut page = PageQuery::first(ctx.config.worker.page);
            loop {
                let notes = store.credit_notes(ctx.tenant(), of, page).await?;
                let more = page.advance(&notes, |last| last.note.id);
                all.extend(notes);
                if !more {
                    break;
                }
            }
            all.sort_by_key(|row| row.note.number);
            let (notes, endings): (Vec<CreditNote>, Vec<Option<Ending>>) =
                all.into_iter().map(|row| (row.note, row.taken_back.map(ending))).unzip();
            ctx.rows(&with_state(table(ctx, &notes).await?, &endings))?;
        }
        Command::Show(Show { number }) => {
            let CreditNoteRow { note, taken_back } = find::credit_note(ctx, store, &number).await?;
            let endings = vec![taken_back.map(ending); note.lines.len()];
            ctx.rows(&with_state(lines(&note), &endings))?;
        }
        Command::Remove(Remove { number, why }) => {
            let note = find::credit_note(ctx, store, &number).await?.note;
            let Ending { by, reason, .. } = why.taken_back(ctx)?;
            let engine = ctx.engine(store);
            let note = engine.take_note_back(note.customer_id, note.id, &by, &reason, ctx.now).await?;
            let variables = [("number", note.display_number()), ("amount", note.total.to_string())];
            ctx.say("done.credit_note_removed", &variables)?;
        }
    }
    Ok(Exit::Done)
}

/// `isp outage credit`: what the outages of a site that are over give back.
pub(crate) async fn outage(ctx: &Context, site: Code, since: Option<Date>, dry_run: bool) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let place = find::site(ctx, store, &site).await?;
    let since = since.unwrap_or_else(|| ctx.today().plus_days(-90)).midnight(place.zone);
    let mut outages = store.outages(ctx.tenant()).await?;
    outages.retain(|o| o.site_id == place.id && o.from >= since && o.until.is_some_and(|until| until <= ctx.now));
    let by = ctx.officer.as_str();
    let given = ctx.engine(store).credit_outages(&outages, place.zone, !dry_run, by, ctx.now).await?;
    let total: Money = given.iter().map(|n| n.total).sum();
    let variables = [("code", site.to_string()), ("count", given.len().to_string()), ("amount", total.to_string())];
    ctx.rows(&table(ctx, &given).await?)?;
    ctx.say(if dry_run { "done.outage_would_credit" } else { "done.outage_credited" }, &variables)?;
    Ok(Exit::Done)
}

/// That a note was taken back, as records say it.
fn ending(PaymentReversal { at, reason, by, .. }: PaymentReversal) -> Ending {
    Ending { kind: EndingKind::TakenBack, at, by, reason }
}

/// A table with what became of the note of each row.
fn with_state(rows: Rows, endings: &[Option<Ending>]) -> Rows {
    let cells = |at| record::ended(endings.get(at).and_then(Option::as_ref), Zone::Wib).into();
    rows.with(&[column("state"), column("ended")], cells)
}

async fn table(ctx: &Context, notes: &[CreditNote]) -> anyhow::Result<Rows> {
    let store = ctx.store().await?;
    let codes = find::codes(ctx, store, notes.iter().map(|n| n.customer_id)).await?;
    let mut rows = Rows::new(&[
        column("credit_note"),
        column("customer"),
        column("reason").needed(),
        column("period"),
        column("issued"),
        number("ppn"),
        number("total").needed(),
        column("note"),
    ]);
    for note in notes {
        rows.push(vec![
            // One that is only shown has no number yet.
            if note.number == 0 { Cell::Empty } else { Cell::text(note.display_number()) },
            Cell::maybe(codes.get(&note.customer_id)),
            Cell::Word(note.reason.code()),
            Cell::text(note.period),
            note.issue_date.into(),
            note.ppn.into(),
            note.total.into(),
            Cell::text(&note.note),
        ]);
    }
    Ok(rows)
}

fn lines(note: &CreditNote) -> Rows {
    let mut rows =
        Rows::new(&[column("credit_note"), column("line"), number("days"), number("of_days"), number("amount")]);
    for line in &note.lines {
        let (days, of) = line.prorated.map_or((Cell::Empty, Cell::Empty), |(d, f)| (Cell::count(d), Cell::count(f)));
        rows.push(vec![
            Cell::text(note.display_number()),
            Cell::Word(super::invoice::line_word(line.kind)),
            days,
            of,
            line.amount.into(),
        ]);
    }
    rows
}
