//! `isp simulate-router`: a RouterOS on a loopback port, to try isolation without hardware.

use clap::Args;
use isp_core::text::Code;
use isp_mikrotik::simulator::{SimulatedRouter, Simulation, Version};

use super::args;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// TCP port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8728)]
    port: u16,
    /// API user.
    #[arg(long, default_value = "isp", value_parser = args::code)]
    user: Code,
    /// Its password. It guards nothing: only this machine can reach the simulator.
    #[arg(long, default_value = "simulated")]
    password: String,
    /// Its RouterOS version.
    #[arg(long, default_value = "7.21.5", value_parser = ["7.9", "7.21.5"])]
    version: String,
    /// So many accounts that somebody made before us, each with a box that dials.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    accounts: u32,
}

pub(crate) async fn run(ctx: &Context, args: Simulate) -> anyhow::Result<Exit> {
    let version = Version::ALL.into_iter().find(|version| version.text() == args.version).unwrap_or(Version::V7_21_5);
    let simulation =
        Simulation { version, user: args.user.to_string(), password: args.password, ..Simulation::default() };
    let taken = |error: std::io::Error| Failure::Router {
        code: format!("127.0.0.1:{}", args.port),
        reason: error.kind().to_string(),
    };
    // The simulator shares its port with one that was stopped a moment ago, and would with one that runs.
    if args.port != 0 {
        drop(std::net::TcpListener::bind(("127.0.0.1", args.port)).map_err(taken)?);
    }
    let router = SimulatedRouter::start_on(simulation, args.port).await.map_err(taken)?;
    for number in 1..=args.accounts {
        let (name, comment) = (format!("pelanggan-{number}"), format!("Pelanggan {number}"));
        let values = [("name", name.as_bytes()), ("password", b"rahasia"), ("comment", comment.as_bytes())];
        router.force("/ppp/secret", &values);
    }
    let variables = [("address", router.address().to_string()), ("user", args.user.to_string())];
    // Ctrl-C is listened to before the address is out: who reads it may stop the router at once.
    let mut stopped = std::pin::pin!(tokio::signal::ctrl_c());
    tokio::select! {
        biased;
        stopped = &mut stopped => stopped?,
        printed = async { output::print(&format!("{}\n", ctx.texts.with("done.simulating", &variables))) } => {
            printed?;
            stopped.await?;
        }
    }
    Ok(Exit::Done)
}
