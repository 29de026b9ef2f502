//! Results as a table for people, as CSV for spreadsheets, as JSON for programs.

use std::io::Write as _;
use std::sync::OnceLock;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use isp_core::Money;
use isp_core::calendar::Date;
use serde_json::{Map, Value};

use crate::i18n::Texts;

/// How to print rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table with headings in the chosen language.
    #[default]
    Table,
    /// CSV with English column keys and bare numbers.
    Csv,
    /// A JSON array of objects with English keys and bare numbers.
    Json,
}

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// One of a closed set of codes; a table shows `word.CODE` of the locales.
    Word(&'static str),
    /// A count.
    Number(i64),
    /// An amount.
    Money(Money),
    /// Nothing.
    Empty,
}

impl Cell {
    /// Words for anything that can be shown.
    pub(crate) fn text(value: impl std::fmt::Display) -> Self {
        Self::Text(value.to_string())
    }

    /// Words, or nothing.
    pub(crate) fn maybe(value: Option<impl std::fmt::Display>) -> Self {
        value.map_or(Self::Empty, Self::text)
    }

    /// A count.
    pub(crate) fn count(number: impl TryInto<i64>) -> Self {
        Self::Number(number.try_into().unwrap_or(i64::MAX))
    }

    fn shown(&self, texts: &Texts) -> String {
        match self {
            Self::Word(code) => texts.find(&format!("word.{code}"), &[]).unwrap_or_else(|| (*code).to_owned()),
            Self::Text(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
            Self::Number(number) => number.to_string(),
            Self::Money(money) => money.to_string(),
            Self::Empty => String::new(),
        }
    }

    fn bare(&self) -> String {
        match self {
            Self::Word(code) => (*code).to_owned(),
            Self::Text(text) => guarded(text),
            Self::Number(number) => number.to_string(),
            Self::Money(money) => money.as_i64().to_string(),
            Self::Empty => String::new(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Word(code) => Value::from(*code),
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
            Self::Money(money) => Value::from(money.as_i64()),
            Self::Empty => Value::Null,
        }
    }
}

impl From<Date> for Cell {
    fn from(date: Date) -> Self {
        Self::text(date)
    }
}

impl From<Money> for Cell {
    fn from(money: Money) -> Self {
        Self::Money(money)
    }
}

/// A spreadsheet runs a cell that starts like a formula; a name may be written to do so.
fn guarded(text: &str) -> String {
    let formula = match text.chars().next() {
        Some('=' | '@' | '\t' | '\r') => true,
        Some('+' | '-') => !text.chars().nth(1).is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    };
    if formula { format!("'{text}") } else { text.to_owned() }
}

/// A column: its key, and whether it holds numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    key: &'static str,
    number: bool,
}

/// A column of words; its heading is `column.KEY` in the locales.
pub(crate) const fn column(key: &'static str) -> Column {
    Column { key, number: false }
}

/// A column of numbers, to the right.
pub(crate) const fn number(key: &'static str) -> Column {
    Column { key, number: true }
}

/// Rows under headings.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// No rows yet.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn push(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// As text in a format.
    pub(crate) fn render(&self, format: Format, texts: &Texts) -> anyhow::Result<String> {
        match format {
            Format::Table => Ok(self.table(texts)),
            Format::Csv => self.csv(),
            Format::Json => Ok(format!("{}\n", serde_json::to_string_pretty(&self.json())?)),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let object = |row: &Vec<Cell>| {
            let pairs = self.columns.iter().zip(row).map(|(c, cell)| (c.key.to_owned(), cell.json()));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }

    fn table(&self, texts: &Texts) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", texts.t("output.none"));
        }
        let headings: Vec<String> = self.columns.iter().map(|c| texts.t(&format!("column.{}", c.key))).collect();
        let lines = self.rows.iter().map(|row| row.iter().map(|cell| cell.shown(texts)).collect());
        let right = self.columns.iter().map(|c| c.number).collect::<Vec<_>>();
        table(&headings, lines, &right)
    }

    fn csv(&self) -> anyhow::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|c| c.key))?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::bare))?;
        }
        Ok(String::from_utf8(writer.into_inner().map_err(|e| e.into_error())?)?)
    }
}

/// A table whose first column is words and whose others are numbers.
pub(crate) fn plain_table(headings: &[String], lines: impl Iterator<Item = Vec<String>>) -> String {
    let right: Vec<bool> = (0..headings.len()).map(|at| at > 0).collect();
    table(headings, lines, &right)
}

fn table(headings: &[String], lines: impl Iterator<Item = Vec<String>>, right: &[bool]) -> String {
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(rule)).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    lines.for_each(|line| {
        table.add_row(line);
    });
    for (at, right) in right.iter().enumerate() {
        if let Some(shown) = table.column_mut(at).filter(|_| *right) {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.to_string().lines().map(|l| l.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n"))
}

/// Why something could not be printed, the first time.
static LOST: OnceLock<std::io::ErrorKind> = OnceLock::new();

/// Writes to standard output. What cannot be printed never stops the work in its middle: the program says at its end that
/// its output is incomplete, see [`lost`].
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        LOST.get_or_init(|| error.kind());
    }
    Ok(())
}

/// Why a part of the output is lost. A reader who has gone away (`isp ... | head`) wanted no more, and loses nothing.
pub(crate) fn lost() -> Option<std::io::ErrorKind> {
    LOST.get().copied().filter(|kind| *kind != std::io::ErrorKind::BrokenPipe)
}

/// Writes a line to standard error, where progress and warnings go.
pub(crate) fn note(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use isp_core::text::Language;

    use super::*;

    #[test]
    fn one_result_in_three_formats() {
        let texts = Texts::load(Language::Id).unwrap();
        let mut rows = Rows::new(&[column("name"), number("amount"), number("count")]);
        rows.push(vec![Cell::text("=cmd()"), Money::rupiah(1_166_500).into(), Cell::count(3)]);
        rows.push(vec![Cell::Empty, Money::rupiah(-500).into(), Cell::count(12)]);
        assert_eq!(rows.render(Format::Csv, &texts).unwrap(), "name,amount,count\n'=cmd(),1166500,3\n,-500,12\n");
        let table = rows.render(Format::Table, &texts).unwrap();
        assert!(table.contains("Rp1.166.500") && table.contains("    -Rp500"), "{table}");
        let json: Value = serde_json::from_str(&rows.render(Format::Json, &texts).unwrap()).unwrap();
        assert_eq!(json[1]["amount"], -500);
        assert_eq!(json[0]["name"], "=cmd()");
    }

    #[test]
    fn only_formulas_are_guarded() {
        assert_eq!(guarded("+62***789"), "+62***789");
        assert_eq!(guarded("-1"), "-1");
        assert_eq!(guarded("@x"), "'@x");
        assert_eq!(guarded("-x"), "'-x");
    }
}
