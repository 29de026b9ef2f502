//! All files of one import, each row a value; duplicates within the files are found here.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use isp_core::text::Code;

use super::cells::Cells;
use super::existing::names;
use super::notice::{Note, Notices};
use super::problem::{Noun, Problem, RowError};
use super::rows::{
    CpeRow, CustomerRow, EverythingRow, ExpenseRow, FileRow, InstallationRow, PackageRow, RouterRow, SiteRow,
    SubscriptionRow,
};
use super::sheet::{Origin, Reading, Sheet};
use super::source::{Files, Kind};
use super::table::Table;

/// The rows of all files.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The sites.
    pub sites: Vec<SiteRow>,
    /// The routers.
    pub routers: Vec<RouterRow>,
    /// The packages, with those that rows with everything sell.
    pub packages: Vec<PackageRow>,
    /// The customers, each once.
    pub customers: Vec<CustomerRow>,
    /// The lines.
    pub subscriptions: Vec<SubscriptionRow>,
    /// The devices.
    pub cpes: Vec<CpeRow>,
    /// The installations.
    pub installations: Vec<InstallationRow>,
    /// The expenses.
    pub expenses: Vec<ExpenseRow>,
    /// Which file or sheet was read as what.
    pub read_as: Vec<(Kind, String)>,
    /// How cells were read, and what was left aside.
    pub notices: Notices,
    /// Keys that stand in the files, even in rows that are otherwise wrong: a reference to such a row is not wrong too.
    pub(super) named: HashSet<(Noun, String)>,
}

/// Reads files: the good rows, and all that is wrong with the others.
pub fn read(files: &Files, reading: &Reading) -> (Batch, Vec<RowError>) {
    let mut reader = Reader { reading: reading.clone(), ..Reader::default() };
    let mut tables = files.tables(reading, &mut reader.notices, &mut reader.errors);
    let read_as = tables.iter().map(|(kind, table)| (*kind, table.name.clone())).collect();
    let mut take = |kind| tables.remove(&kind);
    let (sites, routers, packages) = (take(Kind::Sites), take(Kind::Routers), take(Kind::Packages));
    let (customers, subscriptions, cpes) = (take(Kind::Customers), take(Kind::Subscriptions), take(Kind::Cpes));
    let (installations, expenses, everything) =
        (take(Kind::Installations), take(Kind::Expenses), take(Kind::Everything));
    let batch = Batch {
        sites: reader.rows(sites, "code", Some(Noun::Site)),
        routers: reader.rows(routers, "code", Some(Noun::Router)),
        packages: reader.rows(packages, "code", Some(Noun::Package)),
        customers: reader.rows(customers, "customer_id", None),
        subscriptions: reader.rows(subscriptions, "username", None),
        cpes: reader.rows(cpes, "serial", Some(Noun::Serial)),
        installations: reader.rows(installations, "customer_id", None),
        expenses: reader.rows(expenses, "date", None),
        read_as,
        ..Batch::default()
    };
    let everything: Vec<EverythingRow> = reader.rows(everything, "customer_id", None);
    reader.finished(batch, everything)
}

#[derive(Default)]
struct Reader {
    reading: Reading,
    named: HashSet<(Noun, String)>,
    notices: Notices,
    errors: Vec<RowError>,
}

impl Reader {
    /// Reads a table whose rows are told apart by the code in column `key`, when it has a noun.
    fn rows<R: FileRow>(&mut self, table: Option<Table>, key: &'static str, noun: Option<Noun>) -> Vec<R> {
        let Some(table) = table else { return Vec::new() };
        let sheet = Sheet::new(table, R::COLUMNS, &self.reading, &mut self.notices, &mut self.errors);
        let before = self.errors.len();
        let mut first: HashMap<String, u64> = HashMap::new();
        let mut rows = Vec::new();
        for row in sheet.rows() {
            let line = row.origin.line;
            let mut cells = Cells::new(row, &mut self.notices, &mut self.errors);
            let read = R::read(&mut cells);
            let named = |key: &'static str| Some(Code::parse(key, cells.raw(key)?).ok()?.folded());
            // Customers may stand on several rows, which are compared later.
            self.named.extend(named("customer_id").filter(|_| key == "customer_id").map(|code| (Noun::Customer, code)));
            if let (Some(noun), Some(code)) = (noun, named(key)) {
                if let Some(first_line) = first.get(&code) {
                    cells.fail(key, Problem::Repeated { noun, first_line: *first_line });
                    continue;
                }
                first.insert(code.clone(), line);
                self.named.insert((noun, code));
            }
            rows.extend(read);
        }
        // A column that is missing was named by the header.
        let named = self.errors.split_off(before);
        self.errors.extend(named.into_iter().filter(|error| !sheet.missing.contains(&error.column.as_str())));
        rows
    }

    /// Puts the parts of a sheet with everything to the others, and looks at all rows together.
    fn finished(mut self, mut batch: Batch, everything: Vec<EverythingRow>) -> (Batch, Vec<RowError>) {
        let mut packages: Vec<PackageRow> = Vec::new();
        for row in everything {
            batch.customers.extend(row.customer);
            batch.subscriptions.extend(row.line);
            packages.extend(row.package);
        }
        self.one_row_a_customer(&mut batch.customers);
        self.one_row_a_package(&mut batch.packages, packages);
        self.rounded(&batch.customers);
        self.same_phones(&batch.customers);
        repeated_usernames(&batch.subscriptions, &mut self.errors);
        self.errors.sort_by(|a, b| (&a.file, a.line, &a.column).cmp(&(&b.file, b.line, &b.column)));
        // Both parts of a row with everything read its customer's code.
        self.errors.dedup();
        (Batch { named: self.named, notices: self.notices, ..batch }, self.errors)
    }

    /// A customer may stand on a row for each line, when all rows say the same.
    fn one_row_a_customer(&mut self, rows: &mut Vec<CustomerRow>) {
        let mut first: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<CustomerRow> = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            match first.entry(row.code.folded()) {
                Entry::Vacant(new) => {
                    new.insert(kept.len());
                    kept.push(row);
                }
                Entry::Occupied(earlier) => {
                    let earlier = &kept[*earlier.get()];
                    if earlier.says_the_same(&row) {
                        self.notices.tell(row.at.file(), row.at.line, row.at.heading("customer_id"), Note::SameAgain);
                    } else {
                        let problem = Problem::Repeated { noun: Noun::Customer, first_line: earlier.at.line };
                        self.errors.push(row.at.error("customer_id", problem));
                    }
                }
            }
        }
        *rows = kept;
    }

    /// The packages that rows with everything sell: each once, on the same terms everywhere.
    fn one_row_a_package(&mut self, rows: &mut Vec<PackageRow>, more: Vec<PackageRow>) {
        for row in more {
            match rows.iter().find(|other| other.is_meant_by(&row)) {
                None => {
                    self.named.insert((Noun::Package, row.code.folded()));
                    rows.push(row);
                }
                Some(other) if other.sells_the_same(&row) => {}
                Some(other) => {
                    self.errors.push(row.at.error("package", Problem::OtherTerms { first_line: other.at.line }));
                }
            }
        }
    }

    /// A family or a house may share a number; more often it was copied down by mistake.
    fn same_phones(&mut self, rows: &[CustomerRow]) {
        let mut known: HashSet<&str> = HashSet::new();
        for row in rows {
            let again = row.phone.as_ref().is_some_and(|phone| !known.insert(phone.digits()));
            if again {
                self.notices.tell(row.at.file(), row.at.line, row.at.heading("phone"), Note::SamePhone);
            }
        }
    }

    /// NIK that end in 0: one is told; where most of a file do, a spreadsheet has rounded them.
    fn rounded(&mut self, rows: &[CustomerRow]) {
        let all = rows.iter().filter(|row| row.nik.is_some()).count();
        let rounded: Vec<&CustomerRow> =
            rows.iter().filter(|row| row.nik.as_ref().is_some_and(|nik| nik.may_be_rounded())).collect();
        if let (3.., Some(first), true) = (rounded.len(), rounded.first(), rounded.len() * 2 > all) {
            let problem = Problem::RoundedNiks { count: rounded.len(), of: all };
            self.errors.push(first.at.error("nik", problem));
            return;
        }
        for row in rounded {
            self.notices.tell(row.at.file(), row.at.line, row.at.heading("nik"), Note::MayBeRounded);
        }
    }
}

/// A user name, an address and a MAC address are unique on their router.
fn repeated_usernames(rows: &[SubscriptionRow], errors: &mut Vec<RowError>) {
    let mut first: BTreeMap<(Option<String>, String), &Origin> = BTreeMap::new();
    for row in rows {
        for name in names(&row.account) {
            let account = (row.router.as_ref().map(Code::folded), name);
            match first.get(&account) {
                Some(origin) => {
                    let problem = Problem::Repeated { noun: Noun::Username, first_line: origin.line };
                    errors.push(row.at.error(row.named_by(), problem));
                }
                None => {
                    first.insert(account, &row.at);
                }
            }
        }
    }
}
