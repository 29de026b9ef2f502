//! A folder of cases, and the table of what came out on each host.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::case::Case;
use crate::lacks::Lacks;
use crate::read::BadCase;

/// The file beside the cases that says what hosts lack.
pub const HOSTS: &str = "hosts.toml";

/// All cases of a folder, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// The cases; the file of each is its path below the folder.
    pub cases: Vec<Case>,
    /// What hosts lack.
    pub lacks: Lacks,
}

/// A folder that cannot be read as cases.
#[derive(Debug, thiserror::Error)]
pub enum BadSuite {
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The list of what hosts lack.
    #[error("{HOSTS}: {0}")]
    Hosts(String),
    /// Files that are no cases, all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Cases(Vec<BadCase>),
}

impl Suite {
    /// Reads every `.toml` below a folder, or one file, but the folder's `hosts.toml`. Names that begin with `_` or `.` are passed over.
    ///
    /// # Errors
    /// [`BadSuite`]; bad cases are all named.
    pub fn read(folder: &Path) -> Result<Self, BadSuite> {
        let (mut suite, mut bad) = (Self::default(), Vec::new());
        let mut files = Vec::new();
        walk(folder, &mut files)?;
        files.sort();
        for path in files {
            let text = read(&path).map_err(|source| BadSuite::Io { path: path.clone(), source })?;
            let inside = path.strip_prefix(folder).ok().filter(|inside| !inside.as_os_str().is_empty());
            let name = inside.unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if name == HOSTS {
                suite.lacks = Lacks::parse(&text).map_err(BadSuite::Hosts)?;
                continue;
            }
            match Case::parse(&name, &text) {
                Ok(case) => suite.cases.push(case),
                Err(problem) => bad.push(problem),
            }
        }
        if bad.is_empty() { Ok(suite) } else { Err(BadSuite::Cases(bad)) }
    }
}

/// The text of an ordinary file. A pipe would be waited for, so it is refused before it is opened.
fn read(path: &Path) -> std::io::Result<String> {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(std::io::Error::other("it is no ordinary file"));
    }
    std::fs::read_to_string(path)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), BadSuite> {
    let io = |source| BadSuite::Io { path: folder.to_owned(), source };
    if folder.exists() && !folder.is_dir() {
        files.push(folder.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

/// How many cases of each topic came out how on each host.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    hosts: Vec<String>,
    rows: BTreeMap<String, Vec<Count>>,
}

/// Cases of one topic on one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    green: usize,
    red: usize,
    lacking: usize,
}

/// What came of a case on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// All is as the case asks for.
    Green,
    /// Something is not.
    Red,
    /// The host by its nature cannot express it.
    Lacking,
}

impl Tally {
    /// A table with a column for each host.
    #[must_use]
    pub fn new(hosts: &[&str]) -> Self {
        Self { hosts: hosts.iter().map(|&host| host.to_owned()).collect(), rows: BTreeMap::new() }
    }

    /// Counts a case; its topic is the folder that it lies in.
    pub fn count(&mut self, host: &str, case: &Case, colour: Colour) {
        let Some(column) = self.hosts.iter().position(|known| known == host) else { return };
        let topic = case.file.rsplit_once('/').map_or("cases", |(topic, _)| topic);
        let row = self.rows.entry(topic.to_owned()).or_insert_with(|| vec![Count::default(); self.hosts.len()]);
        if let Some(cell) = row.get_mut(column) {
            match colour {
                Colour::Green => cell.green += 1,
                Colour::Red => cell.red += 1,
                Colour::Lacking => cell.lacking += 1,
            }
        }
    }

    /// How many cases are red, on all hosts together.
    #[must_use]
    pub fn red(&self) -> usize {
        self.rows.values().flatten().map(|cell| cell.red).sum()
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.green.to_string();
        if self.red > 0 {
            text.push_str(&format!(", {} red", self.red));
        }
        if self.lacking > 0 {
            text.push_str(&format!(" ({} lacking)", self.lacking));
        }
        f.pad(&text)
    }
}

impl fmt::Display for Tally {
    /// A row a topic and a column a host: green cases, red ones, and those that the host by its nature lacks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.keys().map(|topic| topic.len()).max().unwrap_or(0).max("cases".len());
        write!(f, "{:<width$}", "cases")?;
        self.hosts.iter().try_for_each(|host| write!(f, "  {host:>18}"))?;
        let mut all = vec![Count::default(); self.hosts.len()];
        for (topic, row) in &self.rows {
            write!(f, "\n{topic:<width$}")?;
            for (sum, cell) in all.iter_mut().zip(row) {
                sum.green += cell.green;
                sum.red += cell.red;
                sum.lacking += cell.lacking;
                write!(f, "  {cell:>18}")?;
            }
        }
        write!(f, "\n{:<width$}", "all")?;
        all.iter().try_for_each(|cell| write!(f, "  {cell:>18}"))
    }
}
