//! What the store has already, by the codes that files use.

use std::collections::{HashMap, HashSet};

use isp_core::Money;
use isp_core::billing::InvoiceKind;
use isp_core::calendar::Date;
use isp_core::customer::Customer;
use isp_core::device::Cpe;
use isp_core::ids::{CustomerId, ExpenseId, InstallationOrderId, RouterId, SiteId, SubscriptionId, TenantId};
use isp_core::installation::{InstallationKind, InstallationOrder};
use isp_core::ledger;
use isp_core::package::Package;
use isp_core::place::{Router, Site};
use isp_core::ports::{ExpenseRow, InvoiceQuery, PageQuery, Store, StoreError};
use isp_core::subscription::{Account, Subscription};
use isp_core::text::{Code, RouterName};

use super::by_code::ByCode;

/// All rows that an import may refer to or repeat.
#[derive(Debug, Default)]
pub(crate) struct Existing {
    pub(super) sites: ByCode<Site>,
    pub(super) routers: ByCode<Router>,
    pub(super) packages: ByCode<Package>,
    pub(super) customers: ByCode<Customer>,
    subscriptions: Vec<Subscription>,
    of_customer: HashMap<CustomerId, Vec<usize>>,
    /// By router and user name in small letters.
    accounts: HashMap<(Option<RouterId>, String), usize>,
    pub(super) cpes: ByCode<Cpe>,
    pub(super) kinds: ByCode<InstallationKind>,
    pub(super) orders: Vec<InstallationOrder>,
    /// Those that were taken back: a row that is one of them is not charged again.
    pub(super) taken_back: HashSet<InstallationOrderId>,
    /// With those that were booked back.
    pub(super) expenses: HashMap<ExpenseId, ExpenseRow>,
    /// The cash in the office.
    pub(super) cash: Money,
    /// Subscriptions that have had a periodic invoice.
    pub(super) billed: HashSet<SubscriptionId>,
}

const PAGE: u32 = 5_000;

impl Existing {
    /// True when a customer has this number.
    pub(crate) fn has_customer(&self, code: &Code) -> bool {
        self.customers.get(code).is_some()
    }

    /// Loads them, page by page.
    pub(crate) async fn load(store: &dyn Store, tenant: TenantId) -> Result<Self, StoreError> {
        let subscriptions = subscriptions(store, tenant).await?;
        let mut of_customer: HashMap<CustomerId, Vec<usize>> = HashMap::new();
        let mut accounts = HashMap::new();
        for (at, subscription) in subscriptions.iter().enumerate() {
            of_customer.entry(subscription.customer_id).or_default().push(at);
            // Of several that had a user name one after the other, the one without an end has it.
            for name in names(&subscription.account) {
                let name = (subscription.router_id, name);
                if subscription.terms.end.is_none() || !accounts.contains_key(&name) {
                    accounts.insert(name, at);
                }
            }
        }
        let orders = store.installation_orders(tenant, None).await?;
        Ok(Self {
            sites: store.sites(tenant).await?.into_iter().map(|s| (s.code.clone(), s)).collect(),
            routers: store.routers(tenant).await?.into_iter().map(|r| (r.code.clone(), r)).collect(),
            packages: store.packages(tenant).await?.into_iter().map(|p| (p.code.clone(), p)).collect(),
            customers: customers(store, tenant).await?.into_iter().map(|c| (c.code.clone(), c)).collect(),
            subscriptions,
            of_customer,
            accounts,
            cpes: store.cpes(tenant, None).await?.into_iter().map(|c| (c.serial.clone(), c)).collect(),
            kinds: store.installation_kinds(tenant).await?.into_iter().map(|k| (k.code.clone(), k)).collect(),
            taken_back: orders.iter().filter(|row| row.ending.is_some()).map(|row| row.order.id).collect(),
            orders: orders.into_iter().map(|row| row.order).collect(),
            expenses: store.expenses(tenant).await?.into_iter().map(|row| (row.expense.id, row)).collect(),
            cash: cash(store, tenant).await?,
            billed: billed(store, tenant).await?,
        })
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

async fn cash(store: &dyn Store, tenant: TenantId) -> Result<Money, StoreError> {
    let totals = store.journal_totals(tenant, Date::MIN, Date::MAX).await?;
    Ok(totals.iter().filter(|total| total.account == ledger::Account::Cash).map(|total| total.amount).sum())
}

async fn customers(store: &dyn Store, tenant: TenantId) -> Result<Vec<Customer>, StoreError> {
    let mut all: Vec<Customer> = Vec::new();
    let mut after: Option<CustomerId> = None;
    loop {
        let page = store.customers(tenant, PageQuery { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map(|c| c.id);
        all.extend(page);
        if !full {
            return Ok(all);
        }
    }
}

async fn subscriptions(store: &dyn Store, tenant: TenantId) -> Result<Vec<Subscription>, StoreError> {
    let mut all: Vec<Subscription> = Vec::new();
    let mut after: Option<SubscriptionId> = None;
    loop {
        let page = store.subscriptions(tenant, None, PageQuery { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map(|(s, _)| s.id);
        all.extend(page.into_iter().map(|(s, _)| s));
        if !full {
            return Ok(all);
        }
    }
}

async fn billed(store: &dyn Store, tenant: TenantId) -> Result<HashSet<SubscriptionId>, StoreError> {
    let mut all = HashSet::new();
    let query = InvoiceQuery { kind: Some(InvoiceKind::Subscription), ..InvoiceQuery::default() };
    let mut after = None;
    loop {
        let page = store.invoices(tenant, query, PageQuery { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map(|(i, _)| i.id);
        all.extend(page.iter().map(|(i, _)| i.subscription_id));
        if !full {
            return Ok(all);
        }
    }
}
