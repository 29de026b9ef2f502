//! The sheets of a workbook (`.xlsx`, `.xlsm`, `.xls`, `.ods`) as tables.

mod hidden;

use std::io::Cursor;

use calamine::{Data, Range, Reader, SheetType, SheetVisible, open_workbook_auto_from_rs};

pub(super) use hidden::Hidden;

use super::notice::Note;
use super::problem::Problem;
use super::source::ending;
use super::table::{Table, trimmed};

/// A number with more digits than a spreadsheet keeps.
const ROUNDED: f64 = 1e15;

/// True for a file that is a workbook by its name.
pub(super) fn is_workbook(name: &str) -> bool {
    matches!(ending(name).as_str(), "xlsx" | "xlsm" | "xls" | "ods")
}

/// The sheets of a workbook that hold something, each with its name.
///
/// # Errors
/// [`Problem::Workbook`].
pub(super) fn sheets(book: &str, bytes: &[u8]) -> Result<Vec<(String, Table)>, Problem> {
    // The reader's own words may quote a cell.
    let mut workbook = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|_| Problem::Workbook)?;
    let hidden = hidden::of_book(bytes).map_err(|_| Problem::Workbook)?;
    // The old format is not looked into.
    let told = hidden.is_none().then_some(Note::HiddenUnknown);
    let mut hidden = hidden.unwrap_or_default();
    let mut tables = Vec::new();
    for sheet in workbook.sheets_metadata().to_vec() {
        let Ok(range) = workbook.worksheet_range(&sheet.name) else {
            match sheet.typ {
                SheetType::WorkSheet => return Err(Problem::Workbook),
                _ => continue,
            }
        };
        let lines = lines(&range);
        if !lines.is_empty() {
            let hidden = hidden.remove(&sheet.name).unwrap_or_default();
            let hidden = Hidden { sheet: sheet.visible != SheetVisible::Visible, ..hidden };
            tables.push((sheet.name, Table { name: book.to_owned(), lines, told, hidden, ..Table::default() }));
        }
    }
    if tables.len() > 1 {
        for (name, table) in &mut tables {
            table.name = format!("{}[{name}]", table.name);
        }
    }
    Ok(tables)
}

fn lines(range: &Range<Data>) -> Vec<(u64, Vec<String>)> {
    let (first, left) = range.start().unwrap_or((0, 0));
    let row = |(at, cells): (usize, &[Data])| {
        let line = u64::from(first) + at as u64 + 1;
        let empty = std::iter::repeat_n(String::new(), left as usize);
        (line, empty.chain(cells.iter().map(text)).collect::<Vec<_>>())
    };
    range.rows().enumerate().map(row).filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty())).collect()
}

/// A cell as a person sees it: whole numbers without a point, days as days.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => trimmed(text).to_owned(),
        Data::Int(number) => number.to_string(),
        // Digits are lost already: say so in the way that the parsers of NIK and numbers know.
        Data::Float(number) if number.abs() >= ROUNDED => format!("{number:E}").replace('E', "E+"),
        Data::Float(number) => number.to_string(),
        Data::Bool(yes) => if *yes { "ya" } else { "tidak" }.to_owned(),
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
        Data::DateTime(duration) => duration.as_f64().to_string(),
        Data::Error(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_as_people_see_them() {
        for (cell, seen) in [
            (Data::Float(81_210_000_001.0), "81210000001"),
            (Data::Float(12.0), "12"),
            (Data::Float(1.5), "1.5"),
            (Data::Float(3_273_011_708_450_010.0), "3.27301170845001E+15"),
            (Data::Int(7), "7"),
            (Data::Bool(true), "ya"),
            (Data::String(" Siti ".into()), "Siti"),
            (Data::Empty, ""),
        ] {
            assert_eq!(text(&cell), seen);
        }
    }
}
