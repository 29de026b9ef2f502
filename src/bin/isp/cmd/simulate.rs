//! `isp simulate-router`: a RouterOS on a loopback port, to try isolation without hardware.

use clap::Args;
use isp_core::customer::Code;
use isp_mikrotik::simulator::{SimulatedRouter, Simulation};

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
}

pub(crate) async fn run(ctx: &Context, args: Simulate) -> anyhow::Result<Exit> {
    let simulation = Simulation { user: args.user.to_string(), password: args.password, ..Simulation::default() };
    let taken = |error: std::io::Error| Failure::Router {
        code: format!("127.0.0.1:{}", args.port),
        reason: error.kind().to_string(),
    };
    let router = SimulatedRouter::start_on(simulation, args.port).await.map_err(taken)?;
    let variables = [("address", router.address().to_string()), ("user", args.user.to_string())];
    output::print(&format!("{}\n", ctx.texts.with("done.simulating", &variables)))?;
    tokio::signal::ctrl_c().await?;
    Ok(Exit::Done)
}
