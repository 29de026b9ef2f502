//! `isp refund`: credit that is paid out to customers.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, Zone, plausible_day};
use isp_core::engine::RefundWish;
use isp_core::ids::RefundId;
use isp_core::payment::{Channel, GatewayRefund, Refund, RefundState};
use isp_core::ports::{GatewayRefundQuery, RefundRow, Store};

use super::gateway::of_gateway;
use super::record::{self, Which, Why};
use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};
use crate::wire;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Book credit that is paid out to a customer (pengembalian saldo), such as to one who leaves.
    #[command(
        after_help = "Examples:\n  isp refund add P001 --note 'berhenti langganan'\n  isp refund add P001 50.000 --from bank --note 'transfer ke BCA'"
    )]
    Add(Add),
    /// Give a payment back through the gateway that it came through, or a part, out of the customer's credit.
    #[command(
        after_help = "Examples:\n  isp refund ask midtrans 9aed5972-5b6a-401e-894b-a32c91ed1a3a --note 'bayar dua kali'\n  isp refund ask xendit pr-90392f42 50.000\n\nMidtrans and Xendit give back what came by QRIS or a wallet; a virtual account and a shop cannot. Tripay and Duitku give nothing back: pay the customer yourself, and book it with isp refund add. An answer that was lost is settled by the next isp deliver."
    )]
    Ask(Ask),
    /// Say what became of a refund at a gateway that does not come to its end by itself, as you saw it there.
    #[command(
        after_help = "Examples:\n  isp refund settle 4f1a09c2 --given --reason 'dasbor Midtrans: sukses 12 Maret'\n  isp refund settle 4f1a09c2 --refused --reason 'gateway sudah tidak dipakai, uang tidak keluar'\n\nLook at the gateway first: after --refused the customer has the credit again, and may be given it once more. It is possible an hour after the gateway was asked, and from then on the gateway is not asked any more."
    )]
    Settle(Settle),
    /// List refunds, oldest first; those that were taken back say so.
    List(List),
    /// Show one refund.
    Show(Which),
    /// Take a refund back that was booked by mistake: the customer has the credit again.
    #[command(after_help = "Example:\n  isp refund remove 4f1a09c2 --reason 'tercatat dua kali'")]
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// How much; all of the credit when not given.
    #[arg(value_parser = args::money)]
    amount: Option<Money>,
    /// From where: cash (of the office) or bank.
    #[arg(long, value_parser = args::channel, default_value = "cash")]
    from: Channel,
    /// When; today when not given.
    #[arg(long)]
    date: Option<Date>,
    /// In words.
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    which: super::payment::Which,
    /// How much; all that is left of the payment when not given.
    #[arg(value_parser = args::money)]
    amount: Option<Money>,
    /// In words; they stay here.
    #[arg(long, default_value = "")]
    note: String,
}

#[derive(Debug, Args)]
pub(crate) struct Settle {
    #[command(flatten)]
    which: Which,
    /// The customer got the money.
    #[arg(long, conflicts_with = "refused", required_unless_present = "refused")]
    given: bool,
    /// The customer did not get it and will not: the refund is taken back.
    #[arg(long)]
    refused: bool,
    /// How you know; kept with it.
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
pub(crate) struct Remove {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::Add(args) => {
            let customer = find::customer(ctx, store, &args.customer).await?;
            let on = args.date.unwrap_or_else(|| ctx.today());
            args.sure.of(plausible_day("date", on, ctx.today()))?;
            let amount = match args.amount {
                Some(amount) => amount,
                None => store.credit(ctx.tenant(), customer.id).await?.iter().map(|source| source.left).sum(),
            };
            let refund = Refund {
                id: RefundId(ctx.id()),
                customer_id: customer.id,
                amount,
                paid_from: args.from,
                on,
                by: ctx.officer.to_string(),
                note: args.note,
                parts: Vec::new(),
            };
            let made = ctx.engine(store).refund(refund, args.sure.told()).await?;
            ctx.say("done.refund", &[("code", find::named(&customer)), ("amount", made.amount.to_string())])?;
        }
        Command::Ask(Ask { which, amount, note }) => {
            let customer = which.customer.as_ref();
            let payment = find::payment(ctx, store, &which.provider, &which.reference, customer).await?;
            let gateway = wire::gateway(&ctx.config, &which.provider)?;
            let left = store.credit(ctx.tenant(), payment.payment.customer_id).await?;
            let left = left.iter().filter(|of| of.payment_id == payment.payment.id).map(|of| of.left).sum();
            let sum: Money = amount.unwrap_or(left);
            // What cannot be is not asked about: the engine says why.
            if sum.is_positive() && sum <= left {
                let payer = store.customer(ctx.tenant(), payment.payment.customer_id).await?;
                let asked = [
                    ("code", payer.as_ref().map_or_else(String::new, find::named)),
                    ("amount", sum.to_string()),
                    ("gateway", which.provider.to_string()),
                    ("reference", payment.payment.reference.to_string()),
                ];
                if !ctx.may("ask.refund", &asked)? {
                    return Ok(Exit::Refused);
                }
            }
            let wish = RefundWish {
                id: RefundId(ctx.id()),
                payment: payment.payment.id,
                amount,
                by: ctx.officer.to_string(),
                note,
            };
            let asked = ctx.engine(store).refund_at_gateway(gateway.as_ref(), &wish, ctx.now).await;
            let (refund, told) = asked.map_err(|error| of_gateway(&which.provider, error))?;
            let code = find::codes(ctx, store, [refund.customer_id]).await?.remove(&refund.customer_id);
            let variables = [
                ("code", code.unwrap_or_default()),
                ("amount", refund.amount.to_string()),
                ("gateway", told.gateway.to_string()),
            ];
            let said = if told.state == RefundState::Done { "done.refund_given" } else { "done.refund_asked" };
            ctx.say(said, &variables)?;
        }
        Command::Settle(Settle { which, given, refused: _, reason }) => {
            let RefundRow { refund, .. } = find_one(ctx, store, &which).await?;
            let by = ctx.officer.as_str();
            let settled = ctx.engine(store).settle_refund(refund.id, given, by, &reason, ctx.now).await?;
            let customer = find::codes(ctx, store, [refund.customer_id]).await?.remove(&refund.customer_id);
            let variables = [
                ("code", customer.unwrap_or_default()),
                ("amount", refund.amount.to_string()),
                ("gateway", settled.gateway.to_string()),
            ];
            ctx.say(if given { "done.refund_settled" } else { "done.refund_settled_refused" }, &variables)?;
        }
        Command::List(List { customer }) => {
            let of = match &customer {
                Some(code) => Some(find::person(ctx, store, code.as_str()).await?.id),
                None => None,
            };
            ctx.rows(&table(ctx, store, &store.refunds(ctx.tenant(), of).await?).await?)?;
        }
        Command::Show(which) => {
            let row = find_one(ctx, store, &which).await?;
            ctx.rows(&table(ctx, store, &[row]).await?)?;
        }
        Command::Remove(Remove { which, why }) => {
            let RefundRow { refund, .. } = find_one(ctx, store, &which).await?;
            let ending = why.taken_back(ctx)?;
            ctx.engine(store).take_refund_back(refund.customer_id, refund.id, ending).await?;
            let variables = [("amount", refund.amount.to_string()), ("date", refund.on.to_string())];
            ctx.say("done.refund_removed", &variables)?;
        }
    }
    Ok(Exit::Done)
}

/// Refunds at gateways that should have come to an end long since: how many, how much, and each in words.
pub(super) async fn long_open(ctx: &Context, store: &dyn Store) -> anyhow::Result<(usize, Money, String)> {
    let mut open = ctx.engine(store).open_refunds(None).await?;
    open.retain(|(row, _)| row.is_long_open(ctx.now));
    Ok((open.len(), open.iter().map(|(_, refund)| refund.amount).sum(), named(ctx, store, &open).await?))
}

/// Refunds at gateways in words: the end of the id, whose, how much, at which gateway since when.
pub(super) async fn named(
    ctx: &Context,
    store: &dyn Store,
    refunds: &[(GatewayRefund, Refund)],
) -> anyhow::Result<String> {
    let codes = find::codes(ctx, store, refunds.iter().map(|(_, refund)| refund.customer_id)).await?;
    let word = |(row, refund): &(GatewayRefund, Refund)| {
        let id = refund.id.0.simple().to_string();
        let code = codes.get(&refund.customer_id).cloned().unwrap_or_default();
        let (state, since) = (ctx.texts.t(&format!("word.{}", row.state.code())), Zone::Wib.date_of(row.asked_at));
        format!("{} {code} {} {} {since} {state}", &id[id.len() - 8..], refund.amount, row.gateway)
    };
    Ok(refunds.iter().map(word).collect::<Vec<_>>().join("; "))
}

async fn find_one(ctx: &Context, store: &dyn Store, which: &Which) -> anyhow::Result<RefundRow> {
    which.of("refund", store.refunds(ctx.tenant(), None).await?, |row| row.refund.id.0)
}

async fn table(ctx: &Context, store: &dyn Store, all: &[RefundRow]) -> anyhow::Result<Rows> {
    let at_gateways = store.gateway_refunds(ctx.tenant(), GatewayRefundQuery::default()).await?;
    let at_gateways: BTreeMap<RefundId, GatewayRefund> = at_gateways.into_iter().map(|row| (row.id, row)).collect();
    let codes = find::codes(ctx, store, all.iter().map(|row| row.refund.customer_id)).await?;
    let mut rows = Rows::new(&[
        column("date"),
        column("customer"),
        number("amount"),
        column("channel"),
        column("officer"),
        column("note"),
        column("state"),
        column("ended"),
        column("id"),
    ]);
    for RefundRow { refund, ending } in all {
        let [mut state, ended] = record::ended(ending.as_ref(), Zone::Wib);
        let at_gateway = at_gateways.get(&refund.id);
        if let Some(row) = at_gateway {
            state = Cell::Word(row.state.code());
        }
        rows.push(vec![
            refund.on.into(),
            Cell::maybe(codes.get(&refund.customer_id)),
            refund.amount.into(),
            match at_gateway {
                Some(row) => Cell::text(&row.gateway),
                None => Cell::Word(refund.paid_from.code()),
            },
            Cell::text(&refund.by),
            Cell::text(&refund.note),
            state,
            ended,
            record::shown(refund.id.0),
        ]);
    }
    Ok(rows)
}
