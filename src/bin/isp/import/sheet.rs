//! A CSV file as spreadsheets write it: `,` or `;` or tab, with or without BOM, header names in two languages.

use std::path::Path;
use std::sync::Arc;

use super::problem::{Problem, RowError};

/// A column of a file.
#[derive(Debug)]
pub(super) struct Column {
    /// What the program calls it.
    pub(super) key: &'static str,
    /// What owners call it, in lower case with `_` for blanks; the first is the Indonesian name.
    pub(super) names: &'static [&'static str],
    /// Whether the file must have it.
    pub(super) required: bool,
}

/// A column that the file must have.
pub(super) const fn needed(key: &'static str, names: &'static [&'static str]) -> Column {
    Column { key, names, required: true }
}

/// A column that the file may have.
pub(super) const fn optional(key: &'static str, names: &'static [&'static str]) -> Column {
    Column { key, names, required: false }
}

/// A file's rows, its columns found.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Name of the file.
    pub(super) file: String,
    header: Vec<String>,
    /// The key and position of each column that the file has.
    columns: Vec<(&'static str, usize)>,
    rows: Vec<(u64, Vec<String>)>,
}

impl Sheet {
    /// Reads a file. Rows that cannot be read as such are reported and left out.
    pub(super) fn read(path: &Path, layout: &[Column], errors: &mut Vec<RowError>) -> Self {
        let file = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(file, &bytes, layout, errors),
            Err(error) => {
                // The kind of error, without the path: the file is named already.
                let problem = Problem::File(error.kind().to_string());
                errors.push(RowError { file, line: 0, column: String::new(), problem });
                Self::default()
            }
        }
    }

    /// Reads a file's bytes.
    pub(super) fn parse(file: String, bytes: &[u8], layout: &[Column], errors: &mut Vec<RowError>) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut sheet = Self { file, ..Self::default() };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator(bytes))
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        loop {
            let at = reader.position().line();
            match reader.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    let line = record.position().map_or(at, |position| first_line(bytes, position));
                    if !record.iter().all(<[u8]>::is_empty) && !sheet.take(line, &record, layout, errors) {
                        return sheet;
                    }
                }
                Err(_) => sheet.report(errors, at, "", Problem::Csv),
            }
        }
        if sheet.header.is_empty() {
            sheet.report(errors, 1, "", Problem::NoHeader);
        }
        sheet
    }

    /// Its rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let named = |(key, at): &(&'static str, usize)| (*key, self.header.get(*at).cloned().unwrap_or_default());
        let names = Arc::new(Names { file: self.file.clone(), columns: self.columns.iter().map(named).collect() });
        self.rows.iter().map(move |(line, cells)| {
            let origin = Origin { names: Arc::clone(&names), line: *line };
            Row { sheet: self, origin, cells }
        })
    }

    fn take(&mut self, line: u64, record: &csv::ByteRecord, layout: &[Column], errors: &mut Vec<RowError>) -> bool {
        let mut cells = Vec::with_capacity(record.len());
        for (at, cell) in record.iter().enumerate() {
            let Ok(text) = std::str::from_utf8(cell) else {
                let column = self.header.get(at).cloned().unwrap_or_default();
                self.report(errors, line, &column, Problem::Utf8);
                return !self.header.is_empty();
            };
            cells.push(text.to_owned());
        }
        if self.header.is_empty() {
            return self.take_header(line, cells, layout, errors);
        }
        while cells.len() > self.header.len() && cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if cells.len() == self.header.len() {
            self.rows.push((line, cells));
        } else {
            let problem = Problem::Cells { found: cells.len(), expected: self.header.len() };
            self.report(errors, line, "", problem);
        }
        true
    }

    fn take_header(
        &mut self,
        line: u64,
        mut cells: Vec<String>,
        layout: &[Column],
        errors: &mut Vec<RowError>,
    ) -> bool {
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        let find = |cell: &str| {
            let name: String =
                cell.to_lowercase().split([' ', '-', '_']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join("_");
            layout.iter().find(|c| c.names.contains(&name.as_str()))
        };
        let found: Vec<Option<&Column>> = cells.iter().map(|c| find(c)).collect();
        if found.iter().flatten().next().is_none() {
            // Perhaps the first line is data already: name nothing of it.
            self.report(errors, line, "", Problem::NoHeader);
            self.header = cells;
            return false;
        }
        let mut usable = true;
        for (at, column) in found.iter().enumerate() {
            match column {
                Some(column) if self.columns.iter().any(|(key, _)| *key == column.key) => {
                    self.report(errors, line, &cells[at], Problem::RepeatedColumn);
                }
                Some(column) => self.columns.push((column.key, at)),
                None => self.report(errors, line, &shown(&cells[at], at), Problem::UnknownColumn),
            }
        }
        for column in layout.iter().filter(|c| c.required) {
            if !self.columns.iter().any(|(key, _)| *key == column.key) {
                self.report(errors, line, column.names.first().copied().unwrap_or(column.key), Problem::MissingColumn);
                usable = false;
            }
        }
        self.header = cells;
        usable
    }

    fn report(&self, errors: &mut Vec<RowError>, line: u64, column: &str, problem: Problem) {
        errors.push(RowError { file: self.file.clone(), line, column: column.to_owned(), problem });
    }
}

/// The line on which a record starts; the reader's position is before the empty lines that it passed over.
fn first_line(bytes: &[u8], position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let passed = bytes.iter().skip(start).take_while(|b| matches!(b, b'\r' | b'\n'));
    position.line() + passed.filter(|b| **b == b'\n').count() as u64
}

/// An unknown header as it may be shown: by its position when it looks like data.
fn shown(cell: &str, at: usize) -> String {
    let plain = cell.chars().count() <= 30 && cell.chars().filter(char::is_ascii_digit).count() < 4;
    if plain && !cell.is_empty() { cell.to_owned() } else { format!("#{}", at + 1) }
}

/// The separator that the first line has most of, outside quotation marks.
fn separator(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in bytes.iter().take_while(|b| **b != b'\n') {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(sep, _)| sep == byte && !quoted) {
            *count += 1;
        }
    }
    // The comma comes last in a tie, as `max_by_key` keeps the last of equals.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(sep, _)| *sep)
}

/// Where a row stands, for errors that are found after reading.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    names: Arc<Names>,
    /// Its line in the file.
    pub(crate) line: u64,
}

/// The file and what it calls its columns.
#[derive(Debug, Default)]
struct Names {
    file: String,
    columns: Vec<(&'static str, String)>,
}

impl Origin {
    /// A problem with the cell of a column.
    pub(crate) fn error(&self, key: &str, problem: impl Into<Problem>) -> RowError {
        let named = self.names.columns.iter().find(|(k, _)| *k == key).map(|(_, name)| name.as_str());
        let column = named.unwrap_or(key).to_owned();
        RowError { file: self.names.file.clone(), line: self.line, column, problem: problem.into() }
    }

    /// Name of the file.
    pub(crate) fn file(&self) -> &str {
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
    /// The cell of a column; `None` when it is empty or the file has no such column.
    pub(super) fn text(&self, key: &str) -> Option<&'s str> {
        let (_, at) = self.sheet.columns.iter().find(|(k, _)| *k == key)?;
        self.cells.get(*at).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Reads the cells of one row and gathers all that is wrong with them.
pub(super) struct Cells<'s, 'e> {
    row: Row<'s>,
    errors: &'e mut Vec<RowError>,
}

impl<'s, 'e> Cells<'s, 'e> {
    /// A reader that adds to `errors`.
    pub(super) fn new(row: Row<'s>, errors: &'e mut Vec<RowError>) -> Self {
        Self { row, errors }
    }

    /// A cell that must be filled; `field` names it when it is not.
    pub(super) fn need<T, E: Into<Problem>>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Some(text) = self.row.text(key) else {
            self.errors.push(self.row.origin.error(key, isp_core::Error::Empty { field: key }));
            return None;
        };
        self.parsed(key, parse(text))
    }

    /// A cell that may be empty: `Some(None)` then, `None` when it is wrong.
    pub(super) fn maybe<T, E: Into<Problem>>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.row.text(key) {
            None => Some(None),
            Some(text) => self.parsed(key, parse(text)).map(Some),
        }
    }

    /// Where the row stands.
    pub(super) fn origin(&self) -> Origin {
        self.row.origin.clone()
    }

    /// The cell as it is written, for telling rows apart even when something in them is wrong.
    pub(super) fn raw(&self, key: &str) -> Option<&'s str> {
        self.row.text(key)
    }

    /// Reports a problem that rests on several cells.
    pub(super) fn fail(&mut self, key: &'static str, problem: impl Into<Problem>) {
        self.errors.push(self.row.origin.error(key, problem));
    }

    fn parsed<T, E: Into<Problem>>(&mut self, key: &'static str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.errors.push(self.row.origin.error(key, error))).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: &[Column] = &[needed("code", &["kode", "code"]), optional("name", &["nama", "name"])];

    fn read(bytes: &[u8]) -> (Sheet, Vec<String>) {
        let mut errors = Vec::new();
        let sheet = Sheet::parse("x.csv".into(), bytes, LAYOUT, &mut errors);
        (sheet, errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn separators_bom_languages_and_order() {
        for text in [
            "kode,nama\nA,Alfa\n",
            "\u{feff}Nama;KODE\r\nAlfa;A\r\n;;\r\n",
            "code\tname\nA\tAlfa",
            "kode;nama;;\n\"A\";\"Alfa\";;\n",
        ] {
            let (sheet, errors) = read(text.as_bytes());
            assert_eq!(errors, Vec::<String>::new(), "{text}");
            let rows: Vec<_> = sheet.rows().map(|r| (r.text("code"), r.text("name"))).collect();
            assert_eq!(rows, [(Some("A"), Some("Alfa"))], "{text}");
        }
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let (sheet, errors) = read(b"kode,nama\n\nA,\"two\nlines\"\nB,x,y\nC,\xff\nD,z\n");
        let lines: Vec<_> = sheet.rows().map(|r| r.origin.line).collect();
        assert_eq!(lines, [3, 7]);
        assert_eq!(
            errors,
            [
                "x.csv:5: the row has 3 cells, the header 2 [import.cells]",
                "x.csv:6 (nama): the text is not UTF-8; save the file as \"CSV UTF-8\" [import.utf8]",
            ]
        );
    }

    #[test]
    fn a_header_is_needed_and_data_in_its_place_is_not_shown() {
        assert_eq!(
            read(b"3171234567890001,081234567890\n").1,
            ["x.csv:1: the first line is not a header with known columns [import.no_header]"]
        );
        assert_eq!(read(b"").1.len(), 1);
        assert_eq!(
            read(b"nama,code2,3171234567890001\nA,b,c\n").1,
            [
                "x.csv:1 (code2): no column of this file is called so [import.unknown_column]",
                "x.csv:1 (#3): no column of this file is called so [import.unknown_column]",
                "x.csv:1 (kode): this column is missing [import.missing_column]",
            ]
        );
        assert_eq!(read(b"kode,code\nA,B\n").1, ["x.csv:1 (code): two columns mean the same [import.repeated_column]"]);
    }
}
