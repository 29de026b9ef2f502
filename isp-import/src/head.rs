//! Which line is the header, and what its columns mean.

use super::notice::{Note, Notices};
use super::problem::{Problem, RowError};
use super::rows::{EverythingRow, FileRow};
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
    /// Needed columns that are missing; what is wrong with the other cells is found all the same.
    pub(super) missing: Vec<&'static str>,
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
                // Behind the colon stands what is wrong with the header, in the words of a copy.
                let called = cell.split(':').next().unwrap_or(cell).trim();
                notices.tell(&table.name, *line, called, Note::NotImported);
            }
            None if said.is_some() => {
                report(*line, &shown(cell, position), Problem::UnknownColumn { known: known() });
            }
            None if is_of_everything(cell, layout) => {
                report(*line, &shown(cell, position), Problem::ColumnOfEverything);
            }
            None if is_plain(cell) && !resembles(cell, layout) => {
                notices.tell(&table.name, *line, cell, Note::UnknownColumn);
            }
            None => report(*line, &shown(cell, position), Problem::UnknownColumn { known: known() }),
        }
    }
    for column in layout {
        if column.is_missing(|wanted| head.columns.iter().any(|(key, _)| *key == wanted)) {
            let numbers = column.key == "customer_id" && layout.iter().any(|other| other.key == "address");
            let problem = if numbers { Problem::NoCustomerNumbers } else { Problem::MissingColumn };
            report(*line, column.names.first().copied().unwrap_or(column.key), problem);
            head.missing.push(column.key);
        }
    }
    head.cells = cells;
    head
}

/// True for a column of a sheet with everything that a file of customers or of lines does not have.
fn is_of_everything(heading: &str, layout: &[Column]) -> bool {
    let of_people = layout.iter().any(|column| column.key == "customer_id" && column.required)
        && layout.iter().any(|column| ["address", "package"].contains(&column.key));
    of_people && column(heading, EverythingRow::COLUMNS).is_some()
}

/// True for a sheet that is one with everything by its columns, though it may lack some: who, which package, and how the line
/// gets onto the network or what it costs.
pub(super) fn looks_like_everything(table: &Table, maps: &[Map]) -> bool {
    let layout = EverythingRow::COLUMNS;
    let Some((_, cells)) = header_at(table, layout, maps).and_then(|at| table.lines.get(at)) else { return false };
    let is = |cell: &String, key: &str| meant(cell, layout, maps).is_some_and(|c| c.key == key);
    let has = |key: &str| cells.iter().any(|cell| is(cell, key));
    // Reports about customers have a price and a router, too, under the names of their columns.
    let says = |key: &str| cells.iter().any(|cell| is(cell, key) && !is_remark(cell));
    let line = ["username", "password", "ip_address", "mac", "start", "price", "router"];
    has("name") && has("package") && (has("address") || has("phone")) && line.into_iter().any(says)
}

/// True when a heading is nearly one that is known, as a slip of the hand leaves it.
fn resembles(heading: &str, layout: &[Column]) -> bool {
    let plain = |text: &str| text.replace('_', "");
    let said = plain(&folded(heading));
    layout.iter().flat_map(|column| column.names.iter().chain([&column.key])).any(|name| {
        let name = plain(name);
        // One sign of a short word, two of a long one; words of three signs and less resemble anything.
        let most = match name.chars().count() {
            0..=3 => 0,
            4..=6 => 1,
            _ => 2,
        };
        slips(&said, &name, most)
    })
}

/// True when so many signs at most must be added, removed, changed or swapped to make one text of the other.
fn slips(one: &str, other: &str, most: usize) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > most {
        return false;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (row[j] + usize::from(a != b)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && one[i - 1] == *b && other[j - 1] == *a {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().is_some_and(|distance| *distance <= most)
}

fn is_remark(heading: &str) -> bool {
    // What `--fix` adds may hold what is wrong with the header itself.
    let name = folded(heading.split(':').next().unwrap_or(heading));
    REMARKS.contains(&name.as_str()) || heading == "#"
}

/// An unknown header as it may be shown: by its position when it looks like data.
fn shown(cell: &str, at: usize) -> String {
    if is_plain(cell) && !cell.is_empty() { cell.to_owned() } else { format!("#{}", at + 1) }
}

/// True for what may be a heading, and is no data in its place.
fn is_plain(cell: &str) -> bool {
    cell.chars().count() <= 30 && cell.chars().filter(char::is_ascii_digit).count() < 4
}

#[cfg(test)]
mod tests {
    use super::super::rows::{CustomerRow, SubscriptionRow};
    use super::*;

    #[test]
    fn a_sheet_with_everything_has_all_columns_of_customers_and_lines() {
        let everything = EverythingRow::COLUMNS;
        let mut names = 0;
        for of in CustomerRow::COLUMNS.iter().chain(SubscriptionRow::COLUMNS) {
            for name in of.names.iter().chain([&of.key]) {
                let found = column(name, everything).map(|column| column.key);
                assert_eq!(found, Some(of.key), "{name}");
                names += 1;
            }
        }
        assert!(names > 100, "{names}");
    }

    #[test]
    fn a_slip_of_the_hand_resembles_and_another_word_does_not() {
        for (heading, known) in [("Alamt", true), ("Telpon", true), ("Usernmae", true), ("Tgl Jatuh Tempo", false)] {
            assert_eq!(resembles(heading, EverythingRow::COLUMNS), known, "{heading}");
        }
        for heading in ["Kontak Darurat", "Foto Rumah", "Sales", "Blok", "ODP"] {
            assert!(!resembles(heading, EverythingRow::COLUMNS), "{heading}");
        }
        assert!(slips("paket", "pakte", 1) && !slips("paket", "pagar", 1));
    }
}
