//! `isp invoice`: what customers owe.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::billing::Statement;
use isp_core::billing::invoice::LineKind;
use isp_core::calendar::Month;
use isp_core::ports::{InvoiceQuery, PageQuery, Store};
use isp_core::text::Code;

use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List invoices.
    #[command(after_help = "Example:\n  isp invoice list --open --customer P001")]
    List(List),
    /// Show the lines of one invoice, or of a statement with its totals.
    #[command(after_help = "Examples:\n  isp invoice show INV-202601-000042\n  isp invoice show TG-202601-000007")]
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::code)]
    customer: Option<Code>,
    /// Only those with something left to pay.
    #[arg(long)]
    open: bool,
    /// Only those issued in this month.
    #[arg(long)]
    month: Option<Month>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its number, as shown on it.
    number: String,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let mut query = InvoiceQuery::default();
    match command {
        Command::List(List { customer, open, month }) => {
            query.open = open;
            query.issued_from = month.map(Month::first);
            query.issued_before = month.map(|m| m.plus(1).first());
            if let Some(code) = customer {
                query.customer = Some(find::customer(ctx, store, &code).await?.id);
            }
        }
        Command::Show(Show { number }) if Statement::parse_number(&number).is_some() => {
            return statement(ctx, store, &number).await;
        }
        Command::Show(Show { number }) => return lines(ctx, &find::invoice(ctx, store, &number).await?.0),
    }
    let mut rows = Rows::new(&[
        column("invoice"),
        column("statement"),
        column("customer"),
        column("kind"),
        column("period"),
        column("issued"),
        column("due"),
        number("total"),
        number("paid"),
        number("open"),
    ]);
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let invoices = store.invoices(ctx.tenant(), query, page).await?;
        let customers: BTreeSet<_> = invoices.iter().map(|(i, _)| i.customer_id).collect();
        let customers: Vec<_> = customers.into_iter().collect();
        let codes = find::codes(ctx, store, customers.iter().copied()).await?;
        let statements = store.statements(ctx.tenant(), &customers).await?;
        let statements: BTreeMap<_, _> = statements.iter().map(|s| (s.id(), s.display_number())).collect();
        for (invoice, paid) in &invoices {
            let shown = invoice.display_number();
            rows.push(vec![
                Cell::text(shown),
                Cell::maybe(statements.get(&Statement::id_of(
                    invoice.customer_id,
                    invoice.issue_date,
                    invoice.due_date,
                ))),
                Cell::maybe(codes.get(&invoice.customer_id)),
                Cell::Word(invoice.kind.code()),
                Cell::text(invoice.period),
                invoice.issue_date.into(),
                invoice.due_date.into(),
                invoice.total.into(),
                (*paid).into(),
                (invoice.total - *paid).into(),
            ]);
        }
        if !page.advance(&invoices, |(last, _)| last.id) {
            break;
        }
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// What a line is, for `word.CODE`.
pub(super) const fn line_word(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Subscription => "subscription",
        LineKind::Installation => "installation",
        LineKind::LateFee => "late_fee",
        LineKind::Discount => "discount",
        LineKind::Credit => "credit",
        LineKind::Ppn => "ppn",
        LineKind::Rounding => "rounding",
        LineKind::InstallationPpn => "installation_ppn",
    }
}

fn lines(ctx: &Context, invoice: &isp_core::billing::Invoice) -> anyhow::Result<Exit> {
    let mut rows = Rows::new(&[column("invoice"), column("line"), number("days"), number("of_days"), number("amount")]);
    for line in &invoice.lines {
        let (days, of) = line.prorated.map_or((Cell::Empty, Cell::Empty), |(d, f)| (Cell::count(d), Cell::count(f)));
        rows.push(vec![
            Cell::text(invoice.display_number()),
            Cell::Word(line_word(line.kind)),
            days,
            of,
            line.amount.into(),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

/// A statement as one document: the lines of its invoices, then its totals, which are theirs.
async fn statement(ctx: &Context, store: &dyn Store, shown: &str) -> anyhow::Result<Exit> {
    let (statement, invoices) = find::statement(ctx, store, shown).await?;
    let customer = Some(statement.customer_id);
    let lines = store.subscriptions(ctx.tenant(), customer, PageQuery::first(1_000)).await?;
    let usernames: BTreeMap<_, _> = lines.iter().map(|(line, _)| (line.id, line.account.username.as_str())).collect();
    let mut rows = Rows::new(&[
        column("statement"),
        column("due"),
        column("invoice"),
        column("username"),
        column("line"),
        number("amount"),
    ]);
    let mut sums = [
        ("dpp", Money::ZERO),
        ("ppn", Money::ZERO),
        ("total", Money::ZERO),
        ("paid", Money::ZERO),
        ("to_pay", Money::ZERO),
    ];
    for (invoice, paid) in &invoices {
        let username = usernames.get(&invoice.subscription_id);
        for line in &invoice.lines {
            rows.push(vec![
                Cell::text(shown),
                statement.due_date.into(),
                Cell::text(invoice.display_number()),
                Cell::maybe(username),
                Cell::Word(line_word(line.kind)),
                line.amount.into(),
            ]);
        }
        let of = [invoice.dpp, invoice.ppn, invoice.total, *paid, invoice.total - *paid];
        sums.iter_mut().zip(of).for_each(|((_, sum), amount)| *sum += amount);
    }
    for (word, sum) in sums {
        let due = statement.due_date.into();
        rows.push(vec![Cell::text(shown), due, Cell::Empty, Cell::Empty, Cell::Word(word), sum.into()]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
