//! Which line is the header, and what its columns mean.

use super::notice::{Note, Notices};
use super::problem::{Problem, RowError};
use super::sheet::Column;
use super::table::Table;

/// The header is looked for in so many lines; what stands above it is a title.
pub(super) const TITLES: usize = 15;

/// What a person said that columns mean: a heading, and the column's name; `-` leaves it out.
pub(crate) type Map = (String, String);

/// Columns that sheets and reports have for people; nothing in them is imported, where a file does not need them.
const REMARKS: [&str; 44] = [
    "no",
    "nomor",
    "no_urut",
    "nomor_urut",
    "urut",
    "num",
    "keterangan",
    "ket",
    "catatan",
    "remark",
    "remarks",
    "note",
    "notes",
    "masalah",
    "problem",
    "nama",
    "name",
    "nama_pelanggan",
    "customer_name",
    "package",
    "price",
    "discount",
    "router",
    "months",
    "status",
    "access",
    "confirmed",
    "owed",
    "overdue",
    "days_late",
    "credit",
    "installed",
    "to_return",
    "sold",
    "subscribers",
    "active",
    "isolated",
    "paused",
    "monthly",
    "invoiced",
    "paid",
    "state",
    "id",
    "lines",
];

/// A header that was found.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The cells of the header.
    pub(super) cells: Vec<String>,
    /// The key and position of each known column.
    pub(super) columns: Vec<(&'static str, usize)>,
    /// How many lines of the table are above the rows: titles and the header.
    pub(super) above: usize,
    /// Whether the rows can be read by it.
    pub(super) usable: bool,
}

/// A heading in the form of the layouts: small letters, `_` for whatever divides words.
fn folded(heading: &str) -> String {
    let words = isp_core::typed::clean(heading).to_lowercase();
    words.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

/// The column that a heading names; in two languages (`Nama / Name`), each is tried.
fn column<'l>(heading: &str, layout: &'l [Column]) -> Option<&'l Column> {
    let named = |text: &str| {
        let name = folded(text);
        layout.iter().find(|column| column.key == name || column.names.contains(&name.as_str()))
    };
    named(heading).or_else(|| heading.split(['/', '(', ')', '|', '\n', '\r']).find_map(named))
}

/// How many cells are headings of a layout.
pub(super) fn known(cells: &[String], layout: &[Column]) -> usize {
    cells.iter().filter(|cell| column(cell, layout).is_some()).count()
}

/// How well a table fits a layout: its known columns, when it has all that are needed.
pub(super) fn fit(table: &Table, layout: &[Column], maps: &[Map]) -> Option<usize> {
    let (_, cells) = table.lines.get(header_at(table, layout, maps)?)?;
    let there = |key: &str| cells.iter().any(|cell| meant(cell, layout, maps).is_some_and(|c| c.key == key));
    let all = !layout.iter().any(|column| column.is_missing(there));
    all.then(|| cells.iter().filter(|cell| meant(cell, layout, maps).is_some()).count())
}

/// Where a row has the cell of a column.
pub(super) fn position(header: &[String], key: &str, layout: &[Column], maps: &[Map]) -> Option<usize> {
    header.iter().position(|cell| meant(cell, layout, maps).is_some_and(|column| column.key == key))
}

/// The column that a heading means, as a person said or by its name.
fn meant<'l>(heading: &str, layout: &'l [Column], maps: &[Map]) -> Option<&'l Column> {
    match said(heading, maps) {
        Some(target) => column(target, layout),
        None => column(heading, layout),
    }
}

fn said<'m>(heading: &str, maps: &'m [Map]) -> Option<&'m str> {
    let name = folded(heading);
    maps.iter().find(|(from, _)| folded(from) == name).map(|(_, to)| to.as_str())
}

/// The line of the header: the first with two known columns, else the first with one.
pub(super) fn header_at(table: &Table, layout: &[Column], maps: &[Map]) -> Option<usize> {
    let counts: Vec<usize> = table
        .lines
        .iter()
        .take(TITLES)
        .map(|(_, cells)| cells.iter().filter(|cell| meant(cell, layout, maps).is_some()).count())
        .collect();
    counts.iter().position(|count| *count >= 2).or_else(|| counts.iter().position(|count| *count == 1))
}

/// Finds the header of a table and reports what is wrong with it.
pub(super) fn find(
    table: &Table,
    layout: &[Column],
    maps: &[Map],
    notices: &mut Notices,
    errors: &mut Vec<RowError>,
) -> Head {
    let mut report = |line: u64, column: &str, problem: Problem| {
        errors.push(RowError { file: table.name.clone(), line, column: column.to_owned(), problem });
    };
    let known = || layout.iter().filter_map(|column| column.names.first()).copied().collect::<Vec<_>>().join(", ");
    let Some(at) = header_at(table, layout, maps) else {
        // Perhaps the first line is data already: name nothing of it.
        let line = table.lines.first().map_or(1, |(line, _)| *line);
        report(line, "", Problem::NoHeader { known: known() });
        return Head::default();
    };
    let Some((line, cells)) = table.lines.get(at) else { return Head::default() };
    let mut cells = cells.clone();
    while cells.last().is_some_and(String::is_empty) {
        cells.pop();
    }
    if at > 0 {
        notices.tell(&table.name, *line, "", Note::Titles);
    }
    let mut head = Head { above: at + 1, usable: true, ..Head::default() };
    for (position, cell) in cells.iter().enumerate() {
        let said = said(cell, maps);
        match meant(cell, layout, maps) {
            // In a list that was exported the id of the row stands beside that of the customer.
            Some(column) if head.columns.iter().any(|(key, _)| *key == column.key) && folded(cell) == "id" => {
                notices.tell(&table.name, *line, cell, Note::NotImported);
            }
            Some(column) if head.columns.iter().any(|(key, _)| *key == column.key) => {
                report(*line, cell, Problem::RepeatedColumn);
            }
            Some(column) => head.columns.push((column.key, position)),
            None if said == Some("-") || cell.is_empty() => {}
            None if is_remark(cell) => {
                notices.tell(&table.name, *line, cell, Note::NotImported);
            }
            None => report(*line, &shown(cell, position), Problem::UnknownColumn { known: known() }),
        }
    }
    for column in layout {
        if column.is_missing(|wanted| head.columns.iter().any(|(key, _)| *key == wanted)) {
            let numbers = column.key == "customer_id" && layout.iter().any(|other| other.key == "address");
            let problem = if numbers { Problem::NoCustomerNumbers } else { Problem::MissingColumn };
            report(*line, column.names.first().copied().unwrap_or(column.key), problem);
            head.usable = false;
        }
    }
    head.cells = cells;
    head
}

fn is_remark(heading: &str) -> bool {
    // What `--fix` adds may hold what is wrong with the header itself.
    let name = folded(heading.split(':').next().unwrap_or(heading));
    REMARKS.contains(&name.as_str()) || heading == "#"
}

/// An unknown header as it may be shown: by its position when it looks like data.
fn shown(cell: &str, at: usize) -> String {
    let plain = cell.chars().count() <= 30 && cell.chars().filter(char::is_ascii_digit).count() < 4;
    if plain && !cell.is_empty() { cell.to_owned() } else { format!("#{}", at + 1) }
}
