//! Results as a table for people, as CSV for spreadsheets, as JSON for programs.

use std::io::Write as _;
use std::sync::OnceLock;

use isp_core::Money;
use isp_core::calendar::Date;
use isp_core::customer::Phone;
use isp_core::text::Language;
use isp_core::typed::{guarded, is_invisible};
use serde_json::{Map, Value};

use crate::grid::{Grid, Heading};
use crate::i18n::Texts;
use crate::screen;

/// How to print rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table with headings in the chosen language.
    #[default]
    Table,
    /// CSV with English column keys and bare numbers; `;` divides the cells where the language is Indonesian, as
    /// spreadsheets there expect it.
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
    /// A whole phone number.
    Phone(Phone),
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

    /// As people read it.
    pub(crate) fn shown(&self, texts: &Texts) -> String {
        match self {
            Self::Word(code) => texts.find(&format!("word.{code}"), &[]).unwrap_or_else(|| (*code).to_owned()),
            Self::Text(text) => harmless(text),
            Self::Phone(phone) => phone.e164().to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Money(money) => money.to_string(),
            Self::Empty => String::new(),
        }
    }

    fn bare(&self) -> String {
        match self {
            Self::Word(code) => (*code).to_owned(),
            Self::Text(text) => guarded(&harmless(text)),
            // As it is dialled: text to a spreadsheet, which would make 6.28E+12 of the other form.
            Self::Phone(phone) => phone.national(),
            Self::Number(number) => number.to_string(),
            Self::Money(money) => money.as_i64().to_string(),
            Self::Empty => String::new(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Word(code) => Value::from(*code),
            Self::Text(text) => Value::from(text.as_str()),
            Self::Phone(phone) => Value::from(phone.e164()),
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

/// A text that moves no cursor, colours nothing and turns no reading direction: control and invisible signs are blanks.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() || is_invisible(sign) { ' ' } else { sign }).collect()
}

/// A column: its key, and whether it holds numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    key: &'static str,
    number: bool,
    needed: bool,
}

impl Column {
    /// The same column, which its table is looked at for: on a narrow screen it stays when others go.
    pub(crate) const fn needed(self) -> Self {
        Self { needed: true, ..self }
    }
}

/// A column of words; its heading is `column.KEY` in the locales.
pub(crate) const fn column(key: &'static str) -> Column {
    Column { key, number: false, needed: false }
}

/// A column of numbers, to the right.
pub(crate) const fn number(key: &'static str) -> Column {
    Column { key, number: true, needed: false }
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

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn push(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// The rows with more columns; `cells` are those of a row.
    pub(crate) fn with(mut self, columns: &[Column], cells: impl Fn(usize) -> Vec<Cell>) -> Self {
        self.columns.extend_from_slice(columns);
        for (at, row) in self.rows.iter_mut().enumerate() {
            row.extend(cells(at));
            debug_assert_eq!(row.len(), self.columns.len());
        }
        self
    }

    /// As text in a format; a table with at most so many signs a line.
    pub(crate) fn render(&self, format: Format, texts: &Texts, room: Option<usize>) -> anyhow::Result<String> {
        match format {
            Format::Table if self.rows.is_empty() => Ok(format!("{}\n", texts.t("output.none"))),
            Format::Table => Ok(self.grid(texts).text(texts, room)),
            Format::Csv => self.csv(separator(texts)),
            Format::Json => Ok(format!("{}\n", escaped(&serde_json::to_string_pretty(&self.json())?))),
        }
    }

    /// As people read it.
    pub(crate) fn grid(&self, texts: &Texts) -> Grid {
        let heading = |c: &Column| Heading {
            key: Some(c.key),
            text: texts.t(&format!("column.{}", c.key)),
            right: c.number,
            needed: c.needed,
        };
        Grid { headings: self.columns.iter().map(heading).collect(), rows: self.rows.clone() }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Value {
        let object = |row: &Vec<Cell>| {
            let pairs = self.columns.iter().zip(row).map(|(c, cell)| (c.key.to_owned(), cell.json()));
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }

    fn csv(&self, separator: u8) -> anyhow::Result<String> {
        self.csv_page(separator, true)
    }

    fn csv_page(&self, separator: u8, heading: bool) -> anyhow::Result<String> {
        let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
        if heading {
            writer.write_record(self.columns.iter().map(|c| c.key))?;
        }
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::bare))?;
        }
        Ok(String::from_utf8(writer.into_inner().map_err(|e| e.into_error())?)?)
    }
}

/// What divides the cells of CSV: spreadsheets of each language expect another sign.
fn separator(texts: &Texts) -> u8 {
    if texts.language() == Language::Id { b';' } else { b',' }
}

/// Rows that are printed a page at a time, in the same bytes as [`Rows::render`] prints all at once. A table for people is printed at its end:
/// its columns fit all of its rows.
pub(crate) struct Pages<'t> {
    format: Format,
    texts: &'t Texts,
    room: Option<usize>,
    /// The columns, and the rows of a table so far.
    kept: Rows,
    begun: bool,
}

impl<'t> Pages<'t> {
    /// No rows yet; the columns are those of `empty`.
    pub(crate) fn new(format: Format, texts: &'t Texts, room: Option<usize>, empty: Rows) -> Self {
        Self { format, texts, room, kept: empty, begun: false }
    }

    /// What the rows of a page add to the text.
    fn text(&mut self, page: Rows) -> anyhow::Result<String> {
        let begun = self.begun;
        self.begun |= !page.rows.is_empty();
        match self.format {
            Format::Table => {
                self.kept.rows.extend(page.rows);
                Ok(String::new())
            }
            _ if page.rows.is_empty() => Ok(String::new()),
            Format::Csv => page.csv_page(separator(self.texts), !begun),
            Format::Json => {
                let text = escaped(&serde_json::to_string_pretty(&page.json())?);
                let rows = text.strip_prefix('[').and_then(|text| text.strip_suffix("\n]")).unwrap_or(&text);
                Ok(format!("{}{rows}", if begun { "," } else { "[" }))
            }
        }
    }

    /// What stands after the last page.
    fn rest(self) -> anyhow::Result<String> {
        match self.format {
            Format::Json if self.begun => Ok("\n]\n".to_owned()),
            Format::Csv if self.begun => Ok(String::new()),
            _ => self.kept.render(self.format, self.texts, self.room),
        }
    }

    /// Prints a page.
    pub(crate) fn page(&mut self, page: Rows) -> anyhow::Result<()> {
        let text = self.text(page)?;
        if text.is_empty() { Ok(()) } else { print(&text) }
    }

    /// Prints what is left.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let text = self.rest()?;
        if text.is_empty() { Ok(()) } else { print(&text) }
    }
}

/// JSON in which signs that a terminal obeys, or nobody sees, are written as escapes. They stand in strings only.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for sign in json.chars() {
        if is_invisible(sign) {
            out.push_str(&format!("\\u{:04x}", u32::from(sign)));
        } else {
            out.push(sign);
        }
    }
    out
}

/// Why something could not be printed, the first time.
static LOST: OnceLock<std::io::ErrorKind> = OnceLock::new();

/// Writes to standard output. What cannot be printed never stops the work in its middle: the program says at its end that
/// its output is incomplete, see [`lost`].
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    if screen::kept(text) {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        LOST.get_or_init(|| error.kind());
    }
    Ok(())
}

/// Shows what was kept for a pager.
pub(crate) fn show() -> anyhow::Result<()> {
    screen::show().map_or(Ok(()), |text| print(&text))
}

/// Standard output for what writes by itself, under the rule of [`print`]. Only a reader who has gone away ends the work.
pub(crate) struct Stdout;

impl std::io::Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        noted(std::io::stdout().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        noted(std::io::stdout().flush())
    }
}

fn noted(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            LOST.get_or_init(|| error.kind());
            Ok(())
        }
        other => other,
    }
}

/// Why a part of the output is lost. A reader who has gone away (`isp ... | head`) wanted no more, and loses nothing.
pub(crate) fn lost() -> Option<std::io::ErrorKind> {
    LOST.get().copied().filter(|kind| *kind != std::io::ErrorKind::BrokenPipe)
}

/// Writes a line to standard error, where progress and warnings go.
pub(crate) fn note(text: &str) {
    let lines: Vec<String> = text.split('\n').map(harmless).collect();
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{}", lines.join("\n"));
}

/// Yes or no.
pub(crate) fn yes_no(value: bool) -> Cell {
    Cell::Word(if value { "yes" } else { "no" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_result_in_three_formats() {
        let texts = Texts::load(Language::Id).unwrap();
        let mut rows = Rows::new(&[column("name"), number("amount"), number("count")]);
        rows.push(vec![Cell::text("=cmd()"), Money::rupiah(1_166_500).into(), Cell::count(3)]);
        rows.push(vec![Cell::Empty, Money::rupiah(-500).into(), Cell::count(12)]);
        assert_eq!(rows.render(Format::Csv, &texts, None).unwrap(), "name;amount;count\n'=cmd();1166500;3\n;-500;12\n");
        let table = rows.render(Format::Table, &texts, None).unwrap();
        assert!(table.contains("Rp1.166.500") && table.contains("    -Rp500"), "{table}");
        let json: Value = serde_json::from_str(&rows.render(Format::Json, &texts, None).unwrap()).unwrap();
        assert_eq!(json[1]["amount"], -500);
        assert_eq!(json[0]["name"], "=cmd()");
    }

    #[test]
    fn pages_are_the_same_bytes_as_all_at_once() {
        let columns = [column("name"), number("amount")];
        let row = |n: i64| vec![Cell::text(format!("=a\u{202e};\"{n}")), Money::rupiah(n).into()];
        for (language, pages) in [
            (Language::Id, vec![]),
            (Language::En, vec![0]),
            (Language::Id, vec![1]),
            (Language::En, vec![2, 0, 3]),
            (Language::Id, vec![0, 1, 1]),
        ] {
            let texts = Texts::load(language).unwrap();
            for format in [Format::Table, Format::Csv, Format::Json] {
                let mut all = Rows::new(&columns);
                let mut paged = Pages::new(format, &texts, Some(40), Rows::new(&columns));
                let (mut text, mut n) = (String::new(), 0);
                for count in &pages {
                    let mut page = Rows::new(&columns);
                    for _ in 0..*count {
                        n += 1;
                        page.push(row(n));
                        all.push(row(n));
                    }
                    text += &paged.text(page).unwrap();
                }
                text += &paged.rest().unwrap();
                assert_eq!(text, all.render(format, &texts, Some(40)).unwrap(), "{format:?} {pages:?}");
            }
        }
    }

    #[test]
    fn no_cell_is_run_and_no_sign_obeyed() {
        let rows = |text: &str| {
            let mut rows = Rows::new(&[column("name")]);
            rows.push(vec![Cell::text(text)]);
            rows
        };
        let (id, en) = (Texts::load(Language::Id).unwrap(), Texts::load(Language::En).unwrap());
        for text in ["=1+1", "+62***789", "-1+cmd", "@x", "\t=x", "\r=x", ";=x"] {
            let csv = rows(text).render(Format::Csv, &en, None).unwrap();
            let cell = csv.lines().nth(1).unwrap().trim_start_matches('"');
            assert!(cell.starts_with('\''), "{text:?}: {csv}");
        }
        let evil = "Budi\u{1b}[2J\u{9b}31m\u{202e}x";
        for format in [Format::Table, Format::Csv, Format::Json] {
            let out = rows(evil).render(format, &id, None).unwrap();
            assert!(!out.chars().any(|sign| sign != '\n' && (sign.is_control() || is_invisible(sign))), "{out:?}");
        }
        let json: Value = serde_json::from_str(&rows(evil).render(Format::Json, &id, None).unwrap()).unwrap();
        assert_eq!(json[0]["name"], evil);
    }

    #[test]
    fn a_spreadsheet_of_the_language_opens_it() {
        let mut rows = Rows::new(&[column("code"), column("phone"), number("amount")]);
        let phone = Phone::parse("081234567890").unwrap();
        rows.push(vec![Cell::text("00123"), Cell::Phone(phone), Money::rupiah(-500).into()]);
        let of = |language| rows.render(Format::Csv, &Texts::load(language).unwrap(), None).unwrap();
        assert_eq!(of(Language::Id), "code;phone;amount\n'00123;0812-3456-7890;-500\n");
        assert_eq!(of(Language::En), "code,phone,amount\n'00123,0812-3456-7890,-500\n");
    }
}
