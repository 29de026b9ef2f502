//! The timeline that a person reads: a line a day, the stories under it, the sums of each month.

use std::io::{self, Write};

use isp_core::Money;
use isp_core::calendar::{Date, Month};
use isp_core::text::Language;

use crate::grid::wrapped;

/// What happened on a day, or in a month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) invoices: u64,
    pub(super) invoiced: Money,
    pub(super) credited: u64,
    pub(super) reminders: u64,
    pub(super) payments: u64,
    pub(super) paid: Money,
    pub(super) repeated: u64,
    pub(super) isolated: u64,
    pub(super) reopened: u64,
    pub(super) started: u64,
    pub(super) sent: u64,
    pub(super) dropped: u64,
    pub(super) waiting: u64,
}

impl Tally {
    fn add(&mut self, day: &Self) {
        self.invoices += day.invoices;
        self.invoiced += day.invoiced;
        self.credited += day.credited;
        self.reminders += day.reminders;
        self.payments += day.payments;
        self.paid += day.paid;
        self.repeated += day.repeated;
        self.isolated += day.isolated;
        self.reopened += day.reopened;
        self.started += day.started;
        self.sent += day.sent;
        self.dropped += day.dropped;
    }
}

/// What stands in front of each line of a note: `       │   ✖ `.
const FRONT: usize = 13;

/// Writes it.
pub(super) struct Timeline<'a> {
    out: &'a mut (dyn Write + Send),
    pub(super) language: Language,
    colour: bool,
    /// How many signs of a note stand in a line.
    room: usize,
    notes: Vec<(Tone, String)>,
    month: Tally,
    all: Tally,
}

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// A story.
    Story,
    /// Something is broken.
    Trouble,
    /// It is well again.
    Relief,
    /// What somebody reads on a phone.
    Message,
}

impl Tone {
    const fn mark(self) -> (&'static str, &'static str) {
        match self {
            Self::Story => ("•", "0"),
            Self::Trouble => ("✖", "31"),
            Self::Relief => ("✔", "32"),
            Self::Message => ("✉", "36"),
        }
    }
}

impl<'a> Timeline<'a> {
    /// Writes to a screen of a width, or to no screen.
    pub(super) fn new(
        out: &'a mut (dyn Write + Send),
        language: Language,
        colour: bool,
        screen: Option<usize>,
    ) -> Self {
        let room = screen.map_or(100, |width| width.saturating_sub(FRONT).max(20));
        Self { out, language, colour, room, notes: Vec::new(), month: Tally::default(), all: Tally::default() }
    }

    /// The text in the chosen language.
    pub(super) fn pick<'t>(&self, id: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Id => id,
            Language::En => en,
        }
    }

    /// Keeps a line to be shown under the present day.
    pub(super) fn note(&mut self, tone: Tone, id: String, en: String) {
        let text = match self.language {
            Language::Id => id,
            Language::En => en,
        };
        self.notes.push((tone, text));
    }

    /// A heading.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        let line = self.painted("1", text);
        writeln!(self.out, "\n{line}")
    }

    /// A line of its own.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A line of the proof.
    pub(super) fn verdict(&mut self, holds: bool, text: &str) -> io::Result<()> {
        let tone = if holds { Tone::Relief } else { Tone::Trouble };
        let mark = self.painted(tone.mark().1, tone.mark().0);
        writeln!(self.out, "  {mark} {text}")
    }

    /// Closes a day: its line, and what happened in it.
    pub(super) fn day(&mut self, date: Date, tally: &Tally) -> io::Result<()> {
        if date == date.month_start() {
            let name = month_name(date.month(), self.language);
            self.heading(&name)?;
        }
        let parts = self.parts(tally);
        let parts = if parts.is_empty() { self.pick("tenang", "quiet").to_owned() } else { parts.join(" · ") };
        let label = day_label(date, self.language);
        let shown = if date.is_weekend() { self.painted("2", &label) } else { label };
        writeln!(self.out, "{shown} │ {parts}")?;
        for (tone, text) in std::mem::take(&mut self.notes) {
            let (mark, colour) = tone.mark();
            for (i, line) in wrapped(&text, self.room).iter().enumerate() {
                let line = self.painted(colour, &format!("{} {line}", if i == 0 { mark } else { " " }));
                writeln!(self.out, "       │   {line}")?;
            }
        }
        self.month.add(tally);
        self.all.add(tally);
        if date.plus_days(1) == date.plus_days(1).month_start() {
            let month = std::mem::take(&mut self.month);
            let line = format!("═══════╡ {} {}", self.pick("sebulan:", "the month:"), self.parts(&month).join(" · "));
            let line = self.painted("1", &line);
            writeln!(self.out, "{line}")?;
        }
        self.out.flush()
    }

    /// What all days came to.
    pub(super) fn total(&mut self) -> io::Result<()> {
        let all = self.all;
        let line = format!("\n═══════╡ {} {}", self.pick("semuanya:", "altogether:"), self.parts(&all).join(" · "));
        let line = self.painted("1", &line);
        writeln!(self.out, "{line}")
    }

    fn parts(&self, tally: &Tally) -> Vec<String> {
        let en = self.language == Language::En;
        let count = |n: u64, id: &str, en_one: &str, en_many: &str| {
            (n > 0).then(|| {
                format!(
                    "{n} {}",
                    if !en {
                        id
                    } else if n == 1 {
                        en_one
                    } else {
                        en_many
                    }
                )
            })
        };
        let with = |part: Option<String>, amount: Money| part.map(|p| format!("{p} {amount}"));
        [
            with(count(tally.invoices, "tagihan", "invoice", "invoices"), tally.invoiced),
            count(tally.credited, "dibayar titipan", "paid by credit", "paid by credit"),
            count(tally.reminders, "pengingat", "reminder", "reminders"),
            with(count(tally.payments, "bayar", "payment", "payments"), tally.paid),
            count(tally.repeated, "webhook ganda", "repeated webhook", "repeated webhooks"),
            count(tally.isolated, "isolir", "isolated", "isolated"),
            count(tally.reopened, "buka isolir", "reopened", "reopened"),
            count(tally.started, "baru aktif", "newcomer", "newcomers"),
            count(tally.sent, "pesan WA", "message", "messages"),
            count(tally.dropped, "pesan batal", "message dropped", "messages dropped"),
            count(tally.waiting, "menunggu router", "waiting for a router", "waiting for a router"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colour && colour != "0" { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// `Kam  1` or `Thu  1`.
fn day_label(date: Date, language: Language) -> String {
    const ID: [&str; 7] = ["Sen", "Sel", "Rab", "Kam", "Jum", "Sab", "Min"];
    const EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let names = if language == Language::Id { ID } else { EN };
    // 1970-01-01 was a Thursday.
    let weekday = (date.day_number() + 3).rem_euclid(7) as usize;
    format!("{} {:>2}", names.get(weekday).copied().unwrap_or(""), date.ymd().2)
}

/// `Januari 2026` or `January 2026`.
pub(super) fn month_name(month: Month, language: Language) -> String {
    format!("{} {}", language.month(month), month.year_month().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_reads_well_in_both_languages() {
        let tally = Tally {
            invoices: 12,
            invoiced: Money::rupiah(2_345_600),
            payments: 1,
            paid: Money::rupiah(183_150),
            ..Tally::default()
        };
        for (language, expected) in [
            (
                Language::Id,
                "Sab 31 │ 12 tagihan Rp2.345.600 · 1 bayar Rp183.150\n       │   ✖ router mati\n═══════╡ sebulan: 12 tagihan Rp2.345.600 · 1 bayar Rp183.150\n",
            ),
            (
                Language::En,
                "Sat 31 │ 12 invoices Rp2.345.600 · 1 payment Rp183.150\n       │   ✖ router dead\n═══════╡ the month: 12 invoices Rp2.345.600 · 1 payment Rp183.150\n",
            ),
        ] {
            let mut out = Vec::new();
            let mut timeline = Timeline::new(&mut out, language, false, None);
            timeline.note(Tone::Trouble, "router mati".into(), "router dead".into());
            timeline.day(Date::parse("2026-01-31").unwrap(), &tally).unwrap();
            assert_eq!(timeline.all, tally);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_note_is_as_wide_as_the_screen() {
        let note = "budi@isp tidak membayar tagihannya sampai jatuh tempo dan diisolir pada pukul tiga pagi ".repeat(3);
        for (screen, widest) in [(Some(60), 60), (Some(180), 180), (None, 113)] {
            let mut out = Vec::new();
            let mut timeline = Timeline::new(&mut out, Language::Id, false, screen);
            timeline.note(Tone::Story, note.clone(), note.clone());
            timeline.day(Date::parse("2026-01-30").unwrap(), &Tally::default()).unwrap();
            let text = String::from_utf8(out).unwrap();
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= widest && longest > widest - 15, "{longest} of {widest}:\n{text}");
            let words: Vec<&str> = text.split(['\n', ' ', '│', '•']).filter(|word| !word.is_empty()).collect();
            assert!(words.ends_with(&note.split_whitespace().collect::<Vec<_>>()), "{text}");
        }
    }
}
