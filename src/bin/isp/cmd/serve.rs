//! `isp serve`: webhooks, pages, health and metrics, and the work of the day, in one process.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use isp_core::engine::Post;
use isp_core::ids::WorkerId;
use isp_core::payment::Qris;
use isp_core::ports::{AccessControl, PaymentGateway};
use isp_serve::gateway::Gateway;
use isp_serve::hooks::Source;
use isp_serve::snap::Bank;
use isp_serve::told::{MootaHook, PhoneHook};
use isp_serve::{App, Provider, notify, router, server, whatsapp, work};
use isp_store::SqlStore;
use isp_whatsapp::webhook::Webhook;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::deliver::Wires;
use super::gateway::usable;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::portal::LinesByAddress;
use crate::stop::Stop;
use crate::watch::StoreWatch;
use crate::{output, wire};

/// How long deliveries under way may take once the server stops; a service manager waits 30 seconds.
const LAST: Duration = Duration::from_secs(25);
/// How often it is looked whether the tables are still those of this program.
const LOOK: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the server calls.
struct Outside {
    wires: Wires,
    gateways: Vec<Arc<dyn PaymentGateway>>,
}

impl isp_serve::Wires for Outside {
    fn routers(&self) -> &dyn AccessControl {
        self.wires.access()
    }

    fn post(&self) -> Post<'_> {
        self.wires.post_as_set()
    }

    fn gateways(&self) -> Vec<&dyn PaymentGateway> {
        self.gateways.iter().map(AsRef::as_ref).collect()
    }
}

pub(crate) async fn run(ctx: &Context, args: &Serve) -> anyhow::Result<Exit> {
    log(args.log_format)?;
    let settings = ctx.config.serve.clone();
    let (gateways, _) = usable(ctx);
    let sources = sources(ctx, &gateways)?;
    let store = Arc::new(wire::store(&ctx.config).await?.acting("isp", &ctx.asked.command));
    let wires = Arc::new(Outside { wires: Wires::new(ctx, &store, None), gateways });
    let provider = provider(ctx, &store)?;
    let place = |error: std::io::Error| Failure::Config {
        place: "serve.listen".to_owned(),
        reason: format!("{}: {}", settings.listen, error.kind()),
    };
    let listener = TcpListener::bind(settings.listen).await.map_err(place)?;
    let address = listener.local_addr()?;
    let lines =
        LinesByAddress::new(Arc::clone(&store), ctx.tenant(), ctx.config.worker.page, wire::routers(&ctx.config));
    let watch = Arc::new(StoreWatch::by(&store).await?);
    let (app, keeping) = App::new(provider, settings.clone(), sources, Some(Arc::new(lines)), Arc::clone(&watch) as _);
    let (stop, stops) = watch::channel(false);
    let keeping = tokio::spawn(keeping);
    let serving = {
        let (router, settings, stops) = (router(Arc::clone(&app)), settings.clone(), stops.clone());
        tokio::spawn(async move { server::serve(listener, router, &settings, stops).await })
    };
    let names = work::Names { reader: WorkerId(ctx.id()), deliverer: WorkerId(ctx.id()), runner: WorkerId(ctx.id()) };
    let lease = TimeDelta::seconds(ctx.config.worker.lease_seconds.into());
    // Not a task of its own: what the engine does for a whole day stays on this thread.
    let mut working = std::pin::pin!(work::work(Arc::clone(&app), wires, names, lease, stops));
    let looking =
        tokio::spawn(look(Arc::clone(&app), wire::database(&ctx.config)?.to_owned(), Arc::clone(&store), watch));
    // Signals are listened to before the address is out: who reads it may stop the server at once.
    let mut asked = Stop::listen()?;
    let said = ctx.texts.with("done.serving", &[("address", address.to_string())]);
    let ready = async {
        output::print(&format!("{said}\n"))?;
        notify::tell("READY=1");
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        biased;
        stopped = asked.come() => stopped?,
        failed = ready => failed?,
        () = &mut working => {}
    }
    notify::tell("STOPPING=1");
    ctx.say("done.stopping", &[])?;
    app.stop();
    looking.abort();
    let _ = stop.send(true);
    let _ = serving.await;
    let ended = tokio::time::timeout(LAST, &mut working).await.is_ok();
    keeping.abort();
    store.close().await;
    // What was not ended is claimed until its lease is over; another process goes on with it then.
    Ok(if ended { Exit::Done } else { Exit::Partial })
}

/// Whose webhooks and pages these are, by the settings.
fn provider(ctx: &Context, store: &Arc<SqlStore>) -> anyhow::Result<Provider> {
    Ok(Provider {
        store: Arc::clone(store) as _,
        inbox: Arc::clone(store) as _,
        tenant: ctx.tenant(),
        policy: ctx.config.policy.clone(),
        retention: ctx.config.retention,
        sender: ctx.config.provider.clone(),
        qris: ctx.config.payment.qris.as_deref().map(Qris::parse).transpose()?,
        letterhead: wire::letterhead(&ctx.config)?,
        page: ctx.config.worker.page,
    })
}

/// Who may send webhooks, by the settings.
fn sources(ctx: &Context, gateways: &[Arc<dyn PaymentGateway>]) -> anyhow::Result<Vec<Arc<dyn Source>>> {
    let of_gateway = |gateway: &Arc<dyn PaymentGateway>| Arc::new(Gateway::new(Arc::clone(gateway))) as Arc<dyn Source>;
    let mut sources: Vec<Arc<dyn Source>> = gateways.iter().map(of_gateway).collect();
    for (name, bank) in wire::banks(&ctx.config) {
        match bank {
            Ok(bank) => sources.push(Arc::new(Bank::new(bank))),
            Err(error) => ctx.warn("warn.bank", &[("bank", name), ("reason", ctx.texts.failure(&error))]),
        }
    }
    match wire::moota(&ctx.config) {
        Ok(None) => {}
        Ok(Some(moota)) => sources.push(Arc::new(MootaHook::try_new(moota)?)),
        Err(error) => ctx.warn("warn.teller", &[("who", "moota".to_owned()), ("reason", ctx.texts.failure(&error))]),
    }
    let mut phones = Vec::new();
    for (name, phone) in wire::phones(&ctx.config) {
        match phone {
            Ok(phone) => phones.push(phone),
            Err(error) => ctx.warn("warn.teller", &[("who", name), ("reason", ctx.texts.failure(&error))]),
        }
    }
    if !phones.is_empty() {
        sources.push(Arc::new(PhoneHook::new(phones)));
    }
    if let Some((app_secret, verify_token)) = wire::webhook_secrets(&ctx.config)? {
        sources.push(Arc::new(whatsapp::WhatsApp::new(Webhook::new(app_secret, verify_token))));
    }
    Ok(sources)
}

/// Looks from time to time whether the tables are still those of this program, and at the database's clock.
async fn look(app: Arc<App>, url: String, store: Arc<SqlStore>, watch: Arc<StoreWatch>) {
    loop {
        if let Err(error) = watch.set(&store).await {
            tracing::warn!(%error, "the clock of the database cannot be read; the last reading counts");
        }
        // A database that does not answer is told by its own check.
        if let Ok(status) = isp_store::migration_status(&url).await {
            app.set_current(status.pending.is_empty() && status.unknown.is_empty() && status.changed.is_empty());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Log lines on standard output, from the level that `ISP_LOG` names: error, warn, info or debug.
fn log(format: LogFormat) -> anyhow::Result<()> {
    let level = match std::env::var("ISP_LOG").unwrap_or_default().as_str() {
        "" => tracing::Level::INFO,
        text => text.parse().map_err(|_| Failure::Config {
            place: "ISP_LOG".to_owned(),
            reason: "is not error, warn, info, debug or trace".to_owned(),
        })?,
    };
    // A log that cannot be written, such as on a full disk, stops nobody from serving.
    let lines =
        tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(false).log_internal_errors(false);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
