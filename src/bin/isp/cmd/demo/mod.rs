//! `isp demo`: an invented provider's first four months of 2026, day by day, with a proof at the end.
//!
//! | to find | look in |
//! |---|---|
//! | the spreadsheets | `examples/demo-isp/` |
//! | files, database, routers, Cloud API and payment gateway on loopback ports | `stage` |
//! | who pays when | `behaviour` |
//! | what else happens, and when | `stories` |
//! | one day | `world` |
//! | what officers do | `officer` |
//! | a payment while they sleep | `night` |
//! | the lines that are printed | `timeline`, `reports` |
//! | what has to hold at the end | `evidence`, `proof` |
//!
//! Time is simulated and everything is decided by hashes, so each run prints the same but for ports and seconds.

mod behaviour;
mod evidence;
mod night;
mod officer;
mod proof;
mod reports;
mod stage;
mod stories;
mod timeline;
mod world;

#[cfg(test)]
mod tests;

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use isp_core::calendar::{Date, Zone};
use isp_core::text::Language;

use crate::context::Context;
use crate::failure::Exit;
use crate::output::Stdout;
use proof::Claim;
use stage::Stage;
use timeline::Timeline;
use world::World;

/// How to run the demo.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leave the database, its key, its settings and the spreadsheets in this folder, to look at with the other commands.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Stop after this day instead of the fourth month.
    #[arg(long, value_name = "DATE", hide = true)]
    pub(crate) until: Option<Date>,
}

/// Runs the demo; the exit code tells whether the proof holds.
pub(crate) async fn run(ctx: &Context, args: Demo) -> anyhow::Result<Exit> {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let disagreements = live(&args, ctx.config.language, colour, ctx.room(), &mut Stdout).await?;
    Ok(if disagreements == 0 { Exit::Done } else { Exit::Internal })
}

/// Lives the months and prints them. Gives back how many things disagree in the proof.
///
/// # Errors
/// What keeps the demo from being lived: a folder that cannot be written, a port that cannot be had, a bug.
async fn live(
    demo: &Demo,
    language: Language,
    colour: bool,
    screen: Option<usize>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<usize> {
    let temporary = tempfile::tempdir()?;
    let dir = demo.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&dir)?;
    let dir = dir.canonicalize()?;
    let began = Instant::now();
    let first = Date::parse(stories::FIRST_DAY)?;
    let last = demo.until.unwrap_or(Date::parse(stories::LAST_DAY)?);
    let mut timeline = Timeline::new(out, language, colour, screen);
    let stage = Stage::set(&dir, language, first.at(5, 0, Zone::Wib)).await?;
    introduce(&stage, &mut timeline)?;
    let mut world = World::new(stage, &mut timeline);
    let mut crashes = 0;
    let mut day = first;
    while day <= last {
        crashes += usize::from(stories::events(day).contains(&stories::Event::Crash));
        world.live(day).await?;
        day = day.plus_days(1);
    }
    world.timeline.total()?;
    explanations(&mut world, last).await?;
    let now = last.at(21, 0, Zone::Wib);
    let claims = {
        let stage = world.stage()?;
        proof::judge(&evidence::gather(stage, now, crashes).await?)
    };
    let stage = world.into_stage()?;
    reports::print(&stage, &mut timeline, (first.month(), last.month()), now).await?;
    let disagreements = conclude(&claims, &mut timeline, began)?;
    if demo.keep.is_some() {
        advertise(&dir, &mut timeline)?;
    }
    Ok(disagreements)
}

fn introduce(stage: &Stage, timeline: &mut Timeline<'_>) -> std::io::Result<()> {
    timeline.heading(timeline.pick(
        "Empat bulan sebuah ISP kecil yang tidak pernah ada",
        "Four months of a small provider that never was",
    ))?;
    let rows: Vec<String> = stage
        .imported
        .iter()
        .map(|(file, rows)| format!("{rows} {}", timeline.pick(in_indonesian(file), file)))
        .collect();
    let label = timeline.pick("impor dari CSV", "imported from CSV");
    timeline.line(&format!("{label}: {}", rows.join(", ")))?;
    let routers: Vec<String> = stage.routers.values().map(|(router, _)| router.code.to_string()).collect();
    let (simulated, api) = (timeline.pick("router simulasi", "simulated routers"), stage.whatsapp.base_url());
    timeline.line(&format!("{simulated}: {} · WhatsApp Cloud API: {api}", routers.join(", ")))
}

/// What the rows of a file are.
fn in_indonesian(file: &str) -> &str {
    match file {
        "sites" => "lokasi",
        "routers" => "router",
        "packages" => "paket",
        "customers" => "pelanggan",
        "subscriptions" => "langganan",
        "cpes" => "perangkat",
        "installations" => "pemasangan",
        "expenses" => "biaya",
        other => other,
    }
}

/// `explain` for one customer isolated, one reopened and one exempt.
async fn explanations(world: &mut World<'_, '_>, last: Date) -> anyhow::Result<()> {
    let heading = world.timeline.pick("Mengapa? (isp explain)", "Why? (isp explain)");
    world.timeline.heading(heading)?;
    for (customer, on) in [
        ("PLG-0001", "2026-01-20"),
        ("PLG-0001", "2026-01-21"),
        ("PLG-0007", "2026-02-26"),
        ("PLG-0009", "2026-02-26"),
        ("PLG-0012", "2026-03-17"),
    ] {
        let on = Date::parse(on)?;
        if on <= last {
            for sentence in world.explain(customer, on).await? {
                world.timeline.line(&format!("{customer} --on {on}: {sentence}"))?;
            }
        }
    }
    Ok(())
}

fn conclude(claims: &[Claim], timeline: &mut Timeline<'_>, began: Instant) -> std::io::Result<usize> {
    timeline.heading(timeline.pick("Bukti", "Proof"))?;
    for claim in claims {
        let (id, en) = (claim.text.0.as_str(), claim.text.1.as_str());
        let text = timeline.pick(id, en).to_owned();
        timeline.verdict(claim.against.is_empty(), &text)?;
        for disagreement in &claim.against {
            timeline.line(&format!("      {disagreement}"))?;
        }
    }
    let disagreements = claims.iter().map(|c| c.against.len()).sum();
    let seconds = began.elapsed().as_secs_f32();
    let text = match (disagreements, timeline.language) {
        (0, Language::Id) => format!("Semua cocok, dalam {seconds:.1} detik."),
        (0, Language::En) => format!("Everything agrees, in {seconds:.1} seconds."),
        (n, Language::Id) => format!("TIDAK COCOK: {n} hal."),
        (n, Language::En) => format!("{n} things DISAGREE."),
    };
    timeline.line(&text)?;
    Ok(disagreements)
}

fn advertise(dir: &Path, timeline: &mut Timeline<'_>) -> std::io::Result<()> {
    timeline.heading(timeline.pick("Semuanya tersimpan; silakan coba:", "Everything is kept; try:"))?;
    let config = dir.join("isp.toml");
    for command in
        ["explain PLG-0001 --on 2026-01-20", "report profit-loss --from 2026-01 --to 2026-04", "customer show PLG-0004"]
    {
        timeline.line(&format!("  isp --config {} {command}", config.display()))?;
    }
    Ok(())
}
