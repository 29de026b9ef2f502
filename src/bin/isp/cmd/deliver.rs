//! `isp deliver`: routers and messages from the outbox.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use isp_core::engine::{DeliverReport, Outside, Post};
use isp_core::ports::{OutboxQuery, OutboxState, PageQuery, Topic, Worker};
use isp_store::SqlStore;
use isp_whatsapp::cloud::CloudClient;

use super::clock::Clock;
use crate::context::Context;
use crate::failure::Exit;
use crate::linked::{Linked, Pages};
use crate::output::{Cell, Rows, number};
use crate::routers::Routers;
use crate::wire;

pub(crate) async fn run(ctx: &Context, clock: Clock) -> anyhow::Result<Exit> {
    clock.begin(ctx).await?;
    let polled = super::gateway::poll(ctx).await?;
    let store = ctx.store().await?;
    // Who types this wants the routers to be tried, also one that could not be used a moment ago.
    for rest in store.router_rests(ctx.tenant()).await? {
        store.end_rest(ctx.tenant(), rest.router).await?;
    }
    let (worker, wires) = (ctx.worker().await?, Wires::new(ctx, ctx.shared().await?, Some(ctx.now)));
    let report = ctx.engine(store).deliver_outside(&wires.outside(&worker), ctx.now).await?;
    print(ctx, &report)?;
    warn(ctx, &wires, &report).await?;
    Ok(exit(&report).worse(polled))
}

/// The routers and the messenger of the settings.
pub(crate) struct Wires {
    routers: Routers,
    messenger: Result<Option<Linked<CloudClient>>, String>,
}

impl Wires {
    /// Nothing is called yet. A sending number with which no client can be made keeps its messages, and costs the routers
    /// nothing. Links in messages are made for this moment, or for that of the clock.
    pub(crate) fn new(ctx: &Context, store: &Arc<SqlStore>, now: Option<DateTime<Utc>>) -> Self {
        let public_url = ctx.config.serve.public_url.clone();
        let pages = public_url.map(|public_url| Pages { public_url, store: Arc::clone(store), now });
        let messenger = wire::messenger(&ctx.config).map_err(|error| ctx.texts.failure(&error));
        let messenger = messenger.map(|client| client.map(|client| Linked::new(client, pages)));
        Self { routers: wire::access(&ctx.config), messenger }
    }

    pub(crate) fn outside<'a>(&'a self, worker: &'a Worker<'a>) -> Outside<'a> {
        Outside { worker, routers: &self.routers, post: self.post_as_set() }
    }

    /// The routers.
    pub(crate) fn access(&self) -> &Routers {
        &self.routers
    }

    /// The messenger, as it is set up.
    pub(crate) fn post_as_set(&self) -> Post<'_> {
        match &self.messenger {
            Ok(Some(messenger)) => Post::Ready(messenger),
            Ok(None) => Post::Unset,
            Err(why) => Post::Unusable(why),
        }
    }
}

/// Names the routers and channels that did not answer, and says when messages wait for a messenger that is not set up.
pub(crate) async fn warn(ctx: &Context, wires: &Wires, report: &DeliverReport) -> anyhow::Result<()> {
    if matches!(wires.messenger, Ok(None)) {
        let waiting =
            OutboxQuery { topic: Some(Topic::Message), state: Some(OutboxState::Pending), ..OutboxQuery::default() };
        if !ctx.store().await?.outbox(ctx.tenant(), waiting, PageQuery::first(1)).await?.is_empty() {
            ctx.warn("warn.no_messenger", &[]);
        }
    }
    if !ctx.config.radius.nas.is_empty() {
        let routers = ctx.store().await?.routers(ctx.tenant()).await?;
        for address in ctx.config.radius.nas.keys().filter(|nas| !routers.iter().any(|r| r.endpoint.host == **nas)) {
            ctx.warn("warn.radius_no_router", &[("address", address.clone())]);
        }
    }
    if !report.routers_down.is_empty() {
        let routers = ctx.store().await?.routers(ctx.tenant()).await?;
        for (id, down) in &report.routers_down {
            let router = routers.iter().find(|r| r.id == *id);
            let variables = [
                ("router", router.map_or_else(|| id.to_string(), |r| r.code.to_string())),
                ("waiting", down.waiting.to_string()),
                ("reason", ctx.texts.port(&down.reason)),
            ];
            ctx.warn("warn.router_down", &variables);
        }
    }
    refused(ctx, report).await?;
    if let Some(reason) = &report.channel_down {
        ctx.warn("warn.channel_down", &[("reason", ctx.texts.port(reason))]);
    }
    if report.unnamed > 0 {
        ctx.warn("warn.sender_unset", &[("count", report.unnamed.to_string())]);
    }
    for (template, reason) in &report.templates_down {
        ctx.warn("warn.template_down", &[("template", template.clone()), ("reason", ctx.texts.port(reason))]);
    }
    if report.lost > 0 {
        ctx.warn("warn.claims_lost", &[("lost", report.lost.to_string())]);
    }
    if report.unknown > 0 {
        ctx.warn("warn.unknown", &[("unknown", report.unknown.to_string())]);
    }
    Ok(())
}

/// Names the accounts that routers refused.
async fn refused(ctx: &Context, report: &DeliverReport) -> anyhow::Result<()> {
    const NAMED: usize = 20;
    if report.refused_accounts.is_empty() {
        return Ok(());
    }
    let routers = ctx.store().await?.routers(ctx.tenant()).await?;
    for account in report.refused_accounts.iter().take(NAMED) {
        let router = routers.iter().find(|r| r.id == account.router_id);
        let variables = [
            ("router", router.map_or_else(|| account.router_id.to_string(), |r| r.code.to_string())),
            ("account", account.username.to_string()),
            ("reason", ctx.texts.finding(account.code, &account.reason)),
            ("error", account.code.to_owned()),
        ];
        ctx.warn("warn.account_refused", &variables);
    }
    if report.refused_accounts.len() > NAMED {
        ctx.warn("warn.refused_more", &[("count", (report.refused_accounts.len() - NAMED).to_string())]);
    }
    Ok(())
}

pub(crate) fn exit(report: &DeliverReport) -> Exit {
    let whole = report.routers_down.is_empty() && report.channel_down.is_none() && report.templates_down.is_empty();
    if whole && report.refused + report.failed + report.unknown == 0 { Exit::Done } else { Exit::Partial }
}

fn print(ctx: &Context, report: &DeliverReport) -> anyhow::Result<()> {
    let mut row = Rows::new(&[
        number("applied"),
        number("refused"),
        number("routers_down"),
        number("sent"),
        number("dropped"),
        number("postponed"),
        number("failed"),
        number("unknown"),
    ]);
    row.push(vec![
        Cell::count(report.applied),
        Cell::count(report.refused),
        Cell::count(report.routers_down.len()),
        Cell::count(report.sent),
        Cell::count(report.dropped),
        Cell::count(report.postponed),
        Cell::count(report.failed),
        Cell::count(report.unknown),
    ]);
    ctx.done("done.delivered", &variables(report), &row)
}

/// The figures of a delivery, for a sentence.
pub(crate) fn variables(report: &DeliverReport) -> [(&'static str, String); 8] {
    [
        ("applied", report.applied.to_string()),
        ("refused", report.refused.to_string()),
        ("down", report.routers_down.len().to_string()),
        ("sent", report.sent.to_string()),
        ("dropped", report.dropped.to_string()),
        ("postponed", report.postponed.to_string()),
        ("failed", report.failed.to_string()),
        ("unknown", report.unknown.to_string()),
    ]
}
