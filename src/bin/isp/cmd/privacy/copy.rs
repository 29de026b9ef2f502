//! All that is kept of a customer, as a page and as JSON (UU 27/2022, articles 7 and 13).

use std::path::PathBuf;

use clap::Args;
use isp_core::billing::invoice::display_number;
use isp_core::calendar::Zone;
use isp_core::customer::Customer;
use isp_core::ending::EndingKind;
use isp_core::ports::{CreditNoteRow, GatewayQuery, InvoiceQuery, OutboxQuery, PageQuery, RequestQuery, Store, Topic};
use serde_json::{Map, Value};

use super::{file_name, write_all};
use crate::cmd::report::{Section, page};
use crate::cmd::{args, customer_past, find, record, subscription};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Customer ID, phone number, PPPoE user name, number of an invoice, or a part of the name.
    whom: String,
    /// The folder to make.
    #[arg(long)]
    to: PathBuf,
}

/// Everything of one customer at once.
const ALL: u32 = 1_000_000;

pub(super) async fn export(ctx: &Context, args: &Export) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args::whom(&args.whom)?).await?;
    let parts = parts(ctx, store, &customer).await?;
    let mut json = Map::new();
    let mut tables = Vec::new();
    for (key, rows) in &parts {
        json.insert((*key).to_owned(), rows.json());
        tables.push((ctx.texts.t(&format!("privacy.{key}")), rows.grid(&ctx.texts)));
    }
    let date = ("date", ctx.today().to_string());
    let provider = ctx.config.provider.as_ref().map_or_else(String::new, |provider| provider.name.to_string());
    let about = ctx.texts.with("privacy.about", &[("code", customer.code.to_string()), ("name", provider), date]);
    let section = Section { title: ctx.texts.t("privacy.title"), charts: Vec::new(), tables };
    let mut files = vec![
        ("data.json".to_owned(), format!("{}\n", serde_json::to_string_pretty(&Value::Object(json))?).into_bytes()),
        ("data.html".to_owned(), page(&about, &[section], &ctx.texts).into_bytes()),
    ];
    for proof in store.proofs(ctx.tenant(), Some(customer.id)).await? {
        if let Some(content) = store.proof_content(ctx.tenant(), proof.id).await? {
            let id = proof.id.0.simple().to_string();
            files.push((format!("proof-{}-{}", &id[24..], file_name(&proof.file.name)), content.reveal().to_vec()));
        }
    }
    write_all(&args.to, &files)?;
    let told = [
        ("code", customer.code.to_string()),
        ("folder", args.to.display().to_string()),
        ("files", files.len().to_string()),
    ];
    ctx.say("done.privacy_exported", &told)?;
    Ok(Exit::Done)
}

/// The kinds of data with their rows, in the order in which they are shown.
async fn parts(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Vec<(&'static str, Rows)>> {
    let lines = find::subscriptions(ctx, store, customer).await?;
    let mut all = vec![
        ("person", person(customer)),
        ("lines", subscription::table(ctx, store, &lines).await?),
        ("invoices", invoices(ctx, store, customer).await?),
        ("credit_notes", credit_notes(ctx, store, customer).await?),
        ("payments", payments(ctx, store, customer).await?),
        ("refunds", refunds(ctx, store, customer).await?),
        ("requests", requests(ctx, store, customer).await?),
        ("promises", promises(ctx, store, customer).await?),
        ("proofs", proofs(ctx, store, customer).await?),
        ("messages", messages(ctx, store, customer).await?),
        ("devices", devices(ctx, store, customer).await?),
        ("device_history", device_history(ctx, store, customer).await?),
    ];
    let events = customer_past::events(ctx, store, &lines).await?;
    all.push(("events", customer_past::event_rows(events)));
    Ok(all)
}

/// The person, with the whole NIK: it is the customer's own.
fn person(customer: &Customer) -> Rows {
    let mut rows = Rows::new(&[
        column("code"),
        column("name"),
        column("nik"),
        column("address"),
        column("coordinates"),
        column("phone"),
        column("language"),
    ]);
    rows.push(vec![
        Cell::text(&customer.code),
        Cell::text(&customer.name),
        Cell::maybe(customer.nik.as_ref().map(isp_core::customer::Nik::reveal)),
        Cell::text(customer.address.as_str()),
        Cell::maybe(customer.coordinates),
        customer.phone.clone().map_or(Cell::Empty, Cell::Phone),
        Cell::text(customer.language.code()),
    ]);
    rows
}

async fn invoices(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let query = InvoiceQuery { customer: Some(customer.id), ..InvoiceQuery::default() };
    let mut all = store.invoices(ctx.tenant(), query, PageQuery::first(ALL)).await?;
    all.sort_by_key(|(invoice, _)| (invoice.issue_date, invoice.number));
    let mut rows = Rows::new(&[
        column("invoice"),
        column("kind"),
        column("period"),
        column("issued"),
        column("due"),
        number("total"),
        number("paid"),
    ]);
    for (invoice, paid) in all {
        rows.push(vec![
            Cell::text(display_number(invoice.number, invoice.issue_date)),
            Cell::Word(invoice.kind.code()),
            Cell::text(invoice.period),
            invoice.issue_date.into(),
            invoice.due_date.into(),
            invoice.total.into(),
            paid.into(),
        ]);
    }
    Ok(rows)
}

async fn credit_notes(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let columns = [column("credit_note"), column("issued"), number("total"), column("note"), column("state")];
    let mut rows = Rows::new(&columns);
    for CreditNoteRow { note, taken_back } in
        store.credit_notes(ctx.tenant(), Some(customer.id), PageQuery::first(ALL)).await?
    {
        rows.push(vec![
            Cell::text(note.display_number()),
            note.issue_date.into(),
            note.total.into(),
            Cell::text(note.note),
            taken_back.map_or(Cell::Empty, |_| Cell::Word(EndingKind::TakenBack.code())),
        ]);
    }
    Ok(rows)
}

async fn payments(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let mut all = store.payments(ctx.tenant(), Some(customer.id), PageQuery::first(ALL)).await?;
    all.sort_by_key(|row| (row.payment.paid_at, row.payment.id));
    Ok(customer_past::payment_rows(all.iter()))
}

async fn refunds(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let mut rows = Rows::new(&[column("date"), number("amount"), column("channel"), column("note")]);
    for row in store.refunds(ctx.tenant(), Some(customer.id)).await? {
        rows.push(vec![
            row.refund.on.into(),
            row.refund.amount.into(),
            Cell::Word(row.refund.paid_from.code()),
            Cell::text(row.refund.note),
        ]);
    }
    Ok(rows)
}

/// What the customer was asked for: own requests, and those at gateways with the number to pay.
async fn requests(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let mut rows =
        Rows::new(&[column("date"), column("provider"), number("amount"), column("until"), column("account")]);
    let query = RequestQuery { customer: Some(customer.id), ..RequestQuery::default() };
    for request in store.payment_requests(ctx.tenant(), query, PageQuery::first(ALL)).await? {
        rows.push(vec![
            Cell::text(record::moment(request.made_at, Zone::Wib)),
            Cell::text("qris"),
            request.amount.into(),
            Cell::text(record::moment(request.expires_at, Zone::Wib)),
            Cell::Empty,
        ]);
    }
    let query = GatewayQuery { customer: Some(customer.id), ..GatewayQuery::default() };
    for request in store.gateway_requests(ctx.tenant(), &query, PageQuery::first(ALL)).await? {
        rows.push(vec![
            Cell::text(record::moment(request.made_at, Zone::Wib)),
            Cell::text(&request.gateway),
            request.amount.into(),
            Cell::text(record::moment(request.expires_at, Zone::Wib)),
            Cell::maybe(request.instructions.number),
        ]);
    }
    Ok(rows)
}

async fn promises(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let (promises, exemptions) = store.protections(ctx.tenant(), Some(customer.id)).await?;
    let mut rows = Rows::new(&[column("what"), column("from"), column("until"), column("by"), column("note")]);
    for promise in promises {
        rows.push(vec![
            Cell::Word("promise"),
            promise.made_on.into(),
            promise.until.into(),
            Cell::text(promise.by),
            Cell::maybe(promise.ending.map(|ending| ending.reason)),
        ]);
    }
    for exemption in exemptions {
        rows.push(vec![
            Cell::Word("exemption"),
            exemption.from.into(),
            exemption.until.into(),
            Cell::text(exemption.by),
            Cell::text(exemption.reason),
        ]);
    }
    Ok(rows)
}

async fn proofs(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let mut rows =
        Rows::new(&[column("arrived_at"), number("amount"), column("file"), column("state"), column("reason")]);
    for proof in store.proofs(ctx.tenant(), Some(customer.id)).await? {
        rows.push(vec![
            Cell::text(record::moment(proof.arrived_at, Zone::Wib)),
            proof.amount.into(),
            Cell::text(&proof.file.name),
            Cell::Word(proof.state()),
            Cell::maybe(proof.review.map(|review| review.reason)),
        ]);
    }
    Ok(rows)
}

async fn messages(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let query = OutboxQuery { topic: Some(Topic::Message), state: None, customer: Some(customer.id) };
    let mut all = store.outbox(ctx.tenant(), query, PageQuery::first(ALL)).await?;
    all.sort_by_key(|row| (row.finished_at.unwrap_or(row.next_attempt), row.id));
    Ok(customer_past::message_rows(all.iter()))
}

async fn devices(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let mut rows = Rows::new(&[
        column("serial"),
        column("outdoor_unit"),
        column("cpe_router"),
        column("ip_address"),
        column("username"),
        column("ownership"),
        column("installed"),
    ]);
    for device in store.cpes(ctx.tenant(), Some(customer.id)).await? {
        rows.push(vec![
            Cell::text(&device.serial),
            Cell::maybe(device.outdoor_unit),
            Cell::maybe(device.router),
            Cell::maybe(device.ip),
            Cell::maybe(device.username),
            Cell::Word(device.ownership.code()),
            Cell::Word(if device.installed { "yes" } else { "no" }),
        ]);
    }
    Ok(rows)
}

async fn device_history(ctx: &Context, store: &dyn Store, customer: &Customer) -> anyhow::Result<Rows> {
    let mut rows = Rows::new(&[
        column("date"),
        column("action"),
        column("device"),
        column("ownership"),
        column("reason"),
        column("officer"),
    ]);
    for row in store.device_history(ctx.tenant(), Some(customer.id)).await? {
        rows.push(vec![
            row.on.into(),
            Cell::Word(row.action.code()),
            Cell::text(row.device),
            Cell::Word(row.ownership.code()),
            Cell::text(row.reason),
            Cell::text(row.officer),
        ]);
    }
    Ok(rows)
}
