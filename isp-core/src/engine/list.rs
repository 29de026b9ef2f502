//! Long lists, a page at a time: the first rows are there at once, and memory does not grow with the number of customers.
//!
//! Each page is read at its own moment. Whoever is written anew while a list is read stands in it as a later page finds him; who gets
//! another code meanwhile may be missing, or stand there twice.
//!
//! ```
//! # use isp_core::{engine::Engine, testing::{MemoryStore, sample}, Policy};
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let (store, policy) = (MemoryStore::new(), Policy::default());
//! # use isp_core::ports::Store as _;
//! # let tenant = sample::tenant(1);
//! # store.commit(tenant, sample::World::new(3).changes()).await.unwrap();
//! # let now = sample::moment("2026-01-05T03:00:00Z");
//! let engine = Engine::new(&store, tenant, &policy);
//! let mut pages = engine.customer_pages(now).await.unwrap();
//! let mut rows = 0;
//! while let Some(page) = pages.next().await.unwrap() {
//!     rows += page.len();
//! }
//! assert_eq!(rows, 3);
//! # });
//! ```

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::{Arrears, InvoiceBalance};
use crate::calendar::{Date, Zone};
use crate::customer::Customer;
use crate::engine::{Engine, EngineError};
use crate::ids::{CpeId, CustomerId, SubscriptionId};
use crate::isolation::{Access, ServiceAccess};
use crate::money::Money;
use crate::package::Package;
use crate::place::Router;
use crate::ports::OpenPlace;
use crate::report::customers::{CustomersInput, customers};
use crate::report::{CpeRow, CustomerRow, cpe};
use crate::subscription::Subscription;
use crate::terms::former::{FormerTerms, terms_at};
use crate::text::Code;

/// Rows of a page at most: what belongs to so many customers is in memory at once.
const PAGE: u32 = 1_000;

/// The customers' report, a page at a time, in the order of the customers' codes.
#[derive(Debug)]
pub struct CustomerPages<'e> {
    engine: Engine<'e>,
    packages: Vec<Package>,
    routers: Vec<Router>,
    at: DateTime<Utc>,
    past: bool,
    after: Option<Code>,
    over: bool,
}

impl CustomerPages<'_> {
    /// The next rows, which may be none of a page where no row can be read; `None` when all were told.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn next(&mut self) -> Result<Option<Vec<CustomerRow>>, EngineError> {
        if self.over {
            return Ok(None);
        }
        let Engine { store, tenant, .. } = self.engine;
        let limit = self.engine.page.min(PAGE);
        let page = store.customers_from(tenant, self.after.as_ref(), limit).await?;
        self.over = page.len() < limit as usize;
        self.after = page.last().map(|customer| customer.code.clone());
        let ids: Vec<CustomerId> = page.iter().map(|customer| customer.id).collect();
        let mut lines = store.subscriptions_of(tenant, &ids).await?;
        let mut credit: BTreeMap<CustomerId, Money> = BTreeMap::new();
        let open = if self.past {
            let (then, open) = self.engine.lines_then(&ids, &lines, self.at).await?;
            lines = then;
            for (customer, source) in store.credit_at(tenant, &ids, self.at).await? {
                *credit.entry(customer).or_default() += source.left;
            }
            open
        } else {
            credit.extend(store.credit_of(tenant, &ids).await?);
            store.open_of(tenant, &ids).await?
        };
        let mut rows = customers(&CustomersInput {
            customers: &page,
            subscriptions: &lines,
            packages: &self.packages,
            routers: &self.routers,
            open: &open,
            credit: &credit,
            today: Zone::Wib.date_of(self.at),
        });
        if self.past {
            // What the routers said then is not kept.
            rows.iter_mut().for_each(|row| row.confirmed = None);
        }
        Ok(Some(rows))
    }
}

/// The devices' report, a page at a time, in the order of their serial numbers.
#[derive(Debug)]
pub struct CpePages<'e> {
    engine: Engine<'e>,
    at: DateTime<Utc>,
    past: bool,
    after: Option<Code>,
    over: bool,
}

impl CpePages<'_> {
    /// The next rows; `None` when all were told.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn next(&mut self) -> Result<Option<Vec<CpeRow>>, EngineError> {
        if self.over {
            return Ok(None);
        }
        let Engine { store, tenant, .. } = self.engine;
        let limit = self.engine.page.min(PAGE);
        let page = store.cpes_from(tenant, self.after.as_ref(), limit).await?;
        self.over = page.len() < limit as usize;
        self.after = page.last().map(|cpe| cpe.serial.clone());
        let today = Zone::Wib.date_of(self.at);
        let page = if self.past {
            let ids: Vec<CpeId> = page.iter().map(|cpe| cpe.id).collect();
            cpe::cpes_on(page, &store.history_of(tenant, &ids).await?, today)
        } else {
            page
        };
        let ids: BTreeSet<CustomerId> = page.iter().map(|cpe| cpe.customer_id).collect();
        let ids: Vec<CustomerId> = ids.into_iter().collect();
        let people: Vec<Customer> = store.customers_of(tenant, &ids).await?;
        let mut lines = store.subscriptions_of(tenant, &ids).await?;
        if self.past {
            lines = self.engine.lines_then(&ids, &lines, self.at).await?.0;
        }
        Ok(Some(cpe::cpe(&page, &people, lines.iter().map(|(line, _)| line), today)))
    }
}

/// A customer who owes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Debtor {
    /// Who.
    pub customer_id: CustomerId,
    /// All that is open and issued.
    pub owed: Money,
    /// What of it is due today.
    pub due_today: Money,
    /// What of it is overdue, and since when.
    pub arrears: Arrears,
    /// The earliest due day.
    pub due: Date,
}

/// Who owes, a page at a time, those first whose debt is the oldest.
#[derive(Debug)]
pub struct DebtorPages<'e> {
    engine: Engine<'e>,
    today: Date,
    after: Option<OpenPlace>,
    over: bool,
    /// Who was told already.
    told: BTreeSet<CustomerId>,
}

impl DebtorPages<'_> {
    /// The next ones, which may be none of a page that holds later invoices of those who were told already; `None` when all were told.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn next(&mut self) -> Result<Option<Vec<Debtor>>, EngineError> {
        if self.over {
            return Ok(None);
        }
        let Engine { store, tenant, .. } = self.engine;
        let limit = self.engine.page.min(PAGE);
        let place = |i: &InvoiceBalance| (i.due_date, i.customer_id, i.invoice_id);
        let page = store.open_from(tenant, self.after, limit).await?;
        self.over = page.len() < limit as usize;
        self.after = page.last().map(place);
        let issued = |invoice: &InvoiceBalance| invoice.issue_date <= self.today;
        let ids: BTreeSet<CustomerId> = page.iter().filter(|i| issued(i)).map(|i| i.customer_id).collect();
        let ids: Vec<CustomerId> = ids.into_iter().collect();
        let mut open: BTreeMap<CustomerId, Vec<InvoiceBalance>> = BTreeMap::new();
        for invoice in store.open_of(tenant, &ids).await?.into_iter().filter(issued) {
            open.entry(invoice.customer_id).or_default().push(invoice);
        }
        // Where the first of the customer's invoices stands: once, also when money has moved since the page before was read.
        let told = &mut self.told;
        let debtors = page.iter().filter(|i| open.contains_key(&i.customer_id) && issued(i));
        let debtors = debtors.filter(|invoice| told.insert(invoice.customer_id)).map(|invoice| {
            let of = open.get(&invoice.customer_id).map_or(&[][..], Vec::as_slice);
            Debtor {
                customer_id: invoice.customer_id,
                owed: of.iter().map(|i| i.residual()).sum(),
                due_today: of.iter().filter(|i| i.due_date == self.today).map(|i| i.residual()).sum(),
                arrears: Arrears::of(of, self.today),
                due: invoice.due_date,
            }
        });
        Ok(Some(debtors.collect()))
    }
}

impl<'a> Engine<'a> {
    /// The customers' report as of `now`, counted on the calendar of WIB, a page at a time.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn customer_pages(&self, now: DateTime<Utc>) -> Result<CustomerPages<'a>, EngineError> {
        self.pages_of_customers(now, false).await
    }

    /// The customers' report as it stood at a moment of the past, a page at a time; see [`Engine::report_customers_at`].
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn customer_pages_at(&self, at: DateTime<Utc>) -> Result<CustomerPages<'a>, EngineError> {
        self.pages_of_customers(at, true).await
    }

    async fn pages_of_customers(&self, at: DateTime<Utc>, past: bool) -> Result<CustomerPages<'a>, EngineError> {
        let packages = self.store.packages(self.tenant).await?;
        let routers = self.store.routers(self.tenant).await?;
        Ok(CustomerPages { engine: *self, packages, routers, at, past, after: None, over: false })
    }

    /// The devices' report as of `now`, a page at a time.
    #[must_use]
    pub fn cpe_pages(&self, now: DateTime<Utc>) -> CpePages<'a> {
        CpePages { engine: *self, at: now, past: false, after: None, over: false }
    }

    /// The devices' report as it stood at a moment of the past, a page at a time; see [`Engine::report_cpe_at`].
    #[must_use]
    pub fn cpe_pages_at(&self, at: DateTime<Utc>) -> CpePages<'a> {
        CpePages { engine: *self, at, past: true, after: None, over: false }
    }

    /// Who owes something that was issued by `today`, a page at a time: by the earliest due day, then by customer.
    #[must_use]
    pub fn debtor_pages(&self, today: Date) -> DebtorPages<'a> {
        DebtorPages { engine: *self, today, after: None, over: false, told: BTreeSet::new() }
    }

    /// These lines of customers with the terms and the access of a moment of the past, and what was open then.
    pub(super) async fn lines_then(
        &self,
        customers: &[CustomerId],
        lines: &[(Subscription, ServiceAccess)],
        at: DateTime<Utc>,
    ) -> Result<(Vec<(Subscription, ServiceAccess)>, Vec<InvoiceBalance>), EngineError> {
        let ids: Vec<SubscriptionId> = lines.iter().map(|(line, _)| line.id).collect();
        let mut former: BTreeMap<SubscriptionId, Vec<FormerTerms>> = BTreeMap::new();
        for terms in self.store.former_terms(self.tenant, &ids).await? {
            former.entry(terms.subscription_id).or_default().push(terms);
        }
        let (mut open, mut access) = (Vec::new(), BTreeMap::new());
        for facts in self.store.access_at(self.tenant, customers, at).await? {
            open.extend(facts.open);
            access.insert(facts.subscription_id, facts.access);
        }
        let then = lines.iter().map(|(line, _)| {
            let former = former.remove(&line.id).unwrap_or_default();
            let then = Subscription { terms: terms_at(&line.terms, &former, at), ..line.clone() };
            let access = access.remove(&line.id).unwrap_or_else(|| ServiceAccess::new(line.id, Access::Closed));
            (then, access)
        });
        Ok((then.collect(), open))
    }
}
