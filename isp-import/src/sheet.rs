//! The rows of a file under a header that is understood.

use std::collections::HashMap;
use std::sync::Arc;

use isp_core::calendar::{DayOrder, Written, day};

use super::head::{self, Map};
use super::notice::{Note, Notices};
use super::problem::{Problem, RowError};
use super::table::Table;
use super::total::Totals;
use super::workbook::Hidden;

/// What the numbers begin with that customers of a sheet without numbers have while it is read. Nobody is shown one.
pub(super) const NOT_NUMBERED: &str = "BELUM-BERNOMOR-";

/// A column of a file.
#[derive(Debug)]
pub(crate) struct Column {
    /// What the program calls it.
    pub(super) key: &'static str,
    /// What owners call it, in lower case with `_` for blanks; the first is the Indonesian name.
    pub(super) names: &'static [&'static str],
    /// Whether the file must have it.
    pub(super) required: bool,
    /// Columns of which one is enough, where this one is missing.
    pub(super) unless: &'static [&'static str],
}

impl Column {
    /// Whether a file must have it that has these others.
    pub(super) fn is_missing(&self, there: impl Fn(&str) -> bool) -> bool {
        self.required && !there(self.key) && !self.unless.iter().any(|other| there(other))
    }
}

/// A column that the file must have.
pub(super) const fn needed(key: &'static str, names: &'static [&'static str]) -> Column {
    Column { key, names, required: true, unless: &[] }
}

/// A column that the file must have, unless it has one of these others.
pub(super) const fn needed_unless(
    key: &'static str,
    names: &'static [&'static str],
    unless: &'static [&'static str],
) -> Column {
    Column { key, names, required: true, unless }
}

/// A column that the file may have.
pub(super) const fn optional(key: &'static str, names: &'static [&'static str]) -> Column {
    Column { key, names, required: false, unless: &[] }
}

/// How to read files, as a person said.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What columns mean.
    pub maps: Vec<Map>,
    /// In which order days of numbers are written; `None`: as the column shows.
    pub order: Option<DayOrder>,
}

/// A file's rows, its columns found.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    names: Arc<Names>,
    columns: Vec<(&'static str, usize)>,
    rows: Vec<(u64, Vec<String>)>,
    /// The order of days in each column of days.
    orders: HashMap<&'static str, DayOrder>,
    /// What the file calls needed columns that are missing: they are named once, and not again in each row.
    pub(super) missing: Vec<&'static str>,
}

impl Sheet {
    /// Reads a table by a layout. Rows that cannot be read as such are reported and left out.
    pub(super) fn new(
        table: Table,
        layout: &[Column],
        reading: &Reading,
        notices: &mut Notices,
        errors: &mut Vec<RowError>,
    ) -> Self {
        let head = head::find(&table, layout, &reading.maps, notices, errors);
        let heading = |at: usize| head.cells.get(at).cloned().unwrap_or_default();
        let column_of = |error: &RowError| error.column.strip_prefix('#').and_then(|at| at.parse::<usize>().ok());
        for mut error in table.errors.iter().cloned() {
            if let Some(at) = column_of(&error) {
                error.column = heading(at.saturating_sub(1));
            }
            errors.push(error);
        }
        let columns: Vec<(&'static str, String)> = head.columns.iter().map(|(key, at)| (*key, heading(*at))).collect();
        let names = Arc::new(Names { file: table.name.clone(), columns });
        let mut sheet = Self { names, columns: head.columns, missing: head.missing, ..Self::default() };
        if !head.usable {
            return sheet;
        }
        let header = table.lines.get(head.above - 1).map_or(1, |(line, _)| *line);
        if let Some(note) = table.told {
            notices.tell(&table.name, 0, "", note);
        }
        let width = head.cells.len();
        let named_by = layout.iter().find(|column| column.required).map(|column| column.key);
        let key = sheet.columns.iter().find(|(key, _)| Some(*key) == named_by).map(|(_, at)| *at);
        let mut totals = Totals::new(key);
        for (line, mut cells) in table.lines.into_iter().skip(head.above) {
            while cells.len() > width && cells.last().is_some_and(String::is_empty) {
                cells.pop();
            }
            if totals.is_one(&cells) {
                notices.tell(&table.name, line, "", Note::Totals);
            } else if cells.len() == width {
                sheet.rows.push((line, cells));
            } else {
                let problem = Problem::Cells { found: cells.len(), expected: width };
                errors.push(RowError { file: table.name.clone(), line, column: String::new(), problem });
            }
        }
        sheet.number_customers(width);
        sheet.ask_about_hidden(&table.hidden, header, errors);
        sheet.find_orders(reading.order, notices, errors);
        sheet
    }

    /// Gives numbers for the time of reading to customers of a sheet that has no column with their numbers, so that what else is
    /// wrong is found in the same run. Nothing is written of such a sheet.
    fn number_customers(&mut self, width: usize) {
        let at = |key: &str| self.columns.iter().find(|(known, _)| *known == key).map(|(_, at)| *at);
        if !self.missing.contains(&"customer_id") || at("name").is_none() {
            return;
        }
        let person: Vec<usize> = ["name", "address", "phone"].into_iter().filter_map(at).collect();
        let mut known: HashMap<Vec<String>, usize> = HashMap::new();
        for (_, cells) in &mut self.rows {
            let of = |at: &usize| cells.get(*at).map(|cell| cell.trim().to_lowercase()).unwrap_or_default();
            let who: Vec<String> = person.iter().map(of).collect();
            let next = known.len() + 1;
            let number = *known.entry(who).or_insert(next);
            cells.resize(width, String::new());
            cells.push(format!("{NOT_NUMBERED}{number:04}"));
        }
        self.columns.push(("customer_id", width));
    }

    /// Asks about rows that a person who looks at the sheet does not see, and about columns that would be taken from there.
    fn ask_about_hidden(&self, hidden: &Hidden, header: u64, errors: &mut Vec<RowError>) {
        let mut ask = |line, column: &str, problem| {
            errors.push(RowError { file: self.names.file.clone(), line, column: column.to_owned(), problem });
        };
        if hidden.sheet && !self.rows.is_empty() {
            ask(header, "", Problem::HiddenSheet);
        }
        for ((_, at), (_, heading)) in self.columns.iter().zip(&self.names.columns) {
            if hidden.columns.contains(at) {
                ask(header, heading, Problem::HiddenColumn);
            }
        }
        let rows: Vec<u64> =
            self.rows.iter().map(|(line, _)| *line).filter(|line| hidden.rows.contains(line)).collect();
        if let Some(first) = rows.first() {
            ask(*first, "", Problem::HiddenRows { count: rows.len(), lines: ranges(&rows) });
        }
    }

    /// Its rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(move |(line, cells)| {
            let origin = Origin { names: Arc::clone(&self.names), line: *line };
            Row { sheet: self, origin, cells }
        })
    }

    /// Finds in which order each column of days writes them: days that exist in one order only say so for the others.
    fn find_orders(&mut self, said: Option<DayOrder>, notices: &mut Notices, errors: &mut Vec<RowError>) {
        const DAYS: [&str; 3] = ["start", "billed_from", "date"];
        for (key, at) in self.columns.clone() {
            if !DAYS.contains(&key) {
                continue;
            }
            if let Some(order) = said {
                self.orders.insert(key, order);
                continue;
            }
            let cells = self.rows.iter().filter_map(|(line, cells)| Some((*line, cells.get(at)?.as_str())));
            let (mut day_first, mut month_first, mut either) = (0_u64, 0_u64, Vec::new());
            for (line, text) in cells {
                match (day(text, DayOrder::DayFirst), day(text, DayOrder::MonthFirst)) {
                    (Ok(reading), Ok(_)) if reading.written == Written::EitherWay => either.push(line),
                    (Ok(one), Ok(other)) if one.date != other.date => either.push(line),
                    (Ok(_), Err(_)) => day_first += 1,
                    (Err(_), Ok(_)) => month_first += 1,
                    _ => {}
                }
            }
            let heading = self.names.columns.iter().find(|(k, _)| *k == key).map_or(key, |(_, name)| name.as_str());
            let order = if month_first > 0 && day_first == 0 { DayOrder::MonthFirst } else { DayOrder::DayFirst };
            self.orders.insert(key, order);
            match (order, either.first()) {
                // Both orders in one column: nobody knows which one the others have.
                (DayOrder::DayFirst, Some(_)) if month_first > 0 => {
                    errors.extend(either.iter().map(|line| RowError {
                        file: self.names.file.clone(),
                        line: *line,
                        column: heading.to_owned(),
                        problem: Problem::DayOrder,
                    }));
                }
                (DayOrder::DayFirst, Some(_)) if day_first == 0 => {
                    either.iter().for_each(|line| notices.tell(&self.names.file, *line, heading, Note::DayFirst));
                }
                (DayOrder::MonthFirst, first) => {
                    notices.tell(&self.names.file, first.copied().unwrap_or(1), heading, Note::MonthFirst);
                    if let Some(line) = first {
                        let (file, column) = (self.names.file.clone(), heading.to_owned());
                        errors.push(RowError { file, line: *line, column, problem: Problem::DayOrder });
                    }
                }
                _ => {}
            }
        }
    }
}

/// Lines in words, `4, 7-9`; only the first of many.
fn ranges(lines: &[u64]) -> String {
    const SHOWN: usize = 6;
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for line in lines {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => runs.push((*line, *line)),
        }
    }
    let shown = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    let words: Vec<String> = runs.iter().take(SHOWN).map(shown).collect();
    let more = if runs.len() > SHOWN { ", ..." } else { "" };
    words.join(", ") + more
}

/// Where a row stands, for errors that are found after reading.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    names: Arc<Names>,
    /// Its line in the file.
    pub line: u64,
}

/// A row that knows where it stands.
pub trait Placed {
    /// Where.
    fn at(&self) -> &Origin;
}

/// The file and what it calls its columns.
#[derive(Debug, Default)]
struct Names {
    file: String,
    columns: Vec<(&'static str, String)>,
}

impl Origin {
    /// A problem with the cell of a column.
    pub fn error(&self, key: &str, problem: impl Into<Problem>) -> RowError {
        let column = self.heading(key).to_owned();
        RowError { file: self.names.file.clone(), line: self.line, column, problem: problem.into() }
    }

    /// What the file calls a column; its key when it has none.
    pub(super) fn heading<'o>(&'o self, key: &'o str) -> &'o str {
        self.names.columns.iter().find(|(k, _)| *k == key).map_or(key, |(_, name)| name.as_str())
    }

    /// Name of the file.
    pub fn file(&self) -> &str {
        &self.names.file
    }
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row<'s> {
    sheet: &'s Sheet,
    /// Where it stands.
    pub(super) origin: Origin,
    cells: &'s [String],
}

impl<'s> Row<'s> {
    /// The cell of a column as it was written; `None` when it is empty or the file has no such column.
    pub(super) fn text(&self, key: &str) -> Option<&'s str> {
        let (_, at) = self.sheet.columns.iter().find(|(k, _)| *k == key)?;
        self.cells.get(*at).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The order of days in a column.
    pub(super) fn order(&self, key: &str) -> DayOrder {
        self.sheet.orders.get(key).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: &[Column] = &[
        needed("code", &["kode", "code"]),
        optional("name", &["nama", "name"]),
        optional("phone", &["telepon", "no_hp"]),
        optional("date", &["tanggal"]),
    ];

    fn read_by(bytes: &[u8], reading: &Reading) -> (Sheet, Vec<String>, Notices) {
        let (mut errors, mut notices) = (Vec::new(), Notices::default());
        let table = Table::parse("x.csv".into(), bytes, &[LAYOUT]);
        let sheet = Sheet::new(table, LAYOUT, reading, &mut notices, &mut errors);
        (sheet, errors.iter().map(ToString::to_string).collect(), notices)
    }

    fn read(bytes: &[u8]) -> (Sheet, Vec<String>) {
        let (sheet, errors, _) = read_by(bytes, &Reading::default());
        (sheet, errors)
    }

    #[test]
    fn shapes_of_sheets() {
        for text in [
            "kode,nama\nA,Alfa\n",
            "\u{feff}Nama;KODE\r\nAlfa;A\r\n;;\r\n",
            "code\tname\nA\tAlfa",
            "kode|name\nA|Alfa",
            "kode;nama;;\n\"A\";\"Alfa\";;\n",
            "sep=;\r\nkode;nama\r\nA;Alfa\r\n",
            "\"sep=|\"\nkode|nama\nA|Alfa\n",
            "DATA PELANGGAN, Januari, 2026\n;;\nkode;nama\nA;Alfa\n",
            "No;Kode / Code;Nama (Name);Keterangan\n1;A;Alfa;rumah, hijau, pagar\n",
        ] {
            let (sheet, errors) = read(text.as_bytes());
            assert_eq!(errors, Vec::<String>::new(), "{text}");
            let rows: Vec<_> = sheet.rows().map(|r| (r.text("code"), r.text("name"))).collect();
            assert_eq!(rows, [(Some("A"), Some("Alfa"))], "{text}");
        }
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let (sheet, errors) = read(b"kode,nama\n\nA,\"two\nlines\"\nB,x,y\nC,\x81\nD,z\n");
        let lines: Vec<_> = sheet.rows().map(|r| r.origin.line).collect();
        assert_eq!(lines, [3, 7]);
        assert_eq!(
            errors,
            [
                "x.csv:6 (nama): the text is not UTF-8; save the file as \"CSV UTF-8\" [import.utf8]",
                "x.csv:5: the row has 3 cells, the header 2 [import.cells]",
            ]
        );
        let (sheet, _) = read(b"sep=,\nkode,nama\nA,Alfa\n");
        assert_eq!(sheet.rows().map(|r| r.origin.line).collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_header_is_needed_and_data_in_its_place_is_not_shown() {
        let known = "known are kode, nama, telepon, tanggal";
        let no_header = "no line is a header with known columns: kode, nama, telepon, tanggal [import.no_header]";
        assert_eq!(read(b"3171234567890001,081234567890\n").1, [format!("x.csv:1: {no_header}")]);
        assert_eq!(read(b"").1.len(), 1);
        assert_eq!(
            read(b"nama,code2,3171234567890001\nA,b,c\n").1,
            [
                format!("x.csv:1 (code2): no column of this file is called so; {known} [import.unknown_column]"),
                format!("x.csv:1 (#3): no column of this file is called so; {known} [import.unknown_column]"),
                "x.csv:1 (kode): this column is missing [import.missing_column]".to_owned(),
            ]
        );
        assert_eq!(read(b"kode,code\nA,B\n").1, ["x.csv:1 (code): two columns mean the same [import.repeated_column]"]);
    }

    #[test]
    fn a_person_says_what_a_column_is() {
        let maps = vec![("Kontak Person".to_owned(), "nama".to_owned()), ("RT/RW".to_owned(), "-".to_owned())];
        let (sheet, errors, _) = read_by(b"kode,kontak person,RT/RW\nA,Alfa,02/03\n", &Reading { maps, order: None });
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(sheet.rows().next().and_then(|row| row.text("name")), Some("Alfa"));
    }

    #[test]
    fn a_column_shows_the_order_of_its_days_or_it_is_asked_or_told() {
        let of = |days: &str, order| {
            let text = format!("kode,tanggal\n{}", days.split(' ').map(|day| format!("A,{day}\n")).collect::<String>());
            let (sheet, errors, notices) = read_by(text.as_bytes(), &Reading { maps: Vec::new(), order });
            let order = sheet.rows().next().map(|row| row.order("date")).unwrap();
            (order, errors.len(), notices.iter().map(|(_, _, note, lines)| (note, lines.count)).collect::<Vec<_>>())
        };
        use DayOrder::{DayFirst, MonthFirst};
        assert_eq!(of("1/2/2026 31/1/2026", None), (DayFirst, 0, vec![]));
        assert_eq!(of("1/2/2026 3/4/2026", None), (DayFirst, 0, vec![(Note::DayFirst, 2)]));
        assert_eq!(of("1/2/2026 1/31/2026", None), (MonthFirst, 1, vec![(Note::MonthFirst, 1)]));
        assert_eq!(of("2/28/2026 1/31/2026", None), (MonthFirst, 0, vec![(Note::MonthFirst, 1)]));
        assert_eq!(of("1/2/2026 1/31/2026 31/1/2026", None), (DayFirst, 1, vec![]));
        assert_eq!(of("1/2/2026 1/31/2026", Some(MonthFirst)), (MonthFirst, 0, vec![]));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes: Vec<u8>, text in "[a-z;,\t\n\"|'=0-9./-]{0,60}") {
            for bytes in [bytes, format!("kode,nama\n{text}").into_bytes(), text.into_bytes()] {
                let (sheet, _) = read(&bytes);
                for row in sheet.rows() {
                    let _ = (row.text("code"), row.order("date"));
                }
            }
        }
    }
}
