//! `isp installation`: pasang baru (PSB) and its one-time fee.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::Date;
use isp_core::ids::{InstallationKindId, InstallationOrderId};
use isp_core::installation::{FeeStatus, InstallationKind, InstallationOrder};
use isp_core::ports::ChangeSet;
use isp_core::text::{Code, Name};

use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Column, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add an installation; its fee, or the first instalment, is invoiced on its day.
    #[command(
        after_help = "Examples:\n  isp installation add P001 --kind FO --fee 500000 --instalments 3\n  isp installation add P001 --kind FO --with-first-invoice"
    )]
    Add(Add),
    /// List installations with what is invoiced and paid.
    List(List),
    /// Show the instalments of a customer's installations.
    Show(List),
    /// Add a kind of installation (jenis PSB) with its price, or change its price.
    #[command(after_help = "Example:\n  isp installation kind FO --name 'Fiber baru' --price 500000")]
    Kind(Kind),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    customer: Code,
    /// Code of the kind.
    #[arg(long, value_parser = args::code)]
    kind: Code,
    /// The fee before PPN; the kind's price when not given.
    #[arg(long, value_parser = args::money)]
    fee: Option<Money>,
    /// The day of installation; today when not given.
    #[arg(long)]
    date: Option<Date>,
    /// In how many monthly instalments the fee is paid.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=12))]
    instalments: u8,
    /// The fee stands on the first periodic invoice of the line, which must not be issued yet.
    #[arg(long, conflicts_with = "instalments")]
    with_first_invoice: bool,
    /// Which line, for a customer with several.
    #[arg(long, value_parser = args::code)]
    username: Option<Code>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::code)]
    customer: Option<Code>,
}

#[derive(Debug, Args)]
pub(crate) struct Kind {
    /// Short code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Name.
    #[arg(long, value_parser = args::name)]
    name: Name,
    /// The fee before PPN; 0 for a free installation.
    #[arg(long, value_parser = args::money)]
    price: Money,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args).await,
        Command::List(args) => list(ctx, args, false).await,
        Command::Show(args) => list(ctx, args, true).await,
        Command::Kind(Kind { code, name, price }) => {
            let store = ctx.store().await?;
            let known = store.installation_kinds(ctx.tenant()).await?.into_iter().find(|k| k.code == code);
            let id = known.map_or_else(|| InstallationKindId(ctx.id()), |k| k.id);
            let shown = code.to_string();
            let installation_kinds = vec![InstallationKind { id, code, name, price: not_negative("price", price)? }];
            store.commit(ctx.tenant(), ChangeSet { installation_kinds, ..ChangeSet::default() }).await?;
            ctx.say("done.kind", &[("code", shown), ("price", price.to_string())])?;
            Ok(Exit::Done)
        }
    }
}

fn not_negative(field: &'static str, money: Money) -> Result<Money, isp_core::Error> {
    if money < Money::ZERO { Err(isp_core::Error::NotPositive { field }) } else { Ok(money) }
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let (line, _) = find::subscription(ctx, store, &customer, args.username.as_ref()).await?;
    let kinds = store.installation_kinds(ctx.tenant()).await?;
    let kind = kinds.into_iter().find(|k| k.code == args.kind);
    let kind = kind.ok_or_else(|| Failure::NotFound { noun: "kind", code: args.kind.to_string() })?;
    let order = InstallationOrder {
        id: InstallationOrderId(ctx.id()),
        customer_id: customer.id,
        subscription_id: line.id,
        kind_id: kind.id,
        fee: not_negative("fee", args.fee.unwrap_or(kind.price))?,
        installed_on: args.date.unwrap_or_else(|| ctx.today()),
        instalments: args.instalments,
        with_first_invoice: args.with_first_invoice,
    };
    let variables = [("code", args.customer.to_string()), ("fee", order.fee.to_string())];
    ctx.engine(store).add_installation(order).await?;
    ctx.say("done.installation", &variables)?;
    Ok(Exit::Done)
}

const PARTS: &[Column] = &[column("customer"), column("kind"), number("instalment"), column("date"), number("fee")];

const ORDERS: &[Column] = &[
    column("customer"),
    column("kind"),
    column("date"),
    number("fee"),
    number("instalments"),
    column("invoicing"),
    number("invoiced"),
    number("paid"),
    column("status"),
];

async fn list(ctx: &Context, args: List, parts: bool) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let of = match &args.customer {
        Some(code) => Some(find::customer(ctx, store, code).await?.id),
        None => None,
    };
    let kinds: BTreeMap<_, _> =
        store.installation_kinds(ctx.tenant()).await?.into_iter().map(|k| (k.id, k.code.to_string())).collect();
    let mut rows = Rows::new(if parts { PARTS } else { ORDERS });
    for row in store.installation_orders(ctx.tenant(), of).await? {
        let customer = store.customer(ctx.tenant(), row.order.customer_id).await?;
        let code = customer.map(|c| c.code.to_string());
        let kind = Cell::maybe(kinds.get(&row.order.kind_id));
        if parts && row.order.with_first_invoice {
            let when = Cell::Word("with_first_invoice");
            rows.push(vec![Cell::maybe(code.as_ref()), kind.clone(), Cell::count(1u8), when, row.order.fee.into()]);
            continue;
        }
        if parts {
            for part in row.order.schedule() {
                let number = Cell::count(part.number);
                rows.push(vec![Cell::maybe(code.as_ref()), kind.clone(), number, part.on.into(), part.amount.into()]);
            }
            continue;
        }
        // Invoices hold PPN and the fee does not: only when the last instalment is invoiced can all of it be paid.
        let last_due = row.order.schedule().last().is_none_or(|part| part.on <= ctx.today());
        let status = match FeeStatus::of(row.invoiced, row.paid) {
            FeeStatus::Paid if last_due && row.invoiced >= row.order.fee => FeeStatus::Paid,
            _ if row.paid.is_positive() => FeeStatus::PartlyPaid,
            _ => FeeStatus::Unpaid,
        };
        rows.push(vec![
            Cell::maybe(code),
            kind,
            row.order.installed_on.into(),
            row.order.fee.into(),
            Cell::count(row.order.instalments),
            Cell::Word(if row.order.with_first_invoice { "with_first_invoice" } else { "alone" }),
            row.invoiced.into(),
            row.paid.into(),
            Cell::Word(match status {
                FeeStatus::Unpaid => "unpaid",
                FeeStatus::PartlyPaid => "partly_paid",
                FeeStatus::Paid => "paid",
            }),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
