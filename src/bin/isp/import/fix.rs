//! Copies of the files with a column that says what is wrong in each row, for a person to mend and import again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::head;
use super::problem::RowError;
use super::sheet::Reading;
use super::source::Files;

/// A copy of a file, and what it is to be called.
#[derive(Debug)]
pub(crate) struct Copy {
    /// Its name, `customers.csv`.
    pub(crate) name: String,
    /// CSV with the rows as they were written, and one column more.
    pub(crate) bytes: Vec<u8>,
}

/// Makes the copies. A row's column `heading` holds what `say` makes of the errors and questions about it; an import does
/// not read that column.
///
/// # Errors
/// What the writer of CSV says.
pub(crate) fn copies(
    files: &Files,
    reading: &Reading,
    errors: &[RowError],
    heading: &str,
    separator: u8,
    say: impl Fn(&RowError) -> String,
) -> anyhow::Result<Vec<Copy>> {
    let mut said: BTreeMap<(&str, u64), Vec<String>> = BTreeMap::new();
    for error in errors {
        said.entry((error.file.as_str(), error.line)).or_default().push(say(error));
    }
    let mut copies = Vec::new();
    for (kind, table) in files.tables(reading, &mut Default::default(), &mut Vec::new()) {
        let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
        let header = head::header_at(&table, kind.columns(), &reading.maps);
        let width = table.lines.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        for (at, (line, cells)) in table.lines.iter().enumerate() {
            let problems = said.get(&(table.name.as_str(), *line)).map(|said| said.join("; ")).unwrap_or_default();
            let last = match header {
                Some(header) if at == header && problems.is_empty() => heading.to_owned(),
                Some(header) if at == header => format!("{heading}: {problems}"),
                _ => problems,
            };
            let empty = std::iter::repeat_n(String::new(), width.saturating_sub(cells.len()));
            writer.write_record(cells.iter().cloned().chain(empty).chain([last]))?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        copies.push(Copy { name: name_of(&table.name), bytes });
    }
    Ok(copies)
}

/// The name of a copy: `book.xlsx[Pelanggan]` becomes `book-Pelanggan.csv`.
fn name_of(table: &str) -> String {
    let (book, sheet) = table.split_once('[').unwrap_or((table, ""));
    let stem = Path::new(book).file_stem().map_or_else(|| book.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let sheet: String = sheet.chars().filter(|sign| sign.is_alphanumeric()).collect();
    if sheet.is_empty() { format!("{stem}.csv") } else { format!("{stem}-{sheet}.csv") }
}

/// Where the copies go: a single one into a file that does not exist yet, several into a folder.
pub(crate) fn place(target: &Path, copies: &[Copy]) -> Vec<PathBuf> {
    let single = copies.len() == 1 && !target.is_dir() && target.extension().is_some();
    copies.iter().map(|copy| if single { target.to_owned() } else { target.join(&copy.name) }).collect()
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
