//! From the rows of the files and what the store has to one change set.

mod customer;
mod device;
mod expense;
mod installation;
mod line;
mod package;
mod place;

pub use expense::ExpenseIds;
pub use line::PlannedLine;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::calendar::{Date, Zone, plausible_day};
use isp_core::ids::{
    CustomerId, ExpenseId, IdSource, InstallationKindId, InstallationOrderId, PackageId, RouterId, SiteId,
    SubscriptionId, TenantId,
};
use isp_core::installation::InstallationOrder;
use isp_core::ports::ChangeSet;
use isp_core::text::{Code, Name, RouterName};
use serde::Serialize;

use super::accept::Accept;
use super::alike::Alike;
use super::batch::Batch;
use super::by_code::ByCode;
use super::existing::Existing;
use super::notice::{Note, Notices};
use super::problem::{Noun, Problem, RowError};
use super::rows::CustomerRow;
use super::sheet::{Origin, Placed};

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// Into whose books.
    pub tenant: TenantId,
    /// The moment of the import.
    pub now: DateTime<Utc>,
    /// The first day that this program bills: periods and installation fees from before it were billed elsewhere.
    /// `None`: the day of the import.
    pub billed_from: Option<Date>,
    /// Whether rows that exist and differ are changed.
    pub update: bool,
    /// Who imports, for the device history.
    pub officer: Name,
    /// Rows that look like a slip or a double, and are right.
    pub accept: Accept,
}

/// What an import would write.
#[derive(Debug, Default)]
pub struct ImportPlan {
    /// All of it, for one commit.
    pub changes: ChangeSet,
    /// How many rows of each file are new, the same, changed or left out.
    pub counts: Vec<(&'static str, Counts)>,
    /// What becomes of each row of a file, in its order.
    pub verdicts: Vec<(&'static str, Vec<Verdict>)>,
    /// Rows that exist and differ.
    pub differences: Vec<Change>,
    /// What a person should know of it.
    pub notices: Notices,
    /// What each new line takes from its router, its start and the day of the import.
    pub lines: Vec<PlannedLine>,
    /// Installations that were before the first billed day: file and line.
    pub left_out: Vec<(String, u64)>,
}

/// Rows of one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// To be written.
    pub new: u64,
    /// There already, and equal.
    pub same: u64,
    /// There already, and different.
    pub differ: u64,
    /// From before the first billed day.
    pub left_out: u64,
}

/// A row that exists and differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Name of the file.
    pub file: String,
    /// Line in it.
    pub line: u64,
    /// Which columns differ; never their values.
    pub columns: Vec<&'static str>,
    /// Whether `--update` changes it. What billing or a router rests on has a command of its own.
    pub updatable: bool,
}

/// Checks the rows against each other and against what exists, and plans what to write.
///
/// # Errors
/// All bad rows; nothing is planned then.
pub fn plan(
    batch: &Batch,
    existing: &Existing,
    ids: &mut IdSource,
    options: &Options,
) -> Result<ImportPlan, Vec<RowError>> {
    let (plan, errors) = look(batch, existing, ids, options);
    if errors.is_empty() { Ok(plan) } else { Err(errors) }
}

/// The same for a person who is shown the good rows beside the bad ones: such a plan is written only when there are none.
pub fn look(batch: &Batch, existing: &Existing, ids: &mut IdSource, options: &Options) -> (ImportPlan, Vec<RowError>) {
    let mut planner = Planner::new(batch, existing, ids, options);
    planner.each("sites", &batch.sites, Planner::site);
    planner.each("routers", &batch.routers, Planner::router);
    planner.each("packages", &batch.packages, Planner::package);
    planner.find_cards();
    planner.each("customers", &batch.customers, Planner::customer);
    planner.each("subscriptions", &batch.subscriptions, Planner::subscription);
    planner.name_missing_packages();
    planner.each("cpes", &batch.cpes, Planner::cpe);
    planner.claim_installations();
    planner.each("installations", &batch.installations, Planner::installation);
    planner.expect_installations();
    planner.claim_expenses();
    planner.each("expenses", &batch.expenses, Planner::expense);
    (planner.plan, planner.errors)
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is written.
    New,
    /// It is there already, and equal.
    Same,
    /// It is there already, and different.
    Differs {
        /// Which columns differ.
        columns: Vec<&'static str>,
        /// Whether an import may change it.
        updatable: bool,
    },
    /// From before the first billed day, or over already.
    LeftOut,
    /// Something is wrong with it, or with a row that it names.
    Refused,
}

struct Planner<'a> {
    batch: &'a Batch,
    existing: &'a Existing,
    ids: &'a mut IdSource,
    options: &'a Options,
    plan: ImportPlan,
    errors: Vec<RowError>,
    sites: ByCode<(SiteId, Zone)>,
    routers: ByCode<(RouterId, SiteId)>,
    packages: ByCode<PackageId>,
    customers: ByCode<CustomerId>,
    /// What is in the books and may be one with a new row.
    alike: Alike<'a>,
    /// The first row of each NIK.
    niks: HashMap<String, &'a CustomerRow>,
    kinds: ByCode<(InstallationKindId, Money)>,
    /// New subscriptions of each customer.
    subscriptions: HashMap<CustomerId, Vec<(RouterName, SubscriptionId)>>,
    /// Packages that lines want and that are not there, by the name that rows use: as the first row writes it, and the rows.
    without_package: HashMap<String, (String, Vec<Origin>)>,
    /// Customers with a row in the file of subscriptions, right or wrong.
    subscribing: HashSet<String>,
    /// User names and serial numbers of the files, in small letters.
    accounts: HashSet<String>,
    serials: HashSet<String>,
    expenses: ExpenseIds,
    /// The cash that is left after the rows so far.
    cash: Money,
    /// Installations and expenses of the books that a row of the files is.
    claimed_orders: HashSet<InstallationOrderId>,
    claimed_expenses: HashSet<ExpenseId>,
    orders: HashMap<OrderKey, Option<&'a InstallationOrder>>,
    /// Days on which a line has an invoice for an installation.
    fee_days: HashSet<(SubscriptionId, Date)>,
}

/// What tells installations apart.
type OrderKey = (SubscriptionId, InstallationKindId, Date);

impl<'a> Planner<'a> {
    fn new(batch: &'a Batch, existing: &'a Existing, ids: &'a mut IdSource, options: &'a Options) -> Self {
        let gone = |order: &&InstallationOrder| existing.taken_back.contains(&order.id);
        Self {
            batch,
            existing,
            ids,
            options,
            plan: ImportPlan::default(),
            errors: Vec::new(),
            sites: existing.sites.iter().map(|(code, s)| (code.clone(), (s.id, s.zone))).collect(),
            routers: existing.routers.iter().map(|(code, r)| (code.clone(), (r.id, r.site_id))).collect(),
            packages: existing.packages.iter().map(|(code, p)| (code.clone(), p.id)).collect(),
            customers: existing.customers.iter().map(|(code, c)| (code.clone(), c.id)).collect(),
            kinds: existing.kinds.iter().map(|(code, k)| (code.clone(), (k.id, k.price))).collect(),
            subscriptions: HashMap::new(),
            without_package: HashMap::new(),
            alike: Alike::new(batch, existing),
            niks: HashMap::new(),
            subscribing: batch.subscriptions.iter().map(|s| s.customer.folded()).collect(),
            accounts: batch.subscriptions.iter().map(|s| s.name().folded()).collect(),
            serials: batch.cpes.iter().map(|c| c.serial.folded()).collect(),
            expenses: ExpenseIds::new(options.tenant),
            cash: existing.cash,
            claimed_orders: HashSet::new(),
            claimed_expenses: HashSet::new(),
            orders: existing
                .orders
                .iter()
                .filter(|o| gone(o))
                .chain(existing.orders.iter().filter(|o| !gone(o)))
                .map(|o| ((o.subscription_id, o.kind_id, o.installed_on), Some(o)))
                .collect(),
            fee_days: existing
                .orders
                .iter()
                .filter(|o| !gone(o))
                .flat_map(|o| o.schedule().into_iter().map(|part| (o.subscription_id, part.on)))
                .collect(),
        }
    }

    fn each<R: Placed>(
        &mut self,
        file: &'static str,
        rows: &[R],
        one: impl Fn(&mut Self, &R) -> Result<Verdict, RowError>,
    ) {
        if rows.is_empty() {
            return;
        }
        let mut counts = Counts::default();
        let mut verdicts = Vec::with_capacity(rows.len());
        for row in rows {
            let asked = self.errors.len();
            let verdict = one(self, row).unwrap_or_else(|error| {
                // The row that it names is wrong itself, and is reported there.
                self.errors.extend(Some(error).filter(|error| error.line != 0));
                Verdict::Refused
            });
            match &verdict {
                Verdict::New => counts.new += 1,
                Verdict::Same => counts.same += 1,
                Verdict::LeftOut => {
                    counts.left_out += 1;
                    self.plan.left_out.push((row.at().file().to_owned(), row.at().line));
                }
                Verdict::Differs { columns, updatable } => {
                    counts.differ += 1;
                    let (file, line) = (row.at().file().to_owned(), row.at().line);
                    self.plan.differences.push(Change { file, line, columns: columns.clone(), updatable: *updatable });
                }
                Verdict::Refused => {}
            }
            // A question that is open keeps a row back too.
            verdicts.push(if self.errors.len() > asked { Verdict::Refused } else { verdict });
        }
        self.plan.counts.push((file, counts));
        self.plan.verdicts.push((file, verdicts));
    }

    /// Asks about a row, unless that was answered; the row is planned all the same.
    fn ask(&mut self, at: &Origin, key: &str, problem: Problem) {
        let error = at.error(key, problem);
        if !self.options.accept.covers(&error) {
            self.errors.push(error);
        }
    }

    /// Asks about a day that is far from the day of the import.
    fn ask_about_day(&mut self, at: &Origin, key: &'static str, day: Date) {
        if let Err(error) = plausible_day(key, day, Zone::Wib.date_of(self.options.now)) {
            self.ask(at, key, Problem::Value(error));
        }
    }

    /// An error for a reference that leads nowhere; with line 0 when it leads to a row that is wrong itself.
    /// The customer that a row names.
    fn customer_of(&self, at: &Origin, code: &Code) -> Result<CustomerId, RowError> {
        match self.customers.get(code) {
            Some(id) if self.existing.erased.contains(id) => Err(at.error("customer_id", Problem::Erased)),
            Some(id) => Ok(*id),
            None => Err(self.unknown(at, "customer_id", Noun::Customer, code)),
        }
    }

    fn unknown(&self, at: &Origin, key: &str, noun: Noun, code: &Code) -> RowError {
        let mut error = at.error(key, Problem::Unknown(noun));
        if self.batch.named.contains(&(noun, code.folded())) {
            error.line = 0;
        }
        error
    }

    /// What becomes of a row, given the columns that differ from an existing one, and whether to write it.
    fn verdict(&self, differs: Option<Vec<&'static str>>) -> (Verdict, bool) {
        match differs {
            None => (Verdict::New, true),
            Some(columns) if columns.is_empty() => (Verdict::Same, false),
            Some(columns) => (Verdict::Differs { columns, updatable: true }, self.options.update),
        }
    }
}

fn columns(differs: &[(&'static str, bool)]) -> Vec<&'static str> {
    differs.iter().filter(|(_, differs)| *differs).map(|(column, _)| *column).collect()
}
