//! `isp payment`: money that came in.

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::billing::Statement;
use isp_core::calendar::{Date, Month, Zone};
use isp_core::customer::Customer;
use isp_core::engine::{EngineError, NewPayment, PayReport};
use isp_core::ids::CustomerId;
use isp_core::payment::unusual::Unusual;
use isp_core::payment::{Channel, withheld};
use isp_core::ports::{PageQuery, PaymentRow, Store};
use isp_core::text::{Code, Reference};

use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Column, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Record a payment: it pays the oldest invoices and reopens what arrears had isolated.
    #[command(
        after_help = "Examples:\n  isp payment add P001 'Rp 165.000' --provider cash --reference KW-0042\n  isp payment add budi 165000   cash, with the next number of a receipt\n  isp payment add PT01 'Rp 20.000' --provider pph23 --reference BP-0001 --paid-on 2026-01-31\n\nThe same provider and reference again changes nothing; case and blanks make no difference. A payment that was reversed leaves its reference free.\n\nMore than three times what is owed and what a month costs, and the same amount of the same customer on the same day again, is asked about first.\n\npph23 is the tax that a firm kept back (PPh 23), with the number and the date of its slip (bukti potong). It settles what is missing of an invoice, and is no money."
    )]
    Add(Add),
    /// List payments with what is left of each.
    List(List),
    /// Show what a payment paid.
    Show(Which),
    /// Take a payment back whole (a bounced transfer, a typing error): what it paid is open again.
    #[command(after_help = "Example:\n  isp payment reverse bank TRX-77 --reason 'transfer ditolak bank'")]
    Reverse(Reverse),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Who paid: customer ID, phone number, PPPoE user name, a part of the name, or the number of a statement (TG-...).
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// How much.
    #[arg(value_parser = args::money)]
    amount: Money,
    /// Through whom: cash, bank, midtrans and so on; pph23 for a slip of tax that was kept back.
    #[arg(long, value_parser = args::code, default_value = "cash")]
    provider: Code,
    /// The provider's reference, or the number of the receipt; unique with the provider. Cash without one gets the next number, such
    /// as KW-20260131-001.
    #[arg(long, value_parser = args::reference)]
    reference: Option<Reference>,
    /// The collector (kolektor) who took the cash and holds it until `collector deposit`.
    #[arg(long, value_parser = args::code)]
    collector: Option<Code>,
    /// The day on which the customer paid; now when not given.
    #[arg(long)]
    paid_on: Option<Date>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
    /// Only those that were paid on this day.
    #[arg(long, conflicts_with = "month")]
    paid_on: Option<Date>,
    /// Only those that were paid in this month, such as 2026-01.
    #[arg(long, value_parser = args::month)]
    month: Option<Month>,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Through whom it came.
    #[arg(value_parser = args::code)]
    pub(crate) provider: Code,
    /// The provider's reference.
    #[arg(value_parser = args::reference)]
    pub(crate) reference: Reference,
    /// Whose, where several customers have a slip of this number.
    #[arg(long, value_parser = args::whom)]
    pub(crate) customer: Option<args::Whom>,
}

#[derive(Debug, Args)]
pub(crate) struct Reverse {
    #[command(flatten)]
    which: Which,
    /// Why.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    sure: Sure,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args).await,
        Command::List(args) => list(ctx, args).await,
        Command::Show(which) => show(ctx, which).await,
        Command::Reverse(Reverse { which, reason, sure }) => {
            let store = ctx.store().await?;
            let found = find::payment(ctx, store, &which.provider, &which.reference, which.customer.as_ref()).await?;
            let id = found.payment.id;
            let payer = store.customer(ctx.tenant(), found.payment.customer_id).await?;
            let code = payer.as_ref().map_or_else(String::new, find::named);
            let day = Zone::Wib.date_of(found.payment.paid_at).to_string();
            let asked = [
                ("code", code.clone()),
                ("reference", found.payment.reference.to_string()),
                ("amount", found.payment.amount.to_string()),
                ("date", day),
            ];
            if !ctx.may("ask.reverse", &asked)? {
                return Ok(Exit::Refused);
            }
            let back = ctx.engine(store).reverse_as(id, ctx.officer.as_str(), &reason, sure.told(), ctx.now).await?;
            let variables =
                [("code", code), ("reference", which.reference.to_string()), ("amount", back.amount.to_string())];
            ctx.say("done.reversed", &variables)?;
            if back.fees_again.is_positive() {
                ctx.say("done.fees_again", &[("amount", back.fees_again.to_string())])?;
            }
            Ok(Exit::Done)
        }
    }
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    let numbered = args.reference.is_none();
    if numbered && Channel::of_provider(&args.provider) != Channel::Cash {
        return Err(Failure::Usage { problem: "no_reference", what: args.provider.to_string() }.into());
    }
    if withheld::is_slip(&args.provider) && args.paid_on.is_none() {
        let what = args.reference.map(|reference| reference.to_string()).unwrap_or_default();
        return Err(Failure::Usage { problem: "slip_day", what }.into());
    }
    let store = ctx.store().await?;
    let customer = match Statement::parse_number(args.customer.as_str()) {
        None => find::customer(ctx, store, &args.customer).await?,
        Some(_) => {
            let (statement, _) = find::statement(ctx, store, args.customer.as_str()).await?;
            let customer = store.customer(ctx.tenant(), statement.customer_id).await?;
            customer.ok_or_else(|| Failure::NotFound { noun: "customer", code: args.customer.as_str().to_owned() })?
        }
    };
    let reference = match args.reference {
        Some(reference) => reference,
        None => next_receipt(ctx, store, &args.provider, 1).await?.0,
    };
    let mut new = NewPayment {
        customer_id: customer.id,
        provider: args.provider,
        reference,
        amount: args.amount,
        collector: args.collector,
        paid_at: args.paid_on.map_or(ctx.now, |day| match day == ctx.today() {
            true => day.at(12, 0, Zone::Wib).min(ctx.now),
            false => day.at(12, 0, Zone::Wib),
        }),
    };
    let unusual = if args.sure.is() { None } else { unusual(ctx, store, &customer, &new).await? };
    if let Some(unusual) = unusual.as_ref().filter(|_| ctx.asks())
        && !ctx.may(unusual.question, &unusual.variables)?
    {
        return Ok(Exit::Refused);
    }
    let mut report = ctx.engine(store).pay_as(&new, args.sure.told(), ctx.now).await;
    // Somebody else took the same number of a receipt at the same moment: this one gets the next.
    let mut from = 1;
    while numbered
        && from < 100
        && matches!(&report, Err(EngineError::PaymentMismatch) | Ok(PayReport { known: true, .. }))
    {
        (new.reference, from) = next_receipt(ctx, store, &new.provider, from + 1).await?;
        report = ctx.engine(store).pay_as(&new, args.sure.told(), ctx.now).await;
    }
    let report = report?;
    let paid: Money = report.paid.iter().map(|(_, amount)| *amount).sum();
    let mut row = Rows::new(&[
        column("customer"),
        number("amount"),
        number("paid"),
        number("credit"),
        number("invoices"),
        number("reopened"),
        number("owed"),
        number("isolated"),
        column("known"),
    ]);
    row.push(vec![
        Cell::text(&customer.code),
        args.amount.into(),
        paid.into(),
        report.credit.into(),
        Cell::count(report.paid.len()),
        Cell::count(report.reopened.len()),
        report.owed.into(),
        Cell::count(report.still_isolated.len()),
        Cell::Word(if report.known { "yes" } else { "no" }),
    ]);
    let variables = [
        ("code", find::named(&customer)),
        ("amount", args.amount.to_string()),
        ("paid", paid.to_string()),
        ("invoices", report.paid.len().to_string()),
        ("credit", report.credit.to_string()),
        ("reopened", report.reopened.len().to_string()),
        ("owed", report.owed.to_string()),
        ("overdue", report.overdue.to_string()),
        ("isolated", report.still_isolated.len().to_string()),
    ];
    let key = match (report.known, report.owed.is_zero(), report.still_isolated.is_empty()) {
        (true, ..) => "done.payment_known",
        _ if withheld::is_slip(&new.provider) => "done.payment_slip",
        (false, true, _) if paid.is_zero() => "done.payment_credit",
        (false, true, _) => "done.payment",
        (false, false, true) => "done.payment_part",
        (false, false, false) => "done.payment_isolated",
    };
    ctx.done(key, &variables, &row)?;
    if let Some(doubt) = unusual.filter(|_| !ctx.asks()) {
        ctx.warn(doubt.warning, &doubt.variables);
    }
    if numbered {
        ctx.say("done.receipt", &[("reference", new.reference.to_string())])?;
    }
    Ok(Exit::Done)
}

/// The next free number of a receipt of today, from `from` on: the day, and a count that begins anew each day.
async fn next_receipt(
    ctx: &Context,
    store: &dyn Store,
    provider: &Code,
    from: u32,
) -> anyhow::Result<(Reference, u32)> {
    let day = ctx.today().to_string().replace('-', "");
    for count in from.. {
        let reference = Reference::parse("reference", &format!("KW-{day}-{count:03}"))?;
        if store.payments_known_as(ctx.tenant(), provider, &reference).await?.is_empty() {
            return Ok((reference, count));
        }
    }
    Err(Failure::Usage { problem: "no_reference", what: provider.to_string() }.into())
}

/// What is said of an unusual payment: as a question, or after it was written where nobody can answer one.
struct Doubt {
    question: &'static str,
    warning: &'static str,
    variables: Vec<(&'static str, String)>,
}

/// What a person is asked about a payment that is far more than usual, or there already under another reference.
async fn unusual(
    ctx: &Context,
    store: &dyn Store,
    customer: &Customer,
    new: &NewPayment,
) -> anyhow::Result<Option<Doubt>> {
    if ctx.yes || !Channel::of_provider(&new.provider).is_money() {
        return Ok(None);
    }
    let Some(unusual) = ctx.engine(store).unusual_payment(new, ctx.now).await? else { return Ok(None) };
    let mut variables = vec![("code", find::named(customer)), ("amount", new.amount.to_string())];
    let (question, warning) = match unusual {
        Unusual::Again { provider, reference } => {
            let day = Zone::Wib.date_of(new.paid_at).to_string();
            let more = [("provider", provider.to_string()), ("reference", reference.to_string()), ("date", day)];
            variables.extend(more);
            ("ask.payment_again", "warn.payment_again")
        }
        Unusual::TooMuch { owed, monthly } => {
            variables.extend([("owed", owed.to_string()), ("monthly", monthly.to_string())]);
            ("ask.payment_much", "warn.payment_much")
        }
        _ => return Ok(None),
    };
    Ok(Some(Doubt { question, warning, variables }))
}

const LIST: &[Column] = &[
    column("paid_at"),
    column("customer"),
    column("name"),
    column("provider"),
    column("reference"),
    column("channel"),
    column("collector"),
    number("amount").needed(),
    number("left"),
    column("reversed").needed(),
];

async fn all_payments(ctx: &Context, store: &dyn Store, of: Option<CustomerId>) -> anyhow::Result<Vec<PaymentRow>> {
    let mut all = Vec::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let payments = store.payments(ctx.tenant(), of, page).await?;
        let more = page.advance(&payments, |last| last.payment.id);
        all.extend(payments);
        if !more {
            return Ok(all);
        }
    }
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let of = find::customer_id(ctx, store, args.customer.as_ref()).await?;
    let day = |row: &PaymentRow| Zone::Wib.date_of(row.payment.paid_at);
    let days = args.paid_on.map(|day| (day, day.plus_days(1)));
    let days = days.or(args.month.map(|month| (month.period().start, month.period().end)));
    let mut all = match (of, days) {
        // Of one customer, all are few.
        (None, Some((from, until))) => {
            store.payments_between(ctx.tenant(), from.midnight(Zone::Wib), until.midnight(Zone::Wib)).await?
        }
        _ => all_payments(ctx, store, of).await?,
    };
    all.retain(|row| days.is_none_or(|(from, until)| (from..until).contains(&day(row))));
    all.sort_by_key(|row| (row.payment.paid_at, row.payment.id));
    let people = find::people(ctx, store, all.iter().map(|row| row.payment.customer_id)).await?;
    let mut rows = Rows::new(LIST);
    for row in &all {
        let customer = people.get(&row.payment.customer_id);
        rows.push(vec![
            day(row).into(),
            Cell::maybe(customer.map(|c| &c.code)),
            Cell::maybe(customer.map(|c| &c.name)),
            Cell::text(&row.payment.provider),
            Cell::text(&row.payment.reference),
            Cell::Word(row.payment.channel.code()),
            Cell::maybe(row.payment.collector.as_ref()),
            row.payment.amount.into(),
            row.left.into(),
            Cell::maybe(row.reversal.as_ref().map(|r| &r.reason)),
        ]);
    }
    ctx.rows(&rows)?;
    // Credit notes, write-offs and slips of tax stand among the payments, and bring no money in.
    let counts = |row: &&PaymentRow| row.reversal.is_none() && row.payment.channel.is_money();
    let paid: Vec<&PaymentRow> = all.iter().filter(counts).collect();
    if !all.is_empty() {
        let variables = [
            ("count", paid.len().to_string()),
            ("amount", paid.iter().map(|row| row.payment.amount).sum::<Money>().to_string()),
            ("left", all.iter().map(|row| row.left).sum::<Money>().to_string()),
        ];
        ctx.say("done.payment_sums", &variables)?;
    }
    Ok(Exit::Done)
}

async fn show(ctx: &Context, which: Which) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let payment = find::payment(ctx, store, &which.provider, &which.reference, which.customer.as_ref()).await?;
    let id = payment.payment.id;
    let query = isp_core::ports::InvoiceQuery { customer: Some(payment.payment.customer_id), ..Default::default() };
    let mut numbers = std::collections::BTreeMap::new();
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let invoices = store.invoices(ctx.tenant(), query, page).await?;
        numbers.extend(invoices.iter().map(|(i, _)| (i.id, i.display_number())));
        if !page.advance(&invoices, |(last, _)| last.id) {
            break;
        }
    }
    let mut rows = Rows::new(&[column("date"), column("invoice"), number("amount")]);
    for allocation in store.allocations(ctx.tenant(), id).await? {
        let number = numbers.get(&allocation.invoice_id);
        rows.push(vec![Zone::Wib.date_of(allocation.at).into(), Cell::maybe(number), allocation.amount.into()]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
