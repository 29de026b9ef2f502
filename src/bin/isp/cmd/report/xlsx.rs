//! Reports as a workbook: a sheet a table, and one with the charts and their numbers. No cell holds a formula.

use chrono::{DateTime, Utc};
use rust_xlsxwriter::{
    Chart as Picture, ChartType, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use super::picture::{Chart, Kind, Section};
use crate::grid::Grid;
use crate::i18n::Texts;
use crate::output::{Cell, harmless};

/// How rupiah are shown; spreadsheets put the separators of their own language.
const RUPIAH: &str = "\"Rp\"#,##0;[Red]-\"Rp\"#,##0";
/// Numbers beyond this are written as text: a spreadsheet would round them.
const EXACT: i64 = 1 << 53;
/// Rows that a chart covers.
const CHART_ROWS: u32 = 16;

/// The workbook of some reports.
pub(super) fn workbook(sections: &[Section], at: DateTime<Utc>, texts: &Texts) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_timestamp(at.timestamp())?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    for section in sections {
        for (heading, grid) in &section.tables {
            let sheet = book.add_worksheet();
            let name = if heading.is_empty() { &section.title } else { heading };
            // Excel takes no more signs.
            sheet.set_name(name.chars().take(31).collect::<String>())?;
            table(sheet, grid, texts)?;
        }
    }
    if sections.iter().any(|section| !section.charts.is_empty()) {
        let name = texts.t("report.charts");
        let sheet = book.add_worksheet();
        sheet.set_name(&name)?;
        let mut row = 0;
        for chart in sections.iter().flat_map(|section| &section.charts) {
            row = drawn(sheet, &name, row, chart)?;
        }
        sheet.autofit();
    }
    book.save_to_buffer()
}

fn table(sheet: &mut Worksheet, grid: &Grid, texts: &Texts) -> Result<(), XlsxError> {
    let head = Format::new().set_bold();
    let right = Format::new().set_bold().set_align(FormatAlign::Right);
    for (heading, column) in grid.headings.iter().zip(0_u16..) {
        sheet.write_string_with_format(0, column, &heading.text, if heading.right { &right } else { &head })?;
    }
    for (cells, row) in grid.rows.iter().zip(1_u32..) {
        for (cell, column) in cells.iter().zip(0_u16..) {
            write(sheet, row, column, cell, texts)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, 0)?;
    sheet.autofit();
    Ok(())
}

/// Numbers as numbers, all else as text that nothing runs.
fn write(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, texts: &Texts) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Number(number) => count(sheet, row, column, *number, &Format::new())?,
        Cell::Money(money) => count(sheet, row, column, money.as_i64(), &Format::new().set_num_format(RUPIAH))?,
        // As it is dialled.
        Cell::Phone(phone) => drop(sheet.write_string(row, column, phone.national())?),
        Cell::Text(text) => drop(sheet.write_string(row, column, harmless(text))?),
        Cell::Word(_) => drop(sheet.write_string(row, column, cell.shown(texts))?),
    }
    Ok(())
}

fn count(sheet: &mut Worksheet, row: u32, column: u16, number: i64, format: &Format) -> Result<(), XlsxError> {
    if number.abs() > EXACT {
        sheet.write_string(row, column, number.to_string())?;
    } else {
        sheet.write_number_with_format(row, column, number as f64, format)?;
    }
    Ok(())
}

/// The numbers of a chart and its picture beside them; the row of the next one.
fn drawn(sheet: &mut Worksheet, name: &str, from: u32, chart: &Chart) -> Result<u32, XlsxError> {
    let bold = Format::new().set_bold();
    let format = if chart.money { Format::new().set_num_format(RUPIAH) } else { Format::new() };
    sheet.write_string_with_format(from, 0, &chart.title, &bold)?;
    let (first, count_of) = (from + 2, u32::try_from(chart.labels.len()).unwrap_or(u32::MAX));
    let last = first + count_of.max(1) - 1;
    for (label, row) in chart.labels.iter().zip(first..) {
        sheet.write_string(row, 0, harmless(label))?;
    }
    let mut picture = Picture::new(match chart.kind {
        Kind::Bars => ChartType::Bar,
        Kind::Columns => ChartType::Column,
    });
    for ((series, values), column) in chart.series.iter().zip(1_u16..) {
        sheet.write_string_with_format(from + 1, column, series, &bold)?;
        for (value, row) in values.iter().zip(first..) {
            count(sheet, row, column, *value, &format)?;
        }
        picture
            .add_series()
            .set_name((name, from + 1, column))
            .set_categories((name, first, 0, last, 0))
            .set_values((name, first, column, last, column));
    }
    picture.title().set_name(&chart.title);
    if chart.kind == Kind::Bars {
        // The first label on top, as on the page.
        picture.x_axis().set_reverse();
        picture.legend().set_hidden();
    } else {
        picture.legend().set_position(rust_xlsxwriter::ChartLegendPosition::Bottom);
    }
    sheet.insert_chart(from, 6, &picture)?;
    Ok((last + 2).max(from + CHART_ROWS))
}
