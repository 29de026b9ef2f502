//! The cells of a file, before anybody knows what its columns mean.

use super::notice::Note;
use super::problem::{Problem, RowError};
use super::sheet::Column;
use super::workbook::Hidden;
use crate::text_file::{Encoding, decoded};

/// Lines of cells as they stand in a file or on a sheet of a workbook.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Name of the file without its folder, and of the sheet where a workbook has several.
    pub(super) name: String,
    /// Each line that is not empty: its number in the file, and its cells.
    pub(super) lines: Vec<(u64, Vec<String>)>,
    /// Lines that cannot be read as such.
    pub(super) errors: Vec<RowError>,
    /// What is to be told of the file as a whole.
    pub(super) told: Option<Note>,
    /// What nobody sees of a sheet.
    pub(super) hidden: Hidden,
}

/// Separators, the likeliest last: it wins when nothing speaks for another.
const SEPARATORS: [u8; 4] = [b'|', b'\t', b';', b','];

impl Table {
    /// A file that gives no lines.
    pub(super) fn failed(name: String, problem: Problem) -> Self {
        let error = RowError { file: name.clone(), line: 0, column: String::new(), problem };
        Self { name, errors: vec![error], ..Self::default() }
    }

    /// Reads the bytes of a CSV file whose columns may be those of any of some layouts.
    pub(super) fn parse(name: String, bytes: &[u8], layouts: &[&[Column]]) -> Self {
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
            return Self::failed(name, Problem::Workbook);
        }
        let decoded = decoded(bytes);
        let told = match &decoded {
            Some((_, Encoding::Utf16)) => Some(Note::Utf16),
            Some((_, Encoding::Windows1252)) => Some(Note::Windows1252),
            Some((_, Encoding::Utf8)) => None,
            None if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") => {
                return Self::failed(name, Problem::Utf8);
            }
            // The rows that can be read are, and the others are named.
            None => None,
        };
        let bytes = decoded.as_ref().map_or(bytes, |(text, _)| text.as_bytes());
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let (said, skip) = said_separator(bytes);
        let mut table = Self { name, told, ..Self::default() };
        let text = bytes.get(skip..).unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(said.unwrap_or_else(|| separator(text, layouts)))
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        let before = u64::from(skip > 0);
        let mut record = csv::ByteRecord::new();
        loop {
            let at = reader.position().line() + before;
            match reader.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    let line = record.position().map_or(at, |position| first_line(text, position) + before);
                    if !record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                        table.take(line, &record);
                    }
                }
                Err(_) => table.report(at, "", Problem::Csv),
            }
        }
        table
    }

    fn take(&mut self, line: u64, record: &csv::ByteRecord) {
        let mut cells = Vec::with_capacity(record.len());
        for (at, cell) in record.iter().enumerate() {
            let Ok(text) = std::str::from_utf8(cell) else {
                // The header is known later; until then the column is named by its position.
                self.report(line, &format!("#{}", at + 1), Problem::Utf8);
                return;
            };
            cells.push(trimmed(text).to_owned());
        }
        self.lines.push((line, cells));
    }

    fn report(&mut self, line: u64, column: &str, problem: Problem) {
        self.errors.push(RowError { file: self.name.clone(), line, column: column.to_owned(), problem });
    }
}

/// A cell without blanks around it. Behind an apostrophe, as exports write it, they belong to a value such as a password.
pub(super) fn trimmed(cell: &str) -> &str {
    let cell = cell.trim_start_matches(|sign: char| sign.is_ascii_whitespace());
    if cell.starts_with('\'') { cell } else { cell.trim_end_matches(|sign: char| sign.is_ascii_whitespace()) }
}

/// The separator that a line `sep=;` in front of all says, and the length of that line.
fn said_separator(bytes: &[u8]) -> (Option<u8>, usize) {
    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let line = bytes.get(..end).unwrap_or_default();
    let said = |line: &[u8]| {
        let text = std::str::from_utf8(line).ok()?.trim_end_matches(['\r', '\n']).trim_matches('"');
        let separator = text.get(..4).filter(|word| word.eq_ignore_ascii_case("sep=")).and(text.get(4..5))?;
        separator.bytes().next()
    };
    said(line).map_or((None, 0), |separator| (Some(separator), end))
}

/// The separator by which a line near the top has most known columns; else the one that the first line has most of.
fn separator(bytes: &[u8], layouts: &[&[Column]]) -> u8 {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').take(super::head::TITLES).collect();
    let known = |separator: u8| {
        let of_line = |line: &&[u8]| {
            let text = String::from_utf8_lossy(line);
            let cells: Vec<String> =
                text.split(char::from(separator)).map(|cell| cell.trim().trim_matches('"').to_owned()).collect();
            layouts.iter().map(|layout| super::head::known(&cells, layout)).max().unwrap_or(0)
        };
        lines.iter().map(of_line).max().unwrap_or(0)
    };
    let counted = |separator: u8| {
        let mut quoted = false;
        let first = lines.first().copied().unwrap_or_default();
        first
            .iter()
            .filter(|byte| {
                quoted ^= **byte == b'"';
                **byte == separator && !quoted
            })
            .count()
    };
    SEPARATORS.into_iter().max_by_key(|separator| (known(*separator), counted(*separator))).unwrap_or(b',')
}

/// The line on which a record starts; the reader's position is before the empty lines that it passed over.
fn first_line(bytes: &[u8], position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let passed = bytes.iter().skip(start).take_while(|b| matches!(b, b'\r' | b'\n'));
    position.line() + passed.filter(|b| **b == b'\n').count() as u64
}
