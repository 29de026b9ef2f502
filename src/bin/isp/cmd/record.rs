//! What the commands about records have in common: which one is meant, who ends it, and why.

use chrono::{DateTime, Utc};
use clap::Args;
use isp_core::calendar::{Date, TimeOfDay, Zone};
use isp_core::ending::{Ending, EndingKind};
use uuid::Uuid;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Cell;

/// Which record, when several could be meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Id {
    /// Which one, by its id or the end of it, when several could be meant; `list` shows ids.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// One of many records of money.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// Its id or the end of it, as the list shows it.
    pub(crate) id: String,
}

impl Which {
    /// The record that is meant.
    pub(crate) fn of<T>(&self, noun: &'static str, all: Vec<T>, id: impl Fn(&T) -> Uuid) -> anyhow::Result<T> {
        chosen(&Id { id: Some(self.id.clone()) }, noun, &self.id, all, id, |_| true)
    }
}

/// Refuses to book the same thing anew.
pub(crate) fn must_differ(is_same: bool, which: &Which) -> Result<(), Failure> {
    let nothing = || Failure::Usage { problem: "nothing_to_edit", what: which.id.clone() };
    if is_same { Err(nothing()) } else { Ok(()) }
}

/// Why it is corrected or taken back.
#[derive(Debug, Clone, Args)]
pub(crate) struct Why {
    /// Why; kept with it.
    #[arg(long)]
    reason: String,
}

impl Why {
    /// That something was a mistake, said now by the officer of the command.
    pub(crate) fn taken_back(&self, ctx: &Context) -> anyhow::Result<Ending> {
        Ok(Ending::try_new(EndingKind::TakenBack, ctx.now, ctx.officer.as_str(), &self.reason)?)
    }
}

/// Which record ends, and why.
#[derive(Debug, Clone, Args)]
pub(crate) struct EndArgs {
    #[command(flatten)]
    pub(crate) which: Id,
    /// Why; kept with it.
    #[arg(long)]
    pub(crate) reason: String,
}

impl EndArgs {
    /// The ending, now, by the officer of the command.
    pub(crate) fn ending(&self, ctx: &Context, kind: EndingKind) -> anyhow::Result<Ending> {
        Ok(Ending::try_new(kind, ctx.now, ctx.officer.as_str(), &self.reason)?)
    }
}

/// The record that is meant: the one with the id, else the only one of those that come into question.
pub(crate) fn chosen<T>(
    which: &Id,
    noun: &'static str,
    code: &str,
    all: Vec<T>,
    id: impl Fn(&T) -> Uuid,
    candidate: impl Fn(&T) -> bool,
) -> anyhow::Result<T> {
    let mut found: Vec<T> = match &which.id {
        Some(end) => {
            let end = end.trim().to_ascii_lowercase();
            // Four signs at least, so that a slip does not choose at random.
            all.into_iter().filter(|row| end.len() >= 4 && id(row).to_string().ends_with(&end)).collect()
        }
        None => all.into_iter().filter(candidate).collect(),
    };
    match found.len() {
        1 => found.pop().ok_or_else(|| Failure::NotFound { noun, code: code.to_owned() }.into()),
        0 => Err(Failure::NotFound { noun, code: which.id.clone().unwrap_or_else(|| code.to_owned()) }.into()),
        count => Err(Failure::Several { noun, code: code.to_owned(), count }.into()),
    }
}

/// An id as it is shown.
pub(crate) fn shown(id: Uuid) -> Cell {
    Cell::text(id)
}

/// How a record ended, as words for a table: kind, and who said so, when and why.
pub(crate) fn ended(ending: Option<&Ending>, zone: Zone) -> [Cell; 2] {
    let Some(ending) = ending else { return [Cell::Empty, Cell::Empty] };
    let what = format!("{}, {}: {}", moment(ending.at, zone), ending.by, ending.reason);
    [Cell::Word(ending.kind.code()), Cell::text(what)]
}

/// A moment on a clock of a zone.
pub(crate) fn moment(at: DateTime<Utc>, zone: Zone) -> String {
    format!("{} {} {}", zone.date_of(at), zone.time_of(at), zone.name())
}

/// A day and a time of it at a place.
pub(crate) fn at(day: Date, time: TimeOfDay, zone: Zone) -> DateTime<Utc> {
    day.at(time.minutes() / 60, time.minutes() % 60, zone)
}
