//! `isp site`: places with one time zone.

use clap::{Args, Subcommand};
use isp_core::calendar::Zone;
use isp_core::ids::SiteId;
use isp_core::place::Site;
use isp_core::ports::ChangeSet;
use isp_core::text::{Code, Name};

use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a site.
    #[command(after_help = "Example:\n  isp site add BDG --name Bandung --zone WIB")]
    Add(Add),
    /// List sites.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Short code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Name.
    #[arg(long, value_parser = args::name)]
    name: Name,
    /// WIB, WITA or WIT: billing days and quiet hours are counted in it.
    #[arg(long, default_value = "WIB")]
    zone: Zone,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let all = store.sites(ctx.tenant()).await?;
    match command {
        Command::Add(Add { code, name, zone }) => {
            find::absent(all.iter().find(|s| s.code == code), "site", &code)?;
            let shown = code.to_string();
            let site = Site { id: SiteId(ctx.id()), code, name, zone };
            store.commit(ctx.tenant(), ChangeSet { sites: vec![site], ..ChangeSet::default() }).await?;
            ctx.say("done.site_added", &[("code", shown)])?;
        }
        Command::List => {
            let mut rows = Rows::new(&[column("code"), column("name"), column("zone")]);
            for site in all {
                rows.push(vec![Cell::text(site.code), Cell::text(site.name), Cell::text(site.zone.name())]);
            }
            ctx.rows(&rows)?;
        }
    }
    Ok(Exit::Done)
}
