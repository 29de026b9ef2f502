//! Spreadsheets of owners.

use isp_core::text::Language;
use isp_import::{Files, Kind, Reading, decoded, read};

/// A text with columns, as each kind of file and as one whose kind is found out.
pub(crate) fn csv(data: &[u8]) {
    let Some((&kind, text)) = data.split_first() else { return };
    let kind = Kind::ALL.get(usize::from(kind) % (Kind::ALL.len() + 1)).copied();
    files(kind, "data.csv", text);
    let _ = decoded(text);
}

/// A workbook: xlsx, xls or ods.
pub(crate) fn workbook(data: &[u8]) {
    let Some((&kind, bytes)) = data.split_first() else { return };
    let name = ["data.xlsx", "data.xls", "data.ods"][usize::from(kind) % 3];
    files(None, name, bytes);
}

/// Good rows and errors are the same each time, and each error can be said.
fn files(kind: Option<Kind>, name: &str, bytes: &[u8]) {
    let mut files = Files::default();
    files.add(kind, name.to_owned(), Ok(bytes.to_vec()));
    let (_, errors) = read(&files, &Reading::default());
    let (_, again) = read(&files, &Reading::default());
    let said = |errors: &[isp_import::RowError]| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(said(&errors), said(&again));
    for error in &errors {
        assert!(!error.to_string().is_empty());
        assert!(!error.problem.said(Language::Id).is_empty() && !error.problem.said(Language::En).is_empty());
    }
}
