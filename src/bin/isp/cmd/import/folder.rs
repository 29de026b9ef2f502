//! The files of a folder, and what an import reads of them.

use std::path::Path;

use isp_import::{Batch, Files, Kind, Problem, Reading, RowError, may_be_table, read};

use crate::config::read_bytes;

/// All files of a folder, but for hidden ones.
///
/// # Errors
/// What the system says.
pub(super) fn files(dir: &Path) -> std::io::Result<Files> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = name_of(&path);
        // `~$book.xlsx` is there while a spreadsheet program has the book open.
        // A pipe or a socket is refused by its name when it is read.
        if !path.is_dir() && !name.starts_with('.') && !name.starts_with("~$") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut files = Files::default();
    for path in paths {
        add(&mut files, None, &path);
    }
    Ok(files)
}

/// Adds a file. One that no import looks into is told by its name, and not read.
pub(super) fn add(files: &mut Files, kind: Option<Kind>, path: &Path) {
    let name = name_of(path);
    let bytes = if kind.is_some() || may_be_table(&name) { read_bytes(path) } else { Ok(Vec::new()) };
    files.add(kind, name, bytes);
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Reads the files of a folder.
///
/// # Errors
/// All bad rows.
pub(crate) fn read_folder(dir: &Path) -> Result<Batch, Vec<RowError>> {
    let problem =
        |problem: Problem| vec![RowError { file: dir.display().to_string(), line: 0, column: String::new(), problem }];
    let files = files(dir).map_err(|error| problem(Problem::File(error.kind().to_string())))?;
    let (batch, errors) = read(&files, &Reading::default());
    if !errors.is_empty() {
        return Err(errors);
    }
    if batch.read_as.is_empty() {
        return Err(problem(Problem::File("no file of an import is in it".into())));
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_files_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let errors = read_folder(dir.path()).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].problem.code(), "import.file");
    }
}
