//! All files of one import, each row a value; duplicates within the files are found here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use isp_core::text::Code;

use super::problem::{Noun, Problem, RowError};
use super::rows::{
    CpeRow, CustomerRow, ExpenseRow, FileRow, InstallationRow, PackageRow, RouterRow, SiteRow, SubscriptionRow,
};
use super::sheet::{Cells, Origin, Sheet};

/// Where the files are; a file that is `None` is not imported.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    pub(crate) sites: Option<PathBuf>,
    pub(crate) routers: Option<PathBuf>,
    pub(crate) packages: Option<PathBuf>,
    pub(crate) customers: Option<PathBuf>,
    pub(crate) subscriptions: Option<PathBuf>,
    pub(crate) cpes: Option<PathBuf>,
    pub(crate) installations: Option<PathBuf>,
    pub(crate) expenses: Option<PathBuf>,
}

impl Files {
    /// The usual names.
    pub(crate) const NAMES: [&str; 8] = [
        SiteRow::FILE,
        RouterRow::FILE,
        PackageRow::FILE,
        CustomerRow::FILE,
        SubscriptionRow::FILE,
        CpeRow::FILE,
        InstallationRow::FILE,
        ExpenseRow::FILE,
    ];

    /// The files with their usual names in a folder; those that are not there are left out.
    pub(crate) fn in_dir(dir: &Path) -> Self {
        let there = |name: &str| Some(dir.join(name)).filter(|path| path.exists());
        Self {
            sites: there(SiteRow::FILE),
            routers: there(RouterRow::FILE),
            packages: there(PackageRow::FILE),
            customers: there(CustomerRow::FILE),
            subscriptions: there(SubscriptionRow::FILE),
            cpes: there(CpeRow::FILE),
            installations: there(InstallationRow::FILE),
            expenses: there(ExpenseRow::FILE),
        }
    }

    /// True when there is nothing to read.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { sites, routers, packages, customers, subscriptions, cpes, installations, expenses } = self;
        [sites, routers, packages, customers, subscriptions, cpes, installations, expenses].iter().all(|f| f.is_none())
    }
}

/// The rows of all files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pub(crate) sites: Vec<SiteRow>,
    pub(crate) routers: Vec<RouterRow>,
    pub(crate) packages: Vec<PackageRow>,
    pub(crate) customers: Vec<CustomerRow>,
    pub(crate) subscriptions: Vec<SubscriptionRow>,
    pub(crate) cpes: Vec<CpeRow>,
    pub(crate) installations: Vec<InstallationRow>,
    pub(crate) expenses: Vec<ExpenseRow>,
    /// Keys that stand in the files, even in rows that are otherwise wrong: a reference to such a row is not wrong too.
    pub(super) named: HashSet<(Noun, String)>,
}

/// Reads the files with their usual names in a folder.
///
/// # Errors
/// All bad rows.
pub(crate) fn read_dir(dir: &Path) -> Result<Batch, Vec<RowError>> {
    let files = Files::in_dir(dir);
    if files.is_empty() {
        let file = dir.display().to_string();
        let problem = Problem::File("no file of an import is in it".into());
        return Err(vec![RowError { file, line: 0, column: String::new(), problem }]);
    }
    let (batch, errors) = read(&files);
    if errors.is_empty() { Ok(batch) } else { Err(errors) }
}

/// Reads files: the good rows, and all that is wrong with the others.
pub(crate) fn read(files: &Files) -> (Batch, Vec<RowError>) {
    let mut reader = Reader::default();
    let batch = Batch {
        sites: reader.rows(files.sites.as_deref(), "code", Some(Noun::Site)),
        routers: reader.rows(files.routers.as_deref(), "code", Some(Noun::Router)),
        packages: reader.rows(files.packages.as_deref(), "code", Some(Noun::Package)),
        customers: reader.rows(files.customers.as_deref(), "customer_id", Some(Noun::Customer)),
        subscriptions: reader.rows(files.subscriptions.as_deref(), "username", None),
        cpes: reader.rows(files.cpes.as_deref(), "serial", Some(Noun::Serial)),
        installations: reader.rows(files.installations.as_deref(), "customer_id", None),
        expenses: reader.rows(files.expenses.as_deref(), "date", None),
        named: HashSet::new(),
    };
    let batch = Batch { named: reader.named, ..batch };
    let mut errors = reader.errors;
    repeated_usernames(&batch.subscriptions, &mut errors);
    errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    (batch, errors)
}

#[derive(Default)]
struct Reader {
    named: HashSet<(Noun, String)>,
    errors: Vec<RowError>,
}

impl Reader {
    /// Reads a file whose rows are told apart by the code in column `key`, when it has a noun.
    fn rows<R: FileRow>(&mut self, path: Option<&Path>, key: &'static str, noun: Option<Noun>) -> Vec<R> {
        let Some(path) = path else { return Vec::new() };
        let sheet = Sheet::read(path, R::COLUMNS, &mut self.errors);
        let mut first: HashMap<String, u64> = HashMap::new();
        let mut rows = Vec::new();
        for row in sheet.rows() {
            let line = row.origin.line;
            let mut cells = Cells::new(row, &mut self.errors);
            let read = R::read(&mut cells);
            let code = cells.raw(key).and_then(|text| Code::parse(key, text).ok()).map(|code| code.folded());
            if let (Some(noun), Some(code)) = (noun, code) {
                if let Some(first_line) = first.get(&code) {
                    cells.fail(key, Problem::Repeated { noun, first_line: *first_line });
                    continue;
                }
                first.insert(code.clone(), line);
                self.named.insert((noun, code));
            }
            rows.extend(read);
        }
        rows
    }
}

/// A PPPoE user name is unique on its router.
fn repeated_usernames(rows: &[SubscriptionRow], errors: &mut Vec<RowError>) {
    let mut first: BTreeMap<(Option<String>, String), &Origin> = BTreeMap::new();
    for row in rows {
        let account = (row.router.as_ref().map(Code::folded), row.username.folded());
        match first.get(&account) {
            Some(origin) => {
                let problem = Problem::Repeated { noun: Noun::Username, first_line: origin.line };
                errors.push(row.at.error("username", problem));
            }
            None => {
                first.insert(account, &row.at);
            }
        }
    }
}
