//! From the rows of the files and what the store has to one change set.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::calendar::{BillingDay, Date, Zone};
use isp_core::customer::Customer;
use isp_core::device::{Cpe, DeviceAction};
use isp_core::engine::manage::{DeviceNote, add_subscription, device_step};
use isp_core::ids::{
    CpeId, CustomerId, ExpenseId, IdSource, InstallationKindId, InstallationOrderId, PackageId, RouterId, SiteId,
    SubscriptionId, TenantId, derive,
};
use isp_core::installation::{InstallationKind, InstallationOrder};
use isp_core::ledger::Expense;
use isp_core::package::{Package, PriceList, PriceVersion};
use isp_core::payment::Channel;
use isp_core::place::{Router, Site};
use isp_core::ports::{ChangeSet, Store, StoreError};
use isp_core::subscription::{Account, BillingTerms, Subscription};
use isp_core::text::{Code, Name};
use serde::Serialize;

use super::batch::Batch;
use super::existing::Existing;
use super::problem::{Noun, Problem, RowError};
use super::rows::{CpeRow, CustomerRow, ExpenseRow, InstallationRow, PackageRow, RouterRow, SiteRow, SubscriptionRow};
use super::sheet::Origin;

/// How to import.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Into whose books.
    pub(crate) tenant: TenantId,
    /// The moment of the import.
    pub(crate) now: DateTime<Utc>,
    /// The first day that this program bills: periods and installation fees from before it were billed elsewhere.
    /// `None`: the day of the import.
    pub(crate) billed_from: Option<Date>,
    /// Whether rows that exist and differ are changed.
    pub(crate) update: bool,
    /// Who imports, for the device history.
    pub(crate) officer: Name,
}

/// What an import would write.
#[derive(Debug, Default)]
pub(crate) struct ImportPlan {
    /// All of it, for one commit.
    pub(crate) changes: ChangeSet,
    /// How many rows of each file are new, the same, changed or left out.
    pub(crate) counts: Vec<(&'static str, Counts)>,
    /// Rows that exist and differ.
    pub(crate) differences: Vec<Change>,
    /// Installations that were before the first billed day: file and line.
    pub(crate) left_out: Vec<(String, u64)>,
}

/// Rows of one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// To be written.
    pub(crate) new: u64,
    /// There already, and equal.
    pub(crate) same: u64,
    /// There already, and different.
    pub(crate) differ: u64,
    /// From before the first billed day.
    pub(crate) left_out: u64,
}

/// A row that exists and differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// Name of the file.
    pub(crate) file: String,
    /// Line in it.
    pub(crate) line: u64,
    /// Which columns differ; never their values.
    pub(crate) columns: Vec<&'static str>,
    /// Whether `--update` changes it. What billing or a router rests on has a command of its own.
    pub(crate) updatable: bool,
}

/// Writes a plan, all or nothing.
pub(crate) async fn apply(store: &dyn Store, tenant: TenantId, plan: ImportPlan) -> Result<(), StoreError> {
    if !plan.changes.is_empty() {
        store.commit(tenant, plan.changes).await?;
    }
    Ok(())
}

/// Checks the rows against each other and against the store, and plans what to write.
///
/// # Errors
/// All bad rows; nothing is planned then.
pub(crate) fn plan(
    batch: &Batch,
    existing: &Existing,
    ids: &mut IdSource,
    options: &Options,
) -> Result<ImportPlan, Vec<RowError>> {
    let mut planner = Planner::new(batch, existing, ids, options);
    planner.each("sites", &batch.sites, Planner::site);
    planner.each("routers", &batch.routers, Planner::router);
    planner.each("packages", &batch.packages, Planner::package);
    planner.each("customers", &batch.customers, Planner::customer);
    planner.each("subscriptions", &batch.subscriptions, Planner::subscription);
    planner.each("cpes", &batch.cpes, Planner::cpe);
    planner.each("installations", &batch.installations, Planner::installation);
    planner.each("expenses", &batch.expenses, Planner::expense);
    if planner.errors.is_empty() { Ok(planner.plan) } else { Err(planner.errors) }
}

/// What becomes of a row.
enum Verdict {
    New,
    Same,
    Differs { columns: Vec<&'static str>, updatable: bool },
    LeftOut,
}

struct Planner<'a> {
    batch: &'a Batch,
    existing: &'a Existing,
    ids: &'a mut IdSource,
    options: &'a Options,
    plan: ImportPlan,
    errors: Vec<RowError>,
    sites: HashMap<Code, (SiteId, Zone)>,
    routers: HashMap<Code, (RouterId, SiteId)>,
    packages: HashMap<Code, PackageId>,
    customers: HashMap<Code, CustomerId>,
    kinds: HashMap<Code, (InstallationKindId, Money)>,
    /// New subscriptions of each customer.
    subscriptions: HashMap<CustomerId, Vec<(Code, SubscriptionId)>>,
    /// Customers with a row in the file of subscriptions, right or wrong.
    subscribing: HashSet<&'a Code>,
    expenses: HashMap<String, u32>,
    orders: HashMap<OrderKey, Option<&'a InstallationOrder>>,
    /// Days on which a line has an invoice for an installation.
    fee_days: HashSet<(SubscriptionId, Date)>,
}

/// What tells installations apart.
type OrderKey = (SubscriptionId, InstallationKindId, Date);

trait Located {
    fn at(&self) -> &Origin;
}

macro_rules! located {
    ($($row:ty),*) => {$(
        impl Located for $row {
            fn at(&self) -> &Origin {
                &self.at
            }
        }
    )*};
}

located!(SiteRow, RouterRow, PackageRow, CustomerRow, SubscriptionRow, CpeRow, InstallationRow, ExpenseRow);

impl<'a> Planner<'a> {
    fn new(batch: &'a Batch, existing: &'a Existing, ids: &'a mut IdSource, options: &'a Options) -> Self {
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
            subscribing: batch.subscriptions.iter().map(|s| &s.customer).collect(),
            expenses: HashMap::new(),
            orders: existing.orders.iter().map(|o| ((o.subscription_id, o.kind_id, o.installed_on), Some(o))).collect(),
            fee_days: existing
                .orders
                .iter()
                .flat_map(|o| o.schedule().into_iter().map(|part| (o.subscription_id, part.on)))
                .collect(),
        }
    }

    fn each<R: Located>(
        &mut self,
        file: &'static str,
        rows: &[R],
        one: impl Fn(&mut Self, &R) -> Result<Verdict, RowError>,
    ) {
        let mut counts = Counts::default();
        for row in rows {
            match one(self, row) {
                Ok(Verdict::New) => counts.new += 1,
                Ok(Verdict::Same) => counts.same += 1,
                Ok(Verdict::LeftOut) => {
                    counts.left_out += 1;
                    self.plan.left_out.push((row.at().file().to_owned(), row.at().line));
                }
                Ok(Verdict::Differs { columns, updatable }) => {
                    counts.differ += 1;
                    let (file, line) = (row.at().file().to_owned(), row.at().line);
                    self.plan.differences.push(Change { file, line, columns, updatable });
                }
                // The row that it names is wrong itself, and is reported there.
                Err(error) if error.line == 0 => {}
                Err(error) => self.errors.push(error),
            }
        }
        if !rows.is_empty() {
            self.plan.counts.push((file, counts));
        }
    }

    /// An error for a reference that leads nowhere; with line 0 when it leads to a row that is wrong itself.
    fn unknown(&self, at: &Origin, key: &str, noun: Noun, code: &Code) -> RowError {
        let mut error = at.error(key, Problem::Unknown(noun));
        if self.batch.named.contains(&(noun, code.clone())) {
            error.line = 0;
        }
        error
    }

    fn site(&mut self, row: &SiteRow) -> Result<Verdict, RowError> {
        let old = self.existing.sites.get(&row.code);
        let id = old.map_or_else(|| SiteId(self.ids.next_uuid()), |s| s.id);
        let new = Site { id, code: row.code.clone(), name: row.name.clone(), zone: row.zone };
        self.sites.insert(row.code.clone(), (id, row.zone));
        let differs = old.map(|old| columns(&[("name", old.name != new.name), ("zone", old.zone != new.zone)]));
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.sites.extend(write.then_some(new));
        Ok(verdict)
    }

    fn router(&mut self, row: &RouterRow) -> Result<Verdict, RowError> {
        let Some((site_id, _)) = self.sites.get(&row.site).copied() else {
            return Err(self.unknown(&row.at, "site", Noun::Site, &row.site));
        };
        let old = self.existing.routers.get(&row.code);
        let id = old.map_or_else(|| RouterId(self.ids.next_uuid()), |r| r.id);
        self.routers.insert(row.code.clone(), (id, site_id));
        let new = Router { id, code: row.code.clone(), site_id, endpoint: row.endpoint.clone() };
        let differs = old.map(|old| {
            let (was, is) = (&old.endpoint, &new.endpoint);
            columns(&[
                ("site", old.site_id != site_id),
                ("address", (&was.host, was.port, was.tls) != (&is.host, is.port, is.tls)),
                ("username", was.username != is.username),
                ("password", was.password != is.password),
            ])
        });
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.routers.extend(write.then_some(new));
        Ok(verdict)
    }

    fn package(&mut self, row: &PackageRow) -> Result<Verdict, RowError> {
        let today = Zone::Wib.date_of(self.options.now);
        let old = self.existing.packages.get(&row.code);
        let id = old.map_or_else(|| PackageId(self.ids.next_uuid()), |p| p.id);
        self.packages.insert(row.code.clone(), id);
        let differs = old.map(|old| {
            columns(&[
                ("name", old.name != row.name),
                ("price", old.prices.on(today) != Some(row.price)),
                ("tax", old.tax_mode != row.tax_mode),
                ("speed", old.group.speed != row.group.speed),
                ("group", old.group.name != row.group.name),
            ])
        });
        let prices = match old {
            None => PriceList::single(row.price),
            Some(old) if old.prices.on(today) == Some(row.price) => Ok(old.prices.clone()),
            Some(old) => {
                let new = PriceVersion { from: today, price: row.price };
                PriceList::try_new(old.prices.versions().iter().copied().chain([new]).collect())
            }
        };
        let prices = prices.map_err(|error| row.at.error("price", error))?;
        let new = Package {
            id,
            code: row.code.clone(),
            name: row.name.clone(),
            prices,
            tax_mode: row.tax_mode,
            group: row.group.clone(),
            sold: old.is_none_or(|p| p.sold),
        };
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.packages.extend(write.then_some(new));
        Ok(verdict)
    }

    fn customer(&mut self, row: &CustomerRow) -> Result<Verdict, RowError> {
        let old = self.existing.customers.get(&row.code);
        let id = old.map_or_else(|| CustomerId(self.ids.next_uuid()), |c| c.id);
        self.customers.insert(row.code.clone(), id);
        let new = Customer {
            id,
            code: row.code.clone(),
            name: row.name.clone(),
            nik: row.nik.clone().or_else(|| old.and_then(|c| c.nik.clone())),
            address: row.address.clone(),
            phone: row.phone.clone().or_else(|| old.and_then(|c| c.phone.clone())),
            language: row.language.or(old.map(|c| c.language)).unwrap_or_default(),
            invoicing: row.invoicing.or(old.map(|c| c.invoicing)).unwrap_or_default(),
        };
        let differs = old.map(|old| {
            columns(&[
                ("name", old.name != new.name),
                ("nik", old.nik != new.nik),
                ("address", old.address != new.address),
                ("phone", old.phone != new.phone),
                ("language", old.language != new.language),
                ("invoicing", old.invoicing != new.invoicing),
            ])
        });
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.customers.extend(write.then_some(new));
        Ok(verdict)
    }

    fn subscription(&mut self, row: &SubscriptionRow) -> Result<Verdict, RowError> {
        let Some(customer_id) = self.customers.get(&row.customer).copied() else {
            return Err(self.unknown(&row.at, "customer_id", Noun::Customer, &row.customer));
        };
        let Some(package_id) = self.packages.get(&row.package).copied() else {
            return Err(self.unknown(&row.at, "package", Noun::Package, &row.package));
        };
        let router = match &row.router {
            None => None,
            Some(code) => match self.routers.get(code).copied() {
                Some(router) => Some(router),
                None => return Err(self.unknown(&row.at, "router", Noun::Router, code)),
            },
        };
        let router_id = router.map(|(id, _)| id);
        if self.existing.account(router_id, &row.username).is_some_and(|s| s.customer_id != customer_id) {
            return Err(row.at.error("username", Problem::Taken(Noun::Username)));
        }
        let (site_id, zone) = self.place_of(row, router.map(|(_, site)| site))?;
        let today = zone.date_of(self.options.now);
        if let Some(old) = self.existing.subscription_of(customer_id, Some(&row.username)) {
            return Ok(compared(row, old, router_id, package_id, today));
        }
        let day = row.day.unwrap_or_else(|| BillingDay::of(row.start));
        let billed_from = row.billed_from.or(self.options.billed_from).unwrap_or(today).max(row.start);
        let terms = BillingTerms {
            timing: row.timing,
            billed_from: Some(billed_from),
            ..BillingTerms::new(package_id, row.start, day, row.cycle)
        };
        let id = SubscriptionId(self.ids.next_uuid());
        let account = Account { username: row.username.clone(), password: row.password.clone() };
        let subscription = Subscription { id, customer_id, site_id, router_id, account, terms };
        self.subscriptions.entry(customer_id).or_default().push((row.username.clone(), id));
        add_subscription(&mut self.plan.changes, subscription, zone, self.options.now);
        Ok(Verdict::New)
    }

    fn place_of(&self, row: &SubscriptionRow, of_router: Option<SiteId>) -> Result<(SiteId, Zone), RowError> {
        if let Some(code) = &row.site {
            return match self.sites.get(code) {
                Some(site) => Ok(*site),
                None => Err(self.unknown(&row.at, "site", Noun::Site, code)),
            };
        }
        let site = of_router.and_then(|id| {
            let known = self.existing.site(id).map(|s| (s.id, s.zone));
            self.sites.values().find(|(site, _)| *site == id).copied().or(known)
        });
        site.ok_or_else(|| row.at.error("site", Problem::Unknown(Noun::Site)))
    }

    fn cpe(&mut self, row: &CpeRow) -> Result<Verdict, RowError> {
        let Some(customer_id) = self.customers.get(&row.customer).copied() else {
            return Err(self.unknown(&row.at, "customer_id", Noun::Customer, &row.customer));
        };
        let old = self.existing.cpes.get(&row.serial);
        if old.is_some_and(|c| c.customer_id != customer_id) {
            return Err(row.at.error("serial", Problem::Taken(Noun::Serial)));
        }
        let new = Cpe {
            id: old.map_or_else(|| CpeId(self.ids.next_uuid()), |c| c.id),
            serial: row.serial.clone(),
            customer_id,
            outdoor_unit: row.outdoor_unit.clone().or_else(|| old.and_then(|c| c.outdoor_unit.clone())),
            router: row.router.clone().or_else(|| old.and_then(|c| c.router.clone())),
            ip: row.ip.or_else(|| old.and_then(|c| c.ip)),
            username: row.username.clone().or_else(|| old.and_then(|c| c.username.clone())),
            password: row.password.clone().or_else(|| old.and_then(|c| c.password.clone())),
            ownership: row.ownership,
            value: row.value.or(old.map(|c| c.value)).unwrap_or_default(),
            installed: old.is_none_or(|c| c.installed),
        };
        let differs = old.map(|old| {
            columns(&[
                ("outdoor_unit", old.outdoor_unit != new.outdoor_unit),
                ("router", old.router != new.router),
                ("ip", old.ip != new.ip),
                ("username", old.username != new.username),
                ("password", old.password != new.password),
                ("ownership", old.ownership != new.ownership),
                ("value", old.value != new.value),
            ])
        });
        if old.is_none() {
            let note = DeviceNote {
                on: row.on.unwrap_or_else(|| Zone::Wib.date_of(self.options.now)),
                reason: Name::parse("reason", "import").map_err(|error| row.at.error("serial", error))?,
                officer: self.options.officer.clone(),
                cost: Money::ZERO,
            };
            device_step(&mut self.plan.changes, &new, DeviceAction::Installed, &note, Money::ZERO)
                .map_err(|error| row.at.error("serial", error))?;
        }
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.cpes.extend(write.then_some(new));
        Ok(verdict)
    }

    fn installation(&mut self, row: &InstallationRow) -> Result<Verdict, RowError> {
        let Some(customer_id) = self.customers.get(&row.customer).copied() else {
            return Err(self.unknown(&row.at, "customer_id", Noun::Customer, &row.customer));
        };
        let wanted = |username: &Code| row.username.as_ref().is_none_or(|name| name == username);
        let mut new = self.subscriptions.get(&customer_id).into_iter().flatten();
        let new = new.find(|(name, _)| wanted(name)).map(|(_, id)| *id);
        let old = self.existing.subscription_of(customer_id, row.username.as_ref());
        let Some(subscription_id) = old.map(|s| s.id).or(new) else {
            let mut error = row.at.error("customer_id", Problem::NoSubscription);
            // A subscription row that is wrong itself is reported there.
            if self.subscribing.contains(&row.customer) {
                error.line = 0;
            }
            return Err(error);
        };
        let kind = self.kinds.get(&row.kind_code).copied();
        let Some(fee) = row.fee.or(kind.map(|(_, price)| price)) else {
            return Err(row.at.error("fee", Problem::NoFee));
        };
        let from = self.options.billed_from.unwrap_or_else(|| Zone::Wib.date_of(self.options.now));
        let kind_id = match kind {
            Some((id, _)) => id,
            None => {
                let id = InstallationKindId(self.ids.next_uuid());
                self.kinds.insert(row.kind_code.clone(), (id, fee));
                let (code, name) = (row.kind_code.clone(), row.kind.clone());
                self.plan.changes.installation_kinds.push(InstallationKind { id, code, name, price: fee });
                id
            }
        };
        let key = (subscription_id, kind_id, row.on);
        if let Some(known) = self.orders.get(&key) {
            let Some(old) = known else { return Ok(Verdict::Same) };
            let columns = columns(&[
                ("fee", old.fee != fee),
                ("instalments", old.instalments != row.instalments),
                ("with_first_invoice", old.with_first_invoice != row.with_first_invoice),
            ]);
            let same = columns.is_empty();
            return Ok(if same { Verdict::Same } else { Verdict::Differs { columns, updatable: false } });
        }
        if row.on < from {
            return Ok(Verdict::LeftOut);
        }
        if row.with_first_invoice && self.existing.billed.contains(&subscription_id) {
            return Err(row.at.error("with_first_invoice", isp_core::Error::FirstInvoiceIssued));
        }
        let order = InstallationOrder {
            id: InstallationOrderId(self.ids.next_uuid()),
            customer_id,
            subscription_id,
            kind_id,
            fee,
            installed_on: row.on,
            instalments: row.instalments,
            with_first_invoice: row.with_first_invoice,
        };
        let order = order.checked().map_err(|e| row.at.error("instalments", e))?;
        for part in order.schedule() {
            if !self.fee_days.insert((subscription_id, part.on)) {
                return Err(row.at.error("date", isp_core::Error::InstallationClash { on: part.on }));
            }
        }
        self.orders.insert(key, None);
        self.plan.changes.installation_orders.push(order);
        Ok(Verdict::New)
    }

    fn expense(&mut self, row: &ExpenseRow) -> Result<Verdict, RowError> {
        let site_id = match &row.site {
            None => None,
            Some(code) => match self.sites.get(code) {
                Some((id, _)) => Some(*id),
                None => return Err(self.unknown(&row.at, "site", Noun::Site, code)),
            },
        };
        // Two equal expenses of one day are told apart by their order in the file.
        let site = row.site.as_ref().map_or("", Code::as_str);
        let words = [&row.on.to_string(), row.category.code(), &row.amount.as_i64().to_string(), &row.note, site]
            .join("\u{1f}");
        let nth = self.expenses.entry(words.clone()).or_default();
        *nth += 1;
        let id = ExpenseId(derive(self.options.tenant.0, &["expense", &words, &nth.to_string()]));
        let (on, category, amount, note) = (row.on, row.category, row.amount, row.note.clone());
        let expense = Expense { id, on, category, amount, paid_from: Channel::Cash, note, site_id };
        let entry = expense.entry();
        if self.existing.expenses.contains(&entry.id) {
            return Ok(Verdict::Same);
        }
        self.plan.changes.journal.push(entry);
        self.plan.changes.expenses.push(expense);
        Ok(Verdict::New)
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

/// A subscription against the one that exists. Nothing of it is changed by an import: billing terms and accounts have
/// commands that settle what is due and tell the router.
fn compared(
    row: &SubscriptionRow,
    old: &Subscription,
    router_id: Option<RouterId>,
    package_id: PackageId,
    today: Date,
) -> Verdict {
    let changes_to = old.terms.change.map(|c| c.package_id);
    let package_differs = old.terms.package_on(today) != package_id && changes_to != Some(package_id);
    let columns = columns(&[
        ("package", package_differs),
        ("router", row.router.is_some() && old.router_id != router_id),
        ("password", old.account.password != row.password),
        ("billing_day", row.day.is_some_and(|day| day != old.terms.day)),
        ("cycle", old.terms.cycle != row.cycle),
        ("timing", old.terms.timing != row.timing),
    ]);
    if columns.is_empty() { Verdict::Same } else { Verdict::Differs { columns, updatable: false } }
}

fn columns(differs: &[(&'static str, bool)]) -> Vec<&'static str> {
    differs.iter().filter(|(_, differs)| *differs).map(|(column, _)| *column).collect()
}
