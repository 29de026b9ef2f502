//! `isp doctor`: what is wrong with database, key, disk, routers, payment gateways and WhatsApp, and what to do about each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use isp_core::engine::{EngineError, NamedInstead};
use isp_core::ids::TenantId;
use isp_core::payment::virtual_account::digits_of;
use isp_core::payment::{GatewayRequest, GatewayState, PayChannel};
use isp_core::ports::{
    AccessStore as _, Asked, BillingStore as _, DirectoryStore as _, GatewayQuery, InboxStore as _, InvoiceQuery,
    Messenger as _, MoneyStore as _, OutboxQuery, OutboxStore as _, PageQuery, Store as _, StoreError, WebhookRow,
};
use isp_core::text::Reference;
use isp_store::{SqlStore, Vault};
use tokio::task::JoinSet;

use super::webhook::unread;
use super::{bank, refund, router, sandbox_left};
use crate::context::Context;
use crate::failure::{Exit, classify};
use crate::output::{self, Cell, Format, Rows, column, number};
use crate::wire;

/// How long a router or WhatsApp may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// A gateway that was paid at in this time should have told so by a webhook.
const LATELY: TimeDelta = TimeDelta::days(7);
/// Rows that a finding names.
const NAMED: usize = 3;
/// Room for a copy, and for what a month adds.
const ROOM: u64 = 100 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Ask no router, no payment gateway and not WhatsApp.
    #[arg(long)]
    offline: bool,
    /// First write the sums anew that reports are made of, from the journal and the documents, and tell each that changes.
    #[arg(long)]
    renew_sums: bool,
}

/// What is wrong, and what to do.
struct Finding {
    kind: String,
    count: u64,
    what: String,
    todo: String,
}

/// Collects findings.
struct Findings<'c> {
    ctx: &'c Context,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, kind: &str, count: u64, about: &str) {
        let texts = &self.ctx.texts;
        let variables = [("count", count.to_string()), ("about", about.to_owned())];
        self.found.push(Finding {
            kind: kind.to_owned(),
            count,
            what: texts.with(&format!("doctor.{kind}"), &variables),
            todo: texts.with(&format!("doctor_todo.{kind}"), &variables),
        });
    }

    /// An error is a finding, too: its code, its words, and the advice that it always has.
    fn error(&mut self, error: &anyhow::Error) {
        let (code, _) = classify(error);
        let texts = &self.ctx.texts;
        let what = texts.failure(error);
        if self.found.iter().any(|known| known.kind == code && known.what == what) {
            return;
        }
        let todo = texts.advice(error, &[]).unwrap_or_default();
        self.found.push(Finding { kind: code.to_owned(), count: 1, what, todo });
    }
}

pub(crate) async fn run(ctx: &Context, args: Doctor) -> anyhow::Result<Exit> {
    let mut findings = Findings { ctx, found: Vec::new() };
    let mut exit = Exit::Partial;
    let (store, with_key) = match wire::store(&ctx.config).await {
        Ok(store) => (Some(store), true),
        Err(error) => {
            findings.error(&error);
            // What is wrong with the key keeps nobody from looking at the books.
            match SqlStore::open(wire::database(&ctx.config)?, Vault::locked()).await {
                Ok(store) => (Some(store), false),
                Err(error) => {
                    findings.error(&error.into());
                    (None, false)
                }
            }
        }
    };
    match store {
        Some(store) => {
            let store = store.acting(ctx.officer.as_str(), &ctx.asked.command);
            if args.renew_sums {
                renew_sums(ctx, &store).await?;
            }
            if let Err(error) = look(&mut findings, &store, with_key, args.offline).await {
                findings.error(&error);
            }
            if let Err(error) = banks(&mut findings, &store).await {
                findings.error(&error);
            }
            tellers(&mut findings);
            if !args.offline
                && let Err(error) = gateways(&mut findings, &store).await
            {
                findings.error(&error);
            }
            store.close().await;
        }
        None => exit = Exit::Unavailable,
    }
    disk(&mut findings)?;
    let left = sandbox_left::left(ctx).await;
    if !left.is_empty() {
        let commands: Vec<&str> = left.iter().map(|one| one.command.as_str()).collect();
        findings.add("sandbox.left", left.len() as u64, &commands.join("; "));
    }
    if ctx.config.asks_unnamed() {
        findings.add("sender.unset", 1, "");
    }
    if !args.offline {
        whatsapp(&mut findings).await;
    }
    tell(ctx, &findings.found)?;
    Ok(if findings.found.is_empty() { Exit::Done } else { exit })
}

async fn look(findings: &mut Findings<'_>, store: &SqlStore, with_key: bool, offline: bool) -> anyhow::Result<()> {
    let ctx = findings.ctx;
    for of in store.examine(ctx.tenant(), ctx.now).await? {
        findings.add(of.kind, of.count, &of.about);
    }
    // Behind a wall between providers, the keys are the owner's to look at: `isp key check`.
    if with_key && store.sees_all() {
        let uses = store.key_uses().await?;
        let unreadable: u64 = uses.iter().map(|of| of.unreadable).sum();
        if unreadable > 0 {
            findings.add("key.unreadable", unreadable, "");
        }
        let ring = uses.iter().filter(|of| of.place.is_some()).count();
        if ring > 1 {
            findings.add("key.unfinished", ring as u64, "");
        }
    }
    read_all(store, ctx.tenant(), ctx.config.worker.page).await?;
    let mut unreadable: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for row in store.damaged() {
        let said = format!("{}: {}", row.id, ctx.texts.damage(&row.reason));
        unreadable.entry(row.what).or_default().push(said);
    }
    for (what, rows) in unreadable {
        let more = if rows.len() > NAMED { "; …" } else { "" };
        let about = format!("{} {}{more}", ctx.texts.said(what), rows[..rows.len().min(NAMED)].join("; "));
        findings.add("row.unreadable", rows.len() as u64, &about);
    }
    if let Err(error) = books(findings, store).await {
        findings.error(&error);
    }
    webhooks(findings, store).await?;
    let instead = ctx.engine(store).named_instead(NamedInstead::lately(ctx.now)).await?;
    if !instead.is_empty() {
        let about: Vec<String> = instead.iter().take(NAMED).map(|one| bank::shown(one.mutation)).collect();
        findings.add("bank.named_instead", instead.len() as u64, &about.join(", "));
    }
    let (open, _, about) = refund::long_open(ctx, store).await?;
    if open > 0 {
        findings.add("refund.unresolved", open as u64, &about);
    }
    let tables = router::tables_of_nobody(ctx, store).await?;
    if !tables.is_empty() {
        let keys: Vec<String> =
            tables.iter().map(|address| format!("mikrotik.redirect.router.\"{address}\"")).collect();
        findings.add("redirect.no_router", tables.len() as u64, &keys.join(", "));
    }
    let unreachable = match with_key && !offline {
        true => routers(findings, store).await?,
        false => BTreeSet::new(),
    };
    at_rest(findings, store, &unreachable).await
}

/// Proves the books of this provider: every document against the journal, and both against the sums that reports are made of.
async fn books(findings: &mut Findings<'_>, store: &SqlStore) -> anyhow::Result<()> {
    let ctx = findings.ctx;
    let proof = ctx.engine(store).prove().await?;
    if !proof.settled {
        findings.add("ledger.moving", 1, "");
    }
    let apart = proof.ties.untied.iter().map(|untied| {
        let account = ctx.texts.t(&format!("word.{}", untied.account.code()));
        let month = untied.month.map_or_else(String::new, |month| format!(" {month}"));
        format!("{account}{month} {}", untied.documents - untied.journal)
    });
    let apart: Vec<String> = apart.collect();
    let named = proof
        .documents
        .named
        .iter()
        .map(|(name, difference)| format!("{name} ({})", ctx.texts.t(&format!("untied.{}", difference.code()))));
    let count = proof.documents.count.max(apart.len() as u64);
    if count > 0 {
        let parts = [some(&apart), some(&named.collect::<Vec<_>>())];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        findings.add("ledger.untied", count, &parts.join("; "));
    }
    if !proof.sums.is_empty() {
        findings.add("ledger.sums", proof.sums.len() as u64, &some(&proof.sums));
    }
    Ok(())
}

/// Writes the sums anew that reports are made of. They may be the only witness of a row that was changed from outside: so each that
/// changes is told, and a person is asked.
async fn renew_sums(ctx: &Context, store: &SqlStore) -> anyhow::Result<()> {
    let changes = match ctx.engine(store).prove().await {
        Ok(proof) if !proof.settled => {
            // What would change is not known, and the sums may be the only witness of it.
            ctx.warn("warn.sums_moving", &[]);
            return Ok(());
        }
        Ok(proof) => proof.sums,
        // A sum that cannot be read is mended by this, too.
        Err(EngineError::Store(error @ StoreError::Corrupt { .. })) => vec![ctx.texts.failure(&error.into())],
        Err(error) => return Err(error.into()),
    };
    for about in &changes {
        ctx.warn("warn.sum_changes", &[("about", about.clone())]);
    }
    if changes.is_empty() || ctx.may("ask.renew_sums", &[("count", changes.len().to_string())])? {
        store.renew_sums(ctx.tenant()).await?;
        ctx.say("done.sums_renewed", &[])?;
    }
    Ok(())
}

/// The first of these, and whether there are more.
fn some(names: &[String]) -> String {
    let more = if names.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

/// What came in and could not be read or acted upon: it may be about money.
async fn webhooks(findings: &mut Findings<'_>, store: &SqlStore) -> anyhow::Result<()> {
    let (count, senders) = unread(findings.ctx, store).await?;
    if count > 0 {
        findings.add("webhook.unread", count, &senders.into_iter().collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

/// Looks at the settings of moota and of each phone that may tell of money.
fn tellers(findings: &mut Findings<'_>) {
    let config = &findings.ctx.config;
    let moota = wire::moota(config).err();
    let phones = wire::phones(config).into_iter().filter_map(|(_, phone)| phone.err());
    moota.into_iter().chain(phones).for_each(|error| findings.error(&error));
}

/// Looks at the settings of each bank that may call, and at the numbers that customers have there.
async fn banks(findings: &mut Findings<'_>, store: &SqlStore) -> anyhow::Result<()> {
    let ctx = findings.ctx;
    let banks = wire::banks(&ctx.config);
    if banks.is_empty() {
        return Ok(());
    }
    banks.iter().filter_map(|(_, bank)| bank.as_ref().err()).for_each(|error| findings.error(error));
    let (mut numbers, mut none) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let customers = store.customers(ctx.tenant(), page).await?;
        for customer in &customers {
            match digits_of(&customer.code) {
                Some(digits) => numbers.entry(digits).or_default().push(customer.code.to_string()),
                None => none.push(customer.code.to_string()),
            }
        }
        if !page.advance(&customers, |last| last.id) {
            break;
        }
    }
    let same: Vec<String> = numbers.into_values().filter(|codes| codes.len() > 1).flatten().collect();
    for (kind, codes) in [("snap.no_number", none), ("snap.same_number", same)] {
        if !codes.is_empty() {
            let more = if codes.len() > NAMED { ", …" } else { "" };
            findings.add(kind, codes.len() as u64, &format!("{}{more}", codes[..codes.len().min(NAMED)].join(", ")));
        }
    }
    Ok(())
}

/// Reads every row once, so that those that cannot be read are known.
async fn read_all(store: &SqlStore, tenant: TenantId, size: u32) -> Result<(), StoreError> {
    macro_rules! pages {
        ($call:ident ($($argument:expr),*), $id:expr) => {{
            let mut page = PageQuery::first(size);
            loop {
                let rows = store.$call(tenant, $($argument,)* page).await?;
                if !page.advance(&rows, $id) {
                    break;
                }
            }
        }};
    }
    store.sites(tenant).await?;
    store.routers(tenant).await?;
    store.packages(tenant).await?;
    store.expenses(tenant).await?;
    store.outages(tenant).await?;
    store.deposits(tenant).await?;
    store.cpes(tenant, None).await?;
    pages!(customers(), |last| last.id);
    pages!(subscriptions(None), |last| last.0.id);
    pages!(invoices(InvoiceQuery::default()), |last| last.0.id);
    pages!(payments(None), |last| last.payment.id);
    pages!(outbox(OutboxQuery::default()), |last| last.id);
    pages!(journal(), |last| last.id);
    Ok(())
}

/// Names the routers that could not be used when something was last to be done there, such as one in whose place another machine
/// answers. Those that do not answer now were named by then.
async fn at_rest(findings: &mut Findings<'_>, store: &SqlStore, named: &BTreeSet<String>) -> anyhow::Result<()> {
    let ctx = findings.ctx;
    let rests = store.router_rests(ctx.tenant()).await?;
    for router in ctx.engine(store).routers_in_use().await? {
        let rest = rests.iter().find(|rest| rest.router == router.id);
        if let Some(rest) = rest.filter(|_| !named.contains(router.code.as_str())) {
            findings.add("router.rests", 1, &format!("{}: {}", router.code, ctx.texts.port(&rest.reason)));
        }
    }
    Ok(())
}

/// Asks each router who it is, all at once. Gives the codes of those that do not answer.
async fn routers(findings: &mut Findings<'_>, store: &SqlStore) -> anyhow::Result<BTreeSet<String>> {
    let ctx = findings.ctx;
    let access = Arc::new(wire::routers(&ctx.config));
    let page = ctx.config.mikrotik.code_page;
    let mut asked = JoinSet::new();
    for router in ctx.engine(store).routers_in_use().await? {
        let access = Arc::clone(&access);
        asked.spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, access.check(&router.endpoint, page)).await;
            let reason = match answer {
                Ok(Ok(_)) => return None,
                Ok(Err(error)) => format!("{error} [{}]", error.code()),
                Err(_) => "timed out".to_owned(),
            };
            Some((router.code.to_string(), reason))
        });
    }
    let mut silent: Vec<(String, String)> = asked.join_all().await.into_iter().flatten().collect();
    silent.sort();
    let mut named = BTreeSet::new();
    for (code, reason) in silent {
        findings.add("router.unreachable", 1, &format!("{code}: {}", ctx.texts.port(&reason)));
        named.insert(code);
    }
    Ok(named)
}

/// Asks each payment gateway about a request that nobody made, which it answers only to the right key; and looks whether its
/// webhooks arrive.
async fn gateways(findings: &mut Findings<'_>, store: &SqlStore) -> anyhow::Result<()> {
    let ctx = findings.ctx;
    let nobodys = Reference::parse("reference", "isp-doctor")?;
    // Of a page, since Xendit knows nothing else by our own reference.
    let asked = Asked { reference: &nobodys, provider_id: None, channel: Some(PayChannel::Page) };
    for (name, gateway) in wire::gateways(&ctx.config) {
        let gateway = match gateway {
            Ok(gateway) => gateway,
            Err(error) => {
                findings.error(&error);
                continue;
            }
        };
        let reason = match tokio::time::timeout(PATIENCE, gateway.status(&asked)).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("{} [{}]", ctx.texts.port(&error.to_string()), error.code())),
            Err(_) => Some(ctx.texts.port("timed out")),
        };
        if let Some(reason) = reason {
            findings.add("gateway.unreachable", 1, &format!("{name}: {reason}"));
        }
        let (paid, told) = lately(ctx, store, &name).await?;
        if paid > 0 && !told {
            findings.add("gateway.no_webhook", paid, &name);
        }
    }
    Ok(())
}

/// How many requests at a gateway were made and paid lately, and whether it told of any by a webhook.
async fn lately(ctx: &Context, store: &SqlStore, name: &str) -> anyhow::Result<(u64, bool)> {
    let since = ctx.now - LATELY;
    let (mut paid, mut page) = (0, PageQuery::first(ctx.config.worker.page));
    loop {
        let rows = store.gateway_requests(ctx.tenant(), &GatewayQuery::default(), page).await?;
        let wanted = |row: &&GatewayRequest| {
            row.state == GatewayState::Paid && row.made_at >= since && row.gateway.as_str().eq_ignore_ascii_case(name)
        };
        paid += rows.iter().filter(wanted).count() as u64;
        if !page.advance(&rows, |last| last.id) {
            break;
        }
    }
    if paid == 0 {
        return Ok((0, false));
    }
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let rows = store.webhooks(ctx.tenant(), None, page).await?;
        let of = |row: &WebhookRow| row.webhook.received_at >= since && row.webhook.source.eq_ignore_ascii_case(name);
        if rows.iter().any(of) {
            return Ok((paid, true));
        }
        if !page.advance(&rows, |last| last.webhook.id) {
            break;
        }
    }
    Ok((paid, false))
}

/// Asks WhatsApp whether it would send, without sending. Without a sending number there is nothing to ask.
async fn whatsapp(findings: &mut Findings<'_>) {
    let ctx = findings.ctx;
    let client = match wire::messenger(&ctx.config) {
        Ok(Some(client)) => client,
        Ok(None) => return,
        Err(error) => return findings.error(&error),
    };
    let reason = match tokio::time::timeout(PATIENCE, client.probe()).await {
        Ok(Ok(None)) => return,
        Ok(Ok(Some(outcome))) => said(&outcome),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "timed out".to_owned(),
    };
    findings.add("whatsapp.unreachable", 1, &ctx.texts.port(&reason));
}

fn said(outcome: &isp_core::ports::SendOutcome) -> String {
    use isp_core::ports::SendOutcome as S;
    match outcome {
        S::RetryAfter { reason, .. }
        | S::RecipientRejected { reason }
        | S::ConfigError { reason }
        | S::ChannelDown { reason } => reason.clone(),
        S::Accepted { .. } | S::Held { .. } => String::new(),
    }
}

/// The disk of a SQLite file: a copy should fit, and what is added to it.
fn disk(findings: &mut Findings<'_>) -> anyhow::Result<()> {
    let Some(path) = wire::database(&findings.ctx.config)?.strip_prefix("sqlite:") else { return Ok(()) };
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    let size = path.metadata().map_or(0, |found| found.len());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Some(free) = free(folder)
        && free < size + ROOM
    {
        findings.add("disk.low", free / (1024 * 1024), &folder.display().to_string());
    }
    Ok(())
}

/// The bytes that are free on the disk of a folder, where the system tells.
#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let of = rustix::fs::statvfs(folder).ok()?;
    Some(of.f_bavail.saturating_mul(of.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

fn tell(ctx: &Context, found: &[Finding]) -> anyhow::Result<()> {
    if ctx.format == Format::Table {
        if found.is_empty() {
            return ctx.say("doctor.sound", &[]);
        }
        let mut text = String::new();
        for of in found {
            text.push_str(&output::harmless(&format!("✖ {}: {}", of.kind, of.what)));
            text.push_str(&format!("\n    {}\n", output::harmless(&of.todo)));
        }
        return output::print(&text);
    }
    let mut rows = Rows::new(&[column("finding"), number("count"), column("what"), column("todo")]);
    for of in found {
        rows.push(vec![Cell::text(&of.kind), Cell::count(of.count), Cell::text(&of.what), Cell::text(&of.todo)]);
    }
    ctx.rows(&rows)
}
