//! What the server does by itself: reads webhooks, delivers, runs the day, counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::calendar::Date;
use isp_core::clock::ClockWord;
use isp_core::engine::{DayReport, DayStep, DeliverReport, EngineError, Outside, Said, Tidied};
use isp_core::ids::{RouterId, WorkerId};
use isp_core::money::Money;
use isp_core::ports::{StoreError, Topic, WebhookOutcome, WebhookRow, WebhookState, Worker};
use tokio::sync::watch;

use crate::app::App;
use crate::notify;
use crate::provider::Wires;

/// Webhooks that are read at once.
const WEBHOOKS: u32 = 100;
/// How often a webhook is read in vain before a person has to look.
const TRIES: u32 = 12;
/// How often what is in the database is counted.
const COUNT: Duration = Duration::from_secs(30);
/// How often all entries of the ledger are added up.
const ADD_UP: Duration = Duration::from_secs(3_600);
/// How often scrapes get newer figures.
const PUBLISH: Duration = Duration::from_secs(2);

/// The names of the server's workers; no two processes have the same.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// Who reads webhooks.
    pub reader: WorkerId,
    /// Who delivers.
    pub deliverer: WorkerId,
    /// Who runs the day.
    pub runner: WorkerId,
}

/// Works until `stop` is true, and ends what is under way.
pub async fn work(app: Arc<App>, wires: Arc<dyn Wires>, names: Names, lease: TimeDelta, stop: watch::Receiver<bool>) {
    let worker = |id| Worker { id, lease, watch: app.watch() };
    tokio::join!(
        reading(&app, worker(names.reader), stop.clone()),
        delivering(&app, wires.as_ref(), worker(names.deliverer), stop.clone()),
        running(&app, wires.as_ref(), worker(names.runner), stop.clone()),
        asking(&app, wires.as_ref(), stop.clone()),
        counting(&app, stop.clone()),
        beating(stop),
    );
}

/// Waits so long, or until it stops; true when it stops.
async fn stopped(stop: &mut watch::Receiver<bool>, time: Duration) -> bool {
    tokio::time::timeout(time, stop.wait_for(|stop| *stop)).await.is_ok()
}

/// An error in words, counted by its code. The store's and the engine's errors hold no personal data.
fn failed(app: &App, what: &'static str, error: &EngineError) {
    app.metrics.add("isp_run_errors_total", &[("step", what), ("code", error.code())], 1);
    tracing::error!(step = what, code = error.code(), "{error}");
}

async fn reading(app: &App, worker: Worker<'_>, mut stop: watch::Receiver<bool>) {
    loop {
        match read_some(app, worker).await {
            Ok(full) if full && !*stop.borrow() => continue,
            Ok(_) => {}
            Err(error) => failed(app, "webhooks", &error),
        }
        tokio::select! {
            () = app.arrived.notified() => {}
            stops = stopped(&mut stop, Duration::from_secs(2)) => if stops { return },
        }
        if *stop.borrow() {
            return;
        }
    }
}

/// Reads webhooks that wait; true when there may be more.
///
/// # Errors
/// [`EngineError::Store`]; what was not recorded is read again.
pub async fn read_some(app: &App, worker: Worker<'_>) -> Result<bool, EngineError> {
    let (inbox, tenant) = (app.provider.inbox.as_ref(), app.provider.tenant);
    let rows = inbox.claim_webhooks(tenant, worker.lease(), WEBHOOKS).await?;
    let full = rows.len() as u64 == u64::from(WEBHOOKS);
    let mut senders: BTreeMap<String, Vec<WebhookRow>> = BTreeMap::new();
    for row in rows {
        senders.entry(row.webhook.source.clone()).or_default().push(row);
    }
    // Senders beside each other: one whose gateway is slow to answer holds up no other.
    let each = senders.into_values().map(|rows| read_those(app, worker.id, rows));
    futures::future::join_all(each).await.into_iter().collect::<Result<(), _>>()?;
    Ok(full)
}

/// Reads what one sender sent. When its gateway gives no answer several times, the rest is left alone, claimed until the lease is
/// over, and then read again: each question may take as long as its deadline.
async fn read_those(app: &App, owner: WorkerId, rows: Vec<WebhookRow>) -> Result<(), EngineError> {
    const PATIENCE: u32 = 3;
    let mut silent = 0;
    for row in rows {
        // Each by itself: one that cannot be read, or takes long, holds up no other's outcome.
        let read = read_one(app, &row).await;
        let outcome = match &read {
            Ok(outcome) => outcome.clone(),
            Err(error) => {
                failed(app, "webhook", error);
                let note = format!("{}: {error}", error.code());
                let again = error.retryable() && row.tries + 1 < TRIES;
                let state = if again { WebhookState::Waiting } else { WebhookState::Unread };
                let next_try = app.now() + TimeDelta::seconds(5_i64 << row.tries.min(7));
                WebhookOutcome { next_try, ..outcome(app, &row, state, note) }
            }
        };
        app.provider.inbox.settle_webhooks(app.provider.tenant, owner, &[outcome]).await?;
        silent = if matches!(&read, Err(EngineError::Port(port)) if port.retryable()) { silent + 1 } else { 0 };
        if silent == PATIENCE {
            return Ok(());
        }
    }
    Ok(())
}

fn outcome(app: &App, row: &WebhookRow, state: WebhookState, note: String) -> WebhookOutcome {
    WebhookOutcome { id: row.webhook.id, state, next_try: app.now(), note }
}

async fn read_one(app: &App, row: &WebhookRow) -> Result<WebhookOutcome, EngineError> {
    let Some(source) = app.source(&row.webhook.source) else {
        return Ok(outcome(app, row, WebhookState::Unread, "its sender is not set up any more".to_owned()));
    };
    let acted = source.act(&app.provider, &row.webhook, app.now()).await?;
    app.metrics.add("isp_payments_total", &[("channel", source.name())], acted.payments);
    if acted.deliver {
        app.due.notify_one();
    }
    let state = if acted.unread > 0 { WebhookState::Unread } else { WebhookState::Read };
    Ok(outcome(app, row, state, acted.note))
}

async fn delivering(app: &App, wires: &dyn Wires, worker: Worker<'_>, mut stop: watch::Receiver<bool>) {
    let seconds = app.settings.deliver_every_seconds;
    if seconds == 0 {
        return;
    }
    loop {
        let started = Instant::now();
        match deliver(app, wires, &worker).await {
            Ok(report) => {
                done(app, "deliver", started);
                tell_delivered(app, &report).await;
            }
            Err(error) => failed(app, "deliver", &error),
        }
        tokio::select! {
            () = app.due.notified() => {}
            stops = stopped(&mut stop, Duration::from_secs(seconds.into())) => if stops { return },
        }
        if *stop.borrow() {
            return;
        }
    }
}

async fn deliver(app: &App, wires: &dyn Wires, worker: &Worker<'_>) -> Result<DeliverReport, EngineError> {
    let (engine, now) = (app.provider.engine(), app.now());
    engine.follows(now, ClockWord::Nothing).await?;
    let outside = Outside { worker, routers: wires.routers(), post: wires.post() };
    engine.deliver_outside(&outside, now).await
}

async fn running(app: &App, wires: &dyn Wires, worker: Worker<'_>, mut stop: watch::Receiver<bool>) {
    let minutes = app.settings.run_every_minutes;
    if minutes == 0 {
        return;
    }
    loop {
        let started = Instant::now();
        let outside = Outside { worker: &worker, routers: wires.routers(), post: wires.post() };
        let mut step = |step: DayStep<'_>| match step {
            DayStep::Billed(_) => succeeded(app, "bill"),
            DayStep::Reminded(_) => succeeded(app, "remind"),
            DayStep::Enforced(_) => succeeded(app, "enforce"),
            _ => {}
        };
        let now = app.now();
        match app.provider.engine().run_day_watched(&outside, &Said::default(), now, &mut step).await {
            Ok(day) => {
                done(app, "run", started);
                tell_day(app, &day).await;
                // After a run alone: it has asked whether the clock can be true.
                if let Err(error) = tidy(app, now).await {
                    failed(app, "tidy", &error);
                }
            }
            // `isp run` beside this process has the turn.
            Err(EngineError::Store(StoreError::Busy)) => tracing::info!("another run is under way"),
            Err(error) => failed(app, "run", &error),
        }
        if stopped(&mut stop, Duration::from_secs(u64::from(minutes) * 60)).await {
            return;
        }
    }
}

/// Asks gateways about requests whose webhook may have been lost.
async fn asking(app: &App, wires: &dyn Wires, mut stop: watch::Receiver<bool>) {
    let gateways = wires.gateways();
    if gateways.is_empty() {
        return;
    }
    loop {
        match app.provider.engine().poll_gateways(&gateways, app.now()).await {
            Ok(report) => {
                if report.booked > 0 {
                    app.metrics.add("isp_payments_total", &[("channel", "asked")], report.booked);
                    app.due.notify_one();
                    tracing::warn!(booked = report.booked, "money of which no webhook told");
                }
                for (_, error) in &report.failed {
                    failed(app, "gateways", error);
                }
            }
            Err(error) => failed(app, "gateways", &error),
        }
        if stopped(&mut stop, Duration::from_secs(60)).await {
            return;
        }
    }
}

/// Removes what was kept for long enough, see [`Engine::tidy`](isp_core::engine::Engine::tidy).
///
/// # Errors
/// [`EngineError::Store`].
pub async fn tidy(app: &App, now: DateTime<Utc>) -> Result<(), EngineError> {
    let (inbox, retention) = (app.provider.inbox.as_ref(), &app.provider.retention);
    let gone = app.provider.engine().tidy(inbox, retention, now).await?;
    if gone != Tidied::default() {
        tracing::info!(
            webhooks = gone.webhooks,
            links = gone.links,
            proof_files = gone.proof_files,
            "kept for long enough"
        );
    }
    Ok(())
}

fn succeeded(app: &App, step: &'static str) {
    let at = u64::try_from(app.now().timestamp()).unwrap_or(0);
    app.metrics.set("isp_run_last_success_timestamp_seconds", &[("step", step)], at);
}

fn done(app: &App, step: &'static str, started: Instant) {
    succeeded(app, step);
    app.metrics.time("isp_run_duration_seconds", &[("step", step)], started.elapsed());
}

async fn code_of(app: &App, id: RouterId) -> String {
    let routers = app.provider.store.routers(app.provider.tenant).await.unwrap_or_default();
    routers.iter().find(|router| router.id == id).map_or_else(|| id.to_string(), |router| router.code.to_string())
}

async fn tell_delivered(app: &App, report: &DeliverReport) {
    let results =
        [("sent", report.sent), ("dropped", report.dropped), ("failed", report.failed), ("unknown", report.unknown)];
    for (result, count) in results.into_iter().filter(|(_, count)| *count > 0) {
        app.metrics.add("isp_messages_total", &[("result", result)], count);
    }
    let now = app.now();
    for booked in &report.reopened {
        app.metrics.time("isp_reopen_seconds", &[], (now - *booked).to_std().unwrap_or_default());
    }
    if report.applied > 0 {
        // Who answered before is up; a delivery tells only of those that it needed.
        app.metrics.clear("isp_router_up");
    }
    for (id, down) in &report.routers_down {
        let router = code_of(app, *id).await;
        app.metrics.set("isp_router_up", &[("router", &router)], 0);
        tracing::warn!(router, waiting = down.waiting, "router does not answer: {}", down.reason);
    }
    if let Some(why) = &report.channel_down {
        tracing::warn!("messages wait: {why}");
    }
    if report.unnamed > 0 {
        tracing::warn!(
            sent = report.unnamed,
            "messages asked for money and did not say who asks: [provider] name is not set"
        );
    }
    if report.applied + report.sent + report.failed + report.unknown > 0 {
        let DeliverReport { applied, sent, failed, unknown, .. } = report;
        tracing::info!(applied, sent, failed, unknown, "delivered");
    }
}

async fn tell_day(app: &App, day: &DayReport) {
    let metrics = &app.metrics;
    metrics.add("isp_invoices_issued_total", &[], day.billed.invoices);
    metrics.add("isp_invoiced_rupiah_total", &[], u64::try_from(day.billed.amount.as_i64()).unwrap_or(0));
    metrics.add("isp_isolations_total", &[], day.enforced.isolated.len() as u64);
    metrics.add("isp_reopenings_total", &[], day.enforced.reopened.len() as u64);
    for family in ["isp_router_up", "isp_router_drift_lines", "isp_breaker_open"] {
        metrics.clear(family);
    }
    let routers = app.provider.store.routers(app.provider.tenant).await.unwrap_or_default();
    for router in &routers {
        let labels = [("router", router.code.as_str())];
        let down = day.delivered.routers_down.contains_key(&router.id) || day.surveyed.unread.contains_key(&router.id);
        metrics.set("isp_router_up", &labels, u64::from(!down));
        let drift = day.surveyed.drifted.iter().filter(|line| line.router_id == router.id).count();
        metrics.set("isp_router_drift_lines", &labels, drift as u64);
        let held = day.enforced.held.iter().chain(&day.surveyed.held).any(|held| held.router_id == Some(router.id));
        metrics.set("isp_breaker_open", &labels, u64::from(held));
        if held {
            tracing::warn!(
                router = router.code.as_str(),
                "the breaker stopped isolations; look, then isp enforce --approve"
            );
        }
    }
    for problem in &day.billed.problems {
        tracing::warn!(subscription = %problem.subscription_id, code = problem.error.code(), "not billed");
    }
    tell_delivered(app, &day.delivered).await;
    tracing::info!(
        invoices = day.billed.invoices,
        reminders = day.reminded.queued,
        isolated = day.enforced.isolated.len(),
        reopened = day.enforced.reopened.len(),
        "run of the day"
    );
}

async fn counting(app: &App, mut stop: watch::Receiver<bool>) {
    let (mut last, mut added): (Option<Instant>, Option<Instant>) = (None, None);
    loop {
        if added.is_none_or(|at| at.elapsed() >= ADD_UP) {
            added = Some(Instant::now());
            add_up(app).await;
        }
        if last.is_none_or(|at| at.elapsed() >= COUNT) {
            last = Some(Instant::now());
            count(app).await;
        }
        app.metrics.publish();
        if stopped(&mut stop, PUBLISH).await {
            return;
        }
    }
}

/// Adds up the ledger. Each entry balances when it is written, so a difference was made by somebody else.
async fn add_up(app: &App) {
    match app.provider.store.journal_totals(app.provider.tenant, Date::MIN, Date::MAX).await {
        Ok(totals) => {
            let all: Money = totals.iter().map(|total| total.amount).sum();
            app.metrics.set("isp_ledger_imbalance_rupiah", &[], all.as_i64().unsigned_abs());
        }
        Err(error) => failed(app, "ledger", &error.into()),
    }
}

/// Counts what is in the database. When it cannot be counted, the figures stay as they were and their age tells it.
async fn count(app: &App) {
    let Ok(pulse) = app.provider.inbox.pulse(app.provider.tenant).await else { return };
    let metrics = &app.metrics;
    for family in ["isp_outbox_rows", "isp_outbox_oldest_seconds", "isp_webhooks"] {
        metrics.clear(family);
    }
    let now = app.now();
    for (topic, state, count, oldest) in pulse.outbox {
        let topic = if topic == Topic::Access { "access" } else { "message" };
        metrics.set("isp_outbox_rows", &[("topic", topic), ("state", state.code())], count);
        if state == isp_core::ports::OutboxState::Pending {
            let age = u64::try_from((now - oldest).num_seconds()).unwrap_or(0);
            metrics.set("isp_outbox_oldest_seconds", &[("topic", topic)], age);
        }
    }
    for (state, count) in pulse.webhooks {
        metrics.set("isp_webhooks", &[("state", state.code())], count);
    }
    for (access, count) in [("open", pulse.lines.0), ("isolated", pulse.lines.1), ("unconfirmed", pulse.unconfirmed)] {
        metrics.set("isp_subscriptions", &[("access", access)], count);
    }
    metrics.set("isp_mutations_unmatched", &[], pulse.unmatched);
    let (used, idle) = pulse.connections;
    metrics.set("isp_db_pool_connections", &[("state", "used")], used);
    metrics.set("isp_db_pool_connections", &[("state", "idle")], idle);
    metrics.counted();
}

/// Tells the service manager that the loop still turns.
async fn beating(mut stop: watch::Receiver<bool>) {
    let Some(time) = notify::watchdog() else { return };
    loop {
        notify::tell("WATCHDOG=1");
        if stopped(&mut stop, time).await {
            return;
        }
    }
}
