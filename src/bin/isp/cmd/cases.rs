//! `isp cases`: a provider's own rules, written down as dated cases and lived in memory.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use isp_cases::suite::BadSuite;
use isp_cases::{Case, Colour, Difference, EngineHost, Suite, Tally, compare, live};
use isp_core::testing::MemoryStore;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Live every case of a folder in memory, and say where something is not as written. No database is touched.
    #[command(
        after_help = "Example:\n  isp cases run cases --only billing\n\ndocs/cases.md teaches how a case is written."
    )]
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The folder; every .toml file below it is a case.
    dir: PathBuf,
    /// Only cases whose file or title holds this text.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// The host of this command.
const HOST: &str = "memory";

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let Command::Run(Run { dir, only }) = command;
    let suite = match Suite::read(&dir) {
        Ok(suite) => suite,
        Err(BadSuite::Io { path, source }) => {
            let path = path.display().to_string();
            // The system's words without its number, or ours.
            let reason = source.raw_os_error().map_or_else(|| source.to_string(), |_| source.kind().to_string());
            return Err(Failure::File { path, reason }.into());
        }
        Err(bad) => {
            output::note(&bad.to_string());
            return Ok(Exit::BadInput);
        }
    };
    let wanted =
        |case: &&Case| only.as_deref().is_none_or(|text| case.file.contains(text) || case.title.contains(text));
    let cases: Vec<&Case> = suite.cases.iter().filter(wanted).collect();
    if cases.is_empty() {
        let what = only.unwrap_or_else(|| dir.display().to_string());
        return Err(Failure::Usage { problem: "no_case", what }.into());
    }
    let (mut told, mut tally) = (Told::new(ctx.format), Tally::new(&[HOST]));
    for case in cases {
        let found = match suite.lacks.why(HOST, case) {
            Some(_) => None,
            None => Some(differences(case).await),
        };
        let colour = match &found {
            None => Colour::Lacking,
            Some(none) if none.is_empty() => Colour::Green,
            Some(_) => Colour::Red,
        };
        tally.count(HOST, case, colour);
        told.add(case, found.unwrap_or_default())?;
    }
    match ctx.format {
        Format::Table => output::print(&format!("{tally}\n"))?,
        Format::Csv | Format::Json => ctx.rows(&told.rows)?,
    }
    Ok(if tally.red() == 0 { Exit::Done } else { Exit::Partial })
}

async fn differences(case: &Case) -> Vec<Difference> {
    let store = MemoryStore::new();
    let mut host = EngineHost::new(&store, case);
    let report = live(&mut host, case).await;
    compare(case, &report)
}

/// What is said about the cases: for people at once, for programs as rows at the end.
struct Told {
    format: Format,
    rows: Rows,
}

impl Told {
    fn new(format: Format) -> Self {
        let columns = [
            column("file"),
            column("title"),
            column("state"),
            number("step"),
            column("what"),
            column("expected"),
            column("actual"),
        ];
        Self { format, rows: Rows::new(&columns) }
    }

    fn add(&mut self, case: &Case, found: Vec<Difference>) -> anyhow::Result<()> {
        if self.format == Format::Table && !found.is_empty() {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            output::print(&format!("{}: {}\n{}\n\n", case.file, case.title, found.join("\n")))?;
            return Ok(());
        }
        let state = Cell::Word(if found.is_empty() { "green" } else { "red" });
        let head = |step, rest: [Cell; 3]| {
            let [what, expected, actual] = rest;
            vec![Cell::text(&case.file), Cell::text(&case.title), state.clone(), step, what, expected, actual]
        };
        if found.is_empty() {
            self.rows.push(head(Cell::Empty, [Cell::Empty, Cell::Empty, Cell::Empty]));
        }
        for one in found {
            let rest = [one.what, one.expected, one.actual].map(Cell::text);
            self.rows.push(head(Cell::count(one.step), rest));
        }
        Ok(())
    }
}
