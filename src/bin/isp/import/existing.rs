//! What the store has already, by the codes that files use.

use std::collections::{HashMap, HashSet};

use isp_core::Money;
use isp_core::billing::InvoiceKind;
use isp_core::calendar::Date;
use isp_core::customer::Customer;
use isp_core::device::Cpe;
use isp_core::ids::{CustomerId, JournalEntryId, RouterId, SiteId, SubscriptionId, TenantId};
use isp_core::installation::{InstallationKind, InstallationOrder};
use isp_core::ledger::{Account, EntryKind};
use isp_core::package::Package;
use isp_core::place::{Router, Site};
use isp_core::ports::{InvoiceQuery, PageQuery, Store, StoreError};
use isp_core::subscription::Subscription;
use isp_core::text::Code;

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
    pub(super) expenses: HashMap<JournalEntryId, Spent>,
    /// Subscriptions that have had a periodic invoice.
    pub(super) billed: HashSet<SubscriptionId>,
}

const PAGE: u32 = 5_000;

impl Existing {
    /// Loads them, page by page.
    pub(crate) async fn load(store: &dyn Store, tenant: TenantId) -> Result<Self, StoreError> {
        let subscriptions = subscriptions(store, tenant).await?;
        let mut of_customer: HashMap<CustomerId, Vec<usize>> = HashMap::new();
        let mut accounts = HashMap::new();
        for (at, subscription) in subscriptions.iter().enumerate() {
            of_customer.entry(subscription.customer_id).or_default().push(at);
            accounts.insert((subscription.router_id, subscription.account.username.folded()), at);
        }
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
            orders: store.installation_orders(tenant, None).await?.into_iter().map(|row| row.order).collect(),
            expenses: expenses(store, tenant).await?,
            billed: billed(store, tenant).await?,
        })
    }

    /// A site by its id.
    pub(super) fn site(&self, id: SiteId) -> Option<&Site> {
        self.sites.values().find(|s| s.id == id)
    }

    /// The subscription of a customer with a user name, or the first.
    pub(super) fn subscription_of(&self, customer: CustomerId, username: Option<&Code>) -> Option<&Subscription> {
        let mut own = self.of_customer.get(&customer)?.iter().filter_map(|at| self.subscriptions.get(*at));
        own.find(|s| username.is_none_or(|name| name.folded() == s.account.username.folded()))
    }

    /// All subscriptions of a customer.
    pub(super) fn subscriptions_of(&self, customer: CustomerId) -> impl Iterator<Item = &Subscription> {
        self.of_customer.get(&customer).into_iter().flatten().filter_map(|at| self.subscriptions.get(*at))
    }

    /// The subscription that has an account.
    pub(super) fn account(&self, router: Option<RouterId>, username: &Code) -> Option<&Subscription> {
        self.subscriptions.get(*self.accounts.get(&(router, username.folded()))?)
    }
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

/// An expense as the journal has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    pub(super) on: Date,
    pub(super) category: Account,
    pub(super) amount: Money,
}

/// The journal entries of expenses: an expense is append-only and has no other list.
async fn expenses(store: &dyn Store, tenant: TenantId) -> Result<HashMap<JournalEntryId, Spent>, StoreError> {
    let mut all = HashMap::new();
    let mut after = None;
    loop {
        let page = store.journal(tenant, PageQuery { after, limit: PAGE }).await?;
        let full = page.len() == PAGE as usize;
        after = page.last().map(|e| e.id);
        for entry in page.iter().filter(|e| e.kind == EntryKind::Expense) {
            if let Some(line) = entry.lines.iter().find(|line| line.amount.is_positive()) {
                all.insert(entry.id, Spent { on: entry.date, category: line.account, amount: line.amount });
            }
        }
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
