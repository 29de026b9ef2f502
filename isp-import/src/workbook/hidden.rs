//! What a person who looks at a sheet does not see: rows and columns that are hidden, and rows that a filter takes away.
//! The reader of cells does not say which these are.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Cursor, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;

/// No sheet of a provider has so many columns; one that is hidden up to the last is hidden up to here.
const COLUMNS: usize = 1_024;
/// The rows of the largest sheet.
const ROWS: u64 = 1_048_576;

/// What is hidden of a sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Hidden {
    /// The sheet itself.
    pub(in super::super) sheet: bool,
    /// Rows, counted from 1.
    pub(in super::super) rows: BTreeSet<u64>,
    /// Columns, counted from 0.
    pub(in super::super) columns: BTreeSet<usize>,
}

/// What is hidden of each sheet, by its name; `None` for a file that does not say so, such as `.xls`.
///
/// # Errors
/// None but that it cannot be read.
pub(super) fn of_book(bytes: &[u8]) -> Result<Option<BTreeMap<String, Hidden>>, Unreadable> {
    let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else { return Ok(None) };
    if file(&zip, "content.xml").is_some() {
        return open_document(&mut zip).map(Some);
    }
    let mut targets = BTreeMap::new();
    each_element(part(&mut zip, "xl/_rels/workbook.xml.rels")?, |element, _| {
        if let (Some(id), Some(target)) = (value(element, "Id"), value(element, "Target")) {
            targets.insert(id, target);
        }
    })?;
    let mut sheets = Vec::new();
    each_element(part(&mut zip, "xl/workbook.xml")?, |element, name| {
        if let ("sheet", Some(sheet), Some(id)) = (name, value(element, "name"), value(element, "id")) {
            sheets.push((sheet, id));
        }
    })?;
    let mut found = BTreeMap::new();
    for (sheet, id) in sheets {
        let Some(target) = targets.get(&id) else { continue };
        let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
        // A sheet of a chart has no rows.
        if file(&zip, &path).is_none() {
            continue;
        }
        let mut hidden = Hidden::default();
        let mut row = 0;
        each_element(part(&mut zip, &path)?, |element, name| match name {
            "row" => {
                row = number(element, "r").unwrap_or(row + 1);
                if yes(element, "hidden") || is_flat(element, "ht") {
                    hidden.rows.insert(row);
                }
            }
            "col" if yes(element, "hidden") || is_flat(element, "width") => {
                let (first, last) = (number(element, "min").unwrap_or(1), number(element, "max").unwrap_or(1));
                let at = |column: u64| usize::try_from(column).unwrap_or(COLUMNS).min(COLUMNS);
                hidden.columns.extend((at(first)..=at(last)).map(|column| column.saturating_sub(1)));
            }
            _ => {}
        })?;
        found.insert(sheet, hidden);
    }
    Ok(Some(found))
}

type Zip<'b> = ZipArchive<Cursor<&'b [u8]>>;

/// A part of the workbook cannot be read. Its words may quote a cell, so it has none.
#[derive(Debug)]
pub(super) struct Unreadable;

/// The sheets of an `.ods`, in which runs of equal rows and columns are written once. A row is not seen that is hidden, stands in a
/// group that is folded, or has a style without height; the same holds for columns.
fn open_document(zip: &mut Zip<'_>) -> Result<BTreeMap<String, Hidden>, Unreadable> {
    let mut found = BTreeMap::new();
    let mut sheet: Option<(String, Hidden)> = None;
    let (mut row, mut column) = (0_u64, 0_usize);
    // Whether each of the groups that are open is folded.
    let mut groups: Vec<bool> = Vec::new();
    // The style that is being read, and those without height or width.
    let (mut style, mut flat) = (String::new(), BTreeSet::new());
    each_step(part(zip, "content.xml")?, |element, name| match (name, element) {
        ("style", Some(element)) => style = value(element, "name").unwrap_or_default(),
        ("table-row-properties", Some(element)) if is_flat(element, "row-height") => {
            flat.insert(style.clone());
        }
        ("table-column-properties", Some(element)) if is_flat(element, "column-width") => {
            flat.insert(style.clone());
        }
        ("table", Some(element)) => {
            found.extend(sheet.take());
            (row, column) = (0, 0);
            sheet = value(element, "name").map(|name| (name, Hidden::default()));
        }
        ("table-row-group" | "table-column-group", Some(element)) => {
            groups.push(value(element, "display").is_some_and(|shown| shown == "false"));
        }
        ("table-row-group" | "table-column-group", None) => {
            groups.pop();
        }
        ("table-row" | "table-column", Some(element)) => {
            let Some((_, hidden)) = sheet.as_mut() else { return };
            let unseen = value(element, "visibility").is_some_and(|how| how != "visible")
                || groups.contains(&true)
                || value(element, "style-name").is_some_and(|style| flat.contains(&style));
            if name == "table-row" {
                let times = number(element, "number-rows-repeated").unwrap_or(1);
                // Up to the end of the sheet, where nothing stands.
                if unseen && times < 100_000 && row < ROWS {
                    hidden.rows.extend(row + 1..=row + times);
                }
                row = row.saturating_add(times);
            } else {
                let times = number(element, "number-columns-repeated").unwrap_or(1);
                let last = column.saturating_add(usize::try_from(times).unwrap_or(COLUMNS)).min(COLUMNS);
                if unseen {
                    hidden.columns.extend(column..last);
                }
                column = last;
            }
        }
        _ => {}
    })?;
    found.extend(sheet);
    Ok(found)
}

/// How many places all sheets of an `.ods` have, each up to its last row and column that hold something; `None` for another file.
///
/// # Errors
/// None but that it cannot be read.
pub(super) fn places(bytes: &[u8]) -> Result<Option<u64>, Unreadable> {
    let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else { return Ok(None) };
    if file(&zip, "content.xml").is_none() {
        return Ok(None);
    }
    let (mut places, mut rows, mut columns) = (0_u64, 0_u64, 0_u64);
    // In the sheet and in the row that are being read; a row may stand for several equal ones.
    let (mut row, mut times, mut column, mut filled) = (0_u64, 1, 0_u64, false);
    each_step(part(&mut zip, "content.xml")?, |element, name| match (name, element) {
        ("table", Some(_)) => (row, rows, columns) = (0, 0, 0),
        ("table", None) => places = places.saturating_add(rows.saturating_mul(columns)),
        ("table-row", Some(element)) => {
            times = number(element, "number-rows-repeated").unwrap_or(1);
            (column, filled) = (0, false);
        }
        ("table-cell" | "covered-table-cell", Some(element)) => {
            column = column.saturating_add(number(element, "number-columns-repeated").unwrap_or(1));
            let holds = |name: &str| name.contains("value") || name.contains("formula");
            if element.attributes().flatten().any(|attribute| holds(attribute.key.local_name().as_ref())) {
                filled = true;
                columns = columns.max(column);
            }
        }
        ("table-row", None) => {
            row = row.saturating_add(times);
            if filled {
                rows = row;
            }
        }
        _ => {}
    })?;
    Ok(Some(places))
}

/// The name under which a part stands in the archive; programs write it in capitals, too.
fn file(zip: &Zip<'_>, path: &str) -> Option<String> {
    let mut names = zip.file_names().flatten();
    names.find(|name| name.replace('\\', "/").eq_ignore_ascii_case(path)).map(std::borrow::Cow::into_owned)
}

fn part<'z>(zip: &'z mut Zip<'_>, path: &str) -> Result<impl BufRead + 'z, Unreadable> {
    let name = file(zip, path).ok_or(Unreadable)?;
    // More than the largest sheet that is read; what unpacks to more is no spreadsheet.
    const MOST: u64 = 2_000_000_000;
    let part = zip.by_name(&name).map_err(|_| Unreadable)?;
    Ok(BufReader::new(part.take(MOST)))
}

/// Calls for each element with its name, without what stands before a colon in it.
fn each_element(xml: impl BufRead, mut each: impl FnMut(&BytesStart<'_>, &str)) -> Result<(), Unreadable> {
    each_step(xml, |element, name| {
        if let Some(element) = element {
            each(element, name);
        }
    })
}

/// The same, and once more without the element where it ends.
fn each_step(xml: impl BufRead, mut each: impl FnMut(Option<&BytesStart<'_>>, &str)) -> Result<(), Unreadable> {
    let mut reader = Reader::from_reader(xml);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match reader.read_event_into(&mut bytes).map_err(|_| Unreadable)? {
            Event::Start(element) => each(Some(&element), element.local_name().as_ref()),
            Event::Empty(element) => {
                each(Some(&element), element.local_name().as_ref());
                each(None, element.local_name().as_ref());
            }
            Event::End(element) => each(None, element.local_name().as_ref()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The value of an attribute, whatever stands before a colon in its name.
fn value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes().flatten();
    let found = attributes.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(std::borrow::Cow::into_owned)
}

fn number(element: &BytesStart<'_>, name: &str) -> Option<u64> {
    value(element, name)?.parse().ok()
}

fn yes(element: &BytesStart<'_>, name: &str) -> bool {
    value(element, name).is_some_and(|text| text == "1" || text == "true")
}

/// True for a row without height or a column without width, with a unit behind the number or not.
fn is_flat(element: &BytesStart<'_>, name: &str) -> bool {
    let size =
        value(element, name).and_then(|text| text.trim_end_matches(char::is_alphabetic).trim().parse::<f32>().ok());
    size.is_some_and(|size| size <= 0.0)
}
