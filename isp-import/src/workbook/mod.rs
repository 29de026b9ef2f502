//! The sheets of a workbook (`.xlsx`, `.xlsm`, `.xls`, `.ods`) as tables.

mod hidden;
mod size;

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader, SheetType, SheetVisible, Sheets, XlsxError, open_workbook_auto_from_rs};

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
/// [`Problem::Workbook`]; [`Problem::TooLarge`] for what would take more memory than a provider's books ever do.
pub(super) fn sheets(book: &str, bytes: &[u8]) -> Result<Vec<(String, Table)>, Problem> {
    size::check(bytes)?;
    // The reader's own words may quote a cell.
    let mut workbook = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|_| Problem::Workbook)?;
    let hidden = hidden::of_book(bytes).map_err(|_| Problem::Workbook)?;
    // The old format is not looked into.
    let told = hidden.is_none().then_some(Note::HiddenUnknown);
    let mut hidden = hidden.unwrap_or_default();
    let mut tables = Vec::new();
    let mut room = size::Room::default();
    for sheet in workbook.sheets_metadata().to_vec() {
        let lines = match lines(&mut workbook, &sheet.name, &mut room) {
            Ok(lines) => lines,
            Err(Problem::Workbook) if sheet.typ != SheetType::WorkSheet => continue,
            Err(problem) => return Err(problem),
        };
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

/// The lines of a sheet that hold something, each as long as the longest.
fn lines(
    workbook: &mut Sheets<Cursor<&[u8]>>,
    sheet: &str,
    room: &mut size::Room,
) -> Result<Vec<(u64, Vec<String>)>, Problem> {
    let mut filled = Filled::default();
    if let Sheets::Xlsx(book) = workbook {
        // Cell by cell: between the first and the last of a sheet there may be seventeen thousand million places.
        let mut cells = match book.worksheet_cells_reader(sheet) {
            Ok(cells) => cells,
            Err(XlsxError::NotAWorksheet(_)) => return Ok(Vec::new()),
            Err(_) => return Err(Problem::Workbook),
        };
        while let Some(cell) = cells.next_cell().map_err(|_| Problem::Workbook)? {
            filled.take(cell.get_position(), &cell.get_value().clone().into(), room)?;
        }
    } else {
        let range = workbook.worksheet_range(sheet).map_err(|_| Problem::Workbook)?;
        let (top, left) = range.start().unwrap_or((0, 0));
        for (row, column, cell) in range.used_cells() {
            let at = |offset: u32, place: usize| offset.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
            filled.take((at(top, row), at(left, column)), cell, room)?;
        }
    }
    room.take(filled.places())?;
    Ok(filled.lines())
}

/// The cells of a sheet that hold something, by line and place.
#[derive(Default)]
struct Filled {
    rows: BTreeMap<u32, BTreeMap<u32, String>>,
    width: u32,
}

impl Filled {
    fn take(&mut self, (row, column): (u32, u32), cell: &Data, room: &size::Room) -> Result<(), Problem> {
        let text = text(cell);
        if text.is_empty() {
            return Ok(());
        }
        self.width = self.width.max(column.saturating_add(1));
        self.rows.entry(row).or_default().insert(column, text);
        room.clone().take(self.places())
    }

    /// The places of the lines that hold something.
    fn places(&self) -> u64 {
        (self.rows.len() as u64).saturating_mul(self.width.into())
    }

    fn lines(self) -> Vec<(u64, Vec<String>)> {
        let width = self.width;
        let line = |(row, mut cells): (u32, BTreeMap<u32, String>)| {
            (u64::from(row) + 1, (0..width).map(|at| cells.remove(&at).unwrap_or_default()).collect())
        };
        self.rows.into_iter().map(line).collect()
    }
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
    use std::io::Write;

    use super::*;

    /// An archive of these parts.
    fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// A workbook of one sheet with these rows.
    fn excel(rows: &str) -> Vec<u8> {
        const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
        let leads = |id: &str, kind: &str, to: &str| {
            format!(
                r#"<Relationships xmlns="{PACKAGE}"><Relationship Id="{id}" Type="{OFFICE}/{kind}" Target="{to}"/></Relationships>"#
            )
        };
        archive(&[
            ("_rels/.rels", &leads("r1", "officeDocument", "xl/workbook.xml")),
            (
                "xl/workbook.xml",
                &format!(
                    r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#
                ),
            ),
            ("xl/_rels/workbook.xml.rels", &leads("r1", "worksheet", "worksheets/sheet1.xml")),
            (
                "xl/worksheets/sheet1.xml",
                &format!(r#"<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>"#),
            ),
        ])
    }

    /// An `.ods` of one sheet with these rows.
    fn open_document(rows: &str) -> Vec<u8> {
        const SPACE: &str = "urn:oasis:names:tc:opendocument:xmlns";
        archive(&[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("META-INF/manifest.xml", "<manifest:manifest></manifest:manifest>"),
            (
                "content.xml",
                &format!(
                    r#"<office:document-content xmlns:office="{SPACE}:office:1.0" xmlns:table="{SPACE}:table:1.0" xmlns:text="{SPACE}:text:1.0"><office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"#
                ),
            ),
        ])
    }

    fn number(place: &str) -> String {
        format!(r#"<c r="{place}"><v>1</v></c>"#)
    }

    #[test]
    fn a_cell_in_the_last_corner_takes_no_memory() {
        let book = excel(&format!(
            r#"<row r="1">{}</row><row r="1048576">{}</row>"#,
            number("A1") + &number("B1"),
            number("XFD1048576")
        ));
        assert!(book.len() < 2_000);
        let [(_, table)] = &sheets("x.xlsx", &book).unwrap()[..] else { panic!("one sheet") };
        let lines: Vec<_> = table.lines.iter().map(|(line, cells)| (*line, cells.len())).collect();
        assert_eq!(lines, [(1, 16_384), (1_048_576, 16_384)]);
        assert_eq!(table.lines[0].1[..3], ["1", "1", ""]);
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        let wide: String =
            (2..300).map(|row| format!(r#"<row r="{row}">{}</row>"#, number(&format!("A{row}")))).collect();
        let corner = format!(r#"<row r="1">{}</row>{wide}"#, number("XFD1"));
        let repeated = |rows: u64, columns: u64| {
            open_document(&format!(
                r#"<table:table-row><table:table-cell office:value-type="float" office:value="1"/></table:table-row><table:table-row table:number-rows-repeated="{rows}"><table:table-cell table:number-columns-repeated="{columns}" office:value-type="float" office:value="1"/></table:table-row><table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#
            ))
        };
        let bomb = archive(&[("xl/media/a", &"0".repeat(200_000_000)), ("xl/media/b", &"0".repeat(100_000_000))]);
        assert!(bomb.len() < 1_000_000);
        for (book, refused) in [
            (excel(&corner), true),
            (excel(&wide), false),
            (repeated(1_000_000, 1_000), true),
            (repeated(3, 2), false),
            (bomb, true),
        ] {
            let found = sheets("x.xlsx", &book);
            assert_eq!(matches!(found, Err(Problem::TooLarge)), refused, "{found:?}");
            assert_eq!(found.is_ok(), !refused);
        }
    }

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
