//! `isp payment-request`: an amount that is asked of one customer only, with a QRIS code that holds it.

use clap::{Args, Subcommand};
use isp_core::Zone;
use isp_core::ids::{CustomerId, InvoiceId, PaymentRequestId};
use isp_core::payment::{PayChannel, PaymentRequest, Qris, RequestState, qris};
use isp_core::ports::{GatewayQuery, PageQuery, RequestQuery};
use isp_core::text::Code;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::record::moment;
use super::{args, find, gateway};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{self, Cell, Format, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a customer for what is owed: with an amount that nobody else is asked for, or through a payment gateway.
    #[command(
        after_help = "Examples:\n  isp payment-request add P001\n  isp payment-request add INV-202601-000042\n  isp payment-request add P001 --gateway tripay --channel va-bca\n\nThrough a gateway the amount is what is owed. Without one the amount is what is owed and Rp1 to Rp999 more, which become the customer's credit; by the amount `isp bank import` knows who paid. Asked again for the same, it shows the same; when the debt has changed, or the customer paid another way, the request is cancelled."
    )]
    Add(Add),
    /// List payment requests.
    List(List),
    /// Show a customer's payment requests, also those that are over.
    #[command(after_help = "Example:\n  isp payment-request show P001")]
    Show(Show),
    /// Cancel a customer's open request; with a gateway, those there.
    Cancel(Cancel),
    /// Ask the payment gateways how their requests stand; deliver and run do so, too.
    Poll,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The customer ID, for all that is owed; or the number of one invoice.
    of: String,
    /// Through this payment gateway, by its name in isp.toml.
    #[arg(long, value_parser = args::code)]
    gateway: Option<Code>,
    /// How it is paid there: qris, va-bca, va-bni, va-bri, va-mandiri, va-permata, va-cimb, va-bsi, alfamart, indomaret or page.
    #[arg(long, requires = "gateway", default_value = "qris", value_parser = PayChannel::parse)]
    channel: PayChannel,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
    /// Also those that were paid or cancelled, or have expired.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Whose.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// Whose.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// Those at this payment gateway.
    #[arg(long, value_parser = args::code)]
    gateway: Option<Code>,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(Add { of, gateway: None, .. }) => add(ctx, &of).await,
        Command::Add(Add { of, gateway: Some(name), channel }) => gateway::add(ctx, &of, &name, channel).await,
        Command::Poll => gateway::poll_alone(ctx).await,
        Command::List(args) => list(ctx, args).await,
        Command::Show(Show { customer }) => list(ctx, List { customer: Some(customer), all: true }).await,
        Command::Cancel(Cancel { customer, gateway: Some(name) }) => gateway::cancel(ctx, &customer, &name).await,
        Command::Cancel(Cancel { customer, gateway: None }) => {
            let store = ctx.store().await?;
            let found = find::customer(ctx, store, &customer).await?;
            let request = ctx.engine(store).cancel_request(found.id, ctx.now).await?;
            let variables = [("code", find::named(&found)), ("amount", request.amount.to_string())];
            ctx.say("done.request_cancelled", &variables)?;
            Ok(Exit::Done)
        }
    }
}

/// Who is asked, and for which invoice.
pub(super) async fn asked_of(ctx: &Context, of: &str) -> anyhow::Result<(CustomerId, Option<InvoiceId>)> {
    let store = ctx.store().await?;
    if of.trim().to_ascii_uppercase().starts_with("INV-") {
        let (invoice, _) = find::invoice(ctx, store, of).await?;
        return Ok((invoice.customer_id, Some(invoice.id)));
    }
    Ok((find::customer(ctx, store, &args::whom(of)?).await?.id, None))
}

async fn add(ctx: &Context, of: &str) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let (customer, invoice) = asked_of(ctx, of).await?;
    // A damaged code is found before anything is written.
    let shop = ctx.config.payment.qris.as_deref().map(Qris::parse).transpose()?;
    let id = PaymentRequestId(ctx.id());
    let (request, known) = ctx.engine(store).request_payment(id, customer, invoice, ctx.now).await?;
    let code = find::codes(ctx, store, [customer]).await?.remove(&customer).unwrap_or_default();
    let qris = match &shop {
        Some(shop) if request.amount <= qris::MOST => Some((shop, shop.with_amount(request.amount)?)),
        _ => None,
    };
    let mut rows = Rows::new(&[
        column("customer"),
        number("debt"),
        number("amount"),
        column("expires_at"),
        column("known"),
        column("qris"),
    ]);
    rows.push(vec![
        Cell::text(&code),
        request.debt.into(),
        request.amount.into(),
        Cell::text(moment(request.expires_at, Zone::Wib)),
        Cell::Word(if known { "yes" } else { "no" }),
        Cell::maybe(qris.as_ref().map(|(_, text)| text)),
    ]);
    let variables = [
        ("code", code),
        ("amount", request.amount.to_string()),
        ("debt", request.debt.to_string()),
        ("suffix", (request.amount - request.debt).to_string()),
        ("until", moment(request.expires_at, Zone::Wib)),
    ];
    ctx.done(if known { "done.request_known" } else { "done.request" }, &variables, &rows)?;
    if ctx.format != Format::Table {
        return Ok(Exit::Done);
    }
    if let Some((shop, text)) = &qris {
        output::print(&format!("\n{}\n", drawn(text)?))?;
        ctx.say("done.request_qris", &[("shop", shop.merchant().to_owned())])?;
        output::print(&format!("{text}\n"))?;
    } else if request.amount > qris::MOST && shop.is_some() {
        ctx.warn("warn.request_too_much", &[("most", qris::MOST.to_string())]);
    } else {
        ctx.warn("warn.no_qris", &[]);
    }
    let ways: &[String] = ctx.config.provider.as_ref().map_or(&[], |p| p.pay_to.as_slice());
    for way in ways {
        ctx.say("done.request_transfer", &[("amount", request.amount.to_string()), ("way", way.clone())])?;
    }
    Ok(Exit::Done)
}

/// A QR code of half blocks, light on dark as a terminal is, with its quiet zone.
pub(super) fn drawn(text: &str) -> anyhow::Result<String> {
    let code = QrCode::new(text)?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = match &args.customer {
        Some(code) => Some(find::person(ctx, store, code.as_str()).await?.id),
        None => None,
    };
    let query = GatewayQuery { customer, live: !args.all, ..GatewayQuery::default() };
    let at_gateways = ctx.engine(store).gateway_requests(&query).await?;
    // Who has no gateway sees nothing of them.
    let with_gateways = !at_gateways.is_empty() || !ctx.config.gateway.is_empty();
    let mut head = vec![
        column("customer"),
        column("state"),
        number("debt"),
        number("amount"),
        column("made_at"),
        column("expires_at"),
    ];
    if with_gateways {
        head.extend([column("gateway"), column("channel"), column("reference")]);
    }
    let mut rows = Rows::new(&head);
    let query = RequestQuery { customer, standing: !args.all, ..RequestQuery::default() };
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let found = store.payment_requests(ctx.tenant(), query, page).await?;
        let open = |r: &&PaymentRequest| args.all || r.state(ctx.now) == RequestState::Open;
        let shown: Vec<&PaymentRequest> = found.iter().filter(open).collect();
        let codes = find::codes(ctx, store, shown.iter().map(|r| r.customer_id)).await?;
        for request in shown {
            let mut row = vec![
                Cell::maybe(codes.get(&request.customer_id)),
                Cell::Word(request.state(ctx.now).code()),
                request.debt.into(),
                request.amount.into(),
                Cell::text(moment(request.made_at, Zone::Wib)),
                Cell::text(moment(request.expires_at, Zone::Wib)),
            ];
            row.extend((0..3).filter(|_| with_gateways).map(|_| Cell::Empty));
            rows.push(row);
        }
        if !page.advance(&found, |last| last.id) {
            break;
        }
    }
    let codes = find::codes(ctx, store, at_gateways.iter().map(|r| r.customer_id)).await?;
    for request in at_gateways {
        rows.push(vec![
            Cell::maybe(codes.get(&request.customer_id)),
            Cell::Word(request.state.code()),
            request.amount.into(),
            request.amount.into(),
            Cell::text(moment(request.made_at, Zone::Wib)),
            Cell::text(moment(request.expires_at, Zone::Wib)),
            Cell::text(&request.gateway),
            Cell::text(request.channel.code()),
            Cell::text(&request.reference),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
