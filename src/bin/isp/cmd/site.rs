//! `isp site`: places with one time zone.

use clap::{Args, Subcommand};
use isp_core::calendar::Zone;
use isp_core::ids::{MasterId, SiteId};
use isp_core::place::{Coordinates, Site};
use isp_core::ports::ChangeSet;
use isp_core::text::{Code, Name};

use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number, yes_no};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a site.
    #[command(after_help = "Example:\n  isp site add BDG --name Bandung --zone WIB")]
    Add(Add),
    /// List sites that are not archived.
    List(List),
    /// Show one site with its routers and lines.
    Show(Which),
    /// Correct code, name, place or zone of a site; the zone only while it has no lines.
    #[command(after_help = "Example:\n  isp site edit BDG --name 'Bandung Utara'")]
    Edit(Edit),
    /// Remove a site that no router, line, outage, expense or invoice names.
    #[command(after_help = "Example:\n  isp site remove BDG")]
    Remove(Which),
    /// Archive a site that has no lines and no routers any more: it stays for its history, and takes no new ones.
    #[command(after_help = "Example:\n  isp site archive BDG")]
    Archive(Which),
    /// Bring an archived site back.
    #[command(after_help = "Example:\n  isp site bring-back BDG")]
    BringBack(Which),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those that are archived, too.
    #[arg(long)]
    all: bool,
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
    /// Where it stands on the map: latitude and longitude, such as -6.914744,107.609810.
    #[arg(long, value_name = "LAT,LON", value_parser = Coordinates::parse, allow_hyphen_values = true)]
    coordinates: Option<Coordinates>,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Site code.
    #[arg(value_parser = args::code)]
    code: Code,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Site code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Another code.
    #[arg(long = "code", value_name = "CODE", value_parser = args::code)]
    new_code: Option<Code>,
    /// Name.
    #[arg(long, value_parser = args::name)]
    name: Option<Name>,
    /// WIB, WITA or WIT.
    #[arg(long)]
    zone: Option<Zone>,
    /// Where it stands on the map: latitude and longitude, such as -6.914744,107.609810.
    #[arg(long, value_name = "LAT,LON", value_parser = Coordinates::parse, allow_hyphen_values = true)]
    coordinates: Option<Coordinates>,
    /// Where it stands on the map is not kept.
    #[arg(long, conflicts_with = "coordinates")]
    no_coordinates: bool,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let all = store.sites(ctx.tenant()).await?;
    match command {
        Command::Add(Add { code, name, zone, coordinates }) => {
            find::absent(all.iter().find(|s| s.code == code), "site", &code)?;
            let shown = code.to_string();
            let site = Site { id: SiteId(ctx.id()), code, name, zone, coordinates, archived: false };
            store.commit(ctx.tenant(), ChangeSet { sites: vec![site], ..ChangeSet::default() }).await?;
            ctx.say("done.site_added", &[("code", shown)])?;
        }
        Command::Show(Which { code }) => {
            let site = find::site(ctx, store, &code).await?;
            let routers = store.routers(ctx.tenant()).await?;
            let here: Vec<String> =
                routers.iter().filter(|r| r.site_id == site.id).map(|r| r.code.to_string()).collect();
            let lines = ctx.engine(store).all_subscriptions().await?;
            let served = lines.iter().filter(|(line, _)| line.site_id == site.id && line.terms.end.is_none()).count();
            let mut rows = Rows::new(&[
                column("code"),
                column("name"),
                column("zone"),
                column("coordinates"),
                column("router"),
                number("subscribers"),
                column("archived"),
            ]);
            rows.push(vec![
                Cell::text(site.code),
                Cell::text(site.name),
                Cell::text(site.zone.name()),
                Cell::maybe(site.coordinates),
                Cell::text(here.join(", ")),
                Cell::count(served),
                yes_no(site.archived),
            ]);
            ctx.rows(&rows)?;
        }
        Command::Edit(Edit { code, new_code, name, zone, coordinates, no_coordinates }) => {
            let before = find::site(ctx, store, &code).await?;
            if let Some(new) = &new_code {
                find::absent(all.iter().find(|s| s.code == *new && s.id != before.id), "site", new)?;
            }
            let site = Site {
                id: before.id,
                code: new_code.unwrap_or_else(|| before.code.clone()),
                name: name.unwrap_or_else(|| before.name.clone()),
                zone: zone.unwrap_or(before.zone),
                coordinates: coordinates.or(before.coordinates).filter(|_| !no_coordinates),
                archived: before.archived,
            };
            if site == before {
                return Err(Failure::Usage { problem: "nothing_to_edit", what: code.to_string() }.into());
            }
            let lines = ctx.engine(store).all_subscriptions().await?;
            if site.zone != before.zone && lines.iter().any(|(line, _)| line.site_id == site.id) {
                // Days that were billed were counted in the old zone.
                return Err(Failure::Usage { problem: "zone_of_lines", what: code.to_string() }.into());
            }
            let shown = site.code.to_string();
            store.commit(ctx.tenant(), ChangeSet { sites: vec![site], ..ChangeSet::default() }).await?;
            ctx.say("done.site_edited", &[("code", shown)])?;
        }
        Command::Remove(Which { code }) => {
            let site = find::site(ctx, store, &code).await?;
            if !ctx.may("ask.remove", &[("noun", ctx.texts.t("noun.site")), ("code", code.to_string())])? {
                return Ok(Exit::Refused);
            }
            ctx.engine(store).remove(MasterId::Site(site.id)).await?;
            ctx.say("done.site_removed", &[("code", code.to_string())])?;
        }
        Command::Archive(Which { code }) => {
            let site = find::site(ctx, store, &code).await?;
            ctx.engine(store).archive_site(site.id, true, ctx.now).await?;
            ctx.say("done.site_archived", &[("code", code.to_string())])?;
        }
        Command::BringBack(Which { code }) => {
            let site = find::site(ctx, store, &code).await?;
            ctx.engine(store).archive_site(site.id, false, ctx.now).await?;
            ctx.say("done.site_brought_back", &[("code", code.to_string())])?;
        }
        Command::List(list) => {
            let columns = [column("code"), column("name"), column("zone"), column("coordinates"), column("archived")];
            let mut rows = Rows::new(&columns[..if list.all { 5 } else { 4 }]);
            for site in all.into_iter().filter(|site| list.all || !site.archived) {
                let (zone, coordinates) = (Cell::text(site.zone.name()), Cell::maybe(site.coordinates));
                let mut row = vec![Cell::text(site.code), Cell::text(site.name), zone, coordinates];
                row.extend(list.all.then(|| yes_no(site.archived)));
                rows.push(row);
            }
            ctx.rows(&rows)?;
        }
    }
    Ok(Exit::Done)
}
