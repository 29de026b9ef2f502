//! `isp gateway`: what payment gateways hold and paid out; and requests that go through one.

use std::sync::Arc;

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::{Date, Zone, plausible_day};
use isp_core::engine::{EngineError, GatewayWish};
use isp_core::ids::{PaymentRequestId, PayoutId};
use isp_core::payment::{GatewayState, PayChannel, Payout};
use isp_core::ports::{PaymentGateway, PayoutRow, PortError};
use isp_core::text::Code;

use super::args::Whom;
use super::payment_request::{asked_of, drawn};
use super::record::{self, Which, Why, moment};
use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Rows, column, number};
use crate::wire;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What each gateway took, kept as fees, paid out and holds.
    List,
    /// Book what a gateway paid out to the bank.
    #[command(
        after_help = "Example:\n  isp gateway payout tripay 1.480.000 --fee 20.000 --date 2026-01-22\n\nThe fee is what was kept with this payout and not told with the payments."
    )]
    Payout(AddPayout),
    /// List payouts; those that were booked back say so.
    Payouts,
    /// Show one payout.
    ShowPayout(Which),
    /// Correct a payout: it is booked back and booked anew on its day, and both stay visible.
    #[command(after_help = "Example:\n  isp gateway edit-payout 4f1a09c2 --fee 25.000 --reason 'salah ketik'")]
    EditPayout(EditPayout),
    /// Book a payout back that was recorded by mistake: the gateway holds the money again.
    #[command(after_help = "Example:\n  isp gateway remove-payout 4f1a09c2 --reason 'tercatat dua kali'")]
    RemovePayout(RemovePayout),
}

#[derive(Debug, Args)]
pub(crate) struct AddPayout {
    /// The gateway, as in isp.toml.
    #[arg(value_parser = args::code)]
    gateway: Code,
    /// What arrived at the bank.
    #[arg(value_parser = args::money)]
    net: Money,
    /// Fees that it kept with this payout.
    #[arg(long, value_parser = args::money, default_value = "0")]
    fee: Money,
    /// When it arrived; today when not given.
    #[arg(long)]
    date: Option<Date>,
    /// In words.
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct EditPayout {
    #[command(flatten)]
    which: Which,
    /// Another gateway.
    #[arg(long, value_parser = args::code)]
    gateway: Option<Code>,
    /// Another amount that arrived at the bank.
    #[arg(long, value_parser = args::money)]
    net: Option<Money>,
    /// Another fee.
    #[arg(long, value_parser = args::money)]
    fee: Option<Money>,
    /// Another day.
    #[arg(long)]
    date: Option<Date>,
    /// Other words.
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct RemovePayout {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    why: Why,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::List => {
            let mut rows = Rows::new(&[
                column("gateway"),
                number("received"),
                number("fees"),
                number("paid_out"),
                number("holds"),
            ]);
            for b in store.gateway_balances(ctx.tenant()).await? {
                let name = Cell::text(&b.gateway);
                rows.push(vec![name, b.received.into(), b.fees.into(), b.paid_out.into(), b.holds().into()]);
            }
            ctx.rows(&rows)?;
        }
        Command::Payout(AddPayout { gateway, net, fee, date, note, sure }) => {
            let on = date.unwrap_or_else(|| ctx.today());
            sure.of(plausible_day("date", on, ctx.today()))?;
            let (id, by) = (PayoutId(ctx.id()), ctx.officer.to_string());
            ctx.engine(store).pay_out(Payout { id, gateway: gateway.clone(), net, fee, on, by, note }).await?;
            let variables = [("gateway", gateway.to_string()), ("net", net.to_string()), ("fee", fee.to_string())];
            ctx.say("done.payout", &variables)?;
        }
        Command::Payouts => ctx.rows(&payouts(&store.payouts(ctx.tenant()).await?))?,
        Command::ShowPayout(which) => {
            let row = which.of("payout", store.payouts(ctx.tenant()).await?, |row| row.payout.id.0)?;
            ctx.rows(&payouts(&[row]))?;
        }
        Command::EditPayout(EditPayout { which, gateway, net, fee, date, note, why, sure }) => {
            let PayoutRow { payout, ending } =
                which.of("payout", store.payouts(ctx.tenant()).await?, |row| row.payout.id.0)?;
            let instead = Payout {
                id: PayoutId(ctx.id()),
                gateway: gateway.unwrap_or_else(|| payout.gateway.clone()),
                net: net.unwrap_or(payout.net),
                fee: fee.unwrap_or(payout.fee),
                on: date.unwrap_or(payout.on),
                by: ctx.officer.to_string(),
                note: note.unwrap_or_else(|| payout.note.clone()),
            };
            let same = Payout { id: instead.id, by: instead.by.clone(), ..payout.clone() };
            record::must_differ(ending.is_none() && instead == same, &which)?;
            sure.of(plausible_day("date", instead.on, ctx.today()))?;
            let variables = [
                ("before", payout.net.to_string()),
                ("gateway", instead.gateway.to_string()),
                ("net", instead.net.to_string()),
                ("fee", instead.fee.to_string()),
                ("date", instead.on.to_string()),
            ];
            ctx.engine(store).correct_payout(payout.id, Some(instead), why.taken_back(ctx)?).await?;
            ctx.say("done.payout_edited", &variables)?;
        }
        Command::RemovePayout(RemovePayout { which, why }) => {
            let PayoutRow { payout, .. } =
                which.of("payout", store.payouts(ctx.tenant()).await?, |row| row.payout.id.0)?;
            ctx.engine(store).correct_payout(payout.id, None, why.taken_back(ctx)?).await?;
            let variables = [
                ("gateway", payout.gateway.to_string()),
                ("net", payout.net.to_string()),
                ("date", payout.on.to_string()),
            ];
            ctx.say("done.payout_removed", &variables)?;
        }
    }
    Ok(Exit::Done)
}

fn payouts(all: &[PayoutRow]) -> Rows {
    let mut rows = Rows::new(&[
        column("date"),
        column("gateway"),
        number("amount"),
        number("fees"),
        column("officer"),
        column("note"),
        column("state"),
        column("ended"),
        column("id"),
    ]);
    for PayoutRow { payout, ending } in all {
        let [state, ended] = record::ended(ending.as_ref(), Zone::Wib);
        rows.push(vec![
            payout.on.into(),
            Cell::text(&payout.gateway),
            payout.net.into(),
            payout.fee.into(),
            Cell::text(&payout.by),
            Cell::text(&payout.note),
            state,
            ended,
            record::shown(payout.id.0),
        ]);
    }
    rows
}

/// Asks a gateway to collect, and shows what it is paid with.
pub(super) async fn add(ctx: &Context, of: &str, name: &Code, channel: PayChannel) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let (customer, invoice) = asked_of(ctx, of).await?;
    let gateway = wire::gateway(&ctx.config, name)?;
    let wish = GatewayWish { id: PaymentRequestId(ctx.id()), customer, invoice, channel };
    let asked = ctx.engine(store).request_at_gateway(gateway.as_ref(), wish, ctx.now).await;
    let (request, known) = asked.map_err(|error| of_gateway(name, error))?;
    let code = find::codes(ctx, store, [customer]).await?.remove(&customer).unwrap_or_default();
    let mut rows = Rows::new(&[
        column("customer"),
        number("amount"),
        column("expires_at"),
        column("known"),
        column("gateway"),
        column("channel"),
        column("reference"),
        column("number"),
        column("biller"),
        column("qris"),
        column("url"),
    ]);
    let pay = &request.instructions;
    rows.push(vec![
        Cell::text(&code),
        request.amount.into(),
        Cell::text(moment(request.expires_at, Zone::Wib)),
        Cell::Word(if known { "yes" } else { "no" }),
        Cell::text(&request.gateway),
        Cell::text(request.channel.code()),
        Cell::text(&request.reference),
        Cell::maybe(pay.number.as_ref()),
        Cell::maybe(pay.biller.as_ref()),
        Cell::maybe(pay.qris.as_ref()),
        Cell::maybe(pay.url.as_ref()),
    ]);
    let variables = [
        ("code", code),
        ("amount", request.amount.to_string()),
        ("gateway", request.gateway.to_string()),
        ("channel", request.channel.code().to_owned()),
        ("until", moment(request.expires_at, Zone::Wib)),
    ];
    ctx.done(if known { "done.gateway_known" } else { "done.gateway_request" }, &variables, &rows)?;
    if ctx.format != Format::Table {
        return Ok(Exit::Done);
    }
    if let Some(text) = &pay.qris {
        output::print(&format!("\n{}\n{text}\n", drawn(text)?))?;
    }
    if let Some(biller) = &pay.biller {
        ctx.say("done.gateway_biller", &[("biller", biller.clone())])?;
    }
    if let Some(number) = &pay.number {
        ctx.say("done.gateway_number", &[("number", number.clone())])?;
    }
    if let Some(url) = &pay.url {
        ctx.say("done.gateway_url", &[("url", url.clone())])?;
    }
    Ok(Exit::Done)
}

/// Cancels a customer's requests at a gateway.
pub(super) async fn cancel(ctx: &Context, customer: &Whom, name: &Code) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let found = find::customer(ctx, store, customer).await?;
    let gateway = wire::gateway(&ctx.config, name)?;
    let rows = ctx.engine(store).cancel_at_gateway(gateway.as_ref(), found.id, ctx.now).await;
    for request in rows.map_err(|error| of_gateway(name, error))? {
        let variables = [
            ("code", find::named(&found)),
            ("amount", request.amount.to_string()),
            ("gateway", name.to_string()),
            ("until", moment(request.expires_at, Zone::Wib)),
        ];
        ctx.say(
            match request.state {
                GatewayState::Cancelled => "done.request_cancelled",
                GatewayState::Paid => "done.gateway_paid",
                _ => "done.gateway_cancelling",
            },
            &variables,
        )?;
    }
    Ok(Exit::Done)
}

/// `isp payment-request poll`.
pub(super) async fn poll_alone(ctx: &Context) -> anyhow::Result<Exit> {
    poll(ctx).await
}

/// The gateways that can work; what is wrong with the others is told, and makes the command one that was done in part.
pub(super) fn usable(ctx: &Context) -> (Vec<Arc<dyn PaymentGateway>>, Exit) {
    let (mut all, mut exit): (Vec<Arc<dyn PaymentGateway>>, Exit) = (Vec::new(), Exit::Done);
    for (name, gateway) in wire::gateways(&ctx.config) {
        match gateway {
            Ok(gateway) => all.push(Arc::from(gateway)),
            Err(error) => {
                ctx.warn("warn.gateway", &[("gateway", name), ("reason", ctx.texts.failure(&error))]);
                exit = Exit::Partial;
            }
        }
    }
    (all, exit)
}

/// Asks the gateways about the requests whose time to ask has come. Money that only the question tells of is booked before
/// anything else is decided.
pub(super) async fn poll(ctx: &Context) -> anyhow::Result<Exit> {
    if ctx.config.gateway.is_empty() {
        return Ok(Exit::Done);
    }
    let (all, mut exit) = usable(ctx);
    let all: Vec<&dyn PaymentGateway> = all.iter().map(AsRef::as_ref).collect();
    let report = ctx.engine(ctx.store().await?).poll_gateways(&all, ctx.now).await?;
    for (reference, error) in &report.failed {
        let reason = match error {
            EngineError::Port(error) => ctx.texts.port(&error.to_string()),
            other => other.to_string(),
        };
        ctx.warn("warn.gateway_request", &[("reference", reference.to_string()), ("reason", reason)]);
        exit = Exit::Partial;
    }
    if report.asked > 0 {
        let count = |n: u64| n.to_string();
        let variables =
            [("asked", count(report.asked)), ("booked", count(report.booked)), ("ended", count(report.ended))];
        ctx.say("done.polled", &variables)?;
    }
    Ok(exit)
}

/// What a gateway did not do, in its name.
pub(super) fn of_gateway(name: &Code, error: EngineError) -> anyhow::Error {
    match error {
        EngineError::Port(PortError::Refused { reason, .. }) => {
            Failure::Gateway { name: name.to_string(), reason }.into()
        }
        EngineError::Port(error) => Failure::Gateway { name: name.to_string(), reason: error.to_string() }.into(),
        other => other.into(),
    }
}
