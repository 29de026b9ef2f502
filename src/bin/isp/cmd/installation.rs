//! `isp installation`: pasang baru (PSB) and its one-time fee.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, Zone, plausible_day};
use isp_core::ending::EndingKind;
use isp_core::ids::{InstallationKindId, InstallationOrderId, MasterId};
use isp_core::installation::{FeeStatus, InstallationKind, InstallationOrder, part_step};
use isp_core::money::plausible_amount;
use isp_core::ports::{ChangeSet, InstallationRow};
use isp_core::text::{Code, Name, RouterName};

use super::record::{self, EndArgs, chosen};
use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Column, Rows, column, number};
use isp_core::customer::Customer;

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
    /// Correct an installation: it is taken back, with credit notes for what was invoiced, and recorded anew.
    #[command(after_help = "Example:\n  isp installation edit P001 --fee 300000 --reason 'salah jenis'")]
    Edit(Edit),
    /// Take an installation back that was recorded by mistake; what was invoiced is given back by credit notes.
    #[command(after_help = "Example:\n  isp installation remove P001 --reason 'tercatat dua kali'")]
    Remove(Remove),
    /// Add a kind of installation (jenis PSB) with its price, or change its price.
    #[command(after_help = "Example:\n  isp installation kind FO --name 'Fiber baru' --price 500000")]
    Kind(Kind),
    /// List the kinds of installation with their prices.
    Kinds,
    /// Remove a kind of installation that no installation has.
    #[command(after_help = "Example:\n  isp installation remove-kind FO")]
    RemoveKind(OfKind),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
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
    #[arg(long, value_parser = args::router_name)]
    username: Option<RouterName>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// Code of the right kind.
    #[arg(long, value_parser = args::code)]
    kind: Option<Code>,
    /// The right fee before PPN.
    #[arg(long, value_parser = args::money)]
    fee: Option<Money>,
    /// The right day of installation; today when an instalment was invoiced, whose day stays taken.
    #[arg(long)]
    date: Option<Date>,
    /// In how many monthly instalments the fee is paid.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=12))]
    instalments: Option<u8>,
    #[command(flatten)]
    end: EndArgs,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    #[command(flatten)]
    end: EndArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
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
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct OfKind {
    /// Code of the kind.
    #[arg(value_parser = args::code)]
    code: Code,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args).await,
        Command::List(args) => list(ctx, args, false).await,
        Command::Show(args) => list(ctx, args, true).await,
        Command::Edit(args) => edit(ctx, args).await,
        Command::Remove(args) => remove(ctx, args).await,
        Command::Kind(Kind { code, name, price, sure }) => {
            sure.of(plausible_amount("price", price))?;
            let store = ctx.store().await?;
            let known = store.installation_kinds(ctx.tenant()).await?.into_iter().find(|k| k.code == code);
            let id = known.map_or_else(|| InstallationKindId(ctx.id()), |k| k.id);
            let shown = code.to_string();
            let installation_kinds = vec![InstallationKind { id, code, name, price: not_negative("price", price)? }];
            store.commit(ctx.tenant(), ChangeSet { installation_kinds, ..ChangeSet::default() }).await?;
            ctx.say("done.kind", &[("code", shown), ("price", price.to_string())])?;
            Ok(Exit::Done)
        }
        Command::Kinds => {
            let mut rows = Rows::new(&[column("code"), column("name"), number("price")]);
            for kind in ctx.store().await?.installation_kinds(ctx.tenant()).await? {
                rows.push(vec![Cell::text(&kind.code), Cell::text(&kind.name), kind.price.into()]);
            }
            ctx.rows(&rows)?;
            Ok(Exit::Done)
        }
        Command::RemoveKind(OfKind { code }) => {
            let store = ctx.store().await?;
            let kind = find::kind(ctx, store, &code).await?;
            if !ctx.may("ask.remove", &[("noun", ctx.texts.t("noun.kind")), ("code", code.to_string())])? {
                return Ok(Exit::Refused);
            }
            ctx.engine(store).remove(MasterId::InstallationKind(kind.id)).await?;
            ctx.say("done.kind_removed", &[("code", code.to_string())])?;
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
    let kind = find::kind(ctx, store, &args.kind).await?;
    let fee = not_negative("fee", args.fee.unwrap_or(kind.price))?;
    let order = InstallationOrder {
        id: InstallationOrderId(ctx.id()),
        customer_id: customer.id,
        subscription_id: line.id,
        kind_id: kind.id,
        fee,
        installed_on: args.date.unwrap_or_else(|| ctx.today()),
        instalments: args.instalments,
        with_first_invoice: args.with_first_invoice,
        step: part_step(fee),
    };
    args.sure.of(plausible_day("date", order.installed_on, ctx.today()))?;
    args.sure.of(plausible_amount("fee", order.fee))?;
    let variables = [("code", find::named(&customer)), ("fee", order.fee.to_string())];
    ctx.engine(store).add_installation(order).await?;
    ctx.say("done.installation", &variables)?;
    Ok(Exit::Done)
}

async fn edit(ctx: &Context, args: Edit) -> anyhow::Result<Exit> {
    let (customer, row) = one(ctx, &args.customer, &args.end).await?;
    let store = ctx.store().await?;
    let kind_id = match &args.kind {
        Some(code) => find::kind(ctx, store, code).await?.id,
        None => row.order.kind_id,
    };
    let alone = !row.order.with_first_invoice || row.fee.is_some();
    let same_day = row.invoiced.is_zero();
    let fee = not_negative("fee", args.fee.unwrap_or(row.order.fee))?;
    let instead = InstallationOrder {
        id: InstallationOrderId(ctx.id()),
        kind_id,
        fee,
        installed_on: args.date.unwrap_or(if same_day { row.order.installed_on } else { ctx.today() }),
        instalments: args.instalments.unwrap_or(row.order.instalments),
        // The first invoice is issued: the right fee becomes an invoice of its own.
        with_first_invoice: !alone,
        step: part_step(fee),
        ..row.order.clone()
    };
    let same = InstallationOrder { id: row.order.id, step: row.order.step, ..instead.clone() } == row.order;
    if same || args.kind.is_none() && args.fee.is_none() && args.date.is_none() && args.instalments.is_none() {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: customer.code.to_string() }.into());
    }
    args.sure.of(plausible_amount("fee", fee))?;
    let given = take_back(ctx, &row, Some(instead), &args.end).await?;
    let variables = [("code", find::named(&customer)), ("fee", fee.to_string()), ("given_back", given.to_string())];
    ctx.say("done.installation_edited", &variables)?;
    Ok(Exit::Done)
}

async fn remove(ctx: &Context, args: Remove) -> anyhow::Result<Exit> {
    let (customer, row) = one(ctx, &args.customer, &args.end).await?;
    let given = take_back(ctx, &row, None, &args.end).await?;
    let variables = [("code", find::named(&customer)), ("given_back", given.to_string())];
    ctx.say("done.installation_removed", &variables)?;
    Ok(Exit::Done)
}

/// The installation of a customer that is meant.
async fn one(ctx: &Context, whom: &args::Whom, end: &EndArgs) -> anyhow::Result<(Customer, InstallationRow)> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, whom).await?;
    let rows = store.installation_orders(ctx.tenant(), Some(customer.id)).await?;
    let of = customer.code.as_str();
    let row = chosen(&end.which, "installation", of, rows, |r| r.order.id.0, |r| r.ending.is_none())?;
    Ok((customer, row))
}

async fn take_back(
    ctx: &Context,
    row: &InstallationRow,
    instead: Option<InstallationOrder>,
    end: &EndArgs,
) -> anyhow::Result<Money> {
    let ending = end.ending(ctx, EndingKind::TakenBack)?;
    let engine = ctx.engine(ctx.store().await?);
    let (customer, id) = (row.order.customer_id, row.order.id);
    let given = engine.correct_installation(customer, id, instead, ending, ctx.now).await?;
    Ok(given.iter().map(|note| note.total).sum())
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
    column("ended"),
    column("id"),
];

async fn list(ctx: &Context, args: List, parts: bool) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let of = match &args.customer {
        Some(code) => Some(find::person(ctx, store, code.as_str()).await?.id),
        None => None,
    };
    let kinds: BTreeMap<_, _> =
        store.installation_kinds(ctx.tenant()).await?.into_iter().map(|k| (k.id, k.code.to_string())).collect();
    let mut rows = Rows::new(if parts { PARTS } else { ORDERS });
    let orders = store.installation_orders(ctx.tenant(), of).await?;
    let codes = find::codes(ctx, store, orders.iter().map(|row| row.order.customer_id)).await?;
    for row in orders {
        if parts && row.ending.is_some() {
            continue;
        }
        let code = codes.get(&row.order.customer_id);
        let kind = Cell::maybe(kinds.get(&row.order.kind_id));
        if parts && row.order.with_first_invoice {
            let when = Cell::Word("with_first_invoice");
            rows.push(vec![Cell::maybe(code), kind.clone(), Cell::count(1u8), when, row.order.fee.into()]);
            continue;
        }
        if parts {
            for part in row.order.schedule() {
                let number = Cell::count(part.number);
                rows.push(vec![Cell::maybe(code), kind.clone(), number, part.on.into(), part.amount.into()]);
            }
            continue;
        }
        // Invoices hold PPN and the fee does not: only when the last instalment is invoiced can all of it be paid.
        let last_due = row.order.schedule().last().is_none_or(|part| part.on <= ctx.today());
        let [_, ended] = record::ended(row.ending.as_ref(), Zone::Wib);
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
                _ if row.ending.is_some() => "taken_back",
                FeeStatus::Unpaid => "unpaid",
                FeeStatus::PartlyPaid => "partly_paid",
                FeeStatus::Paid => "paid",
            }),
            ended,
            record::shown(row.order.id.0),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
