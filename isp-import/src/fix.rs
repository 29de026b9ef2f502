//! Copies of the files with a column that says what is wrong in each row, for a person to mend and import again. Customers who
//! have no number get one there.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use super::head;
use super::problem::RowError;
use super::sheet::Reading;
use super::source::{Files, Kind};
use super::table::Table;
use super::total::Totals;

/// A copy of a file, and what it is to be called.
#[derive(Debug)]
pub struct Copy {
    /// Its name, `customers.csv`.
    pub name: String,
    /// CSV with the rows as they were written, and one column more.
    pub bytes: Vec<u8>,
}

/// Makes the copies. A row's column `heading` holds what `say` makes of the errors and questions about it; an import does
/// not read that column. Customers without a number get `PLG-0001` and on, but for those that are `taken`.
///
/// # Errors
/// What the writer of CSV says.
pub fn copies(
    files: &Files,
    reading: &Reading,
    errors: &[RowError],
    heading: &str,
    separator: u8,
    taken: &dyn Fn(&str) -> bool,
    say: impl Fn(&RowError) -> String,
) -> std::io::Result<Vec<Copy>> {
    let mut said: BTreeMap<(&str, u64), Vec<String>> = BTreeMap::new();
    for error in errors {
        said.entry((error.file.as_str(), error.line)).or_default().push(say(error));
    }
    let mut copies = Vec::new();
    for (kind, table) in files.tables(reading, &mut Default::default(), &mut Vec::new()) {
        let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
        let header = head::header_at(&table, kind.columns(), &reading.maps);
        let mut totals = header.map(|header| Totals::new(named_by(kind, &table, header, reading)));
        let mut given = header.and_then(|header| Given::new(kind, &table, header, reading, taken));
        let width = table.lines.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        for (at, (line, cells)) in table.lines.iter().enumerate() {
            let problems = said.get(&(table.name.as_str(), *line)).map(|said| said.join("; ")).unwrap_or_default();
            let last = match header {
                Some(header) if at == header && problems.is_empty() => heading.to_owned(),
                Some(header) if at == header => format!("{heading}: {problems}"),
                _ => problems,
            };
            let mut cells = cells.clone();
            cells.resize(width.max(cells.len()), String::new());
            let is_total =
                header.is_some_and(|header| at > header) && totals.as_mut().is_some_and(|t| t.is_one(&cells));
            if let (Some(given), Some(header)) = (given.as_mut(), header) {
                given.is_total = is_total;
                given.fill(&mut cells, at.cmp(&header));
            }
            writer.write_record(cells.into_iter().chain([last]))?;
        }
        let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        copies.push(Copy { name: name_of(&table.name), bytes });
    }
    Ok(copies)
}

/// Where the rows of a sheet have what names them.
fn named_by(kind: Kind, table: &Table, header: usize, reading: &Reading) -> Option<usize> {
    let key = kind.columns().iter().find(|column| column.required)?.key;
    head::position(&table.lines.get(header)?.1, key, kind.columns(), &reading.maps)
}

/// Gives numbers to the customers of a sheet that have none.
struct Given<'a> {
    /// Where the number stands; `None` where the sheet has no such column, and one is put in front.
    column: Option<usize>,
    /// What tells a customer from another: name, address, phone. One with several lines stands on several rows.
    person: Vec<usize>,
    /// Numbers that the sheet has.
    there: HashSet<String>,
    /// Those that were given.
    known: HashMap<Vec<String>, String>,
    last: u32,
    /// Whether the line is one of totals, which gets none.
    is_total: bool,
    /// True for a number that somebody has already.
    taken: &'a dyn Fn(&str) -> bool,
}

impl<'a> Given<'a> {
    /// `None` for a sheet that is not about customers.
    fn new(
        kind: Kind,
        table: &Table,
        header: usize,
        reading: &Reading,
        taken: &'a dyn Fn(&str) -> bool,
    ) -> Option<Self> {
        if !matches!(kind, Kind::Customers | Kind::Everything) {
            return None;
        }
        let headings = &table.lines.get(header)?.1;
        let at = |key: &str| head::position(headings, key, kind.columns(), &reading.maps);
        let column = at("customer_id");
        let person: Vec<usize> = ["name", "address", "phone"].into_iter().filter_map(at).collect();
        let written = |(_, cells): &(u64, Vec<String>)| Some(cells.get(column?)?.trim().to_uppercase());
        let there = table.lines.iter().skip(header + 1).filter_map(written).collect();
        Some(Self { column, person, there, known: HashMap::new(), last: 0, is_total: false, taken })
    }

    /// Fills a line that stands before the header, is the header, or stands after it.
    fn fill(&mut self, cells: &mut Vec<String>, after_header: Ordering) {
        let has_none = self.column.is_none_or(|at| cells.get(at).is_none_or(|cell| cell.trim().is_empty()));
        let number = match after_header {
            Ordering::Greater if has_none && !self.is_total && cells.iter().any(|cell| !cell.trim().is_empty()) => {
                self.number(cells)
            }
            Ordering::Equal => "id_pelanggan".to_owned(),
            _ => String::new(),
        };
        match self.column {
            None => cells.insert(0, number),
            Some(at) if after_header == Ordering::Greater && has_none && !self.is_total => {
                if let Some(cell) = cells.get_mut(at) {
                    *cell = number;
                }
            }
            Some(_) => {}
        }
    }

    fn number(&mut self, cells: &[String]) -> String {
        let of = |at: &usize| cells.get(*at).map(|cell| cell.trim().to_lowercase()).unwrap_or_default();
        let person: Vec<String> = self.person.iter().map(of).collect();
        if let Some(known) = self.known.get(&person) {
            return known.clone();
        }
        let number = loop {
            self.last += 1;
            let number = format!("PLG-{:04}", self.last);
            if !self.there.contains(&number) && !(self.taken)(&number) {
                break number;
            }
        };
        self.known.insert(person, number.clone());
        number
    }
}

/// The name of a copy: `book.xlsx[Pelanggan]` becomes `book-Pelanggan.csv`.
fn name_of(table: &str) -> String {
    let (book, sheet) = table.split_once('[').unwrap_or((table, ""));
    let stem = Path::new(book).file_stem().map_or_else(|| book.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let sheet: String = sheet.chars().filter(|sign| sign.is_alphanumeric()).collect();
    if sheet.is_empty() { format!("{stem}.csv") } else { format!("{stem}-{sheet}.csv") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies() {
        assert_eq!(name_of("customers.csv"), "customers.csv");
        assert_eq!(name_of("Data 2026.xlsx"), "Data 2026.csv");
        assert_eq!(name_of("book.xlsx[Pelanggan Aktif]"), "book-PelangganAktif.csv");
    }
}
