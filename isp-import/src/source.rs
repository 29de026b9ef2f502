//! Which file or sheet is what: by the option that names it, by its name, else by its columns.

use std::collections::BTreeMap;
use std::path::Path;

use super::head;
use super::notice::{Note, Notices};
use super::problem::{Problem, RowError};
use super::rows::{
    CpeRow, CustomerRow, EverythingRow, ExpenseRow, FileRow, InstallationRow, PackageRow, RouterRow, SiteRow,
    SubscriptionRow,
};
use super::sheet::{Column, Reading};
use super::table::Table;
use super::workbook;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Places where routers stand.
    Sites,
    /// Routers.
    Routers,
    /// Packages.
    Packages,
    /// Customers.
    Customers,
    /// Lines.
    Subscriptions,
    /// Devices at customers.
    Cpes,
    /// Installations with their fees.
    Installations,
    /// Expenses.
    Expenses,
    /// Customer, package and line in each row.
    Everything,
}

impl Kind {
    /// All, in the order in which they are imported.
    pub const ALL: [Self; 9] = [
        Self::Sites,
        Self::Routers,
        Self::Packages,
        Self::Customers,
        Self::Subscriptions,
        Self::Cpes,
        Self::Installations,
        Self::Expenses,
        Self::Everything,
    ];

    /// The file's usual name.
    pub const fn usual(self) -> &'static str {
        match self {
            Self::Sites => SiteRow::FILE,
            Self::Routers => RouterRow::FILE,
            Self::Packages => PackageRow::FILE,
            Self::Customers => CustomerRow::FILE,
            Self::Subscriptions => SubscriptionRow::FILE,
            Self::Cpes => CpeRow::FILE,
            Self::Installations => InstallationRow::FILE,
            Self::Expenses => ExpenseRow::FILE,
            Self::Everything => EverythingRow::FILE,
        }
    }

    /// Its columns.
    pub(super) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Sites => SiteRow::COLUMNS,
            Self::Routers => RouterRow::COLUMNS,
            Self::Packages => PackageRow::COLUMNS,
            Self::Customers => CustomerRow::COLUMNS,
            Self::Subscriptions => SubscriptionRow::COLUMNS,
            Self::Cpes => CpeRow::COLUMNS,
            Self::Installations => InstallationRow::COLUMNS,
            Self::Expenses => ExpenseRow::COLUMNS,
            Self::Everything => EverythingRow::COLUMNS,
        }
    }

    /// Words in the names of such files and sheets.
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Sites => &["sites", "site", "lokasi"],
            Self::Routers => &["routers", "router", "mikrotik"],
            Self::Packages => &["packages", "package", "paket"],
            Self::Customers => &["customers", "customer", "pelanggan"],
            Self::Subscriptions => &["subscriptions", "subscription", "langganan"],
            Self::Cpes => &["cpes", "cpe", "perangkat", "alat"],
            Self::Installations => &["installations", "installation", "pemasangan", "instalasi", "psb"],
            Self::Expenses => &["expenses", "expense", "pengeluaran", "biaya"],
            Self::Everything => &["everything", "semua"],
        }
    }

    /// The kind that a name tells.
    fn of_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let words: Vec<&str> = name.split(|sign: char| !sign.is_alphanumeric()).collect();
        let mut kinds = Self::ALL.into_iter().filter(|kind| kind.words().iter().any(|word| words.contains(word)));
        kinds.next().filter(|_| kinds.next().is_none())
    }

    /// The kind whose columns a table has; `None` when there is none, or two fit as well.
    fn of_columns(table: &Table, reading: &Reading) -> Option<Self> {
        let fits = |kind: Self| Some((head::fit(table, kind.columns(), &reading.maps)?, kind));
        let mut fits: Vec<(usize, Self)> = Self::ALL.into_iter().filter_map(fits).collect();
        fits.sort_unstable_by(|a, b| b.cmp(a));
        match fits[..] {
            [(best, kind), (second, _), ..] => (best > second).then_some(kind),
            [(_, kind)] => Some(kind),
            [] => None,
        }
    }
}

/// A file: its name, and what is in it.
#[derive(Debug, Clone)]
struct File {
    /// What its rows are, where somebody said so.
    kind: Option<Kind>,
    name: String,
    /// Its bytes, or why there are none.
    bytes: Result<Vec<u8>, String>,
}

/// Where the rows are.
#[derive(Debug, Clone, Default)]
pub struct Files {
    files: Vec<File>,
}

impl Files {
    /// Adds a file by its name without a folder, with its bytes or why it cannot be read. One whose kind is said takes the
    /// place of those that have it by their names.
    pub fn add(&mut self, kind: Option<Kind>, name: String, bytes: Result<Vec<u8>, String>) {
        if kind.is_some() {
            self.files.retain(|other| of_stem(&other.name) != kind);
        }
        self.files.push(File { kind, name, bytes });
    }

    /// True when there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The table of each kind; files of no kind are told.
    pub(super) fn tables(
        &self,
        reading: &Reading,
        notices: &mut Notices,
        errors: &mut Vec<RowError>,
    ) -> BTreeMap<Kind, Table> {
        let mut found = BTreeMap::new();
        for file in &self.files {
            for (kind, table) in read(file, reading) {
                match kind {
                    None if !table.errors.is_empty() => errors.extend(table.errors),
                    None => notices.tell(&table.name, 0, "", Note::UnknownFile),
                    Some(kind) => {
                        let name = table.name.clone();
                        if let Some(other) = found.insert(kind, table) {
                            let problem = Problem::TwoFiles { other: other.name };
                            errors.push(RowError { file: name, line: 0, column: String::new(), problem });
                        }
                    }
                }
            }
        }
        found
    }
}

/// True for a name that a table may have: of a text with columns, or of a workbook. Others are not looked into.
pub fn may_be_table(name: &str) -> bool {
    is_text(name) || workbook::is_workbook(name)
}

fn is_text(name: &str) -> bool {
    matches!(ending(name).as_str(), "csv" | "tsv" | "txt")
}

/// What stands behind the last point of a name, in small letters.
pub(super) fn ending(name: &str) -> String {
    Path::new(name).extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The kind that a file's name tells.
fn of_stem(name: &str) -> Option<Kind> {
    Path::new(name).file_stem().and_then(|stem| Kind::of_name(&stem.to_string_lossy()))
}

/// The tables of a file.
fn read(file: &File, reading: &Reading) -> Vec<(Option<Kind>, Table)> {
    let (said, name, by_name) = (file.kind, &file.name, of_stem(&file.name));
    let is_workbook = workbook::is_workbook(name);
    if !is_workbook && said.is_none() && !is_text(name) {
        return vec![(None, Table { name: name.clone(), ..Table::default() })];
    }
    let bytes = match &file.bytes {
        Ok(bytes) => bytes,
        Err(reason) => {
            let kind = if is_workbook { None } else { said.or(by_name) };
            return vec![(kind, Table::failed(name.clone(), Problem::File(reason.clone())))];
        }
    };
    if is_workbook {
        return match workbook::sheets(name, bytes) {
            Ok(sheets) => of_sheets(said, by_name, name, sheets, reading),
            Err(problem) => vec![(None, Table::failed(name.clone(), problem))],
        };
    }
    let (kind, is_said) = (said.or(by_name), said.is_some());
    let layouts: Vec<&[Column]> = match kind {
        Some(kind) => vec![kind.columns(), Kind::Everything.columns()],
        None => Kind::ALL.iter().map(|kind| kind.columns()).collect(),
    };
    vec![settled(kind, is_said, Table::parse(name.clone(), bytes, &layouts), reading)]
}

/// The sheets of a workbook: by their names; a single one by the option or the name of the file.
fn of_sheets(
    said: Option<Kind>,
    by_name: Option<Kind>,
    book: &str,
    sheets: Vec<(String, Table)>,
    reading: &Reading,
) -> Vec<(Option<Kind>, Table)> {
    let single = sheets.len() == 1;
    let mut tables = Vec::new();
    for (name, table) in sheets {
        let of_name = Kind::of_name(&name);
        let kind = if single { said.or(by_name).or(of_name) } else { of_name };
        let (kind, table) = settled(kind, single && said.is_some(), table, reading);
        if said.is_none() || kind == said || kind == Some(Kind::Everything) {
            tables.push((kind, table));
        }
    }
    if said.is_some() && tables.is_empty() {
        tables.push((None, Table::failed(book.to_owned(), Problem::NoSuchSheet)));
    }
    tables
}

/// A sheet of customers or lines that has all columns of both is one with everything, as is one of customers with the columns of
/// lines, unless a person said what it is; one without a name that says what it is, is what its columns say.
fn settled(kind: Option<Kind>, is_said: bool, table: Table, reading: &Reading) -> (Option<Kind>, Table) {
    let everything = || head::fit(&table, Kind::Everything.columns(), &reading.maps).is_some();
    let alike = || head::looks_like_everything(&table, &reading.maps);
    let kind = match kind {
        Some(Kind::Customers | Kind::Subscriptions) if everything() => Some(Kind::Everything),
        Some(Kind::Customers) if !is_said && alike() => Some(Kind::Everything),
        Some(kind) => Some(kind),
        None if table.lines.is_empty() => None,
        None => Kind::of_columns(&table, reading).or_else(|| alike().then_some(Kind::Everything)),
    };
    (kind, table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kinds() {
        for (name, kind) in [
            ("customers", Some(Kind::Customers)),
            ("Data Pelanggan 2026", Some(Kind::Customers)),
            ("paket", Some(Kind::Packages)),
            ("langganan", Some(Kind::Subscriptions)),
            ("pelanggan dan paket", None),
            ("Sheet1", None),
        ] {
            assert_eq!(Kind::of_name(name), kind, "{name}");
        }
    }
}
