//! `isp simulate-gateway`: a payment gateway on a loopback port, to try requests and webhooks without an account.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use isp_core::Money;
use isp_core::payment::NoticeState;
use isp_payment::GatewayKind;
use isp_payment::simulator::Simulator;
use secrecy::ExposeSecret as _;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;

/// How often it looks what it was asked to collect, and tries again to tell of a payment.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Which gateway.
    #[arg(value_parser = PossibleValuesParser::new(GatewayKind::ALL.map(GatewayKind::name)).try_map(named))]
    kind: GatewayKind,
    /// TCP port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8729)]
    port: u16,
    /// Every request is paid so many seconds after it was made, also on the day of `--on`. Without it none is paid.
    #[arg(long, value_name = "SECONDS")]
    pay_after: Option<u32>,
    /// Tell of each payment here, until it is answered with 200; such as http://127.0.0.1:8480/hooks/midtrans.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
}

fn named(name: String) -> Result<GatewayKind, &'static str> {
    GatewayKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or("no such gateway")
}

pub(crate) async fn run(ctx: &Context, args: Simulate) -> anyhow::Result<Exit> {
    let taken = |error: std::io::Error| Failure::Gateway {
        name: format!("127.0.0.1:{}", args.port),
        reason: error.kind().to_string(),
    };
    let simulator = Simulator::start_on(args.kind, args.port).await.map_err(taken)?;
    // An address that is none is refused before anybody pays: it knows no such reference, and sends nothing.
    if let Some(url) = &args.webhook {
        let bad = |_| Failure::Usage { problem: "webhook_address", what: url.clone() };
        simulator.tell("", url).await.map_err(bad)?;
    }
    // Ctrl-C is listened to before the address is out: who reads it may stop the gateway at once.
    let mut stopped = std::pin::pin!(tokio::signal::ctrl_c());
    tokio::select! {
        biased;
        stopped = &mut stopped => stopped?,
        ended = async {
            introduce(ctx, &simulator, args.kind)?;
            pay(ctx, &simulator, &args).await
        } => ended?,
    }
    Ok(Exit::Done)
}

/// Its address, and the settings for `isp.toml`.
fn introduce(ctx: &Context, simulator: &Simulator, kind: GatewayKind) -> anyhow::Result<()> {
    let settings = simulator.settings()?;
    let variables = [("gateway", kind.name().to_owned()), ("address", simulator.base_url())];
    let said = ctx.texts.with("done.simulating_gateway", &variables);
    let toml = format!(
        "[gateway.{name}]\nsandbox = {sandbox}\nbase_url = \"{url}\"\nmerchant = \"{merchant}\"\nkey = \"{key}\"\nwebhook_key = \"{webhook}\"\nemail = \"{email}\"\ncallback_url = \"{callback}\"",
        name = kind.name(),
        sandbox = settings.sandbox,
        url = simulator.base_url(),
        merchant = settings.merchant,
        key = settings.key.expose_secret(),
        webhook = settings.webhook_key.expose_secret(),
        email = settings.email,
        callback = settings.callback_url.unwrap_or_default(),
    );
    output::print(&format!("{said}\n\n{toml}\n\n"))
}

/// Lets customers pay what is due, and tells of it. Ends with an error only.
async fn pay(ctx: &Context, simulator: &Simulator, args: &Simulate) -> anyhow::Result<()> {
    let mut seen: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    let mut untold: Vec<String> = Vec::new();
    let started = Instant::now();
    loop {
        let now = ctx.now + started.elapsed();
        for asked in simulator.transactions() {
            let since = *seen.entry(asked.reference.clone()).or_insert(now);
            let due = args.pay_after.is_some_and(|seconds| now - since >= chrono::TimeDelta::seconds(seconds.into()));
            if asked.state == NoticeState::Pending && due {
                // On a number that stays the payer types an amount.
                let amount = if asked.asked.is_zero() { Money::rupiah(100_000) } else { asked.asked };
                simulator.pay(&asked.reference, amount, Money::ZERO, now);
                let variables = [("reference", asked.reference.clone()), ("amount", amount.to_string())];
                output::print(&format!("{}\n", ctx.texts.with("done.simulated_payment", &variables)))?;
                untold.push(asked.reference);
            }
        }
        if let Some(url) = &args.webhook {
            for reference in std::mem::take(&mut untold) {
                let status = simulator.tell(&reference, url).await?;
                let variables = [
                    ("reference", reference.clone()),
                    ("status", status.map_or_else(|| "-".to_owned(), |status| status.to_string())),
                ];
                output::print(&format!("{}\n", ctx.texts.with("done.simulated_webhook", &variables)))?;
                if !status.is_some_and(|status| (200..300).contains(&status)) {
                    untold.push(reference);
                }
            }
        }
        let wait = if args.webhook.is_some() && !untold.is_empty() { LOOK * 10 } else { LOOK };
        tokio::time::sleep(wait).await;
    }
}
