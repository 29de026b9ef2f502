//! `isp outage`: sites without connection. Nobody there is isolated meanwhile, and money is given back afterwards.

use std::cmp::Reverse;

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::billing::CreditNote;
use isp_core::calendar::{Date, TimeOfDay, Zone};
use isp_core::ending::EndingKind;
use isp_core::ids::OutageId;
use isp_core::place::Site;
use isp_core::ports::Store;
use isp_core::protection::Outage;
use isp_core::text::Code;

use super::record::{self, EndArgs, Id, chosen};
use super::{args, credit_note, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Column, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Record an outage of a site: nobody there is isolated while it lasts.
    #[command(
        after_help = "Examples:\n  isp outage add BDG --note 'kabel FO putus'          from now on, until `outage end`\n  isp outage add BDG --from 2026-02-16 --until 2026-02-17 --note 'kabel FO putus'\n  isp outage add BDG --from 2026-02-16 --from-time 08:00 --until 2026-02-16 --until-time 14:00 --note 'listrik padam'"
    )]
    Add(Add),
    /// List outages, the latest first.
    List {
        /// Only this site's.
        #[arg(long, value_parser = args::code)]
        site: Option<Code>,
    },
    /// Show the outages of a site with what each gave back.
    Show(Which),
    /// Say that the outage of a site is over: now, or at a time of a day.
    #[command(
        after_help = "Examples:\n  isp outage end BDG\n  isp outage end BDG --until 2026-02-16 --until-time 14:00"
    )]
    End(End),
    /// Correct the beginning, the end or the note of an outage; what it gives back is worked out anew by `outage credit`.
    #[command(after_help = "Example:\n  isp outage edit BDG --from 2026-02-15 --from-time 21:30")]
    Edit(Edit),
    /// Take an outage back that was recorded by mistake: it protects nobody and gives nothing back from now on.
    #[command(after_help = "Example:\n  isp outage remove BDG --reason 'salah lokasi'")]
    Remove(Remove),
    /// Give back what outages of a site that are over are worth (restitusi), once for each outage and invoice.
    #[command(
        after_help = "Example:\n  isp outage credit BDG --dry-run\n\n[policy.outage] says from how many hours on, and whether days or hours count."
    )]
    Credit(Credit),
}

#[derive(Debug, Args)]
pub(crate) struct Credit {
    /// Site code.
    #[arg(value_parser = args::code)]
    site: Code,
    /// Only outages that began on or after this day; those of the last 90 days when not given.
    #[arg(long)]
    since: Option<Date>,
    /// Show what would be given back, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct Until {
    /// Last day; whole, unless a time is given.
    #[arg(long, value_parser = args::day_alone)]
    until: Option<Date>,
    /// Time of the last day at which it was over.
    #[arg(long, value_parser = args::time, requires = "until")]
    until_time: Option<TimeOfDay>,
}

#[derive(Debug, Args)]
struct From {
    /// First day, in the site's zone.
    #[arg(long, value_parser = args::day_alone)]
    from: Option<Date>,
    /// Time of the first day.
    #[arg(long, value_parser = args::time, requires = "from")]
    from_time: Option<TimeOfDay>,
}

impl Until {
    fn moment(&self, zone: Zone) -> Option<chrono::DateTime<chrono::Utc>> {
        let day = self.until?;
        Some(self.until_time.map_or_else(|| day.plus_days(1).midnight(zone), |time| record::at(day, time, zone)))
    }
}

impl From {
    fn moment(&self, zone: Zone) -> Option<chrono::DateTime<chrono::Utc>> {
        let day = self.from?;
        Some(self.from_time.map_or_else(|| day.midnight(zone), |time| record::at(day, time, zone)))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Site code.
    #[arg(value_parser = args::code)]
    site: Code,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    until: Until,
    /// What happened.
    #[arg(long)]
    note: String,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Site code.
    #[arg(value_parser = args::code)]
    site: Code,
    #[command(flatten)]
    which: Id,
}

#[derive(Debug, Args)]
pub(crate) struct End {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    until: Until,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    until: Until,
    /// It is not over yet.
    #[arg(long, conflicts_with = "until")]
    lasting: bool,
    /// What happened.
    #[arg(long)]
    note: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Site code.
    #[arg(value_parser = args::code)]
    site: Code,
    #[command(flatten)]
    end: EndArgs,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::Add(Add { site, from, until, note }) => {
            let place = find::site(ctx, store, &site).await?;
            let from = from.moment(place.zone).unwrap_or(ctx.now);
            let until = until.moment(place.zone);
            let (id, site_id) = (OutageId(ctx.id()), place.id);
            ctx.engine(store).outage(Outage { id, site_id, from, until, note, ending: None }).await?;
            ctx.say("done.outage", &[("code", site.to_string())])?;
        }
        Command::List { site } => {
            let only = match &site {
                Some(code) => Some(find::site(ctx, store, code).await?),
                None => None,
            };
            list(ctx, store, only.as_ref()).await?;
        }
        Command::Show(Which { site, which }) => {
            let place = find::site(ctx, store, &site).await?;
            let mut all = of(ctx, store, &place).await?;
            if which.id.is_some() {
                all = vec![chosen(&which, "outage", site.as_str(), all, |o| o.id.0, |_| true)?];
            }
            show(ctx, store, &place, &all).await?;
        }
        Command::End(End { which: Which { site, which }, until }) => {
            let place = find::site(ctx, store, &site).await?;
            let running = |o: &Outage| o.holds(ctx.now) || o.ending.is_none() && o.until.is_none();
            let all = of(ctx, store, &place).await?;
            let outage = chosen(&which, "outage", site.as_str(), all, |o| o.id.0, running)?;
            let until = until.moment(place.zone).unwrap_or(ctx.now);
            ctx.engine(store).outage(outage.edited(None, Some(Some(until)), None)?).await?;
            let until = record::moment(until, place.zone);
            ctx.say("done.outage_ended", &[("code", site.to_string()), ("until", until)])?;
        }
        Command::Edit(Edit { which: Which { site, which }, from, until, lasting, note }) => {
            let place = find::site(ctx, store, &site).await?;
            let all = of(ctx, store, &place).await?;
            let outage = chosen(&which, "outage", site.as_str(), all, |o| o.id.0, |o| o.ending.is_none())?;
            let until = if lasting { Some(None) } else { until.moment(place.zone).map(Some) };
            let edited = outage.edited(from.moment(place.zone), until, note.as_deref())?;
            let given = ctx.engine(store).given_for_outage(&edited, place.zone).await?;
            ctx.engine(store).outage(edited).await?;
            ctx.say("done.outage_edited", &[("code", site.to_string())])?;
            name_notes(ctx, &given);
        }
        Command::Remove(Remove { site, end }) => {
            let place = find::site(ctx, store, &site).await?;
            let all = of(ctx, store, &place).await?;
            let outage = chosen(&end.which, "outage", site.as_str(), all, |o| o.id.0, |o| o.ending.is_none())?;
            let ending = end.ending(ctx, EndingKind::TakenBack)?;
            let given = ctx.engine(store).take_outage_back(outage.id, ending).await?;
            ctx.say("done.outage_removed", &[("code", site.to_string())])?;
            name_notes(ctx, &given);
        }
        Command::Credit(Credit { site, since, dry_run }) => {
            return credit_note::outage(ctx, site, since, dry_run).await;
        }
    }
    Ok(Exit::Done)
}

/// Names the credit notes that stay although the outage is another now.
fn name_notes(ctx: &Context, given: &[CreditNote]) {
    if given.is_empty() {
        return;
    }
    let total: Money = given.iter().map(|n| n.total).sum();
    let numbers: Vec<String> = given.iter().map(CreditNote::display_number).collect();
    ctx.warn("warn.outage_given", &[("notes", numbers.join(", ")), ("amount", total.to_string())]);
}

async fn of(ctx: &Context, store: &dyn Store, site: &Site) -> anyhow::Result<Vec<Outage>> {
    let mut all = store.outages(ctx.tenant()).await?;
    all.retain(|o| o.site_id == site.id);
    all.sort_by_key(|o| (Reverse(o.from), o.id));
    Ok(all)
}

const OUTAGES: &[Column] =
    &[column("site"), column("from"), column("until"), column("note"), column("state"), column("ended"), column("id")];

fn cells(outage: &Outage, place: &Site) -> Vec<Cell> {
    let until = outage.until.map_or(Cell::Empty, |at| Cell::text(record::moment(at, place.zone)));
    let [state, ended] = record::ended(outage.ending.as_ref(), place.zone);
    vec![
        Cell::text(&place.code),
        Cell::text(record::moment(outage.from, place.zone)),
        until,
        Cell::text(&outage.note),
        state,
        ended,
        record::shown(outage.id.0),
    ]
}

async fn list(ctx: &Context, store: &dyn Store, only: Option<&Site>) -> anyhow::Result<()> {
    let sites = store.sites(ctx.tenant()).await?;
    let mut all = store.outages(ctx.tenant()).await?;
    all.sort_by_key(|o| (Reverse(o.from), o.id));
    let mut rows = Rows::new(OUTAGES);
    for outage in all.iter().filter(|o| only.is_none_or(|site| site.id == o.site_id)) {
        if let Some(place) = sites.iter().find(|s| s.id == outage.site_id) {
            rows.push(cells(outage, place));
        }
    }
    ctx.rows(&rows)
}

async fn show(ctx: &Context, store: &dyn Store, place: &Site, all: &[Outage]) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[OUTAGES, &[number("credit_notes"), number("given_back")]].concat());
    for outage in all {
        let given = ctx.engine(store).given_for_outage(outage, place.zone).await?;
        let total: Money = given.iter().map(|n| n.total).sum();
        let mut row = cells(outage, place);
        row.extend([Cell::count(given.len()), total.into()]);
        rows.push(row);
    }
    ctx.rows(&rows)
}
