//! What exists already that rows of the files use.

use std::collections::{HashMap, HashSet};

use isp_core::Money;
use isp_core::customer::Customer;
use isp_core::device::Cpe;
use isp_core::ids::{CustomerId, ExpenseId, InstallationOrderId, RouterId, SiteId, SubscriptionId};
use isp_core::installation::{InstallationKind, InstallationOrder};
use isp_core::package::Package;
use isp_core::place::{Router, Site};
use isp_core::ports::ExpenseRow;
use isp_core::subscription::{Account, Subscription};
use isp_core::text::{Code, RouterName};

use super::by_code::ByCode;

/// What exists before an import, as it was loaded.
#[derive(Debug, Default)]
pub struct Found {
    /// All sites.
    pub sites: Vec<Site>,
    /// All routers.
    pub routers: Vec<Router>,
    /// All packages.
    pub packages: Vec<Package>,
    /// All customers.
    pub customers: Vec<Customer>,
    /// Customers whose data was erased: no row is about one of them any more.
    pub erased: HashSet<CustomerId>,
    /// All lines, with those that have ended.
    pub subscriptions: Vec<Subscription>,
    /// All devices.
    pub cpes: Vec<Cpe>,
    /// The kinds of installations.
    pub kinds: Vec<InstallationKind>,
    /// All installations.
    pub orders: Vec<InstallationOrder>,
    /// Installations that were taken back: a row that is one of them is not charged again.
    pub taken_back: HashSet<InstallationOrderId>,
    /// All expenses, with those that were booked back.
    pub expenses: Vec<ExpenseRow>,
    /// The cash in the office.
    pub cash: Money,
    /// Lines that have had a periodic invoice.
    pub billed: HashSet<SubscriptionId>,
}

/// All rows that an import may refer to or repeat, ready to be looked up.
#[derive(Debug, Default)]
pub struct Existing {
    pub(super) sites: ByCode<Site>,
    pub(super) routers: ByCode<Router>,
    pub(super) packages: ByCode<Package>,
    pub(super) customers: ByCode<Customer>,
    pub(super) erased: HashSet<CustomerId>,
    subscriptions: Vec<Subscription>,
    of_customer: HashMap<CustomerId, Vec<usize>>,
    /// By router and user name in small letters.
    accounts: HashMap<(Option<RouterId>, String), usize>,
    pub(super) cpes: ByCode<Cpe>,
    pub(super) kinds: ByCode<InstallationKind>,
    pub(super) orders: Vec<InstallationOrder>,
    pub(super) taken_back: HashSet<InstallationOrderId>,
    pub(super) expenses: HashMap<ExpenseId, ExpenseRow>,
    pub(super) cash: Money,
    pub(super) billed: HashSet<SubscriptionId>,
}

impl From<Found> for Existing {
    fn from(found: Found) -> Self {
        let mut of_customer: HashMap<CustomerId, Vec<usize>> = HashMap::new();
        let mut accounts = HashMap::new();
        for (at, subscription) in found.subscriptions.iter().enumerate() {
            of_customer.entry(subscription.customer_id).or_default().push(at);
            // Of several that had a user name one after the other, the one without an end has it.
            for name in names(&subscription.account) {
                let name = (subscription.router_id, name);
                if subscription.terms.end.is_none() || !accounts.contains_key(&name) {
                    accounts.insert(name, at);
                }
            }
        }
        Self {
            sites: found.sites.into_iter().map(|s| (s.code.clone(), s)).collect(),
            routers: found.routers.into_iter().map(|r| (r.code.clone(), r)).collect(),
            packages: found.packages.into_iter().map(|p| (p.code.clone(), p)).collect(),
            customers: found.customers.into_iter().map(|c| (c.code.clone(), c)).collect(),
            erased: found.erased,
            subscriptions: found.subscriptions,
            of_customer,
            accounts,
            cpes: found.cpes.into_iter().map(|c| (c.serial.clone(), c)).collect(),
            kinds: found.kinds.into_iter().map(|k| (k.code.clone(), k)).collect(),
            taken_back: found.taken_back,
            orders: found.orders,
            expenses: found.expenses.into_iter().map(|row| (row.expense.id, row)).collect(),
            cash: found.cash,
            billed: found.billed,
        }
    }
}

impl Existing {
    /// True when a customer has this number.
    pub fn has_customer(&self, code: &Code) -> bool {
        self.customers.get(code).is_some()
    }

    /// A site by its id.
    pub(super) fn site(&self, id: SiteId) -> Option<&Site> {
        self.sites.values().find(|s| s.id == id)
    }

    /// The subscription of a customer with a user name, or the first; one without an end before those that ended.
    pub(super) fn subscription_of(&self, customer: CustomerId, username: Option<&RouterName>) -> Option<&Subscription> {
        let named = |s: &&Subscription| username.is_none_or(|name| name.folded() == s.account.username.folded());
        let mut own = self.subscriptions_of(customer).filter(named);
        own.clone().find(|s| s.terms.end.is_none()).or_else(|| own.next())
    }

    /// All subscriptions of a customer.
    pub(super) fn subscriptions_of(&self, customer: CustomerId) -> impl Iterator<Item = &Subscription> + Clone {
        self.of_customer.get(&customer).into_iter().flatten().filter_map(|at| self.subscriptions.get(*at))
    }

    /// The subscription that has an account, or its address.
    pub(super) fn account(&self, router: Option<RouterId>, account: &Account) -> Option<&Subscription> {
        let at = names(account).find_map(|name| self.accounts.get(&(router, name)))?;
        self.subscriptions.get(*at)
    }
}

/// What is another line's where it has one of these: the name, and the address.
pub(super) fn names(account: &Account) -> impl Iterator<Item = String> + use<> {
    let address = account.address.map(|address| address.to_string());
    let name = account.username.folded();
    std::iter::once(name.clone()).chain(address.filter(|address| *address != name))
}
