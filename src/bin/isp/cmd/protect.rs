//! `isp promise` and `isp exemption`: what holds isolation back for a customer.

use std::cmp::Reverse;

use clap::{Args, Subcommand};
use isp_core::calendar::{Date, Zone};
use isp_core::customer::Customer;
use isp_core::ending::{EndingKind, RecordId};
use isp_core::engine::EnforceReport;
use isp_core::ids::{ExemptionId, PromiseId};
use isp_core::protection::{Exemption, Promise};

use super::record::{self, EndArgs, Id, chosen};
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Column, Rows, column};

#[derive(Debug, Subcommand)]
pub(crate) enum PromiseCommand {
    /// Record a promise to pay (janji bayar): no isolation until its last day.
    #[command(after_help = "Example:\n  isp promise add P001 --until 2026-02-20")]
    Add(AddPromise),
    /// List promises, the latest first.
    List(ListProtection),
    /// Show the promises of a customer.
    Show(Show),
    /// Correct the last day of a promise: it is taken back and recorded anew, and counts once against the limit.
    #[command(after_help = "Example:\n  isp promise edit P001 --until 2026-02-22 --reason 'salah ketik'")]
    Edit(EditPromise),
    /// End the running promise of a customer today; the line is decided on at once.
    #[command(after_help = "Example:\n  isp promise end P001 --reason 'batal bayar'")]
    End(EndProtection),
    /// Take a promise back that was recorded by mistake: it does not count against the limit.
    #[command(after_help = "Example:\n  isp promise remove P001 --reason 'salah pelanggan'")]
    Remove(EndProtection),
}

#[derive(Debug, Args)]
pub(crate) struct ListProtection {
    /// Only this customer's.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
    /// Only those that hold now.
    #[arg(long)]
    running: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    pub(super) customer: args::Whom,
    #[command(flatten)]
    pub(super) which: Id,
}

#[derive(Debug, Args)]
pub(crate) struct EndProtection {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    #[command(flatten)]
    end: EndArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EditPromise {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// The right last day on which it protects.
    #[arg(long)]
    until: Date,
    #[command(flatten)]
    end: EndArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EditExemption {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// The right first day.
    #[arg(long)]
    from: Option<Date>,
    /// The right last day.
    #[arg(long)]
    until: Option<Date>,
    /// The right words for why he is exempt.
    #[arg(long, value_name = "REASON")]
    new_reason: Option<String>,
    #[command(flatten)]
    end: EndArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AddPromise {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// The last day on which it protects.
    #[arg(long)]
    until: Date,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExemptionCommand {
    /// Exempt a customer from isolation, with a reason and an end.
    #[command(after_help = "Example:\n  isp exemption add P001 --until 2026-12-31 --reason 'kantor desa'")]
    Add(AddExemption),
    /// List exemptions, the latest first.
    List(ListProtection),
    /// Show the exemptions of a customer.
    Show(Show),
    /// Correct the days or the reason of an exemption: it is taken back and recorded anew.
    #[command(after_help = "Example:\n  isp exemption edit P001 --until 2026-11-30 --reason 'salah ketik'")]
    Edit(EditExemption),
    /// End the running exemption of a customer today; the line is decided on at once.
    #[command(after_help = "Example:\n  isp exemption end P001 --reason 'tidak lagi kantor desa'")]
    End(EndProtection),
    /// Take an exemption back that was recorded by mistake.
    #[command(after_help = "Example:\n  isp exemption remove P001 --reason 'salah pelanggan'")]
    Remove(EndProtection),
}

#[derive(Debug, Args)]
pub(crate) struct AddExemption {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// First day; today when not given.
    #[arg(long)]
    from: Option<Date>,
    /// Last day.
    #[arg(long)]
    until: Date,
    /// Why.
    #[arg(long)]
    reason: String,
}

pub(crate) async fn promise(ctx: &Context, command: PromiseCommand) -> anyhow::Result<Exit> {
    match command {
        PromiseCommand::Add(AddPromise { customer, until }) => {
            let store = ctx.store().await?;
            let customer = find::customer(ctx, store, &customer).await?;
            let customer_id = customer.id;
            let (id, by) = (PromiseId(ctx.id()), ctx.officer.to_string());
            let promise = Promise { id, customer_id, made_on: ctx.today(), until, by, ending: None };
            ctx.engine(store).promise(promise).await?;
            ctx.say("done.promise", &[("code", find::named(&customer)), ("until", until.to_string())])?;
            follow(ctx, &customer).await
        }
        PromiseCommand::List(list) => promises(ctx, list.customer.as_ref(), list.running, None).await,
        PromiseCommand::Show(Show { customer, which }) => promises(ctx, Some(&customer), false, Some(&which)).await,
        PromiseCommand::Edit(args) => edit_promise(ctx, args).await,
        PromiseCommand::End(args) => end_promise(ctx, args, EndingKind::Ended).await,
        PromiseCommand::Remove(args) => end_promise(ctx, args, EndingKind::TakenBack).await,
    }
}

async fn edit_promise(ctx: &Context, args: EditPromise) -> anyhow::Result<Exit> {
    let EditPromise { customer: whom, until, end } = args;
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &whom).await?;
    let (promises, _) = store.protections(ctx.tenant(), Some(customer.id)).await?;
    let open = |p: &Promise| p.ending.is_none() && p.until >= ctx.today();
    let before = chosen(&end.which, "promise", customer.code.as_str(), promises, |p| p.id.0, open)?;
    if before.until == until {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: customer.code.to_string() }.into());
    }
    let (id, by) = (PromiseId(ctx.id()), ctx.officer.to_string());
    let instead = Promise { id, until, by, ending: None, ..before.clone() };
    let ending = end.ending(ctx, EndingKind::TakenBack)?;
    ctx.engine(store).correct_promise(before.id, instead, ending).await?;
    ctx.say("done.promise", &[("code", find::named(&customer)), ("until", until.to_string())])?;
    follow(ctx, &customer).await
}

async fn end_promise(ctx: &Context, args: EndProtection, kind: EndingKind) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let (promises, _) = store.protections(ctx.tenant(), Some(customer.id)).await?;
    let open = |p: &Promise| p.ending.is_none() && p.until >= ctx.today();
    let promise = chosen(&args.end.which, "promise", customer.code.as_str(), promises, |p| p.id.0, open)?;
    end(ctx, &customer, RecordId::Promise(promise.id), &args.end, kind, promise.until).await
}

pub(crate) async fn exemption(ctx: &Context, command: ExemptionCommand) -> anyhow::Result<Exit> {
    match command {
        ExemptionCommand::Add(AddExemption { customer, from, until, reason }) => {
            let store = ctx.store().await?;
            let customer = find::customer(ctx, store, &customer).await?;
            let customer_id = customer.id;
            let (id, by) = (ExemptionId(ctx.id()), ctx.officer.to_string());
            let from = from.unwrap_or_else(|| ctx.today());
            let exemption = Exemption { id, customer_id, from, until, reason, by, ending: None };
            ctx.engine(store).exempt(exemption).await?;
            ctx.say("done.exemption", &[("code", find::named(&customer)), ("until", until.to_string())])?;
            follow(ctx, &customer).await
        }
        ExemptionCommand::List(list) => exemptions(ctx, list.customer.as_ref(), list.running, None).await,
        ExemptionCommand::Show(Show { customer, which }) => exemptions(ctx, Some(&customer), false, Some(&which)).await,
        ExemptionCommand::Edit(args) => edit_exemption(ctx, args).await,
        ExemptionCommand::End(args) => end_exemption(ctx, args, EndingKind::Ended).await,
        ExemptionCommand::Remove(args) => end_exemption(ctx, args, EndingKind::TakenBack).await,
    }
}

async fn edit_exemption(ctx: &Context, args: EditExemption) -> anyhow::Result<Exit> {
    let EditExemption { customer: whom, from, until, new_reason, end } = args;
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &whom).await?;
    let (_, exemptions) = store.protections(ctx.tenant(), Some(customer.id)).await?;
    let open = |e: &Exemption| e.ending.is_none() && e.until >= ctx.today();
    let before = chosen(&end.which, "exemption", customer.code.as_str(), exemptions, |e| e.id.0, open)?;
    let right = Exemption {
        from: from.unwrap_or(before.from),
        until: until.unwrap_or(before.until),
        reason: new_reason.unwrap_or_else(|| before.reason.clone()),
        ..before.clone()
    };
    if right == before {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: customer.code.to_string() }.into());
    }
    let instead = Exemption { id: ExemptionId(ctx.id()), by: ctx.officer.to_string(), ending: None, ..right };
    let (until, ending) = (instead.until.to_string(), end.ending(ctx, EndingKind::TakenBack)?);
    ctx.engine(store).correct_exemption(before.id, instead, ending).await?;
    ctx.say("done.exemption", &[("code", find::named(&customer)), ("until", until)])?;
    follow(ctx, &customer).await
}

async fn end_exemption(ctx: &Context, args: EndProtection, kind: EndingKind) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let (_, exemptions) = store.protections(ctx.tenant(), Some(customer.id)).await?;
    let open = |e: &Exemption| e.ending.is_none() && e.until >= ctx.today();
    let exemption = chosen(&args.end.which, "exemption", customer.code.as_str(), exemptions, |e| e.id.0, open)?;
    end(ctx, &customer, RecordId::Exemption(exemption.id), &args.end, kind, exemption.until).await
}

async fn end(
    ctx: &Context,
    customer: &Customer,
    id: RecordId,
    args: &EndArgs,
    kind: EndingKind,
    until: Date,
) -> anyhow::Result<Exit> {
    let ending = args.ending(ctx, kind)?;
    let report = ctx.engine(ctx.store().await?).end_protection(customer.id, id, ending, ctx.now).await?;
    let variables = [
        ("code", find::named(customer)),
        ("noun", ctx.texts.t(&format!("noun.{}", id.kind()))),
        ("until", until.to_string()),
    ];
    ctx.say(if kind == EndingKind::Ended { "done.ended" } else { "done.taken_back" }, &variables)?;
    followed(ctx, customer, &report)
}

/// Lets access follow at once what was recorded about a customer.
async fn follow(ctx: &Context, customer: &Customer) -> anyhow::Result<Exit> {
    let report = ctx.engine(ctx.store().await?).enforce_customer(customer.id, ctx.now).await?;
    followed(ctx, customer, &report)
}

/// Says what became of a customer's lines.
fn followed(ctx: &Context, customer: &Customer, report: &EnforceReport) -> anyhow::Result<Exit> {
    for (key, lines) in [("done.isolated", &report.isolated), ("done.reopened", &report.reopened)] {
        if !lines.is_empty() {
            ctx.say(key, &[("code", find::named(customer)), ("count", lines.len().to_string())])?;
        }
    }
    Ok(Exit::Done)
}

const PROMISES: &[Column] = &[
    column("customer"),
    column("date"),
    column("until"),
    column("officer"),
    column("state"),
    column("ended"),
    column("id"),
];

async fn promises(
    ctx: &Context,
    customer: Option<&args::Whom>,
    running: bool,
    which: Option<&Id>,
) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let of = find::customer_id(ctx, store, customer).await?;
    let (mut found, _) = store.protections(ctx.tenant(), of).await?;
    if let Some((id, code)) = which.filter(|w| w.id.is_some()).zip(customer) {
        found = vec![chosen(id, "promise", code.as_str(), found, |p| p.id.0, |_| true)?];
    }
    found.retain(|p| !running || p.holds(ctx.today(), ctx.now));
    found.sort_by_key(|p| (Reverse(p.until), p.id));
    let codes = find::codes(ctx, store, found.iter().map(|p| p.customer_id)).await?;
    let mut rows = Rows::new(PROMISES);
    for p in &found {
        let [state, ended] = record::ended(p.ending.as_ref(), Zone::Wib);
        rows.push(vec![
            Cell::maybe(codes.get(&p.customer_id)),
            p.made_on.into(),
            p.until.into(),
            Cell::text(&p.by),
            state,
            ended,
            record::shown(p.id.0),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

const EXEMPTIONS: &[Column] = &[
    column("customer"),
    column("from"),
    column("until"),
    column("reason"),
    column("officer"),
    column("state"),
    column("ended"),
    column("id"),
];

async fn exemptions(
    ctx: &Context,
    customer: Option<&args::Whom>,
    running: bool,
    which: Option<&Id>,
) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let of = find::customer_id(ctx, store, customer).await?;
    let (_, mut found) = store.protections(ctx.tenant(), of).await?;
    if let Some((id, code)) = which.filter(|w| w.id.is_some()).zip(customer) {
        found = vec![chosen(id, "exemption", code.as_str(), found, |e| e.id.0, |_| true)?];
    }
    found.retain(|e| !running || e.holds(ctx.today(), ctx.now));
    found.sort_by_key(|e| (Reverse(e.until), e.id));
    let codes = find::codes(ctx, store, found.iter().map(|e| e.customer_id)).await?;
    let mut rows = Rows::new(EXEMPTIONS);
    for e in &found {
        let [state, ended] = record::ended(e.ending.as_ref(), Zone::Wib);
        rows.push(vec![
            Cell::maybe(codes.get(&e.customer_id)),
            e.from.into(),
            e.until.into(),
            Cell::text(&e.reason),
            Cell::text(&e.by),
            state,
            ended,
            record::shown(e.id.0),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
