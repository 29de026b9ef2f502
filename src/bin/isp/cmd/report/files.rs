//! The files that reports are written to.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::picture::Section;
use super::{html, xlsx};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column};

/// Where a report goes instead of the screen.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Files {
    /// Write it with charts into this page, which opens in any browser and needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write it with charts into this workbook, for spreadsheets.
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
}

impl Files {
    /// True when there is a file to write.
    pub(super) const fn wanted(&self) -> bool {
        self.html.is_some() || self.xlsx.is_some()
    }

    /// Writes the files, whole or not at all, and says so.
    pub(super) fn write(&self, ctx: &Context, sections: &[Section]) -> anyhow::Result<Exit> {
        let mut rows = Rows::new(&[column("file")]);
        let date = ("date", ctx.today().to_string());
        let about = match &ctx.config.provider {
            Some(provider) => ctx.texts.with("report.about", &[("name", provider.name.to_string()), date]),
            None => ctx.texts.with("report.about_unnamed", &[date]),
        };
        if let Some(path) = &self.html {
            replace(path, html::page(&about, sections, &ctx.texts).as_bytes())?;
            rows.push(vec![Cell::text(path.display())]);
        }
        if let Some(path) = &self.xlsx {
            let bad = |error: rust_xlsxwriter::XlsxError| Failure::File {
                path: path.display().to_string(),
                reason: error.to_string(),
            };
            replace(path, &xlsx::workbook(sections, ctx.now, &ctx.texts).map_err(bad)?)?;
            rows.push(vec![Cell::text(path.display())]);
        }
        let written = [&self.html, &self.xlsx].into_iter().flatten().map(|path| path.display().to_string());
        ctx.done("done.report_written", &[("file", written.collect::<Vec<_>>().join(", "))], &rows)?;
        Ok(Exit::Done)
    }
}

/// Puts a file in its place at once, so that a full disk leaves the old one. Only its owner may read it: it holds customers.
pub(in crate::cmd) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::File { path: path.display().to_string(), reason: error.kind().to_string() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Failure::File { path: path.display().to_string(), reason: "it is no ordinary file".to_owned() });
    }
    if !is_of_its_kind(path, bytes).map_err(failed)? {
        let reason = "it is there already, and is no such page or workbook".to_owned();
        return Err(Failure::File { path: path.display().to_string(), reason });
    }
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// True when nothing is there, or what begins as `bytes` do: a page takes the place of a page. A slip of the fingers must not cost
/// the database, the key or the settings.
fn is_of_its_kind(path: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    let mut start = Vec::new();
    match std::fs::File::open(path) {
        Ok(there) => there.take(4).read_to_end(&mut start)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(bytes.starts_with(&start))
}
