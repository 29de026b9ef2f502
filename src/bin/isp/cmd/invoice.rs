//! `isp invoice`: what customers owe.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::billing::invoice::LineKind;
use isp_core::billing::{Invoice, Statement};
use isp_core::calendar::Month;
use isp_core::ids::CustomerId;
use isp_core::ports::{InvoiceQuery, PageQuery, Store};

use super::{args, find, paper};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Column, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List invoices with whose they are and what is open, and their sums.
    #[command(
        after_help = "Examples:\n  isp invoice list --open --customer P001\n  isp invoice list --month 2026-01 --order open"
    )]
    List(List),
    /// Show the lines of one invoice, or of a statement with its totals.
    #[command(after_help = "Examples:\n  isp invoice show INV-202601-000042\n  isp invoice show TG-202601-000007")]
    Show(Show),
    /// Write invoices as a page to be printed, or as a PDF file: one by its number, or all of a month.
    #[command(
        after_help = "Examples:\n  isp invoice print INV-202601-000042\n  isp invoice print --month 2026-01 --pdf januari.pdf"
    )]
    Print(paper::Bills),
    /// Send an invoice or a statement by WhatsApp, as a PDF file above a reminder. It leaves with the next delivery, once for each
    /// invoice.
    #[command(
        after_help = "Examples:\n  isp invoice send INV-202601-000042\n  isp invoice send TG-202601-000007 --again"
    )]
    Send(paper::SendBill),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
    /// Only those with something left to pay.
    #[arg(long)]
    open: bool,
    /// Only those issued in this month.
    #[arg(long, value_parser = args::month)]
    month: Option<Month>,
    /// In which order: by number, by due date, by customer ID, or the most open first.
    #[arg(long, value_enum, default_value_t = Order::Number)]
    order: Order,
}

/// The order of a list of invoices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Order {
    /// By number.
    #[default]
    Number,
    /// By due date.
    Due,
    /// By customer ID.
    Customer,
    /// The most open first.
    Open,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its number, as shown on it.
    number: String,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::List(args) => list(ctx, store, args).await,
        Command::Print(args) => paper::bills(ctx, args).await,
        Command::Send(args) => paper::send_bill(ctx, args).await,
        Command::Show(Show { number }) if Statement::parse_number(&number).is_some() => {
            statement(ctx, store, &number).await
        }
        Command::Show(Show { number }) => lines(ctx, &find::invoice(ctx, store, &number).await?.0),
    }
}

const LIST: &[Column] = &[
    column("invoice"),
    column("statement"),
    column("customer"),
    column("name"),
    column("kind"),
    column("period"),
    column("issued"),
    column("due").needed(),
    number("total").needed(),
    number("paid"),
    number("open").needed(),
];

async fn list(ctx: &Context, store: &dyn Store, args: List) -> anyhow::Result<Exit> {
    let query = InvoiceQuery {
        customer: find::customer_id(ctx, store, args.customer.as_ref()).await?,
        open: args.open,
        issued_from: args.month.map(Month::first),
        issued_before: args.month.map(|m| m.plus(1).first()),
        ..InvoiceQuery::default()
    };
    let mut all: Vec<(Invoice, Money)> = Vec::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let invoices = store.invoices(ctx.tenant(), query, page).await?;
        let more = page.advance(&invoices, |(last, _)| last.id);
        all.extend(invoices);
        if !more {
            break;
        }
    }
    let people = find::people(ctx, store, all.iter().map(|(i, _)| i.customer_id)).await?;
    let code = |i: &Invoice| people.get(&i.customer_id).map_or_else(String::new, |c| c.code.to_string());
    let number = |i: &Invoice| (i.issue_date.month(), i.number);
    match args.order {
        Order::Number => all.sort_by_key(|(i, _)| number(i)),
        Order::Due => all.sort_by_key(|(i, _)| (i.due_date, number(i))),
        Order::Customer => all.sort_by_cached_key(|(i, _)| (code(i), number(i))),
        Order::Open => all.sort_by_key(|(i, paid)| (Reverse(i.total - *paid), number(i))),
    }
    let mut statements = BTreeMap::new();
    let of: Vec<CustomerId> = people.keys().copied().collect();
    for chunk in of.chunks(1_000) {
        let found = store.statements(ctx.tenant(), chunk).await?;
        statements.extend(found.iter().map(|s| (s.id(), s.display_number())));
    }
    let mut rows = Rows::new(LIST);
    for (invoice, paid) in &all {
        let on = Statement::id_of(invoice.customer_id, invoice.issue_date, invoice.due_date);
        let customer = people.get(&invoice.customer_id);
        rows.push(vec![
            Cell::text(invoice.display_number()),
            Cell::maybe(statements.get(&on)),
            Cell::maybe(customer.map(|c| &c.code)),
            Cell::maybe(customer.map(|c| &c.name)),
            Cell::Word(invoice.kind.code()),
            Cell::text(invoice.period),
            invoice.issue_date.into(),
            invoice.due_date.into(),
            invoice.total.into(),
            (*paid).into(),
            (invoice.total - *paid).into(),
        ]);
    }
    ctx.rows(&rows)?;
    if !all.is_empty() {
        let total: Money = all.iter().map(|(i, _)| i.total).sum();
        let paid: Money = all.iter().map(|(_, paid)| *paid).sum();
        let variables = [
            ("count", all.len().to_string()),
            ("total", total.to_string()),
            ("paid", paid.to_string()),
            ("open", (total - paid).to_string()),
        ];
        ctx.say("done.invoice_sums", &variables)?;
    }
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

fn lines(ctx: &Context, invoice: &Invoice) -> anyhow::Result<Exit> {
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
