//! Subscriptions: new ones, and those that exist against their rows.

use isp_core::Money;
use isp_core::calendar::{BillingDay, Date, Zone};
use isp_core::engine::manage::add_subscription;
use isp_core::ids::{CustomerId, PackageId, RouterId, SiteId, SubscriptionId};
use isp_core::place::takes_lines;
use isp_core::subscription::{Account, BillingTerms, Off, Subscription};
use isp_core::text::{Code, RouterName};

use super::super::problem::{Noun, Problem, RowError};
use super::super::rows::{SubscriptionRow, speed_in, without_blanks};
use super::super::sheet::Origin;
use super::{Note, Planner, Verdict, columns};

/// What a new line takes that its row may not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLine {
    /// Name of the file.
    pub file: String,
    /// Line in it.
    pub line: u64,
    /// The package, by its code, whatever the row calls it.
    pub package: Code,
    /// The router, if it is on one.
    pub router: Option<Code>,
    /// The site, whose zone its days are counted in.
    pub site: Code,
    /// The day of the month on which its periods begin.
    pub day: BillingDay,
    /// The first day that is billed.
    pub billed_from: Date,
}

impl Planner<'_> {
    pub(super) fn subscription(&mut self, row: &SubscriptionRow) -> Result<Verdict, RowError> {
        let found = (self.customer_of(&row.at, &row.customer), self.package_of(row), self.router_of(row));
        let (customer_id, package_id, router) = match found {
            (Ok(customer), Ok(package), Ok(router)) => (customer, package, router),
            // All that the row names in vain is said at once; what has no line is wrong itself, and reported there.
            (customer, package, router) => {
                let wrong = [customer.err(), package.err(), router.err()].into_iter().flatten();
                self.errors.extend(wrong.filter(|error| error.line != 0));
                return Ok(Verdict::Refused);
            }
        };
        let router_id = router.map(|(id, _)| id);
        // A line that has ended leaves its user name to one that starts afterwards.
        let serves = |s: &&Subscription| s.terms.end.is_none_or(|end| row.start < end);
        let taken = self.existing.account(router_id, &row.account).filter(serves);
        if taken.is_some_and(|s| s.customer_id != customer_id) {
            return Err(row.at.error(row.named_by(), Problem::Taken(Noun::Username)));
        }
        let (site_id, zone) = self.place_of(row, router.map(|(_, site)| site))?;
        let today = zone.date_of(self.options.now);
        if let Some(old) = self.existing.subscription_of(customer_id, Some(row.name())).filter(serves) {
            return Ok(compared(row, old, router_id, package_id, today));
        }
        if row.ended {
            return Ok(Verdict::LeftOut);
        }
        let Some(password) = row.password.clone() else {
            return Err(row.at.error("password", isp_core::Error::Empty { field: "password" }));
        };
        if let Some(problem) = self.other_price(row, package_id, today) {
            return Err(row.at.error("price", problem));
        }
        self.ask_about_day(&row.at, "start", row.start);
        if let Some(from) = row.billed_from {
            self.ask_about_day(&row.at, "billed_from", from);
        }
        let day = row.day.unwrap_or_else(|| BillingDay::of(row.start));
        let billed_from = row.billed_from.or(self.options.billed_from).unwrap_or(today).max(row.start);
        let terms = BillingTerms {
            timing: row.timing,
            billed_from: Some(billed_from),
            held_price: row.held(),
            discount: row.discounted(),
            ..BillingTerms::new(package_id, row.start, day, row.cycle)
        };
        if let (Some(Off::Amount(off)), Some(price)) =
            (row.discount, row.own_price.or(self.price_of(package_id, today)))
            && off > price
        {
            return Err(row.at.error("discount", isp_core::Error::DiscountAbovePrice { price }));
        }
        let site = self.existing.site(site_id);
        let router = self.existing.routers.values().find(|r| Some(r.id) == router_id);
        if let Err(error) = takes_lines(site, router) {
            return Err(row.at.error(if row.router.is_some() { "router" } else { "site" }, error));
        }
        self.ask_which_line(row, customer_id, today);
        let code = |site: SiteId| self.sites.iter().find(|(_, (id, _))| *id == site).map(|(code, _)| code.clone());
        let router = self.routers.iter().find(|(_, (id, _))| Some(*id) == router_id).map(|(code, _)| code.clone());
        if let Some(site) = code(site_id) {
            let (file, line) = (row.at.file().to_owned(), row.at.line);
            let package = self.packages.iter().find(|(_, id)| **id == package_id).map(|(code, _)| code.clone());
            let package = package.unwrap_or_else(|| row.package.clone());
            self.plan.lines.push(PlannedLine { file, line, package, router, site, day, billed_from });
        }
        let id = SubscriptionId(self.ids.next_uuid());
        let account = Account { password, ..row.account.clone() };
        let subscription = Subscription { id, customer_id, site_id, router_id, account, terms };
        // Nearly all have one.
        let of_customer = self.subscriptions.entry(customer_id).or_insert_with(|| Vec::with_capacity(1));
        of_customer.push((row.name().clone(), id));
        add_subscription(&mut self.plan.changes, subscription, zone, self.options.now);
        Ok(Verdict::New)
    }

    /// The package that a row names, by its code, else by its name without regard to case and blanks.
    fn package_of(&mut self, row: &SubscriptionRow) -> Result<PackageId, RowError> {
        if let Some(id) = self.packages.get(&row.package) {
            return Ok(*id);
        }
        let wanted = without_blanks(&row.package_said);
        match self.packages_named(&wanted)[..] {
            [id] => Ok(id),
            [] => {
                let error = self.unknown(&row.at, "package", Noun::Package, &row.package);
                // A row of packages that is wrong itself is named there.
                if error.line != 0 {
                    let missing = self.without_package.entry(wanted);
                    missing.or_insert_with(|| (row.package_said.clone(), Vec::new())).1.push(row.at.clone());
                }
                Err(RowError { line: 0, ..error })
            }
            ref several => Err(row.at.error("package", Problem::WhichPackage { count: several.len() })),
        }
    }

    /// The packages of the books and of the same import that have a name, without regard to case and blanks.
    pub(super) fn packages_named(&self, wanted: &str) -> Vec<PackageId> {
        let known = self.existing.packages.values().chain(&self.plan.changes.packages);
        let mut named: Vec<PackageId> =
            known.filter(|package| without_blanks(package.name.as_str()) == wanted).map(|package| package.id).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// What is wrong with a new line of a sheet with everything whose price is not that of its package.
    fn other_price(&self, row: &SubscriptionRow, package: PackageId, today: Date) -> Option<Problem> {
        let (here, books) = (row.sheet_price?, self.price_of(package, today)?);
        let (package, _) = self.packages.iter().find(|(_, id)| here != books && **id == package)?;
        Some(Problem::OtherPrice { package: package.clone(), here, books })
    }

    /// Names each package that rows want and that is not there, for each of these rows.
    pub(super) fn name_missing_packages(&mut self) {
        for (said, rows) in std::mem::take(&mut self.without_package).into_values() {
            // A column that was shifted may hold a NIK or a password in its place: those are no names of several rows, nor a speed.
            let digits = said.chars().filter(char::is_ascii_digit).count();
            let is_name = said.chars().count() <= 40 && digits < 7 && (rows.len() > 1 || speed_in(&said).is_some());
            let name = is_name.then_some(said);
            let error = |at: &Origin| at.error("package", Problem::UnknownPackage { name: name.clone() });
            self.errors.extend(rows.iter().map(error));
        }
    }

    /// The price of a package per month, of the books or of the same import.
    fn price_of(&self, id: PackageId, on: Date) -> Option<Money> {
        let known = self.existing.packages.values().chain(&self.plan.changes.packages);
        known.filter(|package| package.id == id).last().and_then(|package| package.prices.on(on))
    }

    /// Asks about a new line of a customer who has one that no row names: it may be that one, corrected.
    fn ask_which_line(&mut self, row: &SubscriptionRow, customer: CustomerId, today: Date) {
        let ended = |line: &Subscription| line.terms.end.is_some_and(|end| end <= today);
        let mut others = self.existing.subscriptions_of(customer);
        let other = others.find(|line| !ended(line) && !self.accounts.contains(&line.account.username.folded()));
        if let Some(old) = other {
            let says = |username: &RouterName, start: Date| format!("{username} {start}");
            let known = says(&old.account.username, old.terms.start);
            self.ask(&row.at, row.named_by(), Problem::LikelyDouble { row: says(row.name(), row.start), known });
        }
    }

    /// The router that a row names, and its site; `None` for a line at a site without one.
    fn router_of(&mut self, row: &SubscriptionRow) -> Result<Option<(RouterId, SiteId)>, RowError> {
        match &row.router {
            None if row.site.is_none() => self.only_router(row).map(Some),
            None => Ok(None),
            Some(code) => match self.routers.get(code).copied() {
                Some(router) => Ok(Some(router)),
                None => Err(self.unknown(&row.at, "router", Noun::Router, code)),
            },
        }
    }

    /// The only router there is, for a line that names neither router nor site.
    fn only_router(&mut self, row: &SubscriptionRow) -> Result<(RouterId, SiteId), RowError> {
        let archived = |id: RouterId| self.existing.routers.values().any(|r| r.id == id && r.archived);
        let mut routers = self.routers.values().filter(|(id, _)| !archived(*id));
        match (routers.next(), routers.next()) {
            (Some(router), None) => {
                self.plan.notices.tell(row.at.file(), row.at.line, "", Note::OnlyRouter);
                Ok(*router)
            }
            (None, _) => Err(row.at.error("router", Problem::NoRouterYet)),
            _ => Err(row.at.error("router", Problem::WhichRouter { count: self.routers.values().count() })),
        }
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
        ("service", old.account.service != row.account.service),
        ("password", row.password.as_ref().is_some_and(|password| *password != old.account.password)),
        ("ip_address", row.account.address.is_some() && old.account.address != row.account.address),
        ("billing_day", row.day.is_some_and(|day| day != old.terms.day)),
        ("cycle", old.terms.cycle != row.cycle),
        ("timing", old.terms.timing != row.timing),
        ("own_price", row.own_price.is_some() && row.held() != old.terms.held_price),
        ("discount", row.discount.is_some() && row.discounted() != old.terms.discount),
    ]);
    if columns.is_empty() { Verdict::Same } else { Verdict::Differs { columns, updatable: false } }
}
